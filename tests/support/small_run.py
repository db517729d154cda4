"""Two small runs, trained by the whole pipeline once per suite: the first worker that asks trains, the others wait.

They are shared: a test that writes into one copies it (:func:`copy_of`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.runs.config import make_config, parse_settings
from grouprec.runs.store import Run, RunStore
from grouprec.training.jobs import train_here

# Two encoders, a plain and a deep one, and the smallest settings with which every stage still learns: for tests of
# everything around the stages.
TINY_ENCODERS = ("ease", "dnn")
TINY_SETTINGS = (
    "dnn.epochs=1",
    "dnn.embedding_size=8",
    "vae.epochs=2",
    "gan.epochs=2",
    "gan.steps=5",
    "gru.epochs=1",
    "lists.n_starts=2",
    "lists.min_group_size=4",
    "data.min_item_users=1",
)
# As a shell says it. The map is PCA: UMAP compiles for half a minute in a process; test_user_map.py has the real one.
TINY = ("--layout=pca", "--encoder", ",".join(TINY_ENCODERS), *(f"--set={setting}" for setting in TINY_SETTINGS))


def small_data() -> Dataset:
    """Return 80 users with four planted tastes for 60 items."""
    return planted(n_users=80, n_items=60, events_per_user=20).data


def write_csv(data: Dataset, path: Path) -> Path:
    """Write all rows of a dataset as a file that a user could have: ids, times, labels."""
    parts = [data.train, data.validation, data.test]
    users = np.concatenate([part.user_rows for part in parts])
    items = np.concatenate([part.item_rows for part in parts])
    times = np.concatenate([part.times for part in parts if part.times is not None])
    frame = pd.DataFrame(
        {
            "user_id": data.user_ids[users],
            "item_id": data.item_ids[items],
            "quantity": 1,
            "timestamp": pd.to_datetime(times, unit="s", utc=True).strftime("%Y-%m-%d %H:%M:%S"),
            "title": data.item_labels[items],
            "region": data.user_attributes["region"].to_numpy()[users],
        }
    )
    frame.sort_values("timestamp", kind="stable").to_csv(path, index=False)
    return path


def write_items(data: Dataset, path: Path) -> Path:
    """Write category and embedding of the items, and of four more that nobody has, one of every taste."""
    category = data.item_attributes["category"].tolist()
    tastes = sorted(set(category))
    vectors = np.eye(len(tastes))[[tastes.index(one) for one in (*category, *tastes)]]
    frame = pd.DataFrame({"item_id": [*data.item_ids, *(f"new {one}" for one in tastes)]})
    frame.assign(kind=[*category, *tastes], embedding=list(vectors + 0.1)).to_parquet(path)
    return path


def train(store: RunStore, file: Path, **choices: Any) -> Run:
    """Train a run of four groups in this process, with the tiny settings unless other ones are given."""
    usual = {"interactions": file, "preset": "quick", "encoders": TINY_ENCODERS, "n_groups": 4, "device": "cpu"}
    usual |= {"layout": "pca", "settings": parse_settings(TINY_SETTINGS)}
    run = store.create(make_config(**(usual | choices)))
    train_here(store, run)
    return run


def copy_of(run: Run, store: RunStore) -> Run:
    """Return a copy of a run in another store."""
    return Run(shutil.copytree(run.path, store.root / run.run_id))


# -- fixtures


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of the session see, and no other session."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def planted_csv(shared_folder: Path) -> Path:
    """A small file of users with four planted tastes."""
    file = shared_folder / "planted.csv"
    with FileLock(f"{file}.lock"):
        return file if file.exists() else write_csv(small_data(), file)


@pytest.fixture(scope="session")
def small_run(shared_folder: Path, planted_csv: Path) -> Run:
    """Return the usual run: preset quick, four groups, users' attributes, times."""
    return _once(shared_folder / "small_run", lambda store: train(store, planted_csv))


def write_edges(data: Dataset, path: Path) -> Path:
    """Write a file in which everybody knows the user after them."""
    pd.DataFrame({"user": data.user_ids[:-1], "friend": data.user_ids[1:]}).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def unlike_run(shared_folder: Path, planted_csv: Path) -> Run:
    """Return a run that chose otherwise where it could: no EASE, no times, repeats, dedup, auto groups by rules, items
    that nobody has, and who knows whom."""
    tiny = [setting for setting in TINY_SETTINGS if not setting.startswith("lists.")]
    listed = ["rules.owned_share=0.5", "rules.label_words=Item 3", "rules.min_group_size=4", "rules.new_items=1"]
    choices: dict[str, Any] = {
        "preset": "standard",
        "encoders": ("item_knn", "dnn"),
        "n_groups": "auto",
        "regime": "dedup",
        "repeats": True,
        "grouper": "rules",
        "roles": {"time": ""},
        "items": write_items(small_data(), shared_folder / "planted_items.parquet"),
        "edges": write_edges(small_data(), shared_folder / "planted_edges.csv"),
        "settings": parse_settings([*tiny, *listed]),
    }
    return _once(shared_folder / "unlike_run", lambda store: train(store, planted_csv, **choices))


def _once(folder: Path, make: Callable[[RunStore], Run]) -> Run:
    """Return the run of a folder; made by whoever asks first."""
    store = RunStore(folder)
    with FileLock(f"{folder}.lock"):
        made = [run for run in store.runs() if run.finished]
        return made[0] if made else make(store)
