"""What a ranked list is worth to a user, and how certain the mean is. numpy and scipy only."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from grouprec.core.arrays import presence
from grouprec.ranking.candidates import discounts

CUTOFFS = (5, 10, 20)
DEPTH = 20  # lists are judged to this depth; the reciprocal rank looks no further
ACCURACY = (
    *(f"{name}@{k}" for name in ("precision", "recall", "f1", "ndcg", "hit_rate") for k in CUTOFFS),
    "mrr",
)


def contains(matrix: sparse.csr_array, lists: np.ndarray) -> np.ndarray:
    """Return where row ``u`` of ``matrix`` has a non-zero at ``lists[u, k]``, bool [U, K]; -1 is never there."""
    rows = np.repeat(np.arange(lists.shape[0]), lists.shape[1])
    return has(matrix, rows, np.maximum(lists, 0).ravel()).reshape(lists.shape) & (lists >= 0)


def has(matrix: sparse.csr_array, rows: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Return where ``matrix[rows[n], items[n]]`` is not zero, bool [n]."""
    if len(rows) == 0:  # scipy gives a sparse array for no entries, a dense one for some
        return np.empty(0, bool)
    return np.asarray(matrix[rows, items]) != 0


def list_overlap(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean Jaccard index of lists row by row, int [B, K], -1 for none; 1 for two empty lists."""
    shared = ((one[:, :, None] == other[:, None]) & (one >= 0)[:, :, None]).sum(axis=(1, 2))
    union = (one >= 0).sum(axis=1) + (other >= 0).sum(axis=1) - shared
    return float(np.where(union > 0, shared / np.maximum(union, 1), 1.0).mean())


def hit_matrix(lists: np.ndarray, relevant: sparse.csr_array) -> np.ndarray:
    """Return which listed items are relevant to the user, bool [U, K].

    Args:
        lists: int32 [U, K], best first; -1 never hits.
        relevant: CSR [U, I], non-zero where the item is relevant.
    """
    return contains(relevant, lists)


def ideal_dcg(n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Return the DCG of a list that begins with min(n_relevant, k) relevant items, float64 [U]."""
    return np.concatenate([[0], discounts(k).cumsum()])[np.minimum(n_relevant, k)]


def precision(hits: np.ndarray, k: int) -> np.ndarray:
    """Return hits in the first ``k`` divided by ``k`` (also where the list is shorter), [U]."""
    return hits[:, :k].sum(axis=1) / k


def recall(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Return hits in the first ``k`` divided by the number of relevant items, [U]."""
    return hits[:, :k].sum(axis=1) / n_relevant


def f1(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Return each user's harmonic mean of precision and recall, 2 hits / (k + n_relevant), [U]; 0 without a hit."""
    return 2 * hits[:, :k].sum(axis=1) / (k + n_relevant)


def ndcg(hits: np.ndarray, n_relevant: np.ndarray, k: int) -> np.ndarray:
    """Return DCG / ideal DCG, [U]: gain 1 per hit, discount 1 / log2(position + 1), ideal min(n_relevant, k) hits."""
    top = hits[:, :k]
    return top @ discounts(top.shape[1]) / ideal_dcg(n_relevant, k)


def hit_rate(hits: np.ndarray, k: int) -> np.ndarray:
    """Return 1 where the first ``k`` hold a hit, else 0, [U]."""
    return np.asarray(hits[:, :k].any(axis=1), np.float64)


def reciprocal_rank(hits: np.ndarray) -> np.ndarray:
    """Return 1 / position of the first hit over the full depth of the list given, [U]; 0 without a hit."""
    return np.where(hits.any(axis=1), 1 / (hits.argmax(axis=1) + 1), 0) if hits.shape[1] else np.zeros(len(hits))


def accuracy(hits: np.ndarray, n_relevant: np.ndarray) -> np.ndarray:
    """Return all accuracy metrics of every user, float64 [U, M], columns in the order of ``ACCURACY``.

    Args:
        hits: bool [U, K], best position first; positions beyond K count as misses.
        n_relevant: int [U], at least 1: the caller leaves out users without relevant items.
    """
    columns = [precision(hits, k) for k in CUTOFFS]
    columns += [metric(hits, n_relevant, k) for metric in (recall, f1, ndcg) for k in CUTOFFS]
    columns += [hit_rate(hits, k) for k in CUTOFFS]
    return np.column_stack([*columns, reciprocal_rank(hits)])


def self_information(histories: sparse.csr_array) -> np.ndarray:
    """Return how much every item says of who has it, in bits, float64 [I]: -log2 of the share of users who have it.

    An item that nobody has counts as if one user had it. ``histories`` CSR [U, I].
    """
    n_users, _ = histories.shape
    return -np.log2(np.maximum(histories.count_nonzero(axis=0), 1) / max(n_users, 1))


def novelty(lists: np.ndarray, bits: np.ndarray, k: int = 10) -> np.ndarray:
    """Return the mean :func:`self_information` [I] of the first ``k`` items, float64 [U] (Zhou et al. 2010).

    An empty list has novelty 0.
    """
    top = lists[:, :k]
    shown = top >= 0
    return np.where(shown, bits[np.maximum(top, 0)], 0).sum(axis=1) / np.maximum(shown.sum(axis=1), 1)


def intra_list_diversity(lists: np.ndarray, histories: sparse.csr_array, k: int = 10) -> np.ndarray:
    """Return how unlike the first ``k`` items of every list are, float64 [G] (Ziegler et al. 2005).

    1 minus the mean cosine of two of them, items as the sets of users who have them; an item that nobody has is like
    no other. 0 for lists of fewer than two items. The squared length of a sum of unit vectors is the sum of all their
    cosines, so no matrix of pairs is needed.

    Args:
        lists: int [G, K], -1 where there is no item.
        histories: CSR [U, I]; weights do not count.
    """
    top = lists[:, :k]
    row, place = np.nonzero(top >= 0)
    listed, column = np.unique(top[row, place], return_inverse=True)
    owners = presence(histories[:, listed], np.float64)  # [U, listed]
    lengths = np.sqrt(owners.sum(axis=0))
    units = owners @ sparse.diags_array(1 / np.maximum(lengths, 1))
    chosen = sparse.csr_array((np.ones(len(row)), (row, column)), shape=(len(top), len(listed)))
    total = chosen @ units.T  # [G, U]
    n, known = (top >= 0).sum(axis=1), chosen @ (lengths > 0).astype(np.float64)
    alike = np.asarray(total.multiply(total).sum(axis=1)).ravel() - known
    pairs = n * (n - 1)
    return np.where(pairs > 0, 1 - alike / np.maximum(pairs, 1), 0.0)


def coverage(lists: np.ndarray, n_items: int, k: int = 10) -> float:
    """Return the share of the catalogue that stands in the first ``k`` of at least one list."""
    top = lists[:, :k]
    return len(np.unique(top[top >= 0])) / n_items


def gini(lists: np.ndarray, n_items: int, k: int = 10) -> float:
    """Return how unequally the catalogue is shown in the first ``k``: 0 all items alike, towards 1 only one item.

    Counts how many lists show each item; items never shown count with 0. No lists give 0.
    """
    top = lists[:, :k]
    shown = np.sort(np.bincount(top[top >= 0], minlength=n_items))
    total = shown.sum()
    if total == 0:
        return 0.0
    return float((2 * np.arange(1, n_items + 1) - n_items - 1) @ shown / (n_items * total))
