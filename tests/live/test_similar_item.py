"""The known item that a new one is most like."""

from __future__ import annotations

import pandas as pd

from grouprec.live.similar_item import SimilarItem

LABELS = pd.Series([f"{colour} {thing}" for colour in ("red", "blue", "green") for thing in ("mug", "lamp", "bag")])
IDS = pd.Series([f"i{row}" for row in range(9)])
ATTRIBUTES = pd.DataFrame({"kind": ["mug", "lamp", "bag"] * 3, "price": [3.0, 30.0, 10.0] * 3})


def test_the_same_label_names_the_item_and_attributes_name_the_first_of_their_kind() -> None:
    likest = SimilarItem(ATTRIBUTES, LABELS, IDS)
    assert likest("blue lamp", {}) == 4
    assert likest("", {"kind": "bag"}) == 2
    assert likest("unheard of", {"kind": "lamp", "price": "30"}) == 1


def test_nothing_known_names_no_item() -> None:
    likest = SimilarItem(ATTRIBUTES, LABELS, IDS)
    assert likest("", {}) is None
    assert likest("unheard of", {"kind": "chair", "colour": "red"}) is None
    assert SimilarItem(pd.DataFrame(index=range(9)), IDS, IDS)("i3", {}) is None, "labels that only repeat the ids"


def test_a_label_that_one_item_has_beside_its_id_names_that_item() -> None:
    labels = IDS.copy()
    labels[6] = "green mug"
    assert SimilarItem(pd.DataFrame(index=range(9)), labels, IDS)("green mug", {}) == 6


def test_the_first_item_counts_as_well_and_a_little_likeness_is_enough() -> None:
    similar = SimilarItem(ATTRIBUTES, LABELS, IDS)
    assert similar("red mug", {"kind": "mug", "price": None}) == 0
    assert similar("unheard of", {"kind": "bag"}) == 2
