"""A sentence model of this disk reads texts of items and users; without one nothing changes; nothing is fetched."""

import sys
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from grouprec.core.types import SettingError
from grouprec.data.beside import VECTORS, matrix_of
from grouprec.data.dataset import LeftOut, NewItems
from grouprec.data.interactions import Interactions
from grouprec.data.synthetic import planted
from grouprec.training.texts import MODEL, with_text_vectors


class Cache:
    """The parts of a StageCache that are asked for; ``saved`` holds what a run would keep."""

    def __init__(self):
        self.device, self.run, self.saved, self.n_read = "cpu", self, {}, 0
        self.store = self.progress = self

    @contextmanager
    def stage(self, name):
        yield SimpleNamespace(reused=False)

    def find_stage(self, key, run):
        return self.saved.get(key)

    def save_stage(self, key, kind, name, settings, arrays, meta):
        self.saved[key] = arrays, meta
        self.n_read += 1


@pytest.fixture
def data():
    words = ["ceramic mug", "wool blanket", "garden shears"]
    labels = np.array([f"{words[n % 3]} no {n}" for n in range(120)], dtype=object)
    given = planted().data
    new = NewItems(np.array(["n1", "n2"], object), np.array(["ceramic mug", ""], object), pd.DataFrame(index=range(2)))
    return replace(given, item_labels=labels, new_items=new)


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A folder that looks like a model, and a library that counts letters instead of reading it."""
    asked = {}

    class Model:
        def __init__(self, folder, **how):
            asked.update(how, folder=folder)

        def encode(self, texts, **how):
            return np.array([[text.count(letter) + 0.1 for letter in "abcdefgh"] for text in texts])

    (tmp_path / "modules.json").write_text("[]")
    monkeypatch.setenv(MODEL, str(tmp_path))
    monkeypatch.setitem(sys.modules, "sentence_transformers", SimpleNamespace(SentenceTransformer=Model))
    return asked


def test_texts_become_vectors_beside_those_of_the_file(data, model):
    cache = Cache()
    made = with_text_vectors(cache, data)
    assert made.item_vectors.shape == (120, 8) and made.key != data.key
    assert np.allclose(np.linalg.norm(made.item_vectors, axis=1), 1, atol=1e-5)
    assert np.linalg.norm(made.new_items.vectors, axis=1).round(4).tolist() == [1, 0], "an empty text says nothing"
    assert made.item_vectors[0] @ made.new_items.vectors[0] > made.item_vectors[1] @ made.new_items.vectors[0]
    assert model["local_files_only"] and not model["trust_remote_code"] and model["model_kwargs"]["use_safetensors"]
    again = with_text_vectors(cache, data)
    assert cache.n_read == 1 and np.array_equal(again.item_vectors, made.item_vectors)


def test_without_a_model_nothing_changes(data, monkeypatch):
    monkeypatch.delenv(MODEL, raising=False)
    assert with_text_vectors(Cache(), data) is data


def test_what_is_missing_is_said(data, tmp_path, monkeypatch):
    monkeypatch.setenv(MODEL, str(tmp_path / "nowhere"))
    with pytest.raises(SettingError, match="no folder of a sentence-transformers model"):
        with_text_vectors(Cache(), data)
    (tmp_path / "modules.json").write_text("[]")
    monkeypatch.setenv(MODEL, str(tmp_path))
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(SettingError, match=r"pip install 'grouprec-studio\[text\]'"):
        with_text_vectors(Cache(), data)


def test_texts_of_users_become_vectors_of_them_too(data, model):
    said = [f"{'aaa bbb' if n % 2 else 'ggg hhh'} says number {n} of them" for n in range(data.n_users)]
    left = LeftOut(
        np.array(["x"], object), Interactions.empty(True), data.histories[:1], pd.DataFrame({"bio": ["aaa"]})
    )
    given = replace(data, user_attributes=pd.DataFrame({"bio": said}), left_out=left)
    made = with_text_vectors(Cache(), given)
    vectors, aside = made.beside.vectors, made.left_out.beside.vectors
    assert vectors.shape == (data.n_users, 8) and aside.shape == (1, 8)
    assert aside[0] @ vectors[1] > aside[0] @ vectors[0], "like those who write as they do"
    assert np.allclose(matrix_of(made.known_of_users, VECTORS, 8).toarray(), vectors)
    assert made.user_attributes.columns.tolist() == ["bio"], "tables show no vectors"
