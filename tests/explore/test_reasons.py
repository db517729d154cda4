"""Reasons add up to the scores that they explain."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.special import logit

import grouprec.models.menu  # noqa: F401  # fills the registry
from grouprec.core.types import Candidates, Embeddings
from grouprec.data.synthetic import planted
from grouprec.explore import reasons
from grouprec.explore.reasons import Explainer, Model, Reasons
from grouprec.explore.score_parts import dot, parts_of
from grouprec.models.base import Encoder, encoders
from grouprec.models.blend import FLOOR, ItemFacts, Weights, make_predictor
from grouprec.models.fitting import RunOptions
from grouprec.runs.snapshot import FitSnapshot

DATA = planted(n_users=60, n_items=40, events_per_user=20).data
FACTS = ItemFacts.of(DATA)
NOBODY = pd.DataFrame(index=range(DATA.n_users))
SUMS = ("ease", "ease_nearest", "elsa", "item_knn", "als")
QUICK = {"elsa": {"epochs": 2, "embedding_size": 8}, "als": {"factors": 6}, "mf": {"epochs": 2, "embedding_size": 8}}


@cache
def fitted(name: str) -> Encoder:
    stage = encoders.get(name)
    return stage(stage.Config.for_preset("quick").model_copy(update=QUICK.get(name, {}))).fit(DATA, RunOptions())


def parts_and_scores(name: str, histories: sparse.csr_array, item: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the parts of every user's score summed over their own items, and the score, float64 [B]."""
    n_users, _ = histories.shape
    one = parts_of(fitted(name), 1.0, histories, pd.DataFrame(index=range(n_users)))
    scores = dot(one.users, one.items, item)
    owner = np.repeat(np.arange(n_users), np.diff(histories.indptr))
    return np.bincount(owner, one.parts(item), minlength=n_users), scores


def explainer(*names: str, weights: Weights | None = None, rows: np.ndarray | None = None) -> Explainer:
    chosen = weights or Weights(dict.fromkeys(names, 0.5), 14.0, 0.7, 0.3, 0.1, None, -3.0)
    histories = DATA.histories if rows is None else sparse.csr_array(DATA.histories[rows])
    known = {name: fitted(name) for name in names}
    predictor = make_predictor(known, chosen, FACTS, histories, lambda one: embed(one, histories))
    candidates = predictor.candidates(20)
    return Explainer(known, chosen, FACTS, histories, candidates, NOBODY.iloc[: len(candidates.items)])


def embed(encoder: Encoder, histories: sparse.csr_array) -> Embeddings:
    n_users, _ = histories.shape
    return Embeddings(encoder.encode(histories, pd.DataFrame(index=range(n_users))), encoder.items())


@pytest.mark.parametrize("name", SUMS)
def test_parts_of_encoders_that_are_sums_add_up_to_the_score(name: str) -> None:
    for item in (0, 7, 39):
        parts, scores = parts_and_scores(name, DATA.histories, item)
        np.testing.assert_allclose(parts, scores, atol=1e-5)
    assert parts_of(fitted(name), 1.0, DATA.histories, NOBODY).exact


@pytest.mark.parametrize("name", ["ease", "als"])
@settings(max_examples=25)
@given(owned=st.lists(st.sets(st.integers(0, 39), max_size=9), min_size=1, max_size=5), item=st.integers(0, 39))
def test_parts_add_up_whatever_the_histories(name: str, owned: list[set[int]], item: int) -> None:
    rows = np.repeat(np.arange(len(owned)), [len(items) for items in owned])
    columns = np.array([at for items in owned for at in sorted(items)], dtype=np.int32)
    histories = sparse.csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(owned), 40))
    parts, scores = parts_and_scores(name, histories, item)
    np.testing.assert_allclose(parts, scores, atol=1e-5)


def test_reasons_of_ease_are_what_ten_lines_say() -> None:
    weights = Weights({"ease": 0.8}, intercept=-2.0)
    user, item = 3, 11
    found = explainer("ease", weights=weights, rows=np.array([user])).why(item)
    own = DATA.histories[[user]].indices
    brings = fitted("ease").items()[item, own]  # the column of B
    best = np.sort(fitted("ease").items() @ (DATA.histories[[user]].toarray()[0] > 0))[-50:]
    score = brings.sum()
    lift = 0.8 * (np.log(max(score, 0) / np.maximum(best, 0).mean() + FLOOR) - np.log(FLOOR))
    expected = dict(zip(own.tolist(), (lift * brings / score).tolist(), strict=True))
    assert dict(zip(found.own.tolist(), found.points.tolist(), strict=True)) == pytest.approx(expected, rel=1e-4)
    assert found.total == pytest.approx(lift, rel=1e-4)
    assert found.exact == 1
    assert (found.trend, found.popularity, found.again, found.rest) == (0, 0, 0, 0)


def test_log_odds_are_those_of_the_prediction() -> None:
    names = ("ease", "als", "mf")
    made = explainer(*names)
    predictor = make_predictor(
        {name: fitted(name) for name in names},
        made.weights,
        FACTS,
        DATA.histories,
        lambda one: embed(one, DATA.histories),
    )
    scores = logit(predictor.scores(slice(None)).astype(np.float64))
    for item in (0, 12, 33):
        np.testing.assert_allclose(made.log_odds(item), scores[:, item], atol=2e-3)


def test_all_reasons_of_a_user_add_up_to_what_lifts_the_item_above_an_average_one() -> None:
    made = explainer("ease", "als", "mf", rows=np.array([5]))
    trend, popular = FACTS.trend(14.0).mean(), FACTS.log_users.mean()
    activity = np.log1p(DATA.histories[[5]].nnz)
    floor = 1.5 * np.log(FLOOR) + 0.7 * trend + 0.3 * popular + 0.1 * activity - 3.0
    for item in made.candidates.items[0, :5].tolist():
        assert made.why(item).total == pytest.approx(float(made.log_odds(item)[0]) - floor, abs=1e-5)


def test_encoders_that_are_no_sums_say_what_leaving_an_item_out_costs() -> None:
    one = parts_of(fitted("mf"), 1.0, DATA.histories, NOBODY)
    scores = dot(one.users, one.items, 9)
    without = DATA.histories[[0]].toarray()
    without[0, DATA.histories[[0]].indices[2]] = 0
    less = embed(fitted("mf"), sparse.csr_array(without)).scores(slice(None))[0, 9]
    assert not one.exact
    assert one.parts(9)[2] == pytest.approx(scores[0] - less, abs=1e-5)
    assert explainer("mf").why(9).rest != 0


def test_an_encoder_that_reads_the_order_is_an_estimate() -> None:
    assert not parts_of(fitted("transitions"), 1.0, DATA.histories, NOBODY).exact
    weights = Weights({"ease": 0.6, "transitions": 0.2}, intercept=-2.0)
    assert explainer("ease", "transitions", weights=weights).why(3).exact == pytest.approx(0.75)


def test_only_users_who_are_predicted_to_want_the_item_speak_for_it() -> None:
    made = explainer("ease")
    item = int(made.candidates.items[0, 0])
    wanting = int((made.candidates.items == item).sum())
    assert made.why(item).n_users == wanting < DATA.n_users


def test_what_is_answered_for_users_without_a_history_is_popularity() -> None:
    nobody = sparse.csr_array((2, DATA.n_items), dtype=np.float32)
    candidates = Candidates(np.tile(np.arange(5, dtype=np.int32), (2, 1)), np.full((2, 5), 0.1, np.float32), 40)
    weights = Weights({"ease": 1.0}, intercept=-2.0)
    found = Explainer({"ease": fitted("ease")}, weights, FACTS, nobody, candidates, NOBODY.iloc[:2]).why(4)
    assert len(found.own) == 0
    assert found.popularity == pytest.approx(FACTS.log_popularity[4] - np.log(FLOOR))
    assert found.share(found.popularity) == 1


def test_having_the_item_already_is_a_reason_where_items_are_taken_again() -> None:
    made = explainer("ease")
    owner = 4
    item = int(DATA.histories[[owner]].indices[0])
    chance = 1 / (1 + np.exp(-made.log_odds(item)[owner] - 1.5))  # repeats added 1.5 to the log odds
    weights = Weights(made.weights.encoders, 14.0, 0.7, 0.3, 0.1, (1.5, 0.0, 0.0, 0.0), -3.0)
    candidates = Candidates(np.array([[item]], np.int32), np.array([[chance]], np.float32), DATA.n_items)
    histories = sparse.csr_array(DATA.histories[[owner]])
    found = Explainer({"ease": fitted("ease")}, weights, FACTS, histories, candidates, NOBODY.iloc[:1]).why(item)
    assert found.again == pytest.approx(1.5, abs=1e-3)


def test_a_large_group_is_read_from_a_draw_that_the_seed_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasons, "MOST_USERS", 10)
    everybody = explainer("ease")
    base = FitSnapshot(
        DATA.user_ids,
        DATA.item_ids,
        DATA.item_labels,
        DATA.histories,
        everybody.candidates,
        *(np.zeros(DATA.n_users, np.int32), 1, np.zeros((60, 2), np.float32), np.zeros(60), np.zeros((40, 2)), 0.0),
        repeats=False,
    )
    model = Model(base, {"ease": fitted("ease")}, everybody.weights, FACTS)
    first, second = (model.explainer(np.arange(DATA.n_users)) for _ in range(2))
    assert first.candidates.n_users == 10
    assert first.why(3).points.tolist() == second.why(3).points.tolist()
    assert model.explainer(np.arange(7)).candidates.n_users == 7


def test_all_that_speaks_for_an_item_adds_up() -> None:
    points = np.array([3.0, 2.0, 1.0, 0.5, -0.5])
    found = Reasons(9, np.array([4, 2, 0, 1, 3]), points, np.ones(5, int), 2.0, -1.0, 0.0, 1.5, 8, 0.9)
    assert found.total == pytest.approx(8.5)
