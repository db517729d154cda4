"""What can become of a file of a run, what commands then say, and which of them read it."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from grouprec.explore import edits
from grouprec.explore.edited_tables import EditedRun
from grouprec.explore.edits import Edit, EditHistory
from grouprec.runs import content
from grouprec.runs.store import Run, RunStore
from tests.support.commands import Answer, call
from tests.support.small_run import copy_of

EVENTS = "user,item,time\nu00001,i00001,2100-01-01\nu00002,i00002,2100-01-02\nnew,i00003,2100-01-03\n"
LATER = "user,item,time\nu00003,i00004,2100-02-01\n"


def flip(path: Path, rng: np.random.Generator) -> None:
    """Turn one bit round."""
    content = bytearray(path.read_bytes())
    place = int(rng.integers(len(content) * 8))
    content[place // 8] ^= 1 << place % 8
    path.write_bytes(content)


def cut(path: Path, rng: np.random.Generator) -> None:
    """Cut off some part of the end."""
    content = path.read_bytes()
    path.write_bytes(content[: int(rng.integers(1, len(content)))])


def empty(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(b"")


def other(path: Path, rng: np.random.Generator) -> None:
    """Put something else there."""
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + rng.bytes(200))


def delete(path: Path, rng: np.random.Generator) -> None:
    path.unlink()


DAMAGES: dict[str, Callable[[Path, np.random.Generator], None]] = {
    damage.__name__: damage for damage in (flip, cut, empty, other, delete)
}
# Text for people, and files that say nothing: locks, and the marks that a form was made, or a run used.
SAYS_NOTHING = ("log.txt", "writer.lock", ".lock", ".used")


def lived_in(run: Run, store: RunStore) -> Run:
    """Return a copy of a run on which people have worked: renamed, with a note, an edited group and some events."""
    run = copy_of(run, store)
    run.rename("Renamed")
    run.annotate("A note", ["tag"])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.csv"
        file.write_text(EVENTS)
        done = call("update", run.run_id, file, "--out", Path(folder) / "out", "--runs", store.root)
    assert done.status == 0, done.err
    trained = EditedRun(run, EditHistory.load(run.path)).trained
    edits.change(run.path, trained, Edit("rename", (1,), "Night owls"))
    return run


def files_of(run: Run) -> list[str]:
    """Return the names of the files of a run that say something."""
    files = [path for path in sorted(run.path.rglob("*")) if path.is_file() and path.stat().st_size]
    names = [path.relative_to(run.path).as_posix() for path in files]
    return [name for name in names if not name.endswith(SAYS_NOTHING)]


class Opened:
    """Remembers which files of a folder this process opens to read, also those that only libraries in C read."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.names: set[str] = set()
        sys.addaudithook(self._hear)  # for good, so there is one of it

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder is not None and event in ("open", "sqlite3.connect") and isinstance(arguments[0], str | Path):
            if event == "open" and arguments[1] in ("wb", "xb", "w", "x"):  # as a copy of the run is written
                return
            path = Path(arguments[0])
            if path.is_relative_to(self.folder):
                self.names.add(path.relative_to(self.folder).as_posix())

    @contextmanager
    def under(self, folder: Path) -> Iterator[set[str]]:
        self.folder, self.names = folder, set()
        content._MEMORY = content._Memory()  # what was hashed before would not be opened
        yield self.names
        self.folder = None


OPENED = Opened()


Command = Callable[[Run, Path], Answer]


def _simple(name: str, *options: str) -> Command:
    return lambda run, out: call(name, run.run_id, *options, "--runs", run.path.parent)


def _list(run: Run, out: Path) -> Answer:
    """List the runs; a run that is called damaged is refused."""
    answer = call("list", "--json", "--runs", run.path.parent)
    bad = '"status": "damaged"' in answer.out and f"The run {run.run_id} is damaged" in answer.err
    return Answer(2, "", answer.err) if bad and answer.status == 0 else answer


def _export(run: Run, out: Path) -> Answer:
    return call("export", run.run_id, "--out", out, "--runs", run.path.parent, out=out)


def _report(run: Run, out: Path) -> Answer:
    return call("report", run.run_id, "--out", out / "story.html", "--runs", run.path.parent, out=out)


def _update(run: Run, out: Path) -> Answer:
    out.parent.mkdir(exist_ok=True)
    file = out.with_suffix(".csv")
    file.write_text(LATER)
    answer = call("update", run.run_id, file, "--out", out, "--runs", run.path.parent, out=out)
    return answer


COMMANDS: dict[str, Command] = {
    "list": _list,
    "show": _simple("show", "--json"),
    "value": _simple("value", "--json"),
    "compare": _simple("compare", "--json"),
    "export": _export,
    "report": _report,
    "update": _update,
}


def ask(command: str, run: Run, folder: Path) -> Answer:
    """Run a command on a run, or on a copy of the same id where the command changes it; ``folder`` is for its files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    asked = copy_of(run, RunStore(folder / "runs")) if command == "update" else run
    return COMMANDS[command](asked, folder / "out")


@contextmanager
def damaged(run: Run, file: str, damage: str, rng: np.random.Generator) -> Iterator[None]:
    """Damage a file of a run for the time of the block."""
    path = run.path / file
    content = path.read_bytes()
    DAMAGES[damage](path, rng)
    yield
    path.write_bytes(content)
