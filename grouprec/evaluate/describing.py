"""How well profiles describe users: held-out likelihood against a VAE without groups, and calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.types import Groups
from grouprec.models.base import Profile
from grouprec.models.virtual_members import one_hot
from grouprec.ranking.statistics import resampled_means
from grouprec.ranking.task import Task

BATCH = 512
LEAST = 1e-12  # keeps the logarithm of a share of 0 finite
N_BINS, N_FINE = 10, 4_000
PLAIN = "plain"
PROFILE = "vae"  # what tables of runs call the run's profile, whichever it is

Shares = Callable[[np.ndarray, int], np.ndarray]  # (user rows, their group) -> float [B, I], rows sum to 1


def descriptions(
    profile: Profile, groups: Groups, plain: Profile | None, histories: sparse.csr_array
) -> dict[str, Shares]:
    """Return ways to predict what users take next, by name.

    ``vae`` and ``vae_wants`` are the profile's two decoders, of what users have and of what they are predicted to
    want (which gives next to nothing to items that are nobody's candidates); ``plain`` and ``plain_wants`` those of a
    profile that was fitted with everybody in one group, where there is one; ``popularity`` the items' share of the
    histories, add-one smoothed.
    """
    popularity = histories.count_nonzero(axis=0) + 1.0
    popularity /= popularity.sum()
    mixtures = np.eye(groups.n_groups, dtype=np.float32)

    def encoded(one: Profile, rows: np.ndarray) -> np.ndarray:
        return one.encode(histories[rows])

    ways: dict[str, Shares] = {
        PROFILE: lambda rows, _: profile.decode(encoded(profile, rows)),
        f"{PROFILE}_wants": lambda rows, group: profile.predict(encoded(profile, rows), mixtures[group]),
    }
    if plain is not None:
        ways |= {
            PLAIN: lambda rows, _: plain.decode(encoded(plain, rows)),
            f"{PLAIN}_wants": lambda rows, _: plain.predict(encoded(plain, rows), one_hot(0, 1)),
        }
    return ways | {
        "popularity": lambda rows, _: np.broadcast_to(popularity, (len(rows), len(popularity))),
    }


def reconstruction(ways: Mapping[str, Shares], groups: Groups, task: Task, seed: int) -> pd.DataFrame:
    """Return the negative log-likelihood, in nats per interaction, of what users took next.

    Shares of items that a user may not get again are left out and the others scaled up to 1. The mean is over users.

    Returns:
        method, value, low, high (95 % bootstrap interval over users), difference, difference_low, difference_high
        (to ``plain``, paired; below 0 is better; NaN without it), n_users.
    """
    costs = {name: np.concatenate([_cost(*part) for part in _parts(way, groups, task)]) for name, way in ways.items()}
    means = resampled_means(np.column_stack(list(costs.values())), seed)
    base, rows = list(costs).index(PLAIN) if PLAIN in costs else None, []
    for at, (name, values) in enumerate(costs.items()):
        low, high = np.quantile(means[:, at], [0.025, 0.975])
        change = (np.nan, np.nan) if base is None else np.quantile(means[:, at] - means[:, base], [0.025, 0.975])
        row = {"method": name, "value": values.mean(), "low": low, "high": high}
        difference = np.nan if base is None else (values - costs[PLAIN]).mean()
        rows.append(
            row
            | {"difference": difference, "difference_low": change[0], "difference_high": change[1]}
            | {"n_users": len(values)}
        )
    return pd.DataFrame(rows)


def calibration(shares: Shares, groups: Groups, task: Task) -> pd.DataFrame:
    """Return how often what is predicted happens: shares of preference against shares of what users took.

    All pairs of judged users and items that they may get, in ten bins that hold about as much predicted preference
    each: they are made of 4,000 finer ones, so that no pair need be kept.

    Returns:
        bin (from 1, least likely first), n_pairs, predicted and observed (mean share of a user's interactions that go
        to one item), from which a well calibrated profile differs by chance only.
    """
    sums = np.zeros((3, N_FINE))  # pairs, predicted, observed
    for share, taken in _parts(shares, groups, task):
        place = ((1 - np.log(share + LEAST) / np.log(LEAST)) * (N_FINE - 1)).astype(int)
        happened = taken.multiply(1 / taken.sum(axis=1)[:, None]).tocoo()
        allowed = (share > 0)[happened.row, happened.col]
        sums[0] += np.bincount(place[share > 0], minlength=N_FINE)
        sums[1] += np.bincount(place.ravel(), share.ravel(), N_FINE)
        sums[2] += np.bincount(place[happened.row, happened.col][allowed], happened.data[allowed], N_FINE)
    before = sums[1].cumsum() - sums[1] / 2
    bins = np.minimum((before / max(sums[1].sum(), LEAST) * N_BINS).astype(int), N_BINS - 1)
    n, predicted, observed = (np.bincount(bins, one, N_BINS) for one in sums)
    there = n > 0
    values = {"n_pairs": n[there].astype(int), "predicted": predicted[there] / n[there]}
    return pd.DataFrame({"bin": np.flatnonzero(there) + 1, **values, "observed": observed[there] / n[there]})


def calibration_error(table: pd.DataFrame) -> float:
    """Return the expected calibration error: mean gap of predicted and observed shares over all preference, in 0..2."""
    mass = table["n_pairs"] * table["predicted"]
    gap = (table["n_pairs"] * (table["predicted"] - table["observed"]).abs()).sum()
    return float(gap / max(mass.sum(), LEAST))


def _parts(shares: Shares, groups: Groups, task: Task) -> Iterator[tuple[np.ndarray, sparse.csr_array]]:
    """Yield batches of judged users of one group: shares of items they may get, and what they took, CSR of ones."""
    labels = groups.labels[task.users]
    for group in np.unique(labels):
        members = task.users[labels == group]
        for start in range(0, len(members), BATCH):
            rows = members[start : start + BATCH]
            share = np.array(shares(rows, int(group)), np.float64)
            share[task.seen[rows].nonzero()] = 0
            yield share / np.maximum(share.sum(axis=1, keepdims=True), LEAST), task.relevant[rows]


def _cost(share: np.ndarray, taken: sparse.csr_array) -> np.ndarray:
    """Return every user's mean negative log share of what they took, float64 [B]."""
    user, item = taken.nonzero()
    costs = np.bincount(user, -np.log(share[user, item] + LEAST), minlength=len(share))
    return costs / np.bincount(user, minlength=len(share))
