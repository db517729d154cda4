"""Groups keep their number from one setting to the next, and what moves or costs adds up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import Candidates, Groups
from grouprec.data.synthetic import planted
from grouprec.explore.categories import telling
from grouprec.explore.naming import name_groups
from grouprec.explore.numbering import changed_lists, moves, number_alike, take_over
from grouprec.explore.tables import what_if_tables
from grouprec.ranking.group_lists import members_mean
from grouprec.ui.decide.money import money

RNG = np.random.default_rng(0)


def test_a_renumbered_setting_gets_the_numbers_of_the_one_before() -> None:
    before = RNG.integers(0, 6, 300)
    other_order = RNG.permutation(6)[before]
    assert np.array_equal(take_over(other_order, before + 1), before + 1)


def test_a_split_group_passes_its_number_to_the_larger_part_and_a_free_one_to_the_other() -> None:
    before = np.repeat([1, 2, 4], [50, 30, 20])
    labels = np.repeat([2, 0, 3, 1], [35, 15, 30, 20])
    assert take_over(labels, before).tolist() == [1] * 35 + [3] * 15 + [2] * 30 + [4] * 20


def test_merged_groups_keep_the_number_of_the_larger_one() -> None:
    before = np.repeat([1, 2, 3], [50, 30, 20])
    assert take_over(np.repeat([0, 1], [50, 50]), before).tolist() == [1] * 50 + [2] * 50


def test_the_pairing_is_the_best_of_all_and_not_the_first_that_comes() -> None:
    # Greedy would pair the two that share 40 and leave the other with 0 of 30 users.
    before = np.repeat([1, 1, 2], [40, 35, 30])
    labels = np.repeat([0, 1, 0], [40, 35, 30])
    assert take_over(labels, before).tolist() == [2] * 40 + [1] * 35 + [2] * 30


def test_the_runs_own_groups_keep_their_numbers_and_all_others_go_by_them() -> None:
    own = RNG.integers(0, 4, 400)
    finer = own * 2 + RNG.integers(0, 2, 400)
    coarser = own // 2
    numbers = number_alike({2: coarser, 4: own, 8: finer}, 4)
    assert np.array_equal(numbers[4], own + 1)
    assert set(np.unique(numbers[2])) <= {1, 2, 3, 4} and len(np.unique(numbers[2])) == 2
    assert np.unique(numbers[8]).tolist() == list(range(1, 9))
    for n in (2, 8):
        assert (numbers[n] == numbers[4]).mean() > 0.4
    assert all(own.dtype == np.int16 for own in numbers.values())


def test_more_groups_than_16_bits_can_count_are_still_told_apart() -> None:
    own = np.arange(40_000)
    assert np.array_equal(number_alike({40_000: own}, 40_000)[40_000], own + 1)


def test_every_user_is_in_one_move() -> None:
    before, after = RNG.integers(1, 4, 200), RNG.integers(1, 6, 200)
    found = moves(before, after)
    assert found["users"].sum() == 200
    assert found.groupby("before")["users"].sum().tolist() == np.bincount(before)[1:].tolist()
    stay = found.loc[found["before"] == found["after"], "users"].sum()
    assert stay == (before == after).sum()


def test_lists_are_compared_group_by_group_whatever_the_order() -> None:
    before = pd.DataFrame({"group": [1, 1, 2, 2, 3, 3], "item": ["a", "b", "c", "d", "e", "f"]})
    after = pd.DataFrame({"group": [1, 1, 2, 2, 4, 4], "item": ["b", "a", "c", "x", "e", "f"]})
    found = changed_lists(before, after).set_index("group")
    assert found["status"].to_dict() == {4: "new", 3: "gone", 2: "changed", 1: "same"}
    assert found.index[0] == 4
    assert found.loc[2, ["new_items", "dropped_items"]].tolist() == [1, 1]
    assert found.loc[1, ["new_items", "dropped_items"]].tolist() == [0, 0]


def test_the_worth_of_hits_less_the_cost_of_lists_by_hand() -> None:
    curve = pd.DataFrame({"n_groups": [1, 10], "value": [0.05, 0.08], "low": [0.04, 0.07], "high": [0.06, 0.09]})
    found = money(curve, n_users=1000, cost=20.0, value=2.0)
    assert found["hits"].tolist() == pytest.approx([500, 800])
    assert found["net"].tolist() == pytest.approx([500 * 2 - 20, 800 * 2 - 200])
    assert found["net_low"].tolist() == pytest.approx([400 * 2 - 20, 700 * 2 - 200])
    assert found["net_high"].tolist() == pytest.approx([600 * 2 - 20, 900 * 2 - 200])


def test_what_a_run_keeps_agrees_with_its_own_groups_and_lists() -> None:
    known = planted(n_users=90, n_items=60, n_groups=3, ordered=False)
    data, labels = known.data, known.labels
    items = RNG.permuted(np.tile(np.arange(60, dtype=np.int32), (90, 1)), axis=1)[:, :30]
    candidates = Candidates(items, -np.sort(-RNG.random((90, 30)).astype(np.float32)), 60)
    formed = {}
    for n, own in ((1, labels * 0), (3, labels), (6, labels * 2 + np.arange(90) % 2)):
        groups = Groups(own.astype(np.int32), n)
        formed[n] = groups, members_mean(candidates, groups, data.histories, seed=0)
    found = what_if_tables(data, formed, chosen=3)
    assert list(found["what_if_labels"]) == ["1", "3", "6"]
    assert np.array_equal(found["what_if_labels"]["3"], labels + 1)
    own = found["what_if_groups"].query("n_groups == 3")
    column = telling(data.item_attributes, data.histories, formed[3][0])
    assert own["name"].tolist() == name_groups(data.item_labels, data.histories, formed[3][0], column)
    for n in (1, 3, 6):
        rows = found["what_if_groups"].query("n_groups == @n").set_index("group")
        assert rows["size"].to_dict() == found["what_if_labels"][str(n)].value_counts().to_dict()
        lists = found["what_if_lists"].query("n_groups == @n")
        assert len(lists) == n * 2 * 10
    for group in range(3):
        shown = found["what_if_lists"].query("n_groups == 3 and group == @group + 1").set_index("regime")
        assert shown.loc["strict", "item"].tolist() == data.item_ids[formed[3][1].strict[group, :10]].tolist()
        assert shown.loc["dedup", "item"].tolist() == data.item_ids[formed[3][1].ranking[group, :10]].tolist()
