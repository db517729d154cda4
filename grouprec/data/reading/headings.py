"""Rows that head the rows below them: a customer on a line alone, then what they bought; a film, then its votes.

Such a line becomes one more value of every row below it. Told by the first rows: the first one heads, and no two of
them stand together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.data.reading.wide import is_total, says_total
from grouprec.data.roles.usual_names import HEADING
from grouprec.data.values.common import shown
from grouprec.data.values.numerals import is_numeric

_MOST = 0.5  # share of the rows that head others
_TOGETHER = 0.1  # share of headings that may stand below another one
_AGAIN = 0.1  # share of headings that rows with more values hold, too
_WIDE = 8  # columns of numbers that are a matrix
_NUMBERED = re.compile(r"[\w-]+:")  # says by itself that rows follow
_NAMED = re.compile(r"\s*([^\W\d][^:\d]{1,40}?)\s*:\s*(?=\S)")
_PAGE = re.compile(
    r"\W*+(?:(?:page|seite|p[áa]gina|strona|страница|стр|printed|end of)\b|第?\s*+\d++\s*+页)"
    r"|[^:]*\b(?:report|continued)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Headings:
    """How to give rows what stands above them.

    Attributes:
        column: where the headings stand.
        name: of the column that they become; ``column`` itself where it holds nothing else.
        prefix: what all headings begin with.
        note: what to say about it.
    """

    column: str
    name: str
    prefix: str
    note: str

    def apply(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows below the headings, without sums over those of one heading."""
        alone = _alone(table)
        texts = table[self.column].astype("str")
        totals = (table[self.column].notna() & texts.map(says_total)).to_numpy(dtype=bool, copy=True)
        headings = texts.where(alone & ~totals)
        headings = headings.str.slice(len(self.prefix)).str.strip().str.removesuffix(":").ffill()
        if self.name != self.column:  # an item may be called "Total", too: a sum names what it is a sum of, or nothing
            at = np.flatnonzero(totals)
            pairs = zip(texts.iloc[at], headings.iloc[at], strict=True)
            totals[at] = [is_total(text) or str(heading) in text for text, heading in pairs]
        return table.assign(**{self.name: headings})[~alone & ~totals].reset_index(drop=True)


def find_headings(head: pd.DataFrame, columns: Sequence[str]) -> Headings | None:
    """Return how to read rows below headings, from the first rows; None where none heads others."""
    table = head[list(columns)]
    if len(table) < 3 or len(columns) < 2:
        return None
    alone = _alone(table)
    if not alone[0] or not 0 < alone.mean() <= _MOST or (alone[1:] & alone[:-1]).mean() > _TOGETHER * alone.mean():
        return None
    column = table.columns[int(table.iloc[0].notna().to_numpy().argmax())]
    headings = table[column][alone]
    texts = headings.dropna().astype("str")
    if len(texts) < len(headings) or not _head(list(texts)):
        return None
    others = table[column][~alone].dropna().astype("str")
    if texts.isin(others).mean() > _AGAIN:
        return None  # a row with one value only, of a user whose other rows have more
    if not others.duplicated().any() and _counts(table.drop(columns=column)):
        return None  # a matrix, with rows of those who have nothing
    own = bool(others.map(says_total).all())
    named = _NAMED.match(texts.iloc[0])
    prefix = named[0] if named and texts.str.startswith(named[0]).all() else ""
    name = str(column) if own else named[1] if named and prefix else HEADING
    if name != column and name in columns:
        return None
    example = shown(headings.iloc[0])
    note = f"lines that stand alone, such as '{example}', head the rows below them: these have it as '{name}'"
    return Headings(str(column), name, prefix, note)


def line_above(rows: Sequence[tuple[int, Sequence[str]]], above: int, named: bool) -> int | None:
    """Return after which line the rows begin where lines of one value head others; None where they do not.

    Args:
        rows: of the first lines, with the number of the last line of each, from 1.
        above: lines above the first row.
        named: whether the last of these names the columns.
    """
    below = [(n, row) for n, row in rows if n > above]
    over = [(n, row) for n, row in rows if n <= above]
    header = tuple(over.pop()[1]) if named and over else ()
    above_header = bool(over and below) and _n_filled(over[-1][1]) == 1 < _n_filled(below[0][1])
    lead = [over[-1]] if above_header else []
    body = [row for _, row in (*lead, *below) if tuple(row) != header]
    alone = np.array([_n_filled(row) == 1 for row in body], bool)
    if (
        len(body) < 3
        or not alone[0]
        or alone.mean() > _MOST
        or (alone[1:] & alone[:-1]).sum() > _TOGETHER * alone.sum()
    ):
        return None
    if not _head([next(filter(None, row)) for row, one in zip(body, alone, strict=True) if one]):
        return None
    return lead[0][0] - 1 if lead else above


def _counts(table: pd.DataFrame) -> bool:
    """Return whether many columns hold numbers and nothing else, as a column for each item does."""
    return len(table.columns) >= _WIDE and all(is_numeric(table[column].dropna()) for column in table)


def _n_filled(row: Sequence[str]) -> int:
    return sum(bool(value.strip()) for value in row)


def _head(texts: Sequence[str]) -> bool:
    """Return whether lines of one value can head others: they differ, and none numbers a page."""
    if len(texts) == 1:
        return _NUMBERED.fullmatch(texts[0].strip()) is not None
    heads = [text for text in texts if not says_total(text)]
    return len(set(heads)) > 1 and not any(map(_PAGE.match, heads))


def _alone(table: pd.DataFrame) -> np.ndarray:
    """Return which rows hold one value, bool [n]."""
    return (table.notna().to_numpy().sum(axis=1) == 1) if len(table) else np.zeros(0, bool)
