"""Delimited text -> a table of text columns: quickly where all lines are rows, else line by line."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
from pyarrow.compute import MatchSubstringOptions, SetLookupOptions, call_function

from grouprec.data.reading.encodings import MIXED, encoded_twice, is_mixed, is_utf8, legacy_encoding
from grouprec.data.reading.find_layout import numbered
from grouprec.data.reading.found import Found
from grouprec.data.reading.layout import Layout, split_lines
from grouprec.data.reading.profiles import Profile, profile
from grouprec.data.reading.rejects import Rejects
from grouprec.data.reading.rows import Row, RowReader
from grouprec.data.reading.sniff import HEAD_ROWS, LEAST_HOLE, MOST_FOREIGN, Sniffed, mixed_error
from grouprec.data.reading.text_stream import Utf8Stream, text_lines

_WORD = re.compile(r"(?<![^\W\d_])[a-zA-Z]*[^\W\d_\x00-\x7f][^\W\d_]*")  # from where it begins
_CODED = pa.dictionary(pa.int32(), pa.string())
_OPTIONS: dict[str, Any] = {"match_substring": MatchSubstringOptions, "is_in": SetLookupOptions}
_BLOCK = 1 << 23  # bytes that the quick parser takes at a time


class _NotPlain(Exception):
    """The quick parser cannot vouch for every line."""


def text_head(sniffed: Sniffed, found: Found) -> tuple[pd.DataFrame, int | None, bool]:
    """Return the first rows, how many the file has (None: unknown), and whether that is exact."""
    layout = layout_of(sniffed)
    reader = RowReader(layout, seen_of(sniffed), whole=sniffed.whole)
    body, size = [], 0
    for row in reader.rows(head_lines(sniffed), layout.above + 1):
        if row.fields is None:
            found.rejects.add(row.line, row.text, row.rule)
            continue
        body.append(row.fields)
        size += sum(map(len, row.fields)) + len(row.fields) * len(layout.delimiter)
        if len(body) == HEAD_ROWS:
            break
    found.notes += [*_encoding_notes(sniffed, 0, 0), *notes_of(sniffed, layout, reader)]
    kept = [[value or None for value in row] for row in body]
    head = pd.DataFrame(kept, columns=list(layout.names), dtype="str")
    named = [name != "" for name in layout.names]
    return head.loc[:, named], *sniffed.estimate_rows(len(body), size / max(len(body), 1) or 1.0)


def text_table(sniffed: Sniffed, columns: list[str], found: Found) -> pd.DataFrame:
    """Return columns of the whole file as text, empty values missing; those of ``found.coded`` as categories."""
    layout = layout_of(sniffed)
    places = [layout.names.index(column) for column in columns]
    try:
        table = _quick(sniffed, layout, places, found)
    except (_NotPlain, pa.ArrowException):
        settled = _settled(sniffed, found)
        table = None if settled is sniffed else _retried(settled, layout, places, found)
        if table is None:
            table = _careful(settled, layout, places, found)
    texts = {n: "str" for n, field in enumerate(table.schema) if not pa.types.is_dictionary(field.type)}
    frame = table.to_pandas(self_destruct=True)
    frame.columns = range(len(columns))
    frame = frame.astype(texts)
    frame.columns = columns
    return frame


def text_beginning(sniffed: Sniffed, columns: list[str], n_rows: int) -> pa.Table:
    """Return columns of the first rows by the quick parser.

    Raises:
        pa.ArrowInvalid: it cannot read them.
    """
    layout = layout_of(sniffed)
    if not layout.quick:
        raise pa.ArrowInvalid("read line by line only")
    places = [layout.names.index(column) for column in columns]
    batches, n = [], 0
    with Utf8Stream(sniffed, layout) as stream:
        for batch in pyarrow.csv.open_csv(stream, **_options(layout, places, lambda row: "skip")):
            batches.append(batch)
            n += batch.num_rows
            if n >= n_rows:
                break
    return pa.Table.from_batches(batches).slice(0, n_rows).rename_columns(columns)


def layout_of(sniffed: Sniffed) -> Layout:
    """Return the layout of a delimited text."""
    assert sniffed.layout is not None, "only delimited text has a layout"
    return sniffed.layout


def head_lines(sniffed: Sniffed) -> list[str]:
    """Return the lines of the head below the header, with their ends."""
    lines = split_lines(sniffed.text)
    ended = sniffed.text[-1:] in ("\n", "\r")
    below = [line + "\n" for line in lines[layout_of(sniffed).above :]]
    if below and not ended:
        below[-1] = below[-1][:-1]
    return below


def seen_of(sniffed: Sniffed) -> Profile:
    """Return what the columns of a delimited text look like, from its head."""
    layout = layout_of(sniffed)
    lines = split_lines(sniffed.text)[: layout.above + HEAD_ROWS]
    rows = [row for _, row in numbered(lines, layout, layout.above) if 1 < len(row) <= layout.width]
    full = [row for row in rows if len(row) == layout.width]
    if len(full) < 0.98 * len(rows):  # a program that leaves out empty values at the end of rows
        full = [[*row, *[""] * (layout.width - len(row))] for row in rows]
    return profile(full, layout.width)


def notes_of(sniffed: Sniffed, layout: Layout, reader: RowReader | None) -> list[str]:
    """Return what people should know about how the file was read."""
    notes = list(layout.notes)
    for what, n in (reader.mended.counts if reader else {}).items():
        notes.append(f"{what} ({n:,} row{'s' * (n != 1)})")
    return notes


# ---- the quick way


def _options(layout: Layout, places: list[int], on_bad: Any, coded: Iterable[str] = ()) -> dict[str, Any]:
    names = [f"c{n}" for n in range(layout.width)]
    wanted = [names[place] for place in dict.fromkeys(places)]
    kinds = {name: _CODED if layout.names[int(name[1:])] in coded else pa.string() for name in wanted}
    return {
        # One thread: only then does the parser know the place of a damaged row.
        "read_options": pyarrow.csv.ReadOptions(use_threads=False, column_names=names, block_size=_BLOCK),
        "parse_options": pyarrow.csv.ParseOptions(
            delimiter=layout.mark,
            quote_char=layout.quote or False,
            escape_char="\\" if layout.escaped else False,
            newlines_in_values=bool(layout.quote),
            invalid_row_handler=on_bad,
        ),
        "convert_options": pyarrow.csv.ConvertOptions(
            include_columns=wanted,
            column_types=kinds,
            null_values=[""],
            strings_can_be_null=True,
        ),
    }


def _quick(sniffed: Sniffed, layout: Layout, places: list[int], found: Found) -> pa.Table:
    """Return the columns by pyarrow, provided that every line of the file is a row, rejected, or empty.

    Raises:
        _NotPlain: lines are missing, which a quotation mark has swallowed or which belong to longer values.
    """
    if not layout.quick:
        raise _NotPlain
    bad: list[tuple[int, str]] = []
    most = max(1000, int(0.2 * sniffed.guess_rows()))

    def on_bad(row: pyarrow.csv.InvalidRow) -> str:
        bad.append((row.number or 0, row.text))
        return "skip" if len(bad) <= most else "error"

    with Utf8Stream(sniffed, layout) as stream, _unheard(on_bad):
        table = pyarrow.csv.read_csv(stream, **_options(layout, places, on_bad, found.coded))
        n_lines, quoted, unknown, foreign = stream.n_rows, stream.quoted, stream.n_unknown, stream.n_foreign
    if table.num_rows + len(bad) != n_lines:
        empty = _empty_lines(sniffed, layout)
        if bad or table.num_rows + len(empty) != n_lines:
            raise _NotPlain
    if any(not number for number, _ in bad):
        raise _NotPlain
    seen = seen_of(sniffed)
    if (layout.named and _repeats_header(table, layout)) or (quoted and _slipped(table, layout, seen)):
        raise _NotPlain
    found.notes += [*_encoding_notes(sniffed, unknown, foreign), *_holes(stream)]
    reader = RowReader(layout, seen) if bad else None
    if reader is not None:
        table = _mended(table, bad, reader, layout, places, found)
    found.notes += notes_of(sniffed, layout, reader)
    return pa.table([table[f"c{place}"] for place in places], names=[str(n) for n in range(len(places))])


@contextlib.contextmanager
def _unheard(function: Callable[..., Any]) -> Iterator[None]:
    """Let the parser fail without a traceback on stderr where it cannot tell a function of a row that is no text.

    The file is read the slow way then, as after any other error of the parser.
    """
    before = sys.unraisablehook
    sys.unraisablehook = lambda told: None if told.object is function else before(told)
    try:
        yield
    finally:
        sys.unraisablehook = before


def _repeats_header(table: pa.Table, layout: Layout) -> bool:
    """Return whether a header stands among the rows again, maybe in another order, as in exports put together."""
    names = [name for name in layout.names if name]
    marked = pa.array([*names, *(f"\ufeff{name}" for name in names)])
    columns = sorted((table[name] for name in table.column_names), key=lambda one: pa.types.is_string(one.type))
    return all(_any("is_in", _values(column), value_set=marked) for column in columns)


def _values(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the values that occur: of dictionaries, their entries, which are fewer."""
    if not pa.types.is_dictionary(column.type):
        return column
    return pa.chunked_array([chunk.dictionary for chunk in column.chunks], column.type.value_type)


def _any(test: str, column: pa.ChunkedArray, **options: Any) -> bool:
    """Return whether a test of Arrow's is true of any value."""
    chosen = _OPTIONS[test](**options)
    return bool(call_function("any", [call_function(test, [column], chosen)]).as_py())


def _slipped(table: pa.Table, layout: Layout, seen: Profile) -> bool:
    """Return whether a quotation mark has made other values of a row: one holds a sign that its column never has."""
    signs = (layout.mark, layout.quote) if layout.quote else ()
    formed = [name for name in table.column_names if seen.is_plain(int(name[1:]), signs)]
    return any(_any("match_substring", _values(table[name]), pattern=sign) for name in formed for sign in signs)


def _empty_lines(sniffed: Sniffed, layout: Layout) -> list[int]:
    stream, lines = text_lines(sniffed, layout)
    with stream:
        return [n for n, line in enumerate(lines) if not line.strip("\r\n")]


def _mended(
    table: pa.Table, bad: list[tuple[int, str]], reader: RowReader, layout: Layout, places: list[int], found: Found
) -> pa.Table:
    """Return the table with those of the damaged rows put in that can be read; every line is one row here."""
    at, rows = [], []
    for number, text in bad:
        back = text.replace(layout.mark, layout.delimiter)
        for row in reader.rows([back + "\n"], layout.above + number):
            if row.fields is None:
                found.rejects.add(row.line, row.text, row.rule)
            else:
                at.append(number)
                rows.append(row.fields)
    if not rows:
        return table
    table = table.cast(pa.schema([(name, pa.string()) for name in table.column_names]))
    missing = np.array([number for number, _ in bad])
    numbers = np.delete(np.arange(1, table.num_rows + len(bad) + 1), missing - 1)
    more = pa.table(
        {f"c{place}": pa.array([row[place] or None for row in rows], pa.string()) for place in dict.fromkeys(places)}
    )
    order = np.argsort(np.concatenate([numbers, at]), kind="stable")
    return pa.concat_tables([table, more.select(table.column_names)]).take(pa.array(order))


def _retried(sniffed: Sniffed, layout: Layout, places: list[int], found: Found) -> pa.Table | None:
    """Return the columns by the quick parser once the encoding is known; None where it gives up again."""
    try:
        return _quick(sniffed, layout, places, found)
    except (_NotPlain, pa.ArrowException):
        return None


# ---- line by line


def _settled(sniffed: Sniffed, found: Found) -> Sniffed:
    """Return the file with another encoding where what follows the head is not UTF-8 as the head is.

    Raises:
        DataError: too many lines are not UTF-8 like the others.
    """
    if sniffed.encoding not in ("utf-8", "utf-8-sig") or sniffed.whole or sniffed.chosen:
        return sniffed
    foreign, good = [], []
    n_foreign = n_lines = 0
    with sniffed.open() as file:
        for line in file:
            n_lines += 1
            if line.isascii():
                continue
            kept = good if is_utf8(line) else foreign
            n_foreign += kept is foreign
            if len(kept) < 5000:
                kept.append(line)
    if not foreign:
        return sniffed
    if good and is_mixed(b"".join([*good, *foreign])):
        if n_foreign > MOST_FOREIGN * n_lines:
            raise mixed_error(sniffed.path, n_foreign, n_lines, 0)
        return dataclasses.replace(sniffed, encoding=MIXED, other=legacy_encoding(b"".join(foreign)))
    found.encoding = legacy_encoding(b"".join(foreign))
    return dataclasses.replace(sniffed, encoding=found.encoding)


def _careful(sniffed: Sniffed, layout: Layout, places: list[int], found: Found) -> pa.Table:
    """Return the columns row after row, whatever happens on the way."""
    found.rejects, found.notes = Rejects(), []
    reader = RowReader(layout, seen_of(sniffed))
    chunks: list[pa.Table] = []
    stream, lines = text_lines(sniffed, layout)
    with stream:
        rows = _good(reader.rows(lines, layout.above + 1), found)
        while batch := list(itertools.islice(rows, 50_000)):
            columns = [pa.array([fields[place] or None for fields in batch], pa.string()) for place in places]
            chunks.append(pa.table(columns, names=[str(n) for n in range(len(places))]))
        found.notes += [*_encoding_notes(sniffed, stream.n_unknown, stream.n_foreign), *_holes(stream)]
    found.notes += notes_of(sniffed, layout, reader)
    nothing = pa.table([pa.array([], pa.string())] * len(places), names=[str(n) for n in range(len(places))])
    return pa.concat_tables(chunks) if chunks else nothing


def _good(rows: Iterable[Row], found: Found) -> Iterable[list[str]]:
    for row in rows:
        if row.fields is None:
            found.rejects.add(row.line, row.text, row.rule)
        else:
            yield row.fields


def _encoding_notes(sniffed: Sniffed, unknown: int, foreign: int) -> list[str]:
    notes = []
    if foreign:
        lines = f"{foreign:,} lines that are" if foreign > 1 else "1 line that is"
        notes.append(f"{lines} not UTF-8 like the others: read as {sniffed.other}")
    elif not (sniffed.encoding or "utf").startswith("utf") and not sniffed.chosen:
        words = list(dict.fromkeys(_WORD.findall(sniffed.text)))[:4]
        shown = f", as in {', '.join(words)}" if words else ""
        notes.append(f"the text is not UTF-8 and was read as {sniffed.encoding}{shown}")
    if twice := encoded_twice(sniffed.text):
        notes.append(
            f"letters look encoded twice, such as '{twice[0]}' for '{twice[1]}'; export the file as UTF-8 again"
        )
    if unknown:
        notes.append(
            f"{unknown:,} byte{'s' * (unknown != 1)} that {sniffed.encoding} does not have became signs of their number"
        )
    return notes


def _holes(stream: Utf8Stream) -> list[str]:
    """Return that there were zeros, of which many stand where something was never written."""
    if stream.n_zeros < LEAST_HOLE:
        return []
    return [
        f"{stream.n_zeros:,} bytes of zero were left out: a full disk or a crash leaves them where rows should stand, "
        "so rows may be missing; export the file again if you can"
    ]
