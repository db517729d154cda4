"""What the number of groups buys: value against n_groups, and the number to choose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)

from grouprec.data.dataset import Dataset
from grouprec.evaluate import baselines, protocol
from grouprec.lists import members_mean
from grouprec.types import Candidates, Groups, Preference

GRID = (1, 2, 3, 5, 8, 12, 16, 20, 30, 50)
_CURVE_SAMPLE = 2000  # enough for one point of a curve; the quadratic silhouette would be its longest part


@dataclass(frozen=True)
class Separation:
    """How far the groups lie apart in preference space; NaN where there are fewer than two of them.

    ``silhouette`` in -1..1, higher is better; ``davies_bouldin`` lower is better; ``calinski_harabasz`` higher.
    """

    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float


def separation(space: np.ndarray, labels: np.ndarray, seed: int, sample: int = 5000) -> Separation:
    """Return the separation of the groups, on at most ``sample`` users drawn with the seed.

    Args:
        space: float32 [U, S].
        labels: int [U].
    """
    if len(space) > sample:
        rows = np.random.default_rng(seed).choice(len(space), sample, replace=False)
        space, labels = space[rows], labels[rows]
    if not 2 <= len(np.unique(labels)) < len(labels):
        return Separation(np.nan, np.nan, np.nan)
    scores = (silhouette_score, davies_bouldin_score, calinski_harabasz_score)
    return Separation(*(float(score(space, labels)) for score in scores))


def stability(groups_with: Callable[[int], Groups], seeds: Sequence[int]) -> float:
    """Return the mean adjusted Rand index over all pairs of seeds: 1 the same groups every time, about 0 chance.

    Args:
        groups_with: forms the groups with a seed.
        seeds: at least two.
    Raises:
        ValueError: fewer than two seeds.
    """
    if len(seeds) < 2:
        raise ValueError(f"Stability compares groups of at least two seeds; got {len(seeds)}.")
    labels = [groups_with(seed).labels for seed in seeds]
    pairs = [adjusted_rand_score(one, other) for n, one in enumerate(labels) for other in labels[:n]]
    return float(np.mean(pairs))


def default_grid(n_users: int, min_group_size: int = 10) -> list[int]:
    """Return the numbers of groups worth trying: those that leave ``min_group_size`` users a group on average."""
    return [n for n in GRID if n == 1 or n * min_group_size <= n_users]


def value_of_groups(
    data: Dataset,
    task: protocol.Task,
    preference: Preference,
    candidates: Candidates,
    group_at: Callable[[int], Groups],
    n_groups_grid: Sequence[int],
    seed: int,
) -> pd.DataFrame:
    """Return what the members' mean lists are worth for every number of groups, with floor, ceiling and oracle.

    Args:
        task: its targets judge the lists; the validation task where the table chooses ``n_groups``.
        preference: the space in which the silhouette is taken.
        candidates: predict the members' preferences; as personal lists they are the ceiling.
        group_at: forms that many groups of the dataset's users; may return fewer.
    Returns:
        n_groups (as asked for), method ("members_mean"), regime, metric, value, low, high, floor, individual, oracle
        (strict only), share_of_gain, smallest and largest (group sizes), silhouette.
    """
    alone = protocol.measure("individual", "individual", protocol.individual_lists(candidates, task), task)
    everybody = baselines.everybody(data.n_users)
    floor = protocol.measure_both("popularity", baselines.popularity(data.histories, seed), everybody, task)
    tables = []
    for n_groups in n_groups_grid:
        groups = group_at(n_groups)
        lists = members_mean(candidates, groups, data.histories, seed)
        both = protocol.measure_both("members_mean", lists, groups, task)
        rows = protocol.rows_table(protocol.summarise([alone, *floor, *both], seed))
        rows = protocol.add_bounds(rows, both, task)
        rows = rows[(rows["method"] == "members_mean") & rows["metric"].isin(protocol.HEADLINES)]
        rows.insert(0, "n_groups", n_groups)
        sizes = {"smallest": int(groups.sizes.min()), "largest": int(groups.sizes.max())}
        silhouette = separation(preference.space, groups.labels, seed, _CURVE_SAMPLE).silhouette
        tables.append(rows.drop(columns="n_users").assign(**sizes, silhouette=silhouette))
    return pd.concat(tables, ignore_index=True)


def choose_n_groups(table: pd.DataFrame, regime: str) -> tuple[int, str]:
    """Return the number of groups to use, and why in one sentence.

    The rule is that of one standard error (Breiman et al. 1984): of all numbers of groups whose ndcg@10 is within one
    standard error of the best, the smallest, because every group is a list that somebody has to make and show. The
    standard error is the 95 % interval's width divided by 3.92.

    Args:
        table: from :func:`value_of_groups` on the validation task.
        regime: ``strict`` or ``dedup``.
    Raises:
        ValueError: the table has no judged user in that regime.
    """
    rows = table[(table["regime"] == regime) & (table["metric"] == "ndcg@10")].dropna(subset="value")
    if rows.empty:
        raise ValueError(f"The table holds no ndcg@10 in the {regime} regime; it needs users with validation targets.")
    best = rows.loc[rows["value"].idxmax()]
    error = (best["high"] - best["low"]) / 3.92
    chosen = rows[rows["value"] >= best["value"] - error].sort_values("n_groups").iloc[0]
    n, at_best = int(chosen["n_groups"]), int(best["n_groups"])
    if n == at_best:
        reason = f"{n} groups reach the best held-out nDCG@10 ({best['value']:.3f}), and no smaller number comes close."
    else:
        reason = (
            f"{n} groups reach a held-out nDCG@10 of {chosen['value']:.3f}, within one standard error ({error:.3f}) of "
            f"the best, {best['value']:.3f} with {at_best}."
        )
    return n, reason
