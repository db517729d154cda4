"""The sentences of the Groups page about edits, found users and items, and two groups. Markdown, names escaped."""

from __future__ import annotations

import pandas as pd

from grouprec.core.tables import Row
from grouprec.explore.edits import Edit, EditHistory, Grouping
from grouprec.report.text import count, group_label, percent, plain, plural, short

MOST_NUMBERS = 6  # groups that a sentence names


def edits_answer(history: EditHistory, grouping: Grouping) -> str:
    """Say what edits are in force, and what they do not touch."""
    if not history.edits:
        return "Groups are as they were trained."
    n = plural(len(history.edits), "edit")
    if not grouping.changed:
        return f"{n} of names and descriptions; every group has the members it was trained with."
    numbers = sorted(grouping.changed)
    shown = ", ".join(map(str, numbers[:MOST_NUMBERS])) + (" and others" if len(numbers) > MOST_NUMBERS else "")
    which = f"group {shown} has" if len(numbers) == 1 else f"groups {shown} have"
    return (
        f"{n}: {which} other members than in training and get lists made from their members' predictions; "
        "figures measured on held-out users remain those of the trained groups."
    )


def edit_words(edit: Edit) -> str:
    """Return an edit in a few words. Not escaped."""
    numbers = " and ".join(map(str, edit.groups))
    if edit.kind == "rename":
        return f"rename {numbers}: {short(edit.text, 24)}"
    if edit.kind == "form":
        return f"new group: {short(edit.text, 24)}"
    return {"describe": f"describe {numbers}", "merge": f"merge {numbers}", "split": f"split {numbers}"}[edit.kind]


def neighbours_answer(user: str, group: int, name: str, same: int, n: int) -> str:
    """Say which group a user is in, and how many of those most like them are in it, too."""
    who = f"**User {plain(user)}** is in {plain(group_label(group, name))}"
    if not n:
        return f"{who}. Too little is known of this user to say who is like them."
    return f"{who}, and so are {same} of the {n} users whose predicted tastes are most like theirs."


def owners_answer(label: str, n: int, n_users: int, parts: pd.DataFrame) -> str:
    """Say how many users have an item and in which group most of them are (``parts`` is sorted)."""
    what = f"**{plain(short(label, 60))}**"
    if not n:
        return f"Nobody who took part in training has {what}."
    top = parts.iloc[0]
    most = "all of them" if len(parts) == 1 else f"{percent(top['share'])} of them"
    where = f"{most} are in {plain(group_label(int(top['group']), str(top['name'])))}"
    return f"**{plural(n, 'user')}** ({percent(n / max(n_users, 1))}) have {what}; {where}."


def two_groups_answer(one: Row, other: Row, shared: int, length: int, border: float | None) -> str:
    """Say how much two groups have in common.

    Args:
        one, other: rows of the groups table.
        shared: items on both lists, of the first ``length`` of each.
        border: share of the first group's members on the border to the other; None where it is not known.
    """
    names = f"**{plain(one['name'])}** and **{plain(other['name'])}**"
    sizes = f"{count(one['size'])} and {plural(other['size'], 'user')}"
    edge = f"; {percent(border)} of the first are on the border to the second" if border is not None else ""
    return f"{names} ({sizes}) share {shared} of the first {length} items of their lists{edge}."
