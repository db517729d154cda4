"""VAE over histories with a prior of its own for every group."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from pydantic import Field
from scipy import sparse
from sklearn.preprocessing import normalize
from torch import Tensor, nn
from torch.nn import functional

from grouprec.contracts import Profile, StageConfig, profiles
from grouprec.data.dataset import Dataset
from grouprec.training import RunOptions, batches, fit_epochs, load_module, module_arrays
from grouprec.types import GroupLatents, Groups

LOG_VAR_RANGE = (-8.0, 4.0)  # keeps every variance, and with it every KL term, finite
PRIOR_SPEED = 10  # each prior sees its own group only, so it takes larger steps than the network
INFERENCE_BATCH = 1024  # users made dense at a time

Losses = dict[str, float]


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Validation items of the users who have some: ``rows`` int [V], ``items`` CSR [V, I], rows sum to 1."""

    rows: np.ndarray
    items: sparse.csr_array


class HistoryVae(nn.Module):
    """Encoder, decoder and the groups' priors; shapes are given by the sizes alone."""

    def __init__(self, n_items: int, n_groups: int, latent_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_items, hidden_size)
        self.posterior = nn.Linear(hidden_size, 2 * latent_size)
        self.decoder = nn.Linear(latent_size, n_items)
        self.prior_mean = nn.Parameter(torch.zeros(n_groups, latent_size))
        self.prior_log_var = nn.Parameter(torch.zeros(n_groups, latent_size))

    def encode(self, histories: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(z | history of length 1), [B, Z] each."""
        hidden = torch.tanh(self.hidden(histories))
        mean, log_var = self.posterior(hidden).chunk(2, dim=1)
        return mean, log_var.clamp(*LOG_VAR_RANGE)

    def loss(self, seen: Tensor, histories: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the negative log-likelihood of the histories and the KL divergence to the group's prior.

        Means over users; ``seen`` is what the encoder is shown: histories of length 1 after dropout.
        """
        mean, log_var = self.encode(seen)
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        log_likelihood = (histories * functional.log_softmax(self.decoder(z), dim=1)).sum(dim=1)
        prior_mean = self.prior_mean[labels]
        prior_log_var = self.prior_log_var[labels].clamp(*LOG_VAR_RANGE)
        ratio = (log_var - prior_log_var).exp() + (mean - prior_mean) ** 2 / prior_log_var.exp()
        kl = 0.5 * (ratio - 1 - log_var + prior_log_var).sum(dim=1)
        return -log_likelihood.mean(), kl.mean()


@profiles.register("vae", title="VAE with a prior for every group", cite="Liang et al. 2018; Jiang et al. 2017")
class GroupVae(Profile):
    """Every user as a point, and every group as a distribution, in the latent space of a VAE.

    Mult-VAE (Liang et al. 2018): q(z|x) = N(mean(x), diag var(x)) by reparameterisation, multinomial likelihood
    x ~ Mult(softmax(W z + b)), KL weight raised linearly from 0. The prior is a Gaussian per group,
    p(z|g) = N(mu_g, diag sigma_g^2), learned with the rest as in VaDE (Jiang et al. 2017).
    Departures: the groups are given, so VaDE's soft assignments and mixture weights are not needed; the decoder is
    linear, which serves small data better and is far quicker; without ``binary``, histories keep their weights.
    """

    class Config(StageConfig):
        latent_size: int = Field(32, ge=2, le=512, description="Length of a latent vector")
        hidden_size: int = Field(
            256, ge=4, le=4096, description="Width of the encoder's hidden layer", json_schema_extra={"quick": 128}
        )
        epochs: int = Field(
            60,
            ge=1,
            le=1000,
            description="Most passes over the histories",
            json_schema_extra={"quick": 12, "thorough": 150},
        )
        batch_size: int = Field(128, ge=1, le=8192, description="Users in a mini-batch")
        learning_rate: float = Field(
            2e-3, gt=0, le=1, description="Step size of Adam", json_schema_extra={"quick": 4e-3}
        )
        # Online Retail: nDCG@10 .068 as ones, .059 as sums of logarithms of quantities.
        binary: bool = Field(True, description="Read a history as has or has not, instead of by its weights")
        dropout: float = Field(0.5, ge=0, lt=1, description="Share of a history that is hidden from the encoder")
        kl_weight: float = Field(0.2, ge=0, le=10, description="Weight of the KL term once it is fully raised")
        annealing_epochs: int = Field(
            10,
            ge=0,
            le=1000,
            description="Epochs over which the KL weight is raised",
            json_schema_extra={"quick": 8, "thorough": 20},
        )
        patience: int = Field(
            5,
            ge=1,
            le=100,
            description="Epochs without better validation before stopping",
            json_schema_extra={"quick": 3},
        )

    config: Config
    _module: HistoryVae
    _latents: GroupLatents

    def fit(self, data: Dataset, groups: Groups, run: RunOptions) -> Self:
        """Learn from ``data.train``; the validation part, where there is one, decides when to stop."""
        config = self.config
        with run.torch_seed("vae"):
            module = HistoryVae(data.n_items, groups.n_groups, config.latent_size, config.hidden_size)
            self._module = module.to(run.device)
            held_out = self._held_out(data)
            self.history = fit_epochs(
                self._module,
                self._epoch_runner(data.histories, groups, run),
                epochs=config.epochs,
                run=run,
                validate=None if held_out is None else lambda: self._log_likelihood(data.histories, held_out),
                patience=config.patience,
            )
        self._latents = self._aggregate(data.histories, groups)
        return self

    def _epoch_runner(self, histories: sparse.csr_array, groups: Groups, run: RunOptions) -> Callable[[], Losses]:
        """Return what trains one epoch and gives its mean losses."""
        config, module = self.config, self._module
        priors = [module.prior_mean, module.prior_log_var]
        network = [value for name, value in module.named_parameters() if not name.startswith("prior")]
        optimizer = torch.optim.Adam(
            [{"params": network}, {"params": priors, "lr": PRIOR_SPEED * config.learning_rate}],
            lr=config.learning_rate,
            fused=True,
        )
        labels = torch.from_numpy(groups.labels.astype(np.int64)).to(run.device)
        histories = self._read(histories)
        unit = normalize(histories)
        rng = run.rng("vae batches")
        n_users = len(groups.labels)
        annealing_steps = max(1, config.annealing_epochs * -(-n_users // config.batch_size))
        step = 0

        def run_epoch() -> Losses:
            nonlocal step
            sums = np.zeros(2)
            for rows in batches(rng, n_users, config.batch_size):
                step += 1
                kl_weight = config.kl_weight * min(1.0, step / annealing_steps)
                seen = self._dense(drop(unit[rows], config.dropout, rng))
                nll, kl = module.loss(seen, self._dense(histories[rows]), labels[rows])
                optimizer.zero_grad()
                (nll + kl_weight * kl).backward()
                optimizer.step()
                sums += len(rows) * np.array([nll.item(), kl.item()])
            return {"reconstruction": sums[0] / n_users, "kl": sums[1] / n_users}

        return run_epoch

    def _read(self, histories: sparse.csr_array) -> sparse.csr_array:
        """Return the histories as the settings want them read."""
        return histories.astype(bool).astype(np.float32) if self.config.binary else histories

    def _dense(self, batch: sparse.csr_array) -> Tensor:
        """Return one mini-batch as a dense tensor on the module's device, float32 [B, I]."""
        return torch.from_numpy(batch.toarray()).to(self._module.prior_mean.device)

    def _encode_batch(self, histories: sparse.csr_array) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(z | history) of one mini-batch of at least one user."""
        return self._module.encode(self._dense(normalize(self._read(histories))))

    def _posterior(self, histories: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of q(z | history), float32 [B, Z] each."""
        parts: list[np.ndarray] = []
        with torch.no_grad():
            for start in range(0, len(histories.indptr) - 1, INFERENCE_BATCH):
                mean, log_var = self._encode_batch(histories[start : start + INFERENCE_BATCH])
                parts.append(torch.stack([mean, log_var.exp()]).cpu().numpy())
        if not parts:
            return (np.empty((0, self.config.latent_size), np.float32),) * 2
        mean, variance = np.concatenate(parts, axis=1)
        return mean, variance

    def _aggregate(self, histories: sparse.csr_array, groups: Groups) -> GroupLatents:
        """Return the aggregated posterior of every group: the mixture of its members' posteriors."""
        users, variance = self._posterior(histories)
        members = sparse.csr_array((np.ones(len(users)), (groups.labels, np.arange(len(users)))))
        members = sparse.diags_array(1 / groups.sizes) @ members  # [G, U], rows sum to 1
        mean = members @ users.astype(np.float64)
        spread = members @ ((users - mean[groups.labels]) ** 2 + variance)
        return GroupLatents(users, mean.astype(np.float32), np.sqrt(spread).astype(np.float32))

    def _held_out(self, data: Dataset) -> HeldOut | None:
        """Return the users with validation rows and what they took, or None where there is no validation part."""
        items = self._read(data.validation.matrix(data.shape, data.merge))
        rows = np.flatnonzero(np.diff(items.indptr))
        return HeldOut(rows, normalize(items[rows], norm="l1")) if len(rows) else None

    def _log_likelihood(self, histories: sparse.csr_array, held_out: HeldOut) -> float:
        """Return the mean over users of the held-out items' log-likelihood per interaction."""
        sums = 0.0
        for start in range(0, len(held_out.rows), INFERENCE_BATCH):
            part = slice(start, start + INFERENCE_BATCH)
            mean, _ = self._encode_batch(histories[held_out.rows[part]])
            log_p = functional.log_softmax(self._module.decoder(mean), dim=1)
            sums += float((log_p * self._dense(held_out.items[part])).sum())
        return sums / len(held_out.rows)

    def latents(self) -> GroupLatents:
        """Return posterior means of the users; mean and spread of the groups' aggregated posteriors.

        A group's variance is that of its members' means plus the mean of their posterior variances: > 0 also for
        a group of one.
        """
        return self._latents

    def prior(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation of the learned priors p(z|g), float32 [G, Z] each."""
        module = self._module
        std = (0.5 * module.prior_log_var.detach().clamp(*LOG_VAR_RANGE)).exp()
        return module.prior_mean.detach().cpu().numpy(), std.cpu().numpy()

    def encode(self, histories: sparse.csr_array) -> np.ndarray:
        return self._posterior(histories)[0]

    def decode(self, latents: np.ndarray) -> np.ndarray:
        device = self._module.prior_mean.device
        with torch.no_grad():
            z = torch.from_numpy(np.array(latents, np.float32)).to(device)
            return functional.softmax(self._module.decoder(z), dim=1).cpu().numpy()

    def report(self, data: Dataset, groups: Groups) -> dict[str, float]:
        """Return the held-out negative log-likelihood per interaction (nats) of the VAE and of popularity.

        Mean over the users with validation rows, given their training history; ``popularity`` is the items' share
        of the training part, add-one smoothed. Empty where there is no validation part. Early stopping has seen
        the same rows.
        """
        held_out = self._held_out(data)
        if held_out is None:
            return {}
        weights = self._read(data.histories).sum(axis=0) + 1
        popularity = held_out.items @ np.log(weights / weights.sum())
        with torch.no_grad():
            vae = self._log_likelihood(data.histories, held_out)
        return {"nll_vae": -vae, "nll_popularity": -float(popularity.mean())}

    def arrays(self) -> dict[str, np.ndarray]:
        latents = {"users": self._latents.users, "mean": self._latents.mean, "std": self._latents.std}
        return {f"latents.{name}": value for name, value in latents.items()} | {
            f"module.{name}": value for name, value in module_arrays(self._module).items()
        }

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        weights = {name.removeprefix("module."): v for name, v in arrays.items() if name.startswith("module.")}
        n_groups, latent_size = weights["prior_mean"].shape
        hidden_size, n_items = weights["hidden.weight"].shape
        self._module = HistoryVae(n_items, n_groups, latent_size, hidden_size)
        load_module(self._module, weights)
        self._latents = GroupLatents(arrays["latents.users"], arrays["latents.mean"], arrays["latents.std"])
        return self


def drop(histories: sparse.csr_array, share: float, rng: np.random.Generator) -> sparse.csr_array:
    """Return the histories after dropout: that share of entries at 0, the rest scaled up.

    Cheaper than dropout on dense rows, nearly all of which are 0 already.
    """
    scale = (rng.random(histories.nnz) >= share).astype(np.float32) / np.float32(1 - share)
    return sparse.csr_array((histories.data * scale, histories.indices, histories.indptr), shape=histories.shape)
