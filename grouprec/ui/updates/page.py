"""What changes when something happens? The held-out part replayed before one's eyes, or events sent by hand."""

from __future__ import annotations

from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import Glossary, _
from grouprec.core.types import GrouprecError
from grouprec.runs.store import Run
from grouprec.ui import cards, state
from grouprec.ui.address import from_url, picked

MODES = Glossary({"replay": "Replay real events", "send": "Send events"})


def no_events(run: Run) -> NoReturn:
    """Draw why a run takes no events, and stop."""
    cards.answer(
        _("**{title}** takes no events: it is older than live updates, or was not saved whole.").format(
            title=cards.plain(run.title())
        )
    )
    if st.button(_("Train it again"), type="primary", icon=":material/play_arrow:", key="updates_train"):
        state.open_page("train")
    st.stop()


def mode() -> str:
    """Draw the choice between replaying and sending; it is in the URL."""
    chosen = st.segmented_control(
        _("What to do"),
        list(MODES),
        required=True,
        format_func=MODES.__getitem__,
        label_visibility="collapsed",
        key="updates_mode",
        on_change=from_url("mode", "updates_mode", list(MODES), "replay"),
    )
    return picked(chosen)


def replay(run: Run, top: DeltaGenerator, bar: DeltaGenerator) -> None:
    """Draw the replay, or why there is none: its answer into ``top``, its controls into ``bar``."""
    from grouprec.ui.updates import replay as live  # knows the stages, and so torch: the other pages do without

    if state.table_or_none(run, "held_out") is None:
        with top.container():
            cards.answer(_("This run kept no held-out part to replay; events can still be sent to it."))
        return
    with bar:
        player = live.controls(run)
    live.picture(run, player, top)


def send(run: Run, top: DeltaGenerator, _below: DeltaGenerator) -> None:
    """Draw the ways to send events, the answer into ``top``."""
    from grouprec.ui.updates import sending

    sending.panel(run, top)


def draw() -> None:
    """Draw the page."""
    current = state.require_run()
    if not current.has_snapshot:
        no_events(current)
    top = st.empty()
    bar = st.container(horizontal=True, vertical_alignment="center")
    with bar:
        chosen = mode()
    try:
        {"replay": replay, "send": send}[chosen](current, top, bar)
        cards.trained_note(current, _("Live updates"))
    except GrouprecError as error:
        with top.container():
            cards.answer(_("The live state of this run cannot be opened now."))
        st.error(cards.plain(error))
        st.button(_("Try again"), icon=":material/refresh:", key="updates_again")
