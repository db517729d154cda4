from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.types import Candidates, Embeddings, GroupLatents, GroupLists, Groups
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import planted
from grouprec.evaluate import generation
from grouprec.evaluate.generation import (
    DIALS,
    MMR_DIALS,
    frontier,
    gaussian,
    ratio_intervals,
    small_groups,
    verdict,
)
from grouprec.evaluate.protocol import measure_one
from grouprec.models.fitting import RunOptions
from grouprec.models.virtual_members import history_matrix, virtual_histories, wanted
from grouprec.ranking.candidates import find_candidates
from grouprec.ranking.group_lists import lists_from_scores, members_mean
from grouprec.ranking.metrics import coverage, intra_list_diversity
from grouprec.ranking.statistics import resampled_means
from grouprec.ranking.task import Task, test_task
from tests.support.virtual import BlockProfile, GaussianGenerator

RUN = RunOptions()
PROFILE = BlockProfile(spread=1.0)
GENERATOR = GaussianGenerator(PROFILE)
GROUPS = Groups(np.repeat([0, 1, 2], 40).astype(np.int32), 3)
MEMBERS = np.concatenate([GENERATOR.sample(group, 40, np.random.default_rng(group)) for group in range(3)])


class Placed(BlockProfile):
    """The same profile, with the users' own places."""

    def latents(self) -> GroupLatents:
        known = super().latents()
        return GroupLatents(MEMBERS, known.mean, known.std)


def histories() -> sparse.csr_array:
    rng = np.random.default_rng(0)
    return history_matrix(virtual_histories(PROFILE, MEMBERS, np.full(120, 5), rng), PROFILE.n_items)


HISTORIES = histories()


def the_task() -> Task:
    """Find six items of the users' taste; those that they have count, too, and nobody is spared them."""
    rng = np.random.default_rng(1)
    relevant = history_matrix(virtual_histories(PROFILE, MEMBERS, np.full(120, 6), rng), PROFILE.n_items)
    return Task(NOTHING, relevant, np.arange(115, dtype=np.int32), HISTORIES)


NOTHING = sparse.csr_array(HISTORIES.shape, dtype=np.float32)
TASK = the_task()


@cache
def usual() -> GroupLists:
    own = wanted(PROFILE, MEMBERS, np.array([1, 0, 0], np.float32), NOTHING, 50)
    return members_mean(own, GROUPS, HISTORIES, 0)


@cache
def points() -> pd.DataFrame:
    vectors = HISTORIES.T.toarray().astype(np.float32)
    return frontier(GENERATOR, Placed(spread=1.0), GROUPS, HISTORIES, usual(), vectors, TASK, RUN)


def of(method: str) -> pd.DataFrame:
    return points()[points()["method"] == method].set_index("dial")


def test_frontier_has_every_method_at_every_place_of_its_dial():
    counts = points()["method"].value_counts().to_dict()
    assert counts == {"members_mean": 1, "mmr": len(MMR_DIALS), "generated": len(DIALS), "gaussian": len(DIALS)}
    assert of("mmr").index.tolist() == [0.3, 0.5, 0.6, 0.7, 0.8] and of("members_mean").index.tolist() == [0]
    assert of("generated").index.tolist() == of("gaussian").index.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert (points()["regime"] == "strict").all() and not points().isna().any(axis=None)


def test_members_mean_is_measured_as_anywhere_else_and_is_the_reference():
    row, lists = of("members_mean").loc[0.0], usual()
    measured = measure_one("", "strict", lists, GROUPS, TASK)
    assert row["ndcg@10"] == pytest.approx(measured.of("ndcg@10").mean())
    assert row["precision@10"] == pytest.approx(measured.of("precision@10").mean())
    assert row["novelty"] == pytest.approx(measured.of("novelty@10").mean())
    assert row["coverage"] == pytest.approx(coverage(lists.strict, PROFILE.n_items))
    variety = intra_list_diversity(lists.strict, HISTORIES)[GROUPS.labels[TASK.users]].mean()
    assert row["intra_list_diversity"] == pytest.approx(variety)
    assert row[["ndcg@10_ratio", "coverage_ratio", "ndcg@10_low", "ndcg@10_high"]].tolist() == pytest.approx([1] * 4)


def test_generated_lists_keep_the_members_mean_and_the_dial_trades_value_for_variety():
    generated = of("generated")
    assert generated.loc[0.0, "ndcg@10_ratio"] >= 0.97
    assert generated.loc[1.0, "ndcg@10_ratio"] < generated.loc[0.0, "ndcg@10_ratio"]
    half_way = generated.loc[0.5]
    assert half_way["ndcg@10_ratio"] >= 0.97 and half_way["coverage_ratio"] > 1
    assert half_way["intra_list_diversity_ratio"] > 1.03
    assert generated["intra_list_diversity"].is_monotonic_increasing
    assert (generated["ndcg@10_low"] <= generated["ndcg@10_ratio"]).all()
    assert (generated["ndcg@10_high"] >= generated["ndcg@10_ratio"]).all()


def test_maximal_marginal_relevance_buys_variety():
    mmr = of("mmr")
    assert mmr["intra_list_diversity_ratio"].iloc[-1] > 1 > mmr["ndcg@10_ratio"].iloc[-1]


def test_the_gaussian_has_mean_and_deviation_of_the_members():
    drawn = gaussian(Placed().latents(), GROUPS)(1, 4000, np.random.default_rng(0))
    own = MEMBERS[GROUPS.labels == 1]
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=0), own.mean(axis=0), atol=0.07)
    np.testing.assert_allclose(drawn.std(axis=0), own.std(axis=0), rtol=0.05)
    noise = np.random.default_rng(0).standard_normal((4000, 3))
    np.testing.assert_allclose(drawn, own.mean(axis=0) + own.std(axis=0) * noise, rtol=1e-4, atol=1e-4)


def test_five_alternative_lists_of_every_group_take_turns():
    lists = generation._alternatives(GENERATOR.sample, PROFILE, GROUPS, HISTORIES, np.random.default_rng(0))
    assert list(lists) == list(DIALS) and all(one.shape == (5, 3, 10) for one in lists.values())
    for turn in lists[0.5]:
        assert all(np.isin(turn[group], PROFILE.block(group)).mean() > 0.5 for group in range(3))


def test_the_table_of_hand_worked_points():
    base = generation.Point("members_mean", 0.0, np.array([[0.5, 2, 0, 4], [0.25, 2, 0, 2]]), 0.5)
    other = generation.Point("mmr", 0.3, np.array([[0.25, 1, 1, 4], [0.25, 2, 0, 5]]), 0.25)
    table = generation._table([base, other], 0)
    row = table.loc[1]
    columns = ["ndcg@10", "precision@10", "intra_list_diversity", "novelty", "coverage"]
    assert row[["method", "dial", "regime", *columns]].tolist() == ["mmr", 0.3, "strict", 0.25, 1.5, 0.5, 4.5, 0.25]
    ratios = row[[f"{name}_ratio" for name in columns]].to_numpy(float)
    assert ratios == pytest.approx([2 / 3, 0.75, np.nan, 1.5, 0.5], nan_ok=True)  # nothing over nothing is unknown
    expected = ratio_intervals(other.values[:, :1], base.values[:, 0], 0)[0]
    assert row[["ndcg@10_low", "ndcg@10_high"]].tolist() == pytest.approx(expected.tolist())


def test_verdict_of_the_members_own_lists_is_that_nothing_changes():
    lists = {"generated": usual(), "members_mean": usual()}
    found = verdict(lists, GROUPS, HISTORIES, TASK, points(), 0)
    for regime in ("strict", "dedup"):
        assert [found[f"{regime}_{end}"] for end in ("ratio", "low", "high")] == pytest.approx([1, 1, 1])
    assert [found[f"{what}_change"] for what in ("diversity", "novelty", "coverage")] == pytest.approx([0, 0, 0])
    row = of("generated").loc[0.5]
    assert found["turns_ratio"] == row["ndcg@10_ratio"]
    assert found["turns_coverage_change"] == pytest.approx(100 * (row["coverage_ratio"] - 1))


def test_verdict_sees_worse_lists():
    rng = np.random.default_rng(0)
    scores = rng.random((3, PROFILE.n_items), np.float32)
    found = verdict(
        {"generated": lists_from_scores(scores, scores, 0), "members_mean": usual()},
        GROUPS,
        HISTORIES,
        TASK,
        points(),
        0,
    )
    assert found["strict_high"] < 0.9 and found["diversity_change"] > 0
    lists = lists_from_scores(scores, scores, 0)
    ours, theirs = (measure_one("", "strict", these, GROUPS, TASK) for these in (lists, usual()))
    labels = GROUPS.labels[TASK.users]
    variety = [intra_list_diversity(these.strict, HISTORIES)[labels].mean() for these in (lists, usual())]
    assert found["diversity_change"] == pytest.approx(100 * variety[0] / variety[1] - 100)
    assert found["strict_ratio"] == pytest.approx(ours.of("ndcg@10").mean() / theirs.of("ndcg@10").mean())
    novelty = [one.of("novelty@10").mean() for one in (ours, theirs)]
    assert found["novelty_change"] == pytest.approx(100 * novelty[0] / novelty[1] - 100)
    covered = [one.whole["coverage@10"] for one in (ours, theirs)]
    assert found["coverage_change"] == pytest.approx(100 * covered[0] / covered[1] - 100)
    row = of("generated").loc[0.5]
    assert [found["turns_low"], found["turns_high"]] == row[["ndcg@10_low", "ndcg@10_high"]].tolist()
    for name, column in (("diversity", "intra_list_diversity"), ("novelty", "novelty"), ("coverage", "coverage")):
        assert found[f"turns_{name}_change"] == pytest.approx(100 * (row[f"{column}_ratio"] - 1))


def test_a_change_against_nothing_is_unknown():
    assert generation._change(3, 2) == 50 and np.isnan(generation._change(3, 0))
    empty = GroupLists(*[np.full((3, 10), -1, np.int32), np.zeros((3, 10), np.float32)] * 2)
    found = verdict({"generated": usual(), "members_mean": empty}, GROUPS, HISTORIES, TASK, points(), 0)
    assert np.isnan([found["strict_ratio"], found["strict_low"], found["coverage_change"]]).all()


def test_ratio_of_two_equal_methods_is_one_and_of_twice_as_much_two():
    base = np.random.default_rng(0).random(50)
    np.testing.assert_allclose(ratio_intervals(np.column_stack([base, 2 * base]), base, 0), [[1, 1], [2, 2]], rtol=1e-5)
    assert np.isnan(ratio_intervals(np.empty((0, 2)), np.empty(0), 0)).all()
    assert np.isnan(ratio_intervals(base[:, None], 0 * base, 0)).all()


def test_the_interval_of_a_ratio_is_that_of_the_resamples_in_which_there_is_one():
    base, values = np.array([0.0, 0.5, 0.0]), np.array([[0.25, 1], [0.5, 0], [0, 0]])
    means = resampled_means(np.column_stack([values, base]), 3).astype(float)
    some = means[means[:, 2] > 0]
    assert 0 < len(some) < len(means)
    expected = np.percentile(some[:, :2] / some[:, 2:], [2.5, 97.5], axis=0).T
    assert ratio_intervals(values, base, 3) == pytest.approx(expected)


class Remembering(GaussianGenerator):
    """Lists the members' mean of the users it was fitted on, or its reverse."""

    def __init__(self, lists: GroupLists) -> None:
        super().__init__(PROFILE)
        self._lists = lists

    def lists(self, *_: Any) -> GroupLists:
        return self._lists


@cache
def shop() -> tuple[Dataset, Groups, Candidates, Task]:
    answer = planted(n_users=60, n_items=90, n_groups=3, events_per_user=20)
    labels = np.append(answer.labels[:-1], 3).astype(np.int32)  # the last user is a group of one
    data, task = answer.data.before_test(), test_task(answer.data)
    together = sparse.csr_array(data.known.T @ data.known)
    candidates = find_candidates(Embeddings(data.known, together), data.known, 10)
    return data, Groups(labels, 4), candidates, task


def n_judged() -> int:
    """Return how many of the users who are not alone have something to be found."""
    return int((shop()[3].users < 59).sum())


def halves(worse: bool = False) -> tuple[pd.DataFrame, list[tuple[Dataset, Groups]]]:
    """Return the table of a generator that lists the members' mean, or other groups' lists, and what it was given."""
    data, groups, candidates, task = shop()
    given = []

    def fit(some: Dataset, half: Groups, own: Candidates) -> Any:
        given.append((some, half))
        shifted = Groups((half.labels + worse) % half.n_groups, half.n_groups)
        return PROFILE, Remembering(members_mean(own, shifted, some.known, RUN.seed))

    return small_groups(fit, data, groups, candidates, task, RUN), given


def test_halves_learn_apart_and_every_member_but_those_alone_is_judged_once():
    table, given = halves()
    ids = [set(some.user_ids) for some, _ in given]
    assert not ids[0] & ids[1] and len(ids[0] | ids[1]) == 59
    data, groups, _, _ = shop()
    for some, half in given:
        rows = np.searchsorted(data.user_ids.astype(str), some.user_ids.astype(str))
        assert (some.known != data.known[rows]).nnz == 0 and (half.labels == groups.labels[rows]).all()
        assert half.n_groups == 3 and not len(some.test) and not len(some.validation)
    assert table[table["band"] == "all"]["n_users"].tolist() == [n_judged()] * 2 and n_judged() > 40


def test_halves_differ_by_at_most_one_member_and_the_first_is_the_larger():
    groups = Groups(np.repeat([0, 1, 2, 3], [5, 1, 2, 7]).astype(np.int32), 4)
    found = generation._halves(groups, np.random.default_rng(0))
    counts = [np.bincount(found[groups.labels == group] + 1, minlength=3).tolist() for group in range(4)]
    assert counts == [[0, 3, 2], [1, 0, 0], [0, 1, 1], [0, 4, 3]]
    others = [generation._halves(groups, np.random.default_rng(seed)).tolist() for seed in range(3)]
    assert others[0] == found.tolist() and len({tuple(one) for one in others}) == 3


def test_a_half_has_the_attributes_of_its_users_if_there_are_any():
    data = shop()[0]
    rows = np.array([0, 3, 8])
    half = generation._of_users(data, rows)
    assert half.user_attributes.columns.tolist() == data.user_attributes.columns.tolist()
    assert half.user_attributes["age"].to_dict() == dict(enumerate(data.user_attributes["age"].iloc[rows]))
    assert (half.train.user_rows == 0).sum() == (data.train.user_rows == 0).sum() > 0
    nameless = replace(data, user_attributes=pd.DataFrame())
    assert generation._of_users(nameless, rows).user_attributes.empty


def test_nobody_judged_gives_no_rows():
    data, groups, candidates, task = shop()
    nobody = replace(task, users=np.empty(0, np.int32))
    fit = lambda some, half, own: (PROFILE, Remembering(members_mean(own, half, some.known, 0)))  # noqa: E731
    table = small_groups(fit, data, groups, candidates, nobody, RUN)
    assert table.empty and list(table.columns)[:3] == ["band", "regime", "n_groups"]


def test_ten_members_to_learn_from_are_a_group_of_the_first_band_and_eleven_of_the_second():
    data, _, candidates, task = shop()
    groups = Groups(np.repeat([0, 1], [20, 40]).astype(np.int32), 2)
    fit = lambda some, half, own: (PROFILE, Remembering(members_mean(own, half, some.known, 0)))  # noqa: E731
    table = small_groups(fit, data, groups, candidates, task, RUN)
    assert table["band"].drop_duplicates().tolist() == ["all", "1 to 10", "11 to 25"]
    assert table["n_groups"].tolist() == [2, 2, 1, 1, 1, 1] and generation.SIZES == (0, 10, 25, 50, 100)


def test_bands_of_group_size_add_up():
    table, given = halves()
    assert table["regime"].unique().tolist() == ["strict", "dedup"]
    for _, part in table[table["band"] != "all"].groupby("regime"):
        assert part["n_users"].sum() == n_judged()
    assert set(table["band"]) <= {"all", "1 to 10", "11 to 25"} and max(half.sizes.max() for _, half in given) <= 25


def test_the_members_mean_against_itself_is_a_draw_and_against_other_groups_lists_is_not():
    draw, _ = halves()
    assert draw["ratio"].tolist() == pytest.approx([1] * len(draw))
    assert (draw[draw["band"] == "all"]["generated"] > 0.1).all()
    lost, _ = halves(worse=True)
    assert (lost[lost["band"] == "all"]["high"] < 0.5).all()


def test_groups_of_one_cannot_be_halved():
    data, _, candidates, task = shop()
    alone = Groups(np.arange(60, dtype=np.int32), 60)
    assert small_groups(lambda *_: pytest.fail("nothing to fit"), data, alone, candidates, task, RUN).empty
