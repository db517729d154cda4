"""EASE: the closed-form linear item-item model. Strong, and every score is an exact sum over the user's own items."""

from __future__ import annotations

from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from scipy.linalg import lapack

from grouprec.core.types import Embeddings, SettingError
from grouprec.data.dataset import Dataset
from grouprec.models.base import ALWAYS, PRESETS, Auto, encoders, setting
from grouprec.models.encoders.linear import FadingEncoder, RidgeConfig, gram_matrix
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import NewItemTask

EXACT = 10_000  # largest eigenvalue over l2 up to which single precision is exact to a thousandth
TILE = 256  # rows and columns of a matrix that the processor's cache holds, twice
TUNING_FACTORS = (0.1, 0.3, 1.0, 3.0)


@encoders.register(
    "ease",
    title="EASE: linear item-item model",
    cite="Steck 2019, Embarrassingly Shallow Autoencoders for Sparse Data (arXiv 1905.03375)",
    called="EASE",
    measured=".446, reference .444 (the same method, tuned by others). By time .205, reference .204.",
)
class EaseEncoder(FadingEncoder):
    """Item weights B that minimise ``||X - X B||^2 + l2 ||B||^2`` with a zero diagonal (Steck 2019, eq. 8).

    With ``P = (X'X + l2 I)^-1``: ``B = I - P diag(1 / diag(P))``. A user's scores are ``history @ B``, so the
    history itself is the user vector (CSR, D = I) and the columns of B are the item vectors.
    Departures from the paper: without ``binary``, X holds the weights of the histories; with ``fade``, what a user took
    last speaks loudest when scores are made (B is learned from all alike).

    Attributes:
        l2: the regularisation used in the end.
    """

    auto = Auto(PRESETS, turn=1, instead="ease_nearest")
    fold_rows = ALWAYS
    usual_seconds = 2.6

    class Config(RidgeConfig):
        tune_l2: bool = setting(
            True,
            description="Try 0.1, 0.3, 1 and 3 times that strength and keep the best on the validation part",
            quick=False,
        )
        # Purchases of the bundled sample: nDCG@10 .088 as ones, .068 as summed logarithms of quantities.
        binary: bool = Field(True, description="Read a history as has or has not, instead of by its weights")
        # MovieLens 100K by each user's time, nDCG@10: .208 without, .251 to .259 with 3 to 8; Online Retail loses.
        fade: float = Field(
            0.0, ge=0, le=1000, description="Later rows of a user after which an item counts half; 0 counts all alike"
        )
        max_items: int = setting(
            10_000,
            ge=2,
            le=60_000,
            description="Largest catalogue accepted; time grows with items cubed, memory is 20 bytes x items squared",
            quick=8_000,
            thorough=20_000,
        )

    config: Config
    _items: np.ndarray

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_items**2 * (n_items + 3000)

    @classmethod
    def memory(cls, n_users: int, n_items: int) -> tuple[int, int]:
        return 8 * n_items**2, 20 * n_items**2  # see Config.max_items

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        """Solve for the item weights.

        Raises:
            SettingError: the catalogue is larger than ``max_items``.
        """
        if data.n_items > self.config.max_items:
            raise SettingError(
                f"The encoder 'ease' takes at most {self.config.max_items:,} items (setting max_items) and the data "
                f"has {data.n_items:,}; choose the encoder '{self.auto.instead}' or keep fewer items."
            )
        gram = gram_matrix(self.vectors(data.histories), np.float32 if self.config.binary else np.float64)
        largest = _largest_sum(gram)
        if not self.config.tune_l2:
            self.l2, self._items = self.config.l2, self._solved(gram, largest, self.config.l2, run.device)
            run.on_progress(1.0, {"l2": self.l2})
        else:
            self._tune(data, run, gram, largest)
        self.decided = {"l2": self.l2}
        return self

    def _tune(self, data: Dataset, run: RunOptions, gram: np.ndarray, largest: float) -> None:
        """Keep the strength that finds what is held out of the training best."""
        task = NewItemTask.sample(data, run.rng("ease validation"))
        values = [self.config.l2 * factor for factor in TUNING_FACTORS] if len(task) else [self.config.l2]
        best = -1.0
        for step, l2 in enumerate(values, start=1):
            items = self._solved(gram, largest, l2, run.device)
            score = task.ndcg(Embeddings(self.encode(task.histories, task.attributes, task.recent), items))
            run.on_progress(step / len(values), {"l2": l2, "validation": score})
            if score > best:
                best, self.l2, self._items = score, l2, items

    def _solved(self, gram: np.ndarray, largest: float, l2: float, device: str) -> np.ndarray:
        return _item_weights(gram, l2, np.float64 if largest > EXACT * l2 else np.float32, device)

    def arrays(self) -> dict[str, np.ndarray]:
        return {"items": self._items, "l2": np.array([self.l2])}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._items, self.l2 = arrays["items"], float(arrays["l2"][0])
        return self


def _largest_sum(gram: np.ndarray) -> float:
    """Return the largest sum of a column without signs: no eigenvalue is larger (Gershgorin)."""
    whole = gram if gram.min(initial=0) >= 0 else np.abs(gram)
    return float(whole.sum(axis=0, dtype=np.float64).max(initial=0))


def _item_weights(gram: np.ndarray, l2: float, dtype: npt.DTypeLike, device: str = "cpu") -> np.ndarray:
    """Return B transposed, float32 [I, I] in Fortran order, for the Gram matrix X'X [I, I], computed in ``dtype``.

    Scores are products with its transpose, and sparse rows times a matrix in C order need no copy of it.
    """
    regular = gram.astype(dtype)
    regular[np.diag_indices_from(regular)] += l2
    weights = _inverse_on(regular, device) if device.startswith("cuda") else None
    if weights is None:  # also where the device has no room
        weights = _inverse_here(regular, l2)
    diagonal = weights.diagonal().copy()
    _mirror(weights)
    weights /= -diagonal
    return weights.T


def _inverse_on(regular: np.ndarray, device: str) -> np.ndarray | None:
    """Return the inverse of a positive definite matrix [I, I] computed on a GPU, float32 in C order.

    None where its memory does not hold it or it finds the matrix singular: then it is inverted here, which says so.
    """
    try:
        factor = torch.linalg.cholesky(torch.from_numpy(regular).to(device))
        return torch.cholesky_inverse(factor).to(torch.float32).cpu().contiguous().numpy()
    except RuntimeError:  # out of memory and singular matrices among others
        return None


def _inverse_here(inverse: np.ndarray, l2: float) -> np.ndarray:
    """Return the inverse of a matrix [I, I], which is overwritten, float32 in C order, its lower triangle filled.

    Raises:
        FloatingPointError: the matrix is singular.
    """
    # Cholesky, and the inverse from its factor in place; only the upper triangle comes back filled. Fortran order
    # spares a copy, and the transpose of a symmetric matrix is the matrix.
    single = inverse.dtype == np.float32
    factorise, invert = (lapack.spotrf, lapack.spotri) if single else (lapack.dpotrf, lapack.dpotri)
    factor, failed = factorise(inverse.T, overwrite_a=True, clean=False)
    inverse, failed_inverse = invert(factor, overwrite_c=True)
    if failed or failed_inverse:
        raise FloatingPointError(f"EASE: the Gram matrix is singular at l2 = {l2:g}; choose a larger l2.")
    return inverse.T.astype(np.float32, copy=False)


def _mirror(matrix: np.ndarray) -> None:
    """Fill the upper triangle of a matrix [I, I] with the lower one, and the diagonal with 0."""
    tiles = [slice(start, start + TILE) for start in range(0, len(matrix), TILE)]
    for n, rows in enumerate(tiles):
        corner = np.tril(matrix[rows, rows], -1)
        matrix[rows, rows] = corner + corner.T
        for columns in tiles[n + 1 :]:
            matrix[rows, columns] = matrix[columns, rows].T
