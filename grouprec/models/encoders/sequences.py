"""What encoders of sequences share: training windows, the loss over the items that follow, sequences of any users.

Sequences are held left-aligned, with -1 after the last item. A network that looks back only then needs no mask: what
stands behind a user's last item cannot reach the states before it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Protocol, Self

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor, nn

from grouprec.core.types import Embeddings
from grouprec.data.dataset import Dataset, Interactions
from grouprec.models.base import Encoder
from grouprec.models.encoders.start import log_popularity, singular_vectors
from grouprec.models.fitting import (
    EXCLUDED,
    Epoch,
    RunOptions,
    adamw,
    fit_epochs,
    load_module,
    module_arrays,
    softmax_sample,
    that_fits,
)
from grouprec.models.together import deal
from grouprec.ranking.task import NewItemTask

PADDING = -1
ENCODE_BATCH = 512


class SequenceModule(nn.Module):
    """A network that reads a user's items, oldest first, and whose states meet the items' vectors in a dot product.

    It has item embeddings, item biases, and a learned input that stands before the first item of every user.
    """

    def __init__(self, n_items: int, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_items, size)
        self.bias = nn.Embedding(n_items, 1)
        self.start = nn.Parameter(torch.zeros(size))

    @torch.no_grad()
    def start_from(self, data: Dataset, seed: int) -> None:
        """Set the embeddings to the singular vectors of the histories, and the bias to the items' log popularity."""
        vectors = singular_vectors(data.histories, self.embedding.embedding_dim, seed)
        self.embedding.weight.copy_(torch.from_numpy(vectors))
        events = np.bincount(data.train.item_rows, minlength=data.n_items)
        self.bias.weight.copy_(torch.from_numpy(log_popularity(events))[:, None])

    def inputs(self, items: Tensor) -> Tensor:
        """Return the start and the items' embeddings, [B, T + 1, D], for items [B, T], -1 padded."""
        start = self.start.expand(len(items), 1, -1)
        return torch.cat([start, self.embedding(items.clamp_min(0))], dim=1)

    @abstractmethod
    def states(self, items: Tensor) -> Tensor:
        """Return the state before the first item and after every item, [B, T + 1, D], for items [B, T], -1 padded."""

    def items(self, rows: Tensor) -> Tensor:
        """Return the vectors of the given item rows [C], [C, D + 1]; the last entry is the item's bias."""
        return torch.cat([self.embedding(rows), self.bias(rows)], dim=1)

    @torch.no_grad()
    def encode(self, items: np.ndarray) -> np.ndarray:
        """Return the users' vectors, float32 [B, D + 1], for items [B, T]; the last entry is 1 and meets the bias."""
        vectors = []
        for first in range(0, max(len(items), 1), ENCODE_BATCH):
            part = items[first : first + ENCODE_BATCH]
            length = (part != PADDING).sum(axis=1)
            states = self.states(torch.from_numpy(part[:, : length.max(initial=0)]).to(self.start.device)).cpu().numpy()
            vectors.append(states[np.arange(len(part)), length])
        table = np.concatenate(vectors)
        return np.hstack([table, np.ones((len(table), 1), np.float32)])

    @torch.no_grad()
    def item_vectors(self) -> np.ndarray:
        """Return the vectors of the whole catalogue, float32 [I, D + 1]."""
        rows = torch.arange(self.embedding.num_embeddings, device=self.start.device).split(ENCODE_BATCH)
        return np.concatenate([self.items(part).cpu().numpy() for part in rows])


def latest_items(histories: sparse.csr_array, recent: np.ndarray | None, length: int) -> np.ndarray:
    """Return the latest items of users, oldest first, left-aligned: int64 [B, length], -1 after the last.

    Args:
        histories: CSR [B, I]; read in the order of item rows where ``recent`` is not given.
        recent: int32 [B, L], -1 before the first item.
        length: most items of a user.
    """
    if recent is None:
        sorted_rows = histories.sorted_indices()
        items, counts = sorted_rows.indices, np.diff(sorted_rows.indptr)
        ends = sorted_rows.indptr[1:]
    else:
        items, counts = recent.ravel(), (recent != PADDING).sum(axis=1)
        ends = (np.arange(len(recent)) + 1) * recent.shape[1]
    if not len(items):
        return np.full((len(counts), length), PADDING, np.int64)
    counts = np.minimum(counts, length)
    places = np.arange(length)
    positions = ((ends - counts)[:, None] + places).clip(max=len(items) - 1)
    return np.where(places < counts[:, None], items[positions], PADDING).astype(np.int64)


def in_time_order(part: Interactions, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return user rows, ascending, and item rows of all events, each user's by time; equal times in random order."""
    ordered = part.in_time_order(rng, by_user=True)
    return ordered.user_rows, ordered.item_rows.astype(np.int64)


class NextItemsSettings(Protocol):
    """What training reads of an encoder's settings."""

    max_length: int
    targets_ahead: int
    state_share: float
    n_negatives: int
    batch_size: int
    learning_rate: float
    weight_decay: float


class NextItemsEpoch(Epoch):
    """One pass over the training events; the loss is per state.

    A state, also the one before the first item, predicts those of its user's next ``targets_ahead`` items that are new
    to the user, all alike, by a softmax over the items that the window does not hold so far. Where the catalogue is
    larger than ``n_negatives``, the softmax is over a sample shared by the mini-batch (its targets and uniform
    negatives), every logit less the logarithm of the probability that the item is in the sample. Long sequences are
    cut at places drawn anew in every epoch, as are the order of events with equal times and the states that predict.
    """

    def __init__(
        self, module: SequenceModule, data: Dataset, settings: NextItemsSettings, rng: np.random.Generator
    ) -> None:
        super().__init__(module, adamw(module, settings), rng)
        self.module, self.part, self.settings = module, data.train, settings
        self.n_users, self.n_items = data.shape
        self.popularity = np.bincount(data.train.item_rows, minlength=data.n_items) / max(len(data.train), 1)

    def losses(self) -> Iterator[tuple[Tensor, int]]:
        self.cut_windows()
        for batch in self.batches():
            items, targets = self.window(batch)
            predicting = (targets != PADDING).any(axis=2)
            predicting &= self.rng.random(predicting.shape) < self.settings.state_share
            if predicting.any():
                yield self.loss(items, targets, predicting), 1

    def cut_windows(self) -> None:
        """Order the events and cut them into windows of one user; a user's first window is of any length."""
        length = self.settings.max_length
        users, self.events = in_time_order(self.part, self.rng)
        pairs = users.astype(np.int64) * self.n_items + self.events
        self.new = np.zeros(len(users), bool)
        self.new[np.unique(pairs, return_index=True)[1]] = True
        counts = np.bincount(users, minlength=self.n_users)
        ends = counts.cumsum()
        place = np.arange(len(users)) - (ends - counts)[users]
        shift = self.rng.integers(length, size=self.n_users)
        self.starts = np.flatnonzero((place == 0) | ((place + shift[users]) % length == 0))
        self.stops = np.append(self.starts[1:], len(users))
        self.ends = ends[users[self.starts]]  # of the user: no target lies beyond

    def batches(self) -> Iterator[np.ndarray]:
        """Yield windows in random order, those of about one length together, so that little is padding."""
        size, lengths = that_fits(self.settings.batch_size), self.stops - self.starts
        order = np.argsort(lengths + self.rng.uniform(0, self.settings.max_length / 5, len(lengths)))
        places = self.rng.permutation(-(-len(order) // size))
        yield from deal(self.rng, (order[place * size : (place + 1) * size] for place in places))

    def window(self, batch: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return items [B, T] of those windows and the targets of every state [B, T + 1, A]; int64, -1 where none."""
        starts, stops, ends = self.starts[batch, None], self.stops[batch, None], self.ends[batch, None]
        last = len(self.events) - 1
        positions = starts + np.arange(int((stops - starts).max()) + 1)
        ahead = positions[..., None] + np.arange(self.settings.targets_ahead)
        there = (positions <= stops)[..., None] & (ahead < ends[..., None]) & self.new[ahead.clip(max=last)]
        targets = np.where(there, self.events[ahead.clip(max=last)], PADDING)
        items = np.where(positions < stops, self.events[positions.clip(max=last)], PADDING)
        return items[:, :-1], targets

    def loss(self, items: np.ndarray, targets: np.ndarray, predicting: np.ndarray) -> Tensor:
        """Return the mean cross-entropy of the states that predict, bool [B, T + 1]; each has a target."""
        rows, steps = np.nonzero(predicting)
        targets = targets[predicting]  # [N, A]
        before = np.where(np.arange(items.shape[1]) < steps[:, None], items[rows], PADDING)  # [N, T]
        candidates, log_q = self.candidates(targets[targets != PADDING])
        with self.autocast:
            states = self.module.states(self.tensor(items))[self.tensor(rows), self.tensor(steps)]
            vectors = self.module.items(self.tensor(candidates))
            logits = torch.addmm(vectors[:, -1], states, vectors[:, :-1].T)
        logits = logits.float() - self.tensor(log_q)
        logits = logits.index_put(self._found(before, candidates), logits.new_tensor(EXCLUDED))
        there = self.tensor((targets != PADDING).astype(np.float32))
        places = np.searchsorted(candidates, targets)  # of -1: the first, of weight 0
        chosen = (logits.gather(1, self.tensor(places)) * there).sum(dim=1) / there.sum(dim=1)
        return (logits.logsumexp(dim=1) - chosen).mean()

    def _found(self, items: np.ndarray, candidates: np.ndarray) -> tuple[Tensor, Tensor]:
        """Return rows and columns of the logits that belong to items [N, T]."""
        places = np.searchsorted(candidates, items).clip(max=len(candidates) - 1)
        found = candidates[places] == items
        return self.tensor(np.nonzero(found)[0]), self.tensor(places[found])

    def candidates(self, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the items of the softmax, int64 [C] ascending, and the log of their probability to be among them."""
        if self.n_items <= self.settings.n_negatives:
            return np.arange(self.n_items), np.zeros(self.n_items, np.float32)
        return softmax_sample(targets, self.popularity, self.settings.n_negatives, self.rng)


class SequenceSettings(NextItemsSettings, Protocol):
    """What :class:`SequenceEncoder` reads of its settings."""

    epochs: int
    patience: int


class SequenceEncoder(Encoder):
    """An encoder whose network reads a user's latest items in order, learned by predicting those that follow."""

    scale = "log"
    config: SequenceSettings
    _module: SequenceModule

    @abstractmethod
    def new_module(self, data: Dataset, run: RunOptions) -> SequenceModule:
        """Return the network for a dataset's items, before it has learned anything."""

    @abstractmethod
    def empty_module(self, arrays: dict[str, np.ndarray]) -> SequenceModule:
        """Return a network that the weights in these arrays fit."""

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        config = self.config
        task = NewItemTask.sample(data, run.rng(f"{self.name} validation"))
        with run.torch_seed(self.name):
            self._module = self.new_module(data, run)
            self._module.start_from(data, run.seed)
            self._module.to(run.device)

            def validate() -> float:
                users = self.encode(task.histories, task.attributes, task.recent)
                return task.ndcg(Embeddings(users, self._module.item_vectors()))

            self.history = fit_epochs(
                self._module,
                NextItemsEpoch(self._module, data, config, run.rng(f"{self.name} sequences")),
                epochs=config.epochs,
                run=run,
                validate=validate if len(task) else None,
                patience=config.patience,
            )
        self._items = self._module.item_vectors()
        return self

    def items(self) -> np.ndarray:
        return self._items

    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> np.ndarray:
        return self._module.encode(latest_items(histories, recent, self.config.max_length))

    def arrays(self) -> dict[str, np.ndarray]:
        return module_arrays(self._module)

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._module = load_module(lambda: self.empty_module(arrays), arrays)
        self._items = self._module.item_vectors()
        return self
