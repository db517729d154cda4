"""Rows that are no taking of an item: postage and fees, what came to nothing, what was cancelled or given back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.core.language import N_, _, commas, decimal
from grouprec.data.preparing.services import MOST_SERVICES, find_services
from grouprec.data.preparing.steps import Report, narrow
from grouprec.data.reading.wide import is_total
from grouprec.data.roles.columns import Roles
from grouprec.data.roles.doubts import LEAVE_OUT, Doubt, told_counts
from grouprec.data.roles.outcomes import came_to_nothing, not_understood
from grouprec.data.values.common import shown

_CLOSING, _TAIL = 3, 100  # rows that may sum up all others, among so many at the end of a file
_SOLD = 0.5  # share of quantities below zero from which on these are what was taken: books of stock count so


def drop_services(
    table: pd.DataFrame,
    roles: Roles,
    drop: bool,
    items: np.ndarray,
    item_ids: np.ndarray,
    keep: np.ndarray,
    report: Report,
) -> np.ndarray:
    """Drop postage, fees and the like; where they are many, they are what the shop sells, and stay."""
    ordered = any(role is not None for role in (roles.order, roles.price, roles.weight))
    services, names = find_services(items, item_ids, None if roles.label is None else table[roles.label], ordered)
    found = np.append(services, False)[items] & keep
    n, n_kept = int(found.sum()), int(keep.sum())
    if not n:
        return keep
    told = commas(shown(name) for name in names[:3]) + (
        _(" and {n_names} more").format(n_names=len(names) - 3) if len(names) > 3 else ""
    )
    many = services.mean() > MOST_SERVICES or n > MOST_SERVICES * n_kept
    if many or not drop:
        if many:
            report.doubts.append(
                Doubt(
                    _("{n} rows look like service lines ({told}), but they are too many to be left out").format(
                        n=decimal(n), told=told
                    )
                )
            )
        return keep
    report.doubts.append(
        Doubt(
            _("{n} rows are service lines and left out ({told})").format(n=decimal(n), told=told),
            setting="drop_services",
        )
    )
    return narrow(report, N_("service lines"), keep, ~found, told, "keep them with --set data.drop_services=false")


def drop_sums(
    users: np.ndarray,
    user_ids: np.ndarray,
    items: np.ndarray,
    item_ids: np.ndarray,
    keep: np.ndarray,
    report: Report,
) -> np.ndarray:
    """Drop rows at the end that sum up all others: *Grand total*, as a user or an item that no other row has."""
    begin, rows = max(len(keep) - _TAIL, 0), []
    names: list[str] = []
    for row in begin + np.flatnonzero(keep[begin:])[-_CLOSING:][::-1]:
        called = [
            str(ids[codes[row]])
            for codes, ids in ((users, user_ids), (items, item_ids))
            if is_total(ids[codes[row]]) and np.count_nonzero(codes == codes[row]) == 1
        ]
        if not called:
            break
        rows.append(row)
        names.append(shown(called[0]))
    if not names:
        return keep
    sums = np.zeros(len(keep), bool)
    sums[rows] = True
    matter = _("the last rows sum up all others and are left out ({told})")
    report.doubts.append(Doubt(matter.format(told=commas(names[::-1]))))
    return narrow(report, N_("sums at the end"), keep, ~sums, commas(names[::-1]), "take the sums out of the file")


def drop_nothing(
    table: pd.DataFrame, roles: Roles, orders: np.ndarray | None, keep: np.ndarray, report: Report
) -> np.ndarray:
    """Drop rows that came to nothing: cancelled, refunded, not clicked."""
    if roles.outcome is None:
        return keep
    column = table[roles.outcome]
    nothing, values = came_to_nothing(column)
    if orders is not None and nothing.any():
        # Exports of shops write an order's status on its first line only.
        bad_orders = np.unique(orders[nothing & (orders >= 0)])
        nothing |= np.isin(orders, bad_orders) & column.isna().to_numpy()
    unknown = not_understood(column)
    if not (nothing & keep).any():
        if unknown:
            matter = _("in column '{outcome}' it is not known what these mean: {values}; their rows stay")
            matter = matter.format(outcome=shown(roles.outcome), values=told_counts(unknown))
            report.doubts.append(Doubt(matter, advice=_(LEAVE_OUT)))
        return keep
    note = _("column '{outcome}': {values}").format(outcome=shown(roles.outcome), values=told_counts(values))
    matter = _("{nothing} rows came to nothing and are left out ({note})")
    if unknown:
        matter = _("{nothing} rows came to nothing and are left out ({note}); not known here: {values}, which stay")
    matter = matter.format(nothing=decimal(int((nothing & keep).sum())), note=note, values=told_counts(unknown))
    report.doubts.append(Doubt(matter, role="outcome"))
    return narrow(report, N_("came to nothing"), keep, ~nothing, note, "count all rows alike with --map outcome=")


def drop_cancelled(
    roles: Roles,
    numbers: dict[str, np.ndarray],
    orders: np.ndarray | None,
    order_ids: np.ndarray,
    keep: np.ndarray,
    report: Report,
) -> np.ndarray:
    """Drop cancelled orders (C and a number where the others are numbers) and quantities of 0 or less.

    Where most quantities are below zero, ``numbers`` is turned round.
    """
    good, notes = np.ones(len(keep), dtype=bool), []
    if orders is not None:
        texts = pd.Series(order_ids, dtype="str")
        cancelled = texts.str.fullmatch(r"[Cc]\d+").to_numpy(dtype=bool)
        if cancelled.any() and texts.str.fullmatch(r"\d+").mean() > 0.5:
            good &= ~np.append(cancelled, False)[orders]
            notes.append(_("cancelled orders: {n}").format(n=decimal(int(np.sum(keep & ~good)))))
    if roles.weight is not None:
        positive = ~(numbers["weight"] <= 0)
        if (numbers["weight"][keep & good] < 0).mean() > _SOLD:
            numbers["weight"] *= -1
            positive = ~(numbers["weight"] <= 0)
            matter = _("most values of column '{weight}' are below zero: they count as taken, and others as given back")
            report.doubts.append(Doubt(matter.format(weight=shown(roles.weight)), role="weight"))
        notes.append(
            _("'{weight}' of 0 or less: {n}").format(
                weight=shown(roles.weight), n=decimal(int(np.sum(keep & good & ~positive)))
            )
        )
        good &= positive
    if not notes:
        return keep
    advice = "choose another column with --map weight=COLUMN or weight="
    return narrow(report, N_("cancellations and non-positive quantities"), keep, good, commas(notes), advice)
