"""Lists that trade some of their value for variety: maximal marginal relevance, and max-sum diversification."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from grouprec.core.arrays import largest_first, presence
from grouprec.core.types import SettingError
from grouprec.ranking.candidates import discounts, to_unit

Ranked = tuple[np.ndarray, np.ndarray]


def diversify(items: np.ndarray, scores: np.ndarray, vectors: np.ndarray, n: int, dial: float) -> Ranked:
    """Return every list's best ``n`` items by maximal marginal relevance (Carbonell and Goldstein 1998).

    After the first, every position takes the item of the largest ``(1 - dial) * relevance - dial * (cosine to the
    most similar item above it)``. Relevance is the score scaled to 0..1 within the list; where scores rise along a
    list, its order is trusted and an item is worth no more than those above it.

    Args:
        items: int32 [G, K], best first, -1 where there is none; longer than ``n`` so that there is a choice.
        scores: float32 [G, K].
        vectors: float32 [I, D], what makes items similar; a vector of zeros is similar to nothing. [G, K, D] of them
            are held at a time.
        n: length of the lists returned.
        dial: 0 keeps the list as it is; 1 goes by diversity alone.
    Returns:
        items int32 [G, n] and their scores float32 [G, n], no longer in descending order; -1 and 0 at the end.
    Raises:
        SettingError: the dial is outside 0..1.
    """
    if not 0 <= dial <= 1:
        raise SettingError(f"The diversity dial must lie between 0 (the list as it is) and 1, not {dial}.")
    rows, left = np.arange(len(items)), items >= 0
    units = normalize(vectors)[np.maximum(items, 0)]  # [G, K, D]
    relevance = to_unit(np.minimum.accumulate(scores, axis=1), left)
    nearest = np.zeros_like(relevance)
    found, worth = np.full((len(items), n), -1, np.int32), np.zeros((len(items), n), np.float32)
    for position in range(min(n, items.shape[1])):
        value = np.where(left, (1 - dial) * relevance - dial * nearest, -np.inf)
        best = value.argmax(axis=1)
        any_left = left[rows, best]
        found[:, position] = np.where(any_left, items[rows, best], -1)
        worth[:, position] = np.where(any_left, scores[rows, best], 0)
        left[rows, best] = False
        similarity = np.einsum("gkd,gd->gk", units, units[rows, best])
        nearest = np.maximum(nearest, similarity) if position else similarity
    return found, worth


HALVINGS = 10  # of the weight of variety while it is fitted to what may be given up


def varied(rates: np.ndarray, alike: np.ndarray, length: int, kept: float) -> np.ndarray:
    """Return the most varied lists that greedy choice finds within a budget, int64 [A, K], best first.

    Every place takes the item of the largest rate less a weight times its mean cosine to those taken (max-sum
    diversification, Borodin et al. 2012); the weight is the largest, by halving, with which the list keeps its share of
    value. For the same loss of nDCG@10 this gained more intra-list diversity than maximal marginal relevance, which
    looks at the most similar item only and has no budget.

    Args:
        rates: [A, P], >= 0, what the items are worth to the members behind each list.
        alike: [P, P], cosines of the items.
        length: of the lists; K is that, or P where that is smaller.
        kept: share of the value of the best list, discounted by place, that a list keeps at least.
    """
    length = min(length, rates.shape[1])
    best = largest_first(rates)[:, :length]
    if kept >= 1:
        return best
    weights = discounts(length)
    relevance = rates / np.maximum(rates.max(axis=1, keepdims=True), 1e-12)
    least = kept * (np.take_along_axis(relevance, best, axis=1) @ weights)
    low, high = np.zeros(len(rates)), np.full(len(rates), 2.0)  # at 2 a pair of unlike items beats any other
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        lists = _most_varied(relevance, alike, length, middle)
        enough = np.take_along_axis(relevance, lists, axis=1) @ weights >= least
        best[enough] = lists[enough]
        low, high = np.where(enough, middle, low), np.where(enough, high, middle)
    return best


def _most_varied(relevance: np.ndarray, alike: np.ndarray, length: int, weight: np.ndarray) -> np.ndarray:
    """Return the greedy choice of :func:`varied` for one weight per list, by relevance, int64 [A, length]."""
    rows, likeness = np.arange(len(relevance)), np.zeros(relevance.shape)
    free, chosen = np.ones(relevance.shape, bool), np.empty((len(relevance), length), np.int64)
    for place in range(length):
        score = relevance - (weight / max(place, 1))[:, None] * likeness
        chosen[:, place] = np.where(free, score, -np.inf).argmax(axis=1)
        free[rows, chosen[:, place]] = False
        likeness += alike[chosen[:, place]]
    order = largest_first(np.take_along_axis(relevance, chosen, axis=1))
    return np.take_along_axis(chosen, order, axis=1)


def item_cosines(histories: sparse.csr_array, items: np.ndarray) -> np.ndarray:
    """Return how alike items are by the users who have them, cosines float64 [P, P]; 0 for items that nobody has."""
    columns = normalize(presence(histories[:, items], np.float64), axis=0)
    return (columns.T @ columns).toarray()


def diversity_of(alike: np.ndarray, lists: np.ndarray) -> np.ndarray:
    """Return 1 minus the mean cosine of two items of each list, float64 [n]; 0 for a single item."""
    length = lists.shape[1]
    if length < 2:
        return np.zeros(len(lists))
    pairs = alike[lists[:, :, None], lists[:, None, :]]
    same = np.trace(pairs, axis1=1, axis2=2)
    return 1 - (pairs.sum(axis=(1, 2)) - same) / (length * (length - 1))
