"""What nobody uses is announced, then goes to the trash, and comes back from there; what is used stays."""

from __future__ import annotations

import io
import json
import os
import time
from pathlib import Path

import pytest

from grouprec.core import audit, rights, trash, usage
from grouprec.core.forms import write_form
from grouprec.core.rights import Person, Role
from grouprec.core.types import BusyError, SettingError, StorageError
from grouprec.data.library import KnownDataset, Library
from grouprec.runs.config import make_config
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import retention
from grouprec.training.retention import leaving, notices, sweep
from tests.support.commands import call
from tests.ui.opening import open_page

DAY = 86400.0
NOW = time.time()
ANN, BOB = Person("ann", Role.ANALYST), Person("bob", Role.ANALYST)


@pytest.fixture
def store(runs_root: Path) -> RunStore:
    return RunStore(runs_root)


def upload(store: RunStore, text: str = "u1,i1") -> KnownDataset:
    return Library(store.root / "datasets").add("shop.csv", io.BytesIO(f"user,item\n{text}\n".encode()))


def run_of(store: RunStore, file: Path = Path("x.csv"), state: State = State.FAILED) -> Run:
    run = store.create(make_config(title="Spring", interactions=file), place=1.0)
    run.set_status(state=state)
    return run


def unused(folder: Path, days: float) -> None:
    """Let nobody have used something for so many days."""
    for path in [*folder.iterdir()] if folder.is_dir() else [folder]:
        os.utime(path, (NOW - days * DAY, NOW - days * DAY))


def going(store: RunStore, days: int = 30, now: float = NOW) -> dict[str, int]:
    """Return in how many days what is announced goes, by name."""
    return {one.path.name: round((one.goes - now) / DAY) for one in leaving(store, days, now)}


def names(found: list[retention.Leaving]) -> list[str]:
    return [one.path.name for one in found]


def test_it_goes_days_after_its_last_use_and_never_within_a_week_of_being_announced(store: RunStore) -> None:
    runs = {days: run_of(store) for days in (100, 25, 10)}
    for days, run in runs.items():
        unused(run.path, days)
    ids = {days: run.run_id for days, run in runs.items()}
    assert going(store) == {ids[25]: 7, ids[100]: 7}
    assert sweep(store, 30, NOW) == [] and len(store.runs()) == 3, "nothing goes unannounced, however old"
    assert names(sweep(store, 30, NOW + 6.9 * DAY)) == []
    assert set(names(sweep(store, 30, NOW + 7.1 * DAY))) == {ids[25], ids[100]}
    assert sweep(store, 30, NOW + 14 * DAY) == []
    assert names(sweep(store, 30, NOW + 21.1 * DAY)) == [ids[10]]
    assert store.runs() == [] and set(retention.in_trash(store)) == set(ids.values())


def test_who_uses_it_meanwhile_keeps_it_and_later_it_is_announced_anew(store: RunStore) -> None:
    run = run_of(store)
    unused(run.path, 100)
    sweep(store, 30, NOW)
    assert names(notices(store)) == [run.run_id]
    store.get(run.run_id)  # as every command, the API and every page do
    assert notices(store) == [] and going(store) == {}
    assert sweep(store, 30, NOW + 8 * DAY) == []
    unused(run.path, -1)  # last used a day after the announcement
    assert going(store, now=NOW + 60 * DAY) == {run.run_id: 7}


def test_what_waits_trains_or_is_of_a_newer_version_stays_and_so_does_what_it_reads(store: RunStore) -> None:
    entry = upload(store)
    run = run_of(store, entry.interactions, State.QUEUED)
    newer = run_of(store)
    form = json.loads((newer.path / "status.json").read_text())
    write_form(newer.path / "status.json", {**form, "state": "dreaming"})
    for folder in (run.path, newer.path, entry.interactions.parents[1]):
        unused(folder, 400)
    assert newer.run_id not in going(store) and run.run_id not in going(store)
    assert entry.key not in going(store)


def test_a_dataset_is_used_whenever_a_run_of_it_is_and_goes_when_they_are_gone(store: RunStore) -> None:
    read, alone = upload(store), upload(store, "u2,i2")
    run = run_of(store, read.interactions)
    for entry in (read, alone):
        unused(entry.interactions.parents[1], 100)
    assert list(going(store)) == [alone.key]
    unused(run.path, 100)
    assert set(going(store)) == {alone.key, read.key, run.run_id}


def test_a_dataset_comes_back_from_the_trash_as_it_was_and_stays(store: RunStore) -> None:
    entry = upload(store)
    Library(store.root / "datasets").save(entry.key, roles={"user": "item"}, preparation={})
    unused(entry.interactions.parents[1], 100)
    sweep(store, 30, NOW)
    assert names(sweep(store, 30, NOW + 8 * DAY)) == [entry.key]
    assert len(Library(store.root / "datasets").list()) == 1
    with pytest.raises(StorageError, match=f"holds no 'x'; it holds: {entry.key}"):
        retention.take_back(store, "x")
    retention.take_back(store, entry.key)
    assert Library(store.root / "datasets").get(entry.key).roles == {"user": "item"}
    assert going(store) == {}


def test_files_fetched_for_runs_go_after_the_last_run_that_read_them(store: RunStore) -> None:
    sources = store.root / "datasets" / "sources"
    sources.mkdir(parents=True)
    for name in ("read.parquet", "left.parquet"):
        (sources / name).write_text("x")
        unused(sources / name, 100)
    run = run_of(store, sources / "read.parquet")
    assert list(going(store)) == ["left.parquet"]
    sweep(store, 30, NOW)
    assert names(sweep(store, 30, NOW + 8 * DAY)) == ["left.parquet"]
    os.utime(sources / trash.FOLDER / "left.parquet", (NOW - 15 * DAY,) * 2)
    sweep(store, 30, NOW + 9 * DAY)
    assert retention.in_trash(store) == [] and run.path.exists()


def test_the_trash_is_emptied_though_nobody_deletes_anything(store: RunStore) -> None:
    run = run_of(store)
    store.delete(run)
    os.utime(store.root / trash.FOLDER / run.run_id, (NOW - 15 * DAY,) * 2)
    sweep(store, 30, NOW)
    assert retention.in_trash(store) == []


def test_every_announcement_and_every_end_has_a_line_in_the_audit_log(store: RunStore) -> None:
    run, entry = run_of(store), upload(store)
    for folder in (run.path, entry.interactions.parents[1]):
        unused(folder, 100)
    audit.write_to(store.root)
    for days in (0, 1, 8):
        sweep(store, 30, NOW + days * DAY)
    audit.close()
    lines = [json.loads(line) for line in (store.root / audit.FOLDER / audit.NAME).read_text().splitlines()]
    assert {line["who"] for line in lines} == {"retention"}
    told = [(line["what"], line["on"]) for line in lines]
    both = {run.run_id, entry.key}
    assert {on for what, on in told[:2] if what == "announce the end of"} == both
    assert set(told[2:]) == {("delete", run.run_id), ("put away", entry.key)}


def test_its_owner_is_told_and_nobody_else_and_all_of_what_is_nobodys(store: RunStore) -> None:
    nobodys, run = run_of(store), run_of(store)
    rights.give(run.path, "ann", shared=True)
    for one in (nobodys, run):
        unused(one.path, 100)
    sweep(store, 30, NOW)
    told = {}
    for who in (ANN, BOB, Person("carl", Role.VIEWER)):
        with rights.acting(who):
            told[who.name] = set(names(notices(store)))
    assert told == {"ann": {nobodys.run_id, run.run_id}, "bob": {nobodys.run_id}, "carl": set()}


def test_two_that_look_at_once_do_not_both_do_it(store: RunStore) -> None:
    run = run_of(store)
    unused(run.path, 100)
    with retention.locks.alone(store.root / retention.LOCK, ""), pytest.raises(BusyError):
        sweep(store, 30, NOW)
    (store.root / retention.ANNOUNCED).write_text('[{"path": 3}, 7]')
    assert going(store) == {run.run_id: 7}, "a damaged file announced nothing"


def test_nothing_goes_where_nothing_is_said(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for told, days in (("", None), ("0", None), (" 90 ", 90)):
        monkeypatch.setenv(retention.KEEP_DAYS, told)
        assert retention.keep_days() == days
    monkeypatch.setenv(retention.KEEP_DAYS, "soon")
    with pytest.raises(SettingError, match="must be a whole number"):
        retention.keep_days()


def test_the_command_shows_what_would_go_and_changes_nothing_until_told(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(retention.KEEP_DAYS, raising=False)
    run = run_of(store)
    unused(run.path, 100)
    assert "--days 90 shows what would go" in call("expire").err
    shown = json.loads(call("expire", "--days", 30, "--json").out)
    assert [(one["kind"], one["id"], one["name"]) for one in shown["leaving"]] == [("run", run.run_id, "Spring")]
    assert not (store.root / retention.ANNOUNCED).exists()
    call("expire", "--days", 30, "--apply")
    form = json.loads((store.root / retention.ANNOUNCED).read_text())
    form[0]["told"] -= 8 * DAY
    unused(run.path, 110)
    (store.root / retention.ANNOUNCED).write_text(json.dumps(form))
    assert json.loads(call("expire", "--days", 30, "--apply", "--json").out)["put_away"] == [run.run_id]
    assert run.run_id in call("restore").out
    assert json.loads(call("restore", run.run_id, "--json").out) == {"runs": [run.run_id]}


def test_the_page_names_what_goes_and_keeps_what_people_want_kept(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(retention.KEEP_DAYS, "30")
    entry = upload(store)
    unused(entry.interactions.parents[1], 100)
    sweep(store, 30, NOW)
    app = open_page("train")
    told = [one.value for one in app.markdown if "shop" in one.value]
    assert len(told) == 1 and "The dataset “shop\\.csv” goes on" in told[0]
    app.button(key=f"keep.{entry.key}").click().run()
    assert not app.exception and notices(store) == [] and usage.last_used(entry.interactions.parents[1]) > NOW - DAY
