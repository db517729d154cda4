"""The frame: the way in, what the URL decides, and what the pages show when there is nothing to show."""

from __future__ import annotations

import asyncio
import runpy
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from grouprec.core.files import write_json
from grouprec.core.site import app_root
from grouprec.core.types import SettingError
from grouprec.data.library import Library
from grouprec.runs.config import RunConfig
from grouprec.runs.content import digest
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import jobs
from grouprec.ui import state
from tests.support.planted_run import build_run
from tests.ui.opening import FRAME, PATIENCE


def open_app(page: str | None = None, **query: str) -> AppTest:
    """Return the app after its first run, on ``/`` or on a page."""
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    if page is not None:
        app.switch_page(state.page_path(page))
        for name, value in query.items():
            app.query_params[name] = value
        app.run()
    assert not app.exception
    return app


def unfinished(store: RunStore, run_state: State, **status: object) -> Run:
    run = store.create(RunConfig(interactions=Path("x.csv"), title="Half *done*", dataset="x"))
    run.set_status(state=run_state, **status)
    return run


def in_url(app: AppTest, name: str) -> str:
    value = app.query_params[name]
    return value[0] if isinstance(value, list) else value


def on_train(app: AppTest) -> bool:
    return any(button.key == "start_run" for button in app.button)


def test_the_first_visit_says_what_this_is_and_offers_one_button(runs_folder: RunStore) -> None:
    app = open_app()
    assert app.title[0].value == "How many lists do you need, and for whom?"
    assert [button.label for button in app.button] == ["Train the sample", "or use your own file"]


def test_one_click_trains_the_sample_quickly_and_shows_its_progress(
    runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[RunConfig] = []

    def start(store: RunStore, config: RunConfig) -> Run:
        asked.append(config)
        run = store.create(config)
        run.set_status(state=State.RUNNING, fraction=0.25, stage="prepare")
        return run

    monkeypatch.setattr(jobs, "start", start)
    app = open_app()
    app.button(key="welcome_train").click().run()
    assert not app.exception
    assert (asked[0].preset, asked[0].interactions.name) == ("quick", "online_retail.parquet")
    assert on_train(app)
    assert in_url(app, "run") == runs_folder.runs()[0].run_id


def test_a_refused_start_is_told_in_one_sentence(runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(store: RunStore, config: RunConfig) -> Run:
        raise SettingError("The run 'a_b' is still being trained.")

    monkeypatch.setattr(jobs, "start", refuse)
    app = open_app()
    app.button(key="welcome_train").click().run()
    assert "still being trained" in app.error[0].value


def test_with_a_finished_run_the_app_opens_on_the_decision(finished_run: Run) -> None:
    app = open_app()
    assert app.select_slider(key="lists_n").value == 3
    assert in_url(app, "run") == finished_run.run_id


def test_the_url_decides_the_run_and_survives_changing_the_page(runs_folder: RunStore) -> None:
    older = build_run(runs_folder, title="Older")
    build_run(runs_folder, title="Newer")
    app = open_app("compare", run=older.run_id)
    assert app.selectbox(key="pick_run").value == older.run_id
    app.switch_page(state.page_path("train")).run()
    assert app.selectbox(key="pick_run").value == older.run_id


def test_choosing_a_run_in_the_sidebar_writes_it_into_the_url(runs_folder: RunStore) -> None:
    runs = [build_run(runs_folder, title="Same title") for _ in range(2)]
    app = open_app("train")
    other = next(run.run_id for run in runs if run.run_id != in_url(app, "run"))
    app.selectbox(key="pick_run").select(other).run()
    assert in_url(app, "run") == other


GONE = "20200101-000000-0000"


@pytest.mark.parametrize("page", ["groups", "recommendations", "decide", "compare", "updates"])
def test_a_link_to_a_run_that_is_not_there_says_so_and_shows_none(finished_run: Run, page: str) -> None:
    app = open_app(page, run=GONE)
    assert [element.value for element in app.subheader] == ["This run is not here"]
    assert any(GONE in element.value and "deleted" in element.value for element in app.text)
    assert app.selectbox(key="pick_run").value is None and in_url(app, "run") == GONE
    app.selectbox(key="pick_run").select(finished_run.run_id).run()
    assert in_url(app, "run") == finished_run.run_id
    assert not any(element.value == "This run is not here" for element in app.subheader)


def test_the_way_in_and_the_train_page_say_that_a_run_is_not_there(finished_run: Run) -> None:
    assert [element.value for element in open_app(run=GONE).subheader] == ["This run is not here"]
    app = open_app("train", run=GONE)
    assert GONE in app.warning[0].value.replace("\\", "") and app.selectbox(key="pick_run").value is None


def test_the_dataset_of_the_url_is_chosen(runs_folder: RunStore) -> None:
    entry = Library(runs_folder.root / "datasets").add("shop.csv", (app_root() / "README.md").open("rb"))
    assert open_app("train", dataset=entry.key).selectbox(key="pick_dataset").value == entry.key
    assert open_app("train", dataset="../../etc").selectbox(key="pick_dataset").value == "sample"


def test_the_dataset_of_the_current_run_is_the_default(runs_folder: RunStore) -> None:
    entry = Library(runs_folder.root / "datasets").add("shop.csv", (app_root() / "README.md").open("rb"))
    run = runs_folder.create(RunConfig(interactions=entry.interactions, title="t", dataset="shop.csv"))
    run.set_status(state=State.FAILED)
    assert open_app("train", run=run.run_id).selectbox(key="pick_dataset").value == entry.key


def shop(folder: Path) -> Path:
    """Return a file of two users, as somebody has it."""
    file = folder / "shop.csv"
    file.write_text("user,item\n1,a\n2,b\n")
    return file


def test_a_run_is_of_its_dataset_wherever_both_have_moved(
    runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    entry = Library(runs_folder.root / "datasets").add("shop.csv", shop(elsewhere).open("rb"))
    run = runs_folder.create(RunConfig(interactions=entry.interactions, title="t", dataset="shop.csv"))
    run.set_status(state=State.FAILED)
    moved = runs_folder.root.rename(elsewhere / "moved")
    monkeypatch.setenv("GROUPREC_RUNS", str(moved))
    app = open_app("train", run=run.run_id)
    assert app.selectbox(key="pick_dataset").value == entry.key
    assert not [said.value for said in app.caption if "other data" in said.value]


def test_an_upload_of_the_file_that_the_command_line_trained_on_is_no_other_data(
    runs_folder: RunStore, tmp_path: Path
) -> None:
    file = shop(tmp_path)
    entry = Library(runs_folder.root / "datasets").add("shop.csv", file.open("rb"))
    run = runs_folder.create(RunConfig(interactions=file, title="t", dataset="shop"))
    run.set_status(state=State.FAILED)
    assert open_app("train", run=run.run_id).selectbox(key="pick_dataset").value == entry.key
    other = open_app("train", run=run.run_id, dataset="sample")
    assert "The run is of other data: shop." in [said.value for said in other.caption]


def test_a_finished_run_knows_its_data_when_the_file_is_gone(finished_run: Run, tmp_path: Path) -> None:
    file = shop(tmp_path)
    store = RunStore(finished_run.path.parent)
    entry = Library(store.root / "datasets").add("shop.csv", file.open("rb"))
    write_json(finished_run.path / "metrics.json", {**finished_run.metrics(), "files": {"interactions": digest(file)}})
    finished_run.write_manifest()
    assert open_app("train", run=finished_run.run_id).selectbox(key="pick_dataset").value == entry.key


@pytest.mark.parametrize("page", ["groups", "recommendations", "compare"])
def test_pages_without_a_run_lead_to_training(runs_folder: RunStore, page: str) -> None:
    app = open_app(page)
    assert [element.value for element in app.subheader] == ["Nothing is trained yet"]
    app.button(key="empty_open_train").click().run()
    assert on_train(app)


@pytest.mark.parametrize(
    ("run_state", "says"),
    [(State.FAILED, "failed"), (State.CANCELLED, "was cancelled"), (State.LOST, "was interrupted")],
)
def test_pages_say_why_an_ended_run_has_no_results(runs_folder: RunStore, run_state: State, says: str) -> None:
    run = unfinished(runs_folder, run_state, message="Because of x_y.")
    app = open_app("groups", run=run.run_id)
    assert app.subheader[0].value == f"This run {says}"


def test_pages_of_a_run_in_training_say_how_far_it_is(runs_folder: RunStore) -> None:
    run = unfinished(runs_folder, State.RUNNING, fraction=0.43, stage="profile", created=time.time())
    app = open_app("groups", run=run.run_id)
    assert app.subheader[0].value == "This run is still being trained"
    assert any("43\u00a0%" in element.value for element in app.text)
    assert app.sidebar.button(key="watch_train")


def test_a_table_handed_out_is_the_callers_own(finished_run: Run) -> None:
    first = state.table(finished_run, "groups")
    first["size"] = 0
    assert (state.table(finished_run, "groups")["size"] > 0).all()


def test_the_server_marks_runs_whose_process_died_when_it_starts(runs_folder: RunStore) -> None:
    run = unfinished(runs_folder, State.RUNNING, pid=2**22 + 1, stage="profile")
    server = runpy.run_path(str(app_root() / "app.py"))

    async def start_up() -> None:
        async with server["adopt_runs"](server["app"]):
            assert run.status().state is State.LOST

    asyncio.run(start_up())


def test_only_pages_that_exist_are_in_the_menu(runs_folder: RunStore) -> None:
    app = open_app()
    missing = [name for name in ("decide", "updates") if not (app_root() / "pages" / f"{name}.py").exists()]
    for name in missing:
        with pytest.raises(ValueError, match=name):
            app.switch_page(state.page_path(name))
