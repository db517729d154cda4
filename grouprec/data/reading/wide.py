"""Tables with a column for every item, or for every month: how they become rows. Decided from the first rows."""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.data.reading.profiles import shape
from grouprec.data.roles.header_words import means
from grouprec.data.roles.outcomes import NO, YES
from grouprec.data.roles.usual_names import NAMELESS
from grouprec.data.values.common import folded, folded_words, word_set
from grouprec.data.values.time_words import MONTHS
from grouprec.data.values.times import read_times

_FEWEST_COLUMNS = 8  # of a matrix
_FEWEST_PERIODS = 3
_EMPTY = 0.4  # share of the cells of a matrix that hold nothing, at least
_OFTEN_EMPTY = 0.1  # of the cells of each column of a matrix whose columns have words for names
_ALIKE = 20.0  # times the largest value of one column may be that of another
_NOTHING, _FAR = (99, 999, 9999, 99999), 2.0  # numbers for nothing, times what others are at most
_OWNERS = 3  # columns beside those of the periods that may name a sum
_WHEN = ("date", "month")
_MARKS = word_set("x ✓ ✔ ☑ • * ja yes")
_MOST_MARKS = 3  # ways to say yes and no in one column
_ASKED = re.compile(r"([^\[\]]*)\[([^\[\]]+)\]")
_MONTH = re.compile(r"\d{1,2}(?:月|월)")
_SUM_OF = re.compile(
    r"(?:sum|count|total|summe|anzahl|somme|nombre|suma|soma|somma|som|aantal) (?:of|von|de|di|van) ", re.I
)
_LONGEST_PERIOD, _MOST_FORMS = 40, 40  # characters of a period's name; ways to write periods in one header
_TOTALS = folded_words("total totals grandtotal sum gesamt gesamtergebnis gesamtsumme summe totale totalgeneral")
_TOTALS |= folded_words(
    "totalgénéral totaalgeneraal eindtotaal totaal suma sumakońcowa итого общийитог 总计 合计 総計 合計"
)


_PARTIAL = _TOTALS | folded_words("subtotal subtotals zwischensumme teilergebnis subtotale soustotal tussentotaal")


@dataclass(frozen=True)
class Wide:
    """A table whose cells become rows.

    Attributes:
        columns: those whose cells become rows.
        kept: the others that stay beside each cell.
        name: what the names of ``columns`` become: "item", "user" or "date".
        value: what the cells are called; "" where they only say yes.
        missing: the number that stands for nothing, None where empty cells do.
        numbered: whether users have no column and are the numbers of their rows.
        note: what to say about it.
    """

    columns: tuple[str, ...]
    kept: tuple[str, ...]
    name: str
    value: str
    note: str
    numbered: bool = False
    missing: float | None = None

    def rows(self, table: pd.DataFrame, kept: Sequence[str]) -> pd.DataFrame:
        """Return one row per filled cell."""
        if self.numbered:
            table = table.assign(user=[f"row {n}" for n in range(1, len(table) + 1)])
            kept = [*kept, "user"]
        elif self.kept:
            table = table[~self._totals(table)]
        cells = np.column_stack([_cells(table[column]) for column in self.columns])
        if self.missing is not None:
            cells[cells == self.missing] = np.nan
        rows, columns = np.nonzero(~np.isnan(cells) & (cells != 0))
        result = table[list(kept)].take(rows).reset_index(drop=True)
        names = [_bare(name) for name in self.columns] if self.name in _WHEN else _asked(self.columns)
        result[self.name] = pd.Series(np.array(names, dtype=object)[columns], dtype="str")
        if self.value:
            result[self.value] = cells[rows, columns]
        return result

    def _totals(self, table: pd.DataFrame) -> np.ndarray:
        """Return which rows are sums over others, bool [n]: "Total", or "K100 Total" where nothing else is named."""
        owners = [table[column] for column in self.kept[:_OWNERS] if column in table]
        said = [owner.map(is_total).to_numpy(dtype=bool) for owner in owners]
        if len(owners) > 1 and self.name in _WHEN:
            told = np.column_stack([owner.map(says_total).to_numpy(dtype=bool) for owner in owners]).any(axis=1)
            alone = (
                np.column_stack([owner.map(_is_something).to_numpy(dtype=bool) for owner in owners]).sum(axis=1) == 1
            )
            said.append(told & alone)
        return np.any(said, axis=0) if said else np.zeros(len(table), dtype=bool)


def find_wide(head: pd.DataFrame, columns: Sequence[str]) -> Wide | None:
    """Return how to read a table of users by items, or of periods side by side; None where it is neither."""
    return _periods(head, columns) or _matrix(head, columns)


def numbers(column: pd.Series) -> np.ndarray:
    """Return the plain numbers of a column, float64 [n], NaN where there is none."""
    values = column.astype("str") if column.dtype == object else column
    return pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)


def is_total(name: object) -> bool:
    """Return whether a name is that of a sum over all others."""
    return re.sub(r"[\W_]", "", folded(_bare(str(name)))) in _TOTALS


def says_total(name: object) -> bool:
    """Return whether a name begins or ends as that of a sum over some others: "Total for K100", "K100 Total"."""
    words = re.findall(r"\w+", folded(str(name)))
    return bool(words) and (words[0] in _PARTIAL or words[-1] in _PARTIAL)


def _is_something(value: object) -> bool:
    return value is not None and value == value and str(value).strip() != ""


def _bare(name: str) -> str:
    """Return the name of a column without what pivot tables write before it: "Sum of Jan" -> "Jan"."""
    return _SUM_OF.sub("", name.strip())


# ---- users by items


def _matrix(head: pd.DataFrame, columns: Sequence[str]) -> Wide | None:
    if len(columns) < _FEWEST_COLUMNS + 1 or len(head) < 3:
        return None
    nameless = all(NAMELESS.fullmatch(str(column)) for column in columns)
    first = columns[0]
    owners = head[first].dropna()
    owned = not owners.duplicated().any() and len(owners) == len(head)
    if not owned and not nameless:
        return None
    others = [column for column in columns[owned:] if not is_total(column)]
    numeric = [column for column in others if _is_numeric(head[column]) or _is_marked(head[column])]
    others = [column for column in others if column in numeric or not _is_beside(column)]
    if len(numeric) < max(_FEWEST_COLUMNS, 0.9 * len(others)):
        return None
    cells = np.column_stack([_cells(head[column]) for column in numeric])
    missing = _stands_for_nothing(cells)
    if missing is not None:
        cells[cells == missing] = np.nan
        numeric, cells = _without_counts(numeric, cells)
    empty = np.isnan(cells) | (cells == 0)
    values = np.unique(cells[~empty])
    sums = [column for column in columns[1:] if is_total(column) and column not in numeric]
    if not any(_adds_up(cells, numbers(head[column])) for column in sums):
        if not len(values) or (missing is None and (empty.mean() < _EMPTY or values.min() < 0)):
            return None
        if not _are_ids(numeric) and not (len(numeric) == len(others) and _are_of_one_kind(cells, empty)):
            return None
    value = "" if len(values) == 1 else "rating" if values.max() <= 10 else "quantity"
    named = means("item", first) in (0, 1) or means("label", first) == 0  # "Name" alone is anybody's
    turned = owned and named and means("user", first) is None
    what = "users" if turned else "items"
    note = f"the file looks like a matrix with a column for each of {len(numeric):,} {what}; every filled cell "
    note += "became a row"
    note += "" if owned else ", and the users are called by the numbers of their rows"
    note += "" if missing is None else f"; {missing:g} stands for no value"
    kept = tuple(column for column in columns if column not in numeric and not is_total(column))
    return Wide(tuple(numeric), kept, "user" if turned else "item", value, note, not owned, missing)


def _adds_up(cells: np.ndarray, sums: np.ndarray) -> bool:
    """Return whether a column holds the sums of all others, as a pivot table of positive numbers has it."""
    with np.errstate(invalid="ignore"):
        same = np.abs(np.nansum(cells, axis=1) - sums) <= 1e-6 * np.abs(sums)
    return bool(same.mean() > 1 - _OFTEN_EMPTY and np.nanmin(cells, initial=0.0) >= 0)


def _stands_for_nothing(cells: np.ndarray) -> float | None:
    """Return the number far from all others that many cells hold where nothing is known: 99 among -10 to 10."""
    values, counts = np.unique(cells[~np.isnan(cells)], return_counts=True)
    if len(values) < 3:
        return None
    for at, rest in ((-1, values[:-1]), (0, values[1:])):
        far = abs(values[at]) >= _FAR * np.percentile(np.abs(rest), 99) and abs(values[at]) in _NOTHING
        if far and counts[at] >= _OFTEN_EMPTY * cells.size:
            return float(values[at])
    return None


def _without_counts(names: list[str], cells: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Return columns and cells without one in front that says how many of the others are filled."""
    filled = (~np.isnan(cells[:, 1:])).sum(axis=1)
    return (names[1:], cells[:, 1:]) if (cells[:, 0] == filled).mean() > 1 - _OFTEN_EMPTY else (names, cells)


def _is_numeric(column: pd.Series) -> bool:
    known = column.dropna()
    return len(known) == 0 or bool((~np.isnan(numbers(known))).all())


def _is_marked(column: pd.Series) -> bool:
    """Return whether cells hold marks for yes and no only: x, TRUE, ✓."""
    words = set(map(folded, column.dropna().astype("str").str.strip().unique()))
    return 0 < len(words) <= _MOST_MARKS and words <= _MARKS | YES | NO


def _cells(column: pd.Series) -> np.ndarray:
    """Return the numbers of a column of a matrix, float64 [n]: 1 and 0 for marks of yes and no, NaN for nothing."""
    found = numbers(column)
    if np.isfinite(found).any() or not _is_marked(column):
        return found
    words = column.astype("str").str.strip().map(folded, na_action="ignore")
    return np.where(column.isna(), np.nan, words.isin(_MARKS | YES).to_numpy(dtype=np.float64))


def _is_beside(column: str) -> bool:
    """Return whether a header names who answered, or when: no item of a matrix."""
    return means("user", column) is not None or means("time", column) in (0, 1)


def _asked(names: Sequence[str]) -> list[str]:
    """Return the names of items without the question that forms put before each: ``Please rate [Red mug]``."""
    found = [_ASKED.fullmatch(str(name).strip()) for name in names]
    same = all(found) and len({one[1] for one in found if one}) == 1
    return [one[2] for one in found if one] if same else list(names)


def _are_ids(names: Sequence[str]) -> bool:
    """Return whether names look like ids rather than like words: nearly all have digits, or there are many."""
    digits = sum(any(sign.isdigit() for sign in str(name)) for name in names)
    return digits >= 0.8 * len(names) or len(names) >= 40


def _are_of_one_kind(cells: np.ndarray, empty: np.ndarray) -> bool:
    """Return whether columns hold the same kind of number, each with gaps: facts of a person differ, and are known."""
    largest = np.where(empty, 0.0, cells).max(axis=0)
    largest = largest[largest > 0]
    return bool((empty.mean(axis=0) >= _OFTEN_EMPTY).all() and len(largest) and largest.max() <= _ALIKE * largest.min())


# ---- periods side by side


def _periods(head: pd.DataFrame, columns: Sequence[str]) -> Wide | None:
    """Return how to read a table with a column of quantities for every month, quarter or year."""
    periods = _period_names(columns)
    named = [column for column in columns if str(column) in periods and _is_numeric(head[column])]
    kept = tuple(column for column in columns if column not in named and not is_total(column))
    if len(named) < _FEWEST_PERIODS or len(kept) < 2:
        return None
    bare = [_bare(str(column)) for column in named]
    name = "month" if all(folded(one) in MONTHS or _MONTH.fullmatch(one) for one in bare) else "date"
    if name in kept:
        return None
    note = f"the columns {named[0]} to {named[-1]} hold a quantity for each period; every filled cell became a row"
    return Wide(tuple(named), kept, name, "quantity", note)


def _period_names(names: Sequence[str]) -> set[str]:
    """Return the names that are months, years or other moments."""
    found, forms = set(), defaultdict(list)
    for name in map(str, names):
        text = _bare(name)
        if (
            folded(text) in MONTHS
            or _MONTH.fullmatch(text)
            or (text.isdigit() and len(text) in (4, 6) and text[:2] in ("19", "20"))
        ):
            found.add(name)
        elif len(text) <= _LONGEST_PERIOD and any(map(str.isdigit, text)) and not text.isdigit():
            forms[shape(text)].append(name)
    for alike in itertools.islice(forms.values(), _MOST_FORMS):
        seconds = read_times(pd.Series([_bare(one) for one in alike], dtype="str")).seconds
        found.update(name for name, second in zip(alike, seconds, strict=True) if np.isfinite(second))
    return found
