"""Which column plays which role: found by name, then by content; changed with ``--map role=column``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from grouprec.core.language import N_, commas
from grouprec.core.types import DataError, SettingError
from grouprec.data.evidence import looks_like_time
from grouprec.data.header_words import means
from grouprec.data.ids import encode_ids, near_ids
from grouprec.data.looked_at import MOST_LOOKED_AT, columns_looked_at
from grouprec.data.numerals import is_numeric
from grouprec.data.values import shown, some_of

ROLES = (
    *(N_("user"), N_("item"), N_("rating"), N_("weight"), N_("time"), N_("clock"), N_("behaviour"), N_("outcome")),
    *(N_("order"), N_("price"), N_("label"), N_("text")),
)

FEWEST_DESCRIPTIONS = 20
SEEN_VALUES = 500  # different ones, that tell whether a column holds addresses or times
_MOST_TELLING = 200  # columns of an items file, of which one may name the items
_WORD, _ADDRESS = r"(?:[^\W\d_]{3,}|[\u3040-\ud7ff]{2,})", r"https?://"


class ChoiceError(DataError):
    """No column is clearly the user (or the item): somebody has to say which it is.

    Attributes:
        role: "user" or "item".
        columns: those of the file.
        reasons: column -> why it was not taken.
    """

    def __init__(self, role: str, columns: Sequence[str], reasons: Mapping[str, str], file: str = "") -> None:
        self.role, self.columns, self.reasons = role, tuple(columns), dict(reasons)
        name = f"'{file}': " if file else ""
        super().__init__(
            f"{name}No column was found for the {role}{self.why()}; say which it is with --map {role}=COLUMN, "
            f"one of: {some_of(columns)}."
        )

    def why(self) -> str:
        """Return " ('line' was not taken: it counts the lines of something)", or nothing."""
        refused = [f"'{shown(column)}' was not taken: {reason}" for column, reason in self.reasons.items()]
        return f" ({'; '.join(refused[:3])})" if refused else ""


@dataclass(frozen=True)
class Roles:
    """The columns of an interactions file. ``user`` and ``item`` are needed, all others may be None.

    Attributes:
        user, item: ids.
        weight: a quantity or strength, > 0.
        rating: a judgement.
        time: when.
        clock: the time of day, where ``time`` holds days only.
        behaviour: what was done (view, cart, purchase, ...).
        outcome: what came of it: an order's status, or yes and no of ``clicked`` or ``refunded``.
        label: the item's name.
        order: invoice, basket or session.
        price: of one piece.
        text: what users say of items: reviews, comments, search words.
        user_attributes: further columns that say something about the user: the same on all rows, or what is usual.
        item_attributes: further columns that say what the item is: its category, its maker.
    """

    user: str | None = None
    item: str | None = None
    weight: str | None = None
    rating: str | None = None
    time: str | None = None
    clock: str | None = None
    behaviour: str | None = None
    outcome: str | None = None
    label: str | None = None
    order: str | None = None
    price: str | None = None
    text: str | None = None
    user_attributes: tuple[str, ...] = ()
    item_attributes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, str]:
        """Return the roles that are taken, role -> column."""
        values = {role: getattr(self, role) for role in ROLES}
        return {role: column for role, column in values.items() if column is not None}

    def columns(self) -> list[str]:
        """Return every column that is needed, once."""
        return list(dict.fromkeys([*self.as_dict().values(), *self.user_attributes, *self.item_attributes]))

    def coded(self) -> list[str]:
        """Return the columns whose values come again and again; times and texts are nearly all different."""
        return [column for column in self.columns() if column not in (self.time, self.clock, self.text)]


@dataclass(frozen=True)
class AttributeRoles:
    """The columns of a users or items file: the id, the name shown, and everything else that may tell something.

    ``vectors`` are those of an items file that hold an embedding. ``described_by`` is the attribute that says best what
    an item is, where no header speaks of a name.
    """

    id: str
    label: str | None
    attributes: tuple[str, ...]
    vectors: tuple[str, ...] = ()
    described_by: str | None = None


def parse_map(text: str) -> dict[str, str]:
    """Return role -> column of ``user=CustomerID,item=StockCode``; an empty column switches a role off.

    Raises:
        SettingError: not of that form, or an unknown role.
    """
    mapping: dict[str, str] = {}
    for part in re.split(r",(?=\s*\w+\s*=)", text):
        role, sign, column = part.partition("=")
        if not sign:
            raise SettingError(f"'{shown(part)}' is not of the form role=column; write --map user=COLUMN,item=COLUMN.")
        mapping[role.strip()] = column.strip()
    _check_role_names(mapping)
    return mapping


def apply_map(
    roles: Roles,
    mapping: Mapping[str, str],
    columns: Sequence[str],
    reasons: Mapping[str, Mapping[str, str]] | None = None,
) -> Roles:
    """Return the roles with the user's own choices put in; a column that is given a role loses its detected one.

    Args:
        roles: as detected.
        mapping: role -> column, "" for none.
        columns: those of the file.
        reasons: why columns were not taken: role -> column -> end of a sentence.
    Raises:
        SettingError: an unknown role, or a column in two roles.
        DataError: an unknown column.
        ChoiceError: no column for the user or the item.
    """
    _check_role_names(mapping)
    there = some_of(columns)
    for role, column in mapping.items():
        if column and column not in columns:
            raise DataError(f"There is no column '{shown(column)}' for --map {role}=...; the columns are: {there}.")
    given = [column for column in mapping.values() if column]
    double = next((column for column in given if given.count(column) > 1), None)
    if double is not None:
        both = " and ".join(role for role, column in mapping.items() if column == double)
        raise SettingError(f"--map gives the column '{shown(double)}' to {both}; every role needs a column of its own.")
    kept = {role: column for role, column in roles.as_dict().items() if role not in mapping and column not in given}
    kept.update({role: column for role, column in mapping.items() if column})
    for role in ("user", "item"):
        if role not in kept:
            raise ChoiceError(role, columns, (reasons or {}).get(role, {}))
    of_users, of_items = (
        tuple(column for column in attributes if column not in kept.values())
        for attributes in (roles.user_attributes, roles.item_attributes)
    )
    return Roles(**kept, user_attributes=of_users, item_attributes=of_items)


def _check_role_names(mapping: Mapping[str, str]) -> None:
    known = {field.name for field in fields(Roles)} - {"user_attributes", "item_attributes"}
    for role in mapping:
        if role not in known:
            raise SettingError(f"There is no role '{shown(role)}' for --map; choose from: {commas(ROLES)}.")


def detect_attribute_roles(table: pd.DataFrame, ids: np.ndarray, kind: str, file_name: str) -> AttributeRoles:
    """Return the roles of a users or items file.

    Args:
        table: the whole file.
        ids: object array of str, the ids of the interactions; the id column is the one that shares most with them.
        kind: "user" or "item".
        file_name: for the error.
    Raises:
        DataError: no column shares an id with the interactions.
    """
    wanted = pd.Index(ids)
    named = _best_named(kind, list(table.columns))
    shared = {}
    looked_at = list(table.columns) if len(table.columns) <= MOST_LOOKED_AT else columns_looked_at(table)
    for column in looked_at:
        _, values = encode_ids(table[column])
        shared[column] = len(wanted.intersection(pd.Index(values, dtype=object))) + 0.5 * (column == named)
    best = max(shared, key=shared.__getitem__, default="")
    if shared.get(best, 0) < 1:
        example = ids[0] if len(ids) else ""
        raise DataError(
            f"No column of '{file_name}' holds the {kind} ids of the interactions (such as '{shown(example)}'); "
            f"its columns are: {some_of(table.columns)}{_would_match(table[looked_at], ids)}."
        )
    rest = [column for column in table.columns if column != best]
    called = [column for column in rest if means("label", column) is not None]  # to ask whether those of numbers are
    label = _best_named("label", [column for column in called if not is_numeric(table[column])])
    attributes = tuple(column for column in rest if column != label)
    described_by = _telling(table, attributes) if kind == "item" and label is None else None
    return AttributeRoles(best, label, attributes, described_by=described_by)


def _would_match(table: pd.DataFrame, ids: np.ndarray) -> str:
    """Return which column would hold the ids if both files wrote them alike, as the end of a sentence."""
    near = {str(column): near_ids(ids, encode_ids(table[column])[1]) for column in table.columns}
    best = max(near, key=lambda column: near[column][0], default="")
    n, how = near.get(best, (0, ""))
    return f"; {n:,} of them would match in '{shown(best)}' if they were written alike ({how})" if n else ""


def _telling(table: pd.DataFrame, columns: Sequence[str]) -> str | None:
    """Return the column of the most different wordings, None where none has twenty: colours and sizes tell no item."""
    found = {}
    for column in columns[:_MOST_TELLING]:
        values = table[column].dropna().astype(str)
        different = values.drop_duplicates()
        some = different.head(SEEN_VALUES)
        if len(different) < FEWEST_DESCRIPTIONS or len(values) < len(table) / 2:
            continue
        if some.str.match(_ADDRESS).any() or looks_like_time(some):
            continue
        wordings = different.str.findall(_WORD).str.join(" ")
        found[column] = wordings.nunique() if (wordings != "").mean() > 0.9 else 0
    best = max(found, key=found.__getitem__, default=None)
    return best if best is not None and found[best] >= FEWEST_DESCRIPTIONS else None


def _best_named(role: str, columns: Sequence[str]) -> str | None:
    """Return the column whose header says a role best; of equals the first."""
    named = [(tier, at) for at, column in enumerate(columns) if (tier := means(role, column)) is not None]
    return columns[min(named)[1]] if named else None
