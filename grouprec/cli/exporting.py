"""What the command line says of files that it exported."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from grouprec.cli.terminal import terminal
from grouprec.report.csv import run_in_a_spreadsheet
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
