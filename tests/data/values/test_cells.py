"""Lists that are written as text."""

import pandas as pd
import pytest

from grouprec.data.values.cells import (
    choices_of,
    counted,
    holds_some_of,
    holds_written_lists,
    is_counted,
    items_of,
    separator_of,
    written_list,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('["a", "b"]', ["a", "b"]),
        ("['a', None]", ["a", None]),
        ('[{"sku": "a"}]', [{"sku": "a"}]),
        ("{a,b}", ["a", "b"]),
        ("SKU: a, Qty: 2|SKU: b, Qty: 1", [{"SKU": "a", "Qty": "2"}, {"SKU": "b", "Qty": "1"}]),
        ("[a]", None),
        ("a, b", None),
        ("{}", None),
        ('{"a": 1}', None),
        ("Note: nothing", None),
        ("[__import__('os')]", None),
    ],
)
def test_what_a_text_holds(text, found):
    assert written_list(text) == found


def test_gaps_in_lists_are_no_items():
    assert items_of("['a', None]", "written") == ["a"] and items_of(None, "written") == []
    assert items_of("a; b;", ";") == ["a", "b"] and items_of({"a": 1}, "") == []


@pytest.mark.parametrize(
    ("texts", "lists"),
    [(["['a']", "['b', 'c']"], True), (["[0.1, 0.2]", "[0.3, 0.4]"], False), (["[1]", "x"], False), ([], False)],
)
def test_vectors_are_no_lists_of_items(texts, lists):
    assert holds_written_lists(pd.Series(texts, dtype="str")) == lists


def test_numbers_of_items_are_parted_by_blanks():
    assert separator_of(pd.Series(["1 2 3", "2 4", "7"])) == " "
    assert separator_of(pd.Series(["a;b", "b;c", "a;c", "a;b;c"])) == ";"


def test_choices_are_few_and_mostly_several():
    ticked = pd.Series(["mug, lamp", "lamp, vase", "mug", "vase, mug, lamp", "mug, vase"] * 4)
    assert choices_of(ticked) == ","
    assert choices_of(pd.Series([f"sentence {n}, and {n + 1}" for n in range(20)])) is None


@pytest.mark.parametrize(
    ("text", "parts"), [("2x Blue Mug", ("Blue Mug", "2")), ("Mug x 3", ("Mug", "3")), ("Mug", ("Mug", "1"))]
)
def test_how_many_of_something(text, parts):
    assert counted(text) == parts


def test_facts_that_end_otherwise_are_none_at_once():
    """Time that doubles with every fact would never end here."""
    assert written_list("SKU: A1, Qty: 2" + ", Qty: 2" * 2000 + "|") is None
    assert written_list("SKU: A1, Qty: 2|SKU: A4, Qty: 1") == [{"SKU": "A1", "Qty": "2"}, {"SKU": "A4", "Qty": "1"}]


def test_counts_of_very_long_texts_are_told_at_once():
    assert counted("mug" + " " * 2_000_000 + "!") == ("mug" + " " * 2_000_000 + "!", "1")
    assert counted(" " * 9 + "2 x " + "mug" * 1000) == ("mug" * 1000, "2")
    assert is_counted("mug" + " " * 2_000_000 + "x 3")


def test_what_was_taken_of_what_was_shown_is_told_by_its_items() -> None:
    shown = pd.Series(["N1-0 N2-1", None, "N9-1 N3-0"])
    assert holds_some_of(pd.Series(["N1 N2", "N9", None]), shown)
    assert not holds_some_of(pd.Series(["N1 N7", "N8"]), shown), "a third of them"
    assert not holds_some_of(pd.Series(["N1", "N2"]), shown), "one a cell"
    for nothing in (pd.Series([], dtype=object), pd.Series([None, None], dtype=object), pd.Series([1, 2])):
        assert not holds_some_of(nothing, shown)
