"""A finished run that events can be sent to, made once and copied for every test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.crash import build_run
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.live import streams
from grouprec.runs.store import Run, RunStore


@pytest.fixture(scope="session")
def data() -> Dataset:
    return planted(n_users=60, n_items=40, events_per_user=20).data


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, data: Dataset) -> Run:
    return build_run(RunStore(tmp_path_factory.mktemp("built")), data, n_groups=3)


@pytest.fixture
def store(runs_root: Path) -> Iterator[RunStore]:
    yield RunStore(runs_root)
    streams.close_all()


@pytest.fixture
def run(built: Run, store: RunStore) -> Run:
    return Run(shutil.copytree(built.path, store.root / built.run_id))
