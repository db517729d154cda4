"""Times as people and programs write them, in the languages of the headers; order and units by the whole column."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouprec.data.values.time_shapes import understand
from grouprec.data.values.times import latest_time, read_times, to_clock, to_seconds

NOON = dt.datetime(2011, 12, 1, 12, tzinfo=dt.UTC).timestamp()


def day(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp()


def read(*values, clock=None):
    return read_times(pd.Series(list(values), dtype=object), None if clock is None else pd.Series(clock))


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([NOON]),
        pd.Series([NOON * 1e3]),
        pd.Series([NOON * 1e6]),
        pd.Series([int(NOON) * 10**9]),
        pd.Series([str(int(NOON))]),
        pd.Series([int(NOON) * 10**7 + 621_355_968_000_000_000]),
        pd.Series([int(NOON) * 10**7 + 116_444_736_000_000_000]),
        pd.Series(["2011-12-01T12:00:00Z"]),
        pd.Series(["2011-12-01 14:00:00+02:00"]),
        pd.Series(["2011-12-01 12:00 UTC"]),
        pd.Series(["12/1/2011 12:00"]),
        pd.Series(["1.12.2011 12:00"]),
        pd.Series(["12/1/11 12:00 PM"]),
        pd.Series(["Thu Dec 01 12:00:00 +0000 2011"]),
        pd.Series([40878.5]),
        pd.Series([201112011200]),
        pd.Series(["20111201120000"]),
        pd.Series(pd.to_datetime(["2011-12-01 12:00"]).as_unit("s")),
        pd.Series(pd.to_datetime(["2011-12-01 13:00+01:00"]).as_unit("ns")),
        pd.Series([dt.datetime(2011, 12, 1, 12)], dtype=object),
    ],
    ids=str,
)  # fmt: skip
def test_times_of_any_form_become_seconds_utc(column):
    np.testing.assert_allclose(to_seconds(column), [NOON], atol=1e-3)


@pytest.mark.parametrize(
    ("numbers", "seconds"),
    [
        ([25_569, 45_000], [0, day("2023-03-15")]),  # serial days of Excel
        ([150_000_000_000_000_000], [150_000_000]),  # nanoseconds of 1974, beyond what is ticks of Windows
        ([19_999, 45_000], [19_999, 45_000]),
        ([20_200_101, 20_231_231], [day("2020-01-01"), day("2023-12-31")]),  # dates as numbers
        ([20_200_101, np.nan], [day("2020-01-01"), np.nan]),
        ([20_209_999, 20_201_301, 20_200_100], [20_209_999, 20_201_301, 20_200_100]),  # no dates: seconds of 1970
        ([202_301, 202_312], [day("2023-01-01"), day("2023-12-01")]),  # months
        ([202_301, 202_313], [202_301, 202_313]),
        ([2021, 2023], [day("2021-01-01"), day("2023-01-01")]),  # years
        ([1969, 2023], [1969, 2023]),
        ([2_023_010_108, 2_023_010_109], [day("2023-01-01T08"), day("2023-01-01T09")]),
        ([0.5, 7], [0.5, 7]),
        ([1e9, 1e12, 1e15, 1e18], [1e9] * 4),  # every value by itself
        ([9.9e10, np.inf, 5], [np.nan, np.nan, 5]),
        ([-1, 1e9], [np.nan, 1e9]),  # before 1970
        ([np.inf, np.nan], [np.nan, np.nan]),
        ([], []),
    ],
)
def test_numbers_are_times_by_their_magnitude(numbers, seconds):
    np.testing.assert_allclose(to_seconds(pd.Series(numbers, dtype=float)), seconds, rtol=1e-12)


def test_years_before_1970_and_more_than_two_ahead_are_unread():
    late = pd.Timestamp(latest_time(), unit="s")
    found = read(
        "1969-12-31", "1970-01-01", str(late - pd.Timedelta(days=1)), str(late + pd.Timedelta(days=1)), "9999-12-31"
    )
    assert found.unread.tolist() == [True, False, False, True, True]
    assert np.isnan(found.seconds).tolist() == found.unread.tolist()
    typed = read_times(pd.Series(pd.to_datetime(["1900-01-01", None, "2020-01-01"])))
    assert (typed.unread.tolist(), np.isnan(typed.seconds).tolist()) == ([True, False, False], [True, True, False])


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["5", "x", "7"], [np.nan, np.nan, np.nan]),
        (["5", "2024-01-01"], [np.nan, day("2024-01-01")]),
        (["45000.5", "2024-01-01"], [day("2023-03-15T12"), day("2024-01-01")]),
        (["1700000000", "2024-01-01"], [1.7e9, day("2024-01-01")]),
        ([], []),
        ([None, "", "-"], [np.nan] * 3),
        (["12/01/2024", "02/12/2024"], [day("2024-12-01"), day("2024-02-12")]),
        (["13/01/2024", "02/12/2024"], [day("2024-01-13"), day("2024-12-02")]),
        (["12.01.2024", "02.12.2024"], [day("2024-01-12"), day("2024-12-02")]),
        (["12.01.2024", "02.13.2024"], [day("2024-12-01"), day("2024-02-13")]),
        (["23/01/05", "23/12/31", "22/06/15"], [day("2023-01-05"), day("2023-12-31"), day("2022-06-15")]),
        (["05.01.23", "31.12.22"], [day("2023-01-05"), day("2022-12-31")]),
        (["2-1-24", "12-31-24"], [day("2024-02-01"), day("2024-12-31")]),
        (["1/2/2024, 3:04:05", "1/2/2024T03:04"], [day("2024-01-02T03:04:05"), day("2024-01-02T03:04:00")]),
        (["1/2/2024 3:04 PM", "1/2/2024 03:04:05.5"], [day("2024-01-02T15:04"), day("2024-01-02T03:04:05.500")]),
        (["1/2/20245", "1/2/2024"], [np.nan, day("2024-01-02")]),
        (
            ["2024/01/02", "2024/1/2 3:04", "2024.01.02"],
            [day("2024-01-02"), day("2024-01-02T03:04"), day("2024-01-02")],
        ),
        (["03/2023", "Mar 2023", "2023-04"], [day("2023-03-01"), day("2023-03-01"), day("2023-04-01")]),
        (["31/31/2024", "30.02.2024", "12/31/2024 25:00"], [np.nan] * 3),
        (["2023:01:05 08:21:03"], [day("2023-01-05T08:21:03")]),
        (["20230101T0821", "20230101 082103"], [day("2023-01-01T08:21"), day("2023-01-01T08:21:03")]),
        (["8:21 05.01.2023", "05.01.2023 8.21"], [day("2023-01-05T08:21")] * 2),
        (["soon", "2023", "08:21:03"], [np.nan, np.nan, np.nan]),
    ],
)
def test_dates_without_words(texts, expected):
    np.testing.assert_array_equal(to_seconds(pd.Series(texts, dtype="str")), expected)


@pytest.mark.parametrize(
    "text",
    [
        "5 January 2023", "Jan 5, 2023", "January 5th, 2023", "05-Jan-23", "5/Jan/2023", "2023-Jan-05",
        "Thursday, 5 Jan 2023",
        "5th of January 2023", "Do, 5. Januar 2023", "5. Jänner 2023", "5 de enero de 2023", "jue 5 ene. 2023",
        "5 gennaio 2023",
        "gio 5 gen 2023", "5 de janeiro de 2023", "5 januari 2023", "5 stycznia 2023", "5 sty 2023", "5 января 2023 г.",
        "5 янв. 2023", "2023年1月5日", "2023年01月05日(木)", "2023年1月5号", "5 janvier 2023", "jeudi 5 janv. 2023",
        "2023년 1월 5일",
    ],
)  # fmt: skip
def test_months_in_the_languages_of_the_headers(text):
    assert to_seconds(pd.Series([text])).tolist() == [day("2023-01-05")]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mrz", 3), ("März", 3), ("Maerz", 3), ("Mai", 5), ("Okt", 10), ("Dez", 12), ("marzo", 3), ("ago", 8),
        ("dic", 12),
        ("mag", 5), ("lug", 7), ("set", 9), ("ott", 10), ("fev", 2), ("abr", 4), ("out", 10), ("mrt", 3), ("mei", 5),
        ("lut", 2), ("kwietnia", 4), ("cze", 6), ("wrz", 9), ("paź", 10), ("lis", 11), ("gru", 12), ("мая", 5),
        ("май", 5),
        ("сент", 9), ("дек", 12), ("févr", 2), ("avr", 4), ("juin", 6), ("juil", 7), ("août", 8), ("déc", 12),
        ("Sept", 9),
    ],
)  # fmt: skip
def test_short_months(text, moment):
    assert to_seconds(pd.Series([f"07-{text}-2023"])).tolist() == [day(f"2023-{moment:02d}-07")]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("8:21am", "08:21"), ("12:05 AM", "00:05"), ("12:05 p.m.", "12:05"), ("1:45:03 PM", "13:45:03"), ("8 pm",
        "20:00"),
        ("08:21:03,123", "08:21:03.123"), ("08:21:03.5", "08:21:03.500"), ("8h21", "08:21"), ("14:30 Uhr", "14:30"),
        ("下午3:21", "15:21"), ("午前8:05", "08:05"), ("15时21分3秒", "15:21:03"), ("08:21 UTC", "08:21"),
        ("08:21 GMT+2", "06:21"),
        ("08:21:03 +0100", "07:21:03"), ("08:21 PST", "16:21"), ("8:21 PM EDT", "2023-01-06T00:21"), ("08:21 CET",
        "07:21"),
        ("08:21 AKST", "17:21"), ("08:21 AKDT", "16:21"), ("08:21 HST", "18:21"),
        ("08:21 MSK", "05:21"), ("08:21 JST", "2023-01-04T23:21"), ("08:21:03-05:00", "13:21:03"), ("- 08:21", "08:21"),
        ("08:21:03 GMT+0100 (Central European Standard Time)", "07:21:03"), ("08:21:03.123000 PM", "20:21:03.123"),
    ],
)  # fmt: skip
def test_clocks_halves_of_the_day_and_zones(text, moment):
    expected = day(moment if "T" in moment else f"2023-01-05T{moment}")
    for date in ("Jan 5, 2023", "2023/01/05", "5.1.2023"):
        found = to_seconds(pd.Series([f"{date} {text}"]))
        np.testing.assert_allclose(found, [expected], atol=1e-6)


@pytest.mark.parametrize(
    "text", ["a 5", "5", "", "12 items", "1.2.3.4", "5 Jan", "99", "x" * 90 + "9", "1/2/2023 of mine", "4711-12"]
)
def test_other_texts_are_no_moments(text):
    assert np.isnan(to_seconds(pd.Series([text, "x"]))).all()


def test_mixed_zones_are_converted_and_rubbish_is_unread():
    found = read("2011-12-01T14:00:00+02:00", "2011-12-01 12:00", "soon", None)
    np.testing.assert_array_equal(found.seconds, [NOON, NOON, np.nan, np.nan])
    assert found.unread.tolist() == [False, False, True, False]


def test_the_order_of_day_and_month_is_said_and_whether_it_is_a_guess():
    assert (read("13/01/2023", "02/03/2023").order, read("13/01/2023").unsure) == ("day/month", False)
    guess = read("01/02/2023", "03/04/2023")
    assert (guess.order, guess.unsure) == ("month/day", True)
    assert read("2023-01-05").order == ""
    assert not read("05/05/2023", "06/06/2023").unsure, "either way it is the same"


def test_rows_that_follow_in_time_tell_the_order():
    days = [f"{n:02d}/03/2023" for n in range(1, 13)] + [f"{n:02d}/04/2023" for n in range(1, 13)]
    found = read(*days)
    assert (found.order, found.unsure) == ("day/month", False)
    assert (np.diff(found.seconds) > 0).all()


def test_units_of_numbers_are_named():
    assert read(1_700_000_000, 1_700_000_000_000).units == ("milliseconds", "seconds")
    assert read("20230101", "20230102").units == ("dates",)
    assert read("2023-01-05").units == ()


def test_a_time_of_day_of_its_own_column_is_added():
    found = read("2023-01-05", "2023-01-06", "x", clock=["08:21:03", None, "09:00"])
    np.testing.assert_array_equal(found.seconds, [day("2023-01-05T08:21:03"), day("2023-01-06"), np.nan])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["08:21:03", "1:45 PM", "x", None], [30_063, 49_500, np.nan, np.nan]),
        (["0821", "1420"], [30_060, 51_600]),
        (["082103", "142005"], [30_063, 51_605]),
        ([0.5, 0.25], [43_200, 21_600]),  # Excel's fractions of a day
        ([dt.time(8, 21), None], [30_060, np.nan]),
        (["2023-01-05", "08:21"], [np.nan, 30_060]),
        ([5, 7.5], [np.nan, np.nan]),
    ],
)
def test_times_of_day(values, expected):
    np.testing.assert_array_equal(to_clock(pd.Series(values)), expected)


def test_truth_values_are_no_times():
    assert np.isnan(to_seconds(pd.Series([True, False]))).all()


def test_a_shape_tells_where_its_parts_stand():
    found = understand("99-Mrz-9999 9:99 PM")
    assert (found.spans, found.month, found.half) == (
        {"hour": (12, 13), "minute": (14, 16), "year": (7, 11), "day": (0, 2)}, 3, 12,
    )  # fmt: skip
    assert understand("99/99/9999").unordered == ((0, 2), (3, 5))
    assert understand("99:99", dated=False) is not None and understand("99:99") is None


FORMATS = [
    "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%Y%m%d%H%M%S",
    "%d %b %Y, %H:%M:%S",
    "%B %d, %Y %I:%M:%S %p", "%a %b %d %H:%M:%S %Y", "%d-%b-%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%d.%m.%y %H:%M:%S",
    "%y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H时%M分%S秒", "%d/%b/%Y:%H:%M:%S +0000", "%Y-%m-%dT%H:%M:%S,000",
    "%d.%m.%Y %H.%M.%S",
]  # fmt: skip
MOMENTS = st.integers(int(day("2004-01-01")), int(day("2024-12-31")))


@given(st.lists(MOMENTS, min_size=1, max_size=15), st.sampled_from(FORMATS))
@settings(max_examples=200)
def test_what_was_written_comes_back(seconds, pattern):
    # Two days whose numbers no other order reads: a column of a shop has them, too.
    seconds = [*seconds, int(day("2009-10-31")), int(day("2011-01-29")), int(day("2023-12-25"))]
    moments = [dt.datetime.fromtimestamp(value, dt.UTC) for value in seconds]
    found = read(*(moment.strftime(pattern) for moment in moments))
    assert found.seconds.tolist() == seconds


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_number_beyond_all_days_is_no_time_of_day():
    np.testing.assert_array_equal(to_clock(pd.Series(["0.5", "1e308", "12:00"])), [43_200, np.nan, 43_200])
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(to_clock(pd.Series([0.5, 1e308, -1e308])), [43_200, np.nan, np.nan])
