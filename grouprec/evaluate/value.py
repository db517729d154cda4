"""What the number of groups buys: value against n_groups, and the number to choose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)

from grouprec.core.tables import highest
from grouprec.core.types import Candidates, GroupLists, Groups, Regime
from grouprec.data.beside import Beside
from grouprec.data.dataset import Dataset, Interactions
from grouprec.evaluate import baselines, gain, protocol
from grouprec.evaluate.enough import enough
from grouprec.ranking.statistics import mean_interval
from grouprec.ranking.task import Task, individual_lists

GRID = (1, 2, 3, 5, 8, 12, 16, 20, 30, 50)
FINE_GRID = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50)
COARSE_GRID = (1, 2, 5, 10, 20, 50)
MOST_JUDGED = 10_000  # users who judge a curve


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


def default_grid(n_users: int, min_group_size: int = 10, grid: Sequence[int] = GRID) -> list[int]:
    """Return the numbers of groups worth trying: those that leave ``min_group_size`` users a group on average."""
    return [n for n in grid if n == 1 or n * min_group_size <= n_users]


GroupsAndLists = tuple[Groups, GroupLists]


@dataclass(frozen=True, eq=False)
class Singles:
    """Single lists for all, G = 1.

    Attributes:
        popularity: what was popular over all time.
        floor: by regime, the best single list: its name and its lists.
    """

    popularity: GroupLists
    floor: Mapping[Regime, tuple[str, GroupLists]]


@dataclass(frozen=True, eq=False)
class Curve:
    """What numbers of groups are worth.

    Attributes:
        table: n_groups (as asked for), method, regime, metric, value, low, high, floor, floor_method, individual,
            oracle (strict only), share_of_gain, smallest and largest (group sizes), below_best (the mean of the
            method's best number less this one's) and below_best_error (its standard error, paired over users).
        gain: n_groups, regime, method, metric, part, value, low, high, n_users of the run's own lists: the parts of
            :func:`grouprec.evaluate.gain.split`, and as part ``more`` what the next larger number adds.
    """

    table: pd.DataFrame
    gain: pd.DataFrame


def value_of_groups(
    task: Task,
    candidates: Candidates,
    methods: Mapping[str, Callable[[int, Regime], GroupsAndLists]],
    grid: Sequence[int],
    seed: int,
    singles: Singles,
    own: Mapping[Regime, str],
    tried: Callable[[int, str, Regime], bool] = lambda n_groups, method, regime: True,
) -> Curve:
    """Return what every method's lists are worth for every number of groups, with floor, ceiling and oracle.

    The lists of a method are judged in the regime that they and their groups were formed for, on at most 10,000
    users, drawn by the seed. Intervals: :func:`~grouprec.ranking.statistics.mean_interval`.

    Args:
        task: its targets judge the lists; the validation task where the table chooses the number of groups.
        candidates: predict the users' preferences; as personal lists they are the ceiling.
        methods: by name, what forms groups and lists for a number of groups and a regime; fewer groups may come back.
        own: by regime that is judged, the method whose gain is split.
        tried: whether a number of groups is tried by a method in a regime.
    """
    task = task.sample(MOST_JUDGED, seed)
    bounds = _bounds(task, candidates, singles, own)
    around = {regime: _Around.of(singles.floor[regime][0], *bounds[regime][1:]) for regime in own}
    measured: dict[tuple[str, Regime], dict[int, protocol.Measured]] = {}
    rows: list[dict[str, Any]] = []
    for n_groups in grid:
        oracle_of = cache(lambda groups: protocol.strict_oracle(groups.labels, task, 10))
        for (name, form), regime in product(methods.items(), own):
            if tried(n_groups, name, regime):
                groups, lists = form(n_groups, regime)
                one = protocol.measure_one(name, regime, lists, groups, task)
                measured.setdefault((name, regime), {})[n_groups] = one
                oracle = oracle_of(groups) if regime == "strict" else {}
                what = {"n_groups": n_groups, "method": name, "regime": regime}
                sizes = {"smallest": int(groups.sizes.min()), "largest": int(groups.sizes.max())}
                rows += [what | point | sizes for point in around[regime].points(one, oracle)]
    below = pd.DataFrame([row for (name, regime), by_n in measured.items() for row in _below_best(name, regime, by_n)])
    split = [
        row
        for regime, name in own.items()
        for row in _gain(name, regime, measured.get((name, regime), {}), bounds[regime])
    ]
    table = pd.DataFrame(rows).merge(below, on=["n_groups", "method", "regime", "metric"], how="left")
    return Curve(table, pd.DataFrame(split))


_Bounds = tuple[protocol.Measured, protocol.Measured, protocol.Measured]  # popularity, floor and personal lists


def _bounds(task: Task, candidates: Candidates, singles: Singles, regimes: Iterable[Regime]) -> dict[Regime, _Bounds]:
    personal = protocol.measure("", "individual", individual_lists(candidates, task), task)
    everybody = baselines.everybody(candidates.n_users)

    def of_one(regime: Regime, lists: GroupLists) -> protocol.Measured:
        return protocol.measure_one("", regime, lists, everybody, task)

    return {
        regime: (of_one(regime, singles.popularity), of_one(regime, singles.floor[regime][1]), personal)
        for regime in regimes
    }


@dataclass(frozen=True)
class _Around:
    """What stands beside every value of a regime: the best single list and personal lists, means by metric."""

    floor_method: str
    floor: Mapping[str, float]
    individual: Mapping[str, float]

    @classmethod
    def of(cls, floor_method: str, floor: protocol.Measured, personal: protocol.Measured) -> Self:
        means = ({metric: mean for metric, (mean, _, _) in _means(one).items()} for one in (floor, personal))
        return cls(floor_method, *means)

    def points(self, measured: protocol.Measured, oracle: Mapping[str, float]) -> list[dict[str, Any]]:
        """Return a row per headline metric: the mean with its interval and what stands beside it."""
        return [
            {
                "metric": metric,
                "value": value,
                "low": low,
                "high": high,
                "floor": self.floor[metric],
                "floor_method": self.floor_method,
                "individual": self.individual[metric],
                "oracle": oracle.get(metric, np.nan),
                "share_of_gain": float(protocol.share_of_gain(value, self.floor[metric], self.individual[metric])),
            }
            for metric, (value, low, high) in _means(measured).items()
        ]


def _below_best(method: str, regime: Regime, by_n: Mapping[int, protocol.Measured]) -> list[dict[str, Any]]:
    """Return how far every number stays below the method's best on the same users, and how certain that is."""
    rows = []
    for metric in protocol.HEADLINES:
        values = {n_groups: one.of(metric) for n_groups, one in by_n.items()}
        known = len(next(iter(values.values())))
        best = max(values.values(), key=lambda of_users: of_users.mean()) if known else np.empty(0)
        for n_groups, own in values.items():
            lacking = best - own
            below = float(lacking.mean()) if known else np.nan
            error = float(lacking.std() / np.sqrt(known)) if known else np.nan
            what = {"n_groups": n_groups, "method": method, "regime": regime, "metric": metric}
            rows.append(what | {"below_best": below, "below_best_error": error})
    return rows


def _gain(
    method: str,
    regime: Regime,
    by_n: Mapping[int, protocol.Measured],
    bounds: _Bounds,
) -> list[dict[str, Any]]:
    """Return the rows of :attr:`Curve.gain` of one regime."""
    (popularity, floor, personal), rows = bounds, []
    numbers = sorted(by_n)
    for n_groups, following in zip(numbers, [*numbers[1:], None], strict=True):
        parts = gain.split(popularity, floor, by_n[n_groups], personal)
        if following is not None:
            parts += gain.difference(gain.MORE, by_n[following], by_n[n_groups])
        rows += [{"n_groups": n_groups, "regime": regime, "method": method, **part} for part in parts]
    return rows


def some_users(data: Dataset, task: Task, rows: np.ndarray) -> tuple[Dataset, Task]:
    """Return the same data and task with some of the users only, numbered anew.

    Args:
        rows: int [V], ascending.
    """
    number = np.full(data.n_users, -1, np.int32)
    number[rows] = np.arange(len(rows))

    def part(whole: Interactions) -> Interactions:
        kept = whole.take(number[whole.user_rows] >= 0)
        return replace(kept, user_rows=number[kept.user_rows])

    fewer = replace(
        data,
        key=f"{data.key} {len(rows)} users",
        user_ids=data.user_ids[rows],
        train=part(data.train),
        validation=part(data.validation),
        test=part(data.test),
        user_attributes=data.user_attributes.iloc[rows] if len(data.user_attributes) else data.user_attributes,
        beside=Beside(),
    )
    users = number[task.users]
    return fewer, Task(task.seen[rows], task.relevant[rows], users[users >= 0], task.owned[rows])


def _means(measured: protocol.Measured) -> dict[str, tuple[float, float, float]]:
    """Return mean, low and high of every headline metric; NaN where there is no user."""
    found = {metric: mean_interval(measured.of(metric)) for metric in protocol.HEADLINES}
    return {metric: (float(mean), float(low), float(high)) for metric, (mean, low, high) in found.items()}


def choose_n_groups(table: pd.DataFrame, regime: str) -> tuple[int, str]:
    """Return the number of groups to use, and why in one sentence.

    The smallest number whose ndcg@10 is within one standard error of the best: :func:`grouprec.evaluate.enough.enough`.

    Args:
        table: of one method, from :func:`value_of_groups` on the validation task.
        regime: ``strict`` or ``dedup``.
    Raises:
        ValueError: the table has no judged user in that regime.
    """
    rows = table[(table["regime"] == regime) & (table["metric"] == "ndcg@10")].dropna(subset="value")
    if rows.empty:
        raise ValueError(f"The table holds no ndcg@10 in the {regime} regime; it needs users with validation targets.")
    n, best = enough(rows), highest(rows, "value")
    chosen, at_best = rows.set_index("n_groups").loc[n], int(best["n_groups"])
    if n == at_best:
        reason = f"{n} groups reach the best held-out nDCG@10 ({best['value']:.3f}), and no smaller number comes close."
    else:
        reason = (
            f"{n} groups are enough: their held-out nDCG@10 of {chosen['value']:.3f} is within one standard error of "
            f"the best, {best['value']:.3f} with {at_best}."
        )
    return n, reason
