"""Members' predicted preferences -> the two lists of every group."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from grouprec.preference import rank_top, taste
from grouprec.types import Candidates, GroupLists, Groups

STRICT_DEPTH = 50
RANKING_DEPTH = 200
_LEAST = 1e-6  # below any predicted preference that matters


def lists_from_scores(strict_scores: np.ndarray, ranking_scores: np.ndarray, seed: int) -> GroupLists:
    """Return every group's best 50 items (strict) and best 200 (ranking), ties in an order drawn from the seed.

    Args:
        strict_scores: float32 [G, I]; -inf marks what may not be listed.
        ranking_scores: float32 [G, I].
    """
    strict, ranking = rank_top(strict_scores, STRICT_DEPTH, seed), rank_top(ranking_scores, RANKING_DEPTH, seed)
    return GroupLists(*strict, *ranking)


def members_mean(candidates: Candidates, groups: Groups, histories: sparse.csr_array, seed: int) -> GroupLists:
    """Return every group's lists from the predicted preferences of its members.

    Strict: the sum over all members of their :func:`~grouprec.preference.taste`, which is 0 for items they have, so
    the list is worth most to the group as a whole (additive utilitarian aggregation, Masthoff 2004; catalogue
    segmentation's list step, Kleinberg et al. 2004). Ranking: the same sum divided by the number of members who
    lack the item, because only they will be shown it; on MovieLens 100K and Online Retail (validation) adding
    anything to that number made the lists worse or no better.
    Items that no member is predicted to want follow in order of their popularity.

    Args:
        candidates: U users, without the items in ``histories``.
        histories: CSR [U, I].
    """
    membership = member_matrix(groups)
    wanted = (membership @ taste(candidates)).toarray()
    lacking = groups.sizes[:, None] - _owners(membership, histories)
    popularity = _LEAST * histories.count_nonzero(axis=0) / max(len(groups.labels), 1)
    strict = np.where(wanted > 0, wanted, popularity).astype(np.float32)
    ranking = np.where(wanted > 0, wanted / np.maximum(lacking, 1), popularity).astype(np.float32)
    return lists_from_scores(strict, ranking, seed)


def group_popularity(histories: sparse.csr_array, groups: Groups, seed: int) -> GroupLists:
    """Return every group's most popular items: the share of its members that have them, in both lists.

    Args:
        histories: CSR [U, I]; weights do not count.
    """
    shares = (_owners(member_matrix(groups), histories) / groups.sizes[:, None]).astype(np.float32)
    return lists_from_scores(shares, shares, seed)


def reach(candidates: Candidates, groups: Groups, items: np.ndarray, depth: int = 50) -> np.ndarray:
    """Return the share of members that have the item among their own best ``depth`` candidates.

    Args:
        items: int32 [G, K]; -1 gives 0.
    Returns:
        float32 [G, K] in 0..1.
    """
    best = Candidates(candidates.items[:, :depth], np.ones_like(candidates.scores[:, :depth]), candidates.n_items)
    return _share_of_members(best.matrix(), groups, items)


def owned_share(histories: sparse.csr_array, groups: Groups, items: np.ndarray) -> np.ndarray:
    """Return the share of members that have the item already, float32 [G, K]. ``items`` as in :func:`reach`."""
    return _share_of_members(histories, groups, items)


def member_matrix(groups: Groups) -> sparse.csr_array:
    """Return the membership as float32 CSR [G, U], 1 where the user belongs to the group."""
    n_users = len(groups.labels)
    entries = (np.ones(n_users, np.float32), (groups.labels, np.arange(n_users)))
    return sparse.csr_array(entries, shape=(groups.n_groups, n_users))


def _owners(membership: sparse.csr_array, histories: sparse.csr_array) -> np.ndarray:
    """Number of members that have each item, float32 [G, I]."""
    return (membership @ (histories != 0).astype(np.float32)).toarray()


def _share_of_members(matrix: sparse.csr_array, groups: Groups, items: np.ndarray) -> np.ndarray:
    """Share of members with a non-zero entry for the listed items, float32 [G, K]."""
    owners = np.take_along_axis(_owners(member_matrix(groups), matrix), np.maximum(items, 0), axis=1)
    return np.where(items >= 0, owners / groups.sizes[:, None], 0).astype(np.float32)
