"""Reasons and remade lists in words and tables. Nothing here draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from grouprec.core.language import _, commas, full_stop, passage, semicolons, series
from grouprec.core.tables import named_rows
from grouprec.core.types import Texts
from grouprec.explore.kinds import LEAST_SHARE
from grouprec.explore.remake import ListMembers, Price
from grouprec.ranking.takes import ExpectedTakes
from grouprec.report.html.moving import moves
from grouprec.ui.cards import count, percent, plain, plural, short

if TYPE_CHECKING:
    from grouprec.explore.reasons import Reasons  # knows the stages, and so torch


HALF = 0.5  # of all that speaks for an item: so much the named kinds explain together, where own items do
MOST_KINDS = 5  # that one sentence names
WORTH_NAMING = 0.04  # of all that speaks for an item: a kind of less is one of many other things


def by_kind(frame: pd.DataFrame, kinds: np.ndarray) -> pd.DataFrame:
    """Return the reasons with own items of one kind together: what, share, own, items; strongest first.

    Items without a known kind, and kinds of one item, stand for themselves.

    Args:
        frame: of :func:`reasons_frame`; only what speaks for the item counts.
        kinds: of all items, object [I].
    """
    mine, others = frame[frame["own"] & (frame["share"] > 0)], frame[~frame["own"] & (frame["share"] > 0)]
    of = pd.Series(kinds[mine["row"].to_numpy(int)], index=mine.index, dtype=object).astype(str)
    several = of.map(of.value_counts()).gt(1) & (of != "")
    named = mine.assign(what=mine["what"].where(~several, of), kind=several)
    together = named.groupby(["what", "kind"], as_index=False, sort=False).agg(
        share=("share", "sum"), items=("share", "size")
    )
    rest = others[["what", "share"]].assign(kind=False, items=0, own=False)
    both = pd.concat([together.assign(own=True), rest], ignore_index=True)
    return both.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def reasons_words(kinds: pd.DataFrame, who: str) -> str:
    """Say what speaks for an item in one sentence, markdown: own items, the kinds that matter by name, then the rest.

    Args:
        kinds: of :func:`by_kind`.
    """
    own, others = kinds[kinds["own"]], kinds[~kinds["own"] & (kinds["share"] >= LEAST_SHARE)]
    named, more = own.head(n_named(own)), own.iloc[n_named(own) :]
    things = [with_share(thing(row.what, row.kind), row.share) for row in named_rows(named)]
    because = _("Because they have {things}") if who == "they" else _("Because members have {things}")
    left = float(more["share"].sum())
    if left >= LEAST_SHARE:
        together = _("{n} other things ({left})") if len(more) > 1 else _("another thing ({left})")
        things.append(together.format(n=count(len(more)), left=percent(left)))
    said = [because.format(things=joined(things))] if things else []
    said += [f"{row.what.lower()} {percent(row.share)}" for row in named_rows(others)]
    if not said:
        return _("Nothing that they have speaks for it.")
    return full_stop(f"{said[0][0].upper()}{semicolons(said)[1:]}")


def n_named(own: pd.DataFrame) -> int:
    """Return how many of the own kinds of :func:`by_kind`, strongest first, are named: until they explain half, at most
    5, and none that is one of many."""
    if not len(own):
        return 0
    enough = int((own["share"].cumsum() < min(HALF, own["share"].sum() - 1e-9)).sum()) + 1
    return max(min(enough, MOST_KINDS, int((own["share"] >= WORTH_NAMING).sum())), 1)


def thing(what: str, kind: bool) -> str:
    """Return a kind of item, or one item, as the sentence has it."""
    return f"*{plain(short(what, 44))}*" if not kind else _("**{what}** items").format(what=plain(short(what, 30)))


def with_share(what: str, share: float) -> str:
    """Return ``what (31 %)``."""
    return _("{what} ({share})").format(what=what, share=percent(share))


def joined(things: list[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return series(things)


def reasons_note(found: Reasons, n_users: int) -> str:
    """Say whose items these are, and how far the shares are exact."""
    who = _("Read from {users} who should want it").format(users=plural(found.n_users, "user"))
    if found.exact == 1:
        how = _("the shares are exact")
    elif found.exact == 0:
        how = _("the shares are an estimate: what the prediction loses without an item")
    else:
        how = _("{exact} of the prediction divides exactly, the rest is an estimate").format(exact=percent(found.exact))
    drawn = "" if n_users <= found.n_users else _(", among {n_users}").format(n_users=count(n_users))
    return full_stop(semicolons([f"{who}{drawn}", how]))


def reasons_frame(found: Reasons, labels: Texts) -> pd.DataFrame:
    """Return all that speaks for or against an item: what, share (below 0 against), owners, own, row (of
    an own item, else -1); strongest first."""
    own = pd.DataFrame(
        {
            "what": [" ".join(str(labels[item]).split()) for item in found.own.tolist()],
            "share": np.asarray(found.share(found.points), dtype=np.float64),
            "owners": pd.array(found.owners, dtype="Int64"),
            "own": True,
            "row": found.own,
        }
    )
    kinds = {
        _("All their items together"): found.rest,
        _("Popular right now"): found.trend,
        _("Popular in general"): found.popularity,
        _("What is known of them beside their items"): found.beside,
        _("Taken before"): found.again,
    }
    others = pd.DataFrame(
        [(what, float(found.share(points)), pd.NA, False, -1) for what, points in kinds.items() if points],
        columns=["what", "share", "owners", "own", "row"],
    )
    both = pd.concat([own, others.astype({"owners": "Int64", "own": bool})], ignore_index=True)
    return both.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def most_telling(kinds: pd.DataFrame) -> pd.DataFrame:
    """Return what the sentence says, as rows: the kinds of own items that it names, the others together, then what is
    no own item: what, share, own.

    Args:
        kinds: of :func:`by_kind`.
    """
    own, others = kinds[kinds["own"]], kinds[~kinds["own"]]
    n = n_named(own)
    more = own.iloc[n:]
    together = pd.DataFrame({"what": [_("other things of theirs")], "share": [more["share"].sum()], "own": [True]})
    parts = [own.head(n), together if len(more) else together.head(0), others]
    kept = pd.concat([part[["what", "share", "own"]] for part in parts], ignore_index=True)
    return kept[kept["share"] >= LEAST_SHARE].reset_index(drop=True)


def reasons_alt(frame: pd.DataFrame) -> str:
    """Return what the picture says: the strongest three."""
    strongest = commas(f"{what} {percent(share)}" for what, share in frame[["what", "share"]].head(3).to_numpy())
    return (
        _("What speaks for the item: {strongest}").format(strongest=strongest)
        if strongest
        else _("Nothing speaks for the item")
    )


def item_sentence(row: pd.Series, n_members: int, n_listed: int, takes: ExpectedTakes | None) -> str:
    """Say how many members should take an item and how that differs from one list for everybody, markdown.

    Args:
        row: rank, label, takers and place, of :func:`list_frame`.
        takes: whose horizon it is; without it nothing is said of takers.
    """
    takers = ""
    if takes is not None:
        many = _("fewer than one") if row["takers"] < 1 else _("about {takers}").format(takers=count(row["takers"]))
        takers = _(" {many} of {members} should take it in {span};").format(
            many=many, members=plural(n_members, "member"), span=takes.horizon.span
        )
    place = _("number {place}").format(place=count(row["place"])) if pd.notna(row["place"]) else _("nowhere")
    differs = _("on one list for everybody it is {place}").format(place=place)
    if pd.notna(row["place"]) and row["place"] > n_listed:
        differs = _("it is not among the first {n_listed} of one list for everybody ({place} there)").format(
            n_listed=n_listed, place=place
        )
    return _("**{label}** is number {rank}:{takers} {differs}.").format(
        label=plain(row["label"]), rank=row["rank"], takers=takers, differs=differs
    )


def list_frame(members: ListMembers, items: np.ndarray, before: np.ndarray, places: np.ndarray) -> pd.DataFrame:
    """Return a list with what is known of its items: rank, move, label, takers, reach, owned, place, item, row.

    Takers are NaN where the run does not tell them.

    Args:
        items: int [K], best first.
        before: int, the list that it is compared with.
        places: int [I], on one list for everybody, 0 for none.
    """
    base = members.base
    frame = pd.DataFrame({"rank": np.arange(1, len(items) + 1), "move": moves(before.tolist(), items.tolist())})
    place, takers = pd.array(places[items], dtype="Int64"), members.takers(items)
    return frame.assign(
        label=base.item_labels[items],
        takers=np.nan if takers is None else takers.round(1),
        reach=members.reach[items].round(3),
        owned=members.owned[items].round(3),
        place=pd.Series(place).mask(places[items] == 0),
        item=base.item_ids[items],
        row=items,
    )


def new_item_words(new: pd.DataFrame, listed: pd.DataFrame) -> list[str]:
    """Say of every new item on a list where it stands and which known items speak for it, markdown.

    Args:
        new: the group's rows of the table ``new_items``.
        listed: the list as it is exported, with ``rank`` and ``item``.
    """
    said = []
    for rank, item in zip(listed["rank"].tolist(), listed["item"].tolist(), strict=True):
        own = new[new["item"] == item]
        if not len(own):
            continue
        like = [with_share(f"*{plain(short(one.like_label, 44))}*", one.share) for one in own.itertuples()]
        rest = 1 - own["share"].sum()
        others = _(" and others ({rest})").format(rest=percent(rest)) if rest > LEAST_SHARE else ""
        label = plain(short(own["label"].iloc[0], 44))
        said.append(
            _("Number {rank}, **{label}**, is like {like}{others}.").format(
                rank=rank, label=label, like=joined(like) if not others else commas(like), others=others
            )
        )
    return said


def gone_words(before: np.ndarray, after: np.ndarray, labels: Texts) -> str:
    """Name the items that are out, markdown; say so where there are none."""
    gone = [plain(short(labels[item], 30)) for item in before.tolist() if item not in set(after.tolist())]
    more = _(" and {n_gone} more").format(n_gone=len(gone) - 4) if len(gone) > 4 else ""
    return (
        _("Out: {gone}{more}").format(gone=commas(gone[:4]), more=more)
        if gone
        else _("All items of the trained list are still on it.")
    )


def price_answer(now: Price, before: Price, n_members: int, takes: ExpectedTakes | None) -> str:
    """Say what the changes cost, or what the list is worth where nothing was changed, markdown.

    Args:
        takes: whose horizon expected takes have; without it nothing is said of them.
    """
    if now == before:
        found = _("{reached} of {members} find one of their own 10 best here.").format(
            reached=percent(now.reached), members=plural(n_members, "member")
        )
        return passage(found, taken_words(now, takes))
    ratio = relative(now.value, before.value)
    if abs(ratio) < 0.0005:
        said = _("This list is predicted to be worth **as much** to the members as the trained one")
    else:
        more = _("This list is predicted to be worth **{share} more** to the members than the trained one")
        less = _("This list is predicted to be worth **{share} less** to the members than the trained one")
        said = (more if ratio > 0 else less).format(share=percent(abs(ratio)))
    variety = now.diversity - before.diversity
    return _("{said}; variety {variety} points, members reached {reached} points.").format(
        said=said, variety=signed(variety), reached=signed(now.reached - before.reached)
    )


def taken_words(price: Price, takes: ExpectedTakes | None) -> str:
    """Say how many items of a list members should take, until when, and how sure that is; nothing where unknown."""
    if takes is None or price.taken is None:
        return ""
    low, high = (float(end) for end in takes.interval(price.taken))
    about = (
        _("fewer than one item")
        if price.taken < 1
        else _("about {items}").format(items=plural(round(price.taken), "item"))
    )
    return _("In {words}, they should together take {about} of it ({low} to {high}).").format(
        words=takes.horizon.words, about=about, low=count(low), high=count(high)
    )


def relative(now: float, before: float) -> float:
    """Return by how much a number changed, 0.1 for a tenth more; 0 where there was nothing."""
    return now / before - 1 if before > 0 else 0.0


def signed(share: float) -> str:
    """Return ``+3.1`` for 0.031: a difference of shares in points, with a real minus sign."""
    return "±0" if abs(share) < 0.0005 else f"{100 * share:+.1f}".replace("-", "−")
