"""The sentences of the Groups page about edits, found users and items, and two groups. Markdown, names escaped."""

from __future__ import annotations

import pandas as pd

from grouprec.core.language import _, commas
from grouprec.core.tables import Row
from grouprec.explore.edits import Edit, EditHistory, Grouping
from grouprec.report.text import count, group_label, percent, plain, plural, short

MOST_NUMBERS = 6  # groups that a sentence names


def edits_answer(history: EditHistory, grouping: Grouping) -> str:
    """Say what edits are in force, and what they do not touch."""
    if not history.edits:
        return _("Groups are as they were trained.")
    n = plural(len(history.edits), "edit")
    if not grouping.changed:
        return _("{n} of names and descriptions; every group has the members it was trained with.").format(n=n)
    numbers = sorted(grouping.changed)
    shown = commas(map(str, numbers[:MOST_NUMBERS])) + (_(" and others") if len(numbers) > MOST_NUMBERS else "")
    which = (
        _("group {shown} has").format(shown=shown)
        if len(numbers) == 1
        else _("groups {shown} have").format(shown=shown)
    )
    return _(
        "{n}: {which} other members than in training and get lists made from their members' "
        "predictions; figures measured on held-out users remain those of the trained groups."
    ).format(n=n, which=which)


def edit_words(edit: Edit) -> str:
    """Return an edit in a few words. Not escaped."""
    numbers = " and ".join(map(str, edit.groups))
    if edit.kind == "rename":
        return _("rename {numbers}: {text}").format(numbers=numbers, text=short(edit.text, 24))
    if edit.kind == "form":
        return _("new group: {text}").format(text=short(edit.text, 24))
    return {
        "describe": _("describe {numbers}").format(numbers=numbers),
        "merge": _("merge {numbers}").format(numbers=numbers),
        "split": _("split {numbers}").format(numbers=numbers),
    }[edit.kind]


def neighbours_answer(user: str, group: int, name: str, same: int, n: int) -> str:
    """Say which group a user is in, and how many of those most like them are in it, too."""
    who = _("**User {user}** is in {group}").format(user=plain(user), group=plain(group_label(group, name)))
    if not n:
        return _("{who}. Too little is known of this user to say who is like them.").format(who=who)
    return _("{who}, and so are {same} of the {n} users whose predicted tastes are most like theirs.").format(
        who=who, same=same, n=n
    )


def owners_answer(label: str, n: int, n_users: int, parts: pd.DataFrame) -> str:
    """Say how many users have an item and in which group most of them are (``parts`` is sorted)."""
    what = f"**{plain(short(label, 60))}**"
    if not n:
        return _("Nobody who took part in training has {what}.").format(what=what)
    top = parts.iloc[0]
    most = _("all of them") if len(parts) == 1 else _("{share} of them").format(share=percent(top["share"]))
    where = _("{most} are in {group}").format(most=most, group=plain(group_label(int(top["group"]), str(top["name"]))))
    return _("**{users}** ({n}) have {what}; {where}.").format(
        users=plural(n, "user"), n=percent(n / max(n_users, 1)), what=what, where=where
    )


def two_groups_answer(one: Row, other: Row, shared: int, length: int, border: float | None) -> str:
    """Say how much two groups have in common.

    Args:
        one, other: rows of the groups table.
        shared: items on both lists, of the first ``length`` of each.
        border: share of the first group's members on the border to the other; None where it is not known.
    """
    names = _("**{name}** and **{other}**").format(name=plain(one["name"]), other=plain(other["name"]))
    sizes = _("{size} and {users}").format(size=count(one["size"]), users=plural(other["size"], "user"))
    edge = (
        _("; {border} of the first are on the border to the second").format(border=percent(border))
        if border is not None
        else ""
    )
    return _("{names} ({sizes}) share {shared} of the first {length} items of their lists{edge}.").format(
        names=names, sizes=sizes, shared=shared, length=length, edge=edge
    )
