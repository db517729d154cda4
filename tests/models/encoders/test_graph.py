"""LightGCN: the formula of the paper, its gradient, and one rule for users old and new."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.models.encoders import graph as encoder_graph
from grouprec.models.encoders.graph import GraphEncoder
from grouprec.models.encoders.linear import as_ones
from grouprec.models.fitting import RunOptions
from tests.support.learning import over_popularity, random_start, without_learning

SMALL = {"embedding_size": 16, "epochs": 6, "batch_size": 32, "n_negatives": 60}


@pytest.fixture(scope="module")
def data():
    return planted(ordered=False).data


@pytest.fixture(scope="module")
def tiny():
    return planted(n_users=7, n_items=15, n_groups=3, events_per_user=8).data


@pytest.fixture(scope="module")
def encoder(data):
    return GraphEncoder(GraphEncoder.Config(**SMALL)).fit(data, RunOptions())


def module_of(data, **settings):
    """Return the model with weights away from their start."""
    config = GraphEncoder.Config(embedding_size=6, **settings)
    module = encoder_graph._LightGcn(as_ones(data.histories), config)
    rng = np.random.default_rng(0)
    for parameter in module.parameters():
        parameter.data = torch.from_numpy(rng.normal(size=parameter.shape).astype(np.float32))
    return module


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def dense_lightgcn(data, embedding, n_layers):
    """Return the means of the layers of users and items, by the adjacency matrix of the whole graph."""
    seen = (data.histories.toarray() > 0).astype(float)
    n_users, n_items = seen.shape
    adjacency = np.block([[np.zeros((n_users, n_users)), seen], [seen.T, np.zeros((n_items, n_items))]])
    root = np.sqrt(np.maximum(adjacency.sum(axis=1), 1))
    layers = [np.vstack([np.zeros((n_users, embedding.shape[1])), embedding])]
    for _ in range(n_layers):
        layers.append(adjacency / np.outer(root, root) @ layers[-1])
    mean = np.mean(layers, axis=0)
    return mean[:n_users], mean[n_users:]


@pytest.mark.parametrize("n_layers", [1, 2, 3, 4])
def test_scores_are_the_cosine_of_dense_lightgcn_without_user_embeddings(tiny, n_layers):
    module = module_of(tiny, n_layers=n_layers, temperature=0.5)
    encoder = GraphEncoder(GraphEncoder.Config(temperature=0.5))
    encoder._keep(module)
    users, items = dense_lightgcn(tiny, module.embedding.detach().numpy().astype(float), n_layers)
    expected = unit(users) @ unit(items).T / 0.5 + module.bias.detach().numpy()
    assert np.allclose(encoder.embeddings(tiny).scores(slice(None)), expected, atol=1e-4)


def test_gradients_through_the_graph_are_those_of_the_dense_product(tiny):
    module = module_of(tiny)
    seen = torch.from_numpy((tiny.histories.toarray() > 0).astype(np.float32))
    users, items = seen.sum(dim=1).clamp_min(1), seen.sum(dim=0).clamp_min(1)
    graph = seen / users.sqrt()[:, None] / items.sqrt()
    weights = torch.from_numpy(np.random.default_rng(1).normal(size=module.embedding.shape).astype(np.float32))
    passed = encoder_graph._ToUsersAndBack.apply(module.embedding, module.to_users, module.to_items)
    (sparse_gradient,) = torch.autograd.grad((passed * weights).sum(), module.embedding)
    (gradient,) = torch.autograd.grad((graph.T @ (graph @ module.embedding) * weights).sum(), module.embedding)
    assert torch.allclose(sparse_gradient, gradient, atol=1e-5) and gradient.abs().max() > 0.1


def test_the_loss_is_the_softmax_of_hidden_items_among_items_the_user_does_not_have(tiny):
    module = module_of(tiny, n_negatives=15)
    seen = as_ones(tiny.histories)
    epoch = encoder_graph._Epoch(module, seen, GraphEncoder.Config(embedding_size=6, n_negatives=15), RunOptions())
    state = epoch.rng.bit_generator.state
    loss = float(epoch._loss(seen).detach())
    epoch.rng.bit_generator.state = state
    hidden = epoch.rng.random(seen.nnz) < 0.3
    hidden[epoch.rng.integers(seen.nnz)] = True
    sent, items = (table.detach().numpy() for table in module())
    losses = []
    for user in range(tiny.n_users):
        span = slice(seen.indptr[user], seen.indptr[user + 1])
        history = seen.indices[span]
        total = sent[history[~hidden[span]]].sum(axis=0, keepdims=True)
        scores = np.append(unit(total)[0] / 0.2, 1.0) @ items.T
        rest = np.exp(np.delete(scores, history)).sum()
        losses += [-np.log(np.exp(scores[item]) / (np.exp(scores[item]) + rest)) for item in history[hidden[span]]]
    assert loss == pytest.approx(np.mean(losses), rel=1e-4)


def test_graph_beats_popularity_on_new_items(data, encoder):
    assert over_popularity(encoder, data, data.test) > 2


def test_graph_learns_planted_tastes_where_its_start_knows_nothing(data):
    with random_start(encoder_graph._LightGcn):
        learned = GraphEncoder(GraphEncoder.Config(**SMALL)).fit(data, RunOptions())
        with without_learning():
            started = GraphEncoder(GraphEncoder.Config(**SMALL)).fit(data, RunOptions())
    assert over_popularity(learned, data, data.test) > 2 > over_popularity(started, data, data.test)


def test_training_from_random_weights_lowers_the_loss(data):
    config = GraphEncoder.Config(**{**SMALL, "learning_rate": 0.03})
    epoch = encoder_graph._Epoch(module_of(data), as_ones(data.histories), config, RunOptions())
    losses = [epoch()["loss"] for _ in range(8)]
    assert losses[-1] < 0.8 * losses[0]


def test_a_new_user_gets_the_vector_of_a_known_one_with_the_same_history(data, encoder):
    known = encoder.embeddings(data).users[[5]]
    stranger = encoder.encode(data.histories[[5]], pd.DataFrame(index=["nobody"]))
    assert np.allclose(known, stranger, atol=1e-6)


def test_a_user_without_history_is_ranked_by_the_bias(data, encoder):
    vectors = encoder.encode(sparse.csr_array((1, data.n_items), dtype=np.float32), pd.DataFrame(index=[0]))
    assert np.allclose(vectors @ encoder.items().T, encoder.items()[:, -1])


def test_users_with_a_single_item_can_be_trained_on(data):
    rows = np.array([0], np.int32)
    single = dataclasses.replace(data, train=Interactions(rows, rows, np.ones(1, np.float32)))
    encoder = GraphEncoder(GraphEncoder.Config(**{**SMALL, "epochs": 2})).fit(single, RunOptions())
    assert np.isfinite(encoder.items()).all() and encoder.items()[:, -1].argmax() == 0


def test_without_a_validation_part_all_epochs_are_trained(data):
    refit = dataclasses.replace(data, validation=Interactions.empty(timed=True))
    encoder = GraphEncoder(GraphEncoder.Config(**{**SMALL, "epochs": 2})).fit(refit, RunOptions())
    assert len(encoder.history.epochs) == 2 and "validation" not in encoder.history.epochs[-1]
