"""The parts of a report that show groups and lists, each beginning with its answer; evidence.py has the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from grouprec.core.language import N_, Glossary, _, passage
from grouprec.core.tables import records
from grouprec.report import enough_lists, findings, gain, sentences, small_groups, tables
from grouprec.report.html import drawings
from grouprec.report.html.markup import Html, element, figure, joined, paragraph, sentence, table
from grouprec.report.html.pictures import chip
from grouprec.report.html.reading import Reading
from grouprec.report.tested import rests_on
from grouprec.report.text import (
    count,
    interval,
    number,
    percent,
    plain,
    plural,
    ratio,
    score,
)
from grouprec.runs.forgotten import forgotten

NDCG = "nDCG@10"
DEPTH = 10  # items of a list that are shown
TYPICAL = 3
ORDER = Glossary(
    {  # what the items of a list are ordered by
        "generated": "by the members that a generator imagines",
        "popularity": "by how many members have them",
        "members_mean": "by what they are worth to all members together",
        "group_recent": "by how popular they are of late, among the members and with everybody",
        "one_list": "as they are for everybody: no lists of groups are better",
    }
)


def opening(reading: Reading) -> Html:
    """Return the head of the report: the answer, its numbers, and how to read it."""
    metrics = reading.metrics
    over = f"{reading.title} · {metrics.get('dataset', '')} · {reading.when}"
    said = sentences.compare_answer(reading.evaluation, reading.regime, reading.n_lists, reading.method)
    split = reading.split
    return element(
        "header",
        element("p", over, class_="over"),
        element("h1", sentence(_headline(reading))),
        paragraph(gain.parts_answer(split), "lead") if split else None,
        figure(_parts(split), _("People of 100 who find something; blue adds, orange costs, grey is not measurable."))
        if split
        else None,
        paragraph(said, "" if split else "lead"),
        paragraph(rests_on(metrics)),
        paragraph(forgotten(reading.run).sentence()),
        paragraph(sentences.repeats_words(metrics)),
        _numbers(reading),
        element("h3", _("How to read this")),
        *map(paragraph, _how_to_read(reading)),
    )


def _headline(reading: Reading) -> str:
    return gain.reached_answer(reading.split) if reading.split else reading.groups_said


def _parts(split: gain.Split) -> Html:
    rows = gain.steps_of(split)
    verdicts = [findings.verdict(*row) for row in rows[["added", "low", "high"]].itertuples(index=False)]
    return drawings.steps(rows.assign(verdict=verdicts), _(gain.AXIS), "{:.1f}")


def _numbers(reading: Reading) -> Html:
    metrics, worth = reading.metrics, reading.worth
    shown = {
        _("Users"): count(metrics.get("n_users", int(reading.groups["size"].sum()))),
        _("Items"): count(metrics.get("n_items", float("nan"))),
        _("Groups"): count(len(reading.groups)),
    }
    if worth is not None and worth["floor"] > 0:
        shown[_("Against {floor}").format(floor=reading.floor_title.lower())] = (
            f"{ratio(worth['value'] / worth['floor'])}×"
        )
    return element("dl", *(element("div", element("dt", name), element("dd", said)) for name, said in shown.items()),
                   class_="numbers")  # fmt: skip


def _how_to_read(reading: Reading) -> list[str]:
    tested = reading.metrics.get("n_test_users")
    users = _(" of {users}").format(users=plural(tested, "user")) if tested else ""
    return [
        _(
            "**What is measured.** Part of the interactions{users} was kept aside. A list is good if "
            "it shows, high up, what people took next. The measure is {ndcg}: 1 is perfect, 0 is no "
            "hit at all. Values in parentheses are 95 % intervals: what chance in the choice of "
            "tested users could explain."
        ).format(users=users, ndcg=NDCG),
        _(
            "**What it is held against.** {floor_method} **Personal lists**: everyone has their own, "
            "from the same model. The *possible gain* is the way from the one to the other. *Best "
            "possible* is what the best shared lists for these groups could reach, knowing the "
            "future."
        ).format(floor_method=gain.floor_words(reading.floor_method)),
        _("**How the lists are used.** {regimes}.").format(
            regimes=plain(sentences.REGIMES.get(reading.regime, reading.regime))
        ),
    ]


def the_map(reading: Reading) -> Html | None:
    """Return the map of the users, in the colours of their groups."""
    users = reading.table("users")
    if users is None:
        return None
    few = reading.groups.loc[reading.told.rest, "group"]
    drawing, drawn, placed = drawings.user_map(users[~users["group"].isin(few)], reading.names)
    if not placed:
        return None
    sample = (
        ""
        if drawn == placed
        else _(" A sample of {drawn} of {users} is drawn.").format(drawn=count(drawn), users=plural(placed, "user"))
    )
    caption = _(
        "Every dot is a user; the numbers are those of the groups, at the middle of their "
        "members. Near each other means alike. Directions, and distances between far parts, mean "
        "nothing.{sample}"
    ).format(sample=sample) + _(" Groups of few people are not drawn.") * bool(len(few))
    return figure(drawing, caption)


def groups(reading: Reading) -> Html:
    """Return the table of groups: how many they are and what is typical of them."""
    told = reading.told
    shown = pd.DataFrame(
        {
            "": pd.Series([chip(group) for group in reading.groups["group"]], dtype=object),
            N_("Group"): reading.groups["name"],
            N_("Users"): [
                small_groups.people(size, few, count(size))
                for size, few in zip(told.sizes.tolist(), told.few, strict=True)
            ],
            N_("Share"): [
                small_groups.NOTHING if few else percent(share)
                for share, few in zip(told.shares, told.few, strict=True)
            ],
            N_("Words"): reading.groups["words"].astype(str),
            N_("On the map"): [sentences.separation_words(value) for value in reading.groups["separation"]],
        }
    )
    return joined(paragraph(passage(reading.groups_said, told.words)), table(shown, right=("Users", "Share")))


def lists(reading: Reading) -> Html | None:
    """Return every group's first items, with what speaks for them."""
    made, items = reading.table("group_lists"), reading.table("items")
    if made is None or items is None:
        return None
    match = (made["method"] == reading.method) & (made["regime"] == reading.regime) & (made["rank"] <= DEPTH)
    first = tables.with_lift(made[match].sort_values("rank"), items, int(reading.metrics.get("n_users", 0)))
    typical, attributes = reading.table("group_items"), reading.table("group_attributes")
    by_group = dict(tuple(first.groupby("group")))
    told = reading.told
    sizes = map(
        small_groups.people, told.sizes.tolist(), told.few, (plural(size, "user") for size in told.sizes.tolist())
    )
    cards = [
        _card(row, by_group.get(row["group"]), typical, attributes, size, few)
        for row, size, few in zip(records(reading.groups), sizes, told.rest, strict=True)
    ]
    worth = sentences.worth_answer(reading.evaluation, reading.regime, reading.method)
    said = _("The first {depth} items for every group, ordered {method}. {worth}").format(
        depth=DEPTH, method=order(reading.method), worth=worth
    )
    columns = _(
        "Above each list: what is typical of the group, the share of members, and how "
        "many times that is the share of all users. *Reaches*: members who have the item "
        "among their own 50 best predictions. *Have it*: members who have it already, "
        "and how many times that is the share of all users. *Score*: what the item is "
        "worth to the group; scores compare within one list only."
    )
    return joined(paragraph(said), paragraph(columns, "quiet"), element("div", *cards, class_="cards"))


def order(method: str) -> str:
    """Say what the items of a list are ordered by."""
    return ORDER.get(method, "by the strategy that the run was asked for")


def _card(
    group: Mapping[str, Any],
    first: pd.DataFrame | None,
    typical: pd.DataFrame | None,
    attributes: pd.DataFrame | None,
    size: str,
    few: bool,
) -> Html:
    """Return one group: who they are, and the head of their list; of few people only the list.

    Args:
        size: in words.
    """
    about = []
    if few:
        typical = attributes = None
    if typical is not None:
        own = typical[typical["group"] == group["group"]].nsmallest(TYPICAL, "rank")
        about += [sentences.item_reason(row.label, row.share_in_group, row.lift) for row in own.itertuples()]
    if attributes is not None:
        own = tables.telling_attributes(attributes[attributes["group"] == group["group"]]).head(2)
        about += [sentences.attribute_reason(row) for row in records(own)]
    parts = [
        element("h3", chip(group["group"]), " ", group["name"]),
        element("p", size, class_="quiet"),
        element("p", group["description"]) if group.get("description") else None,
        element("ul", *(element("li", sentence(said)) for said in about)) if about else None,
    ]
    if first is None:
        return element("article", *parts, element("p", _("No list: there is nothing left to show.")), class_="card")
    held = zip(first["owned"], first["lift"], strict=True)
    shown = pd.DataFrame(
        {
            "#": first["rank"].to_numpy(),
            N_("Item"): first["label"].astype(str).to_numpy(),
            N_("Reaches"): [small_groups.NOTHING if few else percent(share) for share in first["reach"]],
            N_("Have it"): [
                small_groups.NOTHING if few else percent(owned) + ("" if pd.isna(lift) else f" · {ratio(lift)}×")
                for owned, lift in held
            ],
            N_("Score"): [number(value) for value in first["score"]],
        }
    )
    return element("article", *parts, table(shown, right=("#", "Reaches", "Have it", "Score")), class_="card")


def value_of_groups(reading: Reading) -> Html | None:
    """Return what every number of lists is worth, between one list for all and personal lists."""
    value = reading.table("value_of_groups")
    method = "" if value is None else tables.curve_method(value, reading.metrics, reading.regime)
    curves = {} if value is None else tables.value_curves(value, reading.regime, method)
    if value is None or not curves:
        return None
    hits = tables.value_curves(value, reading.regime, method, gain.HITS)
    named = {sentences.method_title(method): curve for method, curve in curves.items()}
    own = next(iter(named.values()))
    reason = reading.metrics.get("n_groups_reason")
    floor, personal = (score(own[name].iloc[0]) for name in ("floor", "individual"))
    shown, steps = _value_table(named), reading.table("gain_of_groups")
    steps = None if steps is None else steps[steps["regime"] == reading.regime]
    said = enough_lists.enough_answer(own, hits.get(method, own.iloc[:0]), steps)
    return joined(
        paragraph(
            _("{said} {floor_title} reaches {floor}, personal lists reach {personal} ({ndcg}).").format(
                said=said, floor_title=reading.floor_title, floor=floor, personal=personal, ndcg=NDCG
            )
        ),
        paragraph(_("**How the number was chosen.** {reason}").format(reason=plain(reason))) if reason else None,
        figure(
            drawings.value_curve(named, reading.n_lists, NDCG, reading.floor_title),
            _(
                "Every number of lists is tried on the test part, with its groups formed anew. "
                "Bands are 95 % intervals."
            ),
        ),
        table(shown, right=tuple(shown.columns)),
    )


def _value_table(named: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the numbers of lists in rows: every method's value, the run's own share of gain, the best possible."""
    own = next(iter(named.values())).set_index("n_groups")
    shown = pd.DataFrame(
        {N_("Lists"): own.index, N_("Share of possible gain"): [percent(one) for one in own["share_of_gain"]]}
    )
    for title, curve in named.items():
        rows = curve.set_index("n_groups").reindex(own.index)[["value", "low", "high"]]
        shown[title] = [interval(*row) for row in rows.itertuples(index=False)]
    shown["Best possible"] = [score(value) for value in own["oracle"]]
    return shown
