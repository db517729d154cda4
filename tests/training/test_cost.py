"""What a run will cost: honest against a real run, growing with the data, and advice where it does not fit."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grouprec.cli.training import refuse_too_large
from grouprec.core.load import Load
from grouprec.data.library import Library
from grouprec.runs.config import RunConfig, make_config
from grouprec.runs.store import Run, RunStore
from grouprec.training import cost as estimate
from grouprec.training import size as sizes
from grouprec.training.size import SAMPLE, Size
from tests.support.commands import call
from tests.support.small_run import copy_of

ASKED = 1.0  # a machine as fast as the known one


@pytest.fixture
def store(runs_root: Path) -> RunStore:
    return RunStore(runs_root)


WIDE = {"ease": {"max_items": 20_000}}  # whole EASE, whatever it takes


def config(preset: str = "quick", **choices: object) -> RunConfig:
    return make_config(interactions=Path("x.csv"), preset=preset, **choices)


def cost(size: Size, store: RunStore, preset: str = "quick", **choices: object) -> estimate.Estimate:
    return estimate.estimate(config(preset, **choices), size, store, lambda: ASKED)


@pytest.mark.parametrize("name", ["n_users", "n_items", "n_rows", "n_raw"])
@pytest.mark.parametrize("preset", ["quick", "standard", "thorough"])
def test_more_data_never_costs_less(store: RunStore, name: str, preset: str) -> None:
    times = (1, 1.5, 2) if name == "n_items" else (1, 2, 4)  # with more items EASE gives way, and memory falls
    found = [cost(replace(SAMPLE, **{name: int(getattr(SAMPLE, name) * one)}), store, preset) for one in times]
    assert found[0].seconds <= found[1].seconds <= found[2].seconds
    assert found[0].memory <= found[1].memory <= found[2].memory


def test_more_thorough_presets_and_slower_machines_take_longer(store: RunStore) -> None:
    quick, standard, thorough = (cost(SAMPLE, store, preset).seconds for preset in ("quick", "standard", "thorough"))
    assert quick < standard < thorough
    slow = estimate.estimate(config(), SAMPLE, store, lambda: 0.5)
    assert slow.seconds == pytest.approx(2 * quick, rel=0.05)
    assert not slow.measured and slow.factor > 2


def test_the_time_of_a_search_is_added(store: RunStore) -> None:
    without, with_search = (cost(SAMPLE, store, search_minutes=minutes).seconds for minutes in (0, 12))
    assert with_search == pytest.approx(without + 720)


def test_an_estimate_is_near_what_the_same_run_took_before(store: RunStore, small_run: Run) -> None:
    choices = small_run.config()
    size = sizes.size_of(choices.interactions, {}, 1)
    before = estimate.estimate(choices, size, store)
    done = [event for event in copy_of(small_run, store).events() if event["event"] == "stage_done"]
    real = sum(event["seconds"] / event["slower"] for event in done)
    after = estimate.estimate(choices, size, store)
    assert real / 2 < after.seconds < real * 2
    assert (before.measured, after.measured) == (False, True)
    assert after.factor < before.factor


def test_what_an_earlier_run_learned_lowers_the_range_and_load_raises_it(
    store: RunStore, small_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "at_work", lambda: Load(0.0, 0.0, 2))
    copy_of(small_run, store)
    choices = small_run.config()
    size = sizes.size_of(choices.interactions, {}, 1)
    again = estimate.estimate(choices.model_copy(update={"n_groups": 3}), size, store)
    other = estimate.estimate(choices.model_copy(update={"seed": 5}), size, store)
    assert (again.before, other.before) == (small_run.title(), "")
    copied = Path(shutil.copy(choices.interactions, store.root / "uploaded.csv"))
    assert estimate.estimate(choices.model_copy(update={"interactions": copied}), size, store).before == again.before
    assert again.low < other.low < other.seconds < other.high
    monkeypatch.setattr(estimate, "at_work", lambda: Load(2.0, 0.0, 2))
    sudden = estimate.estimate(choices, size, store)
    assert sudden.high == pytest.approx(2 * again.high) and sudden.low < again.high
    monkeypatch.setattr(estimate, "at_work", lambda: Load(2.0, 2.0, 2))
    lasting = estimate.estimate(choices, size, store)
    assert lasting.low == pytest.approx(2 * sudden.low) and lasting.high == sudden.high


def test_runs_on_data_of_another_size_are_not_asked(store: RunStore, planted_csv: Path) -> None:
    assert estimate._ratio(replace(SAMPLE, n_items=80), SAMPLE) > estimate.SIMILAR
    assert estimate._ratio(SAMPLE, replace(SAMPLE, n_users=8000)) < estimate.SIMILAR


def test_runs_on_data_of_the_same_size_are_asked_before_newer_ones_of_another(store: RunStore) -> None:
    """Much of what a small run takes does not grow; grown to ten times the data it would be an hour instead of one."""

    size = Size(4000, 1000, 200_000, 200_000)
    newest, same, older = past_run(500, seconds=5), past_run(4000, seconds=6), past_run(4000, seconds=7)
    assert estimate._known_seconds(config(), size, [newest, same, older])["lists"] == 6
    assert estimate._known_seconds(config(), size, [newest])["lists"] == 40


def test_what_other_work_slowed_a_run_down_by_is_no_part_of_what_the_next_one_takes() -> None:
    size = Size(4000, 1000, 200_000, 200_000)
    assert estimate._known_seconds(config(), size, [past_run(4000, seconds=120, slower=6.0)])["lists"] == 20
    assert estimate._known_seconds(config(), size, [past_run(4000, seconds=120)], usual=3.0)["lists"] == 40


def past_run(n_users: int, **lists: float) -> Any:
    """Return a finished run of that size and what it says of its stage of lists."""
    metrics = {"n_users": n_users, "n_items": 1000, "n_interactions": 50 * n_users, "device_title": "CPU"}
    done = [{"event": "stage_done", "stage": "lists", **lists}]
    return SimpleNamespace(usable=True, metrics=lambda: metrics, events=lambda: done, choices=dict)


def test_what_does_not_fit_is_said_with_what_would(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    large = Size(100_000, 20_000, 5_000_000, 5_000_000)
    monkeypatch.setattr(estimate, "free_memory", lambda: 24 * 10**9)
    assert cost(large, store, preset="standard", settings=WIDE).advice == ""
    monkeypatch.setattr(estimate, "free_memory", lambda: 10 * 10**9)
    assert "without EASE" in cost(large, store, preset="standard", settings=WIDE).advice
    monkeypatch.setattr(estimate, "free_memory", lambda: 6 * 10**9)
    found = cost(large, store, preset="standard", settings=WIDE, encoders=("ease",)).advice
    assert "fits" in found
    monkeypatch.setattr(estimate, "free_memory", lambda: 10**9)
    assert "needs a machine with" in cost(large, store, preset="standard", settings=WIDE).advice


def test_the_number_of_items_that_would_fit_is_a_whole_one(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    large = Size(100_000, 20_000, 5_000_000, 5_000_000)
    enough = estimate.memory(config(encoders=("elsa",)), replace(large, n_items=10_000)) / estimate.RESERVE
    monkeypatch.setattr(estimate, "free_memory", lambda: int(enough) + 1)
    assert cost(large, store, encoders=("elsa",)).advice.startswith("It fits with about 10,000 items:")


def test_ease_on_too_many_items_is_refused_before_the_start_and_left_out_by_itself(store: RunStore) -> None:
    wide = Size(1000, 30_000, 100_000, 100_000)
    assert "at most 10,000 items" in cost(wide, store, preset="standard", encoders=("ease",)).advice
    assert cost(wide, store).advice == ""


def test_the_size_of_the_sample_is_the_one_that_is_kept_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sizes, "COUNTED_ROWS", 1_000_000)
    sample = Library(tmp_path).sample()
    counted = sizes.size_of(sample.interactions, {}, 3)
    assert counted.n_raw == SAMPLE.n_raw and counted.counted and counted.timed
    assert counted.n_users == pytest.approx(SAMPLE.n_users, rel=0.2)
    assert counted.n_items == pytest.approx(SAMPLE.n_items, rel=0.2)
    assert counted.n_rows == pytest.approx(SAMPLE.n_rows, rel=0.2)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("by_user", [True, False])
def test_a_large_file_is_extrapolated_from_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, by_user: bool
) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"user": rng.integers(0, 800, 40_000), "item": rng.integers(0, 300, 40_000)}).astype("str")
    frame = frame.sort_values("user") if by_user else frame
    file = tmp_path / f"large.{suffix}"
    frame.to_csv(file, index=False) if suffix == "csv" else frame.to_parquet(file)
    monkeypatch.setattr(sizes, "COUNTED_ROWS", 10_000)
    size = sizes.size_of(file, {}, 1)
    assert not size.counted
    assert size.n_raw == pytest.approx(40_000, rel=0.1)
    assert size.n_users == pytest.approx(800, rel=0.1)
    assert size.n_items == pytest.approx(300, rel=0.1)
    assert size.n_rows == pytest.approx(len(frame.drop_duplicates()), rel=0.1)


def test_items_that_few_have_in_the_first_rows_are_not_taken_for_ever_new_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    users, items = np.arange(80_000) // 20, rng.integers(0, 3000, 80_000)  # user after user
    file = tmp_path / "rare.csv"
    pd.DataFrame({"user": users, "item": items}).to_csv(file, index=False)
    monkeypatch.setattr(sizes, "COUNTED_ROWS", 5000)
    guessed, counted = (sizes.size_of(file, {}, 3, whole=whole) for whole in (False, True))
    assert (guessed.counted, counted.counted) == (False, True)
    assert (counted.n_users, counted.n_items) == (4000, 3000)
    assert 0.5 * counted.n_items < guessed.n_items < 3 * counted.n_items  # of the first rows alone: 16 times as many


def test_a_guess_refuses_nothing(planted_csv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = RunConfig(interactions=planted_csv)

    def sized(*_file: object, whole: bool = False) -> Size:
        return SAMPLE if whole else replace(SAMPLE, n_items=10**7, counted=False)

    monkeypatch.setattr(sizes, "size_of", sized)
    assert estimate.refusal(asked, sized())
    refuse_too_large(asked)


def test_calibration_is_short_and_positive() -> None:
    assert 0.01 < estimate.calibrate() < 100


def test_what_the_machine_could_never_hold_is_refused_and_what_may_become_free_is_not(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = Size(100_000, 20_000, 5_000_000, 5_000_000)
    need = estimate.memory(estimate._with_encoders(config("standard", settings=WIDE), large), large)
    monkeypatch.setattr(estimate, "free_memory", lambda: 10**9)
    monkeypatch.setattr(estimate, "all_memory", lambda: need)
    assert (
        estimate.refusal(config("standard", settings=WIDE), large) == ""
        and not cost(large, store, "standard", settings=WIDE).refused
    )
    monkeypatch.setattr(estimate, "all_memory", lambda: 8 * 10**9)
    told = estimate.refusal(config("standard", settings=WIDE), large)
    assert told.startswith(f"This run needs about {need / 1e9:.0f} GB of memory, and this machine has 8 GB")
    assert "It fits with" in told and cost(large, store, "standard", settings=WIDE).refused


def test_the_command_refuses_it_too_unless_told_and_makes_no_run(
    store: RunStore, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimate, "all_memory", lambda: 500 * 10**6)
    answer = call("train", planted_csv, "--preset", "quick")
    assert answer.refused and "--anyway trains it all the same." in answer.err and store.runs() == []
    monkeypatch.setattr("grouprec.training.jobs.train_here", lambda store, run, watch: {"seconds": 1.0})
    assert call("train", planted_csv, "--preset", "quick", "--anyway").status == 0 and len(store.runs()) == 1
    monkeypatch.setattr(estimate, "all_memory", lambda: 64 * 10**9)
    assert call("train", planted_csv, "--preset", "quick").status == 0


def test_a_container_has_what_it_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "_container", lambda: (3 * 10**9, 10**9))
    assert estimate.all_memory() <= 3 * 10**9 and estimate.free_memory() <= 2 * 10**9
