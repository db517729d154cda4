"""Columns of any type -> ids, numbers and seconds. Distinct values are converted once, so repeated ones are cheap."""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.types import DataError

# What other programs write for "nothing". "NA" is not among them: it is Namibia and a good many item codes.
_MISSING = {"", "nan", "nat", "<na>", "none", "null", "n/a", "#n/a"}
_DAY = 86400.0
_EXCEL_EPOCH = 25569  # 1970-01-01 as an Excel serial day
_FORMATS = (
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d %b %Y %H:%M:%S",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%d/%b/%Y:%H:%M:%S %z",
)
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")


def encode_ids(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the column as codes into its sorted distinct ids.

    Ids are text: 17850.0 becomes "17850", text stays as it is but for white space at its ends. Empty values and
    words for nothing ("nan", "NULL", ...) are missing.

    Returns:
        int32 [n] codes, -1 where missing; object array of distinct str, sorted.
    Raises:
        DataError: the column holds lists or objects.
    """
    codes, distinct = _distinct(column)
    if not isinstance(column.dtype, pd.StringDtype):
        distinct = pd.Series([_id_text(value) for value in distinct], dtype="str")
    texts = _texts(distinct)
    known = ~texts.str.lower().isin(_MISSING).to_numpy(dtype=bool)
    names, positions = np.unique(texts[known].to_numpy(dtype=object), return_inverse=True)
    table = np.full(len(texts) + 1, -1, np.int32)  # its last entry serves the code -1
    table[:-1][known] = positions
    return table[codes], names


def to_numbers(column: pd.Series) -> np.ndarray:
    """Return float64 [n], NaN where there is no number; text may use a decimal comma or thousands separators."""
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(np.float64, na_value=np.nan)
    codes, distinct = _distinct(column)
    texts = _texts(distinct)
    commas = texts[texts.str.contains(",", regex=False)]
    if len(commas) and commas.str.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?").all():
        texts = texts.str.replace(",", "")
    elif len(commas):
        texts = texts.str.replace(r"^([-+]?\d*),(\d+)$", r"\1.\2", regex=True)
    return _spread(pd.to_numeric(texts, errors="coerce").to_numpy(np.float64), codes)


def to_seconds(column: pd.Series) -> np.ndarray:
    """Return float64 [n], seconds since 1970 UTC, NaN where there is no time.

    Numbers are seconds, milli-, micro- or nanoseconds by their magnitude, Excel serial days (all within
    20,000..80,000) or dates like 20111201. Text is ISO 8601 or one of the common date formats; where day and month
    cannot be told apart, dots mean day first and other signs mean month first. Times without a zone are UTC.
    """
    if pd.api.types.is_datetime64_any_dtype(column):
        return _seconds(pd.DatetimeIndex(column))
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return _numeric_seconds(column.to_numpy(np.float64, na_value=np.nan))
    codes, distinct = _distinct(column)
    texts = _texts(distinct)
    as_numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    if len(texts) and np.isfinite(as_numbers).mean() > 0.5:
        return _spread(_numeric_seconds(as_numbers), codes)
    return _spread(_text_seconds(texts), codes)


def is_numeric(column: pd.Series) -> bool:
    """Return whether all values that are there are numbers, none of them a code like 00123."""
    values = column.dropna()
    if values.empty or pd.api.types.is_bool_dtype(values):
        return False
    if pd.api.types.is_numeric_dtype(values):
        return True
    _, distinct = _distinct(values)
    if _texts(distinct).str.match(r"0\d").any():
        return False
    return bool(np.isfinite(to_numbers(values)).all())


def shown(value: Any) -> str:
    """Return a value of the file as a message quotes it: on one line, cut where it is long."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:59] + "…"


def sorted_unique(values: np.ndarray) -> np.ndarray:
    """Return the distinct values, ascending. On millions of numbers a sort is far quicker than numpy's hashing."""
    ordered = np.sort(values)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def _distinct(column: pd.Series) -> tuple[np.ndarray, pd.Series]:
    """Return int64 codes (-1 where missing) and the distinct values."""
    try:
        codes, distinct = pd.factorize(column)
    except TypeError as error:
        raise DataError(f"Column '{column.name}' holds lists or objects; give one plain value per row.") from error
    return codes, pd.Series(distinct)


def _texts(values: pd.Series) -> pd.Series:
    """Return the values as text without white space at its ends."""
    return values.astype("str").str.strip()


def _spread(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the value of every row, NaN for code -1."""
    return np.append(values, np.nan)[codes]


def _id_text(value: Any) -> str:
    """Return a typed value as text, "nan" where it is no number; 17850.0 is a whole number that met a gap."""
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        number = float(value)
        if not np.isfinite(number):
            return "nan"
        return str(int(number)) if number.is_integer() else str(value)
    return str(value)


def _numeric_seconds(values: np.ndarray) -> np.ndarray:
    values = np.where(np.isfinite(values), values, np.nan)
    known = values[~np.isnan(values)]
    if not len(known):
        return values
    low, high = known.min(), known.max()
    if low >= 20_000 and high <= 80_000:
        return (values - _EXCEL_EPOCH) * _DAY
    if low >= 19_000_101 and high <= 21_001_231 and (known % 1 == 0).all():
        dates = pd.Series(values).astype("Int64").astype(object).map(str)
        seconds = _seconds(pd.to_datetime(dates, format="%Y%m%d", errors="coerce", utc=True))
        if np.isnan(seconds).sum() == np.isnan(values).sum():
            return seconds
    # 1e11 seconds are the year 5138; the same threshold, thousandfold, parts the finer units.
    unit = int(np.clip((np.log10(max(np.median(np.abs(known)), 1.0)) - 8) // 3, 0, 3))
    return values / 1000.0**unit


def _text_seconds(texts: pd.Series) -> np.ndarray:
    """Return the seconds of date texts; every format is tried on what the formats before left over."""
    texts = texts.str.replace(r"\s*(UTC|GMT)$", "+00:00", regex=True)
    found = pd.Series(pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=True)).dt.as_unit("us")
    day_parts = texts.str.extract(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})(?!\d)(.*)$")
    formats = list(_FORMATS)
    rest = found.isna() & day_parts[0].notna()
    if rest.any():
        first, second = (pd.to_numeric(day_parts[n][rest]).max() for n in (0, 1))
        dotted = texts[rest].str.match(r"^\d{1,2}\.").mean() > 0.5
        days_first = first > 12 or (second <= 12 and dotted)
        clean = (
            day_parts[0]
            + "/"
            + day_parts[1]
            + "/"
            + day_parts[2]
            + day_parts[3].str.replace(r"^[,T]\s*", " ", regex=True)
        )
        texts = texts.where(~rest, clean)
        date = "%d/%m/" if days_first else "%m/%d/"
        formats += [date + year + clock for year in ("%Y", "%y") for clock in _CLOCKS]
    for pattern in formats:
        left = found.isna()
        if not left.any():
            break
        found[left] = pd.to_datetime(texts[left], format=pattern, errors="coerce", utc=True)
    return _seconds(pd.DatetimeIndex(found))


def _seconds(times: pd.DatetimeIndex | pd.Series) -> np.ndarray:
    times = pd.DatetimeIndex(times)
    if times.tz is not None:
        times = times.tz_convert("UTC").tz_localize(None)
    # Microseconds reach every year from 1 to 9999; nanoseconds would overflow in 1677 and 2262.
    times = times.as_unit("us")
    return np.where(times.isna(), np.nan, times.asi8 / 1e6)
