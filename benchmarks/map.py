"""``python -m benchmarks.map [--users 160000,1000000]``: what the map of the Groups page costs with so many users.

A planted run with a users table of that size, no training. On a fresh server, in a real browser: the first view of the
page in seconds and processor seconds of the server, the bytes that its messages have; then a lasso around a quarter of
the map and back to the sentence that says how many users it holds, and a closer look at them.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.dashboard import READY, server
from benchmarks.measure import machine
from benchmarks.pages import PATIENCE_MS, spent
from grouprec.runs.store import Run, RunStore
from tests.browser.conftest import FLAGS, LAPTOP
from tests.browser_setup import find_browser
from tests.support.planted_run import build_run

GROUPS = 50
SAID = "() => [...document.querySelectorAll('p')].map(one => one.innerText).find(one => one.includes('selected'))"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--users", default="160000,1000000")
    arguments.add_argument("--shots", type=Path, help="a folder for pictures of what was measured")
    given = arguments.parse_args()
    print(f"{machine()}\n")
    for n_users in map(int, given.users.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            run = planted_run(RunStore(Path(folder)), n_users)
            measure(run, Path(folder), n_users, given.shots)


def planted_run(store: RunStore, n_users: int) -> Run:
    """Return a finished run of so many users on a map: clouds of very different sizes that overlap, one per group."""
    run, rng = build_run(store, n_groups=GROUPS), np.random.default_rng(0)
    share = rng.dirichlet(np.full(GROUPS, 1.5))
    group = 1 + rng.choice(GROUPS, n_users, p=share)
    centres, widths = rng.normal(0, 4, (GROUPS + 1, 2)), rng.uniform(0.3, 1.2, GROUPS + 1)
    places = centres[group] + rng.standard_t(3, (n_users, 2)) * widths[group, None]
    users = pd.DataFrame(
        {
            "user": pd.array([f"{row:07d}" for row in range(n_users)], "str"),
            "group": group,
            "x": places[:, 0].clip(-15, 15).astype(np.float32),
            "y": places[:, 1].clip(-15, 15).astype(np.float32),
            "interactions": 1 + rng.poisson(20, n_users),
            "in_training": True,
            "Country": pd.array(np.where(rng.random(n_users) < 0.7, "United Kingdom", "France"), "str"),
        }
    )
    sizes = np.bincount(group, minlength=GROUPS + 1)[1:]
    run.save_table("users", users)
    run.save_table("groups", run.table("groups").assign(size=sizes, share=sizes / n_users))
    run.save_metrics(run.metrics() | {"n_users": n_users})
    run.write_manifest()
    return run


def measure(run: Run, root: Path, n_users: int, shots: Path | None) -> None:
    """Print what one view, one lasso and a closer look take."""
    with server(root) as (url, process), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        for view in ("first view", "second view"):
            tab, sizes = browser.new_context(viewport=LAPTOP).new_page(), []
            tab.on("websocket", lambda ws, sizes=sizes: ws.on("framereceived", lambda frame: sizes.append(len(frame))))
            begun, used = time.perf_counter(), spent(process)
            tab.goto(f"{url}/groups?run={run.run_id}")
            tab.wait_for_selector(".st-key-groups_map .nsewdrag", timeout=PATIENCE_MS)
            tab.wait_for_selector(READY, timeout=PATIENCE_MS)
            tell(f"{n_users:,} users, {view}", begun, spent(process) - used)
            print(f"    messages {sum(sizes) / 1e6:.2f} MB, the largest {max(sizes) / 1e6:.2f}", flush=True)
        shoot(tab, shots, f"{n_users}_map")
        lasso(tab, process, shots, n_users)
        browser.close()


def lasso(tab: Page, process: psutil.Process, shots: Path | None, n_users: int) -> None:
    box = tab.locator(".st-key-groups_map .nsewdrag").first.bounding_box()
    assert box is not None
    corners = [(0.35, 0.35), (0.65, 0.35), (0.65, 0.65), (0.35, 0.65), (0.35, 0.35)]
    places = [(box["x"] + across * box["width"], box["y"] + down * box["height"]) for across, down in corners]
    tab.mouse.move(*places[0])
    tab.mouse.down()
    for place in places[1:]:
        tab.mouse.move(*place, steps=30)
    begun, used = time.perf_counter(), spent(process)
    tab.mouse.up()
    tab.wait_for_function(SAID, timeout=PATIENCE_MS)
    tab.wait_for_selector(READY, timeout=PATIENCE_MS)
    said = re.sub(r"\s+", " ", tab.evaluate(SAID))
    tell(f"    a lasso ({said})", begun, spent(process) - used)
    shoot(tab, shots, f"{n_users}_lasso")
    closer = tab.get_by_role("button", name="Look closer")
    begun, used = time.perf_counter(), spent(process)
    closer.click()
    tab.get_by_role("button", name="Whole map").wait_for(timeout=PATIENCE_MS)
    tab.wait_for_selector(READY, timeout=PATIENCE_MS)
    tell("    a closer look", begun, spent(process) - used)
    shoot(tab, shots, f"{n_users}_closer")


def tell(what: str, begun: float, used: float) -> None:
    print(f"{what}: {time.perf_counter() - begun:.2f} s, CPU {used:.2f} s", flush=True)


def shoot(tab: Page, folder: Path | None, name: str) -> None:
    if folder is not None:
        tab.wait_for_timeout(1_500)  # pictures are not measured
        tab.screenshot(path=folder / f"{name}.png")


if __name__ == "__main__":
    main()
