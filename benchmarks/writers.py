"""``python -m benchmarks.writers [--writers 8] [--events 10000] [--half 50]``: many programs that send events at once.

Each sends its share in seven requests to ``/api/events``, while as many half-sent requests as asked for stay open.
Printed are the events that were applied, which must be all and the one before them, once; how long a request takes,
the waiting for others included, and how much of that is an event's: its request's time over the events in it. The
server takes 60 requests at once and then one a second, which is waited for and not counted.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from benchmarks.dashboard import server
from benchmarks.measure import machine
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.live.stream import Stream
from grouprec.runs.store import RunStore
from grouprec.ui.server.api import TOKEN
from tests.support.fitted_run import build_fitted_run

REQUESTS, SECRET = 7, "only for this measurement"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--writers", type=int, default=8)
    arguments.add_argument("--events", type=int, default=10_000)
    arguments.add_argument("--half", type=int, default=50, help="requests that are begun and never ended")
    given = arguments.parse_args()
    print(machine())
    os.environ[TOKEN] = SECRET
    with tempfile.TemporaryDirectory() as folder:
        store, data = RunStore(Path(folder)), planted(n_users=800, n_items=300, events_per_user=20).data
        run = build_fitted_run(store, data, 4)
        with server(store.root) as (url, _):
            halves = [_half(url) for _ in range(given.half)]
            _send(url, [_event(data.user_ids[0], data.item_ids[0], time.time())])  # libraries load
            begun = time.monotonic()
            with ThreadPoolExecutor(given.writers) as pool:
                work = [(url, data, number, given) for number in range(given.writers)]
                times = [one for found in pool.map(lambda parts: _write(*parts), work) for one in found]
            took = time.monotonic() - begun
            for one in halves:
                one.close()
        with Stream.open(store, run) as stream:
            counts = stream.ledger.counters()
    seconds, n_events = (np.array(column) for column in zip(*times, strict=True))
    print(f"{given.writers} writers, {sum(n for _, n in times):,} events in {took:.1f} s: {counts}")
    once = counts["applied"] == counts["events"] == sum(n_events) + 1
    print(f"all counted once: {'yes' if once else 'NO'}")
    for name, values in (("requests", seconds), ("events", np.repeat(seconds / n_events, n_events))):
        middle, high = np.percentile(values, (50, 99)) * 1000
        print(f"{name}: p50 {middle:.1f} ms, p99 {high:.1f} ms")


def _write(url: str, data: Dataset, number: int, given: argparse.Namespace) -> list[tuple[float, int]]:
    """Send the events of one writer, about users of its own; return seconds and events of every request."""
    rng, own = np.random.default_rng(number), data.user_ids[number :: given.writers]
    parts = np.diff(np.linspace(0, given.events // given.writers, REQUESTS + 1, dtype=int))
    return [_send(url, _events(rng, own, data.item_ids, int(n))) for n in parts]


def _events(rng: np.random.Generator, users: np.ndarray, items: np.ndarray, n: int) -> list[dict[str, object]]:
    now = time.time()
    return [_event(rng.choice(users), rng.choice(items), now + k / 1e6) for k in range(n)]


def _event(user: str, item: str, when: float) -> dict[str, object]:
    return {"user": str(user), "item": str(item), "time": when}


def _send(url: str, events: list[dict[str, object]]) -> tuple[float, int]:
    body = "\n".join(map(json.dumps, events))
    while True:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        begun = time.perf_counter()
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "application/x-ndjson"}
        connection.request("POST", "/api/events", body, headers)
        answer = connection.getresponse()
        said, seconds = answer.read(), time.perf_counter() - begun
        connection.close()
        if answer.status == 200:
            return seconds, len(events)
        if answer.status != 429:
            raise SystemExit(f"{answer.status}: {said.decode()[:500]}")
        time.sleep(float(answer.getheader("Retry-After", "1")))


def _half(url: str) -> socket.socket:
    """Begin a request and leave it."""
    host, _, port = urlsplit(url).netloc.partition(":")
    one = socket.create_connection((host, int(port)))
    one.sendall(b"POST /api/events HTTP/1.1\r\nHost: " + host.encode())
    return one


if __name__ == "__main__":
    main()
