"""What users write beside an interaction (reviews, comments, search words), as a text of the item and of the user.

Of training rows only. Bounded, so that millions of reviews stay a few megabytes: the first texts of everybody, each cut,
and as many characters each as :data:`MOST_CHARACTERS` for all allow. Texts describe; whoever wrote most says no more.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.core.language import _, decimal
from grouprec.data.attributes import MAX_CATEGORIES, UNKNOWN
from grouprec.data.clean import Rows
from grouprec.data.doubts import Doubt
from grouprec.data.values import shown

MOST_READ = 400_000_000  # characters of a column: a longer one is not read
MOST_CHARACTERS = 20_000_000  # of all items, and of all users
_LONGEST, _MOST_TEXTS = 300, 20  # characters of one text; texts of one item or user
_FEWEST = 20  # different texts; fewer are kinds


def is_too_long(head: pd.Series, n_rows: int | None) -> bool:
    """Return whether a column of texts is longer than what is read, from its first rows; of unknown many, no."""
    length = head.dropna().astype("str").str.len().sum() / max(len(head), 1)
    return length * (n_rows or 0) > MOST_READ


def read_doubt(column: str, head: pd.Series, n_rows: int | None) -> Doubt:
    """Say how a column of texts is read, or that it is not."""
    if is_too_long(head, n_rows):
        matter = _("column '{column}' holds more than {most} million characters and is not read as what users say")
        return Doubt(matter.format(column=shown(column), most=decimal(MOST_READ // 1_000_000)), role="text")
    matter = _("column '{column}' is read as what users say of items: a text of each item and of each user")
    return Doubt(matter.format(column=shown(column)), role="text")


def texts_said(
    table: pd.DataFrame, column: str | None, train: Rows, n_users: int, n_items: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the texts of users and of items as a column each, "unknown" where there are none; none for no column.

    Args:
        table: as read; ``train.source`` are rows of it.
    """
    users, items = pd.DataFrame(index=pd.RangeIndex(n_users)), pd.DataFrame(index=pd.RangeIndex(n_items))
    if column is None:
        return users, items
    rows = np.sort(train.source)  # as in the file
    order = np.argsort(train.source, kind="stable")
    said = table[column].iloc[rows].astype("str").str.slice(0, _LONGEST).str.strip()
    there = np.flatnonzero((said.notna() & (said != "")).to_numpy(dtype=bool))
    texts = said.to_numpy(dtype=object)[there]
    if len(set(texts[:1000])) < _FEWEST:
        return users, items
    for frame, owners in ((users, train.users), (items, train.items)):
        if len(frame) > MAX_CATEGORIES:  # of fewer a text would be a category of its own
            frame[column] = _joined(owners[order][there], texts, len(frame))
    return users, items


def _joined(owners: np.ndarray, texts: np.ndarray, n: int) -> pd.Series:
    """Return the first texts of every owner as one, str [n]."""
    by_owner = np.argsort(owners, kind="stable")
    ordered = owners[by_owner]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.empty(0, int)
    stops = np.append(starts[1:], len(ordered))
    longest = max(MOST_CHARACTERS // max(n, 1), 40)
    found = np.full(n, UNKNOWN, dtype=object)
    for start, stop in zip(starts, np.minimum(stops, starts + _MOST_TEXTS), strict=True):
        found[ordered[start]] = " ".join(texts[by_owner[start:stop]])[:longest]
    return pd.Series(found, dtype="str")
