"""Chinese texts are cut into words, for the names of groups and the texts of items; others stay as they are."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from grouprec.core.errors import SettingError
from grouprec.core.types import Groups
from grouprec.data import segments
from grouprec.data.features import AttributeEncoder
from grouprec.explore.naming import count_terms, distinguishing_words

CUPS = [f"{colour}陶瓷咖啡杯" for colour in ("红色", "蓝色", "绿色", "白色", "黑色")]
BAGS = [f"{colour}帆布购物袋" for colour in ("红色", "蓝色", "绿色", "白色", "黑色")]
LABELS = np.array([*CUPS, *BAGS], dtype=object)


@pytest.fixture
def without_jieba(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments.importlib.util, "find_spec", lambda name: None)


def test_chinese_labels_are_counted_by_their_words() -> None:
    terms, _ = count_terms(LABELS)
    assert {"咖啡杯", "购物袋", "红色", "陶瓷"} <= set(terms)
    terms, _ = count_terms(np.array(["森林与我们", "森林的故事", "太阳与我们", "如何学习历史"]))
    assert "森林" in terms and not [one for one in terms if "我们" in one or "如何" in one], "they say nothing"


def test_words_of_a_group_are_written_as_people_write_them() -> None:
    histories = sparse.csr_array(np.kron(np.eye(2), np.ones((6, 5), np.float32)))
    groups = Groups(np.repeat([0, 1], 6).astype(np.int32), 2)
    cups, bags = distinguishing_words(LABELS, histories, groups)
    assert "陶瓷咖啡杯" in cups and "帆布购物袋" in bags


def test_without_jieba_labels_are_read_as_before(without_jieba: None) -> None:
    terms, _ = count_terms(LABELS)
    assert set(terms) == set(LABELS)


def test_other_languages_are_not_cut() -> None:
    assert not segments.are_chinese(["red cup", "blue bag"])
    assert not segments.are_chinese(["赤いコーヒーカップ", "青いバッグ"])
    assert segments.are_chinese(["红色咖啡杯", "12345", "Blue bag", "蓝色购物袋"])


def test_texts_of_items_are_read_by_words_and_read_again_alike() -> None:
    frame = pd.DataFrame({"text": [f"{label} 第{at}款" for at, label in enumerate(list(LABELS) * 12)]})
    encoder = AttributeEncoder(8, of_items=True).fit(frame)
    again = AttributeEncoder(8, of_items=True).load(encoder.arrays())
    assert "咖啡杯" in again._terms and not any(" 咖" in term for term in again._terms)
    np.testing.assert_array_equal(encoder.transform(frame), again.transform(frame))


def test_texts_cut_by_jieba_are_not_read_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", None)
    segments._jieba.cache_clear()
    with pytest.raises(SettingError, match=r"grouprec-studio\[chinese\]"):
        segments.cut("红色咖啡杯")
    segments._jieba.cache_clear()
