"""Folds: earlier moments of the training part, and nothing later in what they learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.folds import LAGS, LEAST_KEPT, length_of, make_folds
from grouprec.data.synthetic import planted

DATA = planted(n_users=60, n_items=40, events_per_user=20).data.before_test()


def rows(part: Interactions) -> set[tuple[int, int, float]]:
    assert part.times is not None
    return set(zip(part.user_rows.tolist(), part.item_rows.tolist(), part.times.tolist(), strict=True))


def spread(data: Dataset) -> Dataset:
    """The same rows at moments 0, 1, 2, ..."""
    times = np.random.default_rng(0).permutation(len(data.train)).astype(float)
    return replace(data, train=replace(data.train, times=times))


def test_a_fold_in_time_learns_from_what_came_before_and_holds_out_one_length() -> None:
    data = spread(DATA)
    length = len(data.train) / 5
    end = data.train.times.max()
    folds = make_folds(data, "time", length, len(LAGS), 0)
    assert len(folds) == len(LAGS)
    for fold, lag in zip(folds, LAGS, strict=True):
        begin = end - lag * length
        assert fold.train.times.max() < begin <= fold.validation.times.min()
        assert fold.validation.times.max() < begin + length
        assert len(fold.train) == pytest.approx(len(data.train) - lag * length, abs=2)
        assert rows(fold.train) | rows(fold.validation) <= rows(data.train)
        assert not len(fold.test) and fold.left_out is None
    assert len({fold.key for fold in folds}) == len(folds)


@pytest.mark.parametrize("split", ["user_time", "user"])
def test_a_fold_of_users_holds_out_their_share(split: str) -> None:
    data = spread(DATA)
    for fold in make_folds(data, split, 0.2, len(LAGS), 0):
        assert not rows(fold.train) & rows(fold.validation)
        kept = np.bincount(fold.train.user_rows, minlength=60)
        held = np.bincount(fold.validation.user_rows, minlength=60)
        assert (kept >= 2).all() and held.mean() == pytest.approx(0.2 * len(data.train) / 60, rel=0.15)


def test_along_users_own_time_what_is_held_out_is_later_than_all_they_learn_from() -> None:
    for fold in make_folds(spread(DATA), "user_time", 0.2, len(LAGS), 0):
        for user in range(60):
            learned = fold.train.times[fold.train.user_rows == user]
            held = fold.validation.times[fold.validation.user_rows == user]
            assert not len(held) or learned.max() < held.min()


def test_the_folds_of_a_draw_differ_and_repeat() -> None:
    first, again = (make_folds(DATA, "user", 0.2, 2, 3) for _ in range(2))
    assert [fold.key for fold in first] == [fold.key for fold in again]
    assert (first[0].validation.item_rows == again[0].validation.item_rows).all()
    assert rows(first[0].validation) != rows(first[1].validation)


def test_what_nobody_can_learn_about_is_not_held_out() -> None:
    for fold in make_folds(spread(DATA), "time", len(DATA.train) / 3, 4, 0):
        assert np.isin(fold.validation.item_rows, fold.train.item_rows).all()
        assert np.isin(fold.validation.user_rows, fold.train.user_rows).all()


def test_what_few_have_by_a_moment_is_no_item_there() -> None:
    data, least = spread(DATA), 12
    length = len(data.train) / 3
    for fold, open_to_all in zip(*(make_folds(data, "time", length, 3, 0, n) for n in (least, 1)), strict=True):
        n_users = np.zeros(data.n_items, int)
        for _, item in {(user, item) for user, item, _ in rows(open_to_all.train)}:
            n_users[item] += 1
        rare = (n_users > 0) & (n_users < least)
        assert rare.any() and set(fold.train.item_rows) == set(np.flatnonzero(n_users >= least))
        assert rows(fold.train) == {row for row in rows(open_to_all.train) if not rare[row[1]]}
        users = set(fold.train.user_rows)  # who had rare items only is nobody there
        held_out = {row for row in rows(open_to_all.validation) if not rare[row[1]] and row[0] in users}
        assert rows(fold.validation) == held_out


def test_along_users_own_time_no_moment_makes_items_rare() -> None:
    for split in ("user_time", "user"):
        one, five = (make_folds(spread(DATA), split, 0.4, 1, 0, n)[0] for n in (1, 5))
        assert rows(one.train) == rows(five.train) and rows(one.validation) == rows(five.validation)


def test_a_fold_that_leaves_too_little_to_learn_from_is_left_out() -> None:
    data = spread(DATA)
    length = len(data.train) * (1 - LEAST_KEPT) / 1.2
    kept = [fold.key.split()[-2] for fold in make_folds(data, "time", length, 4, 0)]
    assert kept == ["1", "0.5"]


def test_without_anything_held_out_there_are_no_folds() -> None:
    assert make_folds(DATA, "none", 0.2, 4, 0) == [] == make_folds(DATA, "user", 0.0, 4, 0)
    empty = replace(DATA, train=Interactions.empty(timed=True))
    assert make_folds(empty, "user", 0.2, 4, 0) == []


def test_users_with_two_rows_lose_none() -> None:
    users = np.repeat(np.arange(30, dtype=np.int32), 2)
    items = np.tile(np.arange(2, dtype=np.int32), 30)
    part = Interactions(users, items, np.ones(60, np.float32), np.arange(60.0))
    assert make_folds(replace(DATA, train=part), "user_time", 0.4, 4, 0) == []


def test_the_length_of_a_part() -> None:
    part = Interactions(np.zeros(3, np.int32), np.zeros(3, np.int32), np.ones(3, np.float32), np.array([5.0, 9.0, 7.0]))
    assert length_of(part, "time", 12) == 4.0
    assert length_of(part, "user_time", 12) == length_of(part, "user", 12) == 0.25
    assert length_of(Interactions.empty(), "time", 12) == 0


@given(st.integers(3, 200), st.floats(0.05, 0.5), st.integers(0, 5), st.sampled_from(["user", "user_time"]))
def test_a_fold_never_shares_a_row_with_what_it_learns_from(n: int, share: float, seed: int, split: str) -> None:
    rng = np.random.default_rng(seed)
    part = Interactions(
        np.sort(rng.integers(0, 5, n)).astype(np.int32), np.zeros(n, np.int32), np.ones(n, np.float32), rng.random(n)
    )
    for fold in make_folds(replace(DATA, train=part), split, share, 4, seed):
        assert not rows(fold.train) & rows(fold.validation)
        assert len(fold.train) >= LEAST_KEPT * n
