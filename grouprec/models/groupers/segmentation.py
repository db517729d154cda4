"""Catalogue segmentation: groups of users and their lists, made for one another.

Kleinberg, Papadimitriou and Raghavan ("Segmentation problems", J.ACM 2004): given a budget of lists, choose the lists
and who gets which, so that the users are served best. Two steps alternate until neither helps: every group gets the
list that serves its members best, and every user moves to the group whose list serves them best.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

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
FIRST_ROUNDS = 1  # that every start gets before the promising ones are told
PROMISING = 3  # one of so many starts goes on
TOLERANCE = 1e-4  # smallest relative gain of a round that is worth another


_Round = tuple[np.ndarray, np.ndarray, np.ndarray]  # groups, their lists, and what every list is worth to every user


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


class Search:
    """Alternates between lists and groups, from the groups given, as many rounds at a time as are asked for.

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

    def __init__(
        self,
        values: sparse.csr_array,
        histories: sparse.csr_array,
        start: np.ndarray,
        regime: Regime,
        min_group_size: int = 1,
        by_item: tuple[sparse.csr_array, sparse.csr_array] | None = None,
    ) -> None:
        self._matrices, self._min_group_size = (values, histories), min_group_size
        self._regime: Regime = regime
        self._by_item = by_item or (values.T.tocsr(), histories.T.tocsr())
        labels = np.unique(start, return_inverse=True)[1]
        self._best = self._with_lists(labels)
        if np.bincount(labels).min() < min_group_size:
            self._best = self._next()
        self._history = [self._value(self._best)]
        self._converged = False

    @property
    def value(self) -> float:
        """Mean worth of the users' lists."""
        return self._history[-1]

    def advance(self, rounds: int) -> Self:
        """Take so many rounds, or fewer where one gains nothing."""
        for _ in range(0 if self._converged else rounds):
            tried = self._next()
            value = self._value(tried)
            if value <= self.value * (1 + TOLERANCE):
                self._converged = True
                break
            self._history.append(value)
            self._best = tried
        return self

    def result(self) -> Segmentation:
        labels, rankings, _ = self._best
        order = largest_first(np.bincount(labels))
        labels = np.argsort(order)[labels].astype(np.int32)
        return Segmentation(labels, rankings[order], list(self._history), self._converged)

    def _next(self) -> _Round:
        """Return the groups that users choose by the lists of now, with the lists of those groups."""
        labels, _, served = self._best
        return self._with_lists(_choose(served, labels, self._min_group_size))

    def _with_lists(self, labels: np.ndarray) -> _Round:
        rankings = _rankings(*self._matrices, labels, self._regime)
        return labels, rankings, list_worth(*self._by_item, rankings, self._regime)

    @staticmethod
    def _value(taken: _Round) -> float:
        labels, _, served = taken
        return float(served[np.arange(len(labels)), labels].mean(dtype=np.float64))


def segment(
    values: sparse.csr_array,
    histories: sparse.csr_array,
    start: np.ndarray,
    regime: Regime,
    min_group_size: int = 1,
    max_rounds: int = 30,
) -> Segmentation:
    """Alternate between lists and groups until nothing is gained; arguments as in :class:`Search`."""
    return Search(values, histories, start, regime, min_group_size).advance(max_rounds).result()


def best_of_starts(
    searches: Iterable[Search], n_starts: int, max_rounds: int, report: Callable[[float, Segmentation], None]
) -> Segmentation:
    """Return the most valuable of several searches; only the promising third is followed to its end.

    What a search is worth after one round tells nearly what it will be worth: following a third costs .50 to .67 of
    following all, and the best that is found loses .04 % of its value (docs/log.md).

    Args:
        searches: from different starts; made one at a time, so that no more than a third are held.
        report: told the share of the work that is done, and the best so far.
    """
    kept = -(-n_starts // PROMISING)
    promising: list[Search] = []
    for n, search in enumerate(searches, start=1):
        promising.append(search.advance(min(FIRST_ROUNDS, max_rounds)))
        promising = sorted(promising, key=lambda one: -one.value)[:kept]
        report(n / (n_starts + kept), promising[0].result())
    for n, search in enumerate(promising, start=1):
        search.advance(max_rounds - min(FIRST_ROUNDS, max_rounds))
        best = max(promising[:n], key=lambda one: one.value).result()
        report((n_starts + n) / (n_starts + kept), best)
    return max(promising, key=lambda one: one.value).result()


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
