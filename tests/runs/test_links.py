"""A link shows one run as it was, to whom it may, until it ends: never another run, and never more."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from grouprec.core import audit, rights
from grouprec.core.forms import DamagedError
from grouprec.core.rights import STRANGER, Person, RightsError, Role
from grouprec.core.types import SettingError, StorageError
from grouprec.explore.edited_tables import EditedRun
from grouprec.explore.edits import Edit, EditHistory, change
from grouprec.runs import content, links
from grouprec.runs.links import Discretion, LinkError
from grouprec.runs.store import Run, RunStore
from tests.support.planted_run import build_run
from tests.support.small_run import copy_of

FIVE = Discretion(5)
ANN, CARL = Person("ann@example.com", Role.ANALYST), Person("carl@example.com", Role.VIEWER)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return build_run(RunStore(tmp_path_factory.mktemp("built")))


@pytest.fixture
def run(built: Run, tmp_path: Path) -> Run:
    return copy_of(built, RunStore(tmp_path))


def make(run: Run, said: str = "six views", days: int = 7, told: Discretion = FIVE) -> str:
    return links.make(run, lambda until: said, days, told)[1]


def test_a_link_shows_what_was_there_when_it_was_made_and_knows_no_secret(run: Run) -> None:
    token = make(run, "six views of then")
    assert links.follow(run, token, FIVE) == ("six views of then", False)
    run.rename("another name")
    assert links.follow(run, token, FIVE) == ("six views of then", False)
    (link,) = links.links(run.path)
    assert link.works and link.by == "local" and link.until - link.made == pytest.approx(7 * links.DAY)
    everything = b"".join(path.read_bytes() for path in run.path.rglob("*") if path.is_file())
    assert token.encode() not in everything
    assert run.usable and run.damaged() == [], "a link is no result of the run"
    run.write_manifest()
    assert not any("link" in name for name in run.names())


def test_every_link_has_a_secret_of_its_own(run: Run) -> None:
    first, second = make(run, "first"), make(run, "second")
    assert first != second and len(first) >= 32
    assert [links.follow(run, one, FIVE)[0] for one in (first, second)] == ["first", "second"]


@pytest.mark.parametrize("token", ["", "x", "../../x", "\ud800".encode("utf-8", "replace").decode(), "a" * 100_000])
def test_nothing_is_behind_a_token_that_is_none(run: Run, token: str) -> None:
    make(run)
    with pytest.raises(LinkError, match="nothing behind this link"):
        links.follow(run, token, FIVE)


def test_a_link_never_shows_another_run(run: Run, tmp_path: Path) -> None:
    other = Run(shutil.copytree(run.path, tmp_path / "20990101-000000-1111"))
    token = make(run)
    make(other)
    copied = Run(shutil.copytree(run.path, tmp_path / "20990101-000000-0000"))
    for one in (None, other, copied):
        with pytest.raises(LinkError, match="nothing behind this link"):
            links.follow(one, token, FIVE)


def test_it_ends_by_itself_and_when_it_is_withdrawn(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    short, long = make(run, days=1), make(run, days=30)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 2 * links.DAY)
    with pytest.raises(LinkError, match="has ended"):
        links.follow(run, short, FIVE)
    links.withdraw(run, links.links(run.path)[1].number)
    with pytest.raises(LinkError, match="was withdrawn"):
        links.follow(run, long, FIVE)
    make(run)
    assert len(list((run.path / links.FOLDER).iterdir())) == 1, "what ended links showed is removed"
    with pytest.raises(StorageError, match="no link"):
        links.withdraw(run, "nix")


def _other_results(run: Run) -> None:
    run.save_metrics({**run.metrics(), "n_users": 89})
    run.write_manifest()


def _trained_again(run: Run) -> None:
    run.open_again([])


def _forged(run: Run) -> None:
    next((run.path / links.FOLDER).iterdir()).write_text("another document")


def _page_gone(run: Run) -> None:
    next((run.path / links.FOLDER).iterdir()).unlink()


def _manifest_damaged(run: Run) -> None:
    (run.path / content.MANIFEST).write_text("{")


@pytest.mark.parametrize("happen", [_other_results, _trained_again, _forged, _page_gone, _manifest_damaged])
def test_it_shows_nothing_once_the_run_is_another_one(run: Run, happen: Callable[[Run], None]) -> None:
    token = make(run)
    happen(run)
    with pytest.raises(LinkError, match="has changed since"):
        links.follow(run, token, FIVE)


def test_a_table_that_comes_later_changes_nothing(run: Run) -> None:
    token = make(run)
    (run.path / "tables" / "later.parquet").write_bytes(b"x")
    content.add_to_manifest(run.path, ["tables/later.parquet"])
    assert links.follow(run, token, FIVE)[0] == "six views"


def test_what_people_change_about_groups_is_told_and_not_shown(run: Run) -> None:
    token = make(run)
    change(run.path, EditedRun(run, EditHistory()).trained, Edit("rename", (2,), "Evening light"))
    assert links.follow(run, token, FIVE) == ("six views", True)


@pytest.mark.parametrize(
    ("then", "now", "shown"),
    [
        (Discretion(5), Discretion(10), False),
        (Discretion(5), Discretion(2), True),
        (Discretion(5), Discretion(5, 1.0), False),
        (Discretion(5, 1.0), Discretion(5, 0.5), False),
        (Discretion(5, 0.5), Discretion(5, 1.0), True),
        (Discretion(5, 0.5), Discretion(5), True),
    ],
)
def test_it_shows_nothing_once_less_may_be_told_of_few(
    run: Run, then: Discretion, now: Discretion, shown: bool
) -> None:
    token = make(run, told=then)
    if shown:
        assert links.follow(run, token, now)[0] == "six views"
    else:
        with pytest.raises(LinkError, match="tells less of few people"):
            links.follow(run, token, now)


def test_only_who_may_manage_a_run_makes_links_and_strangers_follow_none(run: Run) -> None:
    rights.give(run.path, ANN.name, shared=True)
    with rights.acting(ANN):
        token = make(run)
        (link,) = links.links(run.path)
    for who in (CARL, STRANGER):
        with rights.acting(who), pytest.raises(RightsError):
            make(run)
        with rights.acting(who), pytest.raises(RightsError):
            links.withdraw(run, link.number)
    rights.give(run.path, ANN.name, shared=False)
    with rights.acting(CARL):
        assert links.follow(run, token, FIVE)[0] == "six views", "that is what it was made for"
    with rights.acting(STRANGER), pytest.raises(RightsError, match="sign in first"):
        links.follow(run, token, FIVE)


def test_making_following_and_withdrawing_leave_a_line_each(run: Run, tmp_path: Path) -> None:
    audit.write_to(tmp_path)
    try:
        token = make(run)
        links.follow(run, token, FIVE)
        with pytest.raises(LinkError):
            links.follow(run, "x", FIVE)
        links.withdraw(run, links.links(run.path)[0].number)
    finally:
        audit.close()
    text = (tmp_path / audit.FOLDER / audit.NAME).read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [(line["what"], line["allowed"]) for line in lines] == [
        ("make link", True),
        ("follow link", True),
        ("follow link", False),
        ("withdraw link", True),
    ]
    assert {line["on"] for line in lines} == {run.run_id} and token not in text


def test_there_is_an_end_to_how_long_and_how_many(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for days in (0, links.MOST_DAYS + 1):
        with pytest.raises(SettingError, match="lasts 1 to"):
            make(run, days=days)
    monkeypatch.setattr(links, "MOST_LINKS", 2)
    make(run), make(run)
    with pytest.raises(SettingError, match="withdraw one first"):
        make(run)


@pytest.mark.parametrize("damage", ["", "{", '{"format": 1, "links": [{"number": "x"}]}', None])
def test_links_that_cannot_be_read_open_nothing(run: Run, damage: str | None) -> None:
    token = make(run)
    file = run.path / links.FILE
    file.unlink() if damage is None else file.write_text(damage)
    with pytest.raises(DamagedError, match=r"links\.json"):
        links.follow(run, token, FIVE)
    rights.give(run.path, ANN.name)
    with rights.acting(CARL), pytest.raises(LinkError, match=links.GONE[:20]):
        links.follow(run, "guessed", FIVE)
