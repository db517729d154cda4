"""What is taken after what: the next item from the latest ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field
from scipy import sparse

from grouprec.core.arrays import empty_csr, largest_entries, stable_order
from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Embeddings
from grouprec.data.dataset import Dataset
from grouprec.models.base import ALWAYS, PRESETS, Auto, Encoder, StageConfig, encoders, setting
from grouprec.models.encoders.linear import as_ones
from grouprec.models.encoders.sequences import in_time_order
from grouprec.models.fitting import RunOptions
from grouprec.ranking.candidates import promising
from grouprec.ranking.task import NewItemTask

HALF_LIVES = (0.3, 1.0, 3.0, 10.0, 30.0)  # items; tried where the validation part decides: 0.3 hears the last one alone
PAIRS = 1 << 24  # of an earlier and a later item, handled at once
CELLS = 1 << 19  # sums of pairs that the processor's cache holds
EVENTS = 1 << 17  # earlier events whose pairs are added up at a time
SPARSE = 16  # times as many sums as pairs: more are not held where they are 0
SMOOTHING = 5.0  # added to the number of users of the earlier item


@encoders.register(
    "transitions",
    title="Item transitions: what is taken after what",
    cite="Ludewig and Jannach 2018, Evaluation of Session-based Recommendation Algorithms (sequential rules)",
    called="item transitions",
    measured="no published figure has this protocol: rules are published for sessions. By time .242, EASE .205. A "
    "split at random tears gaps into the order that it reads.",
)
class TransitionsEncoder(Encoder):
    """Sequential rules: an item speaks for those that people took soon after it.

    The weight of a rule i -> j is the sum of 1 / distance over all histories in which j comes at most ``window`` items
    after i, divided by the users of i (plus 5) and the square root of the users of j. A user's latest items speak, an
    item counts half as much as one ``half_life`` items later. All sparse: user vector and item vectors are CSR with D
    = I. Departures from the paper: it speaks of the last item of a session only and does not normalise; without an
    order (``recent`` not given) all items of a history speak alike.

    Attributes:
        half_life: the one used in the end.
    """

    reads_order = True
    auto = Auto(PRESETS, turn=10)
    fold_rows = ALWAYS
    usual_seconds = 3.8

    class Config(StageConfig):
        window: int = setting(30, ge=1, le=200, description="Most items between the two of a rule", search=(3, 60))
        half_life: float = setting(
            10.0, ge=0.1, le=1000, description="Items after which one counts half", search=(0.3, 60.0)
        )
        tune: bool = Field(
            True, description="Try half-lives of 0.3 to 30 items and keep the best on the validation part"
        )
        n_rules: int = Field(500, ge=1, le=100_000, description="Strongest rules kept of every item")

    config: Config

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_rows * (n_rows / max(n_users, 1))

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        self._items = self._rules(data, run)
        self.half_life = self.config.half_life
        task = NewItemTask.sample(data, run.rng("transitions validation"))
        if self.config.tune and len(task):
            scores = {}
            for step, half_life in enumerate(HALF_LIVES, start=1):
                self.half_life = half_life
                vectors = self.encode(task.histories, task.attributes, task.recent)
                scores[half_life] = task.ndcg(Embeddings(vectors, self._items))
                run.on_progress(step / len(HALF_LIVES), {"half_life": half_life, "validation": scores[half_life]})
            self.half_life = max(scores, key=lambda one: scores[one])
            self.decided = {"half_life": self.half_life, "tune": False}
        return self

    def _rules(self, data: Dataset, run: RunOptions) -> sparse.csr_array:
        """Return the weights of the strongest rules, float32 CSR [I, I]: row j holds the items that j follows.

        Some earlier items at a time: of a large catalogue all rules are many times as many as are kept.
        """
        users, items = in_time_order(data.train, run.rng("transitions order"))
        takers = np.bincount(data.histories.indices, minlength=data.n_items).astype(np.float32)
        after, before = np.maximum(takers, 1) ** -0.5, 1 / (takers + SMOOTHING)
        window = min(self.config.window, max(len(users) - 1, 0))
        events, kept = _Events(users, items, window, data.n_items), []
        for earlier in _slices(events.starts * window):
            rules = events.sums(earlier)
            if isinstance(rules, np.ndarray):
                rules = _promising((rules * after) * before[earlier, None], self.config.n_rules)
            else:
                rules = sparse.diags_array(before[earlier]) @ (rules @ sparse.diags_array(after))
            kept.append(largest_entries(sparse.csr_array(rules.astype(np.float32)), self.config.n_rules))
        return sparse.csr_array(sparse.vstack(kept).T.tocsr())

    def items(self) -> sparse.csr_array:
        return self._items

    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> sparse.csr_array:
        if recent is None:
            return as_ones(histories)
        owner, place = np.nonzero(recent >= 0)
        weights = np.exp2((place - recent.shape[1] + 1) / self.half_life).astype(np.float32)
        return sparse.csr_array((weights, (owner, recent[owner, place])), shape=histories.shape)

    def arrays(self) -> dict[str, np.ndarray]:
        rules = self._items
        return {
            "weights": rules.data,
            "earlier": rules.indices,
            "starts": rules.indptr,
            "half_life": np.array([self.half_life]),
        }

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        n_items = len(arrays["starts"]) - 1
        rules = arrays["weights"], arrays["earlier"], arrays["starts"]
        self._items = sparse.csr_array(rules, shape=(n_items, n_items))
        self.half_life = float(arrays["half_life"][0])
        return self


class _Events:
    """All events, user after user in time order, and where those of every item stand."""

    def __init__(self, users: np.ndarray, items: np.ndarray, window: int, n_items: int) -> None:
        self._items, self._window, self._n_items = items, window, n_items
        self._places = stable_order(items)
        self.starts = np.append(0, np.bincount(items, minlength=n_items).cumsum())
        self._ends = np.bincount(users).cumsum()[users]  # of the user of every event
        self._distances = np.arange(1, window + 1)
        self._next = sliding_window_view(np.append(items[1:], np.zeros(max(window, 1), items.dtype)), max(window, 1))

    def sums(self, earlier: slice) -> np.ndarray | sparse.csr_array:
        """Return what pairs of some earlier items and all later ones add up to, float32 [E, I], CSR where few are."""
        n, at = earlier.stop - earlier.start, self._places[self.starts[earlier.start] : self.starts[earlier.stop]]
        if n > rows_per_batch(self._n_items, CELLS) or n * self._n_items > SPARSE * len(at) * self._window:
            return self._few_sums(at, earlier.start, n)
        sums = np.zeros(n * self._n_items)
        rows = np.repeat(np.arange(n), np.diff(self.starts[earlier.start : earlier.stop + 1])) * self._n_items
        for start in range(0, len(at), EVENTS):
            one, row = at[start : start + EVENTS], rows[start : start + EVENTS]
            there = self._distances < (self._ends[one] - one)[:, None]
            weights = np.where(there, 1 / self._distances, 0.0)
            sums += np.bincount((row[:, None] + self._next[one]).ravel(), weights.ravel(), len(sums))
        return sums.astype(np.float32).reshape(n, self._n_items)

    def _few_sums(self, at: np.ndarray, first: int, n: int) -> sparse.csr_array:
        """Return the sums of the pairs that begin at some events; ``n`` earlier items, the first of them ``first``."""
        sums = empty_csr((n, self._n_items))
        for distance in self._distances.tolist():
            one = at[at + distance < self._ends[at]]
            weights = np.full(len(one), 1 / distance, np.float32)
            pairs = self._items[one] - first, self._items[one + distance]
            sums = sums + sparse.csr_array((weights, pairs), shape=sums.shape)
        return sums


def _promising(rules: np.ndarray, n: int) -> sparse.csr_array:
    """Return the entries of dense rows, float32 [E, I], that the ``n`` largest are among, CSR; nothing is not one."""
    able = promising(rules, n)
    if able is None:
        return sparse.csr_array(rules)
    row, column = able[:2]
    kept = rules[row, column] > 0
    row, column = row[kept], column[kept]
    starts = np.append(0, np.bincount(row, minlength=len(rules)).cumsum())
    return sparse.csr_array((rules[row, column], column, starts), shape=rules.shape)


def _slices(pairs: np.ndarray) -> Iterator[slice]:
    """Yield the earlier items in parts whose pairs, and sums over all later items, fit in memory: at least one each.

    Args:
        pairs: int64 [I + 1], pairs of all items before every item, and of all.
    """
    start, n_items = 0, len(pairs) - 1
    while start < n_items:
        stop = max(start + 1, int(np.searchsorted(pairs, pairs[start] + PAIRS, side="right")) - 1)
        few = start + rows_per_batch(n_items, CELLS)
        if (few - start) * n_items <= SPARSE * (pairs[min(few, n_items)] - pairs[start]):
            stop = min(stop, few)
        yield slice(start, stop)
        start = stop
