"""The second tab of Decide: who moves, whose lists change, and a run with another number."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from grouprec.core.types import StorageError
from grouprec.report import palette
from grouprec.runs.config import RunConfig
from grouprec.runs.store import Run, RunStore
from grouprec.training import jobs
from grouprec.ui import state
from grouprec.ui.decide import charts
from tests.support.planted_groups import GRID, add_what_if
from tests.support.planted_run import build_run
from tests.ui.opening import figure, headline, numbers, open_page, texts


@pytest.fixture
def run(runs_folder: RunStore) -> Run:
    """Return a planted run of three groups that kept 1, 2, 3, 4 and 6 of them."""
    return add_what_if(build_run(runs_folder))


def open_tab(**query: str) -> AppTest:
    return open_page("decide", view="what_if", **query)


def table_of(app: AppTest, column: str) -> pd.DataFrame:
    """Return the first table of the page that has a column."""
    return next(table.value for table in app.dataframe if column in table.value)


def test_a_link_opens_the_same_two_numbers(run: Run) -> None:
    app = open_tab(lists="2", **{"with": "6"})
    assert "; 2 lists reach 24; " in headline(app)
    assert app.select_slider(key="lists_n").value == 2
    assert app.selectbox(key="what_if_with").value == 6
    assert "From 2 to 6 lists" in texts(app)
    odd = open_tab(lists="5", **{"with": "many"})
    assert odd.select_slider(key="lists_n").value == 3, "what was not tried is the run's own number"


def test_back_from_another_page_the_number_is_as_it_was_left(run: Run) -> None:
    app = open_tab()
    app.select_slider(key="lists_n").set_value(6).run()
    app.selectbox(key="what_if_with").set_value(2).run()
    app.switch_page(state.page_path("compare")).run()
    for name in ("lists", "with"):  # a link of the menu keeps nothing
        app.query_params.pop(name, None)
    app.switch_page(state.page_path("decide")).run()
    assert app.select_slider(key="lists_n").value == 6 and app.selectbox(key="what_if_with").value == 2
    assert "; 6 lists reach 27; " in headline(app) and app.query_params["lists"] in ("6", ["6"])
    del app.query_params["lists"]  # the browser's back button on the same page: the URL decides
    assert app.run().select_slider(key="lists_n").value == 3
    assert open_tab().select_slider(key="lists_n").value == 3, "another tab starts afresh"


def test_the_slider_recolours_the_map_without_moving_anybody(run: Run) -> None:
    places: list[dict[int, tuple[float, float]]] = []
    app = open_tab()
    for n in GRID:
        app.select_slider(key="lists_n").set_value(n).run()
        assert f"; {n} list{'s reach' if n > 1 else ' reaches'} " in headline(app)
        own = run.table("what_if_labels")[str(n)]
        place = {}
        for trace in figure(app)["data"]:
            rows = np.array(numbers(trace["customdata"]), int)
            x, y = numbers(trace["x"]), numbers(trace["y"])
            place |= dict(zip(rows.tolist(), zip(x, y, strict=True), strict=True))
            assert {palette.group_colour(group) for group in own.iloc[rows]} == {trace["marker"]["color"]}
        places.append(place)
    assert len(places[0]) == 88 and all(place == places[0] for place in places)


def test_two_numbers_stand_side_by_side(run: Run) -> None:
    app = open_tab(lists="3", **{"with": "6"})
    table = table_of(app, "Measure").set_index("Measure")
    assert list(table) == ["3 lists", "6 lists"]
    assert table.loc["Of the possible gain"].tolist() == ["50\u00a0%", "45\u00a0%"]
    assert table.loc["Order of hits (nDCG@10)", "3 lists"] == "0.090 (0.080–0.100)"
    assert table.loc["Users with a hit", "3 lists"] == "27\u00a0% (24\u00a0%–30\u00a0%)"
    assert table.loc["Smallest group"].tolist() == ["29", "11"]


def test_who_moves_is_counted_and_drawn(run: Run) -> None:
    app = open_tab(lists="3", **{"with": "6"})
    assert "From 3 to 6 lists, **34 of 88 users** (39 %) change group." in texts(app)
    (sankey,) = figure(app, 1)["data"]
    assert sankey["node"]["label"] == ["1", "2", "3", "1", "2", "3", "4", "5", "6"]
    assert sankey["node"]["color"][0] == sankey["node"]["color"][3] == palette.group_colour(1)
    assert sum(numbers(sankey["link"]["value"])) == 88
    table = table_of(app, "users")
    assert table["users"].sum() == 88 and table.loc[table["before"] != table["after"], "users"].sum() == 34


def test_small_flows_end_in_one_grey_place_and_no_group_disappears() -> None:
    """Of a thousand users: two flows of fewer than 1 %; the three who alone are in group 3 keep their band."""
    flows = pd.DataFrame({"before": [1, 1, 1, 2, 2], "after": [1, 2, 3, 1, 2], "users": [530, 9, 3, 8, 450]})
    (sankey,) = json.loads(charts.flows(flows, 2, 3).to_json() or "")["data"]
    node, link = sankey["node"], sankey["link"]
    assert node["label"] == ["1", "2", "1", "2", "", ""], "low places would cover one another's numbers"
    assert node["customdata"][4:] == ["group 3: 3 users", "small moves: 17 users"]
    assert node["customdata"][3] == "group 2: 459 users", "with those who came in a small flow"
    assert node["color"][-1] == palette.NEUTRAL
    assert numbers(link["value"]) == [530, 3, 450, 9, 8] and numbers(link["target"]) == [2, 4, 3, 5, 5]
    assert link["customdata"][3] == "9 users from group 1 to small moves"
    few = flows[~charts.small_flows(flows)]
    (sankey,) = json.loads(charts.flows(few, 2, 3).to_json() or "")["data"]
    assert len(sankey["node"]["label"]) == 5, "nothing is grey where nothing is small"


def test_the_lists_that_change_come_first_and_open_side_by_side(run: Run) -> None:
    app = open_tab(lists="3", **{"with": "6"})
    assert "From 3 to 6 lists: **3 new, 1 changed**, 2 as before." in texts(app)
    key = "what_if_changes_3_6"
    table = app.dataframe(key=key).value
    assert table["status"].tolist() == ["New", "New", "New", "Changed", "As before", "As before"]
    assert table["before"].tolist()[:1] == ["–"] and table["new_items"].tolist()[3] == "1"
    row = table.index[table["group"] == 2].item()
    app.session_state[key] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    app.run()
    before, after = (table.value for table in app.dataframe if "mark" in table.value)
    assert before["mark"].tolist() == ["dropped", *[""] * 9]
    assert after["mark"].tolist() == [*[""] * 9, "new"]


def test_a_new_group_has_no_list_in_the_other_setting(run: Run) -> None:
    app = open_tab(lists="3", **{"with": "6"})
    assert "There is no such group with 3 lists." in texts(app)
    assert list(table_of(app, "label")) == ["rank", "label"]


def test_the_same_number_twice_asks_for_another(run: Run) -> None:
    said = texts(open_tab(lists="3", **{"with": "3"}))
    assert "to see who moves" in said and "to see whose lists change" in said


def test_use_these_lists_starts_a_run_that_differs_in_nothing_else(run: Run, started: list[RunConfig]) -> None:
    assert "what_if_use" not in {button.key for button in open_tab().button}, "the run has 3 already"
    app = open_tab(lists="6")
    app.button(key="what_if_use").click().run()
    assert not app.exception and not app.error
    (config,) = started
    same: dict[str, Any] = {"n_groups": 3, "title": ""}
    assert config.model_copy(update=same) == run.config().model_copy(update=same)
    assert config.n_groups == 6 and config.title == "Planted shop, 6 groups"
    assert "start_run" in {button.key for button in app.button}, "the Train page shows how it goes"
    assert run.run_id not in app.query_params["run"]


def test_a_start_that_fails_is_told_in_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(store: RunStore, config: RunConfig) -> Run:
        raise StorageError("The runs folder is full; free some space.")

    monkeypatch.setattr(jobs, "start", refuse)
    app = open_tab(lists="6")
    app.button(key="what_if_use").click().run()
    assert not app.exception
    assert [error.value for error in app.error] == ["The runs folder is full\\; free some space\\."]


def test_a_run_that_kept_no_groups_says_so_and_can_be_trained_again(
    finished_run: Run, started: list[RunConfig]
) -> None:
    app = open_tab()
    assert "did not keep its groups" in app.info[0].value
    assert headline(app).startswith("## 20 lists are best, and no more were tried. ")
    app.button(key="what_if_again").click().run()
    assert [config.n_groups for config in started] == [3]


def test_groups_for_members_who_skip_are_judged_in_that_use(runs_folder: RunStore) -> None:
    run = build_run(runs_folder)
    run.save_metrics(run.metrics() | {"regime": "dedup"})
    add_what_if(run, "dedup")
    app = open_tab()
    table = table_of(app, "Measure").set_index("Measure")
    assert table.loc["Best possible", "3 lists"] == "–"
    shown = table_of(app, "label")
    assert shown["label"].iloc[0].startswith("Item 1"), "the lists of the other use begin 100 items later"
