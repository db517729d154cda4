"""Several processes fit one stage: each takes its part of every mini-batch, and their gradients become one step.

The epoch loops of :mod:`grouprec.models.fitting` ask this file, no model file does. The processes are those that
``torchrun`` or Ray Train started. The first one leads: it trains the run. The others wait for stages to fit with it and
keep nothing (:func:`crew`, :func:`fit`).

One seed contract: at the beginning of an epoch everybody has the leader's weights and random state, so that all draw
the same batches; then each takes its rows and goes on with a random state of its own. One process alone draws what it
always drew.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from grouprec.core.environment import place_among, started_together
from grouprec.core.types import DataError, SettingError, WorkerLostError
from grouprec.models.threads import one_thread

if TYPE_CHECKING:
    from grouprec.models.fitting import RunOptions

PATIENCE = timedelta(days=1)  # that a process waits for the others: the leader also does what is not shared
ASIDE = -1  # of a process that had nothing to add to a step


@dataclass
class _Crew:
    """The processes that were started together; ``learning`` while they fit a stage together."""

    rank: int
    size: int
    learning: bool = False
    broken: bool = False  # they no longer do the same, so nobody may wait for anybody
    known: list[Any] = field(default_factory=list)  # inputs of the last stage: they are sent once


_crew: _Crew | None = None


# -- who is there


@contextlib.contextmanager
def crew() -> Iterator[bool]:
    """Join the processes that were started together. In the leader, or alone, the block is run: True.

    The others help until the leader leaves the block; then theirs is to do nothing: False.

    Raises:
        SettingError: the others cannot be reached.
        WorkerLostError: the leader went without a word.
    """
    global _crew
    if not started_together():
        yield True
        return
    ours = _join()
    _crew = _Crew(dist.get_rank(), dist.get_world_size())
    try:
        if _crew.rank:
            _help(_crew)
            yield False
        else:
            yield True
            _say(_crew, None)
    except BaseException:
        if not _crew.rank and not _crew.broken:
            with contextlib.suppress(WorkerLostError):
                _say(_crew, None)
        raise
    finally:
        _crew = None
        if ours:
            dist.destroy_process_group()


def _join() -> bool:
    """Make the process group, unless Ray Train has; return whether it was made here."""
    if dist.is_initialized():
        return False
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(place_among("LOCAL_RANK"))
    try:
        dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo", timeout=PATIENCE)
    except (RuntimeError, ValueError) as error:
        raise SettingError(
            f"The {os.environ['WORLD_SIZE']} processes that were to learn together do not find one another "
            f"({str(error).splitlines()[0][:200]}); start them with torchrun, or alone."
        ) from error
    return True


def size() -> int:
    """Return how many processes were started together, 1 for one alone."""
    return _crew.size if _crew else 1


# -- one stage


def fit(stage: Any, inputs: tuple[Any, ...], options: RunOptions) -> None:
    """Fit a stage with everybody; called by the leader.

    Args:
        inputs: of ``stage.fit``, before its options; they travel by pickle.
        options: the leader's, with its progress; the others make their own of seed and device.
    Raises:
        WorkerLostError: another process is gone.
    """
    if _crew is None:
        stage.fit(*inputs, options)
        return
    sent = [None if any(one is old for old in _crew.known) else one for one in inputs]
    places = [next((n for n, old in enumerate(_crew.known) if one is old), ASIDE) for one in inputs]
    _crew.known = list(inputs)
    _say(_crew, (stage, sent, places, options.seed, options.device))
    _learn(_crew, stage, inputs, options)


def _help(mine: _Crew) -> None:
    """Fit what the leader fits, until it says that there is no more."""
    from grouprec.models.fitting import RunOptions

    while (task := _hear(mine)) is not None:
        stage, sent, places, seed, device = task
        inputs = [one if place == ASIDE else mine.known[place] for one, place in zip(sent, places, strict=True)]
        mine.known = inputs
        with one_thread(), contextlib.suppress(SettingError, DataError, FloatingPointError):  # the leader has it, too
            _learn(mine, stage, tuple(inputs), RunOptions(seed, device))


def _learn(mine: _Crew, stage: Any, inputs: tuple[Any, ...], options: RunOptions) -> None:
    mine.learning = True
    try:
        stage.fit(*inputs, options)
    except (SettingError, DataError, FloatingPointError):  # of the data and the settings: everybody has them
        raise
    except BaseException:
        mine.broken = True
        raise
    finally:
        mine.learning = False


# -- what the epoch loops ask


def begin(module: nn.Module, draws: torch.Generator | None = None) -> None:
    """Give everybody the leader's weights, and every process torch numbers of its own from here on.

    Args:
        draws: where they come from; torch's global generator where None.
    """
    if (mine := _learning()) is None:
        return
    share_weights(module)
    if mine.rank:
        seed = (torch.initial_seed() if draws is None else draws.initial_seed()) + mine.rank
        (torch.manual_seed if draws is None else draws.manual_seed)(seed)


def share_weights(module: nn.Module) -> None:
    """Give everybody the leader's weights and buffers."""
    if _learning() is not None:
        with _lost():
            for value in module.state_dict().values():
                dist.broadcast(value, 0)


def share_rng(rng: np.random.Generator) -> None:
    """Give everybody the leader's random state."""
    if (mine := _learning()) is not None:
        rng.bit_generator.state = _pass_on(mine, rng.bit_generator.state)


def agree(values: dict[str, float]) -> dict[str, float]:
    """Return what the leader measured: everybody stops when it stops."""
    mine = _learning()
    return values if mine is None else _pass_on(mine, values)


def deal(rng: np.random.Generator, batches: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield this process's part of every batch; alone all of it.

    All parts of a batch have one length: where it cannot be divided, its first rows are dealt out again.

    Args:
        rng: the same for everybody until here, and each one's own afterwards.
    """
    if (mine := _learning()) is None:
        yield from batches
        return
    whole = list(batches)
    rng.bit_generator.state = np.random.default_rng([int(rng.integers(2**62)), mine.rank]).bit_generator.state
    for batch in whole:
        yield batch[np.arange(mine.rank, mine.rank + mine.size * -(-len(batch) // mine.size), mine.size) % len(batch)]


def add_up(parameters: Iterable[nn.Parameter], there: bool) -> bool:
    """Put the mean of everybody's gradients into the parameters; return whether anybody had one.

    Args:
        there: whether this process had a mini-batch; who had none counts for nothing in the mean.
    Raises:
        WorkerLostError: another process is gone.
    """
    if _learning() is None:
        return there
    learned = list(parameters)
    parts = [(torch.zeros_like(one) if one.grad is None else one.grad).reshape(-1) for one in learned]
    flat = torch.cat([*parts, parts[0].new_full((1,), float(there))])
    with _lost():
        dist.all_reduce(flat)
    n_there = float(flat[-1])
    if not n_there:
        return False
    for one, mean in zip(learned, (flat[:-1] / n_there).split([len(part) for part in parts]), strict=True):
        one.grad = mean.view_as(one).to(one.dtype)
    return True


# -- between them


def _learning() -> _Crew | None:
    return _crew if _crew is not None and _crew.learning else None


def _pass_on(mine: _Crew, value: Any) -> Any:
    if mine.rank:
        return _hear(mine)
    _say(mine, value)
    return value


def _say(mine: _Crew, value: Any) -> None:
    with _lost():
        dist.broadcast_object_list([value], 0, device=torch.device("cpu"))


def _hear(mine: _Crew) -> Any:
    heard: list[Any] = [None]
    with _lost():
        dist.broadcast_object_list(heard, 0, device=torch.device("cpu"))
    return heard[0]


@contextlib.contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        if _crew is not None:
            _crew.broken = True
        raise WorkerLostError(
            "Another process that learned with this one is gone (killed, for want of memory, or with its machine); "
            "Resume continues from the last finished stage."
        ) from error
