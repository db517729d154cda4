"""Why an item is recommended: which of the users' own items speak for it, and what its popularity adds.

A chance is a logistic function of a sum (:class:`~grouprec.models.blend.Predictor`), so reasons are counted in log
odds. They are measured from an item of average popularity that no encoder speaks for; what lifts an item above that is
divided:

- the trend and the popularity of the item are terms of the sum as they are;
- an encoder's term, ``weight * log(score / best + floor)``, goes to the user's own items in proportion to their
  parts in the encoder's score. For a score that is a sum over own items this is the integrated gradient from an empty
  history to the user's own (Sundararajan et al. 2017), with the user's best held fixed, and so adds up exactly.

How the scores divide: :mod:`grouprec.explore.score_parts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import logit

from grouprec.core.arrays import largest_first
from grouprec.core.types import Candidates, StorageError
from grouprec.data.beside import with_matrices
from grouprec.explore.score_parts import parts_of
from grouprec.models.base import Encoder
from grouprec.models.blend import FLOOR, ItemFacts, Weights
from grouprec.ranking.group_lists import worth_of_candidates
from grouprec.runs.places import FACTS
from grouprec.runs.snapshot import FitSnapshot
from grouprec.runs.stages import load_encoders, load_facts
from grouprec.runs.store import Run, RunStore

MOST_USERS = 400  # that the reasons of a group are read from


@dataclass(frozen=True, eq=False)
class Reasons:
    """What speaks for an item, and against it, in log odds; a mean over users by how much they want the item.

    Attributes:
        item: its row.
        own: int [J], rows of the users' own items, the strongest first.
        points: float64 [J], what each of them brings; below 0 where it speaks against the item.
        owners: int [J], how many of the users have it.
        trend: from being taken more of late, or at this time of last year, than over all time.
        popularity: from being had by many; also what encoders answer for users of whom they know nothing.
        again: from users having the item already, where items may be taken again.
        rest: from own items together, which cannot be told apart.
        n_users: users who speak here: those predicted to want the item.
        exact: share of the encoders' weight that is divided exactly, in 0..1; the others' is an estimate.
        beside: from what is known of the users beside their items: what they take elsewhere, what friends have.
    """

    item: int
    own: np.ndarray
    points: np.ndarray
    owners: np.ndarray
    trend: float
    popularity: float
    again: float
    rest: float
    n_users: int
    exact: float
    beside: float = 0.0

    @property
    def total(self) -> float:
        """Return the log odds by which the item is lifted; negative where more speaks against it."""
        return float(self.points.sum()) + self.trend + self.popularity + self.beside + self.again + self.rest

    @property
    def support(self) -> float:
        """Return the log odds of all that speaks for the item; shares are parts of that."""
        others = (self.trend, self.popularity, self.beside, self.again, self.rest)
        return float(self.points[self.points > 0].sum()) + sum(max(other, 0.0) for other in others)

    def share(self, points: float | np.ndarray) -> float | np.ndarray:
        """Return a part of what speaks for the item; 0 where nothing does."""
        return points / self.support if self.support > 0 else np.zeros_like(points)


class Explainer:
    """Reasons for any item, read from some users. Reading them takes a while, an item a fraction of a second.

    Args:
        encoders: by name, as fitted; those without a weight are left out.
        histories: of these users, float32 CSR [B, I].
        candidates: of these users; the scores are chances.
        attributes: of these users, B rows.
        recent: int32 [B, L], their latest items, oldest first; None where no encoder asks for them.
    """

    def __init__(
        self,
        encoders: Mapping[str, Encoder],
        weights: Weights,
        facts: ItemFacts,
        histories: sparse.csr_array,
        candidates: Candidates,
        attributes: pd.DataFrame,
        recent: np.ndarray | None = None,
    ) -> None:
        self.weights, self.facts, self.histories, self.candidates = weights, facts, histories, candidates
        self._owner = np.repeat(np.arange(candidates.n_users), np.diff(histories.indptr))
        self._worth = worth_of_candidates(candidates)
        used = {name: encoder for name, encoder in encoders.items() if weights.encoders.get(name)}
        self.encoder_parts = tuple(
            parts_of(encoder, weights.encoders[name], histories, attributes, recent) for name, encoder in used.items()
        )
        total = sum(one.weight for one in self.encoder_parts)
        self.exact = sum(one.weight for one in self.encoder_parts if one.exact) / total if total else 1.0

    def why(self, item: int) -> Reasons:
        """Return what speaks for an item: for those of the users who are predicted to want it, else for all."""
        by_user = self._wanting(item)
        n_users = int((by_user > 0).sum())
        by_user = by_user / max(by_user.sum(), 1e-12)
        own = np.zeros(len(self._owner))
        lifted = np.zeros(len(by_user))  # by the encoders that know the user
        popular, trend, beside = self._popularity(item), self._trend(item), 0.0
        unknown = float(self.facts.log_popularity[item]) - np.log(FLOOR)
        for one in self.encoder_parts:
            lift, parts = one.lifts(item, self._owner)
            own += parts
            if one.beside:
                of_own = np.bincount(self._owner, parts, minlength=len(by_user))
                beside += float(by_user @ np.where(one.no_opinion, 0, lift - of_own))
            lifted += np.where(one.no_opinion, 0, lift)
            popular += one.weight * unknown * float(by_user @ one.no_opinion)
        again = float(by_user @ self._again(item, lifted)) if self.weights.repeats else 0.0
        parts = own * by_user[self._owner]
        n_items = self.candidates.n_items
        points = np.bincount(self.histories.indices, parts, minlength=n_items)
        owners = np.bincount(self.histories.indices, by_user[self._owner] > 0, minlength=n_items).astype(np.int64)
        found = np.flatnonzero(points)
        found = found[largest_first(points[found])]
        rest = float(by_user @ lifted - parts.sum()) - beside
        rest = 0.0 if self.exact == 1 else rest
        said = points[found], owners[found]
        return Reasons(item, found, *said, trend, popular, again, rest, n_users, self.exact, beside)

    def log_odds(self, item: int) -> np.ndarray:
        """Return the log odds that users take an item, float64 [B]; what is known of repeats is left out."""
        activity = np.log1p(np.diff(self.histories.indptr))
        total = self.weights.activity * activity + self.weights.intercept + self._of_item(item)
        for one in self.encoder_parts:
            lift, _ = one.lifts(item, self._owner)
            no_opinion = one.weight * float(self.facts.log_popularity[item])
            total = total + np.where(one.no_opinion, no_opinion, lift + one.weight * np.log(FLOOR))
        return total

    def _wanting(self, item: int) -> np.ndarray:
        """How much the item counts with every user, float64 [B]: its worth to them; all alike where it has none."""
        wanting = np.where(self.candidates.items == item, self._worth, 0).sum(axis=1, dtype=np.float64)
        if wanting.any():
            return wanting
        lacking = np.ones(len(wanting))
        lacking[self._owner[self.histories.indices == item]] = 0
        return lacking if lacking.any() else np.ones(len(wanting))

    def _trend(self, item: int) -> float:
        moved = self.facts.moved(self.weights)
        return float(moved[item] - moved.mean())

    def _popularity(self, item: int) -> float:
        popular = self.facts.log_users
        return float(self.weights.popularity * (popular[item] - popular.mean()))

    def _of_item(self, item: int) -> float:
        return float(self.facts.moved(self.weights)[item]) + self.weights.popularity * float(self.facts.log_users[item])

    def _again(self, item: int, lifted: np.ndarray) -> np.ndarray:
        """What having the item already adds to the log odds, float64 [B]: what is left of the chances of owners."""
        has = np.zeros(len(lifted), bool)
        has[self._owner[self.histories.indices == item]] = True
        listed = self.candidates.items == item
        chances = np.where(listed, self.candidates.scores, 0).sum(axis=1, dtype=np.float64)
        known = has & listed.any(axis=1)
        return np.where(known, logit(np.clip(chances, 1e-9, 1 - 1e-9)) - self.log_odds(item), 0)


@dataclass(frozen=True, eq=False)
class Model:
    """The fitted parts of a run that reasons are read from; loading them takes a while."""

    base: FitSnapshot
    encoders: dict[str, Encoder]
    weights: Weights
    facts: ItemFacts

    @classmethod
    def open(cls, store: RunStore, run: Run, base: FitSnapshot) -> Self:
        """Return the model of the fit that the run exports.

        Raises:
            StorageError: the run is older than what reasons need, or a part of it is gone.
        """
        blend, encoders = run.metrics().get("blend"), load_encoders(store, run)
        if not blend or not encoders:
            raise StorageError(f"The run {run.run_id} kept no reasons for its items; train it again to see them.")
        return cls(base, encoders, Weights(**blend), load_facts(run.file(FACTS)))

    def explainer(self, rows: np.ndarray, attributes: pd.DataFrame | None = None) -> Explainer:
        """Return the reasons of some users, at most MOST_USERS of them, drawn with the run's seed.

        Args:
            rows: int [B], users of the base.
            attributes: of these users, B rows; none are known where None.
        """
        base, kept = self.base, np.arange(len(rows))
        if len(rows) > MOST_USERS:
            kept = np.sort(np.random.default_rng(base.seed).choice(len(rows), MOST_USERS, replace=False))
        known = pd.DataFrame(index=range(len(rows))) if attributes is None else attributes
        known, rows = known.iloc[kept].reset_index(drop=True), rows[kept]
        known = with_matrices(known, {name: matrix[rows] for name, matrix in base.beside.items()})
        histories = sparse.csr_array(base.histories[rows])
        recent = None if base.recent is None else np.asarray(base.recent[rows])
        candidates = base.candidates.take(rows)
        return Explainer(self.encoders, self.weights, self.facts, histories, candidates, known, recent)
