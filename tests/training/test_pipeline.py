"""The whole pipeline on small planted data: same seed same result, no look at the future, every table there."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grouprec.data.dataset import Dataset
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import prepare
from grouprec.live.stream import Stream
from grouprec.models.base import REGISTRIES
from grouprec.models.fitting import RunOptions
from grouprec.models.updaters.gru import GruUpdater
from grouprec.report.csv import export_stream
from grouprec.runs.config import RunConfig, parse_settings
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run, RunStore
from grouprec.training import evidence, pipeline, search, selection, simple, windows
from grouprec.training.user_map import linear_positions
from tests.support.small_run import TINY_ENCODERS, TINY_SETTINGS, copy_of, train


@pytest.fixture
def trained(small_run: Run, tmp_path: Path) -> Run:
    """Return a copy of the small run, alone in a store."""
    return copy_of(small_run, RunStore(tmp_path / "trained"))


@pytest.fixture(scope="module")
def refitted(planted_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(RunStore(tmp_path_factory.mktemp("refitted")), planted_csv, refit=True)


@pytest.fixture
def unlike(unlike_run: Run) -> Run:
    return unlike_run


def test_people_see_groups_and_ranks_from_one(trained: Run) -> None:
    users, lists = trained.table("users"), trained.table("group_lists")
    assert set(users["group"]) == set(range(1, trained.metrics()["n_groups"] + 1))
    assert lists["rank"].min() == 1
    assert lists["reach"].between(0, 1).all() and lists["owned"].between(0, 1).all()
    assert np.isfinite(users[["x", "y"]].to_numpy()).all()


def test_floor_personal_lists_and_oracle_stand_beside_the_lists(trained: Run) -> None:
    table = trained.table("evaluation").set_index(["method", "regime", "metric"])
    row = table.loc[("members_mean", "strict", "ndcg@10")]
    assert row["value"] <= row["oracle"] + 1e-9
    assert row["floor"] == table.loc[(row["floor_method"], "strict", "ndcg@10"), "value"]
    assert row["individual"] == table.loc[("individual", "individual", "ndcg@10"), "value"]
    assert row["value"] > row["floor"], "four lists must beat one list for four planted tastes"


def test_every_run_says_what_its_generator_and_its_profile_are_worth(trained: Run) -> None:
    metrics = trained.metrics()
    assert metrics["verdict"]["strict_ratio"] > 0.8
    assert {"nll_vae", "nll_popularity", "calibration_error"} <= metrics["profile"].keys()
    assert set(trained.table("frontier")["method"]) == {"generated", "gaussian", "members_mean", "mmr"}


def test_a_finished_run_can_be_continued_by_events(trained: Run, tmp_path: Path) -> None:
    with Stream.open(RunStore(trained.path.parent), trained, tmp_path) as stream:
        held_out = trained.table("held_out")
        report = stream.apply(held_out[["user", "item", "time"]])
        assert report.applied == len(held_out)
        assert stream.apply(held_out[["user", "item", "time"]]).duplicates == len(held_out)


def test_hidden_items_are_off_the_lists_of_the_next_training(trained: Run, planted_csv: Path) -> None:
    store = RunStore(trained.path.parent)
    lists = trained.table("group_lists")
    first = lists[(lists["method"] == "members_mean") & (lists["regime"] == "strict") & (lists["rank"] == 1)]
    hidden = first["item"].iloc[0]
    verdicts = [{"group": group, "item": hidden, "behaviour": "hide"} for group in first["group"]]
    with Stream.open(store, trained) as stream:
        assert stream.apply(verdicts).applied == len(verdicts)
    after = train(store, planted_csv, feedback=trained.run_id).table("user_lists")
    assert hidden in set(trained.table("user_lists")["item"])
    assert hidden not in set(after["item"])


def test_the_summary_says_what_was_decided(trained: Run) -> None:
    metrics = trained.metrics()
    blend = metrics["blend"]
    assert set(blend["encoders"]) == set(metrics["encoders"]) == set(TINY_ENCODERS)
    assert blend["ndcg"]["blend"] >= blend["ndcg"]["start"] > 0
    assert set(metrics["list_method"]) == {"strict", "dedup"}
    assert metrics["headline"].keys() == {"strict_share_of_gain", "dedup_share_of_gain"}
    assert metrics["n_groups"] == 4 and metrics["n_groups_reason"] == ""


def test_the_same_seed_gives_the_same_lists_whatever_happens_in_the_test_part(
    trained: Run, planted_csv: Path, tmp_path: Path
) -> None:
    frame = pd.read_csv(planted_csv, dtype=str)
    late = frame["timestamp"] >= frame["timestamp"].sort_values().iloc[int(len(frame) * 0.9) + 1]
    shuffled = frame.loc[late, "item_id"].sample(frac=1, random_state=0).to_numpy()
    frame.loc[late, "item_id"] = shuffled
    file = tmp_path / "other_future.csv"
    frame.to_csv(file, index=False)
    other = train(RunStore(tmp_path / "runs"), file)
    for name in ("users", "group_lists"):
        pd.testing.assert_frame_equal(trained.table(name), other.table(name))
    # Of a user's own list only what they took in the test part is left out: it is theirs by the file.
    mine, others = trained.table("user_lists"), other.table("user_lists")
    both = mine.merge(others, on=["user", "item"], suffixes=("", "_other"))
    assert (both["score"] == both["score_other"]).all() and len(both) > 0.9 * len(mine)
    before, after = trained.table("evaluation"), other.table("evaluation")
    assert not np.allclose(before["value"], after["value"], equal_nan=True), "the evaluation must see the change"


class PlainLayout:
    """The map's process without the half minute that UMAP takes to compile (tests/training/test_user_map.py has the
    real one)."""

    made = 0

    @classmethod
    def start(cls) -> PlainLayout:
        return cls()

    def submit(self, space: np.ndarray, seed: int, folder: Path) -> None:
        self.space = space

    def result(self, timeout: float) -> tuple[np.ndarray, str]:
        PlainLayout.made += 1
        return linear_positions(self.space) + PlainLayout.made, "umap"

    def stop(self) -> None:
        pass


def test_a_map_and_a_search_are_made_once_and_read_back_by_the_next_run(
    trained: Run, planted_csv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "LayoutProcess", PlainLayout)
    store = RunStore(trained.path.parent)
    first = train(store, planted_csv, layout="umap", search_minutes=0.01)
    assert first.metrics()["map_method"] == "umap"
    monkeypatch.setattr(search, "search", lambda *given: pytest.fail("searched again"))
    second = train(store, planted_csv, layout="umap", search_minutes=0.01, n_groups=3)
    assert second.metrics()["decided"] == first.metrics()["decided"]
    reused = {event["stage"] for event in second.events() if event.get("reused")}
    assert {"map", "encoder ease", "encoder dnn", "judge: encoder ease"} <= reused
    assert {"folds", "blend", "lists", "live weight"} <= reused and "judge: groups" not in reused
    assert second.metrics()["blend"] == first.metrics()["blend"]
    weights = [FitSnapshot.load(run.snapshot()).weight for run in (first, second)]
    assert weights[0] == weights[1]
    columns = ["user", "x", "y"]
    pd.testing.assert_frame_equal(first.table("users")[columns], second.table("users")[columns])


def test_auto_chooses_the_number_of_groups_and_says_why(unlike: Run) -> None:
    metrics = unlike.metrics()
    assert str(metrics["n_groups"]) in metrics["n_groups_reason"]
    assert metrics["n_groups"] in set(unlike.table("choice_of_groups")["n_groups"])
    assert set(unlike.table("choice_of_groups")["regime"]) == {"dedup"}


def test_a_refit_learns_from_all_rows(small_run: Run, refitted: Run) -> None:
    assert refitted.table("users")["interactions"].sum() > small_run.table("users")["interactions"].sum()
    pd.testing.assert_frame_equal(refitted.table("evaluation"), small_run.table("evaluation"))


@pytest.mark.parametrize("refit", [False, True])
def test_what_the_file_says_a_user_has_is_on_no_list_of_their_own(
    refit: bool, planted_csv: Path, request: pytest.FixtureRequest
) -> None:
    run: Run = request.getfixturevalue("refitted" if refit else "small_run")
    had = pd.read_csv(planted_csv, dtype=str)[["user_id", "item_id"]].drop_duplicates()
    lists = run.table("user_lists")
    assert not len(lists.merge(had, left_on=["user", "item"], right_on=["user_id", "item_id"]))
    assert set(lists["user"]) == set(had["user_id"]), "everybody has a list, also who was left out of training"
    exported = FitSnapshot.load(run.snapshot()).held_out
    assert (exported is None) == refit, "what the exported fit does not know is kept beside it"
    if refit:
        assert FitSnapshot.load(run.snapshot("judged")).held_out is None, "a replay lists what is held out"
    ranks = lists.groupby("user")["rank"]
    assert (ranks.max() == ranks.size()).all() and (ranks.min() == 1).all()


def test_after_events_a_users_own_list_has_nothing_that_is_theirs(
    trained: Run, planted_csv: Path, tmp_path: Path
) -> None:
    had = pd.read_csv(planted_csv, dtype=str)[["user_id", "item_id"]].drop_duplicates()
    user = had["user_id"].iloc[0]
    with Stream.open(RunStore(trained.path.parent), trained, tmp_path / "live") as stream:
        new = next(
            item for item in stream.state.item_ids if not ((had["user_id"] == user) & (had["item_id"] == item)).any()
        )
        stream.apply(pd.DataFrame({"user": [user], "item": [new], "time": [1.75e9]}))
        export_stream(stream, tmp_path / "out")
    lists = pd.read_csv(tmp_path / "out" / "user_lists.csv", dtype=str)
    assert new not in set(lists.loc[lists["user"] == user, "item"])
    assert not len(lists.merge(had, left_on=["user", "item"], right_on=["user_id", "item_id"]))


def test_ease_stays_a_baseline_where_it_was_not_chosen(unlike: Run) -> None:
    table = unlike.table("evaluation")
    assert {"ease", "item_knn"} <= set(table.loc[table["regime"] == "individual", "method"])


def test_data_without_times_is_split_by_user(unlike: Run) -> None:
    assert unlike.metrics()["split"]["kind"] == "user"
    assert unlike.metrics()["blend"]["half_life"] is None


def test_with_repeats_personal_lists_may_hold_what_the_user_has(trained: Run, unlike: Run) -> None:
    def owned(run: Run) -> float:
        config = run.config()
        had = pd.read_csv(config.interactions, dtype=str)[["user_id", "item_id"]].drop_duplicates()
        lists = run.table("user_lists")
        return len(lists.merge(had, left_on=["user", "item"], right_on=["user_id", "item_id"])) / len(lists)

    # All rows of the file, so also what users take later; nothing but that can stand on a list of new items.
    assert owned(unlike) > 2 * owned(trained)


def test_what_the_rules_exclude_is_on_no_list(unlike: Run) -> None:
    lists, personal = unlike.table("group_lists"), unlike.table("user_lists")
    assert not set(lists["label"]) & {"Item 3"} and not set(personal["label"]) & {"Item 3"}
    assert "Item 33" in set(lists["label"])
    assert lists["owned"].max() <= 0.5


def test_events_of_who_was_left_out_and_dates_as_in_the_training(planted_csv: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(planted_csv, dtype=str)
    frame["timestamp"] = pd.to_datetime(frame["timestamp"]).dt.strftime("%d/%m/%Y %H:%M")
    file = tmp_path / "day_first.csv"
    some = frame["user_id"].isin(frame["user_id"].unique()[:5])
    frame = frame[~some | (frame.groupby("user_id").cumcount() < 4)]
    frame.to_csv(file, index=False)
    store = RunStore(tmp_path / "runs")
    run = train(store, file, settings=parse_settings((*TINY_SETTINGS, "data.min_user_items=6")))
    assert run.metrics()["time_order"] == "day/month"
    users = run.table("users")
    user = users.loc[~users["in_training"] & (users["interactions"] > 2), "user"].iloc[0]
    had = set(frame.loc[frame["user_id"] == user, "item_id"])
    with Stream.open(store, run) as stream:
        new = next(item for item in stream.state.item_ids if item not in had)
        early = stream.apply([{"user": user, "item": new, "time": "02/01/1970"}])
        assert early.late == 1, "what they did before is known"
        last = pd.to_datetime(frame["timestamp"], format="%d/%m/%Y %H:%M").max()
        moment = f"01/{last.month % 12 + 1:02d}/{last.year + last.month // 12}"  # the first of the month after
        assert stream.apply([{"user": user, "item": new, "time": moment}]).applied == 1
        export_stream(stream, tmp_path / "out")
    lists = pd.read_csv(tmp_path / "out" / "user_lists.csv", dtype=str)
    own = lists.loc[lists["user"] == user, "item"]
    assert len(own) and not set(own) & {*had, new}


def test_groups_by_rules_are_told_in_words_and_measured_against_groups_made_for_their_lists(unlike: Run) -> None:
    rules, users = unlike.table("group_rules"), unlike.table("users")
    assert rules["group"].tolist() == sorted(set(users["group"])) and rules["sentence"].is_unique
    compared = unlike.table("comparisons").query("method == 'lists_own' and regime == 'strict'")
    assert set(compared["metric"]) == {"precision@10", "ndcg@10", "hit_rate@10"}


@pytest.mark.parametrize(("n_rows", "n_folds"), [(10, 2), (10**9, 4)])
def test_short_data_is_folded_as_often_in_preset_quick_as_in_others(
    planted_csv: Path, monkeypatch: pytest.MonkeyPatch, n_rows: int, n_folds: int
) -> None:
    monkeypatch.setattr(windows, "FEW_ROWS", n_rows)
    prepared = prepare(planted_csv, settings=Preparation(split="user"))
    parts, config = prepared.dataset.without_test(), RunConfig(interactions=planted_csv, preset="quick")
    assert len(windows.folds(prepared, parts, config)) == n_folds


class Enough(Exception):
    """All that a test asks of a training has been done."""


def enough(*given: Any) -> None:
    raise Enough


def test_of_many_rows_the_validation_part_is_the_fold_and_its_encoders_are_fitted_once(
    planted_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[tuple[str, str]] = []
    for name in TINY_ENCODERS:
        stage = REGISTRIES["encoder"].get(name)

        def counted(self: Any, data: Any, run: Any, fit: Any = stage.fit) -> Any:
            fitted.append((self.name, data.key.removesuffix(" alone")))
            return fit(self, data, run)

        monkeypatch.setattr(stage, "fit", counted)
    monkeypatch.setattr(windows, "LONG_ROWS", 100)
    monkeypatch.setattr(simple, "MOST_ITEMS", 1)  # as where there are many items, one strength is tried
    monkeypatch.setattr(evidence, "gather", enough)
    with pytest.raises(Enough):
        train(RunStore(tmp_path), planted_csv)
    assert len(fitted) == len(set(fitted)) and {name for name, _ in fitted} == set(TINY_ENCODERS)
    assert len({key for _, key in fitted}) == 2  # to choose, and to be judged


def test_an_updater_that_is_fitted_beside_the_encoders_is_the_same(
    planted_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, fit = [], GruUpdater.fit

    def noted(self: GruUpdater, data: Dataset, run: RunOptions) -> GruUpdater:
        made.append((threading.current_thread() is threading.main_thread(), fit(self, data, run)))
        return self

    monkeypatch.setattr(GruUpdater, "fit", noted)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(pipeline, "_judged", enough)
    for rows in (10**9, 0):
        monkeypatch.setattr(selection, "BESIDE_ROWS", rows)
        settings = parse_settings([one for one in TINY_SETTINGS if not one.startswith("dnn.")])
        with pytest.raises(Enough):
            train(RunStore(tmp_path / str(rows)), planted_csv, encoders=("ease",), settings=settings)
    (here, alone), (there, beside) = made
    assert here and not there
    for name, values in alone.arrays().items():
        assert (beside.arrays()[name] == values).all()


def test_evidence_made_two_parts_at_a_time_and_beside_the_final_fit_changes_neither(
    refitted: Run, planted_csv: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: dict[str, threading.Thread] = {}

    def noting(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given: threads.update({name: threading.current_thread()}) or make(*given)

    for name in ("compare", "gather", "_replay"):
        monkeypatch.setattr(evidence, name, noting(name, getattr(evidence, name)))
    monkeypatch.setattr(evidence, "MANY_USERS", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    run = train(RunStore(tmp_path), planted_csv, refit=True)
    assert len(threads) == 3 and threading.main_thread() not in threads.values()
    assert threads["compare"] is not threads["gather"]
    for path in sorted((refitted.path / "tables").glob("*.parquet")):
        pd.testing.assert_frame_equal(run.table(path.stem), refitted.table(path.stem))
