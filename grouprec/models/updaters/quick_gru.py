"""The GRU updater's step and prediction for one user at a time, quicker than its module is.

An event is one row: there, most of torch's calls cost more than their work, and every pass over the catalogue counts.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from scipy.special import expit

PADDING = -1
MEMORY = 32  # latest items that a state remembers
FADE = 0.9  # an item of the memory speaks this much less than the one after it
LEAST = 1e-12  # keeps the sum of no neighbours from being 0
FLOOR = 3.0  # times the chance of an item drawn blindly, added to every item's


class QuickGru:
    """What :class:`~grouprec.models.updaters.gru.GruUpdater` does, for few vectors [B, H + M]; on the processor.

    The same up to rounding; the same call gives the same bits.

    Args:
        learned: the arrays of the updater.
        weight, repeats: its mixture.
    """

    def __init__(self, learned: Mapping[str, np.ndarray], weight: float, repeats: float) -> None:
        self._weight, self._repeats = weight, repeats
        self._embedding, self._near = learned["embedding.weight"], (learned["near_items"], learned["near_values"])
        self._from_item, self._from_state = (learned[f"gru.weight_{name}_l0"].T.copy() for name in ("ih", "hh"))
        self._bias_of_item, self._bias_of_state = (learned[f"gru.bias_{name}_l0"] for name in ("ih", "hh"))
        columns = np.vstack([self._embedding.T, learned["bias.weight"].T])  # read in order, and the bias at no cost
        self._columns = torch.from_numpy(np.ascontiguousarray(columns))  # [H + 1, I]
        self._fade = (FADE ** np.arange(MEMORY - 1, -1, -1)).astype(np.float32)

    def update(self, states: np.ndarray, item_rows: np.ndarray) -> np.ndarray:
        """Return the vectors after one event each, float32 [B, H + M]."""
        hidden = states[:, :-MEMORY]
        item = self._embedding[item_rows] @ self._from_item + self._bias_of_item
        state = hidden @ self._from_state + self._bias_of_state
        size = hidden.shape[1]
        gates = expit(item[:, : 2 * size] + state[:, : 2 * size])
        reset, keep = gates[:, :size], gates[:, size:]
        fresh = np.tanh(item[:, 2 * size :] + reset * state[:, 2 * size :])
        entered = np.asarray(item_rows, np.float32)[:, None]
        return np.concatenate([fresh + keep * (hidden - fresh), states[:, size + 1 :], entered], axis=1)

    def chances(self, states: np.ndarray) -> np.ndarray:
        """Return how likely every item is the next one, float32 [B, I]."""
        memory, n_items = states[:, -MEMORY:].astype(np.int64), len(self._embedding)
        hidden = np.ones((len(states), len(self._columns)), np.float32)
        hidden[:, :-1] = states[:, :-MEMORY]
        chances = torch.mm(torch.from_numpy(hidden), self._columns).numpy()
        chances -= chances.max(axis=1, keepdims=True)
        np.exp(chances, out=chances)
        items, values, weights = self._neighbours(memory)
        chances *= (1 - weights) / chances.sum(axis=1, keepdims=True)
        flat, first = chances.reshape(-1), np.arange(len(states))[:, None] * n_items
        np.add.at(flat, (items + first).ravel(), values.ravel())
        if self._repeats != 1:
            latest = memory[:, -1:]  # stands in for what is missing: every entry of an item then says the same
            known = np.maximum(np.where(memory == PADDING, latest, memory), 0) + first
            flat[known] *= np.where(latest == PADDING, 1, np.float32(self._repeats))
        chances += np.float32(FLOOR / n_items)
        chances /= chances.sum(axis=1, keepdims=True)
        return chances

    def _neighbours(self, memory: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return neighbours of remembered items [B, M * N], what they add to their chances, and their share [B, 1]."""
        known, weights = np.maximum(memory, 0), self._fade * (memory != PADDING)
        items, values = (part.take(known, axis=0) for part in self._near)
        values *= weights[:, :, None]
        values = values.reshape(len(memory), -1)
        total = values.sum(axis=1, keepdims=True)
        weights = np.where(total > 0, np.float32(self._weight), np.float32(0))
        values *= weights / np.maximum(total, np.float32(LEAST))
        return items.reshape(values.shape), values, weights
