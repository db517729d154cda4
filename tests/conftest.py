"""Fixtures that several test files share. One torch thread: tests run side by side, and results stay equal."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import pytest
import streamlit as st
import torch
from hypothesis import settings

from grouprec.runs.store import Run, RunStore
from tests.support.planted_run import build_run
from tests.support.small_run import planted_csv, shared_folder, small_run, unlike_run

__all__ = ["planted_csv", "shared_folder", "small_run", "unlike_run"]

if hasattr(os, "nice"):  # trainings yield at 10: a browser that waits for one would wait until all other tests are done
    os.nice(max(9 - os.nice(0), 0))
torch.set_num_threads(1)
settings.register_profile("tests", deadline=None)  # what a busy machine delays is not wrong
settings.load_profile("tests")
os.fsync = lambda number: None  # nobody pulls the plug of a test, and what is promised to the disk is asked for by name

# Begun first, so that no worker is left alone with one of them at the end. Four workers begin with the first four and
# then take one each in this order, so at most two have a browser, which often only waits.
SLOWEST = (
    "browser/test_pages.py",
    "browser/test_main_job.py",
    "training/test_pipeline.py",
    "training/test_forgetting.py",
    "benchmarks/test_fuzz.py",
    "browser/test_sign_in.py",
    "ui/data/test_page.py",
    "training/test_jobs.py",
    "training/test_queue.py",
    "training/test_same_everywhere.py",
    "data/test_containers.py",
    "data/test_exports.py",
    "cli/test_cli.py",
    "test_contributing.py",
    "test_patterns.py",
    "training/test_beside.py",
    "runs/test_damage.py",
    "models/test_together.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first; the others keep their order."""
    tests = Path(__file__).parent
    order = {tests / name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


@pytest.fixture(autouse=True)
def runs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has a runs folder of its own; none can touch the user's."""
    root = tmp_path / "runs"
    monkeypatch.setenv("GROUPREC_RUNS", str(root))
    return root


@pytest.fixture
def runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """Return an empty store that the app under test uses too."""
    monkeypatch.setenv("GROUPREC_RUNS", str(tmp_path))
    st.cache_data.clear()
    st.cache_resource.clear()
    return RunStore(tmp_path)


@pytest.fixture
def finished_run(runs_folder: RunStore) -> Run:
    """Return a small, complete, finished run with planted numbers (planted_run.py) in the app's runs folder."""
    return build_run(runs_folder)
