"""Attributes of users or items -> a float32 matrix that a network can read."""

from __future__ import annotations

import json
import re
from typing import Any, Self

import numpy as np
import pandas as pd
from pandas.api import types as dtypes
from scipy import sparse
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from grouprec.core.tables import n_words
from grouprec.data.beside import VECTORS, matrix_of, plain, width_of
from grouprec.data.dataset import Dataset, NewItems
from grouprec.data.preparing.attributes import MAX_CATEGORIES, UNKNOWN
from grouprec.data.roles.evidence import looks_like_time
from grouprec.data.segments import are_chinese, cut
from grouprec.data.values.times import read_times

MAX_TAGS = 100
MAX_TERMS = 20_000
MAX_DIRECTIONS = 64
DATES = 200  # values that are read to tell dates
NEARLY_ALL = 0.95  # of an items' column are numbers: then it is one of numbers
SKEWED = 2.0  # skewness beyond which a number is read through log1p
LIMIT = 5.0  # features are clipped to this many standard deviations
_SAID = re.compile(r"(?s)(?=.{1,32}$).*[^\W\d_]{3,}")  # of a category that can be said
_SAYS_NOTHING = frozenset(["yes", "true", "false", "none", "other", "others", "unknown"])
_BETWEEN_TAGS = (r"\|", ";", ",", "/", r"\s+")
_AROUND_TAGS = "[](){}\"' "  # of a list written as text


def item_frame(data: Dataset | NewItems) -> pd.DataFrame:
    """Return what is known of the items, I rows: their attributes, and their labels where they say more than the id."""
    new = isinstance(data, NewItems)
    ids, labels, known = (
        (data.ids, data.labels, data.attributes) if new else (data.item_ids, data.item_labels, data.item_attributes)
    )
    frame = known if len(known) else pd.DataFrame(index=range(len(ids)))
    return frame if (labels == ids).all() else frame.assign(item_label=labels.astype(str))


def text_columns(frame: pd.DataFrame, of_items: bool = True) -> list[str]:
    """Return which columns of a frame of items, or of users, hold free text."""
    described = (_describe(str(name), frame[name], of_items) for name in frame.columns)
    return [column["name"] for column in described if column["kind"] == "text"]


def categories_of(values: pd.Series) -> tuple[np.ndarray, sparse.csr_array] | None:
    """Return the categories of items in a column that say something in words, and which item has which.

    Unlike what a network reads, there may be many: all that at least two items have, where these are of most items.

    Returns:
        as in the file, object [V], and 1 where an item has one, CSR float32 [n, V]; None where the column holds
        numbers, dates, texts of single items, or nothing to say.
    """
    if dtypes.is_numeric_dtype(values):
        return None
    column = _describe(str(values.name), values, of_items=True)
    if column["kind"] == "number":
        return None
    known = values.dropna().astype(str)
    if "between" not in column:
        counts = known[known != UNKNOWN].value_counts()
        shared = counts[counts > 1]
        column = {"name": column["name"], "values": sorted(shared.index) if 2 * shared.sum() > counts.sum() else []}
    said = [one for one in column["values"] if _SAID.match(one) and one.lower() not in _SAYS_NOTHING]
    if not said:
        return None
    place = {one: at for at, one in enumerate(said)}
    parts = known.map(lambda text: _split_tags(text, column["between"]) if "between" in column else [text])
    pairs = [
        (row, place[part])
        for row, own in zip(np.flatnonzero(values.notna()), parts, strict=True)
        for part in own
        if part in place
    ]
    rows, places = np.array(pairs, np.int64).reshape(-1, 2).T
    return np.array(said, dtype=object), sparse.csr_array(
        (np.ones(len(rows), np.float32), (rows, places)), (len(values), len(said))
    )


def vector_features(vectors: np.ndarray | None, n: int, size: int, seed: int = 0) -> np.ndarray:
    """Return what sets items' vectors apart in at most ``size`` numbers of spread 1, float32 [n, F].

    Args:
        vectors: float32 [n, V] (:attr:`~grouprec.data.dataset.Dataset.item_vectors`); F is 0 where None.
    """
    if vectors is None or n < 2:
        return np.zeros((n, 0), np.float32)
    reduced = PCA(min(size, *vectors.shape), random_state=seed).fit_transform(vectors)
    return np.clip(reduced / (reduced.std() or 1.0), -LIMIT, LIMIT).astype(np.float32)


class AttributeEncoder:
    """Numbers, categories and free text as columns of one matrix; learned from one frame, applied to any other.

    Numbers and dates are standardised (through log1p where they are non-negative and very skewed), missing ones
    become the mean. Categories are one-hot over the 50 most frequent values, others are all zeros. Free text (more
    than 50 different values, and mostly several words or mostly unique) of all columns together is TF-IDF reduced
    by a truncated SVD, scaled to unit variance; vectors of users (:mod:`grouprec.data.beside`) are reduced by PCA to
    64 numbers. Everything lies within -5 and 5.

    Args:
        n_text: most columns that free text may take.
        of_items: texts are read by runs of two to four letters instead of words, which also tells Chinese and Japanese
            ones apart, and columns of several values each (``Drama|Crime``) by every value. Chinese ones are read by
            words where jieba is installed to cut them (:mod:`grouprec.data.segments`).
    """

    def __init__(self, n_text: int = 32, of_items: bool = False) -> None:
        self.n_text, self.of_items, self._cut = n_text, of_items, False

    def fit(self, frame: pd.DataFrame, seed: int = 0) -> Self:
        """Learn the columns of ``frame``; any number of rows and columns, none included.

        Args:
            frame: one row per user or item; extra dtypes are read as text.
            seed: of the randomised SVD.
        """
        told = plain(frame).columns
        self._columns = [_describe(str(name), frame[name], self.of_items) for name in told]
        self._fit_vectors(matrix_of(frame, VECTORS, width_of(frame, VECTORS)).toarray(), seed)
        self._fit_text(_documents(frame, self._text_columns()), seed)
        return self

    @property
    def n_features(self) -> int:
        """Width F of the matrix."""
        return len(self.kinds)

    @property
    def kinds(self) -> np.ndarray:
        """Return what every column of the matrix is, str [F]: "number", "category" (also a tag) or "text"."""
        widths = {"number": lambda c: 1, "category": lambda c: len(c["values"]), "text": lambda c: 0}
        kinds = [column["kind"] for column in self._columns for _ in range(widths[column["kind"]](column))]
        more = ["text"] * self._components.shape[1] + ["vector"] * self._directions.shape[1]
        return np.array([*kinds, *more], dtype="U8")

    def known_numbers(self, frame: pd.DataFrame) -> np.ndarray:
        """Return where the columns of kind "number" hold one, bool [n, N]."""
        known = [np.isfinite(_numbers_of(column, frame)) for column in self._columns if column["kind"] == "number"]
        return np.stack(known, axis=1) if known else np.zeros((len(frame), 0), bool)

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the features, float32 [n, F]; missing columns read as missing values."""
        blocks = [np.zeros((len(frame), 0), np.float32)]
        for column in self._columns:
            if column["kind"] == "number":
                blocks.append(_number_features(column, frame))
            elif column["kind"] == "category":
                blocks.append(_category_features(column, frame))
        if self._components.shape[1]:
            blocks.append(self._text_features(_documents(frame, self._text_columns())))
        if self._directions.shape[1]:
            vectors = matrix_of(frame, VECTORS, len(self._directions))
            there = np.diff(vectors.indptr)[:, None] > 0
            blocks.append(np.where(there, vectors @ self._directions - self._middle, 0))
        return np.clip(np.hstack(blocks), -LIMIT, LIMIT).astype(np.float32)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything learned as numeric arrays; names and values are JSON in UTF-8 bytes."""
        known: dict[str, Any] = {"columns": self._columns, "terms": self._terms}
        flags = {"of_items": self.of_items, "cut": self._cut}
        words = json.dumps(known | {name: True for name, said in flags.items() if said}, ensure_ascii=False)
        return {
            "vocabulary": np.frombuffer(words.encode(), np.uint8).copy(),
            "idf": self._idf,
            "components": self._components,
            **({"directions": self._directions, "middle": self._middle} if self._directions.size else {}),
        }

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        """Put arrays from :meth:`arrays` back; returns self."""
        words = json.loads(arrays["vocabulary"].tobytes().decode())
        self._columns, self._terms, self.of_items = words["columns"], words["terms"], words.get("of_items", False)
        self._idf, self._components, self._cut = arrays["idf"], arrays["components"], words.get("cut", False)
        self._directions = arrays.get("directions", np.zeros((0, 0)))
        self._middle = arrays.get("middle", np.zeros(0))
        return self

    def _fit_vectors(self, vectors: np.ndarray, seed: int) -> None:
        """Learn in which directions [V, F] the vectors of those who have one lie apart, and their middle [F]."""
        self._directions, self._middle = np.zeros((0, 0)), np.zeros(0)
        there = vectors[vectors.any(axis=1)]
        if len(there) < 2:
            return
        found: Any = PCA(min(MAX_DIRECTIONS, *there.shape), random_state=seed)  # the stubs know no PCA
        spread = float(found.fit_transform(there).std()) or 1.0
        self._directions = found.components_.T / spread
        self._middle = found.mean_ @ self._directions

    def _text_columns(self) -> list[str]:
        return [column["name"] for column in self._columns if column["kind"] == "text"]

    def _fit_text(self, documents: list[str], seed: int) -> None:
        """Learn terms, their idf [V] and the scaled SVD components [V, n_text]."""
        self._terms, self._idf, self._components = [], np.zeros(0), np.zeros((0, 0))
        if not any(documents):
            return
        self._cut = self.of_items and are_chinese(documents)
        vectorizer = self._vectorizer(max_features=MAX_TERMS)
        try:
            matrix = vectorizer.fit_transform(self._read(documents))
        except ValueError:  # scikit-learn's way of saying that the texts hold no words
            return
        size = min(self.n_text, min(matrix.shape) - 1)
        if size < 1:
            return
        svd = TruncatedSVD(size, random_state=seed)
        spread = float(svd.fit_transform(matrix).std()) or 1.0
        self._terms = vectorizer.get_feature_names_out().tolist()
        self._idf = vectorizer.idf_
        self._components = np.transpose(svd.components_) / spread

    def _vectorizer(self, **more: Any) -> TfidfVectorizer:
        letters, words = {"analyzer": "char_wb", "ngram_range": (2, 4)}, {"token_pattern": r"(?u)\b\w+\b"}
        return TfidfVectorizer(sublinear_tf=True, **(letters if self.of_items and not self._cut else words), **more)

    def _read(self, documents: list[str]) -> list[str]:
        return [cut(text) for text in documents] if self._cut else documents

    def _text_features(self, documents: list[str]) -> np.ndarray:
        vectorizer = self._vectorizer(vocabulary=self._terms)
        vectorizer.idf_ = self._idf
        return vectorizer.transform(self._read(documents)) @ self._components


def _describe(name: str, values: pd.Series, of_items: bool) -> dict[str, Any]:
    """Return what a column is and all that is needed to read it again, as JSON can hold it."""
    if dtypes.is_numeric_dtype(values) or dtypes.is_datetime64_any_dtype(values):
        numbers = _numbers(values)
        known = numbers[np.isfinite(numbers)]
        skew: Any = pd.Series(known).skew()  # the stubs leave open what a statistic is
        log = len(known) > 2 and known.min() >= 0 and skew > SKEWED
        known = np.log1p(known) if log else known
        mean, std = (float(known.mean()), float(known.std())) if len(known) else (0.0, 0.0)
        return {"name": name, "kind": "number", "log": bool(log), "mean": mean, "std": std or 1.0}
    words = values.dropna().astype(str)
    words = words[words != UNKNOWN] if of_items else words
    if of_items and len(words) and pd.to_numeric(words, errors="coerce").notna().mean() >= NEARLY_ALL:
        return _describe(name, pd.to_numeric(values, errors="coerce"), of_items)
    if of_items and are_dates(words):
        return {**_describe(name, _days(values), of_items), "dates": True}
    counts = words.value_counts()
    if of_items and (tags := _tags(counts)):
        return {"name": name, "kind": "category", **tags}
    usual = n_words(words).mean() if len(words) else 0
    if len(counts) > MAX_CATEGORIES and (usual > 2 or len(counts) > len(words) / 2):
        return {"name": name, "kind": "text"}
    # Sorted by count, then by value: value_counts leaves the order of equal counts to the data's order.
    frequent = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_CATEGORIES]
    return {"name": name, "kind": "category", "values": [value for value, _ in frequent]}


def _tags(counts: pd.Series) -> dict[str, Any]:
    """Return ``between`` and ``values`` of texts that are several of few values each; nothing of others.

    Args:
        counts: how often every different text occurs.
    """
    for between in _BETWEEN_TAGS:
        found: dict[str, int] = {}
        several = 0
        for text, times in counts.items():
            parts = _split_tags(str(text), between)
            several += (len(parts) > 1) * int(times)
            for part in parts:
                found[part] = found.get(part, 0) + int(times)
            if len(found) > 10 * MAX_TAGS:
                break
        if several >= 0.1 * counts.sum() and len(found) <= min(MAX_TAGS, len(counts) - 1):
            return {"between": between, "values": sorted(found, key=lambda part: (-found[part], part))}
    return {}


def _split_tags(text: str, between: str) -> list[str]:
    parts = (part.strip().strip(_AROUND_TAGS).strip() for part in re.split(between, text.strip(_AROUND_TAGS)))
    return list(dict.fromkeys(part for part in parts if part))


def _numbers(values: pd.Series) -> np.ndarray:
    """Return a column as float64 [n]; NaN where it is missing, infinite or no number."""
    if dtypes.is_datetime64_any_dtype(values):
        values = (values - pd.Timestamp(0, tz=values.dt.tz)) / pd.Timedelta(days=1)
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isfinite(numbers), numbers, np.nan)


def are_dates(texts: pd.Series) -> bool:
    """Return whether texts are moments, such as ``01-Jan-1995``; the first different ones tell."""
    return looks_like_time(pd.Series(texts.dropna().unique()[:DATES]))


def _days(texts: pd.Series) -> pd.Series:
    return pd.Series(read_times(texts.astype("str")).seconds / 86_400)


def _numbers_of(column: dict[str, Any], frame: pd.DataFrame) -> np.ndarray:
    """Return the numbers of a described column, float64 [n]; NaN where there is none."""
    if column["name"] not in frame:
        return np.full(len(frame), np.nan)
    values = frame[column["name"]]
    return _numbers(_days(values) if column.get("dates") else values)


def _number_features(column: dict[str, Any], frame: pd.DataFrame) -> np.ndarray:
    """Return one standardised column, float32 [n, 1]."""
    numbers = _numbers_of(column, frame)
    if column["log"]:
        numbers = np.log1p(np.maximum(numbers, 0))
    return np.nan_to_num((numbers - column["mean"]) / column["std"])[:, None]


def _category_features(column: dict[str, Any], frame: pd.DataFrame) -> np.ndarray:
    """Return one column per known value, float32 [n, V]."""
    features = np.zeros((len(frame), len(column["values"])), np.float32)
    if column["name"] not in frame:
        return features
    texts = frame[column["name"]].astype(str)
    if "between" in column:
        places = {value: at for at, value in enumerate(column["values"])}
        for row, text in enumerate(texts.fillna("").to_list()):
            parts = _split_tags(text, column["between"])
            features[row, [places[part] for part in parts if part in places]] = 1
        return features
    known = pd.Index(column["values"]).get_indexer(texts)
    rows = np.flatnonzero(known >= 0)
    features[rows, known[rows]] = 1
    return features


def _documents(frame: pd.DataFrame, names: list[str]) -> list[str]:
    """Return the free text of every row, joined over the columns."""
    there = [frame[name].astype("str").fillna("") for name in names if name in frame]
    return [" ".join(words) for words in zip(*there, strict=True)] if there else [""] * len(frame)


class AttributeFeatures:
    """Attributes as features (:class:`AttributeEncoder`), and about whom they say anything at all."""

    def fit(self, attributes: pd.DataFrame, seed: int = 0) -> Self:
        """Learn the columns of a frame; ``seed`` is that of the SVD of free text."""
        self._encoder = AttributeEncoder().fit(attributes, seed)
        self._numbers = [str(name) for name in plain(attributes) if dtypes.is_numeric_dtype(attributes[name])]
        return self

    def transform(self, attributes: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the features, float32 [B, F], and whether anything is known of each row, bool [B].

        Nothing is known where all columns are missing or hold values never seen. Their features are all zeros, but
        so are those of a number at its mean, hence the look at the numbers themselves.
        """
        features = self._encoder.transform(attributes)
        known = np.asarray(features.any(axis=1))
        for name in attributes.columns.intersection(self._numbers):
            numbers = pd.to_numeric(attributes[name], errors="coerce").to_numpy(np.float64, na_value=np.nan)
            known |= np.isfinite(numbers)
        return features, known

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything learned as numeric arrays; names are JSON in UTF-8 bytes."""
        names = json.dumps(self._numbers, ensure_ascii=False).encode()
        return {**self._encoder.arrays(), "numbers": np.frombuffer(names, np.uint8).copy()}

    def load(self, arrays: dict[str, np.ndarray]) -> Self:
        """Put arrays from :meth:`arrays` back; returns self. Other arrays among them are left alone."""
        self._encoder = AttributeEncoder().load(arrays)
        self._numbers = json.loads(arrays["numbers"].tobytes().decode())
        return self
