"""How alike two samples of points are: what a generator of virtual members is judged by."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

NEIGHBOURS = 5  # a point's own ball reaches to its fifth fellow: two samples of one kind then cover 97 % of each other


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """Return the squared Frechet distance between Gaussians fitted to two samples of at least 2 points.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2) (Dowson & Landau 1982; Heusel et al. 2017), in float64.
    """
    first, second = first.astype(np.float64), second.astype(np.float64)
    covariance, other = (np.atleast_2d(np.cov(sample, rowvar=False)) for sample in (first, second))
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    overlap = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other @ root), 0)).sum()
    shift = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum()
    return max(float(shift + np.trace(covariance) + np.trace(other) - 2 * overlap), 0.0)


def coverage(virtual: np.ndarray, members: np.ndarray) -> float:
    """Return the share of members with a virtual member in their own ball (Naeem et al. 2020).

    A member's ball reaches to its fifth nearest fellow. For two samples of one distribution and one size the share is
    about 1 - 2^-5 = .97; a generator that forgets a mode leaves its members uncovered.

    Args:
        virtual: [V, Z].
        members: [M, Z], at least 2.
    """
    k = min(NEIGHBOURS, len(members) - 1)
    reach = NearestNeighbors(n_neighbors=k).fit(members).kneighbors()[0][:, -1]
    nearest = NearestNeighbors(n_neighbors=1).fit(virtual).kneighbors(members)[0][:, 0]
    return float((nearest <= reach).mean())


def copy_share(virtual: np.ndarray, members: np.ndarray) -> float:
    """Return the share of virtual members nearer to a real one than half of the real ones are to one another.

    About one half for a generator that draws from the members' own distribution, near 1 for one that has learned
    members by heart (the distance to the closest record of synthetic data, Park et al. 2018).

    Args:
        virtual: [V, Z].
        members: [M, Z], at least 2.
    """
    usual = np.median(NearestNeighbors(n_neighbors=1).fit(members).kneighbors()[0][:, -1])
    return float((NearestNeighbors(n_neighbors=1).fit(members).kneighbors(virtual)[0][:, 0] < usual).mean())
