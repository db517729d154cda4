"""Names that one file writes in several ways: ``userId`` in some records of JSON, ``user_id`` in others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from grouprec.data.roles.header_words import simple_name
from grouprec.data.values.common import shown

_MOST_NAMES = 10_000  # of all records; where keys are ids there is no end of them


class Spelling:
    """The names in the first records, each with the column that it means: the first name of the same letters.

    Two names that stand in one record are two things, however alike they are.
    """

    def __init__(self, records: Sequence[dict[str, Any]]) -> None:
        names = dict.fromkeys(name for record in records for name in record)
        alike = defaultdict(list)
        for name in list(names)[:_MOST_NAMES]:
            alike[simple_name(name)].append(name)
        self._columns = {name: name for name in names}
        self._simple: dict[str, str] = {}
        self.several: list[tuple[str, ...]] = []
        for simple, spelled in alike.items():
            if len(spelled) > 1 and any(len(record.keys() & set(spelled)) > 1 for record in records):
                continue
            self._simple[simple] = spelled[0]
            if len(spelled) > 1:
                self.several.append(tuple(spelled))
                self._columns |= dict.fromkeys(spelled, spelled[0])

    def notes(self) -> list[str]:
        """Return what to say about names that are taken for one."""
        pairs = (" and ".join(f"'{shown(name)}'" for name in spelled) for spelled in self.several[:3])
        return [f"the names {pair} are taken for one column" for pair in pairs]

    def of(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return a record with the names of the columns."""
        if not self.several and record.keys() <= self._columns.keys():
            return record
        found: dict[str, Any] = {}
        for name, value in record.items():
            column = self._columns.get(name)
            if column is None:
                column = self._simple.get(simple_name(name), name)
                if len(self._columns) < _MOST_NAMES:
                    self._columns[name] = column
            if column not in found or found[column] is None:
                found[column] = value
        return found
