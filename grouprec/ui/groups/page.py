"""Who are my users? The map, the groups on it, the users behind any selection, and one group closely."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from grouprec.core.language import N_, _
from grouprec.core.tables import named_rows, records
from grouprec.report import sentences, tables
from grouprec.report.text import attribute_title
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, state, workspace
from grouprec.ui.fragments import fragment
from grouprec.ui.groups import editing, finding, map, portrait, side_by_side

CARDS_PER_PAGE = 24
PANE_HEIGHT = 704  # with the map beside it: a portrait up to the axis of its chart, and no more than a laptop shows
LOW_MAP = 380  # of the map below two groups, which show what the pane would
TABLE_ROWS = 4  # so that what is chosen is seen below them on a small laptop
MOST_ROWS = 300  # of selected users that are shown: each row is coloured by itself
MOST_ATTRIBUTES = 2  # of theirs that fit beside the map; the download has all
SEPARATION_HELP = N_(
    "How much nearer members are to their own group than to the next one, from -1 to 1 (mean silhouette). "
    "Groups made for their lists may overlap on the map and still be served well."
)
CARDS_HELP = N_(
    "The items and attributes that are most typical of a group: the share of members who have it, and how many "
    "times the share among all users that is."
)


@fragment
def explore(run: Run, users: pd.DataFrame, groups: pd.DataFrame) -> None:
    """Draw the map, which stays, and the pane beside it, which begins with what was just found or selected.

    Two groups that are compared stand above them: that is what was asked for last. They say more than the portrait of
    one of them, so the pane is then what two groups are chosen with, and the map as high as that.
    """
    compared, two = st.container(), bool(st.query_params.get("against"))
    picture, beside = st.columns([7, 6], gap="medium")
    with picture:
        target, look = finding_and_look(run, users)
        height = LOW_MAP if two else charts.MAP_HEIGHT
        rows = map.draw(run, users, groups, look, target, chosen_group(groups["group"].tolist()), height)
    with beside, st.container(height="content" if two else PANE_HEIGHT, border=False, key="groups_pane"):
        number, other = pane(run, users, groups, target, rows)
    if other is not None:
        with compared:
            side_by_side.draw(run, groups, number, other)


def finding_and_look(run: Run, users: pd.DataFrame) -> tuple[finding.Found | None, map.Look]:
    """Draw the search and how the map is drawn in one row, so that the map begins high on a laptop."""
    text, colour, more = st.columns([5, 4, 3], gap="small", vertical_alignment="bottom")
    with text:
        found = finding.search()
    look = map.controls(run, users, colour, more)
    return finding.choose(run, users, found), look


def pane(
    run: Run, users: pd.DataFrame, groups: pd.DataFrame, target: finding.Found | None, rows: np.ndarray
) -> tuple[int, int | None]:
    """Draw what is selected (``rows``), what is found, the table of groups and the chosen group, if it is one.

    Returns:
        the chosen group, and the one to compare it with, if any.
    """
    found_first = found_last(target, rows)
    if target is not None and found_first:
        finding.panel(run, users, groups, target)
    if len(rows):
        selection(run, users, rows, groups)
    if target is not None and not found_first:
        finding.panel(run, users, groups, target)
    group_table(groups)
    number, other = portrait.choose(run, groups)
    if other is None:
        portrait.draw(run, users, groups, number)
    else:
        portrait.list_link(number)
    return number, other


def found_last(target: finding.Found | None, rows: np.ndarray) -> bool:
    """Return whether something was found after the users were selected, so that the pane begins with it."""
    now = target and (target.kind, target.row), (len(rows), int(rows.sum()))
    before, last = st.session_state.get("groups_begins", ((None, (0, 0)), False))
    if now != before:
        last = now[0] != before[0]
    st.session_state["groups_begins"] = now, last
    return last


def chosen_group(numbers: list[int]) -> int:
    """Return the group of ``?group=``, else the first."""
    asked = st.query_params.get("group")
    return next((number for number in numbers if str(number) == asked), numbers[0])


def group_table(groups: pd.DataFrame) -> None:
    """Draw the groups as a table: the map's legend, what it says in numbers, and a way to choose a group."""
    frame = groups[["group", "name", "size"]]  # their share stands beside: names need the width
    st.dataframe(
        cards.colour_groups(frame),
        hide_index=True,
        height=36 + 35 * min(len(frame), TABLE_ROWS),
        key="groups_table",
        on_select=row_from_url(groups["group"].tolist()),
        selection_mode="single-row-required",
        column_config=workspace.group_columns(),
        alt=_("Groups with their number of users"),
    )


def row_from_url(numbers: list[int]) -> Callable[[], None]:
    """Select the row of the group that ``?group=`` asks for, else the first; call it before the table.

    Returns the ``on_select`` callback that writes the selected row's group to the URL, which the portrait reads.
    """
    st.session_state["groups_table"] = {"selection": {"rows": [numbers.index(chosen_group(numbers))]}}

    def write() -> None:
        for selected in st.session_state["groups_table"]["selection"]["rows"]:
            st.query_params["group"] = str(numbers[selected])

    return write


def selection(run: Run, users: pd.DataFrame, rows: np.ndarray, groups: pd.DataFrame) -> None:
    """Draw which groups the selected users belong to, the users themselves, and their download."""
    parts = tables.composition(users, rows, groups)
    chosen = users.iloc[rows].drop(columns=["x", "y", "in_training"])
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(sentences.selection_answer(parts), width="content")
            with st.container(horizontal=True, width="content"):
                editing.form(run, rows)
                cards.download(
                    _("Download these users"), lambda: chosen, "selected_users.csv", "groups_download_selection"
                )
                st.button(_("Clear"), icon=":material/close:", key="groups_clear", on_click=map.clear)
        cards.composition(parts, "groups_composition", _("Selected"), _("Share"), _("Groups of the selected users"))
        shown = chosen[["user", "group", "interactions", *tables.attribute_columns(chosen)[:MOST_ATTRIBUTES]]]
        st.dataframe(
            cards.colour_groups(shown.head(MOST_ROWS)),
            hide_index=True,
            height=200,
            key="groups_selected_users",
            column_config={
                "user": st.column_config.TextColumn(_("User"), width=66),
                "group": st.column_config.NumberColumn(_("Group"), width=44),
                "interactions": st.column_config.NumberColumn(_("Items"), width=44),
                **{name: st.column_config.Column(attribute_title(name), width=104) for name in shown.columns[3:]},
            },
            alt=_("The selected users"),
        )
        if len(chosen) > MOST_ROWS:
            st.caption(
                _("{most_rows} of {n_chosen} users are shown; the download has all.").format(
                    most_rows=cards.count(MOST_ROWS), n_chosen=cards.count(len(chosen))
                )
            )


def card(group: Mapping[str, Any], items: pd.DataFrame, attributes: pd.DataFrame) -> None:
    """Draw what a group is: mark, name, size, what distinguishes it, and the way to its list."""
    st.markdown(f"{cards.group_mark(group['group'])} **{cards.plain(cards.short(group['name'], 60))}**")
    size = f"{cards.plural(group['size'], 'user')} · {cards.percent(group['share'])}"
    st.caption(f"{size} · {sentences.separation_words(group['separation'])}", help=_(SEPARATION_HELP))
    if description := group.get("description"):
        st.markdown(f":small[{cards.plain(cards.short(description, 160))}]")
    reasons = [sentences.item_reason(cards.short(row.label), row.share_in_group, row.lift) for row in named_rows(items)]
    reasons += [sentences.attribute_reason(row) for row in records(attributes)]
    st.markdown(
        "\n".join(f"- :small[{reason}]" for reason in reasons) or _("Nothing sets this group apart from all users.")
    )
    cards.link("recommendations", _("Show list"), group=group["group"])


def card_wall(groups: pd.DataFrame, items: pd.DataFrame, attributes: pd.DataFrame) -> None:
    """Draw the cards, a page of them at a time."""
    pages = math.ceil(len(groups) / CARDS_PER_PAGE)
    page = st.pagination(pages, key="groups_cards_page") if pages > 1 else 1
    shown = groups.iloc[(page - 1) * CARDS_PER_PAGE : page * CARDS_PER_PAGE]
    typical = dict(list(items.groupby("group").head(3).groupby("group")))
    telling = dict(list(tables.telling_attributes(attributes).groupby("group").head(1).groupby("group")))
    with st.grid(min_column_width=270, border=True) as grid:
        for group in records(shown):
            number = group["group"]
            with grid.cell():
                card(group, typical.get(number, items.iloc[:0]), telling.get(number, attributes.iloc[:0]))


def draw() -> None:
    """Draw the page."""
    run = state.require_run()
    top = st.container()
    if (other := workspace.other_number(run)) is not None:
        workspace.draw_other(run, other, top)
        return
    users_table, groups_table = state.table(run, "users"), state.table(run, "groups")
    with top:
        cards.answer(sentences.groups_answer(groups_table))
    editing.in_force(run)
    explore(run, users_table, groups_table)
    if st.query_params.get("against"):  # two groups are compared, and the page is long enough
        return
    wall = st.expander(_("What sets each group apart"), on_change="rerun", key="groups_wall")
    if wall.open:
        with wall:
            st.caption(_(CARDS_HELP))
            card_wall(groups_table, state.table(run, "group_items"), state.table(run, "group_attributes"))
