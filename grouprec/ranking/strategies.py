"""Members' predicted preferences -> one list per group: the menu of aggregation strategies.

Every strategy takes (candidates, groups, n, seed) and returns items int32 [G, n], best first, -1 where nothing is left,
and scores float32 [G, n], 0 there. Only candidates of at least one member are listed. Items that are worth nothing
under a rule follow by the members' mean rating; ties come in an order drawn from the seed
(:func:`~grouprec.ranking.candidates.rank_top`). Scores of different strategies are not comparable.

A member's utility is their :func:`~grouprec.ranking.candidates.taste` unless the strategy says otherwise: length 1,
and 0 for all but the items that stand out, so absence means "worth nothing to them" and includes what they already
have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import sparse
from sklearn.preprocessing import normalize

from grouprec.core.types import Candidates, GroupLists, Groups, SettingError
from grouprec.ranking.candidates import rank_top, taste, to_unit
from grouprec.ranking.group_lists import RANKING_DEPTH, STRICT_DEPTH, member_matrix, members_of, worth
from grouprec.ranking.variety import Ranked

APPROVAL_DEPTH = 10  # best candidates of a member that they approve of
RELEVANT_DEPTH = 20  # best candidates of a member that can be relevant to them (GFAR)
POOL = 300  # items beyond the list's length among which the greedy strategies choose
SHARPNESS = 50.0  # of the soft minimum; utilities that differ by more than 1 / 50 are told apart
_LEAST = 1e-9  # below any score that matters

Rule = Callable[[Candidates, Groups, int, int], Ranked]
Gain = Callable[[sparse.csc_array, np.ndarray], np.ndarray]  # points [M, C], what members got [M] -> gains [C]
Join = Callable[[np.ndarray, np.ndarray], np.ndarray]  # what members got, points of one more item -> what they get


@dataclass(frozen=True)
class Strategy:
    """One entry of the menu: what it is called, what it does in one sentence, where it comes from, and the rule."""

    name: str
    title: str
    cite: str
    explanation: str
    rank: Rule


STRATEGIES: dict[str, Strategy] = {}


def _strategy(title: str, cite: str, explanation: str) -> Callable[[Rule], Rule]:
    """Put a rule on the menu under the name of its function."""

    def register(rank: Rule) -> Rule:
        STRATEGIES[rank.__name__] = Strategy(rank.__name__, title, cite, explanation, rank)
        return rank

    return register


def get_strategy(name: str) -> Strategy:
    """Return the strategy of that name.

    Raises:
        SettingError: no such strategy; the message lists those there are.
    """
    if name not in STRATEGIES:
        raise SettingError(f"There is no strategy called '{name}'; choose one of: {', '.join(STRATEGIES)}.")
    return STRATEGIES[name]


def lists_by_strategy(name: str, candidates: Candidates, groups: Groups, seed: int) -> GroupLists:
    """Return every group's lists by a strategy of that name: one order for both regimes.

    Raises:
        SettingError: there is no such strategy.
    """
    items, scores = get_strategy(name).rank(candidates, groups, RANKING_DEPTH, seed)
    return GroupLists(items[:, :STRICT_DEPTH], scores[:, :STRICT_DEPTH], items, scores)


@_strategy("Catalogue utility", "Kleinberg et al. 2004", "Adds up what an item is worth to every member.")
def utility(candidates: Candidates, groups: Groups, n: int, seed: int) -> Ranked:
    """Catalogue utility: the sum of the items' worth to the members (Kleinberg, Papadimitriou and Raghavan 2004).

    The value of a list to a member is the sum of the :func:`~grouprec.ranking.group_lists.worth` of its items, each
    discounted by its position. Summed over members it is largest when items stand in the order of their total worth,
    whatever the discount. The same rule as the strict list of :func:`~grouprec.ranking.group_lists.members_mean`.
    """
    return _rank(_sums(worth(candidates), groups), candidates, groups, n, seed)


@_strategy("Additive utilitarian", "Masthoff 2004", "Adds up what members think of all their candidates.")
def additive(candidates: Candidates, groups: Groups, n: int, seed: int) -> Ranked:
    """Additive utilitarian: the sum of the members' ratings (Masthoff 2004).

    Rates all candidates of a member evenly (:func:`ratings`); absence counts as their last candidate, 0.
    """
    return _rank(_sums(ratings(candidates), groups), candidates, groups, n, seed)


@_strategy("Least misery (soft)", "O'Connor et al. 2001", "Leaves as few members as possible with nothing.")
def least_misery(candidates: Candidates, groups: Groups, n: int, seed: int) -> Ranked:
    """Least misery: the taste of the least satisfied member (O'Connor, Cosley, Konstan and Riedl 2001).

    Departure: a soft minimum (:func:`soft_minimum`). Members have a taste for some 50 items each, so beyond about ten
    members the strict minimum is 0 for nearly every item; the soft one then asks how few members go without.
    """
    return _rank(soft_minimum(taste(candidates), groups), candidates, groups, n, seed)


@_strategy("Most pleasure", "Masthoff 2004", "Lists what somebody wants most of all.")
def most_pleasure(candidates: Candidates, groups: Groups, n: int, seed: int) -> Ranked:
    """Most pleasure: the taste of the most satisfied member (Masthoff 2004). Absence never decides."""
    return _rank(group_maximum(taste(candidates), groups), candidates, groups, n, seed)


@_strategy("Borda count", "Masthoff 2004", "Adds up points for places in the members' own lists.")
def borda(candidates: Candidates, groups: Groups, n: int, seed: int) -> Ranked:
    """Borda count: the sum of the members' :func:`borda_points` (Masthoff 2004). Absence earns no point."""
    points = borda_points(candidates, candidates.items.shape[1])
    return _rank(_sums(points, groups), candidates, groups, n, seed)


@_strategy("Approval voting", "Masthoff 2004", "Counts the members who have the item among their own best 10.")
def approval(candidates: Candidates, groups: Groups, n: int, seed: int) -> Ranked:
    """Approval voting: the share of members who have the item among their own best 10 (Masthoff 2004).

    Departure: the best 10 instead of ratings above a threshold, because scores of encoders have no common zero point.
    """
    shares = _sums(approvals(candidates, APPROVAL_DEPTH), groups) / groups.sizes[:, None]
    return _rank(shares, candidates, groups, n, seed)


@_strategy("GFAR", "Kaya et al. 2020", "Gives everybody something relevant, early in the list.")
def gfar(candidates: Candidates, groups: Groups, n: int, seed: int) -> Ranked:
    """GFAR: something relevant for everybody, early (Kaya, Bridge and Tintarev 2020).

    Greedily adds the item that most raises the expected number of members to whom at least one item of the list is
    relevant. p(relevant | member, item) is proportional to the item's Borda points among the member's best 20 and sums
    to 1; absence means p = 0. Scores are the gains. Departures: the 20th earns one point, not none, and the choice is
    among the ``n`` + 300 items of the largest summed p.
    """
    chances = sparse.csr_array(normalize(borda_points(candidates, RELEVANT_DEPTH), norm="l1", copy=False))
    return _greedy(chances, _newly_served, lambda served, p: served + (1 - served) * p, candidates, groups, n, seed)


@_strategy("EP-FuzzDA", "Malecek and Peska 2021", "Shares the worth of the list equally, at every position.")
def ep_fuzzda(candidates: Candidates, groups: Groups, n: int, seed: int) -> Ranked:
    """EP-FuzzDA: at every position, members have got utility in equal shares (Malecek and Peska 2021).

    Greedily adds the item whose tastes best fill what members are still due: of the total utility handed out with it,
    each is due one part in M, and what exceeds that does not count (exactly-proportional fuzzy D'Hondt). Absence adds
    nothing and leaves the member behind, so later picks favour them. Scores are the filled dues; they may rise along a
    list. Departure: the choice is among the ``n`` + 300 items of the largest summed taste.
    """
    return _greedy(taste(candidates), _filled_dues, np.add, candidates, groups, n, seed)


def ratings(candidates: Candidates) -> sparse.csr_array:
    """Return every user's candidates rated from 1 (their best) to 0 (their last), linear in the score.

    Returns:
        float32 CSR [U, I]; all 0 for users whose candidates score the same.
    """
    values = to_unit(candidates.scores, candidates.items >= 0)
    return Candidates(candidates.items, values, candidates.n_items).matrix()


def borda_points(candidates: Candidates, depth: int) -> sparse.csr_array:
    """Return Borda points over every user's best ``depth`` candidates, float32 CSR [U, I].

    Of P places the best earns P points and the last 1; equal scores share the mean of their points.
    """
    items, scores = candidates.items[:, :depth], candidates.scores[:, :depth]
    starts = np.ones(items.shape, bool)  # of a run of equal scores; what is not listed is never equal to what is
    starts[:, 1:] = (scores[:, 1:] != scores[:, :-1]) | ((items[:, 1:] >= 0) != (items[:, :-1] >= 0))
    run = starts.ravel().cumsum() - 1
    points = np.tile(np.arange(items.shape[1], 0, -1), len(items))
    shared = np.bincount(run, points) / np.maximum(np.bincount(run), 1)
    return Candidates(items, shared[run].reshape(items.shape).astype(np.float32), candidates.n_items).matrix()


def approvals(candidates: Candidates, depth: int) -> sparse.csr_array:
    """Return float32 CSR [U, I], 1 for every user's best ``depth`` candidates."""
    best = candidates.scores[:, :depth]
    return Candidates(candidates.items[:, :depth], np.ones_like(best), candidates.n_items).matrix()


def soft_minimum(utilities: sparse.csr_array, groups: Groups) -> np.ndarray:
    """Return ``-log(mean over members of exp(-b * utility)) / b`` with b = 50, float64 [G, I].

    At least the minimum, and at most ``log(M) / b`` above it. Members without an entry count with utility 0.

    Args:
        utilities: CSR [U, I], 0 to 10.
    """
    misery, present = utilities.astype(np.float64), utilities.astype(np.float64)
    misery.data, present.data = np.exp(-SHARPNESS * misery.data), np.ones_like(present.data)
    sizes = groups.sizes[:, None]
    mean = (_sums(misery, groups) + (sizes - _sums(present, groups))) / sizes  # never adds 1 to what is tiny
    return np.maximum(-np.log(mean) / SHARPNESS, 0)


def group_maximum(utilities: sparse.csr_array, groups: Groups) -> np.ndarray:
    """Return the largest utility of any member, [G, I]; 0 where no member has an entry."""
    return np.stack([utilities[members].max(axis=0).toarray().ravel() for members in members_of(groups)])


def _sums(points: sparse.csr_array, groups: Groups) -> np.ndarray:
    """Sums over members, [G, I]."""
    return (member_matrix(groups) @ points).toarray()


def _rank(scores: np.ndarray, candidates: Candidates, groups: Groups, n: int, seed: int) -> Ranked:
    """The best ``n`` of [G, I] scores >= 0 among the members' candidates; worthless ones by their mean rating."""
    listed, rated = _rated(candidates, groups)
    allowed = np.where(listed, np.where(scores > 0, scores, rated), -np.inf)
    return rank_top(allowed.astype(np.float32), n, seed)


@lru_cache(maxsize=1)  # every strategy asks
def _rated(candidates: Candidates, groups: Groups) -> tuple[np.ndarray, np.ndarray]:
    """Return the items that are a candidate of some member, bool [G, I], and their mean rating made tiny, [G, I]."""
    listed = _sums(approvals(candidates, candidates.items.shape[1]), groups) > 0
    return listed, _LEAST * _sums(ratings(candidates), groups) / groups.sizes[:, None]


def _greedy(
    points: sparse.csr_array, gain: Gain, join: Join, candidates: Candidates, groups: Groups, n: int, seed: int
) -> Ranked:
    """Every group's items in the order in which they gain most; equal gains in the order of their summed points."""
    pools, _ = _rank(_sums(points, groups), candidates, groups, n + POOL, seed)
    items, scores = np.full((groups.n_groups, n), -1, np.int32), np.zeros((groups.n_groups, n), np.float32)
    for group, members in enumerate(members_of(groups)):
        pool = pools[group][pools[group] >= 0]
        own = points[members][:, pool].astype(np.float64).tocsc()  # [M, C]
        got, chosen = np.zeros(len(members)), np.zeros(len(pool), bool)
        for position in range(min(n, len(pool))):
            gains = np.where(chosen, -np.inf, gain(own, got))
            best = int(gains.argmax())
            items[group, position], scores[group, position] = pool[best], gains[best]
            chosen[best] = True
            entries = slice(own.indptr[best], own.indptr[best + 1])
            wanting = own.indices[entries]
            got[wanting] = join(got[wanting], own.data[entries])
    return items, scores


def _newly_served(chances: sparse.csc_array, served: np.ndarray) -> np.ndarray:
    """Members whom every item would serve first, in expectation, float64 [C]."""
    return chances.T @ (1 - served)


def _filled_dues(utilities: sparse.csc_array, received: np.ndarray) -> np.ndarray:
    """How much of every item's utility goes to members who are due it, float64 [C]."""
    support = utilities.sum(axis=0)
    share = (received.sum() + support) / len(received)  # that every member is due once the item is listed
    column = np.repeat(np.arange(len(support)), np.diff(utilities.indptr))
    due = np.maximum(share[column] - received[utilities.indices], 0)
    return np.bincount(column, np.minimum(due, utilities.data), len(support))
