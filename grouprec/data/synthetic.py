"""Planted data: groups with a known answer, shared by tests, benchmarks and demonstrations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.data.dataset import Dataset, Interactions


@dataclass(frozen=True, eq=False)
class Planted:
    """A dataset and the answer that was planted in it: ``labels`` int32 [U], ``favourites`` int32 [G, F]."""

    data: Dataset
    labels: np.ndarray
    favourites: np.ndarray


def planted(
    n_users: int = 240,
    n_items: int = 120,
    n_groups: int = 4,
    events_per_user: int = 24,
    noise: float = 0.15,
    ordered: bool = True,
    seed: int = 0,
) -> Planted:
    """Return users of ``n_groups`` tastes, each with an equal block of the catalogue as its favourites.

    A user walks through their group's favourites: with probability 1 - ``noise`` the next item is the
    successor (``ordered``) or any of the group's favourites, else any item at all. Times are one day apart with
    a per-user offset; the split is 80/10/10 along each user's own sequence, so that every part has every user.
    Attributes: users carry their group's ``region`` in 9 of 10 cases and a meaningless ``age``; items carry
    their block's ``category`` and a ``text`` of words of that block.
    """
    rng = np.random.default_rng(seed)
    labels = np.sort(rng.integers(0, n_groups, n_users)).astype(np.int32)
    blocks = np.array_split(np.arange(n_items, dtype=np.int32), n_groups)
    items = np.empty((n_users, events_per_user), np.int32)
    for user, group in enumerate(labels):
        block = blocks[group]
        at = int(rng.integers(len(block)))
        for step in range(events_per_user):
            at = (at + 1) % len(block) if ordered else int(rng.integers(len(block)))
            noisy = rng.random() < noise
            items[user, step] = rng.integers(n_items) if noisy else block[at]
    days = np.arange(events_per_user)[None, :] + rng.random((n_users, 1)) * 0.5
    first, second = int(0.8 * events_per_user), int(0.9 * events_per_user)

    def part(start: int, stop: int) -> Interactions:
        width = stop - start
        users = np.repeat(np.arange(n_users, dtype=np.int32), width)
        weights = np.ones(n_users * width, np.float32)
        return Interactions(users, items[:, start:stop].ravel(), weights, days[:, start:stop].ravel() * 86400.0)

    block_of_item = np.concatenate([np.full(len(block), g) for g, block in enumerate(blocks)])
    wrong = rng.random(n_users) < 0.1
    regions = np.where(wrong, rng.integers(0, n_groups, n_users), labels)
    data = Dataset(
        name="planted",
        key=f"planted-{n_users}-{n_items}-{n_groups}-{events_per_user}-{noise}-{ordered}-{seed}",
        user_ids=np.array([f"u{n:05d}" for n in range(n_users)], dtype=object),
        item_ids=np.array([f"i{n:05d}" for n in range(n_items)], dtype=object),
        train=part(0, first),
        validation=part(first, second),
        test=part(second, events_per_user),
        item_labels=np.array([f"Item {n}" for n in range(n_items)], dtype=object),
        user_attributes=pd.DataFrame({"region": [f"region {r}" for r in regions], "age": rng.normal(40, 9, n_users)}),
        item_attributes=pd.DataFrame(
            {
                "category": [f"category {b}" for b in block_of_item],
                "text": [f"word{b}a word{b}b shared" for b in block_of_item],
            }
        ),
    )
    width = min(len(block) for block in blocks)
    return Planted(data, labels, np.stack([block[:width] for block in blocks]))
