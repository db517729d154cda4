"""The accepted events of a stream, in one SQLite file: each once, numbered in the order in which they count.

A batch is one transaction, on disk when it returns (write-ahead log, synchronous commits), and is written before
anything else changes. So a process that is killed at any moment leaves a whole number of batches behind. Every row
carries a seal over what it says, and a counter tells how many rows there are; both are checked when it is opened.
SQLite takes a write-ahead log as far as it is sound, without a word of what comes behind: so the ledger's mark
(:func:`~grouprec.core.forms.mark_of`) says after every batch how many there were. It is written behind the batch, and
may lag where the power fails, but never says more than is on disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from grouprec.core.files import storage, told
from grouprec.core.forms import DamagedError, mark_of
from grouprec.core.locks import take
from grouprec.core.types import StorageError
from grouprec.runs.places import LEDGER, LIVE_STATE

LOCK = "writer.lock"  # in the folder of a ledger, held while writing
RECEIVED = ("events", "applied", "duplicates", "late", "malformed")  # what is counted of what came
_CHUNK = 500  # keys of one query; SQLite takes 999 parameters at least
_SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, user TEXT, item TEXT NOT NULL, "group" INTEGER,
    time REAL, weight REAL NOT NULL, behaviour TEXT NOT NULL, verdict INTEGER NOT NULL, label TEXT NOT NULL,
    attributes TEXT NOT NULL, method TEXT NOT NULL, regime TEXT NOT NULL, seal TEXT NOT NULL DEFAULT ''
);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL, seal TEXT NOT NULL DEFAULT '');
"""
_FORMAT = 3  # kept as SQLite's user_version; 1, of 0.1.0, had no seals and left that number 0
_SEALED = 2  # the first with seals; it did not say how many events there are
_KEPT = "kept"  # the counter of the events in the file; the others are of what was received
_PATIENCE = 0.5  # seconds to wait for another writer, who usually stays for long


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
        sentence = f"Another process is sending events to {title}; wait until it has finished, then send yours again."
        self._lock = take(folder / LOCK, sentence, _PATIENCE)
        try:
            with self._sentences():
                self._file = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
                self._file.execute("PRAGMA journal_mode=WAL")
                self._file.execute("PRAGMA synchronous=FULL")
                if version_of(self._file) < _FORMAT:
                    self._begin()
                check(self._file, promised(self.path))
                self.length = int(self._file.execute("SELECT coalesce(max(sequence), 0) FROM events").fetchone()[0])
            with storage(self.path):
                mark_of(self.path).touch()
            self._promise()
        except BaseException:
            if hasattr(self, "_file"):
                self._file.close()
            self._lock.release()
            raise

    def _begin(self) -> None:
        """Make the tables, or those of an older version as of today: what is in them is sealed as it is found.

        Raises:
            DatabaseError: there was a ledger, and it is empty or gone; or it is not what was sealed.
        """
        found = version_of(self._file)
        if not found and mark_of(self.path).exists():
            raise sqlite3.DatabaseError("its events are gone")
        check(self._file, promised(self.path))
        with self._transaction():
            for statement in _SCHEMA.strip().split(";\n"):
                self._file.execute(statement)
            if found < _SEALED:
                self._seal()
            n_events = self._file.execute("SELECT count(*) FROM events").fetchone()[0]
            self._add({**dict.fromkeys(RECEIVED, 0), _KEPT: n_events})
            self._file.execute(f"PRAGMA user_version = {_FORMAT}")

    def _seal(self) -> None:
        for table in ("events", "counters"):
            names = [row[1] for row in self._file.execute(f"PRAGMA table_info({table})")]
            if "seal" not in names:
                self._file.execute(f"ALTER TABLE {table} ADD COLUMN seal TEXT NOT NULL DEFAULT ''")
        rows = self._file.execute(f"SELECT sequence, {_COLUMNS} FROM events").fetchall()
        seals = [(seal_of(*row), row[0]) for row in rows]
        self._file.executemany("UPDATE events SET seal = ? WHERE sequence = ?", seals)
        counters = self._file.execute("SELECT name, value FROM counters").fetchall()
        marks = [(seal_of(*row), row[0]) for row in counters]
        self._file.executemany("UPDATE counters SET seal = ? WHERE name = ?", marks)

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
        rows = [(*row, seal_of(*row)) for row in numbered]
        with self._sentences(), self._transaction():
            self._file.executemany(f"INSERT INTO events (sequence, {_COLUMNS}, seal) VALUES (?, {_MARKS}, ?)", rows)
            self._add({_KEPT: len(rows)})
        self.length += len(numbered)
        self._promise()

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

    def last_times(self, until: float) -> dict[str, float]:
        """Return the time of the latest thing that every user did until then; feedback does not count."""
        query = "SELECT user, max(time) FROM events WHERE time <= ? AND verdict = 0 GROUP BY user"
        return dict(self._query(query, (until,)))

    def count(self, numbers: Mapping[str, int]) -> None:
        """Add to the counters of what was received, of :data:`RECEIVED`."""
        with self._sentences(), self._transaction():
            self._add(numbers)
        self._promise()

    def _promise(self) -> None:
        """Let the mark say what has been written; where it cannot, it goes on saying less."""
        counted = dict(self._query("SELECT name, value FROM counters"))
        numbers = counted[_KEPT], counted["events"]
        with contextlib.suppress(OSError), mark_of(self.path).open("r+b") as mark:
            mark.write(f"{numbers[0]:020d} {numbers[1]:020d} {seal_of(*numbers)}".encode())  # as long as the last one

    def _add(self, numbers: Mapping[str, int]) -> None:
        known = dict(self._file.execute("SELECT name, value FROM counters"))
        now = [(name, known.get(name, 0) + number) for name, number in numbers.items()]
        rows = [(*row, seal_of(*row)) for row in now]
        self._file.executemany("INSERT OR REPLACE INTO counters (name, value, seal) VALUES (?, ?, ?)", rows)

    def counters(self) -> dict[str, int]:
        """Return the counters of what was received: each of :data:`RECEIVED` -> number since the stream began."""
        counted = dict(self._query("SELECT name, value FROM counters"))
        return {name: counted[name] for name in RECEIVED}

    def close(self) -> None:
        self._file.close()
        self._lock.release()

    def _query(self, query: str, parameters: Sequence[str | float] = ()) -> Iterator[tuple]:
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

    def _sentences(self) -> AbstractContextManager[None]:
        return sentences(self.path)


@contextlib.contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about a ledger into one sentence.

    Raises:
        StorageError: it is damaged, or cannot be read or written.
    """
    try:
        yield
    except UnicodeDecodeError as error:  # its own error names what it cannot read
        raise damaged(path, error.reason) from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR:
            held = code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            advice = "end what else has it open, then try again" if held else "free some space or check the folder"
            raise StorageError(f"Cannot use {told(path)}: {error}; {advice}.") from error
        raise damaged(path, error) from error  # SQLITE_ERROR: a table or column that we ask for is not there


def begun(path: Path) -> bool:
    """Return whether there is a ledger, or was one."""
    return path.exists() or mark_of(path).exists()


def promised(path: Path) -> tuple[int, int]:
    """Return how many events a ledger holds at least, and how many it has counted; 0 where nobody said.

    Raises:
        StorageError: the mark that says it is damaged, or cannot be read.
    """
    mark = mark_of(path)
    with storage(mark):
        said = mark.read_bytes().strip(b"\0") if mark.is_file() else b""
    try:
        kept, counted, seal = said.decode().split() if said else ("0", "0", seal_of(0, 0))
        if seal == seal_of(int(kept), int(counted)):
            return int(kept), int(counted)
    except ValueError:
        pass
    advice = f"remove it, if {path.name} is the one that was there last"
    raise DamagedError(f"{told(mark)} is damaged: it is not what was written", advice)


def without(path: Path, users: Collection[str], new: Path) -> int:
    """Write a ledger of the events of all others, numbered anew, and return how many events those users had.

    Counters stay: they say what was received. The caller holds the writer's lock of the ledger's folder.

    Args:
        new: a file that is not there, beside which its mark will be; none afterwards where they had no events.
    Raises:
        StorageError: the ledger is damaged, or the new one cannot be written.
    """
    with sentences(path), contextlib.closing(sqlite3.connect(path)) as file:
        check(file, promised(path))
        entries = [Entry(*row) for row in file.execute(f"SELECT {_COLUMNS} FROM events ORDER BY sequence")]
        counters = dict(file.execute("SELECT name, value FROM counters WHERE name != ?", (_KEPT,)))
    others = [entry for entry in entries if entry.user not in users]
    if len(others) == len(entries):
        return 0
    with tempfile.TemporaryDirectory(dir=new.parent) as folder:  # a ledger makes files beside it
        ledger = Ledger(Path(folder), path.parent.name)
        try:
            ledger.append(others)
            ledger.count(counters)
        finally:
            ledger.close()
        with storage(new):
            mark_of(ledger.path).replace(mark_of(new))
            ledger.path.replace(new)
    return len(entries) - len(others)


def names_any(path: Path, users: Collection[str]) -> bool:
    """Return whether a ledger has an event of one of these users; others may be writing to it.

    Raises:
        StorageError: it is damaged.
    """
    with sentences(path), contextlib.closing(reader(path)) as file:
        query = "SELECT 1 FROM events WHERE user = ? LIMIT 1"
        return any(file.execute(query, (user,)).fetchone() for user in users)


def reader(path: Path) -> sqlite3.Connection:
    """Return a ledger opened to be read, while others may write to it."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def damaged(path: Path, error: object) -> StorageError:
    """Return what to say of a ledger that is not what was written."""
    reason = f"{told(path)} is damaged ({error})"
    beside = f"{path.with_name(LIVE_STATE).name} and {mark_of(path).name}"
    return DamagedError(reason, f"restore it from a copy, or move it, {beside} away and send all events again")


def version_of(file: sqlite3.Connection) -> int:
    return int(file.execute("PRAGMA user_version").fetchone()[0])


def check(file: sqlite3.Connection, least: tuple[int, int]) -> None:
    """Check that a ledger holds what was written to it; one that nobody has opened since 0.1.0 has no seals.

    Args:
        least: as :func:`promised` gives it.
    Raises:
        DatabaseError: it does not.
    """
    found = file.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(found.replace("*", "").strip().splitlines()[-1])
    version, n_events = version_of(file), 0
    if version < _SEALED:
        return
    rows = file.execute(f"SELECT sequence, {_COLUMNS}, seal FROM events ORDER BY sequence")
    for n_events, (sequence, *values, seal) in enumerate(rows, 1):
        if sequence != n_events or seal != seal_of(sequence, *values):
            raise sqlite3.DatabaseError(f"its event {n_events:,} is not what was written")
    counted = {}
    for name, value, seal in file.execute("SELECT name, value, seal FROM counters"):
        if seal != seal_of(name, value):
            raise sqlite3.DatabaseError(f"its counter '{name}' is not what was written")
        counted[name] = value
    if version < _FORMAT:
        return
    if missing := [name for name in (*RECEIVED, _KEPT) if name not in counted]:
        raise sqlite3.DatabaseError(f"its counter '{missing[0]}' is missing")
    if counted[_KEPT] != n_events:
        raise sqlite3.DatabaseError(f"it holds {n_events:,} events of {counted[_KEPT]:,}")
    if n_events < least[0]:
        raise sqlite3.DatabaseError(f"it holds {n_events:,} events of {least[0]:,}; the last ones are gone")
    if counted["events"] < least[1]:
        raise sqlite3.DatabaseError("what it counted last is gone")


def seal_of(*values: object) -> str:
    """Return the seal of a row, 16 hexadecimal digits; a column of SQLite's may give a whole number back as a float."""
    same = tuple(float(value) if isinstance(value, (int, float)) else value for value in values)
    return hashlib.blake2b(repr(same).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
