"""ELSA: the formula of the paper, early stopping, and the smallest inputs."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch.nn import functional

from grouprec.data.synthetic import planted
from grouprec.models.encoders.elsa import ElsaEncoder, _Epoch, _Factors
from grouprec.models.fitting import RunOptions
from tests.support.learning import over_popularity, without_learning

NOTHING = pd.DataFrame()


@pytest.fixture(scope="module")
def data():
    return planted(ordered=False).data


@pytest.fixture(scope="module")
def encoder(data):
    return ElsaEncoder(ElsaEncoder.Config(embedding_size=16)).fit(data, RunOptions())


def test_elsa_learns_planted_blocks(data, encoder):
    with without_learning():
        started = ElsaEncoder(ElsaEncoder.Config(embedding_size=16)).fit(data, RunOptions())
    assert over_popularity(encoder, data) > 2 > over_popularity(started, data)


def test_scores_of_unseen_items_are_those_of_the_paper(data, encoder):
    matrix, factors = (data.histories.toarray() > 0).astype(np.float32), encoder.items()
    paper = matrix @ (factors @ factors.T - np.eye(data.n_items, dtype=np.float32))
    scores = encoder.embeddings(data).scores(slice(None))
    assert np.allclose(scores[matrix == 0], paper[matrix == 0], atol=1e-4)
    assert np.allclose(scores[matrix > 0], paper[matrix > 0] + 1, atol=1e-4)


def test_item_vectors_have_length_one(encoder):
    assert np.allclose(np.linalg.norm(encoder.items(), axis=1), 1, atol=1e-5)


def test_the_loss_is_the_distance_of_the_normalised_rows(data):
    config = ElsaEncoder.Config(embedding_size=5)
    with RunOptions().torch_seed("test"):
        module = _Factors(data.n_items, 5)
    epoch = _Epoch(module, (data.histories > 0).astype(np.float32), config, RunOptions())
    weight = module.weight.detach().numpy()
    factors = weight / np.linalg.norm(weight, axis=1, keepdims=True)
    distances = []
    for row in (data.histories.toarray()[:7] > 0).astype(np.float32):
        predicted = row @ factors @ factors.T - row
        distances.append(np.sum((predicted / np.linalg.norm(predicted) - row / np.linalg.norm(row)) ** 2))
    assert float(epoch._loss(np.arange(7)).detach()) == pytest.approx(np.mean(distances), abs=1e-4)


def test_the_gradient_is_that_of_the_dense_formula(data):
    config, users = ElsaEncoder.Config(embedding_size=5), np.arange(40)
    with RunOptions().torch_seed("test"):
        module = _Factors(data.n_items, 5)
    vectors = (data.histories > 0).astype(np.float32)
    _Epoch(module, vectors, config, RunOptions())._loss(users).backward()
    found, module.weight.grad = module.weight.grad.clone(), None
    histories, factors = torch.from_numpy(vectors[users].toarray()), module.rows()
    predicted = histories @ factors @ factors.T - histories
    distance = functional.normalize(predicted, dim=1) - functional.normalize(histories, dim=1)
    distance.square().sum(dim=1).mean().backward()
    assert torch.allclose(found, module.weight.grad, atol=1e-6)
    assert found.abs().max() > 1e-4


def test_training_lowers_the_loss_and_keeps_the_best_epoch(encoder):
    losses = [values["loss"] for values in encoder.history.epochs]
    values = [values["validation"] for values in encoder.history.epochs]
    assert losses[-1] < losses[0]
    assert encoder.history.best_epoch == 1 + int(np.argmax(values))


def test_weights_count_only_where_asked_for(data, encoder):
    even = sparse.csr_array(([1.0, 1.0], ([0, 0], [0, 119])), shape=(1, data.n_items), dtype=np.float32)
    uneven = sparse.csr_array(([9.0, 1.0], ([0, 0], [0, 119])), shape=(1, data.n_items), dtype=np.float32)
    assert np.array_equal(encoder.encode(even, NOTHING), encoder.encode(uneven, NOTHING))
    weighted = ElsaEncoder(ElsaEncoder.Config(binary=False)).load(encoder.arrays())
    assert not np.allclose(weighted.encode(even, NOTHING), weighted.encode(uneven, NOTHING))


def test_an_empty_history_gives_a_zero_vector(data, encoder):
    assert not encoder.encode(sparse.csr_array((2, data.n_items), dtype=np.float32), NOTHING).any()


@pytest.mark.parametrize("n_items", [1, 3])
def test_a_catalogue_smaller_than_the_rank_is_fitted(n_items):
    data = planted(n_users=12, n_items=n_items, n_groups=1, events_per_user=5).data
    encoder = ElsaEncoder(ElsaEncoder.Config(embedding_size=8, epochs=3)).fit(data, RunOptions())
    assert encoder.items().shape == (n_items, 8)
    assert np.isfinite(encoder.embeddings(data).scores(slice(None))).all()


def test_users_without_a_history_take_no_part_in_training(data):
    vectors = (data.histories > 0).astype(np.float32)
    with_empty = sparse.csr_array(sparse.vstack([sparse.csr_array((3, data.n_items), dtype=np.float32), vectors]))
    epoch = _Epoch(_Factors(data.n_items, 4), with_empty, ElsaEncoder.Config(), RunOptions())
    assert epoch.users.min() == 3 and len(epoch.users) == data.n_users
