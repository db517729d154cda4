"""A run that events can be sent to: EASE, k-means groups and a GRU, fitted on planted data in a second.

It has the tables that a stream reads; one trained by the whole pipeline is in small_run.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.core.files import write_json
from grouprec.core.types import Candidates
from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.synthetic import planted
from grouprec.explore.tables import group_lists_table, items_table, user_lists_table, users_table
from grouprec.live import streams
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.kmeans import KMeansGrouper
from grouprec.models.updaters.gru import GruUpdater
from grouprec.ranking.candidates import find_candidates, make_preference
from grouprec.ranking.group_lists import members_mean
from grouprec.runs.config import RunConfig
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run, RunStore

DAY = 86400.0


def build_fitted_run(store: RunStore, data: Dataset, n_groups: int) -> Run:
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


@pytest.fixture(scope="session")
def data() -> Dataset:
    return planted(n_users=60, n_items=40, events_per_user=20).data


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, data: Dataset) -> Run:
    return build_fitted_run(RunStore(tmp_path_factory.mktemp("built")), data, n_groups=3)


@pytest.fixture
def store(runs_root: Path) -> Iterator[RunStore]:
    yield RunStore(runs_root)
    streams.close_all()


@pytest.fixture
def run(built: Run, store: RunStore) -> Run:
    return Run(shutil.copytree(built.path, store.root / built.run_id))
