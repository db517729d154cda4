"""What the steps of the preparation pass on: the rows in the making, and the report of what each step did."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Literal

import numpy as np
import pandas as pd

from grouprec.core.types import DataError
from grouprec.data.doubts import Doubt


@dataclass
class Report:
    """What every step of the preparation dropped: (step, rows before, rows after, note); and what is in doubt.

    ``time_order`` is that of day, month and year in the file's dates, as :attr:`~grouprec.data.times.Times.order`.
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
        source: int64, row of the table that a row comes from.
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
        """Return the rows chosen by a mask or by positions."""
        values: dict[str, np.ndarray | None] = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{name: value[rows] for name, value in values.items() if value is not None})


def merge_duplicates(rows: Rows, merge: Literal["sum", "last"], report: Report) -> Rows:
    """Make one row of those that agree in user, item, time and behaviour, in the place of the first."""
    keys = {"user": rows.users, "item": rows.items, "time": rows.times, "behaviour": rows.behaviours}
    table = pd.DataFrame({name: key for name, key in keys.items() if key is not None})
    keep = ~table.duplicated().to_numpy()
    # Only rows that have a twin are grouped: they are few. Groups are numbered by first appearance, like ``first``.
    twins = np.flatnonzero(table.duplicated(keep=False))
    group = table.iloc[twins].groupby(list(table.columns), sort=False).ngroup().to_numpy()
    first = twins[keep[twins]]
    last = np.empty_like(first)
    last[group] = twins

    def merged(values: np.ndarray) -> np.ndarray:
        result = values.copy()
        result[first] = np.bincount(group, values[twins], len(first)) if merge == "sum" else values[last]
        return result[keep]

    spend = None if rows.spend is None else merged(np.nan_to_num(rows.spend))
    result = replace(rows.take(keep), weights=merged(rows.weights), spend=spend)
    how = "their weights are added" if merge == "sum" else "the last one counts"
    report.add("exact duplicates", len(rows), len(result), f"same {', '.join(table.columns)}: {how}", "")
    return result
