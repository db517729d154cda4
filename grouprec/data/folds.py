"""Folds inside the training part: earlier moments at which somebody could have chosen, and what happened then.

Choosing on one window is choosing by its luck (docs/evaluation.md). A fold is a dataset whose training part ends
earlier and whose validation part is what came next; choices are made on several of them, pooled over users. Folds
follow the split of the run: rolling origins where it is cut in time (for everybody or for every user), fresh draws
where it is drawn at random.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from grouprec.data.dataset import Dataset, Interactions

LAGS = (1.0, 2.0, 0.5, 1.5)  # how far before the end a fold starts, in lengths of the part that judges
LEAST_KEPT = 0.25  # of the rows, that a fold leaves to learn from


def make_folds(
    data: Dataset, split: str, length: float, n_folds: int, seed: int, min_item_users: int = 1
) -> list[Dataset]:
    """Return at most ``n_folds`` folds of everything known before the test part; none where nothing can be held out.

    Args:
        data: its training part is divided; the other parts are not read.
        split: how the run is split: "time", "user_time", "user", or "none".
        length: of what a fold holds out: seconds where the split is "time", else a share of every user's rows.
        n_folds: at most ``len(LAGS)``.
        seed: draws what is held out at random, and the order of equal times.
        min_item_users: fewest users of an item of the dataset. Where the split is "time", what fewer have by a fold's
            moment is no item there, as in a run of that day: it is in the dataset for what happened next.
    Returns:
        datasets with the same users and items; users and items of a validation part are known to its training part.
    """
    if split == "none" or length <= 0 or not len(data.train):
        return []
    folds = []
    for number, lag in enumerate(LAGS[:n_folds]):
        rng = np.random.default_rng([seed, number])
        if split == "time":
            train, held_out = _by_moment(data.train, length, lag)
        else:
            train, held_out = _by_user(data.train, length, lag if split == "user_time" else None, rng)
        kept = _of_common(train, data.n_items, min_item_users) if split == "time" else train
        known = _of_known(held_out, kept, data.shape)
        if len(known) and len(train) >= LEAST_KEPT * len(data.train):
            key = f"{data.key} fold {split} {min_item_users} {length:g} {lag:g} {seed}"
            nothing = Interactions.empty(data.timed)
            folds.append(replace(data, key=key, train=kept, validation=known, test=nothing, left_out=None))
    return folds


def length_of(part: Interactions, split: str, n_rows: int) -> float:
    """Return the length of a part for :func:`make_folds`: seconds, or its share of ``n_rows`` rows."""
    if split != "time" or part.times is None or not len(part):
        return len(part) / max(n_rows, 1)
    return float(np.ptp(part.times))


def _by_moment(rows: Interactions, length: float, lag: float) -> tuple[Interactions, Interactions]:
    """Return the rows before a moment that lies ``lag`` lengths before the end, and those of one length after it."""
    assert rows.times is not None
    begin = rows.times.max() - lag * length
    return rows.take(rows.times < begin), rows.take((rows.times >= begin) & (rows.times < begin + length))


def _by_user(
    rows: Interactions, share: float, lag: float | None, rng: np.random.Generator
) -> tuple[Interactions, Interactions]:
    """Return the rows without, and with, a share of every user's own: drawn, or their last but ``lag`` - 0.5 lengths.

    Users keep at least two rows; those with fewer than three lose none.
    """
    users = rows.user_rows
    counts = np.bincount(users)
    times = rows.times if lag is not None and rows.times is not None else np.zeros(len(rows))
    order = np.lexsort((rng.random(len(rows)), times, users))
    from_end = np.empty(len(rows), np.int64)  # 0 for the latest
    from_end[order] = (counts.cumsum()[users[order]] - 1) - np.arange(len(rows))
    held = np.floor(counts * share + rng.random(len(counts))).astype(np.int64)
    skipped = np.zeros_like(held) if lag is None else np.round(counts * share * (lag - 0.5)).astype(np.int64)
    held = np.minimum(held, np.maximum(counts - skipped - 2, 0))
    chosen = (from_end >= skipped[users]) & (from_end < (skipped + held)[users])
    kept = from_end >= (skipped + held)[users] if lag is not None else ~chosen
    return rows.take(kept), rows.take(chosen)


def _of_common(rows: Interactions, n_items: int, least: int) -> Interactions:
    """Return the rows of items that at least so many different users have in them."""
    pairs = np.unique(rows.user_rows.astype(np.int64) * n_items + rows.item_rows) % n_items
    return rows.take((np.bincount(pairs, minlength=n_items) >= least)[rows.item_rows])


def _of_known(held_out: Interactions, train: Interactions, shape: tuple[int, int]) -> Interactions:
    """Return the held-out rows whose user and item the training part knows."""
    users, items = (np.zeros(n, bool) for n in shape)
    users[train.user_rows], items[train.item_rows] = True, True
    return held_out.take(users[held_out.user_rows] & items[held_out.item_rows])
