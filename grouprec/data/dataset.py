"""Prepared data: ids on the outside, row numbers inside, one table per part of the split."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.data.beside import Beside
from grouprec.data.interactions import Interactions, time_order

RECENT = 50  # latest items of a user that encoders of sequences read


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Users of the file who take no part in training (too few rows, robots) but still get a group and lists.

    Attributes:
        user_ids: str [V].
        rows: what they did with items of the dataset, training part only; somebody may have none.
        histories: the same as float32 CSR [V, I].
        attributes: V rows, those of the users file.
        beside: what else is known of them.
    """

    user_ids: np.ndarray
    rows: Interactions
    histories: sparse.csr_array
    attributes: pd.DataFrame
    beside: Beside = field(default_factory=Beside)


@dataclass(frozen=True, eq=False)
class NewItems:
    """Items of the items file that take no part in training (nobody has them, or too few) but can still be listed.

    Attributes:
        ids, labels: object arrays of str [C].
        attributes: C rows, columns as those of the dataset's items.
        vectors: float32 [C, V], or None; as :attr:`Dataset.item_vectors`.
    """

    ids: np.ndarray
    labels: np.ndarray
    attributes: pd.DataFrame
    vectors: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything the stages read. Users and items are those of the training part; all else refers to them.

    Attributes:
        name: what the user calls it.
        key: hex digest of the files and the preparation settings; equal keys mean equal data.
        user_ids: object array of str [U], as in the file.
        item_ids: object array of str [I], as in the file.
        train, validation, test: parts of the split; validation and test may be empty and hold known
            users and items only.
        item_labels: object array of str [I]; the id where there is no label.
        user_attributes: U rows, any number of columns (numeric or text), computed from training rows only.
        item_attributes: I rows, any number of columns.
        item_vectors: float32 [I, V], embeddings that the items file holds, each of length 1 (several side by side);
            zeros where an item has none; None without such columns.
        new_items: of the items file; None where there is no such file.
        merge: how several rows of one user and item make one history entry.
        beside: what is known of the users from other files than of their rows and attributes.
    """

    name: str
    key: str
    user_ids: np.ndarray
    item_ids: np.ndarray
    train: Interactions
    validation: Interactions
    test: Interactions
    item_labels: np.ndarray
    user_attributes: pd.DataFrame = field(default_factory=pd.DataFrame)
    item_attributes: pd.DataFrame = field(default_factory=pd.DataFrame)
    item_vectors: np.ndarray | None = None
    new_items: NewItems | None = None
    merge: Literal["sum", "last"] = "sum"
    left_out: LeftOut | None = None
    beside: Beside = field(default_factory=Beside)
    _recent: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    @property
    def n_users(self) -> int:
        return len(self.user_ids)

    @property
    def n_items(self) -> int:
        return len(self.item_ids)

    @property
    def shape(self) -> tuple[int, int]:
        return self.n_users, self.n_items

    @property
    def timed(self) -> bool:
        return self.train.times is not None

    @cached_property
    def histories(self) -> sparse.csr_array:
        """Return the training part as float32 CSR [U, I]. Shared: never change it."""
        return self.train.matrix(self.shape, self.merge)

    @cached_property
    def known(self) -> sparse.csr_array:
        """Return what users have by the time of the test part: training and validation, float32 CSR [U, I]."""
        return (self.histories + self.validation.matrix(self.shape, self.merge)).tocsr()

    @property
    def to_find(self) -> Interactions:
        """Return the validation rows of items that somebody has in training: of others nothing can be foretold."""
        return self.validation.take((self.popularity > 0)[self.validation.item_rows])

    @cached_property
    def popularity(self) -> np.ndarray:
        """Return the share of users who have each item in training, float32 [I]."""
        users = np.bincount(self.histories.indices, minlength=self.n_items)
        return (users / max(self.n_users, 1)).astype(np.float32)

    @cached_property
    def known_of_users(self) -> pd.DataFrame:
        """Return attributes, and beside them what else is known of the users by now, U rows numbered from 0. Shared."""
        return self._with(self.user_attributes, self.beside, self.n_users, self.train)

    def known_of_left_out(self) -> pd.DataFrame:
        """Return the same of the users left out of training, V rows; there must be some."""
        left = self.left_out
        assert left is not None
        return self._with(left.attributes, left.beside, len(left.user_ids), left.rows)

    def _with(self, attributes: pd.DataFrame, beside: Beside, n: int, rows: Interactions) -> pd.DataFrame:
        known = attributes.reset_index(drop=True) if len(attributes) else pd.DataFrame(index=pd.RangeIndex(n))
        more = beside.frame(n, self.train if beside.split == "time" else rows, self.histories)
        return pd.concat([known, more], axis=1) if len(more.columns) else known

    def recent(self, length: int = RECENT) -> np.ndarray:
        """Return the users' latest training items, int32 [U, length], oldest first, -1 before the first. Shared.

        Equal times, and all rows where there are no times, come in an order that is drawn once and for all: the
        order of rows in a file may leak what was bought together (design section 6f).
        """
        if length not in self._recent:
            self._recent[length] = self._latest(length)
        return self._recent[length]

    def _latest(self, length: int) -> np.ndarray:
        train = self.train
        times = np.zeros(len(train)) if train.times is None else train.times
        order = time_order(times, np.random.default_rng(0).random(len(train)), train.user_rows)
        users, items = train.user_rows[order], train.item_rows[order]
        counts = np.bincount(users, minlength=self.n_users)
        from_end = counts.cumsum()[users] - np.arange(len(users))  # 1 for the latest
        kept = from_end <= length
        table = np.full((self.n_users, length), -1, np.int32)
        table[users[kept], length - from_end[kept]] = items[kept]
        return table

    def before_test(self) -> Dataset:
        """Return training and validation as one training part, and nothing else: what is known before the test."""
        train, more = self.train, self.validation
        times = None if train.times is None or more.times is None else np.concatenate([train.times, more.times])
        both = Interactions(
            np.concatenate([train.user_rows, more.user_rows]),
            np.concatenate([train.item_rows, more.item_rows]),
            np.concatenate([train.weights, more.weights]),
            times,
        )
        nothing = Interactions.empty(self.timed)
        return replace(self, key=f"{self.key} before test", train=both, validation=nothing, test=nothing)

    def of_left_out(self) -> Dataset | None:
        """Return the users left out of training as the users of a dataset of the same items; None where all train."""
        left, nothing = self.left_out, Interactions.empty(self.timed)
        if left is None or not len(left.user_ids):
            return None
        parts = {"train": left.rows, "validation": nothing, "test": nothing}
        about = {"user_attributes": left.attributes, "beside": Beside(), "left_out": None}
        return replace(self, key=f"{self.key} left out", user_ids=left.user_ids, **about, **parts)

    def last_times(self) -> np.ndarray:
        """Return when every user did something last in training, seconds since 1970, -inf where nothing is known."""
        times = np.full(self.n_users, -np.inf)
        if self.train.times is not None:
            np.maximum.at(times, self.train.user_rows, self.train.times)
        return times

    def without_validation(self) -> Dataset:
        """Return the same data with an empty validation part: a window as somebody knew it at its beginning."""
        return self._same_training(key=f"{self.key} alone", validation=Interactions.empty(self.timed))

    def without_test(self) -> Dataset:
        """Return the same data with an empty test part: what stages are allowed to see."""
        return self._same_training(test=Interactions.empty(self.timed))

    def _same_training(self, **changes: Any) -> Dataset:
        """Return a dataset with other parts, which shares what has been made of the training part."""
        other = replace(self, **changes)
        for name in ("histories", "popularity", "known_of_users", "_recent"):
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        return other
