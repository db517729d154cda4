"""The sentences say what the numbers say, and nothing in the data can act in them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grouprec.core.language import speaking
from grouprec.report import learned, sentences, text
from grouprec.runs.store import Run
from grouprec.ui import cards
from tests.support.planted_run import HOSTILE_LABELS


@pytest.fixture
def evaluation(finished_run: Run) -> pd.DataFrame:
    return finished_run.table("evaluation")


def changed(evaluation: pd.DataFrame, method: str, regime: str, **values: float) -> pd.DataFrame:
    """Return the evaluation with one method's nDCG@10 row changed."""
    row = (
        (evaluation["method"] == method) & (evaluation["regime"] == regime) & (evaluation["metric"] == sentences.METRIC)
    )
    frame = evaluation.copy()
    for name, value in values.items():
        frame.loc[row, name] = value
    return frame


# -- sentences


def test_the_groups_answer_names_the_largest_group_and_how_many_hold_half() -> None:
    groups = pd.DataFrame({"group": [1, 2, 3, 4], "name": ["a", "b", "c", "d"], "size": [10, 40, 20, 30]})
    said = sentences.groups_answer(groups)
    assert said == (
        "Your 100 users fall into 4 groups: the largest, **b**, holds 40\u00a0% of them, "
        "and 2 groups hold half of all users."
    )


def test_a_group_that_holds_half_alone_is_not_said_twice() -> None:
    groups = pd.DataFrame({"group": [1, 2], "name": ["a", "b"], "size": [9, 1]})
    assert (
        sentences.groups_answer(groups)
        == "Your 10 users fall into 2 groups: the largest, **a**, holds 90\u00a0% of them."
    )


def test_one_group_is_called_one_group() -> None:
    groups = pd.DataFrame({"group": [1], "name": ["all"], "size": [1]})
    assert sentences.groups_answer(groups) == "There is one group, **all**, with 1 user."


def test_the_compare_answer_says_what_is_reached_and_what_of_the_gain_is_kept(evaluation: pd.DataFrame) -> None:
    said = sentences.compare_answer(evaluation, "strict", 20)
    assert said == (
        "Personal lists reach 0.133 of nDCG@10; 20 shared lists (generated list) reach 0.081, which is 46\u00a0% of "
        "the possible gain; k-means + most popular reaches only 0.044."
    )


def test_a_usual_method_within_the_interval_is_not_belittled(evaluation: pd.DataFrame) -> None:
    near = changed(evaluation, "kmeans_popularity", "strict", value=0.079, high=0.084)
    assert "most popular reaches 0.079." in sentences.compare_answer(near, "strict", 20)


def test_lists_worse_than_one_popular_list_are_called_so(evaluation: pd.DataFrame) -> None:
    worse = changed(evaluation, "generated", "strict", value=0.03, share_of_gain=-0.06)
    assert "less than one good list for all" in sentences.compare_answer(worse, "strict", 20)
    older = worse.drop(columns="floor_method")
    assert "less than one popular list for all" in sentences.compare_answer(older, "strict", 20)


def test_an_undefined_gain_is_left_out(evaluation: pd.DataFrame) -> None:
    undefined = changed(evaluation, "generated", "strict", share_of_gain=np.nan)
    said = sentences.compare_answer(undefined, "strict", 1)
    assert "gain" not in said
    assert "1 shared list (generated list) reaches 0.081;" in said


def test_a_run_without_evaluation_says_so(evaluation: pd.DataFrame) -> None:
    assert "no evaluation" in sentences.compare_answer(evaluation.iloc[:0], "strict", 5)


def test_worth_compares_generated_lists_with_the_mean_and_with_one_list_for_all(evaluation: pd.DataFrame) -> None:
    said = sentences.worth_answer(evaluation, "strict", "members_mean")
    assert (
        said
        == "Such lists reach 2.3 times one good list for all; generated ones keep 96\u00a0% of the usual list's worth."
    )
    poor = changed(evaluation, "generated", "strict", value=0.018)
    assert "only reach 0.5 times one good list" in sentences.worth_answer(poor, "strict")
    assert sentences.worth_answer(evaluation.iloc[:0], "strict") == ""


def test_methods_and_encoders_have_names_for_people() -> None:
    assert sentences.encoder_title("als + item_knn + transformer") == "ALS + item neighbours + transformer"
    assert sentences.method_title("graph", "individual") == "Personal: graph network"
    assert sentences.method_title("individual", "individual") == "Personal lists (this run)"
    assert sentences.method_title("least_misery") == "Least misery"
    assert sentences.method_title("ep_fuzzda") == "EP-FuzzDA"
    assert sentences.method_title("als_trend", "individual") == "Personal: ALS × trend"
    assert sentences.method_title("kmeans_recent", "strict") == "k-means + popular lately"
    assert sentences.method_title("recent_popularity", "dedup") == "One list of what is popular lately"


def test_every_simple_method_that_a_run_is_measured_against_has_a_name() -> None:
    shared = ("popularity", "recent_popularity", "seasonal_popularity", "one_group", "group_popularity", "group_recent")
    shared += ("one_list", "kmeans_popularity", "kmeans_recent", "kmeans_mean_ease", "kmeans_mean_simple")
    for method in (*shared, "kmeans_mean_own", "lists_simple", "simple", "own_frequency", "own_recent"):
        assert method in sentences.METHODS
    assert len(set(sentences.METHODS.values())) == len(sentences.METHODS)


def test_only_runs_with_repeats_say_that_members_skip_nothing() -> None:
    assert sentences.repeats_words({}) == sentences.repeats_words({"repeats": False}) == ""
    assert "members skip nothing" in sentences.repeats_words({"repeats": True})


def test_the_list_answer_names_the_first_items_and_escapes_them() -> None:
    group = {"group": 3, "name": "Tea *towels*", "size": 1200}
    head = pd.DataFrame({"label": [HOSTILE_LABELS[3], "Cup"], "reach": [0.5, 0.4]})
    said = sentences.list_answer(group, head)
    assert said.endswith(" first.")
    assert said.startswith(r"Show **Tea \*towels\*** (1,200 users) *\*Star\* \[link\]\(http")
    assert "no list" in sentences.list_answer(group, head.iloc[:0])
    long = head.assign(label=["Mug with all its measures " * 9, "Cup"])
    assert len(sentences.list_answer(group, long)) < 120 and "…* and *Cup*" in sentences.list_answer(group, long)


def test_the_generator_answer_says_which_side_is_nearer() -> None:
    better = learned.generator_answer({"frechet_generated": 4.0, "frechet_gaussian": 32.0})
    worse = learned.generator_answer({"frechet_generated": 4.0, "frechet_gaussian": 2.0})
    assert "8.0 times nearer" in better
    covering = learned.generator_answer({"frechet_generated": 4.0, "frechet_gaussian": 32.0, "mode_coverage": 0.91})
    assert covering.endswith("and stand for 91\u00a0% of members kept aside.")
    assert worse.startswith("Simple random draws are nearer")
    assert "not evaluated" in learned.generator_answer({})


def test_the_updater_answer_says_when_updating_does_not_pay() -> None:
    moved = {"n_events": 4100, "hit_rate@10": {"frozen": 0.038, "updated": 0.065}}
    assert learned.updater_answer(moved) == (
        "Updating users after every event pays: the next item is in the first ten for 6.5\u00a0% of events "
        "instead of 3.8\u00a0% (4,100 events)."
    )
    assert "does not pay" in learned.updater_answer(moved | {"hit_rate@10": {"frozen": 0.038, "updated": 0.03}})
    near = {"frozen": 0.616, "updated": 0.6215, "updated_over_frozen_interval": [1.0, 1.018]}
    assert learned.updater_answer(moved | {"hit_rate@10": near}).startswith(
        "Updating users after every event is not proven to pay: the next item is in the first ten for "
        "62.2\u00a0% of events instead of 61.6\u00a0%"
    )
    assert "not evaluated" in learned.updater_answer(moved | {"n_events": 0})
    assert "not evaluated" in learned.updater_answer({})


def test_below_thirty_tested_users_nothing_is_claimed(evaluation: pd.DataFrame) -> None:
    few, enough = evaluation.assign(n_users=29), evaluation.assign(n_users=30)
    said = sentences.compare_answer(few, "strict", 20)
    assert said.endswith("Tested on 29 users: too few to tell which is better.")
    assert "only" not in said and "possible gain" not in said
    assert "too few" not in sentences.compare_answer(enough, "strict", 20)
    assert sentences.worth_answer(few, "strict", "members_mean") == (
        "Only 29 users could be tested: too few to tell what such lists are worth."
    )
    assert "too few" not in sentences.worth_answer(enough, "strict", "members_mean")
    moved = {"n_events": 90, "n_users": 29, "hit_rate@10": {"frozen": 0.038, "updated": 0.065}}
    assert learned.updater_answer(moved) == (
        "Tried on 29 users: too few to tell whether updating users after every event pays."
    )
    assert "pays: " in learned.updater_answer(moved | {"n_users": 30})


def test_the_profile_answer_is_the_ratio_of_probabilities() -> None:
    assert "get 2.7 times the probability" in learned.profile_answer({"nll_vae": 6.0, "nll_popularity": 7.0})
    assert "get only 0.4 times the probability" in learned.profile_answer({"nll_vae": 7.0, "nll_popularity": 6.0})
    assert "not evaluated" in learned.profile_answer({})


def test_the_profile_answer_says_what_the_groups_add() -> None:
    costs = {"nll_vae": 6.0, "nll_popularity": 7.0}
    assert "only the presets standard and thorough measure" in learned.profile_answer(costs)
    assert "Knowing the groups adds nothing" in learned.profile_answer(costs | {"nll_plain": 6.001})
    assert "Knowing the groups raises it 1.6 times" in learned.profile_answer(costs | {"nll_plain": 6.5})
    assert "Knowing the groups lowers it 1.6 times" in learned.profile_answer(costs | {"nll_plain": 5.5})


def test_the_verdict_says_what_generated_lists_keep_in_both_uses() -> None:
    found = {"strict_ratio": 0.98, "dedup_ratio": 0.971}
    assert learned.verdict_answer(found) == (
        "Lists from virtual members are worth 98\u00a0% of those from real members "
        "(97\u00a0% where each member skips what they have)."
    )
    turns = {"turns_diversity_change": 31.2, "turns_ratio": 0.955}
    assert learned.verdict_answer(found | turns).endswith("Alternative lists vary by +31\u00a0% and keep 96\u00a0%.")
    assert "not judged" in learned.verdict_answer({})
    assert "not judged" in learned.verdict_answer({"strict_ratio": float("nan"), "dedup_ratio": 0.9})


def test_left_behind_names_the_worst_served_group(finished_run: Run) -> None:
    served = finished_run.table("group_evaluation")
    strict = served[served["regime"] == "strict"]
    assert sentences.left_behind_answer(strict) == (
        "The list serves **Tea towels** least: 90\u00a0% of its 30 tested members found nothing in it."
    )
    few = strict.assign(n_test_users=[200, 30, 29])
    assert "**Lights\\, candles** least: 65\u00a0% of its 30" in sentences.left_behind_answer(few)
    assert sentences.left_behind_answer(few.assign(n_test_users=29)) == (
        "No group has 30 tested members: too few to tell which the lists serve least."
    )
    assert "No group was measured" in sentences.left_behind_answer(strict.assign(zero_hit_share=np.nan))


def test_reasons_give_share_and_times_the_average() -> None:
    assert sentences.item_reason("Cup", 0.38, 3.84) == "Cup · 38\u00a0%\u00a0·\u00a03.8×"
    number = {"attribute": "recency_days", "kind": "median", "in_group": 12.34, "overall": 150.2, "value": ""}
    assert sentences.attribute_reason(number) == "days inactive · median 12.3, of all users 150"
    row = {"label": "Cup", "rank": 2, "reach": 0.5, "owned": 0.04, "lift": np.nan}
    assert sentences.item_why(row) == (
        "**Cup** is number 2: 50\u00a0% of the group have it among their own 50 best predictions; "
        "4\u00a0% have it already."
    )


# -- text, numbers and files


def test_plain_escapes_all_that_markdown_would_interpret() -> None:
    assert cards.plain("a *b* [c](http://d) <e> $f$ `g`") == (r"a \*b\* \[c\]\(http\:\/\/d\) \<e\> \$f\$ \`g\`")
    assert ":smile:" not in cards.plain(":smile:").replace("\\", "")
    assert cards.plain("two\nlines\t here") == "two lines here"
    assert cards.plain("“A” (2001)") == r"“A” \(2001\)"
    with speaking("zh"):  # else ** behind it, before a letter, would end nothing
        assert cards.plain("“A” (2001)") == "\u2060“A” \\(2001\\)\u2060" and cards.plain("A") == "A"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.467, "47\u00a0%"),
        (0.0033, "0.3\u00a0%"),
        (0.05, "5\u00a0%"),
        (0.0996, "10\u00a0%"),
        (0, "0\u00a0%"),
        (np.nan, "–"),
    ],
)
def test_percent_keeps_a_decimal_only_where_it_says_something(value: float, said: str) -> None:
    assert cards.percent(value) == said


def test_what_is_put_into_one_line_keeps_a_number_with_its_per_cent_sign() -> None:
    said = "a\u00a0b\n c: 43\u00a0% of  d "
    assert text.one_line(said) == "a b c: 43\u00a0% of d" == text.short(said)
    assert text.plain(said) == "a b c\\: 43\u00a0\\% of d"


def test_a_group_mark_is_readable_on_its_colour() -> None:
    assert 'foreground="#ffffff" background="#0072b2"' in cards.group_mark(1)
    assert 'foreground="#1d2330" background="#e69f00"' in cards.group_mark(2)


def test_values_that_the_preparation_made_are_said_in_the_readers_words() -> None:
    row = {"attribute": "usual weekday", "kind": "share", "value": "Monday", "in_group": 0.6, "lift": 2.0}
    assert sentences.attribute_reason(row).startswith("usual weekday Monday ·")
    with speaking("zh"):
        assert "星期一" in sentences.attribute_reason(row)
        assert "Monday" in sentences.attribute_reason({**row, "attribute": "market day"})
