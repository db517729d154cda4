"""Item neighbours: the formula against plain loops, tuning, and the smallest inputs."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Embeddings
from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.models.encoders import item_knn
from grouprec.models.encoders.item_knn import ItemKnnEncoder
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import NewItemTask
from tests.support.learning import over_popularity, shuffled


def fitted(data, **settings):
    return ItemKnnEncoder(ItemKnnEncoder.Config(**settings)).fit(data, RunOptions())


def weighted_data(n_users=30, n_items=12):
    """Weights of many sizes, so that no two similarities are equal."""
    data = planted(n_users=n_users, n_items=n_items, n_groups=3).data
    weights = np.random.default_rng(1).uniform(0.5, 4, len(data.train)).astype(np.float32)
    train = data.train
    return replace(data, train=Interactions(train.user_rows, train.item_rows, weights, train.times))


@pytest.mark.parametrize("shrinkage", [0.0, 5.0])
def test_scores_equal_the_formula_in_plain_loops(shrinkage, monkeypatch):
    monkeypatch.setattr(item_knn, "rows_per_batch", lambda n_columns: 3)  # several blocks
    data = weighted_data()
    matrix = data.histories.toarray().astype(np.float64)
    expected = np.zeros_like(matrix)
    for item in range(data.n_items):
        similarity = np.full(data.n_items, -np.inf)
        for other in range(data.n_items):
            if other != item:
                lengths = np.linalg.norm(matrix[:, item]) * np.linalg.norm(matrix[:, other])
                similarity[other] = matrix[:, item] @ matrix[:, other] / (lengths + shrinkage)
        for neighbour in np.argsort(-similarity)[:4]:
            expected[:, item] += similarity[neighbour] * matrix[:, neighbour]
    encoder = fitted(data, n_neighbours=4, shrinkage=shrinkage, tune=False, binary=False)
    assert np.allclose(encoder.embeddings(data).scores(slice(None)), expected, atol=1e-4)


def test_binary_reads_weights_as_has_or_has_not():
    data = weighted_data()
    ones = replace(data.train, weights=np.ones(len(data.train), np.float32))
    ones = replace(data, train=ones, merge="last")
    assert (fitted(data, tune=False).items() != fitted(ones, tune=False, binary=False).items()).nnz == 0


def test_item_knn_learns_planted_blocks():
    data = planted(ordered=False).data
    assert over_popularity(fitted(data), data) > 2 > over_popularity(fitted(shuffled(data)), data)


def test_an_item_has_at_most_the_neighbours_asked_for_and_never_itself():
    items = fitted(planted(n_users=60, n_items=30).data, n_neighbours=5, tune=False).items()
    assert sparse.issparse(items) and np.diff(items.indptr).max() == 5
    assert (items.diagonal() == 0).all()


def test_tuning_keeps_the_settings_with_the_best_validation_value():
    data = planted(n_users=80, n_items=40).data
    encoder = fitted(data, n_neighbours=8, shrinkage=2.0)
    task = NewItemTask.sample(data, RunOptions().rng("item_knn validation"))
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


def test_items_and_users_without_rows_score_zero():
    data = planted(n_users=40, n_items=15, n_groups=3).data
    without = replace(data, train=data.train.take(data.train.item_rows != 4))
    encoder = fitted(without, shrinkage=0.0, tune=False)
    scores = encoder.embeddings(without).scores(slice(None))
    assert np.isfinite(scores).all() and (scores[:, 4] == 0).all()
    assert encoder.encode(sparse.csr_array((2, 15), dtype=np.float32), pd.DataFrame()).nnz == 0


@pytest.mark.parametrize("n_items", [1, 3])
def test_a_catalogue_smaller_than_the_neighbours_is_fitted(n_items):
    data = planted(n_users=12, n_items=n_items, n_groups=1, events_per_user=5).data
    encoder = fitted(data)
    assert encoder.items().shape == (n_items, n_items)
    assert np.isfinite(encoder.embeddings(data).scores(slice(None))).all()
