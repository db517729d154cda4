"""The floor, and the guard: simple lists are exported only where they are better by more than chance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import REGIMES, Candidates, Regime
from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.folds import make_folds
from grouprec.data.synthetic import planted
from grouprec.models.blend import ItemFacts, Weights
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.ranking.recency import DAY, one_list, recent_popularity
from grouprec.runs.config import make_config
from grouprec.training import list_choice
from grouprec.training.encoded import Encoded
from grouprec.training.groups_and_lists import GroupMaker
from grouprec.training.list_choice import IN_GROUP, ONE, OWN, ListChoice, choose_lists, floor_lists, list_of_kind
from tests.support.blends import dataset
from tests.training.test_simple import fashion

CONFIG = make_config(interactions=Path("file.csv"), preset="quick", n_groups=4)


HALF_LIVES: dict[Regime, float] = {"strict": 7.0, "dedup": 1.0}


def maker(data: Dataset, candidates: Candidates) -> GroupMaker:
    return GroupMaker(data, candidates, CONFIG, RunOptions())


def fitted(data: Dataset, split: str, length: float) -> list[tuple[Encoded, Dataset]]:
    found = []
    for fold in make_folds(data, split, length, 2, 0):
        alone = fold.without_validation()
        ease = EaseEncoder(EaseEncoder.Config(l2=30.0, tune_l2=False)).fit(alone, RunOptions())
        found.append((Encoded({"ease": ease}, ItemFacts.of(alone), ()), fold))
    return found


def test_planted_tastes_need_lists_of_their_own() -> None:
    data = planted(n_users=200, n_items=120, n_groups=4, ordered=False).data.before_test()
    found = choose_lists(fitted(data, "user", 0.2), Weights({"ease": 1.0}), maker, 0.0)
    assert found.exported == dict.fromkeys(REGIMES, OWN)
    assert found.ndcg[f"strict/{OWN}"] > 1.3 * found.ndcg["strict/popularity"]
    assert found.n_users == 200 and found.n_folds == 2


def everybody_alike() -> Dataset:
    """Everybody takes what is new this week; what they took before says nothing."""
    rng = np.random.default_rng(0)
    n_users, n = 160, 20
    day = rng.uniform(0, 100, (n_users, n))
    item = (day + rng.integers(0, 12, (n_users, n))).astype(int)
    user = np.repeat(np.arange(n_users), n)
    return dataset(pd.DataFrame({"user": user, "item": item.ravel(), "day": day.ravel()}), n_users, 112, (999, 999))


def test_where_everybody_takes_what_is_new_one_recent_list_is_floor_and_export() -> None:
    found = choose_lists(fitted(everybody_alike(), "time", 6 * DAY), Weights({"ease": 1.0}), maker, 6 * DAY)
    assert found.floor == dict.fromkeys(REGIMES, "recent_popularity")
    assert set(found.half_life) == set(REGIMES) and max(found.half_life.values()) <= 14
    assert set(found.exported.values()) <= {ONE, IN_GROUP}
    assert found.ndcg["strict/recent_popularity"] > 1.5 * found.ndcg["strict/popularity"]


def test_where_every_taste_moves_on_what_is_popular_lately_in_the_group_is_exported() -> None:
    found = choose_lists(fitted(fashion(moving=True), "time", 6 * DAY), Weights({"ease": 1.0}), maker, 6 * DAY)
    assert found.exported == dict.fromkeys(REGIMES, IN_GROUP) and set(found.half_life) == set(REGIMES)
    for regime in REGIMES:
        others = max(found.ndcg[f"{regime}/{method}"] for method in (OWN, found.floor[regime]))
        assert found.ndcg[f"{regime}/{IN_GROUP}"] > 1.2 * others


def test_where_popularity_does_not_move_what_is_popular_lately_is_told_and_not_chosen() -> None:
    rng = np.random.default_rng(0)
    still = Interactions(*rng.integers(0, 60, (2, 2_000)), np.ones(2_000, np.float32), rng.uniform(0, 100 * DAY, 2_000))
    data = planted(n_users=60, n_items=60).data
    half_lives = list_choice.half_lives_of([still])
    assert not list_choice._moves([replace(data, train=still)], half_lives)
    assert list_choice._moves([everybody_alike()], half_lives)
    own = rng.random(200)
    means = {(method, None, regime): own for method in ("popularity", OWN) for regime in REGIMES}
    means |= {(m, 7.0, regime): own + 0.1 for m in ("recent_popularity", IN_GROUP) for regime in REGIMES}
    moving, not_moving = (list_choice._chosen(means, 0.0, 2, moves) for moves in (True, False))
    assert set(moving.exported.values()) <= {ONE, IN_GROUP} and set(moving.floor.values()) == {"recent_popularity"}
    assert set(not_moving.exported.values()) == {OWN} and set(not_moving.floor.values()) == {"popularity"}
    assert not_moving.half_life == moving.half_life and not_moving.ndcg == moving.ndcg


def test_with_few_users_the_members_lists_are_exported_over_all_time_popularity() -> None:
    data = planted(n_users=49, n_items=60).data.before_test()
    found = choose_lists(fitted(data, "user", 0.2), Weights({"ease": 1.0}), maker, 3.0)
    assert found == ListChoice(length=3.0)
    assert (found.floor, found.exported) == (dict.fromkeys(REGIMES, "popularity"), dict.fromkeys(REGIMES, OWN))
    assert (found.half_life, found.ndcg, found.n_users, found.n_folds) == ({}, {}, 0, 0)


def test_of_many_users_a_draw_is_grouped_and_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    data = planted(n_users=120, n_items=60, n_groups=4, ordered=False).data.before_test()
    folds = fitted(data, "user", 0.2)
    monkeypatch.setattr(list_choice, "GROUPED_USERS", 80)
    grouped: list[int] = []

    def make(fold: Dataset, candidates: Candidates) -> GroupMaker:
        grouped.append(fold.n_users)
        return maker(fold, candidates)

    found = choose_lists(folds, Weights({"ease": 1.0}), make, 0.0)
    assert grouped == [80, 80] and found.n_users == 80, "the same users of every fold"
    assert found.ndcg[f"strict/{OWN}"] > 1.3 * found.ndcg["strict/popularity"]


@pytest.mark.parametrize(("gain", "kind"), [(0.0, OWN), (0.05, ONE)])
def test_a_simple_list_replaces_the_members_only_beyond_one_standard_error(gain: float, kind: str) -> None:
    rng = np.random.default_rng(0)
    own = rng.random(200)
    means = {
        (method, days, regime): values
        for regime in REGIMES
        for (method, days), values in {
            ("popularity", None): own + gain + rng.normal(0, 0.1, 200),
            ("one_group", None): own - 0.2,
            (OWN, None): own,
        }.items()
    }
    found = list_choice._chosen(means, 0.0, 2)
    assert found.exported["strict"] == kind and found.floor["strict"] == "popularity" and not found.half_life


def test_every_regime_has_the_half_life_that_is_best_there() -> None:
    own, regimes = np.random.default_rng(0).random(200), dict(zip(REGIMES, (3.0, 14.0), strict=True))
    means = {(OWN, None, regime): own for regime in REGIMES} | {("popularity", None, regime): own for regime in REGIMES}
    for regime, best in regimes.items():
        for days in (3.0, 14.0):
            for method in ("recent_popularity", IN_GROUP):
                means[method, days, regime] = own + (0.1 if days == best else -0.1)
    found = list_choice._chosen(means, 0.0, 2)
    assert found.half_life == regimes and found.floor == dict.fromkeys(REGIMES, "recent_popularity")
    assert all(found.ndcg[f"{regime}/{IN_GROUP}"] == pytest.approx(own.mean() + 0.1) for regime in REGIMES)


def test_every_kind_of_list_can_be_made_for_any_groups() -> None:
    data = everybody_alike()
    (encoded, fold), *_ = fitted(data, "time", 6 * DAY)
    known = fold.without_validation()
    made = maker(known, encoded.predictor(Weights({"ease": 1.0}), known).candidates())
    choice = ListChoice({"strict": "recent_popularity", "dedup": "one_group"}, HALF_LIVES, 6 * DAY)
    groups, _ = made.run_method(4, "strict")
    one = list_of_kind(ONE, choice, made, groups)
    single = floor_lists(choice, made)
    assert (one.strict == single["recent_popularity"].strict).all() and len(one.strict) == groups.n_groups
    assert (one.ranking == single["one_group"].ranking).all()
    recent = {days: one_list(recent_popularity(known.train, known.n_items, days), 0) for days in HALF_LIVES.values()}
    assert (single["recent_popularity"].strict == recent[7.0].strict).all()
    assert (single["recent_popularity"].ranking == recent[1.0].ranking).all()
    assert not (recent[1.0].ranking == recent[7.0].ranking).all()
    own = list_of_kind(IN_GROUP, choice, made, groups)
    assert own.strict.shape == one.strict.shape and not (own.strict == one.strict).all()
    assert set(single) == {"popularity", "recent_popularity", "one_group"}, "the data is no year long"
    lost = ListChoice(dict.fromkeys(REGIMES, "seasonal_popularity"), HALF_LIVES, 6 * DAY)
    assert (list_of_kind(ONE, lost, made, groups).strict == single["popularity"].strict).all()
