"""Files of interactions without some of their users: which rows are theirs, and a dataset of the library without."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa

from grouprec.core import rights
from grouprec.core.mentions import names_any
from grouprec.core.rights import Person, Role
from grouprec.core.types import DataError, SettingError
from grouprec.data.library import PARTS, KnownDataset, Library
from grouprec.data.preparing.beside_files import edge_columns, roles_elsewhere
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.finding import find_roles, reading_of
from grouprec.data.reading.read import Reading, read, read_table
from grouprec.data.roles.columns import ROLES, Roles, detect_attribute_roles
from grouprec.data.values.ids import encode_ids, id_texts

OF_TEXT = ("encoding", "sheet")  # settings of the preparation that say how a file is read which is Parquet now


@dataclass(frozen=True)
class Choice:
    """How somebody reads a file of interactions: the roles given, and the settings of the preparation."""

    roles: Mapping[str, str]
    preparation: Preparation

    @property
    def reading(self) -> Reading:
        return reading_of(self.preparation)


def rows_of(table: pd.DataFrame, column: str, users: Collection[str]) -> np.ndarray:
    """Return which rows of a column of ids are of these users, bool [n]."""
    codes, names = encode_ids(table[column])
    return np.append(np.isin(names.astype(str), list(users)), False)[codes]


def holding(paths: Mapping[str, Path], choice: Choice, users: Collection[str]) -> set[Path]:
    """Return those of a run's files that have a row of these users.

    Args:
        paths: by name, those of them that are there; "interactions" is among them. Items are nobody's.
    Raises:
        DataError: a file cannot be read.
        SettingError: the roles do not fit it.
    """
    interactions = paths["interactions"]
    column = find_roles(interactions, choice.roles, choice.reading).user or ""
    table = read_table(interactions, [column], choice.reading)
    told = {part: path for part, path in paths.items() if part != "items"}
    found = {path for path in told.values() if names_any(path, users)}
    if rows_of(table, column, users).any():
        found.add(interactions)
    ids = encode_ids(table[column])[1]
    beside = {part: path for part, path in told.items() if part != "interactions"}
    return found | {path for part, path in beside.items() if _rows_beside(part, path, ids, choice, users)[1].any()}


def _rows_beside(
    part: str, path: Path, ids: np.ndarray, choice: Choice, users: Collection[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a file of users, of what they do elsewhere or of whom they know, and which of its rows are theirs."""
    table = read_table(path)
    if part == "users":
        columns = [detect_attribute_roles(table, ids, "user", path.name).id]
    elif part == "also":
        columns = [roles_elsewhere(path, choice.roles).user or ""]
    else:
        columns = edge_columns(table, ids, path.name)
    return table, np.any([rows_of(table, column, users) for column in columns], axis=0)


def without_users(
    library: Library, entry: KnownDataset, choices: Sequence[Choice], users: Collection[str], folder: Path
) -> tuple[KnownDataset, int] | None:
    """Return a dataset of the library as it is without some users, written under another folder, and their rows in it.

    Files that hold them, be it in a row that could not be read, become Parquet with the other rows that could; the
    others are copied. Owner, name, roles and choices stay, and what a check found of its size is forgotten.

    Args:
        choices: of all who read it: what any of them takes for the user counts.
        folder: of a library that only holds this.
    Returns:
        None where no row is theirs; an entry of no rows is not written, and its ``interactions`` is not there.
    Raises:
        DataError: a file cannot be read.
        SettingError: roles do not fit it.
        DamagedError: nobody knows whose it is.
    """
    owner, shared = rights.owner_of(library.folder(entry))
    columns = sorted({find_roles(entry.interactions, one.roles, one.reading).user or "" for one in choices})
    table = read(entry.interactions, None, choices[0].reading).frame
    gone = np.any([rows_of(table, column, users) for column in columns], axis=0)
    if gone.all():
        return KnownDataset(entry.key, entry.name, folder / "nobody"), len(gone)
    total = int(gone.sum())
    with ExitStack() as files:
        parts = {part: _as_it_is(getattr(entry, part), files) for part in PARTS if getattr(entry, part) is not None}
        ids = np.unique(np.concatenate([encode_ids(table[column])[1] for column in columns]))
        if anew := _is_theirs(entry.interactions, gone, users):
            parts["interactions"] = _anew(entry.interactions, table[~gone])
        changed = anew
        for part in parts.keys() - {"interactions", "items"}:
            path = getattr(entry, part)
            about, theirs = _rows_beside(part, path, ids, choices[0], users)
            total += int(theirs.sum())
            if about_them := _is_theirs(path, theirs, users):
                parts[part] = _anew(path, about[~theirs])
            if theirs.all():
                del parts[part]
            changed |= about_them
        if not changed:
            return None
        name, content = parts.pop("interactions")
        with _as(owner):
            new = Library(folder).add(name, content, **parts)
        if owner:
            rights.give(folder / new.key, owner, shared)
    return _with_choices(entry, choices[0], Library(folder), new, anew), total


def _as(owner: str) -> AbstractContextManager[None]:
    """Let the owner of a dataset make the new one: it has the key that their upload of it would have."""
    return rights.acting(Person(owner, Role.ANALYST)) if owner else nullcontext()


def _is_theirs(path: Path, rows: np.ndarray, users: Collection[str]) -> bool:
    """Return whether a file holds these users: in rows that were read, or as text in one that could not be."""
    return bool(rows.any()) or (path.suffix != ".parquet" and names_any(path, users))


def _as_it_is(path: Path, files: ExitStack) -> tuple[str, BinaryIO]:
    return path.name, files.enter_context(path.open("rb"))


def _anew(path: Path, rows: pd.DataFrame) -> tuple[str, BinaryIO]:
    return f"{path.stem}.parquet", BytesIO(_parquet(rows))


def _with_choices(entry: KnownDataset, own: Choice, made: Library, new: KnownDataset, anew: bool) -> KnownDataset:
    """Give a new entry name, age and choices of the old one.

    Args:
        anew: whether its interactions are in another file than before.
    """
    roles = steady(own, entry.interactions, new.interactions) if anew else entry.roles
    kept = {key: value for key, value in entry.preparation.items() if not (anew and key in OF_TEXT)}
    return made.save(new.key, roles=roles, preparation=kept, known_as=(entry.name, entry.added))


def steady(choice: Choice, old: Path, new: Path) -> dict[str, str]:
    """Return the roles with which a file that was written anew is read as the old one was: those given, where they do,
    else every one."""
    before = find_roles(old, choice.roles, choice.reading)
    try:
        now: Roles | None = find_roles(new, choice.roles)
    except (DataError, SettingError):
        now = None
    if now is not None and now.as_dict() == before.as_dict():
        return dict(choice.roles)
    return {role: before.as_dict().get(role, "") for role in ROLES}


def _parquet(frame: pd.DataFrame) -> bytes:
    """Return rows as a Parquet file; columns of several kinds of values become text."""
    frame = frame.reset_index(drop=True)
    try:
        return frame.to_parquet(index=False)
    except (pa.ArrowException, TypeError, ValueError):
        columns = [str(name) for name, dtype in frame.dtypes.items() if dtype.kind == "O"]
        mixed = {name: frame[name].map(_text, na_action="ignore") for name in columns}
        return frame.assign(**mixed).to_parquet(index=False)


def _text(value: object) -> str:
    return str(id_texts(pd.Series([value], dtype=object)).iloc[0])
