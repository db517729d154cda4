"""What people do, and what it weighs."""

import pytest

from grouprec.data.roles.behaviours import BEHAVIOUR_WEIGHTS, behaviour_weight
from grouprec.data.roles.header_words import simple_name


def test_common_words_of_behaviour_weigh_one_two_or_three():
    words = ("view", "click", "play", "rated", "cart", "wishlist", "like", "fav", "purchase", "buy", "order")
    assert [BEHAVIOUR_WEIGHTS[word] for word in words] == [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3]


@pytest.mark.parametrize(
    ("word", "weight"),
    [
        ("remove_from_cart", 0),
        ("Refund", 0),
        ("浏览", 1),
        ("просмотр", 1),
        ("add_to_cart", 2),
        ("Warenkorb", 2),
        ("Achat", 3),
        ("購入", 3),
    ],
)
def test_what_undoes_weighs_nothing_and_languages_weigh_the_same(word, weight):
    assert BEHAVIOUR_WEIGHTS[simple_name(word)] == weight


@pytest.mark.parametrize(
    ("name", "weight"),
    [
        ("Viewed Product", 1),
        ("Placed Order", 3),
        ("Order Cancelled", 0),
        ("item_removed from cart", 2),
        ("Started Checkout", 2),
        ("session_start", None),
    ],
)
def test_names_of_several_words_weigh_as_the_strongest_and_what_undoes_as_that(name, weight):
    assert behaviour_weight(name, BEHAVIOUR_WEIGHTS) == weight
