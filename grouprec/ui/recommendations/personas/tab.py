"""What would a group like this want? Alternative lists, virtual members, mixtures, and people who like some items."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import N_, _
from grouprec.report import tables
from grouprec.runs.store import Run
from grouprec.ui import cards, state, workspace
from grouprec.ui.address import from_url, picked
from grouprec.ui.fragments import fragment
from grouprec.ui.recommendations.personas import lists, mixture, opened, words
from grouprec.ui.recommendations.personas import members as virtual_members
from grouprec.ui.recommendations.personas.parts import Shown

Draw = Callable[[Run, pd.DataFrame, pd.Series, DeltaGenerator], Shown]
VIEWS: dict[str, tuple[str, Draw]] = {
    "lists": (N_("Alternative lists"), lists.draw),
    "costs": (N_("What variety costs"), lists.draw_costs),
    "members": (N_("Virtual members"), virtual_members.draw),
    "mixture": (N_("Mixture of groups"), mixture.draw),
    "liked": (N_("From liked items"), virtual_members.from_liked),
}
MAP_HEIGHT = 230


def verdict(run: Run) -> str:
    """Return what generated lists are worth, "" where the run did not judge them."""
    return words.headline(state.metrics(run).get("verdict") or {})


def draw(run: Run, group: pd.Series) -> None:
    """Draw the chosen view; beside it stand its sentence, its controls, and the map with the groups spoken of lit.

    Raises:
        StorageError: the run is older than what it needs.
    """
    opened.virtual_groups(run)  # an older run says at once, outside the fragment, what it lacks
    _explore(run, state.trained_table(run, "groups"), group)
    cards.trained_note(run, _("Virtual members"))


@fragment
def _explore(run: Run, groups: pd.DataFrame, group: pd.Series) -> None:
    names = list(VIEWS)
    view = st.segmented_control(
        _("View"),
        names,
        required=True,
        format_func=lambda name: _(VIEWS[name][0]),
        label_visibility="collapsed",
        key="personas_view",
        on_change=from_url("view", "personas_view", names, names[0]),
    )
    left, right = st.columns(workspace.SPLIT, gap="medium")
    said, controls = left.container(), left.container()
    with right:
        shown = VIEWS[picked(view)][1](run, groups, group, controls)
    said.markdown(shown.sentence)
    with left:
        users = state.trained_table(run, "users")[["x", "y", "group"]]
        lit = shown.groups or (int(group["group"]),)
        workspace.draw_map(run, users, tables.group_names(groups), lit, "personas_map", MAP_HEIGHT, whole=True)
