"""Planted data: groups with a known answer, shared by tests, benchmarks and demonstrations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.data.dataset import Dataset, Interactions

SIZES = {
    "small": {"n_users": 2_000, "n_items": 500, "n_groups": 8},
    "medium": {"n_users": 20_000, "n_items": 5_000, "n_groups": 20},
    "large": {"n_users": 100_000, "n_items": 20_000, "n_groups": 50},
}  # planted(**SIZES["large"])


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
    items = _walks(labels, blocks, events_per_user, noise, ordered, rng)
    days = np.arange(events_per_user)[None, :] + rng.random((n_users, 1)) * 0.5
    first, second = int(0.8 * events_per_user), int(0.9 * events_per_user)

    def part(start: int, stop: int) -> Interactions:
        width = stop - start
        users = np.repeat(np.arange(n_users, dtype=np.int32), width)
        weights = np.ones(n_users * width, np.float32)
        return Interactions(users, items[:, start:stop].ravel(), weights, days[:, start:stop].ravel() * 86400.0)

    wrong = rng.random(n_users) < 0.1
    regions = np.where(wrong, rng.integers(0, n_groups, n_users), labels)
    block_of_item = np.repeat(np.arange(n_groups), [len(block) for block in blocks])
    data = Dataset(
        name="planted",
        key=f"planted-{n_users}-{n_items}-{n_groups}-{events_per_user}-{noise}-{ordered}-{seed}",
        user_ids=_names("u%05d", np.arange(n_users)),
        item_ids=_names("i%05d", np.arange(n_items)),
        train=part(0, first),
        validation=part(first, second),
        test=part(second, events_per_user),
        item_labels=_names("Item %d", np.arange(n_items)),
        user_attributes=pd.DataFrame({"region": _names("region %d", regions), "age": rng.normal(40, 9, n_users)}),
        item_attributes=pd.DataFrame(
            {
                "category": _names("category %d", block_of_item),
                "text": np.array([f"word{g}a word{g}b shared" for g in range(n_groups)])[block_of_item],
            }
        ),
    )
    width = min(len(block) for block in blocks)
    return Planted(data, labels, np.stack([block[:width] for block in blocks]))


def _walks(
    labels: np.ndarray, blocks: list[np.ndarray], n_events: int, noise: float, ordered: bool, rng: np.random.Generator
) -> np.ndarray:
    """Return every user's items in the order taken, int32 [U, T]."""
    shape = (len(labels), n_events)
    widths = np.array([len(block) for block in blocks])
    width = widths[labels][:, None]
    successors = (rng.integers(width) + 1 + np.arange(n_events)) % width
    places = successors if ordered else rng.integers(width, size=shape)
    favourites = np.array([block[0] for block in blocks])[labels][:, None] + places
    noisy = rng.random(shape) < noise
    return np.where(noisy, rng.integers(widths.sum(), size=shape), favourites).astype(np.int32)


def _names(pattern: str, numbers: np.ndarray) -> np.ndarray:
    """Return the pattern filled with every number, object array of str."""
    return np.strings.mod(pattern, numbers).astype(object)
