"""Training as a process of its own; everything about it is on disk, so any server can watch it, also a restarted one.

Browser and command line share one queue: a machine trains ``GROUPREC_JOBS`` runs of a folder at a time (1 where nothing
is said), the others wait. There is no process beside those that train: whoever ends, cancels or looks at a run starts
the next one, under a lock so that it is started once. Who trains a run holds its lock and is known by pid and identity
(:mod:`grouprec.core.processes`); no clock is asked.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import psutil

from grouprec.core import changes, logs, processes, rights
from grouprec.core.files import storage
from grouprec.core.locks import alone, held
from grouprec.core.rights import Deed
from grouprec.core.types import GrouprecError, SettingError, StorageError
from grouprec.runs.progress import Progress, Watch, make_plan
from grouprec.runs.store import FINISHED, RESUMABLE, Run, RunStore, State, Status
from grouprec.training.memory import memory_sentence

if TYPE_CHECKING:
    from grouprec.runs.config import RunConfig

LIMIT = "GROUPREC_JOBS"
GRACE_SECONDS = 1.2  # between asking a process to stop and stopping it
LOOK_SECONDS = 0.5  # between two looks of a process that waits for its turn
TRAIN_LOCK, QUEUE_LOCK = ".train.lock", ".queue.lock"
GONE = "The process is gone (stopped from outside, for want of memory, or with the machine); Resume continues it."


# -- the queue


def limit() -> int:
    """Return how many runs of a folder this machine trains at a time.

    Raises:
        SettingError: the environment does not say a number from 1.
    """
    told = os.environ.get(LIMIT, "").strip() or "1"
    if not (told.isdecimal() and int(told) > 0):
        raise SettingError(f"{LIMIT} must be a whole number from 1, not '{told}'.")
    return int(told)


def start(store: RunStore, config: RunConfig) -> Run:
    """Create a run folder and train it in a child process, at once or when the runs before it have ended.

    Raises:
        RightsError: whoever acts may not train, or not on this data.
        StorageError: the runs folder cannot be written.
    """
    with _alone(store):
        run = store.create(config, place=_last_place(store))
    active(store)
    return run


def resume(store: RunStore, run: Run) -> Run:
    """Continue a run that failed, was cancelled, lost or damaged; finished stages are read back, not trained again.

    Raises:
        RightsError: it is not theirs who acts.
        SettingError: the run is finished, waiting or being trained.
        StorageError: it is damaged in what cannot be made again.
    """
    rights.require(Deed.MANAGE, "resume", run.path)
    changes.complete(store.root)
    with _alone(store):
        status = refresh(run)
        if status.state not in RESUMABLE - {State.QUEUED}:
            raise nothing_to_continue(run, status)
        if not _mend(run, status):
            again = {"state": State.QUEUED, "place": _last_place(store), "pid": None, "process": ""}
            run.set_status(**again, created=time.time(), message="", ended=None, seconds_left=None)
    active(store)
    return run


def nothing_to_continue(run: Run, status: Status) -> SettingError:
    return SettingError(f"The run {run.run_id} is {status.state}; there is nothing to continue.")


def queue(store: RunStore) -> list[Run]:
    """Return the runs that wait for their turn and that whoever acts may see, the next one first."""
    return [run for run in _waiting(store) if rights.may(Deed.SEE, run.path)]


def _waiting(store: RunStore) -> list[Run]:
    places = [(run.status(), run) for run in store.all_runs()]
    waiting = [(status.place, run.run_id, run) for status, run in places if status.waiting]
    return [run for _, _, run in sorted(waiting, key=lambda entry: entry[:2])]


def _last_place(store: RunStore) -> float:
    waiting = _waiting(store)
    return (waiting[-1].status().place or 0.0) + 1.0 if waiting else 1.0


def move_first(store: RunStore, run: Run) -> None:
    """Let a waiting run be the next one; a run that waits no longer stays as it is.

    Raises:
        RightsError: it is not theirs who acts.
    """
    rights.require(Deed.MANAGE, "move first", run.path)
    with _alone(store):
        waiting = _waiting(store)
        if run.run_id in {other.run_id for other in waiting}:
            first = waiting[0].status().place or 0.0
            run.set_status(place=first - 1.0)


def active(store: RunStore) -> Run | None:
    """Return a run that is being trained now and that whoever acts may see.

    Waiting ones, also of others, are started first, as many as there is room for.

    Where the runs folder cannot be written nothing is started, and looking goes on.
    """
    if _waiting(store):
        with contextlib.suppress(StorageError), _alone(store):
            _start_waiting(store)
    return next((run for run in _training(store) if rights.may(Deed.SEE, run.path)), None)


def _start_waiting(store: RunStore) -> None:
    """Start waiting runs while there is room; one that waits in a process of its own starts itself."""
    room = limit() - len(_training(store))
    for run in _waiting(store):
        status = refresh(run)
        if room < 1 or (status.waiting and status.pid is not None):
            return
        if status.waiting and _try(store, run):
            room -= 1


def _training(store: RunStore) -> list[Run]:
    """Return the runs that this machine trains now."""
    found = []
    for run in store.all_runs():
        status = run.status()
        idle = status.state in FINISHED or status.waiting or _only_made(run, status)
        if idle or refresh(run).state in FINISHED:
            continue
        if not status.process or processes.here(status.process):
            found.append(run)
    return found


def _try(store: RunStore, run: Run) -> bool:
    """Start a run; one that cannot be started has failed, and says why."""
    try:
        _spawn(store, run)
    except StorageError as error:
        run.set_status(state=State.FAILED, place=None, message=str(error), ended=time.time())
        return False
    return True


def _alone(store: RunStore) -> AbstractContextManager[None]:
    """Let one thread of one process at a time change the queue.

    Raises:
        StorageError: the folder cannot be written, or somebody holds the lock too long.
    """
    with storage(store.root):
        store.root.mkdir(parents=True, exist_ok=True)
    sentence = f"Cannot change the queue in {store.root}: another process holds it; try again."
    return alone(store.root / QUEUE_LOCK, sentence)


# -- one run


def cancel(run: Run) -> None:
    """Stop a run and everything it started, within two seconds: asked first, then stopped. The next one may start.

    Raises:
        RightsError: it is not theirs who acts.
    """
    rights.require(Deed.MANAGE, "cancel", run.path)
    store = RunStore(run.path.parent)
    with _alone(store):
        status = refresh(run)
        if status.waiting:  # a process that waits with it sees that, and ends
            _end(run, State.CANCELLED, "Cancelled.")
    if status.state in FINISHED or status.waiting:
        return
    if _alive(status) and not _only_made(run, status):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(status.pid)
            processes.signal_group(process, signal.SIGTERM)
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            processes.signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    if run.status().state not in FINISHED - {State.LOST}:  # somebody may have seen the process go before this line
        _end(run, State.CANCELLED, "Cancelled.")
    active(store)


def refresh(run: Run) -> Status:
    """Return the status; a run whose process is gone without a word is marked as lost.

    Where that cannot be written, it is only told.
    """
    status = run.status()
    if status.state in FINISHED or (status.waiting and status.pid is None):
        return status
    if _alive(status) or held(run.path / TRAIN_LOCK):
        return status
    status = run.status()  # the process may have written its last word meanwhile
    if status.state in FINISHED:
        return status
    lost = {"state": State.LOST, "seconds_left": None, "ended": time.time(), "message": GONE}
    try:
        return run.set_status(status, **lost)
    except StorageError:
        return replace(status, **lost)


def _alive(status: Status) -> bool:
    """Return whether the process of a run lives; a pid that was used again does not count."""
    if status.process or status.pid is None:
        return processes.alive(status.pid, status.process)
    try:  # of 0.1.0, which knew no identity
        words = psutil.Process(status.pid).cmdline()
    except psutil.Error:
        return False
    return "train" in words and any("grouprec" in Path(word).name for word in words)


def _only_made(run: Run, status: Status) -> bool:
    """Return whether a run has a folder and no more: its process so far, who made it, may train it or not."""
    return status.state is State.QUEUED and not held(run.path / TRAIN_LOCK)


def _mend(run: Run, status: Status) -> bool:
    """Make a damaged run ready to be trained again; return whether its results are whole, so that it need not be.

    Raises:
        StorageError: what is damaged is no result: its configuration, or what people wrote.
    """
    if status.state is not State.DAMAGED:
        return False
    damaged = run.damaged()
    if run.finished and not damaged:
        run.set_status(state=State.DONE, fraction=1.0, stage_fraction=1.0, created=status.created, message="")
        if (now := run.status()).state is State.DAMAGED:
            raise StorageError(now.message)
        return True
    run.config()
    run.open_again(damaged)
    return False


def train_here(store: RunStore, run: Run, watch: Watch | None = None) -> dict[str, Any]:
    """Train a run folder in this process, keep its status true whatever happens, and return its metrics.

    The next waiting run is started at the end, unless this one was cancelled: then that is for whoever cancelled it.

    It waits for its turn first. The next waiting run is started at the end, unless this one was cancelled: then that is
    for whoever cancelled it.

    Raises:
        GrouprecError: the data, a setting or the runs folder cannot be used, or there is nothing to train.
        KeyboardInterrupt: the run was cancelled (Ctrl-C or SIGTERM).
    """
    changes.complete(store.root)
    sentence = f"The run {run.run_id} is being trained by another process; there is nothing to continue."
    with alone(run.path / TRAIN_LOCK, sentence, patience=1.0):
        _take_over(store, run)
        if run.status().state is State.DONE:
            return run.metrics()
        try:
            _wait_for_turn(store, run, watch)
            metrics = _train(store, run, watch)
        except Exception:
            _start_next(store)
            raise
    _start_next(store)
    return metrics


def _me() -> dict[str, Any]:
    return {"pid": os.getpid(), "process": processes.identity(os.getpid()) or ""}


def _take_over(store: RunStore, run: Run) -> None:
    """Make a run the work of this process, which holds its lock.

    Raises:
        SettingError: it is finished.
        StorageError: it is damaged in what cannot be made again.
    """
    with _alone(store):
        status = run.status()
        old = status.state is State.RUNNING and not status.process and _alive(status)  # 0.1.0 took no lock
        if status.state not in RESUMABLE | {State.RUNNING} or old:
            raise nothing_to_continue(run, status)
        if not _mend(run, status):
            run.set_status(state=State.QUEUED, message="", ended=None, seconds_left=None, **_me())


def _wait_for_turn(store: RunStore, run: Run, watch: Watch | None) -> None:
    """Return when this machine has room for the run, which is then marked as running.

    Raises:
        KeyboardInterrupt: it was taken out of the queue, or this process was asked to stop.
    """
    try:
        while not _takes_its_turn(store, run):
            if watch is not None:
                watch("waiting for its turn", 0.0, None)
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        _end(run, State.CANCELLED, "Cancelled.")
        raise


def _takes_its_turn(store: RunStore, run: Run) -> bool:
    with _alone(store):
        status = run.status()
        if status.state is not State.QUEUED:
            raise KeyboardInterrupt
        others = [other for other in _training(store) if other.run_id != run.run_id]
        waiting = _waiting(store)
        next_one = not status.waiting or waiting[0].run_id == run.run_id or refresh(waiting[0]).state in FINISHED
        if len(others) < limit() and next_one:
            run.set_status(state=State.RUNNING, place=None, started=time.time(), **_me())
            return True
        if not status.waiting:
            run.set_status(place=_last_place(store))
        return False


def _start_next(store: RunStore) -> None:
    with contextlib.suppress(GrouprecError):  # of the queue, not of the run that has just ended
        active(store)


def _train(store: RunStore, run: Run, watch: Watch | None) -> dict[str, Any]:
    if threading.current_thread() is threading.main_thread():  # only there are signals heard
        signal.signal(signal.SIGTERM, _interrupt)
    try:
        from grouprec.training.pipeline import train  # slow to import (torch): the status above is already true

        config = run.config()
        metrics = train(store, run, config, Progress(run, make_plan(config, store), watch))
    except KeyboardInterrupt:
        _end(run, State.CANCELLED, "Cancelled.")
        raise
    except GrouprecError as error:
        _end(run, State.FAILED, str(error))
        raise
    except Exception as error:
        if sentence := memory_sentence(error):
            _end(run, State.FAILED, sentence)
            raise SettingError(sentence) from error
        _end(run, State.FAILED, f"Unexpected error: {type(error).__name__}: {error} (details in the log).")
        with contextlib.suppress(StorageError):
            run.add_log(traceback.format_exc())
        raise
    _end(run, State.DONE, "")
    return metrics


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _end(run: Run, state: State, message: str) -> None:
    """Write the last status. Where even that fails (full disk), the ended process says it: the run counts as lost."""
    changes: dict[str, Any] = {"fraction": 1.0} if state is State.DONE else {}
    with contextlib.suppress(StorageError):
        run.set_status(state=state, message=message, seconds_left=None, ended=time.time(), **changes)


def _spawn(store: RunStore, run: Run) -> None:
    """Start the child; what it prints goes to the run's log."""
    command = [sys.executable, "-m", "grouprec", "train", "--resume", run.run_id, "--runs", str(store.root), "--json"]
    log = run.path / "log.txt"
    run.set_status(state=State.RUNNING, place=None, **_me())  # its process is this one until the child is there
    with storage(log), log.open("ab") as file:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
        )
    with contextlib.suppress(StorageError):
        run.set_status(pid=child.pid, process=processes.identity(child.pid) or "")
    processes.give_way(child.pid)  # pages are waited for, trainings are not
    logs.note("training started", run=run.run_id, pid=child.pid)
    threading.Thread(target=_see_off, args=(store, run, child), daemon=True).start()


def _see_off(store: RunStore, run: Run, child: subprocess.Popen[bytes]) -> None:
    """Wait for a child, so that its pid does not linger; where it was killed, the next run is started here."""
    child.wait()
    logs.note("training ended", run=run.run_id, state=str(run.status().state), status=child.returncode)
    _start_next(store)
