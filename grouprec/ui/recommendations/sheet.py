"""The page of paper of a group, as the Recommendations page gives it away."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from grouprec.core.forms import DamagedError
from grouprec.core.types import GrouprecError
from grouprec.report import sentences
from grouprec.report.sheet import LENGTH, listed, sheet
from grouprec.runs.store import Run
from grouprec.ui import cards, state
from grouprec.ui.recommendations import opened
from grouprec.ui.recommendations.remade import Chosen


def download(chosen: Chosen) -> None:
    """Draw the button; the page is made when it is pressed."""
    status = chosen.run.status()
    day = f"{state.when(status.ended or status.created):%d %B %Y}"  # in the reader's time zone, which only a page knows
    st.download_button(
        "Page to print",
        data=lambda: make(chosen, day).encode(),
        file_name=f"group_{int(chosen.group['group'])}.html",
        mime="text/html",
        key="list_sheet",
        on_click="ignore",
        icon=":material/print:",
        help="One page with the first ten items and the reasons, as HTML: open it and print it, or save it as PDF",
    )


def make(chosen: Chosen, day: str) -> str:
    """Return the page of the group's trained list; ``day`` is when the run was made."""
    run, group = chosen.run, chosen.group
    metrics = state.metrics(run)
    method = (metrics.get("list_method") or {}).get(chosen.regime, "generated")
    try:
        explainer = opened.explainer(run, chosen.members.rows)
    except DamagedError:
        raise
    except GrouprecError:  # older runs kept no reasons: the page goes without
        explainer = None
    items = listed(chosen.members, chosen.trained[:LENGTH], opened.places_for_all(run), explainer)
    about = f"{cards.plural(int(group['size']), 'user')}, {cards.percent(group['share'])} of all · "
    takes = chosen.members.takes
    worth = sentences.worth_answer(state.table(run, "evaluation"), chosen.regime, method)
    return sheet(
        cards.group_label(int(group["group"]), str(group["name"])),
        about + sentences.REGIMES[chosen.regime],
        portrait(run, group),
        items,
        [found_words(run, group, chosen.regime), worth],
        f"From the run {run.title()}, {day}",
        "" if takes is None else takes.horizon.words,
    )


def portrait(run: Run, group: pd.Series) -> str:
    """Return the group in one plain sentence: what its members' items have in common, and in what users differ."""
    items = state.table_or_none(run, "group_items")
    first = [] if items is None else items[items["group"] == group["group"]].sort_values("rank")["label"].head(3)
    typical = f"Typical of it: {', '.join(map(str, first))}." if len(first) else ""
    words = str(group.get("words", "") or "")
    return f"{typical} Words that tell it apart: {words}." if words else typical


def found_words(run: Run, group: pd.Series, regime: str) -> str:
    """Say how many of the tested members found something in their first ten; nothing where that was not measured."""
    table = state.table_or_none(run, "group_evaluation")
    if table is None or state.run_choices(run).get("refit"):  # then the groups that were judged are other ones
        return ""
    own = table[(table["group"] == group["group"]) & (table["regime"] == regime)]
    if own.empty or pd.isna(own["zero_hit_share"].iloc[0]):
        return ""
    row = own.iloc[0]
    found = cards.percent(1 - row["zero_hit_share"])
    tested = cards.plural(int(row["n_test_users"]), "member")
    return f"Of {tested} tested on held-out interactions, {found} took at least one of the ten."
