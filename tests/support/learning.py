"""What a test of learning measures, and stages that cannot learn: a bar that they clear, too, tells nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from grouprec.core.types import Embeddings
from grouprec.data.dataset import Dataset, Interactions
from grouprec.models.base import Encoder
from grouprec.ranking.task import NewItemTask


def over_popularity(encoder: Encoder, data: Dataset, part: Interactions | None = None) -> float:
    """Return the nDCG@10 of an encoder on what is new to users in a part, over that of popularity.

    Args:
        part: the validation part where it is not given.
    """
    task = NewItemTask.sample(replace(data, validation=part or data.validation), np.random.default_rng(0))
    popularity = Embeddings(np.ones((len(task), 1), np.float32), data.popularity[:, None])
    users = encoder.encode(task.histories, task.attributes, task.recent)
    return task.ndcg(Embeddings(users, encoder.items())) / task.ndcg(popularity)


def without_attributes(data: Dataset) -> Dataset:
    """Return the data without what else is known of users and items."""
    users, items = data.user_attributes.iloc[:, :0], data.item_attributes.iloc[:, :0]
    return replace(data, user_attributes=users, item_attributes=items)


def shuffled(data: Dataset) -> Dataset:
    """Return training events from which nothing can be learned but how popular items are: anybody took anything."""
    items = np.random.default_rng(0).permutation(data.train.item_rows)
    return replace(data, train=replace(data.train, item_rows=items))


@contextlib.contextmanager
def without_learning() -> Iterator[None]:
    """Let no torch optimiser move a weight inside the block; losses, epochs and early stopping go on as ever."""

    def stay(*_: Any, **__: Any) -> None:
        """Take no step."""

    kinds = [kind for kind in vars(torch.optim).values() if isinstance(kind, type)]
    with pytest.MonkeyPatch.context() as patch:
        for kind in kinds:
            if issubclass(kind, torch.optim.Optimizer):
                patch.setattr(kind, "step", stay)
        yield


@contextlib.contextmanager
def random_start(kind: type[nn.Module]) -> Iterator[None]:
    """Let networks of a kind begin at random inside the block, not at the singular vectors of the histories.

    Those alone rank planted tastes about as well as a trained network does, so learning shows only without them.
    """

    def start_from(module: nn.Module, *_: Any) -> None:
        """Fill what was left at zero."""
        rng = torch.Generator().manual_seed(0)
        for parameter in module.parameters():
            if not parameter.any():
                nn.init.normal_(parameter, std=0.1, generator=rng)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "start_from", start_from)
        yield
