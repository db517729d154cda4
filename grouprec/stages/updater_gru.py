"""A GRU over the stream of events: one step per event moves the user's vector."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from grouprec.contracts import StageConfig, Updater, updaters
from grouprec.data.dataset import Dataset, Interactions
from grouprec.training import RunOptions, batches, fit_epochs, load_module, module_arrays

FULL_SOFTMAX_ITEMS = 16_000  # larger catalogues train on a sample of the items per mini-batch, for memory
N_NEGATIVES = 4096
STATES_BATCH = 256
VALIDATION_BATCH = 128
PADDING = -1


class _NextItem(nn.Module):
    """Item embeddings (shared by input and output), a GRU cell unrolled over time, and the state before any event."""

    def __init__(self, n_items: int, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_items, hidden_size)
        self.bias = nn.Embedding(n_items, 1)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)
        self.start = nn.Parameter(torch.zeros(hidden_size))
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embedding.weight, std=hidden_size**-0.5)
        nn.init.zeros_(self.bias.weight)

    def states(self, items: Tensor, start: Tensor | None = None) -> Tensor:
        """Return the state before every event and after the last, [B, T + 1, H], for items [B, T].

        The first state is ``start`` [B, H], or the learned one.
        """
        start = self.start.expand(len(items), -1).contiguous() if start is None else start
        after, _ = self.gru(self.dropout(self.embedding(items)), start[None])
        return torch.cat([start[:, None], after], dim=1)

    def scores(self, states: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the scores of all items, or of the given rows, as next item, [B, I] or [B, C]."""
        table, bias = self.embedding.weight, self.bias.weight[:, 0]
        if rows is not None:
            table, bias = table[rows], bias[rows]
        return torch.addmm(bias, states, table.T)


@updaters.register(
    "gru",
    title="GRU: every event moves the user",
    cite="Hidasi et al. 2016, Session-based Recommendations with Recurrent Neural Networks (arXiv 1511.06939)",
)
class GruUpdater(Updater):
    """A GRU that ranks a user's next item; its hidden state is the user's vector.

    Departures from the paper: sequences are users, not sessions; cross-entropy over the whole catalogue (beyond
    16,000 items over a sample with the sampling probability taken off) instead of pairwise losses; input and output
    share the item embeddings; the first state is learned. Events of equal time have no order: they are shuffled
    anew in every epoch, and once by the seed wherever a state is computed.
    """

    class Config(StageConfig):
        hidden_size: int = Field(64, ge=4, le=1024, description="Length of the user's vector and of item embeddings")
        max_events: int = Field(
            200,
            ge=2,
            le=100_000,
            description="Last training events of a user that are read",
            json_schema_extra={"quick": 25, "thorough": 2000},
        )
        max_length: int = Field(60, ge=2, le=2000, description="Events per training sequence; longer ones are cut")
        dropout: float = Field(0.2, ge=0.0, le=0.9, description="Share of embedding entries left out per step")
        learning_rate: float = Field(0.01, ge=1e-5, le=0.1, description="Step size of AdamW")
        weight_decay: float = Field(0.01, ge=0.0, le=1.0, description="Shrinking of the weights by AdamW")
        batch_size: int = Field(32, ge=1, le=8192, description="Sequences per training step")
        epochs: int = Field(5, ge=1, le=500, description="Most epochs", json_schema_extra={"quick": 2, "thorough": 40})
        patience: int = Field(3, ge=1, le=50, description="Epochs without a better validation value before stopping")

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        config = self.config
        with run.torch_seed("gru"):
            self._module = _NextItem(data.n_items, config.hidden_size, config.dropout).to(run.device)
            counts = np.bincount(data.train.item_rows, minlength=data.n_items).astype(np.float32) + 1
            with torch.no_grad():  # the first guess is popularity
                self._module.bias.weight.copy_(torch.from_numpy(np.log(counts / counts.mean()))[:, None])
            self.history = fit_epochs(
                self._module,
                _Epoch(self._module, data, config, run),
                epochs=config.epochs,
                run=run,
                validate=_Validation(self._module, data, config, run) if len(data.validation) else None,
                patience=config.patience,
            )
        return self

    @torch.no_grad()
    def start(self, data: Dataset, run: RunOptions) -> np.ndarray:
        n_events = self.config.max_events
        sequences, owners = sequences_of(data.train, data.n_users, run.rng("gru start"), n_events, n_events)
        return _states_after(self._module, sequences, owners, data.n_users)

    @torch.no_grad()
    def update(self, states: np.ndarray, item_rows: np.ndarray) -> np.ndarray:
        items = torch.from_numpy(np.array(item_rows, np.int64)).to(self._device)
        before = torch.from_numpy(np.array(states, np.float32)).to(self._device)
        return self._module.states(items[:, None], before)[:, -1].cpu().numpy()

    @torch.no_grad()
    def scores(self, states: np.ndarray) -> np.ndarray:
        return self._module.scores(torch.from_numpy(np.array(states, np.float32)).to(self._device)).cpu().numpy()

    def arrays(self) -> dict[str, np.ndarray]:
        return module_arrays(self._module)

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        empty = _NextItem(len(arrays["embedding.weight"]), self.config.hidden_size, self.config.dropout)
        self._module = load_module(empty, arrays)
        return self

    @property
    def _device(self) -> torch.device:
        return self._module.start.device


def sequences_of(
    part: Interactions, n_users: int, rng: np.random.Generator, max_events: int, max_length: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return every user's last events in time order, cut into sequences.

    Args:
        part: its events of equal time, or all where there are no times, come in random order.
        n_users: number of user rows, U.
        rng: draws that order.
        max_events: events kept per user, the last ones.
        max_length: length L of a sequence; cuts are made from the user's first kept event.
    Returns:
        items int64 [n, L], padded with -1 at the end, and the user row of each sequence, int64 [n], ascending.
    """
    times = np.zeros(len(part)) if part.times is None else part.times
    order = np.lexsort((rng.random(len(part)), times, part.user_rows))
    users, items = part.user_rows[order], part.item_rows[order]
    counts = np.bincount(users, minlength=n_users)
    skipped = np.maximum(counts - max_events, 0)
    place = np.arange(len(users)) - (counts.cumsum() - counts)[users] - skipped[users]
    users, items, place = users[place >= 0], items[place >= 0], place[place >= 0]
    row = np.cumsum(place % max_length == 0) - 1
    n_sequences = int(row[-1]) + 1 if len(row) else 0
    sequences = np.full((n_sequences, max_length), PADDING, np.int64)
    sequences[row, place % max_length] = items
    return sequences, users[place % max_length == 0].astype(np.int64)


class _Epoch:
    """One pass over the training sequences; calling it trains an epoch and returns the mean loss per event."""

    def __init__(self, module: _NextItem, data: Dataset, config: GruUpdater.Config, run: RunOptions) -> None:
        self.module, self.data, self.config, self.device = module, data, config, run.device
        self.rng = run.rng("gru sequences")
        self.popularity = np.bincount(data.train.item_rows, minlength=data.n_items) / len(data.train)
        self.optimizer = torch.optim.AdamW(
            module.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        bfloat16 = run.device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        self.autocast = torch.autocast(run.device, torch.bfloat16, enabled=bfloat16)

    def __call__(self) -> dict[str, float]:
        config, data = self.config, self.data
        sequences, _ = sequences_of(data.train, data.n_users, self.rng, config.max_events, config.max_length)
        total = torch.zeros((), device=self.device)
        for batch in batches(self.rng, len(sequences), config.batch_size):
            items = sequences[batch]
            loss = self._loss(items[:, : (items != PADDING).sum(axis=1).max()])
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total += loss.detach() * len(batch)
        return {"loss": float(total) / len(sequences)}

    def _loss(self, sequences: np.ndarray) -> Tensor:
        """Return the mean cross-entropy of every next item in padded sequences [B, T]."""
        items = torch.from_numpy(sequences).to(self.device)
        there = items != PADDING
        with self.autocast:
            before = self.module.states(items.clamp_min(0))[:, :-1][there]  # [events, H]
            if self.data.n_items <= FULL_SOFTMAX_ITEMS:
                return F.cross_entropy(self.module.scores(before).float(), items[there])
            targets, candidates, log_q = self._sample(sequences[sequences != PADDING])
            logits = self.module.scores(before, candidates).float() - log_q
        return F.cross_entropy(logits, targets)

    def _sample(self, targets: np.ndarray) -> tuple[Tensor, ...]:
        """Return the targets' places among the candidates, the candidates' rows, and their log probability."""
        n_items = self.data.n_items
        negatives = self.rng.choice(n_items, N_NEGATIVES, replace=False, shuffle=False)
        candidates = np.union1d(targets, negatives).astype(np.int64)
        missed = (1 - self.popularity[candidates]) ** len(targets) * (1 - N_NEGATIVES / n_items)
        places = np.searchsorted(candidates, targets)
        parts = (places, candidates, np.log(1 - missed).astype(np.float32))
        return tuple(torch.from_numpy(x).to(self.device) for x in parts)


class _Validation:
    """Mean nDCG@10 of the next item over the first validation events of some users, the state moving with each."""

    N_USERS, N_EVENTS, K = 1000, 20, 10

    def __init__(self, module: _NextItem, data: Dataset, config: GruUpdater.Config, run: RunOptions) -> None:
        rng = run.rng("gru validation")
        users = np.unique(data.validation.user_rows)
        users = np.sort(rng.choice(users, min(self.N_USERS, len(users)), replace=False))
        train = data.train.take(np.isin(data.train.user_rows, users))
        events = data.validation.take(np.isin(data.validation.user_rows, users))
        self.module, self.users, self.n_users = module, users, data.n_users
        self.before = sequences_of(train, data.n_users, rng, config.max_events, config.max_events)
        sequences, owners = sequences_of(events, data.n_users, rng, len(events), self.N_EVENTS)
        self.events = sequences[np.unique(owners, return_index=True)[1]]  # the first sequence of every user

    def __call__(self) -> float:
        states = _states_after(self.module, *self.before, self.n_users)[self.users]
        values = []
        for first in range(0, len(states), VALIDATION_BATCH):
            rows = slice(first, first + VALIDATION_BATCH)
            items = torch.from_numpy(self.events[rows]).to(self.module.start.device)
            start = torch.from_numpy(states[rows]).to(items.device)
            there = items != PADDING
            scores = self.module.scores(self.module.states(items.clamp_min(0), start)[:, :-1][there])
            better = (scores > scores.gather(1, items[there][:, None])).sum(dim=1)
            values.append(torch.where(better < self.K, 1 / torch.log2(better + 2.0), 0.0))
        return float(torch.cat(values).mean())


def _states_after(module: _NextItem, sequences: np.ndarray, owners: np.ndarray, n_users: int) -> np.ndarray:
    """Return the state after each owner's sequence, float32 [U, H]; the start state for all other users."""
    states = np.repeat(module.start.detach().cpu().numpy()[None], n_users, axis=0)
    for first in range(0, len(owners), STATES_BATCH):
        rows = slice(first, first + STATES_BATCH)
        length = (sequences[rows] != PADDING).sum(axis=1)
        items = torch.from_numpy(sequences[rows, : length.max()]).to(module.start.device)
        after = module.states(items.clamp_min(0)).cpu().numpy()
        states[owners[rows]] = after[np.arange(len(length)), length]
    return states
