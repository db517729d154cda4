"""What groupers by centres share: k-means groups of a smallest size, and distances to them."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from grouprec.core.arrays import largest_first
from grouprec.core.types import SettingError
from grouprec.models.threads import one_thread


def check_n_groups(n_groups: int, n_users: int) -> None:
    """Refuse a number of groups that so many users cannot form.

    Raises:
        SettingError: ``n_groups`` is below 1 or above ``n_users``.
    """
    if not 1 <= n_groups <= n_users:
        raise SettingError(
            f"{n_groups} groups cannot be formed of {n_users} users; choose n_groups from 1 to {n_users}."
        )


def fit_centres(
    points: np.ndarray, n_groups: int, n_init: int, min_group_size: int, seed: int, max_iter: int = 300
) -> np.ndarray:
    """Return the centres of k-means groups by size, largest first, float32 [G, F].

    A group below the smallest size gives up its centre, smallest group first, and its members go to the nearest
    other one. The centres that stay do not move, so :func:`centre_distances` finds every point where it was counted.

    Args:
        points: float32 [n, F], any n and F.
        n_groups: groups asked for; fewer come back where points coincide or groups are too small, at least 1.
        n_init: random starts; the best one is kept.
        max_iter: most iterations of one start.
    """
    if not points.size:
        return np.zeros((1, points.shape[1]), np.float32)
    n_places = len(np.unique(points, axis=0))
    kmeans = KMeans(min(n_groups, n_places), n_init=n_init, max_iter=max_iter, random_state=seed)
    with one_thread():
        centres = kmeans.fit(points).cluster_centers_.astype(np.float32)
    known = np.ones(len(points), bool)
    while True:
        nearest = centre_distances(points, centres, known).argmin(axis=1)
        sizes = np.bincount(nearest, minlength=len(centres))
        order = largest_first(sizes)
        if len(centres) == 1 or sizes[order[-1]] >= min_group_size:
            return centres[order]
        centres = np.delete(centres, order[-1], axis=0)


def centre_distances(points: np.ndarray, centres: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the Euclidean distance of every point to every centre, float32 [B, G]; 0 where not ``known``, bool [B]."""
    distances = cdist(points, centres).astype(np.float32)
    distances[~known] = 0
    return distances
