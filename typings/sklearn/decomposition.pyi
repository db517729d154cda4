# What grouprec uses of a package without types; pyright looks here first. Signatures as in scikit-learn 1.9.
from typing import Literal, Self

import numpy as np
from scipy import sparse

_Points = np.ndarray | sparse.sparray | sparse.spmatrix

class TruncatedSVD:
    components_: np.ndarray  # [n_components, D]
    singular_values_: np.ndarray  # [n_components]
    def __init__(self, n_components: int = 2, *, n_iter: int = 5, random_state: int | None = None) -> None: ...
    def fit(self, X: _Points, y: None = None) -> Self: ...
    def fit_transform(self, X: _Points, y: None = None) -> np.ndarray: ...

class PCA:
    def __init__(
        self,
        n_components: int | None = None,
        *,
        svd_solver: Literal["auto", "full", "arpack", "randomized"] = "auto",
        random_state: int | None = None,
    ) -> None: ...
    def fit_transform(self, X: np.ndarray, y: None = None) -> np.ndarray: ...

def non_negative_factorization(
    X: _Points,
    W: np.ndarray | None = None,
    H: np.ndarray | None = None,
    n_components: int | Literal["auto"] | None = "auto",
    *,
    init: Literal["random", "nndsvd", "nndsvda", "nndsvdar", "custom"] | None = None,
    update_H: bool = True,
    solver: Literal["cd", "mu"] = "cd",
    tol: float = 1e-4,
    max_iter: int = 200,
    alpha_W: float = 0.0,
    alpha_H: float | Literal["same"] = "same",
    l1_ratio: float = 0.0,
    random_state: int | None = None,
) -> tuple[np.ndarray, np.ndarray, int]: ...
