"""The order of the stages: from a configuration to a finished run folder. No other module knows it.

A run has up to three fits. *Choose*: encoders on the training part; the validation part decides their settings, the
blend and the number of groups. *Judge*: encoders with these decisions on training and validation together, all that
follows them, and the evidence on the test part. *Refit*: the same on all rows given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.files import storage
from grouprec.core.types import Groups, Preference, SettingError
from grouprec.data.dataset import Dataset
from grouprec.data.preparing.prepare import Prepared, prepare
from grouprec.data.preparing.split_words import split_words
from grouprec.evaluate import baselines
from grouprec.evaluate.updates import evaluate_updates
from grouprec.explore.tables import what_if_tables
from grouprec.models.base import Profile
from grouprec.models.fitting import resolve_device
from grouprec.models.placement import AttributePlacer
from grouprec.models.threads import beside_where, one_thread
from grouprec.ranking.candidates import make_preference
from grouprec.runs.config import RunConfig
from grouprec.runs.progress import Progress, StageReport
from grouprec.runs.store import Run, RunStore
from grouprec.training import curve, evidence, saving, windows
from grouprec.training.beside import what_is_added
from grouprec.training.encoded import Encoded
from grouprec.training.fit import Choices, Evidence, Fitted, Formed
from grouprec.training.groups_and_lists import GroupMaker
from grouprec.training.list_choice import list_of_kind
from grouprec.training.new_items import list_new_items
from grouprec.training.selection import begun_updater, choose, choose_once_more, with_room
from grouprec.training.stage_cache import StageCache, key_of
from grouprec.training.texts import with_text_vectors
from grouprec.training.user_map import LayoutProcess, fits_umap, linear_positions

MAP_TIMEOUT = 900.0


def train(store: RunStore, run: Run, config: RunConfig, progress: Progress) -> dict[str, Any]:
    """Train a run from its configuration to its manifest and return its metrics.

    Raises:
        GrouprecError: the data or a setting cannot be used; nothing that looks finished is left.
    """
    cache = StageCache(store, run, config, progress, resolve_device(config.device))
    with one_thread(), _layout(config.layout) as layout:
        prepared = _prepare(cache, hold_out=True)
        parts = prepared.dataset.without_test()
        folds, known = windows.folds(prepared, parts, config), {}
        choices = choose(cache, parts, folds, windows.seconds(prepared.dataset), known)
        with progress.inside("judge"):
            judged, comparing = _judged(cache, prepared.dataset, parts, choices, layout if not config.refit else None)
        choices = replace(choices, decided={**choices.decided, **judged.decided})
        judging = _judging(cache, prepared, judged, comparing, choices)
        with progress.inside("without groups"):
            plain = None if config.preset == "quick" else _without_groups(cache, judged)
        final, last, if_changed = judged, choices, None
        if config.refit:
            with progress.inside("refit"):
                last = choose_once_more(cache, choices, folds, windows.last_fold(prepared.dataset), known)
                everything = _prepare(cache, hold_out=False).dataset
                last = with_room(last, config, everything.n_items)
                final = _fit(cache, everything, everything, last, layout)
            if_changed = _what_if(progress, final, last)  # here, beside the evidence
        with progress.stage("evaluation"):
            found, updates = judging()
            found.tables.update(evidence.describing(judged, plain, prepared.dataset, config))
        with progress.stage("map") as report:
            positions, map_method = _positions(cache, final, layout, report)
        # without a final fit only now, of groups that the evidence has formed
        found.tables.update(if_changed or _what_if(progress, final, last))
        new = list_new_items(cache, final, last.weights)
        with progress.stage("save"):
            metrics = saving.summarise(config, cache.device, prepared, last, judged, final, found)
            metrics |= {"updater": updates, "map_method": map_method, **new.metrics}
            placed = saving.place_left_out(final, last.weights)
            saving.save_tables(run, config, prepared, last, judged, final, found, positions, placed, new)
            saving.save_live(run, config, prepared, last, judged, final, placed)
            saving.save_moment(cache.store, run, prepared)
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


def _prepare(cache: StageCache, hold_out: bool) -> Prepared:
    config = cache.config
    with cache.progress.stage("prepare"):
        prepared = prepare(
            config.interactions,
            users=config.users,
            items=config.items,
            also=config.also,
            edges=config.edges,
            roles=config.roles,
            settings=config.preparation,
            seed=config.seed,
            hold_out=hold_out,
        )
    if hold_out:
        cache.progress.note(split_words(prepared.split_facts()))
    data = with_text_vectors(cache, prepared.dataset)
    if isinstance(config.n_groups, int) and config.n_groups > data.n_users:
        raise SettingError(
            f"{config.n_groups} groups were asked for, but only {data.n_users} users are left to form them; "
            f"ask for {data.n_users} or fewer."
        )
    return replace(prepared, dataset=data)


def _judged(
    cache: StageCache, data: Dataset, parts: Dataset, choices: Choices, layout: LayoutProcess | None
) -> tuple[Fitted, Callable[[], evidence.Compared]]:
    """Return the fit that is judged, and what waits for its groups to be compared: beside what describes them, where
    that is worthwhile.

    Args:
        data: with the test part; the others as of :func:`_fit`.
    """
    stages = _Stages(cache, choices)
    formed = _form(stages, parts.before_test(), parts, layout)
    compare = partial(evidence.compare, formed, data, choices, cache.config, cache.options)
    comparing = beside_where(evidence.takes_seconds(data, cache.device), compare)
    return _describe(stages, formed, parts, lambda stage: None), comparing  # the updater was fitted to choose by


def _judging(
    cache: StageCache,
    prepared: Prepared,
    judged: Fitted,
    comparing: Callable[[], evidence.Compared],
    choices: Choices,
) -> Callable[[], tuple[Evidence, dict[str, Any]]]:
    """Begin what the test part says of a fit, beside the final one where that is worthwhile; return what waits for it:
    the evidence but for how users are described, and how updates foretell."""
    config, data = cache.config, prepared.dataset

    def judge() -> tuple[Evidence, dict[str, Any]]:
        found = evidence.gather(judged, comparing, data, choices, config, cache.options)
        task = evidence.judging(data, config)
        found.tables.update(what_is_added(cache, judged, task, choices, prepared.shared))
        updates = evaluate_updates(
            judged.updater,
            data,
            data.test,
            cache.options,
            reencode=partial(judged.reencode, choices.weights),
            most_events=evidence.REPLAYED[config.preset],
        )
        return found, updates

    return beside_where(evidence.takes_seconds(data, cache.device), judge)


def _fit(cache: StageCache, data: Dataset, parts: Dataset, choices: Choices, layout: LayoutProcess | None) -> Fitted:
    """Fit every stage with the decisions made.

    Args:
        data: what encoders and lists are made from.
        parts: the same users and items with a validation part, where there is one: deep stages stop early on it.
        layout: given the users' positions to compute, where this fit is the final one.
    """
    stages, begun = _Stages(cache, choices), begun_updater(cache, parts)
    return _describe(stages, _form(stages, data, parts, layout), parts, begun)


def _what_if(progress: Progress, final: Fitted, choices: Choices) -> dict[str, pd.DataFrame]:
    """Return the tables of what other numbers of groups would be."""
    with progress.stage("what if"):
        return what_if_tables(final.data, curve.exported(final.maker, choices), final.maker.asked)


@dataclass(frozen=True)
class _Stages:
    """The stages of one fit but for the encoders, by the decisions made; ``made`` holds them and their keys by kind."""

    cache: StageCache
    choices: Choices
    made: dict[str, tuple[Any, str]] = field(default_factory=dict)

    def fit(self, kind: str, depends: list[Any], inputs: tuple[Any, ...], **more: Any) -> tuple[Any, str]:
        """Return a stage and its key; arguments as of :meth:`StageCache.stage`."""
        name = getattr(self.cache.config, kind)
        decided = self.choices.decided.get(name, {})
        self.made[kind] = self.cache.stage(kind, name, depends, inputs, decided, **more)
        return self.made[kind]


def _form(stages: _Stages, data: Dataset, parts: Dataset, layout: LayoutProcess | None) -> Formed:
    """Fit encoders and form the groups; arguments as of :func:`_fit`."""
    cache, choices, config = stages.cache, stages.choices, stages.cache.config
    encoded = cache.encode(data, _used(choices, () if data is parts else baselines.PREDICTORS), choices.decided)
    with cache.progress.stage("candidates"):
        candidates = cache.candidates(encoded, data, choices.weights)
        preference = make_preference(candidates, seed=config.seed)
    preference_key = _preference_key(cache, data, encoded, choices)
    map_key = _begin_map(cache, layout, preference, preference_key)
    n_groups, regime = min(choices.n_groups, data.n_users), config.grouping_regime
    inputs = data, preference, n_groups
    grouper, _ = stages.fit("grouper", [preference_key, n_groups, regime], inputs, regime=regime)
    groups = grouper.groups()
    maker = GroupMaker(data, candidates, config, cache.options, preference, (n_groups, groups))
    return Formed(data, encoded, maker, map_key, candidates, preference, grouper, groups)


def _describe(stages: _Stages, formed: Formed, parts: Dataset, begun: Callable[[Any], Any]) -> Fitted:
    """Fit what describes groups, and what moves them; arguments as of :func:`_fit`.

    Args:
        begun: of :func:`begun_updater`.
    """
    cache, choices, config = stages.cache, stages.choices, stages.cache.config
    data, candidates, groups, maker = formed.data, formed.candidates, formed.groups, formed.maker
    profile, key = stages.fit("profile", [stages.made["grouper"][1], data.key], (data, groups, candidates))
    generator, _ = stages.fit("generator", [key], (groups, profile, candidates))
    updater, _ = stages.fit("updater", [parts.key], (parts,), find=begun)
    made = maker.all_lists(groups, generator.lists(data, groups, profile, cache.options))
    method = choices.list_method(config)
    extra = {kind: list_of_kind(kind, choices.lists, maker, groups) for kind in method.values() if kind not in made}
    return Fitted(
        **vars(formed),
        placer=AttributePlacer().fit(data.known_of_users, groups.labels, config.seed),
        profile=profile,
        generator=generator,
        updater=updater,
        lists=extra | made,
        excluded=maker.excluded(groups),
        decided={stage.name: stage.decided for stage, _ in stages.made.values()},
        stages={kind: (stage.name, key) for kind, (stage, key) in stages.made.items()},
        list_method=method,
    )


def _used(choices: Choices, usual: Sequence[str]) -> tuple[str, ...]:
    """Return the encoders to fit: those with a weight, and of the others the evaluation's baselines, being tuned."""
    used = tuple(name for name in choices.encoders if choices.weights.encoders.get(name) or name in usual)
    return used or choices.encoders[:1]  # where popularity alone predicts best


def _begin_map(cache: StageCache, layout: LayoutProcess | None, preference: Preference, preference_key: str) -> str:
    """Let the map be made meanwhile, where it is asked for and no run has it; return its key."""
    map_key = key_of("map", cache.config.seed, preference_key)
    if layout is not None and cache.store.find_stage(map_key, cache.run) is None:
        with storage(cache.run.path):
            layout.submit(preference.space, cache.config.seed, cache.run.path)
    return map_key


def _preference_key(cache: StageCache, data: Dataset, encoded: Encoded, choices: Choices) -> str:
    """Return the hash of all that the users' candidates depend on."""
    config, judged = cache.config, cache.feedback(data)
    rules = config.rules.model_dump(mode="json", exclude={"new_items"})
    verdicts = None if judged is None else [part.tolist() for part in (judged.indptr, judged.indices, judged.data)]
    return key_of("preference", config.seed, encoded.keys, choices.weights.as_dict(), config.repeats, rules, verdicts)


def _without_groups(cache: StageCache, judged: Fitted) -> Profile:
    """Return the profile of the same users in one group: what groups add to describing them is measured against it."""
    data, candidates = judged.data, judged.candidates
    everybody = Groups(np.zeros(data.n_users, np.int32), 1)
    name, key = judged.stages["profile"]
    return cache.stage("profile", name, [key, "without groups"], (data, everybody, candidates), {})[0]


def _positions(
    cache: StageCache, final: Fitted, layout: LayoutProcess | None, report: StageReport
) -> tuple[np.ndarray, str]:
    """Return the users' positions and how they were made; read back where any run has the same map."""
    if layout is None:
        return linear_positions(final.preference.space), "pca"
    saved = cache.store.find_stage(final.map_key, cache.run)
    if saved is not None:
        report.reused = True
        return saved[0]["positions"], saved[1]["method"]
    positions, method = layout.result(MAP_TIMEOUT)
    if method == "pca" and fits_umap(final.preference.space):
        cache.progress.note("UMAP gave no map (log.txt says why): a coarser one by PCA stands in for it.")
    if method == "umap":  # a map made in an emergency is not worth keeping
        cache.run.save_stage(final.map_key, "map", method, {}, {"positions": positions}, {"method": method})
    return positions, method
