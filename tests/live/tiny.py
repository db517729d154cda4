"""A fit of four users and five items whose every number can be told by hand; nothing in it was learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.types import Candidates
from grouprec.runs.snapshot import FitSnapshot

SECOND, THIRD = 1 / np.log2(3), 0.5  # what the second and third place of a list count
START = np.array([9.0, 9.0], np.float32)  # the state of a user without events
RISE = 1.5  # of the item that Next foretells


def tiny_base(**changes: Any) -> FitSnapshot:
    """Return what the fit knows: users a, b of group 0 and c, d of group 1; d has nothing and wants nothing."""
    histories = sparse.csr_array(
        (np.array([1, 2, 1], np.float32), ([0, 1, 1], [0, 1, 2])), shape=(4, 5), dtype=np.float32
    )
    items = np.array([[1, 2, 3], [0, 3, -1], [4, -1, -1], [-1, -1, -1]], np.int32)
    scores = np.array([[0.8, 0.4, 0.2], [0.5, 0.1, 0], [0.3, 0, 0], [0, 0, 0]], np.float32)
    fields: dict[str, Any] = {
        "user_ids": np.array(list("abcd"), object),
        "item_ids": np.array([f"i{item}" for item in range(5)], object),
        "item_labels": np.array([f"Item {item}" for item in range(5)], object),
        "histories": histories,
        "candidates": Candidates(items, scores, 5),
        "labels": np.array([0, 0, 1, 1], np.int32),
        "n_groups": 2,
        "states": np.arange(8, dtype=np.float32).reshape(4, 2),
        "last_times": np.full(4, -np.inf),
        "components": np.zeros((5, 1), np.float32),
        "weight": 0.0,
        "repeats": False,
    }
    return FitSnapshot(**{**fields, **changes})


def worths() -> np.ndarray:
    """Return the worth of the items to the users, float64 [4, 5]."""
    a, b = 0.8 + 0.4 * SECOND + 0.2 * THIRD, 0.5 + 0.1 * SECOND
    return np.array(
        [[0, 0.8 / a, 0.4 / a, 0.2 / a, 0], [0.5 / b, 0, 0, 0.1 / b, 0], [0, 0, 0, 0, 1.0], [0, 0, 0, 0, 0]]
    )


class Next:
    """The state is the last item, -1 for none; the item behind it has become half as likely again."""

    def start(self, data: Any, run: Any) -> np.ndarray:
        return np.full((data.n_users, 1), -1, np.float32)

    def update(self, states: np.ndarray, item_rows: np.ndarray) -> np.ndarray:
        return np.asarray(item_rows, np.float32)[:, None]

    def chances(self, states: np.ndarray) -> np.ndarray:
        items = np.arange(self.n_items)
        return np.where((states >= 0) & (items == states + 1), RISE, 1).astype(np.float32)

    def __init__(self, n_items: int = 5) -> None:
        self.n_items = n_items


class ByFirst:
    """Group 1 for those whose best candidate is item 4 or who have none, group 0 for the others."""

    name, places_by_space, reads_attributes = "first", False, False

    def place(self, preference: Any, histories: Any, attributes: pd.DataFrame) -> np.ndarray:
        first = preference.candidates.items[:, 0]
        assert histories.shape == (len(first), preference.candidates.n_items) and len(attributes) == len(first)
        return np.where((first == 4) | (first < 0), 1, 0).astype(np.int32)
