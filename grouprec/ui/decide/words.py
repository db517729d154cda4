"""What the Decide page says and tabulates: plain functions on the tables of a run."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.core.language import N_, Glossary, _, commas, full_stop, ngettext, passage
from grouprec.core.tables import highest, row_at
from grouprec.report import enough_lists, gain
from grouprec.report.text import count, interval, percent, plural, score
from grouprec.ui.kept import Setting, Worth

MISSING = N_(
    "This run did not keep its groups for other numbers of lists, so who is in them and their lists cannot be shown; "
    "train it again to see them."
)
STATUS = Glossary({"new": "New", "gone": "Gone", "changed": "Changed", "same": "As before"})


def lists(n: int) -> str:
    """Return ``1 list``, ``12 lists``."""
    return plural(n, "list")


def chosen(n: int) -> str:
    """Return ``12 lists``, or ``personal lists`` for 0."""
    return lists(n) if n else _("personal lists")


# -- how many lists?


def answer(worth: Worth, split: gain.Split | None, n: int) -> tuple[str, str]:
    """Say how many lists are enough and what the chosen number does for people; and, below that, what others do.

    Args:
        split: of ``n``; None where hits were not measured.
        n: a number of lists that was measured; 0 for personal lists.
    """
    return enough_lists.lists_answer(worth.curve, worth.hits, worth.steps, split, n)


def reached(row: pd.Series, personal: bool) -> tuple[str, str]:
    """Return how many of 100 people find something, and between which ends of the 95 % interval ("" for personal)."""
    if personal:
        return gain.people(row["individual"]), ""
    return gain.people(row["value"]), _("{low} to {high}").format(
        low=gain.people(row["low"]), high=gain.people(row["high"])
    )


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
            _("Of the possible gain"): percent(ndcg["share_of_gain"]),
            _("Order of hits (nDCG@10)"): interval(ndcg["value"], ndcg["low"], ndcg["high"]),
            _("Best possible"): score(ndcg["oracle"]),
            _("Users with a hit"): f"{percent(hit['value'])} ({percent(hit['low'])}–{percent(hit['high'])})",
            _("Largest group"): count(sizes.max()),
            _("Smallest group"): count(sizes.min()),
            _("Stability"): f"{ndcg['stability']:.2f}" if "stability" in ndcg and pd.notna(ndcg["stability"]) else "–",
        }
    return pd.DataFrame(columns).rename_axis(N_("Measure")).reset_index()


def moves_answer(before: int, after: int, flows: pd.DataFrame) -> str:
    """Say how many users change group between two settings (``flows``: before, after, users)."""
    users = int(flows["users"].sum())
    moved = int(flows.loc[flows["before"] != flows["after"], "users"].sum())
    who = _("**{moved} of {users}** ({share})").format(
        moved=count(moved), users=plural(users, "user"), share=percent(moved / users)
    )
    return ngettext(
        "From {before} to {after}, {who} changes group.", "From {before} to {after}, {who} change group.", moved
    ).format(before=before, after=lists(after), who=who)


def changes_answer(changed: pd.DataFrame, before: int, after: int) -> str:
    """Say how many lists are new, gone or changed between two settings (``changed``: group, status, new_items)."""
    counts = changed["status"].value_counts()
    new, gone, other = (int(counts.get(name, 0)) for name in ("new", "gone", "changed"))
    if not new + gone + other:
        return _("All lists are the same with {before} and with {after}.").format(before=before, after=after)
    words = {_("{n} new"): new, _("{n} gone"): gone, _("{n} changed"): other}
    parts = [word.format(n=n) for word, n in words.items() if n]
    kept = int(counts.get("same", 0))
    return _("From {before} to {after}: **{parts}**, {kept} as before.").format(
        before=before, after=lists(after), parts=commas(parts), kept=kept
    )


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
    said = ngettext(
        "**{at_best}** brings most after costs: {net}", "**{at_best}** bring most after costs: {net}", at_best
    ).format(at_best=lists(at_best), net=count(best["net"]))
    own = table.set_index("n_groups")["net"].get(n)
    if own is not None and n != at_best:
        said += _(", {net} more than {n}").format(net=count(best["net"] - own), n=lists(n))
    if len(close) > 1:
        ends = {"least": close.min(), "most": close.max()}
        near = _("Within the 95 % interval of the hits, {least} to {most} may do as well.").format(**ends)
        return passage(full_stop(said), near)
    return full_stop(said)
