"""From the scores of several encoders to one calibrated number: the chance that a user takes an item next.

A blend is a logistic regression over what every encoder says of a user and an item, the item's trend and popularity,
and how active the user is. Encoders speak in logarithms of preference, so that their weights are exponents and the
trend is a factor on the preference (design section 6e). It is fitted on the validation part, which no encoder learned
from. Its output is a probability: summed over the members of a group, it is the number of hits to expect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Candidates, Embeddings, Scale
from grouprec.data.dataset import Dataset
from grouprec.models.base import Encoder
from grouprec.ranking.candidates import best_unseen, rank_top
from grouprec.ranking.metrics import has, ndcg
from grouprec.ranking.task import Task, nothing

HALF_LIVES = (7.0, 14.0, 28.0, 56.0)  # days, tried for the trend
TRAINING_USERS = 1500
TRAINING_DEPTH = 100  # best items per encoder that the regression learns from
BEST = 50  # a preference is measured against the mean of so many of the user's best items
FLOOR = 0.01  # preferences below a hundredth of that are all the same
SMOOTHING = 0.25  # of the mean number of rows per item, added to both popularities of the trend
PENALTY = 0.5  # of the squared weights
MEMBER_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
LEAST_WEIGHT = 1e-3  # of a member on its own: it ranks, also where the chances hardly follow it
REPEAT_TERMS = ("has it", "times taken", "item's repeat rate", "days since")
DAY = 86_400.0


@dataclass(frozen=True, eq=False)
class Source:
    """What one encoder says: vectors of the users in question and of all items, and the scale of their product."""

    name: str
    embeddings: Embeddings
    scale: Scale


@dataclass(frozen=True)
class Weights:
    """What the validation part decided. All zero but the encoders': their plain product.

    Attributes:
        encoders: exponent of every encoder's preference, >= 0.
        half_life: days after which a row counts half in the trend; None without a trend.
        trend: exponent of the trend.
        popularity, activity: weights of log(1 + users of the item) and log(1 + items of the user).
        repeats: weights of ``REPEAT_TERMS``; None where only new items are predicted.
        intercept: the constant term.
        ndcg: validation nDCG@10 of the blend and of its members, by name ("blend" and the encoders' names).
    """

    encoders: dict[str, float]
    half_life: float | None = None
    trend: float = 0.0
    popularity: float = 0.0
    activity: float = 0.0
    repeats: tuple[float, ...] | None = None
    intercept: float = 0.0
    ndcg: dict[str, float] = field(default_factory=dict)

    @classmethod
    def equal(cls, names: Sequence[str], repeats: bool = False) -> Self:
        """Return what is used where there is no validation part: every encoder has the same weight."""
        # Without evidence: an item in the history is as good as the user's best new ones.
        return cls({name: 1 / len(names) for name in names}, repeats=(0.0,) * 4 if repeats else None, intercept=-2.0)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class ItemFacts:
    """What is known of items whoever the user is.

    Attributes:
        log_users: float32 [I], log(1 + users who have the item).
        log_popularity: float32 [I], popularity as a log preference: what an encoder without an answer answers.
        log_trends: by half-life, the logarithm of decayed over lifetime popularity, float32 [I]; empty without times.
    """

    log_users: np.ndarray
    log_popularity: np.ndarray
    log_trends: dict[float, np.ndarray]

    @classmethod
    def of(cls, data: Dataset) -> Self:
        """Return the facts that the training part tells."""
        users = np.bincount(data.histories.indices, minlength=data.n_items).astype(np.float32)
        half_lives = HALF_LIVES if data.timed else ()
        trends = {half_life: log_trend(data, half_life) for half_life in half_lives}
        return cls(np.log1p(users), _relative(users[None], "linear")[0], trends)

    def trend(self, half_life: float | None) -> np.ndarray:
        """Return the logarithm of the trend, float32 [I]; zeros without one."""
        return self.log_trends.get(half_life or 0.0, np.zeros_like(self.log_users))


def log_trend(data: Dataset, half_life: float) -> np.ndarray:
    """Return how much more an item is taken of late than over all time, as a logarithm, float32 [I].

    Decayed popularity over lifetime popularity of the training rows, both in shares of all rows and smoothed towards
    1 by a quarter of an average item's rows; a row counts half after ``half_life`` days (design section 6e).
    """
    rows, times = data.train.item_rows, data.train.times
    assert times is not None
    decay = np.exp2((times - times.max(initial=0)) / (half_life * DAY))
    lifetime = np.bincount(rows, minlength=data.n_items)
    recent = np.bincount(rows, decay, minlength=data.n_items) * len(rows) / max(decay.sum(), 1e-12)
    smoothing = max(SMOOTHING * len(rows) / data.n_items, 1e-12)
    return np.log((recent + smoothing) / (lifetime + smoothing)).astype(np.float32)


def log_preference(source: Source, rows: np.ndarray | slice, fallback: np.ndarray) -> np.ndarray:
    """Return an encoder's preferences as logarithms relative to the user's best items, float32 [B, I].

    Args:
        fallback: float32 [I], the answer for users of whom the encoder says nothing: all their scores are equal.
    """
    scores = source.embeddings.scores(rows)
    relative = _relative(scores, source.scale)
    relative[says_nothing(scores)] = fallback
    return relative


def says_nothing(scores: np.ndarray) -> np.ndarray:
    """Return the users of whom an encoder says nothing, bool [B]: all their scores [B, I] are equal."""
    return scores.max(axis=1) <= scores.min(axis=1)


def mean_of_best(scores: np.ndarray, scale: Scale) -> np.ndarray:
    """Return what the preferences of every user are measured against, float32 [B], for their scores [B, I]."""
    n_items = scores.shape[1]
    depth = min(BEST, n_items)
    best = np.partition(scores, n_items - depth, axis=1)[:, n_items - depth :]
    return (best if scale == "log" else np.maximum(best, 0)).mean(axis=1)


def _relative(scores: np.ndarray, scale: Scale) -> np.ndarray:
    """Logarithm of preference over the mean of the best items, from log(FLOOR) up; float32 of the same shape."""
    best = mean_of_best(scores, scale)[:, None]
    if scale == "log":
        return np.maximum(scores - best, np.float32(np.log(FLOOR)))
    return np.log(np.maximum(scores, 0) / np.maximum(best, 1e-12) + np.float32(FLOOR))


@dataclass(frozen=True, eq=False)
class Predictor:
    """Users' chances of taking items: weights, and all that they weigh."""

    sources: tuple[Source, ...]
    weights: Weights
    histories: sparse.csr_array  # of the users in question, CSR [B, I]
    items: ItemFacts
    repeats: tuple[sparse.csr_array, ...] = ()  # of the same users, one CSR [B, I] per term of REPEAT_TERMS

    def scores(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return the chances of a mini-batch of users, float32 [B, I]."""
        weights = self.weights
        activity = np.log1p(np.diff(self.histories[rows].indptr))
        of_users = (weights.activity * activity + weights.intercept).astype(np.float32)
        of_items = weights.trend * self.items.trend(weights.half_life) + weights.popularity * self.items.log_users
        total = np.add.outer(of_users, of_items.astype(np.float32))
        for source in self.sources:
            if weight := np.float32(weights.encoders.get(source.name, 0)):
                total += weight * log_preference(source, rows, self.items.log_popularity)
        for weight, term in zip(weights.repeats or (), self.repeats, strict=False):  # none of users known by history
            part = term[rows].tocoo()
            total[part.coords] += np.float32(weight) * part.data
        return expit(total)

    def candidates(self, n: int = 200, seed: int = 0, excluded: np.ndarray | None = None) -> Candidates:
        """Return every user's best ``n`` items: new ones only, unless the weights know repeats.

        Args:
            excluded: bool [I], items that nobody may get.
        """
        seen = nothing(self.histories.shape) if self.weights.repeats else self.histories

        def score(rows: slice) -> np.ndarray:
            scores = self.scores(rows)
            if excluded is not None:
                scores[:, excluded] = -np.inf
            return scores

        return best_unseen(score, seen, n, seed)


def make_predictor(
    encoders: Mapping[str, Encoder],
    weights: Weights,
    items: ItemFacts,
    histories: sparse.csr_array,
    embed: Callable[[Encoder], Embeddings],
    repeats: tuple[sparse.csr_array, ...] = (),
) -> Predictor:
    """Return the predictor of any users.

    Args:
        histories: of these users, CSR [B, I].
        embed: what an encoder says of them; asked of the encoders that have a weight.
    """
    used = {name: encoder for name, encoder in encoders.items() if weights.encoders.get(name)}
    sources = tuple(Source(name, embed(encoder), encoder.scale) for name, encoder in used.items())
    return Predictor(sources, weights, histories, items, repeats)


def repeat_terms(data: Dataset) -> tuple[sparse.csr_array, ...]:
    """Return what is known of items that users have already, one float32 CSR [U, I] per term of ``REPEAT_TERMS``.

    1 for every item of the user; the logarithm of how often they took it (rows of different times); the logarithm
    of the share of its users who took it again, smoothed; minus the logarithm of the days since they last did.
    """
    train = data.train
    times = np.zeros(len(train)) if train.times is None else train.times
    pairs = pd.DataFrame({"user": train.user_rows, "item": train.item_rows, "time": times})
    own = pairs.groupby(["user", "item"], sort=True)["time"].agg(["nunique", "max"])
    users, items = (own.index.get_level_values(name).to_numpy() for name in ("user", "item"))
    count = own["nunique"].to_numpy()
    takers = np.bincount(items, minlength=data.n_items)
    again = np.bincount(items, count > 1, minlength=data.n_items)
    rate = (again + 1) / (takers + 1 / max((count > 1).mean(), 0.01))
    days = (times.max(initial=0) - own["max"].to_numpy()) / DAY
    values = (np.ones(len(own)), np.log(count), np.log(rate)[items], -np.log1p(days))
    return tuple(sparse.csr_array((v.astype(np.float32), (users, items)), shape=data.shape) for v in values)


@dataclass(frozen=True, eq=False)
class _Table:
    """What the regression learns from: a row per user and candidate item of the validation task.

    ``features`` float32 [R, F] (encoders, activity, popularity, repeat terms), ``trends`` float32 [R] by half-life,
    ``hits`` bool [R], ``owners`` int [R] ascending, ``n_relevant`` int [owners], ``ties`` float [R], the random order
    of equal scores.
    """

    features: np.ndarray
    trends: dict[float, np.ndarray]
    hits: np.ndarray
    owners: np.ndarray
    n_relevant: np.ndarray
    ties: np.ndarray

    def columns(self, half_life: float | None) -> np.ndarray:
        """Return the features with the trend of that half-life as the last column, float32 [R, F]."""
        return np.column_stack([self.features, self.trends[half_life]]) if half_life else self.features

    def ndcg(self, scores: np.ndarray, k: int = 10) -> float:
        """Return the mean nDCG@k of the ranking by these scores, float [R]."""
        order = np.lexsort((self.ties, -scores, self.owners))
        starts = np.searchsorted(self.owners, np.arange(len(self.n_relevant)))
        rank = np.arange(len(order)) - starts[self.owners]
        first = rank < k
        hits = np.zeros((len(self.n_relevant), k), bool)
        hits[self.owners[first], rank[first]] = self.hits[order[first]]
        return float(ndcg(hits, self.n_relevant, k).mean())


def fit_weights(predictor: Predictor, task: Task, seed: int) -> Weights:
    """Return the weights that predict a validation task best.

    A logistic regression with non-negative weights of encoders and trend, for every half-life and without a trend;
    then the same with its best member's share raised step by step up to that member alone, because a regression looks
    at all items alike and a ranking only at the first ones. The weights with the best nDCG@10 on the task are taken,
    so a blend is never worse there than its best member.

    Args:
        predictor: sources, items and repeats of the users of the task; its weights only say whether repeats count.
        task: validation part, whose targets include repeats if the weights know them.
        seed: which users, where there are more than are needed.
    """
    table = _table(predictor, task, seed)
    names = [source.name for source in predictor.sources]
    n = len(names)
    alone = [table.ndcg(table.features[:, at]) for at in range(n)]
    fits = {}
    for half_life in (None, *table.trends):
        features = table.columns(half_life)
        trend = [features.shape[1] - 1] if half_life else []
        fits[half_life] = _logistic(features, table.hits, [*range(n), *trend])
    half_life = max(fits, key=lambda one: table.ndcg(table.columns(one) @ fits[one][:-1]))
    features, together = table.columns(half_life), fits[half_life]
    member = np.zeros_like(together)
    best = int(np.argmax(alone))
    kept = [best, n]  # the encoder and the activity, which moves no ranking but sizes the chances
    member[[*kept, -1]] = _logistic(table.features[:, kept], table.hits, [0])
    member[best] = max(member[best], LEAST_WEIGHT)
    mixtures = [(1 - share) * together + share * member for share in MEMBER_SHARES]
    chosen = max(mixtures, key=lambda one: table.ndcg(features @ one[:-1]))
    ndcg = dict(zip(names, alone, strict=True)) | {"blend": table.ndcg(features @ chosen[:-1])}
    return _named(chosen.tolist(), names, half_life, predictor.weights.repeats is not None, ndcg)


def _named(
    values: list[float], names: list[str], half_life: float | None, repeats: bool, ndcg: dict[str, float]
) -> Weights:
    """Turn a solution (encoders, activity, popularity, repeat terms, trend, intercept) into weights."""
    n = len(names)
    own = tuple(values[n + 2 : n + 2 + len(REPEAT_TERMS)]) if repeats else None
    trend = values[-2] if half_life else 0.0
    exponents = dict(zip(names, values[:n], strict=True))
    return Weights(exponents, half_life if trend else None, trend, values[n + 1], values[n], own, values[-1], ndcg)


def _table(predictor: Predictor, task: Task, seed: int) -> _Table:
    """Gather what the regression reads, for at most TRAINING_USERS users of the task."""
    users = task.users
    if len(users) > TRAINING_USERS:
        users = np.sort(np.random.default_rng(seed).choice(users, TRAINING_USERS, replace=False))
    items, parts, owners, hits = predictor.items, [], [], []
    size = rows_per_batch(len(items.log_users), 1 << 23)
    for start in range(0, len(users), size):
        rows = users[start : start + size]
        logs = [log_preference(source, rows, items.log_popularity) for source in predictor.sources]
        owner, item = _best_of_any(logs, None if predictor.weights.repeats else predictor.histories[rows], seed)
        activity = np.log1p(np.diff(predictor.histories[rows].indptr))
        own = [np.asarray(term[rows[owner], item]).ravel() for term in predictor.repeats if predictor.weights.repeats]
        columns = [*(log[owner, item] for log in logs), activity[owner], items.log_users[item], *own, item]
        parts.append(np.column_stack(columns).astype(np.float32))
        hits.append(has(task.relevant, rows[owner], item))
        owners.append(owner + start)
    features = np.concatenate(parts)
    item = features[:, -1].astype(np.int64)
    trends = {half_life: log[item] for half_life, log in items.log_trends.items()}
    n_relevant = np.diff(task.relevant.indptr)[users]
    ties = np.random.default_rng(seed).random(len(item))
    return _Table(features[:, :-1], trends, np.concatenate(hits), np.concatenate(owners), n_relevant, ties)


def _best_of_any(logs: Sequence[np.ndarray], seen: sparse.csr_array | None, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns that stand among the best of at least one encoder, in row order."""
    chosen = np.zeros(logs[0].shape, bool)
    for log in logs:
        allowed = log.copy()
        if seen is not None:
            allowed[seen.nonzero()] = -np.inf
        best = rank_top(allowed, TRAINING_DEPTH, seed)[0]
        row, place = np.nonzero(best >= 0)
        chosen[row, best[row, place]] = True
    row, item = np.nonzero(chosen)
    return row, item


def _logistic(features: np.ndarray, hits: np.ndarray, non_negative: Sequence[int]) -> np.ndarray:
    """Return weights [F] and intercept of a logistic regression with an L2 penalty and some weights at least 0."""
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    scaled = ((features - mean) / spread).astype(np.float32)
    sign = np.where(hits, 1, -1).astype(np.float32)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (scaled @ parameters[:-1].astype(np.float32) + np.float32(parameters[-1]))
        slope = -sign * expit(-margin)
        value = np.logaddexp(0, -margin).sum(dtype=np.float64) + PENALTY * np.square(parameters[:-1]).sum()
        gradient = np.append(slope @ scaled + 2 * PENALTY * parameters[:-1], slope.sum(dtype=np.float64))
        return float(value), gradient.astype(np.float64)

    start = np.zeros(features.shape[1] + 1)
    start[-1] = np.log((hits.sum() + 1) / (len(hits) - hits.sum() + 1))
    bounds = [(0, None) if n in non_negative else (None, None) for n in range(len(start))]
    found = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 200}).x
    weights = found[:-1] / spread
    return np.append(weights, found[-1] - weights @ mean)
