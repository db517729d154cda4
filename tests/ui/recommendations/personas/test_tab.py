"""Personas, a tab of Recommendations: what would a group like this want? Four views, each answers and downloads."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from grouprec.explore.virtual_groups import CopyCheck, VirtualGroups, VirtualMembers
from grouprec.models.alternatives import Alternatives
from grouprec.runs.store import Run
from grouprec.ui import state
from grouprec.ui.recommendations.personas import words
from tests.support.planted_evidence import VERDICT, frontier_table, small_groups_table
from tests.support.planted_run import HOSTILE_LABELS, add_judgement
from tests.support.schemas import make_older
from tests.support.virtual_groups import use_virtual_groups
from tests.ui.opening import FRAME, PATIENCE, figure, headline, numbers, open_page, texts


@pytest.fixture
def virtual_groups(finished_run: Run, monkeypatch: pytest.MonkeyPatch) -> VirtualGroups:
    """Return the virtual groups that the app opens for the finished run."""
    return use_virtual_groups(finished_run, monkeypatch)


def listed(app: AppTest) -> list[list[str]]:
    """Return the numbered lists on the page, one text per item."""
    lists = (element.value.splitlines() for element in app.markdown)
    return [lines for lines in lists if lines and lines[0].startswith("1. ")]


def in_url(app: AppTest, name: str) -> list[str]:
    value = app.query_params[name]
    return value if isinstance(value, list) else [value]


# -- the frame of the page


def test_the_first_line_is_the_runs_verdict_where_there_is_one(
    finished_run: Run, virtual_groups: VirtualGroups
) -> None:
    add_judgement(finished_run)
    app = open_page("recommendations", part="personas")
    assert headline(app) == (
        "## Five generated lists that take turns are worth 98 % of the usual list, "
        "with 12 % more variety and 3 % less of the catalogue."
    )
    assert r"**Bags \& \*lunch\*** (30 users) would like" in texts(app)


def test_without_a_verdict_the_first_line_is_what_to_show_the_group(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", group="2")
    assert headline(app).startswith("## Show ")
    assert r"**Lights\, candles** (30 users) would like *Item 8" in texts(app)


def test_the_groups_that_are_spoken_of_are_lit_on_the_map(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", view="mixture", mix="3")
    app.get_by_key("personas_mix").set_value([3, 1]).run()
    shown = figure(app)
    assert shown["layout"]["meta"] == "personas_map (3, 1)"


def test_only_the_chosen_view_is_made(virtual_groups: VirtualGroups, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VirtualGroups, "members", lambda *_: pytest.fail("virtual members were drawn"))
    app = open_page("recommendations", part="personas", view="lists")
    app.get_by_key("personas_view").set_value("mixture").run()
    assert not app.exception
    assert in_url(app, "view") == ["mixture"]


def test_answers_are_made_once_per_server(virtual_groups: VirtualGroups, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    virtual_group = VirtualGroups.virtual_group
    monkeypatch.setattr(
        VirtualGroups, "virtual_group", lambda self, audience: made.append(1) or virtual_group(self, audience)
    )
    app = open_page("recommendations", part="personas", group="1")
    app.get_by_key("personas_dial").set_value(100).run()
    app.get_by_key("personas_alternative").set_value(2).run()
    open_page("recommendations", part="personas", group="1")
    assert len(made) == 1


def test_a_run_without_its_generator_is_one_sentence(finished_run: Run) -> None:
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE).run()
    app.switch_page(state.page_path("recommendations"))
    app.query_params["part"] = "personas"
    app.run()
    assert not app.exception
    assert "has no readable profile" in app.error[0].value
    assert "train it again" in app.error[0].value


# -- alternative lists


def test_another_list_stands_beside_the_safe_one_whose_items_bear_a_dot(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", dial="100", group="3")
    safe, other = listed(app)
    names = {line.split("[", 1)[1].rstrip("]") for line in safe}
    assert len(names) == 10
    for at in (2, 1, 2):
        app.get_by_key("personas_alternative").set_value(at).run()
        assert in_url(app, "alternative") == [str(at)] and f"**Alternative {at}**" in texts(app)
        items = [line.split("[", 1)[1].rstrip("]") for line in listed(app)[1]]
        assert [item.endswith("●") for item in items] == [item.removesuffix("\u00a0●") in names for item in items]
        assert not all(item.endswith("●") for item in items)
    assert other != listed(app)[1] and texts(app).count("of its value") == 1


def test_at_the_safe_end_there_is_one_list_and_the_page_says_why(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", dial="0")
    assert len(listed(app)) == 1
    assert "only 1 different list; turn the dial towards surprising for more" in texts(app)


def test_the_dial_and_the_group_are_in_the_url(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas")
    app.get_by_key("personas_dial").set_value(75).run()
    app.selectbox(key="list_group").set_value(3).run()
    assert (in_url(app, "dial"), in_url(app, "group")) == (["75"], ["3"])


def test_the_frontier_shows_all_methods_and_rings_the_place_of_the_dial(
    finished_run: Run, virtual_groups: VirtualGroups
) -> None:
    add_judgement(finished_run)
    app = open_page("recommendations", part="personas", view="costs", dial="90")
    assert "With the dial at 100 %, five lists that take turns were worth 90 % (88 % to 92 %)" in texts(app)
    drawn = json.loads(app.get("plotly_chart")[-1].proto.spec)["data"]
    assert [trace["name"] for trace in drawn] == list(words.METHODS.values())
    assert numbers(drawn[0]["y"]) == pytest.approx([1, 0.95, 0.9])
    assert numbers(drawn[0]["x"]) == pytest.approx([0, 0.1, 0.2])
    sizes = numbers(drawn[0]["marker"]["size"])
    assert sizes.index(max(sizes)) == 2
    table = next(frame.value for frame in app.dataframe if "Value kept" in frame.value and "Dial" in frame.value)
    assert len(table) == len(frontier_table())


def test_small_groups_are_reported_whichever_way_it_came_out(finished_run: Run, virtual_groups: VirtualGroups) -> None:
    add_judgement(finished_run)
    said = texts(open_page("recommendations", part="personas", view="costs"))
    assert "worth 97 % (95 % to 99 %) of the usual list, and 104 % where they learned from 10 members" in said


def test_a_run_that_measured_no_frontier_says_so(virtual_groups: VirtualGroups, finished_run: Run) -> None:
    make_older(finished_run, "frontier")
    app = open_page("recommendations", part="personas", view="costs")
    assert "This run did not measure what variety costs" in texts(app)
    assert len(app.get("plotly_chart")) == 1, "the map alone"


# -- virtual members


def test_virtual_members_are_cards_with_what_they_have_and_want_next(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", view="members", group="2")
    cards = [element.value for element in app.markdown if element.value.startswith("**A generated member** would")]
    assert len(cards) == 2
    for card in cards:
        assert "and want next" in card
        assert card.count("\n- ") == min(4, int(card.split("would have ")[1].split()[0]))
        assert card.count(". :small[") == 5
    assert "None is a copy: " in texts(app)
    assert texts(app).count("The most similar real user: ") == 2


def test_draw_others_draws_others_and_its_number_is_in_the_url(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", view="members")
    before = texts(app)
    app.button(key="personas_draw").click().run()
    assert in_url(app, "draw") == ["1"]
    assert texts(app) != before
    app.query_params["draw"] = "no number"
    app.run()
    assert not app.exception
    assert texts(app) == before


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (CopyCheck(200, 0.2, 0.45, 0.0, 0.0), "None is a copy: 20\u00a0% of 200 generated members"),
        (CopyCheck(200, 0.5, 0.45, 0.01, 0.03), "They are no copies: 50\u00a0% of 200"),
        (CopyCheck(200, 0.9, 0.45, 0.0, 0.0), "Some come nearer to real users than real users do: 90\u00a0%"),
        (CopyCheck(200, 0.4, 0.45, 0.3, 0.0), "Some come nearer to real users than real users do: 40\u00a0%"),
    ],
)
def test_the_sentence_on_copies_depends_on_what_real_users_are_like(found: CopyCheck, said: str) -> None:
    sentence = words.copy_answer(found)
    assert sentence.startswith(said)
    assert "against 45\u00a0% of real members" in sentence
    assert ("have the very items of a real user" in sentence) == (found.identical > 0)


# -- mixtures


def test_a_mixture_stands_beside_its_groups(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", view="mixture", mix="3", share="25")
    assert "Choose two or three groups to mix." in texts(app)
    app.get_by_key("personas_mix").set_value([3, 1]).run()
    assert in_url(app, "mix") == ["3", "1"]
    assert r"a group that is 75 % **Tea towels** and 25 % **Bags \& \*lunch\***" in texts(app)
    mixed, pure = listed(app)
    assert len(mixed) == len(pure) == 10
    app.get_by_key("personas_beside").set_value(1).run()
    assert in_url(app, "beside") == ["1"] and listed(app)[1] != pure


def test_the_slider_leads_from_one_group_to_the_other(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", view="mixture")
    app.get_by_key("personas_share").set_value(0).run()
    mixed, first = listed(app)
    labels = [line.rsplit("} ", 1)[-1].rstrip("]") for line in mixed]
    assert labels == [line.split("[", 1)[1].rstrip("]").removesuffix("\u00a0●") for line in first]
    assert "shares 10 with that of" in texts(app)


def test_three_groups_have_weights_of_their_own_and_not_all_may_be_none(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", view="mixture", weight1="100", weight2="0", weight3="0")
    app.get_by_key("personas_mix").set_value([1, 2, 3]).run()
    assert "100 % **Bags" in texts(app)
    assert len(app.get_by_key("personas_beside").options) == 3
    app.get_by_key("personas_weight1").set_value(0).run()
    assert not app.exception
    assert "weights of the groups" in app.error[0].value


# -- from liked items


def test_nothing_picked_offers_the_most_popular_items(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", view="liked")
    assert "Pick some items" in texts(app)
    assert len(app.get_by_key("personas_liked").options) == 8


def test_searching_and_picking_gives_groups_list_and_members(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", view="liked")
    for picked in ([100], [100, 101]):
        app.text_input(key="personas_search").set_value(f"item {picked[-1]}").run()
        assert options(app) == [f"Item {row}" for row in picked]
        app.get_by_key("personas_liked").set_value(picked).run()
    assert in_url(app, "liked") == ["00100", "00101"]
    assert "Whoever likes *Item 100* and 1 more item is" in texts(app)
    assert r"like **Lights\, candles**" in texts(app)
    assert "Item 100" not in "".join(listed(app)[0])
    assert texts(app).count("**A generated member** would have") == 2
    app.text_input(key="personas_search").set_value("nothing <b>").run()
    assert r"No item has “nothing \<b\>” in its label or id." in texts(app)
    assert len(options(app)) == 2


def options(app: AppTest) -> list[str]:
    return [option.content for option in app.get_by_key("personas_liked").proto.options]


def test_at_most_ten_items_are_taken_and_unknown_ones_left_out(virtual_groups: VirtualGroups) -> None:
    app = AppTest.from_file(FRAME, default_timeout=PATIENCE).run()
    app.switch_page(state.page_path("recommendations"))
    app.query_params["part"] = "personas"
    app.query_params["view"] = "liked"
    app.query_params["liked"] = ["gone", *(f"{item:05d}" for item in range(100, 115))]
    app.run()
    assert not app.exception
    assert "and 9 more items" in texts(app)


def test_labels_from_the_data_never_act(virtual_groups: VirtualGroups) -> None:
    app = open_page("recommendations", part="personas", view="liked", liked="00001")
    assert options(app)[0] == r"\<b\>Bold bag\<\/b\>"
    assert r"Whoever likes *\<b\>Bold bag\<\/b\>* is" in texts(app)


# -- sentences and tables


def test_lists_with_only_safe_items_in_another_order_are_not_shown_twice() -> None:
    safe = np.arange(4, dtype=np.int32)
    items = np.array([[1, 0, 2, 3], [0, 1, 2, 9], [8, 9, 1, -1]], np.int32)
    found = Alternatives(items, np.array([1, 0.9, 0.8]), np.array([0.5, 0.6, 0.7]), safe, 0.5)
    shown = words.variants(found, 3)
    assert [variant.items.tolist() for variant in shown] == [[0, 1, 2, 3], [0, 1, 2, 9], [8, 9, 1]]
    assert shown[2].shared.tolist() == [False, False, True]
    assert len(words.variants(found, 2)) == 2


def test_the_headline_needs_a_verdict() -> None:
    assert words.headline({}) == ""
    assert words.headline({"turns_ratio": math.nan}) == ""
    assert words.headline({"turns_ratio": 0.97}).endswith("worth 97\u00a0% of the usual list.")
    assert "12\u00a0% more variety and 3\u00a0% less of the catalogue" in words.headline(VERDICT)


def test_a_frontier_without_value_has_no_place() -> None:
    frontier = frontier_table()
    assert words.place_on_frontier(frontier, 0.6)["dial"] == 0.5
    assert words.place_on_frontier(frontier.assign(**{"ndcg@10_ratio": math.nan}), 0.5) is None


def test_small_groups_without_a_judged_member_are_no_number() -> None:
    small = small_groups_table()
    assert words.small_groups_answer(small.iloc[:0]).startswith("No lists")
    every = small[small["band"] == "all"]
    assert words.small_groups_answer(every).endswith("of the usual list.")
    assert words.small_groups_table(small)["Use of the list"].isin(words.REGIMES.values()).all()


def test_downloads_have_ids_and_labels() -> None:
    ids, labels = np.array(["a", "b", "c"], object), np.array(HOSTILE_LABELS[:3], object)
    lists = words.lists_frame({"safe": [2, 0], "alternative 1": [1]}, ids, labels)
    assert lists.to_numpy().tolist()[0] == ["safe", 1, "c", HOSTILE_LABELS[2]]
    assert lists["rank"].tolist() == [1, 2, 1]
    members = VirtualMembers(np.array([[0, 1], [2, -1]]), np.array([[2, -1], [1, 0]]), np.array([0.1, 0.2]))
    frame = words.members_frame(members, ids, labels)
    assert frame.groupby(["member", "part"])["item"].agg(list).tolist() == [["a", "b"], ["c"], ["c"], ["b", "a"]]


def test_items_with_one_label_are_told_apart_by_their_ids() -> None:
    ids, labels = np.array(["a", "b", "c"], object), np.array(["Bag", "Bag", "Cup"], object)
    assert words.distinct([1, 2, 0], ids, labels) == {1: "Bag (b)", 2: "Cup", 0: "Bag (a)"}
    assert isinstance(words.distinct([], ids, labels), dict)


def test_a_mixtures_own_items_are_counted() -> None:
    said = words.mixture_answer({1: 1, 2: 3}, {1: "A*", 2: "B"}, [1, 2, 3], {1: [1, 7], 2: [2, 7]})
    assert said == (
        "Of 3 items, the list for a group that is 25\u00a0% **A\\*** and 75\u00a0% **B** shares 1 with that of A\\* "
        "and 1 with that of B, and has 1 of its own."
    )
    assert pd.Series(words.joined(["a", "b", "c"])).item() == "a, b and c"
