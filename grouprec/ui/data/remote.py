"""Data from where the server's owner allows: folders, object stores and databases that secrets.toml names.

No path or address ever comes from a browser: it would be read with the rights of the server.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from grouprec.core.files import storage
from grouprec.core.language import _
from grouprec.core.types import GrouprecError
from grouprec.ui import state
from grouprec.ui.cards import plain


@dataclass(frozen=True)
class Allowed:
    """A source that people may read: its address, and the query; people write their own to a database without one."""

    address: str
    query: str = ""

    @property
    def asks(self) -> bool:
        """Whether somebody has to write a query."""
        from grouprec.data.sources import is_database

        return is_database(self.address) and not self.query


def allowed() -> dict[str, Allowed]:
    """Return the table ``[sources]`` of secrets.toml by name: addresses, or tables with address and query."""
    try:
        table = st.secrets.get("sources", {})
    except StreamlitSecretNotFoundError:
        return {}
    named = {str(name): one if isinstance(one, str) else dict(one) for name, one in dict(table).items()}
    found = {name: {"address": one} if isinstance(one, str) else one for name, one in named.items()}
    return {name: Allowed(str(one.get("address", "")), str(one.get("query", ""))) for name, one in found.items()}


def draw_remote(add: Callable[[str, Any, dict[str, Any]], None]) -> None:
    """Offer the sources that are allowed; nothing where there are none.

    Args:
        add: puts a file under a name into the library.
    """
    sources = allowed()
    if not sources:
        return
    with st.popover(_("From a folder or database"), icon=":material/database:"):
        name = st.selectbox(
            _("Source"), list(sources), key="remote_source", help=_("Those that this server's owner allows.")
        )
        source = sources[name]
        query = source.query
        if source.asks:
            query = st.text_area(
                _("Query"), key="remote_query", placeholder="SELECT user_id, item_id, time FROM orders"
            )
        if st.button(_("Fetch"), type="primary", key="remote_fetch"):
            with st.spinner(_("Reading {name}").format(name=plain(name))):
                _fetch(name, source.address, query, add)


def _fetch(name: str, address: str, query: str, add: Callable[[str, Any, dict[str, Any]], None]) -> None:
    from grouprec.data.sources import fetch

    root = state.library().root
    try:
        with storage(root):
            root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetched-", dir=root) as folder:
            found = fetch(address, query, Path(folder))
            for note in found.notes[:5]:
                st.toast(plain(note))
            with found.path.open("rb") as file:
                add(f"{name}{''.join(found.path.suffixes[-2:])}", file, {})
    except GrouprecError as error:
        st.error(plain(str(error)))
    except OSError:
        st.error(
            _("The source “{name}” cannot be read; its owner can see why with `grouprec check`.").format(
                name=plain(name)
            )
        )
