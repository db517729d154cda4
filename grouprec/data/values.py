"""What ids, numbers and times have in common: distinct values are read once, so repeated ones are cheap."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from grouprec.core.language import _, commas
from grouprec.core.types import DataError

MOST_LISTED = 30  # names in one sentence
_AT_ONCE = 1_000_000
compute: Any = pyarrow.compute  # its functions come into being at import, so the type checker knows none

# What other programs write for "nothing". "NA" is not among them: it is Namibia and a good many item codes.
MISSING = {"", "nan", "nat", "<na>", "none", "null", "(null)", "[null]", "\\n", "nil", "n/a", "undefined"}
MISSING |= {"(not set)", "-", "--", "#n/a", "#ref!", "#name?", "#value!", "#div/0!", "#null!", "#num!"}
_DIGITS = {zero + n: str(n) for zero in (0x660, 0x6F0, 0x966, 0x9E6, 0xE50, 0xFF10) for n in range(10)}
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})


def folded(text: str) -> str:
    """Return a text without case and accents, composed: ``März`` -> ``marz``, ``Größe`` -> ``grosse``."""
    parts = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    return unicodedata.normalize("NFC", "".join(sign for sign in parts if not unicodedata.combining(sign)))


def shown(value: Any) -> str:
    """Return a value of the file as a message quotes it: on one line, cut where it is long."""
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:59] + "…"


def some_of(names: Iterable[Any]) -> str:
    """Return names of columns or sheets as a message lists them: the first ones, and how many more there are."""
    told = [shown(name) for name in names]
    more = len(told) - MOST_LISTED
    return commas(told[:MOST_LISTED]) + (_(" and {more} more").format(more=more) if more > 0 else "")


def sorted_unique(values: np.ndarray) -> np.ndarray:
    """Return the distinct values, ascending. On millions of numbers a sort is far quicker than numpy's hashing."""
    ordered = np.sort(values)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def release_memory() -> None:
    """Give back to the system what arrow keeps of memory that it needed once."""
    pa.default_memory_pool().release_unused()


def among(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return bool [n], which values are among some codes; both int and 0 or more, or -1, which never is."""
    table = np.zeros(max(values.max(initial=-1), codes.max(initial=-1)) + 2, bool)  # its last entry serves the code -1
    table[codes] = True
    table[-1] = False
    parts = np.array_split(values, len(values) // _AT_ONCE + 1)  # an index is copied as int64
    return np.concatenate([table[part] for part in parts])


def word_set(*lines: str) -> frozenset[str]:
    """Return the words of some lines: how tables of words are written here."""
    return frozenset(word for line in lines for word in line.split())


# What Excel writes for that in other languages
MISSING |= word_set(
    "#nv #n/v #n/d #n/d! #n/b #н/д #saknas! #i/t #i/a #yok #bezug! #wert! #valeur! #nom? #nul! #nombre!",
    "#¡valor! #¡ref! #¡div/0! #¿nombre? #valor! #valore! #rif! #nome? #waarde! #verw! #naam? #arg! #adr!",
    "#nazwa? #знач! #ссылка! #дел/0! #имя? #değer! #zahl! #zahl #getal! #liczba! #num #spill! #calc!",
    "#überlauf!",
)


def folded_words(*lines: str) -> frozenset[str]:
    """Return the words of some lines as :func:`folded` writes them."""
    return frozenset(map(folded, word_set(*lines)))


def distinct_values(column: pd.Series) -> tuple[np.ndarray, pd.Series]:
    """Return int64 codes (-1 where missing) and the distinct values, in the order of their first appearance.

    Raises:
        DataError: the column holds lists or objects.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _category_values(column)
    try:
        codes, distinct = pd.factorize(column)
    except TypeError as error:
        name = shown(column.name)
        raise DataError(f"Column '{name}' holds lists or objects; give one plain value per row.") from error
    return codes, pd.Series(distinct)


def _category_values(column: pd.Series) -> tuple[np.ndarray, pd.Series]:
    """Return codes and values of a column that was read with a dictionary, as :func:`distinct_values` does."""
    given = column.cat.codes.to_numpy()
    codes, order = pd.factorize(np.where(given < 0, -1, given), use_na_sentinel=False)
    if len(order) and (order < 0).any():
        nothing = int(np.flatnonzero(order < 0)[0])
        codes = np.where(codes == nothing, -1, codes - (codes > nothing))
        order = np.delete(order, nothing)
    values = column.cat.categories[order]
    return codes, pd.Series(values.astype("str") if values.inferred_type in ("string", "empty") else values)


def plain_texts(values: pd.Series) -> pd.Series:
    """Return the values as text: bytes decoded, white space at the ends gone, Excel's ``="..."`` taken off."""
    if values.dtype == object and any(isinstance(value, bytes) for value in values.head(100)):
        values = values.map(lambda value: value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
    texts = values.astype("str").str.strip()
    quoted = texts.str.startswith('="')
    return texts.where(~quoted, texts.str.slice(2, -1).str.strip()) if quoted.any() else texts


def western_digits(texts: pd.Series) -> pd.Series:
    """Return texts whose digits are 0 to 9, whatever script they are written in."""
    array = pa.array(texts, pa.large_string(), from_pandas=True)
    if compute.all(compute.string_is_ascii(array)).as_py() is not False:
        return texts
    return texts.str.translate(_DIGITS)


def folded_texts(texts: pd.Series) -> pa.Array:
    """Return texts as :func:`folded` would, nearly: without case and accents; quick for many."""
    array = compute.utf8_lower(pa.array(texts, pa.large_string(), from_pandas=True))
    if compute.all(compute.string_is_ascii(array)).as_py() is False:
        array = compute.replace_substring_regex(compute.utf8_normalize(array, form="NFKD"), r"\p{Mn}", "")
        array = compute.utf8_normalize(compute.replace_substring(array, "ł", "l"), form="NFC")
    return array


def is_missing(texts: pd.Series) -> np.ndarray:
    """Return bool [n], whether a text stands for nothing."""
    return texts.str.lower().isin(MISSING).to_numpy(dtype=bool)


def spread(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the value of every row, NaN for code -1."""
    return np.append(values, np.nan)[codes]
