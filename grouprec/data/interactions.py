"""Rows of one part of the data: who, what, how much and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import sparse

from grouprec.core.arrays import stable_order


@dataclass(frozen=True, eq=False)
class Interactions:
    """Rows of one part of the data (training, validation or test), in file order unless times sort them.

    Attributes:
        user_rows: int32 [n].
        item_rows: int32 [n].
        weights: float32 [n], > 0.
        times: float64 [n], seconds since 1970 UTC, or None where the file has no times.
    """

    user_rows: np.ndarray
    item_rows: np.ndarray
    weights: np.ndarray
    times: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.user_rows)

    @staticmethod
    def empty(timed: bool = False) -> Interactions:
        """Return a part without rows."""
        rows = np.empty(0, np.int32)
        return Interactions(rows, rows, np.empty(0, np.float32), np.empty(0) if timed else None)

    def take(self, rows: np.ndarray) -> Interactions:
        """Return the rows chosen by a mask or by positions."""
        times = None if self.times is None else self.times[rows]
        return Interactions(self.user_rows[rows], self.item_rows[rows], self.weights[rows], times)

    def of_some_users(self, most: int, rng: np.random.Generator) -> Interactions:
        """Return the rows of as many random users as have at most ``most`` together, of at least one user."""
        if len(self) <= most:
            return self
        counts = np.bincount(self.user_rows)
        order = rng.permutation(np.flatnonzero(counts))
        n = max(1, int(np.searchsorted(counts[order].cumsum(), most, side="right")))
        return self.take(np.isin(self.user_rows, order[:n]))

    def in_time_order(self, rng: np.random.Generator, by_user: bool = False) -> Interactions:
        """Return the rows by time, user after user where asked; equal times, and all without times, in random order."""
        times = np.zeros(len(self)) if self.times is None else self.times
        return self.take(time_order(times, rng.random(len(self)), self.user_rows if by_user else None))

    def rounds(self) -> Iterator[np.ndarray]:
        """Yield the positions of all users' first rows, then of their second ones, and so on; users ascend in each."""
        order = np.argsort(self.user_rows, kind="stable")
        users = self.user_rows[order]
        place = np.arange(len(users)) - np.searchsorted(users, users)
        by_place = order[np.argsort(place, kind="stable")]
        yield from np.split(by_place, np.bincount(place).cumsum()[:-1]) if len(place) else []

    def matrix(self, shape: tuple[int, int], merge: Literal["sum", "last"] = "sum") -> sparse.csr_array:
        """Return float32 CSR of that shape [U, I]; several rows of one pair are summed, or the last is kept."""
        part = self
        if merge == "last" and len(self):
            if self.times is not None:
                part = self.take(np.argsort(self.times, kind="stable"))
            pair = part.user_rows.astype(np.int64) * shape[1] + part.item_rows
            last = len(pair) - 1 - np.unique(pair[::-1], return_index=True)[1]
            part = part.take(last)
        weights = part.weights.astype(np.float32, copy=False)
        return sparse.csr_array((weights, (part.user_rows, part.item_rows)), shape=shape)


def time_order(times: np.ndarray, drawn: np.ndarray, users: np.ndarray | None = None) -> np.ndarray:
    """Return the order of rows by user, where given, then by time, equal times by numbers that were drawn, int64 [n].

    As ``np.lexsort((drawn, times, users))``; only rows of equal times are sorted by what was drawn.

    Args:
        times: float64 [n].
        drawn: float64 [n].
        users: int [n], rows of users.
    """
    order = np.argsort(times, kind="stable")
    if users is not None:
        order = order[stable_order(users[order])]
    same = times[order[1:]] == times[order[:-1]]
    if users is not None:
        same &= users[order[1:]] == users[order[:-1]]
    if same.any():
        of_run = np.append(0, ~same).cumsum()
        equal = np.flatnonzero(np.append(False, same) | np.append(same, False))
        order[equal] = order[equal[np.lexsort((drawn[order[equal]], of_run[equal]))]]
    return order
