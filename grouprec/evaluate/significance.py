"""Which differences between methods are more than chance, when many are looked at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from grouprec.core.types import SettingError
from grouprec.evaluate.protocol import HEADLINES, METRICS, Measured
from grouprec.ranking.metrics import paired_difference

LEVEL = 0.05  # adjusted p below which a difference counts as significant
N_FLIPS = 9_999  # the smallest p is 1 / 10,000, small enough to survive a correction for hundreds of comparisons
_CELLS = 1 << 22  # signs held at a time
_COLUMNS = [
    "method",
    "regime",
    "metric",
    "against",
    "difference",
    "low",
    "high",
    "p",
    "p_permutation",
    "p_adjusted",
    "significant",
]


def holm(p: np.ndarray) -> np.ndarray:
    """Return p values corrected for their number by Holm's step-down method (Holm 1979).

    The smallest of m is multiplied by m, the next by m - 1, and so on; none falls below a smaller one, none exceeds
    1. Rejecting those below .05 holds the chance of any false rejection below .05, whatever their dependence.

    Args:
        p: float [m]; NaN is no comparison, does not count and stays NaN.
    Returns:
        float64 [m], in the order given.
    """
    p = np.asarray(p, np.float64)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    adjusted = np.full(len(p), np.nan)
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(steps))
    return adjusted


def sign_flip_p(difference: np.ndarray, seed: int, n_flips: int = N_FLIPS) -> np.ndarray:
    """Return two-sided p values of paired differences by a randomisation test (Fisher 1935).

    If two methods serve users alike, each user's difference may as well have the other sign: p is the share of random
    signs under which the mean lies as far from 0 as it does, the data themselves counted as one more (so never 0).
    Recommended for comparing rankings by Smucker, Allan and Carterette (CIKM 2007).

    Args:
        difference: float [U, M], method minus reference. Columns share the signs.
        n_flips: random sign vectors.
    Returns:
        float64 [M]; NaN where there is no user.
    """
    n_users, n_columns = difference.shape
    if n_users == 0:
        return np.full(n_columns, np.nan)
    rng = np.random.default_rng(seed)
    values = np.asarray(difference, np.float32)
    observed = np.abs(values.sum(axis=0, dtype=np.float64))
    slack = 1e-5 * np.abs(values).sum(axis=0, dtype=np.float64)  # rounding of float32 sums must not break ties
    as_far = np.zeros(n_columns, np.int64)
    size = max(1, _CELLS // n_users)
    for start in range(0, n_flips, size):
        n = min(size, n_flips - start)
        bits = np.frombuffer(rng.bytes((n * n_users + 7) // 8), np.uint8)
        signs = np.unpackbits(bits, count=n * n_users).reshape(n, n_users).astype(np.float32) * 2 - 1
        as_far += (np.abs(signs @ values) >= observed - slack).sum(axis=0)
    return (as_far + 1) / (n_flips + 1)


def compare_all(measured: Sequence[Measured], against: str, seed: int) -> pd.DataFrame:
    """Return every method's paired difference to a reference of the same regime, on the headline metrics.

    Args:
        measured: all judged on the same task.
        against: the reference. In a regime that it does not have, "individual" takes its place (personal lists are
            compared with the chosen encoder's where the reference is a group method); without either, the regime is
            left out.
        seed: of resamples and signs.
    Returns:
        method, regime, metric, against, difference (mean over users), low, high (bootstrap 95 % interval), p (by
        bootstrap), p_permutation (:func:`sign_flip_p`), p_adjusted (``p_permutation`` by :func:`holm` over all
        methods of the same regime and metric), significant (``p_adjusted`` < .05). Adjusted is the randomisation
        test: 1,000 resamples give no p below .002, which no correction for 25 methods survives.
    Raises:
        SettingError: there is no method of that name.
    """
    names = list(dict.fromkeys(one.method for one in measured))
    if against not in names:
        raise SettingError(f"There is no method called '{against}' to compare with; choose one of: {', '.join(names)}.")
    tables = [pd.DataFrame(columns=_COLUMNS)]
    for regime in dict.fromkeys(one.regime for one in measured):
        same = {one.method: one for one in measured if one.regime == regime}
        reference = same.get(against) or same.get("individual")
        if reference is not None and len(same) > 1:
            tables.append(_compare(reference, [one for one in same.values() if one is not reference], seed))
    return pd.concat(tables[1:], ignore_index=True) if len(tables) > 1 else tables[0]


def _compare(reference: Measured, others: list[Measured], seed: int) -> pd.DataFrame:
    """Return the rows of one regime."""
    columns = [METRICS.index(metric) for metric in HEADLINES]
    theirs = np.concatenate([one.values[:, columns] for one in others], axis=1)
    ours = np.tile(reference.values[:, columns], len(others))
    difference, low, high, p = paired_difference(theirs, ours, seed)
    table = pd.DataFrame(
        {
            "method": np.repeat([one.method for one in others], len(columns)),
            "regime": reference.regime,
            "metric": HEADLINES * len(others),
            "against": reference.method,
            "difference": difference,
            "low": low,
            "high": high,
            "p": p,
            "p_permutation": sign_flip_p(theirs - ours, seed),
        }
    )
    adjusted = table.groupby("metric")["p_permutation"].transform(lambda p: holm(p.to_numpy()))
    return table.assign(p_adjusted=adjusted, significant=adjusted < LEVEL)
