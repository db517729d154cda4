import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from grouprec.core.types import Candidates, Embeddings
from grouprec.data.synthetic import planted
from grouprec.ranking.candidates import (
    best_unseen,
    best_values,
    find_candidates,
    make_preference,
    place_preference,
    promising,
    rank_top,
    scaled,
    taste,
)


def random_embeddings(n_users=30, n_items=40, size=6, seed=0):
    rng = np.random.default_rng(seed)
    return Embeddings(
        rng.normal(size=(n_users, size)).astype(np.float32), rng.normal(size=(n_items, size)).astype(np.float32)
    )


def test_rank_top_by_hand():
    scores = np.array([[0.5, -np.inf, 2.0, -1.0], [-np.inf, -np.inf, -np.inf, -3.0]], np.float32)
    items, best = rank_top(scores, 3, seed=0)
    assert items.dtype == np.int32 and best.dtype == np.float32
    assert items.tolist() == [[2, 0, 3], [3, -1, -1]]
    assert best.tolist() == [[2.0, 0.5, -1.0], [-3.0, 0.0, 0.0]]


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 5), st.integers(1, 9)), elements=st.sampled_from([-2, -0.0, 0, 1, 3])
    ),
    st.integers(1, 12),
)
@settings(max_examples=60)
def test_rank_top_agrees_with_a_full_sort(scores, n):
    items, best = rank_top(scores, n, seed=3)
    depth = min(n, scores.shape[1])
    assert np.array_equal(best[:, :depth], -np.sort(-scores, axis=1)[:, :depth])
    assert np.array_equal(np.take_along_axis(scores, items[:, :depth], axis=1), best[:, :depth])
    assert (items[:, depth:] == -1).all()
    assert all(len(set(row)) == depth for row in items[:, :depth].tolist())


@pytest.mark.parametrize("shares", [(0.0, 0.0), (0.9, 0.0), (0.999, 0.0), (0.5, 0.49), (0.0, 1.0)])
def test_the_best_of_many_columns_are_those_of_a_full_sort(shares):
    """Shares of zeros and of what may not be listed; few of a row are then looked at twice."""
    rng = np.random.default_rng(0)
    zeros, forbidden = shares
    scores = rng.normal(size=(6, 20_000)).astype(np.float32)
    scores[rng.random(scores.shape) < zeros] = 0
    scores[rng.random(scores.shape) < forbidden] = -np.inf
    for n in (1, 10, 200):
        items, best = rank_top(scores, n, seed=3)
        expected = -np.sort(-scores, axis=1)[:, :n]
        assert np.array_equal(best, np.where(expected > -np.inf, expected, 0))
        assert np.array_equal(items, rank_top(scores, 3000, seed=3)[0][:, :n])  # so many are sorted all
        assert np.array_equal(-np.sort(-best_values(scores, n), axis=1), expected)


def test_of_many_columns_few_are_looked_at_twice():
    scores = np.random.default_rng(0).normal(size=(50, 20_000)).astype(np.float32)
    able = promising(scores, 100)
    assert able is not None
    row, _, place, width = able
    assert np.bincount(row).min() >= 100 and width == place.max() + 1 < 200
    assert promising(np.zeros_like(scores), 100) is None and promising(scores[:, :1000], 100) is None


def test_a_shorter_list_begins_the_longer_one_even_with_ties():
    scores = np.random.default_rng(0).integers(0, 3, (20, 60)).astype(np.float32)
    assert np.array_equal(rank_top(scores, 30, seed=1)[0][:, :10], rank_top(scores, 10, seed=1)[0])


def test_ties_follow_the_seed_and_not_the_column():
    scores = np.zeros((1, 50), np.float32)
    first = [int(rank_top(scores, 1, seed)[0][0, 0]) for seed in range(60)]
    assert len(set(first)) > 20
    assert np.array_equal(rank_top(scores, 50, 7)[0], rank_top(scores, 50, 7)[0])


def test_zero_and_minus_zero_are_a_tie():
    zeros = np.zeros((1, 50), np.float32)
    mixed = np.where(np.arange(50) % 2, zeros, -zeros)
    assert np.array_equal(rank_top(mixed, 50, 7)[0], rank_top(zeros, 50, 7)[0])


def test_candidates_are_the_best_unseen_items_whatever_the_batch():
    embeddings = random_embeddings()
    seen = sparse.csr_array((np.random.default_rng(1).random((30, 40)) < 0.3).astype(np.float32))
    found = find_candidates(embeddings, seen, n=10, batch_size=7)
    scores = np.where(seen.toarray() > 0, -np.inf, embeddings.users @ embeddings.items.T)
    assert np.array_equal(found.items, np.argsort(-scores, axis=1)[:, :10])
    assert np.array_equal(find_candidates(embeddings, seen, n=10).items, found.items)


def test_users_get_two_hundred_candidates():
    seen = sparse.csr_array((2, 205), dtype=np.float32)
    found = best_unseen(lambda rows: np.tile(np.arange(205, dtype=np.float32), (2, 1)), seen)
    assert found.items.tolist() == [list(range(204, 4, -1))] * 2
    assert find_candidates(random_embeddings(n_users=2, n_items=205), seen).items.shape == (2, 200)


def test_candidates_of_a_short_catalogue_end_with_nothing():
    embeddings = random_embeddings(n_users=2, n_items=5)
    seen = sparse.csr_array(np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], np.float32))
    found = find_candidates(embeddings, seen)
    assert found.items.shape == (2, 5)
    assert sorted(found.items[0, :2].tolist()) == [3, 4]
    assert (found.items[0, 2:] == -1).all() and (found.items[1] == -1).all() and (found.scores[1] == 0).all()


def test_users_without_a_history_get_the_fallback():
    histories = sparse.csr_array(np.array([[0, 0, 0, 0], [1, 0, 0, 0]], np.float32))
    vectors = np.array([[0, 0, 0, 0], [0.1, 0, 0, 0], [0.9, 0, 0, 0], [0.5, 0, 0, 0]], np.float32)
    embeddings = Embeddings(histories, vectors)
    for popular in ([1, 0, 2, 3], [3, 2, 1, 0]):  # equal scores would be ranked in one order, whatever is popular
        popularity = np.empty(4, np.float32)
        popularity[popular] = [0.7, 0.2, 0.1, 0.05]
        found = find_candidates(embeddings, histories, fallback=popularity)
        assert found.items[0].tolist() == popular
        assert found.items[1].tolist() == [2, 3, 1, -1]


def test_taste_is_the_lead_over_the_middle_candidate_at_length_one():
    candidates = Candidates(
        np.array([[2, 0, 1, 3], [1, 3, -1, -1], [0, 1, 2, 3]], np.int32),
        np.array([[-1, -2, -5, -6], [2, 1, 0, 0], [7, 7, 7, 7]], np.float32),
        n_items=4,
    )
    expected = [[0.6, 0, 0.8, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert taste(candidates).toarray() == pytest.approx(np.array(expected))
    assert candidates.scores[0].tolist() == [-1, -2, -5, -6]


def test_taste_knows_no_scale_and_no_zero_point():
    candidates = find_candidates(random_embeddings(), sparse.csr_array((30, 40), dtype=np.float32))
    other = Candidates(candidates.items, candidates.scores * 3 - 100, 40)
    assert taste(other).toarray() == pytest.approx(taste(candidates).toarray(), abs=1e-4)


def test_taste_keeps_fifty_leaders_of_a_long_list():
    embeddings = random_embeddings(n_users=3, n_items=300)
    candidates = find_candidates(embeddings, sparse.csr_array((3, 300), dtype=np.float32))
    assert np.array_equal(np.diff(taste(candidates).indptr), [50, 50, 50])
    assert set(taste(candidates)[[0]].indices) == set(candidates.items[0, :50].tolist())


def test_groups_of_users_are_recovered_from_the_preference_space():
    known = planted(n_users=80, n_items=160, n_groups=3)
    histories = known.data.histories
    gram = (histories.T @ histories).toarray()
    candidates = find_candidates(Embeddings(histories, gram.astype(np.float32)), histories, n=40)
    preference = make_preference(candidates, size=8)
    assert preference.space.shape == (80, 8) and preference.space.dtype == np.float32
    assert preference.components.shape == (160, 8) and preference.components.dtype == np.float32
    labels = KMeans(3, n_init=3, random_state=0).fit_predict(preference.space)
    assert adjusted_rand_score(known.labels, labels) > 0.8
    again = place_preference(candidates.take(np.arange(5)), preference)
    assert again.space == pytest.approx(preference.space[:5], abs=1e-6)


@pytest.mark.parametrize(("n_users", "n_items"), [(1, 1), (1, 6), (6, 1), (2, 2), (5, 3)])
def test_tiny_catalogues_have_a_space_too(n_users, n_items):
    embeddings = random_embeddings(n_users, n_items)
    seen = sparse.csr_array((n_users, n_items), dtype=np.float32)
    preference = make_preference(find_candidates(embeddings, seen))
    assert preference.space.shape[0] == n_users and np.isfinite(preference.space).all()
    assert preference.space.shape[1] == preference.components.shape[1] <= max(1, min(n_users, n_items) - 1)


def test_users_without_preferences_lie_at_the_origin():
    candidates = find_candidates(random_embeddings(6, 8), sparse.csr_array((6, 8), dtype=np.float32), n=4)
    candidates.items[2], candidates.scores[2] = -1, 0
    preference = make_preference(candidates, size=3)
    assert (preference.space[2] == 0).all() and (np.abs(preference.space[[0, 1, 3]]).sum(axis=1) > 0).all()


def test_scaled_candidates_are_sorted_anew_and_hidden_items_are_gone() -> None:
    before = Candidates(
        np.array([[2, 0, 1], [1, 2, -1]], np.int32), np.array([[0.6, 0.5, 0.4], [0.3, 0.2, 0]], np.float32), 3
    )
    # user 0: item 2 is hidden, item 1 is liked; user 1: item 0 is no candidate, item 1 is disliked
    rows, items, factors = [0, 0, 1, 1], [2, 1, 0, 1], [0.0, 1.5, 1.5, 0.5]
    after = scaled(before, sparse.csr_array((np.array(factors), (rows, items)), shape=(2, 3)))
    assert after.items.tolist() == [[1, 0, -1], [2, 1, -1]]
    np.testing.assert_allclose(after.scores, [[0.6, 0.5, 0], [0.2, 0.15, 0]], rtol=1e-6)
    assert before.items.tolist() == [[2, 0, 1], [1, 2, -1]]


def test_without_factors_candidates_stay_as_they_are() -> None:
    before = Candidates(np.array([[2, 0]], np.int32), np.array([[0.6, 0.5]], np.float32), 3)
    assert scaled(before, sparse.csr_array((1, 3))) is before
