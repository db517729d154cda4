"""Conditional GAN in the latent space of the profile: draws virtual members of a group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Self, cast

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from grouprec.core.types import Candidates, GroupLists, Groups
from grouprec.data.dataset import Dataset
from grouprec.models.base import Generator, Profile, StageConfig, generators, setting
from grouprec.models.fitting import RunOptions, fit_epochs, load_module, module_arrays, that_fits
from grouprec.models.generators.sample_distance import copy_shares, coverage, frechet
from grouprec.models.threads import one_thread
from grouprec.models.virtual_members import ListValue, mean_preference, one_hot
from grouprec.ranking.group_lists import lists_from_rates, member_matrix, worth

TRAINING, STOPPING, REPORT = 0, 1, 2  # what a member's latent vector is used for
SMALLEST_SPLIT = 10  # a smaller group has no members to spare
DRAWS_PER_MEMBER = 50  # virtual members for every held-out one, so that only the held-out side is noisy
SHARED_WEIGHT = 5  # members' worth of the common spread in every group's own
COVERAGE_DRAWS = 10
MOST_COMPARED = 5_000  # points of a sample that another one is compared with
GUARD_DRAWS = 64  # virtual members of every group whose list is judged after an epoch
LEAST_VALUE = 0.97  # of the members' own lists: generators whose lists are worth less are not kept


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
    """Noise and a group -> a standardised latent vector: the noise, mixed, plus what an MLP adds to it.

    The mixing starts from the members' correlations and the last layer at 0: before training this is a Gaussian per
    group whose directions go together as they do within groups on average.
    """

    def __init__(self, n_groups: int, latent_size: int, hidden_size: int, embedding_size: int) -> None:
        super().__init__()
        self.latent_size = latent_size
        self.group = nn.Embedding(n_groups, embedding_size)
        self.mixing = nn.Linear(latent_size, latent_size, bias=False)
        self.layers = nn.Sequential(
            nn.Linear(latent_size + embedding_size, hidden_size),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden_size, hidden_size),
            nn.LeakyReLU(0.2),
            last := nn.Linear(hidden_size, latent_size),
        )
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        return self.mixing(noise) + self.layers(torch.cat([noise, self.group(labels)], dim=1))


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

    def __init__(self, n_groups: int, mixing: np.ndarray, config: GroupGan.Config) -> None:
        super().__init__()
        latent_size = len(mixing)
        self.generator = Residual(n_groups, latent_size, config.hidden_size, config.embedding_size)
        with torch.no_grad():
            self.generator.mixing.weight.copy_(torch.from_numpy(mixing))
        self.discriminator = Discriminator(n_groups, latent_size, config.hidden_size)
        self.average = AveragedModel(self.generator, multi_avg_fn=get_ema_multi_avg_fn(config.averaging))


class Match:
    """Alternating steps of both sides over members float32 [B, Z], standardised by their groups, labels int64 [B]."""

    def __init__(
        self,
        sides: Adversaries,
        config: GroupGan.Config,
        members: np.ndarray,
        labels: np.ndarray,
        draws: torch.Generator,
    ) -> None:
        self._sides, self._config, self._draws = sides, config, draws
        rates = ((sides.generator, config.generator_rate), (sides.discriminator, config.discriminator_rate))
        self._generator_adam, self._discriminator_adam = (
            torch.optim.Adam(module.parameters(), lr=rate, betas=(0.0, 0.9), fused=True) for module, rate in rates
        )
        self._judging = list(sides.discriminator.parameters())
        self._members = torch.from_numpy(members).to(draws.device)
        self._labels = torch.from_numpy(labels.astype(np.int64)).to(draws.device)

    def epoch(self) -> dict[str, float]:
        """Train one epoch and return the mean losses of both sides."""
        config = self._config
        sums = torch.zeros(2, device=self._draws.device)
        for _ in range(config.steps):
            of_discriminator = reduce(torch.add, (self._discriminate() for _ in range(config.n_discriminator_steps)))
            sums += torch.stack([of_discriminator / config.n_discriminator_steps, self._generate()])
        discriminator_loss, generator_loss = (sums / config.steps).tolist()
        return {"discriminator": discriminator_loss, "generator": generator_loss}

    def _discriminate(self) -> Tensor:
        members, of, noise = self._draw()
        with torch.no_grad():
            fake = self._sides.generator(noise, of)
        verdict = self._sides.discriminator(torch.cat([members, fake]), torch.cat([of, of]))
        on_real, on_fake = verdict.chunk(2)
        loss = torch.relu(1 - on_real).mean() + torch.relu(1 + on_fake).mean()
        self._discriminator_adam.zero_grad()
        loss.backward()
        self._discriminator_adam.step()
        return loss.detach()

    def _generate(self) -> Tensor:
        _, of, noise = self._draw()
        self._learn(False)  # the discriminator passes gradients on, and needs none of its own
        loss = -self._sides.discriminator(self._sides.generator(noise, of), of).mean()
        self._learn(True)
        self._generator_adam.zero_grad()
        loss.backward()
        self._generator_adam.step()
        self._sides.average.update_parameters(self._sides.generator)
        return loss.detach()

    def _draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return members of a mini-batch, their groups, and as much noise."""
        shape, device = self._members.shape, self._draws.device
        rows = torch.randint(shape[0], (that_fits(self._config.batch_size),), generator=self._draws, device=device)
        noise = torch.randn((len(rows), shape[1]), generator=self._draws, device=device)
        return self._members[rows], self._labels[rows], noise

    def _learn(self, wanted: bool) -> None:
        for one in self._judging:
            one.requires_grad_(wanted)


@generators.register("gan", title="Conditional GAN in latent space", cite="Miyato & Koyama 2018; Miyato et al. 2018")
class GroupGan(Generator):
    """Virtual members of every group, drawn from a conditional GAN over the profile's latent vectors.

    z = mean_g + std_g * r(noise, g): r learns, against a projection discriminator with spectral norm and hinge
    loss, what the diagonal Gaussian of the group misses. Both sides work on latent vectors that are standardised by
    their group, so that small groups share what large ones teach. Samples come from a moving average of the
    generator's weights.
    Of every group with at least 10 members, a tenth stops the training and a fifth is seen by :meth:`report`
    only. What stops it is the share of these members that virtual members cover, less what virtual members come
    nearer to training members than these members do, less a penalty where the generated lists are worth less to them
    than 97 % of what the training members' lists are. (Frechet and sliced Wasserstein distances stopped too early: they
    are content with mean and covariance, before the shape is learned.) Mean and spread for drawing are then those of
    all members.
    """

    per_user = ("parts",)

    class Config(StageConfig):
        hidden_size: int = Field(128, ge=4, le=2048, description="Width of both networks' hidden layers")
        embedding_size: int = Field(16, ge=1, le=256, description="Length of a group's vector in the generator")
        epochs: int = setting(30, ge=1, le=1000, description="Most epochs", quick=12, thorough=80)
        steps: int = setting(50, ge=1, le=10_000, description="Generator steps in an epoch", quick=25)
        n_discriminator_steps: int = Field(2, ge=1, le=20, description="Discriminator steps before each generator step")
        batch_size: int = Field(256, ge=2, le=8192, description="Members in a mini-batch")
        generator_rate: float = Field(2e-3, gt=0, le=1, description="Step size of Adam for the generator")
        discriminator_rate: float = Field(4e-3, gt=0, le=1, description="Step size of Adam for the discriminator")
        averaging: float = Field(0.99, ge=0, lt=1, description="Decay of the generator's moving average, per step")
        patience: int = setting(
            15, ge=1, le=200, description="Epochs without better coverage of held-out members before stopping", quick=8
        )
        n_virtual: int = Field(1024, ge=1, le=100_000, description="Virtual members drawn for a group's lists")

    config: Config
    _module: Residual
    _scale: GroupScale
    _parts: np.ndarray  # int8 [U]: TRAINING, STOPPING or REPORT

    def fit(self, groups: Groups, profile: Profile, candidates: Candidates, run: RunOptions) -> Self:
        """Learn to draw latent vectors that look like those of a group's members.

        Without groups of 10 members nobody can be held out: it then trains ``epochs`` epochs.
        """
        latents, labels = profile.latents().users, groups.labels
        self._parts = split_members(groups, run.rng("gan split"))
        training, stopping = self._parts == TRAINING, self._parts == STOPPING
        self._scale = GroupScale.of(latents[training], labels[training], groups.n_groups)
        residuals = (latents - self._scale.mean[labels]) / self._scale.std[labels]
        with one_thread():
            with run.torch_seed("gan"):
                adversaries = Adversaries(groups.n_groups, correlation_root(residuals[training]), self.config)
                draws = run.own_draws()
            adversaries.to(run.device)
            self._module = cast(Residual, adversaries.average.module)
            enough = np.count_nonzero(stopping) > 1  # one alone has no fellow to be as near as
            value = ListValue.of(worth(candidates), groups, training, stopping) if enough else None

            def validate() -> float:
                assert value is not None
                rates = self._rates(profile, groups.n_groups, GUARD_DRAWS, run.rng("gan guard"))
                missing = max(LEAST_VALUE - value.share(rates), 0.0) / (1 - LEAST_VALUE)
                likeness = self._likeness(
                    labels[stopping], latents[stopping], latents[training], run.rng("gan stopping")
                )
                too_near = max(likeness["copies"] - likeness["members_copies"], 0.0)
                return likeness["mode_coverage"] - too_near - missing

            self.history = fit_epochs(
                adversaries,
                Match(adversaries, self.config, residuals[training], labels[training], draws).epoch,
                epochs=self.config.epochs,
                run=run,
                validate=None if value is None else validate,
                patience=self.config.patience,
                draws=draws,
            )
        self._scale = GroupScale.of(latents, labels, groups.n_groups)
        return self

    def _residuals(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return one standardised virtual member for every label, float32 [B, Z]."""
        weight = self._module.group.weight
        noise = rng.standard_normal((len(labels), self._module.latent_size), dtype=np.float32)
        with torch.no_grad():
            of = torch.from_numpy(labels.astype(np.int64)).to(weight.device)
            return self._module(torch.from_numpy(noise).to(weight.device), of).cpu().numpy()

    def _virtual(self, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return 50 virtual members in a row for every label, float32 [50 B, Z]."""
        labels = np.repeat(labels, DRAWS_PER_MEMBER)
        return self._scale.place(self._residuals(labels, rng), labels)

    def sample(self, group: int, n: int, rng: np.random.Generator) -> np.ndarray:
        labels = np.full(n, group)
        return self._scale.place(self._residuals(labels, rng), labels)

    def lists(self, data: Dataset, groups: Groups, profile: Profile, run: RunOptions) -> GroupLists:
        """Return every group's two lists from the mean predicted preference of its virtual members.

        That is the share of the group's preference that goes to an item, by members who lack it
        (:func:`~grouprec.ranking.group_lists.lists_from_rates`).
        """
        rates = self._rates(profile, groups.n_groups, self.config.n_virtual, run.rng("gan lists"))
        return lists_from_rates(rates, data.known, groups, run.seed)

    def _rates(self, profile: Profile, n_groups: int, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return the mean predicted preference of ``n`` virtual members of every group, float32 [G, I]."""
        return np.stack(
            [mean_preference(profile, self.sample(g, n, rng), one_hot(g, n_groups)) for g in range(n_groups)]
        )

    def report(self, groups: Groups, profile: Profile) -> dict[str, float]:
        """Return how close virtual members come to members that neither training nor stopping has seen.

        ``frechet_generated``, and for comparison ``frechet_gaussian`` (a diagonal Gaussian per group with the mean
        and spread that the generator starts from) and ``frechet_members`` (the training members: what the small
        number of held-out members costs any method). Frechet distances compare mean and covariance of the pooled
        points. ``mode_coverage`` is the share of held-out members that one virtual member each, of their groups,
        covers (:func:`~grouprec.models.generators.sample_distance.coverage`), the mean over 10 draws;
        ``members_coverage`` the same by as many training members. ``copies`` is the share of virtual members nearer to
        a training member than half of these are to each other
        (:func:`~grouprec.models.generators.sample_distance.copy_share`), ``members_copies`` that of the held-out
        members. Empty where no group has 10 members.
        """
        latents, labels = profile.latents().users, groups.labels
        training, held_out = self._parts == TRAINING, self._parts == REPORT
        if held_out.sum() < 2:
            return {}
        rng = np.random.default_rng(0)  # the same yardstick for every run
        real, unseen, theirs = latents[training], latents[held_out], labels[held_out]
        final, self._scale = self._scale, GroupScale.of(real, labels[training], groups.n_groups)
        virtual, likeness = self._virtual(theirs, rng), self._likeness(theirs, unseen, real, rng)
        of = np.repeat(theirs, DRAWS_PER_MEMBER)
        gaussian = self._scale.place(rng.standard_normal(virtual.shape), of)
        self._scale = final
        some = _some(len(unseen), rng)
        fellows = (real[rng.choice(len(real), len(some), len(real) < len(some))] for _ in range(COVERAGE_DRAWS))
        return {
            "frechet_generated": frechet(virtual, unseen),
            "frechet_gaussian": frechet(gaussian, unseen),
            "frechet_members": frechet(real, unseen),
            **likeness,
            "members_coverage": coverage(list(fellows), unseen[some]),
        }

    def _likeness(
        self, labels: np.ndarray, members: np.ndarray, real: np.ndarray, rng: np.random.Generator
    ) -> dict[str, float]:
        """Return how well virtual members of these groups cover ``members``, and how near they come to ``real``.

        Of either at most 5,000, drawn: the work grows with their product.
        """
        some, real = _some(len(members), rng), real[_some(len(real), rng)]
        labels, members = labels[some], members[some]
        draws = [self._scale.place(self._residuals(labels, rng), labels) for _ in range(COVERAGE_DRAWS)]
        copies, members_copies = copy_shares([draws[0], members], real)
        return {"mode_coverage": coverage(draws, members), "copies": copies, "members_copies": members_copies}

    def arrays(self) -> dict[str, np.ndarray]:
        weights = {f"module.{name}": value for name, value in module_arrays(self._module).items()}
        return weights | {"mean": self._scale.mean, "std": self._scale.std, "parts": self._parts}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        """Put the generator back; the discriminator is needed for training only and is not kept."""
        weights = {name.removeprefix("module."): v for name, v in arrays.items() if name.startswith("module.")}
        n_groups, embedding_size = weights["group.weight"].shape
        latent_size, hidden_size = weights["layers.4.weight"].shape
        self._module = load_module(lambda: Residual(n_groups, latent_size, hidden_size, embedding_size), weights)
        self._scale, self._parts = GroupScale(arrays["mean"], arrays["std"]), arrays["parts"]
        return self


def correlation_root(residuals: np.ndarray) -> np.ndarray:
    """Return the symmetric root of the second moments of standardised points [U, Z], float32 [Z, Z]."""
    values, vectors = np.linalg.eigh(residuals.T.astype(np.float64) @ residuals / max(len(residuals), 1))
    return ((vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T).astype(np.float32)


def _some(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return rows of so many points that are compared with others, int64, ascending; drawn where they are too many."""
    return np.arange(n) if n <= MOST_COMPARED else np.sort(rng.choice(n, MOST_COMPARED, replace=False))


def split_members(groups: Groups, rng: np.random.Generator) -> np.ndarray:
    """Return what each member's latent vector is used for, int8 [U]."""
    parts = np.full(len(groups.labels), TRAINING, np.int8)
    for group in np.flatnonzero(groups.sizes >= SMALLEST_SPLIT):
        members = rng.permutation(np.flatnonzero(groups.labels == group))
        tenth = len(members) // 10
        parts[members[:tenth]], parts[members[tenth : 3 * tenth]] = STOPPING, REPORT
    return parts
