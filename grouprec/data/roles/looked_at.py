"""Which columns of a file are looked at: plain ones, and of very many those that may tell something."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pandas as pd

from grouprec.data.roles.header_words import PATTERNS, means

MOST_LOOKED_AT = 300  # columns of one file
_NESTED = (list, dict, tuple, set, np.ndarray)


def plain_columns(head: pd.DataFrame) -> list[str]:
    """Return the columns of which no value is a list or an object."""
    typed = [column for column in head.columns if head[column].dtype == object]
    nested = {column for column in typed if head[column].map(lambda value: isinstance(value, _NESTED)).any()}
    return [column for column in head.columns if column not in nested]


def columns_looked_at(head: pd.DataFrame) -> list[str]:
    """Return the plain columns that may play a role or describe users.

    Of very many those with known headers, and of the others the first ones with different values.
    """
    columns = plain_columns(head)
    if len(columns) <= MOST_LOOKED_AT:
        return columns
    known = {column for column in columns if any(means(role, column) is not None for role in PATTERNS)}
    tell = (column for column in columns if column not in known and len(head[column].dropna().unique()) > 1)
    others = list(islice(tell, MOST_LOOKED_AT))
    kept = known.union(others) if len(known) <= MOST_LOOKED_AT else set(columns[:MOST_LOOKED_AT])
    return [column for column in columns if column in kept]
