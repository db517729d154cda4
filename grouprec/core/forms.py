"""Small JSON files that change: each carries its version and a seal over its content, so that damage is noticed.

What a newer version wrote beside what this one knows is kept when the form is written again.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from grouprec.core.errors import StorageError
from grouprec.core.files import plain, storage, write_json

Form = dict[str, Any]
SEAL, VERSION = "seal", "format"
_HALVES = re.compile(r"\\u[dD][89a-fA-F]")  # of letters beyond 65,535, in pairs
MOST_BYTES = 512 << 20  # of a form: edits that move millions of users stay below


class DamagedError(StorageError):
    """A file is not what was written.

    Attributes:
        reason: which file, and what is wrong with it; no sentence yet.
        advice: what to do about it, "" where the reader of the file knows better.
    """

    def __init__(self, reason: str, advice: str = "") -> None:
        super().__init__("; ".join(filter(None, (reason, advice))) + ".")
        self.reason, self.advice = reason, advice


def seal_of(form: Mapping[str, Any]) -> str:
    """Return the seal of a form: SHA-256 over its other fields, in an order that does not depend on how it came."""
    rest = {name: value for name, value in form.items() if name != SEAL}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, default=plain).encode()).hexdigest()


def sealed(form: Mapping[str, Any]) -> Form:
    """Return the form as JSON holds it, with its seal."""
    value = json.loads(json.dumps(form, default=plain))
    return {**value, SEAL: seal_of(value)}


def write_form(path: Path, form: Mapping[str, Any], promise: bool = False) -> None:
    """Replace a form; arguments and errors as :func:`grouprec.core.files.replacing`."""
    write_json(path, sealed(form), promise)


def read_form(path: Path, version: int, upgrades: Mapping[int, Callable[[Form], Form]]) -> Form | None:
    """Return a form in the version asked for, without its seal; None where there is no file.

    A form of a newer version comes as it is, with that version: readers take what they know of it.

    Args:
        version: that this program writes.
        upgrades: from an older version to the next one; forms without a version are of version 1.
    Raises:
        DamagedError: it is no form, or its content is not what was sealed. Version 1 has no seal.
    """
    form = _parsed(path)
    if form is None:
        return None
    found = form.get(VERSION, 1)
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise DamagedError(f"{path.name} is damaged: its version is {str(found)[:40]!r}")
    if SEAL in form or found > 1:
        if form.get(SEAL) != seal_of(form):
            raise DamagedError(f"{path.name} is damaged: its content is not what was written")
        del form[SEAL]
    for older in range(found, version):
        form = {**upgrades[older](form), VERSION: older + 1}
    return form


def write_kept_form(path: Path, form: Mapping[str, Any]) -> None:
    """Replace a form that people made, on disk on return; from then on it is missed where it is gone.

    Raises:
        StorageError: it cannot be written.
    """
    write_form(path, form, promise=True)
    with storage(path):
        mark_of(path).touch()


def read_kept_form(path: Path, version: int, upgrades: Mapping[int, Callable[[Form], Form]], without: str) -> Form:
    """Return what :func:`write_kept_form` wrote, as :func:`read_form` does; {} where nothing ever was.

    Args:
        without: what remains where somebody removes the file on purpose, for the advice.
    Raises:
        DamagedError: the file is damaged, or was there once.
    """
    mark = mark_of(path)
    try:
        form = read_form(path, version, upgrades)
        if form is None and mark.exists():
            raise DamagedError(f"{path.name} is missing")
    except DamagedError as error:
        advice = f"restore it from a copy, or remove it and {mark.name} beside it to go on {without}"
        raise DamagedError(error.reason, error.advice or advice) from None
    return form or {}


def mark_of(path: Path) -> Path:
    """Return the empty file that says that a form was made."""
    return path.with_name(f".{path.stem}.kept")


def _parsed(path: Path) -> Form | None:
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise DamagedError(f"{path.name} cannot be read: it is no file")
        if path.exists() and path.stat().st_size > MOST_BYTES:
            raise DamagedError(f"{path.name} is damaged: it is larger than any that is written")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        text = "?"
    except OSError as error:
        raise DamagedError(f"{path.name} cannot be read: {error.strerror or error}", "check who may read it") from error
    if not text.strip():
        raise DamagedError(f"{path.name} is empty")
    try:
        form = json.loads(text)
        if _HALVES.search(text):
            json.dumps(form, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # of half a letter, too, which no page can show
        form = None
    if not isinstance(form, dict):
        raise DamagedError(f"{path.name} is damaged: it holds no JSON object")
    return form
