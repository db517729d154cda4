"""Alternative lists for a group: each serves part of its virtual members, and gives up some value for variety."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from grouprec.core.arrays import largest_first
from grouprec.core.types import SettingError
from grouprec.models.base import Profile
from grouprec.models.virtual_members import Draw, decoding, mean_of
from grouprec.ranking.candidates import discounts, rank_top
from grouprec.ranking.group_lists import LENGTH
from grouprec.ranking.variety import diversity_of, item_cosines, varied

N_MEMBERS = 512  # virtual members of a group; the safe list is that of all of them
POOL = 150  # items, the best for all virtual members, that lists are chosen from
HELD = 1 << 26  # decoded numbers that are kept until they are read again, 256 MB
TRIES = 4  # parts of the virtual members drawn for every list asked for
GIVEN_UP = 0.05  # of its predicted value, for variety, by the most surprising list


@dataclass(frozen=True, eq=False)
class Alternatives:
    """Lists for one group, the most valuable first.

    Attributes:
        items: int32 [n, K], -1 at the end where too few items are left.
        value: float64 [n], what its virtual members are predicted to make of it, relative to the safe list; at most 1.
        diversity: float64 [n], 1 minus the mean cosine of two items, as in
            :func:`grouprec.ranking.metrics.intra_list_diversity`.
        safe: int32 [K], the best list for all of them.
        safe_diversity: that of the safe list.
    """

    items: np.ndarray
    value: np.ndarray
    diversity: np.ndarray
    safe: np.ndarray
    safe_diversity: float


@dataclass(frozen=True, eq=False)
class VirtualGroup:
    """Virtual members of a group and what each of them wants of the items that all of them want most.

    Attributes:
        items: int32 [P], best first.
        wants: float32 [V, P], shares of the members' preference.
        alike: float64 [P, P], :func:`item_cosines`.
    """

    items: np.ndarray
    wants: np.ndarray
    alike: np.ndarray

    @staticmethod
    def draw_members(
        profile: Profile,
        draw: Draw,
        mixture: np.ndarray,
        rng: np.random.Generator,
        histories: sparse.csr_array,
        excluded: np.ndarray | None = None,
    ) -> VirtualGroup:
        """Return 512 virtual members.

        Args:
            draw: gives virtual members of the group.
            mixture: as in :meth:`Profile.predict`.
            histories: CSR [U, I], by which items are alike: the users who have them.
            excluded: bool [I], what may not be listed.
        Raises:
            SettingError: nothing is left to list.
        """
        latents = draw(N_MEMBERS, rng)
        held = list(decoding(profile, latents, mixture)) if N_MEMBERS * histories.shape[1] <= HELD else None
        rates = mean_of(held or decoding(profile, latents, mixture), N_MEMBERS)
        if excluded is not None:
            rates = np.where(excluded, 0, rates)
        pool, best = (part[0] for part in rank_top(rates[None], POOL, 0))
        pool = pool[best > 0]
        if not len(pool):
            raise SettingError("Every item is excluded, so nothing is left to list; exclude fewer items.")
        wants = [part[:, pool] for part in held or decoding(profile, latents, mixture)]
        return VirtualGroup(pool, np.concatenate(wants), item_cosines(histories, pool))

    def lists(self, n: int, surprise: float, rng: np.random.Generator, length: int = LENGTH) -> Alternatives:
        """Return up to ``n`` different lists for the group, each the list of a random part of its members.

        They are those of random parts of the virtual members: all of them where ``surprise`` is 0 (one list, the safe
        one), 23 at .5, a single one at 1 (512^(1 - surprise)). Every list then gives up at most 5 % times ``surprise``
        of its predicted value for variety (:func:`~grouprec.ranking.variety.varied`). Of four times as many lists as
        asked for, the most valuable for all of them are kept; lists with the same items count once.

        (Diminishing returns over the virtual members, the sum of their utilities to a power below 1, left the lists
        of homogeneous groups as they were, and cost more nDCG for the same variety where it did not.)

        Args:
            surprise: the dial from 0, safe, to 1, surprising.
        Raises:
            SettingError: the dial is outside 0..1, or fewer than one list or item is asked for.
        """
        if not 0 <= surprise <= 1:
            raise SettingError(f"The dial from safe to surprising must lie between 0 and 1, not {surprise}.")
        if n < 1 or length < 1:
            raise SettingError(f"Ask for at least 1 list of at least 1 item, not for {n} of {length}.")
        n_members = len(self.wants)
        size = max(1, round(n_members ** (1 - surprise)))
        part = rng.random((TRIES * n, n_members)).argsort(axis=1) < size
        lists = varied(part @ self.wants / size, self.alike, length, 1 - GIVEN_UP * surprise)
        weights, rates = discounts(lists.shape[1]), self.wants.mean(axis=0, dtype=np.float64)
        safe = largest_first(rates)[None, : lists.shape[1]]
        value = (rates[lists] @ weights) / (rates[safe] @ weights)
        order = largest_first(value)
        _, first = np.unique(np.sort(lists[order], axis=1), axis=0, return_index=True)
        kept = order[np.sort(first)[:n]]
        return Alternatives(
            _padded(self.items[lists[kept]], length),
            value[kept],
            diversity_of(self.alike, lists[kept]),
            _padded(self.items[safe], length)[0],
            float(diversity_of(self.alike, safe)[0]),
        )


def _padded(lists: np.ndarray, length: int) -> np.ndarray:
    """Return the lists at full length, -1 at the end, int32."""
    missing = length - lists.shape[1]
    return np.pad(lists, ((0, 0), (0, max(missing, 0))), constant_values=-1).astype(np.int32)
