"""What a report reads of a run, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pandas as pd

from grouprec.core.language import _, plain_day
from grouprec.explore.edited_tables import EditedRun
from grouprec.explore.edits import EditHistory
from grouprec.report import gain, sentences, small_groups, tables
from grouprec.runs.store import Run


@dataclass(frozen=True, eq=False)
class Reading:
    """A finished run, its groups as people have edited them: its tables by name, its summary and its choices.

    Attributes:
        edited: the tables with the edits in force; what was measured stays that of the trained groups.
        groups: the groups table, one row per group.
        evaluation: every method's value by regime and metric.
        config: config.json as it stands.
    """

    run: Run
    edited: EditedRun
    metrics: Mapping[str, Any]
    config: Mapping[str, Any]
    groups: pd.DataFrame
    evaluation: pd.DataFrame

    @classmethod
    def of(cls, run: Run) -> Reading:
        """Return what a finished run holds.

        Raises:
            StorageError: it is not finished, lacks groups or evaluation, or its edits are damaged.
        """
        run.require_finished("only a finished run has a report")
        config = run.choices()
        edited = EditedRun(run, EditHistory.load(run.path))
        return cls(run, edited, run.metrics(), config, edited.table("groups"), run.table("evaluation"))

    def table(self, name: str) -> pd.DataFrame | None:
        """Return a table, None where the run has none, or none with rows: older runs have fewer."""
        if not self.run.has_table(name):
            return None
        found = self.edited.table(name)
        return found if len(found) else None

    @property
    def title(self) -> str:
        return self.run.title()

    @property
    def judged_names(self) -> dict[int, str]:
        """Return the names of the groups that the test part judged: those of all pages, but after a refit."""
        found = self.table("group_evaluation") if self.metrics.get("refit") else None
        return self.names if found is None else tables.group_names(found.drop_duplicates("group"))

    @property
    def names(self) -> dict[int, str]:
        """Return group -> its name."""
        return tables.group_names(self.groups)

    @cached_property
    def told(self) -> small_groups.Told:
        """Return what is told of the groups."""
        return small_groups.of_run(self.run, self.groups)

    @property
    def groups_said(self) -> str:
        """Say how the groups are, without sizes where those must not be told, or are told with noise."""
        secret = self.told.words or self.told.few[self.told.sizes.argmax()]
        return (
            _("There are {n_sizes} groups.").format(n_sizes=len(self.told.sizes))
            if secret
            else sentences.groups_answer(self.groups)
        )

    @property
    def n_lists(self) -> int:
        """Return the number of groups that were evaluated; edits may have left another."""
        return int(self.metrics.get("n_groups", len(self.groups)))

    @property
    def regime(self) -> str:
        """Return the use of the lists that the run was made for: strict or dedup."""
        return str(self.metrics.get("regime", "strict"))

    @property
    def method(self) -> str:
        """Return how the run's shared lists are made."""
        return tables.list_method(self.metrics, self.regime)

    @cached_property
    def worth(self) -> pd.Series | None:
        """Return the evaluation of the run's shared lists, None where nothing was held out."""
        return sentences.evaluated(self.evaluation, self.method, self.regime)

    @cached_property
    def split(self) -> gain.Split | None:
        """Return the parts of what lists are worth, None where nothing was held out."""
        found, value = self.table("gain"), self.table("value_of_groups")
        return gain.split_of(found, value, self.evaluation, self.regime, self.method, self.n_lists)

    @property
    def floor_method(self) -> str | None:
        """Return which list is the floor; None in runs that are older than the choice of it."""
        return gain.floor_of(self.evaluation[self.evaluation["regime"] == self.regime])

    @property
    def floor_title(self) -> str:
        """Return what the floor is called."""
        return gain.floor_title(self.floor_method)

    @property
    def when(self) -> str:
        """Return when the run ended."""
        status = self.run.status()
        moment = datetime.fromtimestamp(status.ended or status.created, UTC)
        return f"{plain_day(moment)}, {moment:%H:%M} UTC"
