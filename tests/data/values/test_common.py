"""What ids, numbers and times have in common."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from grouprec.core.types import DataError
from grouprec.data.values.common import among, distinct_values, folded, plain_texts, shown, sorted_unique


@pytest.mark.parametrize(("length", "cut"), [(60, "x" * 60), (61, "x" * 59 + "…")])
def test_a_value_is_shown_on_one_line_and_cut_where_it_is_long(length, cut):
    assert shown("x" * length) == cut
    assert shown("a\n  b\tc") == "a b c"


@given(arrays(np.int64, st.integers(0, 30), elements=st.integers(-3, 3)))
@settings(max_examples=50)
def test_distinct_values_come_sorted(values):
    assert sorted_unique(values).tolist() == sorted(set(values.tolist()))


@given(arrays(np.int32, st.integers(0, 30), elements=st.integers(-1, 9)), st.sets(st.integers(0, 12)))
@settings(max_examples=50)
def test_values_are_among_codes_or_not_and_what_is_missing_never_is(values, codes):
    found = among(values, np.array(sorted(codes), np.int32))
    assert found.tolist() == [value in codes for value in values.tolist()]


def test_distinct_values_are_coded_in_the_order_of_the_rows():
    codes, distinct = distinct_values(pd.Series(["b", None, "a", "b"]))
    assert (codes.tolist(), distinct.tolist()) == ([0, -1, 1, 0], ["b", "a"])
    with pytest.raises(DataError, match="'x' holds lists"):
        distinct_values(pd.Series([["a"]], name="x"))


def test_texts_lose_blanks_and_the_quotes_of_excel():
    assert plain_texts(pd.Series([" a ", '="00123"', '="'])).tolist() == ["a", "00123", ""]
    assert plain_texts(pd.Series([b"a", "b"], dtype=object)).tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "plain"), [("Größe", "grosse"), ("ŁÓDŹ", "lodz"), ("Éclair", "eclair"), ("商品ID", "商品id"), ("Й", "и")]
)
def test_words_are_folded(text, plain):
    assert folded(text) == plain


@pytest.mark.parametrize(
    ("values", "codes", "found"),
    [
        ([0, 5, 3, -1], [5, 3], [False, True, True, False]),
        ([5, -1, 4], [5, -1], [True, False, False]),  # the code of nothing is none, and no other one's
        ([7], [2], [False]),
        ([2], [7], [False]),
        ([], [1], []),
        ([1, -1], [], [False, False]),
    ],
)
def test_values_are_found_among_codes(values: list[int], codes: list[int], found: list[bool]) -> None:
    assert among(np.array(values, np.int32), np.array(codes, np.int32)).tolist() == found
