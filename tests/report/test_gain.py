"""The gain in words: people, parts and intervals, and no noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grouprec.evaluate.value import choose_n_groups
from grouprec.report import gain
from grouprec.report.enough_lists import enough_answer, number_answer
from grouprec.report.gain import Part, Split

NAN = float("nan")
SPLIT = Split(
    n_lists=20,
    popularity=Part(0.12, 0.10, 0.14),
    single_list=Part(0.09, 0.06, 0.12),
    groups=Part(0.06, 0.031, 0.09),
    personal=Part(0.05, 0.02, 0.08),
    floor_method="recent_popularity",
)
NUMBERS = [1, 5, 20]


def changed(**parts: object) -> Split:
    return Split(**{**vars(SPLIT), **parts})


def curve(values: list[float], error: float = 0.01, metric: float = 1.0) -> pd.DataFrame:
    """Return a curve over ``NUMBERS``, paired over users, between a floor of 0.10 and personal lists at 0.20."""
    value = metric * np.array(values)
    frame = pd.DataFrame({"n_groups": NUMBERS, "value": value, "low": value - 0.02, "high": value + 0.02})
    frame = frame.assign(floor=metric * 0.10, floor_method="recent_popularity", individual=metric * 0.20)
    frame = frame.assign(share_of_gain=(value / metric - 0.10) / 0.10)
    return frame.assign(below_best=value.max() - value, below_best_error=metric * error)


def steps(groups: list[float], more: list[float], half: float = 0.01) -> pd.DataFrame:
    """Return the parts ``groups`` and ``more`` by both metrics, each with an interval of that half width."""
    rows = [("groups", n, value) for n, value in zip(NUMBERS, groups, strict=True)]
    rows += [("more", n, value) for n, value in zip(NUMBERS, more, strict=False)]
    frame = pd.DataFrame(rows, columns=["part", "n_groups", "value"])
    frame = frame.assign(low=frame["value"] - half, high=frame["value"] + half, n_users=300)
    return pd.concat([frame.assign(metric=metric) for metric in ("ndcg@10", "hit_rate@10")], ignore_index=True)


# -- parts


def test_the_headline_is_about_people() -> None:
    said = "With these 20 lists, 32 of 100 people find something they take in their first ten."
    assert gain.reached_answer(changed(groups=Part(0.11, 0.1, 0.12))) == said
    assert gain.reached_answer(changed(n_lists=1)).startswith("With this list, 27 of 100")


def test_every_part_is_told_with_its_interval() -> None:
    assert gain.parts_answer(SPLIT) == (
        "One popular list for all would do for 12 of 100; one good list (what is popular lately) adds **9** "
        "(6 to 12); 20 groups add **6** (3.1 to 9). With a list of their own, **5 more** (2 to 8) would."
    )


def test_a_part_within_its_interval_is_no_measurable_gain() -> None:
    said = gain.parts_answer(changed(groups=Part(0.02, -0.01, 0.05), personal=Part(0.01, -0.002, 0.03)))
    assert "20 groups add no measurable gain (−1 to 5)." in said
    assert said.endswith("A list of everyone's own would add no measurable gain (−0.2 to 3).")


def test_losses_are_said_as_losses() -> None:
    said = gain.parts_answer(changed(groups=Part(-0.06, -0.09, -0.03), personal=Part(-0.05, -0.08, -0.02)))
    assert "20 groups cost **6** (3 to 9). With a list of their own, **5 fewer** (2 to 8) would." in said
    assert "this run's own list costs **6**" in gain.parts_answer(changed(n_lists=1, groups=Part(-0.06, -0.09, -0.03)))


def test_where_popularity_is_the_best_single_list_nothing_is_added_to_it() -> None:
    said = gain.parts_answer(changed(floor_method="popularity", single_list=Part(0.0, 0.0, 0.0)))
    assert said.startswith("One popular list for all would do for 12 of 100, and no better single list was found; 20")
    assert "20 groups add nothing;" not in said
    assert "20 groups add nothing." in gain.parts_answer(changed(groups=Part(0.0, 0.0, 0.0)))


def test_of_few_users_nothing_is_claimed() -> None:
    assert gain.parts_answer(changed(few=True)).startswith("Too few users were tested: too few to tell")


def test_older_runs_say_that_they_looked_for_no_better_single_list() -> None:
    older = changed(floor_method=None, single_list=Part(0.0), groups=Part(0.06), personal=Part(0.05))
    assert gain.parts_answer(older) == (
        "One popular list for all would do for 12 of 100; 20 groups add **6**. With a list of their own, **5 more** "
        "would. This run looked for no better single list, so what one would do counts as the groups' here."
    )


def test_the_steps_of_the_picture_add_up() -> None:
    drawn = gain.steps_of(SPLIT)
    assert drawn["title"].tolist()[1:] == ["One good list for all: +9", "Groups: +6", "Personal lists: +5"]
    assert drawn["value"].tolist() == pytest.approx([12, 21, 27, 32])
    assert drawn[["added", "low", "high"]].iloc[0].isna().all() and drawn.loc[2, "low"] == pytest.approx(3.1)
    table = gain.as_table(SPLIT)
    assert table["People of 100"].sum() == pytest.approx(32) and table["At least"].iloc[0] == pytest.approx(10)


@pytest.mark.parametrize(
    ("share", "said"), [(0.27, "27"), (0.0995, "10"), (0.0994, "9.9"), (0.05, "5"), (-0.012, "−1.2"), (-0.0001, "0")]
)
def test_people_are_counted_whole_but_for_few(share: float, said: str) -> None:
    assert gain.people(share) == said


# -- what a run says


def evaluation() -> pd.DataFrame:
    values = {("popularity", "strict"): 0.12, ("members_mean", "strict"): 0.27, ("individual", "individual"): 0.32}
    rows = [{"method": method, "regime": regime, "value": value} for (method, regime), value in values.items()]
    frame = pd.DataFrame(rows).assign(metric="hit_rate@10", floor=0.21, floor_method="one_group", individual=0.32)
    return pd.concat([frame, frame.assign(metric="ndcg@10", value=0.1)], ignore_index=True)


def test_a_runs_split_is_that_of_its_use_and_its_floor() -> None:
    parts = dict(zip(("popularity", "single_list", "groups", "personal"), (0.12, 0.09, 0.06, 0.05), strict=True))
    rows = [{"part": part, "value": value, "low": 0.01, "high": 0.2} for part, value in parts.items()]
    table = pd.DataFrame(rows).assign(regime="strict", metric="hit_rate@10")
    other = [table.assign(regime="dedup", value=9.0), table.assign(metric="ndcg@10", value=9.0)]
    found = gain.split_of(pd.concat([*other, table]), None, evaluation(), "strict", "members_mean", 20)
    assert found is not None and (found.n_lists, found.floor_method, found.few) == (20, "one_group", False)
    assert (found.reached, found.individual) == pytest.approx((0.27, 0.32))
    assert found.groups == Part(0.06, 0.01, 0.2)
    unknown = gain.split_of(table.assign(low=NAN), None, evaluation(), "strict", "members_mean", 20)
    assert unknown is not None and unknown.few
    assert gain.split_of(table, None, evaluation().iloc[:0], "strict", "members_mean", 20) is None


def test_a_run_says_the_number_of_its_curve_everywhere() -> None:
    values = curve([0.2, 0.29, 0.27], error=0.05).assign(method="members_mean", regime="strict", metric="hit_rate@10")
    others = [values.assign(regime="dedup"), values.assign(metric="ndcg@10"), values.assign(method="generated")]
    value = pd.concat([*(other.assign(value=0.9) for other in others), values])
    found = gain.split_of(None, value, evaluation(), "strict", "members_mean", 20)
    assert found is not None and found.groups.value == pytest.approx(0.07)
    assert (found.reached, found.individual) == pytest.approx(
        (0.28, 0.32)
    )  # 5 and 20 lists are the same but for chance
    at = gain.split_at(None, values.drop(columns="method"), 20)
    assert at is not None and at.reached == pytest.approx(found.reached)


def test_a_run_without_the_table_is_split_by_its_evaluation() -> None:
    found = gain.split_of(None, None, evaluation(), "strict", "members_mean", 20)
    assert found is not None and not found.few
    assert [part.value for part in found.parts().values()] == pytest.approx([0.12, 0.09, 0.06, 0.05])
    assert np.isnan(found.groups.low)
    older = evaluation().drop(columns="floor_method").assign(floor=0.12)
    found = gain.split_of(None, None, older, "strict", "members_mean", 20)
    assert found is not None and found.floor_method is None and found.single_list.value == 0


def test_the_floor_is_called_by_what_it_is() -> None:
    assert gain.floor_words("one_group").startswith("**One good list for all**: what all people together are predicted")
    assert gain.floor_words(None).startswith(
        "**One popular list for all**: what was popular over all time. This run is"
    )
    assert gain.floor_of(pd.DataFrame({"value": [1.0]})) is None
    assert gain.floor_of(pd.DataFrame({"floor_method": [None, "popularity"]})) == "popularity"


# -- how many lists


def test_the_split_of_a_number_of_lists_is_smoothed_and_still_adds_up() -> None:
    hits = curve([0.12, 0.19, 0.17], error=0.02)
    table = pd.DataFrame(
        {"part": ["popularity", "single_list", "groups", "personal"], "value": [0.08, 0.02, 0.09, 0.01]}
    )
    table = table.assign(low=table["value"] - 0.005, high=table["value"] + 0.005, metric="hit_rate@10", n_groups=5)
    found = gain.split_at(table, hits, 5)
    assert found is not None and found.reached == pytest.approx(0.18), "the mean of 0.19 and 0.17"
    assert (found.groups.value, found.groups.low, found.personal.value) == pytest.approx((0.08, 0.075, 0.02))
    older = gain.split_at(None, hits.drop(columns="floor_method"), 1)
    assert older is not None and older.parts()["groups"].value == pytest.approx(0.02)
    assert older.groups.sign == 1 and len(gain.steps_of(older)) > 0, "its numbers are plain ones, not numpy's"
    assert gain.split_at(table, hits, 7) is None and gain.split_at(table, hits.iloc[:0], 5) is None


def test_enough_is_told_in_people_beside_one_list_and_a_list_for_everyone() -> None:
    values, tested = [0.12, 0.178, 0.18], steps([0.02, 0.078, 0.08], [0.058, 0.002])
    assert enough_answer(curve(values), curve(values, metric=2), tested) == (
        "5 lists are enough. One good list reaches 20 of 100 people with something they take; 5 lists reach 36; a list "
        "for everyone 40."
    )
    assert enough_answer(curve(values), curve(values).iloc[:0], tested).endswith(
        "more of them bring no measurable gain."
    )
    flat = [0.18, 0.18, 0.18]
    assert enough_answer(curve(flat), curve(flat), steps([0.08] * 3, [0, 0])) == (
        "1 list is enough. One good list reaches 10 of 100 people with something they take; 1 list reaches 18; a list "
        "for everyone 20."
    )


def test_the_rule_is_that_of_training_and_people_are_how_it_is_told() -> None:
    """One answer (decision 0061): what a run would choose itself on this part is what the sentence says."""
    order, people = curve([0.12, 0.179, 0.18]), curve([0.12, 0.15, 0.18])
    said = enough_answer(order, people, steps([0.02, 0.079, 0.08], [0.059, 0.001]))
    table = order.assign(regime="strict", metric="ndcg@10")
    assert said.startswith(f"{choose_n_groups(table, 'strict')[0]} lists are enough. ") and "5 lists reach 15" in said
    assert enough_answer(people, order, steps([0.02, 0.05, 0.08], [0.03, 0.03])).startswith("20 lists")


def test_where_no_number_beats_the_best_single_list_that_one_is_enough() -> None:
    values = [0.09, 0.10, 0.105]
    said = enough_answer(curve(values), curve(values, metric=2), steps([-0.01, 0.0, 0.005], [0.01, 0.005]))
    assert said == (
        "One good list for all is enough: no number of lists is measurably better. One good list reaches 20 of 100 "
        "people with something they take; a list for everyone 40."
    )
    proven = steps([-0.01, 0.0, 0.005], [0.01, 0.005], half=0.004)
    assert "5 lists are enough" in enough_answer(curve(values), curve(values), proven)
    older = curve(values).drop(columns="floor_method")
    assert "lists are enough" in enough_answer(older, older, None)
    below = curve([0.08, 0.09, 0.095]).drop(columns="floor_method")
    assert enough_answer(below, below, None).startswith("One popular list for all is enough: no number")


def test_a_rise_inside_the_interval_is_no_measurable_gain() -> None:
    values = curve([0.12, 0.16, 0.18], metric=2)
    proven, noise = steps([0.1] * 3, [0.04, 0.02]), steps([0.1] * 3, [0.04, 0.02], half=0.03)
    assert number_answer(values, values, proven, 1) == "4 more add 8; 20 lists reach 36."
    near = curve([0.12, 0.16, 0.162], error=0.01, metric=2)
    assert number_answer(near, near, noise, 5) == "15 more add no measurable gain."
    said = enough_answer(values, values, noise)
    assert said.startswith("20 lists are best, and no more were tried. One good list reaches ")
    assert said.endswith(" 5 lists bring 75\u00a0% of what 20 add.")
    assert number_answer(values, values, noise, 5) == "Whether 15 more lists help is not certain; 20 lists reach 36."
    assert number_answer(values, values, proven, 20) == ""


def test_without_hits_a_step_helps_or_harms() -> None:
    values, none = curve([0.18, 0.18, 0.18]), curve([0.18] * 3).iloc[:0]
    better, worse = steps([0.1] * 3, [0.02, 0.02]), steps([0.1] * 3, [-0.02, -0.02])
    assert number_answer(values, none, better, 5) == "5 lists were measured, too; 15 more help."
    assert number_answer(values, none, worse, 1).endswith("4 more harm.")
    assert number_answer(values, values, better, 5).startswith("15 more add no measurable gain"), "smoothed away"


def test_a_proven_fall_costs() -> None:
    values = curve([0.12, 0.18, 0.10], error=0.001, metric=2)
    assert number_answer(values, values, steps([0.1] * 3, [0.06, -0.08]), 5).startswith("15 more cost 16")


def test_runs_that_paired_nothing_need_intervals_that_lie_apart() -> None:
    apart, near = curve([0.10, 0.15, 0.18]), curve([0.10, 0.13, 0.18])
    assert number_answer(apart, apart, None, 1).startswith("4 more add 5")
    assert number_answer(near, near, None, 1).startswith("Whether 4 more lists help is not certain")
