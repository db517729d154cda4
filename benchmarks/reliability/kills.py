"""kill -9 of a training, of the server that started it, and of both, at random moments.

All processes are forks of this one, which has loaded the libraries: the command that a server starts does all that it
does, but for the ten seconds in which Python and torch load.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch

from grouprec.cli.main import main
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
    importlib.import_module("grouprec.training.pipeline")  # a training loads it when it begins: forks have it
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
        if state not in FINISHED and whom == "server":  # the training goes on, or begins with the next server
            _watched(store, run)
        elif state is not State.DONE:
            _join(_FORK.Process(target=_train, args=(store, run)))
        if run.status().state is not State.DONE:
            counts["not continued"] += 1
            print(f"{run.path}: {run.status()}\n{run.log()}")
        elif other := _differences(_results(run), expected):
            counts["different"] += 1
            print(f"{run.path}: {other}")
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
    run = store.create(_config(file), place=1.0)
    _watched(store, run)
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
    run = _only(store)
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


def _only(store: RunStore) -> Run:
    """Return the run that a server makes, as soon as it is there."""
    while not store.runs():
        time.sleep(0.001)
    return store.runs()[0]


def _train(store: RunStore, run: Run) -> None:
    """Train in a process of its own session, as a shell or the server starts it."""
    os.setsid()
    jobs.train_here(store, run)


def _serve(store: RunStore, file: Path | None) -> None:
    """Be a server: train a file where one is given, and what waits."""
    subprocess.Popen = _Forked
    if file is not None:
        jobs.start(store, _config(file))
    jobs.active(store)
    signal.pause()


class _Forked:
    """Stands for :class:`subprocess.Popen` of a ``python -m grouprec ...`` that is a session of its own."""

    def __init__(self, command: list[str], stdout: IO[bytes], env: dict[str, str], **_: Any) -> None:
        self.returncode: int | None = None
        self.pid = os.fork()
        if self.pid:
            return
        os.setsid()
        for number in (1, 2):
            os.dup2(stdout.fileno(), number)
        os.environ.update(env)
        sys.argv = ["grouprec", *command[3:]]
        try:
            main()
        except SystemExit as stop:
            os._exit(int(stop.code or 0))
        finally:
            os._exit(1)

    def wait(self) -> int:
        self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode


def _watched(store: RunStore, run: Run) -> None:
    """Return when a run has ended below a server that begins now."""
    server = _FORK.Process(target=_serve, args=(store, None))
    server.start()
    while jobs.refresh(run).state not in FINISHED:
        time.sleep(0.05)
    server.kill()
    server.join()


def _join(process: Any) -> None:
    process.start()
    process.join()


def _differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    return sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))


def _results(run: Run) -> dict[str, Any]:
    """Return the hashes of all results of a run, and its summary but for what took how long."""
    files = content.read_manifest(run.path) or {}
    hashes = {name: value for name, value in files.items() if name not in _OWN and name != "config.json"}
    summary = {name: value for name, value in run.metrics().items() if "seconds" not in name}
    return {**hashes, "summary": json.dumps(summary, sort_keys=True), "config": run.choices()}
