"""The same users in other numbers of groups: one numbering for all of them, who moves, and what lists cost and bring.

A group keeps its number, and so its colour, from one number of groups to the next where it shares most members.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

# -- one numbering


def number_alike(settings: Mapping[int, np.ndarray], chosen: int) -> dict[int, np.ndarray]:
    """Return the groups of every setting under numbers that stay the same where most members do.

    From the chosen number of groups outwards, every setting takes over the numbers of its neighbour.

    Args:
        settings: number of groups -> int [U], every user's group from 0, without gaps.
        chosen: whose groups keep their own numbers, from 1.
    Returns:
        number of groups -> int16 [U], from 1 (int32 where there are too many groups for that).
    """
    order = sorted(settings)
    at = order.index(chosen)
    numbers = {chosen: _compact(settings[chosen] + 1)}
    for way in (order[at:], order[at::-1]):
        for before, n in pairwise(way):
            numbers[n] = _compact(take_over(settings[n], numbers[before]))
    return numbers


def take_over(labels: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Return the groups under the numbers of other groups of the same users, int64 [U], from 1.

    The pairs are those that share most users in all (Kuhn 1955); groups without a partner take the smallest numbers
    that are free.

    Args:
        labels: int [U], from 0, without gaps.
        before: int [U], from 1.
    """
    old, place = np.unique(before, return_inverse=True)
    shared = np.zeros((int(labels.max()) + 1, len(old)), np.int64)
    np.add.at(shared, (labels, place), 1)
    mine, theirs = linear_sum_assignment(shared, maximize=True)
    number = np.zeros(len(shared), np.int64)
    number[mine] = old[theirs]
    free = np.setdiff1d(np.arange(1, len(shared) + len(old) + 1), old)
    number[number == 0] = free[: np.count_nonzero(number == 0)]
    return number[labels]


def _compact(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(np.int16 if numbers.max() <= np.iinfo(np.int16).max else np.int32)


# -- from one setting to another


def moves(before: np.ndarray, after: np.ndarray) -> pd.DataFrame:
    """Return how many users go from which group to which: before, after, users; also those who stay, in order.

    Args:
        before, after: int [U], numbers of the same users' groups.
    """
    pairs = pd.DataFrame({"before": before, "after": after})
    return pairs.groupby(["before", "after"], as_index=False).size().rename(columns={"size": "users"})


def changed_lists(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return every group of two settings with the number of items that its list gains and loses.

    Args:
        before, after: group and item of the settings' lists, in one regime.
    Returns:
        group, status ("new", "gone", "changed" or "same"), new_items, dropped_items; most changed first.
    """
    both = before[["group", "item"]].merge(after[["group", "item"]], how="outer", indicator="where")
    counts = both.groupby(["group", "where"], observed=False).size().unstack()  # noqa: PD010  # nothing to aggregate
    gone, new = ~counts.index.isin(after["group"]), ~counts.index.isin(before["group"])
    changed = (counts["left_only"] + counts["right_only"] > 0).to_numpy()
    frame = pd.DataFrame(
        {
            "group": counts.index.to_numpy(),
            "status": np.select([gone, new, changed], ["gone", "new", "changed"], "same"),
            "new_items": counts["right_only"].to_numpy(),
            "dropped_items": counts["left_only"].to_numpy(),
        }
    )
    order = frame["status"].map({"new": 0, "gone": 1, "changed": 2, "same": 3})
    frame = frame.assign(order=order).sort_values(["order", "new_items", "group"], ascending=[True, False, True])
    return frame.drop(columns="order").reset_index(drop=True)
