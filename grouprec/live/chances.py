"""What users are predicted to want after events: the candidates of the fit, moved by the updater and by judgements."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from grouprec.core.types import Candidates
from grouprec.live.groups import LiveGroups
from grouprec.live.rows import best_of_pool, shift
from grouprec.live.users import LiveUsers
from grouprec.models.base import Updater
from grouprec.runs.snapshot import FitSnapshot

RISERS = 50  # items from outside the candidates that an event may bring in: those that rose most


class LiveChances:
    """The chances of items for users to whom something happened: the formula of
    :class:`~grouprec.live.state.LiveState`.

    Attributes:
        factors: by user and item, what was said of items on behalf of a user.
    """

    def __init__(self, base: FitSnapshot, updater: Updater, users: LiveUsers, groups: LiveGroups) -> None:
        self._base, self._updater, self._users, self._groups = base, updater, users, groups
        self._n_items = len(base.item_ids)
        self.factors: dict[int, dict[int, float]] = {}

    def judge(self, user: int, item: int, factor: float) -> None:
        """Set by how much a user's chance of an item is multiplied."""
        self.factors.setdefault(user, {})[item] = factor

    def predict(self, users: np.ndarray, histories: sparse.csr_array) -> Candidates:
        """Return the candidates of users with slots, after all that happened to them."""
        items, chances, states = self._users.start(users)
        growth = self._growth(self._users.states[self._users.slots[users]], states)
        judged = [(row, self.factors[user]) for row, user in enumerate(users.tolist()) if user in self.factors]
        push = self._open(growth.copy(), histories, judged)
        rows, listed, at = np.arange(len(users))[:, None], items >= 0, np.maximum(items, 0)
        allowed = listed & (push[rows, at] > 0)
        push[np.nonzero(listed)[0], items[listed]] = 0
        first = max(self._n_items - RISERS, 0)
        risers = np.argpartition(push, first, axis=1)[:, first:]
        allowed = np.concatenate([allowed, push[rows, risers] > 1], axis=1)
        last = np.where(listed, chances, 1).min(axis=1)
        pool = np.concatenate([at, risers], axis=1)
        chances = np.concatenate([chances, np.repeat(last[:, None], risers.shape[1], axis=1)], axis=1)
        chances = np.where(allowed, shift(chances, self._base.weight * np.log(growth[rows, pool])), 0)
        for row, factors in judged:
            chances[row] *= [factors.get(item, 1.0) for item in pool[row].tolist()]
        return Candidates(*best_of_pool(pool, np.minimum(chances, 1), items.shape[1]), self._n_items)

    def _growth(self, now: np.ndarray, before: np.ndarray) -> np.ndarray:
        """Return the updater's chances at a vector over those at another, [B, I]; vectors [B, H]."""
        if not self._base.weight:
            return np.ones((len(now), self._n_items), np.float32)
        chances = self._updater.chances(np.concatenate([now, before]))
        return chances[: len(now)] / chances[len(now) :]

    def _open(
        self, push: np.ndarray, histories: sparse.csr_array, judged: list[tuple[int, dict[int, float]]]
    ) -> np.ndarray:
        """Return how far items push into the lists, [B, I]: 0 what may not be listed, inf what was judged well."""
        for row, factors in judged:
            push[row, [item for item, factor in factors.items() if factor > 1 and item < self._n_items]] = np.inf
        if self._groups.excluded.any():
            push[:, self._groups.excluded] = 0
        if not self._base.repeats:
            rows = np.repeat(np.arange(len(push)), np.diff(histories.indptr))
            push[rows, histories.indices] = 0
        return push

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all judgements on behalf of users."""
        judged = [(user, item) for user, factors in self.factors.items() for item in factors]
        return {
            "judged_by_users": np.array(judged, np.int64).reshape(-1, 2),
            "user_factors": np.array([self.factors[user][item] for user, item in judged], np.float64),
        }

    def load(self, arrays: dict[str, np.ndarray]) -> None:
        """Take up the judgements of :meth:`arrays`."""
        factors = arrays["user_factors"].tolist()
        for (user, item), factor in zip(arrays["judged_by_users"].tolist(), factors, strict=True):
            self.judge(user, item, factor)
