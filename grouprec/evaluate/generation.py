"""What the generator is worth: its frontier of variety against value, small groups, and a verdict for every run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.types import Candidates, GroupLatents, GroupLists, Groups
from grouprec.data.beside import Beside
from grouprec.data.dataset import Dataset, Interactions
from grouprec.evaluate.protocol import Measured, measure_both, measure_one
from grouprec.models import alternatives
from grouprec.models.base import Generator, Profile
from grouprec.models.fitting import RunOptions
from grouprec.models.threads import side_by_side
from grouprec.models.virtual_members import one_hot
from grouprec.ranking.group_lists import LENGTH, members_mean
from grouprec.ranking.metrics import coverage, intra_list_diversity
from grouprec.ranking.statistics import resampled_means
from grouprec.ranking.task import Task
from grouprec.ranking.variety import diversify
from grouprec.runs import schemas

DIALS = (0.0, 0.25, 0.5, 0.75, 1.0)  # from safe to surprising
MMR_DIALS = (0.3, 0.5, 0.6, 0.7, 0.8)  # maximal marginal relevance changes nothing below, and keeps little above
N_LISTS = 5  # alternative lists of a group that take turns
DEFAULT_DIAL = 0.5  # of the alternative lists that the verdict speaks of
SIZES = (0, 10, 25, 50, 100)  # members learned from, above which a band of small groups begins
SHOWN = ("ndcg@10", "precision@10", "intra_list_diversity", "novelty")  # have a value per judged user

Sample = Callable[[int, int, np.random.Generator], np.ndarray]  # group, how many -> virtual members
Fit = Callable[[Dataset, Groups, Candidates], tuple[Profile, Generator]]


@dataclass(frozen=True, eq=False)
class Point:
    """One method at one place of its dial: ``values`` float64 [T, 4] in the order of ``SHOWN``."""

    method: str
    dial: float
    values: np.ndarray
    coverage: float


def frontier(
    generator: Generator,
    profile: Profile,
    groups: Groups,
    histories: sparse.csr_array,
    members: GroupLists,
    vectors: np.ndarray,
    task: Task,
    run: RunOptions,
) -> pd.DataFrame:
    """Return what variety costs in the strict regime, for generated lists and for three others beside them.

    ``generated`` and ``gaussian``: five alternative lists of every group take turns
    (:meth:`grouprec.models.alternatives.VirtualGroup.lists`), so values are means over the five and coverage is that
    of all; virtual members come from the generator or from a diagonal Gaussian per group. ``mmr``: the members' mean
    list under maximal marginal relevance. ``members_mean``: that list as it is. Each of the latter two is one list per
    group.

    Args:
        histories: CSR [U, I], all that was learned from.
        members: the members' mean lists.
        vectors: float32 [I, D], what makes items similar to maximal marginal relevance.
        task: what the lists are judged by.
    Returns:
        method; dial (0 to 1; 0 for members_mean); regime "strict"; ndcg@10, precision@10, intra_list_diversity, novelty
        (means over judged users), coverage; the same five as ``..._ratio`` to the members' mean; ndcg@10_low and
        ndcg@10_high, the bootstrap 95 % interval of the ratio.
    """
    judge = Judge(groups, histories, task)
    points = [judge("members_mean", 0.0, members.strict[None, :, :LENGTH])]
    for dial in MMR_DIALS:
        varied, _ = diversify(members.strict, members.strict_scores, vectors, LENGTH, dial)
        points.append(judge("mmr", dial, varied[None]))
    draws: dict[str, Sample] = {"generated": generator.sample, "gaussian": gaussian(profile.latents(), groups)}
    for method, sample in draws.items():
        lists = _alternatives(sample, profile, groups, histories, run.rng(f"frontier {method}"))
        points += [judge(method, dial, lists[dial]) for dial in DIALS]
    return _table(points, run.seed)


def gaussian(latents: GroupLatents, groups: Groups) -> Sample:
    """Return what draws from a diagonal Gaussian per group: mean and standard deviation of its members' latents."""
    rows = [latents.users[groups.labels == group] for group in range(groups.n_groups)]
    mean, std = (np.stack([part(row, axis=0) for row in rows]) for part in (np.mean, np.std))

    def sample(group: int, n: int, rng: np.random.Generator) -> np.ndarray:
        return (mean[group] + std[group] * rng.standard_normal((n, mean.shape[1]))).astype(np.float32)

    return sample


def _alternatives(
    sample: Sample, profile: Profile, groups: Groups, histories: sparse.csr_array, rng: np.random.Generator
) -> dict[float, np.ndarray]:
    """Return the lists that take turns at every place of the dial, int32 [N_LISTS, G, 10] each."""
    found: dict[float, list[np.ndarray]] = {dial: [] for dial in DIALS}
    for group in range(groups.n_groups):
        mixture = one_hot(group, groups.n_groups)
        virtual_group = alternatives.VirtualGroup.draw_members(
            profile, lambda n, rng, group=group: sample(group, n, rng), mixture, rng, histories
        )
        for dial in DIALS:
            items = virtual_group.lists(N_LISTS, dial, rng).items
            found[dial].append(items[np.arange(N_LISTS) % len(items)])  # those there are take turns
    return {dial: np.stack(lists, axis=1) for dial, lists in found.items()}


@dataclass(frozen=True, eq=False)
class Judge:
    """Judges lists that take turns by one task."""

    groups: Groups
    histories: sparse.csr_array
    task: Task

    def __call__(self, method: str, dial: float, turns: np.ndarray) -> Point:
        """Return the means over turns of every judged user's values. ``turns`` int32 [N, G, K]."""
        labels = self.groups.labels
        values = np.zeros((len(self.task.users), len(SHOWN)))
        for items in turns:
            lists = _strict(items)
            measured = measure_one(method, "strict", lists, self.groups, self.task)
            variety = intra_list_diversity(items, self.histories, LENGTH)[labels[self.task.users]]
            columns = [measured.of("ndcg@10"), measured.of("precision@10"), variety, measured.of("novelty@10")]
            values += np.column_stack(columns) / len(turns)
        _, n_items = self.task.seen.shape
        shown = turns[:, np.unique(labels[self.task.users])].reshape(-1, turns.shape[2])
        return Point(method, dial, values, coverage(shown, n_items))


def _strict(items: np.ndarray) -> GroupLists:
    """Return shared lists without a ranking."""
    scores = np.zeros(items.shape, np.float32)
    return GroupLists(items, scores, items, scores)


def _table(points: list[Point], seed: int) -> pd.DataFrame:
    """Return the frontier's table; the first point is the reference."""
    base, columns = points[0], [*SHOWN, "coverage"]
    means = np.stack([np.append(point.values.mean(axis=0), point.coverage) for point in points])
    table = pd.DataFrame({"method": [p.method for p in points], "dial": [p.dial for p in points], "regime": "strict"})
    table[columns] = means
    table[[f"{name}_ratio" for name in columns]] = means / np.where(means[0] > 0, means[0], np.nan)
    table[["ndcg@10_low", "ndcg@10_high"]] = ratio_intervals(
        np.column_stack([point.values[:, 0] for point in points]), base.values[:, 0], seed
    )
    return table


def ratio_intervals(values: np.ndarray, base: np.ndarray, seed: int) -> np.ndarray:
    """Return the bootstrap 95 % interval of the ratio of two means over the same users, float64 [M, 2].

    NaN where there is no user or the base has no value.

    Args:
        values: [T, M].
        base: [T].
    """
    if not len(base) or not base.any():
        return np.full((values.shape[1], 2), np.nan)
    means = resampled_means(np.column_stack([values, base]), seed).astype(np.float64)
    means = means[means[:, -1] > 0]
    return np.percentile(means[:, :-1] / means[:, -1:], [2.5, 97.5], axis=0).T


def small_groups(
    fit: Fit, data: Dataset, groups: Groups, candidates: Candidates, task: Task, run: RunOptions
) -> pd.DataFrame:
    """Return how lists learned from half of a group's members serve the other half, both ways.

    Every group of at least two members is split at random. Profile and generator learn from one half of the users
    only, and so do the members' mean lists; both are judged on the other half in both regimes: does a generator, which
    lets small groups lean on large ones, generalise better than the mean? What users are predicted to want is the same
    for both (the encoder has seen all histories).

    Args:
        fit: fits a fresh profile and generator on the given users.
    Returns:
        band, the number of members learned from ("all" for all groups); regime; n_groups; n_users, judged; generated
        and members_mean, nDCG@10; ratio with its bootstrap 95 % interval low, high over judged users.
    """
    halves = _halves(groups, run.rng("small groups"))

    def learn(half: int) -> pd.DataFrame:
        learning, judged = np.flatnonzero(halves == half), np.flatnonzero(halves == 1 - half)
        return _learn_and_judge(fit, data, groups, candidates, task, run, learning, judged)

    there = [half for half in (0, 1) if (halves == half).any()]  # both, or none
    parts = side_by_side(learn, there, run.device == "cpu")
    columns = schemas.named("small_groups").names
    if not parts or not len(every := pd.concat(parts)):
        return pd.DataFrame(columns=columns)
    bands = [("all", every), *((str(name), part) for name, part in every.groupby("band", observed=True))]
    rows = []
    for band, part in bands:
        for regime, users in part.groupby("regime", sort=False):
            low, high = ratio_intervals(users[["generated"]].to_numpy(), users["members_mean"].to_numpy(), run.seed)[0]
            ours, theirs = users["generated"].mean(), users["members_mean"].mean()
            ratio = ours / theirs if theirs > 0 else np.nan
            rows.append((band, regime, users["group"].nunique(), len(users), ours, theirs, ratio, low, high))
    return pd.DataFrame(rows, columns=columns)


def _halves(groups: Groups, rng: np.random.Generator) -> np.ndarray:
    """Return the half that every user belongs to, int64 [U]: 0 or 1, -1 in groups of one."""
    order = np.lexsort((rng.random(len(groups.labels)), groups.labels))
    starts = np.concatenate([[0], groups.sizes.cumsum()[:-1]])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order)) - starts[groups.labels[order]]
    return np.where(groups.sizes[groups.labels] > 1, place % 2, -1)


def _learn_and_judge(
    fit: Fit,
    data: Dataset,
    groups: Groups,
    candidates: Candidates,
    task: Task,
    run: RunOptions,
    learning: np.ndarray,
    judged: np.ndarray,
) -> pd.DataFrame:
    """Return a row per judged user and regime: group, band, regime, generated, members_mean."""
    names, labels = np.unique(groups.labels[learning], return_inverse=True)  # groups of one are left out
    half, own = Groups(labels.astype(np.int32), len(names)), candidates.take(learning)
    some = _of_users(data, learning)
    profile, generator = fit(some, half, own)
    lists = {
        "generated": generator.lists(some, half, profile, run),
        "members_mean": members_mean(own, half, some.known, run.seed),
    }
    everybody = Groups(np.searchsorted(names, groups.labels).clip(max=len(names) - 1).astype(np.int32), len(names))
    some_task = replace(task, users=np.intersect1d(task.users, judged).astype(np.int32))
    of = everybody.labels[some_task.users]
    edges = [*SIZES, np.inf]
    labels = [f"{low + 1} to {high}" for low, high in itertools.pairwise(SIZES)] + [f"over {SIZES[-1]}"]
    frames = []
    for regime in ("strict", "dedup"):
        measured = {
            name: measure_one(name, regime, these, everybody, some_task).of("ndcg@10") for name, these in lists.items()
        }
        band = pd.cut(half.sizes[of], edges, labels=labels)
        frames.append(pd.DataFrame({"group": names[of], "band": band, "regime": regime, **measured}))
    return pd.concat(frames)


def _of_users(data: Dataset, rows: np.ndarray) -> Dataset:
    """Return the training part of some users, who become rows 0, 1, ...; nothing else is left to learn from."""
    new = np.full(data.n_users, -1, np.int32)
    new[rows] = np.arange(len(rows))
    train = data.train.take(new[data.train.user_rows] >= 0)
    attributes = data.user_attributes
    return replace(
        data,
        key=f"{data.key} half",
        user_ids=data.user_ids[rows],
        train=replace(train, user_rows=new[train.user_rows]),
        validation=Interactions.empty(data.timed),
        test=Interactions.empty(data.timed),
        user_attributes=attributes.iloc[rows].reset_index(drop=True) if len(attributes) else attributes,
        left_out=None,
        beside=Beside(),
    )


def verdict(
    lists: Mapping[str, GroupLists],
    groups: Groups,
    histories: sparse.csr_array,
    task: Task,
    points: pd.DataFrame,
    seed: int,
) -> dict[str, float]:
    """Return what generated lists keep of the members' mean, and what they change.

    Args:
        lists: "generated" and "members_mean".
        points: the :func:`frontier` of the same groups.
    Returns:
        For both regimes ``strict_ratio`` and ``dedup_ratio`` of nDCG@10 with ``..._low`` and ``..._high`` (bootstrap
        95 %); ``diversity_change``, ``novelty_change`` and ``coverage_change`` of the strict list in per cent. The same
        five of alternative lists that take turns, half way between safe and surprising, as ``turns_ratio`` and so on.
    """
    found: dict[str, float] = {}
    ours, theirs = (measure_both(name, lists[name], groups, task) for name in ("generated", "members_mean"))
    for one, other in zip(ours, theirs, strict=True):
        found |= _ratio(one.regime, one, other, seed)
    strict, usual = ours[0], theirs[0]
    variety = (_variety(lists[name].strict, groups, histories, task) for name in ("generated", "members_mean"))
    found["diversity_change"] = _change(*variety)
    found["novelty_change"] = _change(strict.of("novelty@10").mean(), usual.of("novelty@10").mean())
    found["coverage_change"] = _change(strict.whole["coverage@10"], usual.whole["coverage@10"])
    row = points[(points["method"] == "generated") & (points["dial"] == DEFAULT_DIAL)].iloc[0]
    found |= {"turns_ratio": row["ndcg@10_ratio"], "turns_low": row["ndcg@10_low"], "turns_high": row["ndcg@10_high"]}
    for name, column in (("diversity", "intra_list_diversity"), ("novelty", "novelty"), ("coverage", "coverage")):
        found[f"turns_{name}_change"] = 100 * (row[f"{column}_ratio"] - 1)
    return {name: float(value) for name, value in found.items()}


def _ratio(name: str, one: Measured, other: Measured, seed: int) -> dict[str, float]:
    """Return the ratio of two methods' nDCG@10 and its interval."""
    values, base = one.of("ndcg@10"), other.of("ndcg@10")
    low, high = ratio_intervals(values[:, None], base, seed)[0]
    ratio = values.mean() / base.mean() if base.any() else np.nan
    return {f"{name}_ratio": ratio, f"{name}_low": low, f"{name}_high": high}


def _variety(items: np.ndarray, groups: Groups, histories: sparse.csr_array, task: Task) -> float:
    """Return the mean intra-list diversity of what the judged users see."""
    return float(intra_list_diversity(items, histories, LENGTH)[groups.labels[task.users]].mean())


def _change(value: float, base: float) -> float:
    """Return the change in per cent; NaN against nothing."""
    return 100 * (value / base - 1) if base else np.nan
