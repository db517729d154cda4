"""Which items people take together."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from grouprec.core.arrays import empty_csr, largest_entries, largest_first
from grouprec.data.dataset import Interactions, time_order

REACH = 30  # events between two that count as taken together
OTHER_MOMENT = 0.1  # what two of different times count, against two of the same time
N_NEIGHBOURS = 100
NEIGHBOUR_EVENTS = 1_000_000  # the latest ones, for memory


def neighbours_of(part: Interactions, n_items: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return every item's neighbours, nearest first: the items that people take together with it.

    Two events of a user at most 30 apart count 1 where they are of the same time (an order, or no times at all), else
    0.1. Counts are divided by the square roots of both items' totals.

    Args:
        part: only its latest million events are read.
        rng: draws the order of events of equal time, which decides who is 30 apart in a large order.
    Returns:
        items int32 and nearness float32, [I, N], N = min(100, I); 0 and 0 where there are fewer.
    """
    times = np.zeros(len(part)) if part.times is None else part.times
    latest = largest_first(times)[:NEIGHBOUR_EVENTS]
    order = latest[time_order(times[latest], rng.random(len(latest)), part.user_rows[latest])]
    users, items, times = part.user_rows[order], part.item_rows[order], times[order]
    near = empty_csr((n_items, n_items))
    for distance in range(1, min(REACH, len(users) - 1) + 1):
        together = (users[distance:] == users[:-distance]) & (items[distance:] != items[:-distance])
        one, other = items[:-distance][together], items[distance:][together]
        same = times[distance:][together] == times[:-distance][together]
        weights = np.where(same, 1, OTHER_MOMENT).astype(np.float32)
        near = near + sparse.csr_array((weights, (one, other)), near.shape)
    near = sparse.csr_array(near + near.T)
    total = near.sum(axis=1).astype(np.float64)
    scale = sparse.diags_array(np.where(total > 0, total, 1) ** -0.5)
    return _nearest(sparse.csr_array((scale @ near @ scale).astype(np.float32)))


def _nearest(near: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """Return columns and values of the largest entries of every row, [I, N]."""
    n_items = len(near.indptr) - 1
    near = largest_entries(near, N_NEIGHBOURS)
    rows = np.repeat(np.arange(n_items), np.diff(near.indptr))
    order = np.lexsort((-near.data, rows))
    place = np.arange(len(order)) - near.indptr[rows]
    items = np.zeros((n_items, min(N_NEIGHBOURS, n_items)), np.int32)
    values = np.zeros(items.shape, np.float32)
    items[rows, place], values[rows, place] = near.indices[order], near.data[order]
    return items, values
