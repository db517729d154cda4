"""The second tab of Decide: who moves, whose lists change and what was measured between two numbers of lists."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from grouprec.core.language import N_, _, passage
from grouprec.explore.numbering import changed_lists, moves
from grouprec.report import small_groups, tables
from grouprec.runs.store import Run
from grouprec.training import jobs
from grouprec.ui import cards, charts, kept, map_figure, state
from grouprec.ui.address import from_url
from grouprec.ui.decide import charts as decide_charts
from grouprec.ui.decide import words
from grouprec.ui.kept import Setting, Worth

NDCG = "nDCG@10"
GAIN_HELP = N_(
    "How much of the way from the best single list for all to personal lists these lists go, measured with nDCG@10 on "
    "held-out interactions."
)
MEASURES_HELP = N_(
    "**Best possible**: the best shared lists for these groups, knowing the future. **Users with a hit**: they really "
    "took one of the ten items. **Stability**: agreement of the groups of two seeds (adjusted Rand index), 1 the same "
    "groups, 0 no more than chance. In brackets: 95 % intervals."
)
MOVES_HELP = N_(
    "A group keeps its number and colour where it keeps most of its members. A user changes group who is in one of "
    "another number, also where their group was split."
)
USE_HELP = N_(
    "Trains a run with so many groups. All that was learned before the groups is read back; groups, lists and the "
    "evaluation are made anew, so groups may differ a little."
)
USERS_HELP = N_("Users in the group")


def draw(run: Run, worth: Worth, n: int) -> None:
    """Draw the tab.

    Args:
        n: the chosen number of lists, 0 for personal ones.
    """
    if not n:
        st.markdown(_("With personal lists there are no groups: choose a number of lists to see who moves."))
        return
    other = compare(run, worth, n)
    now, then = (kept.setting(run, one, worth.regime) for one in (n, other))
    if now is None or then is None:
        st.info(_(words.MISSING), icon=":material/map:")
        train_button(run, worth.own)
        return
    who_moves, lists_change, in_numbers = st.tabs([_("Who moves"), _("Lists that change"), _("In numbers")])
    with who_moves:
        left, right = st.columns(2, gap="medium")
        with left:
            st.markdown(_("**Map with {n}**").format(n=words.lists(now.n)))
            draw_map(run, now, "what_if_map")
        with right:
            draw_moves(now, then)
    with lists_change:
        changed(now, then)
    with in_numbers:
        compared(worth.value, now, then)


def compare(run: Run, worth: Worth, n: int) -> int:
    """Draw the number to compare with, which is in the URL, and the way to a run with the first."""
    grid, own = worth.numbers, worth.own
    left, right = st.columns([3, 3], gap="large", vertical_alignment="bottom")
    at = grid.index(n)
    beside = grid[at + 1] if at + 1 < len(grid) else grid[at - 1]
    usual = beside if n == own or own not in grid else own
    with left:
        other = st.selectbox(
            _("Compared with"),
            grid,
            format_func=lambda one: (
                _("{one} (this run)").format(one=words.lists(one)) if one == own else words.lists(one)
            ),
            key="what_if_with",
            on_change=from_url("with", "what_if_with", grid, usual),
        )
    if n != own and right.button(_("Use {n}").format(n=words.lists(n)), key="what_if_use", help=_(USE_HELP)):
        train(run, n)
    return other


def train_button(run: Run, n: int) -> None:
    """Offer to train the run again as it was."""
    if st.button(_("Train again"), type="primary", icon=":material/replay:", key="what_if_again"):
        train(run, n)


def train(run: Run, n: int) -> None:
    """Start a run that differs in the number of groups only, and show how it goes.

    Raises:
        GrouprecError: the run's configuration cannot be read, or the runs folder not be written.
    """
    from grouprec.runs.config import make_config  # knows the stages, and so torch

    config = run.config()
    title = _("{title}, {n} groups").format(title=run.title(), n=n)[-120:]
    again = jobs.start(state.store(), make_config(**{**config.model_dump(), "n_groups": n, "title": title}))
    state.choose_run(again.run_id)
    state.open_page("train")


def draw_map(run: Run, shown: Setting, key: str) -> None:
    """Draw the users in the colours of one setting, always at the same places."""
    drawn = _map(str(run.path), shown.n, state.trained_table(run, "users"), shown)
    if not drawn.placed:
        st.info(_("This run has no map."), icon=":material/map:")
        return
    alt = _("Map of {placed} users in {n_groups} groups, whose sizes are in the table below").format(
        placed=cards.count(drawn.placed), n_groups=len(shown.groups)
    )
    cards.user_map(drawn.figure, key, alt, height=decide_charts.FLOWS_HEIGHT)
    said = _("Users keep their place, groups their colour where they keep most members.")
    st.caption(passage(said, drawn.note))


@st.cache_resource(max_entries=64, show_spinner=False)
def _map(path: str, n: int, _users: pd.DataFrame, _shown: Setting) -> map_figure.UserMap:
    """Return the map of one setting of a run: the slider comes back to it. Shared by all sessions."""
    places = _users.loc[_users["in_training"].to_numpy(bool), ["x", "y"]]
    drawn = map_figure.user_map(places.assign(group=_shown.labels), _shown.names, height=decide_charts.FLOWS_HEIGHT)
    drawn.figure.update_layout(dragmode="pan")
    return drawn


# -- two settings


def compared(value: pd.DataFrame, now: Setting, then: Setting) -> None:
    """Draw two settings side by side in numbers, and all numbers."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption(_("Of the two numbers"), help=_(MEASURES_HELP))
        table = words.measures(value, [now, then] if now.n != then.n else [now])
        st.dataframe(
            table,
            hide_index=True,
            key="what_if_measures",
            height=36 + 35 * len(table),
            column_config=cards.titles(table, {"Measure": st.column_config.TextColumn(width=160)}),
            alt=_("What was measured with {n} and with {other}").format(n=now.n, other=words.lists(then.n)),
        )
    with right:
        curve = _numbers(tables.of(value))
        st.dataframe(
            curve,
            hide_index=True,
            key="what_if_numbers",
            height=300,
            column_config=cards.titles(
                curve,
                {
                    "Lists": st.column_config.NumberColumn(width=45),
                    "Gain": st.column_config.NumberColumn(format="percent", width=60, help=_(GAIN_HELP)),
                    "Best": st.column_config.NumberColumn(
                        format="%.3f", width=55, help=_("Best possible for these groups")
                    ),
                    "Sizes": st.column_config.TextColumn(
                        width=85, help=_("Users of the smallest and the largest group")
                    ),
                    "Stability": st.column_config.NumberColumn(format="%.2f", width=65),
                },
            ),
            alt=_("Every number of lists with its value and the sizes of its groups"),
        )
        safe = small_groups.of_sizes(value)
        cards.download(_("Download"), lambda: safe, "value_of_lists.csv", "what_if_download", small_groups.note())


def _numbers(curve: pd.DataFrame) -> pd.DataFrame:
    """Return the curve as a table for people."""
    table = pd.DataFrame(
        {
            N_("Lists"): curve["n_groups"].astype(int),
            NDCG: [cards.interval(*row) for row in curve[["value", "low", "high"]].itertuples(index=False)],
            N_("Gain"): curve["share_of_gain"].round(3),
            N_("Best"): curve["oracle"].round(3),
            N_("Sizes"): [f"{low:,}–{high:,}" for low, high in curve[["smallest", "largest"]].itertuples(index=False)],
        }
    )
    return table.assign(**{N_("Stability"): curve["stability"]}) if "stability" in curve else table


def draw_moves(now: Setting, then: Setting) -> None:
    """Draw who goes where between two settings."""
    if now.n == then.n:
        st.markdown(_("Choose two different numbers of lists to see who moves."))
        return
    flows = moves(now.labels, then.labels)
    st.markdown(words.moves_answer(now.n, then.n, flows), help=_(MOVES_HELP))
    st.plotly_chart(
        decide_charts.flows(flows, now.n, then.n),
        key="what_if_flows",
        config=charts.QUIET_CONFIG,
        alt=_("Users by group with {n} and with {other}; the table below has the numbers").format(
            n=now.n, other=words.lists(then.n)
        ),
    )
    small = decide_charts.small_flows(flows)
    if small.any():
        st.caption(
            _("Grey: moves of fewer than {least} of the users each, {users} together.").format(
                least=cards.percent(decide_charts.LEAST_FLOW),
                users=cards.plural(int(flows.loc[small, "users"].sum()), "user"),
            )
        )
    with st.popover(_("As a table"), type="tertiary", icon=":material/table:"):
        st.dataframe(
            flows.sort_values("users", ascending=False),
            hide_index=True,
            key="what_if_moves",
            height=300,
            column_config={
                "before": _("Group of {n}").format(n=now.n),
                "after": _("Group of {n}").format(n=then.n),
                "users": st.column_config.NumberColumn(_("Users"), format="localized"),
            },
            alt=_("Users by their group in both settings"),
        )


def changed(now: Setting, then: Setting) -> None:
    """Draw whose lists change between two settings, and one group's two lists."""
    differing = changed_lists(now.lists, then.lists)
    if now.n == then.n or differing.empty:
        st.markdown(_("Choose two different numbers of lists to see whose lists change."))
        return
    st.markdown(words.changes_answer(differing, now.n, then.n))
    left, right = st.columns([10, 9], gap="medium")
    table = words.changes_table(differing, now, then)
    with left:
        event = st.dataframe(
            cards.colour_groups(table),
            hide_index=True,
            key=f"what_if_changes_{now.n}_{then.n}",
            height=290,
            on_select="rerun",
            selection_mode="single-row-required",
            selection_default={"selection": {"rows": [0]}},
            column_config={
                "group": st.column_config.NumberColumn("", width=40),
                "name": st.column_config.TextColumn(_("Group"), width=136),
                "status": st.column_config.TextColumn(_("List"), width=70),
                "before": st.column_config.TextColumn(
                    _("With {n}").format(n=now.n), width=55, alignment="right", help=_(USERS_HELP)
                ),
                "after": st.column_config.TextColumn(
                    _("With {n}").format(n=then.n), width=55, alignment="right", help=_(USERS_HELP)
                ),
                "new_items": st.column_config.TextColumn(
                    _("New"), help=_("Items that were not on the list"), width=50, alignment="right"
                ),
            },
            alt=_("Groups whose lists change first; select one to see its lists"),
        )
    rows = event["selection"]["rows"] or [0]
    with right:
        draw_lists(int(table["group"].iloc[rows[0]]), now, then)


def draw_lists(group: int, now: Setting, then: Setting) -> None:
    """Draw the lists of one group in two settings side by side."""
    for column, one, two, mark in zip(st.columns(2), (now, then), (then, now), (_("dropped"), _("new")), strict=True):
        with column:
            name = one.names.get(group)
            st.markdown(_("{group} **with {n}**").format(group=cards.group_mark(group), n=words.lists(one.n)))
            if name is None:
                st.caption(_("There is no such group with {n}.").format(n=words.lists(one.n)))
                continue
            frame = words.list_with_marks(one, two, group, mark)
            if group not in two.names:
                frame = frame.drop(columns="mark")  # all of it is new, or gone
            st.dataframe(
                frame,
                hide_index=True,
                key=f"what_if_list_{mark}",
                height=290,
                column_config={
                    "rank": st.column_config.NumberColumn("", width=30),
                    "label": st.column_config.TextColumn(_("Item")),
                    "mark": st.column_config.TextColumn("", width=60),
                },
                alt=_("The list of group {group} with {n}").format(group=group, n=words.lists(one.n)),
            )
