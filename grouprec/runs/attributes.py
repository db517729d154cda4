"""The attributes of users and items, as a run's tables keep them beside columns of their own."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd


def attributes_of(table: pd.DataFrame, own: Iterable[str]) -> pd.DataFrame:
    """Return the attribute columns of a run's table under their names in the file (tables mark those like our own).

    Args:
        own: :data:`~grouprec.core.types.USER_COLUMNS` or ``ITEM_COLUMNS``.
    """
    return table.drop(columns=list(own)).rename(columns={f"{name}_": name for name in own})
