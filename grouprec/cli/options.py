"""Options that several commands have, and what holds for the words of all of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from grouprec.core.errors import SettingError

READING, CHOICES, ASIDE = "Reading the files", "What is trained", "The run"  # headings of options in help

Columns = Annotated[
    str, typer.Option("--map", help="Column roles, e.g. user=CustomerID,item=StockCode", rich_help_panel=READING)
]
RunName = Annotated[str, typer.Argument(help="Run id, the beginning of one, or last")]
Runs = Annotated[
    Path | None,
    typer.Option("--runs", help="Folder of runs; $GROUPREC_RUNS or your data folder", rich_help_panel=ASIDE),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object as the last line of stdout", rich_help_panel=ASIDE)
]
Encoding = Annotated[
    str,
    typer.Option(help="Of a text file, e.g. cp1252 or gb18030; mixed: line by line; found", rich_help_panel=READING),
]
Sheet = Annotated[
    str, typer.Option(help="Of an Excel workbook; else the one that looks most like a table", rich_help_panel=READING)
]
Excel = Annotated[bool, typer.Option("--excel", help="For a spreadsheet: ids that would run as formulas are text")]
Port = Annotated[int, typer.Option(help="Port to listen on")]
Address = Annotated[str, typer.Option(help="Address to listen on")]
Hosts = Annotated[
    list[str] | None, typer.Option("--host", help="Another name of this server, e.g. of its proxy; repeatable")
]
OpenToNetwork = Annotated[
    bool,
    typer.Option(
        "--open-to-network",
        help="Listen where others reach it though nobody signs in: they see, change and delete everything",
    ),
]
UsersFile = Annotated[Path | None, typer.Option("--users", help="File of user attributes", rich_help_panel=READING)]
ItemsFile = Annotated[Path | None, typer.Option("--items", help="File of item attributes", rich_help_panel=READING)]
AlsoFile = Annotated[
    Path | None,
    typer.Option(
        "--also",
        help="A second file of the same users (shop, site, year): evidence, no targets",
        rich_help_panel=READING,
    ),
]
EdgesFile = Annotated[
    Path | None, typer.Option("--edges", help="Who knows whom: two columns of user ids", rich_help_panel=READING)
]


def refuse_odd_names() -> None:
    """Check that all words, and the runs folder, are text: the libraries that read files take no other names.

    Raises:
        SettingError: one has bytes that the system's encoding does not know.
    """
    for word in (*sys.argv[1:], os.environ.get("GROUPREC_RUNS", "")):
        if not word.isprintable() and word.encode(errors="ignore").decode() != word:
            known = word.encode(errors="replace").decode()
            raise SettingError(
                f"'{known}' has a name that is no text in this system's encoding ({sys.getfilesystemencoding()}); "
                "rename the file or folder, or set LC_ALL=C.UTF-8."
            )
