"""Every app test runs on a runs folder of its own, with nothing cached from the test before."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st

from grouprec.runs.store import Run, RunStore
from tests.ui.fake_run import build_run


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
