"""What the Data page says without a page: its verdict, its doubts, the shapes of its charts, its choices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from grouprec.data.preparing.clean import Preparation
from grouprec.data.roles.doubts import Doubt
from grouprec.ui.data import preview, quality
from grouprec.ui.data.quality import Check
from grouprec.ui.forms import FieldSpec, changed, describe


def test_counts_fall_into_powers_of_two() -> None:
    frame = preview.distribution(np.array([0, 1, 1, 2, 3, 4, 9]))
    assert frame["interactions"].tolist() == ["1", "2–3", "4–7", "8–15"]
    assert frame["count"].tolist() == [2, 2, 1, 1]
    assert preview.distribution(np.zeros(3, int)).empty
    assert preview.distribution(np.array([20, 40]))["interactions"].tolist() == ["16–31", "32–63"]


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ([1, 3, 7, 20], "75\u00a0% of the items have at most 7 interactions."),
        ([20, 40], "Every item has at least 16 interactions."),
    ],
)
def test_few_interactions_are_told_where_there_are_such_items(counts: list[int], says: str) -> None:
    check = replace(check_of(400, len(counts), 4_000, 0), per_item=preview.distribution(np.array(counts)))
    assert preview.items_sentence(check) == says


@pytest.mark.parametrize(("days", "most"), [(30, 31), (400, 60), (2000, 68)])
def test_activity_keeps_every_row_in_a_readable_number_of_bars(days: int, most: int) -> None:
    times = np.arange(days) * 86_400.0 + 1.6e9
    frame = preview.activity(times)
    assert frame["count"].sum() == days
    assert 10 <= len(frame) <= most


def test_activity_without_times_is_empty() -> None:
    assert preview.activity(np.empty(0)).empty


PLENTY = {"kind": "time", "reason": "", "choose_users": 933, "judge_users": 879, "test": 30_000}


def check_of(n_users: int, n_items: int, n_rows: int, dropped: int) -> Check:
    steps = [("missing ids", n_rows + dropped, n_rows, dropped, "")]
    report = pd.DataFrame(steps, columns=["step", "rows_before", "rows_after", "dropped", "note"])
    empty = pd.DataFrame()
    return Check(n_users, n_items, n_rows, n_rows + dropped, report, empty, empty, empty, PLENTY)


def test_the_verdict_asks_to_look_where_nothing_speaks_for_a_column() -> None:
    guess = Doubt("the user is 'c1' only because no other column was left", role="user", guessed=True)
    check = replace(check_of(4338, 3665, 390_000, 130_000), doubts=(guess, replace(guess, role="rating")))
    assert preview.verdict(check).startswith(
        "Please look first: the user is 'c1' only because no other column was left."
    )


def test_the_verdict_is_yes_for_plenty_and_names_the_weakness_else() -> None:
    check = check_of(4338, 3665, 390_000, 130_000)
    assert preview.verdict(check) == "Ready to train: lists can be tested on 879 users."
    assert preview.counted(check) == (
        "There are 4,338 users and 3,665 items with 390,000 usable interactions; "
        "25\u00a0% of the rows were dropped or merged, most because they name no user or no item."
    )
    assert preview.verdict(check_of(5000, 10, 90_000, 0)).startswith("Only just: 10 items are few")
    assert preview.verdict(check_of(5000, 100, 9_000, 0)).startswith("Only just: most users have too few")
    assert "no row was dropped" in preview.counted(check_of(500, 100, 9_000, 0))


@pytest.mark.parametrize(
    ("users", "says"),
    [
        ({"judge_users": 30, "choose_users": 50}, "Ready to train: lists can be tested on 30 users."),
        ({"judge_users": 29}, "Only just: 29 users can be tested: too few to tell one method from another."),
        ({"judge_users": 0}, "Only just: no user can be tested, so nothing will tell what the lists are worth."),
        ({"choose_users": 49}, "Only just: 49 users are left to choose settings by, so defaults will be used."),
    ],
)
def test_the_verdict_rests_on_the_users_who_choose_and_judge(users: dict, says: str) -> None:
    assert preview.verdict(good_check(split=PLENTY | users)) == says


def test_rows_that_only_the_later_steps_drop_are_dropped_rows() -> None:
    steps = [("read", 1000, 1000, 0, ""), ("split", 1000, 1000, 0, ""), ("k-core", 1000, 990, 10, "")]
    report = pd.DataFrame(steps, columns=["step", "rows_before", "rows_after", "dropped", "note"])
    said = preview.dropped_sentence(good_check(report=report, n_raw=1000, n_rows=1000))
    assert said == "1\u00a0% of the rows were dropped or merged, most because their user or item is too rare"


NOW = 1.7e9


def good_check(**changes: object) -> Check:
    check = check_of(4338, 3665, 390_000, 0)
    fine = {"period": (NOW - 3e7, NOW), "top_item": 0.01, "once": 0.1}
    return replace(check, **{**fine, **changes})


@pytest.mark.parametrize(
    ("changes", "says", "do"),
    [
        ({"n_users": 40}, "40 users are few", "longer period"),
        ({"n_items": 10}, "10 items are few", "single items"),
        ({"n_items": 30_000}, "30,000 items are many", "Fewest users of an item"),
        ({"n_rows": 5_000}, "too few interactions", "views"),
        ({"split": PLENTY | {"judge_users": 199}}, "only 199 users can be tested", "Share that judges"),
        ({"split": PLENTY | {"judge_users": 29}}, "29 users can be tested: too few to tell", "Share that judges"),
        ({"split": PLENTY | {"judge_users": 0}}, "no user can be tested", "Share that judges"),
        ({"split": PLENTY | {"choose_users": 49}}, "49 users are left to choose", "Share that chooses"),
        ({"split": PLENTY | {"choose_users": 1}}, "1 user is left to choose", "Share that chooses"),
        ({"split": PLENTY | {"choose_users": 0}}, "no user is left to choose", "Share that chooses"),
        ({"period": (None, None)}, "no times", "time column"),
        ({"period": (NOW - 1e7, NOW + 1e7)}, "in the future", "day and month"),
        ({"period": (NOW - 1e7, 1e30)}, "in the future", "day and month"),
        ({"period": (0.0, NOW)}, "before 1980, from 01 Jan 1970", "1970"),
        ({"period": (NOW - 4e5, NOW)}, "within 5 days", "longer period"),
        ({"longest_gap": 1e7}, "for 115 days nothing happens", "export"),
        ({"top_item": 0.4}, "one item makes up 40\u00a0%", "Never list"),
        ({"once": 0.8}, "80\u00a0% of the users have a single", "Fewest items of a user"),
    ],
)
def test_every_doubt_says_what_to_do(changes: dict, says: str, do: str) -> None:
    assert quality.warnings(good_check(), NOW) == []
    (found,) = quality.warnings(good_check(**changes), NOW)
    assert says in found.matter
    assert do in found.advice


def test_a_step_that_drops_many_rows_is_a_doubt() -> None:
    steps = [("missing ids", 100, 40, 60, ""), ("robots", 40, 39, 1, "")]
    report = pd.DataFrame(steps, columns=["step", "rows_before", "rows_after", "dropped", "note"])
    (found,) = quality.warnings(good_check(report=report), NOW)
    assert found.matter == "“missing ids” drops 60\u00a0% of the rows"


def test_the_long_tail_rises_from_nothing_to_all_and_says_what_the_top_takes() -> None:
    tail = quality.long_tail(np.array([0, 60, 10, 10, 10, 2, 2, 2, 2, 1, 1]))
    assert tail.iloc[0].tolist() == [0.0, 0.0] and tail.iloc[-1].tolist() == [1.0, 1.0]
    assert (tail.diff().dropna() >= 0).all(axis=None)
    assert quality.tail_sentence(tail) == "The most popular tenth of the items takes 60\u00a0% of the interactions."
    assert len(quality.long_tail(np.arange(50_000))) == 101
    assert len(quality.long_tail(np.zeros(3))) == 1


def test_values_are_shown_as_they_are_read() -> None:
    head = pd.DataFrame({"c": ["1", "2"], "d": ["2024-05-31", "nonsense"], "q": ["1,5", "x"]})
    shown = quality.as_read(head, {"user": "c", "time": "d", "weight": "q", "label": "gone"})
    assert shown.columns.tolist() == ["User (c)", "Time (d)", "Weight (q)"]
    assert shown["Time (d)"].notna().tolist() == [True, False]
    assert shown["Weight (q)"].tolist()[0] == 1.5 and np.isnan(shown["Weight (q)"].tolist()[1])


def test_every_preparation_setting_but_the_weights_has_a_widget_with_its_bounds() -> None:
    specs = {spec.name: spec for spec in describe(Preparation)}
    assert set(specs) == set(Preparation.model_fields) - {"behaviour_weights"}
    assert all(spec.help for spec in specs.values())
    assert specs["min_item_users"] == FieldSpec(
        "min_item_users",
        "Min item users",
        Preparation.model_fields["min_item_users"].description or "",
        "int",
        low=1,
        high=1000,
    )
    assert specs["weighting"].options == ("log", "none", "binary")
    assert (specs["drop_robots"].kind, specs["winsorise"].kind) == ("bool", "float")


def test_only_changed_values_are_settings() -> None:
    base = Preparation()
    assert changed({**base.model_dump(), "min_user_items": 4}, base) == {"min_user_items": 4}
