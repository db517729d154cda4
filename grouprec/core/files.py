"""Files as the product writes them: atomically, on disk where that is promised, and with one sentence on refusal."""

from __future__ import annotations

import contextlib
import errno
import gzip
import json
import lzma
import os
import secrets
import shutil
import struct
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from grouprec.core.errors import StorageError

INCOMING = ".incoming-"
# What packed files raise that are damaged; and where they are opened, also such as are locked, packed in an unknown
# way or hold what has no name
DAMAGED = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError)
UNPACKING = (*DAMAGED, struct.error, NotImplementedError, RuntimeError, IndexError, UnicodeDecodeError)
_OF_RUNS_AND_DATASETS = ("status.json", "config.json", "dataset.json")
STALE_SECONDS = 86_400.0  # after which nobody is still making what nobody touched


def told(path: Path) -> str:
    """Return what messages call a file: its place in the run or dataset that it belongs to, else its own name.

    What stands above is nobody's to know who reads messages: they reach browsers, programs and people with a link.
    """
    with contextlib.suppress(OSError):
        for folder in path.parents:
            if any((folder / name).exists() for name in _OF_RUNS_AND_DATASETS):
                return path.relative_to(folder.parent).as_posix()
    return path.parent.name if path.name.startswith(INCOMING) else path.name


@contextlib.contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn operating system errors inside the block into one sentence about the runs folder."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        advice = "free some space" if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT) else "check the folder"
        raise StorageError(
            f"Cannot write {told(path)}: {reason}; {advice} or choose another one with --runs."
        ) from error
    except SafetensorError as error:
        raise StorageError(
            f"Cannot write {told(path)}: {error}; free some space or choose another one with --runs."
        ) from error


@contextlib.contextmanager
def replacing(path: Path, promise: bool = False) -> Iterator[Path]:
    """Give a temporary file to write, which takes the place of ``path`` at the end of the block.

    A reader sees the old content or the new one, never half; where the block fails, the old content stays.

    Args:
        promise: the new content is on disk, not only handed to the system, when this returns.
    Raises:
        StorageError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    with storage(path):
        if path.exists() and not (path.is_file() or path.is_dir()):  # an administrator would be rid of the device
            raise StorageError(f"Cannot write {told(path)}: it is a pipe or a device; name a file.")
        try:
            temporary.touch()
            mode = temporary.stat().st_mode  # some libraries make files that only their owner may read
            yield temporary
            temporary.chmod(mode)
            if promise:
                to_disk(temporary)
            temporary.replace(path)
            if promise:
                to_disk(path.parent)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def incoming(place: Path) -> Iterator[Path]:
    """Give a name in a folder for a file or folder in the making, which who lists that does not see.

    What is there under that name at the end of the block is removed: when it is done, move it to where it belongs.
    Before, what processes that were killed left there is removed, too.

    Raises:
        StorageError: the folder cannot be made.
    """
    with storage(place):
        place.mkdir(parents=True, exist_ok=True)
        for left in place.glob(f"{INCOMING}*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > STALE_SECONDS:
                    remove(left)
    path = place / f"{INCOMING}{secrets.token_hex(4)}"
    try:
        yield path
    finally:
        with contextlib.suppress(OSError):
            remove(path)


def remove(path: Path) -> None:
    """Remove a file, or a folder with all that is in it; nothing happens where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def to_disk(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk; folders only where the system knows that."""
    if path.is_dir() and os.name == "nt":
        return
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def write_json(path: Path, value: Any, promise: bool = False) -> None:
    """Replace a JSON file; arguments and errors as :func:`replacing`."""
    with replacing(path, promise) as temporary:
        temporary.write_text(json.dumps(value, indent=1, default=plain), encoding="utf-8")


def read_json(path: Path) -> Any:
    """Return a JSON file's content, None where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None  # a pipe would be waited for
    except (OSError, ValueError, RecursionError):
        return None


def plain(value: Any) -> Any:
    """Give JSON what numpy and paths mean."""
    numbers: Any = sys.modules.get("numpy")  # who gives us its values has loaded it; a command that lists runs has not
    if numbers is not None and isinstance(value, numbers.generic):
        return value.item()
    if numbers is not None and isinstance(value, numbers.ndarray):
        return value.tolist()
    return str(value)
