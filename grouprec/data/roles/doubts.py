"""What was not understood of a file, or only guessed: said before anything is trained on it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.core.language import N_, Glossary, _, commas, decimal
from grouprec.data.roles.columns import Roles
from grouprec.data.roles.detect import Detected
from grouprec.data.roles.evidence import (
    belongs_to,
    is_calendar,
    is_clock,
    is_readable_time,
    looks_like_time,
    mostly_numbers,
    share_there,
)
from grouprec.data.roles.header_words import NOT_WHEN, means, says
from grouprec.data.roles.looked_at import columns_looked_at, plain_columns
from grouprec.data.roles.outcomes import came_to_nothing, is_flag, is_status, not_understood, tells_outcome
from grouprec.data.roles.role_search import VISIT
from grouprec.data.values.common import shown
from grouprec.data.values.ids import folded_ids, rounded_example
from grouprec.data.values.numerals import Numbers, is_numeric
from grouprec.data.values.times import NO_YEAR, Times

_FIRST_YEAR = 365 * 86_400  # seconds
_GAPS = 0.05  # share of rows without a user from which on it is said that another column names one
_FEW_NAMED = 0.5  # share of the rows up to which a column that names users is too empty to be the user
_SHORT = 30  # letters up to which half of the values are words and no texts
_CALLED = 2  # ways of naming a time up to which nothing else can be meant
_FEW_DAYS = 31  # different numbers of days or weeks, at most, that a calendar's day may have
_FEWEST_TWINS, _TWINS = 3, 0.05  # ids, and share of all, from which on capitals are no accident
_UNRATED = 0.01  # share of ratings of 0 or less from which on they are no accident
_FEWEST_GRADES = 3  # different numbers above 0 of a column of grades; votes have one
_MOST_STATUSES = 20  # different words of a status
LEAVE_OUT = N_("if some of these rows came to nothing, take them out of the file.")
_SETTINGS = Glossary({"drop_services": "Leave out service lines"})


@dataclass(frozen=True)
class Doubt:
    """One doubt.

    Attributes:
        matter: what is the matter, a sentence without its full stop.
        role: whose column may be another one, "" where that is no remedy.
        setting: of the preparation, that undoes what was done; "" for none.
        advice: what else to do, a sentence; "" for nothing.
        guessed: whether nothing in the file speaks for that column.
    """

    matter: str
    role: str = ""
    setting: str = ""
    advice: str = ""
    guessed: bool = False

    def on_command_line(self) -> str:
        """Return the doubt with what to write on the command line."""
        if self.setting:
            return f"{self.matter}; --set data.{self.setting}=false keeps them."
        if self.role in ("user", "item"):
            return f"{self.matter}; if that is wrong, name another column with --map {self.role}=COLUMN."
        if self.role:
            ways = f"--map {self.role}=COLUMN, or do without with --map {self.role}="
            return f"{self.matter}; if that is wrong, name another column with {ways}."
        return f"{self.matter}; {self.advice}" if self.advice else f"{self.matter}."

    def on_page(self) -> str:
        """Return what to do on the Data page."""
        if self.setting:
            return _("Switch “{setting}” off under Preparation to keep them.").format(setting=_SETTINGS[self.setting])
        if self.role:
            return _("If that is wrong, choose another column for the {role} under Columns.").format(role=_(self.role))
        return self.advice[:1].upper() + self.advice[1:]


def _unseen_doubts(head: pd.DataFrame) -> list[Doubt]:
    n_columns, n_seen = len(plain_columns(head)), len(columns_looked_at(head))
    if n_seen == n_columns:
        return []
    matter = _("of {n} columns only {some} were looked at: those with known headers and the first others")
    return [Doubt(matter.format(n=decimal(n_columns), some=decimal(n_seen)))]


def column_doubts(head: pd.DataFrame, detected: Detected, roles: Roles, chosen: Iterable[str] = ()) -> list[Doubt]:
    """Return what the choice of the columns leaves open.

    Args:
        head: the first rows of the file.
        detected: what was found in them.
        roles: those that are used, after anybody's own choices.
        chosen: roles that somebody has chosen: there is no doubt about these.
    """
    used = roles.as_dict()
    found, chosen = [], set(chosen)
    for role in detected.by_elimination:
        column = used.get(role)
        if column is not None and role not in chosen:
            matter = _("the {role} is '{column}' only because no other column was left")
            if role == "user" and means("user", column) == VISIT:
                matter = _("no column names people, so every '{column}' counts as a user")
            found.append(Doubt(matter.format(role=_(role), column=shown(column)), role=role, guessed=True))
    found += _gap_doubts(head, roles, chosen) + _wordy_doubts(head, roles, chosen)
    found += _unseen_doubts(head)
    for column in columns_looked_at(head):
        if column in used.values():
            continue
        if (
            "outcome" not in chosen
            and tells_outcome(head[column])
            and len(head[column].dropna().unique()) > 1
            and (is_flag(head[column]) or came_to_nothing(head[column])[0].any())
        ):
            examples = commas(shown(value) for value in head[column].dropna().unique()[:3])
            matter = _(
                "column '{column}' looks like an outcome ({examples}) and is ignored: all of its rows count alike"
            ).format(column=shown(column), examples=examples)
            found.append(Doubt(matter, role="outcome"))
        elif "outcome" not in chosen and (unknown := _unknown_statuses(head, column, roles)):
            matter = _(
                "column '{column}' looks like a status, but its words are not known here ({examples}): all of its rows "
                "count alike"
            ).format(column=shown(column), examples=commas(map(shown, unknown[:3])))
            found.append(Doubt(matter, advice=_(LEAVE_OUT)))
        elif roles.time is None and "time" not in chosen and _is_date(head[column]):
            matter = _("column '{column}' holds dates, but not those of what happened; no time is used").format(
                column=shown(column)
            )
            found.append(Doubt(matter, role="time"))
        elif roles.time is None and "time" not in chosen and _is_called_time(head[column]):
            matter = _(
                "column '{column}' is called like a time, but holds no dates (such as '{example}'); no time is used"
            ).format(column=shown(column), example=shown(head[column].dropna().iloc[0]))
            found.append(Doubt(matter, role="time"))
    return found


def _gap_doubts(head: pd.DataFrame, roles: Roles, chosen: set[str]) -> list[Doubt]:
    """Return whether many rows have no user though another column would name one: who had not logged in yet.

    Or whether so few have one that the user is a column that says less.
    """
    if roles.user is None or "user" in chosen:
        return []
    gaps = 1 - share_there(head[roles.user])
    others = [c for c in plain_columns(head) if c not in roles.as_dict().values() and means("user", c) is not None]
    some = [c for c in others if 0 < share_there(head[c]) < _FEW_NAMED and means("user", c) == 0]
    if some and gaps < _GAPS and means("user", roles.user) != 0:
        matter = _("column '{column}' names a user in {share} of the rows only, so the user is '{other}'").format(
            share=f"{share_there(head[some[0]]):.0%}", column=shown(some[0]), other=shown(roles.user)
        )
        return [Doubt(matter, role="user")]
    full = next((c for c in others if head[c].notna().all() and len(head[c].unique()) > 1), None)
    if gaps < _GAPS or full is None:
        return []
    matter = _(
        "{share} of the rows have no user in column '{column}'; column '{other}' is filled in all of them"
    ).format(share=f"{gaps:.0%}", column=shown(roles.user), other=shown(full))
    return [Doubt(matter, role="user")]


def _wordy_doubts(head: pd.DataFrame, roles: Roles, chosen: set[str]) -> list[Doubt]:
    """Return which columns are called like a quantity, a rating or a price and hold other words than numbers."""
    found = []
    for role in ("weight", "rating", "price"):
        if getattr(roles, role) is not None or role in chosen:
            continue
        named = (c for c in plain_columns(head) if means(role, c) is not None and c not in roles.as_dict().values())
        for column in named:
            values = head[column].dropna()
            if len(values) and not mostly_numbers(values) and not is_flag(values) and _is_short(values):
                matter = _(
                    "column '{column}' is called like a {role} but holds no numbers (such as '{example}') and "
                    "is not used"
                ).format(column=shown(column), role=_(role), example=shown(values.iloc[0]))
                found.append(Doubt(matter, role=role))
    return found


def _unknown_statuses(head: pd.DataFrame, column: str, roles: Roles) -> list[str]:
    """Return the words of a column called a status that nobody knows; none where it is a fact of a user or an item."""
    if not is_status(column) or not 1 < head[column].nunique() <= _MOST_STATUSES or tells_outcome(head[column]):
        return []
    owners = (owner for owner in (roles.user, roles.item) if owner is not None)
    facts = any(belongs_to(head[column], head[owner]) for owner in owners)
    return [] if facts else list(not_understood(head[column]))


def _is_short(values: pd.Series) -> bool:
    return float(values.astype("str").str.len().median()) <= _SHORT


def _is_called_time(column: pd.Series) -> bool:
    """Return whether a column without a role is called like a time, and says no day: a clock, or days from a beginning.

    Names that may mean anything ("day", "data") count where there are more values than a calendar has.
    """
    tier = means("time", str(column.name))
    if tier is None or says(NOT_WHEN, str(column.name)) or column.dropna().empty:
        return False
    return tier <= _CALLED or (is_numeric(column) and column.nunique() > _FEW_DAYS)


def _is_date(column: pd.Series) -> bool:
    """Return whether a column without a role holds dates, by its name or by its values alone."""
    named = says(NOT_WHEN, str(column.name)) or means("time", str(column.name)) is not None
    readable = is_calendar(column) if is_numeric(column) else is_readable_time(column)
    return (named and readable and not is_clock(column)) or looks_like_time(column)


def unread_doubt(role: str, column: pd.Series, unread: np.ndarray) -> list[Doubt]:
    """Return how many values of a column say something that could not be read, with an example.

    Args:
        role: of the column: "time", "weight", "rating" or "price".
        column: the values.
        unread: bool [n].
    """
    n = int(unread.sum())
    if not n:
        return []
    what = {"time": _("times"), "weight": _("quantities"), "rating": _("ratings"), "price": _("prices")}[role]
    example = shown(column.iloc[int(np.argmax(unread))])
    known = int(column.notna().sum())
    return [
        Doubt(
            _("{n} of {known} {what} in column '{name}' cannot be read, such as '{example}'").format(
                n=decimal(n), known=decimal(known), what=what, name=shown(column.name), example=example
            ),
            role=role,
        )
    ]


def unrated_doubt(name: str, ratings: np.ndarray) -> list[Doubt]:
    """Return that rows of 0 or less, which programs write for "no rating", are left out; nothing for a few."""
    bad = ratings[ratings <= 0]
    if len(bad) < max(_FEWEST_TWINS, _UNRATED * len(ratings)):
        return []
    values, counts = np.unique(bad, return_counts=True)
    told = told_counts({f"{values[at]:g}": int(counts[at]) for at in np.argsort(-counts, kind="stable")})
    matter = _("{n} rows have 0 or less in column '{name}' ({told}): they are taken for not rated and left out").format(
        n=decimal(len(bad)), name=shown(name), told=told
    )
    return [Doubt(matter, role="rating")]


def mostly_unrated_doubt(name: str, ratings: np.ndarray) -> list[Doubt]:
    """Return that most rows have no rating, so that all count alike; nothing where most have one.

    Programs leave the rating out or write one number for it, 0 or -1; what has several numbers from 0 down are votes
    or grades, and what has few above are votes, too.

    Args:
        ratings: float64 [n], NaN where a cell is empty.
    """
    empty = np.isnan(ratings)
    given, low = np.unique(ratings[ratings > 0]), np.unique(ratings[ratings <= 0])
    marked = ratings == low[0] if len(low) == 1 and len(given) >= _FEWEST_GRADES else np.zeros(len(ratings), bool)
    n = int((empty | marked).sum())
    if not len(given) or n * 2 <= len(ratings):
        return []
    matter = _(
        "{n} of {of} rows have no rating in column '{name}': they are taken for what people did without rating it, "
        "so every row counts alike, rated or not; for rated rows alone, set a rating threshold"
    ).format(n=decimal(n), of=decimal(len(ratings)), name=shown(name))
    return [Doubt(matter, role="rating")]


def number_doubts(role: str, name: str, numbers: Numbers) -> list[Doubt]:
    """Return what is a guess about a column of numbers: what a comma means, and several currencies in one."""
    found = []
    if numbers.unsure:
        matter = _(
            "in column '{name}' {reading}, but nothing tells whether the sign parts thousands or a fraction"
        ).format(name=shown(name), reading=numbers.reading)
        found.append(Doubt(matter, role=role))
    if len(numbers.currencies) > 1:
        matter = _("column '{name}' holds several currencies ({currencies}), counted as if they were one").format(
            name=shown(name), currencies=commas(numbers.currencies)
        )
        found.append(Doubt(matter, role=role))
    return found


def time_doubts(name: str, times: Times) -> list[Doubt]:
    """Return what is a guess about a column of times: the order of day and month, numbers of several units."""
    found = []
    if times.unsure:
        matter = _("times in column '{name}' are read as {order}, but no value tells day and month apart").format(
            name=shown(name), order=times.order
        )
        found.append(Doubt(matter, role="time"))
    if times.mixed:
        matter = _(
            "times in column '{name}' are written in two orders: they are read as {order}, but some can only be meant "
            "otherwise, and where both are possible nobody knows"
        ).format(name=shown(name), order=times.order)
        found.append(Doubt(matter, role="time"))
    if times.buddhist:
        matter = _("years in column '{name}' are those of the Buddhist calendar: 543 were taken off").format(
            name=shown(name)
        )
        found.append(Doubt(matter, role="time"))
    if NO_YEAR in times.units:
        matter = _("dates in column '{name}' have a month and a day and no year: they are taken for one year's").format(
            name=shown(name)
        )
        found.append(Doubt(matter, role="time"))
    last = np.nanmax(times.seconds, initial=-1.0)
    if 0 <= last < _FIRST_YEAR:
        matter = _(
            "times in column '{name}' all lie in 1970: they look like counts from some beginning, and only their order "
            "tells"
        ).format(name=shown(name))
        found.append(Doubt(matter, role="time"))
    if len(times.units) > 1:
        matter = _("times in column '{name}' are numbers of several kinds, each read by its size: {units}").format(
            name=shown(name), units=commas(times.units)
        )
        found.append(Doubt(matter, role="time"))
    return found


def id_doubts(role: str, name: str, ids: np.ndarray) -> list[Doubt]:
    """Return whether Excel has ruined a column of ids."""
    example = rounded_example(ids)
    if example is None:
        return []
    matter = _(
        "the {role}s in column '{name}' look like '{example}': a spreadsheet has shortened them, "
        "and different ones may have become one"
    ).format(role=_(role), name=shown(name), example=example)
    return [Doubt(matter, advice=_("export the file again without opening it in Excel, or with that column as text."))]


def twin_doubts(role: str, name: str, ids: np.ndarray) -> list[Doubt]:
    """Return whether many ids differ from another one only in capitals or in the width of their letters."""
    folded = folded_ids(ids)
    order = np.argsort(folded, kind="stable")
    same = np.flatnonzero(folded[order][1:] == folded[order][:-1])
    if len(same) < max(_FEWEST_TWINS, _TWINS * len(ids)):
        return _zero_doubts(role, name, ids)
    one, other = (shown(ids[order[same[0] + step]]) for step in (0, 1))
    matter = _(
        "{n} {role}s in column '{name}' are written like another one but for capitals or wide letters, such as "
        "'{one}' and '{other}'; they count as different ones"
    ).format(n=decimal(len(same)), role=_(role), name=shown(name), one=one, other=other)
    return [Doubt(matter, advice=_("if they are the same, write them alike in the file."))]


def _zero_doubts(role: str, name: str, ids: np.ndarray) -> list[Doubt]:
    """Return whether many ids differ from another one only in the zeros that they begin with."""
    texts = pd.Series(ids, dtype="str")
    led = texts[texts.str.fullmatch(r"0+[1-9]\d*")]
    same = led[led.str.lstrip("0").isin(texts)] if len(led) else led
    if len(same) < max(_FEWEST_TWINS, _TWINS * len(ids)):
        return []
    matter = _(
        "{n} {role}s in column '{name}' are written like another one but for zeros in front, such as '{one}' and "
        "'{other}'; they count as different ones"
    ).format(n=decimal(len(same)), role=_(role), name=shown(name), one=same.iloc[0], other=same.iloc[0].lstrip("0"))
    return [Doubt(matter, advice=_("if they are the same, write them alike in the file."))]


def told_counts(counts: Mapping[str, int]) -> str:
    """Return ``'cancelled' 120 times, 'refunded' 80 times and 2 more`` of values and their rows, the most first."""
    told = [_("'{value}' {n} times").format(value=shown(value), n=decimal(n)) for value, n in list(counts.items())[:3]]
    more = len(counts) - len(told)
    return commas(told) + (_(" and {more} more").format(more=more) if more > 0 else "")
