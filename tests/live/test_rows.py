"""The formulas for a few users, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from grouprec.core.types import Candidates
from grouprec.live.rows import WORTH_STEP, add_worth, best_of_pool, positions, shift, typical_chances
from grouprec.ranking.candidates import discounts
from tests.live.tiny import SECOND, THIRD, tiny_base, worths


def test_worth_is_added_to_the_sums_of_the_groups_and_taken_off_again() -> None:
    candidates, sums = tiny_base().candidates, np.zeros((3, 5))
    labels = np.array([2, 2, 0, 1])
    add_worth(sums, labels, candidates.items, candidates.scores)
    assert sums == pytest.approx(np.stack([worths()[2], worths()[3], worths()[:2].sum(axis=0)]), abs=1e-7)
    assert (sums / 2.0**-30 == np.round(sums / 2.0**-30)).all() and WORTH_STEP == 2.0**-30
    assert (sums / 2.0**-29 != np.round(sums / 2.0**-29)).any()
    signs = np.array([[-1.0], [0.0], [-1.0], [0.0]])
    add_worth(sums, labels, candidates.items, candidates.scores, signs)
    add_worth(sums, labels[1:2], candidates.items[1:2], candidates.scores[1:2], -1)
    assert not sums.any()


def test_worth_is_relative_to_the_first_ten_and_negative_scores_are_none() -> None:
    scores = np.linspace(0.9, -0.2, 12, dtype=np.float32)[None]
    sums = np.zeros((1, 12))
    add_worth(sums, np.array([0]), np.arange(12, dtype=np.int32)[None], scores)
    ideal = np.maximum(scores[0, :10], 0).astype(float) @ discounts(10)
    assert sums[0] == pytest.approx(np.maximum(scores[0], 0) / ideal, abs=1e-7)
    small = np.full((1, 12), 0.01, np.float32)  # eleven places would make a difference
    sums[:] = 0
    add_worth(sums, np.array([0]), np.arange(12, dtype=np.int32)[None], small)
    assert sums[0] == pytest.approx(1 / discounts(10).sum(), abs=1e-7)


def test_the_best_of_a_pool_are_the_first_of_equals_and_nothing_without_a_chance() -> None:
    items = np.array([[7, 5, 0, 9], [4, 3, 2, 1]], np.int32)
    chances = np.array([[0.2, 0.5, 0.5, 0.1], [0.0, 0.3, 0.0, 0.0]])
    best, values = best_of_pool(items, chances, 3)
    assert best.tolist() == [[5, 0, 7], [3, -1, -1]] and best.dtype == np.int32
    assert values == pytest.approx(np.array([[0.5, 0.5, 0.2], [0.3, 0, 0]])) and values.dtype == np.float32
    many = np.zeros((1, 40))
    many[0, ::2] = 0.5
    assert best_of_pool(np.arange(40)[None], many, 20)[0].tolist() == [list(range(0, 40, 2))]


def test_typical_chances_are_medians_over_users() -> None:
    items = np.array([[1, 2, 0], [2, 0, -1], [3, 4, 1]], np.int32)
    scores = np.array([[0.8, 0.4, 0.2], [0.5, 0.3, 0], [0.1, 0.09, -0.5]], np.float32)
    unit, least = typical_chances(Candidates(items, scores, 5))
    assert unit == pytest.approx(0.5 + 0.3 * SECOND) and unit < 0.8 + 0.4 * SECOND + 0.2 * THIRD
    assert least == pytest.approx(0.2)
    nobody = Candidates(np.full((3, 2), -1, np.int32), np.zeros((3, 2), np.float32), 5)
    assert typical_chances(nobody) == (0, 1)
    long = Candidates(np.arange(12, dtype=np.int32)[None], np.full((1, 12), 0.1, np.float32), 12)
    assert typical_chances(long)[0] == pytest.approx(0.1 * discounts(10).sum())


def test_a_rise_is_added_to_the_logit_and_none_changes_nothing() -> None:
    chances = np.array([0.3, 0.3, 0.3, 0.0, 1.0], np.float32)
    moved = shift(chances, np.array([0.0, 1.0, -2.0, 1.0, 1.0]))
    assert moved[0] == np.float64(np.float32(0.3)) and moved.dtype == np.float64
    assert moved[1:3] == pytest.approx(expit(logit(0.3) + np.array([1, -2])), rel=1e-6)
    assert moved[3:] == pytest.approx(expit(logit(np.array([1e-12, 1 - 1e-7])) + 1), rel=1e-9)
    assert shift(np.array([0.0, 1.0]), np.zeros(2)).tolist() == [0, 1]


def test_a_position_is_the_mean_of_what_stands_out_at_length_one() -> None:
    components = np.arange(10, dtype=np.float32).reshape(5, 2)
    items = np.array([[0, 3, 4, 1], [2, 0, -1, -1], [0, -1, -1, -1], [-1, -1, -1, -1]], np.int32)
    scores = np.array([[0.9, 0.7, 0.4, 0.1], [0.5, 0.2, 0, 0], [0.5, 0, 0, 0], [0, 0, 0, 0]], np.float32)
    leads = np.array([[0.5, 0, 0, 0.3, 0], [0, 0, 0.3, 0, 0], [0] * 5, [0] * 5])
    expected = leads / np.maximum(np.linalg.norm(leads, axis=1, keepdims=True), 1e-12) @ components
    assert positions(Candidates(items, scores, 5), components) == pytest.approx(expected, abs=1e-6)


def test_only_the_first_fifty_can_stand_out() -> None:
    n = 120
    scores = np.linspace(1, 0.01, n, dtype=np.float32)[None]
    components = np.eye(n, dtype=np.float32)
    found = positions(Candidates(np.arange(n, dtype=np.int32)[None], scores, n), components)[0]
    leads = np.where(np.arange(n) < 50, scores[0] - scores[0, 50], 0)
    assert found == pytest.approx(leads / np.linalg.norm(leads), abs=1e-6)
