"""Where a run stands: ``status.json``, as it is on disk and as it is true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from grouprec.core.forms import VERSION, DamagedError, Form, read_form, write_form
from grouprec.core.locks import alone

FILE = "status.json"
STATUS_VERSION = 2  # 1, of 0.1.0, had no seal and knew processes by the clock


class State(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"  # it waits for its turn, or its process has not spoken yet
    RUNNING = "running"
    DONE = "done"  # the manifest is written
    FAILED = "failed"  # the process ended with an error; `message` says which
    CANCELLED = "cancelled"  # the user stopped it
    LOST = "lost"  # the process is gone without a word (killed, machine restarted)
    # Never written, only found:
    DAMAGED = "damaged"  # its files are not what was written; `message` says which
    UNKNOWN = "unknown"  # a newer version wrote a state that this one does not know; `message` says which


FINISHED = frozenset({State.DONE, State.FAILED, State.CANCELLED, State.LOST, State.DAMAGED, State.UNKNOWN})
RESUMABLE = frozenset({State.QUEUED, State.FAILED, State.CANCELLED, State.LOST, State.DAMAGED})
_FOUND = frozenset({State.DAMAGED, State.UNKNOWN})


@dataclass(frozen=True)
class Status:
    """One moment of a run. ``fraction`` is of the whole run, ``stage_fraction`` of the current stage.

    ``place`` orders the queue, the lowest first; None once the run has had its turn. ``process`` is the identity of
    the process with that pid (:func:`grouprec.core.processes.identity`), "" for a run of 0.1.0; on a cluster it is the
    name of the job and there is no pid. ``gpu`` is the one that the run has for itself, "" for none.
    """

    state: State = State.QUEUED
    stage: str = ""
    stage_fraction: float = 0.0
    fraction: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    pid: int | None = None
    process: str = ""
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    place: float | None = None
    gpu: str = ""

    @property
    def waiting(self) -> bool:
        """Whether the run waits for its turn: it does not train yet."""
        return self.state is State.QUEUED and self.place is not None

    @property
    def attended(self) -> bool:
        """Whether a process has made the run its own, though it may wait with it."""
        return self.pid is not None or bool(self.process)


def read_status(folder: Path) -> Status:
    """Return the status as it stands in its file; fields of a newer version are passed over.

    Raises:
        DamagedError: the file is missing or damaged.
    """
    form = read_form(folder / FILE, STATUS_VERSION, {1: _status_of_1})
    if form is None:
        raise DamagedError(f"{FILE} is missing")
    known = {field.name: form[field.name] for field in fields(Status) if field.name in form}
    for name, value in known.items():
        if not _FITS[name](value):
            raise DamagedError(f"{FILE} is damaged: its {name} cannot be {str(value)[:40]!r}")
    try:
        known["state"] = State(known.get("state", ""))
        if known["state"] in _FOUND:
            raise ValueError(known["state"])
    except ValueError:
        told = f"A newer version of grouprec calls this run '{str(form.get('state'))[:40]}'; update grouprec to use it."
        return Status(**{**known, "state": State.UNKNOWN, "message": told})
    return Status(**known)


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e12


def _number_or_none(value: object) -> bool:
    return value is None or _number(value)


def _text(value: object) -> bool:
    return isinstance(value, str)


_FITS: dict[str, Callable[[object], bool]] = {
    **dict.fromkeys(("state", "stage", "message", "process", "gpu"), _text),
    **dict.fromkeys(("stage_fraction", "fraction", "created"), _number),
    **dict.fromkeys(("seconds_left", "started", "ended", "place"), _number_or_none),
    "pid": lambda value: (
        value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31)
    ),
}


def _status_of_1(form: Form) -> Form:
    """Return a status of 0.1.0 as of today: when its process started said the clock, which tells nothing."""
    return {name: value for name, value in form.items() if name != "pid_started"}


def begin_status(folder: Path, status: Status) -> None:
    """Write the first status of a run.

    Raises:
        StorageError: it cannot be written.
    """
    write_form(folder / FILE, {VERSION: STATUS_VERSION, **asdict(status)})


def change_status(folder: Path, changes: Mapping[str, Any], known: Status | None = None) -> None:
    """Replace some fields of the status; what a newer version wrote beside them stays.

    A damaged status begins anew. Two that change it at once do so one after the other; an end is on disk on return.

    Args:
        known: nothing is changed where somebody has meanwhile given the run another state or another process.
    Raises:
        StorageError: it cannot be written.
    """
    with alone(folder / ".status.lock", f"The status of the run {folder.name} is being written; try again."):
        try:
            form = read_form(folder / FILE, STATUS_VERSION, {1: _status_of_1}) or asdict(Status())
        except DamagedError:
            form = asdict(Status())
        mine = (form.get("state"), form.get("pid"), form.get("process", ""))
        if known is not None and mine != (known.state, known.pid, known.process):
            return
        form = {VERSION: STATUS_VERSION, **form, **changes}
        write_form(folder / FILE, form, promise=form["state"] in FINISHED)
