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

from grouprec.core.types import Candidates, GroupLatents, Groups
from grouprec.data.dataset import Dataset
from grouprec.models.base import Profile, StageConfig, profiles, setting
from grouprec.models.fitting import (
    RunOptions,
    bags,
    batches,
    fit_epochs,
    load_module,
    module_arrays,
    step,
    users_per_step,
)
from grouprec.ranking.group_lists import member_matrix, worth

LOG_VAR_RANGE = (-8.0, 4.0)  # keeps every variance, and with it every KL term, finite
PRIOR_SPEED = 10  # each prior sees its own group only, so it takes larger steps than the network
INFERENCE_BATCH = 1024  # users decoded at a time
MOST_DESCRIBED = 8_192  # items of a larger catalogue that a mini-batch is described by, drawn
CALIBRATED_USERS = 20_000  # by whom the decoder is calibrated to the groups, drawn
STOPPING_SHARE = 0.05  # of the users, who teach nothing and stop the training
EPOCH_USERS = 25_000  # of more, so many are drawn for every epoch
MOST_STOPPING = 2_000  # of very many users, for whom the whole catalogue is described after every epoch
HIDDEN_SHARE = 0.2  # of a stopping user's history, to be found again
CALIBRATION_WEIGHT = 5  # members' worth of the decoder's own mean in every group's
LEAST = 1e-7  # share of a preference that is as good as none

Losses = dict[str, float]


@dataclass(frozen=True, eq=False)
class Stopping:
    """Users who stop the training: what is shown of their histories, what is hidden, what they are predicted to want.

    CSR [V, I] each; rows of ``hidden`` and ``wanted`` sum to 1.
    """

    shown: sparse.csr_array
    hidden: sparse.csr_array
    wanted: sparse.csr_array


class HistoryVae(nn.Module):
    """Encoder, two decoders and the groups' priors; shapes are given by the sizes alone."""

    def __init__(self, n_items: int, n_groups: int, latent_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_items, hidden_size)
        self.posterior = nn.Linear(hidden_size, 2 * latent_size)
        self.decoder = nn.Linear(latent_size, n_items)  # what a user has
        self.wants = nn.Linear(latent_size, n_items)  # what a user wants next
        self.prior_mean = nn.Parameter(torch.zeros(n_groups, latent_size))
        self.prior_log_var = nn.Parameter(torch.zeros(n_groups, latent_size))

    def encode(self, histories: sparse.csr_array) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(z | history of length 1), [B, Z] each; ``histories`` CSR [B, I]."""
        table = self.hidden.weight.T
        if table.shape[0] > MOST_DESCRIBED:  # rows of a large one lie far apart; below, sums stay as they always were
            table = table.contiguous()
        hidden = torch.tanh(bags(histories, table) + self.hidden.bias)
        mean, log_var = self.posterior(hidden).chunk(2, dim=1)
        return mean, log_var.clamp(*LOG_VAR_RANGE)

    def loss(
        self,
        seen: sparse.csr_array,
        histories: Tensor,
        wanted: Tensor,
        labels: Tensor,
        items: Tensor | None = None,
        draws: torch.Generator | None = None,
    ) -> Tensor:
        """Return what it costs to describe histories and wants, and the KL divergence to the group's prior, [3].

        Means over users: negative log-likelihood of the histories, cross-entropy of the wants (rows sum to 1), KL.

        Args:
            seen: what the encoder is shown: histories of length 1 after dropout, CSR [B, I].
            histories, wanted: [B, C], of the items that are described.
            items: int64 [C], which these are; all of them where None.
            draws: of the points in latent space; torch's global generator where None.
        """
        mean, log_var = self.encode(seen)
        z = mean + torch.randn(mean.shape, generator=draws, device=mean.device) * (0.5 * log_var).exp()
        has = -(histories * functional.log_softmax(_logits(self.decoder, z, items), dim=1)).sum(dim=1)
        wants = -(wanted * functional.log_softmax(_logits(self.wants, z, items), dim=1)).sum(dim=1)
        prior_mean = self.prior_mean[labels]
        prior_log_var = self.prior_log_var[labels].clamp(*LOG_VAR_RANGE)
        ratio = (log_var - prior_log_var).exp() + (mean - prior_mean) ** 2 / prior_log_var.exp()
        kl = 0.5 * (ratio - 1 - log_var + prior_log_var).sum(dim=1)
        return torch.stack([has.mean(), wants.mean(), kl.mean()])


def _logits(decoder: nn.Linear, z: Tensor, items: Tensor | None) -> Tensor:
    """Return a decoder's logits of the given items, [B, C], or of all."""
    return decoder(z) if items is None else functional.linear(z, decoder.weight[items], decoder.bias[items])


@profiles.register("vae", title="VAE with a prior for every group", cite="Liang et al. 2018; Jiang et al. 2017")
class GroupVae(Profile):
    """Every user as a point, and every group as a distribution, in the latent space of a VAE.

    Mult-VAE (Liang et al. 2018): q(z|x) = N(mean(x), diag var(x)) by reparameterisation, multinomial likelihood
    x ~ Mult(softmax(W z + b)), KL weight raised linearly from 0. The prior is a Gaussian per group,
    p(z|g) = N(mu_g, diag sigma_g^2), learned with the rest as in VaDE (Jiang et al. 2017).
    Departures: the groups are given, so VaDE's soft assignments and mixture weights are not needed; the decoders are
    linear, which serves small data better and is far quicker; without ``binary``, histories keep their weights.
    A second decoder learns what users are predicted to want next (their candidates, each by its worth): histories show
    neither the items' trend nor what follows what, so lists made from the first decoder alone kept 74 % of the
    members' mean on Online Retail and 37 % on MovieLens 100K split by time. After training the second decoder is
    calibrated to every group: its mean over the members is brought to their mean worth, leaning on its own by 5
    members (without that: 97 % and 75 %).
    Of more than 8,192 items so many are drawn for every mini-batch, and it is described among these alone: what a
    softmax gives some items, relative to one another, does not depend on the others (McFadden 1978), so the sum over
    them, scaled up to the catalogue, has the same optimum. Users are drawn, too: 25,000 at most for an epoch, and
    20,000 at most for the mean over members that calibrates.
    """

    per_user = ("latents.users",)

    class Config(StageConfig):
        latent_size: int = Field(32, ge=2, le=512, description="Length of a latent vector")
        hidden_size: int = setting(256, ge=4, le=4096, description="Width of the encoder's hidden layer", quick=128)
        epochs: int = setting(30, ge=1, le=1000, description="Most passes over the histories", quick=12, thorough=100)
        batch_size: int = Field(
            128, ge=1, le=8192, description="Users in a mini-batch; of very many users more, so that steps stay few"
        )
        learning_rate: float = setting(2e-3, gt=0, le=1, description="Step size of Adam", quick=4e-3)
        # Online Retail: nDCG@10 .068 as ones, .059 as sums of logarithms of quantities.
        binary: bool = Field(True, description="Read a history as has or has not, instead of by its weights")
        dropout: float = Field(0.5, ge=0, lt=1, description="Share of a history that is hidden from the encoder")
        wants_weight: float = Field(
            100, ge=0, le=10_000, description="Weight of the predicted preferences beside the history, in items"
        )
        kl_weight: float = Field(0.2, ge=0, le=10, description="Weight of the KL term once it is fully raised")
        annealing_epochs: int = setting(
            10, ge=0, le=1000, description="Epochs over which the KL weight is raised", quick=8, thorough=20
        )
        patience: int = setting(
            5, ge=1, le=100, description="Epochs without better validation before stopping", quick=3
        )

    config: Config
    _module: HistoryVae
    _latents: GroupLatents
    _calibration: np.ndarray  # float32 [G, I], added to the logits of what members of a group want

    def fit(self, data: Dataset, groups: Groups, candidates: Candidates, run: RunOptions) -> Self:
        """Learn from the histories and the predictions; every twentieth user (2,000 at most) tells when to stop."""
        config = self.config
        wanted = sparse.csr_array(normalize(worth(candidates), norm="l1"))
        histories = self._read(data.histories)
        learning, stopping = self._stopping(histories, wanted, run)
        with run.torch_seed("vae"):
            module = HistoryVae(data.n_items, groups.n_groups, config.latent_size, config.hidden_size)
            draws = run.own_draws()
        self._module = module.to(run.device)
        self.history = fit_epochs(
            self._module,
            self._epoch_runner(histories[learning], wanted[learning], groups.labels[learning], run, draws),
            epochs=config.epochs,
            run=run,
            validate=None if stopping is None else lambda: -self._cost(stopping),
            patience=config.patience,
            draws=draws,
        )
        self._latents = self._aggregate(data.histories, groups)
        self._calibration = self._calibrate(wanted, groups, run)
        return self

    def _stopping(
        self, histories: sparse.csr_array, wanted: sparse.csr_array, run: RunOptions
    ) -> tuple[np.ndarray, Stopping | None]:
        """Return the users to learn from and those who stop the training; None where there are too few to spare."""
        rng = run.rng("vae stopping")
        order = rng.permutation(len(histories.indptr) - 1)
        n = min(int(STOPPING_SHARE * len(order)), MOST_STOPPING)
        rows, learning = order[:n], np.sort(order[n:])
        if not n:
            return learning, None
        all_items = histories[rows].tocoo()
        hidden = rng.random(all_items.nnz) < HIDDEN_SHARE
        parts = [
            sparse.csr_array((all_items.data[kept], (all_items.row[kept], all_items.col[kept])), shape=all_items.shape)
            for kept in (~hidden, hidden)
        ]
        return learning, Stopping(parts[0], normalize(parts[1], norm="l1"), wanted[rows])

    def _epoch_runner(
        self,
        histories: sparse.csr_array,
        wanted: sparse.csr_array,
        users: np.ndarray,
        run: RunOptions,
        draws: torch.Generator,
    ) -> Callable[[], Losses]:
        """Return what trains one epoch on users with these labels and gives its mean losses."""
        config, module = self.config, self._module
        priors = [module.prior_mean, module.prior_log_var]
        network = [value for name, value in module.named_parameters() if not name.startswith("prior")]
        optimizer = torch.optim.Adam(
            [{"params": network}, {"params": priors, "lr": PRIOR_SPEED * config.learning_rate}],
            lr=config.learning_rate,
            fused=True,
        )
        labels = torch.from_numpy(users.astype(np.int64)).to(run.device)
        unit = normalize(histories)
        rng = run.rng("vae batches")
        n_items, most = histories.shape[1], min(len(users), EPOCH_USERS)
        batch_size = users_per_step(config.batch_size, most, n_items)
        annealing_steps = max(1, config.annealing_epochs * -(-most // batch_size))
        n_steps = 0

        def run_epoch() -> Losses:
            nonlocal n_steps
            sums, n_seen = torch.zeros(3, device=run.device), 0
            for rows in batches(rng, len(users), batch_size, EPOCH_USERS):
                n_steps += 1
                kl_weight = config.kl_weight * min(1.0, n_steps / annealing_steps)
                seen, items = drop(unit[rows], config.dropout, rng), None
                owned, want = histories[rows], wanted[rows]
                if n_items > MOST_DESCRIBED:
                    drawn = np.sort(rng.choice(n_items, MOST_DESCRIBED, replace=False))
                    owned, want = (target[:, drawn] * np.float32(n_items / MOST_DESCRIBED) for target in (owned, want))
                    items = torch.from_numpy(drawn).to(run.device)
                losses = module.loss(seen, self._dense(owned), self._dense(want), labels[rows], items, draws)
                has, wants, kl = losses
                step(optimizer, has + config.wants_weight * wants + kl_weight * kl)
                sums += len(rows) * losses.detach()
                n_seen += len(rows)
            return dict(zip(("reconstruction", "wants", "kl"), (sums / n_seen).tolist(), strict=True))

        return run_epoch

    def _read(self, histories: sparse.csr_array) -> sparse.csr_array:
        """Return the histories as the settings want them read."""
        return histories.astype(bool).astype(np.float32) if self.config.binary else histories

    def _dense(self, batch: sparse.csr_array) -> Tensor:
        """Return one mini-batch as a dense tensor on the module's device, float32 [B, I]."""
        return torch.from_numpy(batch.toarray()).to(self._module.prior_mean.device)

    def _encode_batch(self, histories: sparse.csr_array) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(z | history) of one mini-batch of at least one user."""
        return self._module.encode(normalize(self._read(histories)))

    def _posterior(self, histories: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and variance of q(z | history), float32 [B, Z] each."""
        parts: list[np.ndarray] = []
        with torch.no_grad():
            for start in range(0, len(histories.indptr) - 1, INFERENCE_BATCH):
                mean, log_var = self._encode_batch(histories[start : start + INFERENCE_BATCH])
                parts.append(torch.stack([mean, log_var.exp()]).cpu().numpy())
        if not parts:
            nobody = np.empty((0, self.config.latent_size), np.float32)
            return nobody, nobody
        mean, variance = np.concatenate(parts, axis=1)
        return mean, variance

    def _aggregate(self, histories: sparse.csr_array, groups: Groups) -> GroupLatents:
        """Return the aggregated posterior of every group: the mixture of its members' posteriors."""
        users, variance = self._posterior(histories)
        members = sparse.diags_array(1 / groups.sizes) @ member_matrix(groups)  # [G, U], rows sum to 1
        mean = np.asarray(members @ users.astype(np.float64))
        spread = np.asarray(members @ ((users - mean[groups.labels]) ** 2 + variance))
        return GroupLatents(users, mean.astype(np.float32), np.sqrt(spread).astype(np.float32))

    def _calibrate(self, wanted: sparse.csr_array, groups: Groups, run: RunOptions) -> np.ndarray:
        """Return what brings every group's mean predicted preference to its members' mean, float32 [G, I].

        The logarithm of the ratio of the two means; the members' leans on the decoder's as if ``CALIBRATION_WEIGHT``
        more members had it.
        """
        members, sizes = member_matrix(groups), groups.sizes[:, None]
        decoded = np.zeros((groups.n_groups, self._module.wants.out_features))
        rows, counts = _some_of_every_group(groups, run.rng("vae calibration"))
        for start in range(0, len(rows), INFERENCE_BATCH):
            part = rows[start : start + INFERENCE_BATCH]
            decoded += members[:, part] @ self._softmax(self._module.wants, self._latents.users[part])
        decoded /= counts[:, None]
        mean = sparse.csr_array(members @ wanted).toarray() / sizes
        mean = (sizes * mean + CALIBRATION_WEIGHT * decoded) / (sizes + CALIBRATION_WEIGHT)
        return np.log((mean + LEAST) / (decoded + LEAST)).astype(np.float32)

    def _cost(self, stopping: Stopping) -> float:
        """Return nats per hidden item plus nats of the wants, means over the stopping users."""
        sums, n = 0.0, len(stopping.shown.indptr) - 1
        for start in range(0, n, INFERENCE_BATCH):
            part = slice(start, start + INFERENCE_BATCH)
            mean, _ = self._encode_batch(stopping.shown[part])
            for decoder, target in ((self._module.decoder, stopping.hidden), (self._module.wants, stopping.wanted)):
                sums -= float((functional.log_softmax(decoder(mean), dim=1) * self._dense(target[part])).sum())
        return sums / n

    def _softmax(self, decoder: nn.Module, latents: np.ndarray, shift: np.ndarray | None = None) -> np.ndarray:
        """Return one decoder's shares of the catalogue, float32 [B, I]; ``shift`` [I] is added to its logits."""
        device = self._module.prior_mean.device
        with torch.no_grad():
            logits = decoder(torch.from_numpy(np.array(latents, np.float32)).to(device))
            if shift is not None:
                logits += torch.from_numpy(shift.astype(np.float32)).to(device)
            return functional.softmax(logits, dim=1).cpu().numpy()

    def latents(self) -> GroupLatents:
        """Return posterior means of the users; mean and spread of the groups' aggregated posteriors.

        A group's variance is that of its members' means plus the mean of their posterior variances: > 0 also for
        a group of one.
        """
        return self._latents

    def encode(self, histories: sparse.csr_array) -> np.ndarray:
        return self._posterior(histories)[0]

    def decode(self, latents: np.ndarray) -> np.ndarray:
        return self._softmax(self._module.decoder, latents)

    def predict(self, latents: np.ndarray, mixture: np.ndarray) -> np.ndarray:
        return self._softmax(self._module.wants, latents, mixture.astype(np.float32) @ self._calibration)

    def arrays(self) -> dict[str, np.ndarray]:
        latents = {"users": self._latents.users, "mean": self._latents.mean, "std": self._latents.std}
        named = {f"latents.{name}": value for name, value in latents.items()}
        weights = {f"module.{name}": value for name, value in module_arrays(self._module).items()}
        return {**named, **weights, "calibration": self._calibration}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        weights = {name.removeprefix("module."): v for name, v in arrays.items() if name.startswith("module.")}
        n_groups, latent_size = weights["prior_mean"].shape
        hidden_size, n_items = weights["hidden.weight"].shape
        self._module = load_module(lambda: HistoryVae(n_items, n_groups, latent_size, hidden_size), weights)
        self._latents = GroupLatents(arrays["latents.users"], arrays["latents.mean"], arrays["latents.std"])
        self._calibration = arrays["calibration"]
        return self


def _some_of_every_group(groups: Groups, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of users, 20,000 at most and as many of every group as it has of its share, and how many of each."""
    n_users, most = len(groups.labels), max(1, CALIBRATED_USERS // groups.n_groups)
    if n_users <= CALIBRATED_USERS:
        return np.arange(n_users), groups.sizes
    order = rng.permutation(n_users)
    drawn = np.concatenate([order[groups.labels[order] == group][:most] for group in range(groups.n_groups)])
    return np.sort(drawn), np.minimum(groups.sizes, most)


def drop(histories: sparse.csr_array, share: float, rng: np.random.Generator) -> sparse.csr_array:
    """Return the histories after dropout: that share of entries at 0, the rest scaled up.

    Cheaper than dropout on dense rows, whose values are nearly all 0 already.
    """
    scale = (rng.random(histories.nnz) >= share).astype(np.float32) / np.float32(1 - share)
    return sparse.csr_array((histories.data * scale, histories.indices, histories.indptr), shape=histories.shape)
