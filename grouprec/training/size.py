"""How large a file's data are before they are prepared: counted, or extrapolated from the file's beginning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from grouprec.data.library import SAMPLE_SIZE
from grouprec.data.preparing.finding import find_roles
from grouprec.data.reading.read import Reading, peek, read, read_beginning
from grouprec.data.values.common import sorted_unique
from grouprec.data.values.ids import encode_ids

COUNTED_ROWS = 400_000  # rows that are counted, in less than a second; what larger files hold is extrapolated


@dataclass(frozen=True)
class Size:
    """How large a dataset is.

    Attributes:
        n_users, n_items: that training sees.
        n_rows: different pairs of these, as a run's metrics count interactions.
        n_raw: rows of the file.
        timed: whether there are times.
        counted: whether the numbers were counted, or extrapolated from the file's beginning.
    """

    n_users: int
    n_items: int
    n_rows: int
    n_raw: int
    timed: bool = True
    counted: bool = True


SAMPLE = replace(Size(0, 0, 0, 0), **SAMPLE_SIZE)  # that usual seconds are of, preset quick


def size_of(
    interactions: Path,
    roles: Mapping[str, str],
    min_item_users: int,
    reading: Reading | None = None,
    whole: bool = False,
) -> Size:
    """Return how large a file is: counted where that is quick, else from its first rows and how their counts grow.

    Args:
        whole: count all rows, however many there are.
    Raises:
        DataError: the file cannot be read.
        SettingError: the roles do not fit together.
    """
    found = find_roles(interactions, roles, reading)
    roles = found.as_dict()
    columns = [roles["user"], roles["item"]]
    if whole:
        table = read(interactions, columns, reading, columns).frame
        n_raw, counted = len(table), True
    else:
        table = read_beginning(interactions, columns, COUNTED_ROWS, reading)
        n_raw, counted = peek(interactions, reading).n_rows or len(table), len(table) < COUNTED_ROWS
    users, items = (encode_ids(table[column])[0] for column in columns)
    count = _count(users, items, min_item_users)
    if not counted:
        times = float(np.log2(max(n_raw / len(table), 1.0)))
        count, most = (_extrapolated(users, items, least, times) for least in (min_item_users, 1))
        # In the first rows many items have too few users yet: how fast others join them tells nothing of how many
        # items there are.
        count = np.array([count[0], min(count[1], most[1]), most[2]])
    n_users, n_items, n_rows = count.tolist()
    return Size(max(n_users, 2), max(n_items, 2), n_rows, max(n_raw, len(table)), found.time is not None, counted)


def _count(users: np.ndarray, items: np.ndarray, min_item_users: int) -> np.ndarray:
    """Return how many users, items and different pairs there are, of items with enough users: int64 [3].

    Args:
        users, items: int [n] codes, -1 where missing.
    """
    known = (users >= 0) & (items >= 0)
    width = np.int64(items.max(initial=0)) + 1
    pairs = sorted_unique(users[known] * width + items[known])
    enough = np.bincount(pairs % width, minlength=1) >= min_item_users
    pairs = pairs[enough[pairs % width]]
    return np.array([len(sorted_unique(pairs // width)), len(sorted_unique(pairs % width)), len(pairs)])


def _extrapolated(users: np.ndarray, items: np.ndarray, min_item_users: int, times: float) -> np.ndarray:
    """Return the counts of :func:`_count` after doubling the rows ``times`` more.

    Counts of different things grow with a power of the rows (Heaps 1978) until they run out: a file sorted by user
    shows ever new users, one sorted by time soon shows the same ones. So as much as the last doubling added less than
    the one before it, every further one adds less than the last.
    """
    n = len(users)
    quarter, half, whole = (
        np.maximum(_count(users[:first], items[:first], min_item_users), 1.0) for first in (n // 4, n // 2, n)
    )
    before, last = (np.clip(np.log2(more / less), 0.0, 1.0) for more, less in ((half, quarter), (whole, half)))
    slower = np.clip(last / np.maximum(before, 1e-9), 0.0, 1 - 1e-9)
    grown = last * slower * (1 - slower**times) / (1 - slower)
    return np.round(whole * 2**grown).astype(np.int64)
