"""What users write beside an interaction (reviews, comments, search words), as a text of the item and of the user.

Of training rows only. Bounded, so that millions of reviews stay small: the first texts of everybody, each cut, and
as many characters each as :data:`MOST_CHARACTERS` for all allow. Texts describe; whoever wrote most says no more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.language import _, decimal
from grouprec.data.preparing.attributes import MAX_CATEGORIES, UNKNOWN
from grouprec.data.preparing.clean import Rows
from grouprec.data.roles.columns import Roles
from grouprec.data.roles.doubts import Doubt
from grouprec.data.values.common import shown
from grouprec.data.values.ids import encode_ids

MOST_READ = 400_000_000  # characters of a column: a longer one is not read
MOST_CHARACTERS = 20_000_000  # of all items, and of all users
_LONGEST, _MOST_TEXTS = 300, 20  # characters of one text; texts of one item or user
_FEWEST = 20  # different texts, and items with two; of fewer nobody can tell
_LOOKED_AT, _MOST_COMPARED = 200_000, 1_000  # rows and items that tell whether texts are about items
_LETTERS: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (2, 4), "max_features": 1 << 14}
_SURE = 3.0  # standard errors


def is_too_long(head: pd.Series, n_rows: int | None) -> bool:
    """Return whether a column of texts is longer than what is read, from its first rows; of unknown many, no."""
    length = head.dropna().astype("str").str.len().sum() / max(len(head), 1)
    return length * (n_rows or 0) > MOST_READ


def too_long(column: str) -> Doubt:
    """Say that a column of texts is not read."""
    matter = _("column '{column}' holds more than {most} million characters and is not read as what users say")
    return Doubt(matter.format(column=shown(column), most=decimal(MOST_READ // 1_000_000)), role="text")


def settled(table: pd.DataFrame, roles: Roles, chosen: bool) -> tuple[Roles, list[Doubt]]:
    """Return the roles without a column of texts that tells nothing of items, and what to say about it.

    Args:
        table: the rows as read.
        chosen: somebody has said that this is the column: then it stays.
    """
    column = roles.text
    if column is None:
        return roles, []
    head = table.iloc[:_LOOKED_AT]
    tell = True if chosen else _tell_items(head[column], encode_ids(head[roles.item])[0])
    if tell is None:
        return replace(roles, text=None), []
    if tell:
        matter = _("column '{column}' is read as what users say of items: a text of each item and of each user")
    else:
        roles = replace(roles, text=None)
        matter = _("texts in column '{column}' are no more alike for one item than for two: they are not used")
    return roles, [Doubt(matter.format(column=shown(column)), role="text")]


def _tell_items(texts: pd.Series, items: np.ndarray) -> bool | None:
    """Return whether two halves of an item's texts are more alike than halves of two items, beyond chance.

    None where too few items have two texts.
    """
    there = np.flatnonzero((items >= 0) & texts.notna().to_numpy(dtype=bool))
    order = there[np.argsort(items[there], kind="stable")]
    owners, said = items[order], texts.iloc[order].astype("str").str.slice(0, _LONGEST)
    firsts = np.append(True, owners[1:] != owners[:-1]) if len(owners) else np.empty(0, bool)
    rank = np.arange(len(owners)) - np.flatnonzero(firsts)[np.cumsum(firsts) - 1]
    kept = rank < _MOST_TEXTS
    halves = [
        said[kept & (rank % 2 == odd)].groupby(owners[kept & (rank % 2 == odd)]).agg(" ".join) for odd in range(2)
    ]
    both = halves[0].index.intersection(halves[1].index)[:_MOST_COMPARED]
    if len(both) < _FEWEST:
        return None
    from sklearn.feature_extraction.text import TfidfVectorizer  # a second, of which most files have no need

    vectorizer = TfidfVectorizer(sublinear_tf=True, **_LETTERS)
    vectors = vectorizer.fit_transform([text for half in halves for text in half[both]])
    one, other = vectors[: len(both)], vectors[len(both) :]
    shifted = other[np.roll(np.arange(len(both)), 1)]
    more = np.asarray(one.multiply(other).sum(axis=1) - one.multiply(shifted).sum(axis=1)).ravel()
    return bool(more.mean() > _SURE * more.std() / np.sqrt(len(both)))


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
