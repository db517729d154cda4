"""Charts as SVG inside the page: they need no script, print sharply and take the colours of the style sheet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from grouprec.core.language import Glossary, _, commas, decimal
from grouprec.core.tables import by_number, named_rows
from grouprec.report.html.markup import Html, element, text
from grouprec.report.palette import COLOURS, group_colour, text_on
from grouprec.report.text import short

WIDTH = 880
MOST_POINTS = 6_000
TITLES = 250  # pixels left of a chart whose rows have titles
ROW = 26
REFERENCES = Glossary({"individual": "Personal lists", "oracle": "Best possible"})  # and the floor


@dataclass(frozen=True)
class Scale:
    """A stretch of numbers and the pixels it is drawn on."""

    low: float
    high: float
    start: float
    end: float

    def at(self, values: object) -> np.ndarray:
        """Return pixels, float [N], to a tenth."""
        part = (np.asarray(values, dtype=float) - self.low) / ((self.high - self.low) or 1.0)
        return (self.start + part * (self.end - self.start)).round(1)

    def ticks(self, about: int = 5) -> np.ndarray:
        """Return about as many round numbers inside the stretch."""
        raw = max((self.high - self.low) / about, 1e-9)
        power = 10.0 ** np.floor(np.log10(raw))
        step = power * min((n for n in (1, 2, 5, 10) if n * power >= raw), default=10)
        return np.arange(np.ceil(self.low / step), np.floor(self.high / step) + 1) * step


def user_map(users: pd.DataFrame, names: Mapping[int, str], mark: float = 1.0) -> tuple[Html, int, int]:
    """Return the map with the numbers of groups, and how many users are drawn of how many placed.

    A number that would cover that of a larger group is left out.

    Args:
        users: x, y, group; users without a position are left out. Beyond 6,000 a fixed sample is drawn.
        mark: how large numbers are; 1 is for reading.
    """
    placed = users[np.isfinite(users["x"]) & np.isfinite(users["y"])]
    drawn = placed.sample(min(len(placed), MOST_POINTS), random_state=0)
    height = 560
    x, y = _fit(placed["x"], WIDTH, placed["y"], height)
    points = drawn.assign(x=x.at(drawn["x"]), y=y.at(-drawn["y"]))
    centres = placed.groupby("group")[["x", "y"]].median()
    size = 7 if len(drawn) < 1_500 else 5
    dots = [
        element("path", d=_points(part), stroke=group_colour(group), stroke_width=size)
        for group, part in by_number(points, "group")
    ]
    marks, boxes = [], list[tuple[float, float, float, float]]()
    for group, centre in zip(centres.index, named_rows(centres), strict=True):  # the largest first
        place = float(x.at(centre.x)), float(y.at(-centre.y))
        box = *place, *_mark_size(int(group), mark)
        if not any(_overlap(box, other) for other in boxes):
            boxes.append(box)
            marks.append(_group_mark(int(group), *place, mark))
    said = _("Map of {n_drawn} users in {n_names} groups").format(n_drawn=decimal(len(drawn)), n_names=len(names))
    return _svg(height, said, element("g", *dots, class_="points"), *marks), len(drawn), len(placed)


def _fit(x: pd.Series, width: float, y: pd.Series, height: float) -> tuple[Scale, Scale]:
    """Return scales that put all points, y upwards, into the frame with equal steps both ways."""
    if x.empty:
        return Scale(0, 1, 0, width), Scale(0, 1, 0, height)
    pad = 14
    step = max((x.max() - x.min()) / (width - 2 * pad), (y.max() - y.min()) / (height - 2 * pad), 1e-9)
    half, tall = step * width / 2, step * height / 2
    middle, level = (x.max() + x.min()) / 2, -(y.max() + y.min()) / 2
    return Scale(middle - half, middle + half, 0, width), Scale(level - tall, level + tall, 0, height)


def _points(part: pd.DataFrame) -> str:
    """Return one path of dots: lines of no length with round ends."""
    at = part["x"].map("{:.0f}".format) + " " + part["y"].map("{:.0f}".format)
    return "M" + "h0M".join(at) + "h0"


def _mark_size(group: int, size: float) -> tuple[int, int]:
    """Return width and height of a group's mark in pixels."""
    return round(size * (14 + 7 * len(str(group)))), round(20 * size)


def _overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Return whether two boxes (x and y of the middle, width, height) lie on one another."""
    across, down = abs(one[0] - other[0]), abs(one[1] - other[1])
    return across < (one[2] + other[2]) / 2 and down < (one[3] + other[3]) / 2


def _group_mark(group: int, x: float, y: float, size: float) -> Html:
    colour = group_colour(group)
    width, height = _mark_size(group, size)
    box = element("rect", x=round(x - width / 2, 1), y=round(y - height / 2, 1), width=width, height=height, rx=5,
                  fill=colour)  # fmt: skip
    look = f"fill:{text_on(colour)}" + (f";font-size:{round(12 * size)}px" if size != 1 else "")
    return element("g", box, element("text", group, x=x, y=round(y + 4.5 * size, 1), style=look, class_="mark"))


def dots(rows: pd.DataFrame, marks: Mapping[str, float], axis: str) -> Html:
    """Return one dot with its interval per row, and vertical lines at the values it is to be held against.

    Args:
        rows: title, value, low, high, ours (bool: in the accent), in the order to draw them.
        marks: what a line is -> its value; those that are not finite are left out.
        axis: the title of the axis.
    """
    known = {name: value for name, value in marks.items() if np.isfinite(value)}
    most = max([*rows["high"].fillna(rows["value"]), *known.values(), 1e-9])
    top, height = 40, 40 + ROW * len(rows) + 46
    scale = Scale(0, most * 1.04, TITLES + 14, WIDTH - 14)
    parts = _grid(scale, top - 8, height - 40, axis)
    for level, (name, value) in enumerate(sorted(known.items(), key=lambda pair: pair[1])):
        x = float(scale.at(value))
        parts.append(element("path", d=f"M{x} {top - 8}V{height - 40}", class_="reference"))
        side = "end" if x > WIDTH - 70 else "middle"
        parts.append(element("text", name, x=min(x, WIDTH - 2), y=12 + 14 * (level % 2), text_anchor=side, class_="s"))
    ends = rows[["low", "high"]].fillna({"low": rows["value"], "high": rows["value"]})
    drawn = zip(rows["title"], scale.at(rows["value"]), scale.at(ends["low"]), scale.at(ends["high"]), strict=True)
    for at, ((title, x, low, high), ours) in enumerate(zip(drawn, rows["ours"], strict=True)):
        y = top + ROW * (at + 0.5)
        tone = "ours" if ours else "other"
        parts.append(element("text", short(title, 38), x=TITLES, y=y + 4, text_anchor="end"))
        parts.append(element("path", d=f"M{low} {y}H{high}", class_=f"whisker {tone}"))
        parts.append(element("circle", cx=x, cy=y, r=5, class_=tone))
    return _svg(
        height,
        _("{axis}, best first: {title}").format(axis=axis, title=commas(map(str, rows["title"].head(3)))),
        *parts,
    )


def steps(rows: pd.DataFrame, axis: str, written: str = "{:.3f}") -> Html:
    """Return a waterfall: what every step adds to the one before.

    Args:
        rows: title, value, added (NaN in the first), verdict ("adds", "costs" or other), in order.
        written: how a value is written.
    """
    starts = (rows["value"] - rows["added"].fillna(rows["value"])).to_numpy()
    most = float(np.nanmax([*rows["value"], 1e-9]))
    top, height = 8, 8 + ROW * len(rows) + 46
    scale = Scale(0, most * 1.08, TITLES + 14, WIDTH - 60)
    parts = _grid(scale, top, height - 40, axis)
    tones = {"adds": "ours", "costs": "loss"}
    for at, (row, start) in enumerate(zip(named_rows(rows), starts, strict=True)):
        y, (left, right) = top + ROW * at + 5, np.sort(scale.at([start, row.value]))
        bar = {"x": left, "y": y, "width": max(round(right - left, 1), 1.5), "height": ROW - 10}
        parts.append(element("text", short(row.title, 38), x=TITLES, y=y + 13, text_anchor="end"))
        parts.append(element("rect", **bar, class_=tones.get(str(row.verdict), "other")))
        parts.append(element("text", written.format(row.value), x=right + 6, y=y + 13, class_="s"))
    return _svg(
        height, _("{axis} step by step: {title}").format(axis=axis, title=commas(map(str, rows["title"]))), *parts
    )


def value_curve(curves: Mapping[str, pd.DataFrame], chosen: int, axis: str, floor: str) -> Html:
    """Return the value of the lists against their number: a line with its band per method, dashed references.

    Args:
        curves: title -> n_groups, value, low, high, floor, individual, oracle, ascending; the first is the run's own.
        chosen: the run's number of groups, marked.
        floor: what the floor is called.
    """
    own, references = next(iter(curves.values())), {"floor": floor, **REFERENCES}
    tops = pd.concat([*(curve["high"] for curve in curves.values()), *(own[name] for name in references)])
    height, right = 360, WIDTH - 190
    x = Scale(float(own["n_groups"].min()), float(own["n_groups"].max()), 56, right)
    y = Scale(0, float(tops.max()) * 1.05, height - 48, 22)
    parts = _levels(y, 56, right)
    for tick in x.ticks(8):
        parts.append(element("text", f"{tick:g}", x=x.at(tick), y=height - 28, text_anchor="middle", class_="s"))
    parts.append(
        element("text", _("number of lists"), x=(56 + right) / 2, y=height - 8, text_anchor="middle", class_="s")
    )
    parts.append(element("text", axis, x=4, y=12, class_="s"))
    at = float(x.at(chosen))
    parts.append(element("path", d=f"M{at} 22V{height - 48}", class_="reference"))
    parts.append(element("text", _("this run"), x=at, y=14, text_anchor="middle", class_="s"))
    labels: list[tuple[str, float, str]] = []
    for (title, curve), colour in zip(curves.items(), ["var(--accent)", *COLOURS[1:]], strict=False):
        line, low, high = (y.at(curve[name]) for name in ("value", "low", "high"))
        across = x.at(curve["n_groups"])
        band = f"{_line(across, high)}L{_line(across[::-1], low[::-1])[1:]}Z"
        parts.append(element("path", d=band, style=f"fill:{colour}", class_="band"))
        parts.append(element("path", d=_line(across, line), style=f"stroke:{colour}", class_="line"))
        labels.append((title, float(line[-1]), colour))
    for column, title in references.items():
        if own[column].notna().all():
            line = y.at(own[column])
            parts.append(element("path", d=_line(x.at(own["n_groups"]), line), class_="line dashed"))
            labels.append((title, float(line[-1]), "var(--quiet)"))
    parts += _labels(labels, right + 8)
    return _svg(height, _("{axis} by number of lists, for {curves}").format(axis=axis, curves=commas(curves)), *parts)


def _line(x: np.ndarray, y: np.ndarray) -> str:
    return "M" + "L".join(f"{one} {other}" for one, other in zip(x, y, strict=True))


def _labels(labels: list[tuple[str, float, str]], x: float) -> list[Html]:
    """Return the names of the lines at their ends, moved apart where they would touch."""
    parts, free = [], 0.0
    for title, y, colour in sorted(labels, key=lambda label: label[1]):
        free = max(y + 4, free + 15)
        parts.append(
            element(
                "text",
                short(title, 26),
                x=x,
                y=round(free, 1),
                style=f"fill:{colour}",
                class_="s",
            )
        )
    return parts


def _grid(scale: Scale, top: float, bottom: float, axis: str) -> list[Html]:
    """Return vertical grid lines with their numbers, and the title of the axis below them."""
    middle = (scale.start + scale.end) / 2
    parts = [element("text", axis, x=middle, y=bottom + 34, text_anchor="middle", class_="s")]
    for tick, x in zip(scale.ticks(), scale.at(scale.ticks()), strict=True):
        parts.append(element("path", d=f"M{x} {top}V{bottom}", class_="grid"))
        parts.append(element("text", f"{tick:g}", x=x, y=bottom + 16, text_anchor="middle", class_="s"))
    return parts


def _levels(scale: Scale, left: float, right: float) -> list[Html]:
    """Return horizontal grid lines with their numbers."""
    parts = []
    for tick, y in zip(scale.ticks(), scale.at(scale.ticks()), strict=True):
        parts.append(element("path", d=f"M{left} {y}H{right}", class_="grid"))
        parts.append(element("text", f"{tick:g}", x=left - 8, y=y + 4, text_anchor="end", class_="s"))
    return parts


def _svg(height: float, said: str, *parts: Html) -> Html:
    return element("svg", element("title", text(said)), *parts, viewBox=f"0 0 {WIDTH} {round(height)}", role="img")
