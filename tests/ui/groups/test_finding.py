"""Groups: search a user or an item, fly to it, nearest users, two groups, a selection that stays, three dimensions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grouprec.explore.users import Space
from grouprec.report import palette
from grouprec.report.text import group_label
from grouprec.runs.store import Run, RunStore
from grouprec.ui import map_labels
from grouprec.ui.groups import finding, maps, words
from grouprec.ui.map_labels import View
from tests.support.planted_groups import add_users
from tests.support.planted_run import build_run
from tests.ui.opening import figure, numbers, open_page, texts


@pytest.fixture
def run(finished_run: Run) -> Run:
    add_users(finished_run)
    return finished_run


def select(rows: list[int]) -> dict:
    points = [{"customdata": [row]} for row in rows]
    return {"selection": {"points": points, "point_indices": [], "box": [], "lasso": []}}


def test_a_user_is_found_by_the_beginning_of_the_id_and_the_map_flies_there(run: Run) -> None:
    app = open_page("groups")
    whole = figure(app)["layout"]
    assert "range" not in whole["xaxis"]
    app.text_input(key="groups_find").set_value("0001").run()
    assert app.selectbox(key="groups_match").options[0] == "User 00010 · group 2"
    assert app.query_params["find"] == "0001"
    user = run.table("users").iloc[10]
    low, high = figure(app)["layout"]["xaxis"]["range"]
    assert (low + high) / 2 == pytest.approx(user["x"], abs=1e-5)
    assert figure(app)["data"][-1]["marker"]["symbol"] == "star"
    assert numbers(figure(app)["data"][-1]["x"]) == pytest.approx([user["x"]])


def test_a_link_opens_what_was_found(run: Run) -> None:
    app = open_page("groups", find="0001", match="user:00012")
    assert app.selectbox(key="groups_match").value == "user:00012"
    assert "**User 00012** is in 1" in texts(app)


def test_the_users_most_like_a_user_are_listed_with_how_alike_they_are(run: Run) -> None:
    app = open_page("groups", find="00010")
    near = next(table.value for table in app.dataframe if "like" in table.value)
    assert len(near) == 10 and near["like"].is_monotonic_decreasing
    assert set(near["group"]) == {2}
    assert "10 of the 10 users whose predicted tastes are most like theirs" in texts(app)


def test_an_item_lights_up_its_owners_and_greys_out_the_others(run: Run) -> None:
    app = open_page("groups", find="Item 85")
    assert app.selectbox(key="groups_match").value == "item:00085"
    held = add_users(run).histories.toarray()[:, 85] > 0
    grey, *groups = figure(app)["data"]
    assert grey["marker"]["color"] == palette.NEUTRAL
    assert len(numbers(grey["x"])) == (~held).sum()
    assert sum(len(numbers(trace["x"])) for trace in groups) == held.sum()
    assert f"**{held.sum()} users** " in texts(app).replace("**1 users", "**1 user")


def test_nothing_found_is_said_and_draws_the_map_as_it_is(run: Run) -> None:
    app = open_page("groups", find="no such thing")
    assert "No user or item matches." in texts(app)
    assert len(figure(app)["data"]) == 3


def test_items_match_by_all_words_and_the_exact_id_comes_first() -> None:
    items = pd.DataFrame(
        {"item": ["7", "77", "8"], "label": ["Red bag", "Big red bag", "Red 7 hat"], "users": [1, 9, 5]}
    )
    assert finding.find_items(items, "bag red", 5).tolist() == [1, 0]
    assert finding.find_items(items, "7", 5).tolist() == [0, 1, 2]
    assert finding.find_items(items, "  ", 5).tolist() == []


def test_an_older_run_finds_users_but_does_not_say_who_is_like_them(finished_run: Run) -> None:
    app = open_page("groups", find="00010")
    assert "train it again to see it" in texts(app)
    assert app.selectbox(key="groups_view").options == ["Map"]


def test_a_selection_stays_when_the_map_is_coloured_anew_and_goes_when_it_is_cleared(run: Run) -> None:
    app = open_page("groups")
    app.session_state["groups_map"] = select([0, 3])
    app.run()
    assert "2 users selected" in texts(app)
    app.session_state["groups_map"] = select([])  # what the browser says of a new figure
    app.selectbox(key="groups_colour").set_value("spend").run()
    assert "2 users selected" in texts(app)
    assert len(figure(app)["data"][0]["selectedpoints"]) == 2
    app.button(key="groups_clear").click().run()
    assert "selected" not in texts(app)


def test_the_pane_begins_with_what_was_asked_for_last(run: Run) -> None:
    app = open_page("groups")
    app.session_state["groups_map"] = select([0, 3])
    app.run()
    app.text_input(key="groups_find").set_value("0001").run()
    said = texts(app)
    assert said.index("User 0001") < said.index("2 users selected")
    app.session_state["groups_map"] = select([0, 3, 6])
    app.run()
    said = texts(app)
    assert said.index("3 users selected") < said.index("User 0001")


def test_two_groups_stand_side_by_side(run: Run) -> None:
    app = open_page("groups", group="1", against="3")
    said = texts(app)
    assert r"**Bags \& \*lunch\*** and **Tea towels** (30 and 30 users) share 0 of the first 10 items" in said
    assert "8 % of the first are on the border to the second" in said.replace("\u00a0", " ")
    assert len([table for table in app.dataframe if "reach" in table.value]) == 2


def test_the_chosen_group_alone_is_in_colour_where_it_is_asked_for(run: Run) -> None:
    traces = figure(open_page("groups", lit="True", group="2"))["data"]
    assert traces[0]["marker"]["color"] == palette.NEUTRAL
    assert len(numbers(traces[0]["x"])) + len(numbers(traces[2]["x"])) == 88


def test_density_is_one_more_trace_without_hover(run: Run) -> None:
    drawn = figure(open_page("groups", density="True"))["data"]
    assert [trace["type"] for trace in drawn] == ["scattergl"] * 3 + ["contour"]


def test_three_dimensions_say_what_their_axes_are_and_what_is_drawn(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "MOST_IN_SPACE", 40)
    app = open_page("groups", view="space")
    drawn = figure(app)
    assert {trace["type"] for trace in drawn["data"]} == {"scatter3d"}
    assert sum(len(numbers(trace["x"])) for trace in drawn["data"]) == 40
    assert drawn["layout"]["scene"]["xaxis"]["title"]["text"].startswith("direction 1 (")
    assert [label["text"] for label in drawn["layout"]["scene"]["annotations"]] == ["<b>1</b>", "<b>2</b>", "<b>3</b>"]
    assert "40 of 88 users are drawn, chosen at random." in texts(app)


def test_the_map_in_space_is_the_same_every_time() -> None:
    users = pd.DataFrame({"group": [1, 2] * 10, "spend": np.arange(20.0)})
    space = Space(np.arange(60, dtype=np.float32).reshape(20, 3), np.array([0.5, 0.2, 0.1]))
    drawn = [maps.spatial_map(users, space, {1: "a", 2: "b"}, "group", None, 3).figure.to_json() for _ in range(2)]
    assert drawn[0] == drawn[1]


def test_numbers_in_space_leave_out_what_a_larger_group_would_cover() -> None:
    users = pd.DataFrame({"group": np.repeat([1, 2, 3], [5, 9, 6])})
    places = np.repeat([[0.0, 0, 0], [0.1, 0, 0], [9, 9, 9]], [5, 9, 6], axis=0).astype(np.float32)
    drawn = maps.spatial_map(users, Space(places, np.array([0.5, 0.2, 0.1])), {}, "group", None, None)
    assert [label["text"] for label in drawn.figure.layout.scene.annotations] == ["<b>2</b>", "<b>3</b>"]


def test_a_group_without_a_name_bears_its_number_alone() -> None:
    groups, view = np.repeat([1, 2], 20), View((-1.0, 11.0), (-6.0, 6.0))
    x, y = np.repeat([0.0, 8.0], 20), np.zeros(40)
    found = map_labels.labels(x, y, groups, np.arange(40), {1: "Group 1", 2: "Towels"}, view)
    assert [label["text"] for label in found] == ["<b>1</b>", "<b>2</b>", "<b>2</b> <span>Towels</span>"]
    assert (group_label(1, "Group 1"), group_label(2, "Towels"), group_label(3, "Group 1")) == (
        "Group 1",
        "2: Towels",
        "3: Group 1",
    )


def test_labels_thin_out_where_they_would_cover_one_another() -> None:
    groups = np.repeat([1, 2, 3], [30, 20, 10])
    x, y = np.repeat([0.0, 0.001, 5.0], [30, 20, 10]), np.zeros(60)
    view = View((-1.0, 11.0), (-6.0, 6.0))
    names = {1: "Bags", 2: "Lights", 3: "Towels"}
    found = [label["text"] for label in map_labels.labels(x, y, groups, np.arange(60), names, view)]
    assert found == ["<b>1</b>", "<b>3</b>", "<b>1</b> <span>Bags</span>", "<b>3</b> <span>Towels</span>"]
    low = [label["text"] for label in map_labels.labels(x, y, groups, np.arange(60), names, view, height=100)]
    assert low[:2] == ["<b>1</b>", "<b>3</b>"] and len(low) == 3, "a lower map has less room"
    nearer = View((-0.001, 0.002), (-0.001, 0.001))
    near = map_labels.labels(x, y, groups, np.arange(60), names, nearer)
    assert {label["text"] for label in near} >= {"<b>1</b>", "<b>2</b>"}


def test_a_name_that_would_reach_over_the_edge_is_left_out() -> None:
    x, y, groups = np.full(5, 9.9), np.zeros(5), np.ones(5, np.int64)
    (label,) = map_labels.labels(x, y, groups, np.arange(5), {1: "A long name"}, View((0.0, 10.0), (-5.0, 5.0)))
    assert label["text"] == "<b>1</b>"


def test_who_is_inside_an_outline_is_found_also_where_they_are_not_drawn() -> None:
    users = pd.DataFrame({"x": [0.5, 1.5, 0.2, np.nan], "y": [0.5, 0.5, 0.9, 0.5]})
    triangle = {"x": [0, 1, 1], "y": [0, 0, 0.4]}
    event = {"selection": {"points": [], "box": [], "lasso": [triangle]}}
    assert maps.inside(event, users).tolist() == []
    square = {"x": [0, 1, 1, 0], "y": [0, 0, 1, 1]}
    assert maps.inside({"selection": {"points": [], "box": [], "lasso": [square]}}, users).tolist() == [0, 2]
    box = {"x": [2, 1], "y": [0, 1]}
    assert maps.inside({"selection": {"points": [], "box": [box], "lasso": []}}, users).tolist() == [1]


def test_owners_in_words() -> None:
    parts = pd.DataFrame({"group": [2], "name": ["Lights"], "users": [4], "share": [1.0], "share_of_group": [0.2]})
    assert "all of them are in 2" in words.owners_answer("Lamp", 4, 40, parts)
    assert words.owners_answer("Lamp", 0, 40, parts) == "Nobody who took part in training has **Lamp**."


def test_ten_times_the_users_stay_one_message_of_reasonable_size(runs_folder: RunStore) -> None:
    build_run(runs_folder, n_users=900)
    app = open_page("groups", density="True")
    assert len(app.get("plotly_chart")[0].proto.spec) < 200_000
