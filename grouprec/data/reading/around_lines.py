"""What stands around every line, or every value, and is no part of it: "> " of a mail, numbers, quotation marks."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MAILED = re.compile("> ?")
_NUMBERED = re.compile(r"\s*(\d{1,9})[\t:]")  # as cat -n and grep -n write it
_WHOLE = re.compile(r'"(?=[^,;\t|]*[,;\t|])(?:[^"]|"")*+"')  # a line in quotes, with a delimiter somewhere
_CURLY = 0.8  # share of lines that begin and end with quotation marks of a typesetter
_LOOKED_AT = 60  # lines
_OPENING, _CLOSING = "“„«‹‘‚「『”", "”“»›’‘」』"
_OPENED = re.compile(rf"(^|[,;\t|] ?)[{_OPENING}][\u00a0\u202f]?")
_CLOSED = re.compile(rf"[\u00a0\u202f]?[{_CLOSING}](?= ?[,;\t|\r\n]|$)")


def find_prefix(lines: Sequence[str]) -> re.Pattern[str] | None:
    """Return the pattern of what a mail or a listing has put before every line: "> ", or its number."""
    if len(lines) > 1 and all(line.startswith(">") for line in lines):
        return _MAILED
    found = [_NUMBERED.match(line) for line in lines[:_LOOKED_AT]]
    numbers = [int(match[1]) for match in found if match]
    counts = len(lines) > 2 and numbers == list(range(1, len(found) + 1))
    return _NUMBERED if counts and all(set(",;|") & set(line) for line in lines[:_LOOKED_AT]) else None


def is_wrapped(lines: Sequence[str]) -> bool:
    """Return whether nearly every line is one quoted value with a delimiter in it."""
    whole = [line for line in lines if _WHOLE.fullmatch(line.strip())]
    return len(lines) > 1 and len(whole) >= 0.9 * len(lines)


def are_curly(lines: Sequence[str]) -> bool:
    """Return whether most lines begin and end with the quotation marks of a typesetter."""
    bodies = [line.strip() for line in lines]
    found = [len(body) > 1 and body[0] in _OPENING and body[-1] in _CLOSING for body in bodies]
    return len(lines) > 1 and sum(found) >= _CURLY * len(lines)


def straight(line: str) -> str:
    """Return a line with straight quotation marks around its values."""
    return _CLOSED.sub('"', _OPENED.sub(r'\1"', line))


def unwrap_line(line: str) -> str:
    body = line.strip()
    inside = len(body) > 1 and body[0] == body[-1] == '"'
    return body[1:-1].replace('""', '"') + line[len(line.rstrip("\r\n")) :] if inside else line


def without_prefix(line: str, prefix: re.Pattern[str]) -> str:
    found = prefix.match(line)
    return line[found.end() :] if found else line
