"""Tables in other shapes than one row per user and item -> that shape.

Lists in cells (of Parquet, of JSON, or text with a separator) become one row an item, a matrix of users by items one
row per filled cell; lists that are not the items are left out. What is to be done is decided from the first rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from grouprec.data.header_words import header_words
from grouprec.data.values import folded_words

_ITEMS = re.compile(
    r".*(items?|products?|skus?|asins?|isbns?|movies?|books?|tracks?|songs?|articles?|games?|courses?|basket|cart|history|"
    r"contents|purchases|purchased|bought|ordered|viewed|watched|clicked|liked|lineitems|sequence|playlist|itemids?)",
)
_PLURAL = re.compile(
    r".*(items|products?s|skus|asins|movies|books|tracks|songs|articles|games|courses|basket|cart|history|contents|"
    r"purchases|lineitems|sequence|itemids|productids|itemlist|productlist)"
)
_USER = re.compile(r".*(user|customer|client|member|account|visitor|reviewer|person|buyer|kunde|email|mail).*")
_SEPARATORS = (";", "|", ",", "\n", "/")
_COUNT_FIRST = re.compile(r"^\s*(\d{1,4})\s*[x×*]\s+(.+?)\s*$|^\s*(\d{1,4})×\s*(.+?)\s*$", re.DOTALL)
_COUNT_LAST = re.compile(r"^\s*(.+?)\s*[x×*]\s*(\d{1,4})\s*$", re.DOTALL)
_FEWEST_COLUMNS = 8  # of a matrix
DATE = "date"  # what year, month and day become
_DATE_PARTS = (  # words, least, most
    (folded_words("year yr jahr año anno jaar rok год année 年"), 1970, 2100),
    (folded_words("month mon monat mes mese mês maand miesiąc месяц mois 月"), 1, 12),
    (folded_words("day tag día giorno dag dzień день jour 日 dayofmonth mday"), 1, 31),
)


@dataclass(frozen=True)
class Plan:
    """What has to be done to the rows of a file.

    Attributes:
        columns: those of the file that are kept as they are.
        listed: a column whose cells hold several items; None where there is none.
        parts: the columns that the objects in such lists become; empty where the lists hold plain values.
        separator: what separates the items of a text; "" for real lists.
        counted: whether the items of a text come with how many, as in ``2x Blue Mug``; then "quantity" is one
            more column.
        matrix: the item columns of a matrix, which become "item" and ``value``.
        dated: columns of the year, the month and the day, which become ``date``; empty for none.
        value: what the filled cells of the matrix are called; "" where they only say yes.
        notes: what to say about it.
    """

    columns: tuple[str, ...]
    listed: str | None = None
    parts: tuple[str, ...] = ()
    separator: str = ""
    counted: bool = False
    matrix: tuple[str, ...] = ()
    value: str = ""
    dated: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def plain(self) -> bool:
        """Whether rows stay as they are."""
        return self.listed is None and not self.matrix and not self.dated

    def sources(self, wanted: Sequence[str]) -> list[str]:
        """Return the columns of the file that are needed for columns of the result."""
        found = [column for column in wanted if column in self.columns]
        found += self.dated if DATE in wanted else ()
        if self.listed is not None:
            found.append(self.listed)
        return [*dict.fromkeys(found), *self.matrix] if not self.plain else found

    def apply(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table in its new shape."""
        if self.dated and set(self.dated) <= set(table.columns):
            parts = (_numbers(table[column]) for column in self.dated)
            date = pd.to_datetime(
                pd.DataFrame(dict(zip(("year", "month", "day"), parts, strict=True))), errors="coerce"
            )
            table = table.drop(columns=list(self.dated)).assign(**{DATE: date.dt.strftime("%Y-%m-%d")})
        mine = set(self.columns) | ({DATE} if self.dated else set())
        kept = [column for column in table.columns if column in mine]
        if self.listed is not None:
            return self._spread(table, [column for column in kept if column != self.listed])
        if self.matrix:
            return self._molten(table, kept)
        return table if len(kept) == len(table.columns) else table[kept]

    def _spread(self, table: pd.DataFrame, kept: list[str]) -> pd.DataFrame:
        assert self.listed is not None
        lists = [_items(cell, self.separator) for cell in table[self.listed]]
        rows = np.repeat(np.arange(len(table)), [len(one) for one in lists])
        result = table[kept].take(rows).reset_index(drop=True)
        values = [one for items in lists for one in items]
        if self.parts:
            inner = [_flat(one) for one in values]
            for part in self.parts:
                column = [one.get(part) for one in inner]
                result[f"{self.listed}.{part}"] = pd.Series(column, dtype=object).infer_objects()
        elif self.counted:
            pairs = [_counted(one) for one in values]
            result[self.listed] = pd.Series([name for name, _ in pairs], dtype="str")
            result["quantity"] = pd.Series([number for _, number in pairs], dtype="str")
        else:
            result[self.listed] = pd.Series(values, dtype="str" if self.separator else object).infer_objects()
        return result

    def _molten(self, table: pd.DataFrame, kept: list[str]) -> pd.DataFrame:
        cells = np.column_stack([_numbers(table[column]) for column in self.matrix])
        rows, columns = np.nonzero(~np.isnan(cells) & (cells != 0))
        result = table[kept].take(rows).reset_index(drop=True)
        result["item"] = pd.Series(np.array(self.matrix, dtype=object)[columns], dtype="str")
        if self.value:
            result[self.value] = cells[rows, columns]
        return result


def plan_for(head: pd.DataFrame) -> Plan:
    """Return what has to be done, from the first rows."""
    listed = [column for column in head.columns if _holds_lists(head[column])]
    columns = tuple(column for column in head.columns if column not in listed)
    notes: tuple[str, ...] = ()
    chosen = _list_of_items(head, listed, columns)
    if listed:
        ignored = [column for column in listed if column != chosen]
        if ignored:
            notes = (f"columns of lists or objects were left out: {', '.join(map(str, ignored))[:200]}",)
    if chosen is not None:
        parts = _parts(head[chosen])
        kept = tuple(c for c in columns if c not in {f"{chosen}.{part}" for part in parts})
        note = f"every value of the lists in column '{chosen}' became a row of its own"
        if not parts:
            kept = (*kept, chosen)
        return Plan(kept, chosen, parts, notes=(*notes, note))
    plan = _matrix(head, columns) or _items_in_text(head, columns) or _dated(head, columns)
    if plan is not None:
        return Plan(**{**plan.__dict__, "notes": (*notes, *plan.notes)})
    return Plan(columns, notes=notes)


def _dated(head: pd.DataFrame, columns: Sequence[str]) -> Plan | None:
    """Return how to put together a date of which year, month and day stand in columns; None where that is not so."""
    found = []
    for words, least, most in _DATE_PARTS:
        named = [column for column in columns if set(header_words(str(column))) <= words]
        named = named or [column for column in columns if set(header_words(str(column))) & words]
        numbers = _numbers(head[named[0]].dropna()) if len(named) == 1 else np.empty(0)
        if not len(numbers) or not ((numbers >= least) & (numbers <= most) & (numbers % 1 == 0)).all():
            return None
        found.append(named[0])
    if DATE in columns or len(set(found)) < len(found):
        return None
    note = f"the columns {', '.join(found)} were put together as '{DATE}'"
    return Plan(tuple(column for column in columns if column not in found), dated=tuple(found), notes=(note,))


def _simple(name: str) -> str:
    """Return a name for comparison, without the lists that GraphQL puts around things."""
    return re.sub(r"[^a-z0-9]", "", re.sub(r"\.(edges|nodes|data|elements)$", "", str(name).lower()))


def _holds_lists(column: pd.Series) -> bool:
    if column.dtype != object:
        return False
    return any(isinstance(value, (list, tuple, dict, np.ndarray)) for value in column.dropna().head(200))


def _list_of_items(head: pd.DataFrame, listed: Sequence[str], others: Sequence[str]) -> str | None:
    """Return the column of lists that holds the items; None where another column names them."""
    named = [column for column in listed if _ITEMS.fullmatch(_simple(column)) and not _all_objects(head[column])]
    if any(_ITEMS.fullmatch(_id_free(column)) for column in others):
        return None
    if named:
        return named[0]
    plain = [column for column in listed if not _all_objects(head[column])]
    return plain[0] if len(plain) == 1 and len(others) <= 2 else None


def _id_free(name: str) -> str:
    return re.sub(r"(id|ids|code|no|nr|number|name|title)$", "", _simple(name))


def _all_objects(column: pd.Series) -> bool:
    return all(isinstance(value, dict) for value in column.dropna().head(200))


def _parts(column: pd.Series) -> tuple[str, ...]:
    """Return the names inside the objects of lists; none where the lists hold plain values."""
    objects = [one for cell in column.dropna().head(200) for one in _items(cell, "") if isinstance(one, dict)]
    names = dict.fromkeys(name for one in objects for name, value in _flat(one).items() if not isinstance(value, list))
    return tuple(names)


def _flat(value: Any) -> dict[str, Any]:
    from grouprec.data.read_json import _flat as flat

    return flat(value) if isinstance(value, dict) else {}


def _items(cell: Any, separator: str) -> list[Any]:
    if isinstance(cell, (list, tuple, np.ndarray)):
        return [one for one in cell if one is not None]
    if isinstance(cell, dict) or not isinstance(cell, str):
        return []
    return [part.strip() for part in cell.split(separator) if part.strip()] if separator else [cell]


def _counted(text: str) -> tuple[str, str]:
    """Return name and number of ``2x Blue Mug``."""
    found = _COUNT_FIRST.match(text)
    if found:
        number, name = (found[1], found[2]) if found[1] else (found[3], found[4])
        return name, number
    found = _COUNT_LAST.match(text)
    return (found[1], found[2]) if found else (text, "1")


# ---- items in the text of a cell


def _items_in_text(head: pd.DataFrame, columns: Sequence[str]) -> Plan | None:
    """Return how to part cells that hold several items; None where cells hold one."""
    for column in columns:
        if not _PLURAL.fullmatch(_simple(column)):
            continue
        values = head[column].dropna()
        if not (len(values) > 3 and isinstance(values.iloc[0], str)):
            continue
        separator = _separator(values.astype("str"))
        if separator is not None:
            parts = [one for cell in values for one in _items(str(cell), separator)]
            counts = sum(bool(_COUNT_FIRST.match(one) or _COUNT_LAST.match(one)) for one in parts)
            shown = "line break" if separator == "\n" else f"'{separator}'"
            note = f"the items of column '{column}', which {shown} separates, became rows of their own"
            taken = "quantity" in map(_simple, columns)
            counted = counts > 0.9 * len(parts) and not taken
            return Plan(tuple(columns), column, separator=separator, counted=counted, notes=(note,))
    return None


def _separator(values: pd.Series) -> str | None:
    """Return what separates items: parts come again in other cells, whole cells hardly do."""
    for separator in _SEPARATORS:
        several = values.str.contains(separator, regex=False)
        if several.mean() < 0.2:
            continue
        parts = pd.Series([one for cell in values for one in _items(cell, separator)])
        parts = parts.map(lambda one: _counted(str(one))[0])
        alone = set(values[~several].map(lambda one: _counted(str(one))[0].strip()))
        again = parts.isin(alone).mean() if alone else 0.0
        if parts.nunique() <= 0.7 * values.nunique() or again > 0.5 or parts.nunique() <= 0.5 * len(parts):
            return separator
    return None


# ---- matrices


def _matrix(head: pd.DataFrame, columns: Sequence[str]) -> Plan | None:
    """Return how to read a matrix of users by items; None where the table is none."""
    if len(columns) < _FEWEST_COLUMNS + 1 or len(head) < 3:
        return None
    first = columns[0]
    users = head[first].dropna()
    if users.duplicated().any() or len(users) < len(head):
        return None
    numeric = [
        column for column in columns[1:] if not np.isnan(_numbers(head[column])).all() or head[column].isna().all()
    ]
    numeric = [column for column in numeric if _is_numeric(head[column])]
    if len(numeric) < max(_FEWEST_COLUMNS, 0.9 * (len(columns) - 1)) or not _alike(numeric):
        return None
    cells = np.column_stack([_numbers(head[column]) for column in numeric])
    empty = np.isnan(cells) | (cells == 0)
    if empty.mean() < 0.4:
        return None
    values = np.unique(cells[~empty])
    if not len(values) or values.min() < 0:
        return None
    value = "" if len(values) == 1 else "rating" if values.max() <= 10 else "quantity"
    kept = tuple(column for column in columns if column not in numeric)
    note = (
        f"the file looks like a matrix with a column for each of {len(numeric):,} items; every filled cell became a row"
    )
    return Plan(kept, matrix=tuple(numeric), value=value, notes=(note,))


def _is_numeric(column: pd.Series) -> bool:
    known = column.dropna()
    return len(known) == 0 or bool((~np.isnan(_numbers(known))).all())


def _alike(names: Sequence[str]) -> bool:
    """Return whether names look like ids rather than like words: nearly all have digits, or there are many."""
    digits = sum(any(sign.isdigit() for sign in str(name)) for name in names)
    return digits >= 0.8 * len(names) or len(names) >= 40


def _numbers(column: pd.Series) -> np.ndarray:
    return pd.to_numeric(column.astype("str") if column.dtype == object else column, errors="coerce").to_numpy(
        np.float64, na_value=np.nan
    )
