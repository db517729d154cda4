"""Texts made to hold a regular expression up: what one of its repeats takes, over and over, then something else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any

_parser: Any = vars(re)["_parser"]
_PLACES = tuple("aZx19 \n_-.,;:\"'/|[{é年\u3042")
_ENDS = ("", "\x00", "!", "\n!", "a", "1", '"')
_SHORTEST = 8  # a repeat of fewer can hold nothing up by itself
_CATEGORIES = {"DIGIT": str.isdecimal, "SPACE": str.isspace, "WORD": lambda sign: sign.isalnum() or sign == "_"}


def texts_against(pattern: str, flags: int) -> Iterator[Callable[[int], str]]:
    """Yield functions from a length to a text of about that length, other texts each."""
    tree = _parser.parse(pattern, flags & ~re.DEBUG)
    signs = _signs(tree)
    ends = dict.fromkeys((*_ENDS, *_excluded(tree)))
    seen = set()
    for before, body in _attacks(tree, signs):
        for end in ends:
            if body and (before, body, end) not in seen:
                seen.add((before, body, end))
                yield _text(before, body, end)


def _text(before: str, body: str, end: str) -> Callable[[int], str]:
    return lambda length: before + body * (length // len(body)) + end


def _attacks(tree: Any, signs: list[str]) -> Iterator[tuple[str, str]]:
    yield from (("", "".join(pair)) for pair in product(signs[:9], repeat=2))
    repeats = list(_repeats(tree, ""))
    yield from product(dict.fromkeys(("", *(before for before, _ in repeats))), signs)
    for before, body in repeats:
        for choice in range(len(signs)):
            for full in (False, True):
                yield before, _sample(body, choice, full)
                yield before, _sample(body, choice, full) + _sample(body, 0, True)


def _repeats(tree: Any, before: str) -> Iterator[tuple[str, Any]]:
    """Yield every repeat of many with the shortest text that leads to it."""
    for kind, value in tree:
        name = str(kind)
        if name.endswith("REPEAT"):
            if value[1] >= _SHORTEST:
                yield before, value[2]
                yield before + _sample(value[2], 0, True), value[2]
            yield from _repeats(value[2], before)
        else:
            for part in _parts(name, value):
                yield from _repeats(part, before)
        before += _sample([(kind, value)], 0, False)


def _parts(name: str, value: Any) -> list[Any]:
    if name == "BRANCH":
        return list(value[1])
    if name == "SUBPATTERN":
        return [value[3]]
    if name in ("ASSERT", "ASSERT_NOT"):
        return [value[1]]
    return [value] if name == "ATOMIC_GROUP" else []


def _sample(tree: Any, choice: int, full: bool) -> str:
    """Return a text that the part takes: the shortest, or one in which every repeat is there."""
    return "".join(_sample_of(str(kind), value, choice, full) for kind, value in tree)


def _sample_of(name: str, value: Any, choice: int, full: bool) -> str:
    if name == "LITERAL":
        return chr(value)
    if name in ("NOT_LITERAL", "ANY", "IN"):
        members = _members(name, value)
        return members[choice % len(members)] if members else ""
    if name.endswith("REPEAT"):
        return _sample(value[2], choice, full) * max(value[0], int(full))
    if name == "BRANCH":
        return _sample(value[1][choice % len(value[1])], choice, full)
    if name.startswith("ASSERT") and not (name == "ASSERT" and value[0] < 0):
        return ""  # what is ahead comes of itself; what must be behind has to be there
    return "".join(_sample(part, choice, full) for part in _parts(name, value))


def _members(name: str, value: Any) -> list[str]:
    own = [] if name != "IN" else [chr(part) for kind, part in value if str(kind) == "LITERAL"]
    own += [] if name != "IN" else [chr(part[0]) for kind, part in value if str(kind) == "RANGE"]
    return [sign for sign in dict.fromkeys((*own[:6], *_PLACES)) if _is_member(sign, name, value)]


def _is_member(sign: str, name: str, value: Any) -> bool:
    if name == "ANY":
        return True
    if name == "NOT_LITERAL":
        return sign != chr(value)
    negated = str(value[0][0]) == "NEGATE"
    return negated != any(_holds(sign, str(kind), part) for kind, part in value)


def _holds(sign: str, name: str, part: Any) -> bool:
    if name == "LITERAL":
        return ord(sign) == part
    if name == "RANGE":
        return part[0] <= ord(sign) <= part[1]
    if name == "CATEGORY":
        category = str(part).removeprefix("CATEGORY_")
        return _CATEGORIES[category.removeprefix("NOT_")](sign) != category.startswith("NOT_")
    return False


def _signs(tree: Any) -> list[str]:
    """Return signs that the pattern tells apart: its own first, of every class one or two."""
    found: dict[str, None] = {}
    for name, value in _leaves(tree):
        members = [chr(value)] if name == "LITERAL" else _members(name, value)
        found.update(dict.fromkeys(islice(members, 3)))
    return list(found)[:24]


def _excluded(tree: Any) -> Iterator[str]:
    """Yield what classes of the pattern leave out: it ends their repeats."""
    for name, value in _leaves(tree):
        if name == "NOT_LITERAL":
            yield chr(value)
        elif name == "IN" and str(value[0][0]) == "NEGATE":
            yield from [chr(part) for kind, part in value[1:] if str(kind) == "LITERAL"][:2]


def _leaves(tree: Any) -> Iterator[tuple[str, Any]]:
    for kind, value in tree:
        name = str(kind)
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            yield name, value
        for part in [value[2]] if name.endswith("REPEAT") else _parts(name, value):
            yield from _leaves(part)
