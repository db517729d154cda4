"""The run folder on disk (design section 4): one folder a run, data only, complete when its manifest is there.

``<runs>/<run_id>/``
    config.json      everything needed to repeat the run
    status.json      one state, the current stage, a fraction, seconds left; replaced atomically
    owner.json       whose it is, where people sign in
    notes.json       what people wrote about the run: a note, tags, a new title
    approvals.json   which number of lists people approved, when
    links.json       to whom it was shown as it was at a moment; what each link shows lies in links/
    published.json   which sizes of groups were told, where they are told with noise
    events.jsonl     one line per epoch, stage end and note
    log.txt          what the process printed
    stages/          what every stage learned: <kind>.<name>.safetensors + .json (settings, key)
    tables/          what people read: Parquet, groups numbered from 1
    metrics.json     the summary of the evaluation
    manifest.json    file names and SHA-256, written last: no whole manifest, not finished
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from grouprec.core import rights, trash, usage
from grouprec.core.errors import StorageError
from grouprec.core.files import incoming, read_json, storage, write_json
from grouprec.core.forms import DamagedError
from grouprec.core.processes import identity
from grouprec.core.rights import Deed
from grouprec.runs import content
from grouprec.runs.notes import MOST_NOTE, MOST_TAG, MOST_TAGS, Notes
from grouprec.runs.run import Run
from grouprec.runs.status import FINISHED, RESUMABLE, State, Status, begin_status

if TYPE_CHECKING:  # the configuration knows the stages, and so torch; a command that lists runs does without numpy, too
    import numpy as np

    from grouprec.runs.config import RunConfig

__all__ = [
    "FINISHED",
    "MOST_NOTE",
    "MOST_TAG",
    "MOST_TAGS",
    "RESUMABLE",
    "Notes",
    "Run",
    "RunStore",
    "State",
    "Status",
    "default_root",
]


class RunStore:
    """All runs under one folder, newest first."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = Path(root) if root else default_root()

    def runs(self) -> list[Run]:
        """Return the runs that the person acting may see, also damaged ones."""
        return [run for run in self.all_runs() if rights.may(Deed.SEE, run.path)]

    def all_runs(self) -> list[Run]:
        """Return all runs, whoever asks: for the queue, and for what runs share among themselves.

        A folder is one where it has any of the files that say so.
        """
        try:
            folders = [path for path in self.root.iterdir() if not path.name.startswith(".") and _is_run(path)]
        except OSError:
            return []
        return [Run(path) for path in sorted(folders, key=lambda path: path.name, reverse=True)]

    def get(self, run_id: str) -> Run:
        """Return a run by its id or an unambiguous beginning of it; "last" is the newest finished one,
        also where it is damaged: nobody shall take another for it.

        Raises:
            StorageError: there is no such run, or several.
        """
        runs = self.runs()
        if run_id == "last":
            done = [run for run in runs if run.finished or run.status().state is State.DAMAGED]
            if not done:
                raise StorageError("There is no finished run in the runs folder; train one first.")
            return _used(done[0])
        matches = [run for run in runs if run.run_id == run_id] or [r for r in runs if r.run_id.startswith(run_id)]
        if len(matches) != 1 or not run_id:
            what = "no run" if not matches else f"{len(matches)} runs"
            raise StorageError(f"There is {what} called '{run_id[:100]}' in the runs folder; see `grouprec list`.")
        return _used(matches[0])

    def create(self, config: RunConfig, place: float | None = None) -> Run:
        """Make a run folder in state queued.

        Args:
            place: in the queue; None where the caller trains the run itself.
        Raises:
            RightsError: the person acting may not train, or not on this data.
            StorageError: the runs folder cannot be written.
        """
        rights.require(Deed.ADD, "train")
        for folder in self._read_by(config):
            rights.require(Deed.SEE, "train on", folder)
            usage.use(folder)
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        run = Run(self.root / f"{stamp}-{secrets.token_hex(2)}")
        mine = {"pid": os.getpid(), "process": identity(os.getpid()) or ""}
        with incoming(self.root) as folder:  # nobody is to see half a run
            with storage(folder):
                folder.mkdir()
            rights.give_to_maker(folder)
            write_json(folder / "config.json", config.model_dump(mode="json"))
            begin_status(folder, Status(created=time.time(), place=place, **(mine if place is None else {})))
            with storage(run.path):
                folder.rename(run.path)
        return run

    def _read_by(self, config: RunConfig) -> set[Path]:
        """Return the folders of datasets, and of the run whose feedback counts, that a configuration reads."""
        feedback = {self.root / config.feedback} if config.feedback else set()
        return self.datasets_of(config.files) | feedback

    def datasets_of(self, files: Iterable[Path | None]) -> set[Path]:
        """Return the folders of the datasets of this store that some files belong to."""
        library = self.root / "datasets"
        inside = [file.relative_to(library) for file in files if file is not None and file.is_relative_to(library)]
        return {library / one.parts[0] for one in inside}

    def delete(self, run: Run) -> None:
        """Put a run in the trash; stages that others read back from it go to one of them, too.

        Raises:
            RightsError: it is not theirs who acts.
            StorageError: the runs folder cannot be written.
        """
        rights.require(Deed.MANAGE, "delete", run.path)
        with storage(run.path):
            self._hand_over(run)
        trash.put(self.root, run.path)

    def _hand_over(self, run: Run) -> None:
        """Give every stage that only this run has, and another one's results rest on, to that one."""
        others = [one for one in self.all_runs() if one.run_id != run.run_id and _readable(one)]
        needed = {one: json.dumps(read_json(one.fitted)) for one in others}
        for record in (run.path / "stages").glob("*.json"):
            found = read_json(record)
            key = found.get("key") if isinstance(found, dict) else None
            heir = next((one for one, keys in needed.items() if key and f'"{key}"' in keys), None)
            if heir is None or any((one.path / "stages" / record.name).exists() for one in others):
                continue
            (heir.path / "stages").mkdir(exist_ok=True)
            parts = (record.with_suffix(".safetensors"), record)  # the record, last, makes it valid
            for part in parts:
                shutil.copy2(part, heir.path / "stages" / part.name)
            with contextlib.suppress(DamagedError):
                content.add_to_manifest(heir.path, [f"stages/{part.name}" for part in parts])

    def find_stage(self, key: str, first: Run) -> tuple[dict[str, np.ndarray], Any] | None:
        """Return arrays and meta of a stage with that key, from the given run or another that its owner may see."""
        for run in [first, *self.all_runs()]:
            if not (_readable(run) and rights.may_build_on(run.path, first.path)):
                continue
            for path in (run.path / "stages").glob(f"*.{glob.escape(key[:12])}.json"):
                found = content.read_stage(run.path, path)
                if found is not None and found[0].get("key") == key:
                    return found[1], found[0]["meta"]
        return None


def _used(run: Run) -> Run:
    """Note that somebody asked for a run by its name, and return it."""
    usage.use(run.path)
    return run


def _is_run(folder: Path) -> bool:
    """Return whether a folder is a run; one that nobody may look into is, so that it is told and hides no other."""
    try:
        return any((folder / name).is_file() for name in ("config.json", "status.json", content.MANIFEST))
    except OSError:
        return True


def _readable(run: Run) -> bool:
    """Return whether this process may look into the folder of a run, which is no link to another place."""
    return not run.path.is_symlink() and os.access(run.path, os.R_OK | os.X_OK)


def default_root() -> Path:
    """Return ``$GROUPREC_RUNS``, else a folder in the user's data directory."""
    given = os.environ.get("GROUPREC_RUNS")
    return Path(given) if given else Path(platformdirs.user_data_dir("grouprec", appauthor=False)) / "runs"
