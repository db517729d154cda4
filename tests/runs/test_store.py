"""The run folder: atomic, honest about what is finished, and careful with a full or forbidden disk."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.core.files import storage, write_json
from grouprec.core.types import StorageError
from grouprec.runs import store as runs
from grouprec.runs.config import make_config
from grouprec.runs.store import Run, RunStore, State


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


@pytest.fixture
def run(store: RunStore) -> Run:
    return store.create(make_config(interactions=Path("file.csv"), title="First"))


def test_a_new_run_is_queued_and_not_finished(run: Run) -> None:
    assert run.status().state is State.QUEUED
    assert not run.finished
    assert run.config().title == "First"


def test_only_the_manifest_makes_a_run_finished(store: RunStore, run: Run) -> None:
    run.save_table("items", pd.DataFrame({"item": ["00123"], "label": ["A"], "users": [1]}))
    run.save_metrics({"n_users": np.int64(1)})
    run.set_status(state=State.DONE)
    assert not run.finished
    with pytest.raises(StorageError, match="no finished run"):
        store.get("last")
    run.write_manifest()
    assert run.finished
    assert store.get("last").run_id == run.run_id
    assert run.damaged() == []


def test_a_tampered_file_is_named(run: Run) -> None:
    run.save_metrics({"value": 1})
    run.write_manifest()
    (run.path / "metrics.json").write_text('{"value": 2}')
    assert run.damaged() == ["metrics.json"]


def test_what_another_run_reads_back_from_a_deleted_one_moves_to_it(store: RunStore, run: Run) -> None:
    other = store.create(make_config(interactions=Path("file.csv"), title="Second"))
    for key in ("needed", "not needed", "needed, and at hand"):
        run.save_stage(f"{key} {'0' * 20}", "encoder", "als", {}, {"w": np.ones(2, np.float32)}, {"decided": {}})
    other.save_stage(f"needed, and at hand {'0' * 20}", "encoder", "als", {}, {"w": np.zeros(2, np.float32)}, {})
    keys = {"als": f"needed {'0' * 20}", "ease": f"needed, and at hand {'0' * 20}"}
    write_json(other.path / "fitted.json", {"final": {"encoders": keys}})
    other.write_manifest()
    store.delete(run)
    assert [one.run_id for one in store.runs()] == [other.run_id] and other.damaged() == []
    found = store.find_stage(keys["als"], other)
    assert found is not None and found[0]["w"].tolist() == [1, 1]
    assert store.find_stage(f"not needed {'0' * 20}", other) is None
    own = store.find_stage(keys["ease"], other)
    assert own is not None and own[0]["w"].tolist() == [0, 0]


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


def test_a_full_device_is_one_sentence() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    full = Path("/dev/full")
    with pytest.raises(StorageError, match="No space left"), storage(full), full.open("w") as file:
        file.write("x" * 100_000)


def test_events_cut_short_by_a_crash_are_skipped(run: Run) -> None:
    run.add_event(event="note", text="first")
    with (run.path / "events.jsonl").open("a") as file:
        file.write('{"event": "no')
    assert [event["text"] for event in run.events()] == ["first"]


def test_stages_are_found_by_key_in_any_run(store: RunStore, run: Run) -> None:
    arrays = {"weights": np.arange(6, dtype=np.float32).reshape(2, 3), "n": np.array([3])}
    run.save_stage("key-1", "encoder", "ease", {"l2": 1.0}, arrays, {"decided": {}})
    other = store.create(make_config(interactions=Path("file.csv")))
    found = store.find_stage("key-1", other)
    assert found is not None
    np.testing.assert_array_equal(found[0]["weights"], arrays["weights"])
    assert store.find_stage("key-2", other) is None


def test_a_stage_without_its_record_is_not_used(store: RunStore, run: Run) -> None:
    run.save_stage("key-1", "encoder", "ease", {}, {"w": np.ones(2, np.float32)}, {})
    (run.path / "stages" / "encoder.ease.key-1.safetensors").write_bytes(b"cut short")
    assert store.find_stage("key-1", run) is None


def test_several_fits_of_one_stage_are_all_kept(store: RunStore, run: Run) -> None:
    for number in (1, 2):
        run.save_stage(f"key-{number}", "encoder", "ease", {}, {"w": np.full(2, number, np.float32)}, {})
    for number in (1, 2):
        found = store.find_stage(f"key-{number}", run)
        assert found is not None
        assert found[0]["w"].tolist() == [number, number]


def test_runs_are_found_by_the_beginning_of_their_id(store: RunStore, run: Run) -> None:
    assert store.get(run.run_id[:-2]).path == run.path
    for other in ("nope", run.run_id + "0"):
        with pytest.raises(StorageError, match=f"no run called '{other}'"):
            store.get(other)
    with pytest.raises(StorageError, match="called ''"):  # the only run is no answer to no name
        store.get("")


def test_the_beginning_of_several_ids_names_none_of_them_and_a_whole_id_itself(store: RunStore) -> None:
    for name in ("2026-a", "2026-ab", "2026-b"):
        (store.root / name).mkdir(parents=True)
        write_json(store.root / name / "config.json", {})
    for beginning in ("2026", "2026-", ""):
        with pytest.raises(StorageError, match=rf"There is 3 runs called '{beginning}'"):
            store.get(beginning)
    assert store.get("2026-a").run_id == "2026-a"
    assert store.get("2026-ab").run_id == "2026-ab"
    assert store.get("2026-b").run_id == "2026-b"


def test_a_runs_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="choose another one with --runs"):
        RunStore(tmp_path / "file").create(make_config(interactions=Path("x.csv")))


def test_nothing_in_a_run_folder_is_pickled(run: Run) -> None:
    run.save_stage("key", "encoder", "ease", {}, {"w": np.ones(2, np.float32)}, {})
    run.save_table("items", pd.DataFrame({"item": ["a"], "label": ["A"], "users": [1]}))
    assert {p.suffix for p in run.path.rglob("*") if p.is_file()} <= {".json", ".safetensors", ".parquet", ".txt"}


def test_json_files_hold_plain_numbers(run: Run) -> None:
    run.save_metrics({"a": np.float32(0.5), "b": np.arange(2), "c": Path("x")})
    assert json.loads((run.path / "metrics.json").read_text()) == {"a": 0.5, "b": [0, 1], "c": "x"}


def test_the_default_folder_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GROUPREC_RUNS", str(tmp_path / "elsewhere"))
    assert runs.default_root() == tmp_path / "elsewhere"
    monkeypatch.delenv("GROUPREC_RUNS")
    assert runs.default_root().name == "runs"
