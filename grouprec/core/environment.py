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


def started_together() -> bool:
    """Return whether this process was started as one of several that learn together, as ``torchrun`` says.

    Raises:
        SettingError: how many they are is no whole number from 1.
    """
    return whole_number("WORLD_SIZE", 1) > 1


def place_among(name: str) -> int:
    """Return the place from 0 of this process among those that ``torchrun`` started, 0 where it says nothing.

    Args:
        name: RANK, among all; LOCAL_RANK, among those of this machine.
    Raises:
        SettingError: it is no whole number.
    """
    told = os.environ.get(name, "").strip() or "0"
    if (place := whole(told)) is None:
        raise SettingError(f"{name} must be a whole number from 0, not '{told[:40]}'; start them with torchrun.")
    return place


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
