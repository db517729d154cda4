"""Events from files and JSON: roles, what is refused and by which rule, their order, and which ones are the same."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouprec.core.types import DataError, SettingError
from grouprec.data.preparing.clean import Preparation
from grouprec.data.values.times import latest_time
from grouprec.live.events import COLUMNS, FACTORS, MOST_NAMED, MOST_NAMES, Checked, _times, check_events, read_events


def check(*events: object, **preparation: object) -> Checked:
    return check_events(events, Preparation(**preparation), n_groups=3)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_gets_the_roles_of_a_training_file_and_ids_as_they_are(tmp_path: Path) -> None:
    text = "CustomerID,StockCode,InvoiceDate,Quantity,event_id,Country\n00123,B,2011-12-10 08:00,2,e1,France\n"
    table = read_events(write(tmp_path / "new.csv", text), {})
    assert set(table.columns) == {"user", "item", "time", "weight", "event_id", "Country"}
    found = check_events(table, Preparation(), 3)
    event = found.table.iloc[0]
    assert (event["user"], event["item"], event["weight"]) == ("00123", "B", 2.0)
    assert found.more.loc[0, "Country"] == "France"
    assert event["time"] == datetime(2011, 12, 10, 8, tzinfo=UTC).timestamp()


def test_a_mapping_counts_before_that_of_the_training_and_that_before_what_is_detected(tmp_path: Path) -> None:
    file = write(tmp_path / "new.csv", "user_id,who,item_id,what\na,b,c,d\n")
    assert read_events(file, {}).loc[0, ["user", "item"]].tolist() == ["a", "c"]
    assert read_events(file, {}, {"user": "who", "time": "gone"}).loc[0, ["user", "item"]].tolist() == ["b", "c"]
    both = read_events(file, {"user": "user_id", "item": "what"}, {"user": "who", "item": "what"})
    assert both.loc[0, ["user", "item"]].tolist() == ["a", "d"]


def test_a_file_without_rows_holds_no_events_and_one_without_users_is_refused(tmp_path: Path) -> None:
    assert check_events(read_events(write(tmp_path / "e.csv", "user_id,item_id\n"), {}), Preparation(), 3).n_events == 0
    file = write(tmp_path / "bad.csv", "price,item_id\n1,b\n2,c\n")
    with pytest.raises(DataError, match=r"'bad.csv': No column was found for the user"):
        read_events(file, {})
    with pytest.raises(SettingError, match="'colour'"):
        read_events(file, {"colour": "price"})


def test_json_lines_are_read_like_any_file(tmp_path: Path) -> None:
    lines = [{"user": 7, "item": "x", "time": "2024-05-01T10:00:00Z"}, {"user": 8, "item": "y", "time": "2024-05-02"}]
    table = read_events(write(tmp_path / "new.jsonl", "\n".join(map(json.dumps, lines))), {})
    assert check_events(table, Preparation(), 3).table["user"].tolist() == ["7", "8"]


DAY_FIRST = "day/month"
ODD = "a value is a list, an object, an endless number or damaged text"
BAD = [
    ({"user": "", "item": "i"}, "row 2: it has no user"),
    ({"user": "u"}, "row 2: it has no item"),
    ({"user": "u", "item": ["i"]}, f"row 2: {ODD}"),
    (
        {"user": "u", "item": "i", "\ud800": "x"},
        f"row 2: {ODD}",
    ),
    ({"user": "\ud800", "item": "i"}, f"row 2: {ODD}"),
    ("rubbish", f"row 2: {ODD}"),
    ({"user": "u", "item": "i", "time": "soon"}, "row 2: its time 'soon' cannot be read"),
    ({"user": "u", "item": "i", "time": 1e30}, "row 2: its time '1e+30' cannot be read"),
    ({"user": "u", "item": "i", "time": None}, "row 2: it has no time, and others have one"),
    ({"user": "u", "item": "i", "weight": "-2"}, "row 2: its weight '-2' is not a number above 0"),
    ({"user": "u", "item": "i", "weight": "many"}, "row 2: its weight 'many' is not a number above 0"),
    ({"user": "u", "item": "i", "rating": "good"}, "row 2: its rating 'good' is not a number"),
    ({"item": "i", "behaviour": "hide"}, "row 2: it has no user"),
    ({"item": "i", "behaviour": "hide", "group": 4}, "row 2: there is no group '4'"),
    ({"item": "i", "behaviour": "hide", "group": 1.5}, "row 2: there is no group '1.5'"),
    ({"item": "i", "group": 1}, "row 2: it has no user"),
]


BAD += [
    ({"user": "u", "item": "i", "weight": 0}, "row 2: its weight '0' is not a number above 0"),
    ({"user": "u", "item": "i", "weight": "inf"}, "row 2: its weight 'inf' is not a number above 0"),
    ({"user": "u", "item": "i", "rating": 0}, "row 2: its rating '0' is not above 0"),
    ({"user": "u", "item": "i", "rating": -1}, "row 2: its rating '-1' is not above 0"),
    ({"item": "i", "behaviour": "hide", "group": 0}, "row 2: there is no group '0'"),
    ({"user": "u", "item": "i", "behaviour": "like", "group": "all"}, "row 2: there is no group 'all'"),
    ({"user": "u", "item": "i", "time": "1969-12-31"}, "row 2: its time '1969-12-31' cannot be read"),
    ({"user": "u" * 1001, "item": "i"}, "row 2: its 'user' is longer than 1,000 characters"),
    ({"user": "u", "item": "i", "colour": "x" * 900_000}, "row 2: its 'colour' is longer than 1,000 characters"),
    ({"user": "u", "item": "i", "weight": json.loads("1e999")}, "row 2: " + ODD),
    ({"user": "u", "item": "i", "weight": json.loads("NaN")}, "row 2: " + ODD),
]


@pytest.mark.parametrize("event, sentence", BAD)
def test_a_malformed_event_is_named_and_the_others_stay(event: object, sentence: str) -> None:
    good = {"user": "u", "item": "i", "time": "2024-05-01"}
    bad = {"time": "2024-05-01", **event} if isinstance(event, dict) else event
    found = check(good, bad, {**good, "item": "j"})
    assert (found.n_events, found.malformed, found.problems) == (3, 1, [sentence])
    assert sorted(found.table["row"]) == [1, 3]


def test_the_settings_of_the_run_decide_on_behaviours_and_ratings() -> None:
    event = {"user": "u", "item": "i"}
    assert check({**event, "behaviour": "Removed"}, behaviour_weights={"removed": 0}).problems == [
        "row 1: the run gives the behaviour 'Removed' the weight 0"
    ]
    low = {**event, "rating": 2}
    assert check(low).table["weight"].tolist() == [2.0]
    assert check(low, rating="threshold", rating_threshold=3).problems == ["row 1: its rating '2' is below 3"]


def test_only_the_first_problems_are_told_and_all_are_counted() -> None:
    found = check(*[{"user": "u"}] * 50)
    assert found.malformed == 50
    assert found.problems == [f"row {row}: it has no item" for row in range(1, MOST_NAMED + 1)]


def test_verdicts_are_feedback_of_a_user_or_of_a_group_and_other_behaviours_are_events() -> None:
    table = check(
        {"user": "u", "item": "i", "behaviour": "Hide", "group": 2},
        {"item": "i", "behaviour": "like", "group": "3"},
        {"user": "u", "item": "i", "behaviour": "liked", "group": 2},
    ).table.sort_values("row")
    assert table["verdict"].tolist() == [True, True, False]
    assert table["behaviour"].tolist() == ["hide", "like", "liked"]
    assert table["group"].tolist() == [2, 3, 0]
    assert table["user"].tolist() == ["u", "", "u"]


MOMENTS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)), max_size=12)


@settings(max_examples=20)
@given(MOMENTS, st.randoms(use_true_random=False))
def test_events_stand_in_the_order_of_time_whatever_that_of_the_rows(rows: list, random: object) -> None:
    events = [{"user": f"u{u}", "item": f"i{i}", "time": f"2024-05-0{1 + t}"} for u, i, t in rows]
    shuffled = events.copy()
    random.shuffle(shuffled)
    first, second = check(*events).table, check(*shuffled).table
    assert (np.diff(first["time"]) >= 0).all()
    assert first["key"].tolist() == second["key"].tolist()


def test_an_event_is_known_by_its_id_or_by_its_content() -> None:
    event = {"user": "u", "item": "i", "time": "2024-05-01 10:00"}

    def key(**changes: object) -> str:
        return check({**event, **changes}).table["key"][0]

    assert key() == key(label="another name") == key(time="2024-05-01T10:00:00Z") == key(weight=1)
    assert len({key(), key(user="v"), key(item="j"), key(time="2024-05-01 10:01"), key(weight=2)}) == 5
    assert key(event_id="e1") == key(event_id="e1", item="j") != key(event_id="e2")
    assert key(event_id="e1") != key()


def test_twins_without_times_are_events_of_their_own_and_the_same_ones_next_time() -> None:
    event = {"user": "u", "item": "i"}
    once, again = check(event, event).table["key"], check(event, event).table["key"]
    assert once.nunique() == 2
    assert once.tolist() == again.tolist()
    timed = {**event, "time": "2024-05-01"}
    assert len(set(check(timed, timed).table["key"])) == 1, "with times, the same thing at the same time is one event"


def test_a_table_of_typed_columns_gives_the_same_events_as_text() -> None:
    times = pd.to_datetime(["2024-05-01", "2024-05-02"], utc=True)
    typed = pd.DataFrame({"user": [17850.0, 17851.0], "item": [1, 2], "time": times, "weight": [1, 2]})
    text = [
        {"user": "17850", "item": "1", "time": "2024-05-01"},
        {"user": "17851", "item": "2", "time": "2024-05-02", "weight": "2"},
    ]
    assert check_events(typed, Preparation(), 3).table["key"].tolist() == check(*text).table["key"].tolist()


def test_the_factors_of_feedback_and_the_number_of_named_problems_are_what_pages_say() -> None:
    assert FACTORS == {"like": 1.5, "dislike": 0.5, "hide": 0.0, "unhide": 1.0} and MOST_NAMED == 10


def test_a_column_of_one_of_our_names_without_its_role_is_left_out(tmp_path: Path) -> None:
    text = "CustomerID,StockCode,Verdict,group,EventId,method,regime,label2,weight\nu,i,like,2,e1,m,strict,x,2\n"
    table = read_events(write(tmp_path / "new.csv", text), {"weight": ""})
    assert table.iloc[0].to_dict() == {
        **{"user": "u", "item": "i", "behaviour": "like", "group": table["group"][0], "event_id": "e1"},
        **{"method": "m", "regime": "strict", "label2": "x"},
    }
    assert int(table["group"][0]) == 2 and "weight" not in table


def test_extra_roles_are_the_first_free_column_of_their_name_and_a_mapping_comes_first(tmp_path: Path) -> None:
    file = write(tmp_path / "new.csv", "user_id,item_id,event_id,EventID,verdict,said\nu,i,1,2,like,hide\n")
    table = read_events(file, {"behaviour": "said"})
    assert str(table["event_id"][0]) == "1" and table["behaviour"][0] == "hide"
    assert table["verdict"][0] == "like" and str(table["EventID"][0]) == "2"


def test_a_role_that_training_did_without_is_not_detected_and_one_that_is_gone_is(tmp_path: Path) -> None:
    file = write(tmp_path / "new.csv", "user_id,item_id,timestamp\nu,i,2024-05-01\nv,j,2024-05-02\n")
    assert "time" in read_events(file, {}) and "time" not in read_events(file, {}, {"time": ""})
    assert "time" in read_events(file, {}, {"time": "when"})
    assert "time" in read_events(file, {"time": "timestamp"}, {"time": ""})


def test_weights_stand_before_ratings_and_nothing_is_one() -> None:
    event = {"user": "u", "item": "i"}
    table = check(
        {**event, "weight": 0.25, "rating": -3},
        {**event, "rating": 0.5},
        event,
        {**event, "rating": 1},
    ).table.sort_values("row")
    assert table["weight"].tolist() == [0.25, 0.5, 1, 1]
    kept = check({**event, "rating": 3}, event, rating="threshold", rating_threshold=3).table
    assert kept["weight"].tolist() == [1, 1]


def test_only_a_weight_of_nothing_refuses_a_behaviour_and_never_feedback() -> None:
    event = {"user": "u", "item": "i"}
    weights = {"view": 0, "buy": 1, "like": 0}
    found = check(
        *({**event, "behaviour": name} for name in ("view", "buy", "like", "other")), behaviour_weights=weights
    )
    assert found.problems == ["row 1: the run gives the behaviour 'view' the weight 0"]
    assert sorted(found.table["behaviour"]) == ["buy", "like", "other"]


def test_times_are_from_1970_to_two_years_ahead() -> None:
    late = latest_time()
    times = _times(pd.DataFrame({"time": [-1.0, 0.0, late - 60, late + 60, 1e30]}), "", np.inf)[0]
    assert np.isnan(times).tolist() == [True, False, False, True, True]


def test_without_any_time_none_is_missing() -> None:
    found = check({"user": "u", "item": "i"}, {"user": "u", "item": "j", "time": ""})
    assert found.malformed == 0 and found.table["time"].isna().all()
    mixed = check(*({"user": "u", "item": str(n), "time": "2024-05-01" if n == 1 else None} for n in range(3)))
    assert mixed.problems == [f"row {row}: it has no time, and others have one" for row in (1, 3)]


def test_the_first_rule_that_a_row_breaks_is_told_and_rows_are_told_in_order() -> None:
    found = check({"weight": -1}, {"user": "u", "item": "i"}, {"item": "i"})
    assert found.problems == ["row 1: it has no item", "row 3: it has no user"]
    assert found.table["row"].tolist() == [2] and found.malformed == 2


def test_the_table_has_its_columns_and_a_fresh_index() -> None:
    given = pd.DataFrame({"user": ["u", "v", "w"], "item": list("xyz"), "shoe": [1, 2, 3]}, index=[7, 7, 9])
    found = check_events(given, Preparation(), 3)
    table = found.table
    assert table.columns.tolist()[:2] == ["row", "key"] and table.index.tolist() == [0, 1, 2]
    assert set(table.columns) == {"row", "key", "verdict", *COLUMNS} - {"rating"}
    assert found.more.columns.tolist() == ["shoe"] and found.more.index.tolist() == [0, 1, 2]
    assert (found.more["shoe"] == table["row"]).all()
    assert table["key"].is_monotonic_increasing and table["key"].str.len().eq(32).all()
    assert sorted(table["row"]) == [1, 2, 3] and given.index.tolist() == [7, 7, 9]
    assert (table["label"] == "").all() and (table["group"] == 0).all()


def test_timed_twins_share_a_key_with_themselves_next_time() -> None:
    timed = {"user": "u", "item": "i", "time": "2024-05-01"}
    alone, twins = check(timed).table["key"], check(timed, timed).table["key"]
    assert set(alone) == set(twins)
    untimed = {"user": "u", "item": "i"}
    assert check(untimed).table["key"][0] in set(check(untimed, untimed).table["key"])


def test_cells_may_be_dates_numbers_and_nothing() -> None:
    found = check({"user": np.int64(7), "item": 8.0, "time": datetime(2024, 5, 1, tzinfo=UTC), "label": None})
    assert found.malformed == 0 and found.table.iloc[0][["user", "item", "label"]].tolist() == ["7", "8", ""]
    assert check({"user": "u", "item": "i", "time": datetime(2024, 5, 1, tzinfo=UTC).date()}).malformed == 0
    assert check({"user": "u", "item": b"bytes"}).problems == [
        "row 1: a value is a list, an object, an endless number or damaged text"
    ]


@pytest.mark.parametrize("name", ["row", "key", "verdict", "index", "more", "level_0"])
def test_columns_may_bear_the_names_of_our_own(name: str) -> None:
    found = check({"user": "u", "item": "i", name: "x"}, {"user": "v", "item": "j", name: "y"})
    assert found.malformed == 0 and sorted(found.more[name]) == ["x", "y"]
    assert (found.more[name] == found.table["user"].map({"u": "x", "v": "y"})).all()


def test_dates_are_read_in_the_order_of_the_training() -> None:
    event = {"user": "u", "item": "i", "time": "01/04/2024"}
    moments = {order: check_events([event], Preparation(), 3, order).table["time"][0] for order in ("", DAY_FIRST)}
    assert moments[""] == datetime(2024, 1, 4, tzinfo=UTC).timestamp()
    assert moments[DAY_FIRST] == datetime(2024, 4, 1, tzinfo=UTC).timestamp()
    other = check_events([{**event, "time": "01/25/2024"}], Preparation(), 3, DAY_FIRST)
    assert other.problems == ["row 1: its time '01/25/2024' cannot be read; dates of this run are day/month"]
    for text in ("01/04/24", "1/4/2024", "01/04/2024 00:00"):
        assert (
            check_events([{**event, "time": text}], Preparation(), 3, DAY_FIRST).table["time"][0] == moments[DAY_FIRST]
        )
    named = check_events([{**event, "time": "4 January 2024"}], Preparation(), 3, DAY_FIRST)
    assert named.table["time"][0] == moments[""]


def test_what_has_not_come_yet_is_no_event() -> None:
    event = {"user": "u", "item": "i", "time": "2024-05-02"}
    found = check_events([event], Preparation(), 3, latest=datetime(2024, 5, 1, tzinfo=UTC).timestamp())
    assert found.problems == ["row 1: its time '2024-05-02' has not come yet"]


def test_events_of_a_name_each_are_refused_beyond_the_first_names() -> None:
    """They would fill a square of their number: 300 KB of them took 500 MB."""
    events = [{f"k{n}": 1, "user": f"u{n % 3}", "item": "a"} for n in range(MOST_NAMES + 8)]
    checked = check_events([*events, {"user": "b", "item": "a", "weight": 2}], Preparation(), 3)
    assert checked.malformed == 10 and len(checked.table) == MOST_NAMES - 1
    assert any("more than 500 different names" in problem for problem in checked.problems)
    assert checked.table["weight"].max() == 2


def test_events_with_a_name_each_are_held_in_memory_once() -> None:
    events = [{"user": "u", "item": "a", f"k{number}": 1} for number in range(4_000)]
    tracemalloc.start()
    try:
        check_events(events, Preparation(), 3)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 1.6 * 8 * MOST_NAMES * len(events)
