"""The six views as PDF and PNG: which files, by which browser, and what is said where there is none."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from grouprec.cli.exporting import write_report
from grouprec.core.types import SettingError, StorageError
from grouprec.report import printing
from grouprec.runs.store import Run, RunStore
from tests.support.planted_run import build_run

BROWSER = """#!/bin/sh
for flag in "$@"; do case "$flag" in --print-to-pdf=*|--screenshot=*) echo "$@" > "${flag#*=}";; esac; done
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return build_run(RunStore(tmp_path / "runs"))


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A browser that writes down what it was asked for."""
    file = tmp_path / "bin" / "chromium"
    file.parent.mkdir()
    file.write_text(BROWSER)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{file.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return file


def test_a_pdf_has_all_views_and_pictures_are_one_each(run: Run, browser: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "views.pdf"
    assert write_report(run, out) == {"files": [str(out)]}
    assert "views.html" in out.read_text() and "#view" not in out.read_text()
    assert "--force-prefers-reduced-motion" in out.read_text(), "lists have come to rest"
    files = printing.write_views(run, tmp_path / "views.png")
    assert [file.name for file in files] == [f"views-{number}.png" for number in range(1, 7)]
    assert [re.findall(r"#view-(\d)", file.read_text()) for file in files] == [[str(n)] for n in range(1, 7)]


def test_without_a_browser_it_is_said_what_to_do(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingError, match="print it: its first six pages are the views"):
        printing.write_views(run, tmp_path / "views.pdf")


def test_a_browser_that_fails_leaves_no_file(run: Run, browser: Path, tmp_path: Path) -> None:
    browser.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(StorageError, match=r"The browser chromium did not write views\.pdf"):
        printing.write_views(run, tmp_path / "views.pdf")
    assert not (tmp_path / "views.pdf").exists()
