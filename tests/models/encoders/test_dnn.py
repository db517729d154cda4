"""The two towers: what is learned on planted data, what the vectors mean, and that no target leaks."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from grouprec.data.dataset import Interactions
from grouprec.data.preparing.rhythm import with_rhythm
from grouprec.data.synthetic import planted
from grouprec.models.encoders import dnn
from grouprec.models.encoders.dnn import DnnEncoder
from grouprec.models.fitting import RunOptions
from tests.support.learning import over_popularity, random_start, without_attributes, without_learning

SMALL = {
    "embedding_size": 16,
    "hidden_size": 16,
    "epochs": 8,
    "batch_size": 32,
    "n_negatives": 40,
    "learning_rate": 0.01,
}


@pytest.fixture(scope="module")
def data():
    return planted(ordered=False).data


@pytest.fixture(scope="module")
def encoder(data):
    return DnnEncoder(DnnEncoder.Config(**SMALL)).fit(data, RunOptions())


def epoch_of(data, **settings):
    config = DnnEncoder.Config(**{**SMALL, **settings})
    features = np.zeros((data.n_users, 0), np.float32)
    module = dnn._TwoTowers(np.zeros((data.n_items, 0), np.float32), 0, config)
    epoch = dnn._Epoch(module, data.histories, features, config, RunOptions())
    epoch.shuffled = np.arange(data.histories.nnz)
    return epoch


def test_dnn_beats_popularity_on_new_items(data, encoder):
    assert over_popularity(encoder, data, data.test) > 2


def test_dnn_learns_planted_tastes_where_its_start_knows_nothing(data):
    bare = without_attributes(data)
    with random_start(dnn._TwoTowers):
        learned = DnnEncoder(DnnEncoder.Config(**SMALL)).fit(bare, RunOptions())
        with without_learning():
            started = DnnEncoder(DnnEncoder.Config(**SMALL)).fit(bare, RunOptions())
    assert over_popularity(learned, bare, bare.test) > 2 > over_popularity(started, bare, bare.test)


def test_training_lowers_the_loss(encoder):
    losses = [values["loss"] for values in encoder.history.epochs]
    assert min(losses[-3:]) < losses[0] - 0.1


def test_weights_and_their_power_move_the_user_vector(data, encoder):
    even = sparse.csr_array(([1.0, 1.0], ([0, 0], [0, 119])), shape=(1, data.n_items), dtype=np.float32)
    uneven = sparse.csr_array(([9.0, 1.0], ([0, 0], [0, 119])), shape=(1, data.n_items), dtype=np.float32)
    nothing = pd.DataFrame(index=[0])
    assert not np.allclose(encoder.encode(even, nothing), encoder.encode(uneven, nothing))
    blind = DnnEncoder(DnnEncoder.Config(**SMALL, weight_power=0.0)).load(encoder.arrays())
    assert np.allclose(blind.encode(even, nothing), blind.encode(uneven, nothing))


def test_attributes_alone_lead_a_new_user_to_their_block(data):
    # Half of the users of a step come without a history: 240 users are few to learn four regions from a tenth.
    encoder = DnnEncoder(DnnEncoder.Config(**{**SMALL, "cold_share": 0.5})).fit(data, RunOptions())
    empty = sparse.csr_array((4, data.n_items), dtype=np.float32)
    attributes = pd.DataFrame({"region": [f"region {group}" for group in range(4)]})
    scores = encoder.encode(empty, attributes) @ encoder.items().T
    by_block = scores.reshape(4, 4, -1).mean(axis=2)  # [region, block of the catalogue]
    assert (by_block.argmax(axis=1) == np.arange(4)).all()


def test_embeddings_of_the_items_file_are_features_of_the_items(data):
    """Items of one block are nearer to one another where their vectors say so, from a random start."""
    bare = without_attributes(data)
    block = pd.factorize(data.item_attributes["category"])[0]
    vectors = np.eye(8, dtype=np.float32)[block]

    def own_block(given):
        seen = dataclasses.replace(bare, item_vectors=given)
        with random_start(dnn._TwoTowers):
            items = DnnEncoder(DnnEncoder.Config(**{**SMALL, "epochs": 3})).fit(seen, RunOptions()).items()[:, :-1]
        alike = items @ items.T
        same = block[:, None] == block
        return alike[same].mean() - alike[~same].mean()

    assert own_block(vectors) > 1.3 * own_block(None)


def test_embeddings_that_tell_nothing_change_no_bit(data, encoder):
    noise = np.random.default_rng(0).normal(size=(data.n_items, 16)).astype(np.float32)
    seen = DnnEncoder(DnnEncoder.Config(**SMALL)).fit(dataclasses.replace(data, item_vectors=noise), RunOptions())
    assert np.array_equal(seen.items(), encoder.items())


def test_a_target_is_not_in_the_history_that_predicts_it(data):
    epoch = epoch_of(data)
    items, weights, targets = epoch._split_histories(epoch.users)
    assert targets.any(axis=1).all()
    assert (weights[targets] == 0).all()
    for row in range(0, len(items), 40):
        assert not set(items[row][weights[row] > 0]) & set(items[row][targets[row]])


def test_a_user_with_one_item_learns_from_an_empty_history(data):
    rows = np.array([0], np.int32)
    single = dataclasses.replace(data, train=Interactions(rows, rows, np.ones(1, np.float32)))
    _, weights, targets = epoch_of(single)._split_histories(np.array([0]))
    assert targets.sum() == 1 and weights.sum() == 0


def test_the_loss_is_the_plain_softmax_where_all_items_are_candidates(data):
    epoch = epoch_of(data, n_negatives=data.n_items, dropout=0.0, history_dropout=0.0, max_history=1000)
    module = epoch.module.eval()
    state = epoch.rng.bit_generator.state
    loss = float(epoch._loss(epoch.users[:20]).detach())
    epoch.rng.bit_generator.state = state
    items, weights, targets = epoch._split_histories(epoch.users[:20])
    with torch.no_grad():
        bag = module.bag(torch.from_numpy(items), torch.from_numpy(weights))
        vectors = module.users(bag, torch.zeros(20, 0)).numpy()
        logits = vectors @ module.items(torch.arange(data.n_items)).numpy().T
    values = []
    for row in range(20):
        visible = set(items[row][weights[row] > 0])
        others = [item for item in range(data.n_items) if item not in visible]
        total = np.log(np.exp(logits[row, others]).sum())
        values += [total - logits[row, item] for item in items[row][targets[row]]]
    assert loss == pytest.approx(np.mean(values), abs=1e-4)


def test_without_a_validation_part_all_epochs_are_trained(data):
    refit = dataclasses.replace(data, validation=Interactions.empty(timed=True))
    encoder = DnnEncoder(DnnEncoder.Config(**{**SMALL, "epochs": 2})).fit(refit, RunOptions())
    assert len(encoder.history.epochs) == 2 and "validation" not in encoder.history.epochs[-1]


def test_data_without_any_attributes_can_be_encoded(data):
    nothing = pd.DataFrame()
    bare = dataclasses.replace(data, user_attributes=nothing, item_attributes=nothing, item_labels=data.item_ids)
    encoder = DnnEncoder(DnnEncoder.Config(**{**SMALL, "epochs": 1})).fit(bare, RunOptions())
    vectors = encoder.encode(data.histories, pd.DataFrame(index=range(data.n_users)))
    assert vectors.shape == (data.n_users, 17) and np.isfinite(vectors).all()


def with_times(data, times):
    return dataclasses.replace(data, train=dataclasses.replace(data.train, times=times))


def test_rhythm_is_the_share_of_events_per_weekday_and_part_of_day(data):
    rng = np.random.default_rng(0)
    monday = 4 * 86_400.0  # 5 January 1970
    morning = data.train.user_rows < 120
    times = monday + rng.integers(0, 50, len(data.train)) * 604_800 + np.where(morning, 8, 20) * 3600.0
    frame = with_rhythm(with_times(data, times)).user_attributes
    shares = frame.filter(like="share of events")
    assert np.allclose(shares.sum(axis=1), 2)  # weekdays and parts of the day, 1 each
    assert np.allclose(frame["share of events: Monday"], 1)
    assert frame["share of events: morning"][:120].min() > 0.8 > 0.2 > frame["share of events: morning"][120:].max()
    assert list(frame.columns[:2]) == ["region", "age"]


def test_a_user_without_events_has_the_mean_rhythm(data):
    rows = np.flatnonzero(data.train.user_rows != 5)
    frame = with_rhythm(dataclasses.replace(data, train=data.train.take(rows))).user_attributes
    days = np.floor(data.train.times[rows] / 86_400) % 7
    assert frame["share of events: Thursday"][5] == pytest.approx(np.mean(days == 0), abs=1e-6)


def test_data_without_times_have_no_rhythm(data):
    untimed = with_times(data, None)
    assert with_rhythm(untimed) is untimed


def test_context_tells_users_apart_by_when_they_act_and_works_without_it(data):
    bare = dataclasses.replace(data, user_attributes=pd.DataFrame())
    hour = np.where(np.arange(data.n_users) % 2, 8, 20) * 3600.0
    timed = with_times(bare, np.floor(data.train.times / 86_400) * 86_400 + hour[data.train.user_rows])
    encoder = DnnEncoder(DnnEncoder.Config(**{**SMALL, "epochs": 1, "context": True})).fit(timed, RunOptions())
    empty = sparse.csr_array((2, data.n_items), dtype=np.float32)
    vectors = encoder.encode(empty, with_rhythm(timed).user_attributes.iloc[[0, 1]])
    assert not np.allclose(vectors[0], vectors[1], atol=1e-3)
    unknown = encoder.encode(empty, pd.DataFrame(index=[0, 1]))
    assert np.isfinite(unknown).all() and np.array_equal(unknown[0], unknown[1])
    known = encoder.encode(timed.histories, with_rhythm(timed).user_attributes)
    assert np.array_equal(encoder.embeddings(timed).users, known)
