"""Where encoders start training from: what the histories alone say of the items."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.decomposition import TruncatedSVD


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
