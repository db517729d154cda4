"""The GRU updater: one step per event, what it learns, and that equal times carry no order."""

import dataclasses

import numpy as np
import pytest
import torch

from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.evaluate.updates import evaluate_updates
from grouprec.models.fitting import RunOptions
from grouprec.models.updaters import gru
from grouprec.models.updaters.gru import FEW, MEMORY, GruUpdater, sequences_of
from grouprec.models.updaters.neighbours import neighbours_of
from tests.support.learning import without_learning

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


def before_any_event(updater):
    return np.append(updater.arrays()["start"], np.full(MEMORY, -1, np.float32))


def plain(updater, states, weight, repeats):
    """The prediction of one state, written out from the learned arrays."""
    learned = updater.arrays()
    taste = np.exp(learned["embedding.weight"] @ states[:-MEMORY] + learned["bias.weight"][:, 0])
    near = np.zeros(len(taste))
    for age, item in enumerate(states[: -MEMORY - 1 : -1].astype(int)):
        if item >= 0:
            np.add.at(near, learned["near_items"][item], 0.9**age * learned["near_values"][item])
    chances = taste / taste.sum()
    if near.sum():
        chances = (1 - weight) * chances + weight * near / near.sum()
    remembered = np.isin(np.arange(len(taste)), states[-MEMORY:].astype(int))
    mixed = np.where(remembered, repeats, 1) * chances + 3 / len(taste)
    return mixed / mixed.sum()


def test_updated_states_beat_frozen_ones_and_popularity(data, updater):
    with without_learning():
        started = GruUpdater(GruUpdater.Config(**{**SMALL, "epochs": 1})).fit(data, RunOptions())
    result, start = (evaluate_updates(one, data, data.test, RunOptions()) for one in (updater, started))
    counts = np.bincount(data.train.item_rows, minlength=data.n_items)
    popular = np.isin(data.test.item_rows, np.argsort(-counts)[:10]).mean()
    assert result["ndcg@10"]["updated_over_frozen_interval"][0] > 1.3
    assert start["ndcg@10"]["updated_over_frozen_interval"][1] < 1.3, "neighbours alone, which nobody trains"
    assert result["ndcg@10"]["updated"] > 1.5 * start["ndcg@10"]["updated"]
    assert result["hit_rate@10"]["updated"] > 2 * popular


def test_two_events_at_once_equal_one_after_the_other(data, updater):
    states = updater.start(data, RunOptions())[:5]
    first, second = np.array([1, 2, 3, 4, 5]), np.array([6, 7, 8, 9, 0])
    stepwise = updater.update(updater.update(states, first), second)
    module = updater.module
    with torch.no_grad():
        items = torch.from_numpy(np.stack([first, second], axis=1))
        _, together = module.gru(module.embedding(items), torch.from_numpy(states[:, :-MEMORY].copy())[None])
    assert np.allclose(stepwise[:, :-MEMORY], together[0].numpy(), atol=1e-6)
    assert np.array_equal(stepwise[:, -MEMORY:], np.column_stack([states[:, 2 - MEMORY :], first, second]))


@pytest.mark.parametrize("repeats", [0.3, 1.0, 3.0])
def test_few_vectors_are_moved_and_read_as_many_are(data, updater, repeats):
    learned = {**updater.arrays(), "mixture": np.array([0.7, repeats])}
    again = GruUpdater(GruUpdater.Config(**SMALL)).load(learned)
    # Nothing, one item, one item twice, and full memories.
    none = np.repeat(before_any_event(updater)[None], 4, axis=0)
    once = again.update(none, np.array([5, 5, 59, 0]))
    states = np.concatenate([none, once, again.update(once, np.array([5, 5, 1, 1])), again.start(data, RunOptions())])
    items = np.arange(len(states)) % data.n_items
    moved, chances = again.update(states, items), again.chances(states)
    for first in range(0, len(states), 3):
        few = slice(first, first + 3)
        assert np.allclose(again.update(states[few], items[few]), moved[few], atol=1e-6)
        assert np.allclose(again.chances(states[few]), chances[few], rtol=1e-5, atol=0)
    assert len(states) > FEW and moved.dtype == again.update(states[:1], items[:1]).dtype == np.float32


def test_a_second_fit_forgets_the_first(data, updater):
    again = GruUpdater(GruUpdater.Config(**{**SMALL, "epochs": 1}))
    fewer = dataclasses.replace(data, validation=Interactions.empty(timed=True))
    states = updater.start(data, RunOptions())[:2]
    first = again.fit(fewer, RunOptions(seed=1)).chances(states)
    assert not np.allclose(again.fit(fewer, RunOptions(seed=2)).chances(states), first, rtol=1e-3)


def test_start_is_the_replay_of_the_training_events(data, updater):
    states = updater.start(data, RunOptions())
    sequences, owners = sequences_of(data.train, data.n_users, np.random.default_rng(0), 400, 400)
    expected = np.repeat(before_any_event(updater)[None], data.n_users, axis=0)
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
    assert (updater.start(none, RunOptions())[0] == before_any_event(updater)).all()


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
    monkeypatch.setattr(gru, "FULL_SOFTMAX_ITEMS", 10)
    monkeypatch.setattr(gru, "N_NEGATIVES", 20)
    updater = GruUpdater(GruUpdater.Config(**SMALL)).fit(data, RunOptions())
    result = evaluate_updates(updater, data, data.test, RunOptions())
    assert result["ndcg@10"]["updated_over_frozen_interval"][0] > 1.2


def test_of_many_users_an_epoch_reads_some(data, monkeypatch):
    monkeypatch.setattr(gru, "EPOCH_USERS", 30)
    read, sequences_of = [], gru.sequences_of
    monkeypatch.setattr(gru, "sequences_of", lambda part, *more: read.append(part) or sequences_of(part, *more))
    GruUpdater(GruUpdater.Config(**SMALL | {"epochs": 2})).fit(data.without_validation(), RunOptions())
    drawn = [set(part.user_rows.tolist()) for part in read]
    assert [len(users) for users in drawn] == [30, 30] and drawn[0] != drawn[1]


def test_without_a_validation_part_all_epochs_are_trained(data):
    refit = dataclasses.replace(data, validation=Interactions.empty(timed=True))
    updater = GruUpdater(GruUpdater.Config(**{**SMALL, "epochs": 2})).fit(refit, RunOptions())
    assert len(updater.history.epochs) == 2 and "validation" not in updater.history.epochs[-1]


@pytest.mark.parametrize(("weight", "repeats"), [(0.7, 0.3), (0.0, 1.0)])
def test_chances_are_the_mixture_of_taste_and_neighbours(data, weight, repeats):
    refit = dataclasses.replace(data, validation=Interactions.empty(timed=True))
    config = GruUpdater.Config(**{**SMALL, "epochs": 1}, neighbour_weight=weight, repeats=repeats)
    updater = GruUpdater(config).fit(refit, RunOptions())
    states = np.stack([updater.start(data, RunOptions())[3], before_any_event(updater)])
    expected = [plain(updater, state, weight, repeats) for state in states]
    assert np.allclose(updater.chances(states), expected, atol=1e-6)
    many = np.repeat(states, FEW, axis=0)
    assert np.allclose(updater.chances(many), np.repeat(expected, FEW, axis=0), atol=1e-6)


def test_neighbours_are_taken_at_the_same_time():
    # Items 0 and 1 are bought together three times, 0 and 2 by the same people on other days, 3 by somebody else.
    users, items = [0, 0, 0, 1, 1, 1, 2, 2, 2, 3], [0, 1, 2, 1, 0, 2, 0, 1, 2, 3]
    part = events(users, items, [1, 1, 2, 1, 1, 2, 1, 1, 2, 1])
    near_items, near_values = neighbours_of(part, 4, np.random.default_rng(0))
    assert near_items[0, :2].tolist() == [1, 2] and near_values[0, 0] == pytest.approx(3 / 3.3)
    assert near_values[0, 1] == pytest.approx(0.3 / np.sqrt(3.3 * 0.6))
    assert (near_values[3] == 0).all()


def test_users_who_never_repeat_are_shown_nothing_they_just_took():
    walk = planted(n_users=160, n_items=160, n_groups=2, noise=0.0, ordered=True).data
    updater = GruUpdater(GruUpdater.Config(**{**SMALL, "epochs": 2})).fit(walk, RunOptions())
    assert updater.decided["repeats"] < 1


def test_the_mixture_is_the_best_on_validation_and_a_refit_keeps_it(data, updater):
    chosen = updater.decided["neighbour_weight"], updater.decided["repeats"]
    best, *others = gru._Replay(updater, data, RunOptions()).values([chosen, (0.0, 1.0), (0.6, 1.0), (0.97, 1.0)])
    assert best >= max(others) and best > min(others)
    refit = dataclasses.replace(data, validation=Interactions.empty(timed=True))
    config = GruUpdater.Config(**{**SMALL, "epochs": 1}).model_copy(update=updater.decided)
    assert GruUpdater(config).fit(refit, RunOptions()).arrays()["mixture"].tolist() == list(chosen)


def test_loading_gives_the_same_chances(data, updater):
    again = GruUpdater(GruUpdater.Config(**SMALL)).load(updater.arrays())
    states = updater.start(data, RunOptions())
    assert np.array_equal(again.chances(states), updater.chances(states))
