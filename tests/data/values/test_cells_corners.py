"""Cells that hold several values, at the bounds."""

import pandas as pd
import pytest

from grouprec.data.values.cells import are_shown, written_list


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (["N5-0 N7-1", "N1-0 N2-0"], True),
        (["N5-0 N7-1"], False),  # one text tells nothing
        (["N5-0 N7-1", "N3-0"], False),  # half of them with several items are not most of them
        (["N5-0 N7-1", "N3-1 N4-1"], False),  # nor half of them with an item that nobody clicked
    ],
)
def test_items_that_were_shown_are_mostly_several_and_mostly_not_clicked(texts: list[str], shown: bool) -> None:
    assert are_shown(pd.Series(texts)) is shown


@pytest.mark.parametrize(("text", "found"), [("{a}", ["a"]), ("{}", None), ('{"a b",c}', ["a b", "c"])])
def test_a_list_as_postgresql_prints_it_has_an_item_at_least(text: str, found: list[str] | None) -> None:
    assert written_list(text) == found
