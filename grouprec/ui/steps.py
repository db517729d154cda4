"""A run in five steps that anybody can follow; the stages behind them are a detail of the Train page."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from grouprec.core.language import N_, _

TITLES = (
    N_("Reading the data"),
    N_("Learning tastes"),
    N_("Forming groups"),
    N_("Testing the lists"),
    N_("Finishing"),
)
_FIRST = {"prepare": 0, "folds": 1, "blend": 1, "evaluation": 3, "map": 4, "save": 4}  # of the others: the third
_PASSES = {"judge": 3, "without groups": 3, "refit": 4}


@dataclass(frozen=True)
class Step:
    """One of the five.

    Attributes:
        state: "done", "re-used", "running", "stopped" or "waiting"; English.
        seconds: spent on it so far.
        reused: its stages that were read back from earlier runs.
    """

    title: str
    state: str
    seconds: float
    reused: tuple[str, ...]


def step_of(stage: str) -> int:
    """Return which of the five steps a stage belongs to, 0..4: ``judge: encoder ease`` is a part of the test."""
    fit, _colon, name = stage.rpartition(": ")
    if fit in _PASSES:
        return _PASSES[fit]
    if name.startswith(("encoder ", "search ")):
        return 1
    return _FIRST.get(name, 2)


def title_of(stage: str) -> str:
    """Return the step that a stage belongs to, in words; "starting" before the first."""
    return _(TITLES[step_of(stage)]) if stage else _("Starting")


def steps(stages: pd.DataFrame) -> list[Step]:
    """Return the five steps of a run.

    Args:
        stages: stage, state, seconds, as the Train page lists them.
    """
    which = stages["stage"].map(step_of)
    return [_step(_(title), stages[which == at]) for at, title in enumerate(TITLES)]


def _step(title: str, own: pd.DataFrame) -> Step:
    states = set(own["state"])
    reused = tuple(own.loc[own["state"] == "re-used", "stage"])
    if states & {"running", "stopped"}:
        state = N_("stopped") if "stopped" in states else N_("running")
    elif states == {"re-used"}:
        state = N_("re-used")
    elif states <= {"done", "re-used"} and states:
        state = N_("done")
    else:
        state = "running" if len(states) > 1 else N_("waiting")
    return Step(title, state, float(own["seconds"].sum()), reused)
