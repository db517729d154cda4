"""The blend on planted answers: what it weighs, what it promises, and what it says where little is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import Embeddings
from grouprec.models import blend as module
from grouprec.models.blend import (
    FLOOR,
    REPEAT_HALF_LIFE,
    REPEAT_TERMS,
    ItemFacts,
    Weights,
    log_preference,
    log_season,
    log_trend,
    make_predictor,
    repeat_terms,
)
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.ranking.recency import DAY
from tests.support.blends import KNOWN, dataset, predictor, source


def test_chances_equal_the_formula() -> None:
    rng = np.random.default_rng(0)
    data, linear, logs = KNOWN.data, rng.normal(size=(200, 100)), rng.normal(size=(200, 100))
    facts = ItemFacts.of(data)
    weights = Weights({"a": 0.7, "b": 1.3}, 14.0, 0.4, 0.2, -0.3, None, -1.5)
    found = replace(predictor(data, source("a", linear), source("b", logs, "log")), weights=weights).scores(slice(0, 5))
    users_of = (data.histories.toarray() > 0).sum(axis=0)
    for user in range(5):
        best = np.sort(np.maximum(linear[user], 0))[-50:].mean()
        log_best = np.sort(logs[user])[-50:].mean()
        for item in range(100):
            margin = -1.5 - 0.3 * np.log(1 + data.histories[[user]].nnz) + 0.2 * np.log(1 + users_of[item])
            margin += 0.7 * np.log(max(linear[user, item], 0) / best + FLOOR)
            margin += 1.3 * max(logs[user, item] - log_best, np.log(FLOOR))
            margin += 0.4 * facts.trend(14.0)[item]
            assert found[user, item] == pytest.approx(1 / (1 + np.exp(-margin)), rel=1e-3)


def test_the_trend_equals_its_definition() -> None:
    events = pd.DataFrame({"user": 0, "item": [0, 0, 1, 1], "day": [0.0, 7.0, 14.0, 14.0]})
    data = dataset(events, 1, 4, (99, 99))
    decayed = np.array([0.25 + 0.5, 2, 0, 0]) * 4 / 2.75  # in rows, as many as there are
    smoothing = 0.25 * 4 / 4
    expected = np.log((decayed + smoothing) / (np.array([2, 2, 0, 0]) + smoothing))
    assert log_trend(data, 7.0) == pytest.approx(expected, abs=1e-6)


def test_the_season_equals_its_definition() -> None:
    events = pd.DataFrame({"user": 0, "item": [0, 0, 1, 1, 2, 3], "day": [0.0, 20.0, 21.0, 200.0, 200.0, 384.0]})
    data = dataset(events, 1, 5, (999, 999))  # a year before the last row is day 20
    smoothing = 0.25 * 6 / 5
    expected = np.log((np.array([1, 1]) / 2 * 6 + smoothing) / (2 + smoothing))
    assert log_season(data, 10.0) == pytest.approx([*expected, 0, 0, 0], abs=1e-6), "items of later have none"
    assert (
        not log_season(data, 200.0).any() and not log_season(replace(data, train=data.train.take([4, 5])), 10.0).any()
    )
    assert not log_season(data, 0.25 / DAY).any(), "a quarter of everybody's rows is no time"
    untimed = replace(data, train=replace(data.train, times=None))
    assert not log_season(untimed, 10.0).any()
    facts, weights = ItemFacts.of(data), Weights({}, 7.0, 0.5, season=0.25, season_days=10.0)
    assert facts.moved(weights) == pytest.approx(0.5 * log_trend(data, 7.0) + 0.25 * log_season(data, 10.0))


def test_the_trend_is_the_same_whenever_time_begins() -> None:
    events = pd.DataFrame({"user": 0, "item": [0, 0, 1, 1], "day": [0.0, 7.0, 14.0, 14.0]})
    late = events.assign(day=events["day"] + 20_000)  # days since 1970
    cuts = (30_000, 30_000)
    assert log_trend(dataset(late, 1, 4, cuts), 7.0) == pytest.approx(log_trend(dataset(events, 1, 4, cuts), 7.0))


def test_users_without_history_get_the_popular_items() -> None:
    data = KNOWN.data
    ease = EaseEncoder(EaseEncoder.Config.for_preset("quick")).fit(data, RunOptions())
    histories = data.histories[[0, 1]]
    histories.data[: histories.indptr[1]] = 0
    histories.eliminate_zeros()
    weights = Weights({"ease": 1.0}, intercept=-2.0)
    found = make_predictor(
        {"ease": ease},
        weights,
        ItemFacts.of(data),
        histories,
        lambda encoder: Embeddings(encoder.encode(histories, data.user_attributes.iloc[:2]), encoder.items()),
    ).candidates(n=20)
    popular = np.sort(data.popularity)[::-1][:20]
    assert data.popularity[found.items[0]] == pytest.approx(popular)
    assert not np.allclose(data.popularity[found.items[1]], popular), "the other one gets a list of their own"


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_an_encoder_that_says_nothing_counts_as_popularity(scale: str) -> None:
    data = KNOWN.data
    facts = ItemFacts.of(data)
    scores = np.random.default_rng(0).random((200, 100))
    scores[3] = 0.7  # all items alike
    logs = log_preference(source("a", scores, scale), np.array([2, 3]), facts.log_popularity)
    assert logs[1] == pytest.approx(facts.log_popularity)
    assert logs[0] != pytest.approx(facts.log_popularity)


def test_where_all_encoders_weigh_nothing_the_predictor_still_answers() -> None:
    data = KNOWN.data
    weights = Weights({"a": 0.0}, popularity=1.0)
    found = replace(predictor(data, source("a", np.zeros(data.shape))), weights=weights).candidates(n=10)
    assert (found.items >= 0).all() and np.isfinite(found.scores).all()


def test_without_a_validation_part_all_encoders_weigh_the_same() -> None:
    assert Weights.equal(("a", "b")).encoders == {"a": 0.5, "b": 0.5}
    assert Weights.equal(("a",)).repeats is None and Weights.equal(("a",), repeats=True).repeats == (0,) * 7


def test_repeat_terms_by_hand() -> None:
    # User 0 takes item 0 on two days (twice on the second) and item 1 once; user 1 takes item 0 once.
    events = pd.DataFrame({"user": [0, 0, 0, 0, 1], "item": [0, 0, 0, 1, 0], "day": [1.0, 3.0, 3.0, 9.0, 10.0]})
    data = dataset(events, 2, 3, (99, 99))
    has, times, rate, days, trend, users, size = (term.toarray() for term in repeat_terms(data))
    assert has.tolist() == [[1, 1, 0], [1, 0, 0]]
    assert times[0] == pytest.approx([np.log(2), 0, 0])
    # One of three pairs is repeated: smoothed by one repeat among three takers.
    assert rate[:, 0] == pytest.approx(np.log(2 / 5)) and rate[0, 1] == pytest.approx(np.log(1 / 4))
    assert days[0] == pytest.approx([-np.log(8), -np.log(2), 0]) and days[1, 0] == 0
    assert trend[0] == pytest.approx([*log_trend(data, REPEAT_HALF_LIFE)[:2], 0]) and trend[0, 1] > trend[0, 0]
    assert users[0] == pytest.approx([np.log(3), np.log(2), 0]) and users[1, 0] == pytest.approx(np.log(3))
    assert size[:, 0] == pytest.approx([np.log(3), np.log(2)])
    timeless = replace(data, train=replace(data.train, times=None))
    assert not repeat_terms(timeless)[4].toarray().any()


def test_another_trend_weighs_as_much_as_the_members_together_let_it() -> None:
    weights = Weights({"a": 0.5, "b": 1.5}, 3.0, 0.1, popularity=0.5)
    assert weights.with_trend(7.0, 0.4) == Weights({"a": 0.5, "b": 1.5}, 7.0, 1.0, popularity=0.5)
    assert weights.with_trend(7.0, 0.0) == Weights({"a": 0.5, "b": 1.5}, None, 0.0, popularity=0.5)


def test_equals_are_drawn_by_the_seed_which_is_0_where_none_is_given() -> None:
    alike = replace(predictor(KNOWN.data, source("a", np.ones(KNOWN.data.shape))), weights=Weights({"a": 1.0}))
    first, again, other = (
        found.items for found in (alike.candidates(20), alike.candidates(20, 0), alike.candidates(20, 1))
    )
    assert (first == again).all() and not (first == other).all()


def test_excluded_items_are_nobodys_candidates() -> None:
    excluded = np.zeros(100, bool)
    excluded[::3] = True
    one = source("a", np.random.default_rng(0).random((200, 100)))
    found = predictor(KNOWN.data, one).candidates(excluded=excluded)
    assert not np.isin(found.items, np.flatnonzero(excluded)).any() and (found.items >= 0).any()


def test_relative_preferences_of_few_items_by_hand() -> None:
    scores = np.array([[4.0, 0, -2]], np.float32)
    linear = np.log(np.array([4 / (4 / 3) + FLOOR, FLOOR, FLOOR]))
    assert module._relative(scores, "linear")[0] == pytest.approx(linear, abs=1e-5)
    logs = np.array([[4.0, 1, -5]], np.float32)
    assert module._relative(logs, "log")[0] == pytest.approx([4, 1, np.log(FLOOR)], abs=1e-5)  # the mean is 0
    sixty = np.arange(60, dtype=np.float32)[None]
    assert module._relative(sixty, "log")[0, -1] == pytest.approx(59 - np.arange(10, 60).mean())  # the best fifty lead


def test_equal_weights_have_the_documented_intercept_and_only_weighed_encoders_are_asked() -> None:
    assert Weights.equal(("a", "b")).intercept == -2
    asked: list[str] = []
    data = KNOWN.data
    encoders = {"a": EaseEncoder(), "b": EaseEncoder()}
    of_user = Embeddings(np.zeros((200, 1), np.float32), np.zeros((100, 1), np.float32))

    def embed(encoder: EaseEncoder) -> Embeddings:
        asked.append(next(name for name, one in encoders.items() if one is encoder))
        return of_user

    made = make_predictor(encoders, Weights({"a": 0.0, "b": 0.5}), ItemFacts.of(data), data.histories, embed)
    assert asked == ["b"] and [one.name for one in made.sources] == ["b"]


def test_facts_count_the_users_of_an_item_and_tell_the_trends_they_are_asked_for() -> None:
    facts = ItemFacts.of(KNOWN.data)
    users = (KNOWN.data.histories.toarray() > 0).sum(axis=0)
    assert facts.log_users == pytest.approx(np.log(1 + users), abs=1e-5)
    assert not facts.trend(None).any() and not facts.log_trends
    assert facts.trend(28.0).tolist() == log_trend(KNOWN.data, 28.0).tolist() and facts.trend(28.0).any()
    assert facts.trend(28.0) is facts.log_trends[28.0] and list(facts.log_trends) == [28.0]
    assert not replace(facts, data=None).trend(0.5).any(), "what was not kept is not known"


def test_weights_come_back_from_what_is_written_of_them() -> None:
    weights = Weights({"a": 0.1}, 14.0, 0.5, 0.4, 0.3, (1, 2, 3, 4), -1.0, {"blend": 1.0})
    assert Weights(**weights.as_dict()) == weights


def test_candidates_are_restated_as_if_predicted_anew() -> None:
    rng = np.random.default_rng(0)
    own = Weights({"a": 1.0, "b": 0.0}, 14.0, 0.4, 0.0, 0.6, None, -5.0)
    simple = Weights({"a": 1.0}, 14.0, 0.4, 0.0, 0.0, None, -2.0)
    of_own = replace(predictor(KNOWN.data, source("a", rng.normal(size=(200, 100)))), weights=own)
    anew = replace(of_own, weights=simple).candidates()
    restated = replace(of_own, weights=simple).restated(of_own.candidates(), own)
    assert (anew.items < 0).any()  # places without an item stay at 0
    assert (restated.items == anew.items).all()
    assert restated.scores == pytest.approx(anew.scores, rel=1e-4)


@pytest.mark.parametrize(
    "other",
    [
        Weights({"a": 1.0, "b": 0.1}, 14.0, 0.4),
        Weights({"a": 1.0}, 7.0, 0.4),
        Weights({"a": 1.0}, 14.0, 0.5),
        Weights({"a": 1.0}, 14.0, 0.4, 0.1),
        Weights({"a": 1.0}, 14.0, 0.4, repeats=(0.0,) * len(REPEAT_TERMS)),
    ],
)
def test_other_members_trend_popularity_or_repeats_rank_otherwise(other: Weights) -> None:
    own = Weights({"a": 1.0, "b": 0.0}, 14.0, 0.4, activity=0.6, intercept=-5.0)
    assert own.ranks_as(Weights({"a": 1.0}, 14.0, 0.4))
    assert not own.ranks_as(other) and not other.ranks_as(own)


def test_lists_ranked_by_log_odds_bear_the_chances_and_end_where_nothing_is_left() -> None:
    data = KNOWN.data
    some = predictor(data, source("a", np.random.default_rng(0).normal(size=(200, 100))))
    weights = Weights({"a": 0.7}, None, 0.0, 0.2, -0.3, None, -1.5)
    found = replace(some, weights=weights)
    chances, users = found.scores(slice(None)), np.array([3, 7, 11])
    for lists, rows in (
        (found.candidates(n=100), np.arange(200)),
        (found.best_of(users, data.histories[users], 0), users),
    ):
        for own, row in enumerate(rows):
            items = lists.items[own][lists.items[own] >= 0]
            new = np.flatnonzero(data.histories[[row]].toarray()[0] == 0)
            assert sorted(items) == new.tolist() and len(new) < 100
            assert lists.scores[own, : len(new)] == pytest.approx(chances[row, items], rel=1e-6)
            assert (np.diff(lists.scores[own]) <= 0).all() and (lists.scores[own, len(new) :] == 0).all()
