"""The blend on planted answers: what it weighs, what it promises, and what it says where little is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from grouprec.core.types import Candidates, Embeddings
from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.synthetic import planted
from grouprec.evaluate import baselines
from grouprec.evaluate.protocol import measure
from grouprec.models import blend as blend_module
from grouprec.models import blend as module
from grouprec.models.blend import (
    DAY,
    FLOOR,
    ItemFacts,
    Predictor,
    Source,
    Weights,
    fit_weights,
    log_preference,
    log_trend,
    make_predictor,
    repeat_terms,
)
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import Task, individual_lists, test_task, validation_task

KNOWN = planted(n_users=200, n_items=100, events_per_user=20)


def source(name: str, scores: np.ndarray, scale: str = "linear") -> Source:
    """An encoder that says just this, float [U, I]."""
    return Source(name, Embeddings(scores.astype(np.float32), np.eye(scores.shape[1], dtype=np.float32)), scale)  # type: ignore[arg-type]


def predictor(data: Dataset, *sources: Source, repeats: bool = False, facts: ItemFacts | None = None) -> Predictor:
    names = [one.name for one in sources]
    terms = repeat_terms(data) if repeats else ()
    return Predictor(sources, Weights.equal(names, repeats), data.histories, facts or ItemFacts.of(data), terms)


def knowing(rng: np.random.Generator, noise: float) -> np.ndarray:
    """Scores that know the planted taste, under noise."""
    block = np.repeat(np.arange(4), 25)
    return (KNOWN.labels[:, None] == block) + noise * rng.random((200, 100))


def dataset(events: pd.DataFrame, n_users: int, n_items: int, cuts: tuple[float, float]) -> Dataset:
    """A dataset of events (user, item, day) that is split at two days."""
    parts = np.searchsorted(np.array(cuts), events["day"], side="right")

    def part(n: int) -> Interactions:
        own = events[parts == n]
        user, item = own["user"].to_numpy(np.int32), own["item"].to_numpy(np.int32)
        return Interactions(user, item, np.ones(len(own), np.float32), own["day"].to_numpy(float) * DAY)

    ids = [np.array([f"{letter}{n}" for n in range(size)], object) for letter, size in (("u", n_users), ("i", n_items))]
    return Dataset("planted", "planted", *ids, part(0), part(1), part(2), item_labels=ids[1])


def judge(candidates: Candidates, task: Task) -> float:
    return float(measure("", "individual", individual_lists(candidates, task), task).of("ndcg@10").mean())


def value(predictor: Predictor, task: Task) -> float:
    return judge(predictor.candidates(), task)


@pytest.mark.parametrize("noises", [(0.5, 2.0), (1.0, 1.0, 1.0), (0.5, 50.0), (50.0, 50.0)])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_blend_is_never_worse_on_its_task_than_its_best_member(noises: tuple[float, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    sources = [source(f"encoder {n}", knowing(rng, noise)) for n, noise in enumerate(noises)]
    task = validation_task(KNOWN.data)
    weights = fit_weights(predictor(KNOWN.data, *sources), task, seed=0)
    members = [weights.ndcg[one.name] for one in sources]
    assert weights.ndcg["blend"] >= max(members)
    assert min(weights.encoders.values()) >= 0 and weights.trend >= 0


def test_encoders_that_know_nothing_are_not_beaten_by_the_order_of_the_catalogue() -> None:
    # Neighbouring items belong together here, so equal scores in the catalogue's order would find a lot: .124.
    timeless = replace(ItemFacts.of(KNOWN.data), log_trends={})
    found = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        sources = [source(name, rng.random((200, 100))) for name in ("one", "other")]
        blend = predictor(KNOWN.data, *sources, facts=timeless)
        weights = fit_weights(blend, validation_task(KNOWN.data), seed=0)
        assert weights.ndcg["blend"] >= max(weights.ndcg["one"], weights.ndcg["other"])
        found.append(weights.ndcg["blend"])
    assert np.mean(found) < 0.1


def test_equal_scores_are_ranked_at_random_and_not_by_what_is_taken() -> None:
    blocks = source("blocks", knowing(np.random.default_rng(0), noise=0.0))  # 25 items of a user share the first place
    blend, task = predictor(KNOWN.data, blocks), validation_task(KNOWN.data)
    told = [fit_weights(blend, task, seed).ndcg["blocks"] for seed in range(5)]
    alone = replace(blend, weights=Weights({"blocks": 1.0}))
    lists = [judge(alone.candidates(seed=seed), task) for seed in range(5)]
    assert len(set(told)) == 5
    assert np.mean(told) == pytest.approx(np.mean(lists), rel=0.1)


@pytest.mark.parametrize("seed", range(4))
def test_the_ndcg_of_a_blend_is_that_of_the_lists_it_gives(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sources = [source("good", knowing(rng, 1.0)), source("noise", rng.random((200, 100)))]
    task = validation_task(KNOWN.data)
    blend = predictor(KNOWN.data, *sources)
    weights = fit_weights(blend, task, seed=0)
    assert value(replace(blend, weights=weights), task) == pytest.approx(weights.ndcg["blend"], abs=2e-3)
    alone = Weights({"good": 1.0})
    assert value(replace(blend, weights=alone), task) == pytest.approx(weights.ndcg["good"], abs=2e-3)
    assert weights.encoders["good"] > 10 * weights.encoders["noise"]


def test_encoders_that_know_different_things_are_better_together() -> None:
    rng = np.random.default_rng(0)
    half = np.arange(100) % 2 == 0
    one, other = knowing(rng, 0.3), knowing(rng, 0.3)
    one[:, half], other[:, ~half] = 0.5 * rng.random((200, 50)), 0.5 * rng.random((200, 50))
    blend = predictor(KNOWN.data, source("one", one), source("other", other))
    weights = fit_weights(blend, validation_task(KNOWN.data), seed=0)
    assert weights.ndcg["blend"] > 1.2 * max(weights.ndcg["one"], weights.ndcg["other"])
    task = test_task(KNOWN.data)
    best = max(value(replace(blend, weights=Weights({name: 1.0})), task) for name in ("one", "other"))
    assert value(replace(blend, weights=weights), task) > best, "also where it was not fitted"


def test_a_blend_owes_its_value_to_the_weights_that_it_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    half = np.arange(100) % 2 == 0
    one, other = knowing(rng, 0.3), knowing(rng, 0.3)
    one[:, half], other[:, ~half] = 0.5 * rng.random((200, 50)), 0.5 * rng.random((200, 50))
    noise = (source(f"noise {n}", rng.random((200, 100))) for n in range(3))
    blend = predictor(KNOWN.data, source("one", one), source("other", other), *noise)

    def over_best_member() -> float:
        found = dict(fit_weights(blend, validation_task(KNOWN.data), seed=0).ndcg)
        return found.pop("blend") / max(found.values())

    learned = over_best_member()
    for untaught in (np.zeros, np.ones):  # nobody has a say; all have the same
        monkeypatch.setattr(blend_module, "_logistic", lambda x, *_, f=untaught: f(x.shape[1] + 1))
        assert learned > 1.15 > over_best_member()


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
            margin += 0.4 * facts.log_trends[14.0][item]
            assert found[user, item] == pytest.approx(1 / (1 + np.exp(-margin)), rel=1e-3)


def test_the_trend_equals_its_definition() -> None:
    events = pd.DataFrame({"user": 0, "item": [0, 0, 1, 1], "day": [0.0, 7.0, 14.0, 14.0]})
    data = dataset(events, 1, 4, (99, 99))
    decayed = np.array([0.25 + 0.5, 2, 0, 0]) * 4 / 2.75  # in rows, as many as there are
    smoothing = 0.25 * 4 / 4
    expected = np.log((decayed + smoothing) / (np.array([2, 2, 0, 0]) + smoothing))
    assert log_trend(data, 7.0) == pytest.approx(expected, abs=1e-6)


def test_the_trend_is_the_same_whenever_time_begins() -> None:
    events = pd.DataFrame({"user": 0, "item": [0, 0, 1, 1], "day": [0.0, 7.0, 14.0, 14.0]})
    late = events.assign(day=events["day"] + 20_000)  # days since 1970
    cuts = (30_000, 30_000)
    assert log_trend(dataset(late, 1, 4, cuts), 7.0) == pytest.approx(log_trend(dataset(events, 1, 4, cuts), 7.0))


def test_chances_are_calibrated_on_what_comes_next() -> None:
    known = planted(n_users=400, n_items=100, events_per_user=40, ordered=False, noise=0.3)
    data, run = known.data, RunOptions()

    def with_ease(part: Dataset) -> Predictor:
        ease = EaseEncoder(EaseEncoder.Config(l2=30.0, tune_l2=False)).fit(part, run)
        return predictor(part, Source("ease", ease.embeddings(part), "linear"))

    weights = fit_weights(with_ease(data), validation_task(data), seed=0)
    candidates = replace(with_ease(data.before_test()), weights=weights).candidates(n=50)
    task = test_task(data)
    hits = task.relevant[np.arange(400)[:, None].repeat(50, axis=1).ravel(), candidates.items.ravel()]
    taken = np.asarray(hits).ravel().reshape(400, 50)[candidates.items >= 0]
    chances = candidates.scores[candidates.items >= 0]
    assert chances.mean() == pytest.approx(taken.mean(), rel=0.2)
    likely = chances > np.median(chances)
    assert chances[likely].mean() == pytest.approx(taken[likely].mean(), rel=0.25)


def fashion(moving: bool) -> Dataset:
    """Users who take items of one half of the catalogue, then, if it is ``moving``, of the other."""
    rng = np.random.default_rng(0)
    n_users, n_items, n = 150, 80, 30
    day = rng.uniform(0, 100, (n_users, n))
    later = rng.random((n_users, n)) < (day / 100 if moving else 0.5)
    item = rng.integers(0, n_items // 2, (n_users, n)) + later * (n_items // 2)
    user = np.repeat(np.arange(n_users), n)
    return dataset(pd.DataFrame({"user": user, "item": item.ravel(), "day": day.ravel()}), n_users, n_items, (80, 90))


def popularity_source(data: Dataset) -> Source:
    rng = np.random.default_rng(1)
    return source("popularity", data.popularity * (1 + 0.2 * rng.random(data.shape)))


def trend_factor(facts: ItemFacts, weights: Weights) -> np.ndarray:
    """Return what the trend multiplies every item's odds by."""
    return np.exp(weights.trend * facts.trend(weights.half_life))


def test_a_fashion_that_moves_gives_a_trend_that_pays_later() -> None:
    data = fashion(moving=True)
    weights = fit_weights(predictor(data, popularity_source(data)), validation_task(data), seed=0)
    assert weights.trend > 0 and weights.half_life is not None
    facts = ItemFacts.of(data)
    factor = trend_factor(facts, weights)
    assert factor[40:].mean() > 1.5 * factor[:40].mean()
    still = replace(facts, log_trends={})
    without = fit_weights(predictor(data, popularity_source(data), facts=still), validation_task(data), seed=0)
    assert without.trend == 0 and without.half_life is None
    later, task = data.before_test(), test_task(data)
    with_trend = replace(predictor(later, popularity_source(later)), weights=weights)
    assert value(with_trend, task) > 1.1 * value(replace(with_trend, weights=without), task)


def test_without_a_fashion_the_trend_hardly_moves_anything() -> None:
    data = fashion(moving=False)
    weights = fit_weights(predictor(data, popularity_source(data)), validation_task(data), seed=0)
    factor = trend_factor(ItemFacts.of(data), weights)
    assert factor[40:].mean() == pytest.approx(factor[:40].mean(), rel=0.2)


def test_without_times_there_is_no_trend() -> None:
    data = fashion(moving=True)
    parts = {name: replace(getattr(data, name), times=None) for name in ("train", "validation", "test")}
    data = replace(data, **parts)
    facts = ItemFacts.of(data)
    assert facts.log_trends == {}
    weights = fit_weights(predictor(data, popularity_source(data)), validation_task(data), seed=0)
    assert weights.half_life is None and weights.trend == 0
    assert (trend_factor(facts, weights) == 1).all()


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
    assert Weights.equal(("a",)).repeats is None and Weights.equal(("a",), repeats=True).repeats == (0,) * 4


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
    anything = source("anything", np.random.default_rng(3).random(data.shape))
    blend = predictor(data, anything, repeats=True)
    weights = fit_weights(blend, validation_task(data, repeats=True), seed=0)
    assert weights.repeats is not None and len(weights.repeats) == 4
    found = replace(blend, weights=weights).candidates(n=20)
    histories = data.histories.toarray()
    favourites = np.argsort(-histories, axis=1, kind="stable")[:, :5]
    on_top = [np.isin(found.items[user, :5], favourites[user]).mean() for user in range(data.n_users)]
    assert np.mean(on_top) > 0.9
    task = test_task(data, repeats=True)
    often = baselines.own_frequency(data.histories)
    assert value(replace(blend, weights=weights), task) > 0.97 * judge(often, task) > 0.7


def test_users_who_buy_again_get_new_items_only_where_repeats_are_not_allowed() -> None:
    data = rebuying()
    anything = source("anything", np.random.default_rng(3).random(data.shape))
    weights = fit_weights(predictor(data, anything), validation_task(data), seed=0)
    assert weights.repeats is None
    found = replace(predictor(data, anything), weights=weights).candidates(n=20)
    owned = data.histories.toarray() > 0
    user, place = np.nonzero(found.items >= 0)
    assert not owned[user, found.items[user, place]].any()


def test_repeat_terms_by_hand() -> None:
    # User 0 takes item 0 on two days (twice on the second) and item 1 once; user 1 takes item 0 once.
    events = pd.DataFrame({"user": [0, 0, 0, 0, 1], "item": [0, 0, 0, 1, 0], "day": [1.0, 3.0, 3.0, 9.0, 10.0]})
    has, times, rate, days = (term.toarray() for term in repeat_terms(dataset(events, 2, 3, (99, 99))))
    assert has.tolist() == [[1, 1, 0], [1, 0, 0]]
    assert times[0] == pytest.approx([np.log(2), 0, 0])
    # One of three pairs is repeated: smoothed by one repeat among three takers.
    assert rate[:, 0] == pytest.approx(np.log(2 / 5)) and rate[0, 1] == pytest.approx(np.log(1 / 4))
    assert days[0] == pytest.approx([-np.log(8), -np.log(2), 0]) and days[1, 0] == 0


def test_excluded_items_are_nobodys_candidates() -> None:
    excluded = np.zeros(100, bool)
    excluded[::3] = True
    one = source("a", np.random.default_rng(0).random((200, 100)))
    found = predictor(KNOWN.data, one).candidates(excluded=excluded)
    assert not np.isin(found.items, np.flatnonzero(excluded)).any() and (found.items >= 0).any()


def test_the_same_seed_gives_the_same_weights() -> None:
    rng = np.random.default_rng(0)
    blend = predictor(KNOWN.data, source("a", knowing(rng, 1.0)), source("b", knowing(rng, 2.0)))
    task = validation_task(KNOWN.data)
    assert fit_weights(blend, task, seed=5) == fit_weights(blend, task, seed=5)


def test_the_regression_is_that_of_scikit_learn_on_standardised_features() -> None:
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(400, 3)) * [1, 5, 0.2] + [3, 0, 1]).astype(np.float32)
    hits = rng.random(400) < 1 / (1 + np.exp(1 - 0.5 * features[:, 1] + features[:, 0] - 3))
    mean, spread = features.mean(axis=0), features.std(axis=0)
    known = LogisticRegression(C=1.0, tol=1e-8).fit((features - mean) / spread, hits)
    found = module._logistic(features, hits, [])
    assert found[:3] == pytest.approx(known.coef_[0] / spread, rel=2e-2, abs=2e-3)
    assert found[3] == pytest.approx(known.intercept_[0] - (known.coef_[0] / spread) @ mean, rel=2e-2)
    assert known.coef_[0, 0] < 0 < known.coef_[0, 1]
    bounded = module._logistic(features, hits, [0])
    assert bounded[0] == 0 < bounded[1]


def test_the_ndcg_of_a_table_by_hand() -> None:
    owners = np.repeat([0, 1], [3, 12])
    hits = np.zeros(15, bool)
    hits[[1, 2, 14]] = True
    nothing = np.empty((15, 0), np.float32)
    table = module._Table(nothing, {}, hits, owners, np.array([2, 1]), np.arange(15.0))
    scores = np.array([3.0, 2, 1, *[1.0] * 12])  # the second owner's hit is the last of equals: twelfth
    ideal = 1 + 1 / np.log2(3)
    assert table.ndcg(scores) == pytest.approx((1 / np.log2(3) + 1 / 2) / ideal / 2)
    assert table.ndcg(scores, k=12) == pytest.approx(((1 / np.log2(3) + 1 / 2) / ideal + 1 / np.log2(13)) / 2)
    scores[14] = 2
    assert table.ndcg(scores, k=1) == pytest.approx((0 + 1) / 2)
    trend = module._Table(nothing, {7.0: np.arange(15.0)}, hits, owners, np.array([2, 1]), np.arange(15.0))
    assert trend.columns(7.0).tolist() == [[n] for n in range(15)] and trend.columns(None).shape == (15, 0)


def test_a_solution_is_named_by_its_places() -> None:
    values = [0.1, 0.2, 0.3, 0.4, 1.0, 2.0, 3.0, 4.0, 0.5, -1.0]  # encoders, activity, popularity, repeats, trend, rest
    found = module._named(values, ["a", "b"], 14.0, True, {"blend": 1.0})
    assert found == Weights({"a": 0.1, "b": 0.2}, 14.0, 0.5, 0.4, 0.3, (1, 2, 3, 4), -1.0, {"blend": 1.0})
    assert module._named([0.1, 0.3, 0.4, -1.0], ["a"], None, False, {}) == Weights(
        {"a": 0.1}, None, 0, 0.4, 0.3, None, -1
    )
    still = module._named([0.1, 0.3, 0.4, 0.0, -1.0], ["a"], 14.0, False, {})
    assert still.half_life is None and still.trend == 0


def test_the_regression_reads_the_best_hundred_of_every_encoder_that_the_user_lacks() -> None:
    logs = [np.arange(120, dtype=np.float32)[None], -np.arange(120, dtype=np.float32)[None]]
    seen = sparse.csr_array((np.ones(1), ([0], [119])), shape=(1, 120))
    rows, items = module._best_of_any(logs[:1], seen, 0)
    assert items.tolist() == list(range(19, 119)) and not rows.any()
    assert module._best_of_any(logs[:1], None, 0)[1].tolist() == list(range(20, 120))
    assert module._best_of_any(logs, seen, 0)[1].tolist() == list(range(119))


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


def test_facts_count_the_users_of_an_item_and_try_four_half_lives() -> None:
    facts = ItemFacts.of(KNOWN.data)
    users = (KNOWN.data.histories.toarray() > 0).sum(axis=0)
    assert facts.log_users == pytest.approx(np.log(1 + users), abs=1e-5)
    assert list(facts.log_trends) == [7, 14, 28, 56]
    assert not facts.trend(None).any() and facts.trend(28.0) is facts.log_trends[28.0]


def test_weights_come_back_from_what_is_written_of_them() -> None:
    weights = Weights({"a": 0.1}, 14.0, 0.5, 0.4, 0.3, (1, 2, 3, 4), -1.0, {"blend": 1.0})
    assert Weights(**weights.as_dict()) == weights
