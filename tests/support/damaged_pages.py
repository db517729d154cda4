"""What pages show of a run whose files are damaged, view by view, and which files a view reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from unittest import mock

import streamlit as st
from streamlit.testing.v1 import AppTest

from grouprec.core.load import Load
from grouprec.live import streams
from grouprec.runs import content
from grouprec.runs.store import Run
from grouprec.training import cost
from grouprec.ui import state
from grouprec.ui.compare.tabs import PARTS
from grouprec.ui.updates import replay
from tests.ui.opening import FRAME, PATIENCE

# Every view that a link can open, as page and what stands in its URL beside the run.
VIEWS: dict[str, tuple[str, dict[str, str]]] = {
    "decide": ("decide", {}),
    "what if": ("decide", {"view": "what_if"}),
    "compare": ("compare", {}),
    **{
        f"compare, {part.lower()}": ("compare", {"view": "analyst", "part": part})
        for part in ("Methods", *PARTS, "Runs")
    },
    "groups": ("groups", {"group": "2"}),
    "recommendations": ("recommendations", {"group": "2"}),
    **{f"recommendations, {part}": ("recommendations", {"part": part}) for part in ("ways", "feedback")},
    "recommendations, user": ("recommendations", {"user": "u00001"}),
    **{
        f"personas, {view}": ("recommendations", {"part": "personas", "view": view})
        for view in ("lists", "costs", "members", "mixture", "liked")
    },
    "updates": ("updates", {}),
    "updates, send": ("updates", {"mode": "send"}),
    "train": ("train", {}),
    "data": ("data", {}),
}


# What has nothing to do with the run: how much memory is free, and how long something took just now.
_OF_NOW = re.compile(r"[\d.]+ .B of memory are free|\*\*[\d.,]+ m?s\*\*")


_SAID = re.compile(r"\w+ is (damaged|empty|missing)\b")


@dataclass(frozen=True)
class Seen:
    """What a view shows.

    Attributes:
        crash: the traceback, "" where there is none.
        told: sentences in which the page says that something is wrong.
        content: all that it draws, as text.
    """

    crash: str
    told: str
    content: str

    def kind(self, whole: Seen, run_id: str) -> str:
        """Return "same", or "refused" where the page says what is wrong with the run; else what must not be."""
        if self.crash:
            return "crashed"
        if self.content == whole.content:
            return "same"
        return "refused" if run_id in self.told and _SAID.search(self.told) else "different"


def look(run: Run, view: str) -> Seen:
    """Open a view of a run as the first visitor of a fresh server does, on a machine that does nothing else."""
    forget()
    page, query = VIEWS[view]
    with mock.patch.object(cost, "at_work", lambda: Load(0.0, 0.0, 2)), mock.patch.object(replay, "MOST_SECONDS", 1e9):
        return _look(run, page, query)


def _look(run: Run, page: str, query: Mapping[str, str]) -> Seen:
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
    app.switch_page(state.page_path(page))
    for name, value in {**query, "run": run.run_id}.items():
        app.query_params[name] = value
    app.run()
    crash = "\n".join(f"{one.message} {' '.join(one.stack_trace)}" for one in app.exception)
    return Seen(crash, _told(app), _content(app))


def forget() -> None:
    """Forget all that this process knows of runs and files, as a new one would."""
    streams.close_all()
    st.cache_data.clear()
    st.cache_resource.clear()
    content._MEMORY = content._Memory()


def _told(app: AppTest) -> str:
    tables = [json.dumps(frame.value.astype(str).to_dict("list")) for frame in app.dataframe]
    words = [one.value for one in (*app.error, *app.warning, *app.text, *app.caption, *app.markdown)]
    return "\n".join([*words, *tables]).replace("\\", "")


def _content(app: AppTest) -> str:
    """Return texts, numbers, tables and figures of a page in their order."""
    parts: list[Any] = []
    for kind in ("title", "header", "subheader", "markdown", "caption", "text", "error", "warning", "info", "success"):
        parts += [[kind, one.value] for one in app.get(kind)]
    parts += [["metric", one.label, one.value, one.delta] for one in app.metric]
    parts += [["table", frame.value.astype(str).to_dict("list")] for frame in app.dataframe]
    parts += [["figure", one.proto.spec] for one in app.get("plotly_chart")]
    parts += [["select", one.label, [*one.options]] for one in app.selectbox]
    return _OF_NOW.sub("", json.dumps(parts, default=str))
