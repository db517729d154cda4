"""Rows of one part: taken, drawn by user, ordered, dealt out in rounds and made a matrix, each as plain loops say."""

import numpy as np
import pytest

from grouprec.data.interactions import Interactions, time_order


def some_rows(timed: bool = True, n: int = 60) -> Interactions:
    """Return rows of seven users, of whom 2 has none, on five items; many at the same time."""
    rng = np.random.default_rng(0)
    users = rng.choice([0, 1, 3, 4, 5, 6], n).astype(np.int32)
    times = rng.integers(0, 12, n).astype(float) if timed else None
    return Interactions(users, rng.integers(0, 5, n).astype(np.int32), rng.permutation(n).astype(np.float32) + 1, times)


@pytest.mark.parametrize("timed", [True, False])
def test_rows_are_counted_and_taken_by_mask_or_position(timed: bool) -> None:
    rows = some_rows(timed)
    assert len(rows) == 60 and len(Interactions.empty(timed)) == 0
    assert (Interactions.empty(timed).times is None) == (rows.times is None) == (not timed)
    mask = rows.user_rows == 3
    for taken in (rows.take(mask), rows.take(np.flatnonzero(mask))):
        assert (taken.user_rows == 3).all() and taken.weights.tolist() == rows.weights[mask].tolist()
        assert taken.item_rows.tolist() == rows.item_rows[mask].tolist()
        assert (taken.times is None) == (not timed) and (not timed or (taken.times == rows.times[mask]).all())


def test_some_users_are_drawn_whole_and_as_many_as_fit() -> None:
    rows, rng = some_rows(), np.random.default_rng(1)
    counts = dict(zip(*np.unique(rows.user_rows, return_counts=True), strict=True))
    seen = set()
    for _ in range(20):
        part = rows.of_some_users(30, rng)
        users = np.unique(part.user_rows)
        assert all((part.user_rows == user).sum() == counts[user] for user in users), "all rows of each"
        assert 30 - max(counts.values()) < len(part) <= 30
        seen |= {tuple(users)}
    assert len(seen) > 5
    assert rows.of_some_users(60, rng) is rows
    exactly = next(iter(counts.values()))
    assert {len(np.unique(rows.of_some_users(most, rng).user_rows)) for most in (0, 1, min(counts.values()))} == {1}
    assert len(Interactions(*(np.zeros(exactly, np.int32),) * 3).of_some_users(2, rng)) == exactly, "one at least"


def test_users_whose_rows_fill_the_bound_exactly_are_taken() -> None:
    users = np.repeat([0, 1, 2], 4).astype(np.int32)
    rows = Interactions(users, users, np.ones(12, np.float32))
    assert len(rows.of_some_users(8, np.random.default_rng(0))) == 8


@pytest.mark.parametrize("by_user", [True, False])
def test_the_order_is_that_of_user_time_and_what_was_drawn(by_user: bool) -> None:
    rows, drawn = some_rows(), np.random.default_rng(2).random(60)
    users = rows.user_rows if by_user else np.zeros(60, np.int32)
    expected = sorted(range(60), key=lambda row: (users[row], rows.times[row], drawn[row]))
    assert time_order(rows.times, drawn, rows.user_rows if by_user else None).tolist() == expected
    ordered = rows.in_time_order(np.random.default_rng(2), by_user)
    assert ordered.weights.tolist() == rows.weights[expected].tolist()


def test_rows_without_times_are_in_random_order_and_different_times_need_nothing_drawn() -> None:
    rows = some_rows(timed=False)
    one, other = (rows.in_time_order(np.random.default_rng(seed)).weights.tolist() for seed in (0, 1))
    assert one != other and sorted(one) == sorted(other) == list(range(1, 61))
    assert time_order(np.array([3.0, 1.0, 2.0]), np.zeros(3)).tolist() == [1, 2, 0]


def test_rounds_have_everybodys_first_row_then_their_second() -> None:
    rows = some_rows()
    found = [positions.tolist() for positions in rows.rounds()]
    own = {user: np.flatnonzero(rows.user_rows == user) for user in sorted(set(rows.user_rows.tolist()))}
    longest = max(map(len, own.values()))
    assert found == [[int(at[n]) for at in own.values() if len(at) > n] for n in range(longest)]
    assert list(Interactions.empty().rounds()) == []


@pytest.mark.parametrize("timed", [True, False])
def test_rows_of_one_pair_are_summed_or_the_last_is_kept(timed: bool) -> None:
    rows = some_rows(timed)
    summed, last = np.zeros((7, 5)), np.zeros((7, 5))
    for row in np.argsort(rows.times, kind="stable") if timed else range(60):
        place = rows.user_rows[row], rows.item_rows[row]
        summed[place] += rows.weights[row]
        last[place] = rows.weights[row]
    assert rows.matrix((7, 5)).toarray().tolist() == summed.tolist()
    assert rows.matrix((7, 5), "last").toarray().tolist() == last.tolist() and rows.matrix((7, 5)).dtype == np.float32
    assert Interactions.empty().matrix((2, 3), "last").shape == (2, 3)
