"""From the scores of several encoders to one number: the chance that a user takes an item next.

A blend is a logistic function of what every encoder says of a user and an item, the item's trend, and how active the
user is. Encoders speak in logarithms of preference, so that their weights are exponents and the trend is a factor on
the preference (design section 6e). How it is chosen: :mod:`grouprec.models.blending`. Its output ranks and weighs; how
many takes it comes to within a given time is learned apart (:mod:`grouprec.ranking.takes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import expit, logit

from grouprec.core.types import Candidates, Embeddings, Scale
from grouprec.data.dataset import Dataset
from grouprec.models.base import Encoder
from grouprec.ranking.candidates import best_unseen, best_values
from grouprec.ranking.recency import DAY, YEAR, recent_popularity, seasonal_popularity, year_before
from grouprec.ranking.task import nothing

BEST = 50  # a preference is measured against the mean of so many of the user's best items
FLOOR = 0.01  # preferences below a hundredth of that are all the same
SMOOTHING = 0.25  # of the mean number of rows per item, added to both popularities of the trend
REPEAT_TERMS = (
    *("has it", "times taken", "item's repeat rate", "days since"),
    *("item's trend", "users of the item", "items of the user"),
)
REPEAT_HALF_LIFE = 7.0  # days, of the trend among a user's own items; 3, 14 and 28 rank as well or worse (docs/log.md)


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
        ndcg: held-out nDCG@10 of the blend and of its members, by name ("blend", "start" and the encoders' names).
        n_users: users who chose; 0 where nobody did.
        season, season_days: exponent of the season, and the days that it is asked for.
    """

    encoders: dict[str, float]
    half_life: float | None = None
    trend: float = 0.0
    popularity: float = 0.0
    activity: float = 0.0
    repeats: tuple[float, ...] | None = None
    intercept: float = 0.0
    ndcg: dict[str, float] = field(default_factory=dict)
    n_users: int = 0
    season: float = 0.0
    season_days: float = 0.0

    @classmethod
    def equal(cls, names: Sequence[str], repeats: bool = False) -> Self:
        """Return what is used where there is no validation part: every encoder has the same weight."""
        # Without evidence: an item in the history is as good as the user's best new ones.
        terms = (0.0,) * len(REPEAT_TERMS) if repeats else None
        return cls({name: 1 / len(names) for name in names}, repeats=terms, intercept=-2.0)

    def with_trend(self, half_life: float | None, power: float, season: float = 0.0, days: float = 0.0) -> Self:
        """Return the same blend with another trend and season: exponents beside members whose shares sum to 1."""
        whole = sum(self.encoders.values()) + self.popularity
        half_life = half_life if power else None
        return replace(self, half_life=half_life, trend=whole * power, season=whole * season, season_days=days)

    def ranks_as(self, other: Weights) -> bool:
        """Whether both rank new items alike for every user: they differ at most in what all items of a user share."""
        return self.repeats is None and other.repeats is None and self._of_items() == other._of_items()

    def _of_items(self) -> tuple[dict[str, float], float | None, float, float, float, float]:
        members = {name: weight for name, weight in self.encoders.items() if weight}
        return members, self.half_life, self.trend, self.popularity, self.season, self.season_days

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, eq=False)
class ItemFacts:
    """What is known of items, the same for all users.

    Attributes:
        log_users: float32 [I], log(1 + users who have the item).
        log_popularity: float32 [I], popularity as a log preference: what an encoder without an answer answers.
        log_trends: by half-life, the logarithm of decayed over lifetime popularity, float32 [I], as asked for.
        data: whose rows tell the trends; None where no more can be told.
        log_seasons: the same for seasons, by the days that they are asked for (:func:`log_season`).
    """

    log_users: np.ndarray
    log_popularity: np.ndarray
    log_trends: dict[float, np.ndarray]
    data: Dataset | None = field(default=None, repr=False)
    log_seasons: dict[float, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Dataset) -> Self:
        """Return the facts that the training part tells."""
        users = np.bincount(data.histories.indices, minlength=data.n_items).astype(np.float32)
        return cls(np.log1p(users), _relative(users[None], "linear")[0], {}, data if data.timed else None)

    def trend(self, half_life: float | None) -> np.ndarray:
        """Return the logarithm of the trend, float32 [I]; zeros without one."""
        if half_life and half_life not in self.log_trends and self.data:
            self.log_trends[half_life] = log_trend(self.data, half_life)
        return self.log_trends.get(half_life or 0.0, np.zeros_like(self.log_users))

    def season(self, days: float) -> np.ndarray:
        """Return the logarithm of the season that so many days ask for, float32 [I]; zeros without one."""
        if days and days not in self.log_seasons and self.data:
            self.log_seasons[days] = log_season(self.data, days)
        return self.log_seasons.get(days, np.zeros_like(self.log_users))

    def moved(self, weights: Weights) -> np.ndarray:
        """Return what trend and season add to the items' log odds, float32 [I]."""
        found = np.float32(weights.trend) * self.trend(weights.half_life)
        return found + np.float32(weights.season) * self.season(weights.season_days) if weights.season else found


def log_trend(data: Dataset, half_life: float) -> np.ndarray:
    """Return how much more an item is taken of late than over all time, as a logarithm, float32 [I].

    Decayed popularity over lifetime popularity of the training rows, both in shares of all rows and smoothed towards
    1 by a quarter of an average item's rows; a row counts half after ``half_life`` days (design section 6e).
    """
    rows = data.train.item_rows
    lifetime = np.bincount(rows, minlength=data.n_items)
    recent = recent_popularity(data.train, data.n_items, half_life) * len(rows)
    smoothing = max(SMOOTHING * len(rows) / data.n_items, 1e-12)
    return np.log((recent + smoothing) / (lifetime + smoothing)).astype(np.float32)


def log_season(data: Dataset, days: float) -> np.ndarray:
    """Return how much more an item was taken a year ago, in the days that came next then, than over all time, as a
    logarithm, float32 [I], smoothed like :func:`log_trend`.

    0 for items that nobody had by the end of those days: what is younger has shown no season yet; and for all where the
    rows do not reach so far back, or where less than a day (as where lists are judged by shares of users' own rows, and
    not by time) or as good as the whole year is asked for.
    """
    rows, none = data.train.item_rows, np.zeros(data.n_items, np.float32)
    if data.train.times is None or not 1 <= days <= YEAR / DAY / 2:
        return none
    season = seasonal_popularity(data.train, data.n_items, days * DAY)
    if season is None:
        return none
    smoothing = max(SMOOTHING * len(rows) / data.n_items, 1e-12)
    lifetime = np.bincount(rows, minlength=data.n_items)
    old = data.train.times < year_before(data.train) + days * DAY
    known = np.bincount(rows[old], minlength=data.n_items) > 0
    found = np.log((season * len(rows) + smoothing) / (lifetime + smoothing))
    return np.where(known, found, none).astype(np.float32)


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
    best = best_values(scores, min(BEST, scores.shape[1]))
    return (best if scale == "log" else np.maximum(best, 0)).mean(axis=1)


def _relative(scores: np.ndarray, scale: Scale) -> np.ndarray:
    """Logarithm of preference over the mean of the best items, from log(FLOOR) up; float32 of the same shape."""
    best = mean_of_best(scores, scale)[:, None]
    if scale == "log":
        return np.maximum(scores - best, np.float32(np.log(FLOOR)))
    relative = np.maximum(scores, 0)
    relative /= np.maximum(best, 1e-12)
    relative += np.float32(FLOOR)
    return np.log(relative, out=relative)


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
        total = self.log_odds(rows)
        return expit(total, out=total)

    def log_odds(self, rows: np.ndarray | slice) -> np.ndarray:
        """Return the log odds of the chances, float32 [B, I]: they rank alike, in half the time."""
        weights = self.weights
        of_users = self._of_users(weights, rows)
        of_items = self.items.moved(weights) + weights.popularity * self.items.log_users
        total = np.add.outer(of_users, of_items.astype(np.float32))
        for source in self.sources:
            if weight := np.float32(weights.encoders.get(source.name, 0)):
                preference = log_preference(source, rows, self.items.log_popularity)
                preference *= weight
                total += preference
        for weight, term in zip(weights.repeats or (), self.repeats, strict=False):  # none of users known by history
            part = term[rows].tocoo()
            total[part.coords] += np.float32(weight) * part.data
        return total

    def _of_users(self, weights: Weights, rows: np.ndarray | slice) -> np.ndarray:
        """Return the part of the sum that all items of a user share, float32 [B]."""
        activity = np.log1p(np.diff(self.histories[rows].indptr))
        return (weights.activity * activity + weights.intercept).astype(np.float32)

    def restated(self, candidates: Candidates, weights: Weights) -> Candidates:
        """Return these users' candidates with this predictor's chances, without looking at the catalogue again.

        Args:
            candidates: of all the users, by other weights that rank as these do (:meth:`Weights.ranks_as`).
            weights: those others.
        """
        everybody = slice(None)
        shift = self._of_users(self.weights, everybody) - self._of_users(weights, everybody)
        with np.errstate(divide="ignore"):  # places without an item have the chance 0
            return replace(candidates, scores=expit(logit(candidates.scores) + shift[:, None]))

    def candidates(
        self, n: int = 200, seed: int = 0, excluded: np.ndarray | None = None, users: np.ndarray | None = None
    ) -> Candidates:
        """Return every user's best ``n`` items: new ones only, unless the weights know repeats.

        Args:
            excluded: bool [I], items that nobody may get.
            users: int [B], whose; everybody's where None.
        """
        histories = self.histories if users is None else self.histories[users]
        seen = nothing(histories.shape) if self.weights.repeats else histories

        def score(rows: slice) -> np.ndarray:
            odds = self.log_odds(rows if users is None else users[rows])
            if excluded is not None:
                odds[:, excluded] = -np.inf
            return odds

        return _as_chances(best_unseen(score, seen, n, seed))

    def best_of(self, users: np.ndarray, seen: sparse.csr_array, seed: int) -> Candidates:
        """Return the best items of some users, int [B], among those outside their rows of ``seen``, CSR [B, I]."""
        return _as_chances(best_unseen(lambda rows: self.log_odds(users[rows]), seen, seed=seed))


def _as_chances(candidates: Candidates) -> Candidates:
    """Return candidates that were ranked by log odds with their chances."""
    there = candidates.items >= 0
    return replace(candidates, scores=np.where(there, expit(candidates.scores), np.float32(0)))


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
    of the share of its users who took it again, smoothed; minus the logarithm of the days since they last did; the
    logarithm of the item's trend (0 without times), 1 + its users and 1 + the items of the user. The last three are
    not what they are among new items: which own item is taken again depends more on the season (decision 0045).
    """
    train, n_items = data.train, data.n_items
    times = np.zeros(len(train)) if train.times is None else train.times
    pairs = pd.DataFrame({"user": train.user_rows, "item": train.item_rows, "time": times})
    own = pairs.groupby(["user", "item"], sort=True)["time"].agg(["nunique", "max"])
    users, items = (own.index.get_level_values(name).to_numpy() for name in ("user", "item"))
    count = own["nunique"].to_numpy()
    takers = np.bincount(items, minlength=n_items)
    again = np.bincount(items, count > 1, minlength=n_items)
    rate = (again + 1) / (takers + 1 / max((count > 1).mean(), 0.01))
    days = (times.max(initial=0) - own["max"].to_numpy()) / DAY
    trend = log_trend(data, REPEAT_HALF_LIFE)[items] if data.timed else np.zeros(len(own))
    size = np.log1p(np.bincount(users, minlength=data.n_users))[users]
    values = (np.ones(len(own)), np.log(count), np.log(rate)[items], -np.log1p(days))
    values += (trend, np.log1p(takers)[items], size)
    return tuple(sparse.csr_array((v.astype(np.float32), (users, items)), shape=data.shape) for v in values)
