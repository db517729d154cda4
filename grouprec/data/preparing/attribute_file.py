"""A file about users or items: their attributes and vectors, and the items in it that nobody has yet."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd

from grouprec.data.dataset import NewItems
from grouprec.data.limits import LONGEST_ID
from grouprec.data.preparing.attributes import attribute_table, label_table, places_of
from grouprec.data.preparing.facts_in_rows import facts_in_columns
from grouprec.data.preparing.flags import join_flags
from grouprec.data.preparing.pseudonyms import pseudonymised_file
from grouprec.data.preparing.vectors import take_vectors, unit_rows
from grouprec.data.reading.read import Reading, read_table
from grouprec.data.roles.columns import AttributeRoles, detect_attribute_roles
from grouprec.data.values.ids import encode_ids


@dataclass(frozen=True, eq=False)
class AttributeFile:
    """The file's rows, its columns, and its vectors by column, float32 [n, D]."""

    table: pd.DataFrame
    roles: AttributeRoles
    vectors: dict[str, np.ndarray]

    @classmethod
    def read(
        cls, path: Path | None, ids: np.ndarray, kind: Literal["user", "item"], pseudonyms: bool = False
    ) -> Self | None:
        """Return the file, None where there is none.

        Args:
            ids: those of the users or items in the interactions.
            pseudonyms: these are pseudonyms (:mod:`grouprec.data.preparing.pseudonyms`), those of the file are not yet.
        Raises:
            DataError: it cannot be read, holds none of the ids, or a vector in it cannot be used.
        """
        if path is None:
            return None
        name = Path(path).name
        table, vectors = take_vectors(read_table(Path(path), reading=Reading(as_it_is=True)), name)
        table = pseudonymised_file(table, ids) if pseudonyms else table
        table = join_flags(table) if kind == "item" else table
        table = table if vectors else facts_in_columns(table, ids)
        roles = detect_attribute_roles(table, ids, kind, name)
        return cls(table, replace(roles, vectors=tuple(vectors)), vectors)

    @property
    def parts(self) -> tuple[pd.DataFrame, AttributeRoles]:
        """Return the rows and their columns, as :mod:`grouprec.data.preparing.attributes` takes them."""
        return self.table, self.roles

    def vectors_of(self, ids: np.ndarray) -> np.ndarray | None:
        """Return the vectors of users or items (:attr:`~grouprec.data.dataset.Dataset.item_vectors`)."""
        places = places_of(self.table[self.roles.id], ids)
        blocks = [np.where(places[:, None] >= 0, block[places], 0) for block in self.vectors.values()]
        return unit_rows(blocks)

    def without(self, attributes: Collection[str]) -> Self:
        """Return the file without some of its attributes."""
        kept = tuple(name for name in self.roles.attributes if name not in attributes)
        return replace(self, roles=replace(self.roles, attributes=kept))

    def new_items(self, known: np.ndarray, refused: np.ndarray) -> NewItems:
        """Return the items of the file that are not known.

        Args:
            known: ids of the items that take part in training.
            refused: ids of items that were left out on purpose: postage and the like.
        """
        _, names = encode_ids(self.table[self.roles.id])
        ids = names[~np.isin(names, np.concatenate([known, refused]))]
        ids = ids[np.fromiter((len(one) <= LONGEST_ID for one in ids), bool, len(ids))]
        labels = label_table(self.parts, ids, ids.copy())
        return NewItems(ids, labels, attribute_table(self.parts, ids), self.vectors_of(ids))
