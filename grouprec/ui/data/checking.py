"""What is known of a file: its head, what its columns are, and what its preparation finds. Made once per server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from grouprec.core.language import current
from grouprec.core.types import GrouprecError
from grouprec.data.library_files import KnownDataset
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import prepare
from grouprec.data.reading.read import Peek, Reading, peek
from grouprec.data.roles.detect import Detected, detect
from grouprec.ui import state
from grouprec.ui.data import asking, preview, reading
from grouprec.ui.data.quality import Check

AT_ONCE = 100_000_000  # bytes that are checked unasked: some ten seconds


@st.cache_resource(max_entries=32, show_spinner=False)
def head_of(path: str, key: str, reading: Reading) -> Peek:
    """Return the head of a file. Shared by all sessions, as are the others."""
    return peek(state.library().get(key).interactions, reading)


@st.cache_resource(max_entries=32, show_spinner=False)
def detected_of(path: str, key: str, reading: Reading) -> Detected:
    """Return the roles that a file's columns seem to have; the same on every rerun, so looked for once."""
    return detect(head_of(path, key, reading).head)


@st.cache_resource(max_entries=16, show_spinner=False)
def checked(key: str, choices: str) -> Check:
    """Prepare a dataset; ``choices`` is what :func:`written` makes of its roles and settings."""
    entry, chosen = state.library().get(key), json.loads(choices)
    prepared = prepare(
        entry.interactions,
        **entry.beside,
        roles=chosen["roles"],
        settings=Preparation(**chosen["preparation"]),
    )
    return preview.summarise(prepared)


def written(roles: Mapping[str, str], preparation: Mapping[str, Any]) -> str:
    """Return choices as the text that a check is kept under; what it says is in a language."""
    return json.dumps({"roles": dict(roles), "preparation": dict(preparation), "language": current()}, sort_keys=True)


def at_once(dataset: KnownDataset) -> bool:
    """Return whether a file is small enough to be checked unasked."""
    return dataset.interactions.stat().st_size <= AT_ONCE


def trouble(dataset: KnownDataset) -> GrouprecError | None:
    """Return why a dataset cannot be used as it comes; None where it can, or where its columns have to be asked for."""
    try:
        how = reading.reading(dataset)
        head_of(str(dataset.interactions), dataset.key, how)
        detected = detected_of(str(dataset.interactions), dataset.key, how)
        if at_once(dataset) and not asking.missing({**detected.roles.as_dict(), **dataset.roles}):
            checked(dataset.key, written(dataset.roles, dataset.preparation))
    except GrouprecError as error:
        return error
    return None
