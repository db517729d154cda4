"""Files as the product writes them: atomically, and with one sentence where the system refuses."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from grouprec.core.types import StorageError


@contextlib.contextmanager
def storage(path: Path) -> Iterator[None]:
    """Turn operating system errors inside the block into one sentence about the runs folder."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        advice = "free some space" if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT) else "check the folder"
        raise StorageError(f"Cannot write {path}: {reason}; {advice} or choose another one with --runs.") from error
    except SafetensorError as error:
        raise StorageError(f"Cannot write {path}: {error}; free some space or choose another with --runs.") from error


def write_json(path: Path, value: Any) -> None:
    """Replace a JSON file atomically: a reader sees the old content or the new one, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    with storage(path):
        try:
            temporary.write_text(json.dumps(value, indent=1, default=plain), encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def read_json(path: Path) -> Any:
    """Return a JSON file's content, None where it is missing or damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def plain(value: Any) -> Any:
    """Give JSON what numpy and paths mean."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return str(value)
