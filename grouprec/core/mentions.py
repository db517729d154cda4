"""Texts that may name a user: what people wrote, messages that quote a file, rows that nobody could read."""

from __future__ import annotations

import gzip
import re
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from grouprec.core.errors import DataError
from grouprec.core.files import UNPACKING, told

REMOVED = "[removed]"
_NUMBER = re.compile(r"\d{1,5}")  # such ids are also what time it is and how many: they count in quotes only
_CHUNK, _OVERLAP = 1 << 22, 4096  # bytes read at a time, and of them again
_ENCODINGS = ("utf-8", "utf-16-le", "cp1252", "gb18030")


def mention_of(users: Collection[str]) -> re.Pattern[str]:
    """Return what finds the ids of users in a text: each as a word of its own, a short number only in quotes."""
    ways = []
    for user in sorted(users, key=len, reverse=True):
        word = re.escape(user)
        ways.append(f"(?<=['\"]){word}(?=['\"])" if _NUMBER.fullmatch(user) else f"(?<!\\w){word}(?!\\w)")
    return re.compile("|".join(ways))


def without_mentions(text: str, mention: re.Pattern[str]) -> str:
    """Return a text in which nobody is named any more."""
    return mention.sub(REMOVED, text)


def names_any(path: Path, users: Collection[str]) -> bool:
    """Return whether a file of text, plain, gzipped or in a zip archive, names one of the users, in any usual encoding.

    Short numbers are not looked for: they stand everywhere.
    """
    words = {_bytes(user, encoding) for user in users if not _NUMBER.fullmatch(user) for encoding in _ENCODINGS}
    ways = [rb"(?<!\w)" + re.escape(word) + rb"(?!\w)" for word in sorted(words) if word]
    found = re.compile(b"|".join(ways) or b"(?!)")
    with path.open("rb") as raw:
        start = raw.read(4)
    if start == b"PK\x03\x04" and zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                return any(_holds(archive.open(name), found) for name in archive.namelist())
        except UNPACKING as error:
            raise DataError(f"'{told(path)}' is a zip archive that cannot be unpacked; remove it.") from error
    return _holds(gzip.open(path) if start.startswith(b"\x1f\x8b") else path.open("rb"), found)


def _holds(opened: Any, found: re.Pattern[bytes]) -> bool:
    """Return whether a pattern is found in a file, which is closed."""
    rest = b""
    with opened as file:
        while chunk := file.read(_CHUNK):
            if found.search(rest + chunk):
                return True
            rest = chunk[-_OVERLAP:]
    return False


def _bytes(user: str, encoding: str) -> bytes:
    try:
        return user.encode(encoding)
    except UnicodeEncodeError:
        return b""
