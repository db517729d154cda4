"""Compare: which method should I trust?"""

from __future__ import annotations

import numpy as np
import pytest
from fake_run import build_run
from opening import figure, open_page, texts

from grouprec.runs import Run, RunStore
from grouprec.ui import charts, shaping


def test_the_first_line_says_what_the_lists_reach(finished_run: Run) -> None:
    assert open_page("compare").markdown[0].value == (
        "## Personal lists reach 0.133; 3 shared lists (mean of the members) reach 0.084, "
        "which is 49 % of the possible gain; "
        "k-means + most popular reaches only 0.044."
    )


def test_methods_are_rows_and_metrics_columns_with_intervals(finished_run: Run) -> None:
    table = open_page("compare").dataframe[0].value
    assert table["Method"].tolist()[:2] == ["Personal lists (this run)", "Personal: EASE"]
    ours = table.set_index("Method").loc["Generated list"]
    assert ours["Order of hits (nDCG)"] == "0.081 (0.076–0.086)"
    assert ours["Share of possible gain"] == 0.464
    assert ours["Against the generated list"] == ""
    popular = table.set_index("Method").loc["One popular list for all"]
    assert popular["Against the generated list"] == "−0.045 (−0.047 to −0.043)"


def test_a_metric_without_interval_shows_its_value_alone(finished_run: Run) -> None:
    evaluation = finished_run.table("evaluation")
    evaluation.loc[evaluation["metric"] == "coverage@10", ["low", "high"]] = np.nan
    table = shaping.method_table(evaluation, finished_run.table("comparisons"), "strict", 10)
    assert table.set_index("Method").loc["Generated list", "Catalogue shown"] == "0.162"


def test_the_other_use_of_the_lists_has_its_own_numbers(finished_run: Run) -> None:
    app = open_page("compare", use="dedup")
    assert "3 shared lists (generated list) reach 0.108" in app.markdown[0].value
    methods = app.dataframe[0].value["Method"].tolist()
    assert methods.index("Mean of the members") < methods.index("Generated list")


def test_dots_carry_their_intervals_and_the_reference_lines(finished_run: Run) -> None:
    chart = figure(open_page("compare"))
    assert [note["text"] for note in chart["layout"]["annotations"]] == [
        "one list for all",
        "personal lists",
        "best possible",
    ]
    assert [line["x0"] for line in chart["layout"]["shapes"]] == [0.036, 0.133, 0.210]
    ours = chart["data"][1]
    assert ours["y"] == ["Mean of the members"]


def test_a_reference_without_a_value_gets_no_line(finished_run: Run) -> None:
    rows = shaping.methods_of(finished_run.table("evaluation"), "dedup", "ndcg@10")
    drawn = charts.method_dots(rows, {"one list for all": 0.05, "best possible": np.nan}, "nDCG@10")
    assert len(drawn.layout.shapes) == 1


def test_left_behind_lists_the_worst_served_group_first(finished_run: Run) -> None:
    app = open_page("compare")
    served = next(table.value for table in app.dataframe if "zero_hit_share" in table.value)
    assert served["name"].tolist() == ["Tea towels", "Lights, candles", "Bags & *lunch*"]
    assert "The list serves **Tea towels** least: 90 %" in texts(app)
    assert "60 % of its 15 tested members" in texts(open_page("compare", use="dedup"))


def test_groups_of_a_refitted_run_are_said_to_be_those_of_the_evaluation(finished_run: Run) -> None:
    finished_run.save_metrics(finished_run.metrics() | {"refit": True})
    assert "These are the groups of the evaluation" in texts(open_page("compare"))


def test_every_stage_says_what_it_adds(finished_run: Run) -> None:
    app = open_page("compare")
    said = texts(app)
    assert "Virtual members are 9.4 times nearer to the real ones" in said
    assert "Held-out items get 2.7 times the probability" in said
    assert "Updating users after every event pays" in said
    values = {metric.label: metric.value for metric in app.metric}
    assert values == {
        "Profile": "6",
        "Popularity": "7",
        "Generator": "3.4",
        "Random draws": "32",
        "Frozen": "0.019",
        "Updated": "0.033",
    }


def test_the_curve_of_lists_is_drawn_on_the_scale_of_possible_gain(finished_run: Run) -> None:
    curve = shaping.gain_curves(finished_run.table("value_of_groups"))["Everyone sees the same list"]
    assert curve["share"].iloc[0] == pytest.approx(0)
    half_width = 0.005 / (0.133 - 0.036)
    np.testing.assert_allclose(curve["high"] - curve["share"], half_width)
    assert "20 lists reach 59 % of the possible gain, the most measured." in texts(open_page("compare"))


def test_a_run_with_a_given_number_of_groups_has_no_curve(runs_folder: RunStore) -> None:
    build_run(runs_folder, value=False)
    app = open_page("compare")
    assert "How many lists" not in [heading.value for heading in app.subheader]
    assert not app.error


def test_a_run_without_evaluation_says_so_and_still_shows_its_parts(finished_run: Run) -> None:
    for name in ("evaluation", "comparisons", "group_evaluation"):
        finished_run.save_table(name, finished_run.table(name).iloc[:0])
    app = open_page("compare")
    assert "no evaluation" in app.markdown[0].value
    assert "Virtual members are" in texts(app)


def test_runs_are_compared_side_by_side(finished_run: Run, runs_folder: RunStore) -> None:
    other = build_run(runs_folder, n_users=60, n_groups=5, title="Another *run*")
    app = open_page("compare", run=finished_run.run_id)
    table = app.dataframe[-1].value
    assert set(table["Run"]) == {"Planted shop", "Another *run*"}
    assert set(table["Groups"]) == {3, 5}
    assert table["Shared, same list, share of gain"].tolist() == [0.495, 0.495]
    assert "not on the same users" in texts(app)
    app.multiselect(key="compare_runs").set_value([other.run_id]).run()
    assert app.dataframe[-1].value["Groups"].tolist() == [5]
    assert "not on the same users" not in texts(app)
