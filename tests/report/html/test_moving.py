"""A list that moves: every item comes from where it was, and the moves are written beside it."""

from __future__ import annotations

import re

from grouprec.report.html.moving import moves, moving_list

LABELS = ["Bag", "Cup", "<b>Lamp</b>", "Tea", "Mug"]


def test_moves_are_told_as_in_charts_of_songs() -> None:
    assert moves([0, 1, 2], [2, 0, 3]) == ["▲ 2", "▼ 1", "new"]
    assert moves([0, 1], [0, 1]) == ["", ""]


def rows(html: str) -> list[tuple[str, str]]:
    """Return how far every item comes, and its label."""
    found = re.findall(r"<li([^>]*)>.*?<span>(.*?)</span></li>", html)
    return [((re.search(r"--by:(-?\d+)", said) or [None, "0"])[1], label) for said, label in found]


def test_items_come_from_their_places_before_and_new_ones_from_below() -> None:
    made = moving_list([0, 1, 2], [2, 0, 3], LABELS)
    assert rows(made) == [("2", "&lt;b&gt;Lamp&lt;/b&gt;"), ("-1", "Bag"), ("1", "Tea")]


def test_only_what_has_changed_since_the_last_picture_moves() -> None:
    made = moving_list([0, 1, 2], [2, 0, 3], LABELS, last=[2, 3, 0])
    assert [by for by, _label in rows(made)] == ["0", "1", "-1"]
    assert "▲ 2" in made and "new" in made, "the moves are still those since the beginning"
