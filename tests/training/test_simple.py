"""The simplest scorer finds planted answers: that time matters, does not matter, and misleads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grouprec.data.dataset import Dataset
from grouprec.data.folds import make_folds
from grouprec.data.synthetic import planted
from grouprec.models.base import REGISTRIES
from grouprec.models.fitting import RunOptions
from grouprec.ranking.recency import DAY
from grouprec.runs.config import make_config
from grouprec.training.fits import Fits
from grouprec.training.simple import (
    STRENGTHS,
    STRONGER,
    Judged,
    Simple,
    _beside,
    _Choice,
    _Fold,
    _simplest,
    challenged,
    choose_simple,
)
from tests.support.blends import dataset

CONFIG = make_config(interactions=Path("file.csv"), preset="quick")


def choose(data: Dataset, split: str, length: float, known: Judged | None = None, **settings: Any) -> Simple:
    config = make_config(interactions=Path("file.csv"), preset="quick", settings=settings)
    return choose_simple(make_folds(data, split, length, 2, 0), "ease", config, lambda fraction, values: None, known)


def fashion(moving: bool, misleading: bool = False, days: float = 100) -> Dataset:
    """Users with a taste whose items come and go (or do not) within days, or come with a rush that nobody follows."""
    rng = np.random.default_rng(0)
    n_users, n_items, n = 150, 120, 30
    day = rng.uniform(0, 100, (n_users, n))
    taste = rng.integers(0, 3, n_users)[:, None]
    wave = day / 100 * 30 if moving else rng.uniform(0, 30, (n_users, n))
    if misleading:  # one user in ten rushes to the same few items, a day before every end
        wave = np.where((rng.random(n_users)[:, None] < 0.1) & (day % 20 > 17), 3, wave)
    item = 40 * taste + (wave + rng.uniform(0, 10, (n_users, n))).astype(int).clip(0, 39)
    table = {"user": np.repeat(np.arange(n_users), n), "item": item.ravel(), "day": day.ravel() * days / 100}
    return dataset(pd.DataFrame(table), n_users, n_items, (99_999, 99_999))


def test_where_time_matters_the_trend_is_found() -> None:
    known: Judged = {}
    found = choose(fashion(moving=True), "time", 10 * DAY, known)
    assert found.trend > 0 and found.half_life is not None
    trends, fades, strengths = (
        sorted({getattr(choice, name) for _, choice in known} - {0}) for name in ("trend", "fade", "strength")
    )
    coarse = [trend for trend in trends if trend % 0.25 == 0]
    assert np.diff([0, *coarse]) == pytest.approx(0.25) and 1 < coarse[-1] < 1.5
    assert 1 < fades[0] <= 2 and fades[-1] == 30 and max(np.divide(fades[1:], fades[:-1])) <= 2
    assert strengths[1] == 1 and len(strengths) == 3 and strengths[0] * strengths[2] == pytest.approx(1, rel=0.15)
    tried, coarse = {choice.half_life for _, choice in known} - {None}, {3.0, 7.0, 14.0}  # 45 rows a day
    assert tried > coarse and len(tried - coarse) <= 2  # those beside the best
    assert found.ndcg > 1.3 * found.plain and found.n_users >= 50 and found.n_folds == 2


@pytest.mark.parametrize("days", [4, 4_000])
def test_what_comes_and_goes_within_hours_or_years_is_read_like_what_does_within_weeks(days: float) -> None:
    usual = choose(fashion(moving=True), "time", 10 * DAY)
    found = choose(fashion(moving=True, days=days), "time", days / 10 * DAY)
    assert found.half_life and found.half_life <= days / 30
    assert found.ndcg == pytest.approx(usual.ndcg, rel=0.03)


@pytest.mark.parametrize(
    ("half_life", "near"),
    [(1 / 24, {1 / 24, 2 / 24}), (7.0, {5.0, 7.0, 10.0}), (10.0, {7.0, 10.0, 14.0}), (896.0, {640.0, 896.0})],
)
def test_beside_a_trend_lie_its_neighbours(half_life: float, near: set[float]) -> None:
    crowd = fashion(moving=False, days=1e-9)  # all at one moment: any half-life has rows enough
    found = _beside(_Choice("ease", strength=3.0, half_life=half_life, trend=0.25), [crowd])
    assert {one.half_life for one in found} == near and {one.strength for one in found} == {3.0}
    assert {one.trend for one in found} == {0.125, 0.25, 0.375} and len(found) == 3 * len(near)


@pytest.mark.parametrize("misleading", [False, True])
def test_where_time_does_not_matter_or_misleads_the_default_stays(misleading: bool) -> None:
    found = choose(fashion(moving=False, misleading=misleading), "time", 10 * DAY)
    assert found.trend <= 0.25


def test_where_users_move_on_their_history_fades() -> None:
    rng = np.random.default_rng(0)
    n_users, n_items, n = 150, 100, 30
    at = (rng.uniform(0, 100, n_users)[:, None] + 1.5 * np.arange(n)) % n_items  # a walk through the catalogue
    item = (at + rng.integers(0, 10, (n_users, n))).astype(int) % n_items
    user, day = np.repeat(np.arange(n_users), n), np.tile(np.arange(n), n_users) + rng.random(n_users * n)
    data = dataset(pd.DataFrame({"user": user, "item": item.ravel(), "day": day}), n_users, n_items, (999, 999))
    found = choose(data, "user_time", 0.2)
    assert 0 < found.settings["fade"] <= 8 and found.ndcg > found.plain


def test_what_returns_every_year_is_found_by_the_season() -> None:
    rng = np.random.default_rng(0)
    n_users, n_items, n, days = 100, 120, 30, 600
    day = rng.uniform(0, days, (n_users, n))
    item = ((day % 364) / 364 * n_items + rng.uniform(0, 8, (n_users, n))).astype(int) % n_items
    table = {"user": np.repeat(np.arange(n_users), n), "item": item.ravel(), "day": day.ravel()}
    data = dataset(pd.DataFrame(table), n_users, n_items, (99_999, 99_999))
    folds = make_folds(data, "time", 40 * DAY, 2, 0)
    found, without = (choose_simple(folds, "ease", CONFIG, lambda *given: None, length=one) for one in (40 * DAY, 0))
    assert found.season > 0 and found.season_days == 40 and found.ndcg > 1.3 * without.ndcg
    assert (without.season, without.season_days) == (0, 0)
    assert choose(fashion(moving=True), "time", 10 * DAY).season == 0


def test_a_trend_on_which_folds_disagree_is_none() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 400)
    plain, best = _Choice("ease"), _Choice("ease", half_life=7.0, trend=1.0)
    judged = {plain: noise - 0.02, best: np.zeros(400)}
    assert _simplest(judged, best) == best and _simplest(judged, best, lambda one, other: 0.01) == best
    assert _simplest(judged, best, lambda one, other: 0.03) == plain


def test_without_times_neither_trend_nor_fading_is_tried() -> None:
    data = planted(n_users=120, n_items=60, ordered=False).data.before_test()
    data = replace(data, train=replace(data.train, times=None))
    found = choose(data, "user", 0.2)
    assert (found.trend, found.half_life) == (0.0, None) and not found.settings["fade"]


def test_with_few_users_nothing_is_chosen() -> None:
    data = planted(n_users=49, n_items=60).data.before_test()
    found = choose(data, "user", 0.2)
    assert (found.settings, found.trend, found.n_users, found.n_folds) == ({}, 0.0, 0, 0)
    assert found.half_life is None and np.isnan([found.ndcg, found.plain]).all()
    assert choose(planted(n_users=60, n_items=60).data.before_test(), "user", 0.2).n_users == 60


def test_in_a_large_catalogue_the_regularisation_stays_the_preset_s(monkeypatch: pytest.MonkeyPatch) -> None:
    data = planted(n_users=60, n_items=60, ordered=False).data.before_test()
    preset = CONFIG.stage_config("encoder", "ease").l2  # pyright: ignore[reportAttributeAccessIssue]
    tried = {}
    for most in (60, 59):
        monkeypatch.setattr("grouprec.training.simple.MOST_ITEMS", most)
        known: Judged = {}
        found = choose(data, "user", 0.2, known)
        tried[most] = {choice.strength for _, choice in known}
    assert tried == {60: {*STRENGTHS, STRONGER[0]}, 59: {1.0}}, "the strongest is the best, so one more is tried"
    assert found.settings["l2"] == preset
    assert set(found.settings) == {"l2", "fade", "tune_l2"} and found.settings["tune_l2"] is False


def test_every_round_tells_how_many_folds_have_judged() -> None:
    data = planted(n_users=60, n_items=60, ordered=False).data.before_test()
    data = replace(data, train=replace(data.train, times=None))
    seen: list[float] = []
    choose_simple(make_folds(data, "user", 0.2, 2, 0), "ease", CONFIG, lambda fraction, values: seen.append(fraction))
    assert seen == [0.5, 1.0] * 3  # the preset, the strengths, and the preset's trend once more


def test_encoders_are_fitted_once_and_only_other_settings_of_the_same_one_are_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data, made = planted(n_users=20, n_items=30).data, []
    ease, knn = (REGISTRIES["encoder"].get(name) for name in ("ease", "item_knn"))
    for stage in (ease, knn):
        monkeypatch.setattr(stage, "fit", lambda self, data, run: made.append((self.name, self.config)) or self)
    fits = Fits(RunOptions())
    weak, fading, strong = (ease(ease.Config(**s)) for s in ({"l2": 1.0}, {"l2": 1.0, "fade": 3.0}, {"l2": 9.0}))
    for encoder in (weak, fading, strong, knn()):
        assert fits.get(encoder, data).config == encoder.config
    assert made == [("ease", weak.config), ("ease", strong.config), ("item_knn", knn().config)]
    fits.keep(strong)
    for encoder in (strong, knn(), fading):
        fits.get(encoder, data)
    assert made[3:] == [("ease", fading.config)]
    other = ease(ease.Config(l2=5.0))
    fits.put(other, data, weak)
    assert fits.get(other, data).config == other.config and len(made) == 4, "fitted elsewhere"


def test_an_encoder_of_a_fold_serves_its_whole_unless_the_validation_part_has_a_say() -> None:
    data = planted(n_users=40, n_items=30).data.without_test()
    ease, elsa = (REGISTRIES["encoder"].get(name) for name in ("ease", "elsa"))
    fits, plain, asking = Fits(RunOptions()), ease.Config(tune_l2=False), ease.Config(tune_l2=True)
    assert fits.find(ease(plain), data) is None
    made = fits.get(ease(plain), data.without_validation())
    found = fits.find(ease(plain), data)
    assert found is not None and (found.items() == made.items()).all()
    assert (found.items() == ease(plain).fit(data, RunOptions()).items()).all()
    for encoder in (ease(asking), elsa(elsa.Config(epochs=1))):
        fits.get(encoder, data.without_validation())
        assert fits.find(encoder, data) is None


def test_what_the_user_set_stays() -> None:
    data = planted(n_users=120, n_items=60).data.before_test()
    found = choose(data, "user", 0.2, ease={"l2": 77.0, "fade": 4.0})
    assert "l2" not in found.settings and "fade" not in found.settings


def test_of_choices_that_are_as_good_the_simplest_is_taken() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, 400)
    plain, cleverer, best = (
        _Choice("ease"),
        _Choice("ease", fade=3.0),
        _Choice("ease", fade=3.0, half_life=7.0, trend=1.0),
    )
    base = rng.random(400)
    judged = {plain: base - 0.05 + noise, cleverer: base - 0.001 + noise, best: base}
    assert _simplest(judged, best) == cleverer
    judged[plain] = base - 0.001 + noise
    assert _simplest(judged, best) == plain


def test_of_trends_the_one_that_folds_prefer_is_taken_not_the_weaker_one() -> None:
    base = np.random.default_rng(0).random(400)
    noise = np.random.default_rng(1).normal(0, 0.1, 400)
    weak, strong = _Choice("ease", half_life=7.0, trend=0.75), _Choice("ease", half_life=14.0, trend=1.0)
    judged = {_Choice("ease"): base - 0.1, weak: base - 0.002 + noise, strong: base}
    assert _simplest(judged, strong) == strong


def test_what_was_judged_is_not_judged_again_and_another_fold_may_decide_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known: Judged = {}
    still, moving = (make_folds(fashion(moving), "time", 10 * DAY, 1, 0)[0] for moving in (False, True))
    folds = [replace(still, key="still"), replace(moving, key="moving")]

    def choose_on(these: list[Dataset]) -> Simple:
        return choose_simple(these, "ease", CONFIG, lambda fraction, values: None, known)

    alone = choose_on(folds[:1])
    both, once_more = choose_on(folds), {key: values.copy() for key, values in known.items()}
    assert alone.trend < both.trend and (alone.n_folds, both.n_folds) == (1, 2)
    monkeypatch.setattr("grouprec.training.simple._Fold.judge", lambda self, choice: pytest.fail("judged again"))
    assert choose_on(folds) == both and known.keys() == once_more.keys()


def challenge(data: Dataset, split: str, length: float, *names: str, trend: bool = True) -> tuple[Simple, Simple]:
    """Return the linear scorer, and what is left of it beside other encoders."""
    folds, fits, asked = make_folds(data, split, length, 2, 0), Fits(RunOptions()), length if split == "time" else 0
    linear = choose_simple(folds, "ease", CONFIG, lambda fraction, values: None, fits=fits, length=asked)
    start = linear if trend else replace(linear, half_life=None, trend=0.0)
    settled = {"ease": linear.settings} | {name: {} for name in names}
    return start, challenged(start, settled, folds, CONFIG, fits, asked)


def test_another_encoder_takes_the_place_of_the_linear_one_where_held_out_users_prefer_it() -> None:
    start, found = challenge(planted(n_users=150, n_items=60).data.before_test(), "user_time", 0.2, "als", "item_knn")
    assert (found.encoder, found.settings, found.trend) == ("als", {}, 0.0)
    assert found.ndcg > start.ndcg and (found.n_users, found.n_folds) == (start.n_users, start.n_folds)


def test_another_encoder_gets_a_trend_of_its_own() -> None:
    _, found = challenge(fashion(moving=True), "time", 10 * DAY, "transitions", trend=False)
    assert found.encoder == "transitions" and found.trend > 1 and found.half_life and found.half_life < 7
    assert found.ndcg > 1.3 * found.plain


def test_what_is_no_better_than_the_linear_encoder_does_not_take_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    data = planted(n_users=150, n_items=60, ordered=False).data.before_test()
    start, found = challenge(data, "user_time", 0.2, "als", "item_knn", "transitions")
    assert found == start
    monkeypatch.setattr("grouprec.training.simple.JUDGES", 20)  # of each of two folds: too few to choose
    start, found = challenge(data, "user_time", 0.2, "als")
    assert found == start and not start.n_users


def test_an_encoder_that_is_far_behind_is_not_tried_with_other_trends(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[_Choice] = []
    judge = _Fold.judge
    monkeypatch.setattr(_Fold, "judge", lambda self, choice: judged.append(choice) or judge(self, choice))
    challenge(fashion(moving=False), "time", 10 * DAY, "transitions")
    of_it = {choice for choice in judged if choice.encoder == "transitions"}
    assert len(of_it) == 2 - (not any(choice.trend for choice in of_it))
