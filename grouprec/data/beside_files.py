"""Files beside the interactions: what the same crowd did elsewhere (``--also``), and who knows whom (``--edges``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.language import _, decimal
from grouprec.core.types import DataError
from grouprec.data.beside import MOST_FRIENDS, Beside
from grouprec.data.clean import Cleaned, Preparation, clean_rows
from grouprec.data.columns import Roles
from grouprec.data.finding import find_roles
from grouprec.data.ids import encode_ids
from grouprec.data.interactions import Interactions
from grouprec.data.pseudonyms import pseudonyms_of
from grouprec.data.read import Reading, peek, read, read_table
from grouprec.data.steps import Report
from grouprec.data.values import shown, some_of


@dataclass(frozen=True)
class Shared:
    """What a file beside the interactions tells of the users who train.

    Attributes:
        kind: "also" or "edges".
        name: of the file.
        users, of: how many of them it knows.
        rows: that are theirs, or edges between two of them.
        items: elsewhere; 0 of edges.
    """

    kind: str
    name: str
    users: int
    of: int
    rows: int
    items: int = 0

    def sentence(self) -> str:
        """Return ``shop2.csv tells of 950 of 1,000 users what they take elsewhere: 9,000 rows of 300 items``."""
        said = (
            _("{name} tells of {users} of {of} users what they take elsewhere: {rows} rows of {n_items} items")
            if self.kind == "also"
            else _("{name} connects {users} of {of} users by {rows} edges")
        )
        numbers = {"users": self.users, "of": self.of, "rows": self.rows, "n_items": self.items}
        return said.format(name=self.name, **{name: decimal(value) for name, value in numbers.items()})


@dataclass(frozen=True, eq=False)
class BesideFiles:
    """Both files as read: rows elsewhere, and the two ends of every edge as codes [n, 2] into ids."""

    also: Cleaned | None = None
    ends: np.ndarray | None = None
    end_ids: np.ndarray | None = None

    @classmethod
    def read(
        cls, also: Path | None, edges: Path | None, ids: np.ndarray, roles: Mapping[str, str], settings: Preparation
    ) -> Self:
        """Return the files; either may be None.

        Args:
            ids: of the users in the interactions.
            roles: people's choices for the interactions: they hold for columns of the same names, too.
            settings: of the preparation; how rows are read is found anew.
        Raises:
            DataError: a file cannot be read, or has nothing to do with these users.
            SettingError: the roles do not fit together.
        """
        ends = end_ids = None
        if edges is not None:
            ends, end_ids = _edges(Path(edges), ids, settings.pseudonyms)
        return cls(None if also is None else _elsewhere(Path(also), ids, roles, settings), ends, end_ids)

    def of(self, ids: np.ndarray, trained: np.ndarray, least: int, vectors: np.ndarray | None, split: str) -> Beside:
        """Return what is known of some users.

        Args:
            ids: theirs, str [U].
            trained: of those who train, str [T]: friends are some of these, and by them items elsewhere are counted.
            least: fewest of them who have an item elsewhere for it to count.
            vectors: float32 [U, V], or None.
            split: how the rows of the dataset are parted.
        """
        beside = Beside(vectors=vectors, split=split)
        if self.also is not None:
            rows, kept = self._rows(ids), self._kept(trained, least)
            rows = rows.take(np.isin(rows.item_rows, kept))
            rows = replace(rows, item_rows=np.searchsorted(kept, rows.item_rows).astype(np.int32))
            beside = replace(beside, elsewhere=rows, n_elsewhere=len(kept))
        return beside if self.ends is None else replace(beside, friends=self._friends(ids, trained))

    def shared(self, also: Path | None, edges: Path | None, beside: Beside, n_users: int) -> tuple[Shared, ...]:
        """Return what the files tell of the users who train, of whom ``beside`` is."""
        found = []
        if beside.elsewhere is not None and also is not None:
            users = len(np.unique(beside.elsewhere.user_rows))
            found.append(Shared("also", also.name, users, n_users, len(beside.elsewhere), beside.n_elsewhere))
        if beside.friends is not None and edges is not None:
            users = int((np.diff(beside.friends.indptr) > 0).sum())
            found.append(Shared("edges", edges.name, users, n_users, beside.friends.nnz // 2))
        return tuple(found)

    def _rows(self, ids: np.ndarray) -> Interactions:
        """Return the rows elsewhere of these users; items are numbered as in that file."""
        assert self.also is not None
        rows = self.also.rows
        users = pd.Index(ids).get_indexer(pd.Index(self.also.user_ids))[rows.users].astype(np.int32)
        whole = Interactions(users, rows.items, rows.weights.astype(np.float32), rows.times)
        return whole.take(users >= 0)

    def _kept(self, trained: np.ndarray, least: int) -> np.ndarray:
        """Return the items elsewhere that enough users who train have, ascending."""
        rows = self._rows(trained)
        pairs = np.unique(np.column_stack([rows.item_rows, rows.user_rows]), axis=0)
        items, counts = np.unique(pairs[:, 0], return_counts=True)
        return items[counts >= least]

    def _friends(self, ids: np.ndarray, trained: np.ndarray) -> sparse.csr_array:
        """Return whom of those who train each user knows, whichever way an edge goes; at most so many, drawn."""
        assert self.ends is not None and self.end_ids is not None
        both = np.concatenate([self.ends, self.ends[:, ::-1]])
        names = pd.Index(self.end_ids)
        own, other = (pd.Index(of).get_indexer(names)[ends] for of, ends in zip((ids, trained), both.T, strict=True))
        apart = self.end_ids[both[:, 0]] != self.end_ids[both[:, 1]]
        pairs = np.unique(np.column_stack([own, other])[(own >= 0) & (other >= 0) & apart], axis=0)
        order = np.lexsort((np.random.default_rng(0).random(len(pairs)), pairs[:, 0]))
        pairs = pairs[order]
        place = np.arange(len(pairs)) - np.searchsorted(pairs[:, 0], pairs[:, 0])
        pairs = pairs[place < MOST_FRIENDS]
        return sparse.csr_array((np.ones(len(pairs), bool), pairs.T), shape=(len(ids), len(trained)))


def roles_elsewhere(path: Path, roles: Mapping[str, str]) -> Roles:
    """Return the roles of a second file's columns; what rows say of their users is left out.

    Args:
        roles: people's choices for the interactions: they hold for columns of the same names.
    Raises:
        DataError, SettingError: as :func:`~grouprec.data.finding.find_roles`.
    """
    columns = peek(path).columns
    found = find_roles(path, {role: column for role, column in roles.items() if not column or column in columns})
    return replace(found, user_attributes=())


def _elsewhere(path: Path, ids: np.ndarray, roles: Mapping[str, str], settings: Preparation) -> Cleaned:
    """Return the valid rows of a second file of interactions."""
    found = roles_elsewhere(path, roles)
    cleaned = clean_rows(read(path, found.columns(), Reading(), found.coded()).frame, found, settings, Report())
    if not np.isin(cleaned.user_ids, ids).any():
        raise DataError(
            f"No user of '{path.name}' (column '{shown(found.user)}', such as '{shown(cleaned.user_ids[0])}') is in "
            f"the interactions, whose ids are such as '{shown(ids[0])}'; a file beside them needs the same ids of "
            "users."
        )
    return cleaned


def edge_columns(table: pd.DataFrame, ids: np.ndarray, name: str, pseudonyms: bool = False) -> list[str]:
    """Return the two columns of a file of edges that hold users most often, in their order.

    Args:
        ids: of the users in the interactions.
        name: of the file.
        pseudonyms: these are pseudonyms, those of the file are not yet.
    Raises:
        DataError: there are no two such columns.
    """
    shares = {}
    for column in table.columns:
        codes, names = encode_ids(table[column])
        told = pseudonyms_of(names) if pseudonyms else names
        shares[column] = np.append(np.isin(told, ids), False)[codes].mean() if len(codes) else 0.0
    chosen = sorted(shares, key=shares.__getitem__, reverse=True)[:2]
    if len(chosen) < 2 or min(shares[column] for column in chosen) == 0:
        raise DataError(
            f"'{name}' connects no two users of the interactions: it needs two columns of their ids, such as "
            f"'{shown(ids[0])}', and has: {some_of(table.columns)}."
        )
    return [column for column in table.columns if column in chosen]


def _edges(path: Path, ids: np.ndarray, pseudonyms: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the edges of a file, int [n, 2], as places in their ids, object [m]."""
    table = read_table(path)
    coded = [encode_ids(table[column]) for column in edge_columns(table, ids, path.name, pseudonyms)]
    coded = [(codes, pseudonyms_of(names) if pseudonyms else names) for codes, names in coded]
    names = np.unique(np.concatenate([own for _codes, own in coded]))
    ends = np.column_stack([np.append(np.searchsorted(names, own), -1)[codes] for codes, own in coded])
    return ends[(ends >= 0).all(axis=1)], names
