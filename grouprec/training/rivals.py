"""The simple methods that every run is measured against, with the settings that folds chose for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from grouprec.core.types import REGIMES, Candidates, GroupLists, Groups, Regime
from grouprec.evaluate import baselines
from grouprec.models.blending import Mix
from grouprec.ranking.candidates import best_unseen
from grouprec.ranking.group_lists import group_popularity, members_mean
from grouprec.ranking.recency import group_recent
from grouprec.ranking.task import Task, nothing
from grouprec.runs.config import RunConfig
from grouprec.training.fit import Choices, Formed
from grouprec.training.groups_and_lists import GroupMaker, excluded_everywhere
from grouprec.training.list_choice import floor_lists, floor_method, lately

SIMPLE = "simple"
SIMPLE_GROUPS = "lists"  # the grouper that the simple scorer is tried with
LISTS = "lists_own"  # groups made for their lists from the run's own predictions
TREND = "_trend"

Shared = dict[str, tuple[Groups, GroupLists]]


@dataclass(frozen=True, eq=False)
class Rivals:
    """What others would do.

    Attributes:
        personal: by name, personal lists of the judged users.
        shared: by name, groups and their lists; single lists for all among them.
        floor: the name of the best single list for all, by regime.
        simple: what the simple scorer predicts for all users.
        kmeans: k-means groups of the histories, as many as the run's own.
    """

    personal: dict[str, Candidates]
    shared: Shared
    floor: dict[Regime, str]
    simple: Candidates
    kmeans: Groups


def find_rivals(formed: Formed, task: Task, choices: Choices, usual: Mapping[str, Candidates]) -> Rivals:
    """Return the simple methods for the users of a fit.

    Args:
        usual: by encoder, what it predicts alone for all users: EASE as a rule.
    """
    data, maker, n_groups = formed.data, formed.maker, formed.groups.n_groups
    simple = simple_candidates(formed, choices) or formed.candidates
    kmeans = baselines.history_groups(data.histories, n_groups, maker.config.seed)
    single = floor_lists(choices.lists, maker)
    floor: dict[Regime, str] = {regime: floor_method(choices.lists, regime, single) for regime in REGIMES}
    everybody = baselines.everybody(data.n_users)
    shared: Shared = {name: (everybody, lists) for name, lists in single.items()}
    shared["group_popularity"] = formed.groups, group_popularity(data.histories, formed.groups, maker.config.seed)
    shared |= kmeans_methods(maker, choices, kmeans, {**usual, SIMPLE: simple})
    shared[f"lists_{SIMPLE}"] = segmented(maker, simple, n_groups)
    if maker.config.grouper != SIMPLE_GROUPS:  # what other groups cost
        shared[LISTS] = segmented(maker, formed.candidates, n_groups)
    return Rivals(_personal(formed, task, choices, simple), shared, floor, simple, kmeans)


def simple_candidates(formed: Formed, choices: Choices) -> Candidates | None:
    """Return what the simple scorer predicts for all users; None where the fit lacks its encoder."""
    chosen = choices.simple
    if chosen is None or chosen.encoder not in formed.encoded.encoders:
        return None
    mix = chosen.mix(chosen.encoder)
    predictor = formed.encoded.predictor(mix.weights((chosen.encoder,)), formed.data)
    config = formed.maker.config
    untouched = not config.feedback and excluded_everywhere(formed.data, config) is None
    if untouched and predictor.weights.ranks_as(choices.weights):  # the blend is the simple scorer itself
        return predictor.restated(formed.candidates, choices.weights)
    return predictor.candidates(seed=formed.maker.config.seed)


def kmeans_methods(maker: GroupMaker, choices: Choices, groups: Groups, predicted: Mapping[str, Candidates]) -> Shared:
    """Return lists for k-means groups of the histories, by method.

    ``kmeans_popularity``: what most members have; ``kmeans_recent``: what is popular lately among them;
    ``kmeans_mean_NAME``: the lists that the predictions of that name give.
    """
    data, seed = maker.data, maker.config.seed
    seen = nothing(data.shape) if maker.config.repeats else data.histories
    made = {"kmeans_popularity": group_popularity(data.histories, groups, seed)}
    if data.timed and choices.lists.half_life:
        recent = lambda days: group_recent(data.train, data.shape, groups, days, seed)  # noqa: E731
        made["kmeans_recent"] = lately(choices.lists, recent)
    made |= {f"kmeans_mean_{name}": members_mean(own, groups, seen, seed) for name, own in predicted.items()}
    return {name: (groups, lists) for name, lists in made.items()}


def segmented(maker: GroupMaker, candidates: Candidates, n_groups: int) -> tuple[Groups, GroupLists]:
    """Return catalogue segmentation on a scorer's candidates, in the regime that the run groups for, and its lists."""
    config: RunConfig = maker.config
    plain = GroupMaker(maker.data, candidates, config.model_copy(update={"grouper": SIMPLE_GROUPS}), maker.options)
    return plain.run_method(min(n_groups, maker.data.n_users), config.grouping_regime)


def _personal(formed: Formed, task: Task, choices: Choices, simple: Candidates) -> dict[str, Candidates]:
    """Return personal lists of the judged users by the simple scorer, and by every encoder with the same trend."""
    found = {SIMPLE: simple.take(task.users)}
    chosen, encoded = choices.simple, formed.encoded
    if chosen is not None and (chosen.trend or chosen.season):
        for name in encoded.encoders:
            found[f"{name}{TREND}"] = _of_judged(formed, task, chosen.mix(name), name)
    if not task.seen.nnz:
        found["own_frequency"] = baselines.own_frequency(formed.data.histories[task.users])
        found["own_recent"] = own_recent(formed, task)
    return found


def _of_judged(formed: Formed, task: Task, mix: Mix, name: str) -> Candidates:
    predictor = formed.encoded.predictor(mix.weights((name,)), formed.data)
    return predictor.best_of(task.users, task.seen[task.users], formed.maker.config.seed)


def own_recent(formed: Formed, task: Task) -> Candidates:
    """Return the judged users' own items, the latest first."""
    data, (_, n_items) = formed.data, task.seen.shape
    recent = data.recent()[task.users][:, ::-1]

    def score(rows: slice) -> np.ndarray:
        out = np.zeros((len(recent[rows]), n_items), np.float32)
        for place in range(recent.shape[1] - 1, -1, -1):  # the latest is written last
            known = np.flatnonzero(recent[rows, place] >= 0)
            out[known, recent[rows][known, place]] = 1 / (1 + place)
        return out

    return best_unseen(score, nothing((len(recent), n_items)))
