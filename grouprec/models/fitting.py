"""What every training loop needs and no model owns: device, seeds, epochs, early stop, progress, weights as arrays."""

from __future__ import annotations

import contextlib
import copy
import threading
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from grouprec.core.language import N_
from grouprec.core.memory import device_is_full
from grouprec.core.types import SettingError
from grouprec.models import together

Module = TypeVar("Module", bound=nn.Module)
Progress = Callable[[float, dict[str, float]], None]

MOST_PARTS = 64  # into which a mini-batch is cut where a GPU has no room for it
MOST_STEPS = 400  # of an epoch over users: of more users, more are read in a step
ITEMS_PER_USER = 40  # of a step that moves all items: of large catalogues few steps pay (decision 0077)
_global_draws = threading.RLock()  # the process has one generator, so whoever has seeded it has it alone
EXCLUDED = -1e4  # logit of an item that is no negative; finite, so that its gradient is 0 and not NaN


def _ignore(fraction: float, values: dict[str, float]) -> None:
    """Progress that nobody watches."""


def _unheard(remark: str) -> None:
    """A remark that nobody reads."""


@dataclass(frozen=True)
class RunOptions:
    """Where and with which seed a stage is fitted; what the method *is* stands in its Config.

    Attributes:
        seed: every random number comes from it; the same seed gives the same result on CPU.
        device: a torch device, already resolved ("cpu", "cuda", "mps").
        on_progress: called with the finished fraction of this stage (0..1) and the latest values
            (losses, validation metric); called at least once per epoch.
        on_note: called with a sentence that people should know.
    """

    seed: int = 0
    device: str = "cpu"
    on_progress: Progress = field(default=_ignore, repr=False)
    on_note: Callable[[str], None] = field(default=_unheard, repr=False)

    def rng(self, purpose: str) -> np.random.Generator:
        """Return a generator of its own for that purpose, so that stages do not shift one another's numbers."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])

    @contextlib.contextmanager
    def torch_seed(self, purpose: str) -> Iterator[None]:
        """Seed torch's global generators inside the block and put them back afterwards; other threads that want them
        wait."""
        devices = [0] if self.device.startswith("cuda") else []
        with _global_draws, torch.random.fork_rng(devices=devices):
            torch.manual_seed(int(self.rng(purpose).integers(2**31)))
            yield

    def own_draws(self) -> torch.Generator:
        """Return a generator that goes on where the global one of this device stands, inside :meth:`torch_seed`.

        What draws from it needs the block no longer, and learns beside other threads with the same numbers.
        """
        of_device = torch if self.device == "cpu" else torch.get_device_module(self.device)
        draws = torch.Generator(self.device)
        draws.set_state(of_device.get_rng_state())
        return draws


def resolve_device(wish: str) -> str:
    """Return the torch device for ``auto``, ``cpu``, ``cuda`` or ``mps``.

    Raises:
        SettingError: the device is unknown, or not there on this machine.
    """
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wish == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if wish not in there:
        raise SettingError(f"There is no device '{wish}'; choose auto, cpu, cuda or mps.")
    if not there[wish]:
        raise SettingError(f"This machine has no usable '{wish}' device; choose --device auto or cpu.")
    return wish


def device_title(device: str) -> str:
    """Return the device's name for people."""
    if device == "cuda":
        return f"GPU: {torch.cuda.get_device_name(0)}"
    return {"mps": "GPU: Apple Metal", "cpu": N_("CPU (no GPU found)")}[device]


def batches(rng: np.random.Generator, n: int, size: int, most: int | None = None) -> Iterator[np.ndarray]:
    """Yield the numbers 0..n-1 in random order, ``size`` at a time; of several processes each gets its part.

    With ``most`` so many of them at most, drawn.

    Where a GPU had no room for so many they are fewer (:func:`that_fits`).
    """
    together.share_rng(rng)
    size = that_fits(size)
    order = rng.permutation(n)[:most]
    yield from together.deal(rng, (order[start : start + size] for start in range(0, len(order), size)))


def step(optimizer: torch.optim.Optimizer, loss: Tensor | None) -> bool:
    """Take one step down a loss; of several processes that learn together, down the mean of theirs.

    Args:
        loss: of this process's part of the mini-batch; None where it has no more.
    Returns:
        Whether anybody had a loss.
    """
    optimizer.zero_grad(set_to_none=True)
    if loss is not None:
        loss.backward()
    parameters = (one for group in optimizer.param_groups for one in group["params"])
    there = together.add_up(parameters, loss is not None)
    if there:
        optimizer.step()
    return there


def users_per_step(asked: int, n_users: int, n_items: int = 0) -> int:
    """Return the size of a mini-batch of users: what is asked for, or more where an epoch had more than 400 steps.

    Args:
        n_items: that every step moves, where it does: it then has at least a fortieth as many users.
    """
    return max(asked, -(-n_users // MOST_STEPS), n_items // ITEMS_PER_USER)


def bags(rows: sparse.csr_array, table: Tensor) -> Tensor:
    """Return the product of sparse rows, CSR [B, I], and a table [I, D], float32 [B, D]; gradients reach the table."""
    device = table.device
    places, values = torch.from_numpy(rows.indices.astype(np.int64)), torch.from_numpy(rows.data)
    return functional.embedding_bag(
        places.to(device),
        table,
        torch.from_numpy(rows.indptr[:-1].astype(np.int64)).to(device),
        mode="sum",
        per_sample_weights=values.to(device),
    )


def softmax_sample(
    targets: np.ndarray, popularity: np.ndarray, n_negatives: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return a sample of items for a softmax, int64 [C] ascending, and the log of their chance to be in it, [C].

    Args:
        targets: int [n], the items to predict, which are in it.
        popularity: float64 [I], share of all events that are of an item.
        n_negatives: items drawn uniformly beside them.
    """
    negatives = rng.choice(len(popularity), n_negatives, replace=False, shuffle=False)
    candidates = np.union1d(targets, negatives).astype(np.int64)
    missed = (1 - popularity[candidates]) ** len(targets) * (1 - n_negatives / len(popularity))
    return candidates, np.log(1 - missed).astype(np.float32)


class Dropout(nn.Dropout):
    """Dropout that draws from ``draws``, where that is set: on a processor the numbers that torch's own would draw."""

    draws: torch.Generator | None = None

    def forward(self, input: Tensor) -> Tensor:
        if self.draws is None or not self.training or not self.p:
            return super().forward(input)
        kept = torch.empty_like(input).bernoulli_(1 - self.p, generator=self.draws)
        return input * kept.div_(1 - self.p)


class AdamWSettings(Protocol):
    """What :func:`adamw` reads of a method's settings."""

    learning_rate: float
    weight_decay: float


def adamw(module: nn.Module, settings: AdamWSettings) -> torch.optim.AdamW:
    """Return the optimiser of a module's weights with the step size and the shrinking that the settings name."""
    return torch.optim.AdamW(module.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)


class Epoch(ABC):
    """One pass over the training data, a step of the optimiser per mini-batch. Calling it returns the mean loss.

    Args:
        module: lies on its device already.
        rng: what the pass draws from; it goes on from epoch to epoch.

    Attributes:
        autocast: computes in bfloat16 where the device does so in hardware.
    """

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, rng: np.random.Generator) -> None:
        self.optimizer, self.rng = optimizer, rng
        self.device = next(module.parameters()).device
        bfloat16 = self.device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        self.autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16)

    @abstractmethod
    def losses(self) -> Iterator[tuple[Tensor, int]]:
        """Yield the loss of every mini-batch and its weight in the mean; the step is taken before the next one."""

    def __call__(self) -> dict[str, float]:
        together.share_rng(self.rng)
        # One running sum, where a list of losses would lie between the freed batches and keep their memory in use.
        total, weights = torch.zeros((), device=self.device), 0
        for loss, weight in self.losses():
            step(self.optimizer, loss)
            total += loss.detach() * weight
            weights += weight
        while step(self.optimizer, None):  # others may have mini-batches left
            pass
        return {"loss": float(total) / max(weights, 1)}

    def tensor(self, values: np.ndarray) -> Tensor:
        """Return an array as a tensor on the module's device."""
        return torch.from_numpy(values).to(self.device)


@dataclass(frozen=True)
class FitHistory:
    """What an epoch loop saw: one dict of values per epoch, and the epoch (from 1) whose weights were kept."""

    epochs: list[dict[str, float]]
    best_epoch: int


def fit_epochs(
    module: nn.Module,
    run_epoch: Callable[[], dict[str, float]],
    *,
    epochs: int,
    run: RunOptions,
    validate: Callable[[], float] | None = None,
    patience: int = 3,
    draws: torch.Generator | None = None,
) -> FitHistory:
    """Run epochs, keep the weights of the best one, stop when validation no longer improves.

    Args:
        module: its weights are restored to the best epoch's (the last one's without ``validate``) and
            it is left in evaluation mode.
        run_epoch: trains one epoch and returns its mean losses.
        epochs: upper bound.
        validate: returns the validation value after an epoch, higher is better; reported as "validation".
        patience: epochs without improvement before stopping.
        draws: what the epochs draw from; torch's global generator where None.
    Raises:
        FloatingPointError: a loss is not finite.
    """
    _parts.set(1)
    history: list[dict[str, float]] = []
    best, best_epoch, weights = -np.inf, epochs, None
    together.begin(module, draws)
    for epoch in range(1, epochs + 1):
        module.train()
        values = together.agree(_in_memory(run_epoch, run))
        together.share_weights(module)
        if not all(np.isfinite(value) for value in values.values()):
            raise FloatingPointError(f"Training diverged in epoch {epoch}; lower the learning rate.")
        module.eval()
        if validate is not None:
            with torch.no_grad():
                values |= together.agree({"validation": float(validate())})
            if values["validation"] > best:
                best, best_epoch = values["validation"], epoch
                weights = copy.deepcopy(module.state_dict())
        history.append(values)
        run.on_progress(epoch / epochs, {"epoch": epoch, **values})
        if validate is not None and epoch - best_epoch >= patience and weights is not None:
            break
    if weights is not None:
        module.load_state_dict(weights)
    module.eval()
    return FitHistory(history, best_epoch)


_parts: ContextVar[int] = ContextVar("parts", default=1)  # into which the mini-batches of this fit are cut


def that_fits(size: int) -> int:
    """Return the size of a mini-batch for which the GPU has room: what is asked for, or a half, a quarter ... of it."""
    return max(1, -(-size // _parts.get()))


def _in_memory(run_epoch: Callable[[], dict[str, float]], run: RunOptions) -> dict[str, float]:
    """Train an epoch; where the GPU has no room for its mini-batches, begin it again with halves of them.

    What was learned before stays. Processes that learn together stop: the others wait for the mini-batch that failed.
    """
    while True:
        try:
            return run_epoch()
        except RuntimeError as error:
            if not device_is_full(error) or together.size() > 1 or _parts.get() >= MOST_PARTS:
                raise
        _parts.set(2 * _parts.get())  # here, where the error no longer holds the tensors of what failed
        if run.device.startswith("cuda"):
            torch.cuda.empty_cache()
        run.on_note(
            "The GPU has no room for mini-batches of this size; the epoch begins again with "
            f"{_parts.get()} times smaller ones."
        )


def module_arrays(module: nn.Module) -> dict[str, np.ndarray]:
    """Return a module's weights and buffers as numpy arrays."""
    return {name: value.detach().cpu().numpy() for name, value in module.state_dict().items()}


def load_module(make: Callable[[], Module], arrays: dict[str, np.ndarray]) -> Module:
    """Return a module with arrays from :func:`module_arrays` in it, strictly, in evaluation mode.

    Args:
        make: returns one with any weights; they are drawn, but not in the midst of what others draw.
    """
    with _global_draws:
        module = make()
    module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    return module.eval()
