"""The best that one shared list per group could do, knowing the targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse

from grouprec.core.types import Groups
from grouprec.ranking.candidates import discounts
from grouprec.ranking.group_lists import member_matrix
from grouprec.ranking.metrics import has, ideal_dcg


def best_strict(labels: np.ndarray, relevant: sparse.csr_array, cutoffs: Sequence[int]) -> dict[str, float]:
    """Return the best mean over users of every metric, each reached by lists of its own.

    Exact for precision, recall, F1 and nDCG, which are sums over the listed items: the best list of a group takes
    the items by the members' summed weight of a hit, and for nDCG also in that order (rearrangement inequality).
    Hit rate is a maximum-coverage problem: the value is that of the greedy cover, which is at least 1 - 1/e of the
    best (Nemhauser, Wolsey and Fisher 1978).

    Args:
        labels: int [T], the group of every judged user.
        relevant: CSR [T, I], 1 where the item is a target; no empty row.
        cutoffs: list lengths.
    Returns:
        metric ("precision@10", ...) -> value; NaN where there is no user.
    """
    n_users = len(labels)
    if n_users == 0:
        return {f"{name}@{k}": np.nan for name in ("precision", "recall", "f1", "ndcg", "hit_rate") for k in cutoffs}
    names, groups = np.unique(labels, return_inverse=True)
    membership = member_matrix(Groups(groups, len(names)))
    n = np.diff(relevant.indptr)
    found = _greedy_cover(membership, relevant, groups, max(cutoffs))
    best = {}
    for k in cutoffs:
        weights = {
            "precision": np.full(n_users, 1 / k),
            "recall": 1 / n,
            "f1": 2 / (k + n),
            "ndcg": 1 / ideal_dcg(n, k),
        }
        for name, weight in weights.items():
            top = _largest(_weighted(membership, weight, relevant), k)
            positions = discounts(k) if name == "ndcg" else np.ones(k)
            best[f"{name}@{k}"] = float((top @ positions).sum() / n_users)
        best[f"hit_rate@{k}"] = float((found < k).mean())
    return best


def _weighted(membership: sparse.csr_array, weight: np.ndarray, relevant: sparse.csr_array) -> sparse.csr_array:
    """What listing an item is worth to every group: the sum of the weights of the members who want it, CSR [G, I]."""
    scaled = sparse.csr_array((weight[membership.indices], membership.indices, membership.indptr), membership.shape)
    return scaled @ relevant


def _largest(values: sparse.csr_array, k: int) -> np.ndarray:
    """The ``k`` largest values of every row, largest first, [G, k]; 0 where there are fewer."""
    lengths = np.diff(values.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    ordered = values.data[np.lexsort((-values.data, rows))]
    places = np.arange(len(ordered)) - values.indptr[rows]
    top = np.zeros((len(lengths), k))
    top[rows[places < k], places[places < k]] = ordered[places < k]
    return top


def _greedy_cover(
    membership: sparse.csr_array, relevant: sparse.csr_array, groups: np.ndarray, depth: int
) -> np.ndarray:
    """The position (from 0) of every user's first hit when each group lists, again and again, the item that most
    of its members still without a hit want; ``depth`` where there is none. A shorter list is the longer one's
    beginning."""
    found = np.full(len(groups), depth)
    for position in range(depth):
        without = found == depth
        if not without.any():
            break
        wanted = _weighted(membership, without.astype(np.float32), relevant)
        hit = has(relevant, np.arange(len(groups)), wanted.argmax(axis=1)[groups])
        found[hit & without] = position
    return found
