from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from grouprec.core.types import Candidates, Preference, SettingError
from grouprec.data.dataset import Dataset, Interactions
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.behaviour import BehaviourGrouper, _popularity_tiers, _tier_shares, _time_features

DAY = 86400.0
N_ITEMS = 60
NO_ATTRIBUTES = pd.DataFrame()
ANY = Preference(
    Candidates(np.zeros((1, 1), np.int32), np.ones((1, 1), np.float32), 1), np.ones((1, 1)), np.ones((1, 1))
)


def data_of(events: pd.DataFrame, timed: bool = True) -> Dataset:
    """Return data of events with columns user, item, day, weight."""
    users, items = events["user"].to_numpy(np.int32), events["item"].to_numpy(np.int32)
    days = events["day"].to_numpy(np.float64) * DAY
    train = Interactions(users, items, events["weight"].to_numpy(np.float32), days if timed else None)
    user_ids = np.array([f"u{n}" for n in range(users.max() + 1)], dtype=object)
    item_ids = np.array([f"i{n}" for n in range(N_ITEMS)], dtype=object)
    none = Interactions.empty(timed)
    return Dataset("test", "test", user_ids, item_ids, train, none, none, item_ids)


def customers(light: int = 40, heavy: int = 30, lapsed: int = 20) -> tuple[Dataset, np.ndarray]:
    """Return a year of light, heavy and lapsed customers, and which of these (0, 1, 2) everybody is.

    Light ones buy 3 to 5 things and heavy ones 25 to 40 at twice the price, both until the last weeks; lapsed ones
    bought 8 to 15 things in the first three months.
    """
    rng = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 2], [light, heavy, lapsed])
    counts = rng.integers(np.array([3, 25, 8])[kinds], np.array([6, 41, 16])[kinds])
    users = np.repeat(np.arange(len(kinds)), counts)
    of_event = kinds[users]
    items = np.concatenate([rng.choice(N_ITEMS, count, replace=False) for count in counts])
    day = np.where(of_event == 2, rng.uniform(0, 90, len(users)), rng.uniform(0, 365, len(users)))
    first = np.diff(users, prepend=-1) > 0
    day = np.where(first & (of_event < 2), rng.uniform(350, 365, len(users)), day)
    weight = rng.uniform(1, 2, len(users)) * np.where(of_event == 1, 2, 1)
    return data_of(pd.DataFrame({"user": users, "item": items, "day": day, "weight": weight})), kinds


def fitted(data: Dataset, n_groups: int, **settings: int | bool) -> BehaviourGrouper:
    config = BehaviourGrouper.Config.for_preset("quick").model_copy(update=settings)
    return BehaviourGrouper(config).fit(data, ANY, n_groups, RunOptions())


@pytest.mark.parametrize("mix", [True, False])
def test_behaviour_recovers_light_heavy_and_lapsed_customers(mix: bool) -> None:
    data, kinds = customers()
    groups = fitted(data, 3, mix=mix).groups()
    assert groups.sizes[0] >= groups.sizes[1] >= groups.sizes[2]
    assert adjusted_rand_score(kinds, groups.labels) >= 0.9


def test_one_huge_customer_does_not_take_a_group_from_the_others() -> None:
    data, kinds = customers()
    weights = data.train.weights.copy()
    weights[data.train.user_rows == 50] *= 1e6
    groups = fitted(replace(data, train=replace(data.train, weights=weights)), 3).groups()
    assert adjusted_rand_score(kinds, groups.labels) >= 0.9


def test_recency_and_clumpiness_are_those_of_the_formulas() -> None:
    # A period of 9 days; user 0 comes on days 2, 5 and 8, evenly but for the ends; user 1 on the first day, twice.
    events = Interactions(
        np.array([0, 1, 0, 1, 0, 2], np.int32),
        np.zeros(6, np.int32),
        np.ones(6, np.float32),
        np.array([1.2, 0.0, 7.9, 0.9, 4.5, 8.0]) * DAY,
    )
    features = _time_features(events, 4)
    waits = [np.array([2, 3, 3, 2]) / 10, np.array([1, 9]) / 10, np.array([9, 1]) / 10]
    clumpiness = [1 + (x * np.log(x)).sum() / np.log(len(x)) for x in waits]
    assert np.allclose(np.expm1(features[:3, 0]), [1, 8, 0])
    assert np.allclose(features[:3, 1], clumpiness)
    assert np.isnan(features[3]).all()  # no events


def test_popularity_tiers_hold_equal_shares_of_all_entries() -> None:
    counts = np.array([1, 4, 1, 2, 2])  # of 10 entries: 4 to the first two tiers, then 2, 2, 1 and 1
    rows = np.concatenate([np.arange(count) for count in counts])
    histories = sparse.csr_array((np.ones(10, np.float32), (rows, np.repeat(np.arange(5), counts))), shape=(4, 5))
    tiers = _popularity_tiers(histories)
    assert tiers.dtype == np.int32 and tiers.tolist() == [4, 1, 4, 2, 3]
    n_items, shares = _tier_shares(histories, tiers)
    assert n_items.tolist() == [5, 3, 1, 1]
    assert np.allclose(shares[0], [0, 0.2, 0.2, 0.2, 0.4]) and np.allclose(shares.sum(axis=1), 1)


def test_users_placed_later_go_by_frequency_and_weight() -> None:
    data, kinds = customers(lapsed=0)
    grouper = fitted(data, 2)
    again = BehaviourGrouper(grouper.config).load(grouper.arrays())
    placed = again.place(ANY, data.histories, NO_ATTRIBUTES)
    distances = again.distances(ANY, data.histories, NO_ATTRIBUTES)
    assert placed.dtype == np.int32 and np.array_equal(placed, distances.argmin(axis=1))
    assert adjusted_rand_score(kinds, placed) >= 0.9


def test_users_without_history_are_equally_far_from_all_groups() -> None:
    data, _ = customers()
    nobody = sparse.csr_array((2, N_ITEMS), dtype=np.float32)
    assert fitted(data, 3).distances(ANY, nobody, NO_ATTRIBUTES).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_without_times_frequency_and_weight_still_tell_users_apart() -> None:
    data, kinds = customers(lapsed=0)
    untimed = replace(data, train=replace(data.train, times=None))
    grouper = fitted(untimed, 2)
    assert adjusted_rand_score(kinds, grouper.groups().labels) >= 0.9
    # All that is known of the fitted users stands in their histories, so they are placed where they are.
    assert np.array_equal(grouper.place(ANY, data.histories, NO_ATTRIBUTES), grouper.groups().labels)


def test_groups_below_the_smallest_size_join_the_nearest_other() -> None:
    data, kinds = customers(lapsed=3)
    groups = fitted(data, 3, min_group_size=5, mix=False).groups()
    assert (groups.sizes >= 5).all() and groups.sizes.sum() == len(kinds)
    assert fitted(data, 3, min_group_size=500).groups().sizes.tolist() == [73]


@pytest.mark.parametrize("n_users", [9, 1])
@pytest.mark.parametrize("timed", [True, False])
def test_users_who_behave_alike_form_one_group(n_users: int, timed: bool) -> None:
    events = pd.DataFrame({"user": np.repeat(np.arange(n_users), 2), "item": [0, 1] * n_users, "day": 1.0, "weight": 1})
    groups = fitted(data_of(events, timed), min(3, n_users), min_group_size=1).groups()
    assert groups.n_groups == 1 and groups.sizes.tolist() == [n_users]


def test_one_group_holds_everybody() -> None:
    data, kinds = customers()
    assert fitted(data, 1).groups().sizes.tolist() == [len(kinds)]


@pytest.mark.parametrize("n_groups", [0, 91])
def test_impossible_numbers_of_groups_are_refused(n_groups: int) -> None:
    with pytest.raises(SettingError, match="choose n_groups from 1 to 90"):
        fitted(customers()[0], n_groups)


def column_counts(*counts: int) -> sparse.csr_array:
    """Return the histories of users of whom so many have each item."""
    rows = np.concatenate([np.arange(count) for count in counts])
    items = np.repeat(np.arange(len(counts)), counts)
    return sparse.csr_array((np.full(len(rows), 3, np.float32), (rows, items)), shape=(max(counts), len(counts)))


def test_an_item_is_in_the_tier_of_the_middle_of_its_entries() -> None:
    assert _popularity_tiers(column_counts(6, 4)).tolist() == [1, 4]  # middles at 3 and 8 of 10
    assert _popularity_tiers(column_counts(1)).tolist() == [2]
    assert _popularity_tiers(column_counts(2, 0)).tolist() == [2, 4]  # what nobody has is least popular
    tiers = _popularity_tiers(column_counts(*[1, 2] * 50))  # items of equal popularity by their place
    assert tiers[1::2].tolist() == np.repeat(np.arange(4), [15, 15, 15, 5]).tolist()
    assert tiers[::2].tolist() == np.repeat([3, 4], [20, 30]).tolist()


def test_entries_of_zero_are_no_items_and_weights_do_not_count() -> None:
    histories = column_counts(2, 2, 1)
    histories.data[histories.indptr[1]] = 0  # the second user's first item
    counts, shares = _tier_shares(histories, np.array([0, 1, 4], np.int32))
    assert counts.tolist() == [3, 1]
    assert shares == pytest.approx(np.array([[1 / 3, 1 / 3, 0, 0, 1 / 3], [0, 1, 0, 0, 0]]))


def test_one_event_is_no_days_ago_and_none_are_unknown() -> None:
    event = Interactions(*(np.array([1], np.int32), np.array([0], np.int32), np.ones(1, np.float32)), np.array([9.0]))
    features = _time_features(event, 2)
    assert np.isnan(features[0]).all() and features[1].tolist() == pytest.approx([0, 0])
    assert np.isnan(_time_features(event.take(np.zeros(0, np.int64)), 2)).all()


def test_features_are_those_of_the_users_in_standard_deviations_up_to_three() -> None:
    data, _ = customers()
    grouper = fitted(data, 3)
    features = grouper._behaviour(data.histories, np.tile([2.0, 0.5], (data.n_users, 1)))
    frequency = np.log1p(np.diff(data.histories.indptr))
    assert features[:, 0].tolist() == [2.0] * data.n_users and features[:, 3].tolist() == [0.5] * data.n_users
    assert features[:, 1] == pytest.approx(frequency)
    assert features[:, 2] == pytest.approx(np.log1p(data.histories.sum(axis=1)))
    mean, std = grouper.arrays()["mean"], grouper.arrays()["std"]
    assert (mean[1], std[1]) == pytest.approx((frequency.mean(), frequency.std()))
    scaled = grouper._standardise(np.stack([mean + std, mean - 2 * std, mean + 9 * std, mean - 9 * std, mean * np.nan]))
    assert scaled == pytest.approx(np.array([[1], [-2], [3], [-3], [0]]).repeat(6, axis=1), abs=1e-5)


def test_what_is_the_same_for_all_has_a_unit_of_its_own() -> None:
    events = pd.DataFrame({"user": np.repeat(np.arange(9), 2), "item": [0, 1] * 9, "day": 1.0, "weight": 1})
    assert fitted(data_of(events), 3).arrays()["std"].tolist() == [1] * 6


def test_a_user_with_a_single_item_is_known() -> None:
    grouper = fitted(customers()[0], 3)
    one = sparse.csr_array((np.ones(1, np.float32), ([0], [3])), shape=(1, N_ITEMS))
    assert (grouper.distances(ANY, one, NO_ATTRIBUTES) > 0).all()


def test_the_end_is_reported_with_the_number_of_groups() -> None:
    seen = []
    run = RunOptions(on_progress=lambda fraction, values: seen.append((fraction, values)))
    BehaviourGrouper().fit(customers()[0], ANY, 3, run)
    assert seen == [(1.0, {"groups": 3.0})]


def test_features_do_not_depend_on_when_the_period_was() -> None:
    times = np.array([1.2, 0.0, 7.9, 0.9, 4.5, 8.0]) * DAY
    then, now = (
        Interactions(
            np.array([0, 1, 0, 1, 0, 2], np.int32), np.zeros(6, np.int32), np.ones(6, np.float32), times + start
        )
        for start in (0, 19_000 * DAY)
    )
    assert np.allclose(_time_features(then, 3), _time_features(now, 3))
