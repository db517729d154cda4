"""The CSV files that scripts and other systems read; ids are those of the file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from grouprec.runs import Run, storage
from grouprec.types import StorageError

LIST_COLUMNS = ["group", "rank", "item", "score"]


def export_run(run: Run, out: Path, method: str | None = None) -> dict[str, int]:
    """Write members.csv, group_lists.csv, group_rankings.csv and user_lists.csv; return rows by file name.

    Args:
        out: folder, made if missing.
        method: "generated", "members_mean" or "popularity"; None takes, for each regime, the one that was best
            on the validation part.
    Raises:
        StorageError: the run is not finished, has no lists of that method, or ``out`` cannot be written.
    """
    if not run.finished:
        raise StorageError(f"The run {run.run_id} is not finished ({run.status().state}); nothing to export yet.")
    chosen = run.metrics()["list_method"]
    lists = run.table("group_lists")
    files = {
        "members.csv": run.table("users")[["user", "group"]].assign(weight=1.0),
        "group_lists.csv": _of(lists, method or chosen["strict"], "strict", run),
        "group_rankings.csv": _of(lists, method or chosen["dedup"], "dedup", run),
        "user_lists.csv": run.table("user_lists")[["user", *LIST_COLUMNS[1:]]],
    }
    with storage(out):
        out.mkdir(parents=True, exist_ok=True)
        for name, frame in files.items():
            frame.to_csv(out / name, index=False)
    return {name: len(frame) for name, frame in files.items()}


def _of(lists: pd.DataFrame, method: str, regime: str, run: Run) -> pd.DataFrame:
    part = lists[(lists["method"] == method) & (lists["regime"] == regime)]
    if part.empty:
        known = ", ".join(sorted(lists["method"].unique()))
        raise StorageError(f"The run {run.run_id} has no lists made by '{method}'; it has: {known}.")
    return part[LIST_COLUMNS]
