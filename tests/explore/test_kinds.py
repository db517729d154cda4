"""What kind of thing an item is: by its category, else by a word of its label that says what it is."""

from __future__ import annotations

import numpy as np
import pandas as pd

from grouprec.explore import kinds

LABELS = [
    *(f"RED BAG {at}" for at in range(8)),
    *(f"PAPER BAGS No {at}" for at in range(6)),
    *(f"Christmas paper {at}" for at in range(20)),
    *("UNIQUE THING", "12345", ""),
]


def test_a_category_of_the_file_comes_first_and_of_several_the_first() -> None:
    items = pd.DataFrame({"label": ["a", "b", "c", "d", "e", "f"], "note": [f"text {at}" for at in range(6)]})
    items["genres"] = ["Drama|Romance", "Comedy", "Drama", None, "Comedy|Drama", "Drama"]
    found = kinds.kinds(items, ["note", "genres"])
    assert found.tolist() == ["Drama", "Comedy", "Drama", "", "Comedy", "Drama"]


def test_a_date_is_no_kind() -> None:
    items = pd.DataFrame({"label": list("abcdef"), "released": ["01-Jan-1995", "01-Jan-1996"] * 3})
    items["genre"] = ["Drama", "Comedy"] * 3
    assert kinds.kinds(items, ["released", "genre"])[0] == "Drama"


def test_a_label_says_what_things_are_and_not_how_they_look() -> None:
    found = kinds.of_labels(np.array(LABELS, object))
    assert set(found[:8]) == {"bag"}, "red is a look, and bags count with bag"
    assert set(found[8:14]) == {"paper"} and set(found[14:34]) <= {"paper", "christmas"}
    assert found[34:].tolist() == ["", "", ""]


def test_labels_without_words_have_no_kind() -> None:
    assert kinds.of_labels(np.array(["1", "22"], object)).tolist() == ["", ""]
