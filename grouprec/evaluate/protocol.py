"""The evaluation: every member is served by a list and judged on what they took next.

Three regimes, never mixed. ``individual``: every user has a list of their own. ``strict``: everybody in a group sees
the same list, items they have already included. ``dedup``: everybody drops what they have from the group's ranking
and takes the top. Targets are items new to the user; all lists are ranked against the full catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.types import Candidates, GroupLists, Groups, Regime
from grouprec.evaluate import baselines
from grouprec.evaluate.oracle import best_strict
from grouprec.ranking.metrics import (
    ACCURACY,
    CUTOFFS,
    DEPTH,
    accuracy,
    coverage,
    gini,
    hit_matrix,
    novelty,
)
from grouprec.ranking.statistics import mean_interval
from grouprec.ranking.task import Task, dedup_lists, individual_lists, shared_lists

METRICS = (*ACCURACY, "novelty@10")  # columns of Measured.values
HEADLINES = ["precision@10", "ndcg@10", "hit_rate@10"]


@dataclass(frozen=True, eq=False)
class Measured:
    """One method's lists, judged.

    Attributes:
        method, regime: what it is; regime is individual, strict or dedup.
        values: float64 [T, M], the metrics ``METRICS`` of every judged user.
        whole: metrics of all lists together, which have no value per user.
        labels: the groups that the lists were made for, int32 [U]; None for individual lists.
    """

    method: str
    regime: str
    values: np.ndarray
    whole: dict[str, float]
    labels: np.ndarray | None = None

    def of(self, metric: str) -> np.ndarray:
        """Return one metric of every judged user, float64 [T]."""
        return self.values[:, METRICS.index(metric)]


@dataclass(frozen=True)
class Row:
    """The mean of a metric over users with its 95 % interval (NaN where there is none)."""

    method: str
    regime: str
    metric: str
    value: float
    low: float
    high: float
    n_users: int


def measure(method: str, regime: str, lists: np.ndarray, task: Task, labels: np.ndarray | None = None) -> Measured:
    """Judge one list per judged user.

    Args:
        lists: int32 [T, K], in the order of ``task.users``, best first, -1 where there is no item.
        labels: the groups behind shared lists, int32 [U].
    """
    lists = lists[:, :DEPTH]
    hits = hit_matrix(lists, task.relevant[task.users])
    values = np.column_stack([accuracy(hits, task.n_relevant), novelty(lists, task.bits)])
    _, n_items = task.seen.shape
    return Measured(
        method, regime, values, {"coverage@10": coverage(lists, n_items), "gini@10": gini(lists, n_items)}, labels
    )


def measure_one(method: str, regime: str, lists: GroupLists, groups: Groups, task: Task) -> Measured:
    """Judge a group method in one of the two regimes, by the list that is made for it."""
    labels = groups.labels
    if regime == "strict":
        return measure(method, regime, shared_lists(lists.strict, labels, task), task, labels)
    return measure(method, regime, dedup_lists(lists.ranking, labels, task), task, labels)


def measure_both(method: str, lists: GroupLists, groups: Groups, task: Task) -> list[Measured]:
    """Judge a group method in the strict and in the de-duplicated regime, each with its own list."""
    return [measure_one(method, regime, lists, groups, task) for regime in ("strict", "dedup")]


def summarise(measured: list[Measured]) -> list[Row]:
    """Return every metric's mean and interval (:func:`~grouprec.ranking.statistics.mean_interval`)."""
    mean, low, high = mean_interval(np.concatenate([m.values for m in measured], axis=1))
    rows = []
    for n, one in enumerate(measured):
        n_users = len(one.values)
        for at, metric in enumerate(METRICS, start=n * len(METRICS)):
            rows.append(Row(one.method, one.regime, metric, float(mean[at]), float(low[at]), float(high[at]), n_users))
        for metric, value in one.whole.items():
            rows.append(Row(one.method, one.regime, metric, value, np.nan, np.nan, n_users))
    return rows


def rows_table(rows: list[Row]) -> pd.DataFrame:
    """Return rows as a table with the columns of :class:`Row`."""
    return pd.DataFrame(rows, columns=list(Row.__dataclass_fields__))


def strict_oracle(labels: np.ndarray, task: Task, *cutoffs: int) -> dict[str, float]:
    """Return what the best shared lists of so many items could reach for these groups (see :mod:`.oracle`).

    Args:
        labels: int32 [U], the group of every user.
    """
    return best_strict(labels[task.users], task.relevant[task.users], cutoffs)


def share_of_gain(value: float | np.ndarray, floor: float | np.ndarray, individual: float | np.ndarray) -> np.ndarray:
    """Return (value - floor) / (individual - floor): the part kept of what personal lists gain over one list for all.

    NaN where personal lists gain nothing. May be negative, and above 1.
    """
    possible = np.asarray(individual, dtype=float) - floor
    return np.divide(
        np.asarray(value, float) - floor, possible, out=np.full(possible.shape, np.nan), where=possible > 0
    )


def group_table(measured: Measured, groups: Groups, task: Task) -> pd.DataFrame:
    """Return how every group is served, also who is left behind.

    Columns: group, size, n_test_users, ndcg@10, hit_rate@10, zero_hit_share (members without a hit in the first
    10); the last three are means over the judged members, NaN where a group has none.
    """
    labels = groups.labels[task.users]
    n = np.bincount(labels, minlength=groups.n_groups)

    def mean(metric: str) -> np.ndarray:
        total = np.bincount(labels, weights=measured.of(metric), minlength=groups.n_groups)
        return np.divide(total, n, out=np.full(groups.n_groups, np.nan), where=n > 0)

    table = pd.DataFrame({"group": np.arange(groups.n_groups), "size": groups.sizes, "n_test_users": n})
    table["ndcg@10"], table["hit_rate@10"] = mean("ndcg@10"), mean("hit_rate@10")
    table["zero_hit_share"] = 1 - table["hit_rate@10"]
    return table


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The evidence.

    Attributes:
        rows: method, regime, metric, value, low, high, n_users, floor, floor_method, individual, oracle,
            share_of_gain; floor and the last three are NaN where they mean nothing.
        groups: what every method is worth to the members of every group: method, regime, then the columns of
            :func:`group_table`.
        summary: see :func:`headline`.
        measured: every method's values per judged user.
    """

    rows: pd.DataFrame
    groups: pd.DataFrame
    summary: dict[str, float]
    measured: tuple[Measured, ...]


def evaluate(
    histories: sparse.csr_array,
    task: Task,
    groups: Groups,
    candidates: Candidates,
    shared: Mapping[str, tuple[Groups, GroupLists]],
    individual: Mapping[str, Candidates],
    floor: Mapping[Regime, str],
    seed: int,
) -> Evaluation:
    """Judge group lists, personal lists and simple methods on one task.

    Measured beside what is given: personal lists of the candidates ("individual"), item-kNN, and one list of what is
    popular over all time ("popularity").

    Args:
        histories: all that was learned from; item-kNN learns from it, too. CSR [U, I].
        groups: the run's own.
        candidates: their personal lists are the ceiling.
        shared: methods with their groups and lists, by name.
        individual: further personal lists to judge, by name; of all or of the judged users.
        floor: the method among ``shared``, or "popularity", that is the best single list for all, by regime.
    """
    alone = {"individual": candidates, **individual}
    if baselines.ITEM_KNN not in alone:
        alone[baselines.ITEM_KNN] = baselines.item_knn(histories, task.seen, seed=seed, users=task.users)
    everyone = baselines.everybody(len(groups.labels))
    shared = {**shared, "popularity": (everyone, baselines.popularity(histories, seed))}
    measured = [measure(name, "individual", individual_lists(own, task), task) for name, own in alone.items()]
    for name, (members, these) in shared.items():
        measured += measure_both(name, these, members, task)
    rows = add_bounds(rows_table(summarise(measured)), measured, task, floor)
    tables = [group_table(one, groups, task).assign(method=one.method, regime=one.regime) for one in measured]
    return Evaluation(
        rows,
        pd.concat(tables, ignore_index=True),
        headline(rows, task, groups.n_groups),
        tuple(measured),
    )


def add_bounds(
    rows: pd.DataFrame, measured: Sequence[Measured], task: Task, floor: Mapping[Regime, str]
) -> pd.DataFrame:
    """Return the rows with floor, individual, oracle and share_of_gain beside every accuracy metric.

    The floor is the best single list for all in the same regime; for personal lists the de-duplicated one, because
    they leave out what the user has, too. The oracle is that of the groups behind the row's strict list.
    """
    values = rows.set_index(["method", "regime", "metric"])["value"]
    judged = rows["metric"].isin(ACCURACY)

    def look_up(methods: Any, regimes: pd.Series) -> np.ndarray:
        keys = pd.MultiIndex.from_arrays([methods, regimes, rows["metric"]])
        return values.reindex(keys).where(judged.to_numpy()).to_numpy()

    uses = rows["regime"].replace("individual", "dedup")
    lowest = look_up(uses.map(dict(floor)), uses)
    individual = look_up(np.full(len(rows), "individual", dtype=object), pd.Series("individual", index=rows.index))
    strict = {one.method: one.labels for one in measured if one.regime == "strict" and one.labels is not None}
    best = {id(labels): strict_oracle(labels, task, *CUTOFFS) for labels in strict.values()}
    oracle = [
        best.get(id(strict.get(method)), {}).get(metric, np.nan) if regime == "strict" else np.nan
        for method, regime, metric in zip(rows["method"], rows["regime"], rows["metric"], strict=True)
    ]
    share = share_of_gain(rows["value"].to_numpy(), lowest, individual)
    return rows.assign(
        floor=lowest, floor_method=uses.map(dict(floor)), individual=individual, oracle=oracle, share_of_gain=share
    )


def headline(rows: pd.DataFrame, task: Task, n_groups: int) -> dict[str, float]:
    """Return a few numbers for lists of runs: ``regime/method/metric`` -> mean, and the size of the task."""
    chosen = rows[rows["metric"].isin(HEADLINES)]
    keys = chosen["regime"] + "/" + chosen["method"] + "/" + chosen["metric"]
    size = {"n_groups": n_groups, "n_test_users": len(task.users), "n_targets": int(task.relevant.nnz)}
    return size | dict(zip(keys, chosen["value"].astype(float), strict=True))
