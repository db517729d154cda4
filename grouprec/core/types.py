"""The values that stages hand to one another. Plain frozen data; nothing here computes more than a product.

Shape letters, used in every docstring of the package: U users, I items, G groups, D embedding,
S preference space, Z latent, N candidates per user, B batch, K top-k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
from scipy import sparse

from grouprec.core.arrays import dense, product
from grouprec.core.errors import BusyError as BusyError  # what stages hand to one another when they cannot
from grouprec.core.errors import DataError as DataError
from grouprec.core.errors import GrouprecError as GrouprecError
from grouprec.core.errors import SettingError as SettingError
from grouprec.core.errors import StorageError as StorageError
from grouprec.core.errors import WorkerLostError as WorkerLostError

Texts: TypeAlias = "Sequence[str] | np.ndarray"  # str [n]
Rows: TypeAlias = "Sequence[int] | np.ndarray"  # int [n], of items or users
Regime = Literal["strict", "dedup"]  # everybody sees the same list, or everybody skips what they have
REGIMES: tuple[Regime, ...] = ("strict", "dedup")
Scale = Literal["linear", "log"]  # a score is a preference, 0 meaning none, or the logarithm of one


@dataclass(frozen=True, eq=False)
class Embeddings:
    """User and item vectors whose dot product is the predicted preference.

    Attributes:
        users: float32 [U, D], dense, or CSR where vectors are sparse (EASE: the history itself, D = I).
        items: float32 [I, D], dense, or CSR where they are sparse (neighbourhood methods).
    """

    users: np.ndarray | sparse.csr_array
    items: np.ndarray | sparse.csr_array

    def scores(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return the predicted preferences of a mini-batch of users, float32 [B, I]."""
        users, columns = self.users[rows], self._columns
        if isinstance(columns, np.ndarray) and not isinstance(users, np.ndarray):
            return np.asarray(product(users, columns), dtype=np.float32)
        return np.asarray(dense(users @ columns), dtype=np.float32)

    @cached_property
    def _columns(self) -> np.ndarray | sparse.csr_array:
        """Return the item vectors side by side, [D, I]; sparse ones as CSR, which a product would make of them anew."""
        return self.items.T if isinstance(self.items, np.ndarray) else self.items.T.tocsr()


@dataclass(frozen=True, eq=False)
class Candidates:
    """Each user's best unseen items, best first.

    Attributes:
        items: int32 [U, N]; -1 where a user has fewer than N unseen items.
        scores: float32 [U, N], descending; 0 where ``items`` is -1.
        n_items: size of the catalogue, I.
    """

    items: np.ndarray
    scores: np.ndarray
    n_items: int

    @property
    def n_users(self) -> int:
        return len(self.items)

    def matrix(self) -> sparse.csr_array:
        """Return the same as CSR float32 [U, I]; items outside the candidates are absent."""
        known = self.items >= 0
        starts = np.concatenate([[0], known.sum(axis=1).cumsum()])
        shape = (self.n_users, self.n_items)
        return sparse.csr_array((self.scores[known], self.items[known], starts), shape=shape)

    def take(self, rows: np.ndarray) -> Candidates:
        """Return the candidates of the given user rows, in that order."""
        return Candidates(self.items[rows], self.scores[rows], self.n_items)


@dataclass(frozen=True, eq=False)
class Preference:
    """What the encoder predicts, in the two forms that later stages read.

    Attributes:
        candidates: the best unseen items of every user.
        space: float32 [U, S], users in the reduced preference space (clustering, map).
        components: float32 [I, S], takes normalised candidate scores into ``space``.
    """

    candidates: Candidates
    space: np.ndarray
    components: np.ndarray


@dataclass(frozen=True, eq=False)
class Groups:
    """Which group every user belongs to. ``labels`` is int32 [U] in 0..n_groups-1; no group is empty."""

    labels: np.ndarray
    n_groups: int

    @property
    def sizes(self) -> np.ndarray:
        """Return the number of members of every group, int64 [G]."""
        return np.bincount(self.labels, minlength=self.n_groups)


@dataclass(frozen=True, eq=False)
class GroupLatents:
    """Groups as distributions in latent space.

    Attributes:
        users: float32 [U, Z], posterior mean of every user.
        mean: float32 [G, Z], mean of every group.
        std: float32 [G, Z], standard deviation of every group, > 0.
    """

    users: np.ndarray
    mean: np.ndarray
    std: np.ndarray


@dataclass(frozen=True, eq=False)
class GroupLists:
    """The two lists of every group (design section 5); rows are groups, best item first.

    Attributes:
        strict: int32 [G, K]; everybody in the group sees the same items.
        strict_scores: float32 [G, K].
        ranking: int32 [G, K']; each member drops what they already have, then takes the top.
        ranking_scores: float32 [G, K'].
    Items are -1 where the catalogue is shorter than the list.
    """

    strict: np.ndarray
    strict_scores: np.ndarray
    ranking: np.ndarray
    ranking_scores: np.ndarray
