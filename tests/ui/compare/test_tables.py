"""Compare: choices of methods and runs, places, groups by method, what training costs, tables for documents."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from streamlit.testing.v1 import AppTest

from grouprec.core.types import StorageError
from grouprec.report import side_by_side
from grouprec.runs.store import Run, RunStore
from grouprec.ui.compare import tables
from grouprec.ui.compare.export import to_latex, to_markdown
from tests.support.planted_run import build_run
from tests.support.schemas import make_older
from tests.ui.opening import figure, numbers, open_page, texts

HOSTILE = pd.DataFrame(
    {"Method": ["<b>a|b</b> $x_1$", "50 % & ~\\"], "Value": ["−0.003 ★", "0.1–0.2"], "Place": [1, 2]}
)


def with_costs(run: Run) -> Run:
    """Give a run the training times and sizes of its encoders: EASE read back from an earlier run."""
    seconds = {"encoder ease": 1.0, "judge: encoder ease": 2.0, "encoder dnn": 30.0, "judge: encoder dnn": 40.0}
    run.save_metrics(run.metrics() | {"stage_seconds": seconds})
    (run.path / "stages").mkdir(exist_ok=True)
    save_file({"items": np.zeros((4, 5), np.float32), "bias": np.zeros(5, np.float32)},
              run.path / "stages" / "encoder.dnn.abc.safetensors")  # fmt: skip
    run.write_manifest()
    return run


def group_methods(run: Run) -> pd.DataFrame:
    """Return what every method is worth to every group: the generated lists are best in the first group only."""
    served = run.table("group_evaluation").query("regime == 'strict'").drop(columns=["name", "method"])
    mean = served.assign(method="members_mean", **{"ndcg@10": [0.10, 0.09, 0.08]})
    generated = served.assign(method="generated", **{"ndcg@10": [0.11, 0.02, 0.01]})
    personal = served.assign(method="individual", regime="individual", **{"ndcg@10": [0.15, 0.14, np.nan]})
    return pd.concat([mean, generated, personal], ignore_index=True)


def analyst(**query: str) -> AppTest:
    """Return the view for analysts."""
    return open_page("compare", view="analyst", **query)


def test_places_are_among_shared_lists_and_equal_values_share_one() -> None:
    rows = [("a", 0.3), ("b", 0.1), ("c", 0.3), ("d", np.nan)]
    table = pd.DataFrame(rows, columns=["method", "value"]).assign(regime="strict", metric="ndcg@10")
    more = table.assign(regime="individual", value=1.0)
    places = tables.places(pd.concat([table, more]), "strict", ["ndcg@10", "mrr"])
    assert places["ndcg@10"].to_dict() == {"a": 1, "b": 3, "c": 1}


def test_the_table_of_methods_has_places_and_marks(finished_run: Run) -> None:
    app = analyst()
    first = list(app.dataframe[0].value)
    assert first[:3] == ["Place", "Method", "Share of possible gain"] and len(first) == 6, "what fits a laptop"
    app.toggle(key="compare_all").set_value(True).run()
    table = app.dataframe[0].value.set_index("Method")
    assert table.loc["Mean of the members", ["Place", "Mean place"]].tolist() == [1, 1]
    assert table.loc["One popular list for all", "Place"] == 6
    assert np.isnan(table.loc["Personal lists (this run)", "Place"])
    assert table.filter(like="Against").iloc[:, 0].str.endswith("★").sum() > 0


def test_methods_are_chosen_in_the_url_and_keep_their_places(finished_run: Run) -> None:
    app = analyst(methods="generated,popularity,no such method")
    assert app.multiselect(key="compare_methods").value == ["generated", "popularity"]
    table = app.dataframe[0].value
    assert table["Method"].tolist() == ["Generated list", "One popular list for all"]
    assert table["Place"].tolist() == [2, 6]
    dots = figure(app)["data"]
    assert sorted([*dots[0]["y"], *dots[1]["y"]]) == ["Generated list", "One popular list for all"]
    app.multiselect(key="compare_methods").set_value(["popularity"]).run()
    assert app.query_params["methods"] == "popularity"
    assert app.dataframe[0].value["Method"].tolist() == ["One popular list for all"]


def test_the_number_of_items_that_count_is_in_the_url(finished_run: Run) -> None:
    evaluation = finished_run.table("evaluation")
    fewer = evaluation.assign(metric=evaluation["metric"].str.replace("@10", "@5"), value=evaluation["value"] / 2)
    finished_run.save_table("evaluation", pd.concat([evaluation, fewer[fewer["metric"] != "mrr"]]))
    app = analyst(items="5")
    assert "3 shared lists (mean of the members) reach 0.042" in texts(app)
    assert "nDCG@5" in str(figure(app)["layout"]["xaxis"])


def test_the_report_is_offered_and_made_when_it_is_asked_for(finished_run: Run) -> None:
    short, whole = (
        {button.label for button in app.get("download_button")} for app in (open_page("compare"), analyst())
    )
    assert short == {"Report of this run", "All results"} and short | {"CSV", "Markdown", "LaTeX"} <= whole


def test_groups_are_shown_in_both_uses_where_a_run_kept_no_methods(finished_run: Run) -> None:
    make_older(finished_run, "group_methods")
    app = analyst(part="By group")
    heat = figure(app)["data"][0]
    assert heat["y"] == ["1: Bags &amp; *lunch*", "2: Lights, candles", "3: Tea towels"]
    assert len(heat["x"]) == 2
    assert "serve **Bags \\& \\*lunch\\*** best (0.120) and **Tea towels** least (0.030)." in texts(app)


def test_groups_by_method_say_in_how_many_the_best_method_wins(finished_run: Run) -> None:
    finished_run.save_table("group_methods", group_methods(finished_run))
    app = analyst(part="By group")
    table = next(table.value for table in app.dataframe if "Tested users" in table.value and "No." in table.value)
    assert table.columns.tolist()[3:] == ["Mean of the members", "Personal lists (this run)", "Generated list"]
    assert table["Mean of the members"].tolist() == [0.10, 0.09, 0.08]
    assert "They are the best shared lists in 2 of 3 groups with 30 tested members." in texts(app)
    app.segmented_control(key="compare_group_metric").set_value("hit_rate@10").run()
    assert not app.exception
    heat = figure(app)["data"][0]
    assert numbers(heat["z"])[:1] == pytest.approx([0.6])


def test_groups_without_tested_members_get_a_sentence_and_no_picture(finished_run: Run) -> None:
    served = finished_run.table("group_evaluation")
    finished_run.save_table("group_evaluation", served.assign(**{"ndcg@10": np.nan, "hit_rate@10": np.nan}))
    app = analyst(part="By group")
    assert "No group was measured" in texts(app)


def test_every_group_is_in_the_grid_from_which_the_sentence_is_read() -> None:
    """Only the forty largest were: the sentence named the best of these, not of all."""
    served = pd.DataFrame({"group": np.arange(1, 51), "name": "x", "n_test_users": 30}).assign(regime="strict")
    served["ndcg@10"] = served["group"] / 100
    grid = tables.group_grid(tables.group_values(None, served, "strict", "ndcg@10"), "Everyone sees the same list")
    assert grid["group"].tolist() == list(range(1, 51))


def test_runs_are_chosen_in_the_url(finished_run: Run, runs_folder: RunStore) -> None:
    other = build_run(runs_folder, n_groups=5, title="Another *run*")
    app = analyst(part="Runs", run=finished_run.run_id, runs=other.run_id)
    assert app.multiselect(key="compare_runs").value == [other.run_id]
    assert "**Another \\*run\\*** keeps 50 % of the possible gain." in texts(app)
    app.multiselect(key="compare_runs").set_value([finished_run.run_id]).run()
    assert app.query_params["runs"] == finished_run.run_id


def test_methods_are_set_side_by_side_over_runs(finished_run: Run, runs_folder: RunStore) -> None:
    other = build_run(runs_folder)
    evaluation = other.table("evaluation")
    evaluation.loc[evaluation["method"] == "generated", ["value", "low", "high"]] += 0.1
    other.save_table("evaluation", evaluation)
    app = analyst(part="Runs", run=finished_run.run_id, across="Methods", methods="generated,members_mean,popularity")
    table = app.dataframe[-1].value.set_index("Method")
    assert table["Mean place"].to_dict() == {
        "Generated list": 1.5,
        "Mean of the members": 1.5,
        "One popular list for all": 6.0,
    }
    columns = [f"Planted shop · {run.run_id[-4:]}" for run in (finished_run, other)]
    assert table.loc["Generated list", columns].tolist() == ["0.081 (0.076–0.086)", "0.181 (0.176–0.186)"]
    assert "stands highest over 2 runs: mean place 1.5" in texts(app)


def test_the_cost_of_training_stands_against_what_it_reaches(finished_run: Run) -> None:
    with_costs(finished_run)
    app = analyst(part="Runs")
    table = app.dataframe[-1].value.set_index("Encoder")
    assert table["Seconds"].to_dict() == {"EASE": 2.0, "two-tower network": 40.0, "All together": 42.0}
    assert table.loc["two-tower network", "Numbers learned"] == 25
    assert np.isnan(table.loc["EASE", "Numbers learned"])
    assert "Alone, EASE reaches most: 0.120 after 2 seconds; none that is cheaper" in texts(app)
    (dots,) = figure(app)["data"]
    assert numbers(dots["x"]) == [2.0, 40.0, 42.0]
    assert dots["marker"]["symbol"] == ["circle", "circle", "diamond"]


def test_an_encoder_read_back_from_another_run_cost_nothing_here(finished_run: Run) -> None:
    with_costs(finished_run).add_event(event="stage_done", stage="judge: encoder ease", seconds=2.0, reused=True)
    finished_run.write_manifest()
    costs = tables.costs(finished_run, finished_run.table("evaluation"))
    assert costs["title"].tolist() == ["two-tower network"]


def test_a_damaged_file_leaves_the_size_unknown(finished_run: Run) -> None:
    with_costs(finished_run)
    (finished_run.path / "stages" / "encoder.dnn.abc.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(StorageError, match=r"encoder\.dnn\.abc\.safetensors is damaged"):
        tables.costs(finished_run, finished_run.table("evaluation"))
    finished_run.write_manifest()  # as one of 0.1.0 may have left it
    assert tables.costs(finished_run, finished_run.table("evaluation"))["numbers"].isna().all()


def test_runs_without_times_say_that_no_cost_can_be_told(finished_run: Run) -> None:
    finished_run.save_metrics(finished_run.metrics() | {"stage_seconds": {}})
    assert "No cost can be told" in texts(analyst(part="Runs"))


def test_a_cheaper_encoder_within_the_interval_is_named() -> None:
    rows = [("EASE", 200.0, 0.120, 0.110, 0.130), ("ALS", 2.5, 0.115, 0.1, 0.13), ("MF", 1.0, 0.05, 0.04, 0.06)]
    costs = pd.DataFrame(rows, columns=["title", "seconds", "value", "low", "high"])
    assert side_by_side.cost_answer(costs) == (
        "Alone, EASE reaches most: 0.120 after 3.33 minutes; ALS comes within its interval (0.115) after 2.5 seconds."
    )


def test_a_table_becomes_markdown_letter_by_letter() -> None:
    lines = to_markdown(HOSTILE).decode().splitlines()
    assert lines[:2] == ["| Method | Value | Place |", "| --- | --- | ---: |"]
    assert lines[2] == "| \\<b\\>a\\|b\\</b\\> \\$x\\_1\\$ | −0.003 ★ | 1 |"
    assert len(lines) == 4


def test_a_table_becomes_latex_with_booktabs_letter_by_letter() -> None:
    text = to_latex(HOSTILE).decode()
    assert text.startswith("\\begin{tabular}{llr}\n\\toprule\nMethod & Value & Place \\\\\n\\midrule\n")
    assert "\\textless{}b\\textgreater{}a\\textbar{}b\\textless{}/b\\textgreater{} \\$x\\_1\\$" in text
    assert "50 \\% \\& \\textasciitilde{}\\textbackslash{} & 0.1--0.2 & 2 \\\\" in text
    assert "$-$0.003 $^{\\star}$" in text
    assert text.endswith("\\bottomrule\n\\end{tabular}\n")


def test_numbers_in_documents_are_whole_or_have_three_decimals() -> None:
    table = pd.DataFrame({"Run\n1": ["a\nb"], "Groups": [20.0], "Share": [0.12345], "Gap": [np.nan], "Ours": [True]})
    assert to_markdown(table).decode().splitlines()[2] == "| a b | 20 | 0.123 | – | True |"


def test_no_chosen_run_says_what_to_do(finished_run: Run, runs_folder: RunStore) -> None:
    build_run(runs_folder)
    app: AppTest = analyst(part="Runs")
    app.multiselect(key="compare_runs").set_value([]).run()
    assert not app.exception
    assert app.multiselect(key="compare_runs").value  # the default again, as in the URL without it
