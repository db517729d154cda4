"""What a stage promises: the five kinds, their shared base, and the registries that make the menu."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from grouprec.core.types import (
    Candidates,
    Embeddings,
    GroupLatents,
    GroupLists,
    Groups,
    Preference,
    Regime,
    Scale,
)
from grouprec.data.dataset import Dataset
from grouprec.models.fitting import FitHistory, RunOptions
from grouprec.models.registry import Registry

T = TypeVar("T")
PRESETS = ("quick", "standard", "thorough")


def setting(
    default: T,
    *,
    description: str,
    quick: T | None = None,
    thorough: T | None = None,
    search: tuple[float, float] | None = None,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
) -> T:
    """Return a field of a :class:`StageConfig`.

    Args:
        default: of preset ``standard``.
        quick, thorough: in these presets; None for the same.
        search: between which values a search looks for a better one; whole numbers at both ends make it one. None
            where it does not.
        ge, gt, le, lt: bounds, as pydantic reads them.
    """
    known = {"quick": quick, "thorough": thorough, "search": search}
    extra: dict[str, Any] = {name: value for name, value in known.items() if value is not None}
    field: Any = Field(default, description=description, ge=ge, gt=gt, le=le, lt=lt, json_schema_extra=extra)
    return field


class StageConfig(BaseModel):
    """Settings of a method. Every field has a default (preset ``standard``), bounds and a description.

    A field that differs in another preset, or that a search may change, says so where it is declared:
    ``setting(30, ge=1, le=500, description="...", quick=8, thorough=60, search=(5, 100))``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def for_preset(cls, preset: str) -> Self:
        """Return the settings of that preset."""
        values: dict[str, Any] = {}
        for name, setting in cls.model_fields.items():
            extra = setting.json_schema_extra
            if isinstance(extra, dict) and preset in extra:
                values[name] = extra[preset]
        return cls(**values)


class Stage(ABC):
    """Base of every stage: holds its settings, and gives what it learned as plain arrays (no pickle).

    Attributes:
        usual_seconds: of training with preset quick on the bundled sample, on a known machine. Only proportions count,
            and only until a run of this machine tells better ones.
        uses_gpu: whether a GPU makes it faster.
        per_user: those of its :meth:`arrays` that have a row for every user of the fit.
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    title: ClassVar[str]
    cite: ClassVar[str]
    usual_seconds: ClassVar[float] = 5.0
    uses_gpu: ClassVar[bool] = False
    per_user: ClassVar[tuple[str, ...]] = ()
    Config: ClassVar[type[StageConfig]] = StageConfig
    config: StageConfig  # an instance of the class's own Config; a method that reads it names that class
    history: FitHistory | None = None
    decided: dict[str, Any]  # settings that the validation part decided; a refit without one uses them

    def __init__(self, config: StageConfig | None = None) -> None:
        self.config = config or self.Config()
        self.decided = {}

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        """Return how its training grows with the data, in a unit of its own: only ratios count."""
        return n_rows

    @classmethod
    def memory(cls, n_users: int, n_items: int) -> tuple[int, int]:
        """Return the bytes that it holds for good, and while it learns, beyond what any stage of its kind needs."""
        return 0, 0

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything learned, enough for :meth:`load`."""

    @abstractmethod
    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        """Put learned arrays back into a fresh stage with the same settings; returns self."""

    @classmethod
    def keep_users(cls, arrays: dict[str, np.ndarray], kept: np.ndarray) -> dict[str, np.ndarray] | None:
        """Return its arrays with the rows of some users only; None where it holds no rows of users.

        Args:
            arrays: as from :meth:`arrays`.
            kept: bool [U], of the users of its fit.
        """
        if not cls.per_user:
            return None
        return {name: values[kept] if name in cls.per_user else values for name, values in arrays.items()}


ALWAYS = 10**12  # rows: no limit


@dataclass(frozen=True)
class Auto:
    """When a run that leaves the choice to ``auto`` trains an encoder; by default never.

    Attributes:
        presets: those that train it.
        turn: its place among the others; the same turn goes by name.
        most_users: beyond so many it is left out; 0 for no limit.
        most_rows: of the training part, by preset: beyond so many it is left out.
        instead: the encoder that takes its place where items are more than its setting ``max_items``; "" for none.
    """

    presets: tuple[str, ...] = ()
    turn: int = 100
    most_users: int = 0
    most_rows: Mapping[str, int] = field(default_factory=dict)
    instead: str = ""


class Encoder(Stage):
    """Histories and attributes -> vectors whose dot product is the predicted preference.

    Attributes:
        scale: of the product of the vectors.
        reads_order: whether it matters in which order users took their items; ``auto`` then needs times.
        needs: the file that it reads beside the interactions, as the run's configuration calls it ("also", "edges");
            runs without one do not train it.
        auto: when a run that does not name encoders trains it.
        fold_rows: up to so many training rows it is fitted anew on every fold that the blend is chosen by; beyond,
            it only says what it knows of the validation part.
    """

    scale: Scale = "linear"
    reads_order: ClassVar[bool] = False
    needs: ClassVar[str] = ""
    auto: ClassVar[Auto] = Auto()
    fold_rows: ClassVar[int] = 0

    @property
    def asks_for_recent(self) -> bool:
        """Whether users' vectors depend on the order of their items."""
        return self.reads_order

    @abstractmethod
    def fit(self, data: Dataset, run: RunOptions) -> Self:
        """Learn from ``data.train``; ``data.validation`` (may be empty) decides early stopping only."""

    @abstractmethod
    def items(self) -> np.ndarray | sparse.csr_array:
        """Return the item vectors, float32 [I, D], dense or CSR."""

    @abstractmethod
    def encode(
        self, histories: sparse.csr_array, attributes: pd.DataFrame, recent: np.ndarray | None = None
    ) -> np.ndarray | sparse.csr_array:
        """Return vectors of any users, also ones never seen in training.

        Args:
            histories: float32 CSR [B, I]; rows may be empty.
            attributes: B rows in the same order, with what else is known of users (:mod:`grouprec.data.beside`);
                columns may be missing or hold unseen values.
            recent: int32 [B, L], the latest items of the users, oldest first, -1 before the first
                (:meth:`~grouprec.data.dataset.Dataset.recent`). Encoders of sequences read it, and take the
                history in an order of their own where it is not given; the others ignore it.
        Returns:
            float32 [B, D], dense or CSR, always finite.
        """

    def embeddings(self, data: Dataset) -> Embeddings:
        """Return the vectors of the dataset's users and items."""
        return Embeddings(self.encode(data.histories, data.known_of_users, data.recent()), self.items())

    def score_parts(
        self, histories: sparse.csr_array, recent: np.ndarray | None = None
    ) -> Callable[[int], np.ndarray] | None:
        """Return how users' scores divide among their own items, for reasons; None where nothing is known of that.

        Only for scores that are sums although the vectors of single items do not add up to those of whole histories;
        where they do, reasons find out themselves, and otherwise leave out every own item in turn.

        Args:
            histories, recent: as given to :meth:`encode`.
        Returns:
            item row -> the part of every entry of the histories in its user's score, float64 [n].
        """
        return None


class Grouper(Stage):
    """Predicted preferences -> groups of users.

    Attributes:
        places_by_space: users are placed by their position in preference space, not by candidates or histories alone.
        reads_attributes: groups are of users' attributes: events move nobody, and new users need no other placing.
    """

    usual_seconds = 0.8
    places_by_space: ClassVar[bool] = False
    reads_attributes: ClassVar[bool] = False

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_users

    @abstractmethod
    def fit(
        self, data: Dataset, preference: Preference, n_groups: int, run: RunOptions, regime: Regime = "strict"
    ) -> Self:
        """Form the groups. Fewer than ``n_groups`` may come back where users coincide; none is empty.

        Args:
            regime: which use of a list the groups are formed for; groupers that look at users only ignore it.
        """

    @abstractmethod
    def groups(self) -> Groups:
        """Return the groups of the fitted users."""

    @abstractmethod
    def distances(self, preference: Preference, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        """Return how far any users are from every group, float32 [B, G], finite and at least 0.

        Rows of users about whom the method knows nothing (no preference, or no attributes) are all equal.

        Args:
            preference: of B users in the space of the fitted one.
            histories: CSR [B, I], what they have.
            attributes: B rows; columns may be missing or hold unseen values.
        """

    def rules(self) -> pd.DataFrame | None:
        """Return who belongs to every group, where that can be said: sentence, sql and json, a row per group.

        None for groupers whose groups are no rules.
        """
        return None

    def place(self, preference: Preference, histories: sparse.csr_array, attributes: pd.DataFrame) -> np.ndarray:
        """Return the nearest group of any users, int32 [B]; the first, which is the largest, where all are as near."""
        return self.distances(preference, histories, attributes).argmin(axis=1).astype(np.int32)


class Profile(Stage):
    """Histories, predictions and groups -> every group as a distribution in latent space."""

    usual_seconds = 13.0
    uses_gpu = True

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_users * (n_items + 1000)

    @abstractmethod
    def fit(self, data: Dataset, groups: Groups, candidates: Candidates, run: RunOptions) -> Self:
        """Learn from ``data.train`` and from what its users are predicted to want next."""

    @abstractmethod
    def latents(self) -> GroupLatents:
        """Return latent vectors of the fitted users, mean and spread of the groups."""

    @abstractmethod
    def encode(self, histories: sparse.csr_array) -> np.ndarray:
        """Return posterior means of any users, float32 [B, Z]."""

    @abstractmethod
    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Return what users at these points have: shares of a history, float32 [B, I], rows sum to 1."""

    @abstractmethod
    def predict(self, latents: np.ndarray, mixture: np.ndarray) -> np.ndarray:
        """Return what users at these points want next: shares of their preference, float32 [B, I], rows sum to 1.

        Args:
            mixture: float [G], how much of every group they are; sums to 1.
        """


class Generator(Stage):
    """Noise and a group -> virtual members of that group, in latent space."""

    usual_seconds = 17.6
    uses_gpu = True

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_users + 10_000

    @abstractmethod
    def fit(self, groups: Groups, profile: Profile, candidates: Candidates, run: RunOptions) -> Self:
        """Learn to draw latent vectors that look like those of a group's members."""

    @abstractmethod
    def sample(self, group: int, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return ``n`` virtual members of a group, float32 [n, Z]."""

    @abstractmethod
    def lists(self, data: Dataset, groups: Groups, profile: Profile, run: RunOptions) -> GroupLists:
        """Return every group's two lists from its virtual members. ``data``: what members have already."""

    @abstractmethod
    def report(self, groups: Groups, profile: Profile) -> dict[str, float]:
        """Return how close virtual members come to members that nothing was learned from."""


class Updater(Stage):
    """A stream of events -> user vectors that move with every event."""

    usual_seconds = 19.4
    uses_gpu = True

    @classmethod
    def work(cls, n_users: int, n_items: int, n_rows: int) -> float:
        return n_rows * (n_items + 2000)

    @abstractmethod
    def fit(self, data: Dataset, run: RunOptions) -> Self:
        """Learn from the training part's sequences to rank the next item."""

    @abstractmethod
    def start(self, data: Dataset, run: RunOptions) -> np.ndarray:
        """Return every user's vector after their training events, float32 [U, H]; start value if none."""

    @abstractmethod
    def update(self, states: np.ndarray, item_rows: np.ndarray) -> np.ndarray:
        """Return the vectors after one event each, float32 [B, H]. ``item_rows`` int [B]. Pure."""

    @abstractmethod
    def chances(self, states: np.ndarray) -> np.ndarray:
        """Return how likely every item is the next one, float32 [B, I], > 0; rows sum to 1."""


encoders: Registry[Encoder] = Registry("encoder")
groupers: Registry[Grouper] = Registry("grouper")
profiles: Registry[Profile] = Registry("profile")
generators: Registry[Generator] = Registry("generator")
updaters: Registry[Updater] = Registry("updater")
REGISTRIES: dict[str, Registry[Any]] = {r.kind: r for r in (encoders, groupers, profiles, generators, updaters)}
