"""Reviews and search words as texts of items and users: where they tell items apart, and of training rows only."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from grouprec.data.features import item_frame, text_columns
from grouprec.data.preparing.clean import Preparation
from grouprec.data.preparing.prepare import prepare

N_USERS, N_ITEMS, EACH = 60, 60, 8
RNG = np.random.default_rng(5)
WORDS = np.array(["".join(RNG.choice(list("abcdefghijklmnop"), 6)) for _ in range(4 * N_ITEMS)])


def reviews(path: Path, told: bool, column: str = "Review Text") -> Path:
    users = np.repeat(np.arange(N_USERS), EACH)
    items = (users * 7 + np.tile(np.arange(EACH), N_USERS) * 11) % N_ITEMS
    words = RNG.integers(0, 4, (len(items), 3)) + 4 * (items if told else RNG.integers(0, N_ITEMS, len(items)))[:, None]
    days = pd.Timestamp(2024, 1, 1) + pd.to_timedelta(np.arange(len(items)), "h")
    texts = [" ".join(WORDS[own]) for own in words]
    pd.DataFrame({"user_id": users, "item_id": items, column: texts, "date": days}).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    ("told", "column", "roles", "text", "said"),
    [
        (True, "Review Text", {}, "Review Text", "is read as what users say of items"),
        (True, "搜索词", {}, "搜索词", "is read as what users say of items"),
        (False, "Review Text", {}, None, "are no more alike for one item than for two: they are not used"),
        (False, "Review Text", {"text": "Review Text"}, "Review Text", "is read as what users say of items"),
        (True, "Review Text", {"text": ""}, None, ""),
    ],
)
def test_texts_are_used_where_they_tell_items_apart(tmp_path, told, column, roles, text, said):
    found = prepare(reviews(tmp_path / "r.csv", told, column), roles=roles, settings=Preparation(min_item_users=1))
    assert found.roles.text == text and said in " ".join(found.doubts)
    expected = [] if text is None else [text]
    assert text_columns(item_frame(found.dataset)) == expected
    assert text_columns(found.dataset.user_attributes, of_items=False) == expected


def test_an_item_says_what_its_training_rows_say(tmp_path):
    path = reviews(tmp_path / "r.csv", told=True)
    data = prepare(path, settings=Preparation(min_item_users=1)).dataset
    rows = pd.read_csv(path, dtype=str)
    text = data.item_attributes["Review Text"][0]
    mine = rows[rows["item_id"] == data.item_ids[0]]["Review Text"]
    kept = int((data.train.item_rows == 0).sum())
    assert kept < len(mine) and text == " ".join(mine[:kept])


def test_with_pseudonyms_nothing_that_people_write_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("GROUPREC_ID_KEY", "k" * 64)
    found = prepare(reviews(tmp_path / "r.csv", told=True), settings=Preparation(min_item_users=1, pseudonyms=True))
    assert found.roles.text is None and "Review Text" not in found.dataset.item_attributes
