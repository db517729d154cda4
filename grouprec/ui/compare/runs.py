"""The part of the Compare page that sets runs side by side: headline numbers, methods, training cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from grouprec.core.language import N_, _, commas, current, ngettext
from grouprec.core.types import StorageError
from grouprec.report import sentences, side_by_side
from grouprec.report import tables as report_tables
from grouprec.report.text import NOTHING
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, state
from grouprec.ui.address import many_from_url, parts_from_url
from grouprec.ui.cards import plain
from grouprec.ui.compare import tables as compare_tables
from grouprec.ui.compare import tabs
from grouprec.ui.compare.charts import cost_against_quality
from grouprec.ui.compare.export import buttons

FIRST_RUNS = 4  # that are chosen before anybody chooses
PLACE_HELP = N_("1 is the best of all shared lists of a run; the mean is over the runs. Personal lists take no part.")
COST_HELP = N_(
    "Every dot is one encoder by itself: seconds of its training, and what personal lists by it alone reach, with the "
    "95 % interval. The diamond is all encoders of a run together. Lists and groups come on top of that."
)
NO_COST = N_(
    "No cost can be told: these runs evaluated no encoder by itself, or read all their encoders back from earlier runs."
)
SIZE_HELP = N_("How many numbers the encoder learned and keeps (parameters)")


def across_runs(run: Run, regime: str, metric: str, methods: list[str]) -> None:
    """Draw chosen finished runs side by side, in tabs; only the open one is made; all choices are in the URL.

    Args:
        methods: those that were chosen, all where none was.
    """
    usable = {other.run_id: other for other in state.store().runs() if other.usable}
    finished = {run_id: other for run_id, other in usable.items() if data_of(other) == data_of(run)}
    if len(usable) > len(finished):
        st.caption(words_of_others(len(usable) - len(finished)))
    chosen = _choose_runs(run, finished)
    tables = {run_id: table for run_id in chosen if (table := _evaluation(finished[run_id])) is not None}
    if not tables:
        st.caption(_("Choose one or more runs."))
        return
    shown = {run_id: finished[run_id] for run_id in tables}
    if len(finished) < 2:
        training_cost(shown, tables, regime, metric, methods)
        return
    for name, tab in parts_from_url("across", "compare_across", list(VIEWS)).items():
        if tab.open:
            with tab:
                VIEWS[name](shown, tables, regime, metric, methods)


def data_of(run: Run) -> tuple[Any, ...]:
    """Return what two runs share that were judged on the same people and items; only those are ever ranked together."""
    metrics = state.metrics(run)
    split = metrics.get("split") or {}
    names = ("n_users", "n_items", "n_interactions", "n_test_users", "repeats")
    return *(metrics.get(name) for name in names), split.get("kind"), split.get("judge_users")


def words_of_others(n: int) -> str:
    """Say that runs on other data are left out."""
    return ngettext(
        "{n} run is on other data, and so not set beside this one.",
        "{n} runs are on other data, and so not set beside this one.",
        n,
    ).format(n=n)


def _choose_runs(run: Run, finished: Mapping[str, Run]) -> list[str]:
    if len(finished) < 2:
        return list(finished)
    others = [run_id for run_id in finished if run_id != run.run_id]
    default = [run.run_id, *others[: FIRST_RUNS - 1]]
    labels = {run_id: f"{other.title()} · {run_id}" for run_id, other in finished.items()}
    changed = many_from_url("runs", "compare_runs", list(finished), default)
    return st.multiselect(
        _("Runs"), list(finished), format_func=labels.__getitem__, key="compare_runs", on_change=changed
    )


def _evaluation(run: Run) -> pd.DataFrame | None:
    """Return a run's evaluation, None where it is empty, or cannot be read, which is said."""
    try:
        return state.table_or_none(run, "evaluation")
    except StorageError as error:
        st.warning(plain(str(error)))
        return None


def headlines(
    runs: Mapping[str, Run], tables: Mapping[str, pd.DataFrame], regime: str, metric: str, methods: list[str]
) -> None:
    """Draw the headline numbers, a run in each row."""
    rows = [report_tables.run_row(run.title(), state.metrics(run), tables[run_id]) for run_id, run in runs.items()]
    frame = pd.DataFrame(rows)
    column = "Shared, same list, share of gain" if regime == "strict" else "Shared, skips owned, share of gain"
    st.markdown(side_by_side.runs_answer(frame, column), help=_(tabs.GAIN_HELP))
    share = st.column_config.NumberColumn(format="percent", help=_(tabs.GAIN_HELP))
    value = st.column_config.NumberColumn(format="%.3f", help=_(sentences.METRIC_HELP))
    measured = frame.columns[frame.columns.get_loc("Personal lists") : -1]
    formats = {name: share if "share" in name else value for name in measured}
    formats |= dict.fromkeys(("Users", "Tested on", "Seconds"), st.column_config.NumberColumn(format="localized"))
    _table(frame, "runs", formats, _("Chosen runs in rows, their headline numbers in columns"))
    buttons(frame, "runs", "compare_download_runs")


def methods_by_run(
    runs: Mapping[str, Run], tables: Mapping[str, pd.DataFrame], regime: str, metric: str, methods: list[str]
) -> None:
    """Draw the value and mean place of every shared method over the runs."""
    labels = compare_tables.run_labels(runs)
    frame = compare_tables.methods_by_run({labels[run_id]: tables[run_id] for run_id in runs}, regime, metric, methods)
    st.markdown(side_by_side.places_answer(frame), help=_(PLACE_HELP))
    formats = {"Method": st.column_config.TextColumn(width="medium", pinned=True)}
    _table(frame, "runs_methods", formats, _("Methods in rows, runs in columns, each value with its 95 % interval"))
    buttons(frame, "methods_by_run", "compare_download_runs_methods")


def training_cost(
    runs: Mapping[str, Run], tables: Mapping[str, pd.DataFrame], regime: str, metric: str, methods: list[str]
) -> None:
    """Draw what training takes against what personal lists then reach."""
    labels = compare_tables.run_labels(runs)
    frames = [_costs(*state.run_key(run), metric, current()).assign(run=labels[run_id]) for run_id, run in runs.items()]
    rows = pd.concat(frames, ignore_index=True)
    if rows.empty:
        st.markdown(_(NO_COST))
        return
    rows["whole"] = rows["title"] == _(compare_tables.WHOLE_RUN)
    first = rows[(rows["run"] == rows["run"].iloc[0]) & ~rows["whole"]]
    st.markdown(side_by_side.cost_answer(first), help=_(COST_HELP))
    title = metric.replace("ndcg", "nDCG")
    alt = _("{title} of personal lists against seconds of training, for {drop_duplicates}").format(
        title=title, drop_duplicates=commas(rows["title"].drop_duplicates())
    )
    st.plotly_chart(cost_against_quality(rows, title), key="compare_cost", config=charts.QUIET_CONFIG, alt=alt)
    shown = report_tables.with_interval(
        rows,
        {"run": N_("Run"), "title": N_("Encoder"), "seconds": N_("Seconds"), "numbers": N_("Numbers learned")},
        title,
    )
    formats: dict[str, Any] = {
        "Seconds": st.column_config.NumberColumn(format="%.1f", help=_("Of one training, the one that was evaluated")),
        "Numbers learned": st.column_config.NumberColumn(format="compact", help=_(SIZE_HELP)),
    }
    _table(shown, "cost", formats, _("Encoders in rows: seconds, numbers learned, value with its interval"))
    buttons(shown, "training_cost", "compare_download_cost")


@st.cache_resource(max_entries=64, show_spinner=False)
def _costs(path: str, version: float, metric: str, language: str) -> pd.DataFrame:
    run = Run(Path(path))
    return compare_tables.costs(run, run.table("evaluation"), metric)


def _table(frame: pd.DataFrame, name: str, formats: Mapping[str, Any], alt: str) -> None:
    st.dataframe(
        frame,
        hide_index=True,
        key=f"compare_{name}_table",
        height=min(36 + 35 * len(frame), 491),
        column_config=cards.titles(frame, formats),
        placeholder=NOTHING,
        alt=alt,
    )


VIEWS: dict[str, Callable[..., None]] = {
    N_("Headline numbers"): headlines,
    N_("Methods"): methods_by_run,
    N_("Training cost"): training_cost,
}
