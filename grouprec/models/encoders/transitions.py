"""What is taken after what: the next item from the latest ones."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse

from grouprec.core.arrays import empty_csr
from grouprec.core.types import Embeddings
from grouprec.data.dataset import Dataset
from grouprec.models.base import ALWAYS, PRESETS, Auto, Encoder, StageConfig, encoders, setting
from grouprec.models.encoders.linear import as_ones
from grouprec.models.encoders.sequences import in_time_order
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import NewItemTask

HALF_LIVES = (3.0, 10.0, 30.0)  # items; tried where the validation part decides
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
            10.0, ge=0.1, le=1000, description="Items after which one counts half", search=(2.0, 60.0)
        )
        tune: bool = setting(
            True,
            description="Try half-lives of 3, 10 and 30 items and keep the best on the validation part",
            quick=False,
        )
        n_rules: int = Field(500, ge=1, le=100_000, description="Strongest rules kept of every item")

    config: Config

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_rows * (n_rows / max(n_users, 1))

    def fit(self, data: Dataset, run: RunOptions) -> Self:
        self._items = strongest(self._rules(data, run), self.config.n_rules)
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
        """Return the weights of all rules, float32 CSR [I, I]: row j holds the items that j follows."""
        users, items = in_time_order(data.train, run.rng("transitions order"))
        rules = empty_csr((data.n_items, data.n_items))
        for distance in range(1, min(self.config.window, len(users) - 1) + 1):
            same = users[distance:] == users[:-distance]
            earlier, later = items[:-distance][same], items[distance:][same]
            weights = np.full(len(later), 1 / distance, np.float32)
            rules = rules + sparse.csr_array((weights, (later, earlier)), shape=rules.shape)
        takers = np.bincount(data.histories.indices, minlength=data.n_items).astype(np.float32)
        after, before = sparse.diags_array(np.maximum(takers, 1) ** -0.5), sparse.diags_array(1 / (takers + SMOOTHING))
        return sparse.csr_array((after @ rules @ before).astype(np.float32))

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


def strongest(rules: sparse.csr_array, n: int) -> sparse.csr_array:
    """Return the rules without all but the ``n`` strongest of every earlier item (column), CSR of the same shape."""
    columns = rules.tocsc()
    lengths = np.diff(columns.indptr)
    column = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((-columns.data, column))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - columns.indptr[column[order]]
    columns.data[rank >= n] = 0
    kept = columns.tocsr()
    kept.eliminate_zeros()
    kept.sort_indices()
    return sparse.csr_array(kept)
