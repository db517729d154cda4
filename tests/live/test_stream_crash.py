"""kill -9 in the middle of a stream loses nothing and applies nothing twice."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from benchmarks.crash import compare
from grouprec.data.synthetic import planted
from grouprec.runs.store import RunStore
from tests.support.fitted_run import build_fitted_run, make_events


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a system that can fork")
def test_a_stream_that_is_killed_three_times_ends_as_one_that_is_not(tmp_path: Path) -> None:
    data = planted(n_users=60, n_items=40, events_per_user=20).data
    run = build_fitted_run(RunStore(tmp_path / "calm"), data, n_groups=4)
    events = make_events(data, 2_000, np.random.default_rng(0))
    points = [1, 900, 1_500]
    killed, different = compare(run, events, points, snapshot_every=400)
    assert all(point <= length < 2_000 for point, length in zip(points, killed, strict=True)), killed
    assert len(set(killed)) == 3
    assert not different
