"""The HTTP routes beside the pages: events come in, a group's list goes out (docs/api.md).

They are off unless the environment variable ``GROUPREC_API_TOKEN`` has a value, which every request must bear.
"""

from __future__ import annotations

import hmac
import json
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from grouprec.core import rights
from grouprec.core.types import GrouprecError
from grouprec.core.whole import whole
from grouprec.runs.store import Run, RunStore

TOKEN = "GROUPREC_API_TOKEN"  # the name of the setting
MOST_BYTES = 1 << 20  # of one request's body
PER_MINUTE = 60
TYPES = ("application/json", "application/x-ndjson", "application/jsonl")
REGIMES = ("strict", "dedup")
LENGTH, LONGEST = 10, 50  # items of a list


class Bucket:
    """A token bucket: ``size`` requests at once, refilled evenly within a minute. Threads may share it."""

    def __init__(self, size: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size, self._clock, self._lock = size, clock, threading.Lock()
        self._left, self._at = float(size), clock()

    def take(self) -> float:
        """Take one request out; return 0, or the seconds until there is one."""
        with self._lock:
            now = self._clock()
            self._left = min(self._size, self._left + (now - self._at) * self._size / 60)
            self._at = now
            if self._left < 1:
                return (1 - self._left) * 60 / self._size
            self._left -= 1
            return 0.0


def routes() -> list[Route]:
    """Return the routes of the server; without a token they answer 404 like any path that is not there."""
    bucket = Bucket(PER_MINUTE)

    def guarded(answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            try:
                _admit(request, bucket)
                with rights.acting(rights.program()):
                    return JSONResponse(await answer(request), headers={"Cache-Control": "no-store"})
            except HTTPException as error:
                return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
            except GrouprecError as error:
                return JSONResponse({"error": str(error)}, 409)

        return endpoint

    return [
        Route("/api/events", guarded(post_events), methods=["POST"]),
        Route("/api/groups/{group}/list", guarded(get_list), methods=["GET"]),
    ]


def _admit(request: Request, bucket: Bucket) -> None:
    """Refuse who does not know the token, then who asks too often (strangers use up nobody's share)."""
    expected = os.environ.get(TOKEN, "").strip()
    if not expected:
        raise HTTPException(404, "There is nothing here.")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(), expected.encode())
    if scheme.lower() != "bearer" or not same:
        sentence = f"The token is missing or wrong; send 'Authorization: Bearer' and the value of {TOKEN}."
        raise HTTPException(401, sentence, {"WWW-Authenticate": "Bearer"})
    wait = bucket.take()
    if wait:
        sentence = f"More than {PER_MINUTE} requests a minute; wait, and send more events with each."
        raise HTTPException(429, sentence, {"Retry-After": str(int(wait) + 1)})


async def post_events(request: Request) -> dict[str, Any]:
    """Apply the events of the body to the run ``?run=`` (an id or "last", the default) and say what they did."""
    given = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if given not in TYPES or request.headers.get("content-encoding", "identity") != "identity":
        sentence = f"Send JSON lines or one JSON array, uncompressed, with Content-Type {TYPES[1]} or {TYPES[0]}."
        raise HTTPException(415, sentence)
    events = read_events(await _body(request))
    run = _run(request)
    return await run_in_threadpool(_apply, run, events)


async def get_list(request: Request) -> dict[str, Any]:
    """Return a group's list as it stands: ``?run=``, ``?use=strict|dedup`` and ``?n=`` items."""
    use, length = request.query_params.get("use", REGIMES[0]), request.query_params.get("n", str(LENGTH))
    if use not in REGIMES:
        raise HTTPException(400, f"'use' is 'strict' or 'dedup', not '{use[:40]}'.")
    n = whole(length)
    if n is None or not 1 <= n <= LONGEST:
        raise HTTPException(400, f"'n' is a number from 1 to {LONGEST}, not '{length[:40]}'.")
    return await run_in_threadpool(_list, _run(request), request.path_params["group"], use, n)


async def _body(request: Request) -> bytes:
    """Return the body, refused as soon as it is too long, whatever its header says."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise HTTPException(413, "The body is longer than 1 MiB; send the events in several requests.")
    except ClientDisconnect as error:
        raise HTTPException(400, "The connection closed before the body was complete.") from error
    return bytes(body)


def read_events(body: bytes) -> list[dict[str, Any]]:
    """Return the events of a body: JSON lines, one object a line, or a JSON array of objects.

    Raises:
        HTTPException: 400 with what is wrong, and where.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise HTTPException(400, f"The body is not UTF-8 (byte {error.start + 1}).") from error
    if text.lstrip().startswith("["):
        events = _json(text, "The body")
    else:
        lines = enumerate(text.split("\n"), 1)
        events = [_json(line, f"Line {number}") for number, line in lines if line.strip()]
    for number, event in enumerate(events, 1):
        if not isinstance(event, dict):
            raise HTTPException(400, f"Event {number} is no JSON object; an event looks like {EXAMPLE}.")
    if not events:
        raise HTTPException(400, f"The body has no events; an event looks like {EXAMPLE}.")
    return events


EXAMPLE = '{"user": "17850", "item": "85123A", "time": "2011-12-10T09:30:00"}'


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "a value is too large"
        raise HTTPException(400, f"{where} is not JSON: {reason}; an event looks like {EXAMPLE}.") from error


def _run(request: Request) -> Run:
    store = RunStore()
    try:
        return store.get(request.query_params.get("run", "last"))
    except GrouprecError as error:
        raise HTTPException(404, str(error)) from error


def _apply(run: Run, events: list[dict[str, Any]]) -> dict[str, Any]:
    from grouprec.live import streams  # knows the stages, and so torch: a server without requests does without

    with streams.use(RunStore(), run) as stream:
        effect = streams.send(stream, events)
    report = effect.report
    return {
        "run": run.run_id,
        **report.counts(),
        "moved": effect.moved.to_dict("records"),
        "changed_lists": effect.changed_lists(),
        "problems": report.problems,
        "seconds": report.seconds,
    }


def _list(run: Run, named: str, use: Any, length: int) -> dict[str, Any]:
    from grouprec.live import streams

    with streams.use(RunStore(), run) as stream:
        group = whole(named)
        if group is None or not 1 <= group <= stream.base.n_groups:
            raise HTTPException(404, f"There is no group {named[:40]}; the run has groups 1 to {stream.base.n_groups}.")
        items, scores = stream.group_list(group - 1, use, length)
        state = stream.state
        found = [
            {"rank": rank, "item": state.item_ids[item], "label": state.item_labels[item], "score": score}
            for rank, (item, score) in enumerate(zip(items.tolist(), scores.tolist(), strict=True), 1)
        ]
        return {"run": run.run_id, "group": group, "use": use, "events": stream.ledger.length, "items": found}
