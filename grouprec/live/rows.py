"""Candidates of a few users, as plain rows: quick twins of what `lists` and `preference` do for all users at once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import expit, logit

from grouprec.core.arrays import largest_first
from grouprec.core.types import Candidates
from grouprec.ranking.candidates import TASTE_DEPTH, discounts
from grouprec.ranking.group_lists import LENGTH

WORTH_STEP = 2.0**-30  # worth is counted in whole steps, so float64 sums are exact and a stream leaves no rounding


def add_worth(
    sums: np.ndarray, labels: np.ndarray, items: np.ndarray, scores: np.ndarray, signs: np.ndarray | float = 1.0
) -> None:
    """Add :func:`~grouprec.ranking.group_lists.worth` of candidates [B, N] to the sums of their users' groups, float64
    [G, I].

    In whole steps, so that sums are exact, and row by row, so that a user is worth the same alone and among others.

    Args:
        signs: 1 to add, -1 to take off; a number or float64 [B, 1].
    """
    scores = np.maximum(scores, 0).astype(np.float64)
    best = scores[:, :LENGTH]
    ideal = (best * _discounts(best.shape[1])).sum(axis=1, keepdims=True)
    worth = np.round(scores * (1 / WORTH_STEP / np.where(ideal > 0, ideal, 1)))  # 0 where items is -1
    cells = labels.astype(np.int64)[:, None] * sums.shape[1] + np.maximum(items, 0)
    np.add.at(sums.reshape(-1), cells.ravel(), (worth * (WORTH_STEP * signs)).ravel())


_BLOCK = 1024  # users whose candidates fit into a processor's own memory
_discounts = lru_cache(maxsize=16)(discounts)


def best_of_pool(items: np.ndarray, chances: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the best ``n`` of a pool of items [B, P], int32 and float32 [B, n]; -1 and 0 at the end."""
    order = largest_first(chances)[:, :n]
    rows = np.arange(len(items))[:, None]
    best = chances[rows, order].astype(np.float32)
    return np.where(best > 0, items[rows, order], -1).astype(np.int32), best


def typical_chances(candidates: Candidates) -> tuple[float, float]:
    """Return the chance that is worth 1 to the median user, and that of the median user's last candidate.

    By them the worth of an item to others becomes a chance of somebody new: nothing that is unknown is impossible.
    """
    best = np.maximum(candidates.scores[:, :LENGTH], 0)
    items, scores = candidates.items, candidates.scores
    parts = [slice(first, first + _BLOCK) for first in range(0, max(len(items), 1), _BLOCK)]
    last = np.concatenate([np.where(items[part] >= 0, scores[part], 1).min(axis=1) for part in parts])
    return float(np.median(best @ discounts(best.shape[1]))), float(np.median(last))


def shift(chances: np.ndarray, rise: np.ndarray) -> np.ndarray:
    """Return the chances with ``rise`` added to their logits, float64; exactly the same where it is 0."""
    chances = chances.astype(np.float64)
    return np.where(rise == 0, chances, expit(logit(np.clip(chances, 1e-12, 1 - 1e-7)) + rise))


def positions(candidates: Candidates, components: np.ndarray) -> np.ndarray:
    """Return the positions of :func:`~grouprec.ranking.candidates.place_preference`, float32 [B, S], for few users."""
    items, scores = candidates.items[:, :TASTE_DEPTH], candidates.scores
    middle = np.minimum(TASTE_DEPTH, (candidates.items >= 0).sum(axis=1) // 2)
    reference = scores[np.arange(len(scores)), middle][:, None]
    leads = np.where(items >= 0, np.maximum(scores[:, :TASTE_DEPTH] - reference, 0), 0)  # the others have none
    length = np.sqrt((leads * leads).sum(axis=1, keepdims=True))
    leads /= np.where(length > 0, length, 1)
    return (leads[:, None] @ components[np.maximum(items, 0)])[:, 0]
