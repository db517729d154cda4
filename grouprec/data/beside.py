"""What is known of users beside their rows and attributes: what they take elsewhere, who they know, vectors of them.

It travels with their attributes, as columns of lists that no file can name, so that every stage asked about any users
gets it with them; columns may be missing, as all attributes may. Pages and tables never see these columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import sparse

from grouprec.core.arrays import empty_csr
from grouprec.core.memory import rows_per_batch
from grouprec.data.interactions import Interactions
from grouprec.data.values.common import compute

ELSEWHERE, FRIENDS, VECTORS = COLUMNS = ("\0elsewhere", "\0friends", "\0vectors")
MOST_FRIENDS = 100  # of a user, drawn
MOST_ITEMS = 100  # that a user's friends have, the most frequent


@dataclass(frozen=True, eq=False)
class Beside:
    """What is known of some users beside their rows; rows are those of the users.

    Attributes:
        elsewhere: rows of another file of the same crowd; its items count from 0; None without such a file.
        n_elsewhere: how many items it has.
        friends: CSR bool [U, T], which of the T users who train each one knows; None where nothing is told of that.
        vectors: float32 [U, V], of length 1 each, zeros where a user has none; None without such columns.
        split: how the rows of the dataset are parted (:class:`~grouprec.data.preparing.hold_out.HeldOut`): where by
            time, rows elsewhere that come later than what is known count nothing.
    """

    elsewhere: Interactions | None = None
    n_elsewhere: int = 0
    friends: sparse.csr_array | None = None
    vectors: np.ndarray | None = None
    split: str = "none"

    def frame(self, n_users: int, train: Interactions, histories: sparse.csr_array) -> pd.DataFrame:
        """Return it as columns beside attributes, U rows.

        Args:
            n_users: U.
            train: what is known of the users by now: its times say what lies in the future.
            histories: CSR [T, I], of the users who train: what friends have.
        """
        columns = {}
        if self.elsewhere is not None:
            rows = self.elsewhere.take(self._known_by(train, n_users))
            matrix = rows.matrix((n_users, self.n_elsewhere))
            matrix.data = np.ones_like(matrix.data)
            columns[ELSEWHERE] = _lists(matrix)
        if self.friends is not None:
            columns[FRIENDS] = _lists(_of_friends(self.friends, histories))
        if self.vectors is not None:
            columns[VECTORS] = _lists(sparse.csr_array(self.vectors))
        return pd.DataFrame(columns, index=pd.RangeIndex(n_users))

    def _known_by(self, train: Interactions, n_users: int) -> np.ndarray:
        """Return which rows elsewhere are no later than what is known of the users, bool [n]."""
        rows = self.elsewhere
        assert rows is not None
        if rows.times is None or train.times is None or self.split not in ("time", "user_time"):
            return np.ones(len(rows), bool)
        if self.split == "time":
            return rows.times <= train.times.max(initial=-np.inf)
        last = np.full(n_users, -np.inf)
        np.maximum.at(last, train.user_rows, train.times)
        return rows.times <= last[rows.user_rows]


def _of_friends(friends: sparse.csr_array, histories: sparse.csr_array) -> sparse.csr_array:
    """Return how many friends have each item over the root of how many there are, float32 CSR [U, I].

    A share would make one friend as sure as ten; so much more is said by more of them. The most frequent items count.
    """
    has = sparse.csr_array(histories.astype(np.float32))
    has.data = np.ones_like(has.data)
    n_users, n_items = friends.shape[0], has.shape[1]
    root = np.sqrt(np.maximum(np.diff(friends.indptr), 1)).astype(np.float32)
    parts = []
    size = rows_per_batch(n_items)
    for start in range(0, n_users, size):
        rows = slice(start, start + size)
        parts.append(_largest(sparse.csr_array(friends[rows].astype(np.float32) @ has), MOST_ITEMS))
    found = sparse.csr_array(sparse.vstack(parts)) if parts else empty_csr((0, n_items))
    found.data /= np.repeat(root, np.diff(found.indptr))
    return found


def _largest(matrix: sparse.csr_array, n: int) -> sparse.csr_array:
    """Return a matrix with the ``n`` largest entries of every row, of equal ones the first."""
    owner = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    order = np.lexsort((matrix.indices, -matrix.data, owner))
    place = np.arange(len(owner)) - np.repeat(matrix.indptr[:-1], np.diff(matrix.indptr))
    kept = np.sort(order[place < n])
    starts = np.concatenate([[0], np.minimum(np.diff(matrix.indptr), n).cumsum()])
    return sparse.csr_array((matrix.data[kept], matrix.indices[kept], starts), shape=matrix.shape)


def _lists(matrix: sparse.csr_array) -> pd.Series:
    """Return the rows of a matrix as lists of places and values."""
    entries = pa.StructArray.from_arrays(
        [pa.array(matrix.indices.astype(np.int32)), pa.array(matrix.data.astype(np.float32))], ["at", "value"]
    )
    lists = pa.LargeListArray.from_arrays(pa.array(matrix.indptr.astype(np.int64)), entries)
    return pd.Series(pd.arrays.ArrowExtensionArray(lists))


def matrix_of(frame: pd.DataFrame, column: str, width: int) -> sparse.csr_array:
    """Return a column of :meth:`Beside.frame` as float32 CSR [B, width]; empty where the frame has no such column."""
    if column not in frame or not len(frame):
        return empty_csr((len(frame), width))
    found = pa.array(frame[column])
    lists = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    counts = compute.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    entries = lists.flatten()
    starts = np.concatenate([[0], counts.cumsum()])
    values, places = (entries.field(name).to_numpy(zero_copy_only=False) for name in ("value", "at"))
    return sparse.csr_array((values, places, starts), shape=(len(frame), width))


def matrices(frame: pd.DataFrame) -> dict[str, sparse.csr_array]:
    """Return what :func:`with_matrices` puts into a frame again: "elsewhere", "friends" and "vectors"."""
    return {name[1:]: matrix_of(frame, name, width_of(frame, name)) for name in COLUMNS if name in frame}


def with_matrices(frame: pd.DataFrame, known: Mapping[str, sparse.csr_array]) -> pd.DataFrame:
    """Return a frame of users with more known of them, by column CSR [B, ...], rows in the order of the frame's."""
    more = {f"\0{name}": _lists(matrix).set_axis(frame.index) for name, matrix in known.items()}
    return frame.assign(**more) if more else frame


def width_of(frame: pd.DataFrame, column: str) -> int:
    """Return how many columns the matrix of a column needs: one more than its largest place."""
    if column not in frame or not len(frame):
        return 0
    places = matrix_of(frame, column, 2**31 - 1).indices
    return int(places.max(initial=-1)) + 1


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of users with their attributes alone."""
    return frame.drop(columns=list(COLUMNS), errors="ignore")
