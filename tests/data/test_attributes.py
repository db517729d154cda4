"""What is known besides the interactions: tables of attributes, columns constant per user, activity, prices, labels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouprec.data.attributes import (
    activity,
    attribute_table,
    described,
    item_columns,
    item_labels,
    most_frequent,
    user_columns,
)
from grouprec.data.clean import Rows
from grouprec.data.columns import AttributeRoles, Roles

IDS = np.array(["a", "b", "c"], dtype=object)


def rows_of(users, items=None, **more):
    """Return training rows, each from the table's row of the same number unless ``source`` says another."""
    n = len(users)
    items = np.zeros(n, np.int32) if items is None else np.array(items, np.int32)
    rest = {"times": None, "behaviours": None, "orders": None, "spend": None, "source": np.arange(n), **more}
    return Rows(np.array(users, np.int32), items, np.ones(n), **rest)


def test_attributes_come_in_the_order_of_the_ids_and_the_first_of_two_rows_counts():
    table = pd.DataFrame(
        {
            "id": ["c", "a", "c", None, "z"],
            "age": ["3", "1", "9", "7", "7"],
            "town": ["Rome", None, "Oslo", "Oslo", "Oslo"],
            "none": [None, None, None, "x", "x"],
        }
    )
    found = attribute_table((table, AttributeRoles("id", None, ("age", "town", "none"))), IDS)
    assert list(found.columns) == ["age", "town"], "what is known of nobody here is left out"
    np.testing.assert_array_equal(found["age"], [1, np.nan, 3])
    assert found["age"].dtype == np.float64
    assert found["town"].tolist() == ["unknown", "unknown", "Rome"]
    assert attribute_table(None, IDS).shape == (3, 0)


def test_a_row_without_an_id_is_of_nobody():
    table = pd.DataFrame({"id": [None, "b"], "x": ["p", "q"]})
    assert attribute_table((table, AttributeRoles("id", None, ("x",))), IDS)["x"].tolist() == [
        "unknown",
        "q",
        "unknown",
    ]
    table = pd.DataFrame({"id": ["a", "b"], "x": ["p", "q"]})
    assert attribute_table((table, AttributeRoles("id", None, ("x",))), IDS)["x"].tolist() == ["p", "q", "unknown"]


def constant(values, users, n_users=2):
    return user_columns(pd.DataFrame({"x": values}), ("x",), rows_of(users), n_users)


@pytest.mark.parametrize(("n_odd", "name"), [(1, "x"), (2, "usual x")])
def test_a_column_belongs_to_the_user_where_nineteen_rows_in_twenty_agree_else_it_tells_what_is_usual(n_odd, name):
    values = ["n"] * 10 + ["s"] * 10
    values[:n_odd] = ["w"] * n_odd
    found = constant(values, [0] * 10 + [1] * 10)
    assert found.to_dict("list") == {name: ["n", "s"]}


def test_circumstances_that_are_many_or_numbers_or_usual_with_everybody_tell_nothing():
    users = [0, 0, 0, 1, 1, 1]
    assert constant(["web", "web", "app", "app", "web", "app"], users).shape == (2, 1)
    assert constant(["web", "web", "app", "web", "web", "app"], users).shape == (2, 0), "all use the web"
    assert constant(["1", "1", "2", "2", "2", "1"], users).shape == (2, 0)
    many = [f"v{n}" for n in range(31)] * 2
    assert constant(many, [0, 1] * 31).shape == (2, 0) and constant(many[:30] * 2, [0] * 29 + [1] * 31).shape == (2, 1)


@pytest.mark.parametrize("numeric", [False, True])
@pytest.mark.parametrize("n", [200, 201])
def test_text_of_more_than_two_hundred_values_is_no_attribute(numeric, n):
    values = [str(i) if numeric else f"v{i}" for i in range(n)]
    found = constant(values, list(range(n)), n)
    assert found.shape[1] == int(numeric or n == 200)
    if numeric:
        assert found["x"].tolist() == list(range(n))


def test_missing_values_do_not_count_and_users_without_any_are_unknown():
    assert constant(["n", None, None, "s"], [0, 0, 2, 1], 4)["x"].tolist() == ["n", "s", "unknown", "unknown"]
    np.testing.assert_array_equal(constant(["7", None, "2.5"], [0, 1, 2], 4)["x"], [7, np.nan, 2.5, np.nan])
    assert constant([None, None], [0, 1]).shape == (2, 0)
    two = user_columns(pd.DataFrame({"x": [None], "y": ["n"]}), ("x", "y"), rows_of([0]), 1)
    assert list(two.columns) == ["y"], "a column left out does not end the search"


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 4)), max_size=25))
@settings(max_examples=100)
def test_the_most_frequent_value_is_the_smallest_of_those_that_come_most_often(pairs):
    expected = []
    for owner in range(6):
        own = [value for other, value in pairs if other == owner and value >= 0]
        expected.append(min(own, key=lambda value: (-own.count(value), value)) if own else -1)
    owners, values = (np.array([pair[n] for pair in pairs], np.int64) for n in (0, 1))
    found = most_frequent(owners, values, 6)
    assert found.tolist() == expected and found.dtype == np.int64


def test_activity_is_recency_in_days_visits_and_spend():
    day = 86_400.0
    rows = rows_of([0, 0, 1, 1, 1, 0], times=np.array([1, 3, 2, 2, 2, 3]) * day, spend=np.array([1, 2, 3, 4, 5, 0.5]))
    found = activity(rows, 3)
    assert list(found.columns) == ["recency_days", "frequency", "spend"]
    assert found["recency_days"].tolist() == [0, 1, np.inf]
    assert found["frequency"].tolist() == [2, 1, 0] and found["frequency"].dtype == np.float64
    assert found["spend"].tolist() == [3.5, 12, 0]


def test_without_times_rows_are_the_visits():
    found = activity(rows_of([0, 0, 1]), 3)
    assert list(found.columns) == ["frequency"] and found["frequency"].tolist() == [2, 1, 0]
    assert found["frequency"].dtype == np.float64


@pytest.mark.parametrize(
    ("orders", "frequency"),
    [
        ([0, 0, 1, -1], [1, 2]),  # three in four are known; the gap counts as an order of its own
        ([0, 1, -1, -1], [1, 1]),  # half of them: the times count
        ([-1, -1, -1, -1], [1, 1]),
        ([0, 0, 0, 0], [1, 1]),
        ([5, 7, 7, 9], [2, 2]),
    ],
)
def test_orders_are_the_visits_where_most_rows_have_one(orders, frequency):
    rows = rows_of([0, 0, 1, 1], times=np.array([1.0, 1, 2, 2]), orders=np.array(orders))
    assert activity(rows, 2)["frequency"].tolist() == frequency


def test_an_items_category_is_the_most_frequent_word_of_its_training_rows():
    table = pd.DataFrame({"kind": ["tea", "tea", "wine", None, "wine"]})
    rows = rows_of([0] * 4, [0, 0, 0, 1], source=np.array([0, 1, 2, 3]))
    assert item_columns(table, Roles(item_attributes=("kind",)), rows, 2)["kind"].tolist() == ["tea", "unknown"]


def test_an_items_price_is_the_median_of_its_training_rows():
    table = pd.DataFrame({"price": ["1", "0.5", "0", "-1", "inf", "x", "4", "0.1"]})
    rows = rows_of([0] * 7, [0, 0, 0, 0, 1, 1, 0], source=np.array([0, 1, 2, 3, 4, 5, 6]))
    found = item_columns(table, Roles(price="price"), rows, 3)
    assert list(found.columns) == ["price"]
    np.testing.assert_array_equal(found["price"], [1, np.nan, np.nan])
    assert item_columns(table, Roles(), rows, 3).shape == (3, 0)


def test_labels_come_from_the_file_else_from_the_rows_else_from_the_ids():
    table = pd.DataFrame({"name": ["Z", "A2", "A2", "B", None]})
    rows = rows_of([0] * 5, [0, 0, 0, 1, 2])
    assert item_labels(table, None, rows, None, IDS).tolist() == ["a", "b", "c"]
    assert item_labels(table, "name", rows, None, IDS).tolist() == ["A2", "B", "c"]
    titles = pd.DataFrame({"id": ["c", "z", "a", "b"], "title": ["C", "Z", None, "A"]})
    file = titles, AttributeRoles("id", "title", ())
    assert item_labels(table, "name", rows, file, IDS).tolist() == ["A2", "A", "C"]
    assert item_labels(table, None, rows, file, IDS).tolist() == ["a", "A", "C"]
    only = titles.iloc[:1], AttributeRoles("id", "title", ())
    assert item_labels(table, None, rows, only, IDS).tolist() == ["a", "b", "C"]
    without = titles, AttributeRoles("id", None, ("title",))
    assert item_labels(table, "name", rows, without, IDS).tolist() == ["A2", "B", "c"]
    assert IDS.tolist() == ["a", "b", "c"], "the ids themselves are not changed"


def test_a_file_of_items_says_how_many_ids_it_knows():
    table = pd.DataFrame({"id": ["c", "a", "c", None, "z"], "title": list("vwxyz"), "price": [1.0, 2, 3, 4, 5]})
    found = described((table, AttributeRoles("id", "title", ("price",))), IDS)
    assert (found.known, found.of) == (2, 3)
    told = found.sentence("m.csv", "items")
    assert told.startswith("m.csv describes 2 of 3 items that lists are made of (title, price); ")
    assert told.endswith("; 1 further row of the same ids is left out")
    near = described((table.assign(id=["A", "b", "C", "x", "y"]), AttributeRoles("id", None, ())), IDS)
    assert near is not None
    assert near.sentence("m.csv", "items").endswith("; 2 more would match if they were written alike ('a' and 'A')")
    assert described(None, IDS) is None
