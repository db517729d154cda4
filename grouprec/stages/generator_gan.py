"""Conditional GAN in the latent space of the profile: draws virtual members of a group."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from pydantic import Field
from sklearn.neighbors import NearestNeighbors
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from grouprec.contracts import Generator, Profile, StageConfig, generators
from grouprec.data.dataset import Dataset
from grouprec.lists import lists_from_rates, member_matrix
from grouprec.training import RunOptions, fit_epochs, load_module, module_arrays
from grouprec.types import GroupLists, Groups

TRAINING, STOPPING, REPORT = 0, 1, 2  # what a member's latent vector is used for
SMALLEST_SPLIT = 10  # a smaller group has no members to spare
DRAWS_PER_MEMBER = 50  # virtual members for every held-out one, so that only the held-out side is noisy
SHARED_WEIGHT = 5  # members' worth of the common spread in every group's own
DECODING_BATCH = 256  # virtual members decoded at a time
N_DIRECTIONS = 64


@dataclass(frozen=True, eq=False)
class GroupScale:
    """Where the groups lie and how far they reach: ``mean`` and ``std`` float32 [G, Z], ``std`` > 0."""

    mean: np.ndarray
    std: np.ndarray

    @staticmethod
    def of(latents: np.ndarray, labels: np.ndarray, n_groups: int) -> GroupScale:
        """Return mean and spread of every group; a small group's spread leans on that within all groups."""
        members = member_matrix(Groups(labels, n_groups)).astype(np.float64)
        sizes = np.bincount(labels, minlength=n_groups)[:, None]
        mean = (members @ latents) / sizes
        squares = members @ (latents - mean[labels]) ** 2
        shared = squares.sum(axis=0) / len(latents)
        variance = (squares + SHARED_WEIGHT * shared) / (sizes + SHARED_WEIGHT)
        return GroupScale(mean.astype(np.float32), np.sqrt(np.maximum(variance, 1e-8)).astype(np.float32))

    def place(self, residuals: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """Return standardised points where their groups lie, float32 [B, Z]."""
        return (self.mean[labels] + self.std[labels] * residuals).astype(np.float32)


class Residual(nn.Module):
    """Noise and a group -> a standardised latent vector: the noise itself plus what an MLP adds to it.

    The last layer starts at 0: before training this is the diagonal Gaussian of every group.
    """

    def __init__(self, n_groups: int, latent_size: int, hidden_size: int, embedding_size: int) -> None:
        super().__init__()
        self.latent_size = latent_size
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
    Of every group with at least 10 members, a tenth stops the training (sliced Wasserstein distance: the
    Frechet distance is content with mean and covariance, before the shape is learned) and another tenth is seen by
    :meth:`report` only. Mean and spread for drawing are then those of all members.
    """

    class Config(StageConfig):
        hidden_size: int = Field(128, ge=4, le=2048, description="Width of both networks' hidden layers")
        embedding_size: int = Field(16, ge=1, le=256, description="Length of a group's vector in the generator")
        epochs: int = Field(
            40, ge=1, le=1000, description="Most epochs", json_schema_extra={"quick": 10, "thorough": 100}
        )
        steps: int = Field(50, ge=1, le=10_000, description="Generator steps in an epoch")
        n_discriminator_steps: int = Field(2, ge=1, le=20, description="Discriminator steps before each generator step")
        batch_size: int = Field(
            256, ge=2, le=8192, description="Members in a mini-batch", json_schema_extra={"quick": 128}
        )
        generator_rate: float = Field(
            5e-4, gt=0, le=1, description="Step size of Adam for the generator", json_schema_extra={"quick": 1e-3}
        )
        discriminator_rate: float = Field(
            1e-3, gt=0, le=1, description="Step size of Adam for the discriminator", json_schema_extra={"quick": 2e-3}
        )
        averaging: float = Field(0.99, ge=0, lt=1, description="Decay of the generator's moving average, per step")
        patience: int = Field(
            15,
            ge=1,
            le=200,
            description="Epochs without better distance to held-out members before stopping",
            json_schema_extra={"quick": 8},
        )
        n_virtual: int = Field(1024, ge=1, le=100_000, description="Virtual members drawn for a group's lists")

    config: Config
    _module: Residual
    _scale: GroupScale
    _parts: np.ndarray  # int8 [U]: TRAINING, STOPPING or REPORT

    def fit(self, data: Dataset, groups: Groups, profile: Profile, run: RunOptions) -> Self:
        """Learn to draw latent vectors that look like those of a group's members.

        Without groups of 10 members nobody can be held out: it then trains ``epochs`` epochs.
        """
        latents, labels = profile.latents().users, groups.labels
        self._parts = split_members(groups, run.rng("gan split"))
        training, stopping = self._parts == TRAINING, self._parts == STOPPING
        scale = GroupScale.of(latents[training], labels[training], groups.n_groups)
        residuals = (latents - scale.mean[labels]) / scale.std[labels]
        with run.torch_seed("gan"), one_thread():
            adversaries = Adversaries(groups.n_groups, latents.shape[1], self.config).to(run.device)
            self._module = adversaries.average.module

            def validate() -> float:
                crowd = self._crowd(labels[stopping], scale, run.rng("gan validation"))
                return -sliced_wasserstein(crowd, latents[stopping], run.rng("gan directions"))

            self.history = fit_epochs(
                adversaries,
                self._epoch_runner(adversaries, residuals[training], labels[training], run),
                epochs=self.config.epochs,
                run=run,
                validate=validate if stopping.any() else None,
                patience=self.config.patience,
            )
        self._scale = GroupScale.of(latents, labels, groups.n_groups)
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

    def _residuals(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return one standardised virtual member for every label, float32 [B, Z]."""
        weight = self._module.group.weight
        noise = rng.standard_normal((len(labels), self._module.latent_size), dtype=np.float32)
        with torch.no_grad():
            of = torch.from_numpy(labels.astype(np.int64)).to(weight.device)
            return self._module(torch.from_numpy(noise).to(weight.device), of).cpu().numpy()

    def _crowd(self, labels: np.ndarray, scale: GroupScale, rng: np.random.Generator) -> np.ndarray:
        """Return 50 virtual members in a row for every label, float32 [50 B, Z]."""
        labels = np.repeat(labels, DRAWS_PER_MEMBER)
        return scale.place(self._residuals(labels, rng), labels)

    def sample(self, group: int, n: int, rng: np.random.Generator) -> np.ndarray:
        labels = np.full(n, group)
        return self._scale.place(self._residuals(labels, rng), labels)

    def lists(
        self, data: Dataset, groups: Groups, profile: Profile, run: RunOptions, factor: np.ndarray | None = None
    ) -> GroupLists:
        """Return every group's two lists from the mean decoded preference of its virtual members.

        That mean is the rate at which the group takes an item, whoever has it by now
        (:func:`~grouprec.lists.lists_from_rates`).
        """
        rng = run.rng("gan lists")
        rates = np.stack([self._mean_preference(group, profile, rng) for group in range(groups.n_groups)])
        rates = rates if factor is None else rates * factor
        return lists_from_rates(rates.astype(np.float32), data.known, groups, run.seed)

    def _mean_preference(self, group: int, profile: Profile, rng: np.random.Generator) -> np.ndarray:
        """Return the mean decoded preference of a group's virtual members, float64 [I]."""
        virtual = self.sample(group, self.config.n_virtual, rng)
        starts = range(0, len(virtual), DECODING_BATCH)
        sums = [profile.decode(virtual[start : start + DECODING_BATCH]).sum(axis=0, dtype=float) for start in starts]
        return np.sum(sums, axis=0) / len(virtual)

    def report(self, data: Dataset, groups: Groups, profile: Profile) -> dict[str, float]:
        """Return how close virtual members come to members that neither training nor stopping has seen.

        ``frechet_generated``, and for comparison ``frechet_gaussian`` (a diagonal Gaussian per group with the mean
        and spread that the generator starts from) and ``frechet_members`` (the training members: what the small
        number of held-out members costs any method). Frechet distances compare mean and covariance of the pooled
        points. ``mode_coverage`` is the share of held-out members with a virtual member (as many as there are
        training members) within the median distance from a training member to its nearest fellow; other real
        members reach about one half. Empty where no group has 10 members.
        """
        latents, labels = profile.latents().users, groups.labels
        training, held_out = self._parts == TRAINING, self._parts == REPORT
        if held_out.sum() < 2:
            return {}
        rng = np.random.default_rng(0)  # the same yardstick for every run
        real, unseen = latents[training], latents[held_out]
        scale = GroupScale.of(real, labels[training], groups.n_groups)
        of = np.repeat(labels[held_out], DRAWS_PER_MEMBER)
        gaussian = scale.place(rng.standard_normal((len(of), latents.shape[1])), of)
        virtual = scale.place(self._residuals(labels[training], rng), labels[training])
        return {
            "frechet_generated": frechet(self._crowd(labels[held_out], scale, rng), unseen),
            "frechet_gaussian": frechet(gaussian, unseen),
            "frechet_members": frechet(real, unseen),
            "mode_coverage": mode_coverage(virtual, real, unseen),
        }

    def arrays(self) -> dict[str, np.ndarray]:
        weights = {f"module.{name}": value for name, value in module_arrays(self._module).items()}
        return weights | {"mean": self._scale.mean, "std": self._scale.std, "parts": self._parts}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        """Put the generator back; the discriminator is needed for training only and is not kept."""
        weights = {name.removeprefix("module."): v for name, v in arrays.items() if name.startswith("module.")}
        n_groups, embedding_size = weights["group.weight"].shape
        latent_size, hidden_size = weights["layers.4.weight"].shape
        self._module = Residual(n_groups, latent_size, hidden_size, embedding_size)
        load_module(self._module, weights)
        self._scale, self._parts = GroupScale(arrays["mean"], arrays["std"]), arrays["parts"]
        return self


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch on one thread: on tensors this small several wait for one another longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def split_members(groups: Groups, rng: np.random.Generator) -> np.ndarray:
    """Return what each member's latent vector is used for, int8 [U]."""
    parts = np.full(len(groups.labels), TRAINING, np.int8)
    for group in np.flatnonzero(groups.sizes >= SMALLEST_SPLIT):
        members = rng.permutation(np.flatnonzero(groups.labels == group))
        tenth = len(members) // 10
        parts[members[:tenth]], parts[members[tenth : 2 * tenth]] = STOPPING, REPORT
    return parts


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """Return the squared Frechet distance between Gaussians fitted to two samples of at least 2 points.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2) (Dowson & Landau 1982; Heusel et al. 2017), in float64.
    """
    first, second = first.astype(np.float64), second.astype(np.float64)
    covariance, other = (np.atleast_2d(np.cov(sample, rowvar=False)) for sample in (first, second))
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    overlap = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other @ root), 0)).sum()
    shift = ((first.mean(axis=0) - second.mean(axis=0)) ** 2).sum()
    return max(float(shift + np.trace(covariance) + np.trace(other) - 2 * overlap), 0.0)


def sliced_wasserstein(crowd: np.ndarray, members: np.ndarray, rng: np.random.Generator) -> float:
    """Return the mean squared Wasserstein distance between two samples over random directions (Bonneel et al. 2015).

    Along a direction, the members in order meet equal shares of the crowd in order.

    Args:
        crowd: [n V, Z].
        members: [V, Z].
    """
    directions = rng.standard_normal((N_DIRECTIONS, members.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    along = np.sort(directions @ crowd.T).reshape(N_DIRECTIONS, len(members), -1).mean(axis=2)
    return float(((along - np.sort(directions @ members.T)) ** 2).mean())


def mode_coverage(virtual: np.ndarray, real: np.ndarray, unseen: np.ndarray) -> float:
    """Return the share of ``unseen`` with a virtual point closer than half of ``real`` have their nearest fellow."""
    reach = np.median(NearestNeighbors(n_neighbors=1).fit(real).kneighbors()[0])
    distances = NearestNeighbors(n_neighbors=1).fit(virtual).kneighbors(unseen)[0]
    return float((distances <= reach).mean())
