"""How alike two samples of points are: what a generator of virtual members is judged by."""

from __future__ import annotations

from collections.abc import Sequence

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


def coverage(samples: Sequence[np.ndarray], members: np.ndarray) -> float:
    """Return the share of members with a virtual member in their own ball (Naeem et al. 2020), mean over samples.

    A member's ball reaches to its fifth nearest fellow. For two samples of one distribution and one size the share is
    about 1 - 2^-5 = .97; a generator that forgets a mode leaves its members uncovered.

    Args:
        samples: of virtual members, [V, Z] each.
        members: [M, Z], at least 2.
    """
    k = min(NEIGHBOURS, len(members) - 1)
    reach = NearestNeighbors(n_neighbors=k).fit(members).kneighbors()[0][:, -1]
    nearest = (NearestNeighbors(n_neighbors=1).fit(sample).kneighbors(members)[0][:, 0] for sample in samples)
    return float(np.mean([(distance <= reach).mean() for distance in nearest]))


def copy_shares(samples: Sequence[np.ndarray], members: np.ndarray) -> list[float]:
    """Return the share of every sample's points nearer to a real one than half of the real ones are to one another.

    About one half for a generator that draws from the members' own distribution, near 1 for one that has learned
    members exactly (the distance to the closest record of synthetic data, Park et al. 2018).

    Args:
        samples: [V, Z] each.
        members: [M, Z], at least 2, the real ones.
    """
    known = NearestNeighbors(n_neighbors=1).fit(members)
    usual = np.median(known.kneighbors()[0][:, -1])
    return [float((known.kneighbors(sample)[0][:, 0] < usual).mean()) for sample in samples]
