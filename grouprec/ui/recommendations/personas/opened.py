"""The virtual groups of a run for its page: opened once per server, and every answer about an audience is made once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st

from grouprec.explore.virtual_groups import Audience, CopyCheck, VirtualGroups, VirtualMembers
from grouprec.models.alternatives import VirtualGroup
from grouprec.runs.store import Run, RunStore
from grouprec.ui import state

Who = tuple[tuple[tuple[int, float], ...], tuple[int, ...]]  # weights of group rows, or the rows of liked items
_Key = tuple[str, float]  # folder of a run, and when it was finished


def of_groups(weights: dict[int, float]) -> Who:
    """Return who a group is, or a mixture of several; groups are numbered from 1 for people, from 0 inside."""
    return tuple((number - 1, weight) for number, weight in weights.items()), ()


def who_like(items: np.ndarray) -> Who:
    """Return who those are that like the items of these rows; their order does not count."""
    return (), tuple(sorted(items.tolist()))


def virtual_groups(run: Run) -> VirtualGroups:
    """Return the virtual groups of a finished run.

    Raises:
        StorageError: the run is older than what it needs.
    """
    return _open(state.run_key(run))


def virtual_group(run: Run, who: Who) -> VirtualGroup:
    """Return the virtual members that lists are made from.

    Raises:
        SettingError: weights of groups are all 0, or nothing is left to list.
    """
    return _crowd(state.run_key(run), who)


def safe_list(run: Run, who: Who) -> np.ndarray:
    """Return the best list for all virtual members: item rows."""
    safe = virtual_group(run, who).lists(1, 0, np.random.default_rng(0)).safe
    return safe[safe >= 0]


def mixture(run: Run, who: Who) -> np.ndarray:
    """Return how much of every group they are, float32 [G]."""
    return _audience(state.run_key(run), who).mixture


def members(run: Run, who: Who, n: int, draw: int) -> VirtualMembers:
    """Return ``n`` virtual members; another number for ``draw`` gives others."""
    return _members(state.run_key(run), who, n, draw)


def copy_check(run: Run, who: Who) -> CopyCheck:
    """Return whether virtual members copy real ones."""
    return _likeness(state.run_key(run), who)


@st.cache_resource(max_entries=4, show_spinner=False)
def _open(key: _Key) -> VirtualGroups:
    run = Run(Path(key[0]))
    return VirtualGroups.open(RunStore(run.path.parent), run)


def _audience(key: _Key, who: Who) -> Audience:
    weights, liked = who
    return _open(key).persona(np.array(liked)) if liked else _open(key).mixture(dict(weights))


@st.cache_resource(max_entries=64, show_spinner=False)
def _crowd(key: _Key, who: Who) -> VirtualGroup:
    return _open(key).virtual_group(_audience(key, who))


@st.cache_resource(max_entries=64, show_spinner=False)
def _members(key: _Key, who: Who, n: int, draw: int) -> VirtualMembers:
    return _open(key).members(_audience(key, who), n, draw)


@st.cache_resource(max_entries=256, show_spinner=False)
def _likeness(key: _Key, who: Who) -> CopyCheck:
    return _open(key).copy_check(_audience(key, who))
