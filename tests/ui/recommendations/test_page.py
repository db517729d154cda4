"""Recommendations: what do I show them, and why?"""

from __future__ import annotations

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from grouprec.report import tables
from grouprec.runs.store import Run, RunStore
from grouprec.ui import state
from tests.support.planted_run import build_run
from tests.support.small_run import copy_of
from tests.ui.opening import FRAME, PATIENCE, headline, open_page, texts


def labels(app: AppTest, table: int) -> list[str]:
    return app.dataframe[table].value["label"].tolist()


def test_the_first_line_says_what_to_show_and_what_it_is_worth(finished_run: Run) -> None:
    app = open_page("recommendations", group="2")
    assert headline(app).startswith("## Show **Lights\\, candles** (30 users) *Item 17* and *Item 18* first.")
    assert "These 3 lists reach 19 of 100 people with something they take, one good list reaches 11." in texts(app)


def test_the_list_that_the_run_chose_stands_beside_the_others(finished_run: Run) -> None:
    assert labels(open_page("recommendations", group="2"), 0) == [f"Item {n}" for n in range(17, 27)]
    app = open_page("recommendations", group="2", part="ways")
    assert labels(app, 0) == [f"Item {n}" for n in range(17, 27)]
    assert labels(app, 1) == [f"Item {n}" for n in range(11, 21)]
    assert labels(app, 2) == [f"Item {n}" for n in range(111, 121)]
    assert {"reach", "owned"} <= set(app.dataframe[0].value.columns)


def test_new_items_say_where_they_stand_and_what_they_are_like(unlike_run: Run, runs_folder: RunStore) -> None:
    run = copy_of(unlike_run, runs_folder)
    first = run.table("new_items").iloc[0]
    app = open_page("recommendations", run=run.run_id, group="1")
    said = next(line for line in texts(app).splitlines() if line.startswith("- Number 10"))
    assert first["label"] in said and f"is like *{first['like_label']}*" in said and "and others" in said
    assert first["label"] not in labels(open_page("recommendations", run=run.run_id, group="1", part="feedback"), 0)
    lists = open_page("recommendations", run=run.run_id, group="1", part="ways")
    assert first["label"] in labels(lists, 0)


def test_items_that_the_first_list_has_too_bear_a_mark(finished_run: Run) -> None:
    app = open_page("recommendations", group="2", part="ways")
    ranks = app.dataframe[1].value["rank"].tolist()
    assert ranks == ["1", "2", "3", "4", "5", "6", "7 ●", "8 ●", "9 ●", "10 ●"]
    assert "● 4 of 10 are also in the first list" in texts(app)


def test_lists_by_a_strategy_come_first_where_the_run_was_asked_for_it(runs_folder: RunStore) -> None:
    build_run(runs_folder, strategy="ep_fuzzda")
    app = open_page("recommendations", group="2", part="ways")
    titles = [text for text in texts(app).splitlines() if text.startswith("**") and "number" not in text]
    assert [title.split("**")[1].replace("\\", "") for title in titles] == [
        "EP-FuzzDA",
        "Generated list",
        "Best for all members",
        "Most popular in the group",
    ]
    assert labels(app, 0)[0] == "Item 14"


def test_the_use_of_the_list_changes_list_and_sentence(finished_run: Run) -> None:
    app = open_page("recommendations", group="1", use="dedup")
    assert "These 3 lists reach 32 of 100 people" in texts(app)
    app.get_by_key("list_use").set_value("strict").run()
    assert "These 3 lists reach 19 of 100 people" in texts(app)
    assert app.query_params["use"] in ("strict", ["strict"])


def test_choosing_a_group_writes_it_to_the_url(finished_run: Run) -> None:
    app = open_page("recommendations")
    app.selectbox(key="list_group").set_value(3).run()
    assert not app.exception
    assert app.query_params["group"] in ("3", ["3"])
    assert "Tea towels" in headline(app)


def test_an_unknown_group_in_the_url_opens_the_first(finished_run: Run) -> None:
    assert open_page("recommendations", group="99").selectbox(key="list_group").value == 1


def test_the_method_that_the_run_chose_bears_a_badge(finished_run: Run) -> None:
    said = texts(open_page("recommendations", part="ways"))
    assert said.count("This run's choice") == 1 and "**Best for all members**" in said


def test_why_compares_owners_in_the_group_with_all_users(finished_run: Run) -> None:
    lists = finished_run.table("group_lists")
    chosen = tables.group_list(lists, 1, "generated", "strict").head(2)
    items = pd.DataFrame({"item": chosen["item"], "users": [9, 0]})
    lift = tables.with_lift(chosen, items, 90)["lift"]
    assert lift.iloc[0] == pytest.approx(0.01 / 0.1)
    assert pd.isna(lift.iloc[1])


def test_selecting_an_item_says_why_it_is_there(finished_run: Run) -> None:
    app = open_page("recommendations", group="2")
    assert "**Item 17** is number 1: 80 % of the group" in texts(app)
    app.session_state["list_items"] = {"selection": {"rows": [3], "columns": [], "cells": []}}
    app.run()
    assert "**Item 20** is number 4: 20 % of the group" in texts(app)


def test_users_are_found_by_their_exact_id_first_then_by_its_beginning() -> None:
    users = pd.DataFrame({"user": ["0012", "00123", "x0012", "001", "AB 7"]})
    assert tables.find_users(users, "001").tolist() == [3, 0, 1]
    assert tables.find_users(users, " ab").tolist() == [4]
    assert tables.find_users(users, "1").tolist() == []
    assert tables.find_users(users, "").tolist() == []
    many = pd.DataFrame({"user": [f"u{n}" for n in range(100)]})
    assert len(tables.find_users(many, "u")) == 20


def test_a_user_is_shown_with_group_attributes_and_personal_list(finished_run: Run) -> None:
    app = open_page("recommendations", part="user")
    app.text_input(key="user").set_value("00004").run()
    assert "User 00004" in texts(app)
    own = app.dataframe[-1].value
    assert own["label"].tolist()[:2] == ["Item 23", "Item 24"]
    assert len(own) == 50
    attributes = app.dataframe[-2].value
    assert attributes["Attribute"].tolist() == ["Country", "days inactive", "spent in all"]


def test_before_anybody_is_asked_for_a_typical_member_of_the_group_is_shown(finished_run: Run) -> None:
    said = texts(open_page("recommendations", part="user", group="2"))
    members = finished_run.table("group_members")
    users = finished_run.table("users").set_index("user")
    usual = users.loc[users["group"] == 2, "interactions"].median()
    near = members[(members["group"] == 2) & (members["kind"] == "typical")].sort_values("rank")["user"]
    typical = next(user for user in near if users.loc[user, "interactions"] >= usual)
    assert f"User {typical}" in said and "A typical member of the group." in said


def test_a_user_who_came_after_training_has_a_list_but_no_place_on_the_map(finished_run: Run) -> None:
    app = open_page("recommendations", user="00089")
    assert "joined a group later" in texts(app)
    assert not app.get("plotly_chart")


def test_damaged_personal_lists_are_one_sentence(finished_run: Run) -> None:
    (finished_run.path / "tables" / "user_lists.parquet").write_bytes(b"no parquet")
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE).run()
    app.switch_page(state.page_path("recommendations"))
    app.query_params["user"] = "00004"
    app.run()
    assert not app.exception
    said = app.error[0].value.replace("\\", "")
    assert f"The run {finished_run.run_id} is damaged: tables/user_lists.parquet is damaged" in said


def test_an_unknown_user_gets_one_sentence(finished_run: Run) -> None:
    app = open_page("recommendations", user="no*body")
    assert r"No user id is, or begins with, “no\*body”." in texts(app)


def test_the_download_has_every_method_in_both_uses(finished_run: Run) -> None:
    lists, names = finished_run.table("group_lists"), {1: "a", 2: "b", 3: "c"}
    one, every = tables.lists_to_export(lists, names, 2), tables.lists_to_export(lists, names)
    assert len(one) == 3 * (50 + 200)
    assert len(every) == 3 * len(one)
    assert set(one["group_name"]) == {"b"}
    assert one.head(50)[["method", "regime"]].drop_duplicates().to_numpy().tolist() == [["generated", "strict"]]
    assert one["rank"].head(3).tolist() == [1, 2, 3]
