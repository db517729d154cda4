"""What kind of thing an item is, in a word or two: its category where the file has one, else a word of its label."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import sparse

from grouprec.data.features import are_dates
from grouprec.explore.naming import count_terms, in_small
from grouprec.explore.phrases import LOOKS

MOST_KINDS = 200
LEAST_SHARE = 0.005  # of what speaks for an item that is worth a word
LEAST_ITEMS = 5  # of a kind that is found in labels
_SEPARATORS = r"[|;,/>]"


def kinds(items: pd.DataFrame, attributes: Sequence[str], column: str | None = None) -> np.ndarray:
    """Return the kind of every item, object [I], "" where none is known.

    Args:
        items: the run's items, with ``label`` and the attributes.
        attributes: names of the columns that say something of items.
        column: the one that tells the run's groups apart (:func:`~grouprec.explore.categories.telling`); the first with
            categories where the run knows none.
    """
    if column in attributes:
        return items[column].map(first_of).map(in_small).fillna("").to_numpy(object)
    for name in attributes:
        if pd.api.types.is_string_dtype(items[name]) and is_kind(items[name].dropna()):
            return items[name].map(first_of).fillna("").to_numpy(object)
    return of_labels(items["label"].astype(str).to_numpy(object))


def kinds_of_groups(items: pd.DataFrame, attributes: Sequence[str], column: str | None) -> dict[str, str]:
    """Return item -> its kind as far as kinds tell groups apart; nothing where there are categories, but none that do.

    Args:
        column: as :func:`~grouprec.explore.categories.column_name` says it.
    """
    return {} if column == "" else dict(zip(items["item"], kinds(items, attributes, column), strict=True))


def first_of(value: object) -> str:
    """Return the first category of a list of them, such as ``Drama|Romance``; "" where there is none."""
    return re.split(_SEPARATORS, value, maxsplit=1)[0].strip() if isinstance(value, str) else ""


def is_kind(column: pd.Series) -> bool:
    """Return whether texts are categories: few, most of them of several items, no addresses and no dates."""
    first = column.astype(str).str.split(_SEPARATORS, n=1).str[0].str.strip()
    few = 2 <= first.nunique() <= min(MOST_KINDS, max(len(column) // 3, 2))
    return few and not column.astype(str).str.match(r"https?://").any() and not are_dates(column)


def of_labels(labels: np.ndarray) -> np.ndarray:
    """Return for every label the most frequent of its words that say what things are, object [I].

    A word counts that stands in at least 5 labels; a plural counts as its singular.
    """
    terms, found = count_terms(labels, longest=1)
    words = np.array([term not in LOOKS for term in terms], bool)
    if not words.any():
        return np.full(len(labels), "", object)
    known_words = set(terms)
    names = pd.Series([one.removesuffix("s") if one.removesuffix("s") in known_words else one for one in terms[words]])
    codes, unique = pd.factorize(names)
    count = np.bincount(codes, found[:, np.flatnonzero(words)].sum(axis=0))
    weight = np.where(count[codes] >= LEAST_ITEMS, count[codes], 0)
    scored = sparse.csr_array(found[:, np.flatnonzero(words)]) * weight
    best = np.asarray(scored.argmax(axis=1)).ravel()
    known = np.asarray(scored.sum(axis=1)).ravel() > 0
    return np.where(known, unique.to_numpy(object)[codes[best]], "")
