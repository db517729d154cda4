"""Virtual members: what they have, what they want, what lists are worth to them, and whether they copy real ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import sparse

from grouprec.core.arrays import largest_first
from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Candidates, Groups
from grouprec.models.base import Profile
from grouprec.ranking.candidates import best_unseen, discounts, rank_top
from grouprec.ranking.group_lists import LENGTH, member_matrix

DECODING_BATCH = 256  # virtual members decoded at a time
WANTED = 200  # items that a virtual member wants next, as many as a real one's candidates

Draw = Callable[[int, np.random.Generator], np.ndarray]  # how many -> virtual members, float32 [n, Z]


@dataclass(frozen=True, eq=False)
class ListValue:
    """What lists are worth to members who took no part in them.

    Attributes:
        wanted: CSR [M, I], the worth of items to these members.
        labels: int [M], their groups.
        usual: the mean value of the lists that the training members' own worth makes.
    """

    wanted: sparse.csr_array
    labels: np.ndarray
    usual: float

    @staticmethod
    def of(wanted: sparse.csr_array, groups: Groups, training: np.ndarray, judging: np.ndarray) -> ListValue:
        """Return the yardstick; ``training`` and ``judging`` are masks over the users, bool [U]."""
        unit = ListValue(wanted[judging], groups.labels[judging], 1.0)
        members = member_matrix(groups)[:, training]
        return ListValue(unit.wanted, unit.labels, unit.share((members @ wanted[training]).toarray()))

    def share(self, rates: np.ndarray) -> float:
        """Return the value of every group's best ten items by rates [G, I], relative to ``usual``."""
        items, _ = rank_top(rates.astype(np.float32), min(LENGTH, rates.shape[1]), 0)
        length = items.shape[1]
        entries = (np.tile(discounts(length), len(items)), items.ravel(), np.arange(len(items) + 1) * length)
        lists = sparse.csr_array(entries, shape=rates.shape)
        return float(self.wanted.multiply(lists[self.labels]).sum() / len(self.labels) / max(self.usual, 1e-12))


def mean_preference(profile: Profile, latents: np.ndarray, mixture: np.ndarray) -> np.ndarray:
    """Return what virtual members want on average, float32 [I]; ``mixture`` as in :meth:`Profile.predict`."""
    return mean_of(decoding(profile, latents, mixture), len(latents))


def mean_of(parts: Iterable[np.ndarray], n: int) -> np.ndarray:
    """Return the mean of ``n`` rows that come in parts, float32 [I]."""
    total = reduce(np.add, (part.sum(axis=0, dtype=np.float64) for part in parts))
    return (total / n).astype(np.float32)


def decoding(profile: Profile, latents: np.ndarray, mixture: np.ndarray) -> Iterator[np.ndarray]:
    """Return what virtual members want, some at a time, float32 [B, I] each; arguments of :func:`mean_preference`."""
    starts = range(0, len(latents), DECODING_BATCH)
    return (profile.predict(latents[start : start + DECODING_BATCH], mixture) for start in starts)


def one_hot(group: int, n_groups: int) -> np.ndarray:
    """Return the mixture that is one group, float32 [G]."""
    return (np.arange(n_groups) == group).astype(np.float32)


def wanted(
    profile: Profile,
    latents: np.ndarray,
    mixture: np.ndarray,
    histories: sparse.csr_array,
    n: int = WANTED,
) -> Candidates:
    """Return what every virtual member wants next, best first: shares of the member's preference.

    Args:
        latents: float32 [V, Z].
        mixture: as in :meth:`Profile.predict`.
        histories: CSR [V, I], what they have already and are not to be shown (:func:`history_matrix`).
        n: items per member.
    """
    return best_unseen(lambda rows: profile.predict(latents[rows], mixture), histories, n, 0, DECODING_BATCH)


def history_lengths(
    histories: sparse.csr_array, groups: Groups, mixture: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Return how many items ``n`` members have, drawn from the real members of the mixed groups, int64 [n].

    Args:
        histories: CSR [U, I], of the users in ``groups``.
        mixture: float [G], how much of every group they are; sums to 1.
    """
    chances = mixture.astype(np.float64)[groups.labels] / groups.sizes[groups.labels]
    return np.diff(histories.indptr)[rng.choice(len(chances), n, p=chances / chances.sum())].astype(np.int64)


def virtual_histories(
    profile: Profile, latents: np.ndarray, lengths: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return what virtual members would have, likeliest item first, int32 [V, L], -1 at the end.

    Items are drawn without replacement in proportion to :meth:`Profile.decode`: the largest logarithms of shares after
    Gumbel noise (Gumbel top-k, Kool et al. 2019), each item at most once.

    Args:
        latents: float32 [V, Z].
        lengths: int [V], such as :func:`history_lengths`; cut to the catalogue.
    """
    longest = int(lengths.max(initial=0))
    out = np.full((len(latents), longest), -1, np.int32)
    for start in range(0, len(latents), DECODING_BATCH):
        rows = slice(start, start + DECODING_BATCH)
        shares = profile.decode(latents[rows])
        noisy = np.log(np.maximum(shares, 1e-30)) + rng.gumbel(size=shares.shape).astype(np.float32)
        drawn, _ = rank_top(noisy, longest, 0)
        drawn = np.where(np.arange(longest) < lengths[rows, None], drawn, -1)
        likely = np.where(drawn >= 0, np.take_along_axis(shares, np.maximum(drawn, 0), axis=1), -1)
        out[rows] = np.take_along_axis(drawn, largest_first(likely), axis=1)
    return out


def history_matrix(items: np.ndarray, n_items: int) -> sparse.csr_array:
    """Return lists of items, int [V, L] with -1 for none, as float32 CSR [V, n_items], 1 where an item is listed."""
    listed = items >= 0
    starts = np.concatenate([[0], listed.sum(axis=1).cumsum()])
    matrix = sparse.csr_array((np.ones(listed.sum(), np.float32), items[listed], starts), shape=(len(items), n_items))
    matrix.sort_indices()
    return matrix


def nearest_history(histories: sparse.csr_array, others: sparse.csr_array, same: bool = False) -> np.ndarray:
    """Return the largest Jaccard index of every history with any of the others, float64 [B].

    Args:
        histories, others: CSR [B, I] and [U, I] of ones.
        same: row b of ``histories`` is row b of ``others``, and does not count as its own neighbour.
    """
    n, n_others = len(histories.indptr) - 1, len(others.indptr) - 1
    sizes, other_sizes = np.diff(histories.indptr), np.diff(others.indptr)
    items, nearest = others.T.tocsr(), np.zeros(n)
    batch = rows_per_batch(n_others)
    for start in range(0, n, batch):
        common = (histories[start : start + batch] @ items).tocoo()
        rows, to = common.coords
        jaccard = common.data / (sizes[start + rows] + other_sizes[to] - common.data)
        if same:
            jaccard[to == start + rows] = 0
        np.maximum.at(nearest, start + rows, jaccard)
    return nearest
