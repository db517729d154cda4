"""Texts that other people write for a moment: weeks and quarters, names of zones, years of other calendars."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

_WEEK = r"(?:W|KW|CW|WK|week|Woche|semaine|semana|settimana|uke|vecka|uge|hafta|周|週|第)"
_WEEKS = (
    rf"^(?P<year>\d{{4}})[ ,/.-]*{_WEEK}\.?[ -]*(?P<week>\d{{1,2}})(?:[周週]|-(?P<day>[1-7]))?$",
    rf"^{_WEEK}\.?[ -]*(?P<week>\d{{1,2}})[ ,/-]+(?P<year>\d{{4}})$",
)
_QUARTER = "(?:Q|T|K|кв\\.?)"
_QUARTERS = (
    rf"^(?P<year>\d{{4}})[ /-]?{_QUARTER}(?P<quarter>[1-4])$",
    rf"^{_QUARTER}(?P<quarter>[1-4])[ /-]*(?P<year>\d{{4}})$",
    r"^(?P<quarter>[1-4])\. ?(?:Quartal|quarter|кв\.?|квартал)[ /-]*(?P<year>\d{4})$",
)
_YEAR = re.compile(r"\d{4}")  # which each of these has
_ZONE = re.compile(r"\[?\b([A-Z][A-Za-z_]+/[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_]+)?)\]?$")
_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "R": 2018, "H": 1988}
_ERA = re.compile(r"^(令和|平成|昭和|R|H)\s?(\d{1,2}|元)\s?(?=[年./-])")
_BUDDHIST = re.compile(r"(?<!\d)2(?:5\d|6[0-4])\d(?!\d)")
BUDDHIST = 543  # years that this calendar is ahead
# What a year tells of its calendar where it is none of ours.
_CALENDARS = (
    (re.compile(r"(?<!\d)(13[6-9]\d|140\d|141\d)(?!\d)"), "Persian"),
    (re.compile(r"(?<!\d)14[2-5]\d(?!\d)"), "Islamic"),
    (re.compile(r"(?<!\d)57[6-9]\d(?!\d)"), "Hebrew"),
    (re.compile(r"^(?:民[國国])?\s?(?:9\d|1[0-2]\d)(?=[./年-]\d)"), "Taiwanese (Minguo)"),
)


def weeks_and_quarters(texts: pd.Series) -> np.ndarray:
    """Return the first moment of 2023-W05, KW 5/2023 or 2023-Q1 in seconds since 1970, NaN for all other texts."""
    if not texts.str.contains(_YEAR).any():  # of most columns, in a twentieth of the time
        return np.full(len(texts), np.nan)
    found = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us, UTC]")
    for pattern in _WEEKS:
        parts = texts.str.extract(pattern, flags=re.IGNORECASE)
        day = parts["day"].fillna("1") if "day" in parts else "1"
        days = pd.to_datetime(
            parts["year"] + "-" + parts["week"] + "-" + day, format="%G-%V-%u", errors="coerce", utc=True
        )
        found = found.fillna(days.dt.as_unit("us"))
    for pattern in _QUARTERS:
        parts = texts.str.extract(pattern, flags=re.IGNORECASE)
        months = (pd.to_numeric(parts["quarter"]) * 3 - 2).astype("Int64").astype("str")
        days = pd.to_datetime(parts["year"] + "-" + months, format="%Y-%m", errors="coerce", utc=True)
        found = found.fillna(days.dt.as_unit("us"))
    return np.where(found.isna(), np.nan, found.dt.tz_localize(None).astype("int64") / 1e6)


def parted_zones(texts: pd.Series) -> tuple[pd.Series, pd.Series] | None:
    """Return texts without ``Europe/Berlin`` at their ends, and these names; None where hardly any has one."""
    zones = texts.str.extract(_ZONE, expand=False)
    if zones.isna().mean() > 0.5:
        return None
    return texts.str.replace(_ZONE, "", regex=True).str.strip(), zones


def from_zones(seconds: np.ndarray, zones: pd.Series) -> np.ndarray:
    """Return seconds since 1970 UTC of clocks in zones; a zone that nobody knows counts as UTC.

    Args:
        seconds: since 1970 by the clock of its zone, float64 [n].
        zones: names such as Europe/Berlin, missing for UTC.
    """
    found = seconds.copy()
    for zone in zones.dropna().unique():
        mine = (zones == zone).to_numpy(dtype=bool) & np.isfinite(seconds)
        moments = pd.DatetimeIndex(np.round(seconds[mine] * 1e6).astype("int64").astype("datetime64[us]"))
        try:
            there = moments.tz_localize(str(zone), ambiguous=np.zeros(len(moments), bool), nonexistent="shift_forward")
        except (KeyError, ValueError, OSError):  # pytz and zoneinfo raise their own
            continue
        found[mine] = there.tz_convert("UTC").tz_localize(None).as_unit("us").asi8 / 1e6
    return found


def without_eras(texts: pd.Series) -> pd.Series:
    """Return texts with years of Japanese eras written as ours: R6.01.03 as 2024.01.03."""

    def year(found: re.Match[str]) -> str:
        return str(_ERAS[found[1]] + (1 if found[2] == "元" else int(found[2])))

    return texts.str.replace(_ERA, year, regex=True) if texts.str.match(_ERA).any() else texts


def without_buddhist_years(texts: pd.Series) -> pd.Series | None:
    """Return texts with 543 years less where all name a year such as 2567; None where they do not."""
    if not len(texts) or not texts.str.contains(_BUDDHIST).all():
        return None
    return texts.str.replace(_BUDDHIST, lambda found: str(int(found[0]) - BUDDHIST), regex=True)


def foreign_calendar(text: str) -> str:
    """Return the calendar to which the year of a date seems to belong, "" for ours."""
    return next((name for form, name in _CALENDARS if form.search(text.strip())), "")
