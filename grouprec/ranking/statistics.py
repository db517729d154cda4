"""How certain a mean over users is, and which of many differences are more than chance. numpy and scipy only."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from grouprec.core.memory import rows_per_batch

Z = 1.959964  # standard errors on either side of a 95 % interval
LEVEL = 0.05  # adjusted p below which a difference counts as significant
ENOUGH = 30  # users from which a difference is claimed; of fewer, intervals fall below 93 % (benchmarks/coverage.py)
N_FLIPS = 9_999  # the smallest p is 1 / 10,000, small enough to survive a correction for hundreds of comparisons
_RESAMPLED_USERS = 5_000  # up to which means of resamples are made by resampling
_ROUNDING = 1e-9
_FARTHEST = 37.0  # standard errors; farther ones have no p above 0 in float64


def mean_interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean over users of every column and its 95 % interval, which holds also where hits are rare.

    Of values in 0..1 (shares, precision, nDCG: every column that stays in that range) it is Wilson's interval for as
    many users as would make a share of equal mean as uncertain. That number, n m (1 - m) / variance in the mean of m,
    is n itself where values are only 0 or 1. What it is must be estimated from the users who do not sit at the nearer
    end of the range, so one more of them, with full marks, counts among them: by the share of users at that end,
    over the cube root of one more than the others. (Without it, one small hit of 30 users would say that all hits are
    small.) Other columns (bits, counts) get the normal interval, mean and 1.96 standard errors.

    ``benchmarks/coverage.py`` measures how often the interval holds.

    Args:
        values: [U] or [U, M], one row per user.
    Returns:
        mean, low, high: float64, scalars for [U] and [M] for [U, M]; NaN where there is no user or a NaN.
    """
    if len(values) == 0:
        unknown = np.full(values.shape[1:], np.nan)
        return unknown, unknown, unknown
    mean, error, equal = _moments(values)
    low, high = wilson(mean, equal)
    inside = np.isfinite(equal)
    return mean, np.where(inside, low, mean - Z * error), np.where(inside, high, mean + Z * error)


def _moments(values: np.ndarray, at_end: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return mean, standard error, and the number of users of an equally uncertain share (NaN outside 0..1).

    ``at_end``: how many users say nothing of how large values are; those at the nearer end of the range where None.
    """
    values = np.asarray(values, np.float64)
    n, mean = len(values), values.mean(axis=0)
    squares = np.maximum(np.einsum("u...,u...->...", values, values) - n * mean**2, 0) * n / max(n - 1, 1)
    error = np.sqrt(squares) / n
    inside = (values.min(axis=0) >= 0) & (values.max(axis=0) <= 1 + _ROUNDING)
    mean_inside = np.where(inside, np.minimum(mean, 1), np.nan)
    nearer = np.where(mean <= 0.5, (values == 0).sum(axis=0), (values == 1).sum(axis=0))
    silent = nearer if at_end is None else at_end
    doubt = silent / n / np.cbrt(1 + n - silent)
    most = n * mean_inside * (1 - mean_inside) + doubt  # 0 where all values are 1 but for rounding
    ratio = np.divide(squares + doubt, most, out=np.full(most.shape, np.nan), where=most > 0)
    return mean, error, n / np.clip(ratio, _ROUNDING, 1)


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
    values_a: np.ndarray, values_b: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return mean(a - b) over users, its 95 % interval, and a two-sided p value.

    What users gain and what they lose are two means of values in 0..1 with an interval each (:func:`mean_interval`);
    :func:`difference_interval` puts them together, so that it holds where few users differ. p is 1 less the level at
    which the interval just reaches 0: below .05 exactly where the interval leaves 0 out. It is for one comparison:
    correct it where many are made. Differences beyond -1..1 (bits) get the normal interval and p.

    Args:
        values_a: [U] or [U, M], metrics of one method.
        values_b: the same metrics of the same users under the other method.
    Returns:
        difference, low, high, p: scalars for [U], [M] for [U, M]. Of fewer than ``ENOUGH`` users low, high and p are
        NaN: too few to tell. NaN where there is no user.
    """
    change = np.asarray(values_a, dtype=np.float64) - values_b
    unknown = np.full(change.shape[1:], np.nan)
    if len(change) < ENOUGH:
        return change.mean(axis=0) if len(change) else unknown, unknown, unknown, unknown
    mean, error, _ = _moments(change)
    alike = (change == 0).sum(axis=0)
    gain, gain_error, gaining = _moments(np.maximum(change, 0), alike)
    loss, loss_error, losing = _moments(np.maximum(-change, 0), alike)
    spread = len(change) * gain_error * loss_error
    correlation = np.divide(-gain * loss, spread, out=np.zeros_like(mean), where=spread > 0)

    def bounds(z: float | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        gains, losses = (gain, *wilson(gain, gaining, z)), (loss, *wilson(loss, losing, z))
        low, high = difference_interval(gains, losses, correlation)
        inside = np.isfinite(gaining) & np.isfinite(losing)
        return np.where(inside, low, mean - z * error), np.where(inside, high, mean + z * error)

    from scipy.special import ndtr  # here, since whoever reads intervals makes none and waits for it

    near, far = np.zeros_like(mean), np.full_like(mean, _FARTHEST)  # 0 is out at ``near`` (or that is 0), in at ``far``
    for _ in range(50):
        z = (near + far) / 2
        low, high = bounds(z)
        out = (low > 0) | (high < 0)
        near, far = np.where(out, z, near), np.where(out, far, z)
    return mean, *bounds(Z), np.where(np.isnan(mean), np.nan, 2 * ndtr(-far))


def difference_interval(
    one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...], correlation: np.ndarray | float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of a difference of two means from the interval of each (Zou and Donner 2008).

    Of independent shares this is Newcombe's (1998) tenth method.

    Args:
        one, other: mean, low and high.
        correlation: of the two means over samples of users.
    """

    def reach(up: np.ndarray, down: np.ndarray) -> np.ndarray:
        return np.sqrt(np.maximum(up**2 + down**2 - 2 * correlation * up * down, 0))

    (mean_one, low_one, high_one), (mean_other, low_other, high_other) = one, other
    difference = mean_one - mean_other
    low = difference - reach(mean_one - low_one, high_other - mean_other)
    return low, difference + reach(high_one - mean_one, mean_other - low_other)


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
    size = rows_per_batch(n_users)
    for start in range(0, n_flips, size):
        n = min(size, n_flips - start)
        bits = np.frombuffer(rng.bytes((n * n_users + 7) // 8), np.uint8)
        signs = np.unpackbits(bits, count=n * n_users).reshape(n, n_users).astype(np.float32) * 2 - 1
        as_far += (np.abs(signs @ values) >= observed - slack).sum(axis=0)
    return (as_far + 1) / (n_flips + 1)


def wilson(share: np.ndarray, n: np.ndarray, z: float | np.ndarray = Z) -> tuple[np.ndarray, np.ndarray]:
    """Return the score interval of observed shares of ``n`` users (Wilson 1927); NaN where ``n`` is 0 or NaN.

    Unlike a bootstrap's, it has a width where nobody or everybody counts.

    Args:
        z: standard errors on either side, 1.96 for 95 %.
    """
    z2 = np.square(z)
    n = np.where(n > 0, n, np.nan)
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (np.maximum(share * (1 - share), 0) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half, 1)
    return np.minimum(low, share), np.maximum(high, share)  # where rounding would leave the share out
