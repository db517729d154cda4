"""How many lists are enough, in words: by nDCG, as where a run chooses its number itself; told in people with a hit."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from grouprec.core.language import _, full_stop, ngettext, passage, semicolons
from grouprec.core.tables import highest
from grouprec.evaluate.enough import enough, smoothed
from grouprec.evaluate.gain import GROUPS, MORE
from grouprec.report.gain import NDCG, Split, floor_of, floor_title, part_of, people, reached_answer
from grouprec.report.text import percent, plural

MOST = 2 / 3  # of what the best number of lists adds


def lists_answer(
    curve: pd.DataFrame, hits: pd.DataFrame, steps: pd.DataFrame | None, split: Split | None, n: int
) -> tuple[str, str]:
    """Say how many lists are enough and what the chosen number does for people; and, below that, what others do.

    Args:
        curve, hits, steps: as in :func:`enough_answer`.
        split: of ``n``; None where hits were not measured.
        n: a number of lists that was measured; 0 for personal lists.
    """
    if split is not None and split.few:
        few = _("{split} Too few people were tested to tell how many lists are enough.")
        return few.format(split=reached_answer(split)), ""
    said = _verdict(curve, hits, steps, n)
    others = "" if n in (enough(curve), 0) else number_answer(curve, hits, steps, n)
    return said, passage(_fewer(curve, hits, steps), others)


def number(curve: pd.DataFrame, steps: pd.DataFrame | None, split: Split | None) -> int | None:
    """Return the number of lists that :func:`lists_answer` calls enough, for what stands beside it; None for none.

    Args:
        curve, steps, split: as there.
    """
    if (split is not None and split.few) or not beats_floor(curve, steps):
        return None
    return enough(curve)


def enough_answer(curve: pd.DataFrame, hits: pd.DataFrame, steps: pd.DataFrame | None) -> str:
    """Say how many lists are enough, and what one list, they, and personal lists do for people.

    Args:
        curve: n_groups, value, low, high, floor and individual by nDCG, ascending, no value missing.
        hits: the same by people with a hit; may be empty.
        steps: gain_of_groups in the same regime; None in older runs.
    """
    return passage(_verdict(curve, hits, steps, 0), _fewer(curve, hits, steps))


def _verdict(curve: pd.DataFrame, hits: pd.DataFrame, steps: pd.DataFrame | None, n: int) -> str:
    """Say how many lists are enough, and of how many people one list, ``n`` (0: these) and personal ones reach."""
    one, found = floor_title(floor_of(curve)), _found(hits)
    if not beats_floor(curve, steps):
        said = _("{one} is enough: no number of lists is measurably better.").format(one=one)
        return passage(said, _reach(one, hits, *([_reached(n, found)] if n in found else [])) if len(hits) else "")
    least = enough(curve)
    lists = plural(least, "list")
    said = ngettext("{lists} is enough", "{lists} are enough", least).format(lists=lists)
    if rising := still_rising(least, curve):
        said = _("{lists} are best, and no more were tried").format(lists=lists)
    if least not in found:
        return full_stop(said) if rising else _("{said}: more of them bring no measurable gain.").format(said=said)
    return passage(full_stop(said), _reach(one, hits, _reached(n or least, found)))


def _reached(n: int, found: Mapping[int, float]) -> str:
    """Return ``6 lists reach 38``."""
    said = ngettext("{lists} reaches {found}", "{lists} reach {found}", n)
    return said.format(lists=plural(n, "list"), found=people(found[n]))


def still_rising(least: int, curve: pd.DataFrame) -> bool:
    """Return whether the number that is enough is the largest of several that were tried: more might do more."""
    return len(curve) > 1 and least == curve["n_groups"].max()


def mark(least: int, curve: pd.DataFrame) -> str:
    """Return what stands beside the number that is enough in a picture of the curve."""
    if still_rising(least, curve):
        return _("{n} are best").format(n=least)
    return ngettext("{enough} is enough", "{enough} are enough", least).format(enough=least)


def _fewer(curve: pd.DataFrame, hits: pd.DataFrame, steps: pd.DataFrame | None) -> str:
    """Say how few lists bring most of what the best number adds to one good list, where that is the largest number.

    "" where it is not, or none fewer do.
    """
    best, found = enough(curve), _found(hits)
    if best not in found or not still_rising(best, curve) or not beats_floor(curve, steps):
        return ""
    floor = float(hits["floor"].iloc[0])
    gain = found[best] - floor
    few = next((n for n in sorted(found) if 1 < n < best and found[n] - floor >= MOST * gain > 0), None)
    if few is None:
        return ""
    return _("{few} bring {share} of what {best} add.").format(
        few=plural(few, "list").capitalize(), share=percent((found[few] - floor) / gain), best=best
    )


def _reach(one: str, hits: pd.DataFrame, *more: str) -> str:
    """Say of how many people of 100 find something with one list, with some lists, and with their own."""
    ends = hits.iloc[0][["floor", "individual"]]
    first = _("{one} reaches {floor} of 100 people with something they take").format(
        one=one.removesuffix(" for all"), floor=people(ends["floor"])
    )
    everyone = _("a list for everyone {individual}").format(individual=people(ends["individual"]))
    return full_stop(semicolons([first, *more, everyone]))


def beats_floor(curve: pd.DataFrame, steps: pd.DataFrame | None) -> bool:
    """Return whether the best number of lists is better than the best single list by more than chance, by nDCG.

    Older runs did not pair them over users: there the value has to be higher.
    """
    best = highest(curve, "value")
    if steps is None:
        return bool(best["value"] > best["floor"])
    match = (steps["n_groups"] == best["n_groups"]) & (steps["part"] == GROUPS) & (steps["metric"] == NDCG)
    return bool((steps.loc[match, "low"] > 0).any())


def number_answer(curve: pd.DataFrame, hits: pd.DataFrame, steps: pd.DataFrame | None, n: int) -> str:
    """Say what the number of lists after ``n`` would add, and what those that are enough reach.

    Args:
        curve, hits: as in :func:`enough_answer`; ``n`` is among their numbers.
        steps: gain_of_groups in the same regime; None in older runs.
    """
    found, least = _found(hits), enough(curve)
    larger = curve.loc[curve["n_groups"] > n, "n_groups"]
    said = [] if larger.empty else [_next(curve, steps, found, n, int(larger.iloc[0]))]
    if n not in found:
        said.insert(0, _("{lists} were measured, too").format(lists=plural(n, "list").capitalize()))
    elif least in found and least != n and beats_floor(curve, steps):
        other = _reached(least, found)
        said.append(_("{others}, too").format(others=other) if _as_many(found, n, least) else other)
    together = semicolons(said)
    return full_stop(f"{together[0].upper()}{together[1:]}") if said else ""


def _next(curve: pd.DataFrame, steps: pd.DataFrame | None, found: Mapping[int, float], n: int, following: int) -> str:
    """Say what the next larger number of lists adds to ``n``."""
    change = _change(curve, steps, n, following)
    if change == 0 and following <= enough(curve):  # the rule takes them all the same: one error is less than proof
        unsure = ngettext(
            "whether one more list helps is not certain",
            "whether {n} more lists help is not certain",
            following - n,
        )
        return unsure.format(n=following - n)
    return step(following - n, change, found, n, following)


def _as_many(found: Mapping[int, float], n: int, other: int) -> bool:
    """Return whether another number of lists reaches as many people of 100, as the sentences say them."""
    return n != other and other in found and people(found[n]) == people(found[other])


def step(more: int, sign: int, found: Mapping[int, float], n: int, following: int) -> str:
    """Return ``one more adds no measurable gain``, ``8 more find something for 2.1 people more``.

    Args:
        sign: of the change beyond its interval: 1, -1, or 0 where there is none.
        found: number of lists -> share of people with a hit, smoothed; may be empty.
    """
    nothing = ngettext("one more adds no measurable gain", "{n} more add no measurable gain", more).format(n=more)
    if sign == 0:
        return nothing
    if n not in found or following not in found:
        helps = ngettext("one more helps", "{n} more help", more)
        harms = ngettext("one more harms", "{n} more harm", more)
        return (helps if sign > 0 else harms).format(n=more)
    change = found[following] - found[n]
    if sign * change < 0.0005:  # smoothed away: a step up that the one before it, or the next, takes back
        return nothing
    adds = ngettext("one more adds {people}", "{n} more add {people}", more)
    costs = ngettext("one more costs {people}", "{n} more cost {people}", more)
    return (adds if sign > 0 else costs).format(n=more, people=people(abs(change)))


def _found(hits: pd.DataFrame) -> dict[int, float]:
    """Return number of lists -> share of people with a hit, smoothed."""
    return dict(zip(hits["n_groups"].astype(int).tolist(), smoothed(hits).tolist(), strict=True)) if len(hits) else {}


def _change(curve: pd.DataFrame, steps: pd.DataFrame | None, n: int, following: int) -> int:
    """Return whether the next number is better (1), worse (-1), or neither beyond the 95 % interval (0), by nDCG.

    In runs that did not pair numbers over users, intervals have to lie apart.
    """
    if steps is not None:
        rows = steps[(steps["n_groups"] == n) & (steps["part"] == MORE) & (steps["metric"] == NDCG)]
        return part_of(rows.iloc[0]).sign if len(rows) else 0
    one, other = (curve[curve["n_groups"] == at].iloc[0] for at in (n, following))
    return int(other["low"] > one["high"]) - int(other["high"] < one["low"])
