"""Approve a number of lists, and take it along: CSV for the shop, the report, sheets to print."""

from __future__ import annotations

import time

import streamlit as st

from grouprec.core import rights
from grouprec.core.language import _, long_minute
from grouprec.core.rights import Deed, Role
from grouprec.core.types import GrouprecError
from grouprec.report import bundle, html
from grouprec.report.tested import unknown_rows
from grouprec.report.text import count
from grouprec.runs.approvals import MOST_BY, MOST_REMARK, Approval, approvals, approve
from grouprec.runs.store import Run
from grouprec.ui import cards, sheets, state
from grouprec.ui.decide import words
from grouprec.ui.kept import FIRST, Worth

LATEST = 3  # approvals that are shown; the file has all


def popover(run: Run, worth: Worth, n: int, said: str) -> None:
    """Draw the button that opens what approving needs and what can be taken along.

    Args:
        n: the number of lists, 0 for personal ones.
        said: the sentence that the page answered with.
    """
    with st.popover(_("Approve and export"), type="primary", icon=":material/task_alt:"):
        if rights.may(Deed.CHANGE, run.path):
            form(run, worth, n, said)
        else:
            st.caption(_("You may look at this run and take its lists along; to approve them ask its owner."))
        if n not in (worth.own, 0):
            st.caption(
                _("Of {n} the run kept the first {first} items each; *Use* under What if trains them in full.").format(
                    n=words.chosen(n), first=FIRST
                )
            )
        if unknown := unknown_rows(state.metrics(run)):
            st.caption(
                _(
                    "Not yet in these lists: the {n} rows that the run was tested on, the latest where it was split by "
                    "time. Lists that go out should know them: train with preset *standard*."
                ).format(n=count(unknown))
            )
        if (done := approvals(run.path)[-1:]) and done[0].lists == n:
            st.caption(f":material/task_alt: {sentence(done[0])}")
        exports(run, worth, n)


def form(run: Run, worth: Worth, n: int, said: str) -> None:
    """Draw who approves; whoever has signed in does so by the name they have there."""
    who = rights.person()
    with st.form("decide_approve", border=False):
        if who.role is Role.LOCAL:
            by = st.text_input(_("Your name"), max_chars=MOST_BY, key="decide_by", persist_state="session")
        else:
            by = who.name
            st.caption(_("As {by}").format(by=cards.plain(by)))
        remark = st.text_input(_("Remark"), max_chars=MOST_REMARK, key="decide_remark")
        pressed = st.form_submit_button(_("Approve {n}").format(n=words.chosen(n)), type="primary", width="stretch")
    if pressed:
        _approve(run, Approval(n, worth.regime, by or "", time.time(), said, remark or ""))


def _approve(run: Run, approval: Approval) -> None:
    try:
        with st.spinner(_("Sealing the lists …")):
            files = bundle.seals(bundle.shop_files(run, approval.lists, approval.regime))
        approve(run.path, Approval(**{**vars(approval), "files": files}))
    except GrouprecError as error:
        st.error(cards.plain(error))


def exports(run: Run, worth: Worth, n: int) -> None:
    """Draw the downloads; every file is made when it is asked for."""
    day = sheets.day_of(run)
    files = {
        _("CSV for the shop"): (lambda: bundle.archive(bundle.shop_files(run, n, worth.regime)), "lists.zip", "table"),
        _("Report"): (lambda: html.render(run).encode(), "story.html", "description"),
    }
    if n == worth.own:
        files[_("Sheets to print")] = (lambda: sheets.of_all(run, worth.regime, day).encode(), "sheets.html", "print")
    for label, (make, name, icon) in files.items():
        st.download_button(
            label,
            data=state.later(make, run),
            file_name=name,
            key=f"decide_{name.split('.')[0]}",
            on_click="ignore",
            icon=f":material/{icon}:",
            width="stretch",
        )


def latest(run: Run) -> None:
    """Say what was approved, by whom and when, the latest first."""
    for one in approvals(run.path)[: -LATEST - 1 : -1]:
        st.success(sentence(one), icon=":material/task_alt:")


def sentence(one: Approval) -> str:
    """Return what was approved, by whom and when, as markdown."""
    who, when = cards.plain(one.by), long_minute(state.when(one.at))
    remark = f" “{cards.plain(one.remark)}”" if one.remark else ""
    lists = words.chosen(one.lists).capitalize()
    return _("**{lists}** approved by {who}, {when}.{remark}").format(lists=lists, who=who, when=when, remark=remark)
