"""What is known of every user while events arrive: the base's rows, and own rows where something happened."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from grouprec.core.types import Candidates
from grouprec.runs.snapshot import FitSnapshot, csr_around


class Rows:
    """Rows of an array that grows at its end.

    Room is asked for in advance; the operating system gives memory to a row only when the row is written.
    """

    def __init__(self, first: np.ndarray, room: int = 0) -> None:
        self._all = np.empty((max(room, len(first), 16), *first.shape[1:]), first.dtype)
        self._n = 0
        self.add(first)

    def add(self, rows: np.ndarray) -> None:
        n = self._n + len(rows)
        if n > len(self._all):
            larger = np.empty((max(n, 2 * len(self._all)), *self._all.shape[1:]), self._all.dtype)
            larger[: self._n] = self.rows
            self._all = larger
        self._all[self._n : n] = rows
        self._n = n

    @property
    def rows(self) -> np.ndarray:
        """Return the rows so far, a view that may be written to."""
        return self._all[: self._n]


class Start(NamedTuple):
    """What a user who is not of the base starts with.

    Attributes:
        items, scores: [N], their candidates.
        state: [H], the updater's vector; None for that of somebody unheard of.
        history: what they have, items int32 [n] and weights float32 [n]; None for nothing.
    """

    items: np.ndarray
    scores: np.ndarray
    state: np.ndarray | None = None
    history: tuple[np.ndarray, np.ndarray] | None = None


class LiveUsers:
    """State, candidates, history and group of every user.

    A user whom nothing has happened to is read from the base. Others have a slot: a row in each of the arrays below.
    About 2 KB each, so memory grows with the users touched and not with the events.

    Attributes:
        labels: int32 [U'], current groups.
        slots: int32 [U'], -1 for users without a slot.
        users: int32 [T], the user of every slot.
        states: float32 [T, H].
        items: int32 [T, N], current candidates, -1 at the end.
        scores: float32 [T, N].
        placed: int32 [T], the latest answer of the grouper's rule; the group, unless the fit itself had it otherwise.
    """

    def __init__(self, base: FitSnapshot, start_state: np.ndarray) -> None:
        self._base, self._start_state = base, start_state
        room, width = len(base.labels), base.candidates.items.shape[1]
        self._labels, self._slots = Rows(base.labels), Rows(np.full(room, -1, np.int32))
        self._users, self._placed = Rows(np.empty(0, np.int32), room), Rows(np.empty(0, np.int32), room)
        self._states = Rows(np.empty((0, base.states.shape[1]), np.float32), room)
        self._items, self._scores = (Rows(np.empty((0, width), kind), room) for kind in (np.int32, np.float32))
        # Users who came after the fit: the candidates and vectors that they started with.
        self._first_items, self._first_scores = (Rows(np.empty((0, width), kind)) for kind in (np.int32, np.float32))
        self._first_states = Rows(np.empty((0, base.states.shape[1]), np.float32))
        self._histories: dict[int, tuple[np.ndarray, np.ndarray]] = {}  # items int32 [n], weights float32 [n]
        self._newest = len(base.item_ids) - 1  # the last item that anybody has
        self.labels, self.slots = self._labels.rows, self._slots.rows
        self._show_slots()

    def _show_slots(self) -> None:
        self.users, self.placed, self.states = self._users.rows, self._placed.rows, self._states.rows
        self.items, self.scores = self._items.rows, self._scores.rows

    @property
    def n_known(self) -> int:
        """Return the number of users of the base, U."""
        return len(self._base.labels)

    @property
    def untouched(self) -> bool:
        """Whether everybody is as in the base, and nobody has come."""
        return not len(self.users) and len(self) == self.n_known and not self._histories

    def __len__(self) -> int:
        return len(self.labels)

    def add(self, label: int, start: Start) -> int:
        """Add a user and return the new row."""
        self._first_items.add(start.items[None])
        self._first_scores.add(start.scores[None])
        self._first_states.add((self._start_state if start.state is None else start.state)[None])
        self._labels.add(np.array([label], np.int32))
        self._slots.add(np.array([-1], np.int32))
        self.labels, self.slots = self._labels.rows, self._slots.rows
        user = len(self) - 1
        if start.history is not None:
            self._histories[user] = start.history
        self.touch(np.array([user]), np.array([label], np.int32))
        return user

    def touch(self, users: np.ndarray, placed: np.ndarray) -> None:
        """Give users who have none a slot, filled with what they started with."""
        start = self.start(users)
        self.slots[users] = np.arange(len(self.users), len(self.users) + len(users))
        rows = (users.astype(np.int32), placed, *start)
        for store, part in zip((self._users, self._placed, self._items, self._scores, self._states), rows, strict=True):
            store.add(part)
        self._show_slots()

    def start(self, users: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return candidates and states from before the first event: items and scores [B, N], states [B, H]."""
        base, new = self._base, users >= self.n_known
        if not new.any():
            return base.candidates.items[users], base.candidates.scores[users], base.states[users]
        known = np.where(new, 0, users)
        rank = users[new] - self.n_known
        items, scores, states = base.candidates.items[known], base.candidates.scores[known], base.states[known]
        items[new], scores[new] = self._first_items.rows[rank], self._first_scores.rows[rank]
        states[new] = self._first_states.rows[rank]
        return items, scores, states

    def current(self, users: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the candidates as they are now: items and scores [B, N]."""
        items, scores, _ = self.start(users)
        own = self.slots[users] >= 0
        items[own], scores[own] = self.items[self.slots[users[own]]], self.scores[self.slots[users[own]]]
        return items, scores

    def history(self, user: int) -> tuple[np.ndarray, np.ndarray]:
        """Return what a user has: items int32 [n], each once, and weights float32 [n]. Not to be changed."""
        own = self._histories.get(user)
        if own is not None:
            return own
        base = self._base.histories
        start, stop = (0, 0) if user >= self.n_known else base.indptr[user : user + 2]
        return base.indices[start:stop], base.data[start:stop]

    def take(self, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """Add an event of weight 1 each to the users' histories; return whose item is new to them, bool [B]."""
        return np.array([self._take(*pair) for pair in zip(users.tolist(), items.tolist(), strict=True)], bool)

    def _take(self, user: int, item: int) -> bool:
        items, weights = self.history(user)
        self._newest = max(self._newest, item)
        had = items == item
        if had.any():
            self._histories[user] = items, weights + had.astype(np.float32)
            return False
        self._histories[user] = np.append(items, np.int32(item)), np.append(weights, np.float32(1))
        return True

    def have(self, users: np.ndarray, n_items: int) -> sparse.csr_array:
        """Return what users have among the first ``n_items`` items, float32 CSR [B, n_items]."""
        parts = [self.history(user) for user in users.tolist()]
        items = np.concatenate([part[0] for part in parts])
        weights = np.concatenate([part[1] for part in parts])
        ends = np.array([0, *(len(part[0]) for part in parts)]).cumsum()
        if self._newest >= n_items:
            kept = items < n_items
            ends = np.append(0, kept.cumsum())[ends]
            items, weights = items[kept], weights[kept]
        return csr_around(weights, items, ends, (len(users), n_items))

    def candidates(self) -> Candidates:
        """Return the candidates of all users as they are now."""
        return Candidates(*self.current(np.arange(len(self))), self._base.candidates.n_items)

    def histories(self, n_items: int) -> sparse.csr_array:
        """Return what all users have among the first ``n_items`` items, float32 CSR [U', n_items]."""
        base = self._base.histories
        own = np.array(sorted(self._histories), np.int64)
        changed = np.zeros(len(self), bool)
        changed[own] = True
        rows = np.repeat(np.arange(self.n_known), np.diff(base.indptr))
        kept = ~changed[rows]
        rows, items, weights = rows[kept], base.indices[kept], base.data[kept]
        if len(own):
            more = self.have(own, n_items)
            rows = np.concatenate([rows, np.repeat(own, np.diff(more.indptr))])
            items, weights = np.concatenate([items, more.indices]), np.concatenate([weights, more.data])
        return sparse.csr_array((weights, (rows, items)), shape=(len(self), n_items))

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all that differs from the base."""
        owners = list(self._histories)
        parts = [self._histories[user] for user in owners]
        return {
            "users": self.users.copy(),
            "placed": self.placed.copy(),
            "states": self.states.copy(),
            "items": self.items.copy(),
            "scores": self.scores.copy(),
            "labels": self.labels[self.users],
            "first_items": self._first_items.rows.copy(),
            "first_scores": self._first_scores.rows.copy(),
            "first_states": self._first_states.rows.copy(),
            "history_users": np.array(owners, np.int32),
            "history_ends": np.array([len(part[0]) for part in parts], np.int64).cumsum(),
            "history_items": np.concatenate([np.empty(0, np.int32), *(part[0] for part in parts)]),
            "history_weights": np.concatenate([np.empty(0, np.float32), *(part[1] for part in parts)]),
        }

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Put arrays from :meth:`arrays` into fresh users of the same base."""
        self._first_items.add(arrays["first_items"])
        self._first_scores.add(arrays["first_scores"])
        nobody = np.full(len(arrays["first_items"]), -1, np.int32)
        unheard = np.repeat(self._start_state[None], len(nobody), axis=0)  # a snapshot of 0.1.0 knows no others
        self._first_states.add(arrays.get("first_states", unheard))
        self._labels.add(nobody)
        self._slots.add(nobody)
        self.labels, self.slots = self._labels.rows, self._slots.rows
        self.touch(arrays["users"].astype(np.int64), arrays["placed"])
        self.states[:], self.items[:], self.scores[:] = arrays["states"], arrays["items"], arrays["scores"]
        self.labels[self.users] = arrays["labels"]
        self._newest = max(self._newest, int(arrays["history_items"].max(initial=-1)))
        ends = arrays["history_ends"]
        items, weights = (np.split(arrays[name], ends[:-1]) for name in ("history_items", "history_weights"))
        owners = arrays["history_users"].tolist()
        self._histories = dict(zip(owners, zip(items, weights, strict=False), strict=False))
