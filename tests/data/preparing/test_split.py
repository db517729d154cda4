import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from grouprec.data.preparing.split import TEST, TRAIN, VALIDATION, count_users, split_by_time, split_by_user

shares = st.sampled_from([0.0, 0.1, 0.25, 0.4])
times = arrays(np.float64, st.integers(1, 60), elements=st.integers(0, 20).map(float))
users = arrays(np.int64, st.integers(1, 80), elements=st.integers(0, 12))


@given(times, shares, shares)
@settings(max_examples=150)
def test_no_later_part_holds_an_earlier_or_equal_time(times, validation, test):
    parts = split_by_time(times, validation, test)
    for earlier, later in ((TRAIN, VALIDATION), (VALIDATION, TEST), (TRAIN, TEST)):
        if (parts == earlier).any() and (parts == later).any():
            assert times[parts == earlier].max() < times[parts == later].min()
    assert (parts == TRAIN).any()
    if test == 0:
        assert not (parts == TEST).any()
    if validation == 0:
        assert not (parts == VALIDATION).any()


def test_distinct_times_are_cut_at_the_shares_whatever_their_order():
    times = np.random.default_rng(0).permutation(1000).astype(np.float64)
    parts = split_by_time(times, 0.1, 0.1)
    assert np.bincount(parts).tolist() == [800, 100, 100]


def test_a_tie_goes_whole_to_the_nearer_side():
    times = np.array([0, 1, 2, 3, 4, 5, 6, 7, 7, 7.0])
    assert split_by_time(times, 0, 0.2).tolist() == [0] * 7 + [2] * 3
    assert split_by_time(np.zeros(10), 0.1, 0.1).tolist() == [0] * 10


@given(users, shares, shares, st.integers(0, 99))
@settings(max_examples=150)
def test_every_user_keeps_training_rows_and_short_histories_keep_all(users, validation, test, seed):
    parts = split_by_user(users, validation, test, np.random.default_rng(seed))
    for user in np.unique(users):
        own = parts[users == user]
        assert (own == TRAIN).any()
        if len(own) < 3:
            assert (own == TRAIN).all()
        else:
            assert (own == TEST).sum() <= np.ceil(len(own) * test)


def test_shares_hold_for_short_histories_on_average():
    users = np.repeat(np.arange(2000), 5)
    parts = split_by_user(users, 0.1, 0.1, np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(parts) / len(parts), [0.8, 0.1, 0.1], atol=0.01)


def test_the_split_by_user_depends_on_the_generator_only():
    users = np.repeat(np.arange(50), 10)
    first, again, other = (split_by_user(users, 0.1, 0.1, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


@given(users, shares, shares, st.integers(0, 99))
@settings(max_examples=100)
def test_along_the_users_own_time_no_later_part_holds_an_earlier_row(users, validation, test, seed):
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 50, len(users)).astype(np.float64)
    parts = split_by_user(users, validation, test, np.random.default_rng(seed), times)
    for user in np.unique(users):
        own, when = parts[users == user], times[users == user]
        for earlier, later in ((TRAIN, VALIDATION), (VALIDATION, TEST), (TRAIN, TEST)):
            if (own == earlier).any() and (own == later).any():
                assert when[own == earlier].max() < when[own == later].min()
        assert (own == TRAIN).any() and ((own == TRAIN).all() or len(own) >= 3)


def test_along_the_users_own_time_as_many_rows_are_held_out_as_at_random():
    users = np.repeat(np.arange(300), 10)
    rng = np.random.default_rng
    times = rng(1).random(len(users))
    parts = split_by_user(users, 0.2, 0.1, rng(0), times)
    counts = np.stack([np.bincount(users, parts == part) for part in (TRAIN, VALIDATION, TEST)])
    assert (counts == [[7], [2], [1]]).all()
    assert np.array_equal(np.bincount(parts), np.bincount(split_by_user(users, 0.2, 0.1, rng(0))))
    last = np.array([times[users == user].argmax() for user in range(300)]) + 10 * np.arange(300)
    assert (parts[last] == TEST).all()


def test_parts_are_numbered_in_the_order_of_time():
    assert (TRAIN, VALIDATION, TEST) == (0, 1, 2)
    assert split_by_time(np.arange(10.0), 0.2, 0.3).tolist() == [0] * 5 + [1] * 2 + [2] * 3


@pytest.mark.parametrize(
    ("times", "share", "n_test"),
    [
        ([0, 1, 1, 2], 0.5, 3),  # both ends of the tie are equally near: it goes to the later part
        ([0, 0, 1, 1, 1, 1, 2], 0.5, 5),  # wanted 4, the tie is 2 to 6
        ([0, 1, 1, 1, 1, 2], 0.2, 1),  # wanted 5 of 1 to 5
        ([0, 1, 1, 1, 2, 3], 0.5, 2),  # wanted 3 of 1 to 4: the end is nearer
        ([0, 1], 0.5, 1),
        ([1, 1, 2], 0.9, 1),  # nothing would be left for training before the tie
        ([3], 0.4, 0),
        ([0, 1, 2], 0.1, 0),
        ([0, 1, 2], 0.0, 0),
    ],
)
def test_a_cut_within_a_tie_moves_to_its_nearer_end(times, share, n_test):
    parts = split_by_time(np.array(times, float), 0, share)
    assert parts.tolist() == [0] * (len(times) - n_test) + [2] * n_test


@pytest.mark.parametrize("counts", [[1, 2, 3, 4, 9], [3], [0, 0, 5]])
@pytest.mark.parametrize("shares", [(0.4, 0.5), (0.0, 0.9), (0.9, 0.0), (0.2, 0.25)])
def test_every_user_has_the_share_rounded_up_or_down_and_keeps_one_row(counts, shares):
    users = np.repeat(np.arange(len(counts)), counts)
    seen = [set() for _ in counts]
    for seed in range(150):
        parts = split_by_user(users, *shares, np.random.default_rng(seed))
        for user, own in enumerate(seen):
            own.add(tuple(np.bincount(parts[users == user], minlength=3)[1:].tolist()))
    for count, own in zip(counts, seen, strict=True):
        spare = count - 1 if count >= 3 else 0
        validations, tests = ({int(count * share), int(np.ceil(count * share))} for share in shares)
        assert own == {(min(v, spare - min(t, spare)), min(t, spare)) for v in validations for t in tests}


def test_no_rows_have_no_parts():
    nothing = np.zeros(0, np.int64)
    assert split_by_user(nothing, 0.1, 0.1, np.random.default_rng(0)).tolist() == []


def test_not_the_same_rows_of_every_user_are_drawn():
    parts = split_by_user(np.repeat(np.arange(20), 5), 0.2, 0.2, np.random.default_rng(0))
    assert len({tuple(own) for own in parts.reshape(20, 5)}) > 5


def test_along_the_users_own_time_a_basket_stays_whole_and_the_shares_hold_over_many_users():
    users = np.repeat(np.arange(3000), 10)
    basket = np.tile(np.repeat(np.arange(5), [1, 3, 2, 3, 1]), 3000)
    rows = np.random.default_rng(1).permutation(len(users))
    parts = np.empty(len(users), np.int8)
    parts[rows] = split_by_user(users[rows], 0.2, 0.2, np.random.default_rng(0), basket[rows] * 60.0)
    of_basket = [parts.reshape(3000, 10)[:, start:stop] for start, stop in ((0, 1), (1, 4), (4, 6), (6, 9), (9, 10))]
    assert all((own == own[:, :1]).all() for own in of_basket)
    assert (of_basket[0] == TRAIN).all()
    # Two rows are wanted: the last basket has one of them, the one before it lies a third behind the cut.
    assert np.isclose((of_basket[3][:, 0] == TEST).mean(), 1 / 3, atol=0.03)
    np.testing.assert_allclose(np.bincount(parts) / len(parts), [0.6, 0.2, 0.2], atol=0.01)


def test_along_the_users_own_time_a_user_of_one_basket_trains_only():
    users = np.repeat(np.arange(40), 5)
    times = np.repeat(np.arange(40.0), 5)
    assert (split_by_user(users, 0.4, 0.5, np.random.default_rng(0), times) == TRAIN).all()


def test_users_are_counted_who_have_something_new_in_a_part():
    rows = [  # user, item, part
        *[(0, 1, TRAIN), (0, 2, VALIDATION), (0, 3, TEST)],  # counts in both
        *[(1, 1, TRAIN), (1, 1, VALIDATION), (1, 1, TEST)],  # only takes the same again
        *[(2, 1, TRAIN), (2, 2, VALIDATION), (2, 2, TEST)],  # of the test nothing is new after the validation part
        *[(3, 1, TRAIN), (3, 1, TEST), (3, 4, TEST), (3, 4, TEST)],
        *[(4, 2, TRAIN), (4, 3, TRAIN), (4, 4, TRAIN)],
        *[(5, 1, TRAIN), (5, 9, VALIDATION)],  # of what nobody has in training nothing can be foretold
    ]
    users, items, parts = np.array(rows).T
    assert count_users(users, items, parts) == (2, 2)
    assert count_users(users[::-1].astype(np.int32), items[::-1].astype(np.int32), parts[::-1]) == (2, 2)
    nothing = np.zeros(0, np.int32)
    assert count_users(nothing, nothing, nothing) == (0, 0)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 2)), max_size=60))
@settings(max_examples=100)
def test_users_are_counted_as_sets_say(rows):
    users, items, parts = np.array(rows, np.int64).reshape(-1, 3).T
    took = {part: {(u, i) for u, i, p in rows if p == part} for part in (TRAIN, VALIDATION, TEST)}
    known = {item for _, item in took[TRAIN]}
    choose = {user for user, item in took[VALIDATION] - took[TRAIN] if item in known}
    judge = {user for user, _ in took[TEST] - took[TRAIN] - took[VALIDATION]}
    assert count_users(users, items, parts) == (len(choose), len(judge))


def test_a_seed_parts_the_rows_as_it_always_did():
    parts = split_by_user(np.repeat(np.arange(3), 6), 0.2, 0.2, np.random.default_rng(0))
    assert parts.reshape(3, 6).tolist() == [[0, 0, 1, 0, 0, 2], [0, 2, 0, 1, 0, 1], [1, 0, 2, 1, 0, 0]], (
        "or runs of old could not be repeated"
    )
