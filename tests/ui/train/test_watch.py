"""What the Train page makes of a run's events: stages, losses, trials, durations, changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from grouprec.runs.config import RunConfig
from grouprec.runs.progress import make_plan
from grouprec.runs.store import RunStore, State, Status
from grouprec.training.cost import Estimate
from grouprec.training.memory import NO_MEMORY
from grouprec.ui.train import curves, watch
from tests.ui.train.opening import trial_events


def test_stages_are_done_running_stopped_or_waiting() -> None:
    events = [{"event": "stage_done", "stage": "a", "seconds": 1.0}, {"event": "stage_done", "stage": "extra"}]
    status = Status(state=State.RUNNING, stage="b")
    shown = watch.stages(["a", "b", "c"], events, status)
    assert shown["stage"].tolist() == ["a", "extra", "b", "c"]
    assert shown["state"].tolist() == ["done", "done", "running", "waiting"]
    failed = Status(state=State.FAILED, stage="b")
    assert watch.stages(["a", "b", "c"], events, failed)["state"].tolist()[2] == "stopped"


@pytest.mark.parametrize(
    ("stage", "title"),
    [
        ("prepare", "Data"),
        ("blend", "Blend of encoders"),
        ("encoder item_knn", "Item neighbours"),
        ("search als", "Search: ALS"),
        ("judge: encoder ease", "Judge: EASE"),
        ("judge: candidates", "Judge: Everybody's best items"),
        ("refit: updater", "Final: Live updates"),
        ("something new", "Something new"),
    ],
)
def test_stages_have_names_for_people(stage: str, title: str) -> None:
    assert watch.stage_title(stage) == title


def test_every_planned_stage_has_a_title(runs_folder: RunStore) -> None:
    plan = make_plan(RunConfig(interactions=Path("x.csv"), preset="thorough"), runs_folder)
    names = {name.rpartition(": ")[2] for name in plan}
    assert {name for name in names if not name.startswith("encoder ")} <= set(watch.STAGE_TITLES)


def test_trials_of_a_search_are_rows_with_their_settings() -> None:
    events = trial_events()
    frame = curves.trials([*events, *events])["search ease"]  # the second attempt is the one that counts
    assert frame.columns.tolist() == ["trial", "validation", "l2"]
    assert frame["trial"].tolist() == [1, 2, 3]
    assert "3 trials; best nDCG@10 0.110, the preset reaches 0.080" in curves.trials_sentence("search ease", frame)
    assert "the preset is still the best" in curves.trials_sentence("search ease", frame.head(1))
    best = curves.trials_figure(frame).data[1]
    assert list(best.y) == [0.08, 0.11, 0.11]
    assert curves.losses(events) == {}


def test_what_a_run_reads_back_from_itself_is_not_said_to_be_of_earlier_runs() -> None:
    done = [("prepare", True), ("updater", False), ("judge: updater", True), ("judge: groups", True)]
    events = [{"event": "stage_done", "stage": stage, "seconds": 1.0, "reused": reused} for stage, reused in done]
    found = watch.stages([], events, Status(State.DONE)).set_index("stage")["state"]
    assert found.to_dict() == {
        "prepare": "re-used",
        "updater": "done",
        "judge: updater": "done",
        "judge: groups": "re-used",
    }


def test_a_stage_that_starts_again_shows_its_latest_epochs() -> None:
    epochs = [(1, 5.0), (2, 4.0), (1, 3.0)]
    events = [{"event": "progress", "stage": "profile", "epoch": n, "loss": loss, "time": 0.0} for n, loss in epochs]
    events.append({"event": "progress", "stage": "map", "fraction": 0.5})
    frames = curves.losses(events)
    assert list(frames) == ["profile"]
    pd.testing.assert_frame_equal(frames["profile"], pd.DataFrame({"epoch": [1], "loss": [3.0]}))


def test_validation_has_an_axis_of_its_own() -> None:
    figure = curves.loss_figure(pd.DataFrame({"epoch": [1, 2], "loss": [9.0, 8.0], "validation": [0.1, 0.2]}))
    assert [trace.yaxis for trace in figure.data] == ["y", "y2"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 s"),
        (41, "41 s"),
        (300, "5 min"),
        (3900, "65 min"),
        (7500, "2 h 05 min"),
        (50_000, "14 h"),
        (300_000, "3 days"),
    ],
)
def test_durations_read_well(seconds: float, words: str) -> None:
    assert watch.duration(seconds) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (120, 290, "2 to 5 min"),
        (50, 200, "50 s to 3 min"),
        (70, 75, "70 to 75 s"),
        (7500, 9000, "2 h 05 min to 2 h 30 min"),
        (120, 7320, "2 min to 2 h 02 min"),
    ],
)
def test_ranges_of_time_read_well(low: float, high: float, words: str) -> None:
    assert watch.time_range(low, high) == words


def test_an_estimate_says_where_it_comes_from_what_is_reused_and_what_makes_it_longer() -> None:
    cost = Estimate(100.0, 1.5, True, 10**9, 2 * 10**9, "", 40.0, 150.0, 1.6, 2, "Before")
    assert watch.cost_sentence("quick", "x.csv", cost) == "A quick run on x.csv takes 40 s to 2 min on this machine."
    assert watch.basis_sentence(cost, counted=True) == (
        "From earlier runs on this machine. What “Before” has learned of tastes is re-used. 2 of 2 processors are at "
        "work now, so it may take longer. It needs about 1.0 GB of memory; 2.0 GB are free."
    )
    wide = replace(cost, low=840.0, high=24_000.0)
    assert watch.cost_sentence("quick", "x.csv", wide) == (
        "A quick run on x.csv takes 14 min or more: this machine is busy."
    )
    assert "It may take up to 6 h 40 min." in watch.basis_sentence(wide, counted=True)
    assert watch.basis_sentence(wide, counted=True, timed=True).startswith(
        "It takes 14 min or more once it begins. It may take up to 6 h 40 min. From"
    )
    assert "to 6 h 40 min on" in watch.cost_sentence("quick", "x.csv", replace(wide, busy=0.0))
    said = watch.basis_sentence(replace(cost, lasting=0.6, busy=0.6, before=""), counted=True, timed=True)
    assert said.startswith(
        "It takes 40 s to 2 min once it begins. From earlier runs on this machine. 1 of 2 processors have been at work"
    )


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (Status(state=State.LOST), "Resume goes on after the last finished stage."),
        (Status(state=State.CANCELLED), "Resume goes on after the last finished stage."),
        (Status(state=State.FAILED, stage="prepare", message="No rows."), "on the Data page; then train again"),
        (Status(state=State.FAILED, stage="map", message="Unexpected error: KeyError: 1"), "a fault of this program"),
        (Status(state=State.FAILED, stage="prepare", message="Unexpected error: K"), "a fault of this program"),
        (Status(state=State.FAILED, stage="prepare", message=f"{NO_MEMORY}; keep"), "Once that is mended"),
        (Status(state=State.FAILED, stage="map", message="The disk is full."), "Once that is mended: resume goes on"),
        (Status(state=State.DONE), ""),
    ],
)
def test_a_run_that_did_not_finish_says_what_to_do(status: Status, says: str) -> None:
    assert says in watch.what_to_do(status) and bool(says) == bool(watch.what_to_do(status))


def test_why_a_run_failed_is_told_in_words_of_the_page() -> None:
    status = Status(
        state=State.FAILED, stage="prepare", fraction=0.01, message="choose another column with --map time=COLUMN."
    )
    said = watch.ended_sentence("Run", status, None)
    assert said == "“Run” failed at 1\u00a0% while reading the data: choose another column for “Time” under Columns."


def test_a_run_that_came_to_nothing_against_anybodys_will_is_the_headline() -> None:
    at = {"stage": "prepare", "fraction": 0.01}
    assert watch.stopped_headline("Run", Status(state=State.FAILED, **at)) == "“Run” failed while reading the data."
    assert watch.stopped_headline("Run", Status(state=State.LOST, **at)).startswith("“Run” was interrupted while")
    assert watch.stopped_headline("Run", Status(state=State.DAMAGED)) == "“Run” is damaged."
    assert watch.stopped_headline("Run", Status(state=State.CANCELLED)) == ""
    told = Status(state=State.DAMAGED, message="The run x is damaged: metrics.json is cut off.")
    assert watch.ended_sentence("Run", told, None) == told.message, "nothing is damaged at 0 %"


def test_sizes_read_well() -> None:
    assert [watch.size(n) for n in (700e6, 1.43e9, 16.2e9)] == ["700 MB", "1.4 GB", "16 GB"]


def test_changes_name_what_differs_before_and_after() -> None:
    before = {"preset": "quick", "n_groups": 20, "rules": {"diversity": 0.0, "items": []}, "title": "a"}
    after = {"preset": "quick", "n_groups": 30, "rules": {"diversity": 0.5, "items": ["x"]}, "title": "b"}
    assert watch.changes(before, before) == []
    said = watch.changes_sentence(watch.changes(before, after))
    assert said == "Changed: n groups 20 → 30; rules, diversity 0.0 → 0.5; rules, items none → x."
    assert "same run again" in watch.changes_sentence([])
