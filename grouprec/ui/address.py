"""Choices of several things at once that live in the URL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st


def many_from_url(name: str, key: str, options: Sequence[str], default: Sequence[str] = ()) -> Callable[[], None]:
    """Give the widget ``key`` the options that ``?name=one,other`` asks for; call it before the widget.

    Like :func:`grouprec.ui.cards.from_url`: the URL decides, an unknown option is passed over, and without any that
    is known the default holds. Options must not contain commas. Returns the ``on_change`` callback.
    """
    asked = st.query_params.get(name, "").split(",")
    st.session_state[key] = [option for option in options if option in asked] or list(default)

    def write() -> None:
        chosen = st.session_state[key]
        if chosen and list(chosen) != list(default):
            st.query_params[name] = ",".join(chosen)
        else:
            st.query_params.pop(name, None)

    return write
