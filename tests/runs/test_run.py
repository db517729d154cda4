"""One run: what its status, choices, notes, log, tables and manifest say, whole and damaged."""

from __future__ import annotations

import errno
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.core.files import write_json
from grouprec.core.types import StorageError
from grouprec.runs import store as runs
from grouprec.runs.config import make_config
from grouprec.runs.store import Run, RunStore, State


@pytest.fixture
def run(store: RunStore) -> Run:
    return store.create(make_config(interactions=Path("file.csv"), title="First"))


def test_a_new_run_is_queued_and_not_finished(run: Run) -> None:
    assert run.status().state is State.QUEUED
    assert not run.finished
    assert run.config().title == "First"


def test_a_tampered_file_is_named(run: Run) -> None:
    run.save_metrics({"value": 1})
    run.write_manifest()
    (run.path / "metrics.json").write_text('{"value": 2}')
    assert run.damaged() == ["metrics.json"]


def test_renaming_keeps_a_finished_run_undamaged(run: Run) -> None:
    run.write_manifest()
    run.rename("  Second  ")
    assert run.title() == "Second"
    assert run.damaged() == []


def test_an_interrupted_write_keeps_the_old_status(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.set_status(state=State.RUNNING, stage="profile")

    def full(self: Path, *args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(StorageError, match="No space left on device; free some space"):
        run.set_status(stage="generator")
    monkeypatch.undo()
    assert run.status().stage == "profile"


def test_events_cut_short_by_a_crash_are_skipped(run: Run) -> None:
    run.add_event(event="note", text="first")
    with (run.path / "events.jsonl").open("a") as file:
        file.write('{"event": "no')
    assert [event["text"] for event in run.events()] == ["first"]


def test_nothing_in_a_run_folder_is_pickled(run: Run) -> None:
    run.save_stage("key", "encoder", "ease", {}, {"w": np.ones(2, np.float32)}, {})
    run.save_table("items", pd.DataFrame({"item": ["a"], "label": ["A"], "users": [1]}))
    assert {p.suffix for p in run.path.rglob("*") if p.is_file()} <= {".json", ".safetensors", ".parquet", ".txt"}


def test_json_files_hold_plain_numbers(run: Run) -> None:
    run.save_metrics({"a": np.float32(0.5), "b": np.arange(2), "c": Path("x")})
    assert json.loads((run.path / "metrics.json").read_text()) == {"a": 0.5, "b": [0, 1], "c": "x"}


def test_a_run_without_a_status_is_damaged_and_as_old_as_its_name(run: Run) -> None:
    (run.path / "status.json").write_text("{")
    status = run.status()
    assert status.state is State.DAMAGED and "status.json is damaged: it holds no JSON object" in status.message
    assert (status.stage_fraction, status.fraction) == (0, 0)
    assert datetime.fromtimestamp(status.created, UTC).strftime("%Y%m%d-%H%M%S") == run.run_id[:15]
    assert (run.path / "status.json").read_text() == "{", "reading mends nothing"


def test_a_run_waits_only_with_a_place_and_before_its_turn(store: RunStore, run: Run) -> None:
    assert not run.status().waiting and run.status().created > 0
    queued = store.create(make_config(interactions=Path("file.csv")), place=0.0)
    assert queued.status().waiting and queued.status().place == 0
    assert not queued.set_status(state=State.RUNNING).waiting


def test_a_run_says_where_its_files_lie(run: Run) -> None:
    assert run.ledger == run.path / "live" / "ledger.sqlite"
    assert not run.has_snapshot
    run.live.mkdir()
    run.snapshot().touch()
    assert run.has_snapshot


def test_a_configuration_that_cannot_be_read_is_one_sentence(run: Run) -> None:
    write_json(run.path / "config.json", {"interactions": "file.csv", "of another version": 1})
    with pytest.raises(StorageError, match="another version"):
        run.config()
    (run.path / "config.json").unlink()
    with pytest.raises(StorageError, match=r"no readable config\.json"):
        run.config()


def test_the_title_is_no_choice_and_the_seed_is_one(run: Run) -> None:
    assert run.trained_as(make_config(interactions=Path("file.csv"), title="Another"))
    assert not run.trained_as(make_config(interactions=Path("file.csv"), title="First", seed=1))
    (run.path / "config.json").unlink()
    assert not run.trained_as(make_config(interactions=Path("file.csv")))


@pytest.mark.parametrize(
    ("text", "note", "tags"),
    [
        (None, "", ()),
        ("{", "", ()),
        ("[1]", "", ()),
        ('{"note": "a", "tags": "b"}', "", ()),
        ('{"note": "a"}', "a", ()),
        ('{"note": "a", "tags": ["b", 1]}', "a", ("b", "1")),
    ],
)
def test_notes_that_are_missing_or_damaged_are_none(run: Run, text: str | None, note: str, tags: tuple) -> None:
    if text is not None:
        (run.path / "notes.json").write_text(text)
    assert (run.notes().note, run.notes().tags) == (note, tags)


def test_notes_are_cut_and_tags_counted_once(run: Run) -> None:
    tags = ["  two   words ", "", "Two Words", "x" * 31, *(f"t{n}" for n in range(11))]
    notes = run.annotate(" " + "n" * 2001, tags)
    assert notes == run.notes()
    assert notes.note == "n" * 2000
    assert notes.tags == ("Two Words", "x" * 30, *(f"t{n}" for n in range(10)))


def test_a_new_title_is_cut_at_what_a_configuration_takes(run: Run) -> None:
    run.rename("t" * 121)
    assert run.title() == run.config().title == "t" * 120


def test_the_log_ends_with_its_last_lines(run: Run) -> None:
    assert run.log() == "" and run.events() == [] and run.metrics() == {}
    for number in range(202):
        run.add_log(f"line {number}")
    lines = run.log().splitlines()
    assert len(lines) == 200 and lines[0].endswith("line 2") and lines[-1].endswith("line 201")
    assert [line[9:] for line in run.log(2).splitlines()] == ["line 200", "line 201"]


def test_an_event_has_its_time_in_milliseconds(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs.time, "time", lambda: 12.34567)
    run.add_event(event="note", value=np.float32(0.5))
    assert run.events() == [{"time": 12.346, "event": "note", "value": 0.5}]


def test_a_table_is_replaced_and_has_no_index(run: Run) -> None:
    run.save_table("items", pd.DataFrame({"item": ["a"], "label": ["A"], "users": [1]}))
    run.save_table("items", pd.DataFrame({"item": ["b", "c"], "label": ["B", "C"], "users": [2, 3]}, index=[7, 9]))
    read = run.table("items")
    assert read.to_dict("list") == {"item": ["b", "c"], "label": ["B", "C"], "users": [2, 3]}
    assert read.index.tolist() == [0, 1]
    with pytest.raises(StorageError, match="no readable table 'groups'"):
        run.table("groups")


def test_the_manifest_names_what_does_not_change(run: Run) -> None:
    assert run.damaged() == []
    run.save_metrics({"value": 1})
    run.save_table("items", pd.DataFrame({"item": ["a"], "label": ["A"], "users": [1]}))
    run.annotate("note", [])
    run.add_log("text")
    run.write_manifest()
    manifest = json.loads((run.path / "manifest.json").read_text())
    assert manifest["format"] == 2 and list(manifest["files"]) == [
        "config.json",
        "metrics.json",
        "tables/items.parquet",
    ]
    assert run.metrics() == {"value": 1}
    run.write_manifest()
    assert list(json.loads((run.path / "manifest.json").read_text())["files"]) == list(manifest["files"])
    (run.path / "tables" / "items.parquet").unlink()
    assert run.damaged() == ["tables/items.parquet"]


def test_a_change_counts_only_while_the_run_is_as_it_was_known(run: Run) -> None:
    known = run.status()
    run.set_status(known=known, message="still mine")
    assert run.status().message == "still mine"
    run.set_status(state=State.CANCELLED)
    run.set_status(known=known, message="too late")
    assert run.status().message == "still mine" and run.status().state is State.CANCELLED


def test_of_a_damaged_manifest_the_manifest_itself_is_named(run: Run) -> None:
    assert run.damaged() == []
    (run.path / "manifest.json").write_text("[]")
    assert run.damaged() == ["manifest.json"]
