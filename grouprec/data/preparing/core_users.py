"""What the training rows decide for all parts: who is a robot, what is an outlier, who and what is seen enough."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from grouprec.core.language import N_, _, decimal
from grouprec.core.types import DataError
from grouprec.data.preparing.clean import Preparation, Report, Rows
from grouprec.data.preparing.split import TEST, TRAIN, VALIDATION
from grouprec.data.values.common import among, sorted_unique

ROBOT_ROWS = 100  # nobody with fewer rows is called a robot
# Where most users have the same number of rows the median deviation is 0; a factor of two is then one deviation.
_LEAST_DEVIATION = np.log(2)
_MANY_ROWS, _OWN_ITEM = 50, 0.8  # share of rows with an item of their own from which on it is no item


@dataclass(frozen=True, eq=False)
class Core:
    """The rows that take part, and the training rows of users who do not.

    Attributes:
        rows: all parts, with final weights.
        parts: int8 [n], part of every row.
        users: codes of the users of the training, ascending.
        items: codes of the items of the training and, where the parts are cut at two moments, of those that enough of
            these users have by the test part, ascending.
        left_users: codes of users with valid training rows who were dropped, ascending.
        left_rows: their rows of all parts over ``items``, weighted in the same way.
        new_users: users of the validation and of the test part whom training has never seen.
    """

    rows: Rows
    parts: np.ndarray
    users: np.ndarray
    items: np.ndarray
    left_users: np.ndarray
    left_rows: Rows
    new_users: tuple[int, int]


def fit_core(
    rows: Rows, parts: np.ndarray, settings: Preparation, quantities: bool, report: Report, in_time: bool = False
) -> Core:
    """Return the rows that take part, judged by training rows only, but for items that come later in time.

    Args:
        rows: valid rows of all parts.
        parts: int8 [n], part of every row.
        in_time: whether the parts are cut at two moments. Then the validation part brings items, too: what is judged
            has learned from it, and where items live for days the training part knows none of those that are asked for.
        settings: bounds of the steps.
        quantities: whether weights are quantities, whose outliers are cut.
        report: is added to; its rows are those of all parts together.
    Raises:
        DataError: no rows, or a single user or item, is left.
    """
    # Masks of all rows, which are copied once only: they may be most of the memory.
    train = parts == TRAIN
    valid_users = sorted_unique(rows.users[train])
    before = parts != TEST if in_time else train
    keep, new_users = _known(rows, parts, before, report)
    if settings.drop_robots:
        robots = find_robots(rows.users[train], settings.robot_z)
        human = keep & ~among(rows.users, robots)
        note = _("users of extreme activity, placed in a group afterwards: {n_robots}").format(
            n_robots=decimal(len(robots))
        )
        report.add(N_("robots"), int(keep.sum()), int(human.sum()), note, "raise robot_z or set drop_robots to false")
        keep, train, before = human, train & human, before & human
    limit = _winsorise_limit(rows.weights[train], settings, quantities, report, int(keep.sum()))
    users, items = k_core(rows, train, settings.min_user_items, settings.min_item_users)
    if in_time:
        items = np.union1d(items, k_core(rows, before & among(rows.users, users), 1, settings.min_item_users)[1])
    enough = keep & among(rows.users, users) & among(rows.items, items)
    note = _("users need {min_user_items} or more items, items {min_item_users} or more users").format(
        min_user_items=settings.min_user_items, min_item_users=settings.min_item_users
    )
    advice = "lower min_item_users or min_user_items, or give more rows"
    if keep.sum() >= _MANY_ROWS and len(sorted_unique(rows.items[keep])) > _OWN_ITEM * keep.sum():
        advice = "nearly every row has an item of its own; name the column of the items with --map item=COLUMN"
    report.add(N_("k-core"), int(keep.sum()), int(enough.sum()), note, advice)
    for kind, ids in (("user", users), ("item", items)):
        if len(ids) < 2:
            raise DataError(f"Only one {kind} is left after the step 'k-core' ({note}): groups need two or more.")

    # Nobody is judged on users left out, so all that the file says of them is theirs.
    left_users = np.setdiff1d(valid_users, users, assume_unique=True)
    left = rows.take(among(rows.items, items) & among(rows.users, left_users))
    rows, parts = rows.take(enough), parts[enough]
    weigh = _Weighting.fit(rows.weights[parts == TRAIN], limit, settings.weighting)
    report.add(N_("weights"), len(rows), len(rows), weigh.note, "")
    return Core(
        rows=replace(rows, weights=weigh(rows.weights)),
        parts=parts,
        users=users,
        items=items,
        left_users=left_users,
        left_rows=replace(left, weights=weigh(left.weights)),
        new_users=new_users,
    )


def _known(rows: Rows, parts: np.ndarray, before: np.ndarray, report: Report) -> tuple[np.ndarray, tuple[int, int]]:
    """Return which rows are of users that training has seen and of items that some rows, bool [n], know; and the later
    parts' new users."""
    train = parts == TRAIN
    if train.all():
        return train, (0, 0)
    old_user = among(rows.users, rows.users[train])
    old_item = among(rows.items, rows.items[before & old_user])
    validation, test = (len(sorted_unique(rows.users[~old_user & (parts == part)])) for part in (VALIDATION, TEST))
    keep = old_user & old_item
    new_items = np.sum(old_user & ~old_item)
    note = _("validation and test rows of new users: {n}, of new items: {new_items}").format(
        n=decimal(int(np.sum(~old_user))), new_items=decimal(int(new_items))
    )
    report.add(N_("unknown to the training"), len(rows), int(keep.sum()), note, "")
    return keep, (validation, test)


def find_robots(users: np.ndarray, z: float) -> np.ndarray:
    """Return the users whose log number of rows lies more than ``z`` robust deviations above the median.

    The deviation is 1.4826 times the median absolute deviation (which is the standard deviation of a normal
    distribution), at least ln 2; users with 100 rows or fewer are never robots.

    Args:
        users: int [n], user of every training row.
        z: the bound.
    Returns:
        the users' codes, ascending.
    """
    codes, counts = np.unique(users, return_counts=True)
    logs = np.log(counts)
    median = np.median(logs)
    deviation = max(1.4826 * np.median(np.abs(logs - median)), _LEAST_DEVIATION)
    return codes[(logs > median + z * deviation) & (counts > ROBOT_ROWS)]


def k_core(rows: Rows, train: np.ndarray, min_user_items: int, min_item_users: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the users and items of the largest part of the training in which both have enough of each other.

    Users need ``min_user_items`` different items and items ``min_item_users`` different users; dropping one may
    make another too rare, so the step is repeated until nothing changes.

    Args:
        rows: rows of all parts.
        train: mask of the training rows, which alone count.
        min_user_items, min_item_users: the bounds.
    Returns:
        codes of users and of items, ascending.
    """
    width = np.int64(rows.items.max(initial=0)) + 1
    pairs = sorted_unique(rows.users[train] * width + rows.items[train])
    users, items = (pairs // width).astype(np.int32), (pairs % width).astype(np.int32)
    del pairs
    while len(users):
        enough = (np.bincount(users)[users] >= min_user_items) & (np.bincount(items)[items] >= min_item_users)
        if enough.all():
            break
        users, items = users[enough], items[enough]
    return sorted_unique(users), sorted_unique(items)


def _winsorise_limit(
    weights: np.ndarray, settings: Preparation, quantities: bool, report: Report, n_rows: int
) -> float:
    """Return the weight that larger ones are cut to, infinite where none is."""
    if not quantities or settings.winsorise == 1:
        return np.inf
    limit = float(np.quantile(weights, settings.winsorise))
    note = _("{n} training weights above {limit} are set to {limit}").format(
        n=decimal(int(np.sum(weights > limit))), limit=f"{limit:g}"
    )
    report.add(N_("outliers"), n_rows, n_rows, note, "")
    return limit


@dataclass(frozen=True)
class _Weighting:
    """Raw weights -> float32 weights, with the limit and mean of the training rows."""

    limit: float
    kind: str
    mean: float
    note: str

    @classmethod
    def fit(cls, weights: np.ndarray, limit: float, kind: str) -> _Weighting:
        mean = float(np.log1p(np.minimum(weights, limit)).mean())
        notes = {
            "log": _("log(1 + weight), divided by its training mean {mean}").format(mean=f"{mean:.3g}"),
            "none": _("as they are"),
            "binary": _("all are 1"),
        }
        return cls(limit, kind, mean, notes[kind])

    def __call__(self, weights: np.ndarray) -> np.ndarray:
        if self.kind == "binary":
            return np.ones(len(weights), np.float32)
        weights = np.minimum(weights, self.limit)
        return (weights if self.kind == "none" else np.log1p(weights) / self.mean).astype(np.float32)
