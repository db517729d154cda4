"""Which labels a map bears: every group's number where there is room, and its name where there is more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from grouprec.report.palette import group_colour, text_on
from grouprec.report.text import literal, short

WIDTH, HEIGHT = 460, 560  # pixels of a map on a small laptop: what is crowded depends on them
LETTER, LINE, PADDING = 6.1, 24, 12  # pixels
LONGEST = 18  # characters of a name
FEW = 3  # members in view; with fewer, the label of a larger group would mislead
MARGIN = 0.06  # of the extent, around all users


@dataclass(frozen=True)
class View:
    """A part of a map: lowest and highest x and y."""

    x: tuple[float, float]
    y: tuple[float, float]

    def holds(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return which places are within, bool [n]."""
        return (x >= self.x[0]) & (x <= self.x[1]) & (y >= self.y[0]) & (y <= self.y[1])


def view_of(x: np.ndarray, y: np.ndarray) -> View:
    """Return the part of a map that shows all of the points, float [n], n > 0."""

    def ends(values: np.ndarray) -> tuple[float, float]:
        low, high = float(values.min()), float(values.max())
        margin = MARGIN * (high - low) or 1.0
        return low - margin, high + margin

    return View(ends(x), ends(y))


def around(x: float, y: float, whole: View, part: float = 0.25) -> View:
    """Return a part of a map around a place; its sides are ``part`` of those of the whole."""
    half_x, half_y = part * (whole.x[1] - whole.x[0]) / 2, part * (whole.y[1] - whole.y[0]) / 2
    return View((x - half_x, x + half_x), (y - half_y, y + half_y))


def labels(
    x: np.ndarray,
    y: np.ndarray,
    groups: np.ndarray,
    rows: np.ndarray,
    names: Mapping[int, str],
    view: View,
    height: int = HEIGHT,
) -> list[dict[str, Any]]:
    """Return Plotly annotations at the median of every group's members in view: numbers, and names to cover them.

    Where a map is too narrow for names, they can be hidden: only they have a text of two parts.
    A number that would cover that of a larger group is left out, and so is a name that would cover another label or
    reach over the edge; and a group of whom only one or two of many members are in view has none.

    Args:
        x, y: float [U].
        groups: int [U].
        rows: int, the users who have a position.
        names: group -> name, of the groups that get a label.
        height: of the map in pixels.
    """
    seen = rows[view.holds(x[rows], y[rows])]
    few = np.minimum(FEW, np.bincount(groups, minlength=1))
    members = {one: own for one, own in members_of(groups, seen).items() if one in names and len(own) >= few[one]}
    middles = [(np.median(x[own]), np.median(y[own]), len(own)) for own in members.values()]
    centres = pd.DataFrame(middles, columns=["x", "y", "size"], index=list(members))
    centres = centres.sort_values("size", ascending=False, kind="stable")
    scale = min(WIDTH / (view.x[1] - view.x[0]), height / (view.y[1] - view.y[0]))  # both axes have one scale
    places = centres[["x", "y"]].to_numpy(np.float64) * scale
    numbers = [int(group) for group in centres.index]
    titles = {group: _title(names[group]) for group in numbers if names[group] != f"Group {group}"}
    boxes: dict[int, np.ndarray] = {}
    for group, place in zip(numbers, places, strict=True):
        box = _box(place, len(str(group)))
        if not _covers(box, boxes.values()):
            boxes[group] = box
    named = []
    for group, place in zip(numbers, places, strict=True):
        if group not in titles:  # its number says as much
            continue
        box = _box(place, len(str(group)) + 1 + len(titles[group]))
        over = box[0] < view.x[0] * scale or box[2] > view.x[1] * scale
        if group in boxes and not over and not _covers(box, (b for at, b in boxes.items() if at != group)):
            boxes[group] = box
            named.append(group)
    at = dict(zip(numbers, centres[["x", "y"]].itertuples(index=False, name=None), strict=True))
    plain = [_annotation(group, "", *at[group]) for group in boxes]
    return plain + [_annotation(group, f" <span>{literal(titles[group])}</span>", *at[group]) for group in named]


def members_of(groups: np.ndarray, rows: np.ndarray) -> dict[int, np.ndarray]:
    """Return group -> those of the users who are its members, ascending; of groups without any nothing.

    Args:
        groups: int [U].
        rows: int, users.
    """
    own = groups[rows]
    order = np.argsort(own.astype(np.int16) if own.max(initial=0) < 2**15 else own, kind="stable")  # 16 bits: by digits
    numbers, first = np.unique(own[order], return_index=True)
    return dict(zip(numbers.tolist(), np.split(rows[order], first[1:]), strict=True)) if len(rows) else {}


def _title(name: str) -> str:
    """Return a name as a label has it: of two things the first where both are too long."""
    return short(name if len(name) <= LONGEST else name.partition(" · ")[0], LONGEST)


def _box(place: np.ndarray, letters: int) -> np.ndarray:
    """Return left, bottom, right and top of a label in pixels."""
    half = np.array([letters * LETTER + PADDING, LINE]) / 2
    return np.concatenate([place - half, place + half])


def _covers(box: np.ndarray, others: Iterable[np.ndarray]) -> bool:
    """Return whether a box overlaps any of the others."""
    return any((box[:2] < other[2:]).all() and (other[:2] < box[2:]).all() for other in others)


def _annotation(group: int, title: str, x: float, y: float) -> dict[str, Any]:
    return {**mark(group, title), "x": float(x), "y": float(y)}


def mark(group: int, title: str = "") -> dict[str, Any]:
    """Return the look of a label in a group's colour, without its place; ``title`` follows the number."""
    colour = group_colour(group)
    return {
        "text": f"<b>{group}</b>{title}",
        "showarrow": False,
        "bgcolor": colour,
        "bordercolor": "#ffffff",
        "borderwidth": 1,
        "borderpad": 3,
        "font": {"color": text_on(colour), "size": 12},
    }
