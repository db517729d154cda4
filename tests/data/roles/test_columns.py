"""Roles by somebody's own choice, and the columns of users and items files."""

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import DataError, SettingError
from grouprec.data.roles.columns import ChoiceError, Roles, apply_map, detect_attribute_roles, parse_map
from grouprec.data.roles.detect import detect_roles
from grouprec.data.values.common import some_of


def named(*columns):
    return pd.DataFrame([["1"] * len(columns)] * 3, columns=list(columns), dtype="str")


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
    alike = r"; 2 of them would match in 'item_id' if they were written alike \('001' and '1'\)\."
    with pytest.raises(DataError, match=alike):
        detect_attribute_roles(pd.DataFrame({"item_id": ["1", "2"]}), ["001", "002", "9"], "item", "items.csv")


def test_every_column_that_is_needed_comes_once():
    roles = Roles(user="a", item="b", time="c", user_attributes=("d", "a"))
    assert roles.columns() == ["a", "b", "c", "d"]


def test_a_detected_attribute_with_a_role_is_none_any_more():
    roles = apply_map(Roles(user="a", item="b", user_attributes=("c", "d")), {"label": "c"}, list("abcd"))
    assert (roles.label, roles.user_attributes) == ("c", ("d",))
    with pytest.raises(SettingError, match="no role 'user_attributes'"):
        apply_map(roles, {"user_attributes": "d"}, list("abcd"))


def test_the_named_id_column_wins_a_tie_only():
    table = pd.DataFrame({"ref": ["1", "2"], "item_id": ["2", "1"], "name": ["x", "y"]})
    assert detect_attribute_roles(table, ["1", "2"], "item", "f").id == "item_id"
    table.loc[0, "item_id"] = "z"
    assert detect_attribute_roles(table, ["1", "2"], "item", "f").id == "ref"
    assert detect_attribute_roles(table[["ref"]], ["1"], "item", "f").id == "ref", "one id that is shared is enough"
    with pytest.raises(DataError, match=r"such as '8'.*: ref, item_id, name"):
        detect_attribute_roles(table, ["8", "9"], "item", "f")
    with pytest.raises(DataError, match="such as ''"):
        detect_attribute_roles(table, [], "item", "f")


def test_a_role_without_a_column_is_asked_for_with_the_columns_and_why_one_was_not_taken():
    with pytest.raises(
        ChoiceError, match=r"'line' was not taken: it counts .*--map user=COLUMN, one of: line, item"
    ) as asked:
        apply_map(Roles(item="item"), {}, ["line", "item"], {"user": {"line": "it counts the lines of something"}})
    assert (asked.value.role, asked.value.columns) == ("user", ("line", "item"))
    assert isinstance(asked.value, DataError)


def test_a_sentence_lists_the_first_columns_and_how_many_more_there_are():
    names = ["a" * 5_000, *(f"c{n}" for n in range(400))]
    assert some_of(names).startswith("a" * 59 + "…, c0") and some_of(names).endswith("c28 and 371 more")
    with pytest.raises(DataError, match=r"There is no column 'b{59}…'") as raised:
        apply_map(Roles(), {"user": "b" * 9_000}, names)
    assert len(str(raised.value)) < 500


def test_an_items_file_without_columns_is_refused():
    with pytest.raises(DataError, match="holds the item ids"):
        detect_attribute_roles(pd.DataFrame(index=range(3)), np.array(["a"], object), "item", "shop.json")
