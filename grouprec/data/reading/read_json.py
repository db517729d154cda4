"""JSON -> tables: lines, an array or one object of records, or items per user; objects inside are flattened."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd

from grouprec.core.types import DataError
from grouprec.data.reading.blocks import block_records, n_blocks
from grouprec.data.reading.encodings import is_utf8
from grouprec.data.reading.find_records import ASSIGNED, is_mark, is_object, is_sequence, locate, records_path, sequence
from grouprec.data.reading.found import Found
from grouprec.data.reading.json_records import flat, records_frame
from grouprec.data.reading.log_lines import log_record
from grouprec.data.reading.sniff import HEAD_ROWS, Sniffed
from grouprec.data.reading.spelling import Spelling
from grouprec.data.roles.header_words import means
from grouprec.data.values.common import shown
from grouprec.data.values.times import read_times

# Integers stay the text they are; larger ones than 2^53 would not survive a column with gaps.
_JSON = json.JSONDecoder(parse_int=str)
_SPACE = re.compile(r"[ \t\r\n]*")
_PARTED = re.compile(
    r'\s*\{\s*"(?:columns|fields|header)"\s*:\s*(\[\s*"[^"]*"\s*(?:,\s*"[^"]*"\s*)*\])\s*,(?:\s*"index"\s*:\s*\[[^\]]*\]\s*,)?'
    r'\s*"(?:data|rows|values)"\s*:\s*(?=\[\s*\[)'
)
Kind = Literal["records", "index", "columns", "lists", "items", "behaviours", "ratings", "objects", "rows"]


def json_head(sniffed: Sniffed, found: Found) -> tuple[pd.DataFrame, int | None, bool]:
    """Return the first rows, the number of rows of the file (None: unknown) and whether that is exact."""
    members = list(itertools.islice(_json_members(sniffed, sniffed.text, sniffed.whole, found), HEAD_ROWS))
    kind, spelling = _kind(members), _spelling(members)
    frame = _frame(sniffed, members, kind, spelling)
    found.notes += spelling.notes()
    if frame.empty:
        raise DataError(f"'{sniffed.path.name}' holds no records.")
    if kind not in ("records", "index", "rows"):
        # Characters per row are not known here: one user's entry holds many rows.
        known = sniffed.whole and len(members) < HEAD_ROWS
        return (frame, len(frame), True) if known else (frame, None, False)
    n_rows = n_blocks(sniffed.text) if sniffed.format == "blocks" else sniffed.text.count("}")
    return frame, *sniffed.estimate_rows(len(frame), len(sniffed.text) / max(n_rows, 1))


def json_table(sniffed: Sniffed, columns: list[str], found: Found) -> pd.DataFrame:
    """Return the given columns of the whole file."""
    head = list(itertools.islice(_json_members(sniffed, sniffed.text, sniffed.whole, Found()), HEAD_ROWS))
    kind, spelling = _kind(head), _spelling(head)
    found.notes += spelling.notes()
    with sniffed.open() as file:
        text: Iterable[str] | str
        text = _lines(sniffed, file) if sniffed.format in ("jsonl", "blocks") else _text(sniffed, file.read())
        frame = _frame(sniffed, _json_members(sniffed, text, True, found), kind, spelling, columns)
    return frame.reindex(columns=columns)


def _text(sniffed: Sniffed, content: bytes) -> str:
    try:
        text = content.decode(sniffed.encoding or "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"'{sniffed.path.name}' mixes encodings; save it as UTF-8.") from error
    except LookupError:  # "mixed" is no codec
        text = "".join(_decoded(sniffed, line) for line in content.splitlines(keepends=True))
    return text.replace("\x00", "").removeprefix("\ufeff")


def _lines(sniffed: Sniffed, file: Any) -> Iterator[str]:
    encoding = sniffed.encoding or "utf-8"
    if encoding.startswith("utf-16") or encoding.startswith("utf-32"):
        yield from io.TextIOWrapper(file, encoding=encoding)
        return
    for line in file:
        yield _decoded(sniffed, line)


def _decoded(sniffed: Sniffed, line: bytes) -> str:
    encoding = sniffed.encoding or "utf-8"
    if encoding == "mixed":
        encoding = "utf-8" if is_utf8(line) else sniffed.other or "cp1252"
    try:
        return line.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"'{sniffed.path.name}' mixes encodings; save it as UTF-8.") from error


def _json_members(sniffed: Sniffed, text: Iterable[str] | str, whole: bool, found: Found) -> Iterator[tuple[Any, Any]]:
    """Yield pairs of key (None in arrays and lines) and value, as far as the text goes.

    Raises:
        DataError: the text is not JSON (says the line).
    """
    try:
        if sniffed.format == "jsonl":
            yield from _of_lines(io.StringIO(text) if isinstance(text, str) else text, found)
            return
        if sniffed.format == "blocks":
            lines = io.StringIO(text) if isinstance(text, str) else text
            yield from ((None, record) for record in block_records(lines))
            return
        content = str(text)
        content = content[said.end() :] if (said := ASSIGNED.match(content)) else content
        head = sniffed.text[said.end() :] if said else sniffed.text
        if is_sequence(head):
            yield from ((None, value) for value in sequence(content, whole))
        else:
            yield from _inner(_members(content, whole, tail=said is not None), head, content, whole)
    except json.JSONDecodeError as error:
        body = error.doc.rstrip()
        if whole and (error.pos >= len(body) or body.rstrip(";)")[-1:] not in ("]", "}")):
            raise DataError(
                f"'{sniffed.path.name}' ends in the middle of a value: it was cut off; download or export it again."
            ) from error
        raise DataError(f"'{sniffed.path.name}', line {error.lineno} is not valid JSON: {error.msg}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"'{sniffed.path.name}' mixes encodings; save it as UTF-8.") from error
    except RecursionError as error:
        raise DataError(f"'{sniffed.path.name}' is JSON nested too deeply to be a table.") from error


def _of_lines(lines: Iterable[str], found: Found) -> Iterator[tuple[None, dict[str, Any]]]:
    """Yield the records of lines; lines that are none are rejected."""
    for line, content in enumerate(lines, 1):
        body = content.strip().strip("\ufeff\x00").rstrip(",")
        if not body or body in "[]" or body.startswith(("//", "#")):
            continue
        try:
            value = _sound(_JSON.decode(body), body)
        except json.JSONDecodeError as error:
            value = log_record(body)
            if value is None:
                found.rejects.add(line, body[:2000], f"not valid JSON: {error.msg}")
                continue
        except RecursionError:
            found.rejects.add(line, body[:200], "not valid JSON: nested too deeply")
            continue
        if isinstance(value, dict):
            yield None, value
        else:
            found.rejects.add(line, body[:2000], "not an object with named values")


def _sound(value: Any, text: str, begin: int = 0, end: int | None = None) -> Any:
    """Return a value without halves of characters, which JSON can write and nothing else can hold."""
    if text.find("\\ud", begin, end) < 0 and text.find("\\uD", begin, end) < 0:
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_sound(one, text, begin, end) for one in value]
    if isinstance(value, dict):
        return {_sound(name, text, begin, end): _sound(one, text, begin, end) for name, one in value.items()}
    return value


def _inner(members: Iterator[tuple[Any, Any]], head: str, text: str, whole: bool) -> Iterator[tuple[Any, Any]]:
    """Yield the members; of an object that wraps records (``{"orders": [...]}``), those of the array inside.

    Args:
        head: the beginning of the text, which tells where the records are.
    """
    if parted := _PARTED.match(text):  # as pandas writes them: names, numbers of rows, rows
        yield None, _JSON.decode(parted[1])
        yield from _members(text[parted.end() :], whole, tail=True)
        return
    path = records_path(head)
    if path is not None:
        members = _members(text[locate(text, path) :], whole, tail=True)
    yield from members


def _members(text: str, whole: bool, tail: bool = False) -> Iterator[tuple[str | None, Any]]:
    """Yield key (None in an array) and value of the members of the outermost object or array.

    Where ``text`` is only the beginning, it ends silently at the member that is cut off. With ``tail``, something may
    follow.
    """
    at = _skip(text, 0)
    end = {"[": "]", "{": "}"}[text[at]]
    at, key, found = _skip(text, at + 1), None, False
    try:
        while text[at : at + 1] != end:  # also behind a last comma, as people leave it
            if end == "}":
                begin = at
                key, at = _JSON.raw_decode(text, at)
                key = _sound(key, text, begin, at)
                at = _expect(text, _skip(text, at), ":")
            begin = at
            value, at = _JSON.raw_decode(text, at)
            yield key, _sound(value, text, begin, at)
            found = True
            at = _skip(text, at)
            if text[at : at + 1] == end:
                break
            at = _expect(text, at, ",")
        if text[at + 1 :].strip() and not tail:
            raise json.JSONDecodeError("Extra data after the end", text, at + 1)
    except json.JSONDecodeError:
        if whole or not found:
            raise


def _skip(text: str, at: int) -> int:
    """Return the position after white space."""
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # matches the empty string


def _expect(text: str, at: int, sign: str) -> int:
    """Return the position after that sign and white space."""
    if text[at : at + 1] != sign:
        raise json.JSONDecodeError(f"'{sign}' expected", text, at)
    return _skip(text, at + 1)


# ---- what the members are


def _kind(members: list[tuple[Any, Any]]) -> Kind:
    """Return what the members of the head hold."""
    values = [value for _, value in members]
    if not members or members[0][0] is None:
        return "rows" if values and all(isinstance(value, list) for value in values) else "records"
    dicts, lists = (all(isinstance(value, kind) for value in values) for kind in (dict, list))
    if lists and values:
        lengths = {len(value) for value in values}
        named = len(values) <= 60 and len(lengths) == 1 and len(values) > 1
        return (
            "lists" if named and not any(str(key)[:1].isdigit() for key, _ in members) and _words(members) else "items"
        )
    if not dicts:
        return "records" if not any(isinstance(value, (dict, list)) for value in values) else "behaviours"
    inner = [value for value in values if value]
    cells = [one for value in inner for one in value.values()]
    if cells and all(isinstance(one, list) for one in cells):
        return "behaviours"
    same = sum(value.keys() == inner[0].keys() for value in inner) >= 0.9 * len(inner) if inner else False
    if len(inner) > 1 and all(map(is_mark, cells)) and not same:
        return "ratings"
    if len(inner) > 1 and same:
        return "columns" if len(inner) < len(inner[0]) and _words(members) else "index"
    if len(inner) > 1 and all(map(is_object, cells)) and set.intersection(*map(set, cells)):
        return "objects"
    # One entry tells nothing; entries that differ are records only if they share most names.
    common = set.intersection(*(set(value) for value in inner)) if len(inner) > 1 else set()
    return "index" if len(common) > 1 else "behaviours"


def _words(members: list[tuple[Any, Any]]) -> bool:
    """Return whether keys are names of columns: words without digits."""
    return all(re.fullmatch(r"[^\W\d][^\d]*", str(key)) for key, _ in members)


def _frame(
    sniffed: Sniffed,
    members: Iterable[tuple[Any, Any]],
    kind: Kind,
    spelling: Spelling,
    columns: list[str] | None = None,
) -> pd.DataFrame:
    """Return the table that the members make; of records the given columns."""
    if kind == "records":
        return records_frame(sniffed, (value for _, value in members), spelling, columns)
    if kind == "rows":
        return _rows_frame(sniffed, [value for _, value in members])
    if kind == "index":
        return records_frame(sniffed, (_with_id(key, value) for key, value in members), spelling, columns)
    if kind in ("lists", "columns"):
        return _columns_frame(sniffed, dict(members))
    if kind == "objects":
        return records_frame(sniffed, _of_users(sniffed, members), spelling, columns)
    return _users_frame(sniffed, members, kind)


def _with_id(key: Any, value: Any) -> Any:
    return {"id": key, **value} if isinstance(value, dict) and "id" not in value else value


def _spelling(members: Iterable[tuple[Any, Any]]) -> Spelling:
    return Spelling([flat(value) for _, value in members if isinstance(value, dict)])


def _rows_frame(sniffed: Sniffed, rows: list[list[Any]]) -> pd.DataFrame:
    """Return the table of an array of arrays, the first of which may name the columns."""
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        raise DataError(f"'{sniffed.path.name}' holds arrays of different lengths; give records with named values.")
    words = all(isinstance(name, str) and re.match(r"[^\W\d]", name) for name in rows[0])
    named = words and len(set(rows[0])) == width and len(rows) > 1
    names = rows[0] if named else [f"column {n}" for n in range(1, width + 1)]
    return pd.DataFrame(rows[named:], columns=list(names), dtype=object).infer_objects()


def _columns_frame(sniffed: Sniffed, columns: dict[str, Any]) -> pd.DataFrame:
    """Return the table of an object that holds a column of values under each name."""
    lists = {name: list(one.values()) if isinstance(one, dict) else one for name, one in columns.items()}
    if len({len(one) for one in lists.values()}) != 1:
        raise DataError(f"'{sniffed.path.name}' holds columns of different lengths.")
    return pd.DataFrame(lists, dtype=object).infer_objects()


def _of_users(sniffed: Sniffed, members: Iterable[tuple[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what each user has of each item, as Firebase keeps it: ``{"user1": {"item1": {"rating": 5}}}``."""
    for user, value in members:
        if not isinstance(value, dict):
            raise DataError(f"'{sniffed.path.name}': the value of '{shown(user)}' is not an object of items.")
        for item, one in value.items():
            inner = one if isinstance(one, dict) else {"value": one}
            named = any(means("item", name) is not None for name in inner)  # then the key only numbers it
            yield {"user": user, "key" if named else "item": item, **inner}


def _users_frame(sniffed: Sniffed, members: Iterable[tuple[str, Any]], kind: Kind) -> pd.DataFrame:
    """Return user, item and behaviour or rating of items per user."""
    rows: list[tuple[str, Any, Any]] = []
    for user, value in members:
        if kind == "items" and isinstance(value, list):
            rows.extend((user, one, None) for one in value)
        elif kind == "ratings" and isinstance(value, dict):
            rows.extend((user, item, rating) for item, rating in value.items())
        elif kind == "behaviours" and isinstance(value, dict) and all(isinstance(one, list) for one in value.values()):
            rows.extend((user, item, behaviour) for behaviour, items in value.items() for item in items)
        else:
            told = shown(json.dumps(value, ensure_ascii=False))
            raise DataError(
                f"'{sniffed.path.name}' holds no rows: the value of '{shown(user)}' is {told}; give a list of records, "
                'or items per user, as in {"user1": {"bought": ["item1"]}}.'
            )
    if not rows:
        raise DataError(f"'{sniffed.path.name}' holds no users with items.")
    marks = all(isinstance(mark, bool) for *_, mark in rows)
    third = {"ratings": "liked" if marks else "rating", "behaviours": "behaviour", "items": ""}[kind]
    table = pd.DataFrame(rows, columns=["user", "item", third], dtype=object)
    if kind != "items":
        return table.infer_objects()
    if table["item"].map(lambda one: isinstance(one, dict)).all():
        inner = pd.DataFrame([flat(one) for one in table["item"]], dtype=object)
        if "date" not in inner and _are_dates(table["user"].astype("str")):
            return pd.concat([table["user"].rename("date"), inner], axis=1).infer_objects()  # rows of each day
        return pd.concat([table[["user"]], inner.drop(columns="user", errors="ignore")], axis=1).infer_objects()
    return table[["user", "item"]]


def _are_dates(keys: pd.Series) -> bool:
    """Return whether the keys are moments; plain numbers are the ids of users."""
    return not keys.str.isdecimal().any() and bool(np.isfinite(read_times(keys).seconds).all())
