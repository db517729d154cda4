"""Who a group is in one line for people: kinds of things, size of orders, attributes, season. Markdown, escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from grouprec.core.language import _, long_day, month, ngettext, semicolons, series
from grouprec.report.tables import activity_per_head
from grouprec.report.text import attribute_title, attribute_value, number, percent, plain

KINDS = 2  # that are named
SEASON = 1.25  # times as active as others in a period, against the whole time: then it is the group's season
PERIODS = 6  # fewer say nothing of a season


def who_of(
    group: int,
    groups: pd.DataFrame,
    items: pd.DataFrame,
    kinds: Mapping[str, str],
    attributes: pd.DataFrame,
    activity: pd.DataFrame | None,
) -> str:
    """Return :func:`who_words` of a group of a run.

    Args:
        groups, items, attributes, activity: the tables groups, group_items, group_attributes and group_activity.
        kinds: item id -> what kind of thing it is.
    """
    own = items[items["group"] == group]
    active = None if activity is None else activity_per_head(activity, groups, group)
    words = [kinds.get(item, "") for item in own["item"]]
    priced = bool((attributes["attribute"] == "spend").any())
    return who_words(own, words, attributes[attributes["group"] == group], active, priced)


def who_words(
    items: pd.DataFrame,
    kinds: Sequence[str],
    attributes: pd.DataFrame,
    active: pd.DataFrame | None = None,
    priced: bool = False,
) -> str:
    """Return ``More **bag** and **tin** items than others; 3 orders each, all: 2; most of all in November``.

    Args:
        items: share_in_group and share_overall of what the group's members have more often.
        kinds: what kind each of these items is, "" where not known.
        attributes: of the group, as ``group_attributes``: attribute, kind, value, in_group, overall.
        active: period, members and everybody, the activity per head; None where not known.
        priced: whether the file says what things cost: then what people do are orders.
    Returns:
        "" where nothing is known.
    """
    excess = (items["share_in_group"] - items["share_overall"]).to_numpy(float)
    by_kind = pd.Series(excess).groupby(np.asarray(kinds, object)).sum().drop("", errors="ignore")
    names = by_kind[by_kind > 0].nlargest(KINDS).index.tolist()
    said = (
        [_("more {value} items than others").format(value=series(f"**{plain(name)}**" for name in names))]
        if names
        else []
    )
    said += [*_counted(attributes, priced), *_shares(attributes), *_season(active)]
    line = semicolons(said)
    return f"{line[:1].upper()}{line[1:]}"


def _counted(attributes: pd.DataFrame, priced: bool) -> list[str]:
    rows = attributes[attributes["kind"] == "median"].set_index("attribute")
    known = [name for name in ("frequency", "spend") if name in rows.index]
    pairs = [(name, rows["in_group"][name], rows["overall"][name]) for name in known]
    return [
        _each(name, own, priced).format(own=number(own), overall=number(overall))
        for name, own, overall in pairs
        if own != overall
    ]


def _each(name: str, own: float, priced: bool) -> str:
    """Return how an attribute of histories is said; only who spends is known to order."""
    if name == "spend":
        return _("{own} spent each (all users: {overall})")
    if priced:
        return ngettext("{own} order each (all users: {overall})", "{own} orders each (all users: {overall})", own)
    return ngettext("active once each (all users: {overall})", "active {own} times each (all users: {overall})", own)


def _shares(attributes: pd.DataFrame) -> list[str]:
    rows = attributes[attributes["kind"] == "share"]
    if "significant" in rows:
        rows = rows[rows["significant"]]
    if rows.empty:
        return []
    row = rows.iloc[0]
    return [
        _("{attribute} {value} {own} (all users: {overall})").format(
            attribute=plain(attribute_title(row["attribute"])),
            value=plain(attribute_value(row["attribute"], row["value"])),
            own=percent(row["in_group"]),
            overall=percent(row["overall"]),
        )
    ]


def _season(active: pd.DataFrame | None) -> list[str]:
    if active is None or len(active) < PERIODS or not (active["everybody"] > 0).all():
        return []
    often = (active["members"] / active["everybody"]).to_numpy() * (active["everybody"].sum() / active["members"].sum())
    best = int(np.argmax(often * active["everybody"].to_numpy()))
    if not np.isfinite(often[best]) or often[best] < SEASON:
        return []
    months = pd.Series(active["period"]).diff().dt.days.dropna().between(27, 32).all()
    period = pd.Timestamp(active["period"].iloc[best])
    return [
        _("most of all in {period}").format(period=month(period))
        if months
        else _("most of all from {period}").format(period=long_day(period))
    ]
