"""CSV that opens safely in a spreadsheet: what would run there as a formula stands as text (OWASP, "CSV injection")."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import IO

import pandas as pd

# A text that begins with one of these is a formula to Excel, LibreOffice or Google Sheets; the wide forms are, too, and
# blanks before it, seen or not, are dropped when the file is opened.
_STARTS = "[ \u00a0\u3000\ufeff\u200b]*[=+\\-@\t\r\n＝＋－＠]"
_PLAIN_NUMBER = r"[+\-]?\d+(?:[.,]\d+)?"


def formulas(column: pd.Series) -> pd.Series:
    """Return which cells a spreadsheet would run, bool; numbers with a sign are no formulas."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return pd.Series(False, index=column.index)
    text = column.astype("str")
    return text.str.match(_STARTS).fillna(False).astype(bool) & ~text.str.fullmatch(_PLAIN_NUMBER).fillna(False)


def as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the table with an apostrophe before every cell and every name of a column that would run."""
    safe = frame.copy()
    for at in range(frame.shape[1]):
        column = frame.iloc[:, at]
        run = formulas(column)
        if run.any():
            safe.isetitem(at, column.astype(object).mask(run, "'" + column.astype("str")).array)
    names = pd.Series(frame.columns.astype(str))
    safe.columns = names.mask(formulas(names), "'" + names)
    return safe


def write(frame: pd.DataFrame, file: Path | IO[str]) -> None:
    """Write CSV in UTF-8. Texts are all quoted where one holds a bare carriage return.

    The writer itself quotes a cell for a line feed only, and other programs take the carriage return for a line's end.
    """
    texts = (frame.iloc[:, at] for at in range(frame.shape[1]))
    bare = any(_holds_return(column) for column in texts if not pd.api.types.is_numeric_dtype(column))
    frame.to_csv(file, index=False, quoting=csv.QUOTE_NONNUMERIC if bare else csv.QUOTE_MINIMAL)


def _holds_return(column: pd.Series) -> bool:
    return bool(column.astype("str").str.contains("\r", regex=False).fillna(False).any())


def download(frame: pd.DataFrame) -> bytes:
    """Return CSV for people: UTF-8 with a byte-order mark, which Excel needs, and nothing that runs."""
    content = io.StringIO(newline="")
    write(as_text(frame), content)
    return content.getvalue().encode("utf-8-sig")
