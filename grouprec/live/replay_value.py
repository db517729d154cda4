"""What events do to groups and lists: a held-out part replayed in time order through the live state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.spatial.distance import pdist

from grouprec.core.types import Groups
from grouprec.data.dataset import Interactions
from grouprec.live.state import LiveState
from grouprec.ranking.candidates import taste
from grouprec.ranking.group_lists import RANKING_DEPTH, member_matrix
from grouprec.ranking.metrics import hit_matrix, hit_rate, list_overlap, ndcg, precision
from grouprec.ranking.statistics import mean_interval, paired_difference
from grouprec.ranking.task import Task, dedup_lists, shared_lists
from grouprec.runs import schemas

N_WINDOWS = 10
K = 10
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.0)
WEIGHT_USERS, WEIGHT_EVENTS = 200, 12  # users, and events of each, that choose the weight
AHEAD = 10  # items they take next, which their lists are judged by


def replay(
    make_state: Callable[[], LiveState],
    part: Interactions,
    seed: int = 0,
    n_windows: int = N_WINDOWS,
    most_events: int = 20_000,
) -> pd.DataFrame:
    """Return what group lists are worth as a part is replayed in time order, frozen against updated, and the drift.

    The part is cut into windows of equal event counts. A window's events are predicted by the groups and lists as they
    stood before it: those of the start (frozen), and those that all earlier events made (updated). What counts is items
    that are new to the user. Then the window's events happen; equal times, and all where there are no times, come in an
    order drawn by the seed.

    Args:
        make_state: returns a state in which nothing of the part has happened.
        part: known users and items only. Of a larger part than ``most_events``, drawn users are replayed, at least one.
    Returns:
        A row per window, regime ("strict", "dedup") and metric ("precision@10", "hit_rate@10", "ndcg@10"), windows from
        1, with: ``frozen`` and ``updated``, means over the window's users who take something new; ``difference`` and
        its 95 % interval ``low``, ``high`` (NaN for fewer than 30 users);
        ``n_judged``, those users. NaN where there are none.
        The same for all rows of a window: ``n_events``, ``n_users``, ``until`` (time of its last event, seconds since
        1970, NaN without times) and, after its events: ``changed_group``, the share of users who are not in their first
        group; ``size_change``, the total variation between the groups' shares of users then and now; ``centre_shift``,
        the mean distance of groups' mean taste from their first, relative to the mean distance between groups at the
        start (NaN for one group); ``list_overlap``, the mean Jaccard index of the groups' strict ten with their first.
        No rows for an empty part.
    """
    rng = np.random.default_rng(seed)
    part = part.of_some_users(most_events, rng).in_time_order(rng)
    rows: list[dict[str, Any]] = []
    if len(part):
        state = make_state()
        known, first = state.histories(), _Picture.of(state)
        spread = _spread(first.centres)
        now = first
        for number, window in enumerate(np.array_split(np.arange(len(part)), min(n_windows, len(part))), start=1):
            events = part.take(window)
            values = _judge(first, now, Task.of(known, events))
            for together in events.rounds():
                state.events(events.user_rows[together], events.item_rows[together])
            known, now = known + events.matrix(known.shape), _Picture.of(state)
            same = {
                "window": number,
                "n_events": len(events),
                "n_users": len(np.unique(events.user_rows)),
                "until": np.nan if events.times is None else float(events.times[-1]),
                **_drift(first, now, spread),
            }
            rows += [{**same, **value} for value in values]
    return pd.DataFrame(rows, columns=schemas.named("replay").names)


def choose_weight(
    make_state: Callable[[float], LiveState], part: Interactions, seed: int = 0
) -> tuple[float, pd.DataFrame]:
    """Return how far the updater's change of opinion should count: the weight whose own lists foretell best.

    The first 12 events of at most 200 drawn users are replayed under every weight. Before each event, the user's own
    ten items are judged by nDCG@10 on what is new to them among the next ten items that they take.

    Args:
        make_state: returns, for a weight, a state in which nothing of the part has happened.
        part: the validation part, of known users and items.
    Returns:
        The weight, of equally good ones the first, and a table with a row per weight: ``weight``, ``ndcg@10`` (mean
        over users of their mean over events), ``low``, ``high`` (95 % interval over users). For an empty
        part the first weight and NaN.
    """
    rng = np.random.default_rng(seed)
    users = np.unique(part.user_rows)
    drawn = np.sort(rng.choice(users, min(WEIGHT_USERS, len(users)), replace=False))
    part = part.take(np.isin(part.user_rows, drawn)).in_time_order(rng)
    rows = []
    for weight in WEIGHTS:
        mean, low, high = mean_interval(_own_values(make_state(weight), part))
        rows.append({"weight": weight, f"ndcg@{K}": float(mean), "low": float(low), "high": float(high)})
    table = pd.DataFrame(rows)
    best = table[f"ndcg@{K}"].fillna(0).to_numpy().argmax()
    return WEIGHTS[int(best)], table


def _own_values(state: LiveState, part: Interactions) -> np.ndarray:
    """Return the mean nDCG@10 of every user's own lists before their first events, float64 [users]."""
    totals, counts = np.zeros(len(state.user_ids)), np.zeros(len(state.user_ids))
    known, steps = state.histories(), list(part.rounds())
    for number, rows in enumerate(steps[:WEIGHT_EVENTS]):
        task = Task.of(known, part.take(np.concatenate(steps[number : number + AHEAD])))
        users = np.intersect1d(task.users, part.user_rows[rows])
        if len(users):
            lists = np.full((len(users), K), -1, np.int32)
            for place, user in enumerate(users.tolist()):
                own, _ = state.user_list(user, K)
                lists[place, : len(own)] = own
            relevant = task.relevant[users]
            totals[users] += ndcg(hit_matrix(lists, relevant), np.diff(relevant.indptr), K)
            counts[users] += 1
        state.events(part.user_rows[rows], part.item_rows[rows])
        known = known + part.take(rows).matrix(known.shape)
    return totals[counts > 0] / counts[counts > 0]


@dataclass(frozen=True, eq=False)
class _Picture:
    """Groups and lists at one moment.

    Attributes:
        labels: int32 [U]; sizes: int64 [G].
        strict: int32 [G, 10]; ranking: int32 [G, 200].
        centres: float32 [G, I], mean taste of the members, 0 for an empty group.
    """

    labels: np.ndarray
    sizes: np.ndarray
    strict: np.ndarray
    ranking: np.ndarray
    centres: np.ndarray

    @staticmethod
    def of(state: LiveState) -> _Picture:
        lists = state.group_lists()
        groups = Groups(state.labels.copy(), len(state.sizes))
        sums = (member_matrix(groups) @ taste(state.candidates())).toarray()
        centres = sums / np.maximum(groups.sizes, 1)[:, None]
        return _Picture(groups.labels, groups.sizes, lists.strict[:, :K], lists.ranking[:, :RANKING_DEPTH], centres)

    def lists(self, regime: str, task: Task) -> np.ndarray:
        """Return the ten items that every judged user is shown, int32 [T, 10]."""
        if regime == "strict":
            return shared_lists(self.strict, self.labels, task, K)
        return dedup_lists(self.ranking, self.labels, task, K)


def _judge(first: _Picture, now: _Picture, task: Task) -> list[dict[str, Any]]:
    """Return the values of both regimes, frozen and updated, a dict per regime and metric."""
    relevant, rows = task.relevant[task.users], []
    names = (f"precision@{K}", f"hit_rate@{K}", f"ndcg@{K}")
    for regime in ("strict", "dedup"):
        frozen, updated = (_values(picture.lists(regime, task), relevant) for picture in (first, now))
        means = [v.mean(axis=0) if len(v) else np.full(len(names), np.nan) for v in (updated, frozen)]
        columns = [*means, *paired_difference(updated, frozen)[:3]]
        for name, values in zip(names, np.column_stack(columns).tolist(), strict=True):
            row = dict(zip(("updated", "frozen", "difference", "low", "high"), values, strict=True))
            rows.append({"regime": regime, "metric": name, **row, "n_judged": len(task.users)})
    return rows


def _values(lists: np.ndarray, relevant: sparse.csr_array) -> np.ndarray:
    """Return precision, hit rate and nDCG of every judged user, float64 [T, 3]."""
    hits = hit_matrix(lists, relevant)
    return np.column_stack([precision(hits, K), hit_rate(hits, K), ndcg(hits, np.diff(relevant.indptr), K)])


def _drift(first: _Picture, now: _Picture, spread: float) -> dict[str, float]:
    """Return how far groups and lists are from where they started."""
    there = (first.sizes > 0) & (now.sizes > 0)
    shift = np.linalg.norm(now.centres - first.centres, axis=1)[there]
    n_users = len(first.labels)
    return {
        "changed_group": float((now.labels != first.labels).mean()),
        "size_change": float(np.abs(now.sizes - first.sizes).sum() / 2 / n_users),
        "centre_shift": float(shift.mean() / spread) if spread > 0 else np.nan,
        "list_overlap": list_overlap(first.strict, now.strict),
    }


def _spread(centres: np.ndarray) -> float:
    """Return the mean distance between groups, 0 for one group."""
    return float(pdist(centres).mean()) if len(centres) > 1 else 0.0
