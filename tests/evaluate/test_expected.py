"""Expected against real takes, of users that nothing was learned from."""

from __future__ import annotations

import numpy as np
import pytest

from grouprec.evaluate.expected import expect, largest_gap, learn_from_others, tenths
from grouprec.ranking.takes import Horizon
from tests.ranking.test_takes import drawn, planted

DAYS = Horizon("days", 19.0)


def test_users_are_expected_from_others_within_a_tenth_in_every_tenth() -> None:
    seen, truth = planted(4000, 0)
    taken = drawn(truth, 1)
    parts = learn_from_others(seen, taken, DAYS, 0)
    assert sorted(np.concatenate([rows for rows, _ in parts]).tolist()) == list(range(4000)) and len(parts) == 5
    expected = expect(parts, seen)
    table = tenths(expected, taken)
    assert table["tenth"].tolist() == list(range(1, 11))
    assert largest_gap(table) < 0.1
    assert ((table["low"] < table["expected"]) & (table["expected"] < table["high"])).sum() >= 8
    np.testing.assert_allclose(table["expected"], expected.sum() / 10, rtol=0.01)
    assert table["taken"].sum() == taken.sum() and table["n_pairs"].sum() == (seen.candidates.items >= 0).sum()
    assert table["n_pairs"].is_monotonic_decreasing and table["foretold"].isna().all()


def test_nobodys_own_takes_count_for_what_is_expected_of_them() -> None:
    seen, truth = planted(600, 0)
    taken = drawn(truth, 1)
    before = expect(learn_from_others(seen, taken, DAYS, 0), seen)
    other = taken.copy()
    other[7] = ~taken[7] & (seen.candidates.items[7] >= 0)
    after = expect(learn_from_others(seen, other, DAYS, 0), seen)
    same = (before == after).all(axis=1)
    assert same[7] and same.sum() == 120, "only of the other four fifths something else is expected now"


def test_where_others_took_too_little_nothing_is_expected() -> None:
    seen, truth = planted(600, 0)
    taken = np.zeros(truth.shape, bool)
    taken[:, 0] = np.arange(600) < 55
    assert learn_from_others(seen, taken, DAYS, 0) == []


def test_tenths_hold_a_tenth_of_what_is_expected_least_likely_first() -> None:
    expected = np.array([[0.5] * 10, [0.25] * 10, [0.25] * 10])
    taken = np.zeros((3, 10), bool)
    taken[0, :7] = True
    taken[1, :2] = True
    table = tenths(expected, taken, 2 * expected)
    assert table["n_pairs"].tolist() == [4] * 5 + [2] * 5
    assert table["expected"].tolist() == [1.0] * 10
    assert table["taken"].tolist() == [2, 0, 0, 0, 0, 2, 2, 2, 1, 0]
    assert table["foretold"].tolist() == [2.0] * 10
    assert largest_gap(table) == 1
    first = table.iloc[0]  # takes by user: 0, 2, 0
    assert first["high"] == pytest.approx(2 + 1.96 * np.std([0, 2, 0]) * np.sqrt(3), abs=0.001) and first["low"] == 0
    assert (table["low"][1:5] == 0).all() and (table["high"][1:5] == 0).all()


def test_nobody_gives_an_empty_table() -> None:
    empty = np.zeros((0, 1))
    table = tenths(empty, empty > 0)
    assert table.empty and table.dtypes.astype(str).tolist() == ["int64"] * 2 + ["float64"] * 5
