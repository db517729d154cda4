"""The members' sums of every group, and the lists that they make, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from grouprec.core.types import Candidates
from grouprec.live.groups import LEAST, LiveGroups
from grouprec.live.users import LiveUsers
from tests.live.tiny import START, tiny_base, worths

W = worths()
BOTH = W[:2].sum(axis=0)  # of group 0


def tiny_groups(**changes: Any) -> tuple[LiveGroups, LiveUsers]:
    base = tiny_base(**changes)
    users = LiveUsers(base, START)
    return LiveGroups(base, users), users


def excluded(*cells: tuple[int, int]) -> np.ndarray:
    table = np.zeros((2, 5), bool)
    for cell in cells:
        table[cell] = True
    return table


def candidates(items: list, scores: list) -> Candidates:
    return Candidates(np.array(items, np.int32), np.array(scores, np.float32), 5)


def test_everything_is_counted_at_the_start() -> None:
    groups, _ = tiny_groups()
    assert groups.sums == pytest.approx(np.stack([BOTH, W[2]]), abs=1e-7)
    assert groups.owners.tolist() == [[1, 1, 1, 0, 0], [0] * 5]
    assert groups.popularity.tolist() == [1, 1, 1, 0, 0] and groups.sizes.tolist() == [2, 2]
    assert (groups.factors == 1).all() and not groups.excluded.any()
    assert tiny_groups(labels=np.zeros(4, np.int32))[0].sizes.tolist() == [4, 0]


def test_rules_keep_an_item_away_whatever_is_said_of_it() -> None:
    groups, _ = tiny_groups(excluded=excluded((0, 1), (0, 2), (1, 2)))
    assert groups.factors.tolist() == [[1, 0, 0, 1, 1], [1, 1, 0, 1, 1]]
    assert groups.excluded.tolist() == [False, False, True, False, False]
    groups.judge(0, 1, 2.0)
    groups.judge(1, 1, 2.0)
    assert groups.factors.tolist() == [[1, 0, 0, 1, 1], [1, 2, 0, 1, 1]]
    free, _ = tiny_groups()
    free.judge(1, 0, 0.5)
    assert free.factors[:, 0].tolist() == [1, 0.5]


def test_a_difference_is_relative_to_the_largest() -> None:
    groups, users = tiny_groups()
    assert groups.difference(users) == 0
    groups.sums[1, 0] -= 0.25 * groups.sums.max()
    assert groups.difference(users) == pytest.approx(0.25)
    groups.owners[0, 3] += 3
    assert groups.difference(users) == pytest.approx(3)


def test_a_member_who_joins_or_takes_something_is_counted() -> None:
    groups, _ = tiny_groups()
    groups.join(1, np.array([3, -1, -1], np.int32), np.array([0.9, 0, 0], np.float32), np.empty(0, np.int32))
    assert groups.sizes.tolist() == [2, 3]
    assert groups.sums[1] == pytest.approx([0, 0, 0, 1, 1], abs=1e-7)
    groups.take(np.array([0, 1, 1]), np.array([3, 3, 5]))  # 5 is new, and in no list
    assert groups.owners.tolist() == [[1, 1, 1, 1, 0], [0, 0, 0, 1, 0]]
    assert groups.popularity.tolist() == [1, 1, 1, 2, 0]


def test_a_move_takes_off_there_what_it_adds_here() -> None:
    groups, users = tiny_groups()
    both = np.array([0, 1])
    old, new = tiny_base().candidates.take(both), candidates([[4, -1, -1], [0, 3, -1]], [[0.2, 0, 0], [0.5, 0.1, 0]])
    groups.move(np.array([0, 0]), old, np.array([0, 1]), new, users.have(both, 5))
    assert groups.sums == pytest.approx(np.array([[0, 0, 0, 0, 1], W[1] + W[2]]), abs=1e-7)
    assert groups.sizes.tolist() == [1, 3] and groups.owners.tolist() == [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0]]
    assert groups.popularity.tolist() == [1, 1, 1, 0, 0]
    groups.move(np.array([1]), new.take(np.array([1])), np.array([1]), old.take(np.array([0])), users.have(both[1:], 5))
    assert groups.sums[1] == pytest.approx(W[0] + W[2], abs=1e-7) and groups.sizes.tolist() == [1, 3]
    assert groups.owners.tolist() == [[1, 0, 0, 0, 0], [0, 1, 1, 0, 0]]


def test_what_everybody_wants_is_a_mean_over_those_who_lack_it() -> None:
    sums = BOTH + W[2]
    for repeats, lacking in ((False, [3, 3, 3, 4, 4]), (True, [4] * 5)):
        groups, _ = tiny_groups(repeats=repeats, excluded=excluded((0, 1), (1, 1), (0, 0)))
        items, scores = groups.everybody(3)
        mean = dict(enumerate(sums / lacking))
        order = sorted((item for item in mean if item != 1), key=lambda item: -mean[item])[:3]
        assert items.tolist() == order and scores == pytest.approx([mean[item] for item in order], rel=1e-6)
    groups.sizes[:], groups.popularity[:] = [1, 0], 1
    assert groups.everybody(1)[1] == pytest.approx(max(np.delete(sums, 1)), rel=1e-6)
    groups, _ = tiny_groups()
    groups.sizes[:], groups.popularity[:] = [2, 0], [1, 1, 1, 2, 2]
    assert dict(zip(*(part.tolist() for part in groups.everybody(5)), strict=True)) == pytest.approx(
        dict(enumerate(sums)), rel=1e-6
    )


def test_a_list_is_the_sum_or_the_mean_of_those_who_lack_the_item() -> None:
    for repeats, lacking in ((False, [1, 1, 1, 2, 2]), (True, [2] * 5)):
        groups, _ = tiny_groups(repeats=repeats)
        groups.judge(0, 1, 0.75)
        wanted = BOTH * [1, 0.75, 1, 1, 1]
        items, scores = groups.best(0, "strict", 3)
        assert items.tolist() == np.argsort(-wanted)[:3].tolist() and items.dtype == np.int32
        assert scores == pytest.approx(np.sort(wanted)[::-1][:3], rel=1e-6) and scores.dtype == np.float32
        items, scores = groups.best(0, "dedup", 3)
        assert items.tolist() == np.argsort(-wanted / lacking)[:3].tolist()
        assert scores == pytest.approx(np.sort(wanted / lacking)[::-1][:3], rel=1e-6)


def test_one_member_alone_divides_by_one() -> None:
    groups, _ = tiny_groups()
    groups.sizes[:] = [3, 1]
    assert groups.best(1, "dedup", 1)[1] == pytest.approx([1], abs=1e-6)
    groups.owners[1, 4] = 1
    assert groups.best(1, "dedup", 1)[1] == pytest.approx([1], abs=1e-6)


def test_what_nobody_wants_follows_by_popularity_and_what_is_hidden_does_not() -> None:
    groups, _ = tiny_groups(excluded=excluded((0, 3)))
    groups.popularity[:] = [8, 6, 4, 2, 2]
    groups.judge(1, 1, 0)
    items, scores = groups.best(1, "strict", 4)
    assert items[:3].tolist() == [4, 0, 2] and items[3] == 3
    assert scores == pytest.approx([1, LEAST * 8 / 4, LEAST * 4 / 4, LEAST * 2 / 4], rel=1e-6)
    items, scores = groups.best(1, "strict", 9)
    assert items.tolist() == [4, 0, 2, 3] and len(scores) == 4, "there are no more"
    groups.sums[1, 2] = 0.25
    assert groups.best(1, "strict", 5)[1][1] == 0.25, "wanted by little is wanted"
    groups.sizes[:] = [1, 0]
    assert groups.best(1, "strict", 5)[1][2] == pytest.approx(LEAST * 8)
    groups.sizes[:] = 0
    assert groups.best(1, "strict", 5)[1][2] == pytest.approx(LEAST * 8)


def test_with_repeats_popularity_does_not_count() -> None:
    groups, _ = tiny_groups(repeats=True)
    items, scores = groups.best(1, "strict", 3)
    assert items[0] == 4 and scores.tolist() == [1, 0, 0]


def test_a_list_may_hold_all_items_and_no_more_than_were_asked_for() -> None:
    groups, _ = tiny_groups()
    groups.sums[0] = [5, 4, 3, 2, 1]
    assert groups.best(0, "strict", 5)[0].tolist() == [0, 1, 2, 3, 4]
    assert groups.best(0, "strict", 4)[0].tolist() == [0, 1, 2, 3]
    groups.sums[0] = 1
    orders = set()
    for seed in range(4):
        tied, _ = tiny_groups(seed=seed)
        tied.sums[0] = 1
        assert tied.best(0, "strict", 5)[0].tolist() == np.random.default_rng(seed).permutation(5).tolist()
        assert len(tied.best(0, "strict", 2)[0]) == 2
        orders.add(tuple(tied.best(0, "strict", 2)[0].tolist()))
    assert len(orders) > 1


def test_judgements_of_a_group_change_its_members_candidates_in_the_full_lists() -> None:
    groups, users = tiny_groups()
    assert groups._judged(users).items.tolist() == tiny_base().candidates.items.tolist()
    groups.judge(0, 1, 0.25)
    groups.judge(0, 0, 0.0)
    judged = groups._judged(users)
    assert judged.items.tolist() == [[2, 1, 3], [3, -1, -1], [4, -1, -1], [-1, -1, -1]]
    assert judged.scores == pytest.approx(np.array([[0.4, 0.2, 0.2], [0.1, 0, 0], [0.3, 0, 0], [0, 0, 0]]))
    lists = groups.lists(users)
    assert 0 not in lists.strict[0] and 0 not in lists.ranking[0] and lists.strict[0, 0] == 3
    assert 0 in lists.strict[1], "the other group may get it"
    assert tiny_base().candidates.items[0].tolist() == [1, 2, 3]


def test_the_full_lists_count_what_members_have_unless_there_are_repeats() -> None:
    plain, repeated = (groups.lists(users) for groups, users in (tiny_groups(), tiny_groups(repeats=True)))
    assert plain.strict_scores[1, 1] == pytest.approx(LEAST / 4) and repeated.strict_scores[1, 1] == 0
