"""Reasons and remade lists in words and tables. Nothing here draws."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.core.tables import named_rows
from grouprec.core.types import Texts
from grouprec.explore.reasons import LEAST, Reasons
from grouprec.explore.remake import ListMembers, Price
from grouprec.ranking.takes import ExpectedTakes
from grouprec.ui.cards import count, percent, plain, plural, short
from grouprec.ui.live_words import moves

HALF = 0.5  # of all that speaks for an item: so much the named kinds explain together, where own items do
MOST_KINDS = 5  # that one sentence names


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
    """Say what speaks for an item in one sentence, markdown: own items until they explain half, then the rest.

    Args:
        kinds: of :func:`by_kind`.
    """
    own, others = kinds[kinds["own"]], kinds[~kinds["own"] & (kinds["share"] >= LEAST)]
    enough = int((own["share"].cumsum() < min(HALF, own["share"].sum() - 1e-9)).sum()) + 1 if len(own) else 0
    named = own.head(min(enough, MOST_KINDS))
    things = [f"{thing(row.what, row.kind)} ({percent(row.share)})" for row in named_rows(named)]
    said = [f"Because {who} have {joined(things)}"] if things else []
    left = float(own["share"].iloc[len(named) :].sum())
    said += [f"other items of theirs {percent(left)}"] if left >= LEAST else []
    said += [f"{row.what.lower()} {percent(row.share)}" for row in named_rows(others)]
    if not said:
        return "Nothing that they have speaks for it."
    return f"{said[0][0].upper()}{'; '.join(said)[1:]}."


def thing(what: str, kind: bool) -> str:
    """Return a kind of item, or one item, as the sentence has it."""
    return f"*{plain(short(what, 44))}*" if not kind else f"**{plain(short(what, 30))}** items"


def joined(things: list[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"


def reasons_note(found: Reasons, n_users: int) -> str:
    """Say whose items these are, and how far the shares are exact."""
    who = f"Read from {plural(found.n_users, 'user')} who should want it"
    if found.exact == 1:
        how = "the shares are exact"
    elif found.exact == 0:
        how = "the shares are an estimate: what the prediction loses without an item"
    else:
        how = f"{percent(found.exact)} of the prediction divides exactly, the rest is an estimate"
    drawn = "" if n_users <= found.n_users else f", among {count(n_users)}"
    return f"{who}{drawn}; {how}."


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
        "All their items together": found.rest,
        "Popular right now": found.trend,
        "Popular in general": found.popularity,
        "Taken before": found.again,
    }
    others = pd.DataFrame(
        [(what, float(found.share(points)), pd.NA, False, -1) for what, points in kinds.items() if points],
        columns=["what", "share", "owners", "own", "row"],
    )
    both = pd.concat([own, others.astype({"owners": "Int64", "own": bool})], ignore_index=True)
    return both.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def most_telling(kinds: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return the strongest ``n`` kinds of own items, the others together, then what is no own item: what, share, own.

    Args:
        kinds: of :func:`by_kind`.
    """
    own, others = kinds[kinds["own"]], kinds[~kinds["own"]]
    more = own.iloc[n:]
    together = pd.DataFrame({"what": ["other items of theirs"], "share": [more["share"].sum()], "own": [True]})
    parts = [own.head(n), together if len(more) else together.head(0), others]
    kept = pd.concat([part[["what", "share", "own"]] for part in parts], ignore_index=True)
    return kept[kept["share"] >= LEAST].reset_index(drop=True)


def reasons_alt(frame: pd.DataFrame) -> str:
    """Return what the picture says: the strongest three."""
    strongest = ", ".join(f"{what} {percent(share)}" for what, share in frame[["what", "share"]].head(3).to_numpy())
    return f"What speaks for the item: {strongest}" if strongest else "Nothing speaks for the item"


def item_sentence(row: pd.Series, n_members: int, n_listed: int, takes: ExpectedTakes | None) -> str:
    """Say how many members should take an item and how that differs from one list for everybody, markdown.

    Args:
        row: rank, label, takers and place, of :func:`list_frame`.
        takes: whose horizon it is; without it nothing is said of takers.
    """
    takers = ""
    if takes is not None:
        many = "fewer than one" if row["takers"] < 1 else f"about {count(row['takers'])}"
        takers = f" {many} of {plural(n_members, 'member')} should take it in {takes.horizon.span};"
    place = f"number {count(row['place'])}" if pd.notna(row["place"]) else "nowhere"
    differs = f"on one list for everybody it is {place}"
    if pd.notna(row["place"]) and row["place"] > n_listed:
        differs = f"it is not among the first {n_listed} of one list for everybody ({place} there)"
    return f"**{plain(row['label'])}** is number {row['rank']}:{takers} {differs}."


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
        like = [f"*{plain(short(one.like_label, 44))}* ({percent(one.share)})" for one in own.itertuples()]
        rest = 1 - own["share"].sum()
        others = f" and others ({percent(rest)})" if rest > LEAST else ""
        label = plain(short(own["label"].iloc[0], 44))
        said.append(f"Number {rank}, **{label}**, is like {joined(like) if not others else ', '.join(like)}{others}.")
    return said


def gone_words(before: np.ndarray, after: np.ndarray, labels: Texts) -> str:
    """Name the items that are out, markdown; say so where there are none."""
    gone = [plain(short(labels[item], 30)) for item in before.tolist() if item not in set(after.tolist())]
    more = f" and {len(gone) - 4} more" if len(gone) > 4 else ""
    return f"Out: {', '.join(gone[:4])}{more}" if gone else "All items of the trained list are still on it."


def price_answer(now: Price, before: Price, n_members: int, takes: ExpectedTakes | None) -> str:
    """Say what the changes cost, or what the list is worth where nothing was changed, markdown.

    Args:
        takes: whose horizon expected takes have; without it nothing is said of them.
    """
    if now == before:
        found = f"{percent(now.reached)} of {plural(n_members, 'member')} find one of their own 10 best here."
        return f"{found} {taken_words(now, takes)}".rstrip()
    ratio = relative(now.value, before.value)
    worth = "as much" if abs(ratio) < 0.0005 else f"{percent(abs(ratio))} {'more' if ratio > 0 else 'less'}"
    variety = now.diversity - before.diversity
    said = f"This list is predicted to be worth **{worth}** to the members than the trained one"
    said = said.replace("as much** to the members than", "as much** to the members as")
    return f"{said}; variety {signed(variety)} points, members reached {signed(now.reached - before.reached)} points."


def taken_words(price: Price, takes: ExpectedTakes | None) -> str:
    """Say how many items of a list members should take, until when, and how sure that is; nothing where unknown."""
    if takes is None or price.taken is None:
        return ""
    low, high = (float(end) for end in takes.interval(price.taken))
    about = "fewer than one item" if price.taken < 1 else f"about {plural(round(price.taken), 'item')}"
    return f"In {takes.horizon.words}, they should together take {about} of it ({count(low)} to {count(high)})."


def relative(now: float, before: float) -> float:
    """Return by how much a number changed, 0.1 for a tenth more; 0 where there was nothing."""
    return now / before - 1 if before > 0 else 0.0


def signed(share: float) -> str:
    """Return ``+3.1`` for 0.031: a difference of shares in points, with a real minus sign."""
    return "±0" if abs(share) < 0.0005 else f"{100 * share:+.1f}".replace("-", "−")
