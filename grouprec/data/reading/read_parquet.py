"""Parquet -> tables, typed as they are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from uuid import UUID

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from grouprec.core.types import DataError
from grouprec.data.limits import check_columns, check_rows
from grouprec.data.reading.found import Found
from grouprec.data.reading.parquet_pages import check_pages
from grouprec.data.reading.sniff import HEAD_ROWS, Sniffed
from grouprec.data.values.common import shown

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


def parquet_head(sniffed: Sniffed, found: Found) -> tuple[pd.DataFrame, int | None, bool]:
    """Return the first rows, how many there are, and that this is exact."""
    try:
        with pyarrow.parquet.ParquetFile(sniffed.path) as file:
            check_columns(sniffed.path.name, file.metadata.num_columns)
            check_rows(sniffed.path.name, file.metadata.num_rows, sniffed.path.stat().st_size)
            _check_footer(sniffed, file)
            check_pages(sniffed.path, file)
            first = next(file.iter_batches(batch_size=HEAD_ROWS), None)
            table = pa.Table.from_batches([] if first is None else [first], schema=file.schema_arrow)
            frame = _frame(table)
            _check_names(sniffed, frame)
            return frame, file.metadata.num_rows, True
    except DataError:
        raise
    except _DAMAGE as error:
        raise _damaged(sniffed) from error


def parquet_table(sniffed: Sniffed, columns: list[str], found: Found) -> pd.DataFrame:
    """Return columns of the whole file."""
    try:
        # Memory-mapped as one file: a path would be taken for a partitioned data set.
        with pyarrow.parquet.ParquetFile(sniffed.path) as file:
            _check_footer(sniffed, file)
            top = file.schema_arrow.names
            texts = [field.name for field in file.schema_arrow if _is_text(field.type) and field.name in found.coded]
        with pyarrow.parquet.ParquetFile(sniffed.path, read_dictionary=texts) as file:
            wanted = [
                one if one in top else next(name for name in top if one.startswith(f"{name}.")) for one in columns
            ]
            check_pages(sniffed.path, file, {one.split(".")[0] for one in wanted})
            table = file.read(columns=list(dict.fromkeys(wanted)))
            if table.num_rows != file.metadata.num_rows:
                raise _damaged(sniffed)
        return _frame(table)[columns]
    except DataError:
        raise
    except _DAMAGE as error:
        raise _damaged(sniffed) from error


def _check_names(sniffed: Sniffed, frame: pd.DataFrame) -> None:
    """Refuse two columns of one name: a Parquet file is read by these, and nobody can say which is meant.

    Raises:
        DataError: names the first.
    """
    if not frame.columns.is_unique:
        twice = shown(frame.columns[frame.columns.duplicated()][0])
        raise DataError(
            f"'{sniffed.path.name}' has several columns called '{twice}'; give each a name of its own and save it "
            "again."
        )


def _check_footer(sniffed: Sniffed, file: pyarrow.parquet.ParquetFile) -> None:
    """Check that the rows of which the footer tells are in the file: the reader gives fewer without a word.

    Raises:
        DataError: they are not, or there are more.
    """
    told, there = file.metadata.num_rows, 0
    flat = [at for at in range(len(file.schema)) if file.schema.column(at).max_repetition_level == 0]
    for at in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(at)
        values = {group.column(column).num_values for column in flat} or {group.num_rows}
        if values != {group.num_rows}:
            raise _damaged(sniffed)
        there += group.num_rows
    if told != there:
        raise _damaged(sniffed)


def parquet_beginning(sniffed: Sniffed, columns: list[str], n_rows: int) -> pd.DataFrame:
    """Return columns of the first rows."""
    with pyarrow.parquet.ParquetFile(sniffed.path, memory_map=True) as file:
        return first_rows(file.iter_batches(batch_size=65_536, columns=columns), n_rows)[columns]


def first_rows(batches: Iterable[pa.RecordBatch], n_rows: int) -> pd.DataFrame:
    """Return the first rows of batches, taking no more of these than needed."""
    found, n = [], 0
    for batch in batches:
        found.append(batch)
        n += batch.num_rows
        if n >= n_rows:
            break
    return _frame(pa.Table.from_batches(found)).head(n_rows)


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return the table with whole numbers kept whole where values are missing, and bytes as the text they are."""
    for at, field in enumerate(table.schema):
        if pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type) or _is_fixed(field.type):
            table = table.set_column(at, field.name, _texts(table.column(at)))
        elif pa.types.is_map(field.type):
            table = table.set_column(at, field.name, _objects(table.column(at)))
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table.to_pandas(ignore_metadata=True, types_mapper=_NULLABLE.get, split_blocks=True, self_destruct=True)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _is_fixed(kind: pa.DataType) -> bool:
    return pa.types.is_fixed_size_binary(kind)


def _texts(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """Return bytes as UTF-8, else as a UUID where they are 16, else as hexadecimal digits."""
    try:
        return column.cast(pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        values = column.to_pylist()
        return pa.array(
            [None if one is None else str(UUID(bytes=one)) if len(one) == 16 else one.hex() for one in values]
        )


def _objects(column: pa.ChunkedArray) -> pa.Array:
    """Return maps, as Spark writes the parameters of an event, as objects in JSON, which get columns of their own."""
    pairs = ({str(name): value for name, value in one or ()} for one in column.to_pylist())
    return pa.array([json.dumps(one, ensure_ascii=False, default=str) for one in pairs])


_DAMAGE = (pa.ArrowException, OSError, ValueError)


def _damaged(sniffed: Sniffed) -> DataError:
    return DataError(f"'{sniffed.path.name}' is a damaged Parquet file; save or download it again.")
