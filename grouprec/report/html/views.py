"""The six views of a finished run, for people in a room: what each says, its numbers, its picture or its list.

The presenter, the first page of the report and shared links draw these, and say nothing else. As everywhere in a
report, few people are told as few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.language import N_, _, full_stop, long_day, passage, series
from grouprec.core.tables import records
from grouprec.evaluate.enough import smoothed
from grouprec.explore.kinds import kinds_of_groups
from grouprec.report import enough_lists, gain, learned, sentences, small_groups, tables
from grouprec.report.bundle import own_number
from grouprec.report.html import drawings, pictures
from grouprec.report.html.markup import Html
from grouprec.report.html.moving import moving_list
from grouprec.report.html.reading import Reading
from grouprec.report.tested import rests_on
from grouprec.report.text import count, percent, percents, plain, plural, short, step_title
from grouprec.report.who import who_of
from grouprec.runs import schemas
from grouprec.runs.approvals import approvals
from grouprec.runs.forgotten import forgotten

NAMES = ("file", "groups", "group", "decide", "evidence", "live")  # in their order
DEPTH = 10  # items of a list
MOST_STEPS, MOST_GROUPS = 5, 12
OBSERVED = N_(
    "Measured on what people took without having seen these lists; only a trial can say what showing them changes."
)


@dataclass(frozen=True, eq=False)
class View:
    """One view. Sentences are markdown, names already escaped.

    Attributes:
        name: in addresses.
        title: of one or two words.
        said: the sentence that the view is about.
        picture: HTML.
        caption: what the picture shows.
        facts: what a number is -> the number as text.
        notes: sentences beside the picture.
    """

    name: str
    title: str
    said: str
    picture: Html | None = None
    caption: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def six_views(reading: Reading, group: int | None = None) -> list[View]:
    """Return the six views of a run, in their order.

    Args:
        group: the one that has a view of its own; the largest where it is None or not there.
    """
    makers: list[Callable[[Reading], View]] = [
        _file,
        _groups,
        lambda run: _group(run, group),
        _decide,
        _evidence,
        _live,
    ]
    return [make(reading) for make in makers]


def _known(*notes: str | None) -> tuple[str, ...]:
    return tuple(note for note in notes if note)


# -- what it is about


def _file(reading: Reading) -> View:
    metrics = reading.metrics
    rows, users, items = (metrics.get(name, 0) for name in ("n_interactions", "n_users", "n_items"))
    steps = reading.table("preparation")
    if steps is not None:  # with what is held out, which no history holds
        rows = int(steps["rows_after"].iloc[-1])
    said = _("**{value}** holds {interactions} of {users} with {items}.").format(
        value=plain(metrics.get("dataset") or reading.title),
        interactions=plural(rows, "interaction"),
        users=plural(users, "user"),
        items=plural(items, "item"),
    )
    tested = metrics.get("n_test_users")
    facts = {_("Users"): count(users), _("Items"): count(items)}
    facts |= {} if tested is None else {_("Tested on"): count(tested)}
    left_out = "" if steps is None else _left_out(steps)
    notes = _known(left_out, rests_on(metrics), sentences.repeats_words(metrics), forgotten(reading.run).sentence())
    picture = None if steps is None else pictures.bars(_rows_left(steps))
    return View(
        "file", _("The file"), said, picture, _("Rows of the file that are left after every step"), facts, notes
    )


def _left_out(steps: pd.DataFrame) -> str:
    before, after = int(steps["rows_before"].iloc[0]), int(steps["rows_after"].iloc[-1])
    if not before:
        return ""
    rows, share = plural(before, "row"), percent(after / before)
    if before > after and share == percent(1.0):
        return _("Of {rows} of the file, all but {left} are used.").format(rows=rows, left=count(before - after))
    return _("Of {rows} of the file, {after} are used.").format(rows=rows, after=share)


def _rows_left(steps: pd.DataFrame) -> pd.DataFrame:
    """Return the rows at the beginning and after the steps that left out most, in their order."""
    most = steps[steps["dropped"] > 0].nlargest(MOST_STEPS, "dropped").sort_index()
    rows = [(_("in the file"), steps["rows_before"].iloc[0])]
    rows += [
        (_("without {step}").format(step=step_title(step)), after)
        for step, after in zip(most["step"], most["rows_after"], strict=True)
    ]
    if len(most) and most["rows_after"].iloc[-1] != steps["rows_after"].iloc[-1]:
        rows.append((_("used"), steps["rows_after"].iloc[-1]))
    frame = pd.DataFrame(rows, columns=["title", "value"])
    return frame.assign(ours=np.arange(len(frame)) == len(frame) - 1, text=frame["value"].map(count))


def _groups(reading: Reading) -> View:
    users, groups, told = reading.table("users"), reading.groups, reading.told
    drawing, placed = None, 0
    if users is not None:
        few = groups.loc[told.rest, "group"]
        drawing, _drawn, placed = drawings.user_map(users[~users["group"].isin(few)], reading.names, mark=1.7)
    sized = groups.assign(told=told.sizes, few=told.few)
    first = sized.sort_values(["told", "group"], ascending=[False, True]).head(MOST_GROUPS)
    legend = pictures.legend(
        (row["group"], str(row["name"]), small_groups.people(row["told"], row["few"], count(row["told"])))
        for row in records(first)
    )
    rest = len(groups) - len(first)
    caption = _("Every dot is a user; near each other means alike.") if placed else ""
    return View(
        "groups",
        _("The groups"),
        reading.groups_said,
        pictures.beside(drawing if placed else None, legend),
        passage(
            caption,
            _("{smaller_groups} not named.").format(smaller_groups=plural(rest, "smaller group")) if rest else "",
            told.words,
        ),
    )


# -- one group


def _group(reading: Reading, group: int | None) -> View:
    told, metrics = reading.told, reading.metrics
    sized = reading.groups.assign(told=told.sizes, share=told.shares, few=told.few, rest=told.rest)
    chosen = sized[sized["group"] == group]
    row = (chosen if len(chosen) else sized.sort_values(["told", "group"], ascending=[False, True])).iloc[0]
    first = _first(reading, int(row["group"]))
    about = "" if row["rest"] else _who(reading, int(row["group"]))
    size = small_groups.people(int(row["told"]), bool(row["few"]), plural(row["told"], "user"))
    labels = [f"*{plain(short(label, 48))}*" for label in first["label"].head(2)]
    shown = _("show {labels} first").format(labels=series(labels)) if labels else _("there is nothing left to show")
    described = row.get("description", "")
    return View(
        "group",
        _("One group"),
        full_stop(
            _("{title}: {value}").format(
                title=_("**{name}** ({users})").format(name=plain(short(row["name"], 60)), users=size), value=shown
            )
        ),
        pictures.listed(first, int(row["group"]), bool(row["rest"])),
        "" if row["rest"] else _("Members who have the item among their own 50 best predictions."),
        {} if row["few"] else {_("Of all users"): percent(row["share"])},
        _known(
            plain(described) if isinstance(described, str) else "",
            full_stop(about) if about else "",
            full_stop(sentences.REGIMES.get(reading.regime, reading.regime)) if not metrics.get("repeats") else "",
        ),
    )


def _first(reading: Reading, group: int) -> pd.DataFrame:
    """Return the head of a group's list by rank; empty where the run has none."""
    made = reading.table("group_lists")
    if made is None:
        return pd.DataFrame({"label": [], "reach": []})
    return tables.group_list(made, group, reading.method, reading.regime).head(DEPTH)


def _who(reading: Reading, group: int) -> str:
    items, attributes = reading.table("group_items"), reading.table("group_attributes")
    known = reading.table("items")
    if items is None or attributes is None or known is None:
        return ""
    kind_of = kinds_of_groups(known, schemas.named("items").more_names(known), reading.metrics.get("kind_column"))
    return who_of(group, reading.groups, items, kind_of, attributes, reading.table("group_activity"))


# -- what the lists are worth


def _decide(reading: Reading) -> View:
    value, n = reading.table("value_of_groups"), own_number(reading.metrics)
    method = "" if value is None else tables.curve_method(value, reading.metrics, reading.regime)
    curves = {} if value is None else tables.value_curves(value, reading.regime, method)
    said = reading.groups_said
    if value is None or not curves:
        none = _("This run did not measure other numbers of lists.")
        return View("decide", _("The decision"), said, notes=_known(none, *_approved(reading)))
    own = next(iter(curves.values()))
    hits = tables.value_curves(value, reading.regime, method, gain.HITS).get(method, own.iloc[:0])
    steps = reading.table("gain_of_groups")
    steps = None if steps is None else steps[steps["regime"] == reading.regime]
    split = gain.split_at(steps, hits, n)
    n = n if n in set(own["n_groups"]) else 0
    said, more = enough_lists.lists_answer(own, hits, steps, split, n)
    if hits.empty:
        return View("decide", _("The decision"), said, notes=_known(more, *_approved(reading)))
    least, hits = enough_lists.number(own, steps, split), hits.assign(value=smoothed(hits))
    floor = gain.floor_of(own)
    return View(
        "decide",
        _("The decision"),
        said,
        pictures.reach_curve(hits, least, n, gain.floor_title(floor)),
        _("People of 100 who find something in their first ten, by number of lists; the band is the 95 % interval."),
        _reached(hits, n or least or 0),
        _known(more, gain.floor_words(floor), *_approved(reading)),
    )


def _reached(hits: pd.DataFrame, n: int) -> dict[str, str]:
    """Return how many people of 100 one list, ``n`` lists where that is known, and personal lists reach."""
    own = hits[hits["n_groups"] == n]["value"]
    lists = {plural(n, "list"): own.iloc[0]} if len(own) else {}
    ends = hits.iloc[0]
    shares = {_("One good list"): ends["floor"], **lists, _("Personal lists"): ends["individual"]}
    return {title: gain.people(share) for title, share in shares.items()}


def _approved(reading: Reading) -> tuple[str, ...]:
    """Say what was approved last, by whom and when."""
    last = approvals(reading.run.path)[-1:]
    return tuple(
        _("**{lists} approved** by {by}, {at}.").format(
            lists=plural(one.lists, "list") if one.lists else _("Personal lists"),
            by=plain(one.by),
            at=long_day(pd.Timestamp(one.at, unit="s")),
        )
        for one in last
    )


def _evidence(reading: Reading) -> View:
    split = reading.split
    if split is None:
        said = sentences.compare_answer(reading.evaluation, reading.regime, reading.n_lists, reading.method)
        return View("evidence", _("The evidence"), said, notes=(_(OBSERVED),))
    rows = tables.five_bars(reading.evaluation, split, reading.regime, reading.method)
    return View(
        "evidence",
        _("The evidence"),
        gain.reached_answer(split),
        pictures.bars(rows.assign(text=[gain.people(value / 100) for value in rows["value"]])),
        _("{value}{rest}; lines are 95 % intervals.").format(value=_(gain.AXIS)[:1].upper(), rest=_(gain.AXIS)[1:]),
        notes=_known(gain.parts_answer(split), rests_on(reading.metrics), _(OBSERVED)),
    )


def _live(reading: Reading) -> View:
    updater = reading.metrics.get("updater") or {}
    rates = updater.get("hit_rate@10") or {}
    said = learned.updater_answer(updater)
    note = _("Every event moves its user, the user's group where it has to, and the lists of the groups concerned.")
    judged = {"frozen", "updated"} <= set(rates) and not sentences.too_few(updater.get("n_users"))
    facts, picture, caption = _rates(updater, rates) if judged else ({}, None, "")
    moved, told = _moved(reading)
    if moved is not None:
        return View("live", _("Live"), said, moved, told, facts, (note,))
    return View("live", _("Live"), said, picture, caption, facts, (note,))


def _rates(updater: Mapping[str, Any], rates: Mapping[str, Any]) -> tuple[dict[str, str], Html, str]:
    """Return how often the next item stood in the first ten, as facts, as bars, and what these show."""
    known = {_("As trained"): "frozen", _("Updated after every event"): "updated"}
    ends = [rates.get(f"{name}_interval") or (np.nan, np.nan) for name in known.values()]
    rows = pd.DataFrame({"title": list(known), "value": [rates[name] for name in known.values()]})
    rows = rows.assign(low=[low for low, _high in ends], high=[high for _low, high in ends], ours=[False, True])
    rows = rows.assign(text=percents(*rows["value"]))
    facts = {_("Events"): count(updater["n_events"])}
    facts |= {_("Users"): count(updater["n_users"])} if updater.get("n_users") else {}
    facts |= dict(zip(known, percents(*rows["value"]), strict=True))
    return (
        facts,
        pictures.bars(rows),
        _("Events whose item stood in the first ten of their user's own list, just before"),
    )


def _moved(reading: Reading) -> tuple[Html | None, str]:
    """Return a list as events moved it, which moves when it comes into view, and whose it is; None where none did."""
    found = reading.table("live_moment")
    if found is None or found["size"].iloc[0] < small_groups.fewest():
        return None, ""
    events, group = (int(found[name].iloc[0]) for name in ("events", "group"))
    places = [found[name].to_numpy() for name in ("before", "now")]
    before, now = (np.argsort(at, kind="stable")[(at == 0).sum() :].tolist() for at in places)
    listed = moving_list(before, now, found["label"].tolist())
    whose = reading.judged_names.get(group, _("group {number}").format(number=group))
    told = _("The list for {name} after {events} that training had not seen: what moved, and how far").format(
        name=short(whose, 48), events=plural(events, "event")
    )
    return listed, told
