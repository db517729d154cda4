"""The tables that portray the groups of the fake run: planted numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.runs.store import Run

N_TESTS = 36


def add_portrait(run: Run) -> Run:
    """Give a fake run of three groups the tables of grouprec/explore/portrait.py and the columns of tested ones."""
    users = run.table("users")
    items, attributes = run.table("group_items"), run.table("group_attributes")
    run.save_table("group_items", items.assign(lift_low=items["lift"] * 0.8, lift_high=items["lift"] * 1.25))
    sure = attributes["attribute"] != "spend"  # spend differs visibly, but not beyond chance
    attributes = attributes.assign(p=np.where(sure, 1e-5, 0.02), tests=N_TESTS, significant=sure)
    run.save_table("group_attributes", attributes.assign(p_adjusted=np.minimum(1, attributes["p"] * N_TESTS)))
    run.save_table("group_profiles", _profiles())
    run.save_table("group_neighbours", _neighbours())
    run.save_table("group_members", _members(users))
    run.save_table("group_activity", _activity())
    run.write_manifest()
    return run


def _profiles() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "group": [1, 2, 3],
            "spread": [0.8, 1.2, 0.9],
            "diversity": [0.62, 0.8, 0.7],
            "diversity_overall": 0.79,
            "borderline": [0.12, 0.2, 0.0],
            "nearest": pd.array([2, 1, 2], dtype="Int64"),
            "distance": [1.5, 1.5, 4.0],
        }
    )


def _neighbours() -> pd.DataFrame:
    rows = [(1, 2, 1.5, 0.04, 0.25), (1, 3, 5.0, 0.08, 0.0), (2, 1, 1.5, 0.15, 0.25), (2, 3, 4.0, 0.05, 0.1)]
    rows += [(3, 2, 4.0, 0.0, 0.1), (3, 1, 5.0, 0.0, 0.0)]
    return pd.DataFrame(rows, columns=["group", "other", "distance", "borderline", "overlap"])


def _members(users: pd.DataFrame) -> pd.DataFrame:
    """Ten typical members of every group, and two borderline ones of all but the last."""
    rows = []
    for group, own in users[users["in_training"]].groupby("group"):
        for rank, user in enumerate(own["user"].head(10), start=1):
            rows.append((group, "typical", rank, user, 0.1 * rank, group % 3 + 1, 0.5))
        for rank, user in enumerate(own["user"].tail(2) if group < 3 else [], start=1):
            rows.append((group, "borderline", rank, user, 1.1, group % 3 + 1, 0.01 * rank))
    return pd.DataFrame(rows, columns=["group", "kind", "rank", "user", "distance", "other", "margin"])


def _activity() -> pd.DataFrame:
    """Four months; the first group is twice as active as each other one."""
    months = pd.date_range("2025-01-01", periods=4, freq="MS")
    events = np.repeat([200, 100, 100], 4)
    return pd.DataFrame(
        {
            "group": np.repeat([1, 2, 3], 4),
            "period": np.tile(months, 3),
            "events": events,
            "users": events // 10,
            "share": events / 400,
        }
    )
