"""EASE over nearest items: the formula in plain loops, whole EASE where all items are near, and bounded pairs."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.models.encoders import ease_nearest, nearest
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.encoders.ease_nearest import EaseNearestEncoder, nearest_items
from grouprec.models.encoders.nearest import drawn
from grouprec.models.fitting import RunOptions
from tests.support.learning import over_popularity, shuffled


def fitted(data, **settings):
    return EaseNearestEncoder(EaseNearestEncoder.Config(**settings)).fit(data, RunOptions())


def weighted_data(n_users=40, n_items=15):
    """Weights of many sizes, so that no two similarities are equal."""
    data = planted(n_users=n_users, n_items=n_items, n_groups=3).data
    weights = np.random.default_rng(1).uniform(0.5, 4, len(data.train)).astype(np.float32)
    return replace(data, train=Interactions(data.train.user_rows, data.train.item_rows, weights, data.train.times))


@pytest.mark.parametrize("most_dense", [0, 10_000])  # pairs in a sparse matrix, and in a dense one
def test_weights_equal_the_formula_in_plain_loops(most_dense, monkeypatch):
    monkeypatch.setattr(nearest, "MOST_DENSE", most_dense)
    data = weighted_data()
    matrix = data.histories.toarray().astype(np.float64)
    gram = matrix.T @ matrix
    expected = np.zeros_like(gram)
    for item in range(data.n_items):
        cosine = gram[item] / np.sqrt(np.diag(gram) * gram[item, item])
        cosine[item] = -1
        near = [other for other in np.argsort(-cosine)[:5] if cosine[other] > 0]
        expected[item, near] = np.linalg.solve(gram[np.ix_(near, near)] + 7 * np.eye(len(near)), gram[near, item])
    found = fitted(data, l2=7, n_nearest=5, binary=False).items()
    assert sparse.issparse(found) and np.diff(found.indptr).max() <= 5
    assert np.allclose(found.toarray(), expected, atol=1e-4)


def test_it_is_whole_ease_where_every_item_is_near():
    data = planted(n_users=400, n_items=30, n_groups=2, ordered=False).data
    whole = EaseEncoder(EaseEncoder.Config(l2=50, tune_l2=False)).fit(data, RunOptions())
    near = fitted(data, l2=50, n_nearest=2000)
    assert (data.histories.T @ data.histories).toarray().all()  # every pair has a user
    assert np.allclose(near.items().toarray(), whole.items(), atol=1e-3)


def test_it_learns_planted_blocks():
    data = planted(ordered=False).data
    assert over_popularity(fitted(data), data) > 2 > over_popularity(fitted(shuffled(data)), data)


def test_reasons_add_up_to_the_score_also_on_a_fading_history():
    data = weighted_data()
    encoder = fitted(data, fade=2.0)
    recent = data.recent()
    parts = encoder.score_parts(data.histories, recent)
    scores = encoder.embeddings(data).scores(slice(None))
    starts = data.histories.indptr[:-1][np.diff(data.histories.indptr) > 0]
    with_items = np.diff(data.histories.indptr) > 0
    for item in range(data.n_items):
        assert np.allclose(np.add.reduceat(parts(item), starts), scores[with_items, item], atol=1e-4)


def test_what_was_learned_is_loaded():
    data = weighted_data()
    encoder = fitted(data)
    again = EaseNearestEncoder(encoder.config).load(encoder.arrays())
    assert (again.items() != encoder.items()).nnz == 0


@pytest.mark.parametrize("form", [np.array, sparse.csr_array])
def test_an_item_alone_has_no_neighbours(form):
    gram = form(np.array([[2, 1, 0], [1, 3, 0], [0, 0, 4]], np.float32))
    assert nearest_items(gram, 2).tolist() == [[1, -1], [0, -1], [-1, -1]]


@pytest.mark.parametrize("form", [np.array, sparse.csr_array])
def test_the_nearest_of_many_items_are_those_of_the_largest_cosines(form):
    vectors = np.random.default_rng(0).random((80, 60)).astype(np.float32)
    gram = vectors.T @ vectors
    lengths = np.sqrt(np.diag(gram))
    cosine = gram / np.outer(lengths, lengths) - 2 * np.eye(60)
    for n in (1, 7, 20, 58):
        expected = np.sort(np.argsort(-cosine, axis=1)[:, :n], axis=1)
        assert nearest_items(form(gram), n).tolist() == expected.tolist()


def test_work_grows_with_pairs_up_to_a_bound_and_with_items_and_memory_with_dense_pairs_or_those_there_are():
    work, memory = EaseNearestEncoder.work, EaseNearestEncoder.memory
    assert work(1000, 10, 10_000) == 10_000 * 10 / 50 + 10 * 20_000  # ten items of each of 1,000 users
    assert work(100, 10, 1_000_000) == work(10, 10, 1_000_000) == 1_000_000 + 10 * 20_000
    assert memory(7, 1000) == (1_600_000, 4_000_000) and memory(7, 16_000)[1] == 4 * 16_000**2
    assert memory(7, 16_001) == (1600 * 16_001, 12 * 5 * 10**7)


def test_progress_is_told_now_and_then(monkeypatch):
    monkeypatch.setattr(ease_nearest, "REPORTED", 6)
    seen = []
    run = RunOptions(on_progress=lambda fraction, values: seen.append((fraction, values)))
    EaseNearestEncoder().fit(weighted_data(), run)
    assert seen == [(0, {"items": 0}), (6 / 15, {"items": 6}), (12 / 15, {"items": 12})]


@pytest.mark.parametrize("most", [1, 5, 40, 400, 1200, 10_000])
def test_histories_are_drawn_until_pairs_are_few_enough(most):
    histories = sparse.csr_array((np.random.default_rng(0).random((30, 20)) < 0.4).astype(np.float32))
    found = drawn(histories, most, np.random.default_rng(1))
    counts = np.diff(found.indptr)
    assert (found.toarray() <= histories.toarray()).all()
    assert (counts == np.minimum(np.diff(histories.indptr), counts.max())).all()  # nobody loses more than others
    assert (counts**2).sum() <= max(most, np.count_nonzero(counts))
    longest = np.diff(histories.indptr).max()
    assert counts.max() == longest or (np.minimum(np.diff(histories.indptr), counts.max() + 1) ** 2).sum() > most
    if most == 10_000:
        assert (found != histories).nnz == 0
