"""The guided tour: a bar above the page that says what to do there and leads on. Its stop is in the URL."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import streamlit as st

from grouprec.core.language import N_, _
from grouprec.core.whole import whole
from grouprec.ui import state

_SHOWN = ".tour-shown"  # beside the runs: the tour starts by itself once


class Stop(NamedTuple):
    page: str
    title: str
    text: str


STOPS = (
    Stop(
        "decide",
        N_("How many lists do I need?"),
        N_(
            "Move the slider from one list to personal ones: the picture says how many "
            "people find something, the cards below who each list is for. What if shows who "
            "moves. Approve and export when you agree."
        ),
    ),
    Stop(
        "groups",
        N_("Who are my users?"),
        N_(
            "Every dot is a user; users near one another are predicted to want similar "
            "things. Draw around some dots to see who they are, or choose a group in the "
            "table for its portrait below."
        ),
    ),
    Stop(
        "recommendations",
        N_("What do I show them, and why?"),
        N_(
            "This is one group's list. Choose an item to read which of the members' own "
            "items speak for it. The controls above change the list at once and say what "
            "that costs. Personas has other lists, mixtures, and groups that do not exist yet."
        ),
    ),
    Stop(
        "compare",
        N_("Which method should I trust?"),
        N_(
            "Everything here is measured on what users did later, which no method had seen. "
            "Dots are means, bars show how far chance may have moved them."
        ),
    ),
    Stop(
        "updates",
        N_("What changes when something happens?"),
        N_("Press Play: held-out events happen one by one, users move on the map, and lists follow."),
    ),
    Stop(
        "data",
        N_("Now your own data"),
        N_(
            "Bring a file with at least a user and an item per row. The page finds the "
            "columns, shows what is left out and why, and leads on to training."
        ),
    ),
)


def first_time() -> bool:
    """Return whether the tour has never been shown on this server, and remember that it is now."""
    marker = state.store().root / _SHOWN
    with contextlib.suppress(OSError):  # where nothing can be written, nobody is led around again and again
        if not marker.exists():
            marker.touch()
            return True
    return False


def go(number: int) -> None:
    """Open the page of a stop, numbered from 1."""
    state.open_page(STOPS[number - 1].page, tour=str(number))


def draw(page: str) -> None:
    """Draw the bar where the URL is at a stop of this page."""
    number = whole(st.query_params.get("tour", ""))
    if not number or number > len(STOPS) or STOPS[number - 1].page != page:
        return
    stop = STOPS[number - 1]
    with st.container(border=True, key="tour"):
        st.markdown(f"**{_(stop.title)}** {_(stop.text)}")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_("Tour, stop {number} of {n_stops}").format(number=number, n_stops=len(STOPS)), width="stretch")
            if number > 1 and st.button(_("Back"), type="tertiary", key="tour_back"):
                go(number - 1)
            last = number == len(STOPS)
            if st.button(_("End the tour"), type="tertiary", key="tour_end"):
                del st.query_params["tour"]
                st.rerun()
            if not last and st.button(_("Next"), type="primary", icon=":material/arrow_forward:", key="tour_next"):
                go(number + 1)
