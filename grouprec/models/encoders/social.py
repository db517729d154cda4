"""What friends have foretells what a user takes: how many of them have each item, over the root of their number."""

from __future__ import annotations

from grouprec.data.beside import FRIENDS
from grouprec.data.dataset import Dataset
from grouprec.models.base import encoders
from grouprec.models.encoders.beside import BesideEncoder


@encoders.register(
    "social",
    title="Social: linear model over own items and friends'",
    cite="Ma et al. 2008, SoRec: Social Recommendation Using Probabilistic Matrix Factorization (CIKM); closed form of "
    "Steck 2019 (arXiv 1905.03375)",
    measured="no published figure on data that may be used here. Planted data (`python -m benchmarks.beside`): "
    "personal lists .203 without, .221 with a file that tells tastes; no weight and no change where it tells nothing.",
    called="what friends have",
)
class SocialEncoder(BesideEncoder):
    """EASE over nearest columns, with those of friends' items beside a user's own: ``[X | w A X]``.

    A row of A has 1 for every friend over the root of their number. Friends' items count by w against own ones, which
    the validation part chooses; for users without friends it is EASE. Departure from the paper: no factors, and an edge
    says nothing by itself, only what its other end has.
    """

    needs = "edges"
    column = FRIENDS

    def width(self, data: Dataset) -> int:
        return data.n_items
