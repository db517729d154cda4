"""What one fit learned, and how it becomes a run's evidence, summary and tables."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from grouprec import tables
from grouprec.config import RunConfig
from grouprec.contracts import Encoder, Generator, Grouper, Profile, Updater
from grouprec.data.dataset import Dataset
from grouprec.data.prepare import Prepared
from grouprec.evaluate import protocol
from grouprec.evaluate.updates import evaluate_updates
from grouprec.evaluate.value import separation
from grouprec.runs import Run
from grouprec.training import RunOptions, device_title
from grouprec.types import Candidates, GroupLists, Groups, Preference


@dataclass(frozen=True)
class Fitted:
    """Everything learned from one dataset (the training part, or all rows after the evaluation)."""

    data: Dataset
    encoder: Encoder
    map_key: str  # what the positions on the map depend on
    encoder_scores: dict[str, float]  # validation nDCG@10 by encoder name
    candidates: dict[str, Candidates]  # by encoder name
    preference: Preference
    grouper: Grouper
    groups: Groups
    groups_reason: str
    value_table: pd.DataFrame | None
    profile: Profile
    generator: Generator
    updater: Updater
    lists: dict[str, GroupLists]
    decided: dict[str, dict[str, Any]]  # settings that validation decided, by stage name


def stage_evidence(fitted: Fitted, data: Dataset, options: RunOptions) -> dict[str, Any]:
    """Return what profile, generator and updater are worth on held-out data."""
    return {
        "profile": fitted.profile.report(fitted.data, fitted.groups),
        "generator": fitted.generator.report(fitted.data, fitted.groups, fitted.profile),
        "updater": evaluate_updates(fitted.updater, data, data.test, options),
    }


def summarise(
    config: RunConfig,
    device: str,
    prepared: Prepared,
    fitted: Fitted,
    final: Fitted,
    evaluation: protocol.Evaluation,
) -> dict[str, Any]:
    """Return the run's summary: what was learned, from what, and what it is worth."""
    data = prepared.dataset
    list_method = best_lists(fitted)
    return {
        "n_users": final.data.n_users,
        "n_items": final.data.n_items,
        "n_interactions": int(final.data.histories.nnz),
        "n_test_users": evaluation.summary["n_test_users"],
        "n_groups": final.groups.n_groups,
        "n_groups_reason": fitted.groups_reason,
        "encoder": fitted.encoder.name,
        "encoders": fitted.encoder_scores,
        "regime": config.regime,
        "preset": config.preset,
        "refit": config.refit,
        "device_title": device_title(device),
        "dataset": config.dataset or data.name,
        "split": {
            "kind": prepared.split,
            "train": len(data.train),
            "validation": len(data.validation),
            "test": len(data.test),
        },
        "new_users": {"validation": prepared.new_users_validation, "test": prepared.new_users_test},
        "list_method": list_method,
        "decided": fitted.decided,
        "versions": {name: version(name) for name in ("grouprec-studio", "torch", "scikit-learn", "numpy", "pandas")},
        "clusters": asdict(separation(final.preference.space, final.groups.labels, config.seed)),
        "headline": headline(evaluation, list_method),
    }


def headline(evaluation: protocol.Evaluation, list_method: dict[str, str]) -> dict[str, float]:
    """Return the share of the possible gain that the exported lists keep, nDCG@10, by regime."""
    rows = evaluation.rows[evaluation.rows["metric"] == "ndcg@10"].set_index(["method", "regime"])
    return {
        f"{regime}_share_of_gain": float(rows.loc[(method, regime), "share_of_gain"])
        for regime, method in list_method.items()
    }


def best_lists(fitted: Fitted) -> dict[str, str]:
    """Return, by regime, the list method with the best validation nDCG@10: the one that is exported."""
    task = protocol.validation_task(fitted.data)
    if not len(task.users):
        return {"strict": "members_mean", "dedup": "members_mean"}
    values: dict[str, dict[str, float]] = {"strict": {}, "dedup": {}}
    for name in ("members_mean", "generated"):
        for one in protocol.measure_both(name, fitted.lists[name], fitted.groups, task):
            values[one.regime][name] = float(one.of("ndcg@10").mean())
    return {regime: max(by_method, key=lambda name: by_method[name]) for regime, by_method in values.items()}


def save_tables(
    run: Run,
    seed: int,
    prepared: Prepared,
    fitted: Fitted,
    final: Fitted,
    evaluation: protocol.Evaluation,
    positions: np.ndarray,
    list_method: dict[str, str],
) -> None:
    """Write every table of the run folder."""
    placed = tables.place_left_out(final.data, final.encoder, final.grouper, final.preference, seed)
    candidates = final.candidates[final.encoder.name]
    frames = {
        "users": tables.users_table(final.data, final.groups, positions, placed),
        "items": tables.items_table(final.data),
        "groups": tables.groups_table(final.data, final.groups, final.preference),
        "group_evaluation": tables.group_evaluation_table(fitted.data, fitted.groups, evaluation.groups, list_method),
        "group_items": tables.group_items_table(final.data, final.groups),
        "group_attributes": tables.group_attributes_table(final.data, final.groups),
        "group_lists": tables.group_lists_table(final.data, final.groups, candidates, final.lists),
        "user_lists": tables.user_lists_table(final.data, candidates, placed),
        "preparation": prepared.report.table(),
        "evaluation": evaluation.rows,
        "comparisons": evaluation.comparisons,
    }
    if final.value_table is not None:
        frames["value_of_groups"] = final.value_table
    for name, frame in frames.items():
        run.save_table(name, frame)
