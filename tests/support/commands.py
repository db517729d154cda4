"""Commands as a shell sees them, in this process, and what they write."""

from __future__ import annotations

import contextlib
import functools
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import typer.main

from grouprec.cli.main import main

typer.main.get_command = functools.cache(typer.main.get_command)  # every call would build all commands anew


@dataclass(frozen=True)
class Answer:
    """What a command left.

    Attributes:
        files: name -> content, of what it wrote into the folder ``out``.
    """

    status: int
    out: str
    err: str
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether it said in a sentence why it does nothing."""
        return self.status == 2 and "Traceback" not in self.err and "Unexpected" not in self.err and bool(self.err)

    def tells_the_same(self, other: Answer) -> bool:
        return (self.status, self.out, self.files) == (other.status, other.out, other.files)


def call(*words: object, out: Path | None = None) -> Answer:
    """Run a command; ``out`` is the folder of the files it writes."""
    said, told = io.StringIO(), io.StringIO()
    before, sys.argv = sys.argv, ["grouprec", *map(str, words)]
    status = 0
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
            main()
    except SystemExit as stop:
        status = int(stop.code or 0)
    finally:
        sys.argv = before
    files = {path.name: path.read_bytes() for path in sorted(_files(out))}
    return Answer(status, said.getvalue(), " ".join(told.getvalue().split()), files)


def _files(folder: Path | None) -> Iterator[Path]:
    return (
        (path for path in folder.rglob("*") if path.is_file()) if folder is not None and folder.exists() else iter(())
    )
