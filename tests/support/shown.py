"""Every word that a page shows or has read aloud, as the browser gets it: labels, help, options, charts, columns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

# Fields of elements and figures that nobody reads: ids, settings of the layout, data, code
ELEMENTS = frozenset(
    re.findall(
        r"\S+",
        "id key icon elementId formId url pageScriptHash spec config data queryParams queryParamKey queryString "
        "userKey fragmentId language type arrowData page downloadUrl elementType gapSize direction justify align "
        "deferredFileId theme selectionMode selectionState verticalAlignment labelVisibility rawValue autocomplete "
        "componentName jsContent cssContent htmlContent json columnOrder name",
    )
)
FIGURES = frozenset(
    re.findall(
        r"\S+",
        "type mode fill xref yref anchor xanchor yanchor dash color symbol hoverinfo orientation template dragmode "
        "hovermode dtype bdata side textposition shape fillcolor colorscale meta clickmode arrangement barmode "
        "overlaying scaleanchor rangemode line marker tickmode traceorder itemsizing coloring categoryorder bgcolor "
        "gridcolor font aspectmode autorange bordercolor insidetextanchor zerolinecolor backgroundcolor constraintext "
        "paper_bgcolor plot_bgcolor",
    )
)
_CODE = re.compile(
    r":material/\w+:|\{foreground=[^}]*\}|:(?:color|small|primary-badge)\[|<style.*?</style>|<[^>]*>|%\{[^}]*\}",
    re.DOTALL,
)
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")


def shown(app: AppTest) -> list[str]:
    """Return all texts of a page, without markup."""
    found = [text for node in _nodes(app._tree) for text in _of(node)]
    return [text for text in (_CODE.sub(" ", re.sub(r"[\\*`]", "", one)) for one in found) if text.strip()]


def latin_words(text: str) -> list[str]:
    """Return the words in Latin letters of a text."""
    return _WORD.findall(text)


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from _nodes(child)


def _of(node: Any) -> Iterator[str]:
    proto = getattr(node, "proto", None)
    if proto is None or not hasattr(proto, "DESCRIPTOR"):
        return
    yield from _texts(MessageToDict(proto), ELEMENTS)
    if getattr(node, "type", "") == "plotly_chart":
        yield from _texts(json.loads(proto.spec), FIGURES)


def _texts(value: Any, passed_over: frozenset[str]) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in passed_over:
                yield from _columns(inner) if name == "columns" else _texts(inner, passed_over)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, passed_over)
    elif isinstance(value, str):
        yield value


def _columns(value: Any) -> Iterator[str]:
    """Yield titles and explanations of the columns of a table, which come as JSON."""
    if isinstance(value, str):
        for column in json.loads(value or "{}").values():
            yield from (
                str(column[word]) for word in ("label", "help") if isinstance(column, dict) and column.get(word)
            )
