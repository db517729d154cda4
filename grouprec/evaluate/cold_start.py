"""How well users with little history are served, and how well items without any are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.types import Candidates, Embeddings, Groups
from grouprec.data.content import ItemContent
from grouprec.data.dataset import Dataset
from grouprec.data.features import item_frame
from grouprec.evaluate import baselines
from grouprec.models.placement import ACTIVITY
from grouprec.ranking.candidates import best_unseen
from grouprec.ranking.group_lists import group_popularity
from grouprec.ranking.metrics import hit_matrix, hit_rate, ndcg
from grouprec.ranking.new_items import choose_likeness, random_order
from grouprec.ranking.statistics import mean_interval
from grouprec.ranking.task import Task, dedup_lists, individual_lists
from grouprec.runs import schemas

Predict = Callable[[sparse.csr_array, pd.DataFrame], Candidates]
Place = Callable[[sparse.csr_array, pd.DataFrame, Candidates], np.ndarray]
Encode = Callable[[sparse.csr_array, pd.DataFrame], np.ndarray | sparse.csr_array]

MOST_USERS = 1_000  # judged; each is predicted anew
COLD_SHARE = 0.1  # of the items that are targets
K = 10
_METRICS = (f"ndcg@{K}", f"hit_rate@{K}")
_USER_COLUMNS = schemas.named("cold_users").names
_ITEM_COLUMNS = [name for name in schemas.named("cold_items").names if name != "encoder"]  # the caller knows which


def cold_users(
    data: Dataset,
    task: Task,
    groups: Groups,
    predict: Predict,
    place: Place,
    counts: Sequence[int] = (0, 1, 2, 5),
    seed: int = 0,
) -> pd.DataFrame:
    """Return how well users would be served if only a few of their items were known.

    The same judged users every time, at most 1,000, with more than ``max(counts)`` known items, of which all but
    ``n`` are forgotten; the items of a smaller number are among those of a larger one. What users really have is
    still neither listed nor a target. The stages have learned from these users' whole histories, so somebody wholly
    new may be served a little worse; attributes computed from histories (:data:`~grouprec.models.placement.ACTIVITY`)
    are forgotten, too.

    Args:
        task: whose targets judge the lists.
        groups: of the dataset's users, with the numbers that ``place`` gives.
        predict: takes histories CSR [B, I] and attributes (B rows) to the candidates of B users.
        place: takes the same and the candidates to the groups of B users, int [B].
        counts: numbers of items known, each at least 0.
        seed: of the users, and of the items kept.
    Returns:
        n_known, method, metric (ndcg@10, hit_rate@10), value, low, high (95 % interval over users), n_users.
        Methods: ``individual`` (what ``predict`` gives), ``group_popularity`` (the popular items of the group that
        the user is placed in) and ``popularity``. Empty where no judged user has that many items.
    """
    known = task.owned.count_nonzero(axis=1)[task.users] > max(counts)
    users, alone = _judged(task, _new_targets(task), task.users[known], seed)
    if not len(users):
        return pd.DataFrame(columns=_USER_COLUMNS)
    attributes = _attributes(data, users).drop(columns=list(ACTIVITY), errors="ignore")
    popular = baselines.popularity(data.histories, seed).ranking
    group_popular = group_popularity(data.histories, groups, seed).ranking
    order = _random_order(alone.owned, np.random.default_rng(seed))
    tables = []
    for n in counts:
        histories = _without(alone.owned, order >= n)
        candidates = predict(histories, attributes)
        lists = {
            "individual": individual_lists(candidates, alone, K),
            "group_popularity": dedup_lists(group_popular, place(histories, attributes, candidates), alone, K),
            "popularity": dedup_lists(popular, np.zeros(len(users), np.int32), alone, K),
        }
        values = {name: _judge(these, alone.relevant) for name, these in lists.items()}
        tables.append(_table(values).assign(n_known=n)[_USER_COLUMNS])
    return pd.concat(tables, ignore_index=True)


def _new_targets(task: Task) -> sparse.csr_array:
    """Return the targets that users do not have, CSR [U, I]; with repeats there are others, too."""
    relevant = sparse.csr_array(task.relevant - task.relevant.multiply(task.owned != 0))
    relevant.eliminate_zeros()
    return relevant


def _judged(task: Task, relevant: sparse.csr_array, users: np.ndarray, seed: int) -> tuple[np.ndarray, Task]:
    """Return at most 1,000 of the users who have a target in ``relevant``, and the task of these users alone.

    Its rows are those users, and what they have is never listed.
    """
    wanting = users[np.diff(relevant.indptr)[users] > 0]
    drawn = Task(task.owned, relevant, wanting, task.owned).sample(MOST_USERS, seed).users
    owned = task.owned[drawn]
    return drawn, Task(owned, relevant[drawn], np.arange(len(drawn), dtype=np.int32), owned)


def _attributes(data: Dataset, users: np.ndarray) -> pd.DataFrame:
    """Return what is known of these users beside their items, numbered from 0; that may be nothing."""
    return data.known_of_users.iloc[users].reset_index(drop=True)


def _random_order(histories: sparse.csr_array, rng: np.random.Generator) -> np.ndarray:
    """Return the place of every entry in a random order of its row, from 0, int [nnz]."""
    lengths = np.diff(histories.indptr)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((rng.random(histories.nnz), rows))
    place = np.empty(histories.nnz, np.int64)
    place[order] = np.arange(histories.nnz) - np.repeat(histories.indptr[:-1], lengths)
    return place


def _without(histories: sparse.csr_array, entries: np.ndarray) -> sparse.csr_array:
    """Return the histories without some entries, bool [nnz]."""
    kept = histories.astype(np.float32)
    kept.data[entries] = 0
    kept.eliminate_zeros()
    return kept


def _judge(lists: np.ndarray, relevant: sparse.csr_array) -> np.ndarray:
    """Return nDCG@10 and hit_rate@10 of every user, float64 [B, 2]; ``relevant`` CSR [B, I], no empty row."""
    hits = hit_matrix(lists, relevant)
    return np.column_stack([ndcg(hits, np.diff(relevant.indptr), K), hit_rate(hits, K)])


def _table(values: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the mean and interval of every method's values, float64 [B, 2] each."""
    mean, low, high = mean_interval(np.concatenate(list(values.values()), axis=1))
    return pd.DataFrame(
        {
            "method": np.repeat(list(values), len(_METRICS)),
            "metric": list(_METRICS) * len(values),
            "value": mean,
            "low": low,
            "high": high,
            "n_users": len(next(iter(values.values()))),
        }
    )


def cold_items(
    data: Dataset, task: Task, encode: Encode, items: np.ndarray | sparse.csr_array, seed: int = 0
) -> pd.DataFrame:
    """Return how well items that nobody has yet would be found by what is known about them.

    A tenth of the items that are targets is made cold: taken out of the users' histories, and what the encoder says of
    them forgotten. It is then foretold as for new items (:mod:`grouprec.ranking.new_items`): what it says of the items
    that are like them by attributes, label, text and embeddings. Judged are the users who took a cold item, at most
    1,000, on these items only.

    An estimate, on the bright side: the encoder was trained while the cold items were there, so the other items'
    vectors, and the way histories become user vectors, still bear their traces. Labels and prices that the
    preparation took from the interactions count as known.

    Args:
        encode: takes histories CSR [B, I] and attributes (B rows) to user vectors [B, D].
        items: item vectors [I, D] of the same encoder, dense or CSR.
        seed: of the cold items, of users and of ties.
    Returns:
        n_cold, among (``cold items``: ranked among themselves; ``catalogue``: among everything), method, metric
        (ndcg@10, hit_rate@10), value, low, high (95 % interval over users), n_users. Methods: ``attributes`` (what is
        foretold), ``category_popularity`` (the mean popularity of the same items that each one is like) and ``random``
        (the exact mean over all orders). Empty where nothing is known of the items, or fewer than two would be cold.
    """
    frame = item_frame(data)
    targets = np.unique(task.relevant[task.users].indices)
    n_cold = round(COLD_SHARE * len(targets))
    if not len(frame.columns) or n_cold < 2:
        return pd.DataFrame(columns=_ITEM_COLUMNS)
    cold = _made_cold(targets, n_cold, data.n_items, seed)
    wanted = _new_targets(task)
    wanted = _without(wanted, ~cold[wanted.indices])
    users, alone = _judged(task, wanted, task.users, seed)
    if not len(users):
        return pd.DataFrame(columns=_ITEM_COLUMNS)
    blocks = ItemContent().fit(frame[~cold], seed).blocks(frame, data.item_vectors)
    fresh, known = ({name: block[rows] for name, block in blocks.items()} for rows in (cold, ~cold))
    likeness = choose_likeness(sparse.csr_array(data.histories[:, ~cold]), known, seed)
    popularity = data.popularity.copy()
    weights = likeness.weights(fresh, known, popularity[~cold])
    vectors = encode(_without(alone.owned, cold[alone.owned.indices]), _attributes(data, users))
    popularity[cold] = weights @ popularity[~cold]

    def by_vectors(rows: slice) -> np.ndarray:
        scores = Embeddings(vectors, items).scores(rows)
        scores[:, cold] = scores[:, ~cold] @ weights.T
        return scores

    def by_popularity(rows: slice) -> np.ndarray:
        return np.tile(popularity, (rows.stop - rows.start, 1))

    tables = []
    for among, listed in {"cold items": cold, "catalogue": np.ones_like(cold)}.items():
        values = {
            "attributes": _judge(_ranked(by_vectors, alone, listed, seed), alone.relevant),
            "category_popularity": _judge(_ranked(by_popularity, alone, listed, seed), alone.relevant),
            "random": random_order(alone.n_relevant, listed.sum() - (alone.owned != 0) @ listed.astype(np.int64)),
        }
        tables.append(_table(values).assign(n_cold=n_cold, among=among)[_ITEM_COLUMNS])
    return pd.concat(tables, ignore_index=True)


def _made_cold(targets: np.ndarray, n: int, n_items: int, seed: int) -> np.ndarray:
    """Return which items are made cold, bool [I]: ``n`` of the targets."""
    cold = np.zeros(n_items, bool)
    cold[np.random.default_rng(seed).choice(targets, n, replace=False)] = True
    return cold


def _ranked(score: Callable[[slice], np.ndarray], alone: Task, listed: np.ndarray, seed: int) -> np.ndarray:
    """Return every user's best ten of the listed items (bool [I]) that they do not have, int32 [B, 10]."""

    def score_listed(rows: slice) -> np.ndarray:
        return np.where(listed, score(rows), -np.inf).astype(np.float32)

    return best_unseen(score_listed, alone.seen, K, seed).items
