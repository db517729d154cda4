"""Pages of a damaged run say what is wrong with it; those of the other runs stay as they are."""

from __future__ import annotations

import pytest

from grouprec.runs.store import Run, RunStore
from tests.support.planted_run import build_run
from tests.ui.opening import open_page, texts, visit

PAGES = ("groups", "recommendations", "personas", "decide", "compare", "updates", "train")
READ = {
    "groups": "tables/groups.parquet",
    "recommendations": "tables/group_lists.parquet",
    "decide": "tables/value_of_groups.parquet",
    "compare": "tables/evaluation.parquet",
}


@pytest.fixture
def bad(runs_folder: RunStore, finished_run: Run) -> Run:
    """Return a second run, newer than the good one."""
    run = build_run(runs_folder, title="Bad")
    return Run(run.path.rename(runs_folder.root / "99990101-000000-bad0"))


@pytest.mark.parametrize("page", PAGES)
def test_a_damaged_run_is_named_on_every_page_with_the_reason(bad: Run, finished_run: Run, page: str) -> None:
    (bad.path / "metrics.json").write_text("{}")
    app = visit(page, run=bad.run_id)
    said = "\n".join([texts(app), *(element.value for element in (*app.text, *app.error))]).replace("\\", "")
    assert f"The run {bad.run_id} is damaged: metrics.json is damaged" in said


@pytest.mark.parametrize("page", READ)
def test_a_page_whose_table_is_damaged_says_so_and_shows_nothing_instead(bad: Run, page: str) -> None:
    path = bad.path / READ[page]
    path.write_bytes(path.read_bytes()[:-1])
    app = visit(page, run=bad.run_id)
    said = "\n".join(element.value for element in app.error).replace("\\", "")
    assert f"The run {bad.run_id} is damaged: {READ[page]} is damaged" in said


@pytest.mark.parametrize("file", ["status.json", "manifest.json", "config.json", "notes.json"])
def test_another_run_beside_a_damaged_one_is_shown_as_ever(bad: Run, finished_run: Run, file: str) -> None:
    (bad.path / file).write_text("[1]")
    for page in ("groups", "train"):
        app = open_page(page)
        assert finished_run.run_id in str(app.query_params.get("run", finished_run.run_id))
    assert "damaged" in app.dataframe[-1].value["state"].tolist()
