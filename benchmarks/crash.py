"""``python -m benchmarks.crash [--events 10000 --points 20]``: kill -9 in the middle of a stream, again and again.

A process applies a stream of events to a synthetic run and is killed at random points, each time when the ledger has
grown to a number of events; another one is started with the same file, until the file is through. At the end the
state (users, groups, sums, lists) and the exported files must be those of a process that nobody disturbed, bit for
bit. Needs a system that can fork.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.measure import machine
from grouprec.data.synthetic import planted
from grouprec.live.stream import Stream
from grouprec.report.csv import export_stream
from grouprec.runs.store import Run, RunStore
from tests.support.fitted_run import build_fitted_run, make_events


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--events", type=int, default=10_000)
    arguments.add_argument("--points", type=int, default=20)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    print(machine())
    rng = np.random.default_rng(0)
    points = np.sort(rng.choice(np.arange(1, given.events), given.points, replace=False)).tolist()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        data = planted(n_users=1_000, n_items=400, n_groups=8).data
        run = build_fitted_run(RunStore(root / "calm"), data, n_groups=8)
        events = make_events(data, given.events, rng)
        begun = time.perf_counter()
        killed, different = compare(run, events, points, snapshot_every=1_000)
        print(f"killed with {', '.join(map(str, killed))} events in the ledger, {time.perf_counter() - begun:.0f} s")
    print("DIFFERENT: " + ", ".join(different) if different else "identical: state and files, bit for bit")


def compare(run: Run, events: pd.DataFrame, points: list[int], snapshot_every: int) -> tuple[list[int], list[str]]:
    """Apply events to a run and, with kills, to a copy of it.

    Args:
        points: numbers of events in the ledger, ascending, at which the copy's process is killed.
        snapshot_every: events between snapshots.
    Returns:
        how many events the ledger had after every kill, and the names of what differs in the end.
    """
    torn = Run(run.path.parents[1] / "torn" / run.run_id)
    shutil.copytree(run.path, torn.path)
    expected = feed(run, events, snapshot_every)
    killed = []
    for point in points:
        fork = multiprocessing.get_context("fork").Process(target=feed, args=(torn, events, snapshot_every))
        fork.start()
        while fork.is_alive() and _ledger_length(torn.ledger) < point:
            fork.join(timeout=0.001)
        fork.kill()
        fork.join()
        killed.append(_ledger_length(torn.ledger))
    found = feed(torn, events, snapshot_every)
    return killed, [name for name in expected if expected[name] != found.get(name)]


def feed(run: Run, events: pd.DataFrame, snapshot_every: int) -> dict[str, bytes]:
    """Apply events and return the bytes of everything that the state and the exported files then hold."""
    with Stream.open(RunStore(run.path.parent), run) as stream:
        stream.snapshot_every = snapshot_every
        stream.apply(events)
        out = run.path / "out"
        export_stream(stream, out)
        parts = {name: values.tobytes() for name, values in stream.state.arrays().items()}
        return parts | {path.name: path.read_bytes() for path in sorted(out.iterdir())}


def _ledger_length(path: Path) -> int:
    """Return the number of events in a ledger that another process may be writing; 0 before there is one."""
    if not path.exists():
        return 0
    with contextlib.closing(sqlite3.connect(path)) as file:
        try:
            return file.execute("SELECT coalesce(max(sequence), 0) FROM events").fetchone()[0]
        except sqlite3.OperationalError:  # it is just being made
            return 0


if __name__ == "__main__":
    main()
