"""Where the command line takes interactions from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grouprec.cli.options import READING
from grouprec.cli.terminal import terminal

if TYPE_CHECKING:
    from grouprec.data.sources import Fetched

SOURCE_HELP = (
    "A file (CSV, TSV, Parquet, Excel, JSON), a folder or pattern of files, s3://, gs:// or abfs://, or a database: "
    "postgresql://, sqlite:///FILE, duckdb:///FILE. ${NAME} stands for a variable of the environment"
)
Query = Annotated[str, typer.Option(help="Of a database: SELECT ...", rich_help_panel=READING)]
FETCHED = Path("datasets", "sources")  # below the folder of runs: what was fetched for them


def fetched(source: str, query: str, folder: Path) -> Fetched:
    """Return the interactions as a file, fetched into the folder if need be; say what people should know about it."""
    from grouprec.data.sources import fetch

    found = fetch(source, query, folder)
    for note in found.notes:
        terminal.print(f"- {note}", markup=False, highlight=False, soft_wrap=True)
    return found
