"""K-means on predicted preferences."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from grouprec.core.types import Groups, Preference
from grouprec.data.dataset import Dataset
from grouprec.models.base import Grouper, Regime, StageConfig, groupers, setting
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.centres import centre_distances, check_n_groups, fit_centres


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
        check_n_groups(n_groups, len(space))
        settings = self.config
        seed = int(run.rng("kmeans").integers(2**31))
        points = space[space.any(axis=1)]
        self._centres = fit_centres(points, n_groups, settings.n_init, settings.min_group_size, seed, settings.max_iter)
        self._labels = self._distances(space).argmin(axis=1).astype(np.int32)
        run.on_progress(1.0, {"groups": float(len(self._centres))})
        return self

    def _distances(self, space: np.ndarray) -> np.ndarray:
        """Return the Euclidean distance of every row to every centre, float32 [B, G]; 0 for a zero row."""
        return centre_distances(space, self._centres, np.asarray(space.any(axis=1)))

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
