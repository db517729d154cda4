"""Recommendations: how many should take what is listed is told with its horizon, or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
import streamlit as st

from grouprec.explore.remake import Price
from grouprec.ranking.takes import ExpectedTakes, Horizon
from grouprec.report import small_groups
from grouprec.runs.store import Run, RunStore
from grouprec.ui import list_words as words
from grouprec.ui import opened, state
from grouprec.ui.recommendations import remade
from tests.support.small_run import copy_of
from tests.ui.opening import open_page, paper, texts

TAKES = ExpectedTakes(Horizon("days", 19.0), {"chance": []}, [0.25], -1.5, n_users=80, spread=2.0)
UNTIL = "In 19 days, as long as the run was judged on, they should together take about"


def with_takes(small_run: Run, store: RunStore, takes: ExpectedTakes | None) -> Run:
    run = copy_of(small_run, store)
    run.save_metrics(run.metrics() | {"takes": None if takes is None else takes.as_dict()})
    return run


@pytest.fixture(scope="module")
def told(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return with_takes(small_run, RunStore(tmp_path_factory.mktemp("told")), TAKES)


@pytest.fixture(scope="module")
def untold(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return with_takes(small_run, RunStore(tmp_path_factory.mktemp("untold")), None)


@pytest.fixture
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    found = request.getfixturevalue(request.param)
    monkeypatch.setenv("GROUPREC_RUNS", str(found.path.parent))
    st.cache_data.clear()
    st.cache_resource.clear()
    yield found


def first_list(run: Run) -> remade.Chosen:
    lists = state.table(run, "group_lists").query("group == 1 and method == 'members_mean' and regime == 'strict'")
    chosen = remade.choose(run, state.table(run, "groups").iloc[0], "strict", 10, lists.sort_values("rank"))
    assert chosen is not None
    return chosen


@pytest.mark.parametrize("run", ["told"], indirect=True)
def test_the_page_tells_takes_with_horizon_and_interval(run: Run) -> None:
    chosen = first_list(run)
    members, items = chosen.members, chosen.trained[:10]
    place = members.candidates.items[:, :, None] == items
    last = np.where(members.candidates.items >= 0, members.candidates.scores, 1).min(axis=1)[:, None]
    chances = np.where(place.any(axis=1), (place * members.candidates.scores[:, :, None]).sum(axis=1), last)
    logits = np.log(chances) - np.log1p(-chances.astype(float))
    lacks = members.histories[:, items].toarray() == 0
    total = (lacks / (1 + np.exp(1.5 - 0.25 * logits))).sum()
    half = 1.96**2
    ends = [total + half + sign * np.sqrt(half**2 + 2 * half * total) for sign in (-1, 1)]
    app = open_page("recommendations", group="1")
    app.toggle(key="list_numbers").set_value(True).run()
    said = f"{UNTIL} {total:.0f} items of it ({ends[0]:.0f} to {ends[1]:.0f})."
    assert said in texts(app)
    assert {metric.label: metric.value for metric in app.metric}["Expected"] == f"{total:.0f}"
    assert "members should take it in 19 days;" in texts(app)
    listed = next(frame.value for frame in app.dataframe if "takers" in frame.value.columns)
    assert listed["takers"].sum() == pytest.approx(total, abs=0.51)


@pytest.mark.parametrize("run", ["told"], indirect=True)
def test_the_page_to_print_tells_takers_and_until_when(run: Run) -> None:
    html = paper(first_list(run))
    assert '<th class="n">Should take</th>' in html
    assert "Should take: members who should take the item in 19 days, as long as the run was judged on." in html
    takers = opened.members(run, state.table(run, "users"), 1).takers(first_list(run).trained[:1])
    assert takers is not None and f'<td class="n">{takers[0]:,.1f}</td>' in html


@pytest.mark.parametrize("run", ["untold"], indirect=True)
def test_a_run_that_does_not_know_says_nothing_of_takes(run: Run) -> None:
    app = open_page("recommendations", group="1")
    assert "should" not in texts(app).replace("who should want it", "")
    assert "find one of their own 10 best here." in texts(app)
    assert "Expected" not in [metric.label for metric in app.metric]
    assert "takers" not in app.dataframe[0].value
    html = paper(first_list(run))
    assert "Should take" not in html and html.count("<th ") + html.count("<th>") == 4
    assert len(re.findall(r"<td", html)) == 40


def test_less_than_one_is_said_as_such_and_a_horizon_of_interactions_in_its_words() -> None:
    takes = ExpectedTakes(Horizon("interactions", 3.7), {"chance": []}, [1.0], 0.0, 10, spread=1.0)
    assert words.taken_words(Price(1, 0.5, 0.5, 0.4), takes) == (
        "In about 3.7 more interactions of each, as many as the run was judged on, they should together take fewer "
        "than one item of it (0 to 5)."
    )
    assert words.taken_words(Price(1, 0.5, 0.5, None), takes) == words.taken_words(Price(1, 0.5, 0.5, 3.0), None) == ""
    row = pd.Series({"rank": 2, "label": "Tea", "takers": 0.4, "place": 3})
    assert words.item_sentence(row, 80, 10, takes) == (
        "**Tea** is number 2: fewer than one of 80 members should take it in about 3.7 more interactions of each; "
        "on one list for everybody it is number 3."
    )
    assert words.item_sentence(row, 80, 10, None) == "**Tea** is number 2: on one list for everybody it is number 3."


@pytest.mark.parametrize("run", ["told"], indirect=True)
def test_the_page_to_print_of_few_people_tells_the_list_and_no_more(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(small_groups.SETTING, "70")  # the group has fewer
    html = paper(first_list(run))
    assert "fewer than 70 · " in html and html.count("<tr>") == 11
    assert "Should take" not in html and "Typical of it" not in html and 'class="why"></div>' not in html
    assert "because" not in html and " %</td>" not in html and "who were tested" not in html
