"""The first fit of a run: the validation part decides settings, blend, number of groups and the weight of events."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from grouprec.data.dataset import Dataset
from grouprec.evaluate import protocol
from grouprec.live.replay_value import choose_weight
from grouprec.live.state import LiveState
from grouprec.models.base import REGISTRIES, Updater
from grouprec.models.blend import Weights, fit_weights, repeat_terms
from grouprec.ranking.candidates import best_unseen, make_preference
from grouprec.runs.progress import StageReport
from grouprec.runs.snapshot import LiveBase
from grouprec.training import search
from grouprec.training.choices import Choices, decide_n_groups, encoder_names
from grouprec.training.groups_and_lists import Former
from grouprec.training.saving import Encoded
from grouprec.training.stage_cache import Trainer

LIVE_USERS = 400  # of the validation part, who decide how far events count


def choose(trainer: Trainer, data: Dataset) -> Choices:
    """Let the validation part decide settings, blend and number of groups."""
    config, progress = trainer.config, trainer.progress
    names = encoder_names(config, data)
    if not len(protocol.validation_task(data, config.repeats).users):
        progress.note("There is no validation part: all encoders weigh the same and presets decide the rest.")
        weights = {repeats: Weights.equal(names, repeats) for repeats in (False, True)}
        n_groups, reason, tried = decide_n_groups(config, data, None, None)
        return Choices(names, weights[config.repeats], weights[not config.repeats], n_groups, reason, tried)
    settings = [config.stage_config("encoder", name).model_dump(mode="json") for name in names]
    searched = [names, data.key, config.search_minutes, settings, sorted(config.settings)]
    found = trainer.once("search", searched, lambda: search.search(names, data, config, trainer.device, progress))
    encoded = trainer.encode(data, names, found)
    with progress.stage("blend") as report:
        weights = _blends(trainer, encoded, data, report)
    updater, updater_key = trainer.stage("updater", config.updater, [data.key], lambda s, o: s.fit(data, o), {})
    decided = {name: {**found.get(name, {}), **stage.decided} for name, stage in encoded.encoders.items()}
    n_groups, reason, tried = config.n_groups, "", None
    if n_groups == "auto":
        with progress.stage("number of groups"):
            candidates = trainer.candidates(encoded, data, weights[config.repeats])
            former = Former(data, candidates, config, trainer.options)
            n_groups, reason, tried = decide_n_groups(config, data, candidates, former)
    own, other = weights[config.repeats], weights[not config.repeats]
    with progress.stage("live weight") as report:
        weighed = [data.key, encoded.keys, updater_key, own.as_dict(), config.repeats]
        weigh = partial(_live_weight, trainer, encoded, data, own, updater)
        live_weight = trainer.once("live_weight", weighed, weigh, report)
    return Choices(names, own, other, n_groups, reason, tried, decided, live_weight)


def _blends(trainer: Trainer, encoded: Encoded, data: Dataset, report: StageReport) -> dict[bool, Weights]:
    """Return the blend for new items (False) and with repeats (True)."""
    both = (False, True)
    weigh = lambda: [_weigh(trainer, encoded, data, repeats).as_dict() for repeats in both]  # noqa: E731
    found = trainer.once("blend", [data.key, encoded.keys], weigh, report)
    # JSON knows no tuples
    weights = (Weights(**{**blend, "repeats": blend["repeats"] and tuple(blend["repeats"])}) for blend in found)
    return dict(zip(both, weights, strict=True))


def _weigh(trainer: Trainer, encoded: Encoded, data: Dataset, repeats: bool) -> Weights:
    """Return the blend that the validation part prefers, for new items or with repeats."""
    names = tuple(encoded.encoders)
    task = protocol.validation_task(data, repeats)
    if not len(task.users):
        return Weights.equal(names, repeats)
    terms = repeat_terms(data) if repeats else ()
    predictor = encoded.predictor(Weights.equal(names, repeats), data, terms)
    return fit_weights(predictor, task, trainer.config.seed)


def _live_weight(trainer: Trainer, encoded: Encoded, data: Dataset, weights: Weights, updater: Updater) -> float:
    """Return how far the updater's change of opinion counts beside the blend, as some validation users' events say."""
    config, options = trainer.config, trainer.options
    users = np.unique(data.validation.user_rows)
    rows = np.sort(options.rng("live users").choice(users, min(LIVE_USERS, len(users)), replace=False))
    predictor = encoded.predictor(weights, data, repeat_terms(data) if config.repeats else ())
    seen = protocol.nothing(data.shape) if config.repeats else data.histories
    candidates = best_unseen(lambda part: predictor.scores(rows[part]), seen[rows], seed=config.seed)
    preference = make_preference(candidates, seed=config.seed)
    grouper = REGISTRIES["grouper"].get("kmeans")().fit(data, preference, 1, options)
    base = LiveBase(
        user_ids=data.user_ids[rows],
        item_ids=data.item_ids,
        item_labels=data.item_labels,
        histories=data.histories[rows],
        candidates=candidates,
        labels=grouper.groups().labels,
        n_groups=1,
        states=updater.start(data, options)[rows],
        last_times=np.full(len(rows), -np.inf),
        components=preference.components,
        weight=1.0,
        repeats=config.repeats,
        seed=config.seed,
    )
    part = data.validation.take(np.isin(data.validation.user_rows, rows))
    part = replace(part, user_rows=np.searchsorted(rows, part.user_rows).astype(np.int32))
    return choose_weight(lambda weight: LiveState(replace(base, weight=weight), updater, grouper), part, config.seed)[0]
