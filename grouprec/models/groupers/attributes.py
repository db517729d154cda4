"""Groups by what is known about the users themselves."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from grouprec.core.types import Groups, Preference, SettingError
from grouprec.data.dataset import Dataset
from grouprec.data.features import AttributeFeatures
from grouprec.models.base import Grouper, Regime, StageConfig, groupers, setting
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.centres import centre_distances, check_n_groups, fit_centres


@groupers.register(
    "attributes",
    title="By user attributes",
    cite="Smith 1956, Product Differentiation and Market Segmentation (J. Marketing); Lloyd 1982",
    explained="by what is known of them",
)
class AttributesGrouper(Grouper):
    """Groups of users with like attributes: a priori segmentation (Smith 1956), by k-means where values are many.

    The chosen columns become features (numbers standardised, one column for every category, free text by TF-IDF and
    SVD) and k-means forms the groups (Lloyd 1982). One column of categories with no more values than groups asked
    for gives exactly one group per value, since equal users share a point. A group below the smallest size joins
    the nearest other one; the values of one column are all equally near, so its members join the largest group.
    Groups are numbered by size. Users of whom no chosen attribute is known (missing, or never seen, or beyond the 50
    most frequent categories) do not shape the groups and belong to group 0.
    """

    reads_attributes = True
    per_user = ("labels",)

    class Config(StageConfig):
        columns: str = Field(
            "", max_length=2000, description="Names of the user attributes to group by, comma between; empty means all"
        )
        n_init: int = setting(
            10, ge=1, le=100, description="Number of random starts; the best one is kept", quick=4, thorough=30
        )
        min_group_size: int = Field(
            5, ge=1, le=10_000, description="Smallest group in users; members of a smaller one join the nearest other"
        )

    config: Config
    _features: AttributeFeatures
    _centres: np.ndarray  # float32 [G, F]
    _labels: np.ndarray  # int32 [U]

    def fit(
        self, data: Dataset, preference: Preference, n_groups: int, run: RunOptions, regime: Regime = "strict"
    ) -> Self:
        """Form the groups; the preference is not read.

        Raises:
            SettingError: ``n_groups`` is below 1 or above the number of users, the data has no user attributes, or
                a chosen one does not exist.
        """
        check_n_groups(n_groups, data.n_users)
        chosen = data.user_attributes[self._chosen(data.user_attributes)]
        seed = int(run.rng("attributes").integers(2**31))
        self._features = AttributeFeatures().fit(chosen, seed)
        features, known = self._features.transform(chosen)
        self._centres = fit_centres(features[known], n_groups, self.config.n_init, self.config.min_group_size, seed)
        self._labels = centre_distances(features, self._centres, known).argmin(axis=1).astype(np.int32)
        run.on_progress(1.0, {"groups": float(len(self._centres))})
        return self

    def _chosen(self, attributes: pd.DataFrame) -> list[str]:
        """Return the names of the columns to group by."""
        if attributes.empty:
            raise SettingError(
                "The grouper 'attributes' needs user attributes and the data has none; give a users file with at "
                "least one column besides the id, or choose another grouper."
            )
        names = [name.strip() for name in self.config.columns.split(",") if name.strip()]
        unknown = [name for name in names if name not in attributes]
        if unknown:
            raise SettingError(
                f"The data has no user attribute called '{unknown[0]}' (setting columns of the grouper 'attributes'); "
                f"choose from: {', '.join(map(str, attributes.columns))}."
            )
        return list(dict.fromkeys(names)) or list(attributes.columns)

    def groups(self) -> Groups:
        return Groups(self._labels, len(self._centres))

    def distances(self, preference: Preference, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        """Return the Euclidean distances to the centres in features, float32 [B, G]; only attributes are read."""
        features, known = self._features.transform(attributes)
        return centre_distances(features, self._centres, known)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"centres": self._centres, "labels": self._labels, **self._features.arrays()}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._centres, self._labels = arrays["centres"], arrays["labels"]
        self._features = AttributeFeatures().load(arrays)
        return self
