import numpy as np
import pytest
from scipy import sparse

from grouprec.lists import (
    RANKING_DEPTH,
    STRICT_DEPTH,
    group_popularity,
    lists_from_scores,
    members_mean,
    owned_share,
    reach,
)
from grouprec.preference import find_candidates
from grouprec.types import Candidates, Embeddings, Groups

GROUPS = Groups(np.array([0, 0, 1], np.int32), 2)
HISTORIES = sparse.csr_array(
    np.array([[1, 0, 0, 0, 1, 0, 0], [0, 0, 2, 0, 1, 0, 0], [0, 3, 0, 0, 0, 0, 0]], np.float32)
)
# Taste, the lead over the middle candidate at length 1: 0.8 for everybody's first candidate, 0.6 for the second.
CANDIDATES = Candidates(
    np.array([[2, 1, 3, 5], [1, 0, 3, 6], [4, 0, 2, 3]], np.int32),
    np.array([[5, 4, 1, 0], [4, 3, 0, 0], [-4, -5, -8, -9]], np.float32),
    n_items=7,
)


def test_lists_are_padded_to_their_depth_and_skip_what_is_not_allowed():
    scores = np.array([[0.1, -np.inf, 0.9]], np.float32)
    lists = lists_from_scores(scores, -scores, seed=0)
    assert lists.strict.shape == (1, STRICT_DEPTH) and lists.ranking.shape == (1, RANKING_DEPTH)
    assert lists.strict[0, :4].tolist() == [2, 0, -1, -1]
    assert lists.strict_scores[0, :3] == pytest.approx([0.9, 0.1, 0])


def test_members_mean_by_hand():
    lists = members_mean(CANDIDATES, GROUPS, HISTORIES, seed=0)
    assert lists.strict[0, :3].tolist() == [1, 2, 0]
    assert lists.strict_scores[0, :3] == pytest.approx([1.4, 0.8, 0.6])
    # Per member who lacks it: item 1 (two lack it) halves, 2 and 0 (one lacks it) stay.
    assert lists.ranking[0, :3].tolist() == [2, 1, 0]
    assert lists.ranking_scores[0, :3] == pytest.approx([0.8, 0.7, 0.6])


def test_items_nobody_wants_follow_by_popularity():
    lists = members_mean(CANDIDATES, GROUPS, HISTORIES, seed=0)
    assert lists.strict[0, 3] == 4  # two users have it, nobody has 3, 5 or 6
    assert set(lists.strict[0, 4:7].tolist()) == {3, 5, 6} and (lists.strict[0, 7:] == -1).all()


def test_a_group_of_one_gets_its_members_own_list():
    rng = np.random.default_rng(0)
    seen = sparse.csr_array((rng.random((6, 80)) < 0.2).astype(np.float32))
    embeddings = Embeddings(rng.random((6, 4), np.float32), rng.random((80, 4), np.float32))
    candidates = find_candidates(embeddings, seen, n=40)
    lists = members_mean(candidates, Groups(np.arange(6, dtype=np.int32), 6), seen, seed=0)
    assert np.array_equal(lists.strict[:, :20], candidates.items[:, :20])
    assert np.array_equal(lists.ranking[:, :20], candidates.items[:, :20])


def test_popularity_counts_members_and_not_weights():
    lists = group_popularity(HISTORIES, GROUPS, seed=0)
    assert lists.strict[0, 0] == 4 and lists.strict_scores[0, :3].tolist() == [1.0, 0.5, 0.5]
    assert lists.strict[1, 0] == 1 and lists.strict_scores[1, :2].tolist() == [1.0, 0.0]
    assert np.array_equal(lists.ranking[:, :5], lists.strict[:, :5])


def test_reach_and_owned_share_by_hand():
    items = np.array([[1, 2, -1], [4, 0, 1]], np.int32)
    assert reach(CANDIDATES, GROUPS, items).tolist() == [[1.0, 0.5, 0.0], [1.0, 1.0, 0.0]]
    assert reach(CANDIDATES, GROUPS, items, depth=1).tolist() == [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]
    assert owned_share(HISTORIES, GROUPS, items).tolist() == [[0.0, 0.5, 0.0], [0.0, 0.0, 1.0]]


def test_lists_do_not_change_their_input():
    before = CANDIDATES.scores.copy(), HISTORIES.toarray()
    members_mean(CANDIDATES, GROUPS, HISTORIES, seed=0)
    reach(CANDIDATES, GROUPS, np.zeros((2, 1), np.int32))
    assert np.array_equal(before[0], CANDIDATES.scores) and np.array_equal(before[1], HISTORIES.toarray())
