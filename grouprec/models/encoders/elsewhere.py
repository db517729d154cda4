"""What users take elsewhere foretells what they take here: columns of another file of the same crowd."""

from __future__ import annotations

from grouprec.data.beside import ELSEWHERE
from grouprec.data.dataset import Dataset
from grouprec.models.base import encoders
from grouprec.models.encoders.beside import BesideEncoder


@encoders.register(
    "elsewhere",
    title="Elsewhere: linear model over own items and another file's",
    cite="Cremonesi, Tripodi and Turrin 2011, Cross-Domain Recommender Systems (ICDM Workshops); closed form of "
    "Steck 2019 (arXiv 1905.03375)",
    measured="no published figure on data that may be used here. Planted data (`python -m benchmarks.beside`): "
    "personal lists .203 without, .217 with a file that tells tastes; no weight and no change where it tells nothing.",
    called="what users take elsewhere",
)
class ElsewhereEncoder(BesideEncoder):
    """EASE over nearest columns, with those of another file's items beside the own ones: ``[X | w Z]``.

    Z has 1 where a user took an item of the other file. It counts by w against own items, which the validation part
    chooses; for users whom that file does not know it is EASE. Items of Z are evidence only, never listed.
    """

    needs = "also"
    column = ELSEWHERE

    def width(self, data: Dataset) -> int:
        return data.beside.n_elsewhere
