"""How certain a mean over users is, and which of many differences are more than chance. numpy only."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

_RESAMPLED_USERS = 5_000  # up to which means of resamples are made by resampling


def bootstrap(values: np.ndarray, seed: int, n_resamples: int = 1000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean and percentile bootstrap 95 % interval over users (Efron 1979).

    Args:
        values: [U] or [U, M], one row per user. Columns share the resamples, so their differences stay paired.
    Returns:
        mean, low, high: float64, scalars for [U] and [M] for [U, M]; NaN where there is no user.
    """
    if len(values) == 0:
        return (np.full(values.shape[1:], np.nan),) * 3
    means = resampled_means(values, seed, n_resamples)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    return values.mean(axis=0, dtype=np.float64), low, high


def resampled_means(values: np.ndarray, seed: int, n_resamples: int = 1000) -> np.ndarray:
    """Return the mean of every resample of the users with replacement, [n_resamples] or [n_resamples, M].

    Of more than 5,000 users the means of resamples are drawn from the normal distribution that they then follow
    (central limit theorem), with the columns' covariance. NaN in columns that have a NaN.
    """
    values = np.asarray(values, dtype=np.float32)
    if len(values) <= _RESAMPLED_USERS:
        return _resamples(len(values), seed, n_resamples) @ values / len(values)
    columns = values.reshape(len(values), -1)
    known = np.isfinite(columns).all(axis=0)
    means = np.full((n_resamples, columns.shape[1]), np.nan, np.float32)
    center = columns[:, known].mean(axis=0, dtype=np.float64)
    spread = np.atleast_2d(np.cov(columns[:, known], rowvar=False)) / len(values)
    means[:, known] = np.random.default_rng(seed).multivariate_normal(center, spread, n_resamples, method="eigh")
    return means.reshape(n_resamples, *values.shape[1:])


@lru_cache(maxsize=2)
def _resamples(n_users: int, seed: int, n_resamples: int) -> np.ndarray:
    """Return how often every user is drawn in every resample, float32 [n_resamples, n_users]; at most 20 MB a time."""
    drawn = np.random.default_rng(seed).integers(n_users, size=(n_resamples, n_users))
    drawn += np.arange(n_resamples)[:, None] * n_users
    return np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(np.float32)


def paired_difference(
    values_a: np.ndarray, values_b: np.ndarray, seed: int, n_resamples: int = 1000
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return mean(a - b) over users, its bootstrap 95 % interval, and a two-sided p value.

    p is twice the smaller share of resamples on either side of 0, counting the data themselves as one more resample
    (so never 0). It is for one comparison: correct it where many are made.

    Args:
        values_a: [U] or [U, M], metrics of one method.
        values_b: the same metrics of the same users under the other method.
    Returns:
        difference, low, high, p: scalars for [U], [M] for [U, M]; NaN where there is no user.
    """
    difference = np.asarray(values_a, dtype=np.float64) - values_b
    if len(difference) == 0:
        return (np.full(difference.shape[1:], np.nan),) * 4
    means = resampled_means(difference, seed, n_resamples)
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    tail = np.minimum((means <= 0).sum(axis=0), (means >= 0).sum(axis=0))
    return difference.mean(axis=0), low, high, np.minimum(1, 2 * (tail + 1) / (n_resamples + 1))


LEVEL = 0.05  # adjusted p below which a difference counts as significant


N_FLIPS = 9_999  # the smallest p is 1 / 10,000, small enough to survive a correction for hundreds of comparisons


_CELLS = 1 << 22  # signs held at a time


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


def wilson(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % score interval of observed shares of ``n`` users (Wilson 1927); NaN where ``n`` is 0.

    Unlike a bootstrap's, it has a width where nobody or everybody counts.
    """
    z2 = 1.959964**2
    n = np.where(n > 0, n, np.nan)
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return np.maximum(centre - half, 0), np.minimum(centre + half, 1)
