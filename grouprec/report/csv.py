"""The CSV files that scripts and other systems read; ids are those of the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from grouprec.core.files import replacing, storage
from grouprec.core.types import StorageError
from grouprec.explore.edited_tables import EditedRun
from grouprec.explore.edits import EditHistory
from grouprec.explore.tables import USER_LIST_DEPTH, with_new_items
from grouprec.report import spreadsheet
from grouprec.runs.store import Run

if TYPE_CHECKING:  # a stream knows the stages, and so torch: exporting a run does without
    from grouprec.live.stream import Stream

LIST_COLUMNS = ["group", "rank", "item", "score"]


def export_run(run: Run, out: Path | str, method: str | None = None, excel: bool = False) -> dict[str, int]:
    """Write members.csv, group_lists.csv, group_rankings.csv and user_lists.csv; return rows by file name.

    Where groups are formed by rules there is group_rules.csv, too: group, sentence, sql, json.
    Groups are as people's edits of them have left them (:mod:`grouprec.explore.edited_tables`).

    Args:
        out: folder, made if missing.
        method: "members_mean", "generated", "popularity" or a strategy that the run was trained with; None takes
            what the run made its own: that strategy where one was named, else "members_mean"
            (docs/decisions/0004-which-lists-are-exported.md).
        excel: the files are for a spreadsheet: an id that would run there as a formula gets an apostrophe before it.
            Without it ids stay exact; :func:`run_in_a_spreadsheet` tells which would run.
    Raises:
        StorageError: the run is not finished, has no lists of that method, or ``out`` cannot be written.
    """
    run.require_finished("nothing to export yet")
    return _write(run_files(run, EditedRun(run, EditHistory.load(run.path)).table, method), Path(out), excel)


def run_files(run: Run, table: Callable[[str], pd.DataFrame], method: str | None = None) -> dict[str, pd.DataFrame]:
    """Return the files of :func:`export_run` by name; ``table`` gives the run's tables, edited or not."""
    chosen, lists = exported_methods(run, method), table("group_lists")
    return {
        "members.csv": _members(table("users")),
        "group_lists.csv": _of(lists, chosen["strict"], "strict", run),
        "group_rankings.csv": _of(lists, chosen["dedup"], "dedup", run),
        "user_lists.csv": run.table("user_lists")[["user", *LIST_COLUMNS[1:]]],
        **_rules(run, table),
    }


def exported_methods(run: Run, method: str | None = None) -> dict[str, str]:
    """Return what makes the lists that :func:`export_run` writes, by regime."""
    own = run.metrics().get("list_method")
    if not own:
        raise StorageError(f"The run {run.run_id} does not say which lists are its own; train it again.")
    return {regime: method or name for regime, name in own.items()}


def export_stream(stream: Stream, out: Path, excel: bool = False) -> dict[str, int]:
    """Write the files of :func:`export_run` as they stand after a stream's events; return rows by file name.

    Groups are the trained ones: a stream knows no edits of them. Before any event the files are byte for byte those of
    the run. Users of whom no event has come keep their lists. Where somebody gave feedback there is a feedback.csv:
    time (UTC, "" where there is none), user, group, item, verdict, method, regime (of the list that was judged, ""
    where nobody said).

    Args:
        excel: as for :func:`export_run`.
    Raises:
        StorageError: ``out`` cannot be written.
    """
    if not stream.ledger.length:
        return _write(run_files(stream.run, stream.run.table), out, excel)
    state, lists = stream.state, stream.group_lists()
    item_ids = np.array(state.item_ids, dtype=object)
    now = pd.DataFrame({"user": state.user_ids, "group": state.labels + 1})
    users = stream.run.table("users")[["user", "group"]]
    members = pd.concat([now, users[~users["user"].isin(now["user"])]], ignore_index=True)
    files = {
        "members.csv": _members(members),
        "group_lists.csv": _group_lists(stream, lists.strict, lists.strict_scores, item_ids),
        "group_rankings.csv": _group_lists(stream, lists.ranking, lists.ranking_scores, item_ids),
        "user_lists.csv": _user_lists(stream, members["user"], item_ids),
    }
    files |= _rules(stream.run, stream.run.table)
    feedback = _feedback(stream)
    return _write({**files, "feedback.csv": feedback} if len(feedback) else files, out, excel)


def run_in_a_spreadsheet(run: Run) -> list[str]:
    """Return the ids of users and items that a spreadsheet would run as formulas."""
    names = [("users", "user"), ("items", "item"), *([("new_items", "item")] if run.has_table("new_items") else [])]
    ids = [run.table(table)[kind].drop_duplicates() for table, kind in names]
    return [str(name) for column in ids for name in column[spreadsheet.formulas(column)]]


def _write(files: dict[str, pd.DataFrame], out: Path, excel: bool) -> dict[str, int]:
    with storage(out):
        out.mkdir(parents=True, exist_ok=True)
    for name, frame in files.items():
        frame = spreadsheet.as_text(frame) if excel else frame
        with replacing(out / name) as temporary:
            spreadsheet.write(frame, temporary)
    return {name: len(frame) for name, frame in files.items()}


def _members(users: pd.DataFrame) -> pd.DataFrame:
    return users[["user", "group"]].assign(weight=1.0)


def _rules(run: Run, table: Callable[[str], pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the file of the groups' rules, where they have any."""
    return {"group_rules.csv": table("group_rules")} if run.has_table("group_rules") else {}


def _of(lists: pd.DataFrame, method: str, regime: str, run: Run) -> pd.DataFrame:
    part = lists[(lists["method"] == method) & (lists["regime"] == regime)]
    if part.empty:
        known = ", ".join(sorted(lists["method"].unique()))
        raise StorageError(f"The run {run.run_id} has no lists made by '{method}'; it has: {known}.")
    return part[LIST_COLUMNS]


def _group_lists(stream: Stream, items: np.ndarray, scores: np.ndarray, item_ids: np.ndarray) -> pd.DataFrame:
    """Return lists int32 [G, K] as rows, with the new items of the groups where the run lists some."""
    group, rank = np.nonzero(items >= 0)
    rows = items[group, rank]
    values = {"group": group + 1, "rank": rank + 1, "item": item_ids[rows], "score": scores[group, rank]}
    frame, run = pd.DataFrame(values), stream.run
    if not run.has_table("new_items"):
        return frame
    return with_new_items(frame, run.table("new_items"), run.config().rules.new_items)


def _user_lists(stream: Stream, order: pd.Series, item_ids: np.ndarray) -> pd.DataFrame:
    """Return every user's own list: the run's, but for users of whom something has come.

    Args:
        order: of the users.
    """
    known = stream.run.table("user_lists")[["user", *LIST_COLUMNS[1:]]]
    changed = stream.ledger.users()
    rows = [stream.state.user_row(user) for user in changed]
    found = [stream.user_list(row, USER_LIST_DEPTH) for row in rows if row is not None]
    lengths = [len(items) for items, _ in found]
    items, scores = (np.concatenate(part) for part in zip(*found, strict=True)) if found else (np.empty(0, int),) * 2
    ranks = [np.arange(1, length + 1) for length in lengths]
    new = pd.DataFrame(
        {
            "user": np.repeat(np.array(changed, dtype=object), lengths),
            "rank": np.concatenate(ranks) if ranks else np.empty(0, int),
            "item": item_ids[items],
            "score": scores,
        }
    )
    if stream.run.has_table("new_items"):
        slots = stream.run.config().rules.new_items
        new = with_new_items(new, _own_new(stream.run, known[known["user"].isin(changed)]), slots, "user")
    both = pd.concat([known[~known["user"].isin(changed)], new], ignore_index=True)
    place = both["user"].map(pd.Series(np.arange(len(order)), index=order))
    return both.iloc[np.lexsort((both["rank"], place))]


def _own_new(run: Run, lists: pd.DataFrame) -> pd.DataFrame:
    """Return the new items of users' lists of a run, ranked among themselves."""
    found = lists[~lists["item"].isin(run.table("items")["item"])].sort_values("rank")
    return found.assign(rank=found.groupby("user").cumcount() + 1)


def _feedback(stream: Stream) -> pd.DataFrame:
    """Return the verdicts in the order in which they came; the user's group of today where no group was named."""
    entries = stream.ledger.feedback()
    state = stream.state
    rows = [None if entry.user is None else state.user_row(entry.user) for entry in entries]
    groups = [
        entry.group or (None if row is None else int(state.labels[row]) + 1)
        for entry, row in zip(entries, rows, strict=True)
    ]
    seconds: list[Any] = [entry.time for entry in entries]  # None where there is no time, which the stubs do not know
    times = pd.to_datetime(seconds, unit="s", utc=True)
    return pd.DataFrame(
        {
            "time": times.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "user": [entry.user for entry in entries],
            "group": groups,
            "item": [entry.item for entry in entries],
            "verdict": [entry.behaviour for entry in entries],
            "method": [entry.method for entry in entries],
            "regime": [entry.regime for entry in entries],
        }
    )
