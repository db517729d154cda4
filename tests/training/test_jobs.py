"""Training as a child process: progress, cancel, a killed process, continuing where it stopped, and the queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pyarrow
import pytest
import torch

from grouprec.core import processes
from grouprec.core.files import write_json
from grouprec.core.locks import alone
from grouprec.core.types import SettingError, StorageError
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import jobs, local_process
from tests.support.small_run import TINY_ENCODERS, copy_of
from tests.support.started_runs import LONG, config_for, endless, in_stage, wait_for

pytestmark = pytest.mark.usefixtures("forks")


def test_a_killed_run_continues_at_once_from_its_last_finished_stage(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_start_next", lambda store: None)  # as if the server had been killed, too
    run = jobs.start(store, config_for(planted_csv, *LONG))
    wait_for(in_stage(run, "updater"))
    assert jobs.active(store) is not None
    pid = run.status().pid
    assert pid is not None
    with pytest.raises(StorageError, match="is being trained by another process; there is nothing to continue"):
        jobs.train_here(store, run)
    # The one long stage is cut short by hand: what is asked here is that the others are read back.
    short = config_for(planted_csv)
    (run.path / "config.json").write_text(short.model_dump_json())
    os.killpg(pid, signal.SIGKILL)
    wait_for(lambda: not processes.alive(pid, run.status().process))
    assert run.status().state is State.RUNNING, "nobody has looked yet"
    jobs.train_here(store, run)
    assert run.status().pid == os.getpid()
    assert run.status().state is State.DONE, run.log()
    assert run.finished and run.damaged() == []
    reused = {event["stage"] for event in run.events() if event.get("reused")}
    assert {f"encoder {name}" for name in TINY_ENCODERS} <= reused


def test_cancel_stops_everything_that_the_run_started(store: RunStore, planted_csv: Path, gave_way: list[int]) -> None:
    run = jobs.start(store, endless(planted_csv))
    wait_for(in_stage(run, "updater"))
    pid = run.status().pid
    assert pid is not None and gave_way == [pid]
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    assert local_process.GRACE_SECONDS < 2  # who does not stop when asked is killed then
    jobs.cancel(run)
    assert run.status().state is State.CANCELLED
    assert not run.finished
    wait_for(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family))
    assert jobs.active(store) is None


def test_a_run_whose_process_never_spoke_is_lost(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    assert jobs.refresh(run).state is State.QUEUED, "this process is about to train it"
    run.set_status(process="of somebody else")
    assert jobs.refresh(run).state is State.LOST


def test_a_step_of_the_clock_loses_no_run_and_starts_none_beside_it(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(config_for(planted_csv))
    run.set_status(state=State.RUNNING)
    waiting = store.create(config_for(planted_csv), place=1.0)
    monkeypatch.setattr(jobs, "_spawn", lambda store, run: pytest.fail("started beside the other one"))
    now, created = time.time(), psutil.Process.create_time
    for step in (-86400.0, -2.0, 2.0, 86400.0):
        monkeypatch.setattr(time, "time", lambda step=step: now + step)
        monkeypatch.setattr(psutil.Process, "create_time", lambda self, step=step: created(self) + step)
        assert jobs.refresh(run).state is State.RUNNING
        found = jobs.active(store)
        assert found is not None and found.run_id == run.run_id and waiting.status().waiting
    monkeypatch.undo()
    run.set_status(state=State.FAILED)


def test_a_run_dated_a_day_ahead_blocks_nobody(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead, run = (store.create(config_for(planted_csv), place=place) for place in (None, 1.0))
    ahead.set_status(created=time.time() + 86400, pid=None, process="")
    started: list[str] = []
    monkeypatch.setattr(jobs, "_spawn", lambda store, run: started.append(run.run_id))
    jobs.active(store)
    assert jobs.refresh(ahead).state is State.LOST and started == [run.run_id]
    run.set_status(state=State.FAILED)


def test_who_holds_the_lock_of_a_run_keeps_it_alive(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    run.set_status(state=State.RUNNING, pid=os.getpid(), process="of another machine")
    with alone(run.path / jobs.TRAIN_LOCK, ""):
        assert jobs.refresh(run).state is State.RUNNING
        with pytest.raises(StorageError, match="is being trained by another process; there is nothing to continue"):
            jobs.train_here(store, run)
    assert jobs.refresh(run).state is State.LOST


def test_a_run_of_the_first_version_is_alive_while_its_process_trains(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    words = [sys.executable, "-c", "input()", "grouprec", "train", "--resume", run.run_id]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as child:
        write_json(run.path / "status.json", {"state": "running", "pid": child.pid, "pid_started": 1.0})
        assert jobs.refresh(run).state is State.RUNNING
        with pytest.raises(SettingError, match="is running; there is nothing to continue"):
            jobs.train_here(store, run)
    assert jobs.refresh(run).state is State.LOST


def test_a_dead_run_is_told_where_it_cannot_be_marked(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, waiting = (store.create(config_for(planted_csv), place=place) for place in (None, 1.0))
    run.set_status(state=State.RUNNING, process="gone")

    def full(*_: object, **__: object) -> None:
        raise StorageError("Cannot write: no space left; free some space.")

    monkeypatch.setattr("grouprec.runs.run.change_status", full)
    monkeypatch.setattr(jobs, "_alone", full)
    assert jobs.refresh(run).state is State.LOST and jobs.active(store) is None
    monkeypatch.undo()
    assert run.status().state is State.RUNNING and waiting.status().waiting
    waiting.set_status(state=State.FAILED)


def test_a_damaged_run_is_mended(store: RunStore, small_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_spawn", lambda store, run: None)
    store.root.mkdir(parents=True, exist_ok=True)
    run = copy_of(small_run, store)
    created = run.status().created
    (run.path / "status.json").write_text("{")
    jobs.resume(store, run)
    status = run.status()
    assert (status.state, run.finished) == (State.DONE, True), "its results are whole"
    assert abs(status.created - created) < 2, "its name knows the second"
    (run.path / "tables" / "users.parquet").write_bytes(b"x")
    (run.path / "metrics.json").write_text("{}")
    jobs.resume(store, run)
    assert not run.finished and run.status().state is State.QUEUED
    assert not (run.path / "tables" / "users.parquet").exists()
    run.set_status(state=State.FAILED)
    (run.path / "config.json").unlink()
    with pytest.raises(StorageError, match=r"no readable config\.json"):
        jobs.resume(store, run)


def test_a_reused_pid_does_not_keep_a_run_alive(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    run.set_status(state=State.RUNNING, pid=os.getpid(), process="another")
    assert jobs.refresh(run).state is State.LOST


def test_a_finished_run_cannot_be_continued(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    run.set_status(state=State.DONE)
    run.write_manifest()
    with pytest.raises(SettingError, match="nothing to continue"):
        jobs.resume(store, run)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory for this run; keep fewer items"),
        (pyarrow.ArrowException("Unknown error: Wrapping 5 failed"), "not enough memory for this run"),
        (OSError(12, "Cannot allocate memory"), "not enough memory for this run"),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
            "not enough memory for this",
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "GPU has not enough memory"),
        (torch.OutOfMemoryError("x"), "GPU has not enough memory"),
    ],
    ids=range(6),
)
def test_a_run_for_which_memory_does_not_suffice_fails_with_advice(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    def train(*_: object) -> None:
        raise error

    monkeypatch.setattr("grouprec.training.pipeline.train", train)
    run = store.create(config_for(planted_csv))
    with pytest.raises(SettingError, match=words):
        jobs.train_here(store, run)
    assert run.status().state is State.FAILED and words in run.status().message
