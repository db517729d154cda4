"""Which method should I trust? Every method on the same held-out interactions, and the same across runs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from grouprec.ranking.statistics import ENOUGH
from grouprec.report import gain, html, sentences, tables
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, gain_view, state
from grouprec.ui.address import from_url, many_from_url, picked
from grouprec.ui.compare import tables as compare_tables
from grouprec.ui.compare import tabs
from grouprec.ui.compare.export import buttons
from grouprec.ui.compare.runs import across_runs, version

MARKS_HELP = (
    "**Personal lists**: everyone has their own, from this run's model. **Best possible**: what the best shared lists "
    "for these groups could reach, knowing the future. Bars are 95 % intervals over users."
)
AGAINST_HELP = (
    "Difference in nDCG on the same users, with its 95 % interval. ★ more than chance: a paired test, corrected for "
    f"the number of comparisons (Holm). Below {ENOUGH} tested users: too few to tell"
)
PLACE_HELP = "Among the shared lists, by nDCG: 1 is the best. A ★ says which differences are more than chance."
MEAN_PLACE_HELP = "The mean of a method's places by all measures of accuracy in this table"
REPORT_HELP = "The whole story of this run in one HTML file: it opens without a network and prints well to PDF"


def choose(evaluation: pd.DataFrame) -> tuple[str, int]:
    """Draw the controls; return the use of the lists and the number of items that count. The use is in the URL."""
    left, right = st.columns([3, 1])
    regime = left.segmented_control(
        "How the lists are used",
        list(sentences.REGIMES),
        required=True,
        format_func=sentences.REGIMES.__getitem__,
        help=sentences.REGIME_HELP,
        key="compare_use",
        on_change=from_url("use", "compare_use", list(sentences.REGIMES), "strict"),
        wrap=True,
    )
    lengths = tables.cutoffs(evaluation)
    length = right.segmented_control(
        "Items that count",
        lengths,
        required=True,
        key="compare_length",
        on_change=from_url("items", "compare_length", lengths, 10 if 10 in lengths else lengths[0]),
    )
    return picked(regime), picked(length)


def choose_methods(rows: pd.DataFrame) -> list[str]:
    """Draw the choice of methods, which is in the URL; none chosen means all."""
    titles = dict(zip(rows["method"], rows["title"], strict=True))
    return st.multiselect(
        "Methods",
        list(titles),
        format_func=titles.__getitem__,
        placeholder="All methods; choose some to narrow down",
        key="compare_methods",
        on_change=many_from_url("methods", "compare_methods", list(titles)),
    )


def methods(run: Run, evaluation: pd.DataFrame, regime: str, length: int, ours: str) -> list[str]:
    """Draw methods as dots with intervals, and as a table; ``ours`` makes the run's lists. Return those chosen."""
    metric = f"ndcg@{length}"
    rows = tables.methods_of(evaluation, regime, metric, ours)
    chosen = choose_methods(rows)
    shown = rows[rows["method"].isin(chosen)] if chosen else rows
    own = sentences.evaluated(evaluation, ours, regime, metric)
    titles = charts.reference_titles(evaluation[evaluation["regime"] == regime])
    marks = {title.lower(): float(own[name]) for name, title in titles.items()} if own is not None else {}
    st.plotly_chart(
        charts.method_dots(shown, marks, f"nDCG@{length}"),
        key="compare_dots",
        config=charts.QUIET_CONFIG,
        alt=f"Methods by nDCG@{length}, best first: {', '.join(shown['title'].head(3))}",
    )
    floor = gain.floor_words(gain.floor_of(evaluation[evaluation["regime"] == regime]))
    st.caption(f"Dots are means (open for personal lists), bars their 95 % intervals. {floor}", help=MARKS_HELP)
    comparisons = state.table(run, "comparisons")
    whole = method_table(str(run.path), version(run), regime, length, evaluation, comparisons)
    table = whole[rows["method"].isin(chosen).to_numpy()] if chosen else whole
    st.dataframe(
        table,
        hide_index=True,
        key="compare_table",
        height=36 + 35 * len(table),
        column_config={
            "Place": st.column_config.NumberColumn(width=50, pinned=True, help=PLACE_HELP),
            "Method": st.column_config.TextColumn(width="medium", pinned=True),
            "Share of possible gain": st.column_config.NumberColumn(format="percent", help=tabs.GAIN_HELP),
            "Mean place": st.column_config.NumberColumn(format="%.1f", help=MEAN_PLACE_HELP),
            tables.against_title(comparisons, regime): st.column_config.TextColumn(help=AGAINST_HELP),
        },
        placeholder="",
        alt="Methods in rows, metrics in columns, each with its 95 % interval",
    )
    buttons(table, "methods", "compare_download_methods")
    return chosen


@st.cache_resource(max_entries=64, show_spinner=False)
def method_table(
    path: str, changed: float, regime: str, length: int, _evaluation: pd.DataFrame, _comparisons: pd.DataFrame
) -> pd.DataFrame:
    """Return the table of all methods of the run at ``path``; made once per server. Never change it."""
    return compare_tables.method_table(_evaluation, _comparisons, regime, length)


def take_home(run: Run, evaluation: pd.DataFrame) -> None:
    """Draw what can be taken home of the run as a whole; made when it is asked for."""
    with st.container(horizontal=True):
        st.download_button(
            "Report of this run",
            data=lambda: html.render(run).encode(),
            file_name="story.html",
            mime="text/html",
            key="compare_report",
            on_click="ignore",
            type="primary",
            icon=":material/description:",
            help=REPORT_HELP,
        )
        cards.download("All results", lambda: evaluation, "evaluation.csv", "compare_download")


def parts(run: Run, regime: str) -> None:
    """Draw the evidence in tabs, of which only the open one is made. Which one that is, is in the URL."""
    names = list(tabs.PARTS)
    changed = from_url("part", "compare_part", names, names[0])
    for tab, draw in zip(st.tabs(names, key="compare_part", on_change=changed), tabs.PARTS.values(), strict=True):
        if tab.open:
            with tab:
                draw(run, regime)


def draw() -> None:
    """Draw the page."""
    current = state.require_run()
    results, summary = state.table(current, "evaluation"), state.metrics(current)
    use, n_items, picked = "strict", 10, []
    if tables.cutoffs(results):
        top = st.container()
        use, n_items = choose(results)
        with top:
            lists = tables.list_method(summary, use)
            n_groups = int(summary.get("n_groups", 0))
            sentence = sentences.compare_answer(results, use, n_groups, lists, f"ndcg@{n_items}")
            split = gain.split_of(state.table_or_none(current, "gain"), results, use, lists, n_groups)
            if split is None:
                cards.answer(sentence, sentences.METRIC_HELP)
            else:
                cards.answer(gain.reached_answer(split), gain.PEOPLE_HELP)
                st.markdown(sentence, help=sentences.METRIC_HELP)
            cards.tested_note(current)
            if note := sentences.repeats_words(summary):
                st.caption(note)
            take_home(current, results)
        picked = methods(current, results, use, n_items, lists)
        if split is not None:
            gain_view.draw(split, "compare")
    else:
        cards.answer(sentences.compare_answer(results, "strict", summary.get("n_groups", 0)))
        take_home(current, results)
    parts(current, use)
    across_runs(current, use, f"ndcg@{n_items}", picked)
