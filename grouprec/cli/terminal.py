"""What the command line prints: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import math
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from grouprec.core.language import searchable

if TYPE_CHECKING:
    from grouprec.runs.store import Run


class _Plain(Console):
    """A console whose sentences can be searched for what a reader sees in them."""

    def print(self, *said: Any, **how: Any) -> None:
        super().print(*(searchable(one) if isinstance(one, str) else one for one in said), **how)


terminal = _Plain(stderr=True)
PIPE_WIDTH = 160  # columns of a table that no terminal bounds


def progress_bar() -> Progress:
    """Return a bar for one task, shown while a person watches."""
    return Progress(
        TextColumn("{task.description:<22}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
        console=terminal,
        transient=True,
        disable=not terminal.is_terminal,
    )


class Remarks:
    """Prints what a run remarks on while it trains, every remark once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._told = len(self._all())

    def tell(self) -> None:
        """Print what was remarked since the last call."""
        remarks = self._all()
        for text in remarks[self._told :]:
            terminal.print(text, markup=False, highlight=False, soft_wrap=True)
        self._told = len(remarks)

    def _all(self) -> list[str]:
        return [str(event.get("text", "")) for event in self._run.events() if event.get("event") == "note"]


def print_json(value: dict[str, Any]) -> None:
    from grouprec.core.files import plain

    sys.stdout.write(json.dumps(_for_programs(value), default=plain) + "\n")


def _for_programs(value: Any) -> Any:
    """JSON has no NaN and no infinity: what is no number becomes null. Sentences are searched."""
    if isinstance(value, dict):
        return {key: _for_programs(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_for_programs(one) for one in value]
    if isinstance(value, str):
        return searchable(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_rows(rows: list[dict[str, Any]], empty: str) -> None:
    if not rows:
        terminal.print(empty, markup=False)
        return
    table = Table(box=None, pad_edge=False)
    for name in rows[0]:
        table.add_column(name, no_wrap=name == "run_id")
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    out = _Plain()
    if not out.is_terminal:
        out = _Plain(width=PIPE_WIDTH)
    out.print(table, markup=False)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4f}"
    return str(value)


def _gain_words(run: Run) -> str:
    """Say what the lists of the use that a run is made for are worth, part by part; nothing where nobody was tested."""
    from grouprec.report import gain, tables

    metrics = run.metrics()
    regime = str(metrics.get("regime", "strict"))
    found, value = (run.table(name) if run.has_table(name) else None for name in ("gain", "value_of_groups"))
    method, n_lists = tables.list_method(metrics, regime), int(metrics.get("n_groups") or 0)
    split = gain.split_of(found, value, run.table("evaluation"), regime, method, n_lists)
    return "" if split is None else f"{gain.reached_answer(split)} {gain.parts_answer(split)}".replace("**", "")


def _what_it_is(metrics: dict[str, Any]) -> str:
    """Say how large a run is, how it was made and in which time, as far as its summary tells."""
    parts = {"n_users": "{:,} users", "n_items": "{:,} items", "n_groups": "{:,} groups", "encoder": "encoder {}"}
    parts |= {"device_title": "{}", "seconds": "{:.0f} s"}
    return ", ".join(words.format(metrics[name]) for name, words in parts.items() if metrics.get(name) is not None)


def print_run(run: Run) -> None:
    """Print a run for people: what it is, and the value of every method at ten items."""
    from grouprec.data.preparing.split_words import split_words
    from grouprec.runs.forgotten import forgotten

    status, metrics = run.status(), run.metrics()
    out = _Plain()
    out.print(f"{run.title()} ({run.run_id}): {status.state} {status.message}", markup=False, highlight=False)
    if not run.finished:
        return
    out.print(_what_it_is(metrics), markup=False, highlight=False)
    if said := split_words(metrics.get("split") or {}):
        out.print(said, markup=False, highlight=False)
    if said := forgotten(run).sentence():
        out.print(said, markup=False, highlight=False)
    if metrics.get("n_groups_reason"):
        out.print(metrics["n_groups_reason"], markup=False, highlight=False)
    if said := _gain_words(run):
        out.print(said, markup=False, highlight=False)
    verdict = metrics.get("verdict") or {}
    if None not in (verdict.get("strict_ratio"), verdict.get("dedup_ratio")):
        out.print(
            f"Generated lists are worth {verdict['strict_ratio']:.0%} of the members' mean, "
            f"{verdict['dedup_ratio']:.0%} where each member skips what they have.",
            markup=False,
            highlight=False,
        )
    table = run.table("evaluation")
    wide = table.pivot_table(index=["regime", "method"], columns="metric", values="value")
    wanted = ["ndcg@10", "precision@10", "recall@10", "hit_rate@10", "mrr"]
    names = [name for name in wanted if name in wide]
    print_rows(
        [{"regime": key[0], "method": key[1], **dict(zip(names, row, strict=True))} for key, row in
         zip(wide.index, wide[names].itertuples(index=False, name=None), strict=True)],
        "",
    )  # fmt: skip
