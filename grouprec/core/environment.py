"""Settings that the environment holds."""

from __future__ import annotations

import os

from grouprec.core.errors import SettingError


def whole_number(name: str, usual: int) -> int:
    """Return a whole number from 1 that the environment holds, ``usual`` where it says nothing.

    Raises:
        SettingError: it says something else.
    """
    told = os.environ.get(name, "").strip() or str(usual)
    if not (told.isdecimal() and int(told) > 0):
        raise SettingError(f"{name} must be a whole number from 1, not '{told}'.")
    return int(told)
