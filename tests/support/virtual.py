"""A profile and a generator whose every answer is known, for tests of what is made of virtual members."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from scipy.special import softmax

from grouprec.core.types import GroupLatents
from grouprec.models.base import Generator, Profile


class BlockProfile(Profile):
    """Direction g of the latent space is the taste for block g of the catalogue.

    Members have, and want, mostly the block of their largest coordinate, its first items more than its last.
    """

    def __init__(self, n_groups: int = 3, width: int = 20, spread: float = 0.5) -> None:
        super().__init__()
        block = np.repeat(np.eye(n_groups), width, axis=1)  # [G, I]
        self.slope = np.tile(np.linspace(0, -2, width), n_groups)
        self.weights = 4 * block
        self.n_groups, self.width = n_groups, width
        mean = 2 * np.eye(n_groups, dtype=np.float32)
        self._latents = GroupLatents(mean, mean, np.full((n_groups, n_groups), spread, np.float32))

    @property
    def n_items(self) -> int:
        return self.n_groups * self.width

    def fit(self, *_: Any) -> BlockProfile:
        return self

    def latents(self) -> GroupLatents:
        return self._latents

    def encode(self, histories: sparse.csr_array) -> np.ndarray:
        taken = np.stack([histories[:, self.block(g)].sum(axis=1) for g in range(self.n_groups)], axis=1)
        return (2 * taken / np.maximum(taken.sum(axis=1, keepdims=True), 1)).astype(np.float32)

    def decode(self, latents: np.ndarray) -> np.ndarray:
        return softmax(latents @ self.weights + self.slope, axis=1).astype(np.float32)

    def predict(self, latents: np.ndarray, mixture: np.ndarray) -> np.ndarray:
        return self.decode(latents)

    def block(self, group: int) -> np.ndarray:
        """Return the items of a block."""
        return np.arange(group * self.width, (group + 1) * self.width)

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def load(self, arrays: dict[str, np.ndarray]) -> BlockProfile:
        return self


class GaussianGenerator(Generator):
    """Draws the members of a group from a Gaussian around its mean."""

    def __init__(self, profile: BlockProfile) -> None:
        super().__init__()
        self._latents = profile.latents()

    def fit(self, *_: Any) -> GaussianGenerator:
        return self

    def sample(self, group: int, n: int, rng: np.random.Generator) -> np.ndarray:
        mean, std = self._latents.mean[group], self._latents.std[group]
        return (mean + std * rng.standard_normal((n, len(mean)))).astype(np.float32)

    def lists(self, *_: Any) -> Any:
        raise NotImplementedError

    def report(self, *_: Any) -> dict[str, float]:
        return {}

    def arrays(self) -> dict[str, np.ndarray]:
        return {}

    def load(self, arrays: dict[str, np.ndarray]) -> GaussianGenerator:
        return self
