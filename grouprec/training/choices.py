"""What the validation part decides: which encoders, their blend, how many groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from grouprec.core.types import Candidates
from grouprec.data.dataset import Dataset
from grouprec.evaluate import protocol
from grouprec.evaluate.value import choose_n_groups, default_grid, value_of_groups
from grouprec.models.blend import Weights
from grouprec.runs.config import AUTO_ENCODERS, RunConfig
from grouprec.training.groups_and_lists import Former

SEQUENCE_ENCODERS = ("transitions", "transformer", "lstm")  # they read the order of events
SLOW_ENCODERS = {"transformer": 150_000}  # most training rows in preset standard, which promises minutes
QUADRATIC_ENCODERS = {"user_knn": 20_000}  # most users


@dataclass(frozen=True)
class Choices:
    """Decisions that outlive the fit that made them.

    Attributes:
        encoders: names, in the order asked for.
        weights: of the blend.
        other_weights: of the blend for the other task: with repeats where the run lists new items only, or without.
        n_groups, reason: number of groups, and why in a sentence ("" where it was given).
        tried: the table that the number was chosen from, if it was.
        decided: settings by stage name.
        live_weight: how far an event's change of opinion counts beside the blend
            (:class:`~grouprec.runs.snapshot.LiveBase`).
    """

    encoders: tuple[str, ...]
    weights: Weights
    other_weights: Weights
    n_groups: int
    reason: str = ""
    tried: pd.DataFrame | None = None
    decided: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    live_weight: float = 1.0


def encoder_names(config: RunConfig, data: Dataset) -> tuple[str, ...]:
    """Return the encoders to train: those named, or what the preset and the data allow where ``auto`` is named."""
    if config.encoders != ("auto",):
        return config.encoders
    names = list(AUTO_ENCODERS[config.preset])
    settings: Any = config.stage_config("encoder", "ease")
    if data.n_items > settings.max_items:
        names = ["elsa" if name == "ease" else name for name in names]
    if not data.timed:
        names = [name for name in names if name not in SEQUENCE_ENCODERS]
    if config.preset == "standard":
        names = [name for name in names if len(data.train) <= SLOW_ENCODERS.get(name, len(data.train))]
    names = [name for name in names if data.n_users <= QUADRATIC_ENCODERS.get(name, data.n_users)]
    return tuple(dict.fromkeys(names))


def decide_n_groups(
    config: RunConfig, data: Dataset, candidates: Candidates | None, former: Former | None
) -> tuple[int, str, pd.DataFrame | None]:
    """Return the number of groups, why, and the table it was chosen from.

    Args:
        data: its validation part judges.
        candidates, former: of the encoders fitted on the training part; None where there is no validation part.
    """
    if config.n_groups != "auto":
        return config.n_groups, "", None
    grid = default_grid(data.n_users, 2 * smallest_group(config))
    if candidates is None or former is None:
        middle = grid[len(grid) // 2]
        return middle, f"{middle} groups: there is no validation part to choose by.", None
    task = protocol.validation_task(data, config.repeats)
    methods = {"members_mean": former.run_method}
    table = value_of_groups(data.histories, task, candidates, methods, grid, config.seed, (config.regime,))
    n_groups, reason = choose_n_groups(table, config.regime)
    return n_groups, reason, table


def smallest_group(config: RunConfig) -> int:
    """Return the smallest size that the run's grouper allows a group."""
    return getattr(config.stage_config("grouper", config.grouper), "min_group_size", 1)
