"""How many takes predictions come to: from a predicted chance to the probability of a take within a stated horizon.

Chances rank (:mod:`grouprec.models.blend`). How often a user then takes an item depends on how long one waits and on
whether the user is still there, so what happened to predictions once is learned apart: a logistic regression on the
chance's logit, on how much everybody wants the item, on how much the user has and, where the horizon is a time, on how
long they have been away. All of them may bend at a few knots. Without the second, lists would be told too few takes:
on them stands what many want, and of two equal chances the one for such an item comes true more often.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from grouprec.core.language import _, decimal, ngettext
from grouprec.core.types import Candidates
from grouprec.data.dataset import Interactions
from grouprec.ranking.statistics import Z

FEWEST = 50  # takes that a calibration needs
FEW = 10  # interactions below which their number is said with a decimal
MOST = 200_000  # pairs without a take that are learned from, drawn
PENALTY = 1.0  # on half the squared weights
TAKE_KNOTS = (0.1, 0.3, 0.5, 0.7, 0.9)  # quantiles of the takes' logits where the curve may bend
USER_KNOTS = (1 / 3, 2 / 3)  # the same of users' facts
AT_ONCE = 250_000  # pairs whose facts are held at one time
ROWS_AT_ONCE = 2_048  # users whose chances are added up at one time: those of all do not fit into a processor's cache
LEAST_WANTED = 1e-4  # added to an item's mean chance: rarer ones are all alike
USUAL_SPREAD, USUAL_WEIGHT = (
    2.5,
    5,
)  # what is thought of the spread beforehand, and as much as how many lists that counts
DAY = 86_400.0


@dataclass(frozen=True)
class Horizon:
    """How long takes are counted: ``length`` days, or about so many interactions of a user."""

    kind: Literal["days", "interactions"]
    length: float

    @classmethod
    def of(cls, known: Interactions, part: Interactions, n_users: int) -> Self:
        """Return the horizon of a held-out part: a time where it lies after all that was known."""
        if known.times is not None and part.times is not None and len(known) and len(part):
            end = known.times.max()
            if part.times.min() > end:
                return cls("days", float(part.times.max() - end) / DAY)
        return cls("interactions", len(part) / max(n_users, 1))

    @property
    def span(self) -> str:
        """Return ``19 days``, to be said after "in"."""
        if self.kind == "interactions":
            return self._interactions
        hours = self.length * 24
        if hours < 48:
            return ngettext("{n} hour", "{n} hours", max(round(hours), 1)).format(n=decimal(max(round(hours), 1)))
        return _("{length} days").format(length=decimal(self.length))

    @property
    def words(self) -> str:
        """Return the span and where it comes from, to be said after "in"."""
        if self.kind == "interactions":
            return _("{span}, as many as the run was judged on").format(span=self.span)
        return _("{span}, as long as the run was judged on").format(span=self.span)

    @property
    def _interactions(self) -> str:
        n = round(self.length, 1 if self.length < FEW else 0)
        digits = 1 if n % 1 else 0
        said = ngettext("about {n} more interaction of each", "about {n} more interactions of each", 1 if n == 1 else 2)
        return said.format(n=decimal(n, digits))


@dataclass(frozen=True, eq=False)
class Predictions:
    """Users' candidates, and what was known of the users when they were made.

    Attributes:
        candidates: [B, N]; the scores are chances.
        wanted: float [I], every item's mean chance over all users (:func:`mean_chances`).
        activity: [B], how many items the user had.
        away: float [B], days since the user's latest interaction.
    """

    candidates: Candidates
    wanted: np.ndarray
    activity: np.ndarray
    away: np.ndarray

    @classmethod
    def of(
        cls, candidates: Candidates, wanted: np.ndarray, activity: np.ndarray, last_times: np.ndarray, now: float
    ) -> Self:
        """Return predictions made at a moment; users of whom no time is known count as away the longest."""
        known = np.isfinite(last_times)
        away = np.where(known, np.maximum(now - last_times, 0) / DAY if np.isfinite(now) else 0, 0)
        return cls(candidates, wanted, activity, np.where(known, away, away.max(initial=0)))

    def take(self, rows: np.ndarray) -> Predictions:
        return Predictions(self.candidates.take(rows), self.wanted, self.activity[rows], self.away[rows])

    def of_lists(self, lists: np.ndarray) -> Predictions:
        """Return the same users' predictions of other items, int [B, K], -1 where there is none.

        An item that is no candidate has the chance of the user's last one: it cannot have more.
        """
        candidates = self.candidates
        known = lists >= 0
        row, column = np.nonzero(known)
        chances = np.zeros(lists.shape, np.float32)
        if len(row):
            chances[row, column] = np.asarray(candidates.matrix()[row, lists[row, column]])
        last = np.where(candidates.items >= 0, candidates.scores, 1).min(axis=1, initial=1)[:, None]
        chances = np.where(known & (chances == 0), last, chances).astype(np.float32)
        return replace(self, candidates=Candidates(lists, chances, candidates.n_items))


def mean_chances(candidates: Candidates) -> np.ndarray:
    """Return every item's mean chance over the users, float64 [I]; it is 0 where an item is no candidate."""
    total = np.zeros(candidates.n_items + 1)  # the first is for places without an item
    for start in range(0, candidates.n_users, ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        places = (candidates.items[rows] + 1).ravel()
        total += np.bincount(places, candidates.scores[rows].ravel(), candidates.n_items + 1)
    return total[1:] / max(candidates.n_users, 1)


@dataclass(frozen=True)
class ExpectedTakes:
    """The probability that a user takes a predicted item within the horizon.

    Attributes:
        horizon: how long takes are counted.
        knots: by fact that is looked at ("chance", "wanted", "activity", "away"), where its curve may bend.
        weights: of every fact and of what it exceeds every knot by, in the order of ``knots``.
        intercept: the constant term.
        n_users: users it was learned from.
        spread: variance of a list's takes over their expected number; 1 if every take were on its own.
    """

    horizon: Horizon
    knots: dict[str, list[float]]
    weights: list[float]
    intercept: float
    n_users: int
    spread: float = USUAL_SPREAD

    @classmethod
    def learn(cls, seen: Predictions, taken: np.ndarray, horizon: Horizon, seed: int) -> Self | None:
        """Return what predictions came to; None where too few were taken to tell.

        Args:
            taken: bool [B, N], which candidates their user took within the horizon.
            seed: draws pairs without a take where there are more than are needed.
        """
        row, column = np.nonzero(_pairs(seen, taken, seed))
        hits = taken[row, column]
        if hits.sum() < FEWEST:
            return None
        n_without = np.count_nonzero(seen.candidates.items >= 0) - hits.sum()
        counts = np.where(hits, 1.0, n_without / max(np.count_nonzero(~hits), 1))
        facts = _facts(seen, row, column, horizon)
        knots = {name: _knots(values, USER_KNOTS) for name, values in facts.items()}
        knots |= {name: _knots(facts[name][hits], TAKE_KNOTS) for name in ("chance", "wanted")}
        weights, intercept = _logistic(_bent(facts, knots), hits, counts)
        return cls(horizon, knots, weights.tolist(), intercept, len(taken))

    def probabilities(self, predicted: Predictions) -> np.ndarray:
        """Return the probability of every candidate, float64 [B, N]; 0 where there is none."""
        items = predicted.candidates.items
        found = np.zeros(items.shape)
        size = max(AT_ONCE // max(items.shape[1], 1), 1)
        for start in range(0, len(items), size):
            row, column = np.nonzero(items[start : start + size] >= 0)
            row += start
            features = _bent(_facts(predicted, row, column, self.horizon), self.knots)
            found[row, column] = expit(features @ np.array(self.weights) + self.intercept)
        return found

    def interval(self, expected: float | np.ndarray) -> tuple[Any, Any]:
        """Return between which numbers the takes of a list lie 95 times of 100, for their expected number."""
        half = Z**2 * self.spread / 2
        reach = np.sqrt(half**2 + Z**2 * self.spread * np.asarray(expected, np.float64))
        return np.maximum(expected + half - reach, 0), expected + half + reach

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, saved: Mapping[str, Any] | None) -> Self | None:
        """Return what :meth:`as_dict` gave, whatever else is beside it; None for nothing, as in older runs."""
        if not saved:
            return None
        own = {name: saved[name] for name in cls.__dataclass_fields__}
        return cls(**{**own, "horizon": Horizon(**own["horizon"])})


def spread_of(expected: np.ndarray, taken: np.ndarray) -> float:
    """Return how much more lists' takes vary around their expected number than takes on their own would, at least 1.

    Args:
        expected, taken: float [L], of lists. Few of them count little against what is usual.
    """
    there = expected > 0
    ratios = np.square(taken[there] - expected[there]) / expected[there]
    return float(max((ratios.sum() + USUAL_WEIGHT * USUAL_SPREAD) / (there.sum() + USUAL_WEIGHT), 1))


def _pairs(seen: Predictions, taken: np.ndarray, seed: int) -> np.ndarray:
    """Return the pairs to learn from, bool [B, N]: all that were taken, and as many others as are needed."""
    there = seen.candidates.items >= 0
    others = there & ~taken
    share = MOST / max(np.count_nonzero(others), 1)
    if share >= 1:
        return there
    return (there & taken) | (others & (np.random.default_rng(seed).random(others.shape) < share))


def _facts(seen: Predictions, row: np.ndarray, column: np.ndarray, horizon: Horizon) -> dict[str, np.ndarray]:
    """Return what is known of pairs of a user and a candidate, float64 [R] by name."""
    chances = seen.candidates.scores[row, column].astype(np.float64)
    facts = {
        "chance": logit(np.clip(chances, 1e-9, 1 - 1e-7)),
        "wanted": np.log(seen.wanted[seen.candidates.items[row, column]] + LEAST_WANTED),
        "activity": np.log1p(seen.activity[row]),
    }
    if horizon.kind == "days":  # where every user's latest rows are held out, all have been away for as long as that
        facts["away"] = np.log1p(seen.away[row])
    return facts


def _knots(values: np.ndarray, shares: Sequence[float]) -> list[float]:
    """Return where the curve of a fact may bend, ascending: quantiles with values on either side."""
    found = np.unique(np.quantile(values, shares))
    return found[(found > values.min()) & (found < values.max())].tolist()


def _bent(facts: Mapping[str, np.ndarray], knots: Mapping[str, list[float]]) -> np.ndarray:
    """Return every fact and what it exceeds each of its knots by, float64 [R, F]."""
    columns = []
    for name, bends in knots.items():
        columns += [facts[name], *(np.maximum(facts[name] - bend, 0) for bend in bends)]
    return np.column_stack(columns)


def _logistic(features: np.ndarray, hits: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, float]:
    """Return weights [F] and intercept of a logistic regression with a small penalty; rows count ``counts`` times."""
    mean, deviation = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    scaled = np.column_stack([(features - mean) / deviation, np.ones(len(features))])
    penalty = np.append(np.full(features.shape[1], PENALTY), 0)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margin = scaled @ weights
        value = counts @ (np.logaddexp(0, margin) - hits * margin) + penalty @ np.square(weights) / 2
        return float(value), (counts * (expit(margin) - hits)) @ scaled + penalty * weights

    def curvature(weights: np.ndarray) -> np.ndarray:
        share = expit(scaled @ weights)
        return (scaled * (counts * share * (1 - share))[:, None]).T @ scaled + np.diag(penalty)

    start = np.append(np.zeros(features.shape[1]), logit(np.clip(np.average(hits, weights=counts), 1e-9, 1 - 1e-9)))
    found = minimize(loss, start, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-3}).x
    weights = found[:-1] / deviation
    return weights, float(found[-1] - weights @ mean)
