from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from grouprec.core.types import Groups
from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.evaluate import protocol, value
from grouprec.evaluate.baselines import everybody, history_groups, item_knn, popularity
from grouprec.evaluate.protocol import measure_one
from grouprec.evaluate.value import (
    COARSE_GRID,
    FINE_GRID,
    Singles,
    choose_n_groups,
    default_grid,
    separation,
    some_users,
    stability,
    value_of_groups,
)
from grouprec.ranking.group_lists import group_popularity, members_mean
from grouprec.ranking.statistics import mean_interval
from grouprec.ranking.task import Task, individual_lists, test_task, validation_task

KNOWN = planted(n_users=120, n_items=160, n_groups=4, ordered=False)
POPULAR = popularity(KNOWN.data.histories, seed=0)
SINGLES = Singles(POPULAR, {"strict": ("popularity", POPULAR), "dedup": ("popularity", POPULAR)})


def both(method):
    """Return a method as the run's own in both regimes."""
    return {"strict": method, "dedup": method}


@pytest.fixture(scope="module")
def found():
    data = KNOWN.data
    candidates = item_knn(data.histories, data.histories)

    def mean(n_groups, regime):
        groups = history_groups(data.histories, n_groups, seed=0)
        return groups, members_mean(candidates, groups, data.histories, seed=0)

    def popular(n_groups, regime):
        groups = history_groups(data.histories, n_groups, seed=0)
        return groups, group_popularity(data.histories, groups, seed=0)

    methods = {"mean": mean, "popular": popular}
    task = validation_task(data)
    return value_of_groups(task, candidates, methods, [1, 2, 4, 8], 0, SINGLES, both("mean"))


@pytest.fixture(scope="module")
def table(found):
    return found.table


def test_the_curve_has_every_point_with_its_bounds(table):
    assert len(table) == 4 * 2 * 2 * 3 and not table.duplicated(["n_groups", "method", "regime", "metric"]).any()
    assert set(table["metric"]) == {"ndcg@10", "precision@10", "hit_rate@10"}
    assert set(table["regime"]) == {"strict", "dedup"} and set(table["method"]) == {"mean", "popular"}
    expected = "n_groups method regime metric value low high floor floor_method individual oracle share_of_gain"
    assert list(table.columns) == [*expected.split(), "smallest", "largest", "below_best", "below_best_error"]
    assert (table["low"] <= table["value"]).all() and (table["value"] <= table["high"]).all()
    one = table[table["n_groups"] == 1]
    assert (one["smallest"] == 120).all() and (one["largest"] == 120).all()
    strict, dedup = (table[table["regime"] == regime] for regime in ("strict", "dedup"))
    exact = strict[strict["metric"] != "hit_rate@10"]  # of that one the oracle is a greedy cover
    assert (exact["value"] <= exact["oracle"] + 1e-9).all() and dedup["oracle"].isna().all()


def test_one_popular_list_for_all_is_the_floor(table):
    floor = table[(table["n_groups"] == 1) & (table["method"] == "popular")]
    assert floor["value"].to_numpy() == pytest.approx(floor["floor"].to_numpy())
    assert floor["share_of_gain"].to_numpy() == pytest.approx(0)
    share = (table["value"] - table["floor"]) / (table["individual"] - table["floor"])
    assert table["share_of_gain"].to_numpy() == pytest.approx(share.to_numpy())


def test_every_number_is_paired_with_the_best_of_its_method(table):
    for _, rows in table.groupby(["method", "regime", "metric"]):
        assert rows["below_best"].to_numpy() == pytest.approx((rows["value"].max() - rows["value"]).to_numpy())
        best = rows.loc[rows["value"].idxmax()]
        assert best["below_best"] == 0 and best["below_best_error"] == 0
    assert (table.loc[table["below_best"] > 0, "below_best_error"] > 0).all()


def test_the_error_of_a_distance_to_the_best_is_paired_over_users(table):
    data = KNOWN.data
    task, candidates = validation_task(data), item_knn(data.histories, data.histories)

    def users(n_groups):
        groups = history_groups(data.histories, n_groups, seed=0)
        lists = members_mean(candidates, groups, data.histories, seed=0)
        return measure_one("", "dedup", lists, groups, task).of("ndcg@10")

    rows = table[(table["method"] == "mean") & (table["regime"] == "dedup") & (table["metric"] == "ndcg@10")]
    rows = rows.set_index("n_groups")
    best = int(rows["value"].idxmax())
    lacking = users(best) - users(1)
    assert rows.loc[1, "below_best_error"] == pytest.approx(lacking.std() / np.sqrt(len(lacking)))


def test_the_gain_of_every_number_is_split_and_adds_up(found):
    gain, table = found.gain, found.table
    assert set(gain["n_groups"]) == {1, 2, 4, 8} and set(gain["method"]) == {"mean"}
    parts = gain[gain["part"] != "more"]
    reached = parts[parts["part"] != "personal"].groupby(["n_groups", "regime", "metric"])["value"].sum()
    own = table[table["method"] == "mean"].set_index(["n_groups", "regime", "metric"])
    assert reached.to_numpy() == pytest.approx(own["value"].reindex(reached.index).to_numpy())
    whole = parts.groupby(["n_groups", "regime", "metric"])["value"].sum()
    assert whole.to_numpy() == pytest.approx(own["individual"].reindex(whole.index).to_numpy())
    more = gain[gain["part"] == "more"].set_index(["n_groups", "regime", "metric"])["value"]
    assert set(more.index.get_level_values("n_groups")) == {1, 2, 4}, "nothing follows the largest"
    assert more[2, "dedup", "ndcg@10"] == pytest.approx(
        own.loc[(4, "dedup", "ndcg@10"), "value"] - own.loc[(2, "dedup", "ndcg@10"), "value"]
    )


def test_the_planted_number_of_groups_is_worth_more_than_one_list(table):
    rows = table[(table["method"] == "mean") & (table["regime"] == "dedup") & (table["metric"] == "ndcg@10")]
    values = rows.set_index("n_groups")["value"]
    assert values[4] > 1.3 * values[1]


def test_each_regime_is_judged_by_the_groups_that_were_formed_for_it():
    data = KNOWN.data
    candidates = item_knn(data.histories, data.histories)
    asked = []

    def form(n_groups, regime):
        asked.append((n_groups, regime))
        groups = everybody(120) if regime == "strict" else Groups(KNOWN.labels, 4)
        return groups, members_mean(candidates, groups, data.histories, seed=0)

    task = validation_task(data)
    table = value_of_groups(task, candidates, {"mine": form}, [3], 0, SINGLES, both("mine")).table
    assert asked == [(3, "strict"), (3, "dedup")]
    assert table.groupby("regime")["largest"].first().to_dict() == {
        "strict": 120,
        "dedup": np.bincount(KNOWN.labels).max(),
    }


def form_one(n_groups, regime):
    return everybody(120), group_popularity(KNOWN.data.histories, everybody(120), seed=0)


def test_a_point_stands_between_the_bounds_of_its_own_metric(table):
    data = KNOWN.data
    task = validation_task(data)
    groups, lists = form_one(1, "strict")
    judged = protocol.measure_one("", "strict", lists, groups, task)
    alone = protocol.measure("", "individual", individual_lists(item_knn(data.histories, data.histories), task), task)
    oracle = protocol.strict_oracle(groups.labels, task, 10)
    rows = table[(table["n_groups"] == 1) & (table["method"] == "popular") & (table["regime"] == "strict")]
    for _, row in rows.iterrows():
        assert row["value"] == pytest.approx(judged.of(row["metric"]).mean())
        assert row["individual"] == pytest.approx(alone.of(row["metric"]).mean())
        assert row["oracle"] == pytest.approx(oracle[row["metric"]])
    by_eight = table[table["n_groups"] == 8]
    sizes = history_groups(data.histories, 8, seed=0).sizes
    assert (by_eight["smallest"] == sizes.min()).all() and (by_eight["largest"] == sizes.max()).all()
    assert sizes.min() < sizes.max()


def test_what_is_not_tried_is_neither_formed_nor_in_the_table():
    data, asked = KNOWN.data, []

    def form(n_groups, regime):
        asked.append((n_groups, regime))
        return form_one(n_groups, regime)

    task = validation_task(data)
    tried = lambda n_groups, method, regime: (n_groups, regime) != (1, "strict")  # noqa: E731
    candidates = item_knn(data.histories, data.histories)
    table = value_of_groups(task, candidates, {"one": form}, [1, 2], 0, SINGLES, both("one"), tried).table
    assert asked == [(1, "dedup"), (2, "strict"), (2, "dedup")]
    assert list(zip(table["n_groups"], table["regime"], strict=True))[::3] == asked


def test_at_most_ten_thousand_users_judge_a_curve(monkeypatch):
    asked = []
    monkeypatch.setattr(Task, "sample", lambda task, *given: asked.append(given) or task)
    candidates = item_knn(KNOWN.data.histories, KNOWN.data.histories)
    value_of_groups(validation_task(KNOWN.data), candidates, {"one": form_one}, [1], 7, SINGLES, both("one"))
    assert asked == [(10_000, 7)]


def test_some_users_keep_their_rows_attributes_and_targets_under_new_numbers():
    data = KNOWN.data
    whole = test_task(data)
    users = whole.users[whole.users != 3]  # user 3 is there and not judged
    task = Task(whole.seen, whole.relevant, users, whole.owned)
    rows = np.array([0, 1, 3, 50, 119])
    fewer, judged = some_users(data, task, rows)
    assert fewer.user_ids.tolist() == data.user_ids[rows].tolist() and fewer.key != data.key
    for name in ("train", "validation", "test"):
        part, old = getattr(fewer, name), getattr(data, name)
        kept = np.isin(old.user_rows, rows)
        assert rows[part.user_rows].tolist() == old.user_rows[kept].tolist()
        assert part.item_rows.tolist() == old.item_rows[kept].tolist()
    assert fewer.user_attributes["age"].tolist() == data.user_attributes["age"].iloc[rows].tolist()
    assert rows[judged.users].tolist() == [row for row in rows.tolist() if row in users.tolist()] == [0, 1, 50, 119]
    for one, other in ((judged.seen, task.seen), (judged.relevant, task.relevant), (judged.owned, task.owned)):
        assert one.toarray().tolist() == other.toarray()[rows].tolist()
    nameless = replace(data, user_attributes=pd.DataFrame())
    assert some_users(nameless, task, rows)[0].user_attributes.empty


def test_without_judged_users_the_values_are_unknown():
    data = replace(KNOWN.data, validation=Interactions.empty(timed=True))
    candidates = item_knn(data.histories, data.histories)

    def form(n_groups, regime):
        return everybody(120), members_mean(candidates, everybody(120), data.histories, seed=0)

    curve = value_of_groups(validation_task(data), candidates, {"mean": form}, [1], 0, SINGLES, both("mean"))
    assert curve.table["value"].isna().all() and len(curve.table) == 6
    assert curve.table["below_best"].isna().all() and curve.gain["value"].isna().all()


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
    assert "10 groups are enough" in reason and "0.190" in reason and "0.200 with 20" in reason


@pytest.mark.parametrize(("below", "chosen"), [(0.0119, 5), (0.0121, 20)])
def test_the_boundary_is_exactly_one_standard_error_below_the_best(below, chosen):
    assert choose_n_groups(curve({5: 0.20 - below, 20: 0.20}, error=0.012), "strict")[0] == chosen


def test_the_curve_has_the_intervals_of_all_means():
    task, candidates = validation_task(KNOWN.data), item_knn(KNOWN.data.histories, KNOWN.data.histories)
    lists = members_mean(candidates, everybody(120), KNOWN.data.histories, seed=0)
    form = {"members_mean": lambda n_groups, regime: (everybody(120), lists)}
    table = value_of_groups(task, candidates, form, [1], 0, SINGLES, {"strict": "members_mean"}).table
    table = table.set_index("metric")
    measured = measure_one("", "strict", lists, everybody(120), task)
    for metric, row in table.iterrows():
        expected = [float(part) for part in mean_interval(measured.of(metric))]
        assert row[["value", "low", "high"]].tolist() == pytest.approx(expected)
    hits = measured.of("hit_rate@10")
    wilson = binomtest(int(hits.sum()), len(hits)).proportion_ci(0.95, "wilson")
    assert tuple(table.loc["hit_rate@10", ["low", "high"]]) == pytest.approx((wilson.low, wilson.high), abs=1e-6)


def test_the_best_is_chosen_where_none_comes_close():
    n, reason = choose_n_groups(curve({1: 0.10, 5: 0.15, 10: 0.19}, error=0.001), "strict")
    assert n == 10 and "no smaller number" in reason


def test_where_nothing_is_uncertain_only_the_best_is_good_enough():
    n, reason = choose_n_groups(curve({1: 0.25, 2: 0.5, 4: 0.75}, error=0), "strict")
    assert n == 4 and "(0.750)" in reason


def test_other_regimes_metrics_and_unknown_values_do_not_choose():
    table = curve({8: 0.5, 2: 0.1, 1: np.nan}, error=0.001)
    others = [table.assign(regime="dedup", value=9.0), table.assign(metric="hit_rate@10", value=9.0)]
    n, reason = choose_n_groups(pd.concat([*others, table], ignore_index=True), "strict")
    assert n == 8 and "(0.500)" in reason


def test_choosing_without_values_is_refused():
    with pytest.raises(ValueError, match="dedup"):
        choose_n_groups(curve({1: 0.1}, error=0.01), "dedup")


def test_the_grid_leaves_enough_users_per_group():
    assert default_grid(5) == [1]
    assert default_grid(100) == [1, 2, 3, 5, 8]
    assert default_grid(100, min_group_size=30) == [1, 2, 3]
    assert default_grid(100_000) == [1, 2, 3, 5, 8, 12, 16, 20, 30, 50]
    assert default_grid(19) == [1] and default_grid(20) == [1, 2]  # ten users a group
    assert FINE_GRID == (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50) and COARSE_GRID == (1, 2, 5, 10, 20, 50)


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


def test_separation_of_two_groups_is_known_and_of_one_or_of_groups_of_one_is_not():
    space = np.array([[0, 0], [1, 0], [5, 5], [6, 5]], np.float32)
    two = separation(space, np.array([0, 0, 1, 1]), 0)
    assert two.davies_bouldin == pytest.approx(davies_bouldin_score(space, [0, 0, 1, 1]))
    assert two.calinski_harabasz == pytest.approx(calinski_harabasz_score(space, [0, 0, 1, 1]))
    for labels in (np.zeros(4, int), np.arange(4)):
        assert np.isnan(separation(space, labels, 0).silhouette)


@pytest.mark.parametrize(("n_users", "n_read"), [(5000, 5000), (5001, 5000)])
def test_separation_reads_each_of_at_most_five_thousand_users_once(monkeypatch, n_users, n_read):
    read = []
    monkeypatch.setattr(value, "silhouette_score", lambda space, labels: read.append((space[:, 0], labels)) or 0)
    monkeypatch.setattr(value, "davies_bouldin_score", lambda *_: 0)
    monkeypatch.setattr(value, "calinski_harabasz_score", lambda *_: 0)
    separation(np.arange(n_users, dtype=np.float32)[:, None], np.arange(n_users) % 7, 0)
    places, labels = read[0]
    assert len(np.unique(places)) == len(places) == n_read and (labels == places % 7).all()
    assert n_users > 5000 or (places == np.arange(n_users)).all()  # nobody is drawn where all are read


def test_stability_is_one_for_equal_groups_and_low_for_random_ones():
    assert stability(lambda seed: Groups((KNOWN.labels + seed) % 4, 4), [0, 1, 2]) == 1
    random = stability(lambda seed: Groups(np.random.default_rng(seed).integers(0, 4, 120), 4), [0, 1, 2])
    assert abs(random) < 0.1
    halves = {0: [0, 0, 1, 1], 1: [0, 1, 0, 1]}
    assert stability(lambda seed: Groups(np.array(halves[seed]), 2), [0, 1]) == pytest.approx(-0.5)
    with pytest.raises(ValueError, match="two seeds"):
        stability(lambda seed: Groups(KNOWN.labels, 4), [0])
