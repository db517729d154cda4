"""What the command line writes for people, and says of files that it exported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grouprec.cli.terminal import terminal
from grouprec.core.errors import SettingError
from grouprec.core.language import ENGLISH, LANGUAGES, commas, speaking
from grouprec.report.csv import run_in_a_spreadsheet
from grouprec.report.tested import unknown_rows
from grouprec.runs.store import Run


def tell_files(run: Run, out: Path, rows: Mapping[str, int], excel: bool) -> None:
    """Say which files there are now, and how many ids in them a spreadsheet would run."""
    for name, count in rows.items():
        terminal.print(f"{out / name}: {count:,} rows", markup=False, highlight=False)
    risky = [] if excel else run_in_a_spreadsheet(run)
    if risky:
        sentence = (
            f"Ids that would run as formulas in a spreadsheet: {len(risky):,}, such as {risky[0][:60]!r}. They are "
            "exported exactly as they are in the file; use --excel for files that a spreadsheet opens."
        )
        terminal.print(sentence, markup=False, highlight=False, soft_wrap=True)


def tell_unknown_rows(run: Run) -> None:
    """Say how many rows the lists do not know, where the run was judged on them and not refitted."""
    if unknown := unknown_rows(run.metrics()):
        sentence = (
            f"Not yet in these lists: the {unknown:,} rows that the run was tested on. Lists that go out should know "
            "them: train with --refit (presets standard and thorough do)."
        )
        terminal.print(sentence, markup=False, highlight=False, soft_wrap=True)


def write_report(run: Run, out: Path, language: str = ENGLISH) -> dict[str, Any]:
    """Write the report of a run, or its six views where the file is to be PDF or PNG; say which files there are now.

    Args:
        language: of the report's words.
    Returns:
        the same for JSON.
    Raises:
        SettingError: there is no such language, or the file has no name.
    """
    if not out.name:
        raise SettingError("Say which file to write: --out FILE.html, .pdf or .png.")
    if language not in LANGUAGES:
        raise SettingError(f"There is no language '{language[:40]}'; there are {commas(LANGUAGES)}.")
    with speaking(language):
        return _write_report(run, out)


def _write_report(run: Run, out: Path) -> dict[str, Any]:
    from grouprec.report import html, printing

    if out.suffix in printing.KINDS:
        files = printing.write_views(run, out)
        for file in files:
            terminal.print(str(file), markup=False, highlight=False, soft_wrap=True)
        return {"files": [str(file) for file in files]}
    size = html.write(run, out)
    terminal.print(f"{out}: {size / 1000:,.0f} KB", markup=False, highlight=False, soft_wrap=True)
    return {"file": str(out), "bytes": size}
