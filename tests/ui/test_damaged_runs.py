"""Pages of a damaged run say what is wrong with it; those of the other runs stay as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import grouprec.ui
from grouprec.core.site import app_root
from grouprec.runs.store import Run, RunStore
from grouprec.ui.recommendations.personas import tab as personas
from tests.support.damage import damaged, files_of, lived_in
from tests.support.damaged_pages import VIEWS, look
from tests.support.planted_run import build_run
from tests.ui.opening import open_page, texts, visit

PAGES = ("groups", "recommendations", "decide", "compare", "updates", "train")
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


def test_a_damaged_run_is_offered_to_be_mended_and_no_page_that_refuses_it(bad: Run, finished_run: Run) -> None:
    (bad.path / "metrics.json").write_text("{}")
    keys = {button.key for button in visit("train", run=bad.run_id).button}
    assert "resume_run" in keys and "open_decide" not in keys


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


# One view a page, and of the files that it opens one that is damaged; python -m benchmarks.reliability pages tries all.
SAMPLED = {
    "decide": ("stages/grouper", "cut"),
    "compare, left behind": ("tables/left_behind", "empty"),
    "groups": ("tables/items", "cut"),  # in a part that runs by itself
    "recommendations": ("live/final.safetensors", "flip"),
    "recommendations, user": ("tables/user_lists", "other"),
    "recommendations, ways": ("curation.json", "delete"),  # what people changed, and then is not there
    "personas, members": ("stages/profile", "delete"),
    "updates, send": ("live/ledger.sqlite", "other"),
    "train": ("events.jsonl", "empty"),
    "data": ("notes.json", "cut"),  # of which only the sidebar shows something
}


@pytest.fixture(scope="module")
def used(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return lived_in(small_run, RunStore(tmp_path_factory.mktemp("used")))


@pytest.mark.parametrize("view", SAMPLED)
def test_a_view_shows_the_same_or_names_the_run_when_a_file_is_damaged(
    used: Run, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    monkeypatch.setenv("GROUPREC_RUNS", str(used.path.parent))
    beginning, damage = SAMPLED[view]
    file = next(name for name in files_of(used) if name.startswith(beginning))
    whole = look(used, view)
    with damaged(used, file, damage, np.random.default_rng(0)):
        seen = look(used, view)
    assert seen.kind(whole, used.run_id) in ("same", "refused"), seen.crash or seen.told
    assert not whole.crash


def test_every_part_that_runs_by_itself_is_one_that_says_its_errors() -> None:
    root = Path(grouprec.ui.__file__).parent
    direct = [file.name for file in root.rglob("*.py") if "st.fragment" in file.read_text()]
    assert direct == ["fragments.py"]


def test_every_view_that_a_link_opens_is_among_those_that_are_tried() -> None:
    assert {page for page, _ in VIEWS.values()} == {path.stem for path in (app_root() / "pages").glob("*.py")}
    assert {f"personas, {name}" for name in personas.VIEWS} <= VIEWS.keys()
