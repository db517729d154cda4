from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grouprec.core.types import SettingError
from grouprec.evaluate.protocol import METRICS, Measured
from grouprec.evaluate.significance import compare_all
from grouprec.ranking.statistics import holm, sign_flip_p


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


@settings(max_examples=100, deadline=None)
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
    monkeypatch.setattr("grouprec.ranking.statistics._CELLS", 500)
    assert sign_flip_p(difference, seed=0) == pytest.approx(whole, abs=0.02)


def test_no_difference_and_no_user():
    assert sign_flip_p(np.zeros((5, 2)), seed=0).tolist() == [1, 1]
    assert np.isnan(sign_flip_p(np.zeros((0, 2)), seed=0)).all()


def judged(method, regime, mean, n_users=200, seed=0):
    noise = np.random.default_rng(seed).normal(0, 0.1, (n_users, len(METRICS)))
    return Measured(method, regime, mean + noise, {})


MEASURED = [
    judged("popularity", "strict", 0.2, seed=1),
    judged("better", "strict", 0.3, seed=2),
    judged("alike", "strict", 0.2, seed=3),
    judged("individual", "individual", 0.4, seed=4),
    judged("worse", "individual", 0.3, seed=5),
]


def test_a_planted_difference_is_significant_and_chance_is_not():
    table = compare_all(MEASURED, "popularity", seed=0).set_index(["method", "metric"])
    better, alike, worse = (table.loc[(name, "ndcg@10")] for name in ("better", "alike", "worse"))
    assert better["difference"] == pytest.approx(0.1, abs=0.03) and better["low"] > 0 and better["significant"]
    assert not alike["significant"] and alike["low"] < 0 < alike["high"]
    assert worse["against"] == "individual" and worse["difference"] < 0 and worse["significant"]
    assert better["against"] == "popularity" and better["regime"] == "strict"
    assert "individual" not in table.index.get_level_values(0)


def test_correction_counts_the_methods_of_one_regime_and_metric():
    table = compare_all(MEASURED, "popularity", seed=0)
    for _, family in table.groupby(["regime", "metric"]):
        assert family["p_adjusted"].to_numpy() == pytest.approx(holm_by_hand(family["p_permutation"].tolist()))
    alone = table[table["method"] == "worse"]
    assert (alone["p_adjusted"] == alone["p_permutation"]).all()


def test_twenty_five_clear_differences_survive_the_correction():
    measured = [MEASURED[0], *(judged(f"m{n}", "strict", 0.3, seed=10 + n) for n in range(25))]
    assert compare_all(measured, "popularity", seed=0)["significant"].all()


def test_a_personal_reference_leaves_group_lists_out():
    table = compare_all(MEASURED, "worse", seed=0)
    assert set(table["method"]) == {"individual"} and (table["difference"] > 0).all()


def test_an_unknown_reference_is_refused():
    with pytest.raises(SettingError, match=r"'best'.*popularity, better, alike"):
        compare_all(MEASURED, "best", seed=0)


def test_nobody_judged_and_nothing_to_compare_with():
    empty = [judged(name, "strict", 0.2, n_users=0) for name in ("popularity", "other")]
    table = compare_all(empty, "popularity", seed=0)
    assert len(table) == 3 and table["p_adjusted"].isna().all() and not table["significant"].any()
    alone = compare_all(MEASURED[:1], "popularity", seed=0)
    assert alone.empty and list(alone.columns) == list(table.columns)


def test_the_same_seed_gives_the_same_comparison():
    first, again = (compare_all(MEASURED, "popularity", seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
