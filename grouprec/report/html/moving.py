"""A list whose items go from where they were to where they are; only what has changed moves."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from grouprec.core.language import _
from grouprec.report.html.markup import Html, element
from grouprec.report.text import short

LONGEST = 60  # characters of a label


def moves(before: Sequence[int], after: Sequence[int]) -> list[str]:
    """Return how every item of a list moved, as charts of songs do: ``▲ 3``, ``▼ 1``, ``new``, nothing."""
    places = {item: place for place, item in enumerate(before)}
    climbs = [places[item] - place if item in places else None for place, item in enumerate(after)]
    return [_move(climb) for climb in climbs]


def _move(climb: int | None) -> str:
    if climb is None:
        return _("new")
    return f"▲ {climb}" if climb > 0 else f"▼ {-climb}" if climb < 0 else ""


def moving_list(
    before: Sequence[int], after: Sequence[int], labels: Sequence[str], last: Sequence[int] | None = None
) -> Html:
    """Return a list that moves once, when it comes into view; its moves are written beside it and stay.

    Args:
        before: items that the moves are counted from, best first, as places in ``labels``.
        after: items as they stand.
        last: what was in view before, where the items come from; ``before`` where None.
    """
    came = list(before if last is None else last)
    rows = []
    for place, (item, move) in enumerate(zip(after, moves(before, after), strict=True)):
        by = came.index(item) - place if item in came else len(after) - place
        parts = element("em", place + 1), element("strong", move), element("span", short(labels[item], LONGEST))
        rows.append(element("li", *parts, style=f"--by:{by}" if by else None))
    return element("ol", *rows, class_="moving")


def style() -> str:
    """Return the rules that :func:`moving_list` needs."""
    return files("grouprec.report.html").joinpath("moving.css").read_text(encoding="utf-8")
