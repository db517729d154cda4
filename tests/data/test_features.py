"""Attributes as a matrix: numbers, categories, text, and all that can be missing."""

import numpy as np
import pandas as pd
import pytest

from grouprec.data.features import AttributeEncoder, item_frame
from grouprec.data.synthetic import planted


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    words = [f"red mug number{n % 30} large" if n % 2 else f"blue plate number{n % 30} small" for n in range(200)]
    return pd.DataFrame(
        {
            "age": rng.normal(40, 9, 200),
            "spend": np.exp(rng.normal(3, 2, 200)),
            "seen": pd.date_range("2024-01-01", periods=200, tz="UTC"),
            "country": rng.choice(["France", "Spain", "Peru"], 200, p=[0.6, 0.3, 0.1]),
            "text": [f"{text} {n}" for n, text in enumerate(words)],
        }
    )


def test_numbers_are_standardised_and_clipped(frame):
    features = AttributeEncoder().fit(frame[["age", "spend", "seen"]]).transform(frame)
    assert features.shape == (200, 3) and features.dtype == np.float32
    assert np.allclose(features.mean(axis=0), 0, atol=0.05) and np.allclose(features.std(axis=0), 1, atol=0.05)
    outlier = AttributeEncoder().fit(frame[["age"]]).transform(pd.DataFrame({"age": [1e9, -np.inf, None]}))
    assert outlier[:, 0].tolist() == [5.0, 0.0, 0.0]


def test_very_skewed_numbers_are_read_as_logarithms(frame):
    features = AttributeEncoder().fit(frame[["spend"]]).transform(frame)[:, 0]
    logs = np.log1p(frame["spend"])
    assert np.allclose(features, (logs - logs.mean()) / logs.std(ddof=0), atol=1e-4)


def test_categories_are_one_hot_and_unseen_values_zero(frame):
    encoder = AttributeEncoder().fit(frame[["country"]])
    features = encoder.transform(pd.DataFrame({"country": ["Spain", "France", "Atlantis", None]}))
    assert features.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_only_the_most_frequent_categories_get_a_column():
    values = [f"c{n}" for n in range(120) for _ in range(120 - n)]
    features = AttributeEncoder().fit(pd.DataFrame({"c": values})).transform(pd.DataFrame({"c": ["c0", "c49", "c50"]}))
    assert features.shape == (3, 50) and features.sum(axis=1).tolist() == [1, 1, 0]


def test_similar_texts_get_similar_features(frame):
    features = AttributeEncoder(n_text=8).fit(frame[["text"]]).transform(frame)
    assert features.shape == (200, 8)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    likeness = unit @ unit.T
    odd = np.arange(200) % 2 == 1
    assert likeness[odd][:, odd].mean() > likeness[odd][:, ~odd].mean() + 0.3


def test_missing_columns_read_as_missing_values(frame):
    encoder = AttributeEncoder().fit(frame)
    features = encoder.transform(pd.DataFrame({"country": ["France"] * 2}))
    assert features.shape == (2, encoder.n_features) and features.sum() == 2.0


def test_no_columns_give_a_matrix_of_width_zero():
    encoder = AttributeEncoder().fit(pd.DataFrame(index=range(4)))
    assert encoder.transform(pd.DataFrame(index=range(7))).shape == (7, 0) and encoder.n_features == 0


def test_texts_without_a_word_take_no_columns():
    frame = pd.DataFrame({"text": ["!" * n for n in range(1, 80)]})
    assert AttributeEncoder().fit(frame).transform(frame).shape == (79, 0)


def test_arrays_bring_the_same_features_back(frame):
    encoder = AttributeEncoder().fit(frame.assign(country=frame["country"] + " é😀"))
    arrays = encoder.arrays()
    assert all(array.dtype.kind in "fiu" for array in arrays.values())
    assert (AttributeEncoder().load(arrays).transform(frame) == encoder.transform(frame)).all()


def test_item_labels_count_as_text_unless_they_are_the_ids():
    data = planted().data
    assert "item_label" in item_frame(data)
    object.__setattr__(data, "item_labels", data.item_ids)
    assert "item_label" not in item_frame(data)
