"""Tables in other shapes than one row per user and item -> that shape.

Lists in cells (of Parquet, of JSON, or text with a separator) become one row an item, a matrix of users by items one
row per filled cell; lists that are not the items are left out. What is to be done is decided from the first rows.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from grouprec.data.reading.compact import Compact, find_compact
from grouprec.data.reading.continued import Continued, find_continued
from grouprec.data.reading.flagged import find_flagged
from grouprec.data.reading.headings import Headings, find_headings
from grouprec.data.reading.json_records import flat
from grouprec.data.reading.repeated import Repeated, find_repeated
from grouprec.data.reading.wide import Wide, find_wide, numbers
from grouprec.data.roles.header_words import CATEGORY, PATTERNS, header_words, means, says
from grouprec.data.roles.looked_at import MOST_LOOKED_AT, columns_looked_at
from grouprec.data.values.cells import (
    CLICKED,
    WRITTEN,
    are_shown,
    choices_of,
    counted,
    holds_some_of,
    holds_written_lists,
    is_counted,
    items_of,
    separator_of,
)
from grouprec.data.values.common import folded_words, shown, some_of

_ITEMS = re.compile(
    r".*(items?|products?|skus?|asins?|isbns?|movies?|books?|tracks?|songs?|articles?|games?|courses?|basket|cart|history|"
    r"contents|details|orders|purchases|purchased|bought|ordered|viewed|watched|clicked|liked|lineitems|sequence|playlist|itemids?|lines)",
)
_PLURAL = re.compile(
    r".*(items|products?s|skus|asins|movies|books|tracks|songs|articles|games|courses|basket|cart|history|contents|"
    r"purchases|lineitems|sequence|itemids|productids|itemlist|productlist)"
)
_COUNTS = ("num", "n", "count", "counts", "total", "number")  # how many there are names none of them
_LONGEST_PRINTED = 10_000  # characters of an object as Python prints it, which takes a compiler to read
_MOST_INSIDE = 100  # names inside the objects of one column
DATE = "date"  # what year, month and day become
_DATE_PARTS = (  # words, least, most
    (folded_words("year yr jahr año anno jaar rok год année 年"), 1970, 2100),
    (folded_words("month mon monat mes mese mês maand miesiąc месяц mois 月"), 1, 12),
    (folded_words("day tag día giorno dag dzień день jour 日 dayofmonth mday"), 1, 31),
)
_CLOCK_PARTS = (  # of which the first ones may stand beside a date
    (folded_words("hour hr stunde hora ora uur heure час godzina 時"), 0, 23),
    (folded_words("minute min minuto minuut минута 分"), 0, 59),
    (folded_words("second sec sekunde segundo secondo seconde секунда 秒"), 0, 59),
)
_PARTS = ("year", "month", "day", "hour", "minute", "second")


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
        wide: a column for every item or month, whose filled cells become rows; None where there is none.
        objects: columns of objects written as text -> the names inside, which become columns ``column.name``.
        repeated: columns for the first item, the second and so on; None where one column names the item.
        headed: what stands alone above rows that it is about; None where nothing does.
        compact: rows below their sums; None where there are none.
        continued: columns that only the first line of an order fills; None where all lines do.
        dated: columns of the year, the month, the day and maybe the time of day, which become ``date``; empty for none.
        notes: what to say about it.
    """

    columns: tuple[str, ...]
    listed: str | None = None
    parts: tuple[str, ...] = ()
    separator: str = ""
    counted: bool = False
    wide: Wide | None = None
    repeated: Repeated | None = None
    headed: Headings | None = None
    compact: Compact | None = None
    continued: Continued | None = None
    dated: tuple[str, ...] = ()
    objects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = field(default=())

    @property
    def plain(self) -> bool:
        """Whether rows stay as they are."""
        changes = (self.listed, self.wide, self.headed, self.repeated, self.continued, self.compact)
        return all(one is None for one in changes) and not self.dated and not self.objects

    def sources(self, wanted: Sequence[str]) -> list[str]:
        """Return the columns of the file that are needed for columns of the result."""
        if self.headed is not None:  # whether a line stands alone, all its values tell
            return [column for column in self.columns if column != self.headed.name or column == self.headed.column]
        if self.repeated is not None:
            return self.repeated.sources
        if self.compact is not None:
            there = [column for column in wanted if column not in self.compact.names]
            return [*dict.fromkeys([self.compact.column, self.compact.summed, *there])]
        found = [column for column in wanted if column in self.columns]
        found += self.dated if DATE in wanted else ()
        found += [name for name, inner in self.objects.items() if {f"{name}.{one}" for one in inner} & set(wanted)]
        if self.continued is not None:
            found += [*self.continued.columns, *filter(None, (self.continued.order,))]
        if self.listed is not None:
            found.append(self.listed)
        if self.wide is not None:
            # The owner of a row tells, too, whether it is a sum over the others.
            found += [*self.wide.kept[:3], *self.wide.columns]
        return [*dict.fromkeys(found)] if not self.plain else found

    def apply(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table in its new shape."""
        if self.headed is not None:
            return self.headed.apply(table)
        if self.compact is not None:
            return self.compact.apply(table)
        if self.repeated is not None:
            return self.repeated.apply(table)
        if self.continued is not None:
            table = self.continued.apply(table)
        if self.dated and set(self.dated) <= set(table.columns):
            parts = (numbers(table[column]) for column in self.dated)
            date = pd.to_datetime(pd.DataFrame(dict(zip(_PARTS, parts, strict=False))), errors="coerce")
            form = "%Y-%m-%d" if len(self.dated) == len(_DATE_PARTS) else "%Y-%m-%d %H:%M:%S"
            table = table.drop(columns=list(self.dated)).assign(**{DATE: date.dt.strftime(form)})
        inside = {f"{column}.{name}" for column, names in self.objects.items() for name in names}
        for column in self.objects.keys() & set(table.columns):
            table = _opened(table, column, self.objects[column])
        mine = set(self.columns) | ({DATE} if self.dated else set()) | inside
        kept = [column for column in table.columns if column in mine]
        if self.listed is not None:
            return self._spread(table, [column for column in kept if column != self.listed])
        if self.wide is not None:
            return self.wide.rows(table, kept)
        return table if len(kept) == len(table.columns) else table[kept]

    @property
    def _kind(self) -> Any:
        """The type of the items of a text; those of lists have their own."""
        return "str" if self.separator not in ("", WRITTEN) else object

    def _spread(self, table: pd.DataFrame, kept: list[str]) -> pd.DataFrame:
        assert self.listed is not None
        lists = [_unfolded(items_of(cell, self.separator)) for cell in table[self.listed]]
        rows = np.repeat(np.arange(len(table)), [len(one) for one in lists])
        result = table[kept].take(rows).reset_index(drop=True)
        values = [one for items in lists for one in items]
        if self.parts:
            inner = [flat(one) if isinstance(one, dict) else {} for one in values]
            for part in self.parts:
                column = [one.get(part) for one in inner]
                result[f"{self.listed}.{part}"] = pd.Series(column, dtype=object).infer_objects()
        elif self.counted:
            pairs = [counted(one) for one in values]
            result[self.listed] = pd.Series([name for name, _ in pairs], dtype="str")
            result["quantity"] = pd.Series([number for _, number in pairs], dtype="str")
        else:
            result[self.listed] = pd.Series(values, dtype=self._kind).infer_objects()
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
            notes = (f"columns of lists or objects were left out: {some_of(ignored)}",)
    if chosen is not None:
        parts = _parts(head[chosen])
        kept = tuple(c for c in columns if c not in {f"{chosen}.{part}" for part in parts})
        note = f"every value of the lists in column '{shown(chosen)}' became a row of its own"
        if not parts:
            kept = (*kept, chosen)
        return Plan(kept, chosen, parts, notes=(*notes, note))
    headed = find_headings(head, columns)
    if headed is not None:
        return Plan(tuple(dict.fromkeys((*columns, headed.name))), headed=headed, notes=(*notes, headed.note))
    compact = find_compact(head, columns)
    if compact is not None:
        return Plan((*compact.names, *columns), compact=compact, notes=(*notes, compact.note))
    repeated = find_repeated(head, columns)
    if repeated is not None:
        return Plan(repeated.names, repeated=repeated, notes=(*notes, repeated.note))
    wide = find_wide(head, columns) or find_flagged(head, columns)
    if wide is not None:
        return Plan(wide.kept, wide=wide, notes=(*notes, wide.note))
    few = columns if len(columns) <= MOST_LOOKED_AT else columns_looked_at(head[list(columns)])  # each costs a while
    plan = _clicked(head, columns, few) or _written_lists(head, columns, few) or _written_objects(head, columns, few)
    plan = (
        plan
        or _items_in_text(head, columns, few)
        or _dated(head, columns)
        or _continued(head, columns)
        or Plan(columns)
    )
    return replace(plan, notes=(*notes, *plan.notes))


def _clicked(head: pd.DataFrame, columns: Sequence[str], few: Sequence[str]) -> Plan | None:
    """Return how to read what was shown and clicked of a list of news; None without such a column."""
    column = next((column for column in few if are_shown(head[column])), None)
    if column is None:
        return None
    note = f"of the items shown in column '{shown(column)}', those with 1 behind them became rows of their own"
    before = [one for one in columns if one != column and holds_some_of(head[one], head[column])]
    note += f"; what users had before is left out ({some_of(before)})" if before else ""
    return Plan(tuple(one for one in columns if one not in before), column, separator=CLICKED, notes=(note,))


def _written_lists(head: pd.DataFrame, columns: Sequence[str], few: Sequence[str]) -> Plan | None:
    """Return how to read lists that are written as text, where one of them holds the items."""
    written = [column for column in few if holds_written_lists(head[column])]
    others = [column for column in columns if column not in written]
    chosen = _list_of_items(head, written, others)
    if chosen is None:
        return None
    parts = _parts(head[chosen], WRITTEN)
    note = f"every value of the lists in column '{shown(chosen)}' became a row of its own"
    kept = tuple(column for column in columns if column != chosen or not parts)
    return Plan(kept, chosen, parts, separator=WRITTEN, notes=(note,))


def _written_objects(head: pd.DataFrame, columns: Sequence[str], few: Sequence[str]) -> Plan | None:
    """Return how to read objects that are written as text, as logs keep what an event was about; None without any."""
    objects, names = {}, {str(column) for column in columns}
    for column in few:
        found = [_object(text) for text in head[column].dropna().head(200)]
        inner = tuple(dict.fromkeys(name for one in found if one for name, cell in one.items() if _is_plain(cell)))
        # One that another column already names would stand twice.
        if (
            found
            and None not in found
            and 0 < len(inner) <= _MOST_INSIDE
            and not {f"{column}.{n}" for n in inner} & names
        ):
            objects[column] = inner
    if not objects:
        return None
    told = some_of(objects)
    note = f"the objects in column {told} were opened: what is inside has columns of its own"
    return Plan(tuple(column for column in columns if column not in objects), objects=objects, notes=(note,))


def _object(text: Any) -> dict[str, Any] | None:
    """Return the flat object that a text is, JSON or as Python prints it; None for another text."""
    if not isinstance(text, str) or not text.lstrip().startswith("{") or not text.rstrip().endswith("}"):
        return None
    for read in (json.loads, ast.literal_eval) if len(text) <= _LONGEST_PRINTED else (json.loads,):
        with contextlib.suppress(ValueError, SyntaxError, RecursionError, MemoryError):
            found = read(text)
            return flat(found) if isinstance(found, dict) else None
    return None


def _is_plain(value: Any) -> bool:
    return value is not None and not isinstance(value, (list, dict))


def _opened(table: pd.DataFrame, column: str, names: Sequence[str]) -> pd.DataFrame:
    """Return a table with what is inside the objects of a column in its place; other texts there hold nothing."""
    objects = [_object(text) or {} for text in table[column]]
    inner = {f"{column}.{name}": [_plain(one.get(name)) for one in objects] for name in names}
    return table.drop(columns=column).assign(**{name: pd.Series(v, table.index, "str") for name, v in inner.items()})


def _plain(value: Any) -> str | None:
    return str(value) if _is_plain(value) else None


def _continued(head: pd.DataFrame, columns: Sequence[str]) -> Plan | None:
    """Return how to read orders of which only the first line says whose they are; None for other tables."""
    found = find_continued(head, columns)
    return None if found is None else Plan(tuple(columns), continued=found, notes=(found.note,))


def _dated(head: pd.DataFrame, columns: Sequence[str]) -> Plan | None:
    """Return how to put together a date of which year, month and day stand in columns; None where that is not so."""
    found = []
    for words, least, most in (*_DATE_PARTS, *_CLOCK_PARTS):
        named = [column for column in columns if set(header_words(str(column))) <= words]
        named = named or [column for column in columns if set(header_words(str(column))) & words]
        values = numbers(head[named[0]].dropna()) if len(named) == 1 else np.empty(0)
        if not len(values) or not ((values >= least) & (values <= most) & (np.floor(values) == values)).all():
            break
        found.append(named[0])
    if DATE in columns or len(set(found)) < len(found) or len(found) < len(_DATE_PARTS):
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
    beside = [column for column in others if not says(_COUNTS, column) and means("order", column) is None]
    if any(_ITEMS.fullmatch(_id_free(column)) for column in beside):
        return None
    if named:
        return named[0]
    plain = [column for column in listed if not _all_objects(head[column])]
    return plain[0] if len(plain) == 1 and len(others) <= 2 else None


def _id_free(name: str) -> str:
    return re.sub(r"(id|ids|code|no|nr|number|name|title)$", "", _simple(name))


def _all_objects(column: pd.Series) -> bool:
    return all(isinstance(value, dict) for value in column.dropna().head(200))


def _parts(column: pd.Series, separator: str = "") -> tuple[str, ...]:
    """Return the names inside the objects of lists; none where the lists hold plain values."""
    cells = column.dropna().head(200)
    objects = [one for cell in cells for one in _unfolded(items_of(cell, separator)) if isinstance(one, dict)]
    names = dict.fromkeys(name for one in objects for name, value in flat(one).items() if not isinstance(value, list))
    return tuple(names)


def _unfolded(items: list[Any], depth: int = 3) -> list[Any]:
    """Return objects with a list of items inside as one object an item: users with orders with lines."""
    found: list[Any] = []
    for one in items:
        inner = [name for name, value in one.items() if isinstance(value, list)] if isinstance(one, dict) else []
        named = [
            name for name in inner if _ITEMS.fullmatch(_simple(name)) and any(isinstance(x, dict) for x in one[name])
        ]
        if len(named) != 1 or not depth:
            found.append(one)
            continue
        rest = {name: value for name, value in one.items() if name != named[0]}
        found += [{**rest, named[0]: each} for each in _unfolded(one[named[0]], depth - 1)]
    return found


# ---- items in the text of a cell


def _of_words_again(head: pd.DataFrame, columns: Sequence[str]) -> Iterator[str]:
    """Yield the columns without a known name that may hold the items: words that come again."""
    for column in columns:
        if (
            not any(means(role, column) is not None for role in PATTERNS)
            and not np.isfinite(numbers(head[column].dropna())).all()
        ):
            values = head[column]
            if 1 < values.nunique() <= 0.8 * len(values):
                yield column


def _items_in_text(head: pd.DataFrame, columns: Sequence[str], few: Sequence[str]) -> Plan | None:
    """Return how to part cells that hold several items; None where cells hold one."""
    named = any(means("item", column) is not None for column in columns)
    may_be_items = list(itertools.islice(_of_words_again(head, few), 2))  # the column itself and another one
    for column in few:
        plural = _PLURAL.fullmatch(_simple(column))
        if not plural and (named or says(CATEGORY, column) or set(may_be_items) - {column}):
            continue
        values = head[column].dropna()
        if not (len(values) > 3 and isinstance(values.iloc[0], str)):
            continue
        separator = separator_of(values.astype("str")) if plural else choices_of(values.astype("str"))
        if separator is not None:
            parts = [one for cell in values for one in items_of(str(cell), separator)]
            counts = sum(map(is_counted, parts))
            name = shown(column)
            mark = "line break" if separator == "\n" else "blank" if separator == " " else f"'{separator}'"
            note = f"the items of column '{name}', which {mark} separates, became rows of their own"
            taken = "quantity" in map(_simple, columns)
            counted_too = counts > 0.9 * len(parts) and not taken
            return Plan(tuple(columns), column, separator=separator, counted=counted_too, notes=(note,))
    return None
