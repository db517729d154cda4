"""The order of the stages: from a configuration to a finished run folder. No other module knows it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from grouprec import results
from grouprec.config import RunConfig
from grouprec.contracts import REGISTRIES, Encoder, Stage
from grouprec.data.dataset import Dataset
from grouprec.data.prepare import Prepared, prepare
from grouprec.evaluate import protocol
from grouprec.evaluate.value import choose_n_groups, default_grid, value_of_groups
from grouprec.layout import LayoutProcess, linear_positions
from grouprec.lists import group_popularity, members_mean
from grouprec.preference import find_candidates, make_preference
from grouprec.progress import Progress, StageReport
from grouprec.results import Fitted
from grouprec.runs import Run, RunStore, storage
from grouprec.training import RunOptions, resolve_device
from grouprec.types import Candidates, Groups, Preference, SettingError

STAGE_FORMAT = 1  # raise it when a stage's arrays or the meaning of its settings change
MAP_TIMEOUT = 900.0


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
            decided: settings fixed by an earlier fit (refit), on top of the configuration.
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


_SHOWN = {"grouper": "groups", "profile": "profile", "generator": "generator", "updater": "updater"}


def train(store: RunStore, run: Run, config: RunConfig, progress: Progress) -> dict[str, Any]:
    """Train a run from its configuration to its manifest and return its metrics.

    Raises:
        GrouprecError: the data or a setting cannot be used; nothing that looks finished is left.
    """
    trainer = Trainer(store, run, config, progress, resolve_device(config.device))
    with _layout(config.layout) as layout:
        prepared = _prepare(trainer, hold_out=True)
        fitted = _fit(trainer, prepared.dataset.without_test(), layout if not config.refit else None)
        with progress.stage("evaluation"):
            evaluation = _evaluate(fitted, prepared.dataset, trainer)
            evidence = results.stage_evidence(fitted, prepared.dataset, RunOptions(config.seed, trainer.device))
        final = fitted
        if config.refit:
            with progress.inside("refit"):
                everything = _prepare(trainer, hold_out=False)
                final = _fit(trainer, everything.dataset, layout, after=fitted)
        with progress.stage("map") as report:
            positions, map_method = _positions(trainer, final, layout, report)
        with progress.stage("save"):
            metrics = results.summarise(config, trainer.device, prepared, fitted, final, evaluation)
            metrics |= {**evidence, "map_method": map_method}
            results.save_tables(
                run, config.seed, prepared, fitted, final, evaluation, positions, metrics["list_method"]
            )
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


def _fit(trainer: Trainer, data: Dataset, layout: LayoutProcess | None, after: Fitted | None = None) -> Fitted:
    """Fit every stage on a dataset.

    Args:
        layout: given the users' positions to compute, where this fit is the final one.
        after: an earlier fit whose decisions (encoder, number of groups, epochs) are kept: the refit.
    """
    config = trainer.config
    decided = after.decided if after else {}
    encoder, encoder_key, candidates, scores = _encode(trainer, data, after)
    preference = make_preference(candidates[encoder.name], seed=config.seed)
    map_key = _key("map", config.seed, encoder_key)
    if layout is not None and trainer.store.find_stage(map_key, trainer.run) is None:
        with storage(trainer.run.path):
            layout.submit(preference.space, config.seed, trainer.run.path)
    n_groups, reason, value_table = _decide_n_groups(trainer, data, preference, candidates[encoder.name], after)

    def stage(kind: str, depends: list[Any], fit: Any) -> tuple[Any, str]:
        name = getattr(config, kind)
        return trainer.stage(kind, name, depends, fit, decided.get(name, {}))

    grouper, group_key = stage(
        "grouper", [encoder_key, n_groups], lambda s, options: s.fit(data, preference, n_groups, options)
    )
    groups = grouper.groups()
    profile, profile_key = stage("profile", [group_key], lambda s, options: s.fit(data, groups, options))
    generator, _ = stage("generator", [profile_key], lambda s, options: s.fit(data, groups, profile, options))
    updater, _ = stage("updater", [data.key], lambda s, options: s.fit(data, options))
    options = RunOptions(config.seed, trainer.device)
    lists = {
        "generated": generator.lists(data, groups, profile, options),
        "members_mean": members_mean(candidates[encoder.name], groups, data.histories, config.seed),
        "popularity": group_popularity(data.histories, groups, config.seed),
    }
    fitted_stages: list[Stage] = [encoder, grouper, profile, generator, updater]
    return Fitted(
        data,
        encoder,
        map_key,
        scores,
        candidates,
        preference,
        grouper,
        groups,
        reason,
        value_table,
        profile,
        generator,
        updater,
        lists,
        {s.name: s.decided for s in fitted_stages},
    )


def _encode(
    trainer: Trainer, data: Dataset, after: Fitted | None
) -> tuple[Encoder, str, dict[str, Candidates], dict[str, float]]:
    """Fit the encoders and return the one that ranks best on the validation part, with everybody's candidates."""
    names = [after.encoder.name] if after else list(trainer.config.encoders)
    decided = after.decided if after else {}
    fitted: dict[str, tuple[Encoder, str]] = {}
    candidates: dict[str, Candidates] = {}
    scores: dict[str, float] = {}
    for name in names:
        encoder, key = trainer.stage(
            "encoder", name, [data.key], lambda s, options: s.fit(data, options), decided.get(name, {})
        )
        embeddings = encoder.embeddings(data)
        candidates[name] = find_candidates(
            embeddings, data.histories, seed=trainer.config.seed, fallback=data.popularity
        )
        scores[name] = _validation_value(candidates[name], protocol.validation_task(data))
        fitted[name] = encoder, key
    best = max(names, key=lambda name: np.nan_to_num(scores[name], nan=-1.0))
    return (*fitted[best], candidates, after.encoder_scores if after else scores)


def _validation_value(candidates: Candidates, task: protocol.Task) -> float:
    """Return the nDCG@10 of personal lists on the validation part, NaN where nobody has one."""
    if not len(task.users):
        return np.nan
    lists = protocol.individual_lists(candidates, task)
    return float(protocol.measure("", "individual", lists, task).of("ndcg@10").mean())


def _decide_n_groups(
    trainer: Trainer, data: Dataset, preference: Preference, candidates: Candidates, after: Fitted | None
) -> tuple[int, str, pd.DataFrame | None]:
    """Return the number of groups, why, and the table it was chosen from."""
    config = trainer.config
    if after is not None:
        return after.groups.n_groups, after.groups_reason, after.value_table
    if config.n_groups != "auto":
        return config.n_groups, "", None
    task = protocol.validation_task(data)
    grid = default_grid(data.n_users)
    if not len(task.users):
        middle = grid[len(grid) // 2]
        return middle, f"{middle} groups: there is no validation part to choose by.", None
    settings = config.stage_config("grouper", config.grouper)
    options = RunOptions(config.seed, trainer.device)

    def group_at(n_groups: int) -> Groups:
        stage = REGISTRIES["grouper"].get(config.grouper)(settings)
        return stage.fit(data, preference, n_groups, options).groups()

    with trainer.progress.stage("number of groups"):
        table = value_of_groups(data, task, preference, candidates, group_at, grid, config.seed)
        n_groups, reason = choose_n_groups(table, config.regime)
    return n_groups, reason, table


def _evaluate(fitted: Fitted, data: Dataset, trainer: Trainer) -> protocol.Evaluation:
    """Judge everything learned from the training part on the test part."""
    seed = trainer.config.seed
    candidates = fitted.candidates[fitted.encoder.name]
    baseline = fitted.candidates.get("ease")
    ease = REGISTRIES["encoder"].get("ease")
    settings: Any = ease.Config.for_preset("quick")
    if baseline is None and data.n_items > settings.max_items:
        trainer.progress.note(f"Too many items for EASE: its baseline on groups uses {fitted.encoder.name} instead.")
    elif baseline is None:
        stage = ease(settings)
        stage.fit(fitted.data, RunOptions(seed, trainer.device))
        histories = fitted.data.histories
        baseline = find_candidates(stage.embeddings(fitted.data), histories, seed=seed, fallback=data.popularity)
    return protocol.evaluate(
        data,
        protocol.test_task(data),
        fitted.groups,
        candidates,
        candidates if baseline is None else baseline,
        fitted.lists,
        fitted.candidates if baseline is None else {"ease": baseline, **fitted.candidates},
        seed,
    )


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
