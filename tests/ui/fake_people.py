"""What the fake run's users have and are predicted to want: members of group g have, and want, block g of the items."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from grouprec.core.types import Candidates
from grouprec.ranking.candidates import make_preference
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run

N_CANDIDATES = 60


def add_people(run: Run, seed: int = 0) -> FitSnapshot:
    """Give a fake run of three groups the file of its final fit; return it.

    The first member of every group has the first three items of its block, the others draw theirs from the block.
    """
    rng = np.random.default_rng(seed)
    items, users = run.table("items"), run.table("users").query("in_training")
    labels = (users["group"].to_numpy() - 1).astype(np.int32)
    block, n_users = len(items) // 3, len(users)
    owned = np.zeros((n_users, len(items)), np.float32)
    for user, label in enumerate(labels):
        mine = np.arange(3) if user < 3 else rng.choice(block, 6, replace=False)
        owned[user, label * block + mine] = 1
    chances = rng.uniform(0.01, 0.2, owned.shape)
    inside = np.arange(len(items)) // block == labels[:, None]
    chances = np.where(inside, chances + 0.6, chances) * (owned == 0)
    order = np.argsort(-chances, axis=1)[:, :N_CANDIDATES]
    scores = np.take_along_axis(chances, order, axis=1)
    candidates = Candidates(order.astype(np.int32), scores.astype(np.float32), len(items))
    base = FitSnapshot(
        user_ids=users["user"].to_numpy(object),
        item_ids=items["item"].to_numpy(object),
        item_labels=items["label"].to_numpy(object),
        histories=sparse.csr_array(owned),
        candidates=candidates,
        labels=labels,
        n_groups=3,
        states=np.zeros((n_users, 1), np.float32),
        last_times=np.zeros(n_users),
        components=make_preference(candidates, size=8).components,
        weight=0.0,
        repeats=False,
    )
    base.save(run.snapshot())
    return base
