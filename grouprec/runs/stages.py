"""The stages of a finished run, read back: which ones a fit has stands in the run's ``fitted.json``."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file

import grouprec.models.menu  # noqa: F401  # fills the registries
from grouprec.core.files import read_json, told
from grouprec.core.types import StorageError
from grouprec.models.base import REGISTRIES, Encoder
from grouprec.models.blend import ItemFacts
from grouprec.runs.content import read_stage, save_arrays
from grouprec.runs.places import FITTED
from grouprec.runs.store import Run, RunStore


def load_stage(store: RunStore, run: Run, kind: str, fit: str = "final") -> Any:
    """Return a stage of a run as it was fitted, with the settings that it was fitted with.

    Args:
        store: where other runs are, from which the run may have taken the stage.
        kind: "grouper", "updater", ...
        fit: "final" (what is exported) or "judged" (what the test part judged).
    Raises:
        StorageError: the run is older than this file, or the stage is gone.
    """
    name, key = _stages(run, fit).get(kind, ("", ""))
    return _load(store, run, kind, name, key)


def load_encoders(store: RunStore, run: Run) -> dict[str, Encoder]:
    """Return the encoders of a run's final fit by name; arguments and errors as :func:`load_stage`."""
    keys = _stages(run, "final").get("encoders", {})
    return {name: _load(store, run, "encoder", name, key) for name, key in keys.items()}


def _stages(run: Run, fit: str) -> dict[str, Any]:
    """Return what a run says of its stages: name and key by kind, and the encoders' keys by name."""
    found = read_json(run.file(FITTED))
    return (found.get(fit) or {}) if isinstance(found, dict) else {}


def _load(store: RunStore, run: Run, kind: str, name: str, key: str) -> Any:
    """Read one stage back, from the run or from another that has the same key."""
    record = f"stages/{kind}.{name}.{key[:12]}.json"
    for one in [run, *store.all_runs()] if key else []:
        found = read_stage(one.path, one.path / record)
        if found is None or found[0].get("key") != key:
            continue
        stage = REGISTRIES[kind].get(name)
        with contextlib.suppress(KeyError, RuntimeError, ValidationError):  # made by another version
            return stage(stage.Config(**found[0]["settings"])).load(found[1])
    if key:
        for file in (record, str(Path(record).with_suffix(".safetensors"))):
            run.file(file)  # says so where it is damaged
    raise StorageError(f"The run {run.run_id} has no readable {kind} to continue from; train it again.")


def save_facts(facts: ItemFacts, path: Path) -> None:
    """Write what is known of items, for the reasons of recommendations."""
    trends = {f"trend.{half_life}": values for half_life, values in facts.log_trends.items()}
    seasons = {f"season.{days}": values for days, values in facts.log_seasons.items()}
    known = {"log_users": facts.log_users, "log_popularity": facts.log_popularity}
    save_arrays(path, {**known, **trends, **seasons})


def load_facts(path: Path) -> ItemFacts:
    """Read what :func:`save_facts` wrote.

    Raises:
        StorageError: the file is missing or damaged.
    """
    try:
        arrays = load_file(path)
    except (OSError, SafetensorError) as error:
        raise StorageError(f"Cannot read {told(path)}; train the run again.") from error
    trends, seasons = (
        {float(name.removeprefix(kind)): values for name, values in arrays.items() if name.startswith(kind)}
        for kind in ("trend.", "season.")
    )
    return ItemFacts(arrays["log_users"], arrays["log_popularity"], trends, log_seasons=seasons)
