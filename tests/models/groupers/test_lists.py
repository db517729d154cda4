"""Groups made for their lists: who goes where, and what happens to many users and to strangers."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from grouprec.core.types import Candidates, SettingError
from grouprec.data.synthetic import planted
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.lists import ListsGrouper, _material, _worth_to_few
from grouprec.models.groupers.segmentation import list_worth
from grouprec.ranking.candidates import discounts, make_preference, place_preference
from grouprec.ranking.group_lists import members_mean, worth

KNOWN = planted(n_users=240, n_items=120, n_groups=3, events_per_user=20, ordered=False)
DATA = KNOWN.data
NO_ATTRIBUTES = pd.DataFrame(index=range(DATA.n_users))
REGIMES = ("strict", "dedup")


def wishes(labels, histories, seed=0):
    """What users want: items of their taste that they lack, in an order that they mostly share, then any items."""
    rng = np.random.default_rng(seed)
    likes = np.zeros((len(labels), DATA.n_items))
    likes[np.arange(len(labels))[:, None], KNOWN.favourites[labels]] = 1
    shared = np.linspace(0.5, 0, DATA.n_items)
    scores = likes + shared + 0.3 * rng.random(likes.shape)
    scores[histories.nonzero()] = -np.inf
    items = np.argsort(-scores, axis=1)[:, :40].astype(np.int32)
    return Candidates(items, np.take_along_axis(scores, items, axis=1).astype(np.float32), DATA.n_items)


PREFERENCE = make_preference(wishes(KNOWN.labels, DATA.histories))


def fitted(n_groups=3, regime="strict", **settings):
    config = ListsGrouper.Config.for_preset("quick").model_copy(update=settings)
    return ListsGrouper(config).fit(DATA, PREFERENCE, n_groups, RunOptions(), regime)


def served(candidates, histories, groups, regime):
    """What the lists of the groups are worth to each user, [B, G], by a plain loop over users and lists."""
    lists = members_mean(PREFERENCE.candidates, groups, DATA.histories, seed=0)
    values, owned = worth(candidates).toarray(), histories.toarray() != 0
    out = np.zeros((len(values), groups.n_groups))
    for user, group in np.ndindex(*out.shape):
        if regime == "strict":
            out[user, group] = values[user, lists.strict[group, :10]].sum()
        else:
            lacking = [item for item in lists.ranking[group, :100] if item >= 0 and not owned[user, item]][:10]
            out[user, group] = values[user, lacking] @ discounts(len(lacking))
    return out


@pytest.mark.parametrize("regime", REGIMES)
def test_planted_tastes_are_the_groups(regime):
    groups = fitted(regime=regime).groups()
    assert adjusted_rand_score(KNOWN.labels, groups.labels) >= 0.95
    assert (np.diff(groups.sizes) <= 0).all()


@pytest.mark.parametrize("regime", REGIMES)
def test_strangers_go_to_the_group_whose_list_serves_them_best(regime):
    grouper = fitted(regime=regime)
    rng = np.random.default_rng(7)
    labels = rng.integers(0, 3, 60)
    histories = sparse.csr_array((rng.random((60, DATA.n_items)) < 0.05).astype(np.float32))
    candidates = wishes(labels, histories, seed=8)
    placed = grouper.place(place_preference(candidates, PREFERENCE), histories, NO_ATTRIBUTES.iloc[:60])
    worths = served(candidates, histories, grouper.groups(), regime)
    at = np.arange(60)
    assert worths[at, placed] == pytest.approx(worths.max(axis=1), abs=1e-4)
    by_taste = [np.bincount(grouper.groups().labels[KNOWN.labels == taste]).argmax() for taste in range(3)]
    assert (placed == np.array(by_taste)[labels]).mean() > 0.95


@pytest.mark.parametrize("regime", REGIMES)
def test_distances_say_what_is_missed(regime):
    grouper = fitted(regime=regime)
    distances = grouper.distances(PREFERENCE, DATA.histories, NO_ATTRIBUTES)
    worths = served(PREFERENCE.candidates, DATA.histories, grouper.groups(), regime)
    assert distances == pytest.approx(worths.max(axis=1, keepdims=True) - worths, abs=1e-4)
    assert (distances.min(axis=1) == 0).all()


@pytest.mark.parametrize("regime", REGIMES)
def test_users_beyond_the_sample_are_placed_and_every_group_has_members(regime):
    grouper = fitted(n_groups=4, regime=regime, sample_users=100)
    groups = grouper.groups()
    assert len(groups.labels) == 240 and groups.labels.dtype == np.int32
    assert groups.sizes.min() > 0 and (np.diff(groups.sizes) <= 0).all()
    assert np.array_equal(groups.labels, grouper.place(PREFERENCE, DATA.histories, NO_ATTRIBUTES))
    three = fitted(regime=regime, sample_users=100).groups()
    assert adjusted_rand_score(KNOWN.labels, three.labels) >= 0.95


def test_each_regime_has_groups_of_its_own():
    # What members have decides what they see of a ranking; two users who want alike need not have alike.
    strict, dedup = (fitted(n_groups=8, regime=regime).groups() for regime in REGIMES)
    assert adjusted_rand_score(strict.labels, dedup.labels) < 0.9
    grouper = fitted(n_groups=8, regime="dedup")
    again = ListsGrouper(grouper.config).load(grouper.arrays())
    who = PREFERENCE, DATA.histories, NO_ATTRIBUTES
    assert np.array_equal(again.distances(*who), grouper.distances(*who))
    assert not np.array_equal(again.distances(*who), fitted(n_groups=8).distances(*who))


@pytest.mark.parametrize("regime", REGIMES)
def test_no_group_is_below_the_smallest_size(regime):
    groups = fitted(n_groups=12, regime=regime, min_group_size=15).groups()
    assert groups.sizes.min() >= 15 and groups.n_groups > 1
    # Where so many groups cannot be as large, an even share is the smallest size.
    assert fitted(n_groups=60, regime=regime, min_group_size=15).groups().sizes.min() >= 4


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("seed", range(3))
def test_lists_are_worth_the_same_to_few_users_as_to_many(regime, seed):
    rng = np.random.default_rng(seed)
    items = np.stack([rng.permutation(30)[:20] for _ in range(5)]).astype(np.int32)
    scores = -np.sort(-rng.random((5, 20)), axis=1).astype(np.float32)
    items[0, 15:], items[1], scores[0, 15:], scores[1] = -1, -1, 0, 0  # few candidates, and none
    candidates = Candidates(items, scores, 30)
    owned = rng.integers(0, 4, (5, 30)) * (rng.random((5, 30)) < 0.5)
    owned[candidates.matrix().toarray() > 0] = 0  # nobody's candidates are theirs already
    histories = sparse.csr_array(owned.astype(np.float32))
    rankings = np.stack([rng.permutation(30)[:25], np.arange(25), np.full(25, -1)]).astype(np.int32)
    rankings[0, 18:] = -1
    found = _worth_to_few(candidates, histories, rankings, regime)
    expected = list_worth(worth(candidates).T.tocsr(), histories.T.tocsr(), rankings, regime)
    assert found == pytest.approx(expected, abs=1e-6) and found.dtype == np.float32
    assert found.max() > 0.3 and not found[:, 2].any() and not found[1].any()


def test_a_list_that_serves_nobody_best_is_dropped_and_the_others_are_numbered_by_size():
    grouper = fitted()
    good = grouper.arrays()["rankings"]
    grouper._rankings = np.concatenate([np.full_like(good[:1], -1), good[::-1]])
    labels = grouper._settle(PREFERENCE, DATA.histories)
    assert len(grouper._rankings) == 3 and (np.diff(np.bincount(labels)) <= 0).all()
    assert np.array_equal(labels, grouper.place(PREFERENCE, DATA.histories, NO_ATTRIBUTES))


def test_groups_of_equal_size_stay_in_the_order_of_their_lists():
    grouper = fitted()
    grouper._rankings = np.arange(8, dtype=np.int32)[:, None]
    wanted = np.repeat(np.arange(8, dtype=np.int32), 1 + np.arange(8) % 2)[:, None]  # two want every odd list
    candidates = Candidates(wanted, np.ones(wanted.shape, np.float32), DATA.n_items)
    labels = grouper._settle(make_preference(candidates), DATA.histories[: len(wanted)])
    assert grouper._rankings.ravel().tolist() == [1, 3, 5, 7, 0, 2, 4, 6]
    assert grouper._rankings[labels].tolist() == wanted.tolist()


@pytest.mark.parametrize("regime", REGIMES)
def test_the_sample_is_of_different_users_in_a_space_as_wide_as_that_of_all(regime):
    values, histories, _, space = _material.__wrapped__(DATA, PREFERENCE, regime, 239, 0)
    whole = worth(PREFERENCE.candidates).toarray()
    rows = [np.flatnonzero((whole == row).all(axis=1)).item() for row in values.toarray()]
    assert len(set(rows)) == 239 and rows == sorted(rows)
    assert (histories != DATA.histories[rows]).nnz == 0
    assert space.shape == (239, PREFERENCE.space.shape[1]) and space.dtype == np.float64
    assert (regime == "strict") == np.array_equal(space, PREFERENCE.space[rows])


def test_the_search_reports_every_start_and_that_it_converged():
    seen = []
    config = ListsGrouper.Config(n_starts=4)
    run = RunOptions(on_progress=lambda fraction, values: seen.append((fraction, values)))
    grouper = ListsGrouper(config).fit(DATA, PREFERENCE, 3, run)
    assert [fraction for fraction, _ in seen] == [1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1]  # two of four go on
    values = [values["list value"] for _, values in seen]
    assert values == sorted(values) and grouper.converged and 1 <= grouper.rounds <= 31
    cut_short = ListsGrouper(ListsGrouper.Config(n_starts=1, max_rounds=1)).fit(DATA, PREFERENCE, 8, RunOptions())
    assert not cut_short.converged and cut_short.rounds == 2


@pytest.mark.parametrize("n_groups", [0, 241])
def test_impossible_numbers_of_groups_are_refused(n_groups):
    with pytest.raises(SettingError, match="choose n_groups from 1 to 240"):
        fitted(n_groups)


@pytest.mark.parametrize("regime", REGIMES)
def test_users_who_want_different_things_may_all_be_groups_of_one(regime):
    items = np.arange(24, dtype=np.int32).reshape(6, 4)
    candidates = Candidates(items, np.tile(np.array([4, 3, 2, 1], np.float32), (6, 1)), 24)
    data = planted(n_users=6, n_items=24).data
    # A space of six users has five dimensions, in which two of them may coincide; several starts part them.
    grouper = ListsGrouper().fit(data, make_preference(candidates), 5, RunOptions(), regime)
    groups = grouper.groups()
    assert groups.sizes.sum() == 6 and groups.sizes.min() == 1 and groups.n_groups == 5
