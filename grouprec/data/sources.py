"""Where interactions are: a file, a folder or pattern of files, an object store, a database -> one file on this disk.

What is fetched lies under a name that ends in a fingerprint of its content, so a run can be repeated although the
source has changed, and holds no address. Credentials come from the environment: ``${NAME}`` in an address, or what the
libraries look for themselves (AWS_ACCESS_KEY_ID, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT, PGPASSWORD).
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet

from grouprec.core.files import incoming
from grouprec.core.types import DataError, SettingError
from grouprec.data.databases import query_batches
from grouprec.data.library_files import safe_name
from grouprec.data.limits import check_columns, check_entries, check_rows
from grouprec.data.reading.read import read

STORES = ("s3", "gs", "gcs", "abfs", "abfss")  # read by Arrow itself
_SUFFIXES = (".parquet", ".csv", ".tsv", ".txt", ".gz", ".json", ".jsonl", ".ndjson", ".xlsx", ".ods", ".zip")
_DATABASE_FILES = {".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".duckdb": "duckdb"}
_NOT_READ = ("http", "https", "ftp", "ftps", "sftp", "hdfs", "viewfs", "wasb", "wasbs", "adl", "dbfs")
_PATIENCE = 10  # seconds for which Google's storage is asked again; its library would for fifteen minutes
_SHORTEST = 6  # letters of an option that may be a secret
_VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Fetched:
    """The file that a source became, what to call it, and what people should know about how it was read."""

    path: Path
    name: str
    notes: tuple[str, ...] = ()


def fetch(source: str, query: str, folder: Path) -> Fetched:
    """Return the interactions of a source as a file; a single file on this disk is that file.

    Args:
        source: a path; a folder or a pattern (``orders/*.csv``, ``year=*/``) of files with the same columns; an address
            of S3, Google or Azure storage, of a file, a folder or a pattern; a database: ``postgresql://``,
            ``sqlite:///FILE``, ``duckdb:///FILE``, or what SQLAlchemy knows.
        query: SQL, of a database only.
        folder: where what is fetched is kept; made if needed.
    Raises:
        DataError: there is nothing, or it cannot be read; never names a password.
        SettingError: a query is missing or does not belong here, a variable is not set, a library is not installed.
        StorageError: the folder cannot be written.
    """
    given = source.strip()
    whole = _expanded(given)
    kind = urlsplit(whole).scheme.lower() if "://" in whole else ""
    try:
        if not kind and Path(whole).suffix.lower() in _DATABASE_FILES:
            kind, whole = "database", f"{_DATABASE_FILES[Path(whole).suffix.lower()]}:///{Path(whole).absolute()}"
        if kind in _NOT_READ:
            raise SettingError(
                f"'{shown_source(given)}' is no address that is read; fetch the file yourself and name it, or name a "
                f"folder, an object store ({', '.join(STORES)}) or a database."
            )
        if kind == "file":
            kind, whole = "", unquote(urlsplit(whole).path)
        if kind and kind not in STORES:
            return _from_database(whole, given, query, folder)
        if query:
            raise SettingError("A query is for a database; of files all rows are read.")
        if not kind and not Path(whole).is_dir() and not _is_pattern(whole):
            return Fetched(Path(whole), Path(whole).stem)
        return _from_files(whole, given, folder)
    except UnicodeError:
        raise DataError(f"'{shown_source(given)}' holds a file whose name is no text; rename it.") from None
    except (OSError, pa.ArrowException) as error:
        advice = " Check the address, and the credentials in the environment." if kind in STORES else ""
        raise DataError(f"'{shown_source(given)}' cannot be read: {_without(str(error), whole)}.{advice}") from None


def is_database(source: str) -> bool:
    """Return whether a source is a database, which a query has to read."""
    if "://" in source:
        return urlsplit(source).scheme.lower() not in STORES
    return Path(source).suffix.lower() in _DATABASE_FILES


def shown_source(source: str) -> str:
    """Return an address as it may be shown: without user, password and options."""
    if "://" not in source:
        return source
    parts = urlsplit(source)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _expanded(source: str) -> str:
    """Return an address with the variables of the environment that it names."""
    missing = [name for name in _VARIABLE.findall(source) if name not in os.environ]
    if missing:
        raise SettingError(f"The address names the environment variable '{missing[0]}', which is not set.")
    return _VARIABLE.sub(lambda found: os.environ[found[1]], source)


def _without(message: str, address: str) -> str:
    """Return the first line of a message without the secrets of an address."""
    netloc = urlsplit(address).netloc if "://" in address else ""
    user = netloc.rpartition("@")[0]  # before an account of Azure it is a container, and maybe a letter
    query = urlsplit(address).query
    options = [value for name, value in parse_qsl(query) if len(value) >= _SHORTEST]
    words = {f"{user}@" if user else "", *user.split(":", 1)[1:], query, *options}
    for word in sorted({*words, *map(unquote, words)} - {""}, key=len, reverse=True):
        message = message.replace(word, "...")
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return lines[0][:300].rstrip(".") if lines else "no reason was given"


# ---- files


def _is_pattern(path: str) -> bool:
    return any(sign in path for sign in "*?[") and not Path(path).exists()


def _from_files(address: str, given: str, folder: Path) -> Fetched:
    store, path = _store(address)
    found = _matching(store, path, shown_source(given))
    if not found:
        raise DataError(f"'{shown_source(given)}' holds no files that can be read ({', '.join(_SUFFIXES)}).")
    name = safe_name(PurePosixPath(re.split(r"[*?\[]", path)[0]).stem or PurePosixPath(found[0]).stem)
    kinds = {PurePosixPath(one).suffix.lower() for one in found}
    if kinds == {".parquet"}:
        data = pyarrow.dataset.dataset(found, filesystem=store, partitioning="hive", format="parquet")
        check_columns(name, len(data.schema))
        check_rows(name, data.count_rows())
        return _kept(name, data.schema, data.to_batches(), folder)
    with tempfile.TemporaryDirectory() as copies:
        if len(found) == 1:
            return _copied(store, found[0], folder)
        parts = _Parts(store, found, Path(copies), given)
        return _kept(name, parts.schema, parts.batches(), folder, parts.notes)


def _store(address: str) -> tuple[Any, str]:
    """Return the file system and the path in it."""
    if "://" not in address:
        return pyarrow.fs.LocalFileSystem(), str(Path(address).absolute())
    scheme, _, rest = address.partition("://")
    plain, _, options = rest.partition("?")
    start = re.split(r"[*?\[]", plain)[0]  # a pattern is no address for Arrow
    scheme = {"gcs": "gs"}.get(scheme.lower(), scheme.lower())
    base = start.rpartition("/")[0] or start
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "") if scheme == "s3" and "endpoint_override" not in options else ""
    if endpoint:
        where = urlsplit(endpoint)
        options += f"{'&' if options else ''}scheme={where.scheme}&endpoint_override={where.netloc}"
    if scheme == "gs" and "retry_limit_seconds" not in options:
        options += f"{'&' if options else ''}retry_limit_seconds={_PATIENCE}"
    store, there = pyarrow.fs.FileSystem.from_uri(f"{scheme}://{base}{'?' if options else ''}{options}")
    return store, there.strip("/") + plain[len(base) :]  # of Azure, what is before the sign @ is the first folder


def _matching(store: Any, path: str, shown: str = "") -> list[str]:
    """Return the files of a file, a folder or a pattern, sorted; hidden ones and those of other kinds are no data.

    A file on this machine to which several names lead is one, of the shortest name.

    Args:
        shown: what they are called to people.
    """
    start = re.split(r"[*?\[]", path)[0]
    pattern = path.rstrip("/") if start != path else ""
    base = start.rpartition("/")[0] if pattern else path.rstrip("/")
    there = store.get_file_info(base)
    if there.type == pyarrow.fs.FileType.File:
        return [base]
    here = isinstance(store, pyarrow.fs.LocalFileSystem)
    files = _here(base or "/", shown or base) if here else _there(store, base)
    if pattern:
        files = [one for one in files if fnmatch.fnmatch(one, pattern) or fnmatch.fnmatch(one, f"{pattern}/*")]
    inside = [one for one in files if not any(part[:1] in "._" for part in one[len(base) :].strip("/").split("/"))]
    found = sorted(one for one in inside if one.lower().endswith(_SUFFIXES))
    if here:  # several links lead to a file
        found = list({os.path.realpath(one): one for one in sorted(found, key=_by_itself)}.values())
    return sorted(found)


def _there(store: Any, base: str) -> list[str]:
    infos = store.get_file_info(pyarrow.fs.FileSelector(base, recursive=True, allow_not_found=True))
    return [info.path for info in infos if info.type == pyarrow.fs.FileType.File]


def _here(base: str, shown: str) -> list[str]:
    """Return the files of our kinds below a folder of this machine; no link back up is followed.

    Hidden folders are not looked into: what is in them is no data.

    Raises:
        DataError: there are too many.
    """
    files: list[str] = []
    n_entries = 0
    waiting = [(base, frozenset({os.path.realpath(base)}))] if Path(base).is_dir() else []
    while waiting:
        folder, above = waiting.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                n_entries += 1
                check_entries(shown, n_entries)
                if entry.name.lower().endswith(_SUFFIXES) and Path(entry.path).is_file():
                    files.append(entry.path.encode().decode())  # libraries take no name that is no text
                elif (
                    entry.name[:1] not in "._"
                    and Path(entry.path).is_dir()
                    and (real := os.path.realpath(entry.path)) not in above
                ):
                    waiting.append((entry.path, above | {real}))
    return files


def _by_itself(path: str) -> tuple[int, bool]:
    """Order the names of a file: the deepest first, and last the one of no link."""
    return -path.count("/"), os.path.realpath(path) == path


def _copied(store: Any, path: str, folder: Path) -> Fetched:
    """Copy one file as it is: its reader knows best."""
    name = safe_name(PurePosixPath(path).name)
    with incoming(folder) as temporary:
        digest = hashlib.sha256()
        with store.open_input_stream(path, compression=None) as file, temporary.open("wb") as copy:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
                copy.write(chunk)
        stem, _, endings = name.partition(".")
        kept = folder / f"{stem}-{digest.hexdigest()[:8]}.{endings}"
        temporary.replace(kept)
    return Fetched(kept, stem)


class _Parts:
    """Files of text with the same columns, read one after the other as each by itself would be."""

    def __init__(self, store: Any, paths: Sequence[str], copies: Path, given: str) -> None:
        self._store, self._paths, self._copies, self._given = store, paths, copies, given
        self.notes: list[str] = []
        self._first = self._read(paths[0])
        self.schema = self._first.schema

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield from self._first.to_batches()
        for path in self._paths[1:]:
            table = self._read(path)
            if set(table.column_names) != set(self.schema.names):
                raise DataError(
                    f"'{shown_source(self._given)}' holds files with different columns: "
                    f"'{PurePosixPath(path).name}' has {', '.join(table.column_names)[:200]}, the first one "
                    f"{', '.join(self.schema.names)[:200]}; name files that belong together."
                )
            yield from table.select(self.schema.names).to_batches()

    def _read(self, path: str) -> pa.Table:
        name = PurePosixPath(path).name
        copy = self._copies / safe_name(name)
        pyarrow.fs.copy_files(path, str(copy), self._store, pyarrow.fs.LocalFileSystem())
        table = read(copy)
        copy.unlink()
        self.notes += [f"{name}: {note}" for note in table.notes]
        if len(table.rejects):
            self.notes.append(f"{name}: {len(table.rejects):,} rows cannot be read: {table.rejects.reason()}")
        columns = {str(column): pa.array(table.frame[column].astype("str"), pa.string()) for column in table.frame}
        for part in PurePosixPath(path).parts[:-1]:
            key, sign, value = part.partition("=")
            if sign and key not in columns:
                columns[key] = pa.array([unquote(value)] * len(table.frame), pa.string())
        return pa.table(columns)


# ---- databases


def _from_database(address: str, given: str, query: str, folder: Path) -> Fetched:
    if not query.strip():
        raise SettingError(
            f"'{shown_source(given)}' is a database; say what to read with a query, such as "
            "SELECT user_id, item_id, created_at FROM orders."
        )
    found = re.search(r"\bfrom\s+[\"`]?([\w.]+)", query, re.IGNORECASE)
    name = safe_name(found[1] if found else "query")
    try:
        schema, batches = query_batches(address, query)
        return _kept(name, schema, batches, folder)
    except (DataError, SettingError):
        raise
    except Exception as error:  # every driver raises its own
        raise DataError(f"'{shown_source(given)}' does not answer: {_without(str(error), address)}.") from None


# ---- what is kept


def _kept(
    name: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch], folder: Path, notes: Sequence[str] = ()
) -> Fetched:
    """Write batches as one Parquet file, never more of them in memory than one."""
    n_rows = 0
    with incoming(folder) as temporary:
        with pyarrow.parquet.ParquetWriter(temporary, schema) as writer:
            for batch in batches:
                n_rows += batch.num_rows
                check_rows(name, n_rows)
                writer.write_batch(batch)
        if not n_rows:
            raise DataError(f"'{name}' has no rows; is that what you asked for?")
        with temporary.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:8]
        kept = folder / f"{name}-{digest}.parquet"
        temporary.replace(kept)
    return Fetched(kept, name, tuple(notes))
