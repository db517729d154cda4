"""A server of the real app on a free port, and Debian's Chromium to look at it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, ViewportSize, expect, sync_playwright

from grouprec.core.site import app_root
from grouprec.runs.store import RunStore
from grouprec.training import jobs
from tests.browser_setup import find_browser

FLAGS = [
    "--no-sandbox",
    "--enable-unsafe-swiftshader",  # WebGL without a GPU; all else is painted in a fifth of the time without it
    "--disable-gpu-compositing",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PAGES = ("decide", "data", "train", "groups", "recommendations", "compare", "updates")
PATIENCE_MS, LASSO_MS = 120_000, 6_000  # not a bar: on a busy machine a view takes a while
LAPTOP, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
SMALL_LAPTOP = ViewportSize(width=1280, height=720)
expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True)
class Server:
    url: str
    runs: Path
    log: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app as a user starts it, on an empty runs folder."""
    with serving(tmp_path_factory.mktemp("server"), free_port()) as server:
        yield server


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def serving(folder: Path, port: int, **environment: str) -> Iterator[Server]:
    """Serve the app in a folder of its own, below ``STREAMLIT_SERVER_BASE_URL_PATH`` where the environment says one."""
    log = folder / "server.log"
    command = [sys.executable, "-m", "grouprec", "app", "--port", str(port), "--runs", str(folder / "runs")]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, stdout=out, stderr=out, cwd=app_root(), start_new_session=True, env={**os.environ, **environment}
        )
    url = f"http://127.0.0.1:{port}/{environment.get('STREAMLIT_SERVER_BASE_URL_PATH', '')}".rstrip("/")
    try:
        _wait_for(f"{url}/_stcore/health", process, log)
        yield Server(url, folder / "runs", log)
    finally:
        left = jobs.active(RunStore(folder / "runs"))  # a test that failed in the middle of a training
        if left is not None:
            jobs.cancel(left)
        os.killpg(process.pid, 15)
        process.wait(10)


def _wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).read()
            return
        except OSError:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Not for the whole session: playwright's event loop runs on, and other tests need their own."""
    path = find_browser()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs a browser: install Debian's package chromium")
        pytest.skip("no Chromium found; `make test` installs one where it may")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@dataclass
class Tab:
    """A page that counts what the browser complains about."""

    page: Page
    server: Server
    errors: list[str]

    def open(self, path: str) -> None:
        self.page.goto(f"{self.server.url}{path}")
        self.settled()

    def settled(self) -> None:
        """Wait until the script has run and no placeholder is left."""
        app = self.page.locator("[data-testid=stApp][data-test-connection-state=CONNECTED]")
        expect(app).to_have_attribute("data-test-script-state", "notRunning")
        expect(self.page.locator("[data-testid=stSkeleton]")).to_have_count(0)

    def lasso(self, told: Locator) -> None:
        """Draw around most of the map of the Groups page, until the page tells it: a map that moves misses the pen."""
        for _ in range(PATIENCE_MS // LASSO_MS):
            self._lasso()
            with contextlib.suppress(AssertionError):
                expect(told).to_be_visible(timeout=LASSO_MS)
                return
        expect(told).to_be_visible()

    def _lasso(self) -> None:
        box = self.page.locator(".st-key-groups_map .nsewdrag").first.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        dx, dy = box["width"] * 0.45, box["height"] * 0.45
        corners = [(x - dx, y - dy), (x + dx, y - dy), (x + dx, y + dy), (x - dx, y + dy), (x - dx, y - dy)]
        self.page.mouse.move(*corners[0])
        self.page.mouse.down()
        for corner in corners[1:]:
            self.page.mouse.move(*corner, steps=8)
        self.page.mouse.up()

    def shot(self, name: str) -> None:
        """Keep a screenshot where $GROUPREC_SCREENSHOTS says so."""
        folder = os.environ.get("GROUPREC_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture
def tab(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """One tab, "light", "dark" or "phone"; afterwards neither browser nor server may have a complaint to tell."""
    mode = getattr(request, "param", "light")
    # Without motion: a picture, or a check of contrast, in the middle of a move would show what nobody reads.
    context = browser.new_context(
        reduced_motion="reduce",
        viewport=PHONE if mode == "phone" else LAPTOP,
        color_scheme="dark" if mode == "dark" else "light",
        accept_downloads=True,
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    tab = Tab(page, server, [])
    page.on("pageerror", lambda error: tab.errors.append(str(error)))
    page.on("console", lambda message: tab.errors.append(message.text) if complaint(message) else None)
    yield tab
    context.close()
    assert not tab.errors
    log = server.log.read_text()
    assert "Traceback" not in log and "deprecat" not in log.lower()


def complaint(message: ConsoleMessage) -> bool:
    """Return whether a line of the browser's console is one that ours would have to mend.

    Streamlit's client asks below the page's own path first where the server is, and is told that it is not there.
    """
    if "/_stcore/" in message.location.get("url", ""):
        return False
    return message.type == "error" or (message.type == "warning" and "deprecat" in message.text.lower())
