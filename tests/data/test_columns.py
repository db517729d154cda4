import pandas as pd
import pytest

from grouprec.core.types import DataError, SettingError
from grouprec.data.columns import Roles, apply_map, detect_attribute_roles, detect_roles, parse_map
from grouprec.data.read import peek


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


def test_map_overrules_detection_and_switches_roles_off():
    columns = ["user_id", "item_id", "qty", "shop, town"]
    mapping = parse_map("user=shop, town, weight=")
    assert mapping == {"user": "shop, town", "weight": ""}
    roles = apply_map(detect_roles(named(*columns)), mapping, columns)
    assert roles.as_dict() == {"user": "shop, town", "item": "item_id"}


def test_a_column_mapped_to_a_role_leaves_its_detected_role():
    roles = apply_map(Roles(user="a", item="b", weight="c"), {"rating": "c"}, ["a", "b", "c"])
    assert roles.as_dict() == {"user": "a", "item": "b", "rating": "c"}


@pytest.mark.parametrize("text", ["user", "", "=x", "colour=x", "user=a,item"])
def test_a_map_of_another_form_is_refused(text):
    with pytest.raises((SettingError, DataError), match="--map"):
        apply_map(Roles(), parse_map(text), ["a"])


def test_wrong_maps_are_refused_with_what_to_do():
    columns = ["a", "b"]
    with pytest.raises(DataError, match=r"no column 'z'.*a, b"):
        apply_map(Roles(), {"user": "z"}, columns)
    with pytest.raises(SettingError, match="'a' to user and item"):
        apply_map(Roles(), {"user": "a", "item": "a"}, columns)
    with pytest.raises(DataError, match="--map item=COLUMN, one of: a, b"):
        apply_map(Roles(), {"user": "a"}, columns)


def test_the_id_column_of_an_items_file_is_the_one_that_shares_the_ids():
    table = pd.DataFrame({"item_id": ["x", "y"], "ref": ["1", "2"], "title": ["One", "Two"], "price": [1.5, 2.0]})
    roles = detect_attribute_roles(table, ["1", "2", "3"], "item", "items.csv")
    assert (roles.id, roles.label, roles.attributes) == ("ref", "title", ("item_id", "price"))


def test_an_items_file_of_other_items_is_refused():
    with pytest.raises(DataError, match=r"'items\.csv' holds the item ids.*'1'"):
        detect_attribute_roles(pd.DataFrame({"item_id": ["x"]}), ["1"], "item", "items.csv")
