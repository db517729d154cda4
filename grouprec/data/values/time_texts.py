"""Texts -> seconds, by their shapes; the order of day, month and year is decided over all texts of a column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from grouprec.data.values.common import compute
from grouprec.data.values.time_shapes import Shape, understand

_ORDERS = {
    2: (("day", "month"), ("month", "day")),
    3: (("day", "month", "year"), ("month", "day", "year"), ("year", "month", "day")),
}
_FEWEST_MIXED, _MIXED = 3, 0.01  # texts, and share of those that are read, that another order must have made
_CLEARLY = 0.2  # so much more often do rows follow in time by one order than by the other, where by none all do


@dataclass(frozen=True, eq=False)
class Moments:
    """Texts read as moments.

    Attributes:
        seconds: float64 [n] since 1970 UTC, NaN where a text is none.
        order: "day/month", "year/month/day" and the like where texts left it open, else ""; a year of four digits is
            no part of it.
        unsure: whether another order reads every text as well, and nothing tells.
        mixed: whether some texts can only be meant in another order, so that where both are possible nobody knows.
    """

    seconds: np.ndarray
    order: str = ""
    unsure: bool = False
    mixed: bool = False


def read_moments(texts: pd.Series, latest: float, order: str = "") -> Moments:
    """Read texts as moments; those without a zone are UTC.

    Args:
        texts: distinct, in the order of the rows.
        latest: seconds since 1970; a date after it is no better than none when orders are compared.
        order: as :attr:`Moments.order`, known beforehand; "" lets the texts decide.
    """
    parts = _Parts(texts, dated=True)
    found, unsure, mixed = parts.settle_order(latest, order)
    return Moments(parts.seconds(latest), "/".join(found), unsure, mixed)


def read_clocks(texts: pd.Series) -> np.ndarray:
    """Return seconds after midnight, float64 [n], NaN where a text is no time of day."""
    parts = _Parts(texts, dated=False)
    return np.where(parts.known, parts.clock(), np.nan)


class _Parts:
    """The numbers that stand in texts: a column a part, a row a text."""

    def __init__(self, texts: pd.Series, dated: bool) -> None:
        array = pa.array(texts, pa.large_string(), from_pandas=True)
        if compute.all(compute.string_is_ascii(array)).as_py() is False:
            array = compute.utf8_normalize(array, form="NFKC")
        n = len(array)
        self._columns: dict[str, np.ndarray] = {}
        self.known, self._dotted = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
        self._unordered: dict[int, list[np.ndarray]] = {2: [], 3: []}  # number of spans -> rows
        shapes = compute.replace_substring_regex(array, r"\d", "9").dictionary_encode()
        codes = shapes.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        rows = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[rows], np.arange(len(shapes.dictionary) + 1))
        for code, shape in enumerate(shapes.dictionary.to_pylist()):
            found = understand(shape, dated)
            if found is not None:
                mine = rows[bounds[code] : bounds[code + 1]]
                self._take(array.take(pa.array(mine)), mine, found)

    def _take(self, texts: pa.Array, rows: np.ndarray, shape: Shape) -> None:
        self.known[rows], self._dotted[rows] = True, shape.dotted
        for name, span in shape.spans.items():
            self._column(name)[rows] = _cut(texts, *span)
        for at, span in enumerate(shape.unordered):
            self._column(str(at))[rows] = _cut(texts, *span)
        if shape.unordered:
            self._unordered[len(shape.unordered)].append(rows)
        if "fraction" in shape.spans:
            start, stop = shape.spans["fraction"]
            self._column("fraction")[rows] /= 10.0 ** (stop - start)
        if shape.month:
            self._column("month")[rows] = shape.month
        if shape.half is not None:
            self._column("hour")[rows] = self._column("hour")[rows] % 12 + shape.half
        digits = 3600 * self._part("offset hours")[rows] + 60 * self._part("offset minutes")[rows]
        self._column("zone")[rows] = shape.zone * digits if "offset hours" in shape.spans else shape.zone

    def _column(self, name: str) -> np.ndarray:
        usual = 1.0 if name in ("day", "month") else 0.0
        return self._columns.setdefault(name, np.full(len(self.known), usual))

    def _part(self, name: str) -> np.ndarray:
        return self._columns[name] if name in self._columns else np.full(1, 0.0).repeat(len(self.known))

    def clock(self) -> np.ndarray:
        """Return seconds after midnight; NaN for minutes or hours that no clock has."""
        hours, minutes, seconds = (self._part(name) for name in ("hour", "minute", "second"))
        good = (hours <= 24) & (minutes < 60) & (seconds <= 60)
        return np.where(good, 3600 * hours + 60 * minutes + seconds + self._part("fraction"), np.nan)

    def settle_order(self, latest: float, given: str = "") -> tuple[tuple[str, ...], bool, bool]:
        """Write the parts whose order was open into their columns.

        Returns:
            The order, whether it was a guess, and whether some texts must be meant in another one.
        """
        chosen, unsure, mixed = (), False, False
        for size, groups in self._unordered.items():
            if not groups:
                continue
            rows = np.sort(np.concatenate(groups))
            numbers = [self._part(str(at))[rows] for at in range(size)]
            year = self._part("year")[rows]
            told = tuple(given.split("/")) if "year" in given else (*given.split("/"), "year")
            told = tuple(name for name in told if size == 3 or name != "year")
            if told in _ORDERS[size]:
                chosen, unsure = told, False
            else:
                dotted = bool(self._dotted[rows].mean() > 0.5)
                chosen, unsure, mixed = _best_order(numbers, year, dotted, latest)
            for name, values in zip(chosen, numbers, strict=True):
                self._column(name)[rows] = values
        return chosen, unsure, mixed

    def seconds(self, latest: float) -> np.ndarray:
        """Return seconds since 1970 UTC, NaN where a part is beyond its bounds."""
        years, months, days = (self._column(name) for name in ("year", "month", "day"))
        found = _days(years, months, days, latest) * 86_400.0 + self.clock() - self._part("zone")
        return np.where(self.known, found, np.nan)


def _cut(texts: pa.Array, start: int, stop: int) -> np.ndarray:
    return compute.utf8_slice_codeunits(texts, start, stop).cast(pa.int64()).to_numpy(zero_copy_only=False)


def _days(years: np.ndarray, months: np.ndarray, days: np.ndarray, latest: float) -> np.ndarray:
    """Return days since 1970, NaN where there is no such day; years of two digits are the last that have been."""
    newest = 1970 + latest / (365.2425 * 86_400)
    years = np.where(years < 100, years + np.where(years + 2000 <= newest, 2000, 1900), years)
    good = (months >= 1) & (months <= 12) & (days >= 1) & (days <= 31)
    since = np.where(good, (years - 1970) * 12 + months - 1, 0).astype("int64").astype("datetime64[M]")
    found = since.astype("datetime64[D]") + np.where(good, days - 1, 0).astype("int64").astype("timedelta64[D]")
    good &= found.astype("datetime64[M]") == since
    return np.where(good, found.astype("int64").astype(np.float64), np.nan)


def _best_order(
    numbers: list[np.ndarray], year: np.ndarray, dotted: bool, latest: float
) -> tuple[tuple[str, ...], bool, bool]:
    """Return the order that reads most as dates, whether another one does as well and nothing tells, and whether
    several texts are dates in another order only.

    Among equals the one with fewest years counts (a year varies least), then the one in which rows follow in time,
    then day first where points part the numbers, and month first elsewhere.
    """
    read = {}
    for order in _ORDERS[len(numbers)]:
        parts = dict(zip(order, numbers, strict=True))
        days = _days(parts.get("year", year), parts["month"], parts["day"], latest)
        read[order] = np.where((days >= 0) & (days * 86_400 <= latest), days, np.nan)
    valid = {order: int(np.isfinite(days).sum()) for order, days in read.items()}
    best = [order for order in read if valid[order] == max(valid.values())]
    years = {order: len(np.unique(read[order][np.isfinite(read[order])] // 366)) for order in best}
    if len(numbers) == 3 and min(years.values()) * 2 <= max(years.values()):
        best = [order for order in best if years[order] * 2 <= max(years.values())]
    if len(best) > 1:
        follows = {order: _follows(read[order]) for order in best}
        top = max(follows.values())
        margin = 0.0 if top == 1 else _CLEARLY
        ahead = [order for order in best if follows[order] >= top - margin]
        if len(ahead) < len(best):
            best = ahead
    usual = ("day" if dotted else "month",)
    first = next((order for order in best if order[:1] == usual), best[0])
    same = all(np.array_equal(read[first], read[order], equal_nan=True) for order in best)
    others = [int((np.isfinite(read[order]) & ~np.isfinite(read[first])).sum()) for order in read]
    return first, len(best) > 1 and not same, max(others) >= max(_FEWEST_MIXED, _MIXED * valid[first])


def _follows(days: np.ndarray) -> float:
    """Return how often a row is not before the one above it, or not after it: 1 for a file in the order of time."""
    known = days[np.isfinite(days)][:100_000]
    if len(known) < 20:
        return 0.0
    steps = np.diff(known)
    return float(max((steps >= 0).mean(), (steps <= 0).mean()))
