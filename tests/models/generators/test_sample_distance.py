import numpy as np
import pytest

from grouprec.models.generators.sample_distance import copy_shares, coverage, frechet


def normal(n: int, shift: float = 0, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(shift, 1, (n, 2))


def test_frechet_distance_of_equal_samples_is_zero_and_of_a_shift_its_square():
    points = normal(300)
    assert frechet(points, points) == pytest.approx(0, abs=1e-9)
    assert frechet(points, points + np.array([3.0, 4.0])) == pytest.approx(25)


def test_frechet_distance_of_a_stretched_sample_is_known():
    points = normal(300)
    stretched = points.mean(axis=0) + 2 * (points - points.mean(axis=0))
    assert frechet(points, stretched) == pytest.approx(np.trace(np.cov(points, rowvar=False)))


def test_frechet_distance_takes_one_dimension_and_few_points():
    assert frechet(np.array([[0.0], [2.0]]), np.array([[1.0], [3.0]])) == pytest.approx(1)


def test_two_samples_of_one_kind_cover_nearly_all_of_each_other():
    assert coverage([normal(400, seed=1)], normal(400, seed=2)) == pytest.approx(0.97, abs=0.02)


def test_coverage_counts_the_modes_that_are_reached():
    members = np.concatenate([normal(100), normal(100, 50, seed=1)])
    assert coverage([normal(200, seed=2)], members) == pytest.approx(0.5, abs=0.02)


def test_copies_are_nearer_to_members_than_members_are_to_each_other():
    members = normal(300)
    assert copy_shares([members + 1e-6, members], members)[0] == 1
    assert copy_shares([normal(300, seed=4)], members)[0] == pytest.approx(0.5, abs=0.1)
    assert copy_shares([normal(300, 40, seed=4)], members) == [0]


def test_two_members_are_enough():
    pair = np.array([[0.0, 0.0], [1.0, 0.0]])
    assert coverage([pair], pair) == 1 and copy_shares([pair + 0.1], pair) == [1]
