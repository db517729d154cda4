"""The HTTP routes: events come in, a group's list goes out, and nothing else gets through."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.types import Message

from grouprec.live import streams
from grouprec.live.stream import Stream
from grouprec.runs.store import Run, RunStore
from grouprec.ui.server import api, health, present, uploads


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: Any


@dataclass
class Client:
    """Speaks ASGI to the routes; a body may come in several chunks, and ``read`` says how many were asked for."""

    app: Starlette
    token: str = "secret"
    read: int = 0

    def __call__(self, method: str, path: str, body: bytes | list[bytes] = b"", **headers: str) -> Reply:
        chunks = [body] if isinstance(body, bytes) else body
        sent: list[Message] = []
        self.read = 0

        async def receive() -> Message:
            chunk = chunks[self.read]
            self.read += 1
            return {"type": "http.request", "body": chunk, "more_body": self.read < len(chunks)}

        async def send(message: Message) -> None:
            sent.append(message)

        given = {"authorization": f"Bearer {self.token}", **{k.replace("_", "-"): v for k, v in headers.items()}}
        route, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": route,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
        }
        asyncio.run(self.app(scope, receive, send))
        answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        text = b"".join(message.get("body", b"") for message in sent[1:])
        is_json = answered.get("content-type") == "application/json"
        return Reply(sent[0]["status"], answered, json.loads(text) if is_json else text)

    def post(self, events: list[dict] | bytes, query: str = "", **headers: str) -> Reply:
        body = events if isinstance(events, bytes) else "\n".join(map(json.dumps, events)).encode()
        return self("POST", f"/api/events{query}", body, **{"content_type": "application/x-ndjson", **headers})


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, run: Run) -> Iterator[Client]:
    monkeypatch.setenv(api.TOKEN, "secret")
    yield Client(Starlette(routes=api.routes()))
    streams.close_all()


def test_events_are_applied_once_and_the_answer_says_what_they_did(client: Client, run: Run) -> None:
    events = [{"user": f"u{n:05d}", "item": f"i{n % 5:05d}", "time": f"2025-01-01T00:{n:02d}:00Z"} for n in range(40)]
    bad = [{"user": "u00001"}, {"user": "new", "item": "i00001", "time": "2025-01-02"}]
    reply = client.post(events + bad)
    assert reply.status == 200, reply.body
    counts = {name: reply.body[name] for name in ("events", "applied", "duplicates", "late", "malformed")}
    assert counts == {"events": 42, "applied": 41, "duplicates": 0, "late": 0, "malformed": 1}
    assert reply.body["run"] == run.run_id
    assert reply.body["problems"] == ["row 41: it has no item"]
    moved = {row["user"]: (row["before"], row["after"]) for row in reply.body["moved"]}
    assert moved["new"][0] == 0 and len(moved) > 1, "the new user and somebody else"
    assert set(reply.body["changed_lists"]) <= {1, 2, 3} and reply.body["changed_lists"]
    again = client.post(events, "?run=last").body
    assert (again["applied"], again["duplicates"], again["moved"], again["changed_lists"]) == (0, 40, [], [])
    streams.close_all()
    with Stream.open(RunStore(run.path.parent), run) as stream:
        groups = dict(zip(stream.state.user_ids, (stream.state.labels + 1).tolist(), strict=True))
        assert {user: groups[user] for user in moved} == {user: after for user, (_, after) in moved.items()}


def test_a_json_array_is_taken_too(client: Client) -> None:
    body = json.dumps([{"user": "u00001", "item": "i00001"}, {"user": "u00002", "item": "i00001"}]).encode()
    reply = client("POST", "/api/events", body, content_type="application/json; charset=utf-8")
    assert reply.status == 200 and reply.body["applied"] == 2


def test_the_list_of_a_group_is_given_as_it_stands(client: Client, run: Run) -> None:
    first = client("GET", "/api/groups/2/list?n=5").body
    assert (first["group"], first["use"], first["events"], len(first["items"])) == (2, "strict", 0, 5)
    table = run.table("group_lists").query("group == 2 and regime == 'strict'")
    assert [one["item"] for one in first["items"]] == table["item"].tolist()[:5]
    assert [one["label"] for one in first["items"]] == table["label"].tolist()[:5]
    best = first["items"][0]["item"]
    client.post([{"group": 2, "item": best, "behaviour": "hide"}])
    then = client("GET", f"/api/groups/2/list?n=50&use=dedup&run={run.run_id}").body
    assert then["events"] == 1 and best not in {one["item"] for one in then["items"]}
    assert [one["rank"] for one in then["items"]] == list(range(1, len(then["items"]) + 1))


@pytest.mark.parametrize(
    ("path", "status", "word"),
    [
        ("/api/groups/4/list", 404, "groups 1 to 3"),
        ("/api/groups/0/list", 404, "groups 1 to 3"),
        ("/api/groups/-1/list", 404, "There is no group -1; the run has groups 1 to 3"),
        (f"/api/groups/{'9' * 5000}/list", 404, f"There is no group {'9' * 40}; the run has groups 1 to 3"),
        ("/api/groups/1/list?use=all", 400, "'strict' or 'dedup'"),
        ("/api/groups/1/list?n=51", 400, "from 1 to 50"),
        ("/api/groups/1/list?n=-1", 400, "from 1 to 50"),
        (f"/api/groups/1/list?n={'9' * 5000}", 400, "from 1 to 50"),
        ("/api/groups/1/list?run=other", 404, "no run called 'other' in the runs folder;"),
    ],
)
def test_a_list_that_is_not_there_is_one_sentence(client: Client, path: str, status: int, word: str) -> None:
    reply = client("GET", path)
    assert reply.status == status and word in reply.body["error"]


def test_without_a_token_in_the_environment_the_routes_are_not_there(client: Client, monkeypatch) -> None:
    for value in ("", " "):
        monkeypatch.setenv(api.TOKEN, value)
        assert client.post([{"user": "a", "item": "b"}], authorization="Bearer ").status == 404
        assert client("GET", "/api/groups/1/list").status == 404


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic secret", "Bearer secret2", "Bearer sécret"])
def test_a_wrong_token_is_refused_before_anything_else(client: Client, given: str) -> None:
    reply = client.post(b"x" * (api.MOST_BYTES + 1), authorization=given)
    assert reply.status == 401 and client.read == 0
    assert reply.headers["www-authenticate"] == "Bearer"


def test_a_body_that_is_too_long_is_refused_while_it_is_read(client: Client) -> None:
    line = json.dumps({"user": "u00001", "item": "i00001"}).encode() + b"\n"
    chunk = line * (400_000 // len(line))
    reply = client("POST", "/api/events", [chunk] * 10, content_type="application/jsonl", content_length="9")
    assert reply.status == 413 and "1 MiB" in reply.body["error"]
    assert client.read == 3, "the rest is not read"


def test_more_than_the_allowed_requests_a_minute_are_told_when_to_come_back(client: Client, monkeypatch) -> None:
    monkeypatch.setattr(api, "PER_MINUTE", 3)
    limited = Client(Starlette(routes=api.routes()))
    assert [limited("GET", "/api/groups/9/list").status for _ in range(4)] == [404, 404, 404, 429]
    reply = limited("GET", "/api/groups/9/list")
    assert reply.status == 429 and 1 <= int(reply.headers["retry-after"]) <= 20
    assert limited("GET", "/api/groups/9/list", authorization="Bearer wrong").status == 401


def test_a_bucket_fills_evenly() -> None:
    now = [0.0]
    bucket = api.Bucket(60, lambda: now[0])
    assert [bucket.take() for _ in range(60)] == [0.0] * 60
    assert bucket.take() == pytest.approx(1.0)
    now[0] = 0.5
    assert bucket.take() == pytest.approx(0.5)
    now[0] = 2.01
    assert (bucket.take(), bucket.take()) == (0.0, 0.0)
    assert bucket.take() > 0
    now[0] = 1e6
    assert [bucket.take() > 0 for _ in range(61)].count(True) == 1


@pytest.mark.parametrize("headers", [{"content_type": ""}, {"content_type": "text/csv"}, {"content_encoding": "gzip"}])
def test_other_types_are_refused(client: Client, headers: dict[str, str]) -> None:
    reply = client.post([{"user": "a", "item": "b"}], **headers)
    assert reply.status == 415 and "JSON lines" in reply.body["error"]


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "no events"),
        (b"[]", "no events"),
        (b" \n\n", "no events"),
        (b'{"user": "a", "item": "b"}\n{"user": ', "Line 2 is not JSON"),
        (b"[1, 2", "The body is not JSON"),
        (b'[{"user": "a"}, 7]', "Event 2 is no JSON object"),
        (b'"text"', "Event 1 is no JSON object"),
        (b"\xff\xfe", "not UTF-8 (byte 1)"),
        (b'{"time": ' + b"9" * 5000 + b"}", "Line 1 is not JSON"),
        (b"[" * 100_000, "The body is not JSON"),
    ],
)
def test_a_body_that_is_no_events_is_one_sentence(client: Client, body: bytes, word: str) -> None:
    reply = client.post(body)
    assert reply.status == 400 and word in reply.body["error"], reply.body


def test_strange_values_in_events_are_malformed_and_nothing_breaks(client: Client) -> None:
    body = (
        b'{"user": {"a": 1}, "item": "i00001"}\n{"user": "\\ud800", "item": "i00001"}\n'
        b'{"user": null, "item": "i00001"}\n{"user": "u00001", "item": "i00001", "weight": NaN}\n'
        b'{"user": "u00001", "item": "i00001", "weight": ' + b"9" * 400 + b"}\n"
        b'{"user": "u00001", "item": "i00002", "weight": 1e999}'
    )
    reply = client.post(body)
    assert reply.status == 200, reply.body
    assert reply.body["malformed"] >= 4 and reply.body["malformed"] + reply.body["applied"] == 6
    reply = client.post(b'{"user": "u00001", "item": "i00003", "\\ud800": "a name that no text can hold"}')
    assert (reply.status, reply.body["malformed"]) == (200, 1), reply.body


def test_a_stream_that_another_one_holds_is_a_conflict(client: Client, run: Run) -> None:
    with Stream.open(RunStore(run.path.parent), run):
        reply = client.post([{"user": "u00001", "item": "i00001"}])
    assert reply.status == 409 and "Another process" in reply.body["error"]
    assert client.post([{"user": "u00001", "item": "i00001"}]).status == 200, "and free again afterwards"


def test_the_server_has_the_routes() -> None:
    import app

    paths = [route.path for route in app.app._user_routes]
    assert paths == [route.path for route in (*health.routes(), *api.routes(), *present.routes(), uploads.route())]
