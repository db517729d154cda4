"""What a run will cost before it starts: seconds and memory, from the data's size and what this machine did before.

Every stage's work grows with the data in its own way, which it declares. Seconds per work come from the finished run
that trained the stage on data nearest in size, the newest of several; where there is none, from the bundled sample on a
known machine, set against a short calibration of this one. What other work slowed those stages down is taken out, and
what it does now is put in. Nothing here is exact, so every estimate says how wrong it may be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import torch

from grouprec.core.language import _, decimal
from grouprec.core.load import at_work
from grouprec.core.types import SettingError
from grouprec.models.base import REGISTRIES, encoders
from grouprec.models.declared import called
from grouprec.models.fitting import device_title, resolve_device
from grouprec.runs.config import RunConfig
from grouprec.runs.progress import make_plan, usual_seconds
from grouprec.runs.store import Run, RunStore
from grouprec.training.reuse import learned_before, read_back
from grouprec.training.selection import encoder_names
from grouprec.training.size import SAMPLE, Size

MB, GB = 1_000_000, 1_000_000_000
SAME = 1.3  # data up to this many times larger or smaller are of the same size
SIMILAR = 10.0  # data up to this many times larger or smaller tell how long a stage takes
RESERVE = 0.9  # share of the free memory that a run may take
EARLY_STOP = 0.6  # ten times as many epochs allowed take about four times as long
GPU_GAIN = 4.0  # how much faster networks train on a GPU, before one was ever seen to


@dataclass(frozen=True)
class Estimate:
    """What a run will cost.

    Attributes:
        seconds: expected where the machine does nothing else; ``factor`` says how wrong it may be.
        measured: whether runs of this machine were asked, or only a calibration.
        low, high: seconds between which most runs take: seconds / factor, less what an earlier run has learned already,
            longer for work that has lasted, and seconds x factor, longer for all work that there is now.
        busy, lasting: processors' worth of work now, and of what has been there for a quarter of an hour, of
            ``processors``.
        before: the title of the run whose tastes are read back, "" where there is none.
        memory, free: bytes at the peak, and bytes that this machine has to spare now.
        advice: what would fit where the run does not; "" where it does.
        most: bytes that this machine has at all, in use or not.
    """

    seconds: float
    factor: float
    measured: bool
    memory: int
    free: int
    advice: str
    low: float = 0.0
    high: float = 0.0
    busy: float = 0.0
    processors: int = 1
    before: str = ""
    most: int = 0
    lasting: float = 0.0

    @property
    def refused(self) -> bool:
        """Whether the run needs more than this machine has at all, so that it would end for want of memory."""
        return self.memory > self.most > 0


# How much work a step has that trains no stage, in units of its own: only ratios count. Stages declare theirs.
_WORK: dict[str, Callable[[Size], float]] = {
    "prepare": lambda s: s.n_raw,
    "folds": lambda s: s.n_items**2,
    "blend": lambda s: s.n_users * s.n_items,
    "lists": lambda s: s.n_users * s.n_items,
    "candidates": lambda s: s.n_users * s.n_items,
    "live weight": lambda s: s.n_items + 2000,
    "number of groups": lambda s: s.n_users,
    "evaluation": lambda s: s.n_users * (s.n_items + 5000),
    "map": lambda s: s.n_users,
    "save": lambda s: s.n_users + s.n_rows / 10,
}


def _work(step: str, config: RunConfig, size: Size) -> float:
    stage = config.trained_in(step)
    if stage is None:
        return _WORK.get(step, lambda s: s.n_rows)(size)
    return stage.work(size.n_users, size.n_items, size.n_rows)


# -- seconds


def estimate(config: RunConfig, size: Size, store: RunStore, speed: Callable[[], float] | None = None) -> Estimate:
    """Return what a run will cost on this machine.

    Args:
        config: the run's choices.
        size: of its data.
        store: whose finished runs may tell how long stages take here.
        speed: how fast this machine is against the known one, asked only where no run tells; :func:`calibrate`.
    """
    asked, config = config, _with_encoders(config, size)
    plan = [name for name in make_plan(config, RunStore(store.root / "none")) if not name.startswith("search ")]
    load = at_work()
    known = _known_seconds(config, size, store.runs(), load.slower(load.lasting))
    unknown = [name for name in plan if _bare(name) not in known]
    pace = 1.0 / (speed or calibrate)() if unknown else 1.0
    each = {name: known.get(_bare(name)) or _usual(name, config, size) * pace for name in plan}
    seconds = sum(each.values())
    same = not unknown and any(_ratio(size, other) < SAME for other in _sizes(store.runs()))
    factor = 1.5 if same else 2.0 if len(unknown) < len(plan) / 2 else 3.0
    factor *= 1.0 if size.counted else 1.5
    need, free = memory(config, size), free_memory()
    advice = _advice(config, size, need, free)
    searched = 60 * config.search_minutes
    before = learned_before(asked, store.runs())
    new = sum(value for name, value in each.items() if before is None or not read_back(name))
    return Estimate(
        seconds + searched,
        factor,
        len(unknown) < len(plan) / 2,
        need,
        free,
        advice,
        low=new / factor * load.slower(load.lasting) + searched * (before is None),
        high=seconds * factor * load.slower(load.now) + searched,
        busy=load.now,
        lasting=load.lasting,
        processors=load.processors,
        before="" if before is None else before.title(),
        most=all_memory(),
    )


def _with_encoders(config: RunConfig, size: Size) -> RunConfig:
    """Return the choices with the encoders named that data of that size will have."""
    stand_in: Any = SimpleNamespace(
        n_users=size.n_users, n_items=size.n_items, timed=size.timed, train=range(size.n_rows)
    )
    return config.model_copy(update={"encoders": encoder_names(config, stand_in)})


def _bare(stage: str) -> str:
    return stage.rpartition(": ")[2]


def _known_seconds(config: RunConfig, size: Size, runs: Iterable[Run], usual: float = 1.0) -> dict[str, float]:
    """Return seconds by bare stage name, from finished runs on data of a similar size, the nearest first; the longest
    fit. Work that grows with the data says little of a run a tenth as large, most of whose time it is not. Runs that do
    not say how much other work slowed them down count as slowed by ``usual``, what lasts now."""
    known: dict[str, float] = {}
    sizes = [(other, run) for run in runs if (other := _run_size(run)) is not None and _ratio(size, other) <= SIMILAR]
    for other, run in sorted(sizes, key=lambda one: max(_ratio(size, one[0]), SAME)):
        if not _same_device(config, run):
            continue
        found: dict[str, float] = {}
        for event in run.events():
            if event.get("event") == "stage_done" and not event.get("reused"):
                name = _bare(str(event.get("stage", "")))
                alone = float(event.get("seconds", 0.0)) / float(event.get("slower", usual))
                found[name] = max(found.get(name, 0.0), alone)
        theirs = run.choices()
        for name, seconds in found.items():
            grown = _work(name, config, size) / max(_work(name, config, other), 1.0)
            scale = grown * _passes(name, config, theirs)
            known.setdefault(name, max(seconds * scale, 0.05))
    return known


def _usual(stage: str, config: RunConfig, size: Size) -> float:
    """Return the seconds that a stage takes on the known machine."""
    name = _bare(stage)
    trained = config.trained_in(name)
    scale = _work(name, config, size) / _work(name, config, SAMPLE) * _passes(name, config, {"preset": "quick"})
    gain = GPU_GAIN if trained is not None and trained.uses_gpu and _device(config) != "cpu" else 1.0
    return max(usual_seconds(name, config) * scale / gain, 0.05)


def _passes(stage: str, config: RunConfig, theirs: Mapping[str, Any]) -> float:
    """Return how many times as long a stage takes for its epochs as in another configuration; 1 where it has none.

    Epochs are upper bounds: the more are allowed, the likelier training stops before.
    """
    trained = config.trained_in(stage)
    if trained is None:
        return 1.0
    mine = getattr(config.stage_config(trained.kind, trained.name), "epochs", None)
    base = trained.Config.for_preset(theirs.get("preset", "quick"))
    other = theirs.get("settings", {}).get(trained.name, {}).get("epochs", getattr(base, "epochs", None))
    return (float(mine) / max(float(other), 1.0)) ** EARLY_STOP if mine and other else 1.0


def _run_size(run: Run) -> Size | None:
    """Return the size of what a finished run was trained on."""
    metrics = run.metrics() if run.usable else {}
    names = ("n_users", "n_items", "n_interactions")
    if not all(isinstance(metrics.get(name), int) and metrics[name] > 0 for name in names):
        return None
    n_users, n_items, n_rows = (metrics[name] for name in names)
    return Size(n_users, n_items, n_rows, n_rows)


def _sizes(runs: Iterable[Run]) -> list[Size]:
    return [size for size in map(_run_size, runs) if size is not None]


def _ratio(size: Size, other: Size) -> float:
    """Return how many times larger or smaller other data are, in what differs most."""
    ratios = [max(a, 1) / max(b, 1) for a, b in ((size.n_users, other.n_users), (size.n_items, other.n_items))]
    return max(max(ratio, 1 / ratio) for ratio in ratios)


def _device(config: RunConfig) -> str:
    try:
        return resolve_device(config.device)
    except SettingError:  # a run of another machine
        return "cpu"


def _same_device(config: RunConfig, run: Run) -> bool:
    on_gpu = str(run.metrics().get("device_title", "")).startswith("GPU")
    return on_gpu == (_device(config) != "cpu")


@cache
def calibrate() -> float:
    """Return how fast this machine is, 1 for the known one: a few matrix products and sorts, a quarter of a second."""
    rng = np.random.default_rng(0)
    matrix, numbers = rng.random((768, 768), np.float32), rng.random(500_000)
    products = _best(lambda: matrix @ matrix)
    sorts = _best(lambda: np.sort(numbers))
    return float(np.sqrt(KNOWN_PRODUCT / products * KNOWN_SORT / sorts))


KNOWN_PRODUCT, KNOWN_SORT = 0.020, 0.012  # seconds on two cores of the machine that usual seconds are of


def _best(work: Callable[[], Any]) -> float:
    def once() -> float:
        begun = time.perf_counter()
        work()
        return time.perf_counter() - begun

    return min(once() for _turn in range(6))


# -- memory


def memory(config: RunConfig, size: Size) -> int:
    """Return the bytes that a run needs at its peak: what stays, and the largest of what comes and goes."""
    stages = [REGISTRIES[kind].get(name) for kind, name in dict.fromkeys(config.chosen())]
    n_encoders = sum(stage.kind == "encoder" for stage in stages)
    own = [stage.memory(size.n_users, size.n_items) for stage in stages]
    # Against planted runs (docs/performance.md): .9 to 1.1 times what they took up to 3 million rows, 1.6 for 25.
    stays = 1_000 * MB + 150 * size.n_raw + 60 * size.n_rows
    stays += (8_000 + 1_500 * n_encoders) * size.n_users + 3_000 * n_encoders * size.n_items
    stays += sum(kept for kept, _passing in own)
    batches = 4 * 6 * 2048 * size.n_items
    return int(stays + max(batches, *(passing for _kept, passing in own)))


def free_memory() -> int:
    """Return the bytes that a run could take now; in a container, what the container allows."""
    limit, used = _container()
    return min(psutil.virtual_memory().available, limit - used)


def all_memory() -> int:
    """Return the bytes that this machine has, or that its container may take."""
    return min(psutil.virtual_memory().total, _container()[0])


def _container() -> tuple[int, int]:
    """Return the bytes that the container may take, and those that it has taken; endlessly many where there is none."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit, used = (int((folder / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # also "max"
        return 2**62, 0
    return limit, used


def refusal(config: RunConfig, size: Size) -> str:
    """Return why a run must not be begun on this machine, and what would fit; "" where it may.

    It is refused for what the machine has at all, not for what is free now: that may be free when its turn comes.
    """
    config, most = _with_encoders(config, size), all_memory()
    need = memory(config, size)
    if need <= most:
        return ""
    return _(
        "This run needs about {need} GB of memory, and this machine has {most} GB: it would end "
        "for want of memory. {config}"
    ).format(need=decimal(need / GB), most=decimal(most / GB), config=_advice(config, size, need, most))


def gpu_memory() -> tuple[str, int, int] | None:
    """Return the GPU's name and its bytes in use, by whomever, and in all; None where there is none that says so."""
    if not torch.cuda.is_available():
        return None
    free, total = torch.cuda.mem_get_info(0)
    return device_title("cuda"), total - free, total


def _advice(config: RunConfig, size: Size, need: int, free: int) -> str:
    """Return what to do where a run does not fit, "" where it does."""
    for name in config.encoders:
        most = getattr(config.stage_config("encoder", name), "max_items", size.n_items)
        if size.n_items > most:
            said = called("encoder", name)
            return _("{said} takes at most {most} items; choose encoders without it{name}.").format(
                said=said, most=decimal(most), name=_such_as(name)
            )
    if need <= RESERVE * free:
        return ""
    for name in config.encoders:
        others = tuple(other for other in config.encoders if other != name) or _sibling(name)
        lighter = config.model_copy(update={"encoders": others})
        if any(_own_memory(name, size)) and others and memory(lighter, size) <= RESERVE * free:
            return _("It fits without {called}: choose other encoders{name}.").format(
                called=called("encoder", name), name=_such_as(name)
            )
    fits = [n for n in _halves(size.n_items) if memory(config, replace(size, n_items=n)) <= RESERVE * free]
    if fits:
        return _("It fits with about {fits} items: raise “Fewest users of an item” on the Data page.").format(
            fits=decimal(fits[0])
        )
    return _("It needs a machine with {need} GB of free memory, or a smaller file.").format(
        need=decimal(need / RESERVE / GB)
    )


def _own_memory(name: str, size: Size) -> tuple[int, int]:
    return encoders.get(name).memory(size.n_users, size.n_items)


def _sibling(name: str) -> tuple[str, ...]:
    """Return the encoder that takes another's place on large data, () where there is none."""
    return tuple(filter(None, [encoders.get(name).auto.instead]))


def _such_as(name: str) -> str:
    return "".join(_(", such as {called}").format(called=called("encoder", other)) for other in _sibling(name))


def _halves(n: int) -> list[int]:
    """Return 90 %, 80 %, ..., 10 % of a number, in round numbers."""
    return [int(round(n * share, -len(str(n)) + 2)) for share in np.arange(0.9, 0.05, -0.1).round(1).tolist()]
