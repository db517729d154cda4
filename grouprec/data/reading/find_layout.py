"""How is this delimited text laid out? Told by its first lines: delimiter, quotes, and the header below any titles."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from grouprec.core.types import DataError
from grouprec.data.reading.around_lines import are_curly, find_prefix, is_wrapped, straight, unwrap_line, without_prefix
from grouprec.data.reading.headings import line_above
from grouprec.data.reading.layout import Layout, clean_name, records, split_lines, width_swallows
from grouprec.data.reading.profiles import Profile, names_that_fit, profile, shape
from grouprec.data.reading.special_layouts import check_ragged, fixed_layout, known_layout
from grouprec.data.roles.usual_names import HEADING, usual_names

_USUAL = (",", ";", "\t", "|")
_RARE = {"::": 0.95, "||": 0.95, "~": 0.9, "^": 0.9, "\x01": 0.9, "¦": 0.9, "#": 0.6, ":": 0.5, " ": 0.5}  # how likely
_UNLIKELY = 0.7
_FIXED = 0.9  # how likely columns of fixed width are
_LOOKED_AT = 400  # lines
_DEEPEST = 60  # lines that may stand above the header
EXCEL_LINE = re.compile(r"\"?sep=([^\r\n])\"?\r?\n?", re.IGNORECASE)  # Excel writes and reads it above the header
_NUMBER = re.compile(r"[-+(]?[^\w\s]{0,2}\s?\d[\d.,' \u00a0\u202f]*\s?(%|[^\w\s]{1,2}|[A-Z]{3})?[-)]?")
_MOMENT = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ,]+\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(:\d{2})?.*")
_CODE = re.compile(r"(?:(?!\d)[\w.@+#-])*+\d[\w.@+#-]*|[\w.+-]+@[\w-]+\.[\w.]+")
_VECTOR = re.compile(r"\[[-+\d.eE,;\s]{3,}\]")  # a list of numbers in a cell: what parts these parts no columns
_RULE = re.compile(r":?[-=+]{2,}:?")  # between the header and the rows of a table for people
_MOST_HEADERS = 3  # lines below the header that may name the columns, too
_TELLS = 20  # a column that one row in so many fills has no form
_NTH = ("second", "third", "fourth")
_COMMENTS = ("#", "//", "--", "%", "/*", "!")


_Rows = list[tuple[int, list[str]]]  # with the number of their last line


def find_layout(name: str, text: str) -> Layout:
    """Return the layout of a delimited text from its beginning.

    Args:
        name: of the file, for messages.
        text: whole lines.
    Raises:
        DataError: there is one column only.
    """
    lines = split_lines(text)
    known = known_layout(name, lines[:_LOOKED_AT])
    if known is not None:
        return known
    said = EXCEL_LINE.fullmatch(lines[0]) if lines else None
    start = 1 if said else 0
    sample = [line for line in lines[start : start + _LOOKED_AT] if line.strip()]
    if not sample:
        raise DataError(f"'{name}' is empty; give a file with a header line and rows.")
    prefix = find_prefix(sample)
    if prefix:
        sample = [without_prefix(line, prefix) for line in sample]
    wrapped = is_wrapped(sample)
    if wrapped:
        sample = [unwrap_line(line) for line in sample]
    curly = are_curly(sample)
    if curly:
        sample = [straight(line) for line in sample]
    best = _best([_VECTOR.sub("[0]", line) for line in sample], said.group(1) if said else None)
    if best is None:
        shown = sample[0][:60]
        raise DataError(
            f"'{name}' has a single column, '{shown}': this looks like a wrong delimiter; "
            "separate the columns by comma, semicolon, tab or |."
        )
    if best.delimiter in (",", ";", "|", " "):
        check_ragged(name, [len(row) for _, row in numbered(sample, best, 0)])
    return _with_header(replace(best, wrapped=wrapped, curly=curly, prefix=prefix), lines, start)


def _best(sample: Sequence[str], said: str | None) -> Layout | None:
    """Return delimiter and quotes under which the sample looks most like a table."""
    found: list[tuple[float, Layout]] = []
    rows_of = cache(lambda layout: numbered(sample, layout, 0))  # ways to part it come up again
    parting = [one for one in _USUAL if all(one in line for line in sample)]
    text = "\n".join(sample)
    quoting = [one for one in parting if f'{one}"' in text or f'"{one}' in text]
    quoted = _uniform(rows_of, len(sample), quoting)  # then a blank or a colon parts what stands in quotes
    for delimiter in (said,) if said else (*_USUAL, *_RARE):
        if quoted and _RARE.get(delimiter, 1.0) < _UNLIKELY:
            continue
        if (
            parting
            and delimiter in _USUAL
            and sample[0].count(delimiter) == 0
            and _uniform(rows_of, len(sample), parting)
        ):
            continue  # it parts what one value holds: the header, parted by another, has it nowhere
        if any(delimiter in line for line in sample):
            likely = _RARE.get(delimiter, 1.0)
            found += [(likely * _score(rows_of(layout)), layout) for layout in _quotings(sample, delimiter)]
    fixed = None if said or parting else fixed_layout(sample)
    if fixed is not None:
        found.append((_FIXED * _score(rows_of(fixed)), fixed))
    best = max(found, key=lambda one: one[0], default=(0.0, None))
    return best[1] if best[0] > 0 else None


def _uniform(rows_of: Callable[[Layout], _Rows], n_lines: int, delimiters: Sequence[str]) -> bool:
    """Return whether any of some delimiters parts all lines into as many values, quoted ones taken whole."""
    rows = (rows_of(Layout(one)) for one in delimiters)
    return any(len({len(row) for _, row in found}) == 1 and len(found) == n_lines for found in rows)


def _quotings(sample: Sequence[str], delimiter: str) -> list[Layout]:
    """Return the ways to take quotation marks with that delimiter, the usual one first."""
    text = "\n".join(sample)
    mark = re.escape(delimiter)
    spaced = delimiter != " " and len(re.findall(rf'{mark} +"', text)) > len(re.findall(rf'{mark}"', text))
    if not spaced and delimiter in _USUAL and text.count(delimiter) > 2:
        spaced = text.count(delimiter + " ") >= 0.95 * text.count(delimiter)
    escaped = len(re.findall(r'\\"(?![,;\t|\r\n]|$)', text)) > text.count('""') and '\\"' in text
    usual = Layout(delimiter, '"', escaped=escaped, spaced=spaced)
    ways = [usual]
    edges = rf"(?:^|{mark} ?)'[^']*'(?={mark}|$)"
    if len(re.findall(edges, text, re.MULTILINE)) > 0.5 * len(sample):
        ways.append(replace(usual, quote="'", escaped="\\'" in text))
    opened, closed = (len(re.findall(form, text, re.MULTILINE)) for form in (rf'(?:^|{mark})"', rf'"(?:{mark}|$)'))
    if opened > 2 * closed + 2 and opened > 0.01 * len(sample):  # marks belong to the values: 5" and "best of
        ways.append(replace(usual, quote="", escaped=False))
    return ways


def _score(rows: _Rows) -> float:
    """Return how much rows look like a table: of one width, with columns of one kind. 0: not at all."""
    width = usual_width(rows)
    body = [row for _, row in rows if len(row) == width]
    if width < 2:
        return 0.0
    kinds = sum(_kind(column) for column in zip(*body[1:] or body, strict=True))
    return len(body) / len(rows) * (1 + kinds)


def _kind(values: Sequence[str]) -> float:
    """Return how much a column looks like one: of numbers, moments or codes more than of words; constant, hardly."""
    filled = [value.strip() for value in values if value.strip()]
    if not filled:
        return -0.3
    if len(filled) > 3 and Counter(filled).most_common(1)[0][1] >= 0.98 * len(filled):
        return 0.1
    told = sum(any(form.fullmatch(value) for form in (_NUMBER, _MOMENT, _CODE)) for value in filled[:100])
    quoted = sum(value[0] in "\"'" or value[-1] in "\"'" for value in filled[:100])
    return max(0.4 + 0.6 * (told >= 0.9 * len(filled[:100])) - 0.5 * (quoted > 0.5 * len(filled[:100])), 0.05)


# ---- the header


@dataclass(frozen=True)
class Header:
    """The names of the columns: where the first row begins (lines above it), and what to say about it."""

    above: int
    names: tuple[str, ...]
    named: bool
    notes: tuple[str, ...]


def _with_header(layout: Layout, lines: Sequence[str], start: int) -> Layout:
    """Return the layout with its header, and how many lines stand above the first row."""
    rows = numbered(lines[: _LOOKED_AT + start], layout, start)
    header = find_header(rows, start)
    above = line_above(rows, header.above, header.named)
    first = header.above if above is None else above
    headed = above is not None
    return replace(layout, above=first, names=header.names, named=header.named, headed=headed, notes=header.notes)


def find_header(rows: Sequence[tuple[int, list[str]]], start: int = 0) -> Header:
    """Return the header of rows that come with the number of their last line, from 1; blank ones left out.

    Args:
        start: lines above the first of the rows.
    """
    width = _of_first_header(rows, usual_width(rows))
    body = [row for _, row in rows if len(row) == width]
    for at, (_, row) in enumerate(rows[:_DEEPEST]):
        below = [row for _, row in rows[at + 1 :] if len(row) == width]
        if not _may_be_header(row, width, rows, at) or _is_of_smaller_table(rows, at):
            continue
        seen = profile(below[1:] or below, width)
        if _is_data(row, seen, below):
            return _nameless(width, rows[at - 1][0] if at else start, body)
        around = [one for _, one in rows[at + 1 :]]
        names, more, notes = _names(row, width, below, seen, rows[at + 1 : at + 2 + _MOST_HEADERS], around)
        if at:
            many = f"{at} lines above the header were" if at > 1 else "a line above the header was"
            notes = (*notes, f"{many} left out")
        names = _heading_named(names, below)
        return Header(rows[at + more][0], _unique(names), True, (*notes, *_double(names)))
    return _nameless(width, start, body)


def numbered(lines: Sequence[str], layout: Layout, start: int) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank with the number of their last line, from 1.

    Args:
        lines: without their ends.
        start: how many of them to leave out.
    """
    below = [line + "\n" for line in lines[start:]]
    found = list(records(below, start + 1, layout, lambda record: False, False))
    if any(len(record.lines) > 1 for record in found):
        single = [len(record.fields) for record in found if len(record.lines) == 1 and len(record.fields) > 1]
        widths = Counter(single or [len(record.fields) for record in found])
        width = max(widths, key=lambda one: (widths[one], one))
        found = list(records(below, start + 1, layout, width_swallows(layout, width), False))
    return [(r.line + len(r.lines) - 1, r.fields) for r in found if any(value.strip() for value in r.fields)]


def usual_width(rows: Sequence[tuple[int, list[str]]]) -> int:
    """Return how many values most rows have; of equal ones the more."""
    widths = Counter(len(row) for _, row in rows if len(row) > 1)
    return max(widths, key=lambda one: (widths[one], one)) if widths else 1


def _of_first_header(rows: Sequence[tuple[int, list[str]]], width: int) -> int:
    """Return how many values rows have: of files put together, of which a later one has more columns, the first's."""
    first = {clean_name(value) for value in rows[0][1]} if rows else set()
    if len(first) < 2 or len(rows[0][1]) == width or any(map(_NUMBER.fullmatch, first)):
        return width
    later = any(len(row) == width and first <= set(map(clean_name, row)) for _, row in rows[1:])
    return len(rows[0][1]) if later else width


def _may_be_header(row: Sequence[str], width: int, rows: Sequence[tuple[int, list[str]]], at: int) -> bool:
    """Return False for lines that stand above a header: titles, comments, what is set apart by a blank line."""
    filled = [value for value in row if value.strip()]
    last = at + 1 >= len(rows)
    if last:
        return len(filled) > 1
    if row[0].lstrip().startswith(_COMMENTS):
        following = rows[at + 1][1]
        if following[0].lstrip().startswith(_COMMENTS) or not _typed(following) or len(row) != width:
            return False
    if len(filled) < 2 or (width > 3 and len(filled) * 2 < width):
        return (
            len(row) == width == 2
            and len(filled) == 1
            and not any(len(r) == 2 and all(r) for _, r in rows[at + 1 : at + 2])
        )
    if len(row) == width:
        last, following = rows[at + 1]
        apart = last - sum(value.count("\n") for value in following) - rows[at][0] > 1
        return not (apart and at + 2 < len(rows) and not _typed(rows[at + 1][1]) and _typed(rows[at + 2][1]))
    # A header of another width than most rows: delimiters at the ends of rows, or nameless numbers in front.
    return len(row) > 1 and len(rows[at + 1][1]) == width and abs(len(row) - width) <= max(1, width // 3)


def _is_of_smaller_table(rows: Sequence[tuple[int, Sequence[str]]], at: int) -> bool:
    """Return whether a wider table, with more rows, has its header further down, below a blank line."""
    filled = [sum(bool(value.strip()) for value in row) for _, row in rows[: at + _DEEPEST]]
    return any(
        filled[below] > filled[at]
        and rows[below][0] - rows[below - 1][0] > 1
        and len(rows) - below > below - at
        and not _typed(rows[below][1])
        and _typed(rows[below + 1][1])
        for below in range(at + 2, min(len(filled), len(rows) - 1))
    )


def _typed(row: Sequence[str]) -> bool:
    """Return whether any value is a number, a moment or a code."""
    return any(form.fullmatch(value.strip()) for value in row for form in (_NUMBER, _MOMENT))


def _is_data(row: Sequence[str], seen: Profile, below: Sequence[Sequence[str]]) -> bool:
    """Return whether a first row is one of the others: it has the forms of all columns that have one."""
    if len(row) != len(seen.forms):
        return False
    if not below:
        return all(_NUMBER.fullmatch(value.strip()) for value in row)
    formed = [column for column, form in enumerate(seen.forms) if form is not None and row[column].strip()]
    return bool(formed) and seen.fits(row) > 0 and len(formed) * 2 >= len([f for f in seen.forms if f is not None])


def _nameless(width: int, above: int, body: Sequence[Sequence[str]]) -> Header:
    """Return the header of a file whose first line is a row."""
    usual = usual_names(body)
    how = f"are taken to be {', '.join(usual)}" if usual else f"are called column 1 to column {width}"
    names = usual or tuple(f"column {n}" for n in range(1, width + 1))
    return Header(above, names, False, (f"there is no header line; the columns {how}",))


def _names(
    row: Sequence[str],
    width: int,
    below: Sequence[Sequence[str]],
    seen: Profile,
    following: Sequence[tuple[int, Sequence[str]]],
    around: Sequence[Sequence[str]],
) -> tuple[list[str], int, tuple[str, ...]]:
    """Return the names of the columns, how many further header lines follow, and what to say about it."""
    names = [clean_name(value) for value in row]
    said: tuple[str, ...] = ()
    if len(names) < width:
        names, said = _completed(names, width, below)
    elif len(names) > width and not any(names[width:]):
        names = names[:width]
    elif len(names) > width and all(len(one) <= width for one in around):
        said = (
            f"the header has {len(names)} names, but no row has more than {width} values; the last names were left out",
        )
        names = names[:width]
    if following and _is_rule(following[0][1], width):
        return names, 1, (*said, "the line of dashes below the header was left out")
    if len(row) != width:
        return names, 0, said
    more = 0
    for at, (_, second) in enumerate(following[:_MOST_HEADERS]):
        if (
            len(second) != width
            or (width > 2 and sum(map(bool, second)) < 2)
            or not _is_second_header(second, seen, below[at + 1 :])
        ):
            break
        more = at + 1
        others = [clean_name(value) for value in second]
        if all(names) and len(set(names)) == len(names):
            said = (*said, f"the {_NTH[at]} line of the header was left out")
        elif all(others) and len(set(others)) == len(others):
            names, said = others, (*said, "the header has two lines; the second one names the columns")
        else:
            filled = list(itertools.accumulate(names, lambda last, one: one or last))
            names = [" ".join(filter(None, pair)) for pair in zip(filled, others, strict=True)]
            said = (*said, "the header has two lines; their names were joined")
    return names, more, said


def _heading_named(names: list[str], below: Sequence[Sequence[str]]) -> list[str]:
    """Return the names, one also for a column without that holds what heads the rows below it."""
    alone = [row for row in below if sum(bool(value.strip()) for value in row) == 1]
    if not alone or alone[0] is not below[0]:
        return names
    at = next(n for n, value in enumerate(alone[0]) if value.strip())
    nameless = not names[at] and all(row[at].strip() for row in alone)
    return [HEADING if nameless and n == at else name for n, name in enumerate(names)]


def _is_rule(row: Sequence[str], width: int) -> bool:
    """Return whether a row only draws a line below the header."""
    return len(row) == width and all(_RULE.fullmatch(value.strip()) for value in row if value.strip())


def _completed(names: list[str], width: int, below: Sequence[Sequence[str]]) -> tuple[list[str], tuple[str, ...]]:
    """Return as many names as there are columns, and what to say: row names in front have none, or the last column."""
    missing = [""] * (width - len(names))
    if len(missing) > 1 or all(not one[-1].strip() for one in below):
        return [*names, *missing], ()
    first = [one[0] for one in below]
    columns = list(zip(*below, strict=True)) if first and all(len(one) == width for one in below) else []
    last = bool(columns) and names_that_fit(names, columns[:-1]) > names_that_fit(names, columns[1:])
    if len(set(first)) == len(first) and len(first) > 1 and not last:
        start = int(first[0]) if re.fullmatch(r"[0-9]{1,9}", first[0]) else None
        counted = start is not None and first == [str(start + n) for n in range(len(first))]
        told = "the header has a name less than the rows have values; the first column is taken for the one without"
        return [*missing, *names], () if counted else (told,)
    return [*names, f"column {width}"], (
        f"the header has a name less than the rows have values; column {width} has none",
    )


def _is_second_header(row: Sequence[str], seen: Profile, below: Sequence[Sequence[str]]) -> bool:
    """Return whether a row under the header names columns, too: it has the form of no column that has one.

    One column of ids alone says nothing: a user may well be called otherwise than all others.
    """
    if len(below) < 2:
        return False
    forms = profile(below, len(row)).forms
    filled = [sum(bool(one[column].strip()) for one in below) > len(below) // _TELLS for column in range(len(row))]
    formed = [at for at, form in enumerate(forms) if form is not None and filled[at] and row[at].strip()]
    told = len(formed) > 1 or any(_typed([one[column]]) for column in formed for one in below)
    return told and not _typed(row) and all(shape(row[one]) not in (forms[one] or ()) for one in formed)


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, the second one of a name as ``name (2)``."""
    seen: Counter[str] = Counter()
    result = []
    for name in names:
        seen[name] += 1
        result.append(f"{name} ({seen[name]})" if name and seen[name] > 1 else name)
    return tuple(result)


def _double(names: Sequence[str]) -> tuple[str, ...]:
    twice = [name for name, n in Counter(filter(None, names)).items() if n > 1]
    return tuple(f"several columns are called '{name}'; the second is read as '{name} (2)'" for name in twice[:3])
