"""``python -m benchmarks.pages RUN [--runs DIR] [--page NAME ...]``: how long a person waits for a page, in a browser.

For every page a fresh server: the first view after its start (cold), the same in another browser (warm), and once more
in that one, which has the client's files by then (again), each in seconds to the drawn page and in processor seconds of
the server. Then what people do most: steps of the slider of Decide, to the changed headline; lassos on the map of
Groups, from the release of the mouse to the sentence of the pane; single events on Updates, to the headline above the
moved list. Seconds and the server's processor seconds for one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from playwright.sync_api import BrowserContext, Page, sync_playwright

from benchmarks.dashboard import PAGES, READY, server
from benchmarks.measure import machine
from grouprec.runs.store import RunStore
from tests.browser.conftest import FLAGS, LAPTOP
from tests.browser_setup import find_browser

PATIENCE_MS = 300_000
VIEWS = ("cold s", "warm s", "again s")
STEPS = 6  # to the left of the lists of a run; there have to be so many


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("run", nargs="?", default="last")
    arguments.add_argument("--runs", type=Path)
    arguments.add_argument("--page", nargs="*", default=list(PAGES), choices=PAGES)
    given = arguments.parse_args()
    store = RunStore(given.runs)
    run_id = store.get(given.run).run_id
    print(f"{machine()}\n{run_id}\n{'page':<18}" + "".join(f"{name:>8}{'CPU s':>8}" for name in VIEWS))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        for page in given.page:
            with server(store.root) as (url, process):
                first, other = (browser.new_context(viewport=LAPTOP) for _ in range(2))
                address = f"{url}/{page}?run={run_id}"
                views = [view(context, process, address) for context in (first, other, other)]
                numbers = [number for *_, seconds, used in views for number in (seconds, used)]
                print(f"{page:<18}" + "".join(f"{number:8.1f}" for number in numbers), flush=True)
                if page in DONE:
                    DONE[page](views[-1][0], process)
        browser.close()


def view(context: BrowserContext, process: psutil.Process, address: str) -> tuple[Page, float, float]:
    """Open a page in a new session; return it, the seconds until it is drawn, and the server's processor seconds."""
    tab = context.new_page()
    begun, used = time.perf_counter(), spent(process)
    tab.goto(address)
    tab.wait_for_selector(f"{READY} h2", timeout=PATIENCE_MS)
    tab.wait_for_selector(READY, timeout=PATIENCE_MS)
    tab.wait_for_function("document.querySelectorAll('[data-testid=stSkeleton]').length == 0", timeout=PATIENCE_MS)
    return tab, time.perf_counter() - begun, spent(process) - used


def step(tab: Page, process: psutil.Process) -> None:
    """Move the slider to numbers that nobody has seen, and print what one step takes."""
    thumb = tab.get_by_role("slider").first
    thumb.focus()
    measure(tab, process, "a step of the slider", "h2", lambda _: thumb.press("ArrowLeft"))


def lasso(tab: Page, process: psutil.Process) -> None:
    """Draw around more and more users of the map, and print what it takes until the pane says how many they are."""
    box = tab.locator(".st-key-groups_map .nsewdrag").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def draw(time: int) -> None:
        dx, dy = (box[side] * (0.15 + 0.05 * time) for side in ("width", "height"))
        corners = [(x - dx, y - dy), (x + dx, y - dy), (x + dx, y + dy), (x - dx, y + dy), (x - dx, y - dy)]
        tab.mouse.move(*corners[0])
        tab.mouse.down()
        for corner in corners[1:]:
            tab.mouse.move(*corner, steps=8)

    measure(tab, process, "a lasso", ".st-key-groups_pane p", lambda _: tab.mouse.up(), draw)


def event(tab: Page, process: psutil.Process) -> None:
    """Replay one event after another, and print what one takes."""
    button = tab.get_by_role("button", name="Step")
    measure(tab, process, "an event", "h2", lambda _: button.evaluate("button => button.click()"))


def measure(
    tab: Page,
    process: psutil.Process,
    what: str,
    changed: str,
    do: Callable[[int], None],
    before: Callable[[int], None] = lambda _: None,
) -> None:
    """Do something several times, and print the median seconds until the first element of a kind says something else.

    Args:
        changed: CSS selector of that element.
        before: what has to be done before the clock starts.
    """
    text = "selector => (document.querySelector(selector) || {}).innerText"
    seconds, cpu = [], []
    for turn in range(STEPS):
        before(turn)
        said = tab.evaluate(text, changed)
        begun, used = time.perf_counter(), spent(process)
        do(turn)
        tab.wait_for_function(f"([one, said]) => ({text})(one) != said", arg=[changed, said], timeout=PATIENCE_MS)
        seconds.append(time.perf_counter() - begun)
        tab.wait_for_selector(READY, timeout=PATIENCE_MS)
        cpu.append(spent(process) - used)
    print(f"{what}: {statistics.median(seconds):.2f} s, CPU {statistics.median(cpu):.2f} s", flush=True)


DONE = {"decide": step, "groups": lasso, "updates": event}


def spent(process: psutil.Process) -> float:
    """Return the processor seconds that a process has used."""
    used = process.cpu_times()
    return used.user + used.system


if __name__ == "__main__":
    main()
