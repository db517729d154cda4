"""Runs in child processes of this machine, known by pid and identity (:mod:`grouprec.core.processes`)."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil

from grouprec.core import logs, processes
from grouprec.core.files import storage
from grouprec.core.types import StorageError
from grouprec.runs.store import Run, State, Status
from grouprec.training import room
from grouprec.training.executor import Look, me

GRACE_SECONDS = 1.2  # between asking a process to stop and stopping it
GONE = "The process is gone (stopped from outside, for want of memory, or with the machine); Resume continues it."


class LocalProcesses:
    """An executor: every run is a session of its own, which outlives the process that started it."""

    def start(self, run: Run, ended: Callable[[], None]) -> None:
        """Start the child; what it prints goes to the run's log."""
        root = str(run.path.parent)
        command = [sys.executable, "-m", "grouprec", "train", "--resume", run.run_id, "--runs", root, "--json"]
        log = run.path / "log.txt"
        run.set_status(state=State.RUNNING, place=None, **me())  # its process is this one until the child is there
        with storage(log), log.open("ab") as file:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", **_its_gpu(run)},
            )
        with contextlib.suppress(StorageError):
            run.set_status(pid=child.pid, process=processes.identity(child.pid) or "")
        processes.give_way(child.pid)  # pages are waited for, trainings are not
        logs.note("training started", run=run.run_id, pid=child.pid)
        threading.Thread(target=_see_off, args=(run, child, ended), daemon=True).start()

    def look(self, status: Status) -> Look:
        """Return whether the process lives; a pid that was used again does not count."""
        return Look(True) if _alive(status) else Look(False, GONE)

    def stop(self, status: Status) -> str:
        """Ask the process and its children to stop, then stop them."""
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(status.pid)
            processes.signal_group(process, signal.SIGTERM)
            with contextlib.suppress(psutil.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            processes.signal_group(process, getattr(signal, "SIGKILL", signal.SIGTERM))
        return ""


def _its_gpu(run: Run) -> dict[str, str]:
    """Return what lets a child see the GPU that it was given, and no other."""
    given = run.status().gpu
    return {room.VISIBLE: given} if given else {}


def _alive(status: Status) -> bool:
    if status.process or status.pid is None:
        return processes.alive(status.pid, status.process)
    try:  # of 0.1.0, which knew no identity
        words = psutil.Process(status.pid).cmdline()
    except psutil.Error:
        return False
    return "train" in words and any("grouprec" in Path(word).name for word in words)


def _see_off(run: Run, child: subprocess.Popen[bytes], ended: Callable[[], None]) -> None:
    """Wait for a child, so that its pid does not linger; where it was killed, the next run is started from here."""
    child.wait()
    logs.note("training ended", run=run.run_id, state=str(run.status().state), status=child.returncode)
    ended()
