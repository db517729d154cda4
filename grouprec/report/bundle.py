"""What is given to the shop once a number of lists is approved: CSV files, and one archive of them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import pandas as pd

from grouprec.core.types import StorageError
from grouprec.explore import edited_tables
from grouprec.report import spreadsheet
from grouprec.report.csv import LIST_COLUMNS, run_files
from grouprec.runs.store import Run

PERSONAL = 0  # instead of a number of lists: a list of everyone's own
_ONE_DAY = (1980, 1, 1, 0, 0, 0)  # of every file in the archive, so that equal content gives equal bytes


def shop_files(run: Run, n_lists: int, regime: str) -> dict[str, bytes]:
    """Return the CSV files for a number of lists, by name; ids are those of the data.

    Of the run's own number these are the files of ``grouprec export`` without personal lists; of another number the
    users that took part in training and the first ten items of every list, which is what the run kept; of personal
    lists user_lists.csv.

    Args:
        n_lists: the number, or ``PERSONAL``.
        regime: "strict" or "dedup": the use of the lists of another number.
    Raises:
        StorageError: the run kept nothing of that number, or is not finished.
    """
    if n_lists == PERSONAL:
        frames = {"user_lists.csv": run.table("user_lists")[["user", *LIST_COLUMNS[1:]]]}
    elif n_lists == own_number(run.metrics()):
        frames = run_files(run, table=lambda name: edited_tables.table(run, name))
        frames.pop("user_lists.csv")
    else:
        frames = _of_other(run, n_lists, regime)
    return {name: _csv(frame) for name, frame in frames.items()}


def own_number(metrics: Mapping[str, Any]) -> int:
    """Return how many lists a run was asked for, under which its curve has it."""
    return int(metrics.get("n_groups_asked", metrics.get("n_groups", 1)))


def _of_other(run: Run, n_lists: int, regime: str) -> dict[str, pd.DataFrame]:
    labels, lists, users = (run.table(name) for name in ("what_if_labels", "what_if_lists", "users"))
    if str(n_lists) not in labels:
        raise StorageError(f"The run {run.run_id} kept nothing of {n_lists} lists; train it with that number.")
    ids = users.loc[users["in_training"].to_numpy(bool), "user"]
    members = pd.DataFrame({"user": ids.to_numpy(), "group": labels[str(n_lists)].to_numpy(), "weight": 1.0})
    own = lists[(lists["n_groups"] == n_lists) & (lists["regime"] == regime)].sort_values(["group", "rank"])
    return {"members.csv": members, "group_lists.csv": own[["group", "rank", "item"]]}


def _csv(frame: pd.DataFrame) -> bytes:
    content = io.StringIO(newline="")
    spreadsheet.write(frame, content)
    return content.getvalue().encode("utf-8")


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return the files as one ZIP; the same files always give the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in files.items():
            packed.writestr(zipfile.ZipInfo(name, _ONE_DAY), data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def seals(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the SHA-256 of every file, by name."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
