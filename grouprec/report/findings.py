"""The sentences that begin the parts of the evidence, made from a run's tables. Markdown, names already escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from grouprec.core.tables import highest, lowest, named_rows, row_at
from grouprec.ranking.statistics import ENOUGH, LEVEL
from grouprec.report.sentences import METRIC, encoder_title
from grouprec.report.text import TOO_FEW, count, difference, number, percent, plain, plural, ratio, score

STEPS = {
    "popularity": "Popular items",
    "encoder": "Encoder",
    "blend": "Blend",
    "grouping": "Grouping",
    "profile": "Profile",
    "generator": "Generator",
}
SHARED = {"strict": "the shared lists", "dedup": "the shared rankings"}


def step_title(step: object) -> str:
    """Return what a step is called; its own name where it has no title."""
    return STEPS.get(str(step), str(step))


def verdict(value: float, low: float, high: float) -> str:
    """Return what a difference and its 95 % interval say; nothing where there is no difference."""
    if pd.isna(value):
        return ""
    if pd.isna(low) or pd.isna(high):
        return TOO_FEW
    return "adds" if low > 0 else "costs" if high < 0 else "no proven difference"


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "−")


def _and(parts: list[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def takes_answer(takes: Mapping[str, Any] | None) -> str:
    """Say whether as many items were taken as expected, and what a forecast would have missed by.

    Args:
        takes: of the run's summary; older runs have none.
    """
    if not takes:
        return ""
    listed = takes["lists"]["strict"]
    said = (
        f"Expected takes: in {takes['words']}, the ten items of the shared lists should have been taken "
        f"{count(listed['expected'])} times, and were {count(listed['taken'])} times. Over all predictions, expected "
        f"and real takes differ by {percent(takes['gap'])} in the worst tenth. What is expected of a user is learned "
        "from others."
    )
    if not takes.get("foretold"):
        return said
    ratio_before = takes["foretold"] / max(takes["taken"], 1) - 1
    if abs(ratio_before) < 0.005:
        return f"{said} The part before foretold as many."
    word = "more" if ratio_before > 0 else "fewer"
    return f"{said} The part before foretold {percent(abs(ratio_before))} {word}: another time may differ as much."


def steps_answer(steps: pd.DataFrame) -> str:
    """Say which stages add to the lists, which cost, and which make no proven difference.

    Args:
        steps: step, value, added, low, high of one regime and metric.
    """
    judged = steps.dropna(subset="added").sort_values("added", ascending=False)
    if len(judged) and judged[["low", "high"]].isna().all(axis=None):
        return f"Fewer than {ENOUGH} users were tested: {TOO_FEW} what a step adds."
    said: dict[str, list[str]] = {"adds": [], "costs": [], "no proven difference": []}
    for row in named_rows(judged):
        title = step_title(row.step).lower()
        said[verdict(row.added, row.low, row.high)].append(f"the {plain(title)} ({_signed(row.added)})")
    parts = []
    if said["adds"]:
        parts.append(f"{_and(said['adds'])} {'adds' if len(said['adds']) == 1 else 'add'}")
    if said["costs"]:
        parts.append(f"{_and(said['costs'])} {'costs' if len(said['costs']) == 1 else 'cost'}")
    if said["no proven difference"]:
        some = said["no proven difference"]
        parts.append(f"{_and(some)} {'makes' if len(some) == 1 else 'make'} no proven difference")
    sentence = "; ".join(parts) or "No stage could be judged: nobody has held-out interactions"
    return f"{sentence[0].upper()}{sentence[1:]}.{_generated_against_mean(steps)}"


def _generated_against_mean(steps: pd.DataFrame) -> str:
    """Say what lists from virtual members reach against those from real ones: the profile's and generator's price."""
    values = steps.set_index("step")["value"]
    ours, mean = values.get("generator"), values.get("grouping")
    if ours is None or mean is None or pd.isna(ours - mean):
        return ""
    word = "below" if ours - mean < 0 else "above"
    return f" Lists from virtual members reach {score(ours)}, {score(abs(ours - mean))} {word} the members' mean."


def split_answer(groups: pd.DataFrame) -> str:
    """Say which group would gain most by being split in two, of those where that is proven.

    Args:
        groups: name, measured_ndcg@10 with ``_low`` and ``_high``, predicted_ndcg@10.
    """
    measured = f"measured_{METRIC}"
    if groups[f"{measured}_low"].isna().all():
        return f"No group has {ENOUGH} tested members: {TOO_FEW} what a split would gain."
    proven = groups[groups[f"{measured}_low"] > 0]
    if proven.empty:
        return "No group is proven to gain by being split in two."
    best = highest(proven, measured)
    gain = difference(best[measured], best[f"{measured}_low"], best[f"{measured}_high"])
    others = f"; so would {plural(len(proven) - 1, 'other group')}" if len(proven) > 1 else ""
    return (
        f"Split in two, **{plain(best['name'])}** would gain most: {gain} measured, "
        f"{_signed(best[f'predicted_{METRIC}'])} predicted{others}."
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
        price = f"; {plain(own.iloc[0]['title'])}, this run's, is {score(lost)} below"
    others = len(strategies) - 1
    matters = f"; {near} of the {others} others lie within its interval" if near else ""
    if near == others > 0:
        matters = "; all others lie within its interval, so the choice hardly matters here"
    return f"{plain(best['title'])} does best with {score(best['value'])}{price}{matters}."


def fairness_answer(values: pd.DataFrame) -> str:
    """Say which users lists serve better or worse than all others, beyond chance.

    Args:
        values: attribute, value, mean, difference, p_adjusted of one regime and metric.
    """
    beyond = values[values["p_adjusted"] < LEVEL].sort_values("p_adjusted")
    looked = f"Of {plural(len(values), 'attribute value')}"
    if len(values) and values["p_adjusted"].isna().all():
        return f"{looked}, none has {ENOUGH} tested users and as many others: {TOO_FEW} whom the lists serve better."
    if beyond.empty:
        return f"{looked}, none is served better or worse than all other users beyond chance."
    said = [
        f"{plain(str(row.attribute).replace('_', ' '))} {plain(row.value)} "
        f"{'better' if row.difference > 0 else 'worse'} ({score(row.mean)} against {score(row.mean - row.difference)})"
        for row in named_rows(beyond.head(3))
    ]
    more = f", and {len(beyond) - 3} more" if len(beyond) > 3 else ""
    verb = "is" if len(beyond) == 1 else "are"
    return f"{looked}, {len(beyond)} {verb} served differently from all other users beyond chance: {_and(said)}{more}."


def popularity_answer(exposure: pd.DataFrame, regime: str) -> str:
    """Say how much lists favour popular items and how little of the catalogue they show."""
    shown = exposure[exposure["regime"] == regime].set_index(["measure", "value"])
    try:
        popular, coverage = row_at(shown, ("popularity", "")), row_at(shown, ("coverage", ""))
        head = row_at(shown, ("share", "head"))
    except KeyError:
        return ""
    return (
        f"Items on {SHARED[regime]} are {ratio(1 + popular['lift'])} times as popular as what people have: "
        f"the most popular fifth of the catalogue makes up {percent(head['in_lists'])} of what is listed and "
        f"{percent(head['in_histories'])} of what people have; {percent(coverage['in_lists'])} of the catalogue is "
        "shown."
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
        against = f" ({ratio(own[known] / floor[known])} times one popular list)" if floor[known] > 0 else ""
        items = "no known item" if known == 0 else plural(known, "known item")
        said.append(f"{score(own[known])} with {items}{against}")
    return f"Personal predictions reach {_and(said)}."


def cold_items_answer(items: pd.DataFrame) -> str:
    """Say how well items that nobody has taken yet are found.

    Args:
        items: among, method, value of one metric.
    """
    values = items.set_index(["among", "method"])["value"]
    found, chance = values[("cold items", "attributes")], values[("cold items", "random")]
    among_all = values.get(("catalogue", "attributes"))
    times = f", {ratio(found / chance)} times chance" if chance > 0 else ""
    sentence = f"Ranked among themselves by what is known of them, they reach {score(found)}{times}"
    if among_all is None:
        return f"{sentence}."
    if among_all < 0.0005:
        return f"{sentence}; against the whole catalogue they reach nothing, so give them a place of their own."
    return f"{sentence}; against the whole catalogue {score(among_all)}."


def repeats_answer(repeats: pd.DataFrame, allowed: bool) -> str:
    """Say what personal lists reach with new items only and with repeats, and which of the two this run lists.

    Args:
        repeats: task, method, value of one metric.
        allowed: whether this run lists what people have already.
    """
    values = repeats.set_index(["task", "method"])["value"]
    new, again = values.get(("new items", "individual")), values.get(("repeats allowed", "individual"))
    if new is None or again is None:
        return "This run measured one of the two tasks only."
    own = values.get(("repeats allowed", "own_frequency"))
    against = "" if own is None else f" (what each person took most often: {score(own)})"
    what = "may list items again" if allowed else "lists new items only"
    return (
        f"Personal lists of new items reach {score(new)}; with repeats allowed they reach {score(again)}{against}. "
        f"This run {what}."
    )


def blend_answer(blend: Mapping[str, Any]) -> str:
    """Say what the blend of encoders reaches on the validation part, against the best of its members."""
    values = dict(blend.get("ndcg") or {})
    together = values.pop("blend", None)
    used = sum(1 for weight in (blend.get("encoders") or {}).values() if weight)
    if together is None or not values:
        return "There was no validation part to weigh the encoders by, so each counts the same."
    best = max(values, key=lambda name: values[name])
    alone = f"its best member alone ({encoder_title(best)}, {score(values[best])})"
    times = f", {ratio(together / values[best])} times {alone}" if values[best] > 0 else ""
    reach = "reaches" if used == 1 else "reach"
    return f"Blended, {plural(used, 'encoder')} {reach} {score(together)} on the validation part{times}."


def trend_answer(blend: Mapping[str, Any]) -> str:
    """Say in words how much recent popularity counts."""
    half_life, power = blend.get("half_life"), blend.get("trend") or 0.0
    if not half_life or not power:
        return "Recent popularity does not count: it did not help, or the data have no times."
    return (
        f"Recent popularity counts: what happened {number(half_life)} days ago counts half, and an item taken twice as "
        f"often of late as over all time has {ratio(2**power)} times the odds."
    )


# -- groups and runs side by side


def groups_answer(grid: pd.DataFrame, ours: str, rivals: Sequence[str] = ()) -> str:
    """Say which group the run's lists serve best and which least, and in how many groups no other lists do better.

    Args:
        grid: n_test_users, name and columns of values, a row per group; groups of very few tested members do not
            count.
        ours: the column of the run's own lists.
        rivals: the columns of other shared lists.
    """
    known = grid[grid[ours].notna()]
    if known.empty:
        return "No group was measured: nobody in them has held-out interactions."
    known = known[known["n_test_users"] >= ENOUGH]
    if known.empty:
        return f"No group has {ENOUGH} tested members: {TOO_FEW} which the shared lists serve best."
    best, least = highest(known, ours), lowest(known, ours)
    said = f"The shared lists serve **{plain(best['name'])}** best ({score(best[ours])})"
    said += f" and **{plain(least['name'])}** least ({score(least[ours])})." if len(known) > 1 else "."
    if not rivals:
        return said
    ahead = int((known[ours] >= known[list(rivals)].max(axis=1)).sum())
    return f"{said} In {ahead} of {plural(len(known), 'group')} no other shared list does better."


def runs_answer(runs: pd.DataFrame, column: str) -> str:
    """Say which run keeps most of the possible gain.

    Args:
        runs: rows of runs with their title (Run) and ``column``, the share of the possible gain.
    """
    known = runs[runs[column].notna()]
    if known.empty:
        return "None of these runs has an evaluation of shared lists."
    best = highest(known, column)
    name, share = plain(best["Run"]), percent(best[column])
    if len(runs) == 1:
        return f"**{name}** keeps {share} of the possible gain."
    return f"Of {plural(len(runs), 'run')}, **{name}** keeps most of the possible gain: {share}."


def places_answer(methods: pd.DataFrame) -> str:
    """Say which shared lists stand highest over the runs.

    Args:
        methods: Method and Mean place, best first, then a column per run.
    """
    if methods.empty:
        return "None of these runs evaluated the methods chosen."
    best, n_runs = methods.iloc[0], methods.shape[1] - 2
    over = "in this run" if n_runs == 1 else f"over {plural(n_runs, 'run')}"
    return f"**{plain(best['Method'])}** stands highest {over}: mean place {number(best['Mean place'])}."


def cost_answer(costs: pd.DataFrame) -> str:
    """Say which encoder alone reaches most, at which cost, and which is the cheapest within its interval.

    Args:
        costs: title, seconds, value, low, high of encoders alone, of one run.
    """
    best = highest(costs, "value")
    said = f"Alone, {plain(best['title'])} reaches most: {score(best['value'])} after {seconds(best['seconds'])}"
    near = costs[(costs["value"] >= best["low"]) | (costs.index == best.name)]
    cheapest = lowest(near, "seconds")
    if cheapest["title"] == best["title"]:
        return f"{said}; none that is cheaper comes within its interval."
    return (
        f"{said}; {plain(cheapest['title'])} comes within its interval ({score(cheapest['value'])}) "
        f"after {seconds(cheapest['seconds'])}."
    )


def seconds(value: float) -> str:
    """Return ``2.6 seconds``, ``4 minutes``."""
    return f"{number(value)} seconds" if value < 100 else f"{number(value / 60)} minutes"
