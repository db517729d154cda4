"""What would a group like this want? Alternative lists, virtual members, mixtures, and people who like some items."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from grouprec.core.language import _
from grouprec.report import sentences
from grouprec.runs.store import Run
from grouprec.ui import cards, state
from grouprec.ui.address import from_url, picked
from grouprec.ui.fragments import fragment
from grouprec.ui.personas import opened, views, words


@fragment
def explore(run: Run, groups: pd.DataFrame) -> None:
    """Draw the answer, the choice of a view and the chosen one; the others are not made."""
    top = st.container()
    names = list(views.VIEWS)
    view = st.segmented_control(
        _("View"),
        names,
        required=True,
        format_func=lambda name: _(views.VIEWS[name][0]),
        label_visibility="collapsed",
        key="personas_view",
        on_change=from_url("view", "personas_view", names, names[0]),
    )
    said = st.container()
    sentence = views.VIEWS[picked(view)][1](run, groups)
    verdict = words.headline(state.metrics(run).get("verdict") or {})
    with top:
        cards.answer(verdict or sentence, _(sentences.METRIC_HELP) if verdict else None)
        if verdict:
            cards.tested_note(run)
    if verdict:
        said.markdown(sentence)


def draw() -> None:
    """Draw the page."""
    current = state.require_run()
    opened.virtual_groups(current)  # an older run says at once, outside the fragment, what it lacks
    explore(current, state.trained_table(current, "groups"))
    cards.trained_note(current, _("Virtual members"))
