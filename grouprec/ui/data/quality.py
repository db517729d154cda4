"""What is doubtful about a file and what to do, how its values are read, and its long tail. No widgets here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from grouprec.core.language import Glossary, _, day, ngettext
from grouprec.core.tables import named_rows
from grouprec.data.preparing.attributes import Described
from grouprec.data.preparing.hold_out import ENOUGH_TO_CHOOSE
from grouprec.data.reading.rejects import Rejects
from grouprec.data.roles.doubts import Doubt
from grouprec.data.values.ids import encode_ids
from grouprec.data.values.numerals import to_numbers
from grouprec.data.values.times import to_seconds
from grouprec.ranking.statistics import ENOUGH
from grouprec.report.palette import ACCENT, NEUTRAL
from grouprec.report.text import TOO_FEW
from grouprec.ui.cards import count, percent, plural

FEW_USERS, FEW_ITEMS, FEW_PER_USER = 100, 30, 3.0  # below these, groups and their evaluation are mostly chance
FEW_TESTED, MANY_ITEMS = 200, 20_000  # users who judge; items beyond which EASE gives way in every preset
DAY = 86_400.0
OLDEST = 315_532_800.0  # 1980: what lies before is most often a missing time written as 1970
MANY_DROPPED, MANY_ONCE, GREAT_ITEM, LONG_GAP = 0.3, 0.5, 0.2, 0.25
MANY_UNKNOWN = 0.5  # share of ids that a file of users or items has to know


@dataclass(frozen=True)
class Warn:
    """One doubt: what is the matter, and what to do about it."""

    matter: str
    advice: str


# What to do where a step of the preparation drops many rows
_STEPS = Glossary(
    {
        "rows that cannot be read": "Look at them below: is a value with the delimiter in it without quotes?",
        "missing ids": "Choose other columns for user and item under Columns, or keep the rows without "
        "a user out of the export: visitors nobody knows cannot be grouped.",
        "users that are nobody": "That is right for guests and walk-in customers; if they are people, name another "
        "column for the user under Columns.",
        "times that cannot be read": "Write times like 2024-05-31 14:30, or choose another time column under Columns.",
        "cancellations and non-positive quantities": (
            "That is right for cancelled orders; if the quantity means something else, choose another weight under "
            "Columns."
        ),
        "weights that are not numbers": "Choose another weight under Columns, or mend these values in the file.",
        "ratings that are not numbers": "Choose another rating under Columns, or mend these values in the file.",
        "came to nothing": "That is right for what was cancelled or not taken; if the column means "
        "something else, switch the outcome off under Columns.",
        "exact duplicates": "That is right where one row is one piece; if the file was exported twice, export it once.",
        "low ratings": "Lower “Lowest good rating” under Preparation, or count ratings as weights.",
        "behaviours of weight 0": "Give more behaviours a weight under Preparation.",
        "robots": "Are they resellers or tills? If they are people, switch “Leave out robots” off under Preparation.",
        "unknown to the training": "Many users or items are new at the end of the period: use a longer period.",
        "k-core": "Lower “Fewest users of an item” under Preparation, or merge variants of an item into one id.",
    }
)


def warnings(check: Check, now: float) -> list[Warn]:
    """Return the doubts about a file, the gravest first.

    Args:
        now: seconds since 1970; what lies after it has not happened yet.
    """
    return [
        *_size_warnings(check),
        *_time_warnings(check, now),
        *_content_warnings(check),
        *_described_warnings(check),
    ]


def _size_warnings(check: Check) -> list[Warn]:
    found = []
    if check.n_users < FEW_USERS:
        matter = _("{users} are few to form groups of").format(users=plural(check.n_users, "user"))
        found.append(Warn(matter, _("Take a longer period, or all shops together: a few hundred users are a start.")))
    if check.n_items < FEW_ITEMS:
        matter = _("{items} are few to choose a list from").format(items=plural(check.n_items, "item"))
        found.append(Warn(matter, _("Use the ids of single items rather than of categories or brands.")))
    if check.n_rows < FEW_PER_USER * check.n_users:
        matter = _("most users have too few interactions to tell their taste")
        found.append(Warn(matter, _("Take a longer period, or add weaker signs of interest such as views.")))
    if check.n_items > MANY_ITEMS:
        advice = _(
            "Training weighs every item by its most similar ones only; raise “Fewest users of an item” to spare time."
        )
        found.append(Warn(_("{n_items} items are many").format(n_items=count(check.n_items)), advice))
    choose, tested = check.split["choose_users"], check.split["judge_users"]
    if tested < FEW_TESTED:
        advice = _("Results will be uncertain: raise “Share that judges” under Preparation, or bring more rows.")
        few = tested < ENOUGH
        found.append(
            Warn(
                few_tested(tested) if few else _("only {users} can be tested").format(users=plural(tested, "user")),
                advice,
            )
        )
    if choose < ENOUGH_TO_CHOOSE:
        advice = _("Raise “Share that chooses” under Preparation, or bring more rows, to have settings chosen.")
        found.append(Warn(few_choose(choose), advice))
    return found


def few_tested(tested: int) -> str:
    """Say that so many users are too few to judge by."""
    if not tested:
        return _("no user can be tested, so nothing will tell what the lists are worth")
    return _("{users} can be tested: {too_few} one method from another").format(
        users=plural(tested, "user"), too_few=_(TOO_FEW)
    )


def few_choose(choose: int) -> str:
    """Say that so many users are too few to choose settings by."""
    if not choose:
        return _("no user is left to choose settings by, so defaults will be used")
    return ngettext(
        "{users} is left to choose settings by, so defaults will be used",
        "{users} are left to choose settings by, so defaults will be used",
        choose,
    ).format(users=plural(choose, "user"))


def _time_warnings(check: Check, now: float) -> list[Warn]:
    first, last = check.period
    if first is None or last is None:
        advice = _(
            "Choose a time column under Columns where there is one: without it trends are not learned, and rows "
            "that judge are drawn at random."
        )
        return [Warn(_("there are no times"), advice)]
    found = []
    if last > now + DAY:
        advice = _("Are day and month the right way round? Write times like 2024-05-31, or leave these rows out.")
        found.append(Warn(_("some times lie in the future, up to {last}").format(last=_day(last)), advice))
    if first < OLDEST:
        advice = _("Missing times are often written as 1970: clear them or leave these rows out.")
        found.append(Warn(_("some times lie before 1980, from {first} on").format(first=_day(first)), advice))
    if last - first < 14 * DAY:
        advice = _("Take a longer period: what people want is judged by what they take later.")
        found.append(
            Warn(_("all rows lie within {days}").format(days=plural(int((last - first) // DAY) + 1, "day")), advice)
        )
    elif check.longest_gap > LONG_GAP * (last - first):
        advice = _("Is a part of the export missing? Groups are learned before a gap and judged after it.")
        found.append(
            Warn(_("for {days} nothing happens").format(days=plural(int(check.longest_gap // DAY), "day")), advice)
        )
    return found


def _content_warnings(check: Check) -> list[Warn]:
    found = []
    if check.top_item > GREAT_ITEM:
        advice = _("If it is postage, a bag or a voucher, leave it out: Train, Advanced settings, “Never list ...”.")
        found.append(
            Warn(_("one item makes up {top_item} of the interactions").format(top_item=percent(check.top_item)), advice)
        )
    if check.once > MANY_ONCE:
        advice = _(
            "They get the list of the group that looks most like them; raise “Fewest items of a user” to do without."
        )
        found.append(Warn(_("{once} of the users have a single interaction").format(once=percent(check.once)), advice))
    for row in named_rows(check.report):
        advice = _STEPS.get(str(row.step))
        if advice and row.rows_before and row.dropped / row.rows_before > MANY_DROPPED:
            found.append(
                Warn(
                    _("“{step}” drops {dropped} of the rows").format(
                        step=_(str(row.step)), dropped=percent(row.dropped / row.rows_before)
                    ),
                    advice,
                )
            )
    return found


def _described_warnings(check: Check) -> list[Warn]:
    found = []
    for kind, file in check.described.items():
        if file.known < MANY_UNKNOWN * file.of:
            matter = _("the file of {kind} knows only {known} of {of}").format(
                kind=_(kind), known=count(file.known), of=plural(file.of, kind.removesuffix("s"))
            )
            found.append(Warn(matter, _("Are its ids written as in the file of who did what? The others go without.")))
    return found


def _day(seconds: float) -> str:
    try:
        return day(datetime.fromtimestamp(seconds, UTC))
    except (OverflowError, ValueError, OSError):
        return _("a year that no calendar has")


# -- how values are read


def as_read(head: pd.DataFrame, roles: Mapping[str, str], n: int = 6) -> pd.DataFrame:
    """Return the first rows as training would read them: one column a role, named ``User (CustomerID)``.

    Times and numbers that cannot be read are missing, as they would be in training.
    """
    readers = {"time": _moments, "weight": to_numbers, "rating": to_numbers, "price": to_numbers}
    columns = {}
    for role, column in roles.items():
        if column in head.columns:
            # All of the head decides what its commas and dates mean, as all of the file will.
            values = readers.get(role, _texts)(head[column])
            columns[f"{_(role).capitalize()} ({column})"] = values[:n]
    return pd.DataFrame(columns, index=range(min(n, len(head))))


def _moments(values: pd.Series) -> np.ndarray:
    return pd.to_datetime(pd.Series(to_seconds(values)), unit="s", errors="coerce").to_numpy()


def _texts(values: pd.Series) -> np.ndarray:
    codes, names = encode_ids(values)
    return np.append(names, "")[codes]


# -- the long tail


def long_tail(counts: np.ndarray, points: int = 100) -> pd.DataFrame:
    """Return which share of the items takes which share of the interactions, the most popular first.

    Args:
        counts: interactions of every item.
    Returns:
        items, interactions: shares 0..1, both rising from 0 to 1 in at most ``points`` + 1 rows.
    """
    ordered = np.sort(counts[counts > 0])[::-1]
    if not len(ordered):
        return pd.DataFrame({"items": [0.0], "interactions": [0.0]})
    taken = np.concatenate([[0], np.cumsum(ordered)]) / ordered.sum()
    at = np.unique(np.linspace(0, len(ordered), min(points, len(ordered)) + 1).round().astype(int))
    return pd.DataFrame({"items": at / len(ordered), "interactions": taken[at]})


def tail_sentence(tail: pd.DataFrame) -> str:
    """Return what the long tail says."""
    share = float(np.interp(0.1, tail["items"], tail["interactions"]))
    return _("The most popular tenth of the items takes {share} of the interactions.").format(share=percent(share))


def tail_figure(tail: pd.DataFrame) -> go.Figure:
    """Return the curve of :func:`long_tail` above the line on which all items are equally popular."""
    figure = go.Figure()
    even = {"color": NEUTRAL, "width": 1, "dash": "dot"}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=even, hoverinfo="skip")
    figure.add_scatter(
        x=tail["items"],
        y=tail["interactions"],
        mode="lines",
        line={"color": ACCENT, "width": 2},
        fill="tonexty",
        fillcolor="rgba(100, 116, 216, 0.12)",
        hovertemplate=_("%{x:.0%} of the items take %{y:.0%} of the interactions<extra></extra>"),
    )
    axis = {"tickformat": ".0%", "tickvals": [0, 0.5, 1]}
    figure.update_layout(
        height=220,
        margin={"l": 8, "r": 24, "t": 8, "b": 8},
        showlegend=False,
        xaxis={**axis, "range": [0, 1], "showgrid": False, "title": _("of the items, the most popular first")},
        yaxis={**axis, "range": [0, 1.02], "title": _("of the interactions")},
    )
    return figure


@dataclass(frozen=True, eq=False)
class Check:
    """What the preparation of a file told; small, so that it can be kept.

    Attributes:
        n_users, n_items, n_rows: of valid rows, duplicates merged.
        n_raw: rows of the file.
        report: step, rows_before, rows_after, dropped, note.
        per_user, per_item: how many users (items) have how many interactions: columns ``interactions``, ``count``.
        activity: interactions over time: columns ``start`` (datetime), ``count``; empty without times.
        split: of :meth:`grouprec.data.preparing.prepare.Prepared.split_facts`.
        size: what training will see, as :class:`grouprec.training.size.Size` takes it.
        tail: which share of the items takes which share of the interactions (quality.long_tail).
        period: first and last time in seconds since 1970, None without times.
        longest_gap: seconds in which nothing happens.
        top_item: share of the interactions that the most popular item takes.
        once: share of the users with a single interaction.
        usual: interactions that half of the users do not exceed.
        doubts: what was not understood of the file, or only guessed.
        rejects: rows that could not be read.
        notes: what people should know about how the file was read.
        attributes: columns that say something about items, and about users.
        described: by kind, "users" or "items": what the file of them describes.
        shared: sentences about what the other files beside the interactions tell.
    """

    n_users: int
    n_items: int
    n_rows: int
    n_raw: int
    report: pd.DataFrame
    per_user: pd.DataFrame
    per_item: pd.DataFrame
    activity: pd.DataFrame
    split: dict[str, Any]
    size: dict[str, Any] = field(default_factory=dict)
    tail: pd.DataFrame = field(default_factory=pd.DataFrame)
    period: tuple[float | None, float | None] = (None, None)
    longest_gap: float = 0.0
    top_item: float = 0.0
    once: float = 0.0
    usual: int = 0
    doubts: tuple[Doubt, ...] = ()
    rejects: Rejects = field(default_factory=Rejects)
    notes: tuple[str, ...] = ()
    attributes: tuple[tuple[str, ...], ...] = ()
    described: dict[str, Described] = field(default_factory=dict)
    shared: tuple[str, ...] = ()
