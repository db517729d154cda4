"""What later stages read of prepared data: recent items, what is known before the test, histories."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouprec.data.dataset import Dataset, Interactions, time_order
from grouprec.data.synthetic import planted

DATA = planted(n_users=30, n_items=20, n_groups=2, events_per_user=12).data


def dataset(users, items, times, n_users=3, n_items=6):
    part = Interactions(
        np.array(users, np.int32),
        np.array(items, np.int32),
        np.ones(len(users), np.float32),
        None if times is None else np.array(times, float),
    )
    nothing = Interactions.empty(times is not None)
    ids = [np.array([f"{n}" for n in range(size)], object) for size in (n_users, n_items)]
    return Dataset("small", "small", *ids, part, nothing, nothing, item_labels=ids[1])


def test_recent_items_stand_oldest_first_at_the_end():
    data = dataset([0, 0, 0, 2, 0], [1, 2, 3, 4, 5], [30, 10, 20, 5, 40])
    assert data.recent(3).tolist() == [[3, 1, 5], [-1, -1, -1], [-1, -1, 4]]
    assert data.recent(5).tolist()[0] == [-1, 2, 3, 1, 5]
    assert data.recent(3).dtype == np.int32


def test_recent_items_of_one_moment_do_not_come_in_the_order_of_the_file():
    items = list(range(6))
    together = dataset([0] * 6, items, [1.0] * 6).recent(6)[0]
    assert sorted(together.tolist()) == items and together.tolist() != items
    assert together.tolist() == dataset([0] * 6, items, [1.0] * 6).recent(6)[0].tolist(), "drawn once and for all"
    assert sorted(dataset([0] * 6, items, None).recent(6)[0].tolist()) == items


def test_recent_items_agree_with_a_loop_over_users():
    found = DATA.recent(5)
    for user in range(DATA.n_users):
        own = DATA.train.user_rows == user
        last = DATA.train.item_rows[own][np.argsort(DATA.train.times[own])][-5:]
        assert found[user].tolist() == [-1] * (5 - len(last)) + last.tolist()


def test_before_the_test_everything_else_is_training():
    before = DATA.before_test()
    assert len(before.train) == len(DATA.train) + len(DATA.validation)
    assert len(before.validation) == len(before.test) == 0
    assert (before.histories != DATA.known).nnz == 0
    assert before.key != DATA.key, "what is learned from more rows is something else"
    assert before.train.times.max() <= DATA.test.times.max() and before.timed
    assert before.shape == DATA.shape and before.user_attributes is DATA.user_attributes


def test_the_test_part_leaves_no_trace_in_what_stages_see():
    other = Interactions(*(np.zeros(0, np.int32),) * 2, np.zeros(0, np.float32), np.zeros(0))
    assert (replace(DATA, test=other).before_test().histories != DATA.before_test().histories).nnz == 0
    assert len(DATA.without_test().test) == 0 and len(DATA.without_test().validation) == len(DATA.validation)


def test_datasets_with_the_same_training_part_share_what_is_made_of_it():
    assert DATA.histories is DATA.without_test().histories is DATA.without_validation().histories
    assert DATA.without_validation().recent() is DATA.recent() is DATA.without_test().recent()
    assert (DATA.without_validation().known != DATA.histories).nnz == 0, "what users have also depends on other parts"


@pytest.mark.parametrize("n_times", [1, 3, 1000])
def test_the_order_by_time_is_that_of_plain_sorting(n_times):
    rng = np.random.default_rng(0)
    users, times, drawn = rng.integers(0, 9, 300), rng.integers(0, n_times, 300) * 1.5, rng.random(300)
    assert (time_order(times, drawn, users) == np.lexsort((drawn, times, users))).all()
    assert (time_order(times, drawn) == np.lexsort((drawn, times))).all()
    assert len(time_order(times[:0], drawn[:0], users[:0])) == 0


def test_without_times_nothing_is_timed():
    data = dataset([0, 1], [0, 1], None)
    assert not data.timed and not data.before_test().timed and data.before_test().train.times is None


def part(users, items, weights=None, times=None):
    n = len(users)
    weights = np.ones(n) if weights is None else weights
    times = None if times is None else np.array(times, float)
    return Interactions(np.array(users, np.int32), np.array(items, np.int32), np.array(weights, np.float32), times)


@pytest.mark.parametrize("timed", [False, True])
def test_an_empty_part_has_no_rows_and_times_only_where_asked(timed):
    nothing = Interactions.empty(timed)
    assert len(nothing) == len(nothing.user_rows) == len(nothing.item_rows) == len(nothing.weights) == 0
    assert (nothing.times is None) is not timed and (nothing.times is None or len(nothing.times) == 0)
    assert Interactions.empty().times is None


@pytest.mark.parametrize(("most", "n_users"), [(0, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3), (7, 3)])
def test_as_many_users_are_drawn_as_have_at_most_so_many_rows(most, n_users):
    rows = part([0, 0, 3, 3, 1, 1], range(6))
    drawn = rows.of_some_users(most, np.random.default_rng(0))
    assert len(drawn) == 2 * n_users and len(set(drawn.user_rows)) == n_users
    assert (drawn is rows) == (most >= 6), "nothing is drawn where all rows fit"
    others = [set(rows.of_some_users(2, np.random.default_rng(seed)).user_rows) for seed in range(20)]
    assert set().union(*others) == {0, 1, 3}, "any user may be drawn"


@pytest.mark.parametrize("by_user", [False, True])
def test_rows_come_in_the_order_of_time_and_those_of_one_moment_in_any(by_user):
    rows = part([1, 0] * 20, range(40), times=np.repeat([3.0, 1.0, 2.0, 2.0], 10))
    drawn = [rows.in_time_order(np.random.default_rng(seed), by_user=by_user) for seed in (0, 0, 1)]
    keys = list(zip(drawn[0].user_rows if by_user else [0] * 40, drawn[0].times, strict=True))
    assert keys == sorted(keys)
    orders = [one.item_rows.tolist() for one in drawn]
    assert orders[0] == orders[1] != orders[2] and sorted(orders[0]) == list(range(40))
    assert rows.in_time_order(np.random.default_rng(0)).times.tolist() == sorted(rows.times)
    untimed = part([1, 0] * 20, range(40)).in_time_order(np.random.default_rng(0), by_user=by_user)
    assert untimed.times is None and (untimed.user_rows.tolist() == [0] * 20 + [1] * 20) == by_user
    assert untimed.item_rows[:20].tolist() != sorted(untimed.item_rows[:20])


@given(st.lists(st.integers(0, 6), max_size=60))
@settings(max_examples=60)
def test_rounds_take_one_row_of_every_user_in_the_order_of_the_file(users):
    expected, left = [], list(enumerate(users))
    while left:
        first = {}
        for place, user in left:
            first.setdefault(user, place)
        expected.append([first[user] for user in sorted(first)])
        left = [pair for pair in left if pair[0] not in first.values()]
    assert [places.tolist() for places in part(users, users).rounds()] == expected


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("merge", ["sum", "last"])
@given(
    rows=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.integers(1, 9), st.integers(0, 3)), max_size=40)
)
@settings(max_examples=40)
def test_rows_of_one_pair_are_summed_or_the_last_one_counts(timed, merge, rows):
    users, items, weights, times = ([row[n] for row in rows] for n in range(4))
    expected = np.zeros((5, 3))
    for user, item, weight, _ in sorted(rows, key=lambda row: row[3]) if timed else rows:
        expected[user, item] = weight + (expected[user, item] if merge == "sum" else 0)
    found = part(users, items, weights, times if timed else None).matrix((5, 3), merge)
    assert found.toarray().tolist() == expected.tolist() and found.dtype == np.float32
    assert found.nnz == (expected > 0).sum() and found.has_canonical_format


def test_the_latest_of_many_rows_of_one_moment_is_the_last_in_the_file():
    n = 2000  # many enough for a sort that is not stable to mix them up
    times = np.repeat([1.0, 0.0], n // 2)
    rows = part(np.zeros(n), np.arange(n) % 3, np.arange(n) + 1, times)
    assert rows.matrix((1, 3), "last").toarray().tolist() == [[1000, 998, 999]]


def test_many_rounds_keep_the_order_of_users():
    users = np.arange(3000)[::-1] % 60
    rounds = list(part(users, users).rounds())
    assert len(rounds) == 50
    for number, places in enumerate(rounds):
        assert users[places].tolist() == list(range(60))
        assert (places // 60 == number).all()


def test_popularity_is_the_share_of_users_who_have_an_item():
    data = dataset([0, 0, 1, 0], [1, 2, 1, 1], None, n_users=4, n_items=4)
    assert data.popularity.tolist() == [0, 0.5, 0.25, 0] and data.popularity.dtype == np.float32
    assert dataset([0], [0], None, n_users=1, n_items=1).popularity.tolist() == [1]
    assert dataset([], [], None, n_users=0, n_items=2).popularity.tolist() == [0, 0]


def test_what_is_known_is_training_and_validation():
    data = replace(dataset([0], [1], None), validation=part([0, 2], [1, 3], [2, 5]))
    assert data.known.toarray().tolist() == [[0, 3, 0, 0, 0, 0], [0] * 6, [0, 0, 0, 5, 0, 0]]
    assert data.shape == (3, 6)


def test_fifty_recent_items_are_read_and_shared():
    data = dataset([0] * 60, [n % 6 for n in range(60)], list(range(60)))
    assert data.recent().shape == (3, 50) and data.recent() is data.recent(50)
    assert data.recent()[0].tolist() == [n % 6 for n in range(10, 60)]


def test_before_the_test_there_are_times_only_where_both_parts_have_them():
    timed, untimed = part([0], [0], times=[1.0]), part([0], [0])
    for train, validation in ((timed, untimed), (untimed, timed), (untimed, untimed)):
        data = replace(dataset([0], [0], [1.0]), train=train, validation=validation)
        assert data.before_test().train.times is None
    both = replace(dataset([0], [0], [1.0]), validation=part([0], [0], times=[2.0])).before_test()
    assert both.train.times.tolist() == [1, 2] and both.test.times is not None and both.validation.times is not None
    assert replace(dataset([0], [0], None)).without_test().test.times is None
