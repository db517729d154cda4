"""A group's list remade on the spot from what its members are predicted to want, and what that costs. Nothing trains.

The same rules as in training (:mod:`grouprec.ranking.strategies`), on the candidates that the run kept. Rows are those
of the run's :class:`~grouprec.runs.snapshot.FitSnapshot`, groups are sets of user rows, so groups made after training
work as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.arrays import largest_first
from grouprec.core.types import Candidates, Groups, Regime
from grouprec.ranking import metrics
from grouprec.ranking.candidates import discounts
from grouprec.ranking.group_lists import LENGTH, RANKING_DEPTH, STRICT_DEPTH, worth_of_candidates
from grouprec.ranking.rules import drop_excluded
from grouprec.ranking.strategies import get_strategy
from grouprec.ranking.takes import ExpectedTakes, Predictions, mean_chances
from grouprec.ranking.task import Task, dedup_lists, nothing, shared_lists
from grouprec.ranking.variety import diversify, item_cosines
from grouprec.runs.snapshot import FitSnapshot

DEPTH = {"strict": STRICT_DEPTH, "dedup": RANKING_DEPTH}
REACH_DEPTH = 50  # an item reaches the members who have it among their own best so many, as in training
SERVED_DEPTH = 10  # a list serves the members who find one of their own best so many on it
CHANCES, PLACES = "chances", "places"  # their names among the counts of a base
AS_TRAINED = ""  # in place of a strategy: the list that the run made


@dataclass(frozen=True)
class Wishes:
    """How a list is to be made: the name of a strategy or AS_TRAINED, the diversity dial in 0..1, rows left out."""

    strategy: str = AS_TRAINED
    dial: float = 0.0
    excluded: frozenset[int] = frozenset()

    @property
    def none(self) -> bool:
        """Whether the list stays the one that the run made."""
        return self == Wishes()


@dataclass(frozen=True)
class Price:
    """What a list is worth to a group.

    Attributes:
        value: summed worth of the items to the members, discounted by place; comparable within a group only.
        reached: share of members with at least one of their own best ten among the items, in 0..1.
        diversity: 1 minus the mean cosine of two items, as sets of the users who have them, in 0..1.
        taken: how many items the members should take together within the run's horizon; None where the run does not
            say how its chances come true.
    """

    value: float
    reached: float
    diversity: float
    taken: float | None


@dataclass(frozen=True, eq=False)
class ListMembers:
    """A group and what its members are predicted to want.

    Attributes:
        base: what the run knows of its users.
        rows: int [M], the members.
        takes: how the run's chances come true; None in older runs, and where too little happened to tell.
    """

    base: FitSnapshot
    rows: np.ndarray
    takes: ExpectedTakes | None = None

    @cached_property
    def candidates(self) -> Candidates:
        return self.base.candidates.take(self.rows)

    @cached_property
    def histories(self) -> sparse.csr_array:
        """Return what the members have, CSR [M, I]."""
        return sparse.csr_array(self.base.histories[self.rows])

    @cached_property
    def wanted(self) -> np.ndarray:
        """Return the sum of the members' chances of every item, float64 [I]: an order, no number of takes."""
        return self._summed(self.candidates.scores)

    def takers(self, items: np.ndarray) -> np.ndarray | None:
        """Return how many members should take every one of some items, float64 [K]; None where that is not known."""
        sure = self._probabilities(items)
        return None if sure is None else sure.sum(axis=0)

    def _probabilities(self, items: np.ndarray) -> np.ndarray | None:
        """Return the probability that a member takes an item within the run's horizon, float64 [M, K]."""
        if self.takes is None:
            return None
        base = self.base
        activity = np.diff(base.histories.indptr)[self.rows]
        now = float(base.last_times.max(initial=-np.inf))
        predicted = Predictions.of(self.candidates, _wanted(base), activity, base.last_times[self.rows], now)
        sure = self.takes.probabilities(predicted.of_lists(np.tile(items, (len(self.rows), 1))))
        return sure if base.repeats else sure * (self.histories[:, items].toarray() == 0)

    @cached_property
    def reach(self) -> np.ndarray:
        """Return the share of members who have an item among their own best 50, float64 [I]."""
        best = np.zeros(self.candidates.items.shape, np.float32)
        best[:, :REACH_DEPTH] = 1
        return self._summed(best) / max(len(self.rows), 1)

    @cached_property
    def owned(self) -> np.ndarray:
        """Return the share of members who have an item, float64 [I]."""
        return np.bincount(self.histories.indices, minlength=self.candidates.n_items) / max(len(self.rows), 1)

    def _summed(self, values: np.ndarray) -> np.ndarray:
        places = self.candidates.items.ravel() + 1  # the first is for places without an item
        return np.bincount(places, values.ravel(), self.candidates.n_items + 1)[1:]

    def remake(self, trained: np.ndarray, wishes: Wishes, regime: Regime, n: int) -> np.ndarray:
        """Return the list as wished, int32 [<= n], best first.

        Args:
            trained: int [K], the list that the run made; what is left out of it closes up.
        """
        items = trained[~np.isin(trained, list(wishes.excluded))]
        if wishes.strategy != AS_TRAINED:
            items = self._by_strategy(wishes, DEPTH[regime])
        return (self._varied(items, wishes.dial) if wishes.dial else items)[:n].astype(np.int32)

    def _by_strategy(self, wishes: Wishes, depth: int) -> np.ndarray:
        groups = Groups(np.zeros(len(self.rows), np.int32), 1)
        excluded = np.zeros(self.candidates.n_items, bool)
        excluded[list(wishes.excluded)] = True
        if self.base.excluded is not None:
            excluded |= self.base.excluded[np.unique(self.base.labels[self.rows])].any(axis=0)
        allowed = self.candidates
        if excluded.any():
            nowhere = sparse.csr_array((1, self.candidates.n_items), dtype=bool)
            allowed = drop_excluded(self.candidates, groups, excluded, nowhere)
        items, _ = get_strategy(wishes.strategy).rank(allowed, groups, depth, self.base.seed)
        return items[items >= 0]

    def _varied(self, items: np.ndarray, dial: float) -> np.ndarray:
        """Return the items in another order: those first that are unlike what stands above them.

        Alike are items with the same users, as :class:`Price` counts it. In the space that training diversifies in,
        few items of a list are near to one another, so most of the dial would do nothing. Relevance is the place: the
        scores of strategies have many units.
        """
        alike = item_cosines(self.base.histories, items)
        vectors = np.linalg.cholesky(alike + 1e-6 * np.eye(len(items)))  # whose products are these cosines
        places = np.arange(len(items), dtype=np.int32)
        order, _ = diversify(places[None], -places[None].astype(np.float32), vectors, len(items), dial)
        return items[order[0]]

    def price(self, items: np.ndarray, regime: Regime, n: int = LENGTH) -> Price:
        """Return what the first ``n`` items are worth; ``dedup``: the first ``n`` that a member does not have."""
        worth, best = (self._of_items(values, items) for values in (self._worth, self._best))  # [M, K] each
        place = np.tile(np.arange(len(items)), (len(self.rows), 1))
        if regime == "dedup" and not self.base.repeats:
            lack = self.histories[:, items].toarray() == 0
            place = np.where(lack, lack.cumsum(axis=1) - 1, n)
        shown = place < n
        discount = np.append(discounts(n), 0)[np.minimum(place, n)]
        seen = shown.any(axis=0)
        sure = self._probabilities(items[seen])
        return Price(
            float((worth * discount).sum()),
            float((best * shown).any(axis=1).mean()) if len(self.rows) else 0.0,
            float(metrics.intra_list_diversity(items[None, :n], self.base.histories, n)[0]),
            None if sure is None else float((sure * shown[:, seen]).sum()),
        )

    @cached_property
    def _worth(self) -> np.ndarray:
        return worth_of_candidates(self.candidates)

    @cached_property
    def _best(self) -> np.ndarray:
        best = np.zeros(self.candidates.items.shape, np.float32)
        best[:, :SERVED_DEPTH] = 1
        return best

    def _of_items(self, values: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Return what stands beside the candidates for some items, float32 [M, K]; 0 where they are no candidates."""
        place = np.full(self.candidates.n_items + 1, -1)
        place[items] = np.arange(len(items))
        column = place[self.candidates.items]  # -1, no item, reads the last place, which is -1 too
        row, at = np.nonzero(column >= 0)
        table = np.zeros((len(self.rows), len(items)), np.float32)
        table[row, column[row, at]] = values[row, at]
        return table

    def measured(self, items: np.ndarray, regime: Regime, held_out: sparse.csr_array) -> np.ndarray | None:
        """Return what members took of the list in the held-out part, nDCG@10 by member, float64 [T]; None of nobody.

        Args:
            held_out: bool CSR [U, I], what users took then, without what does not count.
        """
        relevant = sparse.csr_array(held_out[self.rows])
        seen = nothing(relevant.shape) if self.base.repeats else self.histories
        judged = np.flatnonzero(np.diff(relevant.indptr)).astype(np.int32)
        if not len(judged):
            return None
        task = Task(seen, relevant, judged, self.histories)
        labels = np.zeros(len(self.rows), np.int32)
        make = shared_lists if regime == "strict" else dedup_lists
        lists = make(items[None].astype(np.int32), labels, task, LENGTH)
        judged_relevant = sparse.csr_array(relevant[judged])
        return metrics.ndcg(metrics.hit_matrix(lists, judged_relevant), task.n_relevant, LENGTH)


def count_items(base: FitSnapshot) -> dict[str, np.ndarray]:
    """Return what pages ask of all users about every item, to be written beside a base."""
    return {CHANCES: _wanted(base), PLACES: list_for_all(base)}


@lru_cache(maxsize=4)
def _wanted(base: FitSnapshot) -> np.ndarray:
    """Return every item's mean chance over all users, float64 [I]; counted once for a base, or read with it."""
    kept = base.counts.get(CHANCES)
    return mean_chances(base.candidates) if kept is None else kept


def held_out_matrix(base: FitSnapshot, held_out: pd.DataFrame) -> sparse.csr_array:
    """Return what users took in the held-out part, float32 CSR [U, I]: what is new to them, unless repeats count.

    Args:
        held_out: columns user and item, ids; users and items that the base does not know are left out.
    """
    users = pd.Index(base.user_ids).get_indexer(pd.Index(held_out["user"]))
    items = pd.Index(base.item_ids).get_indexer(pd.Index(held_out["item"]))
    known = (users >= 0) & (items >= 0)
    users, items = users[known], items[known]
    if not base.repeats:
        new = ~metrics.has(base.histories, users, items)
        users, items = users[new], items[new]
    taken = sparse.csr_array((np.ones(len(users), np.float32), (users, items)), shape=base.histories.shape)
    taken.sum_duplicates()
    taken.data[:] = 1
    return taken


def list_for_all(base: FitSnapshot) -> np.ndarray:
    """Return the place of every item on one list for everybody, int [I] from 1; 0 for what nobody is to get."""
    if PLACES in base.counts:
        return base.counts[PLACES]
    candidates = base.candidates
    known = candidates.items >= 0
    worth = np.bincount(candidates.items[known], worth_of_candidates(candidates)[known], minlength=candidates.n_items)
    order = largest_first(worth)
    places = np.zeros(candidates.n_items, np.int64)
    places[order] = np.arange(1, candidates.n_items + 1)
    return np.where(worth > 0, places, 0)
