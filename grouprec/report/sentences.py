"""The sentences that answer the pages' questions, made from a run's numbers. Markdown, names already escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from grouprec.core.language import N_, Glossary, _, decimal, full_stop, ngettext, semicolons, series
from grouprec.core.tables import Row, highest
from grouprec.models.declared import called
from grouprec.ranking.statistics import ENOUGH
from grouprec.report.gain import floor_title
from grouprec.report.text import (
    TOO_FEW,
    attribute_title,
    attribute_value,
    count,
    group_label,
    number,
    percent,
    plain,
    plural,
    ratio,
    score,
    short,
)

MOST_NAMED = 50  # characters of an item's label in a headline
METRIC = "ndcg@10"  # the headline; every sentence says what it is behind the help mark
METRIC_HELP = N_(
    "Measured with nDCG@10 on held-out interactions: how high the items that a user really took next stand in the "
    "first ten of the list, averaged over users. 1 is perfect, 0 is no hit at all."
)
METHODS = Glossary(
    {
        "generated": "Generated list",
        "members_mean": "Mean of the members",
        "group_popularity": "Most popular in the group",
        "group_recent": "Popular lately in the group",
        "one_list": "One good list for all",
        "kmeans_mean_ease": "k-means + mean of EASE",
        "kmeans_mean_own": "k-means + mean of personal lists",
        "kmeans_mean_simple": "k-means + mean of the simplest scorer",
        "kmeans_popularity": "k-means + most popular",
        "kmeans_recent": "k-means + popular lately",
        "lists_own": "Groups made for their lists (catalogue segmentation)",
        "lists_simple": "Catalogue segmentation on the simplest scorer",
        "popularity": "One popular list for all",
        "recent_popularity": "One list of what is popular lately",
        "seasonal_popularity": "One list of what the season asks for",
        "one_group": "One predicted list for all",
        "simple": "The simplest scorer (one encoder × trend)",
        "own_frequency": "What each person took most often",
        "own_recent": "What each person took last",
        "individual": "Personal lists (this run)",
        "gfar": "GFAR",
        "ep_fuzzda": "EP-FuzzDA",
    }
)
# Of a blend, which are no encoders.
OTHER_VOICES = Glossary({"popularity": "popularity", "start": "where the search began"})
TREND = "_trend"  # at the end of an encoder's name: with the trend of the simplest scorer
REGIMES = Glossary({"strict": "Everyone sees the same list", "dedup": "Each member skips what they have"})
REGIME_HELP = N_(
    "**Everyone sees the same list**: a poster, an e-mail, a shelf; the same items for the whole group.\n\n"
    "**Each member skips what they have**: the group shares one long ranking, and everyone gets its first items "
    "that are new to them. The two uses need different lists, so every group has both."
)


def rule_answer(sentence: str) -> str:
    """Say who belongs to a group that is formed by a rule (table ``group_rules``)."""
    return _("**Who belongs here:** {sentence}").format(sentence=plain(sentence))


def method_title(method: str, regime: str = "") -> str:
    """Return what people call a method. In the regime "individual" that is an encoder's own lists."""
    if method not in METHODS and regime == "individual":
        trend = _(" × trend") if method.endswith(TREND) else ""
        return _("Personal: {method}{trend}").format(method=encoder_title(method.removesuffix(TREND)), trend=trend)
    return METHODS.get(method, method.replace("_", " ").capitalize())


def encoder_title(names: str) -> str:
    """Return what people call an encoder, or several: ``EASE + ALS`` for "ease + als"."""
    return " + ".join(OTHER_VOICES.get(name) or called("encoder", name) for name in names.split(" + "))


def repeats_words(metrics: Mapping[str, Any]) -> str:
    """Say what changes where a run may list items that people have already; nothing where it may not."""
    if not metrics.get("repeats"):
        return ""
    return _("In this run, items that people have already may be listed again, so members skip nothing.")


def evaluated(evaluation: pd.DataFrame, method: str, regime: str, metric: str = METRIC) -> pd.Series | None:
    """Return the row of the evaluation, None where the method was not evaluated or has no value."""
    match = (evaluation["method"] == method) & (evaluation["regime"] == regime) & (evaluation["metric"] == metric)
    rows = evaluation[match & evaluation["value"].notna()]
    return None if rows.empty else rows.iloc[0]


def too_few(tested: float | None) -> bool:
    """Return whether so many users (None where it is not known) are too few to tell what a number is worth."""
    return tested is not None and tested < ENOUGH


# -- Groups: who are my users?


def groups_answer(groups: pd.DataFrame) -> str:
    """Say how many groups there are, which is the largest, and how few of them hold half of the users."""
    largest_first = groups.sort_values(["size", "group"], ascending=[False, True])
    users, top = int(groups["size"].sum()), largest_first.iloc[0]
    if len(groups) == 1:
        return _("There is one group, **{name}**, with {users}.").format(
            name=plain(top["name"]), users=plural(users, "user")
        )
    half = int((largest_first["size"].cumsum() < users / 2).sum()) + 1
    largest = _("the largest, **{name}**, holds {size} of them").format(
        name=plain(top["name"]), size=percent(top["size"] / users)
    )
    rest = _(", and {half} groups hold half of all users").format(half=half) if half > 1 else ""
    return _("Your {users} fall into {n_groups} groups: {largest}{rest}.").format(
        users=plural(users, "user"), n_groups=len(groups), largest=largest, rest=rest
    )


def portrait_answer(
    group: Row, profiles: pd.DataFrame, neighbours: pd.DataFrame | None, names: Mapping[int, str]
) -> str:
    """Say how uniform a group is among the others, how alike its members are, and whom it borders on.

    Args:
        profiles: group_profiles of all groups.
        neighbours: group_neighbours of all groups; None for a group alone.
    """
    own = profiles.set_index("group").loc[group["group"]]
    who = _("**{name}** ({users})").format(name=plain(group["name"]), users=plural(group["size"], "user"))
    if pd.isna(own["diversity"]):
        return _("{who} has too few members with known tastes to say how alike they are.").format(who=who)
    alike, overall = percent(1 - own["diversity"]), percent(1 - own["diversity_overall"])
    if neighbours is None:
        return _("{who} is the only group: its members' tastes are {alike} alike.").format(who=who, alike=alike)
    place = uniform_words(profiles["diversity"], own["diversity"])
    towards = neighbours[neighbours["group"] == group["group"]]
    most = highest(towards, "borderline")
    border = _("none is on the border to another group")
    if own["borderline"] > 0:
        border = _("{borderline} are on the border to another group, most often to {other}").format(
            borderline=percent(own["borderline"]),
            other=plain(group_label(int(most["other"]), names[int(most["other"])])),
        )
    return _(
        "{who} is {place}: its members' tastes are {alike} alike, against {overall} among all users; {border}."
    ).format(who=who, place=place, alike=alike, overall=overall, border=border)


def uniform_words(diversities: pd.Series, own: float) -> str:
    """Say where a group's inner diversity stands among those of all groups (NaN does not count)."""
    known = diversities.dropna()
    if own <= known.min():
        return _("the most uniform group")
    if own >= known.max():
        return _("the most mixed group")
    return _("more uniform than most groups") if own < known.median() else _("more mixed than most groups")


def portrait_unknown(group: Row) -> str:
    """Say who a group is in a run that is older than portraits."""
    who = _("**{name}** holds {users}, {share} of all").format(
        name=plain(group["name"]), users=plural(group["size"], "user"), share=percent(group["share"])
    )
    return _("{who}. This run is older than the measures of its members; train it again to see them.").format(who=who)


def attributes_note(attributes: pd.DataFrame, n_listed: int) -> str:
    """Say how many attributes were tested, and what it means that none is listed."""
    if attributes.empty:
        return _("No attribute of the users sets a group apart.")
    if "tests" not in attributes:
        return "" if n_listed else _("No attribute of the users sets this group apart.")
    only = _("Only what is more than chance, after correction for {n} comparisons.")
    nothing = _("Nothing is more than chance, after correction for {n} comparisons.")
    return (only if n_listed else nothing).format(n=count(attributes["tests"].iloc[0]))


def selection_answer(composition: pd.DataFrame) -> str:
    """Say how many users are selected and which group most of them belong to (``composition`` is sorted)."""
    total, top = int(composition["users"].sum()), composition.iloc[0]
    if len(composition) == 1:
        return _("**{users} selected**, all in {name}.").format(users=plural(total, "user"), name=plain(top["name"]))
    share = percent(top["users"] / total)
    return _("**{users} selected** from {n_composition} groups; {share} are in {name}.").format(
        users=plural(total, "user"), n_composition=len(composition), share=share, name=plain(top["name"])
    )


def separation_words(value: float) -> str:
    """Return the mean silhouette in words."""
    if pd.isna(value):
        return _("separation unknown")
    if value >= 0.25:
        return _("clearly apart")
    return _("overlaps at the edges") if value >= 0.05 else _("overlaps with others")


def item_reason(label: str, share: float, lift: float) -> str:
    """Return ``Tea towel · 38 % · 3.8×``: the share of members who have it, against the share of all users."""
    return f"{plain(label)} · {_together(f'{percent(share)} · {ratio(lift)}×')}"


def attribute_reason(row: Row) -> str:
    """Return ``Country France · 60 % · 2.0×``, or for numbers the group's median beside that of all users."""
    name = plain(attribute_title(row["attribute"]))
    if row["kind"] == "median":
        return _("{name} · median {in_group}, of all users {overall}").format(
            name=name, in_group=number(row["in_group"]), overall=number(row["overall"])
        )
    numbers = f"{percent(row['in_group'])} · {ratio(row['lift'])}×"
    return f"{name} {plain(attribute_value(row['attribute'], row['value']))} · {_together(numbers)}"


def _together(text: str) -> str:
    """Return the text with spaces at which no line breaks."""
    return text.replace(" ", "\u00a0")


# -- Recommendations: what do I show them, and why?


def list_title(method: str) -> str:
    """Return what people call a group's own list."""
    return _(LIST_TITLES[method]) if method in LIST_TITLES else method_title(method)


LIST_TITLES = {"popularity": N_("Most popular in the group"), "members_mean": N_("Best for all members")}


def list_origin(method: str) -> str:
    """Say in one phrase how a list is made."""
    if method == "generated":
        return _("Made by the generator from virtual members")
    if method == "popularity":
        return _("What most members have")
    if method == "members_mean":
        return _("What its items are worth to all members together")
    if method == "group_recent":
        return _("What is popular lately among the members, and with everybody")
    if method == "one_list":
        return _("The best single list for all: earlier data found no lists of groups that are better")
    return _("Made by the strategy that this run was asked for")


def list_answer(group: Row, first: pd.DataFrame) -> str:
    """Say what to show the group first; ``first`` is the head of its list, best first."""
    if first.empty:
        return _("There is no list for {name}: the catalogue has no items left to show.").format(
            name=plain(group["name"])
        )
    who = _("**{name}** ({users})").format(name=plain(group["name"]), users=plural(group["size"], "user"))
    labels = [f"*{plain(short(label, MOST_NAMED))}*" for label in first["label"].head(2)]
    shown = _("Show {who} {labels} first").format(who=who, labels=series(labels))
    return full_stop(shown)


def worth_answer(evaluation: pd.DataFrame, regime: str, method: str = "generated") -> str:
    """Say how such lists compare with one list for all, and what generated ones keep of the members' mean."""
    lists, generated, mean = (evaluated(evaluation, name, regime) for name in (method, "generated", "members_mean"))
    if lists is not None and too_few(lists.get("n_users")):
        return _("Only {users} could be tested: {too_few} what such lists are worth.").format(
            users=plural(lists["n_users"], "user"), too_few=_(TOO_FEW)
        )
    parts = []
    if lists is not None and lists["floor"] > 0:
        by = lists["value"] / lists["floor"]
        said = (
            _("Such lists reach {times} times {floor}") if by >= 1 else _("Such lists only reach {times} times {floor}")
        )
        parts.append(said.format(times=decimal(by, 1), floor=_floor(lists)))
    if generated is not None and mean is not None and mean["value"] > 0:
        kept = percent(generated["value"] / mean["value"])
        after, alone = (
            _("generated ones keep {kept} of the usual list's worth"),
            _("Generated ones keep {kept} of the usual list's worth"),
        )
        parts.append((after if parts else alone).format(kept=kept))
    return full_stop(semicolons(parts)) if parts else ""


def overlap_answer(first: pd.Series, other: pd.Series) -> str:
    """Say how many items a list shares with the first one."""
    shared = int(other.isin(first).sum())
    return _("{shared} of {n_other} are also in the first list").format(shared=shared, n_other=len(other))


def item_why(row: Row) -> str:
    """Say why an item is on the group's list: whom it reaches, who has it, how that compares with everybody.

    Args:
        row: ``label``, ``reach``, ``owned`` and ``lift`` (owned in the group against owned by all; NaN if nobody).
    """
    reach = _("{reach} of the group have it among their own 50 best predictions").format(reach=percent(row["reach"]))
    owned = _("{owned} have it already").format(owned=percent(row["owned"]))
    lift = "" if pd.isna(row["lift"]) else _(", {lift} times the share among all users").format(lift=ratio(row["lift"]))
    return _("**{label}** is number {rank}: {reach}; {owned}{lift}.").format(
        label=plain(row["label"]), rank=row["rank"], reach=reach, owned=owned, lift=lift
    )


# -- Compare: which method should I trust?


def compare_answer(
    evaluation: pd.DataFrame, regime: str, n_groups: int, method: str = "generated", metric: str = METRIC
) -> str:
    """Say what personal lists reach, what the run's shared lists keep of that, and what the usual method reaches.

    Args:
        method: how the run's shared lists are made.
    """
    lists = evaluated(evaluation, method, regime, metric)
    if lists is None:
        return _("This run has no evaluation: its data left no held-out interactions to measure with.")
    made = method_title(method).lower()
    who = ngettext(
        "{lists} ({made}) reaches {value}{gain}{against}", "{lists} ({made}) reach {value}{gain}{against}", n_groups
    )
    usual = evaluated(evaluation, "kmeans_popularity", regime, metric)
    few, against = too_few(lists.get("n_users")), ""
    if usual is not None:
        only = usual["high"] < lists["low"] and not few
        against = (
            _("; k-means + most popular reaches only {value}")
            if only
            else _("; k-means + most popular reaches {value}")
        ).format(value=score(usual["value"]))
    personal = _("Personal lists reach {individual} of {measure}").format(
        individual=score(lists["individual"]), measure=metric.replace("ndcg", "nDCG")
    )
    doubt = (
        _(" Tested on {users}: {too_few} which is better.").format(
            users=plural(lists["n_users"], "user"), too_few=_(TOO_FEW)
        )
        if few
        else ""
    )
    shared = who.format(
        lists=plural(n_groups, "shared list"),
        made=made,
        value=score(lists["value"]),
        gain="" if few else gain_words(lists),
        against=against,
    )
    return f"{full_stop(semicolons([personal, shared]))}{doubt}"


def gain_words(row: pd.Series) -> str:
    """Return the share of possible gain as a part of a sentence; nothing where it is undefined."""
    share = row["share_of_gain"]
    if pd.isna(share):
        return ""
    if share < 0:
        return _(", which is less than {row}").format(row=_floor(row))
    return _(", which is {share} of the possible gain").format(share=percent(share))


def _floor(row: pd.Series) -> str:
    """Return what the floor beside a value is called, inside a sentence."""
    method = row.get("floor_method")
    return floor_title(None if pd.isna(method) else method).lower()


def left_behind_answer(served: pd.DataFrame) -> str:
    """Say which group's members most often find nothing in their first ten.

    Args:
        served: one row per group; groups of very few tested members do not count.
    """
    tested = served[served["zero_hit_share"].notna()]
    if tested.empty:
        return _("No group was measured: the held-out part has no interactions that are new to a user.")
    tested = tested[tested["n_test_users"] >= ENOUGH]
    if tested.empty:
        return _("No group has {enough} tested members: {too_few} which the lists serve least.").format(
            enough=ENOUGH, too_few=_(TOO_FEW)
        )
    worst = highest(tested, "zero_hit_share")
    share = _("{zero_hit_share} of its {tested_members}").format(
        zero_hit_share=percent(worst["zero_hit_share"]), tested_members=plural(worst["n_test_users"], "tested member")
    )
    return _("The list serves **{name}** least: {share} found nothing in it.").format(
        name=plain(worst["name"]), share=share
    )
