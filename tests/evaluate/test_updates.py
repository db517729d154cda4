"""Replaying events: order, leakage, ties and intervals, with updaters whose answers are known."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from grouprec.data.synthetic import planted
from grouprec.evaluate import updates
from grouprec.evaluate.updates import evaluate_updates
from grouprec.models.fitting import RunOptions


class LastItem:
    """An updater whose state is the last item, and which foretells its successor with certainty."""

    def __init__(self, n_items):
        self.n_items = n_items

    def start(self, data, run):
        return np.full((data.n_users, 1), -1.0, np.float32)

    def update(self, states, item_rows):
        return np.asarray(item_rows, np.float32)[:, None]

    def chances(self, states):
        return (np.arange(self.n_items) == states + 1).astype(np.float32)


class NoIdea(LastItem):
    def chances(self, states):
        return np.zeros((len(states), self.n_items), np.float32)


@pytest.fixture(scope="module")
def data():
    return planted(n_users=200, n_items=100, n_groups=1, noise=0.0, events_per_user=30).data


def test_a_perfect_updater_is_right_except_where_the_walk_wraps(data):
    result = evaluate_updates(LastItem(100), data, data.test, RunOptions(), k=1)
    wraps = (data.test.item_rows == 0).mean()
    assert result["n_events"] == len(data.test) and result["n_users"] == 200
    assert result["hit_rate@1"]["updated"] == pytest.approx(1 - wraps, abs=0.01)
    assert result["ndcg@1"]["updated"] == result["hit_rate@1"]["updated"]
    assert result["hit_rate@1"]["frozen"] < 0.5


def test_the_validation_part_is_replayed_before_the_test_part(data):
    # Nothing but the validation part tells the frozen state where the walk stands.
    first = evaluate_updates(LastItem(100), data, data.test, RunOptions(), k=1)["hit_rate@1"]["frozen"]
    assert first >= 0.3
    before_any = evaluate_updates(NoIdea(100), data, data.validation, RunOptions(), k=1)["hit_rate@1"]["frozen"]
    assert before_any < 0.05


def test_ties_are_ranked_at_random(data):
    result = evaluate_updates(NoIdea(100), data, data.test, RunOptions(), k=10)
    assert result["hit_rate@10"]["updated"] == pytest.approx(0.1, abs=0.05)


def test_the_interval_holds_the_value(data):
    result = evaluate_updates(NoIdea(100), data, data.test, RunOptions(), k=10)
    for values in (result["hit_rate@10"], result["ndcg@10"]):
        for name in ("frozen", "updated"):
            low, high = values[f"{name}_interval"]
            assert low < values[name] < high


def test_an_empty_part_gives_zeros(data):
    result = evaluate_updates(LastItem(100), data, data.test.take(np.zeros(0, np.int64)), RunOptions())
    assert result["n_events"] == 0 and result["ndcg@10"]["updated"] == 0.0
    assert result["ndcg@10"]["updated_over_frozen"] is None


def test_the_ratio_is_that_of_the_means_and_its_interval_excludes_one_where_updates_pay(data):
    ndcg = evaluate_updates(LastItem(100), data, data.test, RunOptions(), k=1)["ndcg@1"]
    low, high = ndcg["updated_over_frozen_interval"]
    assert ndcg["updated_over_frozen"] == pytest.approx(ndcg["updated"] / ndcg["frozen"])
    assert 1 < low < ndcg["updated_over_frozen"] < high


def test_a_ratio_to_nothing_is_none(data):
    class AlwaysFirst(LastItem):
        def chances(self, states):
            return np.where(states > -1, super().chances(states), -np.arange(self.n_items)).astype(np.float32)

    late = data.test.take(data.test.item_rows > 50)
    ndcg = evaluate_updates(AlwaysFirst(100), dataclasses.replace(data, validation=late), late, RunOptions())["ndcg@10"]
    assert ndcg["frozen"] == 0 < ndcg["updated"]
    assert ndcg["updated_over_frozen"] is None and ndcg["updated_over_frozen_interval"] is None


def test_users_are_encoded_anew_from_exactly_what_came_before(data, monkeypatch):
    monkeypatch.setattr(updates, "N_REENCODED", 150)
    asked = []

    def reencode(users, histories, recent):
        asked.append((users, histories, recent))
        return LastItem(100).chances(recent[:, -1:].astype(np.float32))

    result = evaluate_updates(LastItem(100), data, data.test, RunOptions(), k=1, reencode=reencode)
    users, recent = (np.concatenate([call[place] for call in asked]) for place in (0, 2))
    histories = sparse.vstack([call[1] for call in asked])
    everything = data.before_test().recent(50)
    for row, user in enumerate(users.tolist()):
        walk = [*everything[user][everything[user] >= 0], *data.test.item_rows[data.test.user_rows == user]]
        n = int((recent[row] >= 0).sum())
        assert recent[row, -n:].tolist() == walk[:n] and n >= 27  # 30 events, the last three are the test part
        assert histories[[row]].toarray()[0].tolist() == np.bincount(walk[:n], minlength=100).tolist()
    assert len(users) == result["drawn"]["n_events"] == 150
    drawn = result["drawn"]["hit_rate@1"]
    assert drawn["re-encoded"] == drawn["updated"] == result["hit_rate@1"]["re-encoded"] > drawn["frozen"]
    assert drawn["updated_over_reencoded"] == result["hit_rate@1"]["updated_over_reencoded"] == 1


def test_without_a_predictor_nobody_is_encoded_anew(data):
    result = evaluate_updates(LastItem(100), data, data.test, RunOptions())
    assert "drawn" not in result and "re-encoded" not in result["ndcg@10"]


def test_of_many_events_those_of_drawn_users_are_judged_whole(data):
    found = evaluate_updates(LastItem(100), data, data.test, RunOptions(), k=1, most_events=100)
    counts = np.bincount(data.test.user_rows)
    assert 100 - counts.max() < found["n_events"] <= 100 and found["n_users"] > 1
    assert found["ndcg@1"]["updated"] > found["ndcg@1"]["frozen"]
    assert found == evaluate_updates(LastItem(100), data, data.test, RunOptions(), k=1, most_events=100)
