"""Which column is what: known exports, words of eleven languages, content; and what is asked for instead of guessed."""

import pandas as pd
import pytest

from grouprec.data.reading.read import peek
from grouprec.data.roles.behaviours import BEHAVIOUR_WEIGHTS
from grouprec.data.roles.columns import Roles
from grouprec.data.roles.detect import detect_roles


def named(*columns):
    return pd.DataFrame([["1"] * len(columns)] * 3, columns=list(columns), dtype="str")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            ["Invoice", "StockCode", "Quantity", "InvoiceDate", "Price", "Customer ID"],
            {
                "user": "Customer ID",
                "item": "StockCode",
                "weight": "Quantity",
                "time": "InvoiceDate",
                "order": "Invoice",
                "price": "Price",
            },
        ),
        (
            ["userId", "movieId", "rating", "timestamp"],
            {"user": "userId", "item": "movieId", "rating": "rating", "time": "timestamp"},
        ),
        (
            ["reviewerID", "asin", "overall", "unixReviewTime"],
            {"user": "reviewerID", "item": "asin", "rating": "overall", "time": "unixReviewTime"},
        ),
        (
            ["timestamp", "visitorid", "event", "itemid"],
            {"user": "visitorid", "item": "itemid", "time": "timestamp", "behaviour": "event"},
        ),
        (["client", "sku", "qty"], {"user": "client", "item": "sku", "weight": "qty"}),
        (
            ["event_time", "event_type", "product_id", "category_id", "user_id", "user_session"],
            {
                "user": "user_id",
                "item": "product_id",
                "time": "event_time",
                "behaviour": "event_type",
                "order": "user_session",
            },
        ),
    ],
)
def test_common_names_are_recognised(columns, expected):
    assert detect_roles(named(*columns)).as_dict() == expected


def test_recbole_headers_are_recognised(tmp_path):
    path = tmp_path / "ml-100k.inter"
    path.write_text("user_id:token\titem_id:token\trating:float\ttimestamp:float\n196\t242\t3\t881250949\n")
    assert detect_roles(peek(path).head).as_dict() == {
        "user": "user_id:token",
        "item": "item_id:token",
        "rating": "rating:float",
        "time": "timestamp:float",
    }


def test_content_decides_where_names_do_not():
    n = 40
    head = pd.DataFrame(
        {
            "a": [f"u{i % 8}" for i in range(n)],
            "b": [f"i{i % 5}" for i in range(n)],
            "c": pd.date_range("2024-01-01", periods=n).astype(str),
            "d": ["view", "purchase"] * (n // 2),
            "e": [f"{i}.5" for i in range(n)],
            "f": [["north", "south"][i % 2] for i in range(n)],
        }
    )
    roles = detect_roles(head.drop(columns="f"))
    assert roles.as_dict() == {"user": "a", "item": "b", "time": "c", "behaviour": "d"}
    named_user = detect_roles(head.rename(columns={"a": "user", "b": "item"}))
    assert named_user.user_attributes == ("f",)


def test_nothing_is_guessed_where_several_columns_could_be_meant():
    head = pd.DataFrame({name: ["x", "y"] * 10 for name in "abc"})
    assert detect_roles(head) == Roles()


def test_a_file_that_knows_items_by_name_only_uses_the_name():
    assert (
        detect_roles(pd.DataFrame({"member": ["1", "1"], "itemDescription": ["milk", "tea"]})).item == "itemDescription"
    )


def role_of(values, role, others=()):
    """Return whether content alone gives a nameless column that role."""
    head = pd.DataFrame({"user": ["u"] * len(values), "item": ["i"] * len(values), "x": values, **dict(others)})
    return detect_roles(head).as_dict().get(role) == "x"


@pytest.mark.parametrize(
    ("values", "is_time"),
    [
        (["2024-01-01", "2024-01-02"], True),
        (["2024-01-01"] * 91 + ["soon"] * 9, True),
        (["2024-01-01"] * 9 + ["soon"], False),
        ([None, None], False),
        ([1_700_000_000, 1_600_000_000], True),
        ([940_000_001, 1_750_000_000], True),
        ([940_000_000, 1_700_000_000], False),
        ([1_700_000_000, 2_210_000_000], False),
        ([1_700_000_000, 100], False),
        ([20_240_101, 20_240_102], False),  # a date to the eye, a code to a machine
        ([1_700_000_000_000, 1_600_000_000_000], True),
        ([17.5, 3.25], False),
    ],
)
def test_plain_numbers_are_times_only_in_our_days(values, is_time):
    assert role_of(values, "time") is is_time


@pytest.mark.parametrize(
    ("words", "is_behaviour"),
    [
        (["View", "buy"], True),
        (["view", "sneeze"], False),
        (["view", "buy", "sneeze"], True),
        (["view", "buy", "sneeze", "cough"], False),
        ([None, None], False),
        (["view", None], True),
        (sorted(BEHAVIOUR_WEIGHTS)[:20], True),
        (sorted(BEHAVIOUR_WEIGHTS)[:21], False),
        (sorted(BEHAVIOUR_WEIGHTS)[:11] + [f"w{n}" for n in range(9)], True),
    ],
)
def test_few_words_of_which_most_are_known_are_behaviours(words, is_behaviour):
    assert role_of(words, "behaviour") is is_behaviour


def test_of_two_columns_that_could_be_times_neither_is():
    days = ["2024-01-01", "2024-01-02"]
    assert not role_of(days, "time", {"y": ["2021-03-01", "2021-03-02"]})
    assert role_of(days, "time", {"y": [f"{day} 11:00" for day in days]}), "sent and received: one moment"
    assert detect_roles(pd.DataFrame({"user": ["a"], "item": ["b"], "date": ["x"], "y": days[:1]})).time == "date"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["a", "b", "c", "d", "a"], True),  # four in five
        (["a", "b", "c", "d", "e", "a"], False),
        (["a"] * 5, False),
        (["a", "b"] * 3, True),
        ([1, 2, 1, 2], True),
        ([2, 4, 2, 4], True),
        ([1, 3.5, 1, 3.5], False),
        ([None, None], False),
    ],
)
def test_text_and_whole_numbers_that_come_again_are_ids(values, found):
    roles = detect_roles(pd.DataFrame({"user": ["u"] * len(values), "x": values}))
    assert (roles.item == "x") is found


def test_two_columns_of_ids_are_user_and_item_and_one_or_three_are_not():
    ids = ["a", "b"] * 5
    assert detect_roles(pd.DataFrame({"x": ids, "y": ids})).as_dict() == {"user": "x", "item": "y"}
    assert detect_roles(pd.DataFrame({"x": ids})) == Roles()
    both = detect_roles(pd.DataFrame({"x": ids, "user": ids, "item": ids}))
    assert (both.user, both.item) == ("user", "item")


def test_a_label_stays_one_beside_an_item():
    roles = detect_roles(pd.DataFrame({"user": ["1", "1"], "item": ["7", "7"], "title": ["milk", "tea"]}))
    assert (roles.item, roles.label) == ("item", "title")
    assert detect_roles(pd.DataFrame({"user": ["1"], "item": ["7"], "title": ["3"]})).label is None, "a number"


@pytest.mark.parametrize(("n_words", "found"), [(50, "event"), (51, None)])
def test_a_column_named_event_has_at_most_fifty_words(n_words, found):
    table = pd.DataFrame({"user": "u", "item": "i", "event": [f"word {n}" for n in range(n_words)]})
    assert detect_roles(table).behaviour == found
    assert detect_roles(table.assign(event=pd.Timestamp("2024-01-01"))).behaviour is None, "a time"


def attribute(values, users):
    """Return whether a column of these values is an attribute of the users."""
    return detect_roles(pd.DataFrame({"user": users, "item": "i", "x": values})).user_attributes == ("x",)


@pytest.mark.parametrize(
    ("n_users", "rows_each", "n_odd", "found"),
    [
        (20, 2, 0, True),
        (20, 2, 1, True),  # one user in twenty with two values
        (20, 2, 2, False),
        (9, 1, 0, False),  # everyone has one row: that says nothing
    ],
)
def test_a_column_that_hardly_ever_differs_within_a_user_is_an_attribute(n_users, rows_each, n_odd, found):
    users = [f"u{n:02d}" for n in range(n_users)] * rows_each
    values = [("north", "south", "east", "west")[n % 4] for n in range(n_users)] * rows_each
    values[:n_odd] = ["centre"] * n_odd
    assert attribute(values, users) is found


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["web", "app", "shop"] * 10, True),
        (["web", "app", "shop", "kiosk"] * 7, False),  # too few rows to tell
        (["yes", "no"] * 20, False),
        (["1", "2", "3"] * 10, False),
        (["red", "red", "blue", "blue"] * 10, False),  # the item's own
    ],
)
def test_a_column_of_circumstances_is_an_attribute(values, found):
    n = len(values)
    users, items = [f"u{row % 7}" for row in range(n)], [f"i{row % 4}" for row in range(n)]
    roles = detect_roles(pd.DataFrame({"user": users, "item": items, "x": values}))
    assert roles.user_attributes == (("x",) if found else ())


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (["tea", "wine", "cheese"], True),
        (["1", "2", "3"], False),  # a number is no word
        (["yes", "no", "yes"], False),
        ([f"kind {n}" for n in range(12)], False),  # each item has its own
    ],
)
def test_a_column_of_the_interactions_that_items_share_says_what_they_are(kind, found):
    items = [row % 12 for row in range(60)]
    table = {"user": [f"u{row % 7}" for row in range(60)], "item": [f"i{item:02}" for item in items]}
    roles = detect_roles(pd.DataFrame(table | {"section": [kind[item % len(kind)] for item in items]}))
    assert (roles.item_attributes, roles.user_attributes) == ((("section",) if found else ()), ())


def test_rows_without_user_or_value_do_not_count_for_attributes():
    users, values = ["a", "a", "b", "b"], ["north", "north", "south", "south"]
    assert attribute(values, users)
    assert not attribute(["north"] * 4, users), "the same for everyone"
    assert attribute(["north", None, "south", "south", "east"], [*users, None])
    assert not attribute(["north", "west", "south", "south"], users)
    assert not attribute(["south", "south", "north", "east"], users)
    assert not attribute(
        ["a", "b", "c", "d", "e", "f", "g", "h", "i", "i"], list("abcdefghjj")
    )  # nine users in ten rows
    assert attribute(["a", "b", "c", "d", "e", "f", "g", "h", "h"], list("abcdefghh"))  # eight in nine
    assert detect_roles(pd.DataFrame({"item": ["i"] * 4, "x": values})).user_attributes == ()
