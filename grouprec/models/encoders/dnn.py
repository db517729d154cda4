"""Two towers: a deep network for users and one for items, whose vectors meet in a dot product."""

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
from grouprec.data.features import AttributeEncoder, item_frame, vector_features
from grouprec.data.preparing.rhythm import with_rhythm
from grouprec.models.base import Auto, Encoder, StageConfig, encoders, setting
from grouprec.models.encoders.start import foretold, log_popularity, singular_vectors
from grouprec.models.fitting import (
    EXCLUDED,
    Epoch,
    RunOptions,
    adamw,
    batches,
    fit_epochs,
    load_module,
    module_arrays,
    softmax_sample,
)
from grouprec.ranking.task import NewItemTask

N_HIDDEN_LAYERS = 3
ENCODE_BATCH = 8192


class _Tower(nn.Module):
    """Three hidden layers beside a linear shortcut; at first only the shortcut speaks, and passes the embedding on."""

    def __init__(self, in_size: int, hidden_size: int, out_size: int, dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        size = in_size
        for _ in range(N_HIDDEN_LAYERS):
            layers += [nn.Linear(size, hidden_size), nn.LayerNorm(hidden_size), nn.GELU(), nn.Dropout(dropout)]
            size = hidden_size
        last = nn.Linear(size, out_size)
        self.deep = nn.Sequential(*layers, last)
        self.shortcut = nn.Linear(in_size, out_size, bias=False)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        nn.init.eye_(self.shortcut.weight)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.deep(inputs) + self.shortcut(inputs)


class _TwoTowers(nn.Module):
    """Both towers, the two tables of item embeddings, and the items' features (a buffer: saved, not learned)."""

    item_features: Tensor

    def __init__(self, item_features: np.ndarray, n_user_features: int, config: DnnEncoder.Config) -> None:
        super().__init__()
        n_items, n_item_features = item_features.shape
        size = config.embedding_size
        self.history_embedding = nn.Embedding(n_items, size)
        self.item_embedding = nn.Embedding(n_items, size)
        self.item_bias = nn.Embedding(n_items, 1)
        self.user_tower = _Tower(size + n_user_features, config.hidden_size, size, config.dropout)
        self.item_tower = _Tower(size + n_item_features, config.hidden_size, size, config.dropout)
        self.history_dropout = nn.Dropout(config.history_dropout)
        self.temperature = config.temperature
        self.register_buffer("item_features", torch.from_numpy(np.array(item_features)))

    @torch.no_grad()
    def start_from(self, histories: sparse.csr_array, vectors: np.ndarray) -> None:
        """Set the embeddings to item vectors, float32 [I, D], and the bias to the items' log popularity."""
        for table in (self.history_embedding, self.item_embedding):
            table.weight.copy_(torch.from_numpy(vectors))
        popularity = log_popularity((histories > 0).astype(np.float32).sum(axis=0))
        self.item_bias.weight.copy_(torch.from_numpy(popularity)[:, None])

    def bag(self, items: Tensor, weights: Tensor) -> Tensor:
        """Return the weighted mean of history embeddings, [B, D], for padded items [B, L] of weight 0 where none."""
        weights = self.history_dropout(weights)
        bag = torch.einsum("bl,bld->bd", weights, self.history_embedding(items))
        return bag / weights.sum(dim=1, keepdim=True).clamp_min(1e-6)

    def users(self, bag: Tensor, features: Tensor) -> Tensor:
        """Return user vectors [B, D + 1]; the last entry is 1 and meets the items' bias."""
        vectors = F.normalize(self.user_tower(torch.cat([bag, features], dim=1)), dim=1) / self.temperature
        return torch.cat([vectors, torch.ones_like(vectors[:, :1])], dim=1)

    def items(self, rows: Tensor) -> Tensor:
        """Return item vectors [C, D + 1]."""
        inputs = torch.cat([self.item_embedding(rows), self.item_features[rows]], dim=1)
        return torch.cat([F.normalize(self.item_tower(inputs), dim=1), self.item_bias(rows)], dim=1)


@encoders.register(
    "dnn",
    title="DNN: two towers over history, attributes and text",
    cite="Covington et al. 2016, Deep Neural Networks for YouTube Recommendations; "
    "Yi et al. 2019, Sampling-Bias-Corrected Neural Modeling for Large Corpus Item Recommendations",
    called="two-tower network",
    measured="not measured on this protocol yet. An earlier version, trained on the 70 % alone, reached .308, EASE "
    ".328 ([log](log.md)): towers with attributes are for cold users and items, not for this split.",
)
class DnnEncoder(Encoder):
    """Two towers trained to tell the items a user took from those they did not take.

    User tower: weighted mean of the embeddings of the history's items, and the user's attributes; with ``context``
    also their rhythm (:func:`~grouprec.data.preparing.rhythm.with_rhythm`), the mean one where attributes have none.
    Item tower: the item's own vector, its attributes and text, and embeddings of the items' file. Score: cosine /
    temperature + item bias, written as one dot product. Training: a random share of each history (of some, all of it)
    is hidden and predicted from the rest, by a softmax over a candidate set shared by the mini-batch (its own targets
    and uniform negatives), every logit less the logarithm of the probability that the item is in the set (Yi et al.
    2019).
    Departures from the papers: a user's hidden items are predicted together, so that the user tower runs once;
    candidates are a set (each item once), so the correction is the probability of inclusion instead of a
    frequency; the visible items of a history are no negatives; the embeddings start from a truncated SVD of the
    histories, and from what embeddings of the items' file foretell of it; a linear shortcut runs beside the hidden
    layers.
    """

    scale = "log"
    auto = Auto(("thorough",), turn=8)
    usual_seconds = 15.0
    uses_gpu = True

    class Config(StageConfig):
        embedding_size: int = setting(64, ge=4, le=512, description="Length of user and item vectors", search=(32, 256))
        hidden_size: int = Field(128, ge=8, le=2048, description="Width of each of the three hidden layers per tower")
        text_size: int = Field(32, ge=1, le=256, description="Numbers kept of labels and free text")
        vector_size: int = Field(64, ge=1, le=4096, description="Numbers kept of embeddings in the items' file")
        # Validation nDCG@10, mean of two seeds, without -> with: ML-100K split by time .129 -> .132, the bundled sample
        # .087 -> .086. The same shares of the items' events did not help on either.
        context: bool = Field(
            False,
            description="Read when users are active: their shares of events per weekday and part of the day (UTC)",
        )
        max_history: int = Field(
            64, ge=2, le=1000, description="Items of a history read per training step; longer ones are sampled"
        )
        target_share: float = Field(
            0.3, ge=0.05, le=0.9, description="Share of a history that is hidden and predicted from the rest"
        )
        cold_share: float = Field(
            0.1, ge=0.0, le=0.9, description="Share of users per step whose whole history is hidden, as for new users"
        )
        weight_power: float = Field(
            0.25, ge=0.0, le=1.0, description="Power of a history's weights: 1 as they are, 0 none (has or has not)"
        )
        n_negatives: int = Field(1024, ge=1, le=100_000, description="Random items beside the targets of a mini-batch")
        temperature: float = Field(0.2, ge=0.01, le=1.0, description="Smaller values sharpen the softmax")
        dropout: float = Field(0.1, ge=0.0, le=0.9, description="Share of hidden units left out per step")
        history_dropout: float = setting(
            0.3, ge=0.0, le=0.9, description="Share of history items left out per step", search=(0.1, 0.7)
        )
        learning_rate: float = setting(0.001, ge=1e-5, le=0.1, description="Step size of AdamW", search=(0.0003, 0.003))
        weight_decay: float = Field(0.01, ge=0.0, le=1.0, description="Shrinking of the weights by AdamW")
        batch_size: int = Field(128, ge=2, le=65_536, description="Users per training step")
        epochs: int = setting(20, ge=1, le=500, description="Most passes over the users", quick=3, thorough=60)
        patience: int = setting(
            4, ge=1, le=50, description="Epochs without a better validation value before stopping", thorough=10
        )

    config: Config

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        config = self.config
        data = with_rhythm(data) if config.context else data
        users, items = data.known_of_users, item_frame(data)
        self._attributes = AttributeEncoder(config.text_size).fit(users, run.seed)
        known = AttributeEncoder(config.text_size, of_items=True).fit(items, run.seed).transform(items)
        seen = vector_features(data.item_vectors, data.n_items, config.vector_size, run.seed)
        start = singular_vectors(data.histories, config.embedding_size, run.seed)
        if (told := foretold(seen, start)) is None:  # embeddings that have nothing to do with who takes what
            seen = seen[:, :0]
        else:
            start += told  # says most of items with few users
        item_features = np.hstack([known, seen])
        task = NewItemTask.sample(data, run.rng("dnn validation"))
        with run.torch_seed("dnn"):
            self._module = _TwoTowers(item_features, self._attributes.n_features, config)
            self._module.start_from(data.histories, start)
            self._module.to(run.device)

            def validate() -> float:
                return task.ndcg(Embeddings(self.encode(task.histories, task.attributes), self._item_vectors()))

            self.history = fit_epochs(
                self._module,
                _Epoch(self._module, self._weighted(data.histories), self._attributes.transform(users), config, run),
                epochs=config.epochs,
                run=run,
                validate=validate if len(task) else None,
                patience=config.patience,
            )
        self._items = self._item_vectors()
        return self

    def items(self) -> np.ndarray:
        return self._items

    @torch.no_grad()
    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> np.ndarray:
        features = self._attributes.transform(attributes)
        histories = self._weighted(histories)
        # Whole histories, where training reads padded samples of them: the mean as a sparse product.
        table = self._module.history_embedding.weight.cpu().numpy()
        bags = (histories @ table) / np.maximum(histories.sum(axis=1), 1e-6)[:, None]
        device = self._module.item_features.device
        parts = [torch.from_numpy(part.astype(np.float32)).to(device).split(ENCODE_BATCH) for part in (bags, features)]
        return np.concatenate([self._module.users(*batch).cpu().numpy() for batch in zip(*parts, strict=True)])

    def embeddings(self, data: Dataset) -> Embeddings:
        return super().embeddings(with_rhythm(data) if self.config.context else data)

    def _weighted(self, histories: sparse.csr_array) -> sparse.csr_array:
        """Return the histories with the weights that the bag uses, float32 CSR of the same shape; a copy."""
        weighted = histories.astype(np.float32)
        weighted.data **= np.float32(self.config.weight_power)
        return weighted

    @torch.no_grad()
    def _item_vectors(self) -> np.ndarray:
        rows = torch.arange(len(self._module.item_features), device=self._module.item_features.device)
        return np.concatenate([self._module.items(part).cpu().numpy() for part in rows.split(ENCODE_BATCH)])

    def arrays(self) -> dict[str, np.ndarray]:
        module = {f"module.{name}": value for name, value in module_arrays(self._module).items()}
        attributes = {f"attributes.{name}": value for name, value in self._attributes.arrays().items()}
        return {"items": self._items, **module, **attributes}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        module, attributes = (
            {name.removeprefix(prefix): value for name, value in arrays.items() if name.startswith(prefix)}
            for prefix in ("module.", "attributes.")
        )
        self._items = arrays["items"]
        self._attributes = AttributeEncoder(self.config.text_size).load(attributes)
        features, n_features = module["item_features"], self._attributes.n_features
        self._module = load_module(lambda: _TwoTowers(features, n_features, self.config), module)
        return self


class _Epoch(Epoch):
    """One pass over the users; the loss is per target."""

    def __init__(
        self,
        module: _TwoTowers,
        histories: sparse.csr_array,
        features: np.ndarray,
        config: DnnEncoder.Config,
        run: RunOptions,
    ) -> None:
        super().__init__(module, adamw(module, config), run.rng("dnn batches"))
        self.module, self.histories, self.features, self.config = module, histories, features, config
        n_users, n_items = histories.shape
        self.owners = np.repeat(np.arange(n_users), np.diff(histories.indptr))
        self.users = np.unique(self.owners)  # those with a history
        self.popularity = np.bincount(histories.indices, minlength=n_items) / len(self.owners)
        self.n_negatives = min(config.n_negatives, n_items)

    def losses(self) -> Iterator[tuple[Tensor, int]]:
        # Entries of every history in a new order: the first ones are then a random sample of it.
        self.shuffled = np.lexsort((self.rng.random(len(self.owners)), self.owners))
        for batch in batches(self.rng, len(self.users), self.config.batch_size):
            yield self._loss(self.users[batch]), 1

    def _loss(self, users: np.ndarray) -> Tensor:
        """Return the corrected softmax loss of a mini-batch of users, mean over their targets."""
        items, weights, targets = self._split_histories(users)
        candidates, log_q = softmax_sample(items[targets], self.popularity, self.n_negatives, self.rng)
        places = np.searchsorted(candidates, items).clip(max=len(candidates) - 1)
        visible = (weights > 0) & (candidates[places] == items)
        with self.autocast:
            bag = self.module.bag(self.tensor(items), self.tensor(weights))
            vectors = self.module.users(bag, self.tensor(self.features[users]))
            logits = vectors @ self.module.items(self.tensor(candidates)).T
        logits = logits.float() - self.tensor(log_q)
        excluded = (self.tensor(np.nonzero(visible)[0]), self.tensor(places[visible]))
        logits = logits.index_put(excluded, logits.new_tensor(EXCLUDED))
        wanted = (self.tensor(np.nonzero(targets)[0]), self.tensor(places[targets]))
        return -torch.log_softmax(logits, dim=1)[wanted].mean()

    def _split_histories(self, users: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return items int64, weights of the visible ones float32, and which are targets bool; all [B, L].

        Every user has a target, also the one whose only item it is: an empty history is learned as well.
        """
        starts, ends = self.histories.indptr[users], self.histories.indptr[users + 1]
        length = min(int((ends - starts).max()), self.config.max_history)
        positions = starts[:, None] + np.arange(length)
        there = positions < ends[:, None]
        entries = self.shuffled[np.where(there, positions, starts[:, None])]
        hidden = self.rng.random(there.shape) < self.config.target_share
        hidden |= self.rng.random((len(users), 1)) < self.config.cold_share
        targets = there & hidden
        targets[:, 0] |= ~targets.any(axis=1)
        weights = np.where(there & ~targets, self.histories.data[entries], np.float32(0))
        return self.histories.indices[entries].astype(np.int64), weights, targets
