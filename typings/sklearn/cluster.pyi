# What grouprec uses of a package without types; pyright looks here first. Signatures as in scikit-learn 1.9.
from typing import Literal, Self

import numpy as np

class KMeans:
    cluster_centers_: np.ndarray  # [n_clusters, D], of the dtype of the points
    labels_: np.ndarray  # int32 [B]
    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Literal["k-means++", "random"] | np.ndarray = "k-means++",
        n_init: Literal["auto"] | int = "auto",
        max_iter: int = 300,
        random_state: int | None = None,
    ) -> None: ...
    def fit(self, X: np.ndarray, y: None = None, sample_weight: np.ndarray | None = None) -> Self: ...
    def fit_predict(self, X: np.ndarray, y: None = None, sample_weight: np.ndarray | None = None) -> np.ndarray: ...
