"""Groups that do not exist: mixtures of groups, and a persona that likes a few items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from grouprec.core.types import SettingError
from grouprec.models.base import Generator, Profile
from grouprec.models.virtual_members import Draw

NEAREST = 3  # groups that a persona is a mixture of
NARROWER = 0.5  # the spread of a persona, relative to that of its groups


def weigh(weights: np.ndarray) -> np.ndarray:
    """Return weights of groups as a mixture, float32 [G], summing to 1.

    Raises:
        SettingError: a weight is negative or not a number, or all are 0.
    """
    weights = np.asarray(weights, np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() <= 0:
        raise SettingError("The weights of the groups must be numbers from 0, and one of them above 0.")
    return (weights / weights.sum()).astype(np.float32)


def mixed(generator: Generator, mixture: np.ndarray) -> Draw:
    """Return what draws virtual members of a mixture: each of one of its groups, in proportion, in random order.

    Args:
        mixture: float [G], of :func:`weigh`.
    """
    chances = np.asarray(mixture, np.float64) / np.sum(mixture, dtype=np.float64)

    def draw(n: int, rng: np.random.Generator) -> np.ndarray:
        counts = rng.multinomial(n, chances)
        parts = [generator.sample(int(group), int(counts[group]), rng) for group in np.flatnonzero(counts)]
        return rng.permutation(np.concatenate(parts))

    return draw


@dataclass(frozen=True, eq=False)
class Persona:
    """Somebody who likes a few items, and those like them.

    Attributes:
        latent: float32 [Z], where such a user stands.
        spread: float32 [Z], how far those like them reach.
        mixture: float32 [G], how much of every group they are.
    """

    latent: np.ndarray
    spread: np.ndarray
    mixture: np.ndarray

    def draw(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return ``n`` virtual members around the persona, float32 [n, Z]: a Gaussian with its spread."""
        noise = rng.standard_normal((n, len(self.latent)), dtype=np.float32)
        return self.latent + self.spread * noise


def persona(profile: Profile, liked: np.ndarray, n_items: int) -> Persona:
    """Return who likes these items.

    The history that holds them is encoded. The three nearest groups, by the distance in their own standard deviations,
    make the mixture, each by the inverse of its squared distance (Shepard 1968). The spread is half of theirs: a
    persona is narrower than a group.

    Args:
        liked: int [L], item rows.
        n_items: size of the catalogue.
    Raises:
        SettingError: no item is given, or one outside the catalogue.
    """
    liked = np.unique(np.asarray(liked, np.int64))
    if not len(liked) or liked[0] < 0 or liked[-1] >= n_items:
        raise SettingError(f"A persona needs at least one liked item, each a row from 0 to {n_items - 1}.")
    history = sparse.csr_array((np.ones(len(liked), np.float32), liked, [0, len(liked)]), shape=(1, n_items))
    latent, groups = profile.encode(history)[0], profile.latents()
    distance = (((latent - groups.mean) / groups.std) ** 2).sum(axis=1, dtype=np.float64)
    weights = 1 / np.maximum(distance, 1e-9)
    weights[np.argsort(distance, kind="stable")[NEAREST:]] = 0
    mixture = weigh(weights)
    spread = NARROWER * np.sqrt(mixture @ groups.std**2)
    return Persona(latent.astype(np.float32), spread.astype(np.float32), mixture)
