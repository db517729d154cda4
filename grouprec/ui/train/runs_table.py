"""The history of runs as a table. No widgets here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from grouprec.core.types import StorageError
from grouprec.runs.store import Run
from grouprec.ui.train import watch

COLUMNS = [
    "run_id",
    "title",
    "state",
    "tags",
    "note",
    "dataset",
    "preset",
    "groups",
    "seconds",
    "gain",
    "tested",
    "created",
]


def history(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row a run, newest first; ``gain`` is the strict list's share of the possible gain in percent."""
    return pd.DataFrame([_history_row(run) for run in runs], columns=COLUMNS)


def shown_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns of the history to show; none with nothing in it or of what all titles say."""
    written = [name for name in ("tags", "note") if frame[name].astype(bool).any()]
    of_titles = zip(frame["dataset"], frame["title"], strict=True)
    dataset = [] if all(str(name) in str(title) for name, title in of_titles) else ["dataset"]
    known = [name for name in ("seconds", "gain", "tested") if frame[name].notna().any()]
    return ["title", "state", *written, *dataset, "preset", "groups", *known, "created"]


def all_tags(runs: Iterable[Run]) -> list[str]:
    """Return the tags of all runs in alphabetical order."""
    return sorted({tag for run in runs for tag in run.notes().tags}, key=str.casefold)


def with_tags(runs: Iterable[Run], tags: Iterable[str]) -> list[Run]:
    """Return the runs that bear all of these tags."""
    wanted = set(tags)
    return [run for run in runs if wanted <= set(run.notes().tags)]


def _choices(run: Run) -> dict[str, Any]:
    """Return a run's configuration; {} of a damaged one, which the state says."""
    try:
        return run.choices()
    except StorageError:
        return {"title": run.title()}


def _history_row(run: Run) -> dict[str, Any]:
    choices, status, metrics = _choices(run), run.status(), run.metrics() if run.usable else {}
    gain = (metrics.get("headline") or {}).get("strict_share_of_gain")
    wish = choices.get("n_groups", "auto")
    return {
        "run_id": run.run_id,
        "title": choices.get("title") or run.run_id,
        "state": watch.STATE_WORDS[status.state],
        "tags": list(run.notes().tags),
        "note": run.notes().note,
        "dataset": choices.get("dataset", ""),
        "preset": watch.PRESETS.get(str(choices.get("preset", ""))) or "",
        "groups": str(metrics.get("n_groups", wish)),
        "seconds": watch.elapsed(status, metrics),
        "gain": None if gain is None else 100 * gain,
        "tested": metrics.get("n_test_users"),
        "created": status.created,
    }
