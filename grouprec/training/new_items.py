"""The new items of every group: what nobody has, for whom it is, and which known items say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.arrays import largest_first
from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Groups
from grouprec.data.content import ItemContent
from grouprec.data.dataset import Dataset, NewItems
from grouprec.data.features import item_frame
from grouprec.explore.tables import USER_LIST_DEPTH
from grouprec.models.blend import Predictor, Weights
from grouprec.ranking.candidates import rank_top
from grouprec.ranking.group_lists import RANKING_DEPTH, member_matrix
from grouprec.ranking.new_items import Likeness, choose_likeness, places
from grouprec.ranking.rules import excluded_new
from grouprec.training.fit import Fitted
from grouprec.training.stage_cache import StageCache

MOST_REASONS = 5  # items that a new one is like, which are kept


@dataclass(frozen=True, eq=False)
class NewOnLists:
    """The table ``new_items``, and what the summary says of it; nothing where lists have no places for new items.

    ``personal`` holds everybody's own, too: user, rank, item, label, score.
    """

    table: pd.DataFrame | None = None
    personal: pd.DataFrame | None = None
    metrics: dict[str, Any] = field(default_factory=dict)


def list_new_items(cache: StageCache, fit: Fitted, weights: Weights) -> NewOnLists:
    """Return the new items of every group of a fit, as many as its longest list has places for.

    A new item is worth to a group what the items that it is like are: the members' mean chance of taking them, those
    that they have included.
    """
    slots, new, data = cache.config.rules.new_items, fit.data.new_items, fit.data
    if not slots:
        return NewOnLists()
    with cache.progress.stage("new items"):
        if new is None or not len(new.ids):
            cache.progress.note(
                "Lists have places for new items, but there are none: a file of items has to name them."
            )
            return NewOnLists()
        likeness, near = _likeness(data, new, cache.config.seed)
        found = {"new_items": {"slots": slots, "n_items": len(new.ids), **asdict(likeness)}}
        if not likeness.shares:
            cache.progress.note("What is known of items does not tell who takes them: no new item is listed.")
            return NewOnLists(metrics=found)
        predictor = fit.encoded.predictor(weights, data)
        ranked = partial(_ranked, near, excluded_new(new, cache.config.rules), seed=cache.config.seed)
        depth, own = len(places(slots, USER_LIST_DEPTH)), []
        watch = lambda scores: own.append(ranked(scores, depth))  # noqa: E731
        interest = group_interest(predictor, fit.groups, data.n_items, watch)
        ids = data.user_ids
        if data.left_out is not None and len(data.left_out.user_ids):
            aside = fit.predictor(weights, data.left_out.histories, data.known_of_left_out())
            for scores in _batches(aside, len(data.left_out.user_ids), data.n_items):
                watch(scores)
            ids = np.concatenate([ids, data.left_out.user_ids])
        top, best = ranked(interest, len(places(slots, RANKING_DEPTH)))
        return NewOnLists(_table(data, new, near, interest, top, best), _personal(ids, new, own), found)


def _ranked(
    near: sparse.csr_array, excluded: np.ndarray, chances: np.ndarray, depth: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the best new items, int [B, K], -1 at the end, and their scores, for chances of known items [B, I]."""
    scores = np.asarray((near @ chances.T).T, np.float32)
    scores[:, excluded] = -np.inf
    return rank_top(np.where(scores > 0, scores, -np.inf), depth, seed)


def _batches(predictor: Predictor, n_users: int, n_items: int) -> Iterator[np.ndarray]:
    """Yield the chances of all items for some users at a time, float32 [B, I]."""
    size = rows_per_batch(n_items, 1 << 24)
    for start in range(0, n_users, size):
        yield predictor.scores(slice(start, min(start + size, n_users)))


def _personal(user_ids: np.ndarray, new: NewItems, ranked: list[tuple[np.ndarray, np.ndarray]]) -> pd.DataFrame:
    """Return everybody's own new items: user, rank, item, label, score."""
    top, best = (np.concatenate(part) for part in zip(*ranked, strict=True))
    user, place = np.nonzero(top >= 0)
    item = top[user, place]
    return pd.DataFrame(
        {
            "user": user_ids[user].astype(str),
            "rank": place + 1,
            "item": new.ids[item].astype(str),
            "label": new.labels[item].astype(str),
            "score": best[user, place],
        }
    )


def _likeness(data: Dataset, new: NewItems, seed: int) -> tuple[Likeness, sparse.csr_array]:
    """Return what makes items alike, and how much every known item counts for the new ones, CSR [C, I]."""
    content = ItemContent().fit(item_frame(data), seed)
    known, fresh = content.blocks(item_frame(data), data.item_vectors), content.blocks(item_frame(new), new.vectors)
    likeness = choose_likeness(data.histories, known, seed)
    return likeness, likeness.weights(fresh, known, data.popularity)


def group_interest(
    predictor: Predictor, groups: Groups, n_items: int, watch: Callable[[np.ndarray], None] | None = None
) -> np.ndarray:
    """Return the members' mean chance of every item, float32 [G, I]; a mini-batch of users at a time.

    Args:
        watch: is shown the chances of every batch, float32 [B, I], in the order of the users.
    """
    members, start = member_matrix(groups), 0
    total = np.zeros((groups.n_groups, n_items))
    for scores in _batches(predictor, len(groups.labels), n_items):
        total += members[:, start : start + len(scores)] @ scores
        start += len(scores)
        if watch is not None:
            watch(scores)
    return (total / groups.sizes[:, None]).astype(np.float32)


def _table(
    data: Dataset, new: NewItems, near: sparse.csr_array, interest: np.ndarray, top: np.ndarray, best: np.ndarray
) -> pd.DataFrame:
    """Return the table ``new_items``: of every group's new items [G, K] the known ones that bring most of the score."""
    rows = []
    for group, place in zip(*np.nonzero(top >= 0), strict=True):
        item = top[group, place]
        entries = slice(near.indptr[item], near.indptr[item + 1])
        like, parts = near.indices[entries], near.data[entries] * interest[group, near.indices[entries]]
        order = largest_first(parts)[:MOST_REASONS]
        shares = parts[order] / max(float(parts.sum()), 1e-12)
        rows += [(group, place, item, best[group, place], *one) for one in zip(like[order], shares, strict=True)]
    columns = ["group", "rank", "item", "score", "like", "share"]
    found = pd.DataFrame(rows, columns=columns).astype({"item": int, "like": int})
    item, like = found["item"].to_numpy(), found["like"].to_numpy()
    return pd.DataFrame(
        {
            "group": found["group"].astype(np.int64) + 1,
            "rank": found["rank"].astype(np.int64) + 1,
            "item": new.ids[item].astype(str),
            "label": new.labels[item].astype(str),
            "score": found["score"].astype(np.float32),
            "like": data.item_ids[like].astype(str),
            "like_label": data.item_labels[like].astype(str),
            "share": found["share"].astype(np.float64),
        }
    )
