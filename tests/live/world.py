"""A small fit that live tests stream into: planted tastes, EASE's candidates, a GRU and every grouper, made once."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from scipy.special import expit

from grouprec.core.types import Preference
from grouprec.data.synthetic import planted
from grouprec.live.state import LiveState
from grouprec.models.base import REGISTRIES, Grouper
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.models.placement import AttributePlacer
from grouprec.models.updaters.gru import GruUpdater
from grouprec.ranking.candidates import find_candidates, make_preference
from grouprec.runs.snapshot import FitSnapshot

KNOWN = planted(n_users=120, n_items=160, n_groups=4, events_per_user=24, ordered=False)
DATA = KNOWN.data
WIDTH = 50  # candidates of a user


@cache
def the_updater() -> GruUpdater:
    config = GruUpdater.Config(hidden_size=16, epochs=8, batch_size=16, learning_rate=0.02, dropout=0.0)
    return GruUpdater(config).fit(DATA, RunOptions())


@cache
def the_preference() -> Preference:
    ease = EaseEncoder().fit(DATA, RunOptions())
    found = find_candidates(ease.embeddings(DATA), DATA.histories, n=WIDTH)
    spread = found.scores[found.items >= 0].std()  # chances as a blend gives them: few per cent, the best ones more
    chances = np.where(found.items >= 0, expit(found.scores / spread - 5), 0).astype(np.float32)
    return make_preference(replace(found, scores=chances), size=16)


@cache
def the_grouper(name: str) -> Grouper:
    kind = REGISTRIES["grouper"].get(name)
    return kind(kind.Config.for_preset("quick")).fit(DATA, the_preference(), 4, RunOptions())


@cache
def the_base(name: str = "kmeans") -> FitSnapshot:
    """Return what the fit with that grouper knows; states are those after the training events."""
    times = np.full(DATA.n_users, -np.inf)
    np.maximum.at(times, DATA.train.user_rows, DATA.train.times)
    groups, preference = the_grouper(name).groups(), the_preference()
    return FitSnapshot(
        DATA.user_ids,
        DATA.item_ids,
        DATA.item_labels,
        DATA.histories,
        preference.candidates,
        groups.labels,
        groups.n_groups,
        the_updater().start(DATA, RunOptions()),
        times,
        preference.components,
        weight=1.0,
        repeats=False,
    )


def make(grouper: str = "kmeans", placer: AttributePlacer | None = None, **changes: Any) -> LiveState:
    """Return a fresh state; ``changes`` replace fields of its base."""
    base = replace(the_base(grouper), **changes)
    return LiveState(base, the_updater(), the_grouper(grouper), DATA.user_attributes, placer)


def assert_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    """Two snapshots are equal to the bit."""
    assert one.keys() == other.keys()
    for name, part in one.items():
        assert part.dtype == other[name].dtype and np.array_equal(part, other[name]), name
