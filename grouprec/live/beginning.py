"""Where streams of events start: what a fit knows of its users, and the classifier of those without history."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from grouprec.core.files import storage
from grouprec.core.types import StorageError
from grouprec.live.state import LiveState
from grouprec.models.placement import AttributePlacer
from grouprec.runs import schemas
from grouprec.runs.content import load_sealed_arrays, save_sealed_arrays
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.stages import load_stage
from grouprec.runs.store import Run, RunStore

PLACER = "placer.safetensors"


def start(store: RunStore, run: Run, fit: str = "final", folder: Path | None = None) -> tuple[FitSnapshot, LiveState]:
    """Return where a stream starts, and the state before any event.

    Args:
        fit: as in :meth:`Stream.open`; a run that exports what it judged has one fit only.
        folder: where the classifier of users without history is kept; that of the stream's ledger where None.
    Raises:
        StorageError: the run has nothing to start from.
    """
    fit = fit if run.has(f"live/{fit}.safetensors") else "final"
    if not run.has_snapshot:
        raise StorageError(
            f"The run {run.run_id} has nothing to send events to (final.safetensors is missing); train it again."
        )
    base, config = FitSnapshot.load(run.file(f"live/{fit}.safetensors")), run.config()
    folder = folder or folder_of(run, fit)
    users = run.table("users").set_index("user", drop=False).reindex(base.user_ids)
    attributes = schemas.named("users").attributes(users).reset_index(drop=True)
    updater, grouper = (load_stage(store, run, kind, fit) for kind in ("updater", "grouper"))
    placer = None
    if not grouper.reads_attributes:
        placer = _placer(folder / PLACER, attributes, base.labels, config.seed)
    return base, LiveState(base, updater, grouper, attributes, placer)


def keep_placer(run: Run, fit: str, placer: AttributePlacer) -> None:
    """Write the classifier of users without history where a stream of a fit looks for it."""
    path = folder_of(run, fit) / PLACER
    with storage(path):
        path.parent.mkdir(exist_ok=True)
    save_sealed_arrays(path, placer.arrays())


def folder_of(run: Run, fit: str) -> Path:
    """Return where what belongs to the streams of a fit is kept."""
    return run.live / ("" if fit == "final" else fit)


def _placer(path: Path, attributes: pd.DataFrame, labels: np.ndarray, seed: int) -> AttributePlacer | None:
    """Return the classifier of users without history, None where it does not help; learned once, then read back."""
    arrays = load_sealed_arrays(path)
    if arrays is not None:
        placer = AttributePlacer().load(arrays)
    else:
        placer = AttributePlacer().fit(attributes, labels, seed)
        with storage(path):
            path.parent.mkdir(exist_ok=True)
        save_sealed_arrays(path, placer.arrays())
    return placer if placer.helps else None
