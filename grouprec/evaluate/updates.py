"""What live updates are worth: the next item, predicted with the user frozen and with the user moving."""

from __future__ import annotations

from typing import Any

import numpy as np

from grouprec.contracts import Updater
from grouprec.data.dataset import Dataset, Interactions
from grouprec.training import RunOptions

CHUNK = 1024  # users whose scores over the whole catalogue are held at one time
N_RESAMPLES = 500


def evaluate_updates(
    updater: Updater, data: Dataset, part: Interactions, run: RunOptions, k: int = 10
) -> dict[str, Any]:
    """Return how well the next item is ranked, with each user's state frozen and with it updated by every event.

    Each user's events are replayed in time order; equal times, and all events where there are none, come in an
    order drawn by the seed. Where ``part`` is the test part, the validation part is replayed into the states first.
    Frozen: the state at the start of the part. Updated: the state after all events before the one to predict.
    All items are ranked, also those that the user has had (repeats are next items too); ties are broken at random.

    Args:
        updater: fitted on ``data.train``.
        data: the dataset that the updater was fitted on.
        part: the events to predict, ``data.validation`` or ``data.test``.
        run: seed of order, ties and bootstrap.
        k: length of the list.
    Returns:
        ``n_events``, ``n_users``, and ``hit_rate@k`` and ``ndcg@k``, each a dict of ``frozen`` and ``updated``: means
        over events, with ``frozen_interval`` and ``updated_interval``, 95 % bootstrap intervals over users. Empty
        parts give 0.
    """
    rng = run.rng("evaluate updates")
    states = updater.start(data, run)
    if part is data.test:
        for users, items in _steps(data.validation, rng):
            states[users] = updater.update(states[users], items)
    frozen, ranks, owners = states.copy(), {"frozen": [], "updated": []}, []
    for users, items in _steps(part, rng):
        ranks["frozen"].append(_ranks(updater, frozen[users], items, rng))
        ranks["updated"].append(_ranks(updater, states[users], items, rng))
        states[users] = updater.update(states[users], items)
        owners.append(users)
    _, owner = np.unique(np.concatenate([np.empty(0, np.int64), *owners]), return_inverse=True)
    n_users = int(owner.max(initial=-1)) + 1
    hit_rate, ndcg = {}, {}
    for name, parts in ranks.items():
        rank = np.concatenate([np.empty(0), *parts])
        hit_rate |= _summary(name, (rank < k).astype(float), owner, run)
        ndcg |= _summary(name, np.where(rank < k, 1 / np.log2(rank + 2), 0.0), owner, run)
    return {"n_events": len(owner), "n_users": n_users, f"hit_rate@{k}": hit_rate, f"ndcg@{k}": ndcg}


def _steps(part: Interactions, rng: np.random.Generator):
    """Yield the users with a t-th event and those events' items, for t = 0, 1, ...; every user once per step."""
    times = np.zeros(len(part)) if part.times is None else part.times
    order = np.lexsort((rng.random(len(part)), times, part.user_rows))
    users, items = part.user_rows[order], part.item_rows[order]
    counts = np.bincount(users)
    step = np.arange(len(users)) - (counts.cumsum() - counts)[users]
    by_step = np.argsort(step, kind="stable")
    for rows in np.split(by_step, np.bincount(step).cumsum()[:-1]) if len(step) else []:
        yield users[rows], items[rows]


def _ranks(updater: Updater, states: np.ndarray, items: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the rank of each item among all items, from 0, int64 [B]; ties in random order."""
    ranks = []
    for start in range(0, len(items), CHUNK):
        rows = slice(start, start + CHUNK)
        scores = updater.scores(states[rows])
        own = scores[np.arange(len(scores)), items[rows]][:, None]
        ties = (scores == own).sum(axis=1) - 1
        ranks.append((scores > own).sum(axis=1) + rng.integers(0, ties + 1))
    return np.concatenate(ranks)


def _summary(name: str, values: np.ndarray, owner: np.ndarray, run: RunOptions) -> dict[str, float | list[float]]:
    """Return the mean over events and its 95 % interval, users resampled with all their events."""
    if not len(values):
        return {name: 0.0, f"{name}_interval": [0.0, 0.0]}
    sums, counts = np.bincount(owner, values), np.bincount(owner)
    rng = run.rng("bootstrap updates")  # the same users for frozen and updated
    draws = rng.integers(0, len(sums), (N_RESAMPLES, len(sums)))
    means = sums[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return {name: float(values.mean()), f"{name}_interval": [float(low), float(high)]}
