"""The ledger alone: numbers, keys, counters, and what is left when something goes wrong."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from grouprec.core.types import StorageError
from grouprec.live.ledger import Entry, Ledger
from grouprec.runs.store import LEDGER


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
    assert ledger.counters() == {"events": 5, "late": 0}


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
