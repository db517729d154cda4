"""Training as a child process; everything about it is on disk, so any server can watch it, also a restarted one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any, NoReturn

import psutil

from grouprec.progress import Progress, Watch, make_plan
from grouprec.runs import FINISHED, RESUMABLE, Run, RunStore, State, Status, storage
from grouprec.types import GrouprecError, SettingError, StorageError

if TYPE_CHECKING:
    from grouprec.config import RunConfig

GRACE_SECONDS = 1.2  # between asking a process to stop and stopping it
SILENT_SECONDS = 30.0  # a queued run whose process has not spoken after that is lost
_starting = threading.Lock()


def start(store: RunStore, config: RunConfig) -> Run:
    """Create a run folder and train it in a child process.

    Raises:
        SettingError: another run of this folder is being trained.
        StorageError: the runs folder cannot be written.
    """
    with _starting:
        _refuse_second(store)
        run = store.create(config)
        _spawn(store, run)
    return run


def resume(store: RunStore, run: Run) -> Run:
    """Continue a run that failed, was cancelled or lost; finished stages are read back, not trained again.

    Raises:
        SettingError: the run is finished or still being trained, or another one is.
    """
    with _starting:
        _refuse_second(store)
        if refresh(run).state not in RESUMABLE:
            raise SettingError(f"The run {run.run_id} is {run.status().state}; there is nothing to continue.")
        run.set_status(state=State.QUEUED, created=time.time(), message="", ended=None, pid=None)
        _spawn(store, run)
    return run


def cancel(run: Run) -> None:
    """Stop a run and everything it started, within two seconds: asked first, then stopped."""
    status = refresh(run)
    if status.state in FINISHED:
        return
    process = _process(status)
    if process is not None:
        _signal_group(process, signal.SIGTERM)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(GRACE_SECONDS)
        _signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
    if run.status().state not in FINISHED:
        run.set_status(state=State.CANCELLED, seconds_left=None, ended=time.time(), message="Cancelled.")


def refresh(run: Run) -> Status:
    """Return the status; a run whose process is gone without a word is marked as lost."""
    status = run.status()
    if status.state in FINISHED:
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


def active(store: RunStore) -> Run | None:
    """Return the run that is being trained now, None if none is."""
    for run in store.runs():
        if run.status().state not in FINISHED and refresh(run).state not in FINISHED:
            return run
    return None


def train_here(store: RunStore, run: Run, watch: Watch | None = None) -> dict[str, Any]:
    """Train a run folder in this process, keep its status true whatever happens, and return its metrics.

    Raises:
        GrouprecError: the data, a setting or the runs folder cannot be used.
        KeyboardInterrupt: the run was cancelled (Ctrl-C or SIGTERM).
    """
    if threading.current_thread() is threading.main_thread():  # only there are signals heard
        signal.signal(signal.SIGTERM, _interrupt)
    me = psutil.Process()
    run.set_status(state=State.RUNNING, pid=me.pid, pid_started=me.create_time(), started=time.time())
    try:
        from grouprec.pipeline import train  # slow to import (torch): the status above is already true

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


def _interrupt(number: int, frame: Any) -> NoReturn:
    raise KeyboardInterrupt


def _end(run: Run, state: State, message: str) -> None:
    """Write the last status. Where even that fails (full disk), the ended process says it: the run counts as lost."""
    changes = {"fraction": 1.0} if state is State.DONE else {}
    with contextlib.suppress(StorageError):
        run.set_status(state=state, message=message, seconds_left=None, ended=time.time(), **changes)


def _refuse_second(store: RunStore) -> None:
    busy = active(store)
    if busy is not None:
        raise SettingError(f"The run '{busy.title()}' is still being trained; wait for it or cancel it first.")


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
        run.set_status(pid=child.pid, pid_started=psutil.Process(child.pid).create_time())
    threading.Thread(target=child.wait, daemon=True).start()  # reaps the child, so that its pid does not linger


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
