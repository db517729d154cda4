"""Texts that no single delimiter parts: columns of fixed width, logs that name their fields, matrices, lists of items.

Each is told by its first lines: how it is read, or why not, in a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from grouprec.core.types import DataError
from grouprec.data.reading.layout import Layout

_FEWEST_LINES = 5
_WIDEST = 5_000  # characters
_MOSTLY = 0.98  # of the lines have a blank where columns of fixed width are parted
_RULED = re.compile(r"\s*[-=]{2,}(?:\s+[-=]{2,})+\s*")
_FOOT = re.compile(r"\(?\d+ rows?\b.*|[-=+|\s]*")
_ITEMS_OF_USER = re.compile(r"\d+(?: \d+)+ ?")
_DECLARED = re.compile(r"@attribute\s++(?:(['\"])([^'\"]+)\1|(\S++))\s++\S", re.IGNORECASE)
_YAML = re.compile(r"- [\w-]+: ?.*"), re.compile(r"(?<! ) {2,}+[\w-]++: ?.*")
_SPARSE = re.compile(r"\S+(?: \d+:[-\d.eE+]+)+")
_KNOWN = (  # how texts begin that hold no rows of a user and an item, and what they are
    (re.compile(r"BEGIN:VCALENDAR"), "a calendar (iCalendar)"),
    (re.compile(r"BEGIN:VCARD"), "an address book (vCard)"),
    (re.compile(r"OFXHEADER:|<OFX>"), "a bank's statement (OFX)"),
    (re.compile(r"!Type:|!Account"), "a bank's statement (QIF)"),
    (re.compile(r"(?:\{1:\S*)?:20:"), "a bank's statement (MT940)"),
    (re.compile(r"UN[AB][+:]\S"), "a message of EDIFACT"),
    (re.compile(r"ISA\*\d\d\*"), "a message of X12"),
    (re.compile(r"#!/|#include\b|import \w[\w.]*$|from \w[\w.]* import |package \w[\w.]*;"), "a program's source"),
    (re.compile(r"diff --git |--- a/"), "a patch of source"),
    (
        re.compile(r"\[?\d{1,2}[./]\d{1,2}[./]\d{2,4}, \d{1,2}:\d{2}(?::\d{2})?(?:.[AP]M)?(?:\]| -) [^,;\t|:]{1,60}: "),
        "a chat",
    ),
    (re.compile(r"(?:From|Received|Return-Path|Delivered-To|MIME-Version|Message-ID): \S"), "an e-mail"),
    (re.compile(r"\[\[?[A-Za-z][\w. -]*\]\]?$"), "settings (TOML or INI)"),
    (re.compile(r"WEBVTT|1\s*$"), "subtitles"),
    (re.compile(r"%!PS|@(?:article|book|inproceedings|misc)\{", re.IGNORECASE), "a document"),
)
_SET = re.compile(r"[\w.-]+\s*=")
_CUE = re.compile(r"\d\d:\d\d:\d\d[,.]\d{3} --> ")
GAP = "  "  # stands for whatever parts columns of fixed width


def known_layout(name: str, lines: Sequence[str]) -> Layout | None:
    """Return the layout of a text that says itself what it is, or that holds a user and all their items in a line.

    Raises:
        DataError: it is of a kind that cannot be read as rows of a user and an item.
    """
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%MatrixMarket matrix coordinate"):
        sizes = next((n for n, line in enumerate(lines) if not line.startswith("%")), len(lines))
        note = "the file is a sparse matrix: its rows are taken for users, its columns for items"
        names = ("user", "item", "value")[: len(lines[sizes + 1].split())] if sizes + 1 < len(lines) else ()
        return Layout(" ", "", above=sizes + 1, names=names, named=False, notes=(note,)) if names else None
    if fields := _named_fields(lines) or _declared(lines):
        return fields
    body = [line.strip() for line in lines if line.strip()]
    if len(body) < _FEWEST_LINES:
        return None
    if _YAML[0].fullmatch(body[0]) and any(map(_YAML[1].fullmatch, lines[1:3])):
        raise DataError(f"'{name}' is YAML, not a table; save it as JSON or CSV.")
    if body[0].startswith("{\\rtf"):
        raise DataError(f"'{name}' is a text document (RTF), not a table; save the table in it as CSV or .xlsx.")
    if body[0].startswith(("\\begin{", "\\documentclass")):
        raise DataError(f"'{name}' is a text for LaTeX, not a table; save the table as CSV.")
    _refuse_known(name, first.strip(), body)
    if all(map(_SPARSE.fullmatch, body)):
        raise DataError(
            f"'{name}' holds features by number, as in libsvm, and no users; give one row per user and item."
        )
    return _items_of_users(lines, body)


def _refuse_known(name: str, first: str, body: Sequence[str]) -> None:
    """Refuse a text whose first line says that it is something else than a table.

    Raises:
        DataError: says what it is.
    """
    kind = next((kind for form, kind in _KNOWN if form.match(first)), None)
    if kind is None or (kind == "subtitles" and not any(map(_CUE.match, body[:4]))):
        return
    if kind.startswith("settings") and not _SET.match(body[1]):
        return
    if "," in first and kind.startswith("a program"):
        return  # a column may well be called "import"
    raise DataError(f"'{name}' is {kind}, not a table; give CSV, Parquet, JSON or Excel with a row per user and item.")


def _named_fields(lines: Sequence[str]) -> Layout | None:
    """Return the layout of a log whose comments name its fields, as web servers write it."""
    for at, line in enumerate(lines):
        if not line.startswith("#"):
            return None
        if line.startswith("#Fields:"):
            names = tuple(line.removeprefix("#Fields:").split())
            row = next((one for one in lines[at + 1 :] if one and not one.startswith("#")), "")
            mark = "\t" if row.count("\t") + 1 == len(names) else " "
            above = next(n for n, one in enumerate(lines) if n > at and not one.startswith("#")) if row else at + 1
            return Layout(mark, '"', above=above, names=names) if len(row.split(mark)) == len(names) else None
    return None


def _declared(lines: Sequence[str]) -> Layout | None:
    """Return the layout of a file that declares its columns one a line, as Weka's do; None for any other."""
    body = [line.strip() for line in lines]
    data = next((n for n, line in enumerate(body) if line.lower() == "@data"), None)
    if data is None or not any(line.lower().startswith("@relation") for line in body[:data]):
        return None
    declared = (_DECLARED.match(line) for line in body[:data])
    names = tuple((found[2] or found[3]).strip() for found in declared if found)
    quote = "'" if any(line.startswith("'") for line in body[data + 1 :]) else '"'
    return Layout(",", quote, above=data + 1, names=names)


def _items_of_users(lines: Sequence[str], body: Sequence[str]) -> Layout | None:
    """Return the layout of lines of one user and all their items each; None for other lines."""
    if not all(map(_ITEMS_OF_USER.fullmatch, body)):
        return None
    widths = {line.count(" ") for line in body}
    users = [line.split(" ", 1)[0] for line in body]
    if len(widths) < 3 or len(set(users)) < len(users):
        return None
    note = "every line is taken for a user and all their items"
    return Layout(" ", "", names=("user", "items"), named=False, once=True, notes=(note,))


def fixed_layout(lines: Sequence[str]) -> Layout | None:
    """Return the layout of lines whose columns begin at the same place in all of them; None where that is not so.

    Args:
        lines: some of the first, without their ends and without blank ones.
    """
    ruled = next((line for line in lines[:20] if _RULED.fullmatch(line)), None)
    if ruled is not None and not any(sign in ruled for sign in ",;\t|"):
        starts = tuple(match.start() for match in re.finditer(r"[-=]+", ruled))
        return Layout(GAP, "", starts=(0, *starts[1:]))
    body = [line.expandtabs() if "\t" not in line else "" for line in lines]
    body = [line for line in body if line.strip() and not _FOOT.fullmatch(line.strip())]
    if (
        len(body) < _FEWEST_LINES
        or max(map(len, body)) > _WIDEST
        or sum(GAP in line.strip() for line in body) < 0.9 * len(body)
    ):
        return None
    starts = _starts(body[0], body[1:])
    return Layout(GAP, "", starts=starts) if len(starts) > 1 and not _is_drawn(body, starts) else None


def _is_drawn(lines: Sequence[str], starts: Sequence[int]) -> bool:
    """Return whether a column holds nothing but signs: a delimiter with blanks around it."""
    stops = [*starts[1:], max(map(len, lines))]
    columns = ({line[start:stop].strip() for line in lines} for start, stop in zip(starts, stops, strict=True))
    return any(not re.search(r"\w", "".join(column)) for column in columns)


def _starts(header: str, rows: Sequence[str]) -> tuple[int, ...]:
    """Return where columns begin: behind places at which nearly all rows have a blank, or where a name stands alone."""
    width = max(len(header), *map(len, rows))
    filled = [line.ljust(width) for line in rows]
    blank = [sum(line[at] == " " for line in filled) >= _MOSTLY * len(filled) for at in range(width)]
    begins = {at for at in range(1, width) if blank[at - 1] and not blank[at]}
    names = [match.start() for match in re.finditer(r"\S+(?: \S+)*", header)]
    for name in names[1:]:
        empty = all(blank[at] for at in range(name - 1, min(name + 1, width)))
        right = next((at for at in sorted(begins) if at >= name), None)
        if empty and right is not None and all(blank[at] for at in range(name, right)) and header[name:right].strip():
            begins = begins - {right} if header[name:right][-1:].strip() else begins  # a name wider than its numbers
            begins |= {name}
        elif empty and right is None:
            begins |= {name}
    stops = dict(pairwise([*sorted(begins), width]))
    # Without a name of its own, and one blank away: the second word of a value that all rows have.
    same = {at for at, stop in stops.items() if not header[at:stop].strip() and not blank[at - 2]}
    return (0, *sorted(begins - same))


def check_ragged(name: str, widths: Sequence[int]) -> None:
    """Refuse lines of which hardly any two have as many values: baskets, or items of people without the people.

    Args:
        widths: how many values each line has.
    Raises:
        DataError: says what such a file looks like.
    """
    usual = max(widths.count(width) for width in set(widths)) if widths else 0
    if len(widths) >= _FEWEST_LINES * 2 and len(set(widths)) >= 4 and usual < 0.6 * len(widths):
        raise DataError(
            f"'{name}' has from {min(widths)} to {max(widths)} values in a line: it looks like one basket or one user "
            "with all their items in each. Give one row per user and item, or two columns 'user' and 'items' with the "
            "items separated by |."
        )
