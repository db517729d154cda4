"""Encoders that were fitted on one dataset, together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scipy import sparse

from grouprec.core.types import Embeddings
from grouprec.data.dataset import Dataset
from grouprec.models.base import Encoder
from grouprec.models.blend import ItemFacts, Predictor, Weights, make_predictor


@dataclass(frozen=True, eq=False)
class Encoded:
    """Fitted encoders, what is known of the items, and the keys of the stages."""

    encoders: Mapping[str, Encoder]
    items: ItemFacts
    keys: tuple[str, ...]

    @property
    def named_keys(self) -> dict[str, str]:
        """Return the key of every encoder by its name."""
        return dict(zip(self.encoders, self.keys, strict=True))

    def predictor(self, weights: Weights, data: Dataset, repeats: tuple[sparse.csr_array, ...] = ()) -> Predictor:
        """Return the predictor of a dataset's own users."""

        def embed(encoder: Encoder) -> Embeddings:
            return encoder.embeddings(data)

        return make_predictor(self.encoders, weights, self.items, data.histories, embed, repeats)
