"""What is popular lately: rows that count less the older they are, for everybody or for a group."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import sparse

from grouprec.core.types import GroupLists, Groups
from grouprec.data.dataset import Interactions
from grouprec.ranking.group_lists import lists_from_scores, member_matrix

DAY = 86_400.0
YEAR = 364 * DAY  # whole weeks, so that weekdays match
SHRINKAGE = 0.5  # of a group's recent popularity, towards everybody's
HOUR = 1 / 24
LADDER = (HOUR, 3 * HOUR, 8 * HOUR, 1.0, 3.0, 7.0, 14.0, 28.0, 56.0, 112.0, 224.0, 448.0, 896.0)  # half-lives, days
RUNGS_BETWEEN = (2 * HOUR, 5 * HOUR, 16 * HOUR, 2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0)
CERTAIN = 3.0  # standard errors by which popularity has to move, that a trend may be tried
EVIDENCE = 150.0  # rows that what is popular lately has to rest on: fifteen for every place of a list
SHORTEST, LONGEST = 1 / 400, 1 / 4  # half-lives worth trying, as shares of the time that the rows span


def half_lives(spanned: float) -> tuple[float, ...]:
    """Return the half-lives to try where rows span so many days, in days, shortest first; never none.

    News of a week age within hours and films within years, so what is tried follows the data: a year gets 1 to 56 days.
    """
    spanned = min(max(spanned, LADDER[0] / LONGEST), LADDER[-1] / SHORTEST)
    return tuple(days for days in LADDER if SHORTEST * spanned <= days <= LONGEST * spanned)


def half_lives_of(parts: Iterable[Interactions]) -> tuple[float, ...]:
    """Return the half-lives to try on all of these rows, such as those of folds; () where they have no times.

    None that all of them have too few rows for; the longest where they have too few for any.
    """
    timed = [part for part in parts if part.times is not None]
    if not timed:
        return ()
    tried = half_lives(max(days_spanned(part) for part in timed))
    return tuple(days for days in tried if has_evidence(timed, days)) or tried[-1:]


def has_evidence(parts: Sequence[Interactions], half_life: float) -> bool:
    """Whether one of the parts has rows enough to say what is popular with that half-life.

    With fewer, the ten items that were taken last are the list, and windows with few users choose it by luck.
    """
    return any(decay(part, half_life).sum() >= EVIDENCE for part in parts)


def beside(half_life: float) -> list[float]:
    """Return a half-life and those between it and its neighbours on the ladder, in days, shortest first."""
    rungs = sorted(LADDER + RUNGS_BETWEEN)
    at = rungs.index(half_life)
    return rungs[max(at - 1, 0) : at + 2]


def days_spanned(part: Interactions) -> float:
    """Return the days between an early and a late row (the first and last of a hundred); 0 without rows or times."""
    if part.times is None or not len(part):
        return 0.0
    first, last = np.quantile(part.times, (0.01, 0.99))
    return float(last - first) / DAY


def decay(part: Interactions, half_life: float) -> np.ndarray:
    """Return what every row counts, float64 [n]: 1 at the latest time, half every ``half_life`` days before."""
    assert part.times is not None
    return np.exp2((part.times - part.times.max(initial=-np.inf)) / (half_life * DAY))


def moves(part: Interactions, n_items: int, half_life: float) -> bool:
    """Whether what is popular lately differs from what is over all time by more than chance would make it.

    The sum of the items' squared differences, against what draws of the same rows at other times give (variance of a
    weighted count). No held-out user is asked: where few are, the best of thirty trends on them is mostly the luckiest.
    """
    weights, rows = decay(part, half_life), part.item_rows
    if not len(rows):
        return False
    counts, off = np.bincount(rows, minlength=n_items), weights - weights.mean()
    squared = np.square(np.bincount(rows, off, minlength=n_items))
    by_chance = counts * np.mean(np.square(off))
    error = np.sqrt((2 * np.square(by_chance) + counts * np.mean(off**4)).sum())
    return bool((squared - by_chance).sum() > CERTAIN * error)


def recent_popularity(part: Interactions, n_items: int, half_life: float) -> np.ndarray:
    """Return the share of the decayed rows that every item has, float64 [I]."""
    counted = np.bincount(part.item_rows, decay(part, half_life), minlength=n_items)
    return counted / max(counted.sum(), 1e-12)


def year_before(part: Interactions) -> float:
    """Return the moment a year before the latest row, in seconds."""
    assert part.times is not None
    return float(part.times.max(initial=-np.inf)) - YEAR


def seasonal_popularity(part: Interactions, n_items: int, length: float) -> np.ndarray | None:
    """Return every item's share of the rows a year ago, in what came next then: float64 [I].

    Args:
        length: seconds that are asked for from now on.
    Returns:
        None where the rows do not reach so far back.
    """
    assert part.times is not None
    begin = year_before(part)
    inside = (part.times >= begin) & (part.times < begin + length)
    if not len(part) or part.times.min() > begin or not inside.any():
        return None
    counted = np.bincount(part.item_rows[inside], minlength=n_items)
    return counted / counted.sum()


def one_list(scores: np.ndarray, seed: int) -> GroupLists:
    """Return the one list for all that some scores of the items give, float [I]; G = 1."""
    row = scores[None].astype(np.float32)
    return lists_from_scores(row, row, seed)


def for_every_group(lists: GroupLists, n_groups: int) -> GroupLists:
    """Return the lists of one group as the lists of so many."""
    parts = (lists.strict, lists.strict_scores, lists.ranking, lists.ranking_scores)
    return GroupLists(*(np.repeat(part[:1], n_groups, axis=0) for part in parts))


def group_recent(part: Interactions, shape: tuple[int, int], groups: Groups, half_life: float, seed: int) -> GroupLists:
    """Return what is popular lately in every group, drawn half-way to what is with everybody.

    Args:
        part: rows of the users of ``groups``.
        shape: U, I.
    """
    counts = sparse.csr_array((decay(part, half_life), (part.user_rows, part.item_rows)), shape=shape)
    own = (member_matrix(groups) @ counts).toarray()
    own /= np.maximum(own.sum(axis=1, keepdims=True), 1e-12)
    everybody = recent_popularity(part, shape[1], half_life)
    scores = ((1 - SHRINKAGE) * own + SHRINKAGE * everybody).astype(np.float32)
    return lists_from_scores(scores, scores, seed)
