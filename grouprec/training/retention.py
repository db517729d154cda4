"""What nobody has used for long goes to the trash: runs, uploaded datasets, and files fetched for runs that are gone.

``GROUPREC_KEEP_DAYS`` says after how many days; where it says nothing, nothing goes. Nothing goes unannounced either:
it is named for a week before, and whoever uses it meanwhile keeps it. ``<runs>/.leaving.json`` holds what is announced.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grouprec.core import locks, logs, rights, trash, usage
from grouprec.core.environment import whole_number
from grouprec.core.errors import GrouprecError, StorageError
from grouprec.core.files import read_json, write_json
from grouprec.core.language import N_, commas
from grouprec.core.rights import Deed, Person, Role, Whose
from grouprec.data.library import PARTS, Library
from grouprec.runs.store import FINISHED, Run, RunStore, State
from grouprec.training import jobs

KEEP_DAYS = "GROUPREC_KEEP_DAYS"  # the name of the setting
NOTICE_DAYS = 7
ANNOUNCED, LOCK = ".leaving.json", ".leaving.lock"
RUN, DATASET, FETCHED = N_("run"), N_("dataset"), N_("fetched file")
_DAY = 86400.0
_RETENTION = Person("retention", Role.LOCAL)


@dataclass(frozen=True)
class Leaving:
    """Something that goes to the trash unless somebody uses it. Times are in seconds since 1970.

    Attributes:
        kind: ``RUN``, ``DATASET`` or ``FETCHED``.
        path: its folder; of a fetched file the file.
        used: when somebody last did.
        told: when it was announced; now, where it was not.
        goes: when it goes.
    """

    kind: str
    path: Path
    used: float
    told: float
    goes: float


def keep_days() -> int | None:
    """Return for how many days what nobody uses is kept; None where nothing goes.

    Raises:
        SettingError: the environment does not say a number.
    """
    return whole_number(KEEP_DAYS, 1) if os.environ.get(KEEP_DAYS, "").strip() not in ("", "0") else None


def leaving(store: RunStore, days: int, now: float | None = None) -> list[Leaving]:
    """Return what goes within a week, and what is due, the soonest first, where things are kept for so many days."""
    now = time.time() if now is None else now
    told = {one.path: one.told for one in _announced(store)}
    found = []
    for kind, path, used in _everything(store):
        end = used + days * _DAY
        if end <= now + NOTICE_DAYS * _DAY:
            since = told.get(path, now)
            since = now if used > since else since  # somebody used it since: it is announced anew
            found.append(Leaving(kind, path, used, since, max(end, since + NOTICE_DAYS * _DAY)))
    return sorted(found, key=lambda one: (one.goes, one.path))


def sweep(store: RunStore, days: int, now: float | None = None) -> list[Leaving]:
    """Put away what is due, announce what is next, and empty the trash of old things; return what was put away.

    Raises:
        BusyError: another process is doing it.
        StorageError: the runs folder cannot be written.
    """
    if not store.root.is_dir():
        return []
    now = time.time() if now is None else now
    busy = "Another process is looking for what nobody uses; try again."
    with locks.alone(store.root / LOCK, busy, patience=0.0), rights.acting(_RETENTION):
        found = leaving(store, days, now)
        gone = [one for one in found if one.goes <= now and _put_away(store, one)]
        _announce(store, [one for one in found if one not in gone])
    for root in _trashes(store):
        trash.empty(root)
    return gone


def notices(store: RunStore) -> list[Leaving]:
    """Return what is announced and is theirs who asks, or nobody's; cheap enough for every page."""
    return [
        one
        for one in _announced(store)
        if one.kind != FETCHED and one.path.is_dir() and _theirs(one.path) and usage.last_used(one.path) <= one.told
    ]


def name_of(one: Leaving) -> str:
    """Return the title of what goes, as it is called today."""
    if one.kind == RUN:
        return Run(one.path).title()
    with contextlib.suppress(StorageError):
        if one.kind == DATASET:
            return Library(one.path.parent).get(one.path.name).name
    return one.path.name


def in_trash(store: RunStore) -> list[str]:
    """Return the names of what is in the trash: ids of runs, keys of datasets, names of fetched files."""
    return [name for root in _trashes(store) for name in trash.kept(root)]


def take_back(store: RunStore, name: str) -> Path:
    """Move something from the trash to where it was, and return that.

    Raises:
        StorageError: it is not there, something else has its name, or the folder cannot be written.
    """
    there = in_trash(store)
    if name not in there:
        raise StorageError(f"The trash holds no '{name}'; it holds: {commas(there) or 'nothing'}.")
    return trash.take_back(next(root for root in _trashes(store) if name in trash.kept(root)), name)


def _trashes(store: RunStore) -> list[Path]:
    return [store.root, store.root / "datasets", store.root / "datasets" / "sources"]


def _everything(store: RunStore) -> Iterator[tuple[str, Path, float]]:
    """Yield kind, path and last use of all that may go. What a run reads is used whenever that run is."""
    read: dict[Path, float] = {}  # file or folder -> when a run that reads it was last used
    for run in store.all_runs():
        busy = _busy(run)
        used = float("inf") if busy else usage.last_used(run.path)
        for file in _files_of(run):
            for path in {file, *store.datasets_of([file])}:
                read[path] = max(used, read.get(path, 0.0))
        if not busy:
            yield RUN, run.path, used
    with rights.acting(_RETENTION):  # who sees all of them
        library = Library(store.root / "datasets")
        entries = [entry for entry in library.list() if not entry.is_sample]
    for entry in entries:
        path = library.folder(entry)
        yield DATASET, path, max(usage.last_used(path), read.get(path, 0.0))
    sources = library.root / "sources"
    for path in sorted(sources.iterdir()) if sources.is_dir() else []:
        if not path.name.startswith(".") and path not in read:
            yield FETCHED, path, usage.last_used(path)


def _busy(run: Run) -> bool:
    """Whether a run waits or is being trained, or a newer version knows what it does."""
    state = jobs.refresh(run).state
    return state not in FINISHED or state is State.UNKNOWN or locks.held(run.path / jobs.TRAIN_LOCK)


def _files_of(run: Run) -> list[Path]:
    choices = read_json(run.path / "config.json")
    named = [choices.get(part) for part in PARTS] if isinstance(choices, dict) else []
    return [Path(name) for name in named if isinstance(name, str)]


def _put_away(store: RunStore, one: Leaving) -> bool:
    """Move something to the trash; what cannot be moved now stays for the next time."""
    try:
        if one.kind == RUN:
            store.delete(Run(one.path))
        elif one.kind == DATASET:
            Library(one.path.parent).put_away(one.path.name)
        else:
            rights.require(Deed.MANAGE, "put away", one.path)
            trash.put(one.path.parent, one.path)
    except GrouprecError as error:
        logs.note("not put away", path=str(one.path), why=str(error))
        return False
    return True


def _theirs(path: Path) -> bool:
    if rights.may(Deed.MANAGE, path):
        return True
    return rights.may(Deed.CHANGE, path) and rights.whose(path, rights.person().name) is Whose.NOBODYS


def _announce(store: RunStore, found: list[Leaving]) -> None:
    """Write what is announced, and a line of the audit log for what was not before."""
    before = {one.path: one.told for one in _announced(store)}
    for one in found:
        if before.get(one.path) != one.told:
            rights.require(Deed.MANAGE, "announce the end of", one.path)
    form = [{**vars(one), "path": one.path.relative_to(store.root).as_posix()} for one in found]
    if form or before:
        write_json(store.root / ANNOUNCED, form)


def _announced(store: RunStore) -> list[Leaving]:
    """Return what was announced last; nothing of a file that is not what was written."""
    found = []
    form = read_json(store.root / ANNOUNCED)
    for entry in form if isinstance(form, list) else []:
        with contextlib.suppress(TypeError, KeyError, ValueError):
            times = [float(entry[name]) for name in ("used", "told", "goes")]
            path = store.root / str(entry["path"])
            found.append(Leaving(str(entry["kind"]), path, *times))
    return found
