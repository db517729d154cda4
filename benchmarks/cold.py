"""``python -m benchmarks.cold``: how well items that nobody has are found by what is known of them; one minute.

MovieLens 100K with genres, titles and years: a fifth of the items at a time is kept out of training, all five in turn.
Planted data: a category that tells half of the tastes, and an embedding that tells all of them, or nothing. Scores are
EASE's; users who took a kept-out item are judged on these items alone. Writes docs/data.md between its markers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.datasets import dataset_file
from benchmarks.quality import write
from grouprec.core.site import app_root
from grouprec.core.types import Embeddings
from grouprec.data.content import Blocks, ItemContent
from grouprec.data.dataset import Dataset, NewItems
from grouprec.data.features import item_frame
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import prepare
from grouprec.data.synthetic import planted
from grouprec.models.base import REGISTRIES
from grouprec.models.blending import mean_by_user
from grouprec.models.fitting import RunOptions
from grouprec.ranking.candidates import find_candidates, make_preference, rank_top
from grouprec.ranking.metrics import hit_matrix, ndcg
from grouprec.ranking.new_items import choose_likeness, random_order
from grouprec.ranking.statistics import mean_interval, paired_difference
from grouprec.ranking.task import individual_lists, test_task

FIFTHS, LENGTH, N_GROUPS = 5, 10, 20
PAGE = app_root() / "docs" / "data.md"
Values = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Part:
    """A dataset that never saw some items, these items, and who took them: CSR [U, C]."""

    data: Dataset
    new: NewItems
    wanted: sparse.csr_array

    @property
    def users(self) -> np.ndarray:
        return np.flatnonzero(np.diff(self.wanted.indptr))

    def ndcg(self, scores: np.ndarray) -> np.ndarray:
        """Return the nDCG@10 of the judged users for scores of all users [U, C]."""
        wanted = sparse.csr_array(self.wanted[self.users])
        top, _ = rank_top(scores[self.users].astype(np.float32), LENGTH, 0)
        return ndcg(hit_matrix(top, wanted), np.diff(wanted.indptr), LENGTH)


def parts(rows: pd.DataFrame, items: pd.DataFrame, folder: Path) -> Iterator[Part]:
    """Yield the data with every fifth item kept out, five times; through the files that a user would give."""
    items.to_parquet(folder / "items.parquet")
    for first in range(FIFTHS):
        kept_out = rows["item"].isin(items["item"][first::FIFTHS])
        rows[~kept_out].to_csv(folder / "rows.csv", index=False)
        settings = Preparation(min_item_users=1, drop_robots=False)
        files = {"items": folder / "items.parquet", "settings": settings, "hold_out": False}
        data = prepare(folder / "rows.csv", **files).dataset
        new = data.new_items
        assert new is not None  # there is a file of items
        hidden = rows[kept_out & rows["user"].isin(data.user_ids)]
        user, item = (pd.Index(ids).get_indexer(pd.Index(hidden[name])) for name, ids in _ids(data, new).items())
        entries = np.ones(len(hidden), np.float32), (user, item)
        yield Part(data, new, sparse.csr_array(entries, shape=(data.n_users, len(new.ids))))


def _ids(data: Dataset, new: NewItems) -> dict[str, np.ndarray]:
    return {"user": data.user_ids, "item": new.ids}


def blocks_of(part: Part) -> tuple[Blocks, Blocks]:
    """Return what is known of the items with users, and of the kept-out ones."""
    frame, data, new = item_frame(part.data), part.data, part.new
    content = ItemContent().fit(frame)
    return content.blocks(frame, data.item_vectors), content.blocks(item_frame(new), new.vectors)


def scores_of(data: Dataset) -> Embeddings:
    ease = REGISTRIES["encoder"].get("ease")
    return ease(ease.Config.for_preset("quick")).fit(data, RunOptions(0)).embeddings(data)


def judge(part: Part) -> Values:
    """Return the nDCG@10 of every judged user, by method."""
    data, (known, new) = part.data, blocks_of(part)
    embeddings = scores_of(data)
    scores, popularity = embeddings.scores(slice(None)), data.popularity
    near = choose_likeness(data.histories, known).weights(new, known, popularity)
    preference = make_preference(find_candidates(embeddings, data.histories))
    labels = REGISTRIES["grouper"].get("kmeans")().fit(data, preference, N_GROUPS, RunOptions(0)).groups().labels
    means = np.stack([scores[labels == group].mean(axis=0) for group in range(labels.max() + 1)])
    genres, of_new = known["categories"] > 0, new["categories"] > 0
    of_genre = (popularity @ genres) / np.maximum(genres.sum(axis=0), 1)
    by_genre = (of_new @ of_genre) / np.maximum(of_new.sum(axis=1), 1)
    n_wanted, n_items = np.diff(part.wanted.indptr)[part.users], np.array([len(part.new.ids)])
    return {
        "for every user": part.ndcg(scores @ near.T),
        f"one list for each of {N_GROUPS} groups": part.ndcg((means @ near.T)[labels]),
        "popularity of the items that each is like": part.ndcg(_all(near @ popularity, data)),
        "popularity of their genres": part.ndcg(_all(by_genre, data)),
        "random": random_order(n_wanted, n_items)[:, 0],
    }


def _all(scores: np.ndarray, data: Dataset) -> np.ndarray:
    return np.broadcast_to(scores, (data.n_users, len(scores)))


def movielens(folder: Path) -> list[str]:
    """Return the table of MovieLens 100K."""
    rows = pd.read_csv(dataset_file("ml-100k"), sep="\t", dtype=str).iloc[:, [0, 1, 3]]
    items = pd.read_csv(dataset_file("ml-100k items"), sep="\t", dtype=str)
    rows.columns, items.columns = ["user", "item", "timestamp"], ["item", "title", "year", "genre"]
    users: list[np.ndarray] = []
    found: dict[str, list[np.ndarray]] = {}
    for part in parts(rows, items, folder):
        users.append(part.data.user_ids[part.users].astype(np.int64))
        for name, values in judge(part).items():
            found.setdefault(name, []).append(values)
    owner = np.concatenate(users)
    by_user = {name: mean_by_user(owner, np.concatenate(values)) for name, values in found.items()}
    lines = ["| cold items are ranked by | nDCG@10 | 95 % | against genres |", "| --- | ---: | ---: | ---: |"]
    for name, values in by_user.items():
        lines.append(f"| {name} | {measured(values)} | {gain_of(values, by_user['popularity of their genres'])} |")
    about = f"MovieLens 100K, {len(values):,} users, {len(items):,} items, each once among the cold:"
    return [f"`python -m benchmarks.cold`. {about}", "", *lines]


def measured(values: np.ndarray) -> str:
    mean, low, high = (float(one) for one in mean_interval(values))
    return f"{mean:.3f} | {low:.3f} to {high:.3f}"


def gain_of(values: np.ndarray, other: np.ndarray) -> str:
    gain, low, high, _ = (float(one) for one in paired_difference(values, other))
    return f"{gain:+.3f} ({low:+.3f} to {high:+.3f})" if values is not other else ""


def with_embeddings(folder: Path) -> list[str]:
    """Return the table of planted data: with an embedding that tells tastes, and with one that tells nothing."""
    lines = ["| planted data | without | with the embedding | gain |", "| --- | ---: | ---: | ---: |"]
    for title, told in (("an embedding that tells tastes", True), ("one that tells nothing", False)):
        for what, judged in (("cold items, nDCG@10", _cold), ("`dnn`, known items, nDCG@10", _known)):
            without, with_it = judged(told, folder)
            means = " | ".join(measured(one).partition(" |")[0] for one in (without, with_it))
            lines.append(f"| {title}: {what} | {means} | {gain_of(with_it, without)} |")
    return lines


def _vectors(n_items: int, n_groups: int, told: bool) -> np.ndarray:
    rng = np.random.default_rng(1)
    centres = rng.normal(size=(n_groups, 64))[np.repeat(np.arange(n_groups), n_items // n_groups)]
    return told * centres + rng.normal(size=(n_items, 64))


def _cold(told: bool, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the nDCG@10 of users on kept-out items without and with the embedding."""
    n_groups, n_items = 8, 400
    data = planted(n_users=600, n_items=n_items, n_groups=n_groups, noise=0.3, ordered=False).data
    rows = pd.DataFrame({"user": data.user_ids[data.train.user_rows], "item": data.item_ids[data.train.item_rows]})
    half = np.repeat(np.arange(n_groups), n_items // n_groups) // 2
    items = pd.DataFrame({"item": data.item_ids, "kind": [f"kind {one}" for one in half]})
    seen = items.assign(embedding=list(_vectors(n_items, n_groups, told)))
    values = [[judge(part)["for every user"] for part in parts(rows, frame, folder)] for frame in (items, seen)]
    return np.concatenate(values[0]), np.concatenate(values[1])


def _known(told: bool, folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the nDCG@10 of the two towers on known items, of users with few of them, without and with it."""
    n_groups, n_items = 40, 400
    data = planted(n_users=600, n_items=n_items, n_groups=n_groups, events_per_user=6, noise=0.3, ordered=False).data
    nobody = pd.DataFrame(index=range(data.n_users))
    bare = replace(data, item_attributes=pd.DataFrame(), item_labels=data.item_ids, user_attributes=nobody)
    vectors = _vectors(n_items, n_groups, told).astype(np.float32)
    task, found = test_task(data), []
    for given in (None, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)):
        dnn = REGISTRIES["encoder"].get("dnn")
        seen = replace(bare, item_vectors=given)
        embeddings = dnn(dnn.Config(embedding_size=32)).fit(seen, RunOptions(0)).embeddings(seen)
        lists = individual_lists(find_candidates(embeddings, task.seen), task)[:, :LENGTH]
        wanted = sparse.csr_array(task.relevant[task.users])
        found.append(ndcg(hit_matrix(lists, wanted), task.n_relevant, LENGTH))
    return found[0], found[1]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = "\n".join([*movielens(folder), "", *with_embeddings(folder)])
    print(text)
    write("cold", text, PAGE)


if __name__ == "__main__":
    main()
