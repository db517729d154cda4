"""``grouprec list``: all runs, whatever one of them is like."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grouprec.cli.terminal import print_json, print_rows, terminal

if TYPE_CHECKING:
    from grouprec.runs.store import RunStore


def print_runs(store: RunStore, as_json: bool) -> None:
    """Print the runs of a folder, newest first, and on stderr what is wrong with those that cannot be used."""
    from grouprec.runs.store import State
    from grouprec.training.jobs import refresh

    rows, told = [], []
    for run in store.runs():
        status = refresh(run)
        metrics = run.metrics() if run.usable else {}
        if status.state in (State.DAMAGED, State.UNKNOWN):
            told.append(f"{run.run_id}: {status.message}")
        about = {name: metrics.get(name, "") for name in ("dataset", "n_groups", "seconds")}
        rows.append({"run_id": run.run_id, "title": run.title(), "status": status.state, **about})
    if as_json:
        print_json({"runs": rows})
    else:
        print_rows(rows, "There is no run yet; `grouprec train FILE` makes one.")
    for sentence in told:
        terminal.print(sentence, markup=False, highlight=False, soft_wrap=True)
