"""The accepted events of a stream, in one SQLite file: each once, numbered in the order in which they count.

A batch is one transaction, on disk when it returns (write-ahead log, synchronous commits), and is written before
anything else changes. So a process that is killed at any moment leaves a whole number of batches behind.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from grouprec.core.files import storage
from grouprec.core.types import StorageError
from grouprec.runs.store import LEDGER

_CHUNK = 500  # keys of one query; SQLite takes 999 parameters at least
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, user TEXT, item TEXT NOT NULL, "group" INTEGER,
    time REAL, weight REAL NOT NULL, behaviour TEXT NOT NULL, verdict INTEGER NOT NULL, label TEXT NOT NULL,
    attributes TEXT NOT NULL, method TEXT NOT NULL, regime TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Entry(NamedTuple):
    """One accepted event.

    Attributes:
        key: what tells it from every other event; see :func:`grouprec.live.events.check_events`.
        user: id, None where a whole group gave feedback.
        item: id.
        group: from 1; whose list was judged, None where nobody said.
        time: seconds since 1970 UTC, None where there is none.
        weight: > 0.
        behaviour: as given; a verdict of :data:`grouprec.live.events.FACTORS` for feedback.
        verdict: 1 for feedback, 0 for what somebody did.
        label: the item's name, "" where not given.
        attributes: of the user and the item, JSON object.
        method, regime: of the list that was judged, "" where not given.
    """

    key: str
    user: str | None
    item: str
    group: int | None
    time: float | None
    weight: float
    behaviour: str
    verdict: int
    label: str
    attributes: str
    method: str
    regime: str


_COLUMNS = ", ".join(f'"{name}"' for name in Entry._fields)
_MARKS = ", ".join("?" * len(Entry._fields))


class Ledger:
    """The events of one stream on disk, open for one writer.

    Args:
        folder: where the file is, or will be.
        title: whose events these are, for messages.
    Raises:
        StorageError: another process or stream writes here, or the file cannot be used.
    """

    def __init__(self, folder: Path, title: str) -> None:
        self.path = folder / LEDGER
        with storage(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._lock = self._take_lock(folder / "writer.lock", title)
        try:
            with self._sentences():
                self._file = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
                self._file.execute("PRAGMA journal_mode=WAL")
                self._file.execute("PRAGMA synchronous=FULL")
                self._file.executescript(_SCHEMA)
                self.length = int(self._file.execute("SELECT coalesce(max(sequence), 0) FROM events").fetchone()[0])
        except BaseException:
            self._lock.close()
            raise

    @staticmethod
    def _take_lock(path: Path, title: str) -> sqlite3.Connection:
        """Hold a lock of SQLite's on a file beside the ledger, which others may go on reading.

        The operating system gives it back when the process ends, however it ends.
        """
        try:
            lock = sqlite3.connect(path, timeout=0.5, isolation_level=None, check_same_thread=False)
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise StorageError(f"Cannot write {path}: {error}; check the folder.") from error
            raise StorageError(
                f"Another process is sending events to {title}; wait until it has finished, then send yours again."
            ) from error
        return lock

    def known(self, keys: Sequence[str]) -> set[str]:
        """Return those of the keys that an accepted event bears."""
        found: set[str] = set()
        for start in range(0, len(keys), _CHUNK):
            part = keys[start : start + _CHUNK]
            query = f"SELECT key FROM events WHERE key IN ({', '.join('?' * len(part))})"
            found.update(key for (key,) in self._query(query, part))
        return found

    def append(self, entries: Iterable[Entry]) -> None:
        """Write new events behind the others, all or none.

        Raises:
            StorageError: they cannot be written; none of them is.
        """
        numbered = [(self.length + place, *entry) for place, entry in enumerate(entries, 1)]
        with self._sentences(), self._transaction():
            self._file.executemany(f"INSERT INTO events (sequence, {_COLUMNS}) VALUES (?, {_MARKS})", numbered)
        self.length += len(numbered)

    def read(self, after: int = 0) -> Iterator[Entry]:
        """Return the events behind that number, in order."""
        query = f"SELECT {_COLUMNS} FROM events WHERE sequence > ? ORDER BY sequence"
        return (Entry(*row) for row in self._query(query, (after,)))

    def key(self, sequence: int) -> str:
        """Return the key of the event with that number, "" where there is none."""
        return next((key for (key,) in self._query("SELECT key FROM events WHERE sequence = ?", (sequence,))), "")

    def feedback(self) -> list[Entry]:
        """Return the verdicts, in order."""
        query = f"SELECT {_COLUMNS} FROM events WHERE verdict = 1 ORDER BY sequence"
        return [Entry(*row) for row in self._query(query)]

    def users(self) -> list[str]:
        """Return the ids of all users with events, in the order of their first one."""
        query = "SELECT user FROM events WHERE user IS NOT NULL GROUP BY user ORDER BY min(sequence)"
        return [user for (user,) in self._query(query)]

    def last_times(self) -> dict[str, float]:
        """Return the time of the latest thing that every user did; feedback does not count."""
        query = "SELECT user, max(time) FROM events WHERE time IS NOT NULL AND verdict = 0 GROUP BY user"
        return dict(self._query(query))

    def count(self, numbers: Mapping[str, int]) -> None:
        """Add to the counters of what was received."""
        statement = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"
        with self._sentences(), self._transaction():
            self._file.executemany(statement, numbers.items())

    def counters(self) -> dict[str, int]:
        """Return the counters: name -> number since the stream began."""
        return dict(self._query("SELECT name, value FROM counters"))

    def close(self) -> None:
        self._file.close()
        self._lock.close()

    def _query(self, query: str, parameters: Sequence[str | int] = ()) -> Iterator[tuple]:
        with self._sentences():
            yield from self._file.execute(query, parameters)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._file.execute("COMMIT")
        except BaseException:
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        """Turn SQLite's errors into one sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StorageError(f"Cannot write {self.path}: {error}; free some space or check the folder.") from error
        except sqlite3.DatabaseError as error:
            sentence = f"{self.path} is damaged ({error}); move it away, and send all events again."
            raise StorageError(sentence) from error
