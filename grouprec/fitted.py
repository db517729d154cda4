"""The stages of a finished run, read back: which ones a fit has stands in the run's ``fitted.json``."""

from __future__ import annotations

from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load_file

import grouprec.stages  # noqa: F401  # fills the registries
from grouprec.contracts import REGISTRIES
from grouprec.runs import Run, RunStore, read_json
from grouprec.types import StorageError


def load_stage(store: RunStore, run: Run, kind: str, fit: str = "final") -> Any:
    """Return a stage of a run as it was fitted, with the settings that it was fitted with.

    Args:
        store: where other runs are, from which the run may have taken the stage.
        kind: "grouper", "updater", ...
        fit: "final" (what is exported) or "judged" (what the test part judged).
    Raises:
        StorageError: the run is older than this file, or the stage is gone.
    """
    name, key = ((read_json(run.path / "fitted.json") or {}).get(fit) or {}).get(kind, ("", ""))
    for one in [run, *store.runs()] if key else []:
        path = one.path / "stages" / f"{kind}.{name}.{key[:12]}.json"
        record = read_json(path)
        if not record or record["key"] != key:
            continue
        try:
            arrays = load_file(path.with_suffix(".safetensors"))
        except (OSError, SafetensorError):
            continue
        stage = REGISTRIES[kind].get(name)
        return stage(stage.Config(**record["settings"])).load(arrays)
    raise StorageError(f"The run {run.run_id} has no readable {kind} to continue from; train it again.")
