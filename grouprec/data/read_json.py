"""JSON -> tables: lines or an array of records, or items per user and behaviour."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from grouprec.core.types import DataError
from grouprec.data.sniff import HEAD_ROWS, Sniffed

# Integers stay the text they are; larger ones than 2^53 would not survive a column with gaps.
_JSON = json.JSONDecoder(parse_int=str)
_SPACE = re.compile(r"[ \t\r\n]*")


def json_head(sniffed: Sniffed) -> tuple[pd.DataFrame, int | None, bool]:
    """Return the first rows, the number of rows of the file (None: unknown) and whether that is exact."""
    members = itertools.islice(_json_members(sniffed, sniffed.text, sniffed.whole), HEAD_ROWS)
    if sniffed.format == "nested json":
        head = _nested_frame(sniffed, members)
        # Characters per row are not known here: one user's entry holds many rows.
        return (head, len(head), True) if sniffed.whole and len(head) < HEAD_ROWS else (head, None, False)
    records = list(members)
    names = list(dict.fromkeys(itertools.chain.from_iterable(records)))
    head = _records_frame(records, names)
    if head.empty:
        raise DataError(f"'{sniffed.path.name}' holds no records.")
    return head, *sniffed.estimate_rows(len(head), len(sniffed.text) / sniffed.text.count("}"))


def json_table(sniffed: Sniffed, columns: list[str]) -> pd.DataFrame:
    """Return the given columns of the whole file."""
    with sniffed.open() as file:
        if sniffed.format == "jsonl":
            text: Iterable[str] | str = io.TextIOWrapper(file, encoding=sniffed.encoding)
        else:
            text = io.TextIOWrapper(file, encoding=sniffed.encoding).read()
        members = _json_members(sniffed, text, whole=True)
        if sniffed.format == "nested json":
            return _nested_frame(sniffed, members)[columns]
        return _records_frame(members, columns)


def _json_members(sniffed: Sniffed, text: Iterable[str] | str, whole: bool) -> Iterator[Any]:
    """Yield records (dicts), or pairs of user and value for nested JSON, as far as the text goes.

    Raises:
        DataError: the text is not JSON (says the line), or a record is not an object.
    """
    lines = sniffed.format == "jsonl"
    line = 0
    try:
        if lines:
            for line, content in enumerate(io.StringIO(text) if isinstance(text, str) else text, 1):
                if content.strip():
                    yield _record(sniffed, _JSON.decode(content), line)
        elif sniffed.format == "json":
            for number, (_, value) in enumerate(_members(str(text), whole), 1):
                yield _record(sniffed, value, number)
        else:
            yield from _members(str(text), whole)
    except json.JSONDecodeError as error:
        at = line if lines else error.lineno
        raise DataError(f"'{sniffed.path.name}', line {at} is not valid JSON: {error.msg}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"'{sniffed.path.name}' mixes encodings; save it as UTF-8.") from error
    except RecursionError as error:
        raise DataError(f"'{sniffed.path.name}' is JSON nested too deeply to be a table.") from error


def _record(sniffed: Sniffed, value: Any, number: int) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataError(f"'{sniffed.path.name}', record {number} is not an object with named values.")
    return value


def _members(text: str, whole: bool) -> Iterator[tuple[str | None, Any]]:
    """Yield key (None in an array) and value of the members of the outermost object or array.

    Where ``text`` is only the beginning, it ends silently at the member that is cut off.
    """
    at = _skip(text, 0)
    end = {"[": "]", "{": "}"}[text[at]]
    at, key, found = _skip(text, at + 1), None, False
    try:
        while text[at : at + 1] != end or found:
            if end == "}":
                key, at = _JSON.raw_decode(text, at)
                at = _expect(text, _skip(text, at), ":")
            value, at = _JSON.raw_decode(text, at)
            yield key, value
            found = True
            at = _skip(text, at)
            if text[at : at + 1] == end:
                break
            at = _expect(text, at, ",")
        if text[at + 1 :].strip():
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


def _records_frame(records: Iterable[dict[str, Any]], columns: list[str]) -> pd.DataFrame:
    rows = [[record.get(column) for column in columns] for record in records]
    return pd.DataFrame(rows, columns=columns, dtype=object).infer_objects()


def _nested_frame(sniffed: Sniffed, members: Iterable[tuple[str, Any]]) -> pd.DataFrame:
    """Return user, item, behaviour of ``{"user1": {"bought": ["item1"], "viewed": ["item4"]}}``."""
    users, items, behaviours = [], [], []
    for user, value in members:
        if not isinstance(value, dict) or not all(isinstance(chosen, list) for chosen in value.values()):
            raise DataError(
                f"'{sniffed.path.name}': the value of '{user}' is not a list of items per behaviour, "
                'as in {"user1": {"bought": ["item1"]}}.'
            )
        for behaviour, chosen in value.items():
            users.extend([user] * len(chosen))
            items.extend(chosen)
            behaviours.extend([behaviour] * len(chosen))
    if not users:
        raise DataError(f"'{sniffed.path.name}' holds no users with items.")
    return pd.DataFrame({"user": users, "item": items, "behaviour": behaviours})
