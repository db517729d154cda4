"""The gain in words: how many people find something, and what of it a better single list, groups and personal lists do.

Markdown, names already escaped. Tables: ``gain`` and ``gain_of_groups`` of a run (:mod:`grouprec.evaluate.gain`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from grouprec.core.language import N_, Glossary, _, full_stop, ngettext, passage, semicolons
from grouprec.core.tables import row_at
from grouprec.evaluate.enough import smoothed
from grouprec.evaluate.gain import GROUPS, PARTS, PERSONAL, POPULARITY, SINGLE_LIST
from grouprec.report.text import TOO_FEW

HITS, NDCG = "hit_rate@10", "ndcg@10"
PEOPLE_HELP = N_(
    "Part of what people did was kept aside. They *find something* if one of the "
    "first ten items of their list is one that they then really took. In brackets: "
    "95 % intervals; every part is measured on the same people as the part before "
    "it. *No measurable gain*: the interval reaches down to 0."
)
AXIS = N_("people of 100 who find something in their first ten")
TITLES = Glossary(
    {
        POPULARITY: "One popular list for all",
        SINGLE_LIST: "One good list for all",
        GROUPS: "Groups",
        PERSONAL: "Personal lists",
    }
)
FLOORS = Glossary(
    {  # the best single list for all, as a phrase
        "popularity": "what was popular over all time",
        "recent_popularity": "what is popular lately",
        "seasonal_popularity": "what was popular at this time of last year",
        "one_group": "what all people together are predicted to want",
    }
)


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
    gain: pd.DataFrame | None,
    value: pd.DataFrame | None,
    evaluation: pd.DataFrame,
    regime: str,
    method: str,
    n_lists: int,
) -> Split | None:
    """Return the split of a run's own lists, by people with a hit; None where nothing was held out.

    Where other numbers of lists were measured, too, it is smoothed over them, so that a run says one number everywhere.

    Args:
        gain, value: the run's tables; None in older runs, whose evaluation has the values without intervals.
        method: of the run's lists.
    """
    match = (evaluation["metric"] == HITS) & evaluation["value"].notna()
    rows = evaluation[match].set_index(["method", "regime"])
    if (method, regime) not in rows.index:
        return None
    floor_method = floor_of(evaluation[evaluation["regime"] == regime])
    measured = None if gain is None else gain[gain["regime"] == regime]
    if measured is not None and len(measured):
        split = _from_rows(measured, n_lists, floor_method)
    else:
        own = row_at(rows, (method, regime))
        floor, individual, found = (float(own[name]) for name in ("floor", "individual", "value"))
        popular = float(rows["value"].get(("popularity", regime), floor))
        steps = Part(popular), Part(floor - popular), Part(found - floor), Part(individual - found)
        split = Split(n_lists, *steps, floor_method)
    return split.moved(_smoothed_over(value, regime, method).get(n_lists, split.reached))


def _smoothed_over(value: pd.DataFrame | None, regime: str, method: str) -> dict[int, float]:
    """Return the people with a hit by the number of lists, without what is chance; empty where nobody measured it."""
    if value is None:
        return {}
    own = own_numbers(value, regime, method)
    hits = own[own["metric"] == HITS]
    return dict(zip(hits["n_groups"].astype(int).tolist(), smoothed(hits).tolist(), strict=True)) if len(hits) else {}


def own_numbers(value: pd.DataFrame, regime: str, method: str) -> pd.DataFrame:
    """Return the rows of ``value_of_groups`` of one kind of list in one use of lists, all metrics, ascending."""
    own = value[(value["method"] == method) & (value["regime"] == regime)]
    return own.dropna(subset="value").sort_values("n_groups", ignore_index=True)


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
    floor, individual, found = (float(row[name]) for name in ("floor", "individual", "value"))
    groups, personal = Part(found - floor), Part(individual - found)
    return Split(n, Part(floor), Part(0.0), groups, personal, floor_of(hits)).moved(float(values[n]))


def _from_rows(rows: pd.DataFrame, n_lists: int, floor_method: str | None) -> Split:
    own = rows[rows["metric"] == HITS].set_index("part")
    popularity, single_list, groups, personal = (part_of(row_at(own, part)) for part in PARTS)
    if floor_method == POPULARITY:
        single_list = Part(0.0, 0.0, 0.0)  # the same list; an interval of that difference says nothing
    few = pd.isna(groups.low)  # no interval is claimed of fewer than 30 users
    return Split(n_lists, popularity, single_list, groups, personal, floor_method, few)


def part_of(row: pd.Series) -> Part:
    return Part(float(row["value"]), float(row["low"]), float(row["high"]))


# -- sentences


def reached_answer(split: Split) -> str:
    """Say how many people of 100 find something with the lists."""
    with_lists = _("this list") if split.n_lists == 1 else _("these {n_lists} lists").format(n_lists=split.n_lists)
    return _("With {with_lists}, {reached} of 100 people find something they take in their first ten.").format(
        with_lists=with_lists, reached=people(split.reached)
    )


def against_one(split: Split) -> str:
    """Say how many people of 100 find something with the lists, and how many with the best single one."""
    if split.few or split.n_lists == 1:
        return reached_answer(split)
    return _(
        "These {n_lists} lists reach {reached} of 100 people with something they take, one good list reaches {floor}."
    ).format(n_lists=split.n_lists, reached=people(split.reached), floor=people(split.floor))


def parts_answer(split: Split) -> str:
    """Say what a better single list, groups and personal lists add, each with its interval."""
    if split.few:
        return _(
            "Too few users were tested: {too_few} what a better single list, groups or personal lists add."
        ).format(too_few=_(TOO_FEW))
    found = people(split.popularity.value)
    said = [_("One popular list for all would do for {found} of 100").format(found=found)]
    if split.floor_method == POPULARITY:
        said = [
            _("One popular list for all would do for {found} of 100, and no better single list was found").format(
                found=found
            )
        ]
    elif split.floor_method is not None:
        what = FLOORS.get(split.floor_method, split.floor_method)
        said.append(_adds(_("one good list ({what})").format(what=what), split.single_list, 1))
    who = _("this run's own list") if split.n_lists == 1 else _("{n_lists} groups").format(n_lists=split.n_lists)
    said.append(_adds(who, split.groups, split.n_lists))
    return passage(full_stop(semicolons(said)), _personal(split)) + _older(split)


def _adds(who: str, part: Part, n: int) -> str:
    """Say what a part adds; ``n`` is how many ``who`` are."""
    told = {"who": who, "people": people(abs(part.value)), "interval": _bracket(part)}
    if part.sign > 0:
        return ngettext("{who} adds **{people}**{interval}", "{who} add **{people}**{interval}", n).format(**told)
    if part.sign < 0:
        return ngettext("{who} costs **{people}**{interval}", "{who} cost **{people}**{interval}", n).format(**told)
    if not part.value:
        return ngettext("{who} adds nothing{interval}", "{who} add nothing{interval}", n).format(**told)
    return ngettext("{who} adds no measurable gain{interval}", "{who} add no measurable gain{interval}", n).format(
        **told
    )


def _personal(split: Split) -> str:
    part = split.personal
    if part.sign == 0:
        return _("A list of everyone's own would add no measurable gain{part}.").format(part=_bracket(part))
    more = _("With a list of their own, **{value} more**{part} would.")
    fewer = _("With a list of their own, **{value} fewer**{part} would.")
    return (more if part.sign > 0 else fewer).format(value=people(abs(part.value)), part=_bracket(part))


def _bracket(part: Part) -> str:
    """Return `` (6 to 12)`` where there is an interval; signs as the part's words have them."""
    if pd.isna(part.low) or pd.isna(part.high) or part.value == 0:
        return ""
    ends = sorted((-part.low, -part.high)) if part.sign < 0 else (part.low, part.high)
    return _(" ({low} to {high})").format(low=people(ends[0]), high=people(ends[1]))


def _older(split: Split) -> str:
    if split.floor_method is not None:
        return ""
    return _(" This run looked for no better single list, so what one would do counts as the groups' here.")


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
    return _("One popular list for all") if method is None else _("One good list for all")


def floor_words(method: str | None) -> str:
    """Say what the floor is, in a sentence that begins with its title."""
    if method is None:
        return _(
            "**One popular list for all**: what was popular over all time. This run is older than the search for a "
            "better single list, so groups are credited here with what, say, recency does."
        )
    return _("**One good list for all**: {floors}, the best single list that earlier parts of the data chose.").format(
        floors=FLOORS.get(method, method)
    )


def steps_of(split: Split) -> pd.DataFrame:
    """Return the parts as steps of a picture, in people of 100: title, value (so far), added (NaN first), low, high."""
    parts = split.parts()
    sign = {name: "+" * (name != POPULARITY and part.value > 0) for name, part in parts.items()}
    frame = pd.DataFrame(
        {
            "title": [
                _("{title}: {value}").format(title=TITLES[name], value=f"{sign[name]}{people(part.value)}")
                for name, part in parts.items()
            ],
            **{name: [100 * getattr(part, name) for part in parts.values()] for name in ("value", "low", "high")},
        }
    )
    frame = frame.assign(added=frame["value"], value=frame["value"].cumsum())
    frame.loc[0, ["added", "low", "high"]] = float("nan")
    return frame


def as_table(split: Split) -> pd.DataFrame:
    """Return the parts as a table for people, in people of 100."""
    parts = split.parts()
    numbers = {N_("People of 100"): "value", N_("At least"): "low", N_("At most"): "high"}
    columns = {title: [100 * getattr(part, name) for part in parts.values()] for title, name in numbers.items()}
    return pd.DataFrame({N_("Part"): [TITLES[name] for name in parts], **columns})
