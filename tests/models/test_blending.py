"""How a blend is chosen: from the simplest scorer, one encoder at a time, only for more than chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.evaluate import baselines
from grouprec.models import blending
from grouprec.models.blend import ItemFacts, Predictor, Source, Weights
from grouprec.models.blending import (
    POPULARITY,
    Mix,
    Table,
    Window,
    calibrated,
    choose_mix,
    mean_by_user,
    settled,
    with_repeats,
)
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import test_task, validation_task
from tests.support.blends import KNOWN, dataset, judge, knowing, predictor, source, value


def window(*sources: Source, data: Dataset = KNOWN.data, repeats: bool = False, timeless: bool = True) -> Window:
    facts = ItemFacts.of(data)
    facts = replace(facts, data=None) if timeless else facts
    return Window(predictor(data, *sources, repeats=repeats, facts=facts), validation_task(data, repeats))


def halves(rng: np.random.Generator) -> tuple[Source, Source]:
    """Two encoders of which each knows another half of the catalogue."""
    half = np.arange(100) % 2 == 0
    one, other = knowing(rng, 0.3), knowing(rng, 0.3)
    one[:, half], other[:, ~half] = 0.5 * rng.random((200, 50)), 0.5 * rng.random((200, 50))
    return source("one", one), source("other", other)


def test_encoders_that_know_different_things_are_better_together_also_where_nobody_chose() -> None:
    one, other = halves(np.random.default_rng(0))
    both = window(one, other)
    mix = choose_mix([both], Mix({"one": 1.0}), 0)
    assert set(mix.shares) == {"one", "other"} and sum(mix.shares.values()) == pytest.approx(1)
    assert mix.ndcg["blend"] > 1.2 * max(mix.ndcg["one"], mix.ndcg["other"])
    task = test_task(KNOWN.data)
    names = ("one", "other")
    best = max(value(replace(both.predictor, weights=Weights({name: 1.0})), task) for name in names)
    assert value(replace(both.predictor, weights=mix.weights(names)), task) > best


def test_encoders_that_know_nothing_new_hardly_ever_join_and_then_cost_nothing() -> None:
    joined = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        good = source("good", knowing(rng, 0.5))
        noises = [source(f"noise {n}", rng.random((200, 100))) for n in range(4)]
        mix = choose_mix([window(good, *noises)], Mix({"good": 1.0}), seed)
        joined += len(mix.shares) > 1
        assert mix.shares["good"] >= 0.85
    assert joined <= 1, "a dozen steps are tried each time, each with a chance of one in 160"


def test_an_unknown_start_gives_way_to_the_best_encoder() -> None:
    rng = np.random.default_rng(0)
    both = window(source("good", knowing(rng, 0.5)), source("bad", rng.random((200, 100))))
    assert choose_mix([both], Mix({"absent": 1.0}), 0).shares == {"good": 1.0}


def test_popularity_is_the_answer_only_where_what_is_personal_is_worse() -> None:
    rng = np.random.default_rng(0)
    popular = KNOWN.data.popularity + 0 * rng.random((200, 100))
    shuffled, against = source("like popularity", popular), source("against it", -popular)
    assert choose_mix([window(against)], Mix({"against it": 1.0}), 0).shares == {POPULARITY: 1.0}
    as_good = choose_mix([window(shuffled)], Mix({"like popularity": 1.0}), 0)
    assert as_good.shares == {"like popularity": 1.0}, "groups need what tells their members apart"


def test_with_few_users_the_start_stays() -> None:
    one, other = halves(np.random.default_rng(0))
    full = window(one, other)
    few = Window(full.predictor, full.task.sample(blending.ENOUGH_TO_CHOOSE - 1, 0))
    assert choose_mix([few], Mix({"one": 1.0}), 0).shares == {"one": 1.0}
    enough = Window(full.predictor, full.task.sample(blending.ENOUGH_TO_CHOOSE, 0))
    assert len(choose_mix([enough], Mix({"one": 1.0}), 0).shares) == 2


def test_an_encoder_that_only_one_window_knows_is_judged_there() -> None:
    one, other = halves(np.random.default_rng(0))
    mix = choose_mix([window(one), window(one, other)], Mix({"one": 1.0}), 0)
    assert set(mix.shares) == {"one", "other"}


def test_windows_of_nobody_choose_nothing() -> None:
    one, other = halves(np.random.default_rng(0))
    full = window(one, other)
    mix = choose_mix([Window(full.predictor, full.task.sample(0, 0))], Mix({"one": 1.0}), 0)
    assert (mix.shares, mix.n_users, mix.ndcg["blend"]) == ({"one": 1.0}, 0, 0.0)


def test_a_user_counts_once_however_many_windows_they_are_in() -> None:
    users, values = np.array([4, 1, 4, 4]), np.array([1.0, 5.0, 2.0, 6.0])
    assert mean_by_user(users, values).tolist() == [5.0, 3.0]


@pytest.mark.parametrize("seed", range(3))
def test_the_ndcg_told_is_that_of_the_lists_given(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = window(source("good", knowing(rng, 1.0)))
    mix = choose_mix([one], Mix({"good": 1.0}), 0)
    told = value(replace(one.predictor, weights=mix.weights(("good",))), one.task)
    assert told == pytest.approx(mix.ndcg["blend"], abs=2e-3)


def test_equal_scores_are_ranked_at_random_and_not_by_what_is_taken() -> None:
    blocks = window(source("blocks", knowing(np.random.default_rng(0), noise=0.0)))  # 25 items share the first place
    told = [choose_mix([blocks], Mix({"blocks": 1.0}), seed).ndcg["blocks"] for seed in range(5)]
    alone = replace(blocks.predictor, weights=Weights({"blocks": 1.0}))
    lists = [judge(alone.candidates(seed=seed), blocks.task) for seed in range(5)]
    assert len(set(told)) == 5
    assert np.mean(told) == pytest.approx(np.mean(lists), rel=0.1)


def test_the_same_seed_gives_the_same_mix() -> None:
    one = window(*halves(np.random.default_rng(0)))
    assert choose_mix([one], Mix({"one": 1.0}), 5) == choose_mix([one], Mix({"one": 1.0}), 5)


def test_the_trend_counts_in_what_is_ranked_and_what_is_chosen() -> None:
    data = fashion()
    still = window(source("flat", np.ones(data.shape) + 0.01 * np.random.default_rng(1).random(data.shape)), data=data)
    moving = window(*still.predictor.sources, data=data, timeless=False)
    without = choose_mix([still], Mix({"flat": 1.0}), 0).ndcg["start"]
    assert choose_mix([moving], Mix({"flat": 1.0}, 7.0, 1.0), 0).ndcg["start"] > 1.3 * without


def fashion() -> Dataset:
    """Users who take items of one half of the catalogue, then of the other."""
    rng = np.random.default_rng(0)
    n_users, n_items, n = 150, 80, 30
    day = rng.uniform(0, 100, (n_users, n))
    later = rng.random((n_users, n)) < day / 100
    item = rng.integers(0, n_items // 2, (n_users, n)) + later * (n_items // 2)
    user = np.repeat(np.arange(n_users), n)
    return dataset(pd.DataFrame({"user": user, "item": item.ravel(), "day": day.ravel()}), n_users, n_items, (80, 90))


def test_chances_are_right_on_average_and_grow_with_the_mix() -> None:
    known = planted(n_users=400, n_items=100, events_per_user=40, ordered=False, noise=0.3)
    data, run = known.data, RunOptions()

    def with_ease(part: Dataset) -> Predictor:
        ease = EaseEncoder(EaseEncoder.Config(l2=30.0, tune_l2=False)).fit(part, run)
        return predictor(part, Source("ease", ease.embeddings(part), "linear"))

    mix = Mix({"ease": 1.0})
    weights = calibrated(Window(with_ease(data), validation_task(data)), mix, ("ease",), 0)
    assert weights.encoders == {"ease": 1.0}, "the mix keeps its scale"
    candidates = replace(with_ease(data.before_test()), weights=weights).candidates(n=50)
    task = test_task(data)
    hits = task.relevant[np.arange(400)[:, None].repeat(50, axis=1).ravel(), candidates.items.ravel()]
    taken = np.asarray(hits).ravel().reshape(400, 50)[candidates.items >= 0]
    chances = candidates.scores[candidates.items >= 0]
    assert chances.mean() == pytest.approx(taken.mean(), rel=0.25)
    likely = chances > np.median(chances)
    assert taken[likely].mean() > taken[~likely].mean()


def rebuying() -> Dataset:
    """Users with five items of their own that they buy again and again, and now and then anything."""
    rng = np.random.default_rng(0)
    n_users, n_items, n = 120, 60, 40
    own = np.stack([rng.choice(n_items, 5, replace=False) for _ in range(n_users)])
    habit = rng.random((n_users, n)) < 0.9
    item = np.where(habit, own[np.arange(n_users)[:, None], rng.integers(0, 5, (n_users, n))], 0)
    item = np.where(habit, item, rng.integers(0, n_items, (n_users, n)))
    day, user = rng.uniform(0, 100, (n_users, n)), np.repeat(np.arange(n_users), n)
    return dataset(pd.DataFrame({"user": user, "item": item.ravel(), "day": day.ravel()}), n_users, n_items, (80, 90))


def test_users_who_buy_again_get_their_own_items_on_top_where_repeats_are_allowed() -> None:
    data = rebuying()
    one = window(source("anything", np.random.default_rng(3).random(data.shape)), data=data, repeats=True)
    weights = with_repeats([one], Mix({"anything": 1.0}), ("anything",), 0)
    assert weights.repeats is not None and len(weights.repeats) == 7
    found = replace(one.predictor, weights=weights).candidates(n=20)
    favourites = np.argsort(-data.histories.toarray(), axis=1, kind="stable")[:, :5]
    on_top = [np.isin(found.items[user, :5], favourites[user]).mean() for user in range(data.n_users)]
    assert np.mean(on_top) > 0.9
    task = test_task(data, repeats=True)
    often = baselines.own_frequency(data.histories)
    assert value(replace(one.predictor, weights=weights), task) > 0.97 * judge(often, task) > 0.7


def test_of_their_own_items_users_get_those_that_others_take_now() -> None:
    """Everybody has the same 30 items, and takes now and then one of the ten that are for the season."""
    rng = np.random.default_rng(0)
    n_users = 150
    events = [(user, item, rng.uniform(0, 20)) for user in range(n_users) for item in range(30)]
    for day in range(30, 106):
        takers = rng.choice(n_users, 25, replace=False).tolist()
        events += [(user, 10 * (day // 30 % 3) + int(rng.integers(10)), float(day)) for user in takers]
    data = dataset(pd.DataFrame(events, columns=["user", "item", "day"]), n_users, 40, (80, 95))
    anything, known, task = source("any", rng.random(data.shape)), data.before_test(), test_task(data, repeats=True)

    def learned(n_terms: int) -> float:
        one = window(anything, data=data, repeats=True, timeless=False)
        terms = one.predictor.repeats[:n_terms]
        one = replace(one, predictor=replace(one.predictor, repeats=terms))
        now = predictor(known, anything, repeats=True)
        weights = with_repeats([one], Mix({"any": 1.0}), ("any",), 0)
        return value(replace(now, weights=weights), task)

    assert learned(7) > 1.5 * learned(4)


def test_without_repeats_users_get_new_items_only() -> None:
    data = rebuying()
    one = window(source("anything", np.random.default_rng(3).random(data.shape)), data=data)
    weights = calibrated(one, Mix({"anything": 1.0}), ("anything",), 0)
    assert weights.repeats is None
    found = replace(one.predictor, weights=weights).candidates(n=20)
    owned = data.histories.toarray() > 0
    user, place = np.nonzero(found.items >= 0)
    assert not owned[user, found.items[user, place]].any()


def test_without_anybody_to_choose_repeats_are_as_good_as_new_items() -> None:
    assert with_repeats((), Mix({"a": 1.0}), ("a", "b"), 0) == Weights(
        {"a": 1.0, "b": 0.0}, repeats=(0.0,) * 7, intercept=-2.0
    )


def test_the_settled_mix_is_the_start_or_all_alike() -> None:
    assert settled(("ease", "als"), {"ease": 1.0}).shares == {"ease": 1.0}
    assert settled(("dnn", "als"), {"ease": 1.0}).shares == {"dnn": 0.5, "als": 0.5}


def test_a_mix_is_named_by_its_members() -> None:
    mix = Mix({"a": 0.75, POPULARITY: 0.25}, 7.0, 0.5, {"blend": 1.0}, 60)
    assert mix.weights(("a", "b"), 2.0, 0.3, -1.0) == Weights(
        {"a": 1.5, "b": 0.0}, 7.0, 1.0, 0.5, 0.3, None, -1.0, {"blend": 1.0}, 60
    )
    joined = mix.joined("b", 0.2)
    assert joined.shares == pytest.approx({"a": 0.6, POPULARITY: 0.2, "b": 0.2})
    assert (joined.half_life, joined.trend) == (7.0, 0.5)


def test_the_regression_is_that_of_scikit_learn_on_standardised_features() -> None:
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(400, 3)) * [1, 5, 0.2] + [3, 0, 1]).astype(np.float32)
    hits = rng.random(400) < 1 / (1 + np.exp(1 - 0.5 * features[:, 1] + features[:, 0] - 3))
    mean, spread = features.mean(axis=0), features.std(axis=0)
    known = LogisticRegression(C=1.0, tol=1e-8).fit((features - mean) / spread, hits)
    found = blending._logistic(features, hits, [])
    assert found[:3] == pytest.approx(known.coef_[0] / spread, rel=2e-2, abs=2e-3)
    assert found[3] == pytest.approx(known.intercept_[0] - (known.coef_[0] / spread) @ mean, rel=2e-2)
    assert known.coef_[0, 0] < 0 < known.coef_[0, 1]
    bounded = blending._logistic(features, hits, [0])
    assert bounded[0] == 0 < bounded[1]


def test_what_is_given_to_the_regression_counts_as_it_is() -> None:
    rng = np.random.default_rng(0)
    given = rng.normal(size=4000).astype(np.float32)
    other = rng.normal(size=(4000, 1)).astype(np.float32)
    hits = rng.random(4000) < 1 / (1 + np.exp(1.5 - given - 0.7 * other[:, 0]))
    slope, rest = blending._logistic(other, hits, [], given)
    assert slope == pytest.approx(0.7, abs=0.12) and rest == pytest.approx(-1.5, abs=0.12)


def test_the_ndcg_of_a_table_by_hand() -> None:
    listed = np.array([[True] * 3 + [False] * 9, [True] * 12])
    hits = np.zeros((2, 12), bool)
    hits[0, 1:3] = hits[1, 11] = True
    ties = np.tile(np.linspace(1e-5, 0, 12, dtype=np.float32), (2, 1))  # the first of equals first
    empty = np.zeros((2, 12), np.float32)
    ideal = np.array([1 + 1 / np.log2(3), 1.0])
    table = Table(np.arange(2), {"a": empty}, empty, (), np.zeros(2, np.float32), listed, hits, ideal, ties)
    scores = np.ones((2, 12), np.float32)
    scores[0, :3] = 3, 2, 1
    first = (1 / np.log2(3) + 1 / 2) / ideal[0]
    assert table.ndcg(scores) == pytest.approx([first, 0])  # the second user's hit is the last of equals: twelfth
    scores[1, 11] = 2
    assert table.ndcg(scores) == pytest.approx([first, 1])
    assert table.has(Mix({"a": 1.0})) and not table.has(Mix({"b": 1.0}))


def test_the_items_that_may_be_ranked_are_the_best_hundred_of_every_encoder_that_the_user_lacks() -> None:
    logs = [np.arange(120, dtype=np.float32)[None], -np.arange(120, dtype=np.float32)[None]]
    seen = sparse.csr_array((np.ones(1), ([0], [119])), shape=(1, 120))

    def of(some: list[np.ndarray], owned: sparse.csr_array | None) -> list[int]:
        found = blending._best_of_any((log.copy() for log in some), owned, 0)
        return found[0, found[0] >= 0].tolist()

    assert of(logs[:1], seen) == list(range(19, 119))
    assert of(logs[:1], None) == list(range(20, 120))
    assert of(logs, seen) == list(range(119))


def test_a_table_made_of_some_users_at_a_time_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    one = window(*halves(np.random.default_rng(0)))
    mix = Mix({"one": 1.0})
    whole = Table.of(one, mix, 0)
    monkeypatch.setattr(blending, "CELLS", 700)  # seven users
    parts = Table.of(one, mix, 0)
    assert (parts.users == whole.users).all() and len(whole.users) > 50
    for name in ("listed", "hits", "moved", "ideal", "activity"):
        assert (getattr(parts, name) == getattr(whole, name)).all()
    assert np.allclose(parts.ndcg(parts.scores(mix)), whole.ndcg(whole.scores(mix)))


def test_one_window_asks_as_many_users_as_two(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value_of in {"WINDOW_USERS": 30, "LEAST_USERS": 60}.items():
        monkeypatch.setattr(blending, name, value_of)
    one = window(*halves(np.random.default_rng(0)))
    mix = Mix({"one": 1.0})
    assert choose_mix([one], mix, 0).n_users == 60
    assert choose_mix([one, one, one], mix, 0).n_users <= 30  # the same ones
