"""Who may do what: every cell of the table of SECURITY.md, tried with everything that does it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grouprec.core import audit, rights
from grouprec.core.rights import API, LOCAL, STRANGER, Deed, Person, RightsError, Role, Whose
from grouprec.core.site import app_root
from grouprec.data.library import Library
from grouprec.explore import edits
from grouprec.runs import links
from grouprec.runs.config import make_config
from grouprec.runs.store import Run, RunStore
from grouprec.training import jobs, room
from tests.support.planted_run import build_run

ME, OTHER = "me@example.com", "other@example.com"
PEOPLE = {
    Role.LOCAL: LOCAL,
    Role.ANALYST: Person(ME, Role.ANALYST),
    Role.VIEWER: Person(ME, Role.VIEWER),
    Role.API: API,
    Role.STRANGER: STRANGER,
}
WORDS = {"own": Whose.OWN, "nobody's": Whose.NOBODYS, "shares": Whose.SHARED, "private": Whose.PRIVATE}
CSV = b"user,item\n" + b"".join(b"u%d,i%d\n" % (n % 9, n % 7) for n in range(60))


def cells() -> Iterator[tuple[Role, Deed, Whose, bool]]:
    """Return the cells of the table: role, deed, whose (of ``add`` nobody's), and whether they may."""
    text = (app_root() / "SECURITY.md").read_text(encoding="utf-8")
    lines = text[text.index("| may they |") :].partition("\n\n")[0].splitlines()
    roles = [Role(cell.strip()) for cell in lines[0].strip("|").split("|")[1:]]
    for line in lines[2:]:
        first, *answers = (cell.strip() for cell in line.strip("|").split("|"))
        found = re.match(r"`(\w+)`", first)
        assert found is not None, first
        deed, told = Deed(found[1]), first.partition(":")[0]
        whose = next((whose for word, whose in WORDS.items() if word in told), Whose.NOBODYS)
        for role, answer in zip(roles, answers, strict=True):
            assert answer in ("yes", "no")
            yield role, deed, whose, answer == "yes"


CELLS = list(cells())


def give(folder: Path, whose: Whose) -> None:
    owner = {Whose.OWN: ME, Whose.SHARED: OTHER, Whose.PRIVATE: OTHER}.get(whose)
    if owner is not None:
        rights.give(folder, owner, shared=whose is Whose.SHARED)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


def make_run(store: RunStore, whose: Whose = Whose.NOBODYS) -> Run:
    run = store.create(make_config(interactions=Path("shop.csv"), preset="quick"))
    give(run.path, whose)
    return run


def make_dataset(store: RunStore, whose: Whose = Whose.NOBODYS) -> tuple[Library, str]:
    library = Library(store.root / "datasets")
    key = library.add("shop.csv", io.BytesIO(CSV)).key
    give(library.root / key, whose)
    return library, key


def _add(store: RunStore, run: Run, library: Library, key: str) -> dict[str, Callable[[], object]]:
    return {
        "train": lambda: store.create(make_config(interactions=Path("shop.csv"), preset="quick")),
        "queue": lambda: jobs.start(store, make_config(interactions=Path("shop.csv"), preset="quick")),
        "upload": lambda: library.add("other.csv", io.BytesIO(CSV + b"u1,i9\n")),
    }


def _change(store: RunStore, run: Run, library: Library, key: str) -> dict[str, Callable[[], object]]:
    return {
        "rename": lambda: run.rename("another title"),
        "annotate": lambda: run.annotate("a note", ["tag"]),
        "undo": lambda: edits.undo(run.path),
        "redo": lambda: edits.redo(run.path),
        "columns": lambda: library.save(key, roles={"user": "user"}, preparation={}),
    }


def _follow(store: RunStore, run: Run, library: Library, key: str) -> dict[str, Callable[[], object]]:
    with rights.acting(LOCAL):
        finished = build_run(store)
        rights.give(finished.path, OTHER)
        _, token = links.make(finished, lambda _: "six views", 1, links.Discretion(5))
    return {"follow": lambda: links.follow(finished, token, links.Discretion(5))}


def _manage(store: RunStore, run: Run, library: Library, key: str) -> dict[str, Callable[[], object]]:
    return {
        "share run": lambda: rights.share(run.path, True),
        "share dataset": lambda: rights.share(library.root / key, True),
        "move first": lambda: jobs.move_first(store, run),
        "cancel": lambda: jobs.cancel(run),
        "delete": lambda: store.delete(run),
        "remove": lambda: library.remove(key),
    }


@pytest.mark.parametrize(("role", "deed", "whose", "allowed"), CELLS, ids=lambda value: str(value))
def test_the_table_of_security_md_is_what_happens(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, role: Role, deed: Deed, whose: Whose, allowed: bool
) -> None:
    monkeypatch.setattr(jobs, "_spawn", lambda store, run: None)
    run, (library, key) = make_run(store, whose), make_dataset(store, whose)
    with rights.acting(PEOPLE[role]):
        assert rights.may(deed, run.path) is allowed
        seen = (run.run_id in [one.run_id for one in store.runs()], key in [one.key for one in library.list()])
        if deed is Deed.SEE:
            assert seen == (allowed, allowed)
            return
        visible = seen[1]
        acts = {Deed.ADD: _add, Deed.CHANGE: _change, Deed.MANAGE: _manage, Deed.FOLLOW: _follow}
        for name, act in acts[deed](store, run, library, key).items():
            if allowed:
                act()
            else:
                with pytest.raises(RightsError if visible or name not in ("columns", "remove") else Exception):
                    act()


def test_every_role_deed_and_owner_has_a_cell() -> None:
    anywhere = (Deed.ADD, Deed.FOLLOW)
    wanted = {(role, deed, whose) for role in Role for deed in Deed for whose in Whose if deed not in anywhere}
    wanted |= {(role, deed, Whose.NOBODYS) for role in Role for deed in anywhere}
    assert {cell[:3] for cell in CELLS} == wanted and len(CELLS) == len(wanted)


def test_what_somebody_makes_is_theirs_alone_until_they_share_it(store: RunStore) -> None:
    with rights.acting(PEOPLE[Role.ANALYST]):
        run = store.create(make_config(interactions=Path("shop.csv"), preset="quick"))
    assert rights.owner_of(run.path) == (ME, False)
    other = Person(OTHER, Role.VIEWER)
    with rights.acting(other):
        assert not store.runs()
    with rights.acting(PEOPLE[Role.ANALYST]):
        rights.share(run.path, True)
    with rights.acting(other):
        assert [one.run_id for one in store.runs()] == [run.run_id]


def test_equal_files_of_two_people_are_two_datasets(tmp_path: Path) -> None:
    library = Library(tmp_path)
    with rights.acting(PEOPLE[Role.ANALYST]):
        mine = library.add("secret name.csv", io.BytesIO(CSV))
    with rights.acting(Person(OTHER, Role.ANALYST)):
        theirs = library.add("x.csv", io.BytesIO(CSV))
        assert theirs.key != mine.key and theirs.name == "x.csv"
        assert [entry.key for entry in library.list() if not entry.is_sample] == [theirs.key]


def test_nobody_trains_on_a_dataset_that_they_cannot_see(store: RunStore) -> None:
    library, key = make_dataset(store, Whose.PRIVATE)
    config = make_config(interactions=library.get(key).interactions, preset="quick")
    with rights.acting(PEOPLE[Role.ANALYST]), pytest.raises(RightsError):
        store.create(config)


def test_nobody_trains_with_the_feedback_of_a_run_that_they_cannot_see(store: RunStore) -> None:
    theirs = make_run(store, Whose.PRIVATE)
    config = make_config(interactions=Path("shop.csv"), preset="quick", feedback=theirs.run_id)
    with rights.acting(PEOPLE[Role.ANALYST]), pytest.raises(RightsError):
        store.create(config)
    rights.give(theirs.path, OTHER, shared=True)
    with rights.acting(PEOPLE[Role.ANALYST]):
        store.create(config)


def test_nothing_learned_from_a_private_run_is_read_back_by_another_ones(store: RunStore) -> None:
    theirs, mine = make_run(store, Whose.PRIVATE), make_run(store, Whose.OWN)
    assert not rights.may_build_on(theirs.path, mine.path)
    assert rights.may_build_on(mine.path, mine.path)
    rights.give(theirs.path, OTHER, shared=True)
    assert rights.may_build_on(theirs.path, mine.path)


@pytest.mark.parametrize("damage", ["", "{", '{"owner": "me@example.com", "shared": true}', None])
def test_an_owner_that_cannot_be_read_opens_nothing(store: RunStore, damage: str | None) -> None:
    run = make_run(store, Whose.PRIVATE)
    file = run.path / rights.FILE
    if damage is None:
        file.unlink()
    else:
        file.write_text(damage)
    with rights.acting(PEOPLE[Role.ANALYST]):
        assert store.runs() == [] and not rights.may(Deed.SEE, run.path)


def test_the_queue_runs_for_all_and_shows_only_what_one_may_see(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []
    monkeypatch.setattr(jobs, "_spawn", lambda store, run: begun.append(run.run_id))
    monkeypatch.setattr(room, "limit", lambda: 0)
    config = make_config(interactions=Path("shop.csv"), preset="quick")
    with rights.acting(Person(OTHER, Role.ANALYST)):
        theirs = jobs.start(store, config)
    with rights.acting(PEOPLE[Role.ANALYST]):
        mine = jobs.start(store, config)
        assert [run.run_id for run in jobs.queue(store)] == [mine.run_id]
        monkeypatch.setattr(room, "limit", lambda: 1)
        jobs.active(store)
        assert begun[0] == theirs.run_id


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    audit.write_to(tmp_path)
    yield tmp_path / audit.FOLDER / audit.NAME
    audit.close()


def test_every_action_leaves_a_line_also_a_refused_one(store: RunStore, log: Path) -> None:
    with rights.acting(PEOPLE[Role.ANALYST]):
        run = store.create(make_config(interactions=Path("shop.csv"), preset="quick"))
        run.annotate("a\nnote", [])
    with rights.acting(PEOPLE[Role.VIEWER]), pytest.raises(RightsError):
        run.rename("x")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["who"], line["what"], line["on"], line["allowed"]) for line in lines] == [
        (ME, "train", "", True),
        (ME, "annotate", run.run_id, True),
        (ME, "rename", run.run_id, False),
    ]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["when"]) for line in lines)
    assert log.stat().st_mode & 0o777 == 0o600


def test_the_audit_log_is_turned_over_and_never_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: RunStore
) -> None:
    monkeypatch.setattr(audit, "MOST_BYTES", 300)
    audit.write_to(tmp_path)
    for number in range(20):
        audit.note("me", "look", f"run {number}")
    audit.close()
    files = sorted((tmp_path / audit.FOLDER).iterdir())
    assert len(files) > 3
    lines = [json.loads(line)["on"] for file in files for line in file.read_text().splitlines()]
    assert sorted(lines) == sorted(f"run {number}" for number in range(20))


def test_where_the_audit_log_cannot_be_written_the_server_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / audit.FOLDER).write_text("a file")
    audit.write_to(tmp_path)
    audit.note("me", "look", "a run")
    audit.close()
    assert "audit log cannot be written" in capsys.readouterr().err
