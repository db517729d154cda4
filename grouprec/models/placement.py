"""Which group a user belongs to: the nearest centre, or what their attributes suggest where there is no history."""

from __future__ import annotations

import json
import warnings
from typing import Self

import numpy as np
import pandas as pd
from pandas.api import types as dtypes
from scipy import sparse
from scipy.spatial.distance import cdist
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from threadpoolctl import threadpool_limits

from grouprec.core.types import Preference, SettingError
from grouprec.data.features import AttributeEncoder
from grouprec.models.base import Grouper

FOLDS = 3
MOST_USERS = 10_000  # more teach a linear classifier hardly anything and cost seconds
ACTIVITY = ("recency_days", "frequency", "spend")  # attributes that the preparation computes from a user's history


def check_n_groups(n_groups: int, n_users: int) -> None:
    """Refuse a number of groups that so many users cannot form.

    Raises:
        SettingError: ``n_groups`` is below 1 or above ``n_users``.
    """
    if not 1 <= n_groups <= n_users:
        raise SettingError(
            f"{n_groups} groups cannot be formed of {n_users} users; choose n_groups from 1 to {n_users}."
        )


def fit_centres(points: np.ndarray, n_groups: int, n_init: int, min_group_size: int, seed: int) -> np.ndarray:
    """Return the centres of k-means groups by size, largest first, float32 [G, F].

    A group below the smallest size gives up its centre, smallest group first, and its members go to the nearest
    other one. The centres that stay do not move, so :func:`centre_distances` finds every point where it was counted.

    Args:
        points: float32 [n, F], any n and F.
        n_groups: groups asked for; fewer come back where points coincide or groups are too small, at least 1.
        n_init: random starts; the best one is kept.
    """
    if not points.size:
        return np.zeros((1, points.shape[1]), np.float32)
    kmeans = KMeans(min(n_groups, len(np.unique(points, axis=0))), n_init=n_init, random_state=seed)
    with threadpool_limits(limits=1):  # more threads add up partial sums in an order of their own
        centres = kmeans.fit(points).cluster_centers_.astype(np.float32)
    known = np.ones(len(points), bool)
    while True:
        nearest = centre_distances(points, centres, known).argmin(axis=1)
        sizes = np.bincount(nearest, minlength=len(centres))
        order = np.argsort(-sizes, kind="stable")
        if len(centres) == 1 or sizes[order[-1]] >= min_group_size:
            return centres[order]
        centres = np.delete(centres, order[-1], axis=0)


def centre_distances(points: np.ndarray, centres: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the Euclidean distance of every point to every centre, float32 [B, G]; 0 where not ``known``, bool [B]."""
    distances = cdist(points, centres).astype(np.float32)
    distances[~known] = 0
    return distances


class AttributeFeatures:
    """Attributes as features (:class:`AttributeEncoder`), and about whom they say anything at all."""

    def fit(self, attributes: pd.DataFrame, seed: int = 0) -> Self:
        """Learn the columns of a frame; ``seed`` is that of the SVD of free text."""
        self._encoder = AttributeEncoder().fit(attributes, seed)
        self._numbers = [str(name) for name in attributes if dtypes.is_numeric_dtype(attributes[name])]
        return self

    def transform(self, attributes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the features, float32 [B, F], and whether anything is known of each row, bool [B].

        Nothing is known where all columns are missing or hold values never seen. Their features are all zeros, but
        so are those of a number at its mean, hence the look at the numbers themselves.
        """
        features = self._encoder.transform(attributes)
        known = features.any(axis=1)
        for name in attributes.columns.intersection(self._numbers):
            numbers = pd.to_numeric(attributes[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
            known |= np.isfinite(numbers)
        return features, known

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything learned as numeric arrays; names are JSON in UTF-8 bytes."""
        names = json.dumps(self._numbers, ensure_ascii=False).encode()
        return {**self._encoder.arrays(), "numbers": np.frombuffer(names, np.uint8).copy()}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        """Put arrays from :meth:`arrays` back; returns self. Other arrays among them are left alone."""
        self._encoder = AttributeEncoder().load(arrays)
        self._numbers = json.loads(arrays["numbers"].tobytes().decode())
        return self


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
            guesses = cross_val_predict(model, features, labels, cv=folds)
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
