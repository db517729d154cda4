"""Which column plays which role: found by name, then by content; changed with ``--map role=column``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from grouprec.core.types import DataError, SettingError
from grouprec.data.values import encode_ids, is_numeric, shown, to_numbers, to_seconds

_ID_ENDINGS = "(?:s?(?:id|uniqueid|ids|code|no|nr|num|number|key|uuid|hash|ref)?)"
_USER_STEMS = "user|customer|client|member|account|visitor|shopper|reviewer|subscriber|patient|student|person|guest"
_ITEM_STEMS = (
    "item|product|sku|stock|article|asin|isbn|movie|film|book|song|track|artist|game|recipe|hotel|course|"
    "business|offer|content|material|goods"
)

# Names are compared without case, spaces and signs. Earlier patterns win; each must match the whole name.
_PATTERNS: dict[str, tuple[str, ...]] = {
    "user": (f"(?:{_USER_STEMS}){_ID_ENDINGS}", "uid|cid|userid|username", f".*(?:{_USER_STEMS}){_ID_ENDINGS}"),
    "item": (f"(?:{_ITEM_STEMS}){_ID_ENDINGS}", "iid|pid|ean|gtin|upc", f".*(?:{_ITEM_STEMS}){_ID_ENDINGS}"),
    "rating": ("rating|ratings|stars|score|overall", ".*(?:rating|stars|score)"),
    "weight": (
        "quantity|qty|quantities|weight|count|units|amount",
        "(?:order|item|sales)(?:quantity|qty)|quantity.*",
        "plays|playcount|clicks|views|listens|watchtime|watchratio|hours",
    ),
    "time": (
        "timestamp|datetime|time|date|ts|unixtime|unixreviewtime|unix",
        "(?:invoice|order|event|purchase|transaction|review|click|created|rating|visit|sale)s?(?:date|time|timestamp|"
        "datetime|at|ts|day)(?:utc|ms)?",
        ".*(?:timestamp|datetime)(?:utc|ms)?|createdat|(?!birth|signup|ship|expir).*date?",
    ),
    "behaviour": (
        "behaviou?rs?|behaviou?rtype|action|actions|actiontype|event|eventtype|eventname|interaction|interactiontype",
        "type|activity|activitytype",
    ),
    "order": (
        "(?:invoice|order|basket|transaction|receipt|bill|ticket|purchase|session|cart|visit)(?:id|no|nr|number|code)?",
        "usersession|.*session(?:id)?",
    ),
    "price": ("(?:unit|item|product|sale|sales|list)?prices?(?:usd|eur|gbp)?|unitcost|cost",),
    "label": (
        "description|title|label",
        f"(?:{_ITEM_STEMS})(?:name|title|description|label)",
        "name",
    ),
}
ROLES = tuple(_PATTERNS)
BEHAVIOUR_WEIGHTS = {
    **dict.fromkeys(("view", "viewed", "pageview", "pv", "detail", "click", "clicked", "visit", "impression"), 1.0),
    **dict.fromkeys(("play", "played", "listen", "watch", "watched", "rate", "rated"), 1.0),
    **dict.fromkeys(("cart", "addtocart", "basket", "addtobasket", "wishlist", "collect", "save", "saved"), 2.0),
    **dict.fromkeys(("favourite", "favorite", "fav", "like", "liked", "share"), 2.0),
    **dict.fromkeys(("purchase", "purchased", "buy", "bought", "order", "ordered", "transaction", "checkout"), 3.0),
}


@dataclass(frozen=True)
class Roles:
    """The columns of an interactions file. ``user`` and ``item`` are needed, all others may be None.

    Attributes:
        user, item: ids.
        weight: a quantity or strength, > 0.
        rating: a judgement.
        time: when.
        behaviour: what was done (view, cart, purchase, ...).
        label: the item's name.
        order: invoice, basket or session.
        price: of one piece.
        user_attributes: further columns that say something about the user, constant per user.
    """

    user: str | None = None
    item: str | None = None
    weight: str | None = None
    rating: str | None = None
    time: str | None = None
    behaviour: str | None = None
    label: str | None = None
    order: str | None = None
    price: str | None = None
    user_attributes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, str]:
        """Return the roles that are taken, role -> column."""
        values = {role: getattr(self, role) for role in ROLES}
        return {role: column for role, column in values.items() if column is not None}

    def columns(self) -> list[str]:
        """Return every column that is needed, once."""
        return list(dict.fromkeys([*self.as_dict().values(), *self.user_attributes]))


@dataclass(frozen=True)
class AttributeRoles:
    """The columns of a users or items file: the id, the name shown, and everything else that may tell something."""

    id: str
    label: str | None
    attributes: tuple[str, ...]


def simple_name(column: str) -> str:
    """Return a column's name for comparison: ``Customer ID``, ``customer_id:token`` -> ``customerid``."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r":\w+$", "", str(column).strip()).lower())


def detect_roles(head: pd.DataFrame) -> Roles:
    """Return the roles that the columns of a file play; roles that nothing speaks for stay None.

    Names decide first. Where they do not, content does: times that parse, known words of behaviour, and ids that
    repeat - the last only where exactly one column can be meant.

    Args:
        head: the first rows of the file, as :func:`grouprec.data.read.peek` gives them.
    """
    found: dict[str, str] = {}
    for role in ROLES:
        column = _by_name(role, [column for column in head.columns if column not in found.values()], head)
        if column is not None:
            found[role] = column
    for role, test in {"time": _looks_like_time, "behaviour": _looks_like_behaviour}.items():
        free = [column for column in head.columns if column not in found.values()]
        matching = [column for column in free if test(head[column])]
        if role not in found and len(matching) == 1:
            found[role] = matching[0]
    missing = [role for role in ("user", "item") if role not in found]
    free = [column for column in head.columns if column not in found.values() and _looks_like_ids(head[column])]
    if missing and len(free) == len(missing):
        found.update(zip(missing, free, strict=True))
    if "item" not in found and "label" in found:
        found["item"] = found.pop("label")  # a file that knows its items by name only
    roles = replace(Roles(), **found)
    return replace(roles, user_attributes=_user_attributes(head, roles))


def _by_name(role: str, columns: list[str], head: pd.DataFrame) -> str | None:
    for pattern in _PATTERNS[role]:
        for column in columns:
            if re.fullmatch(pattern, simple_name(column)) and _fits(role, head[column]):
                return column
    return None


def _fits(role: str, column: pd.Series) -> bool:
    """Return False where the content contradicts the name: a numeric "label" or "event", a "type" with many words."""
    if role == "label":
        return not is_numeric(column)
    if role == "behaviour":
        return column.nunique() <= 50 and not pd.api.types.is_datetime64_any_dtype(column)
    return True


def _looks_like_time(column: pd.Series) -> bool:
    values = column.dropna()
    if values.empty:
        return False
    if is_numeric(values):
        # Plain numbers are times only where they would lie in 2000..2040, in whatever unit.
        seconds = to_seconds(values)
        return bool(to_numbers(values).min() > 9e8 and seconds.min() > 9.4e8 and seconds.max() < 2.21e9)
    return bool(np.isfinite(to_seconds(values)).mean() > 0.9)


def _looks_like_behaviour(column: pd.Series) -> bool:
    words = {simple_name(value) for value in column.dropna().unique()}
    return 0 < len(words) <= 20 and len(words & BEHAVIOUR_WEIGHTS.keys()) * 2 > len(words)


def _looks_like_ids(column: pd.Series) -> bool:
    """Return whether the values could be ids: text or whole numbers, of which many come again."""
    values = column.dropna()
    if values.empty or (is_numeric(values) and (to_numbers(values) % 1 != 0).any()):
        return False
    return 1 < values.nunique() <= 0.8 * len(values)


def _user_attributes(head: pd.DataFrame, roles: Roles) -> tuple[str, ...]:
    """Return the columns without a role that differ between users and hardly ever within one."""
    if roles.user is None:
        return ()
    users, _ = encode_ids(head[roles.user])
    chosen = []
    for column in head.columns:
        if column in roles.columns():
            continue
        values, distinct = encode_ids(head[column])
        known = (users >= 0) & (values >= 0)
        pairs = len(np.unique(users[known] * np.int64(len(distinct)) + values[known]))
        n_users = len(np.unique(users[known]))
        if len(distinct) > 1 and pairs <= 1.05 * n_users and n_users < 0.9 * known.sum():
            chosen.append(column)
    return tuple(chosen)


def parse_map(text: str) -> dict[str, str]:
    """Return role -> column of ``user=CustomerID,item=StockCode``; an empty column switches a role off.

    Raises:
        SettingError: not of that form, or an unknown role.
    """
    mapping: dict[str, str] = {}
    for part in re.split(r",(?=\s*\w+\s*=)", text):
        role, sign, column = part.partition("=")
        if not sign:
            raise SettingError(f"'{part.strip()}' is not of the form role=column; write --map user=COLUMN,item=COLUMN.")
        mapping[role.strip()] = column.strip()
    _check_role_names(mapping)
    return mapping


def apply_map(roles: Roles, mapping: Mapping[str, str], columns: Sequence[str]) -> Roles:
    """Return the roles with the user's own choices put in; a column that is given a role loses its detected one.

    Args:
        roles: as detected.
        mapping: role -> column, "" for none.
        columns: those of the file.
    Raises:
        SettingError: an unknown role, or a column in two roles.
        DataError: an unknown column, or no column for the user or the item.
    """
    _check_role_names(mapping)
    there = ", ".join(columns)
    for role, column in mapping.items():
        if column and column not in columns:
            raise DataError(f"There is no column '{column}' for --map {role}=...; the columns are: {there}.")
    given = [column for column in mapping.values() if column]
    double = next((column for column in given if given.count(column) > 1), None)
    if double is not None:
        both = " and ".join(role for role, column in mapping.items() if column == double)
        raise SettingError(f"--map gives the column '{double}' to {both}; every role needs a column of its own.")
    kept = {role: column for role, column in roles.as_dict().items() if role not in mapping and column not in given}
    kept.update({role: column for role, column in mapping.items() if column})
    for role in ("user", "item"):
        if role not in kept:
            raise DataError(
                f"No column was found for the {role}; say which it is with --map {role}=COLUMN, one of: {there}."
            )
    attributes = tuple(column for column in roles.user_attributes if column not in kept.values())
    return Roles(**kept, user_attributes=attributes)


def _check_role_names(mapping: Mapping[str, str]) -> None:
    known = {field.name for field in fields(Roles)} - {"user_attributes"}
    for role in mapping:
        if role not in known:
            raise SettingError(f"There is no role '{role}' for --map; choose from: {', '.join(ROLES)}.")


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
    named = _by_name(kind, list(table.columns), table)
    shared = {}
    for column in table.columns:
        _, values = encode_ids(table[column])
        shared[column] = len(wanted.intersection(pd.Index(values, dtype=object))) + 0.5 * (column == named)
    best = max(shared, key=shared.__getitem__)
    if shared[best] < 1:
        example = ids[0] if len(ids) else ""
        raise DataError(
            f"No column of '{file_name}' holds the {kind} ids of the interactions (such as '{shown(example)}'); "
            f"its columns are: {', '.join(map(str, table.columns))}."
        )
    rest = [column for column in table.columns if column != best]
    label = _by_name("label", rest, table)
    return AttributeRoles(best, label, tuple(column for column in rest if column != label))
