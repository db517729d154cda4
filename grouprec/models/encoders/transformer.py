"""SASRec: causal self-attention over a user's latest items."""

from __future__ import annotations

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from grouprec.data.dataset import RECENT, Dataset
from grouprec.models.base import Auto, StageConfig, encoders, setting
from grouprec.models.encoders.sequences import SequenceEncoder, SequenceModule
from grouprec.models.fitting import RunOptions


class _Block(nn.Module):
    """Self-attention that looks back only, then a feed-forward layer, each beside a shortcut and normalised before."""

    def __init__(self, size: int, n_heads: int, dropout: float) -> None:
        super().__init__()
        self.n_heads, self.head_size = n_heads, -(-size // n_heads)
        inner = self.n_heads * self.head_size  # the size, or a little more where the heads do not divide it
        self.attention_norm, self.norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.to_attention, self.from_attention = nn.Linear(size, 3 * inner), nn.Linear(inner, size)
        self.feed_forward = nn.Sequential(nn.Linear(size, size), nn.GELU(), nn.Linear(size, size))
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        parts = self.to_attention(self.attention_norm(inputs)).unflatten(2, (3, self.n_heads, self.head_size))
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # each [B, heads, T, head size]
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        inputs = inputs + self.dropout(self.from_attention(mixed.transpose(1, 2).flatten(2)))
        return inputs + self.dropout(self.feed_forward(self.norm(inputs)))


class _SasRec(SequenceModule):
    """Item embeddings (shared by input and output) and learned positions, then the blocks."""

    def __init__(self, n_items: int, config: TransformerEncoder.Config) -> None:
        size = config.embedding_size
        super().__init__(n_items, size)
        self.position = nn.Parameter(torch.zeros(config.max_length + 1, size))
        self.blocks = nn.Sequential(*[_Block(size, config.n_heads, config.dropout) for _ in range(config.n_blocks)])
        self.norm = nn.LayerNorm(size)
        self.dropout = nn.Dropout(config.dropout)

    def states(self, items: Tensor) -> Tensor:
        inputs = self.inputs(items)
        return self.norm(self.blocks(self.dropout(inputs + self.position[: inputs.shape[1]])))


@encoders.register(
    "transformer",
    title="Transformer: self-attention over the latest items",
    cite="Kang & McAuley 2018, Self-Attentive Sequential Recommendation (arXiv 1808.09781); "
    "Klenitskiy & Vasilev 2023, Turning Dross Into Gold Loss (arXiv 2309.07602)",
    measured="no published figure has this protocol: SASRec is published for the next item. By time .244, EASE .205 "
    "(validation part .203 and .131). A split at random tears gaps into the order that it reads.",
)
class TransformerEncoder(SequenceEncoder):
    """SASRec: the last state of a network that reads a user's latest items in order is the user's vector.

    Every block is causal self-attention and a feed-forward layer of the same width; the score is the state times the
    item's embedding, plus the item's bias. Order comes from ``recent``; without it the history is read by item row.
    Departures from Kang & McAuley: softmax cross-entropy instead of one random negative per item (Klenitskiy &
    Vasilev); a state predicts the next few items new to the user, not only the very next, and items it has read are no
    negatives; a learned start stands before the first item, so that an empty history has a vector; positions count
    from the oldest item read; embeddings start from a truncated SVD of the histories; attention has no dropout.
    """

    reads_order = True
    auto = Auto(("standard", "thorough"), turn=11, most_rows={"standard": 150_000})
    fold_rows = 150_000
    usual_seconds = 30.0
    uses_gpu = True

    class Config(StageConfig):
        embedding_size: int = setting(64, ge=4, le=512, description="Length of user and item vectors", search=(32, 256))
        max_length: int = Field(RECENT, ge=2, le=RECENT, description="Latest items of a user that are read")
        # ML-100K split by time, validation nDCG@10 after 6 epochs: 1 ahead .199, 4 ahead .198, 10 ahead .190.
        targets_ahead: int = Field(4, ge=1, le=100, description="How many of the items that follow are predicted alike")
        n_blocks: int = Field(2, ge=1, le=12, description="Layers of self-attention")
        n_heads: int = Field(2, ge=1, le=16, description="Heads of every layer")
        state_share: float = setting(
            0.25,
            ge=0.01,
            le=1.0,
            description="Share of the places in a sequence that are predicted from per step; fewer are faster",
            thorough=0.5,
        )
        n_negatives: int = setting(
            4096,
            ge=1,
            le=100_000,
            description="Random items beside the targets of a mini-batch; the whole catalogue where it is no larger",
            thorough=20_000,
        )
        dropout: float = setting(
            0.3, ge=0.0, le=0.9, description="Share of entries left out per step", search=(0.1, 0.6)
        )
        learning_rate: float = setting(0.002, ge=1e-5, le=0.1, description="Step size of AdamW", search=(0.0003, 0.005))
        weight_decay: float = Field(0.01, ge=0.0, le=1.0, description="Shrinking of the weights by AdamW")
        batch_size: int = Field(64, ge=1, le=8192, description="Sequences per training step")
        epochs: int = setting(6, ge=1, le=500, description="Most epochs", quick=1, thorough=20)
        patience: int = Field(4, ge=1, le=50, description="Epochs without a better validation value before stopping")

    config: Config

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_rows * (n_items + 2000)

    def new_module(self, data: Dataset, run: RunOptions) -> SequenceModule:
        return _SasRec(data.n_items, self.config)

    def empty_module(self, arrays: dict[str, np.ndarray]) -> SequenceModule:
        return _SasRec(len(arrays["embedding.weight"]), self.config)
