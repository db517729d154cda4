"""What is asked of a file's columns again and again while their roles are looked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from grouprec.data.roles import evidence
from grouprec.data.roles.columns import Roles
from grouprec.data.roles.header_words import BOOKING, NOT_RATING, header_words, means, says, simple_name
from grouprec.data.roles.looked_at import columns_looked_at
from grouprec.data.roles.outcomes import is_flag
from grouprec.data.roles.presets import find_preset
from grouprec.data.values.ids import encode_ids
from grouprec.data.values.numerals import is_numeric

MANY_ROWS = 50  # in which a user or an item is not always the same
OFTEN = 3.0  # rows of an item from which on one date for all of them is the item's own
MOST_BY_CONTENT = 100  # columns without a role: of more, headers decide alone
FEW_KINDS = 8  # different values from which on a column of kinds ("room type") may be the items themselves
VISIT = 5  # this way of naming a user names who came once
FILLED, _NEARLY_ALL = 0.5, 0.9  # share of the rows in which somebody is named
SPACED = 0.5  # share of values of several words from which on a column names and does not identify
_UNIQUE = 0.95  # share of different values from which on an item is another one in every row


@dataclass
class Detected:
    """What the columns of a file are, and how sure that is.

    Attributes:
        roles: those that something speaks for.
        known_as: what the file is, "a Shopify orders export", or "".
        by_elimination: roles of columns that only were left over.
        refused: why columns were not taken: role -> column -> the end of a sentence.
    """

    roles: Roles = field(default_factory=Roles)
    known_as: str = ""
    by_elimination: tuple[str, ...] = ()
    refused: dict[str, dict[str, str]] = field(default_factory=dict)


class RoleSearch:
    """The columns of one file; ``taken`` is role -> column, "" where a preset says that there is none."""

    def __init__(self, head: pd.DataFrame) -> None:
        self.head, self.columns = head, columns_looked_at(head)
        self.taken: dict[str, str] = {}
        self.result = Detected()
        self._codes: dict[str, np.ndarray] = {}
        self.constant: dict[str, str] = {}  # columns whose names say a role, and that hold one value or none
        preset = find_preset(head[self.columns])
        if preset is not None:
            self.result.known_as, self.taken = preset[0].name, dict(preset[1])

    def _belongs(self, column: str, owner: str, rows_each: float = 1 / 0.9) -> bool:
        """Return whether a column is a fact about another one; see :func:`grouprec.data.roles.evidence.belongs_to`."""
        for one in (column, owner):
            if one not in self._codes:
                self._codes[one] = encode_ids(self.head[one])[0]
        return evidence.belongs_to(self._codes[column], self._codes[owner], rows_each)

    def _take(self, role: str, column: str | None) -> None:
        if role not in self.taken and column is not None:
            self.taken[role] = column

    def _free(self) -> list[str]:
        return [column for column in self.columns if column not in self.taken.values()]

    def _by_content(self) -> list[str]:
        """Return the columns whose values may decide: none where there are very many, for which could be meant then?"""
        free = self._free()
        return free if len(free) <= MOST_BY_CONTENT else []

    def _objects(self, role: str, column: str, strict: bool) -> bool:
        """Return whether the values speak against a user or an item, and keep why."""
        reason = evidence.objection(role, self.head[column], strict)
        if reason is not None:
            self.result.refused.setdefault(role, {})[column] = reason
        return reason is not None

    def _differs(self, column: str) -> bool:
        """Return whether a column has another value in nearly every one of many rows."""
        values = self.head[column].dropna()
        return len(values) >= MANY_ROWS and values.nunique() >= _UNIQUE * len(values)

    def _named(self, role: str) -> list[tuple[int, str]]:
        """Return how well the headers of free columns say a role, the best first."""
        named = [(tier, at, c) for at, c in enumerate(self._free()) if (tier := means(role, c)) is not None]
        return [(tier, column) for tier, _, column in sorted(named) if self.head[column].notna().any()]

    def _fits(self, role: str, column: str) -> bool:
        """Return False where the content contradicts the name: a numeric "label", a "type" with many words."""
        values = self.head[column]
        if role == "label":
            return not is_numeric(values) and not is_flag(values)
        if role == "behaviour":
            few = values.nunique() <= 50 and not pd.api.types.is_datetime64_any_dtype(values)
            kinds = values.nunique() < FEW_KINDS or evidence.looks_like_behaviour(values)
            return few and (kinds or not self._is_name(column))
        if role == "rating":
            numbers = evidence.mostly_numbers(values) and not is_flag(values, digits=False)
            return numbers and not says(NOT_RATING, column) and not self._of_one(column)
        if role == "weight":
            return evidence.mostly_numbers(values) and not is_flag(values, digits=False)
        return role != "price" or evidence.mostly_numbers(values)

    def _of_one(self, column: str) -> bool:
        """Return whether a rating is one of the user or of the item: its header says so, and it is always the same."""
        said = (role for role in ("user", "item") if any(means(role, word) == 0 for word in header_words(column)))
        owners = (self.taken.get(role) for role in said)
        return any(one and self._belongs(column, one, rows_each=OFTEN) for one in owners)

    def _is_name(self, column: str) -> bool:
        """Return whether a column names what another one identifies."""
        others = (other for other in self.columns if other != column)
        return any(self._belongs(column, other) and self._belongs(other, column) for other in others)

    def _names(self, column: str) -> list[str]:
        """Return the columns that name what this one identifies, as a title does an item: each has one of the other."""
        others = [other for other in self.columns[:MOST_BY_CONTENT] if other != column]
        alike = [other for other in others if self._belongs(other, column) and self._belongs(column, other)]
        return [other for other in alike if not is_numeric(self.head[other])]

    def _of_item(self, column: str) -> bool:
        """Return whether a moment is the same whenever an item is taken: a release, whatever it is called."""
        item = self.taken.get("item", "")
        return bool(item) and self._belongs(column, item, rows_each=OFTEN)

    def _of_owner(self, column: str) -> bool:
        """Return whether a nameless moment belongs to the user or the item: a birthday, a release."""
        owners = (self.taken.get(role) for role in ("user", "item"))
        return any(owner and self._belongs(column, owner) for owner in owners)

    def _is_clock(self, column: str) -> bool:
        values = self.head[column]
        return evidence.is_clock(values) and not evidence.is_calendar(values)

    def _who_is_there(self, column: str, others: list[str]) -> str:
        """Return a user that is named in nearly all rows instead of one that is named in few: a session, a guest."""
        if evidence.share_there(self.head[column]) >= FILLED:
            return column
        return next((other for other in others if evidence.share_there(self.head[other]) > _NEARLY_ALL), column)

    def _is_part(self, column: str, whole: str) -> bool:
        """Return whether each value of a column goes with one of another, and not the other way round."""
        return self._belongs(whole, column) and not self._belongs(column, whole)

    def _number_of(self, column: str, others: list[str]) -> str:
        """Return the number that goes with a person's name, where a column has it: two people may have one name."""
        if evidence.share_spaced(self.head[column]) <= SPACED:
            return column
        codes = (c for c in others if evidence.share_spaced(self.head[c]) == 0 and not evidence.is_mail(self.head[c]))
        return next((c for c in codes if self._belongs(column, c)), column)

    def _without_bookings(self, column: str) -> str | None:
        """Return None for the number of a booking, "Book Number", which is taken at last where nothing else is left."""
        if not BOOKING.fullmatch(simple_name(column)) or not self._differs(column):
            return column
        self.constant["item"] = column
        return None
