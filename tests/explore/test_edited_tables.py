"""The tables of a run after edits: who is where, what edited groups are like, their lists, and what exports take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import Groups, StorageError
from grouprec.explore import edited_tables
from grouprec.explore.edited_tables import TABLES, EditedRun
from grouprec.explore.edits import Edit, EditHistory
from grouprec.ranking.group_lists import members_mean
from grouprec.report.csv import export_run
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run
from tests.support.planted_groups import add_users


@pytest.fixture
def base(finished_run: Run) -> FitSnapshot:
    return add_users(finished_run)


def edited(run: Run, *steps: Edit) -> EditedRun:
    return EditedRun(run, EditHistory(steps))


def test_without_edits_every_table_is_the_trained_one(finished_run: Run, base: FitSnapshot) -> None:
    for name in TABLES:
        pd.testing.assert_frame_equal(edited_tables.table(finished_run, name), finished_run.table(name))


def test_a_merge_is_seen_by_every_table_that_knows_groups(finished_run: Run, base: FitSnapshot) -> None:
    made = edited(finished_run, Edit("merge", (1, 2)))
    for name in TABLES:
        table = made.table(name)
        assert set(table["group"]) <= {1, 3}, name
    groups = made.table("groups")
    assert groups["group"].tolist() == [1, 3]
    assert groups["size"].iloc[0] == 59  # those who took part in training; one of the sixty joined later
    assert groups["name"].tolist() == ["Bags & *lunch*", "Tea towels"]
    assert made.table("users")["group"].value_counts().to_dict() == {1: 60, 3: 30}
    assert set(made.table("group_neighbours")["other"]) == {1, 3}


def test_groups_that_no_edit_touched_keep_their_rows_to_the_bit(finished_run: Run, base: FitSnapshot) -> None:
    made = edited(finished_run, Edit("merge", (1, 2)))
    for name in ("group_lists", "groups"):
        before, after = finished_run.table(name), made.table(name).drop(columns="description", errors="ignore")
        pd.testing.assert_frame_equal(
            before[before["group"] == 3].reset_index(drop=True), after[after["group"] == 3].reset_index(drop=True)
        )


def test_the_lists_of_an_edited_group_are_those_of_its_members_predictions(
    finished_run: Run, base: FitSnapshot
) -> None:
    rows = (0, 1, 3, 6)
    lists = edited(finished_run, Edit("form", text="Chosen", rows=rows)).table("group_lists")
    alone = base.candidates.take(np.array(rows))
    expected = members_mean(alone, Groups(np.zeros(4, np.int32), 1), base.histories[list(rows)], base.seed)
    wanted = expected.ranking[0][expected.ranking_scores[0] > 1e-5]  # the others follow by popularity
    assert len(wanted) > 100
    for regime, items in (("strict", expected.strict[0]), ("dedup", wanted)):
        for method in ("members_mean", "generated"):
            chosen = (lists["group"] == 4) & (lists["method"] == method) & (lists["regime"] == regime)
            found = lists[chosen].sort_values("rank")
            assert found["item"].head(len(items)).tolist() == base.item_ids[items].tolist()
    assert set(lists["method"]) == {"members_mean", "generated", "popularity"}
    assert lists[lists["group"] == 4]["owned"].between(0, 1).all()


def test_what_the_rules_keep_from_everybody_stays_off_the_lists_of_edited_groups(
    finished_run: Run, base: FitSnapshot
) -> None:
    excluded = np.zeros((3, len(base.item_ids)), bool)
    top = edited(finished_run, Edit("merge", (1, 2))).table("group_lists").query("group == 1 and rank == 1")
    excluded[:, np.isin(base.item_ids, top["item"])] = True
    replace(base, excluded=excluded).save(finished_run.snapshot())
    finished_run.write_manifest()
    lists = edited(finished_run, Edit("merge", (1, 2))).table("group_lists")
    assert not lists[lists["group"] == 1]["item"].isin(top["item"]).any()


def test_a_split_follows_taste_and_the_new_group_is_named_after_what_it_has(
    finished_run: Run, base: FitSnapshot
) -> None:
    merged = edited(finished_run, Edit("merge", (1, 2)))
    edit = merged.split(1)
    trained = finished_run.table("users")["group"].to_numpy()
    assert len(set(trained[list(edit.rows)])) == 1  # one of the two trained groups leaves again
    names = edited(finished_run, Edit("merge", (1, 2)), edit).table("groups")["name"]
    assert names.is_unique and edit.text in names.tolist()


def test_activity_of_whole_groups_is_added_up_and_of_torn_ones_not_told(finished_run: Run, base: FitSnapshot) -> None:
    merged = edited(finished_run, Edit("merge", (1, 2))).table("group_activity")
    assert merged[merged["group"] == 1]["events"].tolist() == [300] * 4
    torn = edited(finished_run, Edit("form", text="Chosen", rows=(0, 3))).table("group_activity")
    assert set(torn["group"]) == {0, 2, 3}
    assert torn.groupby("period")["events"].sum().tolist() == [400] * 4


def test_a_rule_is_told_of_groups_that_have_the_members_which_it_gives_them(
    finished_run: Run, base: FitSnapshot, tmp_path: Path
) -> None:
    assert edited(finished_run, Edit("merge", (1, 2))).table("group_rules")["group"].tolist() == [3]
    assert edited(finished_run, Edit("rename", (1,), text="New")).table("group_rules")["group"].tolist() == [1, 2, 3]
    EditedRun(finished_run, EditHistory()).change(Edit("merge", (1, 2)))
    export_run(finished_run, tmp_path / "out")
    rules = pd.read_csv(tmp_path / "out" / "group_rules.csv")
    assert rules["group"].tolist() == [3] and rules.columns.tolist() == ["group", "sentence", "sql", "json"]


def test_exports_take_the_edited_groups(finished_run: Run, base: FitSnapshot, tmp_path: Path) -> None:
    EditedRun(finished_run, EditHistory()).change(Edit("form", text="Chosen", rows=(0, 1, 2)))
    export_run(finished_run, tmp_path / "out")
    members = pd.read_csv(tmp_path / "out" / "members.csv", dtype={"user": str})
    assert members[members["group"] == 4]["user"].tolist() == ["00000", "00001", "00002"]
    assert set(pd.read_csv(tmp_path / "out" / "group_lists.csv")["group"]) == {1, 2, 3, 4}
    assert set(pd.read_csv(tmp_path / "out" / "group_rankings.csv")["group"]) == {1, 2, 3, 4}


def test_a_run_that_does_not_keep_its_users_says_so_instead_of_taking_edits(finished_run: Run) -> None:
    with pytest.raises(StorageError, match="older than edits of groups; train it again"):
        EditedRun(finished_run, EditHistory()).change(Edit("merge", (1, 2)))
    assert not (finished_run.path / "curation.json").exists()
