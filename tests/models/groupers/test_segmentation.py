"""Catalogue segmentation: planted groups found again, a value that never falls, and the corner cases."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from grouprec.core.types import Candidates, Preference
from grouprec.data.synthetic import planted
from grouprec.models.base import REGISTRIES, Regime
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.lists import ListsGrouper
from grouprec.models.groupers.segmentation import (
    Search,
    Segmentation,
    _choose,
    best_of_starts,
    list_worth,
    segment,
    start_space,
    starts,
)
from grouprec.ranking.candidates import make_preference
from grouprec.ranking.group_lists import worth

REGIMES: tuple[Regime, ...] = ("strict", "dedup")
both = pytest.mark.parametrize("regime", REGIMES)


def csr(rows: np.ndarray) -> sparse.csr_array:
    return sparse.csr_array(np.asarray(rows, np.float32))


def nothing(n_users: int, n_items: int) -> sparse.csr_array:
    return sparse.csr_array((n_users, n_items), dtype=np.float32)


def random_case(seed: int, n_users: int = 12, n_items: int = 25) -> tuple[sparse.csr_array, sparse.csr_array]:
    """What items are worth and what users have; nothing that they have is worth anything."""
    rng = np.random.default_rng(seed)
    owned = rng.random((n_users, n_items)) < 0.2
    values = np.where(owned | (rng.random(owned.shape) < 0.4), 0, rng.random(owned.shape))
    return csr(values), csr(owned)


def naive_worth(ranking: np.ndarray, values: np.ndarray, owned: np.ndarray, regime: Regime) -> float:
    """What one list is worth to one user, by a plain loop."""
    items = [item for item in ranking if item >= 0]
    if regime == "strict":
        return sum(values[item] for item in items)
    lacking = [item for item in items if not owned[item]][:10]
    return sum(values[item] / np.log2(place + 2) for place, item in enumerate(lacking))


@both
@given(seed=st.integers(0, 2**16), depth=st.integers(1, 25))
@settings(max_examples=25)
def test_list_worth_agrees_with_a_plain_loop(regime: Regime, seed: int, depth: int) -> None:
    values, histories = random_case(seed)
    rng = np.random.default_rng(seed)
    rankings = np.stack([rng.permutation(25)[:depth] for _ in range(3)]).astype(np.int32)
    rankings[0, depth // 2 :] = -1
    found = list_worth(values.T.tocsr(), histories.T.tocsr(), rankings, regime)
    expected = [
        [naive_worth(ranking, values.toarray()[user], histories.toarray()[user], regime) for ranking in rankings]
        for user in range(12)
    ]
    assert found.shape == (12, 3) and found == pytest.approx(np.array(expected), abs=1e-5)


@both
@given(seed=st.integers(0, 2**16), n_groups=st.integers(1, 5))
@settings(max_examples=20)
def test_the_value_never_falls_and_is_that_of_groups_and_lists(regime: Regime, seed: int, n_groups: int) -> None:
    values, histories = random_case(seed)
    start = np.random.default_rng(seed).integers(0, n_groups, 12)
    found = segment(values, histories, start, regime)
    assert (np.diff(found.values) > 0).all()
    own = [
        naive_worth(found.rankings[group], values.toarray()[user], histories.toarray()[user], regime)
        for user, group in enumerate(found.labels)
    ]
    assert found.value == pytest.approx(np.mean(own), abs=1e-5)
    as_given = segment(values, histories, start, regime, max_rounds=0)
    assert found.value >= as_given.value == found.values[0]
    assert (np.diff(np.bincount(found.labels)) <= 0).all() and np.bincount(found.labels).min() > 0


@given(seed=st.integers(0, 2**16), n_groups=st.integers(1, 4))
@settings(max_examples=20)
def test_strict_lists_are_the_best_for_their_groups(seed: int, n_groups: int) -> None:
    values, histories = random_case(seed)
    found = segment(values, histories, np.random.default_rng(seed).integers(0, n_groups, 12), "strict")
    for group, ranking in enumerate(found.rankings):
        wanted = values.toarray()[found.labels == group].sum(axis=0)
        assert wanted[ranking[ranking >= 0]] == pytest.approx(np.sort(wanted)[::-1][: (ranking >= 0).sum()], abs=1e-5)
        assert (ranking >= 0).sum() == min(10, (wanted > 0).sum())


@both
def test_at_the_end_everybody_is_where_the_list_serves_them_best(regime: Regime) -> None:
    values, histories = random_case(3, n_users=60, n_items=40)
    found = segment(values, histories, np.random.default_rng(0).integers(0, 4, 60), regime)
    assert found.converged
    served = list_worth(values.T.tocsr(), histories.T.tocsr(), found.rankings, regime)
    # What a further round of moves would gain was tried; its lists gained nothing.
    best, own = served.max(axis=1), served[np.arange(60), found.labels]
    assert best.mean() < 1.03 * own.mean()


@both
def test_two_tastes_are_parted_from_any_start(regime: Regime) -> None:
    taste = np.repeat([0, 1], 20)
    values = np.zeros((40, 40))
    values[:20, :15], values[20:, 20:35] = 0.2, 0.2
    start = np.random.default_rng(0).integers(0, 2, 40)
    found = segment(csr(values), nothing(40, 40), start, regime)
    assert adjusted_rand_score(taste, found.labels) == 1
    assert found.converged and found.value > 1.5 * segment(csr(values), nothing(40, 40), taste * 0, regime).value


@both
def test_groups_below_the_smallest_size_are_dissolved_also_those_of_the_start(regime: Regime) -> None:
    values = np.zeros((22, 40))  # the last two want what nobody else does
    values[:10, :10], values[10:20, 10:20], values[20:, 20:30] = 0.2, 0.2, 0.2
    start = np.repeat([0, 1, 2], [10, 10, 2])
    kept = segment(csr(values), nothing(22, 40), start, regime)
    assert np.bincount(kept.labels).tolist() == [10, 10, 2]
    found = segment(csr(values), nothing(22, 40), start, regime, min_group_size=3)
    assert np.bincount(found.labels).min() >= 3 and len(found.rankings) == 2


@both
@given(seed=st.integers(0, 2**16), least=st.integers(1, 20))
@settings(max_examples=15)
def test_the_smallest_size_always_holds(regime: Regime, seed: int, least: int) -> None:
    values, histories = random_case(seed)
    found = segment(values, histories, np.random.default_rng(seed).integers(0, 5, 12), regime, least)
    assert np.bincount(found.labels).min() >= min(least, 12)


@both
@pytest.mark.parametrize(
    "values",
    [np.full((6, 12), 0.1), np.zeros((6, 12)), np.eye(6, 12) * 0.5, np.repeat([[0.5] + [0] * 11], 6, axis=0)],
    ids=["all scores equal", "nobody wants anything", "everybody wants one item of their own", "one item for all"],
)
def test_corner_cases_have_defined_answers(regime: Regime, values: np.ndarray) -> None:
    found = segment(csr(values), nothing(6, 12), np.array([0, 0, 1, 1, 2, 2]), regime)
    again = segment(csr(values), nothing(6, 12), np.array([0, 0, 1, 1, 2, 2]), regime)
    assert np.array_equal(found.labels, again.labels) and np.array_equal(found.rankings, again.rankings)
    assert np.isfinite(found.values).all() and np.bincount(found.labels).min() >= 1
    assert len(found.rankings) == found.labels.max() + 1
    for group, ranking in enumerate(found.rankings):
        listed = ranking[ranking >= 0].tolist()
        wanted = np.flatnonzero((values[found.labels == group] > 0).any(axis=0))
        assert len(listed) == len(set(listed)) == min(10 if regime == "strict" else 12, len(wanted))
        assert set(listed) <= set(wanted.tolist())


@both
def test_a_single_user_gets_a_group_of_their_own(regime: Regime) -> None:
    values, histories = random_case(0, n_users=1)
    found = segment(values, histories, np.zeros(1, int), regime, min_group_size=5)
    assert found.labels.tolist() == [0]
    wanted = values.toarray()[0]
    best = np.argsort(-wanted)[: min(10, np.count_nonzero(wanted))]
    assert found.rankings[0, : len(best)].tolist() == best.tolist()


def test_starts_are_no_more_groups_than_there_are_places() -> None:
    space = np.repeat(np.eye(3, dtype=np.float32), 4, axis=0)
    with warnings.catch_warnings(action="error"):  # scikit-learn warns where more are asked for than there are places
        found = starts(space, 9, 2, np.random.default_rng(0))
    assert len(found) == 2 and all(len(np.unique(labels)) == 3 for labels in found)


def test_three_places_on_a_line_are_three_groups_to_start_from() -> None:
    space = np.repeat([[0.0], [4.0], [9.0]], 3, axis=0)
    assert [len(np.unique(labels)) for labels in starts(space, 3, 2, np.random.default_rng(0))] == [3, 3]


@pytest.mark.parametrize(("size", "dimensions"), [(1, 1), (2, 2), (3, 3), (9, 3)])
def test_the_space_has_fewer_dimensions_than_users(size: int, dimensions: int) -> None:
    tastes = csr(np.random.default_rng(0).random((4, 6)))
    assert start_space(tastes, nothing(4, 6), size, seed=0).shape == (4, dimensions)


def test_who_is_served_as_well_elsewhere_stays_and_who_is_served_better_moves() -> None:
    served = np.array([[1.0, 1], [1, 1], [1, 2]], np.float32)
    assert _choose(served, np.array([0, 1, 0]), 1).tolist() == [0, 1, 1]


def test_small_groups_are_dissolved_smallest_first_until_all_are_large_enough() -> None:
    served = np.array([[9, 0, 1]] * 5 + [[0, 9, 1]] * 2 + [[0, 1, 9]], np.float32)
    labels = np.repeat([0, 1, 2], [5, 2, 1])
    assert _choose(served, labels, 1).tolist() == labels.tolist()
    assert _choose(served, labels, 2).tolist() == [0] * 5 + [1] * 3  # its member joins the next best
    assert _choose(served, labels, 3).tolist() == [0] * 5 + [1] * 3  # which is large enough thereby
    assert _choose(served, labels, 4).tolist() == [0] * 8
    assert _choose(served, labels, 9).tolist() == [0] * 8  # one is left, too small or not
    assert served[7].tolist() == [0, 1, 9]


def test_groups_of_one_are_allowed_where_nothing_is_asked() -> None:
    found = segment(csr(np.eye(3, 9)), nothing(3, 9), np.arange(3), "strict")
    assert found.labels.tolist() == [0, 1, 2]


def test_groups_of_equal_size_stay_in_the_order_of_the_start() -> None:
    start = np.repeat(np.arange(8), 1 + np.arange(8) % 2)
    found = segment(csr(np.eye(8)[start]), nothing(len(start), 8), start, "strict", max_rounds=0)
    assert found.rankings[:, 0].tolist() == [1, 3, 5, 7, 0, 2, 4, 6]
    assert np.array_equal(found.rankings[found.labels, 0], start)


def test_a_start_of_groups_of_exactly_the_smallest_size_is_taken_as_it_is() -> None:
    values, histories = random_case(1)
    start = np.repeat([0, 1, 2], 4)
    as_given = segment(values, histories, start, "strict", max_rounds=0)
    assert segment(values, histories, start, "strict", 4, max_rounds=0).values == as_given.values
    assert np.bincount(segment(values, histories, start, "strict", 5, max_rounds=0).labels).min() >= 5


def test_users_who_want_and_have_alike_start_side_by_side() -> None:
    taste = np.repeat([0, 1], 5)
    tastes = csr(np.eye(2)[taste] @ np.array([[1, 0, 0, 0], [0, 1, 0, 0]]))
    histories = csr(np.eye(2)[taste] @ np.array([[0, 0, 1, 0], [0, 0, 0, 1]]))
    space = start_space(tastes, histories, 2, seed=0)
    assert space.dtype == np.float32 and space.shape == (10, 2)
    assert np.linalg.norm(space[0] - space[4]) < 1e-5 < 0.5 < np.linalg.norm(space[0] - space[5])
    assert np.isfinite(start_space(nothing(4, 6), nothing(4, 6), 3, seed=0)).all()


def groups_of(grouper: str, preference: Preference, data, n_groups: int, regime: Regime):
    stage = REGISTRIES["grouper"].get(grouper)
    return stage(stage.Config.for_preset("quick")).fit(data, preference, n_groups, RunOptions(), regime).groups()


@both
@pytest.mark.parametrize(("n_items", "noise"), [(160, 0.2), (250, 0.3), (400, 0.3)])
@pytest.mark.parametrize("grouper", ["lists", "kmeans"])
def test_planted_groups_are_found_again_under_moderate_noise(
    grouper: str, n_items: int, noise: float, regime: Regime
) -> None:
    # Draws, not walks: on a walk users differ by where in their block they are, too, and lists follow that.
    known = planted(300, n_items, n_groups=5, events_per_user=30, noise=noise, ordered=False, seed=1)
    ease = EaseEncoder(EaseEncoder.Config.for_preset("quick")).fit(known.data, RunOptions())
    embeddings = ease.embeddings(known.data)
    scores = embeddings.scores(slice(None))
    scores[known.data.histories.nonzero()] = -np.inf
    items = np.argsort(-scores, axis=1)[:, :60].astype(np.int32)
    candidates = Candidates(items, np.take_along_axis(scores, items, axis=1), n_items)
    groups = groups_of(grouper, make_preference(candidates), known.data, 5, regime)
    assert adjusted_rand_score(known.labels, groups.labels) >= 0.95


@both
def test_more_starts_are_never_worth_less(regime: Regime) -> None:
    rng = np.random.default_rng(0)
    data = planted(n_users=80, n_items=60).data
    items = np.stack([rng.permutation(60)[:30] for _ in range(80)]).astype(np.int32)
    scores = -np.sort(-rng.random((80, 30)), axis=1).astype(np.float32)
    preference = make_preference(Candidates(items, scores, 60))
    values = worth(preference.candidates)

    def value(n_starts: int) -> float:
        stage = ListsGrouper(ListsGrouper.Config(n_starts=n_starts)).fit(data, preference, 4, RunOptions(), regime)
        served = list_worth(values.T.tocsr(), data.histories.T.tocsr(), stage._rankings, regime)
        return float(served[np.arange(80), stage.groups().labels].mean())

    one, many = value(1), value(8)
    assert many >= one


@both
def test_users_of_whom_nothing_is_known_are_one_group(regime: Regime) -> None:
    data = planted(n_users=20, n_items=30).data
    nobody = Candidates(np.full((20, 10), -1, np.int32), np.zeros((20, 10), np.float32), 30)
    preference = Preference(nobody, np.zeros((20, 4), np.float32), np.zeros((30, 4), np.float32))
    groups = ListsGrouper().fit(data, preference, 3, RunOptions(), regime).groups()
    assert groups.labels.max() == groups.n_groups - 1 and groups.sizes.sum() == 20
    placed = ListsGrouper().fit(data, preference, 3, RunOptions(), regime)
    assert placed.place(preference, data.histories, pd.DataFrame(index=range(20))).tolist() == [0] * 20


@pytest.mark.parametrize(("n_starts", "going_on"), [(1, 1), (3, 1), (4, 2), (10, 4)])
def test_only_the_promising_starts_go_on_and_no_more_are_held(n_starts: int, going_on: int) -> None:
    worth_after_one = np.random.default_rng(0).permutation(n_starts).astype(float)
    rounds = [0] * n_starts

    class Counted:
        """A search whose value is told: the second best after one round is the best at the end."""

        def __init__(self, number: int) -> None:
            self.number = number

        @property
        def value(self) -> float:
            early = worth_after_one[self.number]
            return early + 1.5 * (early == n_starts - 2) * (rounds[self.number] > 1)

        def advance(self, n: int) -> Counted:
            rounds[self.number] += n
            return self

        def result(self) -> Segmentation:
            return Segmentation(np.array([self.number]), np.empty((1, 0)), [self.value], True)

    shares: list[float] = []
    found = best_of_starts(map(Counted, range(n_starts)), n_starts, 30, lambda share, _: shares.append(share))
    assert sorted(rounds) == [1] * (n_starts - going_on) + [30] * going_on
    assert all(rounds[number] == 30 for number in np.argsort(-worth_after_one)[:going_on])
    best_at_the_end = n_starts - 2 if going_on > 1 else n_starts - 1
    assert worth_after_one[found.labels.item()] == best_at_the_end
    assert shares == pytest.approx(np.arange(1, n_starts + going_on + 1) / (n_starts + going_on))


@both
def test_a_search_goes_on_where_it_stopped(regime: Regime) -> None:
    values, histories = random_case(3, n_users=60, n_items=40)
    start = np.random.default_rng(3).integers(0, 6, 60)
    whole = segment(values, histories, start, regime)
    search = Search(values, histories, start, regime)
    parts = [search.advance(1).value for _ in range(len(whole.values))]
    assert parts[:-1] == whole.values[1:] and search.advance(10).value == whole.value
    assert len(whole.values) > 2 and search.result().converged
    assert (search.result().labels == whole.labels).all() and (search.result().rankings == whole.rankings).all()
