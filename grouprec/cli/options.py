"""Options that several commands have, and what holds for the words of all of them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from grouprec.core.errors import SettingError

Runs = Annotated[Path | None, typer.Option("--runs", help="Folder of runs; $GROUPREC_RUNS or your data folder")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout")]


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
