"""Two groups side by side: how large, how uniform, what sets each apart, what their lists share."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import _
from grouprec.core.tables import row_at
from grouprec.report import tables as report_tables
from grouprec.runs.store import Run
from grouprec.ui import cards, state
from grouprec.ui.groups import words

LENGTH = 10  # items of either list that are compared
ROWS = 6  # of a table that are seen at once


def _item_columns() -> dict[str, Any]:
    """Return how the columns of what members have more often are shown."""
    return {
        "label": st.column_config.TextColumn(_("Have more often"), width=210),
        "share_in_group": st.column_config.NumberColumn(_("Members"), format="percent", width=70),
        "lift": st.column_config.NumberColumn(_("Times"), format="%.1f", width=60),
    }


def _list_columns() -> dict[str, Any]:
    """Return how the columns of a list are shown."""
    return {
        "place": st.column_config.TextColumn("", width=42, help=_("● on both lists")),
        "label": st.column_config.TextColumn(_("On its list"), width=210),
        "reach": st.column_config.NumberColumn(_("Reach"), format="percent", width=70),
    }


def draw(run: Run, groups: pd.DataFrame, number: int, other: int) -> None:
    """Draw two groups beside each other."""
    rows = groups.set_index("group", drop=False)
    method = report_tables.list_method(state.metrics(run), "strict")
    lists = state.table(run, "group_lists")
    heads = {at: report_tables.group_list(lists, at, method, "strict").head(LENGTH) for at in (number, other)}
    shared = set(heads[number]["item"]) & set(heads[other]["item"])
    near = state.table_or_none(run, "group_neighbours")
    border = None
    if near is not None:
        border = float(near.set_index(["group", "other"])["borderline"][(number, other)])
    sentence = words.two_groups_answer(row_at(rows, number), row_at(rows, other), len(shared), LENGTH, border)
    st.markdown(sentence)
    for at, column in zip((number, other), st.columns(2, gap="large"), strict=True):
        name = cards.plain(cards.short(row_at(rows, at)["name"], 60))
        facts = " · ".join(_facts(run, row_at(rows, at)))
        column.markdown(f"{cards.group_mark(at)} **{name}** :small[{facts}]")
    lists_tab, items_tab = st.tabs([_("Their lists"), _("What they have more often")])
    items = state.table(run, "group_items")
    with lists_tab:
        for at, column in zip((number, other), st.columns(2, gap="large"), strict=True):
            _list(column, heads[at], at, shared)
    with items_tab:
        for at, column in zip((number, other), st.columns(2, gap="large"), strict=True):
            own = items[items["group"] == at].sort_values("rank").head(LENGTH)
            alt = _("Items that members of group {number} have more often than all users").format(number=at)
            _table(column, own, _item_columns(), f"two_items_{at}", alt)


def _list(column: DeltaGenerator, head: pd.DataFrame, number: int, shared: set[str]) -> None:
    """Draw the list of one of the two groups, with a mark at the items of both."""
    listed = head.assign(place=head["rank"].astype(str) + head["item"].isin(shared).map({True: " ●", False: ""}))
    alt = _("The first {length} items of the list of group {number}").format(length=LENGTH, number=number)
    _table(column, listed, _list_columns(), f"two_list_{number}", alt)


def _table(column: DeltaGenerator, frame: pd.DataFrame, columns: dict[str, Any], key: str, alt: str) -> None:
    column.dataframe(
        frame[[*columns]].round(3),
        hide_index=True,
        height=36 + 35 * ROWS,
        key=key,
        column_config=columns,
        alt=alt,
    )


def _facts(run: Run, group: pd.Series) -> list[str]:
    """Return what the two groups are compared in, in a few words each; the sentence above says how many users."""
    said = [_("{share} of all").format(share=cards.percent(group["share"]))]
    profiles = state.table_or_none(run, "group_profiles")
    if profiles is not None:
        own = profiles.set_index("group").loc[group["group"]]
        if not pd.isna(own["diversity"]):
            said.append(_("tastes {diversity} alike").format(diversity=cards.percent(1 - own["diversity"])))
    return said
