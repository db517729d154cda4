import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

from grouprec.core.types import Candidates, Preference, SettingError
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.kmeans import KMeansGrouper

DATA = planted().data
NO_ATTRIBUTES = pd.DataFrame()
NO_HISTORIES = sparse.csr_array((1, 1), dtype=np.float32)


def preference_of(space: np.ndarray) -> Preference:
    items = np.zeros((len(space), 1), np.int32)
    scores = np.ones((len(space), 1), np.float32)
    return Preference(Candidates(items, scores, 1), space.astype(np.float32), np.zeros((1, space.shape[1]), np.float32))


def fitted(space: np.ndarray, n_groups: int, data: Dataset = DATA, **settings: int) -> KMeansGrouper:
    config = KMeansGrouper.Config.for_preset("quick").model_copy(update=settings)
    return KMeansGrouper(config).fit(data, preference_of(space), n_groups, RunOptions())


def blobs(*sizes: int) -> np.ndarray:
    """Return well separated points, the given number around each of several places."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(10 * (place + 1), 0.1, (size, 2)) for place, size in enumerate(sizes)])


def test_kmeans_recovers_planted_groups() -> None:
    answer = planted(n_groups=4)
    space = TruncatedSVD(8, random_state=0).fit_transform(normalize(answer.data.histories))
    groups = fitted(space, 4, answer.data).groups()
    assert adjusted_rand_score(answer.labels, groups.labels) >= 0.95


def test_groups_are_numbered_by_size() -> None:
    groups = fitted(blobs(7, 30, 12), 3).groups()
    assert groups.sizes.tolist() == [30, 12, 7]


def test_groups_below_the_smallest_size_join_the_nearest_other() -> None:
    space = blobs(20, 2, 3, 30)
    groups = fitted(space, 4, min_group_size=5).groups()
    assert groups.n_groups == 2
    assert groups.labels[20:22].tolist() == [1, 1]  # next to the 20
    assert groups.labels[22:25].tolist() == [0, 0, 0]  # next to the 30


def test_one_group_is_left_where_all_are_too_small() -> None:
    groups = fitted(blobs(3, 3), 2, min_group_size=50).groups()
    assert groups.n_groups == 1 and groups.sizes.tolist() == [6]


def test_coinciding_users_give_fewer_groups_and_no_empty_one() -> None:
    space = np.repeat([[1.0, 0.0], [0.0, 1.0]], 10, axis=0)
    with warnings.catch_warnings(action="error"):  # scikit-learn warns where more are asked for than there are places
        groups = fitted(space, 7, min_group_size=1).groups()
    assert groups.n_groups == 2 and groups.sizes.tolist() == [10, 10]


def test_users_without_preference_belong_to_the_largest_group() -> None:
    space = np.concatenate([blobs(6, 20), np.zeros((8, 2))])
    grouper = fitted(space, 2)
    assert grouper.groups().labels[-8:].tolist() == [0] * 8
    assert grouper.groups().sizes.tolist() == [28, 6]
    assert grouper.place(preference_of(np.zeros((1, 2))), NO_HISTORIES, NO_ATTRIBUTES).tolist() == [0]


def test_users_without_preference_do_not_pass_another_group_in_size() -> None:
    space = np.concatenate([blobs(9, 10), np.zeros((5, 2))])
    assert fitted(space, 2).groups().sizes.tolist() == [15, 9]


def test_nobody_has_a_preference() -> None:
    groups = fitted(np.zeros((6, 3)), 2).groups()
    assert groups.n_groups == 1 and not groups.labels.any()


def test_place_puts_fitted_users_where_they_are_and_new_ones_nearest() -> None:
    space = blobs(9, 30, 12)
    grouper = fitted(space, 3)
    again = KMeansGrouper().load(grouper.arrays())
    placed = again.place(preference_of(space), NO_HISTORIES, NO_ATTRIBUTES)
    assert placed.dtype == np.int32
    assert np.array_equal(placed, grouper.groups().labels)
    assert again.place(preference_of(np.array([[10.5, 9.0]])), NO_HISTORIES, NO_ATTRIBUTES).tolist() == [2]


def test_users_on_an_axis_are_known_and_three_places_in_one_dimension_are_three_groups() -> None:
    grouper = fitted(np.repeat([[1.0], [5.0], [9.0]], [5, 7, 6], axis=0), 3)
    assert grouper.groups().sizes.tolist() == [7, 6, 5]
    axes = fitted(np.repeat([[1.0, 0.0], [0.0, 1.0]], [7, 5], axis=0), 2)
    distances = axes.distances(preference_of(np.array([[4.0, 0.0]])), NO_HISTORIES, NO_ATTRIBUTES)
    assert distances[0].tolist() == pytest.approx([3, np.sqrt(17)])


def test_no_more_iterations_than_the_setting_allows() -> None:
    space = np.random.default_rng(0).random((200, 2)) + 1
    one, many = (fitted(space, 8, n_init=1, max_iter=n).arrays()["centres"] for n in (1, 300))
    assert not np.allclose(one, many)


def test_a_group_of_exactly_the_smallest_size_stays() -> None:
    assert fitted(blobs(20, 3, 30), 3, min_group_size=3).groups().sizes.tolist() == [30, 20, 3]
    assert fitted(blobs(20, 3, 30), 3, min_group_size=4).groups().n_groups == 2


def test_the_members_of_a_group_that_goes_can_save_the_next_smallest() -> None:
    points = np.repeat([[1.0], [2.0], [9.0]], [1, 2, 5], axis=0)
    assert fitted(points, 3, min_group_size=3).groups().sizes.tolist() == [5, 3]


def test_the_end_is_reported_and_positions_are_all_that_places_users() -> None:
    seen = []
    run = RunOptions(on_progress=lambda fraction, values: seen.append((fraction, values)))
    grouper = KMeansGrouper().fit(DATA, preference_of(blobs(7, 9)), 2, run)
    assert seen == [(1.0, {"groups": 2.0})] and grouper.places_by_space
    nobody = fitted(np.zeros((6, 3)), 2)
    assert nobody.arrays()["centres"].tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("n_groups", [0, 7])
def test_impossible_numbers_of_groups_are_refused(n_groups: int) -> None:
    with pytest.raises(SettingError, match="choose n_groups from 1 to 6"):
        fitted(blobs(6), n_groups)
