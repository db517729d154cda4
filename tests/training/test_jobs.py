"""Training as a child process: progress, cancel, a killed process, continuing where it stopped, and the queue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from grouprec.core import processes
from grouprec.core.types import SettingError, StorageError
from grouprec.runs.config import RunConfig, make_config, parse_settings
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import jobs
from tests.support.small_run import TINY_ENCODERS, TINY_SETTINGS

LONG = ["gru.epochs=500", "gru.patience=50", "gru.hidden_size=1024", "gru.batch_size=1"]  # outlasts every test here


# Lives on its own until its input is closed, as it is when this process dies, however it dies; then it takes every run
# of the folders with it, also those that the dying ones start.
REAPER = """
import json, os, pathlib, signal, sys, time
roots = [pathlib.Path(line.strip()) for line in sys.stdin]
deadline = time.monotonic() + 60
while time.monotonic() < deadline:
    alive = 0
    for path in (path for root in roots for path in root.glob("*/status.json")):
        try:
            status = json.loads(path.read_text())
            if status["state"] == "queued" and status["place"] is not None:
                path.write_text(json.dumps(status | {"state": "cancelled"}))
            elif status["state"] in ("queued", "running") and status["pid"]:
                os.killpg(status["pid"], signal.SIGKILL)
                alive += 1
        except (OSError, ValueError):
            pass
    if not alive:
        break
    time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def reaper() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", REAPER], stdin=subprocess.PIPE, text=True, start_new_session=True
    ) as it:
        yield it
        assert it.stdin is not None
        it.stdin.close()


@pytest.fixture
def store(runs_root: Path, reaper: subprocess.Popen[str]) -> Iterator[RunStore]:
    """Return a runs folder; whatever still waits or trains at the end is cancelled, and killed where we are."""
    assert reaper.stdin is not None
    print(runs_root, file=reaper.stdin, flush=True)
    found = RunStore(runs_root)
    yield found
    for run in [*reversed(jobs.queue(found)), *found.runs()]:
        jobs.cancel(run)


def config_for(path: Path, *settings: str) -> RunConfig:
    return make_config(
        interactions=path,
        preset="quick",
        encoders=TINY_ENCODERS,
        n_groups=4,
        device="cpu",
        layout="pca",
        settings=parse_settings([*TINY_SETTINGS, *settings]),
    )


def wait_for(condition: Callable[[], bool], seconds: float = 90.0) -> None:
    """Wait until something is true; the deadline only ends a test that has already failed."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def in_stage(run: Run, stage: str) -> Callable[[], bool]:
    return lambda: any(event.get("stage") == stage for event in run.events()) or run.status().state in jobs.FINISHED


def test_a_killed_run_is_lost_and_continues_from_its_last_finished_stage(store: RunStore, planted_csv: Path) -> None:
    run = jobs.start(store, config_for(planted_csv, *LONG))
    wait_for(in_stage(run, "updater"))
    assert jobs.active(store) is not None
    pid = run.status().pid
    assert pid is not None
    os.killpg(pid, signal.SIGKILL)
    wait_for(lambda: jobs.refresh(run).state is State.LOST)
    assert not run.finished

    # The one long stage is cut short by hand: what is asked here is that the others are read back.
    short = config_for(planted_csv)
    (run.path / "config.json").write_text(short.model_dump_json())
    jobs.resume(store, run)
    wait_for(lambda: jobs.refresh(run).state in jobs.FINISHED)
    assert run.status().state is State.DONE, run.log()
    assert run.finished and run.damaged() == []
    reused = {event["stage"] for event in run.events() if event.get("reused")}
    assert {f"encoder {name}" for name in TINY_ENCODERS} <= reused


def test_cancel_stops_everything_that_the_run_started(store: RunStore, planted_csv: Path) -> None:
    run = jobs.start(store, config_for(planted_csv, *LONG))
    wait_for(in_stage(run, "updater"))
    pid = run.status().pid
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    assert jobs.GRACE_SECONDS < 2  # who does not stop when asked is killed then
    jobs.cancel(run)
    assert run.status().state is State.CANCELLED
    assert not run.finished
    wait_for(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family))
    assert jobs.active(store) is None


@pytest.fixture
def lonely_csv(tmp_path: Path) -> Path:
    """A file with one user: a run on it fails at its first stage."""
    file = tmp_path / "one.csv"
    file.write_text("user_id,item_id\na,x\na,y\n")
    return file


def test_bad_data_makes_a_failed_run_with_one_sentence(store: RunStore, lonely_csv: Path) -> None:
    run = jobs.start(store, config_for(lonely_csv))
    wait_for(lambda: jobs.refresh(run).state in jobs.FINISHED)
    status = run.status()
    assert status.state is State.FAILED
    assert "user" in status.message and "\n" not in status.message
    assert not run.finished


def test_a_run_whose_process_never_spoke_is_lost(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    assert jobs.refresh(run).state is State.QUEUED, "this process is about to train it"
    run.set_status(process="of somebody else")
    assert jobs.refresh(run).state is State.LOST


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


# -- the queue


def test_queued_runs_are_trained_one_after_the_other_by_the_processes_themselves(
    store: RunStore, planted_csv: Path, lonely_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (jobs.start(store, config_for(file)) for file in (planted_csv, lonely_csv, lonely_csv))
    assert not first.status().waiting
    assert [run.run_id for run in jobs.queue(store)] == [second.run_id, third.run_id]
    jobs.move_first(store, third)
    assert [run.run_id for run in jobs.queue(store)] == [third.run_id, second.run_id]
    # From here on nobody helps: as if the server that started them had been stopped.
    monkeypatch.setattr(jobs, "_start_next", lambda store: None)
    wait_for(lambda: all(run.status().state in jobs.FINISHED for run in (first, second, third)))
    states = [run.status().state for run in (first, second, third)]
    assert states == [State.DONE, State.FAILED, State.FAILED], first.log()
    begun = [run.status().started or 0.0 for run in (first, third, second)]
    ended = [run.status().ended or 0.0 for run in (first, third, second)]
    assert ended[0] <= begun[1] and ended[1] <= begun[2]


def test_a_waiting_run_starts_when_the_process_before_it_is_killed(store: RunStore, planted_csv: Path) -> None:
    first = jobs.start(store, config_for(planted_csv, *LONG))
    second = jobs.start(store, config_for(planted_csv, *LONG))
    pid = first.status().pid
    assert pid is not None and second.status().waiting
    os.killpg(pid, signal.SIGKILL)
    wait_for(lambda: second.status().pid is not None)
    assert first.status().state is State.LOST


def test_a_restarted_server_starts_what_waited(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv, *LONG), place=time.time() - 3600)
    assert jobs.refresh(run).waiting, "a run that waits for an hour is not lost"
    found = jobs.active(store)
    assert found is not None and found.run_id == run.run_id
    assert run.status().pid is not None and not run.status().waiting


def test_many_who_look_at_once_start_one_run_once(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    together, unpatched = threading.Barrier(6), jobs.queue
    arrived = threading.local()

    def queue(store: RunStore) -> list[Run]:
        waiting = unpatched(store)
        if not hasattr(arrived, "once"):  # everybody has seen that somebody waits before anybody acts on it
            arrived.once = together.wait(30)
        return waiting

    def spawn(store: RunStore, run: Run) -> None:
        started.append(run.run_id)
        run.set_status(place=None, pid=os.getpid(), process=processes.identity(os.getpid()))

    monkeypatch.setattr(jobs, "queue", queue)
    monkeypatch.setattr(jobs, "_spawn", spawn)
    for place in (1.0, 2.0):
        store.create(config_for(planted_csv), place=place)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(jobs.active, [store] * 6))
    assert len(started) == 1
    assert {run and run.run_id for run in found} == set(started)
    monkeypatch.undo()
    store.get(started[0]).set_status(state=State.DONE)


def test_cancelling_a_run_starts_the_next_and_a_waiting_one_just_leaves(store: RunStore, planted_csv: Path) -> None:
    first = jobs.start(store, config_for(planted_csv, *LONG))
    second = jobs.start(store, config_for(planted_csv, *LONG))
    third = jobs.start(store, config_for(planted_csv))
    jobs.cancel(third)
    assert third.status().state is State.CANCELLED and not third.status().waiting
    jobs.cancel(first)
    assert first.status().state is State.CANCELLED
    assert second.status().pid is not None
    jobs.resume(store, first)
    assert [run.run_id for run in jobs.queue(store)] == [first.run_id]
    with pytest.raises(SettingError, match="nothing to continue"):
        jobs.resume(store, first)


def test_a_run_that_cannot_be_started_fails_and_the_next_one_is_tried(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spawn(store: RunStore, run: Run) -> None:
        if run.run_id == bad.run_id:
            raise StorageError("Cannot write the log.")
        run.set_status(place=None, pid=os.getpid(), process=processes.identity(os.getpid()))

    bad, good = (store.create(config_for(planted_csv), place=place) for place in (1.0, 2.0))
    monkeypatch.setattr(jobs, "_spawn", spawn)
    found = jobs.active(store)
    assert found is not None and found.run_id == good.run_id
    assert (bad.status().state, bad.status().message) == (State.FAILED, "Cannot write the log.")
    good.set_status(state=State.DONE)
