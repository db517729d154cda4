"""Simple methods with settings from one inner window, written apart from the product: an afternoon of somebody's.

Only histories, times and two formulas: EASE (Steck 2019) and iALS (Hu, Koren and Volinsky 2008). Lists come by user.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD

from grouprec.models.groupers.segmentation import segment
from grouprec.ranking.candidates import discounts

DAY = 86_400.0
SHARE = 0.2
DEPTH = 200
SHARES_OF_TIME = (1 / 120, 1 / 52, 1 / 26, 1 / 13)  # half-lives, of the time that the rows span: a year's 3 to 28 days
POWERS = (0.0, 0.25, 0.5, 1.0)
FADES = (0.0, 2.0, 5.0, 15.0)
STRENGTHS = (100.0, 300.0, 900.0)
NEIGHBOURS = (20, 100, 400)
LATEST = (0.3, 1.0, 3.0)  # later items of a user after which one speaks half, for what follows
MOST_ITEMS = 8_000  # of whole EASE: an afternoon has no more

Lists = dict[str, list[str]]


@dataclass(frozen=True, eq=False)
class Known:
    """What may be known: a row per event (user, item, time), and how the rest was taken away."""

    rows: pd.DataFrame
    protocol: str

    @cached_property
    def users(self) -> np.ndarray:
        return np.unique(self.rows["user"])

    @cached_property
    def items(self) -> np.ndarray:
        return np.unique(self.rows["item"])

    @cached_property
    def window(self) -> Window:
        """Everything that is known."""
        user, item = np.searchsorted(self.users, self.rows["user"]), np.searchsorted(self.items, self.rows["item"])
        return Window(user, item, self.rows["time"].to_numpy(float), len(self.users), len(self.items))

    def inner(self) -> tuple[Window, sparse.csr_array]:
        """Return a window with a fifth taken away by the same protocol, and what was taken away, CSR [U, I]."""
        whole = self.window
        if self.protocol == "time":
            held = whole.time >= np.quantile(whole.time, 1 - SHARE)
        else:
            order = whole.time if self.protocol == "user_time" else np.random.default_rng(1).random(len(whole.time))
            frame = pd.DataFrame({"user": whole.user, "order": order})
            place = frame.groupby("user")["order"].rank(method="first", ascending=False).to_numpy()
            held = place <= np.floor(np.bincount(whole.user)[whole.user] * SHARE)
        known = whole.take(~held)
        taken = whole.take(held).matrix
        new = taken - taken.multiply(known.matrix)
        return known, sparse.csr_array(new > 0).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Window:
    """Events by row of user and item."""

    user: np.ndarray
    item: np.ndarray
    time: np.ndarray
    n_users: int
    n_items: int

    def take(self, rows: np.ndarray) -> Window:
        return Window(self.user[rows], self.item[rows], self.time[rows], self.n_users, self.n_items)

    @cached_property
    def matrix(self) -> sparse.csr_array:
        """Return who has what, 1, CSR [U, I]."""
        found = sparse.csr_array((np.ones(len(self.user)), (self.user, self.item)), (self.n_users, self.n_items))
        found.data[:] = 1
        return found

    @property
    def half_lives(self) -> list[float]:
        """Return the half-lives to try, in days."""
        days = float(np.ptp(self.time)) / DAY or 1.0  # without times any will do
        return [days * share for share in SHARES_OF_TIME]

    def recent(self, half_life: float) -> np.ndarray:
        """Return what every event counts, float [n]."""
        return np.exp2((self.time - self.time.max()) / (half_life * DAY))

    def trend(self, half_life: float) -> np.ndarray:
        """Return recent over lifetime popularity, float [I]."""
        decayed = self.recent(half_life)
        mean = len(self.item) / self.n_items
        late = np.bincount(self.item, decayed, self.n_items) * len(self.item) / decayed.sum()
        return (late + mean / 4) / (np.bincount(self.item, minlength=self.n_items) + mean / 4)

    def fading(self, half_life: float) -> sparse.csr_array:
        """Return histories in which every later event of the user halves an item after ``half_life`` of them."""
        if not half_life:
            return self.matrix
        order = np.lexsort((self.time, self.user))
        counts = np.bincount(self.user, minlength=self.n_users)
        age = np.empty(len(order))
        age[order] = counts.cumsum()[self.user[order]] - 1 - np.arange(len(order))
        frame = pd.DataFrame({"u": self.user, "i": self.item, "a": age}).groupby(["u", "i"])["a"].min()
        users, items = (frame.index.get_level_values(name).to_numpy() for name in ("u", "i"))
        return sparse.csr_array((np.exp2(-frame.to_numpy() / half_life), (users, items)), self.matrix.shape)


def ease(window: Window, strength: float) -> np.ndarray:
    """Return the item weights, float32 [I, I]."""
    inverse = np.linalg.inv((window.matrix.T @ window.matrix).toarray() + strength * np.eye(window.n_items))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights.astype(np.float32)


def ials(window: Window, size: int = 64, strength: float = 30.0, alpha: float = 1.0, rounds: int = 8) -> np.ndarray:
    """Return scores by iALS, float32 [U, I]."""
    rng = np.random.default_rng(0)
    users, items = np.zeros((window.n_users, size)), rng.normal(0, 0.1, (window.n_items, size))
    for _ in range(rounds):
        users = _solve(window.matrix, items, strength, alpha)
        items = _solve(sparse.csr_array(window.matrix.T), users, strength, alpha)
    return (users @ items.T).astype(np.float32)


def _solve(matrix: sparse.csr_array, other: np.ndarray, strength: float, alpha: float) -> np.ndarray:
    gram = other.T @ other * 0.1 + strength * np.eye(other.shape[1])
    out = np.zeros((matrix.shape[0], other.shape[1]))
    for row in range(matrix.shape[0]):
        own = other[matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]]
        out[row] = np.linalg.solve(gram + alpha * own.T @ own, (1 + alpha) * own.sum(axis=0))
    return out


def without_own(scores: np.ndarray, window: Window, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    """Return the scores of some users, at least 0, and -1 for what they have."""
    out = np.maximum(scores[rows], 0)
    out[window.matrix[rows].nonzero()] = -1
    return out


def best(scores: np.ndarray, n: int = DEPTH) -> np.ndarray:
    """Return the best ``n`` columns of every row, best first."""
    n = min(n, scores.shape[1])
    top = np.argpartition(-scores, n - 1, axis=1)[:, :n]
    return np.take_along_axis(top, np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable"), axis=1)


def value(scores: np.ndarray, window: Window, wanted: sparse.csr_array) -> float:
    """Return the mean nDCG@10 of personal lists over users who want something new and have a history."""
    rows = np.flatnonzero((np.diff(wanted.indptr) > 0) & (np.diff(window.matrix.indptr) > 0))
    top = best(without_own(scores, window, rows), 10)
    hits = np.take_along_axis(wanted[rows].toarray(), top, axis=1)
    ideal = discounts(10).cumsum()[np.minimum(np.diff(wanted.indptr)[rows], 10) - 1]
    return float(((hits @ discounts(top.shape[1])) / ideal).mean())


def tuned_ease(inner: Window, wanted: sparse.csr_array, ways: list[tuple[float, float, float]]) -> tuple[float, ...]:
    """Return (strength, fade, half-life, power) with the best value on one inner window."""
    found = {}
    for strength in STRENGTHS:
        weights = ease(inner, strength)
        for fade, half_life, power in ways:
            factor = inner.trend(half_life) ** power if power else 1.0
            scores = np.asarray(inner.fading(fade) @ weights) * factor
            found[strength, fade, half_life, power] = value(scores, inner, wanted)
    return max(found, key=lambda one: found[one])


def ease_scores(window: Window, chosen: tuple[float, ...]) -> np.ndarray:
    strength, fade, half_life, power = chosen
    factor = window.trend(half_life) ** power if power else 1.0
    return np.asarray(window.fading(fade) @ ease(window, strength)) * factor


def item_neighbours(window: Window, k: int) -> np.ndarray:
    """Return scores by the cosine of items, each with its ``k`` nearest, float32 [U, I]."""
    return np.asarray((window.matrix @ nearest(cosine(sparse.csr_array(window.matrix.T)), k).T).toarray(), np.float32)


def user_neighbours(window: Window, k: int) -> np.ndarray:
    """Return scores by what the ``k`` nearest users have, by the cosine of histories, float32 [U, I]."""
    return np.asarray((nearest(cosine(window.matrix), k) @ window.matrix).toarray(), np.float32)


def cosine(rows: sparse.csr_array) -> sparse.csr_array:
    """Return the cosine of every two rows of ones, CSR [n, n], 0 with itself."""
    size = np.maximum(np.diff(rows.indptr), 1)
    norm = sparse.csr_array(rows.multiply(1 / np.sqrt(size)[:, None])).astype(np.float32)
    found = sparse.csr_array(norm @ norm.T)
    found.setdiag(0)
    found.eliminate_zeros()
    return found


def nearest(found: sparse.csr_array, k: int) -> sparse.csr_array:
    """Return the largest ``k`` entries of every row."""
    order = np.lexsort((-found.data, np.repeat(np.arange(found.shape[0]), np.diff(found.indptr))))
    place = np.arange(found.nnz) - np.repeat(found.indptr[:-1], np.diff(found.indptr))
    kept = np.zeros(found.nnz, found.data.dtype)
    kept[order] = np.where(place < k, found.data[order], 0)
    out = sparse.csr_array((kept, found.indices.copy(), found.indptr.copy()), found.shape)
    out.eliminate_zeros()
    return out


def following(window: Window, half_life: float) -> np.ndarray:
    """Return scores by what came next after the user's latest items (of all who had those), float32 [U, I].

    Equal times have no order: that of the file might know more than anybody could.
    """
    order = np.lexsort((np.random.default_rng(0).random(len(window.time)), window.time, window.user))
    user, item = window.user[order], window.item[order]
    same = user[1:] == user[:-1]
    pairs = (item[:-1][same], item[1:][same])
    counts = sparse.csr_array((np.ones(same.sum()), pairs), (window.n_items, window.n_items))
    after = sparse.csr_array(counts.multiply(1 / (np.bincount(pairs[0], minlength=window.n_items) + 5)[:, None]))
    return np.asarray((window.fading(half_life) @ after).toarray(), np.float32)


def simple_methods(known: Known, n_groups: int) -> Iterator[tuple[str, str, Lists]]:
    """Yield (regime, method, lists by user) of every simple method."""
    window, (inner, wanted) = known.window, known.inner()
    scores, half_lives = {}, window.half_lives
    linear = {
        "EASE": [(0.0, 7.0, 0.0)],
        "EASE on a fading history": [(fade, 7.0, 0.0) for fade in FADES],
        "EASE x trend": [(0.0, half_life, power) for half_life in half_lives for power in POWERS],
    }
    for name, ways in linear.items() if window.n_items <= MOST_ITEMS else ():
        scores[name] = ease_scores(window, tuned_ease(inner, wanted, ways))
    trends = [(half_life, power) for half_life in half_lives for power in POWERS]
    guess = ials(inner)
    half_life, power = max(
        trends, key=lambda one: value(np.maximum(guess, 0) * inner.trend(one[0]) ** one[1], inner, wanted)
    )
    scores["iALS x trend"] = np.maximum(ials(window), 0) * window.trend(half_life) ** power
    for name, (scorer, settings) in OTHERS.items():
        scores[name] = scorer(window, max(settings, key=lambda one: value(scorer(inner, one), inner, wanted)))
    popular = {"popular": lambda one: np.bincount(one.item, minlength=one.n_items).astype(float)}
    lately = max(half_lives, key=lambda days: value(_all(_lately(inner, days), inner), inner, wanted))
    popular["popular lately"] = lambda one: _lately(one, lately)

    def by_user(lists: np.ndarray, labels: np.ndarray | None = None) -> Lists:
        rows = range(window.n_users) if labels is None else labels
        return {str(user): known.items[lists[row]].tolist() for user, row in zip(known.users, rows, strict=True)}

    for name, own in scores.items():
        yield "individual", name, by_user(best(without_own(own, window), 50))
    everyone = np.zeros(window.n_users, int)
    for name, of in popular.items():
        lists = best(of(window)[None])
        yield "individual", name, by_user(lists, everyone)
        yield "strict", f"one list, {name}", by_user(lists, everyone)
        yield "dedup", f"one list, {name}", by_user(lists, everyone)
    yield from grouped(window, scores, lately, n_groups, by_user)


OTHERS: dict[str, tuple[Callable[[Window, Any], np.ndarray], tuple[float, ...]]] = {
    "nearest items": (item_neighbours, NEIGHBOURS),
    "nearest users": (user_neighbours, NEIGHBOURS),
    "what follows": (following, LATEST),
}


def _lately(window: Window, half_life: float) -> np.ndarray:
    return np.bincount(window.item, window.recent(half_life), window.n_items)


def _all(scores: np.ndarray, window: Window) -> np.ndarray:
    return np.broadcast_to(scores, (window.n_users, window.n_items))


def grouped(
    window: Window, scores: dict[str, np.ndarray], lately: float, n_groups: int, by_user: Callable[..., Lists]
) -> Iterator[tuple[str, str, Lists]]:
    """Yield methods with groups: k-means on histories, and catalogue segmentation on a scorer."""
    norm = sparse.csr_array(window.matrix.multiply(1 / np.sqrt(np.maximum(np.diff(window.matrix.indptr), 1))[:, None]))
    space = TruncatedSVD(min(32, window.n_items - 1), random_state=0).fit_transform(norm)
    labels = KMeans(n_groups, n_init=4, random_state=0).fit_predict(space)
    member = sparse.csr_array((np.ones(len(labels)), (labels, np.arange(len(labels)))), (n_groups, len(labels)))
    size = np.bincount(labels, minlength=n_groups)[:, None]
    counted = sparse.csr_array((window.recent(lately), (window.user, window.item)), window.matrix.shape)
    own = (member @ counted).toarray()
    drawn = 0.25 * own / np.maximum(own.sum(axis=1, keepdims=True), 1e-12) + 0.75 * own.sum(axis=0) / own.sum()
    lists = best(drawn)
    for regime in ("strict", "dedup"):
        yield regime, "k-means + popular lately, shrunk", by_user(lists, labels)
    has = (member @ window.matrix).toarray() / size
    for name, personal in scores.items():
        new = np.maximum(without_own(personal, window), 0)
        worth = new / np.maximum(np.sort(new, axis=1)[:, -50:].mean(axis=1, keepdims=True), 1e-12)
        mean = (member @ worth) / size
        drawn = 0.75 * mean + 0.25 * worth.mean(axis=0)
        yield "strict", f"k-means + members' mean of {name}", by_user(best(drawn), labels)
        lacking = np.maximum(1 - 0.75 * has - 0.25 * window.matrix.mean(axis=0), 0.01)
        yield "dedup", f"k-means + members' mean of {name}", by_user(best(drawn / lacking), labels)
        yield from segmented(window, worth, n_groups, name, by_user)


def segmented(
    window: Window, worth: np.ndarray, n_groups: int, name: str, by_user: Callable[..., Lists]
) -> Iterator[tuple[str, str, Lists]]:
    """Yield catalogue segmentation on a scorer's best 200, one start, in both regimes."""
    row = np.arange(len(worth))[:, None]
    top = best(worth)
    kept = sparse.csr_array((worth[row, top].ravel(), (np.repeat(row, top.shape[1]), top.ravel())), worth.shape)
    kept.eliminate_zeros()
    values = kept.astype(np.float32)
    start = KMeans(n_groups, n_init=1, random_state=0).fit_predict(
        TruncatedSVD(min(32, window.n_items - 1), random_state=0).fit_transform(values)
    )
    for regime in ("strict", "dedup"):
        found = segment(values, window.matrix.astype(np.float32), start, regime)
        yield regime, f"segmentation on {name}", by_user(found.rankings, found.labels)
