"""How much is computed at a time, so that memory is bounded whatever the size of the data, and when it is used up."""

from __future__ import annotations

CELLS = 1 << 22  # numbers held at a time


def rows_per_batch(n_columns: int, cells: int = CELLS) -> int:
    """Return how many rows of so many columns are handled at a time, at least one.

    Args:
        cells: numbers that all of them may hold together.
    """
    return max(1, cells // max(n_columns, 1))


def device_is_full(error: BaseException) -> bool:
    """Return whether an error means that the memory of a GPU does not suffice; known by its words, without torch."""
    words = str(error).lower()
    full = "cuda out of memory" in words or "mps backend out of" in words
    return type(error).__name__ == "OutOfMemoryError" or full
