"""Workbooks -> tables: the sheet that holds one, below its titles, cells as they are typed there."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from grouprec.core.types import DataError, SettingError
from grouprec.data.reading.find_layout import Header, find_header
from grouprec.data.reading.found import Found
from grouprec.data.reading.sniff import HEAD_ROWS, Sniffed
from grouprec.data.reading.workbooks import open_workbook, rows_of
from grouprec.data.roles.usual_names import HEADING
from grouprec.data.values.common import shown, some_of

_ERRORS = {"#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#SPILL!", "#CALC!", "#GETTING_DATA"}
_LOOKED_AT = 60  # rows of a sheet that tell whether it holds a table


@dataclass(frozen=True)
class _Sheet:
    """A sheet that holds a table: its name, its header, how much of a table it is, and whether it names both sides.

    Where lines of CSV stand in one cell each, ``mark`` parts their values.
    """

    title: str
    header: Header
    size: float
    is_whole: bool
    mark: str = ""


def excel_head(sniffed: Sniffed, found: Found) -> tuple[pd.DataFrame, int | None, bool]:
    """Return the first rows of the sheet that holds a table, and how many there are (None: unknown)."""
    head = _frame(sniffed, found, HEAD_ROWS)
    return (head, len(head), True) if len(head) < HEAD_ROWS else (head, None, False)


def excel_table(sniffed: Sniffed, columns: list[str], found: Found) -> pd.DataFrame:
    """Return columns of the whole sheet."""
    return _frame(sniffed, found, None)[columns]


def _frame(sniffed: Sniffed, found: Found, limit: int | None) -> pd.DataFrame:
    """Return the rows of the sheet; those without any value are left out."""
    name = sniffed.path.name
    try:
        workbook = open_workbook(sniffed)
        try:
            chosen = _choose(name, workbook, found)
            sheet = chosen[0]
            width = len(sheet.header.names)  # rows may be longer by far
            every = itertools.chain.from_iterable(_body(workbook, one, width) for one in chosen)
            body = list(itertools.islice(every, limit))
        finally:
            workbook.close()
    except (DataError, SettingError):
        raise
    except Exception as error:  # openpyxl raises whatever its XML and zip parsers do
        raise DataError(f"'{name}' is a damaged workbook; save or download it again.") from error
    names = sheet.header.names
    full = [[*map(_value, row), *[None] * (width - len(row))] for row in body]
    table = pd.DataFrame(full, columns=list(names), dtype=object)
    if sheet.mark:
        found.notes.append("every row of the sheet stands in one cell: it was parted as lines of CSV are")
    found.notes += [*sheet.header.notes, *_fill_down(table)]
    return table.loc[:, [one != "" for one in names]].infer_objects()


def _body(workbook: Any, sheet: _Sheet, width: int) -> Iterator[Sequence[Any]]:
    """Yield the rows of a sheet below its header that hold anything."""
    for number, row in rows_of(workbook[sheet.title]):
        if number > sheet.header.above and _filled(row[:width]):
            yield _parted(row, sheet.mark)[:width] if sheet.mark else row[:width]


def _filled(row: Sequence[Any]) -> int:
    return sum(cell is not None and cell != "" for cell in row)


def _value(cell: Any) -> Any:
    return None if isinstance(cell, str) and (cell in _ERRORS or not cell.strip()) else cell


def _choose(name: str, workbook: Any, found: Found) -> list[_Sheet]:
    """Return the sheet asked for, else the first one that is as much of a table as any; hidden ones only in need.

    Behind it come those with the same columns, as where every month has a sheet of its own.
    """
    sheets = [one for one in workbook.worksheets if one.sheet_state == "visible"] or workbook.worksheets
    if found.sheet:
        sheets = [one for one in workbook.worksheets if one.title.strip().lower() == found.sheet.strip().lower()]
        if not sheets:
            titles = some_of(one.title for one in workbook.worksheets)
            raise SettingError(f"'{name}' has no sheet '{found.sheet}'; its sheets are: {titles}.")
    tables = [table for one in sheets if (table := _look(one)) is not None]
    if not tables and not found.sheet:
        tables = [table for one in workbook.worksheets if (table := _look(one)) is not None]
    if not tables:
        which = f"The sheet '{found.sheet}'" if found.sheet else "Every sheet"
        raise DataError(f"{which} of '{name}' is empty; give a header line and rows.")
    best = max(table.size for table in tables)
    chosen = next(table for table in tables if table.size >= 0.9 * best)
    alike = [table for table in tables if table.is_whole and table.header.names == chosen.header.names]
    read = alike if chosen in alike and chosen.header.named else [chosen]
    found.sheet, found.sheets = some_of(table.title for table in read), [table.title for table in tables]
    if len(read) > 1:
        found.notes.append(f"{len(read)} sheets have the same columns and are read one after the other: {found.sheet}")
    if others := ", ".join(f"'{table.title}'" for table in tables if table not in read):
        are = "are" if len(read) > 1 else "is"
        found.notes.append(f"of the sheets, '{found.sheet}' {are} read, not {others[:200]}")
    return read


def _look(sheet: Any) -> _Sheet | None:
    """Return what a sheet holds; None where it is empty."""
    rows = [(n, row) for n, row in itertools.islice(rows_of(sheet), _LOOKED_AT) if _filled(row)]
    if not rows:
        return None
    width = _usual_width([row for _, row in rows])
    mark = _mark_in_cells([row for _, row in rows]) if width == 1 else ""
    if mark:
        rows = [(n, _parted(row, mark)) for n, row in rows]
        width = len(rows[0][1])
    texts = [(n, ["" if cell is None else str(cell) for cell in _cut(row, width)]) for n, row in rows]
    header = find_header([(n, row) for n, row in texts])
    below = [row for n, row in texts if n > header.above]
    filled = sum(min(sum(map(bool, row)), len(header.names)) for row in below)
    named = sum(map(bool, header.names))
    # A sheet of customers or of products names one of the two; the interactions name both.
    both = _names_both(header, below)
    return _Sheet(sheet.title, header, filled * (2.0 if both else 1.0) * (named > 1 or 0.01), both, mark)


def _mark_in_cells(rows: Sequence[Sequence[Any]]) -> str:
    """Return what parts the values of lines of CSV that were pasted into one column; "" where there are none."""
    for mark in ",;\t|":
        widths = {len(_parted(row, mark)) for row in rows}
        if len(rows) > 2 and len(widths) == 1 and widths != {1}:
            return mark
    return ""


def _parted(row: Sequence[Any], mark: str) -> list[str]:
    return next(csv.reader([str(row[0] or "").replace("\n", " ")], delimiter=mark), [""])


def _usual_width(rows: Sequence[Sequence[Any]]) -> int:
    """Return up to which column most rows are filled."""
    lasts = Counter(max(n for n, cell in enumerate(row, 1) if cell is not None and cell != "") for row in rows)
    most = max(lasts.values())
    return max(last for last, times in lasts.items() if times >= 0.3 * most)


def _cut(row: Sequence[Any], width: int) -> list[Any]:
    return [*row[:width], *[None] * (width - len(row))]


def _names_both(header: Header, rows: Sequence[Sequence[str]]) -> bool:
    from grouprec.data.roles.detect import detect

    width = len(header.names)
    head = pd.DataFrame([row[:width] for row in rows if len(row) >= width], columns=list(header.names), dtype="str")
    try:
        roles = detect(head.loc[:, [one != "" for one in header.names]]).roles
    except DataError:
        return False
    return roles.user is not None and roles.item is not None


def _fill_down(table: pd.DataFrame) -> list[str]:
    """Fill the gaps of leading columns that name a block of rows once, as merged cells do; return what to say.

    Only where each name stands once, for then a gap cannot mean "nobody".
    """
    done = []
    for at, column in enumerate(table.columns[:3]):
        values = table.iloc[:, at]
        known = values.dropna()
        gaps = 1 - len(known) / max(len(values), 1)
        blocks = (
            len(known) > 1
            and len(values) >= 10
            and gaps >= 0.5
            and values.notna().iloc[0]
            and not known.duplicated().any()
            and column != HEADING
        )
        if not blocks:
            break
        table.isetitem(at, values.ffill().to_numpy(dtype=object))
        done.append(f"gaps in column '{shown(column)}' were filled with the value above, as merged cells mean")
    return done
