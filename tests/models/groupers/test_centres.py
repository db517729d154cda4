import warnings

import numpy as np
import pytest
from sklearn.cluster import KMeans

from grouprec.core.types import SettingError
from grouprec.models.groupers.centres import centre_distances, check_n_groups, fit_centres

PLACES = np.repeat([[0.0], [5.0], [9.0]], [2, 6, 3], axis=0).astype(np.float32)


def test_centres_stand_by_size_and_none_is_lost_in_one_dimension() -> None:
    assert fit_centres(PLACES, 3, 4, 1, 0).tolist() == [[5], [9], [0]]
    with warnings.catch_warnings(action="error"):  # scikit-learn warns where more are asked for than there are places
        assert fit_centres(PLACES, 9, 4, 1, 0).tolist() == [[5], [9], [0]]


def test_groups_of_equal_size_stay_in_the_order_of_k_means() -> None:
    places = np.arange(50)
    points = np.repeat(places, 1 + places % 2)[:, None].astype(np.float32)  # two points at every odd place
    found = KMeans(50, n_init=1, random_state=3).fit(points).cluster_centers_
    expected = sorted(found.ravel().tolist(), key=lambda place: round(place) % 2 == 0)
    assert fit_centres(points, 50, 1, 1, 3).ravel() == pytest.approx(expected)


def test_no_more_iterations_than_asked_for() -> None:
    points = np.random.default_rng(0).random((200, 2)).astype(np.float32)
    one, many = (fit_centres(points, 8, 1, 1, 0, max_iter=n) for n in (1, 300))
    assert not np.allclose(one, many)


def test_a_group_of_exactly_the_smallest_size_stays_and_smaller_ones_go_smallest_first() -> None:
    assert fit_centres(PLACES, 3, 4, 2, 0).tolist() == [[5], [9], [0]]
    found = fit_centres(PLACES, 3, 4, 3, 0)
    assert found.tolist() == [[5], [9]] and found.dtype == np.float32
    assert fit_centres(PLACES, 3, 4, 4, 0).tolist() == [[5]]
    assert fit_centres(PLACES[:4], 2, 4, 50, 0).shape == (1, 1)


def test_the_members_of_a_group_that_goes_can_save_the_next_smallest() -> None:
    points = np.repeat([[0.0], [1.0], [9.0]], [1, 2, 5], axis=0).astype(np.float32)
    assert fit_centres(points, 3, 4, 3, 0).tolist() == [[9], [1]]


def test_without_points_there_is_one_centre_at_the_origin() -> None:
    assert fit_centres(np.empty((0, 2), np.float32), 3, 4, 1, 0).tolist() == [[0, 0]]


def test_distances_are_euclidean_and_nothing_for_those_not_known() -> None:
    found = centre_distances(np.array([[0.0, 0], [3, 4]]), np.array([[0.0, 0], [3, 0]]), np.array([False, True]))
    assert found.tolist() == [[0, 0], [5, 4]] and found.dtype == np.float32


def test_one_group_and_as_many_as_users_can_be_formed() -> None:
    check_n_groups(1, 6)
    check_n_groups(6, 6)
    for n_groups in (0, 7):
        with pytest.raises(SettingError, match="choose n_groups from 1 to 6"):
            check_n_groups(n_groups, 6)
