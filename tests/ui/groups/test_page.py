"""Groups: who are my users? The map, what is selected on it, the cards."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from grouprec.report import palette, sentences, tables
from grouprec.report.text import literal
from grouprec.runs.store import Run, RunStore
from grouprec.ui import map_figure, map_picture
from grouprec.ui.groups import portrait_charts
from grouprec.ui.map_labels import View
from tests.support.planted_run import HOSTILE_LABELS, N_TESTS, build_run
from tests.support.schemas import make_older
from tests.ui.opening import figure, numbers, open_page, texts


def select(rows: list[int]) -> dict:
    """Return what the browser sends for selected points (typed arrays arrive as one-element lists)."""
    return {
        "selection": {"points": [{"customdata": [row]} for row in rows], "point_indices": [], "box": [], "lasso": []}
    }


def test_the_first_line_answers_who_the_users_are(finished_run: Run) -> None:
    app = open_page("groups")
    first = next(element.value for element in app.markdown if element.value.startswith("## "))
    assert first.startswith(r"## Your 90 users fall into 3 groups: the largest, **Bags \& \*lunch\***")


def test_every_group_is_one_webgl_trace_in_its_colour_with_user_rows(finished_run: Run) -> None:
    drawn = map_figure.user_map(finished_run.table("users"), {1: "a", 2: "b", 3: "c"})
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


def test_more_users_than_points_are_a_picture_whose_cells_can_be_pointed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_figure, "MOST_POINTS", 10)
    users = pd.DataFrame({"x": np.repeat([0.0, 1.0], 20), "y": 0.0, "group": [*[1] * 15, *[2] * 25]})
    maps = [map_figure.user_map(users, {1: "a", 2: "b"}) for _ in range(2)]
    assert (maps[0].drawn, maps[0].placed) == (0, 40)
    assert maps[0].figure.to_json() == maps[1].figure.to_json()
    assert len(maps[0].figure.layout.images) == 1
    said = [(list(one.customdata), one.text) for one in maps[0].figure.data]
    assert said == [([14], ("20",)), ([39], ("20",))]
    assert maps[0].cells is not None
    assert np.flatnonzero(maps[0].cells == maps[0].cells[14]).tolist() == list(range(20))
    legend = map_figure.user_map(users.assign(kind=["x", "y"] * 20), {1: "a", 2: "b"}, "kind").figure
    assert [one.name for one in legend.data if one.showlegend is None] == ["x", "y"]


def test_a_cell_has_the_colour_of_most_of_its_users_and_the_more_the_fuller() -> None:
    grid = map_picture.Grid(View((0.0, 4.0), (0.0, 1.0)), 4, 1)
    x, y = np.array([0.5] * 5 + [1.5] * 2 + [2.5]), np.full(8, 0.5)
    parts = [("a", np.array([0, 1, 5]), {"color": "#ff0000"}), ("b", np.array([2, 3, 4, 7]), {"color": "#0000ff"})]
    painted = map_picture.paint(grid, x, y, [map_picture.Layer(parts)])[0]
    assert painted[:, :3].tolist() == [[0, 0, 255], [255, 0, 0], [0, 0, 255], [0, 0, 0]]
    assert 255 == painted[0, 3] > painted[2, 3] > painted[3, 3] == 0
    values = {"color": np.array([1.0, np.nan, 9, 9, 9, 9, 9, np.nan]), "cmin": 1, "cmax": 9}
    means = map_picture.paint(grid, x, y, [map_picture.Layer([("n", np.arange(8), values)])])[0, :, :3]
    ends = [[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in (palette.SCALE[-1], palette.NEUTRAL)]
    assert means[1:3].tolist() == ends
    with Image.open(BytesIO(map_picture.png(painted[None]))) as read:
        assert np.array_equal(np.asarray(read)[0], painted)


def test_an_outline_on_a_picture_holds_everybody_within_and_a_closer_look_draws_them(
    finished_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_figure, "MOST_POINTS", 50)
    app = open_page("groups")
    said = texts(app)
    assert "A place has the colour of most users, or of their mean, the fuller the more of the 88 are there." in said
    assert "Not on the map: 2 users who joined a group later." in said
    users = finished_run.table("users")
    x, y = (users.loc[users["group"] == 3, name] for name in "xy")
    sides = {"x": [x.min() - 0.1, x.max() + 0.1], "y": [y.min() - 0.1, y.max() + 0.1]}
    sides = {name: [float(end) for end in ends] for name, ends in sides.items()}
    app.session_state["groups_map"] = {"selection": {"points": [], "point_indices": [], "box": [sides], "lasso": []}}
    app.run()
    inside = users["x"].between(*sides["x"]) & users["y"].between(*sides["y"])
    assert f"**{inside.sum()} users selected**" in texts(app)
    app.button(key="groups_closer").click().run()
    assert "Of those in view, each is a point." in texts(app)
    points = [row for trace in figure(app)["data"] if "selectedpoints" in trace for row in numbers(trace["customdata"])]
    assert set(np.flatnonzero(inside)) <= set(points)
    app.button(key="groups_whole").click().run()
    assert "each is a point" not in texts(app)


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
    traces = map_figure.user_map(users, {1: "all"}, "letter").figure.data
    assert len(traces) == map_figure.MOST_CATEGORIES + 1
    assert list(traces[-1].customdata) == [16, 17]
    assert traces[-1].marker.color == palette.NEUTRAL


def test_a_selection_shows_its_groups_and_its_users(finished_run: Run) -> None:
    app = open_page("groups")
    assert "selected" not in texts(app)
    app.session_state["groups_map"] = select([0, 3, 6, 1])
    app.run()
    assert r"**4 users selected** from 2 groups; 75 % are in Bags \& \*lunch\*." in texts(app)
    behind = next(table.value for table in app.dataframe if "user" in table.value)
    assert behind["user"].tolist() == ["00000", "00001", "00003", "00006"]
    assert "Download these users" in [button.label for button in app.get("download_button")]


def test_composition_counts_users_by_group(finished_run: Run) -> None:
    parts = tables.composition(finished_run.table("users"), np.array([0, 3, 6, 1]), finished_run.table("groups"))
    assert parts["group"].tolist() == [1, 2]
    assert parts["share"].tolist() == [0.75, 0.25]
    assert parts["share_of_group"].tolist() == [3 / 30, 1 / 30]


def test_nothing_selected_is_nothing_shown() -> None:
    assert map_figure.selected_rows(None).size == 0
    assert map_figure.selected_rows(select([])).size == 0
    assert map_figure.selected_rows(select([5, 2, 5])).tolist() == [2, 5]


def open_wall(**query: str) -> AppTest:
    """Return the Groups page with the cards of all groups open, which are made only then."""
    app = open_page("groups", **query)
    app.session_state["groups_wall"] = True
    app.run()
    assert not app.exception
    return app


def test_a_card_says_what_sets_the_group_apart_and_links_to_its_list(finished_run: Run) -> None:
    app = open_wall(run=finished_run.run_id)
    said = texts(app)
    assert "Item 7 · 48 % · 4.8×" in said
    assert "Country France · 60 % · 2.0×" in said
    assert "region" not in said
    links = [link.proto for link in app.main.get("page_link")]
    assert [link.label for link in links] == ["Show its list", *["Show list"] * 3]
    assert f"run={finished_run.run_id}" in links[2].query_string
    assert "group=2" in links[2].query_string


def test_labels_from_the_data_are_shown_letter_by_letter(finished_run: Run) -> None:
    said = texts(open_wall())
    for label in HOSTILE_LABELS[:3]:
        assert label not in said
    assert r"\<b\>Bold bag\<\/b\>" in said
    assert literal("<a href='x'>&") == "&lt;a href='x'&gt;&amp;"


def test_many_groups_come_a_page_at_a_time(runs_folder: RunStore) -> None:
    build_run(runs_folder, n_users=120, n_groups=30)
    app = open_wall()
    assert len([link for link in app.get("page_link") if link.proto.label == "Show list"]) == 24
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


# -- one group closely


def portrait_of(run: Run, group: int | None = None):
    """Return the page with the portrait of a group, of the first one where none is asked for."""
    return open_page("groups", **({} if group is None else {"group": str(group)}))


def test_a_portrait_begins_with_what_the_group_is_in_numbers(finished_run: Run) -> None:
    said = texts(portrait_of(finished_run))
    assert "30 users · 33 % of all users" in said
    assert r"**Bags \& \*lunch\*** (30 users) is the most uniform group: its members' tastes are 38 % alike" in said
    assert (
        r"against 21 % among all users; 12 % are on the border to another group, most often to 3\: Tea towels." in said
    )
    assert "Spread 0.80." in said and "words: bag, lunch, jumbo" in said.replace("\\", "")


def test_the_url_chooses_the_group_and_so_do_the_selectbox_and_a_row_of_the_table(finished_run: Run) -> None:
    app = portrait_of(finished_run, 2)
    assert "is the most mixed group" in texts(app)
    assert app.session_state["groups_table"]["selection"]["rows"] == [1]
    app.selectbox(key="portrait_group").set_value(3).run()
    assert app.query_params["group"] == "3"
    assert "is more uniform than most" not in texts(app)
    assert "none is on the border to another group" in texts(app)
    assert app.session_state["groups_table"]["selection"]["rows"] == [2]
    app.query_params["group"] = "no such group"
    app.run()
    assert app.selectbox(key="portrait_group").value == 1


@pytest.mark.parametrize(
    ("diversities", "own", "words"),
    [
        ([0.1, 0.4, 0.6, 0.9], 0.1, "the most uniform group"),
        ([0.1, 0.4, 0.6, 0.9], 0.4, "more uniform than most groups"),
        ([0.1, 0.4, 0.6, 0.9], 0.6, "more mixed than most groups"),
        ([0.1, np.nan, 0.6, 0.9], 0.9, "the most mixed group"),
    ],
)
def test_a_group_is_uniform_or_mixed_among_the_others(diversities: list[float], own: float, words: str) -> None:
    assert sentences.uniform_words(pd.Series(diversities), own) == words


def test_a_group_of_one_and_a_group_alone_have_sentences_of_their_own(finished_run: Run) -> None:
    profiles = finished_run.table("group_profiles")
    group = {"group": 1, "name": "All", "size": 1}
    alone = sentences.portrait_answer(group, profiles.head(1), None, {1: "All"})
    assert alone == "**All** (1 user) is the only group: its members' tastes are 38\u00a0% alike."
    unknown = profiles.assign(diversity=np.nan)
    assert "too few members" in sentences.portrait_answer(group, unknown, None, {1: "All"})


def test_items_are_dots_with_their_intervals_in_the_colour_of_the_group(finished_run: Run) -> None:
    app = portrait_of(finished_run, 2)
    drawn = figure(app, 1)
    (dots,) = drawn["data"]
    assert numbers(dots["x"])[0] == pytest.approx(4.8)
    assert numbers(dots["error_x"]["array"])[0] == pytest.approx(4.8 * 0.25)
    assert numbers(dots["error_x"]["arrayminus"])[0] == pytest.approx(4.8 * 0.2)
    assert dots["marker"]["color"] == palette.group_colour(2)
    assert drawn["layout"]["yaxis"]["ticktext"][0] == "Item 7"


def test_two_items_of_one_name_stay_two_dots_and_markup_in_names_is_text() -> None:
    row = {"share_in_group": 0.5, "share_overall": 0.1, "lift": 5.0, "lift_low": 4.0, "lift_high": 6.0}
    drawn = portrait_charts.lift_dots(pd.DataFrame([{"label": "<b>Tea</b>", **row}] * 2), 1)
    assert list(drawn.data[0].y) == [0, 1]
    assert drawn.layout.yaxis.ticktext == ("&lt;b&gt;Tea&lt;/b&gt;",) * 2


def test_only_attributes_beyond_chance_are_listed_and_the_comparisons_are_counted(finished_run: Run) -> None:
    said = texts(portrait_of(finished_run, 3))
    assert "Country France · 60 % · 2.0×" in said
    assert "spend" not in said
    assert f"after correction for {N_TESTS} comparisons" in said
    none = pd.DataFrame({"tests": [N_TESTS]})
    assert (
        sentences.attributes_note(none, 0)
        == f"Nothing is more than chance, after correction for {N_TESTS} comparisons."
    )


def test_members_are_typical_or_borderline_and_all_can_be_downloaded(finished_run: Run) -> None:
    app = portrait_of(finished_run, 2)
    table = next(table for table in app.dataframe if "distance" in table.value and "user" in table.value)
    typical = table.value
    assert '"recency_days":{"label":"days inactive"' in table.proto.columns.replace(": ", ":")
    assert typical["user"].tolist() == [f"{number:05d}" for number in range(1, 30, 3)]
    assert {"interactions", "Country", "recency_days"} <= set(typical.columns)
    assert [button.label for button in app.get("download_button")] == ["All members"]
    app.segmented_control(key="portrait_kind").set_value("borderline").run()
    edge = next(table.value for table in app.dataframe if "margin" in table.value)
    assert edge["other"].tolist() == [3, 3] and edge["margin"].is_monotonic_increasing
    app.selectbox(key="portrait_group").set_value(3).run()
    assert "No member is on the border to another group." in texts(app)


def test_neighbours_are_the_other_groups_the_nearest_first(finished_run: Run) -> None:
    app = portrait_of(finished_run, 1)
    near = next(table.value for table in app.dataframe if "overlap" in table.value)
    assert near["other"].tolist() == [2, 3]
    assert near["name"].tolist() == ["Lights, candles", "Tea towels"]


def test_activity_is_drawn_per_head_beside_all_users(finished_run: Run) -> None:
    app = portrait_of(finished_run, 1)
    everybody, own = figure(app, 2)["data"]
    assert numbers(own["y"]) == pytest.approx([200 / 30] * 4)
    assert numbers(everybody["y"]) == pytest.approx([400 / 90] * 4)
    assert own["line"]["color"] == palette.group_colour(1)


def test_a_run_that_is_older_than_portraits_shows_what_it_has(finished_run: Run) -> None:
    make_older(finished_run)
    app = open_page("groups")
    said = texts(app)
    assert r"**Bags \& \*lunch\*** holds 30 users, 33 % of all. This run is older" in said
    assert len(app.get("plotly_chart")) == 2  # the map and the items
    assert "Neighbouring groups" not in said and "When they are active" not in said


def test_who_belongs_to_a_group_is_said_where_its_groups_are_rules(finished_run: Run) -> None:
    app = open_page("groups", group="2")
    assert r"**Who belongs here:** Everyone who has “\*mugs\*”\." in texts(app)
    assert [block.value for block in app.code] == [
        "SELECT user_id FROM users WHERE 2",
        '[{"kind": "has", "value": "2"}]',
    ]
    make_older(finished_run, "group_rules")
    assert "Who belongs here" not in texts(open_page("groups", group="2"))
