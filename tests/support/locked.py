"""A folder that nobody may look into, also where tests run as root, whom no permission stops."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def lock_up(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Refuse from now on what a folder of another user with mode 700 refuses: all that is inside, but not itself."""

    def refusing(call: Callable[..., Any], inside_only: bool = True) -> Callable[..., Any]:
        def refused(path: Any, *given: Any, **more: Any) -> Any:
            asked = Path(os.fspath(path)) if isinstance(path, str | os.PathLike) else None
            if asked is not None and (folder in asked.parents or (asked == folder and not inside_only)):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return call(path, *given, **more)

        return refused

    for name, inside_only in (("stat", True), ("open", True), ("listdir", False), ("scandir", False)):
        monkeypatch.setattr(os, name, refusing(getattr(os, name), inside_only))
    monkeypatch.setattr("io.open", refusing(open))
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != folder and access(path, mode))
