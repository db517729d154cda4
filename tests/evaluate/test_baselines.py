import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

from grouprec.data.synthetic import planted
from grouprec.evaluate import baselines
from grouprec.evaluate.baselines import (
    everybody,
    history_groups,
    history_space,
    item_knn,
    item_similarity,
    own_frequency,
    popularity,
)
from grouprec.ranking.task import nothing

KNOWN = planted(n_users=90, n_items=60, n_groups=3)
HISTORIES = KNOWN.data.histories


def test_popularity_is_one_list_by_number_of_users():
    lists = popularity(HISTORIES, seed=0)
    owners = (HISTORIES.toarray() > 0).sum(axis=0)
    assert lists.strict.shape[0] == 1 and everybody(90).n_groups == 1
    assert owners[lists.strict[0]].tolist() == sorted(owners, reverse=True)[:50]


def test_item_knn_equals_the_dense_formula():
    owned = (HISTORIES.toarray() > 0).astype(float)
    norms = np.linalg.norm(owned, axis=0)
    cosine = owned.T @ owned / np.maximum(np.outer(norms, norms), 1e-12)
    np.fill_diagonal(cosine, 0)
    assert item_similarity(sparse.csr_array(owned), 60, seed=0).toarray() == pytest.approx(cosine, abs=1e-5)
    scores = np.where(owned > 0, -np.inf, owned @ cosine)
    found = item_knn(HISTORIES, HISTORIES, n_neighbours=60, n=10)
    assert found.scores == pytest.approx(-np.sort(-scores, axis=1)[:, :10], abs=1e-4)


def test_item_knn_keeps_the_nearest_neighbours_only():
    similarity = item_similarity((HISTORIES > 0).astype(np.float32), 7, seed=0)
    assert np.diff(similarity.indptr).max() <= 7
    full = item_similarity((HISTORIES > 0).astype(np.float32), 60, seed=0).toarray()
    assert similarity.max(axis=1).toarray().ravel() == pytest.approx(full.max(axis=1), abs=1e-6)


def test_item_knn_recommends_from_the_users_own_taste():
    found = item_knn(HISTORIES, HISTORIES, n=5)
    own = [np.isin(found.items[u], KNOWN.favourites[KNOWN.labels[u]]).any() for u in range(90)]
    assert np.mean(own) > 0.6  # a random item is a favourite in one of three cases, and most are seen already
    assert not np.isin(found.items[0], HISTORIES[[0]].indices).any()


def test_history_groups_find_the_planted_ones_and_repeat():
    groups = history_groups(HISTORIES, 3, seed=0)
    assert adjusted_rand_score(KNOWN.labels, groups.labels) > 0.95
    assert np.array_equal(groups.labels, history_groups(HISTORIES, 3, seed=0).labels)


def test_users_who_coincide_give_fewer_groups_and_none_empty():
    histories = sparse.csr_array(np.repeat([[1, 0], [0, 1]], 4, axis=0).astype(np.float32))
    with warnings.catch_warnings(action="error"):  # scikit-learn warns where more are asked for than there are places
        groups = history_groups(histories, 5, seed=0)
    assert groups.n_groups == 2 and (groups.sizes == 4).all()


def test_with_repeats_own_items_are_listed_too():
    found = item_knn(HISTORIES, nothing(HISTORIES.shape), n=5)
    assert found.scores.min() > 0
    own = (HISTORIES != 0).toarray()[np.arange(90)[:, None], found.items]
    assert own.mean() > 0.5  # a user's own items are alike


def test_own_frequency_lists_own_items_by_how_often_they_were_taken():
    histories = sparse.csr_array(np.array([[1, 0, 3, 2], [0, 0, 0, 5]], np.float32))
    found = own_frequency(histories, n=4)
    assert found.items[0, :3].tolist() == [2, 3, 0] and found.items[1, 0] == 3
    assert found.scores.tolist() == [[3, 2, 1, 0], [5, 0, 0, 0]]


def test_users_get_two_hundred_candidates_and_items_speak_for_a_hundred_neighbours():
    everything = np.ones((2, 202), np.float32)
    everything[1, 1:] = 0  # the second user has the first item only, to which all others are equally near
    histories = sparse.csr_array(everything)
    found = item_knn(histories, nothing(histories.shape))
    assert found.items.shape == (2, 200) and own_frequency(histories).items.shape == (2, 200)
    assert (found.scores[1] > 0).sum() == 100
    assert found.items.tolist() == item_knn(histories, nothing(histories.shape), seed=0).items.tolist()
    assert found.items.tolist() != item_knn(histories, nothing(histories.shape), seed=1).items.tolist()


def test_histories_count_as_yes_or_no():
    weighted = item_knn(HISTORIES * 3, HISTORIES, n=10)
    plain = item_knn((HISTORIES != 0).astype(np.float32), HISTORIES, n=10)
    assert weighted.items.tolist() == plain.items.tolist() and np.array_equal(weighted.scores, plain.scores)


def test_similarities_in_several_blocks_are_those_of_one(monkeypatch):
    owned = (HISTORIES != 0).astype(np.float32)
    whole = item_similarity(owned, 60, seed=0).toarray()
    monkeypatch.setattr(baselines, "rows_per_batch", lambda *_: 7)
    assert item_similarity(owned, 60, seed=0).toarray() == pytest.approx(whole)


def test_the_history_space_has_at_most_thirty_two_dimensions_and_no_more_than_items():
    assert history_space(HISTORIES, seed=0).shape == (90, 32)
    two = HISTORIES[:, :2]
    expected = TruncatedSVD(2, random_state=0).fit_transform(sparse.csr_array(normalize(two)))
    assert history_space(two, seed=0) == pytest.approx(expected, abs=1e-6)
    one = history_space(sparse.csr_array(np.array([[2.0], [0.0]])), seed=0)
    assert one.tolist() == [[1], [0]] and one.dtype == np.float64


def test_three_kinds_of_users_of_two_items_are_three_groups_and_a_given_space_is_used():
    histories = sparse.csr_array(np.repeat([[1, 0], [0, 1], [1, 1]], 4, axis=0).astype(np.float32))
    assert history_groups(histories, 3, seed=0).sizes.tolist() == [4, 4, 4]
    space = np.repeat([[0.0, 0.0], [1.0, 1.0]], 6, axis=0)
    groups = history_groups(histories, 3, seed=0, space=space)
    assert groups.sizes.tolist() == [6, 6] and len(set(groups.labels[:6].tolist())) == 1
