"""Replaying events: order, leakage, ties and intervals, with updaters whose answers are known."""

import numpy as np
import pytest

from grouprec.data.synthetic import planted
from grouprec.evaluate.updates import evaluate_updates
from grouprec.training import RunOptions


class LastItem:
    """An updater whose state is the last item, and which foretells its successor with certainty."""

    def __init__(self, n_items):
        self.n_items = n_items

    def start(self, data, run):
        return np.full((data.n_users, 1), -1.0, np.float32)

    def update(self, states, item_rows):
        return np.asarray(item_rows, np.float32)[:, None]

    def scores(self, states):
        return (np.arange(self.n_items) == states + 1).astype(np.float32)


class NoIdea(LastItem):
    def scores(self, states):
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
