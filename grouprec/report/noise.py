"""Sizes of groups with noise on them, so that they do not tell whether somebody is among them (Dwork et al. 2006).

``GROUPREC_EPSILON`` asks for it. A size is told with Laplace noise of scale 1 / epsilon, rounded, drawn once per run,
and kept in ``published.json``: whoever draws the report a hundred times learns no more than from one. Groups that
people change have other sizes, which are told anew; of what was told of a run, the epsilons add up.

What holds is: whatever somebody knows, one person more or less in a group changes the chance of any told sizes by the
factor e^epsilon at most. It holds of the sizes, not of the groups: who is grouped with whom was learned from everybody.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from grouprec.core.errors import SettingError
from grouprec.core.forms import VERSION, DamagedError, Form, read_form, write_form
from grouprec.core.language import _
from grouprec.core.locks import alone
from grouprec.runs.content import PUBLISHED
from grouprec.runs.store import Run

SETTING = "GROUPREC_EPSILON"  # the name of the setting
FORM_VERSION = 1
LEAST, MOST = 0.01, 10.0  # below it only noise is told, above it nothing is protected


def epsilon() -> float | None:
    """Return the epsilon with which sizes are told; None where they are told as they are.

    Raises:
        SettingError: the environment does not say a number between the bounds.
    """
    told = os.environ.get(SETTING, "").strip()
    if not told:
        return None
    try:
        value = float(told)
    except ValueError:
        value = np.nan
    if not LEAST <= value <= MOST:
        raise SettingError(f"{SETTING} must be a number from {LEAST} to {MOST:g}, not '{told[:40]}'.")
    return value


def noisy_sizes(run: Run, sizes: pd.Series, epsilon: float) -> np.ndarray:
    """Return the sizes of a run's groups as they are told, int [G]; those that were told before are told again.

    Raises:
        SettingError: the library that draws the noise is not installed.
        StorageError: what was told cannot be kept, so that nothing may be told.
    """
    exact = [int(size) for size in sizes]
    with alone(
        run.path / ".published.lock",
        _("Sizes of the run {run_id} are being told; try again.").format(run_id=run.run_id),
    ):
        releases = _releases(run)
        for one in releases:
            if (one["epsilon"], one["exact"]) == (epsilon, exact):
                return np.array(one["told"], dtype=int)
        told = [max(size, 0) for size in _noisy(exact, epsilon)]
        form = {VERSION: FORM_VERSION, "releases": [*releases, {"epsilon": epsilon, "exact": exact, "told": told}]}
        write_form(run.path / PUBLISHED, form, promise=True)
    return np.array(told, dtype=int)


def spent(run: Run) -> float:
    """Return the sum of the epsilons with which sizes of a run were told."""
    return float(sum(one["epsilon"] for one in _releases(run)))


def _noisy(sizes: Sequence[int], epsilon: float) -> list[int]:
    try:
        from pydp.algorithms.numerical_mechanisms import LaplaceMechanism  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise SettingError(
            f"{SETTING} needs the library that draws the noise: pip install 'grouprec-studio[privacy]'."
        ) from None
    mechanism = LaplaceMechanism(epsilon, 1.0)  # everybody is in one group: one person changes one size by 1
    return [int(mechanism.add_noise(size)) for size in sizes]


def _releases(run: Run) -> list[dict[str, Any]]:
    form: Form = read_form(run.path / PUBLISHED, FORM_VERSION, {}) or {}
    found = form.get("releases", [])
    sound = isinstance(found, list) and all(
        isinstance(one, dict) and {"epsilon", "exact", "told"} <= one.keys() for one in found
    )
    if not sound:
        raise DamagedError(f"{PUBLISHED} is damaged: its releases are not what was written", "restore it from a copy")
    return found
