"""Embeddings in an items file: found however they are written, and refused in a sentence where they are spoiled."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from grouprec.core.types import DataError
from grouprec.data.features import vector_features
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import prepare
from grouprec.data.preparing.pseudonyms import pseudonyms_of
from grouprec.data.preparing.vectors import take_vectors

N, WIDTH = 12, 40
VECTORS = np.random.default_rng(0).normal(size=(N, WIDTH)).round(4)
ABOUT = pd.DataFrame({"item_id": np.arange(N), "title": [f"Title {n}" for n in range(N)]})


@pytest.fixture
def interactions(tmp_path):
    """Ten of the twelve items have users."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"user": rng.integers(0, 20, 300), "item": rng.integers(0, N - 2, 300)})
    frame.assign(time=1.6e9 + np.arange(300) * 86400).to_csv(tmp_path / "orders.csv", index=False)
    return tmp_path / "orders.csv"


def as_texts(vectors, write=lambda vector: json.dumps(vector.tolist())):
    return [write(vector) for vector in vectors]


def fixed_size(path):
    lists = pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.ravel()), WIDTH)
    pyarrow.parquet.write_table(pa.table({"id": np.arange(N), "embedding": lists}), path)


WRITERS = {
    "lists.parquet": lambda path: ABOUT.assign(embedding=list(VECTORS.astype(np.float32))).to_parquet(path),
    "fixed.parquet": fixed_size,
    "json.csv": lambda path: ABOUT.assign(embedding=as_texts(VECTORS)).to_csv(path, index=False),
    "spaces.csv": lambda path: ABOUT.assign(embedding=as_texts(VECTORS, str)).to_csv(path, index=False),
    "braces.csv": lambda path: ABOUT.assign(
        embedding=as_texts(VECTORS, lambda one: "{" + ",".join(map(str, one)) + "}")
    ).to_csv(path, index=False, sep=";"),
    "arrays.json": lambda path: path.write_text(
        json.dumps(ABOUT.assign(embedding=[one.tolist() for one in VECTORS]).to_dict("records"))
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_column_of_numbers_in_lists_is_an_embedding(tmp_path, interactions, name):
    WRITERS[name](tmp_path / name)
    made = prepare(interactions, items=tmp_path / name)
    assert made.item_roles.vectors == ("embedding",) and "embedding" not in made.dataset.item_attributes
    ids = made.dataset.item_ids.astype(int)
    expected = VECTORS[ids] / np.linalg.norm(VECTORS[ids], axis=1, keepdims=True)
    assert np.allclose(made.dataset.item_vectors, expected, atol=1e-6)
    assert set(made.dataset.new_items.ids) == {"10", "11"}, "items that nobody has"
    assert np.allclose(np.linalg.norm(made.dataset.new_items.vectors, axis=1), 1)


def test_an_empty_cell_is_a_vector_of_zeros():
    cells = [None, "", *as_texts(VECTORS[2:])]
    _, vectors = take_vectors(ABOUT.assign(e=pd.Series(cells, dtype="str")), "f")
    assert not vectors["e"][:2].any() and np.allclose(vectors["e"][2:], VECTORS[2:], atol=1e-6)


def spoiled(row, value):
    cells = as_texts(VECTORS)
    cells[row] = value
    return ABOUT.assign(e=cells)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (spoiled(6, "[0.1, 0.2]"), "row 7 holds 2 numbers and other rows 40; vectors need one length"),
        (spoiled(6, "see below"), "row 7 holds 'see below', which is no list of numbers"),
        (spoiled(6, json.dumps([float("nan")] * WIDTH)), "row 7 holds NaN or an endless number"),
        (ABOUT.assign(e=list(np.where(np.eye(N, WIDTH) > 0, 1e60, VECTORS))), "row 1 holds NaN or an endless"),
        (ABOUT.assign(e=list(np.full((N, 5000), 0.5))), "vectors of 5,000 numbers, and at most 4,096 are read"),
    ],
    ids=["length", "text", "nan", "endless", "wide"],
)
def test_a_spoiled_vector_is_told_by_row(table, said):
    with pytest.raises(DataError, match=r"'items.csv', column 'e'") as error:
        take_vectors(table, "items.csv")
    assert said in str(error.value)


def test_other_lists_are_categories():
    lists = {"genres": [["Drama", "Crime"][: 1 + n % 2] for n in range(N)], "ids": [[3, n] for n in range(N)]}
    lists |= {"prices": [[1.5] * (1 + n % 3) for n in range(N)], "year": "(1999)", "inner": [[[1.0], [2.0]]] * N}
    table, vectors = take_vectors(ABOUT.assign(**lists), "f")
    assert not vectors and "inner" not in table
    assert table["genres"].tolist()[:2] == ["Drama", "Drama|Crime"] and table["ids"][1] == "3|1"
    whole = ABOUT.assign(e=list(np.tile(np.arange(20), (N, 1))))
    assert list(take_vectors(whole, "f")[1]) == ["e"], "whole numbers, long and of one length"


def test_the_features_of_vectors_keep_what_sets_them_apart():
    centre = np.repeat(np.eye(3, 50), 20, axis=0) + np.random.default_rng(0).normal(0, 0.01, (60, 50))
    features = vector_features(centre.astype(np.float32), 60, 4)
    near = np.linalg.norm(features[:, None] - features[None], axis=2)
    assert features.shape == (60, 4) and near[:20, :20].max() < near[:20, 20:].min()
    assert vector_features(None, 60, 4).shape == (60, 0)


def test_a_users_file_holds_vectors_too_also_under_pseudonyms(tmp_path, interactions, monkeypatch):
    monkeypatch.setenv("GROUPREC_ID_KEY", "a secret of some length")
    vectors = np.random.default_rng(3).normal(size=(20, 5))
    people = pd.DataFrame({"who": np.arange(20), "town": ["Oslo", "Rome"] * 10, "taste": list(vectors)})
    people.to_parquet(tmp_path / "people.parquet")
    made, hidden = (
        prepare(interactions, users=tmp_path / "people.parquet", settings=Preparation(pseudonyms=one))
        for one in (False, True)
    )
    assert made.user_roles.vectors == ("taste",) and "town" in made.dataset.user_attributes
    assert not {"taste", "\0vectors"} & set(made.dataset.user_attributes)
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = made.dataset.user_ids.astype(int)
    assert np.allclose(made.dataset.beside.vectors, expected[ids], atol=1e-6)
    place = pd.Index(hidden.dataset.user_ids).get_indexer(pseudonyms_of(made.dataset.user_ids))
    assert np.allclose(hidden.dataset.beside.vectors[place], made.dataset.beside.vectors)
