import numpy as np
import pytest

from grouprec.core.types import SettingError
from grouprec.models.alternatives import VirtualGroup
from grouprec.models.personas import mixed, persona, weigh
from grouprec.models.virtual_members import history_matrix, one_hot
from tests.support.virtual import BlockProfile, GaussianGenerator

PROFILE = BlockProfile()
GENERATOR = GaussianGenerator(PROFILE)
HISTORIES = history_matrix(np.array([[0, 1, 2], [20, 21, 22], [40, 41, 42]]), PROFILE.n_items)


def test_weights_become_a_mixture():
    assert weigh(np.array([2, 0, 6])).tolist() == [0.25, 0, 0.75]


@pytest.mark.parametrize("weights", [[0, 0], [1, -1], [1, np.nan], [1, np.inf]])
def test_weights_that_are_no_mixture_are_refused(weights):
    with pytest.raises(SettingError, match="weights of the groups"):
        weigh(np.array(weights))


def test_mixtures_draw_from_their_groups_in_proportion():
    members = mixed(GENERATOR, weigh(np.array([3, 1, 0])))(2000, np.random.default_rng(0))
    assert members.shape == (2000, 3) and members.dtype == np.float32
    share = np.bincount(members.argmax(axis=1), minlength=3) / 2000
    np.testing.assert_allclose(share, [0.75, 0.25, 0], atol=0.04)
    halves = members.argmax(axis=1).reshape(2, -1)
    assert abs((halves[0] == 0).mean() - (halves[1] == 0).mean()) < 0.06  # in random order


def test_a_mixture_of_one_group_is_that_group():
    members = mixed(GENERATOR, one_hot(1, 3))(100, np.random.default_rng(0))
    assert (members.argmax(axis=1) == 1).all()


def test_lists_change_from_one_group_to_the_other_along_the_way():
    shares = []
    for weights in ([1, 0, 0], [1, 0, 1], [0, 0, 1]):
        mixture, rng = weigh(np.array(weights)), np.random.default_rng(0)
        members = VirtualGroup.draw_members(PROFILE, mixed(GENERATOR, mixture), mixture, rng, HISTORIES)
        found = members.lists(1, 0, rng).safe
        shares.append((np.isin(found, PROFILE.block(0)).mean(), np.isin(found, PROFILE.block(2)).mean()))
    assert shares[0] == (1, 0) and shares[2] == (0, 1)
    assert shares[1][0] == pytest.approx(0.5, abs=0.2) and sum(shares[1]) == 1


def test_a_persona_belongs_to_the_group_that_likes_the_same_and_wants_more_of_it():
    who = persona(PROFILE, np.array([23, 21, 21]), PROFILE.n_items)
    assert who.mixture.argmax() == 1 and who.mixture.sum() == pytest.approx(1) and (who.spread > 0).all()
    liked = np.isin(np.arange(PROFILE.n_items), [21, 23])
    rng = np.random.default_rng(0)
    found = VirtualGroup.draw_members(PROFILE, who.draw, who.mixture, rng, HISTORIES, liked).lists(3, 0.5, rng)
    assert np.isin(found.safe, PROFILE.block(1)).all() and not np.isin(found.items, [21, 23]).any()


def test_a_persona_between_two_groups_is_as_much_of_both():
    who = persona(PROFILE, np.array([0, 1, 40, 41]), PROFILE.n_items)
    assert who.mixture[0] == pytest.approx(who.mixture[2]) and who.mixture[1] < who.mixture[0]


def test_those_like_a_persona_are_closer_together_than_a_group():
    who = persona(PROFILE, np.array([0]), PROFILE.n_items)
    drawn = who.draw(2000, np.random.default_rng(0))
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=0), who.latent, atol=0.05)
    np.testing.assert_allclose(drawn.std(axis=0), 0.5 * PROFILE.latents().std[0], rtol=0.1)


@pytest.mark.parametrize("liked", [[], [-1], [60]])
def test_a_persona_needs_items_of_the_catalogue(liked):
    with pytest.raises(SettingError, match="at least one liked item"):
        persona(PROFILE, np.array(liked), PROFILE.n_items)
