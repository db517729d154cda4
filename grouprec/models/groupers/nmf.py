"""Soft groups: every user is a mixture of a few tastes."""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse
from scipy.optimize import nnls
from sklearn.decomposition import non_negative_factorization
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import normalize

from grouprec.core.arrays import largest_first
from grouprec.core.types import Groups, Preference
from grouprec.data.dataset import Dataset
from grouprec.models.base import Grouper, Regime, StageConfig, groupers, setting
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.centres import check_n_groups
from grouprec.ranking.candidates import taste

FEW = 32  # users up to which each is placed by a solution of their own
_PLACING_STEPS = {"max_iter": 1000, "tol": 1e-6}  # so that company in a batch does not move a user


@groupers.register(
    "nmf",
    title="Soft groups by non-negative matrix factorisation",
    cite="Lee & Seung 1999, Learning the parts of objects by non-negative matrix factorization (Nature 401)",
    explained="by mixtures of tastes (NMF)",
)
class NmfGrouper(Grouper):
    """Tastes whose sums make up what users are predicted to want; a user belongs where their largest share lies.

    The users' standing-out candidates X (:func:`taste`) are approximated by ``W H`` without negative numbers, so a
    user is a sum of tastes, never a difference (Lee & Seung 1999). The rows of H have length 1, so that the numbers
    in W compare, and :meth:`memberships` are the rows of W as shares. Beside k-means because it is not drawn by
    outliers nor lost in many dimensions, and shows who stands between groups: Amplitude changed its Personas chart
    from k-means to it for that reason.

    Departures from the paper: the squared error, by coordinate descent instead of multiplicative updates, from a
    start by SVD (NNDSVDa, Boutsidis & Gallopoulos 2008) instead of a random one; a group below the smallest size
    gives up its taste and its members are shared out among the others; groups are numbered by size, group 0 the
    largest; users of whom no taste is known are members of all groups alike and counted in group 0.
    """

    per_user = ("labels",)

    class Config(StageConfig):
        max_iter: int = setting(200, ge=1, le=5000, description="Most iterations", quick=60, thorough=500)
        min_group_size: int = Field(
            5, ge=1, le=10_000, description="Smallest group in users; members of a smaller one join the nearest other"
        )

    config: Config
    _components: np.ndarray  # float32 [G, I], rows of length 1
    _labels: np.ndarray  # int32 [U]
    _gram_of: np.ndarray | None = None
    _gram_parts: tuple[np.ndarray, np.ndarray, np.ndarray]

    def fit(
        self, data: Dataset, preference: Preference, n_groups: int, run: RunOptions, regime: Regime = "strict"
    ) -> Self:
        """Form the groups; fewer than ``n_groups`` where tastes coincide or groups are merged.

        Raises:
            SettingError: ``n_groups`` is below 1 or above the number of users.
        """
        check_n_groups(n_groups, preference.candidates.n_users)
        tastes = taste(preference.candidates)
        known = tastes[tastes.count_nonzero(axis=1) > 0]
        self._components = self._factorise(known, n_groups, int(run.rng("nmf").integers(2**31)))
        self._settle(known)
        self._labels = self._distances(tastes).argmin(axis=1).astype(np.int32)
        run.on_progress(1.0, {"groups": float(len(self._components))})
        return self

    def _factorise(self, tastes: sparse.csr_array, n_groups: int, seed: int) -> np.ndarray:
        """Return the tastes H, float32 [G', I], rows of length 1 (or 0, where a taste is not needed)."""
        n_users, n_items = tastes.shape
        if n_users == 0:
            return np.zeros((1, n_items), np.float32)
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):  # the number of steps is a setting
            _, components, _ = non_negative_factorization(
                tastes,
                n_components=min(n_groups, n_users, n_items),  # what the start by SVD can give
                init="nndsvda",
                max_iter=self.config.max_iter,
                random_state=seed,
            )
        return normalize(components).astype(np.float32)

    def _settle(self, tastes: sparse.csr_array) -> None:
        """Drop the tastes of groups that are too small, smallest first, and number the rest by size.

        The tastes that stay do not change, so :meth:`place` puts every fitted user where :meth:`groups` has them.
        """
        while True:
            sizes = np.bincount(self._distances(tastes).argmin(axis=1), minlength=len(self._components))
            order = largest_first(sizes)
            if len(order) == 1 or sizes[order[-1]] >= self.config.min_group_size:
                self._components = self._components[order]
                return
            self._components = np.delete(self._components, order[-1], axis=0)

    def _memberships(self, tastes: sparse.csr_array) -> np.ndarray:
        """Return every user's share in every group, float32 [B, G]; rows sum to 1, all equal if nothing is known."""
        (n_users, _), n_groups = tastes.shape, len(self._components)
        parts = np.zeros((n_users, n_groups), np.float32)
        if n_users <= FEW:
            parts = self._few_parts(tastes)
        elif tastes.nnz and self._components.any():
            with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
                parts, _, _ = non_negative_factorization(
                    tastes, H=self._components, n_components=n_groups, update_H=False, **_PLACING_STEPS
                )
        parts[~parts.any(axis=1)] = 1
        return parts / parts.sum(axis=1, keepdims=True)

    def _few_parts(self, tastes: sparse.csr_array) -> np.ndarray:
        """Return the rows of W for a few users, float32 [B, G]: what the descent tends to, without a pass over H.

        With H H' = R' R the squared error of x = w H is that of R w = b, up to a constant, for the b that gives
        R' b = H x: non-negative least squares in as many unknowns as groups (Lawson & Hanson 1974).
        """
        by_item, root, inverse = self._gram()
        targets = (tastes @ by_item) @ inverse
        return np.array([nnls(root, target)[0] for target in targets], np.float32).reshape(-1, len(self._components))

    def _gram(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return H by item, float64 [I, G], R [F, G] and its pseudo-inverse [G, F]; kept while H is the same."""
        if self._gram_of is not self._components:
            by_item = np.ascontiguousarray(self._components.T, np.float64)
            values, vectors = np.linalg.eigh(by_item.T @ by_item)
            kept = values > 1e-9  # rows of H have length 1; tastes that are not needed are 0
            roots = np.sqrt(values[kept])
            self._gram_parts = by_item, (vectors[:, kept] * roots).T, vectors[:, kept] / roots
            self._gram_of = self._components
        return self._gram_parts

    def _distances(self, tastes: sparse.csr_array) -> np.ndarray:
        return np.maximum(1 - self._memberships(tastes), 0)

    def groups(self) -> Groups:
        return Groups(self._labels, len(self._components))

    def distances(self, preference: Preference, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        """Return 1 minus the share in every group, float32 [B, G]; histories and attributes are not read."""
        return self._distances(taste(preference.candidates))

    def arrays(self) -> dict[str, np.ndarray]:
        return {"components": self._components, "labels": self._labels}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._components, self._labels = arrays["components"], arrays["labels"]
        return self
