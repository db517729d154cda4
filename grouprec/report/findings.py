"""The sentences that begin the parts of the evidence, made from a run's tables. Markdown, names already escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from grouprec.core.language import N_, Glossary, _, decimal, full_stop, ngettext, passage, semicolons, series
from grouprec.core.tables import highest, named_rows, row_at
from grouprec.evaluate.beside import sentence
from grouprec.ranking.statistics import ENOUGH, LEVEL
from grouprec.ranking.takes import Horizon
from grouprec.report.sentences import METRIC, encoder_title
from grouprec.report.text import (
    TOO_FEW,
    attribute_title,
    attribute_value,
    count,
    difference,
    percent,
    plain,
    plural,
    ratio,
    score,
)

STEPS = Glossary(
    {
        "popularity": "Popular items",
        "encoder": "Encoder",
        "blend": "Blend",
        "grouping": "Grouping",
        "profile": "Profile",
        "generator": "Generator",
    }
)
MEAN_OF = "members' mean of "
SHARED = Glossary({"strict": "the shared lists", "dedup": "the shared rankings"})


def step_title(step: object) -> str:
    """Return what a step is called; its own name where it has no title."""
    return STEPS.get(str(step), str(step))


def step_lists(what: object) -> str:
    """Return what lists a step makes, as its table keeps it in English, in the reader's language."""
    said, encoder = _(str(what)), str(what).removeprefix(MEAN_OF)
    if said != what or encoder == what:
        return said
    return _("members' mean of {encoder}").format(encoder=_(encoder))


def verdict(value: float, low: float, high: float) -> str:
    """Return what a difference and its 95 % interval say, in English; nothing where there is no difference."""
    if pd.isna(value):
        return ""
    if pd.isna(low) or pd.isna(high):
        return TOO_FEW
    return N_("adds") if low > 0 else N_("costs") if high < 0 else N_("no proven difference")


def _signed(value: float) -> str:
    return decimal(value, 3, sign=True)


def takes_answer(takes: Mapping[str, Any] | None) -> str:
    """Say whether as many items were taken as expected, and what a forecast would have missed by.

    Args:
        takes: of the run's summary; older runs have none.
    """
    if not takes:
        return ""
    first = takes["lists"]["strict"]
    said = _(
        "Expected takes: in {words}, the ten items of the shared lists should have been taken "
        "{expected} times, and were {taken} times. Over all predictions, expected and real takes "
        "differ by {gap} in the worst tenth. What is expected of a user is learned from others."
    ).format(
        words=Horizon(**takes["horizon"]).words if "horizon" in takes else takes["words"],
        expected=count(first["expected"]),
        taken=count(first["taken"]),
        gap=percent(takes["gap"]),
    )
    if not takes.get("foretold"):
        return said
    ratio_before = takes["foretold"] / max(takes["taken"], 1) - 1
    if abs(ratio_before) < 0.005:
        return _("{said} The part before foretold as many.").format(said=said)
    more = _("The part before foretold {share} more: another time may differ as much.")
    fewer = _("The part before foretold {share} fewer: another time may differ as much.")
    return passage(said, (more if ratio_before > 0 else fewer).format(share=percent(abs(ratio_before))))


def steps_answer(steps: pd.DataFrame) -> str:
    """Say which stages add to the lists, which cost, and which make no proven difference.

    Args:
        steps: step, value, added, low, high of one regime and metric.
    """
    judged = steps.dropna(subset="added").sort_values("added", ascending=False)
    if len(judged) and judged[["low", "high"]].isna().all(axis=None):
        return _("Fewer than {enough} users were tested: {too_few} what a step adds.").format(
            enough=ENOUGH, too_few=_(TOO_FEW)
        )
    said: dict[str, list[str]] = {"adds": [], "costs": [], "no proven difference": []}
    for row in named_rows(judged):
        title = step_title(row.step).lower()
        said[verdict(row.added, row.low, row.high)].append(
            _("the {title} ({added})").format(title=plain(title), added=_signed(row.added))
        )
    parts = []
    if said["adds"]:
        some = said["adds"]
        parts.append(ngettext("{some} adds", "{some} add", len(some)).format(some=series(some)))
    if said["costs"]:
        some = said["costs"]
        parts.append(ngettext("{some} costs", "{some} cost", len(some)).format(some=series(some)))
    if said["no proven difference"]:
        some = said["no proven difference"]
        parts.append(
            ngettext("{some} makes no proven difference", "{some} make no proven difference", len(some)).format(
                some=series(some)
            )
        )
    whole = semicolons(parts) or _("No stage could be judged: nobody has held-out interactions")
    return f"{full_stop(whole[0].upper() + whole[1:])}{_generated_against_mean(steps)}"


def _generated_against_mean(steps: pd.DataFrame) -> str:
    """Say what lists from virtual members reach against those from real ones: the profile's and generator's price."""
    values = steps.set_index("step")["value"]
    ours, mean = values.get("generator"), values.get("grouping")
    if ours is None or mean is None or pd.isna(ours - mean):
        return ""
    below = _(" Lists from virtual members reach {ours}, {by} below the members' mean.")
    above = _(" Lists from virtual members reach {ours}, {by} above the members' mean.")
    if score(ours) == score(mean):
        return _(" Lists from virtual members reach {ours}, as much as the members' mean.").format(ours=score(ours))
    return (below if ours < mean else above).format(ours=score(ours), by=score(abs(ours - mean)))


def split_answer(groups: pd.DataFrame) -> str:
    """Say which group would gain most by being split in two, of those where that is proven.

    Args:
        groups: name, measured_ndcg@10 with ``_low`` and ``_high``, predicted_ndcg@10.
    """
    measured = f"measured_{METRIC}"
    if groups[f"{measured}_low"].isna().all():
        return _("No group has {enough} tested members: {too_few} what a split would gain.").format(
            enough=ENOUGH, too_few=_(TOO_FEW)
        )
    proven = groups[groups[f"{measured}_low"] > 0]
    if proven.empty:
        return _("No group is proven to gain by being split in two.")
    best = highest(proven, measured)
    gain = difference(best[measured], best[f"{measured}_low"], best[f"{measured}_high"])
    others = (
        _("; so would {other_groups}").format(other_groups=plural(len(proven) - 1, "other group"))
        if len(proven) > 1
        else ""
    )
    return _("Split in two, **{name}** would gain most: {gain} measured, {best} predicted{others}.").format(
        name=plain(best["name"]), gain=gain, best=_signed(best[f"predicted_{METRIC}"]), others=others
    )


def strategies_answer(strategies: pd.DataFrame, chosen: str) -> str:
    """Say which aggregation strategy does best, what the run's own costs, and whether the choice matters.

    Args:
        strategies: strategy, title, value, low, high of one regime and metric, best first.
        chosen: the run's strategy.
    """
    best = strategies.iloc[0]
    near = int((strategies["value"] >= best["low"]).sum()) - 1
    own = strategies[strategies["strategy"] == chosen]
    price = ""
    if len(own) and own.iloc[0]["strategy"] != best["strategy"]:
        lost = best["value"] - own.iloc[0]["value"]
        price = _("; {title}, this run's, is {lost} below").format(title=plain(own.iloc[0]["title"]), lost=score(lost))
    others = len(strategies) - 1
    matters = (
        _("; {near} of the {others} others lie within its interval").format(near=near, others=others) if near else ""
    )
    if near == others > 0:
        matters = _("; all others lie within its interval, so the choice hardly matters here")
    return _("{title} does best with {value}{price}{matters}.").format(
        title=plain(best["title"]), value=score(best["value"]), price=price, matters=matters
    )


def fairness_answer(values: pd.DataFrame) -> str:
    """Say which users lists serve better or worse than all others, beyond chance.

    Args:
        values: attribute, value, mean, difference, p_adjusted of one regime and metric.
    """
    beyond = values[values["p_adjusted"] < LEVEL].sort_values("p_adjusted")
    looked = _("Of {attribute_values}").format(attribute_values=plural(len(values), "attribute value"))
    if len(values) and values["p_adjusted"].isna().all():
        return _(
            "{looked}, none has {enough} tested users and as many others: {too_few} whom the lists serve better."
        ).format(looked=looked, enough=ENOUGH, too_few=_(TOO_FEW))
    if beyond.empty:
        return _("{looked}, none is served better or worse than all other users beyond chance.").format(looked=looked)
    said = [
        (
            _("{attribute} {value} better ({mean} against {others_mean})")
            if row.difference > 0
            else _("{attribute} {value} worse ({mean} against {others_mean})")
        ).format(
            attribute=plain(attribute_title(row.attribute)),
            value=plain(attribute_value(row.attribute, row.value)),
            mean=score(row.mean),
            others_mean=score(row.mean - row.difference),
        )
        for row in named_rows(beyond.head(3))
    ]
    more = _(", and {n} more").format(n=len(beyond) - 3) if len(beyond) > 3 else ""
    return ngettext(
        "{looked}, {n} is served differently from all other users beyond chance: {said}{more}.",
        "{looked}, {n} are served differently from all other users beyond chance: {said}{more}.",
        len(beyond),
    ).format(looked=looked, n=len(beyond), said=series(said), more=more)


def popularity_answer(exposure: pd.DataFrame, regime: str) -> str:
    """Say how much lists favour popular items and how little of the catalogue they show."""
    shown = exposure[exposure["regime"] == regime].set_index(["measure", "value"])
    try:
        popular, coverage = row_at(shown, ("popularity", "")), row_at(shown, ("coverage", ""))
        head = row_at(shown, ("share", "head"))
    except KeyError:
        return ""
    return _(
        "Items on {shared} are {lift} times as popular as what people have: the most popular "
        "fifth of the catalogue makes up {in_lists} of what is listed and {in_histories} of what "
        "people have; {shown} of the catalogue is shown."
    ).format(
        shared=SHARED[regime],
        lift=ratio(1 + popular["lift"]),
        in_lists=percent(head["in_lists"]),
        in_histories=percent(head["in_histories"]),
        shown=percent(coverage["in_lists"]),
    )


def cold_users_answer(curves: Mapping[str, pd.DataFrame], ours: str, popular: str) -> str:
    """Say what people get of whom little is known, against one popular list.

    Args:
        curves: title -> count, value, ascending.
        ours, popular: the titles of this run's predictions and of the popular list.
    """
    own, floor = (curves[title].set_index("count")["value"] for title in (ours, popular))
    said = []
    for known in sorted({0, 1, int(own.index.max())} & set(own.index)):
        against = (
            _(" ({own} times one popular list)").format(own=ratio(own[known] / floor[known]))
            if floor[known] > 0
            else ""
        )
        items = _("no known item") if known == 0 else plural(known, "known item")
        said.append(_("{own} with {items}{against}").format(own=score(own[known]), items=items, against=against))
    return _("Personal predictions reach {said}.").format(said=series(said))


def cold_items_answer(items: pd.DataFrame) -> str:
    """Say how well items that nobody has taken yet are found.

    Args:
        items: among, method, value of one metric.
    """
    values = items.set_index(["among", "method"])["value"]
    found, chance = values[("cold items", "attributes")], values[("cold items", "random")]
    among_all = values.get(("catalogue", "attributes"))
    times = _(", {found} times chance").format(found=ratio(found / chance)) if chance > 0 else ""
    found_so = _("Ranked among themselves by what is known of them, they reach {found}{times}").format(
        found=score(found), times=times
    )
    if among_all is None:
        return full_stop(found_so)
    if among_all < 0.0005:
        return _("{found}; against the whole catalogue they reach nothing, so give them a place of their own.").format(
            found=found_so
        )
    return _("{found}; against the whole catalogue {among_all}.").format(found=found_so, among_all=score(among_all))


def repeats_answer(repeats: pd.DataFrame, allowed: bool) -> str:
    """Say what personal lists reach with new items only and with repeats, and which of the two this run lists.

    Args:
        repeats: task, method, value of one metric.
        allowed: whether this run lists what people have already.
    """
    values = repeats.set_index(["task", "method"])["value"]
    new, again = values.get(("new items", "individual")), values.get(("repeats allowed", "individual"))
    if new is None or again is None:
        return _("This run measured one of the two tasks only.")
    own = values.get(("repeats allowed", "own_frequency"))
    against = "" if own is None else _(" (what each person took most often: {own})").format(own=score(own))
    what = _("This run may list items again.") if allowed else _("This run lists new items only.")
    said = _("Personal lists of new items reach {new}; with repeats allowed they reach {again}{against}.")
    return passage(said.format(new=score(new), again=score(again), against=against), what)


def blend_answer(blend: Mapping[str, Any]) -> str:
    """Say what the blend of encoders reaches on the validation part, against the best of its members."""
    values = dict(blend.get("ndcg") or {})
    together = values.pop("blend", None)
    values.pop("start", None)  # which is a blend, too
    names = [name for name, weight in (blend.get("encoders") or {}).items() if weight]
    if together is None or not values:
        return _("There was no validation part to weigh the encoders by, so each counts the same.")
    best = max(values, key=lambda name: values[name])
    if names == [best] and score(together) == score(values[best]):
        return _("{best} counts alone, with {together} on the validation part: no other encoder adds to it.").format(
            best=encoder_title(best), together=score(together)
        )
    alone = _("its best member alone ({best}, {values})").format(best=encoder_title(best), values=score(values[best]))
    times = (
        _(", {together} times {alone}").format(together=ratio(together / values[best]), alone=alone)
        if values[best] > 0
        else ""
    )
    return ngettext(
        "Blended, {encoders} reaches {together} on the validation part{times}.",
        "Blended, {encoders} reach {together} on the validation part{times}.",
        len(names),
    ).format(encoders=plural(len(names), "encoder"), together=score(together), times=times)


def beside_answer(table: pd.DataFrame | None) -> str:
    """Say what every file beside the interactions adds; nothing of runs without such files.

    Args:
        table: "beside" of a run.
    """
    return passage(*(sentence(row) for row in named_rows(table))) if table is not None else ""


def trend_answer(blend: Mapping[str, Any]) -> str:
    """Say in words how much recent popularity counts, and what was taken at this time of last year."""
    season = blend.get("season") or 0.0
    said = _recent_answer(blend)
    if not season:
        return said
    more = _(
        "This time of last year counts: an item taken twice as often in {time} then as over all time has {power} times "
        "the odds."
    )
    return f"{said} {more.format(time=plural(round(blend['season_days']), 'day'), power=ratio(2**season))}"


def _recent_answer(blend: Mapping[str, Any]) -> str:
    half_life, power = blend.get("half_life"), blend.get("trend") or 0.0
    if not half_life or not power:
        return _("Recent popularity does not count: it did not help, or the data have no times.")
    time = plural(round(half_life), "day") if half_life >= 1 else plural(round(24 * half_life), "hour")
    return _(
        "Recent popularity counts: what happened {time} ago counts half, and an item "
        "taken twice as often of late as over all time has {power} times the odds."
    ).format(time=time, power=ratio(2**power))
