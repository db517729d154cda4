"""Where deleted runs and datasets wait before they are gone for good: ``.trash`` in their folder; a later delete
empties it of old ones."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from grouprec.core import usage
from grouprec.core.errors import StorageError
from grouprec.core.files import remove, storage

FOLDER, _CLOCK = ".trash", ".clock"
DAYS = 14
_LEAP, _BELIEVED = 60 * 86400.0, 86400.0  # seconds: a clock that leapt so far is believed after a day


def put(root: Path, folder: Path) -> None:
    """Move the folder of a run or dataset, or a file, to the trash in one step; remove what is there for over DAYS.

    Raises:
        StorageError: the runs folder cannot be written.
    """
    place = root / FOLDER
    with storage(folder):
        place.mkdir(exist_ok=True)
        gone = place / folder.name
        remove(gone)
        folder.rename(gone)
        os.utime(gone)  # from now on, by the clock of the disk
    empty(root)


def take_back(root: Path, name: str) -> Path:
    """Move what is in the trash to where it was and return that.

    Raises:
        StorageError: it is not in the trash, something else has its name, or the folder cannot be written.
    """
    gone, folder = root / FOLDER / name, root / name
    if not name or Path(name).name != name or not gone.exists():
        there = ", ".join(kept(root)) or "nothing"
        raise StorageError(f"The trash of '{root.name}' holds no '{name}'; it holds: {there}.")
    if folder.exists():
        raise StorageError(f"There is a '{name}' in '{root.name}' already; delete or move that first.")
    with storage(folder):
        gone.rename(folder)
    usage.use(folder)
    return folder


def kept(root: Path) -> list[str]:
    """Return the names of what is in the trash, the newest name first."""
    try:
        names = (path.name for path in (root / FOLDER).iterdir())
        return sorted((name for name in names if name != _CLOCK), reverse=True)
    except OSError:
        return []


def empty(root: Path) -> None:
    """Remove what has been in the trash for longer than DAYS; what cannot be removed now stays for the next time."""
    there = kept(root)
    if not there or not _is_steady(root / FOLDER / _CLOCK):
        return
    for name in there:
        path = root / FOLDER / name
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > DAYS * 86400:
                remove(path)


def _is_steady(mark: Path) -> bool:
    """Return whether the clock has gone on without a leap for a day: set a year ahead, it must not empty the trash.

    Args:
        mark: a file that holds the time of the last leap, written whenever somebody looks.
    """
    now, since, seen = time.time(), 0.0, None
    with contextlib.suppress(OSError, ValueError):
        seen = mark.stat().st_mtime
        since = float(mark.read_text(encoding="ascii"))
    if seen is not None and not -_BELIEVED < now - seen < _LEAP:
        since = now
    with contextlib.suppress(OSError):
        mark.write_text(f"{since:.0f}", encoding="ascii")
        os.utime(mark, (now, now))
    return abs(now - since) > _BELIEVED
