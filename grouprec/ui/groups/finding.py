"""A user or an item is searched for on the Groups page: the search, and what is said of the one that is found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from grouprec.core.language import N_, _
from grouprec.core.tables import row_at
from grouprec.report import tables
from grouprec.report.text import attribute_title
from grouprec.runs.store import Run
from grouprec.ui import cards, state
from grouprec.ui.address import from_url
from grouprec.ui.groups import words as groups_words

MOST = 12  # users, and items, among which a search lets choose
NEAREST = 10
LIKE_HELP = N_("Cosine of the two users' predicted tastes: 100 % for the same wishes, 0 % for none in common")


@dataclass(frozen=True, eq=False)
class Found:
    """What was found: a user or an item, its row in the run's table, and the users it lights up.

    Attributes:
        kind: "user" or "item".
        row: of the users or items table.
        rows: int64, users: those who have the item, or those most like the user, nearest first.
        likeness: float32, one per row of ``rows``: the cosine to the user; empty for an item.
    """

    kind: str
    row: int
    rows: np.ndarray
    likeness: np.ndarray


def search() -> str:
    """Draw the search, which is in the URL; return what is searched for."""
    st.session_state["groups_find"] = st.query_params.get("find", "")
    text = st.text_input(
        _("Find a user or an item"),
        placeholder=_("Id, or words of an item"),
        max_chars=100,
        icon=":material/search:",
        key="groups_find",
        on_change=write_search,
    )
    return text or ""


def choose(run: Run, users: pd.DataFrame, text: str) -> Found | None:
    """Draw what matches a search, where something is searched for; return the chosen match, which is in the URL."""
    options = matches(users, state.table(run, "items"), text)
    names = list(options)
    if not names:
        if text.strip():
            st.caption(_("No user or item matches."))
        return None
    name = st.selectbox(
        _("Found: {n_names}").format(n_names=len(names)) + (_(" or more") if len(names) >= MOST else ""),
        names,
        format_func=lambda name: options[name][1],
        key="groups_match",
        on_change=from_url("match", "groups_match", names, names[0]),
    )
    return found(run, users, name.split(":", 1)[0], options[name][0])


def write_search() -> None:
    """Put the text that is searched for into the URL, and forget which match of the last one was chosen."""
    st.query_params.pop("match", None)
    st.query_params["find"] = st.session_state["groups_find"]


def matches(users: pd.DataFrame, items: pd.DataFrame, text: str) -> dict[str, tuple[int, str]]:
    """Return the users whose id begins with the text and the items that hold all of its words.

    Returns:
        ``kind:id`` -> row in its table and what people read.
    """
    options = {}
    for row in tables.find_users(users, text, MOST).tolist():
        user = str(users["user"].iloc[row])
        options[f"user:{user}"] = (
            row,
            _("User {user} · group {value}").format(user=user, value=users["group"].iloc[row]),
        )
    for row in find_items(items, text, MOST).tolist():
        item, label, n = row_at(items, row)[["item", "label", "users"]]
        shown = f"{cards.short(label)} ({item})" if str(label) != str(item) else str(item)
        options[f"item:{item}"] = row, _("Item {shown} · {users}").format(shown=shown, users=cards.plural(n, "user"))
    return options


def find_items(items: pd.DataFrame, text: str, most: int) -> np.ndarray:
    """Return rows of items whose label or id holds every word of the text: that very id, then the most popular."""
    words = text.casefold().split()
    if not words:
        return np.empty(0, np.int64)
    texts = items["label"].astype("str").str.cat(items["item"].astype("str"), sep="\n").str.casefold()
    match = np.ones(len(items), bool)
    for word in words:
        match &= texts.str.contains(word, regex=False).to_numpy(bool)
    rows = np.flatnonzero(match)
    exact = (items["item"].iloc[rows].astype("str") == text.strip()).to_numpy()
    return rows[np.lexsort((-items["users"].to_numpy()[rows], ~exact))][:most]


def found(run: Run, users: pd.DataFrame, kind: str, row: int) -> Found:
    """Return a user with those who are most like them, or an item with those who have it."""
    nobody, unknown = np.empty(0, np.int64), np.empty(0, np.float32)
    if not run.has_snapshot:
        return Found(kind, row, nobody, unknown)
    who = state.run_users(run)
    if kind == "item":
        item = who.item_row(str(state.table(run, "items")["item"].iloc[row]))
        return Found(kind, row, nobody if item is None else who.owners(item), unknown)
    return Found(kind, row, *(who.nearest(row, NEAREST) if row < who.n_users else (nobody, unknown)))


def panel(run: Run, users: pd.DataFrame, groups: pd.DataFrame, target: Found) -> None:
    """Draw what there is to say of the user or item that was found."""
    with st.container(border=True):
        if not run.has_snapshot:
            st.markdown(_("This run does not keep who has what or is like whom; train it again to see it."))
        elif target.kind == "user":
            neighbours(users, groups, target)
        else:
            owners(users, groups, target, state.table(run, "items").iloc[target.row])


def neighbours(users: pd.DataFrame, groups: pd.DataFrame, target: Found) -> None:
    """Draw the users who are most like a user."""
    user = users.iloc[target.row]
    near = users.iloc[target.rows]
    name = tables.group_names(groups)[int(user["group"])]
    same = int((near["group"] == user["group"]).sum())
    st.markdown(groups_words.neighbours_answer(str(user["user"]), int(user["group"]), name, same, len(near)))
    if near.empty:
        return
    attributes = tables.attribute_columns(users)[:2]
    shown = near[["user", "group", "interactions", *attributes]].reset_index(drop=True)
    shown.insert(1, "like", target.likeness.astype(np.float64).round(3))
    st.dataframe(
        cards.colour_groups(shown),
        hide_index=True,
        height=36 + 35 * NEAREST,
        key="groups_nearest",
        column_config={
            "user": st.column_config.TextColumn(_("User"), width=56),
            "like": st.column_config.NumberColumn(_("Alike"), format="percent", width=44, help=_(LIKE_HELP)),
            "group": st.column_config.NumberColumn(_("Group"), width=48),
            "interactions": st.column_config.NumberColumn(_("Items"), format="localized", width=44),
            **{name: st.column_config.Column(attribute_title(name), width=84) for name in attributes},
        },
        alt=_("The {n_near} users who are most like this one").format(n_near=len(near)),
    )


def owners(users: pd.DataFrame, groups: pd.DataFrame, target: Found, item: pd.Series) -> None:
    """Draw which groups the users who have an item belong to."""
    parts = tables.composition(users, target.rows, groups)
    st.markdown(groups_words.owners_answer(str(item["label"]), len(target.rows), len(users), parts))
    if parts.empty:
        return
    cards.composition(
        parts, "groups_owners", _("Have it"), _("Of those who have it"), _("Groups of the users who have the item")
    )
