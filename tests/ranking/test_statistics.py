"""Intervals hold, p values claim no more than they may, corrections are Holm's."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.coverage import HITS, RATES, holds, null, truth, users
from grouprec.ranking import statistics
from grouprec.ranking.statistics import (
    difference_interval,
    holm,
    mean_interval,
    paired_difference,
    resampled_means,
    sign_flip_p,
    wilson,
)

SAMPLES = {30: 4000, 200: 3000, 900: 2000}


# -- shares


def test_wilson_by_hand():
    low, high = wilson(np.array([0.0, 0.5, 1.0, np.nan]), np.array([10, 10, 10, 0]))
    assert low == pytest.approx([0, 0.23659, 0.72247, np.nan], abs=1e-5, nan_ok=True)
    assert high == pytest.approx([0.27753, 0.76341, 1, np.nan], abs=1e-5, nan_ok=True)
    assert wilson(np.array(0.2), np.array(30), z=1) == pytest.approx((0.137186, 0.282168), abs=1e-5)


@pytest.mark.parametrize(("hits", "n"), [(0, 30), (1, 30), (9, 900), (450, 900), (30, 30)])
def test_the_interval_of_a_share_is_that_of_scipy(hits, n):
    expected = stats.binomtest(hits, n).proportion_ci(0.95, "wilson")
    mean, low, high = mean_interval(np.repeat([1.0, 0.0], [hits, n - hits]))
    assert (low, mean, high) == pytest.approx((expected.low, hits / n, expected.high), abs=1e-7)


# -- means


@pytest.mark.parametrize("n", SAMPLES)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("metric", HITS)
def test_the_interval_of_a_mean_holds_in_about_95_of_100_samples(metric, rate, n):
    values = users(np.random.default_rng(7), metric, rate, (n, SAMPLES[n]))
    mean, low, high = mean_interval(values)
    # The hit rate's is exactly Wilson's. Where hits are rare and of unknown size, it errs on the safe side.
    assert 0.925 < holds(low, high, truth(metric, rate)) < (0.999 if n * rate < 20 else 0.99)
    assert (low <= mean).all() and (mean <= high).all() and low.min() >= 0 and high.max() <= 1


@pytest.mark.parametrize(("metric", "rate"), [*product(HITS, (0.2, 0.5)), ("nDCG", 0.05), ("precision", 0.05)])
def test_with_many_users_the_interval_is_no_wider_than_need_be(metric, rate):
    values = users(np.random.default_rng(3), metric, rate, (900, 200))
    _, low, high = mean_interval(values)
    normal = 2 * 1.959964 * values.std(axis=0, ddof=1) / 30
    assert 0.99 < (high - low).mean() / normal.mean() < 1.1


@pytest.mark.parametrize("place", [0.0, 3.0], ids=["in 0 to 1", "beyond"])
def test_of_values_that_are_not_rare_the_interval_is_that_of_scipys_bootstrap(place):
    values = place + np.random.default_rng(1).beta(2, 3, 400)
    expected = stats.bootstrap((values,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(0))
    _, low, high = mean_interval(values)
    # An interval of 90 % would be 0.004 nearer at either end.
    assert (low, high) == pytest.approx(tuple(expected.confidence_interval), abs=0.001)


def test_columns_are_judged_one_by_one():
    rng = np.random.default_rng(0)
    values = np.column_stack([rng.random(50), rng.random(50) < 0.02, 9 * rng.random(50), np.zeros(50)])
    together = np.array(mean_interval(values))
    assert together == pytest.approx(np.array([mean_interval(column) for column in values.T]).T)
    mirrored = np.array(mean_interval(1 - values[:, :2]))
    assert mirrored == pytest.approx(1 - together[[0, 2, 1], :2]), "0 and 1 are alike"


def test_the_interval_of_nobody_is_unknown_and_that_of_one_user_wide():
    assert np.isnan(mean_interval(np.empty((0, 2)))).all()
    assert np.isnan(mean_interval(np.array([[0.5, np.nan], [0.1, 0.2]]))[1]).tolist() == [False, True]
    mean, low, high = mean_interval(np.array([1.0]))
    assert (mean, high) == (1, 1) and low == pytest.approx(0.2065, abs=1e-4)


# -- differences


@pytest.mark.parametrize("n", SAMPLES)
@pytest.mark.parametrize("case", ["independent", "alike", "skewed"])
@pytest.mark.parametrize("metric", ["hit rate", "nDCG", "recall"])
def test_of_equally_good_methods_one_in_twenty_differs_at_most(metric, case, n):
    claimed = []
    for rate in RATES[:3]:
        change = null(np.random.default_rng(11), metric, rate, (n, SAMPLES[n]), case)
        _, low, high, p = paired_difference(change, np.zeros_like(change))
        assert ((p < 0.05) == ((low > 0) | (high < 0))).all()
        claimed.append((p < 0.05).mean())
    assert max(claimed) < 0.0675  # 6 % and the chance of 2,000 samples
    assert n == 30 or max(claimed) > 0.03


@pytest.mark.parametrize("n", SAMPLES)
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("metric", ["hit rate", "nDCG"])
def test_the_interval_of_a_difference_holds(metric, rate, n):
    rng, size = np.random.default_rng(5), (n, SAMPLES[n])
    _, low, high, _ = paired_difference(users(rng, metric, rate, size), users(rng, metric, rate / 2, size))
    assert holds(low, high, truth(metric, rate) / 2) > 0.93


def test_of_dense_differences_p_and_interval_are_those_of_a_t_test():
    rng = np.random.default_rng(0)
    one = rng.random((900, 3)) / 2
    other = one + [0, 0.005, 0.008] + 0.1 * rng.normal(size=(900, 3))
    expected = stats.ttest_rel(other, one)
    difference, low, high, p = paired_difference(other, one)
    assert difference == pytest.approx((other - one).mean(axis=0))
    assert p == pytest.approx(expected.pvalue, rel=0.15)
    ends = expected.confidence_interval(0.95)
    assert low == pytest.approx(ends.low, abs=5e-4) and high == pytest.approx(ends.high, abs=5e-4)


def test_differences_beyond_one_get_the_normal_interval_and_p():
    change = np.random.default_rng(0).normal(1, 6, 200)
    difference, low, high, p = paired_difference(change, np.zeros(200))
    error = change.std(ddof=1) / np.sqrt(200)
    assert (low, high) == pytest.approx(stats.norm(difference, error).interval(0.95), rel=1e-6)
    assert p == pytest.approx(2 * stats.norm.sf(abs(difference) / error), rel=1e-6)


def test_a_small_steady_gain_is_seen_that_the_intervals_of_the_two_hide():
    rng = np.random.default_rng(0)
    one = rng.random(200)
    other = one + 0.01 + 0.02 * rng.normal(size=200)
    difference, low, high, p = paired_difference(other, one)
    assert 0 < low < difference < high and p < 0.01
    assert mean_interval(other)[1] < mean_interval(one)[2]
    back = np.array(paired_difference(one, other))
    assert back == pytest.approx(np.array([-difference, -high, -low, p]))
    difference, low, high, p = paired_difference(one, one)
    assert (difference, p) == pytest.approx((0, 1)) and low == pytest.approx(-high) and high > 0, (
        "nobody differs among 200 only"
    )


def test_four_of_thirty_who_gain_prove_nothing_and_six_do():
    p = [paired_difference(np.repeat([1.0, 0.0], [n, 30 - n]), np.zeros(30))[3] for n in (1, 4, 6)]
    assert p[0] > 0.3 and 0.05 < p[1] < stats.binomtest(4, 4).pvalue and p[2] < 0.05


def test_below_thirty_users_a_difference_is_too_few_to_tell():
    clear = np.linspace(0.4, 0.6, 30)
    assert np.isnan(paired_difference(clear[1:], np.zeros(29))).tolist() == [False, True, True, True]
    assert not np.isnan(paired_difference(clear, np.zeros(30))).any()
    assert np.isnan(paired_difference(np.empty((0, 2)), np.empty((0, 2)))).all()


def test_the_interval_of_two_independent_shares_is_newcombes():
    """56 of 70 against 48 of 80 (Newcombe 1998, table II, method 10)."""
    one, other = ((k / n, *wilson(np.array(k / n), np.array(n))) for k, n in ((56, 70), (48, 80)))
    assert difference_interval(one, other) == pytest.approx((0.0524, 0.3339), abs=5e-5)


# -- resamples, signs, many comparisons


def test_of_many_users_the_resamples_are_drawn_from_what_they_follow(monkeypatch):
    rng = np.random.default_rng(0)
    shared = rng.random(3000)
    values = np.column_stack([shared, 0.5 * shared + 0.1 * rng.random(3000), np.full(3000, np.nan)])
    resampled = resampled_means(values, seed=0, n_resamples=4000)
    monkeypatch.setattr(statistics, "_RESAMPLED_USERS", 2999)
    drawn = resampled_means(values, seed=0, n_resamples=4000)
    assert drawn.shape == resampled.shape and np.isnan(drawn[:, 2]).all() and np.isnan(resampled[:, 2]).all()
    for what in (lambda means: means[:, :2], lambda means: means[:, 1] / means[:, 0]):  # columns stay paired
        one, other = what(resampled), what(drawn)
        assert other.mean(axis=0) == pytest.approx(one.mean(axis=0), rel=1e-3)
        assert other.std(axis=0) == pytest.approx(one.std(axis=0), rel=0.05)
    assert resampled_means(values[:, 0], 0, 9).shape == (9,)


def holm_by_hand(p):
    """Holm's procedure one hypothesis at a time, smallest first."""
    left, adjusted, floor = sorted(range(len(p)), key=lambda n: p[n]), [0.0] * len(p), 0.0
    for step, n in enumerate(left):
        floor = max(floor, (len(p) - step) * p[n])
        adjusted[n] = min(1.0, floor)
    return adjusted


def test_holm_by_hand():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, np.nan, 0.01])) == pytest.approx([0.6, np.nan, 0.02], nan_ok=True)
    assert holm(np.array([])).tolist() == [] and np.isnan(holm(np.array([np.nan]))).all()


@settings(max_examples=100)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_monotone_bounded_and_equals_the_stepwise_procedure(p):
    adjusted = holm(np.array(p))
    assert (adjusted >= p).all() and (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
    assert adjusted == pytest.approx(holm_by_hand(p))


def test_sign_flips_agree_with_trying_all_signs():
    difference = np.random.default_rng(0).normal(0.4, 1, (8, 2))
    signs = np.array(list(product([-1, 1], repeat=8)))
    exact = (np.abs(signs @ difference) >= np.abs(difference.sum(axis=0)) - 1e-9).mean(axis=0)
    assert sign_flip_p(difference, seed=0) == pytest.approx(exact, abs=0.02)


def test_sign_flips_in_several_chunks_are_as_good(monkeypatch):
    difference = np.random.default_rng(1).normal(0.2, 1, (50, 1))
    whole = sign_flip_p(difference, seed=0)
    monkeypatch.setattr("grouprec.ranking.statistics.rows_per_batch", lambda n_columns: 10)
    assert sign_flip_p(difference, seed=0) == pytest.approx(whole, abs=0.02)


def test_no_difference_and_no_user():
    assert sign_flip_p(np.zeros((5, 2)), seed=0).tolist() == [1, 1]
    assert np.isnan(sign_flip_p(np.zeros((0, 2)), seed=0)).all()
