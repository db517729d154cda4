"""The Train page: starting, watching, cancelling, resuming, the queue, repeating, the history."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from grouprec.core.load import Load
from grouprec.live.stream import Stream
from grouprec.ranking.rules import ListRules
from grouprec.ranking.strategies import STRATEGIES
from grouprec.runs.config import RunConfig
from grouprec.runs.store import Run, RunStore, State
from grouprec.training import cost, jobs
from grouprec.training.reuse import learned_before
from grouprec.ui import state
from tests.support.planted_run import build_run
from tests.support.small_run import copy_of
from tests.ui.opening import FRAME, PATIENCE, visit
from tests.ui.train.opening import open_train, running, some_run, trial_events


def answer(app: AppTest) -> str:
    """Return the page's first line, as people read it."""
    first = next(element.value for element in app.main.markdown if element.value.startswith("#"))
    return first.lstrip("# ").replace("\\", "").replace("\u00a0", " ")


# -- starting


def test_the_page_says_what_a_run_will_cost(runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "calibrate", lambda: 1.0)
    app = open_train()
    monkeypatch.setattr(cost, "at_work", lambda: Load(0.0, 0.0, 2))
    app.run()
    assert answer(app) == "A quick run on Online Retail (sample) takes 85 s to 13 min on this machine."
    assert any("rough guess" in one.value and "1.5 GB of memory" in one.value.replace("\\", "") for one in app.caption)
    quick = answer(app)
    app.get_by_key("train_preset").set_value("thorough").run()
    assert "thorough" in answer(app) and answer(app) != quick


def test_what_an_earlier_run_learned_is_told_before_the_start(
    runs_folder: RunStore, small_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = copy_of(small_run, runs_folder)
    entry = state.library().add("small.csv", before.config().interactions.open("rb"))
    choices = before.config().model_dump(mode="json") | {"interactions": str(entry.interactions), "title": "Before"}
    monkeypatch.setattr(cost, "learned_before", lambda config, runs: learned_before(RunConfig(**choices), runs))
    (before.path / "config.json").write_text(RunConfig(**choices).model_dump_json(), encoding="utf-8")
    before.write_manifest()
    app = open_train(dataset=entry.key)
    assert any("What “Before” has learned of tastes is re" in one.value for one in app.caption)


def test_a_file_without_a_user_leads_back_to_data(runs_folder: RunStore) -> None:
    entry = state.library().add("x.csv", io.BytesIO(b"when,amount\n" + b"2024-01-01,1\n" * 40))
    app = visit("train", dataset=entry.key)
    assert "cannot start yet" in answer(app)
    assert "choose it for “User” under Columns" in app.error[0].value.replace("\\", "")
    assert [one.key for one in app.button if one.proto.type == "primary"] == ["mend_data"]


def test_there_is_one_primary_button(runs_folder: RunStore) -> None:
    assert [one.key for one in open_train().button if one.proto.type == "primary"] == ["start_run"]


def test_a_run_that_will_not_fit_says_so_and_what_would(runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "free_memory", lambda: 1_500_000_000)
    app = open_train()
    assert "will not fit" in answer(app) and "fits without EASE" in answer(app)
    assert not app.warning, "once is enough"
    running(runs_folder)
    assert "fits without EASE" in open_train().warning[0].value


def test_what_this_machine_can_never_hold_starts_only_where_somebody_insists(
    runs_folder: RunStore, started: list[RunConfig], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not [box for box in open_train().checkbox if box.key == "train_anyway"]
    monkeypatch.setattr(cost, "all_memory", lambda: 1_000_000_000)
    monkeypatch.setattr(cost, "free_memory", lambda: 1_000_000_000)
    app = open_train()
    assert "will not fit" in answer(app) and app.button(key="start_run").disabled
    app.checkbox(key="train_anyway").check().run()
    app.button(key="start_run").click().run()
    assert not app.exception and len(started) == 1


def test_start_sends_the_choices_and_only_changed_settings(runs_folder: RunStore, started: list[RunConfig]) -> None:
    app = open_train()
    app.get_by_key("train_preset").set_value("standard").run()
    app.get_by_key("train_groups").set_value("fixed").run()
    app.number_input(key="train_n_groups").set_value(7)
    app.get_by_key("train_encoding").set_value("chosen").run()
    app.get_by_key("train_encoders").set_value(["dnn"]).run()
    app.text_input(key="train_title").set_value(" Autumn ")
    app.number_input(key="train.standard.encoder.dnn.epochs").set_value(3)
    app.button(key="start_run").click().run()
    assert not app.exception
    (config,) = started
    assert (config.preset, config.n_groups, config.encoders, config.title) == ("standard", 7, ("dnn",), "Autumn")
    assert config.settings == {"dnn": {"epochs": 3}}
    assert config.refit
    assert (config.repeats, config.search_minutes, config.rules) == (False, 0.0, ListRules())
    assert config.interactions.name == "online_retail.parquet"


def test_the_run_decides_everything_where_nothing_is_chosen(runs_folder: RunStore, started: list[RunConfig]) -> None:
    app = open_train()
    assert "EASE" in next(element.value for element in app.caption if "Trains and blends" in element.value)
    app.button(key="start_run").click().run()
    assert not app.exception
    (config,) = started
    assert (config.encoders, config.n_groups, config.grouper) == (("auto",), "auto", "lists")


def test_feedback_on_an_earlier_run_can_count_in_the_next(
    small_run: Run, runs_folder: RunStore, started: list[RunConfig]
) -> None:
    run = copy_of(small_run, runs_folder)
    app = open_train()
    assert "train_feedback" not in {element.key for element in app.selectbox}, "nobody has said anything yet"
    with Stream.open(runs_folder, run) as stream:
        stream.apply([{"group": 1, "item": run.table("items")["item"].iloc[0], "behaviour": "hide"}])
    app = open_train()
    app.selectbox(key="train_feedback").set_value(run.run_id)
    app.button(key="start_run").click().run()
    assert not app.exception
    assert started[0].feedback == run.run_id


def test_repeats_search_and_list_rules_reach_the_run(runs_folder: RunStore, started: list[RunConfig]) -> None:
    app = open_train()
    app.get_by_key("train_preset").set_value("thorough").run()
    app.number_input(key="train_search.thorough").set_value(12.0)
    app.toggle(key="train_repeats").set_value(True)
    app.selectbox(key="train_grouper").set_value("kmeans")
    app.selectbox(key="train_regime").set_value("dedup")
    app.selectbox(key="train_strategy").set_value("gfar")
    app.slider(key="train_diversity").set_value(0.25)
    app.multiselect(key="train_label_words").set_value(["POSTAGE", "  manual "])
    app.multiselect(key="train_categories").set_value(["kind=toy"])
    app.multiselect(key="train_items").set_value(["85123A"])
    app.number_input(key="train_owned_share").set_value(60)
    app.button(key="start_run").click().run()
    assert not app.exception
    (config,) = started
    assert (config.repeats, config.search_minutes, config.grouper, config.regime) == (True, 12.0, "kmeans", "dedup")
    assert config.rules == ListRules(
        strategy="gfar",
        diversity=0.25,
        label_words=("POSTAGE", "manual"),
        categories=("kind=toy",),
        items=("85123A",),
        owned_share=0.6,
    )


def test_a_strategy_is_explained_and_a_bad_rule_is_one_sentence(
    runs_folder: RunStore, started: list[RunConfig]
) -> None:
    app = open_train()
    app.selectbox(key="train_strategy").set_value("borda").run()
    captions = [element.value.replace("\\", "") for element in app.caption]
    assert any(text.startswith(STRATEGIES["borda"].explanation) for text in captions)
    app.multiselect(key="train_categories").set_value(["toys"])
    app.button(key="start_run").click().run()
    assert not app.exception
    assert "column=value" in app.error[0].value.replace("\\", "")
    assert not started


def test_quick_runs_do_not_search(runs_folder: RunStore) -> None:
    app = open_train()
    assert not [field for field in app.number_input if "train_search" in str(field.key)]
    app.get_by_key("train_preset").set_value("standard").run()
    assert app.number_input(key="train_search.standard").value == 0


def test_a_started_run_is_watched_and_its_id_is_in_the_url(runs_folder: RunStore, started: list[RunConfig]) -> None:
    app = open_train()
    app.button(key="start_run").click().run()
    assert str(runs_folder.runs()[0].run_id) in str(app.query_params["run"])
    assert "0 % done" in answer(app)
    assert app.button(key="cancel_run")
    assert app.button(key="start_run").label == "Add to the queue"


# -- watching


def open_details(app: AppTest, run: Run) -> AppTest:
    """Open what is behind the five steps."""
    app.session_state[f"run_details.{run.run_id}"] = True
    return app.run()


def test_a_reload_in_the_middle_of_training_finds_the_run_again(runs_folder: RunStore) -> None:
    build_run(runs_folder)
    run = running(runs_folder)
    app = open_train(run=run.run_id)
    assert answer(app) == "43 % done, about 57 s left. Now: forming groups."
    assert any("**Reading the data**  \n:small[re-used]" in element.value for element in app.markdown)
    assert any("Re\\-used from earlier runs\\: Data" in element.value for element in app.caption)
    open_details(app, run)
    stages = next(frame.value for frame in app.dataframe if "stage" in frame.value.columns).set_index("stage")
    assert stages.loc["Data"].tolist() == ["✓ re-used", 3.25]
    assert stages.loc["Profile", "state"] == "● running"
    assert stages.loc["Judge: Profile", "state"] == "waiting"
    assert stages.loc["Saving", "state"] == "waiting"
    assert len(app.get("plotly_chart")) == 1


def test_an_active_run_is_shown_whatever_the_url_says(runs_folder: RunStore) -> None:
    finished = build_run(runs_folder)
    running(runs_folder)
    assert "43 % done" in answer(open_train(run=finished.run_id))


def test_cancel_stops_the_run(runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run = running(runs_folder)
    monkeypatch.setattr(jobs, "cancel", lambda run: run.set_status(state=State.CANCELLED, seconds_left=None))
    app = open_train(run=run.run_id)
    app.button(key="cancel_run").click().run()
    assert not app.exception
    assert run.status().state is State.CANCELLED
    assert app.button(key="resume_run")
    assert not app.button(key="start_run").disabled


def test_a_run_of_which_nobody_knows_whether_it_still_trains_says_so(runs_folder: RunStore) -> None:
    run = running(runs_folder)
    run.set_status(pid=None, process="ray:job@http://127.0.0.1:9")
    app = open_train(run=run.run_id)
    assert not app.exception
    (told,) = (element.value.replace("\\", "") for element in app.warning if "still trains" in element.value)
    assert told.startswith("Whether this run still trains is not known. The Ray cluster at http")
    assert app.button(key="cancel_run")


def test_when_the_run_ends_the_page_offers_its_groups(runs_folder: RunStore) -> None:
    run = running(runs_folder)
    app = open_train(run=run.run_id)
    run.set_status(state=State.DONE, fraction=1.0, started=100.0, ended=141.0)
    run.write_manifest()
    app.run()
    assert not app.exception
    assert app.button(key="open_decide")
    assert any("finished in 41 s" in element.value.replace("\\", "") for element in app.markdown)


@pytest.mark.parametrize("run_state", [State.FAILED, State.LOST, State.CANCELLED])
def test_an_unfinished_run_can_be_resumed(
    runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch, run_state: State
) -> None:
    resumed: list[str] = []
    monkeypatch.setattr(jobs, "resume", lambda store, run: resumed.append(run.run_id))
    run = some_run(runs_folder, run_state, fraction=0.3, message="The *disk* is full.")
    app = open_train(run=run.run_id)
    assert any("at 30" in element.value for element in app.markdown)
    assert any("Resume goes on" in one.value or "resume goes on" in one.value for one in app.markdown)
    assert any("Learning tastes" in one.value for one in app.markdown), "the five steps"
    app.button(key="resume_run").click().run()
    assert resumed == [run.run_id]


def test_a_run_whose_config_is_damaged_does_not_break_the_page(runs_folder: RunStore) -> None:
    run = some_run(runs_folder, State.FAILED)
    (run.path / "config.json").write_text('{"nonsense": 1}', encoding="utf-8")
    app = open_train(run=run.run_id)
    assert not app.exception
    assert not app.button(key="start_run").disabled


# -- the queue


def waiting(store: RunStore, title: str, place: float) -> Run:
    config = RunConfig(interactions=Path("x.csv"), title=title, dataset="x.csv", preset="quick")
    return store.create(config, place=place)


def test_waiting_runs_stand_in_their_order_and_can_be_moved_or_taken_out(runs_folder: RunStore) -> None:
    running(runs_folder).set_status(pid=os.getpid())
    first, second = waiting(runs_folder, "One", 1.0), waiting(runs_folder, "*Two*", 2.0)
    app = open_train()
    said = [element.value.replace("\\", "") for element in app.markdown]
    assert said.index("1. One") < said.index("2. *Two*")
    app.button(key=f"first.{second.run_id}").click().run()
    assert [run.run_id for run in jobs.queue(runs_folder)] == [second.run_id, first.run_id]
    app.button(key=f"unqueue.{second.run_id}").click().run()
    assert not app.exception
    assert second.status().state is State.CANCELLED
    assert [run.run_id for run in jobs.queue(runs_folder)] == [first.run_id]


def test_other_pages_say_that_a_run_waits(runs_folder: RunStore) -> None:
    running(runs_folder).set_status(pid=os.getpid())
    run = waiting(runs_folder, "One", 1.0)
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE).run()
    app.switch_page(state.page_path("groups"))
    app.query_params["run"] = run.run_id
    app.run()
    assert not app.exception
    assert [element.value for element in app.subheader] == ["This run waits for its turn"]


def test_a_finished_run_stays_in_sight_while_the_next_one_trains(runs_folder: RunStore) -> None:
    finished = build_run(runs_folder)
    running(runs_folder)
    app = open_train(run=finished.run_id)
    assert "43 % done" in answer(app)
    assert app.button(key="open_decide")


# -- a run again


# -- the history


def test_trials_are_shown_while_they_come(runs_folder: RunStore) -> None:
    run = running(runs_folder)
    for event in trial_events():
        run.add_event(**event)
    app = open_details(open_train(run=run.run_id), run)
    assert any(element.value.startswith("**Search\\: EASE**") for element in app.caption)
    table = next(frame.value for frame in app.dataframe if "trial" in frame.value.columns)
    assert table["trial"].tolist() == [2, 3, 1]
