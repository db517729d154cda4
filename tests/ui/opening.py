"""Open a page of the app the way a deep link does."""

from __future__ import annotations

import base64
import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest, local_script_runner

import grouprec.ui
from grouprec.core.language import current
from grouprec.data.preparing.prepare import Prepared
from grouprec.ui import sheets, state
from grouprec.ui.data import checking
from grouprec.ui.recommendations.remade import Chosen

FRAME = Path(grouprec.ui.__file__).with_name("frame.py")
# Every AppTest would read the metadata of all installed packages and compile the scripts again, for most of its time.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
local_script_runner.ScriptCache = functools.cache(local_script_runner.ScriptCache)
SAMPLE = "online_retail.parquet"
_prepare, _prepared = checking.prepare, dict[str, Prepared]()


def _sample_once(interactions: Path, **given: Any) -> Prepared:
    """Prepare the sample, which most tests of the Data page begin with, once a process for the same choices."""
    if interactions.name != SAMPLE:
        return _prepare(interactions, **given)
    choices = f"{current()} {given}"
    if choices not in _prepared:
        _prepared[choices] = _prepare(interactions, **given)
    return _prepared[choices]


checking.prepare = _sample_once
PATIENCE = 120  # seconds for a page on a busy machine; only a test that fails anyway waits so long


def visit(name: str, **query: str) -> AppTest:
    """Return the app on a page, opened with ``?name=value`` parameters, without an exception; errors may be told."""
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
    app.switch_page(state.page_path(name))  # a page is known by its file's name, which is that of its address
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def open_page(name: str, **query: str) -> AppTest:
    """Return what :func:`visit` does, where the page has no error to tell, either."""
    app = visit(name, **query)
    assert not app.error, app.error
    return app


def texts(app: AppTest) -> str:
    """Return all markdown and captions of the page as one text; spaces that keep words together are spaces."""
    return "\n".join(element.value for element in (*app.markdown, *app.caption)).replace("\u00a0", " ")


def headline(app: AppTest) -> str:
    """Return the first line of the page, as :func:`texts` does."""
    return app.markdown[0].value.replace("\u00a0", " ")


def figure(app: AppTest, number: int = 0) -> dict:
    """Return the specification of a Plotly chart on the page."""
    return json.loads(app.get("plotly_chart")[number].proto.spec)


def numbers(values: dict | list) -> list[float]:
    """Return the numbers of an array in a specification: a list, or what Plotly packs (dtype, base64)."""
    if isinstance(values, list):
        return values
    return np.frombuffer(base64.b64decode(values["bdata"]), values["dtype"]).tolist()


def paper(chosen: Chosen) -> str:
    """Return the page to print of what the Recommendations page shows."""
    parts = chosen.run, chosen.group, chosen.regime, chosen.members, chosen.trained
    return sheets.of_group(*parts, "22 November 2026")
