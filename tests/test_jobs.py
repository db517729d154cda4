"""Training as a child process: progress, cancel, a killed process, and continuing where it stopped."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from grouprec import jobs
from grouprec.config import RunConfig, make_config, parse_settings
from grouprec.runs import Run, RunStore, State
from grouprec.types import SettingError
from tests.conftest import TINY_ENCODERS, TINY_SETTINGS

LONG = ["gru.epochs=500", "gru.patience=50", "gru.hidden_size=1024", "gru.batch_size=1"]  # outlasts every test here


@pytest.fixture
def store(runs_root: Path) -> RunStore:
    return RunStore(runs_root)


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
    with pytest.raises(SettingError, match="still being trained"):
        jobs.start(store, config_for(planted_csv))
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


def test_cancel_stops_everything_within_two_seconds(store: RunStore, planted_csv: Path) -> None:
    run = jobs.start(store, config_for(planted_csv, *LONG))
    wait_for(in_stage(run, "updater"))
    pid = run.status().pid
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    begun = time.monotonic()
    jobs.cancel(run)
    assert time.monotonic() - begun < 2.0
    assert run.status().state is State.CANCELLED
    assert not run.finished
    _, alive = psutil.wait_procs(family, timeout=2)
    assert not [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
    assert jobs.active(store) is None


def test_bad_data_makes_a_failed_run_with_one_sentence(store: RunStore, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("user_id,item_id\na,x\na,y\n")
    run = jobs.start(store, config_for(file))
    wait_for(lambda: jobs.refresh(run).state in jobs.FINISHED)
    status = run.status()
    assert status.state is State.FAILED
    assert "user" in status.message and "\n" not in status.message
    assert not run.finished


def test_a_run_whose_process_never_spoke_is_lost(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    assert jobs.refresh(run).state is State.QUEUED
    run.set_status(created=time.time() - jobs.SILENT_SECONDS - 1)
    assert jobs.refresh(run).state is State.LOST


def test_a_reused_pid_does_not_keep_a_run_alive(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    run.set_status(state=State.RUNNING, pid=os.getpid(), pid_started=1.0)
    assert jobs.refresh(run).state is State.LOST


def test_a_finished_run_cannot_be_continued(store: RunStore, planted_csv: Path) -> None:
    run = store.create(config_for(planted_csv))
    run.set_status(state=State.DONE)
    with pytest.raises(SettingError, match="nothing to continue"):
        jobs.resume(store, run)
