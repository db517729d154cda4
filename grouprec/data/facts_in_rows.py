"""A file with a row for each fact of an item (id, attribute, value) -> one row an item, a column for each attribute."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.data.header_words import means
from grouprec.data.ids import encode_ids

_COLUMNS = 3
_LEAST_NAMES, _MOST_NAMES = 2, 300
_FEWEST_ROWS = 10
_ONCE = 0.5  # share of facts that are the only ones of their name for an id, at least


def _share_known(found: np.ndarray, ids: np.ndarray) -> float:
    """Return which share of the ids of a column are among others, 0 of an empty one."""
    return float(np.isin(found, ids).mean()) if len(found) else 0.0


def facts_in_columns(table: pd.DataFrame, ids: np.ndarray) -> pd.DataFrame:
    """Return the table with its facts side by side where it has three columns: an id, a fact's name, its value.

    Several values of one name become one text, parted by ``|``; other tables come back as they are.

    Args:
        table: a users or items file.
        ids: object array of str, those of the interactions.
    """
    if len(table.columns) != _COLUMNS or len(table) < _FEWEST_ROWS:
        return table
    known = {column: _share_known(encode_ids(table[column])[1], ids) for column in table.columns}
    owner = max(known, key=known.__getitem__)
    name, value = (column for column in table.columns if column != owner)
    if not known[owner] or not table[owner].duplicated().any():
        return table
    if table[name].nunique() > table[value].nunique():
        name, value = value, name
    if means("user", str(name)) is not None or means("time", str(value)) is not None:
        return table  # who did what, and no facts
    names = table[name].dropna().astype("str")
    words = names.drop_duplicates()
    pairs = table[[owner, name]].dropna()
    often = words.isin(names[names.duplicated()]).all() and words.str.contains(r"[^\W\d_]").all()
    if not (_LEAST_NAMES <= len(words) <= _MOST_NAMES and often and len(pairs.drop_duplicates()) >= _ONCE * len(pairs)):
        return table
    # Each id has most of the facts: else the second column is a fact itself, such as a tag and how often it was given.
    if len(pairs.drop_duplicates()) < _ONCE * len(words) * pairs[owner].nunique():
        return table
    facts = table.dropna(subset=[owner, name, value]).astype({value: "str"})
    side = facts.pivot_table(value, owner, name, "|".join, sort=False)
    side.columns = [str(column) for column in side.columns]
    return side.drop(columns=str(owner), errors="ignore").rename_axis(index=owner).reset_index()
