"""What a planted run (fake_run.py) keeps of other numbers of groups: few rows, numbers easy to check by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.explore.numbering import number_alike
from grouprec.runs.store import Run

GRID = (1, 2, 3, 4, 6)
METRICS = {"ndcg@10": 1.0, "precision@10": 0.5, "hit_rate@10": 3.0}
SHARES = {1: 0.10, 2: 0.40, 3: 0.50, 4: 0.504, 6: 0.45}  # of the possible gain; the last one is within the interval
FLOOR, INDIVIDUAL = 0.04, 0.14


def add_what_if(run: Run, regime: str = "strict") -> Run:
    """Give a planted run of three groups its other numbers of groups, and the value of each by three metrics.

    With 6 groups every group of 3 is halved: the first half keeps the number, and the first half's list all items.
    """
    users = run.table("users")
    trained = users[users["in_training"]]
    own = trained["group"].to_numpy() - 1
    rank = trained.groupby("group").cumcount().to_numpy()
    halves = np.where(rank < 18, own, own + 3)
    labels = {1: own * 0, 2: np.minimum(own, 1), 3: own, 4: np.where(halves == 3, 3, own), 6: halves}
    numbers = number_alike(labels, 3)
    run.save_table("what_if_labels", pd.DataFrame({str(n): found for n, found in numbers.items()}))
    run.save_table("what_if_groups", pd.concat([_groups(n, numbers[n]) for n in GRID], ignore_index=True))
    run.save_table("what_if_lists", _lists(run.table("items"), {n: np.unique(numbers[n]) for n in GRID}))
    run.save_table("value_of_groups", _value(regime))
    run.save_metrics(run.metrics() | {"n_groups_asked": 3})
    run.write_manifest()
    return run


def _groups(n: int, numbers: np.ndarray) -> pd.DataFrame:
    groups, sizes = np.unique(numbers, return_counts=True)
    names = [f"<b>Taste</b> {group}" for group in groups]
    return pd.DataFrame({"group": groups, "name": names, "size": sizes, "n_groups": n})


def _lists(items: pd.DataFrame, groups: dict[int, np.ndarray]) -> pd.DataFrame:
    """A list begins at ten times its group's number, one later for group 2 of 6; the dedup list 100 later."""
    parts = []
    for n, own in groups.items():
        for group in own:
            for regime, start in (("strict", 0), ("dedup", 100)):
                rows = start + 10 * group + (n == 6 and group == 2) + np.arange(10)
                part = items.iloc[rows][["item", "label"]].assign(group=group, regime=regime, rank=np.arange(1, 11))
                parts.append(part.assign(n_groups=n))
    return pd.concat(parts, ignore_index=True)


def _value(regime: str) -> pd.DataFrame:
    rows = []
    for n, share in SHARES.items():
        for metric, factor in METRICS.items():
            value = factor * (FLOOR + (INDIVIDUAL - FLOOR) * share)
            row = {"n_groups": n, "method": "members_mean", "regime": regime, "metric": metric, "value": value}
            row |= {"low": value - factor * 0.01, "high": value + factor * 0.01, "floor": factor * FLOOR}
            row |= {"individual": factor * INDIVIDUAL, "oracle": 0.2 if regime == "strict" else np.nan}
            row |= {"share_of_gain": share, "smallest": 88 // n, "largest": 90 // n}
            rows.append(row | {"silhouette": 0.2, "stability": 0.75 if n > 1 else np.nan})
    other = {"members_mean": "kmeans_popularity"}
    return pd.concat([pd.DataFrame(rows), pd.DataFrame(rows).replace({"method": other}).assign(value=0.01)])
