"""Columns of yes or no of a file of items become one column of kinds."""

import pandas as pd
import pytest

from grouprec.data.preparing.flags import join_flags


def films(**columns):
    return pd.DataFrame({"id": [f"f{n}" for n in range(4)], "title": ["A", "B", "C", "D"], **columns})


def test_flags_of_genres_are_one_column_of_them():
    made = join_flags(
        films(unknown=["0"] * 4, Comedy=["1", "0", "1", "0"], Drama=["0", "1", "1", "0"], War=list("0001"))
    )
    assert made.columns.tolist() == ["id", "title", "genres"]
    assert made["genres"].tolist() == ["Comedy", "Drama", "Comedy|Drama", "War"]


def test_what_the_columns_begin_with_is_its_name():
    made = join_flags(
        films(kind_tea=[True, False, False, True], kind_mug=[False, True, False, True], kind_pot=[0, 0, 1, 0])
    )
    assert made["kind"].tolist() == ["tea", "mug", "pot", "tea|mug"]


@pytest.mark.parametrize(
    "columns",
    [
        {"sale": list("0101"), "organic": list("0010")},  # two
        {"sale": list("0100"), "organic": list("0010"), "new": list("0000")},  # of most items nothing
        {"a": list("1111"), "b": list("1111"), "c": list("1111")},  # of all items everything
        {"a": list("1201"), "b": list("0112"), "c": list("2000")},  # numbers
    ],
)
def test_other_columns_stay(columns):
    table = films(**columns)
    pd.testing.assert_frame_equal(join_flags(table), table)
