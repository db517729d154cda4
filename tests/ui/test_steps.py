"""The five steps of a run: every stage belongs to one, and they say how far each is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from grouprec.runs.config import RunConfig
from grouprec.runs.progress import make_plan
from grouprec.runs.store import RunStore
from grouprec.ui.steps import TITLES, step_of, steps, title_of


@pytest.mark.parametrize("preset", ["quick", "standard", "thorough"])
def test_the_plan_of_a_run_goes_through_the_five_steps_in_order(preset: str, runs_folder: RunStore) -> None:
    config = RunConfig(interactions=Path("x.csv"), preset=preset, search_minutes=3.0)  # type: ignore[arg-type]
    beside = {stage: step_of(stage) for stage in make_plan(config, runs_folder)}
    once = list(
        {stage: step_of(stage) for stage in make_plan(config.model_copy(update={"refit": False}), runs_folder)}.values()
    )
    assert once == sorted(once) and set(once) == set(range(5))
    assert beside.pop("evaluation") == 3, "made beside the final fit: what is left of it comes after that"
    assert list(beside.values()) == sorted(beside.values())


def test_a_stage_is_told_by_its_step() -> None:
    assert title_of("judge: encoder ease") == title_of("evaluation") == "Testing the lists"
    assert (title_of("search als"), title_of("refit: prepare"), title_of("")) == (TITLES[1], TITLES[4], "Starting")


def test_steps_are_done_reused_running_or_waiting() -> None:
    rows = [
        ("prepare", "re-used", 1.0),
        ("encoder ease", "re-used", 0.1),
        ("blend", "done", 4.0),
        ("lists", "done", 1.0),
        ("live weight", "waiting", None),
        ("judge: groups", "waiting", None),
        ("map", "waiting", None),
    ]
    found = steps(pd.DataFrame(rows, columns=["stage", "state", "seconds"]).astype({"seconds": float}))
    assert [step.title for step in found] == list(TITLES)
    assert [step.state for step in found] == ["re-used", "done", "running", "waiting", "waiting"]
    assert found[1].seconds == pytest.approx(4.1) and found[1].reused == ("encoder ease",)
    stopped = steps(pd.DataFrame([("map", "stopped", None)], columns=["stage", "state", "seconds"]))
    assert stopped[4].state == "stopped" and stopped[0].state == "waiting"
