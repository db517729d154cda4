"""Who may talk to the server: under which names, from which pages, and from where at all."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket
from streamlit.file_util import get_static_dir

from grouprec.ui.server import guard, start
from grouprec.ui.server.guard import Guard, allowed_hosts, refusal

PATHS = ("/groups", "/_stcore/upload_file/a/b", "/api/upload", "/api/events", "/media/x.csv")
STREAM = "/_stcore/stream"


async def _page(request: Any) -> PlainTextResponse:
    return PlainTextResponse("here")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()


@pytest.fixture(scope="module")
def app() -> Guard:
    routes = [*(Route(path, _page) for path in (*PATHS, "/healthz")), WebSocketRoute(STREAM, _stream)]
    return Guard(Starlette(routes=routes), allowed_hosts("127.0.0.1") | {"*.example.com"}, ["sha256-x"])


def ask(app: Guard, path: str, host: str, more: list[tuple[bytes, bytes]] | None = None, **headers: str) -> Message:
    """Return the first message that answers a request, or the opening of a WebSocket; ``more`` are further headers."""
    sent: list[Message] = []
    kind = "websocket" if path == STREAM else "http"

    async def receive() -> Message:
        return {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    given = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = [(name.encode(), value.encode()) for name, value in given.items()] + (more or [])
    scope = {"type": kind, "method": "GET", "path": path, "query_string": b"", "headers": lines, "subprotocols": []}
    extensions = {"websocket.http.response": {}}
    asyncio.run(app({**scope, "extensions": extensions}, receive, send))
    return sent[0]


def passes(app: Guard, path: str, host: str, **headers: str) -> bool:
    answer = ask(app, path, host, **headers)
    return answer["type"] == "websocket.accept" or answer["status"] == 200


@pytest.mark.parametrize("path", [*PATHS, STREAM])
def test_only_our_names_and_our_own_pages_get_through(app: Guard, path: str) -> None:
    ours = "127.0.0.1:8501"
    assert passes(app, path, ours, origin=f"http://{ours}") and passes(app, path, ours)
    assert passes(app, path, "localhost:8501") and passes(app, path, "[::1]:8501")
    assert passes(app, path, "team.example.com", origin="https://team.example.com")
    for host in ("evil.example", "evil.example:8501", "127.0.0.1.evil.example", "example.com", "a@127.0.0.1", "", ":"):
        assert not passes(app, path, host, origin=f"http://{host}"), host
        assert not passes(app, path, host), host
    for origin in ("http://localhost:3000", "http://evil.example", "null", "http://127.0.0.1:8502", ""):
        assert not passes(app, path, ours, origin=origin), origin
    assert not passes(app, path, ours, sec_fetch_site="cross-site", sec_fetch_mode="no-cors")
    assert passes(app, path, ours, sec_fetch_site="cross-site", sec_fetch_mode="navigate")


def test_a_probe_may_ask_by_any_name(app: Guard) -> None:
    assert passes(app, "/healthz", "10.1.2.3")
    assert passes(app, "/healthz", "10.1.2.3", origin="http://evil.example")


# What an ASGI server makes of %2f, %2e and the like before it asks: the decoded path
NEARLY = (
    "/media/x/healthz",
    "//healthz",
    "/healthz/",
    "/./healthz",
    "/a/../healthz",
    "/Healthz",
    "/healthz;a",
    "healthz",
)


@pytest.mark.parametrize("path", [*NEARLY, "/team/healthz", "/groups/healthz", f"{STREAM}/healthz"])
def test_the_path_of_the_probe_is_one_path_and_nothing_that_ends_like_it(app: Guard, path: str) -> None:
    assert ask(app, path, "evil.example")["status"] == 403
    assert ask(app, path, "localhost", origin="http://evil.example")["status"] == 403


def test_below_a_path_the_probe_answers_there_and_at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start.st, "get_option", {"server.baseUrlPath": "/team/", "server.address": "127.0.0.1"}.get)
    monkeypatch.setattr(start.people, "sign_in_needed", lambda: False)
    made = next(one for one in start.middleware() if one.cls is Guard)
    guard = Guard(Starlette(routes=start.below_base([Route("/healthz", _page)])), **made.kwargs)
    assert passes(guard, "/healthz", "10.1.2.3") and passes(guard, "/team/healthz", "10.1.2.3")
    for path in ("/other/healthz", "/team/team/healthz", "/team//healthz", "/teamhealthz"):
        assert ask(guard, path, "10.1.2.3")["status"] == 403


@pytest.mark.parametrize("host", ["localhost..", ".localhost", "a..example.com", ".example.com", "localhost, evil"])
def test_a_name_with_empty_parts_or_two_names_are_none(app: Guard, host: str) -> None:
    assert not passes(app, "/groups", host)


def test_names_are_the_same_in_capitals_and_with_the_dot_that_ends_a_whole_name(app: Guard) -> None:
    for host in ("LOCALHOST:8501", "localhost.:8501", "Team.Example.com.", "one.team.example.com"):
        assert passes(app, "/groups", host, origin=f"http://{host}"), host


@pytest.mark.parametrize(
    "origin", ["http://[::1", "http://localhost/x", "ftp://localhost", "http://a@localhost", "localhost"]
)
def test_an_origin_that_no_browser_sends_is_refused_and_never_an_error(app: Guard, origin: str) -> None:
    assert ask(app, "/groups", "localhost", origin=origin)["status"] == 403


def test_of_two_headers_of_a_kind_both_count(app: Guard) -> None:
    for name, ours, other in (
        ("host", "localhost", "evil.example"),
        ("origin", "http://localhost", "http://evil.example"),
    ):
        for both in ((ours, other), (other, ours)):
            lines = [(name.encode(), one.encode()) for one in both]
            assert ask(app, "/groups", "localhost", lines)["status"] == 403


@pytest.mark.parametrize(("path", "host"), [("/groups", "localhost"), ("/groups", "evil.example"), (STREAM, "evil")])
def test_every_answer_bears_the_headers_by_which_a_browser_keeps_a_page_to_itself(
    app: Guard, path: str, host: str
) -> None:
    headers = {name.decode(): value.decode() for name, value in ask(app, path, host)["headers"]}
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    policy = headers["content-security-policy"].split("; ")
    assert "frame-ancestors 'none'" in policy and "default-src 'self'" in policy
    assert any(part.startswith("script-src") and "'sha256-x'" in part for part in policy)


def test_downloads_leave_no_copy_with_the_browser(app: Guard) -> None:
    for path in ("/media/x.csv", "/base/media/x.csv"):
        assert dict(ask(app, path, "localhost")["headers"])[b"cache-control"] == b"private, no-store"
    font = next(path.name for path in Path(get_static_dir(), "static/media").glob("*.woff2"))
    assert b"cache-control" not in dict(ask(app, f"/static/media/{font}", "localhost")["headers"])


def test_streamlit_still_has_the_one_inline_script_beside_ours() -> None:
    assert len(start.inline_scripts()) == 2


def test_the_server_is_known_by_its_address_and_by_the_names_of_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(guard.HOSTS, "Shop.example:8443, *.lan")
    assert {"192.0.2.7", "shop.example", "*.lan", "localhost"} <= allowed_hosts("192.0.2.7")
    assert "192.0.2.7" not in allowed_hosts("127.0.0.1")
    assert "127.0.0.1" in allowed_hosts("0.0.0.0") and "" not in allowed_hosts(None)


def test_without_sign_in_it_listens_where_others_reach_it_only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(guard.OPEN, raising=False)
    for address in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        assert not refusal(address, signed_in=False)
    for address in ("0.0.0.0", "::", None, "", "192.0.2.7", "shop.example"):
        assert "--open-to-network" in refusal(address, signed_in=False)
        assert not refusal(address, signed_in=True)
    monkeypatch.setenv(guard.OPEN, "1")
    assert not refusal("0.0.0.0", signed_in=False)


def test_a_refused_link_is_logged_without_its_token(app: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(logging.getLogger("grouprec"), "info", lambda text, **more: lines.append(f"{text} {more}"))
    assert ask(app, "/shared/20260101-000000-ab/Qm9tok", "evil.example")["status"] == 403
    assert lines and "/shared/" in lines[0] and "Qm9tok" not in lines[0]
