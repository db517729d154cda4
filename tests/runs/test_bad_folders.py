"""One bad folder among good ones: it is called damaged, with the reason, and everything else goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from grouprec.core import usage
from grouprec.core.files import read_json, write_json
from grouprec.core.forms import sealed
from grouprec.core.types import StorageError
from grouprec.runs.config import make_config
from grouprec.runs.status import FINISHED, RESUMABLE
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import jobs
from tests.support.commands import call
from tests.support.locked import lock_up


def rewritten(path: Path, **changes: object) -> None:
    """Change fields of a form as a program would that writes it whole."""
    form = {name: value for name, value in read_json(path).items() if name != "seal"}
    path.write_text(json.dumps(sealed({**form, **changes})))


def finished(store: RunStore, title: str) -> Run:
    run = store.create(make_config(interactions=Path("file.csv"), title=title))
    run.save_table("items", pd.DataFrame({"item": ["a"], "label": ["A"], "users": [1]}))
    run.save_metrics({"n_users": 1, "dataset": "shop", "preset": "quick"})
    run.set_status(state=State.DONE, ended=1.0)
    run.write_manifest()
    return run


BAD = {
    "status is a list": ("status.json", "[]", "status.json is damaged"),
    "status is empty": ("status.json", "", "status.json is empty"),
    "pid is a word": ("status.json", {"pid": "12"}, "its pid cannot be '12'"),
    "pid is negative": ("status.json", {"pid": -1}, "its pid cannot be '-1'"),
    "created is nothing": ("status.json", {"created": None}, "its created cannot be 'None'"),
    "fraction is a list": ("status.json", {"fraction": [1]}, "its fraction cannot be"),
    "status was edited by hand": ("status.json", '{"format": 2, "state": "done"}', "not what was written"),
    "config is a list": ("config.json", "[1]", "config.json is damaged"),
    "config is no text": ("config.json", "\ufffd", "config.json is damaged"),
    "metrics is a list": ("metrics.json", "[1]", "metrics.json is damaged"),
    "manifest is empty": ("manifest.json", "", "manifest.json is empty"),
    "manifest lists nothing": ("manifest.json", '{"format": 1, "files": {}}', "it lists no files"),
    "manifest is of numbers": ("manifest.json", '{"format": 1, "files": {"a": 1}}', "it lists no files"),
    "notes are damaged": ("notes.json", "{", "notes.json is damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_run_is_listed_with_its_name_and_reason(store: RunStore, name: str) -> None:
    file, content, reason = BAD[name]
    good, bad = finished(store, "Good"), finished(store, "Bad")
    if isinstance(content, dict):
        rewritten(bad.path / file, **content)
    else:
        (bad.path / file).write_text(content)
    status = jobs.refresh(bad)
    assert status.state is State.DAMAGED and reason in status.message and bad.run_id in status.message
    assert status.created > 0 and not bad.usable and good.usable
    assert bad.title() == ("Bad" if file != "config.json" else bad.run_id)
    assert jobs.queue(store) == [] and jobs.active(store) is None
    answer = call("list", "--json", "--runs", store.root)
    told = {run["run_id"]: run["status"] for run in json.loads(answer.out)["runs"]}
    assert told == {good.run_id: "done", bad.run_id: "damaged"} and status.message in answer.err
    shown = call("show", bad.run_id, "--runs", store.root)
    assert shown.refused and reason in shown.err


FOREIGN = {
    "it holds no JSON object": [1],
    "'n_users' is not a count": {"n_users": "many"},
    "'verdict' is not an object": {"verdict": [1.0]},
    "'blend.ndcg.ease' is not a number": {"blend": {"ndcg": {"ease": {}}}},
    "'updater.ndcg@10.frozen' is not a number or an interval": {"updater": {"ndcg@10": {"frozen": ["a", 1.0]}}},
    "'dataset' is not a text": {"dataset": "\ud800"},
    "'n_items' is not a count": {"n_items": float("nan")},
    "'n_groups' is not a count": {"n_groups": -1},
    "'n_groups_asked' is not a count": {"n_groups_asked": float("inf")},
    "'n_test_users' is not a count": {"n_test_users": 10**39},
    "'seconds' is not a time in seconds": {"seconds": 1e308},
    "'headline.strict_share_of_gain' is not a number": {"headline": {"strict_share_of_gain": 10**400}},
    "'blend.ndcg.dnn' is not a number": {"blend": {"ndcg": {"dnn": None}}},
    "'files' is not an object": {"files": ""},
    "'takes.weights' is not a list of numbers": {"takes": {"weights": 1.0}},
    "'refit' is not true or false": {"refit": "no"},
}


@pytest.mark.parametrize("reason", FOREIGN)
def test_a_summary_of_another_version_is_told_as_such(store: RunStore, reason: str) -> None:
    good, bad = finished(store, "Good"), finished(store, "Bad")
    (bad.path / "metrics.json").write_text(json.dumps(FOREIGN[reason]))
    bad.write_manifest()
    assert bad.status().state is State.DAMAGED and reason in bad.status().message and good.usable
    assert call("show", bad.run_id, "--runs", store.root).refused
    with pytest.raises(StorageError, match="of another version or damaged"):
        bad.metrics()  # whoever asks for it without having asked how the run is


def test_what_a_run_could_not_tell_is_no_damage(store: RunStore) -> None:
    run = finished(store, "Good")
    told = {"headline": {"strict_share_of_gain": None}, "clusters": {"silhouette": float("nan"), "ratio": float("inf")}}
    (run.path / "metrics.json").write_text(json.dumps({"n_users": 80.0, "blend": {"half_life": None}, **told}))
    run.write_manifest()
    assert run.status().state is State.DONE
    answer = call("show", run.run_id, "--json", "--runs", store.root)
    assert json.loads(answer.out)["metrics"]["clusters"] == {"silhouette": None, "ratio": None}


@pytest.mark.parametrize("file", ["status.json", "config.json", "manifest.json", "metrics.json"])
def test_a_run_that_lost_a_file_is_damaged(store: RunStore, file: str) -> None:
    run = finished(store, "First")
    (run.path / file).unlink()
    status = run.status()
    assert status.state is State.DAMAGED and f"{file} is missing" in status.message
    assert [one.run_id for one in store.runs()] == [run.run_id]


def test_the_last_run_is_told_to_be_damaged_and_not_another_one_taken(store: RunStore) -> None:
    for name in ("1", "2"):
        finished(store, name).path.rename(store.root / name)
    (store.root / "2" / "metrics.json").write_text("{}")
    assert store.get("last").run_id == "2"
    answer = call("export", "last", "--out", store.root / "out", "--runs", store.root)
    assert answer.refused and "The run 2 is damaged: metrics.json is damaged" in answer.err


def test_what_a_newer_version_wrote_is_kept_and_shown(store: RunStore) -> None:
    run = store.create(make_config(interactions=Path("file.csv")))
    rewritten(run.path / "status.json", format=3, colour="red")
    run.set_status(state=State.FAILED, message="No.")
    assert run.status().state is State.FAILED
    form = read_json(run.path / "status.json")
    assert (form["colour"], form["format"], form["message"]) == ("red", 3, "No.")
    rewritten(run.path / "status.json", state="paused")
    status = jobs.refresh(run)
    assert status.state is State.UNKNOWN and "calls this run 'paused'" in status.message
    assert State.UNKNOWN in FINISHED - RESUMABLE, "nobody touches it"
    assert read_json(run.path / "status.json")["state"] == "paused"
    rewritten(run.path / "status.json", state="damaged")
    assert run.status().state is State.UNKNOWN, "a word that is only found is of nobody"


def test_a_finished_run_is_done_whatever_its_last_status_says(store: RunStore) -> None:
    run = store.create(make_config(interactions=Path("file.csv")))
    run.save_metrics({"n_users": 1})
    for state in (State.RUNNING, State.QUEUED, State.LOST, State.CANCELLED, State.FAILED):
        run.set_status(state=state, message="x", pid=1, process="gone")
        assert run.status().state is state
        run.write_manifest()
        status = jobs.refresh(run)
        assert (status.state, status.fraction, status.message, status.waiting) == (State.DONE, 1.0, "", False)
        run.open_again([])


def test_a_run_of_the_first_version_opens_and_can_be_renamed(store: RunStore) -> None:
    run = finished(store, "Old")
    files = read_json(run.path / "manifest.json")["files"]
    del files["config.json"]
    write_json(run.path / "manifest.json", {"format": 1, "files": files})
    old = {"state": "done", "pid": 7, "pid_started": 1.5, "created": 2.0, "fraction": 1.0, "place": None}
    write_json(run.path / "status.json", old)
    write_json(run.path / "notes.json", {"note": "a", "tags": ["b"]})
    assert run.finished and run.status().state is State.DONE and run.status().created == 2.0
    run.rename("New")
    assert (run.title(), run.config().title, run.notes().note, run.notes().tags) == ("New", "New", "a", ("b",))
    assert run.table("items")["item"].tolist() == ["a"]
    (run.path / "tables" / "more.parquet").write_bytes(b"x")
    with pytest.raises(StorageError, match=r"more\.parquet is not one of its files"):
        run.table("more")
    run.set_status(message="x")
    assert read_json(run.path / "status.json")["format"] == 2


def test_a_damaged_file_is_told_again_after_it_was_read_and_read_again_after_it_was_restored(store: RunStore) -> None:
    run = finished(store, "First")
    path = run.path / "tables" / "items.parquet"
    whole = path.read_bytes()
    assert len(run.table("items")) == 1
    for damaged, what in ((whole[:-1], "damaged"), (b"", "empty"), (whole[:40] + b"x" + whole[41:], "damaged")):
        path.write_bytes(damaged)
        with pytest.raises(StorageError, match=rf"{run.run_id} is damaged: tables/items\.parquet is {what}.*--resume"):
            run.table("items")
        assert run.damaged() == ["tables/items.parquet"]
    path.write_bytes(whole)
    assert len(run.table("items")) == 1 and run.damaged() == []


def test_a_run_that_nobody_may_look_into_is_told_and_hides_no_other(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = finished(store, "Good"), finished(store, "Bad")
    lock_up(monkeypatch, bad.path)
    assert {run.run_id for run in store.all_runs()} == {good.run_id, bad.run_id}
    assert bad.status().state is State.DAMAGED
    assert "status.json cannot be read: Permission denied; check who may read it" in bad.status().message
    assert good.status().state is State.DONE and store.get(good.run_id).table("items") is not None
    assert store.find_stage("0" * 64, good) is None and jobs.active(store) is None
    assert usage.last_used(bad.path) > 0, "nobody knows that it is not used"
    listed = call("list", "--runs", store.root)
    assert listed.status == 0 and good.run_id in listed.out and bad.run_id in listed.out


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
@pytest.mark.parametrize("name", ["status.json", "config.json", "manifest.json", "notes.json"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(store: RunStore, name: str) -> None:
    run = finished(store, "Good")
    (run.path / name).unlink(missing_ok=True)
    os.mkfifo(run.path / name)
    assert run.status().state is State.DAMAGED and name in run.status().message


def test_a_link_to_a_run_elsewhere_is_damaged_and_shows_nothing_of_it(store: RunStore, tmp_path: Path) -> None:
    secret = finished(RunStore(tmp_path / "elsewhere"), "Secret")
    secret.annotate("Secret", ["secret"])
    store.root.mkdir()
    run = Run(store.root / "linked")
    run.path.symlink_to(secret.path)
    assert [one.run_id for one in store.runs()] == ["linked"] and run.status().state is State.DAMAGED
    assert "its folder is a link to another place; move or copy" in run.status().message
    assert (run.title(), run.notes().note, run.log(), run.usable) == ("linked", "", "", False)
    for read in (run.choices, run.metrics, run.events, lambda: run.table("items"), lambda: run.rename("Mine")):
        with pytest.raises(StorageError, match="is a link"):
            read()
    store.delete(run)
    assert secret.usable and secret.title() == "Secret"
