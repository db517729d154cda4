"""One frame for lists: the map stays on the left, what is chosen stands on the right with its list and its reasons.

The number of lists goes along from Decide: Groups and Recommendations show what the run kept of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import _, commas, current
from grouprec.core.types import Regime
from grouprec.core.whole import whole
from grouprec.report import sentences
from grouprec.runs.store import Run
from grouprec.ui import address, cards, charts, kept, map_figure, opened, reasons, state
from grouprec.ui import list_words as words
from grouprec.ui.fragments import fragment
from grouprec.ui.kept import Setting

PANE_HEIGHT = 740
TABLE_ROWS = 6
LABEL_WIDTH, MOVE_WIDTH = 240, 50  # pixels: a list with or without moves fits beside the map on a small laptop
CLICKED = "map_clicked"  # the session's key of a click that the page has yet to follow
SPLIT = [6, 7]  # widths of the map and of what stands beside it


def group_columns() -> dict[str, Any]:
    """Return how the columns of a table of groups are shown."""
    return {
        "group": st.column_config.NumberColumn("", width=40, help=_("The number and colour on the map")),
        "name": st.column_config.TextColumn(_("Group"), width=225),
        "size": st.column_config.NumberColumn(_("Users"), format="localized", width=50),
    }


def list_columns(label_width: int = LABEL_WIDTH) -> dict[str, Any]:
    """Return how the columns of a list are shown; what a window is wider than they are is shared out evenly."""
    return {
        "rank": st.column_config.NumberColumn("", width=32),
        "move": st.column_config.TextColumn(
            _("Move"), width=MOVE_WIDTH, help=_("Against the list as it was trained: ▲ up, ▼ down, new")
        ),
        "label": st.column_config.TextColumn(_("Item"), width=label_width),
        "takers": st.column_config.NumberColumn(
            _("Takers"),
            format="%.1f",
            width=54,
            help=_("Members who should take it within the time that is said beside"),
        ),
        "owned": st.column_config.NumberColumn(
            _("Have it"), format="percent", width=56, help=_("Members who have it already")
        ),
        "place": st.column_config.NumberColumn(
            _("For all"), width=54, help=_("Its place on one list for everybody; empty where it is not on it")
        ),
        "reach": st.column_config.NumberColumn(
            _("Reach"), format="percent", width=64, help=_("Members who have it among their own 50 best predictions")
        ),
        "item": st.column_config.TextColumn(_("Item id"), width=90),
    }


# -- the map


def draw_map(
    run: Run,
    places: pd.DataFrame,
    names: dict[int, str],
    lit: tuple[int, ...],
    key: str,
    height: int,
    whole: bool = False,
) -> None:
    """Draw all users with some groups lit; a click on a user chooses their group, in the URL.

    Args:
        places: x, y and group of users.
        names: group -> what it is called.
        lit: the groups.
        key: of the picture; another one for other groups of the same run.
        whole: whether what stands outside the part that draws the map follows the group, too.
    """
    drawn = _map((*state.run_key(run), state.edits_version(run), current(), key), lit, places, names, height)
    if not drawn.placed:
        st.info(_("This run has no map."), icon=":material/map:")
        return
    alt = _("Map of {placed} users; group {group} is lit, a click on a user chooses theirs").format(
        placed=cards.count(drawn.placed), group=commas(map(str, lit))
    )
    write = _choose_clicked(places["group"].to_numpy(), key)
    cards.user_map(drawn.figure, key, alt, height=height, on_select=write, selection_mode="points")
    if st.session_state.pop(CLICKED, False) and whole:
        st.rerun()


def _choose_clicked(groups: np.ndarray, key: str) -> Callable[[], None]:
    def write() -> None:
        rows = map_figure.selected_rows(st.session_state[key])
        if len(rows):
            st.query_params["group"] = str(int(groups[rows[0]]))
            st.session_state[CLICKED] = True

    return write


@st.cache_resource(max_entries=64, show_spinner=False)
def _map(
    picture: tuple, lit: tuple[int, ...], _places: pd.DataFrame, _names: dict[int, str], height: int
) -> map_figure.UserMap:
    """Return the map with some groups lit, made once per server; ``picture`` is all that the others follow from."""
    drawn = map_figure.user_map(_places, _names, lit=_places["group"].isin(lit).to_numpy(), height=height)
    drawn.figure.update_layout(dragmode="pan", clickmode="event+select", meta=f"{picture[-1]} {lit}")
    return drawn


# -- another number of lists than the run's own


def other_number(run: Run) -> Setting | None:
    """Return what the run kept of the number of lists that was chosen on Decide; None for its own, and say what lacks.

    It is in the URL as ``?lists=``, so that a link shows the same.
    """
    asked = address.remembered("lists", "lists_n") or ""
    worth, number = kept.worth(run), whole(asked)
    if number is None or number == worth.own or number not in worth.numbers:
        return None
    found = kept.setting(run, number, worth.regime)
    with st.container(horizontal=True, vertical_alignment="center"):
        said = (
            ""
            if found is not None
            else _(" This run did not keep them, so here are its own {own}.").format(own=worth.own)
        )
        lists = cards.plural(number, "list")
        st.markdown(
            _(":material/sync_alt: **{lists}**, as chosen on *Decide*.{said}").format(lists=lists, said=said),
            width="stretch",
        )
        st.button(
            _("Show this run's {own}").format(own=worth.own),
            key="own_number",
            on_click=address.forget,
            args=("lists", "lists_n"),
        )
        cards.link("decide", _("What if"), lists=asked, view="what_if")
    if found is not None and st.query_params.get("lists") != asked:  # each writing is a step of the back button
        st.query_params["lists"] = asked
    return found


@fragment
def look(run: Run, setting: Setting, regime: Regime) -> None:
    """Draw the groups of another number of lists: the map, the table of groups, the chosen one's list and reasons."""
    groups = setting.groups.sort_values("group", ignore_index=True)
    numbers = groups["group"].tolist()
    asked = st.query_params.get("group")
    group = next((one for one in numbers if str(one) == asked), numbers[0])
    users = state.trained_table(run, "users")
    users = users[users["in_training"].to_numpy(bool)]
    picture, beside = st.columns(SPLIT, gap="medium")
    with picture:
        places = users[["x", "y"]].assign(group=setting.labels)
        draw_map(run, places, setting.names, (group,), f"workspace_map_{setting.n}", charts.MAP_HEIGHT)
        st.caption(_("A click on a user chooses their group. Groups keep their colour where they keep most members."))
    with beside, st.container(height=PANE_HEIGHT, border=False, key="workspace_pane"):
        group_table(groups, group)
        rows = opened.rows_of(run, users.loc[setting.labels == group, "user"]) if run.has_snapshot else np.empty(0, int)
        one_list(run, setting.lists[setting.lists["group"] == group], rows, regime)


def group_table(groups: pd.DataFrame, chosen: int) -> None:
    """Draw the groups with their sizes; a row chooses one, in the URL."""
    numbers = groups["group"].tolist()
    key = f"workspace_groups_{len(numbers)}"
    st.session_state[key] = {"selection": {"rows": [numbers.index(chosen)]}}

    def write() -> None:
        for row in st.session_state[key]["selection"]["rows"]:
            st.query_params["group"] = str(numbers[row])

    frame = groups[["group", "name", "size"]]
    st.dataframe(
        cards.colour_groups(frame),
        hide_index=True,
        height=36 + 35 * min(len(frame), TABLE_ROWS),
        key=key,
        on_select=write,
        selection_mode="single-row-required",
        column_config=group_columns(),
        alt=_("Groups with their number of users"),
    )


def one_list(run: Run, listed: pd.DataFrame, rows: np.ndarray, regime: Regime) -> None:
    """Draw a kept list and why the selected item is on it.

    Args:
        listed: rank, item, label of a group's list.
        rows: its members as rows of the base; none where the run kept nothing of them.
    """
    listed = listed.sort_values("rank")
    if not len(rows):
        st.dataframe(
            listed[["rank", "label"]], hide_index=True, column_config=list_columns(), alt=_("The group's list")
        )
        return
    members, items = opened.some(run, rows), opened.item_rows(run, listed["item"])
    items = items[items >= 0]
    frame = words.list_frame(members, items, items, opened.places_for_all(run))
    shown = [name for name in ("rank", "label", "takers", "owned", "place") if not frame[name].isna().all()]
    event = st.dataframe(
        frame[shown],
        hide_index=True,
        key="workspace_list",
        on_select="rerun",
        selection_mode="single-row",
        height="content",
        column_config=list_columns(),
        alt=_(
            "The group's list of {n_frame} items: members who should take each, owners, place on one list for all"
        ).format(n_frame=len(frame)),
    )
    chosen = event["selection"]["rows"]
    row = frame.iloc[chosen[0] if chosen and chosen[0] < len(frame) else 0]
    said = words.item_sentence(row, len(rows), len(frame), members.takes)
    reasons.panel(run, rows, int(row["row"]), said, "members", "workspace_why")


def draw_other(run: Run, setting: Setting, where: DeltaGenerator) -> None:
    """Draw a page for another number of lists: its answer into ``where``, then the frame."""
    with where:
        cards.answer(sentences.groups_answer(setting.groups))
        cards.tested_note(run)
    look(run, setting, kept.regime_of(run))
