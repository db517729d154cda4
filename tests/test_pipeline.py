"""The whole pipeline on small planted data: same seed same result, no look at the future, every table there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.config import make_config, parse_settings
from grouprec.jobs import train_here
from grouprec.runs import Run, RunStore
from tests.conftest import TINY

TABLES = {
    "users": ["user", "group", "x", "y", "interactions", "in_training"],
    "items": ["item", "label", "users"],
    "groups": ["group", "name", "size", "share", "separation", "words"],
    "group_items": ["group", "rank", "item", "label", "share_in_group", "share_overall", "lift"],
    "group_lists": ["group", "method", "regime", "rank", "item", "label", "score", "reach", "owned"],
    "group_evaluation": ["group", "name", "method", "regime", "n_test_users", "zero_hit_share"],
    "user_lists": ["user", "rank", "item", "label", "score"],
    "preparation": ["step", "rows_before", "rows_after", "dropped", "note"],
    "evaluation": ["method", "regime", "metric", "value", "low", "high", "n_users", "floor", "individual", "oracle"],
}


def train(store: RunStore, file: Path, **choices: object) -> Run:
    tiny = parse_settings([pair.removeprefix("--set=") for pair in TINY])
    config = make_config(
        **{
            "interactions": file,
            "preset": "quick",
            "n_groups": 4,
            "device": "cpu",
            "layout": "pca",
            "settings": tiny,
            **choices,
        }
    )
    run = store.create(config)
    train_here(store, run)
    return run


@pytest.fixture(scope="module")
def trained(planted_csv: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(RunStore(tmp_path_factory.mktemp("pipeline")), planted_csv)


def test_a_finished_run_has_every_table_with_its_columns(trained: Run) -> None:
    for name, columns in TABLES.items():
        frame = trained.table(name)
        assert set(columns) <= set(frame.columns), name
        assert len(frame), name
    assert trained.damaged() == []


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
    assert row["floor"] == table.loc[("popularity", "strict", "ndcg@10"), "value"]
    assert row["individual"] == table.loc[("individual", "individual", "ndcg@10"), "value"]
    assert row["value"] > row["floor"], "four lists must beat one list for four planted tastes"


def test_the_same_seed_gives_the_same_lists(trained: Run, planted_csv: Path, tmp_path: Path) -> None:
    again = train(RunStore(tmp_path / "again"), planted_csv)
    for name in ("users", "group_lists", "user_lists", "evaluation"):
        pd.testing.assert_frame_equal(trained.table(name), again.table(name))


def test_what_happens_in_the_test_part_changes_no_list(trained: Run, planted_csv: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(planted_csv, dtype=str)
    late = frame["timestamp"] >= frame["timestamp"].sort_values().iloc[int(len(frame) * 0.9) + 1]
    shuffled = frame.loc[late, "item_id"].sample(frac=1, random_state=0).to_numpy()
    frame.loc[late, "item_id"] = shuffled
    file = tmp_path / "other_future.csv"
    frame.to_csv(file, index=False)
    other = train(RunStore(tmp_path / "runs"), file)
    pd.testing.assert_frame_equal(trained.table("group_lists"), other.table("group_lists"))
    before, after = trained.table("evaluation"), other.table("evaluation")
    assert not np.allclose(before["value"], after["value"], equal_nan=True), "the evaluation must see the change"


def test_the_map_is_made_beside_the_training_and_read_back_by_the_next_run(planted_csv: Path, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    first = train(store, planted_csv, layout="umap")
    assert first.metrics()["map_method"] == "umap"
    second = train(store, planted_csv, layout="umap", n_groups=3)
    assert {"map", "encoder ease"} <= {event["stage"] for event in second.events() if event.get("reused")}
    columns = ["user", "x", "y"]
    pd.testing.assert_frame_equal(first.table("users")[columns], second.table("users")[columns])


def test_auto_chooses_the_number_of_groups_and_says_why(planted_csv: Path, tmp_path: Path) -> None:
    run = train(RunStore(tmp_path), planted_csv, n_groups="auto")
    metrics = run.metrics()
    assert str(metrics["n_groups"]) in metrics["n_groups_reason"]
    assert metrics["n_groups"] in set(run.table("value_of_groups")["n_groups"])


def test_a_refit_learns_from_all_rows(trained: Run, planted_csv: Path, tmp_path: Path) -> None:
    run = train(RunStore(tmp_path), planted_csv, refit=True)
    assert run.table("users")["interactions"].sum() > trained.table("users")["interactions"].sum()
    pd.testing.assert_frame_equal(run.table("evaluation"), trained.table("evaluation"))


def test_ease_stays_a_baseline_where_it_was_not_chosen(planted_csv: Path, tmp_path: Path) -> None:
    table = train(RunStore(tmp_path), planted_csv, encoders=("dnn",)).table("evaluation")
    assert {"ease", "dnn"} <= set(table.loc[table["regime"] == "individual", "method"])


def test_data_without_times_is_split_by_user(planted_csv: Path, tmp_path: Path) -> None:
    run = train(RunStore(tmp_path), planted_csv, roles={"time": ""})
    assert run.metrics()["split"]["kind"] == "user"
