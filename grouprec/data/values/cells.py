"""Cells that hold several items: lists, texts with a separator, JSON and other lists written as text."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import numpy as np
import pandas as pd

# Of texts without blanks around them; every run of blanks inside is looked at once.
_COUNT_FIRST = re.compile(r"(\d{1,4})(?:\s*+[x×*]\s++|×)(.+)", re.DOTALL)
_COUNT_LAST = re.compile(r"(.+?)(?<!\s)\s*+[x×*]\s*+(\d{1,4})", re.DOTALL)
_SEPARATORS = (";", "|", ",", "\n", "/")
_FACT_AT = re.compile(r"(?:^|, )([A-Za-z][\w ]*): ")  # SKU: A1, Qty: 2|SKU: A4, Qty: 1
_PRINTED = re.compile(r"\{\s*u?'")
_LONGEST_PRINTED = 100_000  # characters of an object as Python prints it, which takes a compiler to read
_LOOKED_AT = 50
_SHOWN = r"\S+-[01](?: \S+-[01])*"
CLICKED = "clicked"  # in the place of a separator: of the items in the cell, those with 1 behind them
WRITTEN = "written"  # in the place of a separator: the text is a list itself


def items_of(cell: Any, separator: str) -> list[Any]:
    """Return the items in a cell, in their order."""
    if isinstance(cell, (list, tuple, np.ndarray)):
        return [one for one in cell if one is not None]
    if isinstance(cell, dict) or not isinstance(cell, str):
        return []
    if separator == CLICKED:
        return [part.removesuffix("-1") for part in cell.split() if part.endswith("-1")]
    if separator == WRITTEN:
        return [one for one in written_list(cell) or [] if one is not None]
    return [part.strip() for part in cell.split(separator) if part.strip()] if separator else [cell]


def counted(text: str) -> tuple[str, str]:
    """Return name and number of ``2x Blue Mug``."""
    if found := _COUNT_FIRST.fullmatch(text.strip()):
        return found[2], found[1]
    found = _COUNT_LAST.fullmatch(text.strip())
    return (found[1], found[2]) if found else (text, "1")


def is_counted(text: str) -> bool:
    """Return whether a text says how many of something."""
    return any(form.fullmatch(text.strip()) for form in (_COUNT_FIRST, _COUNT_LAST))


def printed_object(text: str) -> dict[str, Any] | None:
    """Return the object that a line is as Python prints it, whole numbers as text; None for another text."""
    if not _PRINTED.match(text) or len(text) > _LONGEST_PRINTED:
        return None
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return _whole_as_text(found) if isinstance(found, dict) else None


def _whole_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _whole_as_text(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_whole_as_text(one) for one in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def are_shown(column: pd.Series) -> bool:
    """Return whether the texts are items that were shown, with 1 behind those clicked: ``N5-0 N7-1``."""
    texts = column.dropna().head(_LOOKED_AT)
    if len(texts) < 2 or not isinstance(texts.iloc[0], str) or not texts.str.fullmatch(_SHOWN).all():
        return False
    several, none = (texts.str.contains(form).mean() for form in (" ", "-0(?: |$)"))
    return bool(several > 0.5 and none > 0.5 and texts.str.contains("-1(?: |$)").any())


def holds_some_of(column: pd.Series, shown: pd.Series) -> bool:
    """Return whether the texts are items, parted by blanks, of those that another column says were shown."""
    texts = column.dropna().head(_LOOKED_AT)
    if not len(texts) or not isinstance(texts.iloc[0], str) or not texts.str.contains(" ", regex=False).any():
        return False
    there = {part.rpartition("-")[0] for cell in shown.dropna() for part in cell.split()}
    parts = [part for cell in texts for part in cell.split()]
    return sum(part in there for part in parts) > 0.5 * len(parts)


def written_list(text: str) -> list[Any] | None:
    """Return the list that a text is: JSON, what Python or PostgreSQL print, or facts; None for another text."""
    text = text.strip()
    if text[:1] == "[" and text[-1:] == "]":
        for read in (json.loads, ast.literal_eval):
            try:
                found = read(text)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
            return found if isinstance(found, list) else None
        return None
    if text[:1] == "{" and text[-1:] == "}" and ":" not in text and len(text) > 2:
        return [part.strip().strip('"') for part in text[1:-1].split(",")]
    parts = text.split("|")
    if all(_FACT_AT.match(part) and len(_FACT_AT.findall(part)) > 1 for part in parts):
        return [_facts(part) for part in parts]
    return None


def _facts(text: str) -> dict[str, str]:
    """Return name -> value of ``Product SKU: A1, Product Qty: 2``."""
    parts = _FACT_AT.split(text)[1:]
    return {name.strip(): value.strip() for name, value in zip(parts[::2], parts[1::2], strict=True)}


def holds_written_lists(column: pd.Series) -> bool:
    """Return whether the texts of a column are lists of names or objects; vectors of numbers are none."""
    texts = column.dropna().head(_LOOKED_AT)
    if not len(texts) or not isinstance(texts.iloc[0], str) or not texts.str.match(r"\s*[\[{A-Z]").all():
        return False
    lists = [written_list(text) for text in texts]
    if any(one is None for one in lists):
        return False
    members = [member for one in lists for member in one or []]
    return bool(members) and not all(isinstance(member, (int, float)) and "." in str(member) for member in members)


def separator_of(values: pd.Series) -> str | None:
    """Return what separates items in texts: parts come again in other cells, whole cells hardly do."""
    if values.str.fullmatch(r"\d+( \d+)*").all() and values.str.contains(" ", regex=False).mean() > 0.5:
        return " "
    for separator in _SEPARATORS:
        several = values.str.contains(separator, regex=False)
        if several.mean() < 0.2:
            continue
        parts = pd.Series([one for cell in values for one in items_of(cell, separator)])
        parts = parts.map(lambda one: counted(str(one))[0])
        alone = set(values[~several].map(lambda one: counted(str(one))[0].strip()))
        again = parts.isin(alone).mean() if alone else 0.0
        if parts.nunique() <= 0.7 * values.nunique() or again > 0.5 or parts.nunique() <= 0.5 * len(parts):
            return separator
    return None


def choices_of(values: pd.Series) -> str | None:
    """Return what separates the choices that people ticked: most cells have several of a few, whatever the header."""
    for separator in (";", ",", "|"):
        several = values.str.contains(separator, regex=False).mean()
        parts = pd.Series([one for cell in values for one in items_of(cell, separator)])
        few = parts.nunique() <= 0.2 * len(parts) and parts.nunique() <= values.nunique()
        if several >= 0.5 and few and parts.str.len().max() <= 80:
            return separator
    return None
