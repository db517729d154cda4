"""Which lists are worth exporting: the floor, which is the best single list for all, and a guard against simple rivals.

Chosen on the folds. The floor is what grouping has to beat: a floor of all-time
popularity would credit groups with what recency does. The members' lists are exported unless one list for all, or
what is popular lately in the group, is better by more than one standard error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from grouprec.core.types import REGIMES, Candidates, GroupLists, Groups, Regime
from grouprec.data.dataset import Dataset
from grouprec.data.preparing.hold_out import ENOUGH_TO_CHOOSE
from grouprec.evaluate import baselines
from grouprec.evaluate.protocol import measure_one
from grouprec.evaluate.value import Singles, some_users
from grouprec.models.blend import Weights, repeat_terms
from grouprec.models.blending import mean_by_user
from grouprec.models.threads import side_by_side
from grouprec.ranking.recency import (
    for_every_group,
    group_recent,
    half_lives_of,
    moves,
    one_list,
    recent_popularity,
    seasonal_popularity,
)
from grouprec.ranking.task import Task, validation_task
from grouprec.training.encoded import Encoded
from grouprec.training.groups_and_lists import GroupMaker, GroupsAndLists

GROUPED_USERS = 5_000  # of a fold at most, drawn
N_GROUPS = 20  # of a fold: what is chosen holds for any number, so that another one needs no new folds
OWN = "members_mean"
IN_GROUP = "group_recent"
ONE = "one_list"
FLOORS = ("popularity", "recent_popularity", "seasonal_popularity", "one_group")  # the simplest first


@dataclass(frozen=True)
class ListChoice:
    """What the folds say of lists.

    Attributes:
        floor: the best single list for all, by regime: one of ``FLOORS``.
        half_life: days after which a row counts half in what is popular lately, by regime; {} without times.
        length: seconds that a list is to serve; for the season.
        exported: the kind of list that is exported, by regime: ``members_mean``, ``group_recent``, or ``one_list``: the
            floor, the same for every group.
        ndcg: mean nDCG@10 by "regime/method".
        n_users, n_folds: who chose, on how many folds.
    """

    floor: dict[Regime, str] = field(default_factory=lambda: dict.fromkeys(REGIMES, "popularity"))
    half_life: dict[Regime, float] = field(default_factory=dict)
    length: float = 0.0
    exported: dict[Regime, str] = field(default_factory=lambda: dict.fromkeys(REGIMES, OWN))
    ndcg: dict[str, float] = field(default_factory=dict)
    n_users: int = 0
    n_folds: int = 0


def single_lists(
    data: Dataset, maker: GroupMaker, half_lives: Sequence[float], length: float
) -> Iterator[tuple[str, float | None, GroupLists]]:
    """Yield single lists for all, (method, half-life, lists with G = 1); what the data has no times for is left out."""
    seed, n_items = maker.config.seed, data.n_items
    yield FLOORS[0], None, baselines.popularity(data.histories, seed)
    if data.timed:
        for half_life in half_lives:
            yield FLOORS[1], half_life, one_list(recent_popularity(data.train, n_items, half_life), seed)
        season = seasonal_popularity(data.train, n_items, length)
        if season is not None:
            yield FLOORS[2], None, one_list(season, seed)
    yield FLOORS[3], None, maker.lists(baselines.everybody(data.n_users))[OWN]


def floor_lists(choice: ListChoice, maker: GroupMaker) -> dict[str, GroupLists]:
    """Return every single list for all by its method, with the half-lives that were chosen, G = 1."""
    data, seed = maker.data, maker.config.seed
    made = {name: lists for name, _, lists in single_lists(data, maker, (), choice.length)}
    if choice.half_life and data.timed:
        recent = lambda days: one_list(recent_popularity(data.train, data.n_items, days), seed)  # noqa: E731
        made[FLOORS[1]] = lately(choice, recent)
    return made


def lately(choice: ListChoice, make: Callable[[float], GroupLists]) -> GroupLists:
    """Return what is popular lately: the lists of each regime with the half-life that was chosen for it."""
    return _both(*(make(choice.half_life[regime]) for regime in REGIMES))


def _both(strict: GroupLists, ranking: GroupLists) -> GroupLists:
    """Return the strict lists of the one and the rankings of the other."""
    return GroupLists(strict.strict, strict.strict_scores, ranking.ranking, ranking.ranking_scores)


def floor_method(choice: ListChoice, regime: Regime, made: Mapping[str, GroupLists]) -> str:
    """Return the name of the floor; all-time popularity where the data does not hold the season that was chosen."""
    return choice.floor[regime] if choice.floor[regime] in made else FLOORS[0]


def singles(choice: ListChoice, maker: GroupMaker, regimes: Collection[Regime]) -> Singles:
    """Return all-time popularity, and the floor of some regimes."""
    made = floor_lists(choice, maker)
    floor: dict[Regime, tuple[str, GroupLists]] = {}
    for regime in regimes:
        name = floor_method(choice, regime, made)
        floor[regime] = name, made[name]
    return Singles(made[FLOORS[0]], floor)


def list_of_kind(kind: str, choice: ListChoice, maker: GroupMaker, groups: Groups) -> GroupLists:
    """Return the lists of a kind that folds may choose (``group_recent``, ``one_list``) for groups of all users."""
    data = maker.data
    if kind == IN_GROUP:
        recent = lambda days: group_recent(data.train, data.shape, groups, days, maker.config.seed)  # noqa: E731
        return maker.finish(lately(choice, recent), groups)
    made = floor_lists(choice, maker)
    both = _both(*(made[floor_method(choice, regime, made)] for regime in REGIMES))
    return maker.finish(for_every_group(both, groups.n_groups), groups)


def own_lists(maker: GroupMaker, choice: ListChoice, kind: str, n_groups: int, regime: Regime) -> GroupsAndLists:
    """Return so many groups as a run forms them for a regime, and their lists of a kind that it may export."""
    if kind == OWN:
        return maker.run_method(n_groups, regime)
    groups = maker.run_groups(n_groups, regime)
    if kind in choice.exported.values():
        return groups, list_of_kind(kind, choice, maker, groups)
    return groups, maker.by_strategy(groups, kind)


def choose_lists(
    fitted: Sequence[tuple[Encoded, Dataset]],
    weights: Weights,
    make: Callable[[Dataset, Candidates], GroupMaker],
    length: float,
) -> ListChoice:
    """Return the floor and the exported kinds that held-out users of the folds prefer.

    Args:
        fitted: the folds, with encoders that know their beginning.
        weights: of the blend; encoders that a fold lacks do not count there.
        make: the maker of groups and lists for a dataset and its users' candidates.
        length: of the time that lists are to serve, in seconds.
    """
    users: list[np.ndarray] = []
    judged: dict[tuple[str, float | None, Regime], list[np.ndarray]] = {}
    tried = half_lives_of(fold.train for _, fold in fitted)
    for task, found in side_by_side(lambda one: _judge_fold(*one, weights, make, tried, length), fitted):
        users.append(task)
        for key, values in found.items():
            judged.setdefault(key, []).append(values)
    whole = {key: values for key, values in judged.items() if len(values) == len(users)}  # on every fold
    everybody = np.concatenate(users) if users else np.empty(0, np.int64)
    if len(np.unique(everybody)) < ENOUGH_TO_CHOOSE:
        return ListChoice(length=length)
    means = {key: mean_by_user(everybody, np.concatenate(values)) for key, values in whole.items()}
    return _chosen(means, length, len(users), _moves([fold for _, fold in fitted], tried))


def _moves(folds: Sequence[Dataset], half_lives: Sequence[float]) -> bool:
    """Whether popularity moves by more than chance, on a fold and with a half-life at least (decision 0120)."""
    return any(moves(fold.train, fold.n_items, days) for fold in folds for days in half_lives)


def _judge_fold(
    encoded: Encoded,
    fold: Dataset,
    weights: Weights,
    make: Callable[[Dataset, Candidates], GroupMaker],
    tried: Sequence[float],
    length: float,
) -> tuple[np.ndarray, dict[tuple[str, float | None, Regime], np.ndarray]]:
    """Return the judged users of a fold (rows of the whole dataset), and the nDCG@10 of every kind of list."""
    known = fold.without_validation()
    repeats = weights.repeats is not None
    predictor = encoded.predictor(weights, known, repeat_terms(known) if repeats else ())
    task, rows = validation_task(fold, repeats), np.arange(fold.n_users)
    if fold.n_users > GROUPED_USERS:
        rows = np.sort(np.random.default_rng(0).choice(fold.n_users, GROUPED_USERS, replace=False))
        known, task = some_users(known, task, rows)
    candidates = predictor.candidates(users=rows)
    maker = make(known, candidates)
    n_groups = max(1, min(N_GROUPS, known.n_users // 10))
    everybody = baselines.everybody(known.n_users)
    single = list(single_lists(known, maker, tried, length))  # made once, judged in both regimes
    found = {}
    for regime in REGIMES:
        for method, half_life, lists in single:
            found[method, half_life, regime] = _ndcg(method, regime, lists, everybody, task)
        groups, lists = maker.run_method(n_groups, regime)
        found[OWN, None, regime] = _ndcg(OWN, regime, lists, groups, task)
        for half_life in tried:
            lists = group_recent(known.train, known.shape, groups, half_life, maker.config.seed)
            found[IN_GROUP, half_life, regime] = _ndcg(IN_GROUP, regime, lists, groups, task)
    return rows[task.users], found


def _ndcg(method: str, regime: Regime, lists: GroupLists, groups: Groups, task: Task) -> np.ndarray:
    return measure_one(method, regime, lists, groups, task).of("ndcg@10")


def _chosen(
    means: Mapping[tuple[str, float | None, Regime], np.ndarray], length: float, n_folds: int, moving: bool = True
) -> ListChoice:
    """Return the choice, from every user's mean nDCG@10 by method, half-life and regime.

    Args:
        moving: popularity moves; else what is popular lately is a draw of what is popular, and no choice.
    """
    n_users = len(next(iter(means.values())))
    half_life, ndcg, floor, exported = {}, {}, {}, {}
    for regime in REGIMES:
        best_days = _best_half_life(means, regime)
        half_life |= {} if best_days is None else {regime: best_days}
        kept = {
            method: values
            for (method, days, own), values in means.items()
            if own == regime and days in (None, best_days)
        }
        singles = [method for method in FLOORS if method in kept and (moving or method != FLOORS[1])]
        best = max(singles, key=lambda method: kept[method].mean())
        floor[regime] = next(method for method in singles if not _beats(kept[best], kept[method]))
        rivals = {ONE: kept[floor[regime]]} | ({IN_GROUP: kept[IN_GROUP]} if moving and IN_GROUP in kept else {})
        better = {kind: values.mean() for kind, values in rivals.items() if _beats(values, kept[OWN])}
        exported[regime] = max(better, key=lambda kind: better[kind]) if better else OWN
        ndcg |= {f"{regime}/{method}": float(values.mean()) for method, values in kept.items()}
    return ListChoice(floor, half_life, length, exported, ndcg, n_users, n_folds)


def _best_half_life(means: Mapping[tuple[str, float | None, Regime], np.ndarray], regime: Regime) -> float | None:
    """Return the half-life whose single list is worth most in a regime; None without times."""
    recent = {days: own.mean() for (method, days, use), own in means.items() if (method, use) == (FLOORS[1], regime)}
    return max(recent, key=lambda days: recent[days]) if recent else None


def _beats(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether one method is better than another by more than one standard error, paired over users."""
    gain = one - other
    return bool(gain.mean() > gain.std() / np.sqrt(len(gain)))
