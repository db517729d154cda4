import itertools

import numpy as np
import pytest

from grouprec.data.synthetic import SIZES, planted


def taken(answer):
    """Return every user's items in the order taken, int [U, T]."""
    data = answer.data
    parts = [part.item_rows.reshape(data.n_users, -1) for part in (data.train, data.validation, data.test)]
    return np.concatenate(parts, axis=1)


def test_without_noise_users_take_favourites_of_their_group_only():
    answer = planted(n_users=50, n_items=31, n_groups=3, noise=0.0, ordered=False)
    blocks = np.array([1, 2, 3]).repeat([11, 10, 10])  # a catalogue that three does not divide
    assert (blocks[taken(answer)] == answer.labels[:, None] + 1).all()
    assert answer.favourites.shape == (3, 10)
    assert (blocks[answer.favourites] == np.array([[1], [2], [3]])).all()


def test_ordered_walks_go_to_the_successor_and_back_to_the_first():
    steps = np.diff(taken(planted(n_users=30, n_items=20, n_groups=2, noise=0.0)), axis=1)
    assert set(steps.ravel()) == {1, -9}


@pytest.mark.parametrize("ordered", [True, False])
def test_noise_is_the_share_of_items_drawn_from_the_whole_catalogue(ordered):
    answer = planted(n_users=2_000, n_items=40, n_groups=4, noise=0.4, ordered=ordered)
    foreign = taken(answer) // 10 != answer.labels[:, None]
    assert foreign.mean() == pytest.approx(0.4 * 3 / 4, abs=0.01)
    assert np.bincount(taken(answer)[foreign], minlength=40).min() > 0


def test_every_user_is_in_every_part_and_times_ascend():
    data = planted(n_users=20).data
    ends = []
    for part in (data.train, data.validation, data.test):
        assert np.array_equal(np.unique(part.user_rows), np.arange(20))
        times = part.times.reshape(20, -1)
        assert (np.diff(times, axis=1) > 0).all()
        ends.append((times[:, 0], times[:, -1]))
    assert all((end < start).all() for (_, end), (start, _) in itertools.pairwise(ends))


def test_the_same_seed_gives_the_same_data_and_another_seed_does_not():
    one, same, other = planted(seed=3), planted(seed=3), planted(seed=4)
    assert np.array_equal(taken(one), taken(same)) and np.array_equal(one.labels, same.labels)
    assert one.data.user_attributes.equals(same.data.user_attributes)
    assert not np.array_equal(taken(one), taken(other))


def test_attributes_tell_the_group_in_nine_of_ten_cases_and_the_category_always():
    answer = planted(n_users=4_000, n_groups=4)
    regions = answer.data.user_attributes["region"].str.removeprefix("region ").astype(int)
    assert (regions.to_numpy() == answer.labels).mean() == pytest.approx(0.9 + 0.1 / 4, abs=0.02)
    categories = answer.data.item_attributes["category"].str.removeprefix("category ").astype(int).to_numpy()
    assert (categories[answer.favourites] == np.arange(4)[:, None]).all()
    assert answer.data.item_attributes["text"][0] == "word0a word0b shared"


@pytest.mark.parametrize("name", ["small", "medium"])
def test_the_named_sizes_have_users_in_every_group(name):
    size = SIZES[name]
    answer = planted(**size)
    assert answer.data.shape == (size["n_users"], size["n_items"])
    assert (np.bincount(answer.labels, minlength=size["n_groups"]) > 0.8 * size["n_users"] / size["n_groups"]).all()
    assert len(set(answer.data.user_ids)) == size["n_users"]


def test_the_sizes_and_defaults_are_those_of_the_benchmarks():
    numbers = {name: tuple(size.values()) for name, size in SIZES.items()}
    assert numbers == {"small": (2000, 500, 8), "medium": (20_000, 5000, 20), "large": (100_000, 20_000, 50)}
    data = planted().data
    assert data.key == "planted-240-120-4-24-0.15-True-0"
    assert data.shape == (240, 120) and len(data.train) == 240 * 19
    assert planted(n_groups=4).data.key == data.key


def test_parts_are_eight_one_and_one_of_ten_rows_a_day_apart():
    data = planted(n_users=200, events_per_user=20).data
    parts = (data.train, data.validation, data.test)
    assert [len(part) // 200 for part in parts] == [16, 2, 2]
    days = np.concatenate([part.times.reshape(200, -1) for part in parts], axis=1) / 86_400
    np.testing.assert_allclose(np.diff(days, axis=1), 1)
    offsets = days[:, 0]
    assert 0 <= offsets.min() < 0.05 and 0.45 < offsets.max() < 0.5
    for part in parts:
        assert part.user_rows.tolist() == np.repeat(np.arange(200), len(part) // 200).tolist()
        assert (part.weights == 1).all() and part.weights.dtype == np.float32


def test_users_start_anywhere_and_a_wrong_region_may_be_any():
    answer = planted(n_users=3000, n_items=20, n_groups=2, noise=0)
    assert set(taken(answer)[:, 0]) == set(range(20))
    regions = answer.data.user_attributes["region"]
    assert set(regions) == {"region 0", "region 1"} and set(answer.labels) == {0, 1}
    for label in (0, 1):
        assert (regions[answer.labels == label] != f"region {label}").mean() == pytest.approx(0.05, abs=0.015)


def test_ages_are_normal_around_forty():
    ages = planted(n_users=20_000, n_items=4, n_groups=2, events_per_user=10).data.user_attributes["age"]
    assert ages.mean() == pytest.approx(40, abs=0.25) and ages.std() == pytest.approx(9, abs=0.25)


def test_names_are_numbered():
    data = planted(n_users=3, n_items=4, n_groups=2).data
    assert data.user_ids.tolist() == ["u00000", "u00001", "u00002"]
    assert data.item_ids[3] == "i00003" and data.item_labels[3] == "Item 3"


def test_a_seed_plants_what_it_always_did():
    items = taken(planted(n_users=4, n_items=40, n_groups=2, events_per_user=10))
    assert items[[0, 3]].tolist() == [[7, 8, 9, 10, 11, 12, 13, 24, 15, 3], [21, 22, 23, 24, 25, 26, 27, 28, 29, 30]], (
        "or measured results could not be repeated"
    )
