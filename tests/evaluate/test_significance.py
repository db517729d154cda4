import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import SettingError
from grouprec.evaluate import significance
from grouprec.evaluate.protocol import HEADLINES, METRICS, Measured
from grouprec.evaluate.significance import compare_all
from grouprec.ranking.statistics import holm


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
        assert family["p_adjusted"].to_numpy() == pytest.approx(holm(family["p_permutation"].to_numpy()))
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


@pytest.mark.parametrize(("n", "told"), [(29, False), (30, True)])
def test_below_thirty_users_a_difference_is_too_few_to_tell(n, told):
    table = compare_all(
        [judged(name, "strict", mean, n) for name, mean in (("popularity", 0.2), ("other", 0.9))], "popularity", 0
    )
    assert table["difference"].to_numpy() == pytest.approx(0.7)
    assert (table[["low", "high", "p", "p_permutation", "p_adjusted"]].notna() == told).all(axis=None)
    assert (table["significant"] == told).all()


def test_nobody_judged_and_nothing_to_compare_with():
    empty = [judged(name, "strict", 0.2, n_users=0) for name in ("popularity", "other")]
    table = compare_all(empty, "popularity", seed=0)
    assert len(table) == 3 and table["p_adjusted"].isna().all() and not table["significant"].any()
    alone = compare_all(MEASURED[:1], "popularity", seed=0)
    assert alone.empty and list(alone.columns) == list(table.columns)


def test_the_same_seed_gives_the_same_comparison():
    first, again = (compare_all(MEASURED, "popularity", seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


def test_an_adjusted_p_of_exactly_the_level_is_not_significant(monkeypatch):
    monkeypatch.setattr(significance, "holm", lambda p: np.full(len(p), significance.LEVEL))
    assert not compare_all(MEASURED, "popularity", seed=0)["significant"].any()
    monkeypatch.setattr(significance, "holm", lambda p: np.full(len(p), significance.LEVEL - 1e-9))
    assert compare_all(MEASURED, "popularity", seed=0)["significant"].all()


def test_rows_are_numbered_through_and_differences_are_of_their_own_method_and_metric():
    table = compare_all(MEASURED, "popularity", seed=0)
    assert table.index.tolist() == list(range(9))
    by_method = {one.method: one for one in MEASURED}
    for _, row in table.iterrows():
        one, other = by_method[row["method"]], by_method[row["against"]]
        assert row["difference"] == pytest.approx((one.of(row["metric"]) - other.of(row["metric"])).mean())
    assert table["metric"].tolist() == HEADLINES * 3
    assert table["method"].tolist() == [name for name in ("better", "alike", "worse") for _ in HEADLINES]
