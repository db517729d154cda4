"""The tables of a finished run as the edits of its groups leave them: read by pages, exports and reports alike.

Groups that edits gave other members are described from the run's own predictions, as training does it, and get their
lists at once; the others keep theirs. What was measured on held-out users stays that of the trained groups.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.arrays import empty_csr
from grouprec.core.types import Candidates, GroupLatents, GroupLists, Groups, Preference, StorageError
from grouprec.data.dataset import Dataset, Interactions
from grouprec.explore import edits, portrait, tables
from grouprec.explore.categories import telling
from grouprec.explore.edits import Edit, EditHistory, Grouping
from grouprec.explore.naming import distinguishing_words, name_groups
from grouprec.explore.users import RunUsers
from grouprec.ranking.group_lists import finish, group_popularity, members_mean, worth_of_candidates
from grouprec.ranking.rules import Exclusions, drop_excluded, excluded_for_groups
from grouprec.ranking.strategies import STRATEGIES, lists_by_strategy
from grouprec.runs import schemas
from grouprec.runs.store import Run

PORTRAIT = ("group_profiles", "group_neighbours", "group_members")
TABLES = (
    *("users", "groups", "group_items", "group_attributes", "group_activity", "group_rules", "group_lists"),
    *PORTRAIT,
)  # edited


def table(run: Run, name: str) -> pd.DataFrame:
    """Return a table of a finished run with its edits in force.

    Raises:
        StorageError: the run has no such table, or the file of its edits is damaged.
    """
    return EditedRun(run, EditHistory.load(run.path)).table(name)


class EditedRun:
    """A run's groups and tables after some edits. Everything is made once, when it is asked for; never changed.

    Args:
        run: a finished one.
        history: its edits.
        who: its users; opened where they are needed if None.
    """

    def __init__(self, run: Run, history: EditHistory, who: RunUsers | None = None) -> None:
        self.run, self.history, self._who = run, history, who

    @cached_property
    def trained(self) -> Grouping:
        """Return the groups as training made them."""
        users, groups = self.run.table("users"), self.run.table("groups")
        names = dict(zip(groups["group"].tolist(), groups["name"].astype(str).tolist(), strict=True))
        return Grouping.of(users["group"].to_numpy(), users["in_training"].to_numpy(bool), names)

    @cached_property
    def grouping(self) -> Grouping:
        """Return the groups as the edits leave them."""
        return self.trained.replay(self.history.edits)

    @cached_property
    def users(self) -> RunUsers:
        """Return the run's users.

        Raises:
            StorageError: the run does not keep what they are predicted to want.
        """
        return self._who or RunUsers.open(self.run)

    def table(self, name: str) -> pd.DataFrame:
        """Return a table as the edits leave it; one that does not know groups as it is.

        Raises:
            StorageError: the run has no such table.
        """
        if name == "groups" and self.history.edits:
            return self._groups_table()
        if not self.history.edits or not self.grouping.changed:
            return self.run.table(name)
        if name in PORTRAIT:
            self.run.table(name)  # a run that has none gets none
            return self._portrait[name]
        make = self._makers.get(name)
        return make() if make else self.run.table(name)

    @property
    def _makers(self) -> dict[str, Callable[[], pd.DataFrame]]:
        return {
            "users": lambda: self.run.table("users").assign(group=self.grouping.labels),
            "group_items": lambda: self._numbered(tables.group_items_table(self._data, self._groups)),
            "group_attributes": lambda: self._numbered(tables.group_attributes_table(self._data, self._groups)),
            "group_activity": self._activity,
            "group_rules": self._rules,
            "group_lists": lambda: self._lists,
        }

    # -- edits

    def change(self, edit: Edit) -> None:
        """Add an edit to those of the run.

        Raises:
            EditError: the groups do not allow it.
            StorageError: the edits cannot be written, or the run does not keep what lists are made from.
        """
        if not self.run.has_snapshot:
            raise StorageError(f"The run {self.run.run_id} is older than edits of groups; train it again to edit them.")
        edits.change(self.run.path, self.trained, edit)

    def split(self, group: int) -> Edit:
        """Return the edit that splits a group in two by taste; the smaller half gets a name of its own.

        Raises:
            StorageError: the run does not keep what users are predicted to want.
        """
        rows = np.flatnonzero((self.grouping.labels == group) & self.grouping.fitted)
        leave = rows[self.users.halves(self._fit_rows(rows))]
        return Edit("split", (group,), self.suggest_name(leave), tuple(leave.tolist()))

    def suggest_name(self, rows: np.ndarray) -> str:
        """Return a name, which no group has, for a group of the given users (rows of the users table).

        It is what tells them from all other users, in words of the items that they have.
        """
        apart = np.zeros(len(self._data.user_ids), np.int32)
        apart[self._fit_rows(rows)] = 1
        two = apart.min() != apart.max() and len(rows) > 0
        data = self._data
        groups = Groups(apart, 2)
        column = telling(data.item_attributes, data.histories, groups)
        wish = name_groups(data.item_labels, data.histories, groups, column)[1] if two else "New group"
        taken = {self.grouping.names[number].casefold() for number in self.grouping.sizes}
        numbered = (f"{wish} ({again})" for again in range(2, len(taken) + 3))
        return next(name for name in (wish, *numbered) if name.casefold() not in taken)

    # -- the users, as stages know them

    def _fit_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return the rows of the fit of rows of the users table; who took no part in training is left out."""
        fitted = self.grouping.fitted
        return (np.cumsum(fitted) - 1)[rows[fitted[rows]]]

    @cached_property
    def _numbers(self) -> np.ndarray:
        """Return the present groups' numbers, ascending: groups inside are their places here."""
        return np.array(list(self.grouping.sizes))

    @cached_property
    def _groups(self) -> Groups:
        labels = np.searchsorted(self._numbers, self.grouping.labels[self.grouping.fitted]).astype(np.int32)
        return Groups(labels, len(self._numbers))

    @cached_property
    def _data(self) -> Dataset:
        """Return what the fit knows of users and items, as a dataset without times."""
        base, users = self.users.base, self.run.table("users")
        fitted = users[users["in_training"].to_numpy(bool)].reset_index(drop=True)
        if len(fitted) != len(base.user_ids):
            raise StorageError(f"The run {self.run.run_id} does not fit its own users; train it again to edit groups.")
        attributes = schemas.named("users").attributes(fitted)
        histories, nothing = base.histories, Interactions.empty()
        rows = np.repeat(np.arange(len(fitted), dtype=np.int32), np.diff(histories.indptr))
        had = Interactions(rows, histories.indices, histories.data)
        parts = (had, nothing, nothing)
        of_items = schemas.named("items").attributes(self.run.table("items"))
        return Dataset(
            self.run.run_id, "", base.user_ids, base.item_ids, *parts, base.item_labels, attributes, of_items
        )

    @cached_property
    def _preference(self) -> Preference:
        base = self.users.base
        return Preference(base.candidates, self.users.space, base.components)

    # -- tables

    def _groups_table(self) -> pd.DataFrame:
        """Return the groups with their present names and descriptions; those with other members described anew."""
        grouping, trained = self.grouping, self.run.table("groups")
        if grouping.changed:
            same = trained[trained["group"].isin(self._numbers) & ~trained["group"].isin(grouping.changed)]
            made = self._described()
            trained = pd.concat([same, made[made["group"].isin(grouping.changed)]]).sort_values("group")
        return trained.assign(
            name=trained["group"].map(grouping.names),
            description=[grouping.descriptions.get(number, "") for number in trained["group"].tolist()],
        ).reset_index(drop=True)

    def _described(self) -> pd.DataFrame:
        """Return the rows of all groups as training would describe them, but for their names."""
        data, groups = self._data, self._groups
        words = distinguishing_words(data.item_labels, data.histories, groups, counted=self.users.terms)
        return pd.DataFrame(
            {
                "group": self._numbers,
                "name": "",
                "size": groups.sizes,
                "share": groups.sizes / groups.sizes.sum(),
                "separation": tables.separation(groups, self._preference.space),
                "words": [", ".join(some) for some in words],
            }
        )

    def _numbered(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a table of groups 1, 2, ... with their numbers in their stead."""
        return frame.assign(group=self._numbers[frame["group"].to_numpy(np.int64) - 1])

    def _rules(self) -> pd.DataFrame:
        """Return the rules of groups that have the members which training gave them; of others there is none."""
        table, kept = self.run.table("group_rules"), self.grouping.sizes.keys() - self.grouping.changed
        return table[table["group"].isin(list(kept))].reset_index(drop=True)

    def _activity(self) -> pd.DataFrame:
        """Return the activity of groups that are whole trained groups, or several; of others no times are kept.

        What belongs to none of the present groups is that of group 0, so that the sums over all users stay.
        """
        table, grouping = self.run.table("group_activity"), self.grouping
        pairs = np.unique(np.stack([grouping.trained, grouping.labels])[:, grouping.fitted], axis=1)
        before, after = pd.Series(pairs[0]), pd.Series(pairs[1])
        torn = after.isin(after[before.duplicated(keep=False)])
        becomes = dict(zip(before[~torn], after[~torn], strict=True))
        moved = table.assign(group=table["group"].map(becomes).fillna(0).astype(np.int64))
        sums = moved.groupby(["group", "period"], as_index=False)
        return sums.agg({"events": "sum", "users": "sum", "share": lambda share: share.sum(min_count=1)})

    @cached_property
    def _portrait(self) -> dict[str, pd.DataFrame]:
        """Return the measures of all groups, anew and by one measure, so that edited ones compare with the others.

        The space of predicted preference stands in for the latent space of the profile, which knows the trained groups
        only, and what users would miss with another group's list for the distance of the grouper.
        """
        groups, preference = self._groups, self._preference
        space = preference.space.astype(np.float64)
        sums = sparse.csr_array((np.ones(len(space)), (groups.labels, np.arange(len(space)))))
        mean = (sums @ space) / groups.sizes[:, None]
        spread = np.sqrt(np.maximum((sums @ space**2) / groups.sizes[:, None] - mean**2, 1e-12))
        latents = GroupLatents(preference.space, mean.astype(np.float32), spread.astype(np.float32))
        strict = self._heads()
        served = _served(preference.candidates, strict)
        distances = served.max(axis=1, keepdims=True) - served
        made = portrait.tables(self._data, groups, latents, distances, preference, strict)
        return {name: self._relabelled(made[name]) for name in PORTRAIT}

    def _relabelled(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a table of groups with their numbers, also in the columns that name another group."""
        frame = self._numbered(frame)
        for column in {"other", "nearest"} & set(frame.columns):
            known = frame[column].notna()
            numbers = pd.Series(pd.NA, index=frame.index, dtype="Int64")
            numbers[known] = self._numbers[frame.loc[known, column].to_numpy(np.int64) - 1]
            frame[column] = numbers if frame[column].dtype == "Int64" else numbers.astype(np.int64)
        return frame

    def _heads(self) -> np.ndarray:
        """Return the first ten items of every group's strict list, int32 [G, 10], -1 at the end."""
        method = (self.run.metrics().get("list_method") or {}).get("strict", "members_mean")
        lists = self._lists
        first = (lists["regime"] == "strict") & (lists["rank"] <= portrait.LIST_LENGTH)
        rows = lists[first & (lists["method"] == method)]
        heads = np.full((len(self._numbers), portrait.LIST_LENGTH), -1, np.int32)
        items = pd.Index(self.users.base.item_ids).get_indexer(rows["item"])
        heads[np.searchsorted(self._numbers, rows["group"]), rows["rank"] - 1] = items
        return heads

    # -- lists

    @cached_property
    def _lists(self) -> pd.DataFrame:
        """Return the lists of all groups; those with other members get new ones of every kind that the run has.

        Kinds that are learned for trained groups only (generated ones) are the members' mean here. Items that no
        member is predicted to want follow by their popularity in the edited groups.
        """
        lists, numbers = self.run.table("group_lists"), np.array(sorted(self.grouping.changed))
        kept = lists[lists["group"].isin(self._numbers) & ~lists["group"].isin(numbers)]
        if not len(numbers):
            return kept
        labels = self._numbers[self._groups.labels]
        rows = np.flatnonzero(np.isin(labels, numbers))
        groups = Groups(np.searchsorted(numbers, labels[rows]).astype(np.int32), len(numbers))
        part = self._part(rows)
        candidates = self.users.base.candidates.take(rows)
        made = self._made(lists["method"].unique().tolist(), part, groups, candidates)
        frame = tables.group_lists_table(part, groups, candidates, made)
        frame["group"] = numbers[frame["group"].to_numpy(np.int64) - 1]
        return pd.concat([kept, frame], ignore_index=True)

    def _part(self, rows: np.ndarray) -> Dataset:
        """Return the dataset of some of the users."""
        data, histories = self._data, self._data.histories[rows]
        users = np.repeat(np.arange(len(rows), dtype=np.int32), np.diff(histories.indptr))
        had, nothing = Interactions(users, histories.indices, histories.data), Interactions.empty()
        return Dataset("", "", data.user_ids[rows], data.item_ids, had, nothing, nothing, item_labels=data.item_labels)

    def _made(self, kinds: list[str], part: Dataset, groups: Groups, candidates: Candidates) -> dict[str, GroupLists]:
        """Return the lists of the groups by kind, under the run's own rules."""
        base, rules = self.users.base, self.run.choices().get("rules", {})
        excluded = np.zeros((groups.n_groups, len(base.item_ids)), bool)
        if base.excluded is not None:
            excluded |= base.excluded.all(axis=0)  # what the rules keep from everybody
        owned = Exclusions(owned_share=rules.get("owned_share", 1.0))
        if owned.owned_share < 1:
            by_group = excluded_for_groups(part.histories, groups, owned)
            candidates = drop_excluded(candidates, groups, excluded[0], by_group)
            excluded |= by_group.toarray()
        histories = empty_csr(part.shape) if base.repeats else part.histories
        mean = members_mean(candidates, groups, histories, base.seed)

        def of(kind: str) -> GroupLists:
            if kind == "popularity":
                return group_popularity(part.histories, groups, base.seed)
            return lists_by_strategy(kind, candidates, groups, base.seed) if kind in STRATEGIES else mean

        dial = rules.get("diversity", 0.0)
        return {kind: finish(of(kind), excluded, base.components, dial) for kind in kinds}


def _served(candidates: Candidates, strict: np.ndarray) -> np.ndarray:
    """Return what every group's list is worth to every user, float32 [U, G], as catalogue segmentation counts it.

    Args:
        strict: int32 [G, K], -1 at the end.
    """
    listed = np.zeros(candidates.n_items, bool)
    listed[strict[strict >= 0]] = True
    kept = (candidates.items >= 0) & listed[candidates.items]
    ends = np.concatenate([[0], kept.sum(axis=1).cumsum()])
    values = worth_of_candidates(candidates)[kept]
    wanted = sparse.csr_array((values, candidates.items[kept], ends), shape=(len(kept), candidates.n_items))
    group, place = np.nonzero(strict >= 0)
    ones = np.ones(len(group), np.float32)
    on = sparse.csr_array((ones, (strict[group, place], group)), shape=(candidates.n_items, len(strict)))
    return (wanted @ on).toarray()
