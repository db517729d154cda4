"""What lists for all, groups and personal lists add to one another, a part at a time, paired over users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from grouprec.ranking.statistics import mean_interval, paired_difference

if TYPE_CHECKING:  # reports read the names of the parts, and no torch
    from grouprec.evaluate.protocol import Measured

METRICS = ("ndcg@10", "hit_rate@10")
POPULARITY, SINGLE_LIST, GROUPS, PERSONAL = "popularity", "single_list", "groups", "personal"
PARTS = (POPULARITY, SINGLE_LIST, GROUPS, PERSONAL)  # their values add up to what personal lists reach
MORE = "more"  # what the next larger number of lists adds to this one


def split(popularity: Measured, floor: Measured, lists: Measured, personal: Measured) -> list[dict[str, Any]]:
    """Return the parts of what personal lists reach, by metric.

    Args:
        popularity: one list of what was popular over all time.
        floor: the best single list for all.
        lists: shared lists.
        personal: lists of the users' own. All four are of the same users.
    Returns:
        rows of metric, part (of ``PARTS``), value, low, high, n_users. The first part is a mean with its interval
        (:func:`mean_interval`), the others are what each adds to the one before (:func:`paired_difference`).
    """
    steps = {SINGLE_LIST: (floor, popularity), GROUPS: (lists, floor), PERSONAL: (personal, lists)}
    first, low, high = mean_interval(_values(popularity))
    rows = _rows(POPULARITY, first, low, high, len(popularity.values))
    for part, (after, before) in steps.items():
        rows += difference(part, after, before)
    return rows


def difference(part: str, after: Measured, before: Measured) -> list[dict[str, Any]]:
    """Return what one method adds to another on the same users: a row per metric."""
    value, low, high, _ = paired_difference(_values(after), _values(before))
    return _rows(part, value, low, high, len(after.values))


def split_evaluation(
    measured: Mapping[tuple[str, str], Measured], own: Mapping[Any, str], floor: Mapping[Any, str]
) -> list[dict[str, Any]]:
    """Return :func:`split` of a run's own lists in every regime: rows of regime, method, then those of the split.

    Args:
        measured: by method and regime.
        own, floor: by regime, the method of the run's lists and of the best single list.
    """
    rows = []
    for regime, method in own.items():
        four = (("popularity", regime), (floor[regime], regime), (method, regime), ("individual", "individual"))
        parts = split(*(measured[key] for key in four))
        rows += [{"regime": regime, "method": method, **part} for part in parts]
    return rows


def _values(measured: Measured) -> np.ndarray:
    return np.column_stack([measured.of(metric) for metric in METRICS])


def _rows(part: str, value: np.ndarray, low: np.ndarray, high: np.ndarray, n_users: int) -> list[dict[str, Any]]:
    """Return a row per metric; ``value``, ``low`` and ``high`` are [2]."""
    found = zip(METRICS, value.tolist(), low.tolist(), high.tolist(), strict=True)
    return [
        {"metric": metric, "part": part, "value": mean, "low": least, "high": most, "n_users": n_users}
        for metric, mean, least, most in found
    ]
