"""A group's list, remade at once as the controls say, its price, and why every item is on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from grouprec.core.arrays import largest_first
from grouprec.core.language import N_, _, decimal
from grouprec.core.types import Regime
from grouprec.explore.remake import AS_TRAINED, DEPTH, ListMembers, Wishes
from grouprec.ranking.statistics import mean_interval
from grouprec.ranking.strategies import STRATEGIES
from grouprec.report import sentences, tables
from grouprec.report.text import attribute_title, in_percent
from grouprec.runs.store import Run
from grouprec.ui import cards, opened, reasons, state, workspace
from grouprec.ui import list_words as words
from grouprec.ui.address import from_url, repeated_from_url
from grouprec.ui.fragments import fragment
from grouprec.ui.workspace import LABEL_WIDTH, MOVE_WIDTH, list_columns

DIAL = list(range(0, 101, 5))  # per cent
OFFERED = 400  # items that can be left out: the most wanted of the group; others would not come up anyway
ROWS_SHOWN = 10
TABLE_HEIGHT = 38 + 35 * ROWS_SHOWN
MAP_HEIGHT = 200
FITTING = ("rank", "move", "label", "takers", "owned", "place")  # columns that fit beside the map
STRATEGY_HELP = N_("How what members want becomes one list. **As trained**: the list that exports take.\n\n")
DIAL_HELP = N_(
    "0 %: the list as it is. Further right, items that are unlike those above them come first (maximal marginal "
    "relevance, Carbonell and Goldstein 1998)."
)
VALUE_HELP = N_("Predicted worth of the list to the members, against the trained one; places higher up count more")
REACHED_HELP = N_("Members who find at least one of their own 10 best predictions on the list")
VARIETY_HELP = N_(
    "How rarely two items of the list are had by the same users: 100 % never, 0 % always (1 minus cosine)"
)
TAKEN_HELP = N_(
    "Items of the list that members should take, all together, in {}. Learned from what came true of such predictions "
    "in the held-out part, and counted as there: by default only items that are new to the member. 95 of 100 lists "
    "get between {} and {}; another season may bring more or less."
)
MEASURED_HELP = N_(
    "nDCG@10 on held-out interactions of this group's members, with its 95 % interval over members. What the model "
    "was judged on, so do not turn the dials until it is highest: that would overstate it."
)


@dataclass(frozen=True, eq=False)
class Chosen:
    """What is shown: a group, how its list is used, and how many items are shown.

    Attributes:
        group: its row of the groups table.
        trained: int, the run's list as rows of the base, as deep as it is kept.
    """

    run: Run
    group: pd.Series
    regime: Regime
    length: int
    members: ListMembers
    trained: np.ndarray


def choose(run: Run, group: pd.Series, regime: Regime, length: int, head: pd.DataFrame) -> Chosen | None:
    """Return what answers on the spot need; None where the run did not keep it, or knows nobody of the group.

    Args:
        head: the trained list, best first.
    """
    if not run.has_snapshot:
        return None
    members = opened.members(run, state.table(run, "users"), int(group["group"]))
    if not len(members.rows):
        return None
    rows = opened.item_rows(run, head["item"])
    return Chosen(run, group, regime, length, members, rows[rows >= 0])


@fragment
def remade(chosen: Chosen, downloads: Callable[[], None]) -> None:
    """Draw the map, the controls, the price, the list and why the selected item is on it.

    Args:
        downloads: draws what can be taken along.
    """
    left, right = st.columns(workspace.SPLIT, gap="medium")
    with right:
        wishes, everything = controls(chosen)
        depth = DEPTH[chosen.regime]
        before, items = chosen.trained, chosen.members.remake(chosen.trained, wishes, chosen.regime, depth)
        if wishes.none:
            items = before
        price(chosen, items, shown=everything or not wishes.none)
        row = table(chosen, items[: chosen.length], before[: chosen.length], everything)
        downloads()
    with left:
        users = state.table(chosen.run, "users")
        names = tables.group_names(state.table(chosen.run, "groups"))
        group = int(chosen.group["group"])
        places = users[["x", "y", "group"]]
        workspace.draw_map(chosen.run, places, names, (group,), "list_map", MAP_HEIGHT, whole=True)
        with st.container(key="why", border=True):
            if row is not None:
                said = words.item_sentence(row, len(chosen.members.rows), chosen.length, chosen.members.takes)
                reasons.panel(chosen.run, chosen.members.rows, int(row["row"]), said, "members", "list_why")


def strategy_help() -> str:
    """Return what the ways from wishes to a list are."""
    ways = [f"**{_(one.title)}** ({one.cite}): {_(one.explanation)}" for one in STRATEGIES.values()]
    return _(STRATEGY_HELP) + "\n\n".join(ways)


def controls(chosen: Chosen) -> tuple[Wishes, bool]:
    """Draw how the list can be made, which is in the URL, and whether all numbers show; return both."""
    names = [AS_TRAINED, *STRATEGIES]
    with st.container(horizontal=True):
        with st.popover(_("Make it otherwise"), icon=":material/tune:"):
            strategy = st.selectbox(
                _("How members' wishes become a list"),
                names,
                format_func=lambda name: _(STRATEGIES[name].title) if name else _("As trained"),
                help=strategy_help(),
                key="list_strategy",
                on_change=from_url("how", "list_strategy", names, AS_TRAINED),
            )
            dial = st.select_slider(
                _("Variety"),
                DIAL,
                format_func=lambda at: in_percent(str(at)),
                help=_(DIAL_HELP),
                key="list_dial",
                on_change=from_url("variety", "list_dial", DIAL, 0),
            )
            everything = st.toggle(_("Show all numbers"), key="list_numbers", persist_state="session")
        excluded = left_out(chosen)
    return Wishes(strategy, dial / 100, frozenset(excluded.tolist())), bool(everything)


def left_out(chosen: Chosen) -> np.ndarray:
    """Draw what is to be left out; return the rows of these items."""
    base, members = chosen.members.base, chosen.members
    wanted = largest_first(members.wanted)[:OFFERED]
    asked = opened.item_rows(chosen.run, pd.Series(st.query_params.get_all("out"), dtype=object))
    rows = pd.unique(np.concatenate([wanted[members.wanted[wanted] > 0], asked[asked >= 0], chosen.trained]))
    labels = dict(zip(base.item_ids[rows].tolist(), base.item_labels[rows].tolist(), strict=True))
    by_attribute = opened.attribute_rows(chosen.run)
    n_out = len(st.query_params.get_all("out")) + len(st.query_params.get_all("without"))
    with st.popover(_("Leave out{words}").format(words=f" · {n_out}" if n_out else ""), icon=":material/block:"):
        items = st.multiselect(
            _("Items"),
            list(labels),
            format_func=lambda item: f"{cards.short(labels[item])} ({item})",
            placeholder=_("Type a name or an id"),
            key="list_out",
            on_change=repeated_from_url("out", "list_out", list(labels)),
        )
        kinds = []
        if by_attribute:
            kinds = st.multiselect(
                _("All items whose"),
                list(by_attribute),
                placeholder=_("Choose an attribute's value"),
                key="list_without",
                on_change=repeated_from_url("without", "list_without", list(by_attribute)),
            )
    left_out = opened.item_rows(chosen.run, pd.Series(items, dtype=object))
    return np.concatenate([left_out, *(by_attribute[kind] for kind in kinds)])


def price(chosen: Chosen, items: np.ndarray, shown: bool) -> None:
    """Say what the list is worth; where ``shown``, draw it in numbers, too, against the one that was trained."""
    members = chosen.members
    now, before = (
        opened.price(chosen.run, members.rows, some, chosen.regime, chosen.length) for some in (items, chosen.trained)
    )
    change = words.relative(now.value, before.value)
    st.markdown(words.price_answer(now, before, len(members.rows), members.takes))
    if not shown:
        return
    figures = [
        (_("Value"), cards.percent(1 + change), in_percent(words.signed(change)), _(VALUE_HELP)),
        (_("Reached"), cards.percent(now.reached), points(now.reached, before.reached), _(REACHED_HELP)),
        (_("Variety"), cards.percent(now.diversity), points(now.diversity, before.diversity), _(VARIETY_HELP)),
    ]
    if members.takes is not None and now.taken is not None and before.taken is not None:
        ends = (cards.count(float(end)) for end in members.takes.interval(now.taken))
        explanation = _(TAKEN_HELP).format(members.takes.horizon.words, *ends)
        figures.append((_("Expected"), cards.count(now.taken), gained(now.taken, before.taken), explanation))
    judged = opened.held_out(chosen.run) is not None
    with st.grid(len(figures) + judged, min_column_width=110, gap="small"):
        for title, value, delta, explanation in figures:
            st.metric(title, value, delta, delta_color=colour(delta), delta_arrow="off", help=explanation, border=True)
        if judged:
            measured(chosen, items)


def points(now: float, before: float) -> str:
    return _("{now} points").format(now=words.signed(now - before))


def gained(now: float, before: float) -> str:
    more = round(now) - round(before)
    return _("{more} items").format(more=decimal(more, sign=True)).replace("-", "−") if more else "±0 items"


def colour(delta: str) -> Literal["gray", "red", "green"]:
    """Return green for more, red for less, grey for the same; the sign says it, too."""
    return "gray" if delta.startswith("±") else "red" if delta.startswith("−") else "green"


def measured(chosen: Chosen, items: np.ndarray) -> None:
    """Draw what members took of the list in the held-out part, against the trained list."""
    title, look = _("Measured"), {"delta_arrow": "off", "border": True}
    now, before = (measure(chosen, some) for some in (items, chosen.trained))
    if now is None or before is None:
        st.metric(title, cards.NOTHING, _("nobody was held out"), delta_color="gray", help=_(MEASURED_HELP), **look)
        return
    value, low, high = (float(part) for part in mean_interval(now))
    more = now.mean() - before.mean()
    delta = "±0" if abs(more) < 0.0005 else f"{more:+.3f}".replace("-", "−")
    interval, who = cards.interval(value, low, high), cards.plural(len(now), "member")
    explanation = _("{measured_help}\n\nInterval: {interval}, {who}.").format(
        measured_help=_(MEASURED_HELP), interval=interval, who=who
    )
    shown = _("{delta} · {low} to {high}").format(delta=delta, low=decimal(low, 2), high=decimal(high, 2))
    st.metric(title, cards.score(value), shown, delta_color=colour(delta), help=explanation, **look)


def measure(chosen: Chosen, items: np.ndarray) -> np.ndarray | None:
    held_out = opened.held_out(chosen.run)
    return None if held_out is None else chosen.members.measured(items, chosen.regime, held_out)


def table(chosen: Chosen, items: np.ndarray, before: np.ndarray, everything: bool) -> pd.Series | None:
    """Draw the list, which can be searched and sorted; return the row that is selected, else the first one.

    Args:
        everything: whether columns show that do not fit beside the map: reach, ids, what the file says of items.
    """
    frame = words.list_frame(chosen.members, items, before, opened.places_for_all(chosen.run))
    about = state.table(chosen.run, "items").drop(columns=["users", "label"])
    frame = frame.merge(about, on="item", how="left")
    more = {name: cards.short(attribute_title(name), 24) for name in about.columns if name != "item"}
    wanted = (*list_columns(), *more) if everything else FITTING
    shown = [name for name in wanted if name in frame and not empty(frame[name])]
    event = st.dataframe(
        frame[shown],
        hide_index=True,
        key="list_items",
        on_select="rerun",
        selection_mode="single-row",
        height=TABLE_HEIGHT,
        column_config=list_columns(LABEL_WIDTH - MOVE_WIDTH * ("move" in shown)) | more,
        alt=_(
            "The list of {n_frame} items: members who should take each, owners, place on one list for all, reach"
        ).format(n_frame=len(frame)),
    )
    if before.tolist() != items.tolist():
        st.caption(words.gone_words(before, items, chosen.members.base.item_labels))
    st.caption(_("Select a row to read why the item is on the list."))
    rows = event["selection"]["rows"]
    if frame.empty:
        return None
    return frame.iloc[rows[0] if rows and rows[0] < len(frame) else 0]


def empty(column: pd.Series) -> bool:
    """Return whether a column says nothing in any row."""
    return bool((column.isna() | (column.astype(object) == "")).all())


def plain_list(head: pd.DataFrame, items: pd.DataFrame, n_users: int) -> None:
    """Draw the list of a run that kept nothing to remake it from, with the sentence on the selected item."""
    if head.empty:
        return
    listed = tables.with_lift(head, items, n_users).round({"reach": 3, "owned": 3})
    sentence = st.container()
    event = st.dataframe(
        listed[["rank", "item", "label", "reach", "owned", "lift"]],
        hide_index=True,
        key="list_items",
        on_select="rerun",
        selection_mode="single-row",
        height=TABLE_HEIGHT,
        column_config=list_columns()
        | {
            "lift": st.column_config.NumberColumn(_("Times the average"), format="%.1f", help=_("Owners among members"))
        },
        alt=_("Items of the list with reach, owners and how that compares with all users"),
    )
    st.caption(_("This run kept no predictions to remake the list from; train it again for reasons and controls."))
    rows = event["selection"]["rows"]
    sentence.markdown(sentences.item_why(listed.iloc[rows[0] if rows else 0]))
