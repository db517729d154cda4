"""Streamlit's page goes out with our script, everything else as it is."""

from __future__ import annotations

import asyncio
import re

import pytest
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message

from grouprec.ui.server import first_page
from grouprec.ui.server.first_page import FirstPage


def answer(inner: ASGIApp, method: str = "GET") -> tuple[dict[bytes, bytes], str]:
    """Return the headers and the body that a browser gets."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/decide", "headers": [(b"accept-encoding", b"gzip")]}
    asyncio.run(FirstPage(inner)(scope, receive, send))
    return dict(sent[0]["headers"]), b"".join(one.get("body", b"") for one in sent[1:]).decode()


def test_streamlits_page_says_where_the_server_is() -> None:
    headers, body = answer(HTMLResponse(first_page.streamlits(), headers={"etag": "x", "cache-control": "no-cache"}))
    assert int(headers[b"content-length"]) == len(body.encode()) and b"etag" not in headers
    assert headers[b"cache-control"] == b"no-cache"
    assert answer(GZipMiddleware(HTMLResponse(first_page.streamlits())))[1] == body, "browsers take packed pages"
    assert "compare|data|decide|groups|personas|recommendations|train|updates|what_if" in body
    assert re.sub(r"<script>\n.*?</script>", "", body, count=1, flags=re.DOTALL) == first_page.streamlits()


@pytest.mark.parametrize("html", ["<p>ours</p>", "x" * len(first_page.streamlits().encode())])
def test_other_pages_go_out_as_they_are(html: str) -> None:
    headers, body = answer(HTMLResponse(html, headers={"etag": "x"}))
    assert (headers[b"etag"], body) == (b"x", html)
    assert answer(HTMLResponse(first_page.streamlits()), "HEAD")[1] == first_page.streamlits()
