"""Where deleted runs wait before they are gone for good: ``<runs>/.trash``; a later delete empties it of old ones."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

from grouprec.core.errors import StorageError
from grouprec.core.files import storage

FOLDER = ".trash"
DAYS = 14


def put(root: Path, folder: Path) -> None:
    """Move a run's folder to the trash, in one step, and remove from it what has been there for longer than DAYS.

    Raises:
        StorageError: the runs folder cannot be written.
    """
    place = root / FOLDER
    with storage(folder):
        place.mkdir(exist_ok=True)
        gone = place / folder.name
        if gone.exists():
            shutil.rmtree(gone)
        folder.rename(gone)
        os.utime(gone)  # from now on, by the clock of the disk
    empty(root)


def take_back(root: Path, name: str) -> Path:
    """Move a run's folder from the trash to where it was and return that.

    Raises:
        StorageError: it is not in the trash, another run has its name, or the runs folder cannot be written.
    """
    gone, folder = root / FOLDER / name, root / name
    if not name or Path(name).name != name or not gone.is_dir():
        there = ", ".join(kept(root)) or "nothing"
        raise StorageError(f"The trash of {root} holds no run '{name}'; it holds: {there}.")
    if folder.exists():
        raise StorageError(f"There is a run '{name}' in {root} already; delete or move that first.")
    with storage(folder):
        gone.rename(folder)
    return folder


def kept(root: Path) -> list[str]:
    """Return the names of what is in the trash, the newest run first."""
    try:
        return sorted((path.name for path in (root / FOLDER).iterdir()), reverse=True)
    except OSError:
        return []


def empty(root: Path) -> None:
    """Remove what has been in the trash for longer than DAYS; what cannot be removed now stays for the next time."""
    for name in kept(root):
        path = root / FOLDER / name
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > DAYS * 86400:
                shutil.rmtree(path)
