"""Columns that name a person: addresses of e-mail, and hashes of them. They are no attributes that a group may have."""

from __future__ import annotations

import pandas as pd

MOST_LOOKED_AT = 1_000  # distinct values
_SHARE = 0.5  # of them that look like it: one alone is a slip
_ADDRESS = r"[^@\s]+@[^@\s]+\.[^@\s.]+"
_HASH = r"(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})"


def names_people(column: pd.Series) -> bool:
    """Return whether a column holds e-mail addresses, or hashes (MD5, SHA-1, SHA-2), by its values."""
    if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column):
        return False
    values = column.dropna().drop_duplicates().head(MOST_LOOKED_AT).astype(str).str.strip()
    return bool(len(values)) and bool(values.str.fullmatch(f"{_ADDRESS}|{_HASH}").mean() >= _SHARE)


def told(columns: list[str]) -> str:
    """Say, of a step of the preparation, which columns are left out; "" for none."""
    names = ", ".join(f"'{name}'" for name in columns)
    return f"{names}: e-mail addresses or hashes name people and are no attributes" if columns else ""
