"""Groups and lists of every kind: rules that hold everywhere, the diversity dial, the strategies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grouprec.core.types import GroupLists, Groups, SettingError
from grouprec.data.synthetic import planted
from grouprec.evaluate import baselines
from grouprec.models.base import Regime
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.lists import ListsGrouper
from grouprec.ranking.group_lists import RANKING_DEPTH, STRICT_DEPTH, group_popularity, members_mean
from grouprec.ranking.strategies import STRATEGIES
from grouprec.ranking.task import nothing
from grouprec.runs.config import make_config
from grouprec.training import groups_and_lists
from grouprec.training.groups_and_lists import GroupMaker, excluded_everywhere

KNOWN = planted(n_users=100, n_items=90, n_groups=3, events_per_user=24, ordered=False)
DATA = KNOWN.data
GROUPS = Groups(KNOWN.labels, 3)
CANDIDATES = baselines.item_knn(DATA.histories, DATA.histories, n=60)
ALL_KINDS = ["members_mean", *STRATEGIES]


def make_maker(repeats: bool = False, settings: dict[str, Any] | None = None, **rules: Any) -> GroupMaker:
    config = make_config(
        interactions=Path("file.csv"),
        preset="quick",
        repeats=repeats,
        settings={"rules": rules, "lists": {"n_starts": 5}, **(settings or {})},
    )
    bars = excluded_everywhere(DATA, config)
    scored = CANDIDATES
    if repeats:
        scored = baselines.item_knn(DATA.histories, nothing(DATA.shape), n=60)
    if bars is not None:
        keep = ~bars[scored.items]
        order = np.argsort(~keep, axis=1, kind="stable")
        keep, items, scores = (np.take_along_axis(x, order, axis=1) for x in (keep, scored.items, scored.scores))
        scored = type(scored)(np.where(keep, items, -1), np.where(keep, scores, 0), scored.n_items)
    return GroupMaker(DATA, scored, config, RunOptions())


def made(maker: GroupMaker, kind: str) -> GroupLists:
    return maker.lists(GROUPS)["members_mean"] if kind == "members_mean" else maker.by_strategy(GROUPS, kind)


def of_both_regimes(lists: GroupLists) -> list[np.ndarray]:
    return [lists.strict, lists.ranking]


def valid(lists: GroupLists) -> None:
    """Check depths, dtypes, that no item stands twice and nothing comes after the end."""
    assert lists.strict.shape == lists.strict_scores.shape == (3, STRICT_DEPTH)
    assert lists.ranking.shape == lists.ranking_scores.shape == (3, RANKING_DEPTH)
    for items in of_both_regimes(lists):
        assert items.dtype == np.int32 and items.max() < DATA.n_items
        for row in items:
            listed = row[row >= 0]
            assert len(listed) == len(set(listed.tolist())) > 10
            assert (row[len(listed) :] == -1).all()
    assert np.isfinite(lists.strict_scores).all() and np.isfinite(lists.ranking_scores).all()


@pytest.mark.parametrize("dial", [0.0, 0.5])
@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_kind_of_list_is_valid(kind: str, dial: float) -> None:
    valid(made(make_maker(diversity=dial), kind))


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("kind", [*ALL_KINDS, "popularity"])
def test_excluded_items_are_on_no_list_not_even_at_its_end(kind: str, repeats: bool) -> None:
    popular = [f"i{row:05d}" for row in np.argsort(-DATA.popularity)[:5]]
    maker = make_maker(repeats, items=tuple(popular), categories=("category=category 1",), label_words=("Item 0",))
    lists = maker.finish(group_popularity(DATA.histories, GROUPS, 0), GROUPS)
    lists = lists if kind == "popularity" else made(maker, kind)
    excluded = excluded_everywhere(DATA, maker.config)
    assert excluded is not None and excluded.sum() >= 30 + 1
    for items in of_both_regimes(lists):
        assert not excluded[items[items >= 0]].any()
        assert ((items >= 0).sum(axis=1) > 10).all()
    if kind in ("members_mean", "popularity"):  # they go on with what nobody wants, in order of popularity
        assert (lists.ranking >= 0).sum() == 3 * (~excluded).sum()


@pytest.mark.parametrize("kind", [*ALL_KINDS, "popularity"])
def test_no_group_gets_what_more_than_the_share_of_its_members_have(kind: str) -> None:
    maker = make_maker(owned_share=0.3)
    shares = np.stack([(DATA.histories.toarray() > 0)[KNOWN.labels == group].mean(axis=0) for group in range(3)])
    assert (shares > 0.3).sum() > 10
    lists = maker.finish(group_popularity(DATA.histories, GROUPS, 0), GROUPS)
    lists = lists if kind == "popularity" else made(maker, kind)
    for items in of_both_regimes(lists):
        listed = np.where(items >= 0, np.take_along_axis(shares, np.maximum(items, 0), axis=1), 0)
        assert listed.max() <= 0.3
    assert np.array_equal(maker.excluded(GROUPS), shares > 0.3)


def test_a_share_is_of_the_group_and_not_of_everybody() -> None:
    excluded = make_maker(owned_share=0.3).excluded(GROUPS)
    for group in range(3):
        assert excluded[group, KNOWN.favourites[group]].mean() > 0.5
        assert excluded[group].sum() == excluded[group, KNOWN.favourites[group]].sum()


def test_without_rules_the_lists_are_the_members_mean() -> None:
    lists = make_maker().lists(GROUPS)
    assert list(lists) == ["members_mean"]
    plain = members_mean(CANDIDATES, GROUPS, DATA.histories, seed=0)
    assert np.array_equal(lists["members_mean"].strict, plain.strict)
    assert np.array_equal(lists["members_mean"].ranking, plain.ranking)
    assert not make_maker().excluded(GROUPS).any() and excluded_everywhere(DATA, make_maker().config) is None


def test_a_dial_of_zero_changes_nothing_and_a_turned_one_lists_more_unlike_items() -> None:
    maker, turned = make_maker(), make_maker(diversity=0.6)
    lists = maker.lists(GROUPS)["members_mean"]
    assert maker.finish(lists, GROUPS) is lists
    other = turned.lists(GROUPS)["members_mean"]
    vectors = maker.preference.components / np.linalg.norm(maker.preference.components, axis=1, keepdims=True)

    def likeness(items: np.ndarray) -> float:
        return float(
            np.mean([(vectors[row[:10]] @ vectors[row[:10]].T)[np.triu_indices(10, 1)].mean() for row in items])
        )

    assert likeness(other.strict) < likeness(lists.strict)
    assert likeness(other.ranking) < likeness(lists.ranking)
    assert np.array_equal(other.strict[:, 0], lists.strict[:, 0]), "what is wanted most stays first"


def test_a_named_strategy_comes_first_and_the_members_mean_beside_it() -> None:
    lists = make_maker(strategy="borda").lists(GROUPS)
    assert list(lists) == ["borda", "members_mean"]
    assert np.array_equal(lists["borda"].strict, lists["borda"].ranking[:, :STRICT_DEPTH])
    assert make_maker(strategy="borda").config.list_method == {"strict": "borda", "dedup": "borda"}


def test_with_repeats_nobody_skips_what_they_have() -> None:
    lists = make_maker(repeats=True).lists(GROUPS)["members_mean"]
    assert np.array_equal(lists.ranking[:, :10], lists.strict[:, :10]), "one list serves both regimes"
    owned = (DATA.histories.toarray() > 0)[KNOWN.labels == 0].mean(axis=0)
    new = make_maker().lists(GROUPS)["members_mean"]
    assert owned[lists.strict[0, :10]].mean() > owned[new.strict[0, :10]].mean()


@pytest.mark.parametrize("regime", ["strict", "dedup"])
@pytest.mark.parametrize("grouper", ["lists", "kmeans"])
def test_groups_come_from_any_grouper_and_repeat(grouper: str, regime: Regime) -> None:
    maker = make_maker()
    groups = maker.groups(grouper, 3, regime)
    assert groups.n_groups == 3 and groups.sizes.sum() == 100
    assert np.array_equal(groups.labels, make_maker().groups(grouper, 3, regime).labels)
    assert maker.groups(grouper, 1000, regime).n_groups <= 100, "no more than there are users"


def test_the_runs_own_method_gives_groups_with_their_lists() -> None:
    maker = make_maker()
    groups, lists = maker.run_method(3, "dedup")
    assert np.array_equal(groups.labels, maker.groups("lists", 3, "dedup").labels)
    assert np.array_equal(lists.ranking, maker.lists(groups)["members_mean"].ranking)


def test_excluding_what_the_data_do_not_have_is_refused() -> None:
    with pytest.raises(SettingError, match="'nothing like it'"):
        make_maker(items=("nothing like it",))


def test_groups_and_lists_of_a_number_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    maker = make_maker()
    first = maker.run_method(3, "dedup")
    monkeypatch.setattr(maker, "groups", lambda *a: pytest.fail("formed again"))
    again = maker.run_method(3, "dedup")
    assert again[0] is first[0] and again[1] is first[1]
    assert maker.run_groups(3, "dedup") is first[0]


def test_the_runs_own_groups_stand_for_their_number_in_its_own_regime_only() -> None:
    config = make_maker().config
    maker = GroupMaker(DATA, CANDIDATES, config, RunOptions(), own=(3, GROUPS))
    assert maker.asked == 3 and maker.run_groups(3, "strict") is GROUPS
    assert maker.run_groups(3, "dedup") is not GROUPS


def test_with_repeats_both_regimes_have_the_same_groups() -> None:
    again = make_maker(repeats=True)
    assert again.run_groups(3, "dedup") is again.run_groups(3, "strict")


@pytest.mark.parametrize(("most", "starts"), [(100, 5), (99, 1)])
def test_any_number_of_groups_has_as_many_starts_as_a_run_unless_users_are_many(
    monkeypatch: pytest.MonkeyPatch, most: int, starts: int
) -> None:
    monkeypatch.setattr(groups_and_lists, "STARTED_USERS", most)
    asked = []
    monkeypatch.setattr(ListsGrouper, "fit", lambda stage, *_: asked.append(stage.config.n_starts) or stage)
    monkeypatch.setattr(ListsGrouper, "groups", lambda stage: GROUPS)
    make_maker().groups("lists", 3, "strict")
    assert asked == [starts]
