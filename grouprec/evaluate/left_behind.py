"""Whom a group's list leaves behind, and what splitting the group in two would gain: predicted, then measured."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.types import Candidates, Groups, Regime
from grouprec.evaluate.protocol import Measured, measure, share_of_gain
from grouprec.models.groupers.segmentation import segment, start_space, starts
from grouprec.ranking.candidates import discounts, make_preference, taste
from grouprec.ranking.group_lists import LENGTH, worth
from grouprec.ranking.metrics import hit_matrix, ndcg, precision
from grouprec.ranking.statistics import paired_difference, wilson
from grouprec.ranking.task import Task, dedup_lists, individual_lists, shared_lists

LEAST_PART = 5  # members of each part; a group of fewer than twice as many is not split
MOST_MEMBERS = 1_000  # of a group, that the two new lists are made from
N_STARTS = 2
MAX_ROUNDS = 10
DIMENSIONS = 16  # of the space in which a split starts
_METRICS = ["ndcg@10", "precision@10"]
_SPLIT = ["smaller_part", "predicted_worth", *(f"predicted_{metric}" for metric in _METRICS), "predicted_hits"]
_SPLIT += [f"measured_{metric}{end}" for metric in _METRICS for end in ("", "_low", "_high")]


@dataclass(frozen=True, eq=False)
class _Setting:
    """What every group's split is made from; ``values`` is the :func:`worth` of the candidates, CSR [U, I]."""

    task: Task
    candidates: Candidates
    values: sparse.csr_array
    histories: sparse.csr_array
    regime: Regime
    seed: int


def left_behind(
    measured: Measured,
    floor: Measured,
    groups: Groups,
    task: Task,
    candidates: Candidates,
    histories: sparse.csr_array,
    regime: Regime,
    seed: int,
) -> pd.DataFrame:
    """Return how unequally every group is served by its list, and what two lists instead of one would gain.

    A split is catalogue segmentation with two lists within the group
    (:func:`~grouprec.models.groupers.segmentation.segment`), from two 2-means starts; then every member takes the list
    that is worth more to them. Of more than 1,000 members so many are drawn to make the lists. *Predicted* is the
    worth of the two lists minus that of one made by the same rule, to the users they are made from, by the predictions
    they are made from: expect less. *Measured* is what the two lists bring the judged members, minus the old list;
    where that was made by another rule, the change of rule counts, too.

    Args:
        measured: the groups' lists, judged in ``regime``.
        floor: the best single list for all, judged likewise.
        candidates: of U users, the predictions that lists are made from; as personal lists they are the ceiling.
        histories: CSR [U, I], what the lists are made from.
        seed: of the draw of members and of the starts.
    Returns:
        One row per group: group, size, n_judged; zero_hit_share (judged members without a hit in the first ten),
        zero_hit_low, zero_hit_high (Wilson's 95 % interval); ndcg@10; worst_decile, best_decile (nDCG@10 of the
        tenth of judged members served worst and best, rounded up); share_lost (of what personal lists gain over the
        best single list, in nDCG@10; above 1 where that one serves the group better than its own).
        Of the split: smaller_part (share of members in the smaller part, 0 where all take the same list);
        predicted_worth (gain per member, about 1 being a list of their own), predicted_ndcg@10 and
        predicted_precision@10 (worth times what personal lists reach on the task per worth), predicted_hits (more
        hits in ten, all members together); measured_ndcg@10, measured_precision@10, each with ``_low`` and ``_high``
        (paired, 95 %; NaN for fewer than 30 judged members: too few to tell).
        NaN where nobody is judged and, of the split, where a group has fewer than 10 members.
    Raises:
        ValueError: ``measured`` is of another regime.
    """
    if measured.regime != regime:
        raise ValueError(f"The lists were judged in the regime '{measured.regime}', not '{regime}'.")
    values = worth(candidates).sorted_indices()  # looked up many times, by bisection; a copy, since others read it
    setting = _Setting(task, candidates, values, histories, regime, seed)
    personal = individual_lists(candidates, task, LENGTH)
    own = measure("individual", "individual", personal, task)
    table = _served(measured, floor, own, groups, setting)
    rates = _per_worth(own, personal, setting)
    splits = np.full((groups.n_groups, len(_SPLIT)), np.nan)
    for group in range(groups.n_groups):
        members = np.flatnonzero(groups.labels == group)
        if len(members) >= 2 * LEAST_PART:
            judged = np.flatnonzero(groups.labels[task.users] == group)
            splits[group] = _split(members, judged, measured, rates, setting)
    return pd.concat([table, pd.DataFrame(splits, columns=_SPLIT)], axis=1)


def _served(measured: Measured, floor: Measured, own: Measured, groups: Groups, setting: _Setting) -> pd.DataFrame:
    """Return the columns that describe the list as it is."""
    labels = groups.labels[setting.task.users]
    n = np.bincount(labels, minlength=groups.n_groups)

    def mean(values: np.ndarray, of: np.ndarray | None = None) -> np.ndarray:
        """Mean by group, [G], of the judged users of a mask, or of all."""
        weights = np.ones(len(values)) if of is None else of.astype(np.float64)
        count = np.bincount(labels, weights, groups.n_groups)
        sums = np.bincount(labels, values * weights, groups.n_groups)
        return np.divide(sums, count, out=np.full(groups.n_groups, np.nan), where=count > 0)

    served = measured.of("ndcg@10")
    order = np.lexsort((served, labels))
    rank = np.empty(len(labels), np.int64)
    rank[order] = np.arange(len(labels)) - (n.cumsum() - n)[labels[order]]  # 0 for the worst served of a group
    tenth = -(-n // 10)[labels]
    zero = 1 - mean(measured.of("hit_rate@10"))
    low, high = wilson(zero, n)
    share = share_of_gain(mean(served), mean(floor.of("ndcg@10")), mean(own.of("ndcg@10")))
    return pd.DataFrame(
        {
            "group": np.arange(groups.n_groups),
            "size": groups.sizes,
            "n_judged": n,
            "zero_hit_share": zero,
            "zero_hit_low": low,
            "zero_hit_high": high,
            "ndcg@10": mean(served),
            "worst_decile": mean(served, rank < tenth),
            "best_decile": mean(served, rank >= n[labels] - tenth),
            "share_lost": 1 - share,
        }
    )


def _per_worth(own: Measured, personal: np.ndarray, setting: _Setting) -> np.ndarray:
    """Return nDCG@10 and precision@10 that personal lists reach per discounted and per plain worth, [2]."""
    if not len(personal):
        return np.full(2, np.nan)
    worths = _worths(personal, setting.values[setting.task.users])
    scale = np.array([(worths @ discounts(LENGTH)).mean(), worths.sum(axis=1).mean()])
    reached = np.array([own.of(metric).mean() for metric in _METRICS])
    return np.divide(reached, scale, out=np.full(2, np.nan), where=scale > 0)


def _split(
    members: np.ndarray, judged: np.ndarray, measured: Measured, rates: np.ndarray, setting: _Setting
) -> np.ndarray:
    """Return the columns of one group's split.

    Args:
        members: int [M], user rows.
        judged: int [J], positions of its judged members in ``task.users``.
        rates: see :func:`_per_worth`.
    """
    task = setting.task
    drawn = members
    if len(members) > MOST_MEMBERS:
        drawn = np.sort(np.random.default_rng(setting.seed).choice(members, MOST_MEMBERS, replace=False))
    one, two = _rankings(drawn, setting)
    _, before, _ = _choose(one, drawn, setting)
    _, after, part = _choose(two, drawn, setting)
    gain = (after - before).mean(axis=0)
    worth_gain = np.array([gain @ discounts(LENGTH), gain.sum()])
    predicted = worth_gain * rates
    changes = np.full((3, 2), np.nan)  # mean, low and high of every metric
    if len(judged):
        users = task.users[judged]
        lists, _, _ = _choose(two, users, setting)
        hits = hit_matrix(lists, task.relevant[users])
        new = np.column_stack([ndcg(hits, task.n_relevant[judged], LENGTH), precision(hits, LENGTH)])
        old = np.column_stack([measured.of(metric)[judged] for metric in _METRICS])
        changes[:] = paired_difference(new, old)[:3]
    smaller = min(part.mean(), 1 - part.mean())
    return np.array([smaller, worth_gain[0], *predicted, LENGTH * len(members) * predicted[1], *changes.T.ravel()])


def _rankings(rows: np.ndarray, setting: _Setting) -> tuple[np.ndarray, np.ndarray]:
    """Return the one list for all of these users, int32 [1, R], and the best two found, int32 [1 or 2, R]."""
    values, histories, regime = setting.values[rows], setting.histories[rows], setting.regime
    candidates = setting.candidates.take(rows)
    one = segment(values, histories, np.zeros(len(rows), np.int64), regime, max_rounds=0)
    if regime == "dedup":
        space = start_space(taste(candidates), histories, DIMENSIONS, setting.seed)
    else:
        space = make_preference(candidates, DIMENSIONS, setting.seed).space
    rng = np.random.default_rng(setting.seed)
    halves = starts(space, 2, N_STARTS, rng)
    found = [segment(values, histories, start, regime, LEAST_PART, MAX_ROUNDS) for start in halves]
    return one.rankings, max(found, key=lambda two: two.value).rankings


def _choose(rankings: np.ndarray, rows: np.ndarray, setting: _Setting) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each of these users the list that is worth most to them.

    Returns:
        lists int32 [B, 10], the worth of its items float32 [B, 10], and which ranking it is from, int [B].
    """
    task, n_users = replace(setting.task, users=rows), setting.candidates.n_users
    show = dedup_lists if setting.regime == "dedup" else shared_lists
    values = setting.values[rows]
    lists = [show(rankings, np.full(n_users, n), task, LENGTH) for n in range(len(rankings))]
    worths = np.stack([_worths(one, values) for one in lists])
    best = (worths @ discounts(LENGTH)).argmax(axis=0)
    at = np.arange(len(rows))
    return np.stack(lists)[best, at], worths[best, at], best


def _worths(lists: np.ndarray, values: sparse.csr_array) -> np.ndarray:
    """Return what every listed item is worth to its user, float32 [B, K]; ``values`` CSR [B, I], ``lists`` [B, K]."""
    if not lists.size:
        return np.zeros(lists.shape, np.float32)
    rows = np.repeat(np.arange(len(lists)), lists.shape[1])
    found = np.asarray(values[rows, np.maximum(lists, 0).ravel()], np.float32).reshape(lists.shape)
    return np.where(lists >= 0, found, 0)
