"""Training, validation and test parts: by time where there are times, else within every user at random."""

from __future__ import annotations

import numpy as np

TRAIN, VALIDATION, TEST = 0, 1, 2


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
    keeps at least one.

    Args:
        user_rows: int [n], user of every row.
        validation_share, test_share: wanted shares of the rows, >= 0, together < 1.
        rng: decides which rows; with times only the order of equal ones.
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
    sorted_users = user_rows[order]
    rank = np.arange(len(user_rows)) - (counts.cumsum() - counts)[sorted_users]
    parts = np.empty(len(user_rows), np.int8)
    parts[order] = np.select(
        [rank < n_test[sorted_users], rank < (n_test + n_validation)[sorted_users]], [TEST, VALIDATION], TRAIN
    )
    return parts
