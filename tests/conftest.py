"""Fixtures that several test files share. One torch thread: tests run side by side, and results stay equal."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
import torch

from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.runs.store import Run, RunStore
from tests.ui.fake_run import build_run

torch.set_num_threads(1)

# Two encoders, a plain and a deep one, and the smallest settings with which every stage still learns: for tests of
# everything around the stages.
TINY_ENCODERS = ("ease", "dnn")
TINY_SETTINGS = (
    "dnn.epochs=1",
    "dnn.embedding_size=8",
    "vae.epochs=2",
    "gan.epochs=2",
    "gru.epochs=1",
    "lists.n_starts=2",
    "lists.min_group_size=4",
    "data.min_item_users=1",
)
TINY = ("--encoder", ",".join(TINY_ENCODERS), *(f"--set={setting}" for setting in TINY_SETTINGS))  # as a shell says it


@pytest.fixture(autouse=True)
def runs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a runs folder of its own; none can touch the user's."""
    root = tmp_path / "runs"
    monkeypatch.setenv("GROUPREC_RUNS", str(root))
    return root


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


@pytest.fixture(scope="session")
def planted_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small file of users with four planted tastes."""
    data = planted(n_users=80, n_items=60, events_per_user=20).data
    return write_csv(data, tmp_path_factory.mktemp("data") / "planted.csv")


@pytest.fixture
def runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """Return an empty store that the app under test uses too."""
    monkeypatch.setenv("GROUPREC_RUNS", str(tmp_path))
    st.cache_data.clear()
    st.cache_resource.clear()
    return RunStore(tmp_path)


@pytest.fixture
def finished_run(runs_folder: RunStore) -> Run:
    """Return a small, complete, finished run with planted numbers (fake_run.py) in the app's runs folder."""
    return build_run(runs_folder)
