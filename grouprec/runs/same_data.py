"""Whether a run is of a dataset: told by what is in the files, since folders move and uploads are copies."""

from __future__ import annotations

from pathlib import Path, PurePath

from grouprec.core.types import StorageError
from grouprec.data.library_files import PARTS, KnownDataset
from grouprec.runs.content import digest
from grouprec.runs.run import Run

_SAMPLE = PurePath("sample_data", "online_retail.parquet")


def same_rows(run: Run, dataset: KnownDataset) -> bool:
    """Return whether a run was trained on the interactions of a dataset."""
    return _same_file(run, dataset, "interactions")


def same_files(run: Run, dataset: KnownDataset) -> bool:
    """Return whether a run was trained on the interactions of a dataset and on what else is known there."""
    return all(_same_file(run, dataset, part) for part in PARTS)


def _same_file(run: Run, dataset: KnownDataset, part: str) -> bool:
    known = getattr(dataset, part)
    return _in_its_folder(_path(run, part), dataset, part) or same_content(run, part, known)


def same_content(run: Run, part: str, known: Path | None) -> bool:
    """Return whether a run read what is in a file now, wherever that lies.

    Args:
        part: one of :data:`~grouprec.data.library_files.PARTS`.
        known: the file; None asks whether the run did without.
    """
    used = _path(run, part)
    if not used or known is None:
        return not used and known is None
    if used == str(known):
        return True
    content = _read(run, part, used)
    return bool(content) and content == digest(known)


def _in_its_folder(used: str, dataset: KnownDataset, part: str) -> bool:
    """Return whether a path leads into the folder of a dataset, wherever that was: its name comes from the content."""
    if dataset.is_sample:
        return PurePath(used).parts[-2:] == _SAMPLE.parts
    return PurePath(used).parts[-3:-1] == (dataset.key, part)


def _read(run: Run, part: str, used: str) -> str:
    """Return the SHA-256 of what a run read: as it keeps it, else of the file where that still is; "" if unknown."""
    try:
        kept = run.metrics().get("files", {}).get(part, "")
    except StorageError:
        kept = ""
    return kept or (digest(Path(used)) if Path(used).is_file() else "")


def _path(run: Run, part: str) -> str:
    """Return where a run read a file, "" where it had none."""
    try:
        return str(run.choices().get(part) or "")
    except StorageError:
        return ""
