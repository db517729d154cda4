"""Every step of cleaning by itself: which rows it drops, what it counts, and what the rows are worth afterwards."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grouprec.core.types import DataError
from grouprec.data.preparing.clean import Preparation, Report, check_times, clean_rows
from grouprec.data.roles.columns import Roles


def clean(roles="", setting=None, **columns):
    """Return the cleaned rows of a table, and its report; users a, b, c, ... and items x unless given.

    Args:
        roles: role=column, ...; a column named like a role plays it.
    """
    n = len(next(iter(columns.values())))
    table = pd.DataFrame({"user": [f"u{i}" for i in range(n)], "item": ["x"] * n, **columns})
    given = {name: name for name in table.columns} | dict(part.split("=") for part in roles.split(",") if part)
    report = Report()
    return clean_rows(table, Roles(**given), Preparation(**(setting or {})), report), report


def steps(report):
    """Return (rows before, rows after, note) of every step."""
    return {step: rest for step, *rest in report.steps}


@pytest.mark.parametrize(("weight", "good"), [(0, True), (0.5, True), (-0.1, False), (np.inf, False), (np.nan, False)])
def test_weights_of_behaviours_are_finite_and_not_negative(weight, good):
    if good:
        assert Preparation(behaviour_weights={"view": weight}).behaviour_weights == {"view": weight}
    else:
        with pytest.raises(ValidationError, match="the weight of the behaviour 'view' must be 0 or more"):
            Preparation(behaviour_weights={"view": weight})


def test_a_step_that_leaves_nothing_of_something_is_an_error():
    report = Report()
    report.add("one", 3, 2, "note", "advice")
    report.add("two", 0, 0, "", "")
    with pytest.raises(DataError, match=r"by the step 'three' \(why\): do this\."):
        report.add("three", 2, 0, "why", "do this")
    table = report.table()
    assert list(table.columns) == ["step", "rows_before", "rows_after", "dropped", "note"]
    assert table["dropped"].tolist() == [1, 0, 2]


def test_rows_without_user_or_item_are_dropped_and_both_counted():
    cleaned, report = clean(user=["b", None, "a", "nan", None], item=["y", "x", "", "x", " "])
    assert steps(report)["missing ids"] == [5, 1, "without user: 3, without item: 2"]
    assert (cleaned.user_ids.tolist(), cleaned.item_ids.tolist()) == (["a", "b"], ["x", "y"])
    assert (cleaned.rows.users.tolist(), cleaned.rows.items.tolist(), cleaned.rows.source.tolist()) == ([1], [1], [0])
    assert cleaned.rows.weights.tolist() == [1.0] and len(cleaned.rows) == 1
    for name in ("times", "behaviours", "orders", "spend"):
        assert getattr(cleaned.rows, name) is None


def test_times_that_cannot_be_read_are_dropped_and_those_of_dropped_rows_not_counted():
    cleaned, report = clean(user=["a", None, "b", "c"], time=["2024-01-01", "soon", "soon", "2024-01-02"])
    assert steps(report)["times that cannot be read"] == [3, 2, "column 'time': 1 empty or not a time"]
    assert (np.diff(cleaned.rows.times) == 86_400).all()


@pytest.mark.parametrize(("n_bad", "refused"), [(2, False), (3, True)])
def test_times_are_refused_where_more_than_half_cannot_be_read(n_bad, refused):
    column = pd.Series(["soon"] * n_bad + ["2024-01-01"] * (4 - n_bad), name="day")
    bad = (column == "soon").to_numpy()
    if refused:
        with pytest.raises(DataError, match=r"^3 of 4 times in column 'day' cannot be read \(such as 'soon'\)"):
            check_times(column, bad, 4)
        with pytest.raises(DataError, match=r"\(it is empty\)"):
            check_times(column.where(~bad), bad, 4)
    else:
        check_times(column, bad, 4)


@pytest.mark.parametrize(
    ("orders", "kept"),
    [
        (["1", "2", "C3"], [0, 1]),
        (["1", "c3", "2", "C"], [0, 1, 2, 3]),  # half of them are numbers: that is not most
        (["1", "2", "3", "c4", "D5", None], [0, 1, 2, 4, 5]),
        (["A1", "B2", "C3"], [0, 1, 2]),
    ],
)
def test_cancelled_orders_are_known_among_numbers(orders, kept):
    cleaned, report = clean(order=orders)
    assert cleaned.rows.source.tolist() == kept
    step = steps(report).get("cancellations and non-positive quantities")
    n = len(orders) - len(kept)
    assert step == ([len(orders), len(kept), f"cancelled orders: {n}"] if n else None)
    assert cleaned.rows.orders.dtype == np.int32


def test_a_row_is_counted_once_where_order_and_quantity_cancel_it():
    orders = ["1", "2", "3", "C4", "C5", "6", "7"]
    cleaned, report = clean(user=[*"abcdef", None], order=orders, weight=["1", "0", "-1", "0", "2", "0.5", "x"])
    note = "cancelled orders: 2, 'weight' of 0 or less: 2"
    assert steps(report)["cancellations and non-positive quantities"] == [6, 2, note]
    assert cleaned.rows.weights.tolist() == [1.0, 0.5]


def test_weights_that_are_no_numbers_are_dropped():
    cleaned, report = clean(user=["a", "b", "c", "d", None], weight=["2", "many", "inf", None, "?"])
    note = "column 'weight': 3 empty, infinite or not a number"
    assert steps(report)["weights that are not numbers"] == [4, 1, note]
    assert cleaned.rows.weights.tolist() == [2.0]


def test_ratings_are_weights_above_zero():
    cleaned, report = clean(user=["a", "b", "c", "d", None], rating=["0.5", "0", "bad", "-1", "x"])
    assert steps(report)["ratings that are not numbers"][:2] == [4, 3]
    assert "1 empty, infinite or not a number" in steps(report)["ratings that are not numbers"][2]
    assert steps(report)["non-positive ratings"] == [3, 1, "'rating' of 0 or less cannot be a weight"]
    assert (cleaned.rows.weights.tolist(), cleaned.merge) == ([0.5], "last")


@pytest.mark.parametrize("none", [None, "", "0", "-1"])
def test_a_log_in_which_few_rate_keeps_every_row(none):
    ratings = ["5", none, none, "2", none, none, "4", none]
    cleaned, report = clean(rating=ratings)
    assert cleaned.rows.source.tolist() == list(range(8)) and set(cleaned.rows.weights) == {1.0}
    assert not {"ratings that are not numbers", "non-positive ratings"} & steps(report).keys()
    assert cleaned.merge == "sum" and "5 of 8 rows have no rating in column 'rating'" in report.doubts[-1].matter
    beside, _ = clean(rating=ratings, weight=["2"] * 8)
    assert beside.rows.weights.tolist() == [2.0] * 8
    rated, _ = clean(rating=ratings, setting={"rating": "threshold", "rating_threshold": 3})
    assert rated.rows.source.tolist() == [0, 6], "a threshold asks for the rows that are rated"


@pytest.mark.parametrize(
    ("ratings", "kept"),
    [
        (["5", None, "2", None], [0, 2]),  # half of them: that is not most
        (["1", "-1", "1", "-1", "-1"], [0, 2]),  # votes
        (["3", "-2", "2", "-1", "-2", "-1", "1"], [0, 2, 6]),  # grades from -2 on
        (["3", "bad", "2", "good", "fair", "1", "poor"], [0, 2, 5]),  # words: nobody left them out
    ],
)
def test_ratings_that_most_rows_have_are_asked_of_every_row(ratings, kept):
    assert clean(rating=ratings)[0].rows.source.tolist() == kept


def test_from_the_threshold_on_a_rating_counts_as_one():
    settings = {"rating": "threshold", "rating_threshold": -1}
    cleaned, report = clean(rating=["-1", "-1.5", "3"], setting=settings)
    assert cleaned.rows.source.tolist() == [0, 2] and cleaned.rows.weights.tolist() == [1, 1]
    assert steps(report)["low ratings"] == [3, 2, "'rating' below -1"]


def test_beside_a_quantity_a_rating_only_has_to_be_a_number():
    cleaned, _ = clean(rating=["-1", "x", "0"], weight=["2", "3", "4"])
    assert cleaned.rows.weights.tolist() == [2, 4] and cleaned.merge == "sum"


@pytest.mark.parametrize(
    ("columns", "setting", "merge"),
    [
        ({}, "auto", "sum"),
        ({"rating": ["1", "1"]}, "auto", "last"),
        ({"weight": ["1", "1"]}, "auto", "sum"),
        ({"rating": ["1", "1"], "weight": ["1", "1"]}, "auto", "sum"),
        ({"rating": ["1", "1"]}, "sum", "sum"),
        ({}, "last", "last"),
    ],
)
def test_repeated_rows_are_added_unless_they_are_ratings(columns, setting, merge):
    assert clean(user=["a", "b"], setting={"duplicates": setting}, **columns)[0].merge == merge


def test_behaviours_multiply_and_weight_zero_drops():
    weights = {"Add to cart": 0.5, "view": 0}
    cleaned, report = clean(
        weight=["2", "2", "2", "4"],
        behaviour=["add_to_cart", "VIEW", "sneeze", None],
        setting={"behaviour_weights": weights},
    )
    assert cleaned.rows.weights.tolist() == [1, 2, 4]
    assert steps(report)["behaviours of weight 0"] == [4, 3, "column 'behaviour'"]
    assert cleaned.rows.behaviours.tolist() == [1, 2, -1]


def test_spend_is_quantity_times_price_of_what_was_bought():
    cleaned, _ = clean(weight=["2", "3"], price=["1.5", None])
    assert cleaned.rows.spend.tolist() == [3.0, 0.0]
    assert clean(price=["1.5", "4"])[0].rows.spend.tolist() == [1.5, 4.0]
    cleaned, _ = clean(weight=["2", "2", "2"], price=["1", "1", "1"], behaviour=["view", "buy", "cart"])
    assert cleaned.rows.spend.tolist() == [0, 2, 0]


@given(
    st.lists(st.tuples(*[st.integers(0, 1)] * 3, st.integers(1, 9)), min_size=1, max_size=12),
    st.sampled_from(["sum", "last"]),
)
@settings(max_examples=60)
def test_rows_that_agree_become_one_in_the_place_of_the_first(rows, merge):
    users, items, times, weights = zip(*rows, strict=True)
    cleaned, report = clean(
        user=list(users), item=list(items), time=list(times), weight=list(weights), price=list(weights),
        setting={"duplicates": merge},
    )  # fmt: skip
    expected: dict = {}
    for row, (*key, weight) in enumerate(rows):
        first, so_far, spent = expected.get(tuple(key), (row, 0, 0))
        both = (so_far + weight, spent + weight**2) if merge == "sum" else (weight, weight**2)
        expected[tuple(key)] = first, *both
    found = cleaned.rows
    assert list(zip(found.source, found.weights, found.spend, strict=True)) == list(expected.values())
    how = "their weights are added" if merge == "sum" else "the last one counts"
    assert steps(report)["exact duplicates"] == [len(rows), len(expected), f"same user, item, time: {how}"]


def test_rows_differ_by_behaviour():
    cleaned, report = clean(user=["a", "a", "a"], behaviour=["view", "buy", "view"])
    assert cleaned.rows.weights.tolist() == [2, 3]
    assert "same user, item, behaviour" in steps(report)["exact duplicates"][2]


def test_rows_are_taken_by_mask_or_position_with_all_they_have():
    rows = clean(user=["a", "b"], time=["2024-01-01", "2024-01-02"])[0].rows
    for chosen in (np.array([False, True]), np.array([1])):
        one = rows.take(chosen)
        assert (one.users.tolist(), one.times.tolist(), one.spend) == ([1], [rows.times[1]], None)
