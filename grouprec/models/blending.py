"""Which encoders a blend is made of, chosen by held-out users of several windows.

It starts from the best simple scorer, one encoder times the trend, and is never its rival: another encoder joins only
where that raises nDCG@10 by more than chance, in steps, like the ensembles of Caruana et al. (2004,
"Ensemble selection from libraries of models"; departure: a step has to be worth more than chance, and has a size). The
windows are folds, for encoders that are fitted quickly, and the validation part, for all; a user counts once, with the
mean over their windows. At last a
logistic regression on the validation part turns the blend into chances.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit

from grouprec.core.memory import rows_per_batch
from grouprec.data.preparing.hold_out import ENOUGH_TO_CHOOSE
from grouprec.models.blend import REPEAT_TERMS, Predictor, Weights, log_preference
from grouprec.models.threads import side_by_side
from grouprec.ranking.candidates import discounts, rank_top
from grouprec.ranking.metrics import has
from grouprec.ranking.task import Task

WINDOW_USERS = 1500  # of a window, drawn
LEAST_USERS = 3000  # of all windows together, where there are so many
CELLS = 1 << 24  # numbers of users and items that an encoder says at a time
DEPTH = 100  # best items of every encoder that are ranked
LENGTH = 10
SHARES = (0.15, 0.3, 0.5)  # of the blend, that a joining encoder may get in one step
MOST_STEPS = 6
CERTAIN = 2.5  # standard errors that a step has to bring: it is the best of a dozen that are tried
LEAST_WEIGHT = 1e-3  # of the blend in the chances: it ranks, also where the chances hardly follow it
PENALTY = 0.5  # of the squared weights of the regression
POPULARITY = ""  # the member that is no encoder: what is popular, times the trend


@dataclass(frozen=True)
class Window:
    """A moment at which somebody could have chosen: what was predicted by then, and what happened next."""

    predictor: Predictor
    task: Task


@dataclass(frozen=True)
class Mix:
    """What ranks: shares of encoders, and the trend.

    Attributes:
        shares: of every member's log preference, > 0, summing to 1; the member "" is popularity.
        half_life: days after which a row counts half in the trend; None without one.
        trend: exponent of the trend.
        ndcg: nDCG@10 on the windows: of every encoder alone (with the trend), of the start and of the "blend".
        n_users: users who chose.
        season, season_days: exponent of the season, and the days that it is asked for.
    """

    shares: dict[str, float]
    half_life: float | None = None
    trend: float = 0.0
    ndcg: dict[str, float] = field(default_factory=dict)
    n_users: int = 0
    season: float = 0.0
    season_days: float = 0.0

    def joined(self, name: str, share: float) -> Mix:
        """Return the mix in which a member gets a share of the whole, beside what it has."""
        shares = {one: value * (1 - share) for one, value in self.shares.items()}
        return self.of({**shares, name: shares.get(name, 0.0) + share})

    def of(self, shares: dict[str, float]) -> Mix:
        """Return the mix of other members with the same trend and season; nobody has judged it."""
        return replace(self, shares=shares, ndcg={}, n_users=0)

    def weights(self, names: Sequence[str], scale: float = 1.0, activity: float = 0.0, rest: float = -2.0) -> Weights:
        """Return weights that rank as the mix does; by default the chances are no more than an order."""
        return Weights(
            {name: scale * self.shares.get(name, 0.0) for name in names},
            self.half_life if self.trend else None,
            scale * self.trend,
            scale * self.shares.get(POPULARITY, 0.0),
            activity,
            None,
            rest,
            self.ndcg,
            self.n_users,
            scale * self.season,
            self.season_days,
        )


@dataclass(frozen=True, eq=False)
class Table:
    """Users of one window with the items that may be ranked for them, in rows of one length.

    Attributes:
        users: int [B], rows of the users.
        logs: log preference by member, float32 [B, C].
        moved: float32 [B, C], what trend and season add; the same for all mixes that are compared.
        terms: float32 [B, C] each, what is known of repeats.
        activity: float32 [B].
        listed: bool [B, C]; where not, there is no item.
        hits: bool [B, C].
        ideal: float [B], the discounted sum of a perfect list.
        ties: float32 [B, C], smaller than any difference that matters: the random order of equals.
    """

    users: np.ndarray
    logs: dict[str, np.ndarray]
    moved: np.ndarray
    terms: tuple[np.ndarray, ...]
    activity: np.ndarray
    listed: np.ndarray
    hits: np.ndarray
    ideal: np.ndarray
    ties: np.ndarray

    @classmethod
    def of(cls, window: Window, mix: Mix, seed: int, n_users: int = WINDOW_USERS) -> Table:
        """Gather what a window says; ``mix`` tells the trend. ``n_users`` at most are drawn."""
        users, (_, n_items) = window.task.sample(n_users, seed).users, window.task.seen.shape
        ties = np.random.default_rng(seed).random(n_items, np.float32) * np.float32(1e-5)
        size = rows_per_batch(n_items, CELLS)
        starts = range(0, max(len(users), 1), size)
        return cls.joined([cls._of_some(window, mix, users[at : at + size], ties, seed) for at in starts])

    @classmethod
    def _of_some(cls, window: Window, mix: Mix, users: np.ndarray, ties: np.ndarray, seed: int) -> Table:
        """Return the table of some of the users; what is said of all items is held for them only."""
        predictor, task, items = window.predictor, window.task, window.predictor.items
        moved = items.moved(mix.weights(())).astype(np.float32)
        popular = np.broadcast_to(items.log_users - items.log_users.max(initial=0), (len(users), len(moved)))
        logs = {one.name: log_preference(one, users, items.log_popularity) for one in predictor.sources}
        logs[POPULARITY] = popular.astype(np.float32)
        seen = None if predictor.weights.repeats else predictor.histories[users]
        place = _best_of_any((log + moved for log in logs.values()), seen, seed)
        listed, place = place >= 0, np.maximum(place, 0)
        row = np.arange(len(users))[:, None]
        hits = has(task.relevant, users[:, None].repeat(place.shape[1], 1).ravel(), place.ravel())
        most = np.minimum(np.diff(task.relevant.indptr)[users], LENGTH)
        owned = predictor.repeats if predictor.weights.repeats else ()
        return cls(
            users=users,
            logs={name: log[row, place] for name, log in logs.items()},
            moved=moved[place],
            terms=tuple(sparse.csr_array(term[users]).toarray()[row, place] for term in owned),
            activity=np.log1p(np.diff(predictor.histories[users].indptr)).astype(np.float32),
            listed=listed,
            hits=hits.reshape(place.shape) & listed,
            ideal=np.append(0, discounts(LENGTH).cumsum())[most],
            ties=ties[place],
        )

    @classmethod
    def joined(cls, parts: Sequence[Table]) -> Table:
        """Return tables of different users of a window as one; shorter rows are filled with what is not listed."""
        if len(parts) == 1:
            return parts[0]
        width = max(part.listed.shape[1] for part in parts)

        def stack(arrays: Sequence[np.ndarray]) -> np.ndarray:
            return np.concatenate([np.pad(one, ((0, 0), (0, width - one.shape[1]))) for one in arrays])

        return cls(
            users=np.concatenate([part.users for part in parts]),
            logs={name: stack([part.logs[name] for part in parts]) for name in parts[0].logs},
            moved=stack([part.moved for part in parts]),
            terms=tuple(stack(terms) for terms in zip(*(part.terms for part in parts), strict=True)),
            activity=np.concatenate([part.activity for part in parts]),
            listed=stack([part.listed for part in parts]),
            hits=stack([part.hits for part in parts]),
            ideal=np.concatenate([part.ideal for part in parts]),
            ties=stack([part.ties for part in parts]),
        )

    def has(self, mix: Mix) -> bool:
        """Whether the window knows all members of a mix."""
        return all(name in self.logs for name in mix.shares)

    def scores(self, mix: Mix) -> np.ndarray:
        """Return what a mix ranks by, float32 [B, C]."""
        total = self.moved
        for name, share in mix.shares.items():
            total = total + np.float32(share) * self.logs[name]
        return total

    def ndcg(self, scores: np.ndarray) -> np.ndarray:
        """Return the nDCG@10 of every user for the ranking by these scores [B, C], float64 [B]."""
        ranked = np.where(self.listed, scores + self.ties, -np.inf)
        depth = min(LENGTH, ranked.shape[1])
        top = np.argpartition(-ranked, depth - 1, axis=1)[:, :depth]
        order = np.argsort(-np.take_along_axis(ranked, top, axis=1), axis=1)
        hits = np.take_along_axis(self.hits, np.take_along_axis(top, order, axis=1), axis=1)
        return (hits @ discounts(depth)) / np.maximum(self.ideal, 1e-12)


def _best_of_any(logs: Iterator[np.ndarray], seen: sparse.csr_array | None, seed: int) -> np.ndarray:
    """Return the items that stand among the best of at least one of the scores, int [B, C], -1 at the end of a row."""
    chosen = None
    for log in logs:
        if seen is not None:
            log[seen.nonzero()] = -np.inf
        best = rank_top(log, DEPTH, seed)[0]
        chosen = np.zeros(log.shape, bool) if chosen is None else chosen
        row, place = np.nonzero(best >= 0)
        chosen[row, best[row, place]] = True
    assert chosen is not None
    counts = chosen.sum(axis=1)
    out = np.full((len(chosen), max(int(counts.max(initial=0)), 1)), -1)
    row, item = np.nonzero(chosen)
    out[row, np.arange(len(row)) - (counts.cumsum() - counts)[row]] = item
    return out


def choose_mix(windows: Sequence[Window], start: Mix, seed: int) -> Mix:
    """Return the mix that held-out users prefer, from a start.

    Args:
        windows: predict new items only; not all of them know all encoders.
        start: one encoder, with the trend; where no window knows it, the best single encoder takes its place,
            or all alike where users are few.
        seed: which users of a window, where there are more than are needed, and the order of equals.
    """
    n_each = max(WINDOW_USERS, LEAST_USERS // max(len(windows), 1))
    tables = side_by_side(lambda window: Table.of(window, start, seed, n_each), windows)
    names = list(dict.fromkeys(name for table in tables for name in table.logs))
    single = {name: start.of({name: 1.0}) for name in names}
    alone = {name: _mean(tables, mix) for name, mix in single.items()}
    encoders = [name for name in names if name != POPULARITY]
    if encoders and not set(start.shares) <= set(names):
        enough = len(np.unique(np.concatenate([table.users for table in tables]))) >= ENOUGH_TO_CHOOSE
        start = single[max(encoders, key=lambda name: alone[name])] if enough else settled(encoders, {})
    mix = _grown(tables, start, encoders)
    gain, error, n_users = _gain(tables, mix, single[POPULARITY])
    # Where both are worth the same, groups need what tells their members apart (decision 0151).
    if n_users >= ENOUGH_TO_CHOOSE and gain > error:
        mix = single[POPULARITY]
    told = {"popularity" if name == POPULARITY else name: value for name, value in alone.items()}
    told |= {"start": _mean(tables, start), "blend": _mean(tables, mix)}
    return replace(mix, ndcg=told, n_users=n_users)


def _grown(tables: Sequence[Table], mix: Mix, encoders: Sequence[str]) -> Mix:
    """Let encoders join as long as that pays."""
    for _ in range(MOST_STEPS):
        best: tuple[float, Mix] | None = None
        for name, share in product(encoders, SHARES):
            trial = mix.joined(name, share)
            gain, error, n_users = _gain(tables, mix, trial)
            if n_users >= ENOUGH_TO_CHOOSE and gain > CERTAIN * error and (best is None or gain > best[0]):
                best = gain, trial
        if best is None:
            break
        mix = best[1]
    return mix


def _gain(tables: Sequence[Table], before: Mix, after: Mix) -> tuple[float, float, int]:
    """Return what a mix brings over another: mean over users, its standard error, and the number of users."""
    found = [
        (table.users, table.ndcg(table.scores(after)) - table.ndcg(table.scores(before)))
        for table in tables
        if table.has(before) and table.has(after)
    ]
    if not any(len(users) for users, _ in found):
        return 0.0, 0.0, 0
    by_user = mean_by_user(*(np.concatenate(part) for part in zip(*found, strict=True)))
    return float(by_user.mean()), float(by_user.std() / np.sqrt(len(by_user))), len(by_user)


def mean_by_user(users: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return every user's mean over their windows, float64 [distinct users]."""
    counts = np.bincount(users)
    return np.bincount(users, values)[counts > 0] / counts[counts > 0]


def _mean(tables: Sequence[Table], mix: Mix) -> float:
    """Return the nDCG@10 of a mix on the windows that know it; 0 where none does."""
    found = [table.ndcg(table.scores(mix)) for table in tables if table.has(mix)]
    return float(np.concatenate(found).mean()) if sum(map(len, found)) else 0.0


def calibrated(window: Window, mix: Mix, names: Sequence[str], seed: int) -> Weights:
    """Return weights that rank as a mix does and whose chances are, on average, those of the window.

    A logistic regression on how active the user is, beside what the mix says as it is: a factor on that would make
    the chances truer and the lists of groups worse (Online Retail: strict nDCG@10 .100 to .108 with half the mix,
    .108 to .110 with all of it), since what stands out for one user has to stand out among many.

    Args:
        names: encoders that get a weight.
    """
    table = Table.of(window, mix, seed)
    if len(table.users) < ENOUGH_TO_CHOOSE:
        return mix.weights(names)
    activity = np.broadcast_to(table.activity[:, None], table.listed.shape)
    given = table.scores(mix)[table.listed]
    slope, rest = _logistic(_rows(table, [activity]), table.hits[table.listed], [], given).tolist()
    return mix.weights(names, 1.0, slope, rest)


def with_repeats(windows: Sequence[Window], mix: Mix, names: Sequence[str], seed: int) -> Weights:
    """Return the weights where items may be taken again: the mix, and what is known of a user's own items.

    A logistic regression over what the mix says, the repeat terms and the user's activity; where own items alone rank
    better, they alone.

    Args:
        windows: whose targets include repeats.
    """
    tables = side_by_side(lambda window: Table.of(window, mix, seed), windows)
    tables = [table for table in tables if table.has(mix)]
    if sum(len(table.users) for table in tables) < ENOUGH_TO_CHOOSE:
        return Weights(**{**mix.weights(names).as_dict(), "repeats": (0.0,) * len(REPEAT_TERMS)})
    hits = np.concatenate([table.hits[table.listed] for table in tables])
    found: dict[float, tuple[np.ndarray, dict[str, float]]] = {}
    for kept in (1.0, 0.0):  # with the mix, and without
        columns = [[kept * table.scores(mix), *_of_repeats(table)] for table in tables]
        features = np.concatenate([_rows(table, own) for table, own in zip(tables, columns, strict=True)])
        solved = _logistic(features, hits, [0])
        solved[0] = max(solved[0], LEAST_WEIGHT) if kept else LEAST_WEIGHT
        ranked = [table.ndcg(_weighed(own, solved)) for table, own in zip(tables, columns, strict=True)]
        found[kept] = solved, {**mix.ndcg, "blend": float(np.concatenate(ranked).mean())}
    solved, ndcg = max(found.values(), key=lambda one: one[1]["blend"])
    scale, *terms, activity, rest = solved.tolist()
    made = mix.weights(names, scale, activity, rest).as_dict()
    return Weights(**{**made, "repeats": tuple(terms), "ndcg": ndcg})


def _of_repeats(table: Table) -> list[np.ndarray]:
    return [*table.terms, np.broadcast_to(table.activity[:, None], table.listed.shape)]


def _rows(table: Table, features: Sequence[np.ndarray]) -> np.ndarray:
    """Return the features of what is listed, float32 [R, F]."""
    return np.column_stack([feature[table.listed] for feature in features]).astype(np.float32)


def _weighed(features: Sequence[np.ndarray], solved: np.ndarray) -> np.ndarray:
    return np.sum([np.float32(weight) * one for weight, one in zip(solved, features, strict=False)], axis=0)


def _logistic(
    features: np.ndarray, hits: np.ndarray, non_negative: Sequence[int], given: np.ndarray | None = None
) -> np.ndarray:
    """Return weights [F] and intercept of a logistic regression with an L2 penalty and some weights at least 0.

    Args:
        given: float32 [R], what is added to every row's sum as it is; nothing where None.
    """
    known = np.zeros(len(hits), np.float32) if given is None else given
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    scaled = ((features - mean) / spread).astype(np.float32)
    sign = np.where(hits, 1, -1).astype(np.float32)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        margin = sign * (known + scaled @ parameters[:-1].astype(np.float32) + np.float32(parameters[-1]))
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


def settled(names: Sequence[str], start: Mapping[str, float]) -> Mix:
    """Return the mix of nobody's choice: the start where it is among the encoders, else all alike."""
    known = {name: share for name, share in start.items() if name in names}
    return Mix(known or {name: 1 / len(names) for name in names})
