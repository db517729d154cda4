"""What groups and runs are worth beside one another, in sentences. Markdown, names already escaped."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from grouprec.core.language import _
from grouprec.core.tables import highest, lowest
from grouprec.ranking.statistics import ENOUGH
from grouprec.report.text import TOO_FEW, number, percent, plain, plural, score


def groups_answer(grid: pd.DataFrame, ours: str, rivals: Sequence[str] = ()) -> str:
    """Say which group the run's lists serve best and which least, and in how many groups no other lists do better.

    Args:
        grid: n_test_users, name and columns of values, a row per group; groups of very few tested members do not
            count.
        ours: the column of the run's own lists.
        rivals: the columns of other shared lists.
    """
    known = grid[grid[ours].notna()]
    if known.empty:
        return _("No group was measured: nobody in them has held-out interactions.")
    known = known[known["n_test_users"] >= ENOUGH]
    if known.empty:
        return _("No group has {enough} tested members: {too_few} which the shared lists serve best.").format(
            enough=ENOUGH, too_few=_(TOO_FEW)
        )
    best, least = highest(known, ours), lowest(known, ours)
    alone = _("The shared lists serve **{name}** best ({best}).")
    both = _("The shared lists serve **{name}** best ({best}) and **{other}** least ({least}).")
    said = (both if len(known) > 1 else alone).format(
        name=plain(best["name"]), best=score(best[ours]), other=plain(least["name"]), least=score(least[ours])
    )
    if not rivals:
        return said
    ahead = int((known[ours] >= known[list(rivals)].max(axis=1)).sum())
    return _("{said} They are the best shared lists in {ahead} of {groups} with {enough} tested members.").format(
        said=said, ahead=ahead or _("none"), groups=plural(len(known), "group"), enough=ENOUGH
    )


def runs_answer(runs: pd.DataFrame, column: str) -> str:
    """Say which run keeps most of the possible gain.

    Args:
        runs: rows of runs with their title (Run) and ``column``, the share of the possible gain.
    """
    known = runs[runs[column].notna()]
    if known.empty:
        return _("None of these runs has an evaluation of shared lists.")
    best = highest(known, column)
    name, share = plain(best["Run"]), percent(best[column])
    if len(runs) == 1:
        return _("**{name}** keeps {share} of the possible gain.").format(name=name, share=share)
    return _("Of {runs}, **{name}** keeps most of the possible gain: {share}.").format(
        runs=plural(len(runs), "run"), name=name, share=share
    )


def places_answer(methods: pd.DataFrame) -> str:
    """Say which shared lists stand highest over the runs.

    Args:
        methods: Method and Mean place, best first, then a column per run.
    """
    if methods.empty:
        return _("None of these runs evaluated the methods chosen.")
    best, n_runs = methods.iloc[0], methods.shape[1] - 2
    over = _("in this run") if n_runs == 1 else _("over {runs}").format(runs=plural(n_runs, "run"))
    return _("**{method}** stands highest {over}: mean place {mean_place}.").format(
        method=plain(best["Method"]), over=over, mean_place=number(best["Mean place"])
    )


def cost_answer(costs: pd.DataFrame) -> str:
    """Say which encoder alone reaches most, at which cost, and which is the cheapest within its interval.

    Args:
        costs: title, seconds, value, low, high of encoders alone, of one run.
    """
    best = highest(costs, "value")
    said = _("Alone, {title} reaches most: {value} after {seconds}").format(
        title=plain(best["title"]), value=score(best["value"]), seconds=seconds(best["seconds"])
    )
    near = costs[(costs["value"] >= best["low"]) | (costs.index == best.name)]
    cheapest = lowest(near, "seconds")
    if cheapest["title"] == best["title"]:
        return _("{said}; none that is cheaper comes within its interval.").format(said=said)
    return _("{said}; {title} comes within its interval ({value}) after {seconds}.").format(
        said=said, title=plain(cheapest["title"]), value=score(cheapest["value"]), seconds=seconds(cheapest["seconds"])
    )


def seconds(value: float) -> str:
    """Return ``2.6 seconds``, ``4 minutes``."""
    return (
        _("{value} seconds").format(value=number(value))
        if value < 100
        else _("{value} minutes").format(value=number(value / 60))
    )
