"""What a run's virtual members can tell: lists and members of a group, of a mixture, of people who like a few items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.arrays import largest_first
from grouprec.core.types import Groups, SettingError
from grouprec.models.alternatives import VirtualGroup
from grouprec.models.base import Generator, Profile
from grouprec.models.fitting import RunOptions
from grouprec.models.personas import mixed, persona, weigh
from grouprec.models.virtual_members import (
    Draw,
    history_lengths,
    history_matrix,
    nearest_history,
    virtual_histories,
    wanted,
)
from grouprec.runs.places import SNAPSHOT
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.stages import load_stage
from grouprec.runs.store import Run, RunStore

VIRTUAL, REAL = 100, 200  # members, at most as many real ones, whose histories are compared with all real ones
FEW = 20  # members; with fewer, virtual members are compared with users of all groups
WANTS = 5  # items that a virtual member is said to want next


@dataclass(frozen=True, eq=False)
class Audience:
    """Whom lists are made for: a group, a mixture of groups, or people who like a few items.

    Attributes:
        mixture: float32 [G], how much of every group they are; sums to 1.
        draw: gives virtual members.
        excluded: bool [I], what may not be listed for them.
    """

    mixture: np.ndarray
    draw: Draw
    excluded: np.ndarray


@dataclass(frozen=True, eq=False)
class VirtualMembers:
    """Virtual members as people read them.

    Attributes:
        has: int32 [n, L], what each would have, likeliest item first, -1 at the end.
        wants: int32 [n, 5], what each would want next, best first, -1 at the end.
        nearest: float64 [n], the Jaccard index of what each would have with the most similar real history.
    """

    has: np.ndarray
    wants: np.ndarray
    nearest: np.ndarray


@dataclass(frozen=True)
class CopyCheck:
    """Whether virtual members copy real ones.

    Attributes:
        n: virtual members that were compared.
        copies: share of them more like a real history than half of the real members are like another.
        members_copies: that share among real members who were set apart.
        identical: share of virtual members with the very items of a real user, as short histories come to have.
        members_identical: that share among the real members who were set apart.
    """

    n: int
    copies: float
    members_copies: float
    identical: float
    members_identical: float


@dataclass(frozen=True, eq=False)
class VirtualGroups:
    """The exported fit of a run with its profile and generator. Never changed, so that many may ask at once."""

    base: FitSnapshot
    profile: Profile
    generator: Generator

    @classmethod
    def open(cls, store: RunStore, run: Run) -> Self:
        """Return the virtual groups of a finished run. What the fit knows of its users is mapped from its file, not
        read.

        Raises:
            StorageError: the run is older than these files, or they are damaged.
        """
        profile, generator = (load_stage(store, run, kind) for kind in ("profile", "generator"))
        return cls(FitSnapshot.load(run.file(SNAPSHOT)), profile, generator)

    @property
    def n_items(self) -> int:
        return len(self.base.item_ids)

    @cached_property
    def groups(self) -> Groups:
        """Return the groups of the fitted users."""
        return Groups(self.base.labels, self.base.n_groups)

    # -- items

    @cached_property
    def popularity(self) -> np.ndarray:
        """Return the number of users who have each item, int64 [I]."""
        return np.bincount(self.base.histories.indices, minlength=self.n_items)

    @cached_property
    def _texts(self) -> pd.Series:
        return pd.Series(self.base.item_labels).astype("str").str.cat(self.base.item_ids, sep="\n").str.casefold()

    @cached_property
    def _rows(self) -> pd.Index:
        return pd.Index(self.base.item_ids)

    def find_items(self, text: str, most: int) -> np.ndarray:
        """Return up to ``most`` items whose label or id holds every word of the text, int64.

        The item with that very id comes first, then the most popular ones; without text, the most popular of all.
        """
        match = np.ones(self.n_items, bool)
        for word in text.casefold().split():
            match &= self._texts.str.contains(word, regex=False).to_numpy()
        rows = np.flatnonzero(match)
        order = np.lexsort((-self.popularity[rows], self.base.item_ids[rows] != text.strip()))
        return rows[order[:most]]

    def rows_of(self, item_ids: list[str]) -> np.ndarray:
        """Return the rows of the ids that the catalogue has, each once, in their order, int64."""
        rows = self._rows.get_indexer(pd.Index(list(dict.fromkeys(item_ids))))
        return rows[rows >= 0]

    # -- audiences

    def mixture(self, weights: Mapping[int, float]) -> Audience:
        """Return a group, or a mixture of several, by the weights of their rows.

        Raises:
            SettingError: a row is no group's, a weight is negative, or all are 0.
        """
        if not set(weights) <= set(range(self.base.n_groups)):
            raise SettingError(f"Groups are rows from 0 to {self.base.n_groups - 1}, not {sorted(weights)}.")
        every = np.zeros(self.base.n_groups)
        every[list(weights)] = list(weights.values())
        mixture = weigh(every)
        return Audience(mixture, mixed(self.generator, mixture), self._excluded(mixture))

    def persona(self, liked: np.ndarray) -> Audience:
        """Return those who like a few items; these are not listed for them, except where the run lists repeats.

        Args:
            liked: int [L], item rows.
        Raises:
            SettingError: no item is given, or one outside the catalogue.
        """
        found = persona(self.profile, liked, self.n_items)
        excluded = self._excluded(found.mixture)
        if not self.base.repeats:
            excluded[liked] = True
        return Audience(found.mixture, found.draw, excluded)

    def _excluded(self, mixture: np.ndarray) -> np.ndarray:
        """Return what the run's rules keep from any of the mixed groups, bool [I]."""
        if self.base.excluded is None:
            return np.zeros(self.n_items, bool)
        return np.asarray(self.base.excluded[mixture > 0].any(axis=0))

    # -- answers

    def virtual_group(self, audience: Audience) -> VirtualGroup:
        """Return the virtual members whose lists :meth:`~grouprec.models.alternatives.VirtualGroup.lists` gives; keep
        it for all.

        Raises:
            SettingError: nothing is left to list.
        """
        rng = RunOptions(self.base.seed).rng("studio crowd")
        return VirtualGroup.draw_members(
            self.profile, audience.draw, audience.mixture, rng, self.base.histories, audience.excluded
        )

    def members(self, audience: Audience, n: int, draw: int = 0) -> VirtualMembers:
        """Return ``n`` virtual members, those with the most items first; another number for ``draw`` gives others."""
        rng = RunOptions(self.base.seed + draw).rng("studio members")
        latents, has = self._histories(audience, n, rng)
        order = largest_first((has >= 0).sum(axis=1))
        latents, has = latents[order], has[order]
        owned = history_matrix(has, self.n_items)
        excluded = np.flatnonzero(audience.excluded)
        left_out = history_matrix(np.tile(excluded, (n, 1)), self.n_items)
        seen = left_out if self.base.repeats else sparse.csr_array(owned + left_out)
        best = wanted(self.profile, latents, audience.mixture, seen, WANTS)
        wants = np.where(best.scores > 0, best.items, -1)
        return VirtualMembers(has, wants, nearest_history(owned, self._held))

    def copy_check(self, audience: Audience) -> CopyCheck:
        """Return whether virtual members of an audience copy real ones.

        Half of up to 200 members of the same groups are set apart, the other half says how like another history real
        ones usually are (the Jaccard index of the nearest); all other users can be copied. A virtual history copies
        where it is more like its nearest real one than half of these are like theirs; of the members set apart about
        half are. Identical are histories with the very same items (the distance to the closest record, Park et al.
        2018).
        """
        rng = RunOptions(self.base.seed).rng("studio likeness")
        virtual = history_matrix(self._histories(audience, VIRTUAL, rng)[1], self.n_items)
        apart, usual, others = self._compared(audience.mixture, rng)
        aside, real = self._held[apart], self._held[np.concatenate([usual, others])]
        typical = np.median(nearest_history(real[: len(usual)], real, same=True))
        nearest = nearest_history(sparse.csr_array(sparse.vstack([virtual, aside])), real)
        ours, theirs = nearest[:VIRTUAL], nearest[VIRTUAL:]
        ours_to_all = np.maximum(ours, nearest_history(virtual, aside))
        return CopyCheck(
            n=VIRTUAL,
            copies=float((ours > typical).mean()),
            members_copies=float((theirs > typical).mean()),
            identical=float((ours_to_all >= 1).mean()),
            members_identical=float((theirs >= 1).mean()),
        )

    @cached_property
    def _held(self) -> sparse.csr_array:
        """What users have, 1 for every item, float32 CSR [U, I]."""
        histories = self.base.histories
        ones = np.ones(histories.nnz, np.float32)
        return sparse.csr_array((ones, histories.indices, histories.indptr), shape=histories.shape)

    def _histories(self, audience: Audience, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return ``n`` virtual members, float32 [n, Z], and what they would have, int32 [n, L]."""
        latents = audience.draw(n, rng)
        lengths = history_lengths(self.base.histories, self.groups, audience.mixture, n, rng)
        return latents, virtual_histories(self.profile, latents, lengths, rng)

    def _compared(self, mixture: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the real members set apart, those who say what is usual, and all other users: three arrays of rows."""
        chances = mixture.astype(np.float64)[self.groups.labels] / self.groups.sizes[self.groups.labels]
        if np.count_nonzero(chances) < FEW:
            chances = np.ones(len(chances))
        n = min(REAL, np.count_nonzero(chances))
        chosen = rng.choice(len(chances), n, replace=False, p=chances / chances.sum())
        others = np.setdiff1d(np.arange(len(chances)), chosen)
        return chosen[: n // 2], chosen[n // 2 :], others
