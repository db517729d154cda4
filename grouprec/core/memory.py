"""How much is computed at a time, so that memory is bounded whatever the size of the data."""

from __future__ import annotations

CELLS = 1 << 22  # numbers held at a time


def rows_per_batch(n_columns: int, cells: int = CELLS) -> int:
    """Return how many rows of so many columns are handled at a time, at least one.

    Args:
        cells: numbers that all of them may hold together.
    """
    return max(1, cells // max(n_columns, 1))
