"""Columns of yes or no that together say what kind an item is: one column of its kinds."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import takewhile

import numpy as np
import pandas as pd

FEWEST = 3  # columns
MOSTLY = 0.95  # of the rows say yes somewhere: then the columns say what things are, and not what some of them also are
KINDS = "genres"
_YES, _NO = ("1", "1.0", "true", "yes", "t", "y"), ("0", "0.0", "false", "no", "f", "n", "")


def join_flags(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table of items in which columns of flags (``Comedy`` 0 or 1) are one column, such as ``Comedy|Drama``.

    It is called as the columns begin (``kind_``), else ``genres``. A table without such columns is returned as it is.
    """
    flags = {name: yes for name in table.columns if (yes := _flag(table[name])) is not None}
    if len(flags) < FEWEST:
        return table
    said = np.column_stack([*flags.values()])
    if not len(said) or said.any(axis=1).mean() < MOSTLY or said.all(axis=1).any():
        return table
    beginning, names = _names(list(flags))
    kinds = ["|".join(names[at] for at in np.flatnonzero(row)) for row in said]
    rest = table.drop(columns=list(flags))
    name = beginning if beginning not in rest else f"{beginning} (2)"
    told = pd.Series(kinds, index=table.index, dtype="str")
    return rest.assign(**{name: told.where(told != "")})


def _flag(column: pd.Series) -> np.ndarray | None:
    """Return where a column says yes, bool [n]; None where it says anything else than yes and no."""
    few = column.drop_duplicates()
    if len(few) > 4:
        return None
    words = ["" if missing else str(value).strip().lower() for value, missing in zip(few, few.isna(), strict=True)]
    if not {*_YES, *_NO}.issuperset(words) or not set(words) & set(_NO):
        return None
    yes = [value for value, word in zip(few, words, strict=True) if word in _YES]
    return column.isin(yes).to_numpy(bool)


def _names(columns: list[Hashable]) -> tuple[str, list[str]]:
    """Return what the columns begin with, as a name, and what they are called after that."""
    names = [str(name) for name in columns]
    same = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    start = "".join(letters[0] for letters in same)
    start = start[: max(start.rfind(mark) for mark in "_-.: ") + 1]
    beginning = start.strip("_-.: ")
    return (beginning, [name[len(start) :] for name in names]) if beginning else (KINDS, names)
