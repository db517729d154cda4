"""Items that nobody has yet: who would want them, told by the items that they are like.

A new item is worth to somebody what its neighbours by content are worth: the mean over the nearest items, weighted by
a power of the cosine (a kernel smoother, Nadaraya 1964). What counts as near, and how sharply, is chosen on items that
are hidden from the histories. It is a sum over items that people know, so its parts are its reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from grouprec.core.arrays import empty_csr, largest_first, presence
from grouprec.core.memory import rows_per_batch
from grouprec.data.content import Blocks
from grouprec.ranking.candidates import discounts, rank_top
from grouprec.ranking.metrics import hit_matrix, ideal_dcg, ndcg

NEIGHBOURS = 50
MOST_KNOWN = 20_000  # items that new ones are compared with, the most frequent
FOLDS, MOST_HIDDEN, MOST_TRIED = 5, 500, 5_000  # items hidden in a fold, and items that what is alike is chosen by
MOST_USERS = 1_000
SHARES = (0.15, 0.3, 0.5)  # of the whole, that a block may get beside others
POWERS = (4.0, 8.0, 16.0)
DOUBT = 0.01  # stands beside the weights of the neighbours: an item that is like none is worth nothing
LENGTH = 10


@dataclass(frozen=True)
class Likeness:
    """What makes items alike.

    Attributes:
        shares: of every block (:class:`~grouprec.data.content.ItemContent`), > 0; empty where nothing helps.
        power: to which cosines are raised.
        ndcg: nDCG@10 of hidden items among one another: "chosen", "random", and of every block alone.
    """

    shares: dict[str, float] = field(default_factory=dict)
    power: float = POWERS[0]
    ndcg: dict[str, float] = field(default_factory=dict)

    def weights(self, new: Blocks, known: Blocks, popularity: np.ndarray) -> sparse.csr_array:
        """Return how much every known item counts for the new ones, float32 CSR [C, I]; rows sum to 1 or less.

        Args:
            new, known: blocks of C and I items.
            popularity: [I]; of very many items the most popular are compared.
        """
        return self.by_power(new, known, popularity, (self.power,))[0]

    def by_power(
        self, new: Blocks, known: Blocks, popularity: np.ndarray, powers: Sequence[float]
    ) -> list[sparse.csr_array]:
        """Return :meth:`weights` with each of several powers: the nearest are the same, and are found once."""
        n_items = len(popularity)
        kept = np.sort(largest_first(popularity)[:MOST_KNOWN])
        of_known, of_new = self._joined({name: block[kept] for name, block in known.items()}), self._joined(new)
        parts: list[list[sparse.csr_array]] = [[] for _ in powers]
        size = rows_per_batch(len(kept), 1 << 22)
        for start in range(0, len(of_new), size):
            for out, near in zip(parts, _nearest(of_new[start : start + size] @ of_known.T, powers), strict=True):
                out.append(sparse.csr_array((near.data, kept[near.indices], near.indptr), (near.shape[0], n_items)))
        return [sparse.csr_array(sparse.vstack(one)) if one else empty_csr((0, n_items)) for one in parts]

    def _joined(self, blocks: Blocks) -> np.ndarray:
        """Return the blocks side by side, rows of length 1: what an item lacks does not count."""
        parts = [np.sqrt(share) * blocks[name] for name, share in self.shares.items()]
        if not parts:
            return np.zeros((len(next(iter(blocks.values()))), 1), np.float32)
        return normalize(np.hstack(parts)).astype(np.float32)


def places(slots: int, depth: int) -> np.ndarray:
    """Return the places of new items on a list, from 1, int: spread over every ten, the last of them the tenth."""
    every_ten = np.ceil(LENGTH * np.arange(1, slots + 1) / max(slots, 1)).astype(int)
    found = np.add.outer(np.arange(0, depth, LENGTH), every_ten).ravel()
    return found[found <= depth]


def _nearest(cosines: np.ndarray, powers: Sequence[float]) -> Iterator[sparse.csr_array]:
    """Yield the weights of the nearest columns of every row by each of the powers, float32 CSR of the same shape."""
    depth = min(NEIGHBOURS, cosines.shape[1])
    nearest = np.argpartition(-cosines, depth - 1, axis=1)[:, :depth]
    alike = np.maximum(np.take_along_axis(cosines, nearest, axis=1), 0)
    rows = np.repeat(np.arange(len(cosines)), depth)
    for power in powers:
        near = alike**power
        near /= near.sum(axis=1, keepdims=True) + DOUBT
        found = sparse.csr_array((near.ravel().astype(np.float32), (rows, nearest.ravel())), cosines.shape)
        found.eliminate_zeros()
        yield found


def choose_likeness(histories: sparse.csr_array, blocks: Blocks, seed: int = 0) -> Likeness:
    """Return what makes items alike, so that hidden items are found for the users who have them.

    Five times another fifth of the items, at most 500, is hidden; users, at most 1,000, are what the others of their
    items say. The best single block starts; another one joins where that raises nDCG@10 by more than two standard
    errors over the five: few items decide it, so users would count one accident many times. Where the best is not above
    chance by two, nothing makes items alike.

    Args:
        histories: CSR [U, I]; weights do not count.
        blocks: of the I items.
    """
    blocks = {name: block for name, block in blocks.items() if block.any()}
    folds = _hide(histories, blocks, seed)
    if len(folds) < 2:
        return Likeness()
    single = {name: _best(folds, {name: 1.0}) for name in blocks}
    best, values = max(single.values(), key=lambda one: one[1].mean())
    for _ in blocks:
        rest = [name for name in blocks if name not in best.shares]
        tried = [_best(folds, _with(best.shares, name, share)) for name in rest for share in SHARES]
        joined, after = max(tried, key=lambda one: one[1].mean(), default=(best, values))
        if not _surely(after - values, 2.0):
            break
        best, values = joined, after
    chance = np.array([fold.chance for fold in folds])
    found = {name: float(one[1].mean()) for name, one in single.items()}
    found |= {"chosen": float(values.mean()), "random": float(chance.mean())}
    return replace(best, shares=best.shares if _surely(values - chance, 2.0) else {}, ndcg=found)


def _surely(gains: np.ndarray, errors: float) -> bool:
    """Whether gains, one a fold, are above 0 by so many standard errors."""
    return bool(gains.mean() > errors * gains.std(ddof=1) / np.sqrt(len(gains)))


def _with(shares: Mapping[str, float], name: str, share: float) -> dict[str, float]:
    return {one: value * (1 - share) for one, value in shares.items()} | {name: share}


def _best(folds: Sequence[_Fold], shares: dict[str, float]) -> tuple[Likeness, np.ndarray]:
    """Return the shares with the power that ranks best, and the nDCG@10 of every fold, float64 [F]."""
    values = np.array([fold.ndcg(Likeness(shares)) for fold in folds]).T  # [powers, F]
    return max(
        ((Likeness(shares, power), found) for power, found in zip(POWERS, values, strict=True)),
        key=lambda one: one[1].mean(),
    )


@dataclass(frozen=True, eq=False)
class _Fold:
    """Hidden items and the users who have some.

    Attributes:
        hidden, known: blocks of both kinds of items.
        popularity: [known items].
        histories: CSR [B, known items], never empty.
        relevant: CSR [B, hidden items], never empty.
    """

    hidden: Blocks
    known: Blocks
    popularity: np.ndarray
    histories: sparse.csr_array
    relevant: sparse.csr_array
    seed: int

    @property
    def chance(self) -> float:
        """Return the expected nDCG@10 of a random order."""
        return float(random_order(np.diff(self.relevant.indptr), np.array([self.relevant.shape[1]]))[:, 0].mean())

    def ndcg(self, likeness: Likeness) -> list[float]:
        """Return the mean nDCG@10 with each of the powers."""
        found = []
        for weights in likeness.by_power(self.hidden, self.known, self.popularity, POWERS):
            top, _ = rank_top((self.histories @ weights.T).toarray().astype(np.float32), LENGTH, self.seed)
            found.append(float(ndcg(hit_matrix(top, self.relevant), np.diff(self.relevant.indptr), LENGTH).mean()))
        return found


def _hide(histories: sparse.csr_array, blocks: Blocks, seed: int) -> list[_Fold]:
    """Return folds of hidden items; none where there is nothing to learn from."""
    owned, rng = presence(histories), np.random.default_rng(seed)
    popularity = np.bincount(owned.indices, minlength=owned.shape[1])
    known = np.sort(largest_first(popularity)[:MOST_TRIED])
    owned, blocks = sparse.csr_array(owned[:, known]), {name: block[known] for name, block in blocks.items()}
    parts = np.array_split(rng.permutation(np.flatnonzero(popularity[known])), FOLDS) if blocks else []
    folds = []
    for part in parts:
        hidden = np.zeros(len(known), bool)
        hidden[part[:MOST_HIDDEN]] = True
        taken, others = sparse.csr_array(owned[:, hidden]), sparse.csr_array(owned[:, ~hidden])
        users = np.flatnonzero((np.diff(taken.indptr) > 0) & (np.diff(others.indptr) > 0))
        users = np.sort(rng.permutation(users)[:MOST_USERS])
        if len(part) < 2 or not len(users):
            continue
        of_hidden, of_known = ({name: block[rows] for name, block in blocks.items()} for rows in (hidden, ~hidden))
        rows = sparse.csr_array(others[users]), sparse.csr_array(taken[users])
        folds.append(_Fold(of_hidden, of_known, popularity[known][~hidden], *rows, seed))
    return folds


def random_order(n_relevant: np.ndarray, n_items: np.ndarray) -> np.ndarray:
    """Return the expected nDCG@10 and hit_rate@10 of a random order of the items, float64 [B, 2].

    Args:
        n_relevant: int [B], targets of every user, at least 1.
        n_items: int [B] or [1], items that the list is drawn from, targets included.
    """
    n_relevant, n_items, place = n_relevant[:, None], n_items[:, None], np.arange(LENGTH)
    gain = (n_relevant / n_items * discounts(LENGTH) * (place < n_items)).sum(axis=1)
    misses = np.maximum(n_items - n_relevant - place, 0) / np.maximum(n_items - place, 1)
    return np.column_stack([gain / ideal_dcg(n_relevant[:, 0], LENGTH), 1 - misses.prod(axis=1)])
