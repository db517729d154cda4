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
from grouprec.core.files import write_json
from grouprec.core.types import Candidates
from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.synthetic import planted
from grouprec.explore.tables import group_lists_table, items_table, user_lists_table, users_table
from grouprec.live.stream import Stream
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.kmeans import KMeansGrouper
from grouprec.models.updaters.gru import GruUpdater
from grouprec.ranking.candidates import find_candidates, make_preference
from grouprec.ranking.group_lists import members_mean
from grouprec.report.csv import export_stream
from grouprec.runs.config import RunConfig
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run, RunStore

DAY = 86400.0


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
        run = build_run(RunStore(root / "calm"), data, n_groups=8)
        events = make_events(data, given.events, rng)
        begun = time.perf_counter()
        killed, different = compare(run, events, points, snapshot_every=1_000)
        print(f"killed with {', '.join(map(str, killed))} events in the ledger, {time.perf_counter() - begun:.0f} s")
    print("DIFFERENT: " + ", ".join(different) if different else "identical: state and files, bit for bit")


def build_run(store: RunStore, data: Dataset, n_groups: int) -> Run:
    """Return a finished run that takes events: EASE, k-means groups, and a GRU of one epoch, from the training part."""
    options = RunOptions()
    scores = EaseEncoder().fit(data, options).embeddings(data)
    candidates = _as_chances(find_candidates(scores, data.histories, n=50))
    preference = make_preference(candidates)
    grouper = KMeansGrouper().fit(data, preference, n_groups, options)
    updater = GruUpdater(GruUpdater.Config(hidden_size=16, epochs=1)).fit(data, options)
    groups = grouper.groups()
    last = np.full(data.n_users, -np.inf)
    np.maximum.at(last, data.train.user_rows, data.train.times)
    run = store.create(RunConfig(interactions=Path("planted.csv"), grouper="kmeans"))
    names = {}
    for stage in (grouper, updater):
        key = f"{stage.kind} of {data.key}"
        run.save_stage(key, stage.kind, stage.name, stage.config.model_dump(mode="json"), stage.arrays(), {})
        names[stage.kind] = [stage.name, key]
    write_json(run.path / "fitted.json", {"final": names})
    base = FitSnapshot(
        user_ids=data.user_ids,
        item_ids=data.item_ids,
        item_labels=data.item_labels,
        histories=data.histories,
        candidates=candidates,
        labels=groups.labels,
        n_groups=groups.n_groups,
        states=updater.start(data, options),
        last_times=last,
        components=preference.components,
        weight=0.5,
        repeats=False,
    )
    base.save(run.snapshot())
    lists = {"members_mean": members_mean(candidates, groups, data.histories, 0)}
    run.save_table("users", users_table(data, groups, preference.space[:, :2], None))
    run.save_table("items", items_table(data))
    run.save_table("group_lists", group_lists_table(data, groups, candidates, lists))
    run.save_table("user_lists", user_lists_table(data, candidates, None))
    run.save_metrics({"list_method": {"strict": "members_mean", "dedup": "members_mean"}})
    run.write_manifest()
    return run


def _as_chances(candidates: Candidates) -> Candidates:
    scores = np.where(candidates.items >= 0, 1 / (1 + np.exp(2 - 3 * candidates.scores)), 0).astype(np.float32)
    return Candidates(candidates.items, scores, candidates.n_items)


def make_events(data: Dataset, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return a stream after the data: known and new users and items, feedback, and events that come twice."""
    part: Interactions = data.train
    users = np.append(data.user_ids, [f"new user {number}" for number in range(10)])
    items = np.append(data.item_ids, [f"new item {number}" for number in range(5)])
    verdicts = rng.choice(np.array(["", "like", "dislike", "hide"], dtype=object), n, p=[0.94, 0.02, 0.02, 0.02])
    minutes = np.sort(rng.integers(1, n, n))  # some at the same moment
    table = pd.DataFrame(
        {
            "user": users[rng.integers(len(users), size=n)],
            "item": items[rng.integers(len(items), size=n)],
            "time": pd.to_datetime(part.times.max() + DAY + 60.0 * minutes, unit="s", utc=True),
            "behaviour": verdicts,
        }
    )
    table["time"] = table["time"].dt.strftime("%Y-%m-%dT%H:%M:%S")
    table["label"] = np.where(table["item"].str.startswith("new"), "Item 3", "")
    return table.iloc[np.append(np.arange(n), rng.integers(n, size=n // 50))]


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
