"""A zip archive of several files -> which of them holds the interactions: as of a workbook, what names both sides."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pandas as pd

from grouprec.core.types import DataError, SettingError
from grouprec.data.reading.files_known import PACKED_KINDS, several_files
from grouprec.data.reading.found import Found
from grouprec.data.reading.read_json import json_head
from grouprec.data.reading.read_text import text_head
from grouprec.data.reading.sniff import Sniffed, sniff
from grouprec.data.values.common import some_of

_MOST_FILES = 100  # of an archive; each is looked into


def choose_file(path: Path, members: Sequence[str], encoding: str, wanted: str, both: bool) -> Sniffed:
    """Return what is read of an archive: the one file that names users and items, or all of those with its columns.

    Args:
        members: the files in it, more than one.
        wanted: the name of the file that a person chose; "" for none.
        both: only a file that names users and items is meant.
    Raises:
        DataError: nothing tells which is meant.
        SettingError: no file has the name that was chosen.
    """
    if wanted:
        named = [one for one in members if wanted.strip().lower() in (one.lower(), _own(one).lower())]
        if not named:
            raise SettingError(f"'{path.name}' has no file '{wanted}' in it; there are: {some_of(map(_own, members))}.")
        return sniff(path, encoding, (named[0],))
    if not both or len(members) > _MOST_FILES:
        raise several_files(path, members)
    tables = {one: found for one in members if (found := _head(path, one, encoding)) is not None}
    told = {one: _tells(head) for one, (_, head) in tables.items()}
    most = max(told.values(), default=0)
    if not most:
        raise several_files(path, members)
    whole = [one for one in tables if told[one] == most]
    with zipfile.ZipFile(path) as archive:
        chosen = max(whole, key=lambda one: archive.getinfo(one).file_size)
    sniffed, head = tables[chosen]
    read = [one for one in whole if list(tables[one][1].columns) == list(head.columns)] if _joins(sniffed) else [chosen]
    notes = []
    if len(read) > 1:
        names = some_of(map(_own, read))
        notes.append(
            f"{len(read)} files of the archive have the same columns and are read one after the other: {names}"
        )
        sniffed = sniff(path, encoding, tuple(read))
    if others := [one for one in members if one not in read]:
        are = "are" if len(read) > 1 else "is"
        notes.append(f"of the archive, {some_of(map(_own, read))} {are} read, not {some_of(map(_own, others))}")
    return replace(sniffed, notes=tuple(notes), packed=tuple(map(_own, tables)))


def _own(member: str) -> str:
    return PurePosixPath(member).name


def _head(path: Path, member: str, encoding: str) -> tuple[Sniffed, pd.DataFrame] | None:
    """Return what a file of an archive is and its first rows; None where it is no table of text."""
    if member.lower().endswith(PACKED_KINDS):
        return None
    try:
        sniffed = sniff(path, encoding, (member,))
        read = text_head if sniffed.format == "csv" else json_head
        return (sniffed, read(sniffed, Found())[0]) if sniffed.format != "markup" else None
    except DataError:
        return None


def _joins(sniffed: Sniffed) -> bool:
    """Return whether files of that kind can stand one after the other: a row a line, in UTF-8 or a code page."""
    return sniffed.format in ("csv", "jsonl") and not (sniffed.encoding or "").startswith(("utf-16", "utf-32"))


def _tells(head: pd.DataFrame) -> int:
    """Return 2 where columns name users and items, 1 where they only may, 0 where a file is of one of the two."""
    from grouprec.data.roles.detect import detect

    try:
        found = detect(head)
    except DataError:
        return 0
    both = found.roles.user is not None and found.roles.item is not None
    return (1 if found.by_elimination else 2) if both else 0
