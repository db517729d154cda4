"""Runs that tests start as processes of their own, and what ends them however a test ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from grouprec.runs.config import RunConfig, make_config, parse_settings
from grouprec.runs.store import Run, RunStore
from grouprec.training import jobs, local_process
from tests.support.forked import ForkedTraining
from tests.support.small_run import TINY_ENCODERS, TINY_SETTINGS

NEW = ("test_cancel_stops_everything_that_the_run_started",)


LONG = ["gru.epochs=500", "gru.patience=50", "gru.hidden_size=1024", "gru.batch_size=1"]


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
def gave_way(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the processes that were told to give way; they do not, for here they are waited for."""
    found: list[int] = []
    monkeypatch.setattr(local_process.processes, "give_way", found.append)
    return found


@pytest.fixture
def store(runs_root: Path, reaper: subprocess.Popen[str], gave_way: list[int]) -> Iterator[RunStore]:
    """Return a runs folder; whatever still waits or trains at the end is cancelled, and killed where we are."""
    assert reaper.stdin is not None
    print(runs_root, file=reaper.stdin, flush=True)
    found = RunStore(runs_root)
    yield found
    for run in [*reversed(jobs.queue(found)), *found.runs()]:
        jobs.cancel(run)


@pytest.fixture
def forks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs train in forks of this process; ``NEW`` have a new interpreter, which takes seconds to load all."""
    if hasattr(os, "fork") and request.node.name not in NEW:
        starts = SimpleNamespace(Popen=ForkedTraining, DEVNULL=subprocess.DEVNULL)
        monkeypatch.setattr(local_process, "subprocess", starts)


def config_for(path: Path, *settings: str) -> RunConfig:
    tiny = {"preset": "quick", "encoders": TINY_ENCODERS, "n_groups": 4, "device": "cpu", "layout": "pca"}
    return make_config(interactions=path, settings=parse_settings([*TINY_SETTINGS, *settings]), **tiny)


def endless(path: Path) -> RunConfig:
    """Return a run that is soon at its updater and outlasts every test there."""
    settings = parse_settings([one for one in (*TINY_SETTINGS, *LONG) if not one.startswith("dnn")])
    return config_for(path).model_copy(update={"encoders": ("ease",), "settings": settings})


def wait_for(condition: Callable[[], bool], seconds: float = 300.0) -> None:
    """Wait until something is true; the deadline only ends a test that has already failed."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def in_stage(run: Run, stage: str) -> Callable[[], bool]:
    return lambda: (status := run.status()).stage == stage or status.state in jobs.FINISHED


@pytest.fixture
def lonely_csv(tmp_path: Path) -> Path:
    """A file with one user: a run on it fails at its first stage."""
    file = tmp_path / "one.csv"
    file.write_text("user_id,item_id\na,x\na,y\n")
    return file
