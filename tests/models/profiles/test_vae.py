from functools import cache

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.preprocessing import normalize
from torch.distributions import Normal, kl_divergence

from grouprec.core.types import Candidates, Embeddings, Groups
from grouprec.data.synthetic import Planted, planted
from grouprec.models.fitting import RunOptions
from grouprec.models.profiles import vae
from grouprec.models.profiles.vae import GroupVae, HistoryVae, drop
from grouprec.models.virtual_members import one_hot
from grouprec.ranking.candidates import find_candidates
from grouprec.ranking.group_lists import member_matrix, worth
from tests.support.learning import without_learning

CONFIG = GroupVae.Config(latent_size=8, hidden_size=32, epochs=25, learning_rate=1e-2, annealing_epochs=5)


@cache
def answer() -> Planted:
    return planted(n_groups=3)


@cache
def true_groups() -> Groups:
    return Groups(answer().labels, 3)


@cache
def candidates() -> Candidates:
    """What is bought with the user's items: the rest of their favourites."""
    histories = answer().data.histories
    together = sparse.csr_array(histories.T @ histories)
    return find_candidates(Embeddings(histories, together), histories, 30)


@cache
def fitted(seed: int = 0) -> GroupVae:
    return GroupVae(CONFIG).fit(answer().data, true_groups(), candidates(), RunOptions(seed=seed))


@cache
def untrained() -> GroupVae:
    with without_learning():
        return GroupVae(CONFIG).fit(answer().data, true_groups(), candidates(), RunOptions())


def member_means(predicted: np.ndarray) -> np.ndarray:
    """Return the mean of every group's members, float [G, I]."""
    return member_matrix(true_groups()) @ predicted / true_groups().sizes[:, None]


def test_vae_describes_held_out_items_better_than_popularity() -> None:
    data = answer().data
    counts = (data.histories != 0).sum(axis=0) + 1
    held_out = data.validation.user_rows, data.validation.item_rows
    popular = np.log(counts / counts.sum())[held_out[1]].mean()

    def gain(profile: GroupVae) -> float:
        return float(np.log(profile.decode(profile.latents().users)[held_out]).mean() - popular)

    assert gain(fitted()) > 0.4 > gain(untrained())


def test_predictions_come_nearer_to_what_members_want_than_the_group_mean() -> None:
    wanted = normalize(worth(candidates()), norm="l1").toarray()
    means = member_means(wanted)[answer().labels]

    def predicted(profile: GroupVae) -> np.ndarray:
        shares = np.empty_like(wanted)
        for group in range(3):
            members = np.flatnonzero(answer().labels == group)
            shares[members] = profile.predict(profile.latents().users[members], one_hot(group, 3))
        return shares

    def cost(shares: np.ndarray) -> float:
        return -float((wanted * np.log(shares + 1e-9)).sum(axis=1).mean())

    assert cost(predicted(fitted())) < cost(means) < cost(predicted(untrained()))


def test_predictions_keep_the_mean_of_their_group() -> None:
    wanted = member_means(normalize(worth(candidates()), norm="l1").toarray())
    latents = fitted().latents().users
    for group in range(3):
        predicted = fitted().predict(latents[answer().labels == group], one_hot(group, 3)).mean(axis=0)
        best = np.argsort(-wanted[group])[:10]
        assert wanted[group, np.argsort(-predicted)[:10]].sum() >= 0.97 * wanted[group, best].sum()
        assert np.abs(predicted - wanted[group]).sum() < 0.2  # of at most 2


def test_a_mixture_of_two_groups_lies_half_way_between_them() -> None:
    nobody = fitted().latents().mean.mean(axis=0, keepdims=True)
    one, other, half = (
        np.log(fitted().predict(nobody, np.array(mixture, np.float32))[0])
        for mixture in ([1, 0, 0], [0, 1, 0], [0.5, 0.5, 0])
    )
    assert np.abs(one - other).max() > 0.5
    np.testing.assert_allclose(half - half.mean(), (one + other - one.mean() - other.mean()) / 2, atol=1e-4)


def test_learned_priors_lie_where_their_groups_are() -> None:
    learned = fitted().arrays()
    mean, std = learned["module.prior_mean"], np.exp(0.5 * learned["module.prior_log_var"])
    centres = fitted().latents().mean
    distances = np.linalg.norm(mean[:, None] - centres[None], axis=2)
    assert distances.argmin(axis=1).tolist() == [0, 1, 2]
    between = np.linalg.norm(mean[:, None] - mean[None], axis=2)[np.triu_indices(3, 1)]
    assert between.min() > 2 * std.mean()


def test_kl_and_likelihood_agree_with_torch_distributions() -> None:
    torch.manual_seed(0)
    module = HistoryVae(n_items=6, n_groups=2, latent_size=3, hidden_size=4)
    torch.nn.init.normal_(module.prior_mean)
    torch.nn.init.normal_(module.prior_log_var)
    histories, labels = torch.rand(5, 6), torch.tensor([0, 1, 1, 0, 1])
    seen = sparse.csr_array(histories.numpy())
    mean, log_var = module.encode(seen)
    prior = Normal(module.prior_mean[labels], (0.5 * module.prior_log_var[labels]).exp())
    expected = kl_divergence(Normal(mean, (0.5 * log_var).exp()), prior).sum(dim=1).mean()
    has, wants, kl = module.loss(seen, histories, histories, labels)
    assert np.isfinite([has.item(), wants.item()]).all()
    assert kl.item() == pytest.approx(expected.item(), rel=1e-5)


def test_group_of_one_has_the_spread_of_its_members_posterior() -> None:
    labels = answer().labels.copy()
    labels[0] = 3
    profile = GroupVae(CONFIG.model_copy(update={"epochs": 2}))
    profile.fit(answer().data, Groups(labels, 4), candidates(), RunOptions())
    latents = profile.latents()
    assert np.isfinite(latents.std).all() and (latents.std > 0).all()
    np.testing.assert_allclose(latents.mean[3], latents.users[0], atol=1e-6)


def test_group_spread_is_members_variance_plus_posterior_variance() -> None:
    latents = fitted().latents()
    of_group = latents.users[answer().labels == 1]
    assert (latents.std[1] > of_group.std(axis=0)).all()
    np.testing.assert_allclose(latents.mean[1], of_group.mean(axis=0), atol=1e-5)


def test_same_seed_gives_the_same_profile_and_another_seed_another() -> None:
    again = GroupVae(CONFIG).fit(answer().data, true_groups(), candidates(), RunOptions(seed=0)).latents()
    assert np.array_equal(again.users, fitted().latents().users)
    other = GroupVae(CONFIG).fit(answer().data, true_groups(), candidates(), RunOptions(seed=1)).latents()
    assert not np.array_equal(other.users, fitted().latents().users)


def test_saved_profile_is_the_same_profile() -> None:
    again = GroupVae(CONFIG).load(fitted().arrays())
    histories = answer().data.histories
    assert np.array_equal(again.encode(histories), fitted().encode(histories))
    assert np.array_equal(again.encode(histories), fitted().latents().users)
    mixture = np.array([0.3, 0.7, 0], np.float32)
    users = fitted().latents().users
    assert np.array_equal(again.predict(users, mixture), fitted().predict(users, mixture))
    loaded = again.arrays()
    assert all(np.array_equal(values, loaded[name]) for name, values in fitted().arrays().items())


def test_decoded_preferences_sum_to_one_and_empty_histories_are_finite() -> None:
    latents = fitted().encode(sparse.csr_array((2, answer().data.n_items), dtype=np.float32))
    preferences = fitted().decode(latents)
    assert np.isfinite(latents).all() and preferences.dtype == np.float32
    np.testing.assert_allclose(preferences.sum(axis=1), 1, rtol=1e-5)


def test_no_histories_give_no_latents() -> None:
    empty = sparse.csr_array((0, answer().data.n_items), dtype=np.float32)
    assert fitted().encode(empty).shape == (0, CONFIG.latent_size)


def test_too_few_users_to_spare_any_train_all_epochs() -> None:
    few = planted(n_users=12, n_items=24, n_groups=2)
    own = Candidates(np.tile(np.arange(10, dtype=np.int32), (12, 1)), np.ones((12, 10), np.float32), 24)
    profile = GroupVae(CONFIG.model_copy(update={"epochs": 3}))
    profile.fit(few.data, Groups(few.labels, 2), own, RunOptions())
    assert profile.history is not None and profile.history.best_epoch == 3 and len(profile.history.epochs) == 3
    assert "validation" not in profile.history.epochs[-1]


def test_training_stops_where_the_users_set_apart_are_described_best() -> None:
    history = fitted().history
    assert history is not None
    values = [epoch["validation"] for epoch in history.epochs]
    assert values[history.best_epoch - 1] == max(values) and max(values) > values[0]


def test_weights_count_unless_histories_are_read_as_binary() -> None:
    histories = answer().data.histories
    doubled = histories.copy()
    doubled.data[::2] *= 5
    assert np.array_equal(fitted().encode(doubled), fitted().encode(histories))
    weighted = GroupVae(CONFIG.model_copy(update={"binary": False})).load(fitted().arrays())
    assert not np.allclose(weighted.encode(doubled), weighted.encode(histories))


def test_dropout_hides_a_share_and_keeps_the_expected_sum() -> None:
    histories = sparse.csr_array(np.ones((100, 100), np.float32))
    dropped = drop(histories, 0.5, np.random.default_rng(0))
    assert set(np.unique(dropped.data).tolist()) == {0.0, 2.0}
    assert dropped.sum() == pytest.approx(10_000, rel=0.05)
    assert (histories.data == 1).all()


def test_a_large_catalogue_is_described_by_drawn_items(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fitted()
    monkeypatch.setattr(vae, "MOST_DESCRIBED", answer().data.n_items // 2)
    monkeypatch.setattr(vae, "CALIBRATED_USERS", answer().data.n_users // 2)
    drawn = GroupVae(CONFIG).fit(answer().data, true_groups(), candidates(), RunOptions())
    costs = [
        -np.log(one.decode(one.latents().users) + 1e-9)[answer().data.histories.nonzero()].mean()
        for one in (whole, drawn)
    ]
    assert costs[1] < 1.05 * costs[0] < costs[1] * 1.1
