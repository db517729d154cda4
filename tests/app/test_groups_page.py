"""Groups: who are my users? The map, what is selected on it, the cards."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fake_run import HOSTILE_LABELS, build_run
from opening import figure, open_page, texts

from grouprec.runs import Run, RunStore
from grouprec.ui import charts, palette, shaping


def select(rows: list[int]) -> dict:
    """Return what the browser sends for selected points (typed arrays arrive as one-element lists)."""
    return {
        "selection": {"points": [{"customdata": [row]} for row in rows], "point_indices": [], "box": [], "lasso": []}
    }


def test_the_first_line_answers_who_the_users_are(finished_run: Run) -> None:
    app = open_page("groups")
    assert app.markdown[0].value.startswith(r"## Your 90 users fall into 3 groups: the largest, **Bags \& \*lunch\***")


def test_every_group_is_one_webgl_trace_in_its_colour_with_user_rows(finished_run: Run) -> None:
    drawn = charts.user_map(finished_run.table("users"), {1: "a", 2: "b", 3: "c"})
    groups = finished_run.table("users")["group"]
    assert [trace.type for trace in drawn.figure.data] == ["scattergl"] * 3
    for group, trace in enumerate(drawn.figure.data, start=1):
        assert trace.marker.color == palette.group_colour(group)
        assert trace.x.dtype == np.float32
        assert trace.customdata.dtype == np.int32
        assert set(groups.iloc[trace.customdata]) == {group}
    assert (drawn.drawn, drawn.placed) == (88, 88)


def test_the_figure_is_identical_across_reruns_so_that_a_selection_stays(finished_run: Run) -> None:
    app = open_page("groups")
    before = app.get("plotly_chart")[0].proto.spec
    app.session_state["groups_map"] = select([0, 1])
    app.run()
    assert app.get("plotly_chart")[0].proto.spec == before


def test_more_users_than_can_be_drawn_are_sampled_the_same_way_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "MOST_POINTS", 10)
    users = pd.DataFrame({"x": np.arange(40.0), "y": 0.0, "group": np.arange(40) % 2 + 1})
    maps = [charts.user_map(users, {1: "a", 2: "b"}) for _ in range(2)]
    assert (maps[0].drawn, maps[0].placed) == (10, 40)
    assert maps[0].figure.to_json() == maps[1].figure.to_json()


def test_the_page_says_what_is_not_drawn(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charts, "MOST_POINTS", 50)
    said = texts(open_page("groups"))
    assert "50 of 88 users are drawn, chosen at random." in said
    assert "Not on the map: 2 users who joined a group later." in said


def test_a_number_is_coloured_by_a_scale_and_a_text_by_its_most_frequent_values(finished_run: Run) -> None:
    app = open_page("groups")
    app.selectbox(key="groups_colour").set_value("spend").run()
    assert len(figure(app)["data"]) == 1
    assert figure(app)["data"][0]["marker"]["colorscale"]
    app.selectbox(key="groups_colour").set_value("Country").run()
    assert [trace["name"] for trace in figure(app)["data"]] == ["United Kingdom", "France", "other or missing"]
    assert not app.exception


def test_missing_and_rare_values_share_the_grey_trace() -> None:
    values = pd.Series([*"aabbccddeeffgghh", "rare", None], dtype="str")
    users = pd.DataFrame({"x": 1.0, "y": np.arange(18.0), "group": 1, "letter": values})
    traces = charts.user_map(users, {1: "all"}, "letter").figure.data
    assert len(traces) == charts.MOST_CATEGORIES + 1
    assert list(traces[-1].customdata) == [16, 17]
    assert traces[-1].marker.color == palette.NEUTRAL


def test_a_selection_shows_its_groups_and_its_users(finished_run: Run) -> None:
    app = open_page("groups")
    assert not app.get("download_button")
    app.session_state["groups_map"] = select([0, 3, 6, 1])
    app.run()
    assert r"**4 users selected** from 2 groups; 75 % are in Bags \& \*lunch\*." in texts(app)
    behind = next(table.value for table in app.dataframe if "user" in table.value)
    assert behind["user"].tolist() == ["00000", "00001", "00003", "00006"]
    assert [button.label for button in app.get("download_button")] == ["Download these users"]


def test_composition_counts_users_by_group(finished_run: Run) -> None:
    parts = shaping.composition(finished_run.table("users"), np.array([0, 3, 6, 1]), finished_run.table("groups"))
    assert parts["group"].tolist() == [1, 2]
    assert parts["share"].tolist() == [0.75, 0.25]
    assert parts["share_of_group"].tolist() == [3 / 30, 1 / 30]


def test_nothing_selected_is_nothing_shown() -> None:
    assert charts.selected_rows(None).size == 0
    assert charts.selected_rows(select([])).size == 0
    assert charts.selected_rows(select([5, 2, 5])).tolist() == [2, 5]


def test_a_card_says_what_sets_the_group_apart_and_links_to_its_list(finished_run: Run) -> None:
    app = open_page("groups", run=finished_run.run_id)
    said = texts(app)
    assert "Item 7 · 48\u00a0%\u00a0·\u00a04.8×" in said
    assert "Country France · 60\u00a0%\u00a0·\u00a02.0×" in said
    assert "region" not in said
    links = [link.proto for link in app.get("page_link")]
    assert [link.label for link in links] == ["Show list"] * 3
    assert f"run={finished_run.run_id}" in links[1].query_string
    assert "group=2" in links[1].query_string


def test_labels_from_the_data_are_shown_letter_by_letter(finished_run: Run) -> None:
    said = texts(open_page("groups"))
    for label in HOSTILE_LABELS[:3]:
        assert label not in said
    assert r"\<b\>Bold bag\<\/b\>" in said
    assert charts.literal("<a href='x'>&") == "&lt;a href='x'&gt;&amp;"


def test_many_groups_come_a_page_at_a_time(runs_folder: RunStore) -> None:
    build_run(runs_folder, n_users=120, n_groups=30)
    app = open_page("groups")
    assert len(app.get("page_link")) == 24
    assert len(figure(app)["data"]) == 30


def test_a_run_without_map_positions_lists_its_groups(runs_folder: RunStore) -> None:
    run = build_run(runs_folder)
    run.save_table("users", run.table("users").assign(x=np.nan, y=np.nan))
    app = open_page("groups")
    assert "no map" in app.info[0].value
    assert len(app.dataframe[0].value) == 3


def test_group_colours_are_distinct_and_start_again_with_another_marker() -> None:
    assert len(set(palette.COLOURS)) == len(palette.COLOURS) == 60
    assert palette.group_colour(61) == palette.group_colour(1)
    assert palette.group_symbol(61) != palette.group_symbol(60) == palette.group_symbol(1)
