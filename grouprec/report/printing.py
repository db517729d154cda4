"""The six views as PDF or PNG, by a browser that is on the machine anyway: nothing is installed for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from grouprec.core.files import replacing, storage
from grouprec.core.language import N_, _
from grouprec.core.types import SettingError, StorageError
from grouprec.report.html import slides
from grouprec.report.html.reading import Reading
from grouprec.report.html.views import NAMES
from grouprec.runs.store import Run

BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
SIZE = 1920, 1080  # of a picture
PATIENCE = 120.0  # seconds for one call of the browser
KINDS = (".pdf", ".png")
NONE = N_(
    "PDF and PNG need Chromium, Chrome or Edge on this machine, and none is found. "
    "Write an HTML file instead, open it in any browser and print it: its first six "
    "pages are the views."
)


def write_views(run: Run, out: Path) -> list[Path]:
    """Write the six views of a finished run: one PDF with a page each, or ``NAME-1.png`` to ``NAME-6.png``.

    Args:
        out: ends in .pdf or .png, which says which.
    Returns:
        the files.
    Raises:
        SettingError: there is no browser.
        StorageError: the run is not finished, a file cannot be written, or the browser fails.
    """
    browser = find_browser()
    if browser is None:
        raise SettingError(_(NONE))
    document = slides.document(Reading.of(run), turned=False)
    with storage(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        page = Path(made, "views.html")
        page.write_text(document, encoding="utf-8")
        if out.suffix == ".pdf":
            return [_call(browser, Path(made), page.as_uri(), out, "--no-pdf-header-footer", "--print-to-pdf")]
        size = f"--window-size={SIZE[0]},{SIZE[1]}"
        return [
            _call(
                browser,
                Path(made),
                f"{page.as_uri()}#view-{number}",
                _numbered(out, number),
                size,
                "--screenshot",
            )
            for number in range(1, len(NAMES) + 1)
        ]


def find_browser() -> str | None:
    """Return a browser of this machine that can print without a window, None where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _numbered(out: Path, number: int) -> Path:
    return out.with_name(f"{out.stem}-{number}{out.suffix}")


def _call(browser: str, made: Path, address: str, out: Path, *flags: str) -> Path:
    """Let the browser write a file; the last flag is the one that takes its name."""
    *others, writes = flags
    # A browser refuses to be root with its sandbox; the document runs no script and fetches nothing.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    always = [
        "--headless",
        "--disable-gpu",
        "--hide-scrollbars",
        "--force-prefers-reduced-motion",  # a picture of a list that moves would be of its first moment
        "--no-first-run",
        f"--user-data-dir={made / 'profile'}",
    ]
    with replacing(out) as temporary:
        written = made / f"written{out.suffix}"
        command = [browser, *always, *root, *others, f"{writes}={written}", address]
        try:
            subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)
            shutil.move(written, temporary)
        except (OSError, subprocess.SubprocessError) as error:
            raise StorageError(f"The browser {Path(browser).name} did not write {out.name}: {error}.") from error
    return out
