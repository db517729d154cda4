"""A GRU over the stream of events, and what is taken together: one step per event moves the user's vector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from grouprec.data.dataset import Dataset, Interactions
from grouprec.models.base import StageConfig, Updater, setting, updaters
from grouprec.models.encoders.sequences import in_time_order
from grouprec.models.encoders.start import log_popularity, singular_vectors
from grouprec.models.fitting import (
    Dropout,
    Epoch,
    RunOptions,
    adamw,
    batches,
    fit_epochs,
    load_module,
    module_arrays,
    softmax_sample,
)
from grouprec.models.updaters.neighbours import N_NEIGHBOURS, neighbours_of
from grouprec.models.updaters.quick_gru import FADE, FLOOR, LEAST, MEMORY, PADDING, QuickGru

FULL_SOFTMAX_ITEMS = 2_000  # larger catalogues train on a sample of the items per mini-batch, for time and memory
N_NEGATIVES = 512
EPOCH_USERS = 50_000  # of more, so many are drawn for every epoch
STATES_BATCH = 256
FEW = 8  # vectors
WEIGHTS = (0.0, 0.3, 0.6, 0.8, 0.9, 0.97)  # tried on the validation part
REPEATS = (0.01, 0.3, 1.0, 3.0)


class _NextItem(nn.Module):
    """Item embeddings (shared by input and output), a GRU cell unrolled over time, and the state before any event.

    Not trained: every item's neighbours, ``near_items`` and ``near_values`` [I, N].
    """

    near_items: Tensor
    near_values: Tensor
    fade: Tensor

    def __init__(self, n_items: int, hidden_size: int, dropout: float) -> None:
        super().__init__()
        width = min(N_NEIGHBOURS, n_items)
        self.register_buffer("near_items", torch.zeros((n_items, width), dtype=torch.int32))
        self.register_buffer("near_values", torch.zeros((n_items, width)))
        self.embedding = nn.Embedding(n_items, hidden_size)
        self.bias = nn.Embedding(n_items, 1)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)
        self.start = nn.Parameter(torch.zeros(hidden_size))
        self.dropout = Dropout(dropout)
        self.register_buffer("fade", FADE ** torch.arange(MEMORY - 1.0, -1, -1), persistent=False)
        self._side_by_side: tuple[tuple[int, int], Tensor] | None = None

    @torch.no_grad()
    def start_from(self, data: Dataset, run: RunOptions) -> None:
        """Set neighbours, embeddings (singular vectors of the histories) and bias (log popularity) from the data."""
        items, values = neighbours_of(data.train, data.n_items, run.rng("gru neighbours"))
        self.near_items.copy_(torch.from_numpy(items))
        self.near_values.copy_(torch.from_numpy(values))
        vectors = singular_vectors(data.histories, self.embedding.embedding_dim, run.seed)
        self.embedding.weight.copy_(torch.from_numpy(vectors))
        events = np.bincount(data.train.item_rows, minlength=data.n_items)
        self.bias.weight.copy_(torch.from_numpy(log_popularity(events))[:, None])

    def states(self, items: Tensor) -> Tensor:
        """Return the state before every event and after the last, [B, T + 1, H], for items [B, T].

        The first state is the learned one.
        """
        start = self.start.expand(len(items), -1).contiguous()
        after, _ = self.gru(self.dropout(self.embedding(items)), start[None])
        return torch.cat([start[:, None], after], dim=1)

    def scores(self, states: Tensor, rows: Tensor | None = None) -> Tensor:
        """Return the scores of all items, or of the given rows, as next item, [B, I] or [B, C]."""
        table, bias = self.embedding.weight, self.bias.weight[:, 0]
        if rows is not None:
            return torch.addmm(bias[rows], states, table[rows].T)
        return torch.addmm(bias, states, table.T if self.training else self._columns())

    def _columns(self) -> Tensor:
        """Return the item embeddings side by side, [H, I]: one row of scores then takes half the time."""
        weight = self.embedding.weight
        state = weight._version, weight.data_ptr()
        if self._side_by_side is None or self._side_by_side[0] != state:
            self._side_by_side = state, weight.detach().T.contiguous()
        return self._side_by_side[1]

    def neighbours(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Return the neighbours of remembered items and their chances, int64 and float [B, M * N]; 0 where none speak.

        ``memory`` int64 [B, M], -1 where there is nothing. An item may be there more than once: its chances add up.
        """
        known, weights = memory.clamp_min(0), self.fade * (memory != PADDING)
        values = (self.near_values[known] * weights[..., None]).flatten(1)
        return self.near_items[known].flatten(1).long(), values / values.sum(dim=1, keepdim=True).clamp_min(LEAST)

    def mix(self, taste: Tensor, near: tuple[Tensor, Tensor], memory: Tensor, weight: float, repeats: float) -> Tensor:
        """Return the mixture above a floor, [B, I], sum 1; who has no neighbours has their taste [B, I] alone."""
        items, values = near
        weights = weight * (values.sum(dim=1, keepdim=True) > 0)
        chances = (taste * (1 - weights)).scatter_add_(1, items, values * weights)
        if repeats != 1:
            latest = memory[:, -1:]  # stands in for what is missing: every entry of an item then says the same
            known = torch.where(memory == PADDING, latest, memory).clamp_min(0)
            factor = torch.where(latest == PADDING, 1.0, repeats)
            chances.scatter_(1, known, chances.gather(1, known) * factor)
        chances += FLOOR / chances.shape[1]
        return chances / chances.sum(dim=1, keepdim=True)


@updaters.register(
    "gru",
    title="GRU and item neighbours: every event moves the user",
    cite="Hidasi et al. 2016, Session-based Recommendations with Recurrent Neural Networks (arXiv 1511.06939); "
    "Jannach and Ludewig 2017, When Recurrent Neural Networks Meet the Neighborhood (RecSys)",
)
class GruUpdater(Updater):
    """A GRU for a user's taste and a memory of their latest items for what they are at just now.

    A user's vector is the GRU's hidden state [H] and the rows of their latest 32 items [M], oldest first, -1 where
    there are fewer; an event makes one GRU step and enters the memory. The chance of item i as the next one is

        p_i ~ ((1 - w) softmax(E h + b)_i + w n_i) * (r if i is in the memory else 1) + 3 / I

    where n (sum 1) adds up the neighbours of the remembered items, each counts 0.9 times as much as the one after it.
    Items are neighbours when people take them together: of the same time, or, for a tenth, at most 30 events apart,
    divided by the square roots of both items' totals; the 100 nearest are kept. The validation part chooses w and r by
    the updated users' nDCG@10, which also stops the epochs. The last term changes no order; by it an item that was
    next to impossible does not seem to rise without end when it becomes a possible one.

    Departures from the papers: sequences are users, not sessions; cross-entropy over the catalogue (beyond 2,000 items
    over a sample with the sampling probability taken off) instead of pairwise losses; input and output share the item
    embeddings, which start from the singular vectors of the histories; the first state is learned; the neighbours are
    items, not sessions, so that an event costs the same whatever the past; the two are mixed as probabilities. Events
    of equal time have no order: they are shuffled anew in every epoch, and once by the seed wherever a state is
    computed.
    """

    class Config(StageConfig):
        hidden_size: int = Field(32, ge=4, le=1024, description="Length of the GRU's state and of item embeddings")
        max_events: int = setting(
            200, ge=2, le=100_000, description="Last training events of a user that are read", quick=32, thorough=2000
        )
        max_length: int = Field(60, ge=2, le=2000, description="Events per training sequence; longer ones are cut")
        dropout: float = Field(0.2, ge=0.0, le=0.9, description="Share of embedding entries left out per step")
        learning_rate: float = Field(0.01, ge=1e-5, le=0.1, description="Step size of AdamW")
        weight_decay: float = Field(0.01, ge=0.0, le=1.0, description="Shrinking of the weights by AdamW")
        batch_size: int = Field(32, ge=1, le=8192, description="Sequences per training step")
        epochs: int = setting(4, ge=1, le=500, description="Most epochs", quick=2, thorough=40)
        patience: int = Field(3, ge=1, le=50, description="Epochs without a better validation value before stopping")
        neighbour_weight: float = Field(
            0.8, ge=0.0, le=1.0, description="Share of the neighbours in a prediction, where no validation part says"
        )
        repeats: float = Field(
            1.0, ge=0.0, le=100.0, description="Factor on items just taken, if no validation part says"
        )

    config: Config

    _quick: QuickGru | None = None  # once all is learned

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        config, self._quick = self.config, None
        with run.torch_seed("gru"):
            self.module = _NextItem(data.n_items, config.hidden_size, config.dropout)
            draws = self.module.dropout.draws = run.own_draws()
        self.module.start_from(data, run)
        self._mixture = config.neighbour_weight, config.repeats
        self.module.to(run.device)
        replay = _Replay(self, data, run) if len(data.validation) else None
        self.history = fit_epochs(
            self.module,
            _Epoch(self.module, data, config, run),
            epochs=config.epochs,
            run=run,
            validate=(lambda: replay.values([self._mixture])[0]) if replay else None,
            patience=config.patience,
            draws=draws,
        )
        if replay:
            self._mixture = replay.best_mixture()
            self.decided = dict(zip(("neighbour_weight", "repeats"), self._mixture, strict=True))
        self._quick = QuickGru(module_arrays(self.module), *self._mixture)
        return self

    def start(self, data: Dataset, run: RunOptions) -> np.ndarray:
        n_events = self.config.max_events
        latest = sequences_of(data.train, data.n_users, run.rng("gru start"), n_events, n_events)
        return self.after(*latest, data.n_users)

    @torch.inference_mode()
    def after(self, sequences: np.ndarray, owners: np.ndarray, n_users: int) -> np.ndarray:
        """Return the vectors [n_users, H + M] after one sequence [n, L] of each owner [n]; all others have had none."""
        start = self.module.start.detach().cpu().numpy()
        states = np.full((n_users, len(start) + MEMORY), PADDING, np.float32)
        states[:, :-MEMORY] = start
        for first in range(0, len(owners), STATES_BATCH):
            items, users = sequences[first : first + STATES_BATCH], owners[first : first + STATES_BATCH]
            length = (items != PADDING).sum(axis=1)
            known = torch.from_numpy(items[:, : length.max()]).to(self._device)
            after = self.module.states(known.clamp_min(0)).cpu().numpy()
            states[users, :-MEMORY] = after[np.arange(len(length)), length]
            place = length[:, None] - np.arange(MEMORY, 0, -1)
            remembered = np.take_along_axis(items, np.maximum(place, 0), axis=1)
            states[users, -MEMORY:] = np.where(place >= 0, remembered, PADDING)
        return states

    @torch.inference_mode()
    def update(self, states: np.ndarray, item_rows: np.ndarray) -> np.ndarray:
        if self._quick and len(states) <= FEW:
            return self._quick.update(states, item_rows)
        hidden = self._hidden(states)
        items = torch.from_numpy(np.array(item_rows, np.int64)).to(self._device)
        module = self.module
        hidden = torch.gru_cell(module.embedding(items), hidden, *module.gru.all_weights[0]).cpu().numpy()
        entered = np.asarray(item_rows, np.float32)[:, None]  # row numbers are exact up to 16 million
        return np.hstack([hidden, states[:, 1 - MEMORY :], entered]).astype(np.float32, copy=False)

    @torch.inference_mode()
    def chances(self, states: np.ndarray) -> np.ndarray:
        if self._quick and len(states) <= FEW:
            return self._quick.chances(states)
        return self.module.mix(*self.parts(states), *self._mixture).cpu().numpy()

    def parts(self, states: np.ndarray) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
        """Return what :meth:`_NextItem.mix` mixes: the GRU's chances [B, I], the neighbours and the memory [B, M]."""
        memory = torch.from_numpy(states[:, -MEMORY:].astype(np.int64)).to(self._device)
        taste = torch.softmax(self.module.scores(self._hidden(states)), dim=1)
        return taste, self.module.neighbours(memory), memory

    def _hidden(self, states: np.ndarray) -> Tensor:
        """Return the GRU's states [B, H] on the device."""
        return torch.from_numpy(np.array(states[:, :-MEMORY], np.float32)).to(self._device)

    def arrays(self) -> dict[str, np.ndarray]:
        return {**module_arrays(self.module), "mixture": np.array(self._mixture)}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        learned = dict(arrays)
        weight, repeats = learned.pop("mixture").tolist()
        self._mixture = weight, repeats
        n_items, size, dropout = len(arrays["embedding.weight"]), self.config.hidden_size, self.config.dropout
        self.module = load_module(lambda: _NextItem(n_items, size, dropout), learned)
        self._quick = QuickGru(module_arrays(self.module), *self._mixture)
        return self

    @property
    def _device(self) -> torch.device:
        return self.module.start.device


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
    users, items = in_time_order(part, rng)
    counts = np.bincount(users, minlength=n_users)
    skipped = np.maximum(counts - max_events, 0)
    place = np.arange(len(users)) - (counts.cumsum() - counts)[users] - skipped[users]
    users, items, place = users[place >= 0], items[place >= 0], place[place >= 0]
    row = np.cumsum(place % max_length == 0) - 1
    n_sequences = int(row[-1]) + 1 if len(row) else 0
    sequences = np.full((n_sequences, max_length), PADDING, np.int64)
    sequences[row, place % max_length] = items
    return sequences, users[place % max_length == 0].astype(np.int64)


class _Epoch(Epoch):
    """One pass over the training sequences of at most 50,000 users, drawn anew; the mean is per event, sequence by
    sequence. A step costs what the catalogue is large, so steps for all users would grow with users x items."""

    def __init__(self, module: _NextItem, data: Dataset, config: GruUpdater.Config, run: RunOptions) -> None:
        super().__init__(module, adamw(module, config), run.rng("gru sequences"))
        self.module, self.data, self.config = module, data, config
        self.popularity = np.bincount(data.train.item_rows, minlength=data.n_items) / len(data.train)

    def losses(self) -> Iterator[tuple[Tensor, int]]:
        config, data = self.config, self.data
        part = data.train
        if data.n_users > EPOCH_USERS:
            read = np.zeros(data.n_users, bool)
            read[self.rng.choice(data.n_users, EPOCH_USERS, replace=False)] = True
            part = part.take(read[part.user_rows])
        sequences, _ = sequences_of(part, data.n_users, self.rng, config.max_events, config.max_length)
        for batch in batches(self.rng, len(sequences), config.batch_size):
            items = sequences[batch]
            yield self._loss(items[:, : (items != PADDING).sum(axis=1).max()]), len(batch)

    def _loss(self, sequences: np.ndarray) -> Tensor:
        """Return the mean cross-entropy of every next item in padded sequences [B, T]."""
        items = self.tensor(sequences)
        there = items != PADDING
        with self.autocast:
            before = self.module.states(items.clamp_min(0))[:, :-1][there]  # [events, H]
            if self.data.n_items <= FULL_SOFTMAX_ITEMS:
                return F.cross_entropy(self.module.scores(before).float(), items[there])
            targets = sequences[sequences != PADDING]
            candidates, log_q = softmax_sample(targets, self.popularity, N_NEGATIVES, self.rng)
            logits = self.module.scores(before, self.tensor(candidates)).float() - self.tensor(log_q)
        return F.cross_entropy(logits, self.tensor(np.searchsorted(candidates, targets)))


class _Replay:
    """The first validation events of some users, each predicted by the user as all events before it have moved them."""

    N_USERS, N_EVENTS, K, BATCH = 300, 20, 10, 256

    def __init__(self, updater: GruUpdater, data: Dataset, run: RunOptions) -> None:
        rng, n_events = run.rng("gru validation"), updater.config.max_events
        users = np.unique(data.validation.user_rows)
        users = np.sort(rng.choice(users, min(self.N_USERS, len(users)), replace=False))
        train = data.train.take(np.isin(data.train.user_rows, users))
        events = data.validation.take(np.isin(data.validation.user_rows, users))
        self.updater, self.users, self.n_users = updater, users, data.n_users
        self.before = sequences_of(train, data.n_users, rng, n_events, n_events)
        sequences, owners = sequences_of(events, data.n_users, rng, len(events), self.N_EVENTS)
        self.events = sequences[np.unique(owners, return_index=True)[1]]  # the first sequence of every user

    def best_mixture(self) -> tuple[float, float]:
        """Return the weight of the neighbours and the factor of repeats that predict best, one after the other."""
        moments = self._moments()
        by_weight = [(weight, 1.0) for weight in WEIGHTS]
        weight = WEIGHTS[int(np.argmax(self.values(by_weight, moments)))]
        by_repeats = [(weight, repeats) for repeats in REPEATS]
        return by_repeats[int(np.argmax(self.values(by_repeats, moments)))]

    @torch.inference_mode()
    def values(
        self, mixtures: list[tuple[float, float]], moments: tuple[np.ndarray, np.ndarray] | None = None
    ) -> list[float]:
        """Return the mean nDCG@10 of the next item under every mixture, at :meth:`_moments`."""
        module, totals = self.updater.module, [0.0] * len(mixtures)
        states, items = moments or self._moments()
        for first in range(0, len(items), self.BATCH):
            parts = self.updater.parts(states[first : first + self.BATCH])
            target = torch.from_numpy(items[first : first + self.BATCH, None]).to(parts[0].device)
            for place, mixture in enumerate(mixtures):
                chances = module.mix(*parts, *mixture)
                rank = (chances > chances.gather(1, target)).sum(dim=1)
                totals[place] += float(torch.where(rank < self.K, 1 / torch.log2(rank + 2.0), 0.0).sum())
        return [total / len(items) for total in totals]

    def _moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the users' vectors before every event, and its item."""
        now = self.updater.after(*self.before, self.n_users)[self.users]
        states, items = [], []
        for step in self.events.T:
            there = step != PADDING
            states.append(now[there])
            items.append(step[there])
            now[there] = self.updater.update(now[there], step[there])
        return np.concatenate(states), np.concatenate(items)
