"""Where encoders start training from: what the histories alone say of the items."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import RidgeCV

STRENGTHS = 10.0 ** np.arange(7)  # of the ridge regression
LEAST_FORETOLD = 0.01  # share of the items' vectors


def singular_vectors(histories: sparse.csr_array, size: int, seed: int) -> np.ndarray:
    """Return item vectors to start training from, float32 [I, size], mean squared length 1.

    They are the right singular vectors of the histories as ones, times their singular values; damped so that neither
    heavy users nor popular items fill all the directions. Columns beyond the rank are 0.
    """
    seen = (histories > 0).astype(np.float32)
    popularity, activity = seen.sum(axis=0) + 1.0, np.maximum(seen.sum(axis=1), 1.0)
    damped = sparse.diags_array(activity**-0.5) @ seen @ sparse.diags_array(popularity**-0.25)
    svd = TruncatedSVD(min(size, len(activity), len(popularity)), random_state=seed).fit(damped)
    vectors = np.zeros((len(popularity), size), np.float32)
    vectors[:, : len(svd.singular_values_)] = np.transpose(svd.components_) * svd.singular_values_
    return vectors / max(np.sqrt(np.mean(np.square(vectors).sum(axis=1))), 1e-6)


def log_popularity(counts: np.ndarray) -> np.ndarray:
    """Return the logarithm of the items' counts, each plus 1, over its mean, float32 [I]: a bias to start from."""
    counts = counts + 1.0
    return np.log(counts / counts.mean()).astype(np.float32)


def foretold(features: np.ndarray, vectors: np.ndarray) -> np.ndarray | None:
    """Return how features set items' vectors apart, float32 [I, D]; None where they hardly do.

    A ridge regression whose strength is chosen by leave-one-out, which also says how much of the vectors it foretells.

    Args:
        features: float32 [I, F].
        vectors: float32 [I, D].
    """
    centred = vectors - vectors.mean(axis=0)
    if not features.shape[1] or not centred.any():
        return None
    ridge = RidgeCV(STRENGTHS, fit_intercept=False).fit(features, centred)
    score: Any = ridge.best_score_  # minus the mean squared error; the stubs leave open that it is there
    left = -score / np.square(centred).mean()
    return ridge.predict(features).astype(np.float32) if left < 1 - LEAST_FORETOLD else None
