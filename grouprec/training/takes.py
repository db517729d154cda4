"""How many takes a run's predictions come to, learned on the part that judges, and whether that can be relied on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.types import REGIMES, Candidates
from grouprec.data.dataset import Dataset
from grouprec.evaluate import expected
from grouprec.models.blend import Weights, repeat_terms
from grouprec.ranking.group_lists import LENGTH
from grouprec.ranking.metrics import contains
from grouprec.ranking.takes import ExpectedTakes, Horizon, Predictions, mean_chances, spread_of
from grouprec.ranking.task import Task, dedup_lists, nothing, shared_lists, validation_task
from grouprec.training.encoded import Encoded
from grouprec.training.fit import Choices, Fitted
from grouprec.training.stage_cache import StageCache

USERS = 5_000  # that is learned from, drawn of all: also of those who took nothing


def foretell(cache: StageCache, encoded: Encoded, data: Dataset, weights: Weights) -> ExpectedTakes | None:
    """Return what the validation part makes of predictions: what somebody would have expected of the part that judges.

    Args:
        encoded: fitted on the training part.
    """
    config = cache.config

    def learn() -> dict[str, Any] | None:
        rows = _drawn(data.n_users, config.seed)
        predictor = encoded.predictor(weights, data, repeat_terms(data) if config.repeats else ())
        seen = nothing(data.shape) if config.repeats else data.histories
        candidates = predictor.best_of(rows, seen[rows], config.seed)
        taken = contains(validation_task(data, config.repeats).relevant[rows], candidates.items)
        horizon = Horizon.of(data.train, data.validation, data.n_users)
        predicted = _predictions(data, rows, candidates, mean_chances(candidates))
        found = ExpectedTakes.learn(predicted, taken, horizon, config.seed)
        return None if found is None else found.as_dict()

    depends = ["foretold takes", data.key, encoded.keys, weights.as_dict(), config.repeats]
    return ExpectedTakes.of(cache.once("foretold takes", depends, learn))


def judge_takes(judged: Fitted, data: Dataset, task: Task, choices: Choices, seed: int) -> tuple[Any, pd.DataFrame]:
    """Return what the test part makes of predictions, and expected against real takes in tenths.

    The table's expectations of a user come from other users; beside them, as ``foretold``, stand those of the
    validation part, for as long a time.

    Args:
        data: with the test part.
    Returns:
        for the run's summary: what :class:`~grouprec.ranking.takes.ExpectedTakes` holds, horizon in words, share of
        users who took something ("active"), largest gap of a tenth, what was foretold of all takes, expected and
        real takes of the exported lists' first ten items; None where too little was taken to tell. And the table.
    """
    rows = _drawn(judged.data.n_users, seed)
    wanted = mean_chances(judged.candidates)
    predicted = _predictions(judged.data, rows, judged.candidates.take(rows), wanted)
    taken = contains(task.relevant[rows], predicted.candidates.items)
    horizon = Horizon.of(judged.data.train, data.test, data.n_users)
    learned = ExpectedTakes.learn(predicted, taken, horizon, seed)
    parts = expected.learn_from_others(predicted, taken, horizon, seed)
    if learned is None or not parts:
        nobody = np.zeros((0, 1))
        return None, expected.tenths(nobody, nobody > 0)
    foretold = None
    if choices.foretold is not None and choices.foretold.horizon.kind == horizon.kind:
        foretold = choices.foretold.probabilities(predicted) * horizon.length / choices.foretold.horizon.length
    others = expected.expect(parts, predicted)
    table = expected.tenths(others, taken, foretold)
    by_group = _of_lists(judged, replace(task, users=rows), predicted, parts)
    pooled = np.concatenate(list(by_group.values()), axis=1)
    learned = replace(learned, spread=spread_of(*pooled))
    return learned.as_dict() | {
        "words": horizon.words,
        "active": float((np.diff(task.relevant.indptr) > 0).mean()),
        "gap": expected.largest_gap(table),
        "expected": float(others.sum()),
        "taken": int(taken.sum()),
        "foretold": None if foretold is None else float(foretold.sum()),
        "lists": {
            use: dict(zip(("expected", "taken"), sums.sum(axis=1), strict=True)) for use, sums in by_group.items()
        },
    }, table


def _drawn(n_users: int, seed: int) -> np.ndarray:
    """Return the rows of users to learn from, int64, ascending."""
    if n_users <= USERS:
        return np.arange(n_users)
    return np.sort(np.random.default_rng(seed).choice(n_users, USERS, replace=False))


def _predictions(data: Dataset, rows: np.ndarray, candidates: Candidates, wanted: np.ndarray) -> Predictions:
    """Return predictions for some users, made at the end of the training part."""
    last = np.full(data.n_users, -np.inf)
    if data.train.times is not None:
        np.maximum.at(last, data.train.user_rows, data.train.times)
    activity = np.diff(data.histories.indptr)[rows]
    return Predictions.of(candidates, wanted, activity, last[rows], float(last.max(initial=-np.inf)))


def _of_lists(judged: Fitted, task: Task, predicted: Predictions, parts: expected.Parts) -> dict[str, np.ndarray]:
    """Return expected and real takes of the exported lists by group, float64 [2, G], by regime."""
    labels, found = judged.groups.labels, {}
    for regime in REGIMES:
        lists = judged.lists[judged.list_method[regime]]
        if regime == "strict":
            shown = shared_lists(lists.strict, labels, task, LENGTH)
        else:
            shown = dedup_lists(lists.ranking, labels, task, LENGTH)
        allowed = ~contains(task.seen[task.users], shown)
        sure = expected.expect(parts, predicted.of_lists(shown)) * allowed
        by_user = sure.sum(axis=1), contains(task.relevant[task.users], shown).sum(axis=1)
        own = labels[task.users]
        found[regime] = np.stack([np.bincount(own, values, judged.groups.n_groups) for values in by_user])
    return found
