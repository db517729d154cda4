"""The sentences of the evidence say what the tables say, gains, losses and nothing alike."""

from __future__ import annotations

import pandas as pd
import pytest

from grouprec.report import findings, side_by_side, tables
from grouprec.report.text import difference
from tests.support.planted_evidence import evidence_tables

TABLES = evidence_tables(pd.DataFrame({"group": [1, 2, 3], "name": list("abc"), "size": 30}))
UNKNOWN = float("nan")


def strict(name: str) -> pd.DataFrame:
    return tables.of(TABLES[name], regime="strict")


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (0.15, 0.1, 0.2, "adds"),
        (-0.15, -0.2, -0.1, "costs"),
        (0, -0.1, 0.1, "no proven difference"),
        (0.5, UNKNOWN, UNKNOWN, "too few to tell"),
        (UNKNOWN, UNKNOWN, UNKNOWN, ""),
    ],
)
def test_an_interval_adds_costs_or_proves_nothing(value: float, low: float, high: float, said: str) -> None:
    assert findings.verdict(value, low, high) == said


def test_where_too_few_were_tested_nothing_is_claimed() -> None:
    steps = strict("ablation").assign(low=UNKNOWN, high=UNKNOWN)
    assert findings.steps_answer(steps) == "Fewer than 30 users were tested: too few to tell what a step adds."
    measured = ["measured_ndcg@10_low", "measured_ndcg@10_high"]
    groups = strict_split().assign(**dict.fromkeys(measured, UNKNOWN))
    assert findings.split_answer(groups) == "No group has 30 tested members: too few to tell what a split would gain."
    assert findings.fairness_answer(strict("fairness").assign(p_adjusted=UNKNOWN)) == (
        "Of 4 attribute values, none has 30 tested users and as many others: "
        "too few to tell whom the lists serve better."
    )
    grid = pd.DataFrame({"name": ["A", "B"], "n_test_users": [29, 5], "ours": [0.9, 0.1]})
    assert side_by_side.groups_answer(grid, "ours") == (
        "No group has 30 tested members: too few to tell which the shared lists serve best."
    )
    assert "**A** best (0.900)." in side_by_side.groups_answer(grid.assign(n_test_users=[30, 29]), "ours")
    assert difference(0.012, UNKNOWN, UNKNOWN) == "+0.012 (too few to tell)"


def test_expected_takes_are_held_against_real_ones_and_what_the_part_before_foretold() -> None:
    takes = {"words": "19 days, as long as the run was judged on", "gap": 0.072, "taken": 5591, "foretold": 7300.0}
    takes["lists"] = {"strict": {"expected": 596.4, "taken": 669.0}, "dedup": {"expected": 1.0, "taken": 2.0}}
    said = findings.takes_answer(takes)
    assert said.startswith(
        "Expected takes: in 19 days, as long as the run was judged on, the ten items of the shared lists should have "
        "been taken 596 times, and were 669 times. Over all predictions, expected and real takes differ by 7.2\u00a0% "
        "in the worst tenth. What is expected of a user"
    )
    assert said.endswith("The part before foretold 31\u00a0% more: another time may differ as much.")
    assert findings.takes_answer(takes | {"foretold": 2795.5}).endswith(
        "foretold 50\u00a0% fewer: another time may differ as much."
    )
    assert findings.takes_answer(takes | {"foretold": 5600.0}).endswith("The part before foretold as many.")
    assert findings.takes_answer(takes | {"foretold": None}).endswith("learned from others.")
    assert findings.takes_answer(None) == ""


def test_steps_name_gains_losses_and_what_is_not_proven() -> None:
    assert findings.steps_answer(strict("ablation")) == (
        "The blend (+0.030), the generator (+0.017) and the encoder (+0.010) add; the profile (−0.020) costs; "
        "the grouping (+0.004) makes no proven difference. "
        "Lists from virtual members reach 0.081, 0.003 below the members' mean."
    )
    nobody = strict("ablation").assign(value=float("nan"), added=float("nan"))
    assert findings.steps_answer(nobody).startswith("No stage could be judged")


def test_a_split_is_only_recommended_where_it_is_proven() -> None:
    groups = strict_split()
    assert findings.split_answer(groups).startswith("Split in two, **B\\*** would gain most: +0.020")
    assert findings.split_answer(groups[groups["group"] != 2]) == "No group is proven to gain by being split in two."


def strict_split() -> pd.DataFrame:
    split = TABLES["left_behind"]
    return split[split["regime"] == "strict"].assign(name=["A", "B*", "C"])


def test_the_price_of_the_chosen_strategy_is_said() -> None:
    ranked = strict("strategies").sort_values("value", ascending=False)
    assert findings.strategies_answer(ranked, "utility") == (
        "GFAR does best with 0.090; Catalogue utility, this run's, is 0.006 below."
    )
    said = findings.strategies_answer(ranked.assign(low=0.07), "gfar")
    assert said == "GFAR does best with 0.090; 1 of the 2 others lie within its interval."
    near = ranked.assign(low=0.05)
    assert findings.strategies_answer(near, "gfar").endswith("so the choice hardly matters here.")


def test_fairness_names_whom_lists_serve_differently_beyond_chance() -> None:
    rows = strict("fairness")
    assert findings.fairness_answer(rows) == (
        "Of 4 attribute values, 1 is served differently from all other users beyond chance: "
        r"Country \*France\* better (0.110 against 0.080)."
    )
    assert "none is served better or worse" in findings.fairness_answer(rows.assign(p_adjusted=1.0))


def test_popularity_bias_compares_lists_with_what_people_have() -> None:
    said = findings.popularity_answer(TABLES["exposure"], "strict")
    assert "1.5 times as popular" in said
    assert "80\u00a0% of what is listed and 60\u00a0% of what people have; 5\u00a0% of the catalogue" in said
    assert findings.popularity_answer(TABLES["exposure"].iloc[:1], "strict") == ""


def test_cold_start_is_said_for_people_and_for_items() -> None:
    rows = tables.of(TABLES["cold_users"]).rename(columns={"n_known": "count"})
    curves = {str(name): curve for name, curve in rows.groupby("method")}
    assert findings.cold_users_answer(curves, "individual", "popularity") == (
        "Personal predictions reach 0.050 with no known item (2.0 times one popular list), 0.060 with 1 known item "
        "(2.4 times one popular list) and 0.100 with 5 known items (4.0 times one popular list)."
    )
    items = tables.of(TABLES["cold_items"])
    assert "reach 0.090, 3.0 times chance; against the whole catalogue they reach nothing" in (
        findings.cold_items_answer(items)
    )
    assert findings.cold_items_answer(items.assign(value=0.05)).endswith("against the whole catalogue 0.050.")


def test_repeats_say_which_task_the_run_has() -> None:
    rows = tables.of(TABLES["repeats"])
    said = findings.repeats_answer(rows, allowed=False)
    assert (
        "new items reach 0.133; with repeats allowed they reach 0.400 (what each person took most often: 0.300)" in said
    )
    assert said.endswith("This run lists new items only.")
    assert findings.repeats_answer(rows, allowed=True).endswith("may list items again.")


def test_the_blend_and_its_trend_are_said_in_words() -> None:
    blend = {"encoders": {"ease": 1.0, "als": 0.0}, "ndcg": {"ease": 0.1, "als": 0.05, "blend": 0.15}}
    assert findings.blend_answer(blend) == (
        "Blended, 1 encoder reaches 0.150 on the validation part, 1.5 times its best member alone (EASE, 0.100)."
    )
    assert "no validation part" in findings.blend_answer({"encoders": {"ease": 1.0}, "ndcg": {}})
    alone = {"encoders": {"ease": 1.0, "als": 0.0}, "ndcg": {"ease": 0.15, "als": 0.05, "start": 0.15, "blend": 0.15}}
    assert findings.blend_answer(alone) == (
        "EASE counts alone, with 0.150 on the validation part: no other encoder adds to it."
    )
    said = findings.trend_answer({"half_life": 14.0, "trend": 1.0})
    assert "14 days ago counts half" in said
    assert "what happened 3 hours ago" in findings.trend_answer({"half_life": 1 / 8, "trend": 1.0})
    assert "what happened 1 day ago" in findings.trend_answer({"half_life": 1.0, "trend": 1.0})
    assert "has 2.0 times the odds" in said
    assert "does not count" in findings.trend_answer({"half_life": None, "trend": 0.0})
    said = findings.trend_answer({"half_life": None, "trend": 0.0, "season": 0.5, "season_days": 30.2})
    assert "twice as often in 30 days then as over all time has 1.4 times the odds" in said
