"""What later stages read of prepared data: recent items, what is known before the test, histories."""

from dataclasses import replace

import numpy as np

from grouprec.data.dataset import Dataset, Interactions
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


def test_without_times_nothing_is_timed():
    data = dataset([0, 1], [0, 1], None)
    assert not data.timed and not data.before_test().timed and data.before_test().train.times is None
