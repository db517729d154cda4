"""``python -m benchmarks.dashboard [--users 100000]``: how quick the dashboard is on a large finished run.

Trains a run on planted users (few epochs: only its size matters here), then takes medians, after a first one that
imports and caches: the server time of every page, of moves of the slider of lists to every number, and of selections
of 2,000 users on the map, by Streamlit's own test harness, which runs the whole script where a browser asks for a
part. Then a real server and a real browser: the largest message of every page, the processor share of an idle tab, and
the memory that an open session adds. ``--runs DIR`` keeps the run and uses it again.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from benchmarks.measure import machine, train
from grouprec.core.site import app_root
from grouprec.data.synthetic import planted
from grouprec.runs.store import RunStore

PAGES = ("decide", "data", "train", "groups", "recommendations", "compare", "updates")
ITEMS, EVENTS, GROUPS = 20_000, 20, 50
SETTINGS = ("vae.epochs=1", "gan.epochs=1", "gru.epochs=1", "als.iterations=3", "als.tune=false")
SELECTED, TIMES = 2_000, 5
IDLE_SECONDS, SESSIONS = 20, 12
READY = "[data-testid=stApp][data-test-connection-state=CONNECTED][data-test-script-state=notRunning]"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--users", type=int, default=100_000)
    arguments.add_argument("--runs", type=Path)
    given = arguments.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        root = given.runs or Path(folder)
        os.environ["GROUPREC_RUNS"] = str(root)
        store = RunStore(root)
        if not any(run.finished for run in store.runs()):
            measured = train(*large_run(Path(folder), given.users), "--runs", root)
            print(f"trained in {measured.seconds:.0f} s, {measured.peak_mib:,.0f} MiB")
        run_id = store.get("last").run_id
        measure_server_time(run_id)
        measure_browser(run_id, root)


def large_run(folder: Path, n_users: int) -> list[object]:
    """Write planted interactions and return the words that train on them."""
    data = planted(n_users=n_users, n_items=ITEMS, n_groups=GROUPS, events_per_user=EVENTS).data
    parts = [data.train, data.validation, data.test]
    users, items = (np.concatenate([getattr(part, name) for part in parts]) for name in ("user_rows", "item_rows"))
    times = np.concatenate([part.times for part in parts if part.times is not None])
    columns = {
        "user": data.user_ids[users],
        "item": data.item_ids[items],
        "time": pd.to_datetime(times, unit="s", utc=True),
        "region": data.user_attributes["region"].to_numpy()[users],
    }
    path = folder / "planted.parquet"
    pd.DataFrame(columns).to_parquet(path, index=False)
    settings = [word for setting in SETTINGS for word in ("--set", setting)]
    return [path, "--preset", "quick", "--n-groups", GROUPS, "--encoder", "als", "--layout", "pca", *settings]


def measure_server_time(run_id: str) -> None:
    """Print the server time of every page, of the slider and of a selection."""
    from streamlit.testing.v1 import AppTest

    def on(page: str) -> AppTest:
        app = AppTest.from_file(str(app_root() / "grouprec" / "ui" / "frame.py"), default_timeout=300)
        app.query_params["run"] = run_id
        app.run()
        app.switch_page(str(app_root() / "pages" / f"{page}.py")).run()
        assert not app.exception, app.exception
        return app

    for page in PAGES:
        app = on(page)
        print(f"page {page:<18}{median(app.run):7.3f} s of server time")
    app = on("decide")
    slider = app.select_slider(key="lists_n")
    moves = [partial(slider.set_value, choice) for choice in (1, 2, "personal")]
    print(f"slider of lists       {median(*(lambda move=move: move().run() for move in moves)):7.3f} s")
    app = on("groups")

    def select(first: int) -> None:
        points = [{"customdata": [row]} for row in range(first, first + SELECTED)]
        app.session_state["groups_map"] = {"selection": {"points": points, "point_indices": [], "box": [], "lasso": []}}
        app.run()

    print(f"selection of {SELECTED:,} users {median(*(partial(select, first) for first in range(TIMES))):5.3f} s")


def median(*actions: Callable[[], object]) -> float:
    """Return the median seconds of the actions; one alone is taken five times."""
    seconds = []
    for action in actions if len(actions) > 1 else actions * TIMES:
        begun = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def measure_browser(run_id: str, root: Path) -> None:
    """Print message sizes, the cost of an idle tab and the memory of a session; needs a Chromium."""
    from playwright.sync_api import sync_playwright

    from tests.browser_setup import find_browser

    path = find_browser()
    if path is None:
        print("no Chromium: messages, idle tab and memory were not measured")
        return
    with server(root) as (url, process), sync_playwright() as playwright:
        flags = ["--no-sandbox", "--enable-unsafe-swiftshader", "--disable-gpu-compositing"]
        browser = playwright.chromium.launch(executable_path=path, args=flags)

        def visit(page: str) -> list[int]:
            """Open a page in a new session, wait until it is drawn, and return the sizes of its messages."""
            tab, sizes = browser.new_context(viewport={"width": 1440, "height": 900}).new_page(), []
            tab.on("websocket", lambda ws: ws.on("framereceived", lambda frame: sizes.append(len(frame))))
            tab.goto(f"{url}/{page}?run={run_id}")
            tab.wait_for_selector(READY, timeout=300_000)
            return sizes

        for page in PAGES:
            sizes = visit(page)
            print(f"messages of {page:<16}largest {max(sizes) / 1e6:5.2f} MB, together {sum(sizes) / 1e6:5.2f} MB")
        used = process.cpu_times()
        time.sleep(IDLE_SECONDS)  # what is measured is that nothing happens
        now = process.cpu_times()
        share = (now.user + now.system - used.user - used.system) / IDLE_SECONDS / len(PAGES)
        print(f"an idle tab: {share:.2%} of a core")
        held = []
        for _ in range(SESSIONS):
            visit("groups")
            held.append(process.memory_info().rss / 2**20)
        added = np.polyfit(range(SESSIONS), held, 1)[0]  # single readings rise and fall by what the heap gives back
        print(f"{SESSIONS} more sessions: {held[0]:,.0f} to {held[-1]:,.0f} MiB; each adds {added:.1f} MiB")
        browser.close()


@contextmanager
def server(root: Path) -> Iterator[tuple[str, psutil.Process]]:
    """The app on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "grouprec", "app", "--port", str(port), "--runs", str(root)]
    child = subprocess.Popen(command, cwd=app_root(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 120
    try:
        while True:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).read()
                break
            except OSError:
                if child.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("The app did not start.") from None
                time.sleep(0.2)
        process = psutil.Process(child.pid)
        children = process.children()
        yield url, children[0] if children else process
    finally:
        for process in [*psutil.Process(child.pid).children(recursive=True), psutil.Process(child.pid)]:
            process.terminate()
        child.wait(20)


if __name__ == "__main__":
    main()
