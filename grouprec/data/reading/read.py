"""Files -> tables. Text formats give text, so that ``00123`` stays ``00123``; typed formats keep their types."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from grouprec.core.files import DAMAGED
from grouprec.core.types import DataError
from grouprec.data.limits import check_columns, check_names
from grouprec.data.reading.files_known import packed_files
from grouprec.data.reading.found import Found
from grouprec.data.reading.packed import choose_file
from grouprec.data.reading.read_excel import excel_head, excel_table
from grouprec.data.reading.read_json import json_head, json_table
from grouprec.data.reading.read_parquet import parquet_beginning, parquet_head, parquet_table
from grouprec.data.reading.read_text import text_beginning, text_head, text_table
from grouprec.data.reading.rejects import MOST_REJECTED, Rejects, check_share
from grouprec.data.reading.shapes import Plan, plan_for
from grouprec.data.reading.sniff import HEAD_ROWS, ZIPPED, Format, Sniffed, damaged_gzip, sniff
from grouprec.data.values.common import release_memory, shown, some_of

REMEMBERED = 4  # files


class NoRowsError(DataError):
    """The file has a header and no rows below it."""


@dataclass(frozen=True)
class Reading:
    """What a person chose about reading a file.

    Attributes:
        encoding: of text; found where "".
        sheet: of a workbook, or a file of an archive; the first one with a table where "".
        most_rejected: the largest share of rows that may be left out as unreadable.
        as_it_is: every row is about one thing, as in a file of items: it stays one, with the lists in its cells.
    """

    encoding: str = ""
    sheet: str = ""
    most_rejected: float = MOST_REJECTED
    as_it_is: bool = False


@dataclass(frozen=True, eq=False)
class Peek:
    """The beginning of a file.

    Attributes:
        format: how the content is laid out.
        columns: names as in the file, without those that are blank.
        head: up to 1,000 rows.
        n_rows: rows of the whole file, or None where only reading it all would tell.
        exact: whether ``n_rows`` is known or estimated from the head.
        encoding: of text formats.
        delimiter: of "csv".
        notes: what people should know about how the file is read.
        sheets: of a workbook.
        sheet: the one that is read.
    """

    format: Format
    columns: tuple[str, ...]
    head: pd.DataFrame
    n_rows: int | None
    exact: bool
    encoding: str | None = None
    delimiter: str | None = None
    notes: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    sheet: str | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """The rows of a file.

    Attributes:
        frame: the rows that could be read.
        n_read: how many rows of the file that are; the frame has more where a row of the file holds several items.
        rejects: the others.
        notes: what people should know about how the file was read.
        encoding: of text formats.
    """

    frame: pd.DataFrame
    n_read: int
    rejects: Rejects
    notes: tuple[str, ...] = ()
    encoding: str | None = None


def peek(path: Path, reading: Reading | None = None) -> Peek:
    """Return the head of a file and what it tells, reading about one megabyte of it.

    Raises:
        DataError: the file cannot be read as a table, or has no rows.
        SettingError: there is no such encoding or sheet.
    """
    return _look(Path(path), reading or Reading())[1]


def read_table(path: Path, columns: Sequence[str] | None = None, reading: Reading | None = None) -> pd.DataFrame:
    """Return the given columns of a file (all where None), in the order asked for; see :func:`read`."""
    return read(path, columns, reading).frame


def read(
    path: Path, columns: Sequence[str] | None = None, reading: Reading | None = None, coded: Sequence[str] = ()
) -> Table:
    """Return the given columns of a file (all where None), in the order asked for, and what could not be read.

    CSV and TSV give columns of text; in JSON whole numbers become text, too. Empty values are missing.

    Args:
        coded: columns of few different values, such as ids: of large files they come as categories.
    Raises:
        DataError: as :func:`peek`, or a column is not there.
        TooManyRejectedError: a larger share of the rows than allowed cannot be read.
    """
    reading = reading or Reading()
    sniffed, peeked, plan = _look(Path(path), reading)
    wanted = list(peeked.columns if columns is None else dict.fromkeys(columns))
    missing = [column for column in wanted if column not in peeked.columns]
    if missing:
        there = some_of(peeked.columns)
        raise DataError(f"'{sniffed.path.name}' has no column '{shown(missing[0])}'; its columns are: {there}.")
    found = Found(sheet=reading.sheet, coded=tuple(coded) if plan.plain else ())
    try:
        frame = _READERS[sniffed.format](sniffed, plan.sources(wanted), found)
    except DAMAGED as error:
        raise damaged_gzip(sniffed.path) from error
    release_memory()
    check_share(sniffed.path.name, found.rejects, len(frame), reading.most_rejected)
    notes = tuple(dict.fromkeys([*sniffed.notes, *found.notes, *plan.notes]))
    encoding = found.encoding or sniffed.encoding
    return Table(plan.apply(frame)[wanted], len(frame), found.rejects, notes, encoding)


def read_beginning(path: Path, columns: Sequence[str], n_rows: int, reading: Reading | None = None) -> pd.DataFrame:
    """Return columns of about the first ``n_rows`` rows of a CSV or Parquet file; of other formats those of its head.

    Raises:
        DataError: as :func:`peek`.
    """
    sniffed, peeked, plan = _look(Path(path), reading or Reading())
    head = peeked.head[list(columns)]
    if not plan.plain:
        return head
    try:
        if sniffed.format == "parquet":
            return parquet_beginning(sniffed, list(columns), n_rows)
        if sniffed.format == "csv":
            return text_beginning(sniffed, list(columns), n_rows).to_pandas().astype("str")
    except (pa.ArrowException, OSError, *DAMAGED):
        pass  # damage further down is told when the whole file is read
    return head


def _look(path: Path, reading: Reading) -> tuple[Sniffed, Peek, Plan]:
    """Return what the beginning of a file tells; remembered while the file stays as it is: one check asks often."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # what is wrong is told where it is opened
        return _looked(path, reading)
    if not stat.S_ISREG(found.st_mode):
        return _looked(path, reading)
    stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
    sniffed, peeked, plan = _remembered(path, reading, stamp)
    return sniffed, replace(peeked, head=peeked.head.copy(deep=False)), plan


@lru_cache(maxsize=REMEMBERED)
def _remembered(path: Path, reading: Reading, stamp: tuple[int, int, int]) -> tuple[Sniffed, Peek, Plan]:
    return _looked(path, reading)


def _looked(path: Path, reading: Reading) -> tuple[Sniffed, Peek, Plan]:
    members = packed_files(path) if _is_zipped(path) else ()
    if len(members) > 1:
        sniffed = choose_file(path, members, reading.encoding, reading.sheet, both=not reading.as_it_is)
    else:
        sniffed = sniff(path, reading.encoding, members)
    return sniffed, *_peek(sniffed, reading)


def _is_zipped(path: Path) -> bool:
    try:
        if not path.is_file():  # whoever opens a pipe waits for its writer
            return False
        with path.open("rb") as file:
            return file.read(len(ZIPPED)) == ZIPPED
    except OSError:  # what is wrong is told where it is read
        return False


def _peek(sniffed: Sniffed, reading: Reading) -> tuple[Peek, Plan]:
    found, name = Found(sheet=reading.sheet), sniffed.path.name
    head, n_rows, exact = _HEADS[sniffed.format](sniffed, found)
    check_share(name, found.rejects, len(head), max(reading.most_rejected, 0.2 if not sniffed.whole else 0.0))
    check_columns(name, len(head.columns))
    check_names(name, head.columns)
    if head.empty:
        raise NoRowsError(f"'{name}' has a header line but no rows below it.")
    plan = Plan(tuple(head.columns)) if reading.as_it_is else plan_for(head)
    shaped = plan.apply(head)
    if n_rows is not None and not plan.plain:
        n_rows = int(n_rows * len(shaped) / max(len(head), 1))
    columns = tuple(map(str, shaped.columns))
    notes = tuple(dict.fromkeys([*sniffed.notes, *found.notes, *plan.notes]))
    delimiter = sniffed.layout.delimiter if sniffed.layout else None
    shaped = shaped.head(HEAD_ROWS)
    return (
        Peek(
            sniffed.format,
            columns,
            shaped,
            n_rows,
            exact,
            sniffed.encoding,
            delimiter,
            notes,
            tuple(found.sheets) or sniffed.packed,
            found.sheet or some_of(sniffed.members if sniffed.packed else ()) or None,
        ),
        plan,
    )


_HEADS = {
    "csv": text_head,
    "jsonl": json_head,
    "blocks": json_head,
    "json": json_head,
    "nested json": json_head,
    "parquet": parquet_head,
    "excel": excel_head,
    "markup": excel_head,
}
_READERS = {
    "csv": text_table,
    "jsonl": json_table,
    "blocks": json_table,
    "json": json_table,
    "nested json": json_table,
    "parquet": parquet_table,
    "excel": excel_table,
    "markup": excel_table,
}
