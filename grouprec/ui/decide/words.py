"""What the Decide page says and tabulates: plain functions on the tables of a run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.core.tables import highest, row_at
from grouprec.report import gain
from grouprec.report.text import count, interval, percent, plural, score
from grouprec.ui.decide.kept import Setting, Worth

MISSING = (
    "This run did not keep its groups for other numbers of lists, so who is in them and their lists cannot be shown; "
    "train it again to see them."
)
STATUS = {"new": "New", "gone": "Gone", "changed": "Changed", "same": "As before"}


def lists(n: int) -> str:
    """Return ``1 list``, ``12 lists``."""
    return plural(n, "list")


def chosen(n: int) -> str:
    """Return ``12 lists``, or ``personal lists`` for 0."""
    return lists(n) if n else "personal lists"


# -- how many lists?


def answer(worth: Worth, split: gain.Split | None, n: int) -> str:
    """Say how many lists are enough, what they do for people, and what the number that is looked at does.

    Args:
        split: of ``n``; None where hits were not measured.
        n: a number of lists that was measured; 0 for personal lists.
    """
    return gain.lists_answer(worth.curve, worth.hits, worth.steps, split, n)


def reached(row: pd.Series, personal: bool) -> tuple[str, str]:
    """Return how many of 100 people find something, and between which ends of the 95 % interval ("" for personal)."""
    if personal:
        return gain.people(row["individual"]), ""
    return gain.people(row["value"]), f"{gain.people(row['low'])} to {gain.people(row['high'])}"


def beyond_one(row: pd.Series, personal: bool) -> str:
    """Return how many more of 100 people that is than with the best single list, with its sign."""
    by = row["individual" if personal else "value"] - row["floor"]
    return f"{'+' if by > 0 else ''}{gain.people(by)}"


# -- two settings side by side


def measures(value: pd.DataFrame, settings: list[Setting]) -> pd.DataFrame:
    """Return what was measured of each setting, as text: measures in rows, a column per setting.

    Args:
        value: the value table of the run's own groups in one use of the lists, all metrics.
    """
    columns = {}
    for setting in settings:
        rows = value[value["n_groups"] == setting.n].set_index("metric")
        if rows.empty:
            continue
        ndcg, hit = row_at(rows, "ndcg@10"), row_at(rows, "hit_rate@10")
        sizes = setting.groups["size"]
        columns[lists(setting.n).capitalize()] = {
            "Of the possible gain": percent(ndcg["share_of_gain"]),
            "Order of hits (nDCG@10)": interval(ndcg["value"], ndcg["low"], ndcg["high"]),
            "Best possible": score(ndcg["oracle"]),
            "Users with a hit": f"{percent(hit['value'])} ({percent(hit['low'])}–{percent(hit['high'])})",
            "Largest group": count(sizes.max()),
            "Smallest group": count(sizes.min()),
            "Stability": f"{ndcg['stability']:.2f}" if "stability" in ndcg and pd.notna(ndcg["stability"]) else "–",
        }
    return pd.DataFrame(columns).rename_axis("Measure").reset_index()


def moves_answer(before: int, after: int, flows: pd.DataFrame) -> str:
    """Say how many users change group between two settings (``flows``: before, after, users)."""
    users = int(flows["users"].sum())
    moved = int(flows.loc[flows["before"] != flows["after"], "users"].sum())
    who = f"**{count(moved)} of {plural(users, 'user')}** ({percent(moved / users)})"
    return f"From {before} to {lists(after)}, {who} {'changes' if moved == 1 else 'change'} group."


def changes_answer(changed: pd.DataFrame, before: int, after: int) -> str:
    """Say how many lists are new, gone or changed between two settings (``changed``: group, status, new_items)."""
    counts = changed["status"].value_counts()
    new, gone, other = (int(counts.get(name, 0)) for name in ("new", "gone", "changed"))
    if not new + gone + other:
        return f"All lists are the same with {before} and with {after}."
    parts = [f"{n} {word}" for n, word in ((new, "new"), (gone, "gone"), (other, "changed")) if n]
    kept = int(counts.get("same", 0))
    return f"From {before} to {lists(after)}: **{', '.join(parts)}**, {kept} as before."


def changes_table(changed: pd.DataFrame, before: Setting, after: Setting) -> pd.DataFrame:
    """Return the groups of two settings with their names, sizes and what becomes of their lists."""
    names = before.names | after.names
    sizes = [one.groups.set_index("group")["size"] for one in (before, after)]
    return pd.DataFrame(
        {
            "group": changed["group"],
            "name": changed["group"].map(names),
            "status": changed["status"].map(STATUS),
            "before": changed["group"].map(sizes[0]).map(count),
            "after": changed["group"].map(sizes[1]).map(count),
            "new_items": changed["new_items"].where(changed["status"] != "gone").map(count),
        }
    )


def list_with_marks(setting: Setting, other: Setting, group: int, mark: str) -> pd.DataFrame:
    """Return a group's list by rank with a mark at the items that it has not in the other setting."""
    own, known = (one.lists[one.lists["group"] == group].sort_values("rank") for one in (setting, other))
    marks = np.where(own["item"].isin(known["item"]), "", mark)
    return pd.DataFrame({"rank": own["rank"], "label": own["label"], "mark": marks}).reset_index(drop=True)


# -- money


def money_answer(table: pd.DataFrame, n: int) -> str:
    """Say which number of lists brings most after costs, which come close, and what the looked-at one leaves.

    Args:
        table: n_groups, net, net_low, net_high, ascending.
    """
    best = highest(table, "net")
    at_best = int(best["n_groups"])
    close = table.loc[table["net_high"] >= best["net"], "n_groups"].astype(int)
    said = f"**{lists(at_best)}** {'brings' if at_best == 1 else 'bring'} most after costs: {count(best['net'])}"
    own = table.set_index("n_groups")["net"].get(n)
    if own is not None and n != at_best:
        said += f", {count(best['net'] - own)} more than {n}"
    if len(close) > 1:
        said += f". Within the 95 % interval of the hits, {close.min()} to {close.max()} may do as well"
    return f"{said}."
