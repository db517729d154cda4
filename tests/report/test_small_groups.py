"""What a report tells of few people."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from grouprec.core.types import SettingError
from grouprec.report import small_groups
from grouprec.report.html import write
from grouprec.runs.store import RunStore
from tests.support.planted_run import build_run


def test_one_small_group_takes_the_next_smallest_along() -> None:
    assert small_groups.hidden(pd.Series([40, 3, 9])).tolist() == [False, True, True]
    assert small_groups.hidden(pd.Series([40, 3, 4])).tolist() == [False, True, True]
    assert not small_groups.hidden(pd.Series([40, 5, 9])).any()
    assert small_groups.people(3, True, "3 users") == "fewer than 5"
    assert small_groups.people(9, True, "9 users") == "not told"
    assert small_groups.people(9, False, "9 users") == "9 users"


def test_the_floor_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(small_groups.SETTING, "1")
    assert not small_groups.hidden(pd.Series([1, 2])).any()
    monkeypatch.setenv(small_groups.SETTING, "few")
    with pytest.raises(SettingError, match="whole number"):
        small_groups.fewest()


def test_a_report_tells_nothing_of_groups_of_few_but_their_lists(tmp_path: Path) -> None:
    run = build_run(RunStore(tmp_path / "runs"), n_users=12)
    groups = run.table("groups").assign(size=[3, 4, 5], share=[0.25, 1 / 3, 5 / 12])
    run.save_table("groups", groups)
    run.write_manifest()
    write(run, tmp_path / "story.html")
    story = (tmp_path / "story.html").read_text()
    assert story.count("fewer than 5") == 6  # in the table, on the cards and beside the map
    assert ">3 users" not in story and ">4 users" not in story and ">5 users" in story
    assert "Groups of few people are not drawn." in story and "There are 3 groups." not in story


def test_of_two_groups_of_which_one_is_small_no_sentence_tells_the_large_one(tmp_path: Path) -> None:
    run = build_run(RunStore(tmp_path / "runs"), n_users=12, n_groups=2)
    run.save_table("groups", run.table("groups").assign(size=[3, 9], share=[0.25, 0.75]))
    run.write_manifest()
    write(run, tmp_path / "story.html")
    story = (tmp_path / "story.html").read_text()
    assert "There are 2 groups." in story and "75\u00a0%" not in story and "9 users" not in story
