"""What a GPU saves: without one the command says so; what it prints of two devices."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
import torch

from benchmarks import gpu
from grouprec.core.types import Groups
from grouprec.data.synthetic import planted


def test_without_a_gpu_there_is_nothing_to_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["gpu"])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="No CUDA device is found here"):
        gpu.main()


def test_seconds_stand_side_by_side() -> None:
    found = {1000: {"mf": {"cpu": (8.0, 0.2), "x": (2.0, 0.19)}, "gan": {"cpu": (3.0, math.nan), "x": (3.0, math.nan)}}}
    text = gpu.section(found, ["cpu", "x"])
    assert (
        "| 1,000 | mf | 8.0 | 2.0 | 4.0 | 0.2000 / 0.1900 |" in text and "| 1,000 | gan | 3.0 | 3.0 | 1.0 |  |" in text
    )


def test_users_want_what_their_group_takes_most() -> None:
    answer = planted(n_users=60, n_items=40)
    wanted = gpu.popular_of(Groups(answer.labels, int(answer.labels.max()) + 1), answer)
    assert wanted.items.shape == (60, 40)
    assert np.isin(wanted.items[:, 0], answer.favourites[answer.labels]).all()
