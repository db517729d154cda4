"""The studio: what virtual members of a finished run can tell, from its files and by planted tastes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grouprec.core.types import SettingError, StorageError
from grouprec.explore.virtual_groups import VIRTUAL, WANTS, VirtualGroups
from grouprec.runs.store import Run, RunStore
from tests.support.virtual_groups import BLOCK, N_GROUPS, planted_virtual_groups


def blocks(items: np.ndarray) -> np.ndarray:
    """Return the planted block of every item that is there."""
    return items[items >= 0] // BLOCK


# -- from the files of a finished run


@pytest.fixture
def trained(small_run: Run) -> tuple[RunStore, Run]:
    return RunStore(small_run.path.parent), small_run


def test_a_finished_run_opens_with_its_own_ids_groups_and_histories(trained: tuple[RunStore, Run]) -> None:
    virtual_groups, run = VirtualGroups.open(*trained), trained[1]
    groups, items = run.table("groups"), run.table("items")
    assert virtual_groups.groups.n_groups == len(groups)
    assert set(virtual_groups.base.item_ids) == set(items["item"])
    training = run.table("users").query("in_training")
    assert np.array_equal(virtual_groups.groups.sizes, training.groupby("group").size())
    for number in range(virtual_groups.groups.n_groups):
        audience = virtual_groups.mixture({number: 1})
        safe = virtual_groups.virtual_group(audience).lists(1, 0, np.random.default_rng(0)).safe
        assert len(set(safe.tolist())) == len(safe)
        assert 0 <= safe.min() <= safe.max() < virtual_groups.n_items
    members = virtual_groups.members(audience, 3)
    assert members.has.max() < virtual_groups.n_items
    assert np.isfinite(members.nearest).all()


def test_answers_are_the_same_whenever_the_run_is_opened(trained: tuple[RunStore, Run]) -> None:
    first, second = VirtualGroups.open(*trained), VirtualGroups.open(*trained)
    one, other = (virtual_groups.members(virtual_groups.mixture({0: 1, 1: 2}), 4) for virtual_groups in (first, second))
    assert np.array_equal(one.has, other.has)
    assert np.array_equal(one.wants, other.wants)
    assert first.copy_check(first.mixture({0: 1})) == second.copy_check(second.mixture({0: 1}))


def test_an_older_run_is_named_and_to_be_trained_again(trained: tuple[RunStore, Run], tmp_path: Path) -> None:
    bare = Run(tmp_path / "older")
    with pytest.raises(StorageError, match=r"older has no readable profile.*train it again"):
        VirtualGroups.open(trained[0], bare)


# -- items


def test_items_are_found_by_all_words_the_very_id_first_then_the_most_popular() -> None:
    virtual_groups = planted_virtual_groups()
    virtual_groups.base.item_labels[[3, 7, 40]] = ["Red lunch BAG", "Lunch bag blue", "A bag, red"]
    popular = np.argsort(-virtual_groups.popularity[[3, 40]], kind="stable")
    assert virtual_groups.find_items("bag RED", 5).tolist() == np.array([3, 40])[popular].tolist()
    assert virtual_groups.find_items("bag", 2).size == 2
    assert virtual_groups.find_items("i7", 5)[0] == 7
    assert virtual_groups.find_items("no such thing", 5).size == 0
    assert virtual_groups.find_items(" ", 1)[0] == virtual_groups.popularity.argmax()


def test_ids_outside_the_catalogue_and_repeated_ones_are_left_out() -> None:
    assert planted_virtual_groups().rows_of(["i5", "gone", "i2", "i5"]).tolist() == [5, 2]


# -- audiences


def test_a_mixture_draws_from_its_groups_only_and_lists_both() -> None:
    virtual_groups = planted_virtual_groups()
    audience = virtual_groups.mixture({0: 3, 2: 1})
    assert audience.mixture == pytest.approx([0.75, 0, 0.25])
    listed = blocks(virtual_groups.virtual_group(audience).lists(1, 0, np.random.default_rng(0)).safe)
    assert set(listed.tolist()) <= {0, 2}
    assert (listed == 0).sum() > (listed == 2).sum()


def test_those_who_like_items_of_a_block_are_mostly_its_group_and_are_not_shown_these_items() -> None:
    virtual_groups, liked = planted_virtual_groups(), np.array([21, 22, 23])
    audience = virtual_groups.persona(liked)
    assert audience.mixture.argmax() == 1
    safe = virtual_groups.virtual_group(audience).lists(1, 0, np.random.default_rng(0)).safe
    assert not np.isin(liked, safe).any()
    assert (blocks(safe) == 1).mean() > 0.8
    repeats = replace(virtual_groups, base=replace(virtual_groups.base, repeats=True))
    assert not repeats.persona(liked).excluded.any()


def test_what_rules_keep_from_a_group_is_kept_from_every_mixture_with_it() -> None:
    excluded = np.zeros((N_GROUPS, N_GROUPS * BLOCK), bool)
    excluded[1, :30] = True
    virtual_groups = planted_virtual_groups(excluded=excluded)
    for audience in (
        virtual_groups.mixture({1: 1}),
        virtual_groups.mixture({0: 9, 1: 1}),
        virtual_groups.persona(np.array([22])),
    ):
        assert audience.excluded[:30].all()
        assert virtual_groups.virtual_group(audience).lists(3, 1, np.random.default_rng(0)).items.min() >= 30
        assert virtual_groups.members(audience, 5).wants.min() >= 30
    assert not virtual_groups.mixture({0: 1}).excluded.any()


@pytest.mark.parametrize("weights", [{}, {0: 0.0}, {0: -1.0}, {7: 1.0}])
def test_weights_that_make_no_mixture_are_refused(weights: dict[int, float]) -> None:
    with pytest.raises(SettingError):
        planted_virtual_groups().mixture(weights)


# -- virtual members


def test_members_have_and_want_what_their_group_does_and_want_nothing_that_they_have() -> None:
    virtual_groups = planted_virtual_groups()
    members = virtual_groups.members(virtual_groups.mixture({1: 1}), 20)
    assert (blocks(members.has) == 1).mean() > 0.7
    assert members.wants.shape == (20, WANTS)
    for has, wants in zip(members.has, members.wants, strict=True):
        assert not np.isin(wants, has).any()
    counts = (members.has >= 0).sum(axis=1)
    assert (np.diff(counts) <= 0).all()
    assert set(counts.tolist()) <= set(np.diff(virtual_groups.base.histories.indptr).tolist())


def test_another_draw_gives_other_members_and_the_same_draw_the_same() -> None:
    virtual_groups = planted_virtual_groups()
    audience = virtual_groups.mixture({0: 1})
    first, again, other = (virtual_groups.members(audience, 6, draw).has for draw in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_nearest_real_history_of_a_member_is_the_best_overlap_with_any() -> None:
    virtual_groups = planted_virtual_groups()
    members = virtual_groups.members(virtual_groups.mixture({2: 1}), 4)
    real = [
        set(virtual_groups.base.histories[[row]].indices.tolist()) for row in range(len(virtual_groups.base.user_ids))
    ]
    for has, nearest in zip(members.has, members.nearest, strict=True):
        own = set(has[has >= 0].tolist())
        assert nearest == pytest.approx(max(len(own & other) / len(own | other) for other in real))


def test_members_drawn_like_real_ones_are_no_nearer_to_them_but_learned_ones_are_copies() -> None:
    virtual_groups = planted_virtual_groups()
    audience = virtual_groups.mixture({0: 1})
    fair = virtual_groups.copy_check(audience)
    assert fair.n == VIRTUAL
    assert abs(fair.copies - fair.members_copies) < 0.35
    assert fair.identical == 0
    copying = replace(virtual_groups, profile=Copier(virtual_groups))
    learned = copying.copy_check(audience)
    assert learned.copies > 0.9
    assert learned.identical > 0.1  # of those of the copied length


def test_a_group_of_one_is_compared_with_everybody() -> None:
    virtual_groups = planted_virtual_groups()
    labels = np.where(np.arange(len(virtual_groups.base.labels)) == 0, 2, virtual_groups.base.labels % 2).astype(
        np.int32
    )
    lonely = replace(virtual_groups, base=replace(virtual_groups.base, labels=labels))
    found = lonely.copy_check(lonely.mixture({2: 1}))
    assert np.isfinite([found.copies, found.members_copies]).all()


class Copier:
    """A profile that gives every virtual member the history of a real user, and as certainly."""

    def __init__(self, virtual_groups: VirtualGroups) -> None:
        self.histories = virtual_groups.base.histories
        lengths = np.diff(self.histories.indptr)
        self.rows = np.flatnonzero(lengths == np.bincount(lengths).argmax())

    def decode(self, latents: np.ndarray) -> np.ndarray:
        rows = self.rows[np.arange(len(latents)) % len(self.rows)]
        return np.where(self.histories[rows].toarray() > 0, 1.0, 1e-20).astype(np.float32)
