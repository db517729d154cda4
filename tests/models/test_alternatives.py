import numpy as np
import pytest
from scipy import sparse

from grouprec.core.types import SettingError
from grouprec.models.alternatives import Alternatives, VirtualGroup
from grouprec.models.virtual_members import history_matrix, mean_preference, one_hot, virtual_histories
from grouprec.ranking.candidates import discounts
from grouprec.ranking.metrics import intra_list_diversity
from tests.support.virtual import BlockProfile, GaussianGenerator

PROFILE = BlockProfile(spread=1.5)  # members of one group differ: many of them prefer another's block
GENERATOR = GaussianGenerator(PROFILE)


def histories() -> sparse.csr_array:
    rng = np.random.default_rng(0)
    latents = np.concatenate([GENERATOR.sample(group, 100, rng) for group in range(3)])
    return history_matrix(virtual_histories(PROFILE, latents, np.full(300, 8), rng), PROFILE.n_items)


HISTORIES = histories()


def draw(n: int, rng: np.random.Generator) -> np.ndarray:
    return GENERATOR.sample(0, n, rng)


def lists(n: int = 5, surprise: float = 0.5, seed: int = 0, length: int = 10, excluded=None) -> Alternatives:
    rng = np.random.default_rng(seed)
    members = VirtualGroup.draw_members(PROFILE, draw, one_hot(0, 3), rng, HISTORIES, excluded)
    return members.lists(n, surprise, rng, length)


def test_at_zero_there_is_one_list_the_best_for_the_whole_crowd():
    found = lists(surprise=0)
    best = np.argsort(-mean_preference(PROFILE, draw(512, np.random.default_rng(0)), one_hot(0, 3)), kind="stable")
    assert found.items.tolist() == [best[:10].tolist()] == [found.safe.tolist()]
    assert found.value.tolist() == [1.0]


@pytest.mark.parametrize("surprise", [0.25, 0.5, 1.0])
def test_lists_differ_and_stand_in_the_order_of_their_value(surprise):
    found = lists(surprise=surprise)
    assert 1 <= len(found.items) <= 5 and found.items.dtype == np.int32 and (np.diff(found.value) <= 0).all()
    assert len(np.unique(np.sort(found.items, axis=1), axis=0)) == len(found.items)
    assert all(len(set(row)) == 10 and min(row) >= 0 for row in found.items.tolist())
    assert (found.value <= 1 + 1e-9).all() and (found.value > 0).all()


def test_value_is_what_the_whole_crowd_makes_of_a_list():
    found = lists(n=3)
    rates = mean_preference(PROFILE, draw(512, np.random.default_rng(0)), one_hot(0, 3))
    worth = rates[found.items] @ discounts(10) / (rates[found.safe] @ discounts(10))
    np.testing.assert_allclose(found.value, worth, rtol=1e-5)


def test_the_dial_buys_coverage_and_variety_for_value():
    points = [lists(surprise=dial) for dial in (0, 0.5, 1)]
    value = [found.value.mean() for found in points]
    shown = [len(np.unique(found.items)) for found in points]
    assert value[0] > value[1] > value[2] and shown[0] < shown[1] < shown[2]
    assert points[1].diversity.mean() > points[0].safe_diversity


def test_diversity_is_that_of_the_metric():
    found = lists()
    np.testing.assert_allclose(found.diversity, intra_list_diversity(found.items, HISTORIES))
    assert found.safe_diversity == pytest.approx(intra_list_diversity(found.safe[None], HISTORIES)[0])


def test_same_seed_gives_the_same_lists_and_another_seed_others():
    assert np.array_equal(lists(seed=3).items, lists(seed=3).items)
    assert not np.array_equal(lists(seed=3).items, lists(seed=4).items)


def test_excluded_items_are_never_listed_and_short_lists_are_filled_up():
    excluded = np.ones(PROFILE.n_items, bool)
    excluded[:4] = False
    found = lists(excluded=excluded)
    assert set(np.unique(found.items).tolist()) == {-1, 0, 1, 2, 3} and (found.items[:, 4:] == -1).all()


def test_one_item_has_no_variety():
    found = lists(length=1)
    assert found.items.shape[1] == 1 and (found.diversity == 0).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"surprise": 1.1}, "between 0 and 1, not 1.1"),
        ({"surprise": np.nan}, "between 0 and 1"),
        ({"n": 0}, "at least 1 list"),
        ({"excluded": np.ones(60, bool)}, "nothing is left to list"),
    ],
)
def test_what_cannot_be_listed_is_said(settings, message):
    with pytest.raises(SettingError, match=message):
        lists(**settings)


def test_a_crowd_answers_for_every_place_of_the_dial():
    virtual_group = VirtualGroup.draw_members(PROFILE, draw, one_hot(0, 3), np.random.default_rng(0), HISTORIES)
    safe = {tuple(virtual_group.lists(4, dial, np.random.default_rng(1)).safe) for dial in (0, 0.3, 1)}
    assert len(safe) == 1
