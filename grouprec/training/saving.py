"""How what one fit learned becomes a run's summary and tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.files import storage, write_json
from grouprec.core.tables import row_at
from grouprec.core.types import Regime
from grouprec.data.beside import matrices
from grouprec.data.library_files import PARTS
from grouprec.data.preparing.prepare import Prepared
from grouprec.data.preparing.pseudonyms import fingerprint
from grouprec.evaluate import protocol
from grouprec.evaluate.describing import calibration_error
from grouprec.evaluate.value import separation
from grouprec.explore import portrait, tables
from grouprec.explore.categories import column_name
from grouprec.explore.remake import count_items
from grouprec.live.beginning import keep_placer
from grouprec.live.groups import count_groups
from grouprec.live.moment import moment
from grouprec.live.replay import Replay
from grouprec.models.blend import Weights
from grouprec.models.fitting import RunOptions, device_title
from grouprec.ranking.rules import drop_owned
from grouprec.runs.config import RunConfig
from grouprec.runs.content import digest
from grouprec.runs.snapshot import FitSnapshot, LeftOutUsers
from grouprec.runs.stages import save_facts
from grouprec.runs.store import Run, RunStore
from grouprec.training.fit import Choices, Evidence, Fitted
from grouprec.training.new_items import NewOnLists


def summarise(
    config: RunConfig,
    device: str,
    prepared: Prepared,
    choices: Choices,
    judged: Fitted,
    final: Fitted,
    evidence: Evidence,
) -> dict[str, Any]:
    """Return the run's summary: what was learned, from what, and what it is worth."""
    data, evaluation = prepared.dataset, evidence.evaluation
    used = {name: weight for name, weight in choices.weights.encoders.items() if weight}
    return {
        "n_users": final.data.n_users,
        "n_items": final.data.n_items,
        "n_interactions": int(final.data.histories.nnz),
        "n_test_users": evaluation.summary["n_test_users"],
        "n_groups": final.groups.n_groups,
        "n_groups_asked": final.maker.asked,
        "n_groups_reason": choices.reason,
        "encoder": " + ".join(sorted(used, key=lambda name: -used[name])) or "popularity",
        "encoders": {name: value for name, value in choices.weights.ndcg.items() if name in choices.encoders},
        "blend": choices.weights.as_dict(),
        "repeats": config.repeats,
        "regime": config.regime,
        "kind_column": column_name(final.kind_column, final.data.item_attributes),
        "preset": config.preset,
        "refit": config.refit,
        "device_title": device_title(device),
        "dataset": config.dataset or data.name,
        "files": {part: digest(path) for part in PARTS if (path := getattr(config, part)) and Path(path).is_file()},
        "split": prepared.split_facts(),
        "time_order": prepared.report.time_order,
        "id_key": fingerprint() if config.preparation.pseudonyms else "",
        "new_users": {"validation": prepared.new_users_validation, "test": prepared.new_users_test},
        "list_method": judged.list_method,
        "decided": {name: values for name, values in choices.decided.items() if values},
        "profile": _describing(evidence.tables),
        "verdict": evidence.verdict,
        "takes": evidence.takes,
        "generator": judged.generator.report(judged.groups, judged.profile),
        "versions": {name: version(name) for name in ("grouprec-studio", "torch", "scikit-learn", "numpy", "pandas")},
        "clusters": asdict(separation(final.preference.space, final.groups.labels, config.seed)),
        "headline": headline(evaluation, judged.list_method),
    }


def _describing(found: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Return what describing users costs (nats per interaction, by method), and the profile's calibration error."""
    costs = found["reconstruction"].set_index("method")["value"]
    return {
        **{f"nll_{method}": float(value) for method, value in costs.items()},
        "calibration_error": calibration_error(found["calibration"]),
    }


def headline(evaluation: protocol.Evaluation, list_method: Mapping[Regime, str]) -> dict[str, float]:
    """Return the share of the possible gain that the exported lists keep, nDCG@10, by regime."""
    rows = evaluation.rows[evaluation.rows["metric"] == "ndcg@10"].set_index(["method", "regime"])
    return {
        f"{regime}_share_of_gain": float(row_at(rows, (method, regime))["share_of_gain"])
        for regime, method in list_method.items()
    }


def save_tables(
    run: Run,
    config: RunConfig,
    prepared: Prepared,
    choices: Choices,
    judged: Fitted,
    final: Fitted,
    evidence: Evidence,
    positions: np.ndarray,
    placed: tables.Placed | None,
    new: NewOnLists,
) -> None:
    """Write every table of the run folder."""
    held_out = _held_out(config, prepared, judged, final)
    personal = final.candidates if held_out is None else drop_owned(final.candidates, held_out)
    evaluation = evidence.evaluation
    by_group = tables.group_evaluation_table(judged.names, evaluation.groups, judged.list_method)
    frames = {
        "users": tables.users_table(final.data, final.groups, positions, placed),
        "items": tables.items_table(final.data),
        "groups": tables.groups_table(final.data, final.groups, final.names, final.preference),
        "group_evaluation": by_group,
        "group_methods": evaluation.groups.assign(group=evaluation.groups["group"] + 1),
        "group_items": tables.group_items_table(final.data, final.groups),
        "group_attributes": tables.group_attributes_table(final.data, final.groups),
        **_portray(final, final.list_method["strict"]),
        "group_lists": tables.group_lists_table(final.data, final.groups, final.candidates, final.lists),
        "user_lists": tables.user_lists_table(final.data, personal, placed, new.personal, config.rules.new_items),
        "held_out": tables.held_out_table(prepared.dataset),
        "preparation": prepared.report.table(),
        "evaluation": evaluation.rows,
        **evidence.tables,
    }
    if new.table is not None:
        slots, method = config.rules.new_items, final.list_method
        frames["group_lists"] = tables.lists_with_new_items(frames["group_lists"], new.table, slots, method)
        frames["new_items"] = new.table
    if (rules := tables.group_rules_table(final.grouper.rules())) is not None:
        frames["group_rules"] = rules
    if choices.tried is not None:
        frames["choice_of_groups"] = choices.tried
    for name, frame in frames.items():
        run.save_table(name, frame)


def _held_out(config: RunConfig, prepared: Prepared, judged: Fitted, final: Fitted) -> sparse.csr_array | None:
    """Return what users took in the test part, CSR [U, I], where the exported fit does not know it; else None.

    It is theirs by the file, so it is on no list of their own, unless items may be listed again.
    """
    if final is not judged or config.repeats or not len(prepared.dataset.test):
        return None
    return prepared.dataset.test.matrix(final.data.shape)


def save_live(
    run: Run,
    config: RunConfig,
    prepared: Prepared,
    choices: Choices,
    judged: Fitted,
    final: Fitted,
    placed: tables.Placed | None,
) -> None:
    """Write where streams of events start: the exported fit, the judged one beside it where it is another."""
    fits = {"judged": judged, "final": final}
    stages = {name: {**fit.stages, "encoders": fit.encoded.named_keys} for name, fit in fits.items()}
    write_json(run.fitted, stages)
    for name, fit in fits.items():
        if name == "final" or fit is not final:
            with storage(run.path):
                run.live.mkdir(exist_ok=True)
            held_out = _held_out(config, prepared, judged, fit) if fit is final else None
            aside = placed if fit is final else None
            base = live_base(fit, choices.live_weight, config, held_out, aside)
            base.save(run.snapshot(name), {**count_groups(base), **count_items(base)})
            keep_placer(run, name, fit.placer)  # else the first visit to Updates would learn it once more
    save_facts(final.encoded.items, run.item_facts)


def save_moment(store: RunStore, run: Run, prepared: Prepared) -> None:
    """Write a moment when a list moved, where there is a test part to replay."""
    if len(prepared.dataset.test):
        run.save_table("live_moment", moment(Replay.of(store, run)))


def live_base(
    fit: Fitted,
    weight: float,
    config: RunConfig,
    held_out: sparse.csr_array | None = None,
    placed: tables.Placed | None = None,
) -> FitSnapshot:
    """Return what a fit knows of its users, beside what it does not know but is theirs, and of those it left out."""
    data = fit.data
    asked = any(encoder.asks_for_recent for encoder in fit.encoded.encoders.values())
    return FitSnapshot(
        user_ids=data.user_ids,
        item_ids=data.item_ids,
        item_labels=data.item_labels,
        histories=data.histories,
        candidates=fit.candidates,
        labels=fit.groups.labels,
        n_groups=fit.groups.n_groups,
        states=fit.states,
        last_times=data.last_times(),
        components=fit.preference.components,
        weight=weight,
        repeats=config.repeats,
        seed=config.seed,
        excluded=fit.excluded if fit.excluded.any() else None,
        held_out=held_out,
        recent=data.recent() if asked else None,
        beside=matrices(data.known_of_users),
        left_out=None if placed is None else _left_out(fit, placed, config.seed),
    )


def _left_out(fit: Fitted, placed: tables.Placed, seed: int) -> LeftOutUsers | None:
    """Return what a stream needs of the users that the preparation left out of training."""
    theirs = fit.data.of_left_out()
    if theirs is None:
        return None
    return LeftOutUsers(
        theirs.user_ids,
        theirs.histories,
        placed.candidates,
        placed.labels,
        fit.updater.start(theirs, RunOptions(seed)),
        theirs.last_times(),
    )


def _portray(final: Fitted, method: str) -> dict[str, pd.DataFrame]:
    """Return what the groups are like, with the strict lists of a method."""
    distances = final.grouper.distances(final.preference, final.data.histories, final.data.user_attributes)
    latents, strict = final.profile.latents(), final.lists[method].strict
    return portrait.tables(final.data, final.groups, latents, distances, final.preference, strict)


def place_left_out(final: Fitted, weights: Weights) -> tables.Placed | None:
    """Return groups and candidates of the users that the preparation left out of training, None if there are none."""
    left_out = final.data.left_out
    if left_out is None or not len(left_out.user_ids):
        return None
    known = final.data.known_of_left_out()
    candidates = final.predict(weights, left_out.histories, known)
    labels = final.place(candidates, left_out.histories, known)
    return tables.Placed(left_out.user_ids, labels, candidates, np.diff(left_out.histories.indptr))
