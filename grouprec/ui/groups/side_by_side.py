"""Two groups side by side: how large, how uniform, what sets each apart, what their lists share."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from grouprec.core.language import _
from grouprec.core.tables import row_at
from grouprec.report import tables as report_tables
from grouprec.runs.store import Run
from grouprec.ui import cards, state
from grouprec.ui.groups import words

LENGTH = 10  # items of either list that are compared


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
    with st.container(border=True):
        st.markdown(sentence)
        items = state.table(run, "group_items")
        for at, column in zip((number, other), st.columns(2, gap="large"), strict=True):
            with column:
                _side(run, row_at(rows, at), items, heads[at], shared)


def _side(run: Run, group: pd.Series, items: pd.DataFrame, head: pd.DataFrame, shared: set[str]) -> None:
    """Draw one of the two groups."""
    number = int(group["group"])
    st.markdown(f"{cards.group_mark(number)} **{cards.plain(cards.short(group['name'], 60))}**")
    st.caption(" · ".join(_facts(run, group)))
    own = items[items["group"] == number].sort_values("rank").head(LENGTH)
    listed = head.assign(place=head["rank"].astype(str) + head["item"].isin(shared).map({True: " ●", False: ""}))
    tables = (
        (
            own,
            _item_columns(),
            "items",
            _("Items that members of group {number} have more often than all users").format(number=number),
        ),
        (
            listed,
            _list_columns(),
            "list",
            _("The first {length} items of the list of group {number}").format(length=LENGTH, number=number),
        ),
    )
    for frame, columns, name, alt in tables:
        st.dataframe(
            frame[[*columns]].round(3),
            hide_index=True,
            height=36 + 35 * 5,
            key=f"two_{name}_{number}",
            column_config=columns,
            alt=alt,
        )


def _facts(run: Run, group: pd.Series) -> list[str]:
    """Return what the two groups are compared in, in a few words each."""
    said = [cards.plural(group["size"], "user"), _("{share} of all").format(share=cards.percent(group["share"]))]
    profiles = state.table_or_none(run, "group_profiles")
    if profiles is not None:
        own = profiles.set_index("group").loc[group["group"]]
        if not pd.isna(own["diversity"]):
            said.append(_("tastes {diversity} alike").format(diversity=cards.percent(1 - own["diversity"])))
    return said
