"""Compare: which method should I trust?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from grouprec.report import tables
from grouprec.runs.store import Run, RunStore
from grouprec.ui import charts
from grouprec.ui.compare import parts, tabs
from tests.support.planted_run import build_older_run, build_run
from tests.support.small_run import copy_of
from tests.ui.opening import figure, headline, numbers, open_page, texts


def analyst(**query: str) -> AppTest:
    """Return the view for analysts."""
    return open_page("compare", view="analyst", **query)


# -- in short


def test_the_first_line_says_how_many_people_find_something(finished_run: Run) -> None:
    app = open_page("compare")
    assert headline(app) == "## With these 3 lists, 19 of 100 people find something they take in their first ten."
    assert (
        "One popular list for all would do for 11 of 100, and no better single list was found; 3 groups add **8.2** "
        "(5.2 to 11). With a list of their own, **21 more** (18 to 24) would."
    ) in texts(app)
    assert not app.dataframe


def test_five_bars_go_from_todays_practice_to_the_best_possible(finished_run: Run) -> None:
    app = open_page("compare")
    bars, rim, whiskers = figure(app)["data"]
    assert rim["error_x"]["thickness"] > whiskers["error_x"]["thickness"], "dark in a light rim, on any ground"
    assert numbers(whiskers["error_x"]["array"])[1] == pytest.approx(1.5, abs=0.1)
    assert bars["y"] == [
        "Today: the most popular, for all",
        "These 3 lists",
        "A list for everyone",
        "Best possible for these groups",
    ], "the best single list is the most popular here"
    assert numbers(bars["x"])[:3] == pytest.approx([10.8, 19.0, 39.9], abs=0.6)
    rows = finished_run.table("evaluation")
    finished_run.save_table("evaluation", rows.assign(floor_method="recent_popularity"))
    finished_run.write_manifest()
    assert figure(open_page("compare"))["data"][0]["y"][1] == "One good list for all"


def test_older_runs_say_that_their_floor_was_all_time_popularity(runs_folder: RunStore) -> None:
    build_older_run(runs_folder)
    said = texts(open_page("compare"))
    assert "**One popular list for all**: what was popular over all time. This run is older" in said
    assert "3 groups add **14**. With a list of their own, **15 more** would. This run looked for no better" in said


# -- for analysts


def test_the_view_for_analysts_says_what_methods_reach(finished_run: Run) -> None:
    assert (
        "Personal lists reach 0.133 of nDCG@10; 3 shared lists (mean of the members) reach 0.084, "
        "which is 49 % of the possible gain; "
        "k-means + most popular reaches only 0.044."
    ) in headline(analyst())


def test_methods_are_rows_and_metrics_columns_with_intervals(finished_run: Run) -> None:
    table = analyst().dataframe[0].value
    assert table["Method"].tolist()[:2] == ["Personal lists (this run)", "Personal: EASE"]
    ours = table.set_index("Method").loc["Generated list"]
    assert ours["Order of hits (nDCG)"] == "0.081 (0.076–0.086)"
    assert ours["Share of possible gain"] == 0.464
    assert ours["Against: mean of the members"] == "−0.003 (−0.005 to −0.001)"
    popular = table.set_index("Method").loc["One popular list for all"]
    assert popular["Against: mean of the members"] == "−0.048 (−0.050 to −0.046) ★"
    assert table.set_index("Method").loc["Mean of the members", "Against: mean of the members"] == ""


def test_a_metric_without_interval_shows_its_value_alone(finished_run: Run) -> None:
    evaluation = finished_run.table("evaluation")
    evaluation.loc[evaluation["metric"] == "coverage@10", ["low", "high"]] = np.nan
    table = tables.method_table(evaluation, finished_run.table("comparisons"), "strict", 10)
    assert table.set_index("Method").loc["Generated list", "Catalogue shown"] == "0.162"


def test_the_other_use_of_the_lists_has_its_own_numbers(finished_run: Run) -> None:
    app = analyst(use="dedup")
    assert "3 shared lists (generated list) reach 0.108" in texts(app)
    methods = app.dataframe[0].value["Method"].tolist()
    assert methods.index("Mean of the members") < methods.index("Generated list")


def test_dots_carry_their_intervals_and_the_reference_lines(finished_run: Run) -> None:
    chart = figure(analyst())
    assert [note["text"] for note in chart["layout"]["annotations"]] == [
        "one good list for all",
        "personal lists",
        "best possible",
    ]
    assert [line["x0"] for line in chart["layout"]["shapes"]] == [0.036, 0.133, 0.210]
    ours = chart["data"][1]
    assert ours["y"] == ["Mean of the members"]


def test_a_reference_without_a_value_gets_no_line(finished_run: Run) -> None:
    rows = tables.methods_of(finished_run.table("evaluation"), "dedup", "ndcg@10")
    drawn = charts.method_dots(rows, {"one list for all": 0.05, "best possible": np.nan}, "nDCG@10")
    assert len(drawn.layout.shapes) == 1


def test_left_behind_lists_the_worst_served_group_first(finished_run: Run) -> None:
    app = analyst(part="Left behind")
    served = next(table.value for table in app.dataframe if "zero_hit_share" in table.value)
    assert served["name"].tolist() == ["Tea towels", "Lights, candles", "Bags & *lunch*"]
    assert "The list serves **Tea towels** least: 90 %" in texts(app)
    assert served["share_lost"].tolist()[1] == "60\u00a0%"
    assert tables.gain_kept(pd.Series([3.338, 0.25, -0.2, np.nan])) == ["none", "75\u00a0%", "all", "–"]
    assert served["measured"].tolist()[1] == "+0.020 (+0.010 to +0.030)"
    assert "**Lights\\, candles** would gain most: +0.020 (+0.010 to +0.030) measured, +0.005 predicted" in texts(app)
    assert "60 % of its 30 tested members" in texts(analyst(part="Left behind", use="dedup"))


def test_groups_of_a_refitted_run_are_said_to_be_those_of_the_evaluation(finished_run: Run) -> None:
    finished_run.save_metrics(finished_run.metrics() | {"refit": True})
    assert "These are the groups of the evaluation" in texts(analyst(part="Left behind"))


def test_every_stage_says_what_it_adds(finished_run: Run) -> None:
    app = analyst(part="Stages")
    said = texts(app)
    assert "Virtual members are 9.4 times nearer to the real ones" in said
    assert "Held-out items get 2.7 times the probability" in said
    assert "Updating users after every event pays" in said
    values = {metric.label: metric.value for metric in app.metric}
    assert values == {
        "Profile": "6.00",
        "Popularity": "7.00",
        "Generator": "3.40",
        "Random draws": "32.00",
        "Frozen": "0.019",
        "Updated": "0.033",
    }


def test_the_steps_fall_and_rise_from_one_to_the_next(finished_run: Run) -> None:
    bars, *_whiskers = figure(analyst(part="Stages"))["data"]
    ends = [base + added for base, added in zip(numbers(bars["base"]), numbers(bars["x"]), strict=True)]
    assert ends == pytest.approx([0.040, 0.050, 0.080, 0.084, 0.064, 0.081])
    assert numbers(bars["base"])[1:] == pytest.approx(ends[:-1])
    neutral, adds, costs = bars["marker"]["color"][0], bars["marker"]["color"][2], bars["marker"]["color"][4]
    assert len({neutral, adds, costs}) == 3
    assert bars["marker"]["color"][3] == neutral


def test_the_value_of_more_lists_stands_between_its_references(finished_run: Run) -> None:
    lines = {line["name"]: line for line in figure(analyst(part="How many lists"))["data"] if "name" in line}
    assert list(lines) == [
        "Mean of the members",
        "k-means + most popular",
        "One good list for all",
        "Personal lists",
        "Best possible",
    ]
    assert numbers(lines["Mean of the members"]["y"])[0] == pytest.approx(0.036)
    said = texts(analyst(part="How many lists"))
    assert "20 lists are best, and no more were tried. One good list reaches 11 of 100" in said
    dedup = figure(analyst(use="dedup", part="How many lists"))["data"]
    assert "Best possible" not in [line.get("name") for line in dedup]


def test_the_value_table_has_every_number_of_lists(finished_run: Run) -> None:
    table = tables.value_table(finished_run.table("value_of_groups"), "strict").set_index("Lists")
    assert table.index.tolist() == [1, 2, 3, 5, 10, 20]
    assert table.loc[1, "Mean of the members"] == "0.036 (0.031–0.041)"
    assert table.loc[20, ["Smallest group", "Largest group", "Apart", "Stability"]].tolist() == [3, 4, 0.3, 0.5]


def test_every_part_begins_with_a_sentence_and_shows_a_table(finished_run: Run) -> None:
    app = analyst()
    for part in tabs.PARTS.keys() - {"Feedback"}:  # of which this run has none
        open_part(app, part)
        assert parts.MISSING not in texts(app)
        assert len(app.dataframe)
        assert len(app.markdown[1].value) > 40


def test_an_older_run_without_the_evidence_says_so(runs_folder: RunStore) -> None:
    build_older_run(runs_folder)
    app = analyst()
    older = {"Left behind": "Tea towels** least", "Blend": "the best on the validation part", "Feedback": "Nobody has"}
    older |= {"By group": "serve **Bags & \\*lunch\\*** best (0.120)".replace("&", "\\&")}
    for part in tabs.PARTS:
        open_part(app, part)
        assert older.get(part, parts.MISSING) in texts(app)


def open_part(app: AppTest, part: str) -> None:
    app.query_params["part"] = part
    app.run()
    assert not app.exception
    assert app.session_state["compare_part"] == part


def test_the_url_says_which_part_is_open(finished_run: Run) -> None:
    app = analyst(part="Cold start")
    assert "0.100 with 5 known items (4.0 times one popular list)" in texts(app)
    assert analyst(part="no such part").session_state["compare_part"] == "Methods"


def test_the_attribute_of_the_fairness_chart_can_be_chosen(finished_run: Run) -> None:
    app = analyst(part="Fairness")
    app.selectbox(key="compare_attribute").set_value("Country").run()
    assert not app.exception
    chart = figure(app)
    assert chart["data"][1]["y"] == ["*France*"]  # the accent: beyond chance
    assert chart["layout"]["shapes"][0]["x0"] == pytest.approx((30 * 0.070 + 15 * 0.110) / 45)


def test_the_chosen_strategy_is_marked_and_its_price_said(runs_folder: RunStore) -> None:
    build_run(runs_folder, strategy="most_pleasure")
    app = analyst(part="Strategies")
    assert "GFAR does best with 0.090; \\<b\\>Pleasure, this run's, is 0.030 below" in texts(app)
    table = app.dataframe[0].value.set_index("Strategy")
    assert table["Price"].tolist() == [0.0, -0.006, -0.03]
    assert table.index[table["This run"]].tolist() == ["<b>Pleasure"]


def test_popularity_is_told_for_every_kind_of_list(finished_run: Run) -> None:
    table = tables.popularity_table(finished_run.table("exposure")).set_index("Lists")
    assert table.loc["What people have", ["Head", "Tail", "Catalogue shown"]].tolist() == [0.6, 0.4, 1.0]
    assert table.loc["Personal lists", "Mean popularity"] == 0.06
    assert len(table) == 4


def test_the_blend_shows_weights_and_what_each_encoder_lacks(finished_run: Run) -> None:
    table = tables.blend_table(finished_run.metrics()["blend"], finished_run.table("comparisons"))
    assert table["Encoder"].tolist() == ["EASE", "two-tower network"]
    assert table["Weight"].tolist() == [0.75, 0.25]
    assert table["Alone against the blend, test"].tolist()[0] == "−0.013 (−0.015 to −0.011) ★"


def test_a_run_with_repeats_says_that_nobody_skips_anything(finished_run: Run) -> None:
    finished_run.save_metrics(finished_run.metrics() | {"repeats": True})
    assert "members skip nothing" in texts(analyst())


def test_a_run_without_evaluation_says_so_and_still_shows_its_parts(finished_run: Run) -> None:
    for name in ("evaluation", "comparisons", "group_evaluation"):
        finished_run.save_table(name, finished_run.table(name).iloc[:0])
    app = analyst(part="Stages")
    assert "no evaluation" in headline(app)
    assert "Virtual members are" in texts(app)


def test_runs_on_the_same_data_are_compared_side_by_side(finished_run: Run, runs_folder: RunStore) -> None:
    other = build_run(runs_folder, n_groups=5, title="Another *run*")
    app = analyst(run=finished_run.run_id, part="Runs")
    table = app.dataframe[-1].value
    assert set(table["Run"]) == {"Planted shop", "Another *run*"}
    assert set(table["Groups"]) == {3, 5}
    assert table["Shared, same list, share of gain"].tolist() == [0.495, 0.495]
    app.multiselect(key="compare_runs").set_value([other.run_id]).run()
    assert app.dataframe[-1].value["Groups"].tolist() == [5]


def test_runs_on_other_data_are_never_ranked_together(finished_run: Run, runs_folder: RunStore) -> None:
    other = build_run(runs_folder, n_users=60, title="Another shop")
    app = analyst(run=finished_run.run_id, part="Runs", runs=f"{finished_run.run_id},{other.run_id}")
    assert "1 run is on other data, and so not set beside this one." in texts(app)
    assert "Another shop" not in str([table.value for table in app.dataframe])


def test_a_trained_run_tells_its_gain_in_people_and_every_method_by_a_name(
    small_run: Run, runs_folder: RunStore
) -> None:
    copy_of(small_run, runs_folder)
    app = open_page("compare")
    assert "of 100 people find something" in headline(app)
    assert "One popular list for all would do for" in texts(app)
    for use in ("strict", "dedup"):
        app = analyst(use=use)
        methods = app.dataframe[0].value["Method"]
        assert methods.is_unique and not methods.str.contains("_").any()
        assert "The simplest scorer (one encoder × trend)" in set(methods)
