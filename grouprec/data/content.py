"""What is known of items as blocks of numbers whose products say how alike two items are."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from sklearn.preprocessing import normalize

from grouprec.data.features import AttributeEncoder

TEXT_SIZE = 64
WIDEST = np.pi / 2  # standard deviations from the mean beyond which numbers are all the same: half a turn apart at most

Blocks = dict[str, np.ndarray]


class ItemContent:
    """Numbers, categories, text and vectors of items, learned from those that have users.

    Every block is float32 [n, F] with rows of length 1, or 0 where nothing is known. A number is an angle, so that two
    of them are as alike as they are near; a category counts the more the rarer it is.
    """

    def fit(self, frame: pd.DataFrame, seed: int = 0) -> Self:
        """Learn from items that have users (:func:`~grouprec.data.features.item_frame`); ``seed`` is the SVD's."""
        self._encoder = AttributeEncoder(TEXT_SIZE, of_items=True).fit(frame, seed)
        shares = self._part(self._encoder.transform(frame), "category").mean(axis=0) if len(frame) else np.zeros(0)
        self._rarity = -np.log(np.maximum(shares, 1e-9))
        return self

    def blocks(self, frame: pd.DataFrame, vectors: np.ndarray | None = None) -> Blocks:
        """Return what is known of n items by block: "numbers", "categories", "text" and "vectors".

        Args:
            frame: n rows, columns as those of :meth:`fit`; some may be missing.
            vectors: float32 [n, V].
        """
        features = self._encoder.transform(frame)
        angles = np.clip(self._part(features, "number"), -WIDEST, WIDEST)
        known = self._encoder.known_numbers(frame)
        found = {
            "numbers": np.hstack([known * np.cos(angles), known * np.sin(angles)]),
            "categories": self._part(features, "category") * self._rarity,
            "text": self._part(features, "text"),
            "vectors": np.zeros((len(frame), 0)) if vectors is None else vectors,
        }
        return {
            name: normalize(block).astype(np.float32) if block.size else block.astype(np.float32)
            for name, block in found.items()
        }

    def _part(self, features: np.ndarray, kind: str) -> np.ndarray:
        return features[:, self._encoder.kinds == kind]
