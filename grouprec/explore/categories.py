"""Which column of categories tells groups apart: department, category or type of a grocer's products, say.

The finest is not always the best: a type that two items have is seldom found again. So members who took no part in the
naming decide (the proxy of docs/decisions/0053-names-begin-with-the-category.md, with the category alone).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.core.arrays import presence
from grouprec.core.types import Groups
from grouprec.data.features import categories_of
from grouprec.explore.typical import typical

MOST_MEMBERS = 4000  # users who are asked; more change nothing
SURE = 2.0  # standard errors by which a column must beat chance


@dataclass(frozen=True, eq=False)
class Categories:
    """A column of categories.

    Attributes:
        name: of the column.
        values: [V].
        of_items: which item has which, CSR [I, V].
    """

    name: str
    values: np.ndarray
    of_items: sparse.csr_array

    def of_groups(self, histories: sparse.csr_array, groups: Groups) -> list[str]:
        """Return the category that is typical of every group, "" where none is."""
        return [next(iter(own), "") for own in typical(self.values, self.of_items, histories, groups, 1)]

    def holders(self, value: str) -> np.ndarray:
        """Return which items have a category, bool [I]; none for "" and what no item has."""
        return (self.of_items[:, self.values == value].sum(axis=1) > 0).ravel()


def columns_of(attributes: pd.DataFrame) -> list[Categories]:
    """Return the columns that hold categories of items."""
    found = ((str(name), categories_of(attributes[name])) for name in attributes.columns)
    return [Categories(name, *known) for name, known in found if known is not None]


def column_name(found: Categories | None, attributes: pd.DataFrame) -> str | None:
    """Return what the column that tells groups apart (:func:`telling`) is called.

    Returns:
        "" where none of the attributes does, None where none of them has categories.
    """
    return found.name if found else "" if columns_of(attributes) else None


def telling(attributes: pd.DataFrame, histories: sparse.csr_array, groups: Groups) -> Categories | None:
    """Return the column by whose typical category most members of whom it was not made find their group.

    Half of the members say what is typical of every group; of the others each finds the groups whose category weighs
    most among the categories of their own items (share times rarity). The column has to beat chance by two standard
    errors, else there is none. The same for the same input.

    Args:
        attributes: of the items, I rows.
        histories: CSR [U, I]; weights do not count.
    """
    columns = columns_of(attributes)
    if not columns or groups.n_groups < 2:
        return None
    chosen = np.random.default_rng(0).permutation(len(groups.labels))[:MOST_MEMBERS]
    halves = [np.sort(half) for half in (chosen[::2], chosen[1::2])]
    found = [_found(column, histories, groups.labels, halves, groups.n_groups) for column in columns]
    best = int(np.argmax([one.mean() for one in found]))
    shares = found[best]
    error = shares.std() / np.sqrt(len(shares))
    return columns[best] if shares.mean() > 1 / groups.n_groups + SURE * error else None


def _found(
    column: Categories,
    histories: sparse.csr_array,
    labels: np.ndarray,
    halves: list[np.ndarray],
    n_groups: int,
) -> np.ndarray:
    """Return of every user who is told whether they find their group, float64 [T]; one of several is a part of it.

    Args:
        halves: rows of the users who say what is typical, and of those who are told.
    """
    naming, told = halves
    there, own = np.unique(labels[naming], return_inverse=True)
    by_group = np.full(n_groups, "", object)
    by_group[there] = column.of_groups(histories[naming], Groups(own.astype(np.int32), len(there)))
    place = pd.Index(column.values).get_indexer(pd.Index(by_group))
    counted = (presence(histories[told]) @ column.of_items).toarray()
    rarity = np.log(len(told) / (1 + (counted > 0).sum(axis=0))) + 1
    weight = np.where(place >= 0, (counted * rarity)[:, place], 0)
    best = weight >= weight.max(axis=1, keepdims=True)
    return best[np.arange(len(told)), labels[told]] / best.sum(axis=1)
