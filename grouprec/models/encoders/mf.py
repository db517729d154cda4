"""Matrix factorisation: collaborative filtering by item factors, a user being what their own items add up to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional as F

from grouprec.core.types import Embeddings
from grouprec.data.dataset import Dataset
from grouprec.models.base import ALWAYS, Auto, Encoder, StageConfig, encoders, setting
from grouprec.models.encoders.linear import as_ones
from grouprec.models.encoders.start import log_popularity, singular_vectors
from grouprec.models.fitting import EXCLUDED, Epoch, RunOptions, adamw, batches, fit_epochs, module_arrays
from grouprec.ranking.task import NewItemTask

SQUARED_START = 0.3  # length of the vectors that a squared loss starts from: scores then lie between 0 and 1


class _Factors(nn.Module):
    """Two vectors per item, as part of a history and as a candidate; the linear layer on their product; a bias."""

    def __init__(self, n_items: int, config: MfEncoder.Config) -> None:
        super().__init__()
        self.history = nn.Parameter(torch.zeros(n_items, config.embedding_size))
        self.candidate = nn.Parameter(torch.zeros(n_items, config.embedding_size))
        self.linear = nn.Parameter(torch.ones(config.embedding_size))
        self.bias = nn.Parameter(torch.zeros(n_items))
        self.config = config

    @torch.no_grad()
    def start_from(self, seen: sparse.csr_array, seed: int) -> None:
        """Set both vectors to the singular vectors of the histories, CSR [U, I]; a ranking starts from popularity."""
        vectors = singular_vectors(seen, self.config.embedding_size, seed)
        if self.config.loss == "squared":
            vectors *= SQUARED_START
        else:
            self.bias.copy_(torch.from_numpy(log_popularity(seen.sum(axis=0))))
        for table in (self.history, self.candidate):
            table.copy_(torch.from_numpy(vectors))

    def scale(self, counts: Tensor) -> Tensor:
        """Return what the sum over a history of so many items is multiplied by."""
        return counts.clamp_min(1.0) ** -self.config.history_power

    def items(self) -> Tensor:
        """Return the vectors that summed and scaled histories meet, [I, D], the linear layer in them."""
        return self.candidate * self.linear


@encoders.register(
    "mf",
    title="MF: matrix factorisation (collaborative filtering)",
    cite="Kabbur et al. 2013, FISM: Factored Item Similarity Models for Top-N Recommender Systems; "
    "Rendle et al. 2009, BPR: Bayesian Personalized Ranking from Implicit Feedback",
    called="matrix factorisation",
    measured=".458, the best encoder alone. By time .213. In RecBole's table BPR matrix factorisation reaches .84 of "
    "EASE; ours makes users of their items and counts every zero.",
)
class MfEncoder(Encoder):
    """User and item vectors, a linear layer on their product, trained on squared error or on ranking.

    ``score(u, i) = w . (p_u * q_i) + b_i`` with ``p_u = n^-a`` times the sum of ``p_j`` over the n items j of the
    history (Kabbur et al. 2013); an item that a user has is predicted from the others. The user vector being made
    of the history, users never seen in training need nothing special. Histories are read as has or has not.

    ``squared``: 1 for what a user has and 0 for everything else, with weight ``zero_weight``. The zeros are not
    sampled: their sum over the catalogue is ``p' (Q'Q) p`` less the user's own items. ``ranking``: softmax of
    each item among sampled items that the user does not have.
    Departures: a linear layer on the two vectors side by side, as in the plain collaborative filtering network,
    would rank all items alike for all users; theirs is on the product. FISM samples its zeros and has no ``w``; a
    ranking by sampled softmax stands for the pairs of FISM and BPR; a share of the history is left out per step;
    the vectors start from a truncated SVD of the histories. On MovieLens-100K (validation nDCG@10, random split)
    squared error gives .224 and ranking .208, EASE .211; a learned vector per user gave .178 and .196 in trials.
    """

    auto = Auto(("standard", "thorough"), turn=6)
    fold_rows = ALWAYS
    usual_seconds = 8.0
    uses_gpu = True

    class Config(StageConfig):
        embedding_size: int = setting(64, ge=2, le=512, description="Length of user and item vectors", search=(16, 256))
        loss: Literal["squared", "ranking"] = Field(
            "squared", description="squared: predict has or has not; ranking: put what a user has before the rest"
        )
        zero_weight: float = Field(
            1.0, ge=0.001, le=1.0, description="Weight of an item that a user does not have (loss: squared)"
        )
        n_negatives: int = Field(
            1024, ge=1, le=100_000, description="Random items that a mini-batch is ranked against (loss: ranking)"
        )
        history_power: float = Field(
            0.5, ge=0.0, le=1.0, description="How a history is summed up: 0 as a sum, 1 as a mean"
        )
        history_dropout: float = setting(
            0.5, ge=0.0, le=0.9, description="Share of history items left out per step", search=(0.2, 0.8)
        )
        learning_rate: float = setting(0.003, ge=1e-5, le=0.1, description="Step size of AdamW", search=(0.001, 0.01))
        weight_decay: float = setting(
            0.01, ge=0.0, le=1.0, description="Shrinking of the weights by AdamW", search=(0.001, 0.1)
        )
        batch_size: int = Field(128, ge=2, le=65_536, description="Users per training step")
        epochs: int = setting(20, ge=1, le=500, description="Most passes over the users", quick=4, thorough=60)
        patience: int = setting(
            4, ge=1, le=50, description="Epochs without a better validation value before stopping", thorough=10
        )

    config: Config

    def __init__(self, config: StageConfig | None = None) -> None:
        super().__init__(config)
        self.scale = "linear" if self.config.loss == "squared" else "log"

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        seen = as_ones(data.histories)
        task = NewItemTask.sample(data, run.rng("mf validation"))
        module = _Factors(data.n_items, self.config)
        module.start_from(seen, int(run.rng("mf start").integers(2**31)))
        module.to(run.device)

        def validate() -> float:
            self._weights = module_arrays(module)
            return task.ndcg(Embeddings(self.encode(task.histories, task.attributes), self.items()))

        self.history = fit_epochs(
            module,
            _Epoch(module, seen, self.config, run),
            epochs=self.config.epochs,
            run=run,
            validate=validate if len(task) else None,
            patience=self.config.patience,
        )
        self._weights = module_arrays(module)
        return self

    def items(self) -> np.ndarray:
        return np.column_stack([self._weights["candidate"], self._weights["bias"]])

    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> np.ndarray:
        seen = as_ones(histories)
        scale = np.maximum(seen.sum(axis=1), 1.0) ** -self.config.history_power
        vectors = (seen @ self._weights["history"]) * scale[:, None] * self._weights["linear"]
        return np.column_stack([vectors, np.ones(len(vectors))]).astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        return dict(self._weights)

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._weights = dict(arrays)
        return self


class _Epoch(Epoch):
    """One pass over the users; the loss is per history item."""

    def __init__(self, module: _Factors, seen: sparse.csr_array, config: MfEncoder.Config, run: RunOptions) -> None:
        super().__init__(module, adamw(module, config), run.rng("mf batches"))
        self.module, self.seen, self.config = module, seen, config
        self.users = np.flatnonzero(np.diff(seen.indptr))  # those with a history

    def losses(self) -> Iterator[tuple[Tensor, int]]:
        for batch in batches(self.rng, len(self.users), self.config.batch_size):
            yield self._loss(self.seen[self.users[batch]]), 1

    def _loss(self, seen: sparse.csr_array) -> Tensor:
        """Return the loss of a mini-batch of histories, CSR [B, I], mean over their P entries."""
        module, (n_users, _) = self.module, seen.shape
        dropped = self.rng.random(seen.nnz) < self.config.history_dropout
        kept = self.tensor((~dropped).astype(np.float32))
        owners = self.tensor(np.repeat(np.arange(n_users), np.diff(seen.indptr)))
        entries = self.tensor(seen.indices.astype(np.int64))
        parts = module.history.index_select(0, entries) * kept[:, None]  # [P, D]
        sums = parts.new_zeros(n_users, parts.shape[1]).index_add(0, owners, parts)
        counts = kept.new_zeros(n_users).index_add(0, owners, kept)
        items = module.items()
        met = (sums.index_select(0, owners) * items.index_select(0, entries)).sum(dim=1)
        itself = kept * (module.history * items).sum(dim=1)[entries]  # the part of ``met`` that an entry gives itself
        bias = module.bias[entries]
        found = (met - itself) * module.scale(counts[owners] - kept) + bias
        users = sums * module.scale(counts)[:, None]
        if self.config.loss == "squared":
            return self._squared(found, met * module.scale(counts[owners]) + bias, users, items)
        return self._ranking(found, owners, users, items, seen)

    def _squared(self, found: Tensor, own: Tensor, users: Tensor, items: Tensor) -> Tensor:
        """Return the squared error of ``found`` [P] from 1 and of all that is outside the histories from 0.

        Args:
            own: scores of the same entries [P] as the sum over the catalogue has them, to be taken out of it.
        """
        users = torch.cat([users, torch.ones_like(users[:, :1])], dim=1)
        items = torch.cat([items, self.module.bias[:, None]], dim=1)
        everything = ((users @ (items.T @ items)) * users).sum()
        zeros = everything - own.square().sum()
        return ((1 - found).square().sum() + self.config.zero_weight * zeros) / len(found)

    def _ranking(self, found: Tensor, owners: Tensor, users: Tensor, items: Tensor, seen: sparse.csr_array) -> Tensor:
        """Return the softmax loss of ``found`` [P] among uniform negatives, weighted up to the whole catalogue."""
        n_items = len(items)
        negatives = self.rng.choice(n_items, min(self.config.n_negatives, n_items), replace=False, shuffle=False)
        drawn = self.tensor(negatives)
        logits = users @ items[drawn].T + self.module.bias[drawn]
        logits = logits.masked_fill(self.tensor(seen[:, negatives].toarray() > 0), EXCLUDED)
        rest = torch.logsumexp(logits, dim=1) + float(np.log(n_items / len(negatives)))
        return F.softplus(rest[owners] - found).mean()
