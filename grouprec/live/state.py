"""Users, groups and lists while events arrive: one event moves one user, and with them the sums of their group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.arrays import empty_csr
from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Candidates, DataError, GroupLists, Preference, Regime, SettingError, StorageError
from grouprec.data.dataset import Dataset, Interactions
from grouprec.live.chances import LiveChances
from grouprec.live.groups import LiveGroups
from grouprec.live.rows import positions, typical_chances
from grouprec.live.users import LiveUsers, Rows, Start
from grouprec.models.base import Grouper, Updater
from grouprec.models.fitting import RunOptions
from grouprec.models.placement import AttributePlacer, place_users
from grouprec.runs.snapshot import FitSnapshot, pack_text, unpack_text


@dataclass(frozen=True)
class Change:
    """What one event did. ``groups`` are those whose lists may have changed."""

    user_row: int
    item_row: int
    group_before: int
    group_after: int
    groups: tuple[int, ...]


class LiveState:
    """Users, groups and lists of a fit as events move them: the same events in the same order give the same bits.

    An event moves the updater's vector of its user by one step. The chance of every item is then

        logit(p_now) = logit(p_fit) + weight * (s_now - s_fit)

    with s the logarithm of the updater's chances at the present vector and at that of the fit. The user's candidates
    are the best of their candidates in the fit and of the 50 other items that rose most (which start from the chance
    of the last candidate), without what they have unless the fit has repeats. Their worth replaces the old one in the
    sums of the group, and the grouper's own rule says where the user belongs: they move when its answer changes.
    Attributes do not change with events, so a grouper by attributes moves nobody.

    Users of the file who were left out of training come in with what it says of them (``base.left_out``). Others
    start without history, in the group that their attributes suggest
    (:func:`~grouprec.models.placement.place_users`) and with its ranking as their candidates; where there is nothing
    to go by, in the largest group and with what all users want most, so that the first events tell where they belong.
    New items are part of the history of who takes them and are in no list before the next training; a known item that
    is like a new one stands in for it when taken. Lists are those of
    :func:`~grouprec.ranking.group_lists.members_mean`; strategies and diversity of the run are not read.

    Args:
        updater: the fitted stage whose vectors ``base.states`` are.
        grouper: the fitted stage whose groups ``base.labels`` are.
        attributes: those of the fit; where they are given, only their columns are read of a new user's.
        placer: places new users where it helps; None for a grouper that reads attributes itself.

    Attributes:
        n_events: events so far, judgements not counted.
        user_ids, item_ids, item_labels: current ones, new ones at the end.
    """

    def __init__(
        self,
        base: FitSnapshot,
        updater: Updater,
        grouper: Grouper,
        attributes: pd.DataFrame | None = None,
        placer: AttributePlacer | None = None,
    ) -> None:
        self._base, self._updater, self._grouper, self._placer = base, updater, grouper, placer
        self._by_attributes = grouper.reads_attributes
        self._columns = None if attributes is None else attributes.columns
        self._n_items = len(base.item_ids)
        self._shape = [len(base.user_ids), self._n_items, base.candidates.items.shape[1], base.n_groups]
        self._start_state = _start_state(updater, self._n_items)
        self._unit, self._least = typical_chances(base.candidates)
        left_out = [] if base.left_out is None else base.left_out.user_ids.tolist()
        self._left_out = {user_id: row for row, user_id in enumerate(left_out)}
        self._begin()

    def _begin(self) -> None:
        """Forget all that happened."""
        base = self._base
        self.n_events = 0
        self.user_ids, self.item_ids, self.item_labels = map(list, (base.user_ids, base.item_ids, base.item_labels))
        self._number()
        self._users = LiveUsers(base, self._start_state)
        self._groups = LiveGroups(base, self._users)
        self._stand_ins = Rows(np.arange(self._n_items))  # the known item that an item is taken for, -1 for none
        self._chances = LiveChances(base, self._updater, self._users, self._groups)

    def _number(self) -> None:
        self._user_rows = {user_id: row for row, user_id in enumerate(self.user_ids)}
        self._item_rows = {item_id: row for row, item_id in enumerate(self.item_ids)}

    @property
    def labels(self) -> np.ndarray:
        """Return the current groups, int32 [U']. Not to be changed."""
        return self._users.labels

    @property
    def sizes(self) -> np.ndarray:
        """Return the number of members of every group, int64 [G]; a group may lose all of them."""
        return self._groups.sizes.copy()

    def user_row(self, user_id: str) -> int | None:
        return self._user_rows.get(user_id)

    def item_row(self, item_id: str) -> int | None:
        return self._item_rows.get(item_id)

    def event(self, user_row: int, item_row: int) -> Change:
        """Let a user take an item, after all that happened so far."""
        before = int(self.labels[user_row])
        self.events(np.array([user_row]), np.array([item_row]))
        return self._change(user_row, item_row, before)

    def events(self, user_rows: np.ndarray, item_rows: np.ndarray) -> None:
        """Let many users take one item each: :meth:`event`, but for the rounding of sums over a batch.

        Raises:
            ValueError: a user appears twice.
        """
        if len(user_rows) > 1 and len(np.unique(user_rows)) < len(user_rows):
            raise ValueError("events() takes one event per user; give later ones in another call.")
        in_space = self._base.candidates.items.shape[1] * self._base.components.shape[1]
        size = rows_per_batch(max(self._n_items, in_space))
        for start in range(0, len(user_rows), size):
            self._take(user_rows[start : start + size], item_rows[start : start + size])
        self.n_events += len(user_rows)

    def add_user(self, user_id: str, attributes: Mapping[str, Any] | None = None) -> int:
        """Add a user and return the new row: with what the file says of them where they were left out of training.

        Raises:
            DataError: the id is known.
        """
        if user_id in self._user_rows:
            raise DataError(f"The user '{user_id}' is known already; send their events without adding them.")
        left_out = self._left_out.get(user_id)
        label, start = self._unheard_of(attributes) if left_out is None else self._told_by_the_file(left_out)
        user = self._users.add(label, start)
        self._groups.join(label, start.items, start.scores, self._users.history(user)[0])
        self.user_ids.append(user_id)
        self._user_rows[user_id] = user
        return user

    def left_out_row(self, user_id: str) -> int | None:
        """Return the row in the base's ``left_out`` of a user of the file who took no part in the fit."""
        return self._left_out.get(user_id)

    def _told_by_the_file(self, row: int) -> tuple[int, Start]:
        """Return the group of a user who was left out of training, and what they start with."""
        items, scores = self._no_candidates()
        left = self._base.left_out
        if left is None:
            raise IndexError(row)
        kept = min(len(items), left.candidates.items.shape[1])
        items[:kept], scores[:kept] = left.candidates.items[row, :kept], left.candidates.scores[row, :kept]
        first, end = left.histories.indptr[row : row + 2]
        history = left.histories.indices[first:end], left.histories.data[first:end]
        return int(left.labels[row]), Start(items, scores, left.states[row], history)

    def _no_candidates(self) -> tuple[np.ndarray, np.ndarray]:
        width = self._base.candidates.items.shape[1]
        return np.full(width, -1, np.int32), np.zeros(width, np.float32)

    def _unheard_of(self, attributes: Mapping[str, Any] | None) -> tuple[int, Start]:
        """Return the group of a user without history, and what they start with."""
        frame = pd.DataFrame([dict(attributes or {})])
        frame = frame if self._columns is None else frame.reindex(columns=self._columns)
        items, scores = self._no_candidates()
        width = len(items)
        preference = self._preference(Candidates(items[None], scores[None], self._n_items))
        no_history = empty_csr((1, self._n_items))
        label = int(place_users(self._grouper, preference, no_history, frame, self._placer)[0])
        told = bool(attributes) and (self._placer is not None or self._by_attributes)
        ranking, worth = self.group_list(label, "dedup", width) if told else self._groups.everybody(width)
        items[: len(ranking)] = ranking
        scores[: len(ranking)] = np.minimum(self._least + self._unit * worth, 0.999)  # from worth back to chances
        return label, Start(items, scores)

    def add_item(self, item_id: str, label: str = "", like: int | None = None) -> int:
        """Add an item and return the new row.

        Args:
            label: what people read; the id where it is empty.
            like: row of the item that stands in for it when it is taken; None if nothing is known of it.
        Raises:
            DataError: the id is known.
        """
        if item_id in self._item_rows:
            raise DataError(f"The item '{item_id}' is known already; send its events without adding it.")
        self._stand_ins.add(np.array([-1 if like is None else self._stand_ins.rows[like]]))
        self._item_rows[item_id] = len(self.item_ids)
        self.item_ids.append(item_id)
        self.item_labels.append(label or item_id)
        return len(self.item_ids) - 1

    def judge(self, item_row: int, factor: float, user_row: int | None = None, group: int | None = None) -> Change:
        """Set by how much what a user, or a whole group, is predicted to want of an item is multiplied.

        The last judgement of an item counts, so 1 takes an earlier one back. What the run's rules keep from a group
        stays away from it.

        Args:
            factor: 0 hides the item; above 1 brings it up.
            user_row: changes their chance, and through it their group's lists.
            group: changes its lists only, not those of its members.
        Returns:
            The change; -1 for a user who was not given.
        Raises:
            SettingError: the factor is negative or no number, or neither a user nor a group is given.
        """
        if not 0 <= factor < np.inf:
            raise SettingError(f"A judgement multiplies by 0 or more, not by {factor}; give 0 to hide an item.")
        if group is not None and item_row < self._n_items:
            self._groups.judge(group, item_row, factor)
        if user_row is not None:
            before = int(self.labels[user_row])
            self._chances.judge(int(user_row), int(item_row), factor)
            self._touch(np.array([user_row]))
            self._refresh(np.array([user_row]))
            return self._change(user_row, item_row, before, group)
        if group is None:
            raise SettingError("A judgement needs the user or the group that it is for; give one of them.")
        return Change(-1, int(item_row), int(group), int(group), (int(group),))

    def _change(self, user_row: int, item_row: int, before: int, group: int | None = None) -> Change:
        after = int(self.labels[user_row])
        groups = (before, after) if group is None else (before, after, int(group))
        return Change(int(user_row), int(item_row), before, after, tuple(dict.fromkeys(groups)))

    def _take(self, users: np.ndarray, items: np.ndarray) -> None:
        self._touch(users)
        slots, stand_ins, states = self._users.slots[users], self._stand_ins.rows[items], self._users.states
        known = stand_ins >= 0
        if known.any():
            states[slots[known]] = self._updater.update(states[slots[known]], stand_ins[known])
        first = self._users.take(users, items)
        self._groups.take(self.labels[users[first]], items[first])
        self._refresh(users)

    def _touch(self, users: np.ndarray) -> None:
        """Give the users slots; note what the grouper's rule says of them before anything happens to them."""
        users = users[self._users.slots[users] < 0]
        if len(users):
            candidates = Candidates(*self._users.current(users), self._n_items)
            histories = self._users.have(users, self._n_items)
            placed = self._place(users, candidates, histories)
            without_history = np.diff(histories.indptr) == 0  # they are where their attributes put them
            self._users.touch(users, np.where(without_history, self.labels[users], placed).astype(np.int32))

    def _refresh(self, users: np.ndarray) -> None:
        """Predict and place users anew, and count them again."""
        known = self._users
        slots, before, histories = known.slots[users], known.labels[users], known.have(users, self._n_items)
        old = Candidates(known.items[slots], known.scores[slots], self._n_items)
        new = self._chances.predict(users, histories)
        placed = self._place(users, new, histories)
        after = np.where(placed == known.placed[slots], before, placed)
        self._groups.move(before, old, after, new, histories)
        known.items[slots], known.scores[slots], known.placed[slots] = new.items, new.scores, placed
        known.labels[users] = after

    def _place(self, users: np.ndarray, candidates: Candidates, histories: sparse.csr_array) -> np.ndarray:
        """Return the groups of users by the grouper's own rule, int32 [B]."""
        if self._by_attributes:
            return self.labels[users]
        return self._grouper.place(self._preference(candidates), histories, _no_attributes(len(users)))

    def _preference(self, candidates: Candidates) -> Preference:
        components = self._base.components
        if not self._grouper.places_by_space:
            return Preference(candidates, np.empty((candidates.n_users, 0), np.float32), components)
        return Preference(candidates, positions(candidates, components), components)

    def user_list(self, user_row: int, depth: int = 50) -> tuple[np.ndarray, np.ndarray]:
        """Return a user's best items, int32, and the chances that they take them, float32; fewer where there are."""
        items, scores = (part[0] for part in self._users.current(np.array([user_row])))
        n = min(depth, int(np.count_nonzero(items >= 0)))
        return items[:n], scores[:n]

    def group_list(self, group: int, regime: Regime, depth: int = 50) -> tuple[np.ndarray, np.ndarray]:
        """Return a group's best items, int32, and their scores, float32; fewer where there are no more.

        Strict: the sum of the members' worth. Ranking: its mean over the members who lack the item. Items that nobody
        wants follow by popularity.
        """
        return self._groups.best(group, regime, depth)

    def group_lists(self) -> GroupLists:
        """Return the lists of all groups, made in full (:func:`~grouprec.ranking.group_lists.members_mean`), for
        exports.

        Its rankings fill the members' slots, which those of :meth:`group_list` do not.
        """
        return self._groups.lists(self._users)

    def candidates(self) -> Candidates:
        """Return what all users are predicted to want now, [U', N]."""
        return self._users.candidates()

    def histories(self) -> sparse.csr_array:
        """Return what all users have now, new items at the end, float32 CSR [U', I']."""
        return self._users.histories(len(self.item_ids))

    def difference(self) -> float:
        """Return the largest difference of the groups' sums and owners from a recount, relative to the largest."""
        return self._groups.difference(self._users)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything that changed since the base; sums are counted again from it, to the same bits."""
        pairs = np.argwhere(self._groups.factors != self._groups.first_factors())
        n_users, n_items = self._shape[:2]
        return {
            "shape": np.array(self._shape, np.int64),
            "n_events": np.array([self.n_events], np.int64),
            **self._users.arrays(),
            **pack_text("user_ids", self.user_ids[n_users:]),
            **pack_text("item_ids", self.item_ids[n_items:]),
            **pack_text("item_labels", self.item_labels[n_items:]),
            "stand_ins": self._stand_ins.rows[n_items:].copy(),
            **self._chances.arrays(),
            "judged_by_groups": pairs,
            "group_factors": self._groups.factors[tuple(pairs.T)],
        }

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Become the state that :meth:`arrays` was taken from, bit for bit.

        Raises:
            StorageError: it was taken from a state of another base.
        """
        if arrays["shape"].tolist() != self._shape:
            raise StorageError("The saved live state belongs to another fit; remove it to start anew from this one.")
        self._begin()
        self.n_events = int(arrays["n_events"][0])
        self.user_ids += unpack_text("user_ids", arrays).tolist()
        self.item_ids += unpack_text("item_ids", arrays).tolist()
        self.item_labels += unpack_text("item_labels", arrays).tolist()
        self._number()
        self._stand_ins.add(arrays["stand_ins"])
        self._users.load(arrays)
        self._chances.load(arrays)
        self._groups.factors[tuple(arrays["judged_by_groups"].T)] = arrays["group_factors"]
        self._groups.count(self._users)


def _start_state(updater: Updater, n_items: int) -> np.ndarray:
    """Return the vector of a user without events, float32 [H]."""
    ids, nobody, nothing = np.array([""] * n_items, object), np.array([""], object), Interactions.empty()
    data = Dataset("nobody", "", nobody, ids, nothing, nothing, nothing, ids)
    return updater.start(data, RunOptions())[0]


@lru_cache(maxsize=8)
def _no_attributes(n: int) -> pd.DataFrame:
    """Return a frame of ``n`` users of whom nothing is known."""
    return pd.DataFrame(index=range(n))
