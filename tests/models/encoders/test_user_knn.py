"""User neighbours: the formula against plain loops, who is nobody's neighbour, tuning, and the smallest inputs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Embeddings
from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.models.encoders import user_knn
from grouprec.models.encoders.user_knn import UserKnnEncoder
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import NewItemTask
from tests.support.learning import over_popularity, shuffled


def fitted(data, **settings):
    return UserKnnEncoder(UserKnnEncoder.Config(**settings)).fit(data, RunOptions())


def weighted_data(n_users=30, n_items=12):
    """Weights of many sizes, so that no two similarities are equal."""
    data = planted(n_users=n_users, n_items=n_items, n_groups=3).data
    weights = np.random.default_rng(1).uniform(0.5, 4, len(data.train)).astype(np.float32)
    return replace(data, train=replace(data.train, weights=weights))


@pytest.mark.parametrize("shrinkage", [0.0, 5.0])
def test_scores_equal_the_formula_in_plain_loops(shrinkage, monkeypatch):
    monkeypatch.setattr(user_knn, "rows_per_batch", lambda n_columns: 7)  # several blocks
    data = weighted_data()
    matrix = data.histories.toarray().astype(np.float64)
    expected = np.zeros_like(matrix)
    for user in range(data.n_users):
        similarity = np.full(data.n_users, -np.inf)
        for other in range(data.n_users):
            if other != user:
                lengths = np.linalg.norm(matrix[user]) * np.linalg.norm(matrix[other])
                similarity[other] = matrix[user] @ matrix[other] / (lengths + shrinkage)
        for neighbour in np.argsort(-similarity)[:4]:
            expected[user] += similarity[neighbour] * matrix[neighbour]
    encoder = fitted(data, n_neighbours=4, shrinkage=shrinkage, tune=False, binary=False)
    assert np.allclose(encoder.embeddings(data).scores(slice(None)), expected, atol=1e-4)


def test_binary_reads_weights_as_has_or_has_not():
    data = weighted_data()
    ones = replace(data.train, weights=np.ones(len(data.train), np.float32))
    ones = replace(data, train=ones, merge="last")
    one, other = fitted(data, tune=False), fitted(ones, tune=False, binary=False)
    assert (one.embeddings(data).users != other.embeddings(ones).users).nnz == 0
    assert (one.items() != other.items()).nnz == 0


def test_user_knn_learns_planted_blocks():
    data = planted(ordered=False).data
    assert over_popularity(fitted(data), data) > 2 > over_popularity(fitted(shuffled(data)), data)


def test_a_fitted_user_is_never_their_own_neighbour():
    data = planted(n_users=60, n_items=30).data
    users = fitted(data, n_neighbours=5, tune=False).embeddings(data).users
    assert sparse.issparse(users) and np.diff(users.indptr).max() == 5
    assert (users.diagonal() == 0).all()


def test_a_training_user_with_the_same_items_takes_no_place_of_a_neighbour():
    rows = np.array([0, 0, 1, 1, 2, 2, 2], np.int32), np.array([0, 1, 0, 1, 0, 1, 2], np.int32)
    data = planted(n_users=3, n_items=4, n_groups=1).data
    data = replace(data, train=Interactions(*rows, np.ones(7, np.float32)))
    encoder = fitted(data, n_neighbours=1, shrinkage=0.0, tune=False)
    users = encoder.embeddings(data).users.toarray()
    assert np.allclose(users[0], [0, 0, 2 / np.sqrt(6)])  # user 1 has the same two items
    assert encoder.embeddings(data).scores(slice(0, 1))[0, 2] == pytest.approx(2 / np.sqrt(6))


def test_tuning_keeps_the_settings_with_the_best_validation_value():
    data = planted(n_users=80, n_items=40).data
    encoder = fitted(data, n_neighbours=8, shrinkage=2.0)
    task = NewItemTask.sample(data, RunOptions().rng("user_knn validation"))
    values = {}
    for n_neighbours in (2, 4, 8, 16, 32):
        for shrinkage in (0.0, 2.0, 20.0):
            one = fitted(data, n_neighbours=n_neighbours, shrinkage=shrinkage, tune=False)
            values[n_neighbours, shrinkage] = task.ndcg(Embeddings(one.encode(task.histories, None), one.items()))
    assert values[tuple(encoder.decided.values())] == max(values.values())
    assert len(set(values.values())) > 1


def test_without_a_validation_part_the_given_settings_are_used():
    data = replace(planted(n_users=40, n_items=15, n_groups=3).data, validation=Interactions.empty(timed=True))
    assert fitted(data, n_neighbours=7).decided == {"n_neighbours": 7, "shrinkage": 10.0}


def test_users_without_a_history_have_no_neighbours_and_are_none():
    data = planted(n_users=40, n_items=15, n_groups=3).data
    without = replace(data, train=data.train.take(data.train.user_rows != 4))
    encoder = fitted(without, shrinkage=0.0, tune=False)
    users = encoder.embeddings(without).users
    assert np.isfinite(users.data).all() and users[[4]].nnz == 0 and users[:, [4]].nnz == 0
    assert encoder.encode(sparse.csr_array((2, 15), dtype=np.float32), pd.DataFrame()).nnz == 0


@pytest.mark.parametrize("n_items", [1, 3])
def test_fewer_users_than_neighbours_are_fitted(n_items):
    data = planted(n_users=12, n_items=n_items, n_groups=1, events_per_user=5).data
    encoder = fitted(data)
    assert encoder.embeddings(data).users.shape == (12, 12) and encoder.items().shape == (n_items, 12)
    assert np.isfinite(encoder.embeddings(data).scores(slice(None))).all()
