"""Planted files in which items age: news within hours, films within years, at any pace.

Items are born all the time and their pull halves after their ``life``; people take what is alive, mostly of the topics
that they like. What is popular lately is the half of the answer, and how late "lately" is depends on the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

N_TOPICS = 8
NOISE = 0.15  # of the events, that follow no taste
STEPS_A_LIFE = 6  # moments at which the items' pull is computed, while one ages by half


@dataclass(frozen=True)
class Pace:
    """How large a file is, how many days it spans, and after how many days half of an item's pull is gone."""

    days: float
    life: float
    n_users: int = 3_000
    n_items: int = 1_500
    n_events: int = 25  # of a user


PACES = {"news": Pace(days=9, life=0.4), "films": Pace(days=4_000, life=500, n_items=2_500, n_events=30)}


def write_ages(pace: Pace, path: Path, seed: int = 0) -> None:
    """Write the interactions (user_id, item_id, timestamp) of one pace as CSV."""
    rng = np.random.default_rng(seed)
    topics = rng.integers(N_TOPICS, size=pace.n_items)
    born = rng.uniform(-3 * pace.life, pace.days, pace.n_items)
    pull = np.exp(rng.normal(0, 1, pace.n_items))
    tastes = rng.dirichlet(np.full(N_TOPICS, 0.4), pace.n_users).cumsum(axis=1)
    users = np.repeat(np.arange(pace.n_users), pace.n_events)
    times = rng.uniform(0, pace.days, len(users))
    wanted = (rng.random(len(users))[:, None] > tastes[users]).sum(axis=1).clip(0, N_TOPICS - 1)
    wanted[rng.random(len(users)) < NOISE] = N_TOPICS  # any topic
    items = np.empty(len(users), np.int64)
    n_steps = max(int(STEPS_A_LIFE * pace.days / pace.life), 20)
    step_of = (times / pace.days * n_steps).astype(np.int64)
    for step in range(n_steps):
        now = (step + 0.5) * pace.days / n_steps
        alive = np.where(born <= now, pull * np.exp2((born - now) / pace.life), 0)
        for topic in range(N_TOPICS + 1):
            rows = np.flatnonzero((step_of == step) & (wanted == topic))
            chances = alive if topic == N_TOPICS else np.where(topics == topic, alive, 0)
            items[rows] = rng.choice(pace.n_items, len(rows), p=chances / chances.sum())
    when = pd.Timestamp("2012-01-01") + pd.to_timedelta(times, unit="D")
    table = pd.DataFrame({"user_id": users, "item_id": np.char.mod("a%d", items), "timestamp": when.floor("s")})
    table.drop_duplicates(["user_id", "item_id"]).to_csv(path, index=False)
