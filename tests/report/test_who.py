"""Who a group is, in one line: kinds, orders, attributes, season; nothing that is not known."""

from __future__ import annotations

import pandas as pd

from grouprec.report.who import who_words

ITEMS = pd.DataFrame({"share_in_group": [0.5, 0.4, 0.9, 0.2], "share_overall": [0.1, 0.1, 0.2, 0.1]})
ATTRIBUTES = pd.DataFrame(
    [
        ("frequency", "median", "", 3.0, 2.0, True),
        ("spend", "median", "", 600.0, 600.0, False),
        ("Country", "share", "<b>France", 0.6, 0.3, True),
        ("Country", "share", "Spain", 0.2, 0.1, False),
    ],
    columns=["attribute", "kind", "value", "in_group", "overall", "significant"],
)


def activity(members: list[float]) -> pd.DataFrame:
    periods = pd.date_range("2025-06-01", periods=len(members), freq="MS")
    return pd.DataFrame({"period": periods, "members": members, "everybody": 1.0})


def test_kinds_orders_attributes_and_season_are_told() -> None:
    said = who_words(ITEMS, ["bag", "bag", "", "tin"], ATTRIBUTES, activity([1, 1, 1, 1, 1, 4, 1]), True)
    assert said == (
        "More **bag** and **tin** items than others; 3 orders each (all users: 2); Country \\<b\\>France 60\u00a0% "
        "(all users: 30\u00a0%); "
        "most of all in November"
    )
    rated = who_words(ITEMS.iloc[:0], [], ATTRIBUTES.iloc[:1])
    assert rated == "Active 3 times each (all users: 2)", "who rates lecturers orders nothing"
    once = ATTRIBUTES.iloc[:1].assign(in_group=1.0)
    assert who_words(ITEMS.iloc[:0], [], once) == "Active once each (all users: 2)"
    assert who_words(ITEMS.iloc[:0], [], once, priced=True) == "1 order each (all users: 2)"


def test_what_is_not_known_is_not_told() -> None:
    assert who_words(ITEMS.iloc[:0], [], ATTRIBUTES.iloc[:0]) == ""
    flat = who_words(ITEMS, ["", "", "", ""], ATTRIBUTES.iloc[1:2], activity([1.0] * 7))
    assert flat == "", "no kind, an equal median, no season"
    assert who_words(ITEMS, ["bag"] * 4, ATTRIBUTES.iloc[3:], activity([1, 9])) == "More **bag** items than others"
