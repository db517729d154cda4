"""Pairs of columns that some user has both of, counted within bounds, and which columns are nearest to an item."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from grouprec.models.encoders.linear import gram_matrix

MOST_PAIRS = 5 * 10**7  # of items that some user has both of, counted once for every such user
MOST_DENSE = 16_000  # items whose pairs fit into a matrix of a gigabyte
LEAST_LENGTH = np.float32(1e-9)


def drawn(histories: sparse.csr_array, most_pairs: int, rng: np.random.Generator) -> sparse.csr_array:
    """Return histories, CSR [U, I], of so many items at most, drawn from every user's, that pairs are few enough."""
    counts = np.diff(histories.indptr).astype(np.int64)
    if (counts**2).sum() <= most_pairs:
        return histories
    lengths = np.arange(1, counts.max() + 1)
    lower, upper = 1, len(lengths)  # the largest length that is allowed lies between them
    while upper - lower > 1:
        middle = (lower + upper) // 2
        allowed = (np.minimum(counts, middle) ** 2).sum() <= most_pairs
        lower, upper = (middle, upper) if allowed else (lower, middle)
    owner = np.repeat(np.arange(len(counts)), counts)
    order = np.lexsort((rng.random(len(owner)), owner))
    place = np.arange(len(owner)) - np.repeat(histories.indptr[:-1], counts)
    kept = np.sort(order[place < lower])
    starts = np.concatenate([[0], np.minimum(counts, lower).cumsum()])
    return sparse.csr_array((histories.data[kept], histories.indices[kept], starts), shape=histories.shape)


def pairs(histories: sparse.csr_array) -> np.ndarray | sparse.csr_array:
    """Return ``X'X``, float32 [I, I]: up to ``MOST_DENSE`` items dense, which parts are quickly taken of, else CSR."""
    _, n_items = histories.shape
    if n_items > MOST_DENSE:
        gram = sparse.csr_array(histories.T @ histories)
        if gram.nnz < np.iinfo(np.int32).max:
            gram.indices, gram.indptr = gram.indices.astype(np.int32), gram.indptr.astype(np.int32)
        return gram
    return gram_matrix(histories, np.float32)


class Part:
    """Takes dense parts of a matrix with many columns; several times quicker than scipy where it is sparse.

    Args:
        gram: float32 [C, C], dense or CSR with sorted or unsorted indices.
    """

    def __init__(self, gram: np.ndarray | sparse.csr_array) -> None:
        self._gram = gram
        self._asked = np.zeros(gram.shape[1], bool)
        self._place = np.empty(gram.shape[1], np.int32)

    def __call__(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Return these rows and columns, int [R] and [n], each column once, float32 [R, n]."""
        gram = self._gram
        if isinstance(gram, np.ndarray):
            return gram[np.ix_(rows, columns)]
        self._asked[columns], self._place[columns] = True, np.arange(len(columns))
        starts, ends = gram.indptr[rows], gram.indptr[rows + 1]
        parts = [slice(*ends_of) for ends_of in zip(starts.tolist(), ends.tolist(), strict=True)]
        there = np.concatenate([gram.indices[part] for part in parts])
        found = np.flatnonzero(np.take(self._asked, there, mode="clip"))  # in the order of the rows
        self._asked[columns] = False
        after = (ends - starts).cumsum()  # entries of the rows up to each, and of those the ones that are asked for
        counts = np.diff(np.searchsorted(found, after), prepend=0)
        at = found + np.repeat(ends - after, counts)
        out = np.zeros((len(rows), len(columns)), gram.dtype)
        out[np.repeat(np.arange(len(rows)), counts), self._place[there[found]]] = gram.data[at]
        return out


def strongest(gram: np.ndarray | sparse.csr_array, item: int, n_items: int, n: int) -> np.ndarray:
    """Return the columns nearest to an item by cosine, int32, ascending: ``n`` of the items and ``n`` of the others.

    Args:
        gram: float32 [C, C], dense or CSR; the first ``n_items`` columns are those of items.
    """
    row = gram[[item]]
    columns, shared = (row.indices, row.data) if sparse.issparse(row) else (np.arange(gram.shape[0]), row[0])
    cosine = shared / np.maximum(np.sqrt(gram.diagonal()[columns]), LEAST_LENGTH)
    cosine[columns == item] = 0
    found = []
    for block in (columns < n_items, columns >= n_items):
        there = np.flatnonzero(block & (cosine > 0))
        there = there[np.argpartition(-cosine[there], n)[:n]] if len(there) > n else there
        found.append(columns[there])
    return np.sort(np.concatenate(found)).astype(np.int32)
