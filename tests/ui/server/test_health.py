"""What the server tells of itself: whether it is well, and how busy it is."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket

from grouprec.core import rights
from grouprec.core.rights import STRANGER
from grouprec.runs.config import make_config
from grouprec.runs.store import RunStore, State
from grouprec.ui.server import health

SEEN: list[int] = []


async def _page(request: object) -> PlainTextResponse:
    return PlainTextResponse("here")


async def _stream(socket: WebSocket) -> None:
    await socket.accept()
    SEEN.append(health.sessions())


APP = health.Watch(Starlette(routes=[*health.routes(), Route("/groups", _page), WebSocketRoute("/s", _stream)]))


def ask(path: str, kind: str = "http", **headers: str) -> tuple[int, str]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    lines = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": "GET", "path": path, "query_string": b"", "headers": lines, "subprotocols": []}
    asyncio.run(APP(scope, receive, send))
    return sent[0].get("status", 0), b"".join(message.get("body", b"") for message in sent[1:]).decode()


def value(text: str, name: str, **labels: str) -> float:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return next(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


def test_it_is_well_where_runs_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask("/healthz") == (200, "ok")
    with monkeypatch.context() as full:
        full.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=0))
        assert ask("/healthz")[0] == 503
    for files, left, status in ((900, 0, 503), (0, 0, 200), (900, 9, 200)):
        with monkeypatch.context() as full:
            full.setattr("os.statvfs", lambda path, of=files, left=left: SimpleNamespace(f_files=of, f_favail=left))
            full.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1))
            assert ask("/healthz")[0] == status
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert ask("/healthz")[0] == 503


def test_metrics_tell_runs_by_state_requests_sessions_and_memory(runs_folder: RunStore) -> None:
    for state in (State.QUEUED, State.FAILED, State.FAILED):
        runs_folder.create(make_config(interactions=Path("x.csv"), preset="quick")).set_status(state=state)
    before = ask("/metrics")[1]
    assert value(before, "grouprec_runs", state="failed") == 2 and value(before, "grouprec_runs", state="queued") == 1
    ask("/groups")
    ask("/s", "websocket")
    assert SEEN[-1] == 1 and health.sessions() == 0
    with health.page_seconds("groups"):
        pass
    after = ask("/metrics")[1]
    labels = {"kind": "page", "status": "2xx"}
    assert value(after, "grouprec_request_seconds_count", **labels) == 2 + _old(before, labels)
    assert value(after, "grouprec_page_seconds_count", page="groups") >= 1
    assert value(after, "process_resident_memory_bytes") > 1e6


def _old(text: str, labels: dict[str, str]) -> float:
    try:
        return value(text, "grouprec_request_seconds_count", **labels)
    except StopIteration:
        return 0.0


def test_metrics_are_for_who_has_the_token_and_for_nobody_where_people_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(health.TOKEN, "secret")
    assert ask("/metrics")[0] == 401 and ask("/metrics", authorization="Bearer other")[0] == 401
    assert ask("/metrics", authorization="Bearer secret")[0] == 200
    monkeypatch.delenv(health.TOKEN)
    assert ask("/metrics")[0] == 200
    monkeypatch.setattr(rights, "_asked", [lambda: STRANGER])
    assert ask("/metrics")[0] == 401 and ask("/metrics", authorization="Bearer ")[0] == 401
