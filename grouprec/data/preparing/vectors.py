"""Columns of an items or users file that hold a list of numbers a row: embeddings of text, image, sound, behaviour."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.types import DataError
from grouprec.data.limits import MOST_DIMENSIONS
from grouprec.data.values.common import shown

_LOOKED_AT = 200  # values that decide what a column is
_SHORTEST_OF_WHOLE = 16  # vectors of whole numbers (int8) are at least so long; shorter lists are categories
_ALIKE = 0.8  # share of lists that have one length, where lists are vectors
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|nan|inf"
_LIST = re.compile(rf"\s*[\[({{]\s*(?:{_NUMBER})(?:[\s,;][^\])}}]*)?[\])}}]\s*", re.IGNORECASE | re.DOTALL)
_BETWEEN = re.compile(r"[\s,;]+")
_LISTED = (list, tuple, np.ndarray)


def take_vectors(table: pd.DataFrame, file_name: str) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return a file of items or users without its vectors, and these; other lists become text (``Drama|Crime``).

    Lists of numbers with fractions, nearly all of one length, are vectors, and so are those of whole numbers that are
    all of one length, 16 or longer; others are categories. Objects, and lists of lists, are left out.

    Args:
        table: one row an item; cells may be lists (Parquet, JSON) or their text (``"[0.1, 0.2]"``).
        file_name: for the errors.
    Returns:
        the table, and by column float32 [n, D], rows of zeros where a cell is empty.
    Raises:
        DataError: a vector is of another length than the others, too long, or holds something that is no number.
    """
    vectors: dict[str, np.ndarray] = {}
    columns: dict[str, pd.Series] = {}
    for name in map(str, table.columns):
        cells = _lists(table[name])
        if cells is None:
            columns[name] = table[name]
        elif _are_vectors(cells):
            vectors[name] = _matrix(cells, f"'{file_name}', column '{shown(name)}'")
        elif not any(
            isinstance(part, (dict, *_LISTED)) for cell in cells if isinstance(cell, _LISTED) for part in cell
        ):
            columns[name] = pd.Series([_joined(cell) for cell in cells], index=table.index, dtype="str")
    return pd.DataFrame(columns, index=table.index), vectors


def unit_rows(blocks: Sequence[np.ndarray]) -> np.ndarray | None:
    """Return vectors side by side, every one scaled to length 1, float32 [n, sum of D]; None where there are none."""
    if not blocks:
        return None
    from sklearn.preprocessing import normalize  # takes a second, and most files have no vectors

    units = [normalize(block) if len(block) else block for block in blocks]
    return np.hstack(units).astype(np.float32)


def _lists(column: pd.Series) -> list[Any] | None:
    """Return the cells of a column of lists, None where empty, text taken apart; None where it is no such column."""
    head = column.dropna().head(_LOOKED_AT)
    if any(isinstance(value, (dict, *_LISTED)) for value in head):
        return [None if isinstance(cell, dict) or not isinstance(cell, _LISTED) else cell for cell in column]
    if not len(head) or not all(isinstance(value, str) for value in head):
        return None
    # most, not all: the others are told by row and text
    if sum(_LIST.fullmatch(value) is not None for value in head) <= 0.5 * len(head):
        return None
    return [_parts(cell) if isinstance(cell, str) and cell.strip() else None for cell in column]


def _parts(text: str) -> list[str]:
    inside = text.strip().strip("[](){}").strip()
    return [part for part in _BETWEEN.split(inside) if part] if inside != text.strip() else [text]


def _are_vectors(cells: Sequence[Any]) -> bool:
    """Whether lists are vectors rather than several categories."""
    head = [cell for cell in cells if cell is not None and len(cell)][:_LOOKED_AT]
    numbers = [_numbers(cell) for cell in head]
    known = [one for one in numbers if one is not None]
    if len(known) <= 0.5 * len(numbers) or not known:
        return False
    counts = np.bincount([len(one) for one in known])
    alike, width = counts.max() / len(known), int(counts.argmax())
    if all((one == np.round(one)).all() for one in known):
        return alike == 1 and width >= _SHORTEST_OF_WHOLE
    return alike >= _ALIKE and width > 1


def _numbers(cell: Any) -> np.ndarray | None:
    """Return a cell as float64 [D], NaN and endless ones included; None where a part is no number."""
    try:
        found = np.asarray(cell, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return found if found.ndim == 1 else None


def _matrix(cells: Sequence[Any], where: str) -> np.ndarray:
    """Return lists as float32 [n, D]; D is the most frequent length."""
    found = [None if cell is None or not len(cell) else _numbers(cell) for cell in cells]
    lengths = [len(one) for one in found if one is not None]
    width = int(np.bincount(lengths).argmax())
    if width > MOST_DIMENSIONS:
        raise DataError(
            f"{where} holds vectors of {width:,} numbers, and at most {MOST_DIMENSIONS:,} are read; reduce them first, "
            "for instance by PCA."
        )
    out = np.zeros((len(cells), width), np.float32)
    for row, (cell, one) in enumerate(zip(cells, found, strict=True)):
        if cell is None or not len(cell):
            continue
        if one is None:
            raise DataError(f"{where}, row {row + 1} holds '{shown(_joined(cell))}', which is no list of numbers.")
        if len(one) != width:
            raise DataError(
                f"{where}, row {row + 1} holds {len(one):,} numbers and other rows {width:,}; vectors need one length, "
                "and an empty cell where an item has none."
            )
        with np.errstate(over="ignore"):
            out[row] = one
        if not np.isfinite(out[row]).all():
            raise DataError(f"{where}, row {row + 1} holds NaN or an endless number; leave the cell empty instead.")
    return out


def _joined(cell: Any) -> str | None:
    """Return a list as text, None where it is empty."""
    return None if cell is None or not len(cell) else "|".join(str(part) for part in cell if part is not None) or None
