"""Training as a child process; everything about it is on disk, so any server can watch it, also a restarted one.

One run is trained at a time, the others wait in a queue. There is no process beside those that train: whoever ends,
cancels or looks at a run starts the next one, under a lock so that it is started once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import psutil

from grouprec.core.files import storage
from grouprec.core.types import GrouprecError, SettingError, StorageError
from grouprec.runs.progress import Progress, Watch, make_plan
from grouprec.runs.store import FINISHED, RESUMABLE, Run, RunStore, State, Status

if TYPE_CHECKING:
    from grouprec.runs.config import RunConfig

GRACE_SECONDS = 1.2  # between asking a process to stop and stopping it
SILENT_SECONDS = 30.0  # a started run whose process has not spoken after that is lost
LOCK_SECONDS = 10.0  # starting a process takes a few milliseconds; who waits longer for the queue gives up


# -- the queue


def start(store: RunStore, config: RunConfig) -> Run:
    """Create a run folder and train it in a child process, at once or when the runs before it have ended.

    Raises:
        StorageError: the runs folder cannot be written.
    """
    run = store.create(config, place=time.time())
    active(store)
    return run


def resume(store: RunStore, run: Run) -> Run:
    """Continue a run that failed, was cancelled or lost; finished stages are read back, not trained again.

    Raises:
        SettingError: the run is finished, waiting or being trained.
    """
    with _alone(store):
        status = refresh(run)
        if status.state not in RESUMABLE or status.state is State.QUEUED:
            raise SettingError(f"The run {run.run_id} is {status.state}; there is nothing to continue.")
        now = time.time()
        run.set_status(state=State.QUEUED, created=now, place=now, message="", ended=None, pid=None, seconds_left=None)
    active(store)
    return run


def queue(store: RunStore) -> list[Run]:
    """Return the runs that wait for their turn, the next one first."""
    places = [(run.status(), run) for run in store.runs()]
    waiting = [(status.place, run.run_id, run) for status, run in places if status.waiting]
    return [run for _, _, run in sorted(waiting, key=lambda entry: entry[:2])]


def move_first(store: RunStore, run: Run) -> None:
    """Let a waiting run be the next one; a run that waits no longer stays as it is."""
    with _alone(store):
        waiting = queue(store)
        if run.run_id in {other.run_id for other in waiting}:
            first = waiting[0].status().place or 0.0
            run.set_status(place=first - 1.0)


def active(store: RunStore) -> Run | None:
    """Return the run that is being trained now, the first waiting one started where there is none; else None.

    Raises:
        StorageError: the runs folder cannot be written.
    """
    if not queue(store):
        return _training(store)
    with _alone(store):
        training = _training(store)
        while training is None and (waiting := queue(store)):
            training = _try(store, waiting[0])
        return training


def _training(store: RunStore) -> Run | None:
    for run in store.runs():
        status = run.status()
        if status.state not in FINISHED and not status.waiting and refresh(run).state not in FINISHED:
            return run
    return None


def _try(store: RunStore, run: Run) -> Run | None:
    """Start a run; one that cannot be started has failed, and says why."""
    try:
        _spawn(store, run)
    except StorageError as error:
        run.set_status(state=State.FAILED, place=None, message=str(error), ended=time.time())
        return None
    return run


@contextlib.contextmanager
def _alone(store: RunStore) -> Iterator[None]:
    """Let one thread of one process at a time change the queue: a lock of SQLite's, gone with whoever holds it.

    Raises:
        StorageError: the folder cannot be written, or somebody holds the lock too long.
    """
    with storage(store.root):
        store.root.mkdir(parents=True, exist_ok=True)
    lock = None
    try:
        lock = sqlite3.connect(store.root / ".queue.lock", timeout=LOCK_SECONDS, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        yield
    except sqlite3.Error as error:
        raise StorageError(
            f"Cannot change the queue in {store.root}: {error}; check the folder and try again."
        ) from error
    finally:
        if lock is not None:
            lock.close()


# -- one run


def cancel(run: Run) -> None:
    """Stop a run and everything it started, within two seconds: asked first, then stopped. The next one may start."""
    store = RunStore(run.path.parent)
    with _alone(store):
        status = refresh(run)
        if status.waiting:
            _end(run, State.CANCELLED, "Cancelled.")
    if status.state in FINISHED or status.waiting:
        return
    process = _process(status)
    if process is not None:
        _signal_group(process, signal.SIGTERM)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        _signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    if run.status().state not in FINISHED - {State.LOST}:  # somebody may have seen the process go before this line
        _end(run, State.CANCELLED, "Cancelled.")
    active(store)


def refresh(run: Run) -> Status:
    """Return the status; a run whose process is gone without a word is marked as lost."""
    status = run.status()
    if status.state in FINISHED or status.waiting:
        return status
    if _process(status) is not None:
        return status
    if status.pid is None and time.time() - status.created < SILENT_SECONDS:
        return status
    status = run.status()  # the process may have written its last word meanwhile
    if status.state in FINISHED:
        return status
    message = "The process is gone (stopped from outside, or the machine restarted); Resume continues it."
    return run.set_status(state=State.LOST, seconds_left=None, ended=time.time(), message=message)


def train_here(store: RunStore, run: Run, watch: Watch | None = None) -> dict[str, Any]:
    """Train a run folder in this process, keep its status true whatever happens, and return its metrics.

    The next waiting run is started at the end, unless this one was cancelled: then that is for whoever cancelled it.

    Raises:
        GrouprecError: the data, a setting or the runs folder cannot be used.
        KeyboardInterrupt: the run was cancelled (Ctrl-C or SIGTERM).
    """
    try:
        metrics = _train(store, run, watch)
    except Exception:
        _start_next(store)
        raise
    _start_next(store)
    return metrics


def _start_next(store: RunStore) -> None:
    with contextlib.suppress(StorageError):  # of the queue, not of the run that has just ended
        active(store)


def _train(store: RunStore, run: Run, watch: Watch | None) -> dict[str, Any]:
    if threading.current_thread() is threading.main_thread():  # only there are signals heard
        signal.signal(signal.SIGTERM, _interrupt)
    me = psutil.Process()
    mine = {"pid": me.pid, "pid_started": me.create_time()}
    run.set_status(state=State.RUNNING, place=None, started=time.time(), **mine)
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
    except MemoryError as error:
        sentence = "There is not enough memory for this run; keep fewer items (data.min_item_users) and try again."
        _end(run, State.FAILED, sentence)
        raise SettingError(sentence) from error
    except Exception as error:
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
    changes = {"fraction": 1.0} if state is State.DONE else {}
    with contextlib.suppress(StorageError):
        run.set_status(state=state, message=message, seconds_left=None, ended=time.time(), **changes)


def _spawn(store: RunStore, run: Run) -> None:
    """Start the child; what it prints goes to the run's log."""
    command = [sys.executable, "-m", "grouprec", "train", "--resume", run.run_id, "--runs", str(store.root), "--json"]
    log = run.path / "log.txt"
    with storage(log), log.open("ab") as file:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
        )
    with contextlib.suppress(psutil.NoSuchProcess):
        run.set_status(place=None, pid=child.pid, pid_started=psutil.Process(child.pid).create_time())
    threading.Thread(target=_see_off, args=(store, child), daemon=True).start()


def _see_off(store: RunStore, child: subprocess.Popen[bytes]) -> None:
    """Wait for a child, so that its pid does not linger; where it was killed, the next run is started here."""
    child.wait()
    _start_next(store)


def _process(status: Status) -> psutil.Process | None:
    """Return the living process of a run; a reused pid does not count."""
    if status.pid is None:
        return None
    try:
        process = psutil.Process(status.pid)
        same = status.pid_started is None or abs(process.create_time() - status.pid_started) < 1.0
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.Error:
        return None


def _signal_group(process: psutil.Process, number: int) -> None:
    """Signal the process and its children: by group where it leads one, else one by one."""
    with contextlib.suppress(psutil.Error, OSError):
        if hasattr(os, "killpg") and os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
            return
        for one in [*process.children(recursive=True), process]:
            with contextlib.suppress(psutil.Error):
                one.send_signal(number)
