"""Few people are told as few: counts and shares that could point at somebody are not printed in a report.

Sizes below a floor are hidden. Where that hides one group only, the next smallest goes with it: the total less all
others would tell the one.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.core.environment import whole_number

SETTING = "GROUPREC_FEWEST_PEOPLE"
NOTHING = "–"


def fewest() -> int:
    """Return the smallest number of people that a report tells, 5 where nothing is said; 1 tells all.

    Raises:
        SettingError: the environment does not say a number from 1.
    """
    return whole_number(SETTING, 5)


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
    return f"fewer than {fewest()}" if size < fewest() else "not told"
