"""Groups formed for their lists: everybody is where the list serves them best."""

from __future__ import annotations

from functools import lru_cache
from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from grouprec.core.arrays import largest_first
from grouprec.core.types import REGIMES, Candidates, Groups, Preference
from grouprec.data.dataset import Dataset
from grouprec.models.base import Grouper, Regime, StageConfig, groupers, setting
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.centres import check_n_groups
from grouprec.models.groupers.segmentation import (
    Search,
    Segmentation,
    best_of_starts,
    list_worth,
    start_space,
    starts,
)
from grouprec.ranking.candidates import discounts, taste
from grouprec.ranking.group_lists import LENGTH, worth, worth_of_candidates

FEW = 32  # users up to which lists are judged user by user


@groupers.register(
    "lists",
    title="Lists first: groups made for the lists they get",
    cite="Kleinberg, Papadimitriou and Raghavan 2004, Segmentation problems (J.ACM 51)",
    explained="so that a few lists serve everybody as well as possible (catalogue segmentation)",
)
class ListsGrouper(Grouper):
    """Catalogue segmentation on predicted preferences, in the regime that the groups are for.

    Lists and groups are made for one another in turn (:class:`~grouprec.models.groupers.segmentation.Search`), from
    several k-means starts; the promising ones are followed and the one with the most valuable lists is kept. A user
    not seen in training goes to the group whose list serves them best, by the same measure.
    Departures from the paper: the utility of a list is what the encoders predict for its ten items, scaled to what a
    list of the user's own would be worth; where members skip what they have, a group's list is a ranking filled
    greedily (:func:`~grouprec.ranking.group_lists.fill_slots`), for which no approximation bound is known; groups have
    a smallest size; beyond ``sample_users`` users the lists are made from a sample and everybody is then placed.

    Attributes:
        rounds: rounds of the start that was kept.
        converged: it ended because a round gained nothing.
    """

    per_user = ("labels",)

    class Config(StageConfig):
        n_starts: int = setting(
            10,
            ge=1,
            le=200,
            description="Number of k-means starts; the one with the most valuable lists is kept",
            quick=3,
            thorough=40,
        )
        max_rounds: int = Field(30, ge=1, le=1000, description="Most rounds of lists and groups in turn per start")
        min_group_size: int = Field(
            5, ge=1, le=10_000, description="Smallest group in users; members of a smaller one move to the next best"
        )
        sample_users: int = Field(
            20_000, ge=100, le=10_000_000, description="Most users that lists are made from; the others are placed"
        )

    config: Config
    _regime: Regime

    def fit(
        self, data: Dataset, preference: Preference, n_groups: int, run: RunOptions, regime: Regime = "strict"
    ) -> Self:
        """Form the groups; fewer than ``n_groups`` where users coincide or groups stay too small.

        Raises:
            SettingError: ``n_groups`` is below 1 or above the number of users.
        """
        check_n_groups(n_groups, data.n_users)
        rng, self._regime = run.rng("lists"), regime
        values, histories, by_item, space = _material(data, preference, regime, self.config.sample_users, run.seed)
        n_users = len(space)
        size = min(self.config.min_group_size, max(1, n_users // n_groups))

        def report(share: float, best: Segmentation) -> None:
            shown = {"list value": best.value, "rounds": float(len(best.values)), "converged": float(best.converged)}
            run.on_progress(share, shown)

        begun = starts(space, n_groups, self.config.n_starts, rng)
        searches = (Search(values, histories, start, regime, size, by_item) for start in begun)
        best = best_of_starts(searches, len(begun), self.config.max_rounds, report)
        self.rounds, self.converged, self._rankings = len(best.values), best.converged, best.rankings
        self._labels = best.labels if n_users == data.n_users else self._settle(preference, data.histories)
        return self

    def _settle(self, preference: Preference, histories: sparse.csr_array) -> np.ndarray:
        """Place everybody by lists that a sample made, int32 [U]; the groups are numbered anew by size."""
        labels = self._distances(preference, histories).argmin(axis=1)
        sizes = np.bincount(labels, minlength=len(self._rankings))
        order = largest_first(sizes)[: np.count_nonzero(sizes)]
        self._rankings = self._rankings[order]
        number = np.empty(len(sizes), np.int32)  # nobody is where none is
        number[order] = np.arange(len(order))
        return number[labels]

    def groups(self) -> Groups:
        return Groups(self._labels, len(self._rankings))

    def distances(self, preference: Preference, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        """Return what the users miss with every group's list, float32 [B, G], 0 for the best list there is.

        In units of the worth of a list of their own. Attributes are not read.
        """
        return self._distances(preference, histories)

    def _distances(self, preference: Preference, histories: sparse.csr_array) -> np.ndarray:
        candidates = preference.candidates
        if candidates.n_users <= FEW:
            served = _worth_to_few(candidates, histories, self._rankings, self._regime)
        else:
            served = list_worth(worth(candidates).T.tocsr(), histories.T.tocsr(), self._rankings, self._regime)
        return served.max(axis=1, keepdims=True) - served

    def arrays(self) -> dict[str, np.ndarray]:
        report = np.array([self.rounds, self.converged, REGIMES.index(self._regime)])
        return {"labels": self._labels, "rankings": self._rankings, "report": report}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._labels, self._rankings = arrays["labels"], arrays["rankings"]
        rounds, converged, regime = arrays["report"].tolist()
        self.rounds, self.converged, self._regime = rounds, bool(converged), REGIMES[regime]
        return self


def _worth_to_few(
    candidates: Candidates, histories: sparse.csr_array, rankings: np.ndarray, regime: Regime
) -> np.ndarray:
    """Return what :func:`~grouprec.models.groupers.segmentation.list_worth` does, float32 [B, G]. ``histories`` CSR
    [B, I].

    A hundred times quicker for one user, who is all that an event needs placed.
    """
    values = np.zeros((candidates.n_users, candidates.n_items + 1), np.float32)  # the last column takes what is no item
    np.put_along_axis(values, candidates.items.astype(np.int64), worth_of_candidates(candidates), axis=1)
    listed, items = rankings >= 0, np.maximum(rankings, 0)
    gains = np.where(listed, values[:, items], 0)  # [B, G, R]
    if regime == "dedup":
        lacking = listed & (histories.toarray()[:, items] == 0)
        slots = lacking.cumsum(axis=2) - lacking  # that items listed before have filled
        gains = gains * np.append(discounts(LENGTH), 0)[np.minimum(slots, LENGTH)]
    return gains.sum(axis=2, dtype=np.float64).astype(np.float32)


@lru_cache(maxsize=3)  # the same for every number of groups and every start: a regime each, and the final fit's
def _material(
    data: Dataset, preference: Preference, regime: Regime, sample_users: int, seed: int
) -> tuple[sparse.csr_array, sparse.csr_array, tuple[sparse.csr_array, sparse.csr_array], np.ndarray]:
    """Return worth and histories of the users that lists are made from, CSR [V, I], both by item, CSR [I, V], and
    positions to start from, float64 [V, S]."""
    rows = np.arange(data.n_users)
    if data.n_users > sample_users:
        rows = np.sort(RunOptions(seed).rng("lists sample").choice(data.n_users, sample_users, replace=False))
    candidates, histories = preference.candidates.take(rows), data.histories[rows]
    space = preference.space[rows]
    if regime == "dedup":
        space = start_space(taste(candidates), histories, space.shape[1], seed)
    values = worth(candidates)
    by_item = values.T.tocsr(), histories.T.tocsr()
    return values, histories, by_item, space.astype(np.float64)  # k-means casts float32 block by block
