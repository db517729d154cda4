"""Matrix factorisation: its formula, its two losses, and one rule for users old and new."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.models.encoders import mf
from grouprec.models.encoders.linear import as_ones
from grouprec.models.encoders.mf import MfEncoder
from grouprec.models.fitting import RunOptions, load_module
from tests.support.learning import over_popularity, random_start, without_learning

SMALL = {"embedding_size": 16, "epochs": 6, "batch_size": 32, "learning_rate": 0.01}
LOSSES = ["squared", "ranking"]


@pytest.fixture(scope="module")
def data():
    return planted(ordered=False).data


@pytest.fixture(scope="module", params=LOSSES)
def encoder(data, request):
    return MfEncoder(MfEncoder.Config(**SMALL, loss=request.param)).fit(data, RunOptions())


def epoch_of(data, **settings):
    """Return an epoch, its weights away from their start, that leaves nothing of a history out."""
    config = MfEncoder.Config(embedding_size=6, history_dropout=0.0, **settings)
    module, rng = mf._Factors(data.n_items, config), np.random.default_rng(0)
    weights = {name: rng.normal(0, 0.4, value.shape) for name, value in module.named_parameters()}
    load_module(lambda: module, {name: value.astype(np.float32) for name, value in weights.items()})
    return mf._Epoch(module, as_ones(data.histories), config, RunOptions()), weights


def naive_score(weights, history, item, power=0.5):
    """Return w . (p_u * q_i) + b_i, with p_u from the items of the history."""
    user = sum((weights["history"][other] for other in history), np.zeros(6)) / max(len(history), 1) ** power
    return weights["linear"] @ (user * weights["candidate"][item]) + weights["bias"][item]


def test_mf_beats_popularity_on_new_items(data, encoder):
    assert over_popularity(encoder, data, data.test) > 2


@pytest.mark.parametrize("loss", LOSSES)
def test_mf_learns_planted_tastes_where_its_start_knows_nothing(data, loss):
    with random_start(mf._Factors):
        learned = MfEncoder(MfEncoder.Config(**SMALL, loss=loss)).fit(data, RunOptions())
        with without_learning():
            started = MfEncoder(MfEncoder.Config(**SMALL, loss=loss)).fit(data, RunOptions())
    assert over_popularity(learned, data, data.test) > 2 > over_popularity(started, data, data.test)


def test_training_lowers_the_loss(encoder):
    losses = [values["loss"] for values in encoder.history.epochs]
    assert losses[-1] < 0.95 * losses[0]


def test_scores_are_the_linear_layer_on_the_product_of_the_vectors(data):
    encoder = MfEncoder(MfEncoder.Config(embedding_size=6, epochs=1)).fit(data, RunOptions())
    scores = encoder.embeddings(data).scores(slice(0, 3))
    for user in range(3):
        history = np.flatnonzero(data.histories[[user]].toarray()[0])
        expected = [naive_score(encoder.arrays(), history, item) for item in range(data.n_items)]
        assert np.allclose(scores[user], expected, atol=1e-4)


def test_the_squared_loss_counts_every_item_and_predicts_an_own_one_from_the_others():
    data = planted(n_users=6, n_items=15, n_groups=3, events_per_user=8).data
    epoch, weights = epoch_of(data, zero_weight=0.3)
    total = 0.0
    for row in data.histories.toarray():
        history = set(np.flatnonzero(row))
        for item in range(data.n_items):
            error = (item in history) - naive_score(weights, history - {item}, item)
            total += error**2 if item in history else 0.3 * error**2
    assert epoch._loss(epoch.seen).item() == pytest.approx(total / data.histories.nnz, rel=1e-4)


def test_the_ranking_loss_is_the_softmax_among_items_the_user_does_not_have():
    data = planted(n_users=6, n_items=15, n_groups=3, events_per_user=8).data
    epoch, weights = epoch_of(data, loss="ranking", n_negatives=15)
    losses = []
    for row in data.histories.toarray():
        history = set(np.flatnonzero(row))
        rest = sum(np.exp(naive_score(weights, history, item)) for item in range(data.n_items) if item not in history)
        for item in history:
            found = np.exp(naive_score(weights, history - {item}, item))
            losses.append(-np.log(found / (found + rest)))
    assert epoch._loss(epoch.seen).item() == pytest.approx(np.mean(losses), rel=1e-4)


def test_sampled_negatives_stand_for_the_whole_catalogue(data):
    whole, _ = epoch_of(data, loss="ranking", n_negatives=data.n_items)
    sample, _ = epoch_of(data, loss="ranking", n_negatives=30)
    losses = [sample._loss(sample.seen[:40]).item() for _ in range(40)]
    assert np.std(losses) > 0
    assert np.mean(losses) == pytest.approx(whole._loss(whole.seen[:40]).item(), abs=0.1)


def test_a_new_user_gets_the_vector_of_a_known_one_with_the_same_history(data, encoder):
    known = encoder.embeddings(data).users[[5]]
    stranger = encoder.encode(data.histories[[5]], pd.DataFrame(index=["nobody"]))
    assert np.array_equal(known, stranger)


def test_how_often_a_user_took_an_item_does_not_move_the_vector(data, encoder):
    once = as_ones(data.histories[:4])
    assert np.array_equal(
        encoder.encode(once, pd.DataFrame(index=range(4))), encoder.encode(once * 7, pd.DataFrame(index=range(4)))
    )


def test_a_user_without_history_is_ranked_by_the_bias(data, encoder):
    scores = encoder.encode(sparse.csr_array((1, data.n_items), dtype=np.float32), pd.DataFrame(index=[0]))
    assert np.allclose(scores @ encoder.items().T, encoder.arrays()["bias"])


def test_without_a_validation_part_all_epochs_are_trained(data):
    refit = dataclasses.replace(data, validation=Interactions.empty(timed=True))
    encoder = MfEncoder(MfEncoder.Config(**{**SMALL, "epochs": 2})).fit(refit, RunOptions())
    assert len(encoder.history.epochs) == 2 and "validation" not in encoder.history.epochs[-1]
