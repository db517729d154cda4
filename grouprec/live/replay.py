"""The held-out part of a run, event by event, through the fit that never saw it: in memory, nothing is kept on disk."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from sklearn.preprocessing import normalize

from grouprec.core.types import Candidates, StorageError
from grouprec.live.beginning import start
from grouprec.live.state import LiveState
from grouprec.ranking.candidates import taste
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run, RunStore

LENGTH = 10  # items of a list that are compared
NEAREST = 10  # users whose places on the map make up a moved user's place
LANDMARKS = 20_000  # users among whom the nearest are looked for, at most


@dataclass(frozen=True)
class Step:
    """The last event that was replayed; rows and groups from 0."""

    user: str
    item: str
    label: str
    time: float
    user_row: int
    group_before: int
    group_after: int


class Replay:
    """Held-out events through a live state, and what they have changed so far. Not for several threads at once.

    Args:
        base: of the state.
        state: before any event.
        events: columns user, item, label, time (seconds, NaN without), in the order in which they are replayed.
        users: columns user, x, y: where users are on the map, NaN where they are not.

    Attributes:
        base, state: as given.
        events: as given.
        done: events so far.
        last: the last one, None before the first.
        moved: rows of the users whom an event has put into another group, back again or not.
        acted: rows of the users with events so far.
    """

    def __init__(self, base: FitSnapshot, state: LiveState, events: pd.DataFrame, users: pd.DataFrame) -> None:
        self.base, self.state, self.events = base, state, events
        self.done, self.last = 0, None
        self.moved: set[int] = set()
        self.acted: set[int] = set()
        self._users, self._items, self._labels, self._times = (
            events[name].tolist() for name in ("user", "item", "label", "time")
        )
        self._seconds = np.empty(len(events))  # of the events so far
        self._moved = np.empty(len(events), np.int32)
        self._first = [self._list(group) for group in range(base.n_groups)]
        self._now = list(self._first)
        self._landmarks = _Landmarks(base, users)

    @classmethod
    def of(cls, store: RunStore, run: Run) -> Replay:
        """Return the replay of a run's held-out part through the fit that it was held out from.

        Raises:
            StorageError: the run kept no held-out part, or nothing to start from.
        """
        events = run.table("held_out")
        if events.empty:
            raise StorageError(f"The run {run.run_id} held nothing out: its data was too small to split.")
        return cls(*start(store, run, "judged"), events, run.table("users"))

    def __len__(self) -> int:
        return len(self.events)

    def step(self, n: int = 1, seconds: float = np.inf) -> int:
        """Replay up to ``n`` more events, at least one, within a time; return how many."""
        begun, first = time.perf_counter(), self.done
        last = min(self.done + n, len(self))
        while self.done < last and (self.done == first or time.perf_counter() - begun < seconds):
            self._take(self.done)
            self.done += 1
        return self.done - first

    def to_a_change(self, most: int, seconds: float) -> None:
        """Replay up to an event that leaves its group another list than before, within a number and a time."""
        begun, last = time.perf_counter(), min(self.done + most, len(self))
        while self.done < last and time.perf_counter() - begun < seconds:
            self.step()
            group = -1 if self.last is None else self.last.group_after
            first, now = self.lists(group)
            if first != now:
                return

    def _take(self, place: int) -> None:
        state, user, item = self.state, self._users[place], self._items[place]
        begun = time.perf_counter()
        user_row, item_row = state.user_row(user), state.item_row(item)
        user_row = state.add_user(user) if user_row is None else user_row
        item_row = state.add_item(item, self._labels[place]) if item_row is None else item_row
        change = state.event(user_row, item_row)
        for group in change.groups:
            self._now[group] = self._list(group)
        self._seconds[place] = time.perf_counter() - begun
        self.acted.add(user_row)
        if change.group_before != change.group_after:
            self.moved.add(user_row)
        self._moved[place] = len(self.moved)
        groups = change.group_before, change.group_after
        self.last = Step(user, item, self._labels[place], self._times[place], user_row, *groups)

    def _list(self, group: int) -> list[int]:
        return self.state.group_list(group, "strict", LENGTH)[0].tolist()

    def lists(self, group: int) -> tuple[list[int], list[int]]:
        """Return the first ten items of a group's strict list before the first event, and now."""
        return self._first[group], self._now[group]

    def user_lists(self, user_row: int) -> tuple[list[int], list[int]]:
        """Return a user's first ten items before the first event (none for a user who is new), and now."""
        known = self.base.candidates.items[user_row, :LENGTH] if user_row < len(self.base.labels) else np.empty(0, int)
        return known[known >= 0].tolist(), self.state.user_list(user_row, LENGTH)[0].tolist()

    @property
    def changed_lists(self) -> int:
        """Return how many groups have another list now than before the first event."""
        return sum(first != now for first, now in zip(self._first, self._now, strict=True))

    def latency(self) -> tuple[float, float]:
        """Return the median and the 99th percentile of the seconds from event to lists; NaN before any event."""
        if not self.done:
            return float("nan"), float("nan")
        median, high = np.percentile(self._seconds[: self.done], [50, 99])
        return float(median), float(high)

    def curve(self, points: int = 200) -> pd.DataFrame:
        """Return how many users had moved after how many events: events, users; about ``points`` rows, both ends."""
        places = np.unique(np.linspace(0, self.done, min(self.done, points) + 1).astype(int))
        users = np.append(0, self._moved)[places]
        return pd.DataFrame({"events": places, "users": users})

    def places(self, user_row: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where a user was on the map and where their taste puts them now, float [2] each, NaN if unknown."""
        n_items = self.base.candidates.n_items
        items, scores = self.state.user_list(user_row, n_items)
        return self._landmarks.places(user_row, Candidates(items[None], scores[None], n_items))


class _Landmarks:
    """Users whose place on the map and whose taste are known: a moved user is put between those of like taste."""

    def __init__(self, base: FitSnapshot, users: pd.DataFrame) -> None:
        self._base = base
        self._map = users.set_index("user")[["x", "y"]].reindex(base.user_ids).to_numpy(np.float64)
        known = np.flatnonzero(np.isfinite(self._map).all(axis=1))
        if len(known) > LANDMARKS:
            known = np.sort(np.random.default_rng(base.seed).choice(known, LANDMARKS, replace=False))
        self._rows = known

    @cached_property
    def _tastes(self) -> np.ndarray:
        """What the landmarks want, float32 [L, S]; computed only where there are any."""
        return self._directions(self._base.candidates.take(self._rows))

    def _directions(self, candidates: Candidates) -> np.ndarray:
        """Return tastes in the space of the fit at length 1, float32 [B, S]; 0 for those of whom it knows nothing.

        At their own length all moved users would lie nearest to the few whose tastes the space hardly holds, as it
        hardly holds theirs.
        """
        return normalize(taste(candidates) @ self._base.components)

    def places(self, user_row: int, candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
        """Return a user's place before and after: the mean over the nearest by taste, weighted by 1 / distance.

        The user of before is one of them, so whose taste stays the same stays where they are.
        """
        old = self._map[user_row] if user_row < len(self._map) else np.full(2, np.nan)
        now = self._directions(candidates)
        if not len(self._rows) or not now.any():
            return old, old
        places, tastes = self._map[self._rows], self._tastes
        if np.isfinite(old).all():
            before = self._directions(self._base.candidates.take(np.array([user_row])))
            places, tastes = np.vstack([places, old]), np.vstack([tastes, before])
        distances = np.sqrt(np.maximum(2 - 2 * (tastes @ now[0]), 0))
        nearest = np.argsort(distances, kind="stable")[:NEAREST]
        weights = 1 / np.maximum(distances[nearest], 1e-6)
        return old, weights @ places[nearest] / weights.sum()
