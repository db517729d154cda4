"""The files that runs are trained on, without some users: the library's are written anew, others are named."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from grouprec.core import trash
from grouprec.core.changes import Changes
from grouprec.core.files import read_json, write_json
from grouprec.core.types import GrouprecError
from grouprec.data import forgetting as files
from grouprec.data.forgetting import Choice
from grouprec.data.library import PARTS, KnownDataset, Library
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.finding import find_roles
from grouprec.runs.store import Run


class TrainingFiles:
    """What becomes of the files that hold some users.

    Attributes:
        moved: file of the library -> where it is to be, without the users.
        theirs: files outside the library that hold them.
        datasets: names of the datasets that are written anew, or removed where nobody else is in them.
        rows: how many rows of theirs leave these.
        unread: sentences about what could not be searched.
    """

    def __init__(self, library: Library, runs: Sequence[Run], users: Collection[str], changes: Changes) -> None:
        self.library, self.runs, self.users, self.changes = library, runs, users, changes
        self.moved: dict[Path, Path] = {}
        self.theirs: set[Path] = set()
        self.datasets: list[str] = []
        self.rows = 0
        self.unread: list[str] = []
        self._anew: dict[Path, Path] = {}  # file of the library that is to be Parquet -> where that is now
        places = (library, Library(library.root / trash.FOLDER))  # the trash has the same form
        entries = [(place, entry) for place in places for entry in place.list() if not entry.is_sample]
        self._entries = entries
        self._uploads = {entry.interactions.resolve() for _, entry in entries}
        self._asked: set[tuple[str, str]] = set()

    def prepare(self) -> None:
        """Look at all files, and write what is to be new."""
        for library, entry in self._entries:
            self._prepare_dataset(library, entry)
        for run in self.runs:
            self._look_outside(run)

    def _prepare_dataset(self, library: Library, entry: KnownDataset) -> None:
        """Write a dataset of the library, or of its trash, anew where it holds the users."""
        if entry.trouble:
            self.unread.append(entry.trouble)
        try:
            choices = self._choices_of(entry, self._known_as(library, entry.interactions))
            found = files.without_users(
                library, entry, choices, self.users, self.changes.folder / f"{library.root.name}-{entry.key}"
            )
        except GrouprecError as error:
            self.unread.append(f"The dataset '{entry.name}' cannot be searched: {error}")
            return
        if found is None:
            return
        new, rows = found
        place = library.root / new.key
        self.changes.remove(library.root / entry.key)
        self.datasets.append(entry.name)
        self.rows += rows
        if not new.interactions.exists():  # nobody else was in it
            return
        for part in PARTS:
            old, now = getattr(entry, part), getattr(new, part)
            if old is not None and now is not None:
                self.moved[self._known_as(library, old)] = self.library.root / new.key / part / now.name
        kept = new.interactions
        if not place.exists() and place not in self.changes.given(library.root):
            made = self.changes.new(place)
            kept.parent.parent.rename(made)
            kept = made / "interactions" / kept.name
        if kept.name != entry.interactions.name:
            self._anew[self._known_as(library, entry.interactions)] = kept

    def _known_as(self, library: Library, path: Path) -> Path:
        """Return the path by which runs know a file of the library, though it may be in the trash now."""
        return (self.library.root / path.relative_to(library.root)).resolve()

    def _choices_of(self, entry: KnownDataset, known_as: Path) -> list[Choice]:
        """Return how a dataset is read: by itself first, then by every run that does it in a way that fits."""
        told = [one for one in map(chosen, self.runs) if one is not None]
        theirs = [one.choice for one in told if one.interactions.resolve() == known_as]
        own, fitting = Choice(entry.roles, Preparation(**entry.preparation)), []
        for choice in (own, *theirs):
            with contextlib.suppress(GrouprecError):
                find_roles(entry.interactions, choice.roles, choice.reading)
                fitting.append(choice)
        return fitting or [own]

    def _look_outside(self, run: Run) -> None:
        """Find out whether the files of a run that lie outside the library hold the users."""
        told = chosen(run)
        if told is None or not told.interactions.is_file():
            return
        if told.interactions.resolve() in self._uploads:  # copies fetched for a run are none
            return
        asked = (str(told.paths), str(told.choice))
        if asked in self._asked:
            return
        self._asked.add(asked)
        there = {part: path for part, path in told.paths.items() if path.is_file()}
        try:
            found = files.holding(there, told.choice, self.users)
            self.theirs |= {path for path in found if not _inside(path, self.library.root)}
        except GrouprecError as error:
            self.unread.append(f"{told.interactions} cannot be searched: {error}")

    def uses(self, run: Run) -> bool:
        """Whether a run reads files that hold the users."""
        told = chosen(run)
        theirs = {path.resolve() for path in self.theirs} | self.moved.keys()
        return told is not None and any(
            path.resolve() in theirs for part, path in told.paths.items() if part != "items"
        )

    def point_elsewhere(self, run: Run) -> None:
        """Let a run's configuration name the files where they will be."""
        config, told = read_json(run.path / "config.json"), chosen(run)
        if told is None or not isinstance(config, dict):
            return
        moved = {part: self.moved[path.resolve()] for part, path in told.paths.items() if path.resolve() in self.moved}
        if not moved:
            return
        changed = config | {part: str(path) for part, path in moved.items()}
        for part, path in told.paths.items():
            if part not in moved and _inside(path, self.library.root):
                changed[part] = None  # nobody else was in it
        anew = self._anew.get(told.interactions.resolve())
        if anew is not None:
            with contextlib.suppress(GrouprecError):  # a run that could not read them will say so again
                changed["roles"] = files.steady(told.choice, told.interactions, anew)
            changed["preparation"] = {**config["preparation"], **dict.fromkeys(files.OF_TEXT, "")}
        write_json(self.changes.new(run.path / "config.json"), changed)


def _inside(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


@dataclass(frozen=True)
class Chosen:
    """The files that a run was asked to train on, and how."""

    paths: dict[str, Path]
    choice: Choice

    @property
    def interactions(self) -> Path:
        return self.paths["interactions"]


def chosen(run: Run) -> Chosen | None:
    config = read_json(run.path / "config.json")
    try:
        paths = {part: Path(config[part]) for part in PARTS if config.get(part)}
        choice = Choice(dict(config["roles"]), Preparation(**config["preparation"]))
    except (TypeError, KeyError, ValueError, AttributeError):
        return None
    return Chosen(paths, choice) if "interactions" in paths else None
