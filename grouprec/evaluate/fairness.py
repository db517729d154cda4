"""Whom lists serve better or worse, and which items they show more or less than users take them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types as dtypes
from scipy import sparse

from grouprec.core.arrays import largest_first, presence
from grouprec.core.memory import rows_per_batch
from grouprec.core.tables import n_words
from grouprec.evaluate.protocol import Measured
from grouprec.ranking.metrics import coverage, gini
from grouprec.ranking.statistics import ENOUGH, difference_interval, holm, mean_interval
from grouprec.ranking.task import Task

_METRICS = ("ndcg@10", "hit_rate@10")
_COLUMNS = ["attribute", "value", "n_users", "metric", "mean", "low", "high"]
_COLUMNS += ["difference", "difference_low", "difference_high", "p", "p_adjusted"]
ACTIVITY = "number of items"  # the attribute that every user has: how many items are theirs
MOST_VALUES = 12  # values of an attribute shown by name
MOST_USERS = 20_000  # more make the intervals hardly narrower
N_PERMUTATIONS = 1999
TIERS = (("head", 0.2), ("middle", 0.5), ("tail", 1.0))  # share of the catalogue, most popular first, where each ends
_FREE_TEXT_VALUES = 50  # from here on, mostly unique or long values are no categories


@dataclass(frozen=True, eq=False)
class Levels:
    """A column as few values: ``names``, and which of them every row has, int64 [n]."""

    codes: np.ndarray
    names: list[str]


def levels(column: pd.Series) -> Levels | None:
    """Return a column as at most 13 or so values, None where it is free text.

    Numbers become quartiles, named by their smallest and largest value (their own values where there are at most
    four of them). Of other values the 12 most frequent stay, the rest is "other". Missing ones are "unknown".
    Free text has more than 50 different values that are mostly unique or of more than two words.
    """
    if dtypes.is_numeric_dtype(column) and not dtypes.is_bool_dtype(column):
        return _quartiles(column.to_numpy(np.float64, na_value=np.nan))
    words = column.astype("object").where(column.notna(), "unknown").astype(str)
    counts = words.value_counts()
    unique = len(counts) > len(words) / 2 or n_words(words).mean() > 2
    if len(counts) > _FREE_TEXT_VALUES and unique:
        return None
    # Sorted by count, then by value: value_counts leaves the order of equal counts to the data's order.
    frequent = [str(value) for value, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))][:MOST_VALUES]
    shown = words.where(words.isin(frequent), "other")
    names = [*frequent, "other"] if len(counts) > MOST_VALUES and "other" not in frequent else frequent
    return Levels(pd.Index(names).get_indexer(pd.Index(shown)), names)


def _quartiles(numbers: np.ndarray) -> Levels:
    known = numbers[np.isfinite(numbers)]
    distinct = np.unique(known)
    edges = distinct if len(distinct) <= 4 else np.append(np.quantile(known, [0.25, 0.5, 0.75]), np.inf)
    places = np.searchsorted(edges, numbers)  # a value on an edge belongs below it
    places[~np.isfinite(numbers)] = len(edges)
    used, codes = np.unique(places, return_inverse=True)
    spans = [numbers[places == place] for place in used]
    names = ["unknown" if place == len(edges) else _span(span) for place, span in zip(used, spans, strict=True)]
    return Levels(codes, names)


def _span(numbers: np.ndarray) -> str:
    low, high = (f"{x:.0f}" if abs(x) >= 1000 else f"{x:.4g}" for x in (numbers.min(), numbers.max()))
    return low if low == high else f"{low} to {high}"


def value_by_attribute(measured: Measured, attributes: pd.DataFrame, task: Task, seed: int) -> pd.DataFrame:
    """Return how well users with each value of each attribute are served, against all others.

    The number of items that users have is an attribute, too. Of more than 20,000 judged users so many are drawn.

    Args:
        attributes: U rows, any columns; read by :func:`levels`. Free text is left out.
        seed: of the draw and the permutations.
    Returns:
        attribute, value, n_users, metric (ndcg@10, hit_rate@10), mean, low, high (95 % interval),
        difference (to the mean of all other users), difference_low, difference_high, p, p_adjusted. Intervals
        and p are NaN for fewer than 30 users, or others: too few to tell. p is two-sided, from 1,999 permutations of
        users, and corrected by :func:`~grouprec.ranking.statistics.holm` over all rows of one metric. A difference
        has no cause: users with more items, say, are more or less easily served whatever their region.
    """
    rng = np.random.default_rng(seed)
    judged = np.arange(len(task.users))
    if len(judged) > MOST_USERS:
        judged = np.sort(rng.choice(judged, MOST_USERS, replace=False))
    users = task.users[judged]
    activity = pd.DataFrame({ACTIVITY: task.owned[users].count_nonzero(axis=1)})
    read = _read(activity) + (_read(attributes.iloc[users]) if len(attributes) else [])
    values = np.column_stack([measured.of(metric)[judged] for metric in _METRICS])
    member = _membership([found for _, found in read], len(users))
    parts = _contrasts(member, values, rng)
    keys = [(name, value) for name, found in read for value in found.names]
    base = pd.DataFrame(keys, columns=["attribute", "value"]).assign(n_users=np.diff(member.indptr))
    tables = []
    for n, metric in enumerate(_METRICS):
        table = base.assign(metric=metric, **{name: part[:, n] for name, part in parts.items()})
        tables.append(table.assign(p_adjusted=holm(table["p"].to_numpy())))
    return pd.concat(tables).sort_index(kind="stable", ignore_index=True)[_COLUMNS]


def _read(frame: pd.DataFrame) -> list[tuple[str, Levels]]:
    """Return the columns of a frame that are not free text, by name."""
    return [(str(name), found) for name, column in frame.items() if (found := levels(column)) is not None]


def _membership(read: list[Levels], n_users: int) -> sparse.csr_array:
    """Return which users have each value of each attribute, CSR [V, T]."""
    starts = np.cumsum([0, *(len(found.names) for found in read)])
    rows = [start + found.codes for start, found in zip(starts, read, strict=False)]
    rows = np.concatenate([*rows, np.empty(0, np.int64)])
    entries = (np.ones(len(rows)), (rows, np.tile(np.arange(n_users), len(read))))
    return sparse.csr_array(entries, shape=(int(starts[-1]), n_users))


def _contrasts(member: sparse.csr_array, values: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return means, differences to the others, their intervals and p values, each float64 [V, M]."""
    n_users = len(values)
    table = np.column_stack([np.ones(n_users), values])  # the first column counts the users
    mean, difference = _means(member @ table, table.sum(axis=0))
    interval, p = np.full((4, *mean.shape), np.nan), np.full(mean.shape, np.nan)
    n = member.sum(axis=1)
    both = np.minimum(n, n_users - n) >= ENOUGH
    for at in np.flatnonzero(n >= ENOUGH):
        those = np.isin(np.arange(n_users), member[[at]].indices)
        interval[:2, at] = mean_interval(values[those])[1:]
        if both[at]:
            interval[2:, at] = difference_interval(mean_interval(values[those]), mean_interval(values[~those]))
    if both.any():
        far = np.abs(difference[both]) - 1e-9  # rounding must not break ties
        p[both] = (_as_far(member[both], table, far, rng) + 1) / (N_PERMUTATIONS + 1)
    names = ("low", "high", "difference_low", "difference_high")
    return {"mean": mean, "difference": difference, **dict(zip(names, interval, strict=True)), "p": p}


def _as_far(member: sparse.csr_array, table: np.ndarray, far: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return in how many permutations of the users the difference is at least ``far`` from 0, int [V, M]."""
    count = np.zeros(far.shape, np.int64)
    size = rows_per_batch(table.size)
    for start in range(0, N_PERMUTATIONS, size):
        n = min(size, N_PERMUTATIONS - start)
        tables = table[rng.permuted(np.tile(np.arange(len(table)), (n, 1)), axis=1).T]  # [T, n, 1 + M]
        sums = (member @ tables.reshape(len(tables), -1)).reshape(len(far), *tables.shape[1:])
        _, difference = _means(sums, tables.sum(axis=0))
        count += (np.abs(difference) >= far[:, None]).sum(axis=1)
    return count


def _means(sums: np.ndarray, whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of the users with a value and its difference to that of all others; NaN where nobody is left.

    Args:
        sums: float64 [V, ..., 1 + M], number of users with each value, then the sums of their metrics.
        whole: the same of all users, [..., 1 + M].
    """
    rest = whole - sums
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = sums[..., 1:] / sums[..., :1]
        return mean, mean - rest[..., 1:] / rest[..., :1]


def exposure(
    lists: np.ndarray,
    histories: sparse.csr_array,
    item_attributes: pd.DataFrame | None = None,
    users: np.ndarray | None = None,
    k: int = 10,
) -> pd.DataFrame:
    """Return what lists show against what their users have: popularity bias, and exposure by item attribute.

    Args:
        lists: int32 [T, K], one list per user, -1 where there is no item.
        histories: CSR [U, I], what all users have; the popularity of an item is the share of users who have it.
        item_attributes: I rows, any columns; read by :func:`levels`. Free text is left out.
        users: int [T], the rows of ``histories`` that the lists are for; all where None.
        k: how much of a list is seen.
    Returns:
        measure, attribute, value, in_lists, in_histories, lift (in_lists / in_histories - 1; NaN where the histories
        hold nothing of it). Measures: ``gini`` (0 all items shown alike, towards 1 only one) and ``coverage`` (share
        of the catalogue); ``popularity``, the mean over users of the mean popularity of their items, whose lift is
        the popularity lift of Abdollahpouri et al. (2019, "The unfairness of popularity bias in recommendation");
        ``share`` of everything listed or owned, by popularity tier (head: the most popular 20 % of the catalogue,
        middle: the next 30 %, tail: the other half) and by the values of the item attributes.
    """
    n_users, n_items = histories.shape
    owned = presence(histories if users is None else histories[users], bool)
    having = histories.count_nonzero(axis=0)
    popularity = having / max(n_users, 1)
    top = lists[:, :k]
    shown, taken = np.bincount(top[top >= 0], minlength=n_items), np.bincount(owned.indices, minlength=n_items)
    rows = [
        ("gini", "", "", gini(lists, n_items, k), gini(owned.indices[None], n_items, owned.nnz)),
        ("coverage", "", "", coverage(lists, n_items, k), np.count_nonzero(taken) / n_items),
        ("popularity", "", "", _list_popularity(top, popularity), _own_popularity(owned, popularity)),
    ]
    rank = np.argsort(largest_first(having))
    ends = np.array([round(end * n_items) for _, end in TIERS])
    tier = Levels(np.searchsorted(ends, rank, side="right"), [name for name, _ in TIERS])
    known = [] if item_attributes is None else _read(item_attributes)
    for attribute, found in [("popularity tier", tier), *known]:
        shares = [_shares(counts, found) for counts in (shown, taken)]
        rows += [("share", attribute, *row) for row in zip(found.names, *shares, strict=True)]
    frame = pd.DataFrame(rows, columns=["measure", "attribute", "value", "in_lists", "in_histories"])
    return frame.assign(lift=frame["in_lists"] / frame["in_histories"].where(frame["in_histories"] > 0) - 1)


def _shares(counts: np.ndarray, found: Levels) -> np.ndarray:
    """Return the share of the counts of items, int [I], that falls to every value; NaN where there are none."""
    by_value = np.bincount(found.codes, counts, len(found.names))
    return by_value / by_value.sum() if counts.any() else np.full(len(by_value), np.nan)


def _list_popularity(top: np.ndarray, popularity: np.ndarray) -> float:
    """Return the mean over users of the mean popularity of the items shown; NaN where nobody sees any."""
    shown = top >= 0
    seeing = shown.any(axis=1)
    if not seeing.any():
        return np.nan
    sums = np.where(shown, popularity[np.maximum(top, 0)], 0).sum(axis=1)
    return float((sums[seeing] / shown[seeing].sum(axis=1)).mean())


def _own_popularity(owned: sparse.csr_array, popularity: np.ndarray) -> float:
    """Return the mean over users of the mean popularity of the items they have; NaN where nobody has any."""
    n = np.diff(owned.indptr)
    return float(((owned @ popularity)[n > 0] / n[n > 0]).mean()) if n.any() else np.nan
