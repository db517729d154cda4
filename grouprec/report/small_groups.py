"""Few people are told as few: counts and shares that could point at somebody are in no report and no download.

Sizes below a floor are hidden. Where that hides one group only, the next smallest goes with it: the total less all
others would tell the one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.core.environment import whole_number
from grouprec.core.language import N_, _
from grouprec.report import noise
from grouprec.runs.links import Discretion
from grouprec.runs.store import Run

SETTING = "GROUPREC_FEWEST_PEOPLE"
NOTHING = "–"
NOT_TOLD = N_("not told")


def fewest() -> int:
    """Return the smallest number of people that a report or download tells, 5 where nothing is said; 1 tells all.

    Raises:
        SettingError: the environment does not say a number from 1.
    """
    return whole_number(SETTING, 5)


def discretion() -> Discretion:
    """Return what may be told of few people now."""
    return Discretion(fewest(), noise.epsilon())


def hidden(sizes: pd.Series) -> np.ndarray:
    """Return which of these numbers of people, which add up to a known one, must not be told, bool [n]."""
    few = sizes.to_numpy() < fewest()
    if few.sum() == 1 and len(sizes) > 1:
        few[np.where(few, np.inf, sizes.to_numpy()).argmin()] = True
    return few


def people(size: int, hide: bool, full: str) -> str:
    """Return the full words for a number of people, or that they are few.

    Args:
        hide: as :func:`hidden` says; a larger number that goes with a small one is not called few.
    """
    if not hide:
        return full
    return _("fewer than {fewest}").format(fewest=fewest()) if size < fewest() else _(NOT_TOLD)


@dataclass(frozen=True)
class Told:
    """What is told of a run's groups.

    Attributes:
        sizes: int [G], as they are told: as they are, or with noise (:mod:`grouprec.report.noise`).
        few: bool [G], whose size is not told at all.
        rest: bool [G], of whom nothing else is told either; where sizes have noise, of nobody.
        words: on the noise, "" where there is none.
    """

    sizes: np.ndarray
    few: np.ndarray
    rest: np.ndarray
    words: str = ""

    @property
    def shares(self) -> np.ndarray:
        """Return the sizes as shares of their sum."""
        return self.sizes / max(self.sizes.sum(), 1)


def of_run(run: Run, groups: pd.DataFrame) -> Told:
    """Return what is told of a run's groups.

    Args:
        groups: size, one row per group.
    Raises:
        SettingError: a setting says no number, or the noise cannot be drawn.
        StorageError: what was told with noise cannot be kept.
    """
    sizes, asked = groups["size"].to_numpy(), noise.epsilon()
    if asked is None:
        few = hidden(groups["size"])
        return Told(sizes, few, few)
    sizes = noise.noisy_sizes(run, groups["size"], asked)
    off, spent = 1 / asked, noise.spent(run)
    words = _(
        "Sizes and shares of groups bear random noise (differential privacy, epsilon {asked}): a "
        "size is off by {off} on average. Epsilon told of this run so far: {spent}. Of a group "
        "no other number is told."
    ).format(asked=f"{asked:g}", off=f"{off:.2g}", spent=f"{spent:g}")
    return Told(sizes, hidden(pd.Series(sizes)), np.ones(len(sizes), bool), words)


def untold(counts: pd.Series) -> np.ndarray:
    """Return of whom nothing is told, bool [n]: those that :func:`hidden` hides; all where sizes have noise."""
    return hidden(counts) | (noise.epsilon() is not None)


def note() -> str:
    """Say what is left out of a file that is given away."""
    if noise.epsilon() is not None:
        return _("Without numbers of groups: their sizes are told in the report, with noise")
    return _("Without numbers of fewer than {fewest} people").format(fewest=fewest())


def without(frame: pd.DataFrame, hide: np.ndarray, columns: Iterable[str]) -> pd.DataFrame:
    """Return a table to give away: nothing stands in some columns of the rows that must not be told.

    Args:
        hide: bool [n].
    """
    safe = frame.copy()
    for name in columns:
        safe[name] = safe[name].mask(hide)
    return safe


def of_groups(frame: pd.DataFrame, groups: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return a table of groups, of any number of rows each, without the numbers of groups of few people.

    Args:
        frame: with a column ``group``.
        groups: group, size.
    """
    few = groups.loc[untold(groups["size"]), "group"]
    return without(frame, frame["group"].isin(few).to_numpy(), columns)


def of_values(frame: pd.DataFrame, by: list[str], people: str) -> pd.DataFrame:
    """Return a table of values, of which those of each ``by`` divide the users, without those that few people have.

    Args:
        people: the column that counts them.
    """
    hide = frame.groupby(by, sort=False)[people].transform(lambda counts: pd.Series(untold(counts), counts.index))
    return frame[~hide.astype(bool)]


def of_sizes(value: pd.DataFrame) -> pd.DataFrame:
    """Return what numbers of lists are worth without the sizes of groups of few people.

    Args:
        value: n_groups, smallest, largest. Of two groups one tells the other, since all users are known.
    """
    if "smallest" not in value:  # of the oldest runs
        return value
    few = (value["smallest"] < fewest()).to_numpy() | (noise.epsilon() is not None)
    both = few & ((value["n_groups"] == 2).to_numpy() | (noise.epsilon() is not None))
    return without(without(value, few, ["smallest"]), both, ["largest"])
