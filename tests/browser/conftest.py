"""A server of the real app on a free port, and Debian's Chromium to look at it."""

from __future__ import annotations

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
from playwright.sync_api import Browser, Page, expect, sync_playwright

from grouprec import jobs
from grouprec.runs import RunStore
from grouprec.site import app_root
from tests.browser_setup import find_browser

FLAGS = [
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@dataclass(frozen=True)
class Server:
    url: str
    runs: Path
    log: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app as a user starts it, on an empty runs folder."""
    folder = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / "server.log"
    command = [sys.executable, "-m", "grouprec", "app", "--port", str(port), "--runs", str(folder / "runs")]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=app_root(), start_new_session=True)
    url = f"http://127.0.0.1:{port}"
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
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

    def shot(self, name: str) -> None:
        """Keep a screenshot where $GROUPREC_SCREENSHOTS says so."""
        folder = os.environ.get("GROUPREC_SCREENSHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture
def tab(browser: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """One tab of 1440 x 900; afterwards neither browser nor server may have an error to tell."""
    scheme = getattr(request, "param", "light")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme=scheme, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    tab = Tab(page, server, [])
    page.on("pageerror", lambda error: tab.errors.append(str(error)))
    yield tab
    context.close()
    assert not tab.errors
    assert "Traceback" not in server.log.read_text()
