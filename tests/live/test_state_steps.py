"""One event at a time on a fit whose numbers can be told by hand: an updater that foretells the next item."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.special import expit, logit

from grouprec.core.types import Candidates, DataError, SettingError, StorageError
from grouprec.live import state as module
from grouprec.live.chances import RISERS
from grouprec.live.state import Change, LiveState
from tests.live.tiny import RISE, SECOND, ByFirst, Next, tiny_base, worths


def tiny_state(**changes: Any) -> LiveState:
    fields = {"weight": 1.0, "states": np.full((4, 1), -1, np.float32), **changes}
    return LiveState(tiny_base(**fields), Next(), ByFirst())


def own(state: LiveState, user: int, depth: int = 50) -> dict[int, float]:
    return dict(zip(*(part.tolist() for part in state.user_list(user, depth)), strict=True))


@pytest.mark.parametrize("weight", [1.0, 2.0])
def test_the_item_that_rose_comes_in_from_the_chance_of_the_last_candidate(weight: float) -> None:
    state = tiny_state(weight=weight)
    assert state.event(0, 3) == Change(0, 3, 0, 0, (0,)) and state.n_events == 1
    rise = weight * np.log(RISE)
    assert own(state, 0) == pytest.approx({1: 0.8, 2: 0.4, 4: expit(logit(0.2) + rise)}, rel=1e-6)
    state.event(0, 1)
    assert own(state, 0) == pytest.approx({2: expit(logit(0.4) + rise)}, rel=1e-6)


def test_what_did_not_rise_and_what_a_user_has_stays_out() -> None:
    state = tiny_state()
    state.event(1, 0)  # item 1, which rises, is theirs
    assert own(state, 1) == pytest.approx({3: 0.1})
    again = tiny_state(repeats=True)
    again.event(1, 0)
    assert own(again, 1) == pytest.approx({0: 0.5, 1: expit(logit(0.1) + np.log(RISE)), 3: 0.1}, rel=1e-6)


def test_the_first_item_and_the_first_candidate_count_as_any_other() -> None:
    state = tiny_state()
    state.event(1, 4)
    assert own(state, 1) == pytest.approx({0: 0.5, 3: 0.1}) and own(state, 1, 1) == {0: 0.5}
    state.event(2, 0)
    assert own(state, 2) == pytest.approx({4: 0.3, 1: expit(logit(0.3) + np.log(RISE))}, rel=1e-6)


def test_who_wants_nothing_is_foretold_by_the_updater_alone() -> None:
    state = tiny_state()
    change = state.event(3, 0)
    assert own(state, 3) == pytest.approx({1: expit(logit(1 - 1e-7) + np.log(RISE))})
    assert (change.group_before, change.group_after, change.groups) == (1, 0, (1, 0))
    assert state.sizes.tolist() == [3, 1]


def all_rising(n: int, width: int) -> LiveState:
    """Return a state of ``n`` items, of which nobody wants any and all rise with an event, the last most."""
    updater, names = Next(n), np.array([str(item) for item in range(n)], object)
    rising = np.linspace(1.1, 2, n, dtype=np.float32)
    updater.chances = lambda states: np.where(states >= 0, rising, np.float32(1))
    return LiveState(
        tiny_base(
            item_ids=names,
            item_labels=names,
            histories=sparse.csr_array((4, n), dtype=np.float32),
            candidates=Candidates(np.full((4, width), -1, np.int32), np.zeros((4, width), np.float32), n),
            components=np.zeros((n, 1), np.float32),
            states=np.full((4, 1), -1, np.float32),
            weight=1.0,
            repeats=True,
        ),
        updater,
        ByFirst(),
    )


def test_the_items_that_rose_most_come_in_and_no_more_than_fifty() -> None:
    few, many = all_rising(5, 5), all_rising(60, 55)
    few.event(3, 0)
    assert sorted(own(few, 3)) == [0, 1, 2, 3, 4]
    many.event(3, 0)
    assert sorted(own(many, 3, 55)) == list(range(60 - RISERS, 60)) and RISERS == 50
    many.judge(0, 2.0, user_row=3)
    many.judge(1, 2.0, user_row=3)
    assert sorted(own(many, 3, 55)) == [0, 1, *range(12, 60)], "what was liked comes before what rose"
    wanted = all_rising(60, 55)
    wanted._users.touch(np.array([0]), np.array([1], np.int32))
    wanted._users.items[0], wanted._users.scores[0] = np.arange(55), 0.5
    assert len(wanted.user_list(0)[0]) == len(wanted.group_list(0, "strict")[0]) == 50


def test_a_judgement_multiplies_and_brings_in_only_what_was_liked() -> None:
    state = tiny_state()
    assert state.judge(4, 1.0, user_row=0) == Change(0, 4, 0, 0, (0,))
    assert own(state, 0) == pytest.approx({1: 0.8, 2: 0.4, 3: 0.2}), "nothing was said"
    state.judge(4, 1.5, user_row=0)
    assert own(state, 0) == pytest.approx({1: 0.8, 2: 0.4, 4: 0.3})
    state.judge(2, 0.25, user_row=0)
    assert own(state, 0) == pytest.approx({1: 0.8, 4: 0.3, 3: 0.2})
    state.judge(1, 1000.0, user_row=0)
    state.judge(0, 1000.0, user_row=0)  # which they have
    assert own(state, 0) == pytest.approx({1: 1, 4: 0.3, 3: 0.2}), "a chance is 1 at most"
    state.judge(1, 0.0, user_row=0)
    assert 1 not in own(state, 0) and state.n_events == 0
    assert state.judge(3, 0.5, user_row=1, group=1) == Change(1, 3, 0, 0, (0, 1))
    assert state.judge(2, 0.5, group=1) == Change(-1, 2, 1, 1, (1,))
    for wrong in (np.inf, np.nan, -0.5):
        with pytest.raises(SettingError, match="0 or more"):
            state.judge(1, wrong, user_row=0)


def test_a_new_item_is_judged_in_vain() -> None:
    state = tiny_state()
    row = state.add_item("new")
    state.judge(row, 2.0, group=0)
    state.judge(row, 2.0, user_row=0)
    assert own(state, 0) == pytest.approx({1: 0.8, 2: 0.4, 3: 0.2})


def test_what_rules_keep_from_all_groups_is_nobodys_and_from_one_is_only_off_its_lists() -> None:
    excluded = np.zeros((2, 5), bool)
    excluded[:, 2], excluded[0, 1], excluded[:, 4] = True, True, True
    state = tiny_state(excluded=excluded)
    state.event(0, 3)  # item 4 would rise
    assert own(state, 0) == pytest.approx({1: 0.8})
    assert set(state.group_list(0, "strict", 5)[0].tolist()) == {0, 3}


def test_a_user_without_history_moves_when_the_rule_first_has_something_to_go_by() -> None:
    state = tiny_state(labels=np.array([1, 1, 1, 0], np.int32))  # where nobody is by the rule
    assert state.event(0, 3).groups == (1,), "the rule says of them what it said before"
    assert state.event(1, 4).groups == (1,)
    assert state.event(3, 3).groups == (0, 1), "item 4 is what they want now"


def test_many_events_at_once_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    users, items = np.array([0, 3, 1]), np.array([3, 0, 4])
    together, apart, small = tiny_state(), tiny_state(), tiny_state()
    row, _, _ = (state.add_item("new") for state in (together, apart, small))
    items[2] = row  # of which nothing is known
    together.events(users, items)
    for user, item in zip(users.tolist(), items.tolist(), strict=True):
        apart.event(user, item)
    monkeypatch.setattr(module, "rows_per_batch", lambda n_columns: 1)
    small.events(users, items)
    for other in (apart, small):
        assert other.n_events == together.n_events == 3
        for user in range(4):
            assert own(other, user) == own(together, user)
        assert other.histories().toarray().tolist() == together.histories().toarray().tolist()
        assert other.labels.tolist() == together.labels.tolist()
    assert together.histories()[1, row] == 1 and together._users.states[together._users.slots[1]] == -1
    with pytest.raises(ValueError, match="one event per user"):
        together.events(np.array([2, 2]), np.array([0, 1]))


def test_items_stand_in_for_new_ones_also_at_second_hand() -> None:
    state = tiny_state()
    assert [state.add_item("x", "X", like=0), state.add_item("y", like=5), state.add_item("z")] == [5, 6, 7]
    assert state.item_ids[5:] == ["x", "y", "z"] and state.item_labels[5:] == ["X", "y", "z"]
    assert [state.item_row(name) for name in ("i0", "z", "none")] == [0, 7, None]
    assert state.arrays()["stand_ins"].tolist() == [0, 0, -1]
    for user, item in ((0, 6), (2, 5)):
        state.event(user, item)
        assert state._users.states[state._users.slots[user]] == 0, "as if they had taken item 0"
    with pytest.raises(DataError, match="known already"):
        state.add_item("i0")


def test_a_new_user_wants_what_all_want_with_chances_of_the_usual_size() -> None:
    state = tiny_state()
    sums = worths().sum(axis=0) / [3, 3, 3, 4, 4]  # over those who lack the item
    best = np.argsort(-sums)[:3]
    units = np.median([0.8 + 0.4 * SECOND + 0.1, 0.5 + 0.1 * SECOND, 0.3, 0])
    least = np.median([0.2, 0.1, 0.3, 1])
    row = state.add_user("new")
    assert (row, state.user_row("new"), state.user_row("nobody")) == (4, 4, None) and state.user_ids[-1] == "new"
    assert list(own(state, row)) == best.tolist() and state.labels[row] == 1
    assert list(own(state, row).values()) == pytest.approx(least + units * sums[best], rel=1e-5)
    assert state.sizes.tolist() == [2, 3]
    sure = tiny_state(
        candidates=Candidates(tiny_base().candidates.items, np.float32(0.9) * (tiny_base().candidates.items >= 0), 5)
    )
    assert max(own(sure, sure.add_user("new", {"age": 3})).values()) == pytest.approx(0.999)
    with pytest.raises(DataError, match="known already"):
        state.add_user("a")


def test_a_state_is_read_back_from_what_changed() -> None:
    state = tiny_state(excluded=np.array([[0, 0, 0, 0, 1], [0] * 5], bool))
    state.add_user("new"), state.add_user("other")
    state.add_item("x", "X", like=0), state.add_item("y")
    state.event(0, 5)
    state.judge(2, 0.5, user_row=0, group=1)
    state.judge(1, 0.0, user_row=4)
    saved = state.arrays()
    assert saved["shape"].tolist() == [4, 5, 3, 2] and saved["n_events"].tolist() == [1]
    assert saved["judged_by_users"].tolist() == [[0, 2], [4, 1]] and saved["user_factors"].tolist() == [0.5, 0]
    assert saved["judged_by_groups"].tolist() == [[1, 2]] and saved["group_factors"].tolist() == [0.5]
    again = tiny_state(excluded=np.array([[0, 0, 0, 0, 1], [0] * 5], bool))
    again.event(1, 1)
    again.judge(3, 0.0, user_row=1)
    again.restore(saved)
    assert (again.user_ids[4:], again.item_ids[5:], again.item_labels[5:]) == (["new", "other"], ["x", "y"], ["X", "y"])
    assert (again.user_row("other"), again.item_row("y"), again.n_events) == (5, 6, 1)
    for name, part in saved.items():
        assert part.tolist() == again.arrays()[name].tolist(), name
    assert again.difference() == 0 and again.sizes.tolist() == state.sizes.tolist()
    again._groups.sums[0, 0] += 1
    assert again.difference() > 0.1
    with pytest.raises(StorageError, match="another fit"):
        tiny_state(n_groups=3).restore(saved)
