"""Cleaning, each step counted: first what concerns a row by itself, then what the training rows tell about the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from grouprec.core.language import N_, _, commas, decimal
from grouprec.core.types import DataError
from grouprec.data.limits import LONGEST_ID
from grouprec.data.preparing.addresses import merged_addresses
from grouprec.data.preparing.nobody import drop_nobody
from grouprec.data.preparing.not_taken import drop_cancelled, drop_nothing, drop_services, drop_sums
from grouprec.data.preparing.pseudonyms import pseudonymised
from grouprec.data.preparing.steps import Report, Rows, merge_duplicates, narrow
from grouprec.data.reading.encodings import check_name
from grouprec.data.reading.rejects import MOST_REJECTED
from grouprec.data.roles.behaviours import BEHAVIOUR_WEIGHTS, DEFAULT_BEHAVIOUR_WEIGHT, behaviour_weight
from grouprec.data.roles.columns import Roles
from grouprec.data.roles.doubts import (
    Doubt,
    id_doubts,
    mostly_unrated_doubt,
    number_doubts,
    time_doubts,
    twin_doubts,
    unrated_doubt,
    unread_doubt,
)
from grouprec.data.roles.header_words import simple_name
from grouprec.data.values.common import release_memory, shown, sorted_unique
from grouprec.data.values.ids import are_long, encode_ids, rounded_example
from grouprec.data.values.numerals import read_numbers
from grouprec.data.values.time_periods import foreign_calendar
from grouprec.data.values.times import latest_time, read_times

_FEWEST_APART = 20  # rows of which no two have a user or an item in common


class Preparation(BaseModel):
    """Settings of the preparation. Every field has a default, bounds and a description."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    behaviour_weights: dict[str, float] = Field(
        default=BEHAVIOUR_WEIGHTS,
        description="Weight of every behaviour; one that is not listed weighs 1, weight 0 drops its rows",
    )
    rating: Literal["weight", "threshold"] = Field(
        default="weight",
        description="Ratings are weights, or rows from the threshold on count as 1 and the others are dropped",
    )
    rating_threshold: float = Field(default=4.0, ge=-1e6, le=1e6, description="Lowest rating that counts as liking")
    duplicates: Literal["auto", "sum", "last"] = Field(
        default="auto",
        description="Repeated rows: add their weights, or keep the last; auto keeps the last for ratings",
    )
    drop_services: bool = Field(
        default=True,
        description="Leave out lines of orders that are no product: postage, fees, samples, vouchers, tips",
    )
    drop_robots: bool = Field(default=True, description="Keep users of extreme activity out of the training")
    robot_z: float = Field(
        default=4.0,
        ge=1,
        le=100,
        description="How many robust standard deviations above the median log activity is a robot",
    )
    winsorise: float = Field(
        default=0.99, ge=0.5, le=1, description="Quantile that larger quantities are cut to; 1 cuts none"
    )
    min_user_items: int = Field(
        default=1, ge=1, le=1000, description="Fewest different items of a user in the training"
    )
    min_item_users: int = Field(
        default=3, ge=1, le=1000, description="Fewest different users of an item in the training"
    )
    weighting: Literal["log", "none", "binary"] = Field(
        default="log", description="Weights become log(1 + weight) with mean 1, stay as they are, or are all 1"
    )
    test_share: float = Field(default=0.1, ge=0, le=0.5, description="Share of the rows that judges the result")
    validation_share: float = Field(default=0.1, ge=0, le=0.4, description="Share of the rows that chooses settings")
    split: Literal["auto", "time", "user", "user_time"] = Field(
        default="auto",
        description="The last rows in time, rows of every user at random (user), or every user's own last rows "
        "(user_time); auto takes the first of time, user_time and user that leaves enough users to judge by",
    )
    most_rejected: float = Field(
        default=MOST_REJECTED,
        ge=0,
        le=1,
        description="Largest share of rows that may be left out because they cannot be read; beyond "
        "it the file is refused",
    )
    encoding: str = Field(
        default="",
        max_length=40,
        description="Encoding of a text file, such as cp1252 or gb18030; mixed decides line by line; empty: found",
    )
    sheet: str = Field(
        default="",
        max_length=100,
        description="Sheet of a workbook or file in a zip archive; empty: the one that looks most like a table",
    )

    pseudonyms: bool = Field(
        default=False,
        description="Users' ids become a hash by the secret key in GROUPREC_ID_KEY; nothing that is kept holds the ids",
    )

    @model_validator(mode="after")
    def _encoding_is_known(self) -> Self:
        check_name(self.encoding)
        return self

    @model_validator(mode="after")
    def _weights_are_positive(self) -> Self:
        for behaviour, weight in self.behaviour_weights.items():
            if not (np.isfinite(weight) and weight >= 0):
                raise ValueError(f"the weight of the behaviour '{behaviour}' must be 0 or more, not {weight}")
        return self


@dataclass(frozen=True, eq=False)
class Cleaned:
    """Rows that are valid by themselves, and the ids their codes stand for (object arrays of str, sorted)."""

    rows: Rows
    user_ids: np.ndarray
    item_ids: np.ndarray
    merge: Literal["sum", "last"]


def clean_rows(table: pd.DataFrame, roles: Roles, settings: Preparation, report: Report) -> Cleaned:
    """Return the valid rows of a table: the steps that look at one row, or its exact duplicates, only.

    Args:
        table: the columns of ``roles``, as read; each is dropped once it is read, for they are large: only labels,
            prices and attributes stay.
        roles: ``user`` and ``item`` must be there.
        settings: how ratings, behaviours and duplicates are taken.
        report: is added to.
    Raises:
        DataError: a step leaves no rows, or most times cannot be read.
    """
    n = len(table)
    users, user_ids = encode_ids(table[roles.user])
    items, item_ids = encode_ids(table[roles.item])
    items, item_ids, told = merged_addresses(items, item_ids, str(roles.item))
    report.doubts += told
    keep = (users >= 0) & (items >= 0)
    note = _("without user: {n}, without item: {n_items}").format(
        n=decimal(int(np.sum(users < 0))), n_items=decimal(int(np.sum(items < 0)))
    )
    report.add(N_("missing ids"), n, int(keep.sum()), note, "choose other columns with --map user=COLUMN,item=COLUMN")
    keep = _drop_long_ids(keep, users, user_ids, items, item_ids, report)
    keep = drop_nobody(users, user_ids, str(roles.user), keep, report)
    keep = drop_sums(users, user_ids, items, item_ids, keep, report)
    report.doubts += id_doubts("item", str(roles.item), item_ids) + twin_doubts("item", str(roles.item), item_ids)
    if settings.pseudonyms:
        users, user_ids = pseudonymised(users, user_ids)
    else:
        report.doubts += id_doubts("user", str(roles.user), user_ids) + twin_doubts("user", str(roles.user), user_ids)
    keep = drop_services(table, roles, settings.drop_services, items, item_ids, keep, report)
    keep, times = _read_times(table, roles, keep, report)
    _forget(table, roles, "user", "item", "time")
    orders, order_ids = (None, np.empty(0, object)) if roles.order is None else encode_ids(table[roles.order])
    keep = drop_nothing(table, roles, orders, keep, report)
    numbers = _read_numbers(table, roles, settings, keep, report)
    _forget(table, roles, "user", "item", "time", "clock", "order", "outcome", "weight", "rating")
    keep = drop_cancelled(roles, numbers, orders, order_ids, keep, report)
    keep, weights = _read_weights(roles, numbers, settings, keep, report)
    behaviours, factors = _read_behaviours(table, roles, settings)
    _forget(table, roles, "behaviour")
    spend = None if roles.price is None else _spend(numbers, factors)
    if factors is not None:
        weights = weights * factors
        note = _("column '{behaviour}'").format(behaviour=shown(roles.behaviour))
        keep = narrow(report, N_("behaviours of weight 0"), keep, weights > 0, note, "give one a weight above 0")
    merge = settings.duplicates
    if merge == "auto":
        merge = "last" if "rating" in numbers and roles.weight is None else "sum"
    source = np.arange(n, dtype=np.int32 if n < 2**31 else np.int64)
    rows = Rows(users, items, weights, times, behaviours, orders, spend, source)
    del users, items, weights, times, behaviours, orders, spend, source, numbers, factors  # they are the rows now
    rows = rows if keep.all() else rows.take(np.flatnonzero(keep))
    return Cleaned(merge_duplicates(rows, merge, report), user_ids, item_ids, merge)


def check_two(cleaned: Cleaned, roles: Roles) -> None:
    """Refuse rows of one user or one item, and rows of which no two have anything in common.

    Raises:
        DataError: says which column it is.
    """
    for kind, codes, ids in (
        ("user", cleaned.rows.users, cleaned.user_ids),
        ("item", cleaned.rows.items, cleaned.item_ids),
    ):
        if len(codes) and (codes == codes[0]).all():
            only = ids[codes[0]]
            why = f"groups need two or more; is --map {kind}=COLUMN right?"
            if rounded_example(np.array([only], dtype=object)):
                why = "a spreadsheet has shortened the ids; export the file again without opening it there."
            raise DataError(
                f"There is only one {kind}, '{shown(only)}', in column '{shown(getattr(roles, kind))}': {why}"
            )
    n = len(cleaned.rows)
    if n >= _FEWEST_APART and n == len(sorted_unique(cleaned.rows.users)) == len(sorted_unique(cleaned.rows.items)):
        raise DataError(
            f"Each of the {n:,} rows has a user of its own (column '{shown(roles.user)}') and an item of its own "
            f"(column '{shown(roles.item)}'): this looks like a list of users or of items, not of who took what. "
            "Give a file with a row for every item of every user; this one can stand beside it as the file of users "
            "or of items."
        )


def _forget(table: pd.DataFrame, roles: Roles, *read: str) -> None:
    """Drop the columns of roles that have been read, in place, unless they have another role that has not."""
    others = {name for role, name in roles.as_dict().items() if role not in read} | set(roles.user_attributes)
    for name in {getattr(roles, role) for role in read} - others:
        if name in table:
            del table[name]
    release_memory()


def _drop_long_ids(
    keep: np.ndarray, users: np.ndarray, user_ids: np.ndarray, items: np.ndarray, item_ids: np.ndarray, report: Report
) -> np.ndarray:
    """Drop rows whose ids nobody has given to anything: a page of text, a picture."""
    long = {"user": are_long(user_ids)[users], "item": are_long(item_ids)[items]}
    dropped = (long["user"] | long["item"]) & keep
    if not dropped.any():
        return keep
    note = commas(f"{kind}: {int((one & keep).sum()):,}" for kind, one in long.items())
    step = _("ids of more than {longest_id} characters").format(longest_id=decimal(LONGEST_ID))
    report.doubts.append(
        Doubt(
            _("{dropped} rows have {step} and are left out ({note})").format(
                dropped=decimal(int(dropped.sum())), step=step, note=note
            )
        )
    )
    return narrow(report, step, keep, ~dropped, note, "choose other columns with --map user=COLUMN,item=COLUMN")


def _read_times(
    table: pd.DataFrame, roles: Roles, keep: np.ndarray, report: Report
) -> tuple[np.ndarray, np.ndarray | None]:
    if roles.time is None:
        return keep, None
    column = table[roles.time]
    found = read_times(column, None if roles.clock is None else table[roles.clock])
    times, report.time_order = found.seconds, found.order
    bad = np.isnan(times) & keep
    check_times(column, bad, int(keep.sum()), found.outside)
    report.doubts += unread_doubt("time", column, found.unread & keep) + time_doubts(str(roles.time), found)
    note = _("column '{time}': {bad} empty or not a time").format(time=shown(roles.time), bad=decimal(bad.sum()))
    return narrow(
        report, N_("times that cannot be read"), keep, ~bad, note, "switch the time off with --map time="
    ), times


def check_times(column: pd.Series, bad: np.ndarray, n: int, outside: np.ndarray | None = None) -> None:
    """Raise DataError where more than half of ``n`` rows have a time that cannot be read (``bad`` is a mask).

    Args:
        outside: which of them are moments when nothing of the file can have happened; None for none.
    """
    if bad.sum() * 2 <= n:
        return
    values = column[bad].dropna()
    example = _("such as '{value}'").format(value=shown(values.iloc[0])) if len(values) else _("it is empty")
    calendar = foreign_calendar(str(values.iloc[0])) if len(values) else ""
    example += f", a year of the {calendar} calendar" if calendar else ""
    if outside is not None and (outside & bad).sum() * 2 > bad.sum():
        last = datetime.fromtimestamp(latest_time(), UTC)
        raise DataError(
            f"{bad.sum():,} of {n:,} times in column '{shown(column.name)}' lie before 1970 or after {last:%B %Y} "
            f"({example}); if they are right and only their order counts, move them, else choose another column with "
            "--map time=COLUMN, or do without with --map time=."
        )
    raise DataError(
        f"{bad.sum():,} of {n:,} times in column '{shown(column.name)}' cannot be read ({example}); write them like "
        "2024-05-31 14:30, choose another column with --map time=COLUMN, or do without with --map time=."
    )


def _read_numbers(
    table: pd.DataFrame, roles: Roles, settings: Preparation, keep: np.ndarray, report: Report
) -> dict[str, np.ndarray]:
    """Return the numbers of weight, rating and price, as far as they have columns.

    Without the ratings where most rows have none: those rows are no ratings that were lost, but a log of what people
    did, in which some rate. Somebody who sets a threshold asks for the rows that are rated.
    """
    found = {}
    for role in ("weight", "rating", "price"):
        name = getattr(roles, role)
        if name is None:
            continue
        numbers = read_numbers(table[name], counts=role == "weight")
        report.doubts += unread_doubt(role, table[name], numbers.unread) + number_doubts(role, name, numbers)
        if role == "rating" and settings.rating == "weight":
            told = mostly_unrated_doubt(name, numbers.values[keep & ~numbers.unread])
            report.doubts += told
            if told:
                continue
        found[role] = numbers.values
    return found


def _read_weights(
    roles: Roles, numbers: Mapping[str, np.ndarray], settings: Preparation, keep: np.ndarray, report: Report
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows kept and the weights: the quantity, else the rating, else 1."""
    weights = np.ones(len(keep))
    if roles.weight is not None:
        weights = numbers["weight"]
        bad = int(np.sum(keep & ~np.isfinite(weights)))
        note = _("column '{weight}': {bad} empty, infinite or not a number").format(
            weight=shown(roles.weight), bad=decimal(bad)
        )
        advice = "choose another column with --map weight=COLUMN or weight="
        keep = narrow(report, N_("weights that are not numbers"), keep, np.isfinite(weights), note, advice)
    if "rating" not in numbers:
        return keep, weights
    ratings = numbers["rating"]
    note = _("column '{rating}': {n} empty, infinite or not a number").format(
        rating=shown(roles.rating), n=decimal(int(np.sum(keep & ~np.isfinite(ratings))))
    )
    advice = "choose another column with --map rating=COLUMN or rating="
    keep = narrow(report, N_("ratings that are not numbers"), keep, np.isfinite(ratings), note, advice)
    if settings.rating == "threshold":
        note = _("'{rating}' below {rating_threshold}").format(
            rating=shown(roles.rating), rating_threshold=f"{settings.rating_threshold:g}"
        )
        good = ratings >= settings.rating_threshold
        return narrow(report, N_("low ratings"), keep, good, note, "lower the rating threshold"), weights
    if roles.weight is not None:
        return keep, weights
    note = _("'{rating}' of 0 or less cannot be a weight").format(rating=shown(roles.rating))
    report.doubts += unrated_doubt(str(roles.rating), ratings[keep])
    return narrow(
        report, N_("non-positive ratings"), keep, ratings > 0, note, "use a rating threshold instead"
    ), ratings


def _read_behaviours(
    table: pd.DataFrame, roles: Roles, settings: Preparation
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Return behaviour codes and the weight of every row's behaviour; names compare without case and signs."""
    if roles.behaviour is None:
        return None, None
    codes, names = encode_ids(table[roles.behaviour])
    known = {simple_name(name): weight for name, weight in settings.behaviour_weights.items()}
    found = [behaviour_weight(name, known) for name in names]
    weights = [DEFAULT_BEHAVIOUR_WEIGHT if one is None else one for one in [*found, None]]
    return codes, np.array(weights)[codes]


def _spend(numbers: Mapping[str, np.ndarray], factors: np.ndarray | None) -> np.ndarray:
    """Return quantity x price; where behaviours differ, only the heaviest (buying, not looking) costs anything."""
    spend = numbers["price"] * numbers.get("weight", 1.0)
    return spend if factors is None else np.where(factors == factors.max(), spend, 0.0)
