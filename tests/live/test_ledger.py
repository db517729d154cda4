"""The ledger alone: numbers, keys, counters, and what is left when something goes wrong."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grouprec.core.forms import mark_of
from grouprec.core.types import StorageError
from grouprec.live.ledger import RECEIVED, Entry, Ledger, sentences
from grouprec.runs.places import LEDGER


def entry(key: str, user: str | None = "u", time: float | None = None, verdict: int = 0) -> Entry:
    behaviour = "like" if verdict else ""
    return Entry(key, user, "i", None if user else 2, time, 1.5, behaviour, verdict, "Label", "{}", "m", "strict")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "several" / "folders", "a test")
    yield opened
    opened.close()


def test_events_come_back_in_their_order_behind_a_number(ledger: Ledger) -> None:
    given = [entry("c"), entry("a", None, verdict=1), entry("b", time=7.5)]
    ledger.append(given[:1])
    ledger.append(given[1:])
    assert ledger.length == 3
    assert list(ledger.read()) == given and list(ledger.read(after=1)) == given[1:] and list(ledger.read(3)) == []
    assert [ledger.key(number) for number in range(5)] == ["", "c", "a", "b", ""]
    assert ledger.feedback() == [given[1]]


def test_a_ledger_that_is_opened_again_goes_on_counting(ledger: Ledger) -> None:
    ledger.append([entry("a"), entry("b")])
    folder = ledger.path.parent
    ledger.close()
    again = Ledger(folder, "a test")
    assert again.length == 2
    again.append([entry("c")])
    assert [again.key(number) for number in (1, 2, 3)] == ["a", "b", "c"]
    again.close()


def test_many_keys_are_looked_up_and_only_known_ones_found(ledger: Ledger) -> None:
    keys = [f"k{number}" for number in range(1200)]
    ledger.append(entry(key) for key in keys[::2])
    assert ledger.known(keys) == set(keys[::2]) and ledger.known([]) == set() and ledger.known(["k0"]) == {"k0"}


def test_users_stand_in_the_order_of_their_first_event_and_times_are_the_latest_of_what_they_did(
    ledger: Ledger,
) -> None:
    ledger.append(
        [
            *(entry("1", "z", 5.0), entry("2", None, 9.0, verdict=1), entry("3", "a", 3.0), entry("4", "z", 4.0)),
            *(entry("5", "a", 8.0, verdict=1), entry("6", "none")),
        ]
    )
    assert ledger.users() == ["z", "a", "none"]
    assert ledger.last_times(1e12) == {"z": 5.0, "a": 3.0}


def test_counters_add_up(ledger: Ledger) -> None:
    ledger.count({"events": 2, "late": 0})
    ledger.count({"events": 3})
    assert ledger.counters() == {"events": 5, "applied": 0, "duplicates": 0, "late": 0, "malformed": 0}


def test_a_batch_that_fails_leaves_no_transaction_behind(ledger: Ledger) -> None:
    ledger.append([entry("a")])
    for _ in range(2):
        with pytest.raises(StorageError, match="damaged"):
            ledger.append([entry("b"), entry("a")])
    ledger.append([entry("b")])
    with sqlite3.connect(ledger.path) as other:
        assert other.execute("SELECT count(*) FROM events").fetchone() == (2,), "others read what is written"


def test_writes_are_on_disk_when_they_return_and_others_may_read_meanwhile(ledger: Ledger) -> None:
    assert ledger._file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert ledger._file.execute("PRAGMA synchronous").fetchone() == (2,)


def test_any_thread_may_use_and_close_it(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, "a test")
    done: list[int] = []

    def use() -> None:
        ledger.append([entry("a")])
        ledger.close()
        done.append(ledger.length)

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert done == [1]
    again = Ledger(tmp_path, "a test")
    assert again.key(1) == "a", "the lock was given back"
    again.close()


def test_a_second_writer_is_told_whose_events_are_being_sent(ledger: Ledger) -> None:
    with pytest.raises(StorageError, match="Another process is sending events to the run x; wait"):
        Ledger(ledger.path.parent, "the run x")


def test_a_folder_that_cannot_be_used_is_another_sentence(tmp_path: Path) -> None:
    (tmp_path / "writer.lock").mkdir()
    with pytest.raises(StorageError, match=r"Cannot write .*writer\.lock.*; check the folder"):
        Ledger(tmp_path, "a test")


def test_a_damaged_file_gives_the_lock_back(tmp_path: Path) -> None:
    (tmp_path / LEDGER).write_bytes(b"rubbish" * 1000)
    with pytest.raises(StorageError, match="is damaged") as first:
        Ledger(tmp_path, "a test")
    (tmp_path / LEDGER).unlink()
    Ledger(tmp_path, "a test").close()
    assert first.value.__cause__ is not None


def spoiled(path: Path, change: Callable[[Path], object]) -> str:
    """Return "same" where a ledger tells the same after a change to its files, else the sentence that refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(path.parent, Path(folder) / "copy")) / path.name
        change(copy)
        try:
            opened = Ledger(copy.parent, "a test")
        except StorageError as error:
            return str(error)
        told = [*opened.read()], opened.counters(), opened.length
        opened.close()
    opened = Ledger(path.parent, "a test")
    same = told == ([*opened.read()], opened.counters(), opened.length)
    opened.close()
    return "same" if same else "different"


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    """Return a ledger of three events, and of seven that were refused."""
    ledger = Ledger(tmp_path / "counted", "a test")
    ledger.append([entry("a"), entry("b", time=7.5), entry("c", None, verdict=1)])
    ledger.count({"events": 10, "applied": 3, "late": 5, "malformed": 2})
    ledger.close()
    return ledger.path


def test_a_ledger_of_which_a_bit_has_turned_tells_the_same_or_says_so(counted: Path) -> None:
    rng, content = np.random.default_rng(0), counted.read_bytes()
    written = [place for place, byte in enumerate(content) if byte]
    for place in rng.choice(written, 150, replace=False).tolist():
        turned = bytearray(content)
        turned[place] ^= 1 << int(rng.integers(8))
        said = spoiled(counted, lambda path, turned=turned: path.write_bytes(turned))
        assert said == "same" or "is damaged" in said, (place, said)


@pytest.mark.parametrize("sent", ["events", "refused ones"])
@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["gone", "empty"])
def test_a_ledger_that_was_there_is_missed(counted: Path, tmp_path: Path, change: Any, sent: str) -> None:
    if sent == "refused ones":
        ledger = Ledger(tmp_path / "refused", "a test")
        ledger.count({"events": 1, "malformed": 1})
        ledger.close()
        counted = ledger.path
    assert "is damaged (its events are gone)" in spoiled(counted, change)


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE counters RENAME TO others",
        "DELETE FROM counters WHERE name = 'late'",
        "DELETE FROM events WHERE sequence = 3",
        "DELETE FROM events",
        "DROP TABLE events",
    ],
)
def test_rows_that_are_missing_are_missed(counted: Path, statement: str) -> None:
    def change(path: Path) -> None:
        with contextlib.closing(sqlite3.connect(path)) as file:
            file.execute(statement)
            file.commit()

    assert "is damaged" in spoiled(counted, change)


def killed(folder: Path) -> Path:
    """Return a ledger as it lies when its writer is killed, with all it wrote still in the write-ahead log."""
    ledger = Ledger(folder / "alive", "a test")
    for number in range(40):
        ledger.append([entry(f"k{number}", time=float(number))])
    ledger.count({"events": 40, "applied": 40})
    shutil.copytree(folder / "alive", folder / "killed")
    ledger.close()
    return folder / "killed" / LEDGER


def test_events_in_the_log_of_a_killed_writer_are_missed_where_it_is_damaged(tmp_path: Path) -> None:
    path = killed(tmp_path)
    log = path.with_name(path.name + "-wal")
    content, rng = log.read_bytes(), np.random.default_rng(0)
    whole = [*Ledger(Path(shutil.copytree(path.parent, tmp_path / "whole")), "a test").read()]
    assert len(whole) == 40
    for damage in [*rng.integers(0, len(content), 60).tolist(), "cut", "empty", "gone"]:
        folder = Path(shutil.copytree(path.parent, tmp_path / "damaged"))
        spoilt = bytearray(content[: len(content) // 2 if damage == "cut" else 0 if damage == "empty" else None])
        if isinstance(damage, int):
            spoilt[damage] ^= 1 << int(rng.integers(8))
        (folder / log.name).write_bytes(spoilt)
        if damage == "gone":
            (folder / log.name).unlink()
        try:
            opened = Ledger(folder, "a test")
            assert [*opened.read()] == whole and opened.counters()["events"] == 40, damage
            opened.close()
        except StorageError as error:
            assert "is damaged" in str(error), damage
        shutil.rmtree(folder)


def test_a_mark_that_says_nothing_asks_for_nothing_and_a_damaged_one_says_so(counted: Path) -> None:
    for told in (b"", bytes(58)):
        assert spoiled(counted, lambda path, told=told: mark_of(path).write_bytes(told)) == "same"
    content = bytearray(mark_of(counted).read_bytes())
    for place in range(len(content)):
        turned = content.copy()
        turned[place] ^= 1
        said = spoiled(counted, lambda path, turned=turned: mark_of(path).write_bytes(turned))
        assert "is damaged" in said and "remove it" in said, (place, said)


@pytest.mark.parametrize("version", [1, 2])
def test_a_ledger_of_an_older_version_is_taken_over(counted: Path, version: int) -> None:
    with contextlib.closing(sqlite3.connect(counted)) as file:
        file.execute("DELETE FROM counters WHERE name IN ('kept', 'duplicates')")
        if version == 1:
            file.execute("ALTER TABLE events DROP COLUMN seal")
            file.execute("ALTER TABLE counters DROP COLUMN seal")
        file.execute(f"PRAGMA user_version = {version if version > 1 else 0}")
        file.commit()
    mark_of(counted).unlink()
    ledger = Ledger(counted.parent, "a test")
    assert ledger.length == 3 and ledger.counters() == {
        **dict.fromkeys(RECEIVED, 0),
        "events": 10,
        "applied": 3,
        "late": 5,
        "malformed": 2,
    }
    ledger.append([entry("d")])
    ledger.close()
    Ledger(counted.parent, "a test").close()


@pytest.mark.parametrize(
    ("code", "advice"), [(sqlite3.SQLITE_BUSY, "end what else"), (sqlite3.SQLITE_FULL, "free some")]
)
def test_sentences_name_no_folder_of_the_server_and_what_helps(tmp_path: Path, code: int, advice: str) -> None:
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = code
    with pytest.raises(StorageError, match=f"^Cannot use ledger.sqlite: no; {advice}"), sentences(tmp_path / LEDGER):
        raise error
    with pytest.raises(StorageError, match=r"^ledger.sqlite is damaged"), sentences(tmp_path / LEDGER):
        raise sqlite3.DatabaseError("no")
