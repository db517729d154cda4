"""Streamlit's page as every visitor gets it, with a script that spares waiting and many presses of the tab key.

Streamlit's client looks for its server below the path of the page first and is told that nothing is there: it tries
again a tenth of a second later. It is told here where its server is (decision 0170). And what a button opens is the
last thing on the page for the tab key, behind everything else: here it comes after its button (decision 0245).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grouprec.core.site import app_root
from grouprec.ui.server import loading

OLD_PAGES = ("personas", "what_if")  # of earlier versions, whose links still lead somewhere
_SCRIPT = """<script>
window.__streamlit = {BACKEND_BASE_URL: location.origin + location.pathname.replace(/[/](PAGES)$/, "/")}
addEventListener("keydown", (event) => {
  const button = document.querySelector("[data-testid=stPopoverButton][aria-expanded=true]")
  const opened = document.querySelector("[data-testid=stPopoverBody]")
  if (event.key !== "Tab" || !button || !opened) return
  const stops = [...opened.querySelectorAll("a[href], button, input, textarea, [tabindex]")].filter(
    (one) => one.tabIndex >= 0 && !one.disabled && one.checkVisibility())
  const [at, back] = [document.activeElement, event.shiftKey]
  if (!stops.length) return
  if (at === stops[back ? 0 : stops.length - 1]) button.focus()  // forwards, the browser then goes on from the button
  else if (at === button && !back) stops[0].focus()
  else return
  if (back || at === button) event.preventDefault()
}, true)
</script>"""


@cache
def pages() -> frozenset[str]:
    """Return the names of all pages, as addresses have them."""
    return frozenset({*OLD_PAGES, *(page.stem for page in (app_root() / "pages").glob("*.py"))})


@cache
def streamlits() -> str:
    """Return Streamlit's page as it comes."""
    return (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")


@cache
def ours() -> str:
    """Return Streamlit's page with our script in it."""
    script = _SCRIPT.replace("PAGES", "|".join(sorted(pages())))
    return streamlits().replace("<head>", f"<head>{script}", 1)


class FirstPage:
    """ASGI middleware: wherever Streamlit's page is answered with, ours goes out, in plain text: it is small."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or scope["path"].rpartition("/")[2] not in {"", *pages()}
        ):
            await self._app(scope, receive, send)
            return
        loading.soon(scope["path"].rpartition("/")[2])
        plainly = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        start: Message | None = None
        body = b""

        async def exchanged(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start" and _is_page(message):
                start = message  # goes out once it is known what follows it
            elif start is None:
                await send(message)
            else:
                body += message.get("body", b"")
                if not message.get("more_body"):
                    await _answer(start, body, send)

        await self._app({**scope, "headers": plainly}, receive, exchanged)


def _is_page(start: Message) -> bool:
    headers = MutableHeaders(raw=list(start["headers"]))
    size = len(streamlits().encode())
    return (
        start["status"] == 200
        and headers.get("content-type", "").startswith("text/html")
        and headers.get("content-length") == str(size)
    )


async def _answer(start: Message, body: bytes, send: Send) -> None:
    """Send an answer, ours in place of Streamlit's page; no browser is to keep it, since it changes with us alone."""
    if body == streamlits().encode():
        body = ours().encode()
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-length"] = str(len(body))
        for name in ("etag", "last-modified", "accept-ranges"):
            del headers[name]
        start = {**start, "headers": headers.raw}
    await send(start)
    await send({"type": "http.response.body", "body": body})
