"""Columns of any type -> seconds since 1970 UTC. What lies before 1970 or two years ahead is no time of an event."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from grouprec.data.values.common import distinct_values, is_missing, plain_texts, spread, western_digits
from grouprec.data.values.time_periods import (
    from_zones,
    parted_zones,
    weeks_and_quarters,
    without_buddhist_years,
    without_eras,
)
from grouprec.data.values.time_texts import Moments, read_clocks, read_moments

_DAY = 86400.0
_YEARS_AHEAD = 2
_EXCEL_EPOCH = 25_569  # 1970-01-01 as an Excel serial day
_EXCEL_DAYS = 25_569, 80_000
_DAYS_2000 = 10_957  # days from 1970 to 2000
NO_YEAR = "days of a year"
_MANY_DAYS = 30  # different ones, at least, where a number of three or four digits is month and day
_LEAP_YEAR = 2_000 * 10_000  # stands for the year that nobody wrote
_MOST_STEPS = 100_000  # counts from some beginning that lie before it, too, are no larger
# Numbers that are dates only where all of the column are: from, to, and how they are written.
_WHOLE_COLUMNS = (
    ("years", (1970, 2100), "%Y"),
    ("months", (197_001, 210_012), "%Y%m"),
    ("dates", (100_101, 991_231), "%y%m%d"),
    ("dates", (1_970_001, 2_099_366), "%Y%j"),
    ("dates", (1_011_970, 31_122_100), "%d%m%Y"),
    ("dates", (1_011_970, 12_312_100), "%m%d%Y"),
    (NO_YEAR, (101, 1231), "%m%d"),
    (NO_YEAR, (101, 3112), "%d%m"),
)
_COMPACT = {8: "%Y%m%d", 10: "%Y%m%d%H", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_LENGTHS = {"%d%m%Y": 8, "%m%d%Y": 8}  # whose leading zeros numbers have lost
_LEAST_COUNT = 1e8  # seconds, 1973: beside dates a smaller number counts nothing
_MOST = 0.5
_QUOTES = " \"'“”„«»"
_COMMA = r"(?:\d{5}|\d{10}),\d+"  # Excel's days and seconds since 1970 as most of Europe writes them
# A number's unit by its size: from, to; what divides it, and the seconds from its year nought to 1970.
_UNITS = (
    ("seconds", (0, 1e11), 1.0, 0.0),
    ("milliseconds", (1e11, 1e14), 1e3, 0.0),
    ("microseconds", (1e14, 1.2e16), 1e6, 0.0),
    ("microseconds since 1601", (1.2e16, 1.4e16), 1e6, 11_644_473_600.0),  # of browsers
    ("microseconds", (1.4e16, 1e17), 1e6, 0.0),
    ("ticks of Windows", (1.2e17, 1.4e17), 1e7, 11_644_473_600.0),  # 100 ns since 1601
    ("ticks of .NET", (6.2e17, 6.5e17), 1e7, 62_135_596_800.0),  # 100 ns since the year 1
    ("nanoseconds", (1e17, 1.2e17), 1e9, 0.0),
    ("nanoseconds", (1.4e17, 6.2e17), 1e9, 0.0),
    ("nanoseconds", (6.5e17, np.inf), 1e9, 0.0),
)


@dataclass(frozen=True, eq=False)
class Times:
    """A column of times and how they were read.

    Attributes:
        seconds: float64 [n] since 1970 UTC, NaN where there is no time.
        unread: bool [n], there is something, but no time of an event.
        outside: bool [n], what is unread is a moment, before 1970 or more than two years ahead; None for none.
        order: "day/month/year" and the like, where the texts left it open and the column decided.
        unsure: whether another order reads the texts as well.
        units: "seconds", "milliseconds", ... of plain numbers, sorted; several where values differ.
        buddhist: whether the years are those of the Buddhist calendar, 543 ahead of ours.
        mixed: whether some texts can only be meant in another order than the others.
    """

    seconds: np.ndarray
    unread: np.ndarray
    order: str = ""
    unsure: bool = False
    units: tuple[str, ...] = ()
    buddhist: bool = False
    mixed: bool = False
    outside: np.ndarray | None = None


def latest_time() -> float:
    """Return the last moment that can be the time of an event: two years ahead, in seconds since 1970."""
    return time.time() + _YEARS_AHEAD * 365.25 * _DAY


def to_seconds(column: pd.Series) -> np.ndarray:
    """Return float64 [n], seconds since 1970 UTC, NaN where there is no time; see :func:`read_times`."""
    return read_times(column).seconds


def read_times(column: pd.Series, clock: pd.Series | None = None, order: str = "") -> Times:
    """Read times as people and programs write them, and add the time of day where it has a column of its own.

    Numbers are, each by its magnitude, seconds, milli-, micro- or nanoseconds since 1970, ticks of .NET or Windows,
    dates like 20111201 or 20111201123456, months like 201112 (where all are), or Excel's serial days. Text is ISO 8601
    or any date with or without words (:mod:`grouprec.data.values.time_shapes`); where day and month cannot be told
    apart by the column, dots mean day first and other signs month first. Times without a zone are UTC.

    Args:
        order: as :attr:`Times.order`, of texts that leave it open; "" lets the column decide.
    """
    latest = latest_time()
    found = _read(column, latest, order)
    if clock is not None:
        seconds = found.seconds + np.nan_to_num(to_clock(clock))
        found = replace(found, seconds=seconds)
    inside = (found.seconds >= 0) & (found.seconds <= latest)
    outside = np.isfinite(found.seconds) & ~inside
    seconds = np.where(inside, found.seconds, np.nan)
    return replace(found, seconds=seconds, unread=found.unread | outside, outside=outside if outside.any() else None)


def to_clock(column: pd.Series) -> np.ndarray:
    """Return seconds after midnight, float64 [n], NaN where there is no time of day and nothing else.

    Excel's fractions of a day are times of day, too, and so is text like 082103 where all of it is.
    """
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        return np.round(np.where((values >= 0) & (values < 1), values, np.nan) * _DAY)
    codes, distinct = distinct_values(column)
    texts = plain_texts(distinct)
    if len(texts) and texts.str.fullmatch(r"(\d|1\d|2[0-3])?[0-5]?\d").all() and texts.str.len().max() > 2:
        texts = texts.str.zfill(4)  # 705 is 07:05
    if len(texts) and texts.str.fullmatch(r"[0-2]\d[0-5]\d([0-5]\d)?").all():
        texts = texts.str.replace(r"^(\d\d)(\d\d)(\d*)$", r"\1:\2:\3", regex=True).str.rstrip(":")
    fractions = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    fraction = (fractions >= 0) & (fractions < 1)
    of_day = np.round(np.where(fraction, fractions, 0.0) * _DAY)
    return spread(np.where(fraction, of_day, read_clocks(texts)), codes)


def _read(column: pd.Series, latest: float, given: str) -> Times:
    nothing = np.zeros(len(column), dtype=bool)
    if pd.api.types.is_datetime64_any_dtype(column):
        return Times(_seconds(pd.DatetimeIndex(column)), nothing)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
        seconds, units = numeric_seconds(values, latest)
        return Times(seconds, np.isnan(seconds) & ~np.isnan(values), units=units)
    plain = _plain_texts_seconds(column)
    if plain is not None:
        return Times(plain, nothing)
    codes, distinct = distinct_values(column)
    texts = western_digits(plain_texts(distinct)).str.strip(_QUOTES)
    if len(texts) and texts.str.startswith("/Date(").any():  # as .NET writes them in JSON
        texts = texts.str.replace(r"^/Date\((-?\d+)(?:[+-]\d{4})?\)/$", r"\1", regex=True)
    if len(texts) and texts.str.fullmatch(_COMMA).any():
        texts = texts.where(~texts.str.fullmatch(_COMMA), texts.str.replace(",", ".", regex=False))
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    numeric = np.isfinite(numbers) & (not pd.api.types.is_bool_dtype(column))
    seconds, units = np.full(len(texts), np.nan), ()
    if numeric.any():
        seconds[numeric], units = numeric_seconds(numbers[numeric], latest, among_texts=not numeric.all())
    words_read, buddhist = Moments(seconds), False
    if not numeric.all():
        words = without_eras(texts[~numeric])
        seconds[~numeric], words_read = _text_seconds(words, latest, given)
        ours = without_buddhist_years(words) if (seconds[~numeric] > latest).any() else None
        if ours is not None:
            buddhist = True
            seconds[~numeric], words_read = _text_seconds(ours, latest, given)
    unread = np.append(np.isnan(seconds) & ~is_missing(texts), False)[codes]
    order, unsure, mixed = words_read.order, words_read.unsure, words_read.mixed
    return Times(spread(seconds, codes), unread, order, unsure, units, buddhist, mixed)


def _plain_texts_seconds(column: pd.Series) -> np.ndarray | None:
    """Return the seconds of a column of nothing but plain ISO 8601 texts, by Arrow; None for any other column."""
    if not isinstance(column.dtype, pd.StringDtype) or not len(column):
        return None
    texts = pa.array(column)
    first = next((text for text in texts[:100].to_pylist() if text), "")
    if not re.match(r"\d{4}-\d\d-\d\d", first):
        return None
    try:
        micros = texts.cast(pa.timestamp("us")).cast(pa.int64())
    except pa.ArrowInvalid:
        return None
    seconds = micros.fill_null(0).to_numpy(zero_copy_only=False) / 1e6
    if micros.null_count:
        seconds[np.asarray(micros.is_null())] = np.nan
    return seconds


def numeric_seconds(values: np.ndarray, latest: float, among_texts: bool = False) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the seconds of plain numbers, and the units that they were in.

    Args:
        values: float64 [n], NaN where missing.
        latest: see :func:`latest_time`.
        among_texts: dates stand beside these numbers, so small ones are Excel's days.
    """
    values = np.where(np.isfinite(values), values, np.nan)
    known = values[~np.isnan(values)]
    if not len(known):
        return values, ()
    low, high = known.min(), known.max()
    whole = bool((known % 1 == 0).all())
    serial = (values >= _EXCEL_DAYS[0]) & (values <= _EXCEL_DAYS[1])
    if among_texts:
        values = np.where((np.abs(values) < _LEAST_COUNT) & ~serial, np.nan, values)
    if serial[~np.isnan(values)].all() or (among_texts and serial.any()):
        return np.where(serial, np.round((values - _EXCEL_EPOCH) * _DAY, 3), np.nan), ("days",)
    if whole and low >= _DAYS_2000 and high <= latest / _DAY:
        return values * _DAY, ("days since 1970",)
    for unit, (least, most), pattern in _WHOLE_COLUMNS:
        if whole and low >= least and high <= most:
            read = _of_no_year(values, pattern) if unit == NO_YEAR else _compact(values, pattern)
            if (((read >= 0) & (read <= latest)) | np.isnan(values)).all():
                return read, (unit,)
    if whole and -_MOST_STEPS < low < 0 and high < _MOST_STEPS:  # days before and after a beginning
        return values - low, ("seconds",)
    return _by_magnitude(values, latest)


def _of_no_year(values: np.ndarray, pattern: str) -> np.ndarray:
    """Return the seconds of numbers like 1111, month and day, in the year 2000; -1 where too few differ to tell."""
    values = values % 100 * 100 + values // 100 if pattern == "%d%m" else values
    many = len(np.unique(values[~np.isnan(values)])) >= _MANY_DAYS
    return _compact(values + _LEAP_YEAR, "%Y%m%d") if many else np.full(len(values), -1.0)


def _by_magnitude(values: np.ndarray, latest: float) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read every number by its own magnitude; a calendar date comes before a count."""
    units = set()
    seconds, size = values.copy(), np.abs(values)
    for unit, (low, high), divisor, epoch in _UNITS:
        mine = (size >= low) & (size < high)
        if mine.any():
            units.add(unit)
            seconds[mine] = values[mine] / divisor - epoch
    dates = _calendar(values, size, latest)
    if dates is not None:
        seconds = np.where(np.isfinite(dates), dates, seconds)
        units = {"dates"} if np.isfinite(dates).sum() == np.isfinite(values).sum() else units | {"dates"}
    return seconds, tuple(sorted(units))


def _calendar(values: np.ndarray, size: np.ndarray, latest: float) -> np.ndarray | None:
    """Return the seconds of numbers like 20111201 or 20111201123456 that are dates, NaN for all others; None for none.

    Numbers of one length are dates where most of them are: a count of seconds looks like a date now and then.
    """
    found = None
    for length, pattern in _COMPACT.items():
        mine = np.flatnonzero((size >= 1970 * 10.0 ** (length - 4)) & (size < 2100 * 10.0 ** (length - 4)))
        if not len(mine):
            continue
        seconds = _compact(values[mine], pattern)
        good = (seconds >= 0) & (seconds <= latest) & (values[mine] % 1 == 0)
        if good.mean() > _MOST:
            found = np.full(len(values), np.nan) if found is None else found
            found[mine[good]] = seconds[good]
    return found


def _compact(values: np.ndarray, pattern: str) -> np.ndarray:
    distinct, codes = np.unique(np.nan_to_num(values).astype(np.int64), return_inverse=True)
    texts = pd.Series(distinct).astype("str").str.zfill(_LENGTHS.get(pattern, 0))
    return _seconds(pd.to_datetime(texts, format=pattern, errors="coerce", utc=True))[codes]


def _text_seconds(texts: pd.Series, latest: float, order: str) -> tuple[np.ndarray, Moments]:
    """Return the seconds of date texts, and how those were read that are not ISO 8601: by their shape."""
    found = pd.Series(pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)).dt.as_unit("us")
    seconds = _seconds(pd.DatetimeIndex(found))
    rest = np.isnan(seconds)
    if not rest.any():
        return seconds, Moments(seconds)
    zoned = parted_zones(texts[rest])
    moments = read_moments(texts[rest] if zoned is None else zoned[0], latest, order)
    seconds[rest] = moments.seconds if zoned is None else from_zones(moments.seconds, zoned[1])
    rest = np.isnan(seconds)
    if rest.any():
        seconds[rest] = weeks_and_quarters(texts[rest])
    return seconds, moments


def _seconds(times: pd.DatetimeIndex | pd.Series) -> np.ndarray:
    times = pd.DatetimeIndex(times)
    if times.tz is not None:
        times = times.tz_convert("UTC").tz_localize(None)
    # Microseconds reach every year from 1 to 9999; nanoseconds would overflow in 1677 and 2262.
    times = times.as_unit("us")
    return np.where(times.isna(), np.nan, times.asi8 / 1e6)
