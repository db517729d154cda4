"""A line for everything that somebody does: ``<runs>/.audit/audit.jsonl``, appended to, and never changed.

A server opens it with :func:`write_to`; the command line writes none, since its user has the files, too.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

FOLDER, NAME = ".audit", "audit.jsonl"
MOST_BYTES, KEPT_FILES = 10_000_000, 50

_log = logging.getLogger("grouprec.audit")
_log.propagate = False


class _Writer(RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:
        """Say in the server's log what the disk does not take; what was done is done."""
        sys.stderr.write(f"The audit log cannot be written: {record.getMessage()}\n")


def write_to(root: Path) -> None:
    """From now on, in this process, write the lines below a runs folder."""
    close()
    folder = root / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / NAME).touch(mode=0o600)
    except OSError as error:
        sys.stderr.write(f"The audit log cannot be written: {os.strerror(error.errno or 0)}\n")
    writer = _Writer(folder / NAME, maxBytes=MOST_BYTES, backupCount=KEPT_FILES, encoding="utf-8", delay=True)
    _log.addHandler(writer)
    _log.setLevel(logging.INFO)


def close() -> None:
    """Write no more."""
    for handler in list(_log.handlers):
        _log.removeHandler(handler)
        handler.close()


def note(who: str, what: str, on: str, allowed: bool = True) -> None:
    """Write a line: who did what, when and on what, or was refused."""
    if _log.handlers:
        line = {"when": _now(), "who": who, "what": what, "on": on, "allowed": allowed}
        _log.info(json.dumps(line, ensure_ascii=False))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
