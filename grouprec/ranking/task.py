"""Who is judged on what: tasks made of held-out interactions, and the lists that users are served in them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.arrays import empty_csr
from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Candidates, Embeddings
from grouprec.data.dataset import Dataset, Interactions
from grouprec.ranking.metrics import DEPTH, contains, has, hit_matrix, ndcg, self_information

CHUNK = 512  # users whose scores over the whole catalogue are held at one time


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be found, by whom.

    Attributes:
        seen: CSR [U, I], non-zero where an item may not be listed for the user: what they have by the time of the
            task, or nothing where repeats are allowed.
        relevant: CSR [U, I], 1 where the user took an item that was new to them, or any item with repeats.
        users: int32 [T], ascending rows of the users with at least one such item; the others are not judged.
        owned: CSR [U, I], what users have by then, repeats or not.
    """

    seen: sparse.csr_array
    relevant: sparse.csr_array
    users: np.ndarray
    owned: sparse.csr_array

    @classmethod
    def of(cls, owned: sparse.csr_array, part: Interactions, repeats: bool = False) -> Self:
        """Return the task of finding what users take in a part of the data.

        Args:
            owned: CSR [U, I], what they have before it.
            repeats: items that the user has already count as targets, too, and may be listed.
        """
        seen = nothing(owned.shape) if repeats else owned
        taken = part.matrix(seen.shape).tocoo()
        rows, items = taken.coords
        new = ~has(seen, rows, items)
        entries = (np.ones(new.sum(), np.float32), (rows[new], items[new]))
        relevant = sparse.csr_array(entries, shape=seen.shape)
        return cls(seen, relevant, np.flatnonzero(np.diff(relevant.indptr)).astype(np.int32), owned)

    @cached_property
    def bits(self) -> np.ndarray:
        """Return the self-information of every item, float64 [I]; kept, since every list asks for it."""
        return self_information(self.owned)

    @property
    def n_relevant(self) -> np.ndarray:
        """Return the number of targets of every judged user, int [T], at least 1."""
        return np.diff(self.relevant.indptr)[self.users]

    def sample(self, n: int, seed: int) -> Task:
        """Return the same task with at most ``n`` users to judge, drawn by the seed."""
        if len(self.users) <= n:
            return self
        return replace(self, users=np.sort(np.random.default_rng(seed).choice(self.users, n, replace=False)))


def validation_task(data: Dataset, repeats: bool = False) -> Task:
    """Return the task of finding the validation part from the training part; ``repeats`` as in :meth:`Task.of`."""
    return Task.of(data.histories, data.to_find, repeats)


def test_task(data: Dataset, repeats: bool = False) -> Task:
    """Return the task of finding the test part from training and validation; ``repeats`` as above."""
    return Task.of(data.known, data.test, repeats)


test_task.__test__ = False  # pyright: ignore[reportFunctionMemberAccess]  # the name looks like a test to pytest


@dataclass(frozen=True, eq=False)
class NewItemTask:
    """A sample of users and the items, new to them, that they take up in the validation part.

    Attributes:
        user_rows: int64 [V], ascending; only users with something new to find.
        histories: float32 CSR [V, I], their training histories.
        relevant: CSR [V, I], 1 for validation items outside the history.
        attributes: V rows of what is known of the users (:attr:`~grouprec.data.dataset.Dataset.known_of_users`).
        recent: int32 [V, L], their latest training items (:meth:`~grouprec.data.dataset.Dataset.recent`).
        order: int64 [I], the catalogue in random order, so that equal scores are ranked at random.
    """

    user_rows: np.ndarray
    histories: sparse.csr_array
    relevant: sparse.csr_array
    attributes: pd.DataFrame
    recent: np.ndarray
    order: np.ndarray

    @classmethod
    def sample(cls, data: Dataset, rng: np.random.Generator, max_users: int = 1000) -> Self:
        """Return the task for at most ``max_users`` users drawn from those who have one."""
        task = validation_task(data)
        users = task.users.astype(np.int64)
        if len(users) > max_users:
            users = np.sort(rng.choice(users, max_users, replace=False))
        return cls(
            users,
            data.histories[users],
            task.relevant[users],
            data.known_of_users.iloc[users],
            data.recent()[users],
            rng.permutation(data.n_items),
        )

    def __len__(self) -> int:
        return len(self.user_rows)

    def ndcg(self, embeddings: Embeddings, k: int = 10) -> float:
        """Return the mean nDCG@k over the task's users; 0 where there are none.

        It is :func:`~grouprec.ranking.metrics.ndcg` of the full ranking of the items outside the history.

        Args:
            embeddings: vectors of the task's users, in the task's order, and of all items.
            k: length of the list.
        """
        if not len(self):
            return 0.0
        k = min(k, len(self.order))
        chunks = (slice(start, start + CHUNK) for start in range(0, len(self), CHUNK))
        hits = np.concatenate([hit_matrix(self._best(embeddings, rows, k), self.relevant[rows]) for rows in chunks])
        return float(ndcg(hits, np.diff(self.relevant.indptr), k).mean())

    def _best(self, embeddings: Embeddings, rows: slice, k: int) -> np.ndarray:
        """Return the best k new items, int64 [B, k], best first."""
        scores = embeddings.scores(rows)
        scores[self.histories[rows].nonzero()] = -np.inf
        scores = scores[:, self.order]
        top = np.argpartition(-scores, k - 1, axis=1)[:, :k]
        top = np.take_along_axis(top, np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1), axis=1)
        return self.order[top]


def nothing(shape: tuple[int, int]) -> sparse.csr_array:
    """Return an empty CSR: nobody has anything that may not be listed."""
    return empty_csr(shape)


def individual_lists(candidates: Candidates, task: Task, depth: int = DEPTH) -> np.ndarray:
    """Return every judged user's own best items that they do not have by then, int32 [T, depth], -1 at the end.

    Args:
        candidates: of all users, or of the judged ones.
    """
    n_users, _ = task.seen.shape
    rows = task.users if candidates.n_users == n_users else np.arange(len(task.users))
    return _drop_seen(candidates.items, rows, task, depth)


def shared_lists(items: np.ndarray, labels: np.ndarray, task: Task, depth: int = DEPTH) -> np.ndarray:
    """Return the list of every judged user's group as it is, int32 [T, depth]. ``items`` int32 [G, K]."""
    return items[labels[task.users], :depth]


def dedup_lists(ranking: np.ndarray, labels: np.ndarray, task: Task, depth: int = DEPTH) -> np.ndarray:
    """Return the group's ranking without what each judged user has by then, int32 [T, depth], -1 at the end.

    Args:
        ranking: int32 [G, K'].
        labels: int32 [U], the group of every user.
    """
    return _drop_seen(ranking, labels[task.users], task, depth)


def _drop_seen(lists: np.ndarray, rows: np.ndarray, task: Task, depth: int) -> np.ndarray:
    """Rows of ``lists`` (one per judged user) without items seen and without gaps, cut or filled with -1.

    Nearly everybody finds enough among the first items; only the others are looked up to the end of their list.
    """
    out = _first_unseen(lists[:, : 2 * depth], rows, task.users, task, depth)
    short = np.flatnonzero(out[:, -1] < 0)
    if len(short) and lists.shape[1] > 2 * depth:
        out[short] = _first_unseen(lists, rows[short], task.users[short], task, depth)
    return out


def _first_unseen(lists: np.ndarray, rows: np.ndarray, users: np.ndarray, task: Task, depth: int) -> np.ndarray:
    """Return the first ``depth`` items of row ``rows[n]`` of the lists that ``users[n]`` has not seen."""
    out = np.full((len(rows), depth), -1, np.int32)
    size = rows_per_batch(lists.shape[1])
    for start in range(0, len(rows), size):
        chunk = slice(start, start + size)
        items = lists[rows[chunk]]
        keep = (items >= 0) & ~contains(task.seen[users[chunk]], items)
        place = keep.cumsum(axis=1) - 1
        row, column = np.nonzero(keep & (place < depth))
        out[start + row, place[row, column]] = items[row, column]
    return out
