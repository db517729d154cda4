"""What groups of the planted run (planted_run.py) are like, who is in them, and what other numbers of them would be."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.types import Candidates
from grouprec.explore.numbering import number_alike
from grouprec.ranking.candidates import make_preference
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run
from tests.support.planted_evidence import gain_of_groups_table

N_CANDIDATES = 60
GRID = (1, 2, 3, 4, 6)
FACTORS = {"ndcg@10": 1.0, "precision@10": 0.5, "hit_rate@10": 3.0}
SHARES = {1: 0.10, 2: 0.40, 3: 0.50, 4: 0.504, 6: 0.45}  # of the possible gain; the last one is within the interval
FLOOR, INDIVIDUAL = 0.04, 0.14


def add_portrait(run: Run) -> None:
    """Give a planted run of three groups the tables of grouprec/explore/portrait.py."""
    users = run.table("users")
    run.save_table("group_profiles", _profiles())
    run.save_table("group_neighbours", _neighbours())
    run.save_table("group_members", _members(users))
    run.save_table("group_activity", _activity())
    run.save_table("group_rules", _rules())


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


def _rules() -> pd.DataFrame:
    said = [f"Everyone who has “*{name}*”." for name in ("bags", "mugs", "towels")]
    queries = [f"SELECT user_id FROM users WHERE {number}" for number in (1, 2, 3)]
    found = [f'[{{"kind": "has", "value": "{number}"}}]' for number in (1, 2, 3)]
    return pd.DataFrame({"group": [1, 2, 3], "sentence": said, "sql": queries, "json": found})


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


# -- who is in them


def add_users(run: Run, seed: int = 0) -> FitSnapshot:
    """Give a planted run of three groups the file of its final fit; return it.

    The first member of every group has the first three items of its block, the others draw theirs from the block.
    """
    rng = np.random.default_rng(seed)
    items, users = run.table("items"), run.table("users").query("in_training")
    labels = (users["group"].to_numpy() - 1).astype(np.int32)
    block, n_users = len(items) // 3, len(users)
    owned = np.zeros((n_users, len(items)), np.float32)
    for user, label in enumerate(labels):
        mine = np.arange(3) if user < 3 else rng.choice(block, 6, replace=False)
        owned[user, label * block + mine] = 1
    chances = rng.uniform(0.01, 0.2, owned.shape)
    inside = np.arange(len(items)) // block == labels[:, None]
    chances = np.where(inside, chances + 0.6, chances) * (owned == 0)
    order = np.argsort(-chances, axis=1)[:, :N_CANDIDATES]
    scores = np.take_along_axis(chances, order, axis=1)
    candidates = Candidates(order.astype(np.int32), scores.astype(np.float32), len(items))
    base = FitSnapshot(
        user_ids=users["user"].to_numpy(object),
        item_ids=items["item"].to_numpy(object),
        item_labels=items["label"].to_numpy(object),
        histories=sparse.csr_array(owned),
        candidates=candidates,
        labels=labels,
        n_groups=3,
        states=np.zeros((n_users, 1), np.float32),
        last_times=np.zeros(n_users),
        components=make_preference(candidates, size=8).components,
        weight=0.0,
        repeats=False,
    )
    base.save(run.snapshot())
    run.write_manifest()
    return base


# -- other numbers of groups


def add_what_if_tables(run: Run) -> None:
    """Give a planted run of three groups its other numbers of groups.

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
    run.save_table("what_if_groups", pd.concat([_what_if_groups(n, numbers[n]) for n in GRID], ignore_index=True))
    run.save_table("what_if_lists", _what_if_lists(run.table("items"), {n: np.unique(numbers[n]) for n in GRID}))


def add_what_if(run: Run, regime: str = "strict") -> Run:
    """Give a planted run of three groups what every number of groups is worth by three metrics, among them its own."""
    value = _what_if_value(regime)
    run.save_table("value_of_groups", value)
    run.save_table("gain_of_groups", gain_of_groups_table(value, popularity=0.5))
    run.save_metrics(run.metrics() | {"n_groups_asked": 3})
    run.write_manifest()
    return run


def _what_if_groups(n: int, numbers: np.ndarray) -> pd.DataFrame:
    groups, sizes = np.unique(numbers, return_counts=True)
    names = [f"<b>Taste</b> {group}" for group in groups]
    return pd.DataFrame({"group": groups, "name": names, "size": sizes, "n_groups": n})


def _what_if_lists(items: pd.DataFrame, groups: dict[int, np.ndarray]) -> pd.DataFrame:
    """A list begins at ten times its group's number, one later for group 2 of 6; the dedup list 100 later."""
    parts = []
    for n, own in groups.items():
        for group in own:
            for regime, start in (("strict", 0), ("dedup", 100)):
                rows = start + 10 * group + (n == 6 and group == 2) + np.arange(10)
                part = items.iloc[rows][["item", "label"]].assign(group=group, regime=regime, rank=np.arange(1, 11))
                parts.append(part.assign(n_groups=n))
    return pd.concat(parts, ignore_index=True)


def _what_if_value(regime: str) -> pd.DataFrame:
    rows = []
    for n, share in SHARES.items():
        for metric, factor in FACTORS.items():
            value = factor * (FLOOR + (INDIVIDUAL - FLOOR) * share)
            row = {"n_groups": n, "method": "members_mean", "regime": regime, "metric": metric, "value": value}
            row |= {"low": value - factor * 0.01, "high": value + factor * 0.01, "floor": factor * FLOOR}
            row |= {"floor_method": "recent_popularity", "below_best_error": factor * 0.004}
            row |= {"below_best": factor * (INDIVIDUAL - FLOOR) * (max(SHARES.values()) - share)}
            row |= {"individual": factor * INDIVIDUAL, "oracle": 0.2 if regime == "strict" else np.nan}
            row |= {"share_of_gain": share, "smallest": 88 // n, "largest": 90 // n}
            rows.append(row | {"silhouette": 0.2, "stability": 0.75 if n > 1 else np.nan})
    other = {"members_mean": "kmeans_popularity"}
    return pd.concat([pd.DataFrame(rows), pd.DataFrame(rows).replace({"method": other}).assign(value=0.01)])
