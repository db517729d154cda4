"""Plotly as our pages need it: a browser spends a second on kinds of charts that hardly anybody draws.

Streamlit's client loads one file with all of Plotly (4.7 MB). Most of what a browser does with it before the first
chart is making 47 kinds of traces known, maps of the world and surfaces in space among them, and reading everything a
second time. The file goes out so that the kinds of our figures are made known at once and all others by the first
figure that has one, and in brackets that tell a browser to read its whole while it arrives (decision 0195). A file
that is not as expected goes out as it is.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

KINDS = frozenset({"bar", "contour", "heatmap", "sankey", "scattergl"})  # beside "scatter", which is always there
# Patterns that begin with what is rare: 4.7 MB are searched in no time.
_REGISTERED = re.compile(r"\.register\(\[((?:[\w$]{1,9}\(\),?){9,99})\]\)")
_PLOTLY = re.compile(r"[\w$]{1,9}$")
_MODULE = re.compile(r"lib/(\w{1,40})\.js[\"'`]\(")
_NAMED = re.compile(r"([\w$]{1,9})=[\w$]{1,9}\(\{[\"'`]$")
_DRAWN = "return e.react(_.current,{data:t,"
_DRAWN_LATE = "return t.every(t=>!t.type||/^({kinds})$/.test(t.type))||e.registerOthers(),e.react(_.current,{{data:t,"
_LAZY, _LAZY_END = "(typeof self<`u`?self:n,()=>{var e=(()=>{", "return window.Plotly=e,e})})"
_EAGER, _EAGER_END = "(typeof self<`u`?self:n,(()=>{var e=(()=>{", "return window.Plotly=e,e}))})"


@cache
def found() -> Path | None:
    """Return Streamlit's file of Plotly, None where it has no such file or several."""
    files = list((Path(st.__file__).parent / "static" / "static" / "js").glob("PlotlyChart.*.js"))
    return files[0] if len(files) == 1 else None


def shortened(text: str) -> str:
    """Return Plotly that knows our kinds of charts from the start; the text as it came where it is made otherwise."""
    lists = list(_REGISTERED.finditer(text))
    parts = (_LAZY, _LAZY_END, _DRAWN)
    if len(lists) != 1 or [text.count(part) for part in parts] != [1] * len(parts):
        return text
    [registered] = lists
    plotly = _PLOTLY.search(text, max(0, registered.start() - 9), registered.start())
    kinds = {}
    for module in _MODULE.finditer(text):
        if named := _NAMED.search(text, max(0, module.start() - 24), module.start()):
            kinds[f"{named[1]}()"] = module[1]
    names = registered[1].split(",")
    ours, others = ([one for one in names if (kinds.get(one) in KINDS) is ours] for ours in (True, False))
    if len(ours) != len(KINDS) or plotly is None:
        return text
    late = f"{plotly[0]}.registerOthers=()=>{plotly[0]}.register([{','.join(others)}])"
    text = text.replace(registered[0], f".register([{','.join(ours)}]),{late}")
    text = text.replace(_DRAWN, _DRAWN_LATE.format(kinds="|".join(sorted({*KINDS, "scatter"}))))
    return text.replace(_LAZY, _EAGER).replace(_LAZY_END, _EAGER_END)


@cache
def ours() -> tuple[bytes, str]:
    """Return the file that goes out, and its ETag."""
    path = found()
    body = shortened(path.read_text(encoding="utf-8")).encode() if path else b""
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


class PlotlyFile:
    """ASGI middleware: whoever asks for Streamlit's file of Plotly gets ours.

    Its name stays while our kinds may change: a browser keeps it, and asks each time whether it is still the same.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = found()
        asked = scope["type"] == "http" and scope["method"] == "GET"
        if path is None or not asked or not scope["path"].endswith(f"/static/js/{path.name}"):
            await self._app(scope, receive, send)
            return
        body, tag = ours()
        headers = {"etag": tag, "cache-control": "no-cache"}
        if tag in Headers(scope=scope).get("if-none-match", ""):
            await Response(status_code=304, headers=headers)(scope, receive, send)
            return
        await Response(body, headers=headers, media_type="text/javascript")(scope, receive, send)
