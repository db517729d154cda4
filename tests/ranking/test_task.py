"""Who is judged on what, by hand: the encoders' validation metric, tasks, and the lists that users are served."""

import numpy as np
import pytest
from scipy import sparse

from grouprec.core.types import Candidates, Embeddings
from grouprec.data.synthetic import planted
from grouprec.ranking.task import (
    NewItemTask,
    Task,
    dedup_lists,
    individual_lists,
    nothing,
    shared_lists,
    test_task,
    validation_task,
)


@pytest.fixture(scope="module")
def data():
    return planted(n_users=50, n_items=40, events_per_user=40, noise=0.5).data


@pytest.mark.parametrize("k", [1, 3, 10])
def test_ndcg_equals_a_naive_count(data, k):
    task = NewItemTask.sample(data, np.random.default_rng(0), max_users=30)
    rng = np.random.default_rng(1)
    embeddings = Embeddings(
        rng.normal(size=(len(task), 5)).astype(np.float32), rng.normal(size=(40, 5)).astype(np.float32)
    )
    values = []
    for place, user in enumerate(task.user_rows):
        seen = set(data.train.item_rows[data.train.user_rows == user])
        wanted = set(data.validation.item_rows[data.validation.user_rows == user]) - seen
        ranked = [item for item in np.argsort(-embeddings.scores([place])[0]) if item not in seen][:k]
        gain = sum(1 / np.log2(rank + 2) for rank, item in enumerate(ranked) if item in wanted)
        values.append(gain / sum(1 / np.log2(rank + 2) for rank in range(min(k, len(wanted)))))
    assert task.ndcg(embeddings, k) == pytest.approx(np.mean(values))


def test_only_users_with_something_new_take_part(data):
    task = NewItemTask.sample(data, np.random.default_rng(0))
    assert 0 < len(task) <= 50 and (np.diff(task.relevant.indptr) > 0).all()
    assert not task.relevant.multiply(task.histories.astype(bool)).nnz
    assert len(task.attributes) == len(task)


def test_equal_scores_are_ranked_at_random(data):
    flat = [NewItemTask.sample(data, np.random.default_rng(seed)) for seed in range(30)]
    values = [task.ndcg(Embeddings(np.ones((len(task), 1), np.float32), np.ones((40, 1), np.float32))) for task in flat]
    assert len(set(values)) > 20


def test_a_sample_draws_nobody_twice_and_keeps_their_rows_in_order(data):
    everybody = NewItemTask.sample(data, np.random.default_rng(0)).user_rows
    task = NewItemTask.sample(data, np.random.default_rng(0), max_users=len(everybody) - 1)
    assert len(task) == len(everybody) - 1 and (np.diff(task.user_rows) > 0).all()
    assert np.array_equal(task.histories.toarray(), data.histories[task.user_rows].toarray())
    assert np.array_equal(task.recent, data.recent()[task.user_rows])
    assert task.attributes.equals(data.user_attributes.iloc[task.user_rows])


@pytest.mark.parametrize(("make", "part"), [(validation_task, "validation"), (test_task, "test")])
def test_targets_are_what_users_took_that_was_new_to_them(data, make, part):
    owned = (data.histories if part == "validation" else data.known).toarray() > 0
    taken = getattr(data, part).matrix(data.shape).toarray() > 0
    new, repeats = make(data), make(data, repeats=True)
    assert (taken & owned).any(), "a task without repeats would be told from one with them by nothing"
    for task, relevant, seen in ((new, taken & ~owned, owned), (repeats, taken, np.zeros_like(owned))):
        assert np.array_equal(task.relevant.toarray(), relevant)
        assert np.array_equal(task.seen.toarray() > 0, seen) and np.array_equal(task.owned.toarray() > 0, owned)
        assert np.array_equal(task.users, np.flatnonzero(relevant.any(axis=1)))
        assert np.array_equal(task.n_relevant, relevant.sum(axis=1)[task.users])


def small_task(seen, users) -> Task:
    seen = sparse.csr_array(np.array(seen, np.float32))
    return Task(seen, nothing(seen.shape), np.array(users, np.int32), seen)


def test_fewer_users_to_judge_are_drawn_once_each_in_the_order_of_their_rows():
    task = small_task(np.zeros((40, 2)), range(0, 40, 2))
    assert task.sample(20, 0) is task
    drawn = task.sample(19, 0).users
    assert len(drawn) == 19 and (np.diff(drawn) > 0).all() and set(drawn) < set(task.users)
    assert not np.array_equal(drawn, task.sample(19, 1).users)


def test_served_lists_by_hand():
    task = small_task([[1, 0, 0, 1, 0, 0], [0] * 6, [0, 1, 0, 0, 0, 0]], [0, 2])
    lists = np.array([[3, 0, 1, 2, 4, 5], [1, 4, -1, -1, -1, -1]], np.int32)
    labels = np.array([0, 1, 1], np.int32)
    assert shared_lists(lists, labels, task, 3).tolist() == [[3, 0, 1], [1, 4, -1]]
    assert dedup_lists(lists, labels, task, 3).tolist() == [[1, 2, 4], [4, -1, -1]]
    assert dedup_lists(lists, labels, task, 1).tolist() == [[1], [4]]  # further down than twice the depth
    assert dedup_lists(lists, labels, task).tolist() == [[1, 2, 4, 5] + [-1] * 16, [4] + [-1] * 19]


def test_own_lists_may_be_given_of_all_users_or_of_the_judged_ones():
    task = small_task(np.eye(4), [1, 3])
    items = np.array([[0, 1], [1, 2], [2, 3], [3, 0]], np.int32)
    everybody = Candidates(items, np.ones((4, 2), np.float32), 4)
    for candidates in (everybody, everybody.take(task.users)):
        assert individual_lists(candidates, task, 2).tolist() == [[2, -1], [0, -1]]
