"""One group closely: what it is in a sentence, what sets it apart, who is in it, whom it borders on, when it is active.

Runs that are older than a table go without the part that it shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from grouprec.core.language import N_, _, decimal, full_stop, passage
from grouprec.core.tables import records
from grouprec.report import sentences, tables
from grouprec.report.text import attribute_title, attribute_value
from grouprec.runs.store import Run
from grouprec.ui import cards, charts, opened, state
from grouprec.ui.address import from_url, picked
from grouprec.ui.groups import editing, portrait_charts, rule

HELP = N_(
    "**Alike**: how far two members want the same things: the mean cosine between what stands out among their "
    "predictions, 100 % for the same wishes, 0 % for none in common.\n\n"
    "**On the border**: another group is nearly as near, by less than a tenth of the distance to an average group."
)
SPREAD_HELP = N_(
    "**Spread**: how far members are from the middle of their group, against how far all users are from "
    "theirs, in the latent space of the profile. Below 1 the group is compact, above 1 scattered. Where groups have "
    "been merged or split, it is measured in the space of predicted tastes."
)
ITEMS_HELP = N_(
    "How many times the share of all users the share of members who have an item is, with its 95 % interval. "
    "Ordered by how certain the difference is; the dotted line is the average."
)
ATTRIBUTES_HELP = N_(
    "Attributes in which the group differs from all users by more than chance: below 5 % after Holm's correction for "
    "the number of comparisons (likelihood ratio for shares, Mann-Whitney for numbers)."
)
MEMBERS_HELP = N_(
    "**Typical** members are nearest to the middle of the group, **borderline** ones nearest to another group. "
    "From the middle: 1 is the mean distance of all users from theirs. Margin: by how much the other group is "
    "farther, where 1 is the average group; below 0 it is nearer."
)
NEIGHBOURS_HELP = N_(
    "**Apart**: distance between the middles of the groups, in standard deviations within a group. **Border**: members "
    "on the border to that group. **Same items**: of the first ten of both lists, the share on both (Jaccard index)."
)
ACTIVITY_HELP = N_("Interactions per head in every period, with rows of the training part")
NOBODY = 0  # no group has this number
SEPARATE_PERIODS = 3  # fewer are no line
TABLE_WIDTH = 480  # pixels, of the numbers behind a chart
MOST_ATTRIBUTES = 2  # of a member, beside the numbers
DRAWN_ITEMS = 5  # that members have more often, so that the axis is seen without scrolling; the table has all


def choose(run: Run, groups: pd.DataFrame) -> tuple[int, int | None]:
    """Draw the choice of a group and of one to compare it with, and the edits.

    Returns:
        The group of ``?group=`` or the first one, and that of ``?against=``, if any.
    """
    names, numbers = tables.group_names(groups), groups["group"].tolist()
    with st.container(horizontal=True, vertical_alignment="center"):
        number = st.selectbox(
            _("Group"),
            numbers,
            format_func=lambda number: cards.group_label(number, names[number]),
            label_visibility="collapsed",
            key="portrait_group",
            on_change=from_url("group", "portrait_group", numbers, numbers[0]),
            width="stretch",
        )
        others = [NOBODY, *(other for other in numbers if other != number)]
        against = st.selectbox(
            _("Compare with"),
            others,
            format_func=lambda other: _("Compare …") if other == NOBODY else cards.group_label(other, names[other]),
            label_visibility="collapsed",
            key="portrait_against",
            on_change=from_url("against", "portrait_against", others, NOBODY),
            width="stretch",
        )
        number = picked(number)
        editing.menu(run, groups, number)
    return number, None if against == NOBODY else against


def list_link(number: int) -> None:
    """Draw the way to a group's list."""
    cards.link("recommendations", _("Show its list"), group=number)


def draw(run: Run, users: pd.DataFrame, groups: pd.DataFrame, number: int) -> None:
    """Draw the portrait of a group."""
    group = groups[groups["group"] == number].iloc[0]
    profiles, near = state.table_or_none(run, "group_profiles"), state.table_or_none(run, "group_neighbours")
    names = tables.group_names(groups)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{cards.plain(group['name'])}**", width="content")
        list_link(number)
    if line := opened.who(run).get(number):
        st.markdown(full_stop(line))
    if description := group.get("description"):
        st.markdown(cards.plain(description))
    rule.draw(run, number)
    st.caption(" · ".join(facts(group)))
    what, who, when = st.tabs([_("What they have"), _("Who they are"), _("When and near whom")])
    with what:
        items(state.table(run, "group_items"), number)
    with who:
        attributes(state.table(run, "group_attributes"), number)
        members(state.table_or_none(run, "group_members"), users, number)
    with when:
        if profiles is None:
            st.markdown(sentences.portrait_unknown(group))
        else:
            said = sentences.portrait_answer(group, profiles, near, names)
            st.markdown(passage(said, spread(group, profiles)), help=f"{_(HELP)}\n\n{_(SPREAD_HELP)}")
        activity(state.table_or_none(run, "group_activity"), groups, number)
        neighbours(near, names, number)


def spread(group: pd.Series, profiles: pd.DataFrame) -> str:
    """Say how far members are from the middle of their group."""
    return _("Spread {value}.").format(value=decimal(profiles.set_index("group")["spread"][group["group"]], 2))


def facts(group: pd.Series) -> list[str]:
    """Return the line below who they are: how many, share of users, separation, words."""
    said = [
        cards.plural(group["size"], "user"),
        _("{share} of all users").format(share=cards.percent(group["share"])),
        sentences.separation_words(group["separation"]),
    ]
    if group["words"]:
        said.append(_("words: {words}").format(words=cards.plain(group["words"])))
    return said


def items(distinguishing: pd.DataFrame, number: int) -> None:
    """Draw the items that members have more often than others."""
    own = tables.lift_intervals(distinguishing, number)
    shown = own[["label", "share_in_group", "share_overall", "lift", "lift_low", "lift_high"]].round(3)
    formats = {
        "label": _("Item"),
        "share_in_group": st.column_config.NumberColumn(_("Members"), format="percent"),
        "share_overall": st.column_config.NumberColumn(_("All users"), format="percent"),
        "lift": st.column_config.NumberColumn(_("Times"), format="%.1f"),
        "lift_low": st.column_config.NumberColumn(_("from"), format="%.1f"),
        "lift_high": st.column_config.NumberColumn(_("to"), format="%.1f"),
    }
    _title(_("What they have more often"), _(ITEMS_HELP), shown, formats)
    if own.empty:
        st.caption(_("No item is had more often by its members than by all users."))
        return
    drawn = own.head(DRAWN_ITEMS)
    st.plotly_chart(
        portrait_charts.lift_dots(drawn, number),
        key="portrait_items",
        config=charts.QUIET_CONFIG,
        alt=_("How many times more often members have {n_own} items, with intervals; the table says the same").format(
            n_own=len(drawn)
        ),
    )


def activity(table: pd.DataFrame | None, groups: pd.DataFrame, number: int) -> None:
    """Draw the group's activity over time before that of all users."""
    active = None if table is None else tables.activity_per_head(table, groups, number)
    if active is not None and active.empty:
        st.caption(_("When they are active is not known of a group that was put together by hand."))
    if active is None or len(active) < SEPARATE_PERIODS:
        return
    formats = {
        "period": st.column_config.DateColumn(_("From")),
        "members": st.column_config.NumberColumn(_("This group"), format="%.2f"),
        "everybody": st.column_config.NumberColumn(_("All users"), format="%.2f"),
        "share": st.column_config.NumberColumn(_("Of all activity"), format="percent"),
    }
    _title(_("When they are active"), _(ACTIVITY_HELP), active, formats)
    st.plotly_chart(
        portrait_charts.activity_lines(active, number),
        key="portrait_activity",
        config=charts.QUIET_CONFIG,
        alt=_(
            "Interactions per head of the group and of all users in {n_active} periods; the table says the same"
        ).format(n_active=len(active)),
    )


def attributes(table: pd.DataFrame, number: int) -> None:
    """Draw the attributes in which the group differs, and how many were tested."""
    telling = tables.telling_attributes(table[table["group"] == number])
    columns = ["attribute", "value", "in_group", "overall", "lift", "p_adjusted"]
    shown = table.loc[table["group"] == number, [name for name in columns if name in table]]
    shown["value"] = [attribute_value(*one) for one in zip(shown["attribute"], shown["value"], strict=True)]
    shown["attribute"] = shown["attribute"].map(attribute_title)
    formats = {
        "attribute": _("Attribute"),
        "value": _("Value"),
        "in_group": st.column_config.NumberColumn(
            _("Group"), format="%.3g", help=_("Share of members, or their median")
        ),
        "overall": st.column_config.NumberColumn(
            _("All users"), format="%.3g", help=_("Share of all, or their median")
        ),
        "lift": st.column_config.NumberColumn(_("Times"), format="%.1f"),
        "p_adjusted": st.column_config.NumberColumn("p", format="%.2g", help=_("After Holm's correction")),
    }
    _title(_("Who they are"), _(ATTRIBUTES_HELP), shown, formats)
    if len(telling):
        st.markdown("\n".join(f"- {sentences.attribute_reason(row)}" for row in records(telling)))
    st.caption(sentences.attributes_note(table, len(telling)))


def members(table: pd.DataFrame | None, users: pd.DataFrame, number: int) -> None:
    """Draw typical and borderline members, and offer all members."""
    everybody = users[users["group"] == number].drop(columns=["x", "y", "in_training"])
    if table is None:
        return
    _title(_("Members"), _(MEMBERS_HELP))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        kinds = {"typical": _("Typical"), "borderline": _("Borderline")}
        kind = st.segmented_control(
            _("Which members"),
            list(kinds),
            format_func=kinds.__getitem__,
            default="typical",
            required=True,
            label_visibility="collapsed",
            key="portrait_kind",
        )
        cards.download(_("All members"), lambda: everybody, f"group_{number}_members.csv", "portrait_download")
    shown = tables.members_of(table, users, number, kind, MOST_ATTRIBUTES)
    about = tables.attribute_columns(users)[:MOST_ATTRIBUTES]
    if shown.empty:
        st.caption(_("No member is on the border to another group."))
        return
    st.dataframe(
        cards.colour_groups(shown, "other") if kind == "borderline" else shown,
        hide_index=True,
        height=36 + 35 * min(len(shown), 5),
        key=f"portrait_members_{kind}",
        column_config={
            "user": _("User"),
            "distance": st.column_config.NumberColumn(_("From the middle"), format="%.2f"),
            "other": st.column_config.NumberColumn(_("Borders on"), width=80),
            "margin": st.column_config.NumberColumn(_("Margin"), format="%.3f"),
            "interactions": st.column_config.NumberColumn(_("Items"), format="localized"),
            **{name: st.column_config.Column(attribute_title(name)) for name in about},
        },
        alt=_("{kinds} members of the group").format(kinds=kinds[kind]),
    )


def neighbours(near: pd.DataFrame | None, names: dict[int, str], number: int) -> None:
    """Draw the other groups, the nearest first."""
    if near is None:
        return
    own = near[near["group"] == number].drop(columns="group").round({"borderline": 3, "overlap": 3})
    own.insert(1, "name", own["other"].map(names))
    _title(_("Neighbouring groups"), _(NEIGHBOURS_HELP))
    st.dataframe(
        cards.colour_groups(own, "other"),
        hide_index=True,
        height=36 + 35 * min(len(own), 5),
        key="portrait_neighbours",
        column_config={
            "other": st.column_config.NumberColumn("", width=40),
            "name": st.column_config.TextColumn(_("Group"), width=190),
            "distance": st.column_config.NumberColumn(_("Apart"), format="%.1f", width=60),
            "borderline": st.column_config.NumberColumn(_("Border"), format="percent", width=65),
            "overlap": st.column_config.NumberColumn(_("Same items"), format="percent", width=90),
        },
        alt=_("Other groups with their distance, the share of members on the border and the overlap of lists"),
    )


def _title(
    text: str, explanation: str, numbers: pd.DataFrame | None = None, formats: Mapping[str, Any] | None = None
) -> None:
    """Draw the title of a part; beside it, the numbers of its chart."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{text}**", help=explanation, width="content")
        if numbers is not None and len(numbers):
            with st.popover(_("Table"), type="tertiary", icon=":material/table:"):
                st.dataframe(
                    numbers,
                    hide_index=True,
                    width=TABLE_WIDTH,
                    column_config=formats,
                    alt=_("{text}, in numbers").format(text=text),
                )
