"""Encoders that say just what a test wants, datasets of chosen events, and what a blend is worth on a task."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.core.types import Candidates, Embeddings
from grouprec.data.dataset import Dataset, Interactions
from grouprec.data.synthetic import planted
from grouprec.evaluate.protocol import measure
from grouprec.models.blend import ItemFacts, Predictor, Source, Weights, repeat_terms
from grouprec.ranking.recency import DAY
from grouprec.ranking.task import Task, individual_lists

KNOWN = planted(n_users=200, n_items=100, events_per_user=20)


def source(name: str, scores: np.ndarray, scale: str = "linear") -> Source:
    """An encoder that says just this, float [U, I]."""
    return Source(name, Embeddings(scores.astype(np.float32), np.eye(scores.shape[1], dtype=np.float32)), scale)  # type: ignore[arg-type]


def predictor(data: Dataset, *sources: Source, repeats: bool = False, facts: ItemFacts | None = None) -> Predictor:
    names = [one.name for one in sources]
    terms = repeat_terms(data) if repeats else ()
    return Predictor(sources, Weights.equal(names, repeats), data.histories, facts or ItemFacts.of(data), terms)


def dataset(events: pd.DataFrame, n_users: int, n_items: int, cuts: tuple[float, float]) -> Dataset:
    """A dataset of events (user, item, day) that is split at two days."""
    parts = np.searchsorted(np.array(cuts), events["day"], side="right")

    def part(n: int) -> Interactions:
        own = events[parts == n]
        user, item = own["user"].to_numpy(np.int32), own["item"].to_numpy(np.int32)
        return Interactions(user, item, np.ones(len(own), np.float32), own["day"].to_numpy(float) * DAY)

    ids = [np.array([f"{letter}{n}" for n in range(size)], object) for letter, size in (("u", n_users), ("i", n_items))]
    return Dataset("planted", "planted", *ids, part(0), part(1), part(2), item_labels=ids[1])


def judge(candidates: Candidates, task: Task) -> float:
    """Return the nDCG@10 of personal lists."""
    return float(measure("", "individual", individual_lists(candidates, task), task).of("ndcg@10").mean())


def value(predictor: Predictor, task: Task) -> float:
    """Return the nDCG@10 of what a predictor ranks first."""
    return judge(predictor.candidates(), task)


def knowing(rng: np.random.Generator, noise: float) -> np.ndarray:
    """Scores that know the planted taste of KNOWN, under noise."""
    block = np.repeat(np.arange(4), 25)
    return (KNOWN.labels[:, None] == block) + noise * rng.random((200, 100))
