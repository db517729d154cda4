"""Deleted runs wait in the trash, can be taken back, and are gone after a time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from grouprec.core import trash
from grouprec.core.types import StorageError
from grouprec.runs.config import make_config
from grouprec.runs.store import RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


def test_a_deleted_run_is_no_run_and_can_be_taken_back(store: RunStore) -> None:
    run = store.create(make_config(interactions=Path("file.csv"), title="First"))
    store.delete(run)
    assert store.runs() == [] and not run.path.exists() and trash.kept(store.root) == [run.run_id]
    assert trash.take_back(store.root, run.run_id) == run.path
    assert store.get(run.run_id).title() == "First" and trash.kept(store.root) == []


def test_what_is_not_in_the_trash_or_has_come_back_is_a_sentence(store: RunStore) -> None:
    run = store.create(make_config(interactions=Path("file.csv")))
    for name in ("", "none", "../runs"):
        with pytest.raises(StorageError, match=f"holds no '{name}'; it holds: nothing"):
            trash.take_back(store.root, name)
    store.delete(run)
    run.path.mkdir()
    with pytest.raises(StorageError, match="already"):
        trash.take_back(store.root, run.run_id)


def test_a_later_delete_removes_what_has_waited_long_enough(store: RunStore) -> None:
    old, young, last = (store.create(make_config(interactions=Path("file.csv"))) for _ in range(3))
    for run, days in ((old, trash.DAYS + 1), (young, trash.DAYS - 1)):
        store.delete(run)
        moment = time.time() - days * 86400
        os.utime(store.root / trash.FOLDER / run.run_id, (moment, moment))
    store.delete(last)
    assert set(trash.kept(store.root)) == {young.run_id, last.run_id}


def test_a_clock_that_leaps_a_year_ahead_does_not_empty_the_trash(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = (store.create(make_config(interactions=Path("file.csv"))) for _ in range(3))
    store.delete(first)
    ahead, now = 365 * 86400, time.time
    monkeypatch.setattr(trash.time, "time", lambda: now() + ahead)
    store.delete(second)
    store.delete(third)
    assert first.run_id in trash.kept(store.root), "it was deleted a moment ago"
    ahead += 2 * 86400
    trash.empty(store.root)
    assert trash.kept(store.root) == [], "after a day it is believed"
