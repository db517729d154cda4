"""What people read of a finished run, as tables: ids and labels of the file, groups and ranks from 1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_samples

from grouprec.core.types import Candidates, GroupLists, Groups, Preference, Regime
from grouprec.data.dataset import Dataset
from grouprec.explore.categories import telling
from grouprec.explore.naming import distinguishing_attributes, distinguishing_items, distinguishing_words, name_groups
from grouprec.explore.numbering import number_alike
from grouprec.ranking.group_lists import LENGTH, owned_share, reach
from grouprec.ranking.new_items import places
from grouprec.ranking.statistics import LEVEL, holm
from grouprec.runs import schemas

USER_LIST_DEPTH = 50
HELD_OUT_ROWS = 100_000
SILHOUETTE_USERS = 5_000


@dataclass(frozen=True, eq=False)
class Placed:
    """Users that took no part in training: their groups, int32 [V], and their candidates."""

    user_ids: np.ndarray
    labels: np.ndarray
    candidates: Candidates
    interactions: np.ndarray


def users_table(data: Dataset, groups: Groups, positions: np.ndarray, placed: Placed | None) -> pd.DataFrame:
    """Return one row per user: id, group, map position, number of items, attributes."""
    frame = pd.DataFrame(
        {
            "user": data.user_ids.astype(str),
            "group": groups.labels + 1,
            "x": positions[:, 0].astype(np.float32),
            "y": positions[:, 1].astype(np.float32),
            "interactions": np.diff(data.histories.indptr),
            "in_training": True,
        }
    )
    frame = _beside("users", frame, data.user_attributes)
    if placed is None:
        return frame
    more = pd.DataFrame(
        {
            "user": placed.user_ids.astype(str),
            "group": placed.labels + 1,
            "interactions": placed.interactions,
            "in_training": False,
        }
    )
    return pd.concat([frame, more], ignore_index=True)


def items_table(data: Dataset) -> pd.DataFrame:
    """Return one row per item: id, label, number of users who have it, attributes."""
    frame = pd.DataFrame(
        {
            "item": data.item_ids.astype(str),
            "label": data.item_labels.astype(str),
            "users": np.bincount(data.histories.indices, minlength=data.n_items),
        }
    )
    return _beside("items", frame, data.item_attributes)


def groups_table(data: Dataset, groups: Groups, names: Sequence[str], preference: Preference) -> pd.DataFrame:
    """Return one row per group: name, size, share of users, separation (mean silhouette) and words."""
    words = distinguishing_words(data.item_labels, data.histories, groups)
    sizes = groups.sizes
    return pd.DataFrame(
        {
            "group": np.arange(1, groups.n_groups + 1),
            "name": names,
            "size": sizes,
            "share": sizes / sizes.sum(),
            "separation": separation(groups, preference.space),
            "words": [", ".join(some) for some in words],
        }
    )


def group_evaluation_table(
    names: Sequence[str], evaluated: pd.DataFrame, list_method: Mapping[Regime, str]
) -> pd.DataFrame:
    """Return how the members of every *evaluated* group are served by the best list method, by regime.

    After a refit the final groups are other ones; these are the groups that the test part judged.
    """
    chosen = evaluated[evaluated["method"] == evaluated["regime"].map(dict(list_method))]
    return chosen.assign(name=[names[group] for group in chosen["group"]], group=chosen["group"] + 1)


def group_items_table(data: Dataset, groups: Groups) -> pd.DataFrame:
    """Return the items that distinguish every group, by lift."""
    frame = distinguishing_items(data.histories, groups)
    rows = frame["item_row"].to_numpy()
    return pd.DataFrame(
        {
            "group": frame["group"] + 1,
            "rank": frame["rank"],
            "item": data.item_ids[rows].astype(str),
            "label": data.item_labels[rows].astype(str),
            "share_in_group": frame["share_in_group"],
            "share_overall": frame["share_overall"],
            "lift": frame["lift"],
            "lift_low": frame["lift_low"],
            "lift_high": frame["lift_high"],
        }
    )


def group_attributes_table(data: Dataset, groups: Groups, depth: int = 5) -> pd.DataFrame:
    """Return the attributes that distinguish every group, at most ``depth`` each, and which are more than chance.

    ``p_adjusted`` is p by :func:`~grouprec.ranking.statistics.holm` over all ``tests``, also those that found
    nothing; ``significant`` where it is below .05.
    """
    frame = distinguishing_attributes(data.user_attributes, groups, n=None)
    p = np.ones(int(frame["tests"].max()) if len(frame) else 0)
    p[: len(frame)] = frame["p"]
    adjusted = holm(p)[: len(frame)]
    frame = frame.assign(group=frame["group"] + 1, p_adjusted=adjusted, significant=adjusted < LEVEL)
    return frame[frame["rank"] <= depth].reset_index(drop=True)


def group_rules_table(rules: pd.DataFrame | None) -> pd.DataFrame | None:
    """Return who belongs to every group in words, SQL and JSON (:meth:`grouprec.models.base.Grouper.rules`)."""
    if rules is None:
        return None
    numbered = rules.reset_index(drop=True)
    numbered.insert(0, "group", np.arange(1, len(rules) + 1))
    return numbered


def group_lists_table(
    data: Dataset, groups: Groups, candidates: Candidates, lists: Mapping[str, GroupLists]
) -> pd.DataFrame:
    """Return every group's lists by method and regime, with reach and the share of members who have the item."""
    frames = []
    for method, made in lists.items():
        for regime, items, scores in (
            ("strict", made.strict, made.strict_scores),
            ("dedup", made.ranking, made.ranking_scores),
        ):
            group, rank = np.nonzero(items >= 0)
            rows = items[group, rank]
            frames.append(
                pd.DataFrame(
                    {
                        "group": group + 1,
                        "method": method,
                        "regime": regime,
                        "rank": rank + 1,
                        "item": data.item_ids[rows].astype(str),
                        "label": data.item_labels[rows].astype(str),
                        "score": scores[group, rank],
                        "reach": reach(candidates, groups, items)[group, rank],
                        "owned": owned_share(data.histories, groups, items)[group, rank],
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def with_new_items(lists: pd.DataFrame, new: pd.DataFrame, slots: int, whose: str = "group") -> pd.DataFrame:
    """Return one list a group or user with their new items at their places; the others move down, none gets longer.

    Args:
        lists: whose, rank from 1, and any other columns, of which a new item has what ``new`` knows.
        new: whose, rank from 1, and more: the table ``new_items`` of a run; of rows with one rank the first counts.
        slots: places of every ten.
        whose: "group" or "user".
    """
    fresh = new.drop_duplicates([whose, "rank"])
    length = lists[whose].map(lists[whose].value_counts())
    n_new = lists[whose].map(fresh[whose].value_counts()).fillna(0).astype(np.int64)
    parts = []
    for longest, n in np.unique(np.column_stack([length, n_new]), axis=0).tolist():
        own = lists[(length == longest) & (n_new == n)]
        at = places(slots, longest)[:n]
        free = np.setdiff1d(np.arange(1, longest + 1), at)
        known = own[own["rank"] <= len(free)]
        parts.append(known.assign(rank=free[known["rank"].to_numpy() - 1]))
        theirs = fresh[(fresh["rank"] <= len(at)) & fresh[whose].isin(own[whose].unique())]
        added = theirs.assign(rank=at[theirs["rank"].to_numpy() - 1]).reindex(columns=own.columns)
        parts.append(added.astype(own.dtypes[added.columns].to_dict()))
    if not parts:
        return lists
    found = pd.concat(parts, ignore_index=True)
    order = found[whose].map(pd.Series(np.arange(lists[whose].nunique()), index=lists[whose].unique()))
    return found.iloc[np.lexsort((found["rank"], order))].reset_index(drop=True)


def lists_with_new_items(
    lists: pd.DataFrame, new: pd.DataFrame, slots: int, list_method: Mapping[Regime, str]
) -> pd.DataFrame:
    """Return the table ``group_lists`` with new items on the lists that are exported; the others stay as they are."""
    exported = lists["method"] == lists["regime"].map(dict(list_method))
    parts = [lists[~exported]]
    for regime, method in list_method.items():
        constant = new.assign(method=method, regime=regime, reach=0.0, owned=0.0)
        parts.append(with_new_items(lists[exported & (lists["regime"] == regime)], constant, slots))
    return pd.concat(parts, ignore_index=True)


def what_if_tables(
    data: Dataset, formed: Mapping[int, tuple[Groups, GroupLists]], chosen: int
) -> dict[str, pd.DataFrame]:
    """Return what a run keeps of every number of groups.

    Args:
        formed: number of groups (as asked for) -> groups of all users, and their lists.
        chosen: the run's own number of groups, one of them.
    Returns:
        ``what_if_labels``: a row per user, a column per number of groups (its name is the number), int16 from 1.
        ``what_if_groups``: n_groups (as asked for), group, name, size.
        ``what_if_lists``: n_groups, group, regime, rank (1 to 10), item, label.
    """
    numbers = number_alike({n: groups.labels for n, (groups, _) in formed.items()}, chosen)
    groups_parts, list_parts = [], []
    for n, (groups, lists) in formed.items():
        number = np.empty(groups.n_groups, np.int64)
        number[groups.labels] = numbers[n]
        groups_parts.append(_numbered_groups(data, groups, number).assign(n_groups=n))
        list_parts.append(_first_items(data, lists, number).assign(n_groups=n))
    return {
        "what_if_labels": pd.DataFrame({str(n): own for n, own in sorted(numbers.items())}),
        "what_if_groups": pd.concat(groups_parts, ignore_index=True),
        "what_if_lists": pd.concat(list_parts, ignore_index=True),
    }


def _numbered_groups(data: Dataset, groups: Groups, number: np.ndarray) -> pd.DataFrame:
    column = telling(data.item_attributes, data.histories, groups)
    names = name_groups(data.item_labels, data.histories, groups, column)
    frame = pd.DataFrame({"group": number, "name": names, "size": groups.sizes})
    return frame.sort_values("group", ignore_index=True)


def _first_items(data: Dataset, lists: GroupLists, number: np.ndarray) -> pd.DataFrame:
    """Return the beginning of every group's two lists, by the group's number."""
    parts = []
    for regime, items in (("strict", lists.strict), ("dedup", lists.ranking)):
        group, place = np.nonzero(items[:, :LENGTH] >= 0)
        rows = items[group, place]
        found = {"group": number[group], "regime": regime, "rank": place + 1}
        names = {"item": data.item_ids[rows].astype(str), "label": data.item_labels[rows].astype(str)}
        parts.append(pd.DataFrame(found | names))
    return pd.concat(parts).sort_values(["regime", "group", "rank"], ignore_index=True)


def user_lists_table(
    data: Dataset, candidates: Candidates, placed: Placed | None, new: pd.DataFrame | None = None, slots: int = 0
) -> pd.DataFrame:
    """Return every user's personal list; users without a prediction get the popular items.

    Args:
        new: user, rank, item, label, score: the new items of everybody, at ``slots`` places of every ten.
    """
    frames = [_user_lists(data, data.user_ids, candidates)]
    if placed is not None:
        frames.append(_user_lists(data, placed.user_ids, placed.candidates))
    lists = pd.concat(frames, ignore_index=True)
    return lists if new is None else with_new_items(lists, new, slots, "user")


def held_out_table(data: Dataset) -> pd.DataFrame:
    """Return the test part in time order, its first 100,000 rows: user, item, label, time (seconds, NaN without)."""
    test = data.test
    order = np.arange(len(test)) if test.times is None else np.argsort(test.times, kind="stable")
    part = test.take(order[:HELD_OUT_ROWS])
    return pd.DataFrame(
        {
            "user": data.user_ids[part.user_rows].astype(str),
            "item": data.item_ids[part.item_rows].astype(str),
            "label": data.item_labels[part.item_rows].astype(str),
            "time": np.full(len(part), np.nan) if part.times is None else part.times,
        }
    )


def _user_lists(data: Dataset, user_ids: np.ndarray, candidates: Candidates) -> pd.DataFrame:
    items = candidates.items[:, :USER_LIST_DEPTH]
    user, rank = np.nonzero(items >= 0)
    rows = items[user, rank]
    return pd.DataFrame(
        {
            "user": user_ids[user].astype(str),
            "rank": rank + 1,
            "item": data.item_ids[rows].astype(str),
            "label": data.item_labels[rows].astype(str),
            "score": candidates.scores[user, rank],
        }
    )


def separation(groups: Groups, space: np.ndarray) -> np.ndarray:
    """Return the mean silhouette of every group's members, float64 [G]; NaN for groups outside the sample."""
    rows = np.random.default_rng(0).permutation(len(space))[:SILHOUETTE_USERS]
    labels = groups.labels[rows]
    if not 2 <= len(np.unique(labels)) < len(rows):
        return np.full(groups.n_groups, np.nan)
    values = np.asarray(silhouette_samples(space[rows], labels))
    sums = np.bincount(labels, values, groups.n_groups)
    counts = np.bincount(labels, minlength=groups.n_groups)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _beside(name: str, frame: pd.DataFrame, attributes: pd.DataFrame) -> pd.DataFrame:
    """Put attribute columns beside ours; one that bears our name gets a mark."""
    if not len(attributes.columns):
        return frame
    return pd.concat([frame, schemas.named(name).marked(attributes).reset_index(drop=True)], axis=1)
