"""Where are the records in a JSON text? Services answer with them inside other objects, beside words about it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]

_JSON = json.JSONDecoder(parse_int=str)
_SPACE = re.compile(r"[ \t\r\n,\x1e]*")
_DEEPEST = 6
_TABLES = 5  # lists of records under so few names are tables; under more, the names are users
_FEWEST = 10  # objects under names of their own that share names inside are records, too
# What stands before a value in archives that are programs for a browser: window.YTD.like.part0 = [...]
ASSIGNED = re.compile(r"\s*(?:(?:var|let|const)\s+)?[A-Za-z_$][\w.$]*\s*=\s*(?=[\[{])")


@dataclass(frozen=True)
class _Member:
    """A member of an object: its value as far as it is known, and where that stands in the text."""

    name: str
    value: Any
    begin: int
    size: float

    @property
    def is_records(self) -> bool:
        return isinstance(self.value, list) and bool(self.value) and all(isinstance(one, dict) for one in self.value)


def is_sequence(text: str) -> bool:
    """Return whether a text is several values one after the other: arrays of a row each, or objects over lines."""
    try:
        _, end = _JSON.raw_decode(text, _skip(text, 0))
    except (ValueError, RecursionError):
        return False
    return text[_skip(text, end) :][:1] in ("{", "[")


def sequence(text: str, whole: bool) -> Any:
    """Yield the values that stand one after the other; the last one may be cut off where the text goes on.

    Raises:
        json.JSONDecodeError: something else stands between them.
    """
    at = _skip(text, 0)
    while at < len(text):
        try:
            value, end = _JSON.raw_decode(text, at)
        except json.JSONDecodeError:
            if whole:
                raise
            return
        yield value
        at = _skip(text, end)


def records_path(text: str) -> Path | None:
    """Return the names under which the records of an object lie; None where the object itself is the table.

    Args:
        text: the beginning of the file.
    """
    start = _skip(text, 0)
    if text[start : start + 1] != "{":
        return None
    try:
        members = _members(text, start)
        if _is_table(members):
            return None
        found = _candidates(text, members, (), 0)
    except (ValueError, RecursionError):
        return None
    return max(found, key=lambda one: one[0])[1] if found else None


def locate(text: str, path: Path) -> int:
    """Return where the value at a path begins.

    Raises:
        json.JSONDecodeError: it is not there.
    """
    at = _skip(text, 0)
    for name in path:
        at = _enter(text, at, name)
    return at


def _is_table(members: list[_Member]) -> bool:
    """Return whether an object holds rows or users itself: nothing in it wraps anything."""
    kinds = {type(member.value) for member in members}
    if len(members) < 2 or len(kinds) > 1:
        return False
    if kinds == {list}:
        records = [member for member in members if member.is_records]
        names = [frozenset(member.value[0]) for member in records]
        return len(members) > _TABLES or len(records) < len(members) or len(set(names)) < len(names)
    if kinds != {dict}:
        return True
    names = [frozenset(member.value) for member in members]
    wrapped = any(is_object(cell) for member in members for cell in member.value.values())
    return len(members) > _TABLES or (len(set(names)) < len(names) and not wrapped)


def _candidates(text: str, members: list[_Member], path: Path, depth: int) -> list[tuple[float, Path]]:
    """Return how long the lists of records below an object are, and the paths to them."""
    found = []
    for member in members:
        here = (*path, member.name)
        if member.is_records:
            found.append((member.size, here))
        elif isinstance(member.value, dict) and depth < _DEEPEST:
            inner = _members(text, member.begin)
            if _are_records(inner) or _are_users(inner):
                found.append((member.size, here))
            else:
                found += _candidates(text, inner, here, depth + 1)
    return found


def _are_records(members: list[_Member]) -> bool:
    """Return whether the members of an object are records under keys of their own."""
    values = [member.value for member in members if isinstance(member.value, dict) and member.value]
    if len(values) < _FEWEST or len(values) < 0.9 * len(members):
        return False
    return len(set.intersection(*(set(value) for value in values[:-1]))) > 1


def _are_users(members: list[_Member]) -> bool:
    """Return whether the members of an object are users with an object, a number or ``true`` under each of their items.

    Items are others from user to user, where the names inside records are the same.
    """
    values = [member.value for member in members if isinstance(member.value, dict) and member.value]
    if len(values) < _FEWEST or len(values) < len(members) or set.intersection(*map(set, values)):
        return False
    cells = [cell for value in values for cell in value.values()]
    return any(all(map(kind, cells)) for kind in (is_object, is_mark))


def is_object(value: Any) -> bool:
    """Return whether a value is an object with something in it."""
    return isinstance(value, dict) and bool(value)


def is_mark(value: Any) -> bool:
    """Return whether a value says how much or that it is so: a number, ``true`` or ``false``."""
    return isinstance(value, (bool, float)) or (isinstance(value, str) and re.fullmatch(r"-?\d+", value) is not None)


def _members(text: str, at: int) -> list[_Member]:
    """Return the members of the object that begins there, as far as the text goes; the last one may be cut off."""
    found: list[_Member] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] == '"':
        try:
            name, at = _JSON.raw_decode(text, at)
            begin = at = _skip(text, _skip(text, at) + 1)
            value, at = _JSON.raw_decode(text, at)
            found.append(_Member(str(name), value, begin, at - begin))
        except (json.JSONDecodeError, IndexError):
            if text[at : at + 1] in ("[", "{"):  # cut off: it is what the file is about
                found.append(_Member(str(name), _begun(text, at), at, float("inf")))
            break
        at = _skip(text, at)
    return found


def _begun(text: str, at: int) -> Any:
    """Return what is known of a value that is cut off: its first members."""
    if text[at] == "{":
        return {member.name: member.value for member in _members(text, at)}
    values: list[Any] = []
    at = _skip(text, at + 1)
    while at < len(text) and len(values) < _FEWEST:
        try:
            value, at = _JSON.raw_decode(text, at)
        except json.JSONDecodeError:
            break
        values.append(value)
        at = _skip(text, at)
    return values


def _enter(text: str, at: int, wanted: str) -> int:
    """Return where the value of that name begins in the object that begins there."""
    at = _skip(text, at + 1)
    while text[at : at + 1] == '"':
        name, at = _JSON.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        if name == wanted:
            return at
        _, at = _JSON.raw_decode(text, at)
        at = _skip(text, at)
    raise json.JSONDecodeError(f"'{wanted}' is not there any more", text, at)


def _skip(text: str, at: int) -> int:
    """Return the position after white space and commas."""
    return _SPACE.match(text, at).end()  # type: ignore[union-attr]  # matches the empty string
