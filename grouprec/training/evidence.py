"""The evidence of a run: what its lists, groups and stages are worth on the test part, as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.language import N_
from grouprec.core.types import Candidates, Embeddings, GroupLists, Groups, Regime
from grouprec.data.dataset import Dataset
from grouprec.evaluate import baselines, generation, protocol
from grouprec.evaluate.cold_start import cold_items, cold_users
from grouprec.evaluate.describing import PROFILE, calibration, descriptions, reconstruction
from grouprec.evaluate.fairness import exposure, value_by_attribute
from grouprec.evaluate.gain import split_evaluation
from grouprec.evaluate.left_behind import left_behind
from grouprec.evaluate.significance import compare_all
from grouprec.live.replay_value import replay
from grouprec.live.state import LiveState
from grouprec.models import together
from grouprec.models.base import REGISTRIES, Generator, Profile
from grouprec.models.blend import Weights, repeat_terms
from grouprec.models.declared import called
from grouprec.models.fitting import RunOptions
from grouprec.models.threads import beside_where
from grouprec.models.virtual_members import mean_preference, one_hot
from grouprec.ranking.candidates import find_candidates
from grouprec.ranking.group_lists import group_popularity, lists_from_rates, members_mean
from grouprec.ranking.statistics import mean_interval, paired_difference
from grouprec.ranking.strategies import STRATEGIES
from grouprec.ranking.task import Task, dedup_lists, individual_lists, shared_lists, test_task
from grouprec.runs.config import RunConfig
from grouprec.training import curve
from grouprec.training.fit import Choices, Evidence, Fitted, Formed
from grouprec.training.groups_and_lists import GroupMaker
from grouprec.training.rivals import SIMPLE, Rivals, find_rivals
from grouprec.training.saving import live_base
from grouprec.training.takes import judge_takes

USUAL = baselines.PREDICTOR
MANY_USERS = 1_000  # of whom the evidence takes seconds, so that two of its parts are made at a time
DESCRIBED_USERS = 5_000
DECODED = 500  # members of a group, drawn, who speak for it where a profile is decoded
JUDGED = {"quick": 5_000, "standard": 20_000, "thorough": 100_000}  # users of the test part at most, drawn
REPLAYED = {"quick": 4_000, "standard": 20_000, "thorough": 20_000}  # events at most, of drawn users


def judging(data: Dataset, config: RunConfig) -> Task:
    """Return what a run is judged by: the test part of as many users as its preset allows."""
    return test_task(data, config.repeats).sample(JUDGED[config.preset], config.seed)


def takes_seconds(data: Dataset, device: str) -> bool:
    """Whether the evidence takes so long that it is made beside something else, and in two halves.

    Not on a GPU, nor where several processes learn together and wait for this one.
    """
    return data.n_users > MANY_USERS and device == "cpu" and together.size() == 1


@dataclass(frozen=True, eq=False)
class Compared:
    """What is known of groups and lists before profile and generator are.

    Attributes:
        alone: personal lists of the judged users by every encoder of the blend.
        usual: what is predicted for all users by EASE as a rule, by name.
        curve: tables of what numbers of groups are worth.
    """

    alone: dict[str, Candidates]
    usual: dict[str, Candidates]
    rivals: Rivals
    curve: dict[str, pd.DataFrame]


def compare(formed: Formed, data: Dataset, choices: Choices, config: RunConfig, options: RunOptions) -> Compared:
    """Judge numbers of groups, and make what the run's lists are compared with. Arguments as of :func:`gather`."""
    task = judging(data, config)
    alone = _encoders_alone(formed, task, config, options)
    usual = {USUAL: alone[USUAL]} if USUAL in alone else {"own": formed.candidates}
    rivals = find_rivals(formed, task, choices, usual)
    tables = curve.tables(task, formed.maker, choices, {**usual, SIMPLE: rivals.simple})
    return Compared(alone, usual, rivals, tables)


def gather(
    judged: Fitted,
    comparing: Callable[[], Compared],
    data: Dataset,
    choices: Choices,
    config: RunConfig,
    options: RunOptions,
) -> Evidence:
    """Judge everything learned before the test part, but for :func:`describing`.

    Args:
        comparing: returns :func:`compare` of the same.
        data: with the test part; its users and items are those of ``judged``.
    """
    task = judging(data, config)
    histories = judged.data.histories
    compared = comparing()
    rivals = compared.rivals
    shared = {name: (judged.groups, lists) for name, lists in judged.lists.items()} | rivals.shared
    personal = compared.alone | rivals.personal
    evaluation = protocol.evaluate(
        histories, task, judged.groups, judged.candidates, shared, personal, rivals.floor, config.seed
    )
    maker = judged.maker
    measured = {(one.method, one.regime): one for one in evaluation.measured}
    others = beside_where(
        takes_seconds(data, options.device),
        lambda: {
            "strategies": _strategies(judged, task, maker, config),
            "left_behind": _left_behind(judged, task, measured, rivals.floor, config),
            "fairness": _fairness(judged, data, task, measured, config),
            "exposure": _exposure(judged, task, config),
            "repeats": _repeats(judged, data, task, choices, config),
            "cold_users": _cold_users(judged, task, choices, config),
            "cold_items": _cold_items(judged, task, choices, config),
            "replay": _replay(judged, data, choices, config),
        },
    )
    found = {
        "comparisons": compare_all(evaluation.measured, next(iter(judged.lists)), config.seed),
        **compared.curve,
        "gain": pd.DataFrame(split_evaluation(measured, judged.list_method, rivals.floor)),
        "ablation": _ablation(judged, task, rivals.kmeans, compared.usual, config),
        **_generation(judged, task, config, options),
        **others(),
    }
    verdict = generation.verdict(judged.lists, judged.groups, histories, task, found["frontier"], config.seed)
    takes, found["takes"] = judge_takes(judged, data, task, choices, config.seed)
    return Evidence(evaluation, found, verdict, takes)


def _encoders_alone(formed: Formed, task: Task, config: RunConfig, options: RunOptions) -> dict[str, Candidates]:
    """Return the judged users' personal lists by every encoder of the blend; all users' by the usual one.

    The usual one is there in any case, unless items are too many for it.
    """
    data, popularity = formed.data, formed.data.popularity
    encoders: dict[str, Any] = dict(formed.encoded.encoders)
    most = getattr(config.stage_config("encoder", USUAL), "max_items", data.n_items)
    if USUAL not in encoders and data.n_items <= most:
        usual = REGISTRIES["encoder"].get(USUAL)
        encoders[USUAL] = usual(usual.Config.for_preset("quick")).fit(data, options)

    def alone(name: str) -> Candidates:
        rows = slice(None) if name == USUAL else task.users
        found = encoders[name].embeddings(data)
        embeddings = Embeddings(found.users[rows], found.items)
        return find_candidates(embeddings, task.seen[rows], seed=config.seed, fallback=popularity)

    return {name: alone(name) for name in encoders}


def _ablation(
    judged: Fitted, task: Task, groups: Groups, usual: Mapping[str, Candidates], config: RunConfig
) -> pd.DataFrame:
    """Return what every stage adds to the lists, step by step: one change at a time, paired over users.

    Args:
        groups: k-means groups of the histories, to begin with.
    """
    histories, maker, seed = judged.data.histories, judged.maker, config.seed
    decoded = _decoded(judged, seed)
    usually = called("encoder", USUAL)
    steps: list[tuple[str, str, Groups, GroupLists]] = [
        ("popularity", N_("k-means on histories, popular items"), groups, group_popularity(histories, groups, seed)),
        *(
            ("encoder", f"members' mean of {usually}", groups, members_mean(predicted, groups, task.seen, seed))
            for name, predicted in usual.items()
            if name == USUAL
        ),
        ("blend", N_("members' mean of the blend"), groups, maker.lists(groups)["members_mean"]),
        ("grouping", N_("the run's own groups"), judged.groups, maker.lists(judged.groups)["members_mean"]),
        ("profile", N_("predicted from the members' profiles"), judged.groups, _from_rates(decoded, judged, seed)),
        ("generator", N_("predicted from virtual members"), judged.groups, judged.lists["generated"]),
    ]
    rows = []
    for regime in ("strict", "dedup"):
        before: protocol.Measured | None = None
        for step, what, members, lists in steps:
            one = protocol.measure_one(step, regime, lists, members, task)
            rows += _step_rows(step, what, one, before)
            before = one
    return pd.DataFrame(rows)


def _decoded(judged: Fitted, seed: int) -> np.ndarray:
    """Return what the members of every group want on average as the profile decodes them, float32 [G, I]."""
    latents, labels, n_groups = judged.profile.latents().users, judged.groups.labels, judged.groups.n_groups
    rng = np.random.default_rng(seed)

    def of(group: int) -> np.ndarray:
        members = np.flatnonzero(labels == group)
        some = members if len(members) <= DECODED else rng.choice(members, DECODED, replace=False)
        return mean_preference(judged.profile, latents[some], one_hot(group, n_groups))

    return np.stack([of(group) for group in range(n_groups)])


def _from_rates(rates: np.ndarray, judged: Fitted, seed: int) -> GroupLists:
    return lists_from_rates(rates, judged.data.histories, judged.groups, seed)


def _step_rows(step: str, what: str, one: protocol.Measured, before: protocol.Measured | None) -> list[dict[str, Any]]:
    """Return a row per headline metric: the value after the step, and its difference to the step before."""
    after = _headlines(one)
    unknown = (np.full(len(protocol.HEADLINES), np.nan),) * 4
    change = unknown if before is None else paired_difference(after, _headlines(before))
    value = after.mean(axis=0) if len(after) else unknown[0]
    names = ("metric", "value", "added", "low", "high", "p")
    rows = zip(protocol.HEADLINES, value.tolist(), *(part.tolist() for part in change), strict=True)
    what_for = {"step": step, "what": what, "regime": one.regime}
    return [what_for | dict(zip(names, row, strict=True)) for row in rows]


def _headlines(one: protocol.Measured) -> np.ndarray:
    """Return the headline metrics of every judged user, [J, 3]."""
    return np.column_stack([one.of(metric) for metric in protocol.HEADLINES])


def _strategies(judged: Fitted, task: Task, maker: GroupMaker, config: RunConfig) -> pd.DataFrame:
    """Return what the run's groups would get by every aggregation strategy."""
    rows = []
    for name, strategy in STRATEGIES.items():
        lists = maker.by_strategy(judged.groups, name)
        for one in protocol.measure_both(name, lists, judged.groups, task):
            row = {"strategy": name, "title": strategy.title, "regime": one.regime}
            rows += [row | bounds for bounds in _intervals(one)]
    return pd.DataFrame(rows)


def _left_behind(
    judged: Fitted,
    task: Task,
    measured: dict[tuple[str, str], protocol.Measured],
    floor: Mapping[Regime, str],
    config: RunConfig,
) -> pd.DataFrame:
    """Return who is served badly by the lists that are exported, and what splitting a group would gain."""
    frames = []
    for regime, method in judged.list_method.items():
        one, lowest = measured[method, regime], measured[floor[regime], regime]
        frame = left_behind(one, lowest, judged.groups, task, judged.candidates, task.seen, regime, config.seed)
        frames.append(frame.assign(group=frame["group"] + 1, regime=regime, method=method))
    return pd.concat(frames, ignore_index=True)


def _fairness(
    judged: Fitted,
    data: Dataset,
    task: Task,
    measured: dict[tuple[str, str], protocol.Measured],
    config: RunConfig,
) -> pd.DataFrame:
    """Return what the exported lists are worth to users of every attribute value."""
    attributes = data.user_attributes if len(data.user_attributes) else pd.DataFrame(index=range(data.n_users))
    frames = [
        value_by_attribute(measured[method, regime], attributes, task, config.seed).assign(regime=regime, method=method)
        for regime, method in judged.list_method.items()
    ]
    return pd.concat(frames, ignore_index=True)


def describing(judged: Fitted, plain: Profile | None, data: Dataset, config: RunConfig) -> dict[str, pd.DataFrame]:
    """Return how well the profile describes users it knows, on what they took next.

    Args:
        plain: a profile of the same users in one group; None where what groups add to it is not asked.
        data: with the test part.
    """
    some, groups = judging(data, config).sample(DESCRIBED_USERS, config.seed), judged.groups
    ways = descriptions(judged.profile, groups, plain, judged.data.histories)
    return {
        "reconstruction": reconstruction(ways, groups, some, config.seed),
        "calibration": calibration(ways[PROFILE], groups, some),
    }


def _generation(judged: Fitted, task: Task, config: RunConfig, options: RunOptions) -> dict[str, pd.DataFrame]:
    """Return what variety costs, and in presets that take their time, how lists from half of a group serve the rest."""
    groups, histories, candidates = judged.groups, judged.data.histories, judged.candidates
    members, vectors = judged.lists["members_mean"], judged.preference.components
    generator, profile = judged.generator, judged.profile
    found = {"frontier": generation.frontier(generator, profile, groups, histories, members, vectors, task, options)}
    if config.preset != "quick":

        def fit(data: Dataset, groups: Groups, candidates: Candidates) -> tuple[Profile, Generator]:
            fresh = type(profile)(profile.config).fit(data, groups, candidates, options)
            return fresh, type(generator)(generator.config).fit(groups, fresh, candidates, options)

        found["small_groups"] = generation.small_groups(fit, judged.data, groups, candidates, task, options)
    return found


def _replay(judged: Fitted, data: Dataset, choices: Choices, config: RunConfig) -> pd.DataFrame:
    """Return what groups and lists become as the test part happens."""
    base = live_base(judged, choices.live_weight, config, None)
    most = REPLAYED[config.preset]
    return replay(lambda: LiveState(base, judged.updater, judged.grouper), data.test, config.seed, most_events=most)


def _exposure(judged: Fitted, task: Task, config: RunConfig) -> pd.DataFrame:
    """Return which items personal and shared lists show, against what users have."""
    labels, attributes = judged.groups.labels, judged.data.item_attributes
    strict = judged.lists[judged.list_method["strict"]].strict
    ranking = judged.lists[judged.list_method["dedup"]].ranking
    shown = {
        "individual": individual_lists(judged.candidates, task),
        "strict": shared_lists(strict, labels, task),
        "dedup": dedup_lists(ranking, labels, task),
    }
    frames = [
        exposure(lists, task.owned, attributes if len(attributes) else None, task.users).assign(regime=regime)
        for regime, lists in shown.items()
    ]
    return pd.concat(frames, ignore_index=True)


def _repeats(judged: Fitted, data: Dataset, task: Task, choices: Choices, config: RunConfig) -> pd.DataFrame:
    """Return what personal lists are worth in both tasks, new items only and with repeats, if a blend for the other
    was chosen."""
    rows, histories, tasks = [], judged.data.histories, {config.repeats: task}
    if choices.other_weights is not None:
        tasks[not config.repeats] = test_task(data, not config.repeats).sample(JUDGED[config.preset], config.seed)
    for repeats, one_task in sorted(tasks.items()):
        users = one_task.users
        other = None if one_task is task else choices.other_weights
        personal = judged.candidates if other is None else _other_candidates(judged, one_task, other, config)
        methods = {"individual": personal, "popularity": _popular(histories, len(users), config.seed)}
        if repeats:
            methods["own_frequency"] = baselines.own_frequency(histories[users])
        for name, candidates in methods.items():
            one = protocol.measure(name, "individual", individual_lists(candidates, one_task), one_task)
            what = {"task": "repeats allowed" if repeats else "new items", "method": name, "n_users": len(users)}
            rows += [what | bounds for bounds in _intervals(one)]
    return pd.DataFrame(rows)


def _other_candidates(judged: Fitted, task: Task, weights: Weights, config: RunConfig) -> Candidates:
    """Return the judged users' candidates in the use that the run is not made for: repeats, or new items only."""
    terms = () if config.repeats else repeat_terms(judged.data)
    predictor = judged.encoded.predictor(weights, judged.data, terms)
    return predictor.best_of(task.users, task.seen[task.users], config.seed)


def _intervals(one: protocol.Measured) -> list[dict[str, Any]]:
    """Return metric, value, low and high of every headline metric."""
    found = mean_interval(_headlines(one))
    rows = zip(protocol.HEADLINES, *(part.tolist() for part in found), strict=True)
    return [dict(zip(("metric", "value", "low", "high"), row, strict=True)) for row in rows]


def _popular(histories: sparse.csr_array, n_users: int, seed: int) -> Candidates:
    """Return the most popular items, the same for so many users."""
    items, (_, n_items) = baselines.popularity(histories, seed).ranking[0], histories.shape
    everyone = np.broadcast_to(items, (n_users, len(items)))
    return Candidates(everyone, np.zeros(everyone.shape, np.float32), n_items)


def _cold_users(judged: Fitted, task: Task, choices: Choices, config: RunConfig) -> pd.DataFrame:
    """Return what users of whom little is known get."""

    def predict(histories: sparse.csr_array, attributes: pd.DataFrame) -> Candidates:
        return judged.predict(choices.weights, histories, attributes)

    def place(histories: sparse.csr_array, attributes: pd.DataFrame, candidates: Candidates) -> np.ndarray:
        return judged.place(candidates, histories, attributes)

    return cold_users(judged.data, task, judged.groups, predict, place, seed=config.seed)


def _cold_items(judged: Fitted, task: Task, choices: Choices, config: RunConfig) -> pd.DataFrame:
    """Return how well attributes and text find users for items that nobody has taken yet.

    By the encoder that weighs most in the blend.
    """
    name = max(judged.encoded.encoders, key=lambda one: choices.weights.encoders[one])
    encoder = judged.encoded.encoders[name]
    return cold_items(judged.data, task, encoder.encode, encoder.items(), config.seed).assign(encoder=name)
