"""The server: ``streamlit run app.py``, or ``grouprec app``. The frame draws the menu and the pages."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import streamlit as st

import grouprec.ui
from grouprec.ui.server import api, health, keeping, loading, present, start, tidying, uploads


@contextlib.asynccontextmanager
async def adopt_runs(_: st.App) -> AsyncIterator[dict[str, Any]]:
    """Once per server: mark the runs whose process died while no server was watching; at its end close the streams."""
    from grouprec.core import audit, changes, logs
    from grouprec.core.types import GrouprecError
    from grouprec.runs.store import RunStore
    from grouprec.training import jobs

    logs.begin()
    audit.write_to(RunStore().root)
    logs.note("server started")
    with contextlib.suppress(OSError, GrouprecError):  # an unreadable runs folder is told on the page, not here
        store = RunStore()
        changes.complete(store.root)
        jobs.active(store)
    try:
        async with tidying.tidied(), keeping.kept(), loading.loaded():
            yield {}
    finally:
        logs.note("server stopped")
        audit.close()
        streams = sys.modules.get("grouprec.live.streams")  # loaded by the first event, if any
        if streams is not None:
            streams.close_all()


app = st.App(
    Path(grouprec.ui.__file__).with_name("frame.py"),
    lifespan=adopt_runs,
    routes=start.below_base([*health.routes(), *api.routes(), *present.routes(), uploads.route()]),
    middleware=start.middleware(),
)
