"""Columns for the first item, the second, the third (``Item 1, Qty 1, Item 2, Qty 2``) -> one row an item."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.data.reading.wide import numbers
from grouprec.data.roles.header_words import CATEGORY, means, says
from grouprec.data.values.common import shown

_PLACE = re.compile(r"(?<!\d)\d{1,2}(?!\d)")
_BEFORE, _AFTER = " \t\n_.[(#/:-", " \t\n_./:-"  # what parts a name from the place before and after it
_TWICE = re.compile(r"(.+) \((\d{1,2})\)")  # what the reader calls the second column of a name
_CLEAR = 2  # ways of naming an item below which nothing else is meant
_MOST_ANSWERS, _LARGEST_ANSWER = 20, 100  # plain numbers of this kind are judgements of items that columns name


@dataclass(frozen=True)
class Repeated:
    """Columns that say the same of a first, a second and a further item.

    Attributes:
        columns: name -> its columns for each place, None where a place has none.
        items: the names of which one has to be filled.
        kept: the other columns, which all items of a row share.
        note: what to say about it.
    """

    columns: Mapping[str, tuple[str | None, ...]]
    items: tuple[str, ...]
    kept: tuple[str, ...]
    note: str

    @property
    def sources(self) -> list[str]:
        """The columns of the file."""
        return [*self.kept, *dict.fromkeys(one for places in self.columns.values() for one in places if one)]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the result."""
        return (*self.kept, *self.columns)

    def apply(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return one row for every item that is named, in the order of the file."""
        n_places = len(next(iter(self.columns.values())))
        nothing = pd.Series(index=table.index, dtype=object)
        parts = []
        for place in range(n_places):
            named = {name: places[place] for name, places in self.columns.items()}
            part = table[list(self.kept)].assign(**{n: nothing if c is None else table[c] for n, c in named.items()})
            parts.append(part[part[list(self.items)].notna().any(axis=1)])
        return pd.concat(parts).sort_index(kind="stable").reset_index(drop=True)


def find_repeated(head: pd.DataFrame, columns: Sequence[str]) -> Repeated | None:
    """Return how to read columns of several items beside one another, from the first rows; None without any."""
    found = defaultdict[str, dict[int, str]](dict)
    there = set(map(str, columns))
    for column in map(str, columns):
        name, place = _placed(column, there)
        if name:
            found[name].setdefault(place, column)
    several = {name: places for name, places in found.items() if len(places) > 1}
    items = [name for name in several if _names_item(name)]
    if not items:
        return None
    places = sorted(several[items[0]])
    same = {name: one for name, one in several.items() if set(one) <= set(places)}
    mine = {column for one in same.values() for column in one.values()}
    kept = tuple(column for column in columns if column not in mine)
    if any(_names_item(str(column)) for column in kept) or not set(same).isdisjoint(kept):
        return None
    if len(same) == 1 and _are_answers(head[list(mine)]):
        return None
    first = [shown(column) for column in list(several[items[0]].values())[:2]]
    note = f"the items of columns such as '{first[0]}' and '{first[1]}' became rows of their own"
    chosen = {name: tuple(one.get(place) for place in places) for name, one in same.items()}
    return Repeated(chosen, tuple(name for name in items if name in same), kept, note)


def _placed(column: str, columns: Collection[str]) -> tuple[str, int]:
    """Return what a column says and of which item: "Qty 2" -> Qty, 2; "" where no number is in it."""
    if twice := _TWICE.fullmatch(column):
        return (twice[1], int(twice[2])) if twice[1] in columns else ("", 0)
    if f"{column} (2)" in columns:
        return column, 1
    found = _PLACE.search(column)
    if not found:
        return "", 0
    before = column[: found.start()].rstrip(_BEFORE).strip()
    after = column[found.end() :].lstrip("])").lstrip(_AFTER).strip()
    if not re.search(r"[^\W\d_]", before + after):
        return "", 0
    return ".".join(filter(None, (before, after))), int(found[0])


def _names_item(name: str) -> bool:
    tier = means("item", name)
    return tier is not None and tier < _CLEAR and not says(CATEGORY, name)


def _are_answers(table: pd.DataFrame) -> bool:
    """Return whether the cells are judgements or counts and not items: the columns are the items then."""
    cells = np.concatenate([numbers(table[column]) for column in table])
    known = cells[~np.isnan(cells)]
    plain = len(known) >= 0.5 * table.notna().to_numpy().sum()
    few = len(known) and (known.max() <= _LARGEST_ANSWER or len(np.unique(known)) <= _MOST_ANSWERS)
    return bool(plain and few)
