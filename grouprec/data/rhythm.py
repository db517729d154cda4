"""When users act: their shares of events per weekday and part of the day, as attributes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from grouprec.data.dataset import Dataset

DAY = 86_400
PARTS_OF_DAY = ("night", "morning", "afternoon", "evening")  # six hours each, from midnight UTC
WEEKDAYS = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")  # from 1 January 1970
SMOOTHING = 5.0  # events at the mean rhythm that are added to every user's own


def with_rhythm(data: Dataset) -> Dataset:
    """Return the same data with the users' own rhythm beside their attributes; as it is where there are no times.

    One column per weekday and per part of the day: the share of a user's training events, float32, in UTC. Users with
    few events are pulled towards the mean rhythm, users without any have it.
    """
    times, users = data.train.times, data.train.user_rows
    if times is None:
        return data
    weekday = (times // DAY).astype(np.int64) % len(WEEKDAYS)
    part = (times % DAY * len(PARTS_OF_DAY) // DAY).astype(np.int64)
    columns = [_shares(users, weekday, data.n_users, WEEKDAYS), _shares(users, part, data.n_users, PARTS_OF_DAY)]
    attributes = data.user_attributes.reset_index(drop=True) if len(data.user_attributes) else pd.DataFrame()
    return replace(data, user_attributes=pd.concat([attributes, *columns], axis=1))


def _shares(users: np.ndarray, slots: np.ndarray, n_users: int, names: tuple[str, ...]) -> pd.DataFrame:
    """Return the smoothed share of every user's events per slot, [U, len(names)]; rows sum to 1."""
    size = n_users * len(names)
    counts = np.bincount(users.astype(np.int64) * len(names) + slots, minlength=size).reshape(n_users, len(names))
    mean = counts.sum(axis=0) / max(counts.sum(), 1)
    shares = (counts + SMOOTHING * mean) / (counts.sum(axis=1, keepdims=True) + SMOOTHING)
    return pd.DataFrame(shares.astype(np.float32), columns=[f"share of events: {name}" for name in names])
