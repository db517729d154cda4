"""What numbers of groups are worth on the test part: a run's own groups and lists, and what others would do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache, partial
from itertools import product

import numpy as np
import pandas as pd

from grouprec.core.types import REGIMES, Candidates, GroupLists, Regime
from grouprec.evaluate import baselines
from grouprec.evaluate.value import (
    COARSE_GRID,
    FINE_GRID,
    GRID,
    Curve,
    default_grid,
    separation,
    some_users,
    stability,
    value_of_groups,
)
from grouprec.ranking.task import Task
from grouprec.training.executor import spreader, spreads
from grouprec.training.fit import Choices
from grouprec.training.groups_and_lists import STARTED_USERS, GroupMaker, GroupsAndLists
from grouprec.training.list_choice import OWN, own_lists, singles
from grouprec.training.rivals import Shared, kmeans_methods
from grouprec.training.selection import smallest_group

Method = Callable[[int, Regime], GroupsAndLists]
STABILITY_USERS = 20_000
CURVE_USERS = STARTED_USERS  # that the groups of a curve are formed of: from as many starts as a run's own
FINE_USERS = 20_000  # up to which groups are formed quickly


def numbers_of_groups(maker: GroupMaker) -> list[int]:
    """Return the numbers of groups that a run shows, among them its own.

    A fine grid, unless forming groups of so many users takes long, or the preset is quick.
    """
    fine = maker.data.n_users <= FINE_USERS and maker.config.preset != "quick"
    grid = FINE_GRID if fine else GRID
    smallest = 2 * smallest_group(maker.config)
    return sorted({*default_grid(maker.data.n_users, smallest, grid), maker.asked})


def exported(maker: GroupMaker, choices: Choices) -> dict[int, GroupsAndLists]:
    """Return the groups of every number that a run shows, with the lists that it exports."""
    grid = numbers_of_groups(maker)
    return dict(zip(grid, spreader(exported_of, maker, choices)(grid), strict=True))


def exported_of(n_groups: int, maker: GroupMaker, choices: Choices) -> GroupsAndLists:
    """Return so many groups as the run forms them, and the lists that it exports, each regime by its own kind."""
    regime, method = maker.config.grouping_regime, choices.list_method(maker.config)
    made = {use: own_lists(maker, choices.lists, kind, n_groups, regime) for use, kind in method.items()}
    (groups, strict), (_, ranking) = (made[use] for use in REGIMES)
    return groups, GroupLists(strict.strict, strict.strict_scores, ranking.ranking, ranking.ranking_scores)


def tables(
    task: Task, maker: GroupMaker, choices: Choices, predicted: Mapping[str, Candidates]
) -> dict[str, pd.DataFrame]:
    """Return the value of every number of groups, with how the run's groups look, and the parts of its gain."""
    grid = numbers_of_groups(maker)
    curve = value_curve(maker, choices, task, predicted, grid, {*COARSE_GRID, maker.asked})
    value = curve.table.merge(_shape(maker, grid), on="n_groups", how="left")
    return {"value_of_groups": value, "gain_of_groups": curve.gain}


def value_curve(
    maker: GroupMaker,
    choices: Choices,
    task: Task,
    predicted: Mapping[str, Candidates],
    grid: Sequence[int],
    rest: Collection[int] | None = None,
) -> Curve:
    """Return the value of numbers of groups: our groups and lists, and what practitioners do instead.

    Of more than 5,000 users so many are drawn by the seed; groups are formed of them, lists are made for them and
    judged by them. Group sizes are scaled up to all users. Fewer users per list make all methods a little worse.

    Args:
        predicted: what others predict for the same users as ``maker.candidates``, by name: EASE as a rule.
        rest: the numbers at which other methods are tried, and the run's in the use that its groups are not made
            for; None for all.
    """
    n_users, seed, config = maker.data.n_users, maker.config.seed, maker.config
    if n_users > CURVE_USERS:
        rows = np.sort(np.random.default_rng(seed).choice(n_users, CURVE_USERS, replace=False))
        data, task = some_users(maker.data, task, rows)
        maker = GroupMaker(data, maker.candidates.take(rows), config, maker.options)
        predicted = {name: own.take(rows) for name, own in predicted.items()}
    own = choices.list_method(config)
    methods = _methods(maker, choices, predicted)
    asked = own[config.grouping_regime], config.grouping_regime

    def tried(n_groups: int, method: str, regime: Regime) -> bool:
        return rest is None or n_groups in rest or (method, regime) == asked

    if spreads():
        methods = _spread(methods, grid, list(own), tried, maker, choices, predicted)
    curve = value_of_groups(
        task, maker.candidates, methods, grid, seed, singles(choices.lists, maker, REGIMES), own, tried
    )
    sizes = (curve.table[["smallest", "largest"]] * (n_users / maker.data.n_users)).round().astype(int)
    return Curve(curve.table.assign(smallest=sizes["smallest"], largest=sizes["largest"]), curve.gain)


def _methods(maker: GroupMaker, choices: Choices, predicted: Mapping[str, Candidates]) -> dict[str, Method]:
    """Return what a curve is made of: the kinds of lists that the run exports, the members' mean, and practice."""
    histories, seed = maker.data.histories, maker.config.seed
    space = baselines.history_space(histories, seed)

    @cache
    def practice(n_groups: int) -> Shared:
        groups = baselines.history_groups(histories, n_groups, seed, space)
        return kmeans_methods(maker, choices, groups, predicted)

    def of(name: str) -> Method:
        return lambda n_groups, regime: practice(n_groups)[name]

    def own(kind: str) -> Method:
        return lambda n_groups, regime: own_lists(maker, choices.lists, kind, n_groups, regime)

    method = choices.list_method(maker.config)
    kinds = dict.fromkeys([method[maker.config.grouping_regime], *method.values(), OWN])
    return {kind: own(kind) for kind in kinds} | {name: of(name) for name in practice(1)}


def _spread(
    methods: Mapping[str, Method],
    grid: Sequence[int],
    regimes: Sequence[Regime],
    tried: Callable[[int, str, Regime], bool],
    maker: GroupMaker,
    choices: Choices,
    predicted: Mapping[str, Candidates],
) -> dict[str, Method]:
    """Return methods whose groups and lists for a grid others have made, a number of groups each."""
    asked = [(n, [one for one in product(methods, regimes) if tried(n, *one)]) for n in grid]
    made = dict(zip(grid, spreader(_made, maker, choices, predicted)(asked), strict=True))
    for (n_groups, which), regime in product(asked, regimes):
        if (kind := choices.list_method(maker.config)[regime], regime) in which:
            maker.keep(n_groups, regime, made[n_groups][kind, regime][0])
    return {name: partial(lambda name, n_groups, regime: made[n_groups][name, regime], name) for name in methods}


def _made(
    asked: tuple[int, list[tuple[str, Regime]]],
    maker: GroupMaker,
    choices: Choices,
    predicted: Mapping[str, Candidates],
) -> dict[tuple[str, Regime], GroupsAndLists]:
    n_groups, which = asked
    methods = _methods(maker, choices, predicted)
    return {(name, regime): methods[name](n_groups, regime) for name, regime in which}


def _shape(maker: GroupMaker, grid: Sequence[int]) -> pd.DataFrame:
    """Return how far apart the run's groups lie (silhouette) and how stable they are over two seeds, by number; in
    preset quick the latter of the run's own number alone."""
    return pd.DataFrame(spreader(_shape_of, maker)(grid))


def _shape_of(n_groups: int, maker: GroupMaker) -> dict[str, float]:
    config = maker.config
    groups = maker.run_groups(n_groups, config.regime)
    silhouette = separation(maker.preference.space, groups.labels, config.seed, 2000).silhouette
    stable = np.nan
    asked = config.preset != "quick" or n_groups == maker.asked
    if asked and maker.data.n_users <= STABILITY_USERS:
        again = maker.groups(config.grouper, n_groups, config.regime, config.seed + 1)
        stable = stability((groups, again).__getitem__, (0, 1))
    return {"n_groups": n_groups, "silhouette": silhouette, "stability": stable}
