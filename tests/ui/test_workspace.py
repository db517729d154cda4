"""The number of lists goes along from Decide, and its groups stand beside the map with their lists."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from grouprec.runs.store import Run, RunStore
from grouprec.ui import state
from tests.support.planted_groups import add_what_if
from tests.support.planted_run import build_run
from tests.support.small_run import copy_of
from tests.ui.opening import headline, open_page, texts


@pytest.fixture
def run(runs_folder: RunStore) -> Run:
    """Return a planted run of three groups that kept 1, 2, 3, 4 and 6 of them."""
    return add_what_if(build_run(runs_folder))


def groups(app: AppTest) -> list[int]:
    return next(frame.value for frame in app.dataframe if {"group", "size"} <= set(frame.value.columns))[
        "group"
    ].tolist()


@pytest.mark.parametrize("page", ["groups", "recommendations"])
def test_the_number_that_was_chosen_on_decide_goes_along_and_back(run: Run, page: str) -> None:
    app = open_page("decide", run=run.run_id)
    app.select_slider(key="lists_n").set_value(6).run()
    app.query_params.clear()
    app.query_params["run"] = run.run_id
    app.switch_page(state.page_path(page)).run()
    assert not app.exception and not app.error
    assert "**6 lists**, as chosen on *Decide*" in texts(app) and "fall into 6 groups" in headline(app)
    assert groups(app) == [1, 2, 3, 4, 5, 6]
    assert app.query_params["lists"] in ("6", ["6"]), "a link shows the same"
    app.button(key="own_number").click().run()
    assert not app.exception
    assert "as chosen on" not in texts(app) and "lists" not in app.query_params


def test_the_group_of_the_url_has_its_list(run: Run) -> None:
    app = open_page("recommendations", lists="6", group="6")
    assert next(f.value for f in app.dataframe if "rank" in f.value.columns)["label"].iloc[0] == "Item 60"


@pytest.mark.parametrize("lists", ["3", "7", "personal", "<b>"])
def test_the_runs_own_number_and_nonsense_show_the_run(run: Run, lists: str) -> None:
    app = open_page("groups", lists=lists)
    assert "fall into 3 groups" in headline(app) and "as chosen on" not in texts(app)


def test_a_run_that_kept_no_other_numbers_says_so(runs_folder: RunStore) -> None:
    run = add_what_if(build_run(runs_folder))
    (run.path / "tables" / "what_if_lists.parquet").unlink()
    run.write_manifest()
    app = open_page("groups", lists="6")
    assert "did not keep them, so here are its own 3" in texts(app) and "fall into 3 groups" in headline(app)


def test_a_trained_run_gives_reasons_for_lists_of_another_number(small_run: Run, runs_folder: RunStore) -> None:
    run = copy_of(small_run, runs_folder)
    n = next(int(n) for n in run.table("what_if_labels").columns if int(n) not in (1, run.metrics()["n_groups"]))
    app = open_page("recommendations", lists=str(n))
    listed = next(f.value for f in app.dataframe if "owned" in f.value.columns)
    assert len(listed) == 10 and listed["owned"].between(0, 1).all()
    assert f"**{listed['label'].iloc[0]}** is number 1" in texts(app).replace("\\", "")


ENDLESS = "9" * 5000  # more digits than Python reads


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        *[
            (page, {"lists": number, "group": number})
            for page in ("groups", "recommendations")
            for number in (ENDLESS, "²")
        ],
        ("decide", {"lists": ENDLESS, "with": ENDLESS, "tour": ENDLESS}),
    ],
    ids=["groups, many digits", "groups, none", "lists, many digits", "lists, none", "decide"],
)
def test_a_number_in_an_address_that_nobody_means_is_passed_over(run: Run, page: str, asked: dict[str, str]) -> None:
    app = open_page(page, **asked)
    assert not app.exception and not app.error and headline(app)
