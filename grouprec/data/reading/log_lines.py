"""Lines of logs as records: objects as Python prints them, ``name=value`` pairs, and what web servers write."""

from __future__ import annotations

import re
from typing import Any

from grouprec.data.values.cells import printed_object

_PAIR = re.compile(r'(?<![\w.-])([A-Za-z_][\w.-]*+)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_PAIRS = re.compile(rf"{_PAIR.pattern}(?:\s+{_PAIR.pattern})+")
_SERVER = re.compile(
    r"(?P<ip>\S+) \S+ (?P<user>.{1,100}?) \[(?P<time>[^\]]+)\] "
    r'"(?P<method>[A-Z]+) (?P<path>[^\s"]++)[^"]*+" (?P<status>\d{3}) \S+(?: .*)?'
)
_STAMPED = re.compile(r"\[?(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\s\]]*)\]?\s(?P<rest>.*)")
_LONGEST = 10_000  # characters


def log_record(line: str) -> dict[str, Any] | None:
    """Return name -> value of a line of a log; None for another line.

    Of web servers (the common and the combined format of Apache and nginx): ip, user, time, method, path and status. Of
    programs, two or more ``name=value`` behind a moment, whatever words stand between.
    """
    if len(line) <= _LONGEST:
        if _PAIRS.fullmatch(line):
            return _pairs(line)
        if (said := _STAMPED.fullmatch(line)) and len(pairs := _pairs(said["rest"])) > 1:
            return {"time": said["time"], **pairs}
        if found := _SERVER.fullmatch(line):
            return {name: None if value == "-" else value for name, value in found.groupdict().items()}
    return printed_object(line)


def _pairs(text: str) -> dict[str, Any]:
    """Return name -> value of all ``name=value`` in a text."""
    return {name: value.strip('"').replace('\\"', '"') for name, value in _PAIR.findall(text)}


def is_log(text: str) -> bool:
    """Return whether the first two lines of a text are records of a log."""
    lines = [line.strip() for line in text.split("\n", 4)[:4] if line.strip()][:2]  # of one alone nobody knows
    return len(lines) == 2 and all(log_record(line) is not None for line in lines)
