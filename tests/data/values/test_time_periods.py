"""Weeks, quarters, zones and other calendars."""

import numpy as np
import pandas as pd
import pytest

from grouprec.data.values.time_periods import foreign_calendar
from grouprec.data.values.times import read_times


def read(*texts):
    found = read_times(pd.Series(texts, dtype="str"))
    return [None if np.isnan(one) else str(pd.Timestamp(one, unit="s")) for one in found.seconds], found


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-W05", "2024-01-29 00:00:00"),
        ("2024-W05-3", "2024-01-31 00:00:00"),
        ("KW 5/2024", "2024-01-29 00:00:00"),
        ("Week 5, 2024", "2024-01-29 00:00:00"),
        ("Q3 2023", "2023-07-01 00:00:00"),
        ("2. Quartal 2023", "2023-04-01 00:00:00"),
        ("Jan-24", "2024-01-01 00:00:00"),
        ("2024-07-01 12:00:00 Europe/Berlin", "2024-07-01 10:00:00"),
        ("2024-01-01 12:00 America/New_York", "2024-01-01 17:00:00"),
        ("/Date(1704300305000)/", "2024-01-03 16:45:05"),
        ("令和6年1月3日", "2024-01-03 00:00:00"),
        ("令和元年5月1日", "2019-05-01 00:00:00"),
        ("R6.01.03", "2024-01-03 00:00:00"),
        ("٢٠٢٤-٠١-٠٣", "2024-01-03 00:00:00"),
        ("3 Ocak 2024", "2024-01-03 00:00:00"),
        ("3. července 2024", "2024-07-03 00:00:00"),
        ("3. tammikuuta 2024", "2024-01-03 00:00:00"),
        ("3 Ιανουαρίου 2024", "2024-01-03 00:00:00"),
        ("3 січня 2024", "2024-01-03 00:00:00"),
        ("3 يناير 2024", "2024-01-03 00:00:00"),
        ("3 בינואר 2024", "2024-01-03 00:00:00"),
        ("3 tháng 1, 2024", "2024-01-03 00:00:00"),
        ("2024. 1. 3. 오후 4:45", "2024-01-03 16:45:00"),
        ("3/1/2024 4:45:05 p. m.", "2024-03-01 16:45:05"),
        ("2024_01_03_16_45_05", "2024-01-03 16:45:05"),
        ("2024-01-03_16-45", "2024-01-03 16:45:00"),
        ('"2024-01-03 16:45"', "2024-01-03 16:45:00"),
        ("3 ม.ค. 2024 16:45 น.", "2024-01-03 16:45:00"),
        ("3 พฤษภาคม 2567", "2024-05-03 00:00:00"),
        ("3 مارس 2024", "2024-03-03 00:00:00"),
        ("13348773905000000", "2024-01-03 16:45:05"),  # microseconds since 1601
        ("2024-W60", None),
        ("Jan 24 Feb", None),
        ("FY24 Q1", None),
    ],
)
def test_moments_as_the_world_writes_them(text, moment):
    assert read(text)[0] == [moment]


def test_zones_count_by_the_day_of_the_year_and_unknown_ones_as_utc():
    found, _ = read("2024-01-01 12:00 Europe/Berlin", "2024-07-01 12:00 Europe/Berlin", "2024-01-01 12:00 Mars/Olympus")
    assert [one[11:13] for one in found] == ["11", "10", "12"]


def test_buddhist_years_are_read_where_all_are_and_said():
    found, times = read("03/01/2567", "04/01/2567")
    assert found[0] == "2024-01-03 00:00:00" or found[0] == "2024-03-01 00:00:00"
    assert times.buddhist
    assert read("2024-01-03", "03/01/2567")[1].unread.tolist() == [False, True]


@pytest.mark.parametrize(
    ("text", "calendar"),
    [
        ("1403/01/03", "Persian"),
        ("03-01-1445", "Islamic"),
        ("5784-01-03", "Hebrew"),
        ("113/01/03", "Taiwanese (Minguo)"),
        ("2024-01-03", ""),
        ("soon", ""),
    ],
)
def test_other_calendars_are_named(text, calendar):
    assert foreign_calendar(text) == calendar
