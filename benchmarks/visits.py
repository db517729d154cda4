"""``python -m benchmarks.visits [--visits 500] [--runs DIR]``: whether a long session costs more and more.

A real server, a real browser, one tab that goes through all pages by their links in the menu. Memory, open files,
threads and processes of the server are read after the first hundred visits, when everything has been opened, and after
the last one. Without ``--runs`` a small run is trained; otherwise the newest finished one is used.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
import time
from pathlib import Path

import psutil

from benchmarks.dashboard import PAGES, READY, server
from benchmarks.measure import machine
from grouprec.runs.store import RunStore

WARM = 100
SETTLED_SECONDS = 3.0  # of the same numbers of files and threads; what is slower than that counts as growth


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--visits", type=int, default=500)
    arguments.add_argument("--runs", type=Path)
    given = arguments.parse_args()
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        root = given.runs or Path(folder) / "runs"
        os.environ["GROUPREC_RUNS"] = str(root)
        store = RunStore(root)
        if not any(run.finished for run in store.runs()):
            from tests.support.small_run import small_data, train, write_csv

            train(store, write_csv(small_data(), Path(folder) / "shop.csv"))
        go_through(root, next(run.run_id for run in store.runs() if run.usable), given.visits)


def go_through(root: Path, run_id: str, visits: int) -> None:
    """Visit all pages in turn in one tab, and print what the server holds at the beginning and at the end."""
    from playwright.sync_api import sync_playwright

    from tests.browser_setup import find_browser

    path = find_browser()
    if path is None:
        raise SystemExit("There is no Chromium.")
    with server(root) as (url, process), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        tab = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        tab.goto(f"{url}/{PAGES[0]}?run={run_id}")
        tab.wait_for_selector(READY, timeout=300_000)
        before, begun = held(process), time.perf_counter()
        for visit in range(visits):
            page = PAGES[visit % len(PAGES)]
            tab.locator(f"[data-testid=stPageLink-NavLink][href^='{page}?']").first.click()
            tab.wait_for_url(f"**/{page}*")
            tab.wait_for_selector(READY, timeout=300_000)
            if visit + 1 == min(WARM, visits // 2):
                before = held(process)
        after = held(process)
        browser.close()
    seconds = (time.perf_counter() - begun) / visits
    print(f"{visits} visits over {len(PAGES)} pages in one session, {seconds:.2f} s each")
    for name, value in before.items():
        print(f"{name:<20}{value:10,.0f} {after[name]:10,.0f}   {after[name] - value:+,.0f}")


def held(process: psutil.Process) -> dict[str, float]:
    """Return what the server holds once files and threads have stood still for a while."""
    gc.collect()
    last, since = None, time.monotonic()
    while time.monotonic() - since < SETTLED_SECONDS:
        now = process.num_fds(), process.num_threads(), len(process.children(recursive=True))
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.2)  # between two readings of a condition
    files, threads, children = last or (0, 0, 0)
    memory = process.memory_info().rss / 2**20
    return {"memory, MiB": memory, "open files": files, "threads": threads, "child processes": children}


if __name__ == "__main__":
    main()
