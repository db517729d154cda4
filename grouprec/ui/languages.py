"""Which language a visitor reads: the one they chose, else the server's own, else the browser's."""

from __future__ import annotations

import json
import os

import streamlit as st
from starlette.requests import Request
from streamlit.runtime.scriptrunner import get_script_run_ctx

from grouprec.core import language
from grouprec.core.language import ENGLISH, LANGUAGES, _

SETTING = "GROUPREC_LANGUAGE"  # of whoever runs the server: the language of those who have not chosen
ASKED, CHOSEN = "lang", "language"  # in the URL, and in the session
BOTH = "Language / 语言"  # for those who cannot read the language that is shown


def find() -> str | None:
    """Return the language of the session whose script runs in this thread, None where none does."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return None
    return st.session_state.get(CHOSEN) or usual()


def usual() -> str | None:
    """Return the language of those who have not chosen, None for English."""
    return language.known(os.environ.get(SETTING)) or language.known(st.context.locale)


def arrive() -> None:
    """Take the language that ``?lang=`` asks for, or write the chosen one there; before anything is said."""
    asked = language.known(st.query_params.get(ASKED))
    if asked is not None:
        st.session_state[CHOSEN] = asked
    elif CHOSEN in st.session_state:
        st.query_params[ASKED] = st.session_state[CHOSEN]


def draw() -> None:
    """Draw the choice, which is in the URL and holds for the rest of the session."""
    st.session_state["pick_language"] = language.current()
    st.selectbox(
        BOTH,
        list(LANGUAGES),
        format_func=LANGUAGES.__getitem__,
        key="pick_language",
        on_change=_choose,
        label_visibility="collapsed",
    )


def style() -> str:
    """Return rules that give Streamlit's uploader the reader's words, which takes none itself; "" for English.

    Its own word is hidden from readers and screen readers alike. The largest size goes too: the Data page says it.
    """
    if language.current() == ENGLISH:
        return ""
    word, zone = json.dumps(_("Upload"), ensure_ascii=False), '[data-testid="stFileUploaderDropzone"]'
    return f"""{zone} [data-testid="stMarkdownContainer"] p {{ visibility: hidden; font-size: 0 }}
{zone} [data-testid="stMarkdownContainer"] p::after {{ content: {word}; visibility: visible; font-size: 0.875rem }}
[data-testid="stFileUploaderDropzoneInstructions"] {{ display: none }}
"""


def _choose() -> None:
    chosen = language.known(st.session_state["pick_language"])  # a client of its own may send any text
    st.session_state[CHOSEN] = st.query_params[ASKED] = chosen or ENGLISH


def of_request(request: Request) -> str:
    """Return the language of a request beside the pages: that of ``?lang=``, else as :func:`usual`."""
    asked = language.known(request.query_params.get(ASKED)) or language.known(os.environ.get(SETTING))
    return asked or language.preferred(request.headers.get("accept-language", "")) or ENGLISH


def in_url() -> dict[str, str]:
    """Return what a link to another page takes along, so that it opens in the language that was chosen."""
    return {ASKED: st.session_state[CHOSEN]} if CHOSEN in st.session_state else {}


language.follow(find)
