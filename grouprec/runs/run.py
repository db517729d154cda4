"""One run folder (:mod:`grouprec.runs.store`): what is read of it and what is written to it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grouprec.core import rights
from grouprec.core.errors import StorageError
from grouprec.core.files import plain, read_json, replacing, storage, write_json
from grouprec.core.forms import DamagedError
from grouprec.core.rights import Deed
from grouprec.runs import content, summary
from grouprec.runs.notes import MOST_NOTE, MOST_TITLE, Notes, change_notes, read_notes, tidy
from grouprec.runs.places import FORGOTTEN, SNAPSHOT, RunFolder
from grouprec.runs.status import State, Status, change_status, read_status

if TYPE_CHECKING:  # the configuration knows the stages, and so torch; a command that lists runs does without numpy, too
    import numpy as np
    import pandas as pd

    from grouprec.runs.config import RunConfig

_SMALL = ("config.json", "metrics.json", "events.jsonl")  # looked at whenever somebody asks how the run is
_NOT_IN_1 = ("config.json", "events.jsonl")  # a manifest of 0.1.0 does not name them


class Run(RunFolder):
    """One run folder. Results are read only where they are what was written; status, title and notes always are.

    A run that is not finished has no manifest to hold its files to; what is there of it is read as it stands.
    """

    # -- reading

    def choices(self) -> dict[str, Any]:
        """Return config.json as it stands, with the title of today.

        Raises:
            StorageError: it is missing or damaged.
        """
        choices = content.json_of(self.file("config.json"))
        if not isinstance(choices, dict):
            raise StorageError(f"The run {self.run_id} has no readable config.json; delete it and train again.")
        title = self.notes().title
        return {**choices, "title": title} if title else dict(choices)

    def config(self) -> RunConfig:
        """Return the run's configuration.

        Raises:
            StorageError: it is missing, damaged, or of another version.
        """
        from pydantic import ValidationError

        from grouprec.runs.config import RunConfig

        try:
            return RunConfig(**self.choices())
        except (ValidationError, TypeError) as error:
            sentence = f"The run {self.run_id} was made by another version of grouprec; train it again."
            raise StorageError(sentence) from error

    def trained_as(self, config: RunConfig) -> bool:
        """Return whether the run was made with the same choices; its title does not count."""
        try:
            return {**self.choices(), "title": ""} == {**config.model_dump(mode="json"), "title": ""}
        except StorageError:
            return False

    def status(self) -> Status:
        """Return where the run stands: done where its results are all there, damaged where something is not right."""
        try:
            status, finished = self._status(), self._check() is not None
        except DamagedError as error:
            return Status(State.DAMAGED, message=str(self._damage(error)), created=self._born)
        if status.state is State.UNKNOWN:
            return status
        if finished:
            whole = {"stage_fraction": 1.0, "fraction": 1.0, "seconds_left": None, "message": "", "place": None}
            return status if status.state is State.DONE else replace(status, state=State.DONE, **whole)
        if status.state is State.DONE:
            gone = DamagedError(f"{content.MANIFEST} is missing")
            return Status(State.DAMAGED, message=str(self._damage(gone)), created=status.created)
        return status

    def _status(self) -> Status:
        return content.remembered(self.path / "status.json", "status", lambda path: read_status(path.parent))

    def _check(self) -> dict[str, str] | None:
        """Return the manifest where the small files are what was written; None where the run is not finished.

        Raises:
            DamagedError: one of them is not.
        """
        files = content.read_manifest(self.path)
        for name in (name for name in _SMALL if name in (files or {})):
            if trouble := content.trouble(self.path, name, files or {}):
                raise DamagedError(trouble)
        if not isinstance(content.json_of(self.path / "config.json"), dict):
            what = "missing" if not (self.path / "config.json").exists() else "damaged: it holds no JSON object"
            raise DamagedError(f"config.json is {what}", "restore it from a copy, or delete the run and train again")
        summary.check(self.path, files or {})
        self._notes()
        return files

    def _damage(self, error: DamagedError) -> DamagedError:
        """Return what is wrong with a file as what is wrong with the run."""
        advice = error.advice or f"restore it from a copy, or mend the run: grouprec train --resume {self.run_id}"
        return DamagedError(f"The run {self.run_id} is damaged: {error.reason}", advice)

    @property
    def _born(self) -> float:
        """Return when the run was made, by the name of its folder, 0 where that does not say."""
        try:
            return datetime.strptime(self.run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp()
        except ValueError:
            return 0.0

    def require_finished(self, what: str) -> None:
        """Check that the run is finished and its small files are whole.

        Args:
            what: the end of the sentence that says that the run is not finished.
        Raises:
            StorageError: it is not, or is damaged.
        """
        status = self.status()
        if status.state is State.DAMAGED:
            raise DamagedError(status.message.rstrip("."))
        if not self.finished:
            raise StorageError(f"The run {self.run_id} is not finished ({status.state}); {what}.")

    def notes(self) -> Notes:
        """Return what people wrote about the run; nothing where that is missing or damaged, which the status says."""
        try:
            return self._notes()
        except DamagedError:
            return Notes()

    def _notes(self) -> Notes:
        content.require_here(self.path)
        return content.remembered(self.path / "notes.json", "notes", read_notes)

    def events(self) -> list[dict[str, Any]]:
        """Return the events so far; a line cut short by a crash is skipped.

        Raises:
            StorageError: the run is finished, and they are not what was written.
        """
        try:
            lines = self.file("events.jsonl").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        events = []
        for line in lines:
            with contextlib.suppress(ValueError):
                events.append(json.loads(line))
        return [event for event in events if isinstance(event, dict)]

    def log(self, last: int = 200) -> str:
        """Return the last lines of the log."""
        try:
            content.require_here(self.path)
            text = (self.path / "log.txt").read_text(encoding="utf-8", errors="replace")
        except (OSError, DamagedError):
            return ""
        return "\n".join(text.splitlines()[-last:])

    def metrics(self) -> dict[str, Any]:
        """Return the summary of the run, {} before there is one.

        Raises:
            StorageError: the run is finished, and it is not what was written, or of another version.
        """
        path = self.file(summary.FILE)
        try:
            summary.check(self.path, content.read_manifest(self.path) or {})
        except DamagedError as error:
            raise self._damage(error) from None
        found = read_json(path)
        return found if isinstance(found, dict) else {}

    def table(self, name: str) -> pd.DataFrame:
        """Return a table of the finished run.

        Raises:
            StorageError: the run has no such table, or it is damaged.
        """
        import pandas as pd

        path = self.table_file(name)
        try:
            return pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise StorageError(f"The run {self.run_id} has no readable table '{name}'; train it again.") from error

    def table_file(self, name: str) -> Path:
        """Return the file of a table, for readers of a part of it; errors as :meth:`file`."""
        return self.file(f"tables/{name}.parquet")

    def has(self, name: str) -> bool:
        """Whether the run has, or should have, a file of that name."""
        try:
            files = content.read_manifest(self.path) or {}
        except DamagedError:
            files = {}
        return name in files or (self.path / name).exists()

    def names(self) -> list[str]:
        """Return the names of the files of a finished run; none of one that is not."""
        try:
            return list(content.read_manifest(self.path) or {})
        except DamagedError:
            return []

    @property
    def has_snapshot(self) -> bool:
        """Whether the run keeps what its users are predicted to want; the oldest ones do not."""
        return self.has(SNAPSHOT)

    def has_table(self, name: str) -> bool:
        return self.has(f"tables/{name}.parquet")

    def file(self, name: str) -> Path:
        """Return the path of a file whose content is what was written; also of one that the run never had.

        Raises:
            StorageError: the run is finished, and the file, or the manifest itself, is damaged or missing.
        """
        try:
            files = content.read_manifest(self.path)
            listed = files is not None and (name in files or name not in _NOT_IN_1)
            if listed and (trouble := content.trouble(self.path, name, files or {})):
                raise DamagedError(trouble)
        except DamagedError as error:
            raise self._damage(error) from None
        return self.path / name

    @property
    def finished(self) -> bool:
        """Whether the manifest, written last, is there and whole."""
        try:
            return content.read_manifest(self.path) is not None
        except DamagedError:
            return False

    @property
    def usable(self) -> bool:
        """Whether the run is finished and its small files are whole: for lists of all runs."""
        return self.finished and self.status().state is State.DONE

    def title(self) -> str:
        """Return what people call the run, also where it is damaged."""
        linked = self.path.is_symlink()
        choices = None if linked else content.json_of(self.path / "config.json")
        given = choices.get("title") if isinstance(choices, dict) else ""
        return self.notes().title or str(given or self.run_id)

    def damaged(self) -> list[str]:
        """Return the files whose content no longer matches the manifest; the manifest itself where it is damaged."""
        try:
            files = content.read_manifest(self.path) or {}
        except DamagedError:
            return [content.MANIFEST]
        return [name for name in files if content.trouble(self.path, name, files)]

    # -- writing

    def set_status(self, known: Status | None = None, **changes: Any) -> Status:
        """Replace some fields of the status and return it; arguments and errors as :func:`change_status`."""
        change_status(self.path, changes, known)
        return self.status()

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
        from grouprec.runs import schemas

        frame = schemas.named(name).checked(frame)
        path = self.path / "tables" / f"{name}.parquet"
        with storage(path):
            path.parent.mkdir(exist_ok=True)
        with replacing(path) as temporary:
            frame.to_parquet(temporary, index=False)
        self._written(f"tables/{name}.parquet")

    def save_metrics(self, metrics: Mapping[str, Any]) -> None:
        write_json(self.path / "metrics.json", metrics)
        self._written("metrics.json")

    def _written(self, name: str) -> None:
        """Let the manifest of a run that is finished already know of what is new in it."""
        with contextlib.suppress(DamagedError):
            content.add_to_manifest(self.path, [name])

    def rename(self, title: str) -> None:
        """Change what people call the run; folder and configuration stay. Errors as :meth:`annotate`."""
        self._note(title=title.strip()[:MOST_TITLE])

    def annotate(self, note: str, tags: Iterable[str]) -> Notes:
        """Keep a note and tags with the run; tags that differ in case only count once, empty ones not at all.

        Raises:
            RightsError: the person acting may not change the run.
            StorageError: they cannot be written, or what is there is damaged.
        """
        return self._note(note=note.strip()[:MOST_NOTE], tags=tidy(tags))

    def _note(self, **changes: Any) -> Notes:
        rights.require(Deed.CHANGE, "rename" if "title" in changes else "annotate", self.path)
        try:
            content.require_here(self.path)
            return change_notes(self.path, changes)
        except DamagedError as error:
            raise self._damage(error) from None

    def save_stage(
        self, key: str, kind: str, name: str, settings: Any, arrays: dict[str, np.ndarray], meta: Any
    ) -> None:
        """Save what a stage learned under the key of what it depends on; the JSON, written last, makes it valid.

        The key is part of the file's name: a run fits the same encoder several times, on more and more of the data.
        """
        record = {"key": key, "kind": kind, "name": name, "settings": settings, "meta": meta}
        content.save_stage(self.path / "stages" / f"{kind}.{name}.{key[:12]}.json", record, arrays)

    def write_manifest(self) -> None:
        """Write names and SHA-256 of all files that no longer change: from here on the run is finished."""
        content.write_manifest(self.path)

    def open_again(self, damaged: Iterable[str]) -> None:
        """Take the manifest and damaged results away: the run is not finished until there is a new manifest.

        Raises:
            StorageError: they cannot be removed.
        """
        with storage(self.path):
            for name in damaged:
                (self.path / name).unlink(missing_ok=True)
            (self.path / FORGOTTEN).unlink(missing_ok=True)  # it is trained again, from what the files hold now
            (self.path / content.MANIFEST).unlink(missing_ok=True)
