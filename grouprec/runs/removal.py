"""A run's files without some of its users: what each of them holds of a user, and what is left of it.

New contents are given to :class:`~grouprec.core.changes.Changes`; nothing of the run changes here. What was measured
with them (averages, shares, what models learned) stays: it is of all people together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from grouprec.core.changes import Changes
from grouprec.core.files import read_json
from grouprec.core.forms import write_form
from grouprec.core.types import Candidates
from grouprec.models.base import REGISTRIES
from grouprec.runs import content, schemas
from grouprec.runs.places import FITTED
from grouprec.runs.run import Run
from grouprec.runs.snapshot import FitSnapshot, LeftOutUsers

SIZED = {"final": ("groups",), "judged": ("group_evaluation", "group_methods", "left_behind")}  # tables by whose groups


@dataclass(frozen=True, eq=False)
class Fit:
    """One fit of a run, and whom it keeps.

    Attributes:
        base: what it knows of its users.
        kept: bool [U].
        kept_aside: bool [V], of its users who were left out; [0] where there are none.
        stages: the keys of its stages.
    """

    base: FitSnapshot
    kept: np.ndarray
    kept_aside: np.ndarray
    stages: tuple[str, ...]

    @property
    def changes(self) -> bool:
        return not (self.kept.all() and self.kept_aside.all())

    def left(self) -> dict[int, int]:
        """Return how many members every group loses, by its number from 1."""
        return _counts(self.base.labels[~self.kept] + 1)


def fits_of(run: Run, users: Iterable[str]) -> dict[str, Fit]:
    """Return the fits of a finished run by name, "final" and, where the run exports another one, "judged".

    Raises:
        StorageError: what the run knows of its users, or the names of its stages, are damaged.
    """
    gone, fits = list(users), {}
    named = read_json(run.file(FITTED)) if run.has(FITTED) else None
    for name in ("final", "judged"):
        if not run.has(f"live/{name}.safetensors"):
            continue
        base = FitSnapshot.load(run.file(f"live/{name}.safetensors"))
        aside = np.empty(0, object) if base.left_out is None else base.left_out.user_ids
        keys = keys_of(named, name)
        fits[name] = Fit(base, ~np.isin(base.user_ids, gone), ~np.isin(aside, gone), keys)
    return fits


def keys_of(named: object, fit: str) -> tuple[str, ...]:
    """Return the keys of the stages of a fit, of what ``fitted.json`` holds."""
    stages = named.get(fit) if isinstance(named, dict) else None
    if not isinstance(stages, dict):
        return ()
    single = [pair[1] for kind, pair in stages.items() if kind != "encoders"]
    return (*single, *dict(stages.get("encoders") or {}).values())


def has_users(run: Run, users: Iterable[str]) -> bool:
    """Return whether a finished run's list of users names one of them."""
    return bool(run.table("users")["user"].isin(list(users)).any())


# -- snapshots


def change_snapshots(run: Run, fits: Mapping[str, Fit], changes: Changes) -> None:
    for name, fit in fits.items():
        if fit.changes:
            snapshot_without(fit).save(changes.new(run.snapshot(name)))


def snapshot_without(fit: Fit) -> FitSnapshot:
    """Return what a fit knows of those whom it keeps."""
    base, rows = fit.base, np.flatnonzero(fit.kept)
    return replace(
        base,
        user_ids=base.user_ids[rows],
        histories=base.histories[rows],
        candidates=_candidates(base.candidates, rows),
        labels=base.labels[rows],
        states=base.states[rows],
        last_times=base.last_times[rows],
        held_out=None if base.held_out is None else base.held_out[rows],
        recent=None if base.recent is None else base.recent[rows],
        beside={name: matrix[rows] for name, matrix in base.beside.items()},
        left_out=None if base.left_out is None else _aside(base.left_out, np.flatnonzero(fit.kept_aside)),
    )


def _aside(aside: LeftOutUsers, rows: np.ndarray) -> LeftOutUsers | None:
    if not len(rows):
        return None
    return LeftOutUsers(
        aside.user_ids[rows],
        aside.histories[rows],
        _candidates(aside.candidates, rows),
        aside.labels[rows],
        aside.states[rows],
        aside.last_times[rows],
    )


def _candidates(candidates: Candidates, rows: np.ndarray) -> Candidates:
    return replace(candidates, items=candidates.items[rows], scores=candidates.scores[rows])


# -- stages


def change_stages(run: Run, fits: Iterable[Fit], changes: Changes) -> list[str]:
    """Take users out of the stages in a run's folder that belong to these fits, its own or another run's.

    Returns:
        the names of stages that should hold them but cannot be read.
    """
    kept = {key: fit.kept for fit in fits if not fit.kept.all() for key in fit.stages}
    unread = []
    for record_path in sorted((run.path / "stages").glob("*.json")):
        record = read_json(record_path)
        key = record.get("key") if isinstance(record, dict) else None
        if key not in kept:
            continue
        found = content.read_stage(run.path, record_path)
        if found is None:
            unread.append(record_path.name)
            continue
        stage = REGISTRIES[found[0]["kind"]].get(found[0]["name"])
        if (arrays := stage.keep_users(found[1], kept[key])) is not None:
            _write_stage(record_path, found[0], arrays, changes)
    return unread


def _write_stage(record_path: Path, record: dict, arrays: dict[str, np.ndarray], changes: Changes) -> None:
    path = record_path.with_suffix(".safetensors")
    new = changes.new(path)
    content.save_arrays(new, arrays)
    form = {**record, "format": content.STAGE_VERSION, "arrays": content.digest(new)}
    write_form(changes.new(record_path), form)


def remove_caches(run: Run, needed: frozenset[str], changes: Changes) -> None:
    """Remove the stages of a run that no fit names: they only spare time, and may hold anybody."""
    for record_path in (run.path / "stages").glob("*.json"):
        record = read_json(record_path)
        if not isinstance(record, dict) or record.get("key") not in needed:
            changes.remove(record_path)
            changes.remove(record_path.with_suffix(".safetensors"))


# -- tables


def change_tables(run: Run, users: Iterable[str], fits: Mapping[str, Fit], changes: Changes) -> None:
    """Take users out of the tables of a finished run that have a row for them, and of the sizes of their groups.

    Raises:
        StorageError: a table is damaged.
    """
    gone, before = list(users), run.table("users")
    trained = before["in_training"].to_numpy(bool)
    kept = ~before["user"].isin(gone).to_numpy()
    for name in (name[7:-8] for name in run.names() if name.startswith("tables/")):
        if "user" in pq.read_schema(run.table_file(name)).names:
            table = run.table(name)
            write_table(run, name, table[~table["user"].isin(gone)], changes)
    if not kept[trained].all():
        left = _counts(before.loc[trained & ~kept, "group"])
        _change_sizes(run, SIZED["final"], left, changes)
        _change_what_if(run, kept[trained], changes)
    judged = fits.get("judged") or fits.get("final")
    if judged is not None:
        _change_sizes(run, SIZED["judged"], judged.left(), changes)


def _change_sizes(run: Run, names: Iterable[str], left: Mapping[int, int], changes: Changes) -> None:
    for name in names:
        if left and run.has_table(name):
            table = run.table(name)
            table["size"] -= table["group"].map(left).fillna(0).astype(table["size"].dtype)
            if name == "groups":
                table["share"] = table["size"] / max(table["size"].sum(), 1)
            write_table(run, name, table, changes)


def _change_what_if(run: Run, kept: np.ndarray, changes: Changes) -> None:
    if not run.has_table("what_if_labels"):
        return
    labels = run.table("what_if_labels")
    write_table(run, "what_if_labels", labels[kept], changes)
    sizes = run.table("what_if_groups")
    for number in labels:
        left = _counts(labels[number][~kept])
        rows = sizes["n_groups"].astype(str) == str(number)
        sizes.loc[rows, "size"] -= sizes.loc[rows, "group"].map(left).fillna(0).astype(np.int64)
    write_table(run, "what_if_groups", sizes, changes)


def _counts(groups: np.ndarray | pd.Series) -> dict[int, int]:
    numbers, counts = np.unique(groups, return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def write_table(run: Run, name: str, table: pd.DataFrame, changes: Changes) -> None:
    """Write what a table is to hold."""
    frame = schemas.named(name).checked(table.reset_index(drop=True))
    frame.to_parquet(changes.new(run.path / "tables" / f"{name}.parquet"), index=False)
