"""Locks that hold between threads and between processes, and end with the process that holds them, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from grouprec.core.errors import BusyError
from grouprec.core.files import storage

PATIENCE = 10.0  # seconds; what is done under a lock takes milliseconds, so who waits longer waits for something stuck
_POLL = 0.01


def take(path: Path, sentence: str, patience: float = PATIENCE) -> FileLock:
    """Return a lock that is held until its ``release``; arguments and errors as :func:`alone`."""
    lock = FileLock(path, thread_local=False, poll_interval=_POLL, fallback_to_soft=False)
    with storage(path):
        if not path.parent.is_dir():  # which the library would make: a run that was moved away leaves no ghost
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        try:
            lock.acquire(timeout=patience)
        except Timeout:
            raise BusyError(sentence) from None
    return lock


@contextlib.contextmanager
def alone(path: Path, sentence: str, patience: float = PATIENCE) -> Iterator[None]:
    """Let one thread of one process at a time into the block. Not to be taken twice by the same thread.

    Args:
        path: of the lock's file, which stays; its folder is there.
        sentence: said when waiting was in vain.
        patience: seconds to wait.
    Raises:
        BusyError: another one holds the lock all that time.
        StorageError: its file cannot be written.
    """
    lock = take(path, sentence, patience)
    try:
        yield
    finally:
        lock.release()


def held(path: Path) -> bool:
    """Return whether somebody holds the lock now. A file that is missing or cannot be opened is nobody's."""
    lock = FileLock(path, thread_local=False, fallback_to_soft=False)
    try:
        if not path.exists():
            return False
        lock.acquire(blocking=False)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False
