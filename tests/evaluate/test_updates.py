"""Replaying events: order, leakage, ties and intervals, with updaters whose answers are known."""

import dataclasses

import numpy as np
import pytest
from scipy import sparse

from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import planted
from grouprec.evaluate import updates
from grouprec.evaluate.updates import evaluate_updates
from grouprec.models.fitting import RunOptions
from grouprec.ranking.statistics import resampled_means


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


def test_ties_take_every_place_that_is_free_and_no_other():
    scores = np.tile([3.0, 2.0, 2.0, 1.0], (600, 1))
    items = np.tile([0, 1, 3], 200)
    ranks = updates._ranks(lambda rows: scores[rows], items, np.random.default_rng(0))
    assert [set(ranks[at::3].tolist()) for at in range(3)] == [{0}, {1, 2}, {3}]


RANKS = {"frozen": np.array([1, 9, 2, 0]), "updated": np.array([0, 0, 1, 3])}
OWNERS = np.array([4, 4, 7, 9])


def test_the_summary_is_that_of_hand_worked_ranks():
    found = updates._summary(RANKS, OWNERS, 2, RunOptions(seed=5))
    assert (found["n_events"], found["n_users"]) == (4, 3)
    assert found["hit_rate@2"]["frozen"] == 0.5 and found["hit_rate@2"]["updated"] == 0.75
    assert found["hit_rate@2"]["updated_over_frozen"] == 1.5
    assert found["ndcg@2"]["frozen"] == pytest.approx((1 / np.log2(3) + 1) / 4)
    assert found["ndcg@2"]["updated"] == pytest.approx((2 + 1 / np.log2(3)) / 4)


def test_intervals_are_those_of_500_resamples_of_users_with_all_their_events():
    found = updates._summary(RANKS, OWNERS, 2, RunOptions(seed=5))["hit_rate@2"]
    per_user = np.array([[2, 1, 2], [1, 0, 1], [1, 1, 0]])  # events, frozen hits, updated hits
    drawn = resampled_means(per_user, 5, 500).astype(float)
    ends = lambda values: pytest.approx(np.quantile(values, [0.025, 0.975]).tolist(), abs=1e-6)  # noqa: E731
    assert found["frozen_interval"] == ends(drawn[:, 1] / drawn[:, 0])
    assert found["updated_interval"] == ends(drawn[:, 2] / drawn[:, 0])
    some = drawn[drawn[:, 1] > 0]  # there are resamples in which the frozen state finds nothing
    assert len(some) < 500 and found["updated_over_frozen_interval"] == ends(some[:, 2] / some[:, 1])


def test_nothing_to_predict_has_an_interval_of_nothing(data):
    ndcg = evaluate_updates(LastItem(100), data, data.test.take(np.zeros(0, np.int64)), RunOptions())["ndcg@10"]
    nothing = {"frozen": 0, "updated": 0, "frozen_interval": [0, 0], "updated_interval": [0, 0]}
    assert ndcg == nothing | {"updated_over_frozen": None, "updated_over_frozen_interval": None}


class Nearest(LastItem):
    """Ranks items by how near they are to the next one; no two are equally near."""

    def chances(self, states):
        return -np.abs(np.arange(self.n_items) - states - 1.25)


def test_users_in_several_chunks_are_ranked_as_in_one(data, monkeypatch):
    whole = evaluate_updates(Nearest(100), data, data.test, RunOptions(), k=3)
    monkeypatch.setattr(updates, "CHUNK", 7)
    assert evaluate_updates(Nearest(100), data, data.test, RunOptions(), k=3) == whole


def test_at_most_twenty_thousand_events_are_judged(data, monkeypatch):
    asked = []
    monkeypatch.setattr(Interactions, "of_some_users", lambda part, most, rng: asked.append(most) or part)
    evaluate_updates(LastItem(100), data, data.test, RunOptions())
    assert asked == [20_000]


def test_before_the_validation_part_users_have_what_they_learned_from(data):
    asked = []

    def reencode(users, histories, recent):
        asked.append((users, histories, recent))
        return LastItem(100).chances(recent[:, -1:].astype(np.float32))

    result = evaluate_updates(LastItem(100), data, data.validation, RunOptions(), k=1, reencode=reencode)
    assert result["drawn"]["n_events"] == result["n_events"] == len(data.validation)
    for users, histories, recent in asked:
        for row, user in enumerate(users.tolist()):
            learned = data.train.item_rows[data.train.user_rows == user]
            more = data.validation.item_rows[data.validation.user_rows == user]
            n = int((recent[row] >= 0).sum())
            assert recent[row, -n:].tolist() == [*learned, *more][:n] and n >= len(learned)
            assert histories[[row]].sum() == n
