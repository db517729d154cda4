"""Groups and lists of every kind, for any number of groups: the run's own, and what others would do instead."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from grouprec.core.types import Candidates, GroupLists, Groups, Preference, Regime
from grouprec.data.dataset import Dataset
from grouprec.models.base import REGISTRIES
from grouprec.models.fitting import RunOptions
from grouprec.ranking.candidates import make_preference
from grouprec.ranking.group_lists import finish, group_popularity, members_mean
from grouprec.ranking.rules import drop_excluded, excluded_for_groups, excluded_items
from grouprec.ranking.strategies import lists_by_strategy
from grouprec.ranking.task import nothing
from grouprec.runs.config import RunConfig

GroupsAndLists = tuple[Groups, GroupLists]
STARTED_USERS = 5_000  # up to which any number of groups gets as many starts as a run's own


class GroupMaker:
    """Forms groups of a dataset's users from their predicted preferences, and makes the lists of groups.

    Args:
        data: whose users are grouped; only its training part is read.
        candidates: what they are predicted to want.
        options: seed and device.
        preference: of the candidates, where it is known already.
        own: the number of groups that the run asked for, and what it formed: taken instead of forming them anew.
    """

    def __init__(
        self,
        data: Dataset,
        candidates: Candidates,
        config: RunConfig,
        options: RunOptions,
        preference: Preference | None = None,
        own: tuple[int, Groups] | None = None,
    ) -> None:
        self.data, self.candidates, self.config, self.options = data, candidates, config, options
        self.asked = own[0] if own else 0
        self._preference = preference
        self._groups = {(own[0], config.grouping_regime): own[1]} if own else {}
        self._lists: dict[tuple[int, Regime], GroupLists] = {}

    @cached_property
    def preference(self) -> Preference:
        return self._preference or make_preference(self.candidates, seed=self.config.seed)

    def groups(self, grouper: str, n_groups: int, regime: Regime, seed: int | None = None) -> Groups:
        """Return groups by one of the groupers, from as many starts as a run; of more than 5,000 users a tenth."""
        settings = self.config.stage_config("grouper", grouper)
        starts = [name for name in ("n_starts", "n_init") if hasattr(settings, name)]
        few = {name: max(1, getattr(settings, name) // 10) for name in starts}
        settings = settings if self.data.n_users <= STARTED_USERS else settings.model_copy(update=few)
        stage = REGISTRIES["grouper"].get(grouper)(settings)
        options = self.options if seed is None else RunOptions(seed, self.options.device)
        n_groups = min(n_groups, self.data.n_users)
        return stage.fit(self.data, self.preference, n_groups, options, self._regime(regime)).groups()

    def run_groups(self, n_groups: int, regime: Regime) -> Groups:
        """Return groups by the run's own grouper for a regime; they are formed once."""
        key = n_groups, self._regime(regime)
        if key not in self._groups:
            self._groups[key] = self.groups(self.config.grouper, *key)
        return self._groups[key]

    def keep(self, n_groups: int, regime: Regime, groups: Groups) -> None:
        """Take groups that this maker has formed elsewhere for :meth:`run_groups`, unless it has them already."""
        self._groups.setdefault((n_groups, self._regime(regime)), groups)

    def run_method(self, n_groups: int, regime: Regime) -> GroupsAndLists:
        """Return :meth:`run_groups`, and the members' lists; they are made once."""
        key = n_groups, self._regime(regime)
        groups = self.run_groups(*key)
        if key not in self._lists:
            self._lists[key] = self._members_mean(groups)
        return groups, self._lists[key]

    def _regime(self, regime: Regime) -> Regime:
        return "strict" if self.config.repeats else regime  # nobody skips anything then

    def lists(self, groups: Groups) -> dict[str, GroupLists]:
        """Return the members' lists, and those of the aggregation strategy that the run names, by name."""
        strategy = self.config.rules.strategy
        made = {"members_mean": self._members_mean(groups)}
        return made if strategy == "utility" else {strategy: self.by_strategy(groups, strategy), **made}

    def all_lists(self, groups: Groups, generated: GroupLists) -> dict[str, GroupLists]:
        """Return the lists of every kind that a run keeps, by name: :meth:`lists`, the generator's, popularity's."""
        popular = group_popularity(self.data.histories, groups, self.config.seed)
        made = {"generated": generated, "popularity": popular}
        return self.lists(groups) | {name: self.finish(lists, groups) for name, lists in made.items()}

    def by_strategy(self, groups: Groups, name: str) -> GroupLists:
        """Return lists by one of the aggregation strategies: the same order in both regimes."""
        return self.finish(lists_by_strategy(name, self._allowed(groups), groups, self.config.seed), groups)

    def finish(self, lists: GroupLists, groups: Groups) -> GroupLists:
        """Return lists of any origin without what the rules exclude, and with the diversity that they ask for."""
        return finish(lists, self.excluded(groups), self.preference.components, self.config.rules.diversity)

    def excluded(self, groups: Groups) -> np.ndarray:
        """Return what the run's rules keep from every group, bool [G, I]."""
        rules = self.config.rules
        everywhere = excluded_items(self.data, rules)
        excluded = np.broadcast_to(everywhere, (groups.n_groups, self.data.n_items))
        if rules.owned_share < 1:
            excluded = excluded | excluded_for_groups(self.data.histories, groups, rules).toarray()
        return excluded

    def _members_mean(self, groups: Groups) -> GroupLists:
        histories = nothing(self.data.shape) if self.config.repeats else self.data.histories
        return self.finish(members_mean(self._allowed(groups), groups, histories, self.config.seed), groups)

    def _allowed(self, groups: Groups) -> Candidates:
        """Return the candidates without what a group may not get because too many of its members have it."""
        if self.config.rules.owned_share >= 1:
            return self.candidates
        in_groups = excluded_for_groups(self.data.histories, groups, self.config.rules)
        return drop_excluded(self.candidates, groups, np.zeros(self.data.n_items, bool), in_groups)


def excluded_everywhere(data: Dataset, config: RunConfig) -> np.ndarray | None:
    """Return the items that nobody may get, bool [I]; None where the rules exclude nothing."""
    items = excluded_items(data, config.rules)
    return items if items.any() else None
