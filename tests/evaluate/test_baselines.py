import numpy as np
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from grouprec.data.synthetic import planted
from grouprec.evaluate.baselines import (
    everybody,
    history_groups,
    item_knn,
    item_similarity,
    kmeans_baselines,
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
    groups = history_groups(histories, 5, seed=0)
    assert groups.n_groups == 2 and (groups.sizes == 4).all()


def test_kmeans_baselines_list_what_their_groups_like():
    candidates = item_knn(HISTORIES, HISTORIES)
    groups, lists = kmeans_baselines(HISTORIES, {"ease": candidates}, 3, seed=0, seen=HISTORIES)
    assert set(lists) == {"kmeans_popularity", "kmeans_mean_ease"}
    for group in range(3):
        planted_group = np.bincount(KNOWN.labels[groups.labels == group]).argmax()
        assert np.isin(lists["kmeans_popularity"].strict[group, :10], KNOWN.favourites[planted_group]).all()


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
