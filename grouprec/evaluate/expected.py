"""Whether what is expected happens: expected takes against real ones, of users that nothing was learned from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.ranking.statistics import Z
from grouprec.ranking.takes import ExpectedTakes, Horizon, Predictions

N_TENTHS = 10
N_PARTS = 5  # of the users: each is expected by what happened to the others
COLUMNS = ("tenth", "n_pairs", "expected", "taken", "low", "high", "foretold")


Parts = list[tuple[np.ndarray, ExpectedTakes]]  # rows of users, and what was learned from all others


def learn_from_others(predicted: Predictions, taken: np.ndarray, horizon: Horizon, seed: int) -> Parts:
    """Return what predictions came to for everybody but a fifth of the users, a fifth after another.

    Args:
        taken: bool [B, N], which candidates their user took.
        seed: divides the users.
    Returns:
        rows of the users left out, and what was learned; nothing where the others took too little to learn from.
    """
    part = np.random.default_rng(seed).permutation(len(taken)) % N_PARTS
    found = []
    for number in range(N_PARTS):
        rows, others = np.flatnonzero(part == number), np.flatnonzero(part != number)
        learned = ExpectedTakes.learn(predicted.take(others), taken[others], horizon, seed)
        if learned is None:
            return []
        found.append((rows, learned))
    return found


def expect(parts: Parts, predicted: Predictions) -> np.ndarray:
    """Return the probability of every candidate by what was learned without its user, float64 [B, N]."""
    expected = np.zeros(predicted.candidates.items.shape)
    for rows, learned in parts:
        expected[rows] = learned.probabilities(predicted.take(rows))
    return expected


def tenths(expected: np.ndarray, taken: np.ndarray, foretold: np.ndarray | None = None) -> pd.DataFrame:
    """Return expected and real takes in tenths of what is expected, least likely pairs first.

    Args:
        expected: float [B, N], every candidate's probability; 0 where there is none.
        taken: bool [B, N].
        foretold: float [B, N], another expectation, to be told beside it.
    Returns:
        tenth (from 1), n_pairs, expected, taken, low and high (95 % interval of the takes of such users, who take
        independently of one another), foretold (NaN without one).
    """
    row, column = np.nonzero(expected > 0)
    sums = expected[row, column]
    order = np.argsort(sums, kind="stable")
    before = sums[order].cumsum() - sums[order] / 2
    place = np.empty(len(order), np.int64)
    place[order] = np.minimum(before / max(sums.sum(), 1e-12) * N_TENTHS, N_TENTHS - 1).astype(np.int64)
    hits = taken[row, column]
    found = []
    for tenth in range(N_TENTHS if len(order) else 0):
        own = place == tenth
        by_user = np.bincount(row[own], hits[own], minlength=len(taken))
        total, reach = by_user.sum(), Z * by_user.std() * np.sqrt(len(taken))
        told = np.nan if foretold is None else foretold[row[own], column[own]].sum()
        found.append((tenth + 1, own.sum(), sums[own].sum(), total, max(total - reach, 0), total + reach, told))
    kinds = {name: np.int64 if name in ("tenth", "n_pairs") else np.float64 for name in COLUMNS}
    return pd.DataFrame(found, columns=list(COLUMNS)).astype(kinds)


def largest_gap(table: pd.DataFrame) -> float:
    """Return by how much expected and real takes differ in the worst tenth, as a share of what was expected."""
    return float((table["taken"] / table["expected"] - 1).abs().max())
