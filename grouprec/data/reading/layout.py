"""How a delimited text is laid out, and the rows that csv sees in its lines."""

from __future__ import annotations

import csv
import re
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from grouprec.data.limits import LONGEST_ROW
from grouprec.data.reading.around_lines import straight, unwrap_line, without_prefix

csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a cell may hold a whole page of HTML

SEPARATOR = "\x1f"  # stands for a delimiter of several bytes while a line is split


@dataclass(frozen=True)
class Layout:
    """How to read the lines of a delimited text.

    Attributes:
        delimiter: one or several characters.
        quote: the quotation mark, "" where marks are part of the text.
        escaped: whether a quotation mark within a value is written with a backslash.
        spaced: whether blanks after a delimiter are no part of the value.
        wrapped: whether every whole line stands in quotes.
        curly: whether values stand in the quotation marks of a typesetter, “so” or «so».
        prefix: a pattern of what stands before every line and is no part of it.
        above: lines above the first row.
        names: the columns as named in the file, "" for those without a name.
        named: whether the file names its columns.
        starts: where columns of fixed width begin, in characters; empty where a delimiter parts them.
        headed: whether lines of one value head the rows below them.
        once: whether only the first delimiter of a line parts it.
        notes: what was found that people should know.
    """

    delimiter: str
    quote: str = '"'
    escaped: bool = False
    spaced: bool = False
    wrapped: bool = False
    curly: bool = False
    prefix: re.Pattern[str] | None = None
    above: int = 0
    names: tuple[str, ...] = ()
    named: bool = True
    starts: tuple[int, ...] = ()
    once: bool = False
    headed: bool = False
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        return len(self.names)

    @property
    def quick(self) -> bool:
        """Whether the quick parser reads it: that one knows nothing around a line or after a delimiter."""
        return not (self.spaced or self.wrapped or self.curly or self.prefix or self.starts or self.once)

    def prepare(self, line: str) -> str:
        """Return a line without what stands around it, its delimiter a single character."""
        if self.prefix:
            line = without_prefix(line, self.prefix)
        if self.starts:
            if not line.strip() or any(
                line[at - 1 : at].strip() and line[at : at + 1].strip() for at in self.starts[1:]
            ):
                return line  # a title or a footer: words stand where columns are parted
            stops = [*self.starts[1:], len(line)]
            return self.mark.join(line[start:stop].strip() for start, stop in zip(self.starts, stops, strict=True))
        if self.wrapped:
            line = unwrap_line(line)
        if self.curly:
            line = straight(line)
        return line.replace(self.delimiter, self.mark, 1 if self.once else -1)

    def reader(self, lines: Iterable[str], strict: bool = False) -> Any:
        """Return csv's reader over prepared lines; a strict one raises where a closing mark ends no value."""
        return csv.reader(
            lines,
            delimiter=self.mark,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar="\\" if self.escaped else None,
            skipinitialspace=self.spaced,
            strict=strict,
        )

    @property
    def mark(self) -> str:
        """What parts the values of a prepared line."""
        if self.once:
            return SEPARATOR
        return self.delimiter if len(self.delimiter.encode()) == 1 else SEPARATOR

    def split(self, line: str) -> list[str]:
        """Return the values of a line whose quotation marks mean nothing."""
        parts = self.prepare(line).rstrip("\r\n").split(self.mark)
        return [part.strip(" ") for part in parts] if self.spaced else parts


def split_lines(text: str) -> list[str]:
    """Return the lines without their ends; the last one, where it is empty, is none."""
    lines = re.split(r"\r\n|\n|\r", text)
    return lines[:-1] if lines and not lines[-1] else lines


def clean_name(value: str) -> str:
    """Return a column's name without what is invisible around it."""
    return re.sub(r"[\ufeff\u200b-\u200f\u2060\x00]", "", value).strip().strip("\"'").lstrip("#").strip()


# ---- the rows that csv sees


class Record(NamedTuple):
    """Values with the lines that they stand in.

    Attributes:
        line: the first one, from 1.
        fields: the values.
        lines: all of them, with their ends.
        literal: whether quotation marks were taken as text, because one is never closed or swallowed other rows.
        cut: whether the lines ended within the values.
    """

    line: int
    fields: list[str]
    lines: list[str]
    literal: bool = False
    cut: bool = False


class _TooLong(Exception):
    """A row has grown beyond all measure."""


class _Feed:
    """Lines for csv's reader, which remembers those of the row in progress and takes lines back."""

    def __init__(self, lines: Iterable[str], first: int, layout: Layout) -> None:
        self._source, self._back, self._layout = iter(lines), deque[str](), layout
        self.line, self.taken, self.ended = first - 1, list[str](), False
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._size > LONGEST_ROW:
            raise _TooLong
        line = self._back.popleft() if self._back else next(self._source, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self.line += 1
        self.taken.append(line)
        self._size += len(line)
        prepared = self._layout.prepare(line)
        return prepared if prepared[-1:] in ("\n", "\r") else prepared + "\n"

    def begin(self) -> None:
        self.taken, self._size = [], 0

    def first_alone(self) -> Record:
        """Return the first line of those taken with its marks as text, and take the others back."""
        lines, first = self.taken, self.line - len(self.taken) + 1
        self._back.extendleft(reversed(lines[1:]))
        self.line = first
        self.ended = False
        return Record(first, self._layout.split(lines[0]), lines[:1], literal=True)


def records(
    lines: Iterable[str], first: int, layout: Layout, swallows: Callable[[Record], bool], whole: bool
) -> Iterator[Record]:
    """Yield the rows of lines, the first of which is line ``first`` of the file; blank lines have no values.

    Args:
        lines: with their ends.
        layout: delimiter and quotes.
        swallows: whether rows stand inside the values of a row of several lines; these are then read one by one.
        whole: whether the lines are all there are; else a last row that is not closed is left out.
    """
    feed = _Feed(lines, first, layout)
    reader = layout.reader(feed)
    while True:
        feed.begin()
        try:
            fields = next(reader, None)
        except (csv.Error, _TooLong):
            reader = layout.reader(feed)
            yield feed.first_alone()
            continue
        if fields is None:
            return
        # csv's reader asks for a line after the last one only within quotes.
        found = Record(feed.line - len(feed.taken) + 1, fields, feed.taken, cut=feed.ended)
        if feed.ended:
            if not whole and not swallows(found):
                return
            yield feed.first_alone()
        elif len(found.lines) > 1 and swallows(found):
            yield feed.first_alone()
        else:
            yield found


def _is_sound(record: Record, layout: Layout) -> bool:
    try:
        return next(layout.reader(map(layout.prepare, record.lines), strict=True), None) is not None
    except csv.Error:
        return False


def width_swallows(layout: Layout, width: int) -> Callable[[Record], bool]:
    """Return a test for :func:`records` that knows only how many values a row has.

    What a program has written as one row closes its marks where values end; then no row was swallowed.
    """

    def swallows(record: Record) -> bool:
        if len(record.fields) == width and _is_sound(record, layout):
            return False
        inner = [len(layout.split(line)) == width for line in record.lines[1:]]
        return all(inner) or (sum(inner) >= 3 and 2 * sum(inner) >= len(inner)) or len(record.fields) > 3 * width

    return swallows
