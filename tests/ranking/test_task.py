"""The encoders' validation metric against a count by hand."""

import numpy as np
import pytest

from grouprec.core.types import Embeddings
from grouprec.data.synthetic import planted
from grouprec.ranking.task import NewItemTask


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
