"""Pages start runs that nobody trains."""

from __future__ import annotations

import pytest

from grouprec.runs.config import RunConfig
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import jobs


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[RunConfig]:
    """Return the list of configurations that the app asked to train; nothing is trained."""
    asked: list[RunConfig] = []

    def start(store: RunStore, config: RunConfig) -> Run:
        asked.append(config)
        run = store.create(config)
        run.set_status(state=State.RUNNING, stage="prepare")
        return run

    monkeypatch.setattr(jobs, "start", start)
    return asked
