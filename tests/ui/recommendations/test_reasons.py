"""Recommendations: the list is remade at once, its price stands beside it, and every item has its reasons."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from grouprec.explore.remake import Wishes
from grouprec.runs.store import Run, RunStore
from grouprec.ui import list_words as words
from grouprec.ui import opened, state
from grouprec.ui.recommendations import remade
from tests.support.small_run import copy_of
from tests.ui.opening import figure, open_page, paper, texts


@pytest.fixture(scope="module")
def shared_run(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return the small run with an attribute of items and the weight of its linear encoder alone: reasons are exact."""
    run = copy_of(small_run, RunStore(tmp_path_factory.mktemp("reasons")))
    items = run.table("items")
    run.save_table("items", items.assign(category=np.where(np.arange(len(items)) % 3, "tea", "milk")))
    metrics = run.metrics()
    metrics["blend"]["encoders"] = {"ease": 1.0, "dnn": 0.0}
    run.save_metrics(metrics)
    return run


@pytest.fixture
def run(shared_run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.setenv("GROUPREC_RUNS", str(shared_run.path.parent))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield shared_run


def listed(app: AppTest) -> pd.DataFrame:
    return next(frame.value for frame in app.dataframe if "rank" in frame.value.columns and "score" not in frame.value)


def open_list(**query: str) -> AppTest:
    """Return the page with all numbers of the list."""
    app = open_page("recommendations", **query)
    app.toggle(key="list_numbers").set_value(True).run()
    assert not app.exception
    return app


def numbers(app: AppTest) -> dict[str, tuple[str, str]]:
    """Return value and change of the metrics by title."""
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def test_the_trained_list_is_shown_as_it_is_at_no_price(run: Run) -> None:
    app = open_list(group="1")
    trained = run.table("group_lists").query("group == 1 and method == 'members_mean' and regime == 'strict'")
    assert listed(app)["item"].tolist() == trained.sort_values("rank")["item"].head(10).tolist()
    assert "move" not in listed(app), "an empty column is not shown"
    assert "Measured" in numbers(app)
    assert numbers(app)["Value"] == ("100\u00a0%", "±0\u00a0%")
    plain = open_page("recommendations", group="1")
    assert listed(plain).columns.tolist() == ["rank", "label", "owned", "place"], "what fits beside the map"
    assert not numbers(plain)


def test_another_strategy_gives_another_list_with_moves_and_a_price(run: Run) -> None:
    app = open_list(group="1")
    before = listed(app)["item"].tolist()
    app.selectbox(key="list_strategy").set_value("most_pleasure").run()
    after = listed(app)
    assert after["item"].tolist() != before
    assert {"new"} < set(after["move"]) | {"new", "moved"}
    value, change = numbers(app)["Value"]
    assert change.startswith("−") and value != "100\u00a0%"
    assert "predicted to be worth" in texts(app)


def test_the_variety_dial_raises_variety_and_lowers_value(run: Run) -> None:
    lists = state.table(run, "group_lists").query("group == 2 and method == 'members_mean' and regime == 'strict'")
    chosen = remade.choose(run, state.table(run, "groups").iloc[1], "strict", 10, lists.sort_values("rank"))
    assert chosen is not None
    varied = chosen.members.remake(chosen.trained, Wishes(dial=0.9), "strict", 10)
    before, after = (chosen.members.price(items, "strict") for items in (chosen.trained, varied))
    assert after.diversity > before.diversity
    assert after.value < before.value
    app = open_list(group="2", variety="90")
    assert listed(app)["item"].tolist() == opened.base(run).item_ids[varied].tolist()
    assert numbers(app)["Value"][1].startswith("−")


def test_an_item_that_is_left_out_by_the_url_is_gone_and_named(run: Run) -> None:
    app = open_list(group="1")
    first = listed(app).iloc[0]
    app = open_list(group="1", out=first["item"])
    assert first["item"] not in listed(app)["item"].tolist()
    assert listed(app)["move"].iloc[0] == "▲ 1"
    assert "Out:" in texts(app)
    app.multiselect(key="list_out").set_value([]).run()
    assert listed(app)["item"].iloc[0] == first["item"]


def test_items_with_an_attribute_are_left_out(run: Run) -> None:
    kinds = [kind for kind in opened.attribute_rows(run) if kind.startswith("category is ")]
    app = open_list(group="1", without=kinds[0])
    gone = set(opened.base(run).item_ids[opened.attribute_rows(run)[kinds[0]]])
    assert gone and not gone & set(listed(app)["item"])


def test_hostile_values_in_the_url_change_nothing(run: Run) -> None:
    app = open_list(group="1", out="../../etc", how="<b>", variety="-5", without="price=1", items="x")
    assert numbers(app)["Value"] == ("100\u00a0%", "±0\u00a0%")
    assert len(listed(app)) == 10


def test_the_selected_item_says_which_items_speak_for_it(run: Run) -> None:
    app = open_list(group="1")
    assert "**" + listed(app)["label"].iloc[0] in texts(app).replace("\\", "")
    app.session_state["list_items"] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    app.run()
    said = texts(app)
    assert f"**{listed(app)['label'].iloc[2]}** is number 3" in said.replace("\\", "")
    assert re.search(r"Because members have .* \(\d+ %\)", said)
    assert "the shares are exact" in said
    kinds = {trace["type"] for at in range(2) for trace in figure(app, at)["data"]}
    assert kinds == {"bar", "scattergl"}, "the reasons, and the map with the group"


def test_shares_of_what_speaks_for_an_item_add_up_to_one(run: Run) -> None:
    users = state.table(run, "users")
    found = opened.why(run, opened.members(run, users, 1).rows, 5)
    frame = words.reasons_frame(found, opened.base(run).item_labels)
    assert frame["share"].clip(lower=0).sum() == pytest.approx(1)
    kinds = words.by_kind(frame, opened.kinds_of_base(run))
    assert kinds["share"].sum() == pytest.approx(1)
    kept = words.most_telling(kinds)
    assert kept["share"].sum() == pytest.approx(1, abs=0.02)


def test_own_items_of_a_kind_speak_together_until_they_explain_half() -> None:
    rows = [("Red bag", 0.2, True, 0), ("Blue bag", 0.15, True, 1), ("Old tin", 0.05, True, 2), ("Tea", 0.25, True, 3)]
    rows += [("Popular right now", 0.3, False, -1), ("Cup", 0.05, True, 4), ("Bad", -0.1, True, 5)]
    frame = pd.DataFrame(rows, columns=["what", "share", "own", "row"])
    kinds = words.by_kind(frame, np.array(["bag", "bag", "tin", "", "cup", "bag"], object))
    assert kinds["what"].tolist() == ["bag", "Popular right now", "Tea", "Old tin", "Cup"]
    assert words.reasons_words(kinds, "members") == (
        "Because members have **bag** items (35\u00a0%), *Tea* (25\u00a0%) and 2 other things (10\u00a0%); "
        "popular right now 30\u00a0%."
    )
    assert words.most_telling(kinds)["what"].tolist() == ["bag", "Tea", "other things of theirs", "Popular right now"]
    assert words.reasons_words(kinds.iloc[:0], "they") == "Nothing that they have speaks for it."


def test_kinds_that_are_one_of_many_are_not_named() -> None:
    """Of fifty things of a hundredth each none explains anything; together they are half of the reason."""
    rows = [("Red bag", 0.2, True, 0), *((f"Thing {n}", 0.01, True, n) for n in range(1, 51))]
    frame = pd.DataFrame([*rows, ("Popular right now", 0.3, False, -1)], columns=["what", "share", "own", "row"])
    kinds = words.by_kind(frame, np.full(51, "", object))
    assert words.reasons_words(kinds, "they") == (
        "Because they have *Red bag* (20\u00a0%) and 50 other things (50\u00a0%); popular right now 30\u00a0%."
    )
    assert len(words.most_telling(kinds)) == 3


def test_the_place_on_one_list_for_all_is_that_of_the_summed_worth(run: Run) -> None:
    places, base = opened.places_for_all(run), opened.base(run)
    everybody = remade.ListMembers(base, np.arange(len(base.user_ids)))
    best = int(np.flatnonzero(places == 1)[0])
    one, other = (everybody.price(np.array([item]), "strict").value for item in (best, int(np.argmax(places == 2))))
    assert one >= other > 0


def test_a_list_can_be_skipped_through_by_each_member(run: Run) -> None:
    app = open_list(group="1", use="dedup")
    assert numbers(app)["Value"] == ("100\u00a0%", "±0\u00a0%")
    app.selectbox(key="list_strategy").set_value("borda").run()
    assert not app.exception and not app.error


def test_a_user_can_ask_why(run: Run) -> None:
    user = state.table(run, "users")["user"].iloc[0]
    app = open_page("recommendations", user=user)
    assert app.selectbox(key="user_why").options
    assert "Because they have" in texts(app) or "because they have" in texts(app).lower()


def test_the_page_to_print_is_one_escaped_file_that_loads_nothing(run: Run) -> None:
    groups = state.table(run, "groups")
    group = groups.iloc[0].copy()
    group["name"] = "<script>alert(1)</script>"
    lists = state.table(run, "group_lists").query("group == 1 and method == 'members_mean' and regime == 'strict'")
    chosen = remade.choose(run, group, "strict", 10, lists.sort_values("rank"))
    assert chosen is not None
    html = paper(chosen)
    assert "<script" not in html and "&lt;script&gt;" in html
    assert not re.search(r"https?://|src=|@import|url\(", html)
    assert html.count("<tr>") == 11
    assert "Because members have" in html


def test_a_run_without_encoders_says_what_to_do(run: Run) -> None:
    kept = (run.path / "fitted.json").read_text()
    try:
        (run.path / "fitted.json").write_text("{}")
        run.write_manifest()
        st.cache_resource.clear()
        assert "train it again" in texts(open_page("recommendations", group="1"))
    finally:
        (run.path / "fitted.json").write_text(kept)
        run.write_manifest()
