"""The two LSTM towers: order pays, the past alone is read, and what an item's sequence holds."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from grouprec.core.types import Embeddings
from grouprec.data.synthetic import planted
from grouprec.models.encoders import lstm
from grouprec.models.encoders.lstm import LstmEncoder
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import NewItemTask
from tests.support.learning import over_popularity, without_learning

SMALL = {
    "embedding_size": 16,
    "hidden_size": 16,
    "targets_ahead": 2,
    "state_share": 1.0,
    "dropout": 0.1,
    "batch_size": 16,
    "learning_rate": 0.01,
    "epochs": 8,
}


@pytest.fixture(scope="module")
def data():
    return planted(n_items=160).data


@pytest.fixture(scope="module")
def encoder(data):
    return LstmEncoder(LstmEncoder.Config(**SMALL)).fit(data, RunOptions())


@pytest.fixture(scope="module")
def task(data):
    return NewItemTask.sample(data, np.random.default_rng(0))


def ndcg(encoder, task, recent):
    return task.ndcg(Embeddings(encoder.encode(task.histories, task.attributes, recent), encoder.items()))


def test_lstm_learns_what_comes_next(data, encoder):
    with without_learning():
        started = LstmEncoder(LstmEncoder.Config(**{**SMALL, "epochs": 1})).fit(data, RunOptions())
    assert over_popularity(encoder, data) > 12 > over_popularity(started, data)


def test_the_order_of_the_items_is_what_it_reads(encoder, task):
    shuffled = np.random.default_rng(0).permuted(task.recent[:, -19:], axis=1)
    unordered = max(ndcg(encoder, task, shuffled), ndcg(encoder, task, None))
    assert ndcg(encoder, task, task.recent) > 1.2 * unordered


def test_training_lowers_the_loss(encoder):
    losses = [values["loss"] for values in encoder.history.epochs]
    assert losses[-1] < losses[0] - 0.3


def test_more_padding_gives_the_same_vector(data, encoder):
    nothing = sparse.csr_array((1, data.n_items), dtype=np.float32)
    short = np.array([[-1, 3, 4, 5]], np.int32)
    long = np.hstack([np.full((1, 40), -1, np.int32), short])
    beside = np.vstack([long, np.arange(44, dtype=np.int32)[None]])  # a longer neighbour in the mini-batch
    alone = encoder.encode(nothing, pd.DataFrame(index=[0]), short)
    assert np.array_equal(alone, encoder.encode(nothing, pd.DataFrame(index=[0]), long))
    among = encoder.encode(sparse.vstack([nothing, nothing]).tocsr(), pd.DataFrame(index=[0, 1]), beside)
    assert np.allclose(alone[0], among[0], atol=1e-5)


def test_a_later_item_cannot_change_an_earlier_state(encoder):
    one, other = torch.tensor([[1, 2, 3, 4, 5]]), torch.tensor([[1, 2, 3, 9, 8]])
    with torch.no_grad():
        states, others = encoder._module.states(one), encoder._module.states(other)
    assert states.shape == (1, 6, 16)
    assert torch.allclose(states[:, :4], others[:, :4], atol=1e-6)
    assert not torch.allclose(states[:, 4], others[:, 4], atol=1e-3)


def test_the_order_of_two_items_changes_the_vector(data, encoder):
    nothing = sparse.csr_array((2, data.n_items), dtype=np.float32)
    vectors = encoder.encode(nothing, pd.DataFrame(index=[0, 1]), np.array([[1, 2], [2, 1]], np.int32))
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)


def test_users_without_items_get_a_finite_vector_that_was_learned(data, encoder):
    nothing = sparse.csr_array((2, data.n_items), dtype=np.float32)
    vectors = encoder.encode(nothing, pd.DataFrame(index=[0, 1]), np.full((2, 50), -1, np.int32))
    assert np.isfinite(vectors).all() and np.array_equal(vectors[0], vectors[1])
    assert np.abs(encoder._module.start.detach().numpy()).max() > 0
    assert encoder.encode(nothing[:0], pd.DataFrame()).shape == (0, 16 + 1)


def test_the_companions_of_an_item_came_shortly_before_it():
    users = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    items = np.array([0, 1, 2, 0, 1, 2, 3, 2])
    sequences = lstm.item_sequences(users, items, n_items=5, n_companions=2)
    # Before item 2 came 0 and 1 twice each, 3 once; 3 is rare, so its one time weighs 1 and theirs 2 / sqrt(2).
    assert sequences.tolist() == [[-1, -1, 0], [-1, 0, 1], [1, 0, 2], [-1, -1, 3], [-1, -1, 4]]


def test_companions_are_found_on_one_side_of_a_planted_walk(data):
    users, items = lstm.in_time_order(data.train, np.random.default_rng(0))
    sequences = lstm.item_sequences(users, items, data.n_items, 4)
    inner = np.array([item for item in range(data.n_items) if item % 40 >= 4])
    before = sequences[inner, :-1]
    assert np.mean((before < inner[:, None]) & (before >= inner[:, None] - 5)) > 0.9


def test_an_item_without_companions_is_its_own_sequence():
    one = lstm.item_sequences(np.array([0]), np.array([2]), n_items=4, n_companions=3)
    assert one[:, -1].tolist() == [0, 1, 2, 3] and (one[:, :-1] == -1).all()
    none = lstm.item_sequences(np.array([0, 0]), np.array([2, 1]), n_items=4, n_companions=0)
    assert none.tolist() == [[0], [1], [2], [3]]


def test_companions_move_the_vector_of_an_item(encoder):
    module = encoder._module
    with torch.no_grad():
        before = module.items(torch.tensor([7]))
        kept = module.item_sequences.clone()
        module.item_sequences[7, :-1] = torch.tensor([150, 151, 152, 153])
        after = module.items(torch.tensor([7]))
        module.item_sequences.copy_(kept)
    assert not torch.allclose(before, after, atol=1e-4)
