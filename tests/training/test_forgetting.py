"""A user who is forgotten is nowhere any more, and nobody else notices."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.core import changes, rights, trash
from grouprec.core.arrays import presence
from grouprec.core.locks import alone
from grouprec.core.types import BusyError, SettingError
from grouprec.data.library import Library
from grouprec.data.preparing.prepare import prepare
from grouprec.explore import edits
from grouprec.explore.edited_tables import EditedRun
from grouprec.explore.edits import Edit, EditHistory
from grouprec.live.ledger import Ledger
from grouprec.live.stream import Stream
from grouprec.runs import links
from grouprec.runs.config import parse_settings
from grouprec.runs.forgotten import forgotten
from grouprec.runs.links import LinkError
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.stages import load_stage
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import jobs
from grouprec.training.forgetting import forget
from tests.support.commands import call
from tests.support.small_run import TINY_SETTINGS, small_data, train, write_csv
from tests.ui.opening import open_page, texts

WHO = "hélène.q@example.org"  # like nothing else that is there
ROW, NEIGHBOUR = 7, "u00008"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    """A run on an upload that people have worked with, of whom one will be forgotten; a failed run on the same."""
    store = RunStore(tmp_path_factory.mktemp("forgetting") / "runs")
    data = small_data()
    data.user_ids[ROW] = WHO
    file = write_csv(data, store.root.parent / "shop.csv")
    about = io.BytesIO(f"user,town\n{WHO},Paris\n{NEIGHBOUR},Rome\nu00001,Oslo\n".encode())
    rows = "".join(f"{user},{item}\n" for user in data.user_ids[:30] for item in ("tea", "cup"))
    also = io.BytesIO(f"user,item\n{rows}".encode())
    edges = io.BytesIO(f"user,friend\n{NEIGHBOUR},{WHO}\n{WHO},u00001\nu00001,{NEIGHBOUR}\n".encode())
    given = {"users": ("who.csv", about), "also": ("site.csv", also), "edges": ("friends.csv", edges)}
    with file.open("rb") as content:
        entry = Library(store.root / "datasets").add("shop.csv", content, **given)
    settings = parse_settings([setting for setting in TINY_SETTINGS if not setting.startswith("dnn")])
    choices = {"encoders": ("ease", "user_knn", "elsewhere", "social"), "settings": settings, "refit": True}
    choices |= {part: getattr(entry, part) for part in ("users", "also", "edges")}
    run = train(store, entry.interactions, **choices)
    live_in(store, run)
    failed = store.create(run.config())
    shutil.copytree(run.path / "stages", failed.path / "stages")
    failed.set_status(state=State.FAILED, message=f"There is only one user, '{WHO}'.")
    return store


def after(run: Run, days: int) -> str:
    """Return a moment after all that a run was trained on."""
    last = FitSnapshot.load(run.snapshot()).last_times.max()
    return pd.Timestamp(last + days * 86_400, unit="s").isoformat()


def live_in(store: RunStore, run: Run) -> None:
    told = [(WHO, "i00001"), (NEIGHBOUR, "i00002"), (WHO, "i00003"), ("new", "i00003")]
    events = [{"user": user, "item": item, "time": after(run, n)} for n, (user, item) in enumerate(told, 1)]
    with Stream.open(store, run) as stream:
        assert stream.apply(events).applied == 4
    run.annotate(f"Ask {WHO}", [WHO])
    run.add_log(f"Read {WHO} at 12:07")
    trained = EditedRun(run, EditHistory.load(run.path)).trained
    edits.change(run.path, trained, Edit("form", text=f"Friends of {WHO}", rows=(2, ROW, ROW + 1, 30)))


@pytest.fixture
def store(trained: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """A copy of it, which the app under test uses, too; it lies where its files say."""
    root = tmp_path / "runs"
    shutil.copytree(trained.root, root)
    for config in root.glob("*/config.json"):
        config.write_text(config.read_text().replace(str(trained.root), str(root)))
    store = RunStore(root)
    the_run(store).write_manifest()
    monkeypatch.setenv("GROUPREC_RUNS", str(root))
    return store


def the_run(store: RunStore) -> Run:
    return next(run for run in store.runs() if run.finished)


def files_with(root: Path, text: str) -> list[str]:
    """Return the files under a folder that hold a text, as it is or as JSON writes it."""
    ways = {text.encode(), json.dumps(text)[1:-1].encode()}
    files = (path for path in root.rglob("*") if path.is_file())
    return [str(path.relative_to(root)) for path in files if any(way in path.read_bytes() for way in ways)]


def exported(store: RunStore, folder: Path) -> dict[str, list[bytes]]:
    """Return the lines of the files that a run exports, without those of whoever is forgotten."""
    answer = call("export", the_run(store).run_id, "--out", folder, "--runs", store.root, out=folder)
    assert answer.status == 0, answer.err
    return {
        name: [line for line in file.splitlines() if WHO.encode() not in line] for name, file in answer.files.items()
    }


def test_nobody_finds_a_user_who_is_forgotten_and_nobody_else_notices(store: RunStore, tmp_path: Path) -> None:
    assert len(files_with(store.root, WHO)) > 10
    edits.undo(the_run(store).path)  # lists of a group that somebody left are other lists
    before = exported(store, tmp_path / "before")

    answer = forget(store, WHO)

    run = the_run(store)
    assert answer.runs == answer.models == [run.run_id]
    assert answer.events == 2 and answer.rows > 2 and answer.datasets == ["shop.csv"]
    assert not answer.outside and not answer.unread and len(answer.unfinished) == 1
    assert files_with(store.root, WHO) == []
    assert run.status().state is State.DONE and run.damaged() == []
    assert exported(store, tmp_path / "after") == before
    assert forgotten(run).sentence().startswith("1 person was removed after training; the models learned from")
    assert forget(store, WHO).sentences() == ["No run and no uploaded dataset holds them."]


def test_what_a_run_still_knows_of_its_users_fits_together(store: RunStore) -> None:
    run = the_run(store)
    before = {name: FitSnapshot.load(run.snapshot(name)) for name in ("final", "judged")}
    labels = load_stage(store, run, "grouper").groups().labels
    forget(store, WHO)
    for name, old in before.items():
        new, kept = FitSnapshot.load(run.snapshot(name)), old.user_ids != WHO
        assert new.user_ids.tolist() == old.user_ids[kept].tolist()
        assert np.array_equal(new.labels, old.labels[kept]) and np.array_equal(new.states, old.states[kept])
        assert not presence(new.histories - old.histories[np.flatnonzero(kept)]).sum()
        assert np.array_equal(load_stage(store, run, "grouper", name).groups().labels, new.labels)
        assert len(load_stage(store, run, "profile", name).latents().users) == len(new.labels)
    assert len(labels) == len(load_stage(store, run, "grouper").groups().labels) + 1
    users, groups = run.table("users"), run.table("groups")
    trained = users[users["in_training"]]
    assert groups["size"].tolist() == trained.groupby("group").size().tolist()
    assert groups["share"].sum() == pytest.approx(1)
    what_if, sizes = run.table("what_if_labels"), run.table("what_if_groups")
    assert len(what_if) == len(trained)
    for number, one in sizes.groupby("n_groups"):
        assert one.set_index("group")["size"].to_dict() == what_if[str(number)].value_counts().to_dict()


def test_events_edits_and_words_of_a_user_go_and_those_of_others_stay(store: RunStore) -> None:
    run = the_run(store)
    users = run.table("users")["user"].tolist()
    formed = [users[row] for row in EditHistory.load(run.path).edits[0].rows if users[row] != WHO]
    _, token = links.make(run, lambda _: f"Friends of {WHO}", 7, links.Discretion(5))
    forget(store, WHO)
    assert files_with(run.path, WHO) == []
    with pytest.raises(LinkError, match="changed since"):
        links.follow(run, token, links.Discretion(5))
    ledger = Ledger(run.live, "")
    assert [entry.user for entry in ledger.read()] == [NEIGHBOUR, "new"] and ledger.length == 2
    assert ledger.counters()["applied"] == 4
    ledger.close()
    edit = EditHistory.load(run.path).edits[0]
    assert [run.table("users")["user"][row] for row in edit.rows] == formed
    assert edit.text == "Friends of [removed]"
    assert EditedRun(run, EditHistory.load(run.path)).table("groups")["size"].sum() == len(users) - 1
    assert run.notes().note == "Ask [removed]" and run.notes().tags == ("[removed]",)
    assert run.log().endswith("Read [removed] at 12:07")
    with Stream.open(store, run) as stream:
        assert stream.state.user_row(WHO) is None and stream.state.n_events == 2
        assert stream.apply([{"user": NEIGHBOUR, "item": "i00009", "time": after(run, 9)}]).applied == 1


def test_the_dataset_is_read_as_before_without_their_rows(store: RunStore) -> None:
    library = Library(store.root / "datasets")
    old = library.list()[1]
    whole = pd.read_csv(old.interactions, dtype=str)
    by_hand = store.root / "by_hand.csv"
    whole[whole["user_id"] != WHO].to_csv(by_hand, index=False)
    forget(store, WHO)
    new = library.list()[1]
    assert (new.name, new.added) == (old.name, old.added) and new.key != old.key and len(library.list()) == 2
    one, other = (prepare(path, users=new.users).dataset for path in (new.interactions, by_hand))
    assert one.user_ids.tolist() == other.user_ids.tolist() and one.item_labels.tolist() == other.item_labels.tolist()
    assert not presence(one.histories - other.histories).sum()
    assert one.user_attributes.equals(other.user_attributes) and "town" in one.user_attributes
    assert {run.choices()["interactions"] for run in store.runs()} == {str(new.interactions)}


def test_commands_and_pages_go_on_and_say_it(store: RunStore, tmp_path: Path) -> None:
    run = the_run(store)
    said = call("forget", WHO, "--runs", store.root, "--json")
    assert said.status == 0 and json.loads(said.out.splitlines()[-1])["models"] == [run.run_id], said.err
    events = tmp_path / "events.csv"
    events.write_text(f"user,item,time\nu00001,i00001,{after(run, 9)}\n")
    for words in (
        ("update", run.run_id, events, "--out", tmp_path / "out"),
        ("report", run.run_id, "--out", tmp_path / "story.html"),
        ("value", run.run_id),
        ("show", run.run_id),
    ):
        answer = call(*words, "--runs", store.root)
        assert answer.status == 0, answer.err
    sentence = "1 person was removed after training"
    assert sentence in " ".join(answer.out.split())
    assert sentence in (tmp_path / "story.html").read_text()
    assert sentence in texts(open_page("groups", run=run.run_id))
    open_page("recommendations", run=run.run_id)


def test_a_file_outside_is_named_and_left_as_it_is(store: RunStore, tmp_path: Path) -> None:
    outside = tmp_path / "shop.csv"
    outside.write_text(f"user,item\n{WHO},i1\n{WHO},i2\nu00001,i1\n")
    config = the_run(store).config().model_copy(update={"interactions": outside, "users": None})
    failed = store.create(config)
    failed.set_status(state=State.FAILED)
    answer = forget(store, WHO)
    assert answer.outside == [str(outside)] and WHO in outside.read_text()
    assert any("still holds them" in sentence for sentence in answer.sentences())


def test_nothing_is_forgotten_while_a_run_trains_on_their_rows(store: RunStore) -> None:
    failed = next(run for run in store.runs() if not run.finished)
    before = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    with alone(failed.path / jobs.TRAIN_LOCK, ""), pytest.raises(BusyError, match=failed.run_id):
        forget(store, WHO)
    assert {path for path, old in before.items() if path.read_bytes() != old} == set()
    assert not (store.root / changes.FOLDER).exists()


@pytest.mark.parametrize("nobody", ["", " ", "\t"])
def test_nobody_is_no_one_to_forget(tmp_path: Path, nobody: str) -> None:
    with pytest.raises(SettingError, match="Say who is to be removed: their id, as in the file"):
        forget(RunStore(tmp_path / "runs"), "somebody", nobody)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("step", [0, 1, 12])
def test_a_removal_that_is_killed_has_not_happened_or_is_completed_by_the_next_call(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    run = the_run(store)
    steps = iter(range(1_000))
    put = changes._put

    def die(new: Path, path: Path) -> None:
        if next(steps) == step - 1:
            raise KeyboardInterrupt
        put(new, path)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(changes, "_put", die)
        if step == 0:  # before the decision
            patch.setattr(changes, "write_form", lambda *_, **__: die_now())
        forget(store, WHO)
    if step == 0:
        assert run.damaged() == [] and len(files_with(store.root, WHO)) > 10
    answer = forget(store, WHO)
    assert answer.completed is (step > 0)
    assert files_with(store.root, WHO) == [] and run.damaged() == []


def die_now() -> None:
    raise KeyboardInterrupt


def test_what_belongs_to_somebody_still_does(store: RunStore) -> None:
    library = Library(store.root / "datasets")
    rights.give(library.folder(library.list()[1]), "anna@example.org", shared=True)
    forget(store, WHO)
    assert rights.owner_of(library.folder(library.list()[1])) == ("anna@example.org", True)
    with rights.acting(rights.Person("anna@example.org", rights.Role.ANALYST)), pytest.raises(rights.RightsError):
        forget(store, NEIGHBOUR)


def test_a_dataset_in_the_trash_comes_back_without_them_and_its_runs_still_read_it(store: RunStore) -> None:
    library = Library(store.root / "datasets")
    library.put_away(library.list()[1].key)
    answer = forget(store, WHO)
    assert answer.datasets == ["shop.csv"] and not answer.unread and files_with(store.root, WHO) == []
    (key,) = trash.kept(library.root)
    trash.take_back(library.root, key)
    entry = library.get(key)
    assert the_run(store).config().interactions == entry.interactions and entry.interactions.is_file()
    assert pd.read_parquet(entry.interactions).shape[0] > 100
