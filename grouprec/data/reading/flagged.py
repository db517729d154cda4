"""A row a person, or a person a month, with 0 or 1 for every product beside facts about them -> a row a product."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd

from grouprec.data.reading.wide import Wide, numbers
from grouprec.data.roles.header_words import means
from grouprec.data.values.common import some_of

_FEWEST = 8  # flags, at least
_BOTH = 0.02  # share of rows that have two products or more: of kinds of people each row is of one
_PARTS = re.compile(r"[ _.\-]+")


def find_flagged(head: pd.DataFrame, columns: Sequence[str]) -> Wide | None:
    """Return how to read flags of products, which begin and end alike (``ind_..._ult1``, ``has_...``), else None.

    Only where no column names an item, and where some rows have several of them.
    """
    if any(means("item", column) is not None for column in columns):
        return None
    flags = _alike([column for column in columns if _is_flag(head[column])])
    if len(flags) < _FEWEST or len(flags) == len(columns):
        return None
    cells = np.column_stack([numbers(head[column]) == 1 for column in flags])
    if (cells.sum(axis=1) > 1).mean() < _BOTH:
        return None
    kept = tuple(column for column in columns if column not in flags)
    note = f"{len(flags)} columns of 0 and 1 ({some_of(flags)}) say which items a row's user has; every 1 became a row"
    return Wide(tuple(flags), kept, "item", "", note)


def _is_flag(column: pd.Series) -> bool:
    values = numbers(column.dropna())
    return len(values) > 0 and bool(np.isin(values, (0, 1)).all())


def _alike(names: Sequence[str]) -> list[str]:
    """Return the names that share their first word, their last, or best both: the most that say the same."""
    groups: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for name in names:
        parts = _PARTS.split(str(name))
        if len(parts) > 1:
            for key in ((parts[0], parts[-1]), (parts[0], ""), ("", parts[-1])):
                groups[key].append(name)
    fit = {key: group for key, group in groups.items() if len(group) >= _FEWEST}
    return max(fit.items(), key=lambda one: (all(one[0]), len(one[1])))[1] if fit else []
