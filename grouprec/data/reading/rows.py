"""Lines of delimited text -> rows, going on where a line is damaged: what cannot be read is kept, with the reason.

A quotation mark that is not closed swallows the rows after it. Such a stretch is found by the rows that stand inside a
value, and read again line by line. A row of the wrong width is mended where only one way of reading it fits what all
columns look like; otherwise it is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from grouprec.data.reading.layout import Layout, Record, clean_name, records, width_swallows
from grouprec.data.reading.profiles import Profile
from grouprec.data.reading.rejects import HEADER_AGAIN
from grouprec.data.roles.header_words import means

_OTHERS = (",", ";", "\t", "|")
_NAME = re.compile(r"[^\W\d_]{2}")
_RULE = re.compile(r"\s*[-=]{3,}\s*")
_REORDERED = "rows below a second header were put in the order of the first"
SHOWN = 2000  # characters of a rejected row that are kept


class Row(NamedTuple):
    """A row of the file.

    Attributes:
        line: where it begins, from 1.
        fields: its values; None where it was rejected.
        text: the line as it stands in the file, of rejected rows only.
        rule: why it was rejected.
    """

    line: int
    fields: list[str] | None
    text: str = ""
    rule: str = ""


@dataclass
class Mended:
    """How many rows were read although they were damaged, by what was done."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


class RowReader:
    """Reads rows.

    Args:
        layout: of the text.
        seen: what the columns look like.
        whole: False where the text is only a beginning, whose last row may be cut off and is then left out.
    """

    def __init__(self, layout: Layout, seen: Profile, whole: bool = True) -> None:
        self.layout, self.seen, self.whole = layout, seen, whole
        self.mended = Mended()
        self._names = {*filter(None, layout.names)} if layout.named else set()
        self._places: list[int | None] | None = None  # of the columns in rows below another header
        self._width = layout.width  # of these rows
        self._missing = ["1" if means("weight", name) is not None else "" for name in layout.names]  # a row is one
        self._formed = [n for n in range(layout.width) if seen.is_plain(n, (layout.mark, layout.quote or '"'))]

    def rows(self, lines: Iterable[str], first: int) -> Iterator[Row]:
        """Yield the rows of lines (with their ends), the first of which is line ``first`` of the file."""
        for record in records(lines, first, self.layout, self._swallows, self.whole):
            text = record.lines[0]
            if all(map(_RULE.fullmatch, record.fields)):
                continue  # drawn below the header of a further page
            if self._is_header(record.fields):
                yield Row(record.line, None, text.rstrip("\r\n")[:SHOWN], HEADER_AGAIN)
                continue
            if self._places is not None and len(record.fields) == self._width:
                self.mended.add(_REORDERED)
                places = zip(self._places, self._missing, strict=True)
                fields = [more if place is None else record.fields[place] for place, more in places]
                record = record._replace(fields=fields)
            if record.literal:
                yield self._literal(record.line, record.fields, text)
            elif len(record.fields) == self.layout.width:
                yield self._full(record, text)
            elif self.layout.headed and len(record.fields) == 1 and text.strip():
                yield Row(record.line, [*record.fields, *[""] * (self.layout.width - 1)])
            elif len(record.lines) > 1 or text.strip("\r\n\t ,;|\x1f"):
                unended = text[-1:] not in ("\n", "\r")
                yield self._mend(record.line, record.fields, text, unended and self.whole)

    def _is_header(self, fields: list[str]) -> bool:
        """Return whether a row is the header again, maybe in another order, which then holds for the rows below it.

        Files put together have one each; the second may have more columns, which are left out, or some fewer.
        """
        if self._names.isdisjoint(fields) and not (fields and fields[0].startswith("\ufeff")):
            return False
        names = list(map(clean_name, fields))
        known = self._names.intersection(names)
        if tuple(names) != self.layout.names and (
            len(known) < 2
            or len(known) * 2 <= len(self._names)
            or len(set(names)) < len(names)
            or not (known >= self._names or known >= {*filter(None, names)})
            or not all(map(_NAME.match, known))  # "2,1,3" below "1,2,3" is a row
        ):
            return False
        places = [names.index(name) if name in known else None for name in self.layout.names]
        self._places = None if places == list(range(len(names))) else places
        self._width = len(names)
        return True

    def _full(self, record: Record, text: str) -> Row:
        """Return the row of as many values as there are columns, unless its quotation marks have made it of others."""
        fields = record.fields
        if self.layout.quote and self.layout.quote in text and self._slipped(fields):
            mended = self._mend(record.line, fields, text, False)
            # Marks that stand where they should mean what they say, however rare such a value is in its column.
            return Row(record.line, fields) if mended.fields is None and self._well_quoted(text) else mended
        return Row(record.line, fields)

    def _well_quoted(self, text: str) -> bool:
        """Return whether all quotation marks of a row open a value, close it, or stand doubled inside (RFC 4180)."""
        quote, mark = re.escape(self.layout.quote or '"'), re.escape(self.layout.mark)
        value = f"(?:[^{quote}{mark}]*|{quote}(?:[^{quote}]|{quote}{quote})*{quote})"
        return re.fullmatch(f"{value}(?:{mark}{value})*", self.layout.prepare(text).rstrip("\r\n")) is not None

    def _slipped(self, fields: list[str]) -> bool:
        """Return whether a value holds a delimiter or a quotation mark in a column whose values never do."""
        marks = (self.layout.mark, self.layout.quote)
        return any(mark in fields[at] for at in self._formed for mark in marks)

    def _swallows(self, record: Record) -> bool:
        """Return whether lines after the first look like rows of their own, or no row comes of them together."""
        width = self.layout.width
        if len(record.fields) != width and not record.cut:
            return True
        if not self.seen.tells:
            return width_swallows(self.layout, width)(record)
        return any(self._is_row(line) for line in record.lines[1:])

    def _is_row(self, line: str) -> bool:
        """Return whether a line by itself surely is a row."""
        plain = self.layout.split(line)
        if len(plain) < self.layout.width:
            return False
        quoted = next(self.layout.reader([self.layout.prepare(line)]), [])
        return any(len(row) == self.layout.width and self.seen.trusts(row) for row in (plain, quoted))

    def _literal(self, line: int, fields: list[str], text: str) -> Row:
        """Return the row of a line with a stray quotation mark."""
        if len(fields) == self.layout.width and (self.seen.fits(fields) >= 0 or not self.seen.tells):
            self.mended.add("a quotation mark without its pair was taken as text")
            return Row(line, fields)
        return self._mend(line, fields, text, False)

    def _mend(self, line: int, fields: list[str], text: str, cut: bool) -> Row:
        """Return a row of another width where one way of reading it fits, else the reason why not."""
        width = self.layout.width
        for what, found in self._ways(fields, text, cut):
            if found is not None:
                self.mended.add(what)
                return Row(line, [*found, *[""] * (width - len(found))])
        named = "the header has" if self.layout.named else "the others have"
        values, columns = (
            f"{len(fields)} value{'s' * (len(fields) != 1)}",
            f"{width} columns" if named[4] == "h" else str(width),
        )
        rule = f"{values} where {named} {columns}"
        if '"' in text and self.layout.quote and text.count(self.layout.quote) % 2:
            rule = "a quotation mark without its pair"
        elif text.lstrip().startswith(("#", "//")):
            rule = "a comment"
        return Row(line, None, text.rstrip("\r\n")[:SHOWN], rule)

    def _ways(self, fields: list[str], text: str, cut: bool) -> Iterator[tuple[str, list[str] | None]]:
        width, seen = self.layout.width, self.seen
        if len(fields) > width and not any(value.strip() for value in fields[width:]):
            kept = fields[:width]
            yield "empty values after the last column were left out", kept if seen.fits(kept) >= 0 else None
        for delimiter in _OTHERS:
            parts = text.rstrip("\r\n").split(delimiter) if delimiter != self.layout.delimiter else []
            parts = [part.strip('"') for part in parts]
            good = len(parts) == width and seen.trusts(parts)
            yield (
                f"rows separated by '{'tab' if delimiter == chr(9) else delimiter}' were read, too",
                parts if good else None,
            )
        bare = [part.strip('"') for part in self.layout.split(text)]
        if '"' in text:
            good = len(bare) == width and seen.trusts(bare)
            yield "a quotation mark without its pair was taken as text", bare if good else None
        if len(fields) > width:
            yield "a delimiter within a value without quotes was taken as text", self._joined(fields)
        if len(bare) > width:
            yield "a delimiter within a value without quotes was taken as text", self._joined(bare)
        # A value is missing for good only where others of its column are, too; else the line may be cut off.
        if 1 < len(fields) < width and not cut and all(seen.optional[len(fields) :]) and seen.trusts(fields):
            yield "missing values at the end of rows were taken as empty", fields

    def _joined(self, fields: list[str]) -> list[str] | None:
        """Return the fields with the surplus ones put back into the one column that may hold them, else None."""
        width = self.layout.width
        extra = len(fields) - width
        if not 0 < extra <= 20:
            return None
        found = []
        for at in range(width):
            if self.seen.is_free(at):
                joined = self.layout.delimiter.join(fields[at : at + extra + 1])
                row = [*fields[:at], joined, *fields[at + extra + 1 :]]
                if self.seen.trusts(row):
                    found.append(row)
        return found[0] if len(found) == 1 else None
