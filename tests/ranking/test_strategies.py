import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from grouprec.core.types import Candidates, Groups, SettingError
from grouprec.ranking.candidates import taste
from grouprec.ranking.group_lists import member_matrix, members_mean
from grouprec.ranking.strategies import (
    STRATEGIES,
    additive,
    approvals,
    borda_points,
    get_strategy,
    gfar,
    group_maximum,
    ratings,
    soft_minimum,
    utility,
)

# The example of Masthoff (2004): John, Adam and Mary rate the attractions A to J.
MASTHOFF = np.array(
    [[10, 4, 3, 6, 10, 9, 6, 8, 10, 8], [1, 9, 8, 9, 7, 9, 6, 9, 3, 8], [10, 5, 2, 7, 9, 8, 5, 6, 7, 6]], np.float32
)
TOGETHER = Groups(np.zeros(3, np.int32), 1)
RNG = np.random.default_rng


def listed(scores: np.ndarray, n: int, n_items: int | None = None) -> Candidates:
    """Candidates from a dense [U, I] matrix; -inf is what a user may not get."""
    items = np.argsort(-scores, axis=1, kind="stable")[:, :n].astype(np.int32)
    best = np.take_along_axis(scores, items, axis=1)
    allowed = best > -np.inf
    return Candidates(np.where(allowed, items, -1), np.where(allowed, best, 0), n_items or scores.shape[1])


def planted_candidates(n_users: int = 24, n_items: int = 40, n: int = 20, n_groups: int = 3, seed: int = 0):
    scores = RNG(seed).normal(size=(n_users, n_items)).astype(np.float32)
    return listed(scores, n), Groups((np.arange(n_users) % n_groups).astype(np.int32), n_groups)


def dense_rule(name: str, candidates: Candidates, members: np.ndarray) -> np.ndarray:
    """What a rule says about every item, [I], by plain loops over the members of one group."""
    n_items, rows = candidates.n_items, []
    tastes = taste(candidates).toarray()
    for user in members:
        row, items, scores = np.zeros(n_items), candidates.items[user], candidates.scores[user]
        items, scores = items[items >= 0], scores[items >= 0]
        if name in ("least_misery", "most_pleasure"):
            row = tastes[user]
        elif name == "utility":
            ten = np.maximum(scores[:10], 0)
            row[items] = np.maximum(scores, 0) / (ten / np.log2(np.arange(2, len(ten) + 2))).sum()
        elif name == "additive":
            row[items] = (scores - scores.min()) / (scores.max() - scores.min())
        elif name == "borda":
            row[items] = candidates.items.shape[1] - np.arange(len(items))
        elif name == "approval":
            row[items[:10]] = 1
        rows.append(row)
    if name == "least_misery":
        return -np.log(np.exp(-50 * np.array(rows)).mean(axis=0)) / 50
    return {"most_pleasure": np.max, "approval": np.mean}.get(name, np.sum)(np.array(rows), axis=0)


@pytest.mark.parametrize("name", ["utility", "additive", "least_misery", "most_pleasure", "borda", "approval"])
@settings(max_examples=10)
@given(seed=st.integers(0, 2**16), n=st.integers(2, 30), n_groups=st.integers(1, 5))
def test_rules_agree_with_a_plain_loop_over_members(name, seed, n, n_groups):
    candidates, groups = planted_candidates(n_users=12, n=n, n_groups=n_groups, seed=seed)
    items, scores = STRATEGIES[name].rank(candidates, groups, 15, seed)
    for group in range(n_groups):
        expected = dense_rule(name, candidates, np.flatnonzero(groups.labels == group))
        best = -np.sort(-expected)[: (items[group] >= 0).sum()]
        assert scores[group, : len(best)] == pytest.approx(best, abs=1e-4)
        assert expected[items[group, : len(best)]] == pytest.approx(best, abs=1e-4)


def test_masthoffs_example_gives_the_published_totals():
    everything = listed(MASTHOFF, 10)
    sums = (member_matrix(TOGETHER) @ everything.matrix()).toarray()[0]
    assert sums.tolist() == [21, 18, 13, 22, 26, 26, 17, 23, 20, 22]
    assert group_maximum(everything.matrix(), TOGETHER)[0].tolist() == [10, 9, 8, 9, 10, 9, 6, 9, 10, 8]
    smallest = np.array([1, 4, 2, 6, 7, 8, 5, 6, 3, 6])  # each of one member only, hence log(3) / 50 above the minimum
    assert soft_minimum(everything.matrix(), TOGETHER)[0] == pytest.approx(smallest + np.log(3) / 50)
    # Published with 0 points for the last place; ours starts at 1, so one more for each of the three.
    points = (member_matrix(TOGETHER) @ borda_points(everything, 10)).toarray()[0]
    assert (points - 3).tolist() == [17, 10, 4.5, 15.5, 19, 20.5, 6, 15.5, 14.5, 12.5]
    # Above the threshold of 6 lie the best 8 items of John and Adam and the best 7 of Mary.
    above = listed(np.where(MASTHOFF > 5, MASTHOFF, -np.inf), 8)
    assert (member_matrix(TOGETHER) @ approvals(above, 8)).toarray()[0].tolist() == [2, 1, 1, 3, 3, 3, 2, 3, 2, 3]


def test_utility_is_the_strict_rule_of_the_lists():
    candidates, groups = planted_candidates()
    lists = members_mean(candidates, groups, sparse.csr_array((24, 40), dtype=np.float32), seed=3)
    items, scores = utility(candidates, groups, 50, seed=3)
    wanted = lists.strict_scores > 0
    assert wanted.sum(axis=1).min() > 10
    assert np.array_equal(items[wanted], lists.strict[wanted])
    assert scores[wanted] == pytest.approx(lists.strict_scores[wanted])


def test_gfars_first_picks_by_hand():
    # Points 3, 2, 1 make chances 1/2, 1/3, 1/6.
    wishes = np.array([[0, 1, 2], [0, 1, 2], [3, 1, 4], [3, 4, 0]], np.int32)
    candidates = Candidates(wishes, np.tile(np.array([3, 2, 1], np.float32), (4, 1)), 5)
    items, gains = gfar(candidates, Groups(np.zeros(4, np.int32), 1), 3, seed=0)
    # Item 0 has 1/2 + 1/2 + 1/6 and leaves members 0 to 3 at 1/2, 1/2, 1, 5/6: item 3 adds 1/2 + 5/12, item 1 less.
    # That leaves 1/2, 1/2, 1/2, 5/12: item 1 adds 1/6 + 1/6 + 1/6, item 4 adds 1/12 + 5/36.
    assert items[0].tolist() == [0, 3, 1]
    assert gains[0] == pytest.approx([7 / 6, 11 / 12, 1 / 2])


def test_ep_fuzzdas_first_picks_by_hand():
    # Everybody's taste is 1 for their first candidate and 0 for the other; three of the four want item 0.
    items = np.array([[0, 5], [0, 5], [0, 5], [1, 5]], np.int32)
    candidates = Candidates(items, np.tile(np.array([2, 1], np.float32), (4, 1)), 6)
    found, gains = get_strategy("ep_fuzzda").rank(candidates, Groups(np.zeros(4, np.int32), 1), 3, 0)
    # Item 0 hands out 3, so each of the four is due 3/4: three get it. Then item 1 makes 4, and member 3 is due 1.
    assert found[0].tolist() == [0, 1, 5]
    assert gains[0] == pytest.approx([9 / 4, 1, 0])


def dense_gain(name: str, candidates: Candidates, members: np.ndarray, before: list[int]) -> np.ndarray:
    """What every item would add to a list, [I], from the definition in the paper."""
    if name == "gfar":
        width = min(20, candidates.items.shape[1])
        chances = np.zeros((len(members), candidates.n_items))
        for row, user in enumerate(members):
            chances[row, candidates.items[user, :width]] = np.arange(width, 0, -1) / (width * (width + 1) / 2)
        return ((1 - chances[:, before]).prod(axis=1, keepdims=True) * chances).sum(axis=0)
    utilities = taste(candidates).toarray()[members]
    received = utilities[:, before].sum(axis=1)
    due = (received.sum() + utilities.sum(axis=0)) / len(members) - received[:, None]
    return np.minimum(np.maximum(due, 0), utilities).sum(axis=0)


@pytest.mark.parametrize("name", ["gfar", "ep_fuzzda"])
@settings(max_examples=10)
@given(seed=st.integers(0, 2**16), n=st.integers(2, 30), n_groups=st.integers(1, 5))
def test_every_greedy_pick_gains_most(name, seed, n, n_groups):
    candidates, groups = planted_candidates(n_users=12, n=n, n_groups=n_groups, seed=seed)
    items, scores = STRATEGIES[name].rank(candidates, groups, 12, seed)
    for group in range(n_groups):
        members, before = np.flatnonzero(groups.labels == group), []
        for item, score in zip(items[group], scores[group], strict=True):
            if item < 0:
                break
            gains = dense_gain(name, candidates, members, before)
            gains[before] = -1
            assert score == pytest.approx(gains[item], abs=1e-5) and score == pytest.approx(gains.max(), abs=1e-5)
            before.append(int(item))


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_lists_are_sound_and_repeatable(name):
    candidates, groups = planted_candidates()
    before = candidates.items.copy(), candidates.scores.copy()
    items, scores = STRATEGIES[name].rank(candidates, groups, 60, 5)
    again = STRATEGIES[name].rank(candidates, groups, 60, 5)
    assert np.array_equal(items, again[0]) and np.array_equal(scores, again[1])
    assert items.shape == (3, 60) and items.dtype == np.int32 and scores.dtype == np.float32
    assert np.isfinite(scores).all() and (scores >= 0).all() and (scores[items < 0] == 0).all()
    for group in range(3):
        wanted = np.unique(candidates.items[groups.labels == group])
        assert sorted(items[group][items[group] >= 0]) == wanted.tolist()  # once each, padding at the end only
        assert (np.diff((items[group] < 0).astype(int)) >= 0).all()
    assert np.array_equal(items[:, :7], STRATEGIES[name].rank(candidates, groups, 7, 5)[0])
    assert np.array_equal(before[0], candidates.items) and np.array_equal(before[1], candidates.scores)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_a_group_of_one_gets_its_members_own_best_items(name):
    candidates = listed(RNG(1).normal(size=(4, 50)).astype(np.float32), 30)
    items, _ = STRATEGIES[name].rank(candidates, Groups(np.arange(4, dtype=np.int32), 4), 30, 0)
    if name == "approval":  # the best ten are all approved alike
        items, expected = np.sort(items[:, :10]), np.sort(candidates.items[:, :10])
        assert np.array_equal(items, expected)
    else:
        assert np.array_equal(items, candidates.items)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_nothing_to_go_by_has_a_defined_answer(name):
    rank, groups = STRATEGIES[name].rank, Groups(np.array([0, 0, 1], np.int32), 2)
    none = Candidates(np.full((3, 4), -1, np.int32), np.zeros((3, 4), np.float32), 9)
    assert (rank(none, groups, 5, 0)[0] == -1).all()
    assert (rank(Candidates(np.empty((3, 0), np.int32), np.empty((3, 0), np.float32), 9), groups, 5, 0)[0] == -1).all()
    alike = listed(np.ones((3, 6), np.float32), 6)
    orders = {tuple(rank(alike, groups, 6, seed)[0].ravel().tolist()) for seed in range(5)}
    assert len(orders) > 1 and all(sorted(order) == sorted([*range(6)] * 2) for order in orders)
    half = Candidates(np.array([[2, 1], [-1, -1], [-1, -1]], np.int32), np.array([[3, 2], [0, 0], [0, 0]], "f4"), 9)
    assert rank(half, groups, 3, 0)[0][:, :2].tolist() in ([[2, 1], [-1, -1]], [[1, 2], [-1, -1]])


def test_least_misery_prefers_what_nobody_goes_without():
    # Item 0 is the favourite of nine in ten, item 1 is good for all: the sum prefers 0, least misery 1.
    scores = np.tile(np.array([10, 6, 0, -1, -2, -3], np.float32), (10, 1))
    scores[9] = [-5, 6, 0, -1, -2, -3]
    candidates, groups = listed(scores, 6), Groups(np.zeros(10, np.int32), 1)
    assert utility(candidates, groups, 1, 0)[0].item() == 0
    assert STRATEGIES["least_misery"].rank(candidates, groups, 1, 0)[0].item() == 1


def test_gfar_serves_a_minority_before_repeating_the_majority():
    items = np.concatenate([np.tile(np.arange(20), (6, 1)), np.tile(np.arange(20, 40), (4, 1))]).astype(np.int32)
    candidates = Candidates(items, np.tile(np.arange(20, 0, -1).astype(np.float32), (10, 1)), 40)
    together = Groups(np.zeros(10, np.int32), 1)
    served = gfar(candidates, together, 10, 0)[0] >= 20
    assert served.sum() > (additive(candidates, together, 10, 0)[0] >= 20).sum()


def test_ratings_run_from_one_to_zero_and_ties_share_borda_points():
    candidates = Candidates(np.array([[4, 2, 0, -1]], np.int32), np.array([[-1, -1, -3, 0]], np.float32), 5)
    assert ratings(candidates).toarray().tolist() == [[0, 0, 1, 0, 1]]
    assert borda_points(candidates, 4).toarray().tolist() == [[2, 0, 3.5, 0, 3.5]]


def test_unknown_strategies_are_refused_with_the_menu():
    with pytest.raises(SettingError, match=r"'median'.*utility, additive, least_misery"):
        get_strategy("median")
    assert all(s.title and s.cite[-4:].isdigit() and s.explanation.endswith(".") for s in STRATEGIES.values())
