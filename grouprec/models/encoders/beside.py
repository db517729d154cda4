"""What encoders share that read what is known of users beside their own items."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse
from scipy.linalg import solve

from grouprec.core.types import Embeddings, dense
from grouprec.data.beside import matrix_of
from grouprec.data.dataset import Dataset
from grouprec.models.base import ALWAYS, PRESETS, Auto, Encoder, setting
from grouprec.models.encoders.linear import RidgeConfig, as_ones, csr_arrays, csr_from
from grouprec.models.encoders.nearest import MOST_PAIRS, drawn, pairs, strongest
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import NewItemTask

REPORTED = 500  # items between two reports of progress
FACTORS = (0.1, 0.3, 1.0)  # of the weight, tried


class BesideConfig(RidgeConfig):
    """Settings of encoders that read what is known beside own items."""

    n_nearest: int = setting(
        75,
        ge=1,
        le=1000,
        description="Own items, and as many things beside them, that may speak for an item; time grows with their cube",
        quick=50,
        thorough=100,
    )
    weight: float = Field(
        1.0, ge=0.001, le=1000, description="How much what is known beside own items counts against these"
    )
    tune: bool = Field(
        True, description="Try 0.1 and 0.3 of that weight, too, and keep the best on the validation part"
    )


class BesideEncoder(Encoder):
    """EASE over nearest columns, with more columns beside those of the items: ``[X | w Z]``.

    Z is what is known of users beside their own items. For item j the weights of the columns S that are nearest to it
    (as many of Z as of X, itself left out) are ``(G_SS + l2 I)^-1 G_Sj`` with ``G = [X | w Z]' [X | w Z]``; the smaller
    w, the more regularisation bears on Z. Only the items of X are ever listed. Of users about whom nothing is known it
    says what EASE says, so that it dilutes nothing.
    """

    auto = Auto(PRESETS, turn=20)
    fold_rows = ALWAYS
    usual_seconds = 4.0
    column: ClassVar[str]  # of what is known of users
    Config = BesideConfig
    config: BesideConfig
    _items: sparse.csr_array  # [I, I + J]

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return min(n_rows * (n_rows / max(n_users, 1)), MOST_PAIRS) / 50 + n_items * 20_000.0

    @classmethod
    def memory(cls, n_users: int, n_items: int) -> tuple[int, int]:
        return 8 * 200 * n_items, 8 * min((2 * n_items) ** 2, 2 * MOST_PAIRS)

    def width(self, data: Dataset) -> int:
        """Return how many columns Z has."""
        raise NotImplementedError

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        config, n_items = self.config, data.n_items
        own = as_ones(data.histories)
        beside = matrix_of(data.known_of_users, self.column, self.width(data))
        both = drawn(sparse.csr_array(sparse.hstack([own, beside])), MOST_PAIRS, run.rng(self.name))
        gram = pairs(both)
        near = [strongest(gram, item, n_items, config.n_nearest) for item in range(n_items)]
        task = NewItemTask.sample(data, run.rng(f"{self.name} validation"))
        trials = [config.weight * factor for factor in FACTORS] if config.tune and len(task) else [config.weight]
        best = -1.0
        for step, weight in enumerate(trials):

            def report(fraction: float, step: int = step) -> None:
                run.on_progress((step + fraction) / len(trials), {"weight": trials[step]})

            items = _solved(gram, near, weight, config.l2, report)
            self._items, self._weight = items, weight
            value = task.ndcg(Embeddings(self.encode(task.histories, task.attributes, task.recent), items))
            if value > best:
                best, kept = value, (items, weight)
        self._items, self._weight = kept
        self.decided = {"weight": self._weight}
        return self

    def items(self) -> sparse.csr_array:
        return self._items

    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> sparse.csr_array:
        n_items, width = self._items.shape
        beside = matrix_of(attributes, self.column, width - n_items) * np.float32(self._weight)
        return sparse.csr_array(sparse.hstack([as_ones(histories), beside], format="csr", dtype=np.float32))

    def score_parts(self, histories: sparse.csr_array, recent: np.ndarray | None = None) -> Callable[[int], np.ndarray]:
        n_items, _ = self._items.shape

        def parts(item: int) -> np.ndarray:
            return np.ravel(dense(self._items[[item]]))[:n_items][histories.indices].astype(np.float64)

        return parts

    def arrays(self) -> dict[str, np.ndarray]:
        shape = np.array([self._items.shape[1]])
        return {**csr_arrays(self._items), "n_columns": shape, "weight": np.array([self._weight])}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._items = csr_from(arrays, int(arrays["n_columns"][0]))
        self._weight = float(arrays["weight"][0])
        return self


def _solved(
    gram: np.ndarray | sparse.csr_array,
    near: list[np.ndarray],
    weight: float,
    l2: float,
    report: Callable[[float], None],
) -> sparse.csr_array:
    """Return the weights of every item's columns, float32 CSR [I, I + J], where the columns of Z count ``weight``."""
    n_items, n_columns = len(near), gram.shape[0]
    found = []
    for item, columns in enumerate(near):
        scale = np.where(columns < n_items, 1, weight).astype(np.float32)
        left = dense(gram[columns][:, columns]) * np.outer(scale, scale)
        left[np.diag_indices(len(columns))] += np.float32(l2)
        right = np.ravel(dense(gram[[item]][:, columns])) * scale
        found.append(
            solve(left, right, assume_a="pos", overwrite_a=True, check_finite=False) if len(columns) else right
        )
        if item % REPORTED == 0:
            report(item / n_items)
    starts = np.concatenate([[0], np.cumsum([len(columns) for columns in near])])
    parts = (np.concatenate(found).astype(np.float32), np.concatenate(near), starts)
    return sparse.csr_array(parts, shape=(n_items, n_columns))
