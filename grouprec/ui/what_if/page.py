"""The parts of the What-if page: the number of lists, what it buys, who moves, whose lists change, what it costs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from grouprec.core.types import GrouprecError
from grouprec.evaluate.enough import enough
from grouprec.explore.numbering import changed_lists, moves
from grouprec.report import gain, tables
from grouprec.runs.store import Run
from grouprec.training import jobs
from grouprec.ui import cards, charts, gain_view, state
from grouprec.ui.address import from_url
from grouprec.ui.what_if import charts as what_if_charts
from grouprec.ui.what_if import money, words
from grouprec.ui.what_if.words import Setting

NDCG = "nDCG@10"
VALUE_HELP = (
    "Every number of lists was tried: its groups formed from as many starts as a run takes (a tenth where users are "
    "very many), its lists made, and both judged on interactions that were held out. **Personal lists**: everyone has "
    "their own. **Best possible**: the best shared lists for these groups, knowing the future. The band is the 95 % "
    "interval."
)
ANSWER_HELP = (
    f"{gain.PEOPLE_HELP} *Enough*: the smallest number of lists within one standard error of the best, by order of "
    "hits (nDCG@10) on the same people. Numbers in the sentence never fall where lists are added, unless the fall is "
    "more than chance (isotonic regression); the table has them as they were measured."
)
GAIN_HELP = (
    "How much of the way from the best single list for all to personal lists these lists go, measured with nDCG@10 on "
    "held-out interactions."
)
MEASURES_HELP = (
    "**Best possible**: the best shared lists for these groups, knowing the future. **Users with a hit**: they really "
    "took one of the ten items. **Stability**: agreement of the groups of two seeds (adjusted Rand index), 1 the same "
    "groups, 0 no more than chance. In brackets: 95 % intervals."
)
MOVES_HELP = (
    "A group keeps its number and colour where it keeps most of its members. A user changes group who is in one of "
    "another number, also where their group was split."
)
USE_HELP = (
    "Trains a run with so many groups. All that was learned before the groups is read back; groups, lists and the "
    "evaluation are made anew, so groups may differ a little."
)
USERS_HELP = "Users in the group"
MISSING = (
    "This run did not keep its groups for other numbers of lists, so their map, moves and lists cannot be shown; "
    "train it again to see them."
)
NOTHING = "This run did not measure other numbers of lists; train it again to see what they would buy."


# -- what the run kept


def curve_of(run: Run) -> pd.DataFrame:
    """Return the value table of the run's own groups in the use that they were formed for; empty in older runs."""
    value = state.table_or_none(run, "value_of_groups")
    if value is None:
        return pd.DataFrame({"n_groups": [], "metric": []})
    regime = regime_of(run)
    method = tables.curve_method(value, state.metrics(run), regime)
    own = value[(value["method"] == method) & (value["regime"] == regime)]
    return own.dropna(subset="value").sort_values("n_groups", ignore_index=True)


def steps_of(run: Run) -> pd.DataFrame | None:
    """Return the parts of the gain by number of lists, in the same use; None in older runs."""
    found = state.table_or_none(run, "gain_of_groups")
    return None if found is None else found[found["regime"] == regime_of(run)]


def regime_of(run: Run) -> str:
    """Return the use of lists that the run's groups were formed for; with repeats nobody skips anything."""
    metrics = state.metrics(run)
    return "strict" if metrics.get("repeats") else str(metrics.get("regime", "strict"))


def setting(run: Run, n: int, use: str) -> Setting | None:
    """Return what the run kept of a number of lists; None where it kept nothing."""
    names = [f"what_if_{name}" for name in ("labels", "groups", "lists")]
    if not all(map(run.has_table, names)):
        return None
    labels, groups, lists = (state.table(run, name) for name in names)
    if str(n) not in labels:
        return None
    own = lists[(lists["n_groups"] == n) & (lists["regime"] == use)]
    groups = groups[groups["n_groups"] == n]
    return Setting(n, labels[str(n)].to_numpy(), groups.reset_index(drop=True), own.reset_index(drop=True))


# -- the page


@st.fragment
def explore(run: Run) -> None:
    """Draw the whole page; moving the slider reruns nothing else."""
    try:
        _explore(run)
    except GrouprecError as error:  # a fragment runs on its own, outside the frame that shows errors
        st.error(cards.plain(error))


def _explore(run: Run) -> None:
    value = curve_of(run)
    own = int(state.metrics(run).get("n_groups_asked", state.metrics(run).get("n_groups", 1)))
    curve = tables.of(value) if len(value) else value
    if curve.empty:
        cards.answer(NOTHING)
        train_button(run, own)
        return
    top = st.container()
    n, other = choose(run, curve["n_groups"].astype(int).tolist(), own)
    hits, steps = tables.of(value, gain.HITS), steps_of(run)
    split = gain.split_at(steps, hits, n)
    with top:
        cards.answer(words.answer(curve, hits, steps, split, n), ANSWER_HELP)
        cards.tested_note(run)
    now, then = (setting(run, one, regime_of(run)) for one in (n, other))
    if now is None or then is None:
        st.info(MISSING, icon=":material/map:")
        train_button(run, own)
        draw_curve(curve, n, other)
    else:
        pictures(run, curve, now, then)
        if split is not None:
            gain_view.draw(split, "what_if")
        compared(value, now, then)
        changed(now, then)
    money.draw(run, value, n)


def choose(run: Run, grid: list[int], own: int) -> tuple[int, int]:
    """Draw the slider, the number to compare with, and the way to a run with the first; both are in the URL."""
    own = own if own in grid else grid[-1]
    left, middle, right = st.columns([6, 3, 3], gap="large", vertical_alignment="bottom")
    n = left.select_slider(
        "Number of lists", grid, key="what_if_n", on_change=from_url("lists", "what_if_n", grid, own)
    )
    at = grid.index(n)
    usual = grid[min(at + 1, len(grid) - 1)] if n == own else own
    other = middle.selectbox(
        "Compared with",
        grid,
        format_func=lambda one: f"{words.lists(one)}{' (this run)' if one == own else ''}",
        key="what_if_with",
        on_change=from_url("with", "what_if_with", grid, usual),
    )
    label = f"Use {words.lists(n)}"
    help_text = "This run has so many already." if n == own else USE_HELP
    disabled = n == own
    if right.button(label, type="primary", disabled=disabled, key="what_if_use", help=help_text, width="stretch"):
        train(run, n)
    return n, other


def train_button(run: Run, n: int) -> None:
    """Offer to train the run again as it was."""
    if st.button("Train again", type="primary", icon=":material/replay:", key="what_if_again"):
        train(run, n)


def train(run: Run, n: int) -> None:
    """Start a run that differs in the number of groups only, and show how it goes.

    Raises:
        GrouprecError: the run's configuration cannot be read, or the runs folder not be written.
    """
    from grouprec.runs.config import make_config  # knows the stages, and so torch

    config = run.config()
    title = f"{run.title()}, {n} groups"[-120:]
    again = jobs.start(state.store(), make_config(**{**config.model_dump(), "n_groups": n, "title": title}))
    state.choose_run(again.run_id)
    state.open_page("train")


# -- the pictures


def pictures(run: Run, curve: pd.DataFrame, now: Setting, then: Setting) -> None:
    """Draw the map beside the curve, or beside the other number's map."""
    left, right = st.columns(2, gap="medium", vertical_alignment="center")
    beside = {"value": "What they are worth", "map": f"Map with {words.lists(then.n)}"}
    left.markdown(f"**Map with {words.lists(now.n)}**")
    with right:
        shown = st.segmented_control(
            "Beside the map",
            list(beside),
            required=True,
            format_func=beside.__getitem__,
            key="what_if_beside",
            on_change=from_url("beside", "what_if_beside", list(beside), "value"),
            wrap=True,
            label_visibility="collapsed",
        )
    left, right = st.columns(2, gap="medium")
    with left:
        draw_map(run, now, "what_if_map")
    with right:
        if shown == "map":
            draw_map(run, then, "what_if_other_map")
        else:
            draw_curve(curve, now.n, then.n)


def draw_map(run: Run, shown: Setting, key: str) -> None:
    """Draw the users in the colours of one setting, always at the same places."""
    drawn = _map(str(run.path), shown.n, state.trained_table(run, "users"), shown)
    if not drawn.placed:
        st.info("This run has no map.", icon=":material/map:")
        return
    alt = f"Map of {cards.count(drawn.placed)} users in {len(shown.groups)} groups, whose sizes are in the table below"
    cards.user_map(drawn.figure, key, alt)
    part = ""
    if drawn.drawn < drawn.placed:
        part = f" {cards.count(drawn.drawn)} of {cards.count(drawn.placed)} users are drawn, chosen at random."
    st.caption(f"Users keep their place, groups their colour where they keep most members.{part}")


@st.cache_resource(max_entries=64, show_spinner=False)
def _map(path: str, n: int, _users: pd.DataFrame, _shown: Setting) -> charts.UserMap:
    """Return the map of one setting of a run: the slider comes back to it. Shared by all sessions."""
    places = _users.loc[_users["in_training"].to_numpy(bool), ["x", "y"]]
    drawn = charts.user_map(places.assign(group=_shown.labels), _shown.names)
    drawn.figure.update_layout(dragmode="pan")
    return drawn


def draw_curve(curve: pd.DataFrame, n: int, other: int) -> None:
    """Draw the value by number of lists."""
    row = curve[curve["n_groups"] == n].iloc[0]
    reached = f"{words.lists(n)} reach {cards.interval(row['value'], row['low'], row['high'])}"
    st.plotly_chart(
        what_if_charts.value_curve(curve, n, other, NDCG, enough(curve)),
        key="what_if_curve",
        config=charts.QUIET_CONFIG,
        alt=f"{NDCG} by number of lists: {reached}",
    )
    st.caption(gain.floor_words(gain.floor_of(curve)), help=VALUE_HELP)


# -- two settings


def compared(value: pd.DataFrame, now: Setting, then: Setting) -> None:
    """Draw two settings side by side in numbers, and who moves from one to the other."""
    cards.section(f"{now.n} or {words.lists(then.n)}", MEASURES_HELP)
    left, right = st.columns(2, gap="medium")
    with left:
        table = words.measures(value, [now, then] if now.n != then.n else [now])
        st.dataframe(
            table,
            hide_index=True,
            key="what_if_measures",
            height=36 + 35 * len(table),
            column_config={"Measure": st.column_config.TextColumn(width=160)},
            alt=f"What was measured with {now.n} and with {words.lists(then.n)}",
        )
        st.dataframe(
            _numbers(tables.of(value)),
            hide_index=True,
            key="what_if_numbers",
            height=300,
            column_config={
                "Lists": st.column_config.NumberColumn(width=45),
                "Gain": st.column_config.NumberColumn(format="percent", width=60, help=GAIN_HELP),
                "Best": st.column_config.NumberColumn(format="%.3f", width=55, help="Best possible for these groups"),
                "Sizes": st.column_config.TextColumn(width=85, help="Users of the smallest and the largest group"),
                "Stability": st.column_config.NumberColumn(format="%.2f", width=65),
            },
            alt="Every number of lists with its value and the sizes of its groups",
        )
        cards.download("Download", lambda: value, "value_of_lists.csv", "what_if_download")
    with right:
        draw_moves(now, then)


def _numbers(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the curve as a table for people."""
    table = pd.DataFrame(
        {
            "Lists": curve["n_groups"].astype(int),
            NDCG: [cards.interval(*row) for row in curve[["value", "low", "high"]].itertuples(index=False)],
            "Gain": curve["share_of_gain"].round(3),
            "Best": curve["oracle"].round(3),
            "Sizes": [f"{low:,}–{high:,}" for low, high in curve[["smallest", "largest"]].itertuples(index=False)],
        }
    )
    return table.assign(Stability=curve["stability"]) if "stability" in curve else table


def draw_moves(now: Setting, then: Setting) -> None:
    """Draw who goes where between two settings."""
    if now.n == then.n:
        st.markdown("Choose two different numbers of lists to see who moves.")
        return
    flows = moves(now.labels, then.labels)
    st.markdown(words.moves_answer(now.n, then.n, flows), help=MOVES_HELP)
    st.plotly_chart(
        what_if_charts.flows(flows, now.n, then.n),
        key="what_if_flows",
        config=charts.QUIET_CONFIG,
        alt=f"Users by group with {now.n} and with {words.lists(then.n)}; the table below has the numbers",
    )
    if len(flows) > what_if_charts.MOST_FLOWS:
        st.caption(f"The largest {what_if_charts.MOST_FLOWS} of {len(flows)} flows are drawn.")
    with st.expander("As a table"):
        st.dataframe(
            flows.sort_values("users", ascending=False),
            hide_index=True,
            key="what_if_moves",
            height=300,
            column_config={
                "before": f"Group of {now.n}",
                "after": f"Group of {then.n}",
                "users": st.column_config.NumberColumn("Users", format="localized"),
            },
            alt="Users by their group in both settings",
        )


def changed(now: Setting, then: Setting) -> None:
    """Draw whose lists change between two settings, and one group's two lists."""
    cards.section("Lists that change")
    differing = changed_lists(now.lists, then.lists)
    if now.n == then.n or differing.empty:
        st.markdown("Choose two different numbers of lists to see whose lists change.")
        return
    st.markdown(words.changes_answer(differing, now.n, then.n))
    left, right = st.columns([8, 9], gap="medium")
    table = words.changes_table(differing, now, then)
    with left:
        event = st.dataframe(
            cards.colour_groups(table),
            hide_index=True,
            key=f"what_if_changes_{now.n}_{then.n}",
            height=424,
            on_select="rerun",
            selection_mode="single-row-required",
            selection_default={"selection": {"rows": [0]}},
            column_config={
                "group": st.column_config.NumberColumn("", width=40),
                "name": st.column_config.TextColumn("Group", width=136),
                "status": st.column_config.TextColumn("List", width=70),
                "before": st.column_config.TextColumn(f"With {now.n}", width=55, alignment="right", help=USERS_HELP),
                "after": st.column_config.TextColumn(f"With {then.n}", width=55, alignment="right", help=USERS_HELP),
                "new_items": st.column_config.TextColumn(
                    "New", help="Items that were not on the list", width=50, alignment="right"
                ),
            },
            alt="Groups whose lists change first; select one to see its lists",
        )
    rows = event["selection"]["rows"] or [0]
    with right:
        draw_lists(int(table["group"].iloc[rows[0]]), now, then)


def draw_lists(group: int, now: Setting, then: Setting) -> None:
    """Draw the lists of one group in two settings side by side."""
    for column, one, two, mark in zip(st.columns(2), (now, then), (then, now), ("dropped", "new"), strict=True):
        with column:
            name = one.names.get(group)
            st.markdown(f"{cards.group_mark(group)} **with {words.lists(one.n)}**")
            if name is None:
                st.caption(f"There is no such group with {words.lists(one.n)}.")
                continue
            frame = words.list_with_marks(one, two, group, mark)
            if group not in two.names:
                frame = frame.drop(columns="mark")  # all of it is new, or gone
            st.dataframe(
                frame,
                hide_index=True,
                key=f"what_if_list_{mark}",
                height=36 + 35 * 10,
                column_config={
                    "rank": st.column_config.NumberColumn("", width=30),
                    "label": st.column_config.TextColumn("Item"),
                    "mark": st.column_config.TextColumn("", width=60),
                },
                alt=f"The list of group {group} with {words.lists(one.n)}",
            )


def draw() -> None:
    """Draw the page."""
    run = state.require_run()
    explore(run)
    cards.trained_note(run, "These numbers of lists")
