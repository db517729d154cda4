"""How far a run is: by a clock that tests set, in its status, its events, its log and what a watcher hears."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grouprec.core import rights
from grouprec.runs import progress as module
from grouprec.runs.config import RunConfig, make_config
from grouprec.runs.progress import Progress, make_plan
from grouprec.runs.store import Run, RunStore, State


class Clock:
    now = 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return RunStore(tmp_path / "runs").create(quick())


def quick(**choices: Any) -> RunConfig:
    return make_config(**{"interactions": Path("file.csv"), "preset": "quick", "encoders": ("ease",), **choices})


def told(run: Run) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if name != "time"} for event in run.events()]


def test_a_stage_is_announced_timed_and_ended(run: Run, clock: Clock) -> None:
    heard: list[tuple] = []
    progress = Progress(run, {"a": 3.0, "b": 1.0}, lambda *words: heard.append(words), _started=2.0)
    clock.now = 10.0
    with progress.stage("a"):
        status = run.status()
        assert (status.state, status.stage, status.stage_fraction) == (State.RUNNING, "a", 0)
        assert (status.fraction, status.seconds_left) == (0, None)
        clock.now = 12.126
    assert progress.stage_seconds() == {"a": 2.13} and progress.stage_seconds() is not progress.done
    assert progress.seconds() == pytest.approx(10.126)
    event = told(run)[0]
    assert event.pop("slower") >= 1.0
    assert event == {"event": "stage_done", "stage": "a", "seconds": 2.13, "reused": False}
    assert run.log()[9:] == "a: 2.1 s"
    status = run.status()
    assert (status.stage, status.stage_fraction, status.fraction) == ("a", 1, 0.75)
    assert status.seconds_left == pytest.approx(10.126 / 3)
    assert heard == [("a", 0, None), ("a", 0.75, status.seconds_left)]


def test_the_next_stage_is_announced_however_soon_it_comes(run: Run, clock: Clock) -> None:
    progress = Progress(run, {"a": 1.0, "b": 1.0})
    with progress.stage("a"):
        pass
    with progress.stage("b"):
        assert (run.status().stage, run.status().stage_fraction) == ("b", 0)


def test_a_stage_that_is_read_back_says_so(run: Run) -> None:
    with Progress(run, {}).stage("a") as report:
        report.reused = True
    assert told(run)[0]["reused"] is True
    assert run.log()[9:] == "a: read back from an earlier run"


def test_steps_are_all_events_and_written_now_and_then(run: Run, clock: Clock) -> None:
    heard: list[float] = []
    progress = Progress(run, {"a": 2.0, "b": 2.0}, lambda _, whole, __: heard.append(whole), _started=0.0)
    for clock.now, fraction in ((0.39, 0.1), (0.4, 0.2), (0.7, 0.3), (0.9, 0.123456)):
        progress.update("a", fraction, {"loss": fraction * 10})
    assert heard == [0.1, pytest.approx(0.123456 / 2)]
    assert told(run)[0] == {"event": "progress", "stage": "a", "fraction": 0.1, "loss": 1.0}
    assert [event["fraction"] for event in told(run)] == [0.1, 0.2, 0.3, 0.1235]


def test_the_first_step_is_written_half_a_second_after_the_clock_began(run: Run, clock: Clock) -> None:
    clock.now = 0.5
    Progress(run, {"a": 1.0}, _started=0.0).update("a", 0.5, {})
    assert run.status().fraction == 0.5


def test_a_report_is_a_step_of_its_stage(run: Run) -> None:
    with Progress(run, {"a": 1.0}).stage("a") as report:
        report(0.25, {"loss": 2.0})
    assert told(run)[0] == {"event": "progress", "stage": "a", "fraction": 0.25, "loss": 2.0}


@pytest.mark.parametrize(
    ("fraction", "whole", "left"),
    [(0.02, 0.02, None), (0.03, 0.03, 0.97 / 0.03 * 5), (0.5, 0.5, 5.0), (1, 0.999, 5 / 999)],
)
def test_seconds_are_foretold_after_two_per_cent_and_nothing_is_ever_whole(
    run: Run, clock: Clock, fraction: float, whole: float, left: float | None
) -> None:
    clock.now = 5.0
    Progress(run, {"a": 1.0}, _started=0.0).update("a", fraction, {})
    assert run.status().fraction == whole
    assert run.status().seconds_left == (left if left is None else pytest.approx(left))


def test_a_stage_beside_the_plan_counts_one_second_and_a_step_after_its_end_nothing(run: Run, clock: Clock) -> None:
    progress = Progress(run, {"a": 3.0}, _started=0.0)
    with progress.stage("b"):
        pass
    assert progress.plan == {"a": 3.0, "b": 1.0} and run.status().fraction == 0.25
    clock.now = 1.0
    progress.update("b", 0.5, {})
    assert run.status().fraction == 0.25


def test_stages_inside_stand_under_a_heading_and_later_ones_do_not(run: Run) -> None:
    progress = Progress(run, {})
    with progress.inside("refit"), progress.stage("a"):
        progress.update("a", 0.5, {})
    with progress.stage("a"):
        pass
    assert [event["stage"] for event in told(run)] == ["refit: a", "refit: a", "a"]
    assert list(progress.done) == ["refit: a", "a"] and run.status().stage == "a"


def test_a_note_is_an_event_and_a_line_of_the_log(run: Run) -> None:
    Progress(run, {}).note("a word")
    assert told(run) == [{"event": "note", "text": "a word"}] and run.log()[9:] == "a word"


FIT = {"encoder ease": 2.6, "candidates": 6.3, "groups": 0.8, "profile": 13.0, "generator": 17.6, "updater": 19.4}
PLAN = {
    **{
        "prepare": 0.8,
        "folds": 14.0,
        "encoder ease": 2.6,
        "blend": 13.6,
        "lists": 8.0,
        "updater": 19.4,
        "live weight": 6.4,
    },
    **{"number of groups": 6.0},
    **{f"judge: {name}": seconds for name, seconds in FIT.items()},
    **{f"refit: {name}": seconds for name, seconds in {"folds": 14.0, "prepare": 0.8, **FIT}.items()},
    **{"evaluation": 100.0, "map": 8.0, "save": 2.8},
}


def test_a_plan_names_the_stages_in_their_order_with_the_usual_seconds(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    assert list(make_plan(quick(refit=True), store).items()) == list(PLAN.items())
    short = make_plan(quick(n_groups=3), store)
    assert short == {name: PLAN[name] for name in PLAN if name != "number of groups" and "refit" not in name}
    standard = make_plan(quick(preset="standard", n_groups=3), store)
    assert standard["without groups: profile"] == 13.0, "quick does without"


def test_encoders_take_as_long_as_they_did_on_the_sample(tmp_path: Path) -> None:
    plan = make_plan(quick(encoders=("auto",), preset="thorough", search_minutes=0), RunStore(tmp_path))
    assert {name[8:]: seconds for name, seconds in plan.items() if name.startswith("encoder ")} == {
        **{"ease": 2.6, "elsa": 10.0, "als": 1.6, "item_knn": 1.0, "user_knn": 3.0, "mf": 8.0, "graph": 10.0},
        **{"dnn": 15.0, "lstm": 30.0, "transitions": 3.8, "transformer": 30.0},
    }


def test_the_search_shares_its_minutes_among_encoders_without_settings_of_their_own(tmp_path: Path) -> None:
    config = quick(encoders=("ease", "als", "mf"), search_minutes=2, settings={"als": {"regularization": 1}})
    config = config.model_copy(update={"settings": {"als": {}}})
    plan = make_plan(config, RunStore(tmp_path))
    assert list(plan)[:5] == ["prepare", "folds", "search ease", "search mf", "encoder ease"]
    assert plan["search ease"] == plan["search mf"] == 60


def test_a_plan_takes_the_seconds_of_the_latest_finished_run_like_it(tmp_path: Path) -> None:
    store = RunStore(tmp_path)

    def trained(name: str, preset: str, dataset: str, seconds: float, finished: bool = True) -> None:
        run = Run(store.create(quick()).path.rename(tmp_path / name))
        times = {"blend": seconds, "map": 0.0, "search ease": 1.0}
        run.save_metrics({"preset": preset, "dataset": dataset, "stage_seconds": times})
        if finished:
            run.write_manifest()

    trained("1", "quick", "songs", 1.0)
    trained("2", "quick", "songs", 2.0)
    trained("3", "quick", "films", 3.0)
    trained("4", "standard", "songs", 4.0)
    trained("5", "standard", "films", 5.0)
    trained("6", "quick", "songs", 6.0, finished=False)
    plan = make_plan(quick(dataset="songs", search_minutes=1), store)
    assert (plan["blend"], plan["map"], plan["search ease"]) == (2, 8, 60)
    assert make_plan(quick(dataset="books"), store)["blend"] == 13.6


def test_what_another_one_keeps_private_tells_nothing_of_how_long_a_run_takes(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    theirs, mine = store.create(quick(dataset="songs")), store.create(quick(dataset="songs"))
    theirs.save_metrics({"preset": "quick", "dataset": "songs", "stage_seconds": {"blend": 2.0}})
    theirs.write_manifest()
    rights.give(theirs.path, "ann@example.com")
    rights.give(mine.path, "bob@example.com")
    assert make_plan(mine.config(), store, mine)["blend"] == 13.6
    rights.give(theirs.path, "ann@example.com", shared=True)
    assert make_plan(mine.config(), store, mine)["blend"] == 2.0
