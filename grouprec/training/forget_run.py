"""What people and events have added to a run since its training, without some users."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.changes import Changes
from grouprec.core.files import read_json, storage
from grouprec.core.forms import mark_of, write_form
from grouprec.core.mentions import without_mentions
from grouprec.explore import edits
from grouprec.explore.edits import EditHistory, Grouping
from grouprec.live import ledger
from grouprec.live.beginning import PLACER
from grouprec.runs import approvals, links, notes
from grouprec.runs.places import LEDGER, LIVE_STATE
from grouprec.runs.removal import write_table
from grouprec.runs.store import Run

LIVE_FOLDERS = ("", "judged")  # of a run's live folder, each with a ledger where events came


def ledgers_of(run: Run) -> Iterator[Path]:
    """Return the ledgers of the events that were sent to a run."""
    paths = (run.live / folder / LEDGER for folder in LIVE_FOLDERS)
    return (path for path in paths if path.exists())


def change_live(run: Run, users: Collection[str], changes: Changes) -> int:
    """Take events out of the ledgers; what was made of all events so far is made again when it is asked for.

    Returns:
        how many.
    """
    n_events = 0
    for place, path in enumerate(ledgers_of(run)):
        made = changes.folder / f"ledger-{run.run_id}-{place}"
        if events := ledger.without(path, users, made):
            n_events += events
            made.rename(changes.new(path))
            mark_of(made).rename(changes.new(mark_of(path)))
            for end in ("-wal", "-shm"):
                changes.remove(path.with_name(path.name + end))
    for folder in LIVE_FOLDERS:
        for name in (LIVE_STATE, PLACER):
            changes.remove(run.live / folder / name)
    return n_events


def change_edits(run: Run, users: pd.DataFrame, rows: np.ndarray, mention: re.Pattern[str], changes: Changes) -> None:
    """Take users out of the groups that people formed, and out of what they called them.

    Args:
        users: the table.
        rows: theirs, ascending.
    """
    history = EditHistory.load(run.path)
    if not history.edits and not history.undone:
        return
    left = users.drop(index=users.index[rows])
    groups = run.table("groups")
    names = dict(zip(groups["group"].tolist(), groups["name"].astype(str).tolist(), strict=True))
    trained = Grouping.of(left["group"].to_numpy(), left["in_training"].to_numpy(bool), names)
    told = [
        tuple(replace(edit, text=without_mentions(edit.text, mention)) for edit in some)
        for some in (history.edits, history.undone)
    ]
    new = EditHistory(*told).without(rows).possible(trained)
    if new != history:
        write_form(changes.new(run.path / edits.FILE), new.form(run.path))


def change_texts(run: Run, mention: re.Pattern[str], changes: Changes) -> None:
    """Name the users no more where messages and people do."""
    for path in run.path.rglob(".*.tmp"):  # of a process that was killed
        changes.remove(path)
    for page in (run.path / links.FOLDER).glob("*.html"):  # tells what was true with them; the link says so
        changes.remove(page)
    for name in ("log.txt", "events.jsonl"):
        _change_lines(run.path / name, mention, changes)
    for name, fields in (("status.json", ("message",)), (notes.FILE, ("note", "title", "tags"))):
        form = read_json(run.path / name)
        if isinstance(form, dict):
            told = {field: _unnamed(form[field], mention) for field in fields if field in form}
            if any(form[field] != text for field, text in told.items()):
                write_form(changes.new(run.path / name), form | told)

    form = read_json(run.path / approvals.FILE)
    if isinstance(form, dict) and isinstance(form.get("approvals"), list):
        entries = [
            {**one, "remark": _unnamed(one.get("remark"), mention)} if isinstance(one, dict) else one
            for one in form["approvals"]
        ]
        if entries != form["approvals"]:
            write_form(changes.new(run.path / approvals.FILE), form | {"approvals": entries})
    if run.finished and run.has_table("preparation"):
        steps = run.table("preparation")
        told = steps["note"].map(lambda text: without_mentions(str(text), mention))
        if not told.equals(steps["note"]):
            write_table(run, "preparation", steps.assign(note=told), changes)


def _change_lines(path: Path, mention: re.Pattern[str], changes: Changes) -> None:
    if not path.exists():
        return
    with storage(path):
        text = path.read_text(encoding="utf-8", errors="replace")
    ends = text.splitlines(keepends=True)
    told = [_line(line, mention) if path.suffix == ".jsonl" else without_mentions(line, mention) for line in ends]
    if told != ends:
        new = changes.new(path)
        with storage(new):
            new.write_text("".join(told), encoding="utf-8")


def _line(line: str, mention: re.Pattern[str]) -> str:
    """Return a line of events; only their texts are people's words, the rest are numbers and names of stages."""
    try:
        event = json.loads(line)
    except ValueError:
        return line
    if not isinstance(event, dict) or not isinstance(event.get("text"), str):
        return line
    told = _unnamed(event["text"], mention)
    return line if told == event["text"] else json.dumps({**event, "text": told}) + "\n"


def _unnamed(value: Any, mention: re.Pattern[str]) -> Any:
    if isinstance(value, list):
        return [_unnamed(one, mention) for one in value]
    return without_mentions(value, mention) if isinstance(value, str) else value
