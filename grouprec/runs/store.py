"""The run folder on disk (design section 4): one folder a run, data only, complete when its manifest is there.

``<runs>/<run_id>/``
    config.json      everything needed to repeat the run
    status.json      one state, the current stage, a fraction, seconds left; replaced atomically
    notes.json       what people wrote about the run: a note and tags
    events.jsonl     one line per epoch, stage end and note
    log.txt          what the process printed
    stages/          what every stage learned: <kind>.<name>.safetensors + .json (settings, key)
    tables/          what people read: Parquet, groups numbered from 1
    metrics.json     the summary of the evaluation
    manifest.json    file names and SHA-256, written last: no manifest, not finished
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import platformdirs
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from grouprec.core.files import plain, read_json, storage, write_json
from grouprec.core.types import StorageError
from grouprec.runs import schemas

if TYPE_CHECKING:  # the configuration knows the stages, and so torch: pages that only read runs do without
    from grouprec.runs.config import RunConfig


class State(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"  # it waits for its turn, or its process has not spoken yet
    RUNNING = "running"
    DONE = "done"  # the manifest is written
    FAILED = "failed"  # the process ended with an error; `message` says which
    CANCELLED = "cancelled"  # the user stopped it
    LOST = "lost"  # the process is gone without a word (killed, machine restarted)


FINISHED = frozenset({State.DONE, State.FAILED, State.CANCELLED, State.LOST})
RESUMABLE = frozenset({State.QUEUED, State.FAILED, State.CANCELLED, State.LOST})


@dataclass(frozen=True)
class Status:
    """One moment of a run. ``fraction`` is of the whole run, ``stage_fraction`` of the current stage.

    ``place`` orders the queue, the lowest first; None once the run has had its turn.
    """

    state: State = State.QUEUED
    stage: str = ""
    stage_fraction: float = 0.0
    fraction: float = 0.0
    seconds_left: float | None = None
    message: str = ""
    pid: int | None = None
    pid_started: float | None = None
    created: float = 0.0
    started: float | None = None
    ended: float | None = None
    place: float | None = None

    @property
    def waiting(self) -> bool:
        """Whether the run waits for its turn: no process has been started for it."""
        return self.state is State.QUEUED and self.place is not None


@dataclass(frozen=True)
class Notes:
    """What people wrote about a run."""

    note: str = ""
    tags: tuple[str, ...] = ()


class Run:
    """One run folder. Reading never raises for missing files; writing raises StorageError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run_id = path.name

    # -- where things lie

    @property
    def live(self) -> Path:
        """Return the folder that streams of events start from and live in."""
        return self.path / "live"

    def snapshot(self, fit: str = "final") -> Path:
        """Return the file of what a fit ("final", which is exported, or "judged") knows of its users."""
        return self.live / f"{fit}.safetensors"

    @property
    def has_snapshot(self) -> bool:
        """Whether the run keeps what its users are predicted to want; the oldest ones do not."""
        return self.snapshot().exists()

    @property
    def item_facts(self) -> Path:
        """Return the file of what the final fit knows of items."""
        return self.live / "final.items.safetensors"

    @property
    def ledger(self) -> Path:
        """Return the file of all events that were sent to the run."""
        return self.live / LEDGER

    @property
    def fitted(self) -> Path:
        """Return the file that names the stages of every fit."""
        return self.path / "fitted.json"

    # -- reading

    def config(self) -> RunConfig:
        """Return the run's configuration.

        Raises:
            StorageError: it is missing or damaged.
        """
        value = read_json(self.path / "config.json")
        if value is None:
            raise StorageError(f"The run {self.run_id} has no readable config.json; delete it and train again.")
        from grouprec.runs.config import RunConfig

        try:
            return RunConfig(**value)
        except ValidationError as error:
            sentence = f"The run {self.run_id} was made by another version of grouprec; train it again."
            raise StorageError(sentence) from error

    def trained_as(self, config: RunConfig) -> bool:
        """Return whether the run was made with the same choices; its title does not count."""
        mine, other = read_json(self.path / "config.json") or {}, config.model_dump(mode="json")
        return {**mine, "title": ""} == {**other, "title": ""}

    def status(self) -> Status:
        value = read_json(self.path / "status.json") or {}
        return Status(**{**value, "state": State(value.get("state", State.LOST))})

    def notes(self) -> Notes:
        """Return what people wrote about the run; nothing where that is missing or damaged."""
        value = read_json(self.path / "notes.json")
        if not isinstance(value, dict) or not isinstance(value.get("tags", []), list):
            return Notes()
        return Notes(str(value.get("note", "")), tuple(map(str, value.get("tags", []))))

    def events(self) -> list[dict[str, Any]]:
        """Return the events so far; a line cut short by a crash is skipped."""
        try:
            lines = (self.path / "events.jsonl").read_text(encoding="utf-8").splitlines()
        except OSError:
            return []
        events = []
        for line in lines:
            with contextlib.suppress(ValueError):
                events.append(json.loads(line))
        return events

    def log(self, last: int = 200) -> str:
        """Return the last lines of the log."""
        try:
            text = (self.path / "log.txt").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join(text.splitlines()[-last:])

    def metrics(self) -> dict[str, Any]:
        return read_json(self.path / "metrics.json") or {}

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the finished run.

        Raises:
            StorageError: the run has no such table.
        """
        path = self.path / "tables" / f"{name}.parquet"
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise StorageError(f"The run {self.run_id} has no readable table '{name}'; train it again.") from error

    @property
    def finished(self) -> bool:
        """Whether the manifest, written last, is there."""
        return (self.path / "manifest.json").exists()

    def title(self) -> str:
        """Return what people call the run."""
        value = read_json(self.path / "config.json") or {}
        return value.get("title") or self.run_id

    def damaged(self) -> list[str]:
        """Return the files whose content no longer matches the manifest."""
        manifest = read_json(self.path / "manifest.json") or {}
        return [name for name, digest in manifest.get("files", {}).items() if _digest(self.path / name) != digest]

    # -- writing

    def set_status(self, **changes: Any) -> Status:
        """Replace the status with the given fields changed."""
        status = replace(self.status(), **changes)
        write_json(self.path / "status.json", asdict(status))
        return status

    def add_event(self, **values: Any) -> None:
        line = json.dumps({"time": round(time.time(), 3), **values}, default=plain)
        self._append("events.jsonl", line)

    def add_log(self, text: str) -> None:
        self._append("log.txt", f"{datetime.now(UTC):%H:%M:%S} {text}")

    def _append(self, name: str, line: str) -> None:
        path = self.path / name
        with storage(path), path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def save_table(self, name: str, frame: pd.DataFrame) -> None:
        """Write a table of the run.

        Raises:
            SchemaError: it is not what :mod:`grouprec.runs.schemas` says of it.
            StorageError: it cannot be written.
        """
        frame = schemas.named(name).checked(frame)
        path = self.path / "tables" / f"{name}.parquet"
        with storage(path):
            path.parent.mkdir(exist_ok=True)
            frame.to_parquet(path, index=False)

    def save_metrics(self, metrics: Mapping[str, Any]) -> None:
        write_json(self.path / "metrics.json", metrics)

    def rename(self, title: str) -> None:
        """Change what people call the run; the folder keeps its name."""
        config = self.config().model_copy(update={"title": title.strip()[:120]})
        write_json(self.path / "config.json", config.model_dump(mode="json"))

    def annotate(self, note: str, tags: Iterable[str]) -> Notes:
        """Keep a note and tags with the run; tags that differ in case only count once, empty ones not at all."""
        cleaned = (" ".join(tag.split())[:MOST_TAG] for tag in tags)
        once = {tag.casefold(): tag for tag in cleaned if tag}
        notes = Notes(note.strip()[:MOST_NOTE], tuple(once.values())[:MOST_TAGS])
        write_json(self.path / "notes.json", asdict(notes))
        return notes

    def save_stage(
        self, key: str, kind: str, name: str, settings: Any, arrays: dict[str, np.ndarray], meta: Any
    ) -> None:
        """Save what a stage learned under the key of what it depends on; the JSON, written last, makes it valid.

        The key is part of the file's name: a run fits the same encoder several times, on more and more of the data.
        """
        path = self.path / "stages" / f"{kind}.{name}.{key[:12]}.safetensors"
        with storage(path):
            path.parent.mkdir(exist_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)
            save_file({part: np.ascontiguousarray(value) for part, value in arrays.items()}, path)
        record = {"format": 1, "key": key, "kind": kind, "name": name, "settings": settings, "meta": meta}
        write_json(path.with_suffix(".json"), record)

    def write_manifest(self) -> None:
        """Write names and SHA-256 of all files that no longer change: from here on the run is finished."""
        with storage(self.path):
            files = [p for p in sorted(self.path.rglob("*")) if p.is_file() and p.name not in _CHANGING]
            digests = {p.relative_to(self.path).as_posix(): _digest(p) for p in files}
        write_json(self.path / "manifest.json", {"format": 1, "files": digests})


MOST_NOTE, MOST_TAG, MOST_TAGS = 2000, 30, 12  # letters of a note, letters of a tag, tags of a run
LEDGER = "ledger.sqlite"  # of all events that were sent to a run
_CHANGING = {"status.json", "notes.json", "events.jsonl", "log.txt", "config.json", "manifest.json"}


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


class RunStore:
    """All runs under one folder, newest first."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = Path(root) if root else default_root()

    def runs(self) -> list[Run]:
        if not self.root.is_dir():
            return []
        folders = [p for p in self.root.iterdir() if (p / "config.json").is_file()]
        return [Run(p) for p in sorted(folders, key=lambda p: p.name, reverse=True)]

    def get(self, run_id: str) -> Run:
        """Return a run by its id or an unambiguous beginning of it; "last" is the newest finished one.

        Raises:
            StorageError: there is no such run, or several.
        """
        runs = self.runs()
        if run_id == "last":
            done = [run for run in runs if run.finished]
            if not done:
                raise StorageError(f"There is no finished run in {self.root}; train one first.")
            return done[0]
        matches = [run for run in runs if run.run_id == run_id] or [r for r in runs if r.run_id.startswith(run_id)]
        if len(matches) != 1 or not run_id:
            what = "no run" if not matches else f"{len(matches)} runs"
            raise StorageError(f"There is {what} called '{run_id}' in {self.root}; see `grouprec list`.")
        return matches[0]

    def create(self, config: RunConfig, place: float | None = None) -> Run:
        """Make a run folder in state queued.

        Args:
            place: in the queue; None where the caller trains the run itself.
        Raises:
            StorageError: the runs folder cannot be written.
        """
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        path = self.root / f"{stamp}-{secrets.token_hex(2)}"
        with storage(self.root):
            path.mkdir(parents=True)
        run = Run(path)
        write_json(path / "config.json", config.model_dump(mode="json"))
        write_json(path / "status.json", asdict(Status(created=time.time(), place=place)))
        return run

    def delete(self, run: Run) -> None:
        """Delete a run; stages that others read back from it move to one of them."""
        with storage(run.path):
            self._hand_over(run)
            shutil.rmtree(run.path)

    def _hand_over(self, run: Run) -> None:
        """Move every stage that only this run has, and another one's results rest on, to that one."""
        others = [one for one in self.runs() if one.run_id != run.run_id]
        needed = {one: json.dumps(read_json(one.fitted)) for one in others}
        for record in (run.path / "stages").glob("*.json"):
            key = (read_json(record) or {}).get("key")
            heir = next((one for one, keys in needed.items() if key and f'"{key}"' in keys), None)
            if heir is None or any((one.path / "stages" / record.name).exists() for one in others):
                continue
            (heir.path / "stages").mkdir(exist_ok=True)
            for part in (record.with_suffix(".safetensors"), record):  # the record, last, makes it valid
                part.replace(heir.path / "stages" / part.name)

    def find_stage(self, key: str, first: Run) -> tuple[dict[str, np.ndarray], Any] | None:
        """Return arrays and meta of a stage with that key, from the given run or any other; None if none has it."""
        for run in [first, *self.runs()]:
            for path in (run.path / "stages").glob("*.json"):
                record = read_json(path)
                if record and record.get("key") == key:
                    with contextlib.suppress(OSError, SafetensorError):
                        return load_file(path.with_suffix(".safetensors")), record["meta"]
        return None


def default_root() -> Path:
    """Return ``$GROUPREC_RUNS``, else a folder in the user's data directory."""
    given = os.environ.get("GROUPREC_RUNS")
    return Path(given) if given else Path(platformdirs.user_data_dir("grouprec", appauthor=False)) / "runs"
