"""What people change about the groups of a finished run: names, descriptions, merged, split and new groups.

``<run>/curation.json`` holds the edits in their order, changed under a lock that holds between processes. They are no
part of the manifest, and nothing that training wrote is touched: groups are what the edits make of the trained ones, so
taking the last edit back restores exactly what was there before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Self

import numpy as np

from grouprec.core import rights
from grouprec.core.files import told
from grouprec.core.forms import VERSION, DamagedError, Form, read_kept_form, write_kept_form
from grouprec.core.language import N_, _
from grouprec.core.locks import alone
from grouprec.core.rights import Deed
from grouprec.core.types import GrouprecError

FILE = "curation.json"
EDITS_VERSION = 2  # 1, of 0.1.0, had no seal
LONGEST_NAME, LONGEST_DESCRIPTION = 80, 600
Kind = Literal["rename", "describe", "merge", "split", "form"]


class EditError(GrouprecError):
    """An edit that the groups do not allow as they stand."""


@dataclass(frozen=True)
class Edit:
    """One change.

    Attributes:
        kind: "rename" and "describe" a group, "merge" several, "split" one, or "form" one from chosen users.
        groups: the numbers it is about; none for "form".
        text: the new name, or the description; a merge without a text keeps the name of its largest group.
        rows: users (rows of the run's users table) who leave for the new group, of "split" and "form".
    """

    kind: Kind
    groups: tuple[int, ...] = ()
    text: str = ""
    rows: tuple[int, ...] = ()

    def without(self, gone: np.ndarray) -> Edit | None:
        """Return the edit for a users table without some rows, ascending; None where it was about nobody else."""
        if not self.rows:
            return self
        rows = np.setdiff1d(np.array(self.rows, np.int64), gone)
        rows -= np.searchsorted(gone, rows)
        return replace(self, rows=tuple(rows.tolist())) if len(rows) else None


@dataclass(frozen=True)
class EditHistory:
    """The edits in force, the oldest first, and those taken back since the last one, the latest last."""

    edits: tuple[Edit, ...] = ()
    undone: tuple[Edit, ...] = ()

    def add(self, edit: Edit) -> EditHistory:
        return EditHistory((*self.edits, edit))

    def undo(self) -> EditHistory:
        return EditHistory(self.edits[:-1], (*self.undone, *self.edits[-1:]))

    def redo(self) -> EditHistory:
        return EditHistory((*self.edits, *self.undone[-1:]), self.undone[:-1])

    def without(self, gone: np.ndarray) -> EditHistory:
        """Return the edits for a users table that has lost rows.

        Where a new group was of nobody else, its edit is no more, nor are those after it: they rest on its number.

        Args:
            gone: int [n], the rows, ascending.
        """
        edits = [edit.without(gone) for edit in self.edits]
        undone = [edit.without(gone) for edit in self.undone]
        if None in edits:
            return EditHistory(tuple(edit for edit in edits[: edits.index(None)] if edit))
        return EditHistory(tuple(filter(None, edits)), () if None in undone else tuple(filter(None, undone)))

    def possible(self, trained: Grouping) -> EditHistory:
        """Return the edits up to the first one that these groups do not allow; then there is nothing to redo."""
        for n, edit in enumerate(self.edits):
            try:
                trained = trained.apply(edit)
            except EditError:
                return EditHistory(self.edits[:n])
        return self

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the edits of a run folder; none where nobody made any.

        Raises:
            StorageError: the file is damaged.
        """
        try:
            form = _form(folder)
            return cls(*(tuple(_edit(entry) for entry in form[name]) for name in ("edits", "undone") if form))
        except (TypeError, KeyError, ValueError) as error:
            reason = _("The file {folder}, which holds the edits of groups, is damaged").format(
                folder=told(folder / FILE)
            )
            raise DamagedError(reason, _("remove it to see the trained groups")) from error

    def save(self, folder: Path) -> None:
        """Replace the file of the edits atomically.

        Raises:
            StorageError: it cannot be written.
        """
        write_kept_form(folder / FILE, self.form(folder))

    def form(self, folder: Path) -> Form:
        """Return what the file of the edits is to hold, with what a newer version wrote there.

        Raises:
            DamagedError: what is there is damaged.
        """
        return {VERSION: EDITS_VERSION, **_form(folder), **asdict(self)}


def _form(folder: Path) -> Form:
    """Return the file of the edits, {} where nobody made any.

    Raises:
        DamagedError: it is not what was written.
    """
    try:
        return read_kept_form(folder / FILE, EDITS_VERSION, {1: _edits_of_1}, _("with the trained groups"))
    except DamagedError as error:
        raise DamagedError(
            _("The edits of groups of the run {name}: {reason}").format(name=folder.name, reason=error.reason),
            error.advice,
        ) from None


def _edits_of_1(form: Form) -> Form:
    """Return edits of 0.1.0 as of today."""
    return form


def writing(folder: Path) -> AbstractContextManager[None]:
    """Let one tab or process at a time change the edits: each keeps what the others have done."""
    return alone(
        folder / ".curation.lock",
        _("Somebody else is editing the groups of {name}; try again.").format(name=folder.name),
    )


def _edit(entry: dict) -> Edit:
    numbers = {name: tuple(int(number) for number in entry[name]) for name in ("groups", "rows")}
    return Edit(kind=entry["kind"], text=str(entry["text"]), **numbers)


@dataclass(frozen=True, eq=False)
class Grouping:
    """Who is in which group, and how groups are called, after some edits. Never changed.

    Attributes:
        labels: int32 [V], the group (numbered from 1) of every row of the run's users table.
        trained: int32 [V], the same before any edit.
        fitted: bool [V], whether the user took part in training; the others joined a group later.
        names: by group, also of groups that are gone.
        last: the highest number that any group has had; numbers are never used again.
    """

    labels: np.ndarray
    trained: np.ndarray
    fitted: np.ndarray
    names: dict[int, str]
    last: int
    descriptions: dict[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, labels: np.ndarray, fitted: np.ndarray, names: dict[int, str]) -> Self:
        """Return the trained groups; arguments as the attributes."""
        labels = labels.astype(np.int32)
        return cls(labels, labels, fitted, names, max(names))

    @cached_property
    def sizes(self) -> dict[int, int]:
        """Return how many fitted users every group has, by its number, ascending; groups that are gone are not in."""
        numbers, counts = np.unique(self.labels[self.fitted], return_counts=True)
        return dict(zip(numbers.tolist(), counts.tolist(), strict=True))

    @cached_property
    def changed(self) -> frozenset[int]:
        """Return the groups that have other members than in training, new ones among them."""
        moved = self.labels != self.trained
        return frozenset(np.union1d(self.labels[moved], self.trained[moved]).tolist()) & self.sizes.keys()

    def replay(self, edits: Sequence[Edit]) -> Grouping:
        """Return the groups after the edits, one after the other.

        Raises:
            EditError: one of them is not possible.
        """
        grouping = self
        for edit in edits:
            grouping = grouping.apply(edit)
        return grouping

    def apply(self, edit: Edit) -> Grouping:
        """Return the groups after one edit.

        Raises:
            EditError: a group is gone, a name is empty, too long or taken, or nobody would stay behind.
        """
        for number in edit.groups:
            if number not in self.sizes:
                raise EditError(
                    _("There is no group {number} any more; load the page again to see the present groups.").format(
                        number=number
                    )
                )
        if edit.kind == "describe":
            text = _checked(edit.text, LONGEST_DESCRIPTION, N_("description"))
            return replace(self, descriptions={**self.descriptions, edit.groups[0]: text})
        if edit.kind == "rename":
            return self._named(edit.groups[0], edit.text)
        if edit.kind == "merge":
            return self._merged(edit)
        return self._formed(edit)

    def _merged(self, edit: Edit) -> Grouping:
        if len(set(edit.groups)) < 2:
            raise EditError(_("A merge needs at least two groups; choose another one besides this."))
        stays = max(edit.groups, key=lambda number: (self.sizes[number], -number))
        labels = np.where(np.isin(self.labels, edit.groups), np.int32(stays), self.labels)
        merged = replace(self, labels=labels)
        return merged._named(stays, edit.text) if edit.text else merged

    def _formed(self, edit: Edit) -> Grouping:
        rows = np.array(edit.rows, np.int64)
        if not len(rows) or rows.min() < 0 or rows.max() >= len(self.labels) or not self.fitted[rows].any():
            raise EditError(_("A new group needs at least one user who took part in training; choose some on the map."))
        if edit.kind == "split" and not self._leaves_some(edit.groups[0], rows):
            raise EditError(
                _("Group {value} cannot be split: all of its members would go the same way.").format(
                    value=edit.groups[0]
                )
            )
        new, labels = self.last + 1, self.labels.copy()
        labels[rows] = new
        # Who joined later goes along where the last fitted member of their group leaves.
        labels[~np.isin(labels, labels[self.fitted])] = new
        return replace(self, labels=labels, last=new)._named(new, edit.text)

    def _leaves_some(self, group: int, rows: np.ndarray) -> bool:
        return bool((self.labels[rows] == group).all()) and len(np.unique(rows)) < self.sizes[group]

    def _named(self, number: int, text: str) -> Grouping:
        name = _checked(text, LONGEST_NAME, N_("name"))
        if not name:
            raise EditError(_("A group needs a name; write a few words."))
        others = {self.names[other].casefold(): other for other in self.sizes if other != number}
        if name.casefold() in others:
            raise EditError(
                _("Group {others} is called '{name}' already; choose another name.").format(
                    others=others[name.casefold()], name=name
                )
            )
        return replace(self, names={**self.names, number: name})


def _checked(text: str, longest: int, what: str) -> str:
    """Return text on one line.

    Raises:
        EditError: it is too long.
    """
    line = " ".join(text.split())
    if len(line) > longest:
        raise EditError(
            _("The {what} has {length} characters; {longest} is the most that it may have.").format(
                what=_(what), length=len(line), longest=longest
            )
        )
    return line


def change(folder: Path, trained: Grouping, edit: Edit) -> None:
    """Add an edit to those of a run folder.

    Raises:
        RightsError: the person acting may not change the run.
        EditError: the groups, as all earlier edits have left them, do not allow it; nothing is written then.
        StorageError: the file is damaged or cannot be written.
    """
    rights.require(Deed.CHANGE, f"{edit.kind} groups", folder)
    with writing(folder):
        history = EditHistory.load(folder)
        trained.replay(history.edits).apply(edit)
        history.add(edit).save(folder)


def undo(folder: Path) -> None:
    """Take the last edit of a run folder back; nothing happens where there is none. Errors as :func:`change`."""
    rights.require(Deed.CHANGE, "undo edit", folder)
    with writing(folder):
        EditHistory.load(folder).undo().save(folder)


def redo(folder: Path) -> None:
    """Make the edit that was taken back last once more; nothing happens where there is none."""
    rights.require(Deed.CHANGE, "redo edit", folder)
    with writing(folder):
        EditHistory.load(folder).redo().save(folder)
