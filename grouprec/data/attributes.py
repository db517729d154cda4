"""What is known about users and items besides their interactions: from files, and from training rows."""

from __future__ import annotations

from dataclasses import dataclass
from html import unescape

import numpy as np
import pandas as pd

from grouprec.core.language import _, decimal, ngettext
from grouprec.data.clean import Rows
from grouprec.data.columns import AttributeRoles, Roles
from grouprec.data.evidence import MOST_CIRCUMSTANCES
from grouprec.data.ids import encode_ids, near_ids
from grouprec.data.numerals import is_numeric, to_numbers

MOST_DISTINCT = 200
MAX_CATEGORIES = 50  # different texts of a column of items or users from which on they may be free text
LEAST_CONSTANT = 0.95
NAMES = 0.9  # different descriptions among so many items are names: they need no id beside them
UNKNOWN = "unknown"
_DAY = 86400.0


def attribute_table(file: tuple[pd.DataFrame, AttributeRoles] | None, ids: np.ndarray) -> pd.DataFrame:
    """Return the attributes of a users or items file, one row per id in the given order.

    Numeric columns become float64 with NaN where missing, all others text with "unknown" where missing. Of two rows
    with one id the first counts. Columns without any value are left out.
    """
    if file is None:
        return pd.DataFrame(index=pd.RangeIndex(len(ids)))
    table, roles = file
    places = places_of(table[roles.id], ids)
    columns = {name: _typed(table[name].iloc[np.maximum(places, 0)], places >= 0) for name in roles.attributes}
    return pd.DataFrame({name: values for name, values in columns.items() if values is not None})


@dataclass(frozen=True)
class Described:
    """What a users or items file says.

    Attributes:
        known: how many of the dataset's ids it knows.
        of: of how many.
        columns: of use.
        near: how many more it would know if ids were written alike, with an example; "" for none.
        again: rows of ids that an earlier row has: only the first counts.
    """

    known: int
    of: int
    columns: tuple[str, ...]
    near: str = ""
    again: int = 0

    def sentence(self, name: str, kind: str) -> str:
        """Return ``movies.csv describes 150 of 151 items that lists are made of (title, genres)``."""
        columns = ", ".join(self.columns[:4]) + (" ..." if len(self.columns) > 4 else "")
        said = f" ({columns})" if columns else ""
        sentence = (
            _("{name} describes {known} of {of} items that lists are made of{said}")
            if kind == "items"
            else _("{name} describes {known} of {of} users who train{said}")
        ).format(name=name, known=decimal(self.known), of=decimal(self.of), said=said)
        n = self.again
        more = ngettext(
            "; {n} further row of the same ids is left out", "; {n} further rows of the same ids are left out", n
        )
        again = more.format(n=decimal(n)) if n else ""
        return f"{sentence}{f'; {self.near}' if self.near else ''}{again}"


def described(file: tuple[pd.DataFrame, AttributeRoles] | None, ids: np.ndarray) -> Described | None:
    """Return how many ids of the dataset a users or items file knows; None where there is no such file."""
    if file is None:
        return None
    table, roles = file
    columns = (roles.label, *roles.attributes) if roles.label else roles.attributes
    codes, names = encode_ids(table[roles.id])
    n_near, how = near_ids(ids, names)
    alike = _("{n} more would match if they were written alike ({how})").format(n=decimal(n_near), how=how)
    near = alike if n_near else ""
    again = int((codes >= 0).sum()) - len(np.unique(codes[codes >= 0]))
    return Described(int((places_of(table[roles.id], ids) >= 0).sum()), len(ids), tuple(columns), near, again)


def places_of(column: pd.Series, ids: np.ndarray) -> np.ndarray:
    """Return the first row of the table that bears each id, -1 where there is none."""
    codes, names = encode_ids(column)
    rows = np.flatnonzero(codes >= 0)
    present, first = np.unique(codes[rows], return_index=True)
    return pd.Series(rows[first], index=names[present]).reindex(ids, fill_value=-1).to_numpy()


def _typed(column: pd.Series, known: np.ndarray) -> pd.Series | None:
    """Return numbers where all values are numbers, else text; None where nothing is known."""
    column = column.reset_index(drop=True).where(known)
    if column.isna().all():
        return None
    if is_numeric(column):
        return pd.Series(to_numbers(column))
    codes, names = encode_ids(column)
    return pd.Series(np.append(names, UNKNOWN)[codes], dtype="str")


def user_columns(table: pd.DataFrame, columns: tuple[str, ...], train: Rows, n_users: int) -> pd.DataFrame:
    """Return the columns of the interactions that say something of the user, by their most frequent value in training.

    A column that at least 95 % of the rows agree with belongs to the user; it stays if it is numeric or has at most 200
    values. Another one (a device, a channel) tells what is ``usual`` with a user, if it is text of at most 30 values.
    """
    kept = {}
    for column in columns:
        values = table[column].iloc[train.source]
        codes, names = encode_ids(values)
        numeric = is_numeric(values)
        usual = most_frequent(train.users, codes, n_users)
        known = codes >= 0
        agreeing = (codes == usual[train.users])[known]
        if not known.any():
            continue
        constant = agreeing.mean() >= LEAST_CONSTANT
        if constant and numeric:
            kept[column] = np.append(to_numbers(pd.Series(names)), np.nan)[usual]
        elif constant and len(names) <= MOST_DISTINCT:
            kept[column] = pd.Series(np.append(names, UNKNOWN)[usual], dtype="str")
        elif not numeric and len(names) <= MOST_CIRCUMSTANCES and len(np.unique(usual[usual >= 0])) > 1:
            kept[f"usual {column}"] = pd.Series(np.append(names, UNKNOWN)[usual], dtype="str")
    return pd.DataFrame(kept, index=pd.RangeIndex(n_users))


def item_columns(table: pd.DataFrame, roles: Roles, train: Rows, n_items: int) -> pd.DataFrame:
    """Return what the interactions say of items: the most frequent words of training rows, the median price."""
    kept = {}
    for column in roles.item_attributes:
        codes, names = encode_ids(table[column].iloc[train.source])
        usual = most_frequent(train.items, codes, n_items)
        if (usual >= 0).any():
            kept[column] = pd.Series(np.append(names, UNKNOWN)[usual], dtype="str")
    if roles.price is not None:
        kept.setdefault("price", _median_price(table[roles.price], train, n_items))
    return pd.DataFrame(kept, index=pd.RangeIndex(n_items))


def _median_price(column: pd.Series, train: Rows, n_items: int) -> pd.Series:
    """Return every item's median price in training rows, NaN where there is none."""
    prices = pd.Series(to_numbers(column.iloc[train.source]))
    prices = prices.where(np.isfinite(prices) & (prices > 0))
    return prices.groupby(train.items).median().reindex(range(n_items))


def most_frequent(owners: np.ndarray, values: np.ndarray, n_owners: int) -> np.ndarray:
    """Return every owner's most frequent value, int64 [n_owners]; -1 where there is none. Ties go to the smaller.

    Args:
        owners: int [n] in 0..n_owners-1.
        values: int [n], -1 where missing.
        n_owners: how many there are.
    """
    known = values >= 0
    width = np.int64(values.max(initial=0)) + 1
    pairs, counts = np.unique(owners[known] * width + values[known], return_counts=True)
    order = np.lexsort((pairs, -counts, pairs // width))
    ranked, first = np.unique(pairs[order] // width, return_index=True)
    usual = np.full(n_owners, -1, np.int64)
    usual[ranked] = pairs[order][first] % width
    return usual


def activity(train: Rows, n_users: int) -> pd.DataFrame:
    """Return recency, frequency and spend of every user, from training rows only.

    recency_days: days from the user's last row to the last of all; where there are times.
    frequency: distinct orders, else distinct times, else rows.
    spend: sum of quantity x price; where there is a price.
    """
    columns: dict[str, np.ndarray] = {}
    if train.times is not None:
        last = np.full(n_users, -np.inf)
        np.maximum.at(last, train.users, train.times)
        columns["recency_days"] = (train.times.max() - last) / _DAY
    visits = train.orders if train.orders is not None and (train.orders >= 0).mean() > 0.5 else train.times
    if visits is None:
        columns["frequency"] = np.bincount(train.users, minlength=n_users).astype(np.float64)
    else:
        codes = _visit_codes(visits, n_users)
        codes *= n_users  # in place: there is one for every row
        codes += train.users
        codes.sort()
        owners = codes[np.append(True, codes[1:] != codes[:-1])[: len(codes)]]
        owners %= n_users
        columns["frequency"] = np.bincount(owners, minlength=n_users).astype(np.float64)
    if train.spend is not None:
        columns["spend"] = np.bincount(train.users, train.spend, minlength=n_users)
    return pd.DataFrame(columns)


def _visit_codes(visits: np.ndarray, n_users: int) -> np.ndarray:
    """Return int64 codes of visits (orders or times); of whole seconds these themselves, which needs no table."""
    first = visits.min(initial=0)
    if (visits % 1 == 0).all() and (visits.max(initial=0) - first + 1) * n_users < 2**62:
        return (visits - first).astype(np.int64)
    return pd.factorize(visits)[0].astype(np.int64)


def item_labels(
    table: pd.DataFrame,
    label: str | None,
    train: Rows,
    item_file: tuple[pd.DataFrame, AttributeRoles] | None,
    item_ids: np.ndarray,
) -> np.ndarray:
    """Return a label for every item, object array of str [I].

    It is that of the items file, else the item's most frequent label in training rows, else what the items file says
    that it is, with its id, else its id.
    """
    labels = item_ids.copy()
    if label is None:
        labels[:] = [unescape(one) if "&" in one else one for one in item_ids]
    else:
        codes, names = encode_ids(table[label].iloc[train.source])
        usual = most_frequent(train.items, codes, len(item_ids))
        labels[usual >= 0] = [unescape(name) for name in names[usual[usual >= 0]]]  # shops export &amp; for &
    return labels if item_file is None else label_table(item_file, item_ids, labels)


def label_table(file: tuple[pd.DataFrame, AttributeRoles], ids: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the labels, object array of str [n], with those of the items file in their place where it has any.

    Where it has none, items without a label (whose label is their id) are called by what describes them.
    """
    table, roles = file
    column = roles.label if roles.label is not None else roles.described_by
    if column is None:
        return labels
    places = places_of(table[roles.id], ids)
    codes, names = encode_ids(table[column].iloc[np.maximum(places, 0)])
    known = (places >= 0) & (codes >= 0)
    if roles.label is not None:
        labels[known] = names[codes[known]]
        return labels
    known &= labels == ids
    unique = len(np.unique(codes[known])) > NAMES * known.sum()
    said = names[codes[known]]
    labels[known] = said if unique else [f"{what} · {one}" for what, one in zip(said, ids[known], strict=True)]
    return labels
