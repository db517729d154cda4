"""What encoders share that read a history as a vector over the items: ones or weights, and sparse vectors saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Candidates, dense
from grouprec.models.base import Encoder, StageConfig, setting

# Tried with the given number of neighbours and shrinkage, in every combination.
TUNING_NEIGHBOURS = (0.25, 0.5, 1.0, 2.0, 4.0)
TUNING_SHRINKAGE = (0.0, 1.0, 10.0)


class RidgeConfig(StageConfig):
    """What encoders of ridge regression, EASE and its kin, share."""

    l2: float = setting(
        300.0, ge=0.01, le=1e6, description="Strength of regularisation; more for larger data", search=(30.0, 3000.0)
    )


class NeighbourSettings(Protocol):
    """What :func:`neighbour_trials` reads of the settings of a neighbourhood method."""

    n_neighbours: int
    shrinkage: float


class LinearSettings(Protocol):
    """What :class:`LinearEncoder` reads of its settings."""

    binary: bool


class LinearEncoder(Encoder):
    """An encoder whose user vector is the history itself, and whose scores are sums over the user's own items.

    Its item vectors lie in ``_items``.
    """

    config: LinearSettings
    _items: np.ndarray | sparse.csr_array

    def items(self) -> np.ndarray | sparse.csr_array:
        return self._items

    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> np.ndarray | sparse.csr_array:
        return self.vectors(histories)

    def vectors(self, histories: sparse.csr_array) -> sparse.csr_array:
        """Return the histories as the model reads them: a copy, float32, of ones where ``binary``."""
        return as_ones(histories) if self.config.binary else histories.astype(np.float32)


class FadingSettings(LinearSettings, Protocol):
    """What :class:`FadingEncoder` reads of its settings."""

    fade: float


class FadingEncoder(LinearEncoder):
    """A linear encoder that can let what a user took last speak loudest when scores are made."""

    config: FadingSettings

    @property
    def asks_for_recent(self) -> bool:
        return self.config.fade > 0

    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> sparse.csr_array:
        vectors = self.vectors(histories)
        return vectors if recent is None or not self.config.fade else faded(vectors, recent, self.config.fade)

    def score_parts(self, histories: sparse.csr_array, recent: np.ndarray | None = None) -> Callable[[int], np.ndarray]:
        weights = self.encode(histories, pd.DataFrame(index=range(histories.shape[0])), recent).data

        def parts(item: int) -> np.ndarray:
            of_item = np.ravel(dense(self._items[[item]]))[histories.indices]
            return weights * of_item.astype(np.float64)

        return parts


def gram_matrix(vectors: sparse.csr_array, dtype: npt.DTypeLike) -> np.ndarray:
    """Return X'X, [I, I], for histories X, float CSR [U, I]; of ones single precision holds it exactly."""
    _, n_items = vectors.shape
    vectors = sparse.csr_array(vectors.astype(dtype))
    users_of = vectors.T.tocsr()
    gram = np.empty((n_items, n_items), dtype)
    size = rows_per_batch(n_items)
    for start in range(0, n_items, size):
        gram[start : start + size] = (users_of[start : start + size] @ vectors).toarray()
    return gram


def as_ones(histories: sparse.csr_array) -> sparse.csr_array:
    """Return histories that say has or has not: ones, float32 CSR of the same shape; a copy."""
    ones = histories.astype(np.float32)
    ones.data = np.ones_like(ones.data)
    return ones


def faded(vectors: sparse.csr_array, recent: np.ndarray, half_life: float) -> sparse.csr_array:
    """Return histories in which an item counts half after every ``half_life`` later rows of its user, float32 CSR.

    Args:
        vectors: CSR [B, I], what the items of the users count by themselves.
        recent: int32 [B, L], their latest items, oldest first, -1 before the first; what is older than all of them
            counts as if it stood before them.
    """
    n_users, n_items = vectors.shape
    _, length = recent.shape
    keys = np.repeat(np.arange(n_users, dtype=np.int64) * n_items, np.diff(vectors.indptr)) + vectors.indices
    order = np.argsort(keys)
    owner, column = np.nonzero(recent >= 0)
    wanted = owner * np.int64(n_items) + recent[owner, column]
    place = np.minimum(np.searchsorted(keys, wanted, sorter=order), max(len(keys) - 1, 0))
    age = np.full(len(keys), length)
    if len(keys):
        found = order[place]
        own = keys[found] == wanted
        np.minimum.at(age, found[own], length - 1 - column[own])
    values = vectors.data * np.exp2(-age / half_life)
    return sparse.csr_array((values.astype(np.float32), vectors.indices, vectors.indptr), shape=vectors.shape)


def neighbour_trials(settings: NeighbourSettings, tune: bool) -> tuple[list[int], list[float]]:
    """Return the numbers of neighbours and the shrinkages to try: those of the settings alone unless ``tune``."""
    if not tune:
        return [settings.n_neighbours], [settings.shrinkage]
    numbers = {max(1, round(settings.n_neighbours * factor)) for factor in TUNING_NEIGHBOURS}
    return sorted(numbers), sorted({settings.shrinkage * factor for factor in TUNING_SHRINKAGE})


def similarity_matrix(nearest: Candidates, n: int) -> sparse.csr_array:
    """Return the similarities to the first ``n`` of the nearest users or items, float32 CSR [B, U or I]."""
    matrix = Candidates(nearest.items[:, :n], nearest.scores[:, :n], nearest.n_items).matrix()
    matrix.eliminate_zeros()
    return matrix


def csr_arrays(matrix: sparse.csr_array) -> dict[str, np.ndarray]:
    """Return what a sparse matrix is saved as."""
    return {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr}


def csr_from(arrays: dict[str, np.ndarray], n_columns: int | None = None) -> sparse.csr_array:
    """Return the matrix of :func:`csr_arrays`; it is square where the number of columns is not given."""
    n_rows = len(arrays["indptr"]) - 1
    parts = (arrays["data"], arrays["indices"], arrays["indptr"])
    return sparse.csr_array(parts, shape=(n_rows, n_rows if n_columns is None else n_columns))
