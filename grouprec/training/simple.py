"""The simplest scorer that works, its settings chosen on folds: one linear encoder, a fading history, the trend.

Another encoder alone, with a trend of its own, takes the linear one's place where folds say so (:func:`challenged`).
What is chosen here is what a blend starts from, what lists are compared with, and what is exported where nothing
cleverer is better by more than chance.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, pairwise
from typing import Any, Self

import numpy as np

from grouprec.data.dataset import Dataset
from grouprec.data.preparing.hold_out import ENOUGH_TO_CHOOSE
from grouprec.models.base import REGISTRIES, Encoder, StageConfig
from grouprec.models.blend import ItemFacts, Source, log_preference
from grouprec.models.blending import LENGTH, Mix, mean_by_user
from grouprec.models.fitting import RunOptions
from grouprec.models.threads import side_by_side
from grouprec.ranking.candidates import discounts, rank_top
from grouprec.ranking.recency import DAY, beside, half_lives_of, has_evidence, moves
from grouprec.ranking.task import validation_task
from grouprec.runs.config import RunConfig
from grouprec.training.fits import Fits

JUDGES = 1000  # users of a fold who choose, drawn
TRENDS = (0.25, 0.5, 0.75, 1.0, 1.25)  # exponents tried with every half-life
SEASONS = (0.25, 0.5, 0.75, 1.0)  # exponents of what was taken at this time of last year
FINE = 0.125  # from the best exponent to those tried beside it, with the half-lives beside the best
FADES = (2.0, 3.0, 5.0, 8.0, 15.0, 30.0)  # later rows of a user after which an item counts half
STRENGTHS = (0.3, 1.0, 3.0)  # times the preset's regularisation
STRONGER = (10.0, 30.0)  # tried in turn while the strongest is the best; taken where better by a standard error
MOST_ITEMS = 8_000  # beyond so many, only the preset's regularisation is tried


@dataclass(frozen=True)
class Simple:
    """A simple scorer.

    Attributes:
        encoder: its name.
        settings: of the encoder, that folds chose; {} where the encoder is its preset.
        half_life, trend: of the trend (:class:`~grouprec.models.blending.Mix`).
        ndcg: mean nDCG@10 over users and folds; NaN where nobody chose.
        plain: the same of the encoder with nothing chosen.
        n_users, n_folds: who chose, on how many folds.
        season, season_days: exponent of the season, and the days that it is asked for.
    """

    encoder: str
    settings: dict[str, Any]
    half_life: float | None = None
    trend: float = 0.0
    ndcg: float = float("nan")
    plain: float = float("nan")
    n_users: int = 0
    n_folds: int = 0
    season: float = 0.0
    season_days: float = 0.0

    def mix(self, encoder: str) -> Mix:
        """Return an encoder alone with the trend and the season of this scorer."""
        return Mix({encoder: 1.0}, self.half_life, self.trend, season=self.season, season_days=self.season_days)


@dataclass(frozen=True)
class _Choice:
    """One point of the grid of an encoder; the first is the default. Fading, trend and season make it less simple.

    How much of them, and how strong the regularisation is, is no matter of simplicity: one standard error towards the
    weaker trend and the preset's strength cost 6 and 2 % on what came after the folds (Online Retail, the year before).
    """

    encoder: str
    strength: float = 1.0
    fade: float = 0.0
    half_life: float | None = None
    trend: float = 0.0
    season: float = 0.0

    @property
    def complexity(self) -> int:
        return (self.fade > 0) + (self.trend > 0) + (self.season > 0) + (self.strength > STRENGTHS[-1])


class _Fold:
    """One fold, ready to judge: what was judged is remembered."""

    def __init__(
        self, data: Dataset, make: Callable[[_Choice], Encoder], fits: Fits, seed: int, days: float = 0.0
    ) -> None:
        self.data, self._make, self._fits, self._days = data, make, fits, days
        self.task = validation_task(data).sample(JUDGES, seed)
        self._alone = data.without_validation()  # so that no encoder sees what it holds out
        self.facts = ItemFacts.of(data)
        self._log: tuple[tuple[str, float, float], np.ndarray] | None = None
        self._seen = data.histories[self.task.users].nonzero()
        rows = self.task.relevant[self.task.users]
        self._relevant = rows.toarray() > 0
        self._ideal = discounts(LENGTH).cumsum()[np.minimum(np.diff(rows.indptr), LENGTH) - 1]
        self._ties = np.random.default_rng(seed).random(data.n_items, np.float32) * np.float32(1e-5)

    def judge(self, choice: _Choice) -> np.ndarray:
        """Return the nDCG@10 of every judged user, float64 [B]."""
        moved = np.float32(choice.trend) * self.facts.trend(choice.half_life) + self._ties
        if choice.season:
            moved += np.float32(choice.season) * self.facts.season(self._days)
        best = rank_top(self._log_preference(choice) + moved, LENGTH, 0)[0]
        hits = np.take_along_axis(self._relevant, np.maximum(best, 0), axis=1) & (best >= 0)
        return (hits @ discounts(LENGTH)) / self._ideal

    @property
    def has_season(self) -> bool:
        """Whether its rows say what this time of last year was like."""
        return bool(self.facts.season(self._days).any())

    def _log_preference(self, choice: _Choice) -> np.ndarray:
        """Return what the encoder says, float32 [B, I], -inf for what the users have; the last answer is kept."""
        key = choice.encoder, choice.strength, choice.fade
        if self._log is None or self._log[0] != key:
            encoder = self._fits.get(self._make(choice), self._alone)
            source = Source(encoder.name, encoder.embeddings(self.data), encoder.scale)
            log = log_preference(source, self.task.users, self.facts.log_popularity)
            log[self._seen] = -np.inf
            self._log = key, log
        return self._log[1]


Judged = dict[tuple[str, _Choice], np.ndarray]  # by fold and choice, the nDCG@10 of every judged user


def choose_simple(
    folds: Sequence[Dataset],
    name: str,
    config: RunConfig,
    report: Callable[[float, dict[str, float]], None],
    known: Judged | None = None,
    fits: Fits | None = None,
    length: float = 0.0,
    settled: Mapping[str, Any] | None = None,
) -> Simple:
    """Return the settings of a simple scorer that held-out users of the folds prefer.

    Coordinate by coordinate: trend, fading history, strength of regularisation, and the trend once more. Of all that
    was tried, the simplest that is within one standard error of the best (Breiman et al. 1984), paired over users. With
    fewer than 50 users the encoder stays as its preset has it, without a trend.

    Args:
        folds: of :func:`grouprec.data.folds.make_folds`.
        name: a linear encoder; what it lacks a setting for (``l2``, ``fade``) is not tried.
        known: what an earlier call has judged on some of these folds; what this one judges is put there, too.
        fits: gets the encoders with the settings that are chosen.
        length: of the time that lists are to serve, in seconds: what a season is asked for; 0 tries none.
        settled: settings of the encoder that are no question any more: trend and season alone are chosen.
    """
    known, fits = {} if known is None else known, fits or Fits(RunOptions(config.seed))
    scorers = _Scorers.of(name, config, settled)
    ready = _ready(folds, scorers.make, fits, config.seed, length / DAY)
    if not ready:
        return Simple(name, {})
    judges = _Judges(ready, known, report, fits.on_cpu)
    chosen = _chosen(judges, name, scorers.free or set())
    fits.keep(scorers.make(chosen))
    return judges.simple(chosen, scorers.settings(chosen), length / DAY)


def challenged(
    simple: Simple,
    settled: Mapping[str, Mapping[str, Any]],
    folds: Sequence[Dataset],
    config: RunConfig,
    fits: Fits | None = None,
    length: float = 0.0,
) -> Simple:
    """Return the simple scorer, or another encoder with a trend of its own that held-out users of the folds prefer.

    By more than one standard error: both are as simple. An encoder that is behind by more than that with the scorer's
    trend and without any is not tried with others (decision 0205).

    Args:
        simple: of :func:`choose_simple` on the same folds.
        settled: the settings of every encoder that is asked about, that of the simple scorer among them.
    """
    scorers = {name: _Scorers.of(name, config, own) for name, own in settled.items()}
    make = lambda choice: scorers[choice.encoder].make(choice)  # noqa: E731
    fits = fits or Fits(RunOptions(config.seed))
    ready = _ready(folds, make, fits, config.seed, length / DAY) if simple.n_users else []
    if not ready:
        return simple
    judges = _Judges(ready, {}, lambda done, values: None, fits.on_cpu)
    start = judges.best_of([_Choice(simple.encoder, 1.0, 0.0, simple.half_life, simple.trend, simple.season)])
    better = []
    for name in (one for one in settled if one != simple.encoder):
        near = judges.best_of([_Choice(name), replace(start, encoder=name)])
        if judges.beats(start, near):
            continue
        own = _chosen(judges, name, set())
        better += [own] if judges.beats(own, start) else []
    if not better:
        return simple
    best = max(better, key=lambda choice: (judges.judged[choice].mean(), choice.encoder))
    return judges.simple(best, {}, length / DAY)


def _chosen(judges: _Judges, name: str, free: set[str]) -> _Choice:
    """Return the simplest choice for an encoder that is as good as the best."""
    best = _descend(_Choice(name), judges.best_of, free, judges.folds)
    return _simplest(judges.judged_of(name), best, judges.between)


@dataclass(frozen=True)
class _Scorers:
    """The encoder with any choice of its settings; ``free`` are those that nobody has named, None if all is settled."""

    name: str
    base: StageConfig
    free: set[str] | None

    @classmethod
    def of(cls, name: str, config: RunConfig, settled: Mapping[str, Any] | None = None) -> Self:
        base = config.stage_config("encoder", name)
        if settled is not None:
            return cls(name, base.model_copy(update=dict(settled)), None)
        named, has = config.settings.get(name, {}), type(base).model_fields
        return cls(name, base, {field for field in ("l2", "fade") if field in has and field not in named})

    def settings(self, choice: _Choice) -> dict[str, Any]:
        if self.free is None:
            return {}
        chosen = {"l2": getattr(self.base, "l2", 0) * choice.strength, "fade": choice.fade}
        tuning = {field: False for field in ("tune", "tune_l2") if field in type(self.base).model_fields}
        return {field: chosen[field] for field in sorted(self.free)} | tuning

    def make(self, choice: _Choice) -> Encoder:
        return REGISTRIES["encoder"].get(self.name)(self.base.model_copy(update=self.settings(choice)))


class _Judges:
    """The held-out users of all folds, ``both`` of two at a time; ``judged`` holds their mean nDCG@10, by choice."""

    def __init__(
        self, folds: Sequence[_Fold], known: Judged, report: Callable[[float, dict[str, float]], None], both: bool
    ) -> None:
        self.folds, self._known, self._report, self._both = folds, known, report, both
        self._users = _users(folds)
        self.judged: dict[_Choice, np.ndarray] = {}
        self._means: dict[_Choice, np.ndarray] = {}  # of every fold, float64 [F]

    def between(self, one: _Choice, other: _Choice) -> float:
        """Return the standard error of a difference between choices that folds alone make.

        0 with one or two folds, which cannot say.
        """
        sizes = np.array([len(fold.task.users) for fold in self.folds], float)
        gain = self._means[one] - self._means[other]
        off = np.square(gain - np.average(gain, weights=sizes))
        return float(np.sqrt(np.average(off, weights=sizes) / (len(sizes) - 1))) if len(sizes) > 2 else 0.0

    def beats(self, one: _Choice, other: _Choice) -> bool:
        """Whether one choice is better than another by more than one standard error, over users and between folds."""
        gain = self.judged[one] - self.judged[other]
        return bool(gain.mean() > max(gain.std() / np.sqrt(len(gain)), self.between(one, other)))

    def best_of(self, choices: Iterable[_Choice]) -> _Choice:
        """Judge choices of one encoder, fold by fold, and return the best of all of it that were ever judged."""
        choices = list(dict.fromkeys(choices))
        asked = [choice for choice in choices if choice not in self.judged]
        judged, telling = count(1), threading.Lock()

        def judge(fold: _Fold) -> np.ndarray:
            out = np.empty((len(asked), len(fold.task.users)))
            for at, choice in enumerate(asked):
                key = fold.data.key, choice
                if key not in self._known:
                    self._known[key] = fold.judge(choice)
                out[at] = self._known[key]
            with telling:
                self._report(next(judged) / len(self.folds), {})
            return out

        found = side_by_side(judge, self.folds, self._both)
        for at, choice in enumerate(asked):
            self.judged[choice] = mean_by_user(self._users, np.concatenate([out[at] for out in found]))
            self._means[choice] = np.array([out[at].mean() for out in found])
        return max(self.judged_of(choices[0].encoder), key=lambda choice: self.judged[choice].mean())

    def judged_of(self, encoder: str) -> dict[_Choice, np.ndarray]:
        """Return what was judged of one encoder."""
        return {choice: values for choice, values in self.judged.items() if choice.encoder == encoder}

    def simple(self, choice: _Choice, settings: dict[str, Any], days: float) -> Simple:
        """Return a choice as the simple scorer."""
        values, plain = self.judged[choice], float(self.judged[_Choice(choice.encoder)].mean())
        measured = float(values.mean()), plain, len(values), len(self.folds)
        season = (choice.season, days if choice.season else 0.0)
        return Simple(choice.encoder, settings, choice.half_life, choice.trend, *measured, *season)


def _ready(
    folds: Sequence[Dataset], make: Callable[[_Choice], Encoder], fits: Fits, seed: int, days: float
) -> list[_Fold]:
    """Return the folds that can judge; none where their users are too few to choose."""
    ready = [_Fold(fold, make, fits, seed, days) for fold in folds if fold.n_items > LENGTH]
    ready = [fold for fold in ready if len(fold.task.users)]
    return ready if len(np.unique(_users(ready))) >= ENOUGH_TO_CHOOSE else []


def _users(folds: Sequence[_Fold]) -> np.ndarray:
    return np.concatenate([fold.task.users for fold in folds]) if folds else np.empty(0, np.int64)


def _descend(
    first: _Choice, best_of: Callable[[Iterable[_Choice]], _Choice], free: set[str], folds: Sequence[_Fold]
) -> _Choice:
    """Try coordinate by coordinate, and return the best."""
    data = [fold.data for fold in folds]
    timed = all(one.timed for one in data)
    tried = half_lives_of(one.train for one in data)
    moving = [days for days in tried if any(moves(one.train, one.n_items, days) for one in data)]
    trends = [(half_life, power) for half_life in moving for power in TRENDS]

    def with_trends(choice: _Choice) -> list[_Choice]:
        none = replace(choice, half_life=None, trend=0.0)
        return [none, *(replace(choice, half_life=half_life, trend=power) for half_life, power in trends)]

    best = best_of([first, *with_trends(first)])
    if timed and "fade" in free:
        ways = [best, replace(best, half_life=None, trend=0.0)]
        best = best_of(replace(way, fade=fade) for fade in (0.0, *FADES) for way in ways)
    if "l2" in free and data[0].n_items <= MOST_ITEMS:
        best = best_of(replace(best, strength=strength) for strength in STRENGTHS)
    best = best_of(with_trends(best))
    best = best_of(_beside(best, data)) if best.trend else best
    for weaker, strength in pairwise((STRENGTHS[-1], *STRONGER)):
        if best.strength == weaker and "l2" in free:  # where tastes say little (decision 0150)
            best = best_of(with_trends(replace(best, strength=strength)))
    if not any(fold.has_season for fold in folds):
        return best
    ways = [best, replace(best, half_life=None, trend=0.0)]
    best = best_of(replace(way, season=power) for power in SEASONS for way in ways)
    return best_of(with_trends(best)) if best.season else best


def _beside(best: _Choice, data: Sequence[Dataset]) -> list[_Choice]:
    """Return trends a little weaker and stronger than the best, and with half-lives a little shorter and longer.

    A step of the grid changes a list by more than folds can tell apart, so that without them chance takes one of two
    neighbours where the answer lies between.
    """
    assert best.half_life is not None  # it has a trend
    powers = (best.trend - FINE, best.trend, best.trend + FINE)
    near = [days for days in beside(best.half_life) if has_evidence([one.train for one in data], days)]
    return [replace(best, half_life=days, trend=power) for days in near or [best.half_life] for power in powers]


def _simplest(
    judged: dict[_Choice, np.ndarray],
    best: _Choice,
    between: Callable[[_Choice, _Choice], float] = lambda one, other: 0.0,
) -> _Choice:
    """Return the simplest choice that is within one standard error of the best.

    Windows differ by more than people within one do: the error is the larger of that over users and that ``between``
    folds. A trend that half of the folds would rather be without is none (decision 0120).
    """

    def as_good(choice: _Choice) -> bool:
        lost = judged[best] - judged[choice]
        return bool(lost.mean() <= max(lost.std() / np.sqrt(len(lost)), between(best, choice)))

    good = [choice for choice in judged if as_good(choice)]
    return min(good, key=lambda choice: (choice.complexity, -judged[choice].mean()))
