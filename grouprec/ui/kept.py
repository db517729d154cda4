"""What a run kept of other numbers of lists: what each is worth, and its groups and lists."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from grouprec.core.language import N_
from grouprec.core.types import Regime
from grouprec.evaluate.enough import smoothed
from grouprec.report import enough_lists, gain, tables
from grouprec.report.bundle import own_number
from grouprec.runs.store import Run
from grouprec.ui import state

PERSONAL = N_("personal")  # the last stop of the slider: a list of everyone's own
FIRST = 10  # items that are kept of the lists of other numbers


@dataclass(frozen=True, eq=False)
class Worth:
    """What a run measured of its numbers of lists, in the use that its groups were formed for.

    Attributes:
        value: the value table of the run's own lists, all metrics, ascending; may be empty.
        curve, hits: of it by nDCG, and by people with a hit; the latter may be empty.
        steps: gain_of_groups; None in older runs.
        own: how many lists the run has.
    """

    regime: Regime
    value: pd.DataFrame
    curve: pd.DataFrame
    hits: pd.DataFrame
    steps: pd.DataFrame | None
    own: int

    @property
    def numbers(self) -> list[int]:
        """Return the numbers of lists that were tried, ascending."""
        return self.curve["n_groups"].astype(int).tolist()

    @cached_property
    def smoothed(self) -> pd.DataFrame:
        """Return the people with a hit without what is chance."""
        return self.hits.assign(value=smoothed(self.hits))

    @cached_property
    def enough(self) -> int | None:
        """Return how many lists are enough; None where the page's answer names no number."""
        split = gain.split_at(self.steps, self.hits, self.own)
        return enough_lists.number(self.curve, self.steps, split)


@dataclass(frozen=True, eq=False)
class Setting:
    """One number of lists.

    Attributes:
        n: the number that was asked for.
        labels: int [U], the groups of the users that took part in training, numbered from 1.
        groups: group, name, size.
        lists: group, rank, item, label of the first ten, in the chosen use of lists.
    """

    n: int
    labels: np.ndarray
    groups: pd.DataFrame
    lists: pd.DataFrame

    @property
    def names(self) -> dict[int, str]:
        """Return group -> its name."""
        return dict(zip(self.groups["group"].tolist(), self.groups["name"].astype(str).tolist(), strict=True))


def worth(run: Run) -> Worth:
    """Return what a run's numbers of lists are worth; made once per server. Never change it."""
    return _worth(*state.run_key(run))


def setting(run: Run, n: int, regime: Regime) -> Setting | None:
    """Return what the run kept of a number of lists; None where it kept nothing."""
    return _setting(*state.run_key(run), n, regime)


def regime_of(run: Run) -> Regime:
    """Return the use of lists that the run's groups were formed for; with repeats nobody skips anything."""
    metrics = state.metrics(run)
    return "strict" if metrics.get("repeats") or metrics.get("regime") != "dedup" else "dedup"


@st.cache_resource(max_entries=16, show_spinner=False)
def _worth(path: str, version: float) -> Worth:
    run = Run(Path(path))
    metrics, regime = state.metrics(run), regime_of(run)
    own = own_number(metrics)
    value = state.table_or_none(run, "value_of_groups")
    if value is None:
        nothing = pd.DataFrame({"n_groups": [], "metric": []})
        return Worth(regime, nothing, nothing, nothing, None, own)
    method = tables.curve_method(value, metrics, regime)
    value = gain.own_numbers(value, regime, method)
    steps = state.table_or_none(run, "gain_of_groups")
    steps = None if steps is None else steps[steps["regime"] == regime]
    return Worth(regime, value, tables.of(value), tables.of(value, gain.HITS), steps, own)


@st.cache_resource(max_entries=256, show_spinner=False)
def _setting(path: str, version: float, n: int, regime: Regime) -> Setting | None:
    run = Run(Path(path))
    names = [f"what_if_{name}" for name in ("labels", "groups", "lists")]
    if not all(map(run.has_table, names)):
        return None
    labels, groups, lists = (state.table(run, name) for name in names)
    if str(n) not in labels:
        return None
    own = lists[(lists["n_groups"] == n) & (lists["regime"] == regime)]
    groups = groups[groups["n_groups"] == n]
    return Setting(n, labels[str(n)].to_numpy(), groups.reset_index(drop=True), own.reset_index(drop=True))
