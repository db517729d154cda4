"""ELSA: the linear item-item model with low-rank weights, for catalogues too large for a closed form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional as F

from grouprec.core.types import Embeddings
from grouprec.data.dataset import Dataset
from grouprec.models.base import Auto, StageConfig, encoders, setting
from grouprec.models.encoders.linear import LinearEncoder
from grouprec.models.fitting import MOST_STEPS, Epoch, RunOptions, bags, batches, fit_epochs, users_per_step
from grouprec.ranking.task import NewItemTask

SHORTEST = 1e-12  # squared length of a prediction that counts as none


class _Factors(nn.Module):
    """The item factors A: rows of length 1, so that the diagonal of A A' - I is zero."""

    def __init__(self, n_items: int, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_items, size)))

    def rows(self) -> Tensor:
        """Return A, float32 [I, D]."""
        return F.normalize(self.weight, dim=1)


@encoders.register(
    "elsa",
    title="ELSA: low-rank linear item-item model",
    cite="Vancura et al. 2022, Scalable Linear Shallow Autoencoder for Collaborative Filtering (RecSys)",
    called="ELSA",
    measured="trained on the 70 % alone .358, EASE .355. The method's aim is EASE's quality at low rank (Vancura et "
    "al. 2022), and with so few items there is nothing else to win.",
)
class ElsaEncoder(LinearEncoder):
    """Item factors A with rows of length 1 that minimise ``||norm(X) - norm(X (A A' - I))||^2`` (Vancura et al. 2022).

    ``norm`` scales every row to length 1. Memory grows with items x ``embedding_size``, not with items squared.
    The "- I" only takes from the scores of items that the user has, and those are never listed as new; so a user's
    vector is ``history @ A``, an item's its row of A, and the score of every unseen item is exactly the paper's: the
    sum of the cosines between its factors and those of the user's own items.
    Departures from the paper: stopped early on the validation part, because it soon overfits to few users;
    without ``binary``, X holds the weights of the histories.
    """

    auto = Auto(("thorough",), turn=2)
    usual_seconds = 10.0
    uses_gpu = True

    class Config(StageConfig):
        embedding_size: int = setting(
            128,
            ge=2,
            le=4096,
            description="Rank of the item weights: length of user and item vectors",
            search=(32, 512),
            quick=64,
            thorough=256,
        )
        binary: bool = Field(True, description="Read a history as has or has not, instead of by its weights")
        learning_rate: float = setting(0.01, ge=1e-5, le=1.0, description="Step size of NAdam", search=(0.001, 0.05))
        batch_size: int = Field(
            128, ge=1, le=65_536, description="Users per training step; of very many users more, so that steps stay few"
        )
        epochs: int = setting(60, ge=1, le=1000, description="Most passes over the users", quick=15, thorough=120)
        patience: int = Field(5, ge=1, le=100, description="Epochs without a better validation value before stopping")

    config: Config
    _items: np.ndarray

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_rows + min(n_users, MOST_STEPS * 128) / 128 * n_items

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        task = NewItemTask.sample(data, run.rng("elsa validation"))
        vectors = self.vectors(data.histories)
        task_vectors = self.vectors(task.histories)
        with run.torch_seed("elsa"):
            module = _Factors(data.n_items, self.config.embedding_size).to(run.device)

            def validate() -> float:
                items = _learned(module)
                return task.ndcg(Embeddings(task_vectors @ items, items))

            self.history = fit_epochs(
                module,
                _Epoch(module, vectors, self.config, run),
                epochs=self.config.epochs,
                run=run,
                validate=validate if len(task) else None,
                patience=self.config.patience,
            )
        self._items = _learned(module)
        return self

    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> np.ndarray:
        return self.vectors(histories) @ self._items

    def arrays(self) -> dict[str, np.ndarray]:
        return {"items": self._items}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._items = arrays["items"]
        return self


@torch.no_grad()
def _learned(module: _Factors) -> np.ndarray:
    """Return the item factors as a numpy array, float32 [I, D]."""
    return module.rows().cpu().numpy()


class _Epoch(Epoch):
    """One pass over the users with a history; the loss is per user."""

    def __init__(
        self, module: _Factors, vectors: sparse.csr_array, config: ElsaEncoder.Config, run: RunOptions
    ) -> None:
        optimizer = torch.optim.NAdam(module.parameters(), lr=config.learning_rate)
        super().__init__(module, optimizer, run.rng("elsa batches"))
        self.module, self.vectors = module, vectors
        self.users = np.flatnonzero(np.diff(vectors.indptr))
        self.batch_size = users_per_step(config.batch_size, len(self.users), len(module.weight))

    def losses(self) -> Iterator[tuple[Tensor, int]]:
        for batch in batches(self.rng, len(self.users), self.batch_size):
            yield self._loss(self.users[batch]), 1

    def _loss(self, users: np.ndarray) -> Tensor:
        """Return the squared distance of the normalised prediction from the normalised history, mean over users.

        Of a history x and what it is predicted as, p = x A A' - x, with h = x A: ``p.x = |h|^2 - |x|^2`` and
        ``|p|^2 = h A'A h' - 2 |h|^2 + |x|^2``. So nothing is as long as the catalogue but A itself, and the distance of
        two vectors of length 1 is ``2 - 2 p.x / (|p| |x|)``.
        """
        rows = self.vectors[users]
        factors = self.module.rows()
        hidden = bags(rows, factors)
        own = self.tensor(rows.power(2).sum(axis=1).astype(np.float32))
        shared = hidden.square().sum(dim=1)
        length = ((hidden @ (factors.T @ factors)) * hidden).sum(dim=1) - 2 * shared + own
        cosine = (shared - own) / (length.clamp_min(SHORTEST) * own).sqrt()
        return (2 - 2 * cosine).mean()
