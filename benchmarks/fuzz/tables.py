"""Tables of a shop, and what is done to their cells, columns and names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

NASTY: list[Any] = [
    *("", " ", "NaN", "null", "None", "inf", "-inf", "1e999", "-0", "0x1F", "1_000", "١٢٣", "½", "∞", "true", "=1+1"),
    *("[1, 2]", '{"a": 1}', "[", "{", '"', '""', "'", "\\", "\\N", "a\x00b", "\r", "\n", "\t", ";", ",", "|", "\ufeff"),
    *("2024-02-30", "0000-00-00", "99999999999999", "31/31/31", "12/2024", "25:61", "1970-01-01", "9999-12-31"),
    *("\u202eabc", "e\u0301", "\U0001f600", "\ud7ff", "a" * 5_000, "<script>", "row", "key", "../../etc/passwd"),
]
NUMBERS: list[Any] = [np.nan, np.inf, -np.inf, 0.0, -1.0, 1e308, 5e-324, 2**63 - 1, -(2**63), 1e18, 0.1]
NAMES = [
    "",
    " ",
    "row",
    "key",
    "index",
    "level_0",
    "user",
    "user",
    "item",
    "time",
    "a" * 3_000,
    "=1+1",
    "\x00",
    "1",
    "nan",
]


def sound_table(rng: np.random.Generator, most_rows: int) -> pd.DataFrame:
    n = min(int(rng.choice([0, 1, 30, 100, 300, 300])), most_rows)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 10**7, n), unit="s")
    columns = {
        "user": [f"u{k}" for k in rng.integers(0, 12, n)],
        "item": [f"i{k}" for k in rng.integers(0, 9, n)],
        "time": days.strftime(str(rng.choice(["%Y-%m-%d %H:%M:%S", "%d/%m/%Y", "%m/%d/%y %I:%M %p", "%d.%m.%Y"]))),
        "quantity": rng.integers(1, 9, n),
        "price": rng.uniform(0, 99, n).round(2),
        "behaviour": rng.choice(["view", "buy"], n),
        "status": rng.choice(["paid", "cancelled"], n),
        "title": rng.choice(["Blue mug, large", 'a "quoted" lamp', "Öl für Ä", "緑茶"], n),
    }
    kept = ["user", "item", *(name for name in list(columns)[2:] if rng.random() < 0.6)]
    return pd.DataFrame({name: columns[name] for name in kept})


# ---- what is done to a table


def _cells(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    frame = frame.astype(object)
    for _ in range(rng.integers(1, 40)):
        if frame.size:
            row, column = int(rng.integers(frame.shape[0])), int(rng.integers(frame.shape[1]))
            frame.iloc[row, column] = (NASTY + NUMBERS)[rng.integers(len(NASTY) + len(NUMBERS))]
    return frame


def _columns(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    if frame.shape[1]:
        names = [str(name) for name in frame.columns]
        names[rng.integers(len(names))] = str(rng.choice(NAMES))
        frame = frame.set_axis(names, axis=1)
    return frame.iloc[:, rng.permutation(frame.shape[1])[: rng.integers(0, frame.shape[1] + 1) or 2]]


def _types(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Put lists, objects, bytes or truth values into a column."""
    if not frame.shape[1]:
        return frame
    value = [[1, "a"], {"a": 1}, b"\xff", True, None, [0.1, 0.2]][rng.integers(6)]
    column = pd.Series([value] * len(frame), dtype=object, index=frame.index)
    frame = frame.astype(object)
    frame.isetitem(int(rng.integers(frame.shape[1])), column.array)
    return frame


def _nothing(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return frame


SPOILS = (_cells, _columns, _types, _nothing)
