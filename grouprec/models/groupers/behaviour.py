"""Groups by how users behave: how lately, how often, how much, how regularly and how widely."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import sparse
from scipy.special import entr

from grouprec.core.arrays import largest_first
from grouprec.core.types import Groups, Preference
from grouprec.data.dataset import Dataset, Interactions
from grouprec.models.base import Grouper, Regime, StageConfig, groupers, setting
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.centres import centre_distances, check_n_groups, fit_centres

TIERS = 5  # of item popularity
_LIMIT = 3.0  # features are clipped to this many standard deviations
_DAY = 86400.0
_RFM = 3  # how many of the features, the first ones, are recency, frequency and monetary


@groupers.register(
    "behaviour",
    title="By behaviour: recency, frequency, monetary",
    cite="Hughes 1994, Strategic Database Marketing (RFM); Zhang, Bradlow & Small 2015 (RFMC, Marketing Science 34)",
    explained="by how recently, how often and how much they acted (RFM)",
)
class BehaviourGrouper(Grouper):
    """Groups of users who behave alike, whatever they like: RFM (Hughes 1994) and the mix of behaviour, by k-means.

    Features, with the logarithm of the first three: *recency*, days between the user's last event and the latest of
    all; *frequency*, number of items; *monetary*, sum of the weights of the history (money, quantities or engagement;
    the same as frequency where all weights are 1); *clumpiness*, 0 for evenly spread active days and 1 for all at
    once (Zhang, Bradlow & Small 2015); *popularity*, mean popularity tier of the items; *breadth*, entropy over the
    tiers. Tiers hold a fifth of all history entries each. All are standardised and clipped at 3 standard deviations.

    Departures from Hughes: k-means (Lloyd 1982) instead of cells of quintiles, which would be 125 and mostly empty.
    A group below the smallest size joins the nearest other one; groups are numbered by size.

    Users who are placed later are known by their histories only: recency and clumpiness then take the mean of the
    fitted users, as they do for all where the data has no times. So a fitted user may be placed elsewhere than
    :meth:`groups`, which reads all features, has them. Users without history belong to group 0.
    """

    per_user = ("labels",)

    class Config(StageConfig):
        mix: bool = Field(
            True,
            description="Also read how regularly users come and how popular and varied their items are, besides "
            "recency, frequency and monetary",
        )
        n_init: int = setting(
            10, ge=1, le=100, description="Number of random starts; the best one is kept", quick=4, thorough=30
        )
        min_group_size: int = Field(
            5, ge=1, le=10_000, description="Smallest group in users; members of a smaller one join the nearest other"
        )

    config: Config
    _tiers: np.ndarray  # int32 [I], popularity tier of every item, 0 the most popular
    _mean: np.ndarray  # float64 [F]
    _std: np.ndarray  # float64 [F]
    _centres: np.ndarray  # float32 [G, F]
    _labels: np.ndarray  # int32 [U]

    def fit(
        self, data: Dataset, preference: Preference, n_groups: int, run: RunOptions, regime: Regime = "strict"
    ) -> Self:
        """Form the groups; the preference is not read.

        Raises:
            SettingError: ``n_groups`` is below 1 or above the number of users.
        """
        check_n_groups(n_groups, data.n_users)
        self._tiers = _popularity_tiers(data.histories)
        behaviour = self._behaviour(data.histories, _time_features(data.train, data.n_users))
        known = _have_history(data.histories)
        population = np.ma.masked_invalid(behaviour[known])
        self._mean, std = population.mean(axis=0).filled(0), population.std(axis=0).filled(0)
        self._std = np.where(std > 1e-9, std, 1)  # what is the same for all tells nobody apart
        features = self._standardise(behaviour)
        seed = int(run.rng("behaviour").integers(2**31))
        self._centres = fit_centres(features[known], n_groups, self.config.n_init, self.config.min_group_size, seed)
        self._labels = centre_distances(features, self._centres, known).argmin(axis=1).astype(np.int32)
        run.on_progress(1.0, {"groups": float(len(self._centres))})
        return self

    def _behaviour(self, histories: sparse.csr_array, times: np.ndarray) -> np.ndarray:
        """Return the features of B users as they are, float64 [B, F], NaN where unknown.

        Args:
            times: float64 [B, 2], recency and clumpiness.
        """
        counts, shares = _tier_shares(histories, self._tiers)
        recency, frequency, monetary = times[:, 0], np.log1p(counts), np.log1p(histories.sum(axis=1))
        popularity, breadth = shares @ np.arange(TIERS), entr(shares).sum(axis=1)
        features = np.column_stack([recency, frequency, monetary, times[:, 1], popularity, breadth])
        return features if self.config.mix else features[:, :_RFM]

    def _standardise(self, behaviour: np.ndarray) -> np.ndarray:
        """Return the features in standard deviations from the fitted users' mean, float32 [B, F]; 0 for NaN."""
        return np.nan_to_num(np.clip((behaviour - self._mean) / self._std, -_LIMIT, _LIMIT)).astype(np.float32)

    def groups(self) -> Groups:
        return Groups(self._labels, len(self._centres))

    def distances(self, preference: Preference, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        """Return the Euclidean distances to the centres in features, float32 [B, G]; only histories are read."""
        known = _have_history(histories)
        no_times = np.full((len(known), 2), np.nan)
        features = self._standardise(self._behaviour(histories, no_times))
        return centre_distances(features, self._centres, known)

    def arrays(self) -> dict[str, np.ndarray]:
        scale = {"mean": self._mean, "std": self._std}
        return {"tiers": self._tiers, **scale, "centres": self._centres, "labels": self._labels}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        self._tiers, self._mean, self._std = arrays["tiers"], arrays["mean"], arrays["std"]
        self._centres, self._labels = arrays["centres"], arrays["labels"]
        return self


def _have_history(histories: sparse.csr_array) -> np.ndarray:
    """Return which users have any item, bool [B]."""
    return histories.count_nonzero(axis=1) > 0


def _popularity_tiers(histories: sparse.csr_array) -> np.ndarray:
    """Return the tier of every item, int32 [I]: 0 for the most popular, each with a fifth of all history entries."""
    users = histories.count_nonzero(axis=0)
    order = largest_first(users)
    middle = users[order].cumsum() - users[order] / 2
    tiers = np.empty(len(users), np.int32)
    tiers[order] = (TIERS * middle / max(users.sum(), 1)).astype(np.int32)
    return np.minimum(tiers, TIERS - 1)


def _tier_shares(histories: sparse.csr_array, tiers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the users' numbers of items, int64 [B], and the shares of these in every tier, float64 [B, TIERS]."""
    # The history with its items renamed to their tiers; toarray adds up what then lies in one cell.
    n_users, _ = histories.shape
    there = (histories.data != 0).astype(np.float64)
    tiered = sparse.csr_array((there, tiers[histories.indices], histories.indptr), shape=(n_users, TIERS))
    per_tier = tiered.toarray()
    counts = per_tier.sum(axis=1)
    return counts.astype(np.int64), per_tier / np.maximum(counts, 1)[:, None]


def _time_features(train: Interactions, n_users: int) -> np.ndarray:
    """Return recency, as log(1 + days), and clumpiness of every user, float64 [U, 2]; NaN where there are no times.

    With the waits x between a user's active days (from the start to the first, from the last to the end) as shares
    of the whole period, and n active days: clumpiness = 1 + sum(x log x) / log(n + 1).
    """
    features = np.full((n_users, 2), np.nan)
    if train.times is None or len(train) == 0:
        return features
    dates = ((train.times - train.times.min()) // _DAY).astype(np.int64) + 1
    period = dates.max() + 1
    users, days = np.divmod(np.unique(train.user_rows * period + dates), period)  # by user, then by day
    first = np.diff(users, prepend=-1) > 0
    last = np.roll(first, -1)  # before the first day of the next user; the very first day follows the very last
    waits = np.where(first, days, np.diff(days, prepend=0)) / period
    entropy = np.bincount(users, entr(waits), n_users)[users[last]] + entr((period - days[last]) / period)
    features[users[last], 0] = np.log1p(period - 1 - days[last])
    features[users[last], 1] = 1 - entropy / np.log1p(np.bincount(users)[users[last]])
    return features
