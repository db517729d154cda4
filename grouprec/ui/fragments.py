"""Parts of a page that run again by themselves, outside the frame that shows errors: theirs are shown here."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import streamlit as st

from grouprec.core.types import GrouprecError
from grouprec.runs.store import Run
from grouprec.ui import state
from grouprec.ui.cards import plain


def fragment(draw: Callable[..., None], run_every: float | None = None, key: str | None = None) -> Callable[..., None]:
    """Return ``st.fragment`` of what draws a part; what the user can mend is said where the part stopped.

    What is drawn of a run is drawn while whoever looks may see it: a page may stand open for long.

    Args:
        run_every: seconds after which it is drawn again.
        key: by which ``st.rerun`` has it drawn again, from the callback of another part.
    """

    @wraps(draw)
    def said(*arguments: Any, **named: Any) -> None:
        try:
            for run in (one for one in arguments if isinstance(one, Run)):
                state.run_key(run)
            draw(*arguments, **named)
        except GrouprecError as error:
            st.error(plain(str(error)))

    return st.fragment(said, run_every=run_every, key=key)
