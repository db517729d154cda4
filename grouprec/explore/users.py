"""The users of a finished run among one another: who is near whom, who has an item, where they lie in three dimensions.

What the run's final fit knows of its users is mapped from its file; tastes and positions are worked out once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from scipy import sparse
from sklearn.cluster import KMeans

from grouprec.explore.naming import count_terms
from grouprec.ranking.candidates import taste
from grouprec.runs.places import SNAPSHOT
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run

AXES = 3


@dataclass(frozen=True, eq=False)
class Space:
    """Users in three dimensions.

    Attributes:
        positions: float32 [U, 3], the directions in which tastes differ most (PCA), that of most variance first.
        shares: float64 [3], of the variance of the whole space that every direction shows.
    """

    positions: np.ndarray
    shares: np.ndarray


@dataclass(frozen=True, eq=False)
class RunUsers:
    """The U users of a run's final fit. Rows are those of the fit, which begin the run's users table."""

    base: FitSnapshot

    @classmethod
    def open(cls, run: Run) -> Self:
        """Return the users of a finished run.

        Raises:
            StorageError: the run is older than the file, or it is damaged.
        """
        return cls(FitSnapshot.load(run.file(SNAPSHOT)))

    @cached_property
    def space(self) -> np.ndarray:
        """Return the users in the reduced space of predicted preference that groups are formed in, float32 [U, S]."""
        return np.ascontiguousarray(taste(self.base.candidates) @ self.base.components, dtype=np.float32)

    @cached_property
    def _directions(self) -> np.ndarray:
        """Return the positions scaled to length 1, float32 [U, S]; 0 for users of whom nothing is known."""
        lengths = np.linalg.norm(self.space, axis=1, keepdims=True)
        return self.space / np.where(lengths > 0, lengths, 1)

    def nearest(self, row: int, n: int = 10) -> tuple[np.ndarray, np.ndarray]:
        """Return the users whose predicted tastes are most like a user's.

        Returns:
            rows int64, the nearest first, and their cosines float32 in -1..1; none where nothing is known of the user.
        """
        if not self._directions[row].any():
            return np.empty(0, np.int64), np.empty(0, np.float32)
        cosines = self._directions @ self._directions[row]
        cosines[row] = -np.inf
        n = min(n, len(cosines) - 1)
        best = np.argpartition(-cosines, n - 1)[:n] if n else np.empty(0, np.int64)
        best = best[np.lexsort((best, -cosines[best]))]
        return best, cosines[best]

    @property
    def n_users(self) -> int:
        return len(self.base.user_ids)

    @cached_property
    def terms(self) -> tuple[np.ndarray, sparse.csr_array]:
        """Return the labels' words and which label has which (:func:`~grouprec.explore.naming.count_terms`)."""
        return count_terms(self.base.item_labels)

    @cached_property
    def _items(self) -> dict[str, int]:
        return {item: row for row, item in enumerate(self.base.item_ids.tolist())}

    def item_row(self, item: str) -> int | None:
        """Return the row of an item by its id, None where the fit does not know it."""
        return self._items.get(item)

    def owners(self, item_row: int) -> np.ndarray:
        """Return the users who have an item, ascending rows, int64."""
        entries = np.flatnonzero(self.base.histories.indices == item_row)
        return np.searchsorted(self.base.histories.indptr, entries, side="right") - 1

    @cached_property
    def spatial(self) -> Space:
        """Return the users in the three directions in which their tastes differ most; missing ones are 0."""
        centred = self.space.astype(np.float64) - self.space.mean(axis=0)
        values, vectors = np.linalg.eigh(centred.T @ centred)
        n = min(AXES, len(values))
        axes, shares = np.zeros((len(vectors), AXES)), np.zeros(AXES)
        axes[:, :n] = vectors[:, ::-1][:, :n]
        axes *= np.where(axes.sum(axis=0) < 0, -1, 1)  # a direction and its opposite are the same to PCA
        shares[:n] = np.maximum(values[::-1][:n], 0) / (values.sum() or 1.0)
        return Space((centred @ axes).astype(np.float32), shares)

    def halves(self, rows: np.ndarray) -> np.ndarray:
        """Return which of the users go, bool [len(rows)], when they are split in two by taste (k-means).

        The smaller half goes; nobody does where all are alike.

        Args:
            rows: int, users of the fit.
        """
        points = self.space[rows]
        if len(rows) < 2 or not np.ptp(points, axis=0).any():
            return np.zeros(len(rows), bool)
        labels = KMeans(2, n_init=4, random_state=self.base.seed).fit_predict(points)
        return labels == (0 if (labels == 0).sum() * 2 < len(rows) else 1)
