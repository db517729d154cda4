"""A file and its preparation in the shapes that the Data page draws. No widgets here."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from grouprec.core.language import N_, Glossary, _, commas, day, full_stop, minute, ngettext, semicolons
from grouprec.core.tables import highest
from grouprec.data.preparing.hold_out import ENOUGH_TO_CHOOSE
from grouprec.data.preparing.prepare import Prepared
from grouprec.data.reading.read import Peek
from grouprec.ranking.statistics import ENOUGH
from grouprec.report.palette import ACCENT, NEUTRAL
from grouprec.report.text import step_title
from grouprec.ui.cards import count, percent, plural, short
from grouprec.ui.data.asking import examples
from grouprec.ui.data.quality import (
    FEW_ITEMS,
    FEW_PER_USER,
    FEW_USERS,
    Check,
    as_read,
    few_choose,
    few_tested,
    long_tail,
)

DAY = 86_400.0


def summarise(prepared: Prepared) -> Check:
    """Return the check of a prepared file."""
    dataset, report = prepared.dataset, prepared.report.table()
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    users = np.concatenate([part.user_rows for part in parts.values()])
    items = np.concatenate([part.item_rows for part in parts.values()])
    timed = [part.times for part in parts.values() if part.times is not None]
    times = np.concatenate(timed) if dataset.timed else np.empty(0)
    of_users, of_items = np.bincount(users), np.bincount(items)
    of_users = of_users[of_users > 0]
    return Check(
        n_users=prepared.n_users,
        n_items=prepared.n_items,
        n_rows=prepared.n_rows,
        n_raw=int(report["rows_before"].iloc[0]),
        report=report,
        per_user=distribution(of_users),
        per_item=distribution(of_items),
        activity=activity(times),
        split=prepared.split_facts(),
        size={
            "n_users": dataset.n_users,
            "n_items": dataset.n_items,
            "n_rows": len(pd.unique(users * np.int64(dataset.n_items) + items)),
            "n_raw": int(report["rows_before"].iloc[0]),
            "timed": dataset.timed,
        },
        tail=long_tail(of_items),
        period=(prepared.first_time, prepared.last_time),
        longest_gap=float(np.diff(np.sort(times)).max(initial=0.0)),
        top_item=float(of_items.max(initial=0) / max(of_items.sum(), 1)),
        once=float((of_users == 1).mean()) if len(of_users) else 0.0,
        usual=int(np.median(of_users)) if len(of_users) else 0,
        doubts=tuple(prepared.report.doubts),
        rejects=prepared.rejects,
        notes=prepared.notes,
        attributes=(prepared.roles.item_attributes, prepared.roles.user_attributes),
        shared=tuple(one.sentence() for one in prepared.shared),
        described={
            kind: found
            for kind, found in (("users", prepared.users_described), ("items", prepared.items_described))
            if found is not None
        },
    )


def distribution(counts: np.ndarray) -> pd.DataFrame:
    """Return how often counts fall into 1, 2 to 3, 4 to 7, 8 to 15, ...: a log scale with readable limits.

    It begins at the first limits that anything falls into.
    """
    counts = counts[counts > 0]
    if not len(counts):
        return pd.DataFrame({"interactions": pd.Series(dtype="str"), "count": pd.Series(dtype="int64")})
    power = np.floor(np.log2(counts)).astype(int)
    sizes = np.bincount(power)[power.min() :]
    lows = 2 ** np.arange(power.min(), power.max() + 1)
    labels = ["1" if low == 1 else f"{low}–{2 * low - 1}" for low in lows.tolist()]
    return pd.DataFrame({"interactions": labels, "count": sizes})


def activity(times: np.ndarray) -> pd.DataFrame:
    """Return interactions per day, week or month, whichever gives 10 to 150 bars or comes closest."""
    if not len(times):
        return pd.DataFrame({"start": pd.Series(dtype="datetime64[s]"), "count": pd.Series(dtype="int64")})
    days = (times.max() - times.min()) / DAY
    unit = "D" if days <= 120 else "W" if days <= 1000 else "M"
    moments = pd.Series(pd.to_datetime(times, unit="s"))
    counts = moments.dt.to_period(unit).value_counts().sort_index()
    starts = pd.PeriodIndex(counts.index).to_timestamp()
    return pd.DataFrame({"start": starts, "count": counts.to_numpy()})


# -- what was understood

ABOUT = (N_("about the item"), N_("about the user"))


def understood(head: pd.DataFrame, roles: Mapping[str, str], attributes: Sequence[Sequence[str]]) -> pd.DataFrame:
    """Return what the columns of a file are taken for: role, column, examples; roles first, then further columns.

    Args:
        head: the first rows.
        roles: role -> column, "" for none.
        attributes: columns that say something about items, and about users.
    """
    rows = [(role, column) for role, column in roles.items() if column in head.columns]
    further = [(about, name) for about, names in zip(ABOUT, attributes, strict=False) for name in names]
    rows += [(about, column) for about, column in further if column in head.columns]
    found = [(_capital(_(role)), column, examples(_read(head, role, column))) for role, column in rows]
    return pd.DataFrame(found, columns=["role", "column", "examples"])


def _capital(word: str) -> str:
    return f"{word[0].upper()}{word[1:]}"


def _read(head: pd.DataFrame, role: str, column: str) -> pd.Series:
    """Return values of a column; the first times as they are understood, or as they stand where they are not."""
    if role != "time":
        return head[column]
    moments = as_read(head, {role: column}, len(head)).iloc[:, 0].dropna()
    return moments.drop_duplicates().head(20).map(minute) if len(moments) else head[column]


def ignored_sentence(head: pd.DataFrame, roles: Mapping[str, str], attributes: Sequence[Sequence[str]]) -> str:
    """Return which columns nothing was made of, "" where there is none."""
    used = {*roles.values(), *chain(*attributes)}
    left = [f"“{short(str(name), 30)}”" for name in head.columns if name not in used]
    if not left:
        return ""
    more = _(" and {n_left} more").format(n_left=len(left) - MOST_IGNORED) if len(left) > MOST_IGNORED else ""
    return _("Ignored: {left}{more}.").format(left=commas(left[:MOST_IGNORED]), more=more)


MOST_IGNORED = 8


# -- sentences


def counted(check: Check) -> str:
    """Return how much there is, as other pages count it, and what was dropped."""
    found = _("{n_users} users and {n_items} items with {n_rows} usable interactions").format(
        n_users=count(check.size.get("n_users", check.n_users)),
        n_items=count(check.size.get("n_items", check.n_items)),
        n_rows=count(check.n_raw - int(check.report["dropped"].sum())),
    )
    return _("There are {found}; {check}.").format(found=found, check=dropped_sentence(check))


def verdict(check: Check) -> str:
    """Return the answer to: is this file good enough?"""
    choose, judge = check.split["choose_users"], check.split["judge_users"]
    doubts = [
        (judge < ENOUGH, few_tested(judge)),
        (check.n_users < FEW_USERS, _("{n_users} users are few to form groups of").format(n_users=check.n_users)),
        (check.n_items < FEW_ITEMS, _("{n_items} items are few to choose a list from").format(n_items=check.n_items)),
        (check.n_rows < FEW_PER_USER * check.n_users, _("most users have too few interactions to tell their taste")),
        (choose < ENOUGH_TO_CHOOSE, few_choose(choose)),
    ]
    reasons = [reason for weak, reason in doubts if weak]
    guesses = [doubt.matter for doubt in check.doubts if doubt.guessed and doubt.role in ("user", "item")]
    return full_stop(
        _("Please look first: {guess}").format(guess=semicolons(guesses))
        if guesses
        else _("Only just: {reasons}").format(reasons=reasons[0])
        if reasons
        else _("Ready to train: lists can be tested on {users}").format(users=plural(judge, "user"))
    )


def dropped_sentence(check: Check) -> str:
    """Return how many rows were dropped, and by which step most."""
    lost = int(check.report["dropped"].sum())
    if lost == 0:
        return _("no row was dropped")
    worst = highest(check.report, "dropped")["step"]
    share = lost / check.n_raw
    said = (
        _("{share} of the rows").format(share=percent(share))
        if share >= 0.005
        else _("{lost} of {n_raw} rows").format(lost=count(lost), n_raw=count(check.n_raw))
    )
    reason = _REASONS.get(worst) or _("most as {step}").format(step=_(worst))
    return ngettext("{said} was dropped or merged, {reason}", "{said} were dropped or merged, {reason}", lost).format(
        said=said, reason=reason
    )


_REASONS = Glossary(
    {
        "rows that cannot be read": "most because they cannot be read",
        "missing ids": "most because they name no user or no item",
        "times that cannot be read": "most because their time cannot be read",
        "cancellations and non-positive quantities": "most because they are cancelled or have no positive quantity",
        "exact duplicates": "most because they repeat another row",
        "sums at the end": "most because they sum up all other rows",
        "service lines": "most because they are postage, fees and the like",
        "came to nothing": "most because they were cancelled or not taken",
        "weights that are not numbers": "most because their quantity cannot be read",
        "ratings that are not numbers": "most because their rating cannot be read",
        "unknown to the training": "most because their user or item first appears after the training part",
        "low ratings": "most because their rating is below the threshold",
        "robots": "most because they belong to users of extreme activity",
        "k-core": "most because their user or item is too rare",
    }
)


def file_sentence(name: str, file: Peek, roles: Mapping[str, str]) -> str:
    """Return what a file looks like before it is checked."""
    rows = (
        _("rows")
        if file.n_rows is None
        else (_("{n} rows") if file.exact else _("about {n} rows")).format(n=count(file.n_rows))
    )
    found = [
        _("the {role} is “{column}”").format(role=_(role), column=roles[role])
        for role in ("user", "item", "time")
        if roles.get(role)
    ]
    said = _("{name} has {rows} in {n_columns} columns").format(name=name, rows=rows, n_columns=len(file.columns))
    return full_stop(semicolons([said, commas(found)] if found else [said]))


def activity_sentence(check: Check) -> str:
    """Return the period that the rows cover."""
    first, last = (day(pd.Timestamp(seconds or 0.0, unit="s")) for seconds in check.period)
    return _("From {first} to {last}.").format(first=first, last=last)


def users_sentence(check: Check) -> str:
    """Return how active the users are."""
    return _("Half of the users have at most {interactions}.").format(interactions=plural(check.usual, "interaction"))


def items_sentence(check: Check) -> str:
    """Return how many items few people take, or that none is taken by few."""
    labels = check.per_item["interactions"]
    few = check.per_item.loc[labels.isin(["1", "2–3", "4–7"]), "count"].sum()
    if not few and len(labels):
        return _("Every item has at least {least} interactions.").format(least=labels.iloc[0].partition("–")[0])
    return _("{few} of the items have at most 7 interactions.").format(
        few=percent(few / max(check.per_item["count"].sum(), 1))
    )


# -- figures


def _bars(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        showlegend=False,
        bargap=0.18,
        xaxis={"title": None, "showgrid": False},
        yaxis={"title": None, "nticks": 5},
    )
    return figure


def shown_report(report: pd.DataFrame) -> pd.DataFrame:
    """Return the report with its steps named for people."""
    return report.assign(step=report["step"].map(step_title))


def report_figure(report: pd.DataFrame) -> go.Figure:
    """Return what was read, and for every step that dropped rows what is left (accent) and what went (grey)."""
    report = report.loc[(report["dropped"] > 0) | (np.arange(len(report)) == 0), :]
    figure = go.Figure()
    hover = _("%{y}<br>%{customdata[0]:,} rows before, %{x:,} %{fullData.name}<extra></extra>")
    before = report[["rows_before"]].to_numpy()
    for name, column, color in ((N_("kept"), "rows_after", ACCENT), (N_("dropped"), "dropped", NEUTRAL)):
        figure.add_bar(
            x=report[column],
            y=["<br>".join(textwrap.wrap(step, 22)) for step in report["step"]],
            name=_(name),
            orientation="h",
            marker={"color": color, "opacity": 1 if name == "kept" else 0.45},
            customdata=before,
            hovertemplate=hover,
            text=[f"−{n:,}" if n else "" for n in report[column]] if name == "dropped" else None,
            textposition="outside",
            cliponaxis=False,
        )
    _bars(figure, 60 + 44 * len(report))
    figure.update_layout(barmode="stack", margin={"l": 8, "r": 70, "t": 8, "b": 8})
    figure.update_yaxes(autorange="reversed", automargin=True, tickmode="linear")
    figure.update_xaxes(showgrid=True, nticks=5)
    return figure


def distribution_figure(frame: pd.DataFrame, what: str) -> go.Figure:
    """Return the bars of :func:`distribution`; ``what`` is "users" or "items"."""
    figure = go.Figure()
    figure.add_bar(
        x=frame["interactions"],
        y=frame["count"],
        marker_color=ACCENT,
        hovertemplate=_("%{{y:,}} {what} with %{{x}} interactions<extra></extra>").format(what=what),
    )
    figure.update_xaxes(type="category", tickangle=-45)
    return _bars(figure, 220)


def activity_figure(frame: pd.DataFrame) -> go.Figure:
    """Return interactions over time."""
    figure = go.Figure()
    hover = _("%{x|%d %b %Y}: %{y:,} interactions<extra></extra>")
    figure.add_bar(x=frame["start"], y=frame["count"], marker_color=ACCENT, hovertemplate=hover)
    return _bars(figure, 220)
