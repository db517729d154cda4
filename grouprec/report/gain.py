"""The gain in words: how many people find something, and what of it a better single list, groups and personal lists do.

Markdown, names already escaped. Tables: ``gain`` and ``gain_of_groups`` of a run (:mod:`grouprec.evaluate.gain`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from grouprec.core.tables import highest, row_at
from grouprec.evaluate.enough import enough, smoothed
from grouprec.evaluate.gain import GROUPS, MORE, PARTS, PERSONAL, POPULARITY, SINGLE_LIST
from grouprec.report.text import TOO_FEW, plural

HITS, NDCG = "hit_rate@10", "ndcg@10"
PEOPLE_HELP = (
    "Part of what people did was kept aside. They *find something* if one of the first ten items of their list is one "
    "that they then really took. In brackets: 95 % intervals; every part is measured on the same people as the part "
    "before it. *No measurable gain*: the interval reaches down to 0."
)
AXIS = "people of 100 who find something in their first ten"
TITLES = {
    POPULARITY: "One popular list for all",
    SINGLE_LIST: "A better single list",
    GROUPS: "Groups",
    PERSONAL: "Personal lists",
}
FLOORS = {  # the best single list for all, as a phrase
    "popularity": "what was popular over all time",
    "recent_popularity": "what is popular lately",
    "seasonal_popularity": "what was popular at this time of last year",
    "one_group": "what all people together are predicted to want",
}


@dataclass(frozen=True)
class Part:
    """One part: a share of people, -1 to 1, with its 95 % interval (NaN where it is not known)."""

    value: float
    low: float = float("nan")
    high: float = float("nan")

    @property
    def sign(self) -> int:
        """Return 1 for more, -1 for fewer, 0 where the interval does not say which; by value where there is none."""
        if pd.isna(self.low) or pd.isna(self.high):
            return (self.value > 0) - (self.value < 0)
        return (self.low > 0) - (self.high < 0)

    def shifted(self, by: float) -> Part:
        """Return the same part with ``by`` added to all its numbers."""
        return Part(self.value + by, self.low + by, self.high + by)


@dataclass(frozen=True)
class Split:
    """What personal lists reach, in four parts.

    Attributes:
        n_lists: the number of shared lists.
        floor_method: which list is the best single one; None in runs that did not look for it.
        few: fewer than 30 users were tested, so that nothing is claimed.
    """

    n_lists: int
    popularity: Part
    single_list: Part
    groups: Part
    personal: Part
    floor_method: str | None
    few: bool = False

    @property
    def floor(self) -> float:
        """Return what the best single list reaches."""
        return self.popularity.value + self.single_list.value

    @property
    def reached(self) -> float:
        """Return what the shared lists reach."""
        return self.floor + self.groups.value

    @property
    def individual(self) -> float:
        """Return what personal lists reach."""
        return self.reached + self.personal.value

    def parts(self) -> dict[str, Part]:
        """Return the parts by name, in the order in which they add up."""
        return dict(zip(PARTS, (self.popularity, self.single_list, self.groups, self.personal), strict=True))

    def moved(self, reached: float) -> Split:
        """Return the same with shared lists that reach something else, as where a curve was smoothed."""
        by = reached - self.reached
        return replace(self, groups=self.groups.shifted(by), personal=self.personal.shifted(-by))


def split_of(
    gain: pd.DataFrame | None, evaluation: pd.DataFrame, regime: str, method: str, n_lists: int
) -> Split | None:
    """Return the split of a run's own lists, by people with a hit; None where nothing was held out.

    Args:
        gain: the run's table; None in older runs, whose evaluation has the values without intervals.
        method: of the run's lists.
    """
    match = (evaluation["metric"] == HITS) & evaluation["value"].notna()
    rows = evaluation[match].set_index(["method", "regime"])
    if (method, regime) not in rows.index:
        return None
    own = row_at(rows, (method, regime))
    floor_method = floor_of(evaluation[evaluation["regime"] == regime])
    if gain is not None:
        return _from_rows(gain[gain["regime"] == regime], n_lists, floor_method)
    floor, individual, value = (float(own[name]) for name in ("floor", "individual", "value"))
    found = float(rows["value"].get(("popularity", regime), floor))
    return Split(n_lists, Part(found), Part(floor - found), Part(value - floor), Part(individual - value), floor_method)


def split_at(gain: pd.DataFrame | None, hits: pd.DataFrame, n: int) -> Split | None:
    """Return the split of a number of lists, smoothed over the numbers; None where hits were not measured.

    Args:
        gain: gain_of_groups in one regime; None in older runs.
        hits: the value of the run's own lists in that regime by people with a hit, ascending.
    """
    if hits.empty or n not in set(hits["n_groups"]):
        return None
    values = smoothed(hits).set_axis(hits["n_groups"])
    if gain is not None:
        return _from_rows(gain[gain["n_groups"] == n], n, floor_of(hits)).moved(float(values[n]))
    row = hits[hits["n_groups"] == n].iloc[0]
    groups, personal = Part(row["value"] - row["floor"]), Part(row["individual"] - row["value"])
    return Split(n, Part(row["floor"]), Part(0.0), groups, personal, floor_of(hits)).moved(float(values[n]))


def _from_rows(rows: pd.DataFrame, n_lists: int, floor_method: str | None) -> Split:
    own = rows[rows["metric"] == HITS].set_index("part")
    popularity, single_list, groups, personal = (_part(row_at(own, part)) for part in PARTS)
    if floor_method == POPULARITY:
        single_list = Part(0.0, 0.0, 0.0)  # the same list; an interval of that difference says nothing
    few = pd.isna(groups.low)  # no interval is claimed of fewer than 30 users
    return Split(n_lists, popularity, single_list, groups, personal, floor_method, few)


def _part(row: pd.Series) -> Part:
    return Part(float(row["value"]), float(row["low"]), float(row["high"]))


# -- sentences


def reached_answer(split: Split) -> str:
    """Say how many people of 100 find something with the lists."""
    with_lists = "this list" if split.n_lists == 1 else f"these {split.n_lists} lists"
    return f"With {with_lists}, {people(split.reached)} of 100 people find something they take in their first ten."


def parts_answer(split: Split) -> str:
    """Say what a better single list, groups and personal lists add, each with its interval."""
    if split.few:
        return f"Too few users were tested: {TOO_FEW} what a better single list, groups or personal lists add."
    said = [f"One popular list for all would do for {people(split.popularity.value)} of 100"]
    if split.floor_method == POPULARITY:
        said[0] += ", and no better single list was found"
    elif split.floor_method is not None:
        what = FLOORS.get(split.floor_method, split.floor_method)
        said.append(f"a better single list ({what}) {_adds(split.single_list)}")
    who = "this run's own list" if split.n_lists == 1 else f"{split.n_lists} groups"
    said.append(f"{who} {_adds(split.groups, 's' if split.n_lists == 1 else '')}")
    return f"{'; '.join(said)}. {_personal(split)}{_older(split)}"


def _adds(part: Part, ending: str = "s") -> str:
    if part.sign == 0:
        return f"add{ending} {'no measurable gain' if part.value else 'nothing'}{_bracket(part)}"
    return f"{'add' if part.sign > 0 else 'cost'}{ending} **{people(abs(part.value))}**{_bracket(part)}"


def _personal(split: Split) -> str:
    part = split.personal
    if part.sign == 0:
        return f"A list of everyone's own would add no measurable gain{_bracket(part)}."
    more = "more" if part.sign > 0 else "fewer"
    return f"With a list of their own, **{people(abs(part.value))} {more}**{_bracket(part)} would."


def _bracket(part: Part) -> str:
    """Return `` (6 to 12)`` where there is an interval; signs as the part's words have them."""
    if pd.isna(part.low) or pd.isna(part.high) or part.value == 0:
        return ""
    ends = sorted((-part.low, -part.high)) if part.sign < 0 else (part.low, part.high)
    return f" ({people(ends[0])} to {people(ends[1])})"


def _older(split: Split) -> str:
    if split.floor_method is not None:
        return ""
    return " This run looked for no better single list, so what one would do counts as the groups' here."


def people(share: float) -> str:
    """Return how many of 100 people a share is: whole, with a decimal below ten where it says something."""
    whole = f"{100 * share:.0f}" if abs(share) >= 0.0995 else f"{100 * share:.1f}".removesuffix(".0")
    return "0" if whole in ("-0", "0") else whole.replace("-", "−")


# -- the floor


def floor_of(rows: pd.DataFrame) -> str | None:
    """Return which list is the floor of a table's shared lists; None in runs that are older than the choice of it."""
    if "floor_method" not in rows:
        return None
    known = rows.loc[rows["floor_method"].notna(), "floor_method"]
    return str(known.iloc[0]) if len(known) else None


def floor_title(method: str | None) -> str:
    """Return what the floor is called where it is drawn."""
    return "One popular list for all" if method is None else "One good list for all"


def floor_words(method: str | None) -> str:
    """Say what the floor is, in a sentence that begins with its title."""
    if method is None:
        return (
            "**One popular list for all**: what was popular over all time. This run is older than the search for a "
            "better single list, so groups are credited here with what, say, recency does."
        )
    return (
        f"**One good list for all**: {FLOORS.get(method, method)}, the best single list that earlier parts of the data "
        "chose."
    )


# -- how many lists are enough


def judged(curve: pd.DataFrame, hits: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the curve that says how many lists are enough, and its metric: people with a hit, as every sentence here.

    Args:
        curve: the value of the run's own lists by nDCG; what is left to judge by where hits were not measured.
        hits: the same by people with a hit; may be empty.
    """
    return (hits, HITS) if len(hits) else (curve, NDCG)


def lists_answer(
    curve: pd.DataFrame, hits: pd.DataFrame, steps: pd.DataFrame | None, split: Split | None, n: int
) -> str:
    """Say how many lists are enough, what they do for people, and what the number that is looked at does.

    Args:
        curve, hits, steps: as in :func:`enough_answer`.
        split: of ``n``; None where hits were not measured.
        n: a number of lists that was measured; 0 for personal lists.
    """
    if split is not None and split.few:
        return f"{reached_answer(split)} Too few people were tested to tell how many lists are enough."
    said = enough_answer(curve, hits, steps)
    if n in (enough(judged(curve, hits)[0]), 0):
        return said
    return f"{said} {number_answer(curve, hits, steps, n)}"


def enough_answer(curve: pd.DataFrame, hits: pd.DataFrame, steps: pd.DataFrame | None) -> str:
    """Say how many lists are enough, and what one list, they, and personal lists do for people.

    Args:
        curve: n_groups, value, low, high, floor and individual by nDCG, ascending, no value missing.
        hits: the same by people with a hit; may be empty.
        steps: gain_of_groups in the same regime; None in older runs.
    """
    curve, metric = judged(curve, hits)
    one = floor_title(floor_of(curve))
    if not beats_floor(curve, steps, metric):
        said = f"{one} is enough: no number of lists is measurably better."
        return f"{said} {_reach(one, curve)}." if metric == HITS else said
    least, found = enough(curve), _found(hits)
    said = f"{plural(least, 'list')} {'is' if least == 1 else 'are'} enough"
    if least not in found:
        return f"{said}: more of them bring no measurable gain."
    reached = f"{plural(least, 'list')} {'reaches' if least == 1 else 'reach'} {people(found[least])}"
    return f"{said}. {_reach(one, curve, reached)}."


def _reach(one: str, hits: pd.DataFrame, *more: str) -> str:
    """Say of how many people of 100 find something with one list, with some lists, and with their own."""
    ends = hits.iloc[0][["floor", "individual"]]
    first = f"{one.removesuffix(' for all')} reaches {people(ends['floor'])} of 100 people with something they take"
    return "; ".join([first, *more, f"a list for everyone {people(ends['individual'])}"])


def beats_floor(curve: pd.DataFrame, steps: pd.DataFrame | None, metric: str) -> bool:
    """Return whether the best number of lists is better than the best single list by more than chance, by a metric.

    Older runs did not pair them over users: there the value has to be higher.
    """
    best = highest(curve, "value")
    if steps is None:
        return bool(best["value"] > best["floor"])
    match = (steps["n_groups"] == best["n_groups"]) & (steps["part"] == GROUPS) & (steps["metric"] == metric)
    return bool((steps.loc[match, "low"] > 0).any())


def number_answer(curve: pd.DataFrame, hits: pd.DataFrame, steps: pd.DataFrame | None, n: int) -> str:
    """Say what another number of lists does, and what the next larger number would add.

    Args:
        curve, hits: as in :func:`enough_answer`; ``n`` is among their numbers.
        steps: gain_of_groups in the same regime; None in older runs.
    """
    (curve, metric), found = judged(curve, hits), _found(hits)
    larger = curve.loc[curve["n_groups"] > n, "n_groups"]
    said = (
        f"With {n} it is {people(found[n])}" if n in found else f"{plural(n, 'list').capitalize()} were measured, too"
    )
    if larger.empty:
        return f"{said}."
    following = int(larger.iloc[0])
    change = _change(curve, steps, metric, n, following)
    if change == 0 and following <= enough(curve):  # the rule takes them all the same: one error is less than proof
        more = "one more helps" if following == n + 1 else f"{following - n} more help"
        return f"{said}; whether {more} is not certain."
    return f"{said}; {step(following - n, change, found, n, following)}."


def step(more: int, sign: int, found: Mapping[int, float], n: int, following: int) -> str:
    """Return ``one more adds no measurable gain``, ``8 more find something for 2.1 people more``.

    Args:
        sign: of the change beyond its interval: 1, -1, or 0 where there is none.
        found: number of lists -> share of people with a hit, smoothed; may be empty.
    """
    who, ending = ("one more", "s") if more == 1 else (f"{more} more", "")
    if sign == 0:
        return f"{who} add{ending} no measurable gain"
    if n not in found or following not in found:
        return f"{who} {'help' if sign > 0 else 'harm'}{ending}"
    change = found[following] - found[n]
    if sign * change < 0.0005:  # smoothed away: a step up that the one before it, or the next, takes back
        return f"{who} add{ending} no measurable gain"
    return f"{who} {'add' if sign > 0 else 'cost'}{ending} {people(abs(change))}"


def _found(hits: pd.DataFrame) -> dict[int, float]:
    """Return number of lists -> share of people with a hit, smoothed."""
    return dict(zip(hits["n_groups"].astype(int).tolist(), smoothed(hits).tolist(), strict=True)) if len(hits) else {}


def _change(curve: pd.DataFrame, steps: pd.DataFrame | None, metric: str, n: int, following: int) -> int:
    """Return whether the next number is better (1), worse (-1), or neither beyond the 95 % interval (0), by a metric.

    In runs that did not pair numbers over users, intervals have to lie apart.
    """
    if steps is not None:
        rows = steps[(steps["n_groups"] == n) & (steps["part"] == MORE) & (steps["metric"] == metric)]
        return _part(rows.iloc[0]).sign if len(rows) else 0
    one, other = (curve[curve["n_groups"] == at].iloc[0] for at in (n, following))
    return int(other["low"] > one["high"]) - int(other["high"] < one["low"])


def steps_of(split: Split) -> pd.DataFrame:
    """Return the parts as steps of a picture, in people of 100: title, value (so far), added (NaN first), low, high."""
    parts = split.parts()
    sign = {name: "+" * (name != POPULARITY and part.value > 0) for name, part in parts.items()}
    frame = pd.DataFrame(
        {
            "title": [f"{TITLES[name]}: {sign[name]}{people(part.value)}" for name, part in parts.items()],
            **{name: [100 * getattr(part, name) for part in parts.values()] for name in ("value", "low", "high")},
        }
    )
    frame = frame.assign(added=frame["value"], value=frame["value"].cumsum())
    frame.loc[0, ["added", "low", "high"]] = float("nan")
    return frame


def as_table(split: Split) -> pd.DataFrame:
    """Return the parts as a table for people, in people of 100."""
    parts = split.parts()
    numbers = {"People of 100": "value", "At least": "low", "At most": "high"}
    columns = {title: [100 * getattr(part, name) for part in parts.values()] for title, name in numbers.items()}
    return pd.DataFrame({"Part": [TITLES[name] for name in parts], **columns})
