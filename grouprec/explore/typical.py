"""What is typical of groups among terms of items, be these words of labels or categories."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from grouprec.core.arrays import largest_first, presence
from grouprec.core.types import Groups
from grouprec.ranking.group_lists import member_matrix

MIN_MEMBERS = 3  # an item or attribute of fewer members says nothing about a group
MIN_LIFT = 1.1  # a term must be so many times as frequent in a group's document as in the others
_TINY = 1e-9  # instead of a division by 0


def typical(
    terms: np.ndarray,
    words: sparse.csr_array,
    histories: sparse.csr_array,
    groups: Groups,
    n: int,
    least: np.ndarray | float = MIN_LIFT,
    worth: np.ndarray | float = 1.0,
) -> list[list[str]]:
    """Return at most ``n`` terms that are typical of each group, as
    :func:`~grouprec.explore.naming.distinguishing_words` weighs them.

    Args:
        terms: [T], and which item has which, CSR [I, T].
        least: how many times as frequent as elsewhere a term must be, one for all or [T].
        worth: by how much more a term weighs, one for all or [T].
    """
    if not len(terms):
        return [[] for _ in range(groups.n_groups)]
    document = more_often(histories, groups) @ words
    frequency, length = document.sum(axis=0), document.sum(axis=1, keepdims=True)
    rarity = np.log1p(np.divide(length.mean(), frequency, out=np.zeros_like(frequency), where=frequency > 0))
    share = document / np.where(length > 0, length, 1)
    weight = share * rarity * worth
    elsewhere = (frequency - document) / np.maximum(length.sum() - length, _TINY)
    weight[share < least * elsewhere] = 0
    order = largest_first(weight)
    return [_without_overlap(terms[row[: np.count_nonzero(weight[g])]], n) for g, row in enumerate(order)]


def more_often(histories: sparse.csr_array, groups: Groups) -> np.ndarray:
    """Return by how much the share of members who have an item exceeds that of all users, float64 [G, I], >= 0."""
    inside = (member_matrix(groups) @ presence(histories)).toarray()
    sizes = groups.sizes[:, None]
    excess = inside / sizes - inside.sum(axis=0, dtype=np.float64) / len(groups.labels)
    return np.where(inside >= np.minimum(MIN_MEMBERS, sizes), np.maximum(excess, 0), 0)


def _without_overlap(terms: np.ndarray, n: int) -> list[str]:
    """The first ``n`` terms that share no word (a plural counts as its singular)."""
    kept: list[str] = []
    used: set[str] = set()
    for term in terms:
        stems = {word.removesuffix("s") for word in term.split()}
        if not stems & used:
            kept.append(term)
            used |= stems
        if len(kept) == n:
            break
    return kept
