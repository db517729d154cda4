"""The presenter's routes: the six views of a run for who may see it, and one sentence for everybody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette

from grouprec.core import audit, rights
from grouprec.explore.edited_tables import EditedRun
from grouprec.explore.edits import Edit, EditHistory, change
from grouprec.report import small_groups
from grouprec.runs.store import Run, RunStore
from grouprec.ui import people
from grouprec.ui.people import Rules
from grouprec.ui.server import present
from grouprec.ui.server.door import Door
from tests.support.planted_run import build_run
from tests.ui.server.test_door import ask, cookie

Get = Callable[[str], tuple[int, str]]


@pytest.fixture
def run() -> Run:
    return build_run(RunStore())


@pytest.fixture
def get() -> Get:
    """Ask the routes where nobody signs in."""
    app = Starlette(routes=present.routes())
    return lambda path: ask(app, path.partition("?")[0], query=path.partition("?")[2])


def test_a_run_is_presented_and_one_that_is_not_there_is_never_another(get: Get, run: Run) -> None:
    status, page = get(f"/present?run={run.run_id}&group=3")
    assert status == 200 and page.count('class="view ') == 6 and "Tea towels" in page
    assert present.address(run, "3") == f"present?run={run.run_id}&group=3"
    for query in ("", "run=", "run=last", f"run={run.run_id[:8]}", "run=../x"):
        status, page = get(f"/present?{query}")
        assert status == 404 and "no such run" in page and "Tea towels" not in page, query
    assert get("/present.js")[0] == 200


@pytest.mark.parametrize("group", ["", "x", "-1", "9" * 400, "²"])
def test_a_group_that_makes_no_sense_is_the_largest(get: Get, run: Run, group: str) -> None:
    assert get(f"/present?run={run.run_id}&group={group}")[0] == 200


def test_a_damaged_run_is_told_in_a_sentence(get: Get, run: Run) -> None:
    (run.path / "tables" / "groups.parquet").write_bytes(b"x")
    status, page = get(f"/present?run={run.run_id}")
    assert status == 409 and "damaged" in page and "Traceback" not in page


def test_where_people_sign_in_a_run_is_presented_to_who_may_see_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rights, "_asked", [people.current])
    monkeypatch.setattr(people, "_rules", lambda: Rules(analysts=("ann@example.com",), viewers=("carl@example.com",)))
    app, query = Door(Starlette(routes=present.routes())), f"run={run.run_id}"
    rights.give(run.path, "ann@example.com")
    audit.write_to(tmp_path)
    try:
        assert ask(app, "/present", cookie(), query=query)[0] == 200
        assert ask(app, "/present", cookie(email="carl@example.com"), query=query)[0] == 404
        status, page = ask(app, "/present", query=query)
        assert status == 401 and "Sign in first" in page
    finally:
        audit.close()
    (line,) = (tmp_path / audit.FOLDER / audit.NAME).read_text().splitlines()
    assert json.loads(line)["what"] == "present" and json.loads(line)["who"] == "ann@example.com"


def test_a_link_shows_the_six_views_as_they_were_and_says_what_has_changed_since(get: Get, run: Run) -> None:
    there = present.make_link(run, 7, 3)
    assert there.startswith(f"shared/{run.run_id}/")
    status, page = get(f"/{there}")
    assert status == 200 and page.count('class="view ') == 6 and "Tea towels" in page
    assert "As it was on" in page and "This link ends on" in page and 'class="leave"' not in page
    assert present.slides.SCRIPT in page and f"{present.UP}{present.slides.SCRIPT}" in page
    change(run.path, EditedRun(run, EditHistory()).trained, Edit("rename", (3,), "Evening <light>"))
    status, page = get(f"/{there}")
    assert status == 200 and "Tea towels" in page and "Evening" not in page and present.CHANGED in page
    assert get(f"/{there}x")[0] == 404 and get(f"/shared/{run.run_id}/")[0] == 404
    RunStore().delete(run)
    status, page = get(f"/{there}")
    assert status == 404 and "nothing behind this link" in page and "Tea towels" not in page


def test_a_link_tells_few_people_as_few_and_nothing_once_fewer_may_be_told_of(
    get: Get, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.save_table("groups", run.table("groups").assign(size=[3, 4, 83]))
    run.write_manifest()
    there = present.make_link(run, 1, 1)
    page = get(f"/{there}")[1]
    assert "fewer than 5" in page and "3 users" not in page
    monkeypatch.setenv(small_groups.SETTING, "6")
    status, page = get(f"/{there}")
    assert status == 404 and "tells less of few people" in page and "Bags" not in page


def test_where_people_sign_in_a_link_asks_for_it_and_shows_nothing_else(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = present.make_link(run, 7)
    rights.give(run.path, "ann@example.com")
    monkeypatch.setattr(rights, "_asked", [people.current])
    monkeypatch.setattr(people, "_rules", lambda: Rules(analysts=("ann@example.com",), viewers=("carl@example.com",)))
    app, carl = Door(Starlette(routes=present.routes())), cookie(email="carl@example.com")
    assert ask(app, f"/{there}", carl)[0] == 200
    assert ask(app, "/present", carl, query=f"run={run.run_id}")[0] == 404
    status, page = ask(app, f"/{there}")
    assert (
        status == 401
        and "Sign in first" in page
        and "view " not in page.partition("</style>")[2].replace("view told", "")
    )
