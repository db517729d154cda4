"""What the Data page has to ask before it can check a file, and what it doubts afterwards."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

import pandas as pd
import streamlit as st

from grouprec.core.language import Glossary, _, commas
from grouprec.data.preparing.clean import Preparation
from grouprec.data.roles.columns import ChoiceError
from grouprec.data.roles.detect import Detected
from grouprec.data.roles.doubts import Doubt
from grouprec.ui.cards import plain, short
from grouprec.ui.data.quality import Warn

_KEEP = Glossary({"drop_services": "Keep them"})
_ASKED = Glossary({"user": "who (the user)", "item": "what (the item)"})

LINE = 34  # letters of examples that a column shows


def missing(roles: Mapping[str, str]) -> list[str]:
    """Return which of the two roles that every file needs nobody knows the column of (role -> column, "" for none)."""
    return [role for role in ("user", "item") if not roles.get(role)]


def question(detected: Detected, roles: Mapping[str, str]) -> str | None:
    """Return what has to be chosen before the file can be checked, None where nothing has.

    Args:
        detected: what was found in the file.
        roles: those that are used: role -> column, "" for none.
    """
    open_roles = missing(roles)
    if not open_roles:
        return None
    refused = "".join(ChoiceError(role, (), detected.refused.get(role, {})).why() for role in open_roles)
    asked = (
        _("One thing to tell: which column says {value}?{refused}")
        if len(open_roles) == 1
        else _("Two things to tell: which column says {value}?{refused}")
    )
    return asked.format(value=_(" and which ").join(_ASKED[role] for role in open_roles), refused=refused)


def draw_choice(key: str, head: pd.DataFrame, roles: Mapping[str, str]) -> None:
    """Draw the choice of every column that is missing, each with some of its values.

    Args:
        key: of the dataset; the choice goes to the widgets of the roles.
        head: the first rows of the file.
    """
    shown = {str(name): f"{name}: {examples(head[name])}" for name in head.columns}
    for place, role in zip(st.columns(2), missing(roles), strict=False):
        field = f"ask.{key}.{role}"

        def answer(role: str = role, field: str = field) -> None:
            st.session_state[f"role.{key}.{role}"] = st.session_state[field]

        place.selectbox(
            _("Column that says {asked}").format(asked=_ASKED[role]),
            list(shown),
            None,
            format_func=shown.__getitem__,
            placeholder=_("Choose a column"),
            key=field,
            on_change=answer,
        )
    st.caption(_("Every row should say who took what. Where rows say something else, drop another file below."))


def width(text: str) -> int:
    """Return how many letters a text is wide; Chinese ones count twice."""
    return len(text) + sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)


def examples(values: pd.Series, n: int = 3) -> str:
    """Return the first few different values of a column, shortened, as many as a line holds."""
    first = [short(str(value), 28) for value in pd.unique(values.dropna().head(200).astype(str))[:n]]
    while len(first) > 1 and sum(map(width, first)) > LINE:
        first.pop()
    return commas(first)


def warn_of(doubt: Doubt) -> Warn:
    """Return a doubt as the page shows it."""
    return Warn(doubt.matter, doubt.on_page())


def draw_undo(doubt: Doubt, key: str, recheck: Callable[[], None]) -> None:
    """Draw the button that undoes what a step did by a setting of the preparation; nothing for other doubts.

    Args:
        key: of the form of the preparation.
        recheck: called after the click, so that the file is checked again at once.
    """
    if doubt.setting:
        default = getattr(Preparation(), doubt.setting)
        field = f"{key}.{doubt.setting}"

        def undo() -> None:
            st.session_state[field] = not default
            recheck()

        st.button(plain(_KEEP[doubt.setting]), key=f"undo.{doubt.setting}", on_click=undo)
