from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Candidates, Preference, SettingError
from grouprec.data.beside import with_matrices
from grouprec.data.synthetic import planted
from grouprec.models import placement
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.centres import centre_distances, check_n_groups, fit_centres
from grouprec.models.groupers.kmeans import KMeansGrouper
from grouprec.models.placement import AttributePlacer, place_users

LABELS = np.repeat([0, 1, 2], [50, 40, 30]).astype(np.int32)
REGIONS = np.array(["north", "south", "east"])[LABELS]


def telling(wrong: float = 0.0) -> pd.DataFrame:
    """Return attributes that tell the groups apart but for a share of wrong values."""
    rng = np.random.default_rng(0)
    shuffled = np.where(rng.random(len(LABELS)) < wrong, rng.permutation(REGIONS), REGIONS)
    return pd.DataFrame({"region": shuffled, "age": rng.normal(40, 9, len(LABELS))})


def meaningless() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({"region": rng.permutation(REGIONS), "age": rng.normal(40, 9, len(LABELS))})


def test_attributes_that_tell_groups_apart_place_users() -> None:
    placer = AttributePlacer().fit(telling(wrong=0.1), LABELS)
    assert placer.helps and placer.accuracy > 0.85 and placer.largest_share == pytest.approx(50 / 120)
    placed = placer.place(pd.DataFrame({"region": ["east", "north", "south"], "age": [40, 41, 42]}))
    assert placed.dtype == np.int32 and placed.tolist() == [2, 0, 1]


def test_two_groups_are_told_apart_too() -> None:
    two = LABELS > 0
    placer = AttributePlacer().fit(telling(), (~two).astype(np.int32))
    assert placer.helps and placer.place(pd.DataFrame({"region": ["north", "south"]})).tolist() == [1, 0]


@pytest.mark.parametrize("kept", [2, 0])
def test_groups_keep_their_numbers_where_one_is_too_small_to_be_learned(kept: int) -> None:
    shown = (LABELS != 1) | (np.cumsum(LABELS == 1) <= kept)  # of group 1, in the middle, two users or none
    placer = AttributePlacer().fit(telling()[shown], LABELS[shown])
    asked = pd.DataFrame({"region": ["north", "east"]})
    assert placer.helps and placer.place(asked).tolist() == [0, 2]
    assert AttributePlacer().load(placer.arrays()).place(asked).tolist() == [0, 2]


def test_meaningless_attributes_do_not_help_and_all_get_the_largest_group() -> None:
    placer = AttributePlacer().fit(meaningless(), LABELS)
    assert not placer.helps and not placer.place(meaningless()).any()


@pytest.mark.parametrize(("right", "helps"), [(54, False), (55, True)])
def test_attributes_help_from_one_standard_error_above_the_largest_share(monkeypatch, right: int, helps: bool) -> None:
    labels = np.repeat([0, 1], 50).astype(np.int32)  # 0.55 less its standard error, 0.0497, is just above one half
    guesses = np.where(np.arange(100) < right, labels, 1 - labels)
    monkeypatch.setattr("grouprec.models.placement.cross_val_predict", lambda *args, **settings: guesses)
    assert AttributePlacer().fit(pd.DataFrame({"region": list("ab") * 50}), labels).helps == helps


def test_what_is_computed_from_the_history_is_not_learned() -> None:
    computed = pd.DataFrame({"frequency": LABELS * 10.0, "recency_days": LABELS * 1.0, "spend": LABELS * 1.0})
    assert AttributePlacer().fit(computed.rename(columns={"frequency": "income"}), LABELS).helps
    assert not AttributePlacer().fit(computed, LABELS).helps


def test_users_of_whom_nothing_is_known_get_the_largest_group() -> None:
    placer = AttributePlacer().fit(telling(), LABELS)
    nobody = pd.DataFrame({"region": ["Atlantis", None], "age": [np.nan, np.inf]})
    assert placer.place(nobody).tolist() == [0, 0]
    assert placer.place(pd.DataFrame(index=range(3))).tolist() == [0, 0, 0]


def test_saved_arrays_bring_the_placer_back() -> None:
    placer = AttributePlacer().fit(telling(wrong=0.1), LABELS)
    arrays = placer.arrays()
    assert all(array.dtype.kind in "fiub" for array in arrays.values())
    again = AttributePlacer().load(arrays)
    assert (again.helps, again.accuracy, again.largest_share) == (True, placer.accuracy, placer.largest_share)
    assert np.array_equal(again.place(telling()), placer.place(telling()))


def test_the_same_seed_gives_the_same_placer() -> None:
    one, other = (AttributePlacer().fit(telling(0.2), LABELS, seed=3).arrays() for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("attributes", "labels"),
    [
        (telling(), np.zeros(120, np.int32)),
        (pd.DataFrame(), LABELS),
        (pd.DataFrame(index=range(120)), LABELS),
        (pd.DataFrame({"region": [None] * 120}), LABELS),
        (telling()[48:52], LABELS[48:52]),
        (telling()[:1], LABELS[:1]),
    ],
    ids=["one group", "no attributes", "no columns", "no values", "groups of two", "one user"],
)
def test_where_nothing_can_be_learned_all_get_the_largest_group(attributes: pd.DataFrame, labels: np.ndarray) -> None:
    placer = AttributePlacer().fit(attributes, labels)
    assert not placer.helps and not placer.place(telling()).any()
    assert not AttributePlacer().load(placer.arrays()).place(telling()).any()


def test_large_data_is_learned_from_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placement, "MOST_USERS", 40)
    placer = AttributePlacer().fit(telling(), LABELS)
    assert placer.helps and np.array_equal(placer.place(telling()), LABELS)


def fitted_kmeans() -> tuple[KMeansGrouper, Preference]:
    space = np.eye(3, dtype=np.float32)[LABELS]
    items, scores = np.zeros((len(LABELS), 1), np.int32), np.ones((len(LABELS), 1), np.float32)
    preference = Preference(Candidates(items, scores, 4), space, np.ones((4, 3), np.float32))
    return KMeansGrouper().fit(planted(n_users=20).data, preference, 3, RunOptions()), preference


def test_users_with_history_go_by_preference_and_the_others_by_attributes() -> None:
    grouper, preference = fitted_kmeans()
    placer = AttributePlacer().fit(telling(), grouper.groups().labels)
    rows = [0, 60, 100, 0]  # as the preference has them: group 0, 1, 2, 0
    asked = replace(preference, space=preference.space[rows])
    histories = sparse.csr_array(np.array([[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], np.float32))
    attributes = pd.DataFrame({"region": ["east", "east", "south", "Atlantis"]})
    assert place_users(grouper, asked, histories, attributes, placer).tolist() == [0, 1, 1, 0]
    assert place_users(grouper, asked, histories, attributes, None).tolist() == [0, 1, 2, 0]


def test_without_a_placer_that_helps_users_without_history_get_the_largest_group() -> None:
    grouper, preference = fitted_kmeans()
    placer = AttributePlacer().fit(meaningless(), grouper.groups().labels)
    nobody = sparse.csr_array((len(LABELS), 4), dtype=np.float32)
    placed = place_users(grouper, preference, nobody, telling(), placer)
    assert placed.dtype == np.int32 and not placed.any()


def test_centres_come_by_size_and_every_point_is_found_where_it_was_counted() -> None:
    points = np.repeat(np.eye(3, dtype=np.float32), [4, 9, 6], axis=0)
    centres = fit_centres(points, 5, n_init=2, min_group_size=1, seed=0)
    labels = centre_distances(points, centres, np.ones(19, bool)).argmin(axis=1)
    assert np.bincount(labels).tolist() == [9, 6, 4]


@pytest.mark.parametrize("shape", [(0, 3), (5, 0)])
def test_no_points_give_one_centre(shape: tuple[int, int]) -> None:
    assert fit_centres(np.zeros(shape, np.float32), 3, n_init=1, min_group_size=1, seed=0).shape == (1, shape[1])


@pytest.mark.parametrize("n_groups", [0, 4])
def test_impossible_numbers_of_groups_are_refused(n_groups: int) -> None:
    with pytest.raises(SettingError, match=f"{n_groups} groups cannot be formed of 3 users"):
        check_n_groups(n_groups, 3)


@pytest.mark.parametrize("told", [True, False])
def test_vectors_place_users_where_they_tell_and_do_not_help_where_not(told: bool) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 400).astype(np.int32)
    rows = (told * np.eye(4)[labels] @ rng.normal(size=(4, 64)) + 0.5 * rng.normal(size=(400, 64))).astype(np.float32)
    frame = with_matrices(pd.DataFrame(index=range(400)), {"vectors": sparse.csr_array(rows)})
    placer = AttributePlacer().fit(frame.iloc[:300], labels[:300])
    assert placer.helps == told
    if told:
        assert (placer.place(frame.iloc[300:]) == labels[300:]).mean() > 0.9
