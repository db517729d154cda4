"""Columns of any type -> ids: codes into sorted texts."""

from __future__ import annotations

import numbers
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from grouprec.data.limits import LONGEST_ID
from grouprec.data.values.common import compute, distinct_values, is_missing, plain_texts, shown

# Signs nobody sees: zero-width spaces, marks of direction, soft hyphens, the mark of UTF-8. The zero-width joiner is
# not among them: it holds emoji and Persian words together.
_INVISIBLE = "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"
_BLANKS = "[\u00a0\u2000-\u200a\u202f\u205f]"  # of web pages and typesetters; nobody tells them from a plain one
_UUID = r"(?i)^(?:urn:uuid:|\{)?[0-9a-f]{8}(?:(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24})\}?$"
_UUID_LENGTHS = (32, 36, 38, 45)  # characters, as they are written
_LOOKED_AT = 20  # ids, of which one would be a UUID
_SCIENTIFIC = r"[-+]?\d([.,]\d+)?[eE]\+?\d{1,3}"
_EXACT_DIGITS = 15  # what Excel keeps of a number; the digits after become zeros
_ROUNDED = 0.5  # share of an id column from which on such values are no accident


def encode_ids(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the column as codes into its sorted distinct ids.

    Ids are text: 17850.0 becomes "17850" (in a column of text only where no value has a fraction), bytes are their
    text or a UUID, of UUIDs two are one however they are written, ``="40026"`` is 40026, letters are composed (NFC),
    invisible signs gone and blanks of any width plain. Text else stays as it is but for white space at its ends. Empty
    values and words for nothing ("nan", "NULL", ...) are missing.

    Returns:
        int32 [n] codes, -1 where missing; object array of distinct str, sorted.
    Raises:
        DataError: the column holds lists or objects.
    """
    codes, distinct = distinct_values(column)
    texts = id_texts(distinct)
    known = ~is_missing(texts)
    names, positions = np.unique(texts[known].to_numpy(dtype=object), return_inverse=True)
    table = np.full(len(texts) + 1, -1, np.int32)  # its last entry serves the code -1
    table[:-1][known] = positions
    return table[codes], names


def id_texts(distinct: pd.Series) -> pd.Series:
    """Return the distinct values of a column as the text of ids."""
    if pd.api.types.is_integer_dtype(distinct.dtype):
        distinct = pd.Series(pa.array(distinct).cast(pa.string()).to_pandas(), dtype="str")  # many, and quickly
    elif not isinstance(distinct.dtype, pd.StringDtype):
        distinct = pd.Series([_typed_text(value) for value in distinct], dtype="str")
    texts = _composed(plain_texts(distinct))
    if texts.str.startswith("'").any() and texts.str.match(r"'\S").all():
        texts = texts.str.slice(1)  # Excel's mark of text
    return _whole(_uuids(texts))


def _uuids(texts: pd.Series) -> pd.Series:
    """Return UUIDs as one that programs write otherwise: in braces, behind "urn:uuid:", without hyphens, in capitals.

    Where no two of the column are the same, they stay as they are.
    """
    if not texts.head(_LOOKED_AT).str.len().isin(_UUID_LENGTHS).any():
        return texts
    array = pa.array(texts, pa.large_string(), from_pandas=True)
    found = compute.fill_null(compute.match_substring_regex(array, _UUID), False)
    bare = compute.replace_substring_regex(compute.utf8_lower(array.filter(found)), r"^urn:uuid:|[{}-]", "")
    if compute.count_distinct(bare).as_py() == len(bare):
        return texts
    parted = compute.replace_substring_regex(bare, "^(.{8})(.{4})(.{4})(.{4})(.{12})$", r"\1-\2-\3-\4-\5")
    texts = texts.copy()
    texts[np.asarray(found)] = parted.to_pandas().to_numpy(dtype=object)
    return texts


def _composed(texts: pd.Series) -> pd.Series:
    """Return the texts with composed letters and without invisible signs; plain ASCII, the usual case, costs little."""
    array = pa.array(texts, pa.large_string(), from_pandas=True)
    if compute.all(compute.string_is_ascii(array)).as_py() is not False:
        return texts
    array = compute.replace_substring_regex(compute.utf8_normalize(array, form="NFC"), _INVISIBLE, "")
    array = compute.replace_substring_regex(array, _BLANKS, " ")
    return pd.Series(array.to_pandas().astype("str").str.strip(), dtype="str")


def _whole(texts: pd.Series) -> pd.Series:
    """Return ``40000.0`` as ``40000`` where no number of the column has a fraction that says something."""
    dotted = texts[texts.str.contains(".0", regex=False)]
    whole = dotted.str.fullmatch(r"-?\d+\.0+")
    if not whole.any() or texts.str.fullmatch(r"-?\d+\.0*[1-9]\d*").any():
        return texts
    mended = dotted[whole].str.replace(r"\.0+$", "", regex=True)
    texts = texts.copy()
    texts[mended.index] = mended
    return texts


def _typed_text(value: Any) -> str:
    """Return a typed value as text, "nan" where it is no number; 17850.0 is a whole number that met a gap."""
    if isinstance(value, bytes):
        return _byte_text(value)
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        number = float(value)
        if not np.isfinite(number):
            return "nan"
        return str(int(number)) if number.is_integer() else str(value)
    return str(value)


def _byte_text(value: bytes) -> str:
    """Return bytes as the text they are, else as a UUID (16 of them) or in hex."""
    try:
        text = value.decode("utf-8").rstrip("\0")  # columns of fixed width are filled up with zeros
    except UnicodeDecodeError:
        text = ""
    if text.isprintable() and (text or not value):
        return text
    return str(uuid.UUID(bytes=value)) if len(value) == 16 else value.hex()


def are_long(ids: np.ndarray) -> np.ndarray:
    """Return bool [n + 1], which ids are too long; the last entry serves the code -1."""
    return np.append(np.fromiter(map(len, ids), np.int64, len(ids)) > LONGEST_ID, False)


def folded_ids(ids: np.ndarray) -> np.ndarray:
    """Return ids without capitals, accents composed and letters of one width: what people take for the same."""
    array = pa.array(ids, pa.large_string())
    if compute.all(compute.string_is_ascii(array)).as_py() is False:
        array = compute.utf8_normalize(array, form="NFKC")
    return np.asarray(compute.utf8_lower(array).dictionary_encode().indices)


def near_ids(wanted: np.ndarray, there: np.ndarray) -> tuple[int, str]:
    """Return how many ids are written otherwise in another file, and how: "'00012' and '12'"; 0 and "" for none.

    Two are near where only capitals, zeros in front, ``.0``, spaces, hyphens and underscores set them apart.
    """
    missing = pd.Series(pd.Index(wanted, dtype=object).difference(pd.Index(there, dtype=object)), dtype="str")
    names = pd.Series(there, dtype="str")
    theirs = dict(zip(_loose(names)[::-1], names[::-1], strict=True))
    near = [(one, theirs[loose]) for one, loose in zip(missing, _loose(missing), strict=True) if loose in theirs]
    return len(near), f"'{shown(near[0][0])}' and '{shown(near[0][1])}'" if near else ""


def _loose(texts: pd.Series) -> pd.Series:
    plain = texts.str.lower().str.replace(r"\.0+$|[\s_-]", "", regex=True)
    return plain.str.replace(r"^(\D*)0+(?=\d)", r"\1", regex=True)


def rounded_example(ids: np.ndarray) -> str | None:
    """Return an id that Excel has shortened (``4.02E+12``, or digits after the 15th that are all zeros), else None.

    Args:
        ids: object [n] of distinct str; half of them have to look like that, one does not tell.
    """
    texts = pd.Series(ids, dtype="str")
    scientific = texts.str.fullmatch(_SCIENTIFIC)
    rounded = texts.str.fullmatch(rf"\d{{{_EXACT_DIGITS}}}0+")
    for found in (scientific, rounded):
        if len(found) and found.mean() >= _ROUNDED:
            return str(texts[found].iloc[0])
    return None
