"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[Path | None, typer.Option("--runs", help="Folder of runs; $GROUPREC_RUNS or your data folder")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout")]
