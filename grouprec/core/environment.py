"""Settings that the environment holds."""

from __future__ import annotations

import math
import os

from grouprec.core.errors import SettingError
from grouprec.core.whole import whole


def whole_number(name: str, usual: int) -> int:
    """Return a whole number from 1 that the environment holds, ``usual`` where it says nothing.

    Raises:
        SettingError: it says something else.
    """
    told = os.environ.get(name, "").strip() or str(usual)
    if not (number := whole(told)):
        raise SettingError(f"{name} must be a whole number from 1, not '{told[:40]}'.")
    return number


def number_from_0(name: str, usual: float) -> float:
    """Return a finite number, 0 or more, that the environment holds, ``usual`` where it says nothing.

    Raises:
        SettingError: it says something else.
    """
    told = os.environ.get(name, "").strip() or str(usual)
    try:
        number = float(told)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise SettingError(f"{name} must be a number from 0, not '{told[:40]}'.")
    return number
