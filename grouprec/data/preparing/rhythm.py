"""When users act, as attributes: what is usual, and their shares of events per weekday and part of the day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from grouprec.data.dataset import Dataset
from grouprec.data.preparing.attributes import UNKNOWN

DAY = 86_400
PARTS_OF_DAY = ("night", "morning", "afternoon", "evening")  # six hours each, from midnight UTC
WEEKDAYS = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")  # from 1 January 1970
_AT_ONCE = 1_000_000
SMOOTHING = 5.0  # events at the mean rhythm that are added to every user's own


def usual_times(users: np.ndarray, times: np.ndarray | None, n_users: int) -> pd.DataFrame:
    """Return on which weekday, and in which part of the day, every user takes most: n_users rows, text, in UTC.

    There is no part of the day where all times are days.

    Args:
        users: int [n], in 0..n_users-1.
        times: float [n], seconds since 1970; None where there are none.
    """
    if times is None or not len(times):
        return pd.DataFrame(index=pd.RangeIndex(n_users))
    weekday, part = _slots(times)
    columns = {"usual weekday": _most(users, weekday, n_users, WEEKDAYS)}
    if (times % DAY != 0).any():
        columns["usual part of the day (UTC)"] = _most(users, part, n_users, PARTS_OF_DAY)
    return pd.DataFrame(columns, dtype="str")


def _most(users: np.ndarray, slots: np.ndarray, n_users: int, names: tuple[str, ...]) -> np.ndarray:
    """Return the name of every user's most frequent slot, the first of equals; "unknown" without rows."""
    counts = _counts(users, slots, n_users, len(names))
    return np.array([*names, UNKNOWN])[np.where(counts.any(axis=1), counts.argmax(axis=1), len(names))]


def _counts(users: np.ndarray, slots: np.ndarray, n_users: int, n_slots: int) -> np.ndarray:
    """Return every user's rows per slot, int64 [n_users, n_slots]."""
    places = users.astype(np.int64)
    places *= n_slots
    places += slots
    return np.bincount(places, minlength=n_users * n_slots).reshape(n_users, n_slots)


def _slots(times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weekday and the part of the day of every time, int8 [n]: places in their names."""
    parts = np.array_split(times, len(times) // _AT_ONCE + 1)  # all at once they would take five times the memory
    weekday = [(part // DAY % len(WEEKDAYS)).astype(np.int8) for part in parts]
    of_day = [(part % DAY * len(PARTS_OF_DAY) // DAY).astype(np.int8) for part in parts]
    return np.concatenate(weekday), np.concatenate(of_day)


def with_rhythm(data: Dataset) -> Dataset:
    """Return the same data with the users' own rhythm beside their attributes; as it is where there are no times.

    One column per weekday and per part of the day: the share of a user's training events, float32, in UTC. Users with
    few events are pulled towards the mean rhythm, users without any have it.
    """
    times, users = data.train.times, data.train.user_rows
    if times is None:
        return data
    weekday, part = _slots(times)
    columns = [_shares(users, weekday, data.n_users, WEEKDAYS), _shares(users, part, data.n_users, PARTS_OF_DAY)]
    attributes = data.user_attributes.reset_index(drop=True) if len(data.user_attributes) else pd.DataFrame()
    return replace(data, user_attributes=pd.concat([attributes, *columns], axis=1))


def _shares(users: np.ndarray, slots: np.ndarray, n_users: int, names: tuple[str, ...]) -> pd.DataFrame:
    """Return the smoothed share of every user's events per slot, [U, len(names)]; rows sum to 1."""
    counts = _counts(users, slots, n_users, len(names))
    mean = counts.sum(axis=0) / max(counts.sum(), 1)
    shares = (counts + SMOOTHING * mean) / (counts.sum(axis=1, keepdims=True) + SMOOTHING)
    return pd.DataFrame(shares.astype(np.float32), columns=[f"share of events: {name}" for name in names])
