"""The map of the Groups page: how it is drawn, what is lit, and the selection, which stays when the picture changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import N_, Glossary, _, current, passage
from grouprec.report import tables
from grouprec.report.text import attribute_title
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, map_figure, map_labels, state
from grouprec.ui.address import from_url
from grouprec.ui.groups import maps
from grouprec.ui.groups.finding import Found

VIEWS = Glossary({"map": "Map", "space": "3-D"})
TITLES = Glossary({"group": "Group", "interactions": "Activity (number of items)"})
LIT_HELP = N_("All other users are drawn in grey. An item that you search for lights up those who have it.")


@dataclass
class Look:
    """How the map is drawn; all of it is in the URL."""

    view: str = "map"
    colour: str = "group"
    density: bool = False
    lit: bool = False


@dataclass
class Chosen:
    """The users selected on the map, kept while the picture changes.

    Attributes:
        picture: what the picture depends on.
        drawn_with: int64, users who were selected already when this picture was first drawn.
        cleared: how often the selection was cleared, part of the picture so that the browser forgets it, too.
        closer: the part of a picture of many users that is looked at closer.
    """

    picture: tuple = ()
    drawn_with: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    cleared: int = 0
    closer: map_labels.View | None = None


def controls(run: Run, users: pd.DataFrame, left: DeltaGenerator, right: DeltaGenerator) -> Look:
    """Draw the choices of how the map is drawn: its colours to the left, all others behind a button to the right."""
    options = [*TITLES, *tables.attribute_columns(users)]
    colour = left.selectbox(
        _("Colour by"),
        options,
        format_func=lambda name: TITLES.get(name) or attribute_title(name),
        key="groups_colour",
        on_change=from_url("colour", "groups_colour", options, "group"),
    )
    views = list(VIEWS) if run.has_snapshot else ["map"]
    with right.popover(_("Display"), icon=":material/tune:", width="stretch"):
        view = st.selectbox(
            _("View"),
            views,
            format_func=VIEWS.__getitem__,
            key="groups_view",
            on_change=from_url("view", "groups_view", views, "map"),
        )
        lit = _toggle(_("Grey out all but the chosen group"), "lit", _(LIT_HELP))
        density = _toggle(_("Lines of equal density"), "density", _("How many users lie where, as heights on a map"))
    return Look(str(view), str(colour), density, lit)


def _toggle(label: str, name: str, explanation: str) -> bool:
    key = f"groups_{name}"
    write = from_url(name, key, [False, True], False)
    return st.toggle(label, key=key, on_change=write, help=explanation)


def draw(
    run: Run,
    users: pd.DataFrame,
    groups: pd.DataFrame,
    look: Look,
    target: Found | None,
    group: int,
    height: int = charts.MAP_HEIGHT,
) -> np.ndarray:
    """Draw the map and return the rows of the selected users.

    Args:
        target: what was searched for.
        group: the chosen one, which is lit where the look asks for it.
        height: in pixels; it is no part of the picture.
    """
    chosen = _chosen(run, look, target, group)
    lit = _lit(users, look, target, group)
    drawn = _picture(
        (*chosen.picture, current(), chosen.cleared),
        chosen.drawn_with,
        run,
        users,
        tables.group_names(groups),
        look,
        lit,
        target,
        _view(users, target) or chosen.closer,
    )
    if look.view == "space":
        _draw_space(run, drawn, height)
        return chosen.rows
    if not drawn.placed:
        st.info(_("This run has no map; its groups are listed beside."), icon=":material/map:")
        return np.empty(0, np.int64)
    event = cards.user_map(
        drawn.figure,
        "groups_map",
        _("Map of {placed} users in {n_groups} groups; the table of groups says the same").format(
            placed=cards.count(drawn.placed), n_groups=len(groups)
        ),
        height=height,
        on_select="rerun",
    )
    new = _selected(event, users, drawn)
    chosen.rows = new if len(new) else chosen.drawn_with
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(map_note(drawn, len(users), state.metrics(run).get("map_method", "umap")))
        _choose_closer(chosen, users, drawn)
    return chosen.rows


def _choose_closer(chosen: Chosen, users: pd.DataFrame, drawn: map_figure.UserMap) -> None:
    """Offer to look closer at the selected part of a picture, and at the whole again."""

    def look(at: map_labels.View | None) -> None:
        chosen.closer = at

    if drawn.cells is None:
        return
    places = users[["x", "y"]].iloc[chosen.rows].dropna().to_numpy(np.float32)
    view = map_labels.view_of(*places.T) if len(places) else None
    if view is not None and view != chosen.closer:
        st.button(_("Look closer"), icon=":material/zoom_in:", key="groups_closer", on_click=look, args=(view,))
    if chosen.closer is not None:
        st.button(_("Whole map"), icon=":material/zoom_out_map:", key="groups_whole", on_click=look, args=(None,))


@st.cache_resource(max_entries=16, show_spinner=False)
def _picture(
    key: tuple,
    drawn_with: np.ndarray,
    _run: Run,
    _users: pd.DataFrame,
    _names: dict[int, str],
    _look: Look,
    _lit: np.ndarray | None,
    _target: Found | None,
    _view: map_labels.View | None,
) -> map_figure.UserMap:
    """Return the map as it is drawn, made once per server: a selection alone changes nothing of it.

    Args:
        key: all that the other arguments follow from: the picture of :class:`Chosen`, and how often it was cleared.
        drawn_with: int64, the users who are selected from the beginning.
    """
    found = _target if _target is not None and _target.kind == "user" else None
    if _look.view == "space":
        space = state.run_users(_run).spatial
        return maps.spatial_map(_users, space, _names, _look.colour, _lit, found.row if found else None)
    drawn = map_figure.user_map(_users, _names, _look.colour, _lit, _view, selected=drawn_with)
    if drawn.placed and _look.density:
        maps.add_density(drawn.figure, _users)
    if found:
        maps.add_user(drawn.figure, _users, found.row, found.rows)
    drawn.figure.update_layout(meta=key[-1])
    return drawn


def clear() -> None:
    """Forget which users are selected, here and in the browser."""
    chosen: Chosen = st.session_state["groups_chosen"]
    nobody = np.empty(0, np.int64)
    chosen.rows, chosen.drawn_with, chosen.cleared = nobody, nobody, chosen.cleared + 1


def _chosen(run: Run, look: Look, target: Found | None, group: int) -> Chosen:
    """Return the selection of this session. A changed picture begins with what was selected before on the last one."""
    found = (target.kind, target.row) if target else ()
    whose = (str(run.path), state.edits_version(run))
    chosen: Chosen = st.session_state.setdefault("groups_chosen", Chosen(whose))
    if chosen.picture[:2] != whose:  # other users, or other groups
        chosen = st.session_state["groups_chosen"] = Chosen(whose, cleared=chosen.cleared)
    drawn = (look.view, look.colour, look.density, look.lit and group, found, chosen.closer)
    if chosen.picture != (picture := (*whose, *drawn)):
        chosen.picture, chosen.drawn_with = picture, chosen.rows
    return chosen


def _selected(event: Any, users: pd.DataFrame, drawn: map_figure.UserMap) -> np.ndarray:
    """Return the users of a selection: in a picture all within the outline, or in the cell that was clicked."""
    rows = map_figure.selected_rows(event)
    if drawn.cells is None:
        return rows
    within = maps.inside(event, users)
    if len(within) or not len(rows):
        return within
    return np.union1d(rows, np.flatnonzero(np.isin(drawn.cells, drawn.cells[rows]) & (drawn.cells >= 0)))


def _lit(users: pd.DataFrame, look: Look, target: Found | None, group: int) -> np.ndarray | None:
    """Return which users are drawn in colour, bool, one per user; None for all."""
    if target is not None and target.kind == "item":
        lit = np.zeros(len(users), bool)
        lit[target.rows] = True
        return lit
    return (users["group"] == group).to_numpy() if look.lit else None


def _view(users: pd.DataFrame, target: Found | None) -> map_labels.View | None:
    """Return the part of the map around a found user, None for all of it."""
    if target is None or target.kind == "item":
        return None
    placed, user = users[["x", "y"]].dropna(), users.iloc[target.row]
    if not np.isfinite(user["x"]) or not np.isfinite(user["y"]):
        return None
    return map_labels.around(user["x"], user["y"], map_labels.view_of(placed["x"].to_numpy(), placed["y"].to_numpy()))


def _draw_space(run: Run, drawn: map_figure.UserMap, height: int) -> None:
    """Draw the users in three dimensions."""
    alt = _("{drawn} users in three dimensions; the table of groups says the same").format(
        drawn=cards.count(drawn.drawn)
    )
    cards.user_map(drawn.figure, "groups_space", alt, height=height)
    shares = cards.percent(float(state.run_users(run).spatial.shares.sum()))
    notes = _(
        "The three directions in which predicted tastes differ most (PCA); they show {shares} of all differences."
    ).format(shares=shares)
    st.caption(passage(notes, drawn.note, _("Drag to turn; select users on the flat map.")))


def map_note(drawn: map_figure.UserMap, n_users: int, map_method: str) -> str:
    """Say how to read and use the map, and what is not drawn."""
    notes = [_("Users near each other have similar predicted tastes. Draw around users to see who they are.")]
    if map_method == "pca":
        notes.append(_("Drawn with PCA, which shows less detail than UMAP."))
    notes.append(drawn.note)
    if drawn.placed < n_users:
        notes.append(
            _("Not on the map: {users} who joined a group later.").format(
                users=cards.plural(n_users - drawn.placed, "user")
            )
        )
    return passage(*notes)
