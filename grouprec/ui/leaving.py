"""What goes to the trash soon, in the sidebar of whom it belongs to, with a button that keeps it."""

from __future__ import annotations

import streamlit as st

from grouprec.core import usage
from grouprec.core.language import _, long_day
from grouprec.core.trash import DAYS
from grouprec.training import retention
from grouprec.training.retention import Leaving
from grouprec.ui import state
from grouprec.ui.cards import plain, plural


def draw_notices() -> None:
    """Say what goes, when and why, and let people keep it; nothing where nothing goes."""
    found = retention.notices(state.store()) if retention.keep_days() is not None else []
    if not found:
        return
    with st.popover(
        _("{things} will go to the trash").format(things=plural(len(found), "thing")), icon=":material/auto_delete:"
    ):
        st.caption(
            _(
                "Nobody has used them for long. Who opens or keeps them stops that; the trash holds them {days} days."
            ).format(days=DAYS)
        )
        for one in found:
            st.markdown(plain(sentence(one)))
            if st.button(_("Keep"), key=f"keep.{one.path.name}"):
                usage.use(one.path)
                st.rerun()


def sentence(one: Leaving) -> str:
    """Say what goes when, and since when nobody has used it."""
    return _("The {kind} “{one}” goes on {goes}; last used on {used}.").format(
        kind=_(one.kind),
        one=retention.name_of(one),
        goes=long_day(state.when(one.goes)),
        used=long_day(state.when(one.used)),
    )
