"""kill -9 of a training, of the server that started it, and of both, at random moments."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch

from grouprec.runs import content
from grouprec.runs.config import make_config, parse_settings
from grouprec.runs.store import FINISHED, Run, RunStore, State
from grouprec.training import jobs
from tests.support.small_run import TINY_ENCODERS, TINY_SETTINGS

_FORK = multiprocessing.get_context("fork")
_OWN = ("metrics.json", "events.jsonl")  # hold seconds


def measure(file: Path, root: Path, n: int, whom: str, seed: int = 0) -> Counter[str]:
    """Kill n times and continue each time; return what was found.

    Args:
        file: the interactions.
        root: for the runs folders.
        whom: "training", "server" or "both".
    Returns:
        how often the run was done, lost or not even begun after the kill, and of what must not be: "corrupted",
        "not continued", "different".
    """
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    begun = time.monotonic()
    expected = _results(_trained(RunStore(root / f"calm {whom}"), file, whom))
    whole = time.monotonic() - begun
    counts = Counter[str]()
    killed = 0
    while killed < n:
        store = RunStore(root / f"{whom} {counts.total()}")
        run = _killed(store, file, whom, float(rng.uniform(0, whole)))
        state = jobs.refresh(run).state
        killed += state is not State.DONE  # later than its last word is no kill of a training
        counts[f"{state} after the kill"] += 1
        counts["corrupted"] += bool(run.damaged()) or state is State.DAMAGED
        if state not in FINISHED and whom == "server":  # the training goes on
            _wait(run)
        elif state is not State.DONE:
            _join(_FORK.Process(target=_train, args=(store, run)))
        if run.status().state is not State.DONE:
            counts["not continued"] += 1
            print(f"{run.path}: {run.status()}\n{run.log()}")
        elif _results(run) != expected:
            counts["different"] += 1
    return counts


def _config(file: Path) -> Any:
    settings = parse_settings(TINY_SETTINGS)
    choices = {"interactions": file, "preset": "quick", "encoders": TINY_ENCODERS, "n_groups": 4}
    return make_config(**choices, device="cpu", layout="pca", settings=settings)


def _trained(store: RunStore, file: Path, whom: str) -> Run:
    if whom == "training":
        run = store.create(_config(file))
        _join(_FORK.Process(target=_train, args=(store, run)))
        return run
    run = jobs.start(store, _config(file))
    _wait(run)
    return run


def _killed(store: RunStore, file: Path, whom: str, seconds: float) -> Run:
    """Return a run whose processes were killed after that time."""
    if whom == "training":
        run = store.create(_config(file))
        victim = _FORK.Process(target=_train, args=(store, run))
        victim.start()
        victim.join(seconds)
        victim.kill()
        victim.join()
        return run
    server = _FORK.Process(target=_serve, args=(store, file))
    server.start()
    while not store.runs():
        time.sleep(0.001)
    (run,) = store.runs()
    server.join(seconds)
    server.kill()
    server.join()
    pid = run.status().pid
    if whom == "both" and pid is not None and pid != server.pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        while jobs.refresh(run).state not in FINISHED:
            time.sleep(0.01)
    return run


def _train(store: RunStore, run: Run) -> None:
    """Train in a process of its own session, as a shell or the server starts it."""
    os.setsid()
    jobs.train_here(store, run)


def _serve(store: RunStore, file: Path) -> None:
    jobs.start(store, _config(file))
    signal.pause()


def _wait(run: Run) -> None:
    while jobs.refresh(run).state not in FINISHED:
        time.sleep(0.05)


def _join(process: Any) -> None:
    process.start()
    process.join()


def _results(run: Run) -> dict[str, Any]:
    """Return the hashes of all results of a run, and its summary but for what took how long."""
    files = content.read_manifest(run.path) or {}
    hashes = {name: value for name, value in files.items() if name not in _OWN and name != "config.json"}
    summary = {name: value for name, value in run.metrics().items() if "seconds" not in name}
    return {**hashes, "summary": json.dumps(summary, sort_keys=True), "config": run.choices()}
