"""Training, validation and test parts, and how many users they leave to choose settings by and to judge by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from grouprec.data.values.common import among, sorted_unique

TRAIN, VALIDATION, TEST = 0, 1, 2
_AT_ONCE = 1_000_000  # rows that are looked up at a time


class UsersLeft(NamedTuple):
    """How many users have something to be found in the validation part (choose) and in the test part (judge)."""

    choose: int
    judge: int


def split_by_time(times: np.ndarray, validation_share: float, test_share: float) -> np.ndarray:
    """Return the part of every row, cut at two moments: first training, then validation, then test.

    The moments are quantiles of the rows. Rows of equal time have no order, so they are never parted: a cut moves
    to the nearer end of a tie. The training part is never empty, the others may be.

    Args:
        times: float64 [n], finite, in any order.
        validation_share, test_share: wanted shares of the rows, >= 0, together < 1.
    Returns:
        int8 [n]: 0 training, 1 validation, 2 test.
    """
    ordered = np.sort(times)
    parts = np.zeros(len(times), np.int8)
    for part, share in ((VALIDATION, validation_share + test_share), (TEST, test_share)):
        cut = _cut(ordered, share)
        if cut < len(ordered):
            parts[times >= ordered[cut]] = part
    return parts


def _cut(ordered: np.ndarray, share: float) -> int:
    """Return the position of the first row of the last ``share``, at the beginning of a tie and never 0."""
    n = len(ordered)
    wanted = round(n * (1 - share))
    if wanted >= n:
        return n
    first, after = (np.searchsorted(ordered, ordered[wanted], side) for side in ("left", "right"))
    return int(first if first > 0 and wanted - first <= after - wanted else after)


def split_by_user(
    user_rows: np.ndarray,
    validation_share: float,
    test_share: float,
    rng: np.random.Generator,
    times: np.ndarray | None = None,
) -> np.ndarray:
    """Return the part of every row, drawn at random within every user, or along the user's own time.

    A user's number of rows in a part is the share rounded up or down at random, so that short histories, too, take
    part as often as the shares say. Users with fewer than three rows keep all of them for training, and every user
    keeps at least one. Rows of one user and one time (a basket) have no order, so they are never parted: a basket
    that a cut falls into goes to the later part as a whole, as often as the share of it that lies behind the cut.

    Args:
        user_rows: int [n], user of every row.
        validation_share, test_share: wanted shares of the rows, >= 0, together < 1.
        rng: decides which rows; with times how numbers are rounded and to which side baskets go.
        times: float64 [n]; the last rows of every user are the test, those before them the validation part.
    Returns:
        int8 [n]: 0 training, 1 validation, 2 test.
    """
    n_users = int(user_rows.max()) + 1 if len(user_rows) else 0
    counts = np.bincount(user_rows, minlength=n_users)
    spare = np.where(counts < 3, 0, counts - 1)
    n_test = np.minimum(np.floor(counts * test_share + rng.random(n_users)).astype(np.int64), spare)
    n_validation = np.minimum(
        np.floor(counts * validation_share + rng.random(n_users)).astype(np.int64), spare - n_test
    )
    latest_first = np.zeros(len(user_rows)) if times is None else -times
    order = np.lexsort((rng.random(len(user_rows)), latest_first, user_rows))
    cuts = np.stack([n_test, n_test + n_validation])
    if times is not None:
        cuts = _around_baskets(cuts, user_rows[order], times[order], counts, rng.random(n_users))
    sorted_users = user_rows[order]
    rank = np.arange(len(user_rows)) - (counts.cumsum() - counts)[sorted_users]
    parts = np.empty(len(user_rows), np.int8)
    parts[order] = np.select([rank < cuts[0, sorted_users], rank < cuts[1, sorted_users]], [TEST, VALIDATION], TRAIN)
    return parts


def _around_baskets(
    cuts: np.ndarray, users: np.ndarray, times: np.ndarray, counts: np.ndarray, draw: np.ndarray
) -> np.ndarray:
    """Return the cuts moved to an end of the basket that they fall into; the earliest basket always trains.

    Args:
        cuts: int [2, U], how many of a user's latest rows lie behind each cut.
        users, times: [n], of all rows, user after user, the latest first.
        counts: int [U], rows of every user.
        draw: float [U], 0..1. One for both cuts, so that they never change places.
    """
    new = np.ones(len(users), bool)
    new[1:] = (users[1:] != users[:-1]) | (times[1:] != times[:-1])
    starts = np.append(np.flatnonzero(new), len(users))  # of the baskets
    first = counts.cumsum() - counts
    at = first + cuts  # the row before which is cut
    basket = np.searchsorted(starts, at, side="right") - 1
    begin = starts[basket]
    end = starts[np.minimum(basket + 1, len(starts) - 1)]
    behind = (at - begin) / np.maximum(end - begin, 1)
    return np.where((draw < behind) & (end < first + counts), end, begin) - first


def count_users(users: np.ndarray, items: np.ndarray, parts: np.ndarray) -> UsersLeft:
    """Return how many users the validation part leaves to choose settings by, and the test part to judge by.

    A user counts who has a target there: an item that they do not have before that part (validation comes before
    test). In the validation part it is one that the training part knows.

    Args:
        users, items: int [n] of every row; only users that the training part knows, and items that a part before the
            test knows.
        parts: int8 [n].
    """
    width = np.int64(items.max(initial=0)) + 1
    asked = np.zeros(int(users.max(initial=-1)) + 1, bool)
    asked[users[parts != TRAIN]] = True
    validation, test = (
        sorted_unique(users[parts == part] * width + items[parts == part]) for part in (VALIDATION, TEST)
    )
    had = np.zeros(len(validation), bool), np.isin(test, validation, assume_unique=True)
    known = pd.Index(validation), pd.Index(test)
    for start in range(0, len(users), _AT_ONCE):  # the pairs of all rows would be most of the memory
        rows = slice(start, start + _AT_ONCE)
        before = (parts[rows] == TRAIN) & asked[users[rows]]
        pairs = users[rows][before] * width + items[rows][before]
        for found, later in zip(had, known, strict=True):
            places = later.get_indexer(pd.Index(pairs))
            found[places[places >= 0]] = True
    to_find = among((validation % width).astype(items.dtype), items[parts == TRAIN])
    first, last = validation[~had[0] & to_find], test[~had[1]]
    return UsersLeft(len(sorted_unique(first // width)), len(sorted_unique(last // width)))
