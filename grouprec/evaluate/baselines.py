"""Simple methods that every list has to beat."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.preprocessing import normalize

from grouprec.core.arrays import presence
from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Candidates, GroupLists, Groups
from grouprec.models.threads import one_thread
from grouprec.ranking.candidates import best_unseen, in_blocks, rank_top
from grouprec.ranking.group_lists import group_popularity

# A baseline is somebody's usual way, so it has a name; tables of runs bear these names.
PREDICTOR = "ease"  # the encoder that others are compared with, also where it has no weight in the blend
PREDICTORS = (PREDICTOR, "als")  # that are judged alone, also without a weight
GROUPER = "kmeans"
ITEM_KNN = "item_knn"  # an encoder of that name is the same method, tuned


def everybody(n_users: int) -> Groups:
    """Return one group of all users."""
    return Groups(np.zeros(n_users, np.int32), 1)


def popularity(histories: sparse.csr_array, seed: int) -> GroupLists:
    """Return one list for all: the items that most users have. G = 1."""
    n_users, _ = histories.shape
    return group_popularity(histories, everybody(n_users), seed)


def own_frequency(histories: sparse.csr_array, n: int = 200) -> Candidates:
    """Return every user's own items by weight, which grows with how often they took them: the repeats baseline."""
    return best_unseen(lambda rows: histories[rows].toarray(), sparse.csr_array(histories.shape), n)


def item_knn(
    histories: sparse.csr_array,
    seen: sparse.csr_array,
    n_neighbours: int = 100,
    n: int = 200,
    seed: int = 0,
    users: np.ndarray | slice = slice(None),
) -> Candidates:
    """Return every user's best unseen items by item-based nearest neighbours (Deshpande and Karypis 2004).

    The score of an item is the sum of its cosine similarities to the user's own items, where every item of the user
    speaks for its ``n_neighbours`` most similar ones only. Histories count as yes or no; similarities are not
    normalised further.

    Args:
        histories: CSR [U, I].
        seen: CSR [U, I], what is not listed.
        n: candidates per user.
        users: rows, of those who get candidates.
    """
    owned = presence(histories)
    similarity = item_similarity(owned, n_neighbours, seed)
    asking = owned[users]
    return best_unseen(lambda rows: (asking[rows] @ similarity).toarray(), seen[users], n, seed)


def item_similarity(owned: sparse.csr_array, n_neighbours: int, seed: int) -> sparse.csr_array:
    """Return the cosine of every item to its nearest others, float32 CSR [I, I], at most ``n_neighbours`` a row."""
    _, n_items = owned.shape
    columns = sparse.csr_array(normalize(owned, axis=0))
    rows = columns.T.tocsr()
    n = min(n_neighbours, n_items)
    neighbours, cosines = np.empty((n_items, n), np.int32), np.empty((n_items, n), np.float32)
    size = min(1024, rows_per_batch(n_items, 1 << 24))

    def block(start: int) -> None:
        alike = (rows[start : start + size] @ columns).toarray()
        at = np.arange(len(alike))
        alike[at, start + at] = -np.inf
        neighbours[start : start + size], cosines[start : start + size] = rank_top(alike, n, seed)

    in_blocks(block, range(0, n_items, size))
    similarity = Candidates(neighbours, cosines, n_items).matrix()
    similarity.eliminate_zeros()
    return similarity


def history_space(histories: sparse.csr_array, seed: int) -> np.ndarray:
    """Return the raw histories, L2-normalised and reduced to 32 dimensions (truncated SVD), float64 [U, S]."""
    profiles = sparse.csr_array(normalize(histories))
    _, n_items = profiles.shape
    size = min(32, n_items)
    reduced = TruncatedSVD(size, random_state=seed).fit_transform(profiles) if size > 1 else profiles.toarray()
    return reduced.astype(np.float64)  # k-means casts float32 to float64 block by block, at twice the time


def history_groups(histories: sparse.csr_array, n_groups: int, seed: int, space: np.ndarray | None = None) -> Groups:
    """Return k-means groups of the raw histories.

    What most segmentation projects do, and the yardstick for grouping by predicted preference. At most as many
    groups as users; where users coincide fewer come back, none empty.

    Args:
        space: :func:`history_space`, where several numbers of groups are formed from it.
    """
    reduced = history_space(histories, seed) if space is None else space
    n_groups = min(n_groups, len(np.unique(reduced, axis=0)))
    with one_thread():
        labels = KMeans(n_groups, n_init=4, random_state=seed).fit_predict(reduced)
    used, labels = np.unique(labels, return_inverse=True)
    return Groups(labels.astype(np.int32), len(used))
