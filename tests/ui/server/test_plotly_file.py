"""Plotly goes out with the kinds of charts that our figures have, and whole where it is not made as expected."""

from __future__ import annotations

import asyncio
import re

from starlette.responses import PlainTextResponse
from starlette.types import Message

from grouprec.core.site import app_root
from grouprec.ui.server import plotly_file
from grouprec.ui.server.plotly_file import KINDS, PlotlyFile, found, shortened


def answer(path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return the status, the headers and the body that a browser gets."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": path, "headers": lines}
    asyncio.run(PlotlyFile(PlainTextResponse("Streamlit's"))(scope, receive, send))
    got = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], got, b"".join(one.get("body", b"") for one in sent[1:])


def test_the_kinds_of_our_figures_are_known_from_the_start_and_all_others_when_a_figure_has_one() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (app_root() / "grouprec").rglob("*.py"))
    drawn = {name.lower() for name in re.findall(r"\bgo\.([A-Z]\w*)\(", code)} - {"figure"}
    assert drawn - {"scatter", "scatter3d"} <= KINDS, "a map in three dimensions is asked for by few"
    path = found()
    assert path is not None
    text = path.read_text(encoding="utf-8")
    short = shortened(text)
    first, others = re.findall(r"\.register\(\[((?:[\w$]+\(\),?){5,})\]\)", short)
    assert first.count("()") == len(KINDS) and f"{first},{others}".count("()") == 47
    assert short.count("registerOthers") == 2 and short.count(plotly_file._EAGER) == 1
    assert short.count(plotly_file._EAGER_END) == 1


def test_a_browser_keeps_the_file_and_asks_whether_it_is_the_same() -> None:
    path = found()
    assert path is not None
    status, headers, body = answer(f"/base/static/js/{path.name}")
    assert status == 200 and body == plotly_file.ours()[0] and headers["content-type"].startswith("text/javascript")
    assert headers["cache-control"] == "no-cache" and int(headers["content-length"]) == len(body)
    assert answer(f"/static/js/{path.name}", if_none_match=f"W/{headers['etag']}")[0] == 304
    for other in ("/static/js/index.js", f"/static/js/{path.name}.map", f"/media/{path.name}"):
        assert answer(other)[2] == b"Streamlit's"


def test_a_file_that_is_made_otherwise_stays_as_it_is() -> None:
    text = "x.register([a(),b(),c(),d(),e(),f(),g(),h(),i(),j()]);" + plotly_file._LAZY + plotly_file._DRAWN
    assert shortened(text) == text
