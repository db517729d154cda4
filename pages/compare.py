"""Which method should I trust? Every method on the same held-out interactions, and the same across runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from grouprec.runs import Run
from grouprec.types import StorageError
from grouprec.ui import cards, charts, shaping, state, story

MARKS = {"floor": "one list for all", "individual": "personal lists", "oracle": "best possible"}
MARKS_HELP = (
    "**One list for all**: what a single popular list reaches. **Personal lists**: everyone has their own, from this "
    "run's model. **Best possible**: what the best shared lists for these groups could reach, knowing the future. "
    "Bars are 95 % intervals over users."
)
PROFILE_HELP = "Negative log-likelihood of held-out items, in nats per item; lower is better"
GENERATOR_HELP = (
    "Fréchet distance to members held out from training; random draws are one normal distribution per group"
)
UPDATER_HELP = "The numbers are nDCG@10 of the next item, with the user frozen and with the user moved by every event"
AGAINST_HELP = (
    "Difference in nDCG on the same users, with its 95 % interval; where it spans 0, neither is proven better"
)
GAIN_HELP = "How much of the way from one popular list for all to personal lists a method goes"


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
            "Share of possible gain": st.column_config.NumberColumn(format="percent", help=GAIN_HELP),
            "Against the generated list": st.column_config.TextColumn(help=AGAINST_HELP),
        },
        alt="Methods in rows, metrics in columns, each with its 95 % interval",
    )
    cards.download("Download all results", lambda: evaluation, "evaluation.csv", "compare_download")


def left_behind(served: pd.DataFrame, refit: bool) -> None:
    """Draw which groups are served worst.

    Args:
        served: the evaluated groups in one use of their lists.
        refit: whether today's groups are other ones; these then go without the colours of the map.
    """
    cards.section("Who is left behind", "Members for whom none of the first ten items was one they took next")
    st.markdown(story.left_behind_answer(served))
    if served["zero_hit_share"].isna().all():
        return
    columns = ["group", "name", "n_test_users", "zero_hit_share", "hit_rate@10", "ndcg@10"]
    frame = served[columns].sort_values("zero_hit_share", ascending=False).round(3)
    st.dataframe(
        frame if refit else cards.colour_groups(frame),
        hide_index=True,
        key="compare_groups",
        height=min(36 + 35 * len(frame), 491),
        column_config={
            "group": st.column_config.NumberColumn("", width=40),
            "name": st.column_config.TextColumn("Group", width=260),
            "n_test_users": st.column_config.NumberColumn("Tested users", format="localized", width=110),
            "zero_hit_share": st.column_config.ProgressColumn(
                "Found nothing", format="percent", min_value=0, max_value=1, width=220
            ),
            "hit_rate@10": st.column_config.NumberColumn("Found something", format="percent", width=130),
            "ndcg@10": st.column_config.NumberColumn("Order of hits (nDCG)", format="%.3f", width=150),
        },
        alt="Groups by the share of members who found nothing in their list",
    )
    if refit:
        st.caption("These are the groups of the evaluation; the run then learned its groups again from all rows.")
    cards.download("Download", lambda: frame, "left_behind.csv", "compare_download_groups")


def stages(metrics: Mapping[str, Any]) -> None:
    """Draw what each learned part adds or costs."""
    cards.section("What each part adds")
    profile, generator, updater = (metrics.get(name) or {} for name in ("profile", "generator", "updater"))
    left, middle, right = st.columns(3, gap="small")
    with left.container(border=True, height="stretch"):
        st.markdown(f"**Profile.** {story.profile_answer(profile)}", help=PROFILE_HELP)
        numbers({"Profile": profile.get("nll_vae"), "Popularity": profile.get("nll_popularity")}, cards.number)
    with middle.container(border=True, height="stretch"):
        st.markdown(f"**Generator.** {story.generator_answer(generator)}", help=GENERATOR_HELP)
        names = {"Generator": "frechet_generated", "Random draws": "frechet_gaussian"}
        numbers({title: generator.get(name) for title, name in names.items()}, cards.number)
    with right.container(border=True, height="stretch"):
        st.markdown(f"**Live updates.** {story.updater_answer(updater)}", help=UPDATER_HELP)
        rates = updater.get("ndcg@10") or {}
        numbers({"Frozen": rates.get("frozen"), "Updated": rates.get("updated")}, cards.score)
    encoders = metrics.get("encoders") or {}
    if len(encoders) > 1:
        chosen = story.encoder_title(str(metrics.get("encoder", "")))
        tried = ", ".join(f"{story.encoder_title(name)} {cards.score(value)}" for name, value in encoders.items())
        st.caption(f"Scores come from {chosen}, the best on the validation part (nDCG@10: {tried}).")


def numbers(values: Mapping[str, float | None], write: Callable[[float], str]) -> None:
    """Draw the values that are there side by side: title -> value."""
    there = {title: value for title, value in values.items() if value is not None}
    if there:
        for column, (title, value) in zip(st.columns(len(there)), there.items(), strict=True):
            column.metric(title, write(value))


def value_of_groups(run: Run, n_groups: int) -> None:
    """Draw the share of possible gain against the number of groups, where this run measured it."""
    try:
        value = state.table(run, "value_of_groups")
    except StorageError:
        return
    curves = shaping.gain_curves(value)
    if not curves:
        return
    cards.section("How many lists", f"{GAIN_HELP}. Measured on the validation part, by which the number was chosen.")
    st.markdown(story.value_answer(next(iter(curves.values()))))
    alt = "Share of possible gain by number of lists"
    st.plotly_chart(charts.value_curve(curves, n_groups), key="compare_value", config=charts.QUIET_CONFIG, alt=alt)
    with st.expander("As a table"):
        st.dataframe(value, hide_index=True, key="compare_value_table", alt=alt)
        cards.download("Download", lambda: value, "value_of_groups.csv", "compare_download_value")


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
    share = st.column_config.NumberColumn(format="percent", help=GAIN_HELP)
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
    methods(results, state.table(current, "comparisons"), use, n_items, lists)
else:
    use = "strict"
    cards.answer(story.compare_answer(results, "strict", summary.get("n_groups", 0)))
value_of_groups(current, summary.get("n_groups", 0))
served_groups = state.table(current, "group_evaluation")
left_behind(served_groups[served_groups["regime"] == use], bool(summary.get("refit")))
stages(summary)
across_runs(current)
