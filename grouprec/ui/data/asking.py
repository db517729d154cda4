"""What the Data page asks before it checks a file, and what it doubts afterwards."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from grouprec.data.clean import Preparation
from grouprec.data.columns import ChoiceError
from grouprec.data.detect import Detected
from grouprec.data.doubts import Doubt
from grouprec.ui.cards import plain
from grouprec.ui.data.quality import Warn

_KEEP = {"drop_services": "Keep them"}


def question(detected: Detected, roles: Mapping[str, str]) -> str | None:
    """Return what has to be chosen before the file can be checked, None where nothing has.

    Args:
        detected: what was found in the file.
        roles: those that are used: role -> column, "" for none.
    """
    missing = [role for role in ("user", "item") if not roles.get(role)]
    if not missing:
        return None
    refused = "".join(ChoiceError(role, (), detected.refused.get(role, {})).why() for role in missing)
    return f"Which column is the {' and which the '.join(missing)}? Choose it under Columns{refused}"


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
