"""The Decide page: how many lists are enough, what they bring, who each is for, and who said yes to them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from grouprec.core.language import N_, Glossary, _, current, passage
from grouprec.report import gain
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, gain_view, kept, sharing, state
from grouprec.ui.address import from_url, picked, tabs_from_url
from grouprec.ui.decide import approval, money, what_if, who, words
from grouprec.ui.decide import charts as decide_charts
from grouprec.ui.fragments import fragment
from grouprec.ui.kept import PERSONAL, Worth

ANSWER_HELP = N_(
    "*Enough*: the smallest number of lists within one standard error of the best, by how many of "
    "the first ten items people took and how far up: that tells numbers of lists apart where counting people cannot. "
    "A run that chooses its number itself goes by the same rule on earlier days. Numbers in the sentence never fall "
    "where lists are added, unless the fall is more than chance; the table under *What if* has them as measured."
)
CURVE_HELP = N_(
    "Every number of lists was tried: its groups formed from as many starts as a run takes (a tenth where users are "
    "very many), its lists made, and both judged on what people did later. The band is the 95 % interval."
)
NOTHING = N_("This run did not measure other numbers of lists; train it again to see what they would buy.")
TABS = Glossary({"decide": "Decide", "money": "In money", "what_if": "What if"})


@partial(fragment, key="decide")
def explore(run: Run) -> None:
    """Draw the whole page; moving the slider reruns nothing else."""
    worth = kept.worth(run)
    if not worth.numbers:
        cards.answer(_(NOTHING))
        what_if.train_button(run, worth.own)
        return
    top = st.container()
    left, right = st.columns([13, 8], gap="medium", vertical_alignment="bottom")
    with left:
        n = choose(worth)
    split, said, more = told(*state.run_key(run), n, current())
    with top:
        cards.answer(said, passage(_(gain.PEOPLE_HELP), _(ANSWER_HELP)))
        cards.tested_note(run, more)
    with right, st.container(horizontal=True):
        approval.popover(run, worth, n, said)
        sharing.present_link(run, "secondary")
    approval.latest(run)
    tabs = tabs_from_url("view", "decide_tab", TABS, "money" if money.asked() else "decide")
    if tabs["decide"].open:
        with tabs["decide"]:
            decide(run, worth, split, n)
    if tabs["money"].open:
        with tabs["money"]:
            money.draw(run, worth, n)
    if tabs["what_if"].open:
        with tabs["what_if"]:
            what_if.draw(run, worth, n)


@st.cache_resource(max_entries=512, show_spinner=False)
def told(path: str, version: float, n: int, language: str) -> tuple[gain.Split | None, str, str]:
    """Return of what the gain of a number of lists (0: personal ones) is made, and the page's answer, with what
    stands below it; made once per server and language."""
    worth = kept.worth(Run(Path(path)))
    split = gain.split_at(worth.steps, worth.hits, n or worth.own)
    return split, *words.answer(worth, split, n)


def choose(worth: Worth) -> int:
    """Draw the slider; return the number of lists, 0 for personal ones. It is in the URL."""
    options = [*worth.numbers, PERSONAL]
    own = worth.own if worth.own in options else worth.numbers[-1]
    write = from_url("lists", "lists_n", options, own)

    def changed() -> None:
        write()
        st.rerun(["decide", "menu"])  # whose links take the number along

    chosen = picked(
        st.select_slider(
            _("Number of lists"),
            options,
            format_func=lambda one: _("{one} (this run)").format(one=one) if one == own else _(str(one)),
            key="lists_n",
            on_change=changed,
        )
    )
    return 0 if chosen == PERSONAL else int(chosen)


def decide(run: Run, worth: Worth, split: gain.Split | None, n: int) -> None:
    """Draw what a number of lists brings, who each list is for, and of what the gain is made.

    People look for who a list is for; what that adds up from is for those who ask, below it.
    """
    left, right = st.columns([7, 2], gap="medium")
    with left:
        curve(run, worth, n)
    with right:
        numbers(run, worth, n)
    who.draw(run, worth, n)
    if split is not None:
        gain_view.picture(split, "decide", gain.floor_words(gain.floor_of(worth.curve)), _(CURVE_HELP))


@st.cache_resource(max_entries=256, show_spinner=False)
def curve_picture(path: str, version: float, n: int, language: str) -> go.Figure:
    """Return the curve of a run with one number marked, made once per server. Never change it."""
    worth = kept.worth(Run(Path(path)))
    return decide_charts.reach_curve(worth.smoothed, n or None, worth.enough)


def curve(run: Run, worth: Worth, n: int) -> None:
    """Draw how many people find something by the number of lists."""
    if worth.hits.empty:
        return
    reached = words.reached(at(worth, n), not n)[0]
    st.plotly_chart(
        curve_picture(*state.run_key(run), n, current()),
        key="decide_curve",
        config=charts.QUIET_CONFIG,
        alt=_("People of 100 who find something by number of lists: {n} reach {reached}").format(
            n=words.chosen(n), reached=reached
        ),
    )


def at(worth: Worth, n: int) -> pd.Series:
    """Return what was measured of a number of lists, smoothed; of personal lists any row has it."""
    hits = worth.smoothed
    return hits[hits["n_groups"] == n].iloc[0] if n else hits.iloc[0]


def numbers(run: Run, worth: Worth, n: int) -> None:
    """Draw the value of a number of lists as people, and as money where prices are known."""
    if worth.hits.empty:
        return
    row = at(worth, n)
    reached, between = words.reached(row, not n)
    with st.container(gap="xsmall"):
        st.metric(
            _("Of 100, find something"),
            reached,
            help=_("95 % interval: {between}").format(between=between) if between else None,
        )
        st.metric(_("More than one list"), words.beyond_one(row, not n))
        money.metric(run, worth, n, _("In money"))


def draw() -> None:
    """Draw the page."""
    run = state.require_run()
    explore(run)
    cards.trained_note(run, _("Other numbers of lists"))
