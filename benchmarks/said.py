"""``python -m benchmarks.said``: what reviews and search words of users add to `dnn`; a minute.

Planted data of 40 tastes, six rows a user, a review beside every row: words of the item's taste, or any words.
With and without the column, through the files that a user would give. Writes docs/data.md between its markers.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from benchmarks.cold import LENGTH, PAGE, gain_of, measured
from benchmarks.quality import write
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import prepare
from grouprec.data.synthetic import planted
from grouprec.models.base import REGISTRIES
from grouprec.models.fitting import RunOptions
from grouprec.ranking.candidates import find_candidates
from grouprec.ranking.metrics import hit_matrix, ndcg
from grouprec.ranking.task import individual_lists, test_task

N_GROUPS, N_ITEMS, N_USERS, WORDS = 40, 400, 600, 12
SEEDS = 3


def rows_with_reviews(told: bool, seed: int) -> pd.DataFrame:
    """Return planted rows with a review of a few words each, of the item's taste where ``told``, else of any."""
    data = planted(
        n_users=N_USERS, n_items=N_ITEMS, n_groups=N_GROUPS, events_per_user=6, noise=0.3, ordered=False, seed=seed
    ).data
    parts = (data.train, data.validation, data.test)
    users, items = (np.concatenate([getattr(one, name) for one in parts]) for name in ("user_rows", "item_rows"))
    rng = np.random.default_rng(seed)
    taste = items // (N_ITEMS // N_GROUPS) if told else rng.integers(0, N_GROUPS, len(items))
    words = rng.choice(list("abcdefghijklmnopqrstuvwxyz"), (N_GROUPS, WORDS, 6)).view("<U6")[..., 0]
    texts = [" ".join(words[of, own]) for own, of in zip(rng.integers(0, WORDS, (len(items), 4)), taste, strict=True)]
    return pd.DataFrame({"user": data.user_ids[users], "item": data.item_ids[items], "review": texts})


def judged(path: Path, roles: dict[str, str]) -> np.ndarray:
    """Return the nDCG@10 of every judged user under `dnn`, with these choices about columns."""
    settings = Preparation(min_item_users=1, drop_robots=False)
    data = prepare(path, roles=roles, settings=settings).dataset
    dnn = REGISTRIES["encoder"].get("dnn")
    embeddings = dnn(dnn.Config(embedding_size=32)).fit(data, RunOptions(0)).embeddings(data)
    task = test_task(data)
    lists = individual_lists(find_candidates(embeddings, task.seen), task)[:, :LENGTH]
    return ndcg(hit_matrix(lists, sparse.csr_array(task.relevant[task.users])), task.n_relevant, LENGTH)


def main() -> None:
    lines = ["| reviews | without | with the column | gain |", "| --- | ---: | ---: | ---: |"]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "rows.csv"
        for title, told in (("of words by taste", True), ("of any words", False)):
            found: list[list[np.ndarray]] = [[], []]
            for seed in range(SEEDS):
                rows_with_reviews(told, seed).to_csv(path, index=False)
                for values, roles in zip(found, ({"text": ""}, {}), strict=True):
                    values.append(judged(path, roles))
            without, with_it = map(np.concatenate, found)
            means = " | ".join(measured(one).partition(" |")[0] for one in (without, with_it))
            lines.append(f"| {title}: `dnn`, nDCG@10 | {means} | {gain_of(with_it, without)} |")
    text = "\n".join(lines)
    print(text)
    write("said", text, PAGE)


if __name__ == "__main__":
    main()
