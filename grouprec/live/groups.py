"""The members' sums of every group while users change, and the lists that they make."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from grouprec.core.arrays import empty_csr
from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Candidates, GroupLists, Groups, Regime
from grouprec.live.rows import add_worth, best_of_pool
from grouprec.live.users import LiveUsers
from grouprec.ranking.group_lists import members_mean, without
from grouprec.runs.snapshot import FitSnapshot

SUMS, OWNERS = "sums", "owners"  # their names among the counts of a base
MOST_KEPT = 1 << 23  # sums and owners of groups by items that are written: 100 MB, else they are counted again
LEAST = 1e-6  # the most that popularity counts for in a list: less than any worth that matters


def count_groups(base: FitSnapshot) -> dict[str, np.ndarray]:
    """Return the sums and owners of all groups before the first event, to be written beside a base; {} of too many."""
    if base.n_groups * len(base.item_ids) > MOST_KEPT:
        return {}
    users = LiveUsers(base, np.zeros(base.states.shape[1], np.float32))
    groups = LiveGroups(base, users)
    return {SUMS: groups.sums, OWNERS: groups.owners.astype(np.int32)}


class LiveGroups:
    """What the members of every group want and have.

    Attributes:
        sums: float64 [G, I], the worth of the items to the members (:func:`~grouprec.ranking.group_lists.worth`).
        owners: int64 [G, I], members who have the item.
        popularity: int64 [I], users who have the item.
        sizes: int64 [G], members.
        factors: float32 [G, I], what was said of an item on behalf of a group; 0 for hidden or excluded.
        excluded: bool [I], what rules keep from all groups.
    """

    def __init__(self, base: FitSnapshot, users: LiveUsers) -> None:
        self._base = base
        self._n_items = len(base.item_ids)
        self.factors = self.first_factors()
        self.excluded = (self.factors == 0).all(axis=0)
        tie = np.random.default_rng(base.seed).permutation(self._n_items)  # as in `preference.rank_top`
        self._tie = np.empty(self._n_items, np.int64)
        self._tie[tie] = np.arange(self._n_items)
        self.count(users)

    def first_factors(self) -> np.ndarray:
        """Return the factors before any judgement: 0 for what rules keep from a group, else 1."""
        excluded = False if self._base.excluded is None else self._base.excluded
        return np.where(excluded, 0, np.ones((self._base.n_groups, self._n_items))).astype(np.float32)

    def judge(self, group: int, item: int, factor: float) -> None:
        """Set the factor of an item; what rules keep from the group stays at 0."""
        excluded = self._base.excluded
        self.factors[group, item] = 0 if excluded is not None and excluded[group, item] else factor

    def count(self, users: LiveUsers) -> None:
        """Count everything from nothing, or read it where nobody has changed since it was written."""
        kept = self._base.counts
        if users.untouched and SUMS in kept:
            self.sums, self.owners = kept[SUMS].copy(), kept[OWNERS].astype(np.int64)
        else:
            self.sums, self.owners = self._totals(users)
        self.popularity = self.owners.sum(axis=0)
        self.sizes = np.bincount(users.labels, minlength=self._base.n_groups)

    def _totals(self, users: LiveUsers) -> tuple[np.ndarray, np.ndarray]:
        n_groups, n_items, labels = self._base.n_groups, self._n_items, users.labels
        sums, size = np.zeros((n_groups, n_items)), rows_per_batch(users.items.shape[1])
        for start in range(0, len(labels), size):
            rows = np.arange(start, min(start + size, len(labels)))
            add_worth(sums, labels[rows], *users.current(rows))
        histories = users.histories(n_items)
        cells = np.repeat(labels.astype(np.int64), np.diff(histories.indptr)) * n_items + histories.indices
        owners = np.bincount(cells, minlength=n_groups * n_items)
        return sums, owners.reshape(n_groups, n_items)

    def difference(self, users: LiveUsers) -> float:
        """Return the largest difference of sums and owners from a recount, relative to the largest of each."""
        pairs = zip((self.sums, self.owners), self._totals(users), strict=True)
        return max(float(np.abs(held - true).max() / max(true.max(), LEAST)) for held, true in pairs)

    def join(self, label: int, items: np.ndarray, scores: np.ndarray, owned: np.ndarray) -> None:
        """Count a new member, who has candidates [N] and owns items, int [n]."""
        self.sizes[label] += 1
        add_worth(self.sums, np.array([label]), items[None], scores[None])
        self.take(np.full(len(owned), label), owned)

    def take(self, labels: np.ndarray, items: np.ndarray) -> None:
        """Count members, int [B], who take an item that they did not have, int [B]."""
        known = items < self._n_items
        np.add.at(self.owners, (labels[known], items[known]), 1)
        np.add.at(self.popularity, items[known], 1)

    def move(
        self, before: np.ndarray, old: Candidates, after: np.ndarray, new: Candidates, histories: sparse.csr_array
    ) -> None:
        """Count members [B] with what they want and have in the groups that they belong to now, instead of before."""
        labels = np.concatenate([before, after])
        items, scores = np.concatenate([old.items, new.items]), np.concatenate([old.scores, new.scores])
        add_worth(self.sums, labels, items, scores, np.repeat([-1.0, 1.0], len(before))[:, None])
        if (before != after).any():
            np.subtract.at(self.sizes, before, 1)
            np.add.at(self.sizes, after, 1)
            rows = np.repeat(np.arange(len(before)), np.diff(histories.indptr))
            np.subtract.at(self.owners, (before[rows], histories.indices), 1)
            np.add.at(self.owners, (after[rows], histories.indices), 1)

    def everybody(self, depth: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the items that all users want most, as :meth:`best` does, with the mean of those who lack them."""
        lacking = self.sizes.sum() - (0 if self._base.repeats else self.popularity)
        return self._top(self.sums.sum(axis=0) / np.maximum(lacking, 1), self.excluded, depth)

    def best(self, group: int, regime: Regime, depth: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a group's list, items int32 and scores float32; fewer than ``depth`` where there are no more.

        Strict: the sum of the members' worth. Ranking: its mean over the members who lack the item. Items that nobody
        wants follow by popularity. The same as :func:`~grouprec.ranking.group_lists.members_mean` for the strict list,
        and as :func:`~grouprec.ranking.candidates.rank_top` for ties, in a tenth of the time.
        """
        factors, repeats = self.factors[group], self._base.repeats
        wanted = self.sums[group] * factors
        if regime == "dedup":
            wanted = wanted / np.maximum(self.sizes[group] - (0 if repeats else self.owners[group]), 1)
        return self._top(wanted, factors == 0, depth)

    def _top(self, wanted: np.ndarray, excluded: np.ndarray, depth: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the best items by a value [I], filled up by popularity where too few are wanted."""
        scores, place = wanted.astype(np.float32), max(self._n_items - depth, 0)
        scores[excluded] = -np.inf
        cut = np.partition(scores, place)[place]
        if cut <= 0 and not self._base.repeats:
            popularity = LEAST * self.popularity / max(int(self.sizes.sum()), 1)
            scores = np.where(wanted > 0, wanted, popularity).astype(np.float32)
            scores[excluded] = -np.inf
            cut = np.partition(scores, place)[place]
        items = np.flatnonzero(scores >= cut)
        items = items[scores[items] > -np.inf]
        items = items[np.lexsort((self._tie[items], -scores[items]))[:depth]]
        return items.astype(np.int32), scores[items]

    def lists(self, users: LiveUsers) -> GroupLists:
        """Return the lists of all groups, made in full."""
        base, shape = self._base, (len(users), self._n_items)
        groups = Groups(users.labels, base.n_groups)
        histories = empty_csr(shape) if base.repeats else users.histories(self._n_items)
        lists = members_mean(self._judged(users), groups, histories, base.seed)
        return without(lists, self.factors == 0) if (self.factors == 0).any() else lists

    def _judged(self, users: LiveUsers) -> Candidates:
        """Return everybody's candidates with the factors of their groups multiplied in."""
        candidates = users.candidates()
        if (self.factors == 1).all():
            return candidates
        items, scores = candidates.items, candidates.scores
        factors = self.factors[users.labels[:, None], np.maximum(items, 0)]
        rows = np.flatnonzero(((factors != 1) & (items >= 0)).any(axis=1))
        items[rows], scores[rows] = best_of_pool(items[rows], scores[rows] * factors[rows], items.shape[1])
        return candidates
