"""Catalogue segmentation: groups of users and their lists, made for one another.

Kleinberg, Papadimitriou and Raghavan ("Segmentation problems", J.ACM 2004): given a budget of lists, choose the lists
and who gets which, so that the users are served best. Two steps alternate until neither helps: every group gets the
list that serves its members best, and every user moves to the group whose list serves them best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from grouprec.core.arrays import entries_of, largest_first
from grouprec.core.types import Groups
from grouprec.models.base import Regime
from grouprec.models.threads import one_thread
from grouprec.ranking.candidates import discounts, rank_top
from grouprec.ranking.group_lists import LENGTH, fill_slots, member_matrix

DEPTH = 100  # places of a ranking that users choose their group by, when members skip what they have
TOLERANCE = 1e-4  # smallest relative gain of a round that is worth another


@dataclass(frozen=True, eq=False)
class Segmentation:
    """What the alternation found.

    Attributes:
        labels: int32 [U], groups numbered by size, the largest first.
        rankings: int32 [G, R], the items of every group, best first, -1 at the end; R is 10 in the strict regime.
        values: mean worth of the users' lists after every round; the last is that of ``labels`` and ``rankings``.
        converged: the last round gained nothing; else the rounds ran out.
    """

    labels: np.ndarray
    rankings: np.ndarray
    values: list[float]
    converged: bool

    @property
    def value(self) -> float:
        return self.values[-1]


def segment(
    values: sparse.csr_array,
    histories: sparse.csr_array,
    start: np.ndarray,
    regime: Regime,
    min_group_size: int = 1,
    max_rounds: int = 30,
    by_item: tuple[sparse.csr_array, sparse.csr_array] | None = None,
) -> Segmentation:
    """Alternate between lists and groups, from the groups given.

    The value never falls: a round that would lower it (the ranking rule is a heuristic, and groups below the smallest
    size are dissolved) ends the search and is not taken.

    Args:
        values: what every item is worth to every user, CSR [U, I], >= 0 (:func:`~grouprec.ranking.group_lists.worth`).
        histories: CSR [U, I], what users have.
        start: int [U], any groups; if one of them is too small, the first round is taken in any case.
        regime: strict (ten items for all) or dedup (everybody skips what they have).
        min_group_size: members of smaller groups move to the next best group.
        by_item: values and histories transposed, CSR [I, U], where several searches share them.
    """
    by_item = by_item or (values.T.tocsr(), histories.T.tocsr())

    def lists_of(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return every group's list, and what it is worth to every user."""
        rankings = _rankings(values, histories, labels, regime)
        return rankings, list_worth(*by_item, rankings, regime)

    labels = np.unique(start, return_inverse=True)[1]
    rankings, served = lists_of(labels)
    if np.bincount(labels).min() < min_group_size:
        labels = _choose(served, labels, min_group_size)
        rankings, served = lists_of(labels)
    best = labels, rankings, served
    history = [_mean_value(served, labels)]
    converged = False
    for _ in range(max_rounds):
        labels = _choose(served, labels, min_group_size)
        rankings, served = lists_of(labels)
        value = _mean_value(served, labels)
        if value <= history[-1] * (1 + TOLERANCE):
            converged = True
            break
        history.append(value)
        best = labels, rankings, served
    labels, rankings, served = best
    order = largest_first(np.bincount(labels))
    return Segmentation(np.argsort(order)[labels].astype(np.int32), rankings[order], history, converged)


def list_worth(
    values: sparse.csr_array, histories: sparse.csr_array, rankings: np.ndarray, regime: Regime
) -> np.ndarray:
    """Return what every group's list is worth to every user, float32 [U, G].

    Strict: the sum of the worth of its items, unlisted and owned ones count 0. Dedup: the discounted sum over the
    first ten that the user lacks.

    Args:
        values: worth by item, CSR [I, U]: a list reads a few rows of it.
        histories: what users have, also by item, CSR [I, U].
    """
    _, n_users = values.shape
    out = np.empty((len(rankings), n_users))
    weights = np.append(discounts(LENGTH), 0)
    for group, ranking in enumerate(rankings):
        items = ranking[ranking >= 0]
        places, users, gains = entries_of(values, items)
        if regime == "dedup":
            skipped = _owned_before(histories, items, n_users)[places, users]
            gains = gains * weights[np.minimum(places - skipped, LENGTH)]
        out[group] = np.bincount(users, gains, n_users)
    return np.ascontiguousarray(out.T, dtype=np.float32)


def _owned_before(histories: sparse.csr_array, items: np.ndarray, n_users: int) -> np.ndarray:
    """Return how many of the items listed before a place every user has, up to that place, uint8 [R, U].

    Args:
        histories: by item, CSR [I, U].
        items: int [R]; at most DEPTH, one group at a time: cheaper than looking pairs up.
    """
    places, users, _ = entries_of(histories, items)
    before = np.zeros((len(items), n_users), np.uint8)
    before[places, users] = 1
    for place in range(1, len(items)):  # a row at a time: numpy's cumsum goes down the columns, ten times slower
        before[place] += before[place - 1]
    return before


def starts(space: np.ndarray, n_groups: int, n_starts: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Return groups to start from: k-means of the users' positions, once per seed, int [U] each."""
    n_groups = min(n_groups, len(np.unique(space, axis=0)))
    seeds = rng.integers(2**31, size=n_starts)
    with one_thread():
        return [KMeans(n_groups, n_init=1, random_state=int(seed)).fit_predict(space) for seed in seeds]


def start_space(tastes: sparse.csr_array, histories: sparse.csr_array, size: int, seed: int) -> np.ndarray:
    """Return positions in which users are near who want alike *and* have alike, float32 [U, S].

    For the de-duplicated regime: what members have decides which items of a ranking each of them sees.
    """
    both = sparse.csr_array(normalize(tastes + normalize(histories)))
    size = max(1, min(size, min(both.shape) - 1))
    with np.errstate(invalid="ignore"):  # of users who are all alike the share of variance explained is 0 / 0
        return TruncatedSVD(size, random_state=seed).fit_transform(both).astype(np.float32)


def _rankings(values: sparse.csr_array, histories: sparse.csr_array, labels: np.ndarray, regime: Regime) -> np.ndarray:
    """Return the best list of every group, int32 [G, R]; every group has members."""
    groups = Groups(labels, int(labels.max()) + 1)
    if regime == "dedup":
        return fill_slots(values, histories, groups, DEPTH)
    wanted = (member_matrix(groups) @ values).toarray()
    return rank_top(np.where(wanted > 0, wanted, -np.inf).astype(np.float32), LENGTH, 0)[0]


def _choose(served: np.ndarray, labels: np.ndarray, min_group_size: int) -> np.ndarray:
    """Return the best group of every user, numbered without gaps; small groups are dissolved, smallest first.

    A user whom no list serves better than their own group's stays.
    """
    served = served.copy()
    while True:
        chosen = served.argmax(axis=1)
        rows = np.arange(len(labels))
        chosen = np.where(served[rows, labels] >= served[rows, chosen], labels, chosen)
        sizes = np.bincount(chosen, minlength=served.shape[1])
        small = np.flatnonzero((sizes > 0) & (sizes < min_group_size))
        if not len(small) or (sizes > 0).sum() == 1:
            return np.unique(chosen, return_inverse=True)[1]
        smallest = small[sizes[small].argmin()]
        served[:, smallest] = -np.inf


def _mean_value(served: np.ndarray, labels: np.ndarray) -> float:
    return float(served[np.arange(len(labels)), labels].mean(dtype=np.float64))
