"""How ``grouprec app`` and ``grouprec demo`` become the server of the dashboard."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, NoReturn

from grouprec.cli.terminal import terminal

if TYPE_CHECKING:
    from grouprec.runs.store import RunStore


def become_server(store: RunStore, run_id: str | None, port: int, address: str) -> NoReturn:
    """Become the server, so that signals reach it and nothing of this process stays in memory; it does not return.

    Trainings that it starts are sessions of their own: they go on when it ends.
    """
    from grouprec.core.site import app_root

    root = app_root()
    query = f"/groups?run={run_id}" if run_id else ""
    terminal.print(f"Dashboard: http://{address}:{port}{query}", markup=False, highlight=False, soft_wrap=True)
    command = [sys.executable, "-m", "streamlit", "run", str(root / "app.py")]
    command += [f"--server.address={address}", f"--server.port={port}", "--browser.gatherUsageStats=false"]
    environment = {**os.environ, "GROUPREC_RUNS": str(store.root.absolute())}
    if os.name == "nt":  # where a process cannot become another one
        sys.exit(subprocess.call(command, cwd=root, env=environment))
    os.chdir(root)
    sys.stdout.flush()
    os.execve(command[0], command, environment)
