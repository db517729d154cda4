"""What is shown to others: the presenter, and links for people without the dashboard, which can be withdrawn."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from grouprec.core import rights
from grouprec.core.language import N_, Glossary, _, plain_minute
from grouprec.core.rights import Deed
from grouprec.core.types import GrouprecError
from grouprec.core.whole import whole
from grouprec.runs import links
from grouprec.runs.links import Link
from grouprec.runs.store import Run
from grouprec.ui import state
from grouprec.ui.cards import plain
from grouprec.ui.server import present

DAYS = {N_("1 day"): 1, N_("1 week"): 7, N_("1 month"): 30}
WHO = Glossary(
    {
        True: "Whoever signs in here and has the link sees the six views as they are now, nothing else.",
        False: "Whoever reaches this server and has the link sees the six views as they are now, nothing else.",
    }
)


PRESENT_HELP = N_("Six views that fill the screen, turned by arrow keys; print them to have them as PDF")


def present_link(run: Run, kind: Literal["secondary", "tertiary"]) -> None:
    """Draw the link to the presenter; the group that is open has a view of its own there."""
    where = present.address(run, st.query_params.get("group"))
    st.link_button(_("Present"), where, icon=":material/slideshow:", type=kind, help=_(PRESENT_HELP))


def draw(run: Run) -> None:
    """Draw the button that opens the links of a run, for who may make them."""
    if not rights.may(Deed.MANAGE, run.path):
        return
    with st.popover(_("Links"), icon=":material/link:", type="tertiary"):
        st.caption(WHO[rights.person().role is not rights.Role.LOCAL])
        try:
            _make(run)
            _known(run)
        except GrouprecError as error:
            st.error(plain(str(error)))


def _make(run: Run) -> None:
    with st.form(f"link_{run.run_id}", border=False):
        lasts = st.radio(_("It works for"), list(DAYS), index=1, format_func=_, horizontal=True, key="link_days")
        pressed = st.form_submit_button(_("Make a link"), type="primary", width="stretch")
    key = f"link.{run.run_id}"
    if pressed:
        asked = whole(st.query_params.get("group", ""))
        st.session_state[key] = present.make_link(run, DAYS[str(lasts)], asked)
    if key in st.session_state:
        root = (st.context.url or "").rpartition("/")[0]
        st.code(f"{root}/{st.session_state[key]}", language=None, wrap_lines=True)
        st.caption(_("Copy it now: it is not kept, so it cannot be shown again."))


def _known(run: Run) -> None:
    """Draw the links that work, each with the way to withdraw it."""
    for link in links.links(run.path)[::-1]:
        if link.works:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.caption(
                    _("{made}, until {until}").format(made=_when(link.made), until=_when(link.until)), width="content"
                )
                st.button(_("Withdraw"), key=f"withdraw.{link.number}", on_click=_withdraw, args=(run, link))


def _when(seconds: float) -> str:
    return plain_minute(state.when(seconds))


def _withdraw(run: Run, link: Link) -> None:
    try:
        links.withdraw(run, link.number)
        st.session_state.pop(f"link.{run.run_id}", None)
    except GrouprecError as error:
        st.toast(plain(str(error)))
