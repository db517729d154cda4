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

from grouprec.core.arrays import dense
from grouprec.core.types import Scale
from grouprec.models.base import Encoder
from grouprec.models.blend import FLOOR, LEADERS
from grouprec.models.encoders.als import AlsEncoder

MOST_LEFT_OUT = 1500  # histories with one item left out, encoded for the encoders that are no sums
PROBED = 8  # users on whom it is tried whether a score is a sum
TOLERANCE = 1e-4  # of the largest entry of their vectors, in that trial
_CELLS = 1 << 24  # scores held at a time

Vectors = np.ndarray | sparse.csr_array
Parts = Callable[[int, np.ndarray], np.ndarray]  # item row, the users' scores [B] -> parts beside the histories [n]


@dataclass(frozen=True, eq=False)
class EncoderParts:
    """What one encoder says of the users, ready to be asked about any item.

    Attributes:
        users, items: its vectors, [B, D] and [I, D].
        leaders: float64 [B], the mean of the users' best scores, which preferences are measured against.
        no_opinion: bool [B], users of whom it says nothing.
        parts: how the users' scores of an item divide among their own items.
        exact: whether these add up to the scores that the run was made with.
    """

    weight: float
    scale: Scale
    users: Vectors
    items: Vectors
    leaders: np.ndarray
    no_opinion: np.ndarray
    parts: Parts
    exact: bool

    def lifts(self, item: int, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return by how much an item is lifted for every user, float64 [B], and the parts of the own items [n].

        Args:
            owner: int [n], the user of every entry of the histories.
        """
        scores = dot(self.users, self.items, item)
        parts = self.parts(item, scores)
        if self.scale == "log":
            lift = np.maximum(scores - self.leaders - np.log(FLOOR), 0)
            return self.weight * lift, self.weight * parts * (lift > 0)[owner]
        lift = self.weight * np.log1p(np.maximum(scores, 0) / np.maximum(self.leaders, 1e-12) / FLOOR)
        return lift, parts * np.where(scores > 0, lift / np.where(scores > 0, scores, 1), 0)[owner]


def parts_of(encoder: Encoder, weight: float, histories: sparse.csr_array, attributes: pd.DataFrame) -> EncoderParts:
    """Return what an encoder says of these users."""
    users, items = encoder.encode(histories, attributes), encoder.items()
    leaders, no_opinion = _leaders(users, items, encoder.scale)
    parts, exact = _als_parts(encoder, histories) if isinstance(encoder, AlsEncoder) else None, True
    if parts is None:
        parts = _sum_parts(encoder, histories, attributes)
        exact = parts is not None and not _reads_order(encoder, histories, attributes)
    if parts is None:
        parts = _left_out_parts(encoder, histories, attributes)
    return EncoderParts(weight, encoder.scale, users, items, leaders, no_opinion, parts, exact)


def _leaders(users: Vectors, items: Vectors, scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of every user's best scores, float64 [B], as the blend takes it, and who has no scores [B]."""
    (n_users, _), (n_items, _) = users.shape, items.shape
    depth, size = min(LEADERS, n_items), max(1, _CELLS // n_items)
    leaders, no_opinion = np.empty(n_users), np.empty(n_users, bool)
    for start in range(0, n_users, size):
        rows = slice(start, start + size)
        scores = np.asarray(dense(users[rows] @ items.T), dtype=np.float32)
        best = np.partition(scores, n_items - depth, axis=1)[:, n_items - depth :]
        leaders[rows] = (best if scale == "log" else np.maximum(best, 0)).mean(axis=1)
        no_opinion[rows] = scores.max(axis=1) <= scores.min(axis=1)
    return leaders, no_opinion


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
    for read in (_ones, _as_they_are):
        if abs(read(some)[:, own] @ alone - whole).max() <= enough:
            break
    else:
        return None
    own, place = np.unique(histories.indices, return_inverse=True)
    vectors, items, weights = _alone(encoder, own, n_items), encoder.items(), read(histories).data
    return lambda item, scores: dot(vectors, items, item)[place] * weights


def _alone(encoder: Encoder, items: np.ndarray, n_items: int) -> Vectors:
    """Return the vectors of users who have one item each."""
    single = sparse.csr_array((np.ones(len(items), np.float32), (np.arange(len(items)), items)), (len(items), n_items))
    return encoder.encode(single, pd.DataFrame(index=range(len(items))))


def _ones(histories: sparse.csr_array) -> sparse.csr_array:
    """Return histories that say has or has not."""
    return sparse.csr_array((np.ones_like(histories.data), histories.indices, histories.indptr), histories.shape)


def _as_they_are(histories: sparse.csr_array) -> sparse.csr_array:
    return histories


def _reads_order(encoder: Encoder, histories: sparse.csr_array, attributes: pd.DataFrame) -> bool:
    """Whether an encoder reads in which order users took their items, which a run does not keep."""
    rows = np.flatnonzero(np.diff(histories.indptr) > 1)[:PROBED]
    some, known = sparse.csr_array(histories[rows]), _rows(attributes, rows)
    if not len(rows):
        return False
    last_two = some.indptr[1:, None] - np.array([2, 1])
    gap = abs(encoder.encode(some, known, some.indices[last_two].astype(np.int32)) - encoder.encode(some, known))
    return bool(gap.max() > 0)


def _als_parts(encoder: AlsEncoder, histories: sparse.csr_array) -> Parts:
    """Return the exact parts of the scores of alternating least squares (Hu, Koren and Volinsky 2008, section 5).

    A user's vector is ``inverse(A) sum_j c_j y_j`` with ``A = Y'Y + sum_j (c_j - 1) y_j y_j' + regularization``, so
    own item j brings ``c_j y_j . inverse(A) y_i`` to the score of item i. ``inverse(A) y_i`` is found for all users at
    a time by conjugate gradients, which never hold a matrix per user.
    """
    items = encoder.items().astype(np.float64)
    _, size = items.shape
    gram = items.T @ items + encoder.regularization * np.eye(size)
    weights = np.ones_like(histories.data) if encoder.config.binary else histories.data
    extra = encoder.alpha * weights.astype(np.float64)
    lengths = np.diff(histories.indptr)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    own = items[histories.indices]

    def times_own(vectors: np.ndarray) -> np.ndarray:
        return np.einsum("nd,nd->n", own, vectors[owner])

    def multiply(vectors: np.ndarray) -> np.ndarray:
        confident = sparse.csr_array((extra * times_own(vectors), histories.indices, histories.indptr), histories.shape)
        return vectors @ gram + confident @ items

    def parts(item: int, scores: np.ndarray) -> np.ndarray:
        target = np.tile(items[item], (len(lengths), 1))
        return (1 + extra) * times_own(_solve(multiply, target))

    return parts


def _solve(multiply: Callable[[np.ndarray], np.ndarray], target: np.ndarray, steps: int = 200) -> np.ndarray:
    """Return x with ``multiply(x) = target``, row by row positive definite, float64 [B, D]: conjugate gradients."""
    found, left = np.zeros_like(target), target.copy()
    direction, size = left.copy(), np.square(left).sum(axis=1)
    enough = 1e-14 * size.max(initial=0)
    for _ in range(steps):
        if size.max(initial=0) <= enough:
            break
        image = multiply(direction)
        step = size / np.maximum(np.einsum("bd,bd->b", direction, image), 1e-300)
        found += step[:, None] * direction
        left -= step[:, None] * image
        before, size = size, np.square(left).sum(axis=1)
        direction = left + (size / np.maximum(before, 1e-300))[:, None] * direction
    return found


def _left_out_parts(encoder: Encoder, histories: sparse.csr_array, attributes: pd.DataFrame) -> Parts:
    """Return what scores lose when an own item is left out of the history: of the items that most of the users have.

    At most MOST_LEFT_OUT histories are encoded; the entries of the others get no part.
    """
    lengths = np.diff(histories.indptr)
    frequent = np.bincount(histories.indices)[histories.indices]
    entries = np.sort(np.argsort(-frequent, kind="stable")[:MOST_LEFT_OUT])
    owner = np.repeat(np.arange(len(lengths)), lengths)[entries]
    without = sparse.csr_array(histories[owner])
    without.data[without.indptr[:-1] + entries - histories.indptr[owner]] = 0
    without.eliminate_zeros()
    vectors = encoder.encode(without, _rows(attributes, owner))
    items = encoder.items()

    def parts(item: int, scores: np.ndarray) -> np.ndarray:
        lost = np.zeros(len(histories.indices))
        lost[entries] = scores[owner] - dot(vectors, items, item)
        return lost

    return parts


def dot(vectors: Vectors, items: Vectors, item: int) -> np.ndarray:
    """Return the scores of one item, float64 [B]."""
    return np.asarray(dense(vectors @ items[[item]].T), dtype=np.float64).ravel()


def _rows(attributes: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    return attributes.iloc[rows].reset_index(drop=True)
