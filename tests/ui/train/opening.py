"""The Train page with runs in all states."""

from __future__ import annotations

import time
from pathlib import Path

from streamlit.testing.v1 import AppTest

from grouprec.runs.config import RunConfig
from grouprec.runs.store import Run, RunStore, State
from tests.ui.opening import visit


def open_train(**query: str) -> AppTest:
    return visit("train", **query)


def some_run(store: RunStore, run_state: State, **status: object) -> Run:
    run = store.create(RunConfig(interactions=Path("x.csv"), title="Half *done*", dataset="x.csv", preset="quick"))
    run.set_status(state=run_state, **status)
    return run


def running(store: RunStore) -> Run:
    run = some_run(store, State.RUNNING, fraction=0.43, stage="profile", seconds_left=57.0, created=time.time())
    run.add_event(event="stage_done", stage="prepare", seconds=3.25, reused=True)
    run.add_event(event="progress", stage="encoder dnn", fraction=0.5, epoch=1, loss=2.5)
    run.add_event(event="progress", stage="encoder dnn", fraction=1.0, epoch=2, loss=2.1)
    return run


def trial_events() -> list[dict]:
    values = [(1, 0.08), (2, 0.11), (3, 0.09)]
    stage = {"event": "progress", "stage": "search ease", "fraction": 0.5}
    return [stage | {"trial": float(n), "validation": value, "l2": 100.0 * n} for n, value in values]
