"""A studio whose members' tastes are planted: group g has, and wants, mostly block g of the catalogue."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from grouprec.core.types import Candidates
from grouprec.explore.virtual_groups import VirtualGroups
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.store import Run
from tests.support.virtual import BlockProfile, GaussianGenerator

N_GROUPS, BLOCK, N_USERS = 3, 20, 120


def planted_virtual_groups(
    excluded: np.ndarray | None = None,
    *,
    block: int = BLOCK,
    spread: float = 0.5,
    labels: np.ndarray | None = None,
    item_ids: np.ndarray | None = None,
    item_labels: np.ndarray | None = None,
) -> VirtualGroups:
    """Return a studio of three groups; users have 6 to 9 items drawn from what a virtual member would have.

    Args:
        excluded: as in :class:`~grouprec.runs.snapshot.FitSnapshot`.
        block: items of a block.
        spread: of the members of a group; from about 1, some want another group's items.
        labels: the users' groups.
        item_ids, item_labels: of the catalogue of 3 blocks.
    """
    rng = np.random.default_rng(0)
    profile = BlockProfile(N_GROUPS, block, spread)
    labels = (np.arange(N_USERS) % N_GROUPS).astype(np.int32) if labels is None else labels
    n_users, n_items = len(labels), profile.n_items
    latents = profile.latents()
    points = latents.mean[labels] + spread * rng.standard_normal((n_users, N_GROUPS))
    noisy = np.log(profile.decode(points.astype(np.float32))) + rng.gumbel(size=(n_users, n_items))
    lengths = rng.integers(6, 10, n_users)
    owned = noisy.argsort(axis=1).argsort(axis=1) >= n_items - lengths[:, None]
    ids = np.array([f"i{item}" for item in range(n_items)], object) if item_ids is None else item_ids
    base = FitSnapshot(
        user_ids=np.array([f"u{user}" for user in range(n_users)], object),
        item_ids=ids,
        item_labels=np.array([f"Thing {item}" for item in ids], object) if item_labels is None else item_labels,
        histories=sparse.csr_array(2.0 * owned, dtype=np.float32),  # weights do not count
        candidates=Candidates(np.zeros((n_users, 1), np.int32), np.zeros((n_users, 1), np.float32), n_items),
        labels=labels,
        n_groups=N_GROUPS,
        states=np.zeros((n_users, 1), np.float32),
        last_times=np.zeros(n_users),
        components=np.zeros((n_items, 1), np.float32),
        weight=0.0,
        repeats=False,
        excluded=excluded,
    )
    return VirtualGroups(base, profile, GaussianGenerator(profile))


def use_virtual_groups(run: Run, monkeypatch: pytest.MonkeyPatch) -> VirtualGroups:
    """Make the app open a studio over the planted run's items and users in training; return it."""
    items, users = run.table("items"), run.table("users").query("in_training")
    virtual_groups = planted_virtual_groups(
        block=len(items) // 3,
        spread=1.5,
        labels=(users["group"].to_numpy() - 1).astype(np.int32),
        item_ids=items["item"].to_numpy(object),
        item_labels=items["label"].to_numpy(object),
    )
    monkeypatch.setattr(VirtualGroups, "open", lambda *_: virtual_groups)
    return virtual_groups
