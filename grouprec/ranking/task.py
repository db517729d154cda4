"""The validation metric that encoders stop on and choose settings by; the test part is never read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.types import Embeddings
from grouprec.data.dataset import Dataset

CHUNK = 512  # users whose scores over the whole catalogue are held at one time


@dataclass(frozen=True, eq=False)
class NewItemTask:
    """A sample of users and the items, new to them, that they take up in the validation part.

    Attributes:
        user_rows: int64 [V], ascending; only users with something new to find.
        histories: float32 CSR [V, I], their training histories.
        relevant: bool CSR [V, I], validation items outside the history.
        attributes: V rows of user attributes.
        recent: int32 [V, L], their latest training items (:meth:`~grouprec.data.dataset.Dataset.recent`).
        order: int64 [I], the catalogue in random order, so that equal scores are ranked at random.
    """

    user_rows: np.ndarray
    histories: sparse.csr_array
    relevant: sparse.csr_array
    attributes: pd.DataFrame
    recent: np.ndarray
    order: np.ndarray

    @classmethod
    def sample(cls, data: Dataset, rng: np.random.Generator, max_users: int = 1000) -> Self:
        """Return the task for at most ``max_users`` users drawn from those who have one."""
        seen = data.histories.astype(bool)
        taken = data.validation.matrix(data.shape).astype(bool)
        relevant = (taken > taken.multiply(seen)).tocsr()
        users = np.flatnonzero(np.diff(relevant.indptr))
        if len(users) > max_users:
            users = np.sort(rng.choice(users, max_users, replace=False))
        return cls(
            users,
            data.histories[users],
            relevant[users],
            data.user_attributes.iloc[users] if len(data.user_attributes) else pd.DataFrame(index=users),
            data.recent()[users],
            rng.permutation(data.n_items),
        )

    def __len__(self) -> int:
        return len(self.user_rows)

    def ndcg(self, embeddings: Embeddings, k: int = 10) -> float:
        """Return the mean nDCG@k over the task's users; 0 where there are none.

        Binary relevance, full ranking of the items outside the history, gain 1/log2(rank + 1), divided by the
        best value that the user's number of relevant items allows.

        Args:
            embeddings: vectors of the task's users, in the task's order, and of all items.
            k: length of the list.
        """
        if not len(self):
            return 0.0
        k = min(k, len(self.order))
        gains = 1.0 / np.log2(np.arange(2, k + 2))
        found = np.concatenate(
            [self._hits(embeddings, slice(start, start + CHUNK), k) @ gains for start in range(0, len(self), CHUNK)]
        )
        n_relevant = np.diff(self.relevant.indptr)
        return float(np.mean(found / gains.cumsum()[np.minimum(n_relevant, k) - 1]))

    def _hits(self, embeddings: Embeddings, rows: slice, k: int) -> np.ndarray:
        """Return which of the best k new items are relevant, bool [B, k], best first."""
        scores = embeddings.scores(rows)
        scores[self.histories[rows].nonzero()] = -np.inf
        scores = scores[:, self.order]
        top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        top = np.take_along_axis(top, np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1), axis=1)
        relevant = self.relevant[rows].toarray()
        return np.take_along_axis(relevant, self.order[top], axis=1)
