"""The order of the stages: from a configuration to a finished run folder. No other module knows it.

A run has up to three fits. *Choose*: encoders on the training part; the validation part decides their settings, the
blend and the number of groups. *Judge*: encoders with these decisions on training and validation together, all that
follows them, and the evidence on the test part. *Refit*: the same on all rows given.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np
from scipy import sparse

from grouprec import evidence, results, search
from grouprec.blend import ItemFacts, Weights, fit_weights, repeat_terms
from grouprec.choices import Choices, decide_n_groups, encoder_names
from grouprec.config import RunConfig
from grouprec.contracts import REGISTRIES, Encoder, Profile, Stage, Updater
from grouprec.data.dataset import Dataset
from grouprec.data.prepare import Prepared, prepare
from grouprec.evaluate import protocol
from grouprec.evaluate.replay import choose_weight
from grouprec.evaluate.updates import evaluate_updates
from grouprec.forming import Former, excluded
from grouprec.layout import LayoutProcess, linear_positions
from grouprec.lists import group_popularity
from grouprec.live.base import LiveBase
from grouprec.live.feedback import factors
from grouprec.live.state import LiveState
from grouprec.placing import AttributePlacer
from grouprec.preference import best_unseen, make_preference, scaled
from grouprec.progress import Progress, StageReport
from grouprec.results import Encoded, Fitted
from grouprec.runs import Run, RunStore, storage
from grouprec.tables import what_if_tables
from grouprec.training import RunOptions, resolve_device
from grouprec.types import Candidates, Groups, SettingError

STAGE_FORMAT = 4  # raise it when a stage's arrays or the meaning of its settings change
MAP_TIMEOUT = 900.0
LIVE_USERS = 400  # of the validation part, who decide how far events count


@dataclass(frozen=True)
class Trainer:
    """One run in progress: where it writes, what it was asked for, and how it reports."""

    store: RunStore
    run: Run
    config: RunConfig
    progress: Progress
    device: str

    def stage(self, kind: str, name: str, depends: list[Any], fit: Any, decided: dict[str, Any]) -> tuple[Any, str]:
        """Return a fitted stage and its key: read back where any run has that key, else fitted and saved.

        Args:
            depends: what its result depends on beside its own settings and the seed.
            fit: called with the fresh stage and the run options.
            decided: settings fixed by an earlier fit or a search, on top of the configuration.
        """
        settings = self.config.stage_config(kind, name).model_copy(update=decided)
        stage: Stage = REGISTRIES[kind].get(name)(settings)
        key = _key(kind, name, settings.model_dump(mode="json"), self.config.seed, *depends)
        with self.progress.stage(f"{kind} {name}" if kind == "encoder" else _SHOWN[kind]) as report:
            saved = self.store.find_stage(key, self.run)
            if saved is not None:
                report.reused = True
                stage.load(saved[0])
                stage.decided = saved[1]["decided"]
                return stage, key
            fit(stage, RunOptions(self.config.seed, self.device, report))
            if stage.history and "epochs" in type(settings).model_fields:
                stage.decided |= {"epochs": stage.history.best_epoch}
            meta = {"decided": stage.decided, "history": asdict(stage.history) if stage.history else None}
            self.run.save_stage(key, kind, name, settings.model_dump(mode="json"), stage.arrays(), meta)
        return stage, key

    def once(self, name: str, depends: list[Any], decide: Callable[[], Any], report: StageReport | None = None) -> Any:
        """Return a decision, which JSON can hold: read back where any run took it from the same, else taken now."""
        key = _key(name, self.config.seed, *depends)
        saved = self.store.find_stage(key, self.run)
        if saved is not None:
            if report is not None:
                report.reused = True
            return saved[1]["decision"]
        decision = decide()
        self.run.save_stage(key, "decision", name, {}, {}, {"decision": decision})
        return decision

    def feedback(self, data: Dataset) -> sparse.csr_array | None:
        """Return what the feedback of the run named makes of these users' predictions; None without one."""
        if not self.config.feedback:
            return None
        return factors(self.store, self.store.get(self.config.feedback), data.user_ids, data.item_ids)

    @property
    def options(self) -> RunOptions:
        return RunOptions(self.config.seed, self.device)


_SHOWN = {"grouper": "groups", "profile": "profile", "generator": "generator", "updater": "updater"}


def train(store: RunStore, run: Run, config: RunConfig, progress: Progress) -> dict[str, Any]:
    """Train a run from its configuration to its manifest and return its metrics.

    Raises:
        GrouprecError: the data or a setting cannot be used; nothing that looks finished is left.
    """
    trainer = Trainer(store, run, config, progress, resolve_device(config.device))
    with _layout(config.layout) as layout:
        prepared = _prepare(trainer, hold_out=True)
        parts = prepared.dataset.without_test()
        choices = _choose(trainer, parts)
        with progress.inside("judge"):
            judged = _fit(trainer, parts.before_test(), parts, choices, layout if not config.refit else None)
        with progress.inside("without groups"):
            plain = _without_groups(trainer, judged)
        with progress.stage("evaluation"):
            choices = replace(choices, decided={**choices.decided, **judged.decided})
            found = evidence.gather(judged, plain, prepared.dataset, choices, config, trainer.options)
            updates = evaluate_updates(
                judged.updater,
                prepared.dataset,
                prepared.dataset.test,
                trainer.options,
                reencode=partial(judged.reencode, choices.weights),
                most_events=evidence.REPLAYED[config.preset],
            )
        final = judged
        if config.refit:
            with progress.inside("refit"):
                everything = _prepare(trainer, hold_out=False).dataset
                final = _fit(trainer, everything, everything, choices, layout)
        with progress.stage("map") as report:
            positions, map_method = _positions(trainer, final, layout, report)
        with progress.stage("what if"):
            formed = {n: final.former.exported(n) for n in evidence.numbers_of_groups(final.former)}
            found.tables.update(what_if_tables(final.data, formed, final.former.asked))
        with progress.stage("save"):
            metrics = results.summarise(config, trainer.device, prepared, choices, judged, final, found)
            metrics |= {"updater": updates, "map_method": map_method}
            results.save_tables(run, config, prepared, choices, judged, final, found, positions)
            results.save_live(run, config, choices, judged, final)
    metrics["seconds"] = round(progress.seconds(), 2)
    metrics["stage_seconds"] = progress.stage_seconds()
    run.save_metrics(metrics)
    run.write_manifest()
    return metrics


@contextmanager
def _layout(method: str) -> Iterator[LayoutProcess | None]:
    """The map's process: compiles while the encoders train. PCA needs none."""
    if method == "pca":
        yield None
        return
    layout = LayoutProcess.start()
    try:
        yield layout
    finally:
        layout.stop()


def _prepare(trainer: Trainer, hold_out: bool) -> Prepared:
    config = trainer.config
    with trainer.progress.stage("prepare"):
        prepared = prepare(
            config.interactions,
            users=config.users,
            items=config.items,
            roles=config.roles,
            settings=config.preparation,
            seed=config.seed,
            hold_out=hold_out,
        )
    data = prepared.dataset
    if isinstance(config.n_groups, int) and config.n_groups > data.n_users:
        raise SettingError(
            f"{config.n_groups} groups were asked for, but only {data.n_users} users are left to form them; "
            f"ask for {data.n_users} or fewer."
        )
    return prepared


def _choose(trainer: Trainer, data: Dataset) -> Choices:
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
    encoded = _encode(trainer, data, names, found)
    with progress.stage("blend") as report:
        weights = _blends(trainer, encoded, data, report)
    updater, updater_key = trainer.stage("updater", config.updater, [data.key], lambda s, o: s.fit(data, o), {})
    decided = {name: {**found.get(name, {}), **stage.decided} for name, stage in encoded.encoders.items()}
    n_groups, reason, tried = config.n_groups, "", None
    if n_groups == "auto":
        with progress.stage("number of groups"):
            candidates = _candidates(trainer, encoded, data, weights[config.repeats])
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


def _candidates(trainer: Trainer, encoded: Encoded, data: Dataset, weights: Weights) -> Candidates:
    """Return the users' best items by a blend, as feedback has judged them, without those that the rules exclude."""
    config = trainer.config
    predictor = encoded.predictor(weights, data, repeat_terms(data) if config.repeats else ())
    found = predictor.candidates(seed=config.seed, excluded=excluded(data, config))
    factors = trainer.feedback(data)
    return found if factors is None else scaled(found, factors)


def _encode(trainer: Trainer, data: Dataset, names: tuple[str, ...], decided: Any) -> Encoded:
    """Fit encoders on the training part of a dataset."""
    encoders: dict[str, Encoder] = {}
    keys = []
    for name in names:
        encoders[name], key = trainer.stage(
            "encoder", name, [data.key], lambda s, options: s.fit(data, options), dict(decided.get(name, {}))
        )
        keys.append(key)
    return Encoded(encoders, ItemFacts.of(data), tuple(keys))


def _fit(trainer: Trainer, data: Dataset, parts: Dataset, choices: Choices, layout: LayoutProcess | None) -> Fitted:
    """Fit every stage with the decisions made.

    Args:
        data: what encoders and lists are made from.
        parts: the same users and items with a validation part, where there is one: deep stages stop early on it.
        layout: given the users' positions to compute, where this fit is the final one.
    """
    config = trainer.config
    # EASE comes along where it was tuned, also without a weight: it is the baseline of the evaluation.
    used = tuple(name for name in choices.encoders if choices.weights.encoders.get(name) or name == "ease")
    used = used or choices.encoders[:1]  # where popularity alone predicts best
    encoded = _encode(trainer, data, used, choices.decided)
    with trainer.progress.stage("candidates"):
        candidates = _candidates(trainer, encoded, data, choices.weights)
        preference = make_preference(candidates, seed=config.seed)
    rules = config.rules.model_dump(mode="json")
    judged = trainer.feedback(data)
    verdicts = None if judged is None else [part.tolist() for part in (judged.indptr, judged.indices, judged.data)]
    blend = choices.weights.as_dict()
    preference_key = _key("preference", config.seed, encoded.keys, blend, config.repeats, rules, verdicts)
    map_key = _key("map", config.seed, preference_key)
    if layout is not None and trainer.store.find_stage(map_key, trainer.run) is None:
        with storage(trainer.run.path):
            layout.submit(preference.space, config.seed, trainer.run.path)

    def stage(kind: str, depends: list[Any], fit: Any) -> tuple[Any, str]:
        name = getattr(config, kind)
        return trainer.stage(kind, name, depends, fit, choices.decided.get(name, {}))

    n_groups = min(choices.n_groups, data.n_users)
    grouper, group_key = stage(
        "grouper",
        [preference_key, n_groups, config.grouping_regime],
        lambda s, options: s.fit(data, preference, n_groups, options, config.grouping_regime),
    )
    groups = grouper.groups()
    profile, profile_key = stage("profile", [group_key, data.key], lambda s, o: s.fit(data, groups, candidates, o))
    generator, generator_key = stage("generator", [profile_key], lambda s, o: s.fit(groups, profile, candidates, o))
    updater, updater_key = stage("updater", [parts.key], lambda s, o: s.fit(parts, o))
    former = Former(data, candidates, config, trainer.options, preference, (n_groups, groups))
    generated = generator.lists(data, groups, profile, trainer.options)
    lists = {
        **former.lists(groups),
        "generated": former.finish(generated, groups),
        "popularity": former.finish(group_popularity(data.histories, groups, config.seed), groups),
    }
    placer = AttributePlacer().fit(data.user_attributes, groups.labels, config.seed)
    stages: dict[str, tuple[Stage, str]] = {
        "grouper": (grouper, group_key),
        "profile": (profile, profile_key),
        "generator": (generator, generator_key),
        "updater": (updater, updater_key),
    }
    return Fitted(
        data=data,
        encoded=encoded,
        former=former,
        map_key=map_key,
        candidates=candidates,
        preference=preference,
        grouper=grouper,
        groups=groups,
        placer=placer if placer.helps and config.grouper != "attributes" else None,
        profile=profile,
        generator=generator,
        updater=updater,
        lists=lists,
        barred=former.barred(groups),
        decided={one.name: one.decided for one, _ in stages.values()},
        stages={kind: (one.name, key) for kind, (one, key) in stages.items()},
    )


def _without_groups(trainer: Trainer, judged: Fitted) -> Profile:
    """Return the profile of the same users in one group: what groups add to describing them is measured against it."""
    data, candidates = judged.data, judged.candidates
    everybody = Groups(np.zeros(data.n_users, np.int32), 1)
    name, key = judged.stages["profile"]
    fit = lambda stage, options: stage.fit(data, everybody, candidates, options)  # noqa: E731
    return trainer.stage("profile", name, [key, "without groups"], fit, {})[0]


def _positions(
    trainer: Trainer, final: Fitted, layout: LayoutProcess | None, report: StageReport
) -> tuple[np.ndarray, str]:
    """Return the users' positions and how they were made; read back where any run has the same map."""
    if layout is None:
        return linear_positions(final.preference.space), "pca"
    saved = trainer.store.find_stage(final.map_key, trainer.run)
    if saved is not None:
        report.reused = True
        return saved[0]["positions"], saved[1]["method"]
    positions, method = layout.result(MAP_TIMEOUT)
    if method == "umap":  # a map made in an emergency is not worth keeping
        trainer.run.save_stage(final.map_key, "map", method, {}, {"positions": positions}, {"method": method})
    return positions, method


def _key(*parts: Any) -> str:
    """Return the hash of what a stage's result depends on."""
    text = json.dumps([STAGE_FORMAT, version("grouprec-studio"), *parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
