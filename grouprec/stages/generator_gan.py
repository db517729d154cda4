"""Conditional GAN in the latent space of the profile: draws virtual members of a group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from pydantic import Field
from scipy import linalg
from sklearn.neighbors import NearestNeighbors
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from grouprec.contracts import Generator, Profile, StageConfig, generators
from grouprec.data.dataset import Dataset
from grouprec.lists import lists_from_scores
from grouprec.training import RunOptions, fit_epochs, load_module, module_arrays
from grouprec.types import GroupLists, Groups

TRAINING, STOPPING, REPORT = 0, 1, 2  # what a member's latent vector is used for
SMALLEST_SPLIT = 10  # a smaller group has no members to spare
DRAWS_PER_MEMBER = 20  # generated points for every held-out one, so that only the held-out side is noisy
PRIOR_MEMBERS = 5  # weight of the pooled spread in a group's own, in members


class Residual(nn.Module):
    """Noise and a group -> a standardised latent vector: the noise itself plus what an MLP adds to it.

    The last layer starts at 0: before training this is the diagonal Gaussian of every group.
    """

    def __init__(self, n_groups: int, latent_size: int, hidden_size: int, embedding_size: int) -> None:
        super().__init__()
        self.group = nn.Embedding(n_groups, embedding_size)
        self.layers = nn.Sequential(
            nn.Linear(latent_size + embedding_size, hidden_size),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_size, hidden_size),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_size, latent_size),
        )
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        return noise + self.layers(torch.cat([noise, self.group(labels)], dim=1))


class Discriminator(nn.Module):
    """Projection discriminator (Miyato & Koyama 2018): f(x) + <group, phi(x)>, every layer spectrally normalised."""

    def __init__(self, n_groups: int, latent_size: int, hidden_size: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            spectral_norm(nn.Linear(latent_size, hidden_size)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Linear(hidden_size, hidden_size)),
            nn.LeakyReLU(0.2),
        )
        self.value = spectral_norm(nn.Linear(hidden_size, 1))
        self.group = spectral_norm(nn.Embedding(n_groups, hidden_size))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        features = self.features(x)
        return self.value(features).squeeze(1) + (self.group(labels) * features).sum(dim=1)


class Adversaries(nn.Module):
    """Generator, discriminator and the moving average of the generator, which is what samples are drawn from."""

    def __init__(self, n_groups: int, latent_size: int, config: GroupGan.Config) -> None:
        super().__init__()
        self.generator = Residual(n_groups, latent_size, config.hidden_size, config.embedding_size)
        self.discriminator = Discriminator(n_groups, latent_size, config.hidden_size)
        self.average = AveragedModel(self.generator, multi_avg_fn=get_ema_multi_avg_fn(config.averaging))


@generators.register("gan", title="Conditional GAN in latent space", cite="Miyato & Koyama 2018; Miyato et al. 2018")
class GroupGan(Generator):
    """Virtual members of every group, drawn from a conditional GAN over the profile's latent vectors.

    z = mean_g + std_g * r(noise, g): r learns, against a projection discriminator with spectral norm and hinge
    loss, what the diagonal Gaussian of the group misses. Both sides work on latent vectors that are standardised by
    their group, so that small groups share what large ones teach. Samples come from a moving average of the
    generator's weights.
    Of every group with at least 10 members, a tenth stops the training (Frechet distance) and another tenth is seen
    by :meth:`report` only. Mean and spread for drawing are then those of all members.
    """

    class Config(StageConfig):
        hidden_size: int = Field(128, ge=4, le=2048, description="Width of both networks' hidden layers")
        embedding_size: int = Field(16, ge=1, le=256, description="Length of a group's vector in the generator")
        epochs: int = Field(
            60, ge=1, le=1000, description="Most epochs", json_schema_extra={"quick": 25, "thorough": 150}
        )
        steps: int = Field(50, ge=1, le=10_000, description="Generator steps in an epoch")
        n_discriminator_steps: int = Field(2, ge=1, le=20, description="Discriminator steps before each generator step")
        batch_size: int = Field(256, ge=2, le=8192, description="Members in a mini-batch")
        generator_rate: float = Field(5e-4, gt=0, le=1, description="Step size of Adam for the generator")
        discriminator_rate: float = Field(1e-3, gt=0, le=1, description="Step size of Adam for the discriminator")
        averaging: float = Field(0.99, ge=0, lt=1, description="Decay of the generator's moving average, per step")
        patience: int = Field(
            15, ge=1, le=200, description="Epochs without better Frechet distance before stopping", json_schema_extra={"quick": 8}
        )
        n_virtual: int = Field(256, ge=1, le=100_000, description="Virtual members drawn for a group's lists")

    config: Config
    _module: Residual
    _mean: np.ndarray  # float32 [G, Z]
    _std: np.ndarray  # float32 [G, Z]
    _parts: np.ndarray  # int8 [U]: TRAINING, STOPPING or REPORT

    def fit(self, data: Dataset, groups: Groups, profile: Profile, run: RunOptions) -> Self:
        """Learn to draw latent vectors that look like those of a group's members."""
        latents, labels = profile.latents().users, groups.labels
        self._parts = split_members(groups, run.rng("gan split"))
        training = self._parts == TRAINING
        self._mean, self._std = location_and_spread(latents[training], labels[training], groups.n_groups)
        residuals = (latents - self._mean[labels]) / self._std[labels]
        stopping = self._parts == STOPPING
        with run.torch_seed("gan"):
            adversaries = Adversaries(groups.n_groups, latents.shape[1], self.config).to(run.device)
            self._module = adversaries.average.module
            run_epoch = self._epoch_runner(adversaries, residuals[training], labels[training], run)
            self.history = fit_epochs(
                adversaries,
                run_epoch,
                epochs=self.config.epochs,
                run=run,
                validate=lambda: -self._distance(latents[stopping], labels[stopping]),
                patience=self.config.patience,
            )
        self._mean, self._std = location_and_spread(latents, labels, groups.n_groups)
        return self

    def _epoch_runner(
        self, adversaries: Adversaries, residuals: np.ndarray, labels: np.ndarray, run: RunOptions
    ) -> Callable[[], dict[str, float]]:
        """Return what trains one epoch of alternating steps and gives its mean losses."""
        config = self.config
        generator, discriminator = adversaries.generator, adversaries.discriminator
        rates = ((generator, config.generator_rate), (discriminator, config.discriminator_rate))
        generator_adam, discriminator_adam = (
            torch.optim.Adam(module.parameters(), lr=rate, betas=(0.0, 0.9), fused=True) for module, rate in rates
        )
        real = torch.from_numpy(residuals).to(run.device)
        groups = torch.from_numpy(labels.astype(np.int64)).to(run.device)

        def draw() -> tuple[Tensor, Tensor, Tensor]:
            rows = torch.randint(len(real), (config.batch_size,), device=run.device)
            return real[rows], groups[rows], torch.randn_like(real[rows])

        def discriminator_step() -> Tensor:
            members, of, noise = draw()
            with torch.no_grad():
                fake = generator(noise, of)
            verdict = discriminator(torch.cat([members, fake]), torch.cat([of, of]))
            on_real, on_fake = verdict.chunk(2)
            loss = torch.relu(1 - on_real).mean() + torch.relu(1 + on_fake).mean()
            discriminator_adam.zero_grad()
            loss.backward()
            discriminator_adam.step()
            return loss.detach()

        def generator_step() -> Tensor:
            _, of, noise = draw()
            loss = -discriminator(generator(noise, of), of).mean()
            generator_adam.zero_grad()
            loss.backward()
            generator_adam.step()
            adversaries.average.update_parameters(generator)
            return loss.detach()

        def run_epoch() -> dict[str, float]:
            sums = torch.zeros(2, device=run.device)
            for _ in range(config.steps):
                on_discriminator = sum(discriminator_step() for _ in range(config.n_discriminator_steps))
                sums += torch.stack([on_discriminator / config.n_discriminator_steps, generator_step()])
            discriminator_loss, generator_loss = (sums / config.steps).tolist()
            return {"discriminator": discriminator_loss, "generator": generator_loss}

        return run_epoch
