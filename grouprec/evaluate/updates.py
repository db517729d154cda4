"""What live updates are worth: the next item, predicted with the user frozen, moving, and encoded anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
from scipy import sparse

from grouprec.data.dataset import RECENT, Dataset, Interactions
from grouprec.models.base import Updater
from grouprec.models.fitting import RunOptions
from grouprec.ranking.statistics import resampled_means

CHUNK = 256  # users whose scores over the whole catalogue are held at one time
N_RESAMPLES = 500
N_REENCODED = 2_000  # events that are predicted by users encoded anew

Reencode = Callable[[np.ndarray, sparse.csr_array, np.ndarray], np.ndarray]


def evaluate_updates(
    updater: Updater,
    data: Dataset,
    part: Interactions,
    run: RunOptions,
    k: int = 10,
    reencode: Reencode | None = None,
    most_events: int = 20_000,
) -> dict[str, Any]:
    """Return how well the next item is ranked, with each user's state frozen and with it updated by every event.

    Each user's events are replayed in time order; equal times, and all events where there are none, come in an
    order drawn by the seed. Where ``part`` is the test part, the validation part is replayed into the states first.
    Frozen: the state at the start of the part. Updated: the state after all events before the one to predict.
    Re-encoded: a full prediction from the same events, what an update stands in for.
    All items are ranked, also those that the user has had (repeats are next items too); ties are broken at random.

    Args:
        updater: fitted on ``data.train``.
        data: the dataset that the updater was fitted on.
        part: the events to predict, ``data.validation`` or ``data.test``.
        run: seed of order, ties and bootstrap.
        k: length of the list.
        reencode: returns the scores of all items, float [B, I], for user rows int [B], what these users have before
            an event, float32 CSR [B, I], and their latest items, int32 [B, 50], oldest first, -1 before the first.
        most_events: of a larger part, the events of users drawn by the seed.
    Returns:
        ``n_events``, ``n_users``, and ``hit_rate@k`` and ``ndcg@k``, each a dict of ``frozen`` and ``updated``, means
        over events, and ``updated_over_frozen``, their ratio. Every value has a 95 % bootstrap interval over users
        beside it, ``<name>_interval``. With ``reencode`` also ``re-encoded`` and ``updated_over_reencoded``, both on
        at most 2,000 events drawn by the seed, and ``drawn``: the same keys for all three on the drawn events.
        Ratios to 0 are None. Empty parts give 0.
    """
    rng = run.rng("evaluate updates")
    states = updater.start(data, run)
    after_validation = part is data.test
    events = part.of_some_users(most_events, rng).in_time_order(rng, by_user=True)
    if after_validation:
        earlier = data.validation.take(np.isin(data.validation.user_rows, events.user_rows))
        earlier = earlier.in_time_order(rng, by_user=True)
        for rows in earlier.rounds():
            users = earlier.user_rows[rows]
            states[users] = updater.update(states[users], earlier.item_rows[rows])
    updated = np.empty(len(events), np.int64)
    ranks = {"frozen": _frozen_ranks(updater, states, events, rng), "updated": updated}
    for rows in events.rounds():
        users, items = events.user_rows[rows], events.item_rows[rows]
        updated[rows] = _ranks(lambda part, users=users: updater.chances(states[users[part]]), items, rng)
        states[users] = updater.update(states[users], items)
    result = _summary(ranks, events.user_rows, k, run)
    if reencode is not None and len(events):
        _add_reencoded(result, ranks, events, data, after_validation, reencode, k, run)
    return result


def _frozen_ranks(updater: Updater, states: np.ndarray, events: Interactions, rng: np.random.Generator) -> np.ndarray:
    """Return the ranks of events, user after user, where nothing moves; every user's chances are computed once."""
    users, owner = np.unique(events.user_rows, return_inverse=True)
    ranks = [np.empty(0, np.int64)]
    for start in range(0, len(users), CHUNK):
        chances = updater.chances(states[users[start : start + CHUNK]])
        rows = slice(*np.searchsorted(owner, [start, start + CHUNK]).tolist())
        place = owner[rows] - start
        ranks.append(_ranks(lambda part, c=chances, p=place: c[p[part]], events.item_rows[rows], rng))
    return np.concatenate(ranks)


def _add_reencoded(
    result: dict[str, Any],
    ranks: Mapping[str, np.ndarray],
    events: Interactions,
    data: Dataset,
    after_validation: bool,
    reencode: Reencode,
    k: int,
    run: RunOptions,
) -> None:
    """Add the arm of the users encoded anew to the result."""
    rng = run.rng("re-encode")
    drawn = np.sort(rng.choice(len(events), min(N_REENCODED, len(events)), replace=False))
    before = data.before_test() if after_validation else data
    known, recent = data.known if after_validation else data.histories, before.recent()

    def scores(rows: slice) -> np.ndarray:
        return reencode(*_before(events, drawn[rows], known, recent, data.merge))

    anew = _ranks(scores, events.item_rows[drawn], rng)
    arms = {name: rank[drawn] for name, rank in ranks.items()} | {"re-encoded": anew}
    result["drawn"] = _summary(arms, events.user_rows[drawn], k, run)
    for metric in (f"hit_rate@{k}", f"ndcg@{k}"):
        added = ("re-encoded", "updated_over_reencoded")
        result[metric] |= {name: value for name, value in result["drawn"][metric].items() if name.startswith(added)}


def _before(
    events: Interactions, rows: np.ndarray, known: sparse.csr_array, recent: np.ndarray, merge: Literal["sum", "last"]
) -> tuple[np.ndarray, sparse.csr_array, np.ndarray]:
    """Return the users of some events, what they have before them, and their latest items, as ``reencode`` wants it.

    Args:
        events: user after user, each by time.
        rows: int [B], which of them.
        known: float32 CSR [U, I], what users have before the first event.
        recent: int32 [U, L], their latest items by then.
        merge: that of the dataset.
    """
    users = events.user_rows[rows]
    n_earlier = rows - np.searchsorted(events.user_rows, users)  # events of the user before each row
    owner = np.repeat(np.arange(len(rows)), n_earlier)
    earlier = np.arange(len(owner)) - np.repeat(n_earlier.cumsum() - n_earlier, n_earlier)
    taken = np.repeat(rows - n_earlier, n_earlier) + earlier
    more = Interactions(owner.astype(np.int32), events.item_rows[taken], events.weights[taken], earlier.astype(float))
    before = sparse.csr_array(known[users])
    histories = before + more.matrix(before.shape, merge)
    ago = np.arange(RECENT, 0, -1)  # 1 for the item just before
    inside = ago <= n_earlier[:, None]
    from_events = events.item_rows[np.maximum(rows[:, None] - ago, 0)]
    older = np.minimum(ago - n_earlier[:, None], RECENT)
    from_known = recent[users[:, None], RECENT - np.maximum(older, 1)]
    return users, sparse.csr_array(histories), np.where(inside, from_events, from_known).astype(np.int32)


def _ranks(scores_of: Callable[[slice], np.ndarray], items: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the rank of each item among all items, from 0, int64 [B]; ties in random order."""
    ranks = []
    for start in range(0, len(items), CHUNK):
        rows = slice(start, start + CHUNK)
        scores = scores_of(rows)
        own = scores[np.arange(len(scores)), items[rows]][:, None]
        ties = (scores == own).sum(axis=1) - 1
        ranks.append((scores > own).sum(axis=1) + rng.integers(0, ties + 1))
    return np.concatenate(ranks)


def _summary(ranks: Mapping[str, np.ndarray], users: np.ndarray, k: int, run: RunOptions) -> dict[str, Any]:
    """Return the numbers of events and users, and both metrics of all arms with their ratios."""
    _, owner = np.unique(users, return_inverse=True)
    hits = {name: (rank < k).astype(float) for name, rank in ranks.items()}
    gains = {name: np.where(rank < k, 1 / np.log2(rank + 2), 0.0) for name, rank in ranks.items()}
    return {
        "n_events": len(owner),
        "n_users": int(owner.max(initial=-1)) + 1,
        f"hit_rate@{k}": _means_and_ratios(hits, owner, run.seed),
        f"ndcg@{k}": _means_and_ratios(gains, owner, run.seed),
    }


def _means_and_ratios(values: Mapping[str, np.ndarray], owner: np.ndarray, seed: int) -> dict[str, Any]:
    """Return the arms' means over events and the ratios, with 95 % intervals, users resampled with all their events.

    A ratio's interval is that of the ratio of the means of one resample.
    """
    pairs = {f"updated_over_{name.replace('-', '')}": name for name in values if name != "updated"}
    if not len(owner):
        none = dict.fromkeys(pairs) | {f"{name}_interval": None for name in pairs}
        return dict.fromkeys(values, 0.0) | {f"{name}_interval": [0.0, 0.0] for name in values} | none
    per_user = np.column_stack([np.bincount(owner), *(np.bincount(owner, part) for part in values.values())])
    resampled = resampled_means(per_user, seed, N_RESAMPLES).astype(np.float64)
    draws = dict(zip(values, (resampled[:, 1:] / resampled[:, :1]).T, strict=True))
    result: dict[str, Any] = {}
    for name, part in values.items():
        result |= {name: float(part.mean()), f"{name}_interval": np.quantile(draws[name], [0.025, 0.975]).tolist()}
    for ratio, name in pairs.items():
        above = draws[name] > 0
        found = above.any()
        ratios = draws["updated"][above] / draws[name][above]
        result[ratio] = result["updated"] / result[name] if found else None
        result[f"{ratio}_interval"] = np.quantile(ratios, [0.025, 0.975]).tolist() if found else None
    return result
