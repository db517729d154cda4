"""What goes to the trash soon, in the sidebar of whom it belongs to, with a button that keeps it."""

from __future__ import annotations

import streamlit as st

from grouprec.core import usage
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
    with st.popover(f"{plural(len(found), 'thing')} will go to the trash", icon=":material/auto_delete:"):
        st.caption(
            f"Nobody has used them for long. Who opens or keeps them stops that; the trash holds them {DAYS} days."
        )
        for one in found:
            st.markdown(plain(sentence(one)))
            if st.button("Keep", key=f"keep.{one.path.name}"):
                usage.use(one.path)
                st.rerun()


def sentence(one: Leaving) -> str:
    """Say what goes when, and since when nobody has used it."""
    return (
        f"The {one.kind} “{retention.name_of(one)}” goes on {state.when(one.goes):%d %B %Y}; "
        f"last used on {state.when(one.used):%d %B %Y}."
    )
