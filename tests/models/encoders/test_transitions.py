"""Item transitions: the formula against plain loops, what follows what, and how loud the latest items are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Embeddings
from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.synthetic import planted
from grouprec.models.base import PRESETS
from grouprec.models.encoders import transitions
from grouprec.models.encoders.transitions import HALF_LIVES, TransitionsEncoder
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import NewItemTask
from tests.support.learning import over_popularity, shuffled


def fitted(data, **settings):
    return TransitionsEncoder(TransitionsEncoder.Config(**settings)).fit(data, RunOptions())


def walks(*histories, n_items=6):
    """Return users who took these items, in this order and one a day."""
    users = np.repeat(np.arange(len(histories), dtype=np.int32), [len(one) for one in histories])
    items = np.concatenate([np.array(one, np.int32) for one in histories])
    days = np.concatenate([np.arange(len(one), dtype=float) for one in histories])
    train = Interactions(users, items, np.ones(len(items), np.float32), days * 86_400)
    nothing = Interactions.empty(timed=True)
    user_ids, item_ids = (np.array([f"{n}" for n in range(size)], object) for size in (len(histories), n_items))
    return Dataset("walks", "walks", user_ids, item_ids, train, nothing, nothing, item_labels=item_ids)


def scores_after(encoder, recent):
    """Return the scores of all items for one user who took these items last."""
    empty = sparse.csr_array((1, len(encoder.items().indptr) - 1), dtype=np.float32)
    users = encoder.encode(empty, pd.DataFrame(index=[0]), np.array([recent], np.int32))
    return Embeddings(users, encoder.items()).scores(slice(None))[0]


def naive_rules(data, window):
    """Return the weight of every rule, float [earlier, later], by loops over users and pairs of their events."""
    rules, takers = np.zeros((data.n_items, data.n_items)), np.zeros(data.n_items)
    for user in range(data.n_users):
        rows = np.flatnonzero(data.train.user_rows == user)
        items = data.train.item_rows[rows[np.argsort(data.train.times[rows])]]
        takers[np.unique(items)] += 1
        for first in range(len(items)):
            for second in range(first + 1, min(first + window + 1, len(items))):
                rules[items[first], items[second]] += 1 / (second - first)
    return rules / (takers + 5)[:, None] / np.sqrt(np.maximum(takers, 1))


@pytest.mark.parametrize("window", [1, 3, 30])
def test_rules_and_scores_equal_the_formula_in_plain_loops(window):
    data = planted(n_users=30, n_items=15, n_groups=3, events_per_user=12).data
    encoder = fitted(data, window=window, half_life=4.0, tune=False)
    rules = naive_rules(data, window)
    assert rules.any() and np.allclose(encoder.items().toarray(), rules.T, atol=1e-6)
    scores = encoder.embeddings(data).scores(slice(None))
    for user in range(data.n_users):
        recent = [item for item in data.recent()[user] if item >= 0]
        loudness = [0.5 ** ((len(recent) - 1 - place) / 4) for place in range(len(recent))]
        expected = sum(loud * rules[item] for loud, item in zip(loudness, recent, strict=True))
        assert np.allclose(scores[user], expected, atol=1e-5)


def test_an_item_speaks_for_what_came_after_it_and_not_for_what_came_before():
    encoder = fitted(walks([0, 1, 2], [0, 1, 2], [0, 1, 2]), tune=False)
    scores = scores_after(encoder, [1])
    assert scores.argmax() == 2 and scores[2] > 0 and scores[0] == 0
    near, far = scores_after(encoder, [0])[[1, 2]]
    assert near == pytest.approx(2 * far) and far > 0


def test_the_latest_item_speaks_loudest_and_one_a_half_life_earlier_half_as_loud():
    encoder = fitted(walks([0, 1], [2, 3]), tune=False, half_life=2.0)
    assert scores_after(encoder, [2, 0]).argmax() == 1
    assert scores_after(encoder, [0, 2]).argmax() == 3
    early, late = scores_after(encoder, [0, 5, 2])[[1, 3]]
    assert late == pytest.approx(2 * early) and late > 0


def test_without_an_order_all_items_of_a_history_speak_alike():
    data = walks([0, 1], [2, 3])
    histories = sparse.csr_array(np.array([[9, 0, 1, 0, 0, 0]], np.float32))
    encoder = fitted(data, tune=False)
    users = encoder.encode(histories, pd.DataFrame(index=[0]))
    scores = Embeddings(users, encoder.items()).scores(slice(None))[0]
    assert scores[1] == pytest.approx(scores[3]) and scores[1] > 0


def test_transitions_follow_a_planted_walk_and_nothing_else():
    data = planted().data
    assert over_popularity(fitted(data), data) > 8
    assert over_popularity(fitted(shuffled(data)), data) < 2
    items, block = fitted(data, tune=False).items(), data.n_items // 4
    inner = [item for item in range(data.n_items) if item % block < block - 1]
    best = np.asarray(items.tocsc()[:, inner].argmax(axis=0)).ravel()
    assert np.mean(best == np.array(inner) + 1) > 0.9


def test_tuning_keeps_the_half_life_with_the_best_validation_value():
    data = planted(n_users=80, n_items=40, noise=0.4).data
    encoder, task = fitted(data), NewItemTask.sample(data, RunOptions().rng("transitions validation"))
    values = {}
    for half_life in HALF_LIVES:
        one = fitted(data, half_life=half_life, tune=False)
        users = one.encode(task.histories, task.attributes, task.recent)
        values[half_life] = task.ndcg(Embeddings(users, one.items()))
    assert values[encoder.half_life] == max(values.values()) and len(set(values.values())) > 1
    assert encoder.decided == {"half_life": encoder.half_life, "tune": False}


@pytest.mark.parametrize("preset", PRESETS)
def test_where_only_the_last_item_says_what_follows_every_preset_hears_it_alone(preset):
    rng = np.random.default_rng(0)
    following, histories = rng.permutation(40), []
    for _ in range(300):
        one = [int(rng.integers(40))]
        while len(one) < 12:
            one.append(int(following[one[-1]]) if rng.random() < 0.6 else int(rng.integers(40)))
        histories.append(one)
    whole = walks(*histories, n_items=40)
    late = np.tile(np.arange(12) >= 11, 300)
    data = replace(whole, train=whole.train.take(~late), validation=whole.train.take(late))
    encoder = TransitionsEncoder(TransitionsEncoder.Config.for_preset(preset)).fit(data, RunOptions())
    assert encoder.half_life <= 1.0


def test_without_a_validation_part_the_given_half_life_is_used():
    assert fitted(walks([0, 1, 2]), half_life=7.0).half_life == 7.0


def test_only_the_strongest_rules_of_an_item_are_kept():
    data = planted(n_users=60, n_items=30).data
    few = fitted(data, n_rules=4, tune=False).items().toarray()
    rules = fitted(data, tune=False).items().toarray()
    assert (np.count_nonzero(few, axis=0) == 4).all()
    assert np.allclose(np.sort(few, axis=0)[-4:], np.sort(rules, axis=0)[-4:])


def test_rules_made_of_a_few_items_at_a_time_are_the_same(monkeypatch):
    data = planted(n_users=60, n_items=30).data
    at_once = fitted(data, n_rules=4, tune=False).items().toarray()
    sizes, made = [], transitions.largest_entries
    monkeypatch.setattr(transitions, "largest_entries", lambda rules, n: sizes.append(rules.shape[0]) or made(rules, n))
    monkeypatch.setattr(transitions, "PAIRS", 5000)
    assert (fitted(data, n_rules=4, tune=False).items().toarray() == at_once).all()
    assert len(sizes) > 3 and sum(sizes) == data.n_items


@pytest.mark.parametrize("least", [0, 10**9])
def test_rules_are_the_same_whether_sums_of_few_pairs_are_held_densely_or_not(monkeypatch, least):
    data = planted(n_users=60, n_items=1500, n_groups=3).data
    rules = fitted(data, n_rules=8, tune=False).items().toarray()
    monkeypatch.setattr(transitions, "SPARSE", least)
    monkeypatch.setattr(transitions, "EVENTS", 7)
    other = fitted(data, n_rules=8, tune=False).items().toarray()
    assert np.count_nonzero(rules) and np.allclose(np.sort(other, axis=0), np.sort(rules, axis=0), rtol=1e-6)


def test_a_single_event_makes_no_rule():
    assert fitted(walks([2]), tune=False).items().nnz == 0


def test_items_and_users_without_rows_score_zero():
    data = planted(n_users=40, n_items=15, n_groups=3).data
    without = replace(data, train=data.train.take(data.train.item_rows != 4))
    encoder = fitted(without, tune=False)
    scores = encoder.embeddings(without).scores(slice(None))
    assert np.isfinite(scores).all() and (scores[:, 4] == 0).all()
    nobody = np.full((2, 50), -1, np.int32)
    assert encoder.encode(sparse.csr_array((2, 15), dtype=np.float32), pd.DataFrame(), nobody).nnz == 0
