from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Candidates, Groups
from grouprec.evaluate import left_behind as module
from grouprec.evaluate import protocol
from grouprec.evaluate.baselines import everybody, popularity
from grouprec.evaluate.left_behind import left_behind
from grouprec.ranking.candidates import discounts
from grouprec.ranking.group_lists import members_mean, worth
from grouprec.ranking.task import Task

N_ITEMS = 60
TASTES = np.arange(45).reshape(3, 15)  # each taste likes fifteen items; the last fifteen items nobody likes


def users_of(tastes, seed=0):
    """Users who want their taste's items, in an order of their own, and take three of them; nobody has anything yet."""
    rng = np.random.default_rng(seed)
    items = np.stack([rng.permutation(TASTES[taste])[:12] for taste in tastes]).astype(np.int32)
    scores = np.tile(np.linspace(1, 0.5, 12, dtype=np.float32), (len(tastes), 1))
    relevant = np.zeros((len(tastes), N_ITEMS), np.float32)
    for user, taste in enumerate(tastes):
        relevant[user, rng.choice(TASTES[taste], 3, replace=False)] = 1
    return Candidates(items, scores, N_ITEMS), sparse.csr_array(relevant)


def make_task(relevant, users=None):
    nothing = sparse.csr_array(relevant.shape, dtype=np.float32)
    users = np.arange(relevant.shape[0]) if users is None else users
    return Task(nothing, relevant, np.array(users, np.int32), nothing)


def behind(labels, candidates, task, regime="strict", seed=0):
    groups = Groups(np.array(labels, np.int32), max(labels) + 1)
    histories = task.owned
    lists = members_mean(candidates, groups, histories, seed)
    measured = next(m for m in protocol.measure_both("mean", lists, groups, task) if m.regime == regime)
    return left_behind(measured, popular(task, regime), groups, task, candidates, histories, regime, seed), measured


def popular(task, regime):
    """One popular list for all, judged."""
    owned = task.owned
    return protocol.measure_one("", regime, popularity(owned, 0), everybody(owned.shape[0]), task)


MIXED = np.repeat([0, 1, 2], 40)  # group 0 holds tastes 0 and 1, group 1 only taste 2
LABELS = (MIXED == 2).astype(np.int32)


@pytest.fixture(scope="module", params=["strict", "dedup"])
def planted(request):
    candidates, relevant = users_of(MIXED)
    table, measured = behind(LABELS, candidates, make_task(relevant), request.param)
    return table, measured


def test_a_group_of_two_tastes_gains_by_a_split_as_predicted(planted):
    table = planted[0]
    mixed = table.loc[0]
    assert mixed["smaller_part"] == 0.5
    assert mixed["predicted_ndcg@10"] > 0.1 and mixed["measured_ndcg@10_low"] > 0.1
    assert mixed["predicted_precision@10"] > 0.03 and mixed["measured_precision@10_low"] > 0.03
    assert mixed["predicted_hits"] == pytest.approx(80 * 10 * mixed["predicted_precision@10"])
    assert mixed["measured_ndcg@10"] == pytest.approx(mixed["predicted_ndcg@10"], abs=0.1)


def test_a_group_of_one_taste_gains_next_to_nothing(planted):
    table = planted[0]
    one, mixed = table.loc[1], table.loc[0]
    assert 0 <= one["predicted_worth"] < 0.3 * mixed["predicted_worth"]
    assert one["measured_ndcg@10_low"] < 0.05 and abs(one["measured_ndcg@10"]) < 0.3 * mixed["measured_ndcg@10"]


def test_the_list_as_it_is_agrees_with_a_loop_over_groups(planted):
    table, measured = planted
    for group in (0, 1):
        served, row = measured.of("ndcg@10")[group == LABELS], table.loc[group]
        tenth = len(served) // 10
        assert row["n_judged"] == row["size"] == len(served)
        assert row["ndcg@10"] == pytest.approx(served.mean())
        assert row["worst_decile"] == pytest.approx(np.sort(served)[:tenth].mean())
        assert row["best_decile"] == pytest.approx(np.sort(served)[-tenth:].mean())
        assert row["zero_hit_share"] == pytest.approx((served == 0).mean())
        assert row["zero_hit_low"] <= row["zero_hit_share"] <= row["zero_hit_high"]


def test_share_lost_and_deciles_by_hand():
    # Two users want items 0 and 1. Everybody has items 2 to 11, so the popular list hits nothing; a personal one
    # always does; the group's list serves the first user only: half of what is possible is lost.
    owned = np.ones((2, 12), np.float32)
    owned[:, :2] = 0
    owned, relevant = sparse.csr_array(owned), sparse.csr_array(np.eye(2, 12, dtype=np.float32))
    task = Task(owned, relevant, np.arange(2, dtype=np.int32), owned)
    candidates = Candidates(np.array([[0], [1]], np.int32), np.ones((2, 1), np.float32), 12)
    values = np.zeros((2, len(protocol.METRICS)))
    values[0, [protocol.METRICS.index(metric) for metric in ("ndcg@10", "hit_rate@10")]] = 1
    measured, groups = protocol.Measured("any", "strict", values, {}), Groups(np.zeros(2, np.int32), 1)
    row = left_behind(measured, popular(task, "strict"), groups, task, candidates, owned, "strict", 0).loc[0]
    assert row[["ndcg@10", "share_lost", "zero_hit_share"]].tolist() == [0.5, 0.5, 0.5]
    assert row[["worst_decile", "best_decile"]].tolist() == [0, 1]
    better = replace(measured, values=0.5 * values)  # a single list for all that reaches half of what these lists do
    row = left_behind(measured, better, groups, task, candidates, owned, "strict", 0).loc[0]
    assert row["share_lost"] == pytest.approx(1 - (0.5 - 0.25) / (1 - 0.25)), "measured from the floor given"
    assert row.loc["smaller_part":].isna().all()  # two members are too few to split


THREE = np.repeat([0, 1, 2], [12, 10, 9])  # members of three groups
JUDGED = np.delete(np.arange(31), [0, *range(23, 31)])  # 11 of the first group, all of the second, one of the third
TWO_LISTS = TASTES[[1, 0], :10].astype(np.int32)


@pytest.fixture
def split_by_hand(monkeypatch):
    """Three groups, of which eight members want the second of two given lists and the others the first."""
    tastes = np.where(np.arange(31) % 3 == 0, 1, 0)
    candidates, relevant = users_of(tastes)
    monkeypatch.setattr(module, "_rankings", lambda rows, setting: (TWO_LISTS[1:], TWO_LISTS))
    table, measured = behind(THREE, candidates, make_task(relevant, JUDGED))
    return table, measured, candidates, relevant.toarray()


def test_a_split_is_worth_and_brings_what_a_loop_over_members_says(split_by_hand):
    table, measured, candidates, relevant = split_by_hand
    values = worth(candidates).toarray()

    def value(user, items):
        return values[user, items] @ discounts(10)

    def served(user):
        best = max(TWO_LISTS, key=lambda items: value(user, items))
        hits = relevant[user, best]
        return hits @ discounts(10) / discounts(3).sum(), hits.sum() / 10

    personal = [candidates.items[user, :10] for user in JUDGED]
    of_personal = np.array([relevant[user, own] for user, own in zip(JUDGED, personal, strict=True)])
    ndcg = (of_personal @ discounts(10)).mean() / discounts(3).sum()
    per_discounted = ndcg / np.mean([value(user, own) for user, own in zip(JUDGED, personal, strict=True)])
    plain = [values[user, own].sum() for user, own in zip(JUDGED, personal, strict=True)]
    per_plain = of_personal.sum(axis=1).mean() / 10 / np.mean(plain)
    for group, parts in ((0, (4, 8)), (1, (4, 6))):
        members, row = np.flatnonzero(group == THREE), table.loc[group]
        best = [max(TWO_LISTS, key=lambda items, user=user: value(user, items)) for user in members]
        gains = [value(user, own) - value(user, TWO_LISTS[1]) for user, own in zip(members, best, strict=True)]
        more = [
            values[user, own].sum() - values[user, TWO_LISTS[1]].sum() for user, own in zip(members, best, strict=True)
        ]
        assert row["smaller_part"] == pytest.approx(parts[0] / sum(parts))
        assert row["predicted_worth"] == pytest.approx(np.mean(gains), rel=1e-4) and np.mean(gains) > 0.1
        assert row["predicted_ndcg@10"] == pytest.approx(np.mean(gains) * per_discounted, rel=1e-4)
        assert row["predicted_precision@10"] == pytest.approx(np.mean(more) * per_plain, rel=1e-4)
        assert row["predicted_hits"] == pytest.approx(10 * len(members) * row["predicted_precision@10"])
        judged = np.flatnonzero(THREE[JUDGED] == group)
        new = np.array([served(user) for user in JUDGED[judged]])
        for at, metric in enumerate(("ndcg@10", "precision@10")):
            change = (new[:, at] - measured.of(metric)[judged]).mean()
            assert row[f"measured_{metric}"] == pytest.approx(change, abs=1e-6)


def test_ten_members_can_be_split_and_nine_cannot(split_by_hand):
    table, measured, _, _ = split_by_hand
    assert table.loc[:1, "smaller_part":"measured_ndcg@10"].notna().all(axis=None)
    assert table.loc[2, "smaller_part":].isna().all()
    assert table["n_judged"].tolist() == [11, 10, 1] and table["size"].tolist() == [12, 10, 9]
    only = measured.of("ndcg@10")[-1]
    assert table.loc[2, ["ndcg@10", "worst_decile", "best_decile"]].tolist() == pytest.approx([only] * 3)


def test_a_tenth_of_eleven_are_two(split_by_hand):
    table, measured, _, _ = split_by_hand
    for group, n in ((0, 2), (1, 1)):
        own = np.sort(measured.of("ndcg@10")[THREE[JUDGED] == group])
        assert table.loc[group, "worst_decile"] == pytest.approx(own[:n].mean())
        assert table.loc[group, "best_decile"] == pytest.approx(own[-n:].mean())


def test_lists_are_made_from_at_most_a_thousand_different_members(monkeypatch):
    drawn = []
    monkeypatch.setattr(module, "_rankings", lambda rows, setting: drawn.append(rows) or (TWO_LISTS[1:], TWO_LISTS))
    candidates, relevant = users_of(np.zeros(1001, int))
    behind(np.zeros(1001, int), candidates, make_task(relevant, [0]))
    assert len(np.unique(drawn[0])) == len(drawn[0]) == 1000 and (np.diff(drawn[0]) > 0).all()


@pytest.mark.parametrize("regime", ["strict", "dedup"])
def test_a_split_starts_twice_and_the_better_end_is_taken(monkeypatch, regime):
    started, searched, spaces = [], [], []
    real_starts, real_space = module.starts, module.start_space

    def starts(space, n_groups, n_starts, rng):
        started.append((space.shape[1], n_groups, n_starts))
        return real_starts(space, n_groups, n_starts, rng)

    def segment(values, histories, start, regime, min_group_size=1, max_rounds=30):
        searched.append((len(np.unique(start)), min_group_size, max_rounds))
        return SimpleNamespace(rankings=len(searched), value=[0, 3, 2][len(searched) - 1])

    monkeypatch.setattr(module, "starts", starts)
    monkeypatch.setattr(module, "segment", segment)
    monkeypatch.setattr(module, "start_space", lambda *given: spaces.append(given) or real_space(*given))
    candidates, relevant = users_of(MIXED)
    task = make_task(relevant)
    setting = module._Setting(task, candidates, worth(candidates), task.owned, regime, 0)
    assert module._rankings(np.arange(80), setting) == (1, 2)
    assert searched == [(1, 1, 0), (2, 5, 10), (2, 5, 10)] and started == [(16, 2, 2)]
    assert len(spaces) == (regime == "dedup")


def test_what_listed_items_are_worth_by_hand():
    values = sparse.csr_array(np.array([[0.5, 0.25, 0.125], [0, 0.75, 0]], np.float32))
    found = module._worths(np.array([[0, 2, -1, 1], [1, -1, 0, 2]], np.int32), values)
    assert found.tolist() == [[0.5, 0.125, 0, 0.25], [0.75, 0, 0, 0]]


def test_hits_of_lists_that_are_worth_nothing_have_no_rate():
    candidates, relevant = users_of(MIXED)
    task = make_task(relevant)
    silent = sparse.csr_array(relevant.shape, dtype=np.float32)
    own = protocol.measure("individual", "individual", candidates.items[:, :10], task)
    assert own.of("ndcg@10").mean() > 0
    setting = module._Setting(task, candidates, silent, task.owned, "strict", 0)
    assert np.isnan(module._per_worth(own, candidates.items[:, :10], setting)).all()
    little = replace(setting, values=worth(candidates) / 4)  # a list of ten is worth a quarter
    assert module._per_worth(own, candidates.items[:, :10], little)[0] == pytest.approx(4 * own.of("ndcg@10").mean())


@pytest.mark.parametrize("regime", ["strict", "dedup"])
def test_members_who_are_all_alike_stay_together(regime):
    candidates, relevant = users_of(np.zeros(20, int))
    alike = Candidates(np.tile(candidates.items[0], (20, 1)), candidates.scores, N_ITEMS)
    row = behind(np.zeros(20, int), alike, make_task(relevant), regime)[0].loc[0]
    gains = ["smaller_part", "predicted_worth", "predicted_hits", "measured_ndcg@10", "measured_precision@10"]
    assert row[gains].tolist() == [0] * 5


def test_predictions_that_say_nothing_give_no_gain():
    candidates, relevant = users_of(MIXED)
    silent = Candidates(candidates.items, np.zeros_like(candidates.scores), N_ITEMS)
    table = behind(LABELS, silent, make_task(relevant))[0]
    assert (table["predicted_worth"] == 0).all() and table["predicted_ndcg@10"].isna().all()


def test_nobody_judged_leaves_predictions_of_worth_only():
    candidates, relevant = users_of(MIXED)
    table = behind(LABELS, candidates, make_task(relevant, users=[]))[0]
    assert (table["n_judged"] == 0).all() and table[["zero_hit_share", "share_lost", "worst_decile"]].isna().all().all()
    assert table.loc[0, "predicted_worth"] > 0 and table["measured_ndcg@10"].isna().all()


def test_few_judged_members_have_a_mean_but_no_interval():
    candidates, relevant = users_of(MIXED)
    row = behind(LABELS, candidates, make_task(relevant, users=[0, 1, 50, 51]))[0].loc[0]
    assert row["n_judged"] == 4 and np.isfinite(row["measured_ndcg@10"])
    assert row[["measured_ndcg@10_low", "measured_precision@10_high"]].isna().all()


def test_lists_made_from_some_members_serve_all_of_them(monkeypatch):
    monkeypatch.setattr("grouprec.evaluate.left_behind.MOST_MEMBERS", 40)
    candidates, relevant = users_of(MIXED)
    row = behind(LABELS, candidates, make_task(relevant))[0].loc[0]
    assert row["n_judged"] == 80 and row["measured_ndcg@10_low"] > 0.1 and row["predicted_ndcg@10"] > 0.1


def test_the_same_seed_gives_the_same_table(planted):
    candidates, relevant = users_of(MIXED)
    again, _ = behind(LABELS, candidates, make_task(relevant), planted[1].regime)
    pd.testing.assert_frame_equal(again, planted[0])


def test_lists_of_another_regime_are_refused():
    candidates, relevant = users_of(MIXED)
    task = make_task(relevant)
    measured = behind(LABELS, candidates, task)[1]
    with pytest.raises(ValueError, match="'strict', not 'dedup'"):
        left_behind(measured, measured, Groups(LABELS, 2), task, candidates, task.owned, "dedup", 0)
