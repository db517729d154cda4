"""The GRU updater: one step per event, what it learns, and that equal times carry no order."""

import dataclasses

import numpy as np
import pytest
import torch

from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.evaluate.updates import evaluate_updates
from grouprec.stages import updater_gru
from grouprec.stages.updater_gru import GruUpdater, sequences_of
from grouprec.training import RunOptions

SMALL = {"hidden_size": 24, "epochs": 10, "batch_size": 16, "learning_rate": 0.02, "dropout": 0.0}


@pytest.fixture(scope="module")
def data():
    return planted(n_users=160, n_items=60).data


@pytest.fixture(scope="module")
def updater(data):
    return GruUpdater(GruUpdater.Config(**SMALL)).fit(data, RunOptions())


def events(users, items, times):
    users, items = np.array(users, np.int32), np.array(items, np.int32)
    return Interactions(
        users, items, np.ones(len(users), np.float32), None if times is None else np.array(times, float)
    )


def test_updated_states_beat_frozen_ones_and_popularity(data, updater):
    result = evaluate_updates(updater, data, data.test, RunOptions())
    counts = np.bincount(data.train.item_rows, minlength=data.n_items)
    popular = np.isin(data.test.item_rows, np.argsort(-counts)[:10]).mean()
    assert result["hit_rate@10"]["updated"] > result["hit_rate@10"]["frozen"] + 0.1
    assert result["hit_rate@10"]["updated"] > 2 * popular


def test_two_events_at_once_equal_one_after_the_other(data, updater):
    states = updater.start(data, RunOptions())[:5]
    first, second = np.array([1, 2, 3, 4, 5]), np.array([6, 7, 8, 9, 0])
    stepwise = updater.update(updater.update(states, first), second)
    module = updater._module
    with torch.no_grad():
        items = torch.from_numpy(np.stack([first, second], axis=1))
        _, together = module.gru(module.embedding(items), torch.from_numpy(states)[None])
    assert np.allclose(stepwise, together[0].numpy(), atol=1e-6)


def test_start_is_the_replay_of_the_training_events(data, updater):
    states = updater.start(data, RunOptions())
    sequences, owners = sequences_of(data.train, data.n_users, np.random.default_rng(0), 400, 400)
    expected = np.repeat(updater.arrays()["start"][None], data.n_users, axis=0)
    for step in range((sequences >= 0).sum(axis=1).max()):
        has = sequences[:, step] >= 0
        expected[owners[has]] = updater.update(expected[owners[has]], sequences[has, step])
    assert np.allclose(states, expected, atol=1e-5)


def test_update_leaves_its_input_alone(data, updater):
    states = updater.start(data, RunOptions())
    before = states.copy()
    updater.update(states, np.zeros(len(states), np.int64))
    assert (states == before).all()


def test_a_user_without_events_has_the_start_state(data, updater):
    none = dataclasses.replace(data, train=data.train.take(data.train.user_rows > 0))
    assert (updater.start(none, RunOptions())[0] == updater.arrays()["start"]).all()


def test_sequences_hold_the_last_events_in_time_order_cut_to_length():
    part = events([1, 0, 1, 1, 1, 1], [5, 9, 7, 6, 8, 4], [1, 0, 3, 2, 4, 0])
    sequences, owners = sequences_of(part, 3, np.random.default_rng(0), 4, 3)
    assert sequences.tolist() == [[9, -1, -1], [5, 6, 7], [8, -1, -1]]
    assert owners.tolist() == [0, 1, 1]


@pytest.mark.parametrize("times", [[3, 3, 3, 3, 3, 3], None])
def test_equal_times_carry_no_order(times):
    part = events([0] * 6, [0, 1, 2, 3, 4, 5], times)
    orders = {tuple(sequences_of(part, 1, np.random.default_rng(seed), 6, 6)[0][0]) for seed in range(20)}
    assert len(orders) > 10
    assert all(sorted(order) == [0, 1, 2, 3, 4, 5] for order in orders)


def test_a_large_catalogue_is_learned_from_samples(data, monkeypatch):
    monkeypatch.setattr(updater_gru, "FULL_SOFTMAX_ITEMS", 10)
    monkeypatch.setattr(updater_gru, "N_NEGATIVES", 20)
    updater = GruUpdater(GruUpdater.Config(**SMALL)).fit(data, RunOptions())
    result = evaluate_updates(updater, data, data.test, RunOptions())
    assert result["hit_rate@10"]["updated"] > result["hit_rate@10"]["frozen"] + 0.1


def test_without_a_validation_part_all_epochs_are_trained(data):
    refit = dataclasses.replace(data, validation=Interactions.empty(timed=True))
    updater = GruUpdater(GruUpdater.Config(**{**SMALL, "epochs": 2})).fit(refit, RunOptions())
    assert len(updater.history.epochs) == 2 and "validation" not in updater.history.epochs[-1]
