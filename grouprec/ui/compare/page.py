"""Which method should I trust? Every method on the same held-out interactions, and the same across runs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core import language
from grouprec.core.language import N_, Glossary, _, commas, decimal, semicolons
from grouprec.core.tables import named_rows
from grouprec.ranking.statistics import ENOUGH
from grouprec.report import gain, html, sentences, tables
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, state
from grouprec.ui.address import from_url, many_from_url, parts_from_url, picked
from grouprec.ui.compare import tables as compare_tables
from grouprec.ui.compare import tabs
from grouprec.ui.compare.charts import people_bars
from grouprec.ui.compare.export import buttons
from grouprec.ui.compare.parts import views
from grouprec.ui.compare.runs import across_runs

MOST_ROWS = 15  # that are seen at once
MARKS_HELP = N_(
    "**Personal lists**: everyone has their own, from this run's model. **Best possible**: what the best shared lists "
    "for these groups could reach, knowing the future. Bars are 95 % intervals over users."
)
PLACE_HELP = N_("Among the shared lists, by nDCG: 1 is the best. A ★ says which differences are more than chance.")
MEAN_PLACE_HELP = N_("The mean of a method's places by all measures of accuracy in this table")
FITTING = ("Place", "Method", "Share of possible gain", "Order of hits (nDCG)", "Users with a hit")  # a laptop's window
METHODS, RUNS = N_("Methods"), N_("Runs")
VIEWS = Glossary({"business": "In short", "analyst": "For analysts"})
REPORT_HELP = N_("The whole story of this run in one HTML file: it opens without a network and prints well to PDF")


def choose(evaluation: pd.DataFrame, left: DeltaGenerator, right: DeltaGenerator) -> tuple[str, int]:
    """Draw the controls; return the use of the lists and the number of items that count. The use is in the URL."""
    regime = left.segmented_control(
        _("How the lists are used"),
        list(sentences.REGIMES),
        required=True,
        format_func=sentences.REGIMES.__getitem__,
        help=_(sentences.REGIME_HELP),
        key="compare_use",
        on_change=from_url("use", "compare_use", list(sentences.REGIMES), "strict"),
        wrap=True,
    )
    lengths = tables.cutoffs(evaluation)
    length = right.segmented_control(
        _("Items that count"),
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
        _("Methods"),
        list(titles),
        format_func=titles.__getitem__,
        placeholder=_("All methods; choose some to narrow down"),
        key="compare_methods",
        on_change=many_from_url("methods", "compare_methods", list(titles)),
    )


def methods(run: Run, evaluation: pd.DataFrame, regime: str, length: int, ours: str) -> None:
    """Draw methods as dots with intervals, and as a table; ``ours`` makes the run's lists."""
    metric = f"ndcg@{length}"
    rows = tables.methods_of(evaluation, regime, metric, ours)
    chosen = choose_methods(rows)
    shown = rows[rows["method"].isin(chosen)] if chosen else rows
    own = sentences.evaluated(evaluation, ours, regime, metric)
    titles = charts.reference_titles(evaluation[evaluation["regime"] == regime])
    marks = {title.lower(): float(own[name]) for name, title in titles.items()} if own is not None else {}
    picture, numbers = views()
    with picture:
        st.plotly_chart(
            charts.method_dots(shown, marks, _("nDCG@{length}").format(length=length)),
            key="compare_dots",
            config=charts.QUIET_CONFIG,
            alt=_("Methods by nDCG@{length}, best first: {title}").format(
                length=length, title=commas(shown["title"].head(3))
            ),
        )
        floor = gain.floor_words(gain.floor_of(evaluation[evaluation["regime"] == regime]))
        st.caption(
            _("Dots are means (open for personal lists), bars their 95 % intervals. {floor}").format(floor=floor),
            help=_(MARKS_HELP),
        )
    comparisons = state.table(run, "comparisons")
    whole = method_table(*state.run_key(run), regime, length, language.current(), evaluation, comparisons)
    with numbers:
        draw_table(
            whole[rows["method"].isin(chosen).to_numpy()] if chosen else whole,
            tables.against_title(comparisons, regime),
        )


def against_help() -> str:
    """Return what a difference to the run's own lists is."""
    return _(
        "Difference in nDCG on the same users, with its 95 % interval. ★ more than chance: a paired test, corrected "
        "for the number of comparisons (Holm). Below {enough} tested users: too few to tell"
    ).format(enough=ENOUGH)


def draw_table(table: pd.DataFrame, against: str) -> None:
    """Draw the table of methods: the columns that fit a laptop, or all that hold anything.

    Args:
        against: the title of a difference.
    """
    everything = st.toggle(_("Show all numbers"), key="compare_all", persist_state="session")
    filled = table.dropna(axis=1, how="all")
    if not everything:
        filled = filled[[name for name in filled if str(name) in {*FITTING, against}]]
    st.dataframe(
        filled,
        hide_index=True,
        key="compare_table",
        height=36 + 35 * min(len(filled), MOST_ROWS),
        column_config=cards.titles(
            filled,
            {
                "Place": st.column_config.NumberColumn(width=50, pinned=True, help=_(PLACE_HELP)),
                "Method": st.column_config.TextColumn(width=205, pinned=True),
                "Share of possible gain": st.column_config.NumberColumn(
                    _("Gain kept"), format="percent", width=80, help=_(tabs.GAIN_HELP)
                ),
                "Mean place": st.column_config.NumberColumn(format="%.1f", help=_(MEAN_PLACE_HELP)),
                against: st.column_config.TextColumn(width=225, help=against_help()),
                **{name: st.column_config.TextColumn(width=160) for name in FITTING[3:]},
            },
        ),
        placeholder="",
        alt=_("Methods in rows, metrics in columns, each with its 95 % interval"),
    )
    buttons(table, "methods", "compare_download_methods")


@st.cache_resource(max_entries=64, show_spinner=False)
def method_table(
    path: str,
    changed: float,
    regime: str,
    length: int,
    language: str,
    _evaluation: pd.DataFrame,
    _comparisons: pd.DataFrame,
) -> pd.DataFrame:
    """Return the table of all methods of the run at ``path``; made once per server. Never change it."""
    return compare_tables.method_table(_evaluation, _comparisons, regime, length)


def take_home(run: Run, evaluation: pd.DataFrame) -> None:
    """Draw what can be taken home of the run as a whole; made when it is asked for."""
    with st.container(horizontal=True):
        st.download_button(
            _("Report of this run"),
            data=state.later(lambda: html.render(run).encode(), run),
            file_name="story.html",
            mime="text/html",
            key="compare_report",
            on_click="ignore",
            type="primary",
            icon=":material/description:",
            help=_(REPORT_HELP),
        )
        cards.download(_("All results"), lambda: evaluation, "evaluation.csv", "compare_download")


def business(run: Run, evaluation: pd.DataFrame, top: DeltaGenerator, _beside: Sequence[DeltaGenerator]) -> None:
    """Draw what today's practice, one good list, the run's lists and personal lists do for people.

    Args:
        top: where the answer goes.
    """
    metrics, regime = state.metrics(run), kept_use(run)
    lists, n_groups = tables.list_method(metrics, regime), int(metrics.get("n_groups", 0))
    split = gain.split_of(*state.gain_tables(run), evaluation, regime, lists, n_groups)
    if split is None:
        with top:
            cards.answer(sentences.compare_answer(evaluation, regime, n_groups, lists), _(sentences.METRIC_HELP))
            cards.tested_note(run)
        return
    with top:
        cards.answer(gain.reached_answer(split), _(gain.PEOPLE_HELP))
        cards.tested_note(run)
    st.markdown(gain.parts_answer(split))
    bars = tables.five_bars(evaluation, split, regime, lists)
    st.plotly_chart(
        people_bars(bars),
        key="compare_five",
        config=charts.QUIET_CONFIG,
        alt=semicolons(
            _("{title}: {value} of 100 people").format(title=row.title, value=decimal(row.value))
            for row in named_rows(bars)
        ),
    )
    st.caption(gain.floor_words(split.floor_method), help=_(MARKS_HELP))


def kept_use(run: Run) -> str:
    """Return the use of lists that the run was made for."""
    metrics = state.metrics(run)
    return "strict" if metrics.get("repeats") else str(metrics.get("regime", "strict"))


def analyst(run: Run, evaluation: pd.DataFrame, top: DeltaGenerator, beside: Sequence[DeltaGenerator]) -> None:
    """Draw every method and measure, in tabs; only the open one is made. All choices are in the URL.

    Args:
        top: where the answer goes.
        beside: where the controls go, two of them.
    """
    if not tables.cutoffs(evaluation):
        with top:
            cards.answer(sentences.compare_answer(evaluation, "strict", state.metrics(run).get("n_groups", 0)))
        parts(run, "strict", {})
        return
    use, n_items = choose(evaluation, *beside)
    summary = state.metrics(run)
    lists = tables.list_method(summary, use)
    with top:
        n_groups = int(summary.get("n_groups", 0))
        sentence = sentences.compare_answer(evaluation, use, n_groups, lists, f"ndcg@{n_items}")
        cards.answer(sentence, _(sentences.METRIC_HELP))
        cards.tested_note(run)
        if note := sentences.repeats_words(summary):
            st.caption(note)
    metric = f"ndcg@{n_items}"
    first = {METHODS: lambda run, use: methods(run, evaluation, use, n_items, lists)}
    last = {RUNS: lambda run, use: across_runs(run, use, metric, asked_methods())}
    parts(run, use, first, last)


def asked_methods() -> list[str]:
    """Return the methods that were chosen, all where none was."""
    return [name for name in st.query_params.get("methods", "").split(",") if name]


def parts(run: Run, regime: str, first: dict, last: dict | None = None) -> None:
    """Draw the evidence in tabs; only the open one is made. Which one that is, is in the URL."""
    shown = {**first, **tabs.PARTS, **(last or {})}
    for name, tab in parts_from_url("part", "compare_part", list(shown)).items():
        if tab.open:
            with tab:
                shown[name](run, regime)


def draw() -> None:
    """Draw the page."""
    current = state.require_run()
    results = state.table(current, "evaluation")
    top = st.container()
    named = {"methods", "part", "runs", "across", "use", "items"} & set(st.query_params)
    first, *beside = st.columns([5, 11, 4], vertical_alignment="bottom")
    view = first.segmented_control(
        _("View"),
        list(VIEWS),
        required=True,
        format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
        key="compare_view",
        on_change=from_url("view", "compare_view", list(VIEWS), "analyst" if named else "business"),
    )
    {"business": business, "analyst": analyst}[picked(view)](current, results, top, beside)
    take_home(current, results)
