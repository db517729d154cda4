"""Users encoded anew from all that they have by now, and how far that is from where single events left them."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.core.types import Candidates, Embeddings, Groups, Preference
from grouprec.data.dataset import RECENT
from grouprec.live.stream import Stream
from grouprec.models.base import Encoder
from grouprec.models.blend import Weights, make_predictor
from grouprec.ranking.candidates import place_preference
from grouprec.ranking.group_lists import LENGTH, members_mean
from grouprec.ranking.metrics import list_overlap
from grouprec.runs.stages import load_encoders, load_facts, load_stage
from grouprec.runs.store import Run, RunStore


@dataclass(frozen=True)
class Difference:
    """How users and lists differ when the users that events moved are encoded anew.

    Attributes:
        n_users: users encoded anew: those of the fit who have new items.
        same_group: share of them who land in the group that the events left them in.
        personal_overlap: mean Jaccard overlap of their own first ten items.
        list_overlap: mean Jaccard overlap of the groups' strict first ten.
        seconds: what it took.
    """

    n_users: int
    same_group: float
    personal_overlap: float
    list_overlap: float
    seconds: float


def reencode(store: RunStore, run: Run, stream: Stream) -> Difference:
    """Encode all users of the fit who have new items with the run's own encoders, and compare. Changes nothing.

    New users and new items are left out: the encoders do not know them before the next training. Encoders of
    sequences read what users had at first in any order, then their events in the order in which they came.

    Raises:
        StorageError: a stage of the run is gone.
    """
    begun = time.perf_counter()
    base, state = stream.base, stream.state
    n_users, n_items = len(base.user_ids), len(base.item_ids)
    histories = state.histories()[:n_users, :n_items]
    rows = np.flatnonzero(np.diff(histories.indptr) != np.diff(base.histories.indptr))
    before, labels = state.candidates().take(np.arange(n_users)), np.array(state.labels[:n_users])
    if not len(rows):
        return Difference(0, 1.0, 1.0, 1.0, time.perf_counter() - begun)
    recent = _recent(stream, rows)

    def embed(encoder: Encoder) -> Embeddings:
        return Embeddings(
            encoder.encode(histories[rows], pd.DataFrame(index=range(len(rows))), recent), encoder.items()
        )

    weights = Weights(**run.metrics()["blend"])
    facts = load_facts(run.item_facts)
    encoders = load_encoders(store, run)
    own = make_predictor(encoders, weights, facts, histories[rows], embed).candidates(before.items.shape[1], base.seed)
    space = Preference(own, np.empty((0, base.components.shape[1]), np.float32), base.components)
    attributes = pd.DataFrame(index=range(len(rows)))
    placed = load_stage(store, run, "grouper").place(place_preference(own, space), histories[rows], attributes)
    items, scores, moved = before.items.copy(), before.scores.copy(), labels.copy()
    items[rows], scores[rows], moved[rows] = own.items, own.scores, placed
    after = Candidates(items, scores, n_items)
    lists = [
        members_mean(candidates, Groups(group, base.n_groups), histories, base.seed).strict[:, :LENGTH]
        for candidates, group in ((before, labels), (after, moved))
        if np.bincount(group, minlength=base.n_groups).all()
    ]
    return Difference(
        len(rows),
        float((placed == labels[rows]).mean()),
        list_overlap(before.items[rows, :LENGTH], own.items[:, :LENGTH]),
        list_overlap(*lists) if len(lists) == 2 else float("nan"),
        time.perf_counter() - begun,
    )


def _recent(stream: Stream, rows: np.ndarray) -> np.ndarray:
    """Return the latest known items of users, oldest first, int32 [B, L], -1 before the first."""
    base, state = stream.base, stream.state
    taken: dict[int, list[int]] = {}
    for entry in stream.ledger.read():
        if entry.user is None or entry.verdict:
            continue
        user_row, item_row = state.user_row(entry.user), state.item_row(entry.item)
        if user_row is not None and item_row is not None and item_row < len(base.item_ids):
            taken.setdefault(user_row, []).append(item_row)
    table = np.full((len(rows), RECENT), -1, np.int32)
    for place, row in enumerate(rows):
        events = taken.get(int(row), [])
        start, end = base.histories.indptr[row : row + 2]
        items = [*base.histories.indices[start:end], *events][-RECENT:]
        table[place, RECENT - len(items) :] = items
    return table
