"""Better settings of the encoders, within the time that the user gives."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import optuna

from grouprec.core.types import GrouprecError
from grouprec.data.dataset import Dataset
from grouprec.models.base import REGISTRIES, StageConfig
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import NewItemTask
from grouprec.runs.config import RunConfig
from grouprec.runs.progress import Progress, StageReport
from grouprec.training.executor import spreader

TRIALS_AT_ONCE = 4  # here and on a cluster, so that who tries them changes nothing


def search(
    names: Sequence[str], data: Dataset, config: RunConfig, device: str, progress: Progress
) -> dict[str, dict[str, Any]]:
    """Return, by encoder, the settings with the best validation nDCG@10 that were found; {} without time to search.

    Every encoder gets an equal share of ``config.search_minutes``, in which a tree-structured Parzen estimator
    (Bergstra et al. 2011, optuna) proposes settings within the ranges that their declarations give as ``search``. The
    first trial is the preset, so a search never ends with worse than that. The seed fixes which settings are tried
    and in which order; the time fixes how many. Four are proposed at a time, and may be tried by others
    (:func:`~grouprec.training.executor.spreader`). Every trial is a line in the run's events.
    """
    tunable = [name for name in names if _ranges(name) and name not in config.settings]
    if not config.search_minutes or not tunable:
        return {}
    budget = config.search_minutes * 60 / len(tunable)
    found = {}
    for name in tunable:
        with progress.stage(f"search {name}") as report:
            found[name] = _search_one(name, data, config, device, budget, report)
    return found


def _search_one(
    name: str, data: Dataset, config: RunConfig, device: str, budget: float, report: StageReport
) -> dict[str, Any]:
    """Return the best settings of one encoder found within ``budget`` seconds."""
    import optuna  # here, since few runs search

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    base, ranges, begun = config.stage_config("encoder", name), _ranges(name), time.monotonic()
    own_tuning = {field: False for field in ("tune", "tune_l2") if hasattr(base, field)}  # the search does it
    base = base.model_copy(update=own_tuning)
    task = NewItemTask.sample(data, RunOptions(config.seed).rng("search"))

    score = spreader(_score, name, base, data, task, RunOptions(config.seed, device))
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=config.seed))
    study.enqueue_trial({field: getattr(base, field) for field in ranges})
    spent = 0.0
    while spent < budget:
        trials = [(study.ask(), {}) for _ in range(TRIALS_AT_ONCE)]
        for trial, settings in trials:
            settings.update({field: _suggest(trial, field, ends) for field, ends in ranges.items()})
        with contextlib.closing(score([settings for _, settings in trials])) as scores:
            for (trial, settings), found in zip(trials, scores, strict=False):
                study.tell(trial, found or 0.0)
                spent = time.monotonic() - begun
                if found is not None:
                    numbers = {"trial": float(trial.number + 1), "validation": found, **_numbers(settings)}
                    report(min(spent / budget, 1.0), numbers)
                if spent >= budget:
                    break
    best = study.best_params
    return {field: best[field] for field in ranges}


def _score(
    settings: dict[str, Any], name: str, base: StageConfig, data: Dataset, task: NewItemTask, run: RunOptions
) -> float | None:
    """Return the validation nDCG@10 of an encoder with these settings; None where they do not fit the data."""
    encoder = REGISTRIES["encoder"].get(name)(base.model_copy(update=settings))
    try:
        encoder.fit(data, run)
    except (GrouprecError, FloatingPointError):  # or diverge
        return None
    embeddings = encoder.embeddings(data)
    return task.ndcg(type(embeddings)(embeddings.users[task.user_rows], embeddings.items))


def _ranges(name: str) -> dict[str, tuple[float, float]]:
    """Return the settings of an encoder that declare a range to search, by name."""
    fields = REGISTRIES["encoder"].get(name).Config.model_fields
    extras = {field: info.json_schema_extra for field, info in fields.items()}
    return {
        field: tuple(extra["search"])
        for field, extra in extras.items()
        if isinstance(extra, dict) and "search" in extra
    }


def _suggest(trial: optuna.Trial, field: str, ends: tuple[float, float]) -> float:
    """Draw a setting: whole numbers where both ends are, on a logarithmic scale where they lie a factor 10 apart."""
    low, high = ends
    log = low > 0 and high >= 10 * low
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(field, low, high, log=log)
    return trial.suggest_float(field, float(low), float(high), log=log)


def _numbers(settings: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in settings.items() if isinstance(value, int | float)}
