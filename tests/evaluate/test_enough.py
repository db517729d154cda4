"""How many lists are enough: noise talks nobody into more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from grouprec.evaluate.enough import enough, errors, proven_worse, smoothed


def curve(values: dict[int, float], error: float = 0.01, **columns: list[float]) -> pd.DataFrame:
    """Return a curve; the numbers are paired over users unless columns of intervals only are given."""
    value = np.array(list(values.values()))
    frame = pd.DataFrame({"n_groups": list(values), "value": value, "low": value - 0.02, "high": value + 0.02})
    return frame.assign(below_best=value.max() - value, below_best_error=error, **columns)


def test_a_smoothed_curve_never_falls_and_keeps_the_mean_of_what_it_pools() -> None:
    noisy = curve({1: 0.10, 2: 0.15, 3: 0.13, 5: 0.20, 8: 0.19})
    assert smoothed(noisy).tolist() == pytest.approx([0.10, 0.14, 0.14, 0.195, 0.195])
    rising = curve({1: 0.10, 2: 0.15, 3: 0.16})
    assert smoothed(rising).tolist() == [0.10, 0.15, 0.16]


def test_a_fall_beyond_the_best_that_is_more_than_chance_stays() -> None:
    falling = curve({1: 0.10, 2: 0.20, 3: 0.19, 5: 0.12}, error=0.02)
    assert proven_worse(falling).tolist() == [True, False, False, True]
    assert smoothed(falling).tolist() == pytest.approx([0.10, 0.195, 0.195, 0.12])


def test_the_smallest_number_within_one_paired_standard_error_is_enough() -> None:
    assert enough(curve({1: 0.10, 5: 0.185, 10: 0.192, 20: 0.20}, error=0.01)) == 10
    assert enough(curve({1: 0.10, 5: 0.185, 10: 0.192, 20: 0.20}, error=0.016)) == 5
    unsorted = curve({20: 0.20, 1: 0.10, 10: 0.192}, error=0.01)
    assert enough(unsorted) == 10


def test_every_number_has_its_own_error() -> None:
    own = curve({1: 0.10, 5: 0.19, 10: 0.20}).assign(below_best_error=[0.01, 0.009, 0.0])
    assert enough(own) == 10
    assert enough(own.assign(below_best_error=[0.01, 0.011, 0.0])) == 5


def test_a_lucky_small_number_is_not_enough_where_its_neighbours_say_otherwise() -> None:
    lucky = {1: 0.10, 2: 0.195, 3: 0.13, 5: 0.14, 10: 0.20}
    assert enough(curve(lucky, error=0.01)) == 10, "2 is within one error of the best, but 3 and 5 say that was luck"


def test_runs_that_paired_nothing_take_the_error_of_the_best_mean() -> None:
    older = curve({1: 0.10, 5: 0.185, 10: 0.20}).drop(columns=["below_best", "below_best_error"])
    assert errors(older) == pytest.approx([0.04 / 3.92] * 3, rel=1e-4)
    assert enough(older) == 10 and enough(older.assign(value=[0.10, 0.191, 0.20])) == 5
    assert proven_worse(older).tolist() == [True, False, False]


def test_where_all_numbers_are_alike_one_is_enough() -> None:
    assert enough(curve({1: 0.2, 5: 0.2, 10: 0.2}, error=0.0)) == 1
    assert enough(curve({4: 0.2})) == 4
