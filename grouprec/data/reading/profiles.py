"""What the values of a column look like, so that a row whose fields have slipped can be told from one that fits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.data.roles.header_words import means
from grouprec.data.values.numerals import is_numeric
from grouprec.data.values.times import read_times

_SHAPES, _WORDS = 15, 20  # most different shapes of a column with one form; most values of a column of words
_PLAINLY, _A_DATE, _MOST = (0, 1), 6, 0.5  # ways of naming a time; letters of a date; share of values that are dates
_LETTERS, _DIGITS, _BLANKS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+"), re.compile(r"\s+")


def shape(value: str) -> str:
    """Return the form of a value: ``2023-01-05 08:21`` -> ``9-9-9 9:9``, ``A117`` -> ``a9``."""
    return _BLANKS.sub(" ", _DIGITS.sub("9", _LETTERS.sub("a", value.strip())))


@dataclass(frozen=True)
class Profile:
    """The forms of the columns.

    Attributes:
        forms: per column the shapes that its values have; None where they may look like anything.
        words: per column its few values; None where there are many.
        optional: per column whether any value is empty.
    """

    forms: tuple[frozenset[str] | None, ...]
    words: tuple[frozenset[str] | None, ...]
    optional: tuple[bool, ...]

    @property
    def tells(self) -> bool:
        """Whether any column has a form."""
        return any(form is not None for form in self.forms) or any(words is not None for words in self.words)

    def fits(self, fields: Sequence[str]) -> int:
        """Return how many fields have the form of their columns; -1 where one has another. Empty ones count nothing.

        Fields may be fewer than columns: then those of the first columns are meant.
        """
        count = 0
        for field, form, words in zip(fields, self.forms, self.words, strict=False):
            value = field.strip()
            if not value or (form is None and words is None):
                continue
            if form is not None and shape(value) not in form:
                return -1
            if words is not None and value not in words:
                return -1
            count += 1
        return count

    def trusts(self, fields: Sequence[str]) -> bool:
        """Return whether the fields surely stand in their columns."""
        return self.fits(fields) > 0

    def is_plain(self, column: int, signs: Sequence[str]) -> bool:
        """Return whether a column has a form in which none of some signs occurs."""
        known = self.forms[column] or self.words[column]
        return known is not None and not any(sign in one for one in known for sign in signs)

    def is_free(self, column: int) -> bool:
        """Return whether a column's values may look like anything."""
        return self.forms[column] is None and self.words[column] is None


def profile(rows: Sequence[Sequence[str]], width: int) -> Profile:
    """Return the profile of the first rows, all of that width; forms that hardly any row has are left out."""
    forms, words = [], []
    for column in range(width):
        values = [value for row in rows if (value := row[column].strip())]
        form = _form(Counter(shape(value) for value in values), len(values))
        forms.append(form)
        distinct = Counter(values)
        few = form is None and len(values) >= 40 and len(distinct) <= _WORDS and len(distinct) * 10 <= len(values)
        words.append(frozenset(distinct) if few else None)
    optional = tuple(any(not row[column].strip() for row in rows) for column in range(width))
    return Profile(tuple(forms), tuple(words), optional)


def _form(shapes: Counter[str], n: int) -> frozenset[str] | None:
    """Return the shapes of a column where few ones with digits make up nearly all of its values."""
    common = [one for one, times in shapes.most_common(_SHAPES) if times > 1 or n < 20]
    covered = sum(shapes[one] for one in common)
    if not n or covered < 0.97 * n or not all("9" in one for one in common):
        return None
    return frozenset(common)


def names_that_fit(names: Sequence[str], columns: Sequence[Sequence[str]]) -> int:
    """Return of how many columns the values are what the names say: moments below a time, numbers below a quantity."""
    said = [(name, pd.Series(values, dtype="str")) for name, values in zip(names, columns, strict=True)]
    times = [values for name, values in said if means("time", name) in _PLAINLY]
    amounts = [values for name, values in said if means("weight", name) == 0 or means("price", name) == 0]
    moments = [np.isfinite(read_times(values).seconds) & (values.str.len() >= _A_DATE) for values in times]
    return sum(bool(one.mean() > _MOST) for one in moments) + sum(map(is_numeric, amounts))
