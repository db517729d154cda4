from itertools import permutations, product

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Candidates, Groups
from grouprec.data.synthetic import planted
from grouprec.evaluate import baselines, protocol
from grouprec.evaluate.oracle import best_strict
from grouprec.evaluate.significance import compare_all
from grouprec.ranking import metrics
from grouprec.ranking import task as task_module
from grouprec.ranking.group_lists import members_mean
from grouprec.ranking.metrics import accuracy, hit_matrix
from grouprec.ranking.task import Task, dedup_lists, individual_lists, shared_lists, test_task

KNOWN = planted(n_users=90, n_items=150, n_groups=3, ordered=False)
DATA = KNOWN.data


def make_task(seen, relevant):
    seen, relevant = (sparse.csr_array(np.array(one, np.float32)) for one in (seen, relevant))
    return Task(seen, relevant, np.flatnonzero(np.diff(relevant.indptr)).astype(np.int32), seen)


def naive_targets(part, seen):
    return {(u, i) for u, i in zip(part.user_rows.tolist(), part.item_rows.tolist(), strict=True) if not seen[u, i]}


@pytest.mark.parametrize("name", ["validation", "test"])
def test_targets_are_new_items_only(name):
    task = getattr(task_module, f"{name}_task")(DATA)
    seen = (DATA.histories if name == "validation" else DATA.known).toarray()
    expected = naive_targets(getattr(DATA, name), seen)
    assert set(zip(*(axis.tolist() for axis in task.relevant.nonzero()), strict=True)) == expected
    assert task.users.tolist() == sorted({u for u, _ in expected})
    assert (task.relevant.data == 1).all()
    assert task.n_relevant.sum() == len(expected) and task.n_relevant.min() >= 1


@pytest.mark.parametrize("name", ["validation", "test"])
def test_with_repeats_every_item_taken_is_a_target_and_nothing_is_excluded(name):
    task = getattr(task_module, f"{name}_task")(DATA, repeats=True)
    expected = naive_targets(getattr(DATA, name), np.zeros(DATA.shape))
    assert set(zip(*(axis.tolist() for axis in task.relevant.nonzero()), strict=True)) == expected
    assert task.seen.nnz == 0 and (task.relevant.data == 1).all()
    owned = DATA.histories if name == "validation" else DATA.known
    assert (task.owned != owned).nnz == 0
    assert len(expected) > getattr(task_module, f"{name}_task")(DATA).relevant.nnz, "some of it is taken again"


def test_a_sample_judges_fewer_users_of_the_same_task():
    task = test_task(DATA)
    few = task.sample(20, seed=1)
    assert len(few.users) == 20 and np.isin(few.users, task.users).all() and (np.diff(few.users) > 0).all()
    assert few.relevant is task.relevant and few.users.tolist() == task.sample(20, seed=1).users.tolist()
    assert task.sample(len(task.users), seed=1) is task


def test_personal_lists_drop_what_came_since_and_close_the_gap():
    task = make_task([[0, 1, 0, 0], [0, 0, 0, 0], [1, 1, 1, 1]], [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 1]])
    candidates = Candidates(
        np.array([[1, 3, 2], [0, 1, 2], [3, 0, -1]], np.int32), np.zeros((3, 3), np.float32), n_items=4
    )
    assert individual_lists(candidates, task, depth=3).tolist() == [[3, 2, -1], [-1, -1, -1]]


def test_regimes_by_hand():
    task = make_task([[0, 1, 0, 0], [1, 0, 0, 1]], [[0, 0, 1, 0], [0, 1, 0, 0]])
    lists, labels = np.array([[3, 2, 1, 0], [1, 0, 2, 3]], np.int32), np.array([1, 0])
    assert shared_lists(lists, labels, task, depth=2).tolist() == [[1, 0], [3, 2]]
    assert dedup_lists(lists, labels, task, depth=2).tolist() == [[0, 2], [2, 1]]


def test_dedup_agrees_with_a_loop_over_users(monkeypatch):
    monkeypatch.setattr(task_module, "rows_per_batch", lambda n_columns: 10)  # several chunks
    task = test_task(DATA)
    ranking = np.stack([np.random.default_rng(g).permutation(150)[:60] for g in range(3)]).astype(np.int32)
    found = dedup_lists(ranking, KNOWN.labels, task)
    seen = DATA.known.toarray()
    for row, user in enumerate(task.users):
        own = [i for i in ranking[KNOWN.labels[user]] if not seen[user, i]][:20]
        assert found[row].tolist() == own + [-1] * (20 - len(own))


def test_who_has_more_than_twice_the_depth_is_looked_up_to_the_end_of_the_list():
    seen, relevant = np.zeros((3, 100)), np.zeros((3, 100))
    seen[1, :45], seen[2, :90], relevant[:, 99] = 1, 1, 1  # of a list of 100, to be judged to the 20th place
    task, lists = make_task(seen, relevant), np.tile(np.arange(100, dtype=np.int32), (3, 1))
    expected = [[*range(20)], [*range(45, 65)], [*range(90, 100)] + [-1] * 10]
    assert dedup_lists(lists[:1], np.zeros(3, np.int32), task).tolist() == expected
    assert individual_lists(Candidates(lists, np.zeros(lists.shape, np.float32), 100), task).tolist() == expected


def best_by_brute_force(relevant, k, metric):
    """The best mean over users of one list for all, trying every ordered list."""
    n_users, n_items = relevant.shape
    lists = [np.tile(np.array(choice, np.int32), (n_users, 1)) for choice in permutations(range(n_items), k)]
    csr = sparse.csr_array(relevant)
    column = {"precision": 0, "recall": 3, "f1": 6, "ndcg": 9, "hit_rate": 12}[metric]  # at cutoff 5
    return max(accuracy(hit_matrix(items, csr), np.diff(csr.indptr))[:, column].mean() for items in lists)


@pytest.mark.parametrize(("metric", "seed"), list(product(["precision", "recall", "f1", "ndcg"], range(3))))
def test_oracle_is_optimal_on_tiny_cases(metric, seed):
    rng = np.random.default_rng(seed)
    relevant = (rng.random((5, 6)) < 0.35).astype(np.float32)
    relevant[np.arange(5), rng.integers(6, size=5)] = 1
    task = make_task(np.zeros((5, 6)), relevant)
    oracle = protocol.strict_oracle(np.zeros(5, np.int32), task, 5)
    assert oracle[f"{metric}@5"] == pytest.approx(best_by_brute_force(relevant, 5, metric))


@pytest.mark.parametrize("seed", range(3))
def test_cutoffs_judged_at_once_are_each_judged_at_their_own(seed):
    rng = np.random.default_rng(seed)
    relevant = (rng.random((5, 6)) < 0.35).astype(np.float32)
    relevant[np.arange(5), rng.integers(6, size=5)] = 1
    task, n = make_task(np.zeros((5, 6)), relevant), relevant.sum(axis=1).astype(int)
    oracle = protocol.strict_oracle(np.zeros(5, np.int32), task, 3, 1, 2)
    hits = np.stack([relevant[:, choice] > 0 for choice in permutations(range(6), 3)])  # every list of three
    for k in (1, 2, 3):
        best = {
            "precision": max(metrics.precision(one, k).mean() for one in hits),
            "recall": max(metrics.recall(one, n, k).mean() for one in hits),
            "f1": max(metrics.f1(one, n, k).mean() for one in hits),
            "ndcg": max(metrics.ndcg(one, n, k).mean() for one in hits),
        }
        assert {name: oracle[f"{name}@{k}"] for name in best} == pytest.approx(best)
        assert oracle[f"hit_rate@{k}"] == protocol.strict_oracle(np.zeros(5, np.int32), task, k)[f"hit_rate@{k}"]


def test_greedy_cover_by_hand():
    # Item 0 serves three of six, but 1 and 2 together serve all: greedy takes 0, then one of the others.
    relevant = [[1, 1, 0], [1, 1, 0], [1, 0, 1], [0, 0, 1], [0, 1, 0], [0, 0, 1]]
    task = make_task(np.zeros((6, 3)), relevant)
    labels = np.zeros(6, np.int32)
    assert protocol.strict_oracle(labels, task, 1)["hit_rate@1"] == pytest.approx(0.5)
    assert 2 / 3 <= protocol.strict_oracle(labels, task, 2)["hit_rate@2"] <= 1
    assert protocol.strict_oracle(labels, task, 3)["hit_rate@3"] == 1


def test_oracle_splits_by_group_and_finds_everything_with_one_user_each():
    task = test_task(DATA)
    together = protocol.strict_oracle(np.zeros(90, np.int32), task, 10)
    split = protocol.strict_oracle(KNOWN.labels, task, 10)
    alone = protocol.strict_oracle(np.arange(90), task, 10)
    assert all(together[name] <= split[name] + 1e-12 and split[name] <= alone[name] + 1e-12 for name in together)
    assert alone["ndcg@10"] == pytest.approx(1) and alone["hit_rate@10"] == 1


def test_no_strict_list_beats_the_oracle():
    task = test_task(DATA)
    rng = np.random.default_rng(0)
    oracle = protocol.strict_oracle(KNOWN.labels, task, 10)
    for _ in range(20):
        items = np.stack([rng.permutation(150)[:20] for _ in range(3)]).astype(np.int32)
        one = protocol.measure("random", "strict", shared_lists(items, KNOWN.labels, task), task)
        assert all(one.of(name).mean() <= oracle[name] + 1e-12 for name in oracle if "hit" not in name)


def test_the_oracle_of_one_user_is_known_and_of_nobody_is_not():
    names = [f"{name}@{k}" for name in ("precision", "recall", "f1", "ndcg", "hit_rate") for k in (1, 5)]
    nobody = best_strict(np.empty(0, np.int32), sparse.csr_array((0, 3), dtype=np.float32), (1, 5))
    assert set(nobody) == set(names) and np.isnan(list(nobody.values())).all()
    one = best_strict(np.zeros(1, np.int32), sparse.csr_array(np.array([[0, 1, 1]], np.float32)), (1, 5))
    assert one["recall@1"] == pytest.approx(0.5) and one["recall@5"] == one["hit_rate@1"] == one["ndcg@5"] == 1


def test_all_cutoffs_together_give_what_each_gives_alone():
    task = test_task(DATA)
    together = protocol.strict_oracle(KNOWN.labels, task, 1, 3, 10)
    alone = [protocol.strict_oracle(KNOWN.labels, task, k) for k in (1, 3, 10)]
    assert together == pytest.approx(alone[0] | alone[1] | alone[2])


def test_share_of_gain():
    assert protocol.share_of_gain(0.3, 0.2, 0.4) == pytest.approx(0.5)
    assert protocol.share_of_gain(0.1, 0.2, 0.4) == pytest.approx(-0.5)
    assert np.isnan(protocol.share_of_gain(0.3, 0.4, 0.4)) and np.isnan(protocol.share_of_gain(0.3, 0.5, 0.4))


ONLY_POPULAR = {"strict": "popularity", "dedup": "popularity"}
FLOOR = {"strict": "popularity", "dedup": "one_group"}


def evaluate_planted(task, data=DATA, seed=0):
    candidates = baselines.item_knn(data.histories, task.seen)
    groups = Groups(KNOWN.labels, 3)
    lists = {"members_mean": members_mean(candidates, groups, task.seen, 0)}
    lists["again"] = lists["members_mean"]
    shared = {name: (groups, these) for name, these in lists.items()}
    everybody = baselines.everybody(data.n_users)
    shared["one_group"] = everybody, members_mean(candidates, everybody, task.seen, 0)
    return protocol.evaluate(data.histories, task, groups, candidates, shared, {"knn": candidates}, FLOOR, seed)


@pytest.fixture(scope="module")
def evaluation():
    return evaluate_planted(test_task(DATA))


def value(evaluation, method, regime, metric, column="value"):
    rows = evaluation.rows
    return rows[(rows["method"] == method) & (rows["regime"] == regime) & (rows["metric"] == metric)][column].item()


def test_evaluation_holds_every_method_in_its_regimes(evaluation):
    shared = {"popularity", "one_group", "members_mean", "again"}
    found = evaluation.rows.groupby("regime")["method"].unique().map(set).to_dict()
    assert found == {"strict": shared, "dedup": shared, "individual": {"individual", "knn", "item_knn"}}
    assert not evaluation.rows.duplicated(["method", "regime", "metric"]).any()
    judged = evaluation.rows.dropna(subset="low")
    assert ((judged["low"] <= judged["value"] + 1e-6) & (judged["value"] <= judged["high"] + 1e-6)).all()


def test_planted_groups_beat_one_list_for_all(evaluation):
    floor = value(evaluation, "popularity", "dedup", "ndcg@10")
    assert value(evaluation, "members_mean", "dedup", "ndcg@10") > 1.3 * floor
    compared = compare_all(evaluation.measured, "members_mean", seed=0).set_index(["method", "regime", "metric"])
    assert compared.loc[("popularity", "dedup", "ndcg@10"), "significant"]
    assert compared.loc[("again", "strict", "ndcg@10"), "p_adjusted"] == 1


def test_an_encoder_named_like_a_baseline_is_judged_itself():
    task, groups = test_task(DATA), Groups(KNOWN.labels, 3)
    nobody = Candidates(np.full((90, 10), -1, np.int32), np.zeros((90, 10), np.float32), 150)
    knn = baselines.item_knn(DATA.histories, task.seen)
    result = protocol.evaluate(DATA.histories, task, groups, knn, {}, {"item_knn": nobody}, ONLY_POPULAR, seed=0)
    assert value(result, "item_knn", "individual", "ndcg@10") == 0


def test_bounds_stand_beside_every_accuracy_metric(evaluation):
    row = ("members_mean", "dedup", "ndcg@10")
    floor, top = (
        value(evaluation, "one_group", "dedup", "ndcg@10"),
        value(evaluation, "individual", "individual", "ndcg@10"),
    )
    assert value(evaluation, *row, "floor") == floor and value(evaluation, *row, "individual") == top
    share = (value(evaluation, *row) - floor) / (top - floor)
    assert value(evaluation, *row, "share_of_gain") == pytest.approx(share)
    assert value(evaluation, "members_mean", "strict", "ndcg@10", "floor") == value(
        evaluation, "popularity", "strict", "ndcg@10"
    )
    oracle = protocol.strict_oracle(KNOWN.labels, test_task(DATA), 10)["ndcg@10"]
    assert value(evaluation, "members_mean", "strict", "ndcg@10", "oracle") == pytest.approx(oracle)
    assert np.isnan(value(evaluation, *row, "oracle"))
    assert np.isnan(value(evaluation, "members_mean", "strict", "coverage@10", "share_of_gain"))


def test_bounds_are_those_of_the_rows_own_cutoff(evaluation):
    for name, k in product(["precision", "recall", "f1", "ndcg", "hit_rate"], metrics.CUTOFFS):
        row, metric = ("members_mean", "strict"), f"{name}@{k}"
        alone = protocol.strict_oracle(KNOWN.labels, test_task(DATA), k)[metric]
        assert value(evaluation, *row, metric, "oracle") == pytest.approx(alone), metric
        assert value(evaluation, *row, metric, "floor") == value(evaluation, "popularity", "strict", metric)
        assert value(evaluation, *row, metric, "individual") == value(evaluation, "individual", "individual", metric)


def test_the_floor_of_personal_lists_leaves_out_what_users_have(evaluation):
    strict, dedup = (value(evaluation, "one_group", regime, "ndcg@10") for regime in ("strict", "dedup"))
    assert value(evaluation, "knn", "individual", "ndcg@10", "floor") == dedup != strict


def test_the_floor_is_named_beside_its_value(evaluation):
    assert value(evaluation, "members_mean", "strict", "ndcg@10", "floor_method") == "popularity"
    for regime in ("dedup", "individual"):
        rows = evaluation.rows[evaluation.rows["regime"] == regime]
        assert set(rows["floor_method"]) == {"one_group"}


def test_novelty_counts_what_users_have_also_where_it_may_be_listed_again():
    once, again = test_task(DATA), test_task(DATA, repeats=True)
    lists = np.random.default_rng(0).integers(0, 150, (len(again.users), 20)).astype(np.int32)
    shares = (DATA.known.toarray() > 0).mean(axis=0)
    expected = -np.log2(np.maximum(shares, 1 / 90))[lists[:, :10]].mean(axis=1)
    assert again.seen.nnz == 0 < once.seen.nnz
    assert protocol.measure("any", "individual", lists, again).of("novelty@10") == pytest.approx(expected)


def test_groups_are_averaged_over_their_judged_members(evaluation):
    table = evaluation.groups[
        (evaluation.groups["method"] == "members_mean") & (evaluation.groups["regime"] == "strict")
    ]
    assert table["size"].sum() == 90
    mean = np.average(table["ndcg@10"], weights=table["n_test_users"])
    assert mean == pytest.approx(value(evaluation, "members_mean", "strict", "ndcg@10"))
    assert (table["zero_hit_share"] == 1 - table["hit_rate@10"]).all()


def test_groups_of_all_methods_stand_in_one_table_numbered_through(evaluation):
    methods = [(one.method, one.regime) for one in evaluation.measured]
    table = evaluation.groups
    assert table.index.tolist() == list(range(3 * len(methods))) and table["group"].tolist() == [0, 1, 2] * len(methods)
    assert list(dict.fromkeys(zip(table["method"], table["regime"], strict=True))) == methods


def test_a_group_with_one_judged_member_is_served_as_they_are_and_one_with_none_is_unknown():
    task = make_task(np.zeros((3, 4)), [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]])
    measured = protocol.measure("any", "individual", np.array([[0], [3]], np.int32), task)
    table = protocol.group_table(measured, Groups(np.array([0, 2, 1], np.int32), 3), task)
    assert table[["size", "n_test_users"]].to_numpy().tolist() == [[1, 1], [1, 0], [1, 1]]
    served = table[["ndcg@10", "hit_rate@10", "zero_hit_share"]].to_numpy().tolist()
    assert served[0] == [1, 1, 0] and served[2] == [0, 0, 1] and np.isnan(served[1]).all()


def test_what_stands_beyond_the_twentieth_place_is_not_judged():
    task = make_task(np.zeros((1, 21)), np.eye(21)[20:])
    measured = protocol.measure("any", "individual", np.arange(21, dtype=np.int32)[None], task)
    assert not measured.values[:, : protocol.METRICS.index("novelty@10")].any()


def test_the_oracle_is_that_of_the_groups_behind_the_strict_list():
    task = test_task(DATA)
    lists = np.zeros((len(task.users), 10), np.int32)
    one, many = np.zeros(90, np.int32), np.arange(90, dtype=np.int32)
    measured = [
        protocol.measure("mine", "strict", lists, task, one),
        protocol.measure("mine", "dedup", lists, task, many),
    ]
    rows = protocol.add_bounds(protocol.rows_table(protocol.summarise(measured)), measured, task, ONLY_POPULAR)
    found = rows[(rows["metric"] == "ndcg@10")].set_index("regime")["oracle"]
    assert found["strict"] == pytest.approx(protocol.strict_oracle(one, task, 10)["ndcg@10"]) and np.isnan(
        found["dedup"]
    )


def test_headline_numbers_are_those_of_the_rows(evaluation):
    assert evaluation.summary["dedup/again/ndcg@10"] == value(evaluation, "again", "dedup", "ndcg@10")
    assert evaluation.summary["n_groups"] == 3 and all(np.isfinite(list(evaluation.summary.values())))


def test_the_same_seed_gives_the_same_evaluation(evaluation):
    again = evaluate_planted(test_task(DATA))
    pd.testing.assert_frame_equal(evaluation.rows, again.rows)


def test_a_task_without_users_gives_unknown_values_and_no_error():
    empty = DATA.without_test()
    result = evaluate_planted(test_task(empty), empty)
    assert (result.rows["n_users"] == 0).all()
    assert result.rows[result.rows["metric"] == "ndcg@10"]["value"].isna().all()


def test_one_method_gives_the_same_rows_alone():
    task = test_task(DATA)
    lists = individual_lists(baselines.item_knn(DATA.histories, task.seen), task)
    rows = protocol.rows_table(protocol.summarise([protocol.measure("item_knn", "individual", lists, task)]))
    assert list(rows.columns) == ["method", "regime", "metric", "value", "low", "high", "n_users"]
    assert set(protocol.METRICS) | {"coverage@10", "gini@10"} == set(rows["metric"])
    assert (rows["n_users"] == len(task.users)).all()
