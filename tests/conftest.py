"""Fixtures that several test files share. One torch thread: tests run side by side, and results stay equal."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import pytest
import streamlit as st
import torch
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from grouprec.runs.store import Run, RunStore
from tests.support.planted_run import build_run
from tests.support.small_run import planted_csv, shared_folder, small_run, unlike_run

__all__ = ["planted_csv", "shared_folder", "small_run", "unlike_run"]

torch.set_num_threads(1)
os.fsync = lambda number: None  # nobody pulls the plug of a test, and what is promised to the disk is asked for by name

# Begun first, so that no worker is left alone with one of them at the end. The browser, which takes longest and often
# only waits, is one piece of work: whichever worker has it does not start it twice at the same time.
SLOWEST = (
    "browser/test_main_job.py",
    "browser/test_pages.py",
    "browser/test_sign_in.py",
    "training/test_jobs.py",
    "cli/test_cli.py",
    "training/test_forgetting.py",
    "training/test_pipeline.py",
    "ui/data/test_page.py",
    "test_contributing.py",
    "runs/test_damage.py",
    "training/test_same_everywhere.py",
    "models/test_together.py",
    "training/test_beside.py",
    "benchmarks/test_fuzz.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest files first; the others keep their order."""
    tests = Path(__file__).parent
    order = {tests / name: place for place, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


class ByFile(LoadFileScheduling):
    """Gives workers a file at a time, and all of the browser's files as one."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if "tests/browser/" in nodeid else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile | None:
    return ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


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
