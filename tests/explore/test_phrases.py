"""What terms stand for, on labels whose things are known."""

from __future__ import annotations

import numpy as np
import pytest

from grouprec.explore.phrases import things

SHOP = np.array(
    [
        "HOT WATER BOTTLE KEEP CALM",
        "SCOTTIE DOG HOT WATER BOTTLE",
        "CHILLI LIGHTS HOT WATER BOTTLE",
        "HAND WARMER SCOTTIE DOG DESIGN",
        "HAND WARMER OWL DESIGN",
        "JUMBO BAG RED RETROSPOT",
        "JUMBO BAG PAISLEY PARK",
        "LUNCH BAG RED RETROSPOT",
        "LUNCH BAG WOODLAND",
        "LUNCH BAG SUKI",
        "GREEN REGENCY TEACUP AND SAUCER",
        "ROSES REGENCY TEACUP AND SAUCER",
        "WHITE HANGING HEART T-LIGHT HOLDER",
        "GLASS STAR T-LIGHT HOLDER",
        "RETROSPOT MAGNETS, PACK OF 4",
        "FRIDGE MAGNETS PACK OF 6",
    ],
    dtype=object,
)


@pytest.mark.parametrize(
    ("term", "thing"),
    [
        ("hot water", "hot water bottle"),  # bottles are nothing else here
        ("lunch", "lunch bag"),  # a single word takes what most of its labels go on with, although bags are others, too
        ("jumbo bag", "jumbo bag"),  # red retrospot belongs to other things, too
        ("regency teacup", "regency teacup and saucer"),
        ("light holder", "t-light holder"),
        ("magnets pack", "magnets"),
        ("scottie dog", "scottie dog"),
        ("nowhere", "nowhere"),
    ],
)
def test_a_term_stands_for_the_thing_as_labels_have_it(term: str, thing: str) -> None:
    assert things([term], SHOP, np.ones(len(SHOP))) == [thing]


def test_a_pair_that_a_single_short_title_has_stands_for_that_title() -> None:
    """Articles of other languages count as words, and end no name."""
    labels = np.array(
        ["Schal Der Kuss", "Dürer als Zeichner", "Die Welle 60 x 40", "Lock, Stock and Two Smoking Barrels"]
    )
    terms = ["schal der", "als zeichner", "die welle", "smoking barrels"]
    said = ["Schal Der Kuss", "Dürer als Zeichner", "Die Welle", "Smoking Barrels"]
    assert things(terms, labels, np.ones(4)) == said
    assert things(["der kuss"], np.array(["Schal Der Kuss", "Tasse Der Kuss"]), np.ones(2)) == ["Der Kuss"]


def test_a_thing_is_named_once_and_looks_name_nothing_beside_it() -> None:
    terms = ["hot water", "red retrospot", "design", "bottle", "hand warmer"]
    assert things(terms, SHOP, np.ones(len(SHOP))) == ["hot water bottle", "hand warmer"]
    assert things(["red retrospot"], SHOP, np.ones(len(SHOP))) == ["red retrospot"]
    assert things([], SHOP, np.ones(len(SHOP))) == []


def test_only_labels_that_count_for_the_group_say_what_a_term_stands_for() -> None:
    weights = np.array([0.0] * 5 + [1.0] * 2 + [0.0] * 9)
    assert things(["bag"], SHOP, weights) == ["jumbo bag"]
    assert things(["hot water"], SHOP, weights) == ["hot water"]


def test_a_thing_is_written_as_most_labels_write_it() -> None:
    films = np.array(
        ["Star Trek: First Contact", "Star Trek IV", "STAR TREK MEMORIES", "Men in Black", "Trek to the star"], object
    )
    assert things(["star trek", "men black"], films, np.ones(5)) == ["Star Trek", "Men in Black"]
    loud = np.array(["STAR TREK: GENERATIONS", "STAR TREK VI"], object)
    assert things(["star trek"], loud, np.ones(2)) == ["star trek"]
