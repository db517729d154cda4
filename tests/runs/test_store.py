"""The folder of all runs: which are found, by what name, and what they read back from one another."""

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
def run(store: RunStore) -> Run:
    return store.create(make_config(interactions=Path("file.csv"), title="First"))


def test_only_the_manifest_makes_a_run_finished(store: RunStore, run: Run) -> None:
    run.save_table("items", pd.DataFrame({"item": ["00123"], "label": ["A"], "users": [1]}))
    run.save_metrics({"n_users": np.int64(1)})
    run.set_status(state=State.RUNNING)
    assert not run.finished
    with pytest.raises(StorageError, match="no finished run"):
        store.get("last")
    run.set_status(state=State.DONE)
    assert not run.finished and run.status().state is State.DAMAGED
    run.write_manifest()
    assert run.finished
    assert store.get("last").run_id == run.run_id
    assert run.damaged() == []


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


def test_a_full_device_is_one_sentence() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    full = Path("/dev/full")
    with pytest.raises(StorageError, match="No space left"), storage(full), full.open("w") as file:
        file.write("x" * 100_000)


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


def test_the_default_folder_can_be_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GROUPREC_RUNS", str(tmp_path / "elsewhere"))
    assert runs.default_root() == tmp_path / "elsewhere"
    monkeypatch.delenv("GROUPREC_RUNS")
    assert runs.default_root().name == "runs"


def named(store: RunStore, name: str, **choices: object) -> Run:
    """Make a run whose folder has that name."""
    run = store.create(make_config(interactions=Path("file.csv"), **choices))
    return Run(run.path.rename(store.root / name))


def test_a_run_without_a_title_is_called_by_its_id(store: RunStore) -> None:
    run = store.create(make_config(interactions=Path("file.csv")))
    assert run.title() == run.run_id
    (run.path / "config.json").unlink()
    assert run.title() == run.run_id


def test_a_stage_that_is_written_anew_is_not_valid_until_it_is_whole(
    store: RunStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.save_stage("key", "encoder", "ease", {"l2": 1.0}, {"w": np.ones(2, np.float32)}, {"m": 1})
    record = json.loads((run.path / "stages" / "encoder.ease.key.json").read_text())
    assert record == {
        **{"format": 2, "key": "key", "kind": "encoder", "name": "ease"},
        **{"settings": {"l2": 1.0}, "meta": {"m": 1}, "arrays": record["arrays"], "seal": record["seal"]},
    }

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(StorageError, match="free some space"):
        run.save_stage("key", "encoder", "ease", {}, {"w": np.zeros(2, np.float32)}, {})
    assert store.find_stage("key", run) is None


def test_a_damaged_record_hides_no_other_one(store: RunStore, run: Run) -> None:
    run.save_stage("key", "encoder", "ease", {}, {"w": np.ones(2, np.float32)}, {"m": 1})
    for name in ("a.json", "z.json"):
        (run.path / "stages" / name).write_text("{")
    found = store.find_stage("key", run)
    assert found is not None and found[1] == {"m": 1}
    other = store.create(make_config(interactions=Path("file.csv")))
    write_json(other.path / "fitted.json", {"final": {"encoders": {"ease": "key"}}})
    store.delete(run)
    assert sorted(path.name for path in (other.path / "stages").iterdir()) == [
        "encoder.ease.key.json",
        "encoder.ease.key.safetensors",
    ]


def test_a_stage_that_one_of_the_others_has_is_not_handed_over(store: RunStore, run: Run) -> None:
    one, other = (store.create(make_config(interactions=Path("file.csv"))) for _ in range(2))
    for holder in (run, one):
        holder.save_stage("key", "encoder", "ease", {}, {"w": np.ones(2, np.float32)}, {})
    write_json(other.path / "fitted.json", {"final": {"encoders": {"ease": "key"}}})
    store.delete(run)
    assert not run.path.exists() and not (other.path / "stages").exists()


def test_runs_are_the_folders_with_a_configuration_the_newest_first(store: RunStore) -> None:
    assert store.runs() == []
    for name in ("20240102-a", "20240103-a", "20240101-a"):
        named(store, name)
    (store.root / "20240104-a").mkdir()
    assert [run.run_id for run in store.runs()] == ["20240103-a", "20240102-a", "20240101-a"]


def test_a_whole_id_counts_before_the_beginning_of_others(store: RunStore) -> None:
    for name in ("ab", "a", "abc"):
        named(store, name)
    assert store.get("a").run_id == "a" and store.get("abc").run_id == "abc"
    named(store, "b1")
    named(store, "b2")
    with pytest.raises(StorageError, match="There is 2 runs called 'b'"):
        store.get("b")


def test_no_id_is_no_run_even_where_there_is_only_one(store: RunStore, run: Run) -> None:
    with pytest.raises(StorageError, match="called ''"):
        store.get("")


def test_the_last_run_is_the_newest_finished_one(store: RunStore) -> None:
    for name in ("1", "2", "3"):
        run = named(store, name)
        if name != "3":
            run.write_manifest()
    assert store.get("last").run_id == "2"


def test_a_store_without_a_folder_is_the_default_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GROUPREC_RUNS", str(tmp_path / "elsewhere"))
    assert RunStore().root == tmp_path / "elsewhere"


def test_a_run_in_the_making_is_nobodys_to_see(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[Run]] = []
    begin = runs.begin_status
    monkeypatch.setattr(runs, "begin_status", lambda *given: (seen.append(store.all_runs()), begin(*given)))
    made = store.create(make_config(interactions=Path("file.csv")))
    assert seen == [[]] and [one.run_id for one in store.all_runs()] == [made.run_id]


def test_a_run_that_cannot_be_made_leaves_nothing(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path, status: object) -> None:
        with storage(folder):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(runs, "begin_status", refuse)
    with pytest.raises(StorageError, match="free some space"):
        store.create(make_config(interactions=Path("file.csv")))
    assert not list(store.root.iterdir())
