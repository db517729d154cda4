"""Many files changed as one: all of them, or none, also where the process is killed at any moment.

New contents are written beside the old ones first. Then comes the plan, which is the decision; from there on everything
is done, by the next process if not by this one. Without a plan nothing has happened.

``<root>/.changing/``
    0, 1, ...    new contents, files or folders
    plan.json    what is removed, and which of them goes where; written last
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from grouprec.core.files import storage, to_disk
from grouprec.core.forms import VERSION, DamagedError, read_form, write_form
from grouprec.core.locks import alone

FOLDER, PLAN, LOCK = ".changing", "plan.json", ".changing.lock"
_PLAN_VERSION = 1


class Changes:
    """Changes of files under a folder that happen together at :meth:`make`; made by :func:`changing`.

    What is removed goes first, then the new contents take their places in the order in which they were given.

    Attributes:
        folder: where new contents are; it is gone afterwards.
        completed: whether earlier changes, which were interrupted, were completed first.
    """

    def __init__(self, root: Path, completed: bool) -> None:
        self.root, self.folder, self.completed = root, root / FOLDER, completed
        self._removed: list[Path] = []
        self._new: dict[Path, Path] = {}

    def new(self, path: Path) -> Path:
        """Return where to write the new content of a file, or a folder that is to be there; the same one when asked
        again."""
        return self._new.setdefault(path, self.folder / str(len(self._new)))

    def given(self, folder: Path) -> dict[Path, Path]:
        """Return what is new under a folder: its path -> where its content is."""
        return {path: new for path, new in self._new.items() if path.is_relative_to(folder)}

    def removed(self, folder: Path) -> list[Path]:
        """Return what is removed under a folder."""
        return [path for path in self._removed if path.is_relative_to(folder)]

    def remove(self, path: Path) -> None:
        """Let a file or folder be gone."""
        self._removed.append(path)

    def make(self) -> None:
        """Decide, and change everything.

        Raises:
            StorageError: nothing is changed yet, or what is left will be by :func:`complete`.
        """
        removed = [path for path in self._removed if path not in self._new]
        with storage(self.folder):
            for new in self._new.values():
                for path in [new, *new.rglob("*")] if new.is_dir() else [new]:
                    to_disk(path)
            to_disk(self.folder)
        plan = {
            VERSION: _PLAN_VERSION,
            "removed": [path.relative_to(self.root).as_posix() for path in removed],
            "new": {new.name: path.relative_to(self.root).as_posix() for path, new in self._new.items()},
        }
        write_form(self.folder / PLAN, plan, promise=True)
        _finish(self.root)


@contextlib.contextmanager
def changing(root: Path, busy: str) -> Iterator[Changes]:
    """Give changes of files under a folder to make; unless they are made in the block, nothing has happened.

    Args:
        root: a folder that is there; everything is under it, and on its disk.
        busy: the sentence said when another process is at it for too long.
    Raises:
        BusyError: somebody else is.
        StorageError: the folder cannot be written.
    """
    with alone(root / LOCK, busy):
        completed = _finish(root)
        changes = Changes(root, completed)
        with storage(changes.folder):
            changes.folder.mkdir()
        try:
            yield changes
        finally:
            if not (changes.folder / PLAN).exists():
                shutil.rmtree(changes.folder, ignore_errors=True)


def complete(root: Path) -> bool:
    """Complete changes of files under a folder that were decided and then interrupted; return whether there were any.

    Raises:
        StorageError: they cannot be written, or somebody is at it; another call goes on from there.
    """
    if not (root / FOLDER).exists():
        return False
    with alone(root / LOCK, "Files are being changed; try again when that is done."):
        return _finish(root)


def _finish(root: Path) -> bool:
    """Complete what was decided, clear away what was not, and return whether anything was decided."""
    folder = root / FOLDER
    if not folder.exists():
        return False
    plan = _plan(folder / PLAN)
    with storage(folder):
        if plan is not None:
            for name in plan["removed"]:
                _remove(root / name)
            for name, place in plan["new"].items():
                _put(folder / name, root / place)
        (folder / PLAN).unlink(missing_ok=True)  # all is in place: from here on the rest is rubbish
        shutil.rmtree(folder)
    return plan is not None


def _plan(path: Path) -> dict | None:
    try:
        return read_form(path, _PLAN_VERSION, {})
    except DamagedError as error:  # written as one and on disk: a broken disk
        advice = "what it had not reached is as it was; check the disk, then remove that folder"
        raise DamagedError(f"A change of files was begun in {path.parent.name}, but {error.reason}", advice) from error


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _put(new: Path, path: Path) -> None:
    """Give a new content its place; done before where it is gone from here."""
    if not new.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if new.is_dir() and path.is_dir():
        shutil.rmtree(path)
    new.replace(path)
    to_disk(path.parent)
