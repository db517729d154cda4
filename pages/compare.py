"""Which method should I trust? Every method on the same held-out interactions, and the same across runs."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from grouprec.runs import Run
from grouprec.types import StorageError
from grouprec.ui import cards, charts, evidence, shaping, state, story

MARKS = {"floor": "one list for all", "individual": "personal lists", "oracle": "best possible"}
MARKS_HELP = (
    "**One list for all**: what a single popular list reaches. **Personal lists**: everyone has their own, from this "
    "run's model. **Best possible**: what the best shared lists for these groups could reach, knowing the future. "
    "Bars are 95 % intervals over users."
)
AGAINST_HELP = (
    "Difference in nDCG on the same users, with its 95 % interval. ★ more than chance: a paired test, corrected for "
    "the number of comparisons (Holm)"
)


def choose(evaluation: pd.DataFrame) -> tuple[str, int]:
    """Draw the controls; return the use of the lists and the number of items that count. The use is in the URL."""
    left, right = st.columns([3, 1])
    regime = left.segmented_control(
        "How the lists are used",
        list(story.REGIMES),
        required=True,
        format_func=story.REGIMES.get,
        help=story.REGIME_HELP,
        key="compare_use",
        on_change=cards.from_url("use", "compare_use", list(story.REGIMES), "strict"),
    )
    lengths = shaping.cutoffs(evaluation)
    default = 10 if 10 in lengths else lengths[0]
    length = right.segmented_control("Items that count", lengths, default=default, required=True, key="compare_length")
    return regime, length


def methods(evaluation: pd.DataFrame, comparisons: pd.DataFrame, regime: str, length: int, method: str) -> None:
    """Draw all methods as dots with intervals, and as a table; ``method`` makes the run's lists and stands out."""
    metric = f"ndcg@{length}"
    rows = shaping.methods_of(evaluation, regime, metric, method)
    ours = story.evaluated(evaluation, method, regime, metric)
    marks = {title: float(ours[name]) for name, title in MARKS.items()} if ours is not None else {}
    st.plotly_chart(
        charts.method_dots(rows, marks, f"nDCG@{length}"),
        key="compare_dots",
        config=charts.QUIET_CONFIG,
        alt=f"Methods by nDCG@{length}, best first: {', '.join(rows['title'].head(3))}",
    )
    st.caption("Dots are means (open for personal lists), bars their 95 % intervals.", help=MARKS_HELP)
    table = shaping.method_table(evaluation, comparisons, regime, length)
    st.dataframe(
        table,
        hide_index=True,
        key="compare_methods",
        height=36 + 35 * len(table),
        column_config={
            "Method": st.column_config.TextColumn(width="medium", pinned=True),
            "Share of possible gain": st.column_config.NumberColumn(format="percent", help=evidence.GAIN_HELP),
            shaping.against_title(comparisons, regime): st.column_config.TextColumn(help=AGAINST_HELP),
        },
        alt="Methods in rows, metrics in columns, each with its 95 % interval",
    )
    cards.download("Download all results", lambda: evaluation, "evaluation.csv", "compare_download")


def parts(run: Run, regime: str) -> None:
    """Draw the evidence in tabs, of which only the open one is made. Which one that is, is in the URL."""
    names = list(evidence.PARTS)
    changed = cards.from_url("part", "compare_part", names, names[0])
    for tab, draw in zip(st.tabs(names, key="compare_part", on_change=changed), evidence.PARTS.values(), strict=True):
        if tab.open:
            with tab:
                draw(run, regime)


def across_runs(run: Run) -> None:
    """Draw the headline numbers of chosen finished runs."""
    finished = {other.run_id: other for other in state.store().runs() if other.finished}
    if len(finished) < 2:
        return
    cards.section("Across runs")
    others = [run_id for run_id in finished if run_id != run.run_id]
    chosen = st.multiselect(
        "Runs",
        list(finished),
        default=[run.run_id, *others[:3]],
        format_func=lambda run_id: f"{finished[run_id].title()} · {run_id}",
        key="compare_runs",
    )
    rows = [run_row(finished[run_id]) for run_id in chosen]
    frame = pd.DataFrame([row for row in rows if row])
    if frame.empty:
        st.caption("Choose one or more runs.")
        return
    share = st.column_config.NumberColumn(format="percent", help=evidence.GAIN_HELP)
    value = st.column_config.NumberColumn(format="%.3f", help=story.METRIC_HELP)
    measured = frame.columns[frame.columns.get_loc("Personal lists") : -1]
    shown = {name: share if "share" in name else value for name in measured}
    alt = "Chosen runs in rows, their headline numbers in columns"
    st.dataframe(frame, hide_index=True, key="compare_runs_table", column_config=shown, alt=alt)
    if len(frame[["Data", "Users"]].drop_duplicates()) > 1:
        st.caption("These runs are not on the same users, so compare shares of possible gain rather than values.")
    cards.download("Download", lambda: frame, "runs.csv", "compare_download_runs")


def run_row(run: Run) -> dict[str, Any]:
    """Return a run as a row, {} where it cannot be read."""
    try:
        return shaping.run_row(run.title(), state.metrics(run), state.table(run, "evaluation"))
    except StorageError:
        return {}


current = state.require_run()
results, summary = state.table(current, "evaluation"), state.metrics(current)
if shaping.cutoffs(results):
    top = st.container()
    use, n_items = choose(results)
    with top:
        lists = shaping.list_method(summary, use)
        sentence = story.compare_answer(results, use, summary.get("n_groups", 0), lists, f"ndcg@{n_items}")
        cards.answer(sentence, story.METRIC_HELP)
        if note := story.repeats_words(summary):
            st.caption(note)
    methods(results, state.table(current, "comparisons"), use, n_items, lists)
else:
    use = "strict"
    cards.answer(story.compare_answer(results, "strict", summary.get("n_groups", 0)))
parts(current, use)
across_runs(current)
