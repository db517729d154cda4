"""Implicit-feedback ALS: weighted matrix factorisation by alternating least squares."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any, Self

import implicit.gpu
import numpy as np
import pandas as pd
from implicit.als import AlternatingLeastSquares
from pydantic import Field
from scipy import sparse

from grouprec.core.types import Embeddings
from grouprec.data.dataset import Dataset
from grouprec.models.base import ALWAYS, PRESETS, Auto, Encoder, StageConfig, encoders, setting
from grouprec.models.encoders.linear import as_ones
from grouprec.models.fitting import RunOptions
from grouprec.models.threads import FREE_THREADS, one_thread
from grouprec.ranking.task import NewItemTask

# Tried with the given alpha and regularization. What matters most is how the two relate.
TUNING_ALPHA = (1 / 3, 1.0)
TUNING_REGULARIZATION = (1 / 3, 1.0, 3.0)


@encoders.register(
    "als",
    title="ALS: implicit-feedback matrix factorisation",
    cite="Hu, Koren and Volinsky 2008, Collaborative Filtering for Implicit Feedback Datasets (ICDM)",
    called="ALS",
    measured=".451, reference .438 (the same package, tuned by others). By time .194, reference .200.",
)
class AlsEncoder(Encoder):
    """User and item factors x, y that minimise ``sum c_ui (p_ui - x_u . y_i)^2 + regularization (||x||^2 + ||y||^2)``.

    The sum runs over all pairs: preference p is 1 where the user has the item, else 0; confidence
    ``c = 1 + alpha r`` for weight r (Hu, Koren and Volinsky 2008, eq. 3). Fitted by the package implicit, with
    three conjugate gradient steps per user and item instead of exact solutions (Takacs, Pilaszy and Tikk 2011); on a
    GPU where the package has its CUDA extension, else on the CPU, where the number of threads changes no result: each
    solves for users and items of its own.
    A user's vector, fitted or not, is the exact least squares solution for their history given the item factors
    (eq. 4); zero for an empty history.
    Departure from the paper: with ``binary``, every weight counts as 1.

    Attributes:
        alpha, regularization: those used in the end.
    """

    auto = Auto(PRESETS, turn=3)
    fold_rows = ALWAYS
    usual_seconds = 1.6

    class Config(StageConfig):
        factors: int = setting(
            64, ge=2, le=1024, description="Length of user and item vectors", search=(16, 256), quick=32, thorough=128
        )
        regularization: float = setting(
            30.0, ge=1e-3, le=1e6, description="Strength of regularisation of the factors", search=(1.0, 100.0)
        )
        alpha: float = setting(
            3.0,
            ge=0.0,
            le=1e4,
            description="How much more a known preference counts than an unknown",
            search=(1.0, 20.0),
        )
        tune: bool = setting(
            True,
            description="Try a third of that alpha, and a third and three times that regularisation, in every "
            "combination, and keep the best on the validation part",
            quick=False,
        )
        iterations: int = Field(15, ge=1, le=500, description="Times that users and items take turns")
        binary: bool = Field(True, description="Read a history as has or has not, instead of by its weights")

    config: Config

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        task = NewItemTask.sample(data, run.rng("als validation"))
        trials = [(self.config.alpha, self.config.regularization)]
        if self.config.tune and len(task):
            factors = product(TUNING_ALPHA, TUNING_REGULARIZATION)
            trials = [(self.config.alpha * a, self.config.regularization * r) for a, r in factors]
        best = -1.0
        for step, (alpha, regularization) in enumerate(trials, start=1):
            items = self._fit_items(data.histories, alpha, regularization, run)
            score = task.ndcg(Embeddings(self._solve_users(task.histories, items, alpha, regularization), items))
            values = {"alpha": alpha, "regularization": regularization, "validation": score}
            run.on_progress(step / len(trials), values)
            if score > best:
                best, self.alpha, self.regularization, self._items = score, alpha, regularization, items
        self.decided = {"alpha": self.alpha, "regularization": self.regularization}
        return self

    def items(self) -> np.ndarray:
        return self._items

    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> np.ndarray:
        return self._solve_users(histories, self._items, self.alpha, self.regularization)

    def score_parts(self, histories: sparse.csr_array, recent: np.ndarray | None = None) -> Callable[[int], np.ndarray]:
        """Return the exact parts of the scores (Hu, Koren and Volinsky 2008, section 5).

        A user's vector is ``inverse(A) sum_j c_j y_j`` with ``A = Y'Y + sum_j (c_j - 1) y_j y_j' + regularization``, so
        own item j brings ``c_j y_j . inverse(A) y_i`` to the score of item i. ``inverse(A) y_i`` is found for all users
        at a time by conjugate gradients, which never hold a matrix per user.
        """
        items = self.items().astype(np.float64)
        _, size = items.shape
        gram = items.T @ items + self.regularization * np.eye(size)
        weights = np.ones_like(histories.data) if self.config.binary else histories.data
        extra = self.alpha * weights.astype(np.float64)
        lengths = np.diff(histories.indptr)
        owner = np.repeat(np.arange(len(lengths)), lengths)
        own = items[histories.indices]

        def times_own(vectors: np.ndarray) -> np.ndarray:
            return np.einsum("nd,nd->n", own, vectors[owner])

        def multiply(vectors: np.ndarray) -> np.ndarray:
            known = sparse.csr_array((extra * times_own(vectors), histories.indices, histories.indptr), histories.shape)
            return vectors @ gram + known @ items

        def parts(item: int) -> np.ndarray:
            target = np.tile(items[item], (len(lengths), 1))
            return (1 + extra) * times_own(_solve(multiply, target))

        return parts

    def arrays(self) -> dict[str, np.ndarray]:
        return {"items": self._items, "settings": np.array([self.alpha, self.regularization])}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._items = arrays["items"]
        self.alpha, self.regularization = arrays["settings"].tolist()
        return self

    def _fit_items(
        self, histories: sparse.csr_array, alpha: float, regularization: float, run: RunOptions
    ) -> np.ndarray:
        """Return the item factors, float32 [I, D]."""
        model = self._model(
            regularization,
            iterations=self.config.iterations,
            use_gpu=run.device == "cuda" and implicit.gpu.HAS_CUDA,
            random_state=int(run.rng("als").integers(2**31)),
        )
        with one_thread():
            model.fit(self._confidence(histories, alpha), show_progress=False)
        factors = model.item_factors
        return factors if isinstance(factors, np.ndarray) else factors.to_numpy()

    def _solve_users(
        self, histories: sparse.csr_array, items: np.ndarray, alpha: float, regularization: float
    ) -> np.ndarray:
        """Return the users' least squares solutions given the item factors, float32 [B, D]."""
        n_users, _ = histories.shape
        model = self._model(regularization, use_gpu=False)
        model.item_factors = items
        with one_thread():
            return model.recalculate_user(np.arange(n_users), self._confidence(histories, alpha))

    def _model(self, regularization: float, **options: Any) -> Any:
        # implicit runs threads of its own, and warns where those of BLAS would compete with them.
        with one_thread():
            return AlternatingLeastSquares(
                self.config.factors, regularization, alpha=1.0, num_threads=FREE_THREADS, **options
            )

    def _confidence(self, histories: sparse.csr_array, alpha: float) -> sparse.csr_matrix:
        """Return ``1 + alpha r`` of the known pairs; csr_matrix, the one class that implicit takes as it is."""
        confidence = sparse.csr_matrix(as_ones(histories) if self.config.binary else histories.astype(np.float32))
        confidence.data = 1 + np.float32(alpha) * confidence.data
        return confidence


def _solve(multiply: Callable[[np.ndarray], np.ndarray], target: np.ndarray, steps: int = 200) -> np.ndarray:
    """Return x with ``multiply(x) = target``, row by row positive definite, float64 [B, D]: conjugate gradients."""
    found, left = np.zeros_like(target), target.copy()
    direction, size = left.copy(), np.square(left).sum(axis=1)
    enough = 1e-14 * size.max(initial=0)
    for _ in range(steps):
        if size.max(initial=0) <= enough:
            break
        image = multiply(direction)
        step = size / np.maximum(np.einsum("bd,bd->b", direction, image), 1e-300)
        found += step[:, None] * direction
        left -= step[:, None] * image
        before, size = size, np.square(left).sum(axis=1)
        direction = left + (size / np.maximum(before, 1e-300))[:, None] * direction
    return found
