"""How many takes predictions come to: learned from planted takes whose probability is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import expit, logit

from grouprec.core.types import Candidates
from grouprec.data.dataset import Interactions
from grouprec.ranking import takes as module
from grouprec.ranking.takes import FEWEST, ExpectedTakes, Horizon, Predictions, mean_chances, spread_of

DAYS = Horizon("days", 19.0)
PART = Horizon("interactions", 3.7)
DAY = 86_400.0


def planted(n_users: int, seed: int, n: int = 60, of_time: bool = True) -> tuple[Predictions, np.ndarray]:
    """Return predictions and the probabilities behind them: chances are far too high, most of all for the lapsed."""
    rng = np.random.default_rng(seed)
    chances = np.sort(expit(rng.normal(-2, 1.2, (n_users, n))), axis=1)[:, ::-1].astype(np.float32)
    activity, away = rng.integers(1, 200, n_users), rng.exponential(60, n_users)
    idle = away if of_time else np.full(n_users, 40.0)
    logits = 0.6 * logit(chances) - 2.5 + 0.4 * np.log1p(activity)[:, None] - 0.5 * np.log1p(idle)[:, None]
    items = np.tile(np.arange(n, dtype=np.int32), (n_users, 1))
    items = rng.permuted(items, axis=1)
    wanted = np.linspace(0.1, 1, n) ** 2 / 4
    logits = logits + 0.5 * np.log(wanted[items] + 1e-4) + 1.2
    items[:, -1], chances[:, -1] = -1, 0  # a user may have fewer candidates
    truth = np.where(items >= 0, expit(logits), 0)
    return Predictions(Candidates(items, chances, n), wanted, activity, away), truth


def drawn(truth: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random(truth.shape) < truth


def by_tenth(expected: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Return sums in tenths of what is expected."""
    order = np.argsort(expected, axis=None)
    sums = expected.ravel()[order].cumsum()
    parts = np.split(order, np.searchsorted(sums, sums[-1] * np.arange(0.1, 0.95, 0.1)))
    return [np.array([values.ravel()[part].sum() for part in parts]) for values in (expected, *others)]


def test_mean_chances_are_of_all_users_however_many_are_added_up_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    items, scores = rng.integers(-1, 7, (50, 4)).astype(np.int32), rng.random((50, 4), np.float32)
    dense = np.zeros((50, 8))
    np.add.at(dense, (np.arange(50)[:, None], np.where(items < 0, 7, items)), scores)
    for at_once in (7, 50, 2_048):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", at_once)
        assert mean_chances(Candidates(items, scores, 7)) == pytest.approx(dense[:, :7].mean(axis=0))


@pytest.mark.parametrize(("horizon", "of_time"), [(DAYS, True), (PART, False)], ids=["days", "interactions"])
def test_expected_and_real_takes_of_other_users_agree_in_every_tenth(horizon: Horizon, of_time: bool) -> None:
    seen, truth = planted(4000, 0, of_time=of_time)
    learned = ExpectedTakes.learn(seen, drawn(truth, 1), horizon, 0)
    assert learned is not None and learned.n_users == 4000 and learned.horizon == horizon
    others, their_truth = planted(4000, 2, of_time=of_time)
    expected = learned.probabilities(others)
    assert (expected[:, -1] == 0).all() and (expected[:, :-1] > 0).all()
    sums, true, real = by_tenth(expected, their_truth, drawn(their_truth, 3))
    np.testing.assert_allclose(true, sums, rtol=0.06)
    np.testing.assert_allclose(real, sums, rtol=0.1)
    told = others.candidates.scores
    assert told.sum() > 2 * their_truth.sum(), "the chances themselves are no number of takes"


def test_who_has_been_away_takes_less_who_is_active_more_and_all_more_of_what_many_want() -> None:
    seen, truth = planted(4000, 0)
    learned = ExpectedTakes.learn(seen, drawn(truth, 1), DAYS, 0)
    assert learned is not None and list(learned.knots) == ["chance", "wanted", "activity", "away"]
    items = np.tile(np.array([0, 1], np.int32), (4, 1))
    one = Candidates(items, np.full((4, 2), 0.3, np.float32), 2)
    activity, away = np.array([5, 5, 150, 150]), np.array([2.0, 100.0, 2.0, 100.0])
    expected = learned.probabilities(Predictions(one, np.array([0.02, 0.2]), activity, away))
    of_users = 0.6 * logit(0.3) - 1.3 + 0.4 * np.log1p(activity) - 0.5 * np.log1p(away)
    right = expit(of_users[:, None] + 0.5 * np.log(np.array([0.0201, 0.2001])))
    np.testing.assert_allclose(expected, right, rtol=0.12)


def test_a_bent_curve_is_followed() -> None:
    seen, _ = planted(3000, 0)
    beyond = np.maximum(logit(seen.candidates.scores.clip(1e-6, 1)) + 2, 0)  # below the bend, chances mean nothing
    truth = expit(1.2 * beyond - 4) * (seen.candidates.items >= 0)
    learned = ExpectedTakes.learn(seen, drawn(truth, 1), DAYS, 0)
    assert learned is not None
    expected = learned.probabilities(seen)
    for part in (beyond == 0, (beyond > 0) & (beyond < 1), beyond >= 1):
        assert expected[part].sum() == pytest.approx(truth[part].sum(), rel=0.06)
    least = seen.candidates.scores < 0.02
    assert expected[least].sum() == pytest.approx(truth[least].sum(), rel=0.15)


def test_the_level_is_right_where_only_some_pairs_without_a_take_are_learned_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen, truth = planted(1500, 0)
    real = drawn(truth, 1)
    every = ExpectedTakes.learn(seen, real, DAYS, 0)
    monkeypatch.setattr(module, "MOST", 9_000)
    some = ExpectedTakes.learn(seen, real, DAYS, 0)
    assert every is not None and some is not None and some.weights != every.weights
    assert every.probabilities(seen).sum() == pytest.approx(real.sum(), rel=1e-3)
    assert some.probabilities(seen).sum() == pytest.approx(real.sum(), rel=0.03)
    assert some == ExpectedTakes.learn(seen, real, DAYS, 0), "the seed draws"


def test_too_few_takes_say_nothing() -> None:
    seen, truth = planted(300, 0)
    taken = np.zeros(truth.shape, bool)
    taken.reshape(-1)[np.flatnonzero(seen.candidates.items.ravel() >= 0)[: FEWEST - 1]] = True
    assert ExpectedTakes.learn(seen, taken, DAYS, 0) is None
    taken.reshape(-1)[np.flatnonzero(seen.candidates.items.ravel() >= 0)[:FEWEST]] = True
    assert ExpectedTakes.learn(seen, taken, DAYS, 0) is not None
    nobody = seen.take(np.empty(0, int))
    assert ExpectedTakes.learn(nobody, taken[:0], DAYS, 0) is None


def test_users_who_are_all_alike_are_learned_from_too() -> None:
    seen, truth = planted(400, 0)
    alike = Predictions(seen.candidates, np.full(60, 0.1), np.full(400, 7), np.zeros(400))
    learned = ExpectedTakes.learn(alike, drawn(truth, 1), DAYS, 0)
    assert learned is not None and learned.knots["activity"] == learned.knots["away"] == learned.knots["wanted"] == []
    assert learned.probabilities(alike).sum() == pytest.approx(drawn(truth, 1).sum(), rel=1e-3)


def test_what_was_learned_survives_json_and_older_runs_have_none() -> None:
    seen, truth = planted(400, 0)
    learned = ExpectedTakes.learn(seen, drawn(truth, 1), DAYS, 0)
    assert learned is not None
    again = ExpectedTakes.of(json.loads(json.dumps(learned.as_dict() | {"gap": 0.1, "words": "19 days"})))
    assert again == learned
    np.testing.assert_array_equal(again.probabilities(seen), learned.probabilities(seen))
    assert ExpectedTakes.of(None) is None and ExpectedTakes.of({}) is None


def a_part(times: list[float] | None, n: int = 4) -> Interactions:
    rows = np.zeros(n if times is None else len(times), np.int32)
    return Interactions(rows, rows, np.ones(len(rows), np.float32), None if times is None else np.array(times))


def test_the_horizon_is_a_time_only_where_the_part_lies_after_all_that_was_known() -> None:
    known = a_part([0.0, 10 * DAY])
    assert Horizon.of(known, a_part([11 * DAY, 29 * DAY]), 8) == Horizon("days", 19.0)
    assert Horizon.of(known, a_part([10 * DAY, 29 * DAY]), 8) == Horizon("interactions", 0.25)
    assert Horizon.of(a_part(None), a_part(None, 6), 4) == Horizon("interactions", 1.5)
    assert Horizon.of(known, a_part([]), 0) == Horizon("interactions", 0.0)


def test_horizons_are_said_in_words() -> None:
    said = [Horizon("days", length).span for length in (0.01, 1 / 24, 1.5, 2.0, 18.6)]
    assert said == ["1 hour", "1 hour", "36 hours", "2 days", "19 days"]
    assert DAYS.words == "19 days, as long as the run was judged on"
    assert PART.span == "about 3.7 more interactions of each"
    assert [Horizon("interactions", n).span for n in (1.04, 10.4)] == [
        "about 1 more interaction of each",
        "about 10 more interactions of each",
    ]
    assert PART.words == "about 3.7 more interactions of each, as many as the run was judged on"


def test_users_are_away_since_their_latest_interaction() -> None:
    nothing = Candidates(np.zeros((4, 1), np.int32), np.zeros((4, 1), np.float32), 1)
    last = np.array([0.0, 8 * DAY, 10 * DAY, -np.inf])
    seen = Predictions.of(nothing, np.ones(1), np.arange(4), last, 10 * DAY)
    assert seen.away.tolist() == [10, 2, 0, 10], "of whom no time is known counts as away the longest"
    assert seen.take(np.array([1])).away.tolist() == [2] and seen.take(np.array([1])).activity.tolist() == [1]
    untimed = Predictions.of(nothing, np.ones(1), np.arange(4), np.full(4, -np.inf), -np.inf)
    assert untimed.away.tolist() == [0] * 4


def test_what_is_no_candidate_has_the_chance_of_the_last_one() -> None:
    items = np.array([[2, 0, -1], [1, 3, 0], [-1, -1, -1]], np.int32)
    scores = np.array([[0.5, 0.25, 0], [0.75, 0.5, 0.125], [0, 0, 0]], np.float32)
    seen = Predictions(
        Candidates(items, scores, 4), mean_chances(Candidates(items, scores, 4)), np.arange(3), np.zeros(3)
    )
    assert seen.wanted.tolist() == [0.125, 0.25, 0.5 / 3, 0.5 / 3]
    found = seen.of_lists(np.array([[0, 1, 2], [0, 2, -1], [-1, -1, -1]], np.int32))
    assert found.candidates.scores.tolist() == [[0.25, 0.25, 0.5], [0.125, 0.125, 0], [0, 0, 0]]
    assert found.candidates.n_items == 4 and found.activity.tolist() == [0, 1, 2]


def test_many_users_are_looked_at_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    seen, truth = planted(300, 0)
    learned = ExpectedTakes.learn(seen, drawn(truth, 1), DAYS, 0)
    assert learned is not None
    whole = learned.probabilities(seen)
    monkeypatch.setattr(module, "AT_ONCE", 130)
    np.testing.assert_allclose(learned.probabilities(seen), whole, rtol=1e-12)


def test_the_interval_holds_for_takes_of_that_spread_and_never_goes_below_nothing() -> None:
    learned = ExpectedTakes(DAYS, {"chance": []}, [1.0], 0.0, 10, spread=2.5)
    low, high = learned.interval(100.0)
    assert (low, high) == pytest.approx((73.442, 136.161), abs=0.001)
    rng = np.random.default_rng(0)
    real = rng.negative_binomial(100 / 1.5, 1 / 2.5, 20_000)  # mean 100, variance 2.5 times that
    assert np.mean((real >= low) & (real <= high)) == pytest.approx(0.95, abs=0.01)
    low, high = learned.interval(np.array([0.0, 0.5]))
    assert low[0] == 0 and (low >= 0).all() and (high > [0, 0.5]).all()


def test_the_spread_is_that_of_the_lists_drawn_towards_what_is_usual() -> None:
    assert spread_of(np.empty(0), np.empty(0)) == 2.5
    expected = np.full(1000, 16.0)
    assert spread_of(expected, expected + 8) == pytest.approx((1000 * 4 + 5 * 2.5) / 1005)
    assert spread_of(expected, expected) == 1, "takes on their own vary that much"
    assert spread_of(np.array([0.0, 4.0]), np.array([3.0, 8.0])) == pytest.approx((4 + 12.5) / 6), (
        "of lists with takers"
    )
