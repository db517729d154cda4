"""What two processes do together for tests/models/test_together.py: fits of several stages, and one toy in float64.

:func:`main` is for processes with RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT set.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from grouprec.core.types import SettingError
from grouprec.data.synthetic import planted
from grouprec.models import menu, together
from grouprec.models.base import REGISTRIES
from grouprec.models.fitting import Epoch, RunOptions, batches, fit_epochs
from grouprec.ranking.task import NewItemTask

POINTS = np.random.default_rng(7).standard_normal((24, 3))
assert menu  # which knows all encoders
ENCODERS = {"elsa": {"epochs": 4}, "dnn": {"epochs": 3}, "transformer": {"epochs": 2}}


class Toy:
    """Fits a plane through points in float64, all of them in every step: the order of the points does not matter."""

    def fit(self, points: np.ndarray, run: RunOptions) -> Toy:
        module = nn.Linear(2, 1).double()
        nn.init.constant_(module.weight, 1.0 + together._crew.rank if together._crew else 1.0)  # the leader's count
        nn.init.zeros_(module.bias)
        epoch = ToyEpoch(module, points)
        fit_epochs(module, epoch, epochs=3, run=run)
        self.weights = [value.item() for part in module.parameters() for value in part.flatten()]
        self.rows = epoch.rows
        return self


class ToyEpoch(Epoch):
    def __init__(self, module: nn.Module, points: np.ndarray) -> None:
        super().__init__(module, torch.optim.SGD(module.parameters(), lr=0.1), np.random.default_rng(0))
        self.module, self.points, self.rows = module, self.tensor(points), []

    def losses(self) -> Iterator[tuple[Tensor, int]]:
        for batch in batches(self.rng, len(self.points), len(self.points)):
            self.rng.random(1 + int(os.environ.get("RANK", 0)))  # as a loss does that draws for its rows
            self.rows.append(batch.tolist())
            rows = self.points[batch]
            yield (self.module(rows[:, :2])[:, 0] - rows[:, 2]).square().mean(), 1


class Uneven(Toy):
    """The leader has three mini-batches, everybody else one."""

    def fit(self, points: np.ndarray, run: RunOptions) -> Uneven:
        module = nn.Linear(1, 1, bias=False).double()
        nn.init.constant_(module.weight, 8.0)
        epoch = UnevenEpoch(module, points)
        fit_epochs(module, epoch, epochs=1, run=run)
        self.weights = [next(module.parameters()).item()]
        return self


class UnevenEpoch(ToyEpoch):
    def losses(self) -> Iterator[tuple[Tensor, int]]:
        for _ in range(1 if int(os.environ.get("RANK", 0)) else 3):
            yield next(self.module.parameters()).square().sum() / 20, 1


class Impossible(Toy):
    def fit(self, points: np.ndarray, run: RunOptions) -> Impossible:
        raise SettingError("These settings do not go together.")


def value(name: str) -> float:
    """Fit an encoder on planted data and return its validation nDCG@10."""
    data = planted(n_users=80, n_items=60, events_per_user=20).data.without_test()
    kind = REGISTRIES["encoder"].get(name)
    stage = kind(kind.Config.for_preset("quick").model_copy(update=ENCODERS[name]))
    together.fit(stage, (data,), RunOptions())
    task, vectors = NewItemTask.sample(data, RunOptions().rng("search")), stage.embeddings(data)
    return task.ndcg(type(vectors)(vectors.users[task.user_rows], vectors.items))


def everything() -> dict[str, Any]:
    toy, again, uneven = Toy(), Toy(), Uneven()
    together.fit(toy, (POINTS,), RunOptions())
    together.fit(again, (POINTS,), RunOptions())  # its points are known by now
    together.fit(uneven, (POINTS,), RunOptions())
    try:
        together.fit(Impossible(), (POINTS,), RunOptions())
        refused = ""
    except SettingError as error:
        refused = str(error)
    values = {name: value(name) for name in ENCODERS}
    return {
        "size": together.size(),
        "weights": toy.weights,
        "again": again.weights,
        "rows": toy.rows,
        "uneven": uneven.weights,
        "refused": refused,
        "values": values,
    }


def main(out: Path) -> None:
    with together.crew() as leads:
        if leads:
            out.write_text(json.dumps(everything()))
