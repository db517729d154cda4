"""Two LSTM towers: one reads the sequence of a user's items, the other the sequence of an item."""

from __future__ import annotations

import numpy as np
import torch
from pydantic import Field
from scipy import sparse
from torch import Tensor, nn

from grouprec.data.dataset import RECENT, Dataset
from grouprec.models.base import Auto, StageConfig, encoders, setting
from grouprec.models.encoders.sequences import (
    PADDING,
    SequenceEncoder,
    SequenceModule,
    in_time_order,
)
from grouprec.models.fitting import RunOptions

REACH = 5  # how many events before an item its companions are looked for


class _TwoLstms(SequenceModule):
    """Both towers over one table of item embeddings, and the items' sequences (a buffer: saved, not learned)."""

    item_sequences: Tensor

    def __init__(self, item_sequences: np.ndarray, config: LstmEncoder.Config) -> None:
        size, hidden = config.embedding_size, config.hidden_size
        super().__init__(len(item_sequences), size)
        self.user_lstm = nn.LSTM(size, hidden, batch_first=True)
        self.item_lstm = nn.LSTM(size, hidden, batch_first=True)
        self.user_dense, self.item_dense = nn.Linear(hidden, size), nn.Linear(hidden, size)
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("item_sequences", torch.from_numpy(np.array(item_sequences)))

    def states(self, items: Tensor) -> Tensor:
        outputs, _ = self.user_lstm(self.dropout(self.inputs(items)))
        return self.user_dense(self.dropout(outputs))

    def items(self, rows: Tensor) -> Tensor:
        sequences = self.item_sequences[rows]  # [C, S]
        inputs = self.embedding(sequences.clamp_min(0)) * (sequences != PADDING)[..., None]
        outputs, _ = self.item_lstm(self.dropout(inputs))
        vectors = self.embedding(rows) + self.item_dense(self.dropout(outputs[:, -1]))
        return torch.cat([vectors, self.bias(rows)], dim=1)


@encoders.register(
    "lstm",
    title="LSTM: two towers over user and item sequences",
    cite="Hochreiter & Schmidhuber 1997, Long Short-Term Memory; "
    "Hidasi & Karatzoglou 2018, Recurrent Neural Networks with Top-k Gains (arXiv 1706.03847)",
    called="LSTM",
    measured="no published figure has this protocol: networks of sequences are published for the next item. By time, "
    "on the validation part, .205, EASE .131. A split at random tears gaps into the order that it reads.",
)
class LstmEncoder(SequenceEncoder):
    """Two towers of an LSTM and a dense layer each: one reads what a user took, the other what led to an item.

    A user's sequence is their latest items, oldest first. The articles behind this product feed such a "user sequence"
    and an "item sequence" to one LSTM each, and do not say what an item sequence holds; here it is the items that users
    most often took shortly before the item, the strongest last, and then the item itself. So an item that few users
    took borrows from its companions. Order comes from ``recent``; without it the history is read by item row.
    Departures from those articles: the towers share one table of item embeddings; their outputs meet in a dot product
    (plus the item's bias) instead of a dense layer over both, so that the whole catalogue can be ranked; the item's own
    embedding is added to its tower's output; trained by a softmax over the next few items new to the user instead of
    single pairs; embeddings start from a truncated SVD of the histories.
    """

    reads_order = True
    auto = Auto(("thorough",), turn=9)
    usual_seconds = 30.0
    uses_gpu = True

    class Config(StageConfig):
        embedding_size: int = setting(64, ge=4, le=512, description="Length of user and item vectors", search=(32, 256))
        hidden_size: int = Field(64, ge=4, le=1024, description="Width of both LSTMs")
        max_length: int = Field(RECENT, ge=2, le=RECENT, description="Latest items of a user that are read")
        n_companions: int = Field(4, ge=0, le=50, description="Items in an item's sequence, before the item itself")
        # ML-100K split by time, validation nDCG@10 after 6 epochs: 4 ahead .204, 10 ahead .198.
        targets_ahead: int = Field(4, ge=1, le=100, description="How many of the items that follow are predicted alike")
        state_share: float = setting(
            0.25,
            ge=0.01,
            le=1.0,
            description="Share of the places in a sequence that are predicted from per step; fewer are faster",
            thorough=0.5,
        )
        # Few, because the item tower runs over all of them in every step.
        n_negatives: int = setting(
            512,
            ge=1,
            le=100_000,
            description="Random items beside the targets of a mini-batch; the whole catalogue where it is no larger",
            thorough=2048,
        )
        dropout: float = setting(
            0.3, ge=0.0, le=0.9, description="Share of entries left out per step", search=(0.0, 0.5)
        )
        learning_rate: float = setting(0.003, ge=1e-5, le=0.1, description="Step size of AdamW", search=(0.0003, 0.005))
        weight_decay: float = Field(0.01, ge=0.0, le=1.0, description="Shrinking of the weights by AdamW")
        batch_size: int = Field(64, ge=1, le=8192, description="Sequences per training step")
        epochs: int = setting(6, ge=1, le=500, description="Most epochs", quick=1, thorough=20)
        patience: int = Field(4, ge=1, le=50, description="Epochs without a better validation value before stopping")

    config: Config

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_rows * (n_items + 2000)

    def new_module(self, data: Dataset, run: RunOptions) -> SequenceModule:
        users, items = in_time_order(data.train, run.rng("lstm companions"))
        return _TwoLstms(item_sequences(users, items, data.n_items, self.config.n_companions), self.config)

    def empty_module(self, arrays: dict[str, np.ndarray]) -> SequenceModule:
        return _TwoLstms(arrays["item_sequences"], self.config)


def item_sequences(users: np.ndarray, items: np.ndarray, n_items: int, n_companions: int) -> np.ndarray:
    """Return every item's sequence, int64 [I, n_companions + 1]: its companions, the strongest last, then itself.

    Companions are the items that most often came at most five events before it, where the count is divided by
    the square root of the companion's own number of events; -1 at the front where there are fewer.

    Args:
        users: int [n], ascending.
        items: int64 [n], each user's in time order.
        n_items: size of the catalogue, I.
        n_companions: most companions of an item.
    """
    gaps = range(1, min(REACH, len(items) - 1) + 1)
    later = np.concatenate([np.empty(0, np.int64)] + [items[gap:][users[gap:] == users[:-gap]] for gap in gaps])
    earlier = np.concatenate([np.empty(0, np.int64)] + [items[:-gap][users[gap:] == users[:-gap]] for gap in gaps])
    others = later != earlier
    pairs = (np.ones(int(others.sum()), np.float32), (later[others], earlier[others]))
    counts = sparse.coo_array(sparse.csr_array(pairs, shape=(n_items, n_items)))
    strength = counts.data / np.sqrt(np.bincount(items, minlength=n_items)[counts.col])
    order = np.lexsort((counts.col, -strength, counts.row))
    rows, companions = counts.row[order], counts.col[order]
    sizes = np.bincount(rows, minlength=n_items)
    rank = np.arange(len(rows)) - (sizes.cumsum() - sizes)[rows]
    kept = rank < n_companions
    sequences = np.full((n_items, n_companions + 1), PADDING, np.int64)
    sequences[:, -1] = np.arange(n_items)
    sequences[rows[kept], n_companions - 1 - rank[kept]] = companions[kept]
    return sequences
