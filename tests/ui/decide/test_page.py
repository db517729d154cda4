"""Decide: how many lists are enough, what they bring, who each is for, and who approved them."""

from __future__ import annotations

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from grouprec.report import bundle
from grouprec.runs.approvals import FILE, approvals
from grouprec.runs.store import Run, RunStore
from grouprec.ui import state, tiles
from grouprec.ui.decide import page
from tests.support.planted_groups import add_what_if
from tests.support.planted_run import build_older_run, build_run
from tests.support.small_run import copy_of
from tests.ui.opening import FRAME, PATIENCE, figure, headline, numbers, open_page, texts, visit

ENOUGH = (
    "## 3 lists are enough. One good list reaches 12 of 100 people with something they take; 3 lists reach 27; a list "
    "for everyone 42."
)


@pytest.fixture
def run(runs_folder: RunStore) -> Run:
    """Return a planted run of three groups that kept 1, 2, 3, 4 and 6 of them."""
    return add_what_if(build_run(runs_folder))


def cards(app: AppTest) -> str:
    """Return the faces and labels of all cards as HTML."""
    return "".join(element.proto.body for element in app.get("html"))


def shown(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


# -- what they bring


def test_the_first_line_says_how_many_lists_are_enough_between_one_and_personal(run: Run) -> None:
    assert headline(open_page("decide")) == ENOUGH
    for lists, reach, more in (
        ("2", "2 lists reach 24", "One more adds 2.5; 3 lists reach 27."),
        ("4", "4 lists reach 27", "2 more add no measurable gain; 3 lists reach 27, too."),
    ):
        app = open_page("decide", lists=lists)
        assert headline(app) == ENOUGH.replace("3 lists reach 27", reach) and more in texts(app)


def test_the_curve_lies_between_one_good_list_and_personal_lists(run: Run) -> None:
    app = open_page("decide", lists="2")
    drawn = figure(app)["data"]
    assert [numbers(trace["y"])[0] for trace in drawn[1:3]] == pytest.approx([12, 42])
    assert numbers(drawn[3]["y"]) == pytest.approx([15, 24, 26.54, 26.54, 26.54])
    assert numbers(drawn[4]["x"]) == [2]
    said = {note["text"] for note in figure(app)["layout"]["annotations"]}
    assert said == {"One good list for all", "Personal lists", " 3 are enough"}


def test_the_gain_is_drawn_in_its_parts(run: Run) -> None:
    bars, *_whiskers = figure(open_page("decide", lists="2"), 1)["data"]
    assert numbers(bars["base"]) == pytest.approx([0, 6, 12, 24])
    assert numbers(bars["x"]) == pytest.approx([6, 6, 12, 18])


def test_the_slider_goes_from_one_list_to_personal_ones(run: Run) -> None:
    app = open_page("decide", lists="1")
    assert shown(app)["Of 100, find something"] == "15"
    app.select_slider(key="lists_n").set_value("personal").run()
    assert not app.exception and app.query_params["lists"] in ("personal", ["personal"])
    assert headline(app) == ENOUGH and "Everyone has a list of their own" in texts(app)
    assert shown(app) == {"Of 100, find something": "42", "More than one list": "+30"}


def open_money() -> AppTest:
    """Return the page with the prices open, which are made only then."""
    return open_page("decide", view="money")


def test_prices_turn_the_curve_into_money_and_name_the_best_number(run: Run) -> None:
    app = open_page("decide", cost="10", hit="2", reach="1000")
    # precision is half of the values above, of ten items and 1,000 users: hits 250, 400, 450, 452, 425
    table = next(table.value for table in app.dataframe if "Hits" in table.value).set_index("Lists")
    assert table["Hits"].tolist() == [250, 400, 450, 452, 425]
    assert table["After costs"].tolist() == [490, 780, 870, 864, 790]
    assert shown(app)["Worth after costs"] == "870"
    assert "**3 lists** bring most after costs: 870. Within the 95 % interval of the hits, 2 to 6 may do as well." in (
        texts(app)
    )
    dear = open_page("decide", cost="300", hit="1", reach="1000", lists="3")
    assert "**1 list** brings most after costs: -50, 400 more than 3 lists" in texts(dear)
    nonsense = open_page("decide", cost="=1+1", hit="-3", reach="nan")
    assert nonsense.number_input(key="what_if_hit").value == open_money().number_input(key="what_if_hit").value
    assert nonsense.number_input(key="what_if_reach").value == 45


def test_a_price_column_makes_money_of_hits_without_being_asked(run: Run) -> None:
    items = run.table("items").drop(columns="price")
    run.save_table("items", items)
    run.write_manifest()
    assert "What they take is worth" not in shown(open_page("decide"))
    run.save_table("items", items.assign(price=2.0))
    run.write_manifest()
    app = open_money()
    assert app.number_input(key="what_if_hit").value == 2.0 and app.number_input(key="what_if_cost").value == 0
    assert shown(app)["What they take is worth"] == "40", "45 users, ten items, .045 of them hits, at 2 each"
    run.save_table("items", items.assign(price=2.0, Margin=0.5))
    run.write_manifest()
    assert open_money().number_input(key="what_if_hit").value == 0.5


def test_users_who_take_nothing_bring_no_hits(run: Run) -> None:
    run.save_metrics(run.metrics() | {"takes": {"active": 0.4}})
    run.write_manifest()
    first = open_money().number_input(key="what_if_reach")
    assert first.value == run.metrics()["n_users"] and first.help == (
        "At first, all. Of 100, 40 took something in the held-out part"
    )
    app = open_page("decide", cost="10", hit="2", reach="1000")
    table = next(table.value for table in app.dataframe if "Hits" in table.value)
    assert table["Hits"].tolist() == [100, 160, 180, 181, 170], "as many as of 400 who were tested"


def test_prices_are_written_to_the_url(run: Run) -> None:
    app = open_money()
    app.number_input(key="what_if_cost").set_value(1234567.5).run()
    assert app.query_params["cost"] in (["1234567.5"], "1234567.5")


def test_a_run_that_measured_nothing_says_so(runs_folder: RunStore) -> None:
    build_older_run(runs_folder)
    app = open_page("decide")
    assert page.NOTHING in headline(app)
    assert not app.get("plotly_chart")


def test_a_trained_run_decides_at_every_number(small_run: Run, runs_folder: RunStore) -> None:
    run = copy_of(small_run, runs_folder)
    app = open_page("decide")
    assert "are best, and no more were tried" in headline(app) and "of 100 people" in headline(app)
    assert "**One good list for all**: " in texts(app)
    for n in [*run.table("gain_of_groups")["n_groups"].unique().astype(int).tolist(), "personal"]:
        app.select_slider(key="lists_n").set_value(n).run()
        assert not app.exception


# -- who each list is for


def test_every_list_has_a_card_of_who_it_is_for_and_its_first_three_items(run: Run) -> None:
    app = open_page("decide")
    groups = run.table("groups").sort_values("size", ascending=False)
    for size in groups["size"]:
        assert f"{size} users · " in texts(app)
    lists = run.table("group_lists").query("group == 1 and method == 'members_mean' and regime == 'strict'")
    first = lists.sort_values("rank")["label"].head(4).tolist()
    assert all(label in cards(app) for label in first[:3]) and f">{first[3]}<" not in cards(app)
    assert "Item 40" in cards(open_page("decide", lists="4")), "the lists of another number are what it kept"


def test_items_show_their_picture_else_their_category_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUPREC_IMAGES", "shop.example, <bad>")
    faces = tiles.Faces({"a": "https://shop.example/a.jpg"}, {"a": "hot drinks", "b": "<b>Bags</b>"})
    said = faces.lines(["a", "b"], ['"A"', "Tote <i>"])
    assert "url(&#39;https://shop.example/a.jpg&#39;)" in said and 'title="&quot;A&quot;"' in said
    assert "<b>" not in said and "<i>" not in said and not faces.note()
    assert ">Hot drinks<span" in said, "its tile is under the picture, for where that cannot be loaded"
    monkeypatch.delenv("GROUPREC_IMAGES")
    assert "url(" not in faces.lines(["a"], ["A"]), "no file alone makes a browser ask another server"
    assert faces.note() == "Pictures of these items lie at shop.example; the server's GROUPREC_IMAGES can allow them."


def test_pictures_and_categories_are_found_among_the_columns_of_items(run: Run) -> None:
    items = run.table("items")
    ids, n = items["item"].astype(str), len(items)
    found = items.assign(shelf=[("bags|x", "cups")[at % 2] for at in range(n)], note=[f"text {at}" for at in range(n)])
    run.save_table("items", found.assign(photo="ftp://plain.example/a.jpg"))
    run.write_manifest()
    known = tiles.faces(run)
    assert known.kinds[ids[0]] == "bags" and known.kinds[ids[1]] == "cups" and not known.pictures
    addresses = [f"http{'s' * (at % 2)}://shop.example/{at}.jpg" for at in range(n - 1)]
    run.save_table("items", found.assign(photo=[*addresses, "none"]))
    run.write_manifest()
    known = tiles.faces(run)
    assert [known.pictures.get(one) for one in (ids[0], ids[1], ids[n - 1])] == [*addresses[:2], None]


# -- approval


def approve(app: AppTest, by: str) -> AppTest:
    app.text_input(key="decide_by").set_value(by)
    next(button for button in app.button if button.label.startswith("Approve ")).click().run()
    assert not app.exception
    return app


def test_what_was_approved_by_whom_and_when_is_kept_and_shown(run: Run) -> None:
    app = approve(open_page("decide", lists="6"), "Mei *Lin*")
    (kept,) = approvals(run.path)
    assert (kept.lists, kept.by, kept.regime, kept.said) == (
        6,
        "Mei *Lin*",
        "strict",
        headline(app).removeprefix("## "),
    )
    assert kept.files == bundle.seals(bundle.shop_files(run, 6, "strict"))
    again = open_page("decide")
    assert again.success[0].value.startswith("**6 lists** approved by Mei \\*Lin\\*, ")
    assert run.status().state.value == "done" and run.damaged() == []


def test_lists_that_do_not_know_the_latest_rows_say_so(run: Run) -> None:
    said = "Not yet in these lists: the 70 rows"
    metrics = run.metrics() | {"split": {"kind": "time", "test": 70}}
    for refit in (False, True):
        run.save_metrics(metrics | {"refit": refit})
        run.write_manifest()
        assert any(one.value.startswith(said) for one in open_page("decide").caption) is not refit


def test_nobody_approves_without_a_name(run: Run) -> None:
    app = approve(open_page("decide"), "  ")
    assert "needs a name" in app.error[0].value and approvals(run.path) == ()


def test_damaged_approvals_are_one_sentence(run: Run) -> None:
    approve(open_page("decide"), "Jo")
    (run.path / FILE).write_text("no JSON")
    app = visit("decide")
    assert "approvals\\.json" in app.error[0].value


# -- the way in


def test_links_of_earlier_versions_to_what_if_lead_to_the_tab(run: Run) -> None:
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE).run()
    app.switch_page(state.page_path("decide"))
    app.query_params["view"] = "what_if"
    app.query_params["lists"] = "2"
    app.run()
    assert "From 2 to 3 lists" in texts(app)
    assert isinstance(run.table("users"), pd.DataFrame)
