"""Where users without history go: what their attributes suggest, beside the grouper's own rule for all others."""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from grouprec.core.types import Preference
from grouprec.data.features import AttributeFeatures
from grouprec.models.base import Grouper

FOLDS = 3
MOST_USERS = 10_000  # more teach a linear classifier hardly anything and cost seconds
ACTIVITY = ("recency_days", "frequency", "spend")  # attributes that the preparation computes from a user's history


class AttributePlacer:
    """A classifier that places users without history by their attributes: multinomial logistic regression.

    Learned from the attributes and groups of the training users (at most 10,000 of them, drawn at random; groups
    with fewer than 3 of these are not learned). Attributes that are computed from the history are left out: they would
    tell the groups of training users well, and users without history lack them. It is used only where it helps.

    Attributes:
        accuracy: share of users whose group is found, by 3-fold cross-validation; 0 where nothing can be learned.
        largest_share: share of the same users who are found by always saying the largest group.
        helps: ``accuracy`` beats ``largest_share`` by more than one standard error.
    """

    accuracy = 0.0
    largest_share = 1.0
    helps = False

    def fit(self, attributes: pd.DataFrame, labels: np.ndarray, seed: int = 0) -> Self:
        """Learn to tell the groups apart.

        Args:
            attributes: one row per user; any columns, none included.
            labels: int [U], the users' groups, numbered from 0, the largest.
            seed: draws the users and the folds.
        """
        rng = np.random.default_rng(seed)
        if attributes.shape[1] == 0:
            attributes = pd.DataFrame(index=range(len(labels)))
        attributes = attributes.drop(columns=list(ACTIVITY), errors="ignore")
        self._features = AttributeFeatures().fit(attributes, seed)
        features, known = self._features.transform(attributes)
        rows = np.flatnonzero(known)
        if len(rows) > MOST_USERS:
            rows = np.sort(rng.choice(rows, MOST_USERS, replace=False))
        rows = rows[(np.bincount(labels[rows], minlength=1) >= FOLDS)[labels[rows]]]
        self._groups = np.unique(labels[rows]).astype(np.int32)
        self._weights = np.zeros((len(self._groups), features.shape[1] + 1), np.float32)
        if len(self._groups) > 1:
            self._learn(features[rows], labels[rows], seed)
        return self

    def _learn(self, features: np.ndarray, labels: np.ndarray, seed: int) -> None:
        """Fit the weights [G', F + 1], the intercept last, and measure what they are worth on users left out."""
        model = LogisticRegression(max_iter=200)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # near enough after 200 steps
            guesses = np.asarray(cross_val_predict(model, features, labels, cv=folds))
            model.fit(features, labels)
        self.accuracy = float((guesses == labels).mean())
        self.largest_share = float(np.bincount(labels).max() / len(labels))
        error = np.sqrt(self.accuracy * (1 - self.accuracy) / len(labels))
        self.helps = bool(self.accuracy - error > self.largest_share)
        weights = np.column_stack([model.coef_, model.intercept_]).astype(np.float32)
        # Of two groups scikit-learn keeps one row of weights: by how much the second is the likelier.
        self._weights = np.vstack([np.zeros_like(weights), weights]) if len(weights) == 1 else weights

    def place(self, attributes: pd.DataFrame) -> np.ndarray:
        """Return the likeliest group of any users, int32 [B].

        Group 0, the largest, where the classifier does not help or nothing is known of the user.

        Args:
            attributes: B rows; columns may be missing or hold unseen values.
        """
        labels = np.zeros(len(attributes), np.int32)
        if self.helps:
            features, known = self._features.transform(attributes)
            scores = features @ self._weights[:, :-1].T + self._weights[:, -1]
            labels[known] = self._groups[scores.argmax(axis=1)][known]
        return labels

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything learned as numeric arrays."""
        worth = np.array([self.accuracy, self.largest_share, self.helps], np.float64)
        return {**self._features.arrays(), "groups": self._groups, "weights": self._weights, "worth": worth}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        """Put arrays from :meth:`arrays` back; returns self."""
        self._features = AttributeFeatures().load(arrays)
        self._groups, self._weights = arrays["groups"], arrays["weights"]
        self.accuracy, self.largest_share = float(arrays["worth"][0]), float(arrays["worth"][1])
        self.helps = bool(arrays["worth"][2])
        return self


def place_users(
    grouper: Grouper,
    preference: Preference,
    histories: sparse.csr_array,
    attributes: pd.DataFrame,
    placer: AttributePlacer | None,
) -> np.ndarray:
    """Return the groups of any users, int32 [B]: by the grouper's own rule, by the placer where there is no history.

    Args:
        preference: of B users in the space of the fitted one.
        histories: CSR [B, I], what they have; a row of zeros is a user without history.
        attributes: B rows; columns may be missing or hold unseen values.
        placer: None for a grouper that reads attributes itself: its rule then holds for everybody.
    """
    labels = grouper.place(preference, histories, attributes)
    if placer is None:
        return labels
    without = histories.count_nonzero(axis=1) == 0
    return np.where(without, placer.place(attributes), labels).astype(np.int32)
