"""What one encoder says of an item, divided among the items that users have: the parts that reasons are made of.

The parts of a score are exact where it is a sum over the user's own items (EASE, ELSA, item neighbours; ALS by Hu,
Koren and Volinsky 2008, section 5). For other encoders they are what the score loses when the item is left out of the
history, for the items that most of the users have; what that does not tell apart is left over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.arrays import dense, largest_first
from grouprec.core.memory import rows_per_batch
from grouprec.core.types import Embeddings, Scale
from grouprec.models.base import Encoder
from grouprec.models.blend import FLOOR, mean_of_best, says_nothing
from grouprec.models.encoders.linear import as_ones

MOST_LEFT_OUT = 1500  # histories with one item left out, encoded for the encoders that are no sums
PROBED = 8  # users on whom it is tried whether a score is a sum
TOLERANCE = 1e-4  # of the largest entry of their vectors, in that trial

Vectors = np.ndarray | sparse.csr_array
Parts = Callable[[int], np.ndarray]  # item row -> parts of the users' scores beside the histories [n]


@dataclass(frozen=True, eq=False)
class EncoderParts:
    """What one encoder says of the users, ready to be asked about any item.

    Attributes:
        users, items: its vectors, [B, D] and [I, D].
        best: float64 [B], the mean of the users' best scores, which preferences are measured against.
        no_opinion: bool [B], users of whom it says nothing.
        parts: how the users' scores of an item divide among their own items.
        exact: whether these add up to the scores that the run was made with.
        beside: whether the rest of a score comes from what is known of users beside their items.
    """

    weight: float
    scale: Scale
    users: Vectors
    items: Vectors
    best: np.ndarray
    no_opinion: np.ndarray
    parts: Parts
    exact: bool
    beside: bool

    def lifts(self, item: int, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return by how much an item is lifted for every user, float64 [B], and the parts of the own items [n].

        Args:
            owner: int [n], the user of every entry of the histories.
        """
        scores = dot(self.users, self.items, item)
        parts = self.parts(item)
        if self.scale == "log":
            lift = np.maximum(scores - self.best - np.log(FLOOR), 0)
            return self.weight * lift, self.weight * parts * (lift > 0)[owner]
        lift = self.weight * np.log1p(np.maximum(scores, 0) / np.maximum(self.best, 1e-12) / FLOOR)
        return lift, parts * np.where(scores > 0, lift / np.where(scores > 0, scores, 1), 0)[owner]


def parts_of(
    encoder: Encoder,
    weight: float,
    histories: sparse.csr_array,
    attributes: pd.DataFrame,
    recent: np.ndarray | None = None,
) -> EncoderParts:
    """Return what an encoder says of these users.

    Args:
        recent: int32 [B, L], as :meth:`~grouprec.models.base.Encoder.encode` takes it. Encoders whose scores are no
            sums go without it, here as in their parts.
    """
    parts, exact = encoder.score_parts(histories, recent), True
    users, items = encoder.encode(histories, attributes, None if parts is None else recent), encoder.items()
    best, no_opinion = _best(Embeddings(users, items), encoder.scale)
    if parts is None:
        parts = _sum_parts(encoder, histories, attributes)
        exact = parts is not None and not encoder.reads_order
    if parts is None:
        parts = _left_out_parts(encoder, users, histories, attributes)
    return EncoderParts(weight, encoder.scale, users, items, best, no_opinion, parts, exact, bool(encoder.needs))


def _best(embeddings: Embeddings, scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of every user's best scores, float64 [B], as the blend takes it, and who has no scores [B]."""
    (n_users, _), (n_items, _) = embeddings.users.shape, embeddings.items.shape
    best, no_opinion = np.empty(n_users), np.empty(n_users, bool)
    size = rows_per_batch(n_items, 1 << 24)
    for start in range(0, n_users, size):
        rows = slice(start, start + size)
        scores = embeddings.scores(rows)
        best[rows], no_opinion[rows] = mean_of_best(scores, scale), says_nothing(scores)
    return best, no_opinion


def _sum_parts(encoder: Encoder, histories: sparse.csr_array, attributes: pd.DataFrame) -> Parts | None:
    """Return the parts of scores that are sums over the user's own items; None where they are not.

    Whether they are is tried on a few users: their vectors against the sum of those of single items.
    """
    _, n_items = histories.shape
    lengths = np.diff(histories.indptr)
    probed = np.flatnonzero(lengths > 1)
    probed = probed[np.argsort(lengths[probed], kind="stable")][:PROBED]
    if not len(probed):
        return None
    some = sparse.csr_array(histories[probed])
    own = np.unique(some.indices)
    whole, alone = encoder.encode(some, _rows(attributes, probed)), _alone(encoder, own, n_items)
    enough = TOLERANCE * max(abs(whole).max(), 1e-12)
    for read in (as_ones, _as_they_are):
        if abs(read(some)[:, own] @ alone - whole).max() <= enough:
            break
    else:
        return None
    own, place = np.unique(histories.indices, return_inverse=True)
    vectors, items, weights = _alone(encoder, own, n_items), encoder.items(), read(histories).data
    return lambda item: dot(vectors, items, item)[place] * weights


def _alone(encoder: Encoder, items: np.ndarray, n_items: int) -> Vectors:
    """Return the vectors of users who have one item each."""
    single = sparse.csr_array((np.ones(len(items), np.float32), (np.arange(len(items)), items)), (len(items), n_items))
    return encoder.encode(single, pd.DataFrame(index=range(len(items))))


def _as_they_are(histories: sparse.csr_array) -> sparse.csr_array:
    return histories


def _left_out_parts(encoder: Encoder, users: Vectors, histories: sparse.csr_array, attributes: pd.DataFrame) -> Parts:
    """Return what scores lose when an own item is left out of the history: of the items that most of the users have.

    ``users`` are the vectors of the whole histories.
    At most MOST_LEFT_OUT histories are encoded; the entries of the others get no part.
    """
    lengths = np.diff(histories.indptr)
    frequent = np.bincount(histories.indices)[histories.indices]
    entries = np.sort(largest_first(frequent)[:MOST_LEFT_OUT])
    owner = np.repeat(np.arange(len(lengths)), lengths)[entries]
    without = sparse.csr_array(histories[owner])
    without.data[without.indptr[:-1] + entries - histories.indptr[owner]] = 0
    without.eliminate_zeros()
    vectors = encoder.encode(without, _rows(attributes, owner))
    items = encoder.items()

    def parts(item: int) -> np.ndarray:
        lost = np.zeros(len(histories.indices))
        lost[entries] = dot(users, items, item)[owner] - dot(vectors, items, item)
        return lost

    return parts


def dot(vectors: Vectors, items: Vectors, item: int) -> np.ndarray:
    """Return the scores of one item, float64 [B]."""
    return np.asarray(dense(vectors @ items[[item]].T), dtype=np.float64).ravel()


def _rows(attributes: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    return attributes.iloc[rows].reset_index(drop=True)
