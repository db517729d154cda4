"""Groups: people rename, describe, merge, split and form groups, take it back, and see it everywhere."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from grouprec.explore.edited_tables import EditedRun
from grouprec.explore.edits import Edit, EditHistory
from grouprec.report import palette
from grouprec.runs.store import Run, RunStore
from grouprec.ui import feedback
from grouprec.ui.groups import words as groups_words
from tests.support.planted_groups import add_users
from tests.support.small_run import copy_of
from tests.ui.opening import figure, open_page, texts, visit


@pytest.fixture
def run(finished_run: Run) -> Run:
    """Return a run that keeps its users and has all tables of a portrait."""
    add_users(finished_run)
    return finished_run


def table_of_groups(app: AppTest) -> dict[int, str]:
    """Return the names by group that the page's table shows."""
    table = next(frame.value for frame in app.dataframe if "size" in frame.value)
    return dict(zip(table["group"], table["name"], strict=True))


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception and not app.error


def test_a_run_that_nobody_has_edited_says_nothing_of_edits(run: Run) -> None:
    app = open_page("groups")
    assert "Groups are as they were trained." not in texts(app)
    assert not {"groups_undo", "groups_redo"} & {button.key for button in app.button}


def test_renaming_and_describing_shows_at_once_and_keeps_markup_as_text(run: Run) -> None:
    app = open_page("groups", group="2")
    app.text_input(key="groups_name_2").set_value("<b>Candle</b> people")
    app.text_area(key="groups_description_2").set_value("They buy *early*.")
    next(button for button in app.button if button.label == "Save").click().run()
    assert not app.exception and not app.error
    assert table_of_groups(app)[2] == "<b>Candle</b> people"
    said = texts(app)
    assert r"They buy \*early\*\." in said and "2 edits of names and descriptions" in said
    assert r"\<b\>Candle\<\/b\> people" in said


def test_merging_splitting_and_undoing_on_the_page(run: Run) -> None:
    app = open_page("groups", group="1")
    app.multiselect(key="groups_merge_1").set_value([2]).run()
    press(app, "groups_merge_now_1")
    assert set(table_of_groups(app)) == {1, 3}
    assert "group 1 has other members than in training" in texts(app)
    assert "remain those of the trained groups" in texts(app)
    press(app, "groups_split_1")
    assert set(table_of_groups(app)) == {1, 3, 4}
    assert {trace["marker"]["color"] for trace in figure(app)["data"]} == {
        palette.group_colour(number) for number in (1, 3, 4)
    }
    press(app, "groups_undo")
    press(app, "groups_undo")
    assert table_of_groups(app) == {1: "Bags & *lunch*", 2: "Lights, candles", 3: "Tea towels"}
    assert "Groups are as they were trained." in texts(app)
    press(app, "groups_redo")
    assert set(table_of_groups(app)) == {1, 3}


def test_a_selection_becomes_a_group_with_the_given_name(run: Run) -> None:
    app = open_page("groups")
    chosen = [{"customdata": [row]} for row in (0, 1, 3, 4)]
    app.session_state["groups_map"] = {"selection": {"points": chosen, "point_indices": [], "box": [], "lasso": []}}
    app.run()
    app.text_input(key="groups_form_name").set_value("Hand-picked")
    next(button for button in app.button if button.label == "Make a group of 4 users").click().run()
    assert not app.exception and not app.error
    assert table_of_groups(app)[4] == "Hand-picked"
    assert "4 users selected" not in texts(app)


def test_what_is_not_possible_is_said_in_one_sentence_and_changes_nothing(run: Run) -> None:
    app = open_page("groups", group="2")
    app.text_input(key="groups_name_2").set_value("Tea towels")
    next(button for button in app.button if button.label == "Save").click().run()
    assert [error.value for error in app.error] == [r"Group 3 is called \'Tea towels\' already\; choose another name\."]
    assert not app.exception
    assert not (run.path / "curation.json").exists()


def test_the_recommendations_page_offers_the_edited_groups(run: Run) -> None:
    EditedRun(run, EditHistory()).change(Edit("merge", (1, 2)))
    page = open_page("recommendations")
    assert page.selectbox(key="list_group").options == [r"1: Bags & *lunch*", "3: Tea towels"]


def test_an_older_run_cannot_be_edited(finished_run: Run) -> None:
    app = open_page("groups")
    assert not app.exception
    assert not [button for button in app.button if button.key == "groups_undo"]


def test_a_damaged_file_of_edits_is_named_on_the_page(run: Run) -> None:
    (run.path / "curation.json").write_text("{")
    assert "is damaged" in visit("groups").error[0].value


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (Edit("rename", (2,), "Candles"), "rename 2: Candles"),
        (Edit("merge", (1, 2)), "merge 1 and 2"),
        (Edit("split", (3,), "x", (1,)), "split 3"),
        (Edit("form", text="Mine", rows=(1,)), "new group: Mine"),
        (Edit("describe", (3,), "x"), "describe 3"),
    ],
)
def test_an_edit_is_told_in_a_few_words(edit: Edit, words: str) -> None:
    assert groups_words.edit_words(edit) == words


def test_many_edited_groups_are_not_all_named(run: Run) -> None:
    grouping = EditedRun(run, EditHistory()).trained
    edits = [Edit("form", text=f"New {at}", rows=(at,)) for at in range(8)]
    said = groups_words.edits_answer(EditHistory(tuple(edits)), grouping.replay(edits))
    assert said.startswith("8 edits: groups 1, 2, 3, 4, 5, 6 and others have other members")


def test_a_user_of_a_new_group_is_judged_in_the_group_that_live_updates_know(
    small_run: Run, runs_folder: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = copy_of(small_run, runs_folder)
    first = run.table("users").iloc[0]
    EditedRun(run, EditHistory()).change(Edit("form", text="New", rows=(0, 1)))
    told = []
    monkeypatch.setattr(feedback, "user_list", lambda run, user, group, own: told.append((user, group)))
    app = open_page("recommendations", run=run.run_id, group="5", part="feedback")
    assert "Feedback and live updates know the groups as they were trained" in texts(app)
    open_page("recommendations", run=run.run_id, group="5", user=str(first["user"]))
    assert not [control for control in app.segmented_control if control.key == "feedback_method"]
    assert set(told) == {(first["user"], first["group"])}
