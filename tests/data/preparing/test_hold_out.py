"""Which way of holding rows out is taken: by how many users it leaves to choose settings by and to judge by."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouprec.core.types import DataError, SettingError
from grouprec.data.preparing.clean import Preparation, Report, Rows
from grouprec.data.preparing.hold_out import (
    FEWEST_IN_TIME,
    MANY_MORE,
    MIN_SHARE,
    MIN_USERS,
    MIN_USERS_IN_TIME,
    _choose,
    _Trial,
    _Ways,
    hold_out_rows,
)
from grouprec.data.preparing.split import TEST, TRAIN, VALIDATION, UsersLeft
from grouprec.data.preparing.split_words import CAUTIONS, split_words
from grouprec.ranking.task import test_task, validation_task
from tests.data.preparing.test_prepare import SAMPLE, events, prepared

LOOSE = Preparation(min_item_users=1, drop_robots=False)
N_ITEMS = 40


def rows_of(users, items, times=None) -> Rows:
    users, items = np.asarray(users, np.int32), np.asarray(items, np.int32)
    when = None if times is None else np.asarray(times, np.float64)
    return Rows(users, items, np.ones(len(users)), when, None, None, None, np.arange(len(users)))


def regular(n_users: int, n_late: int | None = None) -> Rows:
    """Return users who take ten different items, a row a day; all but ``n_late`` of them stop on day 5."""
    n_late = n_users if n_late is None else n_late
    users, steps = np.repeat(np.arange(n_users), 10), np.tile(np.arange(10), n_users)
    days = np.where(users < n_late, steps, steps / 2)
    return rows_of(users, (users + steps) % N_ITEMS, days + users / (10 * n_users))


def in_bursts(n_users: int) -> Rows:
    """Return users who take ten items within an hour, each on a day of their own, as in MovieLens."""
    users, steps = np.repeat(np.arange(n_users), 10), np.tile(np.arange(10), n_users)
    return rows_of(users, (users + steps) % N_ITEMS, users + steps / 240)


def held(rows: Rows, preparation: Preparation = LOOSE, seed: int = 0, hold_out: bool = True):
    return hold_out_rows(rows, preparation, False, Report(), seed, hold_out)


def short_lived(n_users: int, days: int = 100, life: int = 6) -> Rows:
    """Return users who take something every other day of what came in the last six: vacancies, news, offers."""
    users, steps = np.repeat(np.arange(n_users), days // 2), np.tile(np.arange(days // 2), n_users)
    day = 2 * steps + users % 2
    return rows_of(users, day + 1 - np.random.default_rng(0).integers(life, size=len(users)) + life, day + users / 1e4)


def test_two_moments_are_taken_where_nothing_of_the_training_part_is_left_by_the_test_part():
    rows = short_lived(MIN_USERS)
    found = held(rows)
    assert found.split == "time" and min(found.users) > MIN_USERS_IN_TIME
    asked = found.core.rows.take(found.core.parts == TEST).items
    assert not np.isin(asked, found.core.rows.take(found.core.parts == TRAIN).items).any()


def test_two_moments_are_taken_where_users_go_on_all_the_time():
    found = held(regular(MIN_USERS_IN_TIME))
    assert (found.split, found.users) == ("time", (MIN_USERS_IN_TIME, MIN_USERS_IN_TIME))
    assert found.reason == (
        "Split at two moments for everybody: nothing later than what is judged trains, and enough users are left."
    )


@pytest.mark.parametrize(
    ("n_users", "n_late", "split"),
    [
        (146, 49, "time"),
        (147, 49, "user_time"),
        (60, FEWEST_IN_TIME, "time"),
        (60, FEWEST_IN_TIME - 1, "user_time"),
    ],
)
def test_a_few_more_users_along_their_own_time_are_no_reason_to_leave_what_comes_later(n_users, n_late, split):
    tenths = LOOSE.model_copy(update={"test_share": 0.1, "validation_share": 0.1})
    found = held(regular(n_users, n_late), tenths)
    assert found.split == split
    assert found.users.judge == (n_late if split == "time" else n_users)
    if split == "time":
        assert found.reason.endswith(f"That leaves {n_late} users; along their own time it would be {n_users}.")


@pytest.mark.parametrize(
    ("n_users", "n_late", "split"),
    [
        (MIN_USERS_IN_TIME, MIN_USERS_IN_TIME, "time"),
        (MIN_USERS_IN_TIME - 1, MIN_USERS_IN_TIME - 1, "time"),  # few, but so they are along their own time
        (2500, 250, "time"),  # a tenth
        (2500, 249, "time"),  # less than a tenth, but along their own time twice as many
    ],
)
def test_two_moments_need_enough_users_and_enough_of_all(n_users, n_late, split):
    assert (MIN_USERS, MIN_USERS_IN_TIME, MIN_SHARE) == (200, 50, 0.1)
    # Shares for which both later parts lie in the days that only late users see: 4 and 2 of their 10 rows.
    share = n_late * 2 / (n_users * 10)
    found = held(regular(n_users, n_late), LOOSE.model_copy(update={"test_share": share, "validation_share": share}))
    assert found.split == split
    if split == "time":
        assert found.users == (n_late, n_late)


@pytest.mark.parametrize(
    ("again", "new", "split"), [(100, False, "time"), (99, False, "user_time"), (99, True, "time")]
)
def test_the_tenth_of_all_is_of_those_who_come_again_unless_most_items_are_new(again, new, split, monkeypatch):
    left = {"time": UsersLeft(80, 60), "user_time": UsersLeft(900, 900)}  # as where things are sold once
    monkeypatch.setattr(_Ways, "tried", lambda self, way: _Trial(way, np.zeros(1), None, left[way], Report()))
    monkeypatch.setattr(_Ways, "again", lambda self, trial: again)
    monkeypatch.setattr(_Ways, "turns_over", lambda self, trial: new)
    assert _choose(_Ways(regular(1_000), LOOSE, False, 0))[0].split == split


def test_who_comes_again_has_rows_before_a_part_and_in_it():
    rows = rows_of([0, 0, 0, 1, 1, 2, 3, 3], [1] * 8)
    parts = np.array([TRAIN, VALIDATION, TEST, TRAIN, TEST, TEST, TRAIN, VALIDATION], np.int8)
    trial = _Trial("time", parts, None, UsersLeft(0, 0), Report())
    assert _Ways(rows, LOOSE, False, 0).again(trial) == 2
    assert _Ways(rows_of([0, 1], [1, 1]), LOOSE, False, 0).again(replace(trial, parts=parts[1:3])) == 0


@pytest.mark.parametrize(("later", "over"), [([2, 2, 1], True), ([2, 1], False), ([1, 1], False), ([], False)])
def test_items_turn_over_where_most_later_rows_are_of_new_ones(later, over):
    items = [1, 2, *later]  # the second is of the validation part, which tells nothing
    parts = np.array([TRAIN, VALIDATION, *[TEST] * len(later)], np.int8)
    trial = _Trial("time", parts, None, UsersLeft(0, 0), Report())
    assert _Ways(rows_of([0] * len(items), items), LOOSE, False, 0).turns_over(trial) == over


def test_users_in_separate_bursts_are_parted_along_their_own_time():
    found = held(in_bursts(940))
    assert found.split == "user_time" and found.users == (940, 940)
    assert found.reason == (
        "Split along every user's own time: cut at two moments for everybody, none of 940 users would be left to "
        "choose by and none to judge by."
    )


def test_the_reason_counts_the_users_that_the_other_way_would_leave():
    rows = in_bursts(940)
    back = np.concatenate([np.arange(35), np.arange(40, 55)])  # users who come back for something new
    found = held(
        rows_of(
            np.concatenate([rows.users, back]),
            np.concatenate([rows.items, (back + 20) % N_ITEMS]),
            np.concatenate([rows.times, np.full(35, 800.5), np.full(15, 930.5)]),
        )
    )
    assert found.split == "user_time"
    assert found.reason.endswith("only 35 of 940 users would be left to choose by and 15 to judge by.")


def test_without_times_rows_are_drawn():
    rows = in_bursts(300)
    found = held(rows_of(rows.users, rows.items))
    assert (found.split, found.users) == ("user", (300, 300))
    assert found.reason == "Split at random within every user: the file has no times."


def test_users_of_one_moment_each_are_drawn_since_their_own_time_says_nothing():
    rows = in_bursts(300)
    found = held(rows_of(rows.users, rows.items, np.floor(rows.times)))
    assert found.split == "user"
    assert found.reason == (
        "Split at random within every user: along every user's own time, none of 300 users would be left to choose by "
        "and none to judge by."
    )


@pytest.mark.parametrize(("n_ordered", "split"), [(20, "user_time"), (19, "user")])
def test_a_draw_must_leave_more_than_five_times_as_many_users(n_ordered, split):
    rows = in_bursts(100)  # too few users in any way
    times = np.where(rows.users < n_ordered, rows.times, np.floor(rows.times))
    found = held(rows_of(rows.users, rows.items, times))
    assert MANY_MORE == 5 and found.split == split


def test_only_parts_that_are_wanted_must_leave_users():
    no_validation = LOOSE.model_copy(update={"validation_share": 0.0})
    found = held(regular(MIN_USERS), no_validation)
    assert (found.split, found.users) == ("time", (0, MIN_USERS))
    few = held(in_bursts(300), no_validation)
    assert few.reason.endswith("none of 300 users would be left to judge by.")


def test_what_the_settings_or_the_refit_say_is_done_and_told():
    rows = in_bursts(30)
    told = {
        split: held(rows, LOOSE.model_copy(update={"split": split})).reason for split in ("time", "user", "user_time")
    }
    assert told == {
        "time": "Split at two moments for everybody, as the settings say.",
        "user": "Split at random within every user, as the settings say.",
        "user_time": "Split along every user's own time, as the settings say.",
    }
    everything = held(rows, hold_out=False)
    assert (everything.split, everything.users) == ("none", (0, 0))
    assert everything.reason == "Nothing is held out: all rows train."
    with pytest.raises(SettingError, match="--map time=COLUMN"):
        held(rows_of(rows.users, rows.items), LOOSE.model_copy(update={"split": "user_time"}))


@pytest.mark.parametrize("split", ["auto", "time", "user"])
def test_where_too_little_trains_the_step_is_named(split):
    with pytest.raises(DataError, match="k-core"):
        held(in_bursts(5), Preparation(split=split, min_item_users=90, drop_robots=False))


@dataclass(frozen=True)
class Case:
    rows: Rows
    preparation: Preparation


@st.composite
def cases(draw) -> Case:
    """Draw small files with many equal times, and shares."""
    n = draw(st.integers(20, 90))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    times = rng.integers(0, draw(st.sampled_from([1, 4, 30])), n)
    shares = draw(st.sampled_from([(0.1, 0.1), (0.3, 0.2), (0.0, 0.3), (0.2, 0.0)]))
    rows = rows_of(rng.integers(0, 8, n), rng.integers(0, 9, n), times)
    return Case(rows, LOOSE.model_copy(update={"validation_share": shares[0], "test_share": shares[1]}))


@given(cases())
@settings(max_examples=80)
def test_whatever_is_taken_every_user_trains_and_equal_times_stay_together(case):
    found = held(case.rows, case.preparation)
    users, parts, times = found.core.rows.users, found.core.parts, found.core.rows.times
    if found.split != "time":  # in time, users may begin later
        trained = np.unique(case.rows.users)
        assert np.isin(trained, users[parts == TRAIN]).all()
    if found.split == "user":
        return
    whose = np.zeros_like(users) if found.split == "time" else users
    for user in np.unique(whose):
        own, when = parts[whose == user], times[whose == user]
        for earlier, later in ((TRAIN, VALIDATION), (VALIDATION, TEST), (TRAIN, TEST)):
            if (own == earlier).any() and (own == later).any():
                assert when[own == earlier].max() < when[own == later].min()


# -- on a file


def test_the_numbers_are_those_of_the_users_who_are_judged(tmp_path):
    result = prepared(tmp_path, events(40, 12, 8), Preparation(min_item_users=2))
    assert result.choose_users == len(validation_task(result.dataset).users) > 0
    assert result.judge_users == len(test_task(result.dataset).users) > 0


def test_the_sample_is_cut_at_two_moments_as_it_always_was():
    from grouprec.data.preparing.prepare import prepare

    result = prepare(SAMPLE)
    assert (result.split, result.choose_users, result.judge_users) == ("time", 930, 882)
    assert result.judge_users == len(test_task(result.dataset).users)


def test_the_report_goes_on_from_the_split_that_was_taken(tmp_path):
    table = prepared(tmp_path, events()).report.table()
    assert table["step"].tolist().count("split") == table["step"].tolist().count("k-core") == 1
    assert table["rows_before"].tolist()[1:] == table["rows_after"].tolist()[:-1]


def test_words_say_why_how_many_and_what_it_does_to_the_figures():
    facts = {"kind": "user_time", "reason": "Because.", "choose_users": 1222, "judge_users": 12}
    assert split_words(facts) == (
        "Because. Users to choose settings by: 1,222, to judge by: 12. Rows that other users add later train, too, so "
        "figures are a little better than a forecast would be."
    )
    assert split_words(facts | {"kind": "user"}).endswith(CAUTIONS["user"])
    assert split_words(facts | {"kind": "time"}).endswith("to judge by: 12.")
    assert split_words(facts | {"kind": "none"}) == "Because."
    assert split_words({"kind": "time", "train": 800}) == "", "a run of old"
    assert split_words({}) == ""
