import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from grouprec.core.types import Candidates, Embeddings, GroupLists, Groups
from grouprec.ranking import group_lists
from grouprec.ranking.candidates import discounts, find_candidates
from grouprec.ranking.group_lists import (
    RANKING_DEPTH,
    STRICT_DEPTH,
    fill_slots,
    group_popularity,
    lists_from_rates,
    lists_from_scores,
    members_mean,
    members_of,
    owned_share,
    reach,
    without,
    worth,
)

GROUPS = Groups(np.array([0, 0, 1], np.int32), 2)
HISTORIES = sparse.csr_array(
    np.array([[1, 0, 0, 0, 1, 0, 0], [0, 0, 2, 0, 1, 0, 0], [0, 3, 0, 0, 0, 0, 0]], np.float32)
)
CANDIDATES = Candidates(
    np.array([[2, 1, 3, 5], [1, 0, 3, 6], [4, 0, 2, 3]], np.int32),
    np.array([[5, 4, 1, 0], [4, 3, 0, 0], [-4, -5, -8, -9]], np.float32),
    n_items=7,
)
# A list of the user's own is worth 1 with the places' discounts 1, 1 / log2(3) and 1 / 2.
FIRST, SECOND = 5 + 4 / np.log2(3) + 1 / 2, 4 + 3 / np.log2(3)


def csr(rows):
    return sparse.csr_array(np.array(rows, np.float32))


def test_lists_are_padded_to_their_depth_and_skip_what_is_not_allowed():
    scores = np.array([[0.1, -np.inf, 0.9]], np.float32)
    lists = lists_from_scores(scores, -scores, seed=0)
    assert lists.strict.shape == (1, STRICT_DEPTH) and lists.ranking.shape == (1, RANKING_DEPTH)
    assert lists.strict[0, :4].tolist() == [2, 0, -1, -1]
    assert lists.strict_scores[0, :3] == pytest.approx([0.9, 0.1, 0])


def test_worth_by_hand():
    expected = np.zeros((3, 7))
    expected[0, [2, 1, 3]] = np.array([5, 4, 1]) / FIRST
    expected[1, [1, 0]] = np.array([4, 3]) / SECOND  # and nothing is worth less than nothing
    assert worth(CANDIDATES).toarray() == pytest.approx(expected)
    assert (worth(CANDIDATES).data > 0).all()


@given(st.integers(0, 2**16), st.integers(1, 30))
@settings(max_examples=30)
def test_a_list_of_ones_own_is_worth_one_to_everybody_whatever_the_scale(seed, n):
    rng = np.random.default_rng(seed)
    scores = -np.sort(-rng.random((5, n)) * rng.exponential(1000, (5, 1)), axis=1).astype(np.float32)
    items = np.tile(np.arange(n, dtype=np.int32), (5, 1))
    best = worth(Candidates(items, scores, n)).toarray()[:, :10]
    assert best @ discounts(best.shape[1]) == pytest.approx(1, rel=1e-5)


def test_members_mean_by_hand():
    lists = members_mean(CANDIDATES, GROUPS, HISTORIES, seed=0)
    assert lists.strict[0, :4].tolist() == [1, 2, 0, 3]
    expected = [4 / FIRST + 4 / SECOND, 5 / FIRST, 3 / SECOND, 1 / FIRST]
    assert lists.strict_scores[0, :4] == pytest.approx(expected)
    # Per open slot of those who lack it: 2 (only the first user) .62, 1 (both) .59, 0 (only the second) .51.
    assert lists.ranking[0, :4].tolist() == [2, 1, 0, 3]
    assert (np.diff(lists.ranking_scores[0, :4]) < 0).all()


def test_items_nobody_wants_follow_by_popularity():
    lists = members_mean(CANDIDATES, GROUPS, HISTORIES, seed=0)
    for items in (lists.strict, lists.ranking):
        assert items[0, 4] == 4  # two users have it
        assert set(items[0, 5:7].tolist()) == {5, 6} and (items[0, 7:] == -1).all()
        # The third user wants nothing: popularity alone.
        assert items[1, 0] == 4 and set(items[1, 1:4].tolist()) == {0, 1, 2}


def test_a_group_of_one_gets_its_members_own_list():
    rng = np.random.default_rng(0)
    seen = sparse.csr_array((rng.random((6, 80)) < 0.2).astype(np.float32))
    embeddings = Embeddings(rng.random((6, 4), np.float32), rng.random((80, 4), np.float32))
    candidates = find_candidates(embeddings, seen, n=40)
    lists = members_mean(candidates, Groups(np.arange(6, dtype=np.int32), 6), seen, seed=0)
    assert np.array_equal(lists.strict[:, :20], candidates.items[:, :20])
    assert np.array_equal(lists.ranking[:, :20], candidates.items[:, :20])


def test_three_members_fill_their_slots_by_hand():
    # Item 0: two lack it and want it by .5; item 1: only the second lacks it, .6; item 2: the third alone wants it.
    values = csr([[0.5, 0.0, 0.0, 0.2], [0.5, 0.6, 0.0, 0.0], [0.0, 0.0, 0.3, 0.0]])
    histories = csr([[0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]])
    together = Groups(np.zeros(3, np.int32), 1)
    # First 1 (.6 per slot, against .5, .3 / 3 and .2 / 3), and the second member's next slot counts 1 / log2(3).
    # Then 0: (.5 + .63 * .5) / 1.63 = .5. Both now have less open than the third, who wants 2; 3 comes last.
    assert fill_slots(values, histories, together, 6).tolist() == [[1, 0, 2, 3, -1, -1]]


def naive_slots(values, owned, depth):
    """The order for one group by plain loops, float64."""
    users, items = values.shape
    free, slots, order = [i for i in range(items) if values[:, i].sum() > 0], [0] * users, []
    while free and len(order) < depth:
        weights = [1 / np.log2(slot + 2) if slot < 10 else 0.0 for slot in slots]
        per_slot = {}
        for i in free:
            lacking = [u for u in range(users) if not owned[u, i]]
            filled = sum(weights[u] for u in lacking)
            per_slot[i] = sum(weights[u] * values[u, i] for u in lacking) / filled if filled else 0.0
        if max(per_slot.values()) == 0:
            means = {i: values[:, i].sum() / max((~owned[:, i]).sum(), 1) for i in free}
            return order + sorted(free, key=lambda i: -means[i])[: depth - len(order)]
        order.append(max(free, key=lambda i: per_slot[i]))
        free.remove(order[-1])
        slots = [slot + (not owned[u, order[-1]]) for u, slot in enumerate(slots)]
    return order


@given(st.integers(0, 2**16), st.integers(1, 6), st.integers(1, 40), st.integers(1, 50))
@settings(max_examples=40)
def test_filling_slots_agrees_with_a_plain_loop(seed, n_users, n_items, depth):
    rng = np.random.default_rng(seed)
    owned = rng.random((n_users, n_items)) < 0.3
    values = np.where(owned | (rng.random((n_users, n_items)) < 0.5), 0, rng.random((n_users, n_items)))
    labels = rng.integers(0, 2, n_users)
    groups = Groups(np.unique(labels, return_inverse=True)[1].astype(np.int32), len(np.unique(labels)))
    found = fill_slots(csr(values), csr(owned), groups, depth)
    assert found.shape == (groups.n_groups, depth) and found.dtype == np.int32
    for group in range(groups.n_groups):
        own = groups.labels == group
        expected = naive_slots(values[own].astype(np.float32), owned[own], depth)
        assert found[group].tolist() == expected + [-1] * (depth - len(expected))


def served(ranking, values, owned):
    """The mean worth of the first ten items that each member lacks, discounted by place."""
    total = 0.0
    for user in range(len(values)):
        seen = [item for item in ranking if not owned[user, item]][:10]
        total += sum(values[user, item] / np.log2(place + 2) for place, item in enumerate(seen))
    return total / len(values)


def test_filling_slots_serves_more_than_a_plain_mean():
    # The first member wants items 0 to 19, of which the second has 0 to 9 and wants none; the second wants 20 to 29
    # a little. The mean goes on with 10 to 19 when the first member's slots are full, and fills the second's.
    values = np.zeros((2, 30), np.float32)
    values[0, :20], values[1, 20:] = np.linspace(0.9, 0.5, 20), 0.2
    owned = np.zeros((2, 30), bool)
    owned[1, :10] = True
    mean = np.argsort(-values.sum(axis=0) / (~owned).sum(axis=0), kind="stable")
    found = fill_slots(csr(values), csr(owned), Groups(np.zeros(2, np.int32), 1), 30)[0]
    assert found[:20].tolist() == [*range(10), *range(20, 30)]
    assert served(found, values, owned) > 1.1 * served(mean, values, owned)


def test_popularity_counts_members_and_not_weights():
    lists = group_popularity(HISTORIES, GROUPS, seed=0)
    assert lists.strict[0, 0] == 4 and lists.strict_scores[0, :3].tolist() == [1.0, 0.5, 0.5]
    assert lists.strict[1, 0] == 1 and lists.strict_scores[1, :2].tolist() == [1.0, 0.0]
    assert np.array_equal(lists.ranking[:, :5], lists.strict[:, :5])


def test_rates_are_divided_by_the_share_who_lack_the_item_in_a_ranking_only():
    rates = np.array([[0.4, 0.3, 0.2, 0.05, 0.5, 0, 0], [0, 1, 0, 0, 0.5, 0, 0]], np.float32)
    lists = lists_from_rates(rates, HISTORIES, GROUPS, seed=0)
    # Half of the first group lacks items 0 and 2, nobody lacks 4.
    assert lists.ranking[0, :2].tolist() == [4, 0]
    assert lists.ranking_scores[0, :4] == pytest.approx([0.5 / 0.5**1.2, 0.4 / 0.5**1.2, 0.2 / 0.5**1.2, 0.3])
    assert lists.strict[0, :3].tolist() == [0, 1, 2], "one list for all goes by the rate, whoever lacks the item"
    assert lists.strict_scores[0, :3] == pytest.approx([0.4, 0.3, 0.2])
    assert lists.strict[1, 0] == 4, "the only member of the second group has item 1 already"


def test_what_is_excluded_leaves_the_lists_and_the_others_move_up():
    items, scores = (
        np.array([[3, 1, 0, -1], [2, 3, 1, 0]], np.int32),
        np.array([[9, 8, 7, 0], [4, 3, 2, 1]], np.float32),
    )
    lists = GroupLists(items[:, :3], scores[:, :3], items, scores)
    excluded = np.array([[False, True, False, False], [False, False, True, True]])
    left = without(lists, excluded)
    assert left.strict.tolist() == [[3, 0, -1], [1, -1, -1]]
    assert left.strict_scores.tolist() == [[9, 7, 0], [2, 0, 0]]
    assert left.ranking.tolist() == [[3, 0, -1, -1], [1, 0, -1, -1]]
    assert left.ranking_scores.tolist() == [[9, 7, 0, 0], [2, 1, 0, 0]]
    assert np.array_equal(without(lists, np.zeros((2, 4), bool)).ranking, items)


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


def test_small_scores_are_worth_as_much_as_large_ones():
    small = Candidates(np.array([[0, 1], [1, 0]], np.int32), np.array([[0.3, 0.1], [0.003, 0.001]], np.float32), 2)
    ideal = 0.3 + 0.1 / np.log2(3)
    assert worth(small).toarray() == pytest.approx(np.array([[0.3, 0.1], [0.1, 0.3]]) / ideal)


@pytest.mark.parametrize("n_users", [1, 3])
def test_popularity_counts_for_a_millionth_of_the_share_of_users_at_most(n_users):
    nobody = Candidates(np.full((n_users, 1), -1, np.int32), np.zeros((n_users, 1), np.float32), 3)
    histories = csr([[2, 0, 1], [1, 0, 0], [1, 0, 0]][:n_users])
    groups = Groups(np.zeros(n_users, np.int32), 1)
    lists = members_mean(nobody, groups, histories, seed=0)
    for scores in (lists.strict_scores, lists.ranking_scores):
        assert scores[0, :4] == pytest.approx([1e-6, 1e-6 / n_users, 0, 0], rel=1e-5, abs=0)


def test_ranking_scores_fall_by_place():
    lists = members_mean(CANDIDATES, GROUPS, HISTORIES, seed=0)
    assert lists.ranking_scores[0, :4] == pytest.approx(1 - np.arange(4) / 201)


def test_a_ranking_is_chosen_from_the_best_by_sum_and_by_mean(monkeypatch):
    monkeypatch.setattr(group_lists, "POOL", 1)
    # Item 0 is worth most in sum, item 1 to the one member who lacks it; 2 to 4 are close behind in both.
    values = csr([[0.5, 0.9, 0.4, 0.4, 0.4], [0.5, 0.0, 0.4, 0.4, 0.4]])
    histories = csr([[0, 0, 0, 0, 0], [0, 1, 0, 0, 0]])
    found = fill_slots(values, histories, Groups(np.zeros(2, np.int32), 1), 5)
    assert found.tolist() == [[1, 0, -1, -1, -1]]


@pytest.mark.parametrize("seed", range(20))
def test_the_pool_is_that_of_sorting(monkeypatch, seed):
    monkeypatch.setattr(group_lists, "POOL", 3)
    wanted, mean = np.random.default_rng(seed).random((2, 12))
    wanted[:2] = 0  # nobody wants these
    expected = {*np.argsort(-wanted)[:3].tolist(), *np.argsort(-mean)[:3].tolist()} - {0, 1}
    assert group_lists._pool(wanted, mean).tolist() == sorted(expected)


def test_reach_looks_at_the_best_fifty():
    candidates = Candidates(np.arange(60, dtype=np.int32)[None], np.arange(60, 0, -1, np.float32)[None], 60)
    alone = Groups(np.zeros(1, np.int32), 1)
    assert reach(candidates, alone, np.array([[0, 49, 50, 51]])).tolist() == [[1, 1, 0, 0]]


def test_members_of_a_group_stand_in_the_order_of_their_rows():
    labels = np.random.default_rng(0).integers(0, 3, 3000).astype(np.int32)
    members = members_of(Groups(labels, 3))
    assert all(np.array_equal(rows, np.flatnonzero(labels == group)) for group, rows in enumerate(members))
