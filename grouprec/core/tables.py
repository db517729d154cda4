"""Rows of tables. What a column holds is known when a file is read, not before: here values may be anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import pandas as pd

Row: TypeAlias = "Mapping[str, Any] | pd.Series"  # of a table: values by column


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as dictionaries, values by column."""
    found: Any = table.to_dict("records")  # the stubs let names be anything that hashes; ours are texts
    return found


def named_rows(table: pd.DataFrame) -> Iterator[Any]:
    """Return the rows as tuples with a name for every column (and ``Index``)."""
    return iter(table.itertuples())


def by_number(table: pd.DataFrame, column: str) -> Iterator[tuple[int, pd.DataFrame]]:
    """Return the rows of every number in a column of whole numbers, ascending."""
    for number, part in table.groupby(column):
        yield int(number), part  # pyright: ignore[reportArgumentType]  # stubs: a key may be anything


def n_words(texts: pd.Series) -> pd.Series:
    """Return the number of words of every text."""
    return texts.str.split().str.len()  # pyright: ignore[reportAttributeAccessIssue]  # the stubs measure texts only


def row_at(table: pd.DataFrame, label: object) -> pd.Series:
    """Return the row with that label; labels are unique.

    Raises:
        KeyError: there is none.
    """
    row: Any = table.loc[label]  # pyright: ignore[reportArgumentType, reportCallIssue]  # stubs want to know the index
    return row


def highest(table: pd.DataFrame, column: str) -> pd.Series:
    """Return the row with the highest value, the first of several; ValueError where there is no value."""
    return row_at(table, table[column].idxmax())


def lowest(table: pd.DataFrame, column: str) -> pd.Series:
    """Return the row with the lowest value, the first of several; ValueError where there is no value."""
    return row_at(table, table[column].idxmin())
