from functools import cache

import numpy as np
import pytest
from scipy import sparse

from grouprec.core.types import Candidates, Embeddings, GroupLatents, Groups
from grouprec.data.dataset import Dataset
from grouprec.data.synthetic import Planted, planted
from grouprec.models.base import Profile
from grouprec.models.fitting import RunOptions
from grouprec.models.generators import gan
from grouprec.models.generators.gan import (
    REPORT,
    STOPPING,
    TRAINING,
    GroupGan,
    GroupScale,
    correlation_root,
    split_members,
)
from grouprec.models.generators.sample_distance import coverage
from grouprec.models.profiles.vae import GroupVae
from grouprec.ranking.candidates import discounts, find_candidates
from grouprec.ranking.group_lists import members_mean, worth
from tests.support.learning import without_learning

CONFIG = GroupGan.Config(
    hidden_size=48,
    epochs=14,
    steps=25,
    batch_size=64,
    generator_rate=2e-3,
    discriminator_rate=4e-3,
    averaging=0.98,
    n_virtual=64,
)
RUN = RunOptions()
KEYS = {
    "frechet_generated",
    "frechet_gaussian",
    "frechet_members",
    "mode_coverage",
    "members_coverage",
    "copies",
    "members_copies",
}


class TwoModes(Profile):
    """Three groups, the members of each on two modes along a diagonal: no diagonal Gaussian fits that."""

    def __init__(self, n_users: int = 600, n_items: int = 5) -> None:
        super().__init__()
        rng = np.random.default_rng(0)
        self.n_items = n_items
        self.labels = np.sort(rng.integers(0, 3, n_users)).astype(np.int32)
        sides = rng.choice([-1.0, 1.0], (n_users, 1))
        centres = np.array([[0.0, 8.0, 0.0], [8.0, 0.0, 0.0], [0.0, 0.0, 8.0]])
        users = centres[self.labels] + sides * 2 + rng.normal(0, 0.25, (n_users, 3))
        self._latents = GroupLatents(users.astype(np.float32), centres, np.ones((3, 3)))

    def fit(self, data: Dataset, groups: Groups, candidates: Candidates, run: RunOptions) -> "TwoModes":
        return self

    def latents(self) -> GroupLatents:
        return self._latents

    def encode(self, histories: sparse.csr_array) -> np.ndarray:
        return self._latents.users

    def decode(self, latents: np.ndarray) -> np.ndarray:
        return np.full((len(latents), self.n_items), 1 / self.n_items, np.float32)

    def predict(self, latents: np.ndarray, mixture: np.ndarray) -> np.ndarray:
        return self.decode(latents)

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def load(self, arrays: dict[str, np.ndarray]) -> "TwoModes":
        return self


def anything(n_users: int, n_items: int = 5) -> Candidates:
    """Return candidates of users who want everything alike."""
    items = np.tile(np.arange(n_items, dtype=np.int32), (n_users, 1))
    return Candidates(items, np.ones((n_users, n_items), np.float32), n_items)


MODES = TwoModes()
GROUPS = Groups(MODES.labels, 3)
WANTS = anything(600)


@cache
def fitted() -> GroupGan:
    return GroupGan(CONFIG).fit(GROUPS, MODES, WANTS, RUN)


@cache
def untrained() -> GroupGan:
    """Return the generator of the start: it mixes noise so that the members' correlations come out."""
    with without_learning():
        return GroupGan(CONFIG.model_copy(update={"epochs": 1})).fit(GROUPS, MODES, WANTS, RUN)


@cache
def shop() -> tuple[Planted, Groups, Candidates, GroupVae]:
    answer = planted(n_groups=3)
    groups, histories = Groups(answer.labels, 3), answer.data.known
    together = sparse.csr_array(histories.T @ histories)
    candidates = find_candidates(Embeddings(histories, together), histories, 30)
    config = GroupVae.Config(latent_size=8, hidden_size=32, epochs=20, learning_rate=1e-2, annealing_epochs=5)
    data = answer.data.before_test()
    return answer, groups, candidates, GroupVae(config).fit(data, groups, candidates, RUN)


def gaussian_coverage() -> float:
    """Return the share of the same unseen members that as many draws from a diagonal Gaussian per group cover."""
    parts, latents = fitted().arrays()["parts"], MODES.latents().users
    scale = GroupScale.of(latents[parts == TRAINING], MODES.labels[parts == TRAINING], 3)
    unseen, labels = latents[parts == REPORT], MODES.labels[parts == REPORT]
    rng = np.random.default_rng(0)
    return coverage([scale.place(rng.standard_normal(unseen.shape), labels) for _ in range(10)], unseen)


def test_of_many_members_some_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """All against all would grow with users squared."""
    whole, sizes = fitted().report(GROUPS, MODES), set()

    def seen(samples: list[np.ndarray], members: np.ndarray) -> float:
        sizes.update(map(len, [*samples, members]))
        return coverage(samples, members)

    monkeypatch.setattr(gan, "coverage", seen)
    monkeypatch.setattr(gan, "MOST_COMPARED", 60)
    some = fitted().report(GROUPS, MODES)
    assert sizes == {60} and some["frechet_generated"] == whole["frechet_generated"]
    assert some["mode_coverage"] == pytest.approx(whole["mode_coverage"], abs=0.15)


def test_gan_beats_the_diagonal_gaussian_on_unseen_members() -> None:
    report = fitted().report(GROUPS, MODES)
    assert set(report) == KEYS
    assert report["frechet_generated"] < 0.5 * report["frechet_gaussian"]
    assert report["mode_coverage"] > 2 * gaussian_coverage()
    assert report["members_coverage"] > 0.9
    start = untrained().report(GROUPS, MODES)
    assert report["frechet_generated"] < 0.9 * start["frechet_generated"]
    assert report["mode_coverage"] > 1.2 * start["mode_coverage"]


def test_virtual_members_are_no_copies_of_members() -> None:
    report = fitted().report(GROUPS, MODES)
    assert report["copies"] < report["members_copies"] + 0.15


def test_virtual_members_avoid_the_gap_between_the_modes() -> None:
    def along(gan: GroupGan) -> np.ndarray:
        """Return where virtual members of group 0 are on the diagonal; members stand at -2 and 2."""
        virtual = gan.sample(0, 500, np.random.default_rng(0))
        return (virtual - MODES.latents().users[MODES.labels == 0].mean(axis=0)).mean(axis=1)

    def in_the_gap(gan: GroupGan) -> float:
        return float((np.abs(along(gan)) < 0.75).mean())

    assert in_the_gap(fitted()) < 0.15 < in_the_gap(untrained())  # .45 of a diagonal Gaussian
    assert 0.3 < (along(fitted()) > 0).mean() < 0.7


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
    assert again.report(GROUPS, MODES) == fitted().report(GROUPS, MODES)


def test_same_seed_learns_the_same_generator() -> None:
    config = CONFIG.model_copy(update={"epochs": 1})
    first, second = (GroupGan(config).fit(GROUPS, MODES, WANTS, RUN).arrays() for _ in range(2))
    assert all(np.array_equal(first[name], second[name]) for name in first)


@cache
def shop_generator() -> GroupGan:
    _, groups, candidates, profile = shop()
    return GroupGan(CONFIG.model_copy(update={"epochs": 3})).fit(groups, profile, candidates, RUN)


def test_generated_lists_keep_the_value_of_the_members_mean() -> None:
    answer, groups, candidates, profile = shop()
    data, wanted = answer.data.before_test(), worth(candidates)
    generated = shop_generator().lists(data, groups, profile, RUN).strict[:, :10]
    usual = members_mean(candidates, groups, data.known, 0).strict[:, :10]

    def value(items: np.ndarray) -> float:
        rows = np.arange(len(groups.labels))[:, None]
        return float((np.asarray(wanted[rows, items[groups.labels]].toarray()) @ discounts(10)).mean())

    popular = np.tile(np.argsort(-data.known.sum(axis=0))[:10], (3, 1))
    assert value(generated) >= 0.97 * value(usual)
    assert value(popular) < 0.8 * value(usual)  # the yardstick tells lists apart


def test_generated_lists_hit_the_favourites_of_their_group() -> None:
    answer, groups, _, profile = shop()
    lists = shop_generator().lists(answer.data, groups, profile, RUN)
    hits = [np.isin(lists.strict[group, :10], answer.favourites[group]).mean() for group in range(3)]
    popular = np.argsort(-answer.data.histories.sum(axis=0))[:10]
    popular_hits = [np.isin(popular, answer.favourites[group]).mean() for group in range(3)]
    assert np.mean(hits) >= 0.9 > 0.5 > np.mean(popular_hits)


def test_rankings_put_first_what_the_few_who_lack_it_want() -> None:
    answer, _, _, _ = shop()
    n_users, n_items = answer.data.shape
    groups = Groups(np.zeros(n_users, np.int32), 1)
    profile = TwoModes(n_users, n_items)  # everybody wants everything alike: only ownership can tell items apart
    gan = GroupGan(CONFIG.model_copy(update={"epochs": 1})).fit(groups, profile, anything(n_users, n_items), RUN)
    lists = gan.lists(answer.data, groups, profile, RUN)
    owners = (answer.data.known != 0).sum(axis=0)
    assert owners[lists.ranking[0, 0]] == owners.max()
    assert np.ptp(lists.strict_scores[0]) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize(("largest", "reported"), [(6, set()), (12, KEYS)])  # of 12 one alone would say when to stop
def test_groups_too_small_to_hold_members_out_train_to_the_end(largest: int, reported: set[str]) -> None:
    labels = np.append(np.zeros(largest, np.int32), 1 + np.arange(600 - largest, dtype=np.int32) // 6)
    groups = Groups(labels, int(labels.max()) + 1)
    gan = GroupGan(CONFIG.model_copy(update={"epochs": 2})).fit(groups, MODES, WANTS, RUN)
    assert gan.history is not None and gan.history.best_epoch == 2
    assert set(gan.report(groups, MODES)) == reported
    assert np.isfinite(gan.sample(groups.n_groups - 1, 5, np.random.default_rng(0))).all()


def test_group_of_one_can_be_drawn_from() -> None:
    labels = MODES.labels.copy()
    labels[-1] = 3
    gan = GroupGan(CONFIG.model_copy(update={"epochs": 1})).fit(Groups(labels, 4), MODES, WANTS, RUN)
    drawn = gan.sample(3, 50, np.random.default_rng(0))
    assert np.isfinite(drawn).all() and drawn.std(axis=0).min() > 0


def test_a_tenth_of_every_group_stops_and_a_fifth_reports() -> None:
    groups = Groups(np.repeat([0, 1, 2], [9, 10, 57]).astype(np.int32), 3)
    parts = split_members(groups, np.random.default_rng(0))
    for part, numbers in ((STOPPING, [0, 1, 5]), (REPORT, [0, 2, 10])):
        assert np.bincount(groups.labels[parts == part], minlength=3).tolist() == numbers


def test_mixing_starts_from_the_correlations_of_the_members() -> None:
    points = np.random.default_rng(0).normal(size=(400, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    root = correlation_root(points.astype(np.float32))
    assert root.dtype == np.float32
    np.testing.assert_allclose(root @ root, points.T @ points / 400, rtol=1e-4)
