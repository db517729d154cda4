"""Other lists for a group, from safe to surprising: one stands beside the safe one; and what that costs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from grouprec.core.language import N_, _, ngettext
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, state
from grouprec.ui.address import from_url, picked
from grouprec.ui.recommendations.personas import opened, words
from grouprec.ui.recommendations.personas.parts import Shown, download_lists, labels_of

DIAL = list(range(0, 101, 5))  # per cent of the way from safe to surprising
LISTS = 5  # the safe one among them: so many took turns where the run judged them
VALUE_HELP = N_(
    "**Value**: what 512 generated members of the group are predicted to make of the list, relative to the safe list, "
    "which is the best one for all of them.\n\n"
    "**Variety**: how rarely two items of the list are had by the same users: 100 % never, 0 % always."
)
DIAL_HELP = N_(
    "**Safe**: the best list for all generated members together. Towards **surprising**, every list is made for fewer "
    "of them, down to a single one, and gives up as much as 5 % of its value for variety."
)
FRONTIER_HELP = N_(
    "Measured on held-out interactions (nDCG@10, everyone sees the same list), relative to the one list of the "
    "members' mean. **Simple random draws**: the same lists from a Gaussian per group instead of the generator. "
    "**Re-ranked**: the members' mean under maximal marginal relevance. Bars are 95 % intervals over users."
)
SMALL_HELP = N_("nDCG@10 of lists that learned from one half of every group's members, on the other half, both ways")


def draw(run: Run, _groups: pd.DataFrame, group: pd.Series, controls: DeltaGenerator) -> Shown:
    """Draw the safe list of a group beside another one."""
    with controls:
        at_dial = choose_dial()
    number = int(group["group"])
    same = np.random.default_rng(0)  # the same place of the dial always gives the same lists
    made = opened.virtual_group(run, opened.of_groups({number: 1})).lists(LISTS, at_dial / 100, same)
    found = words.variants(made, LISTS)
    with controls:
        at = choose_alternative(len(found))
        if len(found) < LISTS:
            more = "" if at_dial == DIAL[-1] else _("; turn the dial towards surprising for more")
            st.caption(
                ngettext(
                    "Here are only {n_found} different list{more}.",
                    "Here are only {n_found} different lists{more}.",
                    len(found),
                ).format(n_found=len(found), more=more)
            )
    beside_the_safe_one(run, found, at)
    sentence = words.group_answer(group["name"], group["size"], labels_of(run, found[0].items))
    return Shown(sentence, (number,))


def draw_costs(run: Run, _groups: pd.DataFrame, group: pd.Series, controls: DeltaGenerator) -> Shown:
    """Draw what variety costs, and how lists for small groups generalise, where the run measured it."""
    with controls:
        dial = choose_dial()
    frontier, small = state.table_or_none(run, "frontier"), state.table_or_none(run, "small_groups")
    place = None if frontier is None else words.place_on_frontier(frontier, dial / 100)
    if frontier is not None and place is not None:
        draw_frontier(frontier, place)
    if small is not None:
        cards.section(_("Small groups"), _(SMALL_HELP))
        st.markdown(words.small_groups_answer(small))
        shown = words.small_groups_table(small)
        formats = {
            name: st.column_config.NumberColumn(format="percent") for name in (_("Value kept"), _("from"), _("to"))
        }
        alt = _("Lists learned from half of a group's members, by their number, judged on the other half")
        st.dataframe(shown, hide_index=True, key="personas_small", column_config=formats, alt=alt)
    none = _("This run did not measure what variety costs; train it again to see it.")
    return Shown(none if place is None else words.frontier_answer(place), (int(group["group"]),))


def choose_dial() -> int:
    """Draw the dial from safe to surprising; return its place in per cent."""
    return st.select_slider(
        _("From safe to surprising"),
        DIAL,
        format_func=lambda at: {0: _("safe"), 100: _("surprising")}.get(at) or cards.in_percent(str(at)),
        help=f"{_(DIAL_HELP)}\n\n{_(FRONTIER_HELP)}",
        key="personas_dial",
        on_change=from_url("dial", "personas_dial", DIAL, 50),
    )


def choose_alternative(n_found: int) -> int:
    """Draw the choice of the list that stands beside the safe one; return its place, 0 where there is none."""
    if n_found < 2:
        return 0
    others = list(range(1, n_found))
    return picked(
        st.segmented_control(
            _("Alternative"),
            others,
            required=True,
            key="personas_alternative",
            on_change=from_url("alternative", "personas_alternative", others, 1),
        )
    )


def beside_the_safe_one(run: Run, found: list[words.Variant], at: int) -> None:
    """Draw the safe list and the one at a place beside it; the download has all."""
    for column, place in zip(st.columns(2, gap="small"), (0, at) if at else (0,), strict=False):
        with column.container(border=True, height="stretch"):
            list_card(run, place, found[place])
    named = {"safe" if place == 0 else f"alternative {place}": one.items for place, one in enumerate(found)}
    download_lists(run, named, "personas_download_lists")


def list_card(run: Run, at: int, variant: words.Variant) -> None:
    """Draw one list; items of the safe list bear a mark on the others."""
    labels = labels_of(run, variant.items)
    if at == 0:
        st.markdown(_("**Safe list**"), help=_(VALUE_HELP))
        st.caption(
            _("Best for everyone  \nVariety {variety}  \nIts items bear a dot{dot}").format(
                variety=cards.percent(variant.variety), dot=words.DOT
            )
        )
        st.markdown(words.numbered(labels))
    else:
        st.markdown(_("**Alternative {at}**").format(at=at))
        st.caption(words.variant_words(variant))
        st.markdown(words.numbered(labels, dotted=variant.shared.tolist()))


def draw_frontier(frontier: pd.DataFrame, place: pd.Series) -> None:
    """Draw value against variety, rare items or catalogue, with its table; the dial's place bears a larger mark."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        gain = st.segmented_control(
            _("Gained"),
            list(words.GAINS),
            format_func=words.GAINS.__getitem__,
            default="intra_list_diversity",
            required=True,
            label_visibility="collapsed",
            key="personas_gain",
        )
        with st.popover(_("Table"), type="tertiary", icon=":material/table:"):
            table = words.frontier_table(frontier)
            formats = {name: st.column_config.NumberColumn(format="percent") for name in table.columns[1:]}
            st.dataframe(
                table,
                hide_index=True,
                width=760,
                column_config=cards.titles(table, formats),
                alt=_("The chart in numbers"),
            )
    st.plotly_chart(
        words.frontier_figure(frontier, gain, place["dial"]),
        key="personas_frontier",
        config=charts.QUIET_CONFIG,
        alt=_("Value kept against {value} for four kinds of lists; the table says the same").format(
            value=words.GAINS[gain].lower()
        ),
    )
