import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from grouprec.core.types import DataError
from grouprec.data.values import encode_ids, is_numeric, shown, sorted_unique, to_numbers, to_seconds

NOON = dt.datetime(2011, 12, 1, 12, tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([17850.0, np.nan]),
        pd.Series([17850, None], dtype="Int64"),
        pd.Series(["17850", None]),
        pd.Series([17850, None], dtype=object),
        pd.Series([" 17850 ", "nan"]),
        pd.Series(["17850", " "]).astype("category"),
    ],
)
def test_ids_of_any_type_become_the_same_text_and_nothing_stays_missing(column):
    codes, names = encode_ids(column)
    assert names.tolist() == ["17850"]
    assert codes.tolist() == [0, -1]


def test_ids_keep_zeros_spaces_quotes_and_emoji():
    texts = ["00123", "123", "a b", 'q"', "😀", "NA"]
    codes, names = encode_ids(pd.Series(texts))
    assert names[codes].tolist() == texts
    assert names.tolist() == sorted(texts)


def test_lists_are_no_ids():
    with pytest.raises(DataError, match="lists"):
        encode_ids(pd.Series([["a"], ["b"]], name="item"))


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([NOON]),
        pd.Series([NOON * 1e3]),
        pd.Series([NOON * 1e6]),
        pd.Series([int(NOON) * 10**9]),
        pd.Series([str(int(NOON))]),
        pd.Series(["2011-12-01T12:00:00Z"]),
        pd.Series(["2011-12-01 14:00:00+02:00"]),
        pd.Series(["2011-12-01 12:00 UTC"]),
        pd.Series(["12/1/2011 12:00"]),
        pd.Series(["1.12.2011 12:00"]),
        pd.Series(["12/1/11 12:00 PM"]),
        pd.Series(["Thu Dec 01 12:00:00 +0000 2011"]),
        pd.Series([40878.5]),
        pd.Series(pd.to_datetime(["2011-12-01 12:00"]).as_unit("s")),
        pd.Series(pd.to_datetime(["2011-12-01 13:00+01:00"]).as_unit("ns")),
        pd.Series([dt.datetime(2011, 12, 1, 12)], dtype=object),
    ],
)
def test_times_of_any_form_become_seconds_utc(column):
    assert to_seconds(column).tolist() == [NOON]


def test_mixed_time_zones_are_converted_and_rubbish_is_missing():
    seconds = to_seconds(pd.Series(["2011-12-01T14:00:00+02:00", "2011-12-01 12:00", "soon", None]))
    np.testing.assert_array_equal(seconds, [NOON, NOON, np.nan, np.nan])


def test_a_day_above_twelve_decides_the_order_of_day_and_month():
    days = to_seconds(pd.Series(["1/12/2011", "13/12/2011"]))
    assert days[1] - days[0] == 12 * 86400


def test_calendar_numbers_are_dates():
    assert to_seconds(pd.Series([20111201, 20111202])).tolist() == [NOON - 43200, NOON + 43200]


def test_numbers_may_have_decimal_commas_or_thousands_separators():
    assert to_numbers(pd.Series(["1,5", "-2"])).tolist() == [1.5, -2.0]
    assert to_numbers(pd.Series(["1,500", "2,000.5"])).tolist() == [1500.0, 2000.5]
    assert np.isnan(to_numbers(pd.Series(["x", None]))).all()


def test_codes_with_leading_zeros_are_not_numeric():
    assert is_numeric(pd.Series(["1", "2.5", None]))
    assert not is_numeric(pd.Series(["00123", "2"]))
    assert not is_numeric(pd.Series(["a", "2"]))


@pytest.mark.parametrize("words", [["", "nan", "NaT", "<NA>", "None", "NULL", "n/a", "#N/A", " null "]])
def test_words_for_nothing_are_missing_and_the_rest_is_coded_in_order(words):
    codes, names = encode_ids(pd.Series(["b", *words, "a", None, "b"]))
    assert names.tolist() == ["a", "b"]
    assert codes.tolist() == [1, *[-1] * len(words), 0, -1, 1]
    assert codes.dtype == np.int32


@pytest.mark.parametrize(
    ("value", "text"), [(1.5, "1.5"), (-2.0, "-2"), (True, "True"), (7, "7"), (np.inf, None), (10**20, str(10**20))]
)
def test_typed_ids_become_the_text_a_person_would_write(value, text):
    codes, names = encode_ids(pd.Series([value, "x"], dtype=object))
    assert (names[codes[0]] if codes[0] >= 0 else None) == text


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1,500", "2,5"], [1.5, 2.5]),  # a decimal comma in one is one in all
        (["1,500", "7"], [1500, 7]),
        (["1,500", ""], [1500, np.nan]),
        (["-1,5", "+,5", "1,2,3"], [-1.5, 0.5, np.nan]),
        (["1.5", " 2 ", None], [1.5, 2, np.nan]),
        ([], []),
    ],
)
def test_commas_mean_what_all_of_them_can_mean(texts, numbers):
    np.testing.assert_array_equal(to_numbers(pd.Series(texts, dtype="str")), numbers)


def test_numbers_with_gaps_keep_them():
    np.testing.assert_array_equal(to_numbers(pd.Series([1, None], dtype="Int64")), [1, np.nan])


def day(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


@pytest.mark.parametrize(
    ("numbers", "seconds"),
    [
        ([20_000, 80_000], [day("1954-10-03"), day("2119-01-11")]),  # serial days of Excel
        ([19_999, 80_000], [19_999, 80_000]),
        ([20_000, 80_001], [20_000, 80_001]),
        ([19_000_101, 21_001_231], [day("1900-01-01"), day("2100-12-31")]),  # dates as numbers
        ([19_000_100, 20_200_101], [19_000_100, 20_200_101]),
        ([20_200_101, 21_001_232], [20_200_101, 21_001_232]),
        ([20_200_101, 20_200_101.5], [20_200_101, 20_200_101.5]),
        ([20_200_101, 20_201_301], [20_200_101, 20_201_301]),  # no month is the thirteenth
        ([20_200_101, np.nan], [day("2020-01-01"), np.nan]),
        ([0.5, -3], [0.5, -3]),
        ([9e10], [9e10]),
        ([1e11], [1e8]),
        ([9e13], [9e10]),
        ([1e14], [1e8]),
        ([9e16], [9e10]),
        ([1e17], [1e8]),
        ([9e20], [9e11]),
        ([-2e12, -1e12], [-2e9, -1e9]),
        ([1e12, 1, 2e12], [1e9, 1e-3, 2e9]),  # the median tells the unit
        ([np.inf, 5], [np.nan, 5]),
        ([np.inf, np.nan], [np.nan, np.nan]),
        ([], []),
    ],
)
def test_numbers_are_times_by_their_magnitude(numbers, seconds):
    np.testing.assert_allclose(to_seconds(pd.Series(numbers, dtype=float)), seconds, rtol=1e-12)


@pytest.mark.parametrize(
    ("texts", "seconds"),
    [
        (["5", "x", "7"], [5, np.nan, 7]),  # most are numbers
        (["5", "2024-01-01"], [np.nan, day("2024-01-01")]),  # half of them is not most
        ([], []),
        ([None, ""], [np.nan, np.nan]),
        (["12/01/2024", "02/12/2024"], [day("2024-12-01"), day("2024-02-12")]),
        (["13/01/2024", "02/12/2024"], [day("2024-01-13"), day("2024-12-02")]),
        (["12.01.2024", "02.12.2024"], [day("2024-01-12"), day("2024-12-02")]),
        (["12.01.2024", "02.13.2024"], [day("2024-12-01"), day("2024-02-13")]),
        (["02.01.2024", "03/01/2024"], [day("2024-02-01"), day("2024-03-01")]),  # half of them dotted
        (["02.01.2024", "03.01.2024", "04/01/2024"], [day("2024-01-02"), day("2024-01-03"), day("2024-01-04")]),
        (["2-1-24", "12-31-24"], [day("2024-02-01"), day("2024-12-31")]),
        (["1/2/2024, 3:04:05", "1/2/2024T03:04"], [day("2024-01-02T03:04:05"), day("2024-01-02T03:04:00")]),
        (["1/2/2024 3:04 PM", "1/2/2024 03:04:05.5"], [day("2024-01-02T15:04"), day("2024-01-02T03:04:05.5")]),
        (["1/2/20245", "1/2/2024"], [np.nan, day("2024-01-02")]),
        (
            ["2024/01/02", "2024/01/02 03:04", "3 Jan 2024"],
            [day("2024-01-02"), day("2024-01-02T03:04"), day("2024-01-03")],
        ),
        (["Jan 3, 2024", "January 4, 2024", "05-Jan-2024"], [day(f"2024-01-0{n}") for n in (3, 4, 5)]),
        (
            ["6/Jan/2024:01:00:00 +0100", "Sat, 06 Jan 2024 02:00:00 +0100"],
            [day("2024-01-06"), day("2024-01-06T01:00")],
        ),
        (["0001-01-01", "9999-12-31"], [day("0001-01-01"), day("9999-12-31")]),
        (["31/31/2024"], [np.nan]),
    ],
)
def test_text_is_a_time_in_any_of_the_common_formats(texts, seconds):
    np.testing.assert_array_equal(to_seconds(pd.Series(texts, dtype="str")), seconds)


def test_truth_values_are_no_times():
    assert np.isnan(to_seconds(pd.Series([True, False]))).all()


@pytest.mark.parametrize(
    ("values", "numeric"),
    [
        ([True, False], False),
        ([None, None], False),
        ([1, 2], True),
        ([1.5, np.nan], True),
        (["1", "x"], False),
        (["01", "2"], False),
        (["0", "0.5", None], True),
        (["1,5", " 2"], True),
    ],
)
def test_a_column_is_numeric_where_every_value_is_a_number_and_no_code(values, numeric):
    assert is_numeric(pd.Series(values)) is numeric


@pytest.mark.parametrize(("length", "cut"), [(60, "x" * 60), (61, "x" * 59 + "…")])
def test_a_value_is_shown_on_one_line_and_cut_where_it_is_long(length, cut):
    assert shown("x" * length) == cut
    assert shown("a\n  b\tc") == "a b c"


@given(arrays(np.int64, st.integers(0, 30), elements=st.integers(-3, 3)))
@settings(max_examples=50, deadline=None)
def test_distinct_values_come_sorted(values):
    assert sorted_unique(values).tolist() == sorted(set(values.tolist()))
