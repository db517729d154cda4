from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy import sparse
from torch.distributions import Normal, kl_divergence

from grouprec.data.dataset import Interactions
from grouprec.data.synthetic import Planted, planted
from grouprec.stages.profile_vae import GroupVae, HistoryVae, drop
from grouprec.training import RunOptions
from grouprec.types import Groups

CONFIG = GroupVae.Config(latent_size=8, hidden_size=32, epochs=25, learning_rate=1e-2, annealing_epochs=5)


@cache
def answer() -> Planted:
    return planted(n_groups=3)


@cache
def true_groups() -> Groups:
    return Groups(answer().labels, 3)


@cache
def fitted(seed: int = 0) -> GroupVae:
    return GroupVae(CONFIG).fit(answer().data, true_groups(), RunOptions(seed=seed))


def test_vae_predicts_held_out_items_better_than_popularity() -> None:
    report = fitted().report(answer().data, true_groups())
    assert report["nll_vae"] < report["nll_popularity"] - 0.4


def test_popularity_baseline_is_the_smoothed_share_of_the_training_part() -> None:
    data = answer().data
    counts = (data.histories.toarray() > 0).sum(axis=0) + 1
    log_p = np.log(counts / counts.sum())
    validation = data.validation.matrix(data.shape).toarray() > 0
    by_hand = -np.mean([(row @ log_p) / row.sum() for row in validation])
    assert fitted().report(data, true_groups())["nll_popularity"] == pytest.approx(by_hand, rel=1e-5)


def test_learned_priors_lie_where_their_groups_are() -> None:
    mean, std = fitted().prior()
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
    mean, log_var = module.encode(histories)
    prior = Normal(module.prior_mean[labels], (0.5 * module.prior_log_var[labels]).exp())
    expected = kl_divergence(Normal(mean, (0.5 * log_var).exp()), prior).sum(dim=1).mean()
    _, kl = module.loss(histories, histories, labels)
    assert kl.item() == pytest.approx(expected.item(), rel=1e-5)


def test_group_of_one_has_the_spread_of_its_members_posterior() -> None:
    labels = answer().labels.copy()
    labels[0] = 3
    profile = GroupVae(CONFIG.model_copy(update={"epochs": 2})).fit(answer().data, Groups(labels, 4), RunOptions())
    latents = profile.latents()
    assert np.isfinite(latents.std).all() and (latents.std > 0).all()
    np.testing.assert_allclose(latents.mean[3], latents.users[0], atol=1e-6)


def test_group_spread_is_members_variance_plus_posterior_variance() -> None:
    latents = fitted().latents()
    of_group = latents.users[answer().labels == 1]
    assert (latents.std[1] > of_group.std(axis=0)).all()
    np.testing.assert_allclose(latents.mean[1], of_group.mean(axis=0), atol=1e-5)


def test_same_seed_gives_the_same_profile_and_another_seed_another() -> None:
    again = GroupVae(CONFIG).fit(answer().data, true_groups(), RunOptions(seed=0)).latents()
    assert np.array_equal(again.users, fitted().latents().users)
    other = GroupVae(CONFIG).fit(answer().data, true_groups(), RunOptions(seed=1)).latents()
    assert not np.array_equal(other.users, fitted().latents().users)


def test_saved_profile_is_the_same_profile() -> None:
    again = GroupVae(CONFIG).load(fitted().arrays())
    histories = answer().data.histories
    assert np.array_equal(again.encode(histories), fitted().encode(histories))
    assert np.array_equal(again.encode(histories), fitted().latents().users)
    for learned, loaded in zip(fitted().prior(), again.prior(), strict=True):
        assert np.array_equal(learned, loaded)


def test_decoded_preferences_sum_to_one_and_empty_histories_are_finite() -> None:
    latents = fitted().encode(sparse.csr_array((2, answer().data.n_items), dtype=np.float32))
    preferences = fitted().decode(latents)
    assert np.isfinite(latents).all() and preferences.dtype == np.float32
    np.testing.assert_allclose(preferences.sum(axis=1), 1, rtol=1e-5)


def test_no_histories_give_no_latents() -> None:
    empty = sparse.csr_array((0, answer().data.n_items), dtype=np.float32)
    assert fitted().encode(empty).shape == (0, CONFIG.latent_size)


def test_without_validation_it_trains_all_epochs_and_reports_nothing() -> None:
    data = replace(answer().data, validation=Interactions.empty(timed=True))
    profile = GroupVae(CONFIG.model_copy(update={"epochs": 3})).fit(data, true_groups(), RunOptions())
    assert profile.history is not None and profile.history.best_epoch == 3
    assert profile.report(data, true_groups()) == {}


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
