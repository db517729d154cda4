"""How often 95 % intervals hold the truth, by simulation: ``python -m benchmarks.coverage`` prints two tables.

Users' values of a metric are drawn from shapes like those of real lists: most users have no hit (0), the others a value
between 0 and 1. The truth is known, so one can count how often an interval holds it. *Before* is the percentile
bootstrap that the product used once, *after* is ``grouprec.ranking.statistics``.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from grouprec.ranking.candidates import discounts
from grouprec.ranking.statistics import Z, mean_interval, paired_difference, resampled_means, sign_flip_p

USERS = (10, 20, 30, 200, 900)
RATES = (0.01, 0.05, 0.2, 0.5)
SAMPLES = {10: 6000, 20: 6000, 30: 6000, 200: 4000, 900: 2000}
BOOTSTRAPPED = 250  # of the samples, because a bootstrap takes long

Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
HITS: dict[str, tuple[Draw, float]] = {  # by metric: the values of users with a hit, and their mean
    "hit rate": (lambda rng, size: np.ones(size), 1.0),
    "nDCG": (lambda rng, size: discounts(10)[rng.integers(10, size=size)], float(discounts(10).mean())),
    "precision": (lambda rng, size: rng.choice([0.1, 0.1, 0.1, 0.2, 0.3], size), 0.16),
    "recall": (lambda rng, size: rng.choice([0.02, 0.1, 0.2, 0.5, 1], size), 0.364),
    "MRR": (lambda rng, size: 1 / rng.integers(1, 21, size), float((1 / np.arange(1, 21)).mean())),
}


def users(rng: np.random.Generator, metric: str, rate: float, size: tuple[int, int]) -> np.ndarray:
    """Return values of users, float64 [U, samples], of whom the share ``rate`` has a hit."""
    return (rng.random(size) < rate) * HITS[metric][0](rng, size)


def truth(metric: str, rate: float) -> float:
    """Return the mean that :func:`users` are drawn from."""
    return rate * HITS[metric][1]


def null(rng: np.random.Generator, metric: str, rate: float, size: tuple[int, int], case: str) -> np.ndarray:
    """Return differences of two methods that are equally good, float64 [U, samples].

    Cases: ``independent``; ``alike`` (the same for seven users of ten); ``skewed`` (one hits twice as often for half).
    """
    one, other = (users(rng, metric, rate, size) for _ in range(2))
    if case == "skewed":
        return users(rng, metric, min(1, 2 * rate), size) / 2 - one
    return np.where(rng.random(size) < 0.7, 0, one - other) if case == "alike" else one - other


def holds(low: np.ndarray, high: np.ndarray, value: float) -> float:
    """Return the share of intervals that hold a value."""
    return float(((low <= value) & (value <= high)).mean())


def percentiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile bootstrap's 95 % interval of every column's mean."""
    low, high = np.percentile(resampled_means(values, 0), [2.5, 97.5], axis=0)
    return low, high


def of_means() -> None:
    """Print how often the interval of a mean holds, before and after, and its width against the normal interval's."""
    print("| metric | hit rate | " + " | ".join(f"{n} users" for n in USERS) + " | width at 900 |")
    print("|---|---:|" + "---:|" * (len(USERS) + 1))
    for metric, rate in product(HITS, RATES):
        cells, true, width = [], truth(metric, rate), 0.0
        for n in USERS:
            values = users(np.random.default_rng(n), metric, rate, (n, SAMPLES[n]))
            _, low, high = mean_interval(values)
            before = holds(*percentiles(values[:, :BOOTSTRAPPED]), true)
            cells.append(f"{100 * before:.0f} → {100 * holds(low, high, true):.1f}")
            width = (high - low).mean() / (2 * Z * values.std(axis=0).mean() / np.sqrt(n))
        print(f"| {metric} | {rate:.0%} | {' | '.join(cells)} | {width:.2f} |")


def of_nothing() -> None:
    """Print how often a difference is claimed that is not there: before, by the new p, by signs flipped at random."""
    sizes = USERS[2:]
    print("\n| metric | two methods | " + " | ".join(f"{n} users" for n in sizes) + " |")
    print("|---|---|" + "---:|" * len(sizes))
    for metric, case in product(HITS, ("independent", "alike", "skewed")):
        cells = []
        for n in sizes:
            found = np.zeros((len(RATES), 3))
            for at, rate in enumerate(RATES):
                change = null(np.random.default_rng(n), metric, rate, (n, SAMPLES[n]), case)
                _, _, _, p = paired_difference(change, np.zeros_like(change))
                some = change[:, :BOOTSTRAPPED]
                flips = sign_flip_p(some, 0, 499)
                found[at] = 1 - holds(*percentiles(some), 0), (p < 0.05).mean(), (flips < 0.05).mean()
            before, after, flipped = 100 * found.max(axis=0)
            cells.append(f"{before:.0f} → {after:.1f} / {flipped:.1f}")
        print(f"| {metric} | {case} | {' | '.join(cells)} |")


if __name__ == "__main__":
    print("How often a 95 % interval holds the true mean, in %: before → after\n")
    of_means()
    print("\nHow often p < .05 without a difference, in %, worst of four hit rates: before → after / sign flips")
    of_nothing()
