"""Columns that number the lines of something, such as of an order: they identify nobody and nothing."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.data.values.numerals import is_numeric, to_numbers

_MOST_LINES = 100  # of an order


def is_line_number(column: pd.Series) -> bool:
    """Return whether whole numbers count up row by row and begin again and again, or fall off from 1 on."""
    values = column.dropna()
    if len(values) < 5 or not is_numeric(values):
        return False
    numbers = to_numbers(values)
    low = numbers.min()
    if (numbers % 1 != 0).any() or low not in (0, 1, 10):
        return False
    steps = np.diff(numbers)
    step = 10 if low == 10 else 1
    counts_up = ((steps == step) | (numbers[1:] == low)).mean() >= 0.95 and (steps == step).mean() >= 0.2
    return bool(counts_up) or _falls_off((numbers - low) // step)


def _falls_off(lines: np.ndarray) -> bool:
    """Return whether fewer and fewer rows have a number, from 0 on: few orders have many lines."""
    if not 0 < lines.max() < _MOST_LINES:  # before they are counted: an id of ten digits would ask for gigabytes
        return False
    shares = np.bincount(lines.astype(np.int64))
    falls = (np.diff(shares) <= 0.1 * shares[:-1]).all() and len(lines) >= 10 * len(shares)
    return bool(falls and shares[0] > 1.5 * shares[-1])
