"""Is the server well, and how busy is it: ``/healthz`` for whoever starts it, ``/metrics`` for Prometheus."""

from __future__ import annotations

import contextlib
import hmac
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from grouprec.core import rights
from grouprec.core.rights import Role
from grouprec.runs.store import RunStore, State

TOKEN = "GROUPREC_METRICS_TOKEN"  # the name of the setting; where people sign in there are no metrics without it
_BOUNDS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_KINDS = {
    "/api/": "api",
    "/static/": "static",  # Streamlit's fonts, in static/media, too
    "/media/": "download",
    "/_stcore/upload_file/": "upload",
    "/_stcore/": "streamlit",
}


class _Runs(Collector):
    """Runs by state, counted when somebody asks. A waiting run is queued: so many wait."""

    def collect(self) -> Iterable[Metric]:
        found = Counter(run.status().state for run in RunStore().all_runs())
        family = GaugeMetricFamily("grouprec_runs", "Runs by state; those that wait are queued.", labels=["state"])
        for state in State:
            family.add_metric([state.value], found[state])
        yield family


registry = CollectorRegistry()
registry.register(_Runs())
ProcessCollector(registry=registry)
_requests = Histogram(
    "grouprec_request_seconds",
    "HTTP requests, from the head to the end of the answer.",
    ["kind", "status"],
    buckets=_BOUNDS,
    registry=registry,
)
_pages = Histogram("grouprec_page_seconds", "Runs of a page's script.", ["page"], buckets=_BOUNDS, registry=registry)
_making = Gauge("grouprec_pages_in_the_making", "Page scripts that run now.", registry=registry)
_sessions = Gauge("grouprec_sessions", "Browser tabs that are connected.", registry=registry)


@contextlib.contextmanager
def page_seconds(page: str) -> Iterator[None]:
    """Measure how long the script of a page takes."""
    with _making.track_inprogress(), _pages.labels(page or "home").time():
        yield


def pages_in_the_making() -> int:
    """Return how many scripts of pages run now."""
    return int(_making._value.get())


def sessions() -> int:
    """Return how many browser tabs are connected."""
    return int(_sessions._value.get())


class Watch:
    """ASGI middleware that counts and times what passes."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            with _sessions.track_inprogress():
                await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._timed(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _timed(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, status = time.perf_counter(), "none"  # of a client that went away before the answer

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = f"{message['status'] // 100}xx"
            await send(message)

        kind = next((kind for part, kind in _KINDS.items() if part in scope["path"]), "page")
        try:
            await self._app(scope, receive, watched)
        finally:
            _requests.labels(kind, status).observe(time.perf_counter() - begun)


def routes() -> list[Route]:
    """Return the two routes of the server."""
    return [Route("/healthz", get_health), Route("/metrics", get_metrics)]


async def get_health(request: Request) -> Response:
    """Answer 200 where runs can be read and written, 503 where not; it tells nothing else."""
    well = await run_in_threadpool(_writable)
    return PlainTextResponse("ok" if well else "the runs folder cannot be written", 200 if well else 503)


def _writable() -> bool:
    root = RunStore().root
    there = next((folder for folder in (root, *root.parents) if folder.exists()), root)
    try:
        room = shutil.disk_usage(there).free > 0 and _names_left(there)
        return room and os.access(there, os.R_OK | os.W_OK | os.X_OK)
    except OSError:
        return False


def _names_left(folder: Path) -> bool:
    """Return whether the disk has room for further files, where it counts them."""
    if not hasattr(os, "statvfs"):
        return True
    disk = os.statvfs(folder)
    return not disk.f_files or disk.f_favail > 0


async def get_metrics(request: Request) -> Response:
    """Answer in Prometheus' text format, to who has the token; without one only where nobody has to sign in."""
    expected = os.environ.get(TOKEN, "").strip()
    given = request.headers.get("authorization", "").partition(" ")[2].strip()
    if not (hmac.compare_digest(given.encode(), expected.encode()) if expected else not _signed_in()):
        sentence = f"Send 'Authorization: Bearer' and the value of {TOKEN}."
        return PlainTextResponse(sentence, 401, {"WWW-Authenticate": "Bearer"})
    text = await run_in_threadpool(generate_latest, registry)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _signed_in() -> bool:
    return rights.program().role is not Role.LOCAL
