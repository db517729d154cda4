"""Two towers: a deep network for users and one for items, whose vectors meet in a dot product."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional as F

from grouprec.contracts import Encoder, StageConfig, encoders
from grouprec.data.dataset import Dataset
from grouprec.data.features import AttributeEncoder, item_frame
from grouprec.training import RunOptions, batches, fit_epochs, load_module, module_arrays
from grouprec.types import Embeddings
from grouprec.validation import NewItemTask

N_HIDDEN_LAYERS = 3
ENCODE_BATCH = 8192


class _Tower(nn.Module):
    """Three hidden layers with a linear shortcut: the network learns what the linear model leaves over."""

    def __init__(self, in_size: int, hidden_size: int, out_size: int, dropout: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        size = in_size
        for _ in range(N_HIDDEN_LAYERS):
            layers += [nn.Linear(size, hidden_size), nn.LayerNorm(hidden_size), nn.GELU(), nn.Dropout(dropout)]
            size = hidden_size
        self.deep = nn.Sequential(*layers, nn.Linear(size, out_size))
        self.shortcut = nn.Linear(in_size, out_size, bias=False)
        nn.init.zeros_(self.deep[-1].weight)
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
        nn.init.normal_(self.history_embedding.weight, std=size**-0.5)
        nn.init.normal_(self.item_embedding.weight, std=size**-0.5)
        nn.init.zeros_(self.item_bias.weight)
        self.user_tower = _Tower(size + n_user_features, config.hidden_size, size, config.dropout)
        self.item_tower = _Tower(size + n_item_features, config.hidden_size, size, config.dropout)
        self.register_buffer("item_features", torch.from_numpy(np.array(item_features)))
        self.history_dropout = nn.Dropout(config.history_dropout)
        self.temperature = config.temperature

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
)
class DnnEncoder(Encoder):
    """Two towers trained to tell the item a user took from items they did not take.

    User tower: weighted mean of the embeddings of the history's items, and the user's attributes. Item tower: the
    item's embedding, its attributes and text. Score: cosine / temperature + item bias, written as one dot product.
    Loss: softmax over a candidate set shared by the mini-batch: its own targets and uniform negatives, every
    logit less the logarithm of the probability that the item is in the set.
    Departures from the papers: candidates are a set (each item once), so the correction is the probability of
    inclusion instead of a frequency; other items of the user's history are no negatives; a linear shortcut
    runs past the hidden layers; the target is taken out of its own history.
    """

    class Config(StageConfig):
        embedding_size: int = Field(64, ge=4, le=512, description="Length of user and item vectors")
        hidden_size: int = Field(128, ge=8, le=2048, description="Width of each of the three hidden layers per tower")
        text_size: int = Field(32, ge=0, le=256, description="Numbers kept of labels and free text")
        max_history: int = Field(
            64, ge=1, le=1000, description="Items of a history read per training step; longer ones are sampled"
        )
        n_negatives: int = Field(1024, ge=1, le=100_000, description="Random items beside the targets of a mini-batch")
        temperature: float = Field(0.1, ge=0.01, le=1.0, description="Smaller values sharpen the softmax")
        dropout: float = Field(0.1, ge=0.0, le=0.9, description="Share of hidden units left out per step")
        history_dropout: float = Field(0.3, ge=0.0, le=0.9, description="Share of history items left out per step")
        learning_rate: float = Field(0.002, ge=1e-5, le=0.1, description="Step size of AdamW")
        weight_decay: float = Field(0.01, ge=0.0, le=1.0, description="Shrinking of the weights by AdamW")
        rounds: int = 1
        bias: float = 1.
        svd: bool = True
        colpow: float = 0.5
        colpow2: float = 0.
        svpow: float = 0.5
        per_user: float = 0.
        target_share: float = 0.3
        vary: bool = False
        root: float = 1.
        bagnorm: float = 1.
        batch_size: int = Field(128, ge=16, le=65_536, description="Users per step")
        pairs_per_epoch: int = Field(
            200_000,
            ge=100,
            le=100_000_000,
            description="User-item pairs drawn per epoch (all, where there are fewer)",
            json_schema_extra={"quick": 100_000, "thorough": 1_000_000},
        )
        epochs: int = Field(
            20, ge=1, le=500, description="Most epochs", json_schema_extra={"quick": 10, "thorough": 60}
        )
        patience: int = Field(3, ge=1, le=50, description="Epochs without a better validation value before stopping")

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        config = self.config
        self._attributes = AttributeEncoder(config.text_size).fit(data.user_attributes, run.seed)
        frame = item_frame(data)
        item_features = AttributeEncoder(config.text_size).fit(frame, run.seed).transform(frame)
        task = NewItemTask.sample(data, run.rng("dnn validation"))
        with run.torch_seed("dnn"):
            self._module = _TwoTowers(item_features, self._attributes.n_features, config).to(run.device)
            with torch.no_grad():
                seen = (data.histories > 0).astype(np.float32)
                pop = seen.sum(axis=0) + 1.0
                self._module.item_bias.weight[:, 0] = config.bias*torch.from_numpy(np.log(pop / pop.mean())).float()
                if config.svd:
                    from sklearn.utils.extmath import randomized_svd
                    deg = np.maximum(seen.sum(axis=1), 1)
                    norm = sparse.diags_array(deg ** -0.5) @ seen @ sparse.diags_array(pop ** -config.colpow)
                    u, sv, vt = randomized_svd(sparse.csr_matrix(norm), config.embedding_size, random_state=run.seed, n_iter=4)
                    v = vt.T * sv ** config.svpow
                    v = v / np.sqrt((v ** 2).sum(axis=1).mean())
                    self._module.item_embedding.weight.copy_(torch.from_numpy(v))
                    self._module.history_embedding.weight.copy_(torch.from_numpy(v * (pop ** -config.colpow2)[:, None] if config.colpow2 else v))
            epoch = _Epoch(self._module, data, self._attributes.transform(_rows_of(data)), config, run)

            def validate() -> float:
                return task.ndcg(Embeddings(self.encode(task.histories, task.attributes), self._item_vectors()))

            self.history = fit_epochs(
                self._module,
                epoch,
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
    def encode(self, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        device = self._module.item_features.device
        features = self._attributes.transform(attributes)
        # Whole histories, not padded samples of them: the mean as a sparse product.
        table = self._module.history_embedding.weight.cpu().numpy()
        histories = histories.copy(); histories.data = histories.data ** np.float32(self.config.root)
        bags = (histories @ table) / np.maximum(histories.sum(axis=1), 1e-6)[:, None]
        inputs = [torch.from_numpy(part.astype(np.float32)).to(device).split(ENCODE_BATCH) for part in (bags, features)]
        vectors = [self._module.users(*batch).cpu().numpy() for batch in zip(*inputs, strict=True)]
        return np.concatenate(vectors)

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
        empty = _TwoTowers(module["item_features"], self._attributes.n_features, self.config)
        self._module = load_module(empty, module)
        return self

    @torch.no_grad()
    def _item_vectors(self) -> np.ndarray:
        rows = torch.arange(len(self._module.item_features), device=self._module.item_features.device)
        return np.concatenate([self._module.items(part).cpu().numpy() for part in rows.split(ENCODE_BATCH)])


def _rows_of(data: Dataset) -> pd.DataFrame:
    """Return the user attributes, U rows also where there are no columns."""
    return data.user_attributes if len(data.user_attributes) else pd.DataFrame(index=range(data.n_users))


class _Epoch:
    """One pass over the users; calling it trains an epoch and returns the mean loss per target."""

    def __init__(
        self, module: _TwoTowers, data: Dataset, features: np.ndarray, config: DnnEncoder.Config, run: RunOptions
    ) -> None:
        self.module, self.config, self.device = module, config, run.device
        self.histories, self.features = data.histories, features
        self.rng = run.rng("dnn pairs")
        self.owners = np.repeat(np.arange(data.n_users), np.diff(self.histories.indptr))
        self.users = np.unique(self.owners)
        self.popularity = np.bincount(self.histories.indices, minlength=data.n_items) / len(self.owners)
        self.n_negatives = min(config.n_negatives, data.n_items)
        self.optimizer = torch.optim.AdamW(
            module.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        bfloat16 = run.device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        self.autocast = torch.autocast(run.device, torch.bfloat16, enabled=bfloat16)

    def __call__(self) -> dict[str, float]:
        # Entries of every history in a new order: the first ones are then a random sample of it.
        self.shuffled = np.lexsort((self.rng.random(len(self.owners)), self.owners))
        losses = []
        for _ in range(self.config.rounds):
            for batch in batches(self.rng, len(self.users), self.config.batch_size):
                loss = self._loss(self.users[batch])
                self.optimizer.zero_grad(set_to_none=True)
                loss.backward()
                self.optimizer.step()
                losses.append(loss.detach())
        return {"loss": float(torch.stack(losses).mean())}

    def _loss(self, users: np.ndarray) -> Tensor:
        """Return the corrected softmax loss of a mini-batch of users."""
        items, weights, targets = self._split_histories(users)
        candidates, log_q = self._candidates(items[targets])
        position = np.full(self.histories.shape[1], -1)
        position[candidates] = np.arange(len(candidates))
        batch = (items, weights * ~targets, self.features[users], candidates, log_q)
        items_, weights, features, candidates, log_q = (torch.from_numpy(x).to(self.device) for x in batch)
        with self.autocast:
            vectors = self.module.users(self.module.bag(items_, weights), features)
            logits = vectors @ self.module.items(candidates).T
        logits = logits.float() - log_q
        found = position[items]
        owned = torch.from_numpy(np.stack(_pairs(found, ~targets & (found >= 0) & (self._there)))).to(self.device)
        logits = logits.index_put((owned[0], owned[1]), logits.new_tensor(-1e4))
        rows, columns = (torch.from_numpy(x).to(self.device) for x in _pairs(found, targets))
        losses = -torch.log_softmax(logits, dim=1)[rows, columns]
        if self.config.per_user:
            n = torch.bincount(rows, minlength=len(users)).clamp_min(1)
            w = n[rows].float().pow(-self.config.per_user)
            return (losses * w).sum() / w.sum()
        return losses.mean()

    def _split_histories(self, users: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return items int64, weights float32 and "is a target" bool, all [B, L]; padding has weight 0."""
        starts, ends = self.histories.indptr[users], self.histories.indptr[users + 1]
        length = min(int((ends - starts).max()), self.config.max_history)
        positions = starts[:, None] + np.arange(length)
        there = positions < ends[:, None]
        self._there = there
        entries = self.shuffled[np.where(there, positions, starts[:, None])]
        items = self.histories.indices[entries].astype(np.int64)
        weights = np.where(there, self.histories.data[entries] ** np.float32(self.config.root), np.float32(0))
        share = self.config.target_share * (self.rng.random((len(users), 1)) * 2 if self.config.vary else 1)
        targets = there & (self.rng.random(items.shape) < share)
        targets[:, 0] |= ~targets.any(axis=1)
        return items, weights, targets

    def _candidates(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the targets and uniform negatives, each item once, int64 [C] ascending."""
        n_items = self.histories.shape[1]
        negatives = self.rng.choice(n_items, self.n_negatives, replace=False, shuffle=False)
        candidates = np.union1d(targets, negatives).astype(np.int64)
        missed = (1 - self.popularity[candidates]) ** len(targets) * (1 - self.n_negatives / n_items)
        return candidates, np.log(1 - missed).astype(np.float32)


def _pairs(found, mask):
    rows, columns = np.nonzero(mask)
    return rows, found[rows, columns]
