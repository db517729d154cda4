"""Pictures for people in a room: bars and lists as HTML, whose letters stay large on any screen, and one curve.

The pictures of :mod:`grouprec.report.html.drawings` are for reading; letters in those shrink with them.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from grouprec.core.language import _
from grouprec.core.tables import named_rows
from grouprec.report import enough_lists
from grouprec.report.html.drawings import Scale
from grouprec.report.html.markup import Html, element
from grouprec.report.palette import group_colour, text_on
from grouprec.report.text import percent, short

WIDTH, HEIGHT = 760, 440
LEFT, RIGHT, TOP, BOTTOM = 56, 24, 44, 56


def bars(rows: pd.DataFrame) -> Html:
    """Return a bar a row, its title above and its number beside it, with its interval where there is one.

    Args:
        rows: title, value (not negative), text, ours (bool: in the accent); perhaps low and high.
    """
    ends = rows.reindex(columns=["low", "high"])
    most = max(float(np.nanmax([*rows["value"], *ends["high"], 0.0])), 1e-9)
    drawn = []
    for row, low, high in zip(named_rows(rows), ends["low"] / most, ends["high"] / most, strict=True):
        whisker = (
            None if pd.isna(low) or pd.isna(high) else element("s", style=f"left:{_of(low)};width:{_of(high - low)}")
        )
        bar = element("i", style=f"width:{_of(row.value / most)}", class_="ours" if row.ours else "other")
        track = element("div", bar, whisker, class_="track")
        drawn.append(element("li", element("span", row.title), track, element("strong", row.text)))
    longest = max(map(len, rows["text"]), default=0)  # numbers take the same room, so that bars can be compared
    return element("ul", *drawn, class_="bars", style=f"--longest:{longest}ch")


def listed(first: pd.DataFrame, group: int, few: bool) -> Html | None:
    """Return the head of a group's list; bars in the group's colour tell how many members an item reaches.

    Args:
        first: label, reach (0 to 1), best first.
        few: the group is so small that this is not told.
    """
    if first.empty:
        return None
    drawn = []
    for rank, (label, reach) in enumerate(zip(first["label"], first["reach"], strict=True), start=1):
        parts = [element("em", rank), element("span", short(label, 60))]
        if not few:
            bar = element("i", style=f"width:{_of(reach)};background:{group_colour(group)}")
            parts += [element("div", bar, class_="track"), element("strong", percent(reach))]
        drawn.append(element("li", *parts))
    return element("ol", *drawn, class_="listed few" if few else "listed")


def legend(groups: Iterable[tuple[int, str, str]]) -> Html:
    """Return groups with their numbers in their colours: number, name, size as text."""
    rows = (element("li", chip(n), element("span", name), element("strong", size)) for n, name, size in groups)
    return element("ul", *rows, class_="legend")


def chip(group: int) -> Html:
    """Return a group's number in its colour."""
    colour = group_colour(int(group))
    return element("span", int(group), class_="chip", style=f"background:{colour};color:{text_on(colour)}")


def beside(*parts: Html | None) -> Html:
    """Return parts beside one another where there is room for it."""
    return element("div", *parts, class_="beside")


def reach_curve(hits: pd.DataFrame, least: int | None, own: int, floor: str) -> Html:
    """Return how many people find something by the number of lists, between one list and personal lists.

    Args:
        hits: n_groups, value, low, high, floor, individual, shares of people, ascending.
        least: the number that is enough, marked; None where none is.
        own: the run's number, marked where it is another one.
        floor: what one list is called.
    """
    shares = 100 * hits[["value", "low", "high", "floor", "individual"]]
    x = Scale(float(hits["n_groups"].min()), float(hits["n_groups"].max()), LEFT, WIDTH - RIGHT)
    y = Scale(0, float(shares.to_numpy().max()) * 1.1, HEIGHT - BOTTOM, TOP)
    across, ends = x.at(hits["n_groups"]), (LEFT, WIDTH - RIGHT)
    parts = _grid(x, y)
    edge = [*y.at(shares["high"]), *y.at(shares["low"])[::-1]]
    parts.append(element("path", d=f"{_path([*across, *across[::-1]], edge)}Z", class_="band"))
    for column, title in (("floor", floor), ("individual", _("A list for everyone"))):
        level = float(y.at(shares[column].iloc[0]))
        parts.append(element("path", d=_path(ends, [level, level]), class_="line dashed"))
        parts.append(element("text", title, x=ends[1], y=level - 8, text_anchor="end", class_="s"))
    parts.append(element("path", d=_path(across, y.at(shares["value"])), class_="line ours"))
    if own != least and own in set(hits["n_groups"]):
        mine = _place(hits, shares, own, x, y)
        parts.append(element("circle", cx=mine[0], cy=mine[1], r=8, class_="ring"))
        parts.append(element("text", _("this run"), x=mine[0], y=mine[1] - 18, text_anchor="middle", class_="s"))
    said = floor
    if least is not None and least in set(hits["n_groups"]):
        said = enough_lists.mark(least, hits)
        parts += _marked(said, *_place(hits, shares, least, x, y))
    title = element("title", _("People of 100 who find something by number of lists; {said}").format(said=said))
    return element("svg", title, *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", class_="curve")


def _marked(said: str, across: float, down: float) -> list[Html]:
    """Return the mark of the number that is enough, a line down to the axis, and what it is beside the line."""
    side = "start" if across < WIDTH / 2 else "end"
    where = {"x": across + (14 if side == "start" else -14), "y": HEIGHT - BOTTOM - 14, "text_anchor": side}
    return [
        element("path", d=f"M{across} {down}V{HEIGHT - BOTTOM}", class_="reference"),
        element("circle", cx=across, cy=down, r=9, class_="ours"),
        element("text", said, **where),
    ]


def _place(hits: pd.DataFrame, shares: pd.DataFrame, n: int, x: Scale, y: Scale) -> tuple[float, float]:
    """Return where a number of lists stands on the curve."""
    return float(x.at(n)), float(y.at(shares["value"][hits["n_groups"] == n].iloc[0]))


def _grid(x: Scale, y: Scale) -> list[Html]:
    parts = []
    for tick, level in zip(y.ticks(4), y.at(y.ticks(4)), strict=True):
        parts.append(element("path", d=f"M{LEFT} {level}H{WIDTH - RIGHT}", class_="grid"))
        parts.append(element("text", f"{tick:g}", x=LEFT - 10, y=level + 6, text_anchor="end", class_="s"))
    for tick, at in zip(x.ticks(6), x.at(x.ticks(6)), strict=True):
        parts.append(element("text", f"{tick:g}", x=at, y=HEIGHT - BOTTOM + 24, text_anchor="middle", class_="s"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(element("text", _("number of lists"), x=middle, y=HEIGHT - 6, text_anchor="middle", class_="s"))
    return [*parts, element("text", _("people of 100"), x=LEFT - 40, y=22, class_="s")]


def _path(x: Iterable[float], y: Iterable[float]) -> str:
    return "M" + "L".join(f"{one:g} {other:g}" for one, other in zip(x, y, strict=True))


def _of(part: float) -> str:
    """Return a share of a bar's track as CSS."""
    return f"{100 * min(max(part, 0.0), 1.0):.1f}%"
