from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.metrics import adjusted_rand_score

from grouprec.core.types import Candidates, Preference, SettingError
from grouprec.data.synthetic import Planted, planted
from grouprec.models.encoders.ease import EaseEncoder
from grouprec.models.fitting import RunOptions
from grouprec.models.groupers.nmf import NmfGrouper
from grouprec.ranking.candidates import find_candidates, make_preference

DATA = planted(n_users=40, n_items=24).data  # not read: the groups come from the preference
NO_ATTRIBUTES = pd.DataFrame()
NO_HISTORIES = sparse.csr_array((1, 1), dtype=np.float32)


@cache
def answer() -> Planted:
    return planted(n_groups=4)


@cache
def planted_preference() -> Preference:
    data = answer().data
    ease = EaseEncoder(EaseEncoder.Config.for_preset("quick")).fit(data, RunOptions())
    return make_preference(find_candidates(ease.embeddings(data), data.histories))


def preference_of(scores: np.ndarray) -> Preference:
    """Return the preference of users for whom every item is a candidate, scores float [U, I]."""
    items = np.argsort(-scores, axis=1).astype(np.int32)
    best = np.take_along_axis(scores, items, axis=1).astype(np.float32)
    candidates = Candidates(items, best, scores.shape[1])
    return Preference(candidates, np.zeros((len(scores), 1), np.float32), np.zeros((scores.shape[1], 1), np.float32))


def wanting(*blocks: int) -> np.ndarray:
    """Return scores of users who want one block of three items each, of twelve items in all; -1 wants nothing."""
    return np.repeat(np.array(blocks)[:, None] == np.arange(4), 3, axis=1) * np.tile([3.0, 2.0, 1.0], 4)


def fitted(preference: Preference, n_groups: int, **settings: int) -> NmfGrouper:
    config = NmfGrouper.Config.for_preset("quick").model_copy(update=settings)
    return NmfGrouper(config).fit(DATA, preference, n_groups, RunOptions())


def shares_in(grouper: NmfGrouper, preference: Preference) -> np.ndarray:
    """Return the share that users have in every group: what is left of the distance 1."""
    return 1 - grouper.distances(preference, NO_HISTORIES, NO_ATTRIBUTES)


def test_nmf_recovers_planted_groups() -> None:
    groups = fitted(planted_preference(), 4).groups()
    assert adjusted_rand_score(answer().labels, groups.labels) >= 0.9


def test_memberships_are_shares_that_add_up_to_one() -> None:
    grouper = fitted(planted_preference(), 4)
    shares = shares_in(grouper, planted_preference())
    assert shares.dtype == np.float32 and shares.shape == (answer().data.n_users, 4)
    assert (shares >= 0).all() and np.allclose(shares.sum(axis=1), 1, atol=1e-5)
    assert shares.max(axis=1).mean() > 0.8  # a planted user has one taste


def test_who_wants_two_tastes_is_a_member_of_both() -> None:
    grouper = fitted(preference_of(wanting(*[0] * 8, *[1] * 7)), 2)
    both = shares_in(grouper, preference_of(wanting(0) + wanting(1)))[0]
    assert np.allclose(both, 0.5, atol=0.01)
    mostly_second = shares_in(grouper, preference_of(wanting(0) + 3 * wanting(1)))[0]
    assert np.allclose(mostly_second, [0.25, 0.75], atol=0.01)


def test_users_are_placed_where_their_share_is_largest_also_after_loading() -> None:
    grouper = fitted(planted_preference(), 4)
    again = NmfGrouper(grouper.config).load(grouper.arrays())
    placed = again.place(planted_preference(), NO_HISTORIES, NO_ATTRIBUTES)
    assert placed.dtype == np.int32 and np.array_equal(placed, grouper.groups().labels)


def test_a_user_gets_the_same_shares_alone_and_among_others() -> None:
    grouper, preference = fitted(planted_preference(), 4), planted_preference()
    rows = np.array([3, 77])
    alone = Preference(preference.candidates.take(rows), preference.space[rows], preference.components)
    assert np.allclose(shares_in(grouper, alone), shares_in(grouper, preference)[rows], atol=1e-4)


def test_groups_are_numbered_by_size() -> None:
    groups = fitted(preference_of(wanting(*[2] * 7, *[0] * 20, *[1] * 12)), 3).groups()
    assert groups.sizes.tolist() == [20, 12, 7] and groups.labels[0] == 2


def test_groups_of_equal_size_stay_in_the_order_of_their_tastes() -> None:
    grouper = NmfGrouper(NmfGrouper.Config(min_group_size=1))
    items = np.random.default_rng(0).permutation(30)
    grouper._components = np.eye(30, dtype=np.float32)[items]
    users = np.repeat(np.arange(30), 1 + np.arange(30) % 2)  # two want every odd item
    grouper._settle(sparse.csr_array(np.eye(30, dtype=np.float32)[users]))
    assert grouper._components.argmax(axis=1).tolist() == sorted(items.tolist(), key=lambda item: item % 2 == 0)


def test_groups_below_the_smallest_size_join_the_nearest_other() -> None:
    between = wanting(2, 2, 2) + 0.3 * wanting(1, 1, 1)
    preference = preference_of(np.concatenate([wanting(*[0] * 12, *[1] * 9), between]))
    grouper = fitted(preference, 3, min_group_size=5)
    groups, tastes = grouper.groups(), grouper.arrays()["components"].argmax(axis=1)
    assert groups.sizes.tolist() == [12, 12] and groups.labels[-3:].tolist() == groups.labels[12:15].tolist()
    assert sorted(tastes.tolist()) == [0, 3]  # the first items of the two larger groups' blocks
    assert fitted(preference, 3, min_group_size=3).groups().sizes.tolist() == [12, 9, 3]


def test_one_group_is_left_where_all_are_too_small() -> None:
    assert fitted(preference_of(wanting(0, 0, 1, 1)), 2, min_group_size=50).groups().sizes.tolist() == [4]


def test_users_without_preference_belong_to_the_largest_group_and_equally_to_all() -> None:
    preference = preference_of(wanting(*[0] * 6, *[1] * 9, *[-1] * 5))
    grouper = fitted(preference, 2)
    assert grouper.groups().sizes.tolist() == [14, 6] and grouper.groups().labels[-5:].tolist() == [0] * 5
    assert shares_in(grouper, preference)[-1].tolist() == [0.5, 0.5]


def test_who_wants_only_what_no_group_wants_is_equally_far_from_all() -> None:
    grouper = fitted(preference_of(wanting(*[0] * 6, *[1] * 9)), 2)
    assert grouper.distances(preference_of(wanting(3)), NO_HISTORIES, NO_ATTRIBUTES).tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("blocks", [[0] * 9, [-1] * 9, [2]], ids=["all alike", "nobody wants anything", "one user"])
def test_users_who_cannot_be_told_apart_form_one_group(blocks: list[int]) -> None:
    groups = fitted(preference_of(wanting(*blocks)), min(3, len(blocks)), min_group_size=1).groups()
    assert groups.n_groups == 1 and groups.sizes.tolist() == [len(blocks)]


def test_one_group_holds_everybody() -> None:
    assert fitted(planted_preference(), 1).groups().sizes.tolist() == [answer().data.n_users]


def test_tastes_have_length_one_and_the_end_is_reported() -> None:
    seen = []
    run = RunOptions(on_progress=lambda fraction, values: seen.append((fraction, values)))
    grouper = NmfGrouper().fit(DATA, preference_of(wanting(*[0] * 8, *[1] * 7)), 2, run)
    assert seen == [(1.0, {"groups": 2.0})]
    assert np.linalg.norm(grouper.arrays()["components"], axis=1) == pytest.approx([1, 1])
    alone = fitted(preference_of(wanting(2)), 1).arrays()["components"]
    assert np.linalg.norm(alone) == pytest.approx(1) and not alone[0, :6].any()


def test_other_tastes_that_are_loaded_later_are_the_ones_that_count() -> None:
    grouper, other = (fitted(preference_of(wanting(*[a] * 8, *[b] * 7)), 2) for a, b in ((0, 1), (1, 0)))
    asked = preference_of(wanting(0)), NO_HISTORIES, NO_ATTRIBUTES
    assert grouper.distances(*asked)[0].tolist() == pytest.approx([0, 1], abs=1e-5)
    assert grouper.load(other.arrays()).distances(*asked)[0].tolist() == pytest.approx([1, 0], abs=1e-5)


def test_users_who_want_one_item_only_are_known() -> None:
    one = np.zeros((12, 12))
    one[:7, 0], one[7:, 5] = 1, 1
    assert fitted(preference_of(one), 2).groups().sizes.tolist() == [7, 5]


@pytest.mark.parametrize("n_groups", [0, 7])
def test_impossible_numbers_of_groups_are_refused(n_groups: int) -> None:
    with pytest.raises(SettingError, match="choose n_groups from 1 to 6"):
        fitted(preference_of(wanting(*[0] * 6)), n_groups)
