"""How many lists are enough: a rule that noise cannot talk into more."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.core.tables import highest
from grouprec.ranking.statistics import Z


def smoothed(curve: pd.DataFrame) -> pd.Series:
    """Return the values of a curve over the number of groups without what is chance: never falling.

    The non-decreasing values nearest to the measured ones (see :func:`_never_falling`). Numbers beyond
    the best that are proven to be worse than it keep their value, as there is a fall that is none of chance.

    Args:
        curve: n_groups (ascending), value, low, high, and ``below_best`` with ``below_best_error`` where the run has
            them; no value is missing.
    """
    numbers, values = curve["n_groups"].to_numpy(float), curve["value"].to_numpy(float)
    fallen = (numbers > highest(curve, "value")["n_groups"]) & proven_worse(curve)
    rising = ~fallen
    out = values.copy()
    out[rising] = _never_falling(values[rising])
    return pd.Series(out, curve.index)


def _never_falling(values: np.ndarray) -> np.ndarray:
    """Return the non-decreasing values nearest to the given ones in squares, float [n].

    Isotonic regression by pooling adjacent violators (Barlow et al. 1972). scikit-learn has it, too, but takes a second
    to load, which ``grouprec show`` would wait for.
    """
    sums: list[float] = []
    counts: list[int] = []
    for value in values.tolist():
        sums.append(value)
        counts.append(1)
        while len(sums) > 1 and sums[-2] * counts[-1] >= sums[-1] * counts[-2]:
            sums[-2:], counts[-2:] = [sums[-2] + sums[-1]], [counts[-2] + counts[-1]]
    return np.repeat(np.divide(sums, counts), counts)


def proven_worse(curve: pd.DataFrame) -> np.ndarray:
    """Return which numbers are worse than the best by more than a 95 % interval, bool [N].

    In runs that did not pair numbers over users, those whose interval ends below the best value.
    """
    if "below_best" in curve and curve["below_best"].notna().all():
        return (curve["below_best"] - Z * curve["below_best_error"]).to_numpy() > 0
    return (curve["high"] < curve["value"].max()).to_numpy()


def errors(curve: pd.DataFrame) -> np.ndarray:
    """Return the standard error of every number's distance to the best, float [N], paired over users where known.

    In older runs that of the best number's mean: its 95 % interval's width divided by 3.92.
    """
    if "below_best_error" in curve and curve["below_best_error"].notna().all():
        return curve["below_best_error"].to_numpy(float)
    best = highest(curve, "value")
    return np.full(len(curve), (best["high"] - best["low"]) / (2 * Z))


def enough(curve: pd.DataFrame) -> int:
    """Return how many lists are enough: the smallest number within one standard error of the best.

    The rule of one standard error (Breiman et al. 1984), because every list is one that somebody has to make and show:
    on the smoothed values, with the standard error of the difference to the best number on the same users.

    Args:
        curve: as in :func:`smoothed`, of one method, regime and metric; at least one row.
    """
    ordered = curve.sort_values("n_groups", ignore_index=True)
    values = smoothed(ordered).to_numpy()
    near = values >= values.max() - errors(ordered) - 1e-12
    return int(ordered["n_groups"].to_numpy()[near].min())
