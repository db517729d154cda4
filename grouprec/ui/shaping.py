"""Run tables to the tables that pages show: plain functions on frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from grouprec.runs import Run
from grouprec.types import StorageError
from grouprec.ui import story
from grouprec.ui.cards import difference, interval

USER_COLUMNS = ("user", "group", "x", "y", "interactions", "in_training")
VISIBLE_LIFT = 1.2  # a share 1.2 times that of all users is worth a line on a card
METRIC_TITLES = {
    "ndcg": "Order of hits (nDCG)",
    "hit_rate": "Users with a hit",
    "precision": "Precision",
    "recall": "Recall",
    "f1": "F1",
    "coverage": "Catalogue shown",
}
RANK_METRIC = {"mrr": "First hit (MRR)"}


def attribute_columns(users: pd.DataFrame) -> list[str]:
    """Return the names of the users' own attributes, in order."""
    return [name for name in users.columns if name not in USER_COLUMNS]


def group_names(groups: pd.DataFrame) -> dict[int, str]:
    """Return group -> its name."""
    return dict(zip(groups["group"].tolist(), groups["name"].astype(str).tolist(), strict=True))


def composition(users: pd.DataFrame, rows: np.ndarray, groups: pd.DataFrame) -> pd.DataFrame:
    """Return which groups the users in ``rows`` belong to: group, name, users, share, share_of_group; most first."""
    counted = users["group"].iloc[rows].value_counts().rename_axis("group").rename("users").reset_index()
    frame = counted.merge(groups[["group", "name", "size"]], on="group", how="left")
    frame["share"] = frame["users"] / len(rows)
    frame["share_of_group"] = (frame["users"] / frame["size"]).clip(upper=1)
    ordered = frame.sort_values(["users", "group"], ascending=[False, True], ignore_index=True)
    return ordered[["group", "name", "users", "share", "share_of_group"]]


def telling_attributes(attributes: pd.DataFrame, group: int) -> pd.DataFrame:
    """Return the attributes in which a group differs visibly from all users, the most certain first."""
    own = attributes[attributes["group"] == group].sort_values("rank")
    return own[~own["lift"].between(1 / VISIBLE_LIFT, VISIBLE_LIFT)]


def find_users(users: pd.DataFrame, text: str, most: int = 20) -> np.ndarray:
    """Return rows of users whose id is, or begins with, the text: the exact one first, at most ``most``."""
    text = text.strip()
    if not text:
        return np.empty(0, dtype=np.int64)
    ids = users["user"].astype("str")
    exact = np.flatnonzero(ids == text)
    beginning = np.flatnonzero(ids.str.casefold().str.startswith(text.casefold()))
    return np.concatenate([exact, beginning[~np.isin(beginning, exact)]])[:most]


def personal_list(run: Run, user: str) -> pd.DataFrame:
    """Return one user's own list by rank, without holding everybody's in memory.

    Raises:
        StorageError: the run has no readable personal lists.
    """
    path = run.path / "tables" / "user_lists.parquet"
    try:
        return pd.read_parquet(path, filters=[("user", "==", user)]).sort_values("rank", ignore_index=True)
    except (OSError, ValueError) as error:
        raise StorageError(f"The run {run.run_id} has no readable table 'user_lists'; train it again.") from error


def group_list(lists: pd.DataFrame, group: int, method: str, regime: str) -> pd.DataFrame:
    """Return one list of a group by rank; empty where there is none."""
    match = (lists["group"] == group) & (lists["method"] == method) & (lists["regime"] == regime)
    return lists[match].sort_values("rank", ignore_index=True)


def with_lift(chosen: pd.DataFrame, items: pd.DataFrame, n_users: int) -> pd.DataFrame:
    """Return the list with ``lift``: the share of members who have the item against the share of all users.

    NaN where nobody has it.
    """
    overall = chosen["item"].map(items.set_index("item")["users"]) / max(n_users, 1)
    return chosen.assign(lift=(chosen["owned"] / overall).where(overall > 0))


def lists_to_export(lists: pd.DataFrame, names: Mapping[int, str], group: int | None = None) -> pd.DataFrame:
    """Return the lists of one group or of all, every method in both regimes, with the groups' names."""
    chosen = lists if group is None else lists[lists["group"] == group]
    frame = chosen[["group", "method", "regime", "rank", "item", "label", "score", "reach", "owned"]].copy()
    frame.insert(1, "group_name", frame["group"].map(names))
    return frame.sort_values(
        ["group", "method", "regime", "rank"], ascending=[True, True, False, True], ignore_index=True
    )


# -- Compare


def cutoffs(evaluation: pd.DataFrame) -> list[int]:
    """Return the list lengths that were evaluated, ascending."""
    lengths = evaluation["metric"].str.extract(r"^ndcg@(\d+)$")[0].dropna()
    return sorted({int(length) for length in lengths})


def list_method(metrics: Mapping[str, Any], regime: str) -> str:
    """Return how a run's shared lists are made: the method that did best on the validation part."""
    return (metrics.get("list_method") or {}).get(regime, "generated")


def methods_of(evaluation: pd.DataFrame, regime: str, metric: str, ours: str = "generated") -> pd.DataFrame:
    """Return the methods of a regime and, as what is possible, personal lists; best by ``metric`` first.

    ``ours`` in the result marks the method of that name.
    """
    match = evaluation["regime"].isin([regime, "individual"]) & (evaluation["metric"] == metric)
    rows = evaluation[match & evaluation["value"].notna()].sort_values("value", ascending=False, ignore_index=True)
    return rows.assign(title=rows["method"].map(story.method_title), ours=rows["method"] == ours)


def method_table(evaluation: pd.DataFrame, comparisons: pd.DataFrame, regime: str, length: int) -> pd.DataFrame:
    """Return methods in rows and metrics in columns, every cell with its interval, best nDCG first.

    ``Against the generated list`` is the paired difference in nDCG of the same regime, where it was tested.
    """
    order = methods_of(evaluation, regime, f"ndcg@{length}")
    table = pd.DataFrame({"Method": order["title"]})
    shown = evaluation[evaluation["regime"].isin([regime, "individual"])]
    for metric, title in ({f"{name}@{length}": title for name, title in METRIC_TITLES.items()} | RANK_METRIC).items():
        rows = shown[shown["metric"] == metric].set_index(["method", "regime"])
        if rows.empty:
            continue
        rows = rows.reindex(pd.MultiIndex.from_frame(order[["method", "regime"]]))
        table[title] = [interval(*row) for row in rows[["value", "low", "high"]].itertuples(index=False)]
    table.insert(1, "Share of possible gain", order["share_of_gain"].round(3))
    tested = comparisons[(comparisons["regime"] == regime) & (comparisons["against"] == "generated")]
    tested = tested[tested["metric"] == f"ndcg@{length}"].set_index("method")
    if len(tested):
        own = order["method"].where(order["regime"] == regime)
        rows = tested.reindex(own)[["difference", "low", "high"]]
        table.insert(3, "Against the generated list", [difference(*row) for row in rows.itertuples(index=False)])
    return table


def gain_curves(value: pd.DataFrame, metric: str = story.METRIC) -> dict[str, pd.DataFrame]:
    """Return the share of possible gain by number of groups, one curve per use of the lists: title -> curve.

    Of several methods, the one with the highest mean share is shown. Interval bounds are put on the same scale.
    """
    curves = {}
    known = value[(value["metric"] == metric) & value["share_of_gain"].notna()]
    for regime, title in story.REGIMES.items():
        rows = known[known["regime"] == regime]
        if rows.empty:
            continue
        best = rows.groupby("method")["share_of_gain"].mean().idxmax()
        curve = rows[rows["method"] == best].sort_values("n_groups", ignore_index=True)
        possible = curve["individual"] - curve["floor"]
        low, high = ((curve[end] - curve["floor"]) / possible for end in ("low", "high"))
        curves[title] = curve.assign(share=curve["share_of_gain"], low=low, high=high)
    return curves


def run_row(title: str, metrics: Mapping[str, Any], evaluation: pd.DataFrame, length: int = 10) -> dict[str, Any]:
    """Return one run as a row of the table of runs."""
    metric = f"ndcg@{length}"
    row: dict[str, Any] = {
        "Run": title,
        "Data": metrics.get("dataset", ""),
        "Users": metrics.get("n_users"),
        "Groups": metrics.get("n_groups"),
        "Preset": metrics.get("preset", ""),
        "Encoder": story.encoder_title(str(metrics.get("encoder", ""))),
    }
    personal = story.evaluated(evaluation, "individual", "individual", metric)
    row["Personal lists"] = np.nan if personal is None else personal["value"]
    for regime, short_title in (("strict", "same list"), ("dedup", "skips owned")):
        shared = story.evaluated(evaluation, list_method(metrics, regime), regime, metric)
        for column, source in (("", "value"), (", share of gain", "share_of_gain")):
            row[f"Shared, {short_title}{column}"] = np.nan if shared is None else round(shared[source], 3)
    row["Seconds"] = metrics.get("seconds")
    return row
