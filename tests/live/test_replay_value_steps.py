"""The value of a replay by hand: own lists before each event, windows, and how far groups are from their start."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import Groups
from grouprec.data.dataset import Interactions
from grouprec.live import replay_value as module
from grouprec.live.replay_value import _drift, _Picture, _spread, choose_weight, replay
from grouprec.live.state import LiveState
from grouprec.ranking.candidates import taste
from tests.live.tiny import SECOND, ByFirst, Next, tiny_base


def tiny_state(weight: float = 1.0, **changes: Any) -> LiveState:
    base = tiny_base(weight=weight, states=np.full((4, 1), -1, np.float32), **changes)
    return LiveState(base, Next(), ByFirst())


def part(*rows: tuple[int, int], timed: bool = True) -> Interactions:
    """Return user and item of events, one a second."""
    users, items = np.array(rows, np.int32).reshape(-1, 2).T
    times = np.arange(len(rows), dtype=float) if timed else None
    return Interactions(users, items, np.ones(len(rows), np.float32), times)


TAKEN = part((0, 3), (3, 0), (1, 1), (0, 4), (3, 1))  # b takes what they have
FIRST, LATER = 0.5 / (1 + SECOND), 0.5  # a's third item of two, and of one, that they take next


def choose(weights: tuple[float, ...], events: Interactions = TAKEN, seed: int = 0) -> tuple[float, pd.DataFrame]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WEIGHTS", weights)
        return choose_weight(tiny_state, events, seed)


def mean_of(weight: float, events: Interactions = TAKEN, seed: int = 0) -> float:
    return float(choose((weight,), events, seed)[1]["ndcg@10"][0])


def test_the_numbers_are_those_that_the_docstrings_tell() -> None:
    assert (module.N_WINDOWS, module.K, module.AHEAD) == (10, 10, 10)
    assert (module.WEIGHT_USERS, module.WEIGHT_EVENTS) == (200, 12)
    assert module.WEIGHTS == (0, 0.25, 0.5, 1, 1.5, 2)
    defaults = [parameter.default for parameter in inspect.signature(replay).parameters.values()]
    assert defaults[2:] == [0, 10, 20_000]
    assert inspect.signature(choose_weight).parameters["seed"].default == 0


def test_own_lists_are_judged_before_each_event_by_what_is_new_and_comes_next() -> None:
    assert mean_of(1.0) == pytest.approx(((FIRST + LATER) / 2 + (0 + 1) / 2) / 2)
    assert mean_of(0.0) == pytest.approx((FIRST / 2 + 0) / 2), "nothing rises"
    assert mean_of(1.0, part((0, 3), (0, 4))) == pytest.approx((FIRST + LATER) / 2)
    assert np.isnan(mean_of(1.0, part((1, 1), (1, 2)))), "nothing is new to them"
    assert mean_of(1.0, part((0, 0), (0, 3))) == pytest.approx(0.5), "by the item that is new"


def test_only_the_next_items_and_the_first_events_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AHEAD", 1)
    assert mean_of(1.0) == pytest.approx((LATER + 0.5) / 2)
    monkeypatch.setattr(module, "WEIGHT_EVENTS", 1)
    assert mean_of(1.0) == pytest.approx((LATER + 0) / 2)


def test_all_users_are_drawn_where_they_are_few_and_some_where_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = mean_of(1.0)
    assert [mean_of(1.0, seed=seed) for seed in range(6)] == pytest.approx([whole] * 6)
    monkeypatch.setattr(module, "WEIGHT_USERS", 1)
    alone = {round(mean_of(1.0, seed=seed), 6) for seed in range(12) if not np.isnan(mean_of(1.0, seed=seed))}
    assert alone == {round((FIRST + LATER) / 2, 6), 0.5}


def test_of_equal_weights_the_first_is_chosen_and_the_table_has_all() -> None:
    weight, table = choose((0.0, 2.0, 1.0))
    assert weight == 2 and table["weight"].tolist() == [0, 2, 1]
    assert table["ndcg@10"][1] == table["ndcg@10"][2] > table["ndcg@10"][0]
    assert choose((0.5, 0.0), part((1, 1)))[0] == 0.5


def test_windows_are_no_more_than_events_and_without_times_have_no_end() -> None:
    table = replay(tiny_state, TAKEN)
    windows = table.drop_duplicates("window")
    assert windows["window"].tolist() == [1, 2, 3, 4, 5] and windows["until"].tolist() == [0, 1, 2, 3, 4]
    assert windows["n_users"].tolist() == [1] * 5
    judged = table.set_index(["window", "regime", "metric"])["n_judged"]
    assert judged[:, "strict", "ndcg@10"].tolist() == [1, 1, 0, 1, 1], "b takes nothing new"
    assert table[table["window"] == 3][["frozen", "updated", "difference"]].isna().all(axis=None)
    two = replay(tiny_state, TAKEN, n_windows=2).drop_duplicates("window")
    assert two["until"].tolist() == [2, 4] and two["n_users"].tolist() == [3, 2]
    untimed = replay(tiny_state, part((0, 3), (3, 0), timed=False), n_windows=1)
    assert untimed["until"].isna().all() and len(untimed) == 6


def test_a_window_is_judged_by_the_lists_before_it() -> None:
    table = replay(tiny_state, part((3, 0), (3, 1), (3, 0)), n_windows=3).set_index(["window", "regime", "metric"])
    ndcg = table.xs(("strict", "ndcg@10"), level=["regime", "metric"])
    # first d's group wants item 4 alone, then they are in the other one, whose list has item 1
    state = tiny_state()
    before = state.group_lists().strict
    state.event(3, 0)
    after = state.group_lists().strict

    def found(lists: np.ndarray, group: int, item: int) -> float:
        place = lists[group].tolist().index(item)
        return 1 / np.log2(place + 2)

    assert ndcg.loc[2, "frozen"] == pytest.approx(found(before, 1, 1))
    assert ndcg.loc[2, "updated"] == pytest.approx(found(after, 0, 1))
    assert ndcg.loc[3, "n_judged"] == 0, "what they took in an earlier window is new no more"


def test_a_picture_has_the_mean_taste_of_the_members() -> None:
    picture = _Picture.of(tiny_state(labels=np.array([0, 0, 1, 0], np.int32), n_groups=3))
    tastes = taste(tiny_base().candidates).toarray()
    assert picture.centres[0] == pytest.approx(tastes[[0, 1, 3]].mean(axis=0))
    assert picture.centres[1] == pytest.approx(tastes[2]) and not picture.centres[2].any()
    assert picture.sizes.tolist() == [3, 1, 0]
    assert picture.strict.shape == (3, 10) and picture.ranking.shape == (3, 200)


def picture(labels: list[int], centres: list[list[float]], strict: list[list[int]]) -> _Picture:
    groups = Groups(np.array(labels, np.int32), len(centres))
    lists = np.array(strict, np.int32)
    return _Picture(groups.labels, groups.sizes, lists, lists, np.array(centres, np.float32))


def test_the_drift_leaves_out_groups_that_are_empty_then_or_now() -> None:
    first = picture([0, 0, 0, 1, 2], [[0, 0], [1, 0], [5, 5], [0, 0]], [[0, 1], [2, 3], [4, 5], [6, 7]])
    now = picture([0, 0, 1, 1, 3], [[3, 4], [1, 1], [0, 0], [9, 9]], [[0, 1], [2, 4], [4, 5], [6, 7]])
    drift = _drift(first, now, 0.5)
    assert drift["changed_group"] == pytest.approx(2 / 5)
    assert drift["size_change"] == pytest.approx((1 + 1 + 1 + 1) / 2 / 5)
    assert drift["centre_shift"] == pytest.approx((5 + 1) / 2 / 0.5)
    assert drift["list_overlap"] == pytest.approx((1 + 1 / 3 + 1 + 1) / 4)
    assert np.isnan(_drift(first, now, 0.0)["centre_shift"])


def test_groups_are_as_far_apart_as_their_mean_distance() -> None:
    assert _spread(np.array([[0.0, 0], [3, 4]])) == 5 and _spread(np.array([[0.0, 0], [3, 4], [0, 4]])) == 4
    assert _spread(np.array([[1.0, 2]])) == 0


def test_what_is_taken_once_more_is_not_new_again() -> None:
    again = part((0, 0), (0, 0), (0, 0))
    assert np.isnan(mean_of(1.0, again))
    assert (replay(tiny_state, again, n_windows=3)["n_judged"] == 0).all()
