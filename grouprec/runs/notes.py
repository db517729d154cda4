"""What people wrote about a run: ``notes.json`` in its folder. No part of its results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from grouprec.core.forms import VERSION, DamagedError, Form, read_kept_form, write_kept_form
from grouprec.core.locks import alone

FILE = "notes.json"
NOTES_VERSION = 2  # 1, of 0.1.0, had no seal and no title
MOST_TITLE, MOST_NOTE, MOST_TAG, MOST_TAGS = 120, 2000, 30, 12  # letters of a title, note, tag; tags of a run


@dataclass(frozen=True)
class Notes:
    """What people wrote about a run. ``title`` is "" where nobody has renamed it."""

    note: str = ""
    tags: tuple[str, ...] = ()
    title: str = ""


def tidy(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags as they are kept: cut, each once whatever its case, none empty, not too many."""
    cleaned = (" ".join(tag.split())[:MOST_TAG] for tag in tags)
    once = {tag.casefold(): tag for tag in cleaned if tag}
    return tuple(once.values())[:MOST_TAGS]


def change_notes(folder: Path, changes: Mapping[str, Any]) -> Notes:
    """Replace fields of the notes of a run; what a newer version wrote beside them stays.

    Raises:
        DamagedError: the notes are not what was written.
        StorageError: they cannot be written.
    """
    path = folder / FILE
    with writing(folder):
        notes = replace(read_notes(path), **changes)
        write_kept_form(path, {VERSION: NOTES_VERSION, **_form(path), **asdict(notes)})
    return notes


def writing(folder: Path) -> AbstractContextManager[None]:
    """Let one at a time write the notes of a run."""
    return alone(folder / ".notes.lock", f"The notes of the run {folder.name} are being written; try again.")


def read_notes(path: Path) -> Notes:
    """Return the notes of a file, none where nobody wrote any.

    Raises:
        DamagedError: they are not what was written.
    """
    form = _form(path)
    tags = form.get("tags", [])
    if not isinstance(tags, list):
        raise DamagedError(f"{FILE} is damaged: its tags are no list", "restore it from a copy, or remove it")
    return Notes(str(form.get("note", "")), tuple(map(str, tags)), str(form.get("title", "")))


def _form(path: Path) -> Form:
    return read_kept_form(path, NOTES_VERSION, {1: _notes_of_1}, "without note, tags and new title")


def _notes_of_1(form: Form) -> Form:
    """Return notes of 0.1.0 as of today: the title was in the configuration then."""
    return form
