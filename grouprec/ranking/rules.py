"""Rules of what is never listed, and how lists are made of what members are predicted to want."""

from __future__ import annotations

import re
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from scipy import sparse

from grouprec.core.arrays import presence
from grouprec.core.types import Candidates, Groups, SettingError
from grouprec.data.dataset import Dataset, NewItems
from grouprec.ranking.group_lists import member_matrix, members_of
from grouprec.ranking.metrics import contains
from grouprec.ranking.strategies import get_strategy

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Exclusions(BaseModel):
    """What is never listed. Plain comparisons; nothing here is a formula or a pattern."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owned_share: float = Field(
        default=1.0, ge=0, le=1, description="Drop what more than this share of members have; 1 is off"
    )
    categories: tuple[_Text, ...] = Field(
        default=(), max_length=1000, description="Drop items with an attribute, column=value"
    )
    items: tuple[str, ...] = Field(default=(), max_length=1_000_000, description="Drop these item ids: out of stock")
    label_words: tuple[_Text, ...] = Field(
        default=(), max_length=1000, description="Drop items with such a word in the label"
    )

    @field_validator("categories")
    @classmethod
    def _have_both_sides(cls, categories: tuple[str, ...]) -> tuple[str, ...]:
        for rule in categories:
            column, equals, value = rule.partition("=")
            if not (column.strip() and equals and value.strip()):
                raise ValueError(f"a category is given as column=value, not '{rule}'")
        return categories


def excluded_items(data: Dataset, exclusions: Exclusions) -> np.ndarray:
    """Return the items that no group may get by categories, item ids and words in labels, bool [I].

    Raises:
        SettingError: an item id, an attribute or a value that the data do not have.
    """
    rows = pd.Index(data.item_ids.astype(str)).get_indexer(pd.Index(exclusions.items))
    new = () if data.new_items is None else data.new_items.ids.astype(str)
    unknown = (rows < 0) & ~np.isin(np.array(exclusions.items, dtype=object), new)
    if unknown.any():
        first = exclusions.items[int(unknown.argmax())]
        raise SettingError(
            f"{unknown.sum()} of the excluded item ids are not among the items of the prepared data, "
            f"the first of them '{first}'; give ids as they are in the item column of the interactions file."
        )
    excluded = np.zeros(data.n_items, bool)
    excluded[rows[rows >= 0]] = True
    for rule in exclusions.categories:
        excluded |= _in_category(data.item_attributes, rule)
    return excluded | _with_words(data.item_labels, exclusions.label_words)


def excluded_new(new: NewItems, exclusions: Exclusions) -> np.ndarray:
    """Return the new items that no group may get, bool [C]; a rule may well concern none of them."""
    excluded = np.isin(new.ids.astype(str), exclusions.items) | _with_words(new.labels, exclusions.label_words)
    for rule in exclusions.categories:
        name, value = (side.strip() for side in rule.split("=", 1))
        if name in new.attributes:
            excluded |= _has_value(new.attributes[name], value)
    return excluded


def _with_words(labels: np.ndarray, words: tuple[str, ...]) -> np.ndarray:
    """Return the labels with one of the words, bool [n]."""
    if not words:
        return np.zeros(len(labels), bool)
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
    return pd.Series(labels, dtype=object).astype(str).str.contains(pattern).to_numpy(bool)


def excluded_for_groups(histories: sparse.csr_array, groups: Groups, exclusions: Exclusions) -> sparse.csr_array:
    """Return the items that a group may not get because too many members have them, bool CSR [G, I].

    Args:
        histories: CSR [U, I]; weights do not count.
    """
    owners = member_matrix(groups) @ presence(histories)
    shares = owners.data / np.repeat(groups.sizes, np.diff(owners.indptr))
    excluded = sparse.csr_array((shares > exclusions.owned_share, owners.indices, owners.indptr), shape=owners.shape)
    excluded.eliminate_zeros()
    return excluded


def drop_excluded(
    candidates: Candidates, groups: Groups, everywhere: np.ndarray, in_groups: sparse.csr_array
) -> Candidates:
    """Return the candidates without what is excluded, so that no strategy can list it; others move up.

    Args:
        everywhere: bool [I], of :func:`excluded_items`.
        in_groups: bool CSR [G, I], of :func:`excluded_for_groups`.
    """
    kept = candidates.items >= 0
    for group, members in enumerate(members_of(groups)):
        excluded = everywhere.copy()
        excluded[in_groups.indices[in_groups.indptr[group] : in_groups.indptr[group + 1]]] = True
        kept[members] &= ~excluded[candidates.items[members]]
    return _only(kept, candidates)


def drop_owned(candidates: Candidates, owned: sparse.csr_array) -> Candidates:
    """Return the candidates without what the users have; others move up.

    Args:
        owned: CSR [U, I], non-zero where a user has the item.
    """
    return _only((candidates.items >= 0) & ~contains(owned, candidates.items), candidates)


def _only(kept: np.ndarray, candidates: Candidates) -> Candidates:
    """Return the candidates where ``kept``, bool [U, N], without gaps."""
    order = np.argsort(~kept, axis=1, kind="stable")
    kept = np.take_along_axis(kept, order, axis=1)
    items = np.where(kept, np.take_along_axis(candidates.items, order, axis=1), -1).astype(np.int32)
    scores = np.where(kept, np.take_along_axis(candidates.scores, order, axis=1), 0).astype(np.float32)
    return Candidates(items, scores, candidates.n_items)


def _in_category(attributes: pd.DataFrame, rule: str) -> np.ndarray:
    """The items with the attribute that ``column=value`` names, bool [I]; a missing value is in no category."""
    name, value = (side.strip() for side in rule.split("=", 1))
    if name not in attributes.columns:
        known = f"they have: {', '.join(map(str, attributes.columns))}" if len(attributes.columns) else "they have none"
        raise SettingError(f"The exclusion '{rule}' names the item attribute '{name}', which the items lack; {known}.")
    chosen = _has_value(attributes[name], value)
    if not chosen.any():
        raise SettingError(f"The exclusion '{rule}' excludes nothing: no item has that value; correct or remove it.")
    return chosen


def _has_value(column: pd.Series, value: str) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return (column.astype(float) == pd.to_numeric(value, errors="coerce")).to_numpy(bool)
    return (column.notna() & (column.astype(str).str.strip().str.casefold() == value.casefold())).to_numpy(bool)


class ListRules(Exclusions):
    """How lists are made of what members are predicted to want, and what never stands on them."""

    strategy: str = Field(default="utility", description="How members' preferences become one list")
    diversity: float = Field(default=0.0, ge=0, le=1, description="0 lists what is wanted most, 1 what differs most")
    new_items: int = Field(
        default=0,
        ge=0,
        le=5,
        description="Places of every ten for items of the items file that nobody has, as far as what is known of them "
        "tells who would want them",
    )

    @field_validator("strategy")
    @classmethod
    def _is_known(cls, name: str) -> str:
        get_strategy(name)
        return name

    @field_validator("categories", "items", "label_words", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """The command line gives several values in one text, with commas between them."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
