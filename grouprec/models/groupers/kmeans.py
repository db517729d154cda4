"""K-means on predicted preferences."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans

from grouprec.core.types import Groups, Preference, SettingError
from grouprec.data.dataset import Dataset
from grouprec.models.base import Grouper, Regime, StageConfig, groupers, setting
from grouprec.models.fitting import RunOptions
from grouprec.models.threads import one_thread


@groupers.register(
    "kmeans",
    title="K-means on predicted preferences",
    cite="Lloyd 1982; Arthur & Vassilvitskii 2007",
    explained="by predicted taste (k-means)",
)
class KMeansGrouper(Grouper):
    """Groups of users whose predicted preferences lie close together (Lloyd 1982, seeded by k-means++).

    Departures from plain k-means: a group below the smallest size gives up its centre and its members go to the
    nearest other one; groups are numbered by size, group 0 the largest; users without any predicted preference
    (a zero row) do not shape the centres and belong to group 0.
    """

    per_user = ("labels",)

    class Config(StageConfig):
        n_init: int = setting(
            10, ge=1, le=100, description="Number of random starts; the best one is kept", quick=4, thorough=30
        )
        max_iter: int = Field(300, ge=1, le=10_000, description="Most iterations of one start")
        min_group_size: int = Field(
            5, ge=1, le=10_000, description="Smallest group in users; members of a smaller one join the nearest other"
        )

    places_by_space = True
    config: Config
    _centres: np.ndarray  # float32 [G, S]
    _labels: np.ndarray  # int32 [U]

    def fit(
        self, data: Dataset, preference: Preference, n_groups: int, run: RunOptions, regime: Regime = "strict"
    ) -> Self:
        """Form the groups; fewer than ``n_groups`` where users coincide or groups are merged.

        Raises:
            SettingError: ``n_groups`` is below 1 or above the number of users.
        """
        space = preference.space
        if not 1 <= n_groups <= len(space):
            raise SettingError(
                f"{n_groups} groups cannot be formed of {len(space)} users; choose n_groups from 1 to {len(space)}."
            )
        points = space[space.any(axis=1)]
        centres = self._lloyd(points, n_groups, int(run.rng("kmeans").integers(2**31)))
        self._centres = self._settle(points, centres)
        self._labels = self._distances(space).argmin(axis=1).astype(np.int32)
        run.on_progress(1.0, {"groups": float(len(self._centres))})
        return self

    def _lloyd(self, points: np.ndarray, n_groups: int, seed: int) -> np.ndarray:
        """Return the centres of k-means, float32 [G, S]."""
        n_distinct = len(np.unique(points, axis=0))
        if n_distinct == 0:
            return np.zeros((1, points.shape[1]), np.float32)
        kmeans = KMeans(
            min(n_groups, n_distinct), n_init=self.config.n_init, max_iter=self.config.max_iter, random_state=seed
        )
        with one_thread():
            return kmeans.fit(points).cluster_centers_.astype(np.float32)

    def _settle(self, points: np.ndarray, centres: np.ndarray) -> np.ndarray:
        """Drop the centres of groups that are too small, smallest first, and number the rest by size.

        The centres that stay do not move, so :meth:`place` puts every fitted user where :meth:`groups` has them.
        """
        while True:
            sizes = np.bincount(cdist(points, centres).argmin(axis=1), minlength=len(centres))
            order = np.argsort(-sizes, kind="stable")
            if len(centres) == 1 or sizes[order[-1]] >= self.config.min_group_size:
                return centres[order]
            centres = np.delete(centres, order[-1], axis=0)

    def _distances(self, space: np.ndarray) -> np.ndarray:
        """Return the Euclidean distance of every row to every centre, float32 [B, G]; 0 for a zero row."""
        distances = cdist(space, self._centres)
        distances[~space.any(axis=1)] = 0
        return distances.astype(np.float32)

    def groups(self) -> Groups:
        return Groups(self._labels, len(self._centres))

    def distances(self, preference: Preference, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        """Return the Euclidean distances to the centres, float32 [B, G]; histories and attributes are not read."""
        return self._distances(preference.space)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"centres": self._centres, "labels": self._labels}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._centres, self._labels = arrays["centres"], arrays["labels"]
        return self
