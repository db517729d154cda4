"""The n-th open, write, fsync or rename of a job is refused, with a full disk or a broken one, for every n."""

from __future__ import annotations

import ctypes
import errno
import multiprocessing
import os
import shutil
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from grouprec.core.types import GrouprecError
from grouprec.data.library import Library
from grouprec.explore import edits
from grouprec.explore.edited_tables import EditedRun
from grouprec.explore.edits import Edit, EditHistory
from grouprec.live.stream import Stream
from grouprec.report.csv import export_run
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import jobs
from tests.support.commands import call
from tests.support.small_run import copy_of

KINDS = ("open", "write", "fsync", "rename")
_FORK = multiprocessing.get_context("fork")


def library(folder: Path) -> Path:
    """Compile what refuses, and return it.

    Raises:
        SystemExit: there is no compiler.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        raise SystemExit("This needs Linux and a C compiler.")
    out = folder / "refusing_disk.so"
    source = Path(__file__).with_name("refusing_disk.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(out), str(source), "-ldl"], check=True)
    return out


def _edit(run: Run, folder: Path) -> None:
    trained = EditedRun(run, EditHistory.load(run.path)).trained
    edits.change(run.path, trained, Edit("rename", (1,), "Night owls"))
    run.annotate("A note", ["tag"])


def _export(run: Run, folder: Path) -> None:
    export_run(run, folder / "out")


def _events(run: Run, folder: Path) -> None:
    with Stream.open(RunStore(run.path.parent), run) as stream:
        day = 4_000_000_000
        stream.apply([{"user": f"u{n % 80:05d}", "item": f"i{n % 60:05d}", "time": day + n} for n in range(100)])


def _upload(run: Run, folder: Path) -> None:
    with (folder.parent / "given.csv").open("rb") as content:
        Library(folder / "datasets").add("given.csv", content)


def _training(run: Run, folder: Path) -> None:
    store = RunStore(folder / "runs")
    jobs.train_here(store, store.create(run.config()))


JOBS: dict[str, Callable[[Run, Path], None]] = {
    "edit": _edit,
    "export": _export,
    "events": _events,
    "upload": _upload,
    "training": _training,
}


def measure(run: Run, folder: Path, job: str, most: int, for_good: bool = False) -> Counter[str]:
    """Refuse every n-th call of every kind, at most ``most`` of them evenly spread; return what became of the job.

    ``for_good``: all calls of that kind after it, too, until the job has ended.

    "done" and "refused" (one sentence) may be; "traceback", "corrupted" (a run that was whole is not, or a half file)
    and "unusable" (afterwards the same job does not go through on a disk that takes everything) must not be.
    """
    torch.set_num_threads(1)
    counts = Counter[str]()
    calls = _in_fork(run, folder, job, (-1, 0, 0, 0))[1]
    for kind, n_calls in zip(range(4), calls, strict=True):
        step = max(1, -(-n_calls // most))
        for n in range(1, n_calls + 1, step):
            code = errno.ENOSPC if (n // step) % 2 else errno.EIO
            answer, _ = _in_fork(run, folder, job, (kind, n, code, int(for_good)))
            counts[answer.split(":")[0]] += 1
            counts[f"of {n_calls:,} calls of {KINDS[kind]}"] += 1
            if answer not in ("done", "refused"):
                print(f"{job}, {KINDS[kind]} {n} of {n_calls}, {os.strerror(code)}: {answer}")
    return counts


def _in_fork(run: Run, folder: Path, job: str, refusal: tuple[int, int, int, int]) -> tuple[str, list[int]]:
    shutil.rmtree(folder, ignore_errors=True)
    store = RunStore(folder / "runs")
    store.root.mkdir(parents=True)
    copy = copy_of(run, store)
    answers = _FORK.SimpleQueue()
    child = _FORK.Process(target=_attempt, args=(copy, folder, job, refusal, answers))
    child.start()
    child.join()
    answer, calls = answers.get() if not answers.empty() else ("traceback: the process died", [0] * 4)
    return answer if answer.startswith("traceback") else _afterwards(copy, folder, job) or answer, calls


def _attempt(run: Run, folder: Path, job: str, refusal: tuple[int, int, int, int], answers: Any) -> None:
    disk = ctypes.CDLL(None)
    disk.counted.restype = ctypes.c_long
    disk.refuse(str(folder).encode(), *refusal)
    try:
        JOBS[job](run, folder)
        answer = "done"
    except GrouprecError:
        answer = "refused"
    except BaseException:
        answer = f"traceback: {traceback.format_exc()[-1500:]}"
    calls = [disk.counted(kind) for kind in range(4)]
    disk.refuse(b"", -1, 0, 0, 0)
    answers.put((answer, calls))


def _afterwards(run: Run, folder: Path, job: str) -> str:
    """Return what is wrong after the refusal, "" for nothing: from now on the disk takes everything."""
    if run.status().state is not State.DONE or run.damaged():
        return f"corrupted: {run.status().message}"
    if any(path.suffix == ".csv" and not path.stat().st_size for path in (folder / "out").glob("*")):
        return "corrupted: an empty file"
    if (listed := call("list", "--runs", folder / "runs")).status:
        return f"unusable: {listed.err}"
    if job == "training":
        for other in RunStore(folder / "runs").runs():
            state = jobs.refresh(other).state
            if other.run_id != run.run_id and state not in (State.DONE, State.FAILED, State.LOST, State.CANCELLED):
                return f"unusable: a new run is {state}: {other.status().message}"
        return ""
    try:
        JOBS[job](run, folder)
    except BaseException as error:
        return f"unusable: {type(error).__name__}: {error}"
    return ""
