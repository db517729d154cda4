"""User-based nearest neighbours by cosine: an item is wanted as far as users with the same taste have it."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Candidates, Embeddings
from grouprec.data.dataset import Dataset
from grouprec.models.base import Auto, StageConfig, encoders, setting
from grouprec.models.encoders.linear import LinearEncoder, csr_arrays, csr_from, neighbour_trials, similarity_matrix
from grouprec.models.fitting import RunOptions
from grouprec.ranking.candidates import rank_top
from grouprec.ranking.task import NewItemTask

_TINY = np.float32(1e-9)  # keeps the similarity to a user without a history at 0
_TIE_SEED = 0  # equally similar users come in one order, drawn once and for all: a vector never changes


@encoders.register(
    "user_knn",
    title="User neighbours by cosine",
    cite="Resnick et al. 1994, GroupLens (CSCW); "
    "Herlocker et al. 1999, An Algorithmic Framework for Performing Collaborative Filtering (SIGIR)",
    called="user neighbours",
    measured="about .40, .90 of EASE, as `item_knn`.",
)
class UserKnnEncoder(LinearEncoder):
    """Score of item i: sum of ``similarity(u, v) r_vi`` over the training users v nearest to u.

    Similarity is the cosine between two histories, ``u . v / (|u| |v| + shrinkage)``; shrinkage makes pairs with few
    items in common count less (Ferrari Dacrema et al. 2019). The similarities to the nearest training users are the
    user vector (CSR, D = U), the training users who have it are the item vector (CSR).
    Nobody is a neighbour of their own: a training user with the same history is left out. For others who share all
    items that changes nothing, since whatever such a neighbour has is no new item.
    Departures from the papers: no ratings, so no means are taken off; the sum is not divided by the sum of the
    similarities, which is the same for all items of a user and moves none of them.
    """

    auto = Auto(("thorough",), turn=5, most_users=20_000)
    usual_seconds = 3.0

    class Config(StageConfig):
        n_neighbours: int = setting(
            100, ge=1, le=10_000, description="Most similar users who speak for a user", search=(20, 500)
        )
        shrinkage: float = setting(
            10.0,
            ge=0.0,
            le=1e6,
            description="Takes similarity from pairs with few items in common; 0 none",
            search=(0.0, 100.0),
        )
        tune: bool = setting(
            True,
            description="Try 1/4, 1/2, 1, 2 and 4 times that number with 0, 1 and 10 times that shrinkage and keep "
            "the best on the validation part",
            quick=False,
        )
        binary: bool = Field(True, description="Read a history as has or has not, instead of by its weights")

    config: Config

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_users**2

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        config = self.config
        self._train = self.vectors(data.histories)
        task = NewItemTask.sample(data, run.rng("user_knn validation"))
        numbers, shrinkages = neighbour_trials(config, config.tune and len(task) > 0)
        best, users, items = -1.0, self.vectors(task.histories), self.items()
        for step, shrinkage in enumerate(shrinkages, start=1):
            nearest = _nearest_users(users, self._train, max(numbers), shrinkage)
            for n_neighbours in numbers:
                score = task.ndcg(Embeddings(similarity_matrix(nearest, n_neighbours), items))
                if score > best:
                    best = score
                    self.decided = {"n_neighbours": n_neighbours, "shrinkage": shrinkage}
            run.on_progress(step / len(shrinkages), {"shrinkage": shrinkage, "validation": best})
        self._n_neighbours, self._shrinkage = self.decided["n_neighbours"], self.decided["shrinkage"]
        return self

    def items(self) -> sparse.csr_array:
        return self._train.T.tocsr()

    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> sparse.csr_array:
        nearest = _nearest_users(self.vectors(histories), self._train, self._n_neighbours, self._shrinkage)
        return similarity_matrix(nearest, self._n_neighbours)

    def arrays(self) -> dict[str, np.ndarray]:
        _, n_items = self._train.shape
        return {
            **csr_arrays(self._train),
            "n_items": np.array([n_items]),
            "n_neighbours": np.array([self._n_neighbours]),
            "shrinkage": np.array([self._shrinkage]),
        }

    @classmethod
    def keep_users(cls, arrays: dict[str, np.ndarray], kept: np.ndarray) -> dict[str, np.ndarray]:
        train = csr_from(arrays, int(arrays["n_items"][0]))
        return arrays | csr_arrays(train[np.flatnonzero(kept)])

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._train = csr_from(arrays, int(arrays["n_items"][0]))
        self._n_neighbours, self._shrinkage = int(arrays["n_neighbours"][0]), float(arrays["shrinkage"][0])
        return self


def _nearest_users(users: sparse.csr_array, train: sparse.csr_array, n: int, shrinkage: float) -> Candidates:
    """Return the ``n`` training users most similar to every user, best first; fewer where there are not so many.

    Args:
        users: float32 CSR [B, I].
        train: float32 CSR [U, I].
    """
    (n_users, _), (n_train, _) = users.shape, train.shape
    n = min(n, n_train)
    items = train.T.tocsr()
    squares, train_squares = (vectors.power(2).sum(axis=1) for vectors in (users, train))
    neighbours, similarities = np.empty((n_users, n), np.int32), np.empty((n_users, n), np.float32)
    size = rows_per_batch(n_train)
    for start in range(0, n_users, size):
        rows = slice(start, min(start + size, n_users))
        block = (users[rows] @ items).toarray()
        # Squared distance 0, but for rounding: with counts it is a whole number.
        same = squares[rows, None] + train_squares - 2 * block <= 1e-6 * squares[rows, None]
        block /= np.sqrt(squares[rows, None] * train_squares) + np.float32(shrinkage) + _TINY
        block[same] = -np.inf
        neighbours[rows], similarities[rows] = rank_top(block, n, _TIE_SEED)
    return Candidates(neighbours, similarities, n_train)
