"""Forget a user: everything that runs and datasets of this folder hold of them goes, all of it or nothing.

What is found is written anew beside what is there, then all of it changes at once (:mod:`grouprec.core.changes`): a
process that is killed before that leaves everything as it was, one that is killed later leaves a plan, which the next
call completes (and resuming a run, and the start of the server). What models learned from their rows
cannot be taken out of them; the run says so until it is trained again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core import rights, trash
from grouprec.core.changes import Changes, changing
from grouprec.core.files import read_json, storage
from grouprec.core.forms import DamagedError, write_form
from grouprec.core.locks import alone, held
from grouprec.core.mentions import mention_of
from grouprec.core.rights import RightsError, Role
from grouprec.core.types import BusyError, SettingError, StorageError
from grouprec.data.library import Library
from grouprec.explore import edits
from grouprec.live import ledger
from grouprec.runs import content, forgotten, notes
from grouprec.runs import removal as without
from grouprec.runs.places import FITTED, FORGOTTEN
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import jobs
from grouprec.training.forget_files import TrainingFiles
from grouprec.training.forget_run import LIVE_FOLDERS, change_edits, change_live, change_texts, ledgers_of

PATIENCE = 40.0  # seconds: longer than the app keeps an idle stream of events open
RESULTS = ("stages", "tables", "live", "metrics.json", FITTED)  # of a run that is not finished: made again


@dataclass
class Answer:
    """What became of a user's data.

    Attributes:
        runs: the finished runs that held them.
        models: those of them whose models had learned from their rows.
        events: how many of their events left the ledgers.
        unfinished: runs that are not finished and start anew, without their rows.
        datasets: names of the uploaded datasets that held them.
        rows: how many rows of theirs left these.
        outside: files outside the library that still hold them.
        unread: sentences about what could not be searched.
        completed: whether an earlier call that was interrupted was completed first.
    """

    runs: list[str] = field(default_factory=list)
    models: list[str] = field(default_factory=list)
    events: int = 0
    unfinished: list[str] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    rows: int = 0
    outside: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    completed: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def sentences(self) -> list[str]:
        """Say it."""
        said = ["An earlier removal that was interrupted is complete now."] if self.completed else []
        if self.runs:
            said.append(
                f"Removed from {_list('run', self.runs)}" + f", with {self.events:,} events." * bool(self.events)
            )
        if self.models:
            said.append(
                f"The models of {_list('run', self.models)} learned from their rows: train again to be rid of that."
            )
        if self.unfinished:
            said.append(f"{_list('run', self.unfinished).capitalize()} will start anew when continued.")
        if self.datasets:
            said.append(f"Removed {self.rows:,} rows from {_list('dataset', self.datasets)}.")
        if not said[int(self.completed) :]:
            said.append("Nothing else holds them." if self.completed else "No run and no uploaded dataset holds them.")
        return [
            *said,
            *(
                f"{path} still holds them: it is no upload, so it is yours to change or remove."
                for path in self.outside
            ),
            *self.unread,
        ]


def _list(what: str, names: list[str]) -> str:
    return f"{what}{'s' * (len(names) > 1)} {', '.join(names)}"


def forget(store: RunStore, *users: str) -> Answer:
    """Remove a user from all runs, deleted ones in the trash too, and from all uploaded datasets of a folder.

    Args:
        users: the ids of one person.
    Raises:
        RightsError: the person acting is signed in: it changes what belongs to everybody.
        SettingError: an id is empty.
        BusyError: a run is being trained on their rows, or somebody is editing a run or sending events to it.
        StorageError: something cannot be written; nothing has changed then, or another call completes it.
    """
    if rights.person().role is not Role.LOCAL:
        raise RightsError("Whoever runs the server can do that, on its command line: grouprec forget USER.")
    if not all(user.strip() for user in users):  # nobody's mention is found in every text
        raise SettingError("Say who is to be removed: their id, as in the file.")
    with storage(store.root):
        store.root.mkdir(parents=True, exist_ok=True)
    busy = "Somebody is being removed already; try again when that is done."
    with changing(store.root, busy) as changes, ExitStack() as locks:
        removal = _Removal(store, frozenset(users), changes, locks)
        removal.prepare()
        with alone(store.root / jobs.QUEUE_LOCK, "Another process holds the queue; try again."):
            removal.refuse_training()
            changes.make()
    return removal.answer


class _Removal:
    """One removal in preparation."""

    def __init__(self, store: RunStore, users: frozenset[str], changes: Changes, locks: ExitStack) -> None:
        self.store, self.users, self.changes, self.locks = store, users, changes, locks
        self.mention, self.answer = mention_of(users), Answer(completed=changes.completed)
        in_trash = [Run(path) for path in sorted((store.root / trash.FOLDER).glob("*")) if path.is_dir()]
        self.runs = [*store.all_runs(), *in_trash]
        self.concerned: list[Run] = []  # that are not finished
        self._locked: set[str] = set()
        self.files = TrainingFiles(Library(store.root / "datasets"), self.runs, users, changes)

    def prepare(self) -> None:
        """Write all that is to be new."""
        self.files.prepare()
        self.refuse_training()
        finished = [run for run in self.runs if self._is_touched(run)]
        self.concerned = [run for run in self.runs if not run.finished and self._is_concerned(run)]
        fits = {}
        for run in finished:
            self._lock(run)
            fits[run.run_id] = without.fits_of(run, self.users)
            self._prepare_finished(run, fits[run.run_id])
        for run in self.concerned:
            self._lock(run)
            self._prepare_unfinished(run)
        needed = frozenset(key for run in self.runs for key in _keys(run))
        everything = [fit for own in fits.values() for fit in own.values()]
        for run in self.runs:
            if run not in self.concerned:
                names = without.change_stages(run, everything, self.changes)
                self.answer.unread += [
                    f"The run {run.run_id} has a stage that cannot be read: {name}." for name in names
                ]
            if run in finished:
                without.remove_caches(run, needed, self.changes)
            self.files.point_elsewhere(run)
            self._seal(run)
        self._tell_files()

    def _tell_files(self) -> None:
        files, answer = self.files, self.answer
        answer.datasets, answer.rows, answer.outside = files.datasets, files.rows, sorted(map(str, files.theirs))
        answer.unread = files.unread + answer.unread

    def refuse_training(self) -> None:
        """Check that nobody is training on rows of the users, or is about to.

        Raises:
            BusyError: somebody is.
        """
        known = {run.run_id for run in self.runs}
        for run in self.store.all_runs():
            if run.run_id in self._locked or run.finished:
                continue
            if (run.run_id not in known or held(run.path / jobs.TRAIN_LOCK)) and self.files.uses(run):
                raise BusyError(
                    f"The run {run.run_id} is being trained on their rows; wait until it has ended, or cancel it, "
                    "then forget them again. Nothing has changed."
                )

    # -- finished runs

    def _is_touched(self, run: Run) -> bool:
        """Whether a finished run holds the users."""
        try:
            status = jobs.refresh(run)
            if status.state in (State.DAMAGED, State.UNKNOWN):
                raise StorageError(status.message)
            if not run.finished:
                return False
            events = any(ledger.names_any(path, self.users) for path in ledgers_of(run))
            fits = without.fits_of(run, self.users).values()
            found = events or without.has_users(run, self.users) or any(fit.changes for fit in fits)
            if found and (damaged := run.damaged()):
                raise StorageError(
                    f"The run {run.run_id} holds them, but is damaged ({damaged[0]}): mend or delete it."
                )
            return found
        except StorageError as error:
            self.answer.unread.append(f"Not changed: {error}")
            return False

    def _lock(self, run: Run) -> None:
        """Keep everybody else from changing a run."""
        self._locked.add(run.run_id)
        sentence = f"The run {run.run_id} is being trained; wait until it has ended."
        self.locks.enter_context(alone(run.path / jobs.TRAIN_LOCK, sentence))
        self.locks.enter_context(edits.writing(run.path))
        self.locks.enter_context(notes.writing(run.path))
        sentence = f"Somebody is sending events to the run {run.run_id}; try again when that is done."
        for folder in LIVE_FOLDERS:
            if (run.live / folder).is_dir():
                self.locks.enter_context(alone(run.live / folder / ledger.LOCK, sentence, PATIENCE))

    def _prepare_finished(self, run: Run, fits: dict[str, without.Fit]) -> None:
        users = run.table("users")
        rows = np.flatnonzero(users["user"].isin(list(self.users)))
        learned = bool(users["in_training"].iloc[rows].any()) or any(not fit.kept.all() for fit in fits.values())
        without.change_snapshots(run, fits, self.changes)
        without.change_tables(run, self.users, fits, self.changes)
        self.answer.events += change_live(run, self.users, self.changes)
        change_edits(run, users, rows, self.mention, self.changes)
        change_texts(run, self.mention, self.changes)
        record = forgotten.forgotten(run).one_more(learned)
        forgotten.write(self.changes.new(run.path / FORGOTTEN), record)
        self.answer.runs.append(run.run_id)
        if learned:
            self.answer.models.append(run.run_id)

    # -- all runs

    def _is_concerned(self, run: Run) -> bool:
        """Whether a run that is not finished was made of rows of the users, so far as it goes."""
        if jobs.refresh(run).state in (State.DAMAGED, State.UNKNOWN):
            return False
        if self.files.uses(run):
            return True
        try:
            return bool(pd.read_parquet(run.path / "tables" / "users.parquet")["user"].isin(list(self.users)).any())
        except (OSError, ValueError, KeyError):
            return False

    def _prepare_unfinished(self, run: Run) -> None:
        """Let a run that is not finished begin anew: what is there of it was made with their rows."""
        for path in [run.path / name for name in RESULTS] + sorted(run.path.glob("layout_*.npy")):
            if path.exists():
                self.changes.remove(path)
        change_texts(run, self.mention, self.changes)
        self.answer.unfinished.append(run.run_id)

    def _seal(self, run: Run) -> None:
        """Write the manifest of a run as its files will be; it is the last of them to come."""
        new, gone = self.changes.given(run.path), self.changes.removed(run.path)
        with contextlib.suppress(DamagedError):  # of a damaged run, which stays damaged
            form = content.manifest_after(run.path, new, gone) if new or gone else None
            if form is not None:
                write_form(self.changes.new(run.path / content.MANIFEST), form)


def _keys(run: Run) -> Iterator[str]:
    """Return the keys of all stages that a run's fits have."""
    named = read_json(run.fitted)
    return (key for fit in ("final", "judged") for key in without.keys_of(named, fit))
