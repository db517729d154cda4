"""What a group is like: how wide, how uniform, who is typical of it, whom it borders on, when it is active.

Three views of the same users: their *taste*, what stands out among their predicted preferences; the *latent space* of
the profile, where every group is a distribution; and the grouper's own *distances*, by which users are placed.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.spatial.distance import cdist

from grouprec.core.arrays import presence
from grouprec.core.types import GroupLatents, Groups, Preference
from grouprec.data.dataset import Dataset
from grouprec.ranking.candidates import taste
from grouprec.ranking.group_lists import member_matrix
from grouprec.runs import schemas

MEMBERS = 10  # typical and borderline members listed of a group
LIST_LENGTH = 10  # of the lists whose overlap is measured
BORDER = 0.1  # another group is nearly as near, against 1 for the average other group
PERIODS = ("h", "D", "W", "M", "Q")  # the finest with at most MOST_PERIODS is taken, else years
MOST_PERIODS = 26  # two years of months, half a year of weeks


def tables(
    data: Dataset,
    groups: Groups,
    latents: GroupLatents,
    distances: np.ndarray,
    preference: Preference,
    strict: np.ndarray,
) -> dict[str, pd.DataFrame]:
    """Return the run tables that portray the groups, by name: ids of the file, groups and ranks from 1.

    Args:
        data: U users; the times of its training part give the activity.
        latents: float32 [U, Z] and [G, Z], of the same users and groups.
        distances: float32 [U, G], how far users are from every group by the grouper's own rule.
        preference: of the same users.
        strict: int32 [G, K], the groups' shared lists, -1 where there is no item.
    Returns:
        group_profiles (:func:`profiles`), group_members (:func:`members`), group_neighbours (:func:`neighbours`)
        and, where the data have times, group_activity (:func:`activity`).
    """
    other, margin = borders(groups, distances)
    near = neighbours(groups, latents, other, margin, strict, data.n_items)
    frames = {
        "group_profiles": profiles(groups, latents, preference, near),
        "group_members": members(data.user_ids, groups, latents, other, margin),
        "group_neighbours": near,
    }
    if data.timed:
        frames["group_activity"] = activity(data, groups)
    return frames


def borders(groups: Groups, distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return every user's nearest other group and by how much it is farther than their own.

    Groupers measure distance in units of their own, so the margin is given in the mean, over users, of what the
    average other group is farther: 0 is on the border, 1 as far as other groups are on average, below 0 nearer to
    the other group than to their own.

    Args:
        distances: float32 [U, G].
    Returns:
        int64 [U], and float64 [U], NaN for users who are as near to every group and where there is one group only.
    """
    rows = np.arange(len(distances))
    own = distances[rows, groups.labels].astype(np.float64)
    if groups.n_groups == 1:
        return np.zeros(len(rows), np.int64), np.full(len(rows), np.nan)
    others = distances.copy()
    others[rows, groups.labels] = np.inf
    other = others.argmin(axis=1)
    unknown = distances.max(axis=1) == distances.min(axis=1)
    margin = np.where(unknown, np.nan, others[rows, other] - own)
    average = (distances.sum(axis=1, dtype=np.float64) - own) / (groups.n_groups - 1) - own
    unit = average[~unknown].mean() if not unknown.all() else 0.0
    return other, margin / unit if unit > 0 else np.full(len(rows), np.nan)


def profiles(groups: Groups, latents: GroupLatents, preference: Preference, near: pd.DataFrame) -> pd.DataFrame:
    """Return one row per group about its spread, its inner diversity and its borders.

    Args:
        near: :func:`neighbours` of the groups.
    Returns:
        group; spread, the mean distance of members to the group's latent mean, relative to that of all users to
        theirs; diversity, 1 minus the mean cosine between the tastes of two members (NaN for fewer than two), and
        diversity_overall, that of any two users; borderline, the share of members on the border to another group
        (:func:`neighbours`); nearest, the nearest group in latent space (missing where there is no other), and its
        distance.
    """
    tastes = taste(preference.candidates)
    everybody = Groups(np.zeros(len(groups.labels), np.int32), 1)
    distance = _from_mean(groups, latents)
    frame = pd.DataFrame(
        {
            "group": np.arange(1, groups.n_groups + 1),
            "spread": np.bincount(groups.labels, distance, groups.n_groups) / groups.sizes,
            "diversity": 1 - _mean_cosine(tastes, groups),
            "diversity_overall": 1 - _mean_cosine(tastes, everybody)[0],
        }
    )
    shares = near.groupby("group")["borderline"].sum()
    frame["borderline"] = frame["group"].map(shares).fillna(0.0)
    nearest = near.loc[near.groupby("group")["distance"].idxmin()].set_index("group")
    frame["nearest"] = frame["group"].map(nearest["other"]).astype("Int64")
    frame["distance"] = frame["group"].map(nearest["distance"]).astype(np.float64)
    return frame


def members(
    user_ids: np.ndarray, groups: Groups, latents: GroupLatents, other: np.ndarray, margin: np.ndarray
) -> pd.DataFrame:
    """Return at most ten typical and ten borderline members of every group.

    Args:
        other, margin: :func:`borders` of the users.
    Returns:
        group; kind: "typical", the nearest to the group's latent mean, or "borderline", the smallest margins below
        a tenth; rank; user; distance to the group's latent mean, relative to the mean one of all users to theirs;
        other, the nearest other group (missing where there is none), and margin, by how much that is farther.
    """
    frame = pd.DataFrame(
        {
            "group": groups.labels + 1,
            "user": user_ids.astype(str),
            "distance": _from_mean(groups, latents),
            "other": pd.Series(other + 1).where(~np.isnan(margin)).astype("Int64"),
            "margin": margin,
        }
    )
    parts = {"typical": frame.sort_values(["group", "distance"], kind="stable")}
    parts["borderline"] = frame[frame["margin"] < BORDER].sort_values(["group", "margin"], kind="stable")
    ranked = pd.concat([part.assign(kind=kind) for kind, part in parts.items()], ignore_index=True)
    ranked["rank"] = ranked.groupby(["kind", "group"]).cumcount() + 1
    columns = ["group", "kind", "rank", "user", "distance", "other", "margin"]
    kept = ranked.loc[ranked["rank"] <= MEMBERS, columns]
    return kept.sort_values(["group", "kind", "rank"], ascending=[True, False, True], ignore_index=True)


def neighbours(
    groups: Groups, latents: GroupLatents, other: np.ndarray, margin: np.ndarray, strict: np.ndarray, n_items: int
) -> pd.DataFrame:
    """Return every ordered pair of groups: how far they lie apart, how much they share.

    Args:
        other, margin: :func:`borders` of the users.
        strict: int32 [G, K], the groups' shared lists.
    Returns:
        group; other; distance of their latent means in standard deviations within a group (Mahalanobis distance with
        the pooled variances of the dimensions; covariances count as 0, as in the profile); borderline, the share of
        the group's members whose nearest other group it is and by a margin below a tenth; overlap, the Jaccard
        index of the first ten items of their lists. Nearest first.
    """
    n = groups.n_groups
    pooled = np.sqrt((groups.sizes / groups.sizes.sum()) @ latents.std.astype(np.float64) ** 2)
    scaled = latents.mean / pooled
    edge = margin < BORDER
    towards = np.bincount(groups.labels[edge] * n + other[edge], minlength=n * n).reshape(n, n)
    group, to = np.nonzero(~np.eye(n, dtype=bool))
    frame = pd.DataFrame(
        {
            "group": group + 1,
            "other": to + 1,
            "distance": cdist(scaled, scaled)[group, to],
            "borderline": (towards / groups.sizes[:, None])[group, to],
            "overlap": _jaccard(strict[:, :LIST_LENGTH], n_items)[group, to],
        }
    )
    return frame.sort_values(["group", "distance"], kind="stable", ignore_index=True)


def activity(data: Dataset, groups: Groups) -> pd.DataFrame:
    """Return how active every group is over time, in at most 26 calendar periods (UTC).

    Returns:
        group; period, its first moment; events; users, how many members have an event in it; share of all users'
        events in that period (NaN where there are none). Every group has a row for every period. No rows without
        times.
    """
    times = data.train.times
    if times is None or not len(times):
        return pd.DataFrame(columns=schemas.named("group_activity").names)
    starts = _periods(times.min(), times.max())
    seconds = starts.to_numpy().astype("datetime64[s]").astype(np.float64)
    period = np.searchsorted(seconds, times, side="right") - 1
    shape = (data.n_users, len(starts))
    counts = sparse.csr_array((np.ones(len(times)), (data.train.user_rows, period)), shape=shape)
    counts.sum_duplicates()
    membership = member_matrix(groups)
    events, users = (membership @ counts).toarray(), (membership @ presence(counts, np.float64)).toarray()
    total = events.sum(axis=0)
    share = np.divide(events, total, out=np.full_like(events, np.nan), where=total > 0)
    return pd.DataFrame(
        {
            "group": np.repeat(np.arange(1, groups.n_groups + 1), len(starts)),
            "period": np.tile(starts.to_numpy(), groups.n_groups),
            "events": events.ravel().astype(np.int64),
            "users": users.ravel().astype(np.int64),
            "share": share.ravel(),
        }
    )


def _periods(first: float, last: float) -> pd.DatetimeIndex:
    """Return the beginnings of the calendar periods between two moments in seconds since 1970."""
    start, end = pd.Timestamp(first, unit="s"), pd.Timestamp(last, unit="s")
    for length in (*PERIODS, "Y"):
        if (end.to_period(length) - start.to_period(length)).n < MOST_PERIODS:
            break
    return pd.period_range(start, end, freq=length).start_time


def _from_mean(groups: Groups, latents: GroupLatents) -> np.ndarray:
    """Return how far users are from their group's latent mean, relative to the mean distance of all users from
    theirs: float64 [U]."""
    users = latents.users.astype(np.float64)
    overall = np.linalg.norm(users - users.mean(axis=0), axis=1).mean()
    return np.linalg.norm(users - latents.mean[groups.labels], axis=1) / (overall or 1.0)


def _mean_cosine(tastes: sparse.csr_array, groups: Groups) -> np.ndarray:
    """Return the mean cosine between two different members, float64 [G]; NaN where fewer than two have a taste.

    The squared length of a sum of n unit vectors is n plus the sum of their n (n - 1) cosines.

    Args:
        tastes: CSR [U, I], rows of length 1, or empty where nothing is known of a user.
    """
    sums = (member_matrix(groups) @ tastes).astype(np.float64)
    n = np.bincount(groups.labels, np.diff(tastes.indptr) > 0, groups.n_groups)
    pairs = n * (n - 1)
    cosines = np.asarray(sums.multiply(sums).sum(axis=1)).ravel() - n
    return np.divide(cosines, pairs, out=np.full(groups.n_groups, np.nan), where=pairs > 0)


def _jaccard(lists: np.ndarray, n_items: int) -> np.ndarray:
    """Return the Jaccard index of every two lists, float64 [G, G]; 0 where both are empty."""
    group, place = np.nonzero(lists >= 0)
    listed = sparse.csr_array((np.ones(len(group)), (group, lists[group, place])), shape=(len(lists), n_items))
    common, lengths = (listed @ listed.T).toarray(), listed.sum(axis=1)
    either = lengths[:, None] + lengths - common
    return np.divide(common, either, out=np.zeros_like(common), where=either > 0)
