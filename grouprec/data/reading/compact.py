"""Compact pivot tables: a customer and a sum, then, below it, what the sum is made of; in one column, maybe indented.

Told by the numbers alone: each number that heads others is their sum, to the last row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.data.reading.wide import is_total, numbers
from grouprec.data.roles.header_words import means
from grouprec.data.roles.usual_names import HEADING
from grouprec.data.values.common import shown

QUANTITY = "quantity"
_MOST_COLUMNS = 6
_CLOSE = 1e-6  # of a sum: numbers with fractions are rounded
_FEWEST = 2  # sums of several numbers, so that it is no chance


@dataclass(frozen=True)
class Compact:
    """How to read rows below their sums: ``column`` holds names of both kinds, ``summed`` the numbers.

    ``named``: the header says what the sums are of; else it only says that they are rows.
    """

    column: str
    summed: str
    named: bool
    note: str

    @property
    def names(self) -> tuple[str, str, str]:
        """What the columns are called that it makes."""
        return HEADING, self.column, QUANTITY

    def apply(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that are no sums, each with the name that stands above its sum."""
        table = table[np.array([not is_total(name) for name in table[self.column]], bool)].reset_index(drop=True)
        heads = _heads(numbers(table[self.summed]))
        names = table[self.column].astype("str").str.strip()
        told = names.where(heads).ffill()
        above, below = (self.column, HEADING) if self.named else (HEADING, self.column)
        rows = table.drop(columns=[self.column, self.summed]).assign(**{QUANTITY: table[self.summed]})
        rows.insert(0, below, names)
        rows.insert(0, above, told)
        return rows[~heads].reset_index(drop=True)


def find_compact(head: pd.DataFrame, columns: Sequence[str]) -> Compact | None:
    """Return how to read a compact pivot table, from the first rows; None for another table."""
    if not 1 < len(columns) <= _MOST_COLUMNS or len(head) < 2 * _FEWEST + 2 or {HEADING, QUANTITY} & set(columns):
        return None
    column, others = columns[0], columns[1:]
    if head[column].isna().any() or not np.isnan(numbers(head[column].head(20))).all():
        return None
    body = head[np.array([not is_total(name) for name in head[column]], bool)]
    for summed in others:
        values = numbers(body[summed])
        if np.isnan(values).any() or not len(values):
            return None
        heads = _heads(values)
        below = np.diff(np.append(np.flatnonzero(heads), len(heads))) - 1
        # The rest of the last one may lie beyond the first rows.
        if (below[:-1] > 1).sum() >= _FEWEST and below[:-1].min(initial=1) > 0 and _adds_up(values, heads):
            example = shown(str(body[column].iloc[0]).strip())
            note = f"rows below a sum, such as that of '{example}', are its parts, and the sums are left out"
            named = any(means(role, str(column)) is not None for role in ("user", "item", "label"))
            return Compact(str(column), str(summed), named, note)
    return None


def _heads(values: np.ndarray) -> np.ndarray:
    """Return bool [n], which numbers are sums of those below them; the first one is taken for one."""
    heads, left = np.zeros(len(values), bool), 0.0
    for at, value in enumerate(values.tolist()):
        if left <= _CLOSE * abs(value):
            heads[at], left = True, value
        else:
            left -= value
    return heads


def _adds_up(values: np.ndarray, heads: np.ndarray) -> bool:
    """Return whether all sums but the last one are those of the numbers below them."""
    blocks = np.cumsum(heads) - 1
    sums = np.bincount(blocks[~heads], values[~heads], blocks[-1] + 1)
    said = values[heads]
    return bool((np.abs(sums - said)[:-1] <= np.maximum(_CLOSE * said[:-1], 0.01)).all())
