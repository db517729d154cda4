"""``python -m benchmarks.gpu [--rows 1000000,10000000] [--devices cpu,cuda] [--write]``: what a GPU saves.

Planted users as in ``benchmarks.growth``; an epoch of every encoder that learns in epochs, of the VAE, the GAN and the
GRU, and all of EASE where the catalogue is small enough, on each device, with nDCG@10 of encoders on items taken out of
the histories that they are asked by. An epoch, since all of them take as long, and ten million rows would take hours on
a processor. The first fit on a device loads its libraries, so every stage is warmed up on a few users first.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.growth import LARGEST, LARGEST_ITEMS, N_GROUPS, ROWS_PER_USER
from benchmarks.measure import machine
from benchmarks.quality import write
from benchmarks.stages import markdown_table
from grouprec.core.site import app_root
from grouprec.core.types import Candidates, Embeddings, Groups
from grouprec.data.synthetic import Planted, planted
from grouprec.models.base import REGISTRIES, encoders
from grouprec.models.fitting import RunOptions
from grouprec.ranking.task import NewItemTask

PAGE = app_root() / "docs" / "performance.md"
SOME_USERS, SOME_ITEMS = 400, 200  # of the warm-up
WANTED = 100  # candidates of a user, from which the profile learns what is wanted
Timed = dict[str, dict[str, tuple[float, float]]]  # by stage and device: seconds and nDCG@10


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", default="1000000,10000000")
    arguments.add_argument("--devices", default="cpu,cuda")
    arguments.add_argument("--write", action="store_true", help="write the section of docs/performance.md")
    given = arguments.parse_args()
    devices = given.devices.split(",")
    if "cuda" in devices and not torch.cuda.is_available():
        raise SystemExit("No CUDA device is found here, so that there is nothing to compare.")
    found = {n_rows: bench(n_rows, devices) for n_rows in map(int, given.rows.split(","))}
    text = section(found, devices)
    print(text)
    if given.write:
        write("gpu", text, PAGE)


def bench(n_rows: int, devices: list[str]) -> Timed:
    """Return what every stage took on every device."""
    n_users = max(SOME_USERS, n_rows // ROWS_PER_USER)
    n_items = max(SOME_ITEMS, round(LARGEST_ITEMS * math.sqrt(n_rows / LARGEST)))
    small = planted(SOME_USERS, SOME_ITEMS, N_GROUPS, 20)
    large = planted(n_users, n_items, N_GROUPS, ROWS_PER_USER, noise=0.5, ordered=False)
    timed: Timed = {}
    for device in devices:
        fit_all(small, device)
        for stage, found in fit_all(large, device).items():
            timed.setdefault(stage, {})[device] = found
            print(f"{n_rows:,} rows, {device}, {stage}: {found[0]:.1f} s", flush=True)
    return timed


def fit_all(answer: Planted, device: str) -> dict[str, tuple[float, float]]:
    """Return seconds and nDCG@10 (NaN where none is meant) of one epoch of every stage, by stage."""
    data, options, found = answer.data, RunOptions(device=device), {}
    task = NewItemTask.sample(data, options.rng("gpu"))
    for name in learned():
        stage = one_epoch("encoder", name)
        if getattr(stage.config, "max_items", data.n_items) < data.n_items:
            continue
        seconds = clocked(lambda stage=stage: stage.fit(data, options), device)
        users = stage.encode(task.histories, task.attributes, task.recent)
        found[name] = seconds, task.ndcg(Embeddings(users, stage.items()))
    groups = Groups(answer.labels, int(answer.labels.max()) + 1)
    wanted = popular_of(groups, answer)
    profile, generator = one_epoch("profile", "vae"), one_epoch("generator", "gan")
    updater = one_epoch("updater", "gru")
    found["vae"] = clocked(lambda: profile.fit(data, groups, wanted, options), device), math.nan
    found["gan"] = clocked(lambda: generator.fit(groups, profile, wanted, options), device), math.nan
    found["gru"] = clocked(lambda: updater.fit(data, options), device), math.nan
    return found


def learned() -> list[str]:
    """Return the encoders that use a GPU: EASE, whose matrix is inverted there, and what learns in epochs."""
    return ["ease", *(name for name in encoders if encoders.get(name).uses_gpu)]


def one_epoch(kind: str, name: str) -> Any:
    """Return a stage with the settings of preset standard that learns for one epoch and chooses nothing."""
    stage = REGISTRIES[kind].get(name)
    config = stage.Config.for_preset("standard")
    once = {"epochs": 1, "tune_l2": False, "tune": False}
    return stage(config.model_copy(update={field: value for field, value in once.items() if hasattr(config, field)}))


def clocked(work: Callable[[], Any], device: str) -> float:
    """Return the seconds of some work, all that it has asked of the device included."""
    begun = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def popular_of(groups: Groups, answer: Planted) -> Candidates:
    """Return every user's group's most frequent items as what they want."""
    data = answer.data
    items = np.empty((groups.n_groups, min(WANTED, data.n_items)), np.int32)
    for group in range(groups.n_groups):
        counts = data.histories[np.flatnonzero(groups.labels == group)].sum(axis=0)
        items[group] = np.argsort(-np.ravel(counts), kind="stable")[: items.shape[1]]
    scores = np.linspace(1, 0.1, items.shape[1], dtype=np.float32)
    return Candidates(items[groups.labels], np.tile(scores, (data.n_users, 1)), data.n_items)


def section(found: dict[int, Timed], devices: list[str]) -> str:
    """Return the tables: seconds by device, how many times the first is the last, nDCG@10 by device."""
    rows = []
    for n_rows, timed in found.items():
        for stage, by_device in timed.items():
            seconds, values = zip(*(by_device[device] for device in devices), strict=True)
            worth = " / ".join("" if math.isnan(value) else f"{value:.4f}" for value in values).strip(" /")
            times = f"{seconds[0] / seconds[-1]:.1f}"
            rows.append((f"{n_rows:,}", stage, *(f"{one:.1f}" for one in seconds), times, worth))
    name = torch.cuda.get_device_name() if "cuda" in devices else "no GPU"
    header = ("rows", "one epoch of", *(f"{device}, s" for device in devices), "times", "nDCG@10")
    command = f"`python -m benchmarks.gpu --rows {','.join(map(str, found))} --devices {','.join(devices)}`"
    return "\n".join(["## On a GPU", "", f"{command} · {name} · {machine()}", "", markdown_table(header, rows)])


if __name__ == "__main__":
    main()
