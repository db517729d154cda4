"""``grouprec app`` and ``grouprec demo``: how they become the server of the dashboard."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from grouprec.cli.options import Address, Hosts, OpenToNetwork, Port, Runs
from grouprec.cli.terminal import print_run, terminal
from grouprec.core.errors import SettingError

if TYPE_CHECKING:
    from grouprec.runs.store import RunStore


def check_free(address: str, port: int) -> None:
    """Check that a server can listen there, before anybody is told where it is.

    Raises:
        SettingError: the port is taken, or not ours to take.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as one:
        if os.name != "nt":  # there it would let two listen at once
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((address, port))
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise SettingError(
                f"No server can listen on port {port} of {address}: {why}; choose another one with --port, or stop "
                "what listens there."
            ) from error


def become_server(
    store: RunStore,
    run_id: str | None,
    port: int,
    address: str,
    hosts: Sequence[str] = (),
    open_to_network: bool = False,
) -> NoReturn:
    """Become the server, so that signals reach it and nothing of this process stays in memory; it does not return.

    Trainings that it starts are sessions of their own: they go on when it ends. It refuses an address that others
    reach where nobody has to sign in (grouprec/ui/server/guard.py).

    Args:
        hosts: further names of the server, beside those that the environment says.
        open_to_network: whether it may all the same.
    Raises:
        SettingError: nobody can listen there.
    """
    from grouprec.core.site import app_root

    check_free(address, port)
    root = app_root()
    query = f"/groups?run={run_id}" if run_id else ""
    terminal.print(f"Dashboard: http://{address}:{port}{query}", markup=False, highlight=False, soft_wrap=True)
    command = [sys.executable, "-m", "grouprec.ui.server", "run", str(root / "app.py")]
    command += [f"--server.address={address}", f"--server.port={port}", "--browser.gatherUsageStats=false"]
    if address in ("0.0.0.0", "::"):  # else Streamlit asks a server on the internet what it is called
        command.append(f"--browser.serverAddress={next(iter(hosts), socket.gethostname())}")
    environment = {
        "MALLOC_ARENA_MAX": "2",  # else glibc keeps a heap for every thread that a session ever had
        "PYTHONMALLOC": "malloc",  # Python's own heap keeps a megabyte as long as a single object is in it
        "ARROW_DEFAULT_MEMORY_POOL": "system",  # which gives freed memory back, as Arrow's own heap does not
        **os.environ,
        "GROUPREC_RUNS": str(store.root.absolute()),
        "GROUPREC_HOSTS": ",".join([*filter(None, [os.environ.get("GROUPREC_HOSTS")]), *hosts]),
    }
    if open_to_network:
        environment["GROUPREC_OPEN_TO_NETWORK"] = "1"
    if os.name == "nt":  # where a process cannot become another one
        sys.exit(subprocess.call(command, cwd=root, env=environment))
    os.chdir(root)
    sys.stdout.flush()
    os.execve(command[0], command, environment)


def demo(
    port: Port = 8501,
    address: Address = "127.0.0.1",
    host: Hosts = None,
    open_to_network: OpenToNetwork = False,
    runs: Runs = None,
) -> None:
    """Train preset quick on the bundled sample, unless that was done before, and serve the dashboard on it."""
    from grouprec.cli.training import demo_run
    from grouprec.runs.store import RunStore

    store = RunStore(runs)
    run = demo_run(store)
    print_run(run)
    become_server(store, run.run_id, port, address, host or (), open_to_network)


def serve(
    run: Annotated[str | None, typer.Option(help="Open on this run (id or last)")] = None,
    port: Port = 8501,
    address: Address = "127.0.0.1",
    host: Hosts = None,
    open_to_network: OpenToNetwork = False,
    runs: Runs = None,
) -> None:
    """Serve the dashboard, on this machine only unless told otherwise."""
    from grouprec.runs.store import RunStore

    store = RunStore(runs)
    become_server(store, store.get(run).run_id if run else None, port, address, host or (), open_to_network)
