"""How much of anything a file may hold: beyond it a file is refused, or a row left out, in a sentence.

The bounds lie far above what anybody has, and below what a few bytes can blow up to.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from grouprec.core.types import DataError

MOST_COLUMNS = 5_000
MOST_ROWS = 500_000_000
LONGEST_ID = 1_000  # characters; labels that are longer are cut
LONGEST_ROW = 16 << 20  # characters of a row of text
MOST_DIMENSIONS = 4_096  # numbers of an item's vector
MOST_UNPACKED = 100 << 30  # bytes of a gzip file without its compression
MOST_RATIO = 200  # to which a file may unpack; tables with no information at all reach a thousand
MOST_ENTRIES = 100_000  # files and folders below one that are looked through
FREE_BYTES = 100 << 20  # bytes up to which any ratio is fine
_MOST_NAMES = 10_000_000  # characters of the names of all columns, were all as long as the longest
_MOST_SHEET = 4 << 30  # bytes of a workbook without its compression: Excel itself opens no larger one


def check_columns(name: str, n_columns: int) -> None:
    """Refuse a table with too many columns.

    Raises:
        DataError: says how many, and what such a table should look like.
    """
    if n_columns > MOST_COLUMNS:
        raise DataError(
            f"'{name}' has {n_columns:,} columns, and at most {MOST_COLUMNS:,} are read; give one row per interaction "
            "with a column for the user and one for the item, or only the columns that are needed."
        )


def check_names(name: str, columns: Collection[object]) -> None:
    """Refuse a table of many columns one of which has a very long name: as an array of texts all become as long.

    Raises:
        DataError: says how long, and what to do.
    """
    longest = max((len(str(column)) for column in columns), default=0)
    if longest * len(columns) > _MOST_NAMES:
        raise DataError(
            f"'{name}' has {len(columns):,} columns, and the name of one has {longest:,} characters; is its first line "
            "the names of the columns? Shorten them, or give only the columns that are needed."
        )


def check_entries(shown: str, n_entries: int) -> None:
    """Refuse a folder with too much below it, such as the whole disk.

    Raises:
        DataError: says what to name instead.
    """
    if n_entries > MOST_ENTRIES:
        raise DataError(
            f"'{shown}' holds more than {MOST_ENTRIES:,} files and folders, which are not looked through; name the "
            "folder in which the files of the data lie."
        )


def check_rows(name: str, n_rows: int, n_bytes: float = float("inf")) -> None:
    """Refuse a table with too many rows, or with more than its bytes can tell apart.

    Raises:
        DataError: says how many.
    """
    if n_rows > MOST_ROWS:
        raise DataError(f"'{name}' has {n_rows:,} rows, and at most {MOST_ROWS:,} are read; give a part of them.")
    if n_rows > 10_000_000 and n_rows > 8 * n_bytes:
        raise DataError(
            f"'{name}' says it has {n_rows:,} rows in {n_bytes:,.0f} bytes, less than one bit each; rows of people and "
            "items need more: is the file right?"
        )


def check_workbook(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse a workbook that would fill the memory.

    Raises:
        DataError: says to how much it unpacks.
    """
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > _MOST_SHEET or (unpacked > FREE_BYTES and unpacked > MOST_RATIO * path.stat().st_size):
        raise too_large(path, unpacked)


class Unpacked(io.RawIOBase):
    """The content of a gzip file or of members of a zip archive, as long as it stays within what it may unpack to.

    Members come one after the other, each from a line of its own on.
    """

    def __init__(self, path: Path, members: Sequence[str] = ()) -> None:
        self._path, self._n, self._last = path, 0, b"\n"
        self._archive = zipfile.ZipFile(path) if members else None
        self._file: Any = self._archive.open(members[0]) if self._archive else gzip.GzipFile(path, "rb")
        self._more = list(members[1:])
        self._most = min(MOST_UNPACKED, max(FREE_BYTES, MOST_RATIO * path.stat().st_size))

    def readable(self) -> bool:
        return True

    def readinto(self, target) -> int:  # any writable buffer
        n = self._file.readinto(target)
        if not n and self._archive and self._more:
            self._file.close()
            self._file = self._archive.open(self._more.pop(0))
            if self._last not in b"\r\n":
                target[:1] = self._last = b"\n"
                return 1
            return self.readinto(target)
        self._last = bytes(target[n - 1 : n]) or self._last
        self._n += n
        if self._n > self._most:
            raise too_large(self._path, self._n)
        return n

    def close(self) -> None:
        self._file.close()
        if self._archive is not None:
            self._archive.close()
        super().close()


def too_large(path: Path, n_bytes: int) -> DataError:
    """Return what to say of a file that unpacks to so many bytes or more."""
    packed = path.stat().st_size
    return DataError(
        f"'{path.name}' ({packed / 1e6:,.1f} MB) unpacks to {n_bytes / 1e6:,.0f} MB or more, over "
        f"{n_bytes // packed:,} times its size, and rows of people and items do not pack so well; if it is right, "
        "unpack it and give the file inside."
    )
