"""The presenter's routes: the six views of a run for who may see it, and one sentence for everybody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette

from grouprec.core import audit, rights
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
