"""What a run makes of its predictions: learned where it is judged, told with what would have been foretold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from scipy.special import expit, logit

from grouprec.core.types import Candidates, GroupLists, Groups
from grouprec.data.dataset import Dataset, Interactions
from grouprec.evaluate.expected import largest_gap
from grouprec.models.blend import ItemFacts, Weights, repeat_terms
from grouprec.ranking.candidates import best_unseen
from grouprec.ranking.takes import ExpectedTakes, Horizon, mean_chances
from grouprec.ranking.task import nothing, validation_task
from grouprec.ranking.task import test_task as task_of
from grouprec.runs.config import RunConfig
from grouprec.runs.progress import Progress
from grouprec.runs.store import Run, RunStore
from grouprec.training import takes as module
from grouprec.training.encoded import Encoded
from grouprec.training.fit import Choices, Fitted
from grouprec.training.stage_cache import StageCache
from grouprec.training.takes import foretell, judge_takes

DAY = 86_400.0
N_USERS, N_ITEMS = 900, 40


def rows(pairs: np.ndarray, first: float, last: float, rng: np.random.Generator) -> Interactions:
    users, items = np.nonzero(pairs)
    times = rng.uniform(first, last, len(users)) * DAY
    times[:2] = first * DAY, last * DAY
    return Interactions(users.astype(np.int32), items.astype(np.int32), np.ones(len(users), np.float32), times)


def validated() -> Dataset:
    """Return users of whom most take a few items, half of them again, in the validation part."""
    rng = np.random.default_rng(3)
    shares = np.linspace(0.02, 0.4, N_ITEMS)
    owned = rng.random((N_USERS, N_ITEMS)) < shares
    again = rng.random((N_USERS, N_ITEMS)) < shares / 3
    names = np.array([f"n{n}" for n in range(N_USERS)], object)
    return Dataset(
        name="planted",
        key="validated",
        user_ids=names,
        item_ids=names[:N_ITEMS],
        item_labels=names[:N_ITEMS],
        train=rows(owned, 0, 100, rng),
        validation=rows(again, 101, 120, rng),
        test=Interactions.empty(True),
    )


@pytest.fixture(scope="module")
def judged() -> tuple[Fitted, Dataset, np.ndarray]:
    """Return a fit whose chances are five times too high, the data with its test part, and the true probabilities."""
    rng = np.random.default_rng(0)
    shape = N_USERS, N_ITEMS
    owned = rng.random(shape) < 0.2
    chances = np.where(owned, 0, expit(rng.normal(-1, 1, shape)))
    truth = np.where(owned, 0, expit(logit(np.clip(chances, 1e-6, 1)) - 1.8))
    names = np.array([f"n{n}" for n in range(N_USERS)], object)
    known = rows(owned, 0, 100, rng)
    data = Dataset(
        name="planted",
        key="planted",
        user_ids=names,
        item_ids=names[:N_ITEMS],
        item_labels=names[:N_ITEMS],
        train=known,
        validation=Interactions.empty(True),
        test=rows(rng.random(shape) < truth, 101, 120, rng),
    )
    order = np.argsort(-chances, axis=1)
    there = np.take_along_axis(~owned, order, axis=1)
    items = np.where(there, order, -1).astype(np.int32)
    scores = np.take_along_axis(chances, order, axis=1).astype(np.float32)
    labels = (np.arange(N_USERS) % 3).astype(np.int32)
    best = np.stack([np.argsort(-chances[labels == g].sum(0)) for g in range(3)]).astype(np.int32)
    lists = GroupLists(best, best.astype(np.float32), best, best.astype(np.float32))
    fit = SimpleNamespace(
        data=data,
        candidates=Candidates(items, scores, N_ITEMS),
        groups=Groups(labels, 3),
        lists={"members_mean": lists},
        list_method={"strict": "members_mean", "dedup": "members_mean"},
    )
    return cast(Fitted, fit), data, truth


def choices(foretold: ExpectedTakes | None = None) -> Choices:
    return cast(Choices, SimpleNamespace(foretold=foretold))


def judge(judged: tuple[Fitted, Dataset, np.ndarray], foretold: ExpectedTakes | None = None) -> tuple[Any, Any]:
    fit, data, _ = judged
    return judge_takes(fit, data, task_of(data), choices(foretold), 0)


def test_expected_takes_agree_with_real_ones_in_every_tenth_and_for_the_lists(judged: Any) -> None:
    takes, table = judge(judged)
    _, data, truth = judged
    assert takes["taken"] == len(data.test) == table["taken"].sum()
    assert takes["gap"] == largest_gap(table) < 0.1
    assert takes["expected"] == pytest.approx(truth.sum(), rel=0.05)
    assert takes["words"] == "20 days, as long as the run was judged on"
    assert takes["active"] == len(np.unique(data.test.user_rows)) / N_USERS
    assert takes["foretold"] is None and table["foretold"].isna().all()
    fit = judged[0]
    strict = fit.lists["members_mean"].strict[fit.groups.labels][:, :10]
    wanted = np.take_along_axis(truth, strict, axis=1).sum()
    real = np.take_along_axis(data.test.matrix(data.shape).toarray(), strict, axis=1).sum()
    assert takes["lists"]["strict"]["expected"] == pytest.approx(wanted, rel=0.06)
    assert takes["lists"]["strict"]["taken"] == real
    assert takes["lists"]["dedup"]["taken"] > real, "who skips what they have is shown ten new items"


def test_what_is_saved_is_what_pages_apply(judged: Any) -> None:
    takes, _ = judge(judged)
    learned = ExpectedTakes.of(takes)
    fit, data, _ = judged
    assert learned is not None and learned.n_users == N_USERS and 1 <= learned.spread < 5
    seen = module._predictions(data, np.arange(N_USERS), fit.candidates, mean_chances(fit.candidates))
    assert learned.probabilities(seen).sum() == pytest.approx(len(data.test), rel=1e-3)


def test_what_was_foretold_is_for_as_long_a_time(judged: Any) -> None:
    learned = ExpectedTakes.of(judge(judged)[0])
    assert learned is not None
    half = replace(learned, horizon=replace(learned.horizon, length=learned.horizon.length / 2))
    takes, table = judge(judged, half)
    assert takes["foretold"] == pytest.approx(2 * takes["taken"], rel=1e-3)
    assert table["foretold"].sum() == pytest.approx(takes["foretold"])
    other = replace(learned, horizon=replace(learned.horizon, kind="interactions"))
    assert judge(judged, other)[0]["foretold"] is None, "days and interactions have no common measure"


def test_a_part_that_is_hardly_taken_from_tells_nothing(judged: Any) -> None:
    fit, data, _ = judged
    few = replace(data, test=data.test.take(np.arange(30)))
    takes, table = judge_takes(fit, few, task_of(few), choices(), 0)
    assert takes is None and table.empty


def test_of_very_many_users_some_are_learned_from(judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "USERS", 600)
    takes, table = judge(judged)
    _, data, _ = judged
    assert takes["n_users"] == 600 and table["taken"].sum() == takes["taken"]
    assert takes["taken"] == pytest.approx(len(data.test) * 600 / N_USERS, rel=0.1)
    assert takes["active"] == len(np.unique(data.test.user_rows)) / N_USERS


def test_a_trained_run_of_few_users_tells_nothing(small_run: Run) -> None:
    assert small_run.metrics()["takes"] is None and small_run.table("takes").empty


@pytest.mark.parametrize("repeats", [False, True], ids=["new", "repeats"])
def test_the_validation_part_foretells_what_the_part_that_judges_will_bring(repeats: bool, tmp_path: Path) -> None:
    data = validated()
    encoded = Encoded({}, ItemFacts.of(data), ())
    weights = replace(Weights.equal((), repeats), popularity=1.0, intercept=-1.0)
    store = RunStore(tmp_path)
    config = RunConfig(interactions=tmp_path / "rows.csv", repeats=repeats)
    run = store.create(config)
    cache = StageCache(store, run, config, Progress(run, {}), "cpu")
    found = foretell(cache, encoded, data, weights)
    assert found is not None and found.horizon == Horizon("days", 20.0) and found.n_users == N_USERS
    assert found == foretell(cache, encoded, data, weights), "decided once"
    seen = nothing(data.shape) if repeats else data.histories
    predictor = encoded.predictor(weights, data, repeat_terms(data) if repeats else ())
    candidates = best_unseen(predictor.scores, seen)
    expected = found.probabilities(module._predictions(data, np.arange(N_USERS), candidates, mean_chances(candidates)))
    real = validation_task(data, repeats).relevant
    assert expected.sum() == pytest.approx(real.nnz, rel=0.01)
    assert (real.nnz == len(data.validation)) == repeats
