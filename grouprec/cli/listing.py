"""``grouprec list``, ``compare`` and ``value``: runs side by side, whatever one of them is like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from grouprec.cli.terminal import print_json, print_rows, terminal

if TYPE_CHECKING:
    from grouprec.runs.store import Run, RunStore

VALUE_COLUMNS = ["n_groups", "method", "regime", "metric", "value", "low", "high"]  # of `value --json`
VALUE_COLUMNS += ["floor", "floor_method", "individual", "oracle", "share_of_gain"]


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


def print_comparison(runs: Sequence[Run], as_json: bool) -> None:
    """Print what every method of some runs is worth."""
    rows = []
    for one in runs:
        one.require_finished("there is nothing to compare yet")
        table = one.table("evaluation")
        for row in table.to_dict("records"):
            method = f"{row['method']}/{row['regime']}"
            keep = {name: row[name] for name in ("value", "low", "high")}
            rows.append({"run_id": one.run_id, "method": method, "metric": row["metric"], **keep})
    if as_json:
        print_json({"rows": rows})
    else:
        print_rows([row for row in rows if row["metric"] in ("ndcg@10", "precision@10", "hit_rate@10")], "Nothing.")


def print_values(run: Run, as_json: bool) -> None:
    """Print what every number of groups of a run is worth."""
    from grouprec.core.tables import records

    run.require_finished("nothing is measured yet")
    table = run.table("value_of_groups")
    if "floor_method" not in table:  # runs older than the column took all-time popularity
        table = table.assign(floor_method="popularity")
    if as_json:
        print_json({"rows": table[VALUE_COLUMNS].to_dict("records")})
    else:
        left_out = ["metric", "floor_method", "silhouette", "below_best", "below_best_error"]  # too wide for a terminal
        shown = table[table["metric"] == "ndcg@10"].drop(columns=left_out, errors="ignore")
        print_rows(records(shown), "Nothing.")
