"""Records of a name and a value a line, parted by blank lines, as SNAP gives reviews: ``review/userId: A1``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_NAMED = re.compile(r"([^\W\d][\w/. -]{0,60}?): ?(.*)")
_FEWEST = 3  # records that are told by, at least
_ENVELOPE = "BEGIN"  # of calendars and address books, which are refused by name


def is_blocks(text: str) -> bool:
    """Return whether the first records of a text name the same things in the same order, a line each.

    Args:
        text: the beginning of the file; the last record may be cut off.
    """
    named = [_NAMED.fullmatch(line.strip()) for line in text.lstrip().split("\n", _FEWEST)[:_FEWEST]]
    if not all(named[:2]):
        return False
    first = named[0][1]  # type: ignore[index]  # it is there
    if first == _ENVELOPE:
        return False
    found = []
    for record in block_records(text[: 1 << 16].splitlines()):
        found.append(tuple(record))
        if len(found) == _FEWEST:
            break
    return len(found) == _FEWEST and len(set(found)) == 1 and len(found[0]) > 1 and found[0][0] == first


def n_blocks(text: str) -> int:
    """Return how many records a text of such holds."""
    first = text.lstrip().partition(":")[0]
    return text.count(f"\n{first}:") + 1


def block_records(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield name -> value of every record: one begins behind a blank line, or where its first name comes again.

    A line without a name goes on with the value above it, also behind a blank line: the second paragraph of a review.
    There a name that no record has had yet ("PS: ...") is none.
    """
    record: dict[str, list[str]] = {}  # the lines of each value: joined once, for there may be very many
    first = last = ""
    known: set[str] = set()
    parted = False  # by a blank line, which ends the record unless a line without a name follows
    for line in lines:
        body = line.strip().strip("\ufeff\x00")
        found = _NAMED.fullmatch(body) if body else None
        if found is not None and parted and known and found[1] not in known:
            found = None
        if record and found is not None and (parted or found[1] == first):
            yield _joined(record)
            known.update(record)
            record = {}
        parted = not body
        if found is not None and found[1] not in record:
            last = found[1]
            first = first or last
            record[last] = [found[2].strip()]
        elif body and record:
            record[last].append(body)
    if record:
        yield _joined(record)


def _joined(record: dict[str, list[str]]) -> dict[str, str]:
    return {name: " ".join(lines) for name, lines in record.items()}
