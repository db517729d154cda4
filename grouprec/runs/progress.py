"""How far a run is: a fraction of the whole that means seconds, written to the run folder and shown to a watcher."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from grouprec.core import rights
from grouprec.core.load import pace
from grouprec.runs.store import Run, RunStore, State

if TYPE_CHECKING:
    from grouprec.runs.config import RunConfig

WRITE_EVERY = 0.4  # seconds between two writes of status.json
# Seconds of the steps that train no stage, for preset quick on the bundled sample: only their proportions count, and
# only until a finished run of the same preset gives better ones. Stages declare their own.
USUAL_SECONDS = {
    "prepare": 0.8,
    "folds": 14.0,
    "blend": 13.6,
    "lists": 8.0,
    "live weight": 6.4,
    "number of groups": 6.0,
    "candidates": 6.3,
    "evaluation": 100.0,
    "map": 8.0,
    "save": 2.8,
}

Watch = Callable[[str, float, float | None], None]  # stage, fraction of the run, seconds left


@dataclass
class StageReport:
    """Handed to a stage: call it with the finished fraction and the latest values."""

    progress: Progress
    name: str
    reused: bool = False

    def __call__(self, fraction: float, values: dict[str, float]) -> None:
        self.progress.update(self.name, fraction, values)


@dataclass
class Progress:
    """The plan of a run (stages and their expected seconds) and how much of it is done."""

    run: Run
    plan: dict[str, float]
    watch: Watch | None = None
    prefix: str = ""
    done: dict[str, float] = field(default_factory=dict)  # measured seconds by stage
    _started: float = field(default_factory=time.monotonic)
    _written: float = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[StageReport]:
        """Time a stage, announce its start and its end."""
        shown = self.prefix + name
        self.plan.setdefault(shown, 1.0)
        report, start = StageReport(self, name), time.monotonic()
        self._write(shown, 0.0, force=True)
        with pace() as found:
            yield report
        self.done[shown] = round(time.monotonic() - start, 2)
        took = {"seconds": self.done[shown], "slower": found.slower, "reused": report.reused}
        self.run.add_event(event="stage_done", stage=shown, **took)
        how = "read back from an earlier run" if report.reused else f"{self.done[shown]:.1f} s"
        self.run.add_log(f"{shown}: {how}")
        self._write(shown, 1.0, force=True)

    @contextmanager
    def inside(self, name: str) -> Iterator[None]:
        """Put the stages of the block under a heading of their own: ``refit: profile``."""
        self.prefix = f"{name}: "
        yield
        self.prefix = ""

    def update(self, name: str, fraction: float, values: dict[str, float]) -> None:
        """Record a step inside a stage."""
        shown = self.prefix + name
        self.run.add_event(event="progress", stage=shown, fraction=round(fraction, 4), **values)
        self._write(shown, fraction)

    def note(self, text: str) -> None:
        """Record a remark for people."""
        self.run.add_event(event="note", text=text)
        self.run.add_log(text)

    def seconds(self) -> float:
        return time.monotonic() - self._started

    def stage_seconds(self) -> dict[str, float]:
        return dict(self.done)

    def _write(self, shown: str, fraction: float, force: bool = False) -> None:
        now = time.monotonic()
        if not force and now - self._written < WRITE_EVERY:
            return
        self._written = now
        total = sum(self.plan.values())
        finished = sum(seconds for name, seconds in self.plan.items() if name in self.done)
        current = 0.0 if shown in self.done else fraction * self.plan[shown]
        whole = min((finished + current) / total, 0.999)
        # The plan gives proportions; this run's own pace turns them into seconds.
        left = (1 - whole) * self.seconds() / whole if whole > 0.02 else None
        self.run.set_status(
            state=State.RUNNING, stage=shown, stage_fraction=fraction, fraction=whole, seconds_left=left
        )
        if self.watch is not None:
            self.watch(shown, whole, left)


def make_plan(config: RunConfig, store: RunStore, run: Run | None = None) -> dict[str, float]:
    """Return the expected seconds of every stage: from the latest finished run of that preset, else the usual ones.

    Args:
        run: which is trained: what its owner may not see tells nothing of how long it takes.
    """
    encoders = [f"encoder {name}" for kind, name in config.chosen() if kind == "encoder"]
    fit = [*encoders, "candidates", "groups", "profile", "generator", "updater"]
    tunable = [name for name in encoders if config.search_minutes and name.split()[1] not in config.settings]
    searches = {name.replace("encoder", "search"): config.search_minutes * 60 / len(tunable) for name in tunable}
    names = ["prepare", "folds", *searches, *encoders, "blend", "lists", "updater", "live weight"]
    names += ["number of groups"] if config.n_groups == "auto" else []
    names += [f"judge: {name}" for name in fit]
    names += [] if config.preset == "quick" else ["without groups: profile"]
    if config.refit:
        names += [f"refit: {name}" for name in ("folds", "prepare", *fit)]
    names += ["evaluation", "map", "save"]
    measured = {**_latest_seconds(config, store, run), **searches}
    return {name: measured.get(name) or usual_seconds(name, config) for name in names}


def usual_seconds(step: str, config: RunConfig) -> float:
    """Return the seconds of a step for preset quick on the bundled sample, on the machine of ``USUAL_SECONDS``."""
    stage = config.trained_in(step)
    return USUAL_SECONDS[step.rpartition(": ")[2]] if stage is None else stage.usual_seconds


def _latest_seconds(config: RunConfig, store: RunStore, run: Run | None) -> dict[str, Any]:
    for other in store.runs():
        seen = run is None or rights.may_build_on(other.path, run.path)
        metrics = other.metrics() if seen and other.usable else {}
        if metrics.get("preset") == config.preset and metrics.get("dataset") == config.dataset:
            return metrics.get("stage_seconds", {})
    return {}
