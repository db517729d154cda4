"""Files -> tables. Text formats give text, so that ``00123`` stays ``00123``; typed formats keep their types."""

from __future__ import annotations

import dataclasses
import gzip
import itertools
import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from grouprec.core.types import DataError
from grouprec.data.read_json import json_head, json_table
from grouprec.data.sniff import (
    HEAD_ROWS,
    Format,
    Sniffed,
    csv_rows,
    damaged_gzip,
    legacy_encoding,
    lines_above,
    sniff,
)

_NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}


class NoRowsError(DataError):
    """The file has a header and no rows below it."""


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
    """

    format: Format
    columns: tuple[str, ...]
    head: pd.DataFrame
    n_rows: int | None
    exact: bool
    encoding: str | None = None
    delimiter: str | None = None


def peek(path: Path) -> Peek:
    """Return the head of a file and what it tells, reading about one megabyte of it.

    Raises:
        DataError: the file cannot be read as a table, has no rows, or has two columns of one name.
    """
    return _peek(sniff(Path(path)))


def read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the given columns of a file (all where None), in the order asked for.

    CSV and TSV give columns of text; in JSON whole numbers become text, too. Empty values are missing.

    Raises:
        DataError: as :func:`peek`, or a column is not there, or a row is damaged (says which).
    """
    sniffed = sniff(Path(path))
    found = _peek(sniffed)
    wanted = list(found.columns if columns is None else dict.fromkeys(columns))
    missing = [column for column in wanted if column not in found.columns]
    if missing:
        there = ", ".join(found.columns)
        raise DataError(f"'{sniffed.path.name}' has no column '{missing[0]}'; its columns are: {there}.")
    try:
        return _READERS[sniffed.format](sniffed, wanted)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise damaged_gzip(sniffed.path) from error


def read_beginning(path: Path, columns: Sequence[str], n_rows: int) -> pd.DataFrame:
    """Return columns of about the first ``n_rows`` rows of a CSV or Parquet file; of other formats those of its head.

    Raises:
        DataError: as :func:`peek`.
    """
    sniffed = sniff(Path(path))
    head = _peek(sniffed).head[list(columns)]
    try:
        if sniffed.format == "parquet":
            with pyarrow.parquet.ParquetFile(sniffed.path, memory_map=True) as file:
                return _first(file.iter_batches(batch_size=65_536, columns=list(columns)), n_rows)[list(columns)]
        if sniffed.format == "csv":
            _, header = next(csv_rows(sniffed.path, sniffed.text, sniffed.delimiter or ","))
            raw = {name.strip(): name for name in header}
            with sniffed.open() as file:
                table = _first(pyarrow.csv.open_csv(file, **_csv_options(sniffed, [raw[c] for c in columns])), n_rows)
            return table.set_axis(list(columns), axis=1)
    except (pa.ArrowException, OSError, EOFError, zlib.error, UnicodeDecodeError):
        pass  # a damaged row further down is told when the whole file is read
    return head


def _first(batches: Iterable[pa.RecordBatch], n_rows: int) -> pd.DataFrame:
    found, n = [], 0
    for batch in batches:
        found.append(batch)
        n += batch.num_rows
        if n >= n_rows:
            break
    return _arrow_frame(pa.Table.from_batches(found)).head(n_rows)


def _peek(sniffed: Sniffed) -> Peek:
    head, n_rows, exact = _HEADS[sniffed.format](sniffed)
    name = sniffed.path.name
    if head.columns.has_duplicates:
        double = head.columns[head.columns.duplicated()][0]
        raise DataError(f"'{name}' has two columns called '{double}'; give every column its own name.")
    if head.empty:
        raise NoRowsError(f"'{name}' has a header line but no rows below it.")
    return Peek(sniffed.format, tuple(head.columns), head, n_rows, exact, sniffed.encoding, sniffed.delimiter)


# ---- delimited text


def _csv_head(sniffed: Sniffed) -> tuple[pd.DataFrame, int | None, bool]:
    (_, header), *body = _first_rows(sniffed)
    header = [name.strip() for name in header]
    _check_header(sniffed, header)
    for line, row in body:
        if len(row) != len(header):
            raise _ragged(sniffed, line, len(header), len(row))
    head = pd.DataFrame([row for _, row in body], columns=header, dtype="str").replace("", np.nan)
    row_size = sum(sum(map(len, row)) + len(row) for _, row in body) / max(len(body), 1)
    return head.loc[:, [name != "" for name in header]], *sniffed.estimate_rows(len(body), row_size)


def _first_rows(sniffed: Sniffed) -> list[tuple[int, list[str]]]:
    """Return the header and up to 1,000 rows, with their lines."""
    rows = csv_rows(sniffed.path, sniffed.text, sniffed.delimiter or ",")
    if sniffed.whole:
        return list(itertools.islice(rows, HEAD_ROWS + 1))
    return list(itertools.islice(rows, HEAD_ROWS + 2))[:-1]  # the last one may be cut off within quotes


def _check_header(sniffed: Sniffed, header: list[str]) -> None:
    """Refuse a first line that holds values instead of names."""
    if all(re.fullmatch(r"[-+]?\d+([.,]\d+)?", name) for name in header):
        raise DataError(
            f"'{sniffed.path.name}' has no header: its first line is '{', '.join(header)[:60]}'; "
            "put a line with the names of the columns on top."
        )


def _ragged(sniffed: Sniffed, line: int, expected: int, got: int) -> DataError:
    return DataError(
        f"'{sniffed.path.name}', line {line} has {got} values where the header has {expected} columns; "
        "mend that line (is a value with the delimiter in it without quotes?)."
    )


def _csv(sniffed: Sniffed, columns: list[str]) -> pd.DataFrame:
    _, header = next(csv_rows(sniffed.path, sniffed.text, sniffed.delimiter or ","))
    # Names are stripped for the user; the parser knows them as they are in the file.
    raw = {name.strip(): name for name in header}
    wanted = [raw[column] for column in columns]
    try:
        table = _parse_csv(sniffed, wanted)
    except (UnicodeDecodeError, pa.ArrowInvalid) as error:
        if not isinstance(error, UnicodeDecodeError) and "UTF8" not in str(error):
            raise _csv_error(sniffed, len(header), error) from error
        table = _parse_csv(_other_encoding(sniffed), wanted)
    table.columns = columns
    return table


def _parse_csv(sniffed: Sniffed, columns: list[str]) -> pd.DataFrame:
    """Read columns as text with pyarrow, which is strict about the number of values in a row."""
    with sniffed.open() as file:
        table = pyarrow.csv.read_csv(file, **_csv_options(sniffed, columns))
    return table.to_pandas().astype("str")


def _csv_options(sniffed: Sniffed, columns: list[str]) -> dict[str, Any]:
    encoding = "utf-8" if sniffed.encoding == "utf-8-sig" else sniffed.encoding
    return {
        # One thread: only then does the parser know the line of a damaged row.
        "read_options": pyarrow.csv.ReadOptions(
            use_threads=False, encoding=encoding, block_size=1 << 23, skip_rows=lines_above(sniffed.text)
        ),
        "parse_options": pyarrow.csv.ParseOptions(delimiter=sniffed.delimiter, newlines_in_values=True),
        "convert_options": pyarrow.csv.ConvertOptions(
            include_columns=columns,
            column_types=dict.fromkeys(columns, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
        ),
    }


def _csv_error(sniffed: Sniffed, width: int, error: Exception) -> DataError:
    """Turn the parser's complaint into a sentence."""
    ragged = re.search(r"Row #(\d+): Expected (\d+) columns, got (\d+)", str(error))
    if ragged:
        line, expected, got = map(int, ragged.groups())
        return _ragged(sniffed, line, expected, got)
    reason = str(error).removeprefix("CSV parse error: ").splitlines()[0]
    return DataError(f"'{sniffed.path.name}' cannot be read as a table of {width} columns: {reason}.")


def _other_encoding(sniffed: Sniffed) -> Sniffed:
    """Choose again where the head looked like another encoding than what follows."""
    if sniffed.encoding not in ("utf-8", "utf-8-sig"):
        return dataclasses.replace(sniffed, encoding="latin-1")
    if sniffed.encoding == "utf-8-sig" or not sniffed.text.isascii():
        with sniffed.open() as file:
            line = next(n for n, text in enumerate(file, 1) if not _is_utf8(text))
        raise DataError(f"'{sniffed.path.name}', line {line} is not UTF-8 like the lines before; save it as UTF-8.")
    with sniffed.open() as file:
        foreign = b"".join(itertools.islice((line for line in file if not line.isascii()), 5000))
    return dataclasses.replace(sniffed, encoding=legacy_encoding(foreign))


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


# ---- Parquet and Excel


def _parquet_head(sniffed: Sniffed) -> tuple[pd.DataFrame, int | None, bool]:
    try:
        with pyarrow.parquet.ParquetFile(sniffed.path) as file:
            first = next(file.iter_batches(batch_size=HEAD_ROWS), None)
            table = pa.Table.from_batches([] if first is None else [first], schema=file.schema_arrow)
            return _arrow_frame(table), file.metadata.num_rows, True
    except (pa.ArrowException, OSError) as error:
        raise _damaged(sniffed, "Parquet file") from error


def _parquet(sniffed: Sniffed, columns: list[str]) -> pd.DataFrame:
    try:
        # Memory-mapped as one file: a path would be taken for a partitioned data set.
        with pyarrow.parquet.ParquetFile(sniffed.path, memory_map=True) as file:
            return _arrow_frame(file.read(columns=columns))[columns]
    except (pa.ArrowException, OSError) as error:
        raise _damaged(sniffed, "Parquet file") from error


def _arrow_frame(table: pa.Table) -> pd.DataFrame:
    """Return the table with whole numbers kept whole where values are missing."""
    return table.to_pandas(ignore_metadata=True, types_mapper=_NULLABLE.get)


def _excel_head(sniffed: Sniffed) -> tuple[pd.DataFrame, int | None, bool]:
    head = _excel_frame(sniffed, HEAD_ROWS)
    return (head, len(head), True) if len(head) < HEAD_ROWS else (head, None, False)


def _excel(sniffed: Sniffed, columns: list[str]) -> pd.DataFrame:
    return _excel_frame(sniffed, None)[columns]


def _excel_frame(sniffed: Sniffed, limit: int | None) -> pd.DataFrame:
    """Return the first sheet, cells as they are typed there; rows without any value are left out."""
    try:
        workbook = openpyxl.load_workbook(sniffed.path, read_only=True, data_only=True)
        try:
            sheet = workbook.worksheets[0]
            sheet.reset_dimensions()  # some programs write wrong ones, and then cells would be missing
            filled = (row for row in sheet.iter_rows(values_only=True) if any(cell is not None for cell in row))
            rows = list(itertools.islice(filled, None if limit is None else limit + 1))
        finally:
            workbook.close()
    except Exception as error:  # openpyxl raises whatever its XML and zip parsers do
        raise _damaged(sniffed, "Excel workbook") from error
    if not rows:
        raise DataError(f"The first sheet of '{sniffed.path.name}' is empty; give a header line and rows.")
    names = ["" if cell is None else str(cell).strip() for cell in rows[0]]
    body = [(*row[: len(names)], *[None] * (len(names) - len(row))) for row in rows[1:]]
    table = pd.DataFrame(body, columns=names, dtype=object).infer_objects()
    return table.loc[:, [name != "" for name in names]]


def _damaged(sniffed: Sniffed, kind: str) -> DataError:
    return DataError(f"'{sniffed.path.name}' is a damaged {kind}; save or download it again.")


_HEADS = {
    "csv": _csv_head,
    "jsonl": json_head,
    "json": json_head,
    "nested json": json_head,
    "parquet": _parquet_head,
    "excel": _excel_head,
}
_READERS = {
    "csv": _csv,
    "jsonl": json_table,
    "json": json_table,
    "nested json": json_table,
    "parquet": _parquet,
    "excel": _excel,
}
