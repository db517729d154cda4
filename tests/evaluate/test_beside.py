"""A blend without one of its encoders, and what share of it one has."""

from __future__ import annotations

import pytest

from grouprec.evaluate.beside import share_of, weights_without
from grouprec.models.blend import Weights


def blend(popularity: float, **encoders: float) -> Weights:
    return Weights(encoders=encoders, popularity=popularity)


def test_what_an_encoder_had_goes_to_the_others_in_their_proportions() -> None:
    left = weights_without(blend(0.2, ease=0.3, social=0.5), "social", instead="als")
    assert left.encoders == pytest.approx({"ease": 0.6, "social": 0.0}) and left.popularity == pytest.approx(0.4)


def test_the_share_of_the_only_one_goes_to_the_encoder_that_is_named() -> None:
    left = weights_without(blend(0.0, social=0.7), "social", instead="ease")
    assert left.encoders == {"social": 0.0, "ease": 0.7} and left.popularity == 0


def test_a_share_is_of_the_whole_blend() -> None:
    assert share_of(blend(0.5, ease=0.25, als=0.25), "ease") == 0.25
    assert share_of(blend(0.5, ease=0.5), "als") == 0 == share_of(blend(0.0), "ease")
