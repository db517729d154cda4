"""What the steps of the preparation pass on: the rows in the making, and the report of what each step did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal

import numpy as np
import pandas as pd

from grouprec.core.language import N_, _, commas
from grouprec.core.types import DataError
from grouprec.data.roles.doubts import Doubt


@dataclass
class Report:
    """What every step of the preparation dropped: (step, rows before, rows after, note); and what is in doubt.

    ``time_order`` is that of day, month and year in the file's dates: :attr:`~grouprec.data.values.times.Times.order`.
    """

    steps: list[tuple[str, int, int, str]] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    time_order: str = ""

    def add(self, step: str, before: int, after: int, note: str, advice: str) -> None:
        """Add a step.

        Raises:
            DataError: the step left no rows; ``advice`` says what to do.
        """
        self.steps.append((step, before, after, note))
        if before and not after:
            raise DataError(f"All rows were dropped by the step '{step}' ({note}): {advice}.")

    def table(self) -> pd.DataFrame:
        """Return one row per step: step, rows_before, rows_after, dropped, note."""
        table = pd.DataFrame(self.steps, columns=["step", "rows_before", "rows_after", "note"])
        table.insert(3, "dropped", table["rows_before"] - table["rows_after"])
        return table


def narrow(report: Report, step: str, keep: np.ndarray, good: np.ndarray, note: str, advice: str) -> np.ndarray:
    """Narrow the mask of kept rows and report it."""
    after = keep & good
    report.add(step, int(keep.sum()), int(after.sum()), note, advice)
    return after


@dataclass(frozen=True, eq=False)
class Rows:
    """Interactions in the making, all arrays of length n.

    Attributes:
        users, items: int32 codes into the sorted ids.
        weights: float64, > 0 once cleaned.
        times: float64 seconds since 1970 UTC, or None.
        behaviours: int32 codes, or None.
        orders: int32 codes, -1 where missing, or None.
        spend: float64, quantity x price of bought rows, NaN where there is no price; or None.
        source: int32 (int64 beyond two billion), row of the table that a row comes from.
    """

    users: np.ndarray
    items: np.ndarray
    weights: np.ndarray
    times: np.ndarray | None
    behaviours: np.ndarray | None
    orders: np.ndarray | None
    spend: np.ndarray | None
    source: np.ndarray

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: np.ndarray) -> Rows:
        """Return the rows chosen by a mask or by positions; these rows where a mask chooses all."""
        if rows.dtype == bool and rows.all():
            return self
        values: dict[str, np.ndarray | None] = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: value[rows] for name, value in values.items() if value is not None})


_FEWEST_DOUBLED = 50  # rows from which on that is no chance
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, its bits without a pattern: products spread over all 64 bits


def _may_be_twins(keys: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the positions, ascending, of rows of which another one has the same 64-bit key; few others among them."""
    mixed = np.zeros(len(keys["user"]), np.uint64)
    for key in keys.values():
        plain = key + 0.0 if key.dtype == np.float64 else key.astype(np.int64)  # one zero, without a sign
        mixed ^= plain.view(np.uint64)
        mixed *= _MIX
        mixed ^= mixed >> np.uint64(32)
    ordered = np.sort(mixed)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if not len(twice):
        return np.empty(0, np.int64)
    return np.flatnonzero(pd.Index(pd.unique(twice)).get_indexer(pd.Index(mixed)) >= 0)


def _is_doubled(rows: Rows, twins: np.ndarray, group: np.ndarray) -> bool:
    """Return whether a file holds everything several times: each row, to the moment, as often as any other.

    Args:
        twins: positions of rows that another one equals, ``group`` int [n] which of them are equal.
    """
    if (
        rows.times is None
        or len(twins) < max(len(rows), _FEWEST_DOUBLED)
        or len(np.unique(rows.times)) < _FEWEST_DOUBLED // 2
    ):
        return False
    often = np.bincount(group)
    last = np.empty(len(often), np.int64)
    last[group] = twins
    return bool(often.min() == often.max() and (rows.weights[twins] == rows.weights[last[group]]).all())


def merge_duplicates(rows: Rows, merge: Literal["sum", "last"], report: Report) -> Rows:
    """Make one row of those that agree in user, item, time and behaviour, in the place of the first."""
    keys = {"user": rows.users, "item": rows.items, "time": rows.times, "behaviour": rows.behaviours}
    keys = {name: key for name, key in keys.items() if key is not None}
    # Only rows that may have a twin are compared in full: they are few. Groups are numbered by first appearance.
    twins = _may_be_twins(keys)
    note = _("same {keys}: {merged}").format(
        keys=commas(keys),
        merged=_("their weights are added") if merge == "sum" else _("the last one counts"),
    )
    if not len(twins):
        report.add(N_("exact duplicates"), len(rows), len(rows), note, "")
        return rows if rows.spend is None else replace(rows, spend=np.nan_to_num(rows.spend))
    table = pd.DataFrame({name: key[twins] for name, key in keys.items()})
    again = table.duplicated().to_numpy()
    keep = np.ones(len(rows), dtype=bool)
    keep[twins[again]] = False
    group = table.groupby(list(table.columns), sort=False).ngroup().to_numpy()
    if merge == "sum" and _is_doubled(rows, twins, group):
        merge, times = "last", len(rows) // int((~again).sum())
        matter = _(
            "every row stands {times} times in the file and counts once: was it downloaded or put together twice?"
        )
        report.doubts.append(Doubt(matter.format(times=times)))
    first = twins[~again]
    last = np.empty_like(first)
    last[group] = twins

    def merged(values: np.ndarray) -> np.ndarray:
        result = values.copy()
        result[first] = np.bincount(group, values[twins], len(first)) if merge == "sum" else values[last]
        return result[keep]

    spend = None if rows.spend is None else merged(np.nan_to_num(rows.spend))
    result = replace(rows.take(keep), weights=merged(rows.weights), spend=spend)
    report.add(N_("exact duplicates"), len(rows), len(result), note, "")
    return result
