"""A query to a database -> batches of Arrow, read only: PostgreSQL and SQLite by ADBC, DuckDB, others by SQLAlchemy."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from grouprec.core.files import told
from grouprec.core.types import DataError, SettingError

_ROWS = 50_000  # of a batch


def query_batches(address: str, query: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the columns that a query gives and its rows, which come as they are taken.

    Raises:
        DataError: there is no such database file.
        SettingError: the library for such databases is not installed.
        Exception: whatever the driver raises.
    """
    kind = urlsplit(address).scheme.lower()
    if kind in ("postgresql", "postgres"):
        return _postgresql(address, query)
    if kind in ("sqlite", "duckdb"):
        path = Path(unquote(address.partition(":///")[2]))
        if not path.is_file():
            raise DataError(f"The database '{told(path)}' was not found; check the name and the folder.")
        return _sqlite(path, query) if kind == "sqlite" else _duckdb(path, query)
    return _other(address, query)


def _library(name: str, kind: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise SettingError(
            f"Reading {kind} needs the library '{name.partition('.')[0]}'; install it with "
            "pip install 'grouprec-studio[databases]'."
        ) from error


def _postgresql(address: str, query: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    connection = _library("adbc_driver_postgresql.dbapi", "PostgreSQL").connect(address)
    cursor = connection.cursor()
    cursor.execute("SET default_transaction_read_only = on")
    connection.commit()
    cursor.execute(query)
    return _streamed(cursor.fetch_record_batch(), cursor, connection)


def _sqlite(path: Path, query: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    connection = _library("adbc_driver_sqlite.dbapi", "SQLite").connect(f"{path.absolute().as_uri()}?mode=ro")
    cursor = connection.cursor()
    cursor.execute(query)
    return _streamed(cursor.fetch_record_batch(), cursor, connection)


def _duckdb(path: Path, query: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    # Without external access a query reads this database and no file of the machine.
    connection = _library("duckdb", "DuckDB").connect(
        str(path), read_only=True, config={"enable_external_access": "false"}
    )
    return _streamed(connection.sql(query).to_arrow_reader(_ROWS), connection)


def _streamed(reader: Any, *opened: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    def batches() -> Iterator[pa.RecordBatch]:
        try:
            yield from reader
        finally:
            reader.close()
            for one in opened:
                one.close()

    return reader.schema, batches()


def _other(address: str, query: str) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Read by SQLAlchemy; values come as text, like those of a CSV file."""
    library = _library("sqlalchemy", "this database")
    connection = library.create_engine(address).connect().execution_options(stream_results=True)
    result = connection.execute(library.text(query))
    schema = pa.schema([(str(name), pa.string()) for name in result.keys()])  # noqa: SIM118  # no mapping

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for rows in result.partitions(_ROWS):
                columns = [[None if value is None else str(value) for value in one] for one in zip(*rows, strict=True)]
                yield pa.record_batch([pa.array(one, pa.string()) for one in columns], schema=schema)
        finally:
            connection.close()
            connection.engine.dispose()

    return schema, batches()
