"""What one fit of a run decides and learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.types import Candidates, Embeddings, GroupLists, Groups, Preference, Regime
from grouprec.data.dataset import Dataset
from grouprec.evaluate import protocol
from grouprec.explore.categories import Categories, telling
from grouprec.explore.naming import name_groups
from grouprec.models.base import Encoder, Generator, Grouper, Profile, Updater
from grouprec.models.blend import Predictor, Weights, make_predictor
from grouprec.models.fitting import RunOptions
from grouprec.models.placement import AttributePlacer, place_users
from grouprec.ranking.candidates import place_preference
from grouprec.ranking.takes import ExpectedTakes
from grouprec.runs.config import RunConfig
from grouprec.training.encoded import Encoded
from grouprec.training.groups_and_lists import GroupMaker
from grouprec.training.list_choice import OWN, ListChoice
from grouprec.training.simple import Simple


@dataclass(frozen=True)
class Choices:
    """Decisions that outlive the fit that made them.

    Attributes:
        encoders: names, in the order asked for.
        weights: of the blend.
        other_weights: of the blend for the other task: with repeats where the run lists new items only, or without;
            None where nobody asked (preset quick).
        n_groups, reason: number of groups, and why in a sentence ("" where it was given).
        tried: the table that the number was chosen from, if it was.
        decided: settings by stage name.
        live_weight: how far an event's change of opinion counts beside the blend
            (:class:`~grouprec.runs.snapshot.FitSnapshot`).
        simple: the simple scorer that folds chose; None where nothing was held out.
        lists: the floor, and which lists are exported, as folds chose.
        foretold: how many takes predictions came to in the validation part; None where that cannot be told.
    """

    encoders: tuple[str, ...]
    weights: Weights
    other_weights: Weights | None
    n_groups: int
    reason: str = ""
    tried: pd.DataFrame | None = None
    decided: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    live_weight: float = 1.0
    simple: Simple | None = None
    lists: ListChoice = field(default_factory=ListChoice)
    foretold: ExpectedTakes | None = None

    def list_method(self, config: RunConfig) -> dict[Regime, str]:
        """Return the kind of list that is exported, by regime: what folds chose, unless a strategy is named."""
        return {use: self.lists.exported[use] if kind == OWN else kind for use, kind in config.list_method.items()}


@dataclass(frozen=True, eq=False)
class Formed:
    """Encoders learned from one dataset and the groups of its users, before anything describes these.

    Attributes:
        data: what encoders and lists were made from.
        maker: forms and lists other numbers of groups of the same users.
        map_key: what the positions on the map depend on.
    """

    data: Dataset
    encoded: Encoded
    maker: GroupMaker
    map_key: str
    candidates: Candidates
    preference: Preference
    grouper: Grouper
    groups: Groups


@dataclass(frozen=True, eq=False)
class Fitted(Formed):
    """Everything learned from one dataset.

    Attributes:
        lists: kinds of lists by name, made for ``groups``.
        excluded: bool [G, I], what the run's rules keep from the lists of a group.
        decided: settings that validation decided, by stage name.
        stages: name and key by kind, for all stages but the encoders.
        list_method: the kind of list that is exported, by regime; one of ``lists``.
    """

    placer: AttributePlacer
    profile: Profile
    generator: Generator
    updater: Updater
    lists: dict[str, GroupLists]
    excluded: np.ndarray
    decided: dict[str, dict[str, Any]]
    stages: dict[str, tuple[str, str]]
    list_method: dict[Regime, str]

    @cached_property
    def states(self) -> np.ndarray:
        """Return the updater's vectors of the users after all that is known, float32 [U, H]."""
        return self.updater.start(self.data, RunOptions(self.maker.config.seed))

    @cached_property
    def kind_column(self) -> Categories | None:
        """Return the column of categories that tells the groups apart, where one does."""
        return telling(self.data.item_attributes, self.data.histories, self.groups)

    @cached_property
    def names(self) -> list[str]:
        """Return what the groups are called, a name each."""
        return name_groups(self.data.item_labels, self.data.histories, self.groups, self.kind_column)

    def predictor(self, weights: Weights, histories: sparse.csr_array, attributes: pd.DataFrame) -> Predictor:
        """Return the predictor of any users; they may be new, and nothing known of them but their attributes."""

        def embed(encoder: Encoder) -> Embeddings:
            return Embeddings(encoder.encode(histories, attributes), encoder.items())

        return make_predictor(self.encoded.encoders, weights, self.encoded.items, histories, embed)

    def predict(self, weights: Weights, histories: sparse.csr_array, attributes: pd.DataFrame) -> Candidates:
        """Return the candidates of any users, as :meth:`predictor`."""
        return self.predictor(weights, histories, attributes).candidates()

    def reencode(
        self, weights: Weights, users: np.ndarray, histories: sparse.csr_array, recent: np.ndarray
    ) -> np.ndarray:
        """Return the chances of all items for users of the fit who have other histories now, float32 [B, I].

        Args:
            users: int [B], rows.
            histories: CSR [B, I], what they have now.
            recent: int32 [B, L], their latest items, oldest first, -1 before the first.
        """
        theirs = self.data.known_of_users.iloc[users]

        def embed(encoder: Encoder) -> Embeddings:
            return Embeddings(encoder.encode(histories, theirs, recent), encoder.items())

        predictor = make_predictor(self.encoded.encoders, weights, self.encoded.items, histories, embed)
        return predictor.scores(slice(None))

    def place(self, candidates: Candidates, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        """Return the groups of any users, int32 [B]: by their own candidates, or by attributes without a history."""
        preference = place_preference(candidates, self.preference)
        used = self.placer if self.placer.helps and not self.grouper.reads_attributes else None
        return place_users(self.grouper, preference, histories, attributes, used)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the test part says: the evaluation of every method, further tables by name, the generator's verdict, and
    how many takes predictions come to (:func:`grouprec.training.takes.judge_takes`)."""

    evaluation: protocol.Evaluation
    tables: dict[str, pd.DataFrame]
    verdict: dict[str, float]
    takes: dict[str, Any] | None = None
