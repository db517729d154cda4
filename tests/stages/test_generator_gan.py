from functools import cache

import numpy as np
import pytest
from scipy import sparse

from grouprec.contracts import Profile
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import Planted, planted
from grouprec.stages.generator_gan import (
    REPORT,
    STOPPING,
    TRAINING,
    GroupGan,
    GroupScale,
    frechet,
    mode_coverage,
    sliced_wasserstein,
    split_members,
)
from grouprec.stages.profile_vae import GroupVae
from grouprec.training import RunOptions
from grouprec.types import GroupLatents, Groups

CONFIG = GroupGan.Config(
    hidden_size=48,
    epochs=14,
    batch_size=64,
    generator_rate=2e-3,
    discriminator_rate=4e-3,
    averaging=0.98,
    n_virtual=64,
)
RUN = RunOptions()


class TwoModes(Profile):
    """Three groups, the members of each on two modes along a diagonal: no diagonal Gaussian fits that."""

    def __init__(self, n_users: int = 600) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self.labels = np.sort(rng.integers(0, 3, n_users)).astype(np.int32)
        sides = rng.choice([-1.0, 1.0], (n_users, 1))
        centres = np.array([[0.0, 8.0, 0.0], [8.0, 0.0, 0.0], [0.0, 0.0, 8.0]])
        users = centres[self.labels] + sides * 2 + rng.normal(0, 0.25, (n_users, 3))
        self._latents = GroupLatents(users.astype(np.float32), centres, np.ones((3, 3)))

    def fit(self, data: Dataset, groups: Groups, run: RunOptions) -> "TwoModes":
        return self

    def latents(self) -> GroupLatents:
        return self._latents

    def encode(self, histories: sparse.csr_array) -> np.ndarray:
        return self._latents.users

    def decode(self, latents: np.ndarray) -> np.ndarray:
        return np.full((len(latents), 5), 0.2, np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def load(self, arrays: dict[str, np.ndarray]) -> "TwoModes":
        return self


DATA = planted(n_users=10, n_items=8, n_groups=2).data  # the generator learns from the profile alone
MODES = TwoModes()
GROUPS = Groups(MODES.labels, 3)


@cache
def fitted() -> GroupGan:
    return GroupGan(CONFIG).fit(DATA, GROUPS, MODES, RUN)


@cache
def shop() -> tuple[Planted, Groups, GroupVae]:
    answer = planted(n_groups=3)
    groups = Groups(answer.labels, 3)
    config = GroupVae.Config(latent_size=8, hidden_size=32, epochs=20, learning_rate=1e-2, annealing_epochs=5)
    return answer, groups, GroupVae(config).fit(answer.data, groups, RUN)


def gaussian_coverage() -> float:
    """Return the mode coverage that a diagonal Gaussian per group has on the same unseen members."""
    parts, latents = fitted().arrays()["parts"], MODES.latents().users
    real, labels = latents[parts == TRAINING], MODES.labels[parts == TRAINING]
    noise = np.random.default_rng(0).standard_normal(real.shape)
    drawn = GroupScale.of(real, labels, 3).place(noise, labels)
    return mode_coverage(drawn, real, latents[parts == REPORT])


def test_gan_beats_the_diagonal_gaussian_on_unseen_members() -> None:
    report = fitted().report(DATA, GROUPS, MODES)
    assert report["frechet_generated"] < 0.5 * report["frechet_gaussian"]
    assert report["mode_coverage"] > 2 * gaussian_coverage()


def test_virtual_members_avoid_the_gap_between_the_modes() -> None:
    virtual = fitted().sample(0, 500, np.random.default_rng(0)) - MODES.latents().users[MODES.labels == 0].mean(axis=0)
    along = np.abs(virtual.mean(axis=1))  # members stand at -2 and 2 on the diagonal
    assert (along < 0.75).mean() < 0.15  # .45 of a diagonal Gaussian
    assert 0.3 < (virtual.mean(axis=1) > 0).mean() < 0.7


def test_virtual_members_belong_to_the_group_asked_for() -> None:
    rng = np.random.default_rng(0)
    means = np.stack([fitted().sample(group, 300, rng).mean(axis=0) for group in range(3)])
    real = np.stack([MODES.latents().users[MODES.labels == group].mean(axis=0) for group in range(3)])
    distances = np.linalg.norm(means[:, None] - real[None], axis=2)
    assert distances.argmin(axis=1).tolist() == [0, 1, 2]


def test_saved_generator_draws_the_same_members() -> None:
    again = GroupGan(CONFIG).load(fitted().arrays())
    drawn = again.sample(1, 20, np.random.default_rng(3))
    assert drawn.dtype == np.float32 and drawn.shape == (20, 3)
    assert np.array_equal(drawn, fitted().sample(1, 20, np.random.default_rng(3)))
    assert again.report(DATA, GROUPS, MODES) == fitted().report(DATA, GROUPS, MODES)


def test_same_seed_learns_the_same_generator() -> None:
    config = CONFIG.model_copy(update={"epochs": 1})
    first, second = (GroupGan(config).fit(DATA, GROUPS, MODES, RUN).arrays() for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_generated_lists_hit_the_favourites_of_their_group() -> None:
    answer, groups, profile = shop()
    gan = GroupGan(CONFIG.model_copy(update={"epochs": 2})).fit(answer.data, groups, profile, RUN)
    lists = gan.lists(answer.data, groups, profile, RUN)
    hits = [np.isin(lists.strict[group, :10], answer.favourites[group]).mean() for group in range(3)]
    popular = np.argsort(-answer.data.histories.sum(axis=0))[:10]
    popular_hits = [np.isin(popular, answer.favourites[group]).mean() for group in range(3)]
    assert np.mean(hits) >= 0.9 > 0.5 > np.mean(popular_hits)


def test_lists_weigh_who_has_the_item_already() -> None:
    answer, _, _ = shop()
    groups = Groups(np.zeros(answer.data.n_users, np.int32), 1)

    class Flat(TwoModes):
        """Everybody likes everything equally: only ownership can tell items apart."""

        def decode(self, latents: np.ndarray) -> np.ndarray:
            return np.full((len(latents), answer.data.n_items), 1 / answer.data.n_items, np.float32)

    profile = Flat(answer.data.n_users)
    gan = GroupGan(CONFIG.model_copy(update={"epochs": 1})).fit(answer.data, groups, profile, RUN)
    lists = gan.lists(answer.data, groups, profile, RUN)
    owners = (answer.data.known != 0).sum(axis=0)
    assert owners[lists.strict[0, 0]] == owners.min()  # most members can still take it
    assert owners[lists.ranking[0, 0]] == owners.max()  # the few who lack it see it


def test_groups_too_small_to_hold_members_out_train_without_report() -> None:
    groups = Groups(np.arange(600, dtype=np.int32) // 6, 100)
    gan = GroupGan(CONFIG.model_copy(update={"epochs": 2})).fit(DATA, groups, MODES, RUN)
    assert gan.history is not None and gan.history.best_epoch == 2
    assert gan.report(DATA, groups, MODES) == {}
    assert np.isfinite(gan.sample(99, 5, np.random.default_rng(0))).all()


def test_group_of_one_can_be_drawn_from() -> None:
    labels = MODES.labels.copy()
    labels[-1] = 3
    gan = GroupGan(CONFIG.model_copy(update={"epochs": 1})).fit(DATA, Groups(labels, 4), MODES, RUN)
    drawn = gan.sample(3, 50, np.random.default_rng(0))
    assert np.isfinite(drawn).all() and drawn.std(axis=0).min() > 0


def test_a_tenth_of_every_group_stops_and_another_tenth_reports() -> None:
    groups = Groups(np.repeat([0, 1, 2], [9, 10, 57]).astype(np.int32), 3)
    parts = split_members(groups, np.random.default_rng(0))
    for part in (STOPPING, REPORT):
        assert np.bincount(groups.labels[parts == part], minlength=3).tolist() == [0, 1, 5]


def test_frechet_is_zero_on_itself_and_exact_for_a_shift_and_a_stretch() -> None:
    points = np.random.default_rng(0).normal(size=(400, 3))
    assert frechet(points, points) == pytest.approx(0, abs=1e-9)
    assert frechet(points, points + np.array([3, 0, 4])) == pytest.approx(25)
    stretched = points.mean(axis=0) + 2 * (points - points.mean(axis=0))
    assert frechet(points, stretched) == pytest.approx(np.trace(np.cov(points, rowvar=False)))


def test_sliced_wasserstein_sees_the_shape_behind_equal_mean_and_covariance() -> None:
    rng = np.random.default_rng(0)

    def two_points(n: int) -> np.ndarray:
        return np.stack([np.tile([-1.0, 1.0], n // 2), rng.normal(size=n)], axis=1)

    members = two_points(500)
    same = sliced_wasserstein(two_points(5000), members, np.random.default_rng(1))
    gaussian = sliced_wasserstein(rng.normal(size=(5000, 2)), members, np.random.default_rng(1))
    assert same < 0.5 * gaussian


def test_sliced_wasserstein_of_a_shift_is_its_mean_square_along_directions() -> None:
    members = np.random.default_rng(0).normal(size=(50, 3))
    shifted = np.repeat(members + np.array([3.0, 0, 0]), 4, axis=0)
    distance = sliced_wasserstein(shifted, members, np.random.default_rng(1))
    assert sliced_wasserstein(np.repeat(members, 4, axis=0), members, np.random.default_rng(1)) == pytest.approx(0)
    assert distance == pytest.approx(9 / 3, rel=0.3)  # a direction sees a third of the square on average


def test_mode_coverage_counts_the_modes_that_are_reached() -> None:
    rng = np.random.default_rng(0)
    real, unseen = (np.concatenate([rng.normal(0, 1, (50, 2)), rng.normal(50, 1, (50, 2))]) for _ in range(2))
    one_mode = rng.normal(0, 0.5, (2000, 2))
    assert mode_coverage(real, real, unseen) == pytest.approx(0.5, abs=0.2)
    assert mode_coverage(one_mode, real, unseen) <= 0.5
