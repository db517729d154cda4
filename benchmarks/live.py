"""``python -m benchmarks.live [--users 100000 --items 20000 --events 100000]``: what one event costs, on one core.

A base of random users is written, mapped and streamed into: every event goes through the updater, the prediction, the
grouper and the sums, and the strict list of every group that it changes is read. First every user who takes part has
one event, by which they get the memory that is theirs (it grows with the users touched); then events are timed, one
by one, and memory is read ten times on the way.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import torch

from benchmarks.measure import machine
from grouprec.core.types import Candidates
from grouprec.data.dataset import Dataset, Interactions
from grouprec.live.state import LiveState
from grouprec.models.base import REGISTRIES, Grouper
from grouprec.models.fitting import RunOptions
from grouprec.models.updaters.gru import GruUpdater
from grouprec.ranking.candidates import make_preference
from grouprec.runs.snapshot import FitSnapshot

N_CANDIDATES, N_GROUPS, HISTORY = 200, 50, 50
CHECKPOINTS = 10


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--users", type=int, default=100_000)
    arguments.add_argument("--items", type=int, default=20_000)
    arguments.add_argument("--events", type=int, default=100_000)
    arguments.add_argument("--active", type=int, default=20_000, help="users who take part")
    arguments.add_argument("--grouper", default="lists")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    print(machine())
    rng = np.random.default_rng(0)
    data, candidates = make_data(given.users, given.items, rng)
    updater = make_updater(data)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "base.safetensors"
        grouper = save_base(path, data, candidates, updater, given.grouper)
        del candidates
        print(f"base file: {path.stat().st_size / 2**20:,.0f} MiB; {given.grouper}, {grouper.groups().n_groups} groups")
        begun = time.perf_counter()
        state = LiveState(FitSnapshot.load(path), updater, grouper)
        print(f"opened in {time.perf_counter() - begun:.2f} s, {memory():,.0f} MiB")
        active = rng.permutation(given.users)[: given.active]
        state.events(active, rng.integers(0, given.items, len(active)))
        print(f"after a first event of {len(active):,} users: {memory():,.0f} MiB")
        stream(state, rng.choice(active, given.events), draw_items(given.events, given.items, rng))
        print(f"difference of the sums from a recount: {state.difference():.1e}")


def make_data(n_users: int, n_items: int, rng: np.random.Generator) -> tuple[Dataset, Candidates]:
    """Return users of 50 tastes with 50 random items each, and 200 candidates with chances as a blend gives them."""
    users = np.repeat(np.arange(n_users, dtype=np.int32), HISTORY)
    items = draw_items(len(users), n_items, rng).astype(np.int32)
    times = rng.random(len(users)) * 1e7
    part = Interactions(users, items, np.ones(len(users), np.float32), times)
    user_ids, item_ids = (np.arange(n).astype(str).astype(object) for n in (n_users, n_items))
    nothing = Interactions.empty(timed=True)
    attributes = pd.DataFrame({"age": rng.normal(40, 9, n_users)})
    data = Dataset("random", "", user_ids, item_ids, part, nothing, nothing, item_ids, attributes)
    # Half of a user's candidates are near the middle of their taste's part of the catalogue; no item comes twice.
    tastes = rng.integers(0, N_GROUPS, n_users)
    near = (tastes[:, None] * n_items // N_GROUPS + rng.normal(0, n_items / 100, (n_users, N_CANDIDATES))) % n_items
    far = draw_items(near.size, n_items, rng).reshape(near.shape)
    drawn = np.where(rng.random(near.shape) < 0.5, near, far).astype(np.int32)
    drawn = np.sort(drawn, axis=1)
    drawn[:, 1:][drawn[:, 1:] == drawn[:, :-1]] = -1
    chances = np.where(drawn >= 0, 1 / (1 + np.exp(4 - rng.exponential(1.0, drawn.shape))), 0).astype(np.float32)
    order = np.argsort(-chances, axis=1)
    rows = np.arange(n_users)[:, None]
    return data, Candidates(drawn[rows, order], chances[rows, order], n_items)


def draw_items(n: int, n_items: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``n`` items, few of them popular."""
    return (n_items * rng.random(n) ** 3).astype(np.int64)


def make_updater(data: Dataset) -> GruUpdater:
    """Return an updater hardly trained: of 2,000 users, enough for most items to have neighbours."""
    few = replace(data, train=data.train.take(slice(0, 100_000)))
    return GruUpdater(GruUpdater.Config(epochs=1)).fit(few, RunOptions())


def save_base(path: Path, data: Dataset, candidates: Candidates, updater: GruUpdater, grouper_name: str) -> Grouper:
    """Form groups of the users, write the base and return the grouper."""
    preference = make_preference(candidates)
    quick = REGISTRIES["grouper"].get(grouper_name)
    grouper = quick(quick.Config.for_preset("quick")).fit(data, preference, N_GROUPS, RunOptions())
    base = FitSnapshot(
        data.user_ids,
        data.item_ids,
        data.item_labels,
        data.histories,
        candidates,
        grouper.groups().labels,
        grouper.groups().n_groups,
        updater.start(data, RunOptions()),
        np.full(data.n_users, -np.inf),
        preference.components,
        weight=0.5,
        repeats=False,
    )
    base.save(path)
    return grouper


def stream(state: LiveState, users: np.ndarray, items: np.ndarray) -> None:
    """Time every event and the reading of the lists that it changed; print the costs and the memory on the way."""
    seconds, lists, moved = np.zeros(len(users)), np.zeros(len(users)), 0
    used = time.process_time()
    marks = set(np.linspace(0, len(users), CHECKPOINTS + 1, dtype=int)[1:].tolist())
    for n, (user, item) in enumerate(zip(users.tolist(), items.tolist(), strict=True)):
        begun = time.perf_counter()
        change = state.event(user, item)
        middle = time.perf_counter()
        for group in change.groups:
            state.group_list(group, "strict")
        seconds[n], lists[n] = middle - begun, time.perf_counter() - middle
        moved += change.group_before != change.group_after
        if n + 1 in marks:
            print(f"{n + 1:>9,} events: {memory():,.0f} MiB")
    used = (time.process_time() - used) / len(users) * 1000
    for name, values in (("event", seconds), ("event and lists", seconds + lists)):
        p50, p99 = np.quantile(values * 1000, [0.5, 0.99])
        print(f"{name}: p50 {p50:.2f} ms, p99 {p99:.2f} ms; {1 / values.mean():,.0f} a second")
    print(f"processor time of an event with its lists: {used:.2f} ms; moved to another group: {moved:,}")


def memory() -> float:
    """Return this process's resident memory in MiB, the mapped base included."""
    return psutil.Process().memory_info().rss / 2**20


if __name__ == "__main__":
    main()
