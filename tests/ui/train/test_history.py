"""The runs that were: their list, a note, a new name, a second try with one change, and how one goes."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from grouprec.runs.config import RunConfig, make_config
from grouprec.runs.store import Notes, Run, RunStore, State
from grouprec.ui import cards, state
from grouprec.ui.train import watch
from tests.support.planted_run import build_run
from tests.ui.train.opening import open_train, some_run


def test_a_run_is_repeated_with_one_change(runs_folder: RunStore, started: list[RunConfig]) -> None:
    sample = state.library().sample()
    before = make_config(
        title="Before",
        dataset=sample.name,
        interactions=sample.interactions,
        preset="standard",
        n_groups=7,
        encoders=("ease", "dnn"),
        grouper="kmeans",
        regime="dedup",
        seed=3,
        settings={
            "dnn": {"epochs": 3},
            "data": {"min_item_users": 5},
            "rules": {"diversity": 0.25, "items": ("85123A",), "owned_share": 0.6},
        },
    )
    run = runs_folder.create(before)
    run.set_status(state=State.FAILED)
    app = open_train(run=run.run_id)
    app.button(key="repeat_run").click().run()
    assert not app.exception
    assert any("Nothing is changed yet" in element.value for element in app.markdown)
    app.number_input(key="train_n_groups").set_value(9).run()
    assert any("n groups 7 → 9" in element.value.replace("\\", "") for element in app.markdown)
    app.button(key="start_run").click().run()
    assert not app.exception
    assert watch.changes(before.model_dump(mode="json"), started[0].model_dump(mode="json")) == [("n_groups", 7, 9)]


def test_a_repeated_form_can_be_emptied_again(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    sample = state.library().sample()
    config = finished_run.config().model_copy(update={"interactions": sample.interactions, "preset": "thorough"})
    (finished_run.path / "config.json").write_text(config.model_dump_json(), encoding="utf-8")
    finished_run.write_manifest()
    app = open_train()
    app.button(key="repeat_run").click().run()
    assert app.get_by_key("train_preset").value == "thorough"
    app.button(key="forget_basis").click().run()
    assert not app.exception
    assert app.get_by_key("train_preset").value == "quick"


def test_a_run_whose_file_is_gone_cannot_be_repeated_and_says_why(finished_run: Run) -> None:
    app = open_train()
    app.button(key="repeat_run").click().run()
    assert not app.exception
    assert "planted.csv" in app.error[0].value.replace("\\", "")


def select(app: AppTest, row: int) -> AppTest:
    app.session_state["history"] = {"selection": {"rows": [row], "columns": []}}
    app.run()
    assert not app.exception
    return app


def test_the_history_lists_all_runs_with_state_and_gain(runs_folder: RunStore) -> None:
    build_run(runs_folder, title="Good")
    some_run(runs_folder, State.FAILED, started=10.0, ended=15.0)
    frame = next(frame.value for frame in open_train().dataframe if "gain" in frame.value.columns)
    by_title = frame.set_index("title")
    assert by_title.loc["Good", ["state", "groups", "gain", "tested"]].tolist() == [
        "finished",
        "3",
        pytest.approx(46.4),
        45,
    ]
    assert by_title.loc["Half *done*", ["state", "seconds"]].tolist() == ["failed", 5.0]


def test_a_run_is_deleted_only_after_the_second_click(finished_run: Run) -> None:
    app = select(open_train(), 0)
    assert finished_run.path.exists()
    app.button(key="history_delete").click().run()
    assert not finished_run.path.exists()
    assert not app.warning, "it is not missed where it was deleted"


def test_a_run_can_be_renamed(finished_run: Run) -> None:
    app = select(open_train(), 0)
    app.text_input(key=f"rename.{finished_run.run_id}").set_value("New name")
    app.button(key="history_rename").click().run()
    assert finished_run.title() == "New name"


def test_a_run_keeps_a_note_and_tags_and_the_list_is_filtered_by_them(runs_folder: RunStore) -> None:
    build_run(runs_folder, title="Plain", seed=1)
    run = build_run(runs_folder, title="Marked")
    table = next(frame.value for frame in open_train().dataframe if "gain" in frame.value.columns)
    app = select(open_train(), table["run_id"].tolist().index(run.run_id))
    app.multiselect(key=f"tags.{run.run_id}").set_value([" board  meeting ", "Board meeting", "<b>x</b>"])
    app.text_area(key=f"note.{run.run_id}").set_value(" for *June* ")
    app.button(key="history_annotate").click().run()
    assert not app.exception
    assert run.notes() == Notes("for *June*", ("Board meeting", "<b>x</b>"))
    assert run.damaged() == [], "a note is no result"
    app = open_train()
    offered = [option.content for option in app.get_by_key("history_tags").proto.options]
    assert cards.plain("<b>x</b>") in offered and "<b>x</b>" not in offered, "tags are text"
    app.get_by_key("history_tags").set_value(["Board meeting"]).run()
    table = next(frame.value for frame in app.dataframe if "gain" in frame.value.columns)
    assert table["title"].tolist() == ["Marked"]
    assert table["note"].tolist() == ["for *June*"]


def test_open_leads_to_the_decision_of_that_run(finished_run: Run) -> None:
    app = select(open_train(), 0)
    app.button(key="history_open").click().run()
    assert app.select_slider(key="lists_n")
