"""Orders of several lines of which only the first says who and when: what it says holds for the lines below it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.data.roles.header_words import means
from grouprec.data.values.common import some_of

_FEWEST_ROWS = 10
_LEAST, _MOST = 0.1, 0.95  # share of rows that only go on
_FULL = 0.95  # share of rows that the other columns fill, and of lines that belong to the order above
_CLEAR = 3  # ways of naming a time below which nothing else is meant


@dataclass(frozen=True)
class Continued:
    """Columns that are filled on the first line of an order only.

    Attributes:
        columns: these, empty in the same rows.
        order: the column whose value is the same on all lines of an order, None where it is one of ``columns``.
        note: what to say about it.
    """

    columns: tuple[str, ...]
    order: str | None
    note: str

    def apply(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with the columns filled where a line goes on with the order above it."""
        mine = [column for column in self.columns if column in table]
        gaps = table[list(self.columns)].isna().all(axis=1)
        goes_on = gaps if self.order is None else gaps & _same(table[self.order])
        filled = table[mine].ffill()
        return table.assign(**{column: table[column].where(~goes_on, filled[column]) for column in mine})


def find_continued(head: pd.DataFrame, columns: Sequence[str]) -> Continued | None:
    """Return which columns go on from line to line, from the first rows; None where none does."""
    if len(head) < _FEWEST_ROWS:
        return None
    gaps = {str(column): head[column].isna().to_numpy(dtype=bool) for column in columns}
    users = [column for column in gaps if means("user", column) is not None and not gaps[column][0]]
    owner = next((column for column in users if _LEAST < gaps[column].mean() < _MOST), None)
    if owner is None or any(not gaps[column].any() and means("user", column) in (0, 1, 2) for column in users):
        return None
    mine = tuple(column for column in gaps if np.array_equal(gaps[column], gaps[owner]))
    lines = [column for column in gaps if column not in mine and means("item", column) is not None]
    if len(mine) < 2 or not lines or all(gaps[column].mean() > 1 - _FULL for column in lines):
        return None
    orders = [column for column in gaps if means("order", column) == 0 and not gaps[column].any()]
    order = next((column for column in orders if _same(head[column])[gaps[owner]].mean() > _FULL), None)
    if order is None and not any(_tells(column) for column in mine):
        return None
    note = f"gaps in the columns {some_of(mine)} were filled from the first line of an order"
    return Continued(mine, order, note)


def _same(order: pd.Series) -> pd.Series:
    """Return whether a row has the value of the row above it."""
    return order.eq(order.shift()).fillna(False).astype(bool)


def _tells(column: str) -> bool:
    """Return whether no line of its own lacks this: an order's number, or the time."""
    time = means("time", column)
    return means("order", column) == 0 or (time is not None and time < _CLEAR)
