import datetime as dt

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import DataError
from grouprec.data.values import encode_ids, is_numeric, to_numbers, to_seconds

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
