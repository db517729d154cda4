import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_score

from grouprec.data.synthetic import planted
from grouprec.evaluate import protocol
from grouprec.evaluate.baselines import history_groups, item_knn
from grouprec.evaluate.value import choose_n_groups, default_grid, separation, stability, value_of_groups
from grouprec.preference import make_preference
from grouprec.types import Groups

KNOWN = planted(n_users=120, n_items=160, n_groups=4, ordered=False)


@pytest.fixture(scope="module")
def table():
    data = KNOWN.data
    candidates = item_knn(data.histories)
    return value_of_groups(
        data,
        protocol.validation_task(data),
        make_preference(candidates),
        candidates,
        lambda n: history_groups(data.histories, n, seed=0),
        [1, 2, 4, 8],
        seed=0,
    )


def test_the_curve_has_every_point_with_its_bounds(table):
    assert set(table["metric"]) == {"ndcg@10", "precision@10", "hit_rate@10"}
    assert len(table) == 4 * 2 * 3 and set(table["regime"]) == {"strict", "dedup"}
    expected = "n_groups method regime metric value low high floor individual oracle share_of_gain smallest largest"
    assert list(table.columns) == [*expected.split(), "silhouette"]
    one = table[table["n_groups"] == 1]
    assert (one["smallest"] == 120).all() and one["silhouette"].isna().all()
    strict = table[table["regime"] == "strict"]
    assert (strict["value"] <= strict["oracle"] + 1e-9).all() and table[table["regime"] == "dedup"][
        "oracle"
    ].isna().all()


def test_the_planted_number_of_groups_is_worth_more_than_one_list(table):
    values = table[(table["regime"] == "dedup") & (table["metric"] == "ndcg@10")].set_index("n_groups")["value"]
    assert values[4] > 1.3 * values[1]


def curve(values, error):
    rows = [
        {
            "n_groups": n,
            "regime": "strict",
            "metric": "ndcg@10",
            "value": v,
            "low": v - 1.96 * error,
            "high": v + 1.96 * error,
        }
        for n, v in values.items()
    ]
    return pd.DataFrame(rows)


def test_the_smallest_number_within_one_standard_error_is_chosen():
    n, reason = choose_n_groups(curve({1: 0.10, 5: 0.15, 10: 0.19, 20: 0.20, 50: 0.195}, error=0.012), "strict")
    assert n == 10
    assert "10 groups" in reason and "0.190" in reason and "0.200 with 20" in reason


def test_the_best_is_chosen_where_none_comes_close():
    n, reason = choose_n_groups(curve({1: 0.10, 5: 0.15, 10: 0.19}, error=0.001), "strict")
    assert n == 10 and "no smaller number" in reason


def test_choosing_without_values_is_refused():
    with pytest.raises(ValueError, match="dedup"):
        choose_n_groups(curve({1: 0.1}, error=0.01), "dedup")


def test_the_grid_leaves_enough_users_per_group():
    assert default_grid(5) == [1]
    assert default_grid(100) == [1, 2, 3, 5, 8]
    assert default_grid(100, min_group_size=30) == [1, 2, 3]
    assert default_grid(100_000)[-1] == 50


def test_separation_prefers_the_planted_groups_and_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 30)
    space = (rng.normal(size=(90, 2)) + 8 * np.eye(3)[labels][:, :2]).astype(np.float32)
    planted_one, random_one = separation(space, labels, 0), separation(space, rng.permutation(labels), 0)
    assert planted_one.silhouette == pytest.approx(float(silhouette_score(space, labels)))
    assert planted_one.silhouette > random_one.silhouette
    assert planted_one.davies_bouldin < random_one.davies_bouldin
    assert planted_one.calinski_harabasz > random_one.calinski_harabasz
    assert separation(space, labels, 0, sample=60).silhouette == pytest.approx(planted_one.silhouette, abs=0.1)


def test_separation_of_one_group_is_unknown():
    assert np.isnan(separation(np.zeros((4, 2), np.float32), np.zeros(4, int), 0).silhouette)


def test_stability_is_one_for_equal_groups_and_low_for_random_ones():
    assert stability(lambda seed: Groups((KNOWN.labels + seed) % 4, 4), [0, 1, 2]) == 1
    random = stability(lambda seed: Groups(np.random.default_rng(seed).integers(0, 4, 120), 4), [0, 1, 2])
    assert abs(random) < 0.1
    with pytest.raises(ValueError, match="two seeds"):
        stability(lambda seed: Groups(KNOWN.labels, 4), [0])
