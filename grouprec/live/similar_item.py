"""Which known item a new one is most like, by its label and attributes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from sklearn.preprocessing import normalize

from grouprec.data.features import AttributeFeatures

LABEL = "item_label"


class SimilarItem:
    """The nearest known item of a new one: the largest cosine of their features (:class:`AttributeFeatures`).

    Args:
        attributes: of the known items, I rows, any columns.
        labels: of the known items; they count where they are more than the ids.
        item_ids: of the known items.
    """

    def __init__(self, attributes: pd.DataFrame, labels: pd.Series, item_ids: pd.Series) -> None:
        named = not (labels == item_ids).all()
        self._frame = attributes.assign(**{LABEL: labels}) if named else attributes

    @cached_property
    def _known(self) -> tuple[AttributeFeatures, np.ndarray]:
        """What the items are like, float32 [I, F], rows of length 1; learned when the first new item comes."""
        features = AttributeFeatures().fit(self._frame)
        return features, normalize(features.transform(self._frame)[0])

    def __call__(self, label: str, attributes: Mapping[str, Any]) -> int | None:
        """Return the row of the most similar item, the first of several; None where nothing says which one it is."""
        given = {**attributes, LABEL: label or None}
        told = [name for name in self._frame.columns if pd.notna(given.get(name))]
        if not told:
            return None
        features, items = self._known
        row, _ = features.transform(pd.DataFrame([{name: given[name] for name in told}]))
        likeness = items @ row[0]
        return int(likeness.argmax()) if likeness.max() > 0 else None  # all 0 for values never seen
